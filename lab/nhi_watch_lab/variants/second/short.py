"""A grown tenant of the second world in which a theft is one to five calls of an identity with a past.

Nobody looks around before, and nothing is refused: the thief knows what to take. The day is lived first, and the theft
is put beside a run of the victim's own, with the place, the client and the session of that run unless it comes from
elsewhere.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Optional, Union

from nhi_watch_lab.second_world import base, world
from nhi_watch_lab.second_world.attacks import AWS, EXPENSIVE, OVERS, SAAS, Incident, Scene
from nhi_watch_lab.second_world.base import DAY, Place, Sink, place
from nhi_watch_lab.second_world.routine import expand
from nhi_watch_lab.second_world.saas import Agent
from nhi_watch_lab.second_world.trail import FOLLOW, SPECS, Actor, Session, is_read
from nhi_watch_lab.variants.second import extra
from nhi_watch_lab.variants.second.brief import ADMINISTRATOR, ERRANDS, Errand, for_the_tenant, name_of, shell_of
from nhi_watch_lab.variants.second.tenant import Release, Routine, enlist, shipped

Identity = Union[Actor, Agent]

# ---- what is done

LONGEST = 5
"""Calls of a theft at most."""
LOOKING = ("Describe", "List", "GetCallerIdentity", "GetEventSelectors", "GetRole", "GetSendQuota", "GetCommandInvocation",
           "google.iam.admin.v1.List", "list pods", "signin:")  # fmt: skip
"""Beginnings of calls that take nothing."""
SYSTEM = {"namespace": "kube-system"}
FURTHER = (
    Errand("one-secret", "aws", "GetSecretValue*2", {}),
    Errand("one-parameter", "aws", "GetParameters*2", {}),
    Errand("key-handed-out", "aws", "PutKeyPolicy", {"action": "*"}),
    Errand("secret-handed-out", "aws", "PutResourcePolicy", {"action": "*"}),
    Errand("logs-shipped-away", "aws", "PutSubscriptionFilter", {}),
    Errand("host-pod", "kubernetes", "create pods|?create pods/exec", {"privileged": True}),
    Errand("owner-in-the-system", "kubernetes", "create rolebindings", {**SYSTEM, "role": "cluster-admin"}),
    Errand("system-secrets", "kubernetes", "get secrets|?get secrets|?get secrets", SYSTEM),
    Errand("deployment-patched", "kubernetes", "patch deployments|?patch deployments", {}),
    Errand("access-map-rewritten", "kubernetes", "update configmaps", {**SYSTEM, "name": "aws-auth"}),
    Errand("resolver-rewritten", "kubernetes", "update configmaps|?delete pods", {**SYSTEM, "name": "coredns"}),
    Errand("system-token", "kubernetes", "create serviceaccounts/token|?create serviceaccounts/token", SYSTEM),
    Errand("rights-of-a-role", "kubernetes", "patch clusterroles", {}),
)
"""What the first files' thefts lack, from general knowledge of the products."""


def takes_nothing(step: str) -> bool:
    """Whether a call only looks around.

    >>> takes_nothing("DescribeTrails"), takes_nothing("list secrets")
    (True, False)
    """
    return step.startswith(LOOKING)


@cache
def errands() -> list[Errand]:
    """The first files' thefts, the generator's own where a few calls are all they need, and further ones."""
    found = [*ERRANDS, *FURTHER]
    details = {**ADMINISTRATOR, "itype": EXPENSIVE[0], "cidr": "0.0.0.0/0", "port": "22"}
    for slug, plot in AWS.items():
        if plot.low < 2 and plot.flavours == "any" and any(not is_read(SPECS[name]) for name in plot.core):
            found.append(Errand(slug, "aws", " ".join(plot.core), details))
    for slug, saas in SAAS.items():
        if saas.low < 2 and any(not takes_nothing(op) for op in saas.core):
            found.append(Errand(slug, saas.product, "|".join(saas.core), dict(OVERS.get(slug, {}))))
    return [errand for errand in found if 0 < len(_steps(errand)) <= LONGEST]


def _steps(errand: Errand) -> list[str]:
    """All calls that an errand may be, without those that only look; `?` in front: at times only."""
    steps = expand(errand.steps) if errand.product == "aws" else errand.steps.split("|")
    return [step for step in steps if not takes_nothing(step.lstrip("?"))]


