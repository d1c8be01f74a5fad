"""The records behind the notables as their logs hold them, with file and line: `events.jsonl` in the folder of results.

While files are read, eight bytes a record tell which one it is; the few that notables point to are then read again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.event import Event
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.reader.redact import redact
from nhi_watch.report import jsonlines
from nhi_watch.report.queries import originals_of

NAME = "events.jsonl"
_LONGEST = 8_000
"""Bytes of a record that are kept."""


class Originals:
    """Which records each file of this run holds, in its order."""

    def __init__(self) -> None:
        self._files: dict[str, array[int]] = {}
        """File → fingerprints of its records' ids; 0 for what became no event."""

    def noting(self, batch: reader.Batch) -> Callable[[int, Event], None]:
        """What is to be called with the events of the file's next batch, and their index in it."""
        marks = self._files.setdefault(batch.file, array("Q"))
        start = len(marks)
        marks.frombytes(bytes(8 * len(batch.records)))

        def note(index: int, event: Event) -> None:
            marks[start + index] = fingerprint(event.record_id)

        return note

    def read(self, ids: set[str]) -> Iterator[dict[str, Any]]:
        """Those of these records that this run read from files: `id`, `file`, `line`, `raw`, whether that is `cut`."""
        wanted = {fingerprint(name): name for name in ids}
        for file, marks in self._files.items():
            found = {at: wanted.pop(mark) for at, mark in enumerate(marks) if mark in wanted}
            if found and Path(file).is_file():
                yield from (_event(found[one.at], one) for one in _read_again(file, found))


class Original(NamedTuple):
    """A record as its file holds it."""

    at: int
    """Its place in the file's order."""
    where: reader.Where
    raw: bytes


def _read_again(file: str, found: Mapping[int, str]) -> Iterator[Original]:
    """The records of a file at these places in its order."""
    start, last = 0, max(found)
    for batch in reader.read([file]):
        for at in range(start, start + len(batch.records)):
            if at in found:
                yield Original(at, batch.where(at - start), batch.raw(at - start))
        start += len(batch.records)
        if start > last:
            return


def _event(name: str, original: Original) -> dict[str, Any]:
    masked = redact(original.raw)
    text = masked[:_LONGEST].decode("utf-8", "replace")
    return {"id": name, **original.where._asdict(), "raw": text, "cut": len(masked) > _LONGEST}


def load(out: Path) -> dict[str, dict[str, Any]]:
    """Record id → what `events.jsonl` keeps of it.

    Raises:
        InputError: the file cannot be read.
    """
    path = out / NAME
    return {str(event["id"]): event for event in jsonlines.read(path)} if path.exists() else {}


def of(out: Path, notable: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What `events.jsonl` keeps of the records of a notable.

    Raises:
        InputError: the file cannot be read.
    """
    wanted = originals_of(notable)
    return {name: event for name, event in load(out).items() if name in wanted}


def renew(out: Path, notables: Sequence[Mapping[str, Any]], originals: Originals) -> dict[str, dict[str, Any]]:
    """Keep in `events.jsonl` what the notables point to: of earlier runs, and of this one.

    Raises:
        InputError: the file cannot be read or written.
    """
    wanted = {name for notable in notables for name in originals_of(notable)}
    kept = {name: event for name, event in load(out).items() if name in wanted}
    kept.update((event["id"], event) for event in originals.read(wanted - kept.keys()))
    jsonlines.write(out / NAME, kept.values())
    return kept
