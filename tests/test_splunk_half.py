"""Nothing is concluded from half of an answer: peers that fail, lag, vanish and repeat; runs that overlap.

Commands run in this process, or there would be no thousand runs.
"""

from __future__ import annotations

import os
import random
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from layout import ROOT
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.hosts.splunk.notables import ENDED, Earlier, Ranked
from nhi_watch.hosts.splunk.whole import PATIENCE, Answer, Count, answer, concluded, counts, is_settled, settled
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_peers import WAYS, Fault, Window
from splunk_process import Row
from splunk_server import Server

PEERS = 5
STEP = 2 * HOUR
"""Between two runs of the schedule; every five minutes in Splunk."""
WORLDS = int(os.environ.get("NHI_FAULTY_WORLDS", "3"))
"""Worlds of faults, each of some 48 runs of Rank and Rank All; 21 make a thousand runs."""


@lru_cache
def records() -> tuple[dict[str, Any], ...]:
    days = Tenant(Spec(days=2, machines=8, seed=8, campaigns=8, events=1_600)).days()
    return tuple(record for day in days for record in day.records)


def midnight() -> int:
    return parse(records()[0]["eventTime"]) // DAY * DAY


def server(folder: Path) -> Server:
    (folder / "lookups").mkdir(parents=True)
    for path in (ROOT / "lookups").glob("*.csv"):
        shutil.copy(path, folder / "lookups")
    made = Server(folder, peers=PEERS)
    made.overrides["nhi_budget"] = "300"
    return made


def standing(made: Server, now: int) -> dict[str, tuple[str, str]]:
    rows = made.search("`nhi_notables` | `nhi_latest`", Window(0, now + DAY), now)
    return {row["nhi_id"][0]: (row["nhi_score"][0], row["nhi_severity"][0]) for row in rows}


def arrive(made: Server, low: int, high: int) -> None:
    timed = ((parse(record["eventTime"]), record) for record in records())
    made.index([(time, record) for time, record in timed if low <= time < high], "aws:cloudtrail", high)
    broken = {"eventSource": "no event"}  # what cannot be read leaves a row of its own
    made.index([(low, broken)], "aws:cloudtrail", high)


def lived(folder: Path, dice: random.Random | None) -> Server:
    """Two days of runs; with dice, of which half meet a fault, some are skipped, and some come twice."""
    made, start, before = server(folder), midnight(), set[tuple[str, str]]()
    for now in range(start + STEP, start + 2 * DAY, STEP):
        arrive(made, now - STEP, now)
        for since in (now - STEP, *([now - 2 * STEP] if dice and dice.random() < 0.3 else [])):
            for how in ("only=news | sort 0 nhi_key | nhigroup", "| sort 0 nhi_key | nhigroup records=1"):
                text = f"`nhi_events` | `nhi_read` | nhigroup {how} | `nhi_collect_behaviours`"
                made.search(text, Window(start, start + 2 * DAY, since + 1, now + 1), now + 60)
        if dice and dice.random() < 0.2:
            continue
        ranks = ["NHI Watch - Rank", "NHI Watch - Rank All"]
        for name in ("NHI Watch - Count", "NHI Watch - Awake", *ranks * (2 if dice and dice.random() < 0.2 else 1)):
            made.faults = [fault for fault in _faults(dice) if (name, fault.how) not in before]
            twice = {(name, fault.how) for fault in made.faults if fault.how == "twice"}
            before = twice | {one for one in before if one[0] != name}
            made.scheduled(name, now + 120)
        made.faults = []
    for name in ("NHI Watch - Count", "NHI Watch - Count", "NHI Watch - Rank All"):
        made.scheduled(name, start + 2 * DAY - 60)
    return made


def _faults(dice: random.Random | None) -> list[Fault]:
    if dice is None or dice.random() < 0.5:
        return []
    return [Fault(peer, dice.choice(WAYS)) for peer in dice.sample(range(PEERS), dice.choice((1, 3, 4)))]


def ever(made: Server) -> set[tuple[str, str]]:
    """(id, what became of it) of everything that was ever written."""
    rows = made.search("`nhi_notables`", Window(0, midnight() + 3 * DAY), midnight() + 3 * DAY)
    return {(row["nhi_id"][0], row["nhi_change"][0]) for row in rows}


