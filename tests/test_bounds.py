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
from nhi_watch.hosts.splunk.run import Run
from nhi_watch.intake import days
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
    for module in (behaviour, days):
        monkeypatch.setattr(module, "NEWCOMERS", 12)


def flood(number: int, **changes: Any) -> IdentityDay:
    """A day of so many behaviours that differ by the network."""
    whole = IdentityDay(TODAY)
    for event in events(number, **changes):
        whole.add(event)
    return whole


def events(number: int, **changes: Any) -> Iterator[Event]:
    for n in range(number):
        made = CALL._replace(time=TODAY * DAY + n % DAY, network=f"10.{n}.0.0/24", record_id=f"r{n}", **changes)
        yield made


def test_behaviours_of_an_identity_are_bounded_and_every_record_is_counted() -> None:
    whole = flood(1_000)
    assert len(whole.behaviours) <= 30 + 24 and whole.events() == 1_000 and len(whole.seen) == 1_000
    folded = [b for (shape, _), b in whole.behaviours.items() if FOLDED in shape.traits]
    assert sum(b.count for b in folded) == folded_records({"i": whole}) == 970
    assert {(b.shape.action, b.shape.network) for b in folded} == {(CALL.action, "")}


def test_nothing_that_a_crowded_day_holds_refers_to_it() -> None:
    """Else only a search for cycles, which is held back, would free it."""
    assert sys.getrefcount(flood(1_000)) == sys.getrefcount(flood(1))


def test_actions_without_end_lose_their_names_last() -> None:
    whole = IdentityDay(TODAY)
    for n, event in enumerate(events(500)):
        whole.add(event._replace(action=f"s3:Get{n}"))
    kinds = [MANY if shape.service == MANY else FOLDED in shape.traits for shape, _ in whole.behaviours]
    assert (kinds.count(False), kinds.count(True), kinds.count(MANY)) == (30, 30, 1)
    assert whole.events() == 500


def test_what_is_graver_stays() -> None:
    """A grant that comes last, behind calls that were refused, and reads."""
    whole = flood(200, outcome="denied")
    for event in events(100):
        whole.add(event._replace(record_id=f"x{event.record_id}"))
    grant = CALL._replace(action="iam:CreateUser", service="iam", access="permissions", record_id="grant")
    whole.add(grant)
    kept = [shape for shape, _ in whole.behaviours if FOLDED not in shape.traits]
    assert any(shape.action == "iam:CreateUser" and shape.network for shape in kept)
    assert {shape.outcome for shape in kept} == {"success"}


THEFT = [CALL._replace(time=TODAY * DAY + 60 * n, action=f"iam:{name}", service="iam", access="permissions",
                       network="185.220.101.0/24", address="185.220.101.4", record_id=f"id-{n}")
         for n, name in enumerate(("CreateUser", "AttachUserPolicy", "CreateAccessKey"))]  # fmt: skip


@pytest.mark.parametrize("number", [30, 200])
@pytest.mark.parametrize("action", ["s3:GetObject", "iam:CreateUser"])
def test_a_day_full_of_planted_records_with_a_thefts_ids_swallows_none_of_it(number: int, action: str) -> None:
    """Behaviours as grave as the theft, at its minutes, with its ids on the last of them."""
    level = "permissions" if action.startswith("iam") else "read"
    planted = [e._replace(action=f"{action}{n // 2}", access=level, time=TODAY * DAY + n % 3 * 60,
                          record_id=f"id-{n % 3}" if n > number - 20 else e.record_id)
               for n, e in enumerate(events(number))]  # fmt: skip
    found = days.Days()
    for event in [*planted, *THEFT]:
        found.add(event)
    counted = found.parsed - found.duplicates
    assert counted == number + len(THEFT) and found.shared >= len(THEFT)
    (whole,) = found[TODAY].values()
    assert whole.events() == counted
    for event in [*planted, *THEFT]:
        found.add(event)
    assert found.parsed - found.duplicates == counted, "read again"
    assert any("share an id with another" in why for why in run_summary.doubts({"shared_ids": found.shared}))


def test_parts_of_splunk_swallow_no_record_of_a_known_id_either_where_they_are_full() -> None:
    planted = [e._replace(access="permissions", record_id=f"id-{n % 3}") for n, e in enumerate(events(200))]
    pieces = [part_of(planted[:90]), part_of([*planted[60:], *THEFT]), part_of(THEFT)]
    whole = parts.Part(TODAY)
    for piece in pieces:
        whole.merge(parts.unpack(parts.pack(piece))[1])
    assert whole.events() == part_of([*planted, *THEFT]).events() == 200 + len(THEFT)


