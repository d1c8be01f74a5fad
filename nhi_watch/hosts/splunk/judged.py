"""How NHI Watch - Rank has judged each identity's day, so that a run judges only those of which something has come.

The lookup file nhi_judged.csv.gz has a row for each identity's day: how it was judged, and the sum of the marks of the
stored rows behind it (`parts.mark_of_row`). NHI Watch - Awake holds that sum against what the indexers have, and lists
who differs; Rank judges those anew, whole, and all others stand as they were judged. So what a lost, late or repeated
answer left out is made up for by a later run.

Who may have a place in the list, is linked with somebody or shares an origin (`Result.awaited`) is hot: judged in each
run, for others' stories need what it did. What the others did to credentials is kept with how they were judged. All
judgements hang on the baseline, the model, tables, verdicts and the day: when one of them
changes, the first row alone is kept, under a new name, and nothing is ranked. Awake then lists everybody, and puts that
name into its list: a list that was made before is told apart by it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core import crowd
from nhi_watch.core.errors import InputError
from nhi_watch.detect import drift
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.telemetry import Rhythms
from nhi_watch.hosts.splunk import fields, tables, verdicts
from nhi_watch.hosts.splunk.learning import Looked
from nhi_watch.hosts.splunk.lookup import Table, dump
from nhi_watch.hosts.splunk.notables import Earlier
from nhi_watch.hosts.splunk.parts import key_of
from nhi_watch.hosts.splunk.tablestore import RHYTHM, TableStore, unpack
from nhi_watch.state import inventory
from nhi_watch.state.baseline import TENANT

FILE = "nhi_judged.csv.gz"
COLUMNS = fields.names(fields.JUDGED)
NAME = "by-"
"""How the name of what all judgements hang on begins: no key of an identity does."""
Place = tuple[int, str]
"""Day and key."""
_DAYS = -2
"""Where the row of a delta says on how many days an identity was there before."""


class StaleError(Exception):
    """What was judged before does not hold any more, or is not all that is needed: everybody must be judged anew."""


class Row(NamedTuple):
    """How an identity's day was judged."""

    mark: str
    hot: str
    judged: str
    """JSON: the identity's id, what it did to credentials (`inventory.changes`), and the row of its delta but what it
    teaches; "": the day was learnt, and not judged."""


class Head(NamedTuple):
    """What all judgements hang on."""

    name: str = ""
    by: str = ""
    trust: Mapping[str, float] = {}
    """Day → what a point counts, see `drift.trust`."""
    rhythm: Mapping[str, Mapping[str, list[Any]]] = {}
    """Day → log → its hours and fields, of all identities that were ever judged."""
    followed: tuple[str, ...] = ()


class Kept(NamedTuple):
    """The file."""

    head: Head
    rows: dict[Place, Row]


def load(folder: Path) -> Kept:
    """The file in a folder of lookups; of one that is damaged, nothing."""
    path, found = folder / FILE, Kept(Head(), {})
    try:
        with gzip.open(path, "rb") as raw:
            for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline="")):
                told = {name: row.get(name) or "" for name in COLUMNS}
                if told["nhi_key"].startswith(NAME):
                    found = found._replace(head=Head(told["nhi_key"], *json.loads(told["nhi_judged"])))
                else:
                    place = (int(told["nhi_day_number"]), told["nhi_key"])
                    found.rows[place] = Row(told["nhi_judged_mark"], told["nhi_hot"], told["nhi_judged"])
    except (OSError, EOFError, ValueError, TypeError, csv.Error):
        return Kept(Head(), {})
    return found


