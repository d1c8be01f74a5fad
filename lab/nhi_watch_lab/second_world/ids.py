"""Identifiers and clocks in the forms the products use."""
from __future__ import annotations

import base64
import string
import time
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
ALNUM = string.ascii_letters + string.digits
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
DAY = 86400.0


def uuid4(rng: Random) -> str:
    """A random version 4 UUID."""
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"


def hexa(rng: Random, n: int) -> str:
    return f"{rng.getrandbits(4 * n):0{n}x}"


def pick_chars(rng: Random, alphabet: str, n: int) -> str:
    return "".join(rng.choices(alphabet, k=n))


def digits(rng: Random, n: int) -> str:
    return str(rng.randint(10 ** (n - 1), 10 ** n - 1))


def aws_id(rng: Random, prefix: str, account: str) -> str:
    """AKIA, ASIA, AROA, AIDA... ids; real key ids carry the account in their first bits."""
    head = (1 << 47) | ((int(account) & ((1 << 40) - 1)) << 7) | rng.getrandbits(7)
    body = base64.b32encode(((head << 32) | rng.getrandbits(32)).to_bytes(10, "big")).decode()
    extra = pick_chars(rng, BASE32, 1) if prefix in ("AROA", "AIDA", "ANPA") else ""
    return prefix + body + extra


def b64(rng: Random, n: int) -> str:
    return base64.b64encode(rng.getrandbits(8 * n).to_bytes(n, "big")).decode()


def b64url(rng: Random, n: int) -> str:
    return base64.urlsafe_b64encode(rng.getrandbits(8 * n).to_bytes(n, "big")).decode().rstrip("=")


def iso(t: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def iso_frac(t: float, places: int = 3) -> str:
    """RFC 3339 with a truncated (never rounded up) fraction."""
    frac = f"{int((t - int(t)) * 10 ** 6):06d}"
    more = f"{int(t * 7919) % 1000:03d}"
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(t)) + (frac + more)[:places] + "Z"


def aws_date(t: float) -> str:
    """The date form inside CloudTrail's response elements: `Mar 2, 2026, 4:05:06 PM`."""
    g = time.gmtime(t)
    hour = g.tm_hour % 12 or 12
    half = "AM" if g.tm_hour < 12 else "PM"
    return time.strftime(f"%b {g.tm_mday}, %Y, {hour}:%M:%S {half}", g)


def weighted(rng: Random, items: dict[T, float]) -> T:
    return rng.choices(list(items), weights=list(items.values()))[0]


def some(rng: Random, items: Sequence[T], low: int, high: int) -> list[T]:
    """Between low and high distinct items (fewer when there are not enough)."""
    return rng.sample(list(items), min(len(items), rng.randint(low, high)))


def poisson(rng: Random, mean: float) -> int:
    """A small Poisson draw; the normal approximation is good enough above 30."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, mean ** 0.5)))
    limit, n, product = 2.718281828459045 ** -mean, 0, rng.random()
    while product > limit:
        n, product = n + 1, product * rng.random()
    return n


def okta_id(rng: Random, prefix: str) -> str:
    return prefix + pick_chars(rng, ALNUM, 17 - len(prefix)) + "5d7"
