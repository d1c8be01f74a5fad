"""A drawn account or company in which many machines are odd by nature, as attackers' victims too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_watch_lab import worlds
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.products.raid import REGISTER
from nhi_watch_lab.simulator.tenant import Tenant, plan_oddities
from nhi_watch_lab.variants.drawn import duties, workers
from nhi_watch_lab.worlds.attacks_company import MORE
from nhi_watch_lab.worlds.company import peaceful, plan_products
from nhi_watch_lab.worlds.days import of_account, of_company, peaceful_account, people_of
from nhi_watch_lab.worlds.world import World, plan

SIZE, ATTACKS = 75, 34
Told = tuple[frozenset[str], Iterator[tuple[list[dict[str, Any]], list[Any]]]]


def draw(seed: int) -> World:
    """Odd seeds are accounts, even ones companies."""
    found = worlds.draw(20_000 + seed, company=seed % 2 == 0)
    size = min(found.identities, SIZE)
    return found._replace(
        identities=size,
        incidents=ATTACKS,
        history=min(found.history, 10),
        attacked=10,
        agents=0,
        volume=min(found.volume, 25),
    )


def unsteady(seed: int) -> Told:
    """People, and the days as incidents and records."""
    world = draw(seed)
    if world.company:
        return _company(world)
    tenant = peaceful_account(world)
    enlist(world, tenant)
    attack(world, tenant, world.incidents)
    days = of_account(world, tenant)
    return frozenset(people_of(tenant)), ((day.incidents, [r for _, r in day.records]) for day in days)


def _company(world: World) -> Told:
    tenant = peaceful(world)
    enlist(world, tenant.company.aws)
    subjects = [repo.subject for repo in tenant.company.repos]
    for number, machine in enumerate(m for m in tenant.company.aws.machines if m.session == "ci"):
        if machine.subject not in subjects:
            machine.subject = subjects[number % len(subjects)]
    workers.hire(tenant)
    cloud = round(0.4 * world.incidents)
    attack(world, tenant.company.aws, cloud)
    every = [*REGISTER.values(), *MORE.values(), *MORE.values()]
    tenant.campaigns = plan_products(
        world._replace(incidents=world.incidents - cloud), tenant, every, "unsteady company"
    )
    days = of_company(world, tenant)
    people = frozenset(people_of(tenant.company.aws, tenant))
    return people, ((day.incidents, [r for _, r in day.records]) for day in days)


def enlist(world: World, tenant: Tenant) -> None:
    """Odd machines and deployers join the account."""
    count = max(12, round(world.identities * 0.2))
    tenant.machines += duties.hire(tenant.parts, count, world.days)
    tenant.machines += duties.release(tenant.parts, tenant.machines, world.days)


def attack(world: World, tenant: Tenant, incidents: int) -> None:
    """Half of the attacks on what is odd, half on the others; techniques are those of every drawn world."""
    odd = [machine for machine in tenant.machines if machine.archetype == "odd"]
    usual = [machine for machine in tenant.machines if machine.archetype != "odd"]
    half = min(incidents // 2, len(odd))
    first = _planned(world._replace(incidents=half), tenant, odd)
    second = _planned(world._replace(incidents=incidents - half, seed=world.seed + 1), tenant, usual)
    tenant.campaigns = [*first, *(campaign._replace(number=campaign.number + 400) for campaign in second)]
    tenant.oddities = plan_oddities(tenant)


def _planned(world: World, tenant: Tenant, victims: list[Machine]) -> list[Any]:
    """A plan for some of the machines alone."""
    everyone, tenant.machines = tenant.machines, victims
    try:
        return plan(world, tenant)
    finally:
        tenant.machines = everyone
