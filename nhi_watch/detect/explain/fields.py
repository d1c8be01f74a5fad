"""What fills the fields of a notable of any kind: ids, signals, controls, what is usual, and frameworks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from nhi_watch.context import frameworks
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import (
    MAX_RECORD_IDS,
    BaselineRef,
    Control,
    Dimension,
    Frameworks,
    Impact,
    ModelRef,
    Notable,
    NotableIdentity,
    NotableLink,
    ObservedValue,
    SignalPoints,
    Telemetry,
    TimelineEntry,
    Usual,
    UsualValue,
    clip,
    expected_risk,
    severity_of,
)
from nhi_watch.core.status import Receipt
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.state.baseline import Profile, SeenValue

EVIDENCE_RECORDS = 20
SHOWN_VALUES = 6


def notable_id(*parts: object) -> str:
    """The id that a notable keeps while it grows: of a compromise by its identity and first day.

    >>> len(notable_id("aws:1:role:AROA", 20000))
    20
    """
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:20]


def make(
    name: str,
    kind: str,
    identity: NotableIdentity,
    title: str,
    summary: str,
    *,
    when: tuple[int, int, int],
    eve: int,
    signals: Sequence[SignalPoints],
    controls: Sequence[Control],
    impact: Impact,
    usual: Usual,
    ids: Iterable[str],
    sources: Iterable[str],
    model: ModelRef,
    receipt: Receipt,
    likelihood: float = 0.0,
    severity: str = "",
    missing: Sequence[str] = (),
    timeline: Sequence[TimelineEntry] = (),
    record_ids: Sequence[str] = (),
    record_count: int = 0,
    members: Sequence[NotableIdentity] = (),
    links: Sequence[NotableLink] = (),
) -> Notable:
    """A notable; rank, revision and whether it is provisional are filled in by the caller.

    Args:
        name: its id.
        when: when it was made, and its first and last second.
        eve: the last day that its baseline has.
        ids: of frameworks, beside those that every notable carries.
        sources: providers whose logs show it.
        severity: where it does not follow the likelihood and the impact.
    """
    grouped = frameworks.grouped([*frameworks.ALWAYS, *ids])
    return Notable(
        id=name,
        revision=1,
        kind=kind,
        rank=1,
        likelihood=likelihood,
        severity=severity or severity_of(expected_risk(likelihood, impact)),
        title=clip(title, 200),
        summary=clip(summary, 1000),
        identity=identity,
        created=when[0],
        first_time=when[1],
        last_time=when[2],
        signals=tuple(signals),
        timeline=tuple(timeline),
        usual=usual,
        frameworks=Frameworks(*(tuple(grouped[each]) for each in frameworks.FRAMEWORKS)),
        controls=tuple(controls),
        impact=impact,
        telemetry=Telemetry(tuple(sorted(sources)), None, tuple(missing), False),
        record_ids=tuple(record_ids[:MAX_RECORD_IDS]),
        record_count=record_count,
        model=model,
        baseline=BaselineRef(render_day(eve)),
        receipt=receipt,
        merged_into=None,
        members=tuple(members),
        links=tuple(links),
    )


def identity_of(identity: Identity, owner: str = "") -> NotableIdentity:
    """Who acted, and who gives the verdict."""
    return NotableIdentity(
        identity.id, clip(identity.name, 512), identity.kind, identity.provider, identity.account, owner
    )


def signal_of(
    name: str,
    evidence: str,
    value: Optional[float],
    log_odds: float = 0.0,
    points: float = 0.0,
    records: Sequence[str] = (),
    bin_index: int = 0,
    identity: str = "",
) -> SignalPoints:
    """What one signal contributes; without a value it cannot tell."""
    shown, who = tuple(records[:EVIDENCE_RECORDS]), clip(identity, 512)
    return SignalPoints(
        name, points, log_odds, value, clip(evidence, 500), shown, value is None, bin=bin_index, identity=who
    )


def control_of(name: str, reason: str, status: str = "open") -> Control:
    """What to do; mandatory wherever it applies."""
    return Control(name, status != "not_applicable", clip(reason, 900), status)


def dimension_of(
    name: str, known: Mapping[str, SeenValue], observed: Mapping[str, int], days: int, identity: str = ""
) -> Dimension:
    """Usual against observed, the latter in the order in which they are to be shown; `days`: active ones before."""
    usual = sorted(known, key=lambda v: (-known[v].days, v))[:SHOWN_VALUES]
    return Dimension(
        name,
        tuple(UsualValue(clip(v, 200), known[v].days) for v in usual),
        tuple(ObservedValue(clip(v, 200), v not in known, n) for v, n in [*observed.items()][:SHOWN_VALUES]),
        identity,
        days,
    )


def usual_of(profile: Profile, dimensions: Sequence[Dimension], last: Optional[int]) -> Usual:
    """What is known of an identity for which no likelihood of a normal day is given; `last`: when it was last seen."""
    first = profile.first * DAY if profile.first >= 0 else None
    return Usual(tuple(dimensions), profile.days, first, last or None, None)
