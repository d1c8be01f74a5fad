"""What the exam's world promises: the same bytes, labels that point at records, every technique, both origins."""
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

import pytest

from nhi_watch_lab.fourth_world import generate
from nhi_watch_lab.fourth_world.techniques import QUIET, TECHNIQUES

Tenant = Tuple[Dict[str, Any], Dict[str, List[Dict[str, Any]]]]


def small(folder: Path, seed: int, padded: bool = False) -> Tenant:
    generate(seed, folder, identities=70, days=6, history_days=3, incidents=16, padded=padded)
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    files = {p.name: [json.loads(line) for line in gzip.open(p, "rt", encoding="utf-8")] for p in sorted((folder / "events").iterdir())}  # noqa: E501
    return labels, files


def digest(folder: Path) -> str:
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    return hashlib.sha256(b"".join(p.name.encode() + p.read_bytes() for p in paths)).hexdigest()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> List[Tenant]:
    return [small(tmp_path_factory.mktemp(str(seed)), seed, padded=seed % 2 == 1) for seed in range(1, 31)]


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    small(tmp_path / "a", 3)
    small(tmp_path / "b", 3)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_labels_point_to_existing_lines_after_the_history(tenants: List[Tenant]) -> None:
    for labels, files in tenants:
        for incident in labels["incidents"]:
            assert incident["records"] and incident["start"] >= "2026-03-05" and incident["start"] <= incident["end"]
            for name, line in incident["records"] + incident.get("padding", []):
                assert 1 <= line <= len(files[name])


def test_no_record_belongs_to_two_incidents(tenants: List[Tenant]) -> None:
    for labels, _ in tenants:
        rows = [tuple(row) for i in labels["incidents"] for row in i["records"] + i.get("padding", [])]
        assert len(rows) == len(set(rows))


def test_records_are_in_the_order_of_time(tenants: List[Tenant]) -> None:
    for _, files in tenants:
        times = [record["eventTime"] for record in files["cloudtrail.ndjson.gz"]]
        assert times == sorted(times)


def test_every_technique_plays_on_some_seed(tenants: List[Tenant]) -> None:
    seen: Set[str] = {i["technique"] for labels, _ in tenants for i in labels["incidents"]}
    assert set(TECHNIQUES) | {QUIET} == seen


def test_about_half_come_from_outside(tenants: List[Tenant]) -> None:
    origins = [i["origin"] for labels, _ in tenants for i in labels["incidents"]]
    assert 0.4 < origins.count("external") / len(origins) < 0.6


def test_at_most_two_cannot_be_told_apart(tenants: List[Tenant]) -> None:
    assert all(sum(not i["distinguishable"] for i in labels["incidents"]) <= 2 for labels, _ in tenants)


def test_padding_is_there_only_when_asked_for(tenants: List[Tenant]) -> None:
    for labels, _ in tenants:
        assert any(i.get("padding") for i in labels["incidents"]) == labels["world"]["padded"]
