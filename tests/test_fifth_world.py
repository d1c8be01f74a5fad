"""The generator keeps its promises."""
import gzip
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from nhi_watch_lab.fifth_world import generate

SMALL: Dict[str, Any] = {"identities": 90, "days": 12, "history_days": 6, "incidents": 10}
Events = Dict[str, List[Dict[str, Any]]]
Made = Tuple[Path, Dict[str, Any], Events]
STAMPS = {"cloudtrail": "eventTime", "kubernetes": "requestReceivedTimestamp", "github": "@timestamp", "gcp": "timestamp", "entra": "time", "azure": "time", "m365": "CreationTime",
    "okta": "published", "vault": "time", "snowflake_query": "START_TIME", "snowflake_login": "EVENT_TIMESTAMP"}
IDS = {"cloudtrail": "eventID", "kubernetes": "auditID", "github": "_document_id", "gcp": "insertId", "azure": "eventDataId", "m365": "Id", "okta": "uuid", "snowflake_query": "QUERY_ID",
    "snowflake_login": "EVENT_ID"}


def read(folder: Path) -> Events:
    return {path.name: [json.loads(line) for line in gzip.open(path, "rt", encoding="utf-8")] for path in sorted((folder / "events").iterdir())}


def moment(name: str, record: Dict[str, Any]) -> float:
    value = record[next(key for front, key in STAMPS.items() if name.startswith(front))]
    if isinstance(value, int):
        return value / 1000
    whole, _, fraction = value.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp() + float("0." + (fraction or "0")[:3])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("world")
    generate(11, folder, **SMALL)
    return folder, json.loads((folder / "labels.json").read_text(encoding="utf-8")), read(folder)


def test_same_bytes_twice(world: Made, tmp_path: Path) -> None:
    generate(11, tmp_path, **SMALL)
    for path in [world[0] / "labels.json", *sorted((world[0] / "events").iterdir())]:
        assert (tmp_path / path.relative_to(world[0])).read_bytes() == path.read_bytes()


def test_labels_point_at_records_in_their_times(world: Made) -> None:
    _, labels, events = world
    cut = datetime.fromisoformat(labels["world"]["start"]).replace(tzinfo=timezone.utc).timestamp() + SMALL["history_days"] * 86400
    for incident in labels["incidents"]:
        start, end = (datetime.fromisoformat(incident[key].rstrip("Z")).replace(tzinfo=timezone.utc).timestamp() for key in ("start", "end"))
        assert incident["records"] and cut - 3600 <= start <= end
        for name, line in incident["records"]:
            assert start <= moment(name, events[name][line - 1]) <= end


def test_about_half_inside_over_different_victims(world: Made) -> None:
    incidents = world[1]["incidents"]
    assert len(incidents) == SMALL["incidents"]
    assert sum(item["origin"] == "inside" for item in incidents) == SMALL["incidents"] // 2
    assert len({item["identity"] for item in incidents}) == len(incidents)


def test_padding_leaves_the_attacks_alone(world: Made, tmp_path: Path) -> None:
    generate(11, tmp_path, padded=True, **SMALL)
    padded, events = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8")), read(tmp_path)
    for plain, other in zip(world[1]["incidents"], padded["incidents"]):
        assert [world[2][name][line - 1] for name, line in plain["records"]] == [events[name][line - 1] for name, line in other["records"]]
        assert not {tuple(item) for item in other["records"]} & {tuple(item) for item in other["padding"]}
    assert any(item["padding"] for item in padded["incidents"])


def test_event_ids_are_unique(world: Made) -> None:
    for name, records in world[2].items():
        for front, key in IDS.items():
            if name.startswith(front):
                assert len({record[key] for record in records}) == len(records)


def test_files_are_sorted_by_time(world: Made) -> None:
    for name, records in world[2].items():
        times = [moment(name, record) for record in records]
        assert times == sorted(times)


def test_products_and_the_share_of_aws(world: Made) -> None:
    events = world[2]
    assert len({name.split("_")[0] for name in events}) >= 5
    assert 0.45 < len(events["cloudtrail.ndjson.gz"]) / sum(map(len, events.values())) < 0.85
