"""Identity-days that one process keeps between its rounds, so that they are neither read nor decoded anew.

An identity-day is handed over: who takes it may change it, and it is here again only once it was put into the store.
What a round leaves behind when it fails is therefore never taken for what the store holds; who gives up what was put
calls `forget`, as does who finds that another process has written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from nhi_watch.core.behaviour import IdentityDay

LIMIT = 1_000_000
"""Records, and ten for each behaviour, that are kept: some 100 MB. Beyond it those go that were used longest ago."""
_BEHAVIOUR = 10


class KeptDays:
    """Identity-days of open days, by day and identity."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.forget()

    def __len__(self) -> int:
        return len(self._days)

    def forget(self) -> None:
        """Keep nothing."""
        self._days: dict[tuple[int, str], IdentityDay] = {}
        self._size = 0

    def take(self, day: int, name: str) -> Optional[IdentityDay]:
        """Hand over an identity-day, if it is kept."""
        identity_day = self._days.pop((day, name), None)
        if identity_day is not None:
            self._size -= _size(identity_day)
        return identity_day

    def give(self, day: int, identity_days: Mapping[str, IdentityDay]) -> None:
        """Keep identity-days as they were just put into the store."""
        for name, identity_day in identity_days.items():
            self.take(day, name)
            identity_day.mark_stored()
            self._days[day, name] = identity_day
            self._size += _size(identity_day)
        while self._size > self._limit:
            self.take(*next(iter(self._days)))


def _size(identity_day: IdentityDay) -> int:
    return len(identity_day.seen) + _BEHAVIOUR * len(identity_day.behaviours)
