"""Frameworks as data: OWASP NHI Top 10, NIST CSF, MITRE ATT&CK and ATLAS. An unknown id is a defect.

One JSON file a framework: `{"entries": {id: {"name": …, "tactics": […]}}}`, read on first use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nhi_watch.core.errors import NhiError

FRAMEWORKS = ("owasp_nhi", "nist_csf", "mitre_attack", "mitre_atlas")

ALWAYS = ("NHI-07", "DE.CM-1")
"""Ids that every notable carries: the product's fixed mapping."""


class UnknownIdError(NhiError):
    """A framework id that the files beside this module do not have."""


class FrameworkEntry(NamedTuple):
    """One id of one framework."""

    framework: str
    """One of FRAMEWORKS."""
    name: str
    tactics: tuple[str, ...]
    """ATT&CK's short names, as in `initial-access`; empty in the other frameworks."""


def check(ids: Iterable[str]) -> None:
    """Raise unless every id is known.

    Raises:
        UnknownIdError: naming the ids.

    >>> check(["NHI7:2025", "DE.CM-09", "T1078.004"])
    >>> check(["T9999"])
    Traceback (most recent call last):
    nhi_watch.context.frameworks.UnknownIdError: unknown framework ids: T9999; add them to nhi_watch/context/frameworks
    """
    unknown = [item for item in ids if item not in _entries()]
    if unknown:
        raise UnknownIdError(f"unknown framework ids: {', '.join(unknown)}; add them to nhi_watch/context/frameworks")


def name(item: str) -> str:
    """What the framework calls the id.

    >>> name("NHI7:2025"), name("T1562.008")
    ('Long-Lived Secrets', 'Impair Defenses: Disable or Modify Cloud Logs')
    """
    return _entry(item).name


def tactics(item: str) -> tuple[str, ...]:
    """The tactics of an ATT&CK technique, in the order of a kill chain.

    >>> tactics("T1078.004")
    ('initial-access', 'persistence', 'privilege-escalation', 'defense-evasion')
    """
    return _entry(item).tactics


def framework_of(item: str) -> str:
    """Which framework an id belongs to.

    >>> framework_of("DE.CM-1"), framework_of("AML.CS0030")
    ('nist_csf', 'mitre_atlas')
    """
    return _entry(item).framework


def grouped(ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids by framework, each list sorted and without repeats, ids of ALWAYS first; every framework is a key.

    >>> grouped(["T1528", "NHI-07"])
    {'owasp_nhi': ['NHI-07'], 'nist_csf': [], 'mitre_attack': ['T1528'], 'mitre_atlas': []}
    """
    groups: dict[str, list[str]] = {framework: [] for framework in FRAMEWORKS}
    for item in sorted(set(ids), key=lambda item: (item not in ALWAYS, item)):
        groups[framework_of(item)].append(item)
    return groups


def _entry(item: str) -> FrameworkEntry:
    check([item])
    return _entries()[item]


@cache
def _entries() -> dict[str, FrameworkEntry]:
    entries: dict[str, FrameworkEntry] = {}
    for framework in FRAMEWORKS:
        path = Path(__file__).with_name(f"{framework}.json")
        for item, entry in json.loads(path.read_text(encoding="utf-8"))["entries"].items():
            entries[item] = FrameworkEntry(framework, entry["name"], tuple(entry.get("tactics", ())))
    return entries
