"""The two mandatory controls, and what they concretely mean for one episode."""

from __future__ import annotations

from nhi_watch.event import Identity
from nhi_watch.notable import Control, clip
from nhi_watch.signals._kit import listing
from nhi_watch.timestamps import render
from nhi_watch.view import EpisodeView, View

UNUSED_DAYS = 30
"""A call not made for so long is offered for removal; rarely run jobs are a person's judgement."""


def controls(identity: Identity, episode: EpisodeView) -> tuple[Control, ...]:
    """Rotate the secret, reduce the privilege: always required, always with a reason."""
    return (
        Control("rotate_secret", True, clip(_rotate(identity, episode), 900), "open"),
        Control("reduce_privilege", True, clip(_reduce(episode), 900), "open"),
    )


def _rotate(identity: Identity, episode: EpisodeView) -> str:
    keys = sorted({view.shape.credential for view in _odd(episode) if view.shape.credential})
    if keys:
        return f"Rotate {listing(keys)}: deactivate it, watch for what breaks, then delete it."
    last = max((b.last for view in episode.views for b in view.behaviours), default=0)
    if identity.kind in ("web_identity", "federated"):
        return f"Revoke the tokens of {identity.name} and check its trust policy; its secret lies with the issuer."
    if identity.kind == "role":
        return (
            f"Revoke the sessions of {identity.name} issued before {render(last)}, "
            "and rotate the credential of whatever can assume the role."
        )
    return f"Rotate every credential of {identity.name} that was valid at {render(last)}."


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
