"""Seeded chance: every stream is named by text, so that streams never disturb each other."""
from __future__ import annotations

import math
import random
from typing import Dict, List, Sequence, Tuple, TypeVar

T = TypeVar("T")
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"
MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Chance(random.Random):
    """random.Random with the few draws this package needs."""

    def text(self, count: int, alphabet: str = ALNUM) -> str:
        size = len(alphabet)
        return "".join([alphabet[int(self.random() * size)] for _ in range(count)])

    def hexs(self, count: int) -> str:
        return "%0*x" % (count, self.getrandbits(4 * count))

    def digits(self, count: int) -> str:
        return str(10 ** (count - 1) + int(self.random() * 9 * 10 ** (count - 1)))

    def uuid(self) -> str:
        h = "%032x" % self.getrandbits(128)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) % 4]}{h[17:20]}-{h[20:]}"

    def chance(self, share: float) -> bool:
        return self.random() < share

    def log_between(self, low: float, high: float) -> float:
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def poisson(self, mean: float) -> int:
        if mean > 40:
            return max(0, int(round(self.gauss(mean, math.sqrt(mean)))))
        limit, count, product = math.exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def pick(self, weighted: Sequence[Tuple[T, float]]) -> T:
        point = self.random() * sum(weight for _, weight in weighted)
        for value, weight in weighted:
            point -= weight
            if point <= 0:
                return value
        return weighted[-1][0]

    def some(self, items: Sequence[T], low: int, high: int) -> List[T]:
        return self.sample(list(items), min(len(items), self.randint(low, high)))


def stream(*parts: object) -> Chance:
    return Chance("|".join(str(part) for part in parts))


class Streams:
    """Named streams of one world, kept so that a name continues where it stopped."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._kept: Dict[str, Chance] = {}

    def __call__(self, *parts: object) -> Chance:
        name = "|".join(str(part) for part in parts)
        if name not in self._kept:
            self._kept[name] = stream(self.seed, name)
        return self._kept[name]
