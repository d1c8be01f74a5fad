"""More power: roles and tokens of others, grants, tests of what is allowed, ways into hosts."""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import AS, BEHALF, DONE_TO
from nhi_watch.detect.signals._kit import (
    ENOUGH,
    KNOWN_DAYS,
    NOVEL,
    ORDINARY,
    EpisodeView,
    Named,
    View,
    behaviours_of,
    call_sentence,
    calls_of,
    counted,
    expected,
    in_words,
    is_young,
    kind_of_call,
    last_part,
    listing,
    marked,
    signal,
    times,
)


def _refused(episode: EpisodeView) -> Named:
    return calls_of(view for view in episode.views if view.key.outcome == "denied" and view.error >= ORDINARY)


def _refused_phrase(episode: EpisodeView) -> str:
    refused = _refused(episode)
    calls, kinds = sum(b.count for _, b in refused), len(dict(refused))
    kinds_text = f", {times(kinds, 'kind')}" if calls > kinds else ""
    return f"{times(calls, 'call')} refused{kinds_text} for the first time"


TABLE = (
    kind_of_call(
        "identity_probe",
        "Checks its own identity and permissions",
        ("T1087.004",),
        "rotate_secret",
        "looks around the account or at its own permissions",
        "Asks who it is and what it may do: an intruder's first step.",
    ),
    kind_of_call(
        "trust_change",
        "Permissions or trust policy changed",
        ("T1098.003",),
        "reduce_privilege",
        "changes permissions or a trust policy",
        "Grants permissions or changes who is trusted.",
        headline=25,
    ),
    kind_of_call(
        "remote_access",
        "Remote access to hosts opened",
        ("T1021.007",),
        "reduce_privilege",
        "opens remote access to hosts",
        "Opens access to hosts: commands, sessions, serial consoles.",
        headline=14,
    ),
    counted(
        "permission_probing",
        "Calls refused for the first time",
        ("T1087.004", "T1580"),
        "rotate_secret",
        "calls refused for the first time",
        "Many different calls are refused that were never refused before.",
        "log2(1 + number of distinct calls newly refused).",
        _refused,
        headline=27,
        phrase=_refused_phrase,
    ),
)


def _permission_test(view: View) -> str:
    return f"{view.key.action} is a dry run or invalid request ({view.key.error}), which tests permissions"


@signal("behaviour", "Permission test", ("T1526", "AML.CS0030"), "rotate_secret", evidence=_permission_test)
def permission_test(view: View) -> float:
    """A call made only to learn whether it is allowed.

    1 plus the bits by which the call is new, for a dry run or an invalid request; else 0.
    """
    return 1.0 + view.action if "probe" in view.key.traits and (view.action or view.error) else 0.0


TRAITS = frozenset({"impersonation", "token_minted"})
"""Traits of what assuming a role is called elsewhere: acting as another, a token made for another."""
SELDOM = 1 / 16
"""Of how many new ones a day is expected, before any was seen, that somebody is impersonated for the first time."""


def _whom(view: View) -> list[str]:
    """Whom it impersonates, and which groups, for the first time."""
    known = view.baseline.own.dimension(BEHALF).values
    links = {link for b in view.behaviours for link in b.links if link.startswith(AS) and link not in known}
    return sorted(link.removeprefix(AS) for link in links)


def _whom_bits(view: View) -> float:
    """How seldom it impersonates somebody new; 0 where it does not, and while its habits are not known."""
    own = view.baseline.own
    if own.days < KNOWN_DAYS or not _whom(view):
        return 0.0
    usual = sum(link.startswith(AS) for link in own.dimension(BEHALF).values)
    return max(0.0, log2((own.days + 1) / (usual + SELDOM)))


def _impersonation(view: View) -> str:
    if _whom_bits(view) <= view.action:
        return call_sentence(view, "acts as another identity or issues tokens for it")
    return f"{view.key.action} as {listing(_whom(view))}: impersonated for the first time"


@signal(
    "behaviour", "Acts as another identity", ("T1550.001",), "reduce_privilege", headline=23, evidence=_impersonation
)
def impersonation(view: View) -> float:
    """Acts as another identity, or makes tokens for one, as this identity does not do.

    Bits by which the call, or whom it impersonates, is new for the identity.
    """
    return max(0.0 if TRAITS.isdisjoint(view.key.traits) else view.action, _whom_bits(view))


def _roles(episode: EpisodeView) -> Named:
    roles = [
        (target, b)
        for view in episode.views
        if view.key.action.startswith("sts:Assume") or not TRAITS.isdisjoint(view.key.traits)
        for b in view.behaviours
        for target in view.new_targets(b)
    ]
    return sorted(roles, key=lambda pair: (pair[0], pair[1].first, pair[1].key))


@signal(
    "episode",
    "New role assumed",
    ("T1548.005", "T1550.001"),
    "reduce_privilege",
    headline=26,
    on_ordinary_days=True,
    evidence=lambda episode: f"assumes for the first time: {listing([role for role, _ in _roles(episode)], 2)}",
    phrase=lambda episode: f"first use of {listing([last_part(role) for role, _ in _roles(episode)], 1)}",
    backing=lambda episode: [b for _, b in _roles(episode)],
)
def role_chaining(episode: EpisodeView) -> float | None:
    """Assumes roles, or gets tokens of accounts, that this identity did not take before.

    log2(1 + number of new roles); None without history.
    """
    return None if is_young(episode) else log2(1 + len(dict(_roles(episode))))


