"""The bytes of one file in bounded chunks, unpacked when they are gzip, up to the damage if there is any."""

from __future__ import annotations

import os
import stat
import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Optional

CHUNK = 48 * 1024
"""Bytes read, and at most unpacked, at once. Measured: the parsed records of 48 KiB stay in a core's
cache; with 256 KiB reading takes a third longer."""
_PACKED = 16 * 1024
_MAGIC = b"\x1f\x8b"
_CUT = "the file ends in the middle of its gzip stream; copy it again"


class Bounds(NamedTuple):
    """What one file may cost: a part that any file may, and one that grows with what it takes on the disk.

    A few kilobytes may unpack to gigabytes, or hold millions of records, and all other files would go unread.
    """

    scale: float = 1.0

    def bytes(self, consumed: int) -> float:
        """Bytes that so many on the disk may be unpacked to."""
        return self.scale * (256 * 1024 * 1024 + 200 * consumed)

    def records(self, consumed: int) -> float:
        """Records, and pieces that are none."""
        return self.scale * (200_000 + consumed / 4)

    def seconds(self, consumed: int) -> float:
        """Seconds of this process's own time: those of a busy machine do not count."""
        return self.scale * (120 + consumed / 50_000)


USUAL = Bounds()


class FileVersion(NamedTuple):
    """A file as it was when it was opened: its writer may change it before it is read again."""

    status: tuple[int, ...]
    """Size, and when its bytes and all else of it were changed last; nothing of a stream."""
    fingerprint: array[int]
    """A hash of each chunk as it lies on disk, keyed by this process; none where the status must do."""

    def fits(self, file: BinaryIO) -> bool:
        """Whether a file still has this status; older states kept less of it."""
        return all(number == other for number, other in zip(status_of(file), self.status))


def status_of(file: BinaryIO) -> tuple[int, ...]:
    """What `FileVersion` keeps of a file's status."""
    status = os.fstat(file.fileno())
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns) if stat.S_ISREG(status.st_mode) else ()


class Chunks:
    """Iterates over the unpacked bytes; never raises, but says afterwards what stopped it.

    A file is read up to the size that it had when it was opened: one that grows without end would never be read.
    """

    def __init__(self, file: BinaryIO, again: Optional[FileVersion] = None, bounds: Bounds = USUAL) -> None:
        """`again`: read what was read before; what has changed since ends it."""
        self._bounds = bounds
        self.beyond = ""
        """What the file has more of than it may; it was read until there."""
        self._file = file
        self._again = again.fingerprint if again and again.fingerprint else None
        self.seen = FileVersion(again.status if again else status_of(file), array("q"))
        self.consumed = 0
        """Bytes of the file on disk read so far."""
        self.damage: tuple[str, str] | None = None
        """Reason and detail when the file could not be read to its end."""

    def __iter__(self) -> Iterator[bytes]:
        first = self._read(_PACKED)
        if first.startswith(_MAGIC):
            yield from _gathered(self._unpack(first))
            return
        while first:
            yield first
            first = self._read(CHUNK)

    def _read(self, size: int) -> bytes:
        if self.seen.status:
            size = min(size, self.seen.status[0] - self.consumed)
        try:
            data = self._file.read(size)
        except OSError as error:
            self.damage = ("unreadable_file", f"reading stopped: {error.strerror}")
            return b""
        number, mark = len(self.seen.fingerprint), hash(data)
        if data and self._again is not None and self._again[number : number + 1] != array("q", [mark]):
            self.damage = ("changed", "the file has changed since it was read")
            return b""
        self.seen.fingerprint.append(mark)
        self.consumed += len(data)
        return data

    def grew(self) -> bool:
        """Whether there is more by now, which the next run reads."""
        return bool(self.seen.status) and status_of(self._file)[0] > self.seen.status[0]

    def _unpack(self, packed: bytes) -> Iterator[bytes]:
        inflate, unpacked = zlib.decompressobj(31), 0
        while packed:
            # zlib throws away what it unpacked when a call fails: the copy gets that back.
            before = inflate.copy()
            try:
                data = inflate.decompress(packed, CHUNK)
            except zlib.error as error:
                yield self._salvage(before, packed)
                self.damage = ("corrupt_gzip", f"{error}; copy the file again")
                return
            unpacked += len(data)
            if unpacked > self._bounds.bytes(self.consumed):
                self.beyond = f"{unpacked:,} bytes out of {self.consumed:,}"
                return
            if data:
                yield data
            packed = inflate.unconsumed_tail
            if inflate.eof:
                packed = self._next_member(inflate.unused_data)
                inflate = zlib.decompressobj(31)
                if not packed:
                    return
            packed = packed or self._read(_PACKED)
        if self.damage is None:
            self.damage = ("truncated_gzip", _CUT)

    def _next_member(self, rest: bytes) -> bytes:
        """What follows a gzip member, without the zeros that tapes and block devices pad with."""
        rest = rest.lstrip(b"\0")
        while not rest:
            rest = self._read(_PACKED)
            if not rest:
                return b""
            rest = rest.lstrip(b"\0")
        return rest

    @staticmethod
    def _salvage(inflate: zlib._Decompress, packed: bytes) -> bytes:
        good = bytearray()
        with suppress(zlib.error):
            for at in range(len(packed)):
                good += inflate.decompress(packed[at : at + 1])
        return bytes(good)


def _gathered(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Small parts joined: a gzip member may hold one byte, and each part costs its reader something."""
    kept, size = list[bytes](), 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size >= CHUNK // 2:
            yield b"".join(kept)
            kept, size = [], 0
    if kept:
        yield b"".join(kept)
