"""Which campaigns a tenant suffers, when, and what is known about each afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.simulator import harm, misuse, persistence, techniques
from nhi_watch_lab.simulator.dice import Dice, dice
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.raid import Manner, Outlook, Raid, Timed, raid_dice
from nhi_watch_lab.simulator.register import REGISTER, Technique

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.tenant import Tenant

_BARE = ("key_validation", "recon_burst", "slow_discovery", "permission_probing", "ordinary_use")
_LOOKS = [
    f"{service}:{name}"
    for service, names in (
        (
            "iam",
            "ListUsers ListRoles GetUser ListAttachedUserPolicies ListAccessKeys GetAccountSummary ListGroups",  # noqa: E501
        ),
        ("s3", "ListBuckets GetBucketAcl"),
        ("ec2", "DescribeInstances DescribeSnapshots DescribeSecurityGroups DescribeRegions DescribeVpcs"),
        ("lambda", "ListFunctions20150331"),
        ("secretsmanager", "ListSecrets"),
        ("rds", "DescribeDBInstances"),
        ("organizations", "DescribeOrganization"),
    )
    for name in names.split()
]
ORIGINS = ("external", "inside")
Incident = dict[str, Any]
"""What `labels.json` says about one incident; see `Ran`."""
IMMUNE = ("service", "servicelinked", "partner", "failing", "scanner", "person")
"""Kinds of machine that no campaign uses."""
TECHNIQUES = tuple(REGISTER)
"""Names of all techniques."""
FAMILIES = (techniques, misuse, persistence, harm)
"""The modules that fill the register."""


class Ran(NamedTuple):
    """What a happening left in the log: its records, and the label (none if it left nothing)."""

    timed: list[Timed]
    label: Incident | None


class Campaign(NamedTuple):
    """A campaign that will start on a day."""

    number: int
    day: int
    technique: Technique
    origin: str
    victim: Machine
    manner: Manner = Manner()

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        d = raid_dice(tenant.spec.seed, self.number)
        raid = Raid(tenant, self.victim, self.day, self.origin, d)
        raid.manner, raid.quiet = self.manner, self.manner.quiet or raid.quiet
        plain = self.technique.name == "ordinary_use"
        if plain:
            raid.outlook = Outlook(self.victim.place.draw, self.victim.agent_on(self.day))
            raid.move()
        elif self.technique.name not in _BARE and not 0 < self.manner.most < 4:
            self._look_around(raid, d)
        self.technique.act(raid)
        return Ran(
            raid.out + raid.openings, self._label(raid, distinguishable=not plain) if raid.out else None
        )

    def _look_around(self, raid: Raid, d: Dice) -> None:
        """Most intruders first want to know where they are; from inside, fewer need to."""
        if d.chance((0.75 if self.origin == "external" else 0.5) * self.manner.looks):
            raid.do("sts:GetCallerIdentity")
            for action in d.some(_LOOKS, raid.few(9) - 1):
                (raid.refused if d.chance(0.3) else raid.do)(action)

    def _label(self, raid: Raid, distinguishable: bool) -> Incident:
        victim = (self.victim.arn, self.victim.principal_on(self.day))
        times = [record["eventTime"] for _, _, record in raid.out]
        return {
            "id": f"incident-{self.number:04d}",
            "technique": self.technique.name,
            "origin": self.origin,
            "tactics": list(self.technique.tactics),
            "mitre": self.technique.mitre,
            "identities": [
                {"arn": arn, "principal_id": principal} for arn, principal in [victim, *raid.others]
            ],
            "names": list(dict.fromkeys(cloudtrail.read(record).identity.name for _, _, record in raid.out)),
            "record_ids": [record["eventID"] for _, _, record in raid.out],
            "first_time": min(times),
            "last_time": max(times),
            "distinguishable": distinguishable,
        }


def plan(tenant: Tenant) -> list[Campaign]:
    """Campaigns on distinct victims, techniques and origins dealt from a shuffled deck."""
    spec, d = tenant.spec, dice(tenant.spec.seed, "campaigns")
    last, first = spec.days - 1, min(spec.quiet_days, spec.days - 1)
    count = spec.campaigns if spec.campaigns is not None else round((last - first + 1) * spec.machines / 400)
    deck = [(technique, origin) for technique in REGISTER.values() for origin in ORIGINS]
    deck = d.some(deck, len(deck))
    free = [m for m in tenant.machines if m.kind in ("role", "user") and m.archetype not in IMMUNE]
    found: list[Campaign] = []
    for number in range(3 * count if count else 0):
        technique, origin = deck[number % len(deck)]
        day = d.between(first, last)
        victim = victim_of(free, technique, origin, day, d)
        if victim is not None:
            free.remove(victim)
            found.append(Campaign(number, day, technique, origin, victim))
        if len(found) == count:
            break
    return found


def victim_of(free: list[Machine], technique: Technique, origin: str, day: int, d: Dice) -> Machine | None:
    """One of the free machines whom a technique fits on a day."""
    fitting = [m for m in free if m.born <= max(0, day - 3) and m.dies > day + 2 and technique.fits(m)]
    if technique.name == "ordinary_use" and origin == "external":
        fitting = [m for m in fitting if m.session == "lambda" and not m.place.fixed and not m.place.vpce]
    if technique.name != "dormant_key":
        fitting = [m for m in fitting if m.archetype != "sleeper"]
    return d.pick(fitting) if fitting else None
