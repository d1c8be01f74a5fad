"""What everything else stands on: dice, addresses, clients, operations and identities."""

import json
import math
import random
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from nhi_watch_lab.tables import table

# ---- randomness and time that read the same on every Python: no hash order, no library changes

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


# ---- whose network an address belongs to. First bytes are real owners' ranges, the rest is drawn

# owner -> prefixes; a number range a-b may stand in the second byte
RANGES: Dict[str, str] = table(__file__, "tables.json/ranges")
PLACES: Dict[str, List[Tuple[str, str, str, str, float, float]]] = {
    "US": [("Austin", "Texas", "78701", "America/Chicago", 30.27, -97.74), ("Boston", "Massachusetts", "02110",
            "America/New_York", 42.36, -71.06), ("Seattle", "Washington", "98101", "America/Los_Angeles", 47.61, -122.33),
           ("Denver", "Colorado", "80202", "America/Denver", 39.74, -104.99)],
    "GB": [("London", "England", "EC1A", "Europe/London", 51.51, -0.13), ("Leeds", "England", "LS1", "Europe/London",
            53.8, -1.55)],
    "DE": [("Berlin", "Land Berlin", "10115", "Europe/Berlin", 52.52, 13.41)],
    "NL": [("Amsterdam", "North Holland", "1012", "Europe/Amsterdam", 52.37, 4.9)],
    "IN": [("Bengaluru", "Karnataka", "560001", "Asia/Kolkata", 12.97, 77.59)],
    "AU": [("Sydney", "New South Wales", "2000", "Australia/Sydney", -33.87, 151.21)],
    "PL": [("Warsaw", "Mazovia", "00-001", "Europe/Warsaw", 52.23, 21.01)],
    "BR": [("Sao Paulo", "Sao Paulo", "01000", "America/Sao_Paulo", -23.55, -46.63)],
    "RO": [("Bucharest", "Bucuresti", "010011", "Europe/Bucharest", 44.43, 26.1)],
    "SG": [("Singapore", "Singapore", "018956", "Asia/Singapore", 1.29, 103.85)],
}
COUNTRIES = list(PLACES)
OWNERS = {"home": ("comcast", 7922), "office": ("att services inc", 7018), "mobile": ("t-mobile usa", 21928),
          "hosting": ("digitalocean llc", 14061), "vpn": ("m247 europe srl", 9009), "tor": ("foundation for applied "
          "privacy", 208323), "gcp": ("google llc", 396982), "azure": ("microsoft corporation", 8075)}


def _expand(text: str) -> List[Tuple[int, int, int]]:
    pairs = []
    for item in text.split():
        first, second = item.split(".")
        low, _, high = second.partition("-")
        pairs.append((int(first), int(low), int(high or low)))
    return pairs


_TABLE = {owner: _expand(text) for owner, text in RANGES.items()}
_OWNER_OF = [(a, low, high, owner) for owner, rows in _TABLE.items() for a, low, high in rows]


def address(rand: Rand, owner: str) -> str:
    """A public address of an owner: `aws:<region>`, `azure`, `home`, `hosting`, `vpn`, `tor`…"""
    first, low, high = rand.pick(_TABLE.get(owner) or _TABLE["aws:us-east-1"])
    if owner == "tor" and first == 185:
        return f"185.220.{rand.whole(100, 103)}.{rand.whole(2, 254)}"
    return f"{first}.{rand.whole(low, high)}.{rand.whole(0, 255)}.{rand.whole(1, 254)}"


def private(rand: Rand, octet: int) -> str:
    return f"10.{octet}.{rand.whole(0, 191)}.{rand.whole(4, 254)}"


def geography(ip: str) -> Tuple[str, Tuple[str, str, str, str, float, float], str, int]:
    """(country, city row, network name, AS number) of an address: always the same for its /16."""
    parts = ip.split(".")
    first, second = int(parts[0]), int(parts[1])
    rand = Rand("geo", first, second)
    owner = next((o for a, low, high, o in _OWNER_OF if a == first and low <= second <= high), "hosting")
    if owner.startswith("aws") or owner == "vendor":
        name, number = "amazon.com inc.", 14618
    else:
        name, number = OWNERS.get(owner, ("amazon.com inc.", 16509))
    country = rand.weighted([(c, 12.0 if c == "US" else 1.5) for c in COUNTRIES])
    return country, rand.pick(PLACES[country]), name, number


# ---- what calls the interfaces, and the user-agent string it sends. Versions are drawn and move up

OPEN = table(__file__, "tables.json/open")
KERNELS = ["5.10.2{x}-2{y}.9{x}.amzn2.x86_64", "6.1.1{x}-1{y}.2{y}.amzn2023.x86_64", "6.8.0-10{x1}-aws", "6.12.{x}-7{y}."
           "amzn2023.aarch64", "5.15.0-1{x}-generic"]
