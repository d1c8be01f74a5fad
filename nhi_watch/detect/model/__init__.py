"""The model that ships: what attacks and ordinary days look like anywhere, and how likely a day is an intrusion.

It holds, by signal, how often days of attack and the world's ordinary days reach each value (points set these shares
against the tenant's own, see below), the trees that read a day's points and bins, and the calibration from their
log-odds to the **likelihood**, 0 to 100, the only number that a notable has.

**Trees** say what signals mean together, as log-odds, and each signal's share of them. A day's features are its points
by signal, then its bins by signal. The ordinary day has none: all are 0. Trees rise in every feature, so that no reason
lowers the log-odds, and leaving one out never raises them. Shares are exact Shapley values (Shapley 1953) of the trees
against the ordinary day, a signal's points and bin together being one player. A leaf is reached by a coalition of
signals if it holds all of U, whose values only the judged day has, and none of V, where only the ordinary day fits.
Such a game gives each of U value × (u−1)! v! / (u+v)!, and each of V the negative of value × u! (v−1)! / (u+v)!.

**Points** are what a signal's value is worth at home: how much more usual it is on days of attack than on the tenant's.

    points = log2(share of attack days that reach the value ÷ share of the tenant's own identity-days that do)

The home share is shrunk towards the world's by STRENGTH identity-days, and by as many as are missing until the tenant
has FULL days of history of its own. A ratio of two shares is not monotone by itself: points are its running maximum
over the bins, never below 0, rounded to 0.01, so that all hosts agree to the last digit.

An identity's own days count from the first on, with OWN_STRENGTH days of the home share beside them: a value that it
reaches on most days is no news. They take away at most half of a signal's points, and what was news itself waits.

People's long-lived keys are weighed by the habits of people's keys, machines by those of machines.

What is counted lies in the tenant's profile as the dimension `signal` (value `KIND/NAME:BIN` → identity-days, `KIND/*`
→ how many were counted, once an identity has a history of HISTORY days) and in the identity's own as `habit`.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from math import exp, factorial, log, log2
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from nhi_watch import __version__
from nhi_watch.core.errors import ModelError
from nhi_watch.state.baseline import EVERY, HABIT, HISTORY, SIGNAL, Delta, Profile, Seen

FOLDER = Path(__file__).parent
MODEL = "model.json"
MANIFEST = "manifest.json"
FORMAT = 4
"""Of the files: a program refuses a later one than it knows, and an earlier one too, for it says something else."""

EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0, 32.0)
"""Upper edges of the bins of signal values; a value on an edge belongs to the bin below it. They are fixed for life, so
that what was counted once can be weighed by any later model."""
BINS = len(EDGES) + 1
"""Bin 0 is the ordinary value 0; the last one has no upper edge."""

Bin = Optional[int]
"""None: cannot tell."""

Shares = tuple[float, ...]
"""By bin: the share of identity-days whose value is in this bin or a higher one; the first is 1."""
MACHINE, PERSON = KINDS = ("machine", "person")
"""Of whom habits are told apart: machines, and people by their long-lived keys."""
SUREST = 99.0
"""No notable is told to be likelier."""
NEVER: Shares = (1.0,) + (0.0,) * (BINS - 1)


def bin_of(value: Optional[float]) -> Bin:
    """The bin of a value.

    >>> [bin_of(v) for v in (0.0, 0.2, 0.5, 2.3, 33.0, None)]
    [0, 1, 1, 5, 21, None]
    """
    return None if value is None else bisect_left(EDGES, value)


# ---- trees

Split = tuple[int, float, Any, Any]
"""Feature, the highest value that goes left, what is to the left and what is to the right."""
Node = Union[float, Split]
DIGITS = 4
"""Of leaves: sums are the same on every host."""
_KNOWN = 10_000
"""Features that are remembered: some 10 MB."""


class Forest(NamedTuple):
    """Trees that are added up."""

    signals: int
    """How many; features are twice as many."""
    base: float
    """Log-odds of the ordinary day."""
    trees: tuple[Node, ...]
    ordinary: tuple[float, ...]
    """By tree: the leaf of the ordinary day."""
    asked: Mapping[int, tuple[int, ...]]
    """Feature → trees that ask for it on the ordinary day's way: all others give the ordinary leaf whatever it is."""
    known: dict[tuple[float, ...], float]
    """Log-odds of features that were asked: of a day's behaviours four in five are like another one."""

    def log_odds(self, x: Sequence[float]) -> float:
        """Of a day with such features.

        >>> forest = grown(1, [(0, 2.0, -3.0, 1.5)])
        >>> forest.log_odds([0.0, 0.0]), forest.log_odds([2.5, 5.0])
        (-3.0, 1.5)
        """
        key = tuple(x)
        if key not in self.known:
            found = self.base
            for at in self._touched(x):
                found += _leaf(self.trees[at], x) - self.ordinary[at]
            if len(self.known) >= _KNOWN:
                self.known.clear()
            self.known[key] = round(found, DIGITS)
        return self.known[key]

    def shares(self, x: Sequence[float]) -> list[float]:
        """By signal: what it adds to the ordinary day's log-odds; all together with `base` they are the log-odds.

        >>> forest = grown(2, [(0, 1.0, -3.0, (1, 1.0, -1.0, 3.0))])
        >>> forest.shares([2.0, 2.0, 0.0, 0.0])
        [4.0, 2.0]
        """
        found = [0.0] * self.signals
        for at in self._touched(x):
            _share(self.trees[at], x, self.signals, frozenset(), frozenset(), found)
        return found

    def _touched(self, x: Sequence[float]) -> list[int]:
        return sorted({at for feature, value in enumerate(x) if value for at in self.asked.get(feature, ())})


