"""A day's notables: each intrusion's next revision, who gets a place in the list, and the rows that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.core.event import Identity
from nhi_watch.core.notable import clip, loss_of, order, to_json
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import lives, ranking
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.day import Acting, Day
from nhi_watch.detect.explain.notables import build, notable_id, reached
from nhi_watch.detect.lives import Document, Lives
from nhi_watch.detect.ranking import Candidate, Places
from nhi_watch.state.baseline import peer_scope
from nhi_watch.state.state import State

FOLDED = 200
"""Ids of folded notables that are named."""


class Intrusion(NamedTuple):
    """What goes on, or begins, with a day's episodes of it."""

    id: str
    acting: tuple[Acting, ...]
    """By likelihood."""
    goes_on: tuple[Document, ...]
    """The notables that it goes on from: one, or several that turn out to be one; the oldest keeps its id."""


class Written(NamedTuple):
    """What was written of a day."""

    found: list[Document]
    """All notables of the day, the listed ones first, the gravest before."""
    changed: list[Document]
    """New ones and new revisions among them."""
    merged: list[Document]
    """Last revisions of those that go on as part of another."""
    withdrawn: int
    """Notables of an earlier run over this day that are none any more."""


class Writer:
    """Writes the notables of one day after the other."""

    def __init__(self, state: State, watch: Watch) -> None:
        self._state = state
        self._watch = watch
        self._lives = Lives(state)

    def write(self, today: Day, acting: Sequence[Acting], allowance: int) -> Written:
        """Put the day's notables into the state; `allowance`: the budget's places of a week."""
        day = today.day
        self._lives.begin(day)
        before = self._state.notables(day)
        intrusions = self._intrusions(day, acting)
        made = {one.id: self._made(today, one, before.get(one.id)) for one in intrusions}
        self._place(today, intrusions, made, allowance)
        numbered = (lives.numbered(made[one.id], _first(one.goes_on), before.get(one.id), day) for one in intrusions)
        found = _ranked(numbered)
        merged = [self._closed(d, one.id, day, before) for one in intrusions for d in one.goes_on[1:]]
        self._state.put_notables(day, [*found, *merged], before)
        self._lives.put(day, [*found, *merged])
        gone = [old for name, old in before.items() if name not in made and not old["merged_into"]]
        absorbed = [last for last in (_absorbed(old, intrusions) for old in gone) if last is not None]
        new = [document for document in found if document["revision"] != _revision(before.get(document["id"]))]
        closed = [document for document in merged if document["revision"] != _revision(before.get(document["id"]))]
        return Written(found, new, [*closed, *absorbed], len(gone))

    # ---- which intrusion it is

    def _intrusions(self, day: int, acting: Sequence[Acting]) -> list[Intrusion]:
        """The day's episodes by intrusion: those of identities of one notable are one; so are notables they join."""
        parts: dict[int, tuple[dict[str, Document], list[Acting]]] = {}
        part_of: dict[str, int] = {}  # id of a document → its part: thousands may act in a day
        for number, one in enumerate(acting):
            known = {document["id"]: document for document in self._lives.of(set(one.members), one.origin)}
            together = list[Acting]()
            for earlier in sorted({part_of[name] for name in known if name in part_of}):
                documents, acted = parts.pop(earlier)
                known.update(documents)
                together += acted
            part_of.update(dict.fromkeys(known, number))
            parts[number] = (known, [*together, one])
        return [_intrusion(day, list(known.values()), each) for known, each in parts.values()]

    # ---- what it tells

    def _made(self, today: Day, one: Intrusion, old: Optional[Document]) -> Document:
        """The notable as it is now; where nothing of it was judged now, what was made of it earlier stands."""
        if old is not None and self._stands(today, one, old):
            return {**self._watch.widened(old), "life": lives.life_on(old, today.day)}
        made = _first(one.goes_on)
        for other in one.goes_on[1:]:
            made = _joined(made, other)
        for each in one.acting:
            told = self._told(today, each.lead)
            made = lives.go_on(made, told) if made is not None else lives.begun(told)
        assert made is not None, "an intrusion has an episode"
        return made

    @staticmethod
    def _stands(today: Day, one: Intrusion, old: Document) -> bool:
        date = render_day(today.day)
        leads = {each["identity"] for each in old["revisions"] if each["day"] == date}
        is_same = leads == {each.lead for each in one.acting}
        return is_same and len(one.goes_on) < 2 and not any(map(today.was_judged, one.acting))

    def _told(self, today: Day, lead: str) -> Document:
        episode = today.episode(lead)
        return self._watch.widened(to_json(build(episode, today.baselines, today.asset_of(episode))))

    def _closed(self, document: Document, into: str, day: int, before: dict[str, Document]) -> Document:
        """The last revision of a notable that turned out to be part of an older one."""
        last = {**document, "merged_into": into, "life": "closed", "closed_why": f"part of {into}"}
        return lives.numbered(last, document, before.get(document["id"]), day)

    # ---- who gets a place

    def _place(
        self, today: Day, intrusions: Sequence[Intrusion], made: dict[str, Document], allowance: int
    ) -> None:
        """Who has a place keeps it; the others are compared with all that stood within the week."""
        waiting, stood = [], self._lives.losses(today.day, set(made))
        for one in intrusions:
            had = _place_of(one.goes_on)
            made[one.id] = {**made[one.id], **had}
            stays = made[one.id]["life"] == "ongoing" and self._lives.alive(had["folded_into"])
            if not had["listed"] and not stays:
                made[one.id]["folded_into"] = None
                waiting.append(one)
            else:
                stood.append(loss_of(made[one.id]))
        candidates = [self._candidate(today, one) for one in waiting]
        given = ranking.places(candidates, stood, allowance)
        date = render_day(today.day)
        give(given, made, date)
        for one in intrusions:
            made[one.id].update(_stands_for(one, made[one.id]))

    @staticmethod
    def _candidate(today: Day, one: Intrusion) -> Candidate:
        best = one.acting[0]
        loss = max(each.ranked.loss for each in one.acting)
        return Candidate(one.id, best.ranked.likelihood, loss, lambda least: reached(today.episode(best.lead), least))


