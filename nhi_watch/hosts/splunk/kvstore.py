"""The state in Splunk's KV store, by way of its REST API: a Store of rows, read row by row and written in batches.

Rows lie in one collection, by `table/key`, in base64. What is put is written in that order, by `commit` at the latest,
in batches within the limits of limits.conf; no row is read that nobody asks for.

The KV store has no transactions. Two things stand in for them. Rows replace themselves, so that whatever a run wrote
before it died is written again, alike. And each run claims a *generation*: it inserts a document with the next number
as its key, which the KV store accepts once. Of two members of a search head cluster one is refused, whatever their
replicas showed them. A generation is a chain of periods of LEASE seconds. The run that holds it inserts `number/0001`
before its first write, and the next link whenever half of a period has passed, whatever it does then; a run that finds
a period past inserts its end, the link that follows. Each link is accepted once: so a run that was late has to stop,
and one that continues is left alone, however long it takes. The document of a generation is closed last. In a cluster,
reads are answered by the member's own replica, which takes in writes in their order: who sees a generation closed sees
all that it wrote.
"""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Optional

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import MINUTE
from nhi_watch.hosts.splunk.rest import Collection, RestError
from nhi_watch.state.store import known, overlaid

STATE, GENERATIONS = "nhi_state", "nhi_generations"
"""The app's collections."""

LEASE = 15 * MINUTE
"""Seconds of a period: so long after a member died with the state, another may take it. The clocks of members may
differ by what is left of a period when it is taken further, half of it less what one piece of work takes."""
MARGIN = 2 * MINUTE
"""Of that, what one request may take."""
DOCUMENTS, MEGABYTES = 1_000, 40
"""Of one batch: `max_documents_per_batch_save` is 1,000 at the least, `max_size_per_batch_save_mb` 50."""
LARGEST = 15 << 20
"""Bytes of one row as a document: MongoDB takes 16 MB."""
MAX_BUFFERED = 64 << 20
"""Bytes of rows that are held in memory before they are written. A run that ends badly behind that has written a part,
as one that is killed in the middle of a commit has: the next one writes it again."""
ASKED = 500
"""Rows asked for at once by their keys: `max_queries_per_batch` is 1,000."""
FIRST, PAGE, PAGE_MB = 200, 2_000, 8
"""Rows of a scan's first page and of any other at the most (`max_rows_per_query` is 50,000), and about how many
megabytes a page is to have: rows of busy days have 40 kB and more, and `max_size_per_result_mb` is 50."""
GONE = 20
"""Rows deleted by one request: their keys stand in its address."""
KEYS = 2_000
"""Keys that are read at once where no row is needed; so many rows at the most are deleted by one request."""
KEPT = 5
"""Generations that are kept, to show which runs there were."""
_Row = tuple[str, Optional[bytes]]


class BusyError(StoreError):
    """Another run has the state."""


