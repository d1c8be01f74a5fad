"""Who is awake: identities of which yesterday or today has brought news, or of which a notable tells.

The search NHI Watch - Awake writes their keys to lookups/nhi_awake.csv, which goes to the indexers. NHI Watch - Rank
reads them alone, each whole; NHI Watch - Rank All reads everybody.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.detect import model
from nhi_watch.detect.features import View
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.detect.scoring import EventScorer
from nhi_watch.hosts.splunk import lookup
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.hosts.splunk.tablestore import TableStore
from nhi_watch.state import inventory

FILE = "nhi_awake.csv"


class Awake(NamedTuple):
    """The list, as it lies in a folder."""

    keys: Optional[frozenset[str]]
    """None: there is no list yet, and all are read."""
    name: str
    """The same for the same list."""


EVERYBODY = Awake(None, "none")


def load(folder: Path) -> Awake:
    """The list in a folder of lookups."""
    path = folder / FILE
    if not path.is_file():
        return EVERYBODY
    text = path.read_text("utf-8", "replace")
    keys = frozenset(row.get("nhi_key") or "" for row in csv.DictReader(text.splitlines()))
    return Awake(keys, hashlib.sha256("".join(sorted(keys)).encode("utf-8", "replace")).hexdigest()[:16])


class News:
    """Tells what is news against the baseline in the knowledge bundle, or what others' scores depend on."""

    def __init__(self, folder: Path, name: str, keys: set[str]) -> None:
        """`keys`: whose parts will be asked about; the baseline of others is not held."""
        table = lookup.table(folder, name, keys)
        self._baselines = lookup.LookupBaselines(model.load(), table)
        self._scorer = EventScorer(self._baselines)
        self._followed = TableStore(table, table.last + 1).followed()

    def of(self, part: Part) -> Part:
        """What of a part is news; where nothing in it scores FLOOR alone, that comes with all else, every six hours."""
        identity = max(shape.identity for shape, _ in part.slots)
        past = self._baselines.past(identity, part.day)
        found = Part(part.day, news=True)
        if identity.id in self._followed or past.blank:
            found.slots = part.slots
            return found
        shapes = {id(shape): shape for shape, _ in part.slots}
        telling = {key for key, shape in shapes.items() if inventory.tells(shape)}
        odd = {key for key, shape in shapes.items() if not View(shape, past).quiet}
        grave = any(self._scorer.score_shape(shapes[key], part.day).score >= FLOOR for key in odd)
        news = telling | odd if grave else telling
        found.slots = {(shape, hour): slot for (shape, hour), slot in part.slots.items()
                       if id(shape) in news or slot[0].issued or slot[0].links}  # fmt: skip
        return found
