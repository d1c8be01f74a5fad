"""The state as rows of bytes: what every host keeps in its own way, and how a row is packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from nhi_watch.core.errors import StoreError


class Rows(Protocol):
    """The part of a Store that state needs."""

    def get(self, table: str, keys: list[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""

    def scan(self, table: str, low: str, high: str) -> Iterable[tuple[str, bytes]]:
        """Rows in key order."""

    def put(self, table: str, rows: Iterable[tuple[str, bytes | None]]) -> None:
        """Replace or delete rows."""


def pack(plain: object) -> bytes:
    """A row's bytes."""
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)


def pack_plain(plain: object) -> bytes:
    """The bytes of a small row in which a store is to look for texts: not compressed."""
    return json.dumps(plain, separators=(",", ":")).encode()


def unpack(raw: bytes) -> Any:
    """What a row's bytes hold.

    Raises:
        StoreError: they are damaged.
    """
    with reading():
        return json.loads(zlib.decompress(raw) if raw[:1] == b"x" else raw)


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
        raise StoreError(f"a row of the state is damaged ({why}); restore the state, or learn anew") from error


def span(day: int) -> tuple[str, str]:
    """The keys of a day, from and up to."""
    return f"{day:06d}/", f"{day:06d}0"