# ---- what the tenant's identities did


class Run(NamedTuple):
    """One call of an identity's own: when, and from where with what."""

    moment: float
    spot: Optional[Place]
    shell: str
    lane: int
    session: Optional[Session]
    region: str


@dataclass
class Past:
    """What one identity did so far."""

    who: Identity
    product: str
    days: set[int] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    today: list[Run] = field(default_factory=list)


class Diary:
    """Listens to everything that is written in a scene, as long as no thief acts."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.pasts: dict[int, Past] = {}
        scene.log.call = self._heard(scene.log.call, "aws")  # type: ignore[method-assign]
        for name, product in scene.products.items():
            product.emit = self._heard(product.emit, name)  # type: ignore[method-assign]

    def _heard(self, write: Callable[..., None], product: str) -> Callable[..., None]:
        def written(who: Identity, t: float, name: str, **more: Any) -> None:
            write(who, t, name, **more)
            if not self.scene.sink.tag and not more.get("via"):
                past = self.pasts.setdefault(id(who), Past(who, product))
                past.days.add(int((t - self.scene.tenant.start) // DAY))
                past.calls.add(name)
                run = Run(t, more.get("place"), more.get("ua", ""), more.get("lane", 0), more.get("session"),
                          more.get("region", ""))  # fmt: skip
                past.today.append(run)

        return written

    def turn(self) -> None:
        """The next day begins."""
        for past in self.pasts.values():
            past.today.clear()

    def of(self, victims: Iterable[Identity]) -> list[Past]:
        """The pasts of some identities."""
        return [self.pasts[id(who)] for who in victims if id(who) in self.pasts]


# ---- the tenant

OFFSET = 250_000
"""What sets its tenants apart from those of other layers."""
ACCOUNTS = 12
"""Service accounts of a cluster at least, so that a quarter of the thefts finds as many victims."""
MOVING = 0.4
"""Share of the service accounts whose pods are moved to other nodes all the time."""


def write(seed: int, out: Path) -> None:
    """Write a tenant's logs to `events` and its labels to `labels.json`."""
    extra.extend()
    rng = Random(f"short second world/{seed}")
    history, days = rng.randint(8, 12), rng.randint(20, 26)
    begin = float(calendar.timegm(date(2025, rng.randint(1, 12), rng.randint(1, 28)).timetuple()))
    size = rng.randint(50, 72)
    drawn = base.draw(seed + OFFSET, size, days, begin)
    drawn.habits["records"] *= 0.6
    sink = Sink(out, begin, days)
    scene, life, people = world.stage(drawn, sink, size, days)
    crews = enlist(drawn, scene, rng.randint(8, 14))
    moving = autoscale(scene, rng)
    workloads = [
        Release(drawn, scene.log, actor, Random(f"release/{seed}/{actor.pid}")) for actor in shipped(scene, rng)
    ]
    routine = Routine(life, people, crews, workloads)
    diary = Diary(scene)
    thefts = plan(scene, days, history, rng)
    robbed: dict[int, set[int]] = defaultdict(set)
    played: dict[str, int] = defaultdict(int)
    told: list[Incident] = []
    for day in range(days):
        now = begin + day * DAY
        diary.turn()
        for who in moving:
            move(who, now, rng)
        routine.day(scene, now)
        told += [steal(scene, diary, theft, robbed, played) for theft in thefts if theft.day == day]
        sink.flush(day)
    sink.close()
    extras = {"identities": size, "days": days, "history_days": history, "padded": False, "start": base.iso(begin)[:10]}
    world.labels(out, drawn, sink, told, scene, extras)


def autoscale(scene: Scene, rng: Random) -> list[Agent]:
    """Complete the cluster's service accounts; returns those whose pods are moved."""
    cluster = scene.products.get("kubernetes")
    if cluster is None:
        return []
    # its people are there already
    people, scene.tenant.people = scene.tenant.people, []
    cluster.populate(max(0, ACCOUNTS - len(cluster.victims())))  # type: ignore[attr-defined]
    scene.tenant.people = people
    within = [who for who in cluster.victims() if who.place.pool and who.place.pool[0].startswith("10.")]
    return rng.sample(within, round(len(within) * MOVING))


