"""How much: far more calls, reads, targets or spending than on any day before."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import (
    KNOWN_DAYS,
    bare,
    behaviour_signal,
    behaviours_of,
    bulk_phrase,
    call_sentence,
    episode_signal,
    listing,
    made_by,
    read_word,
    times,
)
from nhi_watch.state.baseline import bucket


def _count(views: list[View]) -> int:
    return sum(b.count for view in views for b in view.behaviours)


def _excess(episode: EpisodeView) -> list[tuple[int, str]]:
    known = episode.past.own.dimension("action").values
    return sorted(
        (bucket(count) - known[action].top, action)
        for action, count in episode.daily().items()
        if action in known and known[action].days >= KNOWN_DAYS
    )


def _bulk_evidence(episode: EpisodeView) -> str:
    grown, action = _excess(episode)[-1]
    return f"{action} {episode.daily()[action]:,} times, at least {2**grown} times its largest day so far"


def _bulk_phrase(episode: EpisodeView) -> str:
    _, action = _excess(episode)[-1]
    return f"{action} {episode.daily()[action]:,} times"


def _bulk_backing(episode: EpisodeView) -> list[Behaviour]:
    """The call that grew most."""
    excess = _excess(episode)
    top = excess[-1][1] if excess else ""
    return [b for view in episode.views for b in view.behaviours if view.shape.action == top]


@episode_signal(
    "Unusually many calls",
    ("T1530", "T1496.004"),
    control="rotate_secret",
    headline=29,
    on_ordinary_days=True,
    evidence=_bulk_evidence,
    phrase=_bulk_phrase,
    backing=_bulk_backing,
)
def bulk(episode: EpisodeView) -> float | None:
    """A call that the identity knows, suddenly in bulk; or far more calls than on any day before.

    Doublings over the largest day so far, of the call that grew most; None without history.
    """
    if episode.past.own.days < KNOWN_DAYS:
        return None
    excess = _excess(episode)
    return float(max(0, excess[-1][0])) if excess else 0.0


FEW = 3
"""Size class (fewer than 8) of reads that is nothing yet."""


def _reads(episode: EpisodeView) -> list[View]:
    return [v for v in episode.views if v.shape.access in ("read", "list") or "exfiltration" in v.facts.tactics]


def _new_reads(episode: EpisodeView) -> list[View]:
    known = episode.past.own.dimension("action").values
    return [view for view in _reads(episode) if view.shape.action not in known]


def _usual(episode: EpisodeView) -> int:
    return max(map(int, episode.past.own.dimension("volume").values), default=0)


def _mass_taking_evidence(episode: EpisodeView) -> str:
    read, new, most = (
        _count(_reads(episode)),
        _count(_new_reads(episode)),
        2 ** _usual(episode) - 1,
    )
    return (
        f"{times(read, read_word(_reads(episode)))} in the day, {new:,} by first-time calls; "
        f"its largest day so far had at most {times(most, 'call')}"
    )


@episode_signal(
    "Bulk reads",
    ("T1119", "T1530", "T1213"),
    control="reduce_privilege",
    headline=28,
    on_ordinary_days=True,
    evidence=_mass_taking_evidence,
    phrase=lambda episode: bulk_phrase(_reads(episode), _count(_reads(episode))),
    backing=lambda episode: behaviours_of(_new_reads(episode) or _reads(episode)),
)
def mass_taking(episode: EpisodeView) -> float | None:
    """Far more is read in the day than ever before, by calls old or new.

    Doublings over the largest day so far, or over a handful of a call never made before; None without history.
    """
    if episode.past.own.days < KNOWN_DAYS:
        return None
    grown = bucket(_count(_reads(episode))) - max(FEW, _usual(episode))
    return float(max(0, grown, bucket(_count(_new_reads(episode))) - FEW))


MUCH = 64
"""Reads of a day below which it is nothing."""


def _successful_reads(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.access == "read" and view.shape.outcome == "success"]


def _mass_by_stranger_evidence(episode: EpisodeView) -> str:
    reads, days = _successful_reads(episode), episode.past.own.days
    history = f"{times(days, 'active day')} of history"
    return f"{times(_count(reads), read_word(reads))} in the day by an identity with {history}: {made_by(reads)}"


@episode_signal(
    "Bulk reads by a recently seen identity",
    ("T1119", "T1530"),
    control="rotate_secret",
    headline=28,
    on_ordinary_days=True,
    evidence=_mass_by_stranger_evidence,
    phrase=lambda episode: bulk_phrase(_successful_reads(episode), _count(_successful_reads(episode))),
    backing=lambda episode: behaviours_of(_successful_reads(episode)),
)
def mass_by_stranger(episode: EpisodeView) -> float:
    """Very much is read by an identity without a history: there is nothing to compare with, only the amount.

    Doublings of the day's reads over MUCH, while the identity was active on less than three days before.
    """
    if episode.past.own.days >= KNOWN_DAYS:
        return 0.0
    return max(0.0, log2(max(1, _count(_successful_reads(episode))) / MUCH))


def _new_targets(episode: EpisodeView) -> set[str]:
    return {target for view in episode.views for b in view.behaviours for target in view.new_targets(b)}


def _target_fan_out_evidence(episode: EpisodeView) -> str:
    new = _new_targets(episode)
    return f"targets never used before ({len(new)}): {listing(list(map(bare, new)), 2)}"


def _target_fan_out_backing(episode: EpisodeView) -> list[Behaviour]:
    """What touched them."""
    new = _new_targets(episode)
    return [b for view in episode.views for b in view.behaviours if new.intersection(b.targets)]


@episode_signal(
    "Many new targets",
    ("T1530",),
    control="reduce_privilege",
    on_ordinary_days=True,
    evidence=_target_fan_out_evidence,
    backing=_target_fan_out_backing,
)
def target_fan_out(episode: EpisodeView) -> float | None:
    """Touches many targets that the identity never touched.

    log2 of new targets over those expected of a day; None without history.
    """
    own = episode.past.own
    if own.days < 3:
        return None
    expected = (own.dimension("target").once + 1) / (own.days + 1)
    return max(0.0, log2((1 + len(_new_targets(episode))) / (1 + expected)))


COST = "cost"


def _costly(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.access == COST]


def _cost_surge_evidence(episode: EpisodeView) -> str:
    grown = bucket(_count(_costly(episode))) - episode.past.own.dimension("access").values[COST].top
    return f"{times(_count(_costly(episode)), 'billable call')}, at least {2**grown} times its largest day so far"


@episode_signal(
    "Surge of billable calls",
    ("T1496.004", "AML.CS0030"),
    control="rotate_secret",
    headline=36,
    on_ordinary_days=True,
    evidence=_cost_surge_evidence,
    phrase=lambda episode: times(_count(_costly(episode)), "billable call"),
    backing=lambda episode: behaviours_of(_costly(episode)),
)
def cost_surge(episode: EpisodeView) -> float | None:
    """Calls that cost money, all together, grow far over any day before.

    Doublings of the day's calls that cost over the largest day so far; None before they are known.
    """
    seen = episode.past.own.dimension("access").values.get(COST)
    if not _costly(episode):
        return 0.0
    return (
        None if seen is None or seen.days < KNOWN_DAYS else float(max(0, bucket(_count(_costly(episode))) - seen.top))
    )


LARGE = {"large_compute": "on large machines", "many_tokens": "with very long prompts"}


def _spending_evidence(view: View) -> str:
    large = "".join(f", {LARGE[trait]}" for trait in view.shape.traits if trait in LARGE)
    return call_sentence(view, f"is billed directly{large}")


@behaviour_signal(
    "Billable calls",
    ("T1496.001",),
    control="reduce_privilege",
    headline=17,
    evidence=_spending_evidence,
)
def spending(view: View) -> float:
    """Calls that spend money directly: compute, models, messages.

    Bits by which the call is new; larger where it starts large machines or sends a model very long texts.
    """
    if view.shape.access != "cost":
        return 0.0
    return view.action + (4.0 if view.action and not LARGE.keys().isdisjoint(view.shape.traits) else 0.0)
