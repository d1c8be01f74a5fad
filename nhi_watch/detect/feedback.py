"""What people say about notables: verdicts, narrow exceptions that end, and what follows from both.

Rows of the table `ledger`; verdicts are only ever added, so that what was said stays on record.

| key | row |
|---|---|
| verdict/NOTABLE/SECOND/WHO | one verdict |
| allow/EXCEPTION | one exception: an identity, a signal, a value, until a date |

A verdict takes off the list what its giver saw: episodes, each up to its last second then. What comes later earns a row
by itself. Who said "confirmed" can be overruled by nobody else. All is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple, Optional, Protocol

from nhi_watch.core.documents import NotableDocument, SignalDocument
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.notable import SEVERITIES, clip, dimensions_of, risk_of
from nhi_watch.core.status import RESOLVING, closed_by, is_resolved
from nhi_watch.core.timestamps import DAY, day_of, parse, render
from nhi_watch.detect.scoring import REASON_POINTS
from nhi_watch.detect.signals import NAMES, SIGNALS
from nhi_watch.state.store import Rows, pack, unpack

TABLE = "ledger"
VERDICT_KEYS = ("verdict/", "verdict0")
OPEN = "open"
"""The verdict that takes back what was said."""
VERDICTS = ("confirmed", "benign", "expected", "duplicate", OPEN)
LONGEST = 366
"""Days that an exception may last."""
_LISTED = 6
_RECORDS = 20
"""Notables list so many values of a dimension, and records of a signal: where a list is full, more may be missing."""

_DIMENSION = {signal.name: signal.dimension for signal in SIGNALS if signal.dimension}
"""Signal → the dimension that its value is of; the value of any other signal is the call behind it."""


class Verdict(NamedTuple):
    """What one person said of one notable."""

    notable_id: str
    identity_id: str
    day: str
    """UTC day of the notable's first behaviour."""
    verdict: str
    by: str
    time: int
    why: str
    until: int
    """End of what is expected; 0 otherwise."""
    duplicate_of: str
    created: int
    """When the notable was written."""
    severity: str
    """What the notable had then."""
    grown: int = 0
    """Last second of the notable that its giver saw; 0: that is not known, and the verdict's own time stands."""
    seen: Sequence[tuple[int, Sequence[str], int, int]] = ()
    """The episodes that its giver saw: day, identities, last second, rank of the severity."""


class Allowed(NamedTuple):
    """An exception: this signal with this value is expected of this identity, until then."""

    id: str
    identity_id: str
    signal: str
    value: str
    until: int
    by: str
    why: str
    made: int
    notable_id: str


class Preview(NamedTuple):
    """What an exception would have hidden among the notables that are kept."""

    confirmed: tuple[str, ...]
    """Ids of confirmed incidents: the reason not to save it."""
    others: tuple[str, ...]


# ---- verdicts


def make_verdict(
    notable: NotableDocument, verdict: str, by: str, why: str, now: int, more: Mapping[str, Any]
) -> Verdict:
    """A verdict of a notable, checked. `more` may hold `until` (seconds) and `duplicate_of`.

    Raises:
        InputError: all that is wrong with it, at once.
    """
    until, other = int(more.get("until") or 0), str(more.get("duplicate_of") or "")
    names = " and ".join(name for name, value in (("--by", by), ("--why", why)) if not value.strip())
    ends = now < until <= now + LONGEST * DAY
    wrong = [
        (verdict not in VERDICTS, f"verdict {verdict[:40]!r}: give one of {', '.join(VERDICTS)}"),
        (bool(names), f"a verdict needs {names}"),
        (
            verdict == "expected" and not ends,
            f"it needs an end: --until within {LONGEST} days of {render(now)[:10]}",
        ),
        (verdict in VERDICTS and verdict != "expected" and bool(until), "--until goes only with the verdict expected"),
        (
            verdict in VERDICTS and ((verdict == "duplicate") != bool(other) or other == notable["id"]),
            "the verdict duplicate (and no other) needs --of ID, another notable's id",
        ),
    ]
    if any(holds for holds, _ in wrong):
        raise InputError("; ".join(text for holds, text in wrong if holds))
    given = Verdict(
        notable["id"],
        notable["identity"]["id"],
        "",
        verdict,
        clip(by.strip(), 100),
        now,
        clip(why.strip(), 500),
        until,
        other,
        0,
        "",
    )
    return given_on(given, notable)


def given_on(verdict: Verdict, notable: NotableDocument) -> Verdict:
    """A verdict that names only the id of its notable, with what its giver saw of the notable."""
    grown = min(verdict.time, parse(notable["last_grown"])) if notable.get("last_grown") else 0
    return verdict._replace(
        day=notable["first_time"][:10],
        created=parse(notable["created"]),
        severity=notable["severity"],
        grown=grown,
        seen=_seen(notable, verdict.time),
    )


