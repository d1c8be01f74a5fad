"""nhiscore against a pass-through command of splunk-sdk 2.1.1, as splunkd drives both: as processes, by pipe.

The app is the one that `make package` builds, with a baseline of three weeks among its lookups; the events
are those after it, the same ones for both, and as dense as real ones: 5 to 18 of them share a behaviour in an
hour in the accounts that were measured (the figures say how many here).

With extracted fields, the SDK gets all fields of the events, as it does when it names none; nhiscore gets
those that it asks for. With `_raw` only, both get `_raw`. `session`: nhiscore as on a search head, which asks the KV
store (its double, over TLS) for what was learnt of each identity on the days before; wall seconds and requests are
reported too. They take turns, medians are compared, rows are counted in what comes back. Time is processor time,
start-up included; all programs have their bytecode on disk, where Python leaves it the first time that Splunk starts a
command (an installed SDK has it from the beginning). `csv` is the floor: nhiscore's input, read and
written with the csv module, and nothing else.
"""

from __future__ import annotations

import csv
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import _bench
from _bench import ENVIRONMENT, ROOT

import package
from check_python import find, pinned
from core_samples import runs
from nhi_watch.core.behaviour import key_of_event
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.splunk.nhiscore import ADDED, FIELDS
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import TABLES
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_rest import splunkd
from splunk_stream import chunk, flat, getinfo, replies, table

EVENTS = int(os.environ.get("NHI_BENCH_EVENTS", "40000"))
ROUNDS = int(os.environ.get("NHI_BENCH_ROUNDS", "3"))
CHUNK = 10_000
LEARNT = 21
"""Days behind the baseline."""
SDK = ROOT / "lab" / "bench" / "_splunk_sdk_pass.py"
CSV_LOOP = ROOT / "lab" / "bench" / "_splunk_csv_loop.py"


class Contest(NamedTuple):
    """Programs and the streams that they get."""

    programs: dict[str, tuple[Path, Path]]
    """Name → (script, stream)"""
    rows: int


def main() -> int:
    """Run all contests on both Pythons and write the figures."""
    result: dict[str, Any] = {"rounds": ROUNDS, "chunk_rows": CHUNK}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        app = install(folder)
        records = simulate()
        result["events"] = len(records)
        result["events_per_behaviour_hour"] = round(len(records) / behaviours(records), 2)
        contests = streams(records, folder, app / "bin" / "nhiscore.py")
        for version in ("3.9", "3.13"):
            python = environment(version)
            if python is None:
                result[version] = "not installed"
                continue
            result[version] = {name: run(python, contest, folder) for name, contest in contests.items()}
            result[version]["session"] = learnt(python, records, folder, app / "bin" / "nhiscore.py")
    _bench.write(result)
    return 0


def install(folder: Path) -> Path:
    """The app as it is packaged, unpacked."""
    for name, data in package.contents().items():
        path = folder / package.APP / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / package.APP / "lookups").mkdir(exist_ok=True)
    return folder / str(package.APP)


