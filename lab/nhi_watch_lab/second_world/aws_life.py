# ruff: noqa: E501
"""Ordinary AWS life, a day at a time: machines, vendors, pipelines, services, their news."""
from __future__ import annotations

from random import Random

from nhi_watch_lab.second_world import agents, clock, ids
from nhi_watch_lab.second_world.aws_actors import Actor
from nhi_watch_lab.second_world.aws_cast import Cast
from nhi_watch_lab.second_world.aws_fill import SPECS
from nhi_watch_lab.second_world.aws_jobs import ADMIN, APPLIES, BROWSE, DEPLOYS, PLAN, SCAN, expand
from nhi_watch_lab.second_world.aws_log import AwsLog
from nhi_watch_lab.second_world.net import Place, place
from nhi_watch_lab.second_world.tenant import Tenant, outside

READ_NAMES = sorted(n for n, s in SPECS.items() if s.read)
SCAN_CALLS = expand(" ".join(SCAN))


class AwsLife:
    def __init__(self, tenant: Tenant, cast: Cast, log: AwsLog, rng: Random, scale: float) -> None:
        self.tenant, self.cast, self.log, self.rng, self.scale = tenant, cast, log, rng, scale

    def day(self, day: float) -> None:
        for who in self.cast.machines + self.cast.services:
            if who.alive(day + 43200):
                self.machine(who, day)
        for who in self.cast.vendors:
            self.vendor(who, day)
        for who in self.cast.pipelines:
            self.pipeline(who, day)
        self.oddities(day)

    def machine(self, who: Actor, day: float) -> None:
        runs = who.runs * self.scale if who.rhythm in ("steady", "office") else who.runs
        for t in clock.starts(self.tenant, self.rng, who.rhythm, runs, who.phase, day):
            if self.rng.random() < 0.985:
                self.run(who, t)
        if who.flavour != "slr" and self.rng.random() < self.tenant.habits["novelty"]:
            self.news(who, clock.office_time(self.tenant, self.rng, day))

    def run(self, who: Actor, t: float) -> float:
        """One run of the routine, with failures and retries."""
        lane = self.rng.randrange(who.lanes)
        region = self.rng.choice(who.regions)
        via = who.trusted if who.flavour == "slr" else ""
        for name in who.routine:
            t += self.rng.expovariate(2.0)
            err = self._failure(who, name)
            self.log.call(who, t, name, lane=lane, err=err, region=region, via=via)
            if err == "ThrottlingException":
                t += 1.3
                self.log.call(who, t, name, lane=lane, region=region, via=via)
        return t

    def _failure(self, who: Actor, name: str) -> str:
        if name in who.fails and self.rng.random() < who.fails[name]:
            return "NoSuchKey" if name in ("GetObject", "HeadObject") and who.phase < 0.5 else "denied"
        return "ThrottlingException" if self.rng.random() < 0.002 else ""

    def news(self, who: Actor, t: float) -> None:
        """A machine does something new: a release, a retry path, a debugging call, a new resource."""
        kind = ids.weighted(self.rng, {"call": 3.0, "resource": 3.0, "client": 1.0, "adopt": 2.0, "denied": 1.0, "burst": 1.0, "region": 0.5})
        calls = self.rng.choice(BROWSE + APPLIES + ADMIN[-40:])
        if kind == "adopt":
            who.routine = who.routine + expand(self.rng.choice(["GetParameter", "PutObject", "GetSecretValue", "Decrypt", "Publish", "GetItem", "ListObjects", "AssumeRole", "InvokeModel", "DescribeInstances"]))
        elif kind == "resource":
            who.pools.clear()
        elif kind == "client":
            who.uas.append((t, agents.sdk(self.rng)))
        else:
            names = expand(" ".join(calls)) if kind == "burst" else [self.rng.choice(READ_NAMES) for _ in range(self.rng.randint(1, 3))]
            for name in names:
                t += self.rng.expovariate(0.5)
                self.log.call(who, t, name, err="denied" if kind == "denied" or self.rng.random() < 0.1 else "", region=self.rng.choice(self.tenant.regions) if kind == "region" else "", explore=kind == "burst")

    def vendor(self, who: Actor, day: float) -> None:
        if who.rhythm != "scan":
            self.machine(who, day)
            return
        for i in range(max(1, round(who.runs * min(1.0, self.scale)))):
            t = day + 86400 * (i + who.phase) / who.runs % 86400 + self.rng.uniform(0, 600)
            self.scan(who, t, self.rng.uniform(0.5, 1.0), 0.06)

    def scan(self, who: Actor, t: float, share: float, denied: float) -> None:
        region = self.rng.choice(who.regions)
        for name in SCAN_CALLS:
            if self.rng.random() < share:
                t += self.rng.expovariate(1.5)
                self.log.call(who, t, name, region=region, err="denied" if self.rng.random() < denied else "", explore=True)

    def pipeline(self, who: Actor, day: float) -> None:
        level = who.runs * (0.12 if clock.weekday(day) >= 5 else 1.0)
        for _ in range(ids.poisson(self.rng, level)):
            t = clock.office_time(self.tenant, self.rng, day)
            if who.job == "terraform":
                self.terraform(who, t)
            else:
                self.deploy(who, t)

    def deploy(self, who: Actor, t: float) -> None:
        calls = who.routine if self.rng.random() < 0.85 else self.rng.choice(DEPLOYS)
        ip = self.runner(who)
        for name in expand(" ".join(calls)):
            t += self.rng.expovariate(0.7)
            self.log.call(who, t, name, place=ip, err="denied" if self.rng.random() < 0.01 else "", explore=True)

    def runner(self, who: Actor) -> Place:
        """One machine per pipeline run: the address stays for the run, and differs from run to run."""
        return place(self.rng, who.place.operator, 1) if who.flavour == "ci" or not who.place.pool else who.place

    def terraform(self, who: Actor, t: float) -> None:
        ip = self.runner(who)
        changes = [c for group in self.rng.sample(APPLIES, self.rng.choice([0, 0, 1, 1, 2, 3, 6])) for c in group]
        for name in expand(" ".join(PLAN)) + expand(" ".join(changes)):
            if self.rng.random() < 0.8 or name in changes:
                t += self.rng.expovariate(3.0)
                self.log.call(who, t, name, place=ip, err="denied" if self.rng.random() < 0.015 else "", explore=True)

    def oddities(self, day: float) -> None:
        """Tenant-wide one-offs: authorised testers, mass exports, incident response, migrations."""
        rng, t = self.rng, clock.office_time(self.tenant, self.rng, day)
        machines: list[Actor] = [m for m in self.cast.machines if m.alive(t)]
        if rng.random() < 0.03 and self.cast.people:
            tester = rng.choice(self.cast.people)
            where, ua = outside(rng, self.tenant), agents.operator_client(rng)
            for name in rng.sample(SCAN_CALLS, 60):
                t += rng.expovariate(0.4)
                self.log.call(tester, t, name, place=where, ua=ua, explore=True, err="denied" if rng.random() < 0.3 else "")
        if rng.random() < 0.08:
            who = rng.choice(machines)
            for _ in range(rng.randint(60, 400)):
                t += rng.expovariate(1.0)
                self.log.call(who, t, "GetObject", explore=True)
        if rng.random() < 0.06:
            old, new = rng.choice(machines), rng.choice(machines)
            new.routine = new.routine + old.routine[:6]    # a service moves to another role
        if rng.random() < 0.05 and machines:
            self.moved(rng.choice(machines), t)

    def moved(self, who: Actor, t: float) -> None:
        """A workload moves to other networks for good (a migration), or a key gets a second user."""
        if who.flavour in ("user", "lambda"):
            where = outside(self.rng, self.tenant) if self.rng.random() < 0.3 else self.tenant.nat(who.account, who.regions[0])
            who.place = where if where.kind not in ("tor", "vpn") else who.place
            who.uas.append((t, agents.sdk(self.rng)))
