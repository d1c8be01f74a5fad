# ruff: noqa: E501
"""An attacker's hand: pace, place, client, noise; and the padding that hides it."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.aws_actors import Actor, Session
from nhi_watch_lab.second_world.aws_cast import Cast
from nhi_watch_lab.second_world.aws_jobs import BROWSE, expand
from nhi_watch_lab.second_world.aws_life import READ_NAMES
from nhi_watch_lab.second_world.aws_log import AwsLog
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, place
from nhi_watch_lab.second_world.saas import Agent, Product
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant, outside

COMMON = [name for group in BROWSE for name in expand(" ".join(group))]
PACES = {"fast": (0.3, 4.0), "hands": (8.0, 120.0), "slow": (500.0, 2600.0)}


@dataclass
class Incident:
    id: str
    technique: str
    origin: str
    start: float
    identity: str = ""
    distinguishable: bool = True
    day: int = 0
    pace: str = "hands"


@dataclass
class Scene:
    """Everything that attackers can reach."""
    tenant: Tenant
    sink: Sink
    log: AwsLog
    cast: Cast
    products: dict[str, Product]
    taken: list[int] = field(default_factory=list)


class Attacker:
    def __init__(self, scene: Scene, incident: Incident, rng: Random) -> None:
        self.scene, self.incident, self.rng, self.t = scene, incident, rng, incident.start
        self.external = incident.origin == "external"
        self.place: Optional[Place] = outside(rng, scene.tenant) if self.external else None
        self.ua = ""
        self.noise = rng.choice([0.0, 0.2, 0.5, 0.9])
        self.denied = rng.choice([0.0, 0.0, 0.05, 0.2, 0.4])
        self.volume = rng.choice([0.0, 0.15, 0.3, 0.5, 0.7, 1.0])
        self.times: list[float] = []
        self.lane = rng.randrange(64)            # one host or one stolen session, not all of them
        self.victim: Optional[Actor] = None
        self.agent: Optional[tuple[Product, Agent]] = None
        self.session: Optional[Session] = None    # set when the attacker made a session of its own

    def wait(self, low: float, high: float) -> None:
        self.t += self.rng.uniform(low, high)

    def tick(self) -> float:
        low, high = PACES[self.incident.pace]
        self.t += self.rng.uniform(low, high) * self.rng.choice([0.3, 1.0, 1.0, 2.0])
        self.times.append(self.t)
        return self.t

    def count(self, low: int, high: int) -> int:
        """How often the repeated part happens: loud, quiet or in between; slow attackers do less."""
        limit = min(high, 50) if self.incident.pace == "slow" else high
        return low + round((limit - low) * self.volume * self.rng.random())

    def aws(self, who: Actor, names: list[str], over: Optional[Json] = None, core: bool = True) -> None:
        for name in names:
            err = "denied" if self.rng.random() < (self.denied * (0.4 if core else 1.0)) else ""
            self.scene.log.call(who, self.tick(), name, place=self.place, ua=self.ua, explore=True, over=over, err=err, region=self.rng.choice(who.regions), lane=self.lane % who.lanes, session=self.session)

    def prepare(self, who: Actor) -> None:
        """Where the attacker sits: elsewhere with another client, or inside with the victim's own."""
        self.incident.identity, self.victim = who.arn, who
        if self.external:
            self.ua = agents.operator_client(self.rng) if self.rng.random() < 0.8 else who.ua(self.t)
        elif who.flavour == "ci":
            self.place = place(self.rng, who.place.operator, 1)

    def prepare_agent(self, who: Agent, product: Product) -> None:
        self.agent = (product, who)
        self.incident.identity = who.name if product.name != "entra" else f"{who.name} ({who.ids.get('app', '')})"
        if self.external:
            same = product.name in ("snowflake", "vault") or self.rng.random() < 0.3
            self.ua = who.ua if same else self._client(product)

    def _client(self, product: Product) -> str:
        from nhi_watch_lab.second_world.k8s import KUBECTL
        makers = {"github": agents.git, "gcp": agents.gcp}
        if product.name == "kubernetes":
            return self.rng.choice(KUBECTL + ["curl/8.5.0", "Go-http-client/2.0", "Python-urllib/3.11"])
        return makers.get(product.name, agents.script_client)(self.rng)

    def saas(self, product: Product, who: Agent, ops: list[str], over: Optional[Json] = None, core: bool = True) -> None:
        for op in ops:
            err = self.rng.random() < (0.0 if core else self.denied)
            product.emit(who, self.tick(), op, place=self.place, ua=self.ua, explore=True, err=err, over=over)

    # padding: the attack stays complete; these records only surround it

    def pad(self) -> None:
        if self.victim:
            self.pad_aws(self.victim)
        elif self.agent:
            self.pad_saas(*self.agent)

    def pad_aws(self, who: Actor) -> None:
        rng = self.rng
        low, high = min(self.times), max(self.times) + 1800
        for _ in range(rng.randint(4, 14)):
            t = rng.uniform(low, high)
            for name in who.routine[:6]:
                t += rng.expovariate(1.0)
                self.scene.log.call(who, t, name, place=self.place, ua=self.ua, lane=self.lane % who.lanes)
        for _ in range(rng.randint(3, 9)):
            self.scene.log.call(who, rng.uniform(low, high), rng.choice(READ_NAMES), place=self.place, ua=self.ua)
        alive = [m for m in self.scene.cast.machines if m.alive(low) and m is not who]
        for other in rng.sample(alive, min(len(alive), rng.randint(8, 30))):
            # around the attack, not only during it: a crowd of small news of the same days
            self.scene.log.call(other, rng.uniform(low - 14400, high + 43200), rng.choice(rng.choice([READ_NAMES, COMMON])))

    def pad_saas(self, product: Product, who: Agent) -> None:
        rng = self.rng
        low, high = min(self.times), max(self.times) + 1800
        for _ in range(rng.randint(4, 14)):
            for op in who.routine:
                product.emit(who, rng.uniform(low, high), op, place=self.place, ua=self.ua)
        others = [a for a in product.victims() if a is not who and a.born <= low < a.dies]
        for other in rng.sample(others, min(len(others), rng.randint(5, 20))):
            product.emit(other, rng.uniform(low - 14400, high + 43200), rng.choice(product.ops))


def fits(who: Actor, flavours: str, t: float) -> bool:
    ready = who.alive(t - 86400) and who.alive(t + 86400) and who.flavour != "slr" and who.runs > 0
    return ready and ((flavours == "any" and who.flavour != "vendor") or who.flavour in flavours.split())


def choose(rng: Random, scene: Scene, flavours: str, t: float) -> Optional[Actor]:
    """A victim that was not used before."""
    fit = [m for m in scene.cast.victims() if fits(m, flavours, t) and id(m) not in scene.taken]
    if not fit:
        return None
    who = rng.choice(fit)
    scene.taken.append(id(who))
    return who


def choose_agent(rng: Random, scene: Scene, product: Product, kinds: str, t: float, dormant: bool = False) -> Optional[Agent]:
    fit = [a for a in product.victims() if a.kind in kinds.split() and id(a) not in scene.taken and a.born < t - 86400 and t + 86400 < a.dies and (a.runs == 0.0) == dormant]
    if not fit:
        return None
    who = rng.choice(fit)
    scene.taken.append(id(who))
    return who


def new_account(rng: Random) -> str:
    return ids.digits(rng, 12)
