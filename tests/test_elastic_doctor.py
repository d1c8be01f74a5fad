"""`nhi elastic doctor`: what it finds on real servers, and what it says a missing field costs."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from ecs_shape import document, load, template
from elastic_proxy import answering
from elastic_server import nhi
from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.detect.health import ERROR, OK, UNKNOWN, WARN, Check, worst
from nhi_watch.hosts.elastic import doctor, setup, write
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.doctor import Examined
from test_elastic_run import SINCE, Place, fill, place, simulated

__all__ = ["place"]

Tree = dict[str, Any]
FEW = simulated()[:120]


def examined(place: Place, pattern: str = "", late: int = 3600) -> dict[str, Check]:
    place.client.options(ignore_status=404).indices.refresh(index=f"logs-nhi.health-{place.namespace}")
    checks = doctor.examine(place.client, Examined(pattern or place.source, place.namespace, late))
    return {"sources" if check.about == "all" else check.name: check for check in checks}


# ---- what it finds


@pytest.mark.both_versions("doctor asks the server about itself")
def test_a_cluster_that_was_only_set_up_is_told_what_is_to_come(place: Place) -> None:
    checks = examined(place, "logs-nowhere-*")
    assert {name: check.status for name, check in checks.items()} == {
        "privileges": OK,
        "state": OK,
        "heartbeat": WARN,
        "progress": OK,
        "backlog": WARN,
        "source": OK,
        "sources": ERROR,
    }
    assert checks["heartbeat"].remedy == "schedule `nhi elastic run`"
    assert "--index" in checks["sources"].remedy
    assert worst(list(checks.values())) == ERROR, "a job that can read nothing is none"


@pytest.mark.both_versions("doctor asks the server about itself")
def test_a_cluster_without_setup_is_told_so(place: Place) -> None:
    place.client.indices.delete(index=f"nhi-state-{place.namespace}")
    checks = examined(place)
    assert (checks["state"].status, checks["state"].remedy) == (ERROR, "run `nhi elastic setup`")


@pytest.mark.both_versions("doctor asks the server about itself")
def test_after_a_run_all_is_well(place: Place) -> None:
    fill(place, FEW)
    place.run(since=SINCE)
    checks = examined(place)
    assert {check.status for check in checks.values()} <= {OK, UNKNOWN, WARN}
    assert (checks["heartbeat"].status, checks["backlog"].status) == (OK, OK)
    assert checks["heartbeat"].facts["age"] < 600 and checks["backlog"].facts["documents"] >= 0
    source = checks["source"].facts
    assert (source["there"], source["sampled"], source["understood"]) == (True, len(FEW), len(FEW))
    assert source["missing"] == [] and source["rejected"] == {}


def test_documents_that_wait_too_long_are_a_finding(place: Place) -> None:
    fill(place, FEW, ingested=int(time.time()) - 6_000)
    place.run(since=SINCE, lag=7_200)
    fill(place, simulated()[120:160], ingested=int(time.time()) - 6_500)
    check = examined(place)["backlog"]
    assert (check.status, check.facts["documents"]) == (ERROR, len(FEW) + 40)
    assert 7_100 < check.facts["behind"] < 7_900
    assert examined(place, late=86_400)["backlog"].status == OK


def test_documents_older_than_the_first_window_are_counted(place: Place) -> None:
    fill(place, FEW, ingested=int(time.time()) - 40 * 86_400)
    place.run()
    check = examined(place)["backlog"]
    assert (check.status, check.facts["documents"], check.facts["older"]) == (WARN, 0, len(FEW))
    since = check.remedy.partition("--since ")[2].split("`")[0]
    assert place.run(since=parse(since))["read"] == len(FEW)
    assert examined(place)["backlog"].facts["older"] == 0
    fill(place, simulated()[120:130], ingested=parse(since) - 86_400)
    check = examined(place)["backlog"]
    assert (check.status, check.facts["older"]) == (OK, 10), "an archive beside what is read is ordinary"


@pytest.mark.parametrize(("age", "failed"), [(7_200, False), (60, True)], ids=["silent", "failing"])
def test_a_job_that_is_silent_or_fails_is_a_finding(place: Place, age: int, failed: bool) -> None:
    when = write.Times(time.time() - age, time.time() - age)
    if failed:
        write.failed(place.client, place.namespace, when, StoreError("the disk is full"))
    else:
        write.beat(place.client, place.namespace, when, {"skipped": "no new documents"})
    check = examined(place)["heartbeat"]
    assert (check.status, check.facts["outcome"]) == (ERROR, "failure" if failed else "success")
    assert ("the disk is full" in check.text) == failed


def test_a_source_that_is_silent_is_told(place: Place) -> None:
    now = int(time.time())
    old, new = dict(FEW[0]), dict(FEW[1])
    old["eventTime"], new["eventTime"] = render(now - 50_000), render(now + 4_000)
    load(
        place.client,
        place.source,
        [document(old, True, render(now - 40_000)), document(new, True, render(now - 40_000))],
    )
    check = examined(place)["source"]
    assert check.status == WARN
    assert 39_900 < check.facts["seconds_since_newest"] < 40_600
    assert "quiet" in check.text, "an event of the future says nothing of when the last one came"


def test_documents_that_are_no_events_are_told(place: Place) -> None:
    broken = document(FEW[0], True, render(int(time.time())))
    broken["event"]["original"] = "{broken"
    broken["event"].pop("action")
    load(place.client, place.source, [broken])
    check = examined(place)["source"]
    assert check.status == ERROR and sum(check.facts["rejected"].values()) == 1


@pytest.mark.parametrize(("understood", "status"), [(1, ERROR), (9, ERROR), (10, "warn"), (100, OK)])
def test_a_source_of_which_hardly_anything_is_understood_is_not_read(understood: int, status: str) -> None:
    errors = [RejectError("no_time", "eventTime is missing")] * (100 - understood)
    check = doctor.assessed("logs-x", 60, (100, understood), errors, [])
    assert check.status == status and ("eventTime is missing" in check.remedy) == (status == ERROR)


@pytest.mark.both_versions("doctor asks the server about itself")
def test_a_fact_that_no_document_tells_is_named(place: Place) -> None:
    source = f"{place.source}.bare"
    template(place.client, source, without=["user_agent.original", "source.address", "source.ip"])
    bare = [document(record, False, render(int(time.time()))) for record in FEW]
    for each in bare:
        each.pop("user_agent", None)
        each.pop("source", None)
    load(place.client, source, bare)
    check = examined(place, source)["source"]
    assert (check.status, check.facts["missing"]) == (WARN, ["address", "agent"])
    assert "no document has address, agent" in check.text


def test_each_source_is_examined_for_itself(place: Place) -> None:
    fill(place, FEW)
    checks = doctor.examine(place.client, Examined(f"{place.source},logs-nowhere-*", place.namespace, 60))
    there = {check.about: check.facts["there"] for check in checks if check.name == "source"}
    assert there == {place.source: True, "logs-nowhere-*": False}


# ---- privileges, which the servers of the tests do not have


@pytest.mark.parametrize("lacking", [[], ["create_doc on logs-nhi.alerts-default"]])
def test_privileges_that_the_key_lacks_are_named(lacking: list[str]) -> None:
    role = setup.role_request("default")["indices"]
    index = {name: dict.fromkeys(each["privileges"], True) for each in role for name in each["names"]}
    for each in lacking:
        privilege, _, name = each.partition(" on ")
        index[name][privilege] = False
    body = {"username": "x", "has_all_requested": not lacking, "cluster": {}, "index": index, "application": {}}
    with answering(orjson.dumps(body)) as url, connect(Connection((url,))) as client:
        (check,) = doctor._privileges(client, Examined(setup.SOURCE_INDICES, "default", 60))
    assert check.status == (ERROR if lacking else OK)
    assert check.facts.get("lacking", []) == lacking


# ---- the program


def asked(*arguments: str) -> tuple[int, str]:
    done = nhi("doctor", *arguments)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.both_versions("doctor asks the server about itself")
def test_the_exit_code_and_json_are_for_monitoring(place: Place) -> None:
    fill(place, FEW)
    common = ("--url", place.url, "--namespace", place.namespace, "--index", place.source)
    code, text = asked(*common, "--json")
    outcome = orjson.loads(text)
    assert (code, outcome["status"]) == (0, WARN), "nothing has run yet, and nothing is wrong"
    assert outcome["checks"][0] == {"check": "connection", "about": "", "status": OK, "text": f"reached {place.url}"}
    assert {"check", "status", "text"} <= set(outcome["checks"][-1])
    nowhere = ",".join(f"nowhere-{n}-*" for n in range(5))
    _, text = asked(*common[:-1], f"{place.source},{nowhere}")
    assert "5 more that nhi can read do not exist: nowhere-0-*, nowhere-1-*, nowhere-2-* and others" in text
    place.client.indices.delete(index=f"nhi-state-{place.namespace}")
    code, text = asked(*common)
    assert code == 2
    assert f"error   state: nhi-state-{place.namespace} does not exist; run `nhi elastic setup`" in text.splitlines()


def test_a_cluster_that_is_away_is_an_answer_too() -> None:
    code, text = asked("--url", "http://127.0.0.1:9", "--json", "--timeout", "1")
    assert code == 2
    assert orjson.loads(text)["checks"][0]["text"].startswith("cannot reach http://127.0.0.1:9: connection refused")
