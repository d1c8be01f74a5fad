"""Writes a fitted model, its manifest and the spreads against which drift is measured, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import sklearn

from nhi_watch import __version__
from nhi_watch.detect.drift import REFERENCE, STABLE_AFTER, spread_of
from nhi_watch.detect.model import EDGES, FORMAT, KINDS, MANIFEST, MODEL, Model, load, percent
from nhi_watch.detect.scoring import sparse
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training.first import FIRST_PREVALENCE
from nhi_watch_lab.training.fit import (
    LEAVES,
    POSITIVE_SHARE,
    PREVALENCE,
    RATE,
    SMALLEST,
    TREES,
    Fitted,
    features,
    log_odds,
)
from nhi_watch_lab.training.rows import Floats, Rows

# ---- writes a fitted model with its manifest, the same bytes each time

DIGITS = 5


def document(fitted: Fitted, prior: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The model as plain values, rounded so that every host reads the same numbers."""
    shares = fitted.shares
    body: dict[str, Any] = {
        "edges": list(EDGES),
        "ages": list(shares.ages),
        "signals": [
            {
                "name": name,
                "attack": _shares(shares.attack[at]),
                "world": {kind: [_shares(ages[at]) for ages in shares.world[k]] for k, kind in enumerate(KINDS)},
            }
            for at, name in enumerate(NAMES)
        ],
        "trees": list(fitted.trees),
        "calibration": {
            "slope": fitted.slope,
            "offset": fitted.offset,
            "first_offset": fitted.first_offset,
        },
        "first": {"trees": list(fitted.first.trees), "slope": fitted.first.slope, "offset": fitted.first.offset},
        "prior": prior,
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {"id": f"nhi-{digest[:10]}", **body}


def _shares(shares: Floats) -> list[float]:
    """The shares from the first bin on; zeros at the end are left out."""
    rounded = [round(float(share), DIGITS) for share in shares[1:]]
    while rounded and not rounded[-1]:
        rounded.pop()
    return rounded


def write(folder: Path, model: dict[str, Any], worlds: str) -> None:
    """`model.json` and `manifest.json`."""
    raw = (json.dumps(model, separators=(",", ":"), sort_keys=True) + "\n").encode()
    (folder / MODEL).write_bytes(raw)
    manifest = {
        "id": model["id"],
        "format": FORMAT,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "signals": list(NAMES),
        "worlds": worlds,
        "versions": {"nhi_watch": __version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "settings": {
            "weight_of_incidents": POSITIVE_SHARE,
            "calibrated_at_prevalence": PREVALENCE,
            "calibrated_at_prevalence_on_first_days": FIRST_PREVALENCE,
            "trees": TREES,
            "leaves": LEAVES,
            "rate": RATE,
            "smallest_leaf": SMALLEST,
            "calibrated_on": "generators left out in turn",
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def add(path: Path, raw: bytes, key: str) -> None:
    """A further file of the model, and its hash under `key` in the manifest."""
    path.write_bytes(raw)
    manifest_path = path.with_name(MANIFEST)
    manifest: dict[str, Any] = json.loads(manifest_path.read_bytes())
    manifest[key] = hashlib.sha256(raw).hexdigest()
    manifest_path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


# ---- the spreads of signals and likelihoods in training, against which drift is measured; the same bytes each time

Found = tuple[float, list[tuple[str, Optional[float]]], float]


def write_spreads(folder: Path, fitted: Fitted, worlds: Sequence[Rows]) -> None:
    """Write the spreads of some worlds beside the model of a folder, and their hash into its manifest."""
    model = load(folder)
    spread = spread_of(result for rows in worlds for result in _ordinary(model, fitted, rows))
    plain = {"model_sha256": model.sha256, "likelihoods": spread.likelihoods, "signals": spread.signals}
    raw = (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode()
    add(folder / REFERENCE, raw, "reference_sha256")


def _ordinary(model: Model, fitted: Fitted, rows: Rows) -> Iterator[Found]:
    """Days without an incident, after the first ones: a tenant's ordinary life is what drifts."""
    (reading,), odds = model.readings, log_odds(fitted.trees, features(rows, fitted.shares))
    for at in np.flatnonzero(~rows.bad & (rows.day >= STABLE_AFTER)):
        values = [None if np.isnan(value) else round(float(value), 2) for value in rows.values[at]]
        yield percent(reading.slope * float(odds[at]) + reading.offset), list(sparse(values).items()), 1.0
