# ruff: noqa: E501
"""What the other products share: agents with routines, and the day loop that plays them."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import clock, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Person, Tenant


@dataclass
class Agent:
    """An identity of a product: a bot, an app, a service account, or a person."""
    name: str
    kind: str
    place: Place
    ua: str
    routine: list[str]
    runs: float
    rhythm: str
    ids: Json = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)
    person: Optional[Person] = None
    phase: float = 0.0
    fail: float = 0.0
    variety: list[str] = field(default_factory=list)    # automation: each run does some of these
    born: float = 0.0
    dies: float = 9e18

    def pick(self, kind: str, whole: list[str], rng: Random, explore: bool) -> str:
        """A resource: the agent's own few, or any when it explores."""
        if explore or self.kind == "person":
            return rng.choice(whole)
        if kind not in self.pools:
            self.pools[kind] = rng.sample(whole, min(len(whole), rng.choice([1, 2, 3, 5])))
        return rng.choice(self.pools[kind])


class Product:
    """Base of a product: population, news, and `emit`, the only writer of its records."""
    name = ""
    ops: list[str] = []
    human_ops: list[str] = []

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        self.tenant, self.sink, self.rng, self.scale = tenant, sink, rng, scale
        self.agents: list[Agent] = []

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        raise NotImplementedError

    def victims(self) -> list[Agent]:
        return [a for a in self.agents if a.kind != "person"]

    def people(self) -> list[Agent]:
        return [a for a in self.agents if a.kind == "person"]

    def add(self, who: Agent) -> Agent:
        rng, habits = self.rng, self.tenant.habits
        who.phase = rng.random()
        self._unique(who)
        moment = self.tenant.start + rng.uniform(0.1, 0.95) * self.tenant.days * 86400
        if who.kind != "person" and rng.random() < habits["births"]:
            who.born = moment
        elif who.kind != "person" and rng.random() < habits["deaths"]:
            who.dies = moment
        self.agents.append(who)
        return who

    def _unique(self, who: Agent) -> None:
        if any(a.name == who.name for a in self.agents):
            number = str(self.rng.randint(2, 9999))
            mark = next((m for m in ("[bot]", "@") if m in who.name), "")
            who.name = who.name.replace(mark, f"-{number}{mark}", 1) if mark else f"{who.name}-{number}"

    def automate(self) -> None:
        """A few agents are Terraform, GitOps or workflow tools, which do administrators' work."""
        for who in self.rng.sample(self.victims(), min(len(self.victims()), self.rng.randint(1, 3))):
            who.variety = self.rng.sample(self.human_ops, max(3, round(len(self.human_ops) * self.rng.uniform(0.4, 0.8))))

    def automation(self, who: Agent, day: float) -> None:
        for _ in range(ids.poisson(self.rng, self.tenant.habits["deploys"] * 0.6)):
            t = clock.office_time(self.tenant, self.rng, day)
            for op in self.rng.choices(who.variety, k=self.rng.choice([1, 2, 3, 6])):
                t += self.rng.expovariate(0.5)
                self.emit(who, t, op, explore=True, err=self.rng.random() < 0.02)

    def day(self, day: float) -> None:
        for who in self.agents:
            if not who.born <= day + 43200 < who.dies:
                continue
            if who.kind == "person":
                self.person_day(who, day)
            else:
                self.machine_day(who, day)

    def machine_day(self, who: Agent, day: float) -> None:
        if who.variety and clock.works(self.tenant, self.rng, day):
            self.automation(who, day)
        runs = who.runs * self.scale if who.rhythm in ("steady", "office") else who.runs
        for t in clock.starts(self.tenant, self.rng, who.rhythm, runs, who.phase, day):
            self.run(who, t)
        if self.ops and self.rng.random() < self.tenant.habits["novelty"]:
            self.news(who, clock.office_time(self.tenant, self.rng, day))

    def run(self, who: Agent, t: float) -> None:
        for op in who.routine:
            t += self.rng.expovariate(1.0)
            self.emit(who, t, op, err=self.rng.random() < who.fail)

    def news(self, who: Agent, t: float) -> None:
        draw = self.rng.random()
        if draw < 0.3:
            who.pools.clear()
        elif draw < 0.45:
            who.routine = who.routine + [self.rng.choice(self.ops)]
        else:
            for op in self.rng.choices(self.ops, k=self.rng.randint(1, 4)):
                t += self.rng.expovariate(0.2)
                self.emit(who, t, op, explore=self.rng.random() < 0.5, err=self.rng.random() < 0.2)

    def person_day(self, who: Agent, day: float) -> None:
        """A working day of a person: ordinary operations, a few rare administrative ones."""
        from nhi_watch_lab.second_world.aws_people import where
        if not who.person or not clock.works(self.tenant, self.rng, day):
            return
        spot = where(self.tenant, self.rng, who.person)
        for _ in range(ids.poisson(self.rng, who.runs * min(1.0, self.scale))):
            t = clock.office_time(self.tenant, self.rng, day)
            self.emit(who, t, self.rng.choice(who.routine), place=spot, err=self.rng.random() < 0.02)
        if self.human_ops and self.rng.random() < self.tenant.habits["admin"] * 0.12:
            t = clock.office_time(self.tenant, self.rng, day)
            for op in self.rng.choices(self.human_ops, k=self.rng.choice([1, 1, 2, 4])):
                t += self.rng.expovariate(0.02)
                self.emit(who, t, op, place=spot, explore=True)


def geo(place: Place) -> Json:
    return {"city": place.city, "state": place.state or None, "country": place.country, "geolocation": {"lat": place.lat, "lon": place.lon}}


def spot(who: Agent, place: Optional[Place], rng: Random, t: float) -> tuple[Place, str]:
    where = place or who.place
    return where, where.ip(rng, t)
