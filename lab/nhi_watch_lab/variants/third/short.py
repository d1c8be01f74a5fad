"""A grown tenant of the third world in which a theft is one to five calls of an identity with a past.

Nobody looks around before, and nothing is refused: the thief knows what to take. All days are lived first, and each
theft is put beside a run of the victim's own, with the credential of that run unless it comes from elsewhere.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch_lab.tables import sections
from nhi_watch_lab.third_world import life, ops
from nhi_watch_lab.third_world.attacks import TECHNIQUES, Incident, Technique, fix_names
from nhi_watch_lab.third_world.generate import found
from nhi_watch_lab.third_world.life import by_hand
from nhi_watch_lab.third_world.model import (
    MINUTE,
    ON_BEHALF,
    SECOND,
    Builder,
    Client,
    Credential,
    Identity,
    Op,
    Rand,
    Record,
    World,
    address,
    private,
)
from nhi_watch_lab.variants.third import odd
from nhi_watch_lab.variants.third.brief import SHELLS, SHORTS, Short, read_short
from nhi_watch_lab.variants.third.small import PACES, Plot
from nhi_watch_lab.variants.third.tenant import finish

# ---- what is done

LONGEST = 5
"""Calls of a theft at most."""
TAKING = ("secretsmanager:GetSecretValue", "ssm:GetParameter", "ec2:GetPasswordData", "sts:GetFederationToken",
          "s3:GetObject", "k8s:get/secrets", "k8s:list/secrets", "k8s:get/nodes.proxy")  # fmt: skip
LOOKING = ("Get", "List", "Describe", "Simulate", "GenerateCredentialReport", "get/", "list/", "create/selfsubject",
           "sp-signin", "mounts", "policies", "token.self", "file.search", "iam.get")  # fmt: skip
"""Beginnings of calls that take nothing."""


def takes_nothing(key: str) -> bool:
    """Whether a call only looks around.

    >>> takes_nothing("iam:ListUsers"), takes_nothing("gcp:sa.list"), takes_nothing("k8s:list/secrets")
    (True, True, False)
    """
    name = key.partition(":")[2]
    return not key.startswith(TAKING) and (name.startswith(LOOKING) or name.endswith(".list"))


def _told(technique: Technique) -> Optional[Short]:
    """The telling part of one of the frozen world's techniques, where a few calls are all it needs."""
    core = [step.lstrip("?!") for step in technique.steps if "!" in step[:2]]
    spans = [step.partition("*")[2].partition("-")[0] for step in core]
    others = any(step.lstrip("?!")[0] in ">@" for step in technique.steps)
    if others or any(int(low or 1) > 2 for low in spans) or any(":" not in step for step in core):
        return None
    plot = Plot(technique.name, technique.product, PACES["hand"], core)
    return Short(plot, dict(technique.values))


def _lean(short: Short) -> Short:
    """The same without what only looks."""
    steps = [step for step in short.plot.steps if not takes_nothing(step.lstrip("?").partition("*")[0])]
    return Short(short.plot._replace(steps=steps), short.values)


FURTHER = [read_short(line) for line in sections(__file__, "short.txt")["short"].strip().splitlines()]
OWN = [short for short in map(_told, TECHNIQUES.values()) if short]
THEFTS = [short for short in map(_lean, [*SHORTS, *FURTHER, *OWN]) if short.plot.steps]


def _least(plot: Plot) -> list[str]:
    """The calls that are made in any case."""
    steps = [step for step in plot.steps if step[0] != "?"] or [plot.steps[0].lstrip("?")]
    return [step.partition("*")[0] for step in steps for _ in range(_low(step))]


def _low(step: str) -> int:
    return int(step.partition("*")[2].partition("-")[0] or 1)


def _cost(keys: list[str]) -> int:
    """How many records these calls leave at most: what a service does in the caller's name is a second one."""
    return sum(2 if key in ON_BEHALF else 1 for key in keys)


def _calls(plot: Plot, rand: Rand) -> list[str]:
    """The calls of one theft."""
    kept = [step.lstrip("?") for step in plot.steps if step[0] != "?" or rand.chance(0.5)] or _least(plot)
    made: list[str] = []
    for key in odd.expand(kept, {}, rand):
        made += [key] if _cost([*made, key]) <= LONGEST else []
    again = rand.pick([0, 0, 1, 2, 3])
    while again and _cost([*made, made[-1]]) <= LONGEST:
        made.append(made[-1])
        again -= 1
    return made


# ---- what the tenant's identities did


class Run(NamedTuple):
    """One call of an identity's own."""

    time: int
    cred: Credential


@dataclass
class Past:
    """What one identity did, by day; `calls`: the day on which each was first made."""

    who: Identity
    runs: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, int] = field(default_factory=dict)


