"""The close of a day in parts: a run hands over behind any batch, or dies at any row, and the next one goes on."""

from __future__ import annotations

from typing import Any

import pytest

from core_samples import TODAY, Going, answer, contents, record, runs
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import engine, model
from nhi_watch.detect.engine import Scorer
from nhi_watch.state import state
from nhi_watch.state.baseline import to_row
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack

Records = list[dict[str, Any]]
NAMES = ("A", "B", "C", "D", "E")
TOR = {"address": "185.220.101.4", "service": "iam", "name": "CreateAccessKey", "agent": "aws-cli/2.15.30 x"}
PARTS: list[Records] = [
    *([record(TODAY + d, f"1{h}:00", role=n) for h in range(3) for n in NAMES] for d in range(5)),
    [record(TODAY + 5, f"12:{m:02}", role="C", **TOR) for m in range(6)],
    [record(TODAY + 6, "10:00", role="A"), record(TODAY + 5, "13:00", role="D")],
    [record(TODAY + 7, "10:00")],
]
NOW = (TODAY + 8) * DAY


class KilledError(Exception):
    """The process is gone."""


class Fragile(MemoryStore):
    """Dies at its n-th write, as a store without transactions does."""

    left = 10**9

    def put(self, table: str, rows: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError
        super().put(table, rows)


@pytest.fixture
def complete_run(monkeypatch: pytest.MonkeyPatch) -> Any:
    built = answer(runs(PARTS))
    assert built["notable"], "something to lose"
    monkeypatch.setattr(engine, "AT_ONCE", 1)
    monkeypatch.setattr(state, "AT_ONCE", 1)
    return built


def settled(store: MemoryStore, part: Records) -> None:
    going = Going(store)
    going.feed(part)
    going.finish(closes=False)


def closed(store: MemoryStore, goes_on: bool) -> bool:
    return Scorer(State(store), model.load()).close(NOW, lambda: goes_on)


def died(store: MemoryStore) -> bool:
    """Whether a close dies."""
    try:
        closed(store, goes_on=True)
    except KilledError:
        return True
    return False


def test_open_days_are_judged_first_and_a_close_is_handed_over_behind_each_batch(complete_run: Any) -> None:
    store, slices = MemoryStore(), 0
    for part in PARTS:
        settled(store, part)
        while not closed(store, goes_on=False):
            slices += 1
    assert slices > 2 * len(NAMES) * len(PARTS[:5]), "each identity's day is scored, and learned, in a run of its own"
    assert answer(store) == complete_run


def test_runs_go_on_while_a_close_is_under_way(complete_run: Any) -> None:
    """Each run of the schedule leaves the close of a day to those that follow."""
    store = MemoryStore()
    for part in PARTS:
        for item in range(0, len(part), 2):
            settled(store, part[item : item + 2])
            closed(store, goes_on=False)
        while not closed(store, goes_on=False):
            settled(store, [])
    settled(store, [])
    assert answer(store) == complete_run


@pytest.mark.slow
def test_a_close_that_dies_at_any_row_goes_on(complete_run: Any) -> None:
    for dies in range(80):
        store, deaths = Fragile(), 0
        for part in PARTS:
            settled(store, part)
            store.left = dies
            deaths += died(store)
            store.left = 10**9
            assert closed(store, goes_on=True)
        assert answer(store) == complete_run, dies
        if not deaths:
            return
    raise AssertionError("and dies at the last of its rows as well")


class DiesBehindProfiles(MemoryStore):
    """Dies once when the close notes that an identity's profile has learnt the day, which is in its row by then."""

    is_armed = is_behind = False

    def put(self, table: str, rows: Any) -> None:
        rows = list(rows)
        if self.is_armed and self.is_behind and (table, rows[0][0]) == ("meta", state.CLOSING):
            self.is_armed = False
            raise KilledError
        self.is_behind = table == "profile" and not rows[0][0].startswith((state.EVE, state.GROUP))
        super().put(table, rows)


def test_profiles_learn_a_day_once_where_the_close_died_before_it_noted_them(complete_run: Any) -> None:
    store, deaths = DiesBehindProfiles(), 0
    for part in PARTS:
        settled(store, part)
        store.is_armed = True
        if died(store):
            deaths += 1
            assert closed(store, goes_on=True)
        store.is_armed = False
    assert deaths >= 4 and answer(store) == complete_run


def test_profiles_are_the_same_whether_or_not_they_have_learnt_a_day_yet(complete_run: Any) -> None:
    """While a close goes on, open days are scored by profiles of which some have learnt the day."""
    store, seen = MemoryStore(), list[dict[str, Any]]()
    for part in PARTS[:2]:
        settled(store, part)
    settled(store, PARTS[3])
    names = [key[2:] for key in contents(store)["inventory"] if key.startswith("i/")]
    while not closed(store, goes_on=False):
        known = State(store).profiles(names)
        seen.append({name: to_row(profile) for name, profile in known.items()})
    assert len(seen) >= 2 * len(NAMES) and seen == [seen[0]] * len(seen)


def test_what_comes_of_a_day_whose_close_has_begun_is_late() -> None:
    store = MemoryStore()
    for part in PARTS[:2]:
        settled(store, part)
    settled(store, PARTS[4])
    assert not closed(store, goes_on=False)
    assert State(store).daybook.is_closed(TODAY)
    going = Going(store)
    going.feed([record(TODAY, "23:00", role="A", **TOR)])
    assert going.finish(closes=False).run["too_late"] == 1


def test_a_state_that_an_earlier_version_wrote_is_read() -> None:
    store = MemoryStore()
    store.put("meta", [("calendar", pack([[1, 2, 3], 1, 3, 1]))])
    book = State(store).daybook
    assert (book.days, book.closed, book.clock, book.learnt) == ([1, 2, 3], 1, 3, 1)
