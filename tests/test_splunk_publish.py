"""What Rank writes of notables: each revision once and until it has come, whatever the order in which events arrive."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_samples import TODAY, runs, shown
from nhi_watch.core.timestamps import DAY, HOUR, MINUTE, parse, render
from nhi_watch.detect import publish
from nhi_watch.hosts.splunk import run
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, Generation, KvStore
from nhi_watch.hosts.splunk.rest import Client, Collection
from nhi_watch.state.store import pack, unpack
from splunk_conf import conf
from splunk_kvstore import Direct
from splunk_peers import Window
from splunk_server import Server
from test_cases import NAME, ROOM, THREE, others, until
from test_pipeline import quiet, raid

SAVED = conf("savedsearches.conf")
GROUP, RANK = (SAVED[f"NHI Watch - {name}"]["search"] for name in ("Group Events", "Rank"))
PAST = [*quiet(12), *quiet(12, "batch"), *quiet(12, "lone"), *until(TODAY - 1)]
BEGIN = (TODAY + 3) * DAY
SAID = ("title", "severity", "likelihood", "likelihood_range", "record_count", "first_time", "last_time", "listed",
        "listed_on", "life", "closed_why", "since")  # fmt: skip
"""Of a notable's document; rows keep one record id of a behaviour, so record ids may differ."""
Records = Sequence[dict[str, Any]]
Json = dict[str, Any]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return made(tmp_path)


def made(folder: Path) -> Server:
    (folder / "lookups").mkdir(exist_ok=True)
    server = Server(folder, peers=2)
    server.overrides["nhi_budget"] = f"{ROOM.budget:g}"
    return server


def arrive(server: Server, records: Records, now: int) -> None:
    """Events come, are grouped, and ranked twice: what a close taught is told by the run behind it."""
    server.index([(parse(record["eventTime"]), record) for record in records], "aws:cloudtrail", now)
    server.search(GROUP, Window(0, now + DAY, now, now + 1), now + MINUTE)
    rank(server, now + 2 * MINUTE, now)
    rank(server, now + 7 * MINUTE, now + 2 * MINUTE)


def rank(server: Server, now: int, since: int) -> None:
    server.search(RANK, Window(0, now + DAY, since, now), now)


def state(server: Server) -> KvStore:
    """The state, to be read."""
    return KvStore(collection(server, STATE))


def collection(server: Server, name: str) -> Collection:
    return Collection(cast(Client, Direct(server.splunkd.kv)), name)


def written(server: Server) -> list[Json]:
    """The events of notables, in the order in which they were written."""
    return [json.loads(row["_raw"][0]) for row in server.events if row["index"] == ["nhi_risk"]]


def compromises(server: Server) -> set[str]:
    return {name for name, row in server.standing().items() if row["nhi_kind"] == ["compromise"]}


def changes(server: Server, name: str = NAME) -> list[tuple[str, str]]:
    """Revisions of a notable and what became of it, as the index has them."""
    result = [item for item in written(server) if item["nhi_id"] == name]
    return [(item["nhi_revision"], item["nhi_change"]) for item in result]


def told(store: Any) -> dict[str, Json]:
    return {
        name: {key: item[key] for key in SAID} | {"signals": sorted(s["id"] for s in item["signals"])}
        for name, item in shown(store).items()
    }


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, len(THREE)), max_size=4), st.randoms(use_true_random=False))
def test_any_order_and_cutting_gives_the_notables_of_the_program(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], dice: random.Random
) -> None:
    """After each arrival the notables are those of its records alone; each revision is higher than the one before."""
    server = made(tmp_path_factory.mktemp("splunk"))
    arrive(server, PAST, BEGIN)
    records = list(THREE)
    dice.shuffle(records)
    records.sort(key=lambda r: r["eventTime"] >= render((TODAY + 2) * DAY))  # the third day closes the first
    bounds = sorted({0, len(records), *cuts})
    for number, (low, high) in enumerate(zip(bounds, bounds[1:]), 1):
        before = {name: changes[-1] for name, changes in by_id(written(server)).items()}
        arrive(server, records[low:high], BEGIN + number * HOUR)
        ours, theirs = state(server), runs([PAST, records[:high]], ROOM)
        assert told(ours) == told(theirs) != {}
        latest = {name: result[-1] for name, result in by_id(written(server)).items()}
        assert all(latest[name]["nhi_revision"] >= item["nhi_revision"] for name, item in before.items())
        assert publish.unconfirmed(ours) == []
    for result in by_id(written(server)).values():
        assert [int(item["nhi_revision"]) for item in result] == [*range(1, len(result) + 1)]
        assert all(
            sum(item["nhi_change"] == once for item in result) <= 1 for once in ("merged", "settled", "withdrawn")
        )
    assert {item["nhi_id"] for item in latest.values() if item["nhi_change"] in publish.SHOWN} == set(server.standing())


