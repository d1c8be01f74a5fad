"""Signals, one module each: one reason why a behaviour or an episode is unusual or risky."""
