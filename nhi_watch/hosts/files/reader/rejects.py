"""rejects.jsonl: what was read but is no event, with the reason and the original bytes."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Optional

import orjson

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.hosts.files.reader.batch import RAW_LIMIT, Bad, Where, bad


class Rejects:
    """Writes one line for each reject; the file appears, even if empty, when the block ends without error.

    Raises:
        InputError: when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.part")
        self._file: BinaryIO | None = None
        self.counts: Counter[str] = Counter()
        """Rejects by reason."""

    def __enter__(self) -> Rejects:
        try:
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise InputError(self._full(error)) from error
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        assert self._file is not None
        try:
            self._file.close()
            if kind is None:
                self._temporary.replace(self._path)
        except OSError as failed:
            raise InputError(self._full(failed)) from failed
        finally:
            self._temporary.unlink(missing_ok=True)

    @property
    def total(self) -> int:
        """All rejects so far."""
        return sum(self.counts.values())

    def add(self, piece: Bad) -> None:
        """Write a piece of input that is no record."""
        assert self._file is not None, "rejects are written inside the with block"
        self.counts[piece.reason] += 1
        try:
            self._file.write(orjson.dumps(line_of(piece), option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise InputError(self._full(error)) from error

    def _full(self, error: OSError) -> str:
        return f"{self._path}: cannot write rejects ({error.strerror}); check --out"

    def refuse(self, where: Where, error: RejectError, raw: bytes) -> None:
        """Write a record that a source refused."""
        self.add(bad(where, error.reason, raw, error.detail))


def line_of(piece: Bad) -> dict[str, Any]:
    """The line's object: `raw` as text where it is UTF-8, else `raw_base64`; `length` is the whole piece's.

    >>> line_of(Bad("a.json", 3, "not_json", b"x", 1, "unexpected character"))["raw"]
    'x'
    """
    kept = piece.raw[:RAW_LIMIT]
    line = {
        "file": _text(piece.file),
        "line": piece.line,
        "reason": _text(piece.reason),
        "detail": _text(piece.detail),
        **_raw(kept, cut=len(kept) < piece.length),
        "length": piece.length,
    }
    if len(kept) < piece.length:
        line["truncated"] = True
    return line


def _raw(kept: bytes, cut: bool) -> dict[str, str]:
    try:
        return {"raw": kept.decode()}
    except UnicodeDecodeError as error:
        if cut and error.reason == "unexpected end of data" and len(kept) - error.start < 4:
            return {"raw": kept[: error.start].decode()}
    return {"raw_base64": b64encode(kept).decode("ascii")}


def _text(text: str) -> str:
    """Without lone surrogates, which JSON in UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