def _seen(notable: NotableDocument, now: int = 1 << 40) -> list[tuple[int, Sequence[str], int, int]]:
    """The episodes of a notable, as the person who gives a verdict sees them."""
    return [
        (
            day_of(parse(f"{revision['day']}T00:00:00Z")),
            revision["identities"],
            min(now, parse(revision["time"])),
            _rank(revision["severity"]),
        )
        for revision in notable.get("revisions") or ()
        if revision.get("identities")
    ]


def put(rows: Rows, given: Iterable[Verdict]) -> None:
    """Add verdicts; the same verdict again changes nothing."""
    fresh = {_key(v): v for v in given}
    known = {key: Verdict(*unpack(raw)).verdict for key, raw in rows.get(TABLE, list(fresh)).items()}
    rows.put(TABLE, [(key, pack(list(v))) for key, v in fresh.items() if known.get(key) != v.verdict])


def _key(v: Verdict) -> str:
    return f"verdict/{v.notable_id[:100]}/{v.time:011d}/{hashlib.sha256(v.by.encode()).hexdigest()[:12]}"


def verdicts(rows: Rows) -> list[Verdict]:
    """All verdicts in the order in which they were given; rows of earlier versions say less."""
    return in_order(Verdict(*unpack(raw)) for _, raw in rows.scan(TABLE, *VERDICT_KEYS))


