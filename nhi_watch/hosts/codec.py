"""The JSON codec of the hosts that have orjson. Splunk's Python has none, and works with the standard library."""

from __future__ import annotations

import orjson

from nhi_watch.intake.shapes.json import parse_with
from nhi_watch.state.store import write_with


def use_orjson() -> None:
    """Let this process read and write JSON with orjson from now on.

    Called where a host starts to work, so that importing a module changes nothing.
    """
    parse_with(orjson.loads)
    write_with(orjson.loads, orjson.dumps)
