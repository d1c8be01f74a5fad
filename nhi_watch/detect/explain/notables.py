"""Episode → Notable: the words, pictures' numbers and receipts that go with a likelihood; and what fills the fields of
a notable of any kind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple, Optional, Union

from nhi_watch.context import frameworks
from nhi_watch.context.actions import permissions
from nhi_watch.context.assets import Assets
from nhi_watch.context.networks import Networks, spelled
from nhi_watch.core.behaviour import ADDRESSES, Behaviour
from nhi_watch.core.event import DONE_TO, Identity
from nhi_watch.core.notable import (
    MAX_RECORD_IDS,
    MAX_TIMELINE,
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
from nhi_watch.core.status import BESIDE, Receipt, unusual_from
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect import telemetry
from nhi_watch.detect.explain import claims
from nhi_watch.detect.explain.hours import Hours
from nhi_watch.detect.history import short
from nhi_watch.detect.linking import NAMED
from nhi_watch.detect.ranking import asset as asset_of
from nhi_watch.detect.ranking import rate_impact
from nhi_watch.detect.scoring import REASON_POINTS, Baselines, Episode, Link
from nhi_watch.detect.signals import (
    KEY_SERVICE,
    NOVEL,
    SIGNALS,
    EpisodeView,
    Signal,
    View,
    bulk_phrase,
    facts,
    listing,
    most_read,
    of_targets,
    times,
)
from nhi_watch.state.baseline import REFUSALS, Profile, SeenValue
from nhi_watch.state.inventory import CREATES, MAKES, name_key

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


# ---- of any kind


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
        sources: providers whose logs told of it.
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
    """What is known of an identity that no likelihood of a normal day is told of; `last`: when it was last seen."""
    first = profile.first * DAY if profile.first >= 0 else None
    return Usual(tuple(dimensions), profile.days, first, last or None, None)


# ---- of an episode


class Weighed(NamedTuple):
    """One signal in one episode."""

    signal: Signal
    points: float
    bin: int
    log_odds: float
    value: Optional[float]
    backing: list[Behaviour]
    evidence: str
    phrase: str
    """What a title says of it."""
    identity: Optional[Identity] = None
    """Whose value it is; None: only several together show it."""
    named: Sequence[Behaviour] = ()
    """The calls that the phrase names: their count, time and address stand beside it."""


def build(episode: Episode, baselines: Baselines, known: Assets, hours: Optional[Hours] = None) -> Notable:
    """The notable of an episode. `hours`: those of the episode, where they were asked before."""
    model, view, asset = episode.bound.model, episode.view, asset_of(known, episode)
    parts = _weigh(episode)
    heavy = [part for part in parts if part.points >= REASON_POINTS]
    behaviours = view.behaviours()
    points = _points(episode, heavy)
    suspicious = _suspicious(behaviours, points)
    first, last = min(b.first for b in suspicious), max(b.last for b in suspicious)
    return make(
        notable_id(episode.identity.id, view.baseline.today),
        "compromise",
        identity_of(episode.identity, asset.owner),
        _title(episode, parts, suspicious),
        _summary(episode, heavy, suspicious, points),
        when=((hours or Hours(episode)).created(), first, last),
        eve=view.baseline.today - 1,
        likelihood=episode.likelihood,
        signals=_signals(baselines, episode, parts),
        controls=controls(episode),
        impact=rate_impact(known, episode),
        timeline=_timeline(behaviours, points, bool(episode.members)),
        usual=_usual(baselines, episode),
        ids={i for part in heavy for i in part.signal.frameworks if _proves(part, i)},
        sources={each.key.identity.provider for each in view.views},
        missing=_missing(view),
        record_ids=_record_ids(parts, behaviours, points),
        record_count=sum(b.count for b in behaviours),
        model=ModelRef(model.id, model.sha256, round(model.ordinary, 3)),
        receipt=claims.receipt(baselines, episode),
        members=[identity_of(part.identity) for part in episode.members[:MAX_MEMBERS]],
        links=[_link(link) for link in episode.links[:MAX_LINKS]],
    )


def _points(episode: Episode, heavy: list[Weighed]) -> dict[int, float]:
    """Behaviour, by id → its points; known calls that are unusual for their number alone have those of that signal."""
    by_behaviour = {
        id(b): part.bound.total(v.values) for part in episode.parts for v in part.view.views for b in v.behaviours
    }
    least = unusual_from(by_behaviour.values())
    for part in heavy:
        if part.signal.name in _OF_AMOUNT:
            calls = _amount(part.backing, {id(b) for b in part.backing if by_behaviour.get(id(b), 0.0) >= least})
            few = BESIDE * max((b.count for b in calls), default=0)
            many = [id(b) for b in calls if b.count >= few and id(b) in by_behaviour]
            by_behaviour.update((each, max(by_behaviour[each], part.points)) for each in many)
    return by_behaviour


def _amount(calls: Sequence[Behaviour], unusual: Set[int]) -> Sequence[Behaviour]:
    """The calls of which there are too many: those that are unusual for themselves, where most of them are."""
    apart = [b for b in calls if id(b) in unusual]
    return apart if 2 * sum(b.count for b in apart) >= sum(b.count for b in calls) else calls


_OF_AMOUNT = frozenset({"bulk", "cost_surge", "first_targets", "mass_by_stranger"})
"""Signals that are told by which calls there are too many of."""


def _link(link: Link) -> NotableLink:
    source, target, value = (clip(text, 512) for text in (link.source, link.target, link.value))
    return NotableLink(source, target, link.kind, value, tuple(dict.fromkeys(link.records)))


def _weigh(episode: Episode) -> list[Weighed]:
    """The signals, those that add most to the likelihood first."""
    _, shares = episode.bound.model.shares(episode.features)
    order = sorted(range(len(SIGNALS)), key=lambda at: (-shares[at], -episode.points[at], SIGNALS[at].name))
    return [
        Weighed(
            SIGNALS[at],
            episode.points[at],
            episode.features.bins[at],
            shares[at],
            episode.values[at],
            *_explain(at, episode.values[at], episode),
        )
        for at in order
    ]


def _explain(
    at: int, value: Optional[float], combined: Episode
) -> tuple[list[Behaviour], str, str, Optional[Identity], Sequence[Behaviour]]:
    """The behaviours behind a value of the signal there, its sentence, what a title says of it, whose it is, and the
    calls that the title names.

    All of it is of the member that has the value.
    """
    if value == 0:
        return [], "ordinary", "", None, ()
    signal = SIGNALS[at]
    part = next((part for part in combined.parts if part.values[at] == value), None)
    episode, whose = (part.view, part.identity) if part is not None else (combined.view, None)
    if value is None:
        return [], telemetry.why(signal.name, episode.views, episode.baseline.own), "", whose, ()
    seen: Union[View, EpisodeView] = episode
    if signal.backing is None:
        seen = max(episode.views, key=lambda v: (v.values[at] or 0.0, v.key.outcome == "success"))
    backing = seen.behaviours if isinstance(seen, View) else signal.backing(seen) if signal.backing else []
    is_short = signal.title[1:2].isupper()  # an abbreviation stays one
    title = signal.title if is_short else signal.title[:1].lower() + signal.title[1:]
    named = signal.named(seen) if signal.named else backing
    return backing, signal.evidence(seen), signal.phrase(seen) if signal.phrase else title, whose, named


def _signals(baselines: Baselines, episode: Episode, parts: list[Weighed]) -> tuple[SignalPoints, ...]:
    """What shows something, or cannot tell for want of a field; the likelihood without the heaviest reasons."""
    fieldless = telemetry.FIELDLESS
    listed = [part for part in parts if part.value or (part.value is None and part.evidence.startswith(fieldless))]
    reasons = [part.signal for part in listed if part.value][:CLAIMS]
    lower = {s.name: claims.without(baselines, episode, claims.behind(episode, s)) for s in reasons}
    signals = []
    for part in listed:
        ids = list(dict.fromkeys(i for b in part.backing for i in b.record_ids))
        whose = part.identity.id if part.identity and episode.members else ""
        shown = signal_of(part.signal.name, part.evidence, part.value, part.log_odds, part.points, ids, part.bin, whose)
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


_PROOF = {"T1119": "read", "T1213": "read", "T1530": "read", "T1496.001": "cost", "T1496.004": "cost"}
"""Technique → the access without which a signal of volume is no evidence for it."""
_OF_VOLUME = frozenset({"bulk", "mass_taking", "mass_by_stranger", "first_targets", "target_fan_out", "cost_surge"})


def _proves(part: Weighed, technique: str) -> bool:
    """Signals of volume are of any call: data are collected by reads of data, money is spent by calls that cost."""
    needed = _PROOF.get(technique, "")
    if part.signal.name not in _OF_VOLUME or not needed:
        return True
    keys = [b.key for b in part.backing]
    return any(s.access == needed and s.service != KEY_SERVICE and s.outcome == "success" for s in keys)


HEADLINES = [s.name for s in sorted(SIGNALS, key=lambda s: s.headline) if s.headline]
"""What people want to read in a title, in this order: what was done comes before how unusual it was."""
PLACES = [s.name for s in sorted(SIGNALS, key=lambda s: s.place) if s.place]


def _title(episode: Episode, parts: list[Weighed], suspicious: Sequence[Behaviour]) -> str:
    """Who: what was done, and from where if the network is new; else the most unusual call.

    `suspicious`: most points first. Counts, times and networks are theirs alone: what is routine that day is in no
    title, unless nothing else is.
    """
    unusual = {id(b) for b in suspicious}
    parts = [_naming_call(_of_unusual(part, unusual), suspicious) for part in parts]
    reasons = {
        part.signal.name: part
        for part in parts
        if ((part.value or 0.0) >= NOVEL or part.points >= REASON_POINTS) and not _of_report(part)
    }
    routine = {name for name, part in reasons.items() if part.backing and unusual.isdisjoint(map(id, part.backing))}
    reasons = {name: part for name, part in reasons.items() if name not in routine} or reasons
    names = [name for name in HEADLINES if name in reasons and not reasons.keys() & _SAYS_MORE.get(name, frozenset())]
    names = _worded(sorted(names, key=lambda name: not _worked(reasons[name])), reasons)  # what succeeded comes first
    first = {id(b) for b in reasons[names[0]].backing} if names else set()
    names[1:] = [
        name
        for name in names[1:]
        if (names[0] in _HOW and name not in _OF_VOLUME) or not first.issuperset(id(b) for b in reasons[name].backing)
    ]
    acts, more = [reasons[name] for name in names[:2]], list[str]()
    if not acts:
        act, more = _most_unusual(episode, parts, suspicious)
        acts = [act]
    what = [_done(act, act is acts[0]) for act in acts] + more
    for end in (_REFUSED, _FAILED):
        if len(what) > 1 and all(word.endswith(end) for word in what):
            what = [*(word.removesuffix(end) for word in what[:-1]), what[-1].replace("(tried,", "(both tried,")]
    networks = episode.view.baseline.networks
    placed = (reasons[name] for name in PLACES if name in reasons and reasons[name].points >= REASON_POINTS)
    sources = filter(None, (_place(part, acts[0].named, networks) for part in placed))
    where = "" if " from " in " ".join(what) else next(sources, "")
    return f"{_who(episode, acts[0].identity)}: {', '.join(what)}{where}"


def _of_unusual(part: Weighed, unusual: Set[int]) -> Weighed:
    """A reason by those of its calls that are unusual, where some are."""
    backing = [b for b in part.backing if id(b) in unusual]
    if not backing or len(backing) == len(part.backing):
        return part
    if part.signal.name in _READS:
        return part._replace(backing=backing, phrase=bulk_phrase(backing), named=most_read(backing))
    named = [b for b in part.named if id(b) in unusual]
    return part._replace(backing=backing, named=named or part.named)


def _naming_call(part: Weighed, suspicious: Sequence[Behaviour]) -> Weighed:
    """With the call, where the signal's title is only a category of calls."""
    if part.signal.phrase or part.signal.name in _HOW or not part.backing:
        return part
    backing = {id(b) for b in part.backing}
    named = _alike([b for b in suspicious if id(b) in backing] or part.backing)
    return part._replace(phrase=f"{part.phrase}: {_call(named)}", named=named)


