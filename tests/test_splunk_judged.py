"""Who has not changed is not judged again: what a run finds is what one finds that judges everybody.

A simulated company whose first week is learnt; then two days are lived as the schedule has it, with peers that fail,
lag, vanish and repeat, and runs that are skipped. Commands run in this process.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.hosts.splunk import awake, fields, judged, parts
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_conf import conf
from splunk_peers import WAYS, Fault, Window
from splunk_process import Row, run_here
from splunk_server import Server
from splunk_stream import table

LEARNT, LIVED = 7, 2
PEERS = 4
STEP = HOUR
"""Between two runs; every five minutes in Splunk."""
WORLDS = int(os.environ.get("NHI_FAULTY_WORLDS", "2"))


@lru_cache
def days() -> tuple[tuple[dict[str, Any], ...], ...]:
    spec = Spec(days=LEARNT + LIVED, machines=12, seed=5, campaigns=24, events=6_000)
    return tuple(tuple(day.records) for day in Tenant(spec).days())


def midnight() -> int:
    """Of the first day that is lived."""
    return parse(days()[LEARNT][0]["eventTime"]) // DAY * DAY


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("lookups")
    rows = [{"_raw": [json.dumps(record)]} for records in days()[:LEARNT] for record in records]
    grouped = run_here("nhigroup", folder, "", rows, (0, 0)).rows
    learnt = run_here("nhilearn", folder, "", grouped, (midnight() - LEARNT * DAY, midnight() + 14 * HOUR)).rows
    return gzip.compress(table(list(fields.names(fields.BASELINE)), learnt))


@pytest.fixture
def server(tmp_path: Path, baseline: bytes) -> Server:
    (tmp_path / "lookups").mkdir()
    (tmp_path / "lookups" / "nhi_baseline.csv.gz").write_bytes(baseline)
    made = Server(tmp_path, peers=PEERS)
    made.overrides["nhi_budget"] = "300"
    return made


def arrive(server: Server, low: int, high: int) -> None:
    """Events of a span, grouped as they arrive; every six hours all of them."""
    timed = [(parse(record["eventTime"]), record) for records in days()[LEARNT:] for record in records]
    server.index([(time, record) for time, record in timed if low <= time < high], "aws:cloudtrail", high)
    server.scheduled("NHI Watch - Group Events", high + 125)
    if high % (6 * HOUR) == 0:
        server.scheduled("NHI Watch - Group All Events", high + 130)
    server.scheduled("NHI Watch - Count", high + 135)


def found(server: Server, now: int) -> dict[str, Any]:
    """Notable id → what became of it, and the document, as a run of Rank finds it; nothing is written.

    Its place among the others, and what telemetry was at hand, may change without a new revision: they are left out.
    """
    search = conf("savedsearches.conf")["NHI Watch - Rank"]["search"].partition("| appendpipe")[0]
    rows = server.search(search.replace("show=changed", "show=all"), Window(now - 9 * DAY, now + 1), now)
    return {row["nhi_id"][0]: (row["nhi_change"][0], told(row)) for row in rows if "nhi_id" in row}


def told(row: Row) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(row["_raw"][0])["nhi_notable"]
    return {name: value for name, value in document.items() if name not in ("rank", "telemetry")}


def written(server: Server, now: int) -> dict[str, Any]:
    """The same of the notables of yesterday and today that stand as they were written."""
    rows = server.search("`nhi_notables` | `nhi_latest`", Window(now // DAY * DAY - DAY, now + 1), now)
    return {row["nhi_id"][0]: ("same", told(row)) for row in rows}


def is_same(server: Server, now: int) -> bool:
    """Whether what stands after a run is what one finds that judges all who are awake; False: there is nothing."""
    server.faults = []
    server.scheduled("NHI Watch - Awake", now)
    mine, kept = found(server, now), server.lookup(judged.FILE).read_bytes()
    server.lookup(judged.FILE).unlink()
    server.scheduled("NHI Watch - Awake", now)
    everybody = found(server, now)
    stand = {name: one for name, one in written(server, now).items() if name in everybody}  # Rank withdraws nothing
    assert {**stand, **mine} == everybody
    server.lookup(judged.FILE).write_bytes(kept)
    server.scheduled("NHI Watch - Awake", now)
    return bool(mine)


def moments() -> Iterator[int]:
    return iter(range(midnight() + STEP, midnight() + LIVED * DAY, STEP))


def test_each_run_finds_what_one_over_everybody_finds_and_judges_few(server: Server) -> None:
    listed, all_awake, compared = [], 0, 0
    for now in moments():
        arrive(server, now - STEP, now)
        for _ in range(2):  # what a run finds that it needs the next one has
            server.scheduled("NHI Watch - Awake", now + 140)
            server.scheduled("NHI Watch - Rank", now + 150)
        kept = judged.load(server.app / "lookups")
        listed.append(len(awake.load(server.app / "lookups").keys or ()))
        all_awake = max(all_awake, len({key for _, key in kept.rows}))
        if kept.rows and now % (4 * HOUR) == 0:
            compared += is_same(server, now + 150)
    assert compared >= 3, "what is simulated must give something to compare"
    assert sorted(listed)[len(listed) // 2] < 0.3 * all_awake, (sorted(listed), all_awake)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_skipped_repeated_and_faulty_runs_end_where_one_over_everybody_does(server: Server, seed: int) -> None:
    dice = random.Random(seed)
    for now in moments():
        arrive(server, now - STEP, now)
        for name in ("NHI Watch - Awake", "NHI Watch - Rank", "NHI Watch - Rank"):
            if dice.random() < 0.5:
                peers = dice.sample(range(PEERS), dice.choice((1, 2)))
                server.faults = [Fault(peer, dice.choice(WAYS)) for peer in peers] if dice.random() < 0.5 else []
                server.scheduled(name, now + 150)
        server.faults = []
    end = midnight() + LIVED * DAY - 10
    for name in ("NHI Watch - Count", "NHI Watch - Count", *["NHI Watch - Awake", "NHI Watch - Rank"] * 3):
        server.scheduled(name, end)
    assert is_same(server, end)


# ---- what is kept, by itself


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    (tmp_path / judged.FILE).write_bytes(b"no gzip")
    assert judged.load(tmp_path) == judged.Kept(judged.Head(), {})


def test_a_list_that_was_made_before_everybody_is_judged_anew_is_not_believed() -> None:
    kept = judged.Kept(judged.Head("by-1", "digest"), {})
    with pytest.raises(InputError, match="before all are judged anew"):
        judged.Judgements(kept, frozenset({"by-0"}), "digest", 0)
    with pytest.raises(judged.StaleError):
        judged.Judgements(kept._replace(rows={(1, "x"): judged.Row("1", "", "[]")}), frozenset({"by-1"}), "new", 0)
    assert judged.Judgements(kept, frozenset({"by-1"}), "new", 0).days() == set()


def test_a_row_has_the_mark_that_searches_give_it() -> None:
    (row,) = Server(Path()).go_on("eval nhi_mark=tonumber(substr(md5(nhi_part), 1, 6), 16)", [{"nhi_part": ["AwE_-"]}],
                                  (Window(0, 1), 0))  # fmt: skip
    assert row["nhi_mark"] == [str(parts.mark_of_row("AwE_-"))]
