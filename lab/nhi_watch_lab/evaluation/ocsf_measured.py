"""How much of a record survives OCSF: published pairs, and all public CloudTrail mapped as the publisher maps it.

`python -m nhi_watch_lab.evaluation.ocsf_measured --page docs/method/ocsf.md` (half a minute of processor time).

Each record is read twice, as its product wrote it and out of OCSF; every value of the Event that differs is counted.
Then both forms of each folder are scored by themselves, and the notables are held side by side.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.detect.explain import ocsf as told
from nhi_watch.hosts.files import library, reader
from nhi_watch.intake.days import Sources
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources import cloudtrail, every
from nhi_watch.intake.sources.cloudtrail import to_native
from nhi_watch_lab.evaluation.ocsf_mapping import VERSIONS, ocsf
from nhi_watch_lab.evaluation.page import as_csv, table

SHARED = Path(__file__).parents[4] / "shared" / "data"
Tree = dict[str, Any]
Told = tuple[str, ...]
"""Values of an Event that differ."""

_OTHER = "the pair is of two records: ids, times or accounts were replaced in one of them"
WHY = {
    "bloblang__AWS__CloudTrail__v1.0.0__Account_Chanage": f"{_OTHER}; the sample drops the access key (session)",
    "bloblang__AWS__CloudTrail__v1.1.0__Account_Chnage": f"{_OTHER}; the sample drops the access key (session)",
}  # fmt: skip
_NOT_READ = ("markdown__GitHub", "markdown__Okta")
"""Whose mapping is not undone: only their `raw_data` is read."""
_TRAIL = ("account", "identity", "credential", "record_id")
LISTED: dict[str, Told] = {
    "bloblang__AWS__CloudTrail__v1.0.0__Account_Chanage": ("identity", "session", "record_id"),
    "bloblang__AWS__CloudTrail__v1.0.0__Api_Activity": ("time", *_TRAIL),
    "bloblang__AWS__CloudTrail__v1.0.0__Authentication": ("time", "record_id"),
    "bloblang__AWS__CloudTrail__v1.1.0__Account_Chnage": ("identity", "session", "record_id"),
    "bloblang__AWS__CloudTrail__v1.1.0__Api_Activity": ("time", *_TRAIL),
    "bloblang__AWS__CloudTrail__v1.1.0__Authentication": ("time", "record_id"),
}
"""Published pairs that are not equal, and in what: all others are."""


_SOURCES = cache(every)


def read(record: object) -> Event | str:
    """The Event of a record in any form, or the reason why it is none."""
    try:
        native = opened(record)
        event: Event = Sources(_SOURCES()).of(native).read(native)
    except RejectError as reject:
        return reject.reason
    return event


def differing(one: Event | str, other: Event | str) -> Told:
    """Names of the values in which two readings differ."""
    if isinstance(one, str) or isinstance(other, str):
        return () if one == other else ("reject",)
    return tuple(name for name, a, b in zip(Event._fields, one, other) if a != b)


# ---- published pairs


def pairs(folder: Path) -> dict[str, Told]:
    """Name of a published pair → in what its two readings differ, of those that do."""
    told = (pair for pair in paired(folder) if not pair[0].startswith(_NOT_READ))
    found = {name: differing(read(load(raw)), read(load(kept))) for name, raw, kept in told}
    return {name: values for name, values in found.items() if values}


def paired(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Name, native record and OCSF event of each pair."""
    files = sorted(folder.iterdir())
    natives = {_pair(path): path for path in files if path.suffix == ".raw" or path.name.endswith("__eks.json")}
    for path in files:
        if path not in natives.values() and _pair(path) in natives:
            yield _pair(path), natives[_pair(path)], path


def _pair(path: Path) -> str:
    head, _, _ = path.name.rpartition("__")
    return head.removesuffix("__samples")