def _most_unusual(
    episode: Episode, parts: Sequence[Weighed], suspicious: Sequence[Behaviour]
) -> tuple[Weighed, list[str]]:
    """The new call with most points, else any call with most, for a title where no signal says what was done; and how
    many more calls are new."""
    profiles = {id(b): part.view.baseline.own for part in episode.parts for b in part.view.behaviours()}
    new = [b for b in suspicious if not profiles[id(b)].knows("action", b.key.action, b.key.outcome not in REFUSALS)]
    named = _alike(new or suspicious)
    more = len({b.key.action for b in new} - {named[0].key.action})
    vehicle = next(part for part in parts if part.signal.name not in _REFUSALS)  # a refusal is to be said
    phrase = f"{'first-time' if new else 'unusual'} {_call(named)}"
    act = vehicle._replace(phrase=phrase, backing=named, named=named, identity=named[0].key.identity)
    return act, [times(more, "more new call")] if more else []


def _alike(calls: Sequence[Behaviour]) -> list[Behaviour]:
    """The first call that succeeded, else the first, with all others of that name by the same identity."""
    first = next((b for b in calls if b.key.outcome == "success"), calls[0])
    return [b for b in calls if (b.key.action, b.key.identity) == (first.key.action, first.key.identity)]


def _call(alike: Sequence[Behaviour]) -> str:
    return alike[0].key.action + of_targets(alike)


