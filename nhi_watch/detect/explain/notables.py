"""Episode → Notable: the words, pictures' numbers and receipts that go with a likelihood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Optional

from nhi_watch.context.assets import Assets
from nhi_watch.core.behaviour import ADDRESSES, Behaviour
from nhi_watch.core.notable import (
    MAX_RECORD_IDS,
    MAX_TIMELINE,
    Dimension,
    ModelRef,
    Notable,
    NotableLink,
    SignalPoints,
    TimelineEntry,
    Usual,
    clip,
)
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import telemetry
from nhi_watch.detect.explain import claims
from nhi_watch.detect.explain.controls import MEMBERS, controls
from nhi_watch.detect.explain.fields import dimension_of, identity_of, make, notable_id, signal_of, usual_of
from nhi_watch.detect.explain.hours import Hours
from nhi_watch.detect.explain.reasons import Weighed, call_points, proves, suspicious_calls, weigh
from nhi_watch.detect.explain.summaries import summary_of
from nhi_watch.detect.explain.titles import title_of
from nhi_watch.detect.ranking import asset as asset_of
from nhi_watch.detect.ranking import rate_impact
from nhi_watch.detect.scoring import REASON_POINTS, Baselines, Episode, Link
from nhi_watch.detect.signals import EpisodeView, facts

CLAIMS = 3
"""Reasons of which the notable says what the likelihood would be without their records."""
MAX_MEMBERS = 50
MAX_LINKS = 200
TOUCHED = 8
"""Targets of a behaviour that a timeline names."""
RESERVED = 15
"""Records of each signal that keep their place among a notable's record ids."""


def build(episode: Episode, baselines: Baselines, known: Assets, hours: Optional[Hours] = None) -> Notable:
    """The notable of an episode. `hours`: those of the episode, where they were asked before."""
    model, view, asset = episode.bound.model, episode.view, asset_of(known, episode)
    parts = weigh(episode)
    heavy = [part for part in parts if part.points >= REASON_POINTS]
    behaviours = view.behaviours()
    points = call_points(episode, heavy)
    suspicious = suspicious_calls(behaviours, points)
    first, last = min(b.first for b in suspicious), max(b.last for b in suspicious)
    return make(
        notable_id(episode.identity.id, view.baseline.today),
        "compromise",
        identity_of(episode.identity, asset.owner),
        title_of(episode, parts, suspicious),
        summary_of(episode, heavy, suspicious, points),
        when=((hours or Hours(episode)).created(), first, last),
        eve=view.baseline.today - 1,
        likelihood=episode.likelihood,
        signals=_signals(baselines, episode, parts),
        controls=controls(episode),
        impact=rate_impact(known, episode),
        timeline=_timeline(behaviours, points, bool(episode.members)),
        usual=_usual(baselines, episode),
        ids={i for part in heavy for i in part.signal.frameworks if proves(part, i)},
        sources={each.key.identity.provider for each in view.views},
        missing=_missing(view),
        record_ids=_record_ids(parts, behaviours, points),
        record_count=sum(b.count for b in behaviours),
        model=ModelRef(model.id, model.sha256, round(model.reading(episode.features).ordinary, 3)),
        receipt=claims.receipt(baselines, episode),
        members=[identity_of(part.identity) for part in episode.members[:MAX_MEMBERS]],
        links=[_link(link) for link in episode.links[:MAX_LINKS]],
    )


def _link(link: Link) -> NotableLink:
    source, target, value = (clip(text, 512) for text in (link.source, link.target, link.value))
    return NotableLink(source, target, link.kind, value, tuple(dict.fromkeys(link.records)))


def _signals(baselines: Baselines, episode: Episode, parts: list[Weighed]) -> tuple[SignalPoints, ...]:
    """What shows something, or cannot tell for want of a field; the likelihood without the heaviest reasons."""
    fieldless = telemetry.FIELDLESS
    listed = [part for part in parts if part.value or (part.value is None and part.evidence.startswith(fieldless))]
    reasons = [part.signal for part in listed if part.value][:CLAIMS]
    lower = {s.name: claims.without(baselines, episode, claims.behind(episode, s)) for s in reasons}
    signals = []
    for part in listed:
        ids = list(dict.fromkeys(i for b in part.backing for i in b.record_ids))
        member = part.identity.id if part.identity and episode.members else ""
        shown = signal_of(
            part.signal.name, part.evidence, part.value, part.log_odds, part.points, ids, part.bin, member
        )
        without = lower.get(shown.id)
        signals.append(shown if without is None else replace(shown, without=min(episode.likelihood, without)))
    return tuple(signals)


