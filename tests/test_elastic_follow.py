"""`nhi elastic run --follow`: what comes in is alerted soon, once; a second copy waits and takes over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from elastic_proxy import away_for, bad_road
from elastic_server import Server
from elastic_story import Story, batches, records
from nhi_watch.core.errors import NhiError
from nhi_watch.hosts.elastic.client import ATTEMPTS, connect
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.follow import follow

Tree = dict[str, Any]
PATIENCE = 600.0
"""Seconds; generous: a busy machine is no failure."""


@pytest.fixture
def story(elastic: Server) -> Iterator[Story]:
    made = Story(elastic)
    yield made
    made.close()


class Follower:
    """A job that follows, in a thread."""

    def __init__(self, story: Story, url: str) -> None:
        self._client = connect(Connection((url,), timeout=20))
        self._stop = Event()
        self.told: list[Tree] = []
        self.failed: list[NhiError] = []
        self._job = story.job(story.wild, every=0.2, lease=5)
        self._thread = Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            follow(self._client, self._job, self._stop, self.told.append)
        except NhiError as error:  # a thread's error is nobody's otherwise
            self.failed.append(error)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it must end after the round under way"
        assert not self.failed, self.failed
        self._client.close()


@contextmanager
def following(story: Story, url: str) -> Iterator[Follower]:
    follower = Follower(story, url)
    try:
        yield follower
    finally:
        follower.stop()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def latest(story: Story, namespace: str) -> dict[str, Tree]:
    """Each notable as it was written last; how many revisions there were depends on when one looked."""
    found = {alert["id"]: alert for alert in story.alerts(namespace)}
    return {name: {k: v for k, v in n.items() if k not in ("revision", "change")} for name, n in found.items()}


def once(story: Story) -> bool:
    named = [(alert["id"], alert["revision"]) for alert in story.alerts(story.wild)]
    return len(named) == len(set(named))


def test_what_comes_in_is_alerted_and_another_copy_takes_over(story: Story) -> None:
    first_half, second_half = batches(records(), 2)
    story.tell(first_half)
    with following(story, story.url) as first:
        wait_for(lambda: bool(first.told), "the first heartbeat")
        second = Follower(story, story.url)
        wait_for(lambda: bool(second.told), "the copy must say that it waits")
        assert "another run" in second.told[0]["waiting"]
    story.tell(second_half)
    wanted = latest(story, story.calm)
    assert len(wanted) >= 3
    wait_for(lambda: latest(story, story.wild) == wanted, "what came in must be alerted by the copy")
    second.stop()
    assert once(story)


@pytest.mark.parametrize("elastic", ["8.19.21"], indirect=True)
def test_a_server_that_is_away_when_it_begins_is_waited_for(story: Story) -> None:
    story.tell(records(days=2))
    wanted = latest(story, story.calm)
    with away_for(story.url, f"HEAD /nhi-state-{story.wild}", ATTEMPTS + 1) as road, following(story, road.url) as job:
        wait_for(lambda: bool(job.failed) or latest(story, story.wild) == wanted, "what came in must be alerted")
    assert wanted and road.done["503"] == ATTEMPTS + 1
    assert "503" in job.told[0]["waiting"], job.told


@pytest.mark.parametrize("elastic", ["8.19.21"], indirect=True)  # the road is what is tested, and it is a slow one
def test_over_a_bad_road_all_is_alerted_once(story: Story) -> None:
    first_half, second_half = batches(records(days=2), 2)
    with bad_road(story.url, share=0.15) as road, following(story, road.url) as follower:
        for batch in (first_half, second_half):
            story.tell(batch)
            wanted = latest(story, story.calm)
            wait_for(
                lambda wanted=wanted: bool(follower.failed) or latest(story, story.wild) == wanted,  # type: ignore[misc]
                f"all must be alerted: {road.done}",
            )
            assert not follower.failed, follower.failed
        wait_for(lambda: sum(road.done.values()) - road.done["passed"] >= 5, f"so few are faults: {road.done}")
        assert not follower.failed, follower.failed
    assert wanted and once(story)
