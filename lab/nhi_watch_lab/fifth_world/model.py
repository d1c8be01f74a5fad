"""Plain data that all parts share."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

DAY = 86400.0
HOUR = 3600.0


class Place(NamedTuple):
    """Where a call comes from and by which client."""
    ip: str
    agent: str
    host: str = ""
    endpoint: str = ""


class Ref(NamedTuple):
    """A written record before its line number is known."""
    file: str
    number: int
    time: float


class Record(NamedTuple):
    file: str
    time: float
    body: Dict[str, Any]


class Op(NamedTuple):
    """One call of a product: what it is and the shape of its parameters."""
    key: str
    product: str
    read: bool
    data: bool
    params: Any
    response: Any
    note: str


class Habit(NamedTuple):
    op: str
    weight: float
    args: Dict[str, Any]
    since: float = 0.0
    until: float = 1e12


@dataclass(frozen=True)
class Kind:
    """A trade of machines: what it calls, when, and from where."""
    name: str
    product: str
    share: float
    auth: Tuple[str, ...]
    rhythm: str
    rate: Tuple[float, float]
    clients: Tuple[str, ...]
    nets: Tuple[str, ...]
    core: Tuple[str, ...]
    grow: Tuple[str, ...] = ()
    width: Tuple[int, int] = (2, 6)
    tags: Tuple[str, ...] = ()


@dataclass
class Account:
    id: str
    name: str
    regions: List[str]
    things: Dict[str, List[str]] = field(default_factory=dict)


@dataclass
class Identity:
    """A machine or a person in one product."""
    name: str
    product: str
    kind: Kind
    auth: str
    account: Any = None
    region: str = ""
    ids: Dict[str, str] = field(default_factory=dict)
    things: Dict[str, List[str]] = field(default_factory=dict)
    places: List[Tuple[float, List[Place]]] = field(default_factory=list)
    dynamic: str = ""
    habits: List[Habit] = field(default_factory=list)
    keys: List[Tuple[float, str]] = field(default_factory=list)
    born: float = 0.0
    gone: float = 1e12
    rate: float = 1.0
    errors: float = 0.0
    phase: float = 0.0
    human: bool = False
    retries: bool = False
    used: Set[str] = field(default_factory=set)
    nets: Set[str] = field(default_factory=set)
    count: int = 0
    history: int = 0
    mate: Optional["Identity"] = None
    label: str = ""
    runs: List[Tuple[float, Place]] = field(default_factory=list)

    def alive(self, time: float) -> bool:
        return self.born <= time < self.gone

    def places_at(self, time: float) -> List[Place]:
        current = self.places[0][1]
        for since, places in self.places:
            if since <= time:
                current = places
        return current

    def key_at(self, time: float) -> str:
        current = self.keys[0][1]
        for since, key in self.keys:
            if since <= time:
                current = key
        return current


def block(ip: str) -> str:
    """The /16 an address belongs to; names of services stand for themselves."""
    return ".".join(ip.split(".")[:2]) if ip[:1].isdigit() else ip
