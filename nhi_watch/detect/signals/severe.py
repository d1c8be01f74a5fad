"""Single calls that are evidence by themselves: what the record states of one act, to whom and by whose right.

`severest_act` and `lookalike_consent` need no past. `cluster_first` is about accounts and components of a cluster that
are established: from inside a cluster a thief has the account's address, program and credential, and one to three calls
are all there is.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from nhi_watch.context import actions
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.signals._kit import (
    ENOUGH,
    NOVEL,
    EpisodeView,
    View,
    behaviours_of,
    call_sentence,
    expected,
    last_part,
    listing,
    signal,
)
from nhi_watch.detect.signals.absolute import ALLOWED, GRAVITY, RISKY
from nhi_watch.detect.signals.escalation import whom_bits

SEVERE = 7.0
"""Weight from which each further act adds MORE."""
MORE = 2.0
SECOND_FACTOR = "mfa"
"""The provider says that the session has passed a second factor: whoever took a machine's credential has none."""


def _severe(view: View) -> dict[str, float]:
    """What a view does that is severe, in words → its weight; what others do to an identity is no act of its own."""
    if DONE_TO in view.shape.traits:
        return {}
    acts = actions.severe(view.shape.service, view.shape.action.partition(":")[2], view.shape.traits)
    if not acts:
        return {act.says: GRAVITY[act.kind] for act in view.facts.acts if act.kind in GRAVITY}
    part = 0.5 if SECOND_FACTOR in view.shape.traits else 1.0
    return {act.says: part * act.weight for act in acts}


def _weights(episode: EpisodeView) -> dict[str, float]:
    found: dict[str, float] = {}
    for view in episode.views:
        for says, weight in _severe(view).items():
            found[says] = max(found.get(says, 0.0), weight)
    return found


def _severest(episode: EpisodeView) -> list[View]:
    """The views that do what weighs most."""
    most = max(_weights(episode).values(), default=0.0)
    return [view for view in episode.views if most and most in _severe(view).values()]


def _severest_sentence(episode: EpisodeView) -> str:
    said = sorted(_weights(episode).items(), key=lambda one: (-one[1], one[0]))
    calls = listing([view.shape.action for view in _severest(episode)], 3)
    return f"{'; '.join(says for says, _ in said[:3])}: {calls}"


def _severest_phrase(episode: EpisodeView) -> str:
    weights, views = _weights(episode), _severest(episode)
    says = min(weights, key=lambda act: (-weights[act], act))
    touched = [last_part(target) for b in behaviours_of(views) for target in b.targets]
    of = f" of {listing(touched, 1)}" if touched else ""
    return f"{says} ({listing([view.shape.action for view in views], 1)}{of})"


@signal(
    "episode", "Severe action", ("T1562.008", "T1098.003", "T1537", "T1484.002"), "reduce_privilege", headline=4,
    on_ordinary_days=True, needs_past=False, evidence=_severest_sentence,
    phrase=_severest_phrase,
    backing=lambda episode: behaviours_of(_severest(episode)),
)  # fmt: skip
def severest_act(episode: EpisodeView) -> float:
    """Does what ordinary work hardly ever needs: an audit trail stopped, an administrator made, data made public.

    Weight of the severest act of the day, refused or not, from 1 to 10, half in a session that has passed a second
    factor; 2 more for each further act of 7 or above.
    """
    weights = sorted(_weights(episode).values())
    return weights[-1] + MORE * sum(weight >= SEVERE for weight in weights[:-1]) if weights else 0.0


LOOKALIKE = "lookalike"


@signal("behaviour", "Consent to a look-alike app", ("T1528", "NHI3:2025"), "reduce_privilege",
        headline=4, needs_past=False, becomes_habit=False,
        evidence=lambda view: call_sentence(view, "allows an app whose name is made to be mistaken for a vendor's"),
        )  # fmt: skip
def lookalike_consent(view: View) -> float:
    """An app whose name is made to be mistaken for a vendor's is allowed to read mail, files or everybody's data.

    1, plus the weights of what was allowed; 0 where the name is its own, or nothing wide was allowed.
    """
    traits = view.shape.traits
    if LOOKALIKE not in traits or ALLOWED.isdisjoint(traits) or not view.let_in:
        return 0.0
    wide = sum(RISKY[trait] for trait in traits if trait in RISKY and trait != LOOKALIKE)
    return 1.0 + wide if wide else 0.0


# ---- from inside a cluster

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
    found: dict[str, _Step] = {}
    for view in episode.views:
        if view.shape.service != CLUSTER or view.shape.identity.human or DONE_TO in view.shape.traits:
            continue
        told = {act.says: episode.past.bits("act", act.kind) for act in view.facts.acts if act.kind in STEPS}
        if TOKEN in view.shape.traits:
            told["issues a token"] = view.action
        told[IMPERSONATES] = whom_bits(view)
        for says, bits in told.items():
            if bits >= NOVEL:
                most, views = found.get(says, (0.0, []))
                found[says] = _Step(max(most, bits), [*views, view])
    return found


def _steps_sentence(episode: EpisodeView) -> str:
    found = sorted(_steps(episode).items(), key=lambda one: (-one[1].bits, one[0]))
    calls = listing([view.shape.action for _, step in found for view in step.views], 3)
    return f"{'; '.join(says for says, _ in found[:3])}, {expected(found[0][1].bits)} for it and its namespace: {calls}"


def _steps_backing(episode: EpisodeView) -> list[Behaviour]:
    views = {id(view): view for step in _steps(episode).values() for view in step.views}
    return behaviours_of([*views.values()])


@signal(
    "episode", "New step inside a cluster", ("T1613", "T1610", "T1552.007", "T1078.001"), "reduce_privilege",
    headline=4, on_ordinary_days=True, evidence=_steps_sentence, backing=_steps_backing,
)  # fmt: skip
def cluster_first(episode: EpisodeView) -> float | None:
    """An established account or component of a cluster does what neither it nor its namespace did before: binds a role,
    reads secrets, opens a shell, issues a token, starts a pod, impersonates somebody.

    Bits by which the rarest such step is new for it, its namespace and the tenant, from 5 on, plus log2 of the number
    of kinds of steps; None before it is established.
    """
    if episode.past.own.days < ENOUGH:
        return None
    bits = [step.bits for step in _steps(episode).values()]
    return max(bits) + log2(len(bits)) if bits else 0.0
