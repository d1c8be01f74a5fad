"""Sensitive routines: what an identity did on several of its first days, from its own places, although it looks bad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import render_day
from nhi_watch.state.baseline import LEARNING, PLACE, ROUTINE, Profile
from nhi_watch.state.state import State


class Routine(NamedTuple):
    """What an identity did on several of its first days, from its own places, although it looks bad."""

    identity: str
    name: str
    calls: list[str]
    days: int
    """On how many the most frequent of the calls came, until it was learnt and since."""
    places: list[str]
    since: str
    """The date of the first of them."""
    found: str
    """The date of the last day that made it a routine."""
    is_all: bool
    """Whether nothing else that looked bad is left of the identity."""
    notables: list[str]


def of(state: State, documents: Iterable[Mapping[str, Any]]) -> dict[str, Routine]:
    """Identity → its sensitive routine, of those of some notables that have one.

    Only notables of an identity's first days are asked about: profiles are large, and others have none.
    """
    by_identity: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for document in documents:
        is_early = document["revisions"] and document["usual"]["active_days"] < LEARNING
        for identity in (document["identity"], *document["members"]) if is_early else ():
            known[identity["id"]] = identity["name"]
            if document["id"] not in by_identity.setdefault(identity["id"], []):
                by_identity[identity["id"]].append(document["id"])
    profiles = (
        (name, profile) for name, profile in state.profiles(by_identity).items() if ROUTINE in profile.dimensions
    )
    return {name: _routine(profile, name, known[name], by_identity[name]) for name, profile in profiles}


def _routine(profile: Profile, identity: str, name: str, notables: list[str]) -> Routine:
    routines, known = profile.dimension(ROUTINE).values, profile.dimension("action").values
    seen = [known[call] for call in routines if call in known] or list(routines.values())
    return Routine(
        identity,
        name,
        sorted(routines),
        max(seen_value.days for seen_value in seen),
        sorted(profile.dimension(PLACE).values),
        render_day(min(seen_value.first for seen_value in seen)),
        render_day(max(seen_value.last for seen_value in routines.values())),
        profile.is_clear,
        notables,
    )


def plain(routines: Mapping[str, Routine]) -> list[dict[str, Any]]:
    """Routines as run.json has them, the latest first."""
    return [
        routine._asdict() for routine in sorted(routines.values(), key=lambda r: (r.found, r.identity), reverse=True)
    ]


def days_of(document: Mapping[str, Any], known: Mapping[str, Routine]) -> int:
    """On how many days a notable's identities did what it shows, if that is nothing but routines; 0: it is not.

    Nothing in it is newer than they are, and nothing else waits.
    """
    names = {document["identity"]["id"], *(member["id"] for member in document["members"])}
    mine = [known[name] for name in names if name in known]
    is_all = len(mine) == len(names) and all(
        routine.is_all and document["last_time"][:10] <= routine.found for routine in mine
    )
    return max(routine.days for routine in mine) if is_all else 0
