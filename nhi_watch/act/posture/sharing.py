"""One identity for several environments or several applications."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nhi_watch.act.posture.finding import Finding
from nhi_watch.act.posture.matching import Scene, is_machine
from nhi_watch.context import assets
from nhi_watch.context.networks import network_facts
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect.history import Life, Sight, short
from nhi_watch.detect.impact import REACH_DAYS
from nhi_watch.detect.signals._kit import listing

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
ENVIRONMENTS = {
    "production": ("prod", "production", "prd", "live"),
    "other": ("dev", "develop", "development", "test", "testing", "stg", "stage", "staging", "qa", "uat", "sandbox",
              "nonprod", "preprod", "integration"),
}  # fmt: skip
_BY_WORD = {word: name for name, words in ENVIRONMENTS.items() for word in words}
TARGETS = 2
"""Targets of an environment from which it counts as used."""
DAYS = 3
"""Days on which an application is seen before it counts."""


def environment(text: str) -> str:
    """production, other, or "" where a name does not tell.

    >>> environment("shop-prod-uploads"), environment("OrdersEtlStgRole"), environment("product-images")
    ('production', 'other', '')
    """
    words = {word.lower() for word in _WORD.findall(text)}
    found = {_BY_WORD[word] for word in words if word in _BY_WORD}
    return found.pop() if len(found) == 1 else ""


def across_environments(scene: Scene) -> Iterator[Finding]:
    """Identities that work in production and elsewhere, by the names of what they touch and who uses them."""
    for life in scene.machines():
        touched = _touched(scene, life)
        own = _own(scene, life)
        here = {own} - {""} if own else {name for name, found in touched.items() if len(found) >= TARGETS}
        there = {name for name, found in touched.items() if len(found) >= TARGETS and name not in here}
        several = here | there
        if len(several) < 2:
            continue
        told = "; ".join(f"{name}: {listing(touched.get(name, [short(life.identity)]), 3)}" for name in sorted(several))
        urgency = 35.0 if own == "other" else 30.0
        evidence = f"{short(life.identity)} works in {told}"
        yield Finding("shared_environments", life.identity, urgency, evidence, life=life)


def _own(scene: Scene, life: Life) -> str:
    """Its own environment: by the customer's table, else by its name."""
    told = assets.find(scene.assets, life.identity).environment
    return environment(told) if told else environment(short(life.identity))


def _touched(scene: Scene, life: Life) -> dict[str, list[str]]:
    """Environment → the targets and callers that it is told by."""
    since = scene.today - REACH_DAYS
    known = (target for target, seen in life.profile.dimension("target").values.items() if seen.last >= since)
    callers = (short(scene.history.lives[name].identity) for name in life.callers if name in scene.history.lives)
    found: dict[str, list[str]] = {}
    for text in (*known, *callers):
        name = environment(text)
        if name:
            found.setdefault(name, []).append(text)
    return found


class Application(NamedTuple):
    """What tells one application's use of a credential from another's."""

    agent: str
    owner: str
    """Who runs the network that it works from."""


def across_applications(scene: Scene) -> Iterator[Finding]:
    """One credential that several applications use at the same time, or a role that several workloads take."""
    for life in scene.machines():
        yield from _keys(scene, life)
        callers = sorted(
            short(scene.history.lives[name].identity)
            for name in life.callers
            if name in scene.history.lives and is_machine(scene.history.lives[name])
        )
        if len(set(callers)) > 1:
            evidence = f"{short(life.identity)} is taken by {len(callers)} identities: {listing(callers)}"
            yield Finding("reused_credential", life.identity, 25.0, evidence, life=life)


def _keys(scene: Scene, life: Life) -> Iterator[Finding]:
    for credential in life.credentials:
        told = [sight for sight in life.sights if sight.credential == credential.id and sight.outcome == "success"]
        apart = _apart(_applications(told))
        if len(apart) > 1:
            names = listing([f"{a.agent or 'no agent'} from {a.owner}" for a in apart])
            evidence = f"{credential.id} is used by {len(apart)} applications side by side: {names}"
            name, records = credential.id, tuple(dict.fromkeys(r for sight in told for r in sight.record_ids[:1]))
            yield Finding("reused_credential", life.identity, 40.0, evidence, name, name, records[:20], life)


def _applications(told: Iterable[Sight]) -> dict[Application, set[int]]:
    """Application → days on which it was seen; those seen often enough."""
    days: dict[Application, set[int]] = {}
    for sight in told:
        if sight.network and not sight.network.startswith("service:"):
            who = Application(sight.agent, network_facts(sight.network).owner)
            days.setdefault(who, set()).update((sight.first // DAY, sight.last // DAY))
    return {who: seen for who, seen in days.items() if len(seen) >= DAYS}


def _apart(found: dict[Application, set[int]]) -> list[Application]:
    """Applications that differ in agent and network, and work at the same time: an upgrade or a move is none."""
    chosen: list[Application] = []
    for who in sorted(found, key=lambda a: (-len(found[a]), a)):
        unlike = all(who.agent != other.agent and who.owner != other.owner for other in chosen)
        beside = all(len(found[who] & found[other]) >= DAYS for other in chosen)
        if unlike and beside:
            chosen.append(who)
    return sorted(chosen)
