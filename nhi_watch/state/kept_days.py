"""What one process keeps between its rounds, so that it is not built again: identity-days, profiles, hours of suspects.

An identity-day is handed over: who takes it may change it, and it is here again only once it was put into the store.
What a round leaves behind when it fails is therefore never taken for what the store holds; who gives up what was put
calls `forget`, as does who finds that another process has written.

A profile before an open day is a function of a few rows. It is kept with them, and used for as long as the store holds
the very same; rounds share it, so nobody may change it. How likely an identity-day was at the end of each hour follows
from such profiles and from the day's events until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.state.baseline import Profile

LIMIT = 1_000_000
"""Records, and ten for each behaviour, that are kept: some 100 MB. Beyond it those go that were used longest ago."""
_BEHAVIOUR = 10
PROFILES = 4_000
"""Profiles that are kept: some 80 MB. Beyond it those go that were used longest ago."""

Source = tuple[object, ...]
"""The rows that a profile is made of; the profiles, and what else, hours are scored by."""
HourlyLikelihoods = dict[int, tuple[int, float]]
"""Hour → events of the day until its end, and how likely an intrusion they were."""


class KeptDays:
    """Identity-days of open days, by day and identity, and profiles before them."""

    def __init__(self, limit: int = LIMIT, profiles: int = PROFILES) -> None:
        """`limit`: see LIMIT; `profiles`: see PROFILES."""
        self._limit = limit
        self._most_profiles = profiles
        self.forget()

    def __len__(self) -> int:
        return len(self._days)

    def forget(self) -> None:
        """Keep nothing."""
        self._days: dict[tuple[int, str], IdentityDay] = {}
        self._size = 0
        self._profiles: dict[tuple[int, str], tuple[Source, Profile]] = {}
        self._hours: dict[tuple[int, str], tuple[Source, HourlyLikelihoods]] = {}

    def profile(self, day: int, name: str, source: Source, make: Callable[[], Profile]) -> Profile:
        """The profile before a day that rows make, made only where it was not kept, or was made of other rows."""
        source_before, profile = self._profiles.pop((day, name), (None, None))
        if profile is None or source_before != source:
            profile = make()
        self._profiles[day, name] = source, profile
        if len(self._profiles) > self._most_profiles:
            del self._profiles[next(iter(self._profiles))]
        return profile

    def hours(self, day: int, name: str, source: Source) -> HourlyLikelihoods:
        """The hours of an identity-day, which the caller fills; none are known yet where it has another source."""
        source_before, hours = self._hours.pop((day, name), (None, None))
        if hours is None or source_before != source:
            hours = {}
        self._hours[day, name] = source, hours
        if len(self._hours) > self._most_profiles:
            del self._hours[next(iter(self._hours))]
        return hours

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