def by_id(events: Iterable[Json]) -> dict[str, list[Json]]:
    result: dict[str, list[Json]] = {}
    for event in events:
        result.setdefault(event["nhi_id"], []).append({**event, "nhi_revision": int(event["nhi_revision"])})
    return result


def test_a_verdict_settles_what_its_giver_saw_once_and_a_later_episode_is_a_row_again(server: Server) -> None:
    days = [*PAST, *others(TODAY), *raid()]
    arrive(server, days, BEGIN - 2 * DAY)
    verdict = {
        "_key": f"{NAME}::",
        "nhi_id": NAME,
        "verdict": "benign",
        "reason": "planned",
        "analyst": "ann",
        "time": render(BEGIN - 2 * DAY + HOUR),
    }
    server.collections["nhi_feedback"] = [{name: [text] for name, text in verdict.items()}]
    for again in range(3):
        rank(server, BEGIN - 2 * DAY + 2 * HOUR + again, BEGIN - 2 * DAY + 2 * HOUR + again - 1)
    assert changes(server) == [("1", "new"), ("2", "settled")]
    assert NAME not in server.standing()
    arrive(server, [*others(TODAY + 1), *raid(day=TODAY + 1)], BEGIN - DAY)
    assert changes(server) == [("1", "new"), ("2", "settled"), ("3", "new")]
    (document,) = [item for item in publish.stored(state(server)) if item["id"] == NAME]
    assert document["since"].startswith("Back since the verdict of")


def test_a_merge_is_written_once_and_the_other_goes_on(server: Server) -> None:
    arrive(server, [*PAST, *others(TODAY), *raid()], BEGIN)
    arrive(server, [*others(TODAY + 1), *raid("batch", day=TODAY + 1)], BEGIN + HOUR)
    assert len(compromises(server)) == 2
    shared = [*others(TODAY + 2), *(r for role in ("payments-api", "batch") for r in raid(role, day=TODAY + 2))]
    for record in shared:
        record["userIdentity"]["accessKeyId"] = "ASIASHARED"
    arrive(server, shared, BEGIN + 2 * HOUR)
    arrive(server, others(TODAY + 3), BEGIN + 3 * HOUR)
    merged = [item for item in written(server) if item["nhi_change"] == "merged"]
    assert [item["nhi_merged_into"] for item in merged] == [NAME]
    assert compromises(server) == {NAME}


def test_a_revision_that_never_comes_is_given_up_after_some_tries(server: Server) -> None:
    server.overrides["nhi_rank_filter"] = f'search NOT nhi_id="{NAME}"'
    arrive(server, [*PAST, *others(TODAY), *raid()], BEGIN)
    tries = [tries_of(server)]
    for number in range(1, 20):
        now = BEGIN + HOUR + number * 5 * MINUTE
        rank(server, now, now - 5 * MINUTE)
        tries.append(tries_of(server))
    assert list(dict.fromkeys(tries)) == [*range(1, run.TRIES + 1), 0]
    assert NAME not in {event.document["id"] for event in publish.unconfirmed(state(server))}, "it waits no more"
    assert NAME not in {item["nhi_id"] for item in written(server)}


def tries_of(server: Server) -> int:
    """How often the revision that waits was sent; 0: none waits."""
    sent = unpack(state(server).get("meta", ["splunk/sent"])["splunk/sent"])
    return int(sent.get(NAME, (0, 0, 0))[2])


def test_what_an_earlier_version_has_written_keeps_its_number(server: Server) -> None:
    store = KvStore(collection(server, STATE), lambda: Generation(collection(server, GENERATIONS), "test"))
    store.put(
        "meta",
        [
            (f"splunk/told/{NAME}", pack([7, "updated", False, "high", [], [], "", 0, 0, 1, True])),
            (f"splunk/whole/{NAME}", pack({"id": NAME})),
        ],
    )
    store.commit()
    arrive(server, [*PAST, *others(TODAY), *raid()], BEGIN)
    assert changes(server) == [("8", "new")]
    kept = [key for key, _ in state(server).scan("meta", "splunk/", "splunk0")]
    assert kept == ["splunk/closed", "splunk/read", "splunk/sent"]


def test_a_run_with_nothing_new_reads_as_much_with_months_of_notables_as_with_none(server: Server) -> None:
    arrive(server, [*PAST, *others(TODAY), *raid()], BEGIN)
    costs, now = server.splunkd.kv.costs, BEGIN + HOUR

    def read() -> int:
        before = costs["read"]
        rank(server, now, now - 1)
        return costs["read"] - before

    idle = read()
    rows = server.splunkd.kv.captain[STATE]
    (document,) = [row["v"] for key, row in rows.items() if key.startswith("notable/pub/") and NAME in key]
    for n in range(300):
        for key in (f"notable/past/{n:020x}", f"notable/done/{n:020x}", f"notable/{TODAY - 2 - n % 100:06d}/{n:020x}"):
            rows[key] = {"_key": key, "v": document}
    assert read() <= 1.1 * idle < len(document) * 300
