"""The baseline as a Splunk lookup file: columns scope, day, profile, deltas; plain CSV or gzipped.

| scope | day | profile | deltas |
|---|---|---|---|
| an identity's id | the last day that `profile` knows | its JSON | JSON: later day → what that day taught |
| a peer group, or the tenant | the last day that it knows; a row for each day on which it changed | its JSON | "" |
| `inventory/…`, `ledger/…`, `day/…` | 0 | what the state keeps in that table under that key | "" |

On the tenant's last row, `deltas` is the list of the days that have deltas. So a day can be learnt again: its delta
is replaced. JSON is only parsed when an event needs it, so a large baseline costs a search little.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Set
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect.features import Past
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Baselines
from nhi_watch.hosts.splunk.fields import BASELINE, names
from nhi_watch.hosts.splunk.parts import key_of
from nhi_watch.hosts.splunk.shelf import Shelf, of_texts
from nhi_watch.state import baseline
from nhi_watch.state.baseline import PEERS, TENANT, Profile, peer_scope, teach

COLUMNS = names(BASELINE)
DEFAULT = "nhi_baseline"
KEPT = ("inventory", "ledger", "day", "meta")
"""Tables of the state of which rows are kept as they are."""
LEARNT = "learnt/"
"""Beginning of a key of `meta`: from how many stored rows a day was learnt."""
ELIGIBLE = "eligible/"
"""Beginning of a key of `meta`: how many of a day's identities are the base of the budget."""
_REMEDY = "delete that lookup file and run the search NHI Watch - Learn History"
_ALWAYS = (PEERS, *(f"{name}/" for name in KEPT))
LONGEST_SCOPE = 2_000
_NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


class Own(NamedTuple):
    """The row of an identity."""

    day: int
    profile: str
    deltas: str = ""

    def is_known(self, day: int) -> bool:
        """Whether the identity was seen before a day."""
        first = _FIRST.match(self.deltas)
        return self.profile != EMPTY.profile or (first is not None and int(first[1]) < day)


_FIRST = re.compile(r'\{"(\d+)"')
EMPTY = Own(-1, json.dumps(baseline.to_row(Profile()), separators=(",", ":")))


def _row_of(own: Own) -> bytes:
    return f"{own.day} {len(own.profile)} {own.profile}{own.deltas}".encode("utf-8", "surrogatepass")


def _own_of(row: bytes) -> Own:
    day, size, told = row.decode("utf-8", "surrogatepass").split(" ", 2)
    return Own(int(day), told[: int(size)], told[int(size) :])


class Table:
    """All rows of a baseline."""

    def __init__(self) -> None:
        self.own = Shelf(_row_of, _own_of)
        self.groups: dict[str, tuple[list[int], list[str]]] = {}
        """Scope → days in order, and the profile as it stood at the end of each."""
        self.days: list[int] = []
        """Days that have deltas."""
        self.kept: dict[str, Shelf[str]] = {name: of_texts() for name in KEPT}
        """Table of the state → key → row as text."""

        self.base = -1
        """The last day that can no longer be learnt anew; -1: there is none."""

    @property
    def eligible(self) -> int:
        """How many identities were the base of the budget on the last day that was learnt; 0: nobody noted it."""
        told = max((key for key in self.kept["meta"] if key.startswith(ELIGIBLE)), default="")
        return int(self.kept["meta"].get(told, 0))

    @property
    def last(self) -> int:
        """The last day that was learnt; -1: none was."""
        grouped = (days[-1] for days, _ in self.groups.values())
        return max([self.base, *grouped, *self.days])

    def learnt_from(self, day: int) -> int:
        """From how many stored rows a day was learnt; -1: it was not, or nobody noted it."""
        told = self.kept["meta"].get(f"{LEARNT}{day:06d}")
        return int(told) if told and day in self.days else -1

    def known(self, day: int) -> set[str]:
        """Keys of the identities that were seen before a day."""
        return {key_of(scope) for scope, own in self.own.scan() if own.is_known(day)}

    def add(self, row: list[str]) -> None:
        """Take in a row; rows of a group must come in the order of days."""
        scope, day, profile, deltas = row
        kept, slash, key = scope.partition("/")
        if slash and kept in self.kept:
            self.kept[kept][key] = profile
            return
        if scope != TENANT and not scope.startswith(PEERS):
            self.own[scope] = Own(int(day), profile, deltas)
            self.base = max(self.base, int(day))
            return
        days, texts = self.groups.setdefault(scope, ([], []))
        days.append(int(day))
        texts.append(profile)
        if deltas:
            self.days = [int(each) for each in json.loads(deltas)]

    def rows(self) -> Iterator[list[str]]:
        """All rows, in order."""
        for name in KEPT:
            for key, text in self.kept[name].scan():
                yield [f"{name}/{key}", "0", text, ""]
        own = ([scope, str(one.day), one.profile, one.deltas] for scope, one in self.own.scan())
        yield from heapq.merge(own, self._group_rows(), key=itemgetter(0))

    def _group_rows(self) -> Iterator[list[str]]:
        for scope, (days, texts) in sorted(self.groups.items()):
            for day, text in zip(days, texts):
                told = dump(self.days) if scope == TENANT and day == days[-1] and self.days else ""
                yield [scope, str(day), text, told]


