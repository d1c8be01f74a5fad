"""What is remembered between runs, over any Store: days, deltas, profiles, notables.

| table | key | row |
|---|---|---|
| day | day/identity | all behaviours of the day, and which records made them |
| delta | day/identity | what the day teaches, and how it was ranked |
| profile | scope[/day] | the fold of all deltas up to a day; a cache that can be made again |
| notable | day/id | the notable's JSON |
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from nhi_watch import baseline, behaviour
from nhi_watch.baseline import Delta, Profile
from nhi_watch.behaviour import IdentityDay
from nhi_watch.event import Identity
from nhi_watch.model import Scorecard
from nhi_watch.ranking import Ranked
from nhi_watch.scoring import TENANT, Baselines, peer_scope

RETAIN_DAYS = 35
"""Days of behaviours kept, within which a late record still finds its place."""
RETAIN_DELTAS = 120
GROUP_SNAPSHOTS = 8
"""Days for which the profiles of groups are kept, so that late records cost little."""
GROUPS = "group"


class Rows(Protocol):
    """The part of a Store that state needs."""

    def get(self, table: str, keys: list[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""

    def scan(self, table: str, low: str, high: str) -> Iterable[tuple[str, bytes]]:
        """Rows in key order."""

    def put(self, table: str, rows: Iterable[tuple[str, bytes | None]]) -> None:
        """Replace or delete rows."""


def _pack(plain: object) -> bytes:
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)


def _unpack(raw: bytes) -> Any:
    return json.loads(zlib.decompress(raw))


def _span(day: int) -> tuple[str, str]:
    return f"{day:06d}/", f"{day:06d}0"


class State:
    """Typed reading and writing of the tables."""

    def __init__(self, store: Rows) -> None:
        self._store = store
        self._late: list[tuple[str, bytes | None]] = []
        self._ranked: dict[str, Ranked] = {}
        self._lessons: dict[str, tuple[Delta, Delta, str]] = {}

    # ---- days

    def load_day(self, day: int) -> dict[str, IdentityDay]:
        """Identity id → IdentityDay."""
        return {
            key[7:]: behaviour.from_row(_unpack(raw)) for key, raw in self._store.scan("day", *_span(day))
        }

    def days_after(self, day: int) -> list[int]:
        """Stored days later than `day`."""
        return sorted({int(key[:6]) for key, _ in self._store.scan("day", f"{day + 1:06d}/", ":")})

    def put_days(self, wholes: Mapping[str, IdentityDay]) -> None:
        """Keep day rows for the end: they say that all else was written."""
        self._late += [(f"{w.day:06d}/{name}", _pack(behaviour.to_row(w))) for name, w in wholes.items()]

    # ---- profiles

    def fill(self, baselines: Baselines, wholes: Mapping[str, IdentityDay], day: int) -> None:
        """Bring the profiles that a day needs to its eve."""
        if not baselines.groups:
            baselines.groups = self._groups(day)
        missing = [name for name in wholes if name not in baselines.own]
        baselines.own.update(self._load(missing, day))
        for name in wholes:
            baselines.own[name].advance(day)

    def _load(self, names: list[str], day: int) -> dict[str, Profile]:
        rows = self._store.get("profile", names)
        profiles = {name: baseline.from_row(_unpack(rows[name])) if name in rows else Profile() for name in names}
        for name, profile in profiles.items():
            if profile.as_of >= day:
                profiles[name] = Profile()
        self._catch_up({name: p for name, p in profiles.items() if name in rows}, day)
        return profiles

    def _catch_up(self, profiles: dict[str, Profile], day: int) -> None:
        """Fold in the stored deltas between a profile's day and the eve of `day`."""
        oldest = day - RETAIN_DELTAS
        keys = [
            f"{d:06d}/{name}" for name, p in profiles.items() for d in range(max(oldest, p.as_of + 1), day)
        ]  # fmt: skip
        rows = self._store.get("delta", keys) if keys else {}
        for key in sorted(rows):
            now, later, *_ = _unpack(rows[key])
            teach(profiles[key[7:]], int(key[:6]), now, later)

    def _groups(self, day: int) -> dict[str, Profile]:
        rows = dict(self._store.scan("profile", f"{GROUPS}/", f"{GROUPS}0"))
        usable = [key for key in rows if int(key[6:]) < day]
        if not usable and self._oldest_delta() >= day:
            return {}
        groups: dict[str, Profile] = {}
        start = self._oldest_delta()
        if usable:
            start = int(max(usable)[6:]) + 1
            groups = {scope: baseline.from_row(row) for scope, row in _unpack(rows[max(usable)]).items()}
        for d in range(max(start, day - RETAIN_DELTAS), day):
            learn_groups(groups, d, self._stored_lessons(d))
        return groups

    def _oldest_delta(self) -> int:
        first = next(iter(self._store.scan("delta", "", ":")), None)
        return int(first[0][:6]) if first else 10**6

    def scopes(self, card: Scorecard, day: int) -> Baselines:
        """The profiles of every scope on the eve of `day`, for an export."""
        baselines = Baselines(card)
        baselines.groups = self._groups(day)
        names = [key for key, _ in self._store.scan("profile", "", "\U0010ffff") if not key.startswith(f"{GROUPS}/")]
        baselines.own = self._load(names, day)
        for profile in baselines.own.values():
            profile.advance(day)
        return baselines

    def next_open_day(self) -> int:
        """The day after the last one stored; 0 when there is none."""
        days = self.days_after(-1)
        return days[-1] + 1 if days else 0

    # ---- deltas

    def put_delta(
        self, day: int, name: str, lesson: tuple[Delta, Delta], ranked: Ranked, identity: Identity
    ) -> None:
        """Replace what a day of an identity teaches."""
        scope = peer_scope(identity)
        self._ranked[name] = ranked
        self._lessons[name] = (*lesson, scope)
        row = [*lesson, scope, ranked.score, ranked.log_odds, ranked.priority, ranked.eligible]
        self._store.put("delta", [(f"{day:06d}/{name}", _pack(row))])

    def ranked(self, day: int) -> list[Ranked]:
        """How every identity of a day was ranked, by this run or an earlier one."""
        for key, raw in self._store.scan("delta", *_span(day)):
            if key[7:] not in self._ranked:
                now, later, scope, *numbers = _unpack(raw)
                self._ranked[key[7:]] = Ranked(key[7:], *numbers)
                self._lessons[key[7:]] = (now, later, scope)
        return list(self._ranked.values())

    def _stored_lessons(self, day: int) -> list[tuple[Delta, Delta, str]]:
        rows = (_unpack(raw) for _, raw in self._store.scan("delta", *_span(day)))
        return [(now, later, scope) for now, later, scope, *_ in rows]

    def learn(self, day: int, baselines: Baselines) -> None:
        """Fold the day that was just scored into the profiles in memory."""
        for name, (now, later, _) in self._lessons.items():
            if name in baselines.own:
                teach(baselines.own[name], day, now, later)
        learn_groups(baselines.groups, day, [self._lessons[name] for name in sorted(self._lessons)])

    def snapshot(self, day: int, baselines: Baselines) -> None:
        """Keep the groups as they stood on the eve of `day`."""
        plain = {scope: baseline.to_row(profile) for scope, profile in sorted(baselines.groups.items())}
        self._store.put("profile", [(f"{GROUPS}/{day - 1:06d}", _pack(plain))])

    def next_day(self) -> None:
        """Forget what belonged to the day that is done."""
        self._lessons = {}
        self._ranked = {}

    # ---- notables

    def notables(self, day: int) -> dict[str, dict[str, Any]]:
        """Notable id → its JSON."""
        return {key[7:]: _unpack(raw) for key, raw in self._store.scan("notable", *_span(day))}

    def put_notables(self, day: int, found: list[dict[str, Any]], before: Mapping[str, Any]) -> None:
        """Replace the notables of a day; those that lost their place are gone."""
        kept = {document["id"]: document for document in found}
        rows: list[tuple[str, bytes | None]] = [(f"{day:06d}/{name}", _pack(d)) for name, d in kept.items()]
        rows += [(f"{day:06d}/{name}", None) for name in before if name not in kept]
        self._store.put("notable", rows)

    # ---- the end

    def finish(self, baselines: Baselines, last: int) -> None:
        """Write profiles, then the day rows, and forget what is too old."""
        self._store.put("profile", [(name, _pack(baseline.to_row(p))) for name, p in baselines.own.items()])
        self._store.put("day", self._late)
        self._late = []
        self._forget("profile", f"{GROUPS}/", f"{GROUPS}/{last - GROUP_SNAPSHOTS:06d}")
        for table, days in (("day", RETAIN_DAYS), ("delta", RETAIN_DELTAS), ("notable", RETAIN_DELTAS)):
            self._forget(table, "", f"{last - days:06d}/")

    def _forget(self, table: str, low: str, high: str) -> None:
        old: list[tuple[str, bytes | None]] = [(key, None) for key, _ in self._store.scan(table, low, high)]
        if old:
            self._store.put(table, old)


def teach(profile: Profile, day: int, now: Delta, later: Delta) -> None:
    profile.advance(day)
    profile.learn(day, now)
    profile.quarantine(day, later)


def learn_groups(groups: dict[str, Profile], day: int, lessons: list[tuple[Delta, Delta, str]]) -> None:
    members: dict[str, list[Delta]] = {TENANT: [now for now, _, _ in lessons]}
    for now, _, scope in lessons:
        members.setdefault(scope, []).append(now)
    for scope, deltas in members.items():
        groups.setdefault(scope, Profile()).learn_group(day, deltas)
