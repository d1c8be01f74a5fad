"""Fits the model over many worlds: evidence of attacks, the world's habits, the trees, and the calibration.

Shares are counts. The trees are gradient boosting (scikit-learn's) over a day's points at home and its signals' bins,
rising in each, each incident with the same weight whatever its days, each generator with the same weight, whether its
attackers pad or not. Every number is rounded as it is written, so that what is judged here is what ships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Optional

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from nhi_watch.detect.forest import DIGITS
from nhi_watch.detect.model import BINS, KINDS
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import HISTORY
from nhi_watch_lab.evaluation.exams import family_of
from nhi_watch_lab.training import rows as days_as_rows
from nhi_watch_lab.training.rows import Bools, Floats, Ints, Rows, Shares, in_parallel, once

AGES = (0, 3, 7, 14)
"""Days of history of a tenant for which the world's habits are told apart."""
ENOUGH = 25
"""Identity-days that a world must have for its habits to be taken."""
POSITIVE_SHARE = 0.2
"""Weight of all incidents together, so that rare ones shape the trees; calibration undoes it."""
UNSEEN_ATTACK = 0.05
"""Share of days of attack that is assumed of a signal which no attack of the training worlds shows (a listed address, a
tool of attackers, a key that its provider has quarantined): what the worlds leave out is not worth nothing."""
UNSEEN_WORTH = ((2.0, 2.0), (6.0, 4.0), (12.0, 6.0))
"""Points above which such a signal adds so many log-odds, in a tree of its own."""
LINKED = ("across_products", "passed_on")
"""Signals of linked identities, which single days never show: their worth is not known, so it is none. Ordinary life
links identities all day long, and with an assumed worth these links were most of the false criticals."""
PREVALENCE = 0.005
"""Share of identity-days with an incident at which the likelihood is true: two a day in a company of 400 identities."""
INTERIM_PREVALENCE = 0.0075
"""The same of the models that score worlds for the calibration: worlds hold more incidents than life."""
FIRST_DAYS = ("first", "brief")
"""Variants of worlds that are a tenant's first day."""
TREES, LEAVES, RATE, SMALLEST = 150, 24, 0.08, 20
"""Chosen with generators left out (decision 17)."""


class FirstDays(NamedTuple):
    """The first days of a family of worlds."""

    hand: str
    """Generator of the worlds."""
    x: Floats
    """Identity-days × features."""
    log_odds: Floats
    """By the trees of all days, grown without the generator."""
    bad: Bools


class First(NamedTuple):
    """What a first day's log-odds are: slope × (the trees of all days + these) + offset."""

    trees: tuple[Any, ...]
    slope: float
    offset: float


class Fitted(NamedTuple):
    """Everything that goes into a model."""

    shares: Shares
    trees: tuple[Any, ...]
    """As the file has them: a split is [feature, highest, left, right], a leaf a number."""
    slope: float
    offset: float
    first_offset: float
    """Of a tenant's first day."""
    first: First
    """The second reading of that day."""


class Forests:
    """Models of worlds by several hands, some hands left out; what was grown once is kept."""

    def __init__(
        self,
        families: Mapping[str, Sequence[Rows]],
        workers: int = 1,
        more_first_days: Optional[Mapping[str, Sequence[Rows]]] = None,
    ) -> None:
        """`more_first_days`: worlds that teach first days alone, and not the trees of all days."""
        self._families = families
        self._more_first_days = more_first_days or {}
        self._workers = workers
        self._known: dict[str, tuple[Shares, tuple[Any, ...]]] = {}

    @property
    def hands(self) -> list[str]:
        """All whose worlds have incidents: controls have none."""
        attacked = (name for name, worlds in self._families.items() if any(rows.bad.any() for rows in worlds))
        return sorted(set(map(hand_of, attacked)))

    def grown(self, without: str = "") -> tuple[Shares, tuple[Any, ...]]:
        """Evidence, habits and trees of all hands but one."""
        if without not in self._known:
            seen = [worlds for name, worlds in self._families.items() if hand_of(name) != without]
            self._known[without] = grown(seen or [*self._families.values()], self._workers)
        return self._known[without]

    @cached_property
    def by_days(self) -> tuple[float, float]:
        """Slope and offset that make the likelihood true of single days, each told by trees that never saw its hand."""
        parts = list[Days]()
        for hand in sorted(set(map(hand_of, self._families))):
            shares, trees = self.grown(hand)
            worlds = [
                (rows, len(family))
                for name, family in self._families.items()
                if hand_of(name) == hand
                for rows in family
            ]
            read = features_of([rows for rows, _ in worlds], shares, self._workers)
            for (rows, alike), features in zip(worlds, read):
                x = log_odds(trees, features)[:, None]
                days = weighed(rows, x, tested(rows), INTERIM_PREVALENCE)
                parts.append(days._replace(weight=days.weight / days.weight.sum() / alike))
        return platt(Days(*(np.concatenate(column) for column in zip(*parts))))

    @cached_property
    def first_days(self) -> list[FirstDays]:
        """Each family's first days, as trees see them that never saw its hand."""
        families = [*self._families.items()]
        chosen = [(name, rows) for name, rows in families if name.partition(" ")[2] in FIRST_DAYS]
        return [self._first_days(hand_of(name), rows) for name, rows in [*chosen, *self._more_first_days.items()]]

    def _first_days(self, hand: str, family: Sequence[Rows]) -> FirstDays:
        shares, trees = self.grown(hand)
        first = np.concatenate([rows.day == 0 for rows in family])
        x = np.concatenate(features_of(family, shares, self._workers))[first]
        return FirstDays(hand, x, log_odds(trees, x), np.concatenate([rows.bad for rows in family])[first])


