"""A whole company, day by day, over all of its logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from nhi_watch_lab.simulator.basics import dice
from nhi_watch_lab.simulator.parts import DEFAULT, Ways
from nhi_watch_lab.simulator.products import (
    ai,
    azure,
    endpoint,
    entra,
    gcp,
    github,
    gitlab,
    kubernetes,
    m365,
    noise,
    okta,
    pipelines,
    salesforce,
    snowflake,
    vault,
    workspace,
)
from nhi_watch_lab.simulator.products.campaigns import Campaign, plan
from nhi_watch_lab.simulator.products.changes import administrators, calendar, explorers, happen, mistypes
from nhi_watch_lab.simulator.products.company import Habits, make_company
from nhi_watch_lab.simulator.products.workers import At, Line, Record, Worker, moments, play

Incident = dict[str, Any]
SHARES = {github: 14, entra: 9, azure: 12, m365: 6, okta: 6, gcp: 14, workspace: 8, kubernetes: 15, ai: 6, snowflake: 5,
          vault: 7, salesforce: 5, gitlab: 4, endpoint: 8}
"""Product → how many of a hundred machine identities outside of AWS are its own: an assumption."""
PRODUCTS = ("ai", "alerts", "azure", "cloudtrail", "endpoint", "entra", "exposure", "gcp", "github", "gitlab",
            "kubernetes",
            "m365", "okta", "salesforce", "snowflake", "vault", "workspace")


@dataclass(frozen=True)
class Spec:
    """What to simulate; the same Spec gives the same bytes."""

    days: int
    nhis: int
    """Machine identities, about two fifths of them in AWS."""
    seed: int
    start: str = "2025-03-03"
    """The first day; better a Monday, since day 0 counts as one."""
    campaigns: int | None = None
    """How many incidents; None: one per 2 days and 150 machine identities."""
    quiet_days: int = 7
    """Days at the start without campaigns."""
    human_share: float = 0.4
    """People, as a share of the machine identities in AWS."""
    volume: float = 40
    """About how many events a day each machine identity in AWS has."""
    ways: Ways = DEFAULT
    """How the company lives."""


class Day(NamedTuple):
    """One simulated day."""

    date: str
    lines: list[Line]
    """In order of time; each belongs to this day."""
    incidents: list[Incident]
    """Those that began on this day."""
    oddities: list[Incident]

    @property
    def records(self) -> list[Record]:
        """The bare records."""
        return [line.record for line in self.lines]


class Tenant:
    """A company: `days()` yields its logs, one day at a time; memory does not grow with the days."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.company = make_company(
            spec.seed, spec.days, spec.start, spec.nhis, Habits(spec.human_share, spec.volume, spec.ways)
        )
        self.staff = self._staff()
        self.agents: list[Worker] = []
        """AI agents, where a world has them: beside all else, which they change nothing of."""
        administrators(self)
        explorers(self)
        calendar(self)
        mistypes(self)
        self.happenings = happen(self)
        self.campaigns: list[Campaign] = plan(self)

    @property
    def workers(self) -> list[Worker]:
        """Everybody outside of AWS."""
        return [worker for staff in self.staff.values() for worker in staff]

    def _staff(self) -> dict[str, list[Worker]]:
        company, rest = self.company, max(30, self.spec.nhis - len(self.company.aws.machines))
        staff: dict[str, list[Worker]] = {}
        for module, share in SHARES.items():
            count = max(2, round(rest * share / sum(SHARES.values())))
            staff[module.__name__.rpartition(".")[2]] = module.staff(company, count)
        developers = [worker for worker in staff["github"] if worker.kind == "person"]
        staff["github"].append(pipelines.tests(company, developers))
        for front in [worker for worker in staff["gcp"] if "deployer" in worker.facts]:
            pipelines.google(company, developers, front)
        homeless = [server for server in staff["endpoint"] if not server.human and not server.facts["machine"]]
        robots = [w for w in staff["github"] if w.kind == "token" and w.name.startswith(f"gh-{company.org}")]
        for server, robot in zip(homeless, robots):
            server.facts["robot"], robot.place = robot, server.place
        apps = [w for w in staff["azure"] if w.facts.get("credential") == "federatedIdentityCredential"]
        for app, repo in zip(apps, [repo for repo in company.repos if repo.deploys == "entra"]):
            pipelines.microsoft(company, developers, app, repo)
        return staff

    def days(self) -> Iterator[Day]:
        """Day after day."""
        due: dict[int, list[Line]] = {}
        for number, cloud in enumerate(self.company.aws.days()):
            ran = [campaign.run(self) for campaign in self.campaigns if campaign.day == number]
            odd = [happening.run(self) for happening in self.happenings if happening.day == number]
            lines = self._ordinary(number, cloud.records)
            for line in [*lines, *(line for happening in [*ran, *odd] for line in happening.lines)]:
                due.setdefault(pipelines.day_of(self.company, line.second), []).append(line)
            today = sorted(due.pop(number, []), key=lambda line: line.second)
            incidents = [*cloud.incidents, *(r.label for r in ran if r.label)]
            yield Day(cloud.date, today, incidents, [o.label for o in odd if o.label])

    def _ordinary(self, number: int, records: list[Record]) -> list[Line]:
        company, midnight = self.company, self.company.midnight(number)
        d = dice(self.spec.seed, "ordinary", number)
        cloud = pipelines.cloud_lines(records, midnight)
        developers = [worker for worker in self.staff["github"] if worker.kind == "person"]
        lines = [*cloud, *ai.invocations(self.spec.seed, cloud), *pipelines.starters(company, developers, cloud,
                                                                                     number)]
        lines += pipelines.key_reads(company, self.staff["endpoint"], cloud, number)
        for worker in self.workers:
            if worker.alive(number):
                lines += self.shift(worker, number, midnight)
        lines += noise.of_day(self, number, lines, d)
        for agent in self.agents:
            if agent.alive(number):
                lines += self.shift(agent, number, midnight)
        return lines

    def shift(self, worker: Worker, number: int, midnight: float) -> Iterator[Line]:
        """What a worker does on a day: its sessions' openings, and its habits."""
        d = dice(self.spec.seed, "day", worker.name, number)
        opened: set[int] = set()
        for habit in worker.habits:
            if habit.active(number):
                for second, whole in moments(worker, habit, number, d):
                    sender = worker.sender(self.spec.seed, number, second)
                    at = At(midnight + second, d)
                    if sender.bucket not in opened:
                        opened.add(sender.bucket)
                        before = At(max(midnight, at.second - 2 - 3 * d.random()), d)
                        for deed in worker.opening:
                            yield from deed(sender, before)
                    yield from play(habit, sender, at, whole)

    def alive(self, product: str, kinds: str, day: int) -> list[Worker]:
        """A product's workers of some blank-separated kinds that have been there for three days."""
        wanted = kinds.split()
        return [w for w in self.staff[product] if w.kind in wanted and w.born <= max(0, day - 3) and w.dies > day + 2]

