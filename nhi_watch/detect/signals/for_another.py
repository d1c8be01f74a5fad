"""An app, or an AI agent, acts in the name of somebody for whom it never acted."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import BEHALF
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import KNOWN_DAYS, listing

NAME = "for_another"
TITLE = "Acts for another person"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1550.001", "NHI5:2025")
CONTROL = "reduce_privilege"
HEADLINE = 35
ON_ORDINARY_DAYS = True


def _new(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    known = episode.past.own.dimension(BEHALF).values
    told = ((link, b) for view in episode.views for b in view.behaviours for link in b.links)
    return [(link, b) for link, b in told if link.startswith(BEHALF) and link not in known]


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of persons new to it); None where its history tells of none for whom it acted."""
    new = {person for person, _ in _new(episode)}
    if new and (episode.past.own.days < KNOWN_DAYS or not episode.past.own.dimension(BEHALF).values):
        return None
    return log2(1 + len(new))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    people = [person.removeprefix(BEHALF) for person, _ in _new(episode)]
    return f"acts for the first time in the name of ({len(set(people))}): {listing(people, 2)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What was done for them."""
    return [b for _, b in _new(episode)]
