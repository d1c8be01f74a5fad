"""State in one Elasticsearch index: a document a row, keyed by table and key.

What was put lies in memory until `commit` sends it, in order, as bulk requests; `get` and `scan` lay it
over what the index holds. `get` reads in real time; who scans refreshes the index first (it has one shard), so that
what a killed process wrote last is found, too.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import ApiError, ConflictError, Elasticsearch, NotFoundError, TransportError

from nhi_watch.core import process
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.cluster import BUSY, PassingError, away, explained, refused
from nhi_watch.state.kept_days import KeptDays
from nhi_watch.state.remembered import Remembered
from nhi_watch.state.state import UNSCORED
from nhi_watch.state.store import TABLES, known, overlaid

# ---- lease
#
# A lease on the state: two runs never work at the same time.
#
# It is one document of the state index, replaced only by who has seen its latest version (`if_seq_no`,
# `if_primary_term`). It is prolonged before writes: a run that lost it is stopped before it writes. It expires,
# so that a killed run blocks the next ones for minutes at most: not at all on its own machine, where it is seen to be
# gone. Each holder has a higher generation than the one
# before; rows of the state are written under it, so that what a former holder sent is refused however late it arrives.


SECONDS = 300
"""How long a lease lasts without a renewal; a run renews it while it reads and before it writes."""
_KEY = "run"
_ID = f"lease|{_KEY}"
_ATTEMPTS_LEASE = 6
_PAUSE = 1.0


class LeaseTakenError(StoreError):
    """Another run works, or was killed a few minutes ago."""


class LeaseState(NamedTuple):
    """What the document says, and which version of it that is."""

    holder: str
    until: float
    version: dict[str, int]
    generation: int = 0
    """Grows with each holder; 0: of a time before there were any."""
    process: tuple[str, ...] = ()
    """The holder's name, see `core.process`."""


def read_lease(client: Elasticsearch, index: str) -> Optional[LeaseState]:
    """Who has the lease, or had it last; read in real time."""
    reply = client.options(ignore_status=404).get(index=index, id=_ID).body
    if not reply.get("found"):
        return None
    row = orjson.loads(b64decode(reply["_source"]["value"]))
    version = {"if_seq_no": reply["_seq_no"], "if_primary_term": reply["_primary_term"]}
    return LeaseState(row["holder"], row["until"], version, row.get("generation", 0), tuple(row.get("process", ())))


class Lease:
    """The right to work on one state index. `clock` should be the cluster's, which all hosts share."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        seconds: int = SECONDS,
        clock: Callable[[], float] = time.time,
        holder: str = "",
    ) -> None:
        """`holder`: the name of one that may have had the lease before; "" makes a new one."""
        self._client = client
        self._index = index
        self._seconds = seconds
        self._clock = clock
        self._holder = holder or holder_name()
        self._condition: dict[str, Any] = {"op_type": "create"}
        self._renewed = 0.0
        self.generation = 0
        """Under which this holder writes; 0: it never had the lease."""

    def acquire(self, wait: float = 0.0) -> bool:
        """Take the lease; where another run has it, wait for it so many seconds.

        Returns whether this holder had it last, so that nobody else has written since.

        Raises:
            LeaseHeldError: somebody else has it; the message says who, and until when.
        """
        deadline = self._clock() + wait
        with explained("taking the lease"):
            while True:
                lease = read_lease(self._client, self._index)
                is_free = lease is None or lease.until <= self._clock() or lease.holder == self._holder
                if lease is None or is_free or process.has_ended(lease.process):
                    self._condition = dict(lease.version) if lease else {"op_type": "create"}
                    self.generation = max(lease.generation + 1 if lease else 1, int(self._clock()))
                    self._write(self._seconds)
                    return lease is not None and lease.holder == self._holder
                if self._clock() >= deadline:
                    until = render(int(lease.until))
                    raise LeaseTakenError(f"another run ({lease.holder}) has {self._index} until {until} at most")
                time.sleep(min(_PAUSE, max(0.05, lease.until - self._clock())))

    def renew(self) -> None:
        """Prolong the lease.

        Raises:
            LeaseHeldError: it had expired, and another run has taken it.
        """
        with explained("renewing the lease"):
            self._write(self._seconds)

    def keep(self) -> int:
        """Renew when a quarter of the time is over: cheap enough for every page and every write.

        Returns the generation under which to write.
        """
        if self._clock() - self._renewed > self._seconds / 4:
            self.renew()
        return self.generation

    def release(self) -> None:
        """Let the next run begin at once; what was lost already, or never taken, is left alone."""
        if not self._renewed:
            return
        with explained("releasing the lease"):
            try:
                self._write(0)
            except LeaseTakenError:
                return

    def _write(self, seconds: int) -> None:
        """Replace the document that was seen last. Where no answer came back, look whether it was done."""
        now = self._clock()
        row = {
            "holder": self._holder,
            "until": now + seconds,
            "generation": self.generation,
            "process": process.name_of(os.getpid()),
        }
        document = {"table": "lease", "key": _KEY, "value": b64encode(orjson.dumps(row)).decode()}
        put = self._client.options(max_retries=0).index
        for attempt in range(_ATTEMPTS_LEASE):
            try:
                answer = put(index=self._index, id=_ID, document=document, **self._condition)
                self._condition = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
                break
            except (ApiError, TransportError) as error:
                if attempt == _ATTEMPTS_LEASE - 1 or not _unsure(error):
                    raise
                if self._is_done(now + seconds):
                    break
        self._renewed = now

    def _is_done(self, until: float) -> bool:
        """Whether a write that seemed to fail took place; its version is taken over.

        Raises:
            LeaseHeldError: another run has written since.
        """
        lease = read_lease(self._client, self._index)
        if lease is None:
            self._condition = {"op_type": "create"}
            return False
        if lease.holder == self._holder:
            self._condition = dict(lease.version)
            return lease.until == until
        if lease.version != self._condition:
            raise LeaseTakenError(taken(self._index))
        return False


def holder_name() -> str:
    """A name for a holder that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def taken(index: str) -> str:
    """What is said when the lease was lost."""
    return f"another run has taken over {index}; this one stops"


