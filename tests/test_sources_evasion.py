"""What an attacker may write into a record and gains nothing by: samples by the name of the test, see SECURITY.md."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nhi_watch.core.event import Event
from test_sources import SOURCES, field, outcome_of, samples_of

Held = Callable[[str], None]


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Held:
    """Sees that the samples of a source whose case is the test's name are read as expected."""

    def look(name: str) -> None:
        (source,) = [source for source in SOURCES if name == source.NAME]
        case = request.node.name.removeprefix("test_").replace("_", " ")
        mine = [sample for sample in samples_of(source) if sample.get("case") == case]
        assert mine
        for sample in mine:
            event = outcome_of(source, sample["record"])
            assert isinstance(event, Event)
            assert {name: field(event, name) for name in sample["event"]} == sample["event"]

    return look


def test_only_a_part_of_the_cluster_in_its_place_is_the_clusters_own(kept: Held) -> None:
    kept("kubernetes")


def test_who_holds_a_certificate_in_the_name_of_nobody_is_somebody(kept: Held) -> None:
    kept("kubernetes")


def test_whoever_chooses_a_name_that_says_nothing_is_a_user_all_the_same(kept: Held) -> None:
    kept("snowflake")


def test_a_forged_header_hides_no_outside_address_and_lends_no_inside_one(kept: Held) -> None:
    kept("kubernetes")


def test_a_condition_that_everybody_meets_limits_nothing(kept: Held) -> None:
    kept("cloudtrail")


def test_everything_is_everything_however_it_is_spelled(kept: Held) -> None:
    kept("cloudtrail")


def test_half_of_the_world_is_the_world(kept: Held) -> None:
    kept("cloudtrail")


def test_what_a_body_makes_is_told_wherever_it_stands(kept: Held) -> None:
    kept("kubernetes")


def test_another_spelling_of_a_call_of_graph_is_the_same_call(kept: Held) -> None:
    kept("entra")


def test_whom_it_impersonates_and_in_which_groups_is_told(kept: Held) -> None:
    kept("kubernetes")


def test_an_endpoint_of_another_account_is_not_a_place_of_ours(kept: Held) -> None:
    kept("cloudtrail")
