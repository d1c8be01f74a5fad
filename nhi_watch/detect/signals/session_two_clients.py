"""One temporary session is used with two programs: a copy of it works beside its owner."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "session_two_clients"
TITLE = "Session used with another program"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1550.001", "T1552.005")
CONTROL = "rotate_secret"
NEEDS = ("agent",)


def _shared(episode: EpisodeView) -> list[View]:
    """Views of sessions that more than one program used, the least usual program first."""
    programs: dict[str, dict[str, View]] = {}
    for view in episode.views:
        if view.remote and view.shape.agent:
            for session in {s for b in view.behaviours for s in b.sessions}:
                programs.setdefault(session, {})[view.shape.agent] = view
    found = {id(v): v for views in programs.values() if len(views) > 1 for v in views.values() if v.agent}
    return sorted(found.values(), key=lambda view: (-view.agent, view.shape))


def value(episode: EpisodeView) -> float:
    """Bits by which the less usual program is new; 0 when every session had one program, or all of them are known."""
    shared = _shared(episode)
    return shared[0].agent if shared else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    shared = _shared(episode)
    sessions = {s for b in behaviours_of(shared[:1]) for s in b.sessions}
    others = [v.shape.agent for v in episode.views if sessions & {s for b in v.behaviours for s in b.sessions}]
    return f"one session was used with {listing(others)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What came from the less usual program."""
    return behaviours_of(_shared(episode)[:1])
