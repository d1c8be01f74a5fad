"""`nhi elastic run --follow`: what comes in is alerted soon, once; a second copy waits and takes over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from elastic_server import Server
from elastic_story import Story, batches, records

from nhi_watch.elastic.client import connect
from nhi_watch.elastic.connection import Connection
from nhi_watch.elastic.follow import follow

Tree = dict[str, Any]
PATIENCE = 120.0


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
        job = story.job(story.wild, every=0.2, lease=5)
        self._thread = Thread(target=follow, args=(self._client, job, self._stop, self.told.append), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it must end after the round under way"
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
        time.sleep(0.2)


def latest(story: Story, namespace: str) -> dict[str, Tree]:
    """Each notable as it was written last; how many revisions there were depends on when one looked."""
    found = {alert["id"]: alert for alert in story.written(namespace).alerts}
    return {name: {k: v for k, v in n.items() if k not in ("revision", "change")} for name, n in found.items()}


def once(story: Story) -> bool:
    named = [(alert["id"], alert["revision"]) for alert in story.written(story.wild).alerts]
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