def _leaf(node: Node, x: Sequence[float]) -> float:
    while isinstance(node, tuple):
        node = node[2] if x[node[0]] <= node[1] else node[3]
    return node


def _share(
    node: Node, x: Sequence[float], signals: int, mine: frozenset[int], usual: frozenset[int], found: list[float]
) -> None:  # fmt: skip
    """Go down both ways where the judged day and the ordinary one part."""
    while isinstance(node, tuple):
        feature, highest, left, right = node
        day, ordinary = (left if x[feature] <= highest else right), (left if highest >= 0 else right)
        if day is ordinary:
            node = day
            continue
        signal = feature % signals
        if signal in mine:
            node = day
        elif signal in usual:
            node = ordinary
        else:
            _share(day, x, signals, mine | {signal}, usual, found)
            node, usual = ordinary, usual | {signal}
    u, v = len(mine), len(usual)
    for signal in mine:
        found[signal] += node * factorial(u - 1) * factorial(v) / factorial(u + v)
    for signal in usual:
        found[signal] -= node * factorial(u) * factorial(v - 1) / factorial(u + v)


def grown(signals: int, trees: Sequence[Node], base: float = 0.0) -> Forest:
    """A forest of some trees; `base` is added to them.

    Raises:
        ValueError: a tree asks for a feature that is none.
    """
    zero = [0.0] * (2 * signals)
    asked: dict[int, list[int]] = {}
    for at, tree in enumerate(trees):
        for feature in _way(tree):
            if not 0 <= feature < 2 * signals:
                raise ValueError(f"a tree asks for feature {feature} of {2 * signals}")
            asked.setdefault(feature, []).append(at)
    ordinary = tuple(_leaf(tree, zero) for tree in trees)
    told = {feature: tuple(ats) for feature, ats in asked.items()}
    return Forest(signals, round(base + sum(ordinary), DIGITS), tuple(trees), ordinary, told, {})


def _way(node: Node) -> set[int]:
    """The features that a tree asks of the ordinary day."""
    found = set()
    while isinstance(node, tuple):
        found.add(node[0])
        node = node[2] if node[1] >= 0 else node[3]
    return found


def trees_of(plain: Sequence[Any], places: Sequence[int]) -> list[Node]:
    """The trees of a JSON document: a split is [feature, highest, left, right], a leaf a number.

    `places`: where each of the document's features stands now; -1: nowhere, so that it is never odd.

    Raises:
        ValueError: a tree is none.
    """
    return [_node(tree, places, 0) for tree in plain]


DEEPEST = 64
"""Splits on the way to a leaf: a model that nests deeper is none."""


