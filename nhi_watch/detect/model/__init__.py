"""The scorecard: step functions from signal values to points, with manifest and model card."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Sequence
from math import exp, fsum
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch import __version__
from nhi_watch.core.errors import ModelError

FOLDER = Path(__file__).parent
SCORECARD = "scorecard.json"
MANIFEST = "manifest.json"
FORMAT = 2
"""Of the files: a program refuses a later one than it knows."""

Values = Sequence[Optional[float]]


class Steps(NamedTuple):
    """One signal's step function: `points[i]` holds for values up to and including `edges[i]`."""

    edges: tuple[float, ...]
    points: tuple[float, ...]
    """One more than edges."""
    cannot_tell: float


class Pair(NamedTuple):
    """What two signals together are worth beyond what each is worth alone; 0 where either has its ordinary value."""

    signals: tuple[int, int]
    """Their places among the scorecard's signals."""
    edges: tuple[tuple[float, ...], tuple[float, ...]]
    points: tuple[tuple[float, ...], ...]
    """A row for each step of the first signal and one more for *cannot tell*; the columns are those of the second."""

    def worth(self, values: Values) -> float:
        """The points of the pair, in log-odds."""
        row, column = (_place(edges, values[index]) for index, edges in zip(self.signals, self.edges))
        return self.points[row][column]


class Scorecard(NamedTuple):
    """Points by signal, their sum a log-odds, and the calibration from log-odds to probability."""

    id: str
    sha256: str
    signals: tuple[str, ...]
    steps: tuple[Steps, ...]
    intercept: float
    slope: float
    """Calibration: probability = 1 / (1 + exp(-(slope × log-odds + offset))), after Platt (1999)."""
    offset: float
    prior: dict[str, dict[str, float]]
    """Dimension → value → share of identity-days in the training tenants; `*` stands for unseen values."""
    pairs: tuple[Pair, ...] = ()
    free: tuple[str, ...] = ()
    """Signals of which more may be worth less: they count how much is new, not how bad it is."""
    early: tuple[Steps, ...] = ()
    """The steps that hold instead, without pairs, while hardly anything of the tenant is known."""
    context: int = -1
    """The place of the signal that says so; it is no reason by itself."""

    def holding(self, values: Values) -> tuple[Steps, ...]:
        """The steps that hold for a row."""
        return self.early if self.early and values[self.context] else self.steps

    def ordinary(self, values: Values) -> tuple[float, ...]:
        """An ordinary row in the same context: what points are compared with."""
        usual = [0.0] * len(self.signals)
        if self.early:
            usual[self.context] = values[self.context] or 0.0
        return tuple(usual)

    def points(self, values: Values) -> tuple[float, ...]:
        """Points of each signal, in log-odds; `values` are in the order of `signals`.

        What a pair is worth belongs to both of its signals alike (Shapley 1953).
        """
        held = self.holding(values)
        told = [
            steps.cannot_tell if value is None else steps.points[_step(steps.edges, value)]
            for steps, value in zip(held, values)
        ]
        for pair in self.pairs if held is self.steps else ():
            half = pair.worth(values) / 2
            if half:
                for index in pair.signals:
                    told[index] += half
        return tuple(told)

    def log_odds(self, values: Values) -> float:
        """The sum of the points, rounded to 6 decimals so that every host agrees.

        `fsum` is exact; what `sum` makes of floats changed with Python 3.12.
        """
        return round(fsum((self.intercept, *self.points(values))), 6)

    def probability(self, log_odds: float) -> float:
        """The calibrated probability of a log-odds, to 4 decimals."""
        return round(1.0 / (1.0 + exp(-max(-60.0, min(60.0, self.slope * log_odds + self.offset)))), 4)

    def elsewhere(self, dimension: str, value: str) -> float:
        """What the world does: share of identity-days with a value."""
        shares = self.prior.get(dimension)
        if shares is None:
            return 1.0
        return shares.get(value, shares["*"])


def _step(edges: tuple[float, ...], value: float) -> int:
    """Index of the step that a value falls on; an edge belongs to the step below it.

    >>> [_step((1.0, 2.0), v) for v in (0.0, 1.0, 1.5, 2.0, 9.0)]
    [0, 0, 1, 1, 2]
    """
    return bisect_left(edges, value)


def _place(edges: tuple[float, ...], value: Optional[float]) -> int:
    return len(edges) + 1 if value is None else _step(edges, value)


def score_of(probability: float) -> float:
    """Score 0–100, one decimal.

    >>> score_of(0.8125)
    81.2
    """
    return round(probability * 100, 1)


def load(folder: Path = FOLDER) -> Scorecard:
    """The scorecard of a folder, after its hash was checked against the manifest.

    Raises:
        ModelError: a file is missing, is no JSON, does not match the manifest, or is of a later version.
    """
    try:
        raw = (folder / SCORECARD).read_bytes()
        manifest = json.loads((folder / MANIFEST).read_bytes())
        _gate(folder, manifest)
        digest = hashlib.sha256(raw).hexdigest()
        if digest != manifest["sha256"]:
            raise ModelError(
                f"{folder / SCORECARD}: SHA-256 is {digest[:12]}…, the manifest says {manifest['sha256'][:12]}…; "
                "restore the file that belongs to the manifest, or train again"
            )
        return _fitting(folder, parse(json.loads(raw), digest), manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder}: no usable model there ({error}); reinstall, or run `nhi train`") from error


def _gate(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse what a later version has made: it may mean something else by the same words."""
    made = manifest.get("versions", {}).get("nhi_watch", __version__)
    form = manifest.get("format", FORMAT)
    if form > FORMAT or _release(made) > _release(__version__):
        raise ModelError(
            f"{folder}: made by nhi_watch {made} (format {form}), this is {__version__} (format {FORMAT}); "
            "update the program, or take a model that this version has made"
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
    """The scorecard of a JSON document; `digest` is the SHA-256 of its file."""
    rows, early = plain["signals"], plain.get("early", {"signals": ()})
    names = [row["name"] for row in rows]
    return Scorecard(
        id=plain["id"],
        sha256=digest,
        signals=tuple(names),
        steps=_steps(rows),
        intercept=plain["intercept"],
        slope=plain["calibration"]["slope"],
        offset=plain["calibration"]["offset"],
        prior=plain["prior"],
        pairs=tuple(_pair(row, names) for row in plain.get("pairs", ())),
        free=tuple(plain.get("free", ())),
        early=_steps(early["signals"]),
        context=names.index(early["context"]) if early["signals"] else -1,
    )


def _steps(rows: Sequence[dict[str, Any]]) -> tuple[Steps, ...]:
    return tuple(Steps(tuple(row["edges"]), tuple(row["points"]), row["cannot_tell"]) for row in rows)


def _pair(row: dict[str, Any], names: list[str]) -> Pair:
    first, second = (names.index(name) for name in row["signals"])
    edges = tuple(row["edges"][0]), tuple(row["edges"][1])
    points = tuple(tuple(line) for line in row["points"])
    if len(points) != len(edges[0]) + 2 or any(len(line) != len(edges[1]) + 2 for line in points):
        raise ValueError(f"the points of pair {row['signals']} do not fit its edges")
    return Pair((first, second), edges, points)
