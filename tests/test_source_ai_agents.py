"""AI agents: which tool, for whom, whether approvals are on; OTLP in files; no word of what was asked or answered."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from nhi_watch import cli
from nhi_watch.core.errors import RejectError
from nhi_watch.hosts.files import reader
from nhi_watch.intake.shapes import otel
from nhi_watch.intake.sources import ai_agents, every

WHO = {"user.email": "Ann@example.com", "user.account_uuid": "u-1", "organization.id": "o-1", "session.id": "s-1"}


def log(name: str, at: int = 0, **values: Any) -> dict[str, Any]:
    log_attributes = {"event.name": name, **WHO, **{k.replace("__", "."): v for k, v in values.items()}}
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in log_attributes.items()]
    return {
        "timeUnixNano": str((1772445600 + at) * 10**9),
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes,
    }


def otlp(*logs: dict[str, Any], service: str = "claude-code") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "s"}, "logRecords": list(logs)}]}]}


def test_otlp_of_others_is_refused_by_name_and_no_other_source_asked() -> None:
    record = otlp(log("http.request", eventName="GetObject"), service="shop")
    record["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"] = {"stringValue": "GET /"}
    assert [source.NAME for source in every() if source.claims(record)] == ["ai_agents"]
    with pytest.raises(RejectError, match=r"'shop' are not read; these are: claude-code"):
        ai_agents.read(record)


@pytest.mark.parametrize(
    "text",
    [
        "{one}\n{two}\n",
        "{two}",
        '{{\n"resourceLogs": [{inside}]}}',
    ],
)
def test_files_of_otlp_are_cut_into_records(tmp_path: Path, text: str) -> None:
    item = otlp(log("tool_result", tool_name="Read"), log("tool_result", 1, tool_name="Edit"))
    two = otlp(log("tool_result", 2, tool_name="Bash"))
    inside = ",\n".join(json.dumps(part["resourceLogs"][0], indent=1) for part in (item, two))
    path = tmp_path / "otlp.json"
    path.write_text(text.format(one=json.dumps(item), two=json.dumps(two), inside=inside), "utf-8")
    assert cli.main(["score", str(path), "--out", str(tmp_path / "out")]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert (run["read"], run["parsed"]) == ((1, 1) if text == "{two}" else (3, 3))


def test_a_large_resource_is_held_once_however_many_records_share_it(tmp_path: Path) -> None:
    """As one line, and as a document of several."""
    document = otlp(*(log("tool_result", n, tool_name="Bash") for n in range(300)))
    document["resourceLogs"][0]["resource"]["attributes"].append({"key": "x", "value": {"stringValue": "y" * 10**6}})
    document["resourceLogs"][0].update({f"more{n}": n for n in range(10_000)})
    for text in (json.dumps(document) + "\n", json.dumps(document, indent=1)):
        path = tmp_path / "otlp.json"
        path.write_text(text, "utf-8")
        tracemalloc.start()
        (batch,) = [batch for batch in reader.read([str(path)]) if batch.records]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(batch.records) == 300 and peak < 40 * 10**6
        assert {ai_agents.read(record).action for record in batch.records} == {"claude_code:tool:Bash"}
        assert b"tool_result" in batch.raw(299)


def test_a_document_of_records_without_end_is_cut_up_to_a_bound_and_the_rest_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "MOST", 3)
    (tmp_path / "otlp.json").write_text(json.dumps(otlp(*(log("tool_result", n, tool_name="Bash") for n in range(9)))))
    assert cli.main(["score", str(tmp_path / "otlp.json"), "--out", str(tmp_path / "out")]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert (run["parsed"], run["rejected"]) == (3, {"many_records": 1})
    assert "6 log records" in (tmp_path / "out" / "rejects.jsonl").read_text("utf-8")


def test_a_document_of_many_records_that_no_file_cuts_says_what_to_do() -> None:
    with pytest.raises(RejectError, match="2 log records where one is expected"):
        ai_agents.read(otlp(log("tool_result"), log("tool_result", 1)))


def test_a_server_never_used_and_approvals_switched_off_are_told_of_the_agent(tmp_path: Path) -> None:
    days = [[log("tool_result", 86_400 * d + 60 * n, tool_name="Bash") for n in range(9)] for d in range(21)]
    last = 86_400 * 20 + 3_600
    days[-1] += [log("permission_mode_changed", last, to_mode="bypassPermissions")]
    days[-1] += [log("tool_result", last + n, tool_name="dump", mcp_server_name="unheard") for n in range(9)]
    path = tmp_path / "otlp.ndjson"
    path.write_text("".join(json.dumps(otlp(*day)) + "\n" for day in days), "utf-8")
    assert cli.main(["score", str(path), "--out", str(tmp_path / "out")]) == 0
    lines = [line for name in ("notables", "below") for line in _lines(tmp_path / "out" / f"{name}.jsonl")]
    evidence = {signal["id"]: signal["evidence"] for signal in lines[0]["signals"]}
    assert lines[0]["identity"]["id"] == "claude_code:o-1:agent:u-1"
    assert {"new_action", "logging_tampered", "target_fan_out"} <= evidence.keys()
    assert "unheard" in evidence["target_fan_out"]


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
