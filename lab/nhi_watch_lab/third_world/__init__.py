"""A simulated software company on AWS: native audit logs with labelled misuse of machine identities."""
from .generate import generate

__all__ = ["generate"]
