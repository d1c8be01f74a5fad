"""Rows by key, in memory while they are few, else in a file without a name: what a command knows of each identity.

Memory holds what was put last and a few megabytes of pages, however many identities there are. Where the Python has no
SQLite, all stays in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, MutableMapping
from typing import Any, Callable, Generic, Optional, TypeVar

try:
    import sqlite3
except ImportError:  # pragma: no cover - a Python that was built without it
    sqlite3 = None  # type: ignore[assignment]

HELD = 1 << 22
"""Bytes of rows that are held in memory."""
PAGE = 200
"""Rows that are read at a time."""
_WORTH = 512
"""Bytes from which rows are compressed: what is read and written costs more than that."""
_SET_UP = (
    "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -4096",
    "CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID", "BEGIN",
)  # fmt: skip


T = TypeVar("T")


class Shelf(MutableMapping[str, T], Generic[T]):
    """Rows in the order of their keys; `write` and `read` make bytes of a row and back.

    >>> shelf = Shelf(bytes, bytes, held=0)
    >>> shelf.update({"b": b"2", "a": b"1", "c": b"3"})
    >>> del shelf["b"]
    >>> list(shelf.scan("a", "c")), dict(shelf), len(shelf)
    ([('a', b'1')], {'a': b'1', 'c': b'3'}, 2)
    """

    def __init__(self, write: Callable[[T], bytes], read: Callable[[bytes], T], held: Optional[int] = None) -> None:
        self._write, self._read = write, read
        self._limit, self._held = HELD if held is None else held, 0
        self._fresh: dict[str, Optional[bytes]] = {}
        """What was put since; None: it is gone."""
        self._db: Any = None

    def __getitem__(self, key: str) -> T:
        row = self._fresh[key] if key in self._fresh else self._stored(key)
        if row is None:
            raise KeyError(key)
        return self._read(row)

    def __setitem__(self, key: str, value: T) -> None:
        row = self._write(value)
        self._held += len(row) + len(key)
        self._fresh[key] = row
        if self._held > self._limit and sqlite3 is not None:
            self._flush()

    def __delitem__(self, key: str) -> None:
        self[key]
        if self._db is None:
            del self._fresh[key]
        else:
            self._fresh[key] = None

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str) or key in self._fresh or self._db is None:
            return isinstance(key, str) and self._fresh.get(key) is not None
        return self._db.execute("SELECT 1 FROM rows WHERE key = ?", (_key(key),)).fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.scan())

    def __len__(self) -> int:
        if self._db is None:
            return len(self._fresh)
        self._flush()
        return int(self._db.execute("SELECT count(*) FROM rows").fetchone()[0])

    def scan(self, low: str = "", high: Optional[str] = None) -> Iterator[tuple[str, T]]:
        """Rows with `low <= key < high`, in order; rows may be put meanwhile."""
        if self._db is None:
            for key in sorted(key for key in self._fresh if low <= key and (high is None or key < high)):
                row = self.get(key)
                if row is not None:
                    yield key, row
            return
        after, start = ">=", _key(low)
        end = b"\xff" if high is None else _key(high)
        while True:
            self._flush()
            query = f"SELECT key, value FROM rows WHERE key {after} ? AND key < ? ORDER BY key LIMIT {PAGE}"  # noqa: S608
            page = self._db.execute(query, (start, end)).fetchall()
            yield from ((key.decode("utf-8", "surrogatepass"), self._read(_unpack(row))) for key, row in page)
            if len(page) < PAGE:
                return
            after, start = ">", page[-1][0]

    def _stored(self, key: str) -> Optional[bytes]:
        if self._db is None:
            return None
        found = self._db.execute("SELECT value FROM rows WHERE key = ?", (_key(key),)).fetchone()
        return _unpack(found[0]) if found else None

    def _flush(self) -> None:
        if self._db is None:
            self._db = sqlite3.connect("", isolation_level=None)  # "": a file that is gone when it is closed
            for told in _SET_UP:
                self._db.execute(told)
        kept = ((_key(key), _pack(row)) for key, row in self._fresh.items() if row is not None)
        self._db.executemany("REPLACE INTO rows VALUES (?, ?)", kept)
        gone = ((_key(key),) for key, row in self._fresh.items() if row is None)
        self._db.executemany("DELETE FROM rows WHERE key = ?", gone)
        self._fresh, self._held = {}, 0


def of_bytes() -> Shelf[bytes]:
    """A shelf of rows as they are."""
    return Shelf(bytes, bytes)


def of_texts() -> Shelf[str]:
    """A shelf of texts."""
    return Shelf(_key, lambda row: row.decode("utf-8", "surrogatepass"))


def _key(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _pack(row: bytes) -> bytes:
    is_worth = len(row) >= _WORTH and row[:1] != b"x"  # x: compressed already
    return b"z" + zlib.compress(row, 1) if is_worth else b"-" + row


def _unpack(row: bytes) -> bytes:
    return zlib.decompress(row[1:]) if row[:1] == b"z" else row[1:]