def _unsure(error: Exception) -> bool:
    """Whether the write may have taken place although it seemed to fail, or may yet if tried again."""
    return isinstance(error, ConflictError) or away(error) or getattr(error, "status_code", 0) in BUSY


# ---- store


PAGE = 1_000
"""Rows a request of `get` or `scan`."""
_BULK_ROWS = 1_000
_BULK_BYTES = 8_000_000
EVERY = "", "\U0010ffff"
"""The span of all keys."""
_FULL_TABLES = "meta", "inventory", "ledger"
"""Tables that every run reads in full."""
_PARTS = (
    ("notable", "blind/"),
    ("notable", "case/"),
    ("notable", "head/"),
    ("notable", "pub/"),
    ("notable", "out/"),
    ("day", UNSCORED),
)
"""Table and beginning of the keys that every run reads of others: what is open, not what is kept of closed days."""
_MAX_ID = 512
"""Bytes of a document id that Elasticsearch takes."""
_CONFLICT = 409
MISSING = "{} does not exist: run `nhi elastic setup` first"


def document_id(table: str, key: str) -> str:
    """The document's id: table and key, or a digest where that is too long.

    >>> document_id("meta", "clock"), document_id("day", "x" * 600)[:20]
    ('meta|clock', 'day|sha256:5130b33e6')
    """
    plain = f"{table}|{key}"
    if len(plain.encode()) <= _MAX_ID:
        return plain
    return f"{table}|sha256:{sha256(key.encode()).hexdigest()}"


Guard = Callable[[], Optional[int]]
"""Raises where this process may no longer write; returns the generation under which it writes."""
_Change = tuple[str, str, Optional[bytes]]
"""Table, key, and the row or None."""
_REFRESH: _Change = ("refresh", "", b"")
"""Holds nothing of the state; readers write it, so it belongs to no generation."""


