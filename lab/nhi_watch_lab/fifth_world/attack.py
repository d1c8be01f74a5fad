"""Lures, how an attack is played, and the incidents that come of it."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Optional, Tuple

from nhi_watch_lab.fifth_world import clients, model, techniques
from nhi_watch_lab.fifth_world.aws import borrow
from nhi_watch_lab.fifth_world.catalogue import CATALOGUE, find
from nhi_watch_lab.fifth_world.model import DAY, HOUR, UPPER, Chance, Identity, Place, Ref, block, stream
from nhi_watch_lab.fifth_world.techniques import Step, Technique
from nhi_watch_lab.fifth_world.tenant import FAR_REGIONS, Filler, iso
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.tables import table

# ---- what intruders reach for: other people's things, outside accounts, new names

BIG_MODELS = ["anthropic.claude-opus-4-20250514-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"]
DENY_NAMES = {"stable": "table"}


class Lures:
    """Values of one incident: '@name' stays, '%name' is drawn anew."""

    def __init__(self, world: World, who: Identity, rng: Chance) -> None:
        self.world, self.who, self.rng = world, who, rng
        self.kept: Dict[str, Any] = {}
        self.known = False

    def resolve(self, value: Any) -> Any:
        if not isinstance(value, str) or value[:1] not in "@%" or len(value) < 2:
            return value
        name = value[1:]
        if value[0] == "%":
            return self.draw(name)
        if name not in self.kept:
            self.kept[name] = self.draw(name)
        return self.kept[name]

    def _foreign(self, pool: List[str], own: List[str]) -> str:
        """Something that is not the victim's own, if there is such."""
        others = [item for item in pool if item not in own]
        self.known = self.known or not others
        return self.rng.choice(others or pool or [self.rng.text(8)])

    def draw(self, name: str) -> Any:
        maker = SPECIAL.get(name)
        if maker is not None:
            return maker(self)
        account, tenant = self.who.account, self.world.tenant
        plain = DENY_NAMES.get(name, name)
        own = self.who.things.get(plain, []) + [str(habit.args[plain]) for habit in self.who.habits if plain in habit.args]
        if account is not None and account.things.get(name):
            return self._foreign(account.things[name], own)
        if name in tenant.things:
            return self._foreign(tenant.things[name], own)
        return Filler(tenant, self.who, self.rng, tenant.cut).var(name)

    def outside(self) -> str:
        if "account" not in self.kept:
            self.kept["account"] = self.rng.digits(12)
        return str(self.kept["account"])

    def outside_arn(self) -> str:
        return f"arn:aws:iam::{self.outside()}:" + self.rng.choice(["root", "root", "role/" + self.rng.choice(model.SYSTEMS)])


def _trust(lures: Lures) -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}]}' % lures.outside_arn()


def _share(lures: Lures) -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"%s","Resource":"*"}]}' % (lures.outside_arn(), lures.rng.choice(["*", "kms:Decrypt",
        "secretsmanager:GetSecretValue", "ecr:BatchGetImage"]))


def _peer_role(lures: Lures) -> str:
    account = lures.rng.choice(lures.world.tenant.accounts)
    role = lures.rng.choice(account.things["rolename"] + ["OrganizationAccountAccessRole", "OrganizationAccountAccessRole", "admin"])
    return f"arn:aws:iam::{account.id}:role/{role}"


def _object(lures: Lures) -> str:
    return f"{lures.rng.choice(lures.world.tenant.things['service'])}-{lures.rng.choice(['config', 'creds', 'tls'])}"


def _own_bucket(lures: Lures) -> str:
    return lures.rng.choice(lures.who.things.get("bucket") or ["data"])


def _sink(lures: Lures) -> str:
    return f"{lures.rng.choice(model.VENDORS + model.COMPANY)}-{lures.rng.choice(model.SYSTEMS)}-{lures.rng.text(5)}"


