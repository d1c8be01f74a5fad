"""What every tenant of the third world promises."""
import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

LAB = str(Path(__file__).resolve().parents[1] / "lab")
if LAB not in sys.path:
    sys.path.insert(0, LAB)

from nhi_watch_lab.third_world import generate  # noqa: E402
from nhi_watch_lab.third_world.techniques import TECHNIQUES, UNSEEN  # noqa: E402


def small(seed: int, folder: Path, incidents: int, padded: bool = False) -> None:
    generate(seed, folder, identities=70, days=12, history_days=6, incidents=incidents, padded=padded)


def digest(folder: Path) -> Dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.*"))}


def labels(folder: Path) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return found


def lines(folder: Path) -> Dict[str, List[str]]:
    return {p.name: gzip.decompress(p.read_bytes()).decode().splitlines() for p in (folder / "events").iterdir()}


def test_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small(5, tmp_path / name, 8, True)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_another_seed_is_another_tenant(tmp_path: Path) -> None:
    for seed in (5, 6):
        small(seed, tmp_path / str(seed), 2)
    assert labels(tmp_path / "5")["world"]["accounts"] != labels(tmp_path / "6")["world"]["accounts"]


def test_labels_point_to_lines_after_the_quiet_days_once_each(tmp_path: Path) -> None:
    small(9, tmp_path, 20, True)
    written, told = lines(tmp_path), labels(tmp_path)
    seen = set()
    for incident in told["incidents"]:
        assert incident["start"] >= "2026-03-08" and incident["records"]
        for file, number in incident["records"] + incident["padding"]:
            assert (file, number) not in seen
            seen.add((file, number))
            json.loads(written[file][number - 1])
    assert sum(not incident["distinguishable"] for incident in told["incidents"]) <= 2


def test_padding_is_written_only_when_asked_for(tmp_path: Path) -> None:
    small(9, tmp_path, 6)
    assert all("padding" not in incident for incident in labels(tmp_path)["incidents"])


def test_cloudtrail_is_in_time_order(tmp_path: Path) -> None:
    small(3, tmp_path, 4)
    times = [json.loads(line)["eventTime"] for line in lines(tmp_path)["cloudtrail.ndjson.gz"]]
    assert times == sorted(times) and times[0] >= "2026-03-02"


def test_every_technique_plays_and_origins_are_about_half(tmp_path: Path) -> None:
    played: Dict[str, int] = {}
    origins = {"external": 0, "inside": 0}
    for seed in range(40):
        generate(seed, tmp_path / str(seed), incidents=110, identities=150, days=8, history_days=3)
        for incident in labels(tmp_path / str(seed))["incidents"]:
            played[incident["technique"]] = played.get(incident["technique"], 0) + 1
            if incident["technique"] != UNSEEN:
                origins[incident["origin"]] += 1
        if seed > 3 and set(played) == set(TECHNIQUES):
            break
    assert set(TECHNIQUES) - set(played) == set()
    assert 0.4 < origins["external"] / sum(origins.values()) < 0.6
