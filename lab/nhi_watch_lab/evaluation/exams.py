"""The worlds that a score is judged in, and their days.

- `drawn`: the family of worlds, of seeds that nothing was trained, tuned or selected on
- `second`, `third`, `fourth`, `fifth`: worlds by other hands, which saw neither detector nor simulator; they are only
  called, and read as any customer's files are
- `old`: the simulator's one account with its own rates, as earlier versions were judged

`padded`: the same world, in which each attacker hides among harmless calls.
`unsteady`: a tenant in which at least one machine in ten is odd by nature; `first`: the first file of a small tenant;
`brief`: one in which a theft is one to five calls; `short`: a grown tenant with such thefts.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Union

import orjson

import nhi_watch
import nhi_watch_lab
from nhi_watch.context import assets
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import IdentityDay, fingerprint
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import ranking
from nhi_watch.detect.day import lesson_of
from nhi_watch.detect.model import Model
from nhi_watch.detect.scoring import Baselines, Episode, score_day
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import every
from nhi_watch.state import day_rows
from nhi_watch.state.baseline import TENANT, Delta, Profile, learn_groups, peer_scope, teach
from nhi_watch.state.state import Ranked
from nhi_watch_lab import worlds
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.worlds.world import World

# ---- days of records, replayed

SOURCES = tuple(every())
Days = Mapping[int, Mapping[str, IdentityDay]]
"""Day → identity id → that identity's day."""


def grouped(records: Iterable[object]) -> Days:
    """The behaviours of some records; what cannot be read is left out."""
    grouping = Intake(SOURCES)
    grouping.feed(records, lambda index, reject: None)
    return grouping.batch


class Replayed(NamedTuple):
    """One scored episode of a day."""

    day: int
    episode: Episode
    ranked: Ranked
    incidents: frozenset[str]
    """Ids of the incidents whose records it holds."""
    whole: IdentityDay


class Replay:
    """Scores day after day and learns each when it is done, as the pipeline does, without a store."""

    def __init__(self, model: Model, labels: Mapping[str, str] | None = None) -> None:
        self.baselines = Baselines(model)
        self._labels = {fingerprint(record): incident for record, incident in (labels or {}).items()}

    def label(self, incidents: Iterable[Mapping[str, Any]]) -> None:
        """Learn the records of further incidents."""
        for incident in incidents:
            self._labels.update((fingerprint(record), incident["id"]) for record in incident["record_ids"])

    def run(self, records: Sequence[object]) -> Iterator[Replayed]:
        """Score whole days of records, in order of days; each is learnt when the next is asked for."""
        yield from self.run_days(grouped(records))

    def run_days(self, days: Days) -> Iterator[Replayed]:
        """The same for days that were grouped before."""
        for done in self.by_day(days):
            yield from done

    def by_day(self, days: Days) -> Iterator[list[Replayed]]:
        """Each day's episodes; what is worked out before the next is asked for sees what was known on its eve."""
        for day in sorted(days):
            if TENANT in self.baselines.groups:
                self.baselines.groups[TENANT].advance(day)
            done = [self.score(identity_day) for identity_day in days[day].values()]
            yield done
            self.learn(day, done)

    def score(self, identity_day: IdentityDay) -> Replayed:
        """One identity's day against what is learnt so far."""
        identity = identity_day.identity
        self.baselines.own.setdefault(identity.id, Profile()).advance(identity_day.day)
        episode = score_day(self.baselines, identity_day)
        ranked = ranking.rank(episode, assets.NO_ASSETS)
        bad = frozenset(self._labels[mark] for mark in identity_day.seen & self._labels.keys())
        return Replayed(identity_day.day, episode, ranked, bad, identity_day)

    def learn(self, day: int, done: Sequence[Replayed]) -> list[tuple[Delta, Delta, str]]:
        """Take in a day that is over; returns what each of its identities taught."""
        lessons: list[tuple[Delta, Delta, str]] = []
        for item in done:
            taught = lesson_of(item.whole, item.episode, self.baselines.networks)
            teach(self.baselines.own[item.episode.identity.id], day, *taught)
            scope = "" if ranking.is_outsider(item.episode) else peer_scope(item.episode.identity)
            lessons.append((*taught, scope))
        learn_groups(self.baselines.groups, day, lessons)
        return lessons


# ---- generated days, grouped once and kept: tuning must not wait for a generator each time. A file holds one tenant;
# its name says what it depends on, the settings and the source of all between the generator and a behaviour