def simulate() -> list[dict[str, Any]]:
    """The events of some days, newest first, as a search finds them; what was learnt is in no process of these."""
    spec = Spec(days=3, machines=60, seed=11, events=3 * EVENTS // 2)
    later = [record for day in Tenant(spec).days() for record in day.records]
    return sorted(later, key=lambda record: record["eventTime"], reverse=True)[:EVENTS]


def behaviours(records: Iterable[dict[str, Any]]) -> int:
    """How many behaviours there are: shapes of events in an hour."""
    events = map(cloudtrail.read, records)
    return len({(key_of_event(event), event.time // HOUR) for event in events})


def streams(records: list[dict[str, Any]], folder: Path, nhiscore: Path) -> dict[str, Contest]:
    """Write every stream once."""
    raw = [json.dumps(record, separators=(",", ":")) for record in records]
    rows = [{"_raw": [text], **_default(record), **flat(record)} for text, record in zip(raw, records)]
    everything = write(folder / "all", rows, None)
    auto = write(folder / "auto", rows, [*FIELDS, "_raw"])
    fields = write(folder / "fields", rows, FIELDS, ["input=fields"])
    only = write(folder / "raw", rows, ["_raw"], ["input=raw"])
    sides = {
        "extracted": (everything, auto),
        "extracted_without_raw": (everything, fields),
        "raw": (write(folder / "sdk", rows, ["_raw"]), only),
    }
    return {name: contest(theirs, (nhiscore, ours), len(rows)) for name, (theirs, ours) in sides.items()}


def contest(sdk_stream: Path, nhiscore: tuple[Path, Path], rows: int) -> Contest:
    """The three programs on their streams."""
    return Contest({"sdk": (SDK, sdk_stream), "nhiscore": nhiscore, "csv": (CSV_LOOP, nhiscore[1])}, rows)


def _default(record: dict[str, Any]) -> dict[str, list[str]]:
    """The fields that every Splunk event has."""
    return {
        "_time": [record["eventTime"]],
        "host": ["aws"],
        "index": ["aws"],
        "source": ["s3://trail/log.json.gz"],
        "sourcetype": ["aws:cloudtrail"],
        "splunk_server": ["idx-1"],
        "linecount": ["1"],
    }


def write(
    path: Path,
    rows: Sequence[dict[str, list[str]]],
    fields: Iterable[str] | None,
    args: Sequence[str] = (),
    connection: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """A stream as splunkd writes it: getinfo, then chunks; all fields of a chunk where none are named."""
    with path.open("wb") as out:
        out.write(getinfo(args, **connection))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            names = fields if fields is not None else dict.fromkeys(name for row in part for name in row)
            metadata = {"action": "execute", "finished": start + CHUNK >= len(rows)}
            out.write(chunk(metadata, table(list(names), part)))
    return path


def run(python: str, contest: Contest, folder: Path) -> dict[str, Any]:
    """Medians of one contest, the programs taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contest.programs}
    ours = str(contest.programs["nhiscore"][0])
    subprocess.run([python, ours], stdin=subprocess.DEVNULL, env=ENVIRONMENT, check=True)
    for _ in range(ROUNDS):
        for name, (script, stream) in contest.programs.items():
            seconds[name].append(once(python, script, stream, folder / "out"))
            counted = count(folder / "out")
            if counted != contest.rows:
                raise RuntimeError(f"{script.name} gave back {counted} of {contest.rows} rows")
            if name == "nhiscore":
                complete(folder / "out")
    rates = {name: contest.rows / statistics.median(each) for name, each in seconds.items()}
    against = {f"nhiscore_vs_{name}": round(rates["nhiscore"] / rates[name], 3) for name in rates if name != "nhiscore"}
    return {"rows": contest.rows, "events_per_s": {name: round(rate, 1) for name, rate in rates.items()}, **against}


def once(python: str, script: Path, stream: Path, target: Path) -> float:
    """Seconds of processor time of one process: on a busy machine the wall clock says nothing."""
    with stream.open("rb") as given, target.open("wb") as taken:
        return _bench.spent([python, script], stdin=given, stdout=taken, capture_output=False).processor


def learnt(python: str, records: list[dict[str, Any]], folder: Path, nhiscore: Path) -> dict[str, Any]:
    """With the session of a search head, over a state that has learnt all but the last day."""
    last = max(record["eventTime"][:10] for record in records)
    store = runs([[record for record in records if record["eventTime"][:10] < last]])
    double = splunkd()
    for table_name in TABLES:
        for key, raw in store.scan(table_name, "", "\U0010ffff"):
            document = {"_key": f"{table_name}/{key}", "v": b64encode(raw).decode()}
            double.kv.captain["nhi_state"][document["_key"]] = document
    fresh = [record for record in records if record["eventTime"][:10] == last]
    rows = [{"_raw": [json.dumps(record)], **flat(record)} for record in fresh]
    connection = {"splunkd_uri": double.url, "session_key": double.session}
    stream, walls, spent = write(folder / "session", rows, [*FIELDS, "_raw"], connection=connection), [], []
    for _ in range(ROUNDS):
        double.asked.clear()
        with stream.open("rb") as given, (folder / "out").open("wb") as taken:
            environment = {**ENVIRONMENT, "SPLUNK_HOME": os.environ["SPLUNK_HOME"]}
            took = _bench.spent([python, nhiscore], stdin=given, stdout=taken, capture_output=False, env=environment)
        complete(folder / "out")
        walls.append(took.wall)
        spent.append(took.processor)
    events = list(map(cloudtrail.read, fresh))
    return {
        "rows": len(rows),
        "identities": len({event.identity.id for event in events}),
        "requests": len(double.asked),
        "events_per_s": round(len(rows) / statistics.median(spent), 1),
        "events_per_s_of_wall": round(len(rows) / statistics.median(walls), 1),
    }


def count(path: Path) -> int:
    """Rows in all replies."""
    csv.field_size_limit(2**31 - 1)
    total = 0
    with path.open("rb") as stream:
        for _, body in replies(stream):
            total += max(0, sum(1 for row in csv.reader(io.StringIO(body.decode())) if row) - 1)
    return total


def complete(path: Path) -> None:
    """Every row has a score, and no row an error."""
    with path.open("rb") as stream:
        for _, body in replies(stream):
            for row in csv.DictReader(io.StringIO(body.decode())):
                if not row["nhi_likelihood"] or row["nhi_error"] or not row.keys() >= set(ADDED):
                    raise RuntimeError(f"a row was not scored: {row['nhi_error']}")


def environment(version: str) -> str | None:
    """An interpreter with the pinned SDK, in `.venv-sdk-VERSION`; None where that Python is missing."""
    interpreter = find(version)
    if interpreter is None:
        return None
    place = ROOT / f".venv-sdk-{version}"
    python = place / "bin" / "python"
    stamp = place / ".installed"
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = pinned(lock, frozenset({"splunk-sdk", "deprecation", "packaging"}))
    if not stamp.exists() or stamp.read_text("utf-8") != pins:
        subprocess.run([interpreter, "-m", "venv", "--clear", str(place)], check=True)
        wanted = place / "requirements.txt"
        wanted.write_text(pins, "utf-8")
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(wanted)], check=True)
        stamp.write_text(pins, "utf-8")
    return str(python)


if __name__ == "__main__":
    sys.exit(main())
