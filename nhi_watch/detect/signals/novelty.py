"""What is new for the identity: calls, services, refusals, hours, and how they follow each other."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import ORDINARY, EpisodeView, Past, View
from nhi_watch.detect.signals._kit import (
    above,
    behaviour_signal,
    behaviours_of,
    call_sentence,
    episode_signal,
    in_the_tenant,
    listing,
    novel_views,
    rarity,
    times,
    unknown,
)
from nhi_watch.state.baseline import bits


@behaviour_signal(
    "New call",
    (),
    control="reduce_privilege",
    dimension="action",
    evidence=lambda view: f"{view.shape.action} is {rarity(view.action)} for this identity",
)
def new_action(view: View) -> float:
    """A call that the identity has not made before, given what peers, tenant and world do.

    Surprisal in bits.
    """
    return view.action


@behaviour_signal(
    "New service",
    (),
    control="reduce_privilege",
    dimension="service",
    evidence=lambda view: f"service {view.shape.service} is {rarity(view.service)} for this identity",
)
def new_service(view: View) -> float:
    """A service that the identity has not used before.

    Surprisal in bits.
    """
    return view.service


def _new_error_evidence(view: View) -> str:
    return f"{view.shape.action} fails with {view.shape.error}: {rarity(view.error)} for this identity"


@behaviour_signal(
    "New refusal or failure",
    (),
    control="reduce_privilege",
    evidence=_new_error_evidence,
)
def new_error(view: View) -> float:
    """A refusal or failure that is new for the identity; one that always fails is no news.

    Surprisal in bits.
    """
    return view.error


@behaviour_signal(
    "Call rare in the tenant",
    (),
    control="reduce_privilege",
    dimension="action",
    evidence=lambda view: f"call {in_the_tenant(view, 'action', view.shape.action)}",
)
def unknown_call(view: View) -> float | None:
    """A call that is new not only for the identity: hardly anybody in the tenant makes it.

    Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt.
    """
    return unknown(view, "action", view.shape.action)


HARMLESS = frozenset({"identity_probe"})
"""Asking who one is is common among the well-behaved; it has a signal of its own."""


def _sensitive_novelty_evidence(view: View) -> str:
    kinds = ", ".join(sorted(name.replace("_", " ") for name in view.facts.classes - HARMLESS))
    return call_sentence(view, f"is sensitive ({kinds})")


@behaviour_signal(
    "New sensitive call",
    (),
    control="reduce_privilege",
    dimension="action",
    evidence=_sensitive_novelty_evidence,
)
def sensitive_novelty(view: View) -> float:
    """The newest sensitive call of the day, whatever its kind: what rare kinds have in common is learnt together.

    Bits by which a call of any sensitivity class is new; half where it was refused.
    """
    if not view.facts.classes - HARMLESS:
        return 0.0
    return view.action if view.shape.outcome == "success" else view.action / 2


CAP = 8.0


_CALLED = {"action": "call", "owner": "network operator", "agent": "client"}
"""What people call a dimension."""


def _joint_novelty_evidence(view: View) -> str:
    names = ("action", "owner", "network", "agent", "region", "service")
    new, own, owner = [name for name in names if getattr(view, name)], view.past.own, view.network_facts.owner
    came = any(own.knows(name, owner if name == "owner" else getattr(view.shape, name), False) for name in new)
    called = [_CALLED.get(name, name) for name in new]
    told = " and ".join(filter(None, [", ".join(called[:-1]), *called[-1:]])) or "nothing"
    together = " together" if len(new) > 1 else ""
    if came:
        return f"{view.shape.action}: {told}{together} new, or seldom before"
    return f"{view.shape.action}: first time for {told}{together}"


@behaviour_signal(
    "New in several ways at once",
    ("T1078.004",),
    control="rotate_secret",
    evidence=_joint_novelty_evidence,
)
def joint_novelty(view: View) -> float:
    """New in several dimensions at once: call, place, program, region.

    Sum of the bits of each dimension, each cut at 8.
    """
    told = (view.action, view.owner, view.network * 0.5, view.agent, view.region, view.service * 0.5)
    return sum(min(bits, CAP) for bits in told)


def _novel_actions_evidence(episode: EpisodeView) -> str:
    actions = [view.shape.action for view in novel_views(episode)]
    return f"calls new for this identity ({len(set(actions))}): {listing(actions)}"


@episode_signal(
    "Many new calls",
    (),
    control="reduce_privilege",
    dimension="action",
    evidence=_novel_actions_evidence,
    backing=lambda episode: behaviours_of(novel_views(episode)),
)
def novel_actions(episode: EpisodeView) -> float:
    """How many calls of the day are new for the identity.

    log2(1 + number of new calls).
    """
    return log2(1 + len({view.shape.action for view in novel_views(episode)}))


def _sensitive(episode: EpisodeView) -> list[View]:
    return [view for view in novel_views(episode) if view.facts.classes]


def _novel_classes_evidence(episode: EpisodeView) -> str:
    classes = [name.replace("_", " ") for view in _sensitive(episode) for name in view.facts.classes]
    return f"new sensitive calls: {listing(classes)}"


@episode_signal(
    "New kinds of sensitive calls",
    (),
    control="reduce_privilege",
    evidence=_novel_classes_evidence,
    backing=lambda episode: behaviours_of(_sensitive(episode)),
)
def novel_classes(episode: EpisodeView) -> float:
    """How many kinds of sensitive calls are new in the day.

    Number of distinct sensitivity classes among the new calls.
    """
    return float(len({name for view in _sensitive(episode) for name in view.facts.classes}))


HOURS = 2
"""New calls seen in more hours than this have come to stay."""


def _fleeting(episode: EpisodeView) -> list[View]:
    hours: dict[str, set[int]] = {}
    new = novel_views(episode)
    for view in new:
        hours.setdefault(view.shape.action, set()).update(b.hour for b in view.behaviours)
    return [view for view in new if len(hours[view.shape.action]) <= HOURS]


def _fleeting_calls_evidence(episode: EpisodeView) -> str:
    actions = [view.shape.action for view in _fleeting(episode)]
    return f"first-time calls, seen only briefly ({len(set(actions))}): {listing(actions)}"


@episode_signal(
    "First-time calls, seen only briefly",
    (),
    control="rotate_secret",
    evidence=_fleeting_calls_evidence,
    backing=lambda episode: behaviours_of(_fleeting(episode)),
)
def fleeting_calls(episode: EpisodeView) -> float:
    """New calls that come once and do not return: new software repeats its calls, an intruder looks around.

    log2(1 + number of distinct new calls seen in at most two hours of the day).
    """
    return round(log2(1 + len({view.shape.action for view in _fleeting(episode)})), 2)


def _looks(episode: EpisodeView) -> list[View]:
    return [v for v in novel_views(episode) if v.shape.access in ("list", "read") and not v.quiet]


def _slow_discovery_evidence(episode: EpisodeView) -> str:
    views = _looks(episode)
    hours = {b.hour for view in views for b in view.behaviours}
    return f"first-time discovery calls in {len(hours)} different hours: {listing([v.shape.action for v in views])}"


@episode_signal(
    "Slow discovery",
    ("T1580", "T1526"),
    control="reduce_privilege",
    evidence=_slow_discovery_evidence,
    backing=lambda episode: behaviours_of(_looks(episode)),
)
def slow_discovery(episode: EpisodeView) -> float:
    """New listing and describing calls, spread thinly over many hours.

    Number of hours with new discovery calls, beyond the first two.
    """
    hours = {b.hour for view in _looks(episode) for b in view.behaviours}
    return float(max(0, len(hours) - 2))


def _new(episode: EpisodeView) -> list[View]:
    return above(list(episode.views), "service")


def _service_fan_out_evidence(episode: EpisodeView) -> str:
    names = [view.shape.service for view in _new(episode)]
    return f"new services in one day ({len(set(names))}): {listing(names)}"


@episode_signal(
    "Many new services",
    ("T1526",),
    control="reduce_privilege",
    dimension="service",
    evidence=_service_fan_out_evidence,
    backing=lambda episode: behaviours_of(_new(episode)),
)
def service_fan_out(episode: EpisodeView) -> float | None:
    """Uses several services that are new for the identity.

    Number of services that are new for the identity; None before anything was learnt.
    """
    return None if episode.past.blank else float(len({view.shape.service for view in _new(episode)}))


ORDER = ("recon", "credential", "execution", "privilege", "persistence", "lateral", "evasion", "exfiltration", "impact")


RANK = {tactic: rank for rank, tactic in enumerate(ORDER)}


def _steps(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    steps = [(tactic, b) for v in novel_views(episode) for tactic in v.facts.tactics for b in v.behaviours]
    return sorted(steps, key=lambda step: (step[1].first, RANK.get(step[0], 0), step[1].shape))


def _tactic_chain_evidence(episode: EpisodeView) -> str:
    tactics = list(dict.fromkeys(tactic for tactic, _ in _steps(episode)))
    return f"new calls in the order of ATT&CK tactics: {', '.join(tactics)}"


@episode_signal(
    "ATT&CK tactics in sequence",
    ("DE.AE-03",),
    control="rotate_secret",
    evidence=_tactic_chain_evidence,
    backing=lambda episode: [b for _, b in _steps(episode)],
)
def tactic_chain(episode: EpisodeView) -> float:
    """The day's new calls walk down the kill chain in order.

    Length of the longest run of distinct tactics in kill-chain order, by time; 0 for a single one.
    """
    best = [0] * len(ORDER)
    for tactic, _ in _steps(episode):
        rank = RANK.get(tactic)
        if rank is not None:
            best[rank] = max(best[rank], 1 + max(best[:rank], default=0))
    longest = max(best)
    return float(longest) if longest > 1 else 0.0


OFF_RHYTHM_KNOWN_DAYS = 5


def _odd(episode: EpisodeView) -> list[tuple[float, Behaviour]]:
    odd = _by_hour(episode)
    found = [(odd[b.hour % 24], b) for view in episode.views for b in view.behaviours]
    return sorted(found, key=lambda pair: (-pair[0], pair[1].first, pair[1].shape))


def _by_hour(episode: EpisodeView) -> dict[int, float]:
    """The bits of each hour in which it was active."""
    hours = {b.hour % 24 for view in episode.views for b in view.behaviours}
    return {hour: bits(_share(episode.past, hour)) for hour in hours}


def _share(past: Past, hour: int) -> float:
    """A neighbouring hour counts: clocks drift, jobs get longer, summer time comes."""
    return max(past.own.share("hour", str(h % 24), 1 / 24, past.today) for h in (hour - 1, hour, hour + 1))


def _off_rhythm_evidence(episode: EpisodeView) -> str:
    hour = _odd(episode)[0][1].hour % 24
    return f"active at {hour:02}:00 UTC, when it was hardly ever active in {times(episode.past.own.days, 'active day')}"


@episode_signal(
    "Active at an unusual hour",
    ("T1078.004",),
    control="rotate_secret",
    dimension="hour",
    on_ordinary_days=True,
    evidence=_off_rhythm_evidence,
    backing=lambda episode: [b for odd, b in _odd(episode) if odd >= ORDINARY],
)
def off_rhythm(episode: EpisodeView) -> float | None:
    """Active at an hour at which this machine never is.

    Bits of the oddest hour; None with less than five days of history.
    """
    if episode.past.own.days < OFF_RHYTHM_KNOWN_DAYS:
        return None
    worst = max(_by_hour(episode).values())
    return worst if worst >= ORDINARY else 0.0


LONG = 10


def _dormant_wakes_evidence(episode: EpisodeView) -> str:
    own = episode.past.own
    silent = times(episode.past.today - own.last - 1, "day")
    return f"active again after {silent} of silence; the longest before was {own.gaps}"


@episode_signal(
    "Dormant identity active again",
    ("T1078.004",),
    control="rotate_secret",
    headline=30,
    on_ordinary_days=True,
    evidence=_dormant_wakes_evidence,
    backing=lambda episode: episode.behaviours(),
)
def dormant_wakes(episode: EpisodeView) -> float | None:
    """An identity that was silent for long is active again.

    log2 of the silent days beyond the longest pause so far; None without history.
    """
    own = episode.past.own
    if own.days < 2:
        return None
    pause = episode.past.today - own.last - 1
    return log2(pause / max(1, own.gaps)) + 1 if pause >= LONG and pause > own.gaps * 1.5 else 0.0
