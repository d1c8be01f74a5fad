"""How much: far more calls, reads, targets or spending than on any day before; much of what it never touched."""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.signals._kit import (
    KNOWN_DAYS,
    ORDINARY,
    EpisodeView,
    View,
    bare,
    behaviours_of,
    bulk_phrase,
    call_sentence,
    calls_in_words,
    is_young,
    listing,
    most_frequent,
    most_new,
    most_read,
    read_word,
    signal,
    times,
)
from nhi_watch.state.baseline import bucket, surprisal


def _count(views: list[View]) -> int:
    return sum(b.count for b in behaviours_of(views))


def _excess(episode: EpisodeView) -> list[tuple[int, str]]:
    """Doublings over what two days reached, and the call, the one that grew most last."""
    known = episode.baseline.own.dimension("action").values
    return sorted(
        (bucket(count) - known[action].top, action)
        for action, count in episode.daily().items()
        if action in known and known[action].days >= KNOWN_DAYS
    )


def _bulk(episode: EpisodeView) -> str:
    grown = _excess(episode)[-1][0]
    return f"{_bulk_phrase(episode)}, at least {2**grown} times its second-largest day so far"


def _bulk_phrase(episode: EpisodeView) -> str:
    action = _excess(episode)[-1][1]
    return f"{action} {episode.daily()[action]:,} times"


def _bulk_backing(episode: EpisodeView) -> list[Behaviour]:
    """The call that grew most."""
    top = [action for _, action in _excess(episode)[-1:]]
    return behaviours_of([view for view in episode.views if view.key.action in top and view.let_in])


@signal(
    "episode",
    "Unusually many calls",
    ("T1530", "T1496.004"),
    "rotate_secret",
    headline=29,
    on_ordinary_days=True,
    evidence=_bulk,
    phrase=_bulk_phrase,
    backing=_bulk_backing,
)
def bulk(episode: EpisodeView) -> float | None:
    """A call that the identity knows, suddenly in bulk; or far more calls than on its second-largest day.

    Doublings over its second-largest day so far, of the call that grew most, refused ones aside; None without history.
    """
    if is_young(episode):
        return None
    excess = _excess(episode)
    return float(max(0, excess[-1][0])) if excess else 0.0


FEW = 3
"""Size class (fewer than 8) of reads that is nothing yet."""


OFTEN = 2
"""Days on which it was let in from which a call is not read for the first time: one day is an eve, not a habit."""


def _is_read(view: View) -> bool:
    return view.key.access in ("read", "list") or "exfiltration" in view.facts.tactics


def _reads(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.let_in and _is_read(view)]


def _new_reads(episode: EpisodeView) -> list[View]:
    own = episode.baseline.own
    return [view for view in _reads(episode) if own.times_let_in("action", view.key.action) < OFTEN]


def _usual(episode: EpisodeView) -> int:
    return episode.baseline.own.size_of_two_days("volume")


def _mass_taking(episode: EpisodeView) -> str:
    reads, new, most = _reads(episode), _count(_new_reads(episode)), 2 ** _usual(episode) - 1
    return (
        f"{times(_count(reads), read_word(reads))} in the day, {new:,} by calls made on at most one day before; "
        f"its second-largest day so far had at most {times(most, 'call')}"
    )


@signal(
    "episode",
    "Bulk reads",
    ("T1119", "T1530", "T1213"),
    "reduce_privilege",
    headline=28,
    on_ordinary_days=True,
    evidence=_mass_taking,
    phrase=lambda episode: bulk_phrase(behaviours_of(_reads(episode))),
    named=lambda episode: most_read(behaviours_of(_reads(episode))),
    backing=lambda episode: behaviours_of(_new_reads(episode) or _reads(episode)),
)
def mass_taking(episode: EpisodeView) -> float | None:
    """Far more is read than on its second-largest day so far, by calls old or new.

    Doublings over that day, or over a handful of a call made on at most one day before; None without history.
    """
    if is_young(episode):
        return None
    size = bucket(_count(_reads(episode)))
    if size <= FEW:
        return 0.0
    return float(max(0, size - max(FEW, _usual(episode)), bucket(_count(_new_reads(episode))) - FEW))


