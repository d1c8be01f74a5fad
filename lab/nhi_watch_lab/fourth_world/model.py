"""The types: who acts, from where, with what, and one thing done."""
from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Tuple

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
PRODUCTS = ("cloudtrail", "okta", "entra", "m365", "gcp", "github", "kubernetes", "snowflake", "vault")


class Source(NamedTuple):
    """An address as the provider sees it."""

    ip: str
    country: str
    city: str
    org: str
    vpce: str = ""


class Session(NamedTuple):
    """Temporary credentials, or the standing in for them outside of AWS."""

    name: str
    key: str
    start: int
    how: str  # role, key, console, sso, web, service, token


@dataclass
class Principal:
    """One identity of one product, human or not."""

    product: str
    kind: str
    name: str
    id: str
    account: str
    human: bool = False
    extra: Dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name under which the identity appears in its log."""
        if self.product != "cloudtrail":
            return self.name
        if self.kind == "user":
            return f"arn:aws:iam::{self.account}:user/{self.name}"
        return f"arn:aws:iam::{self.account}:role/{self.extra.get('path', '')}{self.name}"


class Event(NamedTuple):
    """Something done; tag is -1, or twice the incident's number, plus one for padding."""

    t: int
    who: Principal
    call: str
    args: Dict[str, str]
    error: str
    source: Source
    agent: str
    session: Session
    tag: int


@dataclass
class Place:
    """Where calls come from: a style and the addresses behind it."""

    style: str
    fixed: List[Source] = field(default_factory=list)
    hosts: int = 1
    life: int = 30 * DAY


@dataclass
class Rhythm:
    style: str
    per_day: float
    hour: float = 3.0
    weekday: int = 0
    monthday: int = 1


class Change(NamedTuple):
    """From this moment on the machine has another client, place or mix."""

    t: int
    what: str
    agent: str
    place: Place
    calls: Tuple[str, ...]


@dataclass
class Machine:
    """A non-human identity and its way of life."""

    who: Principal
    kind: str
    agent: str
    place: Place
    rhythm: Rhythm
    volume: float
    mix: List[Tuple[str, float]]
    rare: List[str]
    session: str
    span: int
    region: str
    born: int
    dies: int
    ordered: bool = True
    failing: float = 0.0
    novelty: float = 0.01
    slots: Dict[str, List[str]] = field(default_factory=dict)
    changes: List[Change] = field(default_factory=list)
    debugged: bool = False


@dataclass
class Person:
    """A human with an identity in several products."""

    name: str
    upn: str
    job: str
    shift: float
    home: Source
    vpn: bool
    diligence: float
    ids: Dict[str, Principal]
    agents: Dict[str, str]
    style: str
    slots: Dict[str, List[str]] = field(default_factory=dict)
