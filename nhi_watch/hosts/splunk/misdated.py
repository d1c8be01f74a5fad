"""Times and ids that somebody seems to have chosen, as blind spots: the same notables as on files, see `detect.chosen`.

Events that are dated outside the windows of all searches are looked for once a day by `nhigroup only=misdated`, on the
indexers; it tells of each log in a row of its own (`nhi_rhythm`, beside those of when logs told something). One id over
many records is found in the parts that come by. `nhihealth show=blind_spots` makes the notables.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.notable import to_json
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import chosen
from nhi_watch.hosts.splunk.blind import told
from nhi_watch.hosts.splunk.notables import Earlier, Ranked
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.intake.horizon import Logs, Wrong, noted
from nhi_watch.state.inventory import ABOUT

TOO_LATE = 8
"""Days from which an event comes too late: the baseline may have closed its day, and no other search looks for it."""
_UNREAD = "No search takes them in: look at them yourself, by when they were indexed, and correct the clock."


def note_late(logs: Logs, event: Event, received: int) -> None:
    """Take note of an event that came too late; a finding carries the date of what was found."""
    if received - event.time // DAY >= TOO_LATE and event.service not in ABOUT:
        distance = received * DAY - event.time
        one = Wrong(1, distance, distance, event.time, event.time, (event.identity.name,))
        noted(logs, (event.identity.provider, event.account), one)


def texts(day: int, ways: Mapping[str, Logs]) -> Iterator[str]:
    """Each log of each way as text, without signs that need an escape."""
    for way, logs in ways.items():
        for log, wrong in sorted(logs.items()):
            row = json.dumps([way, day, *log, *wrong], separators=(",", ":"))
            yield urlsafe_b64encode(row.encode("utf-8", "replace")).decode("ascii").rstrip("=")


class Misdated:
    """What a search holds of such logs: day → way → log."""

    def __init__(self) -> None:
        self._days: dict[int, dict[str, Logs]] = {}

    def take(self, text: str) -> bool:
        """Take in a text; False: it is none of `texts`.

        Raises:
            RejectError: bad_row.
        """
        try:
            row = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if not isinstance(row[0], str):
                return False
            way, day, provider, account, *numbers, names = row
            records, least, most, first, last = map(int, numbers)
            wrong = Wrong(records, least, most, first, last, tuple(map(str, names)))
            logs = self._days.setdefault(int(day), {}).setdefault(_WAYS[way], {})
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise RejectError("bad_row", f"nhi_rhythm: {error}") from error
        noted(logs, (str(provider), str(account)), wrong)
        return True

    def look(self, part: Part) -> None:
        """Whether records of an identity share an id; of several parts of its day the one that shows most stands."""
        logs = self._days.setdefault(part.day, {}).setdefault(chosen.IDS, {})
        for log, wrong in chosen.sharing(behaviour for behaviour, _ in part.slots.values()):
            if log not in logs or logs[log].records < wrong.records:
                logs[log] = wrong

    def settle(self, known: Mapping[str, Earlier], now: int) -> Iterator[Ranked]:
        """The notables, each told anew where more records are behind it."""
        for day, ways in sorted(self._days.items()):
            for way, log, wrong in chosen.most(ways):
                document = to_json(chosen.build(day, way, log, wrong, _UNREAD))
                before = known.get(document["id"])
                if before is None or before.document.get("record_count", 0) < document["record_count"]:
                    yield told(document, before, now)


_WAYS: Mapping[Any, str] = {chosen.AHEAD: chosen.AHEAD, chosen.LATE: chosen.LATE}
