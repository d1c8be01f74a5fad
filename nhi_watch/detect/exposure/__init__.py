"""Exposed credentials: the exposure starts the clock, not the first misuse."""
