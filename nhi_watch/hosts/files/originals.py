"""The records behind the notables as their logs hold them, with file and line: `events.jsonl` in the folder of results.

While files are read, eight bytes a record identify it; the few that notables point to are then read again.
Those bytes are kept beside the state, and nothing of the records themselves: so a later run finds what an earlier one
read, if the file is still there and as it was.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Optional

from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.event import Event
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.reader.rejects import redact
from nhi_watch.report import jsonlines
from nhi_watch.report.queries import originals_of
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import Store

NAME = "events.jsonl"
FILES = "files.sqlite"
"""Beside the state: which records earlier runs read from which files."""
MOST = 4_000_000
"""Records of which that is kept: 32 MB."""
_FILES = 20_000
_TABLE, _INDEX = "meta", "files"
_LONGEST = 8_000
"""Bytes of a record that are kept."""


RecordHashes = dict[str, "array[int]"]
"""File → fingerprints of its records' ids, in their order; 0 for what became no event."""


class Originals:
    """Which records each file of this run and of earlier ones holds, in its order."""

    def __init__(self) -> None:
        self.record_hashes: RecordHashes = {}
        self.seen: dict[str, reader.FileVersion] = {}
        """The files of this run as they were opened."""
        self._earlier: dict[str, Callable[[], tuple[array[int], reader.FileVersion]]] = {}
        """The same of earlier runs, the latest first: fetched when needed."""
        self._before = array("Q")
        """What an earlier run read from the file that is being read."""
        self._index: dict[str, list[int]] = {}

    def noting(self, batch: reader.Batch) -> Callable[[int, Event], bool]:
        """What is to be called with the events of the file's next batch, and their index in it.

        It shows whether an earlier run read the same record from the same place of the file.
        """
        if batch.file not in self.record_hashes:
            known = self._earlier.get(str(Path(batch.file).resolve()))
            self._before = known()[0] if known else array("Q")
        record_hashes, before = self.record_hashes.setdefault(batch.file, array("Q")), self._before
        self.seen.setdefault(batch.file, batch.seen or _NOTHING)
        start = len(record_hashes)
        record_hashes.frombytes(bytes(8 * len(batch.records)))

        def note(index: int, event: Event) -> bool:
            mark = record_hashes[start + index] = fingerprint(event.record_id)
            return start + index < len(before) and before[start + index] == mark

        return note

    def remember(self, store: Store) -> None:
        """Keep the fingerprints for later runs, of the latest files up to MOST, and know those of earlier runs."""
        files = {str(Path(file).resolve()): file for file in self.record_hashes if Path(file).is_file()}
        own = {name: self.record_hashes[file] for name, file in files.items()}
        index = self.know(store, own)
        index = {
            **{name: entry for name, entry in index.items() if name not in own},
            **{name: _index_row(self.seen[file], len(own[name])) for name, file in files.items()},
        }
        rows: list[tuple[str, Optional[bytes]]] = [
            (_key(name), record_hashes.tobytes()) for name, record_hashes in own.items()
        ]
        kept_records = sum(entry[2] for entry in index.values())
        while len(index) > _FILES or kept_records > MOST:
            oldest = next(iter(index))
            kept_records -= index.pop(oldest)[2]
            rows.append((_key(oldest), None))
        store.put(_TABLE, [*rows, (_INDEX, json.dumps(index).encode())])

    def know(self, store: Store, own: Collection[str] = ()) -> dict[str, list[int]]:
        """Know the files of earlier runs but `own`; returns their index."""
        index: dict[str, list[int]] = json.loads(store.get(_TABLE, [_INDEX]).get(_INDEX, b"{}"))
        self._index = index
        self._earlier = {
            name: partial(_known, store, name, entry) for name, entry in reversed(index.items()) if name not in own
        }
        return index

    @property
    def is_known(self) -> bool:
        """Whether earlier runs have read the same of each file of this run."""
        return all(
            self._index.get(str(Path(file).resolve())) == _index_row(self.seen[file], len(record_hashes))
            for file, record_hashes in self.record_hashes.items()
        )

    def read(self, ids: set[str]) -> Iterator[dict[str, Any]]:
        """Those of these records that were read from files: `id`, `file`, `line`, `raw`, whether that is `cut`; and
        `lost`, why there is no `raw`, where the file is not as it was: it would not be what was scored.
        """
        wanted = {fingerprint(name): name for name in ids}
        for file, record_hashes in self.record_hashes.items():
            if Path(file).is_file():
                yield from _wanted_records(file, record_hashes, self.seen[file], wanted)
        for file, known in self._earlier.items():
            if not wanted:
                return
            yield from _wanted_records(file, *known(), wanted)


