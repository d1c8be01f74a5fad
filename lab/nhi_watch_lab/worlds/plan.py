"""Which attacks a world suffers, on whom, when and how loud."""

from __future__ import annotations

import math
from typing import TypeVar

from nhi_watch_lab.simulator.basics import Dice, dice
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.products.register import Technique as CompanyTechnique
from nhi_watch_lab.simulator.raid import REGISTER, Manner, Technique
from nhi_watch_lab.simulator.tenant import IMMUNE, ORIGINS, Campaign, Tenant, victim_of
from nhi_watch_lab.worlds.attacks import MORE
from nhi_watch_lab.worlds.world import World

TECHNIQUES = (*REGISTER, *MORE)
"""Names of all techniques of an account."""
_LONG = ("patient_discovery", "slow_discovery", "parallel_session", "refused_burst", "bulk_read", "stranger_bulk_read",
         "permission_probing", "bucket_download", "agent_burns_tokens", "agent_sold")  # fmt: skip
"""What a few calls do not make."""


def plan(world: World, tenant: Tenant) -> list[Campaign]:
    """Attacks on victims of their own; techniques dealt from a shuffled deck, in which the new ones are twice.

    Some victims are people's long-lived keys, where people have some.
    """
    d = dice("plan", world.seed)
    deck = dealt([*REGISTER.values(), *MORE.values(), *MORE.values()], world, d)
    machines = [m for m in tenant.machines if m.kind in ("role", "user") and m.archetype not in IMMUNE]
    keys = [person for person in tenant.people if person.keys]
    found: list[Campaign] = []
    order = origins(world, d)
    for number in range(4 * world.incidents if deck else 0):
        technique = deck[number % len(deck)]
        origin = order[len(found)]
        day = d.between(world.history, world.days - 1)
        free = keys if keys and d.chance(world.stolen_keys) else machines
        victim = victim_of(free, technique, origin, day, d) if day >= 3 else _newborn(free, technique, d)
        if victim is not None:
            free.remove(victim)
            found.append(Campaign(number, day, technique, origin, victim, manner(world, technique.name, d)))
        if len(found) == world.incidents:
            break
    return found


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
