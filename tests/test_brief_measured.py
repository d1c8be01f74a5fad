"""The briefs of simulated incidents, a few of those that docs/method/brief_measured.md counts."""

from __future__ import annotations

import re

import pytest

from brief_measured import PAGE, Told, incidents, measure, page, untraceable
from nhi_watch.detect.explain.brief import Fact


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


def test_what_stands_nowhere_is_noticed(found: list[Told]) -> None:
    one = found[0]
    made_up = Fact("Summary", "The notable holds {0} records.", ("987654",), ("record:nowhere",))
    assert untraceable(one._replace(facts=[*one.facts, made_up])) == ["987654", "record:nowhere"]


def test_the_page_says_what_was_measured() -> None:
    text = PAGE.read_text("utf-8")
    (incidents_counted,) = re.findall(r"(\d+) incidents of", text)
    assert int(incidents_counted) >= 100
    line = r"^\| (?:sentences with|numbers|planted falsehoods).*\| ([\d,]+) \| ([\d,]+) \|$"
    for row in re.findall(line, text, re.MULTILINE):
        assert row[0] == row[1]
