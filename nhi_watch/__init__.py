"""Detect stolen and misused non-human identities inside the SIEM that a SOC already has."""

__version__ = "0.1.0"
