"""What one identity handed out, or what was taken from it, makes news with others: one intrusion moves on."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "passed_on"
TITLE = "Handed on to others"
SCOPE = "linked"
FRAMEWORKS: tuple[str, ...] = ("T1550.001", "T1552")
CONTROL = "rotate_secret"


def _actor(name: str) -> str:
    """The bare name: an app and its principal, a person and a token of that person are one actor in two logs."""
    return name.rpartition("/")[2].removesuffix(" (token)").lower()


def _news(episode: EpisodeView) -> dict[str, list[View]]:
    """Actor → what is news of it; alerts are others' words, no doing of it."""
    found: dict[str, list[View]] = {}
    for view in episode.views:
        if not view.quiet and "alert" not in view.shape.traits:
            found.setdefault(_actor(view.shape.identity.name), []).append(view)
    return found


def value(episode: EpisodeView) -> float:
    """Number of linked actors that made news, beyond the first."""
    return float(max(0, len(_news(episode)) - 1))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    names = [views[0].shape.identity.name for views in _news(episode).values()]
    return f"{len(names)} identities that are linked made news on one day: {listing(names, 3)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The news."""
    return behaviours_of([view for views in _news(episode).values() for view in views])
