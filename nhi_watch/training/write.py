"""Writes a fitted scorecard with its manifest, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import joblib
import numpy
import sklearn

from nhi_watch import __version__
from nhi_watch.model import MANIFEST, SCORECARD
from nhi_watch.signals import NAMES
from nhi_watch.training.fit import SETTINGS, Fitted, Steps

DIGITS = 4


def document(fitted: Fitted, prior: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The scorecard as plain values, rounded so that every host reads the same numbers."""
    body = {
        "signals": [_row(name, steps) for name, steps in zip(NAMES, fitted.steps)],
        "intercept": round(fitted.intercept, DIGITS),
        "calibration": {"slope": round(fitted.slope, DIGITS), "offset": round(fitted.offset, DIGITS)},
        "prior": prior,
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {"id": f"nhi-{digest[:10]}", **body}


def _row(name: str, steps: Steps) -> dict[str, Any]:
    """Steps with equal points are joined, after rounding."""
    edges: list[float] = []
    points: list[float] = [round(steps.points[0], DIGITS)]
    for edge, above in zip(steps.edges, steps.points[1:]):
        if round(above, DIGITS) != points[-1]:
            edges.append(round(edge, 3))
            points.append(round(above, DIGITS))
    return {"name": name, "edges": edges, "points": points, "cannot_tell": round(steps.cannot_tell, DIGITS)}


def write(folder: Path, scorecard: dict[str, Any], fingerprint: str, date: str) -> None:
    """`scorecard.json` and `manifest.json`."""
    raw = (json.dumps(scorecard, indent=1, sort_keys=True) + "\n").encode()
    (folder / SCORECARD).write_bytes(raw)
    manifest = {
        "id": scorecard["id"],
        "sha256": hashlib.sha256(raw).hexdigest(),
        "signals": list(NAMES),
        "training_data_sha256": fingerprint,
        "date": date,
        "versions": {"nhi_watch": __version__, "scikit-learn": sklearn.__version__, "numpy": numpy.__version__},
        "settings": dict(sorted(SETTINGS.items())),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def keep_estimator(path: Path, fitted: Fitted) -> str:
    """Dump the estimator for study; returns its SHA-256. Scoring never loads it."""
    joblib.dump(fitted.estimator, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
