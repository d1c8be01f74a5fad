"""What everything else stands on: chance, identities and operations, names."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, TypeVar

# ---- seeded chance: every stream is named by text, so that streams never disturb each other

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


# ---- plain data that all parts share

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


# ---- vocabularies and the makers of names

SYSTEMS = ["billing", "orders", "catalog", "pricing", "ledger", "payroll", "claims", "checkout", "search", "notify", "identity", "profile", "media", "fraud", "returns", "shipping",
    "inventory", "invoices", "loyalty", "reports", "metrics", "events", "ingest",
           "crm", "forecast", "tickets", "documents", "contracts", "scoring", "routing", "telemetry", "warehouse", "gateway", "session", "quotes", "tax", "sensors", "maps", "feeds",
               "partners", "risk", "archive", "exports", "consent", "onboarding"]
PARTS = ["api", "worker", "sync", "batch", "core", "svc", "job", "export", "loader", "proxy", "engine", "bridge", "hub", "runner", "agent", "backend", "stream", "reader", "writer", "service"]
TEAMS = ["platform", "payments", "data", "growth", "security", "logistics", "core-infra", "finance", "mobile", "ml", "support", "analytics", "sre", "web"]
ENVS = ["prod", "prod", "prod", "staging", "dev"]
FIRST = ["anna", "ben", "carla", "david", "elena", "felix", "greta", "hugo", "ines", "jonas", "katja", "leo", "maria", "nils", "olga", "paul", "rosa", "stefan", "tina", "uwe", "vera",
    "wim", "yara", "zoe", "amir", "bianca", "chen", "dmitri", "emeka", "fatima", "george",
         "hana", "ivan", "julia", "kofi", "lena", "marco", "nadia", "oscar", "priya", "ravi", "sara", "tom", "ursula", "viktor", "wanda", "xin", "yusuf"]
LAST = ["bauer", "fischer", "novak", "rossi", "dubois", "kowalski", "jansen", "larsen", "murphy", "patel", "singh", "okafor", "tanaka", "garcia", "silva", "weber", "huber", "smith",
    "jones", "brown", "ivanova", "popescu", "horvat", "schmidt", "keller", "meyer", "nguyen",
        "ahmed", "costa", "berg", "lind", "moreau", "ricci", "vogel", "wolf", "adams", "baker", "clark", "evans", "reed"]
COMPANY = ["norvia", "altrex", "brightfold", "cedarline", "datavane", "elmora", "fernwell", "glintworks", "harborly", "inventra", "junipr", "kestrelo", "lumenaut", "meridon", "nimbria",
    "oakhaven", "pellucid", "quanterra", "rivulet", "solvanta"]
VENDORS = ["cloudlens", "costpilot", "metricly", "postureone", "fivepipe", "lookdash", "okular", "sentrix", "backuply", "syncwise", "peoplehub", "mailvault"]
NOTES = ["Created by automation", "nightly run", "Managed by Terraform", "before upgrade", "restore test", "Temporary", "cleanup", "see ticket", "ops request", "weekly copy", "migration",
    "Bump dependencies", "Fix build", "Update config", "hotfix"]


def machine(rng: Chance, style: int, kind: str) -> str:
    """A machine's name in the tenant's style."""
    system, part, env, team = rng.choice(SYSTEMS), rng.choice(PARTS), rng.choice(ENVS), rng.choice(TEAMS)
    short = kind.split("-")[0]
    return [f"{env}-{system}-{part}", f"{system}-{part}", f"svc-{system}-{short}", f"{team}-{system}-{short}", f"{system}_{part}_{env}", f"{system.capitalize()}{part.capitalize()}Role"][style % 6]


def person(rng: Chance) -> str:
    return f"{rng.choice(FIRST)}.{rng.choice(LAST)}"


def invented(rng: Chance) -> str:
    """The name of a new thing, as anybody might choose it."""
    return rng.pick([(f"{rng.choice(SYSTEMS)}-{rng.choice(PARTS)}", 4), (f"{rng.choice(TEAMS)}-{rng.choice(PARTS)}-{rng.text(4)}", 2), (f"tmp-{rng.text(6)}", 1),
        (f"{rng.choice(SYSTEMS)}{rng.randint(1, 99)}", 2), (f"svc-{rng.choice(SYSTEMS)}", 2), (f"test-{rng.choice(SYSTEMS)}", 1), (f"BedrockAPIKey-{rng.text(4)}", 0.15)])


def domain(rng: Chance) -> str:
    return f"{rng.choice(COMPANY)}{rng.choice(['', '-', ''])}{rng.choice(['hq', 'labs', 'cloud', 'app', 'data', 'net', 'ops', 'mail'])}.{rng.choice(['com', 'io', 'net', 'dev', 'org'])}"


def bucket(rng: Chance, company: str) -> str:
    return f"{company}-{rng.choice(SYSTEMS)}-{rng.choice(['data', 'logs', 'assets', 'exports', 'backups', 'artifacts', 'raw', 'reports', 'uploads'])}-{rng.choice(['prod', 'prod', 'dev', 'eu', 'us'])}"


def many(make: Callable[[], str], count: int) -> List[str]:
    """Distinct names in the order made."""
    found: List[str] = []
    for _ in range(count * 8):
        name = make()
        if name not in found:
            found.append(name)
        if len(found) >= count:
            break
    return found
