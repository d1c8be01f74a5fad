"""What a notable tells of its life: its revisions, their receipts, and whom it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIGHT = 0.5
"""Points under which a signal is folded and a call is not odd."""


@dataclass(frozen=True)
class Receipt:
    """Hashes (SHA-256, hex) with which a score can be recomputed and disputed."""

    model: str
    signals: str
    """Of the signal values."""
    baseline: str
    """Of the baseline rows consulted."""


@dataclass(frozen=True)
class Revision:
    """One day of an intrusion, or what one of several identities did on it."""

    revision: int
    """The notable's revision that brought it, as it now stands."""
    time: int
    """The last second of what is suspicious."""
    day: str
    """UTC date."""
    score: float
    """Of that day alone."""
    why: str
    """first seen | goes on | what is new in it."""
    identity: str
    """The id of the identity that led."""
    signals: tuple[str, ...]
    """Those that had points."""
    receipt: Receipt


@dataclass(frozen=True)
class Folded:
    """What this notable stands for: critical ones beyond every budget, or strangers and newcomers of one origin."""

    origin: str
    """What they share: a network, a group of peers, another account, never to have been let in."""
    count: int
    """How many, this one among them; of an origin, on the day that had most."""
    ids: tuple[str, ...]
    """The others, at most 200: notables, or identities of an origin."""


def is_new(notable: Mapping[str, Any]) -> bool:
    """Whether a notable began or grew since yesterday; a finding of posture is a state, and never news."""
    return bool(notable["life"] == "new" and notable["kind"] != "posture")


BY_ROUTINE = "a sensitive routine"
"""How `closed_why` begins where a notable told of what an identity that was still being learnt does on most days."""
SETTLED = ("benign", "expected", "duplicate", "excepted", BY_ROUTINE)
"""How `closed_why` begins where people, or what was learnt, have dealt with a notable."""


def is_settled(notable: Mapping[str, Any]) -> bool:
    """Whether a verdict, an exception or a routine took a notable off the list."""
    return notable["life"] == "closed" and str(notable["closed_why"]).startswith(SETTLED)


def is_routine(notable: Mapping[str, Any]) -> bool:
    """Whether a notable was closed because it told of a routine alone."""
    return notable["life"] == "closed" and str(notable["closed_why"]).startswith(BY_ROUTINE)


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """A notable of an earlier version, as this one keeps it: it was listed, and its one day is its first revision."""
    if "revisions" in document:
        return document if "late" in document else {**document, "late": False}
    last, told = document["last_time"], [signal["id"] for signal in document["signals"] if signal["points"] > 0]
    entry = {
        "revision": document["revision"], "time": last, "day": last[:10], "score": document["score"],
        "why": "first seen", "identity": document["identity"]["id"], "signals": told, "receipt": document["receipt"],
    }  # fmt: skip
    return {
        "members": [], "links": [], "score_range": [], **document, "listed": True, "listed_on": last[:10],
        "over_budget": False, "folded": None, "folded_into": None, "life": "new", "closed_why": "",
        "first_seen": document["first_time"], "last_grown": last, "revisions": [entry], "late": False,
    }  # fmt: skip
