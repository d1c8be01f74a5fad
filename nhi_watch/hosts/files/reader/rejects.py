"""rejects.jsonl: what was read but is no event, with the reason and the original bytes, secrets masked.

Of each file and reason the first `MAX_ORIGINALS` are kept while there is room, the rest is counted; a line at the end
says how many, so that nobody fills the disk by what cannot be read. Only its owner can read the file.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Optional

import orjson

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.hosts.files.reader.batch import RAW_LIMIT, Bad, Passed, Where, bad
from nhi_watch.report.jsonlines import temporary

_TOKENS = (
    rb"gh[pousr]_|github_pat_|glpat-|gl[a-z]{2,6}t-|xox[abeoprs]-|xapp-|sk-|rk_live_|sk_live_|hv[sbr]\.|AIza|ya29\.|npm_|"
    rb"pypi-|dop_v1_|dckr_pat_|SG\.|shpat_|ATATT|lin_api_|nvapi-|hf_|eyJ|FwoG|IQoJ"
)
_TOKEN = rb"(?<![\w-])(?P<mark>" + _TOKENS + rb")(?P<token>[\w+/=.~-]{16,})"
_BEARER = rb"(?P<scheme>\b(?i:bearer|basic|ssws|splunk|apikey)\s{1,4})(?P<bearer>[\w+/=.~-]{8,})"
_PEM = rb"(?P<begin>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?P<pem>.*?)(?=-----END|\Z)"
_URL = rb"(?P<user>://[^\s:/@\"]{1,100}:)(?P<word>[^\s/@\"]{1,200})(?=@)"
_SPELLED = (
    rb"(?P<name>(?i:passw(?:or)?d|passphrase|pwd|secret|secret_?access_?key|token|api_?key|private_?key|client_?secret|"
    rb"authorization|cookie|credentials?|signature|sig)\\{0,3}[\"']?\s{0,4}[:=]\s{0,4})"
    rb"(?:(?P<quote>\\{0,3}[\"'])(?P<quoted>(?:\\.|.)*?)(?=(?P=quote)|\Z)|(?P<kind>(?i:bearer|basic|ssws|splunk|apikey)\s{1,4})?(?P<bare>[^\s\"',;&{}\[\]\\]{4,}))"
)
_AWS = (
    rb"(?<![\w/+=])(?P<aws>(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}\d)"
    rb"[A-Za-z0-9/+]{40})(?![\w/+=])"
)
_SECRET = re.compile(b"|".join((_PEM, _SPELLED, _BEARER, _TOKEN, _URL, _AWS)), re.DOTALL)
_VALUES = ("pem", "quoted", "bare", "bearer", "token", "word", "aws")
_CHARACTER = re.compile(rb"\\.|[A-Z]|[a-z]|\d", re.DOTALL)


def redact(raw: bytes) -> bytes:
    """The bytes with every secret masked that is recognizable by its form or its name.

    >>> redact(b'{"user":"ann","password":"Hunter2!","note":"ghp_0123456789abcdefABCD"}')
    b'{"user":"ann","password":"Xxxxxx0!","note":"ghp_0000000000xxxxxxXXXX"}'
    """
    return _SECRET.sub(_masked, raw)


def _masked(match: re.Match[bytes]) -> bytes:
    name = next(name for name in _VALUES if match[name] is not None)
    before, after = match[0][: match.start(name) - match.start()], match[0][match.end(name) - match.start() :]
    return before + _CHARACTER.sub(_shape, match[name]) + after


def _shape(match: re.Match[bytes]) -> bytes:
    char = match[0]
    if char[:1] == b"\\":
        return char
    return b"0" if char.isdigit() else b"X" if char.isupper() else b"x"


MAX_ORIGINALS = 100
"""Rejects of one file and reason that are kept whole."""
MOST = 10_000
"""Rejects of one reason that are kept whole, whatever the number of files."""
ROOM = 64 * 1024 * 1024
"""Bytes of rejects that are kept in all: a few hundred kilobytes of gzip hold MOST of the longest."""
NAMED = 100
"""Files that were not read that are named in run.json; of those passed over what may hold records comes first."""
_SHORT = {"binary_file": 64, "unread_format": 256}
"""Bytes that are kept of a file that nobody has looked into: its kind shows in the first ones."""


class Rejects:
    """Writes one line for each reject; the file appears, even if empty, when the block ends without error.

    Raises:
        InputError: when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path
        self._file: BinaryIO | None = None
        self.counts: Counter[str] = Counter()
        """Rejects by reason."""
        self.passed: list[Passed] = []
        """Files that were not read."""
        self._met: Counter[tuple[str, str]] = Counter()
        self._kept: Counter[str] = Counter()
        self._room = ROOM

    def __enter__(self) -> Rejects:
        try:
            handle, name = temporary(self._path)
        except OSError as error:
            raise InputError(self._full(error)) from error
        self._temporary, self._file = Path(name), os.fdopen(handle, "wb")
        return self

    def __exit__(self, kind: Optional[type[BaseException]], *_: object) -> None:
        assert self._file is not None
        try:
            if kind is None:
                self._tell_left_out()
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
        self._add(piece.file, piece.reason, lambda: piece)

    def refuse(self, where: Where, error: RejectError, raw: Callable[[], bytes]) -> None:
        """Write a record that a source refused; `raw` gives its bytes, and is called where they are kept."""
        self._add(where.file, error.reason, lambda: bad(where, error.reason, raw(), error.detail))

    def pass_over(self, files: Sequence[Passed]) -> None:
        """Take note of files that were not read."""
        self.passed.extend(files)

    def to_json(self) -> dict[str, Any]:
        """What run.json says of this: the rejects that were only counted, and the files passed over."""
        ordered = sorted(self.passed, key=lambda passed: not passed.may_matter)
        left = {reason: count - self._kept[reason] for reason, count in sorted(self.counts.items())}
        return {
            "rejects_only_counted": {reason: count for reason, count in left.items() if count},
            "passed_over": {
                "files": len(self.passed),
                "may_matter": sum(passed.may_matter for passed in self.passed),
                "named": [{"file": _text(passed.file), "why": _text(passed.why)} for passed in ordered[:NAMED]],
            },
        }

    def _add(self, file: str, reason: str, make: Callable[[], Bad]) -> None:
        self.counts[reason] += 1
        self._met[file, reason] += 1
        if self._met[file, reason] <= MAX_ORIGINALS and self._kept[reason] < MOST:
            self._keep(reason, make())

    def _keep(self, reason: str, piece: Bad) -> None:
        if len(piece.raw) <= self._room:
            self._room -= len(piece.raw)
            self._kept[reason] += 1
            self._write(line_of(piece))

    def _write(self, line: dict[str, Any]) -> None:
        assert self._file is not None, "rejects are written inside the with block"
        try:
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise InputError(self._full(error)) from error

    def _tell_left_out(self) -> None:
        left = [(key, count - MAX_ORIGINALS) for key, count in self._met.items() if count > MAX_ORIGINALS]
        for (file, reason), count in left[:MOST]:
            detail = f"{count:,} more rejects of this file for this reason were counted but not kept"
            self._write({**line_of(Bad(file, 0, reason, b"", 0, detail)), "more": count})

    def _full(self, error: OSError) -> str:
        return f"{self._path}: cannot write rejects ({error.strerror}); check --out"


def line_of(piece: Bad) -> dict[str, Any]:
    """The line's object: `raw` as text where it is UTF-8, else `raw_base64`; `length` is the whole piece's.

    >>> line_of(Bad("a.json", 3, "not_json", b"x", 1, "unexpected character"))["raw"]
    'x'
    """
    kept = redact(piece.raw[: _SHORT.get(piece.reason, RAW_LIMIT)])
    cut = len(kept) < piece.length
    return {
        "file": _text(piece.file),
        "line": piece.line,
        "reason": _text(piece.reason),
        "detail": _text(redact(_text(piece.detail).encode()).decode()),
        **_raw(kept, cut),
        "length": piece.length,
        **({"truncated": True} if cut else {}),
    }


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
