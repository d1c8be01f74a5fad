"""The scorecard that ships: how often days of attack, and the world's ordinary days, reach each value of each signal.

What a value is worth at home is told by `home`, which sets these shares against the tenant's own.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch import __version__
from nhi_watch.core.errors import ModelError
from nhi_watch.detect.model import order
from nhi_watch.detect.model.digests import checked
from nhi_watch.detect.model.order import Order

FOLDER = Path(__file__).parent
SCORECARD = "scorecard.json"
MANIFEST = "manifest.json"
FORMAT = 3
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
KINDS: tuple[str, ...] = ("machine", "person")
"""Of whom habits are told apart: machines, and people by their long-lived keys."""
SUREST = 0.95
"""No notable tells more."""
EVEN, STEEP, BESIDE = 1.2, 2.15, 0.35
"""A notable of EVEN times the points at which the scorecard is even is, if the second card says nothing, as likely
benign as not; its odds grow with the power STEEP of its points, and BESIDE of the second card's log-odds count: fitted
over validation worlds, of what is written at 10 a day and 1,000 (decision 0011)."""
NEVER: Shares = (1.0,) + (0.0,) * (BINS - 1)


def bin_of(value: Optional[float]) -> Bin:
    """The bin of a value.

    >>> [bin_of(v) for v in (0.0, 0.2, 0.5, 2.3, 33.0, None)]
    [0, 1, 1, 5, 21, None]
    """
    return None if value is None else bisect_left(EDGES, value)


class Scorecard(NamedTuple):
    """Evidence of attacks, habits of the world, and the calibration from points to probability."""

    id: str
    sha256: str
    signals: tuple[str, ...]
    attack: tuple[Shares, ...]
    """By signal: of days of attack."""
    ages: tuple[int, ...]
    """Days of history of a tenant for which the world's shares are told, in order."""
    world: tuple[tuple[tuple[Shares, ...], ...], ...]
    """By kind, by age, by signal: of ordinary identity-days of the training worlds."""
    weights: tuple[float, ...]
    """By signal: the part of its points that counts; below 1 where other signals say the same."""
    slope: float
    """Calibration: probability = 1 / (1 + exp(-(slope × points + offset))), after Platt (1999)."""
    offset: float
    prior: dict[str, dict[str, float]]
    """Dimension → value → share of identity-days in the training worlds; `*` stands for unseen values."""
    folder: Optional[Path] = None
    """Where it was loaded from."""
    order: Optional[Order] = None
    """The second card."""

    def aligned(self, names: tuple[str, ...]) -> Scorecard:
        """The card for the signals of this version: one that it does not know has no points."""
        place = {name: at for at, name in enumerate(self.signals)}
        at = [place.get(name) for name in names]
        return self._replace(
            signals=names,
            attack=tuple(NEVER if i is None else self.attack[i] for i in at),
            world=tuple(
                tuple(tuple(NEVER if i is None else told[i] for i in at) for told in ages) for ages in self.world
            ),
            weights=tuple(0.0 if i is None else self.weights[i] for i in at),
            order=self.order and self.order.aligned(names),
        )

    def world_at(self, kind: str, age: int) -> tuple[Shares, ...]:
        """The world's shares of a kind for a tenant with so many days of history."""
        return self.world[KINDS.index(kind)][max(0, bisect_right(self.ages, age) - 1)]

    def probability(self, points: float) -> float:
        """The calibrated probability of a sum of points, to 4 decimals."""
        return round(1.0 / (1.0 + exp(-max(-60.0, min(60.0, self.slope * points + self.offset)))), 4)

    def told(self, points: float, trust: float, together: Optional[float] = None) -> float:
        """The probability that a notable tells, by what a point counts here, see `drift.trust`; never above SUREST.

        `together`: log-odds of the second card, None: the model has none.
        """
        odds: float = (trust * points / (EVEN * self.points(0.5))) ** STEEP * exp(BESIDE * (together or 0.0))
        return round(min(SUREST, odds / (1.0 + odds)), 4)

    def points(self, probability: float) -> float:
        """The sum of points that has a probability."""
        return (log(probability / (1.0 - probability)) - self.offset) / self.slope

    def score(self, points: float) -> float:
        """The score, 0–100, of a sum of points."""
        return score_of(self.probability(points))

    def elsewhere(self, dimension: str, value: str) -> float:
        """What the world does: share of identity-days with a value."""
        shares = self.prior.get(dimension)
        if shares is None:
            return 1.0
        return shares.get(value, shares["*"])


def score_of(probability: float) -> float:
    """Score 0–100, one decimal.

    >>> score_of(0.8125)
    81.2
    """
    return round(probability * 100, 1)


def load(folder: Path = FOLDER) -> Scorecard:
    """The scorecard of a folder, after its hash was checked against the manifest.

    Raises:
        ModelError: a file is missing, is no JSON, does not match the manifest, or is of another version.
    """
    try:
        raw = (folder / SCORECARD).read_bytes()
        manifest = json.loads((folder / MANIFEST).read_bytes())
        _gate(folder, manifest)
        digest = checked(folder / SCORECARD, raw, manifest["sha256"])
        card = _fitting(folder, parse(json.loads(raw), digest), manifest)
        return card._replace(folder=folder, order=order.load(folder, manifest))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
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
            f"{folder}: of an earlier format ({form}; this version reads {FORMAT}), whose points were fitted away from "
            "home; take the shipped model, or train again"
        )


def _release(version: str) -> tuple[int, ...]:
    """Major and minor number: later patches change no meaning.

    >>> _release("0.10.3") > _release("0.9")
    True
    """
    return tuple(int(part) for part in version.split(".")[:2])


def _fitting(folder: Path, card: Scorecard, manifest: dict[str, Any]) -> Scorecard:
    if tuple(manifest.get("signals", card.signals)) != card.signals or manifest.get("id", card.id) != card.id:
        raise ModelError(f"{folder}: scorecard and manifest name other signals or another id; restore both files")
    return card


def parse(plain: dict[str, Any], digest: str = "") -> Scorecard:
    """The scorecard of a JSON document; `digest` is the SHA-256 of its file.

    Raises:
        ValueError: its bins are not those of this version, or its shares do not fall.
    """
    if tuple(plain["edges"]) != EDGES:
        raise ValueError("its bins are not those of this version")
    rows = plain["signals"]
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
        weights=tuple(row["weight"] for row in rows),
        slope=plain["calibration"]["slope"],
        offset=plain["calibration"]["offset"],
        prior=plain["prior"],
    )


def _shares(told: Sequence[float]) -> Shares:
    """The shares of all bins; those left out at the end are 0."""
    shares = (1.0, *told, *(0.0,) * (BINS - 1 - len(told)))
    if len(shares) != BINS or any(high > low for low, high in zip(shares, shares[1:])):
        raise ValueError("shares must fall from bin to bin")
    return shares