def load(path: Path) -> Any:
    """A published sample; some have a comma too many."""
    text = path.read_text("utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


# ---- CloudTrail, by the published mapping


def records(path: Path) -> list[Tree]:
    """The CloudTrail records below a path, out of what they travel in; rule tests hold theirs under `log`."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    found = (one for batch in reader.read(list(map(str, files))) for one in batch.records)
    inside = (one.get("log", one) if isinstance(one, dict) else one for one in found)
    return [dict(to_native(one)) for one in inside if isinstance(one, dict) and cloudtrail.claims(one)]


def parity(found: Iterable[Tree]) -> dict[str, dict[str, int]]:
    """Version → how many are equal, and how many differ in each value."""
    counts: dict[str, Counter[str]] = {version: Counter() for version in VERSIONS}
    for record in found:
        native = read(record)
        for version, count in counts.items():
            count.update(differing(native, read(kept(record, version))) or ("equal",))
    return {version: dict(count) for version, count in counts.items()}


def kept(record: Tree, version: str) -> Tree:
    """The event as it is read back from a lake."""
    event: Tree = json.loads(json.dumps(ocsf(record, version)))
    return event


def notables(found: Sequence[Tree]) -> dict[str, Tree]:
    """Notables of some records by id, those below the line too; without their receipts."""
    result = library.score(found)
    every_one = json.loads(json.dumps([*result.notables, *result.below]))
    return {one["id"]: {name: value for name, value in one.items() if name != "receipt"} for one in every_one}


def validator() -> Any:
    """What checks a finding by the published schema of its version."""
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(told.VERSION)).get_class_schema("detection_finding")
    return Draft202012Validator(schema)


FOLDERS = ("cloudtrail", "rule-tests", "mixed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=Path("docs/method/ocsf.md"))
    parser.add_argument("--shared", type=Path, default=SHARED)
    args = parser.parse_args(arguments)
    args.page.write_text("\n\n".join(page(args.shared)) + "\n", "utf-8")
    args.page.with_name(f"{args.page.stem}_pairs.csv").write_text(pairs_sheet(args.shared), "utf-8")
    return 0


def page(shared: Path) -> Iterator[str]:
    """The parts of the page."""
    yield "# OCSF beside native"
    yield ("For: whoever asks what a lake loses. Written by `python -m nhi_watch_lab.evaluation.ocsf_measured`; no "
           "number is typed by hand.")  # fmt: skip
    yield from _pairs_page(shared)
    yield "## Public CloudTrail, mapped as ocsf/examples says"
    rows, every_record = [], list[Tree]()
    for name in FOLDERS:
        found = records(shared / name)
        every_record += found
        rows.append([name, str(len(found)), *map(_equal, parity(found).values())])
    yield "Records that give the same Event, or the same reject, by version of OCSF."
    yield table(["folder", "records", *VERSIONS], rows)
    yield from _round_trip(every_record)


def _equal(counts: dict[str, int]) -> str:
    return ", ".join([str(counts.pop("equal", 0)), *(f"{name} {count}" for name, count in sorted(counts.items()))])


def _pairs_page(shared: Path) -> Iterator[str]:
    found, count = pairs(shared / "ocsf"), sum(1 for _ in paired(shared / "ocsf"))
    yield "## Published pairs"
    yield (f"{count} pairs of ocsf/examples; {count - len(found)} give the same Event. The others, and why: "
           "[ocsf_pairs.csv](ocsf_pairs.csv).")  # fmt: skip


def pairs_sheet(shared: Path) -> str:
    """The published pairs that are not equal, in what and why."""
    return as_csv(["pair", "differs in", "why"],
                  [[n, ", ".join(t), WHY.get(n, _OTHER)] for n, t in pairs(shared / "ocsf").items()])  # fmt: skip


def _round_trip(found: Sequence[Tree]) -> Iterator[str]:
    yield "## The round trip"
    native = notables(found)
    rows = []
    for version in VERSIONS:
        lake = notables([kept(record, version) for record in found])
        both = native.keys() & lake.keys()
        changed = sum(native[name] != lake[name] for name in both)
        rows.append([version, str(len(native)), str(len(lake)), str(len(both) - changed), str(changed)])
    yield f"All {len(found)} records scored from nothing, as they are and out of OCSF, with what is below the line."
    yield table(["OCSF", "notables, native", "notables, OCSF", "the same to the last field", "other content"], rows)
    check = validator()
    valid = sum(check.is_valid(json.loads(json.dumps(told.finding(one)))) for one in native.values())
    yield "## Out"
    yield f"{valid} of {len(native)} notables are valid Detection Findings of {told.VERSION} (`ocsf-json-schema`)."


if __name__ == "__main__":
    raise SystemExit(main())