class Diary:
    """Listens to everything that is written in a world."""

    def __init__(self, world: World) -> None:
        self.pasts: dict[int, Past] = {}
        for product, build in world.builders.items():
            world.builders[product] = self._heard(build)

    def _heard(self, build: Builder) -> Builder:
        def written(
            world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record
        ) -> Record:
            past = self.pasts.setdefault(id(who), Past(who))
            day = world.day(time)
            past.runs[day].append(Run(time, cred))
            past.calls[op.key] = min(day, past.calls.get(op.key, day))
            return build(world, time, who, op, cred, rand, details)

        return written

    def keep_usual(self) -> None:
        """Forget the runs that a colleague made with the identity's credential at a desk."""
        for past in self.pasts.values():
            own = {id(cred) for cred in past.who.sessions}
            for day, runs in past.runs.items():
                past.runs[day] = sorted((run for run in runs if id(run.cred) in own), key=lambda run: run.time)


# ---- the tenant

OFFSET = 250_000
"""What sets its tenants apart from those of other layers."""
ACCOUNTS = 12
"""Service accounts of a cluster at least, so that a quarter of the thefts finds as many victims."""
MOVING = 0.4
"""Share of the service accounts whose pods are moved to other nodes all the time."""


def write(seed: int, folder: Path) -> None:
    """Write a tenant's logs to `events` and its labels to `labels.json`."""
    rand = Rand("short third world", seed)
    history, days = rand.whole(8, 12), rand.whole(20, 26)
    start = date(2026, rand.whole(1, 9), rand.whole(1, 28))
    usual, unusual = rand.whole(44, 62), rand.whole(8, 14)
    world = found(seed + OFFSET, start, days, history, usual)
    odd.add_ops(world)
    autoscale(world, usual, rand)
    life.hire(world, rand.whole(8, 20))
    diary = Diary(world)
    for machine in world.machines:
        life.live(world, machine)
    for who, kind in odd.hire(world, unusual):
        odd.live(world, who, kind)
    odd.release(world, rand)
    life.work(world)
    diary.keep_usual()
    thefts = plan(world, rand)
    robbed: dict[int, set[int]] = defaultdict(set)
    played: dict[str, int] = defaultdict(int)
    finish(world, [steal(world, diary, theft, robbed, played) for theft in thefts], folder)


def autoscale(world: World, identities: int, rand: Rand) -> None:
    """Complete the cluster's service accounts, and let many of their pods move."""
    if "kubernetes" not in world.habits["products"]:
        return
    jobs = [(job, job.weight) for job in ops.OTHER_OPS_JOBS if job.kind == "k8s-sa"]
    accounts = [who for who in world.machines if who.kind == "k8s-sa"]
    names = {who.label for who in accounts}
    for number in range(100):
        if len(accounts) >= ACCOUNTS:
            break
        own = Rand(world.seed, "service account", number)
        who = life.machine(world, own, own.weighted(jobs), "kubernetes", 400 + number, identities)
        if who.label not in names:
            names.add(who.label)
            accounts.append(who)
            world.machines.append(who)
    for who in rand.some([who for who in accounts if who.place == "private"], round(len(accounts) * MOVING)):
        who.host_days = rand.logbetween(0.05, 0.5)


# ---- the thefts


class Theft(NamedTuple):
    """What is decided before the victim is known; `way`: own, near or outside."""

    number: int
    day: int
    cluster: bool
    way: str
    disguised: bool
    """Whether a thief from outside shows the victim's own client."""


PLACES = [("hosting", 3.0), ("vpn", 2.5), ("home", 3.0), ("mobile", 0.5), ("gcp", 0.5), ("azure", 0.4), ("tor", 0.4)]
ESTABLISHED = 5
"""Days on which a victim was active before."""
UNABLE = ("linked", "entra-mi", "k8s-node")
"""Kinds that no thief holds, or that are no service account of the cluster's."""


def plan(world: World, rand: Rand) -> list[Theft]:
    """Over all days that are tested; the shares are those of the whole tenant."""
    count = rand.whole(28, 36)
    near, outside = round(count * 0.2), round(count * 0.25)
    ways = ["own"] * (count - near - outside) + ["near"] * near
    ways = rand.shuffled([*ways, *("disguised" if n % 2 else "outside" for n in range(outside))])
    there = "kubernetes" in world.habits["products"]
    clusters = rand.shuffled([there and n < round(count / 4) for n in range(count)])
    span = world.days - world.history
    days = [world.history + min(span - 1, int((n + rand.u()) * span / count)) for n in range(count)]
    return [
        Theft(n, days[n], clusters[n], way.replace("disguised", "outside"), way == "disguised")
        for n, way in enumerate(ways)
    ]


