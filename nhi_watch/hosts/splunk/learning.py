"""Days → scores, notables and a new baseline, over the rows of a lookup table.

Days are settled one after the other. A table is a function of the one before and of the days; the same days again
give the same table.
"""

from __future__ import annotations

import heapq
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core import crowd
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import drift, linking, lives, ranking, taught
from nhi_watch.detect.episodes import DayEpisodes, nothing_missing
from nhi_watch.detect.judge import BUDGET, Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result, Tally
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.telemetry import WINDOW, Rhythms
from nhi_watch.hosts.splunk.lookup import ELIGIBLE, EMPTY, LEARNT, Own, Table, dump, parse, profile_of
from nhi_watch.hosts.splunk.shelf import Shelf, of_bytes
from nhi_watch.hosts.splunk.tablestore import DRIFT, Lesson, TableStore, day_in, unpack
from nhi_watch.state import baseline, day_rows, inventory
from nhi_watch.state.baseline import TENANT, Profile, learn_groups, teach
from nhi_watch.state.judged import Ranked
from nhi_watch.state.retention import RETAIN_DAYS
from nhi_watch.state.rows import span
from nhi_watch.state.state import GROUPS, State

KEEP = 7
"""Days whose deltas stay apart: so late may an event be and still be learnt."""
FOLLOWED = 9
"""Days for which a blind spot that was written is looked at again."""
_LAST = re.compile(r"\[-?\d+,-?\d+,-?\d+,(-?\d+),")


class Looked(NamedTuple):
    """A day of which every identity was scored, some at a time: what is left to settle."""

    day: int
    kept: Mapping[str, IdentityDay]
    """Those that may get a place or are part of others' stories, whole: on a shelf, for a day of one may be large."""
    counts: dict[str, int]
    """Events of each identity."""
    changes: dict[str, list[Any]]
    """What those that did something to credentials or names did, see `inventory.changes`."""
    hour: int = 0
    """The latest one seen, which may still be open."""
    folded: int = 0
    """Events of identities or behaviours that were too many to be told apart."""


def look(
    store: TableStore, model: Scorecard, day: int, batches: Callable[[], Iterable[Mapping[str, IdentityDay]]],
    context: Context = NO_CONTEXT,
) -> Looked:  # fmt: skip
    """Score a day's identities, some at a time; the store then holds how each was judged and what it teaches."""
    baselines = Baselines(model, context.networks, taught.kept(store, model))
    counts: dict[str, int] = {}
    changes: dict[str, list[Any]] = {}
    kept, odd, folded, last = Shelf(day_rows.pack, _again), Shelf(day_rows.pack, _again), [0], [0]

    def each() -> Iterator[IdentityDay]:
        for wholes in batches():
            state, tally = State(store, lean=True), Tally()
            episodes = DayEpisodes(state, baselines, day, wholes, tally, context.assets, nothing_missing)
            ranked = episodes.note(wholes)
            for name, one in ranked.items():
                if one.score >= ranking.FLOOR:
                    (kept if _may_matter(one) else odd)[name] = wholes[name]
            last[0] = max([last[0], *(hour for whole in wholes.values() for _, hour in whole.behaviours)])
            inventory.note(store, wholes.values())
            changes.update((n, told) for n, told in ((n, inventory.changes(w)) for n, w in wholes.items()) if told)
            counts.update((name, whole.events()) for name, whole in wholes.items())
            folded[0] += crowd.folded_records(wholes)
            baselines.own.clear()
            yield from wholes.values()

    Rhythms(store).note(day, each())
    kept.update((name, odd[name]) for name in sorted(_in_stories(store, day)) if name in odd)
    _follow(store, day, batches)
    return Looked(day, kept, counts, changes, last[0], folded[0])


def _again(row: bytes) -> IdentityDay:
    """A day as it came: no store has it."""
    whole = day_rows.unpack(row)
    whole.stored = 0
    return whole


