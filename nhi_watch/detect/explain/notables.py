"""Episode → Notable: the words, pictures' numbers and receipts that go with a likelihood."""

from __future__ import annotations

import hashlib
from copy import copy
from dataclasses import replace
from typing import NamedTuple, Optional, Union

from nhi_watch.context import frameworks
from nhi_watch.context.assets import UNKNOWN, Asset
from nhi_watch.context.networks import Networks, spelled
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import Identity
from nhi_watch.core.life import BESIDE, odd_from
from nhi_watch.core.notable import (
    MAX_RECORD_IDS,
    MAX_TIMELINE,
    BaselineRef,
    Dimension,
    Frameworks,
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
    expected_loss,
    severity_of,
)
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import telemetry
from nhi_watch.detect.explain import counterfactual
from nhi_watch.detect.explain.controls import controls
from nhi_watch.detect.explain.first_line import first_line
from nhi_watch.detect.explain.receipts import receipt
from nhi_watch.detect.ranking import FLOOR, impact
from nhi_watch.detect.scoring import (
    REASON_POINTS,
    Baselines,
    Episode,
    Link,
    episode_values,
    points_together,
    values_together,
)
from nhi_watch.detect.signals import KEY_SERVICE, NOVEL, SIGNALS, EpisodeView, Signal, View, facts

CLAIMS = 3
"""Reasons of which it is told what the likelihood would be without their records."""
EVIDENCE_RECORDS = 20
SHOWN_VALUES = 6
MAX_MEMBERS = 50
MAX_LINKS = 200
TOUCHED = 8
"""Targets of a behaviour that a timeline names."""
RESERVED = 15
"""Records of each signal that keep their place among a notable's record ids."""


class Weighed(NamedTuple):
    """One signal in one episode."""

    signal: Signal
    points: float
    log_odds: float
    value: Optional[float]
    backing: list[Behaviour]
    evidence: str
    phrase: str
    """What a title says of it."""


def notable_id(identity_id: str, day: int) -> str:
    """The id that a notable keeps while it grows.

    >>> len(notable_id("aws:1:role:AROA", 20000))
    20
    """
    return hashlib.sha256(f"{identity_id}|{day}".encode()).hexdigest()[:20]


def build(episode: Episode, baselines: Baselines, asset: Asset) -> Notable:
    """The notable of an episode; rank, revision and provisional are filled in by the caller."""
    card = baselines.card
    view = episode.view
    parts = _weigh(episode)
    heavy = [part for part in parts if part.points >= REASON_POINTS]
    behaviours = view.behaviours()
    points = _points(episode, heavy)
    odd = _odd(behaviours, points)
    first, last = min(b.first for b in odd), max(b.last for b in odd)
    likelihood, weight = episode.likelihood, impact(asset, episode)
    return Notable(
        id=notable_id(episode.identity.id, view.past.today),
        revision=1, kind="compromise", rank=1, likelihood=likelihood,
        severity=severity_of(expected_loss(likelihood, weight)),
        title=clip(_title(episode, parts), 200), summary=clip(_summary(episode, heavy, odd), 1000),
        identity=_identity(episode.identity, asset),
        created=created(episode),
        first_time=first, last_time=last,
        signals=_signals(baselines, episode, parts),
        timeline=_timeline(behaviours, points, bool(episode.members)), usual=_usual(baselines, episode),
        frameworks=_frameworks(heavy),
        controls=controls(episode), impact=weight,
        telemetry=Telemetry(_providers(view), None, _missing(view), False),
        record_ids=_record_ids(parts, behaviours, points), record_count=sum(b.count for b in behaviours),
        model=ModelRef(card.id, card.sha256, round(card.ordinary, 3)),
        baseline=BaselineRef(render_day(view.past.today - 1)),
        receipt=receipt(baselines, episode), merged_into=None,
        members=tuple(_identity(part.identity, UNKNOWN) for part in episode.members[:MAX_MEMBERS]),
        links=tuple(_link(link) for link in episode.links[:MAX_LINKS]),
    )  # fmt: skip