def dump(plain: object) -> str:
    """JSON without blanks."""
    return json.dumps(plain, separators=(",", ":"))


def parse(scope: str, text: str) -> Any:
    """The JSON of a cell.

    Raises:
        StoreError: naming the scope.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise StoreError(f"the baseline's row of {scope} is damaged ({error}); {_REMEDY}") from error


def profile_of(scope: str, text: str) -> Profile:
    """The profile of a cell.

    Raises:
        StoreError: naming the scope.
    """
    try:
        return baseline.from_row(parse(scope, text))
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"the baseline's row of {scope} is damaged ({error}); {_REMEDY}") from error


class LookupBaselines(Baselines):
    """Baselines of a table, for events of any day; without rows, a cold start with what ships with the model."""

    def __init__(self, model: Scorecard, table: Table, networks: Networks = SHIPPED) -> None:
        super().__init__(model, networks)
        self._table = table
        self._loaded = -1
        self._parsed: dict[tuple[str, int], Profile] = {}
        """(scope, what of it was read) → a profile that no day changes, because nothing in it waits."""

    def past(self, identity: Identity, today: int) -> Past:
        """What is known of an identity on the eve of `today`."""
        if today != self._loaded:
            self.own, self.groups, self._loaded = {}, {}, today
        if identity.id not in self.own:
            self.own[identity.id] = self._own(identity.id)
        for scope in (TENANT, peer_scope(identity)):
            if scope not in self.groups:
                self.groups[scope] = self._group(scope)
        return super().past(identity, today)

    def _own(self, scope: str) -> Profile:
        row = self._table.own.get(scope)
        if row is None:
            return Profile()
        told = parse(scope, row.deltas) if row.deltas else {}
        days = sorted(day for day in map(int, told) if row.day < day < self._loaded)
        profile = self._read(scope, row.profile, days[-1] if days else -1, [(day, told[str(day)]) for day in days])
        profile.advance(self._loaded)
        return profile

    def _group(self, scope: str) -> Profile:
        """The latest row before the day; where all are later, the earliest: better than none."""
        days, texts = self._table.groups.get(scope, ([], []))
        if not days:
            return Profile()
        row = max(0, bisect_left(days, self._loaded) - 1)
        profile = self._read(scope, texts[row], row, [])
        profile.advance(self._loaded)
        return profile

    def _read(self, scope: str, text: str, which: int, deltas: list[tuple[int, Any]]) -> Profile:
        profile = self._parsed.get((scope, which))
        if profile is None:
            profile = profile_of(scope, text)
            for day, (now, later, *_) in deltas:
                teach(profile, day, now, later)
            self._parsed[scope, which] = profile
        return profile

    def describe(self) -> str:
        """What there is, for the user."""
        return against(self._table)


def describe(table: Table) -> str:
    """How far a baseline goes.

    >>> describe(Table())
    'no baseline yet'
    """
    if table.last < 0:
        return "no baseline yet"
    return f"baseline up to {render_day(table.last)}, {len(table.own) + len(table.groups)} scopes"


def against(table: Table) -> str:
    """What is scored against, and where there is no baseline, how to get one.

    >>> against(Table()).startswith("no baseline yet: scored against the prior that ships with the model, with more")
    True
    """
    if table.last >= 0:
        return describe(table)
    prior = "scored against the prior that ships with the model, with more false alarms"
    return f"{describe(table)}: {prior}. To learn one, run the search NHI Watch - Learn History once; {_PRIVATE}"


_PRIVATE = f"if you have, share the lookup file {DEFAULT}.csv.gz in this app (Settings > Lookups > Permissions)"


def load(model: Scorecard, folder: Path, name: str, networks: Networks = SHIPPED) -> LookupBaselines:
    """The baseline that a lookup file holds; see `table`."""
    return LookupBaselines(model, table(folder, name), networks)


def table(folder: Path, name: str, keys: Optional[Set[str]] = None) -> Table:
    """The rows of a lookup file; a missing default file means a cold start.

    `keys`: those of the identities whose rows are wanted, beside those that are followed since an exposure.

    Raises:
        InputError: the name is no plain name, a named file is missing, or the file is no baseline.
    """
    path = _find(folder, name)
    found = Table()
    followed: set[str] = set()

    def is_wanted(scope: str) -> bool:
        always = keys is None or scope == TENANT or scope.startswith(_ALWAYS)
        return always or scope in followed or key_of(scope) in (keys or ())

    if path is None:
        return found
    try:
        for row in _rows(path, is_wanted):
            if len(row) == len(COLUMNS):
                found.add(row)
                followed.update({row[0][11:]} if row[0].startswith("day/") else ())
            else:
                found.base = max(found.base, int(row[1]))
    except (OSError, EOFError, ValueError, csv.Error) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); {_REMEDY}") from error
    return found


def _find(folder: Path, name: str) -> Optional[Path]:
    if not _NAME.fullmatch(name):
        raise InputError(f"baseline={name}: write the name of a lookup file, as in baseline={DEFAULT}")
    found = [path for path in (folder / f"{name}.csv.gz", folder / f"{name}.csv") if path.is_file()]
    if not found and name != DEFAULT:
        told = f"this app has no lookup file {name}.csv or {name}.csv.gz"
        raise InputError(f"baseline={name}: {told}; write its name without the ending, as in baseline={DEFAULT}")
    return found[0] if found else None


def _rows(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[list[str]]:
    """The rows of a file; of those that are not wanted, scope and day alone: most of it is JSON that nobody reads."""
    with (gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")) as raw:
        lines = enumerate(_lines(raw), 1)
        header = _cells(next(lines, (1, b""))[1])
        if not set(COLUMNS[:3]) <= set(header):
            raise InputError(f"{path.name}: the first line is not {','.join(COLUMNS)}; {_REMEDY}")
        width, header = len(header), [*header, *COLUMNS]  # outputlookup leaves out a column without values
        places = [header.index(name) for name in COLUMNS]
        for number, line in lines:
            told = line[:LONGEST_SCOPE].split(b",", 2)[:2] if places[:2] == [0, 1] and line[:1] != b'"' else []
            if len(told) == 2 and told[1].isdigit() and not is_wanted(told[0].decode("utf-8")):
                yield [cell.decode("utf-8") for cell in told]
                continue
            row = _cells(line)
            if len(row) != width:
                raise ValueError(f"line {number} has {len(row)} cells instead of {width}")
            row += [""] * len(COLUMNS)
            yield [row[place] for place in places]


def _lines(raw: Iterable[bytes]) -> Iterator[bytes]:
    """The rows of a CSV file as they are; one with a line feed in quotes is one row."""
    held = b""
    for line in raw:
        held += line
        if held.count(b'"') % 2 == 0:
            yield held
            held = b""
    if held:
        yield held


def _cells(line: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(line.decode("utf-8"), newline="")), [])


def save(path: Path, profiles: Iterable[tuple[str, Profile]]) -> int:
    """Write profiles as a lookup file, gzipped where the name ends so; the number of rows.

    The same profiles give the same bytes, and the file is replaced as a whole.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = sorted((scope, profile.as_of, dump(baseline.to_row(profile)), "") for scope, profile in profiles)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    new = path.with_name(path.name + ".new")
    new.write_bytes(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)
    new.replace(path)
    return len(rows)
