"""Parts that wait: known calls reach an identity's day hours later, and a closed day does not show it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, answer, record, runs
from nhi_watch.context.context import NO_CONTEXT
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect import publish
from nhi_watch.hosts.splunk import gather, nhirank, parts, run, waiting
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.run import SplunkRun
from nhi_watch.hosts.splunk.waiting import NOTHING, WAIT
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from splunk_faults import live
from test_bounds import rows_of
from test_cases import NAME, ROOM, others, until
from test_pipeline import quiet, raid
from test_splunk_state import STEP, records

WHO, BATCH = "aws:111111111111:role:AROApayments-api", "aws:111111111111:role:AROAbatch"
START = TODAY * DAY
Records = Sequence[dict[str, Any]]


def rank(store: MemoryStore, records: Records, now: int, stops: bool = False) -> None:
    """A run of Rank over rows of events; `stops`: it is killed before it closes days."""
    gatherer = Gatherer(hold=True)
    gatherer.feed(rows_of(list(records)))
    going = SplunkRun(store, NO_CONTEXT, ROOM.budget, now)
    going.merge_waiting()
    for day in gatherer.days():
        going.take_many(day, gatherer)
    going.process(closes=False)
    if not stops:
        assert going.close(lambda: None, 1e18)


@lru_cache
def learnt() -> MemoryStore:
    store = MemoryStore()
    rank(store, [*quiet(12), *quiet(12, "batch"), *until(TODAY - 1)], START)
    return store


@pytest.fixture
def store() -> MemoryStore:
    """What machines did up to yesterday is known."""
    return copy.deepcopy(learnt())


def work(clock: str, role: str = "payments-api", **more: Any) -> dict[str, Any]:
    """A call that the machine makes each day."""
    known = quiet(1, role)[0]
    return {**known, "eventTime": record(TODAY, clock)["eventTime"], "eventID": f"{role}-{clock}", **more}


def events(store: MemoryStore, name: str = WHO) -> int:
    """How many events the day holds of an identity."""
    day = State(store).load_some(TODAY, [name]).get(name)
    return day.events() if day else 0


def waits(store: MemoryStore) -> int:
    return sum(raw != NOTHING for _, raw in store.scan("meta", WAIT, "wait0"))


def test_known_calls_wait_until_their_shard_is_merged(store: MemoryStore) -> None:
    rank(store, [work("01:10")], START + 2 * HOUR)
    assert (events(store), waits(store)) == (0, 1)
    rank(store, [work("01:10")], START + 2 * HOUR + 300)  # it is read twice
    rank(store, [work("01:20")], START + 2 * HOUR + 600)
    assert (events(store), waits(store)) == (0, 3)
    rank(store, [], START + 11 * HOUR)
    assert (events(store), waits(store)) == (2, 0)


def test_a_call_that_is_new_is_merged_and_judged_at_once(store: MemoryStore) -> None:
    rank(store, [work("01:10")], START + 2 * HOUR)
    rank(store, [work("02:10", sourceIPAddress="198.51.100.77")], START + 3 * HOUR)
    assert (events(store), waits(store)) == (1, 1)
    assert WHO in {stored.ranked.identity_id for stored in State(store).scored(TODAY)}
    rank(store, [work("02:40", sourceIPAddress="198.51.100.77")], START + 3 * HOUR + 300)
    assert (events(store), waits(store)) == (1, 2), "by now it is known"


def test_of_a_text_of_several_identities_those_with_news_are_merged_at_once(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (gather, run, waiting):
        monkeypatch.setattr(module, "SHARDS", 1)
    at_first = [work(f"00:{n}", role) for n in range(10, 18) for role in ("payments-api", "batch")]
    rank(store, at_first, START + HOUR)  # what is known is in one shard now
    rank(store, [], START + 10 * HOUR)
    gatherer, now = Gatherer(hold=True), Gatherer()
    now.feed(rows_of([work("10:10"), work("10:20", "batch", sourceIPAddress="198.51.100.77")]))
    gatherer.spool.add(TODAY, parts.key_of(WHO), parts.pack(list(now.parts.values())))
    assert gatherer.spool.counts == {TODAY: 2}
    before = events(store), events(store, BATCH)
    going = SplunkRun(store, NO_CONTEXT, ROOM.budget, START + 11 * HOUR)
    going.take_many(TODAY, gatherer)
    going.process(closes=False)
    going.close(lambda: None, 1e18)
    assert (events(store), events(store, BATCH), waits(store)) == (before[0], before[1] + 1, 1)
    rank(store, [], START + 20 * HOUR)
    assert (events(store), events(store, BATCH), waits(store)) == (before[0] + 1, before[1] + 1, 0)


def test_a_flood_of_known_calls_is_news(store: MemoryStore) -> None:
    flood = [work("02:10", "batch", eventID=f"{n:032x}") for n in range(40)]
    rank(store, flood, START + 3 * HOUR)
    assert (events(store, BATCH), waits(store)) == (40, 0)


def test_who_is_new_or_acts_oddly_never_waits(store: MemoryStore) -> None:
    rank(store, [record(TODAY, "09:00", role="newcomer")], START + 10 * HOUR)
    assert waits(store) == 0
    rank(store, raid(), START + 12 * HOUR)
    (shown,) = [item for item in publish.stored(store) if item["id"] == NAME]
    assert shown["listed"]
    before = events(store)
    rank(store, [work("12:10")], START + 13 * HOUR)
    assert (events(store), waits(store)) == (before + 1, 0), "a notable tells all that there is"


def test_a_log_of_which_all_waits_is_not_silent(store: MemoryStore) -> None:
    for hour in range(1, 23):
        rank(store, [work(f"{hour:02d}:10"), work(f"{hour:02d}:20", "batch")], START + (hour + 1) * HOUR)
        rank(store, [], START + (hour + 1) * HOUR + 300)
    blind = [item for item in publish.stored(store) if item["kind"] == "blind_spot"]
    assert [item["title"] for item in blind if parse(item["first_time"]) >= START] == []


def test_a_closed_day_does_not_show_that_parts_waited(store: MemoryStore) -> None:
    """Nor that a run was killed before it closed a day, nor that rows are read twice."""
    todays = [
        *(
            work(f"{hour:02d}:{n:02d}", role)
            for hour in range(1, 23)
            for n in (10, 40)
            for role in ("payments-api", "batch")
        ),
        *others(TODAY),
        *raid(),
    ]
    todays.sort(key=lambda item: item["eventTime"])
    waited = []
    for hour in range(24):
        mine = [item for item in todays if START + hour * HOUR <= parse(item["eventTime"]) < START + (hour + 1) * HOUR]
        rank(store, mine, START + (hour + 1) * HOUR, stops=hour % 3 == 0)
        rank(store, mine, START + (hour + 1) * HOUR + 300)
        waited.append(waits(store))
    assert max(waited) > 10
    after = [*others(TODAY + 1), *others(TODAY + 2)]
    rank(store, after[:1], START + DAY + 10 * HOUR)
    rank(store, after[1:], START + 2 * DAY + 10 * HOUR)
    assert State(store).daybook.learnt == TODAY
    baseline = [*quiet(12), *quiet(12, "batch"), *until(TODAY - 1)]
    assert told_of(store) == told_of(runs([baseline, todays, after], ROOM))
    assert [key for key, _ in store.scan("meta", WAIT, "wait0")] == []


def told_of(store: MemoryStore) -> dict[str, Any]:
    """What closed days come to, without record ids, of which rows keep fewer."""
    result = answer(store)
    texts = {
        name: [item["title"], item["severity"], item["likelihood"], item["record_count"], item["last_time"]]
        for name, item in result["notable"].items()
    }
    counts = {key: identity_day.events() for key, identity_day in State(store).load_day(TODAY).items()}
    return {"notable": texts, "profile": result["profile"], "counts": counts}


def test_faults_of_all_kinds_leave_what_the_program_finds_at_each_days_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nhirank, "MANY", 1)
    lived = live(tmp_path, records(), STEP, share=0.5, seed=6)
    assert len(lived.closed) >= 1 and sum(lived.faults.values()) > lived.faults[""]
    assert [day for day, (ours, theirs) in lived.closed.items() if ours != theirs] == []
