"""How late a record's time may be: up to the day after the reader's, and up to the day after it was received.

What is later is held aside: it must not move "today", close days or end notables. It stays there, is reported with
file and line, and is read when it is given again once its day has come.
"""

from __future__ import annotations

import time
from typing import NamedTuple, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.intake.shapes.values import moment

AHEAD = "ahead"
"""The reason with which such records are rejected."""
LOGS = 1_000
"""Logs that are kept apart."""
NAMED = 5
"""Identities of a log that are named."""


class Wrong(NamedTuple):
    """Records of one log whose times or ids cannot be right."""

    records: int
    least: int
    """Seconds between their time and when they came, the smallest and the largest distance."""
    most: int
    first: int
    last: int
    names: tuple[str, ...]
    """Some of the identities, by name."""

    def and_(self, other: Wrong) -> Wrong:
        """Both together."""
        names = tuple(sorted({*self.names, *other.names}))[:NAMED]
        return Wrong(
            self.records + other.records,
            min(self.least, other.least),
            max(self.most, other.most),
            min(self.first, other.first),
            max(self.last, other.last),
            names,
        )


Logs = dict[tuple[str, str], Wrong]
"""By provider and account."""


def noted(logs: Logs, log: tuple[str, str], wrong: Wrong) -> None:
    """Take note of more records of a log; their writer may name any number of accounts."""
    if log not in logs and len(logs) >= LOGS:
        log = (log[0], "")
    logs[log] = logs[log].and_(wrong) if log in logs else wrong


class Horizon:
    """The reader's clock, and what was beyond it."""

    def __init__(self, now: Optional[int] = None) -> None:
        """`now`: seconds since the epoch; None: this machine's clock."""
        self.now = int(time.time()) if now is None else now
        self._last = self.now // DAY + 1
        self.ahead: Logs = {}

    @property
    def end(self) -> int:
        """The first second that is too late."""
        return (self._last + 1) * DAY

    def demand(self, event: Event, received: Optional[int]) -> None:
        """Refuse what is too late; `received`: the day on which it was received, where that is known.

        Raises:
            RejectError: ahead.
        """
        day = event.time // DAY
        if day > self._last or (received is not None and day > received + 1):
            came = self.now if received is None else min(self.now, received * DAY + DAY - 1)
            distance, log = event.time - came, (event.identity.provider, event.account)
            noted(self.ahead, log, Wrong(1, distance, distance, event.time, event.time, (event.identity.name,)))
            reason = f"dated {render(event.time)}, which is later than the day after {render(came)}, when it arrived"
            raise RejectError(
                AHEAD, f"{reason}; correct the clock that wrote it, or read it again once its day has come"
            )


RECEIVED = ("receiveTimestamp", "_indextime", "event.ingested", "event")
"""Names at a record's top, of which one has each of which it is known when it was received."""


def day_received(record: object) -> Optional[int]:
    """The day on which a record was received, as written down by its receiver; None: it was not.

    Elasticsearch's `event.ingested`, Splunk's `_indextime`, Google's `receiveTimestamp`: not what the writer says.

    >>> day_received({"event": {"ingested": "2006-01-03T00:00:00Z"}}), day_received({"_indextime": "1688989500"})
    (13151, 19548)
    >>> day_received({}) is None
    True
    """
    if record.__class__ is not dict:
        return None
    of = record.get
    stamp = of("receiveTimestamp") or of("_indextime") or of("event.ingested")
    if stamp is None:
        event = of("event")
        stamp = event.get("ingested") if event.__class__ is dict else None
    return None if stamp is None else _day(str(stamp)[:10])


@remembered(4096)
def _day(text: str) -> Optional[int]:
    """Of a date, or of the ten digits of a time in seconds; whatever follows them is a finer unit."""
    try:
        return moment(f"{text}T00:00:00Z" if text[4:5] == "-" else text) // DAY
    except RejectError:
        return None