SPECIAL: Dict[str, Callable[[Lures], Any]] = {
    "account": lambda l: l.outside(), "outsidearn": lambda l: l.outside_arn(), "outsidetrust": _trust, "outsideshare": _share, "sink": _sink, "newname": lambda l: model.invented(l.rng),
        "NEWNAME": lambda l: model.invented(l.rng).upper().replace("-", "_"),
    "self": lambda l: l.who.ids.get("username", l.rng.choice((l.who.account.things["user"] if l.who.account else None) or ["admin"])), "selfrole": lambda l: l.who.ids.get("rolename",
        "admin"), "role": lambda l: l._foreign(l.who.account.things["rolename"] if l.who.account else [], [l.who.ids.get("rolename", "")]),
    "user": lambda l: l._foreign(l.who.account.things["user"] if l.who.account else [], [l.who.ids.get("username", "")]),
        "admin": lambda l: "arn:aws:iam::aws:policy/" + l.rng.choice(["AdministratorAccess", "AdministratorAccess", "PowerUserAccess", "IAMFullAccess"]),
            "bedrockpolicy": lambda l: "arn:aws:iam::aws:policy/AmazonBedrockFullAccess",
    "anything": lambda l: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}', "peerrole": _peer_role,
        "region": lambda l: l.rng.choice(FAR_REGIONS + l.world.tenant.regions), "gpu": lambda l: l.rng.choice(["g5.2xlarge", "p3.2xlarge", "c6a.8xlarge", "c6i.xlarge"]),
    "bigmodel": lambda l: l._foreign(BIG_MODELS, l.who.things.get("model", [])), "bedrockuser": lambda l: "BedrockAPIKey-" + l.rng.text(4), "ownbucket": _own_bucket,
        "kms": lambda l: l._foreign(l.who.account.things["kmsarn"] if l.who.account else [], l.who.things.get("kmsarn", [])),
    "phone": lambda l: f"arn:aws:sns:{l.who.region}:{l.who.account.id if l.who.account else ''}:" + model.invented(l.rng), "domain": lambda l: model.domain(l.rng),
        "stranger": lambda l: model.person(l.rng).replace(".", l.rng.choice(["-", "", "_"])) + str(l.rng.randint(1, 99)),
    "branch": lambda l: l.rng.choice([f"feature/{l.rng.choice(model.SYSTEMS)}-{l.rng.randint(1, 999)}", f"dependabot/npm-{l.rng.text(5)}", "develop"]),
        "gmember": lambda l: l.rng.choice([f"user:{model.person(l.rng).replace('.', '')}@gmail.com",
            f"serviceAccount:{model.invented(l.rng)}@{l.rng.choice(model.COMPANY)}-{l.rng.text(4)}.iam.gserviceaccount.com"]),
    "graphrole": lambda l: l.rng.choice(["RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All", "Mail.ReadWrite"]), "resource": lambda l: l._foreign(["Azure Key Vault",
        "Azure Storage", "Office 365 Exchange Online", "Windows Azure Service Management API"], [l.who.ids.get("resource", "")]), "kobject": _object,
    "kaccount": lambda l: l.rng.choice(["default", "cluster-admin", "argocd-application-controller", "deployer"]), "stage": lambda l: l.rng.hexs(8).upper()}


# ---- one incident: who is robbed, from where, how fast, and the calls themselves

GAPS = {"burst": (0.4, 6.0), "hand": (12.0, 150.0), "patient": (180.0, 2400.0), "slow": (1.0 * HOUR, 7.0 * HOUR)}
NETS = [("hosting", 5.0), ("vpn", 3.0), ("home", 2.5), ("aws", 1.5), ("gcp", 0.8), ("azure", 0.8)]
RECON: Dict[str, Tuple[str, ...]] = table(__file__, "tables.json/recon")
LONGEST = {"burst": 4 * HOUR, "hand": 12 * HOUR, "patient": 2 * DAY, "slow": 8 * DAY}


