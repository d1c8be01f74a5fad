"""Expected patterns: one identity × kinds of call × places, until a date. What they cover is not listed, and counted.

A pattern is a verdict given in advance. It covers an episode of its identity alone if every call in it that is not
ordinary by itself matches, and if the episode is no more severe than the notable from which the pattern was made.
A wildcard never stands for a severe or sensitive act or a change of permissions: that has to be named. Nothing that a
client can write (user agent, session name) is part of a pattern, and a notable that people confirmed stays listed.

| table, key | row |
|---|---|
| ledger, pattern/ID | one pattern; one that was ended keeps its row |
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple, Optional

from nhi_watch.context import actions
from nhi_watch.core.documents import NotableDocument, TimelineDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import MAX_TIMELINE, SEVERITIES, clip
from nhi_watch.core.status import LIGHT, unusual_calls
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import episodes
from nhi_watch.detect.cases import DONE, Case, CaseBook
from nhi_watch.detect.feedback import Verdict, exceptions, standing, verdicts
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack

LONGEST = 90
"""Days that a pattern may hold."""
PREVIEW = 30
"""Days of which is shown what a pattern would have hidden."""
_MOST = 40
"""Calls or places of a pattern."""
Document = NotableDocument


class Pattern(NamedTuple):
    """These calls, from these places, are expected of this identity, until then."""

    id: str
    identity_id: str
    calls: Sequence[str]
    """Names of calls, of which some end in or hold `*`."""
    places: Sequence[str]
    """Addresses, networks, or what else a log gives as the place of a call."""
    severity: str
    """The highest that it covers: that of the notable from which it was made."""
    until: int
    by: str
    why: str
    made: int
    notable_id: str
    ended: int = 0
    """When somebody ended it early; 0: nobody did."""

    @property
    def name(self) -> str:
        """What a notable that it covers says of it."""
        return f"expected pattern {self.id}"

    def holds(self, now: int) -> bool:
        """Whether it is in force."""
        return now < self.until and not self.ended

    def matches(self, entry: TimelineDocument) -> bool:
        """Whether a call is one of its calls, and each place that it came from is covered by one of its places."""
        return any(_is_call(entry["action"], each) for each in self.calls) and all(
            any(_is_place(place, each) for each in self.places) for place in _places(entry)
        )

    def covers(self, document: Document) -> bool:
        """Whether nothing in an episode goes beyond it."""
        one_identity = document["identity"]["id"] == self.identity_id and len(document["members"]) < 2
        timeline = document["timeline"]
        if not one_identity or document["kind"] != "compromise" or not 0 < len(timeline) < MAX_TIMELINE:
            return False
        if SEVERITIES.index(document["severity"]) > SEVERITIES.index(self.severity):
            return False
        return all(map(self.matches, [entry for entry in timeline if entry["points"] >= LIGHT] or timeline))


def _literal(action: str) -> str:
    """A call of a log as a call of a pattern: a client must not widen what people allow by a star in it."""
    return glob.escape(action) if "*" in action else action


def _is_call(action: str, wanted: str) -> bool:
    if "*" not in wanted:
        return action == wanted
    return fnmatch.fnmatchcase(action, wanted) and not _is_sensitive(*action.partition(":")[::2])


def _is_sensitive(service: str, operation: str) -> bool:
    """Whether a call is one that a wildcard never stands for."""
    return bool(
        actions.access(service, operation) == "permissions"
        or actions.sensitivity(service, operation)
        or actions.severe(service, operation)
    )


def _places(entry: TimelineDocument) -> tuple[str, ...]:
    """Where a call came from; episodes of earlier versions name one address."""
    return (entry["source"], *entry.get("also_from", ()))


def _is_place(source: str, wanted: str) -> bool:
    if source == wanted:
        return True
    try:
        seen, allowed = ip_network(source, strict=False), ip_network(wanted, strict=False)
    except ValueError:
        return False
    return seen.version == allowed.version and seen.subnet_of(allowed)  # type: ignore[arg-type]


# ---- one pattern


def make(notable: NotableDocument, calls: Sequence[str], places: Sequence[str], given: Verdict) -> Pattern:
    """The pattern that a notable suggests, or that is given; `given` says who, why, when and until.

    Raises:
        InputError: all that is wrong with it, at once.
    """
    unusual = [entry for part in unusual_calls(notable) for entry in part] if notable["timeline"] else []
    calls = list(calls) or sorted({_literal(entry["action"]) for entry in unusual})
    places = list(places) or sorted({place for entry in unusual for place in _places(entry) if place})
    wrong = [
        (notable["kind"] != "compromise", f"a notable of kind {notable['kind']} has no calls that could be expected"),
        (len(notable["members"]) > 1, "it links several identities: a pattern is of one"),
        (not given.by or not given.why, "it needs --by and --why"),
        (not given.time < given.until <= given.time + LONGEST * DAY,
         f"it needs an end: --until within {LONGEST} days of {render(given.time)[:10]}"),
        (not calls, "it needs a call: --call"), (not places, "it needs a place: --from"),
        (len(calls) > _MOST or len(places) > _MOST, f"it has more than {_MOST} calls or places"),
        *((not _is_narrow(call), f"--call {call[:60]!r}: name the service and part of the call, such as s3:Get*")
          for call in calls),
        *((not _is_small(place), f"--from {place[:60]!r}: give an address, or a network of /16 (IPv6: /32) or smaller")
          for place in places),
    ]  # fmt: skip
    if any(holds for holds, _ in wrong):
        raise InputError("; ".join(text for holds, text in wrong if holds))
    identity = str(notable["identity"]["id"])
    key = "|".join([identity, *sorted(calls), *sorted(places), str(given.until)])
    name = hashlib.sha256(key.encode()).hexdigest()[:8]
    return Pattern(
        name, identity, calls, places, notable["severity"], given.until, given.by, given.why, given.time, notable["id"]
    )


def _is_narrow(call: str) -> bool:
    service, _, operation = call.partition(":")
    return bool(service.strip()) and "*" not in service and len(operation.replace("*", "").strip()) >= 3


def _is_small(place: str) -> bool:
    try:
        network = ip_network(place, strict=False)
    except ValueError:
        return bool(place.strip()) and "*" not in place
    return network.prefixlen >= (16 if network.version == 4 else 32)


def put(rows: Rows, pattern: Pattern) -> None:
    """Save a pattern."""
    rows.put("ledger", [(f"pattern/{pattern.id}", pack(list(pattern)))])


def patterns(rows: Rows) -> list[Pattern]:
    """All patterns, those that ended too, by their end."""
    every = (Pattern(*unpack(raw)) for _, raw in rows.scan("ledger", "pattern/", "pattern0"))
    return sorted(every, key=lambda pattern: (pattern.until, pattern.id))


def in_force(rows: Rows, now: int) -> list[Pattern]:
    """The patterns that hold at a time."""
    return [pattern for pattern in patterns(rows) if pattern.holds(now)]


def next_end(rows: Rows, now: int) -> Optional[int]:
    """When the next verdict, exception or expected pattern ends; None: none does."""
    ends = [verdict.until for verdict in verdicts(rows)]
    ends += [exception.until for exception in exceptions(rows)]
    ends += [pattern.until for pattern in patterns(rows)]
    return min((end for end in ends if end > now), default=None)


# ---- what they cover


class Expected:
    """What some patterns cover."""

    def __init__(self, rows: Rows, patterns: Iterable[Pattern]) -> None:
        self._rows = rows
        self._of: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            self._of.setdefault(pattern.identity_id, []).append(pattern)

    def covered(self, case: Case) -> dict[str, Verdict]:
        """Episode id → the pattern that covers it, as a verdict."""
        mine = [head for head in case.rows if len(head.members) == 1 and head.lead in self._of]
        documents = episodes.documents(self._rows, mine) if mine else {}
        coverings = ((head.id, self._covering(documents[head.id])) for head in mine if head.id in documents)
        return {name: _verdict(pattern, case.id) for name, pattern in coverings if pattern is not None}

    def _covering(self, document: Document) -> Optional[Pattern]:
        mine = self._of[document["identity"]["id"]]
        return next((pattern for pattern in mine if pattern.covers(document)), None)


def _verdict(pattern: Pattern, notable_id: str) -> Verdict:
    return Verdict(
        notable_id,
        pattern.identity_id,
        "",
        pattern.name,
        pattern.by,
        pattern.made,
        pattern.why,
        pattern.until,
        "",
        0,
        "",
    )


class Forecast(NamedTuple):
    """What a pattern would have hidden, had it held all the time."""

    hidden: tuple[str, ...]
    """Ids of notables of which nothing would have been left, of the last PREVIEW days."""
    days: int
    """Days on which it would have hidden something, of the same time."""
    confirmed: tuple[str, ...]
    """Ids of confirmed notables of which it would have hidden a day, of all time: the reason to refuse it."""
    unproved: tuple[str, ...]
    """Ids of confirmed notables of its identity of which nothing is kept, so that nothing can be proved."""


def preview(state: State, pattern: Pattern) -> Forecast:
    """What a pattern would have hidden lately, and whether all that people confirmed would still be listed."""
    rows = state.rows
    every = [*CaseBook(state).now(), *(Case.from_row(unpack(raw)) for _, raw in rows.scan("notable", DONE, "done0"))]
    mine = [case for case in every if any(pattern.identity_id in head.members for head in case.heads)]
    expected = Expected(rows, [pattern])
    covered = {case.id: expected.covered(case) for case in mine}
    since = (state.daybook.days or [0])[-1] - PREVIEW
    late = [case for case in mine if any(head.day > since for head in case.rows)]
    hidden = [case.id for case in late if covered[case.id].keys() >= {head.id for head in case.rows}]
    days = {head.day for case in late for head in case.rows if head.id in covered[case.id] and head.day > since}
    names = {name: case for case in mine for name in (case.id, *case.absorbed)}
    said = [verdict for verdict in standing(verdicts(rows)).values() if verdict.verdict == "confirmed"]
    refused = sorted(
        {
            verdict.notable_id
            for verdict in said
            if verdict.notable_id in names and covered[names[verdict.notable_id].id]
        }
    )
    mentioned = {
        verdict.notable_id: {verdict.identity_id, *(name for _, names, _, _ in verdict.seen for name in names)}
        for verdict in said
    }
    unproved = sorted(
        name for name, who in mentioned.items() if pattern.identity_id in who and not _is_kept(rows, names.get(name))
    )
    return Forecast(tuple(hidden), len(days), tuple(refused), tuple(item for item in unproved if item not in refused))


def _is_kept(rows: Rows, case: Optional[Case]) -> bool:
    """Whether all episodes of a case are still there to be looked at."""
    return case is not None and episodes.documents(rows, case.rows).keys() >= {head.id for head in case.rows}


def plain(pattern: Pattern) -> dict[str, Any]:
    """A pattern as commands and the audit trail have it."""
    return {
        **pattern._asdict(),
        "calls": list(pattern.calls),
        "places": list(pattern.places),
        "until": render(pattern.until),
        "made": render(pattern.made),
        "ended": render(pattern.ended) if pattern.ended else None,
    }


def described(pattern: Pattern) -> str:
    """A pattern in one sentence."""
    return clip(
        f"{', '.join(pattern.calls)} by {pattern.identity_id} from {', '.join(pattern.places)}, up to severity "
        f"{pattern.severity}, until {render(pattern.until)[:10]}",
        600,
    )