class Generation:
    """The right to write, of one run at a time."""

    def __init__(self, collection: Collection, owner: str, clock: Callable[[], float] = time.time) -> None:
        """`owner`: who runs, for people.

        Raises:
            BusyError: another run holds the state.
            RestError: the KV store does not answer.
        """
        self._kept, self._clock, self._owner = collection, clock, owner
        newest = next(iter(collection.page({"until": {"$gt": 0}}, 1, "-_key")), None)
        if newest is not None and not newest.get("closed"):
            self._break(newest)
        number = int(newest["_key"]) + 1 if newest else 1
        self.key = f"{number:012d}"
        self._until = int(clock()) + LEASE
        """The end of the period, as others see it."""
        self._period = 0
        if not collection.insert(self._document()):
            raise BusyError("another search has started to rank, so this one stops")

    def _document(self, **more: object) -> dict[str, Any]:
        return {"_key": self.key, "until": self._until, "owner": self._owner, **more}

    def _break(self, other: Mapping[str, Any]) -> None:
        """Take the right from a run that did not end.

        Raises:
            BusyError: it may still end.
        """
        until, period = float(other["until"]), 1
        while self._clock() >= until:
            if self._kept.insert(_link(other["_key"], period)):
                return
            until, period = until + LEASE, period + 1
        left = (until - self._clock()) / MINUTE
        raise BusyError(
            f"the run that {other.get('owner', 'somebody')} began holds the state until it ends, or for "
            f"{left:.0f} minutes if it no longer runs"
        )

    def keep(self) -> None:
        """Whatever the run does: go on into the next period in time.

        Raises:
            StoreError: it is too late, another may have taken its place.
        """
        now = self._clock()
        if now < self._until - LEASE / 2:
            return
        if now >= self._until - MARGIN or not self._kept.insert(_link(self.key, self._period + 1)):
            raise StoreError("this run took too long and may no longer write; the next run does its work")
        self._period, self._until = self._period + 1, self._until + LEASE

    def demand(self) -> None:
        """Before each batch: the run may write.

        Raises:
            StoreError: it took too long, and another has taken its place.
        """
        self.keep()
        if not self._period:  # its clock may be slow
            if not self._kept.insert(_link(self.key, 1)):
                raise StoreError("this run took too long and may no longer write; the next run does its work")
            self._period, self._until = 1, self._until + LEASE

    def close(self) -> None:
        """Tell that all was written, and forget old generations."""
        self._kept.replace(self.key, self._document(closed=1))
        self._kept.delete_where({"_key": {"$lt": f"{max(0, int(self.key) - KEPT):012d}"}})


def _link(generation: str, period: int) -> dict[str, Any]:
    return {"_key": f"{generation}/{period:04d}", "until": 0}