class Lived(NamedTuple):
    """What whole answers give."""

    standing: dict[str, tuple[str, str]]
    ever: set[tuple[str, str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    made = lived(tmp_path_factory.mktemp("whole"), None)
    found = Lived(standing(made, midnight() + 2 * DAY), ever(made))
    assert len(found.standing) >= 2, "what is simulated must give something to lose"
    return found


@pytest.mark.parametrize("seed", range(WORLDS))
def test_faulty_runs_end_with_the_notables_of_whole_ones_and_withdraw_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Lived, seed: int
) -> None:
    monkeypatch.setattr("nhi_watch.hosts.splunk.whole.PATIENCE", 30 * DAY)  # what comes of it: below
    made = lived(tmp_path / "app", random.Random(seed))
    assert standing(made, midnight() + 2 * DAY) == whole.standing
    assert {name for name, _ in ever(made)} <= {name for name, _ in whole.ever}, "one that is false was written"
    ended = {name for name, change in ever(made) if change in ENDED}
    assert ended <= {name for name, change in whole.ever if change in ENDED}, "one was withdrawn that stands"


def test_the_half_that_came_would_have_withdrawn(tmp_path: Path, whole: Lived) -> None:
    """What the counts are for: the same answer, taken for whole, ends notables that stand."""
    made = lived(tmp_path / "app", None)
    end = midnight() + 2 * DAY
    made.faults = [Fault(0, "lost"), Fault(1, "lost"), Fault(2, "lost")]
    rows = [row for row in made.events if row["index"] != ["nhi_risk"]]
    assert made.scheduled("NHI Watch - Rank All", end - 30) == []
    assert any("an indexer did not answer" in text for _, text in made.messages)
    made.events = [*rows, *[{**row, "_peer": ["4"]} for row in made.events if row["index"] == ["nhi_risk"]]]
    made.collections["nhi_days"] = []
    for row in made.events:  # as notables were written before they told their day's events
        if row["index"] == ["nhi_risk"]:
            row["_raw"] = [row["_raw"][0].replace('"nhi_day_events"', '"nhi_formerly"')]
    before = standing(made, end)
    assert before == whole.standing
    made.scheduled("NHI Watch - Rank All", end - 30)
    assert not set(before) - set(standing(made, end)), "nothing ends where nobody has counted"


def test_a_day_costs_once(tmp_path: Path, whole: Lived) -> None:
    made = lived(tmp_path / "app", None)
    end = midnight() + 2 * DAY
    made.scheduled("NHI Watch - Learn", end - 50)
    made.messages = []
    made.scheduled("NHI Watch - Rank All", end - 40)
    assert "nhirank: nothing new since it was learnt: 2025-03-03" in [text for _, text in made.messages]
    assert standing(made, end) == whole.standing


# ---- the rule by itself

DAY_NUMBER = 20_000
NOTABLE = {"id": "x", "kind": "compromise"}


def told(parts: int, events: int, count: Count | None, before: int = 0) -> Answer:
    return Answer(DAY_NUMBER, parts, events, count, before)


def test_a_day_of_which_less_has_come_than_was_there_waits_for_two_hours() -> None:
    now = 100 * DAY
    assert not told(4, 10, Count(5)).is_due(now)
    assert not told(4, 10, Count(5, now - PATIENCE)).is_due(now)
    assert told(4, 10, Count(5, now - PATIENCE - 1)).is_due(now)
    assert not told(5, 9, Count(5), before=10).is_due(now), "rows twice do not make up for missing ones"
    assert told(5, 10, Count(5), before=10).is_due(now)


CHANGES = ("new", "updated", "same", "withdrawn", "merged")


def shown(answered: Answer, escalated: bool = False) -> list[str]:
    return [one.change for one in concluded((Ranked(dict(NOTABLE), c, escalated, {}) for c in CHANGES), answered)]


def test_what_may_be_said_depends_on_what_has_come() -> None:
    assert shown(told(5, 10, Count(5), before=10)) == ["new", "updated", "same", "withdrawn", "merged"]
    assert shown(told(5, 10, None, before=10)) == ["new", "updated", "same"]
    assert shown(told(4, 10, Count(5))) == ["new", "same", "same"]
    assert shown(told(4, 10, Count(5)), escalated=True) == ["new", "updated", "same"]


def test_a_day_is_not_ranked_again_while_it_is_known_that_nothing_is_new() -> None:
    gone = Earlier({"kind": "compromise"}, "withdrawn", DAY_NUMBER)
    stays = Earlier({"kind": "compromise", "id": "x"}, "new", DAY_NUMBER, 7)
    assert is_settled(5, 5, Count(5), [stays]) and not is_settled(6, 5, Count(6), [stays])
    assert not is_settled(5, 5, Count(6), [stays]), "one that is missing may be a new one"
    assert not is_settled(5, 5, None, [stays]) and not is_settled(0, 0, Count(0), [])
    assert not is_settled(5, 5, Count(5), [gone]), "its verdict may have been taken back"
    assert [(one.change, one.run["day_events"]) for one in settled([stays, gone])] == [("same", 7)]


def test_rows_and_events_are_held_against_the_day_s_own_notables() -> None:
    known = [Earlier({"kind": "compromise"}, "new", DAY_NUMBER, 7), Earlier({"kind": "compromise"}, "new", 1, 99)]
    assert answer(DAY_NUMBER, (6, 0), None, known) == told(6, 0, None, before=7)


def test_rows_of_the_lookup_are_read_as_splunk_writes_numbers() -> None:
    rows: list[Row] = [{"nhi_day_number": ["20000.0"], "nhi_parts": ["12"], "nhi_short": [""]}]
    assert counts({name: values[0] for name, values in row.items()} for row in rows) == {20_000: Count(12)}
