"""Thefts of one to five calls of identities with a past, most of them from the victim's own place and session."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from nhi_watch_lab.fourth_world import attack, life, model
from nhi_watch_lab.fourth_world import tenant as tenants
from nhi_watch_lab.fourth_world.attack import Campaign, Incident, Step, Technique
from nhi_watch_lab.fourth_world.life import World
from nhi_watch_lab.fourth_world.model import DAY, HOUR, Dice, Event, Machine, Session, Source
from nhi_watch_lab.fourth_world.write import PAIRED
from nhi_watch_lab.tables import text
from nhi_watch_lab.variants.fourth import brief, thefts

BASE = 710_000
"""Its tenants are none of the family's other ones."""
MOST = 5
"""Records of a theft, at most."""
ACTIVE_DAYS = 6
"""Days on which a victim was at work before."""
NETWORKS = {"hosting": 0.38, "vpn": 0.3, "home": 0.27, "tor": 0.05}
RESTLESS = ("pods", "vpce", "hosts")
"""Styles of places whose addresses change with the hosts behind them."""
LOOKS = re.compile(
    r"(?i)(?:^|[:.])(?:list|describe|show|search|lookup|infoschema|login|signin|api\.request)"
    r"|^sts:GetCaller|^(?:iam|glue|bedrock|ses|redshift):(?:Get(?!Cluster)|Simulate)|:GetServiceQuota|GetBucketPolicy|Status$"
    r"|GetIamPolicy|\.list$|\.ListServiceAccounts$|\.ListSecrets$|selfsubject"
)
"""Calls that only look around: no part of these thefts."""
DEEDS = {"list secrets", "ec2:DescribeInstanceAttribute"}
"""What reads like one of those, and hands out secrets."""

OF_ANOTHER = (
    "Add service principal credentials", "Update application – Certificates and secrets management ",
    "Add app role assignment to service principal", "Add owner to application", "Consent to application.",
    "workflows.created_workflow_run", "workflows.completed_workflow_run", "workflows.prepared_workflow_job",
    "workflows.delete_workflow_run",
)  # fmt: skip
"""Calls whose record names another identity than the one that called: its theft would have no past."""


def _deeds(technique: Technique) -> Technique:
    """What a technique does with its first identity, without what only looks around."""
    phase = technique.phases[0]
    deeds = [step for step in phase.steps if step.call in DEEDS or not LOOKS.search(step.call)]
    steps = [step for step in deeds if step.call not in OF_ANOTHER]
    name = f"short-{technique.name.removeprefix('brief-').removeprefix('short-')}"
    return Technique(name, technique.origins, [phase._replace(steps=steps)])


OWN = [thefts.technique(line) for line in text(__file__, "short.txt").strip().splitlines()]
TECHNIQUES = tuple(
    {
        one.name: one for one in map(_deeds, [*attack.TECHNIQUES.values(), *brief.TECHNIQUES, *OWN])
        if any(step.core for step in one.phases[0].steps)
    }.values()
)  # fmt: skip
"""Name → the techniques of the frozen world, of first files and of this layer, each cut to its deeds."""


def enlist(world: World, count: int, days: int) -> None:
    """More service accounts of the cluster: a tenant has too few of them for a quarter of the thefts."""
    tenant, known = world.tenant, {m.who.label for m in world.machines}
    products, tenant.products = tenant.products, ["kubernetes"]
    try:
        hired = tenants.hire(tenant, count, world.begin, days, 0)
    finally:
        tenant.products = products
    world.machines += [m for m in hired if m.who.label not in known]


