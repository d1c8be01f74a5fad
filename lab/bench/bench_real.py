"""nhi score over real, sparse CloudTrail against a bare orjson loop over the same lines.

All real records beside the checkout that are not attack alone (stratus is) are repeated day by day, with the day of
their times and their ids changed, to about 200,000 events. The days before were learnt (`--no-learn` afterwards).
Twice: as lines, and as CloudTrail delivers them to S3 (`{"Records": […]}` of a thousand, gzip).
Whole processes in turn; ratios of processor time, since other programs may run beside, and of the wall's.
`--quick`: a tenth of it, one round.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from _bench import NHI, OUT, ROOT, Spent, spent, write

SHARED = ROOT.parent / "shared" / "data" / "cloudtrail"
EVENTS = 200_000
LEARNT = 8
"""Days that are learnt before those that are scored."""
RECORDS = 1_000
"""Records of a file of S3's."""
_BARE = """
import gzip, sys, orjson
for path in sys.argv[1:]:
    with (gzip.open if path.endswith("gz") else open)(path, "rb") as file:
        for line in file:
            orjson.loads(line)
"""


def main(quick: bool) -> int:
    """Run everything and write the figures."""
    records = list(real())
    days = max(1, round((EVENTS / 10 if quick else EVENTS) / len(records)))
    paths = [written(records, day) for day in range(LEARNT + days)]
    state = OUT / "real.sqlite"
    state.unlink(missing_ok=True)
    spent(score([*map(str, paths[:LEARNT])], state))
    fresh = [*map(str, paths[LEARNT:])]
    packed = [str(item) for path in paths[LEARNT:] for item in delivered(path)]
    jobs = {
        "bare": [sys.executable, "-c", _BARE, *fresh],
        "score": score(fresh, state, "--no-learn"),
        "bare_s3": [sys.executable, "-c", _BARE, *packed],
        "score_s3": score(packed, state, "--no-learn"),
    }
    spent_by_job: dict[str, list[Spent]] = {name: [] for name in jobs}
    for _ in range(1 if quick else 3):
        for name, command in jobs.items():
            spent_by_job[name].append(spent(command))
    run = json.loads((OUT / "real" / "run.json").read_text("utf-8"))
    figures = {
        "events": run["read"],
        "behaviours": run["behaviours"],
        "stages": run["seconds"],
        "ratio_by_processor_time": ratio(spent_by_job, "bare", "score", 1),
        "ratio": ratio(spent_by_job, "bare", "score", 0),
        "ratio_s3_by_processor_time": ratio(spent_by_job, "bare_s3", "score_s3", 1),
        "ratio_s3": ratio(spent_by_job, "bare_s3", "score_s3", 0),
        "seconds": {name: [round(median(spent_by_job, name, which), 2) for which in (0, 1)] for name in spent_by_job},
    }
    write(figures)
    return 0


def median(spent_by_job: dict[str, list[Spent]], name: str, which: int) -> float:
    """Of all rounds; 0: on the wall, 1: of the processor."""
    return statistics.median(each[which] for each in spent_by_job[name])


def ratio(spent_by_job: dict[str, list[Spent]], item: str, other: str, which: int) -> float:
    """Median of one over median of the other."""
    return round(median(spent_by_job, item, which) / median(spent_by_job, other, which), 3)


def score(paths: list[str], state: Path, *options: str) -> list[str]:
    """The command, as a user would give it."""
    return [NHI, "score", *paths, "--out", str(OUT / "real"), "--state", str(state), *options]


def real() -> Iterator[dict[str, Any]]:
    """The records."""
    for path in sorted(SHARED.rglob("*json")):
        if "stratus" not in path.parts:
            yield from of_file(path)


def of_file(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, whichever way it holds them."""
    text = path.read_bytes()
    try:
        values = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        values = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    for value in values:
        each = value.get("Records", [value]) if isinstance(value, dict) else value
        yield from (record for record in each if isinstance(record, dict) and "eventTime" in record)


def written(records: list[dict[str, Any]], day: int) -> Path:
    """All records as if they were of one day, a line each, in the order of their times."""
    folder = OUT / "data" / "real"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day:03}.ndjson"
    one_day = [{**record, **moved(record, day)} for record in records]
    one_day.sort(key=lambda record: str(record["eventTime"]))
    path.write_bytes(b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in one_day))
    return path


def delivered(path: Path) -> Iterator[Path]:
    """The same records in files as CloudTrail delivers them."""
    lines = path.read_bytes().splitlines()
    for start in range(0, len(lines), RECORDS):
        packed = path.with_name(f"{path.stem}-{start:06}.json.gz")
        content = b'{"Records":[' + b",".join(lines[start : start + RECORDS]) + b"]}"
        packed.write_bytes(gzip.compress(content, mtime=0))
        yield packed


def moved(record: dict[str, Any], day: int) -> dict[str, str]:
    """Time and id of a record, as if it were of a day."""
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{day}-{record.get('eventID')}")  # CloudTrail's ids are UUIDs
    return {"eventTime": f"{_DATES[day]}{record['eventTime'][10:]}", "eventID": str(name)}


_DATES = [f"2026-0{1 + number // 28}-{1 + number % 28:02}" for number in range(112)]

if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
