"""Blind spots in Splunk: a log that falls silent becomes a notable by the clock, once, whatever else is going on."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import Going
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect.blind_spots import spot_id
from nhi_watch.detect.telemetry import Rhythm, Rhythms, Stream
from nhi_watch.hosts.splunk import blind
from nhi_watch.hosts.splunk.blind import Clock, Seen
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.health import Bucket
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.state import State
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_app import interpreter, unpacked
from splunk_peers import Window
from splunk_process import Row
from splunk_server import Server
from splunk_stream import table

DAYS = 14
SILENT_FROM, SILENT_UNTIL = 12 * DAY + 10 * HOUR, 13 * DAY + 6 * HOUR
"""Seconds since the first day's midnight."""
Record = dict[str, Any]


@lru_cache
def records() -> tuple[Record, ...]:
    days = Tenant(Spec(days=DAYS, machines=5, seed=21, events=DAYS * 300)).days()
    return tuple(record for day in days for record in day.records)


def midnight() -> int:
    return parse(records()[0]["eventTime"]) // DAY * DAY


def between(low: int, high: int) -> list[tuple[float, Record]]:
    timed = ((parse(record["eventTime"]), record) for record in records())
    return [(time, record) for time, record in timed if low <= time - midnight() < high]


@pytest.fixture(scope="module")
def python() -> str:
    return interpreter("3.13")