def _node(told: Any, places: Sequence[int], depth: int) -> Node:
    if not isinstance(told, list):
        return float(told)
    if len(told) != 4 or depth > DEEPEST or not 0 <= int(told[0]) < len(places):
        raise ValueError("a tree of the model leads nowhere")
    feature, highest, left, right = int(told[0]), float(told[1]), told[2], told[3]
    if places[feature] < 0:
        return _node(left if highest >= 0 else right, places, depth + 1)
    return places[feature], highest, _node(left, places, depth + 1), _node(right, places, depth + 1)


# ---- the model


class Scorecard(NamedTuple):
    """Evidence of attacks, habits of the world, the trees, and their calibration."""

    id: str
    sha256: str
    signals: tuple[str, ...]
    attack: tuple[Shares, ...]
    """By signal: of days of attack."""
    ages: tuple[int, ...]
    """Days of history of a tenant for which the world's shares are told, in order."""
    world: tuple[tuple[tuple[Shares, ...], ...], ...]
    """By kind, by age, by signal: of ordinary identity-days of the training worlds."""
    trees: Forest
    slope: float
    """Calibration: likelihood = 100 / (1 + exp(-(slope × log-odds + offset))), after Platt (1999)."""
    offset: float
    prior: dict[str, dict[str, float]]
    """Dimension → value → share of identity-days in the training worlds; `*` stands for unseen values."""
    folder: Optional[Path] = None
    """Where it was loaded from."""
    plain: Sequence[Any] = ()
    """The trees as the file has them, over its own signals."""

    def aligned(self, names: tuple[str, ...]) -> Scorecard:
        """The model for the signals of this version: one that it does not know has no points, one that is gone is never
        odd."""
        if self.signals == names:
            return self
        place = {name: at for at, name in enumerate(self.signals)}
        now = {name: at for at, name in enumerate(names)}
        at = [place.get(name) for name in names]
        own = [now.get(name, -1) for name in self.signals]
        places = [*own, *(each + len(names) if each >= 0 else -1 for each in own)]
        return self._replace(
            signals=names,
            attack=tuple(NEVER if i is None else self.attack[i] for i in at),
            world=tuple(
                tuple(tuple(NEVER if i is None else told[i] for i in at) for told in ages) for ages in self.world
            ),
            trees=grown(len(names), trees_of(self.plain, places)),
        )

    def world_at(self, kind: str, age: int) -> tuple[Shares, ...]:
        """The world's shares of a kind for a tenant with so many days of history."""
        return self.world[KINDS.index(kind)][max(0, bisect_right(self.ages, age) - 1)]

    def log_odds(self, points: Sequence[float], values: Sequence[Optional[float]]) -> float:
        """Calibrated log-odds of a day with these points and signal values; what cannot be told counts as ordinary."""
        return self.slope * self.trees.log_odds(_features(points, values)) + self.offset

    def likelihood(self, points: Sequence[float], values: Sequence[Optional[float]]) -> float:
        """How likely such a day is an intrusion, in percent, to one decimal."""
        return percent(self.log_odds(points, values))

    @property
    def ordinary(self) -> float:
        """Calibrated log-odds of an ordinary day."""
        return self.slope * self.trees.base + self.offset

    def shares(self, points: Sequence[float], values: Sequence[Optional[float]]) -> tuple[float, list[float]]:
        """The ordinary day's log-odds, and what each signal adds to them: together those of the likelihood."""
        told = self.trees.shares(_features(points, values))
        return self.ordinary, [round(self.slope * each, 3) for each in told]

    def elsewhere(self, dimension: str, value: str) -> float:
        """What the world does: share of identity-days with a value."""
        shares = self.prior.get(dimension)
        if shares is None:
            return 1.0
        return shares.get(value, shares["*"])


def _features(points: Sequence[float], values: Sequence[Optional[float]]) -> list[float]:
    return [*points, *(bisect_left(EDGES, value) if value else 0 for value in values)]


def percent(log_odds: float) -> float:
    """Log-odds as a likelihood between 0 and SUREST, in percent.

    >>> percent(0.0), percent(9.0), percent(-800.0)
    (50.0, 99.0, 0.0)
    """
    return round(min(SUREST, 100.0 / (1.0 + exp(-max(-60.0, min(60.0, log_odds))))), 1)