DESK = ["darwin#24.{patch}.0", "windows#11", "linux#6.8.0-{x}-generic", "darwin#23.{patch}.0"]
KALI = ["linux#6.1{minor2}.{x1}-amd64", "linux#6.8.11-amd64", "linux#5.15.0-{x}-generic", "windows#10", "darwin#23.{patch}.0"]
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Client:
    """One installed program: its family, and a version that stays until it is upgraded."""

    def __init__(self, rand: Rand, family: str, runtime: str = "", own: bool = False) -> None:
        self.family = family
        self.runtime = runtime
        self.own = own
        self._parts = self._draw(rand)
        self._cache: Dict[Tuple[str, str], str] = {}

    def _draw(self, rand: Rand) -> Dict[str, str]:
        small = {"x": str(rand.whole(20, 79)), "y": str(rand.whole(10, 60)), "x1": str(rand.whole(0, 19)),
                 "minor": str(rand.whole(1, 9)), "minor1": str(rand.whole(7, 13)), "minor2": str(rand.whole(0, 4)),
                 "patch": str(rand.whole(0, 7))}
        arm = rand.chance(0.25)
        kernel = rand.pick(KERNELS).format(**small)
        lane = rand.whole(0, 40)
        parts = dict(small, k=kernel, arch="aarch64" if arm else "x86_64", ga="arm64" if arm else "amd64",
                     py=f"3.{rand.whole(9, 13)}.{small['x1']}", b=f"1.{rand.whole(34, 42)}.{rand.whole(0, 130)}",
                     g=f"1.{rand.whole(28, 41)}.{rand.whole(0, 7)}", go=f"1.{rand.whole(21, 25)}.{rand.whole(0, 9)}",
                     gm=f"1.{rand.whole(30, 290)}.{rand.whole(0, 4)}", g1=f"{rand.whole(44, 55)}.{rand.whole(0, 300)}",
                     j=f"{rand.whole(20, 41)}.{rand.whole(0, 60)}", jv=rand.pick(["11.0.2", "17.0.1", "21.0."]) + str(
                     rand.whole(0, 9)), j1=str(rand.whole(500, 790)), n3=str(480 + lane * 11), n2=str(1400 + lane * 6),
                     node=f"{rand.pick(['18', '20', '22'])}.{small['minor']}.{small['patch']}", r=small["patch"],
                     r1=str(rand.whole(40, 110)), r2=str(rand.whole(74, 92)), r3=str(rand.whole(64, 72)), c=str(
                     rand.whole(13, 33)), tf=str(rand.whole(4, 14)), tp=rand.pick(["5", "5", "6"]), h7=rand.hex(7),
                     m=rand.pick(["Z,b,n", "D,Z,b,E", "b,Z", "n,Z,E", "E,b,Z,D"]), retry=rand.pick(["legacy", "standard"]),
                     os=rand.pick(DESK if not self.own else KALI).format(**small), h32=rand.hex(32), tty="True",
                     tty2="False", desk=rand.pick(["Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64",
                     "X11; Linux x86_64"]), plat=rand.pick(["darwin/arm64", "linux/amd64", "windows/amd64"]),
                     app="controller")
        env = f"exec-env/{self.runtime} " if self.runtime else ""
        parts["env"] = env
        parts["env1"] = env
        return parts

    def upgrade(self, rand: Rand) -> "Client":
        newer = Client(rand, self.family, self.runtime, self.own)
        keep = ("k", "arch", "ga", "os", "desk", "plat", "app")
        newer._parts.update({name: self._parts[name] for name in keep})
        return newer

    def named(self, app: str) -> "Client":
        self._parts["app"] = app
        return self

    def string(self, service: str, name: str) -> str:
        found = self._cache.get((service, name))
        if found is None:
            command = f"{service}.{_WORD.sub('-', name).lower()}"
            found = OPEN[self.family].format(svc=service, cmd=command, **self._parts)
            if service == "s3":
                found = f"[{found}]"
            self._cache[(service, name)] = found
        return found


MACHINE_SDKS = ["boto3", "boto3", "go2", "go2", "java2", "js3", "js3", "go1", "java1", "js2", "rust", "php", "ruby",
                "dotnet", "boto3-old"]
ATTACK_SDKS: List[Tuple[str, float]] = [("cli2", 5), ("boto3", 5), ("cli1", 1), ("go2", 2), ("rclone", 1), ("js3", 1),
                                        ("s3browser", 0.7), ("powershell", 0.5), ("java2", 0.5), ("terraform", 0.3)]


# ---- what the world is made of: operations, credentials, identities, accounts, and the place records go

Record = Dict[str, Any]
TOKEN = re.compile(r"\$(\w+)")


