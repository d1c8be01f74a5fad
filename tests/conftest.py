"""Fixtures for all tests. What ships to Splunk is tested on bare interpreters too, which lack the client."""

from importlib.util import find_spec

if find_spec("hypothesis"):
    from hypothesis import settings

    # a busy machine may pause a test for longer than any deadline
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")

if find_spec("elasticsearch"):
    from elastic_server import elastic

    __all__ = ["elastic"]
