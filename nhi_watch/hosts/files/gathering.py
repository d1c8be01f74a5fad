"""Reading files into days: in one process, or side by side in several."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from itertools import cycle
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import NamedTuple, Optional, Union

from nhi_watch.context import reputation
from nhi_watch.context.context import Context
from nhi_watch.core.errors import OUT_OF_SCOPE, InputError, NhiError, RejectError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.originals import Marks, Originals
from nhi_watch.hosts.files.reader.rejects import Aside, Rejects
from nhi_watch.intake import sources
from nhi_watch.intake.days import Intake, Part

SLICE = 4 * 1024 * 1024
"""Bytes on disk of the files that a process reads at once."""
AHEAD = 4
"""Slices that a process reads while those before wait for who judges."""
_DIED = ("a process that reads died (killed, out of memory, or of what it says above); nothing was written: run it "
         "again, with fewer --workers or none")  # fmt: skip

Moved = Callable[[int], None]
"""Called with the bytes that were read since the call before."""


class Read(NamedTuple):
    """What another process made of a slice."""

    days: Part
    marks: Marks
    statuses: dict[str, tuple[int, ...]]
    pieces: list[reader.Bad]
    rejects: Counter[tuple[str, str]]
    passed: list[reader.Passed]
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
                    self._rejects.pass_over(read.passed)
                    if self._places:
                        self._places.join(read.marks, read.statuses)
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
        return Read(intake.days.part(), places.marks, places.statuses(), rejects.pieces, rejects.by_file,
                    rejects.passed, sum(consumed))  # fmt: skip


def _side_by_side(
    found: reader.Found, workers: int, read: Callable[[reader.Found], Read]
) -> Generator[tuple[reader.Found, Optional[Read]], None, None]:
    """Slices in their order, and what was read; None: it is no file, and can be read here alone."""
    slices = [(some, reader.is_stream(some.files[0])) for some in reader.slices(found, SLICE)]
    apart = [some for some, is_stream in slices if not is_stream]
    readers = [_Reader(read, apart[number::workers]) for number in range(min(workers, len(apart)))]
    turns = cycle(readers)
    try:
        for some, is_stream in slices:
            yield some, None if is_stream else next(turns).take()
    finally:
        for each in readers:
            each.end()


class _Reader:
    """A process that reads its slices one after the other, each as soon as what it made of the one before was taken.

    Each has a pipe of its own, which ends with it. Of the one pipe that a pool's processes share, a process that dies
    while it answers leaves the rest awaited for ever.
    """

    def __init__(self, read: Callable[[reader.Found], Read], mine: Sequence[reader.Found]) -> None:
        spawn = get_context("spawn")  # no copy of a process that has threads
        self._told, answers = spawn.Pipe(duplex=False)
        self._process = spawn.Process(target=_read_on, args=(answers, read, mine), daemon=True)
        self._process.start()
        answers.close()

    def take(self) -> Read:
        """What it made of its next slice.

        Raises:
            InputError: it died.
            NhiError: what reading raised there.
        """
        try:
            told: Union[Read, NhiError] = self._told.recv()
        except (EOFError, OSError) as error:
            raise InputError(_DIED) from error
        if isinstance(told, NhiError):
            raise told
        return told

    def end(self) -> None:
        """Let it read no more."""
        self._process.terminate()
        self._process.join()
        self._told.close()


def _read_on(answers: Connection, read: Callable[[reader.Found], Read], mine: Sequence[reader.Found]) -> None:
    _begin()
    made: Queue[Union[Read, NhiError, None]] = Queue(AHEAD)
    threading.Thread(target=_hand_over, args=(made, answers)).start()
    try:
        for some in mine:
            made.put(_tried(read, some))
    finally:
        made.put(None)


def _tried(read: Callable[[reader.Found], Read], some: reader.Found) -> Union[Read, NhiError]:
    try:
        return read(some)
    except NhiError as error:  # raised again where somebody is told of it
        return error


def _hand_over(made: Queue[Union[Read, NhiError, None]], answers: Connection) -> None:
    """While it waits for who judges, the next slices are read; who waits is told by the end of the pipe if it fails."""
    with answers:
        for each in iter(made.get, None):
            answers.send(each)


def _begin() -> None:
    """A process that reads leaves Ctrl-C to the one that it reads for, and ends with it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)