MUCH = 64
"""Reads of a day below which it is nothing."""


def _successful_reads(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.key.access == "read" and view.key.outcome == "success"]


def _mass_by_stranger(episode: EpisodeView) -> str:
    reads, days = _successful_reads(episode), episode.baseline.own.days
    history = f"{times(days, 'active day')} of history"
    return f"{times(_count(reads), read_word(reads))} in the day by an identity with {history}: {calls_in_words(reads)}"


@signal(
    "episode",
    "Bulk reads by a recently seen identity",
    ("T1119", "T1530"),
    "rotate_secret",
    headline=28,
    on_ordinary_days=True,
    evidence=_mass_by_stranger,
    phrase=lambda episode: bulk_phrase(behaviours_of(_successful_reads(episode))),
    named=lambda episode: most_read(behaviours_of(_successful_reads(episode))),
    backing=lambda episode: behaviours_of(_successful_reads(episode)),
)
def mass_by_stranger(episode: EpisodeView) -> float:
    """Very much is read by an identity without a history: there is nothing to compare with, only the amount.

    Doublings of the day's reads over MUCH, while the identity was active on less than three days before.
    """
    return max(0.0, log2(max(1, _count(_successful_reads(episode))) / MUCH)) if is_young(episode) else 0.0


def _new_targets(episode: EpisodeView) -> set[str]:
    return {target for view in episode.views for b in view.behaviours for target in view.new_targets(b)}


def _count_new_targets(episode: EpisodeView) -> int:
    return max(len(_new_targets(episode)), most_new(episode.views))


def _target_fan_out(episode: EpisodeView) -> str:
    new, count = _new_targets(episode), _count_new_targets(episode)
    return f"targets never used before ({count}): {listing(list(map(bare, new)), 2, count)}"


def _target_fan_out_backing(episode: EpisodeView) -> list[Behaviour]:
    """What touched them."""
    new = _new_targets(episode)
    return [b for view in episode.views for b in view.behaviours if new.intersection(b.targets)]


@signal(
    "episode",
    "Many new targets",
    ("T1530",),
    "reduce_privilege",
    on_ordinary_days=True,
    evidence=_target_fan_out,
    backing=_target_fan_out_backing,
)
def target_fan_out(episode: EpisodeView) -> float | None:
    """Touches many targets that the identity never touched.

    log2 of new targets over those expected of a day; None without history.
    """
    if is_young(episode):
        return None
    own = episode.baseline.own
    expected = (own.once("target") + 1) / (own.days + 1)
    return max(0.0, log2((1 + _count_new_targets(episode)) / (1 + expected)))


COST = "cost"


def _costly(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.key.access == COST and view.let_in]


def _costly_calls(episode: EpisodeView) -> str:
    return times(_count(_costly(episode)), "billable call")


def _costly_phrase(episode: EpisodeView) -> str:
    calls = most_frequent(behaviours_of(_costly(episode)))
    return f"{_costly_calls(episode)}, most often {calls[0].key.action}"


def _cost_surge(episode: EpisodeView) -> str:
    grown = bucket(_count(_costly(episode))) - episode.baseline.own.dimension("access").values[COST].top
    return f"{_costly_calls(episode)}, at least {2**grown} times its second-largest day so far"


@signal(
    "episode",
    "Surge of billable calls",
    ("T1496.004", "AML.CS0030"),
    "rotate_secret",
    headline=36,
    on_ordinary_days=True,
    evidence=_cost_surge,
    phrase=_costly_phrase,
    named=lambda episode: most_frequent(behaviours_of(_costly(episode))),
    backing=lambda episode: behaviours_of(_costly(episode)),
)
def cost_surge(episode: EpisodeView) -> float | None:
    """Calls that cost money, all together, grow far over its second-largest day.

    Doublings of the day's calls that cost over that day; None before they are known.
    """
    seen, count = episode.baseline.own.dimension("access").values.get(COST), _count(_costly(episode))
    if not count:
        return 0.0
    return None if seen is None or seen.days < KNOWN_DAYS else float(max(0, bucket(count) - seen.top))


