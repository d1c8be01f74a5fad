"""How bad misuse of an identity would be: a product of factors, each of which is shown with its value.

| factor | weight |
|---|---|
| criticality, environment | from the customer's table, as in `assets.py` |
| owner | 1.05 where the table knows the identity but names nobody: nobody is there to stop it |
| privilege | 1.1 if it may change permissions |
| act | the most severe act that succeeded that day: 2 for the most severe (logs stopped, data made public), else 1.5 |
| reach | 1 + 0.1 × log10 of what it touches (services × regions, and targets), at most 1.2 |
| refusals | 0.5 if all was refused; up to 1 by the share of the likelihood that remains without refused calls |
| used by | 1 + 0.02 for each identity beyond the first that works through it, at most 1.1 |
| abuse an hour | 1 + 0.05 × log10 of what an hour of abuse costs in USD, at most 1.2 |
| worst of those linked | 1: names the identity of several whose factors these are |

Their product gives the level: low under 0.7, high from 1.35, critical from 1.9, else medium; where all was refused, or
what was let in is by itself less than a third as likely, it is low. The weights are small on purpose: the likelihood
decides, impact settles what is equal. They are assumptions, not measurements. Privilege, reach and cost are what
succeeded: who is refused reaches nothing, however
much he asks for, and a harmless success among what is refused weighs what it weighs alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log10, prod
from typing import NamedTuple, Optional

from nhi_watch.context import actions
from nhi_watch.context.assets import CRITICALITY, ENVIRONMENT, UNKNOWN, Asset
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.notable import ACT, LET_IN, Impact, ImpactFactor, clip
from nhi_watch.state.baseline import REFUSALS, Profile

PRIVILEGED = 1.1
NOBODY = 1.05
ACTS = ((7.0, 2.0), (4.0, 1.5))
"""How severe an act is (`signals.absolute`) → its weight here: that of a critical asset, or of one of high criticality,
whatever else the identity reaches."""
LOCKED_OUT = 0.5
THIRD = 0.33
BANDS = ((1.9, "critical"), (1.35, "high"), (0.7, "medium"))
"""Products of the weights from which a level begins."""
REACH_DAYS = 90
"""What was reached counts when it was seen within so many days."""
LEVELS = ("permissions", "cost", "write", "tagging", "read", "list")
"""Access levels, the most powerful first."""


class Price(NamedTuple):
    """What one hour of abuse may cost, and where the number comes from."""

    name: str
    usd_per_hour: float
    source: str


PRICES = (
    Price("model invocation", 1_917.0, "46,000 USD a day seen in LLMjacking (Sysdig 2024); later over 100,000"),
    Price("compute", 983.0, "assumed: 10 machines of 32.77 USD an hour (p4d.24xlarge, list price) in 3 regions"),
)
"""Assumptions. They are prices of what was seen elsewhere: a quota that was never raised costs less."""


class BlastRadius(NamedTuple):
    """What an identity was seen to do, and who works through it."""

    services: frozenset[str]
    regions: frozenset[str]
    targets: int
    actions: frozenset[str]
    access: frozenset[str]
    networks: int
    callers: Optional[tuple[str, ...]] = None
    """Names of the identities that obtained its sessions; None: nobody has looked."""
    act: str = ""
    """The most severe act that succeeded that day, in words."""
    severity: float = 0.0
    """How severe it is, 0 to 10."""
    let_in: float = 1.0
    """How much of the likelihood stays without what was refused, 0 to 1."""


def blast_radius(
    profile: Profile,
    behaviours: Iterable[Behaviour] = (),
    callers: Optional[Iterable[str]] = None,
    today: Optional[int] = None,
) -> BlastRadius:
    """What a profile holds of the REACH_DAYS before `today`, and some behaviours that it has not learnt yet.

    Targets are the different things that successful calls named.
    """
    since = 0 if today is None else today - REACH_DAYS
    done = [b for b in behaviours if b.key.outcome not in REFUSALS]
    keys = [b.key for b in done]

    def values(name: str, extra: Iterable[str] = ()) -> frozenset[str]:
        return frozenset(profile.done(name, since).union(extra)) - {""}

    return BlastRadius(
        services=values("service", (s.service for s in keys)) - {"exposure", "alert"},
        regions=values("region", (s.region for s in keys)),
        targets=len(values("target", (target for b in done for target in b.targets))),
        actions=values("action", (s.action for s in keys)),
        access=values("access", (s.access for s in keys)),
        networks=len(values("network", (s.network for s in keys))),
        callers=None if callers is None else tuple(sorted(set(callers))),
    )


def impact(asset: Asset, reach: BlastRadius) -> Impact:
    """The factors and their weights.

    >>> asset = Asset("high", "team-pay", "production")
    >>> nothing = BlastRadius(*[frozenset()] * 2, 0, *[frozenset()] * 2, 0)
    >>> [(f.name, f.value, f.weight) for f in impact(asset, nothing).factors][:3]
    [('criticality', 'high', 1.5), ('environment', 'production', 1.2), ('owner', 'team-pay', 1.0)]
    """
    level = privilege(reach)
    spends = {_kind(action) for action in reach.actions}
    priced = [price for price in PRICES if price.name in spends]
    dearest = max((price.usd_per_hour for price in priced), default=0.0)
    text = ", ".join(f"{price.name} up to {price.usd_per_hour:,.0f} USD" for price in priced)
    callers = reach.callers or ()
    factors = (
        ImpactFactor("criticality", asset.criticality or "unknown", CRITICALITY.get(asset.criticality, 1.0)),
        ImpactFactor("environment", asset.environment or "unknown", ENVIRONMENT.get(asset.environment.lower(), 1.0)),
        ImpactFactor("owner", clip(asset.owner, 200) or "no owner", 1.0 if asset.owner or asset == UNKNOWN else NOBODY),
        ImpactFactor("privilege", level, PRIVILEGED if level == "permissions" else 1.0),
        ImpactFactor(ACT, reach.act or "no severe act", act_weight(reach.severity)),
        ImpactFactor("reach", sentence(reach), radius_weight(reach)),
        ImpactFactor(LET_IN, _let_in(reach.let_in), let_in_weight(reach.let_in)),
        ImpactFactor("used by", clip(_users(reach), 200), _grown(1.1, 0.02 * max(0, len(callers) - 1))),
        ImpactFactor("abuse an hour", text or "no call seen that costs", _grown(1.2, 0.05 * log10(1 + dearest))),
    )
    product = prod(factor.weight for factor in factors)
    known = asset.criticality or "unknown", asset.environment or "unknown"
    own = next((name for least, name in BANDS if product >= least), "low") if reach.let_in >= THIRD else "low"
    return Impact(own, *known, level, sentence(reach), factors)


def weight(impact: Impact) -> float:
    """The product of an impact's weights."""
    return prod(factor.weight for factor in impact.factors)


