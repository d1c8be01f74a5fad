"""Techniques that no training saw: each is judged by a model whose training had neither it nor its likes.

A folder holds such models, one a folder; the manifest of each names under `without` the techniques that it was trained
without. They weigh the same episodes, beside the model that is judged: its quarantine held for all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.context import assets
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.home import Bound, Home, total
from nhi_watch.detect.model import KINDS, MANIFEST, Scorecard, score_of
from nhi_watch.detect.scoring import Episode, points_together
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch_lab.evaluation.replay import Replay, Replayed

UNSEEN = "nhi_watch_unseen"


class Fold(NamedTuple):
    """A model, and the techniques that it is to judge."""

    techniques: frozenset[str]
    card: Scorecard


def load(folder: Path) -> list[Fold]:
    """The models of a folder.

    Raises:
        InputError: there are none, or one does not say what it was trained without.
    """
    found = []
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        without = json.loads(path.read_text("utf-8")).get("without")
        if not without:
            raise InputError(f"--unseen {path.parent}: its manifest names no techniques under `without`; train it anew")
        found.append(Fold(frozenset(without), models.load(path.parent).aligned(NAMES)))
    if not found:
        raise InputError(f"--unseen {folder}: no models there; one a folder")
    return found


Homes = Mapping[str, Home]
"""By kind."""


def homes_of(fold: Fold, replay: Replay, day: int) -> Homes:
    """What signals are worth in the tenant to a fold's model."""
    tenant = replay.baselines.groups.get(TENANT) or Profile()
    return {kind: Home(fold.card, tenant, day, kind) for kind in KINDS}


def ranked(fold: Fold, homes: Homes, item: Replayed) -> Optional[tuple[float, float]]:
    """The episode's rank by another model, as the product orders; None: it would be no notable."""
    points = total(points_together(_parts(homes, item), item.episode.values))
    probability = fold.card.probability(points)
    if score_of(probability) < ranking.FLOOR:
        return None
    return ranking.priority(probability, ranking.impact(assets.UNKNOWN, item.episode.view)), points


def _parts(homes: Homes, item: Replayed) -> Sequence[Episode]:
    bounds = [Bound(homes[part.bound.home.kind], part.view.past.own) for part in item.episode.parts]
    return [part._replace(points=bound.points(part.values), bound=bound)
            for part, bound in zip(item.episode.parts, bounds)]  # fmt: skip