class ElasticStore:
    """A `Store` over the index `index`, which `nhi elastic setup` has made.

    `guard` is called before each bulk request: it raises when this process may no longer write, because another one
    holds the lease, and returns the generation under which to write. A row that a later generation has written stays
    as it is, however late a request of an earlier one arrives. Without a guard rows are replaced unconditionally.
    With `remember`, rows that were read or written are not read again; `look` reads what every run reads.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        guard: Optional[Guard] = None,
        remember: bool = False,
        is_there: bool = False,
    ) -> None:
        """`is_there`: whether the index is known to exist.

        Raises:
            StoreError: the index does not exist or cannot be reached.
        """
        self._client = client
        self._index = index
        self._memory = Remembered() if remember else None
        self.kept_days = KeptDays() if remember else None
        """What was put of open days, decoded, for the rounds to come."""
        self.guard: Guard = guard or (lambda: None)
        self._put: dict[tuple[str, str], Optional[bytes]] = {}
        """What waits to be written, in order."""
        self._fresh = self._looked = False
        """Whether a search finds all that is not remembered; whether it was looked."""
        if not is_there and not self._call("read", lambda: client.indices.exists(index=index)):
            raise StoreError(MISSING.format(index))

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""
        known(table)
        waiting = {key: self._put[table, key] for key in keys if (table, key) in self._put}
        waiting_rows = {key: value for key, value in waiting.items() if value is not None}
        asked = list(dict.fromkeys(key for key in keys if key not in waiting))
        if self._memory is not None:
            learnt = asked
            asked = self._learnt(table, asked)
            stored = ((key, self._memory.get(table, key)) for key in learnt)
            waiting_rows.update((key, value) for key, value in stored if value is not None)
        for start in range(0, len(asked), PAGE):
            waiting_rows.update(self._get_stored(table, asked[start : start + PAGE]))
        return waiting_rows

    def _learnt(self, table: str, keys: Sequence[str]) -> list[str]:
        """Learn of keys what is not known yet; returns those that were too many to be remembered."""
        assert self._memory is not None
        new = [key for key in keys if not self._memory.knows(table, key)]
        for start in range(0, len(new), PAGE):
            some = new[start : start + PAGE]
            rows = dict(self._get_stored(table, some))
            self._remember(table, [(key, rows.get(key)) for key in some])
        return [key for key in keys if not self._memory.knows(table, key)]

    def _remember(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> bool:
        """Remember rows; False where it became too much, and all was forgotten."""
        kept = self._memory is not None and self._memory.take(table, rows)
        self._fresh = self._fresh and kept
        return kept

    def _get_stored(self, table: str, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        ids = [document_id(table, key) for key in keys]
        answer = self._call("read", lambda: self._client.mget(index=self._index, ids=ids))
        for key, document in zip(keys, answer["docs"]):
            if "error" in document:
                raise StoreError(f"cannot read {self._index}: {document['error'].get('reason')}")
            if document["found"]:
                yield key, b64decode(document["_source"]["value"])

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows with `low <= key < high`, in the order of their keys."""
        known(table)
        waiting = {key: value for (of, key), value in self._put.items() if of == table}
        return overlaid(waiting, self._scan_stored(table, low, high), low, high)

    def _scan_stored(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        if low >= high:
            return iter(())
        memory = self._memory
        if memory is None:
            return self._scan_index(*_span(table, low, high))
        if not memory.knows_span(table, low, high):
            stored = self._scan_index(*_span(table, low, high))
            if not self._remember(table, [row for row in stored if not memory.knows(table, row[0])]):
                return self._scan_index(*_span(table, low, high))
            memory.mark_complete(table, low, high)
        return iter(list(memory.rows(table, low, high)))

    def look(self) -> None:
        """Learn at once what every run reads in full, and which tables are empty, to ask nothing of those."""
        if self._looked or self._memory is None:
            return
        self._looked = True
        spans = [
            *((table, *EVERY) for table in _FULL_TABLES),
            *((table, begin, f"{begin[:-1]}0") for table, begin in _PARTS),
        ]
        rows_by_table: dict[str, list[tuple[str, bytes]]] = {table: [] for table, _, _ in spans}
        aggs = {"filled": {"global": {}, "aggs": {"tables": {"terms": {"field": "table", "size": PAGE}}}}}
        wanted = {"should": [{"bool": {"filter": _span(*span)}} for span in spans]}
        filled: set[str] = set()
        for answer in self._pages([{"bool": wanted}], aggs):
            for hit in answer["hits"]["hits"]:
                rows_by_table[hit["_source"]["table"]].append(_row(hit))
            filled.update(each["key"] for each in answer["aggregations"]["filled"]["tables"]["buckets"])
        for table, rows in rows_by_table.items():
            if not self._remember(table, [row for row in rows if not self._memory.knows(table, row[0])]):
                return
        for span in spans:
            self._memory.mark_complete(*span)
        for table in set(TABLES) - filled:
            self._memory.mark_complete(table, *EVERY)

    def _scan_index(self, *filters: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        return (_row(hit) for answer in self._pages(filters) for hit in answer["hits"]["hits"])

    def _pages(self, filters: Sequence[dict[str, Any]], aggs: Optional[dict[str, Any]] = None) -> Iterator[Any]:
        self._refresh_once()
        query: dict[str, Any] = {
            "index": self._index,
            "size": PAGE,
            "query": {"bool": {"filter": list(filters)}},
            "sort": [{"key": "asc"}, {"table": "asc"}],
            "track_total_hits": False,
            "allow_partial_search_results": False,
            "aggs": aggs,
        }
        while True:
            answer = self._call("read", lambda: self._client.search(**query))
            yield answer
            if len(answer["hits"]["hits"]) < PAGE:
                return
            query["search_after"] = answer["hits"]["hits"][-1]["sort"]

    def _refresh_once(self) -> None:
        """What a killed process wrote last may not be searchable yet: write a row to make it so.

        A bulk request that refreshes needs no privilege beyond writing, `_refresh` would.
        """
        if not self._fresh:
            self._send([_REFRESH], refresh=True)

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace rows; None deletes. Visible to `get` and `scan` of this store at once."""
        known(table)
        for key, value in rows:
            self._put.pop((table, key), None)  # it goes to the end
            self._put[table, key] = value

    def commit(self, refresh: bool = True) -> None:
        """Make all that was put durable, in the order in which it was put.

        Without a refresh, which takes a moment, what looks into the index finds it a little later; this class does at
        once. None is made where all is remembered that a search would not find.

        Raises:
            StoreError: nothing after the first chunk that failed was written; the rest stays put.
        """
        changes = [(*place, value) for place, value in self._put.items()]
        refresh = refresh and not (self._fresh and self._memory is not None)
        for chunk, last in _chunks(changes):
            self._send(chunk, refresh=last and refresh)
        for table, key, value in changes if self._memory is not None else ():
            self._remember(table, [(key, value)])
        self._put.clear()

    def _send(self, rows: Sequence[_Change], refresh: bool) -> None:
        """Write rows in order.

        Raises:
            PassingError: the cluster turned some of them away for load; a retry has to put all of them again.
        """
        generation = self.guard()
        operations: list[Any] = [line for row in rows for line in _operations(row, generation)]
        with explained(f"cannot write {self._index}"):
            answer = self._client.bulk(index=self._index, operations=operations, refresh=refresh)
        for item in answer["items"] if answer["errors"] else ():
            (result,) = item.values()
            if "error" in result:
                if result["status"] == _CONFLICT:
                    raise LeaseTakenError(taken(self._index))
                failed = PassingError if result["status"] in BUSY else StoreError
                raise failed(f"cannot write {self._index}: {refused(result['error'])}")
        self._fresh = refresh or (self._fresh and self._memory is not None)

    def _call(self, doing: str, request: Callable[[], Any]) -> Any:
        with explained(f"cannot {doing} {self._index}"):
            return request()

    def close(self) -> None:
        """Give up what was not committed; the client stays open, it is the caller's."""
        self._put.clear()
        self._fresh = self._looked = False
        if self._memory is not None:
            self._memory.forget()
        if self.kept_days is not None:
            self.kept_days.forget()


def _span(table: str, low: str, high: str) -> list[dict[str, Any]]:
    return [{"term": {"table": table}}, {"range": {"key": {"gte": low, "lt": high}}}]


def _row(hit: Any) -> tuple[str, bytes]:
    return hit["_source"]["key"], b64decode(hit["_source"]["value"])


def _operations(change: _Change, generation: Optional[int]) -> tuple[bytes, ...]:
    table, key, value = change
    row: dict[str, Any] = {"_id": document_id(table, key)}
    if generation and change is not _REFRESH:
        row.update(version=generation, version_type="external_gte")
    if value is None:
        return (orjson.dumps({"delete": row}),)
    document = {"table": table, "key": key, "value": b64encode(value).decode()}
    return orjson.dumps({"index": row}), orjson.dumps(document)


def _chunks(rows: Sequence[_Change]) -> Iterator[tuple[Sequence[_Change], bool]]:
    """Cut rows into bulk requests; the flag marks the last one."""
    start = size = 0
    for end, (_, _, value) in enumerate(rows):
        size += len(value or b"")
        if end > start and (size > _BULK_BYTES or end - start >= _BULK_ROWS):
            yield rows[start:end], False
            start, size = end, len(value or b"")
    if rows:
        yield rows[start:], True


# ---- clock
#
# The cluster's clock, by which windows, leases and what is written go: the host's own may be wrong by any amount.


def now(client: Elasticsearch, index: str) -> float:
    """Seconds since the epoch as the cluster has them: it says what `now` is in the name of a bucket.

    Needs the right to read `index` and nothing else.
    """
    asked = {"date_range": {"field": "@timestamp", "ranges": [{"from": "now"}]}}
    try:
        response = client.search(index=index, size=0, aggs={"now": asked}, request_cache=False)
    except NotFoundError as error:
        raise StoreError(MISSING.format(index)) from error
    return float(response["aggregations"]["now"]["buckets"][0]["from"]) / 1000


class ClusterClock:
    """The cluster's time; asked once, and counted on from there whatever is done to the host's clock."""

    def __init__(self, client: Elasticsearch, index: str, passed: Callable[[], float] = time.monotonic) -> None:
        """Raises StoreError when the cluster does not say."""
        self._passed = passed
        with explained("asking for the time"):
            before = passed()
            self._offset = now(client, index) - (before + passed()) / 2

    def __call__(self) -> float:
        return self._passed() + self._offset