class Incident:
    """Carries one technique out against one victim."""

    def __init__(self, world: World, technique: Technique, who: Identity, origin: str, rng: Chance, brief: bool = False) -> None:
        self.brief = brief
        self.world, self.technique, self.who, self.origin, self.rng = world, technique, who, origin, rng
        self.lures = Lures(world, who, rng)
        self.refs: List[Ref] = []
        self.others: Dict[str, Identity] = {}
        self.used: List[str] = []
        self.pace = rng.choice(technique.paces) if technique.signal in ("amount", "none") else rng.pick([(rng.choice(technique.paces), 0.7), ("patient", 0.16), ("slow", 0.14)])
        self.places = self._seats()
        self.time = self._begin()
        self.first = self.time

    def _seats(self) -> List[Place]:
        """An outsider's addresses: none in a block that the victim ever used."""
        if self.origin == "inside":
            return []
        rng, seats = self.rng, []
        net, agent = rng.pick(NETS), clients.loose(self.who.product, rng)
        if rng.chance(0.2):
            agent = self.who.places_at(self.world.tenant.end)[0].agent
        for _ in range(rng.pick([(1, 6.0), (2, 2.0), (4, 1.0)])):
            ip = self.world.tenant.network.address(rng, net)
            while block(ip) in self.who.nets:
                ip = self.world.tenant.network.address(rng, net)
            seats.append(Place(ip, agent))
        return seats

    def _begin(self) -> float:
        tenant, rng = self.world.tenant, self.rng
        room = {"slow": 4.5, "patient": 1.2}.get(self.pace, 0.4) * DAY
        low = max(tenant.cut, self.who.born + DAY)
        high = max(low + 600, min(tenant.end, self.who.gone) - room)
        time = low + rng.random() * (high - low)
        runs = [item for item in self.who.runs if low <= item[0] < min(tenant.end, self.who.gone) - 0.4 * DAY]
        self.run: Optional[Place] = None
        if runs and (self.origin == "inside" and self.who.dynamic or self.who.auth in ("oidc", "chain")):
            begun, self.run = rng.choice(runs)
            time = begun + rng.uniform(3, 90 if self.origin == "inside" else 1500)
            self.pace = "burst" if self.pace in ("slow", "patient") else self.pace
        elif self.origin == "inside" and "office" in self.who.kind.rhythm and (self.technique.signal == "none" or rng.chance(0.6)):
            time = tenant.start + int((time - tenant.start) / DAY) * DAY + (9 + 9 * rng.random() - tenant.habits["timezone"]) * HOUR
            time = max(time, low)
        return time

    def place(self, who: Identity, time: float) -> Place:
        """The seat for a call by an identity, with the host whose session it uses."""
        if who.product != self.who.product and self.origin == "external":
            key = "agent " + who.product
            if key not in self.lures.kept:
                self.lures.kept[key] = clients.loose(who.product, self.rng)
            return Place(self.rng.choice(self.places).ip, self.lures.kept[key], self._host(who, time))
        if "assumed" in self.lures.kept and who is self.others.get("assumed"):
            return self.place(self.who, time)._replace(host=str(self.lures.kept["assumed"]))
        if self.origin == "external":
            return self.rng.choice(self.places)._replace(host=self._host(who, time))
        if who is self.who and self.run is not None:
            return self.run
        if who.auth == "backdoor" or who.product == self.who.product and who is not self.who:
            return self.place(self.who, time)._replace(host=who.name)
        seats = who.places_at(time)
        return seats[self._index(len(seats))]

    def _index(self, size: int) -> int:
        if "seat" not in self.lures.kept:
            self.lures.kept["seat"] = self.rng.randint(0, 99)
        return int(self.lures.kept["seat"]) % size

    def _host(self, who: Identity, time: float) -> str:
        if who is self.who and self.technique.name == "foreign_pipeline_subject":
            return f"@{self.first - 2:.0f}|GitHubActions"
        if who is self.who and self.run is not None:
            return self.run.host
        seats = who.places_at(time)
        return seats[self._index(len(seats))].host

    def actor(self, name: str) -> Identity:
        """The identity of a step: the victim, a new user of the intruder, or a second identity in another product."""
        if not name:
            return self.who
        if name not in self.others:
            if name == "backdoor":
                user = str(self.lures.kept.get("newname") or self.lures.kept.get("bedrockuser"))
                account = self.who.account
                ids = {"username": user, "user": "AIDA" + self.rng.text(17, UPPER), "arn": f"arn:aws:iam::{account.id if account else ''}:user/{user}"}
                self.others[name] = Identity(user, "aws", self.who.kind, "user", account, self.who.region, ids, keys=[(0.0, "AKIA" + self.rng.text(16, UPPER))], places=self.who.places)
            else:
                able = [item for item in self.world.machines if item.product == name and item.alive(self.first) and item.history and item.auth not in ("key", "node", "system")]
                self.others[name] = self.rng.choice(able or [item for item in self.world.machines if item.product == name])
        return self.others[name]

    def become(self) -> None:
        """The victim takes the role of another machine, which the next steps use."""
        able = [who for who in self.world.machines if who.product == "aws" and who is not self.who and "role" in who.ids and who.auth != "service" and who.alive(self.time)]
        who = self.rng.choice(able)
        host, refs = borrow(self.world, self.who, who, self.time, self.rng, self.place(self.who, self.time), self.rng.choice([f"botocore-session-{int(self.time)}", self.who.name.lower(),
            f"aws-go-sdk-{int(self.time * 1e6)}"]))
        self.refs += refs
        self.used.append("sts:AssumeRole")
        self.others["assumed"], self.lures.kept["assumed"] = who, host
        self.time += self.rng.expovariate(1 / self.gap)

    def call(self, step: Step, who: Identity) -> None:
        args: Dict[str, Any] = {name: self.lures.resolve(value) for name, value in step.args.items()}
        if step.op == "sts:AssumeRole" and "rolename" in args:
            account = self.who.account
            args["rolearn"] = f"arn:aws:iam::{account.id if account else ''}:role/{args.pop('rolename')}"
        error = step.error or ("denied" if self.rng.chance(step.denied) else "")
        self.refs += self.world.act(who, step.op, self.time, self.rng, self.place(who, self.time), args, error)
        self.used.append(step.op)
        self.time += self.rng.expovariate(1 / self.gap)

    def carry_out(self) -> None:
        low, high = GAPS[self.pace]
        self.gap = self.rng.log_between(low, high)
        begun = self.time
        self.world.attacking = True
        small = sum(step.low * step.odds for step in self.technique.steps) < 4.5
        curious = self.technique.signal != "none" and not self.brief and (small or self.rng.chance(0.5))
        if curious:
            self._look_around(3 if small else 2, 10)
        if self.who.product == "snowflake" and self.origin == "external" and not (self.technique.steps[0].op == "snow/login" and self.technique.steps[0].odds == 1.0):
            self.call(Step("snow/login", 1, 1, 1.0, 0.0, "", {}, ""), self.who)
        for step in self.technique.steps:
            if not self.rng.chance(step.odds):
                continue
            if step.op == "become":
                self.become()
                continue
            count = self.rng.randint(step.low, step.high)
            if count > 30 and self.pace in ("burst", "hand"):
                self.gap = min(self.gap, 8.0)
            who = self.actor(step.who)
            for _ in range(count):
                if step.who == "assumed" and "assumed" not in self.lures.kept:
                    break
                if self.time - begun < LONGEST[self.pace]:
                    self.call(step, who)
            if self.rng.chance(0.15) and self.pace == "hand" and self.run is None:
                self.time += self.rng.uniform(300, 9000)
        if curious and self.rng.chance(0.3):
            self._look_around(1, 6)
        self.world.attacking = False

    def _look_around(self, low: int, high: int) -> None:
        """Discovery before or after the deed; outsiders look around as widely as tests and audits do."""
        ops = [op for op in RECON[self.who.product] if find(op).product in self.world.tenant.products and not (op == "entra/signin" and self.who.auth == "mi" and self.origin == "external")]
        for _ in range(self.rng.randint(low, high) if ops else 0):
            op = self.rng.choice(ops)
            self.call(Step(op, 1, 1, 1.0, 0.25 if not op.startswith("entra") else 0.03, "", {}, ""), self.who)

    def pad(self, rng: Chance) -> List[Ref]:
        """Harmless reads that other identities of the tenant make, around the attack."""
        if not self.refs:
            return []
        reads = sorted({op for who in self.world.machines + self.world.people if who.product == self.who.product and who is not self.who for op in who.used
            if op in CATALOGUE and CATALOGUE[op].read and not CATALOGUE[op].data and "AssumeRole" not in op and op not in self.used})
        own = sorted(op for op in self.who.used if op in CATALOGUE and CATALOGUE[op].read)
        if not reads:
            reads = own = sorted(self.who.used)
        start, end = min(ref.time for ref in self.refs), max(ref.time for ref in self.refs)
        margin = 600.0 if self.run is not None else max(900.0, 0.3 * (end - start))
        chosen = rng.sample(reads, min(len(reads), rng.randint(4, 14)))
        refs: List[Ref] = []
        self.world.attacking = True
        kept = self.rng
        self.rng = rng
        for _ in range(min(200, max(3, int(len(self.refs) * rng.uniform(0.7, 1.3))))):
            time = rng.uniform(start - (2.0 if self.run is not None else margin), end + margin)
            if time >= self.world.tenant.cut:
                refs += self.world.act(self.who, rng.choice(own) if own and rng.chance(0.25) else rng.choice(chosen), time, rng, self.place(self.who, time))
        self.rng = kept
        self.world.attacking = False
        return refs


