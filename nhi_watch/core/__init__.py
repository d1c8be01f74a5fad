"""The words that every part shares: events, identities, behaviours, notables, errors, times."""