def _of_report(part: Weighed) -> bool:
    """Whether it rests on a scanner's reports of an exposed credential alone: a report of a public place is nothing
    that the identity shared."""
    is_report = bool(part.backing) and all("secret_alert" in b.key.traits for b in part.backing)
    return is_report and part.signal.name not in _HOW


_READS = ("mass_taking", "mass_by_stranger")
"""Signals that say in a title how much was read."""
_SAYS_MORE = {
    "secret_reading": {"secret_fan_out"},
    "model_invocation": {"model_changed", "llmjacking"},
    "spending": {"model_changed", "llmjacking", "cost_surge", "model_invocation"},
    "mass_taking": {"mass_by_stranger", "first_targets", "secret_fan_out"},
    "bulk": {"mass_taking", "mass_by_stranger", "first_targets"},
    "trust_change": {"powerful_grant"},
    "logging_tampered": {"grave_act"},
}
"""Signal → those that say the same in a title, and more of it."""


_HOW = frozenset({"quarantined", "exposed_credential", "human_use", "session_moved", "host_to_elsewhere", "llmjacking"})
"""Signals of how an identity was used: what was done stands beside them. Of what was done, one call is one act."""


def _who(episode: Episode, did: Optional[Identity]) -> str:
    """What the identity is and is called, and with whom it is linked: first with the one that did what is told."""
    others = [part.identity for part in episode.members if part.identity != episode.identity]
    others.sort(key=lambda identity: identity != did)
    names = [f"{_kind(identity)} {clip(short(identity), 80)}" for identity in (episode.identity, *others[:1])]
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"{names[0][:1].upper()}{names[0][1:]}{f' with {names[1]}' if others else ''}{more}"


