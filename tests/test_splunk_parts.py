"""Parts: merged as sets are, read from rows of any kind, and not believed where a log only claims them."""

from __future__ import annotations

import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import CALL, record
from nhi_watch.context.reputation import load
from nhi_watch.core.behaviour import IdentityDay, fingerprint, to_row
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.hosts.splunk import fields, nhigroup, parts
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.nhigroup import KEPT, NhiGroup
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rows import read
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import every
from splunk_stream import table

SAMPLES = sorted((Path(__file__).parent / "data" / "sources").glob("*.jsonl"))
DAY_NUMBER = 20_000
ROLE = Identity("aws:111111111111:role:AROAEXAMPLE", "arn:aws:iam::111111111111:role/app", "role", "aws", "1", "")
RECORD = record(20_151, "10:00", role="ci", address="203.0.113.7")
NAMES = fields.PART
PACKED = NAMES.index("nhi_part")
Rows = list[dict[str, list[str]]]
START = 1_741_082_400
"""2025-03-04T10:00:00Z"""


def event(number: int, hour: int = 10, action: str = "s3:GetObject", **more: Any) -> Event:
    given_fields: dict[str, Any] = {
        "time": DAY_NUMBER * DAY + hour * HOUR + number % HOUR,
        "identity": ROLE,
        "session": f"ASIA{number % 40}",
        "action": action,
        "target": f"bucket-{number % 50}",
        "record_id": f"record-{number}",
        **more,
    }
    return CALL._replace(**given_fields)


def uuid(number: int) -> str:
    """As CloudTrail gives it."""
    return f"b48a1176-b284-dffb-{number:04x}-377f71{number:06x}"


EVENTS = [
    event(n * 7, 10 + n % 3, f"s3:{('Get', 'Put')[n % 2]}Object", **({"record_id": uuid(n)} if n % 2 else {}))
    for n in range(60)
]
UUIDS = EVENTS[1::2]


def part_of(events: list[Event]) -> parts.PartialDay:
    partial_day = parts.PartialDay(DAY_NUMBER)
    for event in events:
        partial_day.add(event)
    return partial_day


def plain(partial_day: parts.PartialDay) -> list[Any]:
    return short(whole_in(partial_day))


def whole_in(partial_day: parts.PartialDay) -> IdentityDay:
    """A day as its records made it."""
    identity_day = IdentityDay(partial_day.day)
    for key, (behaviour, record_hashes) in partial_day.slots.items():
        identity_day.put(key, copy(behaviour))
        identity_day.seen |= record_hashes
    return identity_day


def short(identity_day: IdentityDay) -> list[Any]:
    """As a row, with fingerprints as a part has them: those of EVENTS with a UUID are short."""
    long = {fingerprint(event.record_id) for event in EVENTS[::2]}
    identity_day.seen = {mark if mark in long else mark & (1 << 40) - 1 for mark in identity_day.seen}
    return to_row(identity_day)


def whole_of(events: list[Event]) -> IdentityDay:
    identity_day = IdentityDay(DAY_NUMBER)
    for event in events:
        identity_day.add(event)
    return identity_day


@given(st.lists(st.lists(st.sampled_from(EVENTS), min_size=1), min_size=1, max_size=5))
def test_parts_of_any_cut_overlapping_and_repeated_merge_to_the_whole_day(cuts: list[list[Event]]) -> None:
    merged = part_of(cuts[0])
    for cut in [*cuts[1:], cuts[0]]:
        merged.merge(part_of(cut))
    assert plain(merged) == short(whole_of([event for cut in cuts for event in cut]))


def test_a_part_comes_back_as_it_was() -> None:
    partial_day = part_of(EVENTS)
    [(name, back)] = parts.unpack(parts.pack([partial_day])).items()
    assert (name, plain(back)) == (ROLE.id, plain(partial_day))
    assert {key: record_hashes for key, (_, record_hashes) in back.slots.items()} == {
        k: m for k, (_, m) in partial_day.slots.items()
    }
    assert set(parts.pack([partial_day])) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_fingerprints_are_short_where_the_provider_gives_ids_alone() -> None:
    assert [urlsafe_b64decode(parts.pack([part_of(events)])[:4])[1] for events in (UUIDS, EVENTS)] == [5, 8]
    long = part_of(UUIDS)
    for _, record_hashes in long.slots.values():
        record_hashes |= {mark + (1 << 40) for mark in set(record_hashes)}
        record_hashes -= {mark for mark in record_hashes if mark < 1 << 40}
    assert len(parts.pack([long])) - len(parts.pack([part_of(UUIDS)])) == len(UUIDS) * 4, "3 bytes a record"
    [(name, back)] = parts.unpack(parts.pack([part_of(UUIDS)])).items()
    assert (name, plain(back)) == (ROLE.id, plain(part_of(UUIDS)))


