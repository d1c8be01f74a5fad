"""The scheduled searches, from raw events to notables: what the program `nhi` makes of the same records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from splunk_app import interpreter, unpacked
from splunk_process import Row
from splunk_server import Server, Window

from nhi_watch import model
from nhi_watch.pipeline import Options, Pipeline
from nhi_watch.simulator import Spec, Tenant
from nhi_watch.sources import cloudtrail
from nhi_watch.state import State
from nhi_watch.stores.memory import MemoryStore
from nhi_watch.timestamps import DAY, HOUR, parse

Record = dict[str, Any]
BUDGET = 300
"""Notables a day per 1,000 identities: many, to compare many."""
DAYS = 5
MORNING, NIGHT = 11 * HOUR, 24 * HOUR - 600
LATE = 20
"""Every so many-th event comes after its day has ended."""


@lru_cache
def simulated() -> tuple[Record, ...]:
    days = Tenant(Spec(days=DAYS, machines=15, seed=11, campaigns=5)).days()
    return tuple(record for day in days for record in day.records)


@lru_cache
def wanted() -> dict[str, float]:
    """Notable id → score, as from files."""
    pipeline = Pipeline(State(MemoryStore()), model.load(), [cloudtrail], Options(BUDGET))
    pipeline.feed(simulated(), lambda index, error: pipeline.reject(error.reason))
    found = {notable["id"]: notable["score"] for notable in pipeline.finish().notables}
    assert len(found) >= 5, "the simulated account must give something to compare"
    return found


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(unpacked(tmp_path), interpreter("3.13"))
    made.overrides["nhi_budget"] = str(BUDGET)
    return made


def arrivals(records: tuple[Record, ...]) -> Iterator[tuple[int, list[Record]]]:
    """Second of arrival → records: twice a day; some a night late, a few three days late, some twice."""
    dice = random.Random(7)
    batches: dict[int, list[Record]] = {}
    for record in records:
        time = parse(record["eventTime"])
        day = time // DAY * DAY
        at = day + (MORNING if time - day < MORNING else NIGHT)
        if dice.randrange(LATE) == 0:
            at += dice.choice([DAY, DAY, DAY, 3 * DAY])
        batches.setdefault(at, []).append(record)
        if dice.randrange(LATE) == 0:
            batches.setdefault(at + DAY // 2, []).append(record)
    yield from sorted(batches.items())


def live(server: Server) -> int:
    """Let the days pass as the schedule has them; the second at which all has arrived."""
    learnt = 0
    for at, records in arrivals(simulated()):
        if at // DAY > learnt:
            learnt = at // DAY
            server.scheduled("NHI Watch - Learn", learnt * DAY + 2 * HOUR + 1800)
        server.index(records, "aws:cloudtrail", at, "eventTime")
        server.scheduled("NHI Watch - Group Events", at + 300)
        server.scheduled("NHI Watch - Group Events", at + 420)  # a window that overlaps
        server.scheduled("NHI Watch - Rank", at + 480)
    return at + 480


def standing(server: Server) -> dict[str, Row]:
    """Notable id → the latest revision of those that stand, as a dashboard finds them."""
    last = max(int(row["_indextime"][0]) for row in server.events)
    rows = server.search("`nhi_notables` | `nhi_latest`", Window(0, last + DAY), last)
    return {row["nhi_id"][0]: row for row in rows}


def test_the_scheduled_searches_find_what_the_program_finds(server: Server) -> None:
    end = live(server)
    server.scheduled("NHI Watch - Rank Late", end + 600)
    found = standing(server)
    assert {name: float(row["nhi_score"][0]) for name, row in found.items()} == wanted()
    assert [text for level, text in server.messages if level in ("WARN", "ERROR")] == []
