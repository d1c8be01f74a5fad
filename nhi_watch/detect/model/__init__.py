"""The model that ships: what attacks and ordinary days look like anywhere, and how likely a day is an intrusion.

It holds, by signal, how often days of attack and the world's ordinary days reach each value (`habits` sets these shares
against the tenant's and the identity's own), the trees that read what habit leaves over (`forest`), and the calibration
from their log-odds to the **likelihood**, 0 to 100, the only number that a notable has.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch import __version__
from nhi_watch.core.errors import ModelError
from nhi_watch.detect.forest import Forest, grown, trees_of
from nhi_watch.state.store import loads

FOLDER = Path(__file__).parent
MODEL = "model.json"
MANIFEST = "manifest.json"
FORMAT = 6
"""Of the files: a program refuses a later one than it knows, and an earlier one too, for it says something else."""

EDGES: tuple[float, ...] = (
    0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0, 32.0,
)  # fmt: skip
"""Upper edges of the bins of signal values; a value on an edge belongs to the bin below it. They are fixed for life, so
that what was counted once can be weighed by any later model."""
BINS: int = len(EDGES) + 1
"""Bin 0 is the ordinary value 0; the last one has no upper edge."""

Bin = Optional[int]
"""None: cannot tell."""

Shares = tuple[float, ...]
"""By bin: the share of identity-days whose value is in this bin or a higher one; the first is 1."""
MACHINE: str = "machine"
PERSON: str = "person"
KINDS: tuple[str, ...] = (MACHINE, PERSON)
"""Whose habits are kept apart: machines, and people by their long-lived keys."""
SUREST = 99.0
"""No notable is called likelier."""
NEVER: Shares = (1.0,) + (0.0,) * (BINS - 1)


def bin_of(value: Optional[float]) -> Bin:
    """The bin of a value.

    >>> [bin_of(v) for v in (0.0, 0.2, 0.5, 2.3, 33.0, None)]
    [0, 1, 1, 5, 21, None]
    """
    return None if value is None else bisect_left(EDGES, value)


class Features(NamedTuple):
    """What the trees read of a day, signal by signal, once habit has taken its part: see `habits.Bound.features`.

    A signal that cannot tell counts as ordinary.
    """

    points: tuple[float, ...]
    bins: tuple[int, ...]


class Reading(NamedTuple):
    """Trees and their calibration."""

    trees: Forest
    slope: float
    """Calibration: likelihood = 100 / (1 + exp(-(slope × log-odds + offset))), after Platt (1999)."""
    offset: float
    plain: Sequence[Any] = ()
    """The trees as the file has them, over the model's own signals."""

    def log_odds(self, features: Features) -> float:
        """Calibrated log-odds of a day."""
        return self.slope * self.trees.log_odds(features.points + features.bins) + self.offset

    @property
    def ordinary(self) -> float:
        """Calibrated log-odds of an ordinary day."""
        return self.slope * self.trees.base + self.offset

    def aligned(self, signals: int, places: Sequence[int]) -> Reading:
        """The same for a version with so many signals; `places`: where those of the file are among them."""
        return self._replace(trees=grown(signals, trees_of(self.plain, places)))


