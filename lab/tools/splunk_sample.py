"""Makes the sample that `| nhidemo` shows: the notables that stand at the end of a simulated company's eight days.

python lab/tools/splunk_sample.py
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import cast

from layout import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from nhi_watch.detect import publish
from nhi_watch.hosts.splunk import demo
from nhi_watch.hosts.splunk.kvstore import STATE, KvStore
from nhi_watch.hosts.splunk.rest import Client, Collection
from nhi_watch_lab.simulator import Spec
from splunk_app import unpacked
from splunk_company import played
from splunk_kvstore import Direct

SPEC = Spec(days=8, machines=30, seed=16, campaigns=8)


def main() -> int:
    """Write the sample and say how large it is."""
    with tempfile.TemporaryDirectory() as folder:
        server = played(unpacked(Path(folder)), "", SPEC)
    state = KvStore(Collection(cast(Client, Direct(server.splunkd.kv)), STATE))
    written = standing([row["_raw"][0] for row in server.events if row["index"] == ["nhi_risk"]])
    texts = [with_document(line, state) for line in written]
    demo.SAMPLE.write_bytes(gzip.compress(("\n".join(texts) + "\n").encode(), 9, mtime=0))
    print(f"{demo.SAMPLE.relative_to(ROOT)}: {len(texts)} notables, {demo.SAMPLE.stat().st_size:,} bytes")
    return 0


def with_document(text: str, state: KvStore) -> str:
    """An event with the whole document: nobody who sees the sample has a state that holds its story."""
    event = json.loads(text)
    event["nhi_notable"] = publish.documents(state, [event["nhi_id"]]).get(event["nhi_id"], event["nhi_notable"])
    return json.dumps(event, separators=(",", ":"))


def standing(texts: list[str]) -> list[str]:
    """The last revision of each notable that was not taken back, by time."""
    last: dict[str, dict[str, object]] = {}
    for event in map(json.loads, texts):
        before = last.get(event["nhi_id"])
        if before is None or int(str(before["nhi_revision"])) < int(event["nhi_revision"]):
            last[event["nhi_id"]] = event
    kept = [event for event in last.values() if event["nhi_change"] not in ("withdrawn", "merged", "settled", "closed")]
    kept.sort(key=lambda event: (str(event["time"]), str(event["nhi_id"])))
    return [json.dumps(event, separators=(",", ":")) for event in kept]


if __name__ == "__main__":
    sys.exit(main())
