"""What was found on Elasticsearch, explained on a host: its documents by index and id, on real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecs_shape import document, load, mappings
from elastic_server import Server
from nhi_watch import cli
from nhi_watch.core.status import unusual_calls
from nhi_watch.report import jsonlines
from nhi_watch.report.queries import originals_of
from test_elastic_run import SINCE, Place, fill, simulated


@pytest.fixture(scope="module")
def place(elastic: Server) -> Iterator[Place]:
    place = Place(elastic)
    fill(place, simulated(), lambda number: bool(number % 2))
    place.run(since=SINCE)
    yield place
    place.close()


def reported(place: Place, out: Path, index: str = "") -> int:
    return cli.main(
        [
            "elastic",
            "report",
            "--url",
            place.url,
            "--namespace",
            place.namespace,
            "--index",
            index or place.source,
            "--out",
            str(out),
        ]
    )


def asked(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    assert cli.main(list(line)) == 0
    return " ".join(capsys.readouterr().out.split())


def shown_of(notable: Any) -> set[str]:
    """Ids of the unusual calls whose documents are looked for: those that are worth showing."""
    return {entry["record_id"] for entry in unusual_calls(notable)[0]} & set(originals_of(notable))


def test_explain_names_index_and_id_of_the_odd_documents(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(place, tmp_path) == 0
    text, listed = capsys.readouterr().out, list(jsonlines.read(tmp_path / "notables.jsonl"))
    assert {item["id"] for item in listed} == {
        notable["id"] for notable in place.notables() if not notable["merged_into"]
    }
    assert f"Next: nhi explain 1 --out {tmp_path}" in text
    events = {item["id"]: item for item in jsonlines.read(tmp_path / "events.jsonl")}
    unusual = [item for item in listed if item["kind"] == "compromise"]
    for notable in unusual:
        for entry in (item for item in unusual_calls(notable)[0] if item["record_id"] in shown_of(notable)):
            event = events[entry["record_id"]]
            kept = place.client.get(index=event["index"], id=event["document"])["_source"]
            assert kept["event"]["id"] == entry["record_id"] and entry["record_id"] in event["raw"]
            assert kept["@timestamp"][:13] == entry["time"][:13]
    first = events[unusual_calls(unusual[0])[0][0]["record_id"]]
    explained = asked(capsys, "explain", unusual[0]["id"], "--out", str(tmp_path))
    assert f"record {first['id']} ({first['index']}/{first['document']})" in explained
    assert unusual[0]["id"] in asked(capsys, "brief", unusual[0]["id"], "--out", str(tmp_path))
    assert "rotate" in asked(capsys, "respond", "plan", unusual[0]["id"], "--out", str(tmp_path)).lower()


def test_documents_are_found_where_no_field_holds_their_records_ids(place: Place, tmp_path: Path) -> None:
    """Ids that no search finds: who did it and when does, in documents with `event.original` and without."""
    mapped, hidden = mappings(), f"logs-hidden-{place.namespace}"
    mapped["properties"]["event"]["properties"]["id"] = {"type": "keyword", "index": False, "doc_values": False}
    place.client.indices.create(index=hidden, mappings=mapped)
    load(place.client, hidden, (document(r, bool(n % 2), None) for n, r in enumerate(simulated())))
    try:
        assert reported(place, tmp_path, hidden) == 0
    finally:
        place.client.indices.delete(index=hidden)
    events = {item["id"]: item for item in jsonlines.read(tmp_path / "events.jsonl")}
    unusual = [n for n in jsonlines.read(tmp_path / "notables.jsonl") if n["kind"] == "compromise"]
    wanted = {name for notable in unusual for name in shown_of(notable)}
    assert wanted and wanted <= events.keys() and {event["index"] for event in events.values()} == {hidden}


def test_a_copy_is_renewed_and_takes_no_verdict_and_a_state_of_files_is_not_replaced(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(place, tmp_path) == reported(place, tmp_path) == 0
    capsys.readouterr()
    line = ["feedback", "1", "benign", "--by", "ann", "--why", "known", "--out", str(tmp_path)]
    assert cli.main(line) == 2
    assert "give verdicts in Kibana" in capsys.readouterr().err
    log = tmp_path / "log.json"
    log.write_text(json.dumps(simulated()[0]))
    assert cli.main(["score", str(log), "--out", str(tmp_path)]) == 2
    own = tmp_path / "own"
    assert cli.main(["score", str(log), "--out", str(own)]) == 0
    assert reported(place, own) == 2
    assert "is the state of a run on files" in capsys.readouterr().err
