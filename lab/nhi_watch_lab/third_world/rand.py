"""Randomness and time that read the same on every Python: no hash order, no library changes."""
import math
import random
from datetime import datetime, timedelta
from typing import List, Sequence, Tuple, TypeVar

T = TypeVar("T")
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1)
B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
B62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Rand:
    """One named stream of draws; every draw is made from `random()` and `getrandbits()` alone."""

    def __init__(self, *names: object) -> None:
        source = random.Random("/".join(str(name) for name in names))
        self.u = source.random
        self.bits = source.getrandbits

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.u()

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.u() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        return self.u() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.u() * len(items))]

    def weighted(self, items: Sequence[Tuple[T, float]]) -> T:
        at = self.u() * sum(weight for _, weight in items)
        for item, weight in items:
            at -= weight
            if at < 0:
                return item
        return items[-1][0]

    def some(self, items: Sequence[T], count: int) -> List[T]:
        """Up to count different items, in random order."""
        return self.shuffled(items)[:count]

    def shuffled(self, items: Sequence[T]) -> List[T]:
        return [item for _, _, item in sorted((self.u(), n, item) for n, item in enumerate(items))]

    def normal(self) -> float:
        return math.sqrt(-2.0 * math.log(1.0 - self.u())) * math.cos(2 * math.pi * self.u())

    def lognormal(self, median: float, sigma: float) -> float:
        return median * math.exp(sigma * self.normal())

    def logbetween(self, low: float, high: float) -> float:
        return math.exp(self.between(math.log(low), math.log(high)))

    def waiting(self, mean: float) -> float:
        return -mean * math.log(1.0 - self.u())

    def count(self, mean: float) -> int:
        """A Poisson count (rounded normal when large)."""
        if mean > 30:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        limit, product, number = math.exp(-mean), self.u(), 0
        while product > limit:
            product *= self.u()
            number += 1
        return number

    def hex(self, length: int) -> str:
        return "%0*x" % (length, self.bits(4 * length))

    def uuid(self) -> str:
        raw = "%032x" % self.bits(128)
        variant = "89ab"[int(raw[16], 16) & 3]
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"

    def digits(self, length: int) -> str:
        return str(self.whole(1, 9)) + "".join(str(int(self.u() * 10)) for _ in range(length - 1))

    def letters(self, length: int, alphabet: str = B32) -> str:
        return "".join(alphabet[int(self.u() * len(alphabet))] for _ in range(length))


def moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def iso(ms: int) -> str:
    return moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_fraction(ms: int, digits: int, rand: Rand) -> str:
    """Time with 3 to 9 digits of a second; those below a millisecond are drawn."""
    tail = rand.digits(digits - 3) if digits > 3 else ""
    return moment(ms).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}{tail}Z"


def spoken(ms: int) -> str:
    """The form inside CloudTrail's responseElements: `Mar 2, 2026, 9:15:00 AM`."""
    at = moment(ms)
    hour = at.hour % 12 or 12
    return f"{at:%b} {at.day}, {at.year}, {hour}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"
