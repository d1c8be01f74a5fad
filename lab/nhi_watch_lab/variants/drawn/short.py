"""A grown drawn tenant in which each theft is one to five calls of an identity with a past.

What each machine does of itself is played beforehand, so that a theft lies beside the victim's own work.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from nhi_watch_lab import worlds
from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import WORDS, Dice, dice
from nhi_watch_lab.simulator.machines import DAY, Machine
from nhi_watch_lab.simulator.products import kubernetes
from nhi_watch_lab.simulator.products.raid import Raid as ProductRaid
from nhi_watch_lab.simulator.products.raid import Technique as ProductTechnique
from nhi_watch_lab.simulator.products.tenant import Campaign as ProductCampaign
from nhi_watch_lab.simulator.products.tenant import Tenant as Company
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Worker
from nhi_watch_lab.simulator.raid import REGISTER, Act, Manner, Raid, Technique, Timed
from nhi_watch_lab.simulator.tenant import IMMUNE, Campaign, Shift, Tenant, plan_oddities
from nhi_watch_lab.variants.drawn import short_deeds, workers
from nhi_watch_lab.variants.drawn.tenant import Told, enlist
from nhi_watch_lab.worlds.company import peaceful
from nhi_watch_lab.worlds.days import of_account, of_company, peaceful_account, people_of
from nhi_watch_lab.worlds.world import World

OFFSET = 160_000
"""Its tenants are none of the family's other ones."""
MOST, ACTIVE_DAYS = 5, 6
"""Calls of a theft at most, and days on which a victim was at work before it."""
PODS = 7
"""Service accounts that join a company's own: it has too few of them for a quarter of the thefts."""
LOOKS = re.compile(r"^(?:List|Describe|Head|GetCallerIdentity|GetUser|GetRole|GetPolicy|GetAccount|GetBucket|Get.*Status)")
"""Calls to AWS that only look around: no part of these thefts."""


def short(seed: int) -> Told:
    """People, and the days as incidents and records."""
    world, d = _draw(seed), dice("short", seed)
    count = d.between(28, 36)
    if world.company:
        return _company(world, count, d)
    tenant = peaceful_account(world)
    enlist(world, tenant)
    tenant.campaigns = _Accounts(tenant, world, d).plan(_origins(count, d), 0)
    tenant.oddities = plan_oddities(tenant)
    days = of_account(world, tenant)
    return frozenset(people_of(tenant)), ((day.incidents, [r for _, r in day.records]) for day in days)


def _draw(seed: int) -> World:
    """One in three is an account, the others are companies, which have clusters."""
    d = dice("short world", seed)
    history, days = d.between(8, 12), d.between(20, 26)
    found = worlds.draw(OFFSET + seed, company=seed % 3 != 0)
    return found._replace(
        identities=d.between(56, 80), incidents=0, history=history, attacked=days - history, agents=0,
        volume=min(found.volume, 18),
    )  # fmt: skip


def _company(world: World, count: int, d: Dice) -> Told:
    tenant = peaceful(world)
    cloud = tenant.company.aws
    enlist(world, cloud)
    subjects = [repo.subject for repo in tenant.company.repos]
    for number, machine in enumerate(m for m in cloud.machines if m.session == "ci"):
        if machine.subject not in subjects:
            machine.subject = subjects[number % len(subjects)]
    workers.hire(tenant)
    for number in range(PODS):
        name = f"{d.pick(WORDS)}-{d.pick(['api', 'worker', 'sync', 'operator'])}-{700 + number}"
        pod = kubernetes.workload(tenant.company, d.pick(kubernetes.NAMESPACES), name)
        pod.place.fixed = number % 2 == 0
        tenant.staff["kubernetes"].append(pod)
    origins = _origins(count, d)
    in_cloud = round(0.35 * count)
    cloud.campaigns = _Accounts(cloud, world, d).plan(origins[:in_cloud], 0)
    cloud.oddities = plan_oddities(cloud)
    tenant.campaigns = _Products(tenant, world, d).plan(origins[in_cloud:], count)
    people = frozenset(people_of(cloud, tenant))
    return people, ((day.incidents, [r for _, r in day.records]) for day in of_company(world, tenant))


