"""Makes events of sourcetype nhi:notable out of notables that were made outside Splunk, as by `nhi posture`.

    python lab/tools/splunk_events.py results/posture.jsonl > posture.events.jsonl

One JSON object a line, for index nhi_risk: through a file input, Add Data, or a collector's /services/collector/raw.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from layout import ROOT

sys.path.insert(0, str(ROOT))

from nhi_watch.hosts.splunk.notables import event_of


def main(arguments: list[str]) -> int:
    """Print the events of all files."""
    if not arguments:
        print("splunk_events: name files of notables, as in results/posture.jsonl", file=sys.stderr)
        return 2
    return max(_show(Path(name)) for name in arguments)


def _show(path: Path) -> int:
    try:
        for event in events(path.read_text("utf-8").splitlines(), int(time.time())):
            print(event)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"splunk_events: {path}: no notables, one a line ({type(error).__name__}: {error})", file=sys.stderr)
        return 2
    return 0


def events(lines: Iterable[str], now: int) -> Iterator[str]:
    """Events of notables' JSON; posture and exposures are dated now, for the searches look at recent days."""
    for line in lines:
        yield event_of(json.loads(line), now)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