def test_ids_that_somebody_chose_for_what_short_fingerprints_have_in_common_count_each() -> None:
    chosen = ["x158564~1384c1f672d9", "x911510~bff8af1ac5ac"]  # of five million, made by `bound`
    assert len({fingerprint(item) & (1 << 40) - 1 for item in chosen}) == 1
    partial_day = part_of([event(1, record_id=item) for item in chosen])
    [again] = parts.unpack(parts.pack([part_of([event(1, record_id=chosen[1])])])).values()
    partial_day.merge(again)
    assert partial_day.events() == 2


@given(st.lists(st.lists(st.sampled_from(EVENTS), min_size=1), min_size=1, max_size=5), st.integers(60, 700))
def test_a_day_that_takes_parts_in_any_cut_overlapping_and_in_pieces_counts_each_record_once(
    cuts: list[list[Event]], longest: int
) -> None:
    wanted, identity_day = IdentityDay(DAY_NUMBER), IdentityDay(DAY_NUMBER)
    before, parts.LONGEST = parts.LONGEST, longest
    try:
        for cut in [*cuts, cuts[0]]:
            for _, text in parts.pieces([part_of(cut)]):
                for part in parts.unpack(text).values():
                    part.give(identity_day)
    finally:
        parts.LONGEST = before
    for event in {event.record_id: event for cut in cuts for event in cut}.values():
        wanted.add(event)
    assert to_row(identity_day)[1:4] == to_row(wanted)[1:4]


def test_one_id_in_two_behaviours_counts_in_each() -> None:
    """A client may give a theft the id of a harmless record."""
    identity_day = IdentityDay(DAY_NUMBER)
    part_of([event(1, record_id="x")]).give(identity_day)
    part_of([event(1, action="iam:CreateAccessKey", record_id="x")]).give(identity_day)
    assert (identity_day.events(), len(identity_day.seen)) == (2, 2)


DAMAGED = ["", "AAAA", "!!!", "x" * 1000, parts.pack([part_of(EVENTS)])[:-9], "Ag" + parts.pack([part_of(EVENTS)])[2:]]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_part_is_refused(text: str) -> None:
    with pytest.raises(RejectError, match="bad_part"):
        parts.unpack(text)


def test_a_row_that_claims_more_than_it_holds_takes_no_memory() -> None:
    for raw in (
        struct.pack("<BBBHII", parts.VERSION, 5, 1, 1, 2**32 - 1, 2**32 - 1) + b"x",
        struct.pack("<BIII", 3, 2**32 - 1, 2**32 - 1, 1) + b"x",
    ):
        with pytest.raises(RejectError, match="the counts do not fit"):
            parts.unpack(urlsafe_b64encode(raw).decode("ascii"))


EARLIER = (
    "AwMAAAADAAAAAQAAAAMAAHF_AQAAcX8FAABxfwEAAAABAAAAAQAAAHWVsQ4CIQyGX-hytoXSOzeH27zE0cS4aJycnYzvLgfCtaLtQNv8EPJ_IZwIY"
    "sQ7JDSoYlshTcfdfNhP36wa8SZ_3AYcanJ6R0PxxyP6mMrUj9wjNuj-GlzQaXMJk4mXx_V-i99N7tajsVosWid17FjPly6R8AMAJruFBnAByJYVULY"
    "_ybHKxwBiypi-YyunIveOHJsyZuik4FyW5-v8BrSKEXayhN_7AAM3f3EAAAO0ihF2soTf-wABN39xAAABtIoRdrKE3_sABTd_cQAABQ",
    "BAMAAAADAAAAAQAAAE6kMGHhttsqAQAAcX8AAAAzcMrNYNzJ6QEAAAABAAAAAQAAAKWVsRLCIAyGX6jUhFJC3Ry66Z2jdz0HsXZxtZPnuwtpiyDXc"
    "xCWhPuBkC9cOgluuBgYDUZjGyC1p93huG-_WWXizdS4E3AYk4t3ZBTXk1rLsqlLxAzdaoITdD9uzb7u37fGSIHJ2fF6vz3E5HwOxoCVYhmFZVTxuv"
    "f4ScoAICMmaaDSnmBshqKYgLMcg7zRQInpJUU9y-fT5SJXlUSVmG7qgpYS6ly-XPvruUVaZS6IpIWVRol-GKxwAaGoiAZCX2mAnGHewa-D4vk6vwE",
)
"""The first three of UUIDS and of EVENTS, as versions 3 and 4 packed them."""