# calls that a service goes on to make in the caller's name
ON_BEHALF = {"secretsmanager:GetSecretValue": ("secretsmanager.amazonaws.com", "kms:Decrypt"), "ssm:GetParameter": (
             "ssm.amazonaws.com", "kms:Decrypt"), "athena:StartQueryExecution": ("athena.amazonaws.com", "glue:GetTable"),
             "ec2:RunInstances": ("ec2-frontend-api.amazonaws.com", "kms:GenerateDataKey"), "rds:CreateDBSnapshot": (
             "rds.amazonaws.com", "kms:DescribeKey"), "ecs:CreateService": ("ecs.amazonaws.com", "ec2:DescribeSubnets"),
             "secretsmanager:PutSecretValue": ("secretsmanager.amazonaws.com", "kms:GenerateDataKey")}


class Op(NamedTuple):
    """One thing that can be asked of a product. kind: R read, W write, DR and DW data events."""

    key: str
    product: str
    service: str
    name: str
    kind: str
    params: str
    reply: str


@dataclass
class Credential:
    """Something secret in use at one place: who it says it is, from where, with which client."""

    key: str
    name: str
    created: int
    expires: int
    block: Record
    ip: str
    client: Client
    private: str = ""
    service: str = ""


@dataclass
class Host:
    """A pod, function environment, task, instance or runner that holds credentials for a while."""

    name: str
    ip: str
    private: str
    client: Client
    until: int
    credential: Optional[Credential] = None


@dataclass
class Account:
    """An AWS account, or the one place where another product's resources live."""

    id: str
    name: str
    region: str
    regions: List[str]
    nat: List[str]
    octet: int
    endpoint: str = ""
    moved: Tuple[int, List[str]] = (10**9, [])

    def egress(self, day: int) -> List[str]:
        return self.moved[1] if day >= self.moved[0] else self.nat


@dataclass
class Identity:
    """A machine identity or a person's account in one product."""

    name: str
    product: str
    kind: str
    account: Account
    label: str
    unique: str
    client: Client
    job: str = ""
    ops: List[Tuple[str, float]] = field(default_factory=list)
    rare: List[str] = field(default_factory=list)
    power: str = "narrow"
    place: str = "nat"
    fixed: List[str] = field(default_factory=list)
    hosts: int = 1
    host_days: float = 3.0
    schedule: str = "steady"
    rate: float = 4.0
    length: int = 1
    born: int = 0
    dies: int = 10**9
    upgrade_day: int = 10**9
    extra: Record = field(default_factory=dict)
    resources: Dict[str, List[str]] = field(default_factory=dict)
    slots: Dict[int, Host] = field(default_factory=dict)
    sessions: List[Credential] = field(default_factory=list)

    def alive(self, day: int) -> bool:
        return self.born <= day < self.dies

    @property
    def families(self) -> set[str]:
        return {key.partition(":")[0] for key, _ in self.ops} | {key.partition(":")[0] for key in self.rare}


@dataclass
class Person:
    """Someone on the payroll, the accounts they hold and the networks they come from."""

    mail: str
    login: str
    team: str
    accounts: Dict[str, List[Identity]]
    home: str
    office: str
    laptop: Client
    browser: Client
    vpn: str = ""
    busy: float = 0.5
    shift: float = 0.0

    def where(self, rand: Rand) -> str:
        if self.vpn and rand.chance(0.8):
            return self.vpn
        return self.office if self.office and rand.chance(0.5) else self.home


class Entry(NamedTuple):
    """One record to be written. tag names the incident it belongs to; a tag ending in + is padding."""

    time: int
    tie: int
    line: str
    tag: str


@dataclass
class Sink:
    """Collects records by product until they are written in time order."""

    end: int
    entries: Dict[str, List[Entry]] = field(default_factory=dict)

    def add(self, product: str, time: int, tie: int, record: Record, tag: str = "") -> bool:
        if time >= self.end:
            return False
        line = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
        self.entries.setdefault(product, []).append(Entry(time, tie, line, tag))
        return True


Builder = Callable[["World", int, Identity, Op, Credential, Rand, Record], Record]


