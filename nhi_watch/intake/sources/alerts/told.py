"""What an alert of another product tells, whatever the product."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from nhi_watch.core.event import Identity

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
_LABELS = {
    "informational": LOW, "information": LOW, "info": LOW, "undefined": LOW, "none": LOW, "low": LOW,
    "medium": MEDIUM, "moderate": MEDIUM, "hidden": MEDIUM, "unknown": MEDIUM,
    "high": HIGH, "severe": HIGH, "critical": CRITICAL, "fatal": CRITICAL,
}  # fmt: skip
_BANDS = ((20.0, LOW), (40.0, LOW), (60.0, MEDIUM), (80.0, HIGH))
_UNSAFE = re.compile(r"[^\w:./!&()+-]+")


class Alert(NamedTuple):
    """All that the Event of an alert depends on, but time, record id, session and target."""

    product: str
    kind: str
    """The product's own name for the sort of alert: a finding type, a rule's name."""
    severity: str
    """low | medium | high | critical"""
    identity: Identity
    account: str
    credential: str = ""
    address: str = ""
    region: str = ""
    links: tuple[str, ...] = ()


class Raw(NamedTuple):
    """An alert as its product tells it: raw values, and what differs from one alert of its kind to the next."""

    shape: tuple[object, ...]
    """The values on which the Alert depends; the product's `alert_of` makes it of them."""
    time: object
    record_id: object
    session: str = ""
    target: object = ""


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """A rule's name as one word, bounded.

    >>> kind_of("Threat - AWS Key, odd use - Rule"), kind_of("Recon:IAMUser/TorIPCaller")
    ('Threat-AWS-Key-odd-use-Rule', 'Recon:IAMUser/TorIPCaller')
    """
    return re.sub(r"-{2,}", "-", _UNSAFE.sub("-", name[:200])).strip("-")[:100]


@lru_cache(maxsize=1024)
def severity_of(label: str, score: str = "") -> str:
    """The severity of a label, else of a score from 0 to 100; medium where neither tells.

    >>> severity_of("Informational"), severity_of("", "61.5"), severity_of("?", "x")
    ('low', 'high', 'medium')
    """
    found = _LABELS.get(label.strip().lower())
    if found is not None:
        return found
    try:
        number = float(score)
    except ValueError:
        return MEDIUM
    if number != number or number < 0:
        return MEDIUM
    return next((level for most, level in _BANDS if number <= most), CRITICAL)
