"""Identity-days of a world as rows, and what the trees read of them.

Worlds are replayed as the product replays days. Habits need no model. The quarantine does: labels stand for the
likelihood of 50% from which the product holds calls back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Union

import joblib
import numpy as np
import numpy.typing as npt
from joblib.externals.loky import get_reusable_executor

import nhi_watch
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import ranking
from nhi_watch.detect.forest import grown
from nhi_watch.detect.habits import Bound
from nhi_watch.detect.model import EDGES, KINDS, MACHINE, NEVER, PERSON, Model, Reading
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.signals import NAMES, known_days
from nhi_watch.state.baseline import Lesson, Profile, learn_groups, peer_scope, teach
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam, KeptDay, Raw, Replay, Replayed, grouped

# ---- identity-days of worlds as numbers: what training and its selection look at, instead of records

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
PLAIN = ""
"""The technique of a day without an incident."""


class Rows(NamedTuple):
    """The watched identity-days of one world, in order of days; one entry each."""

    day: Ints
    """Days since the world began."""
    identity: Ints
    peers: Ints
    """-1: it teaches no group."""
    own_days: Ints
    """Active days of the identity before."""
    person: Bools
    """Whether a directory says that it is a person's."""
    stranger: Bools
    """Whether it was never let in, or belongs to another account."""
    technique: npt.NDArray[np.str_]
    """Technique and origin of the incident that it is part of, or PLAIN."""
    incident: npt.NDArray[np.str_]
    values: Floats
    """Identity-days × signals; NaN: cannot tell."""

    @property
    def bad(self) -> Bools:
        """Which are part of an incident."""
        return np.asarray(self.technique != PLAIN)

    @property
    def bins(self) -> Ints:
        """Identity-days × signals: the bin, -1 where it cannot be told."""
        bins = np.searchsorted(np.array(EDGES), np.nan_to_num(self.values), side="left")
        return np.where(np.isnan(self.values), -1, bins)


def training_worlds(
    seeds: Iterable[int], identities: int = 140, incidents: int = 50, variant: str = ""
) -> Iterator[worlds.World]:
    """The worlds of training: denser in incidents than life, and smaller, so that many fit in an hour.

    `variant`: padded | cold, in which attacks begin on the first of six days; "": neither.
    """
    for seed in seeds:
        drawn = worlds.draw(seed, company=seed % 5 == 0, padded=variant == "padded")
        drawn = drawn._replace(history=0, attacked=6) if variant == "cold" else drawn
        yield drawn._replace(identities=min(drawn.identities, identities), incidents=incidents)


class _Seen(NamedTuple):
    """An identity-day with what was known on its eve: profiles grow when the day is learnt."""

    item: Replayed
    own_days: int
    person: bool
    stranger: bool
    scope: str
    """Of the peers that it teaches; "": none."""


def _seen(item: Replayed) -> _Seen:
    episode = item.episode
    scope = "" if ranking.is_outsider(episode) else peer_scope(episode.identity)
    stranger = ranking.is_stranger(ranking.origin(episode))
    return _Seen(item, known_days(episode.view), episode.bound.tenant_habits.kind == PERSON, stranger, scope)


class Labelled(Replay):
    """A replay in which labels say what waits in quarantine: there is no model yet."""

    def score(self, identity_day: IdentityDay) -> Replayed:
        """One identity's day against what is learnt so far."""
        item = super().score(identity_day)
        keys = frozenset(each.key for each in identity_day.behaviours.values()) if item.incidents else frozenset()
        return item._replace(episode=item.episode._replace(quarantined=keys))


def blank(prior: dict[str, dict[str, float]]) -> Model:
    """A model that finds nothing, and has no id."""
    shares = (NEVER,) * len(NAMES)
    world, reading = ((shares,),) * len(KINDS), Reading(grown(len(NAMES), ()), 1.0, -60.0)
    return Model("", "", NAMES, shares, (0,), world, (reading,), (reading,), prior)


Source = Union[worlds.World, Exam]
"""A drawn world, or one by other hands."""


def days_of(source: Source) -> Iterator[Raw]:
    """The incidents that begin on a day, and the day's records; day after day."""
    if isinstance(source, Exam):
        return exams.raw(source)[1]
    return ((day.incidents, [record for _, record in day.records]) for day in worlds.days(source))


def _grouped(source: Source, folder: Path) -> Iterator[KeptDay]:
    """The same, grouped and kept in a folder: generating them takes several times as long as replaying them."""

    def make() -> tuple[dict[str, Any], Iterable[KeptDay]]:
        return {}, (KeptDay(incidents, grouped(records), len(records)) for incidents, records in days_of(source))

    return exams.through(folder / f"days-{exams.mark(source)}.jsonl.gz", make)[1]


def of_world(model: Model, source: Source, folder: Path) -> Rows:
    """Replay a world, and keep its watched identity-days.

    `model`: the model that says what waits, or a blank one; `folder`: where the world's days are kept.
    """
    replay = Replay(model) if model.id else Labelled(model)
    seen, technique_of = list[_Seen](), dict[str, str]()
    for incidents, days, _ in _grouped(source, folder):
        replay.label(incidents)
        technique_of.update((i["id"], f"{i['technique']} {i['origin']}") for i in incidents if i["distinguishable"])
        items = replay.run_days(days)
        seen += [_seen(item) for item in items if ranking.is_watched(item.episode)]
    return _rows(seen, technique_of)


