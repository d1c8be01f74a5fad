"""Rows that were read or written under a lease: nobody else writes them meanwhile, so they need not be read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional

from nhi_watch.state.store import TABLES

LIMIT = 256_000_000
"""Bytes of rows; beyond them everything is forgotten, and read again where it is needed."""

Row = tuple[str, Optional[bytes]]


class Remembered:
    """What is known of a store.

    >>> known = Remembered()
    >>> known.take("day", [("a", b"1"), ("b", None)])
    True
    >>> known.mark_complete("day", "a", "c")
    >>> known.knows("day", "aa"), known.knows("meta", "aa"), list(known.rows("day", "a", "z"))
    (True, False, [('a', b'1')])
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know nothing."""
        self._rows: dict[str, dict[str, Optional[bytes]]] = {table: {} for table in TABLES}
        self._spans: dict[str, set[tuple[str, str]]] = {table: set() for table in TABLES}
        self._bytes = 0

    def take(self, table: str, rows: Iterable[Row]) -> bool:
        """Learn what rows are, None: that there is none; False where it became too much, and all was forgotten."""
        known = self._rows[table]
        for key, value in rows:
            self._bytes += len(value or b"") - len(known.get(key) or b"")
            known[key] = value
        if self._bytes <= LIMIT:
            return True
        self.forget()
        return False

    def mark_complete(self, table: str, low: str, high: str) -> None:
        """Learn that all rows of a span were taken."""
        self._spans[table].add((low, high))

    def knows(self, table: str, key: str) -> bool:
        """Whether it is known if the row exists."""
        return key in self._rows[table] or any(low <= key < high for low, high in self._spans[table])

    def knows_span(self, table: str, low: str, high: str) -> bool:
        """Whether all rows of a span are known."""
        return any(begin <= low and high <= end for begin, end in self._spans[table])

    def get(self, table: str, key: str) -> Optional[bytes]:
        """A row that is known."""
        return self._rows[table].get(key)

    def rows(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """The rows of a span that is known, in the order of their keys."""
        known = self._rows[table]
        for key in sorted(key for key in known if low <= key < high):
            value = known[key]
            if value is not None:
                yield key, value
