"""First acts and first targets: what a thief does from the victim's own place, with its own program.

Nothing of the place is new then, and the call may be an ordinary one. What tells is that an identity does a *kind* of
act for the first time (`acts` of `context/tables/calls.json`), and that nobody else in the tenant does it either; or
that it reads much of what it never touched.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.features import NOVEL, ORDINARY, EpisodeView, View
from nhi_watch.detect.signals._kit import (
    KNOWN_DAYS,
    behaviours_of,
    bulk_phrase,
    episode_signal,
    last_part,
    listing,
    made_by,
    rarity,
    read_word,
    times,
)
from nhi_watch.state.baseline import bits

COMMON = 10.0
"""Bits from which it counts that somebody starts machines or queries a warehouse: ordinary identities begin to, too."""
FEW = 4
"""Reads of new targets that are nothing yet."""


def _acts(episode: EpisodeView, grave: bool) -> dict[str, tuple[float, str, list[View]]]:
    """Kind of act → its bits for this identity, what it does in words, the views; refused ones count half."""
    found: dict[str, tuple[float, str, list[View]]] = {}
    for view in episode.views:
        for act in view.facts.acts:
            if act.grave != grave:
                continue
            told = episode.past.bits("act", act.kind)
            if told >= (NOVEL if grave else COMMON):
                told = told if view.shape.outcome == "success" else told / 2
                most, says, views = found.get(act.kind, (0.0, act.says, []))
                found[act.kind] = (max(most, told), says, [*views, view])
    return found


def _most(episode: EpisodeView, grave: bool) -> float | None:
    if episode.past.blank:
        return None
    told = sorted((most for most, _, _ in _acts(episode, grave).values()), reverse=True)
    return told[0] + log2(len(told)) if told else 0.0


def _acts_sentence(episode: EpisodeView, grave: bool) -> str:
    found = sorted(_acts(episode, grave).values(), key=lambda told: (-told[0], told[1]))
    most, says, views = found[0]
    more = f"; also: {'; '.join(says for _, says, _ in found[1:3])}" if len(found) > 1 else ""
    return f"{says}, {rarity(most)} here: {made_by(views)}{more}"


def _acts_phrase(episode: EpisodeView, grave: bool) -> str:
    _, _, views = sorted(_acts(episode, grave).values(), key=lambda told: (-told[0], told[1]))[0]
    touched = [last_part(target) for b in behaviours_of(views) for target in b.targets]
    of = f" of {listing(touched, 1)}" if touched else ""
    return f"first-time {listing([view.shape.action for view in views], 1)}{of}"


def _acts_backing(episode: EpisodeView, grave: bool) -> list[Behaviour]:
    found = {id(view): view for _, _, views in _acts(episode, grave).values() for view in views}
    return behaviours_of(list(found.values()))


@episode_signal(
    "High-impact action for the first time",
    ("T1537", "T1562.008", "T1098.003", "T1484.002"),
    control="reduce_privilege",
    headline=4,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, True),
    phrase=lambda episode: _acts_phrase(episode, True),
    backing=lambda episode: _acts_backing(episode, True),
)
def grave_act(episode: EpisodeView) -> float | None:
    """Does for the first time what cannot be undone or gives full access: logs stopped, data shared.

    Bits by which the rarest such kind of act is new for the identity, its peers and the tenant, from 5 on, half where
    refused, plus log2 of the number of kinds; None before anything was learnt.
    """
    return _most(episode, True)


@episode_signal(
    "New type of action",
    ("T1213", "T1496.001"),
    control="reduce_privilege",
    headline=18,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, False),
    phrase=lambda episode: _acts_phrase(episode, False),
    backing=lambda episode: _acts_backing(episode, False),
)
def first_act(episode: EpisodeView) -> float | None:
    """Starts machines, queries a warehouse, copies full repositories or creates AI agents for the first time.

    As for high-impact actions: bits of the rarest kind, from 10 on, and log2 of the number of kinds.
    """
    return _most(episode, False)


class _Taken(NamedTuple):
    """Reads of targets never touched."""

    reads: int
    views: list[View]
    behaviours: list[Behaviour]


def _fresh(episode: EpisodeView) -> _Taken:
    """Calls of one hour tell their targets together: of a mixture, what exceeds the usual day is of the new ones."""
    own = episode.past.own
    usual = own.dimension("action").values
    views: list[View] = []
    behaviours: list[Behaviour] = []
    count, as_usual = 0, dict[str, int]()
    mixed: dict[str, list[tuple[int, int]]] = {}
    for view in episode.views:
        taken = view.shape.access in ("read", "list") or "exfiltration" in view.facts.tactics
        if not taken or view.shape.outcome != "success" or DONE_TO in view.shape.traits:
            continue
        found = [(b, len(view.new_targets(b))) for b in view.behaviours]
        for b, new in found:
            if not new:
                as_usual[view.shape.action] = as_usual.get(view.shape.action, 0) + b.count
            elif new == len(b.targets):
                count += b.count
            else:
                mixed.setdefault(view.shape.action, []).append((b.count, max(new, b.count * new // len(b.targets))))
        behaviours += [b for b, new in found if new]
        views += [view] if any(new for _, new in found) else []
    for action, told in mixed.items():
        seen = usual.get(action)
        expected = (seen.count // seen.days if seen is not None else 0) - as_usual.get(action, 0)
        count += max(sum(share for _, share in told), sum(total for total, _ in told) - max(1, expected))
    return _Taken(count, views, behaviours)


def _seldom(episode: EpisodeView) -> bool:
    """Whether new targets are news for the identity: it has some that it knows, and hardly gets others."""
    own = episode.past.own
    known = own.dimension("target")
    return bool(known.values) and bits((known.once + 1) / (own.days + 1)) >= ORDINARY


def _fresh_sentence(episode: EpisodeView) -> str:
    found = _fresh(episode)
    new = {target for view in found.views for b in view.behaviours for target in view.new_targets(b)}
    history = times(episode.past.own.days, "active day")
    return (
        f"{times(found.reads, read_word(found.views))} of targets not used in {history} ({len(new)}): "
        f"{listing(list(new), 2)}; {made_by(found.views, targets=False)}"
    )


@episode_signal(
    "Bulk reads of targets never used before",
    ("T1530", "T1213"),
    control="reduce_privilege",
    headline=27,
    on_ordinary_days=True,
    evidence=_fresh_sentence,
    phrase=lambda episode: bulk_phrase(_fresh(episode).views, _fresh(episode).reads),
    backing=lambda episode: _fresh(episode).behaviours,
)
def first_targets(episode: EpisodeView) -> float | None:
    """Reads much of buckets, repositories, tables or secrets that it never touched, while its targets hardly change.

    Doublings of such reads over 4; 0 where new targets are usual for it, None without history.
    """
    if episode.past.own.days < KNOWN_DAYS:
        return None
    reads = _fresh(episode).reads if _seldom(episode) else 0
    return max(0.0, log2(reads / FEW)) if reads else 0.0
