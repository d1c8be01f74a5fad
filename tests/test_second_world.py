"""The second simulated world: determinism, labels, order, variety. Small tenants keep it quick."""
from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List

LAB = str(Path(__file__).resolve().parents[1] / "lab")
if LAB not in sys.path:
    sys.path.insert(0, LAB)

from nhi_watch_lab.second_world import generate  # noqa: E402
from nhi_watch_lab.second_world.plot_aws import AWS  # noqa: E402
from nhi_watch_lab.second_world.plot_saas import SAAS  # noqa: E402

SMALL: Dict[str, Any] = {"identities": 45, "days": 4, "history_days": 1, "incidents": 12}


def clock(product: str, record: Dict[str, Any]) -> str:
    """The record's own time as text that sorts (all of a product's records use one form)."""
    names = {"cloudtrail": "eventTime", "github": "@timestamp", "okta": "published", "entra_signins": "createdDateTime",
             "entra_sp_signins": "createdDateTime",
             "entra_audit": "activityDateTime", "m365": "CreationTime", "gcp": "timestamp",
             "kubernetes": "requestReceivedTimestamp", "vault": "time",
             "snowflake_logins": "EVENT_TIMESTAMP", "snowflake_queries": "START_TIME"}
    return str(record[names[product]])


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


class SecondWorldTest(unittest.TestCase):
    folder: Path
    holder: tempfile.TemporaryDirectory[str]
    tenants: List[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.holder.name)
        cls.tenants = []
        for seed in range(12):
            out = cls.folder / str(seed)
            generate(seed, out, padded=seed == 3, **SMALL)
            cls.tenants.append(out)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.holder.cleanup()

    def labels(self, tenant: Path) -> Dict[str, Any]:
        made: Dict[str, Any] = json.loads((tenant / "labels.json").read_text(encoding="utf-8"))
        return made

    def test_same_seed_same_bytes(self) -> None:
        generate(3, self.folder / "again", padded=True, **SMALL)
        self.assertEqual(digest(self.tenants[3]), digest(self.folder / "again"))
        self.assertNotEqual(digest(self.tenants[1]), digest(self.tenants[2]))

    def test_files_are_json_lines_in_order(self) -> None:
        for tenant in self.tenants[:4]:
            for path in sorted((tenant / "events").iterdir()):
                product = path.name.split(".")[0]
                times = [clock(product, json.loads(line)) for line in gzip.open(path, "rt", encoding="utf-8")]
                self.assertTrue(times)
                self.assertEqual(times, sorted(times), f"{tenant.name}/{path.name}")

    def test_labels_point_at_lines(self) -> None:
        for tenant in self.tenants:
            told = self.labels(tenant)
            for incident in told["incidents"]:
                self.assertTrue(incident["records"])
                for name, number in incident["records"] + incident.get("padding", []):
                    self.assertTrue(1 <= number <= told["world"]["records"][name.split(".")[0]])

    def test_label_times_are_those_of_the_lines(self) -> None:
        told = self.labels(self.tenants[5])
        path = self.tenants[5] / "events" / "cloudtrail.ndjson.gz"
        lines = gzip.open(path, "rt", encoding="utf-8").read().splitlines()
        for incident in told["incidents"]:
            for name, number in incident["records"]:
                if name == path.name:
                    time = json.loads(lines[number - 1])["eventTime"]
                    self.assertTrue(incident["start"] <= time <= incident["end"])

    def test_origins_and_variety(self) -> None:
        found = [i for tenant in self.tenants for i in self.labels(tenant)["incidents"]]
        self.assertGreaterEqual(len({i["technique"] for i in found}), 40)
        share = sum(i["origin"] == "inside" for i in found) / len(found)
        self.assertTrue(0.35 <= share <= 0.65, share)
        self.assertLess(sum(not i["distinguishable"] for i in found) / len(found), 0.1)
        self.assertGreaterEqual(len(AWS) + len(SAAS), 100)

    def test_padding_leaves_the_attack_complete(self) -> None:
        generate(3, self.folder / "plain", **SMALL)
        padded, plain = self.labels(self.tenants[3])["incidents"], self.labels(self.folder / "plain")["incidents"]
        self.assertTrue(any(i["padding"] for i in padded))
        self.assertEqual(len(padded), len(plain))


if __name__ == "__main__":
    unittest.main()