@pytest.mark.parametrize(("text", "events"), list(zip(EARLIER, (UUIDS[:3], EVENTS[:3]))))
def test_parts_of_earlier_versions_are_read(text: str, events: list[Event]) -> None:
    [(name, back)] = parts.unpack(text).items()
    assert (name, plain(back), parts.identities_in(text)) == (ROLE.id, plain(part_of(events)), 1)
    [glance] = parts.glances(text)
    assert (glance.name, glance.events()) == (ROLE.id, 3)


def roles(count: int, each: int = 3) -> dict[str, parts.PartialDay]:
    """What so many roles did within a few minutes."""
    result: dict[str, parts.PartialDay] = {}
    for role in range(count):
        who = ROLE._replace(id=f"aws:1:role:AROA{role}", name=f"role/{role}")
        result[who.id] = part_of([event(n, identity=who, record_id=uuid(99 * role + n)) for n in range(each)])
    return result


def test_identities_in_one_text_come_back_each_as_it_was_and_take_less() -> None:
    partial_days = roles(50)
    texts = [text for _, text in parts.pieces(list(partial_days.values()))]
    assert all(len(text) <= parts.LONGEST for text in texts)
    assert sum(map(parts.identities_in, texts)) == 50 and len(texts) <= 4
    back = {name: partial_day for text in texts for name, partial_day in parts.unpack(text).items()}
    assert {name: plain(partial_day) for name, partial_day in back.items()} == {
        name: plain(partial_day) for name, partial_day in partial_days.items()
    }
    alone = sum(len(parts.pack([partial_day])) for partial_day in partial_days.values())
    assert sum(map(len, texts)) < 0.6 * alone
    for glance in (glance for text in texts for glance in parts.glances(text)):
        behaviours = [behaviour for behaviour, _ in back[glance.name].slots.values()]
        assert glance.kinds == parts.kinds_of(behaviours)
        assert (glance.events(), glance.heard) == (back[glance.name].events(), {"aws|1": 1 << 10})


@given(st.integers(60, 900), st.integers(1, 12), st.integers(1, 30))
def test_no_text_is_longer_than_a_stored_event_may_be(longest: int, count: int, each: int) -> None:
    before, parts.LONGEST = parts.LONGEST, longest
    try:
        pieces = list(parts.pieces(list(roles(count, each).values())))
    finally:
        parts.LONGEST = before
    for some, text in pieces:
        assert len(text) <= longest or [partial_day.events() for partial_day in some] == [1]
    assert sum(partial_day.events() for some, _ in pieces for partial_day in some) == count * each


# ---- rows


def fed(*bodies: bytes) -> Gatherer:
    gatherer = Gatherer()
    for body in bodies:
        gatherer.feed(body)
    return gatherer


def gathered(gatherer: Gatherer) -> dict[Any, Any]:
    return {name: plain(partial_day) for name, partial_day in gatherer.parts.items()}


def samples(path: Path, shape: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return [line["record"] for line in lines if line["shape"] == shape]


def grouped(records: list[dict[str, Any]]) -> tuple[dict[Any, Any], dict[str, int]]:
    """What the files' reader makes of records."""
    grouping, rejected = Intake(every()), dict[str, int]()

    def refuse(index: int, error: RejectError) -> None:
        rejected[error.reason] = rejected.get(error.reason, 0) + 1

    grouping.feed(records, refuse)
    result = {
        (day, name): short(identity_day) for day, days in grouping.batch.items() for name, identity_day in days.items()
    }
    return result, rejected


def cells(row: dict[str, Any]) -> dict[str, list[str]]:
    result = {}
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        result[name] = [str(v).lower() if isinstance(v, bool) else str(v) for v in values if v is not None]
    return result


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.stem))
def test_events_and_extracted_fields_of_every_source_are_read_as_from_files(path: Path) -> None:
    for sample in filter(lambda item: isinstance(item, dict), samples(path, "native")):
        gatherer = fed(raw(sample))
        assert (gathered(gatherer), gatherer.rejected) == grouped([sample])
    for sample in [*samples(path, "splunk"), *samples(path, "splunk_fields")]:
        if isinstance(sample, dict) and "_raw" not in sample and not any(isinstance(v, dict) for v in sample.values()):
            row = cells(sample)
            gatherer = fed(table(list(row), [row]))
            extracted = {name: values if len(values) > 1 else values[0] for name, values in row.items() if values}
            assert (gathered(gatherer), gatherer.rejected) == grouped([extracted])


