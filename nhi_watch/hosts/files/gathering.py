"""Reading files into days: in one process, or side by side in several."""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.context import reputation
from nhi_watch.context.context import Context
from nhi_watch.core.errors import OUT_OF_SCOPE, InputError, RejectError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.originals import Marks, Originals
from nhi_watch.hosts.files.reader.rejects import Aside, Rejects
from nhi_watch.intake import sources
from nhi_watch.intake.days import Intake, Part

SLICE = 4 * 1024 * 1024
"""Bytes on disk of the files that a process reads at once."""
_AHEAD = 8
"""Slices a process that may be read, and wait, before they are taken in."""
_DIED = ("a process that reads died (killed, or out of memory); nothing was written: run it again, with fewer "
         "--workers or none")  # fmt: skip

Moved = Callable[[int], None]
"""Called with the bytes that were read since the call before."""


class Read(NamedTuple):
    """What another process made of a slice."""

    days: Part
    marks: Marks
    pieces: list[reader.Bad]
    rejects: Counter[tuple[str, str]]
    bytes_read: int


class Gathering:
    """Where all goes that is read."""

    def __init__(self, intake: Intake, rejects: Rejects, places: Optional[Originals]) -> None:
        self._intake, self._rejects, self._places = intake, rejects, places

    def read(self, found: reader.Found, moved: Moved) -> None:
        """Read files here."""
        for batch in reader.read_found(found, moved):
            self._feed(batch)

    def read_beside(self, found: reader.Found, moved: Moved, workers: int, by: ReadBy) -> None:
        """Read files in so many processes; to the last digit what `read` makes of them.

        Raises:
            InputError: one of the processes died.
        """
        self.read(found._replace(files=[]), moved)
        with closing(_side_by_side(found, workers, partial(_read_apart, by))) as slices:
            for some, read in slices:
                if read is not None and self._intake.days.join(read.days):
                    self._rejects.join(read.pieces, read.rejects)
                    if self._places:
                        self._places.join(read.marks)
                    moved(read.bytes_read)
                else:
                    self.read(some, moved)

    def _feed(self, batch: reader.Batch) -> None:
        intake, rejects, places = self._intake, self._rejects, self._places

        def refuse(index: int, error: RejectError) -> None:
            if error.reason not in OUT_OF_SCOPE:
                rejects.refuse(batch.where(index), error, lambda: batch.raw(index))

        rejects.pass_over(batch.passed)
        for piece in batch.bad:
            intake.days.reject(piece.reason)
            rejects.add(piece)
        intake.feed(batch.records, refuse, places.noting(batch) if places else None)


class ReadBy(NamedTuple):
    """What another process must know."""

    source: str
    reputation: Sequence[Path]
    now: int


def _read_apart(by: ReadBy, found: reader.Found) -> Read:
    """Read files in a process of its own."""
    with few_collections():
        asked = [source for source in sources.every() if by.source in ("auto", source.NAME)]
        context = Context(reputation=reputation.load(by.reputation))
        intake = Intake(asked, context, now=by.now, known=lambda name, day: True)
        rejects, places, consumed = Aside(), Originals(), list[int]()
        Gathering(intake, rejects, places).read(found, consumed.append)
        return Read(intake.days.part(), places.marks, rejects.pieces, rejects.by_file, sum(consumed))


def _side_by_side(
    found: reader.Found, workers: int, read: Callable[[reader.Found], Read]
) -> Generator[tuple[reader.Found, Optional[Read]], None, None]:
    """Slices in their order, and what was read; None: it is no file, and can be read here alone."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin)  # no copy of a process that has threads
    waiting: deque[tuple[reader.Found, Optional[Future[str]]]] = deque()
    with tempfile.TemporaryDirectory(prefix="nhi-") as folder:
        try:
            for some in reader.slices(found, SLICE):
                told = None if reader.is_stream(some.files[0]) else pool.submit(_put, folder, read, some)
                waiting.append((some, told))
                if len(waiting) > workers * _AHEAD:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        except BrokenProcessPool as error:
            raise InputError(_DIED) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _put(folder: str, read: Callable[[reader.Found], Read], some: reader.Found) -> str:
    """Read, and leave what was read in a file: through the pool's pipe, which all processes share, goes its name alone,
    since of an answer that a process dies in the middle of, the pool awaits the rest for ever."""
    told = read(some)
    try:
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            pickle.dump(told, file, pickle.HIGHEST_PROTOCOL)
    except OSError as error:
        raise InputError(f"{folder}: cannot hold what --workers read ({error.strerror}); set TMPDIR") from error
    return name


def _first(
    waiting: deque[tuple[reader.Found, Optional[Future[str]]]],
) -> tuple[reader.Found, Optional[Read]]:
    some, future = waiting.popleft()
    return some, _taken(Path(future.result())) if future else None


def _taken(path: Path) -> Read:
    read: Read = pickle.loads(path.read_bytes())  # noqa: S301 - of a process of ours, in a folder that is ours alone
    path.unlink()
    return read


def _begin() -> None:
    """A process that reads leaves Ctrl-C to the one that it reads for, and ends with it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)
