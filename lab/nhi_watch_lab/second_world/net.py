# ruff: noqa: E501
"""Networks that requests come from: real operators' published ranges, drawn addresses."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Optional
from nhi_watch_lab.tables import text

# operator: kind, ASN, name, country, state, city, latitude, longitude, prefixes
_TABLE = text(__file__, "net.txt")


@dataclass
class Place:
    """Where an identity calls from: a pool of addresses, and how often a fresh one appears."""
    operator: str
    kind: str
    asn: int
    org: str
    country: str
    state: str
    city: str
    lat: float
    lon: float
    nets: list[str]
    pool: list[str] = field(default_factory=list)
    fresh: float = 0.0
    moves: list[tuple[float, list[str]]] = field(default_factory=list)

    def at(self, t: float) -> list[str]:
        """The pool in use at a time (NAT gateways are replaced now and then)."""
        pool = self.pool
        for when, new in self.moves:
            if t >= when:
                pool = new
        return pool

    def address(self, rng: Random) -> str:
        return f"{rng.choice(self.nets)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"

    def ip(self, rng: Random, t: float, lane: Optional[int] = None) -> str:
        pool = self.at(t)
        if not pool or (self.fresh and rng.random() < self.fresh):
            return self.address(rng)
        return pool[lane % len(pool)] if lane is not None else rng.choice(pool)


def _parse() -> dict[str, tuple[str, int, str, str, str, str, float, float, list[str]]]:
    rows = {}
    for line in _TABLE.strip().splitlines():
        f = line.split("|")
        rows[f[0]] = (f[1], int(f[2]), f[3], f[4], f[5], f[6], float(f[7]), float(f[8]), f[9].split())
    return rows


_ROWS = _parse()


def place(rng: Random, operator: str, size: int = 1, fresh: float = 0.0) -> Place:
    """A pool of `size` addresses at an operator; size 0 means every request is from a new one."""
    kind, asn, org, country, state, city, lat, lon, nets = _ROWS[operator]
    made = Place(operator, kind, asn, org, country, state, city, lat, lon, nets, [], fresh)
    made.pool = [made.address(rng) for _ in range(size)]
    return made


def operators(*kinds: str) -> list[str]:
    return [name for name, row in _ROWS.items() if row[0] in kinds]


def aws_operator(region: str) -> str:
    name = "aws-" + region
    return name if name in _ROWS else "aws-us-east-2"


def private_ip(rng: Random) -> str:
    return f"10.{rng.randint(0, 60)}.{rng.randint(0, 255)}.{rng.randint(4, 254)}"
