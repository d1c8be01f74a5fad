"""Faults in the middle of runs, on real servers: nothing is lost, nothing is there twice, all is as if undisturbed.

NHI_KILLS says how many kills (50 of them take some minutes; `lab/bench/bench_elastic_kills.py` does so).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from elastic_proxy import bad_road
from elastic_server import Server
from elastic_story import Story, batches, records
from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic.client import connect
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.run import run

KILLS = int(os.environ.get("NHI_KILLS", "4"))


@pytest.fixture
def story(elastic: Server) -> Iterator[Story]:
    made = Story(elastic)
    yield made
    made.close()


def test_killed_at_random_moments_while_another_copy_starts(story: Story) -> None:
    dice = random.Random(KILLS)
    alerts = 0
    for batch in batches(records(), KILLS):
        took = story.tell(batch)
        story.kill_one_of_two(took, dice)
        alerts = story.same()
    assert alerts >= 5, "the story must have something to tell"


def test_a_road_that_drops_delays_cuts_and_refuses(story: Story) -> None:
    with bad_road(story.url, share=0.2) as road, connect(Connection((road.url,), timeout=20)) as client:
        for batch in batches(records(), 2):
            story.tell(batch)
            for _ in range(10):
                try:
                    run(client, story.job(story.wild))
                    break
                except StoreError:
                    continue  # as cron would: the next time
            alerts = story.same()
        assert alerts >= 5
        assert sum(road.done.values()) - road.done["passed"] >= 5, road.done