_NOTHING = reader.FileVersion((), array("q"))


def _wanted_records(
    file: str, record_hashes: array[int], seen: reader.FileVersion, wanted: dict[int, str]
) -> Iterator[dict[str, Any]]:
    """What a file holds of the records that are wanted; they are wanted no more."""
    if wanted.keys().isdisjoint(record_hashes):
        return
    matches = {at: wanted.pop(mark) for at, mark in enumerate(record_hashes) if mark in wanted}
    start, last = 0, max(matches)
    with suppress(OSError):
        for batch in reader.again(file, seen):  # as long as it is what it was
            here = range(start, start + len(batch.records))
            yield from (
                event(matches.pop(at), batch.where(at - start)._asdict(), batch.raw(at - start))
                for at in here
                if at in matches
            )
            start = here.stop
            if start > last:
                break
    lost = "it has changed since it was read" if Path(file).is_file() else "it is no longer there"
    yield from (
        {"id": name, "file": file, "line": 0, "raw": "", "cut": False, "lost": lost} for name in matches.values()
    )


def _known(store: Store, name: str, entry: Sequence[int]) -> tuple[array[int], reader.FileVersion]:
    record_hashes = array("Q")
    record_hashes.frombytes(store.get(_TABLE, [_key(name)]).get(_key(name), b""))
    return record_hashes, reader.FileVersion((*entry[:2], *entry[3:]), array("q"))


def _index_row(seen: reader.FileVersion, records: int) -> list[int]:
    """A file's row of the index: what is alike in size and times is taken by later runs to be unchanged."""
    return [*seen.status[:2], records, *seen.status[2:]]


def _key(name: str) -> str:
    return f"{_INDEX}/{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()}"


def event(name: str, where: Mapping[str, Any], raw: bytes) -> dict[str, Any]:
    """What is kept of a record: its id, where it lies, and its bytes with secrets masked."""
    masked = redact(raw)
    return {"id": name, **where, "raw": masked[:_LONGEST].decode("utf-8", "replace"), "cut": len(masked) > _LONGEST}


def load(out: Path) -> dict[str, dict[str, Any]]:
    """Record id → what `events.jsonl` keeps of it.

    Raises:
        InputError: the file cannot be read.
    """
    path = out / NAME
    return {str(event["id"]): event for event in jsonlines.read(path)} if path.exists() else {}


def of(out: Path, notable: NotableDocument) -> dict[str, dict[str, Any]]:
    """What `events.jsonl` keeps of the records of a notable.

    Raises:
        InputError: the file cannot be read.
    """
    wanted = originals_of(notable)
    return {name: event for name, event in load(out).items() if name in wanted}


@contextmanager
def of_state(state: Path) -> Iterator[Originals]:
    """The records that earlier runs over files read into a state."""
    path, places = state.with_name(FILES), Originals()
    if not path.is_file():
        yield places
        return
    store = SqliteStore(path, read_only=True)
    try:
        places.know(store)
        yield places
    finally:
        store.close()


def renew(out: Path, notables: Sequence[NotableDocument], originals: Originals) -> dict[str, dict[str, Any]]:
    """Keep in `events.jsonl` what the notables point to: of earlier runs, and of this one.

    Raises:
        InputError: the file cannot be read or written.
    """
    wanted = {name for notable in notables for name in originals_of(notable)}
    kept = {name: event for name, event in load(out).items() if name in wanted and not event.get("lost")}
    kept.update((event["id"], event) for event in originals.read(wanted - kept.keys()))
    jsonlines.write(out / NAME, kept.values())
    return kept
