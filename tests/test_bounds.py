"""What is new in a day is bounded: the rest is folded, told, and as grave as it was; order and cuts change nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from core_samples import ACCOUNT, CALL, TODAY, Options, answer, record, run, runs
from flood_samples import newcomers, tenant, theft
from nhi_watch.context.context import NO_CONTEXT
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import FOLDED, MANY, IdentityDay, folded_records, to_row
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.splunk import parts
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.nhigroup import NhiGroup
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.run import SplunkRun
from nhi_watch.intake import batch as intake_batch
from nhi_watch.report import run_summary
from nhi_watch.state import day_rows
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from splunk_stream import table
from test_pipeline import odd, quiet, raid

Records = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds small enough for a test."""
    for module in (behaviour, parts):
        monkeypatch.setattr(module, "BEHAVIOURS", 30)
    for module in (behaviour, intake_batch):
        monkeypatch.setattr(module, "NEWCOMERS", 12)


def flood(number: int, **changes: Any) -> IdentityDay:
    """A day of so many behaviours that differ by the network."""
    identity_day = IdentityDay(TODAY)
    for event in events(number, **changes):
        identity_day.add(event)
    return identity_day


def events(number: int, **changes: Any) -> Iterator[Event]:
    for n in range(number):
        event = CALL._replace(time=TODAY * DAY + n % DAY, network=f"10.{n}.0.0/24", record_id=f"r{n}", **changes)
        yield event


def test_behaviours_of_an_identity_are_bounded_and_every_record_is_counted() -> None:
    identity_day = flood(1_000)
    assert (
        len(identity_day.behaviours) <= 30 + 24 and identity_day.events() == 1_000 and len(identity_day.seen) == 1_000
    )
    folded = [b for (key, _), b in identity_day.behaviours.items() if FOLDED in key.traits]
    assert sum(b.count for b in folded) == folded_records({"i": identity_day}) == 970
    assert {(b.key.action, b.key.network) for b in folded} == {(CALL.action, "")}


def test_nothing_that_a_crowded_day_holds_refers_to_it() -> None:
    """Else only a search for cycles, which is held back, would free it."""
    assert sys.getrefcount(flood(1_000)) == sys.getrefcount(flood(1))


def test_actions_without_end_lose_their_names_last() -> None:
    identity_day = IdentityDay(TODAY)
    for n, event in enumerate(events(500)):
        identity_day.add(event._replace(action=f"s3:Get{n}"))
    kinds = [MANY if key.service == MANY else FOLDED in key.traits for key, _ in identity_day.behaviours]
    assert (kinds.count(False), kinds.count(True), kinds.count(MANY)) == (30, 30, 1)
    assert identity_day.events() == 500


def test_what_is_graver_stays() -> None:
    """A grant that comes last, behind calls that were refused, and reads."""
    identity_day = flood(200, outcome="denied")
    for event in events(100):
        identity_day.add(event._replace(record_id=f"x{event.record_id}"))
    grant = CALL._replace(action="iam:CreateUser", service="iam", access="permissions", record_id="grant")
    identity_day.add(grant)
    kept = [key for key, _ in identity_day.behaviours if FOLDED not in key.traits]
    assert any(key.action == "iam:CreateUser" and key.network for key in kept)
    assert {key.outcome for key in kept} == {"success"}


THEFT = [
    CALL._replace(
        time=TODAY * DAY + 60 * n,
        action=f"iam:{name}",
        service="iam",
        access="permissions",
        network="185.220.101.0/24",
        address="185.220.101.4",
        record_id=f"id-{n}",
    )
    for n, name in enumerate(("CreateUser", "AttachUserPolicy", "CreateAccessKey"))
]


@pytest.mark.parametrize("number", [30, 200])
@pytest.mark.parametrize("action", ["s3:GetObject", "iam:CreateUser"])
def test_a_day_full_of_planted_records_with_a_thefts_ids_swallows_none_of_it(number: int, action: str) -> None:
    """Behaviours as grave as the theft, at its minutes, with its ids on the last of them."""
    level = "permissions" if action.startswith("iam") else "read"
    planted = [
        e._replace(
            action=f"{action}{n // 2}",
            access=level,
            time=TODAY * DAY + n % 3 * 60,
            record_id=f"id-{n % 3}" if n > number - 20 else e.record_id,
        )
        for n, e in enumerate(events(number))
    ]
    batch = intake_batch.IntakeBatch()
    for event in [*planted, *THEFT]:
        batch.add(event)
    counted = batch.parsed - batch.duplicates
    assert counted == number + len(THEFT) and batch.shared >= len(THEFT)
    (identity_day,) = batch[TODAY].values()
    assert identity_day.events() == counted
    for event in [*planted, *THEFT]:
        batch.add(event)
    assert batch.parsed - batch.duplicates == counted, "read again"
    assert any("share an id with another" in why for why in run_summary.doubts({"shared_ids": batch.shared}))


def test_parts_of_splunk_swallow_no_record_of_a_known_id_either_where_they_are_full() -> None:
    planted = [e._replace(access="permissions", record_id=f"id-{n % 3}") for n, e in enumerate(events(200))]
    pieces = [part_of(planted[:90]), part_of([*planted[60:], *THEFT]), part_of(THEFT)]
    partial_day = parts.PartialDay(TODAY)
    for piece in pieces:
        for part in parts.unpack(parts.pack([piece])).values():
            partial_day.merge(part)
    assert partial_day.events() == part_of([*planted, *THEFT]).events() == 200 + len(THEFT)


