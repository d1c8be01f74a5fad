"""On real servers with security: every command works with exactly the documented keys, and names what one lacks."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from ecs_shape import document, load
from elastic_secured import Secured, key, keyed, running, secured, wait
from elastic_server import ROOT, nhi
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import doctor, setup, windows
from nhi_watch.hosts.elastic.doctor import Examined
from nhi_watch.hosts.elastic.run import ReadJob, run
from nhi_watch.hosts.elastic.store import read_lease
from nhi_watch.report import jsonlines
from test_elastic_run import SINCE, Place, simulated

__all__ = ["secured"]

Tree = dict[str, Any]
ADMIN: Tree = {
    "cluster": ["manage_index_templates", "monitor"],
    "indices": [{"names": ["nhi-state-*", "nhi-notables-*", "logs-nhi.*"], "privileges": ["manage"]}],
}
"""As docs/elastic.md has it."""
FEW = simulated()[:60]


class Guarded(Place):
    """A namespace on a server with security; `client` is the superuser's."""

    def __init__(self, server: Secured) -> None:
        self.client, self.url = server.admin, server.url
        self.namespace = f"k{time.time_ns()}"
        self.source = f"logs-aws.cloudtrail-{self.namespace}"
        setup.setup(self.client, self.namespace)

    def fill(self, records: Any = FEW) -> None:
        when = render(int(time.time()) - 60)
        load(self.client, self.source, (document(record, True, when) for record in records))

    def request(self) -> Tree:
        return setup.api_key_request(self.namespace, self.source)

    def checkpoint(self) -> Any:
        return windows.checkpoints(self.store(), [self.source])[self.source]


@pytest.fixture
def place(secured: Secured) -> Iterator[Guarded]:
    guarded = Guarded(secured)
    yield guarded
    guarded.close()


