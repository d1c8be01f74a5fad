"""Times and ids that somebody seems to have chosen, as blind spots: the same notables as on files, see `detect.chosen`.

Events that are dated outside the windows of all searches are looked for once a day by `nhigroup only=misdated`, on the
indexers; it tells of each log in a row of its own (`nhi_rhythm`, beside those of when logs told something), and so it
does of the parts of what came too late, which are judged by the habits of the last day that was learnt, as on files
(`detect.late`). One id over many records is found in the parts that come by. `nhihealth show=blind_spots` makes the
notables.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nhi_watch.core import crowd
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.notable import to_json
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import chosen, late, model
from nhi_watch.detect.judge import Judge
from nhi_watch.hosts.splunk import parts, tables
from nhi_watch.hosts.splunk.blind import RUN, told
from nhi_watch.hosts.splunk.lookup import Table
from nhi_watch.hosts.splunk.notables import Earlier, Ranked, change
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.hosts.splunk.tablestore import TableStore, pack
from nhi_watch.intake.horizon import Logs, Wrong, noted
from nhi_watch.state.inventory import ABOUT
from nhi_watch.state.state import LATE, State

TOO_LATE = 8
"""Days from which an event comes too late: the baseline may have closed its day, and no other search looks for it."""
_UNREAD = "No search takes them in: look at them yourself, by when they were indexed, and correct the clock."
_PART = "part"


def note_late(logs: Logs, event: Event, received: int) -> bool:
    """Take note of an event if it came too late; a finding carries the date of what was found."""
    if received - event.time // DAY < TOO_LATE or event.service in ABOUT:
        return False
    distance = received * DAY - event.time
    one = Wrong(1, distance, distance, event.time, event.time, (event.identity.name,))
    noted(logs, (event.identity.provider, event.account), one)
    return True


def texts(day: int, ways: Mapping[str, Logs]) -> Iterator[str]:
    """Each log of each way as text, without signs that need an escape."""
    for way, logs in ways.items():
        for log, wrong in sorted(logs.items()):
            yield _text([way, day, *log, *wrong])


def late_texts(day: int, gathered: Iterable[Part]) -> Iterator[str]:
    """What came too late, likewise."""
    yield from (_text([_PART, day, parts.pack(part)]) for part in gathered)


def _text(row: list[Any]) -> str:
    told = json.dumps(row, separators=(",", ":"))
    return urlsafe_b64encode(told.encode("utf-8", "replace")).decode("ascii").rstrip("=")


class Misdated:
    """What a search holds of such logs: day → way → log."""

    def __init__(self) -> None:
        self._days: dict[int, dict[str, Logs]] = {}
        self.late: dict[tuple[int, str], Part] = {}
        """Day and identity → what came late."""
        self.many: dict[int, dict[str, IdentityDay]] = {}
        """What came late of those who are too many to stay themselves."""

    def take(self, text: str) -> bool:
        """Take in a text; False: it is none of `texts`.

        Raises:
            RejectError: bad_row.
        """
        try:
            row = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if not isinstance(row[0], str):
                return False
            if row[0] == _PART:
                self._take_late(*parts.unpack(row[2]))
                return True
            way, day, provider, account, *numbers, names = row
            records, least, most, first, last = map(int, numbers)
            wrong = Wrong(records, least, most, first, last, tuple(map(str, names)))
            logs = self._days.setdefault(int(day), {}).setdefault(_WAYS[way], {})
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise RejectError("bad_row", f"nhi_rhythm: {error}") from error
        noted(logs, (str(provider), str(account)), wrong)
        return True

    def _take_late(self, name: str, part: Part) -> None:
        mine = self.late.get((part.day, name))
        if mine is not None:
            mine.merge(part)
        elif len(self.late) < crowd.NEWCOMERS:
            self.late[part.day, name] = part
        else:
            crowd.put(self.many.setdefault(part.day, {}), part.whole())

    def look(self, part: Part) -> None:
        """Whether records of an identity share an id; of several parts of its day the one that shows most stands."""
        logs = self._days.setdefault(part.day, {}).setdefault(chosen.IDS, {})
        for log, wrong in chosen.sharing(behaviour for behaviour, _ in part.slots.values()):
            if log not in logs or logs[log].records < wrong.records:
                logs[log] = wrong

    def judged(self, table: Table, known: Mapping[str, Earlier], folder: Path, budget: float) -> Iterator[Ranked]:
        """Notables of what came late, where there is a baseline; what one of them tells already is not judged again."""
        came = {day: [*wholes.values()] for day, wholes in self.many.items()}
        for (day, name), part in self.late.items():
            before = known.get(late.id_of(name, day))
            if before is None or before.document.get("record_count", 0) < part.events():
                came.setdefault(day, []).append(part.whole())
        if not came or table.last < 0:
            return
        store = TableStore(table, table.last + 1)
        told = ((name, one) for name, one in known.items() if one.is_late)
        store.put("notable", ((f"{LATE}{one.day:06d}/{name}", pack(json.dumps(one.document))) for name, one in told))
        context, _ = tables.load_context(folder)
        judge = Judge(State(store), model.load(), context, budget, identities=table.eligible)
        for document in judge.judge_late(came):
            yield change(document, True, known.get(document["id"]), RUN)

    def settle(self, known: Mapping[str, Earlier], now: int, is_judged: bool = False) -> Iterator[Ranked]:
        """The blind spots, each told anew where more records are behind it; `is_judged`: whether what came late is."""
        for day, ways in sorted(self._days.items()):
            for way, log, wrong in chosen.most(ways):
                unread = "" if way == chosen.LATE and is_judged else _UNREAD
                document = to_json(chosen.build(day, way, log, wrong, unread))
                before = known.get(document["id"])
                if before is None or before.document.get("record_count", 0) < document["record_count"]:
                    yield told(document, before, now)


_WAYS: Mapping[Any, str] = {chosen.AHEAD: chosen.AHEAD, chosen.LATE: chosen.LATE}
