"""The second card changes the order of notables, and no score; its trees are those that were trained."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, events, learnt, whole_days
from nhi_watch.act.response.policy import level
from nhi_watch.context.assets import UNKNOWN
from nhi_watch.core.errors import ModelError
from nhi_watch.detect import model
from nhi_watch.detect.impact import TOGETHER
from nhi_watch.detect.model import order
from nhi_watch.detect.ranking import impact, priority, rank, together, told_together
from nhi_watch.detect.scoring import Episode, score_day
from nhi_watch.detect.signals import NAMES

PLAIN: dict[str, Any] = {"signals": ["bulk", "gone"], "base": -1.0, "steep": 2.0,
                         "trees": [[[0, 2, 2], -0.5, [1, 0, 4], 1.5, 2.5], [0.25]]}  # fmt: skip


def odd(card: order.Order | None) -> Episode:
    """A day of calls that the identity never made, weighed by a model with this second card."""
    told = [{"action": "iam:CreateUser", "access": "permissions"}, {"action": "iam:CreateAccessKey"}]
    (whole,) = whole_days(events(told, TODAY)).values()
    episode = score_day(learnt([{"ago": [20, 1], "events": [{}]}]), whole)
    home = episode.bound.home
    home.card = home.card._replace(order=card and card.aligned(NAMES))
    return episode


def test_a_way_down_the_trees_is_summed_and_bounded() -> None:
    card = order.parse(PLAIN)
    assert [card.log_odds(bins) for bins in ([0, 0], [3, 0], [3, 1], [None, None])] == [-2.5, 1.5, 3.5, -2.5]
    far = card._replace(base=100.0)
    assert far.log_odds([0, 0]) == round(order.MOST, 4)


def test_a_signal_that_this_version_lacks_is_never_odd() -> None:
    card = order.parse(PLAIN).aligned(("other", "bulk"))
    assert card.log_odds([9, 3]) == 1.5


@pytest.mark.parametrize(
    "tree", [[], [[0, 1, 5], 0.5, 0.5], [[0, 1, 1], 0.5], [[7, 1, 2], 0.5, 0.5], [[0, 1, 2], 0.5, [0, 1, 4]]]
)
def test_a_tree_that_leads_nowhere_is_refused(tree: list[Any]) -> None:
    with pytest.raises(ValueError, match="leads nowhere"):
        order.parse({**PLAIN, "trees": [tree]})


def test_an_altered_second_card_is_refused(tmp_path: Path) -> None:
    shutil.copytree(model.FOLDER, tmp_path / "model", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "model" / order.ORDER
    assert model.load(tmp_path / "model").order is not None
    path.write_text(path.read_text("utf-8").replace('"base":', '"base":1', 1), "utf-8")
    with pytest.raises(ModelError, match=r"order\.json: SHA-256"):
        model.load(tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / model.MANIFEST).read_text("utf-8"))
    manifest[order.HASHED] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "model" / model.MANIFEST).write_text(json.dumps(manifest), "utf-8")
    path.unlink()
    with pytest.raises(ModelError, match="no usable model"):
        model.load(tmp_path / "model")


def test_it_moves_the_place_and_not_the_score() -> None:
    none, *both = (odd(one) for one in (None, order.parse(PLAIN), order.parse({**PLAIN, "base": 1.0})))
    ranked = [rank(each, {}) for each in (none, *both)]
    assert len({(each.score, each.points) for each in ranked}) == 1
    assert ranked[1].priority < ranked[2].priority
    assert together(none) is None and told_together(none, None) == ()


def test_priority_is_the_mean_of_both_odds() -> None:
    made = impact(UNKNOWN, odd(None))
    assert priority(0.8, made, 0.0) == pytest.approx(2 / 3, abs=0.02)
    assert priority(1.0, made, 5.0) > priority(1.0, made, 1.0) > priority(0.0, made, 5.0) > priority(0.0, made, 1.0) > 0


def test_a_notable_names_what_speaks_for_and_against_it() -> None:
    shipped = model.load().order
    assert shipped is not None
    told = odd(shipped)
    (factor,) = told_together(told, together(told))
    assert factor.name == TOGETHER and factor.weight > 0
    assert factor.value.startswith(("as in intrusions", "as in ordinary life")) and " it " in factor.value


def test_it_is_no_impact_on_the_business() -> None:
    factors = [{"name": "criticality", "weight": 1.5}, {"name": TOGETHER, "weight": 900.0}]
    assert level({"impact": {"factors": factors}}) == level({"impact": {"factors": factors[:1]}})


def test_a_signal_can_be_silent() -> None:
    told = odd(order.parse({**PLAIN, "signals": ["new_action", "gone"]}))
    assert together(told) == 1.5 and together(told, silent=NAMES.index("new_action")) == -2.5
