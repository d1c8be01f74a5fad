"""What is remembered between runs, over any Store: identity-days, what they teach, profiles, notables.

| table | key | row |
|---|---|---|
| day | day/identity | the behaviours of an identity-day, and which records made them |
| day | news/day/identity | nothing: the identity-day was put, and is not scored yet |
| day | late/day/identity | what came of a closed day, see `detect.late` |
| delta | day/identity | what an identity-day teaches, how it was ranked, its signals' values |
| delta | odd/day/identity | how it was ranked, and its trace for links, of those that a list may need |
| profile | identity | what it did up to the last closed day |
| profile | group/scope | the same of peers and tenant |
| profile | eve/day/scope | the same with the open days before a day, until they are closed |
| notable | | episodes, cases and what was published of them, see `detect.episodes`, `cases` and `publish` |
| meta | calendar | the days that have rows, the last one closed, the day that the clock is in, the last one learnt |
| meta | closing | how far the close of a day is, or which day was learnt last |
| meta | released | identity-days of which nothing waits any more, by verdicts: each up to a second |
| meta | free/identity | what of these days does not wait |
| meta | base/day | how many of its identities had how many days of history |
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import StoreError
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY
from nhi_watch.state import baseline, day_rows, inventory
from nhi_watch.state.baseline import TENANT, Delta, Lesson, Profile, Profiles, learn_groups, peer_scope, teach
from nhi_watch.state.kept_days import HourlyLikelihoods, KeptDays, Source
from nhi_watch.state.retention import Daybook
from nhi_watch.state.store import Rows, pack, reading, span, unpack

Handles = Mapping[str, str]
"""Handle → a record that holds it."""


class Ranked(NamedTuple):
    """What ranking needs to know of an episode."""

    identity_id: str
    likelihood: float
    """Of an intrusion, in percent."""
    risk: float
    """Expected loss: likelihood × impact."""
    eligible: bool
    """Whether it may become a notable: no service of a provider's own, a person only where it is likely."""
    days: int = 0
    """Active days of its own before this one."""
    origin: str = ""
    """What all strangers, or all newcomers, of one kind share, see `detect.ranking`."""


class Trace(NamedTuple):
    """What one identity's day holds for links; plain values, for stores."""

    identity_id: str
    eligible: bool
    """Whether it may lead a notable."""
    first: int
    """First second of what is unusual; 0: nothing is."""
    names: Handles
    own: tuple[str, ...]
    """Those among the names that are the identity's own and may have belonged to another before."""
    given: Handles
    used: Handles
    """Credentials and sessions with which the unusual calls were made."""
    addresses: Handles
    """Where it worked from, if it was unusual."""
    touched: Mapping[str, str] = {}
    """Names of what it touched, if it was unusual: another product may know an identity by one."""
    is_person: bool = False


class ScoredDay(NamedTuple):
    """What is kept of one identity's day once it is scored."""

    identity: Identity
    ranked: Ranked
    lesson: tuple[Delta, Delta]
    """What is learnt at once, and what only when it has come back."""
    trace: Optional[Trace]
    values: object = None
    """Of the signals, as `detect.scoring` packs them."""
    history: int = -1
    """Its days of history, if it counts for the budget; else -1."""
    is_new: bool = False
    """Whether it was never seen before the day."""
    is_unusual: bool = True
    """Whether the day's list may need it."""
    is_ours: bool = True
    """Whether it teaches the tenant and its peers; what an outsider does teaches only what is known of himself."""


class Closing(NamedTuple):
    """How far the close of a day is. A run that ends badly, or hands over, leaves the rest to the next."""

    day: int
    is_scored: bool
    """Whether all of the day was scored once more and its notables are written: what is left is to learn it."""
    after: str
    """The identity that was scored, or taught, last: they go in the order of their keys."""
    base: list[int]
    """What becomes `base/day`, of those that were scored."""
    rhythms: dict[str, list[Any]]
    """What becomes the rhythms of the day's logs, of those that were scored."""


