"""The rhythm of each log, and where it broke: silence is never all-clear.

A stream is what one provider logs of one account. For each day it is kept in which hours something came, of how many
events and identities, and which fields the records had: a function of the set of records, like all that is stored. A
day is scored once a later one has begun. A stream is silent when it pauses for more than twice its longest pause of
the last weeks, and an hour: what never sleeps is missed within hours, what runs weekly within weeks.

| key of `meta` | row |
|---|---|
| rhythm/day | stream → hours (a bit each), events, identities, fields |
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.documents import SignalDocument
from nhi_watch.core.event import TIMED_BY_HOSTS
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect.habits import TenantHabits
from nhi_watch.detect.model import BINS, Features, bin_of
from nhi_watch.detect.signals import NAMES, SIGNALS, View
from nhi_watch.state.baseline import Profile
from nhi_watch.state.inventory import ABOUT
from nhi_watch.state.store import Rows, pack, unpack

WINDOW = 28
"""Days in which a stream's pauses are looked for, and after which a silent stream is no longer expected."""
KNOWN_DAYS = 10
"""Days since a stream was first seen before its silence counts: its first weekend must lie behind it."""
ACTIVE_DAYS = 5
"""Days on which it was seen, at least."""
REMINDED = 7
"""Days on which a continuing silence is reported again each day; after that somebody has decided to live with it."""
LATE = 3_600
"""Seconds between event and arrival from which a log is called late."""

RhythmDays = Mapping[int, Mapping["Stream", "Rhythm"]]


class Stream(NamedTuple):
    """What one provider logs of one account."""

    provider: str
    account: str


class Rhythm(NamedTuple):
    """A stream's day."""

    hours: int
    """Bit h is set when something happened in hour h (UTC)."""
    events: int
    identities: int
    fields: tuple[str, ...]
    """Those of `NEEDS` that some record had."""


class Gap(NamedTuple):
    """A stream that was silent for too long, as one day shows it."""

    stream: Stream
    since: int
    """First second of silence."""
    until: int
    """Its end; the day's where it went on."""
    open: bool
    """Whether it went on at the end of the day."""
    pause: int
    """Its longest pause in the weeks before, in seconds."""
    identities: float
    """Active in it on an ordinary day."""


def is_silent(silent: int, pause: int) -> bool:
    """Whether a log is silent for longer than it ever was; both in seconds.

    `pause` is the time from the beginning of one hour with events to the next such hour, the longest there was.

    >>> is_silent(3 * HOUR, HOUR), is_silent(3 * HOUR + 1, HOUR)
    (False, True)
    """
    return silent > 2 * pause + HOUR


def longest_pause(starts: Iterable[int]) -> int:
    """The longest time from one hour with events to the next, in seconds; an hour where there are none.

    >>> longest_pause([0, HOUR, 4 * HOUR]), longest_pause([])
    (10800, 3600)
    """
    ordered = sorted(set(starts))
    return max((later - earlier for earlier, later in zip(ordered, ordered[1:])), default=HOUR)


