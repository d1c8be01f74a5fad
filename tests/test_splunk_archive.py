"""Closed identity-days leave the KV store: one that is needed is read from the index, and answers stay the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest

from core_samples import TODAY, record
from nhi_watch.context.context import NO_CONTEXT
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import publish
from nhi_watch.hosts.splunk import archive, kvstore, nhirank, parts
from nhi_watch.hosts.splunk.archive import CLOSED, KEPT, ArchivedStore, Stage
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, Generation, KvStore
from nhi_watch.hosts.splunk.rest import Client, Collection, RestError
from nhi_watch.hosts.splunk.run import SplunkRun
from nhi_watch.state.retention import Daybook
from nhi_watch.state.state import LATE, State
from nhi_watch.state.store import MemoryStore, Rows, unpack
from splunk_faults import live
from splunk_kvstore import Direct, KvDouble
from test_bounds import rows_of
from test_exposure import user
from test_exposure_misuse import CALLS, OTHERS, TOR, USUAL, exposed, raid
from test_splunk_state import STEP, records

Record = dict[str, Any]
FIRST = TODAY - 10
CI, OTHER = "aws:111111111111:user:AIDACI", "aws:111111111111:role:AROAother-1"
Row = tuple[int, str, str]
"""When a row was indexed, its key, and the part."""


class Head:
    """A search head: its KV store, and the summary index with all rows that were ever read."""

    def __init__(self) -> None:
        self.double, self.index = KvDouble((STATE, GENERATIONS)), list[Row]()
        self.searches, self.refuses = 0, False

    def store(self) -> ArchivedStore:
        client = cast(Client, Direct(self.double))
        return ArchivedStore(
            Collection(client, STATE), lambda: Generation(Collection(client, GENERATIONS), "test"), self.find
        )

    def reader(self) -> KvStore:
        """The state, read-only."""
        return KvStore(Collection(cast(Client, Direct(self.double)), STATE))

    def find(self, text: str, earliest: int, latest: int) -> Iterator[Mapping[str, str]]:
        if self.refuses:
            raise RestError(403, "the role lacks a capability")
        self.searches += 1
        keys = set(re.findall(r'"([0-9a-f]+)"', text))
        return iter([{"nhi_part": part, "nhi_indexed": str(at)} for at, key, part in self.index if key in keys])

    def days(self, table: str = "day") -> dict[int, set[str]]:
        """Day → whose rows are there."""
        result: dict[int, set[str]] = {}
        for key in self.double.captain[STATE]:
            match = re.fullmatch(rf"{table}/(\d{{6}})/(.*)", key)
            if match:
                result.setdefault(int(match[1]), set()).add(match[2])
        return result


def packed(records: Sequence[Record], at: int) -> list[tuple[int, Row]]:
    """Day and row of the index, of records that are grouped together."""
    gatherer = Gatherer(hold=True)
    gatherer.feed(rows_of(list(records)))
    return [
        (day, (at, parts.key_of(name)[: parts.GROUPED], parts.pack([partial_day])))
        for day in gatherer.days()
        for some in gatherer.of(day)
        for name, partial_day in some.items()
    ]


def rank(store: Rows, records: Sequence[Record], now: int, index: list[Row]) -> None:
    gatherer = Gatherer(hold=True)
    for day, row in packed(records, now - 1):
        gatherer.spool.add(day, *row[1:])
        index.append(row)
    going = SplunkRun(store, NO_CONTEXT, 300.0, now)
    for day in gatherer.days():
        going.take(day, gatherer.of(day))
    going.process(closes=False)
    if isinstance(store, ArchivedStore):
        store.flush()
        store.note_read(now - 1)
        store.note_closing(going.to_close())
    assert going.close(lambda: None, 1e18)
    if isinstance(store, ArchivedStore):
        store.delete_closed(going.book, lambda: True)
        store.commit()


THIEF = [
    record(TODAY - 7, f"14:{n:02}", role="other-1", service=service, name=name, address=TOR, agent="aws-cli/2.1")
    for n, (service, name) in enumerate(CALLS)
]
EXTRA: dict[int, list[Record]] = {
    TODAY: raid(TODAY),
    # read once more, with what came late; then that once more
    TODAY + 1: [item for item in [*USUAL, *OTHERS] if parse(item["eventTime"]) // DAY in (TODAY - 7, TODAY - 5)]
    + THIEF,
    TODAY + 2: [*THIEF, *THIEF],
    TODAY + 3: exposed(TODAY + 3),
}


def days() -> Iterator[tuple[int, list[Record]]]:
    """Day → the records that come on it."""
    work = [*USUAL, *OTHERS]
    for day in range(FIRST, TODAY + 4):
        mine = [item for item in work if parse(item["eventTime"]) // DAY == day]
        yield day, [*mine, *EXTRA.get(day, ())]


def told(store: Rows) -> dict[str, Any]:
    return {item["id"]: item for item in publish.stored(store)}


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What a state comes to that keeps all its days."""
    store = MemoryStore()
    for day, mine in days():
        rank(store, mine, (day + 1) * DAY, [])
    result = told(store)
    assert {item["late"] for item in result.values()} == {True, False}
    assert {item["kind"] for item in result.values()} >= {"compromise", "exposure"}
    return result


