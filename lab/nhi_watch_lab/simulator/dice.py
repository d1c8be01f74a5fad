"""A seeded generator whose draws are the same on every Python from 3.9 on."""

from __future__ import annotations

import hashlib
import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Dice(random.Random):
    """Only `random()` and `getrandbits()` of the base class are used: these two never changed."""

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, each as likely as the other."""
        return items[int(self.random() * len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Up to `count` different items, in random order."""
        left = list(items)
        return [left.pop(int(self.random() * len(left))) for _ in range(min(count, len(left)))]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def normal(self) -> float:
        """Standard normal, by Box and Muller, without the base class's hidden state."""
        return math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())

    def lognormal(self, median: float, sigma: float) -> float:
        """Log-normal: the usual shape of volumes."""
        return median * math.exp(sigma * self.normal())

    def poisson(self, mean: float) -> int:
        """Poisson; by the normal approximation from 30 on."""
        if mean > 30:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        limit, product, count = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            count += 1
        return count

    def uuid(self) -> str:
        """Random text in the form of a UUID."""
        text = f"{self.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hexes(self, length: int) -> str:
        """`length` lower-case hexadecimal digits."""
        return f"{self.getrandbits(4 * length):0{length}x}"

    def ident(self, prefix: str, length: int = 17) -> str:
        """An AWS unique id, as in `AROA…` or `AKIA…`."""
        return prefix + "".join(self.pick(_LETTERS) for _ in range(length))


def dice(*names: object) -> Dice:
    """A generator of its own for whatever `names` name: one thing more does not change another.

    >>> dice(1, "a").between(1, 1000), dice(1, "a").between(1, 1000), dice(1, "b").between(1, 1000)
    (3, 3, 44)
    """
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return Dice(int.from_bytes(digest[:8], "big"))


class Pool(Generic[T]):
    """Items with weights, drawn by bisection."""

    def __init__(self, items: Sequence[T], weights: Sequence[float] | None = None) -> None:
        self.items = list(items)
        self._sums = list(accumulate(weights or [1.0] * len(self.items)))

    def weights(self, total: float) -> list[float]:
        """The weights of all items, scaled so that they sum up to `total`."""
        return [
            (high - low) * total / self._sums[-1] for low, high in zip([0.0, *self._sums], self._sums)
        ]

    def draw(self, dice: Dice) -> T:
        """One item, as likely as its weight says."""
        return self.items[bisect_right(self._sums, dice.random() * self._sums[-1])]

    @classmethod
    def zipf(cls, items: Sequence[T], exponent: float = 1.0) -> Pool[T]:
        """The first item is the most likely one; long tail."""
        return cls(items, [1 / (rank + 1) ** exponent for rank in range(len(items))])
