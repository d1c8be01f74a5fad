"""The two mandatory controls, and what they concretely mean for one episode."""

from __future__ import annotations

from nhi_watch.context.actions import permissions
from nhi_watch.core.event import DONE_TO
from nhi_watch.core.notable import Control, clip
from nhi_watch.detect.explain.fields import control_of
from nhi_watch.detect.scoring import Episode
from nhi_watch.detect.signals import EpisodeView, View, listing
from nhi_watch.state.baseline import REFUSALS
from nhi_watch.state.inventory import CREATES, MAKES, name_key

MEMBERS = 10
"""Linked identities whose controls are spelled out."""
UNUSED_DAYS = 30
"""A call not made for so long is offered for removal; rarely run jobs are a person's judgement."""


def controls(episode: Episode) -> tuple[Control, ...]:
    """Rotate the secret, reduce the privilege: always required, always with a reason, for each linked identity."""
    several, created = bool(episode.members), _created(episode)
    return tuple(
        control_of(name, f"{clip(part.identity.name, 120)}: {reason}" if several else reason)
        for part in episode.parts[:MEMBERS]
        for name, reason in (("rotate_secret", _rotate(part, created)), ("reduce_privilege", _reduce(part, created)))
    )


def _created(episode: Episode) -> frozenset[str]:
    """Ids of the keys and names of the identities that the episode's own identities made for others."""
    calls = (
        (part, view, b)
        for part in episode.parts
        for view in part.view.views
        for b in view.behaviours
        if view.key.outcome == "success"
    )
    created: set[str] = set()
    for part, view, b in calls:
        if view.key.action in MAKES:
            created.update(b.issued)
        elif view.key.action in CREATES:
            keys = (name_key(part.identity._replace(name=name, account=view.key.account)) for name in b.targets)
            created.update(key for key in keys if key != name_key(part.identity))
    return frozenset(created)


def _rotate(part: Episode, created: frozenset[str]) -> str:
    """From when it is done, nothing that the notable used may work: not what was issued after its last call either."""
    identity = part.identity
    if name_key(identity) in created:
        named = clip(identity.name, 120)
        return f"Remove {named}, which this intrusion made: do not rotate it, delete it and its keys."
    keys = sorted({view.key.credential for view in _unquiet(part.view) if view.key.credential})
    if keys and created.issuperset(keys):
        return f"Remove {listing(keys)}, which this intrusion made: delete it, nobody else relies on it."
    if keys:
        return f"Rotate {listing(keys)}: deactivate it, watch for breakage, then delete it."
    if identity.kind in ("web_identity", "federated"):
        return f"Revoke the tokens of {identity.name} and check its trust policy; the issuer holds the secret."
    if identity.kind == "role":
        return (
            f"Revoke the sessions of {identity.name} issued before now, "
            "and stop whatever obtains new ones; the response plan names it where logs show it."
        )
    return f"Rotate every credential of {identity.name} that is valid now."


def _unquiet(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet] or list(episode.views)


def _reduce(part: Episode, created: frozenset[str]) -> str:
    episode = part.view
    if name_key(part.identity) in created:
        return "This intrusion made it: detach every policy that it was given, before it is deleted."
    worked, refused = first_calls(episode, part.identity.provider)
    unused = unused_calls(episode)
    parts = []
    if worked:
        parts.append(f"New or rare, and worked: {listing(worked, 8)}; deny unneeded actions.")
    if refused:
        parts.append(f"Already refused: {listing(refused, 3)}.")
    if unused:
        calls = listing(unused, 8)
        parts.append(f"Not used for {UNUSED_DAYS} days or more: {calls}; remove unless a rare job needs them.")
    return " ".join(parts) or (
        "No call was new and none has been unused for long; "
        f"allow only what was used in {episode.baseline.own.days} days of history."
    )


def first_calls(episode: EpisodeView, provider: str) -> tuple[list[str], list[str]]:
    """Calls that worked for the first time and that a policy can deny; new ones that were only refused."""
    own = episode.baseline.own
    mine = [view for view in episode.views if DONE_TO not in view.key.traits]
    worked = {view.key.action for view in mine if view.key.outcome not in REFUSALS}
    fresh = {
        view.key.action
        for view in mine
        if view.novel or (own.days and not own.knows("action", view.key.action, view.key.outcome not in REFUSALS))
    }
    denied = sorted(action for action in fresh & worked if provider != "aws" or permissions(action))
    return denied, sorted(fresh - worked)


def unused_calls(episode: EpisodeView) -> list[str]:
    """Calls known from the baseline that were not made for a month, today included."""
    today = episode.baseline.today
    used = {view.key.action for view in episode.views}
    known = episode.baseline.own.dimension("action").values
    return sorted(a for a, seen in known.items() if a not in used and today - seen.last >= UNUSED_DAYS)
