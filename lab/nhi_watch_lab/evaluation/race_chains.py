"""Chains of an exposed key that is turned into model invocations, and when the product would have written a notable.

The steps and their pace come from the simulator's technique `model_hijack`, played by victims with an access key in a
tenant with weeks of history; each prefix of the chain is scored with the victim's own day, as a run at that moment
would. When the chain begins is drawn from the published times to first use (`exposure/timing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.context.assets import NO_ASSETS
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import parse
from nhi_watch.detect import model as models
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.history import History
from nhi_watch.detect.signals.ai import STEPS
from nhi_watch.state.inventory import credentials
from nhi_watch.state.memory import MemoryStore
from nhi_watch_lab.evaluation.replay import Replay, grouped
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.simulator.campaigns import Campaign
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.register import REGISTER

TECHNIQUE = "model_hijack"
HIGH = 60.0
"""Score from which somebody is paged: severity high."""
STAGES = ("first try", "model listing", "permission test", "first invocation", "an hour of invocations", "cover-up")
_HOUR = 3_600


class Chain(NamedTuple):
    """One victim's chain, in seconds after the thief's first call."""

    victim: str
    stages: tuple[Optional[int], ...]
    """When each of STAGES is reached; None: this chain does not."""
    seen: Optional[int]
    """The call with which the day's score reaches high; None: no call does."""
    calls: int


class Setting(NamedTuple):
    """What is simulated."""

    seed: int
    machines: int
    days: int
    victims: int


def chains(setting: Setting) -> Iterator[Chain]:
    """The chains of a tenant's victims, each on the last day."""
    tenant = Tenant(Spec(setting.days, setting.machines, setting.seed, campaigns=0))
    replay = Replay(models.load())
    today = setting.days - 1
    for number, last in enumerate(tenant.days()):
        if number < today:
            _learn(replay, last.records)
    victims = [m for m in tenant.machines if m.kind == "user" and m.key_on(today) and _lives(m, setting.days)]
    for number, victim in enumerate(victims[: setting.victims]):
        campaign = Campaign(number, today, REGISTER[TECHNIQUE], "external", victim)
        raid = [record for _, _, record in sorted(campaign.run(tenant).timed, key=lambda t: t[:2])]
        raid = [record for record in raid if record["eventTime"][:10] == last.date]
        own = [r for r in last.records if r["userIdentity"].get("arn") == victim.arn]
        if raid:
            yield _chain(replay, victim.arn, own, raid)


def _learn(replay: Replay, records: Sequence[dict[str, Any]]) -> None:
    for _ in replay.run(records):
        pass


def _lives(machine: Machine, days: int) -> bool:
    return machine.born < days - 8 and machine.dies >= days


def _chain(replay: Replay, arn: str, own: Sequence[dict[str, Any]], raid: Sequence[dict[str, Any]]) -> Chain:
    start = parse(raid[0]["eventTime"])
    stages = _stages(raid, start)
    for number in range(1, len(raid) + 1):
        now = raid[number - 1]["eventTime"]
        known = [r for r in own if r["eventTime"] <= now] + list(raid[:number])
        if _score(replay, arn, known) >= HIGH:
            return Chain(arn, stages, parse(now) - start, len(raid))
    return Chain(arn, stages, None, len(raid))


def _score(replay: Replay, arn: str, records: Sequence[dict[str, Any]]) -> float:
    """The highest score of the day's identities that some records make; they are not learnt."""
    wholes: list[IdentityDay] = [whole for day in grouped(records).values() for whole in day.values()]
    return max((replay.score(whole).ranked.score for whole in wholes if whole.identity.name == arn), default=0.0)


def _stages(raid: Sequence[dict[str, Any]], start: int) -> tuple[Optional[int], ...]:
    def first(names: Sequence[str], failed: bool = False) -> Optional[int]:
        times = [r["eventTime"] for r in raid if r["eventName"] in names and bool(r.get("errorCode")) == failed]
        return parse(min(times)) - start if times else None

    listing = tuple(name for name in STEPS["probe"] if name != "GetCallerIdentity")
    used = first(STEPS["abuse"])
    hour = used + _HOUR if used is not None else None
    return (0, first(listing), first(STEPS["abuse"], True), used, hour, first(STEPS["cover"]))


def exposure_severity(place: str, moment: int = 1_750_000_000) -> tuple[float, float]:
    """Score and probability of the notable that the exposure alone makes, a minute after it, of a key never seen."""
    store = MemoryStore()
    key = "AKIARTXV5AHDQAAQEAYE"
    fast.tell(store, key, moment, place)
    history = History()
    history.credentials = {credential.id: credential for credential in credentials(store)}
    (notable,) = fast.judge(store, history, NO_ASSETS, moment + 60).notables
    return notable["score"], notable["probability"]