def depends(
    folder: Path, card: Scorecard, table: Table, given: verdicts.Given, known: Mapping[str, Earlier], today: int
) -> str:
    """A digest of what all judgements of a day hang on."""
    files = (folder / name for name in (tables.ASSETS, tables.OWNERS, tables.ES_ASSETS, tables.NETWORKS))
    told = [card.sha256, str(today), str(table.base), str(table.last), dump(sorted(table.kept["meta"].items()))]
    told += [path.read_text("utf-8", "replace") if path.is_file() else "" for path in files]
    told += table.groups.get(TENANT, ([], [""]))[1][-1:]
    shown = {name: one.document["revision"] for name, one in known.items()}
    told += sorted(dump([*one[:4], shown.get(one.notable_id)]) for one in given.verdicts if one.time < today * 86_400)
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Judgements:
    """What was judged before, and what a run adds to it."""

    def __init__(self, kept: Kept, listed: Optional[frozenset[str]], by: str, now: int, keep: bool = True) -> None:
        """`listed`: keys that the indexers went by; None: all rows have come. `keep`: whether anything is to be kept:
        without a baseline yesterday's others are all that is known.

        Raises:
            StaleError: judge nothing now.
            InputError: the list is older than what was judged.
        """
        self._listed = listed or frozenset()
        self._by, self._now, self._keep = by, now, keep
        name = min((key for key in self._listed if key.startswith(NAME)), default="")
        old = kept if listed is not None else Kept(Head(), {})
        self._kept, self.rows = old, dict[Place, Row]()
        if old.head.name != name:
            if not old.head.name:
                raise StaleError
            raise InputError("the list of who is awake was made before all are judged anew")
        if old.head.by != by and old.rows:
            raise StaleError
        self._trust: dict[str, float] = {}
        self._rhythm: dict[str, Any] = {}
        self._followed: set[str] = set()
        self._newcomers = 0
        self._hot: set[Place] = set()
        self._stand: dict[int, set[str]] = {}

    def days(self) -> set[int]:
        """Days of which something was judged before."""
        return {day for day, _ in self._kept.rows}

    def begin(self, store: TableStore, card: Scorecard, day: int) -> None:
        """Give a store how the others' day was judged.

        Raises:
            StaleError: that does not hold any more.
            InputError: the list is older than what was judged.
        """
        mine = [row for (d, key), row in self._kept.rows.items() if d == day and key not in self._listed]
        if any(row.hot for row in mine):
            raise InputError("the list of who is awake was made before the last run")
        self._trust[str(day)] = trust = drift.trust(store, day, card, drift.usual(card))
        if mine and (trust != self._kept.head.trust.get(str(day)) or not all(row.judged for row in mine)):
            raise StaleError
        told = [json.loads(row.judged) for row in mine]
        self._stand[day] = {name for name, *_ in told}
        self._newcomers = sum(not rest[_DAYS] for _, _, *rest in told)
        for changes in (changes for _, changes, *_ in told if changes):
            inventory.take_changes(store, changes)
        store.know(day, ((name, rest) for name, _, *rest in told))

    def note(self, store: TableStore, looked: Looked, marks: Mapping[Place, int]) -> None:
        """Keep how a day was judged.

        Raises:
            StaleError: newcomers are so many that they are folded: nothing can be kept.
        """
        day, self._followed = looked.day, store.followed()
        self._join_rhythm(store, day)
        for name in looked.counts:
            _, _, *rest = unpack(store.get("delta", [f"{day:06d}/{name}"])[f"{day:06d}/{name}"])
            self._newcomers += not rest[_DAYS]
            place = (day, key_of(name))
            judged = dump([name, looked.changes.get(name, []), *rest])
            self.rows[place] = Row(str(marks.get(place, 0)), "", judged)
        if self._newcomers > crowd.NEWCOMERS or any(name.endswith(crowd.ENDS) for name in looked.counts):
            if self._kept.rows:
                raise StaleError
            self._keep = False

    def given(self, known: Iterable[Earlier]) -> list[Earlier]:
        """Those notables of which all identities were given: of others nothing can be lost."""
        return [one for one in known if not one.identities & self._stand.get(one.day, set())]

    def awaits(self, day: int, names: Iterable[str]) -> None:
        """Note whose behaviours the next run needs again."""
        self._hot.update((day, key_of(name)) for name in names)

    def learnt(self, day: int, marks: Mapping[Place, int]) -> None:
        """Keep that nothing of a day is to be judged."""
        self.rows.update((place, Row(str(mark), "", "")) for place, mark in marks.items() if place[0] == day)

    def _join_rhythm(self, store: TableStore, day: int) -> None:
        """A log's hours are those of all that were ever judged: of a set of rows that only grows."""
        before = self._kept.head.rhythm.get(str(day), {})
        Rhythms(store).join(day, before)
        row = store.get("meta", [f"{RHYTHM}{day:06d}"])
        self._rhythm[str(day)] = unpack(row[f"{RHYTHM}{day:06d}"]) if row else before

    def told(self, first: int) -> Iterator[dict[str, str]]:
        """The next file's rows, of days from `first` on.

        Raises:
            StaleError: somebody is followed now who was not when the others were judged.
        """
        old = self._kept.head
        if self._kept.rows and self.rows and self._followed != set(old.followed):
            raise StaleError
        head = Head(
            old.name or _name(self._by, self._now), self._by, {**old.trust, **self._trust},
            {**old.rhythm, **self._rhythm}, tuple(sorted(self._followed or old.followed)),
        )  # fmt: skip
        yield _first_row(head, self._now)
        if not self._keep:
            return
        stand = ((place, row) for place, row in self._kept.rows.items() if place[1] not in self._listed)
        always = {key_of(name) for name in self._followed}
        for (day, key), row in {**dict(stand), **self.rows}.items():
            if day >= first:
                hot = "1" if key in always or (day, key) in self._hot else ""
                yield dict(zip(COLUMNS, (key, str(day), row.mark, hot, hot, row.judged)))


def emptied(by: str, now: int) -> Sequence[dict[str, str]]:
    """The file after which everybody is judged anew."""
    return [_first_row(Head(_name(by, now), by), now)]


def _name(by: str, now: int) -> str:
    return NAME + hashlib.sha256(f"{by}|{now}".encode()).hexdigest()[:13]


def _first_row(head: Head, now: int) -> dict[str, str]:
    """It always differs, and is always news, so that Awake hands its name on."""
    return dict(zip(COLUMNS, (head.name, str(now // 86_400), "-1", "1", "1", dump(head[1:]))))


