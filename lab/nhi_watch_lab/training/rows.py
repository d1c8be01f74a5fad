"""Identity-days of worlds as numbers: what training and its selection look at, instead of records.

Worlds are replayed without a model: what labels call an incident waits in quarantine, and nothing else does. So what is
trained depends on worlds and signals alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Union

import joblib
import numpy as np
import numpy.typing as npt
from joblib.externals.loky import get_reusable_executor

import nhi_watch
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import ranking
from nhi_watch.detect.features import known_days
from nhi_watch.detect.home import PERSON
from nhi_watch.detect.model import EDGES, KINDS, NEVER, Scorecard
from nhi_watch.detect.model.forest import grown
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import peer_scope
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam, Raw, Replay, Replayed

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
    own_days: Ints
    """Active days of the identity before."""
    person: Bools
    """Whether a directory says that it is a person's."""
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
        found = np.searchsorted(np.array(EDGES), np.nan_to_num(self.values), side="left")
        return np.where(np.isnan(self.values), -1, found)


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


def _seen(item: Replayed) -> _Seen:
    return _Seen(item, known_days(item.episode.view), item.episode.bound.home.kind == PERSON)


class Labelled(Replay):
    """A replay in which labels say what is held in quarantine, not the score."""

    def score(self, whole: IdentityDay) -> Replayed:
        """One identity's day against what is learnt so far."""
        item = super().score(whole)
        held = frozenset(each.shape for each in whole.behaviours.values()) if item.incidents else frozenset()
        return item._replace(episode=item.episode._replace(held=held))


def blank(prior: dict[str, dict[str, float]]) -> Scorecard:
    """A model that finds nothing."""
    shares = (NEVER,) * len(NAMES)
    world = ((shares,),) * len(KINDS)
    return Scorecard("", "", NAMES, shares, (0,), world, grown(len(NAMES), ()), 1.0, -60.0, prior)


Source = Union[worlds.World, Exam]
"""A drawn world, or one by other hands."""


def days_of(source: Source) -> Iterator[Raw]:
    """The incidents that begin on a day, and the day's records; day after day."""
    if isinstance(source, Exam):
        return exams.raw(source)[1]
    return ((day.incidents, [record for _, record in day.records]) for day in worlds.days(source))


def of_world(card: Scorecard, source: Source) -> Rows:
    """Replay a world, and keep its watched identity-days."""
    replay, found, told = Labelled(card), list[_Seen](), dict[str, str]()
    for incidents, records in days_of(source):
        replay.label(incidents)
        told.update((i["id"], f"{i['technique']} {i['origin']}") for i in incidents if i["distinguishable"])
        items = replay.run(records)
        found += [_seen(item) for item in items if ranking.is_watched(item.episode)]
    return _rows(found, told)


def _rows(seen: Sequence[_Seen], told: dict[str, str]) -> Rows:
    found = [each.item for each in seen]
    first = min(item.day for item in found)
    identities, peers = dict[str, int](), dict[str, int]()
    whose = [item.episode.identity for item in found]
    names = [min((i for i in item.incidents if i in told), default="") for item in found]
    hidden = [not name and bool(item.incidents) for name, item in zip(names, found)]
    made = Rows(
        np.array([item.day - first for item in found]),
        np.array([identities.setdefault(who.id, len(identities)) for who in whose]),
        np.array([peers.setdefault(peer_scope(who), len(peers)) for who in whose]),
        np.array([each.own_days for each in seen]),
        np.array([each.person for each in seen]),
        np.array([told.get(name, PLAIN) for name in names]),
        np.array(names),
        np.array([[np.nan if v is None else v for v in item.episode.values] for item in found]),
    )
    return only(made, ~np.array(hidden))


def only(rows: Rows, mask: Bools) -> Rows:
    """The rows of a mask."""
    return Rows(**{name: part[mask] for name, part in rows._asdict().items()})


def once(worlds: Iterable[Rows]) -> list[Rows]:
    """The worlds, each once, however often it is named."""
    return list({id(rows): rows for rows in worlds}.values())


# ---- kept between runs, because replaying takes minutes


def collected(card: Scorecard, sources: Sequence[Source], folder: Path, workers: int) -> list[Rows]:
    """The rows of worlds, in their order; from `folder` where they were collected by the same code."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = code()
    jobs = (joblib.delayed(_kept)(card, world, folder / f"{name_of(world, mark)}.npz") for world in sources)
    try:
        return list(joblib.Parallel(n_jobs=workers)(jobs))
    finally:
        # its processes idle for five minutes, and a process that has any cannot end
        get_reusable_executor().shutdown()


def _kept(card: Scorecard, world: Source, path: Path) -> Rows:
    if not path.exists():
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, **of_world(card, world)._asdict())
        part.replace(path)
    with np.load(path) as held:
        return Rows(**{name: held[name] for name in Rows._fields})


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