def move(who: Agent, day: float, rng: Random) -> None:
    """Another node, or several in a day, each with an address of its own."""
    for share in sorted(rng.random() for _ in range(rng.choice([0, 1, 1, 2, 4]))):
        who.place.moves.append((day + share * DAY, [base.private_ip(rng)]))
    name = who.ids["pod"].rsplit("-", 1)[0]
    who.ids["pod"] = f"{name}-{base.pick_chars(rng, 'bcdfghjklmnpqrstvwxz2456789', 5)}"
    who.ids["pod_uid"] = base.uuid4(rng)


# ---- the thefts


class Theft(NamedTuple):
    """What is decided before the victim is known; `way`: own, near or outside."""

    number: int
    day: int
    cluster: bool
    way: str
    disguised: bool
    """Whether a thief from outside shows the victim's own client."""


PLACES = {"hosting": 3.0, "vpn": 2.5, "residential": 3.0, "mobile": 0.5, "cloud": 0.8, "tor": 0.4}
ESTABLISHED = 5
"""Days on which a victim was active before."""


def plan(scene: Scene, days: int, history: int, rng: Random) -> list[Theft]:
    """Over all days that are tested; the shares are those of the whole tenant."""
    count = rng.randint(28, 36)
    near, outside = round(count * 0.2), round(count * 0.25)
    ways = ["own"] * (count - near - outside) + ["near"] * near + [
        "disguised" if n % 2 else "outside" for n in range(outside)
    ]  # fmt: skip
    clusters = [n < round(count / 4) and "kubernetes" in scene.products for n in range(count)]
    rng.shuffle(ways)
    rng.shuffle(clusters)
    span = days - history
    found = [history + min(span - 1, int((n + rng.random()) * span / count)) for n in range(count)]
    return [
        Theft(n, found[n], clusters[n], way.replace("disguised", "outside"), way == "disguised")
        for n, way in enumerate(ways)
    ]


def steal(scene: Scene, diary: Diary, theft: Theft, robbed: dict[int, set[int]], played: dict[str, int]) -> Incident:
    """Play a theft; `robbed` has the days of each victim's thefts so far, `played` counts what was done."""
    rng = Random(f"short theft/{scene.tenant.seed}/{theft.number}")
    victim = _choose(scene, diary, theft, robbed, rng)
    possible = _possible(scene, victim, theft)
    rarest = min(played[errand.slug] for errand in possible)
    errand = rng.choice([errand for errand in possible if played[errand.slug] == rarest])
    robbed[id(victim.who)].add(theft.day)
    played[errand.slug] += 1
    run = rng.choice(_runs(scene, victim, theft.day))
    origin = "external" if theft.way == "outside" else "inside"
    incident = Incident(f"inc-{theft.number + 1:02d}", f"short-{errand.slug}", origin, run.moment, pace="hands")
    incident.identity = name_of(victim.who)
    shown = _shown(errand, victim.who, theft, run, rng)
    steps = _drawn(scene, errand, rng)
    scene.sink.tag = incident.id
    t, gap = run.moment + rng.uniform(1, 60), rng.choice([(0.5, 4.0), (4.0, 60.0)])
    for step in steps:
        _call(scene, errand, victim.who, t, step, shown)
        t += rng.uniform(*gap)
    scene.sink.tag = ""
    return incident


def _drawn(scene: Scene, errand: Errand, rng: Random) -> list[str]:
    """The calls of one theft; the last one at times on further resources."""
    whole = _steps(errand)
    steps = [step.lstrip("?") for step in whole if step[0] != "?" or rng.random() < 0.5] or [whole[0].lstrip("?")]
    again = rng.choice([0, 0, 1, 2, 4])
    while again and _records(scene, errand, [*steps, steps[-1]]) <= LONGEST:
        steps.append(steps[-1])
        again -= 1
    return steps


def _records(scene: Scene, errand: Errand, names: list[str]) -> int:
    """How many records these calls leave: some have a second one.

    It is of a key's use in the caller's name, in the audit log of Microsoft 365, or of Vault's answer.
    """
    twice = {name for name in names if name.startswith("audit:") or errand.product == "vault"}
    if errand.product == "aws" and scene.log.own_keys:
        twice = set(FOLLOW)
    return sum(2 if name in twice else 1 for name in names)


