"""Days → scores, notables and a new baseline, over the rows of a lookup table.

Days are settled one after the other. A table is a function of the one before and of the days; the same days again
give the same table.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core import crowd
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import drift, ranking, taught
from nhi_watch.detect.episodes import DayEpisodes, nothing_missing
from nhi_watch.detect.judge import BUDGET, Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result, Tally
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.telemetry import WINDOW, Rhythms
from nhi_watch.hosts.splunk.lookup import ELIGIBLE, EMPTY, LEARNT, Own, Table, dump, parse, profile_of
from nhi_watch.hosts.splunk.tablestore import DRIFT, RHYTHM, Lesson, TableStore, day_in, unpack
from nhi_watch.intake.days import Days
from nhi_watch.state import baseline, day_rows, inventory
from nhi_watch.state.baseline import TENANT, Profile, learn_groups, teach
from nhi_watch.state.retention import RETAIN_DAYS
from nhi_watch.state.state import GROUPS, State

KEEP = 7
"""Days whose deltas stay apart: so late may an event be and still be learnt."""
FOLLOWED = 9
"""Days for which a blind spot that was written is looked at again."""
_LAST = re.compile(r"\[-?\d+,-?\d+,-?\d+,(-?\d+),")


class Looked(NamedTuple):
    """A day of which every identity was scored, some at a time: what is left to settle."""

    day: int
    kept: dict[str, IdentityDay]
    """Those that may become notables, whole; one at least, or the day would not be judged at all."""
    counts: dict[str, int]
    """Events of each identity."""
    changes: dict[str, list[Any]]
    """What those that did something to credentials or names did, see `inventory.changes`."""
    folded: int = 0
    """Events of identities or behaviours that were too many to be told apart."""


def look(
    store: TableStore, model: Scorecard, day: int, batches: Callable[[], Iterable[Mapping[str, IdentityDay]]],
    context: Context = NO_CONTEXT,
) -> Looked:  # fmt: skip
    """Score a day's identities, some at a time; the store then holds how each was judged and what it teaches."""
    baselines, kept = Baselines(model, context.networks, taught.kept(store, model)), dict[str, IdentityDay]()
    counts: dict[str, int] = {}
    changes: dict[str, list[Any]] = {}
    folded = [0]

    def each() -> Iterator[IdentityDay]:
        for wholes in batches():
            episodes = DayEpisodes(State(store), baselines, day, wholes, Tally(), context.assets, nothing_missing)
            episodes.note(wholes)
            found = episodes.of(wholes)
            kept.update((n, wholes[n]) for n, e in found.items() if e.score >= ranking.FLOOR or not kept)
            inventory.note(store, wholes.values())
            changes.update((n, told) for n, told in ((n, inventory.changes(w)) for n, w in wholes.items()) if told)
            counts.update((name, whole.events()) for name, whole in wholes.items())
            folded[0] += crowd.folded_records(wholes)
            baselines.own.clear()
            yield from wholes.values()

    Rhythms(store).note(day, each())
    _follow(store, day, batches, kept)
    return Looked(day, kept, counts, changes, folded[0])


def _follow(
    store: TableStore, day: int, batches: Callable[[], Iterable[Mapping[str, IdentityDay]]],
    kept: Mapping[str, IdentityDay],
) -> None:  # fmt: skip
    """Whole days of identities that were exposed are kept, whatever they scored."""
    wanted = store.followed() - kept.keys()
    for wholes in batches() if wanted else ():
        mine = wanted & wholes.keys()
        store.put("day", [(f"{day:06d}/{name}", day_rows.pack(wholes[name])) for name in sorted(mine)])


def judge(
    store: TableStore, model: Scorecard, looked: Looked, context: Context = NO_CONTEXT, budget: float = BUDGET,
    identities: int = 0,
) -> Result:  # fmt: skip
    """Rank a day that was looked at; `identities`: how many there are where only some were given."""
    rhythm = store.get("meta", [f"{RHYTHM}{looked.day:06d}"])
    days = Days(context=context)
    days.put(looked.day, looked.kept)
    store.thin = looked.day
    result = Judge(State(store), model, context, budget, identities=identities).settle(days)
    store.thin = None
    store.put("meta", rhythm.items())  # that of all, not of those that were kept
    return result


def spread(store: TableStore, day: int) -> None:
    """Keep the spread of a day that was judged before, of which nobody was given."""
    tenant = State(store).groups_on(day).groups.get(TENANT) or Profile()
    if tenant.days and day - tenant.first >= drift.SETTLED:
        store.thin = day
        drift.note(store, day, State(store).judged(day))
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
        self._deltas: dict[str, dict[int, Lesson]] = {}
        self._parts: dict[int, int] = {}
        self._eligible: dict[int, int] = {}
        self._groups: list[tuple[int, dict[str, Profile]]] = []
        """Day → the groups that changed on it."""

    def take(self, store: TableStore, day: int, parts: int = 0) -> None:
        """Note what a settled day has taught, and from how many stored rows."""
        self._parts[day] = parts
        self._eligible[day] = ranking.base(one.ranked for one in State(store).judged(day))
        rows = {key[7:]: unpack(raw)[:3] for key, raw in store.scan("delta", f"{day:06d}/", f"{day:06d}0")}
        for scope, lesson in rows.items():
            self._deltas.setdefault(scope, {})[day] = lesson
        eve = store.get("profile", [f"{GROUPS}/{day - 1:06d}"]).get(f"{GROUPS}/{day - 1:06d}")
        told = unpack(eve) if eve else {}
        groups = {scope: baseline.from_row(row) for scope, row in told.items()}
        lessons: list[tuple[Any, Any, str]] = [(now, later, peer) for now, later, peer in rows.values()]
        learn_groups(groups, day, lessons)
        changed = {TENANT, *(peer for _, _, peer in lessons)}
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
        for scope in sorted({*self._table.own, *self._deltas}):
            own = self._own(scope, base)
            if own.deltas or not _is_gone(own, oldest):
                found.own[scope] = own
                found.base = base
        self._add_groups(found, base)
        found.kept = store.kept()
        forgotten = {f"i/{scope}" for scope in self._table.own if scope not in found.own}
        found.kept["inventory"] = {k: row for k, row in found.kept["inventory"].items() if k not in forgotten}
        for day, parts in self._parts.items():
            found.kept["meta"][f"{LEARNT}{day:06d}"] = str(parts)
            found.kept["meta"][f"{ELIGIBLE}{day:06d}"] = str(self._eligible[day])
        last = (days or [base])[-1]
        first = last - RETAIN_DAYS
        found.kept["meta"] = {k: row for k, row in found.kept["meta"].items() if day_in(k) > last - _kept_days(k)}
        found.kept["day"] = {key: row for key, row in found.kept["day"].items() if int(key[:6]) >= first}
        return found

    def _own(self, scope: str, base: int) -> Own:
        old = self._table.own.get(scope, EMPTY)
        told = parse(scope, old.deltas) if old.deltas else {}
        deltas = {int(day): lesson for day, lesson in told.items() if int(day) < self._first}
        deltas.update(self._deltas.get(scope, {}))
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