def _points(episode: Episode, heavy: list[Weighed]) -> dict[int, float]:
    """Behaviour, by id → its points; known calls that are odd for their number alone have those of that signal."""
    found = {id(b): v.points for v in episode.view.views for b in v.behaviours}
    for part in heavy:
        if part.signal.name in _OF_AMOUNT:
            least = BESIDE * max((b.count for b in part.backing), default=0)
            many = [id(b) for b in part.backing if b.count >= least and id(b) in found]
            found.update((each, max(found[each], part.points)) for each in many)
    return found


_OF_AMOUNT = frozenset({"bulk", "cost_surge", "first_targets", "mass_by_stranger"})
"""Signals that are told by which calls there are too many of."""


def _link(link: Link) -> NotableLink:
    source, target, value = (clip(text, 512) for text in (link.source, link.target, link.value))
    return NotableLink(source, target, link.kind, value, tuple(dict.fromkeys(link.records)))


def _weigh(episode: Episode) -> list[Weighed]:
    """The signals, those that add most to the likelihood first."""
    _, shares = episode.bound.card.shares(episode.points, episode.values)
    told = zip(shares, episode.points, SIGNALS, episode.values)
    return [
        Weighed(signal, points, log_odds, value, *_explain(signal, value, _shows(signal, value, episode)))
        for log_odds, points, signal, value in sorted(told, key=lambda row: (-row[0], -row[1], row[2].name))
    ]


def _shows(signal: Signal, value: Optional[float], episode: Episode) -> EpisodeView:
    """The member in which a signal has its value: its evidence is told of that one."""
    at = SIGNALS.index(signal)
    return next((part.view for part in episode.parts if part.values[at] == value), episode.view)


def _tells(part: Weighed) -> bool:
    """Whether a signal is listed: it shows something, or it cannot tell for want of a field."""
    return bool(part.value) or (part.value is None and part.evidence.startswith(telemetry.FIELDLESS))


def _explain(signal: Signal, value: Optional[float], episode: EpisodeView) -> tuple[list[Behaviour], str, str]:
    """The behaviours behind a signal's value, its sentence, and what a title says of it."""
    if value is None:
        return [], telemetry.why(signal.name, episode.views, episode.past.own), ""
    if not value:
        return [], "ordinary", ""
    if signal.backing is not None:
        return signal.backing(episode), signal.evidence(episode), _phrase(signal, episode)
    view = max(episode.views, key=lambda v: (_own_value(signal, v), v.shape.outcome == "success"))
    return view.behaviours, signal.evidence(view), _phrase(signal, view)


def _phrase(signal: Signal, seen: Union[View, EpisodeView]) -> str:
    if signal.phrase is not None:
        return signal.phrase(seen)
    first, rest = signal.title[:1], signal.title[1:]
    return signal.title if rest[:1].isupper() else first.lower() + rest  # an abbreviation stays one


def _own_value(signal: Signal, view: View) -> float:
    return view.values[SIGNALS.index(signal)] or 0.0


def _signals(baselines: Baselines, episode: Episode, parts: list[Weighed]) -> tuple[SignalPoints, ...]:
    """What is listed; of the heaviest reasons also what the likelihood would be without them."""
    told = [(part, _signal(part)) for part in parts if _tells(part)]
    reasons = [part.signal for part, _ in told if part.value][:CLAIMS]
    claims = {
        s.name: min(episode.likelihood, counterfactual.without(baselines, episode, counterfactual.behind(episode, s)))
        for s in reasons
    }
    return tuple(replace(shown, without=claims[shown.id]) if shown.id in claims else shown for _, shown in told)


def _signal(part: Weighed) -> SignalPoints:
    ids = dict.fromkeys(i for b in part.backing for i in b.record_ids)
    return SignalPoints(
        part.signal.name, part.points, part.log_odds, part.value, clip(part.evidence, 500),
        tuple(list(ids)[:EVIDENCE_RECORDS]), part.value is None,
    )  # fmt: skip


