"""What a notable claims that can be checked: what would have been normal instead and how likely that is, the likelihood
without a signal's records, and receipts.

The first two are claims about the same scoring: a day is made up, or a part of the real one is left out, and it is
scored exactly as the episode was, by the same model against the same baseline. So anyone who has both can check them.

A receipt holds hashes of the model, the signal values and the baseline rows consulted. It is checked by scoring the day
again, against the baseline as it stood before it, whatever was learnt since: a baseline is the fold of the days
before, and those are kept as rows (`daybook` says for how long).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.context import actions, agents
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import Behaviour, BehaviourKey, IdentityDay
from nhi_watch.core.documents import NotableDocument, RevisionDocument, SignalDocument
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import Instead, clip
from nhi_watch.core.status import CAME_LATE, Receipt
from nhi_watch.core.timestamps import HOUR, day_of, parse, render_day
from nhi_watch.detect import linking, scoring
from nhi_watch.detect.linking import Group
from nhi_watch.detect.model import Features, Model
from nhi_watch.detect.scoring import (
    Baselines,
    Episode,
    Row,
    features_together,
    largest,
    of_views,
    part_of,
    score_day,
    values_together,
    weighed,
)
from nhi_watch.detect.signals import NAMES, SIGNALS, Signal
from nhi_watch.detect.telemetry import features_shown
from nhi_watch.state import baseline, day_rows
from nhi_watch.state.baseline import TENANT, Profile, facts, peer_scope
from nhi_watch.state.retention import RETAIN_DELTAS
from nhi_watch.state.state import State, Stored
from nhi_watch.state.store import Rows

CHOICES = 4
"""Networks and calls that are offered."""
STEADY = 0.5
"""Share of the active days on which a long-lived key must have been used to belong to what is normal."""
NO_DAY = 0.0
"""The likelihood of a day on which nothing happened: there is no episode."""


def instead(baselines: Baselines, episode: Episode) -> Instead:
    """A normal day of the identity: one call each of those it makes most, from any one of its networks.

    Of a newcomer it is what its peers do, else what the tenant does; on the very first day what the world does: of the
    services that it called, where one is known.
    The likelihood is the highest that any of the networks would give.
    """
    identity, groups, seen = episode.identity, baselines.groups, episode.view.views[0].key
    known = {
        "own": baselines.own.get(identity.id),
        "peers": groups.get(peer_scope(identity)),
        "tenant": groups.get(TENANT),
    }
    own, *others = [profile or Profile() for profile in known.values()]
    scopes = [own, *others]
    services = {view.key.service for view in episode.view.views}
    tops = (_top(profile, "action", services if name == "tenant" else ()) for name, profile in zip(known, scopes))
    origin, calls = next(
        ((name, top) for name, top in zip(known, tops) if top), ("world", _world(baselines.model, services))
    )
    networks = _values(scopes, "network") or [seen.network]
    key = _first([own], "credential", "")
    steady = bool(key) and own.dimension("credential").values[key].days >= STEADY * own.days
    instead = Instead(
        origin,
        tuple(calls),
        tuple(networks),
        _agent(scopes, seen),
        _first(scopes, "region", seen.region),
        key if steady else "",
        _first(scopes, "credential_type", seen.credential_type),
        int(_first([own], "hour", str(episode.view.behaviours()[0].hour % 24))),
        0.0,
        "",
    )
    days = (normal_day(identity, episode.view.baseline.today, instead, network) for network in networks)
    likelihood = max(scoring.likelihood_of(day, episode.view.baseline, episode.bound) for day in days)
    place = f"from one of these networks: {_list(instead.networks)}; " if instead.networks[0] else ""
    by = f", by {instead.agent}" if instead.agent else ""
    sentence = f"{_ORIGINS[origin]}{place}with these calls: {_list(instead.actions)}{by} (likelihood {likelihood:g}%)"
    return instead._replace(likelihood=likelihood, text=clip(sentence, 1000))


_ORIGINS = {"own": "", "peers": "what its peers do: ", "tenant": "what others here do: ", "world": "what is common: "}


def normal_day(identity: Identity, day: int, instead: Instead, network: str) -> IdentityDay:
    """The day that a counterfactual speaks of, from one of its networks."""
    identity_day = IdentityDay(day)
    for call in instead.actions:
        service, _, operation = call.partition(":")
        key = BehaviourKey(
            identity,
            identity.account,
            instead.credential,
            instead.credential_type,
            call,
            service,
            actions.access(service, operation),
            network,
            instead.agent,
            instead.region,
            "success",
            "",
            "own",
            (),
        )
        hour = day * 24 + instead.hour
        identity_day.behaviour(key, hour).add(hour * HOUR, 0, f"normal/{call}")
    return identity_day


def behind(episode: Episode, signal: Signal) -> list[Behaviour]:
    """All behaviours that show a signal, in all members: those that would have to be gone for it to be gone."""
    at = SIGNALS.index(signal)
    if signal.backing is None:
        return [b for part in episode.parts for v in part.view.views if v.values[at] for b in v.behaviours]
    if signal.scope == "linked":
        return signal.backing(episode.view)
    return [b for part in episode.parts if part.values[at] for b in signal.backing(part.view)]


def without(baselines: Baselines, episode: Episode, gone: Iterable[Behaviour]) -> float:
    """The likelihood that the episode would have, had some of its behaviours not been there."""
    away = {id(b) for b in gone}
    parts = []
    for part in episode.parts:
        remaining = [(view, [b for b in view.behaviours if id(b) not in away]) for view in part.view.views]
        views = [part_of(view, left) for view, left in remaining if left]
        if views:
            parts.append(of_views(part, views))
    return likelihood_of(episode.bound.model, parts) if parts else NO_DAY


def likelihood_of(model: Model, parts: Sequence[Episode]) -> float:
    """The likelihood of episodes that are one."""
    values = values_together([(part.values, part.view) for part in parts])
    return model.likelihood(features_together(parts, values))


def _top(profile: Profile, dimension: str, services: Collection[str] = ()) -> list[str]:
    known = profile.dimension(dimension).values
    return sorted(_of(known, services), key=lambda v: (-known[v].days, -known[v].last, v))[:CHOICES]


def _of(calls: Iterable[str], services: Collection[str]) -> list[str]:
    """Those of some services, where there are any: what is usual in another product is no answer."""
    every = list(calls)
    return [call for call in every if call.partition(":")[0] in services] or every


def _values(scopes: Iterable[Profile], dimension: str) -> list[str]:
    """Those of the nearest that has any: the identity's own, its peers', the tenant's."""
    return next((values for scope in scopes if (values := _top(scope, dimension))), [])


