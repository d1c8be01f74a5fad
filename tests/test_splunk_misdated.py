"""Times and ids that somebody chooses, in Splunk: what lies outside all searches' windows is a notable, as on files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core_samples import CALL, TODAY
from nhi_watch.core import crowd
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect import chosen, late
from nhi_watch.hosts.splunk import misdated, parts
from nhi_watch.hosts.splunk.misdated import Misdated
from nhi_watch.intake.horizon import Wrong
from splunk_app import interpreter, unpacked
from splunk_process import Row
from splunk_server import Server
from test_pipeline import quiet, raid

NOW = TODAY * DAY + 3 * HOUR
LOG = ("aws", "111111111111")
WRONG = Wrong(3, 9 * DAY, 10 * DAY, 5, 9, ("a", "b"))
SAMPLES = Path(__file__).parent / "data" / "sources"


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(unpacked(tmp_path), interpreter("3.13"))


def index(server: Server, records: list[dict[str, Any]], at: int = NOW - HOUR) -> None:
    server.index(((parse(one["eventTime"]), one) for one in records), "aws:cloudtrail", at)


def spots(server: Server, now: int = NOW) -> list[Row]:
    for name in ("Ahead", "Past"):
        server.scheduled(f"NHI Watch - Group {name}", now)
    return server.scheduled("NHI Watch - Blind Spots", now + HOUR)


@pytest.mark.parametrize(
    ("ago", "way"),
    [
        (-36, "are dated ahead of when they came"),
        (-2, "are dated ahead of when they came"),
        (8, "came after their day was closed"),
        (60, "came after their day was closed"),
    ],
)
def test_a_raid_that_is_dated_out_of_all_windows_is_a_blind_spot_as_on_files(
    server: Server, ago: int, way: str
) -> None:
    index(server, raid(day=TODAY - ago))
    (found,) = spots(server)
    assert (found["nhi_kind"], found["nhi_change"], found["nhi_record_count"]) == (["blind_spot"], ["new"], ["5"])
    document = json.loads(found["_raw"][0])["nhi_notable"]
    first, last = parse(document["first_time"]), parse(document["last_time"])
    assert first // DAY == last // DAY == TODAY - ago
    assert document["signals"][0]["id"] == "wrong_clock" and "No search takes them in" in document["summary"]
    assert document["title"].startswith(f"Wrong clock? 5 records of aws {way}")
    assert server.scheduled("NHI Watch - Blind Spots", NOW + 2 * HOUR) == [], "it is written once"


def learnt(server: Server) -> None:
    """With twenty ordinary days behind it."""
    for one in quiet(20):
        index(server, [one], parse(one["eventTime"]) + 60)
    server.backfill(TODAY - 20, TODAY - 1, TODAY * DAY)
    server.scheduled("NHI Watch - Learn History", TODAY * DAY + 60)


@pytest.mark.parametrize("ago", [8, 60])
def test_what_comes_too_late_is_judged_by_the_habits_of_today_as_on_files(server: Server, ago: int) -> None:
    learnt(server)
    index(server, raid(day=TODAY - ago))
    by_kind = {row["nhi_kind"][0]: row for row in spots(server)}
    told = {kind: json.loads(row["_raw"][0])["nhi_notable"] for kind, row in by_kind.items()}
    assert told.keys() == {"blind_spot", "compromise"}
    assert "judged by the habits of today and taught nothing" in told["blind_spot"]["summary"]
    attack = told["compromise"]
    assert attack["late"] and attack["listed"] and attack["score"] >= 80 and attack["record_count"] == 5
    assert attack["title"].startswith("Late: ") and f"Came {ago - 1} days late" in attack["summary"]
    assert attack["id"] == late.id_of(attack["identity"]["id"], TODAY - ago)
    assert (by_kind["compromise"]["nhi_change"], by_kind["compromise"]["nhi_escalated"]) == (["new"], ["1"])
    for hour in (2, 30):
        assert server.scheduled("NHI Watch - Blind Spots", NOW + hour * HOUR) == [], "it is judged once"
    more = [{**one, "eventID": f"more{number}"} for number, one in enumerate(raid(day=TODAY - ago))]
    index(server, more, NOW + 20 * HOUR)
    changed = {row["nhi_kind"][0]: row["nhi_change"] for row in spots(server, NOW + DAY)}
    assert changed["compromise"] == ["updated"]


def test_rank_withdraws_nothing_of_what_came_too_late(server: Server) -> None:
    learnt(server)
    index(server, [*quiet(1, end=TODAY + 1), *raid(day=TODAY - 60)])
    for name in ("Group All Events", "Count"):
        server.scheduled(f"NHI Watch - {name}", NOW)
    assert "compromise" in {row["nhi_kind"][0] for row in spots(server)}
    assert server.scheduled("NHI Watch - Rank All", NOW + 2 * HOUR) == []


def test_late_ones_beyond_the_bound_are_one_of_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "NEWCOMERS", 3)
    found = Misdated()
    for number in range(8):
        part = parts.Part(TODAY - 60)
        part.add(CALL._replace(time=(TODAY - 60) * DAY, identity=CALL.identity._replace(id=f"i{number}")))
        for text in misdated.late_texts(TODAY, [part, part]):
            assert found.take(text)
    assert sorted(found.late) == [(TODAY - 60, f"i{number}") for number in range(3)]
    ((_, many),) = found.many.items()
    assert [whole.events() for whole in many.values()] == [10]


def test_events_within_the_windows_are_none(server: Server) -> None:
    index(server, [*quiet(7), *raid(day=TODAY), *raid(day=TODAY + 1)])
    assert spots(server) == []


def test_an_id_over_many_records_is_a_blind_spot(server: Server) -> None:
    one = json.loads((SAMPLES / "kubernetes.jsonl").open("rb").readline())["record"]
    stamps = [f"2026-03-01T{hour:02}:10:00.000000Z" for hour in range(6)]
    made = [{**one, "auditID": "same", "requestReceivedTimestamp": told, "stageTimestamp": told} for told in stamps]
    start = parse(made[0]["stageTimestamp"])
    server.index(((parse(one["stageTimestamp"]), one) for one in made), "kube:apiserver-audit", start + 7 * HOUR)
    server.scheduled("NHI Watch - Group All Events", start + 7 * HOUR + 120)
    (found,) = spots(server, start + 8 * HOUR)
    document = json.loads(found["_raw"][0])["nhi_notable"]
    assert document["signals"][0]["id"] == "one_id_many_records" and document["record_count"] == 6
    assert spots(server, start + 9 * HOUR) == []


def test_what_an_indexer_tells_comes_back_and_adds_up() -> None:
    found = Misdated()
    for text in [*misdated.texts(TODAY, {chosen.LATE: {LOG: WRONG}})] * 2:
        assert found.take(text)
    (told,) = found.settle({}, NOW)
    assert told.document["record_count"] == 6


@pytest.mark.parametrize("text", ["WyJsYXRlIl0", "bm9uZQ", "WyJvZGQiLDEsIiIsIiIsMSwyLDMsNCw1LFtdXQ"])
def test_what_is_no_such_text_is_refused(text: str) -> None:
    with pytest.raises(RejectError):
        Misdated().take(text)