def _kind(identity: Identity) -> str:
    kind = identity.kind.replace("_", " ") or "identity"
    return {"agent": "AI agent", "ai agent": "AI agent"}.get(kind, kind)


_SEVEREST = "severest_act"
_WITH_TARGETS = ("credential_creation", "app_consent", "app_changed", "grave_act")
"""Signals that say in a title to what or whom it was done."""


def _worded(names: list[str], reasons: Mapping[str, Weighed]) -> list[str]:
    """The severest act goes by the signal that names its target, where one is about the same calls."""
    if names[:1] != [_SEVEREST]:
        return names
    calls = {id(b) for b in reasons[_SEVEREST].backing}
    same = [name for name in _WITH_TARGETS if name in names and calls <= {id(b) for b in reasons[name].backing}]
    return [*same[:1], *(name for name in names if name not in (_SEVEREST, *same[:1]))] if same else names


def _done(part: Weighed, is_first: bool = False) -> str:
    """What was done, of the first act also how often and when it first succeeded; or that it was only tried."""
    phrase = clip(part.phrase, 140)
    worked = _succeeded(part.named) or _succeeded(part.backing)
    if not worked:
        refused = all(b.key.outcome == "denied" for b in part.backing)
        is_plain = part.signal.name in _REFUSALS or not part.backing
        return phrase if is_plain else phrase + (_REFUSED if refused else _FAILED)
    if not is_first:
        return phrase
    count = sum(b.count for b in worked)
    often = f" ({times(count, 'call')})" if count > 1 and not _NUMBER.search(phrase) else ""
    return f"{phrase}{often} at {render(min(b.first for b in worked))[11:16]}"