# ---- chooses techniques, victims and moments for a tenant, and makes the labels

def all_techniques() -> List[Technique]:
    first, second, other = techniques, techniques, techniques
    return first.access() + first.theft() + second.harm() + second.cost() + second.execution() + other.cluster() + other.code() + other.google() + other.azure() + other.directory() + other.stores()


def _fits(world: World, technique: Technique, who: Identity, origin: str, taken: List[str]) -> bool:
    """Whether a machine can be the victim of a technique in such a way that the log can tell."""
    if who.product != technique.product or who.label in taken or who.auth in ("service", "system") or "pentest" in who.name:
        return False
    if who.history < (1 if "old" in who.kind.tags else 5) or who.gone < world.tenant.cut + 3 * DAY or who.born > world.tenant.cut - DAY:
        return False
    if origin == "inside" and who.dynamic and not any(world.tenant.cut <= begun < min(world.tenant.end, who.gone) - 0.4 * DAY for begun, _ in who.runs):
        return False
    if technique.auth and who.auth not in technique.auth or technique.tags and not any(tag in who.kind.tags for tag in technique.tags):
        return False
    if who.product == "aws" and who.account is not None and any("user" in step.args.values() or step.args.get("user") == "@user" for step in technique.steps) and len(who.account.things["user"]) < 2:
        return False
    if origin == "external" and who.product == "entra" and who.auth == "mi" or who.auth == "node" and origin == "external":
        return False
    if origin == "inside" and technique.signal == "call":
        sure = [step.op.replace("become", "sts:AssumeRole") for step in technique.steps if step.odds == 1.0 and step.low > 0 and not step.who]
        return any(op not in who.used for op in sure)
    if technique.signal == "amount":
        return "s3:GetObject" in who.used and who.count < 600
    if technique.signal == "none":
        return all(step.op in who.used for step in technique.steps) and who.count > 80
    return True


