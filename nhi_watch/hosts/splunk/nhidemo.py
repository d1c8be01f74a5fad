"""The generating search command nhidemo: the packaged sample as rows, to see the dashboards before any data is there.

It answers little and runs once, so it stands on splunk-sdk (docs/decisions/0005-splunk.md).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from splunklib.searchcommands import Configuration, GeneratingCommand, dispatch

from nhi_watch.core.timestamps import parse
from nhi_watch.hosts.splunk import demo


@Configuration()
class NhiDemoCommand(GeneratingCommand):  # type: ignore[misc]
    """The command: no options."""

    def generate(self) -> Iterator[dict[str, Any]]:
        """A row for each notable of the sample, as nhirank answers them."""
        for event in demo.events(int(time.time())):
            kept = {name: value for name, value in event.items() if name not in ("time", "nhi_notable")}
            yield {"_time": parse(event["time"]), "_raw": json.dumps(event, separators=(",", ":")), **kept}


def main() -> None:
    """Answer splunkd until it has had enough."""
    dispatch(NhiDemoCommand, sys.argv, sys.stdin, sys.stdout, "__main__")