def _succeeded(calls: Iterable[Behaviour]) -> list[Behaviour]:
    return [b for b in calls if b.key.outcome == "success"]


def _worked(part: Weighed) -> bool:
    return not part.backing or bool(_succeeded(part.backing))


_NUMBER = re.compile(r"(?<!and )\b[\d,]+ ")
"""A count that the phrase has already; "and 2 more" is of names."""
_REFUSED = " (tried, refused)"
_FAILED = " (tried, failed)"
"""Said once where it is so of all that a title tells."""
_REFUSALS = frozenset({"permission_probing", "permission_test", "new_error"})
"""Signals of refusals: that they did not succeed goes without saying, and would be said of the rest."""


def _place(part: Weighed, acts: Sequence[Behaviour], networks: Networks) -> str:
    """From where, if the place is that of what the title says was done: `acts`."""
    own = {b.key.network for b in acts}
    first = next((b for b in part.backing if not own or b.key.network in own), None)
    if first is None or not first.key.network:
        return ""
    operator = spelled(networks.facts(first.key.network))
    if not operator or "/" in operator:  # nobody is known to run it: the address says more
        operator = next(iter(first.addresses), first.key.network)
    return f", from {operator}"


def _suspicious(behaviours: list[Behaviour], points: Mapping[int, float]) -> list[Behaviour]:
    """What is suspicious, most points first; the whole day where nothing by itself is."""
    least = unusual_from(points[id(b)] for b in behaviours)
    suspicious = [b for b in behaviours if points[id(b)] >= least] or behaviours
    return sorted(suspicious, key=lambda b: (-points[id(b)], b.first, b.key))


def _summary(episode: Episode, heavy: list[Weighed], suspicious: list[Behaviour], points: Mapping[int, float]) -> str:
    """The first line, of several identities also that of the oddest other one, then the heaviest reasons."""
    reasons = "; ".join(_reason(part, episode) for part in heavy[:3]) or "a combination of small deviations"
    lead, lines = episode.lead, [_line(episode.lead, suspicious, points)]
    if episode.members:
        lines.append(_linked(episode))
        whose = {id(b): part for part in episode.members for b in part.view.behaviours()}
        others = (whose[id(b)] for b in suspicious)
        lines += [
            _line(part, suspicious, points) for part in [next((p for p in others if p is not lead), None)] if part
        ]
    return f"{' '.join(lines)} Why: {reasons}."


def _reason(part: Weighed, episode: Episode) -> str:
    """The evidence, and whose it is where that is not the identity that leads."""
    is_other = part.identity is not None and part.identity != episode.identity
    return f"{part.evidence} ({short(part.identity)})" if is_other and part.identity else part.evidence


