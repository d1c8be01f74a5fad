"""Episodes: what an identity, or several that links join, did on one day, as it was scored.

A day's episodes depend on its behaviours and on the profiles before that day, and on nothing else. Scoring the day
again replaces them; what a verdict covers is kept as the analyst saw it, and what came later is an episode of its own.

| table, key | row |
|---|---|
| notable, day/id | the whole document |
| notable, head/day/id | what lists and cases need of it, until its day is closed |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.core.documents import ListFields, NotableDocument, ReceiptDocument
from nhi_watch.core.notable import risk_of, severity_of, to_json
from nhi_watch.core.timestamps import HOUR, day_of, parse
from nhi_watch.detect import ranking
from nhi_watch.detect.blind_spots import BlindSpotMonitor
from nhi_watch.detect.day import Day, Suspect, keys_of
from nhi_watch.detect.explain.fields import notable_id
from nhi_watch.detect.explain.hours import Hours
from nhi_watch.detect.explain.notables import build
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack, unpack_shared

Document = NotableDocument
HEAD, LATE = "head/", "late/"
FOLDED = 200
"""How many ids of the identities that an episode represents are named."""
NOT_COMPARED = ("revision", "rank", "telemetry", "created")
"""Fields of a document whose change is not published."""


NOT_LISTED: ListFields = {
    "listed": False,
    "listed_on": "",
    "over_budget": False,
    "folded_into": None,
    "merged_into": None,
    "closed_why": "",
    "since": "",
    "predecessor": None,
    "life": "ongoing",
}
"""The fields of a notable without a row."""


class EpisodeHead(NamedTuple):
    """What lists and cases need of an episode."""

    id: str
    day: int
    """The day on which it counts: its own, or that on which it arrived late."""
    own_day: int
    lead: str
    members: Sequence[str]
    origin: str
    """What it shares with others that it represents; "": it represents nobody else."""
    folded: Sequence[str]
    """The others, at most FOLDED."""
    size: int
    """How many it represents, itself included."""
    likelihood: float
    risk: float
    """Expected loss: likelihood × impact."""
    reached: int
    """Start of the hour in which it reached the row threshold; else, of the hour from which it is a notable."""
    first: int
    last: int
    title: str
    signals: Sequence[str]
    receipt: ReceiptDocument
    digest: str
    """Of the document, without the fields of NOT_COMPARED."""

    @property
    def is_row(self) -> bool:
        """Whether it is severe enough for a row of the morning list."""
        return self.risk >= ranking.LEAST

    @property
    def severity(self) -> str:
        """The severity of its expected loss."""
        return severity_of(self.risk)

    def standing_for(self, origin: str, others: Sequence[str]) -> EpisodeHead:
        """The same episode, which now represents these others."""
        return self._replace(origin=origin, folded=list(others[:FOLDED]), size=1 + len(others))

    @property
    def keys(self) -> set[str]:
        """What a case recognises it by."""
        return keys_of(self.members, self.origin)


def head_of(document: Document, day: int, since: int, origin: str = "", others: Sequence[str] = ()) -> EpisodeHead:
    """The head of an episode's document. `since`: the hour in which it reached the row threshold."""
    own = day_of(parse(document["baseline"]["id"] + "T00:00:00Z")) + 1
    members = [member["id"] for member in document["members"]] or [document["identity"]["id"]]
    signals = [signal["id"] for signal in document["signals"] if signal["points"] > 0]
    return EpisodeHead(
        document["id"],
        day,
        day_of(parse(document["first_time"])) if document.get("late") else own,
        document["identity"]["id"],
        members,
        origin,
        list(others[:FOLDED]),
        1 + len(others),
        document["likelihood"],
        risk_of(document),
        since * HOUR,
        parse(document["first_time"]),
        parse(document["last_time"]),
        document["title"],
        signals[:200],
        document["receipt"],
        digest(document),
    )


def digest(document: Mapping[str, Any]) -> str:
    """A hash of a document's content."""
    said = {name: value for name, value in document.items() if name not in NOT_COMPARED}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


# ---- rows


def heads(rows: Rows, low: int, high: int) -> list[EpisodeHead]:
    """The heads of the days `low <= day < high`, late ones included, in order."""
    stored_rows = rows.scan("notable", f"{HEAD}{low:06d}/", f"{HEAD}{high:06d}/")
    return [EpisodeHead(*unpack(raw)) for _, raw in stored_rows]


def key_of(head: EpisodeHead, is_late: bool) -> str:
    """The key of an episode's document."""
    return f"{LATE if is_late else ''}{head.day:06d}/{head.id}"


def documents(rows: Rows, heads: Iterable[EpisodeHead]) -> dict[str, Document]:
    """Episode id → its document, of those that are kept."""
    keys = [key for head in heads for key in (key_of(head, False), key_of(head, True))]
    return {key.rpartition("/")[2]: unpack_shared(raw) for key, raw in rows.get("notable", keys).items()}


