"""The state in the KV store over many runs: cut anywhere, killed, refused, read twice; and what is written of it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import Going, Options
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, HOUR, MINUTE, parse
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.splunk import gather, kvstore, run
from nhi_watch.hosts.splunk.notables import row_of, short
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant
from notable_samples import altered
from splunk_conf import conf
from splunk_faults import kill_at_each_shard, live
from splunk_peers import Window
from splunk_process import CommandError
from splunk_server import Server

BUDGET = 300.0
STEP = 4 * HOUR
SAVED = conf("savedsearches.conf")
RANK = "NHI Watch - Rank"


@lru_cache
def records() -> tuple[Any, ...]:
    days = Tenant(Spec(days=3, machines=8, seed=8, campaigns=8, events=1_600)).days()
    return tuple(record for day in days for record in day.records)


@lru_cache
def wanted(step: int = 3 * DAY) -> dict[str, tuple[float, str]]:
    """What the program finds in runs of so many seconds."""
    store, start = MemoryStore(), midnight()
    for low in range(start, start + 3 * DAY, step):
        going = Going(store, [cloudtrail], Options(BUDGET))
        going.feed(record for record in records() if low <= parse(record["eventTime"]) < low + step)
        standing = going.finish().standing
    result = {n["id"]: (n["likelihood"], n["severity"]) for n in standing}
    assert len(result) >= 2, "what is simulated must give something to lose"
    return result


def midnight() -> int:
    return parse(records()[0]["eventTime"]) // DAY * DAY


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "lookups").mkdir()
    server = Server(tmp_path, peers=3)
    server.overrides["nhi_budget"] = f"{BUDGET:g}"
    return server


def arrive(server: Server, low: int, high: int) -> None:
    """What happened in a span comes at its end, and is grouped."""
    timed = ((parse(record["eventTime"]), record) for record in records())
    server.index([(time, record) for time, record in timed if low <= time < high], "aws:cloudtrail", high)
    server.search(SAVED["NHI Watch - Group Events"]["search"], Window(0, high + DAY, high, high + 1), high + 60)


def arrived(server: Server) -> int:
    """Let all of it come, and be grouped; its first midnight."""
    arrive(server, midnight(), midnight() + 3 * DAY)
    return midnight()


def rank(server: Server, now: int, since: int) -> bool:
    """Rank over a window of arrival, as a durable search has it; whether it ended well."""
    try:
        server.search(SAVED[RANK]["search"], Window(now - 9 * DAY, now + 2 * DAY, since, now + 1), now)
    except CommandError:
        return False
    return True


def standing(server: Server) -> dict[str, tuple[float, str]]:
    by_id = server.standing().items()
    return {name: (float(row["nhi_likelihood"][0]), row["nhi_severity"][0]) for name, row in by_id}


def test_faults_of_all_kinds_leave_what_the_program_finds_at_each_days_close(tmp_path: Path) -> None:
    """A few of the runs that `lab/bench/bench_faults.py splunk` makes."""
    lived = live(tmp_path, records(), STEP, share=0.7, seed=4)
    assert len(lived.closed) >= 1 and sum(lived.faults.values()) - lived.faults[""] >= 8
    assert lived.failed, "and some of that ends a search"
    assert lived.slices >= 4, "and closes go on from run to run"
    assert [day for day, (ours, theirs) in lived.closed.items() if ours != theirs] == []
    assert lived.listed[0] == lived.listed[1] != {}


def test_a_close_that_is_killed_at_each_shard_in_turn_ends_as_the_program_has_it(tmp_path: Path) -> None:
    days = Tenant(Spec(days=3, machines=6, seed=8, campaigns=8, events=1_200)).days()
    killed = kill_at_each_shard(tmp_path, [record for day in days for record in day.records], 2 * HOUR)
    assert killed.shards > 5 and killed.kills >= 2 * killed.shards and killed.notables
    assert killed.differed == []


def test_a_close_that_fails_keeps_no_notable_of_open_days_from_anybody(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreError("a row of the state is damaged")

    monkeypatch.setattr(run.SplunkRun, "close", refuse)
    assert rank(server, arrived(server) + 3 * DAY + 120, 0)
    assert standing(server)
    (text,) = [text for level, text in server.messages if level == "WARN"]
    assert text == "nhirank: the close of a day continues in the next run: a row of the state is damaged"


def test_rows_that_are_read_twice_count_once(server: Server) -> None:
    start = arrived(server)
    for again in range(3):
        assert rank(server, start + 3 * DAY + 120 + again, 0)
    before = [row["_raw"] for row in server.events if row["index"] == ["nhi_risk"]]
    assert rank(server, start + 3 * DAY + 600, 0)
    assert before == [row["_raw"] for row in server.events if row["index"] == ["nhi_risk"]]
    assert standing(server) == wanted()


def test_what_is_more_than_memory_may_hold_is_written_before_the_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "AT_ONCE", 3)
    monkeypatch.setattr(run, "MAX_RECORD_HASHES", 300)
    monkeypatch.setattr(kvstore, "MAX_BUFFERED", 20_000)
    assert rank(server, arrived(server) + 3 * DAY + 120, 0)
    asked = [item for item in server.splunkd.asked if item.endswith("batch_save")]
    assert len(asked) > 10, "in many batches"
    assert standing(server) == wanted()


def test_what_was_judged_and_never_written_is_written_by_a_later_run(server: Server) -> None:
    """The search was killed behind nhirank: the state tells of notables that no index has."""
    start = arrived(server)
    text = f"(`nhi_behaviours`) | nhirank state=write budget={BUDGET:g}"
    server.search(text, Window(0, 1 << 40), start + 3 * DAY + 60)
    assert standing(server) == {}
    assert rank(server, start + 3 * DAY + 5 * MINUTE, start + 3 * DAY + 100)
    assert standing(server) == {}, "what may only be on its way is waited for"
    assert rank(server, start + 3 * DAY + 20 * MINUTE, start + 3 * DAY + 5 * MINUTE)
    assert standing(server).keys() == wanted().keys()
    count = len(server.events)
    assert rank(server, start + 3 * DAY + 50 * MINUTE, start + 3 * DAY + 20 * MINUTE)
    assert len(server.events) == count, "what has come is not written again"


def test_a_second_search_at_once_writes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhi_watch.hosts.splunk.run.PATIENCE", 0)
    server.splunkd.kv.captain["nhi_generations"]["000000000001"] = {
        "_key": "000000000001",
        "until": 1 << 40,
        "owner": "sh2",
    }
    arrive(server, midnight(), midnight() + DAY)
    with pytest.raises(CommandError, match="the run that sh2 began holds the state"):
        server.search(SAVED[RANK]["search"], Window(0, 1 << 40), midnight() + DAY + 60)
    assert server.splunkd.kv.captain["nhi_state"] == {}


def test_an_event_of_a_notable_is_short_and_its_fields_are_where_splunk_looks(server: Server) -> None:
    """[spath] extraction_cutoff: of an event in JSON, fields are extracted from the first 5,000 bytes."""
    start = arrived(server)
    assert rank(server, start + 3 * DAY + 120, 0)
    events = [row["_raw"][0] for row in server.events if row["index"] == ["nhi_risk"]]
    assert events
    for text in events:
        assert len(text.encode()) < 20_000
        assert text.encode().index(b'"nhi_notable":') < 5_000
    worst = json.loads(events[0])["nhi_notable"]
    signal = {**worst["signals"][0], "evidence": "é" * 2_000, "points": 5.0, "record_ids": ["r" * 90] * 50}
    entry = {"time": "2025-03-05T10:00:00Z", "source": "198.51.100.7", "points": 1.0}
    worst = altered({
        **worst, "signals": [signal] * 78, "timeline": [entry] * 200, "members": [], "record_ids": ["r" * 90] * 500,
        "title": "é" * 200, "summary": "é" * 1_000, "telemetry": {"provisional": False},
        "usual": {"dimensions": [], "x": "y" * 99_999},
    })  # fmt: skip
    row = row_of(Publication("new", worst, True), {"overflow": 0, "overflow_highest": 0.0}, start, is_complete=False)
    assert len(str(row["_raw"]).encode()) < 20_000
    assert "usual" not in short(worst)