def _line(part: Episode, suspicious: Sequence[Behaviour], points: Mapping[int, float]) -> str:
    """The first line of one identity: what of the unusual calls it made, else what is unusual by itself."""
    baseline, own = part.view.baseline, part.view.behaviours()
    mine = {id(b) for b in own}
    own_suspicious = [b for b in suspicious if id(b) in mine] or _suspicious(own, points)
    who = f"{part.identity.kind.replace('_', ' ').capitalize()} {short(part.identity)}"
    among = sum(b.count for b in own)
    return first_line(clip(who, 120), own_suspicious, baseline.own, baseline.networks, among, baseline.tenant)


def _linked(episode: Episode) -> str:
    """Which identities the intrusion went through, in order, and what links the first two."""
    shown = [part.identity for part in episode.members[:6]]
    names = " → ".join(clip(f"{identity.provider} {short(identity)}", 80) for identity in shown)
    more = len(episode.members) - 6
    return f"One intrusion across {names}{f' and {more} more' if more > 0 else ''}.{_why_linked(episode)}"


def _why_linked(episode: Episode) -> str:
    """What the records of two of them share, for the first link."""
    if not episode.links:
        return ""
    link, named = episode.links[0], {part.identity.id: short(part.identity) for part in episode.parts}
    source, other = (clip(named.get(name, name), 80) for name in (link.source, link.target))
    if link.kind == NAMED:
        return f" Linked because {source} touched {clip(link.value, 80)}, a name of {other}, unusual within the hour."
    what = f"{_LINKS.get(link.kind, link.kind)} {clip(link.value, 80)}"
    return f" Linked because the records of {source} and {other} both contain the {what}."


_LINKS = {"sp": "service principal", "arn": "ARN", "oidc": "OIDC subject", "host": "address"}
"""Kind of a link, where people call it something else."""


def _missing(episode: EpisodeView) -> list[str]:
    """Fields that no event of the episode had."""
    return [f for f in ("network", "agent", "region") if not any(getattr(view.key, f) for view in episode.views)]


# ---- the first line: who did what, from where, how that differs, and whether it worked

_ADDRESSES = 2
_CALLS = 2
_FEW = 3
_MOSTLY = 0.8
"""Share of refused calls from which it looks like probing."""


def first_line(
    who: str,
    suspicious: Sequence[Behaviour],
    own: Profile,
    networks: Networks,
    among: int = 0,
    tenant: Optional[Profile] = None,
) -> str:
    """One sentence for readers who have ten seconds.

    `suspicious`: most points first; never empty; `among`: all calls of the day; `tenant`: what others do.
    """
    history = f"{times(own.days, 'active day')} of history" if own.days else "never seen before"
    calls = sum(b.count for b in suspicious)
    refused = sum(b.count for b in suspicious if b.key.outcome == "denied")
    worked = sum(b.count for b in suspicious if b.key.outcome == "success")
    sentence = f"{who} ({history}) made {times(calls, 'unusual call')}{f' among {among:,}' if among > calls else ''}"
    did = f"{sentence} {_when(suspicious)}, {_outcome(calls, refused, worked)}: {_names(suspicious)}"
    parts = [did, _where(suspicious, own, networks, tenant or Profile()), _client(suspicious, own)]
    return "; ".join(part for part in parts if part) + "." + _meaning(calls, refused, worked)


def _when(suspicious: Sequence[Behaviour]) -> str:
    first, last = render(min(b.first for b in suspicious)), render(max(b.last for b in suspicious))
    hours = list(dict.fromkeys((first[11:16], last[11:16])))
    return f"on {first[:10]} {'from' if hours[1:] else 'at'} {' to '.join(hours)} UTC"