def platt(days: Days) -> tuple[float, float]:
    """Slope and offset that make log-odds true (Platt 1999)."""
    built = LogisticRegression(C=1e6).fit(days.x, days.y, sample_weight=days.weight)
    return round(float(built.coef_[0, 0]), 4), round(float(built.intercept_[0]), 4)


def grown(families: Sequence[Sequence[Rows]], workers: int = 1) -> tuple[Shares, tuple[Any, ...]]:
    """Evidence, habits and trees of some families of worlds, each of which weighs the same."""
    shares, parts = shares_of(even(families)), list[Days]()
    read = iter(features_of([rows for family in families for rows in family], shares, workers))
    for family in families:
        # a first-day world has one incident or none, others have dozens: worlds alone would leave them no weight
        days = [weighed(rows, next(read), tested(rows), POSITIVE_SHARE) for rows in family]
        total = sum(each.weight.sum() for each in days)
        parts += (_ordinary_once(each._replace(weight=each.weight / total)) for each in days)
    sample = Days(*(np.concatenate(column) for column in zip(*parts)))
    model = HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=SMALLEST,
        early_stopping=False,
        random_state=0,
        monotonic_cst=[1] * sample.x.shape[1],
    )
    model.fit(sample.x, sample.y, sample_weight=sample.weight / sample.weight.mean())
    unseen = np.flatnonzero(_unseen(shares) & ~np.isin(NAMES, LINKED))
    trees = [_tree(predictor[0].nodes, 0) for predictor in model._predictors]
    trees[0] = _shifted(trees[0], float(np.ravel(model._baseline_prediction)[0]))
    return _assumed(shares), (*trees, *(_of_unseen(int(at)) for at in unseen))


def _ordinary_once(days: Days) -> Days:
    """Days without any signal are all the same, and two of five: they are one row of their whole weight."""
    plain = ~days.x.any(1) & (days.y == 0)
    if not plain.any():
        return days
    plain_row = Days(np.zeros((1, days.x.shape[1])), np.zeros(1), np.array([days.weight[plain].sum()]))
    return Days(*(np.concatenate([part[~plain], of]) for part, of in zip(days, plain_row)))


def even(families: Sequence[Sequence[Rows]]) -> list[Rows]:
    """Each family's worlds, named again until they are as many as of the largest."""
    most = max(map(len, families))
    return [family[at % len(family)] for family in families for at in range(most)]


def tested(rows: Rows) -> Bools:
    """The days from a world's first incident on: those before it would say that nobody attacks a young tenant.

    Where there is no incident at all: all days.
    """
    begins = rows.day[rows.bad].min() if rows.bad.any() else 0
    return np.asarray(rows.day >= begins)


def features(rows: Rows, shares: Shares) -> Floats:
    """Points, then bins: what `nhi_watch.detect.model` calls a day's features."""
    return days_as_rows.features(rows, _assumed(shares))


def features_of(worlds: Sequence[Rows], shares: Shares, workers: int) -> list[Floats]:
    """Those of some worlds, each with the evidence and the world's habits of a model."""
    return in_parallel([joblib.delayed(features)(rows, shares) for rows in worlds], workers)


def _tree(nodes: Any, at: int) -> Any:
    node = nodes[at]
    if node["is_leaf"]:
        return round(float(node["value"]), DIGITS)
    sides = (_tree(nodes, int(node[side])) for side in ("left", "right"))
    return [int(node["feature_idx"]), round(float(node["num_threshold"]), 3), *sides]


def _shifted(tree: Any, by: float) -> Any:
    """A tree whose leaves have so much more: what boosting starts from."""
    if isinstance(tree, list):
        return [*tree[:2], *(_shifted(side, by) for side in tree[2:])]
    return round(tree + by, DIGITS)


def _of_unseen(feature: int) -> Any:
    tree: Any = UNSEEN_WORTH[-1][1]
    below = [0.0, *(worth for _, worth in UNSEEN_WORTH[:-1])]
    for (least, _), worth in reversed([*zip(UNSEEN_WORTH, below)]):
        tree = [feature, least, worth, tree]
    return tree


