"""Reading files into days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Optional

from nhi_watch.core.errors import OUT_OF_SCOPE, RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.originals import Originals
from nhi_watch.hosts.files.reader.rejects import NAMED, Rejects
from nhi_watch.intake.days import Intake

Moved = Callable[[int], None]
"""Called with the bytes that were read since the call before."""


SEVERAL = 2


class Gathering:
    """Where all goes that is read."""

    def __init__(self, intake: Intake, rejects: Rejects, places: Optional[Originals], closed: int = 0) -> None:
        """`closed`: the day before which the state no longer knows which records it took in."""
        self._intake, self._rejects, self._places, self._closed = intake, rejects, places, closed
        self.again = 0
        """Records of such days that an earlier run took in from the same place: they count as duplicates."""
        self._of_use: set[str] = set()
        self._refused: Counter[str] = Counter()
        """Pieces of a file that were no record; a file that is none as a whole counts as several."""

    def read(self, found: reader.Found, moved: Moved) -> None:
        """Read files."""
        for batch in reader.read_found(found, moved):
            self._feed(batch)

    def _feed(self, batch: reader.Batch) -> None:
        intake, rejects, places = self._intake, self._rejects, self._places

        refused = 0

        def refuse(index: int, error: RejectError) -> None:
            nonlocal refused
            if error.reason not in OUT_OF_SCOPE:
                refused += 1
                rejects.refuse(batch.where(index), error, lambda: batch.raw(index))

        rejects.pass_over(batch.passed)
        for piece in batch.bad:
            intake.days.reject(piece.reason)
            rejects.add(piece)
        noting, known = places.noting(batch) if places else None, intake.days.duplicates

        def note(index: int, event: Event) -> None:
            nonlocal known
            is_fresh, known = intake.days.duplicates == known, intake.days.duplicates
            if noting is not None and noting(index, event) and is_fresh and event.time // DAY < self._closed:
                self.again += 1

        intake.feed(batch.records, refuse, note if noting else None)
        if refused < len(batch.records):
            self._of_use.add(batch.file)
        self._refused[batch.file] += refused + sum(1 if piece.line else SEVERAL for piece in batch.bad)

    def failed(self) -> dict[str, Any]:
        """How many files there are of which nothing could be read, and the first of them; one odd record is no file."""
        files = [file for file, count in self._refused.items() if count >= SEVERAL and file not in self._of_use]
        return {"files": len(files), "named": files[:NAMED]}