class Planner:
    """Draws incidents one after another."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.streams("incidents")
        products = world.tenant.products
        self.techniques = [item for item in all_techniques() if item.product in products and all(need in products for need in item.needs) and (world.tenant.habits["data_events"] or not item.data)]
        self.drawn: Dict[str, int] = {}
        self.taken: List[str] = []

    def _draw(self, origin: str, blind: bool, brief: bool) -> Optional[Tuple[Technique, Identity]]:
        rng = self.rng
        pool = [item for item in self.techniques if item.origin in (origin, "both") and (item.signal == "none") == blind]
        pool = [item for item in pool if sum(step.high for step in item.steps) <= 3] if brief and not blind else pool
        share = rng.random()
        aws = [item for item in pool if item.product == "aws"]
        pool = aws if share < 0.6 and aws else [item for item in pool if item.product != "aws"] or aws
        weights = [(item, (item.weight or 1.0) * 0.25 ** self.drawn.get(item.name, 0)) for item in pool]
        for _ in range(12):
            if not weights:
                return None
            technique = rng.pick(weights)
            able = [who for who in self.world.machines if _fits(self.world, technique, who, origin, self.taken)]
            if able:
                return technique, rng.choice(able)
        return None

    def one(self, number: int, origin: str, blind: bool, brief: bool = False) -> Optional[Incident]:
        for attempt in range(30):
            found = self._draw(origin, blind, brief)
            if found is None:
                continue
            technique, who = found
            incident = Incident(self.world, technique, who, origin, stream(self.world.seed, "incident", number, attempt), brief)
            incident.carry_out()
            if incident.refs:
                self.drawn[technique.name] = self.drawn.get(technique.name, 0) + 1
                self.taken.append(who.label)
                return incident
        return None


def tells(incident: Incident) -> bool:
    """Whether something in the log sets the incident apart from its victim's life."""
    who, technique = incident.who, incident.technique
    if technique.signal == "none":
        return False
    if incident.origin == "external":
        return all(block(place.ip) not in who.nets for place in incident.places)
    if technique.signal == "target" and not incident.lures.known or technique.signal == "amount":
        return True
    return any(op not in who.used for op in incident.used)