def _timeline(behaviours: list[Behaviour], points: dict[int, float], several: bool) -> tuple[TimelineEntry, ...]:
    top = sorted(behaviours, key=lambda b: -points[id(b)])[:MAX_TIMELINE]
    top.sort(key=lambda b: (b.first, b.last, b.key))
    return tuple(
        TimelineEntry(
            b.first,
            b.key.action,
            b.key.outcome,
            clip(b.addresses[0] if b.addresses else b.key.network, 100),
            next(iter(b.record_ids), ""),
            points[id(b)],
            b.count,
            clip(b.key.identity.id, 512) if several else "",
            _touched(b),
            _also_from(b),
        )
        for b in top
    )


def _also_from(b: Behaviour) -> tuple[str, ...]:
    """Addresses beside the first. A behaviour keeps ADDRESSES of them: of more, only the network is certain."""
    kept = b.addresses[1:] if len(b.addresses) < ADDRESSES else [*b.addresses[1:], b.key.network or "*"]
    return tuple(clip(place, 100) for place in kept)


def _touched(b: Behaviour) -> tuple[str, ...]:
    """Targets of a high-impact action or a change of permissions."""
    lists_targets = b.key.access == "permissions" or any(
        act.grave for act in facts(b.key.service, b.key.action, b.key.traits).acts
    )
    return tuple(clip(target, 256) for target in sorted(b.targets)[:TOUCHED]) if lists_targets else ()


def _record_ids(parts: list[Weighed], behaviours: list[Behaviour], points: dict[int, float]) -> tuple[str, ...]:
    """Each reason's own records first, so that a flood of harmless news cannot push them out."""
    ordered = sorted(behaviours, key=lambda b: (-points[id(b)], b.first, b.key))
    kept: dict[str, None] = {}
    for part in parts:
        if part.value:
            own = [record for b in part.backing[:RESERVED] for record in b.record_ids]
            kept.update(dict.fromkeys(own[:RESERVED]))
    for b in ordered:
        if len(kept) >= MAX_RECORD_IDS:
            break
        kept.update(dict.fromkeys(b.record_ids))
    return tuple(kept)[:MAX_RECORD_IDS]


_ASPECTS = ("action", "network", "agent", "region", "service", "credential")


def _usual(baselines: Baselines, episode: Episode) -> Usual:
    """What is normal for the identity that leads, and of each identity what was observed beside what it knows."""
    lead, several = episode.lead, bool(episode.members)
    parts = [lead, *(part for part in episode.parts if part is not lead)][:MEMBERS]
    dimensions = [
        dimension for part in parts for dimension in _dimensions(part.view, part.identity.id if several else "")
    ]
    own, instead = lead.view.baseline.own, claims.instead(baselines, lead)
    seen = usual_of(own, dimensions, own.last * DAY if own.days else None)
    return replace(seen, likelihood=instead.likelihood, instead=instead)


def _dimensions(episode: EpisodeView, identity: str) -> Iterator[Dimension]:
    own = episode.baseline.own
    by_name: dict[str, dict[str, int]] = {name: {} for name in (*_ASPECTS, "hour")}
    for view in episode.views:
        for name, value in ((name, getattr(view.key, name)) for name in _ASPECTS):
            if value:
                by_name[name][value] = by_name[name].get(value, 0) + sum(b.count for b in view.behaviours)
    for b in episode.behaviours():
        hour = str(b.hour % 24)
        by_name["hour"][hour] = by_name["hour"].get(hour, 0) + b.count
    for name, counts in by_name.items():
        known = own.dimension(name).values
        observed = {v: counts[v] for v in sorted(counts, key=lambda v: (v in known, -counts[v], v))}
        yield dimension_of(name, known, observed, own.days, clip(identity, 512))


def _missing(episode: EpisodeView) -> list[str]:
    """Fields that no event of the episode had."""
    return [f for f in ("network", "agent", "region") if not any(getattr(view.key, f) for view in episode.views)]
