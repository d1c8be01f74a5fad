"""A tenant of the second world with crews, as attackers' victims too."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import NamedTuple

from nhi_watch_lab.second_world import base, world
from nhi_watch_lab.second_world.attacks import Incident, Scene, play
from nhi_watch_lab.second_world.base import DAY, Sink, Tenant
from nhi_watch_lab.second_world.routine import AwsLife, AwsPeople
from nhi_watch_lab.second_world.trail import Actor, AwsLog
from nhi_watch_lab.variants.second import extra
from nhi_watch_lab.variants.second.crews import Crew, day_of
from nhi_watch_lab.variants.second.roster import hire

ATTACKS = 30
ON_CREWS = 0.5
"""Share of the attacks whose victim is odd by nature, where one fits."""


def write(seed: int, out: Path) -> None:
    """Write a tenant's logs to `events` and its labels to `labels.json`."""
    extra.extend()
    rng = Random(f"unsteady second world/{seed}")
    history, days = rng.randint(6, 12), 0
    days = history + rng.randint(8, 14)
    begin = float(calendar.timegm(date(2025, rng.randint(1, 12), rng.randint(1, 28)).timetuple()))
    size = rng.randint(50, 72)
    drawn = base.draw(seed + 30_000, size, days, begin)
    drawn.habits["records"] *= 0.6
    sink = Sink(out, begin, days)
    scene, life, people = world.stage(drawn, sink, size, days)
    crews = enlist(drawn, scene, rng.randint(14, 24))
    workloads = [
        Release(drawn, scene.log, actor, Random(f"release/{seed}/{actor.pid}")) for actor in shipped(scene, rng)
    ]
    routine = Routine(life, people, crews, workloads)
    plots = world.plan(drawn, scene, days, history, ATTACKS)
    told: list[Incident] = []
    for day in range(days):
        told += _attacks(scene, plots, crews, day)
        now = begin + day * DAY
        routine.day(scene, now)
        sink.flush(day)
    sink.close()
    extras = {"identities": size, "days": days, "history_days": history, "padded": False, "start": base.iso(begin)[:10]}
    world.labels(out, drawn, sink, told, scene, extras)


class Routine(NamedTuple):
    """Those who act in a tenant of their own accord."""

    life: AwsLife
    people: AwsPeople
    crews: list[Crew]
    workloads: list[Release]

    def day(self, scene: Scene, now: float) -> None:
        """Let everybody act on the day that begins."""
        self.life.day(now)
        self.people.day(now)
        for product in scene.products.values():
            product.day(now)
        for crew in self.crews:
            day_of(crew, scene.tenant, scene.log, now)
        for workload in self.workloads:
            workload.day(now)


def enlist(drawn: Tenant, scene: Scene, count: int) -> list[Crew]:
    """Crews, whose identities are among the tenant's, and so among the possible victims."""
    crews = hire(drawn, scene.cast.account, scene.products, count)
    for crew in crews:
        if isinstance(crew.who, Actor):
            scene.cast.machines.append(crew.who)
    return crews


# ---- releases


