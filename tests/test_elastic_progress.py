"""A job that nothing wedges: what fails is set aside, what comes late is read, clocks and remotes may be wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest
from elasticsearch import BadRequestError

from ecs_shape import document, load
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.detect.health import ERROR, OK
from nhi_watch.hosts.elastic import doctor, read, windows
from nhi_watch.hosts.elastic.doctor import Examined
from nhi_watch.hosts.elastic.store import ClusterClock, ElasticStore, Lease, LeaseTakenError
from test_elastic_run import SINCE, Place, place, simulated
from test_outputs import ecs_fields, faults

__all__ = ["ecs_fields", "place"]

Tree = dict[str, Any]
FEW = simulated()[:60]
MORE = simulated()[60:100]
HOUR = 3600


def fill(place: Place, records: Any, ago: int = 60, **changes: Any) -> None:
    when = render(int(time.time()) - ago)
    load(place.client, place.source, ({**document(record, True, when), **changes} for record in records))


def examined(place: Place, pattern: str = "") -> dict[str, Any]:
    checks = doctor.examine(place.client, Examined(pattern or place.source, place.namespace, HOUR))
    return {check.name: check for check in checks}


def mapped_as_text(place: Place, index: str, field: str) -> None:
    """An index of which a time is a text."""
    place.client.indices.create(index=index, mappings={"properties": {field: {"type": "text"}}})
    place.client.index(index=index, document={field: "never"}, refresh=True)


# ---- a part that fails


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A document that holds `poison` makes the job fail as a defect would."""
    real = read.feed

    def feed(intake: Any, page: Any, refuse: Any) -> None:
        if any(b"poison" in bytes(hit.source) for hit in page):
            raise IndexError("tuple index out of range")
        real(intake, page, refuse)

    monkeypatch.setattr(read, "feed", feed)
    return monkeypatch


def poisoned() -> Tree:
    return {**FEW[0], "userAgent": "poison", "eventID": "poison-1"}


def test_a_part_that_fails_three_times_is_set_aside_and_the_job_goes_on(
    place: Place, poison: pytest.MonkeyPatch
) -> None:
    fill(place, [*FEW, poisoned()])
    done = place.run(since=SINCE)
    (given,) = done["set_aside"]
    assert given["documents"] == len(FEW) + 1
    assert given["why"].startswith("IndexError: tuple index out of range")
    at_once, beat = place.written()[-2:]
    assert at_once["event"]["outcome"] == "failure" and "set aside 61 documents" in at_once["message"]
    assert beat["event"]["outcome"] == "failure" and "set aside 61 documents" in beat["message"]
    checks = examined(place)
    assert checks["set aside"].status == ERROR
    fill(place, MORE, ago=0)
    time.sleep(1.1)
    again = place.run()
    assert again["set_aside"] == [] and again["read"] == len(MORE), "it goes on, and does not stumble again"


def test_what_was_set_aside_is_read_again_from_where_somebody_says(place: Place, poison: pytest.MonkeyPatch) -> None:
    fill(place, [*FEW, poisoned()])
    place.run(since=SINCE)
    poison.undo()
    assert place.run()["read"] == 0, "the overlap leaves it out"
    assert place.run(since=SINCE)["read"] == len(FEW) + 1
    checks = examined(place)
    assert (checks["progress"].status, checks["backlog"].status) == (OK, OK)
    assert "set aside" not in checks and "reach" not in checks, "nothing is to be said of a job that moves"


def test_a_part_that_kills_its_processes_is_given_up_too(place: Place) -> None:
    fill(place, FEW)
    place.run(since=SINCE, lag=HOUR)  # nothing is that old: the state is there
    store = place.store()
    window = read.Window(place.source, 0, int(time.time()))
    windows.note(store, [windows.Task(window, starts=windows.STARTS)])
    store.commit()
    checks = examined(place)
    assert checks["progress"].status == ERROR and "the job makes no progress" in checks["progress"].text
    done = place.run()
    assert "killed" in done["set_aside"][0]["why"]
    assert windows.pending(place.store()) == []


