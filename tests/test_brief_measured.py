"""The briefs of simulated incidents, a few of those that docs/method/brief_measured.md counts."""

from __future__ import annotations

import pytest

from brief_measured import Told, incidents, measure, page


@pytest.fixture(scope="module")
def result() -> list[Told]:
    return list(incidents(620, days=8, machines=25, campaigns=14))


def test_every_number_and_id_is_traceable_and_every_falsehood_refused(result: list[Told]) -> None:
    sum = measure(result)
    assert sum.incidents >= 8
    assert (sum.untraceable, sum.through) == (0, 0)
    assert sum.cited == sum.sentences > 0 < sum.planted
    assert sum.copied == sum.sent
    assert 0 < sum.held < sum.answered
    assert f"| {sum.claims:,} |" in page(sum, [620])
