"""Mornings: what counts as new, repeated, shown and read; rivals at as many benign rows; the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.timestamps import parse
from nhi_watch.detect import model
from nhi_watch_lab.evaluation import figures, mornings, pages
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.figures import Resampled, calibration, mean_of_families
from nhi_watch_lab.evaluation.mornings import ARMS, NO_VERDICTS, OURS, SMALL, Case, Morning, Scored, Shown, Tenant
from nhi_watch_lab.training.fit import PREVALENCE

NOBODY = frozenset[str]()

END = parse("2026-05-20T00:00:00Z")


def _row(name: str, severity: str = "low", last: str = "2026-05-19T10:00:00Z") -> Any:
    status = "ongoing" if last > "2026-05-19" else "quiet"
    return {"id": name, "severity": severity, "last_time": last, "life": status, "kind": "compromise"}


def _tenant(
    family: str = "third", arm: mornings.Arm = NO_VERDICTS, detector: str = OURS, place: int | None = 0, benign: int = 4
) -> Tenant:
    cases = [
        Case("a", "secrets", "external", place),
        Case("b", "secrets", "external", 7),
        Case("c", "secrets", "inside", None),
    ]
    days = [Morning(benign, 1, 1, 3, 0, 2), Morning(0, 0, 0, 4, 9, 0)]
    notables = [Shown(90.0, "critical", True, True), Shown(20.0, "low", False, False)] if detector == OURS else []
    return Tenant(family, f"{family} 1", detector, *arm, 200.0, cases, days, notables)


def test_rows_of_incidents_are_neither_benign_nor_repeated() -> None:
    rows = [_row("a", "high"), _row("b", "critical"), _row("c")]
    morning = mornings.morning_of(rows, [{"i"}, set(), set()], {"a", "c"}, [_row("d"), _row("e")], END)
    assert morning == Morning(benign=2, repeats=1, graver=1, still_open=2, waiting=0, true=1)


def test_what_was_quiet_for_three_days_is_one_line_together() -> None:
    old = [_row(name, "high", f"2026-05-{day}T10:00:00Z") for name, day in (("a", "17"), ("b", "16"), ("c", "02"))]
    morning = mornings.morning_of([], [], set(), [*old, _row("d")], END)
    assert (morning.still_open, morning.waiting, morning.lines) == (2, 2, 3)


def test_figures_are_by_identity_days_and_places_among_benign_rows() -> None:
    result = figures.figures([_tenant()])
    assert (result.outside, result.inside, result.counts) == (1.0, 0.0, (2, 1))
    assert result.first == ((0.5, 0.0), (1.0, 0.0))
    assert result.benign == 1000 * 4 / 400
    assert (result.repeats, result.graver, result.read, result.waiting) == (1.0, 1.0, 12.0, 9.0)


def test_a_mean_of_families_counts_each_family_the_same() -> None:
    figures = mean_of_families([_tenant("second"), _tenant("second"), _tenant("third", place=None)])
    assert figures.outside == pytest.approx((1.0 + 0.5) / 2)


def test_equal_worlds_are_resampled_alike_so_that_equal_detectors_differ_by_nothing() -> None:
    ours = [_tenant(family) for family in ("second", "third")]
    theirs = [_tenant(family, detector="rarity", place=None) for family in ("second", "third")]
    mine, other = Resampled(ours), Resampled(theirs)
    assert mine.ahead_of(Resampled(ours[::-1]), lambda f: f.outside) == (0.0, 0.0)
    low, high = mine.ahead_of(other, lambda f: f.outside)
    assert 0.0 <= low < high <= 1.0
    assert mine.interval(lambda f: f.inside) == (0.0, 0.0)


def test_incidents_are_weighed_down_to_the_prevalence() -> None:
    """Three incidents in 400 identity-days are as many as in life; thirty count a tenth."""
    notables = [Shown(95.0, "critical", True, True)] * 10 + [Shown(95.0, "critical", False, True)] * 10
    cases = [Case(str(n), "theft", "inside", 0) for n in range(30)]
    result = calibration([_tenant()._replace(cases=cases, notables=notables)])
    weight = 10 * PREVALENCE * 400 / 30
    share, size = result.severities["critical"]
    assert share == pytest.approx(weight / (weight + 10)) and size == 20
    assert result.error == pytest.approx(0.95 - share)


# ---- rivals


def test_rivals_get_as_many_benign_rows_and_no_more() -> None:
    scored = [
        Scored(10, "a", 9.0, NOBODY),
        Scored(10, "victim", 8.0, frozenset({"x"})),
        Scored(11, "b", 7.0, NOBODY),
        Scored(12, "late", 6.0, frozenset({"y"})),
    ]
    assert [row.identity for row in mornings.at_equal_rows(scored, 10, 1)] == ["a", "victim"]
    assert [row.identity for row in mornings.at_equal_rows(scored, 10, 2)] == ["a", "victim", "b", "late"]
    assert mornings.at_equal_rows(scored, 10, 0) == []


def test_an_identity_has_one_row_a_week_and_what_stands_from_before_is_none() -> None:
    daily = [Scored(day, "noisy", 5.0, NOBODY) for day in range(4, 20)]
    assert [row.day for row in mornings.at_equal_rows(daily, 10, 9)] == [11, 18]
    rows = mornings.at_equal_rows([*daily, Scored(19, "victim", 4.0, frozenset({"x"}))], 10, 9)
    built, places = mornings._mornings_of(rows, range(10, 20))
    assert [(morning.benign, morning.repeats, morning.true) for morning in built if morning.benign or morning.true] == [
        (1, 0, 0),
        (1, 1, 0),
        (0, 0, 1),
    ]
    assert places == {"x": 0}


# ---- a tenant, and its pages


@pytest.fixture(scope="module")
def tenants() -> list[Tenant]:
    return mornings.measured([mornings.Task(Exam("drawn", 3001, identities=40), model.FOLDER)], workers=1)


def test_a_tenant_is_replayed_in_every_arm_and_rivals_have_no_more_benign_rows(tenants: list[Tenant]) -> None:
    ours = {(t.budget, t.verdicts): t for t in tenants if t.detector == OURS}
    assert [*ours] == [*ARMS]
    assert any(case.place is not None for case in ours[NO_VERDICTS].cases), "small and dense, some must have a row"
    assert ours[NO_VERDICTS].notables and any(notable.bad for notable in ours[NO_VERDICTS].notables)
    rivals = [t for t in tenants if t.detector != OURS]
    assert {(t.detector, t.budget) for t in rivals} == {
        (t.detector, arm.budget) for t in rivals for arm in (NO_VERDICTS, SMALL)
    }
    for rival in rivals:
        mine = ours[rival.budget, False]
        assert len(rival.mornings) == len(mine.mornings) and len(rival.cases) == len(mine.cases)
        assert sum(m.benign for m in rival.mornings) <= sum(m.benign for m in mine.mornings), rival.detector
    assert any(case.place is not None for rival in rivals for case in rival.cases)


def test_a_page_tells_families_their_mean_intervals_and_rivals(tmp_path: Path, tenants: list[Tenant]) -> None:
    mornings.write(tenants, "By the shipped model.", tmp_path / "mornings.json")
    assert mornings.read(tmp_path / "mornings.json") == (tenants, "By the shipped model.")
    built = [_tenant(family, arm) for family in ("second", "third") for arm in ARMS]
    built += [_tenant(family, arm, "rarity", None) for family in ("second", "third") for arm in (NO_VERDICTS, SMALL)]
    page = pages.page(built) + pages.details(built, "By models that never saw the family.")
    assert "| none | second | 2, 1 | 1.00 (1.00 to 1.00) | 0.00 (0.00 to 0.00) | 1.00, 0.00 | 0.50, 0.00 |" in page
    assert "| incidents from outside shown on their day (aim: .95) | 1.00 (1.00 to 1.00) | 1.00" in page
    assert "| rarity | 0.50 | 0.00 |" in page and "No other detector shows more in any family" in page
    worse = [*built[:-1], built[-1]._replace(cases=[Case("c", "secrets", "inside", 0)])]
    more = "Another detector shows more: rarity in third from inside at 3 (1.00, ours 0.00)."
    assert more in pages.details(worse, "")


def test_readme_and_model_card_take_their_figures_from_the_page(tmp_path: Path) -> None:
    tenants = [_tenant(family, arm) for family in ("second", "third") for arm in ARMS]
    for path in (pages.README, pages.MODEL_CARD, pages.PAGE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"before\n{pages.BEGINS}\nold\n{pages.ENDS}\nafter\n", "utf-8")
    pages.write(tenants, "", tmp_path)
    page = (tmp_path / pages.PAGE).read_text("utf-8")
    for path in (pages.README, pages.MODEL_CARD):
        before, _, rest = (tmp_path / path).read_text("utf-8").partition(pages.BEGINS)
        figures_of, _, after = rest.partition(pages.ENDS)
        assert (before, after) == ("before\n", "\nafter\n")
        assert figures_of.strip() in page


@pytest.mark.parametrize("path", [pages.README, pages.MODEL_CARD])
def test_what_readme_and_model_card_say_stands_in_the_page(path: Path) -> None:
    page = (pages.ROOT / pages.PAGE).read_text("utf-8")
    figures_of = (pages.ROOT / path).read_text("utf-8").partition(pages.BEGINS)[2].partition(pages.ENDS)[0].strip()
    assert figures_of and figures_of in page