def _timeline(behaviours: list[Behaviour], points: dict[int, float], several: bool) -> tuple[TimelineEntry, ...]:
    top = sorted(behaviours, key=lambda b: -points[id(b)])[:MAX_TIMELINE]
    top.sort(key=lambda b: (b.first, b.last, b.shape))
    return tuple(
        TimelineEntry(
            b.first, b.shape.action, b.shape.outcome, clip(b.addresses[0] if b.addresses else b.shape.network, 100),
            next(iter(b.record_ids), ""), points[id(b)], b.count, clip(b.shape.identity.id, 512) if several else "",
            _touched(b),
        )
        for b in top
    )  # fmt: skip


def _touched(b: Behaviour) -> tuple[str, ...]:
    """Targets of a high-impact action or a change of permissions."""
    is_told = b.shape.access == "permissions" or any(
        act.grave for act in facts(b.shape.service, b.shape.action, b.shape.traits).acts
    )
    return tuple(clip(target, 256) for target in sorted(b.targets)[:TOUCHED]) if is_told else ()


def _record_ids(parts: list[Weighed], behaviours: list[Behaviour], points: dict[int, float]) -> tuple[str, ...]:
    """Each reason's own records first, so that a flood of harmless news cannot push them out."""
    ordered = sorted(behaviours, key=lambda b: (-points[id(b)], b.first, b.shape))
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


_ASPECTS = (("action", "action"), ("network", "network"), ("agent", "agent"), ("region", "region"),
            ("service", "service"), ("credential", "credential"))  # fmt: skip


def _usual(baselines: Baselines, whole: Episode) -> Usual:
    episode = whole.view
    own, instead = episode.past.own, counterfactual.instead(baselines, whole)
    return Usual(
        (*(_dimension(episode, name, field) for name, field in _ASPECTS), _hours(episode)), own.days,
        own.first * DAY if own.days else None, own.last * DAY if own.days else None, instead.likelihood, instead,
    )  # fmt: skip


def _dimension(episode: EpisodeView, name: str, field: str) -> Dimension:
    counts: dict[str, int] = {}
    for view in episode.views:
        value = getattr(view.shape, field)
        if value:
            counts[value] = counts.get(value, 0) + sum(b.count for b in view.behaviours)
    return _compare(episode, name, counts)


def _hours(episode: EpisodeView) -> Dimension:
    counts: dict[str, int] = {}
    for b in episode.behaviours():
        hour = str(b.hour % 24)
        counts[hour] = counts.get(hour, 0) + b.count
    return _compare(episode, "hour", counts)


def _compare(episode: EpisodeView, name: str, counts: dict[str, int]) -> Dimension:
    known = episode.past.own.dimension(name).values
    usual = sorted(known, key=lambda v: (-known[v].days, v))[:SHOWN_VALUES]
    observed = sorted(counts, key=lambda v: (v in known, -counts[v], v))[:SHOWN_VALUES]
    return Dimension(
        name,
        tuple(UsualValue(clip(v, 200), known[v].days) for v in usual),
        tuple(ObservedValue(clip(v, 200), v not in known, counts[v]) for v in observed),
    )


def _frameworks(heavy: list[Weighed]) -> Frameworks:
    grouped = frameworks.grouped(
        [*frameworks.ALWAYS, *sorted({i for part in heavy for i in part.signal.frameworks if _proves(part, i)})]
    )
    names = ("owasp_nhi", "nist_csf", "mitre_attack", "mitre_atlas")
    return Frameworks(*(tuple(grouped.get(name, ())) for name in names))


_PROOF = {"T1119": "read", "T1213": "read", "T1530": "read", "T1496.001": "cost", "T1496.004": "cost"}
"""Technique → the access without which a signal of volume is no evidence for it."""
_OF_VOLUME = frozenset({"bulk", "mass_taking", "mass_by_stranger", "first_targets", "target_fan_out", "cost_surge"})