PACKAGE = Path(nhi_watch.__file__).parent
READING = ("core", "context", "intake")
"""What stands between a record and its behaviour."""


class KeptDay(NamedTuple):
    """One generated day."""

    incidents: list[dict[str, Any]]
    """Labels of those that began on this day."""
    days: Days
    events: int


def through(
    path: Path, make: Callable[[], tuple[dict[str, Any], Iterable[KeptDay]]]
) -> tuple[dict[str, Any], Iterator[KeptDay]]:
    """What is told of a tenant, and its days, from a file; which `make` fills where it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with gzip.open(part, "wt", 1, encoding="utf-8") as file:
            head, days = make()
            file.write(json.dumps(head) + "\n")
            for kept in days:
                rows = (day_rows.pack(identity_day) for day in kept.days.values() for identity_day in day.values())
                identity_days = [b64encode(row).decode() for row in rows]
                file.write(json.dumps([kept.incidents, identity_days, kept.events]) + "\n")
        part.replace(path)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.loads(file.readline()), _read(path)


def _read(path: Path) -> Iterator[KeptDay]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        file.readline()
        for line in file:
            incidents, identity_days, events = json.loads(line)
            yield KeptDay(incidents, _days(identity_days), events)


def _days(rows: list[Any]) -> Days:
    days: dict[int, dict[str, behaviour.IdentityDay]] = {}
    for row in rows:
        identity_day = day_rows.unpack(b64decode(row))
        days.setdefault(identity_day.day, {})[identity_day.identity.id] = identity_day
    return days


@cache
def code_hash(folders: tuple[str, ...], package: Path = PACKAGE) -> str:
    """SHA-256 over the sources and tables in some folders of a package; how a page is laid out changes no result."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted((package / folder).rglob("*")):
            if path.suffix in (".py", ".json", ".txt", ".csv") and path.parent.name != "model" and not _lays_out(path):
                total.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def _lays_out(path: Path) -> bool:
    return path.stem == "page" or path.stem.endswith("_page")


# ---- worlds

DRAWN, SECOND, OLD = "drawn", "second", "old"
_FAMILIES = {OLD: DRAWN}
HANDS = (SECOND, "third", "fourth", "fifth")
"""Worlds by other hands."""
LAB = Path(nhi_watch_lab.__path__[0])
OLD_DAYS, OLD_MACHINES, OLD_CAMPAIGNS = 28, 300, 45
Record = Any


def family_of(kind: str) -> str:
    """Which worlds one simulator made: a model that is to know nothing of a world must have seen none of its family.

    >>> family_of("old"), family_of("third")
    ('drawn', 'third')
    """
    return _FAMILIES.get(kind, kind)


class Exam(NamedTuple):
    """One world."""

    kind: str
    seed: int
    padded: bool = False
    identities: int = 0
    """0: as many as are drawn, or as a world by other hands has by itself; of `old` 300."""
    trial: str = ""
    """One of TRIALS, for which a drawn world is changed."""
    variant: str = ""
    """`unsteady`, `first`, `brief`, `short`, or "": the world as its generator writes it."""

    @property
    def name(self) -> str:
        """For people."""
        parts = (self.kind, str(self.seed), self.trial, self.variant, "padded" if self.padded else "")
        return " ".join(filter(None, parts))


Change = Callable[[World], World]
TRIALS: Mapping[str, Change] = {
    "": lambda world: world,
    "people": lambda world: world._replace(
        attacked=10,
        incidents=5,
        stolen_keys=1.0,
        ways=world.ways._replace(both_doors=50, dynamic_ci=1.0, pipelines=3.0),
    ),
    "cold": lambda world: world._replace(attacked=2, incidents=1, only=("stranger_bulk_read",)),
    "quiet": lambda world: world._replace(
        company=False,
        incidents=12,
        inside=1.0,
        stolen_keys=0.0,
        only=("slow_discovery", "patient_discovery", "parallel_session"),
    ),
    "dense": lambda world: world._replace(company=False, incidents=16),
}
"""What the worlds of `trials` have more of than drawn ones."""


def is_there(kind: str) -> bool:
    """Whether worlds of a kind can be had here: those by other hands are not in every tree."""
    return kind not in HANDS or find_spec(_module(kind)) is not None


def _module(kind: str, variant: str = "") -> str:
    return f"{nhi_watch_lab.__name__}.variants.{kind}" if variant else f"{nhi_watch_lab.__name__}.{kind}_world"


