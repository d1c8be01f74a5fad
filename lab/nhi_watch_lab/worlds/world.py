"""What is drawn of a world, and the plan of its attacks."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from nhi_watch_lab.simulator.basics import Dice, dice
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.parts import Ways
from nhi_watch_lab.simulator.products.raid import Technique as CompanyTechnique
from nhi_watch_lab.simulator.raid import REGISTER, Manner, Technique
from nhi_watch_lab.simulator.tenant import IMMUNE, ORIGINS, Campaign, Tenant, victim_of
from nhi_watch_lab.worlds.attacks import MORE

# ---- A world: one tenant with its rates of change, churn, people, products and attacks; and how worlds are drawn


class World(NamedTuple):
    """Everything that tells one world from another; the same World gives the same records.

    Ranges marked *assumed* have no public source: no multi-day native log of a company is public.
    """

    seed: int
    start: str
    """The first day, a Monday."""
    history: int
    """Days without attacks at the start: 5 to 30, mostly about 14; 0 only on request."""
    attacked: int
    """Days on which attacks begin: 8 to 12."""
    identities: int
    """Machine identities: 30 to 3,000, mostly 60 to 400, log-uniform (issue 14); people come on top."""
    people: float
    """People with single sign-on as a share of the machine identities: 0.02 to 0.3, log-uniform; assumed."""
    ways: Ways
    """How machines and people live; `_ways` names the range of each."""
    volume: float
    """Records a day and machine identity that follow its volume: 20 to 80, log-uniform. boogy's five minutes hold 5
    to 6 a machine (a median; thousands a day if they went on), grycap's months less than 100 a day in all."""
    company: bool
    """Whether the tenant is a company in all of its logs; else one AWS account. One world in four; assumed."""
    incidents: int
    """Attacks: 12 to 20 for 300 machine identities, at least 5."""
    inside: float
    """Share of the attacks from the victim's own network with its own client: 0.5 to 0.65."""
    whispers: float
    """Share of the attacks with at most one to three calls: 0.1 to 0.3; assumed."""
    looks: float
    """Factor on how often an intruder in an account looks around before it acts (else 3 of 4 from outside, 2 of 4 from
    inside): 0 to 1; assumed."""
    missing: tuple[str, ...]
    """What the log lacks, as pipelines that flatten or trim lose it: `agent`, `session`, `read_only`. Two worlds in
    three lack nothing. grycap's old records have no `readOnly`, hkerma's no address and no agent."""
    padded: bool
    """Whether each attacker hides among harmless calls."""
    agents: int = 0
    """Attacks through AI agents, on top of `incidents`, in a company (which has no agents where it is 0): 2 to 6, in
    two companies of three. They change nothing of the rest."""
    stolen_keys: float = 0.1
    """Share of the attacks in an account that use a person's long-lived key, where people have some; assumed."""
    only: tuple[str, ...] = ()
    """The techniques that are dealt; empty: all. `World._replace(only=...)` asks for many of a few."""

    @property
    def days(self) -> int:
        """All days."""
        return self.history + self.attacked


def draw(
    seed: int,
    *,
    padded: bool = False,
    identities: int | None = None,
    history: int | None = None,
    company: bool | None = None,
) -> World:
    """The world of a seed; what is given is not drawn, and changes nothing else (attacks and people follow the size).

    >>> draw(1) == draw(1), draw(1).identities == draw(2).identities
    (True, False)
    """
    d = dice("world", seed)
    days, attacked = min(30, max(5, round(d.lognormal(14, 0.4)))), d.between(8, 12)
    usual = d.chance(0.9)
    size = round(_between(d, 60, 400) if usual else _between(d, 30, 3000))
    size = identities or size
    density = 12 + 8 * d.random()
    return World(
        seed=seed,
        start=(date(2025, 1, 6) + timedelta(weeks=d.between(0, 40))).isoformat(),
        history=days if history is None else history,
        attacked=attacked,
        identities=size,
        people=_between(d, 0.02, 0.3),
        ways=_ways(dice("ways", seed), size),
        volume=_between(d, 20, 80),
        company=d.chance(0.25) if company is None else company,
        incidents=max(5, round(density * size / 300)),
        inside=0.5 + 0.15 * d.random(),
        whispers=0.1 + 0.2 * d.random(),
        looks=dice("looks", seed).random(),
        missing=_missing(dice("missing", seed)),
        padded=padded,
        agents=_agents(dice("agents", seed)),
    )


def _between(d: Dice, low: float, high: float) -> float:
    """Log-uniform."""
    return low * math.exp(d.random() * math.log(high / low))


def _or_none(d: Dice, none: float, low: float, high: float) -> float:
    """0 with a probability, else log-uniform."""
    result = _between(d, low, high)
    return 0.0 if d.chance(none) else result