def _proves(part: Weighed, technique: str) -> bool:
    """Signals of volume are of any call: data are collected by reads of data, money is spent by calls that cost."""
    needed = _PROOF.get(technique, "")
    if part.signal.name not in _OF_VOLUME or not needed:
        return True
    shapes = [b.shape for b in part.backing]
    return any(s.access == needed and s.service != KEY_SERVICE and s.outcome == "success" for s in shapes)


def short_name(identity: Identity) -> str:
    """What fits in a title: the last part of the name."""
    return identity.name.rsplit("/", 1)[-1] or identity.id


HEADLINES = [s.name for s in sorted(SIGNALS, key=lambda s: s.headline) if s.headline]
"""What people want to read in a title, in this order: what was done comes before how unusual it was."""
PLACES = [s.name for s in sorted(SIGNALS, key=lambda s: s.place) if s.place]


def _title(episode: Episode, parts: list[Weighed]) -> str:
    """Who: what was done, and from where if the place is news; else the heaviest reasons."""
    told = {part.signal.name: part for part in parts if (part.value or 0.0) >= NOVEL or part.points >= REASON_POINTS}
    names = [name for name in HEADLINES if name in told and not told.keys() & _SAYS_MORE.get(name, frozenset())]
    first = {id(b) for b in told[names[0]].backing} if names else set()
    names[1:] = [name for name in names[1:] if (names[0] in _HOW and name not in _OF_VOLUME)
                 or not first.issuperset(id(b) for b in told[name].backing)]  # fmt: skip
    what = [_done(told[name]) for name in names[:2]]
    for end in (_REFUSED, _TRIED):
        if len(what) > 1 and all(one.endswith(end) for one in what):
            what = [*(one.removesuffix(end) for one in what[:-1]), what[-1].replace("(tried,", "(both tried,")]
    what = what or [part.phrase for part in parts[:2] if part.points >= REASON_POINTS]
    networks = episode.view.past.networks
    placed = (told[name] for name in PLACES if name in told and told[name].points >= REASON_POINTS)
    where = "" if " from " in " ".join(what) else next((_place(part, networks) for part in placed), "")
    return f"{_who(episode)}: {', '.join(what) or 'unusual behaviour'}{where}"


_SAYS_MORE = {
    "secret_reading": {"secret_fan_out"}, "model_invocation": {"model_changed", "llmjacking"},
    "spending": {"model_changed", "llmjacking", "cost_surge", "model_invocation"},
    "mass_taking": {"mass_by_stranger", "first_targets", "secret_fan_out"},
    "bulk": {"mass_taking", "mass_by_stranger", "first_targets"},
    "trust_change": {"powerful_grant"}, "logging_tampered": {"grave_act"},
}  # fmt: skip
"""Signal → those that say the same in a title, and more of it."""


_HOW = frozenset({"quarantined", "exposed_credential", "human_use", "session_moved", "host_to_elsewhere", "llmjacking"})
"""Signals of how an identity was used: what was done stands beside them. Of what was done, one call is one act."""


def _who(episode: Episode) -> str:
    """What the identity is and is called, and with whom it is linked."""
    first, *others = [part.identity for part in episode.members] or [episode.identity]
    if first != episode.identity:
        others = [first, *(one for one in others if one != episode.identity)]
    told = [f"{_kind(one)} {clip(short_name(one), 80)}" for one in (episode.identity, *others[:1])]
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"{told[0][:1].upper()}{told[0][1:]}{f' with {told[1]}' if others else ''}{more}"


def _kind(identity: Identity) -> str:
    kind = identity.kind.replace("_", " ") or "identity"
    return {"agent": "AI agent", "ai agent": "AI agent"}.get(kind, kind)


def _done(part: Weighed) -> str:
    """What was done; or only tried, where every record of it was turned down."""
    succeeded = any(b.shape.outcome == "success" for b in part.backing) or part.signal.name in _REFUSALS
    ended = _REFUSED if all(b.shape.outcome == "denied" for b in part.backing) else _TRIED
    return clip(part.phrase, 140) + ("" if succeeded or not part.backing else ended)


