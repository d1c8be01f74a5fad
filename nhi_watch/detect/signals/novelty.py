"""What is new for the identity: calls, services, refusals, hours, kinds of acts, and how they follow each other.

A thief who works from the victim's own place, with its own program, makes no place new, and the call may be ordinary.
What counts then is the first time of a *kind* of act (`acts` of `context/tables/calls.json`), and
that nobody else in the tenant does it either.
"""

from __future__ import annotations

from itertools import chain
from math import log2
from typing import NamedTuple

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.signals._kit import (
    NOVEL,
    ORDINARY,
    EpisodeView,
    Named,
    View,
    behaviours_of,
    call_sentence,
    calls_in_words,
    calls_of,
    counted,
    expected,
    is_blank,
    listing,
    new_value,
    novel_views,
    of_targets,
    rarity,
    signal,
    times,
    unknown_value,
)
from nhi_watch.state.baseline import surprisal

HOURS = 2
"""New calls seen in more hours than this have come to stay."""


def _fleeting(episode: EpisodeView) -> Named:
    hours: dict[str, set[int]] = {}
    new = calls_of(novel_views(episode))
    for action, b in new:
        hours.setdefault(action, set()).add(b.hour)
    return [(action, b) for action, b in new if len(hours[action]) <= HOURS]


def _services(episode: EpisodeView) -> Named:
    return [(view.key.service, b) for view in episode.views if view.service >= NOVEL for b in view.behaviours]


TABLE = (
    new_value(
        "new_action",
        "New call",
        (),
        "reduce_privilege",
        "",
        "A call that the identity has not made before, given what peers, tenant and world do.",
        "action",
        dimension="action",
    ),
    new_value(
        "new_service",
        "New service",
        (),
        "reduce_privilege",
        "service ",
        "A service that the identity has not used before.",
        "service",
        dimension="service",
    ),
    unknown_value(
        "unknown_call",
        "Call rare in the tenant",
        (),
        "reduce_privilege",
        "call",
        "A call that is new not only for the identity: hardly any identity in the tenant makes it.",
        "action",
        dimension="action",
    ),
    counted(
        "novel_actions",
        "Many new calls",
        (),
        "reduce_privilege",
        "calls new for this identity",
        "How many of the day's calls are new for the identity.",
        "log2(1 + number of new calls).",
        lambda episode: calls_of(novel_views(episode)),
        dimension="action",
    ),
    counted(
        "fleeting_calls",
        "First-time calls, seen only briefly",
        (),
        "rotate_secret",
        "first-time calls, seen only briefly",
        "New calls made briefly that do not return: new software repeats its calls, an intruder looks around.",
        "log2(1 + number of distinct new calls seen in at most two hours of the day).",
        _fleeting,
    ),
    counted(
        "service_fan_out",
        "Many new services",
        ("T1526",),
        "reduce_privilege",
        "new services in one day",
        "Uses several services that are new for the identity.",
        "Number of services that are new for the identity; None before there is any history.",
        _services,
        is_blank,
        float,
        dimension="service",
    ),
)


def _new_error(view: View) -> str:
    seen = rarity(view, view.error, "error", f"{view.key.action} {view.key.error}")
    return f"{view.key.action} fails with {view.key.error}: {seen}"


@signal("behaviour", "New refusal or failure", (), "reduce_privilege", evidence=_new_error)
def new_error(view: View) -> float:
    """A refusal or failure that is new for the identity; one that always fails does not count.

    Surprisal in bits.
    """
    return view.error


HARMLESS = frozenset({"identity_probe"})
"""Asking who one is is common among the well-behaved; it has a signal of its own."""


def _sensitive_novelty(view: View) -> str:
    kinds = ", ".join(sorted(name.replace("_", " ") for name in view.facts.classes - HARMLESS))
    return call_sentence(view, f"is sensitive ({kinds})")


@signal("behaviour", "New sensitive call", (), "reduce_privilege", dimension="action", evidence=_sensitive_novelty)
def sensitive_novelty(view: View) -> float:
    """The newest sensitive call of the day, whatever its kind: what rare kinds have in common is learnt together.

    Bits by which a call of any sensitivity class is new; half where it was refused.
    """
    if not view.facts.classes - HARMLESS:
        return 0.0
    return view.action if view.key.outcome == "success" else view.action / 2


CAP = 8.0
_CALLED = {"action": "call", "owner": "network operator", "agent": "client"}
"""What people call a dimension."""


def _joint_novelty(view: View) -> str:
    names = ("action", "owner", "network", "agent", "region", "service")
    new, own, owner = [name for name in names if getattr(view, name)], view.baseline.own, view.network_facts.owner
    came = any(own.knows(name, owner if name == "owner" else getattr(view.key, name), False) for name in new)
    called = [_CALLED.get(name, name) for name in new]
    text = " and ".join(filter(None, [", ".join(called[:-1]), *called[-1:]])) or "nothing"
    together = " together" if len(new) > 1 else ""
    if came:
        return f"{view.key.action}: {text}{together} new, or rarely seen before"
    return f"{view.key.action}: first time for {text}{together}"


