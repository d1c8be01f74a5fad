"""Records that came after their day was closed: scored by the habits of today, as episodes of their own.

A closed day is final. What comes later teaches nothing and moves nothing; a record that its day held is none of it.
Nor is what shows nothing but what the day is known to have held, as a folder does that is read again after months.

| table, key | row |
|---|---|
| day, late/day/identity | what came late of an identity's day, so that it counts once |
| notable, late/today/id | the episode's document; `today` is the last day with records when it came |
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional

from nhi_watch.context.assets import Assets
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.notable import clip, to_json
from nhi_watch.core.timestamps import DAY, HOUR, parse, render_day
from nhi_watch.detect import episodes, ranking
from nhi_watch.detect.explain.notables import build
from nhi_watch.detect.scoring import Baselines, score_day
from nhi_watch.state import day_rows
from nhi_watch.state.baseline import NEW_VALUES, bucket, lesson
from nhi_watch.state.inventory import ABOUT
from nhi_watch.state.state import LATE, State
from nhi_watch.state.store import pack, unpack

IdentityDays = Mapping[int, Iterable[IdentityDay]]
_APART = ("volume", "targets", "hour")
"""Dimensions that count a whole day: part of one cannot be compared in them."""


def score(state: State, baselines: Baselines, late_days: IdentityDays, known: Assets) -> bool:
    """Score late records; whether they made an episode of the last day with records, on which they arrived."""
    today = state.daybook.days[-1]
    fresh = novel_days(
        state, (identity_day for _, identity_days in sorted(late_days.items()) for identity_day in identity_days)
    )
    rows: list[tuple[str, Optional[bytes]]] = []
    for identity_day in fresh:
        document = _scored(state, baselines, identity_day, known)
        if document is not None:
            head = episodes.head_of(document, today, parse(document["first_time"]) // HOUR)
            head = head._replace(reached=today * DAY)
            rows.append((episodes.key_of(head, is_late=True), pack(document)))
            rows.append((f"{episodes.HEAD}{today:06d}/{head.id}", pack(list(head))))
    state.rows.put("notable", rows)
    state.rows.put("day", [(f"{LATE}{w.day:06d}/{w.identity.id}", day_rows.pack(w)) for w in fresh])
    return bool(rows)


def novel_days(state: State, identity_days: Iterable[IdentityDay]) -> list[IdentityDay]:
    """The late identity-days that show anything that their day is not known to have held, or far more of it.

    Most that is not news is seen by what the day taught, without the day itself.
    """
    keyed = {f"{identity_day.day:06d}/{identity_day.identity.id}": identity_day for identity_day in identity_days}
    rows = state.rows.get("delta", [*keyed]) if keyed else {}
    return [identity_day for key, identity_day in keyed.items() if _is_novel(identity_day, rows.get(key))]


def _is_novel(identity_day: IdentityDay, taught: Optional[bytes]) -> bool:
    if all(key.service in ABOUT for key, _ in identity_day.behaviours):
        return False  # a finding carries the date of what was found
    if taught is not None:
        now, later, *_ = unpack(taught)
    elif identity_day.before is not None:  # a host that forgets what ordinary days taught can still read them
        now, later = lesson((b, False) for b in identity_day.before.behaviours.values())
    else:
        return True
    mine = lesson((b, False) for b in identity_day.behaviours.values()).now
    seen = {name: {**later.get(name, {}), **now.get(name, {})} for name in {*now, *later}}
    most = max((int(size) for size in seen.get("volume", {})), default=0)
    if bucket(identity_day.events()) > most + 1:
        return True
    alike = (name for name in mine if name not in _APART and len(seen.get(name, ())) < NEW_VALUES)
    return any(mine[name].keys() - seen.get(name, {}).keys() for name in alike)


def _scored(
    state: State, baselines: Baselines, identity_day: IdentityDay, known: Assets
) -> Optional[episodes.Document]:
    identity, today = identity_day.identity, state.daybook.days[-1]
    state.fill(baselines, {identity.id: identity_day}, today)
    episode = score_day(baselines, identity_day, today)
    ranked = ranking.rank(episode, known)
    if not ranked.eligible or ranked.likelihood < ranking.FLOOR:
        return None
    notable = build(episode, baselines, known)
    why = f"Came {today - identity_day.day} days late, and is scored by the habits of {render_day(today)}. "
    document = to_json(
        replace(
            notable,
            id=id_of(identity.id, identity_day.day),
            late=True,
            title=clip(f"Late: {notable.title}", 200),
            summary=clip(why + notable.summary, 1000),
            created=(today + 1) * DAY - 1,
        )
    )
    return {**document, **episodes.NOT_LISTED}


def id_of(identity_id: str, day: int) -> str:
    """The id of the notable of what came late of an identity's day."""
    return hashlib.sha256(f"late|{identity_id}|{day}".encode()).hexdigest()[:20]