def _choose(scene: Scene, diary: Diary, theft: Theft, robbed: dict[int, set[int]], rng: Random) -> Past:
    """A product first, so that small ones have their share; nobody twice while others are left."""
    everyone: list[Identity] = [who for who in scene.cast.victims() if who.flavour != "slr"]
    for product in scene.products.values():
        everyone += product.victims()
    known = [
        past
        for past in diary.of(everyone)
        if len({day for day in past.days if day < theft.day}) >= ESTABLISHED
        if _runs(scene, past, theft.day) and theft.day not in robbed[id(past.who)] and _possible(scene, past, theft)
    ]
    of_cluster = [past for past in known if past.product == "kubernetes"]
    others = [past for past in known if past.product != "kubernetes"]
    for pasts in (of_cluster, others) if theft.cluster else (others,):
        for allowed in (0, 1):
            fit = [past for past in pasts if len(robbed[id(past.who)]) <= allowed]
            if fit:
                there = sorted({past.product for past in fit})
                drawn = rng.choices(there, [3.0 if name == "aws" else 1.0 for name in there])[0]
                return rng.choice([past for past in fit if past.product == drawn])
    raise LookupError(f"nobody to rob on day {theft.day} of tenant {scene.tenant.seed}")


def _runs(scene: Scene, past: Past, day: int) -> list[Run]:
    """The runs of a day beside which a theft lies within the day."""
    end = scene.tenant.start + (day + 1) * DAY - 400
    return [run for run in past.today if run.moment < end]


def _possible(scene: Scene, past: Past, theft: Theft) -> list[Errand]:
    """What is news of the victim, where nothing but the call could tell; and what the log keeps at all."""
    found = []
    for errand in errands():
        if errand.product != past.product:
            continue
        names = [step.lstrip("?") for step in _steps(errand)]
        first = [step for step in _steps(errand) if step[0] != "?"] or names[:1]
        if theft.way != "outside" and all(name in past.calls for name in first):
            continue
        if _records(scene, errand, names) <= LONGEST and (errand.product != "aws" or _kept(past.who, names)):
            found.append(errand)
    return found


def _kept(who: Identity, names: list[str]) -> bool:
    """Whether these calls leave records for sure, and are an identity's of this kind."""
    by_keys = isinstance(who, Actor) and who.flavour == "user"
    return not any(SPECS[name].data for name in names) and (by_keys or "GetFederationToken" not in names)


class Shown(NamedTuple):
    """How the log sees the thief."""

    spot: Optional[Place]
    shell: str
    run: Run


def _shown(errand: Errand, who: Identity, theft: Theft, run: Run, rng: Random) -> Shown:
    if theft.way == "own":
        return Shown(run.spot, run.shell, run)
    if theft.way == "near":
        return Shown(_beside(run.spot or who.place, run.moment, rng), run.shell, run)
    kind = rng.choices(list(PLACES), list(PLACES.values()))[0]
    spot = place(rng, rng.choice(base.operators(kind)), 1)
    return Shown(spot, run.shell if theft.disguised else shell_of(errand.product, who, rng), run)


def _beside(usual: Place, moment: float, rng: Random) -> Place:
    """Another network of the same operator, or another subnet of the cluster's."""
    made = place(rng, usual.operator, 1)
    pool = usual.at(moment)
    if pool and pool[0].startswith("10."):
        made.pool = [base.private_ip(rng)]
    return made


def _call(scene: Scene, errand: Errand, who: Identity, t: float, name: str, shown: Shown) -> None:
    if isinstance(who, Actor):
        run = shown.run
        over = {"principal": f"arn:aws:iam::{scene.tenant.partners[0]}:root", **errand.detail}
        scene.log.call(
            who, t, name, place=shown.spot, ua=shown.shell, lane=run.lane, session=run.session, region=run.region,
            explore=True, over=over,
        )  # fmt: skip
        return
    product = scene.products[errand.product]
    with for_the_tenant(product, who, errand):
        product.emit(who, t, name, place=shown.spot, ua=shown.shell, explore=True, over=errand.detail)
