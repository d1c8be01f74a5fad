"""What a store of state must offer: a few ordered tables of bytes, written row by row.

Every row is a function of the records that it holds, and replaces itself; so a store needs no
transactions over many rows: whatever was written before a crash is written again, alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional, Protocol

TABLES = ("day", "delta", "profile", "notable", "inventory", "ledger", "meta")


class Store(Protocol):
    """Ordered key → bytes tables. Keys are texts of at most 512 bytes, ordered by code point."""

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows with `low <= key < high`, in the order of their keys."""

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace rows; None deletes. Visible to `get` and `scan` of this store at once."""

    def commit(self) -> None:
        """Make all that was put durable, in the order in which it was put."""

    def close(self) -> None:
        """Give up what was not committed, and free the resources."""
