"""Which revisions of a notable people are told: what a host last wrote of it decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.core.life import REASON_LOG_ODDS
from nhi_watch.core.notable import SEVERITIES
from nhi_watch.core.timestamps import HOUR, day_of, parse

BELOW = "below"
"""What a notable is that has no place in the budget."""
ENDED = ("merged", "withdrawn")
"""What a notable can have come to; it may still come back."""
GROWS = HOUR
"""Seconds between two revisions of a notable that only grows."""
REASON_POINTS = REASON_LOG_ODDS

Document = Mapping[str, Any]


class Ranked(NamedTuple):
    """A notable as it stands, and what became of it since it was last written."""

    document: dict[str, Any]
    change: str
    escalated: bool
    """Its first revision, or one whose severity rose."""
    run: Mapping[str, Any]
    """Of its day."""


class Told(NamedTuple):
    """What was last written of a notable."""

    revision: int
    change: str
    escalated: bool
    severity: str
    signals: Sequence[str]
    identities: Sequence[str]
    digest: str
    """Of what a reader sees."""
    at: int
    """When."""
    day: int
    """Of its last suspicious event."""
    tries: int = 1
    seen: bool = False
    """Whether it was found in the index since."""

    @property
    def ended(self) -> bool:
        """Whether nothing stands of it."""
        return self.change in ENDED


def told(one: Ranked, now: int) -> Told:
    """What is written now."""
    document = one.document
    return Told(
        document["revision"], one.change, one.escalated, document["severity"], _signals(document), _names(document),
        _digest(document), now, day_of(parse(document["last_time"])),
    )  # fmt: skip


def due(document: Document, listed: bool, before: Optional[Told], now: int) -> Optional[tuple[str, bool]]:
    """Whether an analyst would want to know, as (change, escalated); None: nothing is written.

    At once: what is new or back, another severity, a new signal, a new identity. What only grows, hourly.
    """
    fresh = "new" if listed else BELOW
    if before is None or before.ended or (before.change == BELOW) == listed:
        return fresh, listed
    rose = SEVERITIES.index(document["severity"]) > SEVERITIES.index(before.severity)
    is_more = set(_signals(document)) - {*before.signals} or set(_names(document)) - {*before.identities}
    if document["severity"] != before.severity or is_more:
        return ("updated" if listed else BELOW), listed and rose
    if _digest(document) != before.digest and now - before.at >= GROWS:
        return ("updated" if listed else BELOW), False
    return None


def _signals(document: Document) -> list[str]:
    return sorted(signal["id"] for signal in document["signals"] if signal["log_odds"] >= REASON_POINTS)


def _names(document: Document) -> list[str]:
    """Marks of the identities: their ids may be long, and many."""
    named = {document["identity"]["id"], *(one["id"] for one in document.get("members", ()))}
    return sorted(hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:12] for name in named)


def _digest(document: Document) -> str:
    shown = [document[name] for name in ("title", "summary", "severity", "record_count", "last_time", "merged_into")]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]
