"""What is written on real servers: one document for each revision, promoted or not; heartbeats; upgrades."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import elastic_package
import notable_samples
from need import shared_data
from nhi_watch import cli
from nhi_watch.core.errors import StoreError
from nhi_watch.core.status import BY_ROUTINE
from nhi_watch.core.timestamps import parse
from nhi_watch.detect import feedback
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.elastic import commands, setup
from nhi_watch.hosts.elastic import write as writing
from nhi_watch.report import ecs
from notable_samples import altered
from test_elastic_run import SINCE, Place, fill, leaves, place, simulated
from test_outputs import ecs_fields, faults

__all__ = ["ecs_fields", "place"]

Tree = dict[str, Any]
WHEN = "2026-03-13T00:05:00Z"
NOW = parse(WHEN)
BEFORE = orjson.loads((Path(__file__).parent / "data" / "elastic" / "installed_before.json").read_bytes())
"""What the version of commit 5628f44 installed."""


def notable(**changes: Any) -> Any:
    return {**notable_samples.documents()[0], **changes}


# ---- revisions


def event(change: str, escalated: bool = False, **changes: Any) -> Publication:
    return Publication(change, notable(**changes), escalated)


VERDICT = feedback.make_verdict(notable(), "benign", "ann", "a test of ours", NOW, {})


def test_each_event_is_a_document_that_says_what_became_of_the_notable(place: Place, ecs_fields: Tree) -> None:
    resolved: Tree = {"life": "closed", "closed_why": feedback.named(VERDICT)}
    routine: Tree = {"life": "closed", "closed_why": f"{BY_ROUTINE}: done on 9 days from its own places"}
    story = [
        ("below", event("below", listed=False)),
        ("new", event("new", True)),
        ("grown", event("grown")),
        ("escalated", event("grown", True, severity="critical")),
        ("settled", event("settled", **resolved)),
        ("reopened", event("reopened", True)),
        ("settled", event("settled", **routine)),
        ("merged", event("merged", merged_into="another")),
        ("closed", event("closed", life="closed")),
    ]
    wanted = writing.AlertOptions(place.namespace, NOW, kibana="https://kibana")
    for number, (_, each) in enumerate(story, 1):
        each.document["revision"] = number
    verdicts = {notable()["id"]: VERDICT}
    assert writing.write(place.client, [each for _, each in story], wanted, verdicts) == {"created": len(story)}
    documents = [
        hit["_source"]
        for hit in place.client.search(index=wanted.stream, size=50, sort=[{"nhi.notable.revision": "asc"}])["hits"][
            "hits"
        ]
    ]
    assert [each["nhi"]["change"] for each in documents] == [change for change, _ in story]
    assert [each["nhi"]["verdict"] for each in documents if "verdict" in each["nhi"]] == [
        {"name": "benign", "by": "ann", "why": "a test of ours"},
        {"name": "routine", "why": routine["closed_why"]},
    ]
    assert [fault for each in documents for fault in faults(each, ecs_fields)] == []
    assert place.client.count(index=wanted.stream, query={"term": {"nhi.verdict.by": "ann"}})["count"] == 1


def test_what_a_killed_run_wrote_is_not_written_again_also_behind_a_rollover(place: Place) -> None:
    many = [Publication("new", document, True) for document in notable_samples.many(700)]
    wanted = writing.AlertOptions(place.namespace, NOW)
    assert writing.write(place.client, many[:600], wanted, {}) == {"created": 600}
    place.client.indices.rollover(alias=wanted.stream)
    assert writing.write(place.client, many, wanted, {}) == {"created": 100}
    assert writing.write(place.client, many, wanted, {}) == {"created": 0}


def test_the_latest_revision_of_each_notable_is_kept_a_year_and_an_earlier_one_does_not_replace_it(
    place: Place,
) -> None:
    wanted = writing.AlertOptions(place.namespace, NOW)
    item, other = notable_samples.many(2)
    for revision in (2, 1, 3, 2):
        writing.write(place.client, [Publication("grown", altered({**item, "revision": revision}), False)], wanted, {})
    writing.write(
        place.client, [Publication("new", altered({**other, "last_time": "2024-01-01T00:00:00Z"}), False)], wanted, {}
    )
    revisions = {
        hit["_id"]: hit["_source"]["nhi"]["notable"]["revision"]
        for hit in place.client.search(index=wanted.latest)["hits"]["hits"]
    }
    assert revisions == {item["id"]: 3, other["id"]: other["revision"]}
    writing.forget(place.client, wanted._replace(now=parse(item["last_time"])))
    assert [hit["_id"] for hit in place.client.search(index=wanted.latest)["hits"]["hits"]] == [item["id"]]


def test_nothing_is_written_where_the_index_of_latest_revisions_is_missing(place: Place) -> None:
    """Else the cluster would make one that maps whatever a log says."""
    wanted = writing.AlertOptions(place.namespace, NOW)
    place.client.indices.delete(index=wanted.latest)
    with pytest.raises(StoreError, match=r"^nhi-notables-\w+ does not exist: run `nhi elastic setup` first$"):
        writing.write(place.client, [Publication("new", notable(), True)], wanted, {})
    assert not place.client.indices.exists(index=wanted.latest)


def test_the_highest_revision_that_the_stream_has_of_each_notable_is_found(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PAGE", 3)
    stream = f"logs-nhi.alerts-{place.namespace}"
    assert writing.published(place.client, stream) == {}
    many = notable_samples.many(7)
    events = [Publication("new", altered({**document, "revision": at}), True) for document in many for at in (9, 10, 2)]
    writing.write(place.client, events, writing.AlertOptions(place.namespace, NOW), {})
    assert writing.published(place.client, stream) == {document["id"]: 10 for document in many}


def test_an_alert_has_20_kb_at_most_and_keeps_what_tells_most(place: Place) -> None:
    call = notable()["timeline"][0]
    calls = [{**call, "points": float(at % 100), "record_id": f"record-{at}"} for at in range(2_000)]
    ids = [f"record-{at:030}" for at in range(1_000)]
    document = ecs.alert(notable(timeline=calls, record_ids=ids), created=WHEN)
    assert len(orjson.dumps(document)) <= ecs.LARGEST
    kept = document["nhi"]["notable"]
    assert min(call["points"] for call in kept["timeline"]) >= 98.0 and 5 <= len(kept["timeline"]) <= 50
    assert kept["record_ids"] == ids[: len(kept["record_ids"])] and "rank" not in kept


def test_alerts_of_real_logs_have_20_kb_at_most_also_with_a_finding_and_a_verdict(
    tmp_path: Path, ecs_fields: Tree
) -> None:
    """The largest notable of real CloudTrail is ten times as large; identity, verdict and what weighs most are kept."""
    logs = shared_data("cloudtrail")
    assert cli.main(["score", str(logs), "--out", str(tmp_path), "--budget", "1000"]) == 0
    notables = [
        orjson.loads(line)
        for name in ("notables", "below")
        for line in (tmp_path / f"{name}.jsonl").read_bytes().splitlines()
    ]
    assert max(len(orjson.dumps(item)) for item in notables) > 5 * ecs.LARGEST
    for as_ocsf in (False, True):
        wanted = writing.AlertOptions("default", NOW, as_ocsf, "https://kibana.example.com/s/soc")
        for item in notables:
            resolved = Publication(
                "settled", altered({**item, "life": "closed", "closed_why": feedback.named(VERDICT)}), False
            )
            source = writing._action(resolved, wanted, VERDICT)["_source"]
            assert len(orjson.dumps(source)) <= 20_000, (item["id"], as_ocsf)
            assert faults({name: text for name, text in source.items() if name != "ocsf"}, ecs_fields) == []
            kept = source["nhi"]["notable"]
            assert (kept["id"], kept["likelihood"]) == (item["id"], item["likelihood"])
            assert kept["signals"] or not item["signals"]
            assert source["nhi"]["verdict"]["by"] == "ann"


def test_whatever_a_log_says_an_alert_stays_ecs_and_of_bounded_size(ecs_fields: Tree) -> None:
    @settings(max_examples=80, deadline=None)
    @given(
        text=st.text(max_size=3_000),
        place=st.sampled_from(("title", "summary", "name", "account", "provider", "owner", "evidence", "source")),
        likelihood=st.floats(0, 100, allow_nan=False),
    )
    def holds(text: str, place: str, likelihood: float) -> None:
        built = orjson.loads(orjson.dumps(notable(likelihood=likelihood)))
        for part in (built, built["identity"], *built["signals"], *built["timeline"]):
            if place in part:
                part[place] = text.encode("utf-8", "replace").decode()
        alert = ecs.alert(built, created=WHEN)
        assert faults(alert, ecs_fields) == []
        assert len(orjson.dumps(alert)) <= 20_000

    holds()


# ---- heartbeats

OUTCOME = {
    "read": 7, "parsed": 6, "duplicates": 1, "events": 5, "identities": 3, "notables": 2, "rejected": {"x": 1},
    "alerts": {"created": 2}, "seconds": {"total": 1.25}, "model": {"id": "m"},
    "window": {"index": "i", "since": WHEN, "until": WHEN},
}  # fmt: skip


def test_every_heartbeat_is_ecs_and_mapped(place: Place, ecs_fields: Tree) -> None:
    began = writing.Times(time.time() - 2, time.time())
    assert writing.beat(place.client, place.namespace, began, OUTCOME) is None
    assert writing.beat(place.client, place.namespace, began, {"skipped": "no new documents"}) is None
    assert writing.failed(place.client, place.namespace, began, StoreError("x" * 5_000)) is None
    index = f"{setup.HEALTH}-{place.namespace}"
    place.client.indices.refresh(index=index)
    heartbeats = [hit["_source"] for hit in place.client.search(index=index, size=9)["hits"]["hits"]]
    assert [fault for document in heartbeats for fault in faults(document, ecs_fields)] == []
    mapped = set(elastic_package.names(setup.mappings()[setup.HEALTH]))
    assert {leaf for document in heartbeats for leaf in leaves(document)} - mapped == set()
    assert sorted(document["event"]["outcome"] for document in heartbeats) == ["failure", "success", "success"]
    (full,) = (document for document in heartbeats if document["nhi"]["health"])
    assert full["nhi"]["health"]["rejected"] == 1 and 1e9 < full["event"]["duration"] < 600e9


def test_a_heartbeat_that_cannot_be_written_does_not_end_the_run(place: Place) -> None:
    place.client.cluster.put_component_template(
        name="logs-nhi.health@custom", template={"mappings": {"properties": {"message": {"type": "long"}}}}
    )
    began = writing.Times(time.time(), time.time())
    try:
        text = writing.beat(place.client, place.namespace, began, {"skipped": "no new documents"})
    finally:
        place.client.cluster.put_component_template(name="logs-nhi.health@custom", template={})
    assert text and "\n" not in text


# ---- upgrades


def install(place: Place, installed: Tree) -> None:
    """Put the templates of an earlier version in the place of ours, and make what that version had made."""
    for name, body in installed["component_templates"].items():
        place.client.cluster.put_component_template(name=name, body=body)
    for name, body in installed["index_templates"].items():
        place.client.indices.put_index_template(name=name, body=body)
    place.client.options(ignore_status=404).indices.delete(index=f"nhi-state-{place.namespace}")
    place.client.indices.create(index=f"nhi-state-{place.namespace}")
    place.client.index(index=f"logs-nhi.health-{place.namespace}", op_type="create", document={"@timestamp": WHEN})


@pytest.mark.both_versions("what templates and mappings do depends on the version")
def test_an_upgrade_says_what_it_changes_and_what_was_written_goes_on(place: Place) -> None:
    install(place, BEFORE)
    planned = {(s.kind, s.name): s for s in setup.setup(place.client, place.namespace, dry_run=True)}
    step = planned["component template", "logs-nhi.health@mappings"]
    assert step.change == "update"
    assert any("health.properties.until" in path for path in step.what)
    stream = planned["mapping of data stream", f"logs-nhi.health-{place.namespace}"]
    assert stream.change == "update" and stream.what
    args = cli.parser().parse_args(["elastic", "setup", "--namespace", place.namespace, "--dry-run"])
    output = StringIO()
    assert commands._setup(place.client, args, Console(file=output, width=500)) == 0
    (line,) = (line for line in output.getvalue().splitlines() if "logs-nhi.health@mappings" in line)
    assert line.startswith("would update component template logs-nhi.health@mappings: _meta.version, template.")
    done = setup.setup(place.client, place.namespace)
    assert {(s.kind, s.name): s.change for s in done} == {key: s.change for key, s in planned.items()}
    assert {step.change for step in setup.setup(place.client, place.namespace)} == {"none"}
    fill(place, simulated()[:60])
    assert place.run(since=SINCE)["read"] == 60
    place.client.indices.refresh(index=f"logs-nhi.health-{place.namespace}")
    recent = {"range": {"nhi.health.until": {"gte": "2026-01-01"}}}
    assert place.client.count(index=f"logs-nhi.health-{place.namespace}", query=recent)["count"] == 1
    assert place.client.count(index=f"logs-nhi.health-{place.namespace}")["count"] == 2, "what was there is kept"


def test_what_a_later_version_installed_is_left_alone(place: Place) -> None:
    body = {"template": {}, "_meta": {"managed_by": "nhi_watch", "version": "99.0"}}
    name = "logs-nhi.health@settings"
    ours = place.client.cluster.get_component_template(name=name).body["component_templates"][0]["component_template"]
    place.client.cluster.put_component_template(name=name, body=body)
    try:
        with pytest.raises(StoreError, match=r"was installed by version 99.0, this is .*: upgrade the program"):
            setup.setup(place.client, place.namespace)
    finally:
        only = {key: ours[key] for key in ("template", "_meta")}
        place.client.cluster.put_component_template(name=name, body=only)
    assert {step.change for step in setup.setup(place.client, place.namespace)} == {"none"}


@pytest.mark.both_versions("what templates and mappings do depends on the version")
def test_a_field_of_another_type_begins_a_new_backing_index(place: Place) -> None:
    stream = f"logs-nhi.health-{place.namespace}"
    other = {
        "mappings": {"properties": {"nhi": {"properties": {"health": {"properties": {"until": {"type": "keyword"}}}}}}}
    }
    place.client.cluster.put_component_template(name="logs-nhi.health@custom", template=other)
    try:
        place.client.index(index=stream, op_type="create", document={"@timestamp": WHEN})
    finally:
        place.client.cluster.put_component_template(name="logs-nhi.health@custom", template={})
    changed = [s for s in setup.setup(place.client, place.namespace) if s.change != "none"]
    assert [(s.kind, s.name) for s in changed] == [("mapping of data stream", stream)]
    assert len(place.client.indices.resolve_index(name=stream).body["data_streams"][0]["backing_indices"]) == 2
    assert {step.change for step in setup.setup(place.client, place.namespace)} == {"none"}