def log_odds_of(likelihood: float) -> float:
    """The log-odds of a likelihood in percent, held between 0.01 and 99.99.

    >>> round(log_odds_of(50.0), 4), round(log_odds_of(80.0), 4)
    (0.0, 1.3863)
    """
    held = min(99.99, max(0.01, likelihood))
    return log(held / (100.0 - held))


def load(folder: Path = FOLDER) -> Scorecard:
    """The model of a folder, after its hash was checked against the manifest.

    Raises:
        ModelError: a file is missing, is no JSON, does not match the manifest, or is of another version.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        _gate(folder, manifest)
        raw = (folder / MODEL).read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if digest != manifest["sha256"]:
            raise ModelError(
                f"{folder / MODEL}: SHA-256 is {digest[:12]}…, the manifest says {manifest['sha256'][:12]}…; "
                "restore the file that belongs to the manifest, or train again"
            )
        card = parse(json.loads(raw), digest)._replace(folder=folder)
        if (*manifest.get("signals", card.signals),) != card.signals or manifest.get("id", card.id) != card.id:
            raise ModelError(f"{folder}: model and manifest name other signals or another id; restore both files")
        return card
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{folder}: no usable model there ({error}); reinstall, or run `nhi train`") from error


def _gate(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse what another version has made: it may mean something else by the same words."""
    made = manifest.get("versions", {}).get("nhi_watch", __version__)
    form = manifest.get("format", 0)
    if form > FORMAT or _release(made) > _release(__version__):
        raise ModelError(
            f"{folder}: made by nhi_watch {made} (format {form}), this is {__version__} (format {FORMAT}); "
            "update the program, or take a model that this version has made"
        )
    if form < FORMAT:
        raise ModelError(
            f"{folder}: of an earlier format ({form}; this version reads {FORMAT}), which told no likelihood; "
            "take the shipped model, or train again"
        )


def _release(version: str) -> tuple[int, ...]:
    """Major and minor number: later patches change no meaning.

    >>> _release("0.10.3") > _release("0.9")
    True
    """
    return tuple(int(part) for part in version.split(".")[:2])


def parse(plain: dict[str, Any], digest: str = "") -> Scorecard:
    """The model of a JSON document; `digest` is the SHA-256 of its file.

    Raises:
        ValueError: its bins are not those of this version, its shares do not fall, or a tree leads nowhere.
    """
    if tuple(plain["edges"]) != EDGES:
        raise ValueError("its bins are not those of this version")
    rows = plain["signals"]
    count = len(rows)
    return Scorecard(
        id=plain["id"],
        sha256=digest,
        signals=tuple(row["name"] for row in rows),
        attack=tuple(_shares(row["attack"]) for row in rows),
        ages=tuple(plain["ages"]),
        world=tuple(
            tuple(tuple(_shares(row["world"][kind][at]) for row in rows) for at in range(len(plain["ages"])))
            for kind in KINDS
        ),
        trees=grown(count, trees_of(plain["trees"], range(2 * count))),
        slope=float(plain["calibration"]["slope"]),
        offset=float(plain["calibration"]["offset"]),
        prior=plain["prior"],
        plain=plain["trees"],
    )


def _shares(told: Sequence[float]) -> Shares:
    """The shares of all bins; those left out at the end are 0."""
    shares = (1.0, *told, *(0.0,) * (BINS - 1 - len(told)))
    if len(shares) != BINS or any(high > low for low, high in zip(shares, shares[1:])):
        raise ValueError("shares must fall from bin to bin")
    return shares


# ---- what a value is worth at home

SETTLED = 2
"""Active days from which they count for itself."""
FULL = 14
"""Days of history from which a tenant stands for itself."""
STRENGTH = 20.0
"""Identity-days that the world's shares weigh beside the tenant's own."""
OWN_STRENGTH = 8.0
"""Days that the home share weighs beside the identity's own."""
NEAR = 0.6
"""Part of a value that an earlier day must have reached for the value to be no news."""
LEAST = 1e-9
FIRST = 1.5
"""What points count on a tenant's first day: its news is usual in the world, and sums of ordinary days reach two thirds
of what they reach later."""
COLD = 3
"""Days of a tenant's history before which amounts are read absolutely: there is no past to hold them against."""
BLUNT = {"mass_by_stranger": 8}
"""Signal → bin from which it is then worth BLUNT_POINTS by itself: six hundred reads a day by somebody hardly known."""
BLUNT_POINTS = 8.0

