"""The day's new calls walk down the kill chain in order."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import novel_views

NAME = "tactic_chain"
TITLE = "Tactics in order"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("DE.AE-03",)
CONTROL = "rotate_secret"


ORDER = ("recon", "credential", "execution", "privilege", "persistence", "lateral", "evasion", "exfiltration", "impact")
RANK = {tactic: rank for rank, tactic in enumerate(ORDER)}


def _steps(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    steps = [(tactic, b) for v in novel_views(episode) for tactic in v.facts.tactics for b in v.behaviours]
    return sorted(steps, key=lambda step: (step[1].first, RANK.get(step[0], 0), step[1].shape))


def value(episode: EpisodeView) -> float:
    """Length of the longest run of distinct tactics in kill-chain order, by time; 0 for a single one."""
    best = [0] * len(ORDER)
    for tactic, _ in _steps(episode):
        rank = RANK.get(tactic)
        if rank is not None:
            best[rank] = max(best[rank], 1 + max(best[:rank], default=0))
    longest = max(best)
    return float(longest) if longest > 1 else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    tactics = list(dict.fromkeys(tactic for tactic, _ in _steps(episode)))
    return f"new calls follow each other through {', '.join(tactics)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The new calls that belong to a tactic."""
    return [b for _, b in _steps(episode)]
