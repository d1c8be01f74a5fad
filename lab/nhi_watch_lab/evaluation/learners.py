"""The rivals that need a library: detectors of anomalies on plain counts and on our own signals, and boosting.

Those on plain counts see what people would count: events, errors, distinct and new values. Those on signals
(`…_on_signals`) are given more than their users have: the very numbers that the scorecard reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from math import log
from typing import Any, Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch_lab.evaluation.replay import Replayed
from nhi_watch_lab.evaluation.rivals import Rival, Scores

LIBRARIES = {
    "isolation_forest": ("sklearn",), "ecod": ("sklearn", "pyod"), "hbos": ("sklearn", "pyod"),
    "half_space_trees": ("sklearn", "river"),
}  # fmt: skip
"""Detector of anomalies → what it needs."""
BOOSTING = "boosting_on_signals"


def learners(boosting: Optional[Any] = None) -> list[Rival]:
    """One fresh instance of each that can run here; `boosting` is what `boosting()` returned."""
    able = [name for name in LIBRARIES if not missing(name)]
    found = [_rival(name, Counts(), "") for name in able]
    found += [_rival(name, Signals(), "_on_signals") for name in able]
    return [*found, Boosted(boosting)] if boosting is not None else found


def missing(name: str) -> list[str]:
    """The libraries that a detector lacks here.

    >>> missing("isolation_forest") in ([], ["sklearn"])
    True
    """
    return [library for library in LIBRARIES[name] if find_spec(library) is None]


def left_out(boosting: object) -> dict[str, str]:
    """Detectors that cannot run here → why; an evaluation must say so. `boosting` is what `boosting()` returned."""
    lacking = {name: missing(name) for name in LIBRARIES}
    told = {name: f"needs {' and '.join(libraries)}" for name, libraries in lacking.items() if libraries}
    return told if boosting is not None else {**told, BOOSTING: "needs scikit-learn and training rows of these signals"}


def _rival(name: str, columns: Columns, suffix: str) -> Rival:
    kind = Streamed if name == "half_space_trees" else Fitted
    return kind(name, columns, name + suffix)


class Columns:
    """Turns an identity's day into a row of numbers."""

    def row(self, item: Replayed) -> list[float]:
        """The row, against what was learnt."""
        raise NotImplementedError

    def learn(self, items: Sequence[Replayed]) -> None:
        """Take in a day that is over."""


_COUNTED = ("action", "network", "agent", "region")


class Counts(Columns):
    """Events, share of errors, distinct values and new values of each dimension."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, set[str]]] = {}

    def row(self, item: Replayed) -> list[float]:
        """Ten numbers."""
        known = self._known.get(item.ranked.identity_id, {})
        events = item.whole.events()
        errors = sum(b.count for (shape, _), b in item.whole.behaviours.items() if shape.error)
        row = [log(events + 1), errors / events]
        for name in _COUNTED:
            values = _values(item.whole, name)
            row += [float(len(values)), float(len(values - known.get(name, set())))]
        return row

    def learn(self, items: Sequence[Replayed]) -> None:
        """Remember the values."""
        for item in items:
            known = self._known.setdefault(item.ranked.identity_id, {name: set() for name in _COUNTED})
            for name in _COUNTED:
                known[name].update(_values(item.whole, name))


class Signals(Columns):
    """The values of our signals; what a signal cannot tell counts 0."""

    def row(self, item: Replayed) -> list[float]:
        """One number a signal."""
        return [value or 0.0 for value in item.episode.values]


def _values(whole: IdentityDay, name: str) -> set[str]:
    return {getattr(shape, name) for shape, _ in whole.behaviours}


class Fitted:
    """A detector that is fitted anew each day, on the days before; all 0 on the first day."""

    def __init__(self, kind: str, columns: Columns, name: str) -> None:
        self.name = name
        self._kind, self._columns = kind, columns
        self._rows: list[list[float]] = []
        self._anomalies: Optional[Callable[[Any], list[float]]] = None

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Anomaly of each row, above the least of the day: the least anomalous is not worth a notable."""
        names = [item.ranked.identity_id for item in day]
        if not self._rows or not day:
            return dict.fromkeys(names, 0.0)
        if self._anomalies is None:
            from nhi_watch_lab.training import rivals  # needs libraries that only training installs

            fit = {"isolation_forest": rivals.forest, "ecod": rivals.ecod, "hbos": rivals.hbos}[self._kind]
            self._anomalies = fit(self._rows)
        return _above_least(names, self._anomalies([self._columns.row(item) for item in day]))

    def learn(self, day: Sequence[Replayed]) -> None:
        """Keep the rows, then the values; the next day asks for another fit."""
        self._anomalies = None
        self._rows += [self._columns.row(item) for item in day]
        self._columns.learn(day)


class Streamed:
    """A detector that learns row by row."""

    def __init__(self, kind: str, columns: Columns, name: str) -> None:
        from nhi_watch_lab.training.rivals import HalfSpaceTrees

        self.name = name
        self._columns, self._trees = columns, HalfSpaceTrees()

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Anomaly of each row, above the least of the day."""
        names = [item.ranked.identity_id for item in day]
        return _above_least(names, [self._trees.score(self._columns.row(item)) for item in day])

    def learn(self, day: Sequence[Replayed]) -> None:
        """Row after row, then the values."""
        for item in day:
            self._trees.learn(self._columns.row(item))
        self._columns.learn(day)


class Boosted:
    """Gradient boosting on the scorecard's signals, without its restrictions."""

    name = BOOSTING

    def __init__(self, boosting: Any) -> None:
        self._boosting = boosting

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Log-odds above the least of the day."""
        return _above_least([item.ranked.identity_id for item in day],
                            self._boosting.score([item.episode.values for item in day]))  # fmt: skip

    def learn(self, day: Sequence[Replayed]) -> None:
        """It is trained beforehand."""


def _above_least(names: Sequence[str], told: Sequence[float]) -> Scores:
    """Scores of which the smallest is 0: a detector without a floor of its own writes all others, given room."""
    least = min(told, default=0.0)
    return {name: score - least for name, score in zip(names, told)}


def boosting(_: object = None) -> Optional[Any]:
    """The boosting, fitted on the worlds of training, to be handed to all workers; None where scikit-learn is missing.

    The worlds are replayed if `nhi train` has not kept what they came to: that takes minutes.
    """
    if not find_spec("sklearn"):
        return None
    from nhi_watch_lab.training import commands
    from nhi_watch_lab.training.rivals import Boosting

    return Boosting(commands.training_rows(commands.Wanted(), commands.KEPT))