def _first(scopes: Iterable[Profile], dimension: str, otherwise: str) -> str:
    return next(iter(_values(scopes, dimension)), otherwise)


def _world(model: Model, services: Collection[str]) -> list[str]:
    shares = model.prior.get("action", {})
    known = _of((call for call in shares if call != "*"), services)
    return sorted(known, key=lambda call: (-shares[call], call))[:CHOICES]


def _agent(scopes: Iterable[Profile], seen: BehaviourKey) -> str:
    """An attack tool is no part of a normal day, however often it was seen."""
    known = (name for name in _values(scopes, "agent") if not agents.is_attack_tool(name))
    otherwise = "" if "attack_tool" in seen.traits or agents.is_attack_tool(seen.agent) else seen.agent
    return next(known, otherwise)


def _list(texts: Iterable[str]) -> str:
    return ", ".join(clip(text, 100) for text in texts)


# ---- receipts


def receipt(baselines: Baselines, episode: Episode) -> Receipt:
    """The receipt of an episode."""
    rows = [consulted(baselines, part) for part in episode.parts]
    return Receipt(baselines.model.sha256, digest(list(episode.values)), digest(rows))


def consulted(baselines: Baselines, part: Episode) -> list[Any]:
    """The baseline rows behind one identity's day: all of its own, and of peers and tenant those of what it did."""
    known = part.view.baseline
    fact_pairs = sorted({fact for view in part.view.views for fact in facts(view.key, known.networks)})
    groups = (baselines.groups.get(scope) or Profile() for scope in (peer_scope(part.identity), TENANT))
    usual = [part.bound.usual(at, value) for at, value in enumerate(part.values) if value]
    return [baseline.to_row(known.own), *(_rows_of(group, fact_pairs) for group in groups), usual]


def _rows_of(profile: Profile, pairs: Sequence[tuple[str, str]]) -> list[Any]:
    names = sorted({name for name, _ in pairs})
    once = {name: profile.dimension(name).once for name in names}
    value_rows = ((name, value, profile.dimension(name).values.get(value)) for name, value in pairs)
    rows = [[name, value, s.days, s.count, s.first, s.last, s.top] for name, value, s in value_rows if s is not None]
    return [profile.days, once, rows]


