"""Identities that work through tickets, and releases of workloads, in a tenant of the fifth family."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from nhi_watch_lab.fifth_world.kinds import aws_kinds, other_kinds
from nhi_watch_lab.fifth_world.life import busy, office_hour, run_place
from nhi_watch_lab.fifth_world.makers import grown, make_machine
from nhi_watch_lab.fifth_world.model import DAY, HOUR, Account, Chance, Habit, Identity, Kind, Place
from nhi_watch_lab.fifth_world.tenant import Filler, Tenant
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth.tables import Calling, Step, agent, callings, plain, procedures

# ---- hiring


@dataclass
class Odd:
    """An identity of such a calling."""

    calling: Calling
    who: Identity
    rate: float
    """Tickets on a day of work."""
    learnt: list[tuple[str, float, float]] = field(default_factory=list)
    """Procedures, how often each is asked for, and the moment from which on they are."""


TAGS = {
    "own": ("person",),
    "spell": ("old", "strong"),
    "drill": ("ops",),
    "round": ("ops", "strong"),
    "desk": ("strong", "iac"),
    "loop": ("strong",),
}
"""What the frozen world lets identities of a style do besides."""


def choose(rng: Chance, tenant: Tenant, count: int) -> list[Calling]:
    """As many callings as asked for: who deploys and who writes infrastructure as code, then others by share."""
    table = {
        (c.product, c.name): c.share * rng.log_between(0.5, 2.0) for c in callings() if c.product in tenant.products
    }
    weight = {product: 2.0 if product == "aws" else rng.log_between(0.35, 1.3) for product in tenant.products}
    sums = {
        product: sum(share for (other, _), share in table.items() if other == product) for product in tenant.products
    }
    always = ("shipper", "opentofu")
    drawn = [c for c in callings() if c.product == "aws" and c.name in always]
    drawn = (drawn + [c for c in drawn if c.name == "shipper"])[:count]
    while len(drawn) < count:
        odds = [
            (c, table[c.product, c.name] / sums[c.product] * weight[c.product] * 0.3 ** drawn.count(c))
            for c in callings()
            if c.product in tenant.products
        ]
        drawn.append(rng.pick(odds))
    return drawn


def hire(world: World, chosen: list[Calling], rng: Chance, taken: dict[str, int]) -> list[Odd]:
    """Identities of those callings, which join the world's machines."""
    busiest = _busiest(world)
    shippers = [calling for calling in chosen if (calling.product, calling.name) == ("aws", "shipper")]
    homes = dict(enumerate(busiest[: len(shippers)]))
    crew: list[Odd] = []
    for calling in chosen:
        home = homes.pop(min(homes)) if calling in shippers and homes else None
        crew.append(_hire(world, calling, rng, taken, home))
    return crew


def _busiest(world: World) -> list[Account]:
    """The accounts, the one with the most workloads first: who deploys them works there."""
    of = [who.account.id for who in world.machines if who.kind.name in WORKLOADS and who.account is not None]
    return sorted(world.tenant.accounts, key=lambda account: -of.count(account.id))


