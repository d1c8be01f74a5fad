"""Cases: which episodes are one notable. A case is computed from its episodes alone.

- Episodes severe enough for a row are one case where they share an identity, or an origin, and are at most GAP days
  apart. One that shares identities with several cases merges them; the oldest gives the id.
- Weaker episodes are history: they belong to the case that their identity has, and neither begin nor prolong one.
- A case ends LONGEST days after it began; its successor names it.
- A closed day is final, so its episodes are added to the stored cases once. Those of open days are added in memory in
  each run: the result does not depend on how records were split into runs.

| table, key | row |
|---|---|
| notable, case/id | the episodes of closed days, by case, until the case is closed |
| notable, done/id | the same of a closed case, which runs read while it counts in a week that is still asked about |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from nhi_watch.core.timestamps import day_of, parse
from nhi_watch.detect import episodes
from nhi_watch.detect.episodes import EpisodeHead
from nhi_watch.state.state import State
from nhi_watch.state.store import pack, unpack

GAP = 7
"""Days that two episodes of a case may be apart; a case that was quiet for longer is closed."""
LONGEST = 30
"""Days after its first episode for which a case takes new ones; then a successor begins."""
CASE, DONE, END = "case/", "done/", "end/"


class Case:
    """The episodes of one notable."""

    def __init__(self, first: EpisodeHead, predecessor: str = "") -> None:
        self.id = first.id
        self.first_day = first.day
        self.heads = [first]
        """In the order in which they count."""
        self.absorbed: list[str] = []
        """Ids of the cases that turned out to be part of this one."""
        self.predecessor = predecessor
        self.successor = ""

    @property
    def rows(self) -> list[EpisodeHead]:
        """The episodes that are severe enough for a row."""
        return [head for head in self.heads if head.is_row]

    @property
    def last_day(self) -> int:
        """The day of its newest episode that is severe enough for a row; of a case without one, of the newest."""
        return max(head.day for head in self.rows or self.heads)

    @property
    def keys(self) -> set[str]:
        """What episodes recognise it by."""
        return {key for head in self.rows for key in head.keys}

    def is_alive(self, day: int) -> bool:
        """Whether an episode of a day may belong to it."""
        return not self.successor and bool(self.rows) and day - self.last_day <= GAP

    def add(self, head: EpisodeHead) -> None:
        """Add an episode."""
        others = (other for other in self.heads if other.id != head.id)  # more of what came late of a day replaces it
        self.heads = sorted([*others, head], key=_order)

    def absorb(self, other: Case) -> None:
        """Take over the episodes of a case that is part of this one."""
        self.heads = sorted([*self.heads, *other.heads], key=_order)
        self.absorbed = [*dict.fromkeys([*self.absorbed, other.id, *other.absorbed])]
        self.predecessor = self.predecessor or other.predecessor

    def to_row(self) -> list[Any]:
        """Plain values, for stores."""
        return [self.id, self.first_day, list(map(list, self.heads)), self.absorbed, self.predecessor, self.successor]

    @classmethod
    def from_row(cls, row: list[Any]) -> Case:
        """The case of a row."""
        name, first_day, heads, absorbed, predecessor, successor = row
        case = cls(EpisodeHead(*heads[0]), predecessor)
        case.id, case.first_day, case.heads = name, first_day, [EpisodeHead(*head) for head in heads]
        case.absorbed, case.successor = absorbed, successor
        return case


def _order(head: EpisodeHead) -> tuple[int, int, str]:
    return head.day, head.reached, head.id


class Cases:
    """The cases of a state: those that are not closed, with the episodes of open days."""

    def __init__(self, known: Iterable[Case] = ()) -> None:
        self._cases = {case.id: case for case in known}
        self._by_key: dict[str, set[str]] = {}
        for case in self._cases.values():
            self._index(case)

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases.values())

    def __len__(self) -> int:
        return len(self._cases)

    def get(self, name: str) -> Optional[Case]:
        """The case of an id."""
        return self._cases.get(name)

    def of(self, document: Mapping[str, Any]) -> list[Case]:
        """The cases that an identity of a notable belongs to on the day on which the notable ended."""
        names = {document["identity"]["id"], *(member["id"] for member in document["members"])}
        matches = {case for key in names for case in self._by_key.get(key, ())}
        day = day_of(parse(document["last_time"]))
        cases = [self._cases[name] for name in sorted(matches) if name in self._cases]
        return [case for case in cases if case.first_day <= day <= case.last_day + GAP]

    def remove(self, name: str) -> None:
        """Forget a case."""
        self._cases.pop(name, None)

    def forget_weak(self) -> list[EpisodeHead]:
        """Forget the weak episodes that are no part of a case; returns them."""
        weak = [head for case in self._cases.values() if not case.rows for head in case.heads]
        self._cases = {name: case for name, case in self._cases.items() if case.rows}
        return weak

    def add_day(self, heads: Iterable[EpisodeHead]) -> set[str]:
        """Add the episodes of one day; returns the ids of the cases that changed, or that are gone."""
        changed = set[str]()
        head_list = sorted(heads, key=_order)
        for head in head_list:
            if head.is_row:
                changed |= self._add(head)
        for head in head_list:
            if not head.is_row:
                alive = self._alive(head)
                if alive:
                    alive[0].add(head)
                    changed.add(alive[0].id)
                else:
                    self._cases.setdefault(head.id, Case(head))
        return changed

    def _add(self, head: EpisodeHead) -> set[str]:
        alive = self._alive(head)
        young = [case for case in alive if head.day - case.first_day <= LONGEST]
        if young:
            first, *others = young
            first.add(head)
            for other in others:
                first.absorb(other)
                del self._cases[other.id]
        else:
            first = self._cases[head.id] = Case(head, alive[0].id if alive else "")
        for case in alive:
            if case not in young:
                case.successor = first.id
        self._index(first)
        return {first.id, *(case.id for case in alive)}

    def _alive(self, head: EpisodeHead) -> list[Case]:
        """The cases to which an episode belongs, the oldest first."""
        names = {name for key in head.keys for name in self._by_key.get(key, ()) if name in self._cases}
        alive = (self._cases[name] for name in names if self._cases[name].is_alive(head.day))
        return sorted(alive, key=lambda case: (case.first_day, case.id))

    def _index(self, case: Case) -> None:
        for key in case.keys:
            self._by_key.setdefault(key, set()).add(case.id)


# ---- rows


class CaseBook:
    """The stored cases, to which closed days are added, and all cases as they stand now."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._closed: Optional[Cases] = None
        self.weak: list[EpisodeHead] = []
        """Weak episodes of the days that were closed meanwhile and that belong to no case."""

    def close_day(self, day: int) -> None:
        """Add a closed day's episodes; weak ones that belong to no case stay documents of their day."""
        rows = self._state.rows
        heads = episodes.heads(rows, day, day + 1)
        if not heads:
            return
        known = self._stored()
        changed = known.add_day(heads)
        cases = ((name, known.get(name)) for name in sorted(changed))
        rows.put("notable", [(CASE + n, pack(case.to_row()) if case and case.rows else None) for n, case in cases])
        self.weak += known.forget_weak()
        rows.put("notable", [(f"{episodes.HEAD}{day:06d}/{head.id}", None) for head in heads])

    def keys_on(self, day: int) -> set[str]:
        """By what the closed days' cases recognise an episode of a day."""
        return {key for case in self._stored() if case.is_alive(day) for key in case.keys}

    def now(self) -> Cases:
        """All cases, with the episodes of open days."""
        cases = Cases(Case.from_row(case.to_row()) for case in self._stored())
        days: dict[int, list[EpisodeHead]] = {}
        for head in episodes.heads(self._state.rows, 0, 999_999):
            days.setdefault(head.day, []).append(head)
        for _, heads in sorted(days.items()):
            cases.add_day(heads)
        return cases

    def retire(self, names: Iterable[str]) -> list[Case]:
        """Move closed cases to where no run reads them; returns them."""
        known, rows = self._stored(), self._state.rows
        cases = [case for case in map(known.get, names) if case is not None]
        rows.put("notable", [(DONE + case.id, pack(case.to_row())) for case in cases])
        rows.put("notable", [(CASE + case.id, None) for case in cases])
        for case in cases:
            known.remove(case.id)
        return cases

    def ended(self, since: int) -> list[Case]:
        """The closed cases that have an episode on the day `since` or later."""
        rows = self._state.rows
        names = {key[len(END) + 7 :] for key, _ in rows.scan("notable", f"{END}{since:06d}/", END[:-1] + "0")}
        return [Case.from_row(unpack(raw)) for raw in rows.get("notable", [DONE + n for n in sorted(names)]).values()]

    def restore(self, names: Iterable[str]) -> None:
        """Bring closed cases back: somebody took back what was said of them."""
        rows = self._state.rows.get("notable", [DONE + name for name in names])
        self._state.rows.put("notable", [(CASE + key[len(DONE) :], raw) for key, raw in rows.items()])
        self._state.rows.put("notable", [(key, None) for key in rows])
        self._closed = None

    def _stored(self) -> Cases:
        if self._closed is None:
            rows = self._state.rows.scan("notable", CASE, CASE[:-1] + "0")
            self._closed = Cases(Case.from_row(unpack(raw)) for _, raw in rows)
        return self._closed
