"""The race: who is first, the thief or the notable, with records that arrive late; lost cases stay lost."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch import cli
from nhi_watch_lab.evaluation import race, race_page
from nhi_watch_lab.evaluation.race_chains import STAGES, Chain, Setting, chains

QUICK = Chain("a", (0, 20, 60, 90, 90 + 3600, None), 0, 30)
UNSEEN = QUICK._replace(seen=None)


def won(chain: Chain, way: str, delay: int, every: float = 1.0, start: float = 3.0) -> list[Any]:
    shares = race._shares([chain], [start], way, delay, every)
    return [shares[stage]["share"] for stage in STAGES]


def test_the_exposure_wins_where_its_feed_is_faster_than_the_thief() -> None:
    assert won(QUICK, "provider's own scan", 0, start=3.0) == [1, 1, 1, 1, 1, None]
    assert won(QUICK, "provider's own scan", 0, start=67 / 60) == [0, 0, 1, 1, 1, None]
    assert won(QUICK, "provider's own scan", 5, start=3.0) == [0, 0, 0, 0, 1, None]


def test_logs_are_always_behind_the_first_call_and_never_see_what_never_scores_high() -> None:
    assert won(QUICK, "logs alone", 0)[0] == 0
    assert won(QUICK, "logs alone", 0)[4] == 1
    assert won(UNSEEN, "logs alone", 0) == [0, 0, 0, 0, 0, None]
    assert won(UNSEEN, "provider's own scan, and logs", 0) == [1, 1, 1, 1, 1, None]


def test_a_scan_that_runs_hourly_wins_only_the_share_of_hours_in_which_it_came_first() -> None:
    assert won(QUICK, "own scan, hourly", 0, start=29.5)[0] == 0.5


DELAY = st.integers(0, 60)


@given(DELAY, DELAY, st.floats(0.1, 60), st.sampled_from(race._ways()))
def test_later_records_never_win_more_and_knowing_both_never_less(one: int, two: int, start: float, way: str) -> None:
    early, late = sorted([one, two])
    for before, after in zip(won(QUICK, way, early, start=start), won(QUICK, way, late, start=start)):
        assert before is None or before >= after
    if not way.endswith("and logs") and way != "logs alone":
        both, alone = won(QUICK, f"{way}, and logs", one, start=start), won(QUICK, way, one, start=start)
        assert all(b is None or b >= a for b, a in zip(both, alone))


@cache
def played() -> tuple[Chain, ...]:
    return tuple(chains(Setting(seed=601, machines=60, days=9, victims=3)))


def test_the_chains_are_the_simulator_s_and_come_out_again() -> None:
    assert len(played()) == 3
    for chain in played():
        told = [second for second in chain.stages[:4] if second is not None]
        assert chain.stages[0] == 0
        assert told == sorted(told)
        assert chain.stages[3] is not None


def test_the_figures_name_the_lost_case_of_67_seconds() -> None:
    result = race.figures(played(), 1.0, {"seed": 601, "machines": 60, "days": 9, "victims": 3})
    fastest = result["known"]["67 s, the fastest published"]
    assert fastest["logs alone"]["first try"] == 0
    assert fastest["provider's own scan"]["first try"] == 0
    page = race_page.render(result)
    assert "| 67 s, the fastest published | 0% |" in page
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize("args", [("--days", "3"), ("--every", "0"), ("--victims", "0"), ("--machines", "2")])
def test_a_race_without_runners_says_so(args: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["race", *args]) == 2
    assert capsys.readouterr().err.startswith("nhi: nhi race: ")
