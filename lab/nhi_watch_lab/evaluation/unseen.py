"""Techniques that no training saw: each is judged by scorecards whose training had neither it nor its likes.

The techniques of the training matrix are dealt into FOLDS; for each fold, scorecard and boosting are trained
without the fold's rows, and only its incidents are counted with them. Baselines are those of the shipped
model's run: what it held in quarantine was held for all.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any, NamedTuple

from nhi_watch.context import assets
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.model import Scorecard, score_of
from nhi_watch_lab.evaluation.counting import Entry
from nhi_watch_lab.evaluation.replay import Replayed

FOLDS = 5
SCORECARD = "nhi_watch_unseen"
BOOSTING = "boosting_unseen"


class Fold(NamedTuple):
    """What was trained without some techniques."""

    techniques: frozenset[str]
    """Those that it is to judge."""
    scorecard: Scorecard
    boosting: Any
    """A `training.rivals.Boosting`."""

    def entry(self, item: Replayed) -> Entry:
        """The episode as this fold's scorecard ranks it."""
        log_odds = self.scorecard.log_odds(item.episode.values)
        probability = self.scorecard.probability(log_odds)
        weight = ranking.priority(probability, ranking.impact(assets.UNKNOWN, item.episode.view))
        return Entry((weight, log_odds), item.incidents, score_of(probability) >= ranking.FLOOR)

    def boosted(self, items: list[Replayed]) -> list[Entry]:
        """Identity-days as this fold's boosting ranks them, without a floor."""
        told = self.boosting.score([item.episode.values for item in items])
        return [Entry((score,), item.incidents, True) for item, score in zip(items, told)]


def deal(techniques: list[str]) -> list[frozenset[str]]:
    """Techniques dealt into FOLDS, in the order of their names.

    >>> [sorted(fold) for fold in deal(list("gfedcba"))]
    [['a', 'f'], ['b', 'g'], ['c'], ['d'], ['e']]
    """
    ordered = sorted(techniques)
    return [frozenset(ordered[number::FOLDS]) for number in range(FOLDS)]


def dealt() -> list[frozenset[str]]:
    """The techniques of each fold; none without scikit-learn, or where the matrix does not tell its techniques."""
    if not find_spec("sklearn"):
        return []
    from nhi_watch_lab.training import matrix
    from nhi_watch_lab.training.commands import MATRIX

    return [names for names in deal(matrix.simulated(matrix.read(MATRIX))) if names]


def fold(names: frozenset[str]) -> Fold:
    """What is trained without some techniques and their likes: takes a while."""
    from nhi_watch_lab.training import fit, matrix, techniques, write
    from nhi_watch_lab.training.commands import MATRIX, PRIOR
    from nhi_watch_lab.training.rivals import Boosting

    whole = matrix.read(MATRIX)
    rest = whole.without([*techniques.alike(names), *matrix.of_companies(whole)])  # companies' use many techniques
    document = write.document(fit.fit(rest, fit.read_form()), json.loads(PRIOR.read_text("utf-8")))
    return Fold(names, models.parse(document), Boosting(rest))
