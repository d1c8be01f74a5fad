"""Gradient-boosted trees, evaluated without NumPy: log-odds, and each signal's exact share of them.

Features are a day's points by signal, then its bins by signal. The ordinary day has neither: all are 0. Trees rise in
every feature, so that no reason lowers the log-odds, and leaving one out never raises them.

Shares are exact Shapley values (Shapley 1953) against the ordinary day, a signal's points and bin together being one
player. A leaf is reached by a coalition of signals if it holds all of U, whose values only the scored day has, and none
of V, where only the ordinary day fits. Such a game gives each of U value × (u−1)! v! / (u+v)!, and each of V the
negative of value × u! (v−1)! / (u+v)!.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial
from typing import Any, NamedTuple, Union

Split = tuple[int, float, Any, Any]
"""Feature, the highest value that goes left, what is to the left and what is to the right."""
Node = Union[float, Split]
DIGITS = 4
"""Of leaves: sums are the same on every host."""
_KNOWN = 10_000
"""Features that are remembered: some 10 MB."""


class Forest(NamedTuple):
    """Trees that are added up."""

    signals: int
    """How many; features are twice as many."""
    base: float
    """Log-odds of the ordinary day."""
    trees: tuple[Node, ...]
    ordinary: tuple[float, ...]
    """By tree: the leaf of the ordinary day."""
    asked: Mapping[int, tuple[int, ...]]
    """Feature → trees that ask for it on the ordinary day's way: all others give the ordinary leaf whatever it is."""
    known: dict[tuple[float, ...], float]
    """Log-odds of features that were asked: of a day's behaviours four in five are like another one."""

    def log_odds(self, x: Sequence[float]) -> float:
        """Of a day with such features.

        >>> forest = grown(1, [(0, 2.0, -3.0, 1.5)])
        >>> forest.log_odds([0.0, 0.0]), forest.log_odds([2.5, 5.0])
        (-3.0, 1.5)
        """
        key = tuple(x)
        known = self.known.get(key)
        if known is None:
            trees, ordinary, total = self.trees, self.ordinary, self.base
            for at in self._touched(key):
                total += _leaf(trees[at], key) - ordinary[at]
            if len(self.known) >= _KNOWN:
                self.known.clear()
            known = self.known[key] = round(total, DIGITS)
        return known

    def shares(self, x: Sequence[float]) -> list[float]:
        """By signal: what it adds to the ordinary day's log-odds; all together with `base` they are the log-odds.

        >>> forest = grown(2, [(0, 1.0, -3.0, (1, 1.0, -1.0, 3.0))])
        >>> forest.shares([2.0, 2.0, 0.0, 0.0])
        [4.0, 2.0]
        """
        shares = [0.0] * self.signals
        for at in self._touched(x):
            _share(self.trees[at], x, self.signals, (), (), shares)
        return shares

    def _touched(self, x: Sequence[float]) -> list[int]:
        return sorted({at for feature, value in enumerate(x) if value for at in self.asked.get(feature, ())})


def _leaf(node: Node, x: Sequence[float]) -> float:
    while isinstance(node, tuple):
        node = node[2] if x[node[0]] <= node[1] else node[3]
    return node


def _share(
    node: Node, x: Sequence[float], signals: int, mine: tuple[int, ...], usual: tuple[int, ...], shares: list[float]
) -> None:
    """Go down both ways where the scored day and the ordinary one part."""
    while isinstance(node, tuple):
        feature, highest, left, right = node
        day, ordinary = (left if x[feature] <= highest else right), (left if highest >= 0 else right)
        if day is ordinary:
            node = day
            continue
        signal = feature % signals
        if signal in mine:
            node = day
        elif signal in usual:
            node = ordinary
        else:
            _share(day, x, signals, (*mine, signal), usual, shares)
            node, usual = ordinary, (*usual, signal)
    u, v = len(mine), len(usual)
    if u:
        part = node * factorial(u - 1) * factorial(v) / factorial(u + v)
        for signal in mine:
            shares[signal] += part
    if v:
        part = node * factorial(u) * factorial(v - 1) / factorial(u + v)
        for signal in usual:
            shares[signal] -= part


def grown(signals: int, trees: Sequence[Node], base: float = 0.0) -> Forest:
    """A forest of some trees; `base` is added to them.

    Raises:
        ValueError: a tree asks for a feature that is none.
    """
    zero = [0.0] * (2 * signals)
    asked: dict[int, list[int]] = {}
    for at, tree in enumerate(trees):
        for feature in _way(tree):
            if not 0 <= feature < 2 * signals:
                raise ValueError(f"a tree asks for feature {feature} of {2 * signals}")
            asked.setdefault(feature, []).append(at)
    ordinary = tuple(_leaf(tree, zero) for tree in trees)
    thresholds = {feature: tuple(ats) for feature, ats in asked.items()}
    return Forest(signals, round(base + sum(ordinary), DIGITS), tuple(trees), ordinary, thresholds, {})


def _way(node: Node) -> set[int]:
    """The features that a tree asks of the ordinary day."""
    path = set()
    while isinstance(node, tuple):
        path.add(node[0])
        node = node[2] if node[1] >= 0 else node[3]
    return path


def trees_of(plain: Sequence[Any], places: Sequence[int]) -> list[Node]:
    """The trees of a JSON document: a split is [feature, highest, left, right], a leaf a number.

    `places`: where each of the document's features stands now; -1: nowhere, so that it is never odd.

    Raises:
        ValueError: a tree is none.
    """
    return [_node(tree, places, 0) for tree in plain]


DEEPEST = 64
"""Splits on the way to a leaf: a model that nests deeper is none."""


def _node(plain: Any, places: Sequence[int], depth: int) -> Node:
    if not isinstance(plain, list):
        return float(plain)
    if len(plain) != 4 or depth > DEEPEST or not 0 <= int(plain[0]) < len(places):
        raise ValueError("a tree of the model leads nowhere")
    feature, highest, left, right = int(plain[0]), float(plain[1]), plain[2], plain[3]
    if places[feature] < 0:
        return _node(left if highest >= 0 else right, places, depth + 1)
    return places[feature], highest, _node(left, places, depth + 1), _node(right, places, depth + 1)