def _hire(world: World, calling: Calling, rng: Chance, taken: dict[str, int], home: Account | None) -> Odd:
    steps = [step for name in calling.procedures for step in procedures()[name]]
    weights = dict.fromkeys((step.op for step in steps), 0.1)
    weights.update(dict.fromkeys((step.op for step in calling.opening), 1.0))
    own = [name for name in calling.clients if not name.startswith("=")]
    core = tuple(f"{op}*{weight}" for op, weight in weights.items())
    moving = ("dynamic",) if calling.nets[0] == "runner" else ()
    families = tuple(own) or ("gosdk" if calling.product == "aws" else "k8sclient",)
    kind = Kind(
        calling.name, calling.product, 0.0, calling.auth, "runs", (0.5, 2.0), families, calling.nets, core,
        tuple(weights), (len(core), len(core)), TAGS[calling.style] + moving,
    )  # fmt: skip
    who = _named(world, kind, rng, taken, home)
    for name in calling.clients:
        if name.startswith("="):
            text = agent(name[1:], rng)
            who.places = [(since, [place._replace(agent=text) for place in places]) for since, places in who.places]
    if calling.style == "own":
        who.places = [(0.0, _desks(world, who.places[0][1][0], rng))]
    names, start, length = list(calling.procedures), world.tenant.start, world.tenant.days * DAY
    rng.shuffle(names)
    later = rng.uniform(0.1, 0.45)
    learnt = [
        (name, 1.0 / (rank + 1.5), start + rng.random() * length if rank and rng.chance(later) else start)
        for rank, name in enumerate(names)
    ]
    world.machines.append(who)
    return Odd(calling, who, rng.log_between(*calling.tickets), learnt)


def _named(world: World, kind: Kind, rng: Chance, taken: dict[str, int], home: Account | None) -> Identity:
    """A machine called after its trade, whatever the tenant's usual way of naming; in an account if that is given."""
    tenant = world.tenant
    usual, accounts = tenant.habits["naming"], tenant.accounts
    tenant.habits["naming"], tenant.accounts = rng.choice([2.0, 3.0]), [home] if home else accounts
    who = make_machine(world, kind, rng, taken)
    tenant.habits["naming"], tenant.accounts = usual, accounts
    return who


def _desks(world: World, place: Place, rng: Chance) -> list[Place]:
    """Where a developer's own credential is used: at home, in the office, through the VPN, now and then elsewhere."""
    network = world.tenant.network
    spots = (
        [network.address(rng, "home")] * 4
        + [network.draw(rng, "office")] * 3
        + [network.draw(rng, "corpvpn")] * 2
        + [network.address(rng, "home")]
    )
    return [place._replace(ip=ip, endpoint="") for ip in spots]


# ---- their days


class Ticket:
    """One piece of work: its arguments stay the same until it is done."""

    def __init__(self, world: World, odd: Odd, name: str, rng: Chance) -> None:
        self.world, self.odd, self.steps, self.rng = world, odd, procedures()[name], rng
        self.kept: dict[str, Any] = {}

    def args(self, step: Step, time: float) -> dict[str, Any]:
        """Arguments of a step."""
        return {name: self._value(value, time) for name, value in step.args}

    def _value(self, text: str, time: float) -> Any:
        if not text.startswith("$"):
            return plain(text)
        if text not in self.kept:
            self.kept[text] = Filler(self.world.tenant, self.odd.who, self.rng, time).var(text[1:])
        return self.kept[text]


