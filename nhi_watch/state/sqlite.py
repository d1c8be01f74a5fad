"""State in one SQLite file, for one run at a time; killed at any moment, it is as it was last committed.

Each row has a checksum of its own, and the file is looked through when it is opened: a byte that a disk has altered is
reported, and decides nothing. It is no seal against those who alter the file on purpose.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Optional, Union

from nhi_watch.core.errors import StoreError
from nhi_watch.state.store import TABLES, known

SCHEMA = 4
"""`PRAGMA user_version`; 0 is a new file, and any other was made by another version of the program."""
BUSY_SECONDS = 5.0
_CHUNK = 500  # variables in one statement: SQLite's own limit was 999 for long
_PAGE = 1_000
_WORTH = 256
"""Bytes from which values are compressed. Measured on 100,000 JSON values of 835 bytes: the file shrinks
from 127 to 37 MB and writing takes 0.8 of the time; values of 126 bytes gain a quarter, at twice the time."""
_REMEDIES = {
    "locked": "the state is in use by another run; wait for it, or give this run its own --state file",
    "not a database": "this is not a state file; name another one with --state",
    "malformed": "the state file is damaged; restore a copy, or move it away and learn again",
    "unable to open": "the state file cannot be opened; check that its folder exists and can be written",
    "readonly": "the state file cannot be written; check its permissions and those of its folder",
    "full": "no space is left for the state file; free some space and run again",
}


class SqliteStore:
    """A Store in the file at `path`; `:memory:` keeps it in memory.

    The file stays locked until `close`: two runs that learn at once would spoil each other's counts. Who only reads
    (`read_only`) keeps nobody out, and does not look the whole file through: each row that is read is checked.

    Raises:
        StoreError: the file is in use, damaged, of a newer version, or cannot be opened; also from
            every method, when the disk fails or is full.
    """

    def __init__(self, path: Union[str, Path], busy_seconds: float = BUSY_SECONDS, read_only: bool = False) -> None:
        self._path = str(path)
        self._read_only = read_only
        if self._path != ":memory:" and not read_only:
            _make_private(self._path)
        with self._telling():
            self._db = sqlite3.connect(self._path, timeout=busy_seconds, isolation_level=None)
        try:
            with self._telling():
                self._open()
        except BaseException:
            self._db.close()
            raise

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""
        rows: dict[str, bytes] = {}
        with self._telling():
            for start in range(0, len(keys), _CHUNK):
                some = keys[start : start + _CHUNK]
                placeholders = ",".join("?" * len(some))
                query = f"SELECT key, value FROM {_name(table)} WHERE key IN ({placeholders})"  # noqa: S608 - our name
                rows.update((key, self._unpack(key, value)) for key, value in self._db.execute(query, some))
        return rows

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows with `low <= key < high` by code point; rows may be put meanwhile."""
        query = (
            f"SELECT key, value FROM {_name(table)} "  # noqa: S608 - our own name
            "WHERE key {} ? AND key < ? ORDER BY key LIMIT ?"
        )
        first = ">="
        while True:
            with self._telling():
                rows = self._db.execute(query.format(first), (low, high, _PAGE))
                page = [(key, self._unpack(key, value)) for key, value in rows]
            yield from page
            if len(page) < _PAGE:
                return
            first, low = ">", page[-1][0]

    def find(self, table: str, keys: tuple[str, str], part: str, in_values: bool = True) -> list[tuple[str, bytes]]:
        """Rows with `keys[0] <= key < keys[1]` whose key, or value, may hold a text of ASCII, whatever its case.

        What is compressed may always hold it: the caller has to look again.
        """
        texts = [part, json.dumps(part)[1:-1]] if in_values else [part]
        like = ["%" + re.sub("([%_^])", r"^\1", text) + "%" for text in texts]
        condition = (
            "key LIKE ? ESCAPE '^'"
            if not in_values
            else "(key LIKE ? ESCAPE '^' OR CAST(substr(value, 7) AS TEXT) LIKE ? ESCAPE '^' "
            "OR substr(value, 1, 1) <> X'01' OR substr(value, 6, 1) = X'78')"
        )
        query = f"SELECT key, value FROM {_name(table)} WHERE key >= ? AND key < ? AND {condition}"  # noqa: S608 - our name
        with self._telling():
            rows = self._db.execute(query, (*keys, *like)).fetchall()
            return [(key, self._unpack(key, value)) for key, value in rows]

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace rows; None deletes. Of two rows with the same key the later one counts."""
        latest = dict(rows)
        kept = [(key, _pack(key, value)) for key, value in latest.items() if value is not None]
        gone = [(key,) for key, value in latest.items() if value is None]
        with self._telling():
            self._begin()
            self._db.executemany(f"REPLACE INTO {_name(table)} VALUES (?, ?)", kept)  # noqa: S608
            self._db.executemany(f"DELETE FROM {_name(table)} WHERE key = ?", gone)  # noqa: S608 - our name

    def commit(self) -> None:
        """Make all that was put durable: it is on the disk when this returns."""
        if self._db.in_transaction:
            with self._telling():
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Give up what was not committed, and the lock."""
        self._db.close()

    def _open(self) -> None:
        # Exclusive: the lock outlives each transaction, so that no other run slips in between.
        if not self._read_only:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StoreError(
                f"{self._path}: the state has version {version}, this program reads up to {SCHEMA}; "
                "update the program, or name another file with --state"
            )
        if 0 < version < SCHEMA:
            raise StoreError(
                f"{self._path}: the state has version {version}, this program writes {SCHEMA}; "
                "name a new file with --state and learn the logs again"
            )
        there = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        if any(name not in TABLES for (name,) in there):
            raise StoreError(f"{self._path}: this is another program's database; name another file with --state")
        if self._read_only:
            self._db.execute("PRAGMA query_only = ON")
            return
        (check,) = self._db.execute("PRAGMA quick_check(1)").fetchone()  # 0.4 ms a megabyte
        if check != "ok":
            raise StoreError(f"{self._path}: {_REMEDIES['malformed']} ({check})")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._begin()
        for table in TABLES:
            columns = "key TEXT PRIMARY KEY COLLATE BINARY, value BLOB NOT NULL"
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {_name(table)} ({columns}) WITHOUT ROWID")
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        self._db.execute("COMMIT")

    def _unpack(self, key: str, stored: bytes) -> bytes:
        inside = stored[5:]
        if stored[1:5] != _sum(key, inside):
            raise StoreError(f"{self._path}: the row {key!r} was altered; {_REMEDIES['malformed']}")
        return zlib.decompress(inside) if inside[:1] == b"x" else inside[1:]

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, with what to do."""
        try:
            yield
        except zlib.error as error:
            raise StoreError(f"{self._path}: {_REMEDIES['malformed']} ({error})") from error
        except sqlite3.Error as error:
            text = str(error)
            remedies = (remedy for key, remedy in _REMEDIES.items() if key in text)
            remedy = next(remedies, "the state cannot be used; check the disk")
            raise StoreError(f"{self._path}: {remedy} ({text})") from error


def _make_private(path: str) -> None:
    """Make the file where there is none: what was learnt is for its owner alone, and so are its journals.

    It is never without content, not even when a run is killed here: an empty one was damaged.

    Raises:
        StoreError: it is empty.
    """
    place = Path(path)
    try:
        if place.exists():
            if place.is_file() and not place.stat().st_size and not Path(f"{path}-wal").exists():
                raise StoreError(
                    f"{path}: the state file is empty, as a full disk leaves one; restore a copy, or "
                    "move it away and learn again"
                )
            return
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        os.close(handle)
        try:
            with closing(sqlite3.connect(name)) as fresh:
                fresh.execute("PRAGMA journal_mode = WAL")  # writes the first page
            _put_in_place(name, place)
        finally:
            Path(name).unlink(missing_ok=True)
    except (OSError, sqlite3.Error):
        return  # SQLite says what is wrong


def _put_in_place(name: str, place: Path) -> None:
    """Another run may have put its own there meanwhile, which stays."""
    try:
        os.link(name, place)
    except FileExistsError:
        return
    except OSError:  # of disks that know no links
        Path(name).replace(place)


def _pack(key: str, value: bytes) -> bytes:
    """A byte 1, a checksum, and what it is of: a zlib stream, which starts with x, or a zero byte and the value."""
    inside = b"\0" + value
    if len(value) >= _WORTH and value[:1] != b"x":  # x: a zlib stream already
        packed = zlib.compress(value, 1)
        inside = packed if len(packed) < len(value) else inside
    return b"\1" + _sum(key, inside) + inside


def _sum(key: str, inside: bytes) -> bytes:
    return zlib.crc32(inside, zlib.crc32(key.encode("utf-8", "surrogatepass"))).to_bytes(4, "big")


def _name(table: str) -> str:
    """The table's name in SQL: only those of the contract exist."""
    return f'"{known(table)}"'
