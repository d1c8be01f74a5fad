"""Drift: whether signals and likelihoods are distributed as before in training, and as they were a week ago.

Population stability index of two spreads over the same bins: sum of (a - b) × ln(a / b). Under 0.1 nothing moved, over
0.25 much did (Siddiqi 2006, "Credit Risk Scorecards"); but two samples of one population differ as well, so that much
is subtracted as chance alone would give (Yurdakul 2018: its mean is (bins - 1) × (1/n + 1/m), here with four standard
deviations). Only non-human identities count, and only days that are over; a tenant's first days, in which nearly all is
news, are left out.

| key of `meta` | row |
|---|---|
| drift/day | how many identities, their likelihoods by bin, and each signal's values by bin where they are not 0 |
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import ModelError
from nhi_watch.detect import scoring
from nhi_watch.detect.model import MANIFEST
from nhi_watch.detect.scoring import SIGNAL_SET
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.state import Stored
from nhi_watch.state.store import Rows, pack, unpack

LIKELIHOODS = (1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0)
"""Likelihoods from which the next bin begins."""
VALUES = (0.0, 2.0, 5.0, 10.0, 20.0)
"""Values up to which a bin of a signal reaches; then one for more, and one for *cannot tell*."""
BINS = len(VALUES) + 2
DAYS = 7
"""Days that are compared with the seven before."""
ENOUGH = 200
"""Identity-days from which a spread can be computed."""
MOVED, MUCH = 0.1, 0.25
REFERENCE = "reference.json"
"""The spreads in training, beside the model."""


class Spread(NamedTuple):
    """How many identity-days fell into each bin."""

    likelihoods: list[float]
    signals: dict[str, list[float]]
    """Of the signals that were ever other than 0; all others are 0 everywhere."""

    @property
    def size(self) -> float:
        """How many identity-days there are."""
        return float(sum(self.likelihoods))

    def bins(self, name: str) -> list[float]:
        """The bins of a signal."""
        return self.signals.get(name) or [self.size, *[0.0] * (BINS - 1)]


class Moved(NamedTuple):
    """How one thing moved."""

    name: str
    """likelihood, or a signal."""
    shift: float
    """Population stability index, without what chance would give; 0 and more."""
    status: str
    """ok | warn | error: beyond MOVED, beyond MUCH."""


class Report(NamedTuple):
    """What moved, the most first; None: there is too little data."""

    since_training: Optional[tuple[Moved, ...]]
    since_last_week: Optional[tuple[Moved, ...]]
    cannot_tell: Mapping[str, tuple[float, float]]
    """Signal → share of identity-days on which it was None, last week and now, where that grew."""
    days: tuple[int, ...]
    """The days that were looked at."""


# ---- spreads


STABLE_AFTER = 3
"""Days of history from which a tenant's days are compared: before, nearly all is new."""


def spread_of(rows: Iterable[tuple[float, Iterable[tuple[str, Optional[float]]], float]]) -> Spread:
    """The spread of (likelihood, signal values that are not 0, how many such there are).

    >>> spread_of([(0.5, [], 3.0), (85.0, [(NAMES[0], 12.0)], 1.0)]).bins(NAMES[0])
    [3.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    """
    likelihoods = [0.0] * (len(LIKELIHOODS) + 1)
    signals: dict[str, list[float]] = {}
    for likelihood, values, weight in rows:
        likelihoods[bisect_right(LIKELIHOODS, likelihood)] += weight
        for name, value in values:
            signals.setdefault(name, [0.0] * BINS)[BINS - 1 if value is None else bisect_left(VALUES, value)] += weight
    for bins in signals.values():
        bins[0] += sum(likelihoods) - sum(bins)
    return Spread(likelihoods, dict(sorted(signals.items())))


def added(spreads: Sequence[Spread]) -> Spread:
    """Several spreads as one."""
    likelihoods = [sum(column) for column in zip(*(s.likelihoods for s in spreads))]
    names = sorted({name for spread in spreads for name in spread.signals})
    return Spread(likelihoods, {n: [sum(column) for column in zip(*(s.bins(n) for s in spreads))] for n in names})


def note(rows: Rows, day: int, scored: Iterable[Stored]) -> None:
    """Keep the spread of a day."""
    eligible = (s for s in scored if s.ranked.eligible)
    spread = spread_of((s.ranked.likelihood, (scoring.unpack_values(s.values) or {}).items(), 1.0) for s in eligible)
    rows.put("meta", [(f"drift/{day:06d}", pack([SIGNAL_SET, *spread]))])


