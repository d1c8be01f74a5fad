"""What a store of state must offer: a few ordered tables of bytes, written row by row.

A host supplies one (`SqliteStore`, an index of Elasticsearch, a collection of Splunk's KV store), reads, and writes
what comes of it; the engine does all else:

    state = State(store)
    intake = Intake(sources, context, state.load, now, received, state.known, state.newcomers)
    judge = Judge(state, model, context, budget)
    intake.feed(records)             # as often as wanted; judge.relieve(intake.days) keeps memory bounded
    judge.put(intake.days)           # or: only put what was read, for another run to judge
    result = judge.settle(intake.days)   # closes the days that are due, judges those with news, puts what changed
    store.commit()

Rows are small: one identity-day, profile, notable, setting; one is read where something came of it, and scans go by a
prefix (`low` is the prefix, `high` the same with its last character one up). Rows replace themselves and are put in an
order in which a run that is cut off between any two is simply run again; so a store needs no transactions.
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