class Rhythms:
    """The rhythms of all days in a store."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: dict[int, dict[Stream, Rhythm]] = {}

    def note(self, day: int, rhythms: RhythmRows) -> None:
        """Keep the rhythm of a day, from all that is known of it; see `gathered`."""
        self._put(day, _of_rows(rhythms))

    def grow(self, day: int, identity_days: Iterable[IdentityDay]) -> None:
        """Add to the rhythm of a day what came of some identity-days since they were loaded."""
        self._put(day, _added(self.days([day]).get(day, {}), _gather(identity_days, since_loaded=True)))

    def _put(self, day: int, streams: dict[Stream, Rhythm]) -> None:
        self._known[day] = streams
        self._rows.put("meta", [(f"rhythm/{day:06d}", pack(_rows_of(streams)))])

    def join(self, day: int, before: Mapping[str, list[Any]]) -> None:
        """Add the rows of what was known of a day before: more hours and fields, no more events."""
        row = self._rows.get("meta", [f"rhythm/{day:06d}"]).get(f"rhythm/{day:06d}")
        plain = unpack(row) if row else {}
        for stream, (hours, events, identities, fields) in before.items():
            now = plain.get(stream, [0, events, identities, []])
            plain[stream] = [now[0] | hours, *now[1:3], sorted({*now[3], *fields})]
        self._known.pop(day, None)
        self._rows.put("meta", [(f"rhythm/{day:06d}", pack(plain))])

    def days(self, wanted: Iterable[int]) -> dict[int, dict[Stream, Rhythm]]:
        """Day → stream → rhythm, of those days that have any."""
        days = list(wanted)
        missing = [f"rhythm/{day:06d}" for day in days if day not in self._known]
        for key, raw in self._rows.get("meta", missing).items() if missing else ():
            self._known[int(key[7:])] = _of_rows(unpack(raw))
        return {day: self._known[day] for day in days if day in self._known}

    def since_timed(self, days: Sequence[int]) -> list[int]:
        """Of days in order, the last one that a provider dates, and those after it.

        A host, and who commits a secret, date what they do themselves: that moves no day on. Where no provider spoke
        within `WINDOW` (a log of hosts alone), their dates have to do.
        """
        near = [day for day in days if day >= days[-1] - WINDOW]
        timed_days = [day for day, streams in self.days(near).items() if any(map(tells_time, streams))]
        return [day for day in near if day >= max(timed_days)] if timed_days else list(days[-1:])


def tells_time(stream: Stream) -> bool:
    """Whether a provider dates the stream's records; what is about identities (a commit's secret) is in no stream."""
    return stream.provider != TIMED_BY_HOSTS


def end_of(rows: Rows, days: Sequence[int]) -> int:
    """The data's end: the last hour with a provider's record."""
    rhythms = Rhythms(rows)
    day = next(iter(rhythms.since_timed(days)), 0)
    streams = rhythms.days([day]).get(day, {})
    timed_streams = [*filter(tells_time, streams)] or list(streams)
    hours = [streams[stream].hours for stream in timed_streams]
    return day * DAY + (max(hours, default=0).bit_length() * HOUR or DAY)


RhythmRows = dict[str, list[Any]]
"""Stream → rhythm, as plain values."""


def gathered(before: RhythmRows, identity_days: Iterable[IdentityDay]) -> RhythmRows:
    """The rhythms of some identities' days, and of others before."""
    return _rows_of(_added(_of_rows(before), _gather(identity_days)))


def _rows_of(streams: Mapping[Stream, Rhythm]) -> RhythmRows:
    return {f"{s.provider}|{s.account}": list(rhythm) for s, rhythm in sorted(streams.items())}


def _of_rows(plain: RhythmRows) -> dict[Stream, Rhythm]:
    split = ((key.partition("|"), row) for key, row in plain.items())
    return {Stream(key[0], key[2]): Rhythm(row[0], row[1], row[2], tuple(row[3])) for key, row in split}


def _added(before: Mapping[Stream, Rhythm], more: Mapping[Stream, Rhythm]) -> dict[Stream, Rhythm]:
    streams = dict(before)
    for stream, came in more.items():
        known = streams.get(stream, Rhythm(0, 0, 0, ()))
        fields = tuple(sorted({*known.fields, *came.fields}))
        streams[stream] = Rhythm(
            known.hours | came.hours, known.events + came.events, known.identities + came.identities, fields
        )
    return streams


class _Sum:
    """What gathers of a stream's day."""

    __slots__ = ("events", "fields", "hours", "identities")

    def __init__(self) -> None:
        self.hours = self.events = self.identities = 0
        self.fields: set[str] = set()


