"""A whole company, day by day, over all of its logs: labels, noise, campaigns, changes, the days, the files.

Some products give a record no id of its own, so the source's reader makes one; labels ask the same reader. The records
themselves never depend on it.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import orjson

from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch_lab.simulator.basics import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm, office_second
from nhi_watch_lab.simulator.parts import DEFAULT, Ways
from nhi_watch_lab.simulator.products import (
    ai,
    alerts,
    azure,
    endpoint,
    entra,
    exposure,
    gcp,
    github,
    gitlab,
    kubernetes,
    m365,
    okta,
    pipelines,
    raid,
    salesforce,
    snowflake,
    techniques,
    vault,
    workspace,
)
from nhi_watch_lab.simulator.products.company import Habits, make_company
from nhi_watch_lab.simulator.products.raid import ORIGINS, PARTS, REGISTER, Parts, Raid, Technique
from nhi_watch_lab.simulator.products.workers import (
    At,
    Deed,
    Habit,
    Line,
    Record,
    Step,
    Worker,
    iso,
    moments,
    office,
    play,
    run,
    steady,
)
from nhi_watch_lab.simulator.raid import Manner

# ---- the id of a record and the name of who acts in it as `nhi_watch` calls them, so that labels and behaviours agree

@cache
def _sources() -> dict[str, ModuleType]:
    return {module.__name__.rpartition(".")[2]: module for module in registry.modules("nhi_watch.intake.sources")}


def events(lines: Iterable[Line]) -> Iterator[Event]:
    """The event of each line that is read; what no reader knows (alerts of a SIEM's rules, Sysmon's records) has none.

    Raises:
        RejectError: a record is not one of its product's.
    """
    for line in lines:
        source = _sources()[line.product]
        if source.claims(line.record):
            yield source.read(line.record)


# ---- alerts and findings about nothing: what other products say of busy, moved or clumsy identities


_PER_DAY = 2.2
"""False alerts a day and 100 machine identities: an assumption."""


def of_day(tenant: Tenant, number: int, lines: list[Line], d: Dice) -> list[Line]:
    """The harmless alerts and exposure findings of a day, most of them about what happened a lot."""
    found: list[Line] = []
    scale = tenant.spec.nhis / 100
    for _ in range(d.poisson(_PER_DAY * tenant.spec.ways.false_alerts * scale)):
        line = d.pick(lines)
        found += about(tenant, line, number, d)
    for _ in range(d.poisson(0.35 * scale)):
        at = At(tenant.company.midnight(number) + 86_300 * d.random(), d)
        found += exposure.harmless(tenant.company, d, at)
    return found


def about(tenant: Tenant, line: Line, number: int, d: Dice) -> list[Line]:
    """An alert of a product that watches the log of a line, about who acts in it."""
    company, at = tenant.company, At(line.second + 30 + 400 * d.random(), d)
    address = address_of(line)
    if line.product == "cloudtrail":
        machine = next((m for m in company.aws.machines if line.who == f"aws:{m.arn}" and m.kind in ("role", "user")),
                       None)
        if machine is None:
            return []
        make = alerts.guardduty if d.chance(0.7) else alerts.security_hub
        if d.chance(0.8):
            return make(company, machine, number, at, alerts.kind_for(machine, d), address or "203.0.113.9")
        named = {"user": machine.arn, "src": address}
        return alerts.notable(company, line, at, alerts.rule_for(line.product, d), named)
    if line.product in ("entra", "azure", "m365"):
        worker = next((w for w in tenant.workers if w.who == line.who and ("sp" in w.facts or "guid" in w.facts)), None)
        if worker is None or worker.kind == "managed":
            return []
        kinds = alerts.USER_RISKS if "guid" in worker.facts else alerts.RISKS
        return alerts.entra_risk(company, worker, at, d.pick(list(kinds)), address)
    if line.product == "endpoint":
        return alerts.kibana(company, line, at, alerts.rule_for(line.product, d))
    named = named_in(line)
    return alerts.notable(company, line, at, alerts.rule_for(line.product, d), named) if named else []


def address_of(line: Line) -> str:
    """The address in a record, in the places where these products have it."""
    record = line.record
    for value in (record.get("sourceIPAddress"), record.get("actor_ip"), record.get("callerIpAddress"),
                  record.get("ClientIP"),
                  record.get("ClientIPAddress"), record.get("ipAddress"), record.get("SOURCE_IP"),
                  record.get("CLIENT_IP")):
        if isinstance(value, str) and value[:1].isdigit():
            return value.partition(":")[0]
    client = record.get("client") or {}
    return str(client.get("ipAddress") or "") if isinstance(client, dict) else ""


def named_in(line: Line) -> dict[str, str]:
    """Whom a notable about a record names, in the fields that an add-on extracts; nothing where none does."""
    record, address = line.record, address_of(line)
    src = {"src": address} if address else {}
    if line.product == "github" and record.get("actor"):
        return {"user": str(record["actor"]), **src}
    if line.product == "okta":
        return {"user": str(record["actor"]["alternateId"]), **src} if record["actor"]["type"] == "User" else {}
    if line.product == "gcp":
        email = record["protoPayload"]["authenticationInfo"].get("principalEmail")
        return {"user": str(email), "principalEmail": str(email), **src} if email else {}
    if line.product in ("snowflake", "salesforce"):
        user = record.get("USER_NAME") or record.get("Username")
        return {"user": str(user), **src} if user else {}
    if line.product == "kubernetes":
        return {"user": str(record["user"]["username"]), "src": record["sourceIPs"][0]}
    return {}


# ---- which campaigns a company suffers, when, and what is known about each afterwards


FAMILIES = (techniques,)
"""The modules that fill the register."""
TECHNIQUES = tuple(REGISTER)
"""Names of all techniques."""
Incident = dict[str, Any]
_ALERTED = 0.45
"""How many campaigns another product notices: an assumption."""


class Ran(NamedTuple):
    """What a happening left in the logs, and its label (none if it left nothing)."""

    lines: list[Line]
    label: Incident | None


class Campaign(NamedTuple):
    """A campaign that will start on a day."""

    number: int
    day: int
    technique: Technique
    origin: str
    cast: dict[str, Any]
    manner: Manner = Manner()

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        d = dice(tenant.spec.seed, "campaign", self.number)
        raid = Raid(tenant, self.day, self.origin, d)
        raid.manner, raid.quiet = self.manner, self.manner.quiet or raid.quiet
        self.technique.act(raid, Parts(self.cast))
        alarms = self._alarms(tenant, raid, d) if d.chance(_ALERTED) else []
        end = tenant.company.midnight(tenant.spec.days)
        lines = sorted((line for line in raid.lines if line.second < end), key=lambda line: line.second)
        alarms = [line for line in alarms if line.second < end]
        return Ran(lines + alarms + raid.issued, self._label(lines, alarms) if lines else None)

    def _alarms(self, tenant: Tenant, raid: Raid, d: Dice) -> list[Line]:
        found: list[Line] = []
        for line in d.some([line for line in raid.lines if line.product != "exposure"], d.between(1, 3)):
            found += about(tenant, line, self.day, d)
        return found

    def _label(self, lines: list[Line], alarms: list[Line]) -> Incident:
        every = [*lines, *alarms]
        return {
            "id": f"incident-{self.number:04d}",
            "technique": self.technique.name,
            "origin": self.origin,
            "tactics": list(self.technique.tactics),
            "mitre": self.technique.mitre,
            "identities": [{"name": who, "products": sorted({line.product for line in every if line.who == who})}
                           for who in dict.fromkeys(line.who for line in every)],
            "names": list(dict.fromkeys(event.identity.name for event in events(lines))),
            "products": sorted({line.product for line in lines}),
            "alerts": len(alarms),
            "record_ids": [event.record_id for event in events(every)],
            "first_time": iso(lines[0].second, 0),
            "last_time": iso(lines[-1].second, 0),
            "distinguishable": True,
        }  # fmt: skip


def plan(tenant: Tenant) -> list[Campaign]:
    """Campaigns with victims of their own, techniques and origins dealt from a shuffled deck."""
    spec, d = tenant.spec, dice(tenant.spec.seed, "campaigns")
    last, first = spec.days - 1, min(spec.quiet_days, spec.days - 1)
    count = spec.campaigns if spec.campaigns is not None else round((last - first + 1) * spec.nhis / 300)
    deck = d.some([(t, origin) for t in REGISTER.values() for origin in ORIGINS], 2 * len(REGISTER))
    taken: set[int] = set()
    found: list[Campaign] = []
    for number in range(3 * count):
        chosen, origin = deck[number % len(deck)]
        day = d.between(first, last)
        cast = cast_of(tenant, chosen, day, taken, d)
        if cast is not None:
            taken.update(map(id, cast.values()))
            found.append(Campaign(number, day, chosen, origin, cast))
        if len(found) == count:
            break
    return found


def cast_of(tenant: Tenant, technique: Technique, day: int, taken: set[int], d: Dice) -> dict[str, Any] | None:
    """Part → who plays it on a day, none of them taken (by `id()`); None: nobody fits."""
    cast: dict[str, Any] = {}
    for part in technique.parts:
        fitting = [who for who in PARTS[part](tenant, day) if id(who) not in taken]
        if not fitting:
            return None
        cast[part] = d.pick(fitting)
    return cast


# ---- what changes in a company's ordinary life: rotations, consents, newcomers, upgrades, rare jobs, people who debug


Change = Callable[["Tenant", str, Worker, int, Dice], "list[Planned]"]
"""Tenant, product, worker, day, dice → records to come; habits and keys are changed at once."""


class Planned(NamedTuple):
    """A deed of somebody on a day."""

    worker: Worker
    deed: Deed
    day: int
    second: float


class Happening(NamedTuple):
    """Benign things of a day that leave records of their own; some are worth a label."""

    number: int
    day: int
    planned: list[Planned]
    label: str = ""

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        lines: list[Line] = []
        for number, each in enumerate(self.planned):
            d = dice(tenant.spec.seed, "happening", self.number, number)
            at = At(tenant.company.midnight(each.day) + each.second, d)
            sender = each.worker.sender(tenant.spec.seed, each.day, each.second)
            lines += each.deed(sender, at)
        if not self.label or not lines:
            return Ran(lines, None)
        label = {"id": f"oddity-{self.number:04d}", "kind": self.label,
                 "identities": [{"name": who} for who in dict.fromkeys(line.who for line in lines)],
                 "record_ids": [event.record_id for event in events(lines)]}  # fmt: skip
        return Ran(lines, label)


def happen(tenant: Tenant) -> list[Happening]:
    """All changes of all workers, by a draw for each day and worker of what may happen in a month."""
    found: list[Happening] = []
    for product, staff in tenant.staff.items():
        for worker in [w for w in staff if not w.human and w.kind not in ("pipelines", "sleeper")]:
            d = dice(tenant.spec.seed, "changes", worker.name)
            for change, rate, factor in CHANGES:
                expected = rate * factor(tenant.spec.ways) * tenant.spec.days / 30
                for _ in range(int(expected) + d.chance(expected % 1)):
                    day = d.between(1, max(1, tenant.spec.days - 1))
                    planned = change(tenant, product, worker, day, d)
                    if planned:
                        label = "human_debugging" if change is _debugging else ""
                        found.append(Happening(len(found), day, planned, label))
    return found


def _somebody(tenant: Tenant, product: str, day: int, d: Dice) -> Worker | None:
    """A person who works with a product: the same few administer it."""
    people = [worker for worker in tenant.staff[product] if worker.human and worker.alive(day)]
    return d.pick(people[: max(2, len(people) // 4)]) if people else None


def _rotation(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A new key by a person, used from the next day on."""
    admin = _somebody(tenant, "entra" if product in ("azure", "m365") else product, day, d)
    if admin is None or not worker.keys or worker.kind == "deploy_key":  # there the key is the identity
        return []
    key, deed = _new_key(tenant, product, worker, d)
    if deed is None:
        return []
    worker.keys.append((day + 1, key))
    return [Planned(admin, deed, day, office_second(admin.zone, d))]


