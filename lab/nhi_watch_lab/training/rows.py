"""Identity-days of a world as rows, and their points at home.

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
from nhi_watch.detect.model import (
    BINS,
    EDGES,
    FIRST,
    FULL,
    KINDS,
    LEAST,
    NEAR,
    NEVER,
    OWN_STRENGTH,
    PERSON,
    SETTLED,
    STRENGTH,
    Scorecard,
    grown,
)
from nhi_watch.detect.signals import NAMES, known_days
from nhi_watch.state.baseline import ALIKE, HISTORY, peer_scope
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam, Raw, Replay, Replayed

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


# ---- points at home for all identity-days of a world: what `nhi_watch.detect.home` says, for many rows at once

HISTORIES = 2
"""Machines and people's keys."""


class Shares(NamedTuple):
    """The evidence and the world's habits."""

    attack: Floats
    """Signals × bins."""
    ages: tuple[int, ...]
    world: Floats
    """Kinds × ages × signals × bins."""


def points(rows: Rows, shares: Shares) -> Floats:
    """Identity-days × signals: points, each day by what was known on its eve."""
    bins, found = rows.bins, np.zeros(rows.values.shape)
    kept = np.where(rows.bad[:, None], 0, bins)  # a day of an incident is counted; what it held waits
    home, own = _Home(shares), dict[int, _Own]()
    for day in np.unique(rows.day):
        today = np.flatnonzero(rows.day == day)
        tables = [home.tables(kind, int(day)) for kind in range(HISTORIES)]
        for at in today:
            held = np.flatnonzero(bins[at] > 0)
            usual, share = (table[held, bins[at, held]] for table in tables[int(rows.person[at])])
            mine = own.get(int(rows.identity[at]))
            found[at, held] = usual if mine is None else mine.churned(usual, share, (rows.values[at], bins[at], held),
                                                                       shares.attack)  # fmt: skip
        for at in today:
            if rows.own_days[at] >= SETTLED:
                own.setdefault(int(rows.identity[at]), _Own(bins.shape[1])).learn(kept[at])
        home.learn(rows, kept, today[rows.own_days[today] >= HISTORY])
    return np.asarray(np.round(found, 2))


class _Own:
    """One identity's own days."""

    def __init__(self, signals: int) -> None:
        self.days = 0
        self.seen = np.zeros((signals, BINS))

    def learn(self, bins: Ints) -> None:
        self.days += 1
        held = np.flatnonzero(bins > 0)
        self.seen[held, bins[held]] += 1

    def churned(self, usual: Floats, share: Floats, what: tuple[Floats, Ints, Ints], attack: Floats) -> Floats:
        """Points after the identity's own churn has taken its part."""
        values, bins, held = what
        low = np.maximum(1, np.searchsorted(np.array(EDGES), NEAR * values[held], side="left"))
        near = np.array([self.seen[at, least:].sum() for at, least in zip(held, low)])
        mine = (near + OWN_STRENGTH * share) / (self.days + OWN_STRENGTH)
        news = np.log2(np.maximum(LEAST, attack[held, bins[held]]) / np.maximum(LEAST, mine))
        return np.asarray(np.minimum(usual, np.maximum(usual / 2, news)))


class _Home:
    """The tenant's own days, by kind."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._reached = np.zeros((HISTORIES, *shares.attack.shape))
        self._able = np.zeros((HISTORIES, shares.attack.shape[0]))
        self._total = np.zeros(HISTORIES)
        self._first = [-1] * HISTORIES

    def tables(self, kind: int, day: int) -> tuple[Floats, Floats]:
        """Signals × bins: points, and the shares at home behind them."""
        age = day - self._first[kind] if self._total[kind] else 0
        rate = self._total[kind] / max(1, age) if self._total[kind] else 1.0
        strength = STRENGTH + max(0, FULL - age) * rate
        place = max(at for at, least in enumerate(self._shares.ages) if least <= day)
        share = (self._reached[kind] + strength * self._shares.world[kind, place]) / (
            self._able[kind][:, None] + strength
        )
        attack = self._shares.attack
        raw = np.log2(np.maximum(attack, LEAST) / np.maximum(share, LEAST))
        raw = np.where(attack > 0, raw, 0.0)
        raw[:, 0] = 0.0
        return np.maximum.accumulate(np.maximum(raw * (1.0 if day else FIRST), 0.0), axis=1), share

    def learn(self, rows: Rows, bins: Ints, today: Ints) -> None:
        """A day that is over; of a peer group ALIKE days at most count for one value."""
        alike: dict[tuple[int, int, int], int] = {}
        for at in today:
            kind = int(rows.person[at])
            self._first[kind] = int(rows.day[at]) if self._first[kind] < 0 else self._first[kind]
            self._total[kind] += 1
            self._able[kind] += bins[at] >= 0
            for signal in np.flatnonzero(bins[at] > 0):
                key = int(rows.peers[at]), int(signal), int(bins[at, signal])
                alike[key] = alike.get(key, 0) + 1
                if alike[key] <= ALIKE:
                    self._reached[kind, signal, : bins[at, signal] + 1] += 1
