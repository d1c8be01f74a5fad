"""Notables as OCSF Detection Findings: every one is valid by the published schema, and none comes back as an alert."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hostile import ATTACKS, by_hand
from need import library
from nhi_watch import cli
from nhi_watch.core.errors import RejectError
from nhi_watch.detect.explain import ocsf
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.elastic import write
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources import alerts
from nhi_watch_lab.evaluation.forms import ocsf as mapped
from notable_samples import altered, documents
from test_ocsf import NATIVE

Tree = dict[str, Any]


@cache
def validator() -> Any:
    published = library("ocsf_json_schema")
    schema = published.OcsfJsonSchemaEmbedded(published.get_ocsf_schema(ocsf.VERSION))
    return Draft202012Validator(schema.get_class_schema("detection_finding"))


def wrong(finding: Tree) -> list[str]:
    """What the schema says of a finding as it is read back from JSON."""
    return [error.message for error in validator().iter_errors(json.loads(json.dumps(finding)))]


@pytest.mark.parametrize("notable", documents(), ids=lambda notable: str(notable["title"])[:30])
def test_every_kind_of_notable_is_a_valid_finding(notable: Tree) -> None:
    for change in ({}, {"life": "closed"}, {"merged_into": "x"}, {"revision": 3}, {"timeline": [], "record_count": 0}):
        assert wrong(ocsf.finding(altered({**notable, **change}))) == []


def test_what_an_attacker_wrote_does_not_make_a_finding_invalid() -> None:
    assert [fault for text in ATTACKS for fault in wrong(ocsf.finding(by_hand(text)))] == []


def test_a_finding_tells_who_from_where_how_sure_and_whether_it_goes_on() -> None:
    notable = next(document for document in documents() if document["kind"] == "compromise")
    finding = ocsf.finding(notable)
    assert (finding["finding_info"]["uid"], finding["resources"][0]["uid"]) == (
        notable["id"],
        notable["identity"]["id"],
    )
    assert finding["confidence_score"] == finding["risk_score"] == round(notable["likelihood"])
    assert ocsf.SEVERITIES[finding["severity_id"] - 1] == notable["severity"]
    heaviest = max(notable["timeline"], key=lambda entry: entry["points"])
    assert finding["evidences"][0]["uid"] == heaviest["record_id"]
    children = [
        attack["sub_technique"]["uid"] for attack in finding["finding_info"]["attacks"] if "sub_technique" in attack
    ]
    assert children == [name for name in notable["frameworks"]["mitre_attack"] if "." in name]
    states = [
        ocsf.finding(altered({**notable, **change}))["type_name"].partition(": ")[2]
        for change in ({"revision": 1}, {"revision": 2}, {"life": "closed"}, {"merged_into": "x"})
    ]
    assert states == ["Create", "Update", "Close", "Close"]


def test_our_own_findings_do_not_come_back_as_alerts() -> None:
    with pytest.raises(RejectError) as error:
        alerts.read(opened(ocsf.finding(documents()[0])))
    assert error.value.reason == "own_notable"


def test_files_hold_one_finding_a_notable_where_they_are_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "lake.ndjson"
    log.write_text("\n".join(json.dumps(mapped(record)) for record in NATIVE), "utf-8")
    for flags, count in (([], 0), (["--ocsf"], 1)):
        out = tmp_path / f"out{count}"
        assert cli.main(["score", str(log), "--out", str(out), *flags]) == 0
        assert len(list(out.glob("findings.ocsf.jsonl"))) == count
    notables = (out / "notables.jsonl").read_text("utf-8").splitlines()
    findings = [json.loads(line) for line in (out / "findings.ocsf.jsonl").read_text("utf-8").splitlines()]
    assert notables and [finding["finding_info"]["uid"] for finding in findings] == [
        json.loads(n)["id"] for n in notables
    ]
    assert [wrong(finding) for finding in findings] == [[]] * len(findings)


def test_elastic_keeps_the_finding_beside_the_alert_where_it_is_asked_for() -> None:
    notable = documents()[0]
    for asked in (False, True):
        wanted = write.AlertOptions("x", 1772445600, asked)
        action = write._action(Publication("new", notable, True), wanted, None)
        document = action["_source"]
        assert document.get("ocsf") == (ocsf.finding(notable) if asked else None)
