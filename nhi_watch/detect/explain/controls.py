"""The two mandatory controls, and what they concretely mean for one episode."""

from __future__ import annotations

from nhi_watch.core.event import Identity
from nhi_watch.core.notable import Control, clip
from nhi_watch.core.timestamps import render
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.scoring import Episode
from nhi_watch.detect.signals._kit import listing

MEMBERS = 10
"""Linked identities whose controls are spelled out."""
UNUSED_DAYS = 30
"""A call not made for so long is offered for removal; rarely run jobs are a person's judgement."""


def controls(episode: Episode) -> tuple[Control, ...]:
    """Rotate the secret, reduce the privilege: always required, always with a reason, for each linked identity."""
    several = bool(episode.members)
    end = max((b.last for part in episode.parts for view in part.view.views for b in view.behaviours), default=0)
    return tuple(
        control
        for part in episode.parts[:MEMBERS]
        for control in (
            _open("rotate_secret", _told(part, several, _rotate(part.identity, part.view, end))),
            _open("reduce_privilege", _told(part, several, _reduce(part.view))),
        )
    )


def _open(name: str, reason: str) -> Control:
    return Control(name, True, clip(reason, 900), "open")


def _told(part: Episode, several: bool, sentence: str) -> str:
    return f"{clip(part.identity.name, 120)}: {sentence}" if several else sentence


def _rotate(identity: Identity, episode: EpisodeView, end: int) -> str:
    """`end`: of the notable, the one time from which on nothing that it used may work."""
    keys = sorted({view.shape.credential for view in _odd(episode) if view.shape.credential})
    if keys:
        return f"Rotate {listing(keys)}: deactivate it, watch for what breaks, then delete it."
    if identity.kind in ("web_identity", "federated"):
        return f"Revoke the tokens of {identity.name} and check its trust policy; its secret lies with the issuer."
    if identity.kind == "role":
        return (
            f"Revoke the sessions of {identity.name} issued before {render(end)}, "
            "and rotate the credential of whatever can assume the role."
        )
    return f"Rotate every credential of {identity.name} that was valid at {render(end)}."


def _odd(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet] or list(episode.views)


def _reduce(episode: EpisodeView) -> str:
    first = [view.shape.action for view in episode.views if view.novel]
    unused = unused_calls(episode)
    parts = []
    if first:
        parts.append(f"Used for the first time: {listing(first, 8)}; deny what is not meant to be used.")
    if unused:
        calls = listing(unused, 8)
        parts.append(f"Not used for {UNUSED_DAYS} days or more: {calls}; remove unless a rare job needs them.")
    return " ".join(parts) or (
        "No call was new and none is long unused; "
        f"allow only what was used in {episode.past.own.days} days of history."
    )


def unused_calls(episode: EpisodeView) -> list[str]:
    """Calls known from the baseline that were not made for a month, today included."""
    today = episode.past.today
    used = {view.shape.action for view in episode.views}
    known = episode.past.own.dimension("action").values
    return sorted(a for a, seen in known.items() if a not in used and today - seen.last >= UNUSED_DAYS)