class KvStore:
    """A Store over the app's collection; what is put is seen by `get` and `scan` at once, and by others after `commit`.

    Raises:
        RestError: from every method, where the KV store refuses or does not answer.
        StoreError: a document was altered, or is too large.
    """

    def __init__(self, collection: Collection, claim: Optional[Callable[[], Generation]] = None) -> None:
        """`claim` begins a generation, before anything is read; None for readers."""
        self._kept, self._claim = collection, claim
        self._generation = claim() if claim else None
        self._put: dict[str, Optional[bytes]] = {}
        """Document's key → row, in the order in which they are to be written."""
        self._size = 0

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""
        self._keep()
        size = len(known(table)) + 1
        asked = [f"{table}/{key}" for key in dict.fromkeys(keys)]
        stored = {key[size:]: self._put[key] for key in asked if key in self._put}
        far = [key for key in asked if key not in self._put]
        for start in range(0, len(far), ASKED):
            for document in self._kept.find(far[start : start + ASKED]):
                stored[str(document["_key"])[size:]] = _row(document)
        return {key: row for key, row in stored.items() if row is not None}

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows with `low <= key < high` by code point; rows may be put meanwhile."""
        size, first, end = len(known(table)) + 1, f"{table}/{low}", f"{table}/{high}"
        for key, row in overlaid(self._put, self._far(first, end), first, end):
            yield key[size:], row

    def _far(self, first: str, end: str) -> Iterator[_Row]:
        """Rows of the KV store. Only an empty page is the end: one that would be too large may come cut short."""
        limit, after = FIRST, "$gte"
        while True:
            self._keep()
            query = {"$and": [{"_key": {after: first}}, {"_key": {"$lt": end}}]}
            try:
                page = self._kept.page(query, limit, "_key")
            except RestError as error:  # max_size_per_result_mb: rows are larger than most
                if limit == 1 or error.status not in (400, 413, 500):
                    raise
                limit = max(1, limit // 8)
                continue
            if not page:
                return
            yield from ((str(document["_key"]), _row(document)) for document in page)
            first, after = str(page[-1]["_key"]), "$gt"
            size = sum(len(document["v"]) for document in page)
            limit = max(1, min(PAGE, (PAGE_MB << 20) * len(page) // max(1, size)))

    def put(self, table: str, rows: Iterable[_Row]) -> None:
        """Replace rows; None deletes, behind what is replaced at once: what alternates would be a request a row."""
        for name, row in sorted(dict(rows).items(), key=lambda row: row[1] is None):
            key = f"{known(table)}/{name}"
            self._size += len(row or b"") - len(self._put.pop(key, None) or b"")
            self._put[key] = row
        if self._size > MAX_BUFFERED and self._claim is not None:
            self._write(self._generation or self._claim())

    def _keep(self) -> None:
        if self._generation is not None:
            self._generation.keep()

    def flush(self) -> None:
        """Write what was put, in that order, and go on."""
        if self._claim is None:
            raise StoreError("this state was opened read-only")
        if self._put:
            self._write(self._generation or self._claim())

    def commit(self) -> None:
        """Write what was put, in that order, and close the generation."""
        self.flush()
        self._release()

    def _write(self, generation: Generation) -> None:
        self._generation = generation
        for is_gone, rows in groupby(self._put.items(), lambda row: row[1] is None):
            if is_gone:
                self._delete(generation, [key for key, _ in rows])
                continue
            for batch in _batches(rows):
                generation.demand()
                self._kept.save([{"_key": key, "v": value} for key, value in batch])
        generation.demand()
        self._put.clear()
        self._size = 0

    def _delete(self, generation: Generation, keys: Sequence[str]) -> None:
        """Delete rows. Most that are to be gone never were: to look for 500 costs as much as to delete a few."""
        for start in range(0, len(keys), ASKED):
            there = [str(document["_key"]) for document in self._kept.find(keys[start : start + ASKED])]
            for first in range(0, len(there), GONE):
                generation.demand()
                self._kept.delete_where({"$or": [{"_key": key} for key in there[first : first + GONE]]})

    def pages_of_keys(self, first: str, end: str) -> Iterator[list[str]]:
        """The documents' keys with `first <= key < end`, in order; what was put is written before."""
        self.flush()
        after = "$gte"
        while True:
            query = {"$and": [{"_key": {after: first}}, {"_key": {"$lt": end}}]}
            keys = [str(document["_key"]) for document in self._kept.page(query, KEYS, "_key", "_key")]
            if not keys:
                return
            yield keys
            first, after = keys[-1], "$gt"

    def delete_range(self, first: str, last: str) -> None:
        """Delete all documents from one key to another, both included, at once."""
        if self._claim is None:
            raise StoreError("this state was opened read-only")
        self._generation = self._generation or self._claim()
        self._generation.demand()
        self._kept.delete_where({"$and": [{"_key": {"$gte": first}}, {"_key": {"$lte": last}}]})

    def _release(self) -> None:
        if self._generation is not None:
            self._generation.close()
            self._generation = None

    def close(self) -> None:
        """Give up what was not committed, and the generation: the next run writes it again."""
        self._put.clear()
        with suppress(RestError):  # it ends by itself
            self._release()


def _batches(rows: Iterable[_Row]) -> Iterator[list[tuple[str, str]]]:
    """Documents that may be sent at once.

    Raises:
        StoreError: one alone is too large.
    """
    batch, size = list[tuple[str, str]](), 0
    for key, row in rows:
        value = b64encode(row or b"").decode("ascii")
        if len(value) > LARGEST:
            raise StoreError(f"the row {key[:200]} has {len(value):,} bytes: a document of the KV store may have 16 MB")
        if batch and (len(batch) == DOCUMENTS or size + len(value) > MEGABYTES << 20):
            yield batch
            batch, size = [], 0
        batch.append((key, value))
        size += len(value) + len(key) + 32
    if batch:
        yield batch


def _row(document: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(document["v"], validate=True)
    except (KeyError, TypeError, ValueError, BadBase64) as error:
        raise StoreError(
            f"the row {document.get('_key')!r} of the KV store was altered ({error}); delete the "
            f"collections {STATE} and {GENERATIONS}, and look back again"
        ) from error
