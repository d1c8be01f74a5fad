"""Behaviours and days: sums, bounded sketches, duplicates, and rows that come back as they were."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core_samples import CALL, MACHINE, TODAY, events, record, whole_days
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import (
    RECORDS,
    SESSIONS,
    TARGETS,
    Behaviour,
    IdentityDay,
    fingerprint,
    keep,
    rank_of,
    shape_of,
)
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.intake.days import Intake
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import day_rows

CALLS = st.builds(
    lambda second, action, session, target, record_id, issued: CALL._replace(
        time=TODAY * DAY + second, action=action, session=session, target=target, record_id=record_id, issued=issued
    ),
    st.integers(0, DAY - 1),
    st.sampled_from(("s3:GetObject", "s3:PutObject")),
    st.sampled_from(("", "ASIA1", "ASIA2")),
    st.integers(0, 60).map(str),
    st.uuids().map(str),
    st.sampled_from(("", "ASIA3")),
)


def plain(whole: IdentityDay) -> Any:
    return json.loads(json.dumps(behaviour.to_row(whole)))


def day(found: list[Event]) -> IdentityDay:
    made = IdentityDay(TODAY)
    for event in found:
        made.add(event)
    return made


def test_a_behaviour_counts_what_is_alike_within_an_hour() -> None:
    start = TODAY * DAY + 10 * HOUR
    whole = day([CALL._replace(time=start + s, record_id=str(s)) for s in (0, 59, 61, 3599, 3600)])
    first, second = whole.ordered()
    assert (first.count, first.first, first.last) == (4, start, start + 3599)
    assert first.minutes == 1 | 1 << 1 | 1 << 59
    assert (second.count, second.hour) == (1, first.hour + 1)


def test_a_record_counts_once() -> None:
    whole = IdentityDay(TODAY)
    assert [whole.add(CALL._replace(record_id="a")) for _ in range(3)] == [True, False, False]
    assert whole.events() == 1


def test_what_matters_makes_two_behaviours() -> None:
    other: dict[str, Any] = {
        "account": "2", "credential": "AKIA1", "credential_type": "key", "action": "s3:PutObject", "access": "write",
        "network": "x", "agent": "y", "region": "z", "outcome": "denied", "error": "E", "target_class": "foreign",
        "traits": ("mfa",),
    }  # fmt: skip
    found = [CALL._replace(record_id=name, **{name: value}) for name, value in other.items()]
    unlike: dict[str, Any] = dict.fromkeys(("session", "target", "address", "issued"), "other")
    same = [CALL._replace(record_id=name, **{name: value}) for name, value in unlike.items()]
    assert len(day([CALL, *found]).behaviours) == 1 + len(other)
    assert len(day([CALL, *same]).behaviours) == 1


def test_sketches_are_bounded_and_keep_the_same_whatever_the_order() -> None:
    found = [
        CALL._replace(session=f"s{n:03}", target=f"t{n:03}", record_id=f"r{n:03}", time=CALL.time + n)
        for n in range(200)
    ]
    (one,) = day(found).ordered()
    (other,) = day(random.Random(1).sample(found, 200)).ordered()
    assert one.sessions == other.sessions == sorted((f"s{n:03}" for n in range(200)), key=rank_of)[:SESSIONS]
    assert one.targets == other.targets == sorted((f"t{n:03}" for n in range(200)), key=rank_of)[:TARGETS]
    assert one.record_ids == other.record_ids == [f"r{n:03}" for n in range(RECORDS)]


def test_targets_are_counted_beyond_those_that_are_kept() -> None:
    for number in (1, TARGETS, TARGETS + 1, 100, 600):
        (one,) = day([CALL._replace(target=f"t{n}", record_id=f"r{n}") for n in range(number)]).ordered()
        assert abs(one.touched - number) <= number / 20
        (again,) = day_rows.unpack(day_rows.pack(day([
            CALL._replace(target=f"t{n}", record_id=f"r{n}") for n in range(number)
        ]))).ordered()
        assert (again.touched, again.targets) == (one.touched, one.targets)


def test_what_sorts_last_is_kept_as_often_as_what_sorts_first() -> None:
    known = [CALL._replace(target=f"a{n}", issued=f"A{n}", record_id=f"a{n}") for n in range(60)]
    last = [CALL._replace(target=f"z{n}", issued=f"Z{n}", record_id=f"z{n}") for n in range(60)]
    (one,) = day(known + last).ordered()
    assert sum(target.startswith("z") for target in one.targets) > TARGETS // 4
    assert len(one.issued) == 120


def test_a_row_of_an_earlier_version_is_read_and_its_samples_are_ordered_anew() -> None:
    whole = day([CALL._replace(target=f"t{n}", session=f"s{n}", record_id=f"r{n}") for n in range(10)])
    plain_row = json.loads(zlib.decompress(day_rows.pack(whole)[:-8 * 10]))
    sketches = [sorted(kept) for kept in plain_row[3]]
    old = [*plain_row[:3], sketches, *plain_row[4:-1]]
    raw = zlib.compress(json.dumps(old).encode()) + day_rows.pack(whole)[-8 * 10:]
    assert plain(day_rows.unpack(raw)) == plain(whole)


@given(st.lists(CALLS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_row(found: list[Event], dice: random.Random) -> None:
    mixed = found + found[::2]
    dice.shuffle(mixed)
    assert plain(day(mixed)) == plain(day(found))


@given(st.lists(CALLS, min_size=1, max_size=20))
def test_a_row_comes_back_as_the_same_day(found: list[Event]) -> None:
    whole = day(found)
    again = day_rows.unpack(day_rows.pack(whole))
    assert plain(again) == plain(whole)
    assert (again.seen, again.stored, again.identity) == (whole.seen, len(found), MACHINE)
    assert [again.add(event) for event in found] == [False] * len(found)


@given(st.lists(CALLS, max_size=12), st.lists(CALLS, max_size=12))
def test_merging_halves_gives_the_whole(left: list[Event], right: list[Event]) -> None:
    halves, whole = (day(left), day(right)), day(left + right)
    for key, expected in whole.behaviours.items():
        merged = Behaviour(*key)
        for half in halves:
            if key in half.behaviours:
                merged.merge(half.behaviours[key])
        assert all(getattr(merged, name) == getattr(expected, name) for name in Behaviour.__slots__)


@given(st.lists(st.text(max_size=3), max_size=30), st.integers(1, 5))
def test_a_sketch_keeps_the_smallest_distinct_texts(texts: list[str], limit: int) -> None:
    kept: list[str] = []
    for text in texts:
        keep(kept, text, limit)
    assert kept == sorted(set(texts))[:limit]


@given(st.one_of(st.text(), st.uuids().map(str), st.text(min_size=36, max_size=36)))
def test_a_fingerprint_is_64_bits_of_any_text(text: str) -> None:
    assert 0 <= fingerprint(text) < 2**64
    assert fingerprint(text) == fingerprint(str(text))


def test_an_identity_of_several_spellings_has_one_name_whatever_the_order() -> None:
    short = MACHINE._replace(name="a")
    found = [CALL._replace(record_id="1"), CALL._replace(record_id="2", identity=short)]
    assert day(found).identity == day(found[::-1]).identity == MACHINE


def test_shapes_leave_out_what_changes_from_record_to_record() -> None:
    assert shape_of(CALL) == shape_of(CALL._replace(time=1, session="x", target="x", address="x", record_id="x"))


# ---- grouping


def grouped(records: list[Any]) -> tuple[Intake, list[tuple[int, str]]]:
    made = Intake([cloudtrail])
    rejects: list[tuple[int, str]] = []

    def refuse(index: int, reject: RejectError) -> None:
        rejects.append((index, reject.reason))

    made.feed(records, refuse)
    return made, rejects


def test_the_short_way_and_the_full_reading_make_the_same_day() -> None:
    records = [
        record(TODAY, f"10:{n // 4:02}:{n % 4:02}", bucket=f"b{n % 7}", session=f"ASIA{n % 3}", id=f"id-{n}")
        for n in range(40)
    ]
    quick, rejects = grouped(records)
    (one,) = quick.days[TODAY].values()
    (other,) = whole_days([cloudtrail.read(r) for r in records]).values()
    assert (rejects, quick.days.parsed, quick.days.duplicates) == ([], 40, 0)
    assert plain(one) == plain(other)


def test_rejects_are_told_with_their_place_in_the_batch() -> None:
    records = [record(TODAY, "10:00"), 7, record(TODAY, "10:01", eventTime="yesterday"), {}]
    made, rejects = grouped(records)
    assert [index for index, _ in rejects] == [1, 2, 3]
    assert made.days.parsed == 1


def test_only_days_with_new_records_have_changed() -> None:
    stored = dict(grouped([record(TODAY, "10:00")])[0].days[TODAY].items())
    for whole in stored.values():
        whole.stored = len(whole.seen)
    held = {(TODAY, name): whole for name, whole in stored.items()}
    made = Intake([cloudtrail], load=lambda keys: {key: held[key] for key in keys if key in held})
    made.feed([record(TODAY, "10:00"), record(TODAY + 1, "00:00")], lambda index, reject: None)
    assert list(made.days.take_changed()) == [TODAY + 1]
    made.feed([record(TODAY, "10:01")], lambda index, reject: None)
    assert list(made.days.take_changed()) == [TODAY]
    assert made.days.duplicates == 1


def test_events_of_a_sample_are_as_told() -> None:
    (event,) = events([{"action": "iam:CreateUser", "time": "23:59", "traits": ["b", "a"]}], TODAY)
    assert (event.service, event.time, event.traits) == ("iam", TODAY * DAY + 86_340, ("a", "b"))


def test_ids_of_microsoft_that_end_with_one_time_are_told_apart() -> None:
    one, other = (f"{start}-9de0-4c3c-d342-08d900b3f77d" for start in ("74eeadd0", "6ff50f1e"))
    assert fingerprint(one) != fingerprint(other)


def test_behaviours_of_one_shape_share_its_object() -> None:
    whole = day([CALL._replace(time=TODAY * DAY + hour * HOUR, record_id=str(hour)) for hour in range(3)])
    assert len({id(b.shape) for b in whole.behaviours.values()}) == 1 < len(whole.behaviours)