def put(
    rows: Rows, day: int, kept: Mapping[str, tuple[EpisodeHead, Optional[Document]]], before: Mapping[str, EpisodeHead]
) -> None:
    """Replace a day's episodes, but for those that came late. Without a document, the one that is stored stands."""
    changed = {name: pair for name, pair in kept.items() if before.get(name) != pair[0]}
    gone = [name for name in before if name not in kept]
    rows.put(
        "notable",
        [
            *((f"{day:06d}/{name}", pack(document)) for name, (_, document) in changed.items() if document is not None),
            *((f"{day:06d}/{name}", None) for name in gone),
            *((f"{HEAD}{day:06d}/{name}", pack(list(head))) for name, (head, _) in changed.items()),
            *((f"{HEAD}{day:06d}/{name}", None) for name in gone),
        ],
    )


# ---- the episodes of a day


def write(state: State, watch: BlindSpotMonitor, today: Day, of_cases: Optional[Collection[str]] = None) -> None:
    """Put a day's episodes into the state, in place of those that it had.

    A document is built where one of its identities was scored now; of the others what was built earlier stands, and so
    does what a verdict covers.

    `of_cases`: the keys of the cases that are open. Given them, no episode is built that is too weak for a row, belongs
    to no case and was not there before.
    """
    day, rows = today.day, state.rows
    before = {head.id: head for head in heads(rows, day, day + 1)}
    late = {head.id for head in before.values() if head.own_day != day}
    before = {name: head for name, head in before.items() if name not in late}
    is_uncut = not today.has_cuts and all(map(_is_uncut, before.values()))
    if is_uncut and today.is_unchanged and day >= state.daybook.clock:
        return
    fresh = (
        suspect
        for suspect in today.suspects()
        if today.was_scored(suspect.members) or not today.is_covered(suspect.members)
    )
    suspects = {_id(today, suspect): suspect for suspect in fresh}
    if of_cases is not None:
        known_keys = {*of_cases, *(key for each in suspects.values() if each.is_row for key in each.keys)}
        suspects = {
            name: suspect
            for name, suspect in suspects.items()
            if suspect.is_row or name in before or not known_keys.isdisjoint(suspect.keys)
        }
    stands = {name for name, suspect in suspects.items() if _is_same(today, suspect, before.get(name))}
    taken = {name for suspect in suspects.values() for name in suspect.members}
    kept_as_is = [
        head
        for name, head in before.items()
        if name not in suspects
        and (today.is_covered(head.members) or not (today.was_scored(head.members) or taken & {*head.members}))
    ]
    kept: dict[str, tuple[EpisodeHead, Optional[Document]]] = {head.id: (head, None) for head in kept_as_is}
    # of silent logs nothing is said before the day is over: until then the documents stand as they are
    known = documents(rows, [before[name] for name in stands]) if day < state.daybook.clock else {}
    for name, suspect in suspects.items():
        if name in stands:
            head = before[name].standing_for(suspect.origin, suspect.others)
            kept[name] = _widened(head, known[name], watch) if known else (head, None)
        else:
            document, since = _built(today, name, suspect)
            document = watch.widened(document)
            kept[name] = head_of(document, day, since, suspect.origin, suspect.others), document
    put(rows, day, kept, before)


def _id(today: Day, suspect: Suspect) -> str:
    cut = today.cut_of(suspect.members)
    return notable_id(suspect.origin or suspect.lead, today.day, *([cut] if cut else ()))


def _is_uncut(head: EpisodeHead) -> bool:
    """Whether no verdict covered anything of an episode's day when it was written."""
    return head.id == notable_id(head.origin or head.lead, head.own_day)


def _is_same(today: Day, suspect: Suspect, before: EpisodeHead | None) -> bool:
    if before is None or today.was_scored(suspect.members):
        return False
    return [*before.members] == [*suspect.members] and before.size == 1 + len(suspect.others)


def _built(today: Day, name: str, suspect: Suspect) -> tuple[Document, int]:
    """An episode's document, and the hour in which it reached the row threshold; of a weaker one that in which it is
    worth a notable."""
    episode, ranked = today.episode(suspect.lead), suspect.ranked
    hours = Hours(episode, today.known_hours(episode))
    notable = build(episode, today.baselines, today.assets, hours)
    least = ranking.LEAST * ranked.likelihood / ranked.risk if ranked.risk >= ranking.LEAST else ranking.FLOOR
    return {**to_json(notable), **NOT_LISTED, "id": name}, hours.reached(least)


def again(state: State, watch: BlindSpotMonitor, day: int) -> None:
    """Update what silent logs leave open: a day may only now be over, although nothing of it changed."""
    day_heads = [head for head in heads(state.rows, day, day + 1) if head.own_day == day]
    if not day_heads or not watch.has_gaps:
        return
    before, known = {head.id: head for head in day_heads}, documents(state.rows, day_heads)
    put(state.rows, day, {name: _widened(before[name], known[name], watch) for name in known}, before)


def _widened(head: EpisodeHead, document: Document, watch: BlindSpotMonitor) -> tuple[EpisodeHead, Document]:
    """An episode with what silent logs leave open of it."""
    document = watch.widened(document)
    return head._replace(digest=digest(document)), document


def each(rows: Rows, day: int) -> Iterator[Document]:
    """The documents of a day."""
    return (unpack(raw) for _, raw in rows.scan("notable", f"{day:06d}/", f"{day:06d}0"))