def test_a_bounded_day_does_not_depend_on_order_and_comes_back_from_a_row() -> None:
    built = [*events(300), *(e._replace(record_id=f"d{e.record_id}", outcome="denied") for e in events(300))]
    identity_day = IdentityDay(TODAY)
    other = IdentityDay(TODAY)
    for event in built:
        identity_day.add(event)
    for event in reversed(built[100:]):
        other.add(event)
    other = day_rows.unpack(day_rows.pack(other))
    for event in built[:100]:
        other.add(event)
    assert to_row(other) == to_row(identity_day)


# ---- identities


def decoys() -> Records:
    return list(newcomers(60))


def test_newcomers_beyond_the_bound_are_one_of_their_kind_and_the_known_stay_themselves() -> None:
    done = run(MemoryStore(), [*tenant(), *decoys(), *theft()])
    assert done.run["folded_records"] == 60 - 12 and done.run["identities"] == 9 + 12 + 1
    assert done.notables[0]["identity"]["name"] == f"arn:aws:iam::{ACCOUNT}:role/payments-api"
    assert "48 records were aggregated: there were too many to keep apart" in run_summary.doubts(done.run)


def test_a_theft_among_folded_newcomers_stays_visible() -> None:
    """A role that was made for it: whether it is folded or not, its records lead to a listed notable."""
    thief = [{**item, "eventID": f"{item['eventID']}t"} for item in raid("zz-backdoor")]
    done = run(MemoryStore(), [*tenant(), *decoys(), *thief], Options(10.0))
    (result,) = [n for n in done.notables if {item["eventID"] for item in thief} & set(n["record_ids"])]
    assert result["severity"] in ("high", "critical")


def test_cuts_do_not_matter_to_who_is_folded() -> None:
    """Who comes first stays himself, in one run and in several."""
    history, late = tenant(), [*decoys(), *theft(), *odd("workera-job")]
    end = [record(TODAY + 5, "10:00")]
    expected = answer(runs([[*history, *late, *end]]))
    assert answer(runs([history, late, end])) == expected
    assert answer(runs([history, late[:30], late[30:], late, end])) == expected
    names = {key[7:] for key in expected["day"]}
    assert "aws::role:newcomers" in names and json.dumps(expected).count("runner-") > 0


def test_who_was_seen_before_is_never_folded() -> None:
    store = runs([[*tenant(), *quiet(3, "runner-59", TODAY - 1)]])
    run(store, [*decoys(), record(TODAY, "10:00", role="runner-59")])
    assert f"{TODAY:06d}/aws:{ACCOUNT}:role:AROArunner-59" in {key for key, _ in store.scan("day", "", ":")}


# ---- Splunk: the same bounds, before a day is scored


def part_of(events: Iterable[Event]) -> parts.PartialDay:
    partial_day = parts.PartialDay(TODAY)
    for event in events:
        partial_day.add(event)
    return partial_day


def test_behaviours_are_bounded_in_parts_as_on_files_however_they_are_cut() -> None:
    built = [*events(500), *(e._replace(record_id=f"d{e.record_id}", outcome="denied") for e in events(500))]
    partial_day = part_of(built)
    assert len(partial_day.slots) <= 30 + 24 and partial_day.events() == 1_000
    merged = part_of(built[::-1][:700])
    for text in (parts.pack([part_of(built[:600])]), parts.pack([part_of(built[200:400])])):
        for part in parts.unpack(text).values():
            merged.merge(part)
    on_files = IdentityDay(TODAY)
    for event in built:
        on_files.add(event)
    days = IdentityDay(TODAY), IdentityDay(TODAY)
    for partial, day in zip((merged, partial_day), days):
        partial.give(day)
    assert to_row(days[0])[:4] == to_row(days[1])[:4] == to_row(on_files)[:4]


def rows_of(records: Records) -> bytes:
    """Rows of nhigroup."""
    command = NhiGroup()
    command.prepare(Search([]))
    rows = [{"_raw": [json.dumps(record)], "sourcetype": ["aws:cloudtrail"]} for record in records]
    return command.execute(table(["_raw", "sourcetype"], rows)) + command.finish()[0]


def test_newcomers_in_splunk_are_one_of_their_kind_beyond_the_bound_and_the_known_stay_themselves() -> None:
    store = MemoryStore()
    at_work = [*tenant(9), *quiet(3, "runner-59")]
    for records in (at_work, [*decoys(), *theft(), *odd("workera-job"), record(TODAY, "10:00", role="runner-59")]):
        gatherer = Gatherer(hold=True)
        gatherer.feed(rows_of(records))
        for _ in range(2):  # the same rows again
            going = SplunkRun(store, NO_CONTEXT, 10.0, TODAY * DAY + DAY)
            for day in gatherer.days():
                going.take(day, gatherer.of(day))
            written = going.process()
    names = {event.document["identity"]["name"] for event in written.events}
    assert names == set(), "written by the run before"
    identity_days = State(store).load_day(TODAY)
    assert len(identity_days) == 3 + 12 + 1
    stood_for = [identity_day for name, identity_day in identity_days.items() if name.endswith(behaviour.CROWD_ENDS)]
    assert sum(identity_day.events() for identity_day in stood_for) == 59 - 12, "and no more when they come again"
