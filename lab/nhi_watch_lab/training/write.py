"""Writes a fitted scorecard with its manifest, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn

from nhi_watch import __version__
from nhi_watch.detect.features import CONTEXT
from nhi_watch.detect.model import FORMAT, MANIFEST, SCORECARD
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training.export import Grid, Steps
from nhi_watch_lab.training.fit import FOLDS, POSITIVE_SHARE, PREVALENCE, Fitted, Form, settings

DIGITS = 4


def document(fitted: Fitted, prior: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The scorecard as plain values, rounded so that every host reads the same numbers."""
    told = fitted.tables
    body: dict[str, Any] = {
        "signals": [_row(name, steps) for name, steps in zip(NAMES, told.steps)],
        "intercept": round(told.intercept, DIGITS),
        "calibration": {"slope": round(fitted.slope, DIGITS), "offset": round(fitted.offset, DIGITS)},
        "prior": prior,
    }
    if fitted.early:
        body["early"] = {"context": CONTEXT, "signals": _early(fitted, fitted.early)}
    if fitted.form.pairs:
        body["pairs"] = [_pair(grid) for grid in told.grids if np.any(np.round(grid.points, DIGITS))]
    if fitted.form.free:
        body["free"] = sorted(fitted.form.free)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {"id": f"nhi-{digest[:10]}", **body}


def _early(usual: Fitted, early: Fitted) -> list[dict[str, Any]]:
    """The early card's steps on the scale of the usual one, so that one intercept and one calibration serve both."""
    scale = early.slope / usual.slope
    shift = scale * early.tables.intercept + (early.offset - usual.offset) / usual.slope - usual.tables.intercept
    own = {name: shift if name == CONTEXT else 0.0 for name in NAMES}
    return [_row(name, _scaled(steps, scale, own[name])) for name, steps in zip(NAMES, early.tables.steps)]


def _scaled(steps: Steps, scale: float, shift: float) -> Steps:
    points = [scale * value + shift for value in steps.points]
    return Steps(steps.edges, points, scale * steps.cannot_tell + shift)


def _row(name: str, steps: Steps) -> dict[str, Any]:
    """Steps with equal points are joined, after rounding."""
    edges: list[float] = []
    points: list[float] = [round(steps.points[0], DIGITS)]
    for edge, above in zip(steps.edges, steps.points[1:]):
        if round(above, DIGITS) != points[-1]:
            edges.append(round(edge, 3))
            points.append(round(above, DIGITS))
    return {"name": name, "edges": edges, "points": points, "cannot_tell": round(steps.cannot_tell, DIGITS)}


def _pair(grid: Grid) -> dict[str, Any]:
    """A grid of which equal neighbours are joined, after rounding."""
    points = np.round(grid.points, DIGITS) + 0.0
    kept = []
    for axis in (0, 1):
        edges, lines = grid.edges[axis], np.moveaxis(points, axis, 0)
        new = [place for place in range(len(edges)) if not np.array_equal(lines[place], lines[place + 1])]
        kept.append(([edges[place] for place in new], [*new, len(edges), len(edges) + 1]))
    (first, rows), (second, columns) = kept
    return {
        "signals": [NAMES[index] for index in grid.signals],
        "edges": [[round(edge, 3) for edge in first], [round(edge, 3) for edge in second]],
        "points": points[np.ix_(rows, columns)].tolist(),
    }


def write(folder: Path, scorecard: dict[str, Any], form: Form, told: dict[str, Any]) -> None:
    """`scorecard.json` and `manifest.json`, in which `told` stands as well: the training data's hash, the date."""
    raw = (json.dumps(scorecard, indent=1, sort_keys=True) + "\n").encode()
    (folder / SCORECARD).write_bytes(raw)
    manifest = {
        "id": scorecard["id"],
        "format": FORMAT,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "signals": list(NAMES),
        **told,
        "versions": {"nhi_watch": __version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "settings": _told_settings(form),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _told_settings(form: Form) -> dict[str, Any]:
    """How it was trained, for the manifest: the estimator's settings, weights and sampling."""
    told = {name: value for name, value in settings(form).items() if name not in ("interaction_cst", "monotonic_cst")}
    return {
        **told,
        "pairs": [list(pair) for pair in form.pairs],
        "free": sorted(form.free),
        "weight_of_incidents": POSITIVE_SHARE,
        "negative_sampling": "none: equal rows of a tenant are one row, which weighs as many",
        "calibrated_at_prevalence": PREVALENCE,
        "folds_of_calibration": f"{FOLDS}, by tenant",
    }


def keep_estimator(path: Path, fitted: Fitted) -> str:
    """Dump the estimator for study; returns its SHA-256. Scoring never loads it."""
    joblib.dump(fitted.estimator, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