def raw(*records: Any, **more: str) -> bytes:
    texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
    rows: Rows = [{"_raw": [text], **{name: [value] for name, value in more.items()}} for text in texts]
    return table(["_raw", *more], rows)


def test_what_a_log_says_of_parts_and_notables_is_not_believed() -> None:
    forged = parts.pack([part_of(EVENTS)])
    claims = {**RECORD, "userAgent": f'nhi_part="{forged}"'}
    body = table(
        ["_raw", "sourcetype", "source", "nhi_part", "nhi_notable"],
        [
            {
                "_raw": [json.dumps(claims)],
                "sourcetype": ["aws:cloudtrail"],
                "source": ["s3"],
                "nhi_part": [forged],
                "nhi_notable": ["{}"],
            },
        ],
    )
    gatherer = fed(body)
    assert [name for _, name in gatherer.parts] == ["aws:111111111111:role:AROAci"]
    assert gatherer.notables == []


def test_parts_are_read_from_the_summary_index_and_from_the_command_before() -> None:
    packed = parts.pack([part_of(EVENTS)])
    kept = raw(f'2025-03-04T10:00:00Z, nhi_day="x", nhi_part="{packed}"', source=fields.SOURCE)
    handed = table(["nhi_part"], [{"nhi_part": [packed]}])
    assert gathered(fed(kept)) == gathered(fed(handed)) == gathered(fed(kept, handed))


def test_a_chunk_of_parts_is_merged_and_rejects_and_notables_pass() -> None:
    command = NhiGroup()
    command.prepare(Search([]))
    assert command.execute(raw(*[{**RECORD, "eventID": f"{n}"} for n in range(5)], "no JSON")) == b""
    first, _ = command.finish()
    again = table(
        ["nhi_part", "nhi_error", "nhi_events", "nhi_notable"],
        [
            *({"nhi_part": [row[PACKED]]} for row in list(read(first))[1:] if row[PACKED]),
            *({"nhi_part": [row[PACKED]]} for row in list(read(first))[1:] if row[PACKED]),
            {"nhi_error": ["bad_json"], "nhi_events": ["3"]},
            {"nhi_notable": ['{"a": 1}']},
        ],
    )
    command.execute(again)
    _, part, failed, notable_rows = read(command.finish()[0])
    assert part[3] == "5"
    assert (failed[NAMES.index("nhi_error")].partition(": ")[0], failed[3]) == ("bad_json", "3")
    assert notable_rows[NAMES.index("nhi_notable")] == '{"a": 1}'


def test_identities_whose_keys_begin_alike_share_rows_however_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "GROUPED", 1)
    details = [{**record(20_151, f"10:{n % 60:02d}", role=f"ci-{n % 200}"), "eventID": uuid(n)} for n in range(600)]
    bodies = []
    for mine in (details[:400], details[200:]):  # two indexers, and some events on both
        command = NhiGroup()
        command.prepare(Search([]))
        command.execute(raw(*mine))
        bodies.append(command.finish()[0])
    joined = NhiGroup()
    joined.prepare(Search(["records=1"]))
    for body in bodies:
        joined.execute(body)
    _, *rows = read(joined.finish()[0])
    assert len(rows) < 40 and sum(int(row[3]) for row in rows) == 600
    result: dict[str, int] = {}
    for row in rows:
        for name, partial_day in parts.unpack(row[PACKED]).items():
            result[name] = result.get(name, 0) + partial_day.events()
            assert parts.key_of(name).startswith(row[NAMES.index("nhi_key")])
    assert len(result) == 200 and set(result.values()) == {3}


def test_a_row_lies_where_rank_looks_for_it_however_old_its_events_are() -> None:
    """In a look back it lies on its day; where it is written again on the search head, too."""
    now = START + 90 * DAY
    for latest, wanted in ((now, now - KEPT), (START + HOUR, START)):
        command = NhiGroup()
        command.prepare(Search([], latest=latest))
        body = raw(RECORD)
        for _ in range(2):
            command.execute(body)
            body, _ = command.finish()
            assert [row[0] for row in read(body)] == ["_time", str(wanted)]


