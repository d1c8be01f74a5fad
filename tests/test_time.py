"""Clients that choose the times of their records gain nothing by it: not by the future, not by the past, nor unseen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from rich.console import Console

from core_samples import Going, record, run, runs
from nhi_watch import cli
from nhi_watch.context.context import Context
from nhi_watch.core import timestamps
from nhi_watch.core.errors import RejectError
from nhi_watch.core.notable import risk_of
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import model
from nhi_watch.detect.explain import claims
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.splunk import gather, rows
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail, endpoint, exposure
from nhi_watch.report.run_summary import no_notables
from nhi_watch.state.store import MemoryStore

NOW = int(time.time()) // DAY
LAST = NOW - 2
"""The last day of most histories here."""
ROLES = ("payments-api", "orders-api", "stock-api")
RAID = (
    ("iam", "CreateAccessKey"),
    ("iam", "ListUsers"),
    ("cloudtrail", "StopLogging"),
    ("iam", "AttachUserPolicy"),
    ("secretsmanager", "ListSecrets"),
    ("ec2", "DescribeInstances"),
)
Records = list[dict[str, Any]]
GRAVE = ("high", "critical")


def ordinary(day: int) -> Records:
    return [record(day, f"{hour:02}:10", role=role) for role in ROLES for hour in range(8, 18)]


def raid(day: int, mark: str = "") -> Records:
    return [
        record(
            day,
            f"12:{minute:02}",
            service=service,
            name=name,
            address="159.65.118.9",
            agent="aws-cli/2.0",
            id=f"{mark}{day}-{name}",
        )
        for minute, (service, name) in enumerate(RAID)
    ]


@pytest.fixture(scope="module")
def history() -> list[Records]:
    return [ordinary(day) for day in range(LAST - 39, LAST)]


def titles(notables: list[Any], kind: str) -> list[str]:
    return [notable["title"] for notable in notables if notable["kind"] == kind]


# ---- the future


def test_thirty_six_days_of_the_future_hide_neither_the_attack_after_them_nor_the_one_before(
    history: list[Records],
) -> None:
    store = runs([*history[:-1], [*history[-1], *raid(LAST - 1)]])
    future = [record(NOW + 3 + n, "10:00", id=f"f{n}") for n in range(36)]
    kept = run(store, future)
    assert (kept.run["held_aside"], kept.run["rejected"]) == (36, {"ahead": 36})
    assert "with caveats" in no_notables(kept.run)
    result = run(store, [*ordinary(LAST), *raid(LAST)])
    assert result.run["too_late"] == 0
    (attack,) = [item for item in result.standing if item["kind"] == "compromise"]
    assert (attack["severity"] in GRAVE, attack["life"]) == (True, "ongoing")
    assert render(LAST * DAY)[:10] in {revision["day"] for revision in attack["revisions"]}


def test_what_is_of_tomorrow_is_read_and_what_is_later_is_read_when_its_day_has_come() -> None:
    records = [record(20_000, "10:00"), record(20_001, "23:00"), record(20_002, "00:00")]
    early, due = (Intake([cloudtrail], now=day * DAY + 10) for day in (20_000, 20_001))
    early.feed(records)
    due.feed(records)
    assert (sorted(early.batch), early.batch.rejected) == ([20_000, 20_001], {"ahead": 1})
    assert (sorted(due.batch), due.batch.rejected) == ([20_000, 20_001, 20_002], {})


@pytest.mark.parametrize(
    "changes",
    [
        {"receiveTimestamp": "2024-10-02T10:00:00.123456Z"},
        {"_indextime": "1727863200"},
        {"_indextime": 1727863200},
        {"event": {"ingested": "2024-10-02T10:00:00Z"}},
        {"event.ingested": "2024-10-02T10:00:00Z"},
    ],
)
def test_what_is_dated_after_it_was_received_moves_nothing_however_old_it_is(changes: Any) -> None:
    intake = Intake([cloudtrail])
    intake.feed([{**record(day, "10:00"), **changes} for day in (19_998, 19_999, 20_000)])  # received on day 19,998
    assert (sorted(intake.batch), intake.batch.rejected) == ([19_998, 19_999], {"ahead": 1})


DATES = ("2026-03-02", "2024-02-29", "2026-02-29", "2026-13-01", "1969-12-31", "1970-01-01", "9999-12-31", "0000-00-00",
         "2026-3-002", "+026-03-02", "\u0662026-03-02")  # fmt: skip
CLOCKS = ("T00:00", " 23:59", "T24:00", "t12:30", "T12:60", "T1:230", "T12-30")
ENDS = (":07Z", ":59z", ":60Z", ":07", ":07.123456789Z", ":07,5+00:00", ":07+0000", ":07-00:00", ":07+02:00",
        ":07+9900", ":07.1234567890Z", ":07 Z", "Z", "", ":07Z ")  # fmt: skip


@pytest.mark.parametrize("date", DATES)
def test_a_time_that_is_looked_up_in_parts_is_what_it_is_as_a_whole(date: str) -> None:
    def told(read: Callable[[object], int], text: str) -> object:
        try:
            return read(text)
        except RejectError as error:
            return str(error)

    for text in (f"{date}{clock}{end}" for clock in CLOCKS for end in ENDS):
        assert told(timestamps.parse, text) == told(timestamps._parsed, text), text


@pytest.mark.parametrize("text", [None, "", "soon", 7, [], {"a": 1}, "9999-99-99", "-" * 10, "²" * 10])
def test_rubbish_for_a_time_of_receipt_is_none(text: object) -> None:
    intake = Intake([cloudtrail])
    intake.feed([{**record(20_000, "10:00"), "receiveTimestamp": text, "event": {"ingested": text}}])
    assert intake.batch.parsed == 1


def test_elasticsearch_goes_by_the_time_of_ingestion_where_the_record_lies_in_the_original() -> None:
    intake = read.intake_of([cloudtrail], Context(), now=20_005 * DAY)
    for day in (20_000, 20_004, 20_009):
        event = {"ingested": render(20_000 * DAY), "original": json.dumps(record(day, "10:00"))}
        hit = read.Hit("i", str(day), msgspec.Raw(orjson.dumps({"event": event})))
        read.feed(intake, [hit], lambda hit, error: None)
    assert (sorted(intake.batch), intake.batch.rejected) == ([20_000], {"ahead": 2})


def test_splunk_goes_by_the_clock_and_by_the_time_of_indexing() -> None:
    gatherer = gather.Gatherer()
    gatherer.feed(
        rows.write(
            ["_raw", "_indextime"],
            [
                {"_raw": json.dumps(record(day, "10:00")), "_indextime": str(indexed * DAY)}
                for day, indexed in ((20_000, 20_000), (20_009, 20_000), (NOW + 5, NOW + 5))
            ],
        )
    )
    assert (gatherer.days(), gatherer.rejected) == ([20_000], {"ahead": 2})


def test_files_tell_which_lines_are_held_aside_and_read_them_once_their_day_has_come(tmp_path: Path) -> None:
    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    log.write_text("\n".join(json.dumps(record(day, "10:00")) for day in (NOW, NOW + 9)), "utf-8")
    assert cli.main(["score", str(log), "--out", str(out)]) == 0
    text = json.loads((out / "run.json").read_text())
    (reject,) = map(json.loads, (out / "rejects.jsonl").read_text().splitlines())
    assert (text["parsed"], text["held_aside"]) == (1, 1)
    assert (reject["reason"], reject["line"]) == ("ahead", 2)
    later = render((NOW + 9) * DAY + 5)
    assert cli.main(["score", str(log), "--out", str(out), "--now", later]) == 0
    text = json.loads((out / "run.json").read_text())
    assert (text["duplicates"], text["events"], text["held_aside"]) == (1, 1, 0)


def test_a_file_of_nothing_but_the_future_is_told_not_refused(tmp_path: Path) -> None:
    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    log.write_text(json.dumps(record(NOW + 9, "10:00")), "utf-8")
    assert cli.main(["score", str(log), "--out", str(out)]) == 0
    assert "with caveats: no record was scored" in (out / "report.html").read_text()


# ---- the past


def test_a_clock_sixty_days_back_hides_no_attack(history: list[Records]) -> None:
    store = runs(history)
    result = run(store, raid(LAST - 60))
    (attack,) = [notable for notable in result.notables if notable["kind"] == "compromise"]
    assert (attack["late"], attack["severity"] in GRAVE, attack["title"][:6]) == (True, True, "Late: ")
    assert attack["first_time"][:10] == render((LAST - 60) * DAY)[:10]
    assert result.run["too_late"] == 6
    assert "arrived after their day was closed" in no_notables(result.run)
    assert [item["id"] for item in run(store, ordinary(LAST)).standing if item.get("late")] == [attack["id"]]


def test_late_records_teach_nothing(history: list[Records]) -> None:
    store, other = runs(history), runs(history)
    run(store, raid(LAST - 60))
    again, plain = (run(each, [*ordinary(LAST), *raid(LAST)]) for each in (store, other))
    first, second = (
        [n["likelihood"] for n in each.notables if n["kind"] == "compromise" and not n["late"]]
        for each in (again, plain)
    )
    assert first == second != []


def test_what_comes_late_piece_by_piece_is_one_notable_and_counts_once(history: list[Records]) -> None:
    store, pieces = runs(history), runs(history)
    run(store, raid(LAST - 60))
    for part in (raid(LAST - 60)[:3], raid(LAST - 60)[2:], raid(LAST - 60)):
        last = run(pieces, part)
    assert (last.changed, last.run["duplicates"]) == ([], 6)
    (item,), (other,) = ([n for n in run(each, []).standing if n.get("late")] for each in (store, pieces))
    assert {**other, "revision": 1, "revisions": []} == {**item, "revision": 1, "revisions": []}


def test_a_folder_that_is_read_again_makes_no_late_notables(history: list[Records]) -> None:
    parts = [[*ordinary(LAST - 39), *raid(LAST - 39)], *history[1:]]
    store = runs(parts)
    result = run(store, [item for part in parts for item in part])
    assert result.run["too_late"] > 0
    assert (result.notables, result.changed) == ([], [])


def test_a_late_notable_verifies_and_is_closed_when_a_week_has_gone_by(history: list[Records]) -> None:
    store = runs([*map(ordinary, range(LAST - 49, LAST - 39)), *history[:-10]])
    (attack,) = [n for n in run(store, raid(LAST - 70)).notables if n["kind"] == "compromise"]
    checks = claims.verify(store, model.load(), attack)
    assert [check.what for check in checks if check.holds is not True] == []
    standing = runs_on(store, history[-10:])
    (now,) = [item for item in standing if item["id"] == attack["id"]]
    assert now["life"] == ("quiet" if now["severity"] in GRAVE else "closed"), "a grave one waits for a verdict"


def runs_on(store: MemoryStore, parts: list[Records]) -> list[Any]:
    for part in parts:
        result = run(store, part)
    return [*result.standing, *result.below]


def test_logs_of_long_ago_are_judged_as_ever() -> None:
    start = 17_900  # 2019
    store = runs([ordinary(day) for day in range(start, start + 10)])
    result = run(store, [*ordinary(start + 10), *raid(start + 10)])
    assert [notable["severity"] in GRAVE for notable in result.notables] == [True]
    assert (result.run["too_late"], result.run["held_aside"]) == (0, 0)


def test_the_terminal_gives_no_all_clear(history: list[Records], tmp_path: Path) -> None:
    from nhi_watch.report import terminal

    console = Console(record=True, width=200)
    terminal.show([], {"read": 2, "parsed": 1, "events": 1, "rejected": {"ahead": 1}, "held_aside": 1}, console)
    text = console.export_text()
    assert "with caveats: 1 records are quarantined" in text
    assert "could not be read" not in text


# ---- what a host dates before all that was seen


def theft_on_host(day: int, mark: str = "") -> Records:
    """Credential files of many kinds, read by a program from a folder for temporary files; as auditd logs them."""
    return [
        {
            "host": "web-1",
            "_raw": f"type=SYSCALL msg=audit({day * DAY + 43_200 + 60 * n}.0:{n}{mark}): arch=c000003e "
            f'syscall=257 success=yes exit=3 ppid=1 pid=2 auid=1000 uid=1000 gid=0 ses=3 comm="x" exe="{program}"\n'
            f'type=PATH msg=audit({day * DAY + 43_200 + 60 * n}.0:{n}{mark}): item=0 name="{path}" nametype=NORMAL',
        }
        for n, (program, path) in enumerate(
            (
                ("/opt/x", "/srv/.aws/credentials"),
                ("/opt/x", "/srv/.kube/config"),
                ("/opt/x", "/srv/.ssh/id_rsa"),
                ("/opt/x", "/srv/.npmrc"),
            )
        )
    ]


def at_work_on_host(day: int) -> Records:
    return [
        {"host": "web-1", "_raw": item["_raw"].replace("/opt/x", "/usr/bin/aws")} for item in theft_on_host(day)[:1]
    ]


def on_host(*parts: Records) -> tuple[MemoryStore, Any]:
    store = MemoryStore()
    for part in parts:
        result = going_on(store, part)
    return store, result


def test_days_that_a_host_dates_before_all_that_was_seen_are_no_history_of_its_theft() -> None:
    young = [item for day in range(LAST - 6, LAST) for item in (*ordinary(day), *at_work_on_host(day))]
    backdated = [item for day in range(LAST - 30, LAST - 6) for item in theft_on_host(day, "0")]
    today = [*theft_on_host(LAST), *raid(LAST)]
    _, plain = on_host(young, today)
    store, hidden = on_host(young, [*backdated, *today])
    first, second = (
        {
            n["identity"]["name"]: n["likelihood"]
            for n in each.standing
            if n["kind"] == "compromise" and not n.get("late")
        }
        for each in (plain, hidden)
    )
    assert first == second != {} and hidden.run["too_late"] == len(backdated)
    _, expected = on_host([*young, *backdated, *theft_on_host(LAST)])
    assert expected.run["too_late"] == 0  # a first import has nothing to be late against
    going = Going(store, [cloudtrail, endpoint])
    going.feed(backdated)
    assert (going.finish().changed, going.finish().run["duplicates"]) == ([], len(backdated))


# ---- what clients date after all that providers do


def secret_committed(day: int) -> Records:
    """What gitleaks finds in a commit, whose date its author has chosen."""
    return [{"RuleID": "aws-access-token", "Description": "AWS", "StartLine": 1, "EndLine": 1, "File": "a.env",
             "Match": "AKIA0000000000000001", "Secret": "AKIA0000000000000001", "Commit": "c0ffee", "Entropy": 3.5,
             "Date": render(day * DAY + 36_000), "Author": "x", "Email": "x@example.com", "Message": "x", "Tags": [],
             "Fingerprint": "c0ffee:a.env:aws-access-token:1", "SymlinkFile": ""}]  # fmt: skip


@pytest.mark.parametrize("cut", [False, True], ids=["one run", "a run of its own"])
@pytest.mark.parametrize("today", [NOW, LAST - 10], ids=["live", "long ago"])
@pytest.mark.parametrize("dated", [theft_on_host, secret_committed])
def test_what_a_client_dates_of_tomorrow_makes_no_tomorrow(
    dated: Callable[[int], Records], today: int, cut: bool
) -> None:
    weeks = [item for day in range(today - 14, today) for item in ordinary(day)]
    acts, tomorrow = raid(today), dated(today + 1)
    store, result = on_host(weeks, *([acts, tomorrow] if cut else [[*acts, *tomorrow]]))
    assert titles(result.standing, "blind_spot") == []
    matches = [n["life"] for n in result.standing if n["kind"] == "compromise" and risk_of(n) >= 40]
    assert matches == ["new"]
    if today < LAST - 4:  # a day without its log is reported once a provider continues
        assert titles(going_on(store, [*ordinary(today + 3), *ordinary(today + 4)]).standing, "blind_spot")


def going_on(store: MemoryStore, part: Records) -> Any:
    going = Going(store, [cloudtrail, endpoint, exposure])
    going.feed(part)
    return going.finish()
