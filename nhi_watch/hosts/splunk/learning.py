"""Days → scores, notables and a new baseline, over the rows of a lookup table.

Days are settled one after the other. A table is a function of the one before and of the days; the same days again
give the same table.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import drift
from nhi_watch.detect.judge import BUDGET, Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result
from nhi_watch.detect.telemetry import WINDOW
from nhi_watch.hosts.splunk.lookup import EMPTY, LEARNT, Own, Table, dump, parse, profile_of
from nhi_watch.hosts.splunk.tablestore import DRIFT, Lesson, TableStore, day_in, unpack
from nhi_watch.intake.days import Days
from nhi_watch.state import baseline
from nhi_watch.state.baseline import TENANT, Profile, learn_groups, teach
from nhi_watch.state.retention import RETAIN_DAYS
from nhi_watch.state.state import GROUPS, State

KEEP = 7
"""Days whose deltas stay apart: so late may an event be and still be learnt."""
FOLLOWED = 9
"""Days for which a blind spot that was written is looked at again."""
_LAST = re.compile(r"\[-?\d+,-?\d+,-?\d+,(-?\d+),")


def settle(
    store: TableStore, model: Scorecard, days: Mapping[int, Mapping[str, IdentityDay]],
    context: Context = NO_CONTEXT, budget: float = BUDGET,
) -> Result:  # fmt: skip
    """Score, rank and learn whole days."""
    gathered = Days(context=context)
    for day, wholes in days.items():
        gathered.put(day, wholes)
    return Judge(State(store), model, context, budget).settle(gathered)


# ---- the table after learning


class Learnt:
    """Makes the next table out of one, and of the days that were settled over it."""

    def __init__(self, table: Table, first: int) -> None:
        self._table = table
        self._first = first
        self._deltas: dict[str, dict[int, Lesson]] = {}
        self._parts: dict[int, int] = {}
        self._groups: list[tuple[int, dict[str, Profile]]] = []
        """Day → the groups that changed on it."""

    def take(self, store: TableStore, day: int, parts: int = 0) -> None:
        """Note what a settled day has taught, and from how many stored rows."""
        self._parts[day] = parts
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
        self._add_groups(found, base)
        found.kept = store.kept()
        forgotten = {f"i/{scope}" for scope in self._table.own if scope not in found.own}
        found.kept["inventory"] = {k: row for k, row in found.kept["inventory"].items() if k not in forgotten}
        for day, parts in self._parts.items():
            found.kept["meta"][f"{LEARNT}{day:06d}"] = str(parts)
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
