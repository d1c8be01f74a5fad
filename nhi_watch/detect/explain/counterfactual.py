"""What would have been normal instead, and how likely it is; and the likelihood without a signal's records.

Both are claims about the same judgement: a day is made up, or a part of the real one is left out, and it is judged
exactly as the episode was, by the same model against the same baseline. So whoever has both can check them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from nhi_watch.context import actions, agents
from nhi_watch.core.behaviour import Behaviour, IdentityDay, Shape
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import Instead, clip
from nhi_watch.core.timestamps import HOUR
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import (
    Baselines,
    Episode,
    of_views,
    part_of,
    points_together,
    score_day,
    values_together,
)
from nhi_watch.detect.signals import SIGNALS, Signal
from nhi_watch.state.baseline import TENANT, Profile, peer_scope

CHOICES = 4
"""Networks and calls that are offered."""
STEADY = 0.5
"""Share of the active days on which a long-lived key must have been used to belong to what is normal."""
NO_DAY = 0.0
"""The likelihood of a day on which nothing happened: there is no episode."""


class _Scope(NamedTuple):
    """Whose habits are offered."""

    name: str
    """own | peers | tenant"""
    profile: Profile


def instead(baselines: Baselines, episode: Episode) -> Instead:
    """A normal day of the identity: one call each of those it makes most, from any one of its networks.

    Of a newcomer it is what its peers do, else what the tenant does; on the very first day what the world does: of the
    services that it called, where one is known.
    The likelihood is the highest that any of the networks would give.
    """
    identity, day = episode.identity, episode.view.past.today
    scopes = list(_scopes(baselines, identity))
    services = {view.shape.service for view in episode.view.views}
    calls = next(
        ((s.name, found) for s in scopes if (found := _top(s, "action", services if s.name == "tenant" else ()))),
        ("world", _world(baselines.card, services)),
    )
    shape = _shape(scopes, episode.view.views[0].shape)
    networks = _values(scopes, "network") or [shape.network]
    hour = int(_first(scopes[:1], "hour", str(episode.view.behaviours()[0].hour % 24)))
    made = Instead(
        calls[0], tuple(calls[1]), tuple(networks), shape.agent, shape.region, shape.credential,
        shape.credential_type, hour, 0.0, "",
    )  # fmt: skip
    told = (likelihood_of_day(baselines, normal_day(identity, day, made, network)) for network in networks)
    return _worded(made, max(told))


def normal_day(identity: Identity, day: int, made: Instead, network: str) -> IdentityDay:
    """The day that a counterfactual speaks of, from one of its networks."""
    whole = IdentityDay(day)
    for call in made.actions:
        service, _, operation = call.partition(":")
        shape = Shape(
            identity, identity.account, made.credential, made.credential_type, call, service,
            actions.access(service, operation), network, made.agent, made.region, "success", "", "own", (),
        )  # fmt: skip
        hour = day * 24 + made.hour
        whole.behaviour(shape, hour).add(hour * HOUR, 0, f"normal/{call}")
    return whole


def likelihood_of_day(baselines: Baselines, whole: IdentityDay) -> float:
    """The likelihood of one identity's day."""
    return score_day(baselines, whole).likelihood


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
        told = [(view, [b for b in view.behaviours if id(b) not in away]) for view in part.view.views]
        views = [part_of(view, left, part.bound) for view, left in told if left]
        if views:
            parts.append(of_views(part, views))
    if not parts:
        return NO_DAY
    values = values_together([(part.values, part.view) for part in parts])
    return baselines.card.likelihood(points_together(parts, values), values)


def _scopes(baselines: Baselines, identity: Identity) -> Iterator[_Scope]:
    """The identity, its peers, the tenant: nearest first."""
    yield _Scope("own", baselines.own.get(identity.id) or Profile())
    yield _Scope("peers", baselines.groups.get(peer_scope(identity)) or Profile())
    yield _Scope("tenant", baselines.groups.get(TENANT) or Profile())


def _top(scope: _Scope, dimension: str, services: Collection[str] = ()) -> list[str]:
    known = scope.profile.dimension(dimension).values
    return sorted(_of(known, services), key=lambda v: (-known[v].days, -known[v].last, v))[:CHOICES]


def _of(calls: Iterable[str], services: Collection[str]) -> list[str]:
    """Those of some services, where there are any: what is usual in another product is no answer."""
    every = list(calls)
    return [call for call in every if call.partition(":")[0] in services] or every


def _values(scopes: Iterable[_Scope], dimension: str) -> list[str]:
    return next((found for scope in scopes if (found := _top(scope, dimension))), [])


def _first(scopes: Iterable[_Scope], dimension: str, otherwise: str) -> str:
    return next(iter(_values(scopes, dimension)), otherwise)


def _world(model: Scorecard, services: Collection[str]) -> list[str]:
    shares = model.prior.get("action", {})
    known = _of((call for call in shares if call != "*"), services)
    return sorted(known, key=lambda call: (-shares[call], call))[:CHOICES]


def _shape(scopes: list[_Scope], seen: Shape) -> Shape:
    """What is usual in all that is not offered as a choice; as it was seen where nothing is known."""
    own = scopes[0].profile
    key = _first(scopes[:1], "credential", "")
    steady = bool(key) and own.dimension("credential").values[key].days >= STEADY * own.days
    return seen._replace(
        agent=_agent(scopes, seen), region=_first(scopes, "region", seen.region),
        credential=key if steady else "",
        credential_type=_first(scopes, "credential_type", seen.credential_type),
    )  # fmt: skip


def _agent(scopes: Iterable[_Scope], seen: Shape) -> str:
    """An attack tool is no part of a normal day, however often it was seen."""
    known = (name for name in _values(scopes, "agent") if not agents.is_attack_tool(name))
    otherwise = "" if "attack_tool" in seen.traits or agents.is_attack_tool(seen.agent) else seen.agent
    return next(known, otherwise)


_WHOSE = {"own": "", "peers": "what its peers do: ", "tenant": "what others here do: ", "world": "what is common: "}


def _worded(made: Instead, likelihood: float) -> Instead:
    parts = [f"with these calls: {_list(made.actions)}", f"by {made.agent}" if made.agent else ""]
    place = f"from one of these networks: {_list(made.networks)}; " if made.networks[0] else ""
    told = f"{_WHOSE[made.of]}{place}{', '.join(filter(None, parts))} (likelihood {likelihood:g}%)"
    return made._replace(likelihood=likelihood, text=clip(told, 1000))


def _list(texts: Iterable[str]) -> str:
    return ", ".join(clip(text, 100) for text in texts)
