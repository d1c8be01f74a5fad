"""The packaged sample: notables of a simulated company, which `| nhidemo` moves to today."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nhi_watch.core.timestamps import HOUR, parse, render

SAMPLE = Path(__file__).with_name("notables.jsonl.gz")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DAY = re.compile(r'(?<=")\d{4}-\d\d-\d\d(?=")')


def events(now: int) -> Iterator[dict[str, Any]]:
    """Each notable's event, as it is kept in the index, with the latest an hour or two before `now`."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        texts = [line for line in lines if line.strip()]
    latest = max(parse(json.loads(text)["time"]) for text in texts)
    shift = (now - latest) // HOUR * HOUR - HOUR
    for text in texts:
        yield json.loads(moved(text, shift))


def moved(text: str, shift: int) -> str:
    """A text with every time in it moved by seconds.

    >>> moved('{"time":"2025-03-01T23:00:00Z","day":"2025-03-01"}', 7200)
    '{"time":"2025-03-02T01:00:00Z","day":"2025-03-01"}'
    """
    text = _TIME.sub(lambda match: render(parse(match[0]) + shift), text)
    days = shift // (24 * HOUR)
    return _DAY.sub(lambda match: render(parse(f"{match[0]}T00:00:00Z") + days * 24 * HOUR)[:10], text)
