"""The spreads of signals and likelihoods in training, against which drift is told; the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Optional

import numpy as np

from nhi_watch.detect.drift import REFERENCE, SETTLED, spread_of
from nhi_watch.detect.model import Scorecard, load, percent
from nhi_watch.detect.scoring import sparse
from nhi_watch_lab.training.fit import Fitted, features, log_odds
from nhi_watch_lab.training.rows import Rows
from nhi_watch_lab.training.write import add

Found = tuple[float, list[tuple[str, Optional[float]]], float]


def write(folder: Path, fitted: Fitted, worlds: Sequence[Rows]) -> None:
    """Write the spreads of some worlds beside the model of a folder, and their hash into its manifest."""
    card = load(folder)
    spread = spread_of(found for rows in worlds for found in _ordinary(card, fitted, rows))
    plain = {"model_sha256": card.sha256, "likelihoods": spread.likelihoods, "signals": spread.signals}
    raw = (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode()
    add(folder / REFERENCE, raw, "reference_sha256")


def _ordinary(card: Scorecard, fitted: Fitted, rows: Rows) -> Iterator[Found]:
    """Days without an incident, after the first ones: a tenant's ordinary life is what drifts."""
    odds = log_odds(fitted.trees, features(rows, fitted.shares))
    for at in np.flatnonzero(~rows.bad & (rows.day >= SETTLED)):
        values = [None if np.isnan(value) else round(float(value), 2) for value in rows.values[at]]
        yield percent(card.slope * float(odds[at]) + card.offset), list(sparse(values).items()), 1.0