def digest(plain: object) -> str:
    """SHA-256 of plain values."""
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class ClaimCheck(NamedTuple):
    """One thing that was checked."""

    what: str
    """model | signals | baseline | likelihood | points"""
    holds: Optional[bool]
    """None: it can no longer be checked."""
    told: str


class _Again(NamedTuple):
    """What scoring again gave."""

    values: Row
    features: Optional[Features]
    """None: the behaviours are gone, and with them what was consulted."""
    baseline: Optional[str]
    """Digest of the rows consulted; None: the behaviours are gone, and with them what was consulted."""
    why: str
    """Why something could not be made again."""
    likelihood: float
    """By the features; without them not asked for."""


def verify(rows: Rows, model: Model, notable: NotableDocument, networks: Networks = SHIPPED) -> list[ClaimCheck]:
    """Score a compromise again from what the state holds, and compare to the last digit.

    Raises:
        InputError: the notable is of another kind, or it is no notable.
    """
    if notable.get("kind") != "compromise":
        raise InputError(f"a notable of kind {str(notable.get('kind'))[:20]!r} is not scored by the model")
    receipt = notable["receipt"]
    checks = [ClaimCheck("model", model.sha256 == receipt["model"], f"{model.id}, SHA-256 {model.sha256[:16]}…")]
    state, baselines = State(rows), Baselines(model, networks)
    again = (
        _late(state, baselines, notable)
        if notable.get("late")
        else _again(
            state,
            baselines,
            day_scored(notable),
            str(notable["identity"]["id"]),
            {signal["id"]: signal["value"] for signal in notable["signals"]},
        )
    )
    if again is None:
        days = f"the {RETAIN_DELTAS} latest days with records are kept"
        return [*checks, ClaimCheck("signals", None, f"retention has removed this day from the state: {days}")]
    if again.baseline is None:
        checks.append(ClaimCheck("baseline", None, again.why))
    else:
        checks.append(ClaimCheck("baseline", again.baseline == receipt["baseline"], f"SHA-256 {again.baseline[:16]}…"))
    mine = digest(list(again.values))
    checks += [
        ClaimCheck("signals", mine == receipt["signals"], f"SHA-256 {mine[:16]}…"),
        *_scored(model, notable, again),
    ]
    return [*checks, *_revisions(state, baselines, notable)]


def _revisions(state: State, baselines: Baselines, notable: NotableDocument) -> list[ClaimCheck]:
    """The other days of a notable that went on, each against its own receipt."""
    shown = (render_day(day_scored(notable)), notable["identity"]["id"])
    every = notable.get("revisions") or ()
    days = Counter((revision["day"], revision["identity"]) for revision in every)  # parted by a verdict
    others = [
        revision
        for revision in every
        if (revision["day"], revision["identity"]) != shown
        and revision["why"] != CAME_LATE
        and days[revision["day"], revision["identity"]] == 1
    ]
    return [_revision(State(state.rows), baselines, revision) for revision in others]


def _revision(state: State, baselines: Baselines, revision: RevisionDocument) -> ClaimCheck:
    day, receipt, model = day_of(parse(f"{revision['day']}T00:00:00Z")), revision["receipt"], baselines.model
    what = f"episode {revision['revision']}"
    if receipt["model"] != model.sha256:
        return ClaimCheck(what, None, f"{revision['day']} was scored by another model, {receipt['model'][:16]}…")
    again = _again(state, Baselines(model, baselines.networks), day, str(revision["identity"]))
    if again is None:
        return ClaimCheck(what, None, f"retention has removed {revision['day']} from the state")
    if again.features is None:
        same = digest(list(again.values)) == receipt["signals"]
        return ClaimCheck(what, same, f"{revision['day']}, signals as stored; the profiles have learnt the day since")
    mine = (again.likelihood, digest(list(again.values)), again.baseline)
    same = mine == (revision["likelihood"], receipt["signals"], receipt["baseline"])
    return ClaimCheck(what, same, f"{revision['day']}, likelihood {again.likelihood:g}%")


def _scored(model: Model, notable: NotableDocument, again: _Again) -> Iterator[ClaimCheck]:
    """Without features the model alone is run again, on the points and bins that the notable shows."""
    likelihood = again.likelihood if again.features else _by_points(model, notable)
    by = "" if again.features else " by the points that it shows"
    text = f"{likelihood:g}%{by}; the notable says {notable['likelihood']:g}%"
    yield ClaimCheck("likelihood", likelihood == notable["likelihood"], text)
    if again.features is None:
        yield ClaimCheck("points", None, again.why)
        return
    known = {s.name: (worth, value) for worth, s, value in weighed(again.values, again.features.points)}
    unlike = [s["id"] for s in notable["signals"] if not _agrees(s, known.get(s["id"]))]
    listed = f"{len(notable['signals'])} signals" + (f", other values: {', '.join(unlike[:5])}" if unlike else "")
    yield ClaimCheck("points", not unlike, listed)


