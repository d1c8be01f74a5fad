"""Commands with which people work on what was found: exposures, posture, controls."""