def test_who_needs_a_closed_day_reads_it_from_the_index_and_finds_the_same(expected: dict[str, Any]) -> None:
    head = Head()
    for day, mine in days():
        rank(head.store(), mine, (day + 1) * DAY, head.index)
    assert told(head.reader()) == expected
    store = head.reader()
    closed = State(store).daybook.closed
    assert {OTHER, CI} <= {key[len(KEPT) :] for key, _ in store.scan("meta", KEPT, KEPT[:-1] + "0")}
    there = head.days()
    quiet = {name for day, names in there.items() if day < closed for name in names} - {OTHER, CI}
    assert not {name for name in quiet if "other" in name}, "ordinary days are gone"
    assert there[closed] >= {OTHER.replace("-1", "-2")}, "but the newest closed day is not"
    assert {CI in there[day] for day in range(FIRST, closed + 1)} == {True}
    assert {name for names in head.days("delta").values() for name in names} >= {OTHER.replace("-1", "-2")}


def test_what_was_read_back_is_the_day_as_it_was_closed_without_what_came_late(expected: dict[str, Any]) -> None:
    kept, head = MemoryStore(), Head()
    for day, mine in days():
        for store, index in ((kept, []), (head.store(), head.index)):
            rank(cast(Rows, store), mine, (day + 1) * DAY, index)
        if day == TODAY:
            break
    head.index += [row for _, row in packed(THIEF, (TODAY + 1) * DAY)]
    day = TODAY - 7
    assert OTHER not in head.days().get(day, set())
    ours, theirs = (State(item).load_some(day, [OTHER])[OTHER] for item in (head.store(), kept))
    assert (ours.seen, ours.events()) == (theirs.seen, theirs.events())
    assert [(b.key, b.count, b.record_ids) for b in ours.ordered()] == [
        (b.key, b.count, b.record_ids) for b in theirs.ordered()
    ]


def test_most_late_records_are_nothing_new_which_is_seen_without_their_day() -> None:
    head = Head()
    for day, mine in days():
        if day == TODAY + 1:
            break
        rank(head.store(), mine, (day + 1) * DAY, head.index)
    usual = [record(TODAY - 4, "11:40", role="other-2", id="late"), user(TODAY - 4, "11:50", id="late too")]
    rank(head.store(), usual, (TODAY + 1) * DAY + 600, head.index)
    assert head.searches == 0


