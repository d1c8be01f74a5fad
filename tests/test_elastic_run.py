"""`nhi elastic setup` and `run` on real servers: the same notables as from files, each alert once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from core_samples import Going, Options
from ecs_shape import document, load, template
from elastic_server import FIRST, ROOT, Server, environment, nhi
from elastic_story import VOLATILE
from nhi_watch.core import process
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.detect import feedback
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.elastic import kibana, setup, windows, write
from nhi_watch.hosts.elastic import run as running
from nhi_watch.hosts.elastic.run import ReadJob, Worker, run
from nhi_watch.hosts.elastic.store import ElasticStore, Lease, LeaseTakenError
from nhi_watch.hosts.files import find
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.report import ecs
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator.tenant import Spec, Tenant
from notable_samples import altered

Tree = dict[str, Any]

_numbers = count(FIRST)
BUDGET = 300.0
"""Notables a day per 1,000 identities: many, to compare many."""
SINCE = parse("2025-01-01T00:00:00Z")


class Place:
    """A namespace with a source of its own on a server."""

    def __init__(self, server: Server) -> None:
        self.client = server.client
        self.url = server.url
        self.namespace = f"t{next(_numbers)}"
        self.source = f"logs-aws.cloudtrail-{self.namespace}"
        setup.setup(self.client, self.namespace)
        template(self.client, self.source)

    def job(self, **changes: Any) -> ReadJob:
        return ReadJob(pattern=self.source, namespace=self.namespace, budget=BUDGET, page=500, lag=0, lease=3)._replace(
            **changes
        )

    def run(self, **changes: Any) -> Tree:
        done = run(self.client, self.job(**changes))
        with contextlib.suppress(Exception):
            self.client.indices.refresh(index=f"logs-nhi.alerts-{self.namespace}")
        return done

    def alerts(self) -> list[Tree]:
        answer = self.client.search(index=f"logs-nhi.alerts-{self.namespace}", size=1000, ignore_unavailable=True)
        return [hit["_source"] for hit in answer["hits"]["hits"] if hit["_source"]["event"]["code"] != "job"]

    def notables(self) -> list[NotableDocument]:
        return sorted((alert["nhi"]["notable"] for alert in self.alerts()), key=lambda n: str(n["id"]))

    def stand(self, wanted: list[NotableDocument]) -> None:
        """The state holds these notables, whatever of them was worth an alert yet."""
        latest = {notable["id"]: notable for notable in find.every(self.store())}
        result: list[NotableDocument] = [{**latest[notable["id"]], "life": ""} for notable in wanted]
        assert essence(result) == essence([{**notable, "life": ""} for notable in wanted])

    def store(self) -> ElasticStore:
        """Its state."""
        return ElasticStore(self.client, f"nhi-state-{self.namespace}")

    def written(self, stream: str = setup.HEALTH) -> list[Tree]:
        """The documents of one of its streams, in the order of their times."""
        index = f"{stream}-{self.namespace}"
        self.client.options(ignore_status=404).indices.refresh(index=index)
        answer = self.client.search(index=index, size=1000, ignore_unavailable=True, sort=[{"@timestamp": "asc"}])
        return [hit["_source"] for hit in answer["hits"]["hits"]]

    def killed(self, stage: str) -> None:
        """A run as a process that kills itself there."""
        line = [sys.executable, str(ROOT / "tests" / "elastic_killed.py"), stage, self.url, self.source, self.namespace]
        done = subprocess.run(line, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == -signal.SIGKILL

    def close(self) -> None:
        """Take its state and its second sources away."""
        names = [f"nhi-state-{self.namespace}", f"{self.source}.a", f"{self.source}.b"]
        self.client.indices.delete(index=names, ignore_unavailable=True)


@pytest.fixture
def place(elastic: Server) -> Iterator[Place]:
    place = Place(elastic)
    yield place
    place.close()


@lru_cache
def simulated() -> tuple[Tree, ...]:
    days = Tenant(Spec(days=6, machines=25, seed=11, campaigns=4)).days()
    return tuple(record for day in days for record in day.records)


def from_files(records: Iterable[Tree]) -> list[NotableDocument]:
    """What `nhi score` makes of records."""
    going = Going(MemoryStore(), [cloudtrail], Options(BUDGET))
    going.feed(records)
    return sorted(going.finish().notables, key=lambda n: str(n["id"]))


@pytest.fixture(scope="session")
def wanted() -> list[NotableDocument]:
    notables = from_files(simulated())
    assert len(notables) >= 3, "the simulated account must give something to compare"
    return notables


def essence(notables: list[NotableDocument]) -> list[Tree]:
    """Ids, likelihoods, signals and all that an alert keeps, but for what is said of the run itself."""
    kept = (ecs.alert(notable, created="2025-01-01T00:00:00Z")["nhi"]["notable"] for notable in notables)
    return [{name: value for name, value in item.items() if name not in VOLATILE} for item in kept]


HEAD = ("id", "kind", "likelihood", "severity", "title", "summary", "first_time", "last_time", "record_count")
"""What an alert keeps of every notable, however large."""


def heads(notables: list[NotableDocument]) -> list[Tree]:
    return [{name: value for name, value in notable.items() if name in HEAD} for notable in notables]


def fill(place: Place, records: list[Tree] | tuple[Tree, ...], original: Any = True, ingested: int = 0) -> None:
    when = render(ingested or int(time.time()) - 60)
    keep = original if callable(original) else lambda number: original
    load(place.client, place.source, (document(r, keep(i), when) for i, r in enumerate(records)))


# ---- setup


def spoilt(client: Any) -> dict[tuple[str, str], str]:
    """Takes away what setup installs; what streams of other tests still use is changed instead. What setup will do."""
    listed = {}
    for name, body in setup.index_templates().items():
        answer = client.options(ignore_status=[400, 404]).indices.delete_index_template(name=name)
        listed["index template", name] = "create"
        if answer.meta.status == 400:
            client.indices.put_index_template(name=name, body={**body, "priority": 251})
            listed["index template", name] = "update"
    for name, body in setup.component_templates().items():
        answer = client.options(ignore_status=[400, 404]).cluster.delete_component_template(name=name)
        listed["component template", name] = "create"
        if answer.meta.status == 400:
            client.cluster.put_component_template(name=name, body={**body, "template": {"mappings": {}}})
            listed["component template", name] = "update"
    return listed


@pytest.mark.both_versions("what templates and mappings do depends on the version")
def test_setup_says_what_it_makes_and_a_second_time_nothing(elastic: Server) -> None:
    client = elastic.client
    indices = {("index", f"{name}-setup"): "create" for name in ("nhi-state", "nhi-notables")}
    listed = {**spoilt(client), **indices}
    assert len(listed) == 4 + 4 + 2
    for dry_run, fresh in ((True, True), (False, True), (False, False), (True, False)):
        steps = setup.setup(client, "setup", dry_run)
        changes = {(step.kind, step.name): step.change for step in steps}
        assert changes == (listed if fresh else dict.fromkeys(listed, "none"))
    client.indices.delete(index=["nhi-state-setup", "nhi-notables-setup"])


@pytest.mark.both_versions("what templates and mappings do depends on the version")
def test_setup_repairs_a_template_that_was_changed(place: Place) -> None:
    body = place.client.cluster.get_component_template(name="logs-nhi.alerts@settings").body
    changed = body["component_templates"][0]["component_template"]
    changed["template"]["lifecycle"]["data_retention"] = "1d"
    only = {"template": changed["template"]}
    place.client.cluster.put_component_template(name="logs-nhi.alerts@settings", body=only)
    changed_now = [step.name for step in setup.setup(place.client, place.namespace) if step.change != "none"]
    assert changed_now == ["logs-nhi.alerts@settings"]
    assert {step.change for step in setup.setup(place.client, place.namespace)} == {"none"}


# ---- run


@pytest.mark.both_versions("a run from end to end")
@pytest.mark.parametrize(
    "original", [True, False, lambda number: number % 3 == 0], ids=["original", "ecs only", "mixed"]
)
def test_the_notables_are_those_of_files_and_a_second_run_writes_nothing(
    place: Place, wanted: list[NotableDocument], original: Any
) -> None:
    fill(place, simulated(), original)
    first = place.run(since=SINCE)
    assert first["read"] == len(simulated()) == first["parsed"] + sum(first["rejected"].values())
    assert heads(place.notables()) == heads(wanted)
    place.stand(wanted)  # an alert keeps less of a large one, for it has 20 kB at most
    again = place.run(since=SINCE)
    assert again["alerts"] == {"created": 0}
    assert (again["duplicates"], again["events"]) == (len(simulated()), 0)
    assert len(place.alerts()) == len(wanted) == first["alerts"]["created"]


def test_the_next_run_reads_from_the_checkpoint(place: Place, wanted: list[NotableDocument]) -> None:
    records, now = simulated(), int(time.time())
    cut = len(records) // 2
    fill(place, records[:cut], ingested=now - 5000)
    fill(place, records[cut:], ingested=now - 10)
    first = place.run(lag=3000)
    second = place.run()
    assert (first["read"], second["read"]) == (cut, len(records) - cut)
    assert second["window"]["since"] == first["window"]["until"]
    place.stand(wanted)


def test_a_late_event_reaches_its_notable(place: Place, wanted: list[NotableDocument]) -> None:
    late_id = wanted[0]["record_ids"][0]
    late = [r for r in simulated() if r["eventID"] == late_id]
    fill(place, [r for r in simulated() if r["eventID"] != late_id], ingested=int(time.time()) - 5000)
    place.run(lag=3000)
    fill(place, late, ingested=int(time.time()) - 5)
    place.run()
    place.stand(wanted)


@pytest.mark.parametrize("without", [(), ("event.ingested",)], ids=["not told", "not mapped"])
def test_documents_without_time_of_ingestion_go_by_their_own_time(place: Place, without: tuple[str, ...]) -> None:
    source = f"{place.source}.plain"
    template(place.client, source, without=without)
    load(place.client, source, (document(r, not without, None) for r in simulated()[:50]))
    assert place.run(pattern=source, since=SINCE)["read"] == 50


def test_documents_that_are_no_events_are_counted_and_named(place: Place) -> None:
    built = document(simulated()[0], True, render(int(time.time()) - 60))
    built["event"]["original"] = "{broken"
    built["event"].pop("action")
    load(place.client, place.source, [built])
    done = place.run(since=SINCE)
    assert (done["read"], done["parsed"], sum(done["rejected"].values())) == (1, 0, 1)
    assert [sorted(reject) for reject in done["rejects"]] == [["detail", "id", "index", "reason"]]


def test_no_source_at_all_is_an_empty_run(place: Place) -> None:
    assert place.run(pattern="logs-aws.cloudtrail-none*")["read"] == 0


def test_a_cluster_that_is_not_set_up_is_told_so(elastic: Server) -> None:
    with pytest.raises(StoreError, match="nhi-state-bare does not exist: run `nhi elastic setup` first"):
        run(elastic.client, ReadJob(namespace="bare"))


@pytest.mark.both_versions("a run from end to end")
def test_alerts_are_indexed_as_the_template_says(place: Place, wanted: list[NotableDocument]) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    alert = place.alerts()[0]
    query = {"bool": {"filter": [{"term": {"event.kind": "alert"}}, {"term": {"nhi.change": "new"}}]}}
    assert place.client.count(index="logs-nhi.alerts-*", query=query)["count"] >= len(wanted)
    mapped = place.client.field_caps(index=f"logs-nhi.alerts-{place.namespace}", fields=["*"])["fields"]
    prefix = "nhi.notable."  # read from the source, searched for by some fields at most
    outside = {name for name in leaves(alert) if not name.startswith(prefix) and name not in mapped}
    assert outside == set()


def leaves(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path


# ---- killed, and two at once


@pytest.mark.parametrize("stage", ["read", "state", "alerts", "confirm"])
def test_a_run_that_was_killed_is_run_again_alike(place: Place, wanted: list[NotableDocument], stage: str) -> None:
    fill(place, simulated())
    place.killed(stage)
    place.run()  # at once: its process is seen to be gone
    assert heads(place.notables()) == heads(wanted)
    place.stand(wanted)  # an alert keeps less of a large one, for it has 20 kB at most
    assert place.run()["alerts"] == {"created": 0}


@pytest.mark.parametrize(
    ("changed", "is_free"),
    [
        ({}, False),
        ({2: "999999999"}, True),
        ({3: "1"}, True),
        ({0: "b", 2: "999999999"}, False),
        ({1: "pid:[1]", 2: "999999999"}, False),
        (None, False),
    ],
    ids=["alive", "gone", "number used again", "another boot", "another container", "of an earlier version"],
)
def test_a_lease_is_taken_over_at_once_where_its_process_is_seen_to_be_gone(
    place: Place, monkeypatch: pytest.MonkeyPatch, changed: dict[int, str] | None, is_free: bool
) -> None:
    own = process.name_of(os.getpid())
    lease = () if changed is None else tuple(changed.get(at, value) for at, value in enumerate(own))
    index, real = f"nhi-state-{place.namespace}", process.name_of
    monkeypatch.setattr(process, "name_of", lambda number: lease)
    Lease(place.client, index, 60).acquire()
    monkeypatch.setattr(process, "name_of", real)
    if is_free:
        Lease(place.client, index, 60).acquire()
    else:
        with pytest.raises(LeaseTakenError):
            Lease(place.client, index, 60).acquire()


def test_of_two_runs_at_once_one_is_turned_away_and_a_lost_lease_stops_the_other(place: Place) -> None:
    now = [1000.0]
    index = f"nhi-state-{place.namespace}"
    first, second = (Lease(place.client, index, 60, lambda: now[0]) for _ in range(2))
    first.acquire()
    with pytest.raises(LeaseTakenError, match=r"has nhi-state-.* until 1970-01-01T00:17:40Z"):
        second.acquire()
    now[0] += 61
    second.acquire()
    with pytest.raises(LeaseTakenError, match="another run has taken"):
        first.renew()
    first.release()
    second.renew()
    second.release()
    first.acquire()


# ---- verdicts


def test_a_verdict_and_an_exception_are_given_without_kibana_under_the_lease(place: Place, tmp_path: Path) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    first, second = [alert["nhi"]["notable"] for alert in place.alerts() if alert["event"]["code"] == "compromise"][:2]
    flags = ["--namespace", place.namespace, "--audit", str(tmp_path / "audit.jsonl"), "--out", str(tmp_path)]
    given = ["--by", "ann", "--why", "known", *flags]
    done = asked(place, "feedback", first["id"], "benign", *given)
    assert (done.returncode, done.stderr) == (0, "") and f"{first['id']} is benign" in done.stdout
    done = asked(place, "feedback", second["id"], "duplicate", "--of", first["id"], *given)
    assert done.returncode == 0, done.stderr
    signal_, value = feedback.choices(second)[0]
    until = render(int(time.time()) + 20 * 86_400)[:10] + "T00:00:00Z"
    excepted = ["--until", until, "--signal", signal_, "--value", value, "--save"]
    done = asked(place, "feedback", second["id"], "expected", *excepted, *given)
    assert done.returncode == 0, done.stderr
    pending = feedback.standing(feedback.verdicts(place.store()))
    assert (pending[first["id"]].verdict, pending[second["id"]].verdict) == ("benign", "expected")
    assert [each.signal for each in feedback.exceptions(place.store())] == [signal_]
    assert (tmp_path / "audit.jsonl").read_text().count("\n") == 3
    Lease(place.client, place.job().state, 60).acquire()
    done = asked(place, "feedback", first["id"], "open", "--wait", "0", *given)
    assert done.returncode == 75 and done.stdout.startswith("Nothing done: another run (")


def changes(place: Place, name: str) -> list[Tree]:
    """What was written of a notable, in the order of its revisions."""
    alerts_of_one = [alert for alert in place.alerts() if alert["event"]["id"] == name]
    return sorted(alerts_of_one, key=lambda alert: int(alert["nhi"]["notable"]["revision"]))


def give_verdict(place: Place, trail: Path, name: str, verdict: str, *flags: str) -> None:
    done = asked(
        place,
        "feedback",
        name,
        verdict,
        "--by",
        "ann",
        "--why",
        "known",
        "--namespace",
        place.namespace,
        "--audit",
        f"{trail}/audit.jsonl",
        *flags,
    )
    assert done.returncode == 0, done.stderr


def on_dashboards(place: Place, name: str = "nhi-notables") -> list[str]:
    """Ids of the notables that a saved search of the dashboards shows, asked as Kibana asks."""
    saved = {(each["type"], each["id"]): each for each in kibana.saved_objects()}
    search = saved["search", name]
    (view,) = (each["id"] for each in search["references"])
    asked = orjson.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
    index = saved["index-pattern", view]["attributes"]["title"].replace("*", place.namespace)
    words = asked.replace(" : ", ":").replace(" or ", " OR ")
    answer = place.client.search(index=index, size=1_000, query={"query_string": {"query": words}})
    return sorted(hit["_source"]["event"]["id"] for hit in answer["hits"]["hits"])


def test_dashboards_show_each_notable_as_it_stands_and_not_as_it_was(place: Place, tmp_path: Path) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    before = on_dashboards(place)
    assert len(before) == len(set(before)) >= 3
    give_verdict(place, tmp_path, before[0], "benign")
    place.run()
    assert on_dashboards(place) == before[1:]
    give_verdict(place, tmp_path, before[0], "open")
    place.run()
    assert on_dashboards(place) == before


def test_an_upgrade_puts_what_stands_on_the_dashboards(place: Place) -> None:
    """An earlier version kept no latest revisions, and no row that says when a verdict ends."""
    fill(place, simulated())
    place.run(since=SINCE)
    before, alerts = on_dashboards(place), place.alerts()
    place.client.indices.delete(index=f"{setup.NOTABLES}-{place.namespace}")
    setup.setup(place.client, place.namespace)
    store = place.store()
    store.put("meta", [("elastic:next", None)])
    store.commit()
    assert on_dashboards(place) == [] and place.run()["alerts"] == {"created": 0}
    assert on_dashboards(place) == before and place.alerts() == alerts


def test_a_verdict_is_written_once_by_the_next_run_although_nothing_came_in(place: Place, tmp_path: Path) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    first, second = [alert["event"]["id"] for alert in place.alerts() if alert["event"]["code"] == "compromise"][:2]
    give_verdict(place, tmp_path, first, "benign")
    until = int(time.time()) + 86_400
    give_verdict(place, tmp_path, second, "expected", "--until", render(until))
    done = place.run()
    assert (done["read"], done["alerts"]) == (0, {"created": 2})
    assert [each["nhi"]["change"] for each in changes(place, first)] == ["new", "settled"]
    text = changes(place, first)[-1]["nhi"]
    assert text["verdict"] == {"name": "benign", "by": "ann", "why": "known"}
    assert (text["notable"]["life"], text["notable"]["revision"]) == ("closed", 2)
    assert changes(place, second)[-1]["nhi"]["verdict"]["name"] == "expected"
    assert place.run()["alerts"] == {"created": 0}
    give_verdict(place, tmp_path, first, "open")
    assert place.run()["alerts"] == {"created": 1}
    assert [each["nhi"]["change"] for each in changes(place, first)] == ["new", "settled", "new"]
    assert windows.due(place.store()) == until


def test_what_was_expected_is_back_when_its_time_is_over(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    name = next(alert["event"]["id"] for alert in place.alerts() if alert["event"]["code"] == "compromise")
    give_verdict(place, tmp_path, name, "expected", "--until", render(int(time.time()) + 86_400))
    place.run()
    monkeypatch.setattr(running, "clock_of", lambda *_: lambda: time.time() + 86_500)
    assert place.run()["alerts"] == {"created": 1}
    assert [each["nhi"]["change"] for each in changes(place, name)] == ["new", "settled", "new"]
    assert place.run()["alerts"] == {"created": 0}


def test_no_revision_goes_back_after_an_upgrade(place: Place, wanted: list[NotableDocument]) -> None:
    """The stream has revisions of a version whose state knew nothing of them."""
    now = int(time.time())
    written = [Publication("new", altered({**notable, "revision": 7}), True) for notable in wanted]
    write.write(place.client, written, write.AlertOptions(place.namespace, now), {})
    fill(place, simulated())
    place.run(since=SINCE)
    assert {
        notable["id"]: notable["revision"]
        for notable in find.every(place.store())
        if notable["id"] in {item["id"] for item in wanted}
    } == {notable["id"]: 8 for notable in wanted}


def test_nothing_is_lowered_or_lost_at_midnight_by_a_run_that_read_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    before = place.alerts()
    for days in range(1, 4):
        monkeypatch.setattr(running, "clock_of", lambda *_, by=days * 86_400: lambda: time.time() + by)
        store = place.store()
        windows.put_due(store, 0)
        store.commit()
        assert place.run()["alerts"] == {"created": 0}
    assert place.alerts() == before


def test_what_is_learnt_is_no_alert_and_not_written_by_a_later_run(place: Place) -> None:
    fill(place, simulated())
    assert place.run(since=SINCE, alerts=False)["notables"] >= 3
    assert place.run()["alerts"] == {"created": 0} and place.alerts() == []


# ---- one process, many runs


def test_a_process_that_goes_on_reads_what_comes_and_ends_within_seconds(place: Place) -> None:
    """It gives the lease back after each run, and keeps up with a verdict's process that writes between two."""
    fill(place, simulated()[:500])
    flags = ["--index", place.source, "--namespace", place.namespace, "--lag", "0", "--json", "--since", render(SINCE)]
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", "run", "--every", "10", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(NHI_ELASTIC_URL=place.url)) as job:
        assert job.stdout is not None
        read_counts = [orjson.loads(job.stdout.readline())["read"]]
        between = Lease(place.client, place.job().state, 60)
        between.acquire(20.0)
        between.release()
        fill(place, simulated()[500:700], ingested=int(time.time()))
        read_counts += [orjson.loads(job.stdout.readline())["read"] for _ in range(2)]
        began = time.monotonic()
        job.send_signal(signal.SIGTERM)
        job.wait(10)
    assert (read_counts, job.returncode) == ([500, 200, 0], -signal.SIGTERM) and time.monotonic() - began < 5
    assert {beat["event"]["outcome"] for beat in place.written()} == {"success"}
    place.run()  # at once: nobody has the lease