def test_whatever_ends_a_run_leaves_a_heartbeat_on_which_a_rule_alerts(
    place: Place, ecs_fields: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(windows, "windows", broken)
    with pytest.raises(ZeroDivisionError):
        place.run()
    beat = place.written()[-1]
    assert beat["event"]["outcome"] == "failure" and beat["message"].startswith("ZeroDivisionError: a defect (")
    assert faults(beat, ecs_fields) == []
    assert examined(place)["heartbeat"].status == ERROR
    monkeypatch.undo()
    assert place.run(pattern="logs-none-*")["read"] == 0, "the lease was released"


# ---- late documents, and clocks


@pytest.mark.both_versions("sequence numbers, remotes and errors are the server's")
def test_what_becomes_searchable_hours_after_it_was_ingested_is_read_and_told(place: Place) -> None:
    fill(place, FEW)
    place.run(since=SINCE)
    fill(place, MORE, ago=3 * HOUR)
    done = place.run()
    assert (done["late"], done["read"], done["events"]) == (len(MORE), len(MORE), len(MORE))
    assert [place.run(look=look)["read"] for look in (windows.EVERY, 0)] == [0, 0]


def test_what_has_no_higher_number_than_what_was_read_is_found_once_an_hour(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an index of several shards, each of which numbers by itself."""
    fill(place, FEW, ago=3 * HOUR)
    place.run(since=SINCE)
    real = read.numbers
    monkeypatch.setattr(read, "numbers", lambda response: {name: n + 1000 for name, n in real(response).items()})
    fill(place, FEW, ago=60)
    place.run()
    monkeypatch.undo()
    fill(place, MORE, ago=3 * HOUR)
    assert place.run()["read"] == 0, "it is looked for once an hour"
    done = place.run(look=0)
    assert (done["late"], done["events"]) == (len(MORE), len(MORE))
    assert done["read"] == len(FEW) + len(MORE), "the slot is read again"
    assert place.run(look=0)["read"] == 0


def test_beside_an_index_without_numbers_late_documents_are_found_by_counting(place: Place) -> None:
    bare, pattern = f"{place.source}.bare", f"{place.source}*"
    settings = {"mode": "logsdb", "codec": "default", "disable_sequence_numbers": True}
    try:
        place.client.indices.create(index=bare, settings={"index": settings})
    except BadRequestError:
        pytest.skip("8.19 has no such index")
    fill(place, FEW)
    place.client.index(index=bare, document={"@timestamp": render(int(time.time()) - 60)}, refresh=True)
    assert place.run(since=SINCE, pattern=pattern)["read"] == len(FEW) + 1
    fill(place, MORE, ago=3 * HOUR)
    done = place.run(pattern=pattern, look=0)
    assert (done["unread"], done["late"], done["events"]) == ([], len(MORE), len(MORE))
    place.client.indices.delete(index=bare)


def test_nothing_is_read_twice_because_of_a_late_document(place: Place) -> None:
    fill(place, FEW[:30], ago=300)
    fill(place, FEW[30:], ago=200)
    assert place.run(since=SINCE)["read"] == len(FEW)
    assert place.run()["read"] == 0
    fill(place, MORE[:1], ago=300)
    done = place.run()
    assert (done["late"], done["read"], done["events"]) == (1, 1, 1)
    assert place.run()["read"] == 0


def test_a_document_that_does_not_tell_when_it_came_and_is_late_is_read(place: Place) -> None:
    fill(place, FEW)
    place.run(since=SINCE)
    when = render(int(time.time()) - 5 * HOUR)
    late = [document({**record, "eventTime": when}, True, None) for record in MORE]
    load(place.client, place.source, late)
    done = place.run(look=0)
    assert (done["late"], done["events"]) == (len(MORE), len(MORE))


def test_late_documents_of_the_last_minutes_are_read_beside_an_index_that_maps_the_time_as_text(place: Place) -> None:
    fill(place, FEW, ago=20)
    place.run(since=SINCE, pattern=f"{place.source}*")
    unusual = f"{place.source}.odd"
    mapped_as_text(place, unusual, "event.ingested")
    fill(place, MORE, ago=20)
    done = place.run(pattern=f"{place.source}*")
    place.client.indices.delete(index=unusual)
    assert done["events"] == len(MORE)


@pytest.mark.parametrize("wrong", [HOUR, -HOUR])
def test_the_hosts_clock_does_not_matter(place: Place, monkeypatch: pytest.MonkeyPatch, wrong: int) -> None:
    real = time.time
    fill(place, FEW)
    monkeypatch.setattr(time, "time", lambda: real() + wrong)
    assert place.run()["read"] == len(FEW)
    monkeypatch.setattr(time, "time", real)
    fill(place, MORE, ago=5)
    assert place.run()["events"] == len(MORE), "the checkpoint is not in the future"
    assert all(abs(real() - parse(beat["event"]["ingested"])) < 600 for beat in place.written())


def test_a_beginning_that_is_yet_to_come_is_refused_and_a_checkpoint_of_the_future_counts_as_now(place: Place) -> None:
    store = place.store()
    store.put("meta", [(f"elastic:checkpoint:{place.source}", str(int(time.time()) + HOUR).encode())])
    store.commit()
    fill(place, FEW, ago=5)
    assert place.run()["read"] == len(FEW)
    before = windows.checkpoints(place.store(), [place.source])
    with pytest.raises(InputError, match=r"--since .* is in the future"):
        place.run(since=int(time.time()) + 86_400)
    assert windows.checkpoints(place.store(), [place.source]) == before


# ---- who may write


def test_a_stuck_request_of_a_former_holder_rewrites_nothing(place: Place) -> None:
    index = f"nhi-state-{place.namespace}"
    now = [1000.0]
    first, second = (Lease(place.client, index, 60, lambda: now[0]) for _ in range(2))
    first.acquire()
    stuck = ElasticStore(place.client, index, lambda: first.generation)  # it does not look whether it may
    stuck.put("meta", [("k", b"old"), ("gone", b"old")])
    now[0] += 61
    second.acquire()
    fresh = ElasticStore(place.client, index, second.keep)
    fresh.put("meta", [("k", b"new"), ("gone", b"new")])
    fresh.commit()
    fresh.put("meta", [("gone", None)])
    fresh.commit()
    with pytest.raises(LeaseTakenError, match="another run has taken"):
        stuck.commit()
    assert place.store().get("meta", ["k", "gone"]) == {"k": b"new"}


def test_who_was_paused_for_longer_than_its_lease_goes_on_where_nobody_took_it(place: Place) -> None:
    now = [1000.0]
    lease = Lease(place.client, f"nhi-state-{place.namespace}", 60, lambda: now[0])
    lease.acquire()
    now[0] += 500
    generation = lease.generation
    assert lease.keep() == generation
    store = ElasticStore(place.client, f"nhi-state-{place.namespace}", lease.keep)
    store.put("meta", [("k", b"1")])
    store.commit()


def test_the_clock_goes_on_by_what_has_passed(place: Place) -> None:
    passed = [50.0]
    clock = ClusterClock(place.client, f"nhi-state-{place.namespace}", lambda: passed[0])
    before = clock()
    passed[0] += 10
    assert clock() - before == 10 and abs(before - time.time()) < 60


# ---- patterns that cannot be read


def test_a_pattern_of_another_cluster_is_named_and_its_checkpoint_stays(place: Place) -> None:
    other = f"paris:{place.source}"
    fill(place, FEW)
    done = place.run(pattern=f"{place.source},{other}")
    assert done["read"] == len(FEW), "the others are read"
    assert done["unread"] == [{"index": other, "why": "it is in another cluster: run the job there"}]
    assert windows.checkpoints(place.store(), [other])[other] is None
    assert "another cluster" in examined(place, f"{place.source},{other}")["reach"].text
    with pytest.raises(StoreError, match="run the job there"):
        place.run(pattern=other)


@pytest.mark.both_versions("sequence numbers, remotes and errors are the server's")
def test_a_pattern_that_the_cluster_refuses_does_not_stop_the_others(place: Place) -> None:
    unusual = f"{place.source}.odd"
    mapped_as_text(place, unusual, "@timestamp")
    fill(place, FEW)
    done = place.run(pattern=f"{place.source},{unusual}")
    place.client.indices.delete(index=unusual)
    assert done["read"] == len(FEW)
    assert [each["index"] for each in done["unread"]] == [unusual]
    assert windows.checkpoints(place.store(), [unusual])[unusual] is None


@pytest.mark.both_versions("sequence numbers, remotes and errors are the server's")
def test_a_conflict_of_mappings_that_comes_between_planning_and_reading_sets_nothing_aside(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place, FEW)
    unusual, real = f"{place.source}.odd", windows.Ledger.plan

    def plan(*arguments: Any) -> Any:
        planned = real(*arguments)
        mapped_as_text(place, unusual, "@timestamp")
        monkeypatch.setattr(windows.Ledger, "plan", real)
        return planned

    monkeypatch.setattr(windows.Ledger, "plan", plan)
    done = place.run(pattern=f"{place.source}*")
    assert (done["set_aside"], done["unread"], done["read"]) == ([], [], len(FEW)), "reading asks no field's kind"
    done = place.run(pattern=f"{place.source}*")
    assert (done["set_aside"], [each["index"] for each in done["unread"]]) == ([], [unusual])
    place.client.indices.delete(index=unusual)
    done = place.run(pattern=f"{place.source}*")
    assert (done["unread"], done["read"]) == ([], 0), "it goes on from where it was read"
