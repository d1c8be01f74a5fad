"""A world that is a company in all of its logs: its tenant, its attacks, its people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_watch_lab.simulator.basics import dice
from nhi_watch_lab.simulator.products import ai, ai_agents
from nhi_watch_lab.simulator.products.raid import REGISTER, Technique
from nhi_watch_lab.simulator.products.tenant import Campaign, Spec, Tenant, cast_of, events
from nhi_watch_lab.simulator.products.workers import At, Line, Worker
from nhi_watch_lab.worlds.attacks_company import AGENTS, MORE
from nhi_watch_lab.worlds.world import World, dealt, manner, origins, plan

TECHNIQUES = (*REGISTER, *MORE, *AGENTS)
"""Names of the techniques that need more than an account of AWS."""
PLACELESS = frozenset({"coder", "gateway"})
"""Parts whose logs tell no place: nobody can be seen to come from outside."""


def company(world: World) -> Tenant:
    """The company of a world: two fifths of its attacks touch its AWS account alone, the others its products; those
    through AI agents come on top."""
    tenant = peaceful(world)
    cloud = round(0.4 * world.incidents)
    tenant.company.aws.campaigns = plan(world._replace(incidents=cloud), tenant.company.aws)
    every = [*REGISTER.values(), *MORE.values(), *MORE.values()]
    tenant.campaigns = plan_products(world._replace(incidents=world.incidents - cloud), tenant, every, "company")
    if world.agents:
        tenant.agents = ai_agents.staff(tenant.company)
        agents = world._replace(incidents=world.agents)
        tenant.campaigns += plan_products(agents, tenant, [*AGENTS.values()], "agents", 5000)
    return tenant


def peaceful(world: World) -> Tenant:
    """The company of a world, before attacks are planned."""
    spec = Spec(
        world.days,
        world.identities,
        world.seed,
        world.start,
        campaigns=0,
        quiet_days=world.history,
        human_share=world.people,
        volume=world.volume,
        ways=world.ways,
    )
    return Tenant(spec)


def plan_products(world: World, tenant: Tenant, every: list[Technique], name: str, first: int = 1000) -> list[Campaign]:
    """Attacks on the products of a company, each on victims that none before has used."""
    d = dice("plan", world.seed, name)
    deck = dealt(every, world, d)
    dealt_origins = origins(world, d)
    taken = {id(campaign.victim) for campaign in tenant.company.aws.campaigns}
    taken.update(id(victim) for campaign in tenant.campaigns for victim in campaign.cast.values())
    campaigns: list[Campaign] = []
    for number in range(4 * world.incidents if deck else 0):
        technique, day = deck[number % len(deck)], d.between(max(3, world.history), world.days - 1)
        cast = cast_of(tenant, technique, day, taken, d)
        how = manner(world, technique.name, d)
        if cast is not None:
            taken.update(map(id, cast.values()))
            quick = how if len(technique.parts) < 2 else how._replace(most=0)
            origin = "inside" if PLACELESS.issuperset(technique.parts) else dealt_origins[len(campaigns)]
            campaigns.append(Campaign(first + number, day, technique, origin, cast, quick))
        if len(campaigns) == world.incidents:
            break
    return campaigns


def told_twice(tenant: Tenant, lines: list[Line], incident: dict[str, Any]) -> list[str]:
    """Ids of what Bedrock's own log says of an incident's calls in the account; lines of one day."""
    wanted = set(incident["record_ids"])
    calls = [line for line in lines if line.product == "cloudtrail" and line.record["eventID"] in wanted]
    return [event.record_id for event in events(ai.invocations(tenant.spec.seed, calls))]


def names(tenant: Tenant) -> Iterator[str]:
    """The names of the people outside of AWS, as nhi_watch's sources read what each usually does."""
    for worker in tenant.workers:
        if worker.human:
            yield from _names(tenant, worker) - {"anonymous"}


def _names(tenant: Tenant, worker: Worker) -> set[str]:
    d, second = dice("names", worker.name), tenant.company.midnight(worker.born) + 40_000
    sender = worker.sender(tenant.spec.seed, worker.born, 40_000)
    deeds = [*worker.opening, *(deed for habit in worker.habits for step in habit.steps for deed in step.pool.items)]
    lines = (line for deed in deeds for line in deed(sender, At(second, d)) if line.who == worker.who)
    return {event.identity.name for event in events(lines)}
