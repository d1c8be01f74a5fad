"""A grown tenant in which a theft is one to five calls of an established identity, mostly from its own place."""

from __future__ import annotations

from dataclasses import replace

from nhi_watch_lab.fifth_world import clients
from nhi_watch_lab.fifth_world.attack import Incident, _fits, all_techniques
from nhi_watch_lab.fifth_world.model import DAY, Chance, Identity, Place, block, stream
from nhi_watch_lab.fifth_world.techniques import Technique
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth.brief import NETS, SHELLS
from nhi_watch_lab.variants.fifth.first import TOR
from nhi_watch_lab.variants.fifth.tables import deeds

MOST_CALLS = 5
THEFTS = (28, 36)
IN_CLUSTERS = 0.25
"""Share of thefts from service accounts of clusters, where the tenant has any."""
WAYS = [("own", 0.55), ("near", 0.2), ("external", 0.25)]
"""From where: the victim's own place; another network of its operator, or another pod; elsewhere."""
OWN_CLIENT = 0.5
"""Share of those from elsewhere with the victim's client."""


def rob(world: World, seed: int) -> list[Incident]:
    """The incidents of a world."""
    rng = stream("short", seed)
    pool = _techniques(world)
    done: list[Incident] = []
    for number in range(rng.randint(*THEFTS)):
        incident = _rob_one(world, pool, stream("short", seed, number), done)
        done += [incident] if incident is not None else []
    return done


def _techniques(world: World) -> list[Technique]:
    tenant = world.tenant
    able = [
        technique
        for technique in (*deeds("brief"), *map(_without_searching, all_techniques()))
        if technique.product in tenant.products
        and all(need in tenant.products for need in technique.needs)
        and (tenant.habits["data_events"] or not technique.data)
        and technique.signal in ("call", "target")
    ]
    return [technique for technique in able if sum(step.high for step in technique.steps) <= MOST_CALLS]


def _without_searching(technique: Technique) -> Technique:
    """What it is about: no lists before it, and of each call a few."""
    steps = [step for step in technique.steps if step.odds == 1.0 and step.low]
    acts = [step for step in steps if "list " not in step.op and ":List" not in step.op] or steps
    few = (replace(step, high=min(step.high, 3), low=min(step.low, 3), denied=0.0) for step in acts)
    return replace(technique, steps=tuple(few))


def _rob_one(world: World, pool: list[Technique], rng: Chance, done: list[Incident]) -> Incident | None:
    played = [incident.technique.name for incident in done]
    taken = [incident.who.label for incident in done]
    way, in_cluster = rng.pick(WAYS), rng.chance(IN_CLUSTERS)
    origin = "external" if way == "external" else "inside"
    fit = [t for t in pool if (t.product == "kubernetes") == in_cluster and played.count(t.name) < 2] or pool
    for _ in range(40):
        technique = rng.choice(fit)
        able = [who for who in world.machines if _fits(world, technique, who, origin, taken)]
        if not able:
            continue
        incident = ShortTheft(world, technique, rng.choice(able), origin, rng, way)
        incident.carry_out()
        if incident.refs:
            return incident
    return None


class ShortTheft(Incident):  # type: ignore[misc, unused-ignore]
    """An incident of a few calls within minutes, without looking around."""

    def __init__(self, world: World, technique: Technique, who: Identity, origin: str, rng: Chance, way: str) -> None:
        self.way = way
        super().__init__(world, technique, who, origin, rng, brief=True)

    def _seats(self) -> list[Place]:
        if self.way != "external":
            return []
        rng, product = self.rng, self.who.product
        agent = self.who.places_at(self.world.tenant.end)[0].agent
        if product in SHELLS and not rng.chance(OWN_CLIENT):
            agent = clients.make(rng.pick(SHELLS[product]), rng)
        net = rng.pick(NETS)
        ip = f"{rng.choice(TOR)}.{rng.randint(2, 253)}" if net == "tor" else self.world.tenant.network.address(rng, net)
        while block(ip) in self.who.nets:
            ip = self.world.tenant.network.address(rng, "hosting")
        return [Place(ip, agent)]

    def _begin(self) -> float:
        """A moment at which the victim is at work."""
        begun = float(super()._begin())
        self.pace = "burst" if self.run is not None or self.rng.chance(0.5) else "hand"
        tenant = self.world.tenant
        runs = [time for time, _ in self.who.runs if tenant.cut <= time < min(tenant.end, self.who.gone) - 0.4 * DAY]
        return float(self.rng.choice(runs) + self.rng.uniform(3, 90)) if runs and self.run is None else begun

    def place(self, who: Identity, time: float) -> Place:
        """Near: another address of the same operator, the same for all calls."""
        seat: Place = super().place(who, time)
        if self.way != "near" or not seat.ip[:1].isdigit():
            return seat
        first, second, *_ = seat.ip.split(".")
        end = self.lures.kept.setdefault("near", f"{self.rng.randint(0, 255)}.{self.rng.randint(2, 253)}")
        return seat._replace(ip=f"{first}.{second}.{end}")