def _outcome(calls: int, refused: int, worked: int) -> str:
    """How the calls ended; the rest failed for other reasons than a lack of permission."""
    counts = [(worked, "worked"), (refused, "refused"), (calls - refused - worked, "failed")]
    counted = [(count, how) for count, how in counts if count]
    if calls == 1:
        return "which was refused" if refused else f"which {counted[0][1]}"
    if len(counted) == 1:
        return f"all {counted[0][1]}"
    return ", ".join(f"{count:,} {how}" for count, how in counted)


def _names(suspicious: Sequence[Behaviour]) -> str:
    """The calls with most points; what worked goes first."""
    ordered = sorted(suspicious, key=lambda b: b.key.outcome != "success")
    return _some([b.key.action for b in ordered], _CALLS)


def _where(suspicious: Sequence[Behaviour], own: Profile, networks: Networks, tenant: Profile) -> str:
    """Full addresses, who runs them, and whether the identity was there before."""
    placed = [b for b in suspicious if b.key.network]
    if not placed:
        return ""
    known = own.dimension("network").values if own.days else {}
    new = [b for b in placed if b.key.network not in known]
    usual = [b for b in placed if b.key.network in known]
    groups = [part for part in (new, usual) if part]
    return f"from {' and from '.join(_placed(part, own, networks, tenant) for part in groups)}"


def _placed(alike: Sequence[Behaviour], own: Profile, networks: Networks, tenant: Profile) -> str:
    addresses = [b.addresses[0] if b.addresses else b.key.network for b in alike]
    network = alike[0].key.network
    owner = networks.facts(network).owner
    named = f"{clip(owner, 40)}, " if owner and "/" not in owner and owner not in addresses[0] else ""
    return f"{_some(addresses, _ADDRESSES)} ({named}{_new_place(network, owner, own)}{_others(network, own, tenant)})"


def _others(network: str, own: Profile, tenant: Profile) -> str:
    """That others of the tenant use a network that is new to this identity: the office, or a colleague's home."""
    seen = tenant.dimension("network").values.get(network)
    if seen is None or network in own.dimension("network").values:
        return ""
    return f"; others used it on {seen.days:,} of {times(tenant.days, 'identity day')} of this tenant"


def _new_place(network: str, owner: str, own: Profile) -> str:
    if not own.days:
        return "its first network"
    if network in own.dimension("network").values:
        return "a network that it uses"
    seen = own.dimension("owner").values.get(owner)
    if seen is None:
        return "never used by it before"
    return f"new network; operator seen on {seen.days:,} of {times(own.days, 'active day')}"


def _client(suspicious: Sequence[Behaviour], own: Profile) -> str:
    agents = [b.key.agent for b in suspicious if b.key.agent]
    known = own.dimension("agent").values
    new = [agent for agent in agents if agent not in known] if own.days else []
    if not agents:
        return ""
    return f"new client {_some(new, 2)}" if new else f"client {_some(agents, 2)}{' as usual' if own.days else ''}"


def _meaning(calls: int, refused: int, worked: int) -> str:
    """What that looks like, where the share that was refused tells."""
    if calls < _FEW or refused < _MOSTLY * calls:
        return ""
    return f" {'Little' if worked else 'Nothing'} of that went through: somebody is probing, or a deployment is broken."


def _some(names: Iterable[str], most: int) -> str:
    """The first distinct names, and how many more there are.

    >>> _some(["a", "b", "a", "c", "d"], 2)
    'a, b and 2 more'
    """
    distinct = list(dict.fromkeys(names))
    shown = [clip(name, 80) for name in distinct[:most]]
    more = len(distinct) - most
    return f"{', '.join(shown)} and {more} more" if more > 0 else " and ".join(shown)


# ---- the two mandatory controls, and what they concretely mean for one episode

MEMBERS = 10
"""Linked identities whose controls are spelled out."""
UNUSED_DAYS = 30
"""A call not made for so long is offered for removal; rarely run jobs are a person's judgement."""