class Work:
    """What an identity has still to do, by time: steps of tickets wait for hours and days."""

    def __init__(self, world: World, odd: Odd, rng: Chance) -> None:
        self.world, self.odd, self.rng = world, odd, rng
        self.gap = rng.log_between(0.6, 20)
        self.agenda: list[tuple[float, int, Ticket, int]] = []

    def take(self, ticket: Ticket, time: float) -> None:
        """Put a ticket on the agenda."""
        heapq.heappush(self.agenda, (time, len(self.agenda) * 7919 + self.rng.getrandbits(20), ticket, 0))

    def session(self, time: float, tickets: int) -> None:
        """One run: the opening, then some tickets one after another."""
        place = run_place(self.world, self.odd.who, time, self.rng)
        before, start = self.odd.who.count, time
        time = self.do(self.odd.calling.opening, None, time, place)
        for _ in range(tickets):
            time = self._ticket(Ticket(self.world, self.odd, self._asked(time), self.rng), 0, time, place)
        if self.odd.who.count > before and (self.odd.who.dynamic or place.host.startswith("@")):
            self.odd.who.runs.append((start, place))

    def _asked(self, time: float) -> str:
        able = [(name, weight) for name, weight, since in self.odd.learnt if since <= time]
        return self.rng.pick(able or [(self.odd.learnt[0][0], 1.0)])

    def _ticket(self, ticket: Ticket, first: int, time: float, place: Place) -> float:
        """A ticket's steps until one has to wait."""
        for index in range(first, len(ticket.steps)):
            step = ticket.steps[index]
            if step.wait and index > first and self.rng.chance(0.9):
                later = time + step.wait * HOUR * self.rng.uniform(0.8, 1.4)
                heapq.heappush(self.agenda, (later, self.rng.getrandbits(30), ticket, index))
                return time
            time = self.do((step,), ticket, time, place)
        return time

    def due(self, until: float) -> None:
        """What waited and is due by then."""
        while self.agenda and self.agenda[0][0] < until:
            time, _, ticket, index = heapq.heappop(self.agenda)
            self._ticket(ticket, index, time, run_place(self.world, self.odd.who, time, self.rng))

    def do(self, steps: tuple[Step, ...], ticket: Ticket | None, time: float, place: Place) -> float:
        """Steps at once; returns when they are done."""
        for step in steps:
            if not self.rng.chance(step.odds):
                continue
            for _ in range(self.rng.randint(step.low, step.high)):
                error = "denied" if self.rng.chance(self.odd.calling.refused) else ""
                self.world.act(
                    self.odd.who, step.op, time, self.rng, place, ticket.args(step, time) if ticket else None, error
                )
                time += self.rng.expovariate(1 / self.gap)
        return time


def live(world: World, odd: Odd) -> Work:
    """All days of one of them."""
    rng = world.streams("odd", odd.who.product, odd.who.name)
    work, chosen = Work(world, odd, rng), days(world.tenant, odd, rng)
    for day in range(world.tenant.days):
        for time, tickets in plan(world.tenant, odd, day, chosen, rng):
            work.due(time)
            work.session(time, tickets)
    work.due(world.tenant.end)
    return work


def days(tenant: Tenant, odd: Odd, rng: Chance) -> set[int]:
    """The days on which there is anything to do, for those who rest in between."""
    style, count = odd.calling.style, tenant.days
    if style == "spell":
        found: set[int] = set()
        for _ in range(rng.pick([(1, 5.0), (2, 3.0), (3, 1.0)])):
            first = rng.randint(0, count - 1)
            found |= set(range(first, min(count, first + rng.pick([(1, 4.0), (2, 2.0), (4, 1.0)]))))
        return found
    if style in ("drill", "round"):
        step = rng.choice([7, 14, 30]) if style == "drill" else rng.choice([2, 3, 4, 7])
        return set(range(rng.randint(0, min(step, count) - 1), count, step))
    return set(range(count))


