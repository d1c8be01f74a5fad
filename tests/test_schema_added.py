"""A schema is one file: what it carries is read by the products' own sources, on every host."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec  # the script needs it: not a test for bare interpreters  # noqa: F401  # the script needs it: not a test for bare interpreters
import pytest

from layout import ROOT

SCHEMA = '''"""Crates: a made-up schema, in which records travel wrapped."""

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes import forms

NAME = "crate"
SPLUNK_SOURCETYPES = ("crate:any",)
ELASTIC_INDICES = ("logs-crate.*",)
MARKS = ("crate", "_raw", "_source", "fields")


def carries(record):
    """Whether the record is crated."""
    return "crate" in forms.hit(record) or '"crate"' in str(record.get("_raw"))


def native(record):
    """What is in the crate."""
    tree, _ = forms.native(record)
    inside = forms.hit(tree)["crate"]
    if not isinstance(inside, dict):
        raise RejectError("empty_crate", "the crate holds no record")
    return inside
'''
WHO = {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111111111111:user/ci"}
RECORDS = [
    {
        "crate": {
            "eventName": "GetObject",
            "eventSource": "s3.amazonaws.com",
            "eventID": f"r{n}",
            "eventTime": f"2026-03-02T10:0{n}:00Z",
            "userIdentity": WHO,
        }
    }
    for n in range(5)
]
SCRIPT = """
import sys

folder, root, log = sys.argv[1:]
import nhi_watch.intake.schemas

nhi_watch.intake.schemas.__path__.append(folder)  # as if the file lay beside the others
sys.path[:0] = [f"{root}/lab/tools", f"{root}/tests"]
import json
from pathlib import Path
import docs, msgspec
from nhi_watch import cli
from nhi_watch.hosts.elastic import read, setup
from nhi_watch.hosts.splunk import gather, rows, steps
from nhi_watch.intake.batch import Intake


class Head:
    def oneshot(self, search):
        return [{"index": "soc", "sourcetype": "crate:any", "count": "5"}]


records = [json.loads(line) for line in Path(log).read_text().splitlines()]
result = {"docs": "\\n".join(docs.schemas()), "steps": list(steps.find(Head()))}
for source in ("auto", "cloudtrail"):
    out = Path(log).parent / source
    result[source] = cli.main(["score", log, "--source", source, "--out", str(out)])
    result[f"run {source}"] = json.loads((out / "run.json").read_text())
gatherer = gather.Gatherer()
gatherer.feed(rows.write(["_raw"], [{"_raw": json.dumps(record)} for record in records]))
result["splunk"] = [[name, part.events()] for (_, name), part in gatherer.parts.items()]
intake = Intake(read.sources_of(read.SOURCES))
documents = [msgspec.Raw(json.dumps(record).encode()) for record in records]
read.feed(intake, [read.Hit("i", "1", text) for text in documents], lambda hit, error: None)
result["elastic"] = [[name, each.events()] for day in intake.batch.values() for name, each in day.items()]
result["indices"] = setup.SOURCE_INDICES
print("FOUND " + json.dumps(result))
"""
CI = "aws:111111111111:user:AIDAEXAMPLE"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, data = tmp_path_factory.mktemp("schemas"), tmp_path_factory.mktemp("data")
    (folder / "crate.py").write_text(SCHEMA, "utf-8")
    log = data / "crates.ndjson"
    log.write_text("\n".join(map(json.dumps, [*RECORDS, {"crate": None}])) + "\n", "utf-8")
    command = [sys.executable, "-c", SCRIPT, str(folder), str(ROOT), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FOUND " in done.stdout, done.stderr
    return json.loads(done.stdout.rpartition("FOUND ")[2])


def test_the_command_line_scores_its_records_and_says_what_was_refused(result: Any) -> None:
    for source in ("auto", "cloudtrail"):
        run = result[f"run {source}"]
        assert (result[source], run["parsed"], run["identities"]) == (0, 5, 1)
        assert run["rejected"] == {"empty_crate": 1}


def test_splunk_and_elastic_read_its_records_and_look_where_they_lie(result: Any) -> None:
    assert result["splunk"] == [[CI, 5]]
    assert result["elastic"] == [[CI, 5]]
    assert "logs-crate.*" in result["indices"]
    assert [(row["Log"], row["Index"]) for row in result["steps"]] == [("crate", "soc")]
