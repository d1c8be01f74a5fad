"""More power: roles and tokens of others, grants, tests of what is allowed, ways into hosts."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import AS, BEHALF
from nhi_watch.detect.features import ORDINARY, EpisodeView, View
from nhi_watch.detect.signals._kit import (
    KNOWN_DAYS,
    behaviour_signal,
    behaviours_of,
    call_sentence,
    episode_signal,
    in_class,
    last_part,
    listing,
    on_mark,
    times,
)


@behaviour_signal(
    "Checks its own identity and permissions",
    ("T1087.004",),
    control="rotate_secret",
    evidence=lambda view: call_sentence(view, "looks around the account or at its own permissions"),
)
def identity_probe(view: View) -> float:
    """Asks who it is and what it may do: the first thing a thief does.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "identity_probe")


def _permission_test_evidence(view: View) -> str:
    return f"{view.shape.action} is a dry run or invalid request ({view.shape.error}), which tests permissions"


@behaviour_signal(
    "Permission test",
    ("T1526", "AML.CS0030"),
    control="rotate_secret",
    evidence=_permission_test_evidence,
)
def permission_test(view: View) -> float:
    """A call made only to learn whether it is allowed.

    1 plus the bits by which the call is new, for a dry run or an invalid request; else 0.
    """
    return 1.0 + view.action if "probe" in view.shape.traits and (view.action or view.error) else 0.0


def _refused_phrase(views: list[View]) -> str:
    calls, kinds = sum(b.count for b in behaviours_of(views)), len({view.shape.action for view in views})
    told = f", {times(kinds, 'kind')}" if calls > kinds else ""
    return f"{times(calls, 'call')} refused{told} for the first time"


def _refused(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.outcome == "denied" and view.error >= ORDINARY]


def _permission_probing_evidence(episode: EpisodeView) -> str:
    actions = [view.shape.action for view in _refused(episode)]
    return f"calls refused for the first time ({len(set(actions))}): {listing(actions)}"


@episode_signal(
    "Calls refused for the first time",
    ("T1087.004", "T1580"),
    control="rotate_secret",
    headline=27,
    phrase=lambda episode: _refused_phrase(_refused(episode)),
    evidence=_permission_probing_evidence,
    backing=lambda episode: behaviours_of(_refused(episode)),
)
def permission_probing(episode: EpisodeView) -> float:
    """Many different calls are refused that never were refused before.

    log2(1 + number of distinct calls newly refused).
    """
    return log2(1 + len({view.shape.action for view in _refused(episode)}))


MARKS = frozenset({"impersonation", "token_minted"})


SELDOM = 1 / 16
"""Of how many new ones a day is expected, before any was seen, that somebody is impersonated for the first time."""


def _whom(view: View) -> list[str]:
    """Whom it impersonates, and which groups, for the first time."""
    known = view.past.own.dimension(BEHALF).values
    told = {link for b in view.behaviours for link in b.links if link.startswith(AS) and link not in known}
    return sorted(link.removeprefix(AS) for link in told)


def _whom_bits(view: View) -> float:
    """How seldom it impersonates somebody new; 0 where it does not, and while its habits are not known."""
    past = view.past.own
    if past.days < KNOWN_DAYS or not _whom(view):
        return 0.0
    usual = sum(link.startswith(AS) for link in past.dimension(BEHALF).values)
    return max(0.0, log2((past.days + 1) / (usual + SELDOM)))


def _impersonation_evidence(view: View) -> str:
    new = _whom(view)
    if _whom_bits(view) <= view.action:
        return call_sentence(view, "acts as another identity or issues tokens for it")
    return f"{view.shape.action} as {listing(new)}: impersonated for the first time"


@behaviour_signal(
    "Acts as another identity",
    ("T1550.001",),
    control="reduce_privilege",
    headline=23,
    evidence=_impersonation_evidence,
)
def impersonation(view: View) -> float:
    """Acts as another identity, or makes tokens for one, as this identity does not do.

    Bits by which the call, or whom it impersonates, is new for the identity.
    """
    return max(on_mark(view, MARKS), _whom_bits(view))


MINTS = frozenset({"impersonation", "token_minted"})
"""Traits of what assuming a role is called elsewhere: acting as another, a token made for another."""


