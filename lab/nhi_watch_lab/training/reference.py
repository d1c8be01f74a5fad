"""The spreads of signals and scores in training, against which drift is told; the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import numpy as np

from nhi_watch.detect.drift import REFERENCE, spread_of
from nhi_watch.detect.features import CONTEXT
from nhi_watch.detect.model import MANIFEST, Scorecard, load, score_of
from nhi_watch.detect.signal_values import sparse
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training.matrix import Matrix

Found = tuple[float, list[tuple[str, Optional[float]]], float]


def write(folder: Path, matrix: Matrix) -> None:
    """Write the spreads of a matrix beside the model of a folder, and their hash into its manifest."""
    card = load(folder)
    spread = spread_of(_ordinary(card, matrix))
    plain = {"model_sha256": card.sha256, "scores": spread.scores, "signals": spread.signals}
    raw = (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode()
    (folder / REFERENCE).write_bytes(raw)
    path = folder / MANIFEST
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    manifest["reference_sha256"] = hashlib.sha256(raw).hexdigest()
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _ordinary(card: Scorecard, matrix: Matrix) -> Iterator[Found]:
    """Episodes without an incident, after the first days: a tenant's ordinary life is what drifts."""
    plain = matrix.only((matrix.y == 0) & (matrix.x[:, NAMES.index(CONTEXT)] == 0))
    for row, weight in zip(plain.x, plain.weight):
        values = [None if np.isnan(value) else float(value) for value in row]
        yield score_of(card.probability(card.log_odds(values))), list(sparse(values).items()), float(weight)