def _origins(count: int, d: Dice) -> list[str]:
    """Where the thief of each theft is: in the victim's own place, in one beside it, or elsewhere."""
    outside, near = round(count / 4), round(count / 5)
    elsewhere = ["copied" if number % 2 else "foreign" for number in range(outside)]
    return d.some(elsewhere + ["near"] * near + ["own"] * (count - outside - near), count)


def _is_outside(origin: str) -> bool:
    return origin in ("copied", "foreign")


# ---- when a victim works, and what it knows


class Work(NamedTuple):
    """What an identity does of itself: on each day its seconds, and all actions."""

    seconds: dict[int, list[float]]
    actions: set[str]

    def is_established(self, day: int) -> bool:
        """Whether it works on the day, and did on enough days before."""
        return day in self.seconds and sum(other < day for other in self.seconds) >= ACTIVE_DAYS


def _days(world: World, number: int, d: Dice) -> Iterator[list[int]]:
    """For each theft the tested days in order of preference: each day is the first as often as the others."""
    tested = list(range(world.history, world.days))
    order = [day for _ in range(number // len(tested) + 1) for day in d.some(tested, len(tested))]
    for at in range(number):
        yield list(dict.fromkeys(order[at:] + order[:at]))


def _beside(work: Work, day: int, d: Dice) -> tuple[float, float]:
    """A second at which the victim works, and a theft's second some minutes after it."""
    able = [second for second in work.seconds[day] if second < DAY - 3600]
    second = d.pick(able or work.seconds[day])
    return second, min(DAY - 1500.0, second + d.between(2, 600))


# ---- where a thief is


def near(d: Dice, address: str) -> str:
    """Another network of the same operator; another subnet of a private one."""
    first, second, *_ = address.split(".")
    if first == "10":
        return f"10.{second}.{d.between(0, 250)}.{d.between(4, 250)}"
    operators = [*basics.AWS_EGRESS.values(), *basics.ISPS.values(), *basics.HOSTING.values(), basics.AZURE,
                 basics.GOOGLE]  # fmt: skip
    mine = [prefixes for prefixes in operators if any(address.startswith(f"{each}.") for each in prefixes.split())]
    return basics.address(d, mine[0] if mine else f"{first}.{second}")


def far(d: Dice) -> str:
    """A stranger's network: a hoster, a VPN, a household, seldom Tor."""
    hosting, homes = [*basics.HOSTING.values()], [*basics.ISPS.values(), basics.RESIDENTIAL_ABROAD]
    at = d.random()
    return basics.address(
        d, d.pick(hosting) if at < 0.4 else basics.VPN if at < 0.7 else d.pick(homes) if at < 0.95 else basics.TOR
    )


# ---- accounts


class _Accounts:
    """Plans the thefts in an AWS account."""

    def __init__(self, tenant: Tenant, world: World, d: Dice) -> None:
        self.tenant, self.world, self.dice = tenant, world, d
        able = [m for m in tenant.machines if m.kind in ("role", "user") and m.archetype not in IMMUNE]
        self.machines = [m for m in able if not m.principals]
        """A role made anew has another id, and no past under it."""
        self.work = {m.name: self._work(m) for m in self.machines}
        self.played: dict[str, int] = defaultdict(int)

    def _work(self, machine: Machine) -> Work:
        seconds, actions = dict[int, list[float]](), set[str]()
        for day in range(self.world.days):
            out: list[tuple[int, dict[str, Any]]] = []
            if machine.alive(day):
                Shift(self.tenant, machine, day, self.tenant.date(day), out).work()
            own = [(second, r) for second, r in out if not r["eventName"].startswith("AssumeRole")]
            actions |= {record["eventName"] for _, record in own}
            if own:
                seconds[day] = [float(second) for second, _ in own]
        self.tenant.opened.clear()
        return Work(seconds, actions)

    def plan(self, origins: list[str], first: int) -> list[Campaign]:
        """A theft for each origin, each of a victim of its own while there are some, else of one robbed once."""
        found: list[Campaign] = []
        robbed: dict[str, int] = {}
        for number, (origin, days) in enumerate(zip(origins, _days(self.world, len(origins), self.dice))):
            d = dice(self.tenant.spec.seed, "short", number)
            theft = self._theft(d, origin, days, robbed, first + number)
            if theft is not None:
                name = theft.victim.name
                robbed[name] = -1 if name in robbed else theft.day
                found.append(theft)
        return found

    def _theft(self, d: Dice, origin: str, days: list[int], robbed: dict[str, int], number: int) -> Campaign | None:
        for again in (False, True):
            for day in days:
                able = [m for m in self.machines if self.work[m.name].is_established(day)]
                free = [m for m in able if (robbed.get(m.name, -1) not in (-1, day) if again else m.name not in robbed)]
                restless = [m for m in free if not m.place.fixed]
                for victim in d.some(free + restless, len(free) + len(restless)):
                    name = self._technique(d, victim, origin, day)
                    if name:
                        self.played[name] += 1
                        return self._campaign(d, number, day, name, origin, victim)
        return None

    def _campaign(self, d: Dice, number: int, day: int, name: str, origin: str, victim: Machine) -> Campaign:
        act = partial(_rob, _act(name), _beside(self.work[victim.name], day, d), origin, d.between(2, MOST))
        made = Technique(f"short_{name}", act, "", (), lambda machine: True)
        where = "external" if _is_outside(origin) else "inside"
        return Campaign(number, day, made, where, victim, Manner(quiet=d.pick([0.3, 0.6, 1.0]), looks=0.0, most=1))

    def _technique(self, d: Dice, victim: Machine, origin: str, day: int) -> str:
        """One of the least played that leaves a record; from inside what it does is new to the victim."""
        names = sorted(d.some(short_deeds.NAMES, len(short_deeds.NAMES)), key=lambda name: self.played[name])
        for name in names:
            if name in REGISTER and not REGISTER[name].fits(victim):
                continue
            raid = Raid(self.tenant, victim, day, "inside", dice("tried", victim.name, name))
            raid.quiet = 0.3
            _rob(_act(name), (30_000.0, 30_000.0), "own", MOST, raid)
            calls = {record["eventName"] for _, _, record in raid.out}
            if calls and (_is_outside(origin) or calls.isdisjoint(self.work[victim.name].actions)):
                return name
        return ""


def _act(name: str) -> Act:
    return short_deeds.ACCOUNT[name] if name in short_deeds.ACCOUNT else REGISTER[name].act


def _rob(act: Act, beside: tuple[float, float], origin: str, most: int, raid: Raid) -> None:
    """The first calls of a technique in the victim's session, without what only looks around."""
    raid.manner, raid.origin = raid.manner._replace(most=0), "inside"
    raid._job, raid.clock = beside
    own = raid.actor()
    d = raid.dice
    if origin == "near" and own.address[:1].isdigit():
        own = own._replace(address=near(d, own.address))
    elif _is_outside(origin):
        agent = d.pick([basics.cli, basics.cli, basics.boto3, basics.golang])(d) if origin == "foreign" else own.agent
        own = own._replace(address=far(d), agent=agent, vpce="")
    raid._as = own
    act(raid)
    kept: list[Timed] = [
        timed for timed in raid.out
        if timed[2]["userIdentity"] == own.identity and not LOOKS.match(timed[2]["eventName"])
        and timed[0] == raid.day and timed[1] < beside[1] + 1500
    ]  # fmt: skip
    raid.out[:] = kept[: short_deeds.MOST.get(getattr(act, "__name__", ""), most)]
    raid.others.clear()


# ---- companies


class Theft(ProductCampaign):
    """A campaign of a few calls: no other product raises an alert about it, which would be half of its records."""

    def _alarms(self, tenant: Company, raid: ProductRaid, d: Dice) -> list[Line]:
        return []


class _Products:
    """Plans the thefts in the products of a company, a quarter of all its thefts in its cluster."""

    def __init__(self, tenant: Company, world: World, d: Dice) -> None:
        self.tenant, self.world, self.dice = tenant, world, d
        self.of: dict[str, list[Worker]] = {}
        for product, kinds in short_deeds.VICTIMS.items():
            self.of[product] = [w for w in tenant.staff.get(product, ()) if w.kind in kinds.split() and not w.human]
        self.work = {w.name: self._work(w) for staff in self.of.values() for w in staff}
        self.played: dict[str, int] = defaultdict(int)

    def _work(self, worker: Worker) -> Work:
        seconds, actions = dict[int, list[float]](), set[str]()
        for day in range(self.world.days):
            midnight = self.tenant.company.midnight(day)
            lines = list(self.tenant.shift(worker, day, midnight)) if worker.alive(day) else []
            own = [line for line in lines if line.who == worker.who and 0 <= line.second - midnight < DAY]
            actions |= {line.action for line in own}
            if own:
                seconds[day] = [line.second - midnight for line in own]
        return Work(seconds, actions)

    def plan(self, origins: list[str], cloud: int) -> list[ProductCampaign]:
        """A theft for each origin; `cloud` is how many thefts the company has in all."""
        found: list[ProductCampaign] = []
        robbed: dict[str, int] = {}
        others = [product for product in self.of if product != "kubernetes" and self.of[product]]
        clusters = round(cloud / 4)
        rest = [self.dice.pick(others) for _ in range(len(origins) - clusters)]
        products = self.dice.some(["kubernetes"] * clusters + rest, len(origins))
        for number, (origin, days) in enumerate(zip(origins, _days(self.world, len(origins), self.dice))):
            d = dice(self.tenant.spec.seed, "short product", number)
            order = [products[number], *(d.some(others, len(others)) if products[number] in others else ())]
            for product in order:
                theft = self._theft(d, product, origin, days, robbed, 1000 + number)
                if theft is not None:
                    name = theft.cast["victim"].name
                    robbed[name] = -1 if name in robbed else theft.day
                    found.append(theft)
                    break
        return found

    def _theft(
        self, d: Dice, product: str, origin: str, days: list[int], robbed: dict[str, int], number: int
    ) -> Theft | None:
        for again in (False, True):
            for day in days:
                able = [w for w in self.of[product] if self.work[w.name].is_established(day)]
                free = [w for w in able if (robbed.get(w.name, -1) not in (-1, day) if again else w.name not in robbed)]
                restless = [w for w in free if not w.place.fixed]
                for victim in d.some(free + restless, len(free) + len(restless)):
                    choose = self._choose(d, product, victim, origin)
                    if choose is not None:
                        self.played[choose.__name__] += 1
                        act = partial(_play, choose, _beside(self.work[victim.name], day, d)[1], origin)
                        made = ProductTechnique(f"short_{product}{choose.__name__}", act, "", (), ("victim",))
                        where = "external" if _is_outside(origin) else "inside"
                        return Theft(number, day, made, where, {"victim": victim}, Manner(quiet=0.3))
        return None

    def _choose(self, d: Dice, product: str, victim: Worker, origin: str) -> short_deeds.Choose | None:
        """One of the least played that fits; from inside what it does is new to the victim."""
        every = short_deeds.PRODUCTS[product]
        for choose in sorted(d.some(every, len(every)), key=lambda each: self.played[each.__name__]):
            raid = ProductRaid(self.tenant, 0, "inside", dice("tried", victim.name, choose.__name__))
            actions = {line.action for line in _lines(raid, victim, choose(raid, victim))}
            if actions and (_is_outside(origin) or actions.isdisjoint(self.work[victim.name].actions)):
                return choose
        return None


def _lines(raid: ProductRaid, victim: Worker, deeds: list[Deed]) -> list[Line]:
    return [line for deed in deeds for line in deed(raid.sender(victim, True), At(raid.clock, raid.dice))]


def _play(choose: Callable[[ProductRaid, Worker], list[Deed]], second: float, origin: str, raid: ProductRaid,
          cast: Any) -> None:  # fmt: skip
    """At most five deeds in the victim's session, seconds to a minute apart."""
    d, victim = raid.dice, cast.victim
    raid.clock = raid.company.midnight(raid.day) + second
    sender = raid.sender(victim, True)
    if origin == "near" and sender.address[:1].isdigit():
        sender = sender._replace(address=near(d, sender.address))
    elif _is_outside(origin):
        raid._mine = origin == "copied"
        sender = sender._replace(address=far(d), agent=raid.agent(victim))
    for deed in choose(raid, victim)[:MOST]:
        raid.lines += deed(sender, At(raid.clock, d))
        raid.clock += 2 + 50 * d.random()
