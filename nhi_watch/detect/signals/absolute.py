"""What needs no history: rates within an hour, acts that are severe for any identity, and several such signs at once.

On a tenant's first day everything is new, so novelty says nothing. These values are made of facts and amounts alone:
they are the same on the first day and on the hundredth. Habits then say how usual a value is for an identity and a
tenant: a deployment that grants administrator rights each day has that as a habit, a theft has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import log2
from typing import Any, NamedTuple

from nhi_watch.context import actions
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.signals._kit import (
    EpisodeView,
    Signal,
    View,
    behaviours_of,
    build_signal,
    by_hand,
    call_sentence,
    facts,
    listing,
    of_targets,
    scattered,
    signal,
    times,
)

# ---- rates: the busiest hour of the day

Hour = dict[str, int]
"""What was called within an hour → how often."""
DATA = frozenset(
    {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "github:git.clone",
        "storage.googleapis.com:objects.get",
    }
)
"""Calls that read data, besides those that the tables have under exfiltration."""
SECRETS = "secret_reading"


def _is_secret(view: View) -> bool:
    """Also one that was refused: who asks for dozens does not know which he may have."""
    return SECRETS in view.facts.classes


def _is_data(view: View) -> bool:
    reads = view.key.access in ("read", "list") and "exfiltration" in view.facts.tactics
    return view.let_in and (reads or view.key.action in DATA) and SECRETS not in view.facts.classes


def _is_refused(view: View) -> bool:
    return view.key.outcome == "denied" and not by_hand(view.key)


def _is_own_call(view: View) -> bool:
    """A page of a console makes dozens of calls by itself; what others do to an identity is no call of its own."""
    return not by_hand(view.key) and _is_own_act(view)


def _by_hour(episode: EpisodeView, counts: Callable[[View], bool]) -> tuple[int, Hour]:
    """The hour with the most kinds of calls, then with the most calls."""
    hours: dict[int, Hour] = {}
    for view in episode.views:
        if counts(view):
            action = view.key.action
            for b in view.behaviours:
                calls = hours.setdefault(b.hour, {})
                calls[action] = calls.get(action, 0) + b.count
    return max(hours.items(), key=lambda item: (len(item[1]), sum(item[1].values()), -item[0]), default=(0, {}))


def _rate(
    name: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    meaning: str,
    counts: str,
    counted: Callable[[View], bool],
    says: Callable[[int, Hour], str],
    least: int,
    **more: Any,
) -> Signal:
    """Of how many kinds of calls an hour holds: log2(1 + number) from `least` on."""

    def value(episode: EpisodeView) -> float:
        if len(episode.views) < least:  # no hour holds more kinds than the day has shapes
            return 0.0
        kinds = len(_by_hour(episode, counted)[1])
        return log2(1 + kinds) if kinds >= least else 0.0

    def backing(episode: EpisodeView) -> list[Behaviour]:
        hour, _ = _by_hour(episode, counted)
        return [b for view in episode.views if counted(view) for b in view.behaviours if b.hour == hour]

    return build_signal(
        name,
        "episode",
        title,
        frameworks,
        control,
        value,
        meaning,
        counts,
        lambda episode: says(*_by_hour(episode, counted)),
        backing=backing,
        on_ordinary_days=True,
        needs_history=False,
        **more,
    )


def _hour(hour: int) -> str:
    return f"from {hour % 24:02}:00 to {(hour + 1) % 24:02}:00 UTC"


TABLE: tuple[Signal, ...] = (
    _rate(
        "refused_in_hour",
        "Many kinds of calls refused within an hour",
        ("T1087.004", "T1580"),
        "rotate_secret",
        "Tries many different calls within an hour and is refused, as an intruder who tries out a credential.",
        "log2(1 + number of kinds of calls refused for lack of permission within the same hour), from 4 on; console "
        "sessions aside.",
        _is_refused,
        lambda hour, counts: f"{len(counts)} kinds of calls refused {_hour(hour)}: {listing(list(counts))}",
        4,
        headline=26,
    ),
    _rate(
        "kinds_in_hour",
        "Many kinds of calls within an hour",
        ("T1526", "T1580"),
        "rotate_secret",
        "Makes many different calls within an hour: machines repeat a few; deployment and discovery tools do not.",
        "log2(1 + number of kinds of calls within the same hour), from 8 on; console sessions aside.",
        _is_own_call,
        lambda hour, counts: f"{len(counts)} kinds of calls {_hour(hour)}: {listing(list(counts))}",
        8,
    ),
)


class _Amount(NamedTuple):
    """The hour in which most is read."""

    hour: int
    number: int
    views: list[View]

    @property
    def behaviours(self) -> list[Behaviour]:
        """What reads it."""
        return [b for view in self.views for b in view.behaviours if b.hour == self.hour]


def _amount(episode: EpisodeView, counts: Callable[[View], bool], of: Callable[[Behaviour], int]) -> _Amount:
    hours: dict[int, int] = {}
    views = [view for view in episode.views if counts(view)]
    for view in views:
        for b in view.behaviours:
            hours[b.hour] = hours.get(b.hour, 0) + of(b)
    hour, count = max(hours.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
    return _Amount(hour, count, [view for view in views if any(b.hour == hour for b in view.behaviours)])


def _secrets(episode: EpisodeView) -> _Amount:
    """Distinct secrets; where a record names none, it is one."""
    return _amount(episode, _is_secret, lambda b: max(1, b.touched))


def _objects(episode: EpisodeView) -> _Amount:
    return _amount(episode, _is_data, lambda b: b.count)


def _amount_sentence(amount: _Amount, what: str) -> str:
    calls = listing([view.key.action for view in amount.views], 2)
    targets = [target for b in amount.behaviours for target in b.targets]
    of = f" of {listing(targets, 2)}" if targets else ""
    return f"{times(amount.number, what)} {_hour(amount.hour)} by {calls}{of}"


def _amount_signal(
    name: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    meaning: str,
    counts: str,
    amount_of: Callable[[EpisodeView], _Amount],
    what: str,
    verb: str,
    least: int,
    headline: int,
) -> Signal:
    """Of how much an hour holds: log2(1 + number) from `least` on."""

    def value(episode: EpisodeView) -> float:
        number = amount_of(episode).number
        return log2(1 + number) if number >= least else 0.0

    return build_signal(
        name,
        "episode",
        title,
        frameworks,
        control,
        value,
        meaning,
        counts,
        lambda episode: _amount_sentence(amount_of(episode), what),
        phrase=lambda episode: f"{times(amount_of(episode).number, what)} {verb}within an hour",
        backing=lambda episode: amount_of(episode).behaviours,
        headline=headline,
        on_ordinary_days=True,
        needs_history=False,
    )


TABLE += (
    _amount_signal(
        "secrets_in_hour",
        "Many secrets requested within an hour",
        ("T1555.006", "T1552.007"),
        "rotate_secret",
        "Asks for many secrets, parameters or passwords within an hour: a workload needs a few, a thief takes all.",
        "log2(1 + number of distinct secrets asked for within the same hour, refused or not), from 4 on.",
        _secrets,
        "secret",
        "requested ",
        4,
        19,
    ),
    _amount_signal(
        "objects_in_hour",
        "Many objects read within an hour",
        ("T1530", "T1119"),
        "reduce_privilege",
        "Reads hundreds of objects, rows, mails or repositories within an hour.",
        "log2(1 + number of reads of data within the same hour), from 32 on.",
        _objects,
        "data read",
        "",
        32,
        28,
    ),
)


# ---- acts that are severe for any identity

GRAVITY = {
    "log_stopped": 4.0, "own_key": 4.0, "cluster_power": 3.0, "federation": 3.0, "opened": 3.0,
    "token_of_another": 3.0, "second_factor": 2.0, "secrets_at_once": 2.0, "system_space": 2.0, "code_door": 2.0,
    "pod_shell": 2.0, "large_machines": 2.0, "host_entered": 1.0, "copied_out": 1.0, "destroyed": 1.0,
}  # fmt: skip
"""By kind of act of `calls.json`: how little of it a working day of anybody needs."""
TRAIT_WORDS = {"open_ingress": "opens a port to the internet", "user_data": "changes what a machine runs at its start"}
FOR_OTHER, CREATED = "for_other", "credential_creation"
RUNS = frozenset({"ssm:SendCommand", "ssm:StartAutomationExecution", "ecs:ExecuteCommand"})
OTHERS = 2.0
"""The weight of all that is no kind of act: a credential made for another, commands run on hosts, TRAIT_WORDS."""


def _grave(view: View) -> Mapping[str, float]:
    """What a view does that is grave, in words → its weight."""
    key = view.key
    return _grave_acts(key.service, key.action, key.traits, view.let_in)


@lru_cache(maxsize=4096)
def _grave_acts(service: str, action: str, traits: tuple[str, ...], let_in: bool) -> Mapping[str, float]:
    if DONE_TO in traits:
        return {}
    known = facts(service, action, traits)
    gravities = {act.says: GRAVITY[act.kind] for act in known.acts if act.kind in GRAVITY}
    gravities.update((says, OTHERS) for mark, says in TRAIT_WORDS.items() if mark in traits)
    if FOR_OTHER in traits and CREATED in known.classes:
        gravities["creates a credential for another identity"] = OTHERS
    if action in RUNS:
        gravities["runs commands on hosts or in containers"] = OTHERS
    return gravities if let_in else {says: weight / 2 for says, weight in gravities.items()}


def _weights(episode: EpisodeView, weigh: Callable[[View], Mapping[str, float]]) -> dict[str, float]:
    """What the day did, in words → the most that it weighs in one of the views."""
    weights: dict[str, float] = {}
    for view in episode.views:
        for says, weight in weigh(view).items():
            if says not in weights or weight > weights[says]:
                weights[says] = weight
    return weights


def _heaviest_first(weights: Mapping[str, float]) -> list[str]:
    return sorted(weights, key=lambda says: (-weights[says], says))


def _acts_sentence(weights: Mapping[str, float], views: list[View]) -> str:
    """What weighs most, and the calls that did it."""
    calls = [view.key.action for view in views]
    return f"{'; '.join(_heaviest_first(weights)[:3])}: {listing(calls, 3)}"


def _grave_views(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if _grave(view)]


@signal(
    "episode",
    "High-impact actions",
    ("T1562.008", "T1098.003", "T1537", "T1484.002"),
    "reduce_privilege",
    on_ordinary_days=True,
    needs_history=False,
    evidence=lambda episode: _acts_sentence(_weights(episode, _grave), _grave_views(episode)),
    backing=lambda episode: behaviours_of(_grave_views(episode)),
)
def grave_kinds(episode: EpisodeView) -> float:
    """What cannot be undone or gives full access, by any actor: administrators made, logs stopped, data opened.

    Weights of the kinds of actions, added up; half where all of a kind was refused.
    """
    return float(sum(_weights(episode, _grave).values()))


# ---- a single call that is evidence by itself: what the record states of it, to whom and by whose right

SEVERE = 7.0
"""Weight from which each further act adds MORE."""
MORE = 2.0
SECOND_FACTOR = "mfa"
"""The provider says that the session has passed a second factor, which a thief of a credential does not have."""


def _severe(view: View) -> Mapping[str, float]:
    """What a view does that is severe, in words → its weight; what others do to an identity is no act of its own."""
    return _severe_acts(view.key.service, view.key.action, view.key.traits)


@lru_cache(maxsize=4096)
def _severe_acts(service: str, action: str, traits: tuple[str, ...]) -> Mapping[str, float]:
    if DONE_TO in traits:
        return {}
    acts = actions.severe(service, action.partition(":")[2], traits)
    if not acts:
        return {act.says: GRAVITY[act.kind] for act in facts(service, action, traits).acts if act.kind in GRAVITY}
    part = 0.5 if SECOND_FACTOR in traits else 1.0
    return {act.says: part * act.weight for act in acts}


def severest_done(episode: EpisodeView) -> tuple[str, float]:
    """The severest act that succeeded, in words, and its weight; "", 0.0: there is none."""
    weights = _weights(episode, lambda view: _severe(view) if view.let_in else {})
    return next(((says, weights[says]) for says in _heaviest_first(weights)), ("", 0.0))


def _severest(episode: EpisodeView) -> list[View]:
    """The views that do what weighs most."""
    most = max(_weights(episode, _severe).values(), default=0.0)
    return [view for view in episode.views if most and most in _severe(view).values()]


def _severest_phrase(episode: EpisodeView) -> str:
    says, views = _heaviest_first(_weights(episode, _severe))[0], _severest(episode)
    return f"{says} ({listing([view.key.action for view in views], 1)}{of_targets(behaviours_of(views))})"


@signal(
    "episode",
    "Severe action",
    ("T1562.008", "T1098.003", "T1537", "T1484.002"),
    "reduce_privilege",
    headline=4,
    on_ordinary_days=True,
    needs_history=False,
    evidence=lambda episode: _acts_sentence(_weights(episode, _severe), _severest(episode)),
    phrase=_severest_phrase,
    backing=lambda episode: behaviours_of(_severest(episode)),
)
def severest_act(episode: EpisodeView) -> float:
    """Does what ordinary work hardly ever needs: an audit trail stopped, an administrator made, data made public.

    Weight of the severest act of the day, refused or not, from 1 to 10, half in a session that has passed a second
    factor; 2 more for each further act of 7 or above.
    """
    weights = sorted(_weights(episode, _severe).values())
    return weights[-1] + MORE * sum(weight >= SEVERE for weight in weights[:-1]) if weights else 0.0


CHANGES = frozenset({"write", "permissions", "tagging", "cost"})
OTHER_CHANGES = 1
"""More other kinds of changes than these within the hour are a deployment's, or an administrator's at work."""


def _busy_hours(episode: EpisodeView) -> set[int]:
    """The hours in which the identity also made several ordinary changes, and was let in."""
    kinds: dict[int, set[str]] = {}
    for view in episode.views:
        if view.let_in and view.key.access in CHANGES and _is_own_act(view) and not _severe(view):
            for b in view.behaviours:
                kinds.setdefault(b.hour, set()).add(view.key.action)
    return {hour for hour, calls in kinds.items() if len(calls) > OTHER_CHANGES}


def _is_own_act(view: View) -> bool:
    return DONE_TO not in view.key.traits


def _alone(episode: EpisodeView) -> dict[View, list[Behaviour]]:
    """The severe acts of other hours, with their behaviours."""
    severe = [view for view in episode.views if _severe(view)]
    busy = _busy_hours(episode) if severe else set()
    alone = {view: [b for b in view.behaviours if b.hour not in busy] for view in severe}
    return {view: behaviours for view, behaviours in alone.items() if behaviours}


def _heaviest_alone(episode: EpisodeView) -> list[View]:
    """The views that do what weighs most of it."""
    weights = {view: max(_severe(view).values()) for view in _alone(episode)}
    return [view for view, weight in weights.items() if weight == max(weights.values())]


def _weights_alone(episode: EpisodeView) -> dict[str, float]:
    return {says: weight for view in _heaviest_alone(episode) for says, weight in _severe(view).items()}


@signal(
    "episode",
    "Severe action by itself",
    ("T1562.008", "T1098.003", "T1537"),
    "reduce_privilege",
    on_ordinary_days=True,
    needs_history=False,
    evidence=lambda episode: (
        f"{_acts_sentence(_weights_alone(episode), _heaviest_alone(episode))}, with hardly any "
        "other change within the hour"
    ),
    backing=lambda episode: [b for view in _heaviest_alone(episode) for b in _alone(episode)[view]],
)
def severe_alone(episode: EpisodeView) -> float:
    """Does something severe and hardly anything else: deployments and administrators do it among many other changes.

    Weight of the severest act, see severest_act, in an hour with at most one kind of other change that was let in.
    """
    return max((max(_severe(view).values()) for view in _alone(episode)), default=0.0)


LOGS = "log_stopped"
NO_LOG = "k8s"
"""Events of a cluster are deleted with the namespace that they are about, each day and by the cluster itself."""


def _stopping(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.facts.acts and view.key.service != NO_LOG and _stops(view)]


def _stops(view: View) -> bool:
    return any(act.kind == LOGS for act in view.facts.acts)


@signal(
    "episode",
    "Logs or protection stopped",
    ("T1562.008",),
    "reduce_privilege",
    headline=5,
    on_ordinary_days=True,
    needs_history=False,
    becomes_habit=False,
    evidence=lambda episode: f"stops or deletes a log, a detector or another protection: {_stopped(episode)}",
    phrase=lambda episode: f"stopped or deleted a log, a detector or another protection ({_stopped(episode)})",
    backing=lambda episode: behaviours_of(_stopping(episode)),
)
def logs_stopped(episode: EpisodeView) -> float:
    """Stops, deletes or narrows a log, a detector or another protection. Never ordinary, however often it happens.

    2 plus log2 of the number of kinds of calls; half of that where all were refused or failed; else 0.
    """
    views = _stopping(episode)
    done = [view for view in views if view.let_in]
    kinds = len({view.key.action for view in done or views})
    return (2.0 + log2(kinds)) / (1 if done else 2) if kinds else 0.0


def _stopped(episode: EpisodeView) -> str:
    return listing([view.key.action for view in _stopping(episode)], 3)


RISKY = {
    "tenant_wide": 2.0,
    "lookalike": 4.0,
    "mail_and_files": 2.0,
    "broad_scope": 1.0,
    "offline_access": 1.0,
    "admin_policy": 2.0,
}
"""What was allowed to an app: for everybody, to one that is named like a vendor, to read mail and files."""
ALLOWED = frozenset({"consent", "scope_growth", "broad_scope"})


def _risky_consent(view: View) -> str:
    traits = [trait.replace("_", " ") for trait in view.key.traits if trait in RISKY]
    return f"{view.key.action} allows an app: {listing(traits, 6)}"


@signal(
    "behaviour",
    "Wide consent to an app",
    ("T1528", "NHI3:2025"),
    "reduce_privilege",
    needs_history=False,
    evidence=_risky_consent,
)
def risky_consent(view: View) -> float:
    """An app is allowed what gives it everybody's data, or has a name made to be mistaken for a vendor's.

    Weights of what was allowed, added up; 0 where nothing was allowed.
    """
    traits = view.key.traits
    allowed = view.let_in and not ALLOWED.isdisjoint(traits)
    return sum(RISKY.get(trait, 0.0) for trait in traits) if allowed else 0.0


LOOKALIKE = "lookalike"


@signal(
    "behaviour",
    "Consent to a look-alike app",
    ("T1528", "NHI3:2025"),
    "reduce_privilege",
    headline=4,
    needs_history=False,
    becomes_habit=False,
    evidence=lambda view: call_sentence(view, "allows an app whose name is made to be mistaken for a vendor's"),
)
def lookalike_consent(view: View) -> float:
    """An app whose name is made to be mistaken for a vendor's is allowed to read mail, files or everybody's data.

    1, plus the weights of what was allowed; 0 where the name is its own, or nothing wide was allowed.
    """
    traits = view.key.traits
    if LOOKALIKE not in traits or ALLOWED.isdisjoint(traits) or not view.let_in:
        return 0.0
    wide = sum(RISKY[trait] for trait in traits if trait in RISKY and trait != LOOKALIKE)
    return 1.0 + wide if wide else 0.0


# ---- several of these signs at once

PLACES = {"tor": 3.0, "bad": 3.0, "vpn": 2.0}
MANY_REFUSED, MANY_SECRETS, MANY_OBJECTS = 12, 10, 100
"""Within an hour, of nobody in the benign logs that were at hand; each doubling adds one, up to 3."""


AGREES = 2.0
"""What each sign beyond the second adds: they do not depend on each other, and three have no ordinary day in common."""


def _over(number: int, many: int) -> float:
    return min(3.0, log2(number / many)) if number > many else 0.0


def _signs(episode: EpisodeView) -> dict[str, float]:
    """Family of signs → its weight: of a place, a tool, deeds, amounts, and what is allowed to an app."""
    place = max((PLACES.get(view.network_facts.kind, 0.0) for view in episode.views), default=0.0)
    traits = {trait for view in episode.views for trait in view.key.traits}
    refused = len(_by_hour(episode, _is_refused)[1])
    consents = max((risky_consent.value(view) or 0.0 for view in episode.views if view.key.traits), default=0.0)
    signs = {
        "an anonymous network": place,
        "a listed address": 2.0 if "listed" in traits else 0.0,
        "a session in two places": 2.0 if scattered(episode) else 0.0,
        "a machine's session outside AWS": 3.0 if "instance_outside" in traits else 0.0,
        "an attack tool": 3.0 if "attack_tool" in traits else 0.0,
        "high-impact actions": min(4.0, sum(_weights(episode, _grave).values())),
        "many refused calls": _over(refused, MANY_REFUSED),
        "many secrets": _over(_secrets(episode).number, MANY_SECRETS),
        "many objects": _over(_objects(episode).number, MANY_OBJECTS),
        "a wide consent": min(4.0, consents),
    }
    return {name: weight for name, weight in signs.items() if weight}


@signal(
    "episode",
    "Several signs of an intrusion at once",
    ("T1078.004",),
    "rotate_secret",
    on_ordinary_days=True,
    needs_history=False,
    backing=EpisodeView.behaviours,
    evidence=lambda episode: f"{listing(list(_signs(episode)), 5)} on one day",
)
def blatant(episode: EpisodeView) -> float:
    """Several signs together that need no history: a place, a tool, grave actions, amounts, consents.

    Weights of the signs, added up, 2 more for each beyond the second; 0 for a single one.
    """
    signs = _signs(episode)
    return sum(signs.values()) + AGREES * (len(signs) - 2) if len(signs) > 1 else 0.0