def _rows(seen: Sequence[_Seen], technique_of: dict[str, str]) -> Rows:
    replayed = [each.item for each in seen]
    first = min(item.day for item in replayed)
    identities, peers = dict[str, int](), dict[str, int]()
    whose = [item.episode.identity for item in replayed]
    names = [min((i for i in item.incidents if i in technique_of), default="") for item in replayed]
    hidden = [not name and bool(item.incidents) for name, item in zip(names, replayed)]
    rows = Rows(
        np.array([item.day - first for item in replayed]),
        np.array([identities.setdefault(who.id, len(identities)) for who in whose]),
        np.array([peers.setdefault(each.scope, len(peers)) if each.scope else -1 for each in seen]),
        np.array([each.own_days for each in seen]),
        np.array([each.person for each in seen]),
        np.array([each.stranger for each in seen]),
        np.array([technique_of.get(name, PLAIN) for name in names]),
        np.array(names),
        np.array([[np.nan if v is None else v for v in item.episode.values] for item in replayed]),
    )
    return only(rows, ~np.array(hidden))


def only(rows: Rows, mask: Bools) -> Rows:
    """The rows of a mask."""
    return Rows(**{name: part[mask] for name, part in rows._asdict().items()})


def once(world_rows: Iterable[Rows]) -> list[Rows]:
    """The worlds, each once, however often it is named."""
    return list({id(rows): rows for rows in world_rows}.values())


# ---- kept between runs, because replaying takes minutes


def collected(jobs: Sequence[tuple[Model, Source]], folder: Path, workers: int) -> list[Rows]:
    """The rows of worlds, each replayed with a model; from `folder` where they were collected by the same code."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = code()
    paths = [folder / f"{name_of(world, mark + model.id)}.npz" for model, world in jobs]
    return in_parallel([joblib.delayed(_kept)(*job, path) for job, path in zip(jobs, paths)], workers)


def in_parallel(jobs: Sequence[Any], workers: int) -> list[Any]:
    """The results of `joblib.delayed` calls, in their order."""
    try:
        return list(joblib.Parallel(n_jobs=workers)(jobs))
    finally:
        # its processes idle for five minutes, and a process that has any cannot end
        get_reusable_executor().shutdown()


def _kept(model: Model, world: Source, path: Path) -> Rows:
    if not path.exists():
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, **of_world(model, world, path.parent)._asdict())
        part.replace(path)
    with np.load(path) as arrays:
        return Rows(**{name: arrays[name] for name in Rows._fields})


def name_of(world: Source, mark: str) -> str:
    """Names what code of a `mark` made of a world, and of the sources that the world's days depend on."""
    made_by = exams.mark(world) if isinstance(world, Exam) else ""
    return hashlib.sha256(f"{mark}{NAMES}{world}{made_by}".encode()).hexdigest()[:20]


def code() -> str:
    """Tells one version of all that stands between a seed and a signal's value from another."""
    total = hashlib.sha256()
    for package in (Path(nhi_watch.__file__).parent, Path(worlds.__file__).parents[1] / "simulator"):
        for path in sorted(package.rglob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()


# ---- what the trees read of all identity-days of a world


class Shares(NamedTuple):
    """The evidence and the world's habits."""

    attack: Floats
    """Signals × bins."""
    ages: tuple[int, ...]
    world: Floats
    """Kinds × ages × signals × bins."""

    @property
    def card(self) -> Model:
        """A model without trees: all that habits ask of one."""
        attack = tuple(map(tuple, self.attack.tolist()))
        world = tuple(tuple(tuple(map(tuple, shares)) for shares in ages) for ages in self.world.tolist())
        reading = Reading(grown(len(NAMES), ()), 1.0, 0.0)
        return Model("", "", NAMES, attack, self.ages, world, (reading,), (reading,), {})


def features(rows: Rows, shares: Shares) -> Floats:
    """Identity-days × points and reduced bins, each by the habits on its eve: the product's own, learnt day by day."""
    matrix = np.zeros((len(rows.day), 2 * len(NAMES)))
    baselines, cells = Baselines(shares.card), rows.values.tolist()
    values = [[None if value != value else value for value in row] for row in cells]  # only NaN is unlike itself
    for day in np.unique(rows.day).tolist():
        lessons: list[Lesson] = []
        by_session = baselines.tenant_habits(day)
        for at in np.flatnonzero(rows.day == day).tolist():
            own = baselines.own.setdefault(str(rows.identity[at]), Profile())
            bound = Bound(by_session[PERSON if rows.person[at] else MACHINE], own)
            read = bound.features(values[at])
            matrix[at] = [*read.points, *read.bins]
            habits = bound.habits(int(rows.own_days[at]), values[at], bool(rows.stranger[at]))
            teach(own, day, habits, {})
            lessons.append((habits, {}, str(rows.peers[at]) if rows.peers[at] >= 0 else ""))
        learn_groups(baselines.groups, day, lessons)
    return matrix