def asked(place: Guarded, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program, with the cluster named in the environment, as the documentation has it."""
    return nhi(*arguments, "--namespace", place.namespace, NHI_ELASTIC_URL=place.url)


@pytest.mark.both_versions("privileges and their names depend on the version")
def test_the_four_steps_by_the_letter_with_the_documented_keys_only(
    secured: Secured, place: Guarded, tmp_path: Path
) -> None:
    admin, request, run_key = (tmp_path / name for name in ("admin.key", "run-key.json", "run.key"))
    admin.write_text(key(secured.admin, {"name": "admin", "role_descriptors": {"admin": ADMIN}}))
    done = asked(place, "setup", "--api-key-file", str(admin))
    assert done.returncode == 0, done.stderr
    done = asked(place, "setup", "--api-key-request", str(request))
    assert (done.returncode, done.stderr) == (0, ""), "step 3 asks nobody, although the cluster is named"
    run_key.write_text(key(secured.admin, orjson.loads(request.read_bytes())))
    place.fill()
    commands = (
        ["run"],
        ["run", "--intel"],
        ["learn"],
        ["doctor"],
        ["feedback", "--audit", str(tmp_path / "audit.jsonl")],
    )
    for command in commands:
        done = asked(place, *command, "--api-key-file", str(run_key))
        assert (done.returncode, done.stderr) == (0, ""), (command, done.stdout, done.stderr)
        assert not re.search(r"\b403\b", done.stdout)
    beats = [beat["event"]["outcome"] for beat in place.written()]
    assert beats == ["success"] * 3


@pytest.mark.both_versions("what a key may read of a stream's indices depends on the version")
def test_an_index_of_a_stream_that_is_read_apart_is_read_with_the_documented_key(
    secured: Secured, place: Guarded
) -> None:
    """After a rollover the stream has an index that maps the time of ingestion as a text."""

    def mapped(kind: str) -> None:
        fields = {"@timestamp": {"type": "date"}, "event": {"properties": {"ingested": {"type": kind}}}}
        body = {"mappings": {"dynamic": False, "properties": fields}}
        place.client.indices.put_index_template(
            name=place.source, index_patterns=[place.source], priority=400, data_stream={}, template=body
        )

    mapped("date")
    place.fill(FEW[:20])
    mapped("text")
    place.client.indices.rollover(alias=place.source)
    place.fill(FEW[20:])
    with keyed(secured, place.request()) as client:
        done = run(client, ReadJob(place.source, place.namespace, SINCE, lag=0))
        assert (done["read"], done["unread"]) == (len(FEW), [])
        checks = {c.name: c for c in doctor.examine(client, Examined(place.source, place.namespace, 3600))}
        again = run(client, ReadJob(place.source, place.namespace, lag=0))
    check = checks["mapping"]
    assert check.status == "warn" and f".ds-{place.source}" in check.text and "event.ingested" in check.text
    assert again.get("read", 0) == 0


def every_privilege(place: Guarded) -> list[tuple[int, str]]:
    listed = place.request()["role_descriptors"]["nhi_run"]["indices"]
    return [(number, each) for number, entry in enumerate(listed) for each in entry["privileges"]]


@pytest.mark.both_versions("privileges and their names depend on the version")
def test_each_privilege_that_is_taken_away_is_named(secured: Secured, place: Guarded) -> None:
    place.fill(FEW[:5])
    for number, privilege in every_privilege(place):
        request = place.request()
        entry = request["role_descriptors"]["nhi_run"]["indices"][number]
        entry["privileges"].remove(privilege)
        name = entry["names"][0]
        if name == setup.ANALYSTS:
            continue  # the run does not need it
        with keyed(secured, request) as client, pytest.raises(StoreError) as raised:
            run(client, ReadJob(place.source, place.namespace, SINCE, lag=0))
        assert privilege in str(raised.value) and name in str(raised.value), (privilege, name, str(raised.value))
    assert place.checkpoint() is None, "nothing was read, so nothing is behind us"


@pytest.mark.parametrize(("days", "status"), [(90, "ok"), (13, "warn"), (2, "error")])
def test_doctor_tells_ahead_when_the_key_expires(secured: Secured, place: Guarded, days: int, status: str) -> None:
    with keyed(secured, {**place.request(), "expiration": f"{days}d"}) as client:
        checks = doctor.examine(client, Examined(place.source, place.namespace, 3600))
    (check,) = (check for check in checks if check.name == "key")
    assert (check.status, bool(check.remedy)) == (status, status != "ok")
    assert check.text.startswith("the key expires in ")


@pytest.mark.both_versions("privileges and their names depend on the version")
def test_a_key_without_the_right_to_read_moves_nothing(secured: Secured, place: Guarded) -> None:
    place.fill()
    other = setup.api_key_request(place.namespace, "logs-somewhere.else-*")
    job = ReadJob(f"{place.source},logs-somewhere.else-*", place.namespace, lag=0)
    with keyed(secured, other) as client:
        done = run(client, job)
        checks = doctor.examine(client, Examined(place.source, place.namespace, 3600))
        with pytest.raises(StoreError, match="needs an administrator's key, not the job's"):
            setup.setup(client, place.namespace)
    failed = {(check.name, check.about) for check in checks if check.status == "error"}
    assert failed >= {("privileges", ""), ("reach", "")} and ("source", "all") not in failed, (
        "what may not be read may well be there"
    )
    assert [each["index"] for each in done["unread"]] == [place.source]
    assert "lacks read, view_index_metadata on it" in done["unread"][0]["why"]
    assert place.checkpoint() is None
    assert place.written()[-1]["event"]["outcome"] == "failure"
    with keyed(secured, place.request()) as client:
        assert run(client, job._replace(pattern=place.source))["read"] == len(FEW)


def test_documents_are_fetched_where_the_key_may_and_named_where_not(
    secured: Secured, place: Guarded, tmp_path: Path
) -> None:
    place.fill(simulated())
    with keyed(secured, place.request()) as client:
        assert run(client, ReadJob(place.source, place.namespace, SINCE, lag=0))["notables"]
    file, out = tmp_path / "key", tmp_path / "out"
    for indices, code in ((setup.own(place.namespace), 2), (None, 0)):
        request = place.request()
        role = request["role_descriptors"]["nhi_run"]
        role["indices"] = indices or role["indices"]
        file.write_text(key(secured.admin, request))
        given = ("--api-key-file", str(file), "--index", place.source, "--out", str(out))
        done = asked(place, "report", *given)
        assert done.returncode == code, done.stderr
        assert (f"{place.source} cannot be read: the API key lacks read" in done.stdout) == bool(code)
        listed = list(jsonlines.read(out / "notables.jsonl"))
        assert listed, "what stands is told in either case"
        assert bool(list(jsonlines.read(out / "events.jsonl"))) == (not code)


@pytest.mark.both_versions("privileges and their names depend on the version")
def test_feedback_says_what_it_lacks(secured: Secured, place: Guarded, tmp_path: Path) -> None:
    request, file = place.request(), tmp_path / "key"
    request["role_descriptors"]["nhi_run"]["indices"].pop()
    file.write_text(key(secured.admin, request))
    done = asked(place, "feedback", "--api-key-file", str(file))
    assert done.returncode == 2
    assert f"the API key lacks a privilege: read on {setup.ANALYSTS}" in done.stderr


def test_a_restart_in_the_middle_is_ridden_out_and_leaves_no_lease(secured: Secured, place: Guarded) -> None:
    place.fill()
    restarts = [Thread(target=secured.node.restart)]
    with keyed(secured, place.request()) as client:
        done = run(client, ReadJob(place.source, place.namespace, lag=0, patience=300.0), lambda *_: once(restarts))
    wait(secured.admin)
    assert done["read"] == len(FEW)
    lease = read_lease(place.client, f"nhi-state-{place.namespace}")
    assert lease is not None and lease.until < time.time() + 2, "the next run may begin at once"


def once(threads: list[Thread]) -> None:
    while threads:
        threads.pop().start()
        time.sleep(1.0)  # it is being killed


def requests(section: str) -> Iterator[tuple[str, str, Any]]:
    """Method, path and body of each request of a section of docs/elastic.md, as Kibana's Dev Tools read them."""
    text = (ROOT / "docs" / "elastic.md").read_text("utf-8").split(f"\n## {section}\n")[1]
    for request in filter(None, re.split(r"(?m)^(?=[A-Z]+ )", text.split("```")[1].strip())):
        line, _, body = request.partition("\n")
        method, path = line.split()
        yield method, f"/{path}", orjson.loads(body) if body.strip() else None


def test_a_server_takes_what_the_page_says_of_uninstalling_and_nothing_is_left(
    elastic_version: str, tmp_path: Path
) -> None:
    """All but the request that deletes data streams: no jar of their module can be had, only their templates."""
    with running(elastic_version, tmp_path) as server:
        admin = server.admin
        setup.setup(admin, "default")
        key(admin, setup.api_key_request("default"))
        for method, path, body in requests("Uninstall"):
            if not path.startswith("/_data_stream/"):
                headers = {"accept": "application/json", "content-type": "application/json"}
                answer = admin.perform_request(method, path, headers=headers, body=body)
                assert answer.meta.status == 200 and not answer.body.get("error_count"), (path, answer.body)
        assert {step.change for step in setup.steps(admin, "default")} == {"create"}
        assert all(each["invalidated"] for each in admin.security.get_api_key(name="nhi-run-*")["api_keys"])