def _gather(identity_days: Iterable[IdentityDay], since_loaded: bool = False) -> dict[Stream, Rhythm]:
    sums: dict[Stream, _Sum] = {}
    for identity_day in identity_days:
        own = [  # the others are about an identity, not by it
            (hour, b.count) for (key, hour), b in identity_day.behaviours.items() if key.service not in ABOUT
        ]
        if own:
            hours = sum(1 << hour for hour in {hour % 24 for hour, _ in own})
            _add(sums, identity_day, (hours, sum([count for _, count in own])), since_loaded)
    return {s: Rhythm(t.hours, t.events, t.identities, tuple(sorted(t.fields))) for s, t in sums.items()}


def _add(sums: dict[Stream, _Sum], identity_day: IdentityDay, timed: tuple[int, int], since_loaded: bool) -> None:
    first = next(iter(identity_day.behaviours))[
        0
    ].identity  # provider and account are in the id: any spelling has the same
    total = sums.setdefault(Stream(first.provider, first.account), _Sum())
    total.hours |= timed[0]
    total.events += max(0, timed[1] - identity_day.counted) if since_loaded else timed[1]
    total.identities += not (since_loaded and identity_day.counted)
    absent = NEEDS.keys() - total.fields
    if absent:
        keys = {id(key): key for key, _ in identity_day.behaviours}.values()
        total.fields.update(name for name in absent if any(getattr(key, name) for key in keys))


# ---- where a rhythm broke


def find_gaps(days: RhythmDays, day: int) -> list[Gap]:
    """The streams that a day shows to be silent, or to have been; `days` holds it and the `WINDOW` before."""
    before = [number for number in sorted(days) if day - WINDOW <= number < day]
    streams = sorted({stream for number in before for stream in days[number]})
    return [gap for stream in streams for gap in _gaps(stream, days, before, day)]


def _gaps(stream: Stream, days: RhythmDays, before: list[int], day: int) -> Iterator[Gap]:
    known = [(number, days[number][stream]) for number in before if stream in days[number]]
    if len(known) < ACTIVE_DAYS or day - known[0][0] < KNOWN_DAYS:
        return
    pause = _pause(known)
    identities = sum(rhythm.identities for _, rhythm in known) / len(known)
    today = days.get(day, {}).get(stream)
    last = known[-1][0] * 24 + _ends(known[-1][1].hours)[1]
    for hour in [*(day * 24 + h for h in _hours(today.hours if today else 0)), None]:
        end = (day + 1) * 24 if hour is None else hour
        old = hour is None and day * 24 - last > REMINDED * 24
        if is_silent((end - last - 1) * HOUR, pause) and not old:
            yield Gap(stream, (last + 1) * HOUR, end * HOUR, hour is None, pause, round(identities, 2))
        last = end


def _pause(known: list[tuple[int, Rhythm]]) -> int:
    longest, last = 1, -1
    for number, rhythm in known:
        first, end, inner = _ends(rhythm.hours)
        longest = max(longest, inner, number * 24 + first - last if last >= 0 else 1)
        last = number * 24 + end
    return longest * HOUR


@lru_cache(maxsize=4096)
def _ends(hours: int) -> tuple[int, int, int]:
    """First and last hour of a day's bits, and the longest step between two of them.

    >>> _ends(0b100101)
    (0, 5, 3)
    """
    there = _hours(hours)
    return there[0], there[-1], max((b - a for a, b in zip(there, there[1:])), default=1)


def _hours(hours: int) -> list[int]:
    return [hour for hour in range(24) if hours >> hour & 1]


# ---- what health shows


class StreamStatus(NamedTuple):
    """How a stream stands at a moment."""

    stream: Stream
    last: int
    """End of the last hour with events."""
    silent: int
    """Seconds since."""
    pause: int
    is_silent: bool
    known_days: int
    events_a_day: float
    missing: tuple[str, ...]
    """Fields that no record of its last day had."""


