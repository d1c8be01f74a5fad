"""Blind spots by the clock: which logs have fallen silent, as notables.

On files a day is judged once a later one has begun. In Splunk the log that was switched off may be the only one, and
nobody waits for midnight, so today is judged as far as it has come. The rhythm of closed days lies in the baseline,
that of the others is read from the behaviours in the search. A silence belongs to the first day on which it was too
long, so its notable has the id that the program gives to that day's; it is written once. A further revision says that
another log fell silent too, or until when it lasted; the last one withdraws it, when what was missing came late.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from statistics import median
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.notable import to_json
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect.blind_spots import build, spot_id
from nhi_watch.detect.cannot_tell import NEEDS
from nhi_watch.detect.telemetry import (
    ACTIVE_DAYS,
    KNOWN_DAYS,
    WINDOW,
    Days,
    Gap,
    Rhythm,
    Rhythms,
    Stream,
    gaps,
    is_silent,
)
from nhi_watch.hosts.splunk.health import Bucket, customers_own
from nhi_watch.hosts.splunk.learning import FOLLOWED
from nhi_watch.hosts.splunk.lookup import Table
from nhi_watch.hosts.splunk.notables import ENDED, Earlier, Ranked, rose
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.hosts.splunk.tablestore import TableStore
from nhi_watch.state.inventory import ABOUT

_LOG_OF = {"aws": "cloudtrail"}
"""Provider → the source whose lateness counts, where its name is another."""


class Clock(NamedTuple):
    """What time it is for each log."""

    now: int
    late: Mapping[str, int]
    """Source → seconds by which its events usually come after they happened."""

    def of(self, provider: str) -> int:
        """Up to this second a provider's events should have come."""
        longest = max(self.late.values(), default=0)
        return self.now - self.late.get(_LOG_OF.get(provider, provider), longest)


