"""Several processes share the reading of a window, on one node and on two: the notables are as if one had read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ecs_shape import document, load
from elastic_server import VERSIONS, Node, Server
from elastic_story import Story, batches, records
from nhi_watch.context.reputation import NOTHING
from nhi_watch.core.timestamps import HOUR, render
from nhi_watch.hosts.elastic.client import connect
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.crew import Crew, Sizes, Wanted, cut
from nhi_watch.hosts.elastic.hand import Hand, Lists, digest
from nhi_watch.hosts.elastic.read import Span, Window, clocks, query
from nhi_watch.hosts.elastic.run import run
from nhi_watch.hosts.elastic.slices import Board
from nhi_watch.intake.days import Grouping
from nhi_watch.intake.sources import cloudtrail

Tree = dict[str, Any]
DATE = {"type": "date"}
LISTS = Lists(NOTHING, digest(None, [], ""))


@pytest.fixture
def story(elastic: Server) -> Iterator[Story]:
    made = Story(elastic)
    yield made
    made.close()


def three(url: str) -> Sizes:
    return Sizes(workers=3, share_from=1, lease=3, where=Connection((url,), timeout=20))


def test_three_processes_read_slices_of_one_run(story: Story) -> None:
    helped = alerts = 0
    for batch in batches(records(), 3):
        story.tell(batch)  # small pages: the first must still be reading when the others have started
        done = run(story.client, story.job(story.wild, share=three(story.url), page=5))
        helped += done["shared"]["by_others"]
        assert done["read"] >= len(batch)
        alerts = story.same()
    assert alerts >= 5
    assert helped >= 1, "the other processes must have read something"
    assert Board(story.client, f"nhi-state-{story.wild}").plan() is None, "nobody is asked for help any more"


def test_a_helper_that_dies_after_claiming_holds_nothing_up_for_long(story: Story) -> None:
    story.tell(records())
    index = f"nhi-state-{story.wild}"
    window = Window(story.source, 0, int(time.time()))
    crew = Crew(story.client, index, LISTS, Sizes(2, 1, 2))
    plan = crew.plan(Wanted(window, Span(), 500))
    assert plan is not None and len(plan.spans) >= 3
    into = Grouping([cloudtrail])
    board, real = Board(story.client, index), Board.publish

    def published(self: Board, told: Any) -> None:
        real(self, told)
        dead = Hand(story.client, index, LISTS, 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hand, "read_slice", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                dead.once()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Board, "publish", published)
        crew.read(plan, into, lambda hit, error: pytest.fail(str(error)), lambda: None)
    assert into.parsed == len(records()) and board.plan() is None
    assert crew.slices == len(plan.spans)


def test_who_has_other_lists_does_not_help(story: Story) -> None:
    story.tell(records()[:100])
    index = f"nhi-state-{story.wild}"
    crew = Crew(story.client, index, LISTS, Sizes(2, 1))
    plan = crew.plan(Wanted(Window(story.source, 0, int(time.time())), Span(), 500))
    assert plan is not None
    Board(story.client, index).publish(plan)
    assert not Hand(story.client, index, Lists(NOTHING, digest(None, [], "logs-ti_*"))).once()
    assert Hand(story.client, index, LISTS).once()
    result = Board(story.client, index).get(plan, min(Board(story.client, index).done(plan)))
    assert result.parsed > 0 and result.is_whole


def test_a_record_that_lies_there_twice_at_different_hours_counts_once(story: Story) -> None:
    chosen = records()[:300]
    moved = [document(r, True, render(int(time.time()) - 5)) for r in chosen[:40]]
    for copy in moved:  # the original tells when it happened; where it lies in the index tells something else
        copy["@timestamp"] = "2025-03-01T00:00:00Z"
    load(story.client, story.source, moved)
    story.tell(chosen)
    done = run(story.client, story.job(story.wild, share=three(story.url)))
    assert done["events"] == len(chosen)
    story.same()


def test_slices_cover_the_span_and_are_cut_at_full_hours() -> None:
    hours = {HOUR * i: 10 + i % 7 for i in range(500)}
    spans = cut(hours, 12, Span(None, HOUR * 500))
    assert (spans[0].low, spans[-1].high) == (None, HOUR * 500)
    assert all(a.high == b.low and a.high is not None and a.high % HOUR == 0 for a, b in zip(spans, spans[1:]))
    assert 11 <= len(spans) <= 13


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Two nodes; the second one holds data and is never master, so it may be lost.

    Of the newest version only: two more servers take half a minute, and what is tested is how the job bears the loss
    of a node; what requests a version understands the other tests tell, which run on each.
    """
    first = Node(max(VERSIONS, key=lambda version: int(version.partition(".")[0])), tmp_path_factory.mktemp("first"))
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
    """Three processes on two nodes; then one node goes in the middle; then the other one, and comes back."""
    first, second = pair
    urls = tuple(f"http://{node.address('http')}" for node in pair)
    with connect(Connection(urls, timeout=20)) as client:
        client.cluster.health(wait_for_nodes="2", timeout="60s")
        story = Story(Server(urls[0], first.version, client), replicas=1)
        whole = list(batches(records(), 3))
        share = three(urls[0])._replace(where=Connection(urls, timeout=20))
        alerts = 0
        for batch, lose in zip(whole, (lambda: None, second.kill, first.restart)):
            story.fill(batch)
            client.cluster.health(index=f"{story.source},nhi-*", wait_for_status="yellow", timeout="60s")
            run(client, story.job(story.wild, share=share, page=50), Once(lose))
            story.read()
            alerts = story.same()
        assert alerts >= 5


class Once:
    """Does a deed when the first stage is reached: what was read is in memory then, nothing is written yet."""

    def __init__(self, deed: Any) -> None:
        self._deeds = [deed]

    def __call__(self, stage: str, done: int, total: int) -> None:
        while self._deeds:
            self._deeds.pop()()


def test_a_document_that_tells_no_time_belongs_to_the_first_slice(story: Story) -> None:
    name = f"{story.source}.plain"
    story.client.indices.create(index=name, mappings={"properties": {"event": {"properties": {"ingested": DATE}}}})
    story.client.index(index=name, document={"event": {"ingested": render(int(time.time()) - 5)}}, refresh=True)
    window = Window(name, 0, int(time.time()))
    found = [
        story.client.count(index=name, query=query(window, clocks(story.client, name), span))["count"]
        for span in (Span(None, HOUR), Span(HOUR, None), Span())
    ]
    story.client.indices.delete(index=name)
    assert found == [1, 0, 1]
