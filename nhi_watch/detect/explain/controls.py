"""The two mandatory controls, and what they concretely mean for one episode."""

from __future__ import annotations

from nhi_watch.context.actions import permissions
from nhi_watch.core.event import DONE_TO
from nhi_watch.core.notable import Control, clip
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
    several = bool(episode.members)
    made = _made(episode)
    return tuple(
        control
        for part in episode.parts[:MEMBERS]
        for control in (
            _open("rotate_secret", _told(part, several, _rotate(part, made))),
            _open("reduce_privilege", _told(part, several, _reduce(part, made))),
        )
    )


def _made(episode: Episode) -> frozenset[str]:
    """Ids of the keys and names of the identities that the episode's own identities made for others."""
    made = ((part, view, b) for part in episode.parts for view in part.view.views for b in view.behaviours
            if view.shape.outcome == "success")  # fmt: skip
    found: set[str] = set()
    for part, view, b in made:
        if view.shape.action in MAKES:
            found.update(b.issued)
        elif view.shape.action in CREATES:
            keys = (name_key(part.identity._replace(name=name, account=view.shape.account)) for name in b.targets)
            found.update(key for key in keys if key != name_key(part.identity))
    return frozenset(found)


def _open(name: str, reason: str) -> Control:
    return Control(name, True, clip(reason, 900), "open")


def _told(part: Episode, several: bool, sentence: str) -> str:
    return f"{clip(part.identity.name, 120)}: {sentence}" if several else sentence


def _rotate(part: Episode, made: frozenset[str]) -> str:
    """From when it is done, nothing that the notable used may work: not what was issued after its last call either."""
    identity = part.identity
    if name_key(identity) in made:
        named = clip(identity.name, 120)
        return f"Remove {named}, which this intrusion made: do not rotate it, delete it and its keys."
    keys = sorted({view.shape.credential for view in _odd(part.view) if view.shape.credential})
    if keys and made.issuperset(keys):
        return f"Remove {listing(keys)}, which this intrusion made: delete it, nobody else relies on it."
    if keys:
        return f"Rotate {listing(keys)}: deactivate it, see what breaks, then delete it."
    if identity.kind in ("web_identity", "federated"):
        return f"Revoke the tokens of {identity.name} and check its trust policy; its secret lies with the issuer."
    if identity.kind == "role":
        return (
            f"Revoke the sessions of {identity.name} issued before now, "
            "and stop whatever obtains new ones; the plan of the response names it where logs show it."
        )
    return f"Rotate every credential of {identity.name} that is valid now."


def _odd(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet] or list(episode.views)


def _reduce(part: Episode, made: frozenset[str]) -> str:
    episode = part.view
    if name_key(part.identity) in made:
        return "This intrusion made it: detach every policy that it was given, before it is deleted."
    worked, refused = first_calls(episode, part.identity.provider)
    unused = unused_calls(episode)
    parts = []
    if worked:
        parts.append(f"Worked for the first time: {listing(worked, 8)}; deny what is not meant to be used.")
    if refused:
        parts.append(f"Already refused: {listing(refused, 3)}.")
    if unused:
        calls = listing(unused, 8)
        parts.append(f"Not used for {UNUSED_DAYS} days or more: {calls}; remove unless a rare job needs them.")
    return " ".join(parts) or (
        "No call was new and none is long unused; "
        f"allow only what was used in {episode.past.own.days} days of history."
    )


def first_calls(episode: EpisodeView, provider: str) -> tuple[list[str], list[str]]:
    """Calls that worked for the first time and that a policy can deny; new ones that were only refused."""
    own = episode.past.own
    mine = [view for view in episode.views if DONE_TO not in view.shape.traits]
    worked = {view.shape.action for view in mine if view.shape.outcome not in REFUSALS}
    fresh = {view.shape.action for view in mine if view.novel or (own.days and not own.knows(
        "action", view.shape.action, view.shape.outcome not in REFUSALS))}  # fmt: skip
    denied = sorted(action for action in fresh & worked if provider != "aws" or permissions(action))
    return denied, sorted(fresh - worked)


def unused_calls(episode: EpisodeView) -> list[str]:
    """Calls known from the baseline that were not made for a month, today included."""
    today = episode.past.today
    used = {view.shape.action for view in episode.views}
    known = episode.past.own.dimension("action").values
    return sorted(a for a, seen in known.items() if a not in used and today - seen.last >= UNUSED_DAYS)