def plan(tenant: Tenant, odd: Odd, day: int, chosen: set[int], rng: Chance) -> list[tuple[float, int]]:
    """Sessions of a day: when, and how many tickets each."""
    style = odd.calling.style
    if day not in chosen:
        return []
    start, quiet = tenant.start + day * DAY, busy(tenant, day)
    if style == "loop":
        step = DAY / (4 + odd.who.phase % 17)
        count = int(DAY / step)
        with_tickets = rng.poisson(odd.rate * (0.3 + 0.7 * quiet))
        moments = [start + (index + rng.random() * 0.6) * step for index in range(count)]
        busy_ones = set(rng.sample(range(count), min(count, with_tickets)))
        return [(time, int(index in busy_ones)) for index, time in enumerate(moments)]
    if style in ("drill", "round"):
        return [(start + odd.who.phase + rng.gauss(0, 900), max(1, rng.poisson(odd.rate)))]
    idle = {"own": 0.6, "desk": 0.95}.get(style)
    if idle is not None and not rng.chance(idle * quiet):
        return []
    total = max(1, rng.poisson(odd.rate))
    sessions = rng.randint(1, min(4, total))
    night = style == "spell" and rng.chance(0.4)
    times = sorted(
        start + rng.random() * DAY if night else office_hour(tenant, day, rng, True) for _ in range(sessions)
    )
    return [(time, total // sessions + int(index < total % sessions)) for index, time in enumerate(times)]


# ---- releases: the usual deployer brings a version out, and the workload does what it did not before

WORKLOADS = (
    "web-service",
    "worker",
    "lambda-reactor",
    "ai-agent",
    "pool-reader",
    "stream-agent",
    "app",
    "controller",
    "operator",
)
DEPLOYERS = ("ci-deploy", "shipper", "deployer", "rollout", "gitops", "argocd")
SECRET = {"aws": ("secretsmanager:GetSecretValue", "secret"), "kubernetes": ("k8s/get secrets", "object")}


class Release(NamedTuple):
    """One version of a workload."""

    workload: Identity
    deployer: Identity
    time: float
    ops: list[str]
    secret: dict[str, str]
    hotfix: bool


def services(world: World, rng: Chance, taken: dict[str, int], count: int) -> None:
    """Further workloads, in the accounts and clusters of those who deploy; they join the world's machines."""
    homes = [who for who in world.machines if who.kind.name in DEPLOYERS and who.product in SECRET]
    wanted = {"aws": ("web-service", "worker", "lambda-reactor", "ai-agent"), "kubernetes": ("app",)}
    for _ in range(count if homes else 0):
        home = rng.choice(homes)
        kinds = [kind for kind in aws_kinds() + other_kinds() if kind.product == home.product]
        kind = rng.choice([kind for kind in kinds if kind.name in wanted[home.product]])
        auth = tuple(name for name in kind.auth if name in ("lambda", "ecs", "sa")) or kind.auth
        accounts, world.tenant.accounts = (
            world.tenant.accounts,
            [home.account] if home.account else world.tenant.accounts,
        )
        who = make_machine(world, replace(kind, auth=auth), rng, taken)
        world.tenant.accounts = accounts
        who.rate *= 0.4
        world.machines.append(who)


def releases(world: World, rng: Chance) -> list[Release]:
    """All releases of the time: what is new afterwards is among the workload's habits from then on."""
    machines = [who for who in world.machines if who.product in SECRET]
    deployers = [who for who in machines if who.kind.name in DEPLOYERS and who.auth in ("oidc", "user", "token", "sa")]
    workloads = [
        who for who in machines if who.kind.name in WORKLOADS and who.auth not in ("service", "user") and not who.born
    ]
    found: list[Release] = []
    for who in workloads:
        near = [d for d in deployers if d.product == who.product and (who.account is None or d.account is who.account)]
        if near and rng.chance(0.75 if who.auth in ("lambda", "ecs", "sa") else 0.45):
            found += _versions(world, who, rng.choice(near), rng)
    return found


def _versions(world: World, who: Identity, deployer: Identity, rng: Chance) -> list[Release]:
    tenant, found = world.tenant, []
    gap = rng.log_between(1.5, 14)
    day = rng.uniform(0, gap)
    while day < tenant.days:
        time = office_hour(tenant, int(day), rng, True)
        if busy(tenant, int(day)) == 1.0 and deployer.alive(time) and who.alive(time):
            ops = grown(who, rng, 0, 4) if rng.chance(0.65) else []
            secret = _new_secret(world, who, rng) if rng.chance(0.5) else {}
            found.append(Release(who, deployer, time, ops, secret, rng.chance(0.2)))
            _adopt(who, found[-1], rng)
        day += gap * rng.uniform(0.4, 1.8)
    return found


def _new_secret(world: World, who: Identity, rng: Chance) -> dict[str, str]:
    if who.product == "aws":
        return {"secret": rng.choice(who.account.things["secret"])}
    return {
        "object": f"{who.ids['account']}-{rng.choice(['db', 'api', 'queue', 'oauth'])}-{rng.text(5)}",
        "namespace": who.ids["namespace"],
    }


def _adopt(who: Identity, release: Release, rng: Chance) -> None:
    """The workload's habits from the release on; some are a migration's, which is soon over."""
    mean = sum(habit.weight for habit in who.habits) / max(1, len(who.habits))
    since = release.time + rng.log_between(60, 5400)
    until = 1e12 if rng.chance(0.65) else since + rng.uniform(0.05, 1.5) * DAY
    for op in release.ops:
        who.habits.append(Habit(op, mean * rng.log_between(0.05, 1.2), {}, since, until))
    if release.secret:
        who.habits.append(
            Habit(SECRET[who.product][0], mean * rng.log_between(0.05, 0.6), dict(release.secret), since, until)
        )


def steps_of(who: Identity) -> list[tuple[str, dict[str, Any]]]:
    """The calls that bring out a workload."""
    name = who.name
    if who.product == "kubernetes":
        where = {"namespace": who.ids["namespace"], "object": who.ids["account"]}
        return [("k8s/get deployments.apps", where), ("k8s/patch deployments.apps", where)]
    if who.auth == "lambda":
        return [
            ("s3:PutObject", {}),
            ("lambda:UpdateFunctionCode20150331v2", {"func": name}),
            ("lambda:PublishVersion20150331", {"func": name}),
        ]
    if who.auth == "ec2":
        return [
            ("s3:PutObject", {}),
            ("codedeploy:CreateDeployment", {"service": name}),
            ("autoscaling:StartInstanceRefresh", {}),
        ]
    image: list[tuple[str, dict[str, Any]]] = [("ecr:GetAuthorizationToken", {}), ("ecr:PutImage", {"repo": name})]
    if who.auth == "eks":
        return [*image, ("eks:DescribeCluster", {})]
    return [
        *image,
        ("ecs:RegisterTaskDefinition", {"service": name, "rolearn": who.ids["arn"]}),
        ("ecs:UpdateService", {"service": name}),
        ("ecs:DescribeServices", {"service": name}),
    ]


def bring_out(world: World, found: list[Release], rng: Chance) -> None:
    """The deployments' records, the first starts, and at times the rights that infrastructure as code gave before."""
    for release in found:
        who, deployer, time = release.workload, release.deployer, release.time
        if (release.ops or release.secret) and who.product == "aws" and rng.chance(0.3):
            _grant(world, who, time, rng)
        for hour in [0.0] + ([rng.uniform(0.3, 5)] if release.hotfix else []):
            at = time + hour * HOUR
            place = run_place(world, deployer, at, rng)
            for op, args in steps_of(who):
                world.act(deployer, op, at, rng, place, args)
                at += rng.expovariate(1 / 9)
            if deployer.dynamic or place.host.startswith("@"):
                deployer.runs.append((time + hour * HOUR, place))
        at = time + rng.log_between(20, 1500)
        seat = rng.choice(who.places_at(at))
        failing = rng.chance(0.1)
        for op in release.ops + ([SECRET[who.product][0]] if release.secret else []):
            if rng.chance(0.85):
                args = dict(release.secret) if op == SECRET[who.product][0] else {}
                world.act(who, op, at, rng, seat, args, "denied" if failing and rng.chance(0.8) else "")
                at += rng.expovariate(1 / 4)


def _grant(world: World, who: Identity, time: float, rng: Chance) -> None:
    able = [
        item
        for item in world.machines
        if item.product == "aws" and item.kind.name in ("terraform", "opentofu", "pulumi") and item.alive(time)
    ]
    if able:
        maker, at = rng.choice(able), time - rng.log_between(300, 20_000)
        place = run_place(world, maker, at, rng)
        for op in ("iam:GetRole", "iam:PutRolePolicy"):
            world.act(maker, op, at, rng, place, {"rolename": who.ids["rolename"]})
            at += rng.uniform(1, 20)