def lateness(buckets: Mapping[str, Iterable[Bucket]], types: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Source → seconds by which the events of an hour usually come after its end; `types` are its sourcetypes.

    A sourcetype of the customer's own stands for itself.

    >>> lateness({"okta": [Bucket(0, 5, HOUR + 60), Bucket(HOUR, 5, 2 * HOUR + 120)]}, {"okta": ["okta"], "x": ["y"]})
    {'okta': 90}
    """
    own = {name: [*buckets[name]] for name in customers_own(buckets, types.values())}
    known = {name: [b for each in mine for b in buckets.get(each.lower(), ())] for name, mine in types.items()}
    return {
        name: int(median(max(0, b.indexed - b.start - HOUR) for b in found))
        for name, found in {**own, **known}.items()
        if found
    }


def can_tell(table: Table, earliest: float) -> bool:
    """Whether every day since the last that was learnt lies in the search, which begins at `earliest`."""
    return table.last >= 0 and (table.last + 1) * DAY >= earliest


class Seen:
    """The rhythms of the days in a search, from parts: of each identity's day only its hours and fields are held."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], tuple[Stream, Rhythm]] = {}

    def add(self, name: str, part: Part) -> None:
        """Take in a part of an identity's day."""
        own = [(shape, hour) for shape, hour in part.slots if shape.service not in ABOUT]
        if not own:
            return
        stream = Stream(own[0][0].identity.provider, own[0][0].identity.account)
        hours = reduce(or_, (1 << hour % 24 for _, hour in own))
        fields = (field for field in NEEDS if any(getattr(shape, field) for shape, _ in own))
        rhythm = Rhythm(hours, part.events(), 1, tuple(sorted(fields)))
        known = self._rows.get((part.day, name))
        self._rows[part.day, name] = (stream, _together(known[1], rhythm, 1) if known else rhythm)

    def take(self, text: str) -> None:
        """Take in what `texts` told of a chunk; whose identities they were nobody knows.

        Raises:
            RejectError: bad_row.
        """
        try:
            day, provider, account, hours, events, fields = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            rhythm = Rhythm(int(hours), int(events), 0, tuple(map(str, fields)))
            key = (int(day), f"\0{provider}|{account}")
        except (ValueError, TypeError) as error:
            raise RejectError("bad_row", f"nhi_rhythm: {error}") from error
        known = self._rows.get(key)
        self._rows[key] = (Stream(str(provider), str(account)), _together(known[1], rhythm, 0) if known else rhythm)

    def texts(self) -> Iterator[tuple[int, str]]:
        """Day, and the rhythm of one of its streams as text, without signs that need an escape."""
        for day, streams in sorted(self.days(0).items()):
            for stream, rhythm in sorted(streams.items()):
                told = json.dumps([day, *stream, rhythm.hours, rhythm.events, rhythm.fields], separators=(",", ":"))
                yield day, urlsafe_b64encode(told.encode()).decode("ascii").rstrip("=")

    def days(self, earliest: float) -> dict[int, dict[Stream, Rhythm]]:
        """Day → stream → rhythm, of the days that lie in the search from their first second on.

        Events that overlapping searches grouped twice count twice: no silence is judged by their number.
        """
        found: dict[int, dict[Stream, Rhythm]] = {}
        for (day, _), (stream, rhythm) in self._rows.items():
            if day * DAY >= earliest:
                streams = found.setdefault(day, {})
                known = streams.get(stream)
                streams[stream] = _together(known, rhythm, known.identities + rhythm.identities) if known else rhythm
        return found


def _together(one: Rhythm, other: Rhythm, identities: int) -> Rhythm:
    fields = tuple(sorted({*one.fields, *other.fields}))
    return Rhythm(one.hours | other.hours, one.events + other.events, identities, fields)


def rhythms(table: Table, seen: Days, today: int) -> Days:
    """The rhythm of each day up to today: as the search has it, or the baseline."""
    kept = Rhythms(TableStore(table, today + 1)).days(range(today - WINDOW - FOLLOWED, today + 1))
    return {**kept, **{day: streams for day, streams in seen.items() if day <= today}}


def settle(days: Days, known: Mapping[str, Earlier], clock: Clock) -> list[Ranked]:
    """The blind spots of yesterday, of today, and of the days of those that are known, and what became of each."""
    today = clock.now // DAY
    looked = {today - 1, today, *(one.day for one in known.values() if today - FOLLOWED <= one.day < today)}
    found: list[Ranked] = []
    for day in sorted(looked):
        silent = _silent(days, day, clock)
        providers = sorted({gap.stream.provider for gap in silent})
        made = [to_json(build(days, day, [g for g in silent if g.stream.provider == p])) for p in providers]
        found += [told(document, known.get(document["id"]), clock.now) for document in made]
        here = {document["id"] for document in made}
        found += [_withdrawn(one) for one in _gone(days, day, known, here)]
    return found


def _silent(days: Days, day: int, clock: Clock) -> list[Gap]:
    """The silences that a day was the first to show, each up to its end or to now."""
    before = {(gap.stream, gap.since) for gap in gaps(days, day - 1)}
    fresh = (gap for gap in gaps(days, day) if (gap.stream, gap.since) not in before)
    followed = (_followed(gap, days, clock.of(gap.stream.provider)) for gap in fresh)
    return [gap for gap in followed if is_silent(gap.until - gap.since, gap.pause)]


def _followed(gap: Gap, days: Days, now: int) -> Gap:
    later = (
        day * DAY + hour * HOUR
        for day in sorted(days)
        if day >= gap.since // DAY and gap.stream in days[day]
        for hour in range(24)
        if days[day][gap.stream].hours >> hour & 1
    )
    end = next((second for second in later if second >= gap.since), None)
    return gap._replace(until=now, open=True) if end is None else gap._replace(until=end, open=False)


def told(document: dict[str, Any], before: Optional[Earlier], now: int) -> Ranked:
    """What became of a blind spot since it was last written."""
    if before is None:
        return Ranked({**document, "created": min(document["created"], render(now))}, "new", True, RUN)
    old = before.document
    if before.change not in ENDED and document["summary"] == old["summary"]:
        return Ranked(old, "same", False, RUN)
    document = {**document, "revision": old["revision"] + 1, "created": old["created"]}
    return Ranked(document, "updated", rose(document, old), RUN)


RUN = {"overflow": 0, "overflow_highest": 0.0}
"""No day was ranked."""


def _gone(days: Days, day: int, known: Mapping[str, Earlier], here: set[str]) -> list[Earlier]:
    """Blind spots of a day that are none any more, of providers of which enough is known to say so."""
    told = [one for name, one in known.items() if name not in here and one.change not in ENDED]
    sure = {spot_id(provider, day) for provider in _known_well(days, day)}
    return [one for one in told if one.document["id"] in sure]


def _known_well(days: Days, day: int) -> set[str]:
    before = [number for number in sorted(days) if day - WINDOW <= number < day]
    seen = {stream: [n for n in before if stream in days[n]] for number in before for stream in days[number]}
    sure = (s for s, numbers in seen.items() if len(numbers) >= ACTIVE_DAYS and day - numbers[0] >= KNOWN_DAYS)
    return {stream.provider for stream in sure}


def _withdrawn(one: Earlier) -> Ranked:
    gone = {**one.document, "revision": one.document["revision"] + 1}
    return Ranked(gone, "withdrawn", False, RUN)
