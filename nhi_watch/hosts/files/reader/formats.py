"""Formats that are known by look but not read: each with what to do, so that no file is passed over in silence."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import NamedTuple, Optional

from nhi_watch.hosts.files.reader.parquet import INSTALL, MAGIC

BINARY, UNREAD = "binary_file", "unread_format"


class Format(NamedTuple):
    """What a file is by its look."""

    reason: str
    """binary_file | unread_format"""
    detail: str
    """What it is, and what to do."""
    may_matter: bool = True
    """Logs come in this format."""


_UNPACK = "unpack it, and pass its contents"
_JSON = "convert it to JSON, one record a line"
_BEGINNINGS = (
    (b"PK\x03\x04", f"a zip archive; {_UNPACK}"),
    (MAGIC, INSTALL),
    (b"ElfFile\0", f"a Windows event log (evtx); {_JSON}, for example with evtx_dump -o jsonl"),
    (b"Obj\x01", f"Avro; {_JSON}, for example with avro-tools tojson"),
    (b"ORC", f"ORC; {_JSON}, for example with orc-contents"),
    (b"\xfd7zXZ\0", "compressed with xz; decompress it with xz -d"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it with zstd -d"),
    (b"\x04\x22\x4d\x18", "compressed with lz4; decompress it with lz4 -d"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy; decompress it with snzip -d"),
    (b"BZh", "compressed with bzip2; decompress it with bzip2 -d"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive; {_UNPACK}"),
    (b"Rar!\x1a", f"a rar archive; {_UNPACK}"),
    (b"SQLite format 3\0", f"an SQLite database; {_JSON}"),
    (b"\xd0\xcf\x11\xe0", f"an old Office file, or a Windows installer; {_JSON}"),
)
_OTHERS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"\x7fELF", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a")
"""Pictures, PDF, programs, captured packets."""
_UTF16 = "text in UTF-16; convert it with iconv -f UTF-16 -t UTF-8"
_OTHER = "neither text nor gzip; decompress it, or convert it to UTF-8"
_TABLES = {".csv": "CSV", ".tsv": "a table (tsv)", ".psv": "a table (psv)"}
_COLUMNS = re.compile(rb'"?[A-Za-z_][\w .:{}-]{0,80}"?(?:[,;\t]"?[A-Za-z_][\w .:{}-]{0,80}"?){3,}\r?(?:\n|$)')
_RECORD = re.compile(rb'(?:\A|\n)[ \t\r\f\v\0]*(?:\xef\xbb\xbf)?(?:[{\[]\s*["{\[}\]]|(?:node=|type=)[\x21-\x7e])')
"""A line that starts as a record does, in text of one byte a character. Its blanks end with it: blank lines by the
million would be gone through again from each of them."""
_EARLY = 4096


def look(name: str, head: bytes) -> Optional[Format]:
    """What a file is that is not read; None: it may be a log.

    >>> look("logs.zip", b"PK\\x03\\x04...").detail
    'a zip archive; unpack it, and pass its contents'
    >>> look("a.json", b'{"a":1}\\n') is None
    True
    """
    beginning = _beginning(head)
    if beginning:
        return Format(BINARY, beginning)
    if head.startswith(_OTHERS) or (b"\0" in head[:_EARLY].lstrip(b"\0") and not _RECORD.search(head)):
        return Format(BINARY, _OTHER, may_matter=False)
    return _text(name, head)


def _beginning(head: bytes) -> str:
    for begin, prefix in _BEGINNINGS:
        if head.startswith(begin):
            sheet = begin == b"PK\x03\x04" and b"[Content_Types].xml" in head[:_EARLY]
            return f"an Office file (xlsx); save it as CSV, then {_JSON}" if sheet else prefix
    if head[257:262] == b"ustar":
        return f"a tar archive; {_UNPACK}"
    return _UTF16 if head.startswith((b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{\0", b"[\0", b"\0[\0")) else ""


def _begin(text: bytes) -> str:
    return repr(text.split(b"\n", 1)[0][:60].decode("utf-8", "replace").strip())


def _text(name: str, head: bytes) -> Optional[Format]:
    """Text that holds no JSON and is no log of auditd's."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"[") or not text or _RECORD.search(head):
        return None
    suffixes = {suffix.lower() for suffix in PurePath(name).suffixes}
    table = next((prefix for suffix, prefix in _TABLES.items() if suffix in suffixes), "")
    if table or _COLUMNS.match(text):
        return Format(
            UNREAD,
            f"{table or 'CSV'} with header {_begin(text)}, none of _raw, @timestamp, TimeGenerated, "
            "as exports have; export the events as JSON, one record a line",
        )
    if text.startswith((b"<?xml", b"<Event")):
        return Format(UNREAD, "XML; export the events as JSON, one record a line")
    return None