_REFUSED = " (tried, all refused)"
_TRIED = " (tried, did not succeed)"
"""Said once where it is so of all that a title tells."""
_REFUSALS = frozenset({"permission_probing", "permission_test", "new_error"})
"""Signals of refusals: that they did not succeed goes without saying, and would be said of the rest."""


def _place(part: Weighed, networks: Networks) -> str:
    first = next(iter(part.backing), None)
    if first is None or not first.shape.network:
        return ""
    operator = spelled(networks.facts(first.shape.network))
    if not operator or "/" in operator:  # nobody is known to run it: the address says more
        operator = next(iter(first.addresses), first.shape.network)
    return f", from {operator}"


def _odd(behaviours: list[Behaviour], points: dict[int, float]) -> list[Behaviour]:
    """What is suspicious, most points first; the whole day where nothing by itself is."""
    least = odd_from(points[id(b)] for b in behaviours)
    odd = [b for b in behaviours if points[id(b)] >= least] or behaviours
    return sorted(odd, key=lambda b: (-points[id(b)], b.first, b.shape))


def _summary(episode: Episode, heavy: list[Weighed], odd: list[Behaviour]) -> str:
    """The first line, then the heaviest reasons."""
    past = episode.view.past
    who = f"{episode.identity.kind.replace('_', ' ').capitalize()} {short_name(episode.identity)}"
    line = first_line(clip(who, 120), odd, past.own, past.networks, sum(b.count for b in episode.view.behaviours()))
    reasons = "; ".join(part.evidence for part in heavy[:3]) or "a combination of small deviations"
    linked = f" {_linked(episode)}" if episode.members else ""
    return f"{line}{linked} Why: {reasons}."


def _linked(episode: Episode) -> str:
    """Which identities the intrusion went through, in order."""
    shown = [part.identity for part in episode.members[:6]]
    names = " → ".join(clip(f"{identity.provider} {short_name(identity)}", 80) for identity in shown)
    more = len(episode.members) - 6
    return f"One intrusion across {names}{f' and {more} more' if more > 0 else ''}."


def _identity(identity: Identity, asset: Asset) -> NotableIdentity:
    return NotableIdentity(
        identity.id, clip(identity.name, 512), identity.kind, identity.provider, identity.account, asset.owner
    )


def _providers(episode: EpisodeView) -> tuple[str, ...]:
    return tuple(sorted({view.shape.identity.provider for view in episode.views}))


def _missing(episode: EpisodeView) -> tuple[str, ...]:
    """Fields that no event of the episode had."""
    fields = ("network", "agent", "region")
    return tuple(f for f in fields if not any(getattr(view.shape, f) for view in episode.views))


def created(episode: Episode) -> int:
    """When it would have been written in live operation: the end of the first hour that reaches the floor."""
    hour = reached(episode, FLOOR)
    return max(b.last for view in episode.view.views for b in view.behaviours if b.hour <= hour)


def reached(episode: Episode, likelihood: float) -> int:
    """The first hour at whose end an episode had a likelihood; its last one where only the whole day has it."""
    hours = sorted({b.hour for view in episode.view.views for b in view.behaviours})
    return next((hour for hour in hours[:-1] if _likelihood_until(episode, hour) >= likelihood), hours[-1])


def _likelihood_until(episode: Episode, hour: int) -> float:
    views = [(part, EpisodeView(_until(part.view, hour), part.view.past)) for part in episode.parts]
    parts = [_known(part, view) for part, view in views if view.views]
    values = values_together([(part.values, part.view) for part in parts])
    return episode.bound.card.likelihood(points_together(parts, values), values)


def _known(part: Episode, view: EpisodeView) -> Episode:
    values = episode_values(view)
    return part._replace(view=view, values=values, points=part.bound.points(values))


def _until(episode: EpisodeView, hour: int) -> list[View]:
    """The views as they stood at the end of an hour: what a shape is worth does not change within a day."""
    views = []
    for view in episode.views:
        behaviours = [b for b in view.behaviours if b.hour <= hour]
        if behaviours:
            part = copy(view)
            part.behaviours = behaviours
            views.append(part)
    return views
