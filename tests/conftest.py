"""Fixtures for all tests. What ships to Splunk is tested on bare interpreters too, which lack the client."""

from importlib.util import find_spec

if find_spec("elasticsearch"):
    from elastic_server import elastic

    __all__ = ["elastic"]
