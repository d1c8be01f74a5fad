"""A customer's own history and verdicts as rows of training: `nhi train --state FILE`.

- Signal values are those that were stored when each day was scored.
- A verdict that holds says what an episode was: confirmed is an incident, benign and expected are none. How many count
  is capped by account (`feedback.standing`), so that nobody bends the model with a flood of them; what was over the
  cap is told.
- An episode without a verdict counts as ordinary where it scored under the floor. Others are left out: nobody knows.
- All of a tenant's own rows together weigh at most SHARE of what ships, its confirmed incidents at most SHARE of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import feedback, signal_values
from nhi_watch.detect.feedback import Verdict
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.state.judged import Stored
from nhi_watch.state.rows import Rows
from nhi_watch.state.state import State
from nhi_watch_lab.training.matrix import Matrix, Row, squeeze, to_matrix
from nhi_watch_lab.training.techniques import PLAIN

TENANT = -1
"""Its place among the training tenants, which are numbered by seed."""
CONFIRMED = "confirmed"
SHARE = 0.25


class Own(NamedTuple):
    """What a state gives to train on."""

    rows: list[Row]
    told: dict[str, Any]
    """Counts, for people and for the manifest."""


def read(rows: Rows) -> Own:
    """The rows of a state."""
    held = feedback.standing(feedback.verdicts(rows))
    counted = {(v.identity_id, v.day): v for v in held.counted if v.verdict != "duplicate"}
    unjudged = {(v.identity_id, v.day) for v in held.by_notable.values()} - counted.keys()
    told = {"ordinary": 0, "confirmed": 0, "benign": 0, "left_out": 0, "other_signals": 0}
    made = list(_rows(State(rows), counted, unjudged, told))
    return Own(squeeze(made), {**told, "verdicts_over_the_cap": dict(held.ignored)})


_Key = tuple[str, str]


def _rows(
    state: State, counted: Mapping[_Key, Verdict], unjudged: set[_Key], told: dict[str, int]
) -> Iterator[Row]:
    for day, stored in state.every_judged():
        key = (stored.ranked.identity_id, render_day(day))
        kind = _kind(stored, counted.get(key), key in unjudged)
        if kind:
            told[kind] += 1
        values = signal_values.unpack(stored.values)
        if values is not None and kind in ("ordinary", "confirmed", "benign"):
            label = int(kind == "confirmed")
            yield Row(TENANT, CONFIRMED if label else PLAIN, label, 1.0, signal_values.row(values))


def _kind(stored: Stored, verdict: Verdict | None, unjudged: bool) -> str:
    if signal_values.unpack(stored.values) is None:
        return "other_signals"
    if verdict is not None:
        return "confirmed" if verdict.verdict == "confirmed" else "benign"
    if not stored.ranked.eligible:
        return ""
    return "left_out" if unjudged or stored.ranked.score >= FLOOR else "ordinary"


def join(matrix: Matrix, rows: Sequence[Row]) -> Matrix:
    """The shipped matrix and a tenant's own rows, whose weight is bounded."""
    if not rows:
        return matrix
    own = to_matrix(rows)
    weight = own.weight.copy()
    for label in (0, 1):
        mine, most = own.y == label, SHARE * float(matrix.weight[matrix.y == label].sum())
        weight[mine] *= min(1.0, most / max(1.0, float(weight[mine].sum())))
    bounded = own._replace(weight=weight)
    return Matrix(*(np.concatenate(pair) for pair in zip(matrix, bounded)))