def _ways(d: Dice, size: int) -> Ways:
    """New calls on 0.1% to 5% of machine-days, log-uniform (workflows in public git histories show a new action or verb
    on 0.17% of days and a changed definition on 2%), on top of what rare jobs and rare draws make new by themselves;
    errors up to 3% (boogy 0.8%, grycap 1.6%). The other ranges are assumed, wide enough to hold the calmest and the
    busiest tenant that we can think of.
    """
    doors = 0 if d.chance(0.3) else round(_between(d, 1, 60))
    return Ways(
        news=_between(d, 0.001, 0.05) / 0.0125,
        upgrades=_or_none(d, 0.15, 0.15, 35),  # 35: each machine weekly
        moves=_or_none(d, 0.2, 0.3, 36),  # 36: each gateway weekly
        own_moves=_or_none(d, 0.3, 0.05, 4),
        rotation=_between(d, 0.2, 8),
        turnover=_between(d, 0.2, 8),
        weekly=0.25 * d.random(),
        monthly=_or_none(d, 0.2, 0.005, 0.15),
        chores=_or_none(d, 0.3, 0.005, 0.1),
        bulk=_or_none(d, 0.3, 0.003, 0.04),
        ci_news=d.pick([0.0, 0.05, 0.3, 1.0]),
        dynamic_ci=d.pick([0.0, 0.3, 0.7, 1.0]),
        static_ci=d.random(),
        own_address=d.pick([0.0, 0.0, 0.3, 1.0]),
        roaming=d.pick([0.0, 0.0, 0.3, 1.0]),
        both_doors=min(doors, size // 3),
        errors=_or_none(d, 0.1, 0.001, 0.03),
        tail=1.2 + 1.2 * d.random(),
        travel=_between(d, 0.01, 0.3),
        mistakes=_or_none(d, 0.2, 0.005, 0.1),
        seldom=0.8 * d.random(),
        vpn=_or_none(d, 0.3, 0.02, 0.4),
        hosting=0.6 * d.random(),
        federation=d.pick([0.0, 0.05, 0.2]),
        debugging=_or_none(d, 0.2, 0.3, 5),
        false_alerts=_or_none(d, 0.1, 0.2, 5),
        weekend=_between(d, 0.02, 0.5),
        spread=0.9 + 0.8 * d.random(),
        scanners=_or_none(d, 0.2, 0.5, 4),
        failing=_or_none(d, 0.1, 0.5, 4),
        pipelines=_between(d, 0.3, 3),
        keys=_between(d, 0.3, 4),
    )


def _agents(d: Dice) -> int:
    attacks = d.between(2, 6)
    return attacks if d.chance(0.67) else 0


def _missing(d: Dice) -> tuple[str, ...]:
    lacks = d.some(["agent", "session", "read_only"], d.between(1, 2))
    return () if d.chance(0.67) else tuple(sorted(lacks))


# ---- which attacks a world suffers, on whom, when and how loud

TECHNIQUES = (*REGISTER, *MORE)
"""Names of all techniques of an account."""
_LONG = (
    "patient_discovery",
    "slow_discovery",
    "parallel_session",
    "refused_burst",
    "bulk_read",
    "stranger_bulk_read",
    "permission_probing",
    "bucket_download",
    "agent_burns_tokens",
    "agent_sold",
)
"""What a few calls do not make."""


def plan(world: World, tenant: Tenant) -> list[Campaign]:
    """Attacks on victims of their own; techniques dealt from a shuffled deck, in which the new ones are twice.

    Some victims are people's long-lived keys, where people have some.
    """
    d = dice("plan", world.seed)
    deck = dealt([*REGISTER.values(), *MORE.values(), *MORE.values()], world, d)
    machines = [m for m in tenant.machines if m.kind in ("role", "user") and m.archetype not in IMMUNE]
    keys = [person for person in tenant.people if person.keys]
    campaigns: list[Campaign] = []
    order = origins(world, d)
    for number in range(4 * world.incidents if deck else 0):
        technique = deck[number % len(deck)]
        origin = order[len(campaigns)]
        day = d.between(world.history, world.days - 1)
        free = keys if keys and d.chance(world.stolen_keys) else machines
        victim = victim_of(free, technique, origin, day, d) if day >= 3 else _newborn(free, technique, d)
        if victim is not None:
            free.remove(victim)
            campaigns.append(Campaign(number, day, technique, origin, victim, manner(world, technique.name, d)))
        if len(campaigns) == world.incidents:
            break
    return campaigns


Kind = TypeVar("Kind", Technique, CompanyTechnique)


def dealt(every: list[Kind], world: World, d: Dice) -> list[Kind]:
    """The deck of a world, shuffled."""
    wanted = [technique for technique in every if not world.only or technique.name in world.only]
    return d.some(wanted, len(wanted))


def origins(world: World, d: Dice) -> list[str]:
    """The origin of each attack: at least half of them inside."""
    inside = max(math.ceil(world.incidents / 2), round(world.inside * world.incidents))
    return d.some([ORIGINS[number < inside] for number in range(world.incidents)], world.incidents)


def _newborn(free: list[Machine], technique: Technique, d: Dice) -> Machine | None:
    """A victim in the first days, when nobody has a past."""
    fitting = [m for m in free if m.born == 0 and m.archetype != "sleeper" and technique.fits(m)]
    return d.pick(fitting) if fitting else None


def manner(world: World, technique: str, d: Dice) -> Manner:
    """How loud an attacker is, and whether it hides."""
    quiet, most = d.pick([0.1, 0.3, 0.3, 0.6, 1.0]), d.between(1, 3)
    whispers = d.chance(world.whispers) and technique not in _LONG
    padding = d.pick([0.5, 1.0, 2.0, 4.0])
    return Manner(quiet, most if whispers else 0, world.looks, padding if world.padded else 0.0)