@pytest.fixture
def server(tmp_path: Path, python: str) -> Server:
    """Twelve days that were learnt, and what came until the log fell silent."""
    made = Server(unpacked(tmp_path), python)
    made.index(between(0, 12 * DAY), "aws:cloudtrail")
    made.backfill(midnight() // DAY, midnight() // DAY + 11, midnight() + 12 * DAY)
    made.scheduled("NHI Watch - Learn History", midnight() + 12 * DAY + 60)
    arrive(made, 12 * DAY, SILENT_FROM, SILENT_FROM)
    return made


def arrive(server: Server, low: int, high: int, at: int) -> None:
    """Events of a stretch of time arrive at once and are grouped."""
    server.index(between(low, high), "aws:cloudtrail", midnight() + at + 60)
    server.scheduled("NHI Watch - Group Events", midnight() + at + 300)


def look(server: Server, at: int) -> list[Row]:
    server.scheduled("NHI Watch - Health", midnight() + at - 600)
    return server.scheduled("NHI Watch - Blind Spots", midnight() + at)


def test_a_log_that_is_switched_off_is_a_notable_within_hours_and_once(server: Server) -> None:
    now = midnight() + 13 * DAY
    assert look(server, SILENT_FROM + HOUR) == []
    [found] = look(server, SILENT_FROM + 10 * HOUR)
    assert (found["nhi_id"], found["nhi_kind"]) == ([spot_id("aws", now // DAY - 1)], ["blind_spot"])
    assert (found["nhi_change"], found["nhi_escalated"]) == (["new"], ["1"])
    assert found["nhi_title"][0].startswith("Blind spot: no log of aws for 10 hours")
    assert f"from {render(midnight() + SILENT_FROM)} on" in found["nhi_summary"][0]
    assert found["nhi_created"] == [render(midnight() + SILENT_FROM + 10 * HOUR)]
    assert [look(server, SILENT_FROM + hours * HOUR) for hours in (11, 15, 19)] == [[], [], []]
    server.scheduled("NHI Watch - Rank", now + 5 * HOUR)
    assert standing(server)[found["nhi_id"][0]]["nhi_revision"] == ["1"], "ranking does not touch it"


def standing(server: Server) -> dict[str, Row]:
    end = midnight() + 20 * DAY
    return {row["nhi_id"][0]: row for row in server.search("`nhi_notables` | `nhi_latest`", Window(0, end), end)}


def test_it_is_the_notable_that_the_program_makes_of_the_day(server: Server) -> None:
    [found] = look(server, SILENT_FROM + 13 * HOUR)
    going = Going(MemoryStore(), [cloudtrail])
    kept = [record for _, record in between(0, SILENT_FROM) + between(SILENT_UNTIL, 14 * DAY)]
    going.feed(kept)
    spots = {n["id"]: n for n in going.finish().notables if n["kind"] == "blind_spot"}
    assert found["nhi_id"][0] in spots
    wanted = spots[found["nhi_id"][0]]
    assert (float(found["nhi_score"][0]), found["nhi_summary"][0]) == (wanted["score"], wanted["summary"])


def test_its_end_is_a_revision_and_events_that_come_late_withdraw_it(server: Server) -> None:
    look(server, SILENT_FROM + 13 * HOUR)
    arrive(server, SILENT_UNTIL, SILENT_UNTIL + HOUR, SILENT_UNTIL + HOUR)
    [ended] = look(server, SILENT_UNTIL + 2 * HOUR)
    assert (ended["nhi_revision"], ended["nhi_change"], ended["nhi_escalated"]) == (["2"], ["updated"], ["0"])
    assert f"until {render(midnight() + SILENT_UNTIL)}" in ended["nhi_summary"][0]
    arrive(server, SILENT_FROM, SILENT_UNTIL, SILENT_UNTIL + 3 * HOUR)
    [gone] = look(server, SILENT_UNTIL + 4 * HOUR)
    assert (gone["nhi_revision"], gone["nhi_change"]) == (["3"], ["withdrawn"])
    assert standing(server).keys().isdisjoint(gone["nhi_id"])
    assert look(server, SILENT_UNTIL + 4 * HOUR) == []


def test_enterprise_security_gets_it_whatever_its_score_and_no_identity_gets_risk_of_it(server: Server) -> None:
    server.overrides["nhi_es_score"] = "101"
    at = SILENT_FROM + 10 * HOUR
    look(server, at)
    [finding] = server.scheduled("NHI Watch - Enterprise Security Notables", midnight() + at + 180)
    assert finding["nhi_kind"] == ["blind_spot"] and finding["severity"] == finding["nhi_severity"]
    server.overrides["nhi_es_score"] = "0"
    server.scheduled("NHI Watch - Enterprise Security Risk", midnight() + at + 180)
    assert [row for _, row in server.alerts if row["nhi_kind"] == ["blind_spot"]] == []


def test_a_verdict_withdraws_it(server: Server) -> None:
    at = SILENT_FROM + 10 * HOUR
    [found] = look(server, at)
    told = 'nhifeedback verdict=benign reason="the trail moves"'
    text = f"`nhi_notables` nhi_id={found['nhi_id'][0]} | {told}"
    server.collections["nhi_feedback"] = server.search(text, Window(0, midnight() + 20 * DAY), midnight() + at + HOUR)
    [gone] = look(server, at + 2 * HOUR)
    assert gone["nhi_change"] == ["withdrawn"]
    assert look(server, at + 3 * HOUR) == []


def test_it_can_be_explained(server: Server) -> None:
    [found] = look(server, SILENT_FROM + 10 * HOUR)
    text = f"`nhi_notables` nhi_id={found['nhi_id'][0]} | nhiexplain"
    lines = server.search(text, Window(0, midnight() + 20 * DAY), midnight() + 13 * DAY)
    assert {"silent_log"} <= {line["nhi_name"][0] for line in lines if line["nhi_section"] == ["signal"]}


def test_without_a_fresh_baseline_nothing_is_claimed_and_the_message_says_what_to_do(server: Server) -> None:
    assert look(server, 18 * DAY) == []
    assert "enable NHI Watch - Learn" in server.messages[-1][1]
    server.lookup("nhi_baseline.csv.gz").unlink()
    assert look(server, SILENT_FROM + 10 * HOUR) == []
    assert "no baseline yet" in server.messages[-1][1]


# ---- by the clock

AWS, OKTA = Stream("aws", "111111111111"), Stream("okta", "")
FULL = Rhythm((1 << 24) - 1, 240, 4, ("user_agent",))


def days_of(today: int, hours: int, quiet: tuple[Stream, ...]) -> dict[int, dict[Stream, Rhythm]]:
    """Fifteen full days of two logs, then `hours` hours of today in which `quiet` ones are silent."""
    days = {day: {AWS: FULL, OKTA: FULL} for day in range(today - 15, today)}
    begun = FULL._replace(hours=(1 << hours) - 1)
    days[today] = {stream: begun for stream in (AWS, OKTA) if stream not in quiet}
    return days


def test_one_of_two_logs_is_told_with_the_share_that_it_hides() -> None:
    [spot] = blind.settle(days_of(100, 6, (OKTA,)), {}, Clock(100 * DAY + 6 * HOUR, {}))
    assert spot.document["identity"] == {**spot.document["identity"], "id": "log:okta"}
    assert spot.document["score"] == 50.0


def test_a_log_that_always_comes_late_is_given_its_time() -> None:
    days, now = days_of(100, 6, (OKTA,)), 100 * DAY + 6 * HOUR
    assert blind.settle(days, {}, Clock(now, {"okta": 5 * HOUR})) == []
    spots = blind.settle(days, {}, Clock(now + 4 * HOUR, {"okta": 6 * HOUR, "cloudtrail": 0}))
    assert [spot.document["identity"]["id"] for spot in spots] == ["log:aws", "log:okta"], "aws is in time: silent"


def test_how_late_a_log_comes_is_the_median_of_its_hours() -> None:
    hours = [Bucket(n * HOUR, 5, (n + 1) * HOUR + 60 * n) for n in range(5)]
    assert blind.lateness({"oktaim2:log": hours}, {"okta": ("OktaIM2:log",), "x": ("y",)}) == {"okta": 120}


def test_how_late_a_sourcetype_of_the_customers_own_comes_counts_for_logs_of_which_nothing_else_is_known() -> None:
    late = blind.lateness({"my:okta": [Bucket(0, 5, 6 * HOUR)]}, {"okta": ("OktaIM2:log",)})
    assert late == {"my:okta": 5 * HOUR}
    assert Clock(9 * HOUR, late).of("okta") == 4 * HOUR


def test_the_rhythm_of_parts_is_that_of_the_days_behind_them_however_often_they_come() -> None:
    gatherer, seen, wanted = Gatherer(), Seen(), Rhythms(State(MemoryStore()).rows)
    gatherer.feed(table(["_raw"], [{"_raw": [json.dumps(record)]} for _, record in between(0, 2 * DAY)]))
    for (_, name), part in [*gatherer.parts.items()] * 2:
        seen.add(name, part)
    today = midnight() // DAY
    for day in (today, today + 1):
        wanted.note(day, [part.whole() for (of, _), part in gatherer.parts.items() if of == day])
    found, known = seen.days(midnight()), wanted.days([today, today + 1])
    assert {day: dict(streams) for day, streams in found.items()} == {
        day: {stream: rhythm._replace(events=2 * rhythm.events) for stream, rhythm in streams.items()}
        for day, streams in known.items()
    }
    assert len(found) == 2 and list(seen.days(midnight() + 1)) == [today + 1], "a day that is cut is not judged"