class Model(NamedTuple):
    """Evidence of attacks, habits of the world, the trees, and their calibration."""

    id: str
    sha256: str
    signals: tuple[str, ...]
    attack: tuple[Shares, ...]
    """By signal: of days of attack."""
    ages: tuple[int, ...]
    """Days of history of a tenant for which the world's shares are given, in order."""
    world: tuple[tuple[tuple[Shares, ...], ...], ...]
    """By kind, by age, by signal: of ordinary identity-days of the training worlds."""
    readings: tuple[Reading, ...]
    """Of these the highest counts."""
    first: tuple[Reading, ...]
    """Those of a tenant's first day, where everything is new: see `on_first_day`."""
    prior: dict[str, dict[str, float]]
    """Dimension → value → share of identity-days in the training worlds; `*` stands for unseen values."""
    folder: Optional[Path] = None
    """Where it was loaded from."""

    def aligned(self, names: tuple[str, ...]) -> Model:
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
                tuple(tuple(NEVER if i is None else age_row[i] for i in at) for age_row in ages) for ages in self.world
            ),
            readings=tuple(each.aligned(len(names), places) for each in self.readings),
            first=tuple(each.aligned(len(names), places) for each in self.first),
        )

    def world_at(self, kind: str, age: int) -> tuple[Shares, ...]:
        """The world's shares of a kind for a tenant with so many days of history."""
        return self.world[KINDS.index(kind)][max(0, bisect_right(self.ages, age) - 1)]

    def on_first_day(self) -> Model:
        """The model for a tenant of whom nothing is known yet.

        Two readings, of which the higher counts: that of all days knows several strange things at once, that of first
        days what a single act is worth where everything is new.
        """
        return self._replace(readings=self.first)

    def reading(self, features: Features) -> Model:
        """The model by the reading that counts for a day."""
        return self._replace(readings=(max(self.readings, key=lambda each: each.log_odds(features)),))

    def log_odds(self, features: Features) -> float:
        """Calibrated log-odds of a day."""
        return max([each.log_odds(features) for each in self.readings])

    def likelihood(self, features: Features) -> float:
        """How likely a day is an intrusion, in percent, to one decimal."""
        return percent(self.log_odds(features))

    @property
    def ordinary(self) -> float:
        """Calibrated log-odds of an ordinary day, by the first reading."""
        return self.readings[0].ordinary

    def shares(self, features: Features) -> tuple[float, list[float]]:
        """The ordinary day's log-odds, and what each signal adds to them: together those of the likelihood."""
        (reading,) = self.reading(features).readings
        shares = reading.trees.shares([*features.points, *features.bins])
        return reading.ordinary, [round(reading.slope * each, 3) for each in shares]

    def elsewhere(self, dimension: str, value: str) -> float:
        """What the world does: share of identity-days with a value."""
        shares = self.prior.get(dimension)
        if shares is None:
            return 1.0
        return shares.get(value, shares["*"])


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
    bounded = min(99.99, max(0.01, likelihood))
    return log(bounded / (100.0 - bounded))


def load(folder: Path = FOLDER) -> Model:
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
        model = parse(loads(raw), digest)._replace(folder=folder)
        if (*manifest.get("signals", model.signals),) != model.signals or manifest.get("id", model.id) != model.id:
            raise ModelError(f"{folder}: model and manifest name other signals or another id; restore both files")
        return model
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{folder}: no usable model there ({error}); reinstall, or run `nhi train`") from error


def _gate(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse what another version has made: it may mean something else by the same words."""
    version = manifest.get("versions", {}).get("nhi_watch", __version__)
    form = manifest.get("format", 0)
    if form > FORMAT or _release(version) > _release(__version__):
        raise ModelError(
            f"{folder}: made by nhi_watch {version} (format {form}), this is {__version__} (format {FORMAT}); "
            "update the program, or take a model that this version has made"
        )
    if form < FORMAT:
        raise ModelError(
            f"{folder}: of an earlier format ({form}; this version reads {FORMAT}); "
            "take the shipped model, or train again"
        )


def _release(version: str) -> tuple[int, ...]:
    """Major and minor number: later patches change no meaning.

    >>> _release("0.10.3") > _release("0.9")
    True
    """
    return tuple(int(part) for part in version.split(".")[:2])


def parse(plain: dict[str, Any], digest: str = "") -> Model:
    """The model of a JSON document; `digest` is the SHA-256 of its file.

    Raises:
        ValueError: its bins are not those of this version, its shares do not fall, or a tree leads nowhere.
    """
    if tuple(plain["edges"]) != EDGES:
        raise ValueError("its bins are not those of this version")
    rows = plain["signals"]
    count = len(rows)
    calibration, first = plain["calibration"], plain["first"]
    places, slope = range(2 * count), float(calibration["slope"])
    nodes = trees_of(plain["trees"], places)
    forest = grown(count, nodes)
    first_forest = grown(count, [*nodes, *trees_of(first["trees"], places)])
    return Model(
        id=plain["id"],
        sha256=digest,
        signals=tuple(row["name"] for row in rows),
        attack=tuple(_shares(row["attack"]) for row in rows),
        ages=tuple(plain["ages"]),
        world=tuple(
            tuple(tuple(_shares(row["world"][kind][at]) for row in rows) for at in range(len(plain["ages"])))
            for kind in KINDS
        ),
        readings=(Reading(forest, slope, float(calibration["offset"]), plain["trees"]),),
        first=(
            Reading(forest, slope, float(calibration["first_offset"]), plain["trees"]),
            Reading(first_forest, float(first["slope"]), float(first["offset"]), [*plain["trees"], *first["trees"]]),
        ),
        prior=plain["prior"],
    )


def _shares(values: Sequence[float]) -> Shares:
    """The shares of all bins; those left out at the end are 0."""
    shares = (1.0, *values, *(0.0,) * (BINS - 1 - len(values)))
    if len(shares) != BINS or any(high > low for low, high in zip(shares, shares[1:])):
        raise ValueError("shares must fall from bin to bin")
    return shares