@dataclass
class World:
    """One tenant: its habits, accounts, machines and people, and everything they wrote."""

    seed: int
    start: int
    days: int
    history: int
    company: str
    habits: Dict[str, Any]
    sink: Sink
    accounts: List[Account] = field(default_factory=list)
    machines: List[Identity] = field(default_factory=list)
    people: List[Identity] = field(default_factory=list)
    pools: Dict[str, List[str]] = field(default_factory=dict)
    staff: List["Person"] = field(default_factory=list)
    ops: Dict[str, Op] = field(default_factory=dict)
    builders: Dict[str, Builder] = field(default_factory=dict)

    def day(self, time: int) -> int:
        return (time - self.start) // DAY

    def at(self, day: int, ms: float) -> int:
        return self.start + day * DAY + int(ms)

    def weekday(self, day: int) -> int:
        return moment(self.start + day * DAY).weekday()

    def do(self, time: int, who: Identity, op: str, cred: Credential, rand: Rand, *, tag: str = "",
           error: str = "", wide: bool = False, region: str = "", given: Optional[Dict[str, str]] = None) -> bool:
        """Let an identity do one thing: the only way any record comes to be."""
        known = self.ops[op]
        values = dict(given or {})
        values.setdefault("region", region or who.account.region)
        details: Record = {"error": error, "region": values["region"], "values": values, "wide": wide}
        record = self.builders[known.product](self, time, who, known, cred, rand, details)
        kept = self.sink.add(known.product, time, rand.bits(30), record, tag)
        if op in ON_BEHALF and not (error or cred.service) and rand.chance(self.habits["on_behalf"]):
            service, then = ON_BEHALF[op]
            called = replace(cred, service=service, block=dict(cred.block, invokedBy=service))
            self.do(time + rand.whole(20, 400), who, then, called, rand, tag=tag, wide=wide, region=region)
        return kept

    def fill(self, text: str, who: Identity, time: int, rand: Rand, details: Record) -> Any:
        """The JSON template with its $tokens replaced; a token keeps its value within one record."""
        if not text:
            return None
        values: Dict[str, str] = details["values"]

        def token(match: "re.Match[str]") -> str:
            name = match.group(1)
            if name not in values:
                values[name] = self.value(name, who, time, rand, bool(details["wide"]))
            return values[name]

        return json.loads(TOKEN.sub(token, text))

    def value(self, name: str, who: Identity, time: int, rand: Rand, wide: bool) -> str:
        """A resource of the identity's usual ones (any of the account's when wide), or something drawn."""
        if name == "foreign" and "partner" in who.extra:
            return str(who.extra["partner"])
        if name in DRAWN:
            return DRAWN[name](rand, who, time)
        pool = self.pools.get(f"{who.account.id}/{name}") or self.pools[name]
        if wide:
            return rand.pick(pool)
        own = who.resources.get(name)
        if own is None:
            own = who.resources[name] = rand.some(pool, 1 + (rand.whole(0, 2) if rand.chance(0.5) else 0))
        return rand.pick(own)


NEW_FIRST = ["svc", "backup", "data", "support", "test", "tmp", "ops", "monitoring", "sync", "audit", "report", "web", "ci"]
NEW_LAST = ["user", "reader", "export", "agent", "admin", "job", "role", "worker", "integration", "access", "runner", "api"]
DRAWN: Dict[str, Callable[[Rand, Identity, int], str]] = {
    "acct": lambda rand, who, time: who.account.id,
    "self": lambda rand, who, time: who.name,
    "uuid": lambda rand, who, time: rand.uuid(),
    "uuid2": lambda rand, who, time: rand.uuid(),
    "h7": lambda rand, who, time: rand.hex(7),
    "h8": lambda rand, who, time: rand.hex(8),
    "h17": lambda rand, who, time: rand.hex(17),
    "h40": lambda rand, who, time: rand.hex(40),
    "h64": lambda rand, who, time: rand.hex(64),
    "num": lambda rand, who, time: str(rand.whole(1, 99)),
    "size": lambda rand, who, time: str(int(rand.lognormal(40000, 2))),
    "big": lambda rand, who, time: rand.digits(9),
    "now": lambda rand, who, time: iso(time),
    "spoken": lambda rand, who, time: spoken(time),
    "day": lambda rand, who, time: moment(time).strftime("%Y-%m-%d"),
    "path": lambda rand, who, time: moment(time).strftime("%Y/%m/%d"),
    "akia": lambda rand, who, time: "AKIA" + rand.letters(16),
    "aida": lambda rand, who, time: "AIDA" + rand.letters(17),
    "aroa": lambda rand, who, time: "AROA" + rand.letters(17),
    "instanceid": lambda rand, who, time: "i-0" + rand.hex(16),
    "snapid": lambda rand, who, time: "snap-0" + rand.hex(16),
    "newname": lambda rand, who, time: rand.pick(NEW_FIRST) + "-" + rand.pick(NEW_LAST) + rand.pick(["", "", "2", "-v2", "-tmp"]),
    "few": lambda rand, who, time: str(rand.whole(1, 5)),
    "token": lambda rand, who, time: rand.letters(64, B62),
    "foreignip": lambda rand, who, time: f"{rand.whole(11, 99)}.{rand.whole(1, 250)}.{rand.whole(1, 250)}.{rand.whole(1, 250)}",
}