def in_order(given: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts in the order in which they were given."""
    return sorted(given, key=lambda v: (v.time, v.notable_id, v.by))


def standing(given: Sequence[Verdict]) -> dict[str, Verdict]:
    """Notable → the verdict that holds.

    The latest holds, none where that is OPEN; but what one account confirmed, no other account takes back.
    """
    ordered = in_order(given)
    own = {(v.notable_id, v.by): v for v in ordered}
    latest = {v.notable_id: v for v in ordered}
    for verdict in own.values():
        if verdict.verdict == "confirmed" and latest[verdict.notable_id].verdict != "confirmed":
            latest[verdict.notable_id] = verdict
    return {name: v for name, v in latest.items() if v.verdict != OPEN}


def hours_to_decide(verdicts: Iterable[Verdict]) -> Optional[float]:
    """The median of hours from a notable to the verdict that holds; None before there is any.

    A notable of replayed logs is older than its run: the figure means something in live operation only.
    """
    spent = [max(0, v.time - v.created) / 3600 for v in verdicts]
    return round(median(spent), 2) if spent else None


def export_rows(given: Sequence[Verdict]) -> list[dict[str, Any]]:
    """What `nhi feedback export` writes: one JSON object a verdict, from which `from_plain` makes the verdict again."""
    names = ("notable_id", "identity_id", "day", "verdict", "by", "why", "duplicate_of", "time", "until")
    rows = ({name: value for name in names if (value := getattr(v, name))} for v in given)
    return [{n: render(v) if n in ("time", "until") else v for n, v in row.items()} for row in rows]


def from_plain(row: Mapping[str, Any], where: str, known: Mapping[str, NotableDocument]) -> Verdict:
    """A verdict of an export (of ours, or of Splunk's lookup nhi_feedback) about a notable that is known.

    Raises:
        InputError: names the line.
    """
    name = str(row.get("notable_id") or row.get("nhi_id") or "")
    if not name:
        raise InputError(f"{where}: notable_id is missing")
    if name not in known:
        raise InputError(f"{where}: no notable {name[:40]!r} in the state")
    try:
        time = parse(str(row.get("time") or ""))
        until = parse(str(row["until"])) if row.get("until") else 0
    except RejectError as error:
        raise InputError(f"{where}: {error}") from error
    by, why = str(row.get("by") or row.get("analyst") or ""), str(row.get("why") or row.get("reason") or "imported")
    try:
        more = {"until": until, "duplicate_of": row.get("duplicate_of")}
        return make_verdict(known[name], str(row.get("verdict") or ""), by, why, time, more)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


# ---- exceptions


def allow(verdict: Verdict, notable: NotableDocument, signal: str, value: str) -> Allowed:
    """The exception of an `expected` verdict.

    Raises:
        InputError: it is no signal of the notable, or the signal does not have this value there.
    """
    if verdict.verdict != "expected":
        raise InputError("--signal and --value go only with the verdict expected")
    if notable["kind"] != "compromise":
        raise InputError(f"a notable of kind {notable['kind']} has no such exceptions; use nhi controls --except")
    if signal not in NAMES:
        names = ", ".join(reason["id"] for reason in _reasons(notable))
        raise InputError(f"--signal {signal[:60]!r} is unknown; give one of this notable's: {names}")
    reason = next((s for s in notable["signals"] if s["id"] == signal and s["points"] >= REASON_POINTS), None)
    if reason is None:
        raise InputError(f"--signal {signal}: it is not among the reasons of notable {notable['id']}")
    if value not in _values(notable, reason)[0] and value != reason["evidence"]:
        values_text = ", ".join(sorted(_values(notable, reason)[0])) or reason["evidence"]
        raise InputError(f"--value {value[:60]!r}: in this notable the signal {signal} has: {clip(values_text, 300)}")
    key = f"{verdict.identity_id}|{signal}|{value}"
    return Allowed(
        hashlib.sha256(key.encode()).hexdigest()[:12],
        verdict.identity_id,
        signal,
        value,
        verdict.until,
        verdict.by,
        verdict.why,
        verdict.time,
        notable["id"],
    )


def put_allowed(rows: Rows, exception: Allowed) -> None:
    """Save an exception, in place of an earlier one for the same identity, signal and value."""
    rows.put(TABLE, [(f"allow/{exception.id}", pack(list(exception)))])


def exceptions(rows: Rows) -> list[Allowed]:
    """All exceptions, the ended ones included, by their end."""
    allowed = [Allowed._make(unpack(raw)) for _, raw in rows.scan(TABLE, "allow/", "allow0")]
    return sorted(allowed, key=lambda a: (a.until, a.id))


def hidden(notable: NotableDocument, allowed: Iterable[Allowed], now: int) -> bool:
    """Whether exceptions that hold at `now` cover every reason of a notable: then nobody needs to see it.

    Only a compromise of one identity can be hidden: exposures and posture have exceptions of their own.
    """
    if notable["kind"] != "compromise" or len(notable.get("members") or ()) > 1:
        return False
    mine = [a for a in allowed if a.identity_id == notable["identity"]["id"] and a.until > now]
    reasons = _reasons(notable)
    return bool(mine and reasons) and all(_covered(notable, signal, mine) for signal in reasons)


def _covered(notable: NotableDocument, signal: SignalDocument, mine: Sequence[Allowed]) -> bool:
    fine = {a.value for a in mine if a.signal == signal["id"]}
    values, is_complete = _values(notable, signal)
    return signal["evidence"] in fine or bool(is_complete and values and values <= fine)


def choices(notable: NotableDocument) -> list[tuple[str, str]]:
    """(signal, value) pairs of which exceptions could be made, the heaviest reason first."""
    return [(s["id"], v) for s in _reasons(notable) for v in sorted(_values(notable, s)[0]) or [s["evidence"]]]


def _reasons(notable: NotableDocument) -> list[SignalDocument]:
    return [s for s in notable["signals"] if s["points"] >= REASON_POINTS and not s["cannot_tell"]]


def _values(notable: NotableDocument, signal: SignalDocument) -> tuple[set[str], bool]:
    """The values of a signal in a notable, and whether these are surely all."""
    name = _DIMENSION.get(signal["id"])
    if name is None:
        behind = set(signal["record_ids"])
        return {e["action"] for e in notable["timeline"] if e["record_id"] in behind}, len(behind) < _RECORDS
    observed = [o for d in dimensions_of(notable, name, notable["identity"]["id"]) for o in d["observed"]]
    fresh = {o["value"] for o in observed if o["new"]}
    return fresh or {o["value"] for o in observed}, len(fresh) < _LISTED


def preview(
    exception: Allowed,
    before: Iterable[Allowed],
    notables: Iterable[NotableDocument],
    standing_verdicts: Mapping[str, Verdict],
) -> Preview:
    """What the exception would have hidden, together with those that are there, had it held all the time."""
    others = [a for a in before if a.id != exception.id]
    concerned = [n for n in notables if n["identity"]["id"] == exception.identity_id]
    hit = [n["id"] for n in concerned if hidden(n, [*others, exception], 0) and not hidden(n, others, 0)]
    confirmed = tuple(i for i in hit if i in standing_verdicts and standing_verdicts[i].verdict == "confirmed")
    return Preview(confirmed, tuple(i for i in hit if i not in confirmed))


# ---- what of notables is dealt with


TEACHES = ("benign", "expected")
"""Verdicts by which what looked bad is a habit of the identity, and of nobody else."""


class Verdicts:
    """What people have said of notables, as of now."""

    def __init__(self, rows: Rows, now: int) -> None:
        given = verdicts(rows)
        self.now = now
        self._standing = standing(given)
        self.reopened = {v.notable_id for v in given if v.verdict == OPEN} - self._standing.keys()
        """Ids of notables of which every verdict was taken back."""
        self._resolving = {
            name: v
            for name, v in self._standing.items()
            if v.verdict in RESOLVING and not (v.verdict == "expected" and v.until <= now)
        }
        self._seen: dict[tuple[int, str], list[tuple[int, int, Verdict]]] = {}
        for verdict in self._resolving.values():
            for day, identities, last, severity in verdict.seen:
                for name in identities:
                    self._seen.setdefault((day, name), []).append((last, severity, verdict))

    def released(self) -> dict[str, list[list[int]]]:
        """Identity → the days of which people have said that what it did is fine, each up to the last second seen."""
        released_days: dict[str, dict[int, int]] = {}
        for (day, name), seen in self._seen.items():
            last = max((last for last, _, verdict in seen if verdict.verdict in TEACHES), default=0)
            if last:
                released_days.setdefault(name, {})[day] = last
        return {name: [[day, days[day]] for day in sorted(days)] for name, days in released_days.items()}

    def is_confirmed(self, notable_id: str) -> bool:
        """Whether people have said that a notable is an incident."""
        return notable_id in self._standing and self._standing[notable_id].verdict == "confirmed"

    def covered(self, heads: Iterable[SeenEpisode], notable_id: str) -> dict[str, Verdict]:
        """Episode id → the verdict that covers it, of the episodes of a notable.

        Its giver saw all of the episode, and it has not become more severe since.
        """
        covering = ((head.id, self._covering(head, notable_id)) for head in heads)
        return {name: verdict for name, verdict in covering if verdict is not None}

    def cuts(self, day: int) -> dict[str, int]:
        """Identity → the last second of a day that a verdict covers."""
        return {name: max(last for last, _, _ in seen) for (of, name), seen in self._seen.items() if of == day}

    def resolution(self, notable: NotableDocument) -> str:
        """By which verdict a notable is dealt with, and whose; "": by none."""
        rows = [row for row in _seen(notable) if row[3] > 0]
        if rows:
            covering = [self._covering_all(notable["id"], *row) for row in rows]
            return named(covering[-1]) if covering[-1] and all(covering) else ""
        verdict = self._resolving.get(notable["id"])
        if verdict is None or (verdict.created and _rank(notable["severity"]) > _rank(verdict.severity)):
            return ""
        is_later = notable.get("revisions") and parse(notable["last_grown"]) > (verdict.grown or verdict.time)
        return "" if is_later else named(verdict)

    def _covering(self, head: SeenEpisode, notable_id: str) -> Optional[Verdict]:
        return self._covering_all(notable_id, head.own_day, head.members, head.last, _rank(head.severity))

    def _covering_all(
        self, notable_id: str, day: int, identities: Sequence[str], last: int, severity: int
    ) -> Optional[Verdict]:
        covering = [
            [
                verdict
                for until, known, verdict in self._seen.get((day, name), ())
                if until >= last and known >= severity
            ]
            for name in identities
        ]
        if covering and all(covering):
            return max((verdict for each in covering for verdict in each), key=lambda verdict: verdict.time)
        old = self._resolving.get(notable_id)  # of an earlier version: it names no episodes
        return old if old and not old.seen and last <= (old.grown or old.time) else None


class SeenEpisode(Protocol):
    """What a verdict has to know of an episode."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def own_day(self) -> int:
        """The day on which it happened."""

    @property
    def members(self) -> Sequence[str]:
        """Ids of its identities."""

    @property
    def last(self) -> int:
        """Its last second."""

    @property
    def severity(self) -> str:
        """How severe it is."""


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)


def named(verdict: Verdict) -> str:
    """A verdict, who gave it and when."""
    return f"{verdict.verdict}, by {verdict.by} on {render(verdict.time)[:10]}"


def confirmed(rows: Rows) -> dict[str, str]:
    """Notable → who confirmed it."""
    latest = standing(verdicts(rows))
    return {name: verdict.by for name, verdict in sorted(latest.items()) if verdict.verdict == "confirmed"}


def in_work(standing_verdicts: Mapping[str, Verdict], notables: Iterable[NotableDocument]) -> frozenset[str]:
    """Ids of the notables that people confirmed and work on: nothing has to be decided about them.

    One that has become more severe since the verdict is to be read again.
    """
    confirmed_verdicts = {name: v for name, v in standing_verdicts.items() if v.verdict == "confirmed"}
    mine = ((notable, confirmed_verdicts[notable["id"]]) for notable in notables if notable["id"] in confirmed_verdicts)
    return frozenset(
        notable["id"]
        for notable, verdict in mine
        if not verdict.severity or _rank(notable["severity"]) <= _rank(verdict.severity)
    )


def hidden_of(notables: Iterable[NotableDocument], end: int) -> tuple[dict[str, int], float]:
    """Why notables are settled → how many, and the highest expected loss of those that go on at the data's end."""
    hidden, gravest = dict[str, int](), 0.0
    for notable in notables:
        if is_resolved(notable):
            why = closed_by(notable["closed_why"])
            hidden[why] = hidden.get(why, 0) + 1
            if parse(notable["last_grown"] or notable["last_time"]) >= end - DAY:
                gravest = max(gravest, risk_of(notable))
    return hidden, gravest
