"""The worlds that a score is judged in, and their days.

- `drawn`: the family of worlds, of seeds that nothing was trained, tuned or selected on
- `second`, `third`, `fourth`, `fifth`: worlds by other hands, which saw neither detector nor simulator; they are only
  called, and read as any customer's files are
- `old`: the simulator's one account with its own rates, as earlier versions were judged

`padded`: the same world, in which each attacker hides among harmless calls.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import orjson

import nhi_watch_lab
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import kept
from nhi_watch_lab.evaluation.kept import KeptDay
from nhi_watch_lab.evaluation.replay import SOURCES, grouped
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.worlds.world import World

DRAWN, SECOND, OLD = "drawn", "second", "old"
HANDS = (SECOND, "third", "fourth", "fifth")
"""Worlds by other hands."""
LAB = Path(nhi_watch_lab.__path__[0])
OLD_DAYS, OLD_MACHINES, OLD_CAMPAIGNS = 28, 300, 45
Record = Any


class Exam(NamedTuple):
    """One world."""

    kind: str
    seed: int
    padded: bool = False
    identities: int = 0
    """0: as many as are drawn, or as a world by other hands has by itself; of `old` 300."""
    trial: str = ""
    """One of TRIALS, for which a drawn world is changed."""

    @property
    def name(self) -> str:
        """For people."""
        return " ".join(filter(None, (self.kind, str(self.seed), self.trial, "padded" if self.padded else "")))


Change = Callable[[World], World]
TRIALS: Mapping[str, Change] = {
    "": lambda world: world,
    "people": lambda world: world._replace(
        attacked=10, incidents=5, stolen_keys=1.0,
        ways=world.ways._replace(both_doors=50, dynamic_ci=1.0, pipelines=3.0),
    ),
    "cold": lambda world: world._replace(attacked=2, incidents=1, only=("stranger_bulk_read",)),
    "quiet": lambda world: world._replace(
        company=False, incidents=12, inside=1.0, stolen_keys=0.0,
        only=("slow_discovery", "patient_discovery", "parallel_session"),
    ),
    "dense": lambda world: world._replace(company=False, incidents=16),
}  # fmt: skip
"""What the worlds of `trials` have more of than drawn ones."""


def is_there(kind: str) -> bool:
    """Whether worlds of a kind can be had here: those by other hands are not in every tree."""
    return kind not in HANDS or find_spec(_module(kind)) is not None


def _module(kind: str) -> str:
    return f"{nhi_watch_lab.__name__}.{kind}_world"


def mark(exam: Exam) -> str:
    """Names an exam and the sources that its days depend on."""
    made_by = {DRAWN: ("worlds", "simulator"), OLD: ("simulator",)}.get(exam.kind, (f"{exam.kind}_world",))
    text = f"{exam}{kept.code_hash(kept.READING)}{kept.code_hash(made_by, LAB)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def days(exam: Exam, folder: Path) -> tuple[frozenset[str], Iterator[KeptDay]]:
    """The names of a world's people, and its days, which are kept in a folder."""

    def make() -> tuple[dict[str, Any], Iterable[KeptDay]]:
        people, told = raw(exam)
        return {"people": sorted(people)}, (KeptDay(i, grouped(r), len(r)) for i, r in told)

    head, found = kept.through(folder / f"{exam.kind}-{exam.seed}-{mark(exam)}.jsonl.gz", make)
    return frozenset(head["people"]), found


Raw = tuple[list[dict[str, Any]], list[Record]]
"""The incidents that begin on a day, and the day's records."""


def raw(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    """The names of a world's people, and its days as records.

    Raises:
        InputError: there is no such world here.
    """
    return {DRAWN: _drawn, OLD: _old}.get(exam.kind, _by_other_hands)(exam)


def _drawn(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    world = TRIALS[exam.trial](worlds.draw(exam.seed, padded=exam.padded, identities=exam.identities or None))
    told = ((day.incidents, [record for _, record in day.records]) for day in worlds.days(world))
    return frozenset(worlds.people(world)), told


def _old(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    tenant = Tenant(Spec(OLD_DAYS, exam.identities or OLD_MACHINES, exam.seed, campaigns=OLD_CAMPAIGNS))
    people = frozenset(person.arn for person in tenant.people)
    return people, ((list(day.incidents), list(day.records)) for day in tenant.days())


# ---- worlds by other hands


def _by_other_hands(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    if not is_there(exam.kind):
        raise InputError(f"there is no {exam.kind} world in this tree; leave --{exam.kind} out")
    with tempfile.TemporaryDirectory() as folder:
        size = {"identities": exam.identities} if exam.identities else {}
        import_module(_module(exam.kind)).generate(exam.seed, Path(folder), padded=exam.padded, **size)
        labels = orjson.loads((Path(folder) / "labels.json").read_bytes())
        told = iter(list(_by_day(Path(folder) / "events", labels["incidents"])))
    return frozenset(labels["people"]), told


def _by_day(folder: Path, incidents: list[dict[str, Any]]) -> Iterator[Raw]:
    owner = {(file, line): label["id"] for label in incidents for file, line in label["records"]}
    ids: dict[str, list[str]] = {label["id"]: [] for label in incidents}
    records: dict[int, list[Record]] = {}
    for file, number, record in chain.from_iterable(_lines(path) for path in sorted(folder.iterdir())):
        when, record_id = _read(record)
        records.setdefault(when // DAY, []).append(record)
        if (file, number) in owner and record_id:
            ids[owner[file, number]].append(record_id)
    told = [{**label, "record_ids": ids[label["id"]]} for label in incidents]
    for day in sorted(records):
        yield [label for label in told if parse(label["start"]) // DAY == day], records[day]


def _lines(path: Path) -> Iterator[tuple[str, int, Record]]:
    with gzip.open(path) as file:
        for number, line in enumerate(file, 1):
            yield path.name, number, orjson.loads(line)


def _read(record: Record) -> tuple[int, str]:
    """Time and id of a record, as our sources read it; both empty where none can."""
    for source in SOURCES:
        if source.claims(record):
            try:
                event = source.read(record)
            except RejectError:
                return 0, ""
            return event.time, event.record_id
    return 0, ""
