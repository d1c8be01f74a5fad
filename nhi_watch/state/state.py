"""What is remembered between runs, over any Store: days, deltas, profiles, notables.

| table | key | row |
|---|---|---|
| day | day/identity | all behaviours of the day, and which records made them |
| day | late/day/identity | what came of a day after it was forgotten, see `detect.late` |
| delta | day/identity | what the day teaches, how it was ranked, its traces for links, its signal values |
| profile | scope, group/day | the fold of all deltas up to a day; a cache that can be made again |
| profile | old/scope, old | the fold of the deltas that were forgotten, from which it can be made again |
| notable | day/id | the notable's JSON |
| meta | days | which days have deltas, and since when behaviours are kept |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import TIMED_BY_HOSTS
from nhi_watch.core.timestamps import DAY
from nhi_watch.state import baseline, day_rows, inventory
from nhi_watch.state.baseline import TENANT, Delta, Profile, Profiles, learn_groups, peer_scope, teach
from nhi_watch.state.judged import Judged, Ranked, Stored, Trace
from nhi_watch.state.retention import Daybook
from nhi_watch.state.rows import Rows, pack, reading, span, unpack

GROUPS = "group"
OLD = "old"
LATE = "late/"
BY_DAY = (("meta", "drift"), ("meta", "rhythm"), ("notable", "blind"), ("notable", "chosen"),
          ("notable", "late"), ("day", "late"))
"""Table and beginning of further keys `beginning/day…`, forgotten with the deltas: see `drift` and `telemetry`."""


def _rows(profiles: dict[str, Profile]) -> bytes:
    return pack({scope: baseline.to_row(profile) for scope, profile in sorted(profiles.items())})


def _profiles(raw: bytes) -> dict[str, Profile]:
    return {scope: baseline.from_row(row) for scope, row in unpack(raw).items()}


class State:
    """Typed reading and writing of the tables."""

    def __init__(self, store: Rows, lean: bool = False) -> None:
        """`lean`: what was judged of a day's identities is read from the store each time, and never held."""
        self._store = store
        self._lean = lean
        row = store.get("meta", ["days"]).get("days")
        with reading():
            self.daybook = Daybook(*unpack(row)) if row else Daybook([], 0)
        self._late: list[tuple[str, bytes | None]] = []
        self._judged: dict[str, Stored] = {}
        self._lessons: dict[str, tuple[Delta, Delta, str]] = {}

    @property
    def rows(self) -> Rows:
        """The store itself, for the tables that others keep there."""
        return self._store

    # ---- days

    def load_day(self, day: int) -> dict[str, IdentityDay]:
        """Identity id → IdentityDay; of a day that was forgotten, or is before all, what came late of it."""
        late = LATE if day < max(self.daybook.closed, *self.daybook.days[:1], 0) else ""
        low, high = span(day)
        found = self._store.scan("day", late + low, late + high)
        return {key[len(late) + 7 :]: day_rows.unpack(raw) for key, raw in found}

    def knows_hosts(self) -> bool:
        """Whether users of hosts were seen, in a state that is too young to have forgotten anything."""
        return bool(self.daybook.days) and not self.daybook.closed and inventory.knows(self._store, TIMED_BY_HOSTS)

    def known(self, name: str, day: int) -> bool:
        """Whether an identity was seen before a day."""
        found = inventory.known_of(self._store, [name]).get(name)
        return found is not None and found.first // DAY < day

    def drop(self, day: int, names: Sequence[str]) -> None:
        """Forget identities that were new on a day and are folded into another now."""
        if not names:
            return
        gone: list[tuple[str, bytes | None]] = [(f"{day:06d}/{name}", None) for name in names]
        self._late += gone
        self._store.put("delta", gone)
        inventory.forget(self._store, names)
        known = self._store.get("profile", list(names))
        blank = [name for name, raw in known.items() if not baseline.from_row(unpack(raw)).days]
        self._store.put("profile", [(name, None) for name in blank])

    def put_days(self, wholes: Mapping[str, IdentityDay]) -> None:
        """Keep day rows for the end: they say that all else was written."""
        self._late += [(f"{w.day:06d}/{name}", day_rows.pack(w)) for name, w in wholes.items()]

    # ---- profiles

    def fill(self, baselines: Profiles, wholes: Mapping[str, IdentityDay], day: int) -> None:
        """Bring the profiles that a day needs to its eve."""
        with reading():
            if not baselines.groups:
                baselines.groups = self._groups(day)
            missing = [name for name in wholes if name not in baselines.own]
            baselines.own.update(self._load(missing, day))
            for name in wholes:
                baselines.own[name].advance(day)
            if TENANT in baselines.groups:
                baselines.groups[TENANT].advance(day)

    def groups_on(self, day: int) -> Profiles:
        """The profiles of peers and tenant on the eve of a day."""
        found = Profiles()
        self.fill(found, {}, day)
        return found

    def _load(self, names: list[str], day: int) -> dict[str, Profile]:
        rows = self._store.get("profile", names)
        stored = {name: baseline.from_row(unpack(raw)) for name, raw in rows.items()}
        usable = {name: profile for name, profile in stored.items() if profile.as_of < day}
        usable.update(self._rebuilt([name for name in stored if name not in usable or self._outdated(usable[name])]))
        self._catch_up(usable, day)
        return {name: usable.get(name) or Profile() for name in names}

    def _outdated(self, profile: Profile) -> bool:
        """Whether deltas that the profile does not know were forgotten."""
        return bool(self.daybook.days) and profile.as_of < self.daybook.days[0] - 1

    def _rebuilt(self, names: list[str]) -> dict[str, Profile]:
        """Profiles as the forgotten days made them; later days are to be folded in."""
        rows = self._store.get("profile", [f"{OLD}/{name}" for name in names])
        found = {name: rows.get(f"{OLD}/{name}") for name in names}
        return {name: baseline.from_row(unpack(raw)) if raw else Profile() for name, raw in found.items()}

    def _catch_up(self, profiles: dict[str, Profile], day: int) -> None:
        """Fold in the stored deltas between a profile's day and the eve of `day`."""
        between = self.daybook.between
        keys = [f"{d:06d}/{name}" for name, p in profiles.items() for d in between(p.as_of + 1, day)]
        rows = self._store.get("delta", keys) if keys else {}
        for key in sorted(rows):
            now, later, *_ = unpack(rows[key])
            teach(profiles[key[7:]], int(key[:6]), now, later)

    def _groups(self, day: int) -> dict[str, Profile]:
        rows = dict(self._store.scan("profile", f"{GROUPS}/", f"{GROUPS}0"))
        usable = max((key for key in rows if int(key[6:]) < day), default="")
        groups = _profiles(rows[usable]) if usable else self._old_groups()
        for d in self.daybook.between(int(usable[6:]) + 1 if usable else 0, day):
            learn_groups(groups, d, self._stored_lessons(d))
        return groups

    def _old_groups(self) -> dict[str, Profile]:
        raw = self._store.get("profile", [OLD]).get(OLD)
        return _profiles(raw) if raw else {}

    def scopes(self, day: int) -> Profiles:
        """The profiles of every scope on the eve of `day`, for an export."""
        baselines = Profiles()
        rows = self._store.scan("profile", "", "\U0010ffff")
        names = [key for key, _ in rows if key.partition("/")[0] not in (GROUPS, OLD)]
        with reading():
            baselines.groups = self._groups(day)
            baselines.own = self._load(names, day)
            for profile in baselines.own.values():
                profile.advance(day)
        return baselines

    def profiles(self, names: Iterable[str]) -> dict[str, Profile]:
        """The profiles of some identities on the eve of the last day; empty ones of those that are not known."""
        with reading():
            return self._load(sorted(names), (self.daybook.days or [0])[-1])

    def next_open_day(self) -> int:
        """The day after the last one stored; 0 when there is none."""
        days = self.daybook.days
        return days[-1] + 1 if days else 0

    # ---- deltas

    def put_delta(self, day: int, judged: Judged) -> None:
        """Replace what a day of an identity teaches."""
        name, scope, ranked = judged.identity.id, peer_scope(judged.identity), judged.ranked
        if not self._lean:
            self._judged[name] = Stored(ranked, judged.trace, judged.values)
            self._lessons[name] = (*judged.lesson, scope)
        row = [*judged.lesson, scope, *ranked[1:4], judged.trace, judged.values, ranked.days, ranked.origin]
        self._store.put("delta", [(f"{day:06d}/{name}", pack(row))])
        self.daybook.add(day)

    @staticmethod
    def ranked(key: str, raw: bytes) -> Ranked:
        """How an identity's day was judged, by a row of the table `delta`."""
        return _stored(key[7:], unpack(raw)).ranked

    def judged(self, day: int) -> Iterable[Stored]:
        """How every identity of a day was judged, by this run or an earlier one; to be gone through once."""
        if self._lean:
            return (_stored(key[7:], unpack(raw)) for key, raw in self._store.scan("delta", *span(day)))
        for key, raw in self._store.scan("delta", *span(day)):
            if key[7:] not in self._judged:
                with reading():
                    row = unpack(raw)
                    self._judged[key[7:]] = _stored(key[7:], row)
                    self._lessons[key[7:]] = (row[0], row[1], row[2])
        return list(self._judged.values())

    def every_judged(self) -> Iterator[tuple[int, Stored]]:
        """(day, how an identity's day was judged) for all that is kept, in order."""
        for key, raw in self._store.scan("delta", "", ":"):
            yield int(key[:6]), _stored(key[7:], unpack(raw))

    def _stored_lessons(self, day: int) -> list[tuple[Delta, Delta, str]]:
        rows = (unpack(raw) for _, raw in self._store.scan("delta", *span(day)))
        return [(now, later, scope) for now, later, scope, *_ in rows]

    def learn(self, day: int, baselines: Profiles) -> None:
        """Fold the day that was just scored into the profiles in memory."""
        for name, (now, later, _) in self._lessons.items():
            if name in baselines.own:
                teach(baselines.own[name], day, now, later)
        learn_groups(baselines.groups, day, [self._lessons[name] for name in sorted(self._lessons)])

    def snapshot(self, day: int, baselines: Profiles | None) -> None:
        """Keep the groups as they stood on the eve of `day`; None: what was kept of it is outdated."""
        rows = _rows(baselines.groups) if baselines else None
        self._store.put("profile", [(f"{GROUPS}/{day - 1:06d}", rows)])

    def next_day(self) -> None:
        """Forget what belonged to the day that is done."""
        self._lessons = {}
        self._judged = {}

    # ---- notables

    def notables(self, day: int) -> dict[str, dict[str, Any]]:
        """Notable id → its JSON."""
        return {key[7:]: unpack(raw) for key, raw in self._store.scan("notable", *span(day))}

    def notables_between(self, low: int, high: int) -> list[tuple[int, dict[str, Any]]]:
        """(day, notable as it stood then) for the days `low <= day < high`, in order."""
        rows = self._store.scan("notable", f"{max(0, low):06d}/", f"{high:06d}/")
        return [(int(key[:6]), unpack(raw)) for key, raw in rows]

    def every_notable(self) -> list[dict[str, Any]]:
        """Each notable that is kept as it last stood, by day and rank; not those that became part of another."""
        last = {key[7:]: (key[:6], raw) for key, raw in self._store.scan("notable", "", ":")}
        late = self._store.scan("notable", LATE, "late0")
        last.update({key[len(LATE) + 7 :]: (key[len(LATE) :][:6], raw) for key, raw in late})
        found = [(day, unpack(raw)) for day, raw in last.values()]
        kept = [(day, document) for day, document in found if not document["merged_into"]]
        return [document for _, document in sorted(kept, key=lambda pair: (pair[0], pair[1]["rank"]))]

    def put_notables(self, day: int, found: list[dict[str, Any]], before: Mapping[str, Any]) -> None:
        """Replace the notables of a day; those that are none any more are gone."""
        kept = {document["id"]: document for document in found}
        rows: list[tuple[str, bytes | None]] = [(f"{day:06d}/{name}", pack(d)) for name, d in kept.items()]
        rows += [(f"{day:06d}/{name}", None) for name in before if name not in kept]
        self._store.put("notable", rows)

    # ---- the end

    def finish(self, baselines: Profiles, forget: bool = True) -> None:
        """Write profiles, forget what is too old, and last write the day rows.

        In the middle of a run nothing is to be forgotten: more of the same days may follow.
        """
        self._store.put("profile", [(name, pack(baseline.to_row(p))) for name, p in baselines.own.items()])
        limits, gone = self.daybook.forget() if forget else (None, [])
        self._remember(gone)
        self._store.put("meta", [("days", pack([self.daybook.days, self.daybook.closed]))])
        self._store.put("day", self._late)
        self._late = []
        if limits is None:
            return
        self._forget("profile", f"{GROUPS}/", f"{GROUPS}/{limits.groups - 1:06d}")
        for table, first in (("day", limits.day), ("delta", limits.delta), ("notable", limits.delta)):
            self._forget(table, "", f"{first:06d}/")
        for table, kind in BY_DAY:
            self._forget(table, f"{kind}/", f"{kind}/{limits.delta:06d}")

    def _remember(self, days: list[int]) -> None:
        """Fold deltas that are about to be forgotten, so that profiles can always be made again."""
        groups = self._old_groups() if days else {}
        own: dict[str, Profile] = {}
        for day in days:
            rows = {key[7:]: unpack(raw) for key, raw in self._store.scan("delta", *span(day))}
            own.update(self._rebuilt([name for name in rows if name not in own]))
            for name, (now, later, *_) in rows.items():
                teach(own[name], day, now, later)
            learn_groups(groups, day, [(now, later, scope) for now, later, scope, *_ in rows.values()])
        self._store.put("profile", [(f"{OLD}/{name}", pack(baseline.to_row(p))) for name, p in own.items()])
        if days:
            self._store.put("profile", [(OLD, _rows(groups))])

    def _forget(self, table: str, low: str, high: str) -> None:
        old: list[tuple[str, bytes | None]] = [(key, None) for key, _ in self._store.scan(table, low, high)]
        if old:
            self._store.put(table, old)


def _stored(name: str, row: Sequence[Any]) -> Stored:
    told: list[Any] = [*row[3:]]
    likelihood, loss, eligible, trace, values, days, origin = told
    ranked = Ranked(name, likelihood, loss, eligible, days, origin)
    return Stored(ranked, Trace(*trace) if trace else None, values)