class Stored(NamedTuple):
    """How one identity's day was scored, as its row has it."""

    ranked: Ranked
    trace: Optional[Trace]
    values: object
    """Of the signals, packed; None: not stored."""


Row = tuple[str, Optional[bytes]]
Released = dict[str, list[list[int]]]
"""Identity id → days, each with the second up to which what looked bad has been said to be fine."""
LATE, UNSCORED, SUSPICIOUS, EVE, GROUP, BASE = "late/", "news/", "odd/", "eve/", "group/", "base/"
CALENDAR, CLOSING, RELEASED, FREE = "calendar", "closing", "released", "free/"
BY_DAY = (
    ("meta", "drift"),
    ("meta", "rhythm"),
    ("meta", "base"),
    ("delta", "odd"),
    ("notable", "blind"),
    ("notable", "late"),
    ("day", "late"),
)
"""Table and beginning of further keys `beginning/day…`, forgotten with what the days taught."""
AT_ONCE = 500
"""Identity-days that are read at once."""
MOST_KNOWN = 30
"""Days of history that are kept apart in `base/day`."""
NEW = MOST_KNOWN + 1
"""Where `base/day` has how many identities were never seen before."""


class State:
    """Typed reading and writing of the tables.

    Raises:
        StoreError: a row is damaged, or the state is of an earlier version.
    """

    def __init__(self, store: Rows, kept: Optional[KeptDays] = None) -> None:
        """`kept`: identity-days that this process has put into the store earlier."""
        self._store = store
        self._kept = kept
        self._afresh: Optional[Closing] = None
        """The close of the day of which all identities are scored once more."""
        rows = store.get("meta", [CALENDAR, "days", RELEASED])
        if "days" in rows:
            raise StoreError("the state was written by an earlier version; name a new one, and learn the logs again")
        with reading():
            calendar = unpack(rows[CALENDAR]) if CALENDAR in rows else {"days": []}
            self.daybook = _calendar(calendar)
            self.is_earlier = not isinstance(calendar, dict)
            """Whether a version wrote it whose notables were no folds of episodes, see `detect.upgrade`."""
            self._released: Released = dict(unpack(rows[RELEASED])) if RELEASED in rows else {}

    @property
    def rows(self) -> Rows:
        """The store itself, for the tables that others keep there."""
        return self._store

    # ---- identity-days

    def load(self, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], IdentityDay]:
        """What is held of some identity-days; of a closed day what came late, which knows the day's records, too."""
        loaded = dict[tuple[int, str], IdentityDay]()
        wanted = []
        for day, name in keys:
            kept = self._kept.take(day, name) if self._kept is not None and not self.daybook.is_closed(day) else None
            if kept is not None:
                loaded[day, name] = kept
            else:
                wanted.append((f"{day:06d}/{name}", (day, name)))
        asked = [key for key, _ in wanted]
        asked += [LATE + key for key, (day, _) in wanted if self.daybook.is_closed(day)]
        rows = self._store.get("day", asked) if asked else {}
        for key, (day, name) in wanted:
            if not self.daybook.is_closed(day):
                if key in rows:
                    loaded[day, name] = day_rows.unpack(rows[key])
                continue
            late = loaded[day, name] = day_rows.unpack(rows[LATE + key]) if LATE + key in rows else IdentityDay(day)
            if key in rows:
                late.before = day_rows.unpack(rows[key])
                late.seen |= late.before.seen
            late.stored = len(late.seen)
        return loaded

    def load_some(self, day: int, names: Sequence[str]) -> dict[str, IdentityDay]:
        """Identity id → its own identity-day, of those that are stored."""
        rows = self._store.get("day", [f"{day:06d}/{name}" for name in names])
        return {key[7:]: day_rows.unpack(raw) for key, raw in rows.items()}

    def each_in(self, day: int, names: Sequence[str]) -> Iterator[tuple[str, IdentityDay]]:
        """The same, some at a time: there may be very many."""
        for start in range(0, len(names), AT_ONCE):
            yield from self.load_some(day, names[start : start + AT_ONCE]).items()

    def each_of(self, day: int, after: str = "", but: Container[str] = ()) -> Iterator[tuple[str, IdentityDay]]:
        """Identity id and identity-day of all that are stored of a day, in order; those behind `after`, not `but`."""
        for key, raw in self._scan_day("day", day, after):
            if key[7:] not in but:
                yield key[7:], day_rows.unpack(raw)

    def _scan_day(self, table: str, day: int, after: str) -> Iterator[tuple[str, bytes]]:
        low, high = span(day)
        return (row for row in self._store.scan(table, low + after, high) if row[0] > low + after)

    def load_day(self, day: int) -> dict[str, IdentityDay]:
        """All identity-days of a day."""
        return dict(self.each_of(day))

    def known(self, name: str, day: int) -> bool:
        """Whether an identity was seen before a day."""
        known = inventory.known_of(self._store, [name]).get(name)
        return known is not None and known.first // DAY < day

    def newcomers(self, day: int) -> int:
        """How many identities of a day that were scored had never been seen before it."""
        return self.base(day)[NEW]

    def put_days(self, day: int, identity_days: Mapping[str, IdentityDay], scored: bool = True) -> None:
        """Keep identity-days; those with changes that are not scored yet is written before them."""
        if not scored:
            fresh = [name for name, identity_day in identity_days.items() if identity_day.has_changes()]
            self._store.put("day", [(f"{UNSCORED}{day:06d}/{name}", b"1") for name in fresh])
            for name in fresh:
                identity_days[name].scored = identity_days[name].events()  # it will be: the mark stays until then
        rows = {name: day_rows.stored_row(identity_day) for name, identity_day in identity_days.items()}
        self._store.put("day", [(f"{day:06d}/{name}", row.raw) for name, row in rows.items()])
        if self._kept is not None and not self.daybook.is_closed(day):
            for name, row in rows.items():
                identity_days[name].row = row
            self._kept.give(day, identity_days)

    def score_again(self, day: int, names: Iterable[str]) -> None:
        """Let some identity-days of an open day be scored by the next run."""
        self._store.put("day", [(f"{UNSCORED}{day:06d}/{name}", b"1") for name in names])

    def note_scored(self, day: int, names: Iterable[str]) -> None:
        """Note that identity-days that were put are scored."""
        self._store.put("day", [(f"{UNSCORED}{day:06d}/{name}", None) for name in names])

    def unscored(self) -> dict[int, list[str]]:
        """Day → whose identity-days were put and are not scored yet."""
        unscored: dict[int, list[str]] = {}
        for key, _ in self._store.scan("day", UNSCORED, "news0"):
            _, day, name = key.split("/", 2)
            unscored.setdefault(int(day), []).append(name)
        return unscored

    # ---- profiles

    def fill(
        self, baselines: Profiles, identity_days: Mapping[str, IdentityDay], day: int, scopes: Iterable[str] = ()
    ) -> None:
        """Bring the profiles that a day needs to its eve: of identities, of their peers, and of further `scopes`.

        Raises:
            StoreError: the day is closed, and its profiles have learnt it since.
        """
        if day <= self.daybook.learnt:
            raise StoreError(f"day {day} is closed: the profiles have learnt it")
        with reading():
            missing = [name for name in identity_days if name not in baselines.own]
            baselines.own.update(self._load(missing, day))
            for name in identity_days:
                baselines.own[name].advance(day)
            identities = (identity_day.identity for identity_day in identity_days.values() if identity_day.behaviours)
            self._fill_groups(baselines, {TENANT, *scopes, *map(peer_scope, identities)}, day)
            if TENANT in baselines.groups:
                baselines.groups[TENANT].advance(day)

    def groups_on(self, day: int) -> Profiles:
        """The profiles of the tenant, and those of peers that were asked for, before an open day."""
        profiles = Profiles()
        self.fill(profiles, {}, day)
        return profiles

    def _load(self, names: list[str], day: int) -> dict[str, Profile]:
        rows = self._store.get("profile", names) if names else {}
        days = self.daybook.between(self.daybook.first_unlearnt, day)
        keys = [f"{d:06d}/{name}" for d in days for name in names]
        deltas = self._store.get("delta", keys) if keys else {}
        freed = self._freed(names)
        profiles = {}
        for name in names:
            lessons = [(d, deltas.get(f"{d:06d}/{name}")) for d in days]
            if name in freed:
                profile = profiles[name] = _profile(rows.get(name), lessons)
                for before, delta in freed[name]:
                    if before < day:
                        profile.free(delta)
            else:
                source = rows.get(name), *lessons
                profiles[name] = self._kept_profile(day, name, source, partial(_profile, rows.get(name), lessons))
        return profiles

    def _kept_profile(self, day: int, name: str, source: Source, make: Callable[[], Profile]) -> Profile:
        """The profile before a day that rows make; a day that is closed is learnt into the profiles themselves."""
        if self._kept is None or self.daybook.is_closed(day):
            return make()
        return self._kept.profile(day, name, source, make)

    def known_hours(self, day: int, name: str, source: Source) -> Optional[HourlyLikelihoods]:
        """What this process has found of the hours of an open day, from the same past."""
        return None if self._kept is None or self.daybook.is_closed(day) else self._kept.hours(day, name, source)

    # ---- what waits no longer, because people have said that it is fine: it is learnt when it is read, so that a
    # verdict that is taken back leaves nothing behind

    def release(self, released: Released, networks: Networks = SHIPPED) -> dict[str, int]:
        """Let be known what waits of some identity-days up to a second of each, and nothing else that was released.

        Days are left out once it is no longer kept what they taught. Returns whose profiles that changes → after which
        day.
        """
        changed, rows, oldest = dict[str, int](), list[Row](), (self.daybook.days or [0])[0]
        kept = ((name, [each for each in days if each[0] >= oldest]) for name, days in released.items())
        kept_days = {name: days for name, days in kept if days}
        before, first = self._released, self.daybook.first_unlearnt
        asked = [
            name
            for name in {**before, **kept_days}
            if before.get(name) != kept_days.get(name) or kept_days[name][-1][0] >= first
        ]
        freed = self._freed(asked)
        for name in asked:
            known = freed.get(name, [])
            fresh = [[day, self._waiting(day, name, until, networks)] for day, until in kept_days.get(name, ())]
            if fresh != known:
                changed[name] = min(
                    day for day, delta in (*known, *fresh) if known.count([day, delta]) != fresh.count([day, delta])
                )
                rows.append((FREE + name, pack(fresh) if fresh else None))
        if kept_days != before:
            rows.append((RELEASED, pack(sorted(kept_days.items()))))
        if rows:
            self._store.put("meta", rows)
        self._released = kept_days
        return changed

    def _freed(self, names: Iterable[str]) -> dict[str, list[Any]]:
        asked = [FREE + name for name in names if name in self._released]
        rows = self._store.get("meta", asked) if asked else {}
        return {key[len(FREE) :]: unpack(raw) for key, raw in rows.items()}

    def _waiting(self, day: int, name: str, until: int, networks: Networks) -> Delta:
        """What looked bad of an identity's day up to a second."""
        key = f"{day:06d}/{name}"
        deltas = self._store.get("delta", [key])
        if key not in deltas:
            return {}
        later: Delta = unpack(deltas[key])[1]
        identity_day = self.load_some(day, [name]).get(name)
        if identity_day is None or all(b.last <= until for b in identity_day.behaviours.values()):
            return later
        early = ((b, True) for b in identity_day.behaviours.values() if b.last <= until)
        seen = baseline.lesson(early, networks).later
        kept = {n: {v: count for v, count in values.items() if v in seen.get(n, ())} for n, values in later.items()}
        return {n: values for n, values in kept.items() if values}

    def _fill_groups(self, baselines: Profiles, scopes: Iterable[str], day: int) -> None:
        missing = [scope for scope in scopes if scope not in baselines.groups]
        if not missing:
            return
        eve, has_eve = f"{EVE}{day:06d}/", bool(self.daybook.between(self.daybook.first_unlearnt, day))
        if has_eve and eve not in self._store.get("profile", [eve]):
            self._make_eve(day)
        places = (eve, GROUP) if has_eve else (GROUP,)
        rows = self._store.get("profile", [f"{at}{scope}" for at in places for scope in missing])
        for scope in missing:
            raw = rows.get(eve + scope) or rows.get(GROUP + scope)
            if raw:
                make = partial(_profile, raw)
                baselines.groups[scope] = self._kept_profile(day, GROUP + scope, (raw,), make)

    def _make_eve(self, day: int) -> None:
        """The groups with the lessons of the open days before a day, of those that these change."""
        groups: dict[str, Profile] = {}
        for before in self.daybook.between(self.daybook.first_unlearnt, day):
            self._teach_groups(before, groups)
        rows: list[Row] = [(f"{EVE}{day:06d}/{scope}", pack(baseline.to_row(p))) for scope, p in groups.items()]
        self._store.put("profile", [*rows, (f"{EVE}{day:06d}/", b"1")])

    def scopes(self, day: int) -> Profiles:
        """The profiles of every scope before an open `day`, for an export."""
        keys = [key for key, _ in self._store.scan("profile", "", "\U0010ffff")]
        names = {key for key in keys if not key.startswith((GROUP, EVE))}
        for open_day in self.daybook.between(self.daybook.first_unlearnt, day):
            names.update(key[7:] for key, _ in self._store.scan("delta", *span(open_day)))
        profiles = Profiles()
        with reading():
            profiles.own = self._load(sorted(names), day)
            for profile in profiles.own.values():
                profile.advance(day)
            groups = {
                key.split("/", 2)[-1] if key.startswith(EVE) else key[len(GROUP) :]
                for key in keys
                if key.startswith((GROUP, EVE))
            }
            self._fill_groups(profiles, {TENANT, *filter(None, groups)}, day)
        return profiles

    def profiles(self, names: Iterable[str]) -> dict[str, Profile]:
        """The profiles of some identities before the last day; empty ones of those that are not known."""
        with reading():
            return self._load(sorted(names), (self.daybook.days or [0])[-1])

    def next_open_day(self) -> int:
        """The day after the last one stored; 0 when there is none."""
        days = self.daybook.days
        return days[-1] + 1 if days else 0

    # ---- what a day teaches, and how it was scored

    def put_scored(self, day: int, scored_days: Sequence[ScoredDay]) -> bool:
        """Replace what some identities' days teach, and how they were scored.

        Returns whether the day's list may need any of them, or needed it before.
        """
        keys = [f"{day:06d}/{scored_day.identity.id}" for scored_day in scored_days]
        again = self._afresh if self._afresh is not None and self._afresh.day == day else None
        before = self._store.get("delta", [*(SUSPICIOUS + key for key in keys), *(keys if again is None else ())])
        was_unusual = any(SUSPICIOUS + key in before for key in keys)
        base = self.base(day) if again is None else again.base
        rows: list[Row] = []
        for key, scored_day in zip(keys, scored_days):
            counts = [min(scored_day.history, MOST_KNOWN)] * (scored_day.history >= 0) + [NEW] * scored_day.is_new
            for at in unpack(before[key])[5] if key in before else ():
                base[at] -= 1
            for at in counts:
                base[at] += 1
            plain = scored_day.ranked[1:]
            scope = peer_scope(scored_day.identity) if scored_day.is_ours else ""
            rows.append((key, pack([*scored_day.lesson, scope, plain, scored_day.values, counts])))
            if scored_day.is_unusual or SUSPICIOUS + key in before:
                rows.append((SUSPICIOUS + key, pack([plain, scored_day.trace]) if scored_day.is_unusual else None))
        self._store.put("delta", rows)
        if again is None:
            self._store.put("meta", [(f"{BASE}{day:06d}", pack(base))])
        self.daybook.add(day)
        # one scan: the days up to the clock may be thousands
        self._forget("profile", f"{EVE}{day + 1:06d}/", f"{EVE}{self.daybook.clock + 1:06d}0")
        return was_unusual or any(scored_day.is_unusual for scored_day in scored_days)

    def base(self, day: int) -> list[int]:
        """How many identities that count for the budget had how many days of history; at last, how many were new."""
        return self.bases([day])[0]

    def bases(self, days: Iterable[int]) -> list[list[int]]:
        """The same of several days."""
        keys = [f"{BASE}{day:06d}" for day in days]
        rows = self._store.get("meta", keys)
        return [list(unpack(rows[key])) if key in rows else [0] * (MOST_KNOWN + 2) for key in keys]

    def suspicious(self, day: int) -> Iterator[Stored]:
        """How those were scored whom the list of a day may need: suspicious by themselves, or by links."""
        for key, raw in self._store.scan("delta", f"{SUSPICIOUS}{day:06d}/", f"{SUSPICIOUS}{day:06d}0"):
            plain, trace = _suspicious(raw)
            yield Stored(Ranked(key[len(SUSPICIOUS) + 7 :], *plain), trace, None)

    def scored(self, day: int) -> Iterator[Stored]:
        """How every identity of a day was scored; to be gone through once."""
        return (_stored(key[7:], unpack(raw)) for key, raw in self._store.scan("delta", *span(day)))

    # ---- closing a day

    def begin_close(self, day: int) -> Closing:
        """Make a day final, or go on with its close where another run left it."""
        raw = self._store.get("meta", [CLOSING]).get(CLOSING)
        with reading():
            closing = Closing(*unpack(raw)) if raw else None
        if closing is None or closing.day != day:
            self.daybook.closed = day
            self.put_calendar()
            closing = Closing(day, False, "", [0] * (MOST_KNOWN + 2), {})
        self._afresh = closing
        return closing

    def closed_some(self, at: Closing) -> None:
        """Note how far a close is, behind all that was put for it."""
        self._afresh = at
        self._store.put("meta", [(CLOSING, pack(list(at)))])

    def put_base(self, at: Closing) -> None:
        """Keep who had how many days of history, once all of a day was scored."""
        self._store.put("meta", [(f"{BASE}{at.day:06d}", pack(at.base))])

    def learn(self, at: Closing, known: Profiles) -> Iterator[Closing]:
        """Learn a day into the profiles in memory, which are those of its eve, and into the rows, some at a time.

        A profile that has learnt the day is left as it is, so it does not matter where an earlier run ended. Groups
        come last, of them the tenant's.
        """
        seen: Optional[list[str]] = None if at.after else []
        with reading():
            lessons = self._lessons(at.day, at.after)
            while some := dict(islice(lessons, AT_ONCE)):
                self._teach(at.day, some, known)
                if seen is not None:
                    seen += [scope for _, _, scope in some.values()]
                at = at._replace(after=max(some))
                self.closed_some(at)
                yield at
            groups = self._teach_groups(at.day, known.groups, seen)
        ordered = [*sorted(groups - {TENANT}), TENANT]
        self._store.put("profile", [(GROUP + scope, pack(baseline.to_row(known.groups[scope]))) for scope in ordered])
        self.daybook.learnt = at.day
        self._afresh = None
        self.put_calendar()
        self._forget("profile", EVE, f"{EVE}{at.day + 1:06d}0")

    def just_learnt(self) -> bool:
        """Whether a day was learnt since open days were scored: by now they are to be scored by what it taught."""
        raw = self._store.get("meta", [CLOSING]).get(CLOSING)
        if raw is None or Closing(*unpack(raw)).day > self.daybook.learnt:
            return False
        self._store.put("meta", [(CLOSING, None)])
        return True

    def _teach(self, day: int, some: Mapping[str, Lesson], known: Profiles) -> None:
        missing = [name for name in some if name not in known.own or name in self._released]
        rows = self._store.get("profile", missing)
        known.own.update((n, baseline.from_row(unpack(rows[n])) if n in rows else Profile()) for n in missing)
        for name, (now, later, _) in some.items():
            if known.own[name].as_of < day:
                teach(known.own[name], day, now, later)
        self._store.put("profile", [(name, pack(baseline.to_row(known.own[name]))) for name in some])
        for name in some.keys() & self._released.keys():
            del known.own[name]  # it is to be loaded with what is released
        known.shed()

    def _teach_groups(self, day: int, groups: dict[str, Profile], names: Optional[list[str]] = None) -> set[str]:
        """Teach a day to the profiles of groups that have not learnt it; returns those that it concerns.

        `names`: the scope of each lesson of the day, where that is known.
        """
        each = [scope for _, (_, _, scope) in self._lessons(day)] if names is None else names
        scopes = {TENANT, *filter(None, each)}
        self._load_groups(groups, scopes)
        done = {scope: profile for scope, profile in groups.items() if profile.as_of >= day}
        for scope in done:
            del groups[scope]
        learn_groups(groups, day, (lesson for _, lesson in self._lessons(day)))
        groups.update(done)
        return scopes

    def _load_groups(self, groups: dict[str, Profile], scopes: Iterable[str]) -> None:
        missing = [GROUP + scope for scope in scopes if scope not in groups]
        rows = self._store.get("profile", missing) if missing else {}
        groups.update((key[len(GROUP) :], baseline.from_row(unpack(raw))) for key, raw in rows.items())

    def _lessons(self, day: int, after: str = "") -> Iterator[tuple[str, Lesson]]:
        for key, raw in self._scan_day("delta", day, after):
            now, later, scope, *_ = unpack(raw)
            yield key[7:], (now, later, scope)

    # ---- the end

    def finish(self) -> int:
        """Put the calendar, and forget what is too old, which a new day alone can make it.

        Returns the day before which notables have ended that are to be forgotten, too; 0: there are none.
        """
        limits = self.daybook.forget()
        self.put_calendar()
        if not self.daybook.moved:
            return 0
        for table, first in (("day", limits.day), ("delta", limits.delta), ("notable", limits.episode)):
            self._forget(table, "", f"{first:06d}/")
        for table, kind in BY_DAY:
            first = limits.episode if kind == "late" and table == "notable" else limits.delta
            self._forget(table, f"{kind}/", f"{kind}/{first:06d}")
        return limits.delta

    def put_calendar(self) -> None:
        """Keep which days there are, before their identity-days: of those that are there, a record is a copy."""
        book = self.daybook
        calendar = {"days": book.days, "closed": book.closed, "clock": book.clock, "learnt": book.learnt}
        self._store.put("meta", [(CALENDAR, pack(calendar))])

    def _forget(self, table: str, low: str, high: str) -> None:
        old: list[Row] = [(key, None) for key, _ in self._store.scan(table, low, high)]
        if old:
            self._store.put(table, old)


@lru_cache(maxsize=2_048)
def _suspicious(raw: bytes) -> tuple[Sequence[Any], Optional[Trace]]:
    """How an identity was ranked, and its trace; decoded once, for each round asks for all of a day twice."""
    plain, trace = unpack(raw)
    return plain, Trace(*trace) if trace else None


def _profile(raw: Optional[bytes], lessons: Iterable[tuple[int, Optional[bytes]]] = ()) -> Profile:
    """The profile of a row, or an empty one, with what later days teach."""
    profile = baseline.from_row(unpack(raw)) if raw else Profile()
    as_of = profile.as_of
    for day, lesson in lessons:
        if lesson is not None and as_of < day:
            now, later, *_ = unpack(lesson)
            teach(profile, day, now, later)
    return profile


def _calendar(row: Any) -> Daybook:
    """A version before this one wrote a list, and closed a day in one go."""
    return Daybook(**row) if isinstance(row, dict) else Daybook(*row[:3])


def _stored(name: str, row: Sequence[Any]) -> Stored:
    return Stored(Ranked(name, *row[3]), None, row[4])
