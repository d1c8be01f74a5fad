"""A simulated software company on AWS: native audit logs with labelled misuse of machine identities."""
from nhi_watch_lab.third_world.generate import generate

__all__ = ["generate"]