def _roles(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    found = [
        (target, b)
        for view in episode.views
        if view.shape.action.startswith("sts:Assume") or MINTS.intersection(view.shape.traits)
        for b in view.behaviours
        for target in view.new_targets(b)
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].first, pair[1].shape))


def _role_chaining_evidence(episode: EpisodeView) -> str:
    return f"assumes for the first time: {listing([role for role, _ in _roles(episode)], 2)}"


@episode_signal(
    "New role assumed",
    ("T1548.005", "T1550.001"),
    control="reduce_privilege",
    headline=26,
    on_ordinary_days=True,
    evidence=_role_chaining_evidence,
    phrase=lambda episode: f"first use of {listing([last_part(role) for role, _ in _roles(episode)], 1)}",
    backing=lambda episode: [b for _, b in _roles(episode)],
)
def role_chaining(episode: EpisodeView) -> float | None:
    """Assumes roles, or gets tokens of accounts, that this identity did not take before.

    log2(1 + number of new roles); None without history.
    """
    if episode.past.own.days < 3:
        return None
    return log2(1 + len({role for role, _ in _roles(episode)}))


def _new(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    known = episode.past.own.dimension(BEHALF).values
    told = ((link, b) for view in episode.views for b in view.behaviours for link in b.links)
    return [(link, b) for link, b in told if link.startswith(BEHALF) and not link.startswith(AS) and link not in known]


def _for_another_evidence(episode: EpisodeView) -> str:
    people = [person.removeprefix(BEHALF) for person, _ in _new(episode)]
    return f"users on whose behalf it acts for the first time ({len(set(people))}): {listing(people, 2)}"


@episode_signal(
    "Acts on behalf of a new user",
    ("T1550.001", "NHI5:2025"),
    control="reduce_privilege",
    headline=35,
    on_ordinary_days=True,
    evidence=_for_another_evidence,
    backing=lambda episode: [b for _, b in _new(episode)],
)
def for_another(episode: EpisodeView) -> float | None:
    """An app, or an AI agent, acts on behalf of a user for whom it never acted.

    log2(1 + number of persons new to it); None where its history tells of none for whom it acted.
    """
    new = {person for person, _ in _new(episode)}
    known = any(not link.startswith(AS) for link in episode.past.own.dimension(BEHALF).values)
    if new and (episode.past.own.days < KNOWN_DAYS or not known):
        return None
    return log2(1 + len(new))


@behaviour_signal(
    "Cross-account call",
    ("T1199",),
    control="reduce_privilege",
    evidence=lambda view: f"{view.shape.action} is a cross-account call",
)
def across_accounts(view: View) -> float:
    """The call crosses from one account into another, as this identity does not do.

    Bits by which the call is new, where the identity belongs to another account.
    """
    return view.action if "cross_account" in view.shape.traits or view.shape.target_class == "foreign" else 0.0


GRANTS = {"admin_policy": 2.0, "wildcard_policy": 2.0, "privileged": 1.0, "role_grant": 1.0, "for_other": 1.0}


def _powerful_grant_evidence(view: View) -> str:
    traits = (trait.replace("_", " ") for trait in view.shape.traits if trait in GRANTS)
    how = ", ".join("to another identity" if trait == "for other" else trait for trait in traits)
    return call_sentence(view, f"grants broad permissions ({how})")


@behaviour_signal(
    "Broad permissions granted",
    ("T1098.003",),
    control="reduce_privilege",
    headline=10,
    evidence=_powerful_grant_evidence,
)
def powerful_grant(view: View) -> float:
    """A policy that allows everything, a privileged pod, a role, or credentials given to another identity.

    Weight of the widest grant, plus the bits by which the call is new; 0 where nothing was granted.
    """
    widest = max((GRANTS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return widest + view.action if widest else 0.0


@behaviour_signal(
    "Permissions or trust policy changed",
    ("T1098.003",),
    control="reduce_privilege",
    headline=25,
    evidence=lambda view: call_sentence(view, "changes permissions or a trust policy"),
)
def trust_change(view: View) -> float:
    """Grants permissions or changes who is trusted.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "trust_change")


@behaviour_signal(
    "Remote access to hosts opened",
    ("T1021.007",),
    control="reduce_privilege",
    headline=14,
    evidence=lambda view: call_sentence(view, "opens remote access to hosts"),
)
def remote_access(view: View) -> float:
    """Opens a way into hosts: commands, sessions, serial consoles.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "remote_access")
