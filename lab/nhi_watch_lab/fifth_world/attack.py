"""One incident: who is robbed, from where, how fast, and the calls themselves."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from . import clients
from .aws import borrow
from .catalogue import CATALOGUE, find
from .chance import UPPER, Chance
from .lures import Lures
from .model import DAY, HOUR, Identity, Place, Ref, block
from .steps import Step, Technique
from .world import World
from nhi_watch_lab.tables import table

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