def standing(days: RhythmDays, now: int) -> list[StreamStatus]:
    """Every stream of the window up to `now`, the longest silent first."""
    numbers = [number for number in sorted(days) if now // DAY - WINDOW <= number <= now // DAY]
    streams = {stream for number in numbers for stream in days[number]}
    statuses = [_standing(s, [(n, days[n][s]) for n in numbers if s in days[n]], now) for s in streams]
    return sorted(statuses, key=lambda status: (not status.is_silent, -status.silent, status.stream))


def _standing(stream: Stream, known: list[tuple[int, Rhythm]], now: int) -> StreamStatus:
    last = (known[-1][0] * 24 + _ends(known[-1][1].hours)[1] + 1) * HOUR
    silent, pause = max(0, now - last), _pause(known)
    sure = len(known) >= ACTIVE_DAYS and now // DAY - known[0][0] >= KNOWN_DAYS
    events = sum(rhythm.events for _, rhythm in known) / len(known)
    missing = tuple(name for name in NEEDS if name not in known[-1][1].fields)
    return StreamStatus(
        stream, last, silent, pause, sure and is_silent(silent, pause), len(known), round(events, 1), missing
    )


# ---- what telemetry does not say: fields that went missing, and the signals that cannot tell without them


FIELDS = ("network", "agent", "region", "credential")
NEEDS = {field: tuple(signal.name for signal in SIGNALS if field in signal.needs) for field in FIELDS}
"""Field of an Event → signals that cannot tell without it."""
ALWAYS = ("network", "agent", "region")
"""Fields that an identity whose records have them has in all of them; a long-lived key is in some only."""
FIELD_DAYS = 5
"""Active days from which it counts as known that an identity's records have a field."""
EPISODE_SIGNALS = tuple(signal.name for signal in SIGNALS if signal.scope == "episode")
"""Signals that look at a day as a whole: what they do not show may be in the hours that no log covers."""

NO_FIELD = "cannot tell: no record of the day has the field {}"
FIELDLESS = NO_FIELD.format("")
NO_LOG = "cannot tell: {}"


def fields(views: Sequence[View], own: Profile) -> tuple[str, ...]:
    """Fields that no record of the day has, although the identity's records had them day by day."""
    if own.days < FIELD_DAYS:
        return ()
    absent = [name for name in ALWAYS if not any(getattr(view.key, name) for view in views)]
    return tuple(name for name in absent if _had(own, name))


def why(name: str, views: Sequence[View], own: Profile) -> str:
    """Why a signal of an episode cannot tell."""
    field = next((f for f in fields(views, own) if name in NEEDS[f]), "")
    return NO_FIELD.format(field) if field else "cannot tell: the history that it needs is missing"


def _had(own: Profile, name: str) -> bool:
    return sum(seen.days for seen in own.dimension(name).values.values()) >= own.days


def untold(values: Sequence[Optional[float]], missing: Iterable[str]) -> tuple[Optional[float], ...]:
    """The values, in which the signals that need a missing field cannot tell."""
    lost = {signal for name in missing for signal in NEEDS[name]}
    return tuple(None if name in lost and not value else value for name, value in zip(NAMES, values))


def features_shown(signals: Iterable[SignalDocument]) -> Features:
    """What the trees read, from the signals of a notable's JSON object."""
    known = {signal["id"]: signal for signal in signals}
    shown = [known.get(name, _NOTHING) for name in NAMES]
    bins = (signal.get("bin", bin_of(signal["value"]) or 0) for signal in shown)  # earlier versions: not reduced
    return Features(tuple(signal["points"] for signal in shown), tuple(bins))


_NOTHING: Mapping[str, Any] = {"points": 0.0, "value": 0.0, "bin": 0}


def bounds(
    tenant_habits: TenantHabits, signals: Iterable[SignalDocument], unknown: Collection[str]
) -> tuple[float, float]:
    """The lowest and the highest likelihood, whatever the unknown signals would have shown, but no less than they did.

    `signals`: those of a notable's JSON object.
    """
    features = features_shown(signals)
    points, bins = [*features.points], [*features.bins]
    for name in unknown:
        at = NAMES.index(name)
        points[at], bins[at] = tenant_habits.points(at)[-1], BINS - 1
    return tenant_habits.model.likelihood(features), tenant_habits.model.likelihood(
        Features(tuple(points), tuple(bins))
    )
