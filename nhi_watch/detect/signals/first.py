"""First acts and first targets: what a thief does from the victim's own place, with its own program.

Nothing of the place is new then, and the call may be an ordinary one. What tells is that an identity does a *kind* of
act for the first time (`acts` of `context/tables/calls.json`), and that nobody else in the tenant does it either; or
that it reads much of what it never touched.
"""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.features import NOVEL, ORDINARY, EpisodeView, View
from nhi_watch.detect.signals._kit import KNOWN_DAYS, behaviours_of, episode_signal, listing, made_by, rarity
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
    more = f"; besides: {'; '.join(says for _, says, _ in found[1:3])}" if len(found) > 1 else ""
    return f"{says}, {rarity(most)} here: {made_by(views)}{more}"


def _acts_backing(episode: EpisodeView, grave: bool) -> list[Behaviour]:
    found = {id(view): view for _, _, views in _acts(episode, grave).values() for view in views}
    return behaviours_of(list(found.values()))


@episode_signal(
    "First act that nobody takes back",
    ("T1537", "T1562.008", "T1098.003", "T1484.002"),
    control="reduce_privilege",
    headline=4,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, True),
    backing=lambda episode: _acts_backing(episode, True),
)
def grave_act(episode: EpisodeView) -> float | None:
    """Does for the first time what cannot be taken back, or opens a way to everything: logs stopped, data handed out.

    Bits by which the rarest such kind of act is new for the identity, its peers and the tenant, from 5 on, half where
    refused, plus log2 of the number of kinds; None before anything was learnt.
    """
    return _most(episode, True)


@episode_signal(
    "First act of its kind",
    ("T1213", "T1496.001"),
    control="reduce_privilege",
    headline=18,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, False),
    backing=lambda episode: _acts_backing(episode, False),
)
def first_act(episode: EpisodeView) -> float | None:
    """Starts machines, queries a warehouse, takes whole repositories or makes AI agents for the first time.

    As for the first act that nobody takes back: bits of the rarest kind, from 10 on, and log2 of the number of kinds.
    """
    return _most(episode, False)


def _fresh(episode: EpisodeView) -> list[tuple[View, Behaviour, int]]:
    """What reads of targets never touched, each with about how many of its calls did."""
    known = episode.past.own.dimension("target").values
    found = []
    for view in episode.views:
        taken = view.shape.access in ("read", "list") or "exfiltration" in view.facts.tactics
        if not taken or view.shape.outcome != "success" or DONE_TO in view.shape.traits:
            continue
        for b in view.behaviours:
            new = sum(target not in known for target in b.targets)
            if new:
                found.append((view, b, max(new, b.count * new // len(b.targets))))
    return found


def _seldom(episode: EpisodeView) -> bool:
    """Whether new targets are news for the identity: it has some that it knows, and hardly gets others."""
    own = episode.past.own
    known = own.dimension("target")
    return bool(known.values) and bits((known.once + 1) / (own.days + 1)) >= ORDINARY


def _fresh_sentence(episode: EpisodeView) -> str:
    found, known = _fresh(episode), episode.past.own.dimension("target").values
    new = {target for _, b, _ in found for target in b.targets if target not in known}
    views = list({id(view): view for view, _, _ in found}.values())
    reads = sum(count for _, _, count in found)
    return (
        f"{reads:,} reads of targets never touched in {episode.past.own.days} active days ({len(new)}): "
        f"{listing(list(new), 2)}; {made_by(views, targets=False)}"
    )


@episode_signal(
    "Much read of what was never touched",
    ("T1530", "T1213"),
    control="reduce_privilege",
    headline=27,
    on_ordinary_days=True,
    evidence=_fresh_sentence,
    backing=lambda episode: [b for _, b, _ in _fresh(episode)],
)
def first_targets(episode: EpisodeView) -> float | None:
    """Reads much of buckets, repositories, tables or secrets that it never touched, while its targets hardly change.

    Doublings of such reads over 4; 0 where new targets are usual for it, None without history.
    """
    if episode.past.own.days < KNOWN_DAYS:
        return None
    reads = sum(count for _, _, count in _fresh(episode)) if _seldom(episode) else 0
    return max(0.0, log2(reads / FEW)) if reads else 0.0