@signal("behaviour", "First time this combination was seen", ("T1078.004",), "rotate_secret", evidence=_joint_novelty)
def joint_novelty(view: View) -> float:
    """New in several dimensions at once: call, place, program, region.

    Sum of the bits of each dimension, each cut at 8.
    """
    novelties = (view.action, view.owner, view.network * 0.5, view.agent, view.region, view.service * 0.5)
    return sum(min(bits, CAP) for bits in novelties)


def _sensitive(episode: EpisodeView) -> list[View]:
    return [view for view in novel_views(episode) if view.facts.classes]


def _classes(episode: EpisodeView) -> list[str]:
    return [name for view in _sensitive(episode) for name in view.facts.classes]


@signal(
    "episode",
    "New kinds of sensitive calls",
    (),
    "reduce_privilege",
    evidence=lambda day: f"new sensitive calls: {listing([name.replace('_', ' ') for name in _classes(day)])}",
    backing=lambda day: behaviours_of(_sensitive(day)),
)
def novel_classes(episode: EpisodeView) -> float:
    """How many kinds of sensitive calls are new in the day.

    Number of distinct sensitivity classes among the new calls.
    """
    return float(len(set(_classes(episode))))


def _looks(episode: EpisodeView) -> Named:
    return calls_of(v for v in novel_views(episode) if v.key.access in ("list", "read") and not v.quiet)


def _slow_discovery(episode: EpisodeView) -> str:
    looks = _looks(episode)
    return (
        f"first-time discovery calls in {len({b.hour for _, b in looks})} different hours: "
        f"{listing([call for call, _ in looks])}"
    )


@signal(
    "episode",
    "Slow discovery",
    ("T1580", "T1526"),
    "reduce_privilege",
    evidence=_slow_discovery,
    backing=lambda episode: [b for _, b in _looks(episode)],
)
def slow_discovery(episode: EpisodeView) -> float:
    """New listing and describing calls, spread thinly over many hours.

    Number of hours with new discovery calls, beyond the first two.
    """
    return float(max(0, len({b.hour for _, b in _looks(episode)}) - 2))


ORDER = ("recon", "credential", "execution", "privilege", "persistence", "lateral", "evasion", "exfiltration", "impact")
RANK = {tactic: rank for rank, tactic in enumerate(ORDER)}


def _steps(episode: EpisodeView) -> Named:
    steps = [(tactic, b) for v in novel_views(episode) for tactic in v.facts.tactics for b in v.behaviours]
    return sorted(steps, key=lambda step: (step[1].first, RANK.get(step[0], 0), step[1].key))


