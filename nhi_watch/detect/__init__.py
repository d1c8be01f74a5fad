"""Behaviours → features → signals → score → links → rank → explained notables."""