def _new_key(tenant: Tenant, product: str, worker: Worker, d: Dice) -> tuple[str, Deed | None]:
    company = tenant.company
    if product in ("entra", "azure", "m365") and "object" in worker.facts:
        key = d.uuid()
        return key, entra.new_secret(company, worker, key)
    if product == "okta":
        key = "00T" + d.ident("", 17)
        return key, okta.event(company, "system.api_token.create", [okta.thing("Token", key, "script", "unknown")])
    if product == "gcp":
        key = d.hexes(40)
        return key, gcp.new_key(company, worker, key)
    if product == "gitlab":
        key = str(d.between(1000, 9999))
        return key, gitlab.event(company, "project_access_token_created", ("ProjectAccessToken", "bot"))
    if product == "github":
        return github.token(d), github.change(company, "personal_access_token.access_granted", {})
    return "", None


def _newcomer(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """It begins on a day; apps of Entra and Workspace are let in by somebody before."""
    if worker.kind in ("node", "pipelines"):
        return []
    worker.born = max(worker.born, day)
    admin = _somebody(tenant, "entra", day, d)
    second = office_second(0, d)
    if product in ("entra", "m365") and admin is not None and "sp" in worker.facts:
        scopes = worker.facts["roles"]
        deed = entra.consent(tenant.company, worker, scopes, "delegate" not in worker.facts)
        role = entra.app_role(tenant.company, worker, scopes.split()[0])
        return [Planned(admin, deed, day, second), Planned(admin, role, day, min(86_399, second + 20))]
    if product == "workspace":
        scopes = [workspace.NARROW[0], d.pick([workspace.DRIVE, workspace.MAIL, workspace.NARROW[2]])]
        return [Planned(worker, workspace.authorize(tenant.company, worker, scopes), day, second)]
    return []


def _upgrade(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    pools: dict[str, Callable[[Dice], str]] = {"github": github.agents_of, "entra": lambda x: x.pick(entra.AGENTS),
                                               "okta": lambda x: x.pick(okta.AGENTS),
             "gcp": lambda x: x.pick(gcp.AGENTS), "kubernetes": lambda x: x.pick(kubernetes.AGENTS),
             "vault": lambda x: x.pick(vault.AGENTS), "salesforce": salesforce.agent, "snowflake": snowflake.clients,
             "ai": ai.agent, "gitlab": lambda x: x.pick(gitlab.AGENTS)}  # fmt: skip
    if product in pools and worker.kind != "node":
        worker.agents.append((day, pools[product](d)))
    return []


def _moves(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """Its vendor or its server gets another address."""
    if worker.place.name.startswith("vendor-"):
        worker.place.moves.append(day)
    return []


def _adopts(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A release: from now on it also does what another worker of its kind does."""
    others = [w for w in tenant.staff[product] if w.kind == worker.kind and w is not worker and w.habits]
    if others and worker.habits and product not in ("endpoint", "m365"):
        steps = d.pick(d.pick(others).habits).steps[:1]
        worker.habits.append(Habit(Rhythm("steady", d.lognormal(6, 0.8)), steps, since=day))
    return []


def _rare_job(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A monthly or quarterly job of many deeds that shows up once in these weeks."""
    if worker.habits:
        pool = d.pick(d.pick(worker.habits).steps).pool
        rhythm = Rhythm("cron", at=d.between(0, 22 * HOUR), days=d.pick([30, 31, 90]), offset=day)
        worker.habits.append(Habit(rhythm, [Step(pool, d.lognormal(40, 0.9), 4)]))
    return []


def _new_schedule(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    for habit in [h for h in worker.habits if h.rhythm.kind == "cron" and h.rhythm.days == 1 and h.until > day + 1]:
        later = habit.rhythm._replace(at=d.between(0, 22 * HOUR))
        worker.habits.append(Habit(later, habit.steps, day, habit.until))
        habit.until = day
    return []


def _wakes(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """It has slept for all these weeks, and wakes."""
    if not worker.habits:
        return []
    for habit in worker.habits:
        habit.since = max(habit.since, day)
    worker.habits.append(Habit(Rhythm("cron", at=d.between(0, 20 * HOUR)), worker.habits[0].steps, 0, 1))
    return []


def _debugging(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A person works with the machine's credential from a desk, to find a fault."""
    if not worker.habits or product in ("endpoint", "workspace") or worker.kind in ("node", "deploy_key"):
        return []
    one = d.pick(tenant.company.people)
    agents: dict[str, Callable[[Dice], str]] = {"github": github.agents_of,
                                                "kubernetes": lambda x: x.pick(kubernetes.KUBECTL)}
    agent = agents.get(product)
    hands = Worker(f"{worker.name}-by-hand", worker.kind, worker.who, one.place, agent(d) if agent else worker.agent,
                   worker.facts, worker.keys, rotate=2 * HOUR)  # fmt: skip
    deeds = [deed for habit in worker.habits for step in habit.steps for deed in step.pool.items]
    start, found = office_second(one.zone, d), list[Planned]()
    for deed in [*worker.opening, *(d.pick(deeds) for _ in range(d.between(2, 9)))]:
        found.append(Planned(hands, deed, day, min(86_399.0, start + 40 * len(found) * (0.5 + d.random()))))
    return found


def _refused(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A policy change breaks it for some hours."""
    company = tenant.company
    deed: Deed | None = {
        "gcp": gcp.call(company, d.pick(gcp.USUAL), refused=True) if "buckets" in worker.facts else None,
        "vault": vault.call(company, "read", "secret/data/{word}/db", refused=True),
        "kubernetes": kubernetes.call(company, d.pick(kubernetes.USUAL), refused=True),
        "snowflake": snowflake.query(company, "SELECT", refused=True),
        "entra": entra.graph(company, "GET", d.pick(entra.READS), 403),
        "github": github.api(company, "GET", "/repos/{owner}/{repo}/contents/{path}", company.repos, 403),
    }.get(product)
    if deed is not None and worker.habits:
        pool = run(Rhythm("cron", at=d.between(0, 22 * HOUR)), ([deed], d.lognormal(25, 0.8), 20))
        worker.habits.append(Habit(pool.rhythm, pool.steps, day, day + 1))
    return []


def administrators(tenant: Tenant) -> None:
    """The few people who administer each product do now and then what is rare: the same words that misuse needs."""
    for product, deeds in raid.of_administrators(tenant.company).items():
        people = [worker for worker in tenant.staff[product] if worker.human]
        for worker in people[: max(2, len(people) // 4)]:
            worker.habits.append(office(0.35, deeds))


def explorers(tenant: Tenant) -> None:
    """Some workers now and then do what they seldom or never did: a long tail, as scripts under people's hands have."""
    sensitive = raid.of_administrators(tenant.company)
    for product, staff in tenant.staff.items():
        for worker in [w for w in staff if w.habits and w.kind not in ("pipelines", "key", "sleeper")]:
            d = dice(tenant.spec.seed, "explorer", worker.name)
            deeds = raid.looks(tenant.company, product, worker)
            if len(deeds) > 3 and d.chance(0.3 * min(3.0, tenant.spec.ways.news)):
                deeds = d.some(deeds, len(deeds)) + d.some(sensitive.get(product, []), 2)
                tail = Pool.zipf(deeds, 1.3)
                rhythm = Rhythm("burst", d.lognormal(0.3, 0.6))
                worker.habits.append(Habit(rhythm, [Step(tail, d.lognormal(3, 0.5), 10)]))


def _diagnosis(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """One day of start-up checks and diagnostics: many deeds that never come back."""
    deeds = raid.looks(tenant.company, product, worker)
    if deeds and worker.habits:
        some = d.some(deeds, max(2, round(d.lognormal(7, 0.5))))
        pool = run(Rhythm("cron", at=d.between(6, 19) * HOUR), (some, 1.6 * len(some), 20))
        worker.habits.append(Habit(pool.rhythm, pool.steps, day, day + 1))
    return []


def _release(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A big release: several new deeds at once, which stay."""
    deeds = raid.looks(tenant.company, product, worker)
    if deeds and worker.habits:
        worker.habits.append(steady(d.lognormal(14, 0.8), d.some(deeds, d.between(2, 7)), since=day))
    return []


def calendar(tenant: Tenant) -> None:
    """Weekly and monthly jobs of deeds that a worker does at no other time; and when everybody works."""
    ways = tenant.spec.ways
    for product, staff in tenant.staff.items():
        for worker in staff:
            worker.weekend = ways.weekend
            if worker.kind in ("pipelines", "key", "sleeper") or not worker.habits:
                continue
            d = dice(tenant.spec.seed, "calendar", worker.name)
            for share, period in ((ways.weekly, 7), (ways.monthly, 30)):
                deeds = raid.looks(tenant.company, product, worker) if d.chance(share) else []
                if deeds:
                    rhythm = Rhythm("cron", at=d.between(0, 22 * HOUR), days=period, offset=d.between(0, period - 1))
                    worker.habits.append(run(rhythm, (d.some(deeds, d.between(2, 6)), d.lognormal(10, 0.8), 5)))


def mistypes(tenant: Tenant) -> None:
    """People's wrong passwords, on as many days as they make mistakes."""
    company, share = tenant.company, tenant.spec.ways.mistakes
    deeds: dict[str, Deed] = {"entra": entra.user_sign_in(company, ("Azure Portal", entra.AZURE[1]), error=50126),
                              "m365": m365.mistyped(company)}  # fmt: skip
    for product, deed in deeds.items():
        for worker in [each for each in tenant.staff[product] if each.human and share]:
            worker.habits.append(office(5 * share, [deed]))


CHANGES: list[tuple[Change, float, Callable[[Ways], float]]] = [
    (_rotation, 0.2, attrgetter("rotation")),
    (_newcomer, 0.08, attrgetter("turnover")),
    (_upgrade, 0.15, attrgetter("upgrades")),
    (_moves, 0.12, attrgetter("moves")),
    (_adopts, 0.15, attrgetter("news")),
    (_rare_job, 0.08, attrgetter("news")),
    (_new_schedule, 0.12, attrgetter("rotation")),
    (_wakes, 0.03, attrgetter("news")),
    (_debugging, 0.1, attrgetter("debugging")),
    (_refused, 0.06, attrgetter("news")),
    (_diagnosis, 0.2, attrgetter("news")),
    (_release, 0.12, attrgetter("news")),
]
"""What may happen to a worker, how often a month, and which of the company's ways is a factor."""


# ---- A whole company, day by day, over all of its logs

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
        lines += of_day(self, number, lines, d)
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


# ---- A simulated company as files

def write(folder: Path, spec: Spec, tenant: Tenant | None = None) -> dict[str, Any]:
    """Writes `events/<product>/YYYY-MM-DD.ndjson.gz`, one record a line, and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    whole = tenant or Tenant(spec)
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in _written(folder / "events", whole.days()):
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    labels["account"], labels["seed"] = whole.company.aws.world.account, spec.seed
    labels["humans"] = sorted({w.who for w in whole.workers if w.human} | {f"aws:{p.arn}"
                                                                           for p in whole.company.aws.people})
    packed = orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (folder / "labels.json").write_bytes(packed)
    return labels


def _written(folder: Path, days: Iterator[Day]) -> Iterator[Day]:
    for day in days:
        by_product: dict[str, list[bytes]] = {}
        for line in day.lines:
            packed = orjson.dumps(line.record, option=orjson.OPT_APPEND_NEWLINE)
            by_product.setdefault(line.product, []).append(packed)
        for product, rows in sorted(by_product.items()):
            (folder / product).mkdir(parents=True, exist_ok=True)
            path = folder / product / f"{day.date}.ndjson.gz"
            with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as file:
                file.write(b"".join(rows))
        yield day
