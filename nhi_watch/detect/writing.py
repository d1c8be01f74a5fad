"""A day's notables: each intrusion's next revision, who gets a place in the list, and the rows that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.context.assets import Assets
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import clip, loss_of, order, severity_of, to_json
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import lives, ranking, strangers
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.episodes import DayEpisodes
from nhi_watch.detect.explain.notables import build, notable_id, reached
from nhi_watch.detect.lives import Document, Lives
from nhi_watch.detect.ranking import Candidate, Places
from nhi_watch.state.baseline import ALIKE, peer_scope
from nhi_watch.state.judged import Ranked
from nhi_watch.state.state import State

FOLDED = 200
"""Ids of folded notables that are named."""


class Acting(NamedTuple):
    """An identity, or several that links make one, and how its day stands."""

    ranked: Ranked
    members: tuple[str, ...]
    """Ids of the identities; the one that leads is among them."""
    others: tuple[str, ...] = ()
    """Ids of those for which it stands, see `fold_origins`."""

    @property
    def lead(self) -> str:
        """The identity that leads."""
        return self.ranked.identity_id

    @property
    def origin(self) -> str:
        """What it shares with those for which it stands; "": it stands for nobody else, and never will."""
        own = self.ranked.origin
        return own if self.others or strangers.is_stranger(own) else ""


def fold_origins(acting: Iterable[Acting]) -> list[Acting]:
    """One for all strangers of an origin, and one for all newcomers of a peer group that has more than ALIKE in a day.

    The one that leads is the gravest. Newcomers of CRITICAL and more are never among them, see `ranking.rank`.
    """
    found: dict[str, list[Acting]] = {}
    for one in acting:
        found.setdefault(one.ranked.origin, []).append(one)
    kept = found.pop("", [])
    for origin, alike in found.items():
        lead, *others = sorted(alike, key=lambda one: (-one.ranked.loss, -one.ranked.likelihood, one.lead))
        if strangers.is_stranger(origin) or len(others) >= ALIKE:
            kept.append(lead._replace(others=tuple(one.lead for one in others)))
        else:
            kept += alike
    return kept


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
    awaited: frozenset[str]
    """Identities that must be at hand before more can be told."""


class Writer:
    """Writes the notables of one day after the other."""

    def __init__(self, state: State, known: Assets, watch: Watch) -> None:
        self._state = state
        self._assets = known
        self._watch = watch
        self._lives = Lives(state)
        self._awaited: set[str] = set()

    def write(
        self, episodes: DayEpisodes, acting: Sequence[Acting], allowance: int, trifles: Sequence[Ranked] = ()
    ) -> Written:  # fmt: skip
        """Put the day's notables into the state; `allowance`: the budget's places of a week.

        `trifles` are counted where the others are ranked, and nothing is told of them.
        """
        day = episodes.day
        self._lives.begin(day)
        before = self._state.notables(day)
        self._awaited = set()
        known = self._intrusions(day, acting)
        intrusions = [one for one in known if self._is_at_hand(episodes, one) or one.id in before]
        made = {one.id: self._made(episodes, one, before.get(one.id)) for one in intrusions}
        self._place(episodes, intrusions, made, allowance)
        numbered = (lives.numbered(made[one.id], _first(one.goes_on), before.get(one.id), day) for one in intrusions)
        found = _ranked(numbered, (_unwritten(one, day) for one in trifles))
        merged = [self._closed(d, one.id, day, before) for one in intrusions for d in one.goes_on[1:]]
        self._state.put_notables(day, [*found, *merged], before)
        self._lives.put(day, [*found, *merged])
        gone = [old for name, old in before.items() if name not in made and not old["merged_into"]]
        absorbed = [last for last in (_absorbed(old, intrusions) for old in gone) if last is not None]
        new = [document for document in found if document["revision"] != _revision(before.get(document["id"]))]
        closed = [document for document in merged if document["revision"] != _revision(before.get(document["id"]))]
        return Written(found, new, [*closed, *absorbed], len(gone), frozenset(self._awaited))

    # ---- which intrusion it is

    def _intrusions(self, day: int, acting: Sequence[Acting]) -> list[Intrusion]:
        """The day's episodes by intrusion: those of identities of one notable are one; so are notables they join."""
        parts: list[tuple[dict[str, Document], list[Acting]]] = []
        for one in acting:
            known = {document["id"]: document for document in self._lives.of(set(one.members), one.origin)}
            same = [part for part in parts if part[0].keys() & known.keys()]
            for part in same:
                parts.remove(part)
                known.update(part[0])
            parts.append((known, [*(each for part in same for each in part[1]), one]))
        return [_intrusion(day, list(known.values()), each) for known, each in parts]

    # ---- what it tells

    def _made(self, episodes: DayEpisodes, one: Intrusion, old: Optional[Document]) -> Document:
        """The notable as it is now; where nothing of it was scored now, what was made of it earlier stands."""
        if old is not None and (self._stands(episodes, one, old) or not self._is_at_hand(episodes, one)):
            return {**self._watch.widened(old), "life": lives.life_on(old, episodes.day)}
        made = _first(one.goes_on)
        for other in one.goes_on[1:]:
            made = _joined(made, other)
        for each in one.acting:
            today = self._today(episodes, each.lead)
            made = lives.go_on(made, today) if made is not None else lives.begun(today)
        assert made is not None, "an intrusion has an episode"
        return made

    def _is_at_hand(self, episodes: DayEpisodes, one: Intrusion) -> bool:
        """Whether all of an intrusion is; of one that is there in part the next run needs the rest."""
        held = [episodes.holds(each.members) for each in one.acting]
        if any(held) and not all(held):
            self._awaited.update(each.lead for each in one.acting)
        return all(held)

    def _stands(self, episodes: DayEpisodes, one: Intrusion, old: Document) -> bool:
        date = render_day(episodes.day)
        leads = {each["identity"] for each in old["revisions"] if each["day"] == date}
        is_same = leads == {each.lead for each in one.acting}
        return is_same and len(one.goes_on) < 2 and not any(episodes.is_scored(each.lead) for each in one.acting)

    def _today(self, episodes: DayEpisodes, lead: str) -> Document:
        episode = episodes.whole(lead)
        asset = strangers.asset(self._assets, episode)
        return self._watch.widened(to_json(build(episode, episodes.baselines, asset)))

    def _closed(self, document: Document, into: str, day: int, before: dict[str, Document]) -> Document:
        """The last revision of a notable that turned out to be part of an older one."""
        last = {**document, "merged_into": into, "life": "closed", "closed_why": f"part of {into}"}
        return lives.numbered(last, document, before.get(document["id"]), day)

    # ---- who gets a place

    def _place(
        self, episodes: DayEpisodes, intrusions: Sequence[Intrusion], made: dict[str, Document],
        allowance: int,
    ) -> None:  # fmt: skip
        """Who has a place keeps it; the others are compared with all that stood within the week."""
        waiting, stood = [], self._lives.losses(episodes.day, set(made))
        for one in intrusions:
            had = _place_of(one.goes_on)
            made[one.id] = {**made[one.id], **had}
            stays = made[one.id]["life"] == "ongoing" and self._lives.alive(had["folded_into"])
            if not had["listed"] and not stays:
                made[one.id]["folded_into"] = None
                waiting.append(one)
            else:
                stood.append(loss_of(made[one.id]))
        candidates = [self._candidate(episodes, one) for one in waiting]
        given = ranking.places(candidates, stood, allowance)
        date = render_day(episodes.day)
        give(given, made, date)
        for one in intrusions:
            made[one.id].update(_stands_for(one, made[one.id]))

    def _candidate(self, episodes: DayEpisodes, one: Intrusion) -> Candidate:
        best = one.acting[0]

        def hour(likelihood: float) -> int:
            if episodes.holds(best.members):
                return reached(episodes.whole(best.lead), likelihood)
            self._awaited.add(best.lead)  # it has its place; when it got it the next run tells
            return 0

        return Candidate(one.id, best.ranked.likelihood, max(each.ranked.loss for each in one.acting), hour)


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


def _ranked(documents: Iterable[Document], unwritten: Iterable[Document] = ()) -> list[Document]:
    ordered = sorted([*documents, *unwritten], key=lambda d: (not d["listed"], *order(d)))
    return [{**d, "rank": rank} for rank, d in enumerate(ordered, 1) if not d.get("unwritten")]


def _unwritten(one: Ranked, day: int) -> Document:
    """What stands for a trifle where notables are ranked."""
    name = notable_id(one.identity_id, day)
    impact = {"level": "medium" if one.loss >= one.likelihood else "low"}
    severity = severity_of(one.loss)
    return {"id": name, "listed": False, "likelihood": one.likelihood, "impact": impact, "severity": severity,
            "unwritten": True}  # fmt: skip


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
