"""What each source costs above a bare orjson parse of the same records, in microseconds an event.

The records are the samples of tests/data/sources, each told 240 times in a day (about ten events share a behaviour
in an hour, as in real logs; those that change rights, 12 times), with ids, times, sessions and targets of their own;
and the real logs beside the checkout, where they lie. `source_us` is what is asked of the source: claims and read.
`above_us` has the counting of behaviours besides. By processor time, the best of some rounds, because other programs
run as well. `--quick`: two rounds. Names of sources may be given. `--sheet` writes docs/method/sources_cost.csv:
there `times_native` is what a record of a shape costs beside a native one of the same run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab"), str(ROOT / "lab" / "bench")]

import orjson  # noqa: E402
from _varied import varied  # noqa: E402

from nhi_watch.core import registry  # noqa: E402
from nhi_watch.core.errors import RejectError  # noqa: E402
from nhi_watch.intake.days import Intake  # noqa: E402
from nhi_watch.intake.schemas import opened  # noqa: E402
from nhi_watch.intake.shapes.json import parse_with  # noqa: E402
from nhi_watch_lab.evaluation.ocsf_mapping import ocsf  # noqa: E402
from nhi_watch_lab.evaluation.shapes import SHAPES, shape_of  # noqa: E402

OUT = ROOT / "out" / "bench"
SHEET = ROOT / "docs" / "method" / "sources_cost.csv"
SAMPLES = ROOT / "tests" / "data" / "sources"
SHARED = ROOT.parent / "shared" / "data"
REAL = {
    "cloudtrail": ("cloudtrail/grycap.ndjson", "cloudtrail/boogy.json"),
    "kubernetes": ("kubernetes/demo-full.log",),
    "m365": ("m365/audit.ndjson",),
}
BATCH = 2000
TIMES = 240


def main(arguments: list[str]) -> int:
    """Measure, show and write the figures."""
    parse_with(orjson.loads)  # as outside Splunk
    names = {name for name in arguments if name[:1] != "-"}
    rounds = 2 if "--quick" in arguments else 7
    found = [s for s in registry.modules("nhi_watch.intake.sources") if not names or s.NAME in names]
    result = {source.NAME: dict(figures(source, rounds)) for source in found}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "bench_sources.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))
    if "--sheet" in arguments:
        SHEET.write_text("".join(map("{}\n".format, sheet(result))), "utf-8")
    return 0


def sheet(result: dict[str, dict[str, dict[str, float]]]) -> Iterator[str]:
    """Lines of a table: what each shape costs, and how many times what native does."""
    yield "source,shape,events,orjson_us,source_us,above_us,times_native"
    for source, shapes in result.items():
        for shape, told in shapes.items():
            times = told["above_us"] / shapes["native"]["above_us"] if "native" in shapes else 1
            figures = (told[name] for name in ("events", "orjson_us", "source_us", "above_us"))
            yield ",".join([source, shape, *map(str, figures), f"{times:.2f}"])


def figures(source: ModuleType, rounds: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Figures by shape, and of the real log."""
    samples = [json.loads(line) for line in (SAMPLES / f"{source.NAME}.jsonl").read_text("utf-8").splitlines()]
    for shape in SHAPES:
        records = [s["record"] for s in samples if "event" in s and shape_of(s) == shape]
        if records:
            yield shape, measured(source, list(varied(source, records, TIMES)), rounds)
        if source.NAME == "cloudtrail" and shape == "native":
            yield "ocsf", measured(source, list(map(ocsf, varied(source, records, TIMES))), rounds)
    real = [SHARED / path for path in REAL.get(source.NAME, ()) if (SHARED / path).exists()]
    if real:
        yield "real", measured(source, [record for path in real for record in told(path)], rounds)


def told(path: Path) -> Iterable[Any]:
    """The records of a file of lines, or of one object with `Records`."""
    if path.suffix == ".json":
        found = orjson.loads(path.read_bytes())
        inner: list[Any] = found["Records"] if isinstance(found, dict) else found
        return inner
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.startswith(b"{")]


def measured(source: ModuleType, records: list[Any], rounds: int) -> dict[str, float]:
    """The least times of some rounds."""
    lines = [orjson.dumps(record) for record in records]
    bare = min(seconds(lambda: parse(lines)) for _ in range(rounds))
    above = min(seconds(lambda: count(source, lines)) for _ in range(rounds)) - bare
    alone = min(seconds(lambda: look(source, lines)) for _ in range(rounds)) - bare
    grouping = count(source, lines)
    behaviours = sum(len(day.behaviours) for days in grouping.days.values() for day in days.values())
    each = 1e6 / len(lines)
    return {
        "events": len(lines),
        "events_per_behaviour": round(grouping.days.parsed / max(1, behaviours), 1),
        "orjson_us": round(bare * each, 2),
        "above_us": round(above * each, 2),
        "source_us": round(alone * each, 2),
    }


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def parse(lines: list[bytes]) -> None:
    """The bare loop."""
    for line in lines:
        orjson.loads(line)


def look(source: ModuleType, lines: list[bytes]) -> None:
    """What is asked of the source, without the counting."""
    for line in lines:
        record = orjson.loads(line)
        with suppress(RejectError):
            native = opened(record)
            source.claims(native)
            source.read(native)


def count(source: ModuleType, lines: list[bytes]) -> Intake:
    """Everything up to the behaviours."""
    grouping = Intake([source])
    for start in range(0, len(lines), BATCH):
        grouping.feed(map(orjson.loads, lines[start : start + BATCH]), ignore)
    return grouping


def ignore(index: int, reject: RejectError) -> None:
    """A reject costs what it costs."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