def mark(source: Union[Exam, World]) -> str:
    """Names an exam, or a drawn world, and the sources that its days depend on."""
    kind, variant = (source.kind, source.variant) if isinstance(source, Exam) else (DRAWN, "")
    made_by = {DRAWN: ("worlds", "simulator"), OLD: ("simulator",)}.get(kind, (f"{kind}_world",))
    made_by += (f"variants/{kind}",) if variant else ()
    text = f"{source}{code_hash(READING)}{code_hash(made_by, LAB)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def days(exam: Exam, folder: Path) -> tuple[frozenset[str], Iterator[KeptDay]]:
    """The names of a world's people, and its days, which are kept in a folder."""

    def make() -> tuple[dict[str, Any], Iterable[KeptDay]]:
        people, raw_days = raw(exam)
        return {"people": sorted(people)}, (KeptDay(i, grouped(r), len(r)) for i, r in raw_days)

    head, kept_days = through(folder / f"{exam.kind}-{exam.seed}-{mark(exam)}.jsonl.gz", make)
    return frozenset(head["people"]), kept_days


Raw = tuple[list[dict[str, Any]], list[Record]]
"""The incidents that begin on a day, and the day's records."""


def raw(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    """The names of a world's people, and its days as records.

    Raises:
        InputError: there is no such world here.
    """
    if exam.variant:
        return _variant(exam)
    return {DRAWN: _drawn, OLD: _old}.get(exam.kind, _by_other_hands)(exam)


def _drawn(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    world = TRIALS[exam.trial](worlds.draw(exam.seed, padded=exam.padded, identities=exam.identities or None))
    raw_days = ((day.incidents, [record for _, record in day.records]) for day in worlds.days(world))
    return frozenset(worlds.people(world)), raw_days


def _old(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    tenant = Tenant(Spec(OLD_DAYS, exam.identities or OLD_MACHINES, exam.seed, campaigns=OLD_CAMPAIGNS))
    people = frozenset(person.arn for person in tenant.people)
    return people, ((list(day.incidents), list(day.records)) for day in tenant.days())


# ---- variants, and worlds by other hands


def _variant(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    """Each package of `nhi_watch_lab.variants` has a function for each variant that its generator comes in."""
    if find_spec(_module(exam.kind, exam.variant)) is None:
        raise InputError(f"there is no {exam.variant} {exam.kind} world in this tree")
    make: Callable[[int], tuple[frozenset[str], Iterator[Raw]]]
    make = getattr(import_module(_module(exam.kind, exam.variant)), exam.variant)
    return make(exam.seed)


def _by_other_hands(exam: Exam) -> tuple[frozenset[str], Iterator[Raw]]:
    if not is_there(exam.kind):
        raise InputError(f"there is no {exam.kind} world in this tree; leave --{exam.kind} out")
    size = {"identities": exam.identities} if exam.identities else {}
    generate = import_module(_module(exam.kind)).generate
    return written(lambda folder: generate(exam.seed, folder, padded=exam.padded, **size))


def written(write: Callable[[Path], object]) -> tuple[frozenset[str], Iterator[Raw]]:
    """A world that `write` leaves in a folder: `events/<product>.ndjson.gz` and `labels.json`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        labels = orjson.loads((folder / "labels.json").read_bytes())
        raw_days = iter(list(_by_day(folder / "events", labels["incidents"])))
    return frozenset(labels["people"]), raw_days


def _by_day(folder: Path, incidents: list[dict[str, Any]]) -> Iterator[Raw]:
    owner = {(file, line): label["id"] for label in incidents for file, line in label["records"]}
    ids: dict[str, list[str]] = {label["id"]: [] for label in incidents}
    records: dict[int, list[Record]] = {}
    for file, number, record in chain.from_iterable(_lines(path) for path in sorted(folder.iterdir())):
        when, record_id = time_and_id(record)
        records.setdefault(when // DAY, []).append(record)
        if (file, number) in owner and record_id:
            ids[owner[file, number]].append(record_id)
    labels = [{**label, "record_ids": ids[label["id"]]} for label in incidents]
    for day in sorted(records):
        yield [label for label in labels if parse(label["start"]) // DAY == day], records[day]


def _lines(path: Path) -> Iterator[tuple[str, int, Record]]:
    with gzip.open(path) as file:
        for number, line in enumerate(file, 1):
            yield path.name, number, orjson.loads(line)


def time_and_id(record: Record) -> tuple[int, str]:
    """Time and id of a record, as our sources read it; both empty where none can."""
    for source in SOURCES:
        if source.claims(record):
            try:
                event = source.read(record)
            except RejectError:
                return 0, ""
            return event.time, event.record_id
    return 0, ""
