"""What a notable's response is about: the credentials that its records show, and what no longer exists.

A credential comes from any record of the notable, not only from what its panel names: an identity that is linked, or
that signs in some calls and uses a key in others, has it in its behaviours. What was deleted meanwhile gets no command,
and is said instead, with the record that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from nhi_watch.core.timestamps import HOUR, parse, render
from nhi_watch.detect.history import History, Life
from nhi_watch.state.inventory import Change, Credential

MEMBERS = 10


class Gone(NamedTuple):
    """Something that no longer exists."""

    identity: str
    credential: str
    """"" where it is the identity itself."""
    why: str


class Subjects(NamedTuple):
    """Whom and what to act on."""

    credentials: Mapping[str, list[str]]
    """Identity id → its long-lived credentials that are concerned."""
    gone: tuple[Gone, ...] = ()
    made: frozenset[str] = frozenset()
    """Ids of the identities and credentials that the notable's own identities made."""
    calls: Mapping[str, frozenset[str]] = {}
    """Identity id → what it called for the first time during the notable, as far as days are kept."""

    def left(self, notable: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The identities that still exist."""
        dead = {one.identity for one in self.gone if not one.credential}
        return [member for member in members_of(notable) if member["id"] not in dead]


def members_of(notable: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The identities that a response is about."""
    return list(notable.get("members") or [notable["identity"]])[:MEMBERS]


def subjects(history: History, notable: Mapping[str, Any]) -> Subjects:
    """The credentials to act on, identity by identity: those in the notable's records, else all that are not dead."""
    members = members_of(notable)
    ids = frozenset(str(member["id"]) for member in members)
    found: dict[str, list[str]] = {}
    gone: list[Gone] = []
    for name in sorted(ids):
        life = history.lives.get(name)
        end = _deleted(life)
        if end is not None:
            gone.append(Gone(name, "", _told("it no longer exists: deleted", end)))
        found[name] = []
        for credential in _named(notable, life, alone=len(members) == 1):
            dead = _ended(history.credentials.get(credential), ids)
            if dead is None:
                found[name].append(credential)
            elif end is None:
                gone.append(Gone(name, credential, _told(f"it was {dead.what}", dead)))
    lives = {name: history.lives[name] for name in ids if name in history.lives}
    calls = {name: _first_calls(life, notable) for name, life in lives.items()}
    return Subjects(found, tuple(gone), _made(history, notable, ids), calls)


def _made(history: History, notable: Mapping[str, Any], ids: frozenset[str]) -> frozenset[str]:
    """What the notable's own made while it lasted: nobody else relies on that."""
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    done = [(name, history.lives[name].done) for name in ids if name in history.lives]
    done += [(one.id, list(one.changes)) for one in history.credentials.values()]
    return frozenset(name for name, changes in done for c in changes
                     if c.what == "created" and c.by in ids - {name} and first <= c.time <= last)  # fmt: skip


def _first_calls(life: Life, notable: Mapping[str, Any]) -> frozenset[str]:
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    before = {action for sight in life.sights if sight.first < first for action in sight.actions}
    during = {action for sight in life.sights if first <= sight.last and sight.first <= last
              for action in sight.actions}  # fmt: skip
    return frozenset(during - before)


def _named(notable: Mapping[str, Any], life: Optional[Life], alone: bool) -> list[str]:
    """The credentials that the notable's records show; of none, all that the identity has."""
    told = (d for d in notable["usual"]["dimensions"] if d["name"] == "credential")
    shown = {o["value"] for d in told for o in d["observed"] if o["value"]} if alone else set()
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    sights = life.sights if life else []
    shown |= {s.credential for s in sights if s.credential and s.last >= first and s.first <= last}
    return sorted(shown or {c.id for c in (life.credentials if life else ())})


def _ended(credential: Optional[Credential], members: frozenset[str]) -> Optional[Change]:
    """What ended a credential; one of the notable's own who switched it off may switch it on again."""
    end = credential.latest("deactivated", "deleted", "reactivated") if credential else None
    if end is None or end.what == "reactivated" or (end.what == "deactivated" and end.by in members):
        return None
    return end


def _deleted(life: Optional[Life]) -> Optional[Change]:
    end = next((change for change in reversed(life.done) if change.what == "deleted"), None) if life else None
    return end if end and life and life.last <= end.time + HOUR else None


def _told(what: str, change: Change) -> str:
    return f"{what} at {render(change.time)} by {change.by} (record {change.record_id})"