def controls(episode: Episode) -> tuple[Control, ...]:
    """Rotate the secret, reduce the privilege: always required, always with a reason, for each linked identity."""
    several, created = bool(episode.members), _created(episode)
    return tuple(
        control_of(name, f"{clip(part.identity.name, 120)}: {reason}" if several else reason)
        for part in episode.parts[:MEMBERS]
        for name, reason in (("rotate_secret", _rotate(part, created)), ("reduce_privilege", _reduce(part, created)))
    )


def _created(episode: Episode) -> frozenset[str]:
    """Ids of the keys and names of the identities that the episode's own identities made for others."""
    calls = (
        (part, view, b)
        for part in episode.parts
        for view in part.view.views
        for b in view.behaviours
        if view.key.outcome == "success"
    )
    created: set[str] = set()
    for part, view, b in calls:
        if view.key.action in MAKES:
            created.update(b.issued)
        elif view.key.action in CREATES:
            keys = (name_key(part.identity._replace(name=name, account=view.key.account)) for name in b.targets)
            created.update(key for key in keys if key != name_key(part.identity))
    return frozenset(created)


def _rotate(part: Episode, created: frozenset[str]) -> str:
    """From when it is done, nothing that the notable used may work: not what was issued after its last call either."""
    identity = part.identity
    if name_key(identity) in created:
        named = clip(identity.name, 120)
        return f"Remove {named}, which this intrusion made: do not rotate it, delete it and its keys."
    keys = sorted({view.key.credential for view in _unquiet(part.view) if view.key.credential})
    if keys and created.issuperset(keys):
        return f"Remove {listing(keys)}, which this intrusion made: delete it, nobody else relies on it."
    if keys:
        return f"Rotate {listing(keys)}: deactivate it, watch for breakage, then delete it."
    if identity.kind in ("web_identity", "federated"):
        return f"Revoke the tokens of {identity.name} and check its trust policy; the issuer holds the secret."
    if identity.kind == "role":
        return (
            f"Revoke the sessions of {identity.name} issued before now, "
            "and stop whatever obtains new ones; the response plan names it where logs show it."
        )
    return f"Rotate every credential of {identity.name} that is valid now."


def _unquiet(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet] or list(episode.views)


def _reduce(part: Episode, created: frozenset[str]) -> str:
    episode = part.view
    if name_key(part.identity) in created:
        return "This intrusion made it: detach every policy that it was given, before it is deleted."
    worked, refused = first_calls(episode, part.identity.provider)
    unused = unused_calls(episode)
    parts = []
    if worked:
        parts.append(f"New or rare, and worked: {listing(worked, 8)}; deny unneeded actions.")
    if refused:
        parts.append(f"Already refused: {listing(refused, 3)}.")
    if unused:
        calls = listing(unused, 8)
        parts.append(f"Not used for {UNUSED_DAYS} days or more: {calls}; remove unless a rare job needs them.")
    return " ".join(parts) or (
        "No call was new and none has been unused for long; "
        f"allow only what was used in {episode.baseline.own.days} days of history."
    )


def first_calls(episode: EpisodeView, provider: str) -> tuple[list[str], list[str]]:
    """Calls that worked for the first time and that a policy can deny; new ones that were only refused."""
    own = episode.baseline.own
    mine = [view for view in episode.views if DONE_TO not in view.key.traits]
    worked = {view.key.action for view in mine if view.key.outcome not in REFUSALS}
    fresh = {
        view.key.action
        for view in mine
        if view.novel or (own.days and not own.knows("action", view.key.action, view.key.outcome not in REFUSALS))
    }
    denied = sorted(action for action in fresh & worked if provider != "aws" or permissions(action))
    return denied, sorted(fresh - worked)


def unused_calls(episode: EpisodeView) -> list[str]:
    """Calls known from the baseline that were not made for a month, today included."""
    today = episode.baseline.today
    used = {view.key.action for view in episode.views}
    known = episode.baseline.own.dimension("action").values
    return sorted(a for a, seen in known.items() if a not in used and today - seen.last >= UNUSED_DAYS)