LARGE = {"large_compute": "on large machines", "many_tokens": "with very long prompts"}


def _spending(view: View) -> str:
    large = "".join(f", {LARGE[trait]}" for trait in view.key.traits if trait in LARGE)
    return call_sentence(view, f"is billed directly{large}")


@signal("behaviour", "Billable calls", ("T1496.001",), "reduce_privilege", headline=17, evidence=_spending)
def spending(view: View) -> float:
    """Calls that spend money directly: compute, models, messages.

    Bits by which the call is new; larger where it starts large machines or sends a model very long texts.
    """
    if view.key.access != COST:
        return 0.0
    return view.action + (4.0 if view.action and not LARGE.keys().isdisjoint(view.key.traits) else 0.0)


# ---- much of what it never touched: nothing of the place need be new, and each call may be an ordinary one


FEW_NEW = 4
"""Reads of new targets that are nothing yet."""


class _Taken(NamedTuple):
    """Reads of targets never touched."""

    reads: int
    views: list[View]
    behaviours: list[Behaviour]


def _fresh(episode: EpisodeView) -> _Taken:
    """The targets of one hour are counted together: of a mixture, what exceeds the usual day is of the new ones."""
    own = episode.baseline.own
    usual = own.dimension("action").values
    views: list[View] = []
    behaviours: list[Behaviour] = []
    count, as_usual = 0, dict[str, int]()
    mixed: dict[str, list[tuple[int, int]]] = {}
    for view in episode.views:
        if not _is_read(view) or view.key.outcome != "success" or DONE_TO in view.key.traits:
            continue
        fresh = [(b, view.count_new_targets(b)) for b in view.behaviours]
        for b, new in fresh:
            if not new:
                as_usual[view.key.action] = as_usual.get(view.key.action, 0) + b.count
            elif new == b.touched:
                count += b.count
            else:
                mixed.setdefault(view.key.action, []).append((b.count, max(new, b.count * new // b.touched)))
        behaviours += [b for b, new in fresh if new]
        views += [view] if any(new for _, new in fresh) else []
    for action, counts in mixed.items():
        seen = usual.get(action)
        expected = (seen.count // seen.days if seen is not None else 0) - as_usual.get(action, 0)
        count += max(sum(share for _, share in counts), sum(total for total, _ in counts) - max(1, expected))
    return _Taken(count, views, behaviours)


def _seldom(episode: EpisodeView) -> bool:
    """Whether new targets are news for the identity: it has some that it knows, and hardly gets others."""
    own = episode.baseline.own
    return own.has_done("target") and surprisal((own.once("target") + 1) / (own.days + 1)) >= ORDINARY


def _first_targets(episode: EpisodeView) -> str:
    taken = _fresh(episode)
    new = {target for view in taken.views for b in view.behaviours for target in view.new_targets(b)}
    history = times(episode.baseline.own.days, "active day")
    return (
        f"{times(taken.reads, read_word(taken.views))} of targets not used in {history} ({len(new)}): "
        f"{listing(list(new), 2)}; {calls_in_words(taken.views, targets=False)}"
    )


@signal(
    "episode",
    "Bulk reads of targets never used before",
    ("T1530", "T1213"),
    "reduce_privilege",
    headline=27,
    on_ordinary_days=True,
    evidence=_first_targets,
    backing=lambda episode: _fresh(episode).behaviours,
    phrase=lambda episode: bulk_phrase(behaviours_of(_fresh(episode).views), _fresh(episode).reads),
    named=lambda episode: most_read(behaviours_of(_fresh(episode).views)),
)
def first_targets(episode: EpisodeView) -> float | None:
    """Reads much of buckets, repositories, tables or secrets that it never touched, while its targets hardly change.

    Doublings of such reads over 4; 0 where new targets are usual for it, None without history.
    """
    if is_young(episode):
        return None
    reads = _fresh(episode).reads if _seldom(episode) else 0
    return max(0.0, log2(reads / FEW_NEW)) if reads else 0.0