def _grown(most: float, more: float) -> float:
    """A weight that grows from 1 on.

    >>> _grown(1.2, 0.05), _grown(1.2, 0.5)
    (1.05, 1.2)
    """
    return round(min(most, 1 + more), 4)


def privilege(reach: BlastRadius) -> str:
    """The most powerful access level that was seen; "unknown" when nothing was."""
    return next((level for level in LEVELS if level in reach.access), "unknown")


def sentence(reach: BlastRadius) -> str:
    """What it reaches, in numbers."""
    counts = ((len(reach.services), "service"), (len(reach.regions), "region"), (reach.targets, "target"))
    return ", ".join(f"{count} {name}{'s'[: count != 1]}" for count, name in counts)


def radius_weight(reach: BlastRadius) -> float:
    """Grows with the number of things touched, by a tenth for each power of ten.

    >>> nothing = BlastRadius(frozenset(), frozenset(), 0, frozenset(), frozenset(), 0)
    >>> tuple(radius_weight(nothing._replace(targets=number)) for number in (0, 10, 5000))
    (1.0, 1.1, 1.2)
    """
    things = max(1, len(reach.services) * max(1, len(reach.regions)), reach.targets)
    return _grown(1.2, 0.1 * log10(things))


def act_weight(severity: float) -> float:
    """By how little ordinary work needs what was done.

    >>> act_weight(10.0), act_weight(5.0), act_weight(2.0)
    (2.0, 1.5, 1.0)
    """
    return next((weight for least, weight in ACTS if severity >= least), 1.0)


def let_in_weight(share: float) -> float:
    """What was refused counts half: whatever is refused beside it, what succeeded counts as it does alone.

    >>> let_in_weight(0.0), let_in_weight(0.2), let_in_weight(1.0)
    (0.5, 0.6, 1.0)
    """
    return round(LOCKED_OUT + (1 - LOCKED_OUT) * share, 4)


def _let_in(share: float) -> str:
    if share == 1:
        return "yes"
    return f"{share:.0%} of the likelihood without the refused calls" if share else "all refused"


def _kind(action: str) -> str:
    service, _, operation = action.partition(":")
    if "model_invocation" in actions.sensitivity(service, operation):
        return "model invocation"
    return "compute" if service in _COMPUTE and actions.access(service, operation) == "cost" else ""


_COMPUTE = {
    "ec2",
    "autoscaling",
    "sagemaker",
    "batch",
    "ecs",
    "eks",
    "lightsail",
    "compute.googleapis.com",
    "microsoft.compute",
}


def _users(reach: BlastRadius) -> str:
    if reach.callers is None:
        return "not looked up here; the plan of the response tells it"
    shown = ", ".join(reach.callers[:3])
    more = len(reach.callers) - 3
    return f"{shown} and {more} more" if more > 0 else shown or "nobody through it"