Row = Sequence[Optional[float]]
Points = tuple[float, ...]
Own = tuple[int, int]
"""The identity's earlier days that came near a value, and how many are counted."""


def counted(names: Sequence[str], values: Row) -> dict[str, int]:
    """What a day adds to a dimension: each signal's bin.

    >>> counted(("bulk", "new_action", "new_agent"), (0.0, 3.0, None))
    {'new_action:6': 1, 'new_agent:?': 1}
    """
    return {f"{name}:{'?' if value is None else bin_of(value)}": 1 for name, value in zip(names, values) if value != 0}


class Home:
    """The points of every signal's bins for a tenant's machines, or its people's keys, on the eve of a day.

    `linked`: signals that no identity's day shows by itself: they are not counted, and have the world's share.
    """

    def __init__(
        self, card: Scorecard, tenant: Profile, today: int, kind: str = MACHINE, linked: Collection[str] = ()
    ) -> None:
        history = today - tenant.first if tenant.days else 0
        self.card = card
        self._linked = linked
        self._times = 1.0 if history else FIRST
        self.kind = kind
        self._seen = tenant.dimension(SIGNAL).values
        known = self._seen.get(f"{kind}/{EVERY}")
        self.total = known.days if known else 0
        age = today - known.first if known else 0
        self._world = card.world_at(kind, history)
        self._blunt = BLUNT if history < COLD else {}
        self.strength = STRENGTH + max(0, FULL - age) * (self.total / max(1, age) if known else 1.0)
        self._tables: dict[int, tuple[tuple[int, ...], int]] = {}
        self._points: dict[int, Points] = {}

    def reached(self, at: int) -> tuple[tuple[int, ...], int]:
        """By bin: identity-days that reached it or a higher one; and how many could tell."""
        found = self._tables.get(at)
        if found is None:
            name = f"{self.kind}/{self.card.signals[at]}"
            days = [_days(self._seen, f"{name}:{bin}") for bin in range(BINS)]
            from_the_top = tuple(accumulate(reversed(days)))[::-1]
            total = max(0, self.total - _days(self._seen, f"{name}:?"))
            is_linked = self.card.signals[at] in self._linked
            found = self._tables[at] = ((0,) * BINS, 0) if is_linked else (from_the_top, total)
        return found

    def share(self, at: int, bin: int) -> float:
        """The tenant's share of identity-days that reach a bin, shrunk towards the world's."""
        reached, total = self.reached(at)
        return (reached[bin] + self.strength * self._world[at][bin]) / (total + self.strength)

    def points(self, at: int) -> Points:
        """The points of a signal's bins."""
        found = self._points.get(at)
        if found is None:
            found = self._points[at] = tuple(self._rising(at))
        return found

    def _rising(self, at: int) -> Iterable[float]:
        most = 0.0
        blunt = self._blunt.get(self.card.signals[at], BINS)
        yield 0.0
        for bin in range(1, BINS):
            attack = self.card.attack[at][bin]
            if attack > 0:
                most = max(most, self._times * log2(attack / max(LEAST, self.share(at, bin))))
            if bin >= blunt:
                most = max(most, BLUNT_POINTS)
            yield round(most, 2)

    def worth(self, at: int, bin: int, own: Own) -> float:
        """The points of a bin for an identity of which so many days came near it, of so many."""
        usual, (near, days) = self.points(at)[bin], own
        if not usual or not days:
            return usual
        share = (near + OWN_STRENGTH * self.share(at, bin)) / (days + OWN_STRENGTH)
        news = self._times * log2(max(LEAST, self.card.attack[at][bin]) / max(LEAST, share))
        return round(min(usual, max(usual / 2, news)), 2)


