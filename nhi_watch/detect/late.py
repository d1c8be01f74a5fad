"""Records that came after their day was closed: judged by the habits of today, as notables of their own.

A closed day is final. What comes later teaches nothing and moves nothing; a record that its day held is none of it.
Nor is what shows nothing but what the day is known to have held, as a folder does that is read again after months.

| table, key | row |
|---|---|
| day, late/day/identity | what came late of an identity's day, so that it counts once |
| notable, late/today/id | the notable; `today` is the last day with records when it came |
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional

from nhi_watch.context.assets import Assets
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.notable import clip, loss_of, to_json
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import incident, lives, ranking
from nhi_watch.detect.explain.notables import build
from nhi_watch.detect.lives import Document
from nhi_watch.detect.ranking import Candidate
from nhi_watch.detect.scoring import Baselines, score_day
from nhi_watch.state import day_rows
from nhi_watch.state.baseline import NEW_VALUES, bucket, lesson
from nhi_watch.state.inventory import ABOUT
from nhi_watch.state.state import LATE, State
from nhi_watch.state.store import pack, unpack

Wholes = Mapping[int, Iterable[IdentityDay]]
_APART = ("volume", "targets", "hour")
"""Dimensions that count a whole day: part of one cannot be compared in them."""


def settle(
    state: State, baselines: Baselines, told: Wholes, known: Assets, allowance: int
) -> list[Document]:
    """Judge late records; returns the notables that are new, or of which more came.

    `allowance`: the budget's places of a week.
    """
    today = state.daybook.days[-1]
    fresh = [whole for _, wholes in sorted(told.items()) for whole in wholes if _is_news(state, whole)]
    rows = {key[len(LATE) + 7 :]: (key, raw) for key, raw in state.rows.scan("notable", LATE, "late0")}
    before = {name: unpack(raw) for name, (_, raw) in rows.items()}
    made = {}
    for whole in fresh:
        document = _judged(state, baselines, whole, known)
        old = before.get(document["id"]) if document is not None else None
        if document is not None and (old is None or lives.weight(document) >= lives.weight(old)):
            made[document["id"]] = {**document, **{name: old[name] for name in lives.NOBODY}} if old else document
    _place(made, before, today, allowance)
    numbered = {name: lives.numbered(one, None, before.get(name), today) for name, one in made.items()}
    state.rows.put("notable", [(rows[name][0], None) for name in numbered if name in rows])
    state.rows.put("notable", [(f"{LATE}{today:06d}/{name}", pack(one)) for name, one in numbered.items()])
    state.rows.put("day", [(f"{LATE}{w.day:06d}/{w.identity.id}", day_rows.pack(w)) for w in fresh])
    return [one for name, one in numbered.items() if one["revision"] != (before.get(name) or _NONE)["revision"]]


_NONE = {"revision": 0}


def _is_news(state: State, whole: IdentityDay) -> bool:
    """Whether late records show anything that their day is not known to have held, or far more of it."""
    if all(shape.service in ABOUT for shape, _ in whole.behaviours):
        return False  # a finding carries the date of what was found
    key = f"{whole.day:06d}/{whole.identity.id}"
    row = state.rows.get("delta", [key]).get(key)
    if row is None:
        return True
    now, later, *_ = unpack(row)
    mine = lesson((b, False) for b in whole.behaviours.values()).now
    seen = {name: {**later.get(name, {}), **now.get(name, {})} for name in {*now, *later}}
    most = max((int(size) for size in seen.get("volume", {})), default=0)
    if bucket(whole.events()) > most + 1:
        return True
    alike = (name for name in mine if name not in _APART and len(seen.get(name, ())) < NEW_VALUES)
    return any(mine[name].keys() - seen.get(name, {}).keys() for name in alike)


def _judged(state: State, baselines: Baselines, whole: IdentityDay, known: Assets) -> Optional[Document]:
    identity, today = whole.identity, state.daybook.days[-1]
    state.fill(baselines, {identity.id: whole}, today)
    episode = score_day(baselines, whole, today)
    ranked = ranking.rank(episode, known)
    if not ranked.eligible or ranked.likelihood < ranking.FLOOR:
        return None
    notable = build(episode, baselines, ranking.asset(known, episode))
    why = f"Came {today - whole.day} days late, and is judged by the habits of {render_day(today)}. "
    return lives.begun(to_json(replace(
        notable, id=id_of(identity.id, whole.day), late=True, title=clip(f"Late: {notable.title}", 200),
        summary=clip(why + notable.summary, 1000), created=(today + 1) * DAY - 1,
    )))  # fmt: skip


def id_of(identity_id: str, day: int) -> str:
    """The id of the notable of what came late of an identity's day."""
    return hashlib.sha256(f"late|{identity_id}|{day}".encode()).hexdigest()[:20]


def _place(made: dict[str, Document], before: Mapping[str, Document], today: int, allowance: int) -> None:
    """Late notables are compared among themselves; criticals beyond the allowance are folded, as all are."""
    since = render_day(today - 6)
    stood = [loss_of(one) for one in before.values() if one["listed_on"] >= since]
    waiting = [one for one in made.values() if not one["listed"]]
    told = (Candidate(d["id"], d["likelihood"], loss_of(d), _at_once) for d in waiting)
    incident.give(ranking.places(told, stood, allowance), made, render_day(today))


def _at_once(likelihood: float) -> int:
    return 0