def _may_matter(one: Ranked) -> bool:
    """Whether somebody may get a place, or stands for others; trifles are only counted."""
    return one.score >= ranking.LEAST or (one.score >= ranking.FLOOR and bool(one.origin))


def _in_stories(store: TableStore, day: int) -> set[str]:
    """Who is linked with others, or of a notable that may go on."""
    store.thin, state = day, State(store, lean=True)
    groups = linking.join(one.trace for one in state.judged(day) if one.trace is not None)
    store.thin = None
    known = filter(lives.goes_on, (one for _, one in state.notables_between(day - lives.GONE, day)))
    named = map(lives.names, (*known, *state.notables(day).values()))
    return set().union(*(group.members for group in groups), *named)


def _follow(
    store: TableStore, day: int, batches: Callable[[], Iterable[Mapping[str, IdentityDay]]]
) -> None:  # fmt: skip
    """Whole days of identities that were exposed are kept, whatever they scored."""
    wanted = store.followed()
    for wholes in batches() if wanted else ():
        mine = wanted & wholes.keys()
        store.put("day", [(f"{day:06d}/{name}", day_rows.pack(wholes[name])) for name in sorted(mine)])


def judge(
    store: TableStore, model: Scorecard, looked: Looked, context: Context = NO_CONTEXT, budget: float = BUDGET,
    identities: int = 0,
) -> Result:  # fmt: skip
    """Rank a day that was looked at; `identities`: how many there are where only some were given."""
    store.thin = looked.day
    who = Judge(State(store, lean=True), model, context, budget, identities=identities)
    result = who.settle_noted(looked.day, looked.kept, looked.hour)
    store.thin = None
    return result


def spread(store: TableStore, day: int) -> None:
    """Keep the spread of a day that was judged before, of which nobody was given."""
    tenant = State(store, lean=True).groups_on(day).groups.get(TENANT) or Profile()
    if tenant.days and day - tenant.first >= drift.SETTLED:
        store.thin = day
        drift.note(store, day, State(store, lean=True).judged(day))
        store.thin = None


def settle(
    store: TableStore, model: Scorecard, days: Mapping[int, Mapping[str, IdentityDay]],
    context: Context = NO_CONTEXT, budget: float = BUDGET,
) -> Result:  # fmt: skip
    """Score, rank and learn a whole day."""
    ((day, wholes),) = days.items()
    return judge(store, model, look(store, model, day, lambda: [wholes], context), context, budget)


# ---- the table after learning


