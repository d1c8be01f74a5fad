"""Machines that are odd by nature: each day other privileged calls, from other addresses, or once a quarter at all.

The frozen world's machines keep to one narrow routine. These run errands: a plan and an apply, a sync, a restore drill,
a joiner on Monday. What an errand calls is drawn anew each time, from a pool in which each machine has its favourites.
"""

import re
from typing import NamedTuple

from nhi_watch_lab.tables import sections, text
from nhi_watch_lab.third_world import life, logs, ops
from nhi_watch_lab.third_world.generate import aws_machine
from nhi_watch_lab.third_world.model import (
    DAY,
    HOUR,
    MINUTE,
    Client,
    Credential,
    Identity,
    Op,
    Rand,
    Record,
    World,
    address,
    moment,
)
from nhi_watch_lab.third_world.ops import Job

# ---- the tables


class Errand(NamedTuple):
    """What is done at a time: cadence `work:1.5`, `some:0.1`, `hour:6`, `night`, `week`, `month` or `once:0.9`."""

    cadence: str
    amount: float
    steps: list[str]


class Odd(NamedTuple):
    """One kind of machine."""

    kind: str
    name: str
    power: str
    place: str
    clients: list[str]
    weight: float
    errands: list[Errand]

    @property
    def product(self) -> str:
        return ops.PRODUCTS.get(self.kind.split("-")[0], "cloudtrail")


def _errand(text: str) -> Errand:
    cadence, _, steps = text.strip().partition(": ")
    name, _, amount = cadence.partition(":")
    return Errand(name, float(amount or 1), steps.split())


def _machine(line: str) -> Odd:
    head, _, errands = line.partition(" | ")
    kind, name, power, place, clients, weight = head.split()
    return Odd(
        kind, name, power, place, clients.split(","), float(weight), [_errand(part) for part in errands.split(" ; ")]
    )


TABLES = sections(__file__, "odd.txt")
POOLS: dict[str, list[str]] = {
    line.partition(": ")[0]: line.partition(": ")[2].split() for line in TABLES["pools"].strip().splitlines()
}
MACHINES = [_machine(line) for line in TABLES["machines"].strip().splitlines()]


# ---- the operations that the frozen world lacks


OF_GROUP = {
    "kafka.strimzi.io": "kafkas kafkausers kafkatopics",
    "cert-manager.io": "certificates certificaterequests",
    "acme.cert-manager.io": "orders challenges",
    "external-secrets.io": "externalsecrets",
    "velero.io": "backups restores",
    "autoscaling": "horizontalpodautoscalers",
    "networking.k8s.io": "networkpolicies",
    "policy": "poddisruptionbudgets",
    "apiextensions.k8s.io": "customresourcedefinitions",
}
GROUPS = {resource: group for group, resources in OF_GROUP.items() for resource in resources.split()}
PLAIN = ("persistentvolumeclaims",)


def add_ops(world: World) -> None:
    """Make the world's catalogue larger; what it had stays as it is."""
    for line in text(__file__, "more_ops.txt").strip().splitlines():
        head, _, reply = line.partition(" | ")
        service, names, kind, *params = head.split(" ", 3)
        for name in names.split(","):
            key = f"{service}:{_bare(name)}"
            given = params[0].strip() if params else ""
            world.ops.setdefault(key, Op(key, "cloudtrail", service, name, kind, given, reply.strip()))
    for line in text(__file__, "more_other_ops.txt").strip().splitlines():
        key, name, kind, params_text = line.split(" | ", 3)
        prefix = key.partition(":")[0]
        world.ops.setdefault(key, Op(key, ops.PRODUCTS[prefix], prefix, name, kind, params_text, ""))
    for verb in ops.VERBS:
        for resource in (*GROUPS, *PLAIN):
            key = f"k8s:{verb}/{resource}"
            kind = "R" if verb in ops.VERBS[:3] else "W"
            world.ops.setdefault(key, Op(key, "kubernetes", "k8s", f"{verb}/{resource}", kind, "", ""))
    world.builders["kubernetes"] = kubernetes


DATED = re.compile(r"20\d{6}(v2)?$")


