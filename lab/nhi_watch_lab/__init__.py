"""The laboratory: simulated worlds, evaluation, training. Not part of what is installed with nhi_watch."""