class Learnt:
    """Makes the next table out of one, and of the days that were settled over it."""

    def __init__(self, table: Table, first: int) -> None:
        self._table = table
        self._first = first
        self._deltas = of_bytes()
        """Scope, NUL and day → what it taught."""
        self._parts: dict[int, int] = {}
        self._eligible: dict[int, int] = {}
        self._groups: list[tuple[int, dict[str, Profile]]] = []
        """Day → the groups that changed on it."""

    def take(self, store: TableStore, day: int, parts: int = 0) -> None:
        """Note what a settled day has taught, and from how many stored rows."""
        self._parts[day] = parts
        size = sum(1 for _ in store.scan("delta", *span(day)))
        ranked = (State.ranked(*row) for row in store.scan("delta", *span(day)))
        self._eligible[day] = ranking.base(one.days for one in ranked if ranking.counts(one))
        eve = store.get("profile", [f"{GROUPS}/{day - 1:06d}"]).get(f"{GROUPS}/{day - 1:06d}")
        told = unpack(eve) if eve else {}
        groups = {scope: baseline.from_row(row) for scope, row in told.items()}
        changed = {TENANT}

        def lessons() -> Iterator[tuple[Any, Any, str]]:
            for key, raw in store.scan("delta", *span(day)):
                now, later, peer = unpack(raw)[:3]
                self._deltas[f"{key[7:]}\0{day:06d}"] = dump([now, later, peer]).encode("utf-8", "surrogatepass")
                changed.add(peer)
                yield now, later, peer

        learn_groups(groups, day, lessons(), size)
        self._groups.append((day, {scope: groups[scope] for scope in sorted(changed)}))

    def table(self, store: TableStore, keep: int, retire: int) -> Table:
        """The next table: deltas of the last `keep` days, all before folded in, and nobody who is long gone.

        `retire` is the number of days after which an identity that was not seen is forgotten; 0: never.
        """
        days = sorted({*(day for day in self._table.days if day < self._first), *(day for day, _ in self._groups)})
        gone, kept = days[: max(0, len(days) - keep)], days[max(0, len(days) - keep) :]
        base = max([self._table.base, *gone]) if self._table.own or gone else (kept or [0])[0] - 1
        found = Table()
        found.days = kept
        oldest = (days or [base])[-1] - retire if retire else 0
        forgotten: list[str] = []
        for scope, old, lessons in self._scopes():
            own = self._own(scope, base, old, lessons)
            if own.deltas or not _is_gone(own, oldest):
                found.own[scope] = own
                found.base = base
            else:
                forgotten.append(f"i/{scope}")
        self._add_groups(found, base)
        found.kept = store.kept()
        for key in forgotten:
            found.kept["inventory"].pop(key, None)
        for day, parts in self._parts.items():
            found.kept["meta"][f"{LEARNT}{day:06d}"] = str(parts)
            found.kept["meta"][f"{ELIGIBLE}{day:06d}"] = str(self._eligible[day])
        last = (days or [base])[-1]
        first = last - RETAIN_DAYS
        for key in [key for key in found.kept["meta"] if day_in(key) <= last - _kept_days(key)]:
            del found.kept["meta"][key]
        for key in [key for key in found.kept["day"] if int(key[:6]) < first]:
            del found.kept["day"][key]
        return found

    def _scopes(self) -> Iterator[tuple[str, Own, dict[int, Lesson]]]:
        """Each identity in order, its row, and what the days have taught of it."""
        old: Iterator[tuple[str, int, Any]] = ((scope, -1, own) for scope, own in self._table.own.scan())
        fresh = ((key[:-7], int(key[-6:]), json.loads(raw)) for key, raw in self._deltas.scan())
        for scope, rows in groupby(heapq.merge(old, fresh, key=itemgetter(0)), itemgetter(0)):
            told = {day: row for _, day, row in rows}
            yield scope, told.pop(-1, EMPTY), told

    def _own(self, scope: str, base: int, old: Own, lessons: Mapping[int, Lesson]) -> Own:
        told = parse(scope, old.deltas) if old.deltas else {}
        deltas = {int(day): lesson for day, lesson in told.items() if int(day) < self._first}
        deltas.update(lessons)
        folded = sorted(day for day in deltas if day <= base)
        profile = old.profile
        if folded:
            grown = profile_of(scope, profile)
            for day in folded:
                now, later, *_ = deltas[day]
                teach(grown, day, now, later)
            profile = dump(baseline.to_row(grown))
        later_days = {str(day): deltas[day] for day in sorted(deltas) if day > base}
        return Own(base, profile, dump(later_days) if later_days else "")

    def _add_groups(self, found: Table, base: int) -> None:
        """Of each group its last row up to the base, and all later ones."""
        for scope, (days, texts) in self._table.groups.items():
            upto = bisect_left(days, self._first)
            found.groups[scope] = (days[:upto], texts[:upto])
        for day, groups in self._groups:
            for scope, profile in groups.items():
                days, texts = found.groups.setdefault(scope, ([], []))
                days.append(day)
                texts.append(dump(baseline.to_row(profile)))
        for scope, (days, texts) in list(found.groups.items()):
            start = max(0, bisect_left(days, base + 1) - 1)
            found.groups[scope] = (days[start:], texts[start:])
            if not days:
                del found.groups[scope]


def _kept_days(key: str) -> int:
    return 2 * drift.DAYS if key.startswith(DRIFT) else WINDOW + FOLLOWED + 2


def _is_gone(own: Own, before: int) -> bool:
    match = _LAST.match(own.profile)
    return match is not None and 0 <= int(match[1]) < before
