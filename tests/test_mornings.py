"""The mornings of an analyst: what counts as new, repeated, shown and read."""

from pathlib import Path

from nhi_watch.core.timestamps import parse
from nhi_watch_lab.evaluation import mornings
from nhi_watch_lab.evaluation.mornings import Case, Morning, Tenant

END = parse("2026-05-20T00:00:00Z")


def _row(name: str, severity: str = "low", last: str = "2026-05-19T10:00:00Z") -> dict[str, str]:
    life = "ongoing" if last > "2026-05-19" else "quiet"
    return {"id": name, "severity": severity, "last_time": last, "life": life, "kind": "compromise"}


def _tenant(family: str = "third", verdicts: bool = False) -> Tenant:
    cases = [
        Case("a", "secrets", "external", 0), Case("b", "secrets", "external", 7), Case("c", "secrets", "inside", None)
    ]  # fmt: skip
    return Tenant(family, f"{family} 1", verdicts, 200.0, cases, [Morning(4, 1, 1, 3, 0, 2), Morning(0, 0, 0, 4, 9, 0)])


def test_rows_of_incidents_are_neither_benign_nor_repeated() -> None:
    rows = [_row("a", "high"), _row("b", "critical"), _row("c")]
    morning = mornings._morning(rows, [{"i"}, set(), set()], {"a", "c"}, [_row("d"), _row("e")], END)
    assert morning == Morning(benign=2, repeats=1, graver=1, still_open=2, waiting=0, true=1)


def test_what_was_quiet_for_three_days_is_one_line_together() -> None:
    old = [_row(name, "high", f"2026-05-{day}T10:00:00Z") for name, day in (("a", "17"), ("b", "16"), ("c", "02"))]
    morning = mornings._morning([], [], set(), [*old, _row("d")], END)
    assert (morning.still_open, morning.waiting, morning.lines) == (2, 2, 3)


def test_figures_are_by_identity_days_and_places_among_benign_rows() -> None:
    found = mornings.figures([_tenant()])
    assert (found.outside, found.inside, found.counts) == (1.0, 0.0, (2, 1))
    assert found.first == ((0.5, 0.0), (1.0, 0.0))
    assert found.benign == 1000 * 4 / 400
    assert (found.repeats, found.graver, found.read, found.waiting) == (1.0, 1.0, 12.0, 9.0)


def test_a_page_tells_families_their_mean_and_intervals(tmp_path: Path) -> None:
    tenants = [_tenant(family, verdicts) for family in ("second", "third") for verdicts in (False, True)]
    mornings.write(tenants, tmp_path / "mornings.json")
    assert mornings.read(tmp_path / "mornings.json") == tenants
    page = mornings.page(tenants, "By models that never saw the family.")
    assert "| none | second | 2, 1 | 1.00 | 0.00 | 1.00, 0.00 | 0.50, 0.00 | 10.0 | 1.00 | 1.00 | 12.0 | 9.0 |" in page
    assert "| true | **mean of families** | 4, 2 |" in page
    assert page.count("90% interval over tenants") == 2