def _users(episode: EpisodeView) -> Named:
    known = episode.baseline.own.dimension(BEHALF).values
    links = ((link, b) for view in episode.views for b in view.behaviours for link in b.links)
    return [(link, b) for link, b in links if link.startswith(BEHALF) and not link.startswith(AS) and link not in known]


def _for_another(episode: EpisodeView) -> str:
    people = [person.removeprefix(BEHALF) for person, _ in _users(episode)]
    return f"users on whose behalf it acts for the first time ({len(set(people))}): {listing(people, 2)}"


@signal(
    "episode",
    "Acts on behalf of a new user",
    ("T1550.001", "NHI5:2025"),
    "reduce_privilege",
    headline=35,
    on_ordinary_days=True,
    evidence=_for_another,
    backing=lambda episode: [b for _, b in _users(episode)],
)
def for_another(episode: EpisodeView) -> float | None:
    """An app, or an AI agent, acts on behalf of a user for whom it never acted.

    log2(1 + number of persons new to it); None where its history names none for whom it acted.
    """
    new = {person for person, _ in _users(episode)}
    known = any(not link.startswith(AS) for link in episode.baseline.own.dimension(BEHALF).values)
    return None if new and (is_young(episode) or not known) else log2(1 + len(new))


@signal(
    "behaviour",
    "Cross-account call",
    ("T1199",),
    "reduce_privilege",
    evidence=lambda view: f"{view.key.action} is a cross-account call",
)
def across_accounts(view: View) -> float:
    """The call crosses from one account into another, as this identity does not do.

    Bits by which the call is new, where the identity belongs to another account.
    """
    return view.action if "cross_account" in view.key.traits or view.key.target_class == "foreign" else 0.0


GRANTS = {"admin_policy": 2.0, "wildcard_policy": 2.0, "privileged": 1.0, "role_grant": 1.0, "for_other": 1.0}
_CALLED = {"for_other": "to another identity"}


@signal(
    "behaviour",
    "Broad permissions granted",
    ("T1098.003",),
    "reduce_privilege",
    headline=10,
    evidence=lambda view: call_sentence(view, f"grants broad permissions ({in_words(view, GRANTS, _CALLED)})"),
)
def powerful_grant(view: View) -> float:
    """A policy that allows everything, a privileged pod, a role, or credentials given to another identity.

    Weight of the widest grant, plus the bits by which the call is new; 0 where nothing was granted.
    """
    return marked(view, GRANTS)


# ---- from inside a cluster: a thief there has the account's address, program and credential, and one to three calls
# are all there is

CLUSTER = "k8s"
STEPS = frozenset({
    "cluster_power", "token_of_another", "system_space", "secrets_at_once", "pod_shell", "host_entered", "code_door",
    "secrets_taken", "workload_made", "machines", "log_stopped", "destroyed",
})  # fmt: skip
"""Kinds of acts of `calls.json` by which somebody gets from one workload to others."""
IMPERSONATES, TOKEN = "acts as somebody it never acted as", "token_minted"


class _Step(NamedTuple):
    bits: float
    views: list[View]


def _steps(episode: EpisodeView) -> dict[str, _Step]:
    """What it does for the first time, in words; refused ones too: who is established knows what it may do."""
    steps: dict[str, _Step] = {}
    for view in episode.views:
        if view.key.service != CLUSTER or view.key.identity.human or DONE_TO in view.key.traits:
            continue
        bits_by_act = {act.says: episode.baseline.bits("act", act.kind) for act in view.facts.acts if act.kind in STEPS}
        if TOKEN in view.key.traits:
            bits_by_act["issues a token"] = view.action
        bits_by_act[IMPERSONATES] = _whom_bits(view)
        for says, bits in bits_by_act.items():
            if bits >= NOVEL:
                most, views = steps.get(says, (0.0, []))
                steps[says] = _Step(max(most, bits), [*views, view])
    return steps


def _steps_sentence(episode: EpisodeView) -> str:
    steps = sorted(_steps(episode).items(), key=lambda step: (-step[1].bits, step[0]))
    calls = listing([view.key.action for _, step in steps for view in step.views], 3)
    return f"{'; '.join(says for says, _ in steps[:3])}, {expected(steps[0][1].bits)} for it and its namespace: {calls}"


def _steps_backing(episode: EpisodeView) -> list[Behaviour]:
    views = {id(view): view for step in _steps(episode).values() for view in step.views}
    return behaviours_of([*views.values()])


@signal(
    "episode",
    "New step inside a cluster",
    ("T1613", "T1610", "T1552.007", "T1078.001"),
    "reduce_privilege",
    headline=4,
    on_ordinary_days=True,
    evidence=_steps_sentence,
    backing=_steps_backing,
)
def cluster_first(episode: EpisodeView) -> float | None:
    """An established account or component of a cluster does what neither it nor its namespace did before: binds a role,
    reads secrets, opens a shell, issues a token, starts a pod, impersonates somebody.

    Bits by which the rarest such step is new for it, its namespace and the tenant, from 5 on, plus log2 of the number
    of kinds of steps; None before it is established.
    """
    if episode.baseline.own.days < ENOUGH:
        return None
    bits = [step.bits for step in _steps(episode).values()]
    return max(bits) + log2(len(bits)) if bits else 0.0
