"""What changes in a company's ordinary life: rotations, consents, newcomers, upgrades, rare jobs, people who debug.

Rates are assumptions. Each change that a product logs leaves its record, by the person who made it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from nhi_watch_lab.simulator.basics import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm, office_second
from nhi_watch_lab.simulator.parts import Ways
from nhi_watch_lab.simulator.products import (
    ai,
    entra,
    gcp,
    github,
    gitlab,
    kubernetes,
    m365,
    okta,
    rare,
    salesforce,
    snowflake,
    vault,
    workspace,
)
from nhi_watch_lab.simulator.products.campaigns import Ran
from nhi_watch_lab.simulator.products.labels import record_id
from nhi_watch_lab.simulator.products.workers import At, Deed, Habit, Line, Step, Worker, office, run, steady

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

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
                 "record_ids": [record_id(line) for line in lines]}  # fmt: skip
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
    for product, deeds in rare.of_administrators(tenant.company).items():
        people = [worker for worker in tenant.staff[product] if worker.human]
        for worker in people[: max(2, len(people) // 4)]:
            worker.habits.append(office(0.35, deeds))


def explorers(tenant: Tenant) -> None:
    """Some workers now and then do what they seldom or never did: a long tail, as scripts under people's hands have."""
    sensitive = rare.of_administrators(tenant.company)
    for product, staff in tenant.staff.items():
        for worker in [w for w in staff if w.habits and w.kind not in ("pipelines", "key", "sleeper")]:
            d = dice(tenant.spec.seed, "explorer", worker.name)
            deeds = rare.looks(tenant.company, product, worker)
            if len(deeds) > 3 and d.chance(0.3 * min(3.0, tenant.spec.ways.news)):
                deeds = d.some(deeds, len(deeds)) + d.some(sensitive.get(product, []), 2)
                tail = Pool.zipf(deeds, 1.3)
                rhythm = Rhythm("burst", d.lognormal(0.3, 0.6))
                worker.habits.append(Habit(rhythm, [Step(tail, d.lognormal(3, 0.5), 10)]))


def _diagnosis(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """One day of start-up checks and diagnostics: many deeds that never come back."""
    deeds = rare.looks(tenant.company, product, worker)
    if deeds and worker.habits:
        some = d.some(deeds, max(2, round(d.lognormal(7, 0.5))))
        pool = run(Rhythm("cron", at=d.between(6, 19) * HOUR), (some, 1.6 * len(some), 20))
        worker.habits.append(Habit(pool.rhythm, pool.steps, day, day + 1))
    return []


def _release(tenant: Tenant, product: str, worker: Worker, day: int, d: Dice) -> list[Planned]:
    """A big release: several new deeds at once, which stay."""
    deeds = rare.looks(tenant.company, product, worker)
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
                deeds = rare.looks(tenant.company, product, worker) if d.chance(share) else []
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
