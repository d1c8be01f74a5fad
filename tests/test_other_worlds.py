"""The worlds by other hands: frozen, the same bytes twice, labels that point at records, padding where it was asked."""

from __future__ import annotations

import gzip
import json
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from layout import ROOT
from nhi_watch_lab.evaluation.exams import HANDS
from nhi_watch_lab.simulator.difficulty import source_hash

LAB = ROOT / "lab" / "nhi_watch_lab"
SMALL = {"identities": 60, "days": 5, "history_days": 2, "incidents": 10}
AWS = "cloudtrail.ndjson.gz"
TIMED = ("second", "fifth")
"""Worlds whose labels tell the times of their records to the second."""


class Made(NamedTuple):
    """A small tenant as it was written."""

    bytes: dict[str, bytes]
    incidents: list[dict[str, Any]]
    lines: dict[str, list[dict[str, Any]]]


def made(hand: str, folder: Path, padded: bool = False, seed: int = 3) -> Made:
    import_module(f"nhi_watch_lab.{hand}_world").generate(seed, folder, padded=padded, **SMALL)
    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lines = {
        name: [json.loads(line) for line in gzip.decompress(raw).splitlines()]
        for name, raw in written.items()
        if name.endswith(".gz")
    }
    return Made(written, json.loads(written["labels.json"])["incidents"], lines)


@pytest.fixture(scope="module", params=HANDS)
def hand(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def plain(hand: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(hand, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def padded(hand: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(hand, tmp_path_factory.mktemp("padded"), padded=True)


def test_the_decision_names_the_sources_that_are_frozen(hand: str) -> None:
    decision = (ROOT / "docs" / "decisions" / "0009-worlds.md").read_text("utf-8")
    assert f"| {hand} | {source_hash(LAB / f'{hand}_world')} |" in decision


def test_a_seed_writes_the_same_bytes_and_another_seed_others(hand: str, plain: Made, tmp_path: Path) -> None:
    assert made(hand, tmp_path / "again").bytes == plain.bytes
    assert made(hand, tmp_path / "other", seed=4).lines[AWS] != plain.lines[AWS]


def test_labels_point_at_lines_in_their_times_once_each(hand: str, plain: Made, padded: Made) -> None:
    for world in (plain, padded):
        rows = [tuple(row) for incident in world.incidents for row in incident["records"] + incident.get("padding", [])]
        assert len(rows) == len(set(rows)) and all(1 <= line <= len(world.lines[name]) for name, line in rows)
        for incident in world.incidents:
            assert incident["records"] and incident["start"] <= incident["end"]
            times = [world.lines[AWS][line - 1]["eventTime"] for name, line in incident["records"] if name == AWS]
            assert hand not in TIMED or all(
                incident["start"][:19] <= time[:19] <= incident["end"][:19] for time in times
            )


def test_padding_is_there_only_when_it_is_asked_for(plain: Made, padded: Made) -> None:
    assert not any(incident.get("padding") for incident in plain.incidents)
    assert any(incident["padding"] for incident in padded.incidents) and len(padded.incidents) == len(plain.incidents)
