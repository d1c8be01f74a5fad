"""The other side of bench_splunk.py: a pass-through command of splunk-sdk, as its documentation shows it."""

import sys

from splunklib.searchcommands import Configuration, StreamingCommand, dispatch


@Configuration()
class Pass(StreamingCommand):  # type: ignore[misc]
    """Hands on every record as it came."""

    def stream(self, records):  # type: ignore[no-untyped-def]
        """The records."""
        yield from records


dispatch(Pass, sys.argv, sys.stdin, sys.stdout, __name__)
