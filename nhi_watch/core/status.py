"""A notable's history: its revisions, their receipts, and whom it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nhi_watch.core.documents import NotableDocument, SignalDocument, TimelineDocument
from nhi_watch.core.timestamps import DAY, parse, render_day

LIGHT = 1.5
"""Points under which a call is not unusual."""
BESIDE = 0.1
"""Share of the most unusual call's points under which another one of that day is not unusual: the little that a signal
of the whole day gives to each row says nothing about the routine beside a theft."""
REASON_LOG_ODDS = 0.25
"""Log-odds of the likelihood from which a signal is a reason."""
BACK = "Back since"
"""How the sentence begins that explains why a notable is listed again after a verdict."""
CAME_LATE = "came late"
"""Of an episode whose records came after its day was closed."""
LITTLE = 0.1
"""Log-odds under which a signal is named, but not explained."""


@dataclass(frozen=True)
class Receipt:
    """Hashes (SHA-256, hex) with which a likelihood can be recomputed and disputed."""

    model: str
    signals: str
    """Of the signal values."""
    baseline: str
    """Of the baseline rows consulted."""


@dataclass(frozen=True)
class Revision:
    """One episode of a notable: what an identity, or several that links join, did on one day."""

    revision: int
    """Its number among the episodes."""
    time: int
    """The last second of what is suspicious."""
    day: str
    """UTC date."""
    likelihood: float
    """Of that day alone."""
    why: str
    """first seen | goes on | severity rose to … | too weak to be listed | came late | the verdict that covers it."""
    identity: str
    """The id of the identity that led."""
    signals: tuple[str, ...]
    """Those that had points."""
    receipt: Receipt
    title: str = ""
    severity: str = ""
    identities: tuple[str, ...] = ()
    """Ids of all its identities."""


@dataclass(frozen=True)
class Folded:
    """What this notable stands for: critical ones beyond every budget, or strangers and newcomers of one origin."""

    origin: str
    """What they share: a network, a group of peers, another account, never to have been let in."""
    count: int
    """How many, this one among them; of an origin, on the day that had most."""
    ids: tuple[str, ...]
    """The others, at most 200: notables, or identities of an origin."""


def tells_calls(notable: NotableDocument) -> bool:
    """Whether a notable shows unusual calls: a compromise, or the exposure of a key that was misused."""
    return notable["kind"] == "compromise" or notable["model"].get("ordinary") is not None


def lowers(notable: NotableDocument, signal: SignalDocument) -> bool:
    """Whether the likelihood would be lower without a signal's records, by a point at least."""
    without = signal.get("without")
    return without is not None and notable["likelihood"] - without >= 1


def unusual_from(points: Iterable[float]) -> float:
    """Points from which a call of a day is unusual, of all that its calls have.

    >>> unusual_from([4.4, 4.4, 56.8]) > 4.4, unusual_from([2.0, 0.0])
    (True, 1.5)
    """
    return max(LIGHT, BESIDE * max(points, default=0.0))


def face_day(notable: NotableDocument) -> str:
    """The UTC date whose likelihood and summary a compromise shows: the day after that of its baseline."""
    eve = parse(f"{notable['baseline']['id'][:10]}T00:00:00Z")
    return render_day(eve // DAY + 1)


def unusual_least(notable: NotableDocument) -> float:
    """Points from which an entry of the timeline is unusual: by those of the day that the summary describes."""
    day = face_day(notable)
    then = [entry["points"] for entry in notable["timeline"] if entry["time"][:10] == day]
    return unusual_from(then or [entry["points"] for entry in notable["timeline"]])


def unusual_calls(notable: NotableDocument) -> tuple[Sequence[TimelineDocument], Sequence[TimelineDocument]]:
    """Timeline entries that are unusual: those of the day that the summary describes, and those of its other days."""
    day = face_day(notable)
    least = unusual_least(notable)
    unusual = [entry for entry in notable["timeline"] if entry["points"] >= least] or notable["timeline"]
    then = [entry for entry in unusual if entry["time"][:10] == day]
    return (then, [entry for entry in unusual if entry["time"][:10] != day]) if then else (unusual, [])


INSTEAD = {
    "which this intrusion made": "delete what the intrusion made",
    "Revoke the sessions of ": "end its sessions",
    "Revoke the tokens of ": "revoke its tokens",
}
"""What stands in the reason of a rotation → what it comes to, where there is no secret to rotate."""


def is_new(notable: NotableDocument) -> bool:
    """Whether a notable got its row since yesterday; a finding of posture is a state, and never new."""
    return bool(notable["life"] == "new" and notable["kind"] != "posture")


WAITS_FROM = 3 * DAY
"""A weekend: what nothing was added to for longer is read once, as part of a count."""


def is_waiting(notable: NotableDocument, end: int) -> bool:
    """Whether a notable stays in the list for a verdict alone: nothing was added to it in the WAITS_FROM
    before `end`."""
    return notable["life"] == "quiet" and tells_calls(notable) and end - parse(notable["last_time"]) > WAITS_FROM


BY_ROUTINE = "a sensitive routine"
"""How `closed_why` begins where a notable showed what an identity that was still being learnt does on most days."""
RESOLVING = ("benign", "expected", "duplicate")
"""Verdicts that take a notable off the list."""
RESOLVED = (*RESOLVING, "excepted", BY_ROUTINE)
"""How `closed_why` begins where people, or what was learnt, have dealt with a notable."""


def is_resolved(notable: NotableDocument) -> bool:
    """Whether a verdict, an exception or a routine took a notable off the list."""
    return notable["life"] == "closed" and str(notable["closed_why"]).startswith(RESOLVED)


def closed_by(why: str) -> str:
    """What took a notable off the list, of its `closed_why`: without who gave it and when.

    >>> closed_by("benign, by ann on 2026-03-01"), closed_by("excepted"), closed_by(f"{BY_ROUTINE}: s3:GetObject")
    ('benign', 'excepted', 'routine')
    """
    return "routine" if why.startswith(BY_ROUTINE) else why.partition(",")[0]


def is_routine(notable: NotableDocument) -> bool:
    """Whether a notable was closed because it showed a routine alone."""
    return notable["life"] == "closed" and str(notable["closed_why"]).startswith(BY_ROUTINE)