def test_what_ordinary_days_taught_leaves_later_and_the_index_is_asked_instead(monkeypatch: Any) -> None:
    monkeypatch.setattr(archive, "_STEPS", tuple((table, 1, *stages) for table, _, *stages in archive._STEPS))
    head = Head()
    for day, mine in days():
        if day == TODAY + 1:
            break
        rank(head.store(), mine, (day + 1) * DAY, head.index)
    assert OTHER not in head.days("delta").get(TODAY - 4, set())
    rank(head.store(), [record(TODAY - 4, "09:00", role="other-1")] * 2, (TODAY + 1) * DAY + 600, head.index)
    assert head.searches == 1
    assert not [key for key, _ in head.reader().scan("day", LATE, "late0")], "what the day is known to have held"


def test_a_deletion_that_dies_anywhere_goes_on(expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that deletes is killed behind any of its requests; the next one finds all that it needs."""
    monkeypatch.setattr(kvstore, "KEYS", 2)
    head, deaths, delete = Head(), 0, ArchivedStore.delete_range
    for day, mine in days():
        left = day % 4

        def dying(self: ArchivedStore, first: str, last: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise RestError(0, "killed")
            delete(self, first, last)

        monkeypatch.setattr(ArchivedStore, "delete_range", dying)
        store = head.store()
        try:
            rank(store, mine, (day + 1) * DAY, head.index)
        except RestError:
            deaths += 1
            store.close()
    assert deaths >= 4
    assert told(head.reader()) == expected


def test_each_page_of_a_deletion_may_be_the_last_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    head, slices = Head(), 0
    work = [record(day, "09:00", role=f"role-{n}") for day in range(TODAY, TODAY + 3) for n in range(9)]
    for day in range(TODAY, TODAY + 3):
        mine = [item for item in work if parse(item["eventTime"]) // DAY == day]
        with mock.patch.object(ArchivedStore, "delete_closed"):
            rank(head.store(), mine, (day + 1) * DAY + 600, head.index)
    with mock.patch.object(ArchivedStore, "delete_closed"):
        rank(head.store(), [record(TODAY + 5, "00:01")], (TODAY + 5) * DAY + 600, head.index)
    with mock.patch.object(kvstore, "KEYS", 2):
        book = State(head.reader()).daybook
        monkeypatch.setattr(archive, "REREAD", 0)
        while not _deleted_some(head, book):
            slices += 1
            assert dict(_stages(head))[TODAY] >= Stage.DELETING_DAYS
    assert slices >= 4
    assert TODAY not in head.days()


def _deleted_some(head: Head, book: Daybook) -> bool:
    store = head.store()
    is_done = store.delete_closed(book, lambda: False)
    store.commit()
    return is_done


def _stages(head: Head) -> list[tuple[int, int]]:
    raw = head.reader().get("meta", [CLOSED])[CLOSED]
    return [(day, stage) for day, _, stage in unpack(raw)]


def test_an_index_that_cannot_be_read_ends_no_run_and_is_told() -> None:
    head = Head()
    for day, mine in days():
        if day > TODAY:
            break
        rank(head.store(), mine, (day + 1) * DAY, head.index)
    head.refuses = True
    store = head.store()
    assert State(store).load_some(TODAY - 7, [OTHER]) == {}
    assert "could not be read from the index nhi_summary" in store.message() and "lacks a capability" in store.message()
    store.close()
    head.refuses = False
    assert State(head.store()).load_some(TODAY - 7, [OTHER]), "and it is asked again"


def test_faults_leave_what_the_program_finds_while_closed_days_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted, original = list[Any](), ArchivedStore.delete_range

    def noted(self: ArchivedStore, first: str, last: str) -> None:
        deleted.append((first, last))
        original(self, first, last)

    monkeypatch.setattr(ArchivedStore, "delete_range", noted)
    monkeypatch.setattr(nhirank, "MANY", 1)
    monkeypatch.setattr(archive, "_STEPS", tuple((table, 0, *stages) for table, _, *stages in archive._STEPS))
    monkeypatch.setattr(archive, "REREAD", 0)
    lived = live(tmp_path, records(), STEP, share=0.5, seed=6)
    assert deleted
    assert [day for day, (ours, theirs) in lived.closed.items() if ours != theirs] == []
    assert lived.listed[0] == lived.listed[1] != {}
