"""Labelled telemetry of a believable account, with campaigns."""