def commit(world: World, count: int, padded: bool) -> List[Tuple[Incident, List[Ref]]]:
    planner = Planner(world)
    rng = planner.rng
    inside = count // 2
    origins = ["inside"] * inside + ["external"] * (count - inside)
    rng.shuffle(origins)
    blind = min(rng.pick([(0, 4.0), (1, 3.0), (2, 1.0)]), count // 8)
    short = rng.sample(range(count), int(round(count * rng.uniform(0.1, 0.25))))
    done: List[Tuple[Incident, List[Ref]]] = []
    for number, origin in enumerate(origins):
        hidden = origin == "inside" and blind > 0
        incident = planner.one(number, origin, hidden, number in short) or planner.one(number + 1000, origin, False)
        blind -= int(hidden)
        if incident is not None:
            done.append((incident, []))
    if padded:
        done = [(incident, incident.pad(stream(world.seed, "padding", number))) for number, (incident, _) in enumerate(done)]
    return sorted(done, key=lambda item: min(ref.time for ref in item[0].refs))


def _lines(refs: List[Ref], lines: Dict[int, int]) -> List[List[Any]]:
    return [[ref.file, lines[ref.number]] for ref in sorted(refs, key=lambda ref: (ref.file, lines[ref.number]))]


def labels(done: List[Tuple[Incident, List[Ref]]], lines: Dict[int, int], padded: bool) -> List[Dict[str, Any]]:
    out = []
    for number, (incident, padding) in enumerate(done, 1):
        times = [ref.time for ref in incident.refs]
        label: Dict[str, Any] = {"id": f"inc-{number:02d}", "technique": incident.technique.name, "origin": incident.origin, "identity": incident.who.label,
            "start": iso(math.floor(min(times))), "end": iso(math.ceil(max(times))), "distinguishable": tells(incident), "records": _lines(incident.refs, lines)}
        if padded:
            label["padding"] = _lines(padding, lines)
        out.append(label)
    return out