def test_a_bounded_day_does_not_depend_on_order_and_comes_back_from_a_row() -> None:
    made = [*events(300), *(e._replace(record_id=f"d{e.record_id}", outcome="denied") for e in events(300))]
    whole = IdentityDay(TODAY)
    other = IdentityDay(TODAY)
    for event in made:
        whole.add(event)
    for event in reversed(made[100:]):
        other.add(event)
    other = day_rows.unpack(day_rows.pack(other))
    for event in made[:100]:
        other.add(event)
    assert to_row(other) == to_row(whole)


# ---- identities


def decoys() -> Records:
    return list(newcomers(60))


def test_newcomers_beyond_the_bound_are_one_of_their_kind_and_the_known_stay_themselves() -> None:
    done = run(MemoryStore(), [*tenant(), *decoys(), *theft()])
    assert done.run["folded_records"] == 60 - 12 and done.run["identities"] == 9 + 12 + 1
    assert done.notables[0]["identity"]["name"] == f"arn:aws:iam::{ACCOUNT}:role/payments-api"
    assert "48 records were too many to be kept apart" in run_summary.doubts(done.run)


def test_a_theft_among_folded_newcomers_stays_visible() -> None:
    """A role that was made for it: whether it is folded or not, its records lead to a listed notable."""
    thief = [{**one, "eventID": f"{one['eventID']}t"} for one in raid("zz-backdoor")]
    done = run(MemoryStore(), [*tenant(), *decoys(), *thief], Options(10.0))
    (found,) = [n for n in done.notables if {one["eventID"] for one in thief} & set(n["record_ids"])]
    assert found["severity"] in ("high", "critical")


def test_cuts_do_not_matter_to_who_is_folded() -> None:
    """Who comes first stays himself, in one run and in several."""
    history, late = tenant(), [*decoys(), *theft(), *odd("workera-job")]
    end = [record(TODAY + 5, "10:00")]
    whole = answer(runs([[*history, *late, *end]]))
    assert answer(runs([history, late, end])) == whole
    assert answer(runs([history, late[:30], late[30:], late, end])) == whole
    names = {key[7:] for key in whole["day"]}
    assert "aws::role:newcomers" in names and json.dumps(whole).count("runner-") > 0


def test_who_was_seen_before_is_never_folded() -> None:
    store = runs([[*tenant(), *quiet(3, "runner-59", TODAY - 1)]])
    run(store, [*decoys(), record(TODAY, "10:00", role="runner-59")])
    assert f"{TODAY:06d}/aws:{ACCOUNT}:role:AROArunner-59" in {key for key, _ in store.scan("day", "", ":")}


# ---- Splunk: the same bounds, before a day is judged


def part_of(made: Iterable[Event]) -> parts.Part:
    part = parts.Part(TODAY)
    for event in made:
        part.add(event)
    return part


def test_behaviours_are_bounded_in_parts_as_on_files_however_they_are_cut() -> None:
    made = [*events(500), *(e._replace(record_id=f"d{e.record_id}", outcome="denied") for e in events(500))]
    whole = part_of(made)
    assert len(whole.slots) <= 30 + 24 and whole.events() == 1_000
    merged = part_of(made[::-1][:700])
    for text in (parts.pack(part_of(made[:600])), parts.pack(part_of(made[200:400]))):
        merged.merge(parts.unpack(text)[1])
    on_files = IdentityDay(TODAY)
    for event in made:
        on_files.add(event)
    days = IdentityDay(TODAY), IdentityDay(TODAY)
    for part, day in zip((merged, whole), days):
        part.give(day)
    assert to_row(days[0])[:4] == to_row(days[1])[:4] == to_row(on_files)[:4]


def rows_of(records: Records) -> bytes:
    """Rows of nhigroup."""
    command = NhiGroup()
    command.prepare(Search([]))
    rows = [{"_raw": [json.dumps(one)], "sourcetype": ["aws:cloudtrail"]} for one in records]
    return command.execute(table(["_raw", "sourcetype"], rows)) + command.finish()[0]


def test_newcomers_in_splunk_are_one_of_their_kind_beyond_the_bound_and_the_known_stay_themselves() -> None:
    store = MemoryStore()
    at_work = [*tenant(9), *quiet(3, "runner-59")]
    for records in (at_work, [*decoys(), *theft(), *odd("workera-job"), record(TODAY, "10:00", role="runner-59")]):
        held = Gatherer(hold=True)
        held.feed(rows_of(records))
        for _ in range(2):  # the same rows again
            going = Run(store, NO_CONTEXT, 10.0, TODAY * DAY + DAY)
            for day in held.days():
                going.take(day, held.of(day))
            written = going.settle()
    names = {event.document["identity"]["name"] for event in written.events}
    assert names == set(), "written by the run before"
    wholes = State(store).load_day(TODAY)
    assert len(wholes) == 3 + 12 + 1
    stood_for = [whole for name, whole in wholes.items() if name.endswith(behaviour.CROWD_ENDS)]
    assert sum(whole.events() for whole in stood_for) == 59 - 12, "and no more when they come again"