def _by_points(model: Model, notable: NotableDocument) -> float:
    """What the model gives for the points and bins that a notable shows, as it was calibrated on that day."""
    model = model.aligned(NAMES)
    is_first = notable["model"]["ordinary"] in {round(each.ordinary, 3) for each in model.first}
    return (model.on_first_day() if is_first else model).likelihood(features_shown(notable["signals"]))


def _agrees(signal: SignalDocument, known: Optional[tuple[float, Optional[float]]]) -> bool:
    """Whether a listed signal has the value and points that scoring again gives.

    What could not be determined for want of a log holds less than was seen: nothing, so it has no points.
    """
    if known is None:
        return False
    if signal["cannot_tell"] and known[1] is not None:
        return not known[1] and not signal["points"]
    return (signal["points"], signal["value"]) == known


def day_scored(notable: NotableDocument) -> int:
    """The day that a notable was scored on: the one after its baseline's last.

    Raises:
        InputError: its baseline is no date.
    """
    try:
        return day_of(parse(f"{notable['baseline']['id']}T00:00:00Z")) + 1
    except (RejectError, KeyError, TypeError) as error:
        raise InputError(f"the notable does not name the day of its baseline ({error})") from error


Shown = Mapping[str, Optional[float]]
"""Signal → value, as a notable states them."""


def _again(state: State, baselines: Baselines, day: int, lead: str, shown: Optional[Shown] = None) -> Optional[_Again]:
    """`shown`: what only several identities together show, of a day that cannot be scored again."""
    if day not in state.daybook.days:
        return None
    names = _members(state.suspicious(day), lead)
    stored = {stored.ranked.identity_id: stored for stored in state.scored(day) if stored.ranked.identity_id in names}
    identity_days = _identity_days(state, day, names)
    if len(identity_days) == len(names) and not state.daybook.is_closed(day):
        return _scored_again(state, baselines, (day, [identity_days[name] for name in names]))
    value_sets = [scoring.unpack_values(stored[name].values) for name in names if name in stored]
    values = [scoring.row_of(row) for row in value_sets if row is not None]
    if len(values) < len(names) or (len(names) > 1 and shown is None):
        return None
    row = largest(values)
    for at, signal in enumerate(SIGNALS if shown is not None and len(names) > 1 else ()):
        row[at] = shown.get(signal.name, 0.0) if signal.scope == "linked" and shown is not None else row[at]
    return _Again(tuple(row), None, None, _LEARNT.format(render_day(day)), 0.0)


_LEARNT = (
    "{} is closed, and the profiles have learnt it since: the signal values are those stored that day, and the "
    "baseline rows that they were compared with are no longer known"
)


def _late(state: State, baselines: Baselines, notable: NotableDocument) -> Optional[_Again]:
    """What came late of a day, by the profiles before the day on which it came."""
    day = day_of(parse(notable["first_time"]))
    key = day, str(notable["identity"]["id"])
    identity_day = state.load([key]).get(key)
    if identity_day is None or not identity_day.behaviours or state.daybook.is_closed(day_scored(notable)):
        return None
    return _scored_again(state, baselines, (day_scored(notable), [identity_day]))


def _members(stored: Iterable[Stored], lead: str) -> tuple[str, ...]:
    traces = (row.trace for row in stored if row.trace is not None)
    groups: list[Group] = linking.join(traces)
    return next((group.members for group in groups if group.lead == lead), (lead,))


def _identity_days(state: State, day: int, names: Sequence[str]) -> dict[str, IdentityDay]:
    rows = state.rows.get("day", [f"{day:06d}/{name}" for name in names])
    return {key[7:]: day_rows.unpack(raw) for key, raw in rows.items()}


def _scored_again(state: State, baselines: Baselines, what: tuple[int, list[IdentityDay]]) -> _Again:
    day, identity_days = what
    state.fill(baselines, {identity_day.identity.id: identity_day for identity_day in identity_days}, day)
    parts = [score_day(baselines, identity_day, day) for identity_day in identity_days]
    rows = [consulted(baselines, part) for part in parts]
    values = values_together([(part.values, part.view) for part in parts])
    features = features_together(parts, values)
    return _Again(values, features, digest(rows), "", parts[0].bound.model.likelihood(features))