def test_parts_are_held_from_chunk_to_chunk_and_given_at_the_end_or_when_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row for each identity of each chunk of a day's events were 80 million rows for one search to sort."""
    chunks = [raw(*[{**RECORD, "eventID": f"{n}-{m}"} for m in range(5)]) for n in range(4)]
    at_end, each, every_other = [0, 0, 0, 0, 1], [1, 1, 1, 1, 0], [0, 1, 0, 1, 0]
    for pending, fed, wanted in ((40_000, 500_000, at_end), (0, 500_000, each), (9, 9, every_other)):
        monkeypatch.setattr(nhigroup, "MAX_BUFFERED", pending)
        monkeypatch.setattr(nhigroup, "FED", fed)
        command = NhiGroup()
        command.prepare(Search([]))
        bodies = [*map(command.execute, chunks), command.finish()[0]]
        rows = [[row for row in list(read(body))[1:] if row[PACKED]] for body in bodies if body]
        assert [bool(body) for body in bodies] == list(map(bool, wanted))
        assert sum(int(row[3]) for each in rows for row in each) == 20


def test_what_was_read_is_counted_by_hour_and_sourcetype_where_somebody_asks() -> None:
    """The daily reconciliation compares it with what is in the indexes, also what could not be read."""
    command = NhiGroup()
    command.prepare(Search(["count=1"]))
    times = [START + 5, START + 6, START + HOUR]
    rows = [{"_raw": [json.dumps(RECORD)], "_time": [str(t)], "sourcetype": ["aws:cloudtrail"]} for t in times]
    rows.append({"_raw": ["{"], "_time": ["x"], "sourcetype": ["a b"]})
    command.execute(table(["_raw", "_time", "sourcetype"], rows))
    body, _ = command.finish()
    names = ("_time", "nhi_log", "nhi_seen")

    def text(text: bytes) -> list[tuple[str, ...]]:
        header, *rows = read(text)
        places = [header.index(name) for name in names]
        return [tuple(row[at] for at in places) for row in rows if row[places[2]]]

    hour = START // HOUR * HOUR
    wanted = [("0", "other", "1"), (f"{hour}", "aws:cloudtrail", "2"), (f"{hour + HOUR}", "aws:cloudtrail", "1")]
    assert text(body) == wanted
    again = NhiGroup()
    again.prepare(Search([]))
    again.execute(body)
    assert text(again.finish()[0]) == wanted, "the search head's half passes it"


BROKEN = {
    "no JSON": ("{", "bad_json"),
    "nested too deeply": ('{"eventSource":"eventName":' + "[" * 100_000, ""),
    "a list": ("[1, 2]", ""),
    "no time": (json.dumps({**RECORD, "eventTime": ""}), "no_time"),
}


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_counted_and_its_neighbours_read(text: str, reason: str) -> None:
    gatherer = fed(raw(RECORD, text, {**RECORD, "eventID": "2"}))
    assert sum(partial_day.events() for partial_day in gatherer.parts.values()) == 2
    assert sum(gatherer.rejected.values()) == 1
    assert not reason or gatherer.rejected == {reason: 1}


def test_half_a_character_does_not_hide_an_event() -> None:
    text = json.dumps({**RECORD, "eventID": "3", "userAgent": "x"}).replace('"x"', '"\\ud800"')
    gatherer = fed(raw(RECORD, text, {**RECORD, "eventID": "2"}))
    assert (sum(partial_day.events() for partial_day in gatherer.parts.values()), gatherer.rejected) == (3, {})


def test_a_listed_address_is_marked_on_the_days_of_its_listing(tmp_path: Path) -> None:
    path = tmp_path / "nhi_reputation.csv"
    header = "indicator,source,confidence,valid_from,valid_until,comment"
    path.write_text(f"{header}\n203.0.113.7,feed,90,2025-03-04,2025-03-05,\n", "utf-8")
    gatherer = Gatherer(reputation=load([path]))
    later = {**RECORD, "eventTime": "2025-03-09T10:00:00Z", "eventID": "2"}
    gatherer.feed(raw(RECORD, {**RECORD, "eventID": "3", "sourceIPAddress": "203.0.113.8"}, later))
    marked = {(s.traits, day) for (day, _), partial_day in gatherer.parts.items() for s, _ in partial_day.slots}
    assert marked == {(("listed",), 20151), ((), 20151), ((), 20156)}
