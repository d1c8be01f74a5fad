"""The alert action that gives a verdict from a row: the same row of nhi_feedback as the search command's."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nhi_watch.hosts.splunk import nhi_verdict
from nhi_watch.hosts.splunk.nhi import Nhi
from nhi_watch.hosts.splunk.protocol import Search
from splunk_conf import conf
from splunk_process import read
from splunk_rest import SESSION, Double, splunkd
from splunk_stream import table

ROOT = Path(__file__).parents[1]
IDS = ("0123456789abcdef0123", "0123456789abcdef0124")
ROWS = [{"nhi_id": [name], "nhi_identity_id": ["aws:1:role:A"], "nhi_title": ['a, "b"\nc']} for name in IDS]
NAMES = ["nhi_id", "nhi_identity_id", "nhi_title"]


@pytest.fixture
def double() -> Iterator[Double]:
    yield splunkd()


def payload(double: Double, folder: Path, rows: list[dict[str, list[str]]], **asked: str) -> dict[str, Any]:
    """What Splunk gives an alert action."""
    path = folder / "results.csv.gz"
    path.write_bytes(gzip.compress(table(NAMES, rows)))
    return {"app": "SplunkEnterpriseSecuritySuite", "owner": "ann", "results_file": str(path), "search_name": "",
            "server_uri": double.url, "session_key": SESSION, "sid": "1", "configuration": asked}  # fmt: skip


def act(alert: dict[str, Any]) -> tuple[int, str]:
    errors = io.StringIO()
    code = nhi_verdict.main(["--execute"], io.StringIO(json.dumps(alert)), errors)
    return code, errors.getvalue()


def kept(double: Double) -> list[dict[str, Any]]:
    return list(double.kv.captain["nhi_feedback"].values())


def test_it_writes_the_rows_that_the_search_command_gives(
    double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nhi_watch.hosts.splunk.feedback.time.time", lambda: 1.8e9)
    code, errors = act(payload(double, tmp_path, ROWS, verdict="expected", reason="planned move", until="2027-03-31"))
    assert (code, errors) == (0, "INFO nhi_verdict: a verdict on 2 notables\n")
    command = Nhi()
    asked = ["feedback", "verdict=expected", "reason=planned move", "until=2027-03-31"]
    command.prepare(Search(asked, user="ann"))
    command.execute(table(NAMES, ROWS))
    rows = [{name: values[0] for name, values in row.items()} for row in read(command.finish()[0])]
    assert [{name: value for name, value in row.items() if value} for row in kept(double)] == rows
    assert {row["analyst"] for row in rows} == {"ann"} and len(rows) == 2


def test_the_same_verdict_again_replaces_itself(double: Double, tmp_path: Path) -> None:
    for verdict in ("benign", "confirmed"):
        assert act(payload(double, tmp_path, [*ROWS, *ROWS], verdict=verdict))[0] == 0
    assert [row["verdict"] for row in kept(double)] == ["confirmed"] * 2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "a verdict is missing"),
        ({"verdict": "harmless"}, "verdict=harmless is unknown"),
        ({"verdict": "expected"}, "needs an end"),
        ({"verdict": "benign", "until": "tomorrow"}, "until=tomorrow is not <date>"),
    ],
)
def test_a_wrong_parameter_is_told_and_writes_nothing(
    double: Double, tmp_path: Path, asked: dict[str, str], says: str
) -> None:
    code, errors = act(payload(double, tmp_path, ROWS, **asked))
    assert code == 2 and errors.startswith("ERROR ") and says in errors
    assert kept(double) == []


def test_rows_that_are_no_notables_are_told(double: Double, tmp_path: Path) -> None:
    code, errors = act(payload(double, tmp_path, [{"nhi_title": ["x"]}], verdict="benign"))
    assert code == 2 and "WARN nhi feedback: no verdict on 1 of the rows: no nhi_id" in errors


def test_no_session_or_another_ones_is_an_error(double: Double, tmp_path: Path) -> None:
    alert = payload(double, tmp_path, ROWS, verdict="benign")
    assert "splunkd gave no session" in act({**alert, "session_key": ""})[1]
    assert "HTTP 401" in act({**alert, "session_key": "other"})[1]
    assert act({**alert, "results_file": "/nowhere"})[0] == 2


def test_splunk_starts_it_by_its_name(double: Double, tmp_path: Path) -> None:
    script = [sys.executable, "-I", "-S", str(ROOT / "bin" / "nhi_verdict.py"), "--execute"]
    alert = payload(double, tmp_path, ROWS, verdict="benign", reason="known")
    done = subprocess.run(script, input=json.dumps(alert), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "INFO nhi_verdict: a verdict on 2 notables\n")
    assert len(kept(double)) == 2
    assert subprocess.run(script[:-1], capture_output=True, check=False).returncode == 2


def test_its_form_its_specification_and_its_parameters_are_the_same() -> None:
    (action,) = [conf("alert_actions.conf")[name] for name in conf("alert_actions.conf").sections()]
    parameters = {key[len("param.") :] for key in action if key.startswith("param.")} - {"_cam"}
    assert parameters == {*nhi_verdict.PARAMETERS}
    form = ElementTree.parse(ROOT / "default" / "data" / "ui" / "alerts" / "nhi_verdict.html")
    fields = [element.get("name") for element in form.iter() if element.get("name")]
    assert {*fields} == {f"action.nhi_verdict.param.{name}" for name in parameters}
    offered = {element.get("value") for element in form.iter("option")}
    assert offered == {"confirmed", "benign", "expected", "duplicate"}
    for name, start in (("alert_actions", "param."), ("savedsearches", "action.nhi_verdict.param.")):
        text = (ROOT / "README" / f"{name}.conf.spec").read_text("utf-8")
        assert set(re.findall(rf"^{re.escape(start)}(\w+) =", text, re.MULTILINE)) - {"_cam"} == parameters
    cam = json.loads(action["param._cam"])
    assert cam["supports_adhoc"] is True and {"category", "task", "subject", "technology"} <= {*cam}