def steal(world: World, diary: Diary, theft: Theft, robbed: dict[int, set[int]], played: dict[str, int]) -> Incident:
    """Play a theft; `robbed` has the days of each victim's thefts so far, `played` counts what was done."""
    rand = Rand(world.seed, "short theft", theft.number)
    past = _choose(world, diary, theft, robbed, rand)
    who = past.who
    possible = _possible(past, theft)
    rarest = min(played[short.plot.name] for short in possible)
    short = rand.pick([short for short in possible if played[short.plot.name] == rarest])
    robbed[id(who)].add(theft.day)
    played[short.plot.name] += 1
    run = rand.pick(_runs(world, past, theft.day))
    technique = Technique(f"short_{short.plot.name}", who.product, [], [], [])
    origin = "external" if theft.way == "outside" else "inside"
    incident = Incident(theft.number, technique, origin, "hand", True, who, rand, id=f"incident-{theft.number + 1:03d}")
    incident.values = {
        "foreign": rand.digits(12),
        "member": f"user:{rand.letters(7).lower()}@gmail.com",
        **short.values,
    }
    cred = _shown(theft, who, run.cred, rand)
    time, pause = run.time + rand.whole(1, 60) * SECOND, rand.pick([(300, 4000), (4000, 60000)])
    for key in _calls(short.plot, rand):
        _call(world, incident, key, cred, time)
        time += rand.whole(*pause)
    return incident


def _choose(world: World, diary: Diary, theft: Theft, robbed: dict[int, set[int]], rand: Rand) -> Past:
    """A product first, so that small ones have their share; nobody twice while others are left."""
    known = [
        past
        for who in world.machines
        for past in [diary.pasts.get(id(who))]
        if past and who.kind not in UNABLE and _established(past, theft.day)
        if _runs(world, past, theft.day) and theft.day not in robbed[id(who)] and _possible(past, theft)
    ]
    of_cluster = [past for past in known if past.who.product == "kubernetes"]
    others = [past for past in known if past.who.product != "kubernetes"]
    for pasts in (of_cluster, others) if theft.cluster else (others,):
        for allowed in (0, 1):
            fit = [past for past in pasts if len(robbed[id(past.who)]) <= allowed]
            if fit:
                there = sorted({past.who.product for past in fit})
                drawn = rand.weighted([(name, 3.0 if name == "cloudtrail" else 1.0) for name in there])
                return rand.pick([past for past in fit if past.who.product == drawn])
    raise LookupError(f"nobody to rob on day {theft.day} of tenant {world.seed}")


def _established(past: Past, today: int) -> bool:
    return sum(bool(runs) for day, runs in past.runs.items() if day < today) >= ESTABLISHED


def _runs(world: World, past: Past, day: int) -> list[Run]:
    """The runs of a day beside which a theft lies within the day."""
    end = world.at(day + 1, -7 * MINUTE)
    return [run for run in past.runs.get(day, []) if run.time < end]


def _possible(past: Past, theft: Theft) -> list[Short]:
    """What is news of the victim, where nothing but the call could tell."""
    found: list[Short] = []
    for short in THEFTS:
        least = _least(short.plot)
        if short.plot.product != past.who.product or _cost(least) > LONGEST:
            continue
        known = all(past.calls.get(key, theft.day) < theft.day for key in least)
        by_user = "sts:GetFederationToken" not in least or past.who.kind == "user"
        if by_user and (theft.way == "outside" or not known):
            found.append(short)
    return found


def _shown(theft: Theft, who: Identity, cred: Credential, rand: Rand) -> Credential:
    """The credential of the victim's own run, as this thief presents it."""
    if theft.way == "own":
        return cred
    if theft.way == "near":
        inner = private(rand, who.account.octet) if cred.private else ""
        return replace(cred, ip=_beside(who, cred.ip, rand), private=inner)
    client = cred.client
    if not theft.disguised:
        aws = who.product == "cloudtrail"
        client = Client(rand, rand.weighted(SHELLS)) if aws else by_hand(rand, who.product)
    return replace(cred, ip=address(rand, rand.weighted(PLACES)), private="", service="", client=client)


def _beside(who: Identity, usual: str, rand: Rand) -> str:
    """Another network of the same operator, or another subnet of the cluster's."""
    if usual.startswith("10."):
        return private(rand, who.account.octet)
    if who.place == "gha":
        return address(rand, "azure")
    if who.place == "fixed":
        first, second, _, _ = usual.split(".")
        return f"{first}.{second}.{rand.whole(0, 255)}.{rand.whole(1, 254)}"
    return address(rand, f"aws:{who.account.region}")


def _call(world: World, incident: Incident, key: str, cred: Credential, time: int) -> None:
    """One call, which nobody refuses; names that later calls refer to stay the same."""
    who, rand = incident.victim, incident.rand
    if world.ops[key].kind == "W":
        fix_names(world, incident, key, who, time)
    values = dict(incident.values)
    values.pop("role", None)
    if key not in ("iam:CreateUser", "iam:CreateAccessKey"):
        values.pop("akia", None)
    world.do(time, who, key, cred, rand, tag=incident.id, wide=True, given=values)
    incident.first = incident.first or time
    incident.last = max(incident.last, time)
