"""On a real cluster: whatever the order in which records come, and however runs cut them, the notables are the same."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from core_samples import TODAY, runs, shown
from elastic_server import Server
from nhi_watch.core.timestamps import render
from test_cases import ROOM, THREE, until
from test_elastic_run import Place, fill, place
from test_pipeline import quiet

__all__ = ["Server", "place"]

PAST = [*quiet(12), *quiet(12, "batch"), *quiet(12, "lone"), *until(TODAY - 1)]
STEP = 600
"""Seconds between two parts by their time of ingestion; each run reads up to the last of them."""


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_cutting_gives_the_notables_of_the_program(place: Place, seed: int) -> None:
    """After each part the notables are those of its records alone; each revision is written once, and none is lost."""
    dice, records = random.Random(seed), list(THREE)
    dice.shuffle(records)
    records.sort(key=lambda r: r["eventTime"] >= render((TODAY + 2) * 86_400))  # the third day closes the first
    cuts = sorted({0, len(records), *(dice.randrange(len(records)) for _ in range(3))})
    begin = int(time.time()) - STEP * (len(cuts) + 1)
    arrive(place, PAST, begin)
    for number, (low, high) in enumerate(zip(cuts, cuts[1:]), 1):
        arrive(place, records[low:high], begin + STEP * number)
        assert shown(place.store()) == shown(runs([PAST, records[:high]], ROOM)) != {}
    for changes in published(place).values():
        assert [revision for revision, _ in changes] == [*range(1, len(changes) + 1)]
        assert all(sum(change == once for _, change in changes) <= 1 for once in ("merged", "settled", "withdrawn"))


def arrive(place: Place, records: list[dict[str, Any]], ingested: int) -> None:
    """Documents come, and two runs read up to them: what a close has taught is used by the run behind it."""
    fill(place, records, ingested=ingested)
    for _ in range(2):
        place.run(budget=ROOM.budget, lag=int(time.time()) - ingested - 1)


def published(place: Place) -> dict[str, list[tuple[int, str]]]:
    """Notable → its revisions and what became of it with each, as the stream has them."""
    result: dict[str, list[tuple[int, str]]] = {}
    for alert in place.alerts():
        item = alert["nhi"]["notable"]
        result.setdefault(item["id"], []).append((item["revision"], alert["nhi"]["change"]))
    return {name: sorted(changes) for name, changes in result.items()}
