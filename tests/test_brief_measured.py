"""The briefs of simulated incidents, a few of those that docs/method/brief_measured.md counts."""

from __future__ import annotations

import pytest

from brief_measured import Told, incidents, measure, page


@pytest.fixture(scope="module")
def briefs() -> list[Told]:
    return list(incidents(620, days=8, machines=25, campaigns=14))


def test_every_number_and_id_is_traceable_and_every_falsehood_refused(briefs: list[Told]) -> None:
    measured = measure(briefs)
    assert measured.incidents >= 8
    assert (measured.untraceable, measured.through) == (0, 0)
    assert measured.cited == measured.sentences > 0 < measured.planted
    assert measured.copied == measured.sent
    assert 0 < measured.held < measured.answered
    assert f"| {measured.claims:,} |" in page(measured, [620])
