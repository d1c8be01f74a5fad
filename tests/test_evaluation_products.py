"""Campaigns across products are counted as the page says: found, as one notable, against source by source."""

from __future__ import annotations

import pytest

from nhi_watch.detect import model
from nhi_watch_lab.evaluation.products import Company, Found, Incident, Tally, summarise, watch
from nhi_watch_lab.evaluation.products_page import page, sheet
from nhi_watch_lab.simulator.products import Spec

SPEC = Spec(days=2, nhis=40, seed=192, campaigns=4)


@pytest.fixture(scope="module")
def company() -> Company:
    return watch(SPEC, model.load())


def test_all_records_alerts_and_incidents_of_a_company_are_counted(company: Company) -> None:
    tally = company.tally
    assert (tally.days, len(company.incidents)) == (2, 4)
    assert tally.records > 5_000 > tally.alerts
    assert 0 <= tally.together <= 2 and tally.by_source >= 0
    assert {incident.seed for incident in company.incidents} == {192}


def test_a_company_gives_the_same_figures_again(company: Company) -> None:
    assert watch(SPEC, model.load()) == company


def made(name: str, together: Found, by_source: Found, crossing: bool = True) -> Incident:
    return Incident(name, 1, "token_to_cloud", "inside", True, crossing, together, by_source, by_source)


def test_one_notable_is_as_one_only_if_it_is_found_and_whole() -> None:
    one, two, part = Found(True, 1, True), Found(True, 2, True), Found(True, 1, False)
    missed = Found(False, 1, True)
    incidents = [made("a", one, two), made("b", part, missed), made("c", missed, missed), made("d", one, one, False)]
    found = summarise([Company(incidents, Tally(2, 10, 3, 1, 4))], model.load())
    together, alone = (found["recall"]["all"][way] for way in ("together", "by_source"))
    assert (together["found"]["found"], together["as_one"]["found"]) == (3, 2)
    assert (alone["found"]["found"], alone["as_one"]["found"], alone["notables_each"]) == (2, 1, 1.25)
    assert found["recall"]["crossing products"]["together"]["found"]["incidents"] == 3
    text = page(found, [SPEC], "What is counted.")
    assert (
        "10 records and 3 alerts of other products went in; 1 notables came out in 2 days (4 source by source)" in text
    )
    assert "token_to_cloud,4,3,2,2\n" in sheet(found)
