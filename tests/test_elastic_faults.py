"""Faults in the middle of runs, on real servers: nothing is lost, nothing is there twice, all is as if undisturbed.

NHI_KILLS says how many kills: 50 of them take some minutes. 200 runs with faults of sixteen kinds are
`lab/bench/bench_faults.py elastic`; here each kind comes once.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from elastic_faults import KINDS, Faults
from elastic_proxy import bad_road
from elastic_secured import Secured, secured
from elastic_server import NEWEST, Node, Server
from elastic_story import Story, batches, records
from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import run

__all__ = ["secured"]

KILLS = int(os.environ.get("NHI_KILLS", "4"))


@pytest.fixture
def story(elastic: Server) -> Iterator[Story]:
    story = Story(elastic)
    yield story
    story.close()


def test_killed_at_random_moments_while_another_copy_starts(story: Story) -> None:
    dice = random.Random(KILLS)
    alerts = 0
    for batch in batches(records(), KILLS):
        took = story.tell(batch)
        story.kill_one_of_two(took, dice)
        alerts = story.same()
    assert alerts >= 2, "the story must have something to tell"


def test_every_kind_of_fault(secured: Secured) -> None:
    faults = Faults(secured, random.Random(5))
    documents = records(6)
    first, *others = batches(documents, len(KINDS) + 1)
    faults.begin(first)
    read = list(first)
    alerts = stand = 0
    for number, (kind, batch) in enumerate(zip(KINDS, others), 1):
        read += batch
        alerts = faults.befall(kind, batch)
        stand = faults.standing(read) if number % 5 == 0 else stand
    assert alerts >= 2 and stand >= 2
    assert faults.scored(documents) >= 1
    faults.close()


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
        assert alerts >= 2
        assert sum(road.done.values()) - road.done["passed"] >= 5, road.done


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Two nodes; the second one holds data and is never master, so it may be lost."""
    first = Node(NEWEST, tmp_path_factory.mktemp("first"))
    try:
        first.start()
        second = Node(first.version, tmp_path_factory.mktemp("second"), joins=first)
        try:
            second.start()
            yield first, second
        finally:
            second.remove()
    finally:
        first.remove()


def test_a_node_is_lost_and_the_other_one_killed_and_started_again(pair: tuple[Node, Node]) -> None:
    """First nothing happens; then one node goes in the middle; then the other one, and comes back."""
    first, second = pair
    urls = tuple(f"http://{node.address('http')}" for node in pair)
    with connect(Connection(urls, timeout=20)) as client:
        client.cluster.health(wait_for_nodes="2", timeout="60s")
        story = Story(Server(urls[0], first.version, client), replicas=1)
        parts = list(batches(records(), 3))
        alerts = 0
        for batch, lose in zip(parts, (lambda: None, second.kill, first.restart)):
            story.fill(batch)
            client.cluster.health(index=f"{story.source},nhi-*", wait_for_status="yellow", timeout="60s")
            run(client, story.job(story.wild, page=50), Once(lose))
            story.read()
            alerts = story.same()
        assert alerts >= 2


class Once:
    """Does a deed when the first stage is reached: what was read is in memory then, nothing is written yet."""

    def __init__(self, deed: Any) -> None:
        self._deeds = [deed]

    def __call__(self, stage: str, done: int, total: int) -> None:
        while self._deeds:
            self._deeds.pop()()
