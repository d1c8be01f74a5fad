"""The briefs of simulated incidents, a few of those that docs/method/brief_measured.md counts."""

from __future__ import annotations

import pytest

from brief_measured import Told, incidents, measure, page


@pytest.fixture(scope="module")
def found() -> list[Told]:
    return list(incidents(620, days=8, machines=25, campaigns=14))


def test_every_number_and_id_is_traceable_and_every_falsehood_refused(found: list[Told]) -> None:
    told = measure(found)
    assert told.incidents >= 8
    assert (told.untraceable, told.through) == (0, 0)
    assert told.cited == told.sentences > 0 < told.planted
    assert told.copied == told.sent
    assert 0 < told.held < told.answered
    assert f"| {told.claims:,} |" in page(told, [620])
