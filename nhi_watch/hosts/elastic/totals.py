"""The run.json of several parts, as if they had been one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
MAX_REJECTS = 100


class Totals:
    """Adds up what parts say: counts are summed, the rest is the latest part's."""

    def __init__(self) -> None:
        self._run: Json = {}
        self._identities: set[str] = set()
        self._notables: dict[str, str] = {}
        self.rejects: list[dict[str, str]] = []
        """Where the first rejected documents lie, for they stay where they are."""

    def reject(self, index: str, document: str, reason: str) -> None:
        """Note one document that is no event."""
        if len(self.rejects) < MAX_REJECTS:
            self.rejects.append({"index": index, "id": document, "reason": reason})

    def add(self, run: Json, identities: Iterable[str], notables: Iterable[Json]) -> None:
        """Add a part."""
        self._identities.update(identities)
        self._notables.update((notable["id"], notable["severity"]) for notable in notables)
        self._run = {**self._run, **{name: _sum(name, self._run.get(name), value) for name, value in run.items()}}

    def whole(self) -> Json:
        """All of it."""
        return {
            **self._run,
            "identities": len(self._identities),
            "notables": len(self._notables),
            "rejects": self.rejects,
        }


def _sum(name: str, before: Any, value: Any) -> Any:
    """One entry of two parts together.

    >>> _sum("read", 1, 2), _sum("seconds", {"read": 1.5}, {"read": 1, "rank": 2}), _sum("budget", 10.0, 10.0)
    (3, {'read': 2.5, 'rank': 2}, 10.0)
    >>> _sum("days", ["2025-01-01", "2025-01-02"], ["2025-01-02", "2025-01-03"]), _sum("overflow_highest", 3.0, 2.0)
    (['2025-01-01', '2025-01-03'], 3.0)
    """
    if before is None or name == "budget":
        return value
    if name == "overflow_highest":
        return max(before, value)
    if name == "days":
        days = [*before, *value]
        return [min(days), max(days)] if days else []
    if isinstance(value, (int, float)):
        return round(before + value, 3)
    if isinstance(value, dict) and all(isinstance(v, (int, float)) for v in [*value.values(), *before.values()]):
        return {key: _sum(key, before.get(key), value.get(key, 0)) for key in {**before, **value}}
    return value