@signal(
    "episode",
    "ATT&CK tactics in sequence",
    ("DE.AE-03",),
    "rotate_secret",
    evidence=lambda episode: f"new calls in the order of ATT&CK tactics: {', '.join(dict(_steps(episode)))}",
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


RHYTHM = 5
"""Active days from which its hours are known."""


def _unusual_hours(episode: EpisodeView) -> list[tuple[float, Behaviour]]:
    unusual_hours = _by_hour(episode)
    weighted = [(unusual_hours[b.hour % 24], b) for view in episode.views for b in view.behaviours]
    return sorted(weighted, key=lambda pair: (-pair[0], pair[1].first, pair[1].key))


def _by_hour(episode: EpisodeView) -> dict[int, float]:
    """The bits of each hour in which it was active."""
    hours = {b.hour % 24 for view in episode.views for b in view.behaviours}
    near = {hour: (hour, (hour - 1) % 24, (hour + 1) % 24) for hour in hours}  # clocks drift, summer time comes
    own, today = episode.baseline.own, episode.baseline.today
    shares = {hour: own.share("hour", str(hour), 1 / 24, today) for hour in {*chain.from_iterable(near.values())}}
    return {hour: surprisal(max(map(shares.__getitem__, several))) for hour, several in near.items()}


def _off_rhythm(episode: EpisodeView) -> str:
    hour = _unusual_hours(episode)[0][1].hour % 24
    history = times(episode.baseline.own.days, "active day")
    return f"active at {hour:02}:00 UTC, an hour at which it was hardly ever active in {history}"


@signal(
    "episode",
    "Active at an unusual hour",
    ("T1078.004",),
    "rotate_secret",
    dimension="hour",
    on_ordinary_days=True,
    evidence=_off_rhythm,
    backing=lambda episode: [b for bits, b in _unusual_hours(episode) if bits >= ORDINARY],
)
def off_rhythm(episode: EpisodeView) -> float | None:
    """Active at an hour at which this machine never is.

    Bits of the oddest hour; None with less than five days of history.
    """
    if episode.baseline.own.days < RHYTHM:
        return None
    worst = max(_by_hour(episode).values())
    return worst if worst >= ORDINARY else 0.0


LONG = 10
"""Days of silence that are long."""


def _dormant_wakes(episode: EpisodeView) -> str:
    own = episode.baseline.own
    silent = times(episode.baseline.today - own.last - 1, "day")
    return f"active again after {silent} of silence; the longest before was {own.gaps}"


@signal(
    "episode",
    "Dormant identity active again",
    ("T1078.004",),
    "rotate_secret",
    headline=30,
    on_ordinary_days=True,
    evidence=_dormant_wakes,
    backing=EpisodeView.behaviours,
)
def dormant_wakes(episode: EpisodeView) -> float | None:
    """An identity that was silent for long is active again.

    log2 of the silent days beyond the longest pause so far; None without history.
    """
    own = episode.baseline.own
    if own.days < 2:
        return None
    pause = episode.baseline.today - own.last - 1
    return log2(pause / max(1, own.gaps)) + 1 if pause >= LONG and pause > own.gaps * 1.5 else 0.0


COMMON = 10.0
"""Bits from which it counts that somebody starts machines or queries a warehouse: ordinary identities begin to, too."""


class _Act(NamedTuple):
    """A kind of act that is done for the first time."""

    bits: float
    """For this identity; refused ones count half."""
    says: str
    views: list[View]


def _acts(episode: EpisodeView, grave: bool) -> list[_Act]:
    acts: dict[str, _Act] = {}
    for view in episode.views:
        for act in view.facts.acts:
            bits = episode.baseline.bits("act", act.kind)
            if act.grave == grave and bits >= (NOVEL if grave else COMMON):
                bits = bits if view.key.outcome == "success" else bits / 2
                most, says, views = acts.get(act.kind, (0.0, act.says, []))
                acts[act.kind] = _Act(max(most, bits), says, [*views, view])
    return list(acts.values())


def _rarest(episode: EpisodeView, grave: bool) -> list[_Act]:
    return sorted(_acts(episode, grave), key=lambda act: (-act.bits, act.says))


def _most(episode: EpisodeView, grave: bool) -> float | None:
    if episode.baseline.blank:
        return None
    acts = _rarest(episode, grave)
    return acts[0].bits + log2(len(acts)) if acts else 0.0


def _acts_sentence(episode: EpisodeView, grave: bool) -> str:
    first, *others = _rarest(episode, grave)
    more = f"; also: {'; '.join(act.says for act in others[:2])}" if others else ""
    return f"{first.says}, {expected(first.bits)} here: {calls_in_words(first.views)}{more}"


def _acts_phrase(episode: EpisodeView, grave: bool) -> str:
    views = _rarest(episode, grave)[0].views
    own, of = episode.baseline.own, of_targets(behaviours_of(views))
    is_known = any(own.knows("action", view.key.action, view.let_in) for view in views)
    return f"{'unusual' if is_known else 'first-time'} {listing([view.key.action for view in views], 1)}{of}"


def _acts_backing(episode: EpisodeView, grave: bool) -> list[Behaviour]:
    return behaviours_of(list({id(view): view for act in _acts(episode, grave) for view in act.views}.values()))


@signal(
    "episode",
    "High-impact action for the first time",
    ("T1537", "T1562.008", "T1098.003", "T1484.002"),
    "reduce_privilege",
    headline=4,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, True),
    phrase=lambda episode: _acts_phrase(episode, True),
    named=lambda episode: behaviours_of(_rarest(episode, True)[0].views),
    backing=lambda episode: _acts_backing(episode, True),
)
def grave_act(episode: EpisodeView) -> float | None:
    """Does for the first time what cannot be undone or gives full access: logs stopped, data shared.

    Bits by which the rarest such kind of act is new for the identity, its peers and the tenant, from 5 on, half where
    refused, plus log2 of the number of kinds; None before there is any history.
    """
    return _most(episode, True)


@signal(
    "episode",
    "New type of action",
    ("T1213", "T1496.001"),
    "reduce_privilege",
    headline=18,
    on_ordinary_days=True,
    evidence=lambda episode: _acts_sentence(episode, False),
    phrase=lambda episode: _acts_phrase(episode, False),
    named=lambda episode: behaviours_of(_rarest(episode, False)[0].views),
    backing=lambda episode: _acts_backing(episode, False),
)
def first_act(episode: EpisodeView) -> float | None:
    """Starts machines, queries a warehouse, copies full repositories or creates AI agents for the first time.

    As for high-impact actions: bits of the rarest kind, from 10 on, and log2 of the number of kinds.
    """
    return _most(episode, False)