def _intrusion(day: int, goes_on: list[Document], acting: list[Acting]) -> Intrusion:
    ordered = sorted(acting, key=lambda one: (-one.ranked.likelihood, one.lead))
    oldest = sorted(goes_on, key=lambda d: (d["first_seen"], d["id"]))
    name = oldest[0]["id"] if oldest else notable_id(ordered[0].origin or ordered[0].lead, day)
    return Intrusion(name, tuple(ordered), tuple(oldest))


def _first(documents: Sequence[Document]) -> Optional[Document]:
    return documents[0] if documents else None


def _joined(one: Optional[Document], other: Document) -> Document:
    """Two notables that turn out to be one: what the graver of both shows, of the records of both."""
    assert one is not None, "the oldest is there"
    face = one if lives.weight(one) >= lives.weight(other) else other
    entries = sorted([*one["revisions"], *other["revisions"]], key=lambda e: (e["day"], e["time"], e["identity"]))
    told = {name: one[name] for name in ("id", "created", "first_seen", "life", *lives.NOBODY)}
    grown = max(one["last_grown"], other["last_grown"])
    return {**face, **told, **lives.together(one, other, face), "last_grown": grown, "revisions": entries[-100:]}


def _place_of(goes_on: Sequence[Document]) -> dict[str, Any]:
    """The place that an intrusion has from before: the first that one of its notables got."""
    held = sorted((d for d in goes_on if d["listed"]), key=lambda d: (d["listed_on"], d["id"]))
    source = held or list(goes_on[:1])
    return {name: source[0][name] for name in lives.NOBODY} if source else dict(lives.NOBODY)


def _ranked(documents: Iterable[Document]) -> list[Document]:
    ordered = sorted(documents, key=lambda d: (not d["listed"], *order(d)))
    return [{**d, "rank": rank} for rank, d in enumerate(ordered, 1)]


def _revision(document: Optional[Document]) -> int:
    return document["revision"] if document is not None else 0


def _absorbed(old: Document, intrusions: Sequence[Intrusion]) -> Optional[Document]:
    """The last revision of a notable of an earlier run over this day that goes on as part of another."""
    mine = lives.names(old)
    into = next((one.id for one in intrusions if any(mine & set(each.members) for each in one.acting)), None)
    return None if into is None else {**old, "revision": old["revision"] + 1, "merged_into": into}


# ---- strangers, newcomers by the dozen, and criticals beyond every budget


def _stands_for(one: Intrusion, document: Document) -> Document:
    """Of an origin's intrusion its id, and how many it stands for."""
    first = one.acting[0]
    if not first.origin:
        return {}
    count = max(1 + len(first.others), document["folded"]["count"] if document["folded"] else 0)
    told = {"origin": clip(first.origin, 300), "count": count, "ids": list(first.others[:FOLDED])}
    return {"id": one.id, "folded": told}


def give(given: Places, made: dict[str, Document], date: str) -> None:
    """Mark those that got a place on a date; criticals beyond every budget are folded."""
    for name in (*given.regular, *given.over):
        made[name].update(listed=True, listed_on=date, over_budget=name in given.over, life="new")
    _fold(given, made, date)


def _fold(given: Places, made: dict[str, Document], date: str) -> None:
    """List one for each origin that criticals beyond the second cap share."""
    for origin, names in _origins([made[name] for name in given.beyond]).items():
        lead, *others = names
        made[lead].update(listed=True, listed_on=date, over_budget=True, life="new")
        if others:
            told = {"origin": clip(origin, 300), "count": len(names), "ids": others[:FOLDED]}
            made[lead]["folded"] = told
        for name in others:
            made[name]["folded_into"] = lead


def _origins(documents: Sequence[Document]) -> dict[str, list[str]]:
    """Network, else group of peers → ids, the gravest first."""
    ordered = sorted(documents, key=order)
    places = {document["id"]: _network(document) for document in ordered}
    shared = [place for place in places.values() if place]
    found: dict[str, list[str]] = {}
    for document in ordered:
        place = places[document["id"]]
        origin = f"network {place}" if place and shared.count(place) > 1 else _peers(document)
        found.setdefault(origin, []).append(document["id"])
    return found


def _network(document: Document) -> str:
    """Where what has most points came from; "" where that is not known."""
    entry = max(document["timeline"], key=lambda e: (e["points"], e["time"]), default=None)
    return lives.place_of(entry) if entry else ""


def _peers(document: Document) -> str:
    one = document["identity"]
    return peer_scope(Identity(one["id"], one["name"], one["kind"], one["provider"], one["account"], ""))
