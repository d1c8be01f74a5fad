"""Techniques that no training saw: each is judged by a model whose training had neither it nor its likes.

A folder holds such models, one a folder; the manifest of each names under `without` the techniques that it was trained
without. They weigh the same episodes, beside the model that is judged: its quarantine held for all.

`python -m nhi_watch_lab.evaluation.unseen out/unseen` trains FOLDS such models on the worlds of `nhi train`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from nhi_watch.context import assets
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.home import Bound, Home, total
from nhi_watch.detect.model import KINDS, MANIFEST, Scorecard, bin_of, score_of
from nhi_watch.detect.scoring import Episode, points_together
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch_lab.evaluation.replay import Replay, Replayed

if TYPE_CHECKING:
    from nhi_watch_lab.training.commands import Wanted

UNSEEN = "nhi_watch_unseen"
FOLDS = 4


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
    order = fold.card.order
    together = order.log_odds([*map(bin_of, item.episode.values)]) if order else None
    return ranking.priority(probability, ranking.impact(assets.UNKNOWN, item.episode), together), points


def _parts(homes: Homes, item: Replayed) -> Sequence[Episode]:
    bounds = [Bound(homes[part.bound.home.kind], part.view.past.own) for part in item.episode.parts]
    return [part._replace(points=bound.points(part.values), bound=bound)
            for part, bound in zip(item.episode.parts, bounds)]  # fmt: skip


# ---- made


def deal(techniques: Sequence[str]) -> list[frozenset[str]]:
    """Techniques dealt into FOLDS, in the order of their names.

    >>> [sorted(fold) for fold in deal(list("gfedcba"))]
    [['a', 'e'], ['b', 'f'], ['c', 'g'], ['d']]
    """
    ordered = sorted(techniques)
    return [frozenset(ordered[fold::FOLDS]) for fold in range(FOLDS)]


def train(folder: Path, wanted: Wanted, kept: Path, size: tuple[int, int], workers: int = 2) -> None:
    """Write a model a fold: trained on worlds without the days of its techniques."""
    from nhi_watch_lab.training import commands, fit, order, rows, write  # needs libraries that only training installs

    worlds = commands.training_rows(wanted, kept, size, workers)
    prior = json.loads(commands.PRIOR.read_text("utf-8"))
    names = {told.partition(" ")[0] for each in worlds for told in each.technique.tolist()} - {""}
    for number, fold in enumerate(deal(sorted(names))):
        out = folder / f"{number}"
        out.mkdir(parents=True, exist_ok=True)
        lacking = {id(each): _without(each, fold) for each in rows.once(worlds)}
        seen = [lacking[id(each)] for each in worlds]
        fitted = fit.fit(seen)
        write.write(out, write.document(fitted, prior), wanted.told)
        order.write(out, fitted, seen)
        manifest = json.loads((out / MANIFEST).read_text("utf-8"))
        (out / MANIFEST).write_text(json.dumps({**manifest, "without": sorted(fold)}, indent=1) + "\n", "utf-8")


def _without(rows: Any, techniques: frozenset[str]) -> Any:
    """The rows of a world without the days of some techniques."""
    kept = [told.partition(" ")[0] not in techniques for told in rows.technique.tolist()]
    return rows._replace(**{name: part[kept] for name, part in rows._asdict().items()})


def main(arguments: Sequence[str]) -> None:
    """Train the models of all folds into a folder."""
    from nhi_watch_lab.training import commands

    train(Path(arguments[0] if arguments else "out/unseen"), commands.Wanted(), commands.KEPT, commands.SIZE)


if __name__ == "__main__":
    main(sys.argv[1:])