def _bare(name: str) -> str:
    """CloudTrail's names of Lambda's calls end in the date of the interface.

    >>> _bare("UpdateAlias20150331"), _bare("GetPolicy20150331v2")
    ('UpdateAlias', 'GetPolicy')
    """
    return DATED.sub("", name)


def kubernetes(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    """A record of the cluster's log; resources of operators are in groups of their own."""
    record = logs.kubernetes(world, time, who, op, cred, rand, details)
    group = GROUPS.get(op.name.partition("/")[2].partition(".")[0])
    if group:
        record["requestURI"] = record["requestURI"].replace("/api/v1", f"/apis/{group}/v1", 1)
        record["objectRef"] = {**record["objectRef"], "apiGroup": group}
    return record


# ---- hiring such machines


def hire(world: World, count: int, products: tuple[str, ...] = ()) -> list[tuple[Identity, Odd]]:
    """So many odd machines in the tenant's products (or some of them), each kind once before any comes twice."""
    rand = Rand(world.seed, "odd machines")
    there = products or tuple(world.habits["products"])
    left: list[Odd] = []
    found: list[tuple[Identity, Odd]] = []
    for number in range(count):
        left = left or [odd for odd in MACHINES if odd.product in there]
        odd = rand.weighted([(each, each.weight) for each in left])
        left.remove(odd)
        who = machine(world, Rand(world.seed, "odd", number), odd, 700 + number)
        found.append((who, odd))
        world.machines.append(who)
    return found


def machine(world: World, rand: Rand, odd: Odd, number: int) -> Identity:
    """One odd machine, in the tenant's own style."""
    called = steps_called(odd)
    job = Job(
        odd.kind, odd.name, odd.power, "diurnal", 1.0, 1, odd.clients, [(key, 1.0) for key in called], called, 1.0
    )
    who = (
        aws_machine(world, rand, job, number, 100)
        if odd.product == "cloudtrail"
        else life.machine(world, rand, job, odd.product, number, 100)
    )
    # a scanner asks for what it was never granted; others have been given what they need
    scanner = any("checks" in step or "gcplook" in step for errand in odd.errands for step in errand.steps)
    who.ops = [(key, 1.0) for key in called[:6]]
    who.rare = [] if scanner and rand.chance(0.7) else called
    who.extra["failing"] = False
    who.extra["wanders"] = rand.pick([0.0, 0.1, 0.4]) if odd.place == "home" else 0.0
    who.hosts = 1
    settle(world, who, odd.place, rand)
    return who


def settle(world: World, who: Identity, place: str, rand: Rand) -> None:
    """Where it calls from: a runner's changing addresses, somebody's home, a vendor's few."""
    if place == "home":
        who.place, who.fixed = "fixed", [address(rand, rand.pick(["home", "home", "office", "mobile"]))]
    elif place == "gha":
        own_runners = world.habits["self_hosted_runners"] and rand.chance(0.6)
        who.place = "nat" if own_runners else "gha"
    elif place == "fixed":
        who.place = "fixed"
        who.fixed = [address(rand, rand.pick(["vendor", "azure", "gcp", "vendor"])) for _ in range(rand.whole(1, 6))]
    else:
        who.place = place


def steps_called(odd: Odd) -> list[str]:
    """Everything it may call."""
    found: dict[str, None] = {}
    for errand in odd.errands:
        for step in errand.steps:
            name = step.partition("*")[0]
            found.update(dict.fromkeys(POOLS[name[1:]] if name[0] == "~" else [name]))
    return list(found)


# ---- its days


def times(world: World, errand: Errand, day: int, once: int, minute: int, rand: Rand) -> list[int]:
    """The times of day, in ms, at which an errand is run."""
    weekend = world.weekday(day) >= 5
    if errand.cadence == "work":
        return [life.office_time(world, rand) for _ in range(rand.count(errand.amount * (0.06 if weekend else 1.0)))]
    if errand.cadence == "some":
        return [life.office_time(world, rand)] if not weekend and rand.chance(errand.amount) else []
    if errand.cadence == "hour":
        step = DAY / errand.amount
        return [int(minute * MINUTE % step + n * step + rand.between(0, 4 * MINUTE)) for n in range(int(errand.amount))]
    if errand.cadence == "once":
        return [life.office_time(world, rand)] if day == once else []
    if errand.cadence == "week":
        return [minute * MINUTE] if world.weekday(day) == minute % 5 else []
    if errand.cadence == "month":
        return [minute * MINUTE] if moment(world.at(day, 0)).day == 1 + minute % 28 else []
    return [minute * MINUTE + rand.whole(0, 60000)]


def expand(steps: list[str], tastes: dict[str, list[tuple[str, float]]], rand: Rand) -> list[str]:
    """An errand's calls; from a pool that many different ones, the machine's favourites more often."""
    found: list[str] = []
    for step in steps:
        name, _, span = step.partition("*")
        low, _, high = span.partition("-")
        count = rand.whole(int(low), int(high or low)) if span else 1
        if name[0] != "~":
            found += [name] * count
            continue
        left = list(tastes[name[1:]])
        for _ in range(min(count, len(left))):
            key = rand.weighted(left)
            left = [pair for pair in left if pair[0] != key]
            found += [key] * (1 if rand.chance(0.7) else rand.whole(2, 3))
    return found


def tastes_of(rand: Rand) -> dict[str, list[tuple[str, float]]]:
    """How often a machine takes what of each pool: few things often, most things seldom."""
    return {name: [(key, rand.lognormal(1, 1.2)) for key in keys] for name, keys in POOLS.items()}


def live(world: World, who: Identity, odd: Odd) -> None:
    """All the days of one odd machine."""
    rand = Rand(world.seed, "errands", who.unique, who.name)
    tastes = tastes_of(rand)
    onces = [rand.whole(0, world.days - 1) if rand.chance(errand.amount) else -1 for errand in odd.errands]
    minutes = [rand.whole(0, 1439) for _ in odd.errands]
    for day in range(world.days):
        if not who.alive(day):
            continue
        if day == who.upgrade_day:
            who.client = who.client.upgrade(rand)
        if rand.chance(float(who.extra["wanders"])):
            who.fixed, who.slots = [address(rand, rand.pick(["home", "mobile", "home", "vpn", "office"]))], {}
        for errand, once, minute in zip(odd.errands, onces, minutes):
            for time in sorted(times(world, errand, day, once, minute, rand)):
                run(world, who, world.at(day, time), expand(errand.steps, tastes, rand), rand)


def run(world: World, who: Identity, at: int, steps: list[str], rand: Rand) -> None:
    """One errand with the credential of the moment, on a fresh runner where it has one."""
    if who.place == "gha" or who.kind in ("gha", "terraform"):
        who.slots = {}
    cred = life.current(world, at, who, rand)
    by_hand = who.place == "fixed" and who.kind in ("user", "chained", "gh-pat")
    if by_hand and who.client.family == "browser":
        who.client = Client(rand, "cli2")
    pause = rand.logbetween(4000, 40000) if by_hand else rand.logbetween(150, 2500)
    life.act(world, who, at, steps, cred, rand, pause, wide=rand.chance(0.6))


# ---- releases: a deployment by the usual deployer, then the workload does what it never did


def release(world: World, rand: Rand) -> None:
    """Teams ship: on the day after, a service makes new calls and reads a new secret."""
    # all have lived by now
    workloads = [
        m for m in world.machines if m.kind in ("lambda", "ecs", "irsa") and m.power == "narrow" and m.alive(0)
    ]
    for number, who in enumerate(rand.some(workloads, max(2, len(workloads) // 5))):
        own = Rand(world.seed, "releases", number)
        deployer = _deployer(world, who, own)
        who.slots = {}
        fresh: list[str] = []
        for day in range(world.days):
            workday = world.weekday(day) < 5
            if day and workday and who.alive(day) and own.chance(0.09):
                fresh = _novelty(world, who, deployer, day, own)
            elif workday and own.chance(0.35):  # most releases bring nothing new
                _ship(world, who, deployer, world.at(day, life.office_time(world, own)), _shipping(who), own)
            elif fresh and who.alive(day):
                _use(world, who, fresh, world.at(day, 0), world.at(day, DAY), own)


def _deployer(world: World, who: Identity, rand: Rand) -> Identity:
    """Who always deploys a service: a workflow of its repository."""
    service, account = who.resources["service"][0], who.account
    job = Job("gha", "release", "wide", "release", 1.0, 5, ["cli2", "js3"], [("ecs:UpdateService", 1.0)], [], 1.0)
    made = aws_machine(world, rand, job, 900, 100)
    made.name, made.account = f"{service}-release-{rand.hex(3)}", account
    made.label, made.resources["service"] = f"arn:aws:iam::{account.id}:role/{made.name}", [service]
    made.extra["provider"] = f"arn:aws:iam::{account.id}:oidc-provider/token.actions.githubusercontent.com"
    made.extra["subject"] = f"repo:{world.company}/{service}:ref:refs/heads/main"
    made.rare = [*SHIPPING]
    world.machines.append(made)
    return made


SHIPPING = (
    "sts:GetCallerIdentity",
    "lambda:UpdateFunctionCode",
    "lambda:PublishVersion",
    "lambda:UpdateAlias",
    "ecr:GetAuthorizationToken",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecs:RegisterTaskDefinition",
    "iam:PassRole",
    "ecs:UpdateService",
    "ecs:DescribeServices",
    "eks:DescribeCluster",
    "secretsmanager:CreateSecret",
)
NEWS = (
    "sqs:GetQueueAttributes",
    "dynamodb:DescribeTable",
    "s3:ListObjects",
    "ssm:GetParametersByPath",
    "lambda:Invoke",
    "kms:Sign",
    "bedrock:InvokeModel",
    "states:StartExecution",
    "sns:Publish",
    "ses:SendEmail",
    "s3:DeleteObject",
)


def _shipping(who: Identity) -> list[str]:
    if who.kind == "lambda":
        return [*SHIPPING[:4]]
    build = [*SHIPPING[4:7]]
    return [*build, *SHIPPING[7:11]] if who.kind == "ecs" else [*build, "eks:DescribeCluster"]


def _ship(world: World, who: Identity, deployer: Identity, at: int, steps: list[str], rand: Rand, **given: str) -> int:
    deployer.slots = {}
    cred = life.current(world, at, deployer, rand)
    tag = rand.hex(7)
    for key in steps:
        values = {"service": who.resources["service"][0], "function": who.name, "role": who.name, "tag": tag, **given}
        world.do(at, deployer, key, cred, rand, given=values)
        at += int(rand.waiting(9000)) + 300
    return at


def _novelty(world: World, who: Identity, deployer: Identity, day: int, rand: Rand) -> list[str]:
    """A release after which the service calls what it never called; returns that."""
    kind = rand.pick(["stripe", "broker", "search", "mtls", "openai", "crm", "geo"])
    secret = f"{who.account.name}/{who.resources['service'][0]}/{kind}-{rand.hex(2)}"
    steps = _shipping(who)
    made = rand.chance(0.5)
    if made:
        steps = ["secretsmanager:CreateSecret", *steps]
    at = world.at(day, life.office_time(world, rand))
    values = {"newname": secret} if made else {}
    begin = _ship(world, who, deployer, at, steps, rand, **values) + int(rand.logbetween(1, 300) * MINUTE)
    known = {key for key, _ in who.ops}
    fresh = rand.some([key for key in (*who.rare, *NEWS) if key in world.ops and key not in known], rand.whole(1, 4))
    who.slots = {}
    for _ in range(rand.whole(1, 3)):
        cred = life.current(world, begin, who, rand)
        world.do(begin, who, "secretsmanager:GetSecretValue", cred, rand, given={"secret": secret})
        begin += int(rand.waiting(2 * MINUTE))
    _use(world, who, fresh, begin, begin + int(rand.between(2, 20) * HOUR), rand)
    return fresh if rand.chance(0.6) else []


def _use(world: World, who: Identity, fresh: list[str], low: int, high: int, rand: Rand) -> None:
    for time in sorted(int(rand.between(low, high)) for _ in range(rand.whole(1, 9))):
        life.act(world, who, time, [rand.pick(fresh)], life.current(world, time, who, rand), rand)