class Bound:
    """The model as it holds for one identity of a tenant, on the eve of a day."""

    __slots__ = ("_bins", "_days", "_own", "home")

    def __init__(self, home: Home, own: Profile) -> None:
        self.home = home
        self._own = own.dimension(HABIT).values
        self._days = _days(self._own, EVERY)
        self._bins: Optional[dict[str, list[int]]] = None

    @property
    def card(self) -> Scorecard:
        """The model itself."""
        return self.home.card

    def points(self, values: Row) -> Points:
        """The points of each signal; 0 for what is ordinary, cannot be told, or is unknown to the model."""
        return tuple([self.worth(at, value) if value else 0.0 for at, value in enumerate(values)])

    def total(self, values: Row) -> float:
        """The sum of the points."""
        return total(self.points(values))

    def worth(self, at: int, value: float) -> float:
        """The points of a signal's value."""
        bin = bin_of(value) or 0
        if not self.home.points(at)[bin]:
            return 0.0
        return self.home.worth(at, bin, self.own(at, value))

    def own(self, at: int, value: float) -> Own:
        """The identity's earlier days that came near a value, and how many are counted."""
        name, low = self.card.signals[at], bin_of(NEAR * value) or 0
        if self._bins is None:
            self._bins = _by_bin(self._own)
        return sum(self._bins.get(name, [])[max(1, low) :]), self._days

    def usual(self, at: int, value: float) -> list[Any]:
        """How usual a value is, in counts with which its points can be checked: the signal, the bin, identity-days of
        the tenant that reached it, of how many; the identity's own; the share of days of attack that reach it."""
        bin = bin_of(value) or 0
        reached, size = self.home.reached(at)
        return [self.card.signals[at], bin, (reached[bin], size), self.own(at, value), self.card.attack[at][bin]]


def total(points: Sequence[float]) -> float:
    """The sum of points, the same on every host."""
    return round(sum(round(each * 100) for each in points if each) / 100, 2)


def _days(seen: Mapping[str, Seen], value: str) -> int:
    found = seen.get(value)
    return found.days if found is not None else 0


def _by_bin(seen: Mapping[str, Seen]) -> dict[str, list[int]]:
    """Signal → its days by bin; where it could not tell is no bin."""
    found: dict[str, list[int]] = {}
    for value, told in seen.items():
        name, _, bin = value.rpartition(":")
        if bin.isdecimal() and int(bin) < BINS:
            found.setdefault(name, [0] * BINS)[int(bin)] = told.days
    return found


# ---- what an identity's day leaves behind for later days

LIKELIHOOD = "likelihood"
"""Dimension of an identity's own profile: how likely an intrusion its days were, in whole percent."""
LOOKS_BAD = 17.0
"""Likelihood from which a behaviour, or all that is news in a day, is learnt only when it has come back, see
`Profile.hold`: at the calibrated prevalence a day in a hundred is so likely."""
ODD = 4.0
"""Likelihood from which a day's signal values are a habit only when they have come back, lest days that just pass
unseen make the next one look usual. Twice within QUARANTINE days it is as bad as LOOKS_BAD, lest what is tried piece by
piece is learnt piece by piece; what is odd once is learnt at once."""


def highest(own: Profile, since: int) -> float:
    """The highest likelihood that an identity is remembered to have had on a day from `since` on; 0 without any."""
    seen = own.dimension(LIKELIHOOD).values
    return max((float(told) for told, each in seen.items() if each.last >= since), default=0.0)


def remembered(bound: Bound, days: int, values: Sequence[Optional[float]], likelihood: float) -> tuple[Delta, Delta]:
    """What a day's signals leave in the profiles at once, and what only when it has come back; `days`: known before."""
    now: Delta = {LIKELIHOOD: {str(int(likelihood)): 1}}
    later: Delta = {}
    told, kind = counted(bound.card.signals, values), bound.home.kind
    waits = likelihood >= ODD
    if days >= SETTLED:
        now[HABIT] = {EVERY: 1, **({} if waits else told)}
        later[HABIT] = told if waits else {}
    if days >= HISTORY:
        at_home = {f"{kind}/{name}": 1 for name in told}
        now[SIGNAL] = {f"{kind}/{EVERY}": 1, **({} if waits else at_home)}
        later[SIGNAL] = at_home if waits else {}
    return now, {name: values for name, values in later.items() if values}