def log_odds(trees: Sequence[Any], x: Floats) -> Floats:
    """Of many days at once."""
    columns, sums = np.asfortranarray(x), np.zeros(len(x))
    for tree in trees:
        _add_leaves(tree, columns, np.arange(len(x)), sums)
    return sums


def _add_leaves(tree: Any, x: Floats, rows: Ints, sums: Floats) -> None:
    if not isinstance(tree, list):
        sums[rows] += tree
        return
    feature, highest, low, high = tree
    left = x[rows, feature] <= highest
    _add_leaves(low, x, rows[left], sums)
    _add_leaves(high, x, rows[~left], sums)


def _unseen(shares: Shares) -> Bools:
    return np.asarray(shares.attack[:, 1] == 0)


def _assumed(shares: Shares) -> Shares:
    """The evidence, with an assumption where there is none."""
    attack = shares.attack.copy()
    attack[_unseen(shares), 1:] = UNSEEN_ATTACK
    return shares._replace(attack=attack)


def shares_of(worlds: Sequence[Rows]) -> Shares:
    """Evidence and habits of some worlds."""
    return Shares(_attack(worlds), AGES, np.array([_habits(worlds, kind) for kind in range(len(KINDS))]))


def _attack(worlds: Sequence[Rows]) -> Floats:
    """Signals × bins: share of days of attack that reach a bin; each technique and origin weighs the same."""
    bins = {id(rows): rows.bins for rows in worlds}
    days = [
        (bins[id(rows)][at], rows.technique[at]) for rows in worlds for at in np.flatnonzero(_warm(rows) & rows.bad)
    ]
    alike = Counter(technique for _, technique in days)
    weights = np.array([1 / alike[technique] for _, technique in days])
    return _reached(np.array([bins for bins, _ in days]), weights)


def _warm(rows: Rows) -> Bools:
    return np.asarray(rows.day >= AGES[1])


def _habits(worlds: Sequence[Rows], kind: int) -> Floats:
    """Ages × signals × bins: the mean over worlds of the share of ordinary days that reach a bin."""
    by_age: list[Floats] = []
    for low, high in zip(AGES, (*AGES[1:], 10**6)):
        each = {id(rows): _habit(rows, kind, (low, high)) for rows in once(worlds)}
        shares = [each[id(rows)] for rows in worlds]
        measured = [share for share in shares if share is not None]
        by_age.append(np.mean(measured, axis=0) if measured else by_age[-1] if by_age else _all_of(worlds))
    return np.array(by_age)


def _habit(rows: Rows, kind: int, span: tuple[int, int]) -> Floats | None:
    known = rows.own_days >= min(HISTORY, span[0])
    mask = ~rows.bad & (rows.day >= span[0]) & (rows.day < span[1]) & (rows.person == bool(kind)) & known
    return _reached(rows.bins[mask], np.ones(int(mask.sum())), 0.5) if mask.sum() >= ENOUGH else None


def _all_of(worlds: Sequence[Rows]) -> Floats:
    """Where no world has days of a kind and age: those of everybody."""
    bins = np.concatenate([rows.bins[~rows.bad] for rows in worlds])
    return _reached(bins, np.ones(len(bins)), 0.5)


def _reached(bins: np.typing.NDArray[np.int64], weights: Floats, more: float = 0.0) -> Floats:
    """Signals × bins: weighed share of the days that reach a bin, of those that can tell; `more` days on top."""
    shares = np.ones((bins.shape[1], BINS))
    for signal, column in enumerate(bins.T):
        able = column >= 0
        counts = np.bincount(column[able], weights[able], BINS)
        shares[signal] = (counts[::-1].cumsum()[::-1] + more) / (max(counts.sum(), 1e-9) + 2 * more)
    shares[:, 0] = 1.0
    return np.asarray(np.minimum.accumulate(np.clip(shares, 0.0, 1.0), axis=1))


class Days(NamedTuple):
    """Identity-days to be fitted on."""

    x: Floats
    y: Floats
    weight: Floats


def weighed(rows: Rows, x: Floats, mask: Bools, share: float) -> Days:
    """Those days of a world; its incidents have `share` of the weight, each the same.

    A world without incidents weighs as the ordinary days of one with a single incident.
    """
    bad, names = rows.bad[mask], rows.incident[mask]
    days = Counter(names[bad].tolist())
    weight = np.ones(len(bad))
    weight[bad] = [1 / days[name] for name in names[bad]]
    weight[~bad] = max(1, len(days)) * (1 - share) / share / max(1, int((~bad).sum()))
    return Days(x[mask], bad.astype(float), weight)


def hand_of(family: str) -> str:
    """Whose worlds a family's are, padded or not: what is left out together.

    >>> hand_of("fifth padded"), hand_of("old")
    ('fifth', 'drawn')
    """
    return family_of(family.partition(" ")[0])