def shipped(scene: Scene, rng: Random) -> list[Actor]:
    """Services whose teams release while the tenant is watched."""
    fit = [
        a for a in scene.cast.machines if a.flavour in ("lambda", "ecs", "irsa") and a.runs > 1 and a.job != "broken"
    ]
    return rng.sample(fit, min(len(fit), max(3, len(fit) // 4)))


class Release:
    """A service, the workflow that always deploys it, and what new versions bring."""

    NEWS = ("GetSecretValue", "GetParameter", "PutObject", "Publish", "GetItem", "Query", "ListObjects", "Invoke", "Decrypt", "InvokeModel",
            "StartExecution", "AssumeRole", "GetQueueUrl", "DescribeTable", "GetResources", "PutItem", "GenerateDataKey")  # fmt: skip

    def __init__(self, drawn: Tenant, log: AwsLog, who: Actor, rng: Random) -> None:
        self.drawn, self.log, self.who, self.rng = drawn, log, who, rng
        self.word = rng.choice(drawn.words)
        pid = base.aws_id(rng, "AROA", who.account.id)
        name = f"ship-{self.word}-{base.hexa(rng, 3)}"
        self.deployer = replace(
            who, name=name, flavour="ci", pid=pid, place=drawn.runners, uas=[(0.0, base.cli(rng, "linux"))], job=self.word,
            trusted="github", vpce="", fails={}, pools={}, sessions={}, announced={}, phase=rng.random(), lanes=1,
        )  # fmt: skip
        self.pace = rng.choice([0.1, 0.2, 0.45])
        """Releases a workday."""
        self.fresh: list[str] = []
        """What the newest version calls now and then."""

    def day(self, now: float) -> None:
        """A release, or not; and what the version before brought."""
        if self.fresh and self.rng.random() < 0.5 and self.who.alive(now):
            self._use(now + self.rng.uniform(0, 40_000))
        if base.weekday(now) >= 5 or self.rng.random() >= self.pace or not self.who.alive(now + DAY):
            return
        t = self._deploy(base.office_time(self.drawn, self.rng, now))
        if self.rng.random() < 0.35:
            self._bring(t + self.rng.uniform(60, 12_000))

    def _deploy(self, t: float) -> float:
        what = self.who.flavour
        build = "GetAuthorizationToken InitiateLayerUpload CompleteLayerUpload PutImage"
        names = {"lambda": "GetCallerIdentity UpdateFunctionCode20150331v2 PublishVersion20150331 UpdateAlias20150331",
                 "ecs": f"GetCallerIdentity {build} DescribeTaskDefinition RegisterTaskDefinition PassRole UpdateService"}  # fmt: skip
        spot = base.place(self.rng, self.drawn.runners.operator, 1)
        function = self.who.name.replace("role", "fn").replace("Role", "Fn")
        over = {"fn": function, "svc": self.word, "role": self.who.name, "rolearn": self.who.arn, "repo": self.word}
        for name in names.get(what, f"GetCallerIdentity {build} DescribeCluster").split():
            t += self.rng.uniform(0.5, 15)
            self.log.call(self.deployer, t, name, place=spot, over=over)
        return t

    def _bring(self, t: float) -> None:
        secret = f"{self.who.account.env}/{self.word}/{self.rng.choice(['ldap', 'broker', 'maps', 'payments', 'llm'])}-{base.hexa(self.rng, 2)}"
        arn = f"arn:aws:secretsmanager:{self.who.regions[0]}:{self.who.account.id}:secret:{secret}-{base.pick_chars(self.rng, base.ALNUM, 6)}"
        for _ in range(self.rng.randint(1, 3)):
            self.log.call(self.who, t, "GetSecretValue", over={"secret": arn})
            t += self.rng.expovariate(1 / 300)
        known = set(self.who.routine)
        self.fresh = self.rng.sample([name for name in self.NEWS if name not in known], self.rng.randint(1, 4))
        self._use(t)
        if self.rng.random() < 0.4:
            self.fresh = []

    def _use(self, t: float) -> None:
        for _ in range(self.rng.randint(1, 8)):
            t += self.rng.expovariate(1 / 2400)
            self.log.call(self.who, t, self.rng.choice(self.fresh), err="denied" if self.rng.random() < 0.08 else "")


# ---- attacks


def _attacks(scene: Scene, plots: list[Incident], crews: list[Crew], day: int) -> list[Incident]:
    """Those that begin on a day: half of them, where they can, on what is odd by nature."""
    done: list[Incident] = []
    allowed = world.options(scene)
    odd = {id(crew.who) for crew in crews}
    for incident in plots:
        if incident.day != day:
            continue
        rng = Random(f"attack on a crew/{scene.tenant.seed}/{incident.id}")
        plain = [id(who) for who in _everyone(scene) if id(who) not in odd]
        for attempt in range(14):
            reserved = plain if attempt < 6 and rng.random() < ON_CREWS else []
            aimed = replace(scene, taken=[*scene.taken, *reserved])
            before = len(aimed.taken)
            if play(aimed, incident, rng, False):
                scene.taken += aimed.taken[before:]
                done.append(incident)
                break
            incident.technique = rng.choice(sorted(s for s, o in allowed.items() if incident.origin[0] in o))
    return done


def _everyone(scene: Scene) -> list[object]:
    return [*scene.cast.victims(), *(agent for product in scene.products.values() for agent in product.victims())]
