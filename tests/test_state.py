"""State: what is written, read again, rebuilt and forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import MACHINE, TODAY, answer, contents, record, run, runs
from nhi_watch.core.errors import StoreError
from nhi_watch.detect import model
from nhi_watch.detect.scoring import Baselines
from nhi_watch.state import baseline, retention
from nhi_watch.state.baseline import Profiles
from nhi_watch.state.retention import RETAIN_DAYS, RETAIN_DELTAS, Daybook
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore


def used(days: list[int], **changes: Any) -> MemoryStore:
    return runs([[record(day, "10:00", **changes)] for day in days])


def profile_on(store: MemoryStore, day: int) -> baseline.Profile:
    (known,) = State(store).scopes(day).own.values()
    return known


def test_two_days_are_open_and_learnt_for_good_when_they_are_closed() -> None:
    store = used([TODAY, TODAY + 1, TODAY + 2])
    (row,) = [r for key, r in contents(store)["profile"].items() if key.startswith("aws:")]
    assert baseline.from_row(row).days == 1
    assert profile_on(store, TODAY + 3).days == 3, "what open days teach counts on the days after them"
    assert State(store).next_open_day() == TODAY + 3


def test_an_empty_store_has_no_open_day() -> None:
    assert State(MemoryStore()).next_open_day() == 0


def test_profiles_are_those_of_the_eve_asked_for_of_open_days() -> None:
    store = used(list(range(TODAY, TODAY + 6)))
    for later in range(4, 7):
        known = profile_on(store, TODAY + later)
        assert (known.days, known.last, known.as_of) == (later, TODAY + later - 1, TODAY + later - 1)
    with pytest.raises(StoreError, match="is closed"):
        State(store).fill(Profiles(), {}, TODAY + 3)


def test_a_state_of_an_earlier_version_is_refused_with_a_remedy() -> None:
    store = used([TODAY])
    store.put("meta", [("days", b"x")])
    with pytest.raises(StoreError, match="learn the logs again"):
        State(store)


def test_an_identity_that_was_away_for_longer_than_deltas_are_kept_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "RETAIN_DAYS", 2)
    monkeypatch.setattr(retention, "RETAIN_DELTAS", 3)
    other = [[record(day, "11:00", role="other")] for day in range(TODAY + 1, TODAY + 12)]
    store = runs([[record(TODAY, "10:00")], *other])
    own = State(store).scopes(TODAY + 12).own
    (known,) = [profile for name, profile in own.items() if "payments" in name]
    assert (known.days, known.last) == (1, TODAY)


def test_only_what_is_recent_is_kept() -> None:
    store = used(list(range(TODAY, TODAY + 130)))
    kept = contents(store)
    assert (len(kept["day"]), len(kept["delta"])) == (RETAIN_DAYS + 1, RETAIN_DELTAS + 1)
    days = {key.split("/")[1] for key in kept["profile"] if key.startswith("eve/")}
    assert days <= {f"{TODAY + 129:06d}"}
    assert profile_on(store, TODAY + 130).days == 130


def test_a_day_row_holds_every_record_once() -> None:
    store = runs([[record(TODAY, "10:00"), record(TODAY, "10:01")], [record(TODAY, "10:01"), record(TODAY, "10:02")]])
    (identity_day,) = State(store).load_day(TODAY).values()
    assert (identity_day.events(), identity_day.stored) == (3, 3)


def test_filling_gives_blank_profiles_to_newcomers() -> None:
    store, baselines = used([TODAY]), Baselines(model.load())
    state = State(store)
    identity_days = {MACHINE.id: next(iter(state.load_day(TODAY).values()))}
    state.fill(baselines, identity_days, TODAY + 1)
    assert baselines.own[MACHINE.id].days == 0
    assert baselines.groups["tenant"].days == 1


@pytest.mark.slow
def test_rows_that_were_put_but_not_finished_are_simply_written_again() -> None:
    class KilledError(Exception):
        pass

    class Fragile(MemoryStore):
        """Dies at its n-th write, as a store without transactions does."""

        left = 10**9

        def put(self, table: str, rows: Any) -> None:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            super().put(table, rows)

    parts = [[record(TODAY + d, f"1{h}:00", name=n) for h in range(3) for n in ("A", "B")] for d in range(4)]
    end = [record(TODAY + 6, "10:00")]
    expected = answer(runs([*parts, end]))
    for dies in range(60):
        store = Fragile()
        run(store, parts[0])
        store.left = dies
        for part in parts[1:]:
            try:
                run(store, part)
            except KilledError:
                store.left = 10**9
                run(store, part)
        run(store, end)
        assert answer(store) == expected, dies


@given(st.lists(st.integers(0, 60_000), max_size=200))
def test_a_daybook_keeps_days_in_order_and_forgets_the_oldest(days: list[int]) -> None:
    book = Daybook([])
    for day in days:
        book.add(day)
    expected = sorted(set(days))
    assert book.days == expected
    limits = book.forget()
    assert book.days == [day for day in expected if day >= limits.delta]
    assert len(book.days) <= RETAIN_DELTAS + 1
    assert len([day for day in book.days if day >= limits.day]) == min(len(expected), RETAIN_DAYS + 1)
