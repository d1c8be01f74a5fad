"""A source is one file and its samples: nothing else need be touched for it to be read everywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec  # the script needs it: not a test for bare interpreters  # noqa: F401  # the script needs it: not a test for bare interpreters
import pytest

from layout import ROOT

SOURCE = '''"""Gadgets: the calls of a made-up product."""

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes.forms import dataset, native
from nhi_watch.intake.shapes.values import moment
from nhi_watch.intake.shapes.values import text

NAME = "gadget"
SPLUNK_SOURCETYPES = ("gadget:calls",)
ELASTIC_INDICES = ("logs-gadget.calls-*",)


def claims(record: object) -> bool:
    """Whether the record is a gadget's."""
    if not isinstance(record, dict):
        return False
    return "gadget" in record or '"gadget"' in str(record.get("_raw")) or dataset(record) == "gadget.calls"


def read(record: object) -> Event:
    """The Event of a call."""
    fields, _ = native(record)
    who, what = text(fields.get("gadget")), text(fields.get("call"))
    if not who or not what:
        raise RejectError("no_action", "gadget or call is missing")
    return Event(
        time=moment(fields.get("at")), provider="gadget", account="", credential="", credential_type="none", session="",
        identity=Identity(f"gadget::app:{who}", who, "app", "gadget", "", ""), action=f"gadget:{what}",
        service="gadget", access="write", outcome="success", error="", address="", network="", agent="", region="",
        target="", target_class="", traits=(), issued="", record_id=text(fields.get("id")),
    )
'''
RECORDS = [{"gadget": "g1", "call": "Spin", "at": f"2026-03-02T10:0{n}:00Z", "id": f"r{n}"} for n in range(5)]
SCRIPT = """
import sys

folder, root, log, data = sys.argv[1:]
import nhi_watch.intake.sources

nhi_watch.intake.sources.__path__.append(folder)  # as if the file lay beside the others
sys.path[:0] = [f"{root}/lab/tools", f"{root}/tests"]
import json
from pathlib import Path
import docs, msgspec, source_fields
from nhi_watch import cli
from nhi_watch.hosts.elastic import read, setup
from nhi_watch.hosts.splunk import gather, rows
from nhi_watch.intake.batch import Intake

records = [json.loads(line) for line in Path(log).read_text().splitlines()]
source_fields.SAMPLES = Path(data)
result = {"docs": "\\n".join(docs.sources()), "fields": docs.fields()}
for source in ("auto", "gadget"):
    out = Path(data) / source
    result[source] = cli.main(["score", log, "--source", source, "--out", str(out)])
    result[f"run {source}"] = json.loads((out / "run.json").read_text())
gatherer = gather.Gatherer()
gatherer.feed(rows.write(["_raw"], [{"_raw": json.dumps(record)} for record in records]))
gatherer.feed(rows.write(sorted(records[0]), [{**record, "id": "x" + record["id"]} for record in records]))
result["splunk"] = [[name, part.events()] for (_, name), part in gatherer.parts.items()]
intake = Intake(read.sources_of(read.SOURCES))
documents = [json.dumps({"event": {"dataset": "gadget.calls", "original": json.dumps(record)}}) for record in records]
read.feed(intake, [read.Hit("i", "1", msgspec.Raw(text.encode())) for text in documents], lambda hit, error: None)
result["elastic"] = [[name, each.events()] for day in intake.batch.values() for name, each in day.items()]
result["indices"] = setup.SOURCE_INDICES
print("FOUND " + json.dumps(result))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, data = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("data")
    (folder / "gadget.py").write_text(SOURCE, "utf-8")
    for kind in ("sources", "signals"):
        shutil.copytree(ROOT / "tests" / "data" / kind, data / kind)
    samples = [{"shape": "native", "group": 1, "record": record, "event": {}} for record in RECORDS]
    (data / "sources" / "gadget.jsonl").write_text("\n".join(map(json.dumps, samples)), "utf-8")
    log = data / "gadgets.ndjson"
    log.write_text("\n".join(map(json.dumps, RECORDS)) + "\n", "utf-8")
    command = [sys.executable, "-c", SCRIPT, str(folder), str(ROOT), str(log), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FOUND " in done.stdout, done.stderr
    return json.loads(done.stdout.rpartition("FOUND ")[2])


def test_the_command_line_scores_its_records_named_or_not(result: Any) -> None:
    for source in ("auto", "gadget"):
        assert result[source] == 0
        assert (result[f"run {source}"]["parsed"], result[f"run {source}"]["identities"]) == (5, 1)


def test_splunk_and_elastic_read_its_records(result: Any) -> None:
    assert result["splunk"] == [["gadget::app:g1", 10]]
    assert result["elastic"] == [["gadget::app:g1", 5]]
    assert "logs-gadget.calls-*" in result["indices"]


def test_the_sample_lies_where_the_suite_of_all_sources_looks_for_it() -> None:
    from test_sources import FOLDER

    assert Path(ROOT) / "tests" / "data" / "sources" == FOLDER
