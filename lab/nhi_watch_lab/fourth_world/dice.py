"""Seeded randomness that gives the same draws on every Python from 3.9 on."""
import math
import random
from typing import Dict, List, Sequence, Tuple, TypeVar

T = TypeVar("T")
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Dice(random.Random):
    """A random.Random seeded with a string, with the draws this package needs."""

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def early(self, items: Sequence[T]) -> T:
        """Pick with a preference for the first ones: things are used unevenly."""
        return items[int(self.random() ** 2.5 * len(items))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def some(self, items: Sequence[T], count: int) -> List[T]:
        pool = list(items)
        self.shuffle(pool)
        return pool[: max(0, count)]

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def wide(self, low: float, high: float) -> float:
        """Log-uniform: every order of magnitude is as likely."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def around(self, median: float, sigma: float) -> float:
        return median * math.exp(self.gauss(0.0, sigma))

    def count(self, mean: float) -> int:
        """Poisson, by a normal approximation when the mean is large."""
        if mean > 30:
            return max(0, int(round(self.gauss(mean, math.sqrt(mean)))))
        limit, product, n = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            n += 1
        return n

    def weighted(self, table: Dict[str, float]) -> str:
        left = self.random() * sum(table.values())
        for name, weight in table.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(table))

    def hexes(self, n: int) -> str:
        return f"{self.getrandbits(4 * n):0{n}x}"

    def digits(self, n: int) -> str:
        return f"{int(self.random() * 9) + 1}" + "".join(self.pick("0123456789") for _ in range(n - 1))

    def base32(self, n: int) -> str:
        bits = self.getrandbits(5 * n)
        return "".join(BASE32[(bits >> (5 * i)) & 31] for i in range(n))

    def alnum(self, n: int) -> str:
        return "".join(self.pick(ALNUM) for _ in range(n))

    def uuid(self) -> str:
        h = self.hexes(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(self.random() * 4)]}{h[17:20]}-{h[20:]}"


def split(total: int, shares: Sequence[Tuple[str, float]]) -> Dict[str, int]:
    """Whole numbers that add up to the total, in proportion to the shares."""
    weight = sum(share for _, share in shares)
    out: Dict[str, int] = {}
    left, rest = total, weight
    for name, share in shares:
        out[name] = int(round(left * share / rest)) if rest > 0 else 0
        left, rest = left - out[name], rest - share
    return out
