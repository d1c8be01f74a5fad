"""Packed parts of many identities, by day, in buckets: memory holds a few megabytes, a file without a name the rest.

All parts of one identity are in one bucket, so a day is judged bucket by bucket, however large it is.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Optional

BUCKETS = 2048
HELD = 1 << 24
"""Characters that are held in memory."""
Place = tuple[int, int]
"""Day and bucket."""


class Spool:
    """Takes texts in, and gives those of a day back, bucket by bucket."""

    def __init__(self, held: int = HELD) -> None:
        self._limit = held
        self._held = 0
        self._waiting: dict[Place, list[str]] = {}
        self._written: dict[Place, list[tuple[int, int]]] = {}
        self._file: Optional[IO[bytes]] = None

    def add(self, day: int, key: str, text: str) -> None:
        """Keep the text of a part; `key` is the same for all of one identity, and the text holds no line feed."""
        place = (day, zlib.crc32(key.encode("utf-8", "surrogatepass")) % BUCKETS)
        self._waiting.setdefault(place, []).append(text)
        self._held += len(text)
        if self._held > self._limit:
            self._flush()

    def _flush(self) -> None:
        file = self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        at = file.seek(0, 2)
        for place, texts in self._waiting.items():
            size = file.write("\n".join(texts).encode("ascii"))
            self._written.setdefault(place, []).append((at, size))
            at += size
        self._waiting, self._held = {}, 0

    def days(self) -> set[int]:
        """Days of which something is kept."""
        return {day for day, _ in (*self._waiting, *self._written)}

    def of(self, day: int) -> Iterator[list[str]]:
        """The texts of a day, bucket by bucket; they stay."""
        for bucket in sorted({bucket for d, bucket in (*self._waiting, *self._written) if d == day}):
            found: list[str] = []
            for at, size in self._written.get((day, bucket), ()):
                assert self._file is not None
                self._file.seek(at)
                found += self._file.read(size).decode("ascii").split("\n")
            yield found + self._waiting.get((day, bucket), [])