@pytest.mark.parametrize("other", [False, True], ids=["alone", "another wrote in between"])
def test_rounds_of_one_worker_are_as_runs_of_their_own(
    place: Place, wanted: list[NotableDocument], other: bool
) -> None:
    worker, third = Worker(place.client, place.job(since=SINCE)), len(simulated()) // 3
    for number in range(3):
        fill(place, simulated()[number * third : (number + 1) * third if number < 2 else None])
        worker.round()
        if other:
            place.run(since=SINCE)
    place.stand(wanted)


@pytest.fixture
def requested(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Method and target of each request."""
    listed: list[str] = []
    transport = type(place.client.transport)
    real = transport.perform_request

    def noting(self: Any, method: str, target: str, **options: Any) -> Any:
        listed.append(f"{method} {target}")
        return real(self, method, target, **options)

    monkeypatch.setattr(transport, "perform_request", noting)
    return listed


def test_an_idle_round_asks_little_and_writes_no_part(place: Place, requested: list[str]) -> None:
    fill(place, simulated()[:300])
    worker = Worker(place.client, place.job(since=SINCE))
    worker.round()
    requested.clear()
    assert worker.round()["read"] == 0
    assert len(requested) <= 10, requested
    assert not [target for target in requested if "_pit" in target or "logs-nhi.alerts" in target]


def test_a_process_makes_the_state_searchable_at_most_once(place: Place, requested: list[str]) -> None:
    """A refresh is the dearest that a run asks of the server; what a process remembers need not be searchable."""
    part = len(simulated()) // 4
    Worker(place.client, place.job(since=SINCE)).round()
    worker = Worker(place.client, place.job(since=SINCE))
    for number, refreshes in enumerate((1, 0, 0)):
        fill(place, simulated()[number * part : (number + 1) * part])
        requested.clear()
        assert worker.round()["read"] > 0
        of_state = [each for each in requested if place.job().state in each]
        assert sum("refresh=true" in each for each in of_state) == refreshes, of_state
        assert not [each for each in of_state if each.startswith("HEAD")], of_state


# ---- the program


def asked(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    return nhi(*arguments, NHI_ELASTIC_URL=place.url, NHI_ELASTIC_API_KEY="c2VjcmV0OmtleQ==")


def test_a_lease_that_somebody_else_has_is_an_exit_code_of_its_own_and_one_line(place: Place) -> None:
    Lease(place.client, place.job().state, 60).acquire()
    done = asked(place, "run", "--namespace", place.namespace, "--index", place.source)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (75, "", 1)
    assert done.stdout.startswith("Nothing done: another run (")


@pytest.mark.both_versions("a run from end to end")
def test_the_program_sets_up_and_runs_and_never_shows_the_key(place: Place) -> None:
    setting = asked(place, "setup", "--namespace", place.namespace)
    assert (setting.returncode, setting.stdout.splitlines()[-2:]) == (
        0,
        [f"unchanged index {name}-{place.namespace}" for name in ("nhi-state", "nhi-notables")],
    )
    assert setting.stdout.startswith("Kibana was left out: "), "who forgot to name it would wait for alerts"
    options = ["--namespace", place.namespace, "--index", place.source, "--json"]
    running = asked(place, "run", *options, "--since", "2025-01-01T00:00:00Z")
    assert orjson.loads(running.stdout)["read"] == 0
    request = asked(place, "setup", "--namespace", place.namespace, "--api-key-request", "-", "--dry-run")
    assert '"cluster": []' in request.stdout
    assert not any("c2VjcmV0" in done.stdout + done.stderr for done in (setting, running, request))


def test_a_notable_of_the_cluster_is_verified_by_its_id_and_as_it_was_handed_over(
    place: Place, wanted: list[NotableDocument], tmp_path: Path
) -> None:
    fill(place, simulated())
    place.run(since=SINCE)
    notable = place.notables()[0]
    copied = asked(place, "report", "--namespace", place.namespace, "--index", place.source, "--out", str(tmp_path))
    assert copied.returncode == 0, copied.stderr
    (tmp_path / "handed.json").write_bytes(orjson.dumps(notable))
    for name in (notable["id"], str(tmp_path / "handed.json")):
        done = verify(tmp_path, name)
        assert orjson.loads(done.stdout)["verified"] is True, done.stderr
    (tmp_path / "forged.json").write_bytes(orjson.dumps({**notable, "likelihood": notable["likelihood"] + 1}))
    forged = verify(tmp_path, str(tmp_path / "forged.json"))
    assert (forged.returncode, orjson.loads(forged.stdout)["verified"]) == (2, False)
    assert "does not verify: likelihood differ" in forged.stderr


def verify(out: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nhi_watch.cli", "verify", name, "--out", str(out), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_program_names_what_is_wrong_in_one_line(place: Place, tmp_path: Path) -> None:
    missing = asked(place, "run", "--api-key-file", str(tmp_path / "none"))
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert missing.stderr.startswith("nhi: --api-key-file: cannot read ")
    userinfo = asked(place, "run", "--url", "http://me:secret@127.0.0.1:9")
    assert (userinfo.returncode, "secret" in userinfo.stderr) == (2, False)
