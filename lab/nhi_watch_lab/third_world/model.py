"""What the world is made of: operations, credentials, identities, accounts, and the place records go."""
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .clients import Client
from .rand import B62, DAY, Rand, iso, moment, spoken

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
