"""One temporary session is used from networks of two operators: it left the place it was issued to."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "session_moved"
TITLE = "Session used elsewhere"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1550.001", "T1552.005")
CONTROL = "rotate_secret"
NEEDS = ("network",)
ON_ORDINARY_DAYS = True


def _moved(episode: EpisodeView) -> list[View]:
    homes: dict[str, dict[str, View]] = {}
    for view in episode.views:
        if view.remote:
            for session in {s for b in view.behaviours for s in b.sessions}:
                homes.setdefault(session, {})[_place(view)] = view
    found = {id(v): v for views in homes.values() if len(views) > 1 for v in views.values()}
    return sorted(found.values(), key=lambda view: (-view.owner - view.network, view.shape))


def _place(view: View) -> str:
    """The operator where it is known: one operator's addresses change all the time."""
    return view.network_facts.owner or view.shape.network


def value(episode: EpisodeView) -> float:
    """1 plus the bits of the less usual place; 0 when every session stayed."""
    moved = _moved(episode)
    return 1.0 + moved[0].owner + moved[0].network if moved else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return f"one session was used from {listing([_place(view) for view in _moved(episode)])}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What came from the less usual place."""
    return behaviours_of(_moved(episode)[:1])
