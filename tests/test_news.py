"""What a run scores again on an open day: identities with new behaviour, and suspects; the others are counted."""

from __future__ import annotations

from typing import Any

import pytest

from core_samples import TODAY, Going, record, run, runs
from nhi_watch.core.behaviour import GROWN
from nhi_watch.detect import session
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore

Records = list[dict[str, Any]]
HISTORY = [record(day, f"{hour:02}:10") for day in range(TODAY - 14, TODAY) for hour in range(8, 18)]
MORNING = [record(TODAY, f"08:{minute:02}") for minute in range(20)]
TOR = {"address": "185.220.101.4", "service": "iam", "name": "CreateAccessKey", "agent": "aws-cli/2.15.30 x"}


@pytest.fixture
def store() -> MemoryStore:
    return runs([HISTORY, MORNING])


def scored(store: MemoryStore, records: Records) -> int:
    run_counts = run(store, records).run
    assert run_counts["parsed"] == len(records)
    return int(run_counts["episodes"])


def counted(store: MemoryStore) -> int:
    return sum(identity_day.events() for _, identity_day in State(store).each_of(TODAY))


def test_usual_calls_are_counted_and_not_judged_again(store: MemoryStore) -> None:
    assert scored(store, [record(TODAY, "09:00"), record(TODAY, "10:00")]) == 0
    assert counted(store) == len(MORNING) + 2


@pytest.mark.parametrize(
    "novelty",
    [
        {"name": "PutObject"},
        {"bucket": "bucket-b"},
        {"address": "198.51.100.7"},
        {"agent": "curl/8"},
        {"errorCode": "AccessDenied"},
        {"role": "another"},
    ],
)
def test_a_call_place_client_outcome_target_or_identity_that_the_day_had_not_is_news(
    store: MemoryStore, novelty: dict[str, Any]
) -> None:
    assert scored(store, [record(TODAY, "09:00", **novelty)]) == 1


def test_small_runs_of_the_same_add_up_until_the_day_has_grown_by_a_quarter(store: MemoryStore) -> None:
    many = round(len(MORNING) * (GROWN - 1))
    each = [scored(store, [record(TODAY, f"09:{minute:02}")]) for minute in range(2 * many)]
    assert each == [0] * (many - 1) + [1] + [0] * many


def test_who_acts_oddly_is_judged_whenever_something_comes_of_it(store: MemoryStore) -> None:
    run(store, [record(TODAY, f"12:{minute:02}", **TOR) for minute in range(6)])
    assert scored(store, [record(TODAY, "12:30", **TOR)]) == 1
    (notable,) = run(store, []).standing
    assert notable["last_time"].endswith("12:30:00Z")


def test_what_was_only_counted_is_judged_when_the_day_is_closed(store: MemoryStore) -> None:
    assert scored(store, [record(TODAY, "09:00")]) == 0
    later = [record(TODAY + 2, "09:00")]
    assert scored(store, later) == 3, "the two days that are closed, and the new one"
    teaches = {stored.ranked.identity_id for stored in State(store).scored(TODAY)}
    assert len(teaches) == 1 and State(store).daybook.is_closed(TODAY)


def test_a_run_that_was_killed_before_it_judged_leaves_its_news_to_the_next(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_BUFFERED", 1)
    going = Going(store)
    going.feed([record(TODAY, "09:00", **TOR)])
    store.commit()
    assert list(State(store).unscored()) == [TODAY]
    assert scored(store, [record(TODAY, "09:05")]) == 1
    assert State(store).unscored() == {}
