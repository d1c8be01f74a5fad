"""The second card: what signals mean together. It orders what the scorecard found, and is heard in the probability.

Trees over bins of signal values, by gradient boosting. They change no score. The scorecard adds signals up one by one,
so that many small reasons on a day of an upheaval outweigh few that belong together; trees know which belong together.
What the first card does not call a notable they never see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from nhi_watch.detect.model.digests import checked

ORDER = "order.json"
HASHED = "order_sha256"
"""In the manifest; a model without it has no second card."""

MOST = log(1000)
"""The most that it says: a factor of a thousand."""
Split = tuple[int, int, int]
"""Signal, the highest bin that goes left, and the node to the right; left is the next node."""
Node = Union[float, Split]
Tree = tuple[Node, ...]


class Order(NamedTuple):
    """The second card."""

    signals: tuple[str, ...]
    base: float
    steep: float
    """By how much its log-odds count beside the scorecard's."""
    trees: tuple[Tree, ...]

    def aligned(self, names: Sequence[str]) -> Order:
        """For the signals of this version: one that is gone is never seen to be odd."""
        if self.signals == tuple(names):
            return self
        place = {name: at for at, name in enumerate(names)}
        at = [place.get(name, len(names)) for name in self.signals]
        return self._replace(signals=tuple(names), trees=tuple(
            tuple(node if isinstance(node, float) else (at[node[0]], node[1], node[2]) for node in tree)
            for tree in self.trees))  # fmt: skip

    def log_odds(self, bins: Sequence[Optional[int]]) -> float:
        """Of a day with these bins; what cannot be told counts as ordinary.

        >>> Order(("bulk",), -1.0, 2.0, (((0, 2, 2), -0.5, 1.5), (0.25,))).log_odds([3])
        1.5
        """
        told = [*(each or 0 for each in bins), 0]
        odds = self.steep * (self.base + sum(_leaf(tree, told) for tree in self.trees))
        return round(min(max(odds, -MOST), MOST), 4)


def _leaf(tree: Tree, bins: Sequence[int]) -> float:
    at = 0
    while True:
        node = tree[at]
        if not isinstance(node, tuple):
            return node
        at = at + 1 if bins[node[0]] <= node[1] else node[2]


def load(folder: Path, manifest: Mapping[str, Any]) -> Optional[Order]:
    """The second card of a model; None: it has none.

    Raises:
        ModelError: the file does not match the manifest.
        OSError, ValueError, LookupError, TypeError: it cannot be read.
    """
    if HASHED not in manifest:
        return None
    raw = (folder / ORDER).read_bytes()
    checked(folder / ORDER, raw, manifest[HASHED])
    return parse(json.loads(raw))


def parse(plain: Mapping[str, Any]) -> Order:
    """The second card of a JSON document.

    Raises:
        ValueError: a tree leads nowhere.
    """
    trees = tuple(tuple(_node(node) for node in tree) for tree in plain["trees"])
    for tree in trees:
        _demand_an_end(tree, len(plain["signals"]))
    return Order(tuple(plain["signals"]), float(plain["base"]), float(plain["steep"]), trees)


def _node(told: Any) -> Node:
    if isinstance(told, list):
        signal, highest, right = told
        return int(signal), int(highest), int(right)
    return float(told)


def _demand_an_end(tree: Tree, signals: int) -> None:
    """Each way down goes on to a later node, and ends at a leaf."""
    splits = [(at, node) for at, node in enumerate(tree) if isinstance(node, tuple)]
    wrong = any(not (at + 1 < node[2] < len(tree) and 0 <= node[0] < signals) for at, node in splits)
    if not tree or wrong or isinstance(tree[-1], tuple):
        raise ValueError("a tree of the second card leads nowhere")
