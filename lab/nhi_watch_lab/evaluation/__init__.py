"""Reproducible measurements on labelled data."""
