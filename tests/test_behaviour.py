"""Behaviours and days: sums, bounded sketches, duplicates, and rows that come back as they were."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest
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
    key_of_event,
    rank_of,
)
from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.intake.batch import Intake
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


def plain(identity_day: IdentityDay) -> Any:
    return json.loads(json.dumps(behaviour.to_row(identity_day)))


def day(events: list[Event]) -> IdentityDay:
    identity_day = IdentityDay(TODAY)
    for event in events:
        identity_day.add(event)
    return identity_day


def test_a_behaviour_counts_what_is_alike_within_an_hour() -> None:
    start = TODAY * DAY + 10 * HOUR
    identity_day = day([CALL._replace(time=start + s, record_id=str(s)) for s in (0, 59, 61, 3599, 3600)])
    first, second = identity_day.ordered()
    assert (first.count, first.first, first.last) == (4, start, start + 3599)
    assert first.minutes == 1 | 1 << 1 | 1 << 59
    assert (second.count, second.hour) == (1, first.hour + 1)


def test_a_record_counts_once() -> None:
    identity_day = IdentityDay(TODAY)
    assert [identity_day.add(CALL._replace(record_id="a")) for _ in range(3)] == [True, False, False]
    assert identity_day.events() == 1


def test_what_matters_makes_two_behaviours() -> None:
    other: dict[str, Any] = {
        "account": "2", "credential": "AKIA1", "credential_type": "key", "action": "s3:PutObject", "access": "write",
        "network": "x", "agent": "y", "region": "z", "outcome": "denied", "error": "E", "target_class": "foreign",
        "traits": ("mfa",),
    }  # fmt: skip
    events = [CALL._replace(record_id=name, **{name: value}) for name, value in other.items()]
    unlike: dict[str, Any] = dict.fromkeys(("session", "target", "address", "issued"), "other")
    same = [CALL._replace(record_id=name, **{name: value}) for name, value in unlike.items()]
    assert len(day([CALL, *events]).behaviours) == 1 + len(other)
    assert len(day([CALL, *same]).behaviours) == 1


def test_sketches_are_bounded_and_keep_the_same_whatever_the_order() -> None:
    events = [
        CALL._replace(session=f"s{n:03}", target=f"t{n:03}", record_id=f"r{n:03}", time=CALL.time + n)
        for n in range(200)
    ]
    (behaviour,) = day(events).ordered()
    (other,) = day(random.Random(1).sample(events, 200)).ordered()
    assert behaviour.sessions == other.sessions == sorted((f"s{n:03}" for n in range(200)), key=rank_of)[:SESSIONS]
    assert behaviour.targets == other.targets == sorted((f"t{n:03}" for n in range(200)), key=rank_of)[:TARGETS]
    assert behaviour.record_ids == other.record_ids == [f"r{n:03}" for n in range(RECORDS)]


def test_targets_are_counted_beyond_those_that_are_kept() -> None:
    for number in (1, TARGETS, TARGETS + 1, 100, 600):
        (behaviour,) = day([CALL._replace(target=f"t{n}", record_id=f"r{n}") for n in range(number)]).ordered()
        assert abs(behaviour.touched - number) <= number / 20
        (again,) = day_rows.unpack(
            day_rows.pack(day([CALL._replace(target=f"t{n}", record_id=f"r{n}") for n in range(number)]))
        ).ordered()
        assert (again.touched, again.targets) == (behaviour.touched, behaviour.targets)


def test_what_sorts_last_is_kept_as_often_as_what_sorts_first() -> None:
    known = [CALL._replace(target=f"a{n}", issued=f"A{n}", record_id=f"a{n}") for n in range(60)]
    last = [CALL._replace(target=f"z{n}", issued=f"Z{n}", record_id=f"z{n}") for n in range(60)]
    (behaviour,) = day(known + last).ordered()
    assert sum(target.startswith("z") for target in behaviour.targets) > TARGETS // 4
    assert len(behaviour.issued) == 120


def test_a_row_of_an_earlier_version_is_read_and_its_samples_are_ordered_anew() -> None:
    identity_day = day([CALL._replace(target=f"t{n}", session=f"s{n}", record_id=f"r{n}") for n in range(10)])
    plain_row = json.loads(zlib.decompress(day_rows.pack(identity_day)[: -8 * 10]))
    sketches = [sorted(kept) for kept in plain_row[3]]
    for old in ([*plain_row[:3], sketches, *plain_row[4:7]], plain_row[:8]):
        raw = zlib.compress(json.dumps(old).encode()) + day_rows.pack(identity_day)[-8 * 10 :]
        assert plain(day_rows.unpack(raw)) == plain(identity_day)


FULL_DAY = [
    CALL._replace(time=TODAY * DAY + hour * HOUR, action=action, record_id=f"{action} {hour}")
    for hour in range(24)
    for action in ("s3:GetObject", "s3:PutObject")
]


@given(st.lists(st.lists(CALLS, max_size=4), min_size=2, max_size=12), st.booleans())
def test_a_day_that_is_stored_again_and_again_comes_back_as_one_that_was_stored_once(
    parts: list[list[Event]], is_kept: bool
) -> None:
    identity_day = day(FULL_DAY)
    for part in parts:
        row = day_rows.stored_row(identity_day)
        again = day_rows.unpack(row.raw)
        assert again.row == row
        identity_day.row = row
        identity_day.mark_stored()
        assert (again.seen, again.stored, again.counted) == (
            identity_day.seen,
            identity_day.stored,
            identity_day.counted,
        )
        identity_day = identity_day if is_kept else again
        for event in part:
            identity_day.add(event)
    whole = day([*FULL_DAY, *(event for part in parts for event in part)])
    assert plain(day_rows.unpack(day_rows.stored_row(identity_day).raw)) == plain(whole)


def test_of_a_day_that_grew_a_little_only_that_is_written() -> None:
    identity_day, lengths = day_rows.unpack(day_rows.pack(day(FULL_DAY))), []
    for minute in range(40):
        before = identity_day.row
        identity_day.add(CALL._replace(time=TODAY * DAY + minute * 60, record_id=f"more {minute}"))
        row = day_rows.stored_row(identity_day)
        lengths.append(len(row.raw) / row.first_part)
        assert row.first_part == len(row.raw) or row.raw.startswith(before.raw)
        identity_day = day_rows.unpack(row.raw)
    assert lengths.count(1.0) < 20 and 1.25 < max(lengths) < 1.6


def test_a_row_whose_last_marks_are_missing_is_damaged() -> None:
    with pytest.raises(StoreError, match="damaged"):
        day_rows.unpack(day_rows.pack(day(FULL_DAY))[:-8])


@given(st.lists(CALLS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_row(events: list[Event], dice: random.Random) -> None:
    mixed = events + events[::2]
    dice.shuffle(mixed)
    assert plain(day(mixed)) == plain(day(events))


@given(st.lists(CALLS, min_size=1, max_size=20))
def test_a_row_comes_back_as_the_same_day(events: list[Event]) -> None:
    identity_day = day(events)
    again = day_rows.unpack(day_rows.pack(identity_day))
    assert plain(again) == plain(identity_day)
    assert (again.seen, again.stored, again.identity) == (identity_day.seen, len(events), MACHINE)
    assert [again.add(event) for event in events] == [False] * len(events)


@given(st.lists(CALLS, max_size=12), st.lists(CALLS, max_size=12))
def test_merging_halves_gives_the_whole(left: list[Event], right: list[Event]) -> None:
    halves, identity_day = (day(left), day(right)), day(left + right)
    for key, expected in identity_day.behaviours.items():
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
    events = [CALL._replace(record_id="1"), CALL._replace(record_id="2", identity=short)]
    assert day(events).identity == day(events[::-1]).identity == MACHINE


def test_shapes_leave_out_what_changes_from_record_to_record() -> None:
    assert key_of_event(CALL) == key_of_event(
        CALL._replace(time=1, session="x", target="x", address="x", record_id="x")
    )


# ---- grouping


def grouped(records: list[Any]) -> tuple[Intake, list[tuple[int, str]]]:
    intake = Intake([cloudtrail])
    rejects: list[tuple[int, str]] = []

    def refuse(index: int, reject: RejectError) -> None:
        rejects.append((index, reject.reason))

    intake.feed(records, refuse)
    return intake, rejects


def test_the_short_way_and_the_full_reading_make_the_same_day() -> None:
    records = [
        record(TODAY, f"10:{n // 4:02}:{n % 4:02}", bucket=f"b{n % 7}", session=f"ASIA{n % 3}", id=f"id-{n}")
        for n in range(40)
    ]
    quick, rejects = grouped(records)
    (identity_day,) = quick.batch[TODAY].values()
    (other,) = whole_days([cloudtrail.read(r) for r in records]).values()
    assert (rejects, quick.batch.parsed, quick.batch.duplicates) == ([], 40, 0)
    assert plain(identity_day) == plain(other)


def test_rejects_are_told_with_their_place_in_the_batch() -> None:
    records = [record(TODAY, "10:00"), 7, record(TODAY, "10:01", eventTime="yesterday"), {}]
    intake, rejects = grouped(records)
    assert [index for index, _ in rejects] == [1, 2, 3]
    assert intake.batch.parsed == 1


def test_only_days_with_new_records_have_changed() -> None:
    stored = dict(grouped([record(TODAY, "10:00")])[0].batch[TODAY].items())
    for identity_day in stored.values():
        identity_day.stored = len(identity_day.seen)
    pending = {(TODAY, name): identity_day for name, identity_day in stored.items()}
    intake = Intake([cloudtrail], load=lambda keys: {key: pending[key] for key in keys if key in pending})
    intake.feed([record(TODAY, "10:00"), record(TODAY + 1, "00:00")], lambda index, reject: None)
    assert list(intake.batch.take_changed()) == [TODAY + 1]
    intake.feed([record(TODAY, "10:01")], lambda index, reject: None)
    assert list(intake.batch.take_changed()) == [TODAY]
    assert intake.batch.duplicates == 1


def test_events_of_a_sample_are_as_told() -> None:
    (event,) = events([{"action": "iam:CreateUser", "time": "23:59", "traits": ["b", "a"]}], TODAY)
    assert (event.service, event.time, event.traits) == ("iam", TODAY * DAY + 86_340, ("a", "b"))


def test_ids_of_microsoft_that_end_with_one_time_are_told_apart() -> None:
    item, other = (f"{start}-9de0-4c3c-d342-08d900b3f77d" for start in ("74eeadd0", "6ff50f1e"))
    assert fingerprint(item) != fingerprint(other)


def test_behaviours_of_one_shape_share_its_object() -> None:
    identity_day = day([CALL._replace(time=TODAY * DAY + hour * HOUR, record_id=str(hour)) for hour in range(3)])
    assert len({id(b.key) for b in identity_day.behaviours.values()}) == 1 < len(identity_day.behaviours)


def test_the_fullest_spelling_of_an_identity_counts_whenever_it_came() -> None:
    identity_day = IdentityDay(TODAY)
    for name, fullest in zip("acb", "acc"):
        identity_day.add(CALL._replace(identity=CALL.identity._replace(name=name), record_id=name))
        assert identity_day.identity.name == fullest
        identity_day.mark_stored()
        assert identity_day.identity.name == fullest