def read(rows: Rows, days: Iterable[int]) -> list[Spread]:
    """The spreads of some days; those of other signals than this version has are left out."""
    raw = rows.get("meta", [f"drift/{day:06d}" for day in days])
    plain = [unpack(raw[key]) for key in sorted(raw)]
    return [Spread(row[1], row[2]) for row in plain if row[0] == SIGNAL_SET and row[1]]


# ---- what moved


def report(rows: Rows, days: Sequence[int], reference: Optional[Spread]) -> Report:
    """What moved in the last `DAYS` of some days that are over, in order."""
    now, before = days[-DAYS:], days[-2 * DAYS : -DAYS]
    recent, earlier = read(rows, now), read(rows, before)
    if not recent or added(recent).size < ENOUGH:
        return Report(None, None, {}, tuple(now))
    this = added(recent)
    last = added(earlier) if earlier else None
    if last is not None and last.size < ENOUGH:
        last = None
    return Report(
        _moved(this, reference) if reference else None,
        _moved(this, last) if last else None,
        _silent(last, this) if last else {},
        tuple(now),
    )


def _moved(now: Spread, then: Spread) -> tuple[Moved, ...]:
    """Without *cannot tell*: how much of that there is depends on how long a tenant is watched; see `_silent`."""
    end = BINS - 1
    moved = [_moved_feature("likelihood", now.likelihoods, then.likelihoods)]
    moved += [_moved_feature(name, now.bins(name)[:end], then.bins(name)[:end]) for name in NAMES]
    return tuple(sorted(moved, key=lambda moved: (-moved.shift, moved.name)))


def _moved_feature(name: str, now: Sequence[float], then: Sequence[float]) -> Moved:
    index = stability(now, then)
    return Moved(name, index, "error" if index > MUCH else "warn" if index > MOVED else "ok")


def stability(now: Sequence[float], then: Sequence[float]) -> float:
    """Population stability index of two samples, less what chance would give; 0 where one is empty.

    >>> stability([500, 500], [500, 500]), stability([500, 500], [900, 100])
    (0.0, 0.8629)
    """
    n, m = sum(now), sum(then)
    used = [(a, b) for a, b in zip(now, then) if a or b]
    if not n or not m or len(used) < 2:
        return 0.0
    half = 0.5 * len(used)
    shares = [((a + 0.5) / (n + half), (b + 0.5) / (m + half)) for a, b in used]
    index = sum((a - b) * log(a / b) for a, b in shares)
    chance = (len(used) - 1 + 4 * sqrt(2 * (len(used) - 1))) * (1 / n + 1 / m)
    return round(max(0.0, index - chance), 4)


def _silent(then: Spread, now: Spread) -> dict[str, tuple[float, float]]:
    shares = {n: (then.bins(n)[-1] / then.size, now.bins(n)[-1] / now.size) for n in NAMES}
    grew = {n: (round(a, 4), round(b, 4)) for n, (a, b) in shares.items() if b > 2 * a + 0.05}
    return dict(sorted(grew.items(), key=lambda item: (item[1][0] - item[1][1], item[0])))


def reference(folder: Path, sha256: str) -> Optional[Spread]:
    """The spreads in training of a model; None where its folder has none.

    Raises:
        ModelError: the file is damaged, or belongs to another model.
    """
    path = folder / REFERENCE
    if not path.exists():
        return None
    try:
        raw = path.read_bytes()
        plain = json.loads(raw)
        digest = json.loads((folder / MANIFEST).read_bytes()).get("reference_sha256")
        if digest is not None and hashlib.sha256(raw).hexdigest() != digest:
            raise ModelError(f"{path}: does not match the manifest; restore the file, or run `nhi train` again")
        if plain["model_sha256"] != sha256:
            raise ModelError(f"{path}: belongs to another model; restore the file, or run `nhi train` again")
        return Spread(plain["likelihoods"], plain["signals"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no spreads of training there ({error}); reinstall, or run `nhi train`") from error


def to_json(report: Report) -> dict[str, Any]:
    """For run.json: the likelihood, and the signals that moved."""
    return {
        "days": len(report.days),
        "since_training": _movements(report.since_training),
        "since_last_week": _movements(report.since_last_week),
        "cannot_tell": {name: list(shares) for name, shares in report.cannot_tell.items()},
    }


def _movements(moved: Optional[Sequence[Moved]]) -> Optional[dict[str, float]]:
    if moved is None:
        return None
    return {each.name: each.shift for each in moved if each.name == "likelihood" or each.status != "ok"}