class Past(NamedTuple):
    """What an identity did of itself."""

    machine: Machine
    events: list[Event]

    def days_before(self, t: int) -> int:
        """Days on which it was at work."""
        return len({event.t // DAY for event in self.events if event.t < t})

    def calls_before(self, t: int) -> set[str]:
        """What it has called."""
        return {event.call for event in self.events if event.t < t}


def pasts(world: World) -> list[Past]:
    """The past of each machine that a thief can use, without what people did with its credential."""
    of: dict[int, list[Event]] = defaultdict(list)
    for event in world.events:
        of[id(event.who)].append(event)
    found = []
    for m in world.machines:
        own = [e for e in of[id(m.who)] if e.agent == world.agent(m, e.t) and e.call not in OF_ANOTHER]
        if own and m.session not in ("slr", "cfn"):
            found.append(Past(m, sorted(own, key=lambda e: e.t)))
    return found


class Raids:
    """Plays the thefts of a tenant into a campaign."""

    def __init__(self, world: World, campaign: Campaign, dice: Dice) -> None:
        self.world, self.campaign, self.dice = world, campaign, dice
        self.pasts = pasts(world)
        self.robbed: dict[str, list[int]] = defaultdict(list)
        """Label → the days on which it was robbed."""
        self.played: dict[str, int] = defaultdict(int)

    def play(self, count: int) -> None:
        """So many thefts, spread over the days that are tested."""
        dice, world = self.dice, self.world
        days = list(range(self.campaign.earliest, world.end, DAY))
        days = [day for _ in range(count // len(days) + 1) for day in dice.some(days, len(days))]
        clusters = round(count / 4) if "kubernetes" in world.tenant.products else 0
        products = dice.some(["kubernetes"] * clusters + [""] * (count - clusters), count)
        outside = round(count / 4)
        near = round(count / 5)
        origins = ["copied", "foreign"] * ((outside + 1) // 2)
        origins = origins[:outside] + ["near"] * near + ["own"] * (count - outside - near)
        for number, (product, origin) in enumerate(zip(products, dice.some(origins, count))):
            self._theft(world.tenant.dice("short", number), product, origin, days[number:] + days[:number])

    def _theft(self, dice: Dice, product: str, origin: str, days: Sequence[int]) -> None:
        """One theft, on the first of the days on which somebody fits; nobody is robbed again while others are left."""
        for again in (False, True):
            for day in days:
                able = self._able(product, origin, day, again)
                while able:
                    past = self._victim(dice, able)
                    technique = self._technique(dice, past, origin, day)
                    if technique:
                        self._steal(dice, past, technique, origin, day)
                        return
                    able.remove(past)

    def _able(self, product: str, origin: str, day: int, again: bool) -> list[Past]:
        found = []
        for past in self.pasts:
            m, before = past.machine, self.robbed[past.machine.who.label]
            wanted = m.who.product == product or (not product and m.who.product != "kubernetes")
            free = (again and len(before) == 1 and day not in before) or not before
            fixed = origin != "own" and m.place.style == "service"
            if wanted and free and not fixed and self._anchors(past, day) and past.days_before(day) >= ACTIVE_DAYS:
                found.append(past)
        return found

    def _victim(self, dice: Dice, able: list[Past]) -> Past:
        """Small products are not lost beside large ones, and those whose network changes often come twice as often."""
        of: dict[str, list[Past]] = defaultdict(list)
        for past in able:
            place = past.machine.place
            restless = place.style in RESTLESS and place.life < 3 * DAY
            of[past.machine.who.product] += [past] * (2 if restless else 1)
        return dice.pick(of[dice.weighted({product: len(those) ** 0.5 for product, those in of.items()})])

    def _anchors(self, past: Past, day: int) -> list[Event]:
        """Its own work of the day, beside which a theft can be."""
        served = past.machine.place.style == "service"
        last = min(day + DAY, self.world.end) - HOUR
        events = [e for e in past.events if day <= e.t < last and not e.error]
        return [e for e in events if served or not e.source.ip.endswith(".amazonaws.com")]

    def _technique(self, dice: Dice, past: Past, origin: str, day: int) -> Technique | None:
        """One of the least played that fits; from inside what it does is new to the victim."""
        m, known = past.machine, past.calls_before(day + DAY)
        fit = []
        for one in TECHNIQUES:
            phase = one.phases[0]
            core = {step.call for step in phase.steps if step.core}
            if phase.product != m.who.product or not {"any", m.session, m.kind} & set(phase.victims):
                continue
            if one.origins == ("i" if origin in ("copied", "foreign") else "e"):
                continue
            seen = all(attack._visible(self.world, step, phase.product) for step in phase.steps if step.core)
            if seen and (origin in ("copied", "foreign") or not core & known):
                fit.append(one)
        least = min((self.played[one.name] for one in fit), default=0)
        return dice.pick([one for one in fit if self.played[one.name] == least]) if fit else None

    def _steal(self, dice: Dice, past: Past, technique: Technique, origin: str, day: int) -> None:
        world, m, number = self.world, past.machine, len(self.campaign.incidents)
        beside = dice.pick(self._anchors(past, day))
        source, agent, session = self._stand(dice, m, beside, origin)
        account = dice.digits(12)
        args = {"region": m.region, "host": session.name, "strangerid": account,
                "stranger": f"arn:aws:iam::{account}:{dice.pick(['root', 'role/ops', 'user/build'])}"}  # fmt: skip
        t = beside.t + dice.randint(2, 600) * 1000
        for step in self._calls(dice, technique):
            world.act(dice, m.who, step.call, t, source, agent, session, None, tag=2 * number,
                      args={**args, **dict(step.args)})  # fmt: skip
            t += int(dice.wide(1.5, 60) * 1000)
        where = "external" if origin in ("copied", "foreign") else "inside"
        self.campaign.incidents.append(Incident(technique.name, where, m.who.label, True, []))
        self.robbed[m.who.label].append(day)
        self.played[technique.name] += 1

    def _calls(self, dice: Dice, technique: Technique) -> list[Step]:
        """At most five records, the core first; some calls make a service leave a second one."""
        phase, left, found = technique.phases[0], MOST, list[Step]()
        steps = [step for step in phase.steps if attack._visible(self.world, step, phase.product)]
        chosen = [step for step in steps if step.core or dice.chance(0.4)]
        room = MOST - sum(self._size(step, phase.product) for step in chosen)
        for step in sorted(chosen, key=lambda step: not step.core):
            size = self._size(step, phase.product)
            more = dice.randint(0, max(0, min(step.high - 1, room // size)))
            times = min(1 + more, left // size)
            found += [step] * times
            left, room = left - times * size, room - more * size
        return sorted(found, key=steps.index)

    def _size(self, step: Step, product: str) -> int:
        """Records of a call: a service may make another one for it, and Vault writes down request and response."""
        served = step.call in life.ON_BEHALF and self.world.tenant.habits["customer_keys"] > 0.5
        return 2 if served or product in PAIRED else 1

    def _stand(self, dice: Dice, m: Machine, beside: Event, origin: str) -> tuple[Source, str, Session]:
        """The victim's own place, a neighbouring one, or a stranger's."""
        if origin == "own":
            return beside.source, beside.agent, beside.session
        if origin == "near":
            session = beside.session
            if m.session == "pod":
                session = session._replace(name=f"{session.name.rsplit('-', 2)[0]}-{dice.hexes(9)}-{dice.hexes(5)}")
            return neighbour(dice, beside.source), beside.agent, session
        agent = beside.agent
        if origin == "foreign":
            family = dice.pick(["cli", "laptop", "evil"] if m.who.product == "cloudtrail" else ["go", "laptop", "evil"])
            agent = model.client(dice, m.who.product, family)
        return model.address(dice, dice.weighted(NETWORKS)), agent, beside.session


def neighbour(dice: Dice, source: Source) -> Source:
    """Another network of the same operator; another subnet of a private one."""
    first, second, *_ = source.ip.split(".")
    if not source.org:
        return model.private(dice, f"{first}.{second}")._replace(vpce=source.vpce)
    blocks = [block for kind in model.KINDS.values() for block in kind if block[3] == source.org]
    others = [block for block in blocks if block[0] != f"{first}.{second}"] or blocks
    prefix, country, city, org = dice.pick(others or [(f"{first}.{second}", source.country, source.city, source.org)])
    return Source(f"{prefix}.{dice.randint(0, 255)}.{dice.randint(1, 253)}", country, city, org)
