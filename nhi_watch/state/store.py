"""What a store of state must offer: a few ordered tables of bytes, written row by row.

A host supplies one (`SqliteStore`, an index of Elasticsearch, a collection of Splunk's KV store), reads, and writes
what comes of it; the engine does all else:

    session = Session(store, sources, context, clock)
    session.feed(records)
    result = session.finish()
    store.commit()

Rows are small: one identity-day, profile, notable, setting; one is read where something came of it, and scans go by a
prefix (`low` is the prefix, `high` the same with its last character one up). Rows replace themselves and are put in an
order in which a run that is cut off between any two is simply run again; so a store needs no transactions.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, Optional, Protocol

from nhi_watch.core.errors import StoreError

TABLES = ("day", "delta", "profile", "notable", "inventory", "ledger", "meta")


class Rows(Protocol):
    """Ordered key → bytes tables. Keys are texts of at most 512 bytes, ordered by code point."""

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows with `low <= key < high`, in the order of their keys."""

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace rows; None deletes. Visible to `get` and `scan` of this store at once."""


class Store(Rows, Protocol):
    """Rows that are kept."""

    def commit(self) -> None:
        """Make all that was put durable, in the order in which it was put."""

    def close(self) -> None:
        """Give up what was not committed, and free the resources."""


class _WriterChoice:
    """What `write_with` was given; the standard library, inside Splunk."""

    loads: Callable[[bytes], Any] = staticmethod(json.loads)
    dumps: Callable[[Any], bytes] = staticmethod(lambda plain: pack_plain(plain))


def write_with(loads: Callable[[bytes], Any], dumps: Callable[[Any], bytes]) -> None:
    """Use a quicker reader and writer of JSON, which may refuse what the standard library takes, as orjson does."""
    _WriterChoice.loads, _WriterChoice.dumps = staticmethod(loads), staticmethod(dumps)


def pack(plain: object) -> bytes:
    """A row's bytes."""
    return zlib.compress(dumps(plain), 1)


def pack_plain(plain: object) -> bytes:
    """The bytes of a small row in which a store is to look for texts: not compressed."""
    return json.dumps(plain, separators=(",", ":")).encode()


def dumps(plain: object) -> bytes:
    """A row's JSON; half a surrogate pair, which a command line may hold, is no reason to refuse it."""
    try:
        return _WriterChoice.dumps(plain)
    except TypeError:
        return pack_plain(plain)


def unpack(raw: bytes) -> Any:
    """What a row's bytes hold.

    Raises:
        StoreError: they are damaged.
    """
    with reading():
        return loads(zlib.decompress(raw) if raw[:1] == b"x" else raw)


@lru_cache(maxsize=512)
def unpack_shared(raw: bytes) -> Any:
    """The same, decoded once where a process asks for a row again: nobody may change what it returns.

    Raises:
        StoreError: they are damaged.
    """
    return unpack(raw)


def loads(text: bytes) -> Any:
    """The value of a row's JSON, as `dumps` wrote it."""
    try:
        return _WriterChoice.loads(text)
    except ValueError:
        return json.loads(text)


@contextmanager
def reading() -> Iterator[None]:
    """Tell what a row holds that it should not.

    Raises:
        StoreError: reading it failed.
    """
    try:
        yield
    except (zlib.error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"[:200]
        raise StoreError(f"a row of the state is damaged ({why}); restore a copy, or use a new --out") from error


def span(day: int) -> tuple[str, str]:
    """The keys of a day, from and up to."""
    return f"{day:06d}/", f"{day:06d}0"


def known(table: str) -> str:
    """The table's name, if it is one.

    Raises:
        StoreError: there is no such table.
    """
    if table not in TABLES:
        raise StoreError(f"no such table: {table}")
    return table


def overlaid(
    waiting: Mapping[str, Optional[bytes]], stored: Iterable[tuple[str, Optional[bytes]]], low: str, high: str
) -> Iterator[tuple[str, bytes]]:
    """Rows of a span in order: those that are stored, under those that wait to be written; None: deleted.

    >>> list(overlaid({"b": None, "c": b"new", "x": b""}, [("a", b"1"), ("b", b"2"), ("c", b"3")], "a", "d"))
    [('a', b'1'), ('c', b'new')]
    """
    mine = [(key, waiting[key]) for key in sorted(key for key in waiting if low <= key < high)]
    both: Iterator[tuple[str, Optional[bytes]]] = merge(mine, stored, key=itemgetter(0))  # of two alike mine is first
    for key, rows in groupby(both, itemgetter(0)):
        row = next(rows)[1]
        if row is not None:
            yield key, row


class MemoryStore:
    """A Store of dictionaries; `commit` has nothing to do.

    >>> store = MemoryStore()
    >>> store.put("meta", [("b", b"2"), ("a", b"1"), ("c", b"3"), ("c", None)])
    >>> list(store.scan("meta", "a", "c"))
    [('a', b'1'), ('b', b'2')]
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {table: {} for table in TABLES}
        self._order: dict[str, list[str]] = {}
        """Sorted keys of the tables to which no key was added, and from which none was taken, since."""

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        rows = self._tables[table]
        return {key: rows[key] for key in keys if key in rows}

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        rows = self._tables[table]
        order = self._order.get(table)
        if order is None:
            order = self._order[table] = sorted(rows)
        for key in order[bisect_left(order, low) : bisect_left(order, high)]:
            if key in rows:
                yield key, rows[key]

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        known = self._tables[table]
        before, new = len(known), False
        for key, value in rows:
            if value is None:
                known.pop(key, None)
            else:
                new = new or key not in known
                known[key] = value
        if new or len(known) != before:
            self._order.pop(table, None)

    def commit(self) -> None:
        """Nothing to do: memory is as durable as it gets."""

    def close(self) -> None:
        """Forget everything."""
        self._tables = {table: {} for table in TABLES}
        self._order = {}
