"""State that lives as long as the process: for runs without --state, and for tests."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from nhi_watch.state.store import TABLES


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
