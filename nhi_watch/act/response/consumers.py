"""What breaks: who was seen to use a credential or an identity, by the behaviours and the call graph of the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain.brief import quoted
from nhi_watch.detect.history import History, Sight

MOST = 30


class Consumer(NamedTuple):
    """One user of the identity: from where, with what, and when last."""

    identity: str
    credential: str
    """"" where it used none that lasts."""
    network: str
    agent: str
    last: int
    events: int
    suspicious: bool
    """The network is news in the notable: this is likely who must be stopped."""


def of(history: History, notable: Mapping[str, Any], members: Iterable[Mapping[str, Any]]) -> list[Consumer]:
    """The consumers of a notable's identities, the latest use first; refused calls are no use."""
    strange = _strange(notable)
    found: dict[tuple[str, str, str, str], Consumer] = {}
    for member in members:
        life = history.lives.get(member["id"])
        for sight in life.sights if life else ():
            if sight.outcome == "success":
                _add(found, str(member["id"]), sight, strange)
    return sorted(found.values(), key=lambda c: (-c.last, c))[:MOST]


def _add(
    found: dict[tuple[str, str, str, str], Consumer], identity: str, sight: Sight, strange: frozenset[str]
) -> None:
    key = (identity, sight.credential, sight.network, sight.agent)
    before = found.get(key)
    last, events = (max(before.last, sight.last), before.events) if before else (sight.last, 0)
    found[key] = Consumer(*key, last, events + sight.count, sight.network in strange)


def callers(history: History, members: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of the identities that obtain sessions of the notable's identities."""
    lives = (history.lives.get(member["id"]) for member in members)
    return sorted({caller for life in lives if life for caller in life.callers})[:MOST]


def plain(consumer: Consumer) -> dict[str, Any]:
    """A consumer as it stands in a plan: log values quoted."""
    told = {name: quoted(getattr(consumer, name)) for name in ("identity", "credential", "network", "agent")}
    return {**told, "last_use": render(consumer.last), "events": consumer.events, "suspicious": consumer.suspicious}


def _strange(notable: Mapping[str, Any]) -> frozenset[str]:
    seen = (d for d in notable["usual"]["dimensions"] if d["name"] == "network")
    return frozenset(o["value"] for d in seen for o in d["observed"] if o["new"])
