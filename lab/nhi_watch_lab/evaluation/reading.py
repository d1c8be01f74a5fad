"""How much of real records each source reads, in each form, and whether each form gives the Event of the native record.

`python -m nhi_watch_lab.evaluation.reading --data FOLDER --docs docs/method` (half a minute).

Each record goes to the first source that claims it, as with `--source auto`; its file says which one should, never our
own reading. *Skipped*: rejected on purpose. *Incomplete*: hand-edited rule tests without a time or an action. *Read*:
share of the others.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Optional

import orjson

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.hosts.files.reader import read as read_files
from nhi_watch.hosts.files.reader.batch import members
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources.cloudtrail import to_native
from nhi_watch_lab.evaluation.forms import (
    DATASETS,
    SHAPES,
    VERSIONS,
    ecs_original,
    ocsf,
    shape_of,
    splunk_fields,
    splunk_raw,
)

# ---- tables for generated pages and sheets


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2|3"]]))
    | a | b |
    |---|---|
    | 1 | 2/3 |
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(_row(line) for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same as a sheet, for tables too long for a page.

    >>> as_csv(["a", "b"], [[1, "2,3"]])
    'a,b\\n1,"2,3"\\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([heads, *rows])
    return out.getvalue()


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


# ---- counts

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "data" / "sources"
DOCS, RESULTS = ROOT / "docs" / "method", ROOT / "lab" / "results"
PAIRS = RESULTS / "ocsf_pairs.csv"
"""Published pairs that are not equal, in what, and why, which is written by hand."""
COMMAND = "`python -m nhi_watch_lab.evaluation.reading`"
BELONGS = (
    ("cloudtrail/*", "cloudtrail"),
    ("gcp/*loadbalancing*", ""), ("gcp/*vpc_flows*", ""), ("gcp/*", "gcp"),
    ("kubernetes/*.log", "kubernetes"),
    ("m365/*", "m365"),
    ("endpoint/*", "endpoint"),
    ("mixed/aws_*", "cloudtrail"), ("mixed/azure_*", "azure"), ("mixed/gcp_*", "gcp"), ("mixed/microsoft_*", "m365"),
    ("*/panther/AWS_CloudTrail*", "cloudtrail"), ("*/panther/AWS_Bedrock*", "ai"), ("*/panther/AWS_Guard*", "alerts"),
    ("*/panther/AWS_SecurityFinding*", "alerts"), ("*/panther/Amazon_EKS*", "kubernetes"),
    ("*/panther/Auth0*", "directories"), ("*/panther/Anthropic*", "ai"),
    ("*/panther/OpenAI*", "ai"), ("*/panther/Azure_Audit*", "entra"),
    ("*/panther/Azure_Monitor*", "azure"), ("*/panther/GCP_Audit*", "gcp"), ("*/panther/GSuite*", "workspace"),
    ("*/panther/GitHub*", "github"), ("*/panther/Microsoft365*", "m365"), ("*/panther/Okta*", "okta"),
    ("*/panther/Salesforce*", "salesforce"), ("*/panther/Snowflake_LoginHistory*", "snowflake"),
    ("*/panther/Snowflake_QueryHistory*", "snowflake"),
    ("*/streamalert/cloud*", "cloudtrail"), ("*/streamalert/gsuite*", "workspace"),
    ("*/streamalert/okta*", "okta"),
    ("rule-tests/*", ""),
)  # fmt: skip
"""File → the source whose log it is; "": of no source."""
ON_PURPOSE = ("not_credential", "unfinished", "no_identity", "closed", "posture", "sample_finding", "own_notable")
INCOMPLETE = ("no_time", "bad_time", "no_action")
FILLED = ("identity", "action", "outcome", "network")
PLACES = "logs", "rule tests", "samples"
LOGS, TESTS, MADE = PLACES


class NativeRecord(NamedTuple):
    """One record and where it comes from."""

    file: str
    belongs: str
    record: Any


class Count:
    """What became of the records of one source in one form."""

    def __init__(self) -> None:
        self.records = self.read = self.same = 0
        self.rejects: Counter[str] = Counter()
        self.filled: Counter[str] = Counter()
        self.elsewhere: Counter[str] = Counter()

    def add(self, name: str, record: Any, native: Event | str | None) -> None:
        """Take in what the door makes of a record of a source, and of the native one."""
        source, outcome = door(record)
        self.records += 1
        self.same += outcome == native
        if isinstance(outcome, str):
            self.rejects[outcome] += 1
        elif source and name != source.NAME:
            self.elsewhere[source.NAME] += 1
        else:
            self.read += 1
            self.filled.update(name for name in FILLED if _is_filled(outcome, name))

    @property
    def share(self) -> float:
        """Of the complete ones that the source means to read."""
        passed = sum(self.rejects[reason] for reason in (*ON_PURPOSE, *INCOMPLETE))
        return self.read / (self.records - passed) if self.records > passed else 1.0


def _is_filled(event: Event, name: str) -> bool:
    return event.identity.kind != "anonymous" if name == "identity" else bool(getattr(event, name))


@cache
def _sources() -> list[ModuleType]:
    return registry.modules("nhi_watch.intake.sources")


def door(record: object) -> tuple[Optional[ModuleType], Event | str]:
    """Who takes a record that nobody announced, and what comes of it: an Event or the reject's reason."""
    source = None
    try:
        native = opened(record)
        source = next((each for each in _sources() if each.claims(native)), None)
        return source, source.read(native) if source else "unclaimed"
    except RejectError as reject:
        return source, reject.reason


def read(record: object) -> Event | str:
    """The Event of a record in any form, or the reason why it is none."""
    return door(record)[1]


# ---- real logs, rule tests and samples


def native_records(folder: Path) -> Iterator[NativeRecord]:
    """All records of real logs and of rule tests, with the source they belong to."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        belongs = next((source for pattern, source in BELONGS if fnmatch(name, pattern)), None)
        if belongs is not None:
            yield from (NativeRecord(name, _checked(belongs, name, item), item) for item in _records(path, name))


def _checked(belongs: str, name: str, record: Any) -> str:
    """Some files hold other records as well: application logs, a database's, and AKS's audit log."""
    text = json.dumps(record)
    if belongs == "azure" and '"kube-audit' in text:
        return "kubernetes"
    if "/cloudwatch" in name and "eventSource" not in text:
        return ""
    return "" if name.startswith("mixed/gcp") and "protoPayload" not in text else belongs


def _records(path: Path, name: str) -> Iterator[Any]:
    for batch in read_files([str(path)]):
        for record in batch.records:
            if not name.startswith("rule-tests/"):
                yield record
                continue
            inner: Any = record["log" if "log_type" in record else "data"]  # type: ignore[index, operator]
            result = members(inner)
            yield from [inner] if result is None else result


def shaped(record: Any, belongs: str, event: Event | str) -> Iterator[tuple[str, Any]]:
    """The forms into which a native record can be put by rule."""
    yield "native", record
    if not isinstance(record, dict) or isinstance(event, str) or "_raw" in record:
        return
    yield "splunk_raw", splunk_raw(record)
    yield "splunk_fields", splunk_fields(record)
    if belongs in DATASETS:
        yield "ecs_original", ecs_original(record, DATASETS[belongs])
    for version in VERSIONS if belongs == "cloudtrail" else ():
        yield f"ocsf_{version}", orjson.loads(orjson.dumps(ocsf(dict(to_native(record)), version)))


class Measured(NamedTuple):
    """All figures."""

    counts: dict[tuple[str, str, str], Count]
    """(source, where the records are from, form) → what became of them."""
    strange: dict[str, Counter[str]]
    """Files of no source → what became of their records."""


def measure(folder: Path) -> Measured:
    """Every record in every form."""
    measurement = Measured({}, {})
    for item in native_records(folder):
        source, event = door(item.record)
        if not item.belongs:
            what = event if isinstance(event, str) else f"read as {source.NAME if source else ''}"
            measurement.strange.setdefault(item.file, Counter())[what] += 1
            continue
        place = TESTS if item.file.startswith("rule-tests/") else LOGS
        for shape, record in shaped(item.record, item.belongs, event):
            measurement.counts.setdefault((item.belongs, place, shape), Count()).add(item.belongs, record, event)
    for source in _sources():
        for sample in map(orjson.loads, (SAMPLES / f"{source.NAME}.jsonl").read_bytes().splitlines()):
            if "event" in sample:
                key = source.NAME, MADE, shape_of(sample)
                measurement.counts.setdefault(key, Count()).add(source.NAME, sample["record"], None)
    return measurement


# ---- published pairs of OCSF


def pairs(folder: Path) -> dict[str, str]:
    """Name of a published pair → in what its two readings differ, of all pairs."""
    files = sorted(folder.iterdir())
    natives = {_pair(path): path for path in files if path.suffix == ".raw" or path.name.endswith("__eks.json")}
    others = [path for path in files if path not in natives.values() and _pair(path) in natives]
    return {_pair(path): _differing(read(_loaded(natives[_pair(path)])), read(_loaded(path))) for path in others}


def _differing(item: Event | str, other: Event | str) -> str:
    if isinstance(item, str) or isinstance(other, str):
        return "" if item == other else "reject"
    return ", ".join(name for name, a, b in zip(Event._fields, item, other) if a != b)


def _pair(path: Path) -> str:
    head, _, _ = path.name.rpartition("__")
    return head.removesuffix("__samples")


def _loaded(path: Path) -> Any:
    """A published sample; some have a comma too many."""
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", path.read_text("utf-8")))


# ---- pages

HEADS = [
    "source",
    "shape",
    "records",
    "skipped",
    "incomplete",
    "read",
    "share",
    "same Event as native",
    *FILLED,
    "went elsewhere",
    "refused",
]
SHORT = ["source", "from", *HEADS[2:5], "read"]


def page(measurement: Measured) -> str:
    """The figures, in Markdown."""
    return "\n".join(_lines(measurement)) + "\n"


def _lines(measurement: Measured) -> Iterator[str]:
    yield "# Sources, measured\n"
    yield "For anyone who asks how much of a log is read.\n"
    yield f"<!-- Written by {COMMAND}: do not edit. -->\n"
    yield (__doc__ or "").partition("(half a minute).\n\n")[2]
    kept = [c for (_, place, shape), c in measurement.counts.items() if place != MADE and shape != "native"]
    yield "*Logs* are real; *rule tests* were written or edited by authors of rules. Put into other shapes by rule"
    yield "(Splunk's rows, its extracted fields, `event.original`, for CloudTrail OCSF), of each source at least"
    yield f"{min(c.share for c in kept):.1%} are read, {min(c.same / c.records for c in kept):.1%} as the same Event."
    yield "Each source and shape, how often identity, action, outcome and network are filled, what was refused:"
    yield "[sources_measured.csv](../../lab/results/sources_measured.csv).\n"
    native = [(key, count) for place in (LOGS, TESTS) for key, count in _of(measurement, place) if key[2] == "native"]
    total, sources = sum(count.records for _, count in native), {key[0] for key, _ in native}
    yield f"Of {total:,} native records of {len(sources)} sources all complete ones are read, but:\n"
    yield table(
        SHORT,
        [
            [key[0], key[1], *row[2:5], row[6]]
            for key, count in native
            if count.share < 1
            for row in [_figures(key, count)]
        ],
    )
    reasons = sum((c.rejects for (*_, shape), c in measurement.counts.items() if shape == "native"), Counter[str]())
    yield "\n## Not read\n\nIn the native shape, the project's own samples included.\n"
    yield table(["reason", "records", "meaning"], [[r, f"{n:,}", _WHY.get(r, "")] for r, n in reasons.most_common()])
    yield f"\nOf {len(measurement.strange)} files of other logs, which no source may read, the records were:"
    yield f"{_counted(sum(measurement.strange.values(), Counter[str]()))}."


_WHY = {
    "unclaimed": "no source knows it: too little of the record is there",
    "no_time": "has no time",
    "bad_time": "not a time, as in `redacted`",
    "no_action": "has no action",
    "not_credential": "on purpose: a host's event that touches no credential",
    "no_identity": "on purpose: names nobody",
    "unfinished": "on purpose: the request comes again with its outcome",
    "sample_finding": "on purpose: the product's own example",
}


def rows(measurement: Measured) -> str:
    """The figures of every source in every form, as CSV."""
    return as_csv(
        ["records of", *HEADS],
        ([place, *_figures(key, count)] for place in PLACES for key, count in _of(measurement, place)),
    )


def _of(measurement: Measured, place: str) -> list[tuple[tuple[str, str, str], Count]]:
    mine = [item for item in measurement.counts.items() if item[0][1] == place]
    return sorted(mine, key=lambda item: (item[0][0], SHAPES.index(item[0][2])))


def _figures(key: tuple[str, str, str], count: Count) -> list[str]:
    source, place, shape = key
    passed, incomplete = (sum(count.rejects[reason] for reason in reasons) for reasons in (ON_PURPOSE, INCOMPLETE))
    filled = [f"{count.filled[name] / count.read:.0%}" if count.read else "–" for name in FILLED]
    same = "–" if shape == "native" or place == MADE else f"{count.same / count.records:.1%}"
    numbers = [f"{count.records:,}", f"{passed:,}", f"{incomplete:,}", f"{count.read:,}", f"{count.share:.1%}"]
    return [source, shape, *numbers, same, *filled, _counted(count.elsewhere) or "none", _counted(count.rejects)]


def _counted(what: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in what.most_common())


def ocsf_page(measurement: Measured, shown: dict[str, str]) -> str:
    """What OCSF loses, in Markdown."""
    equal = sum(not differs for differs in shown.values())
    counts = [
        [f"{count.same:,}" for key, count in _of(measurement, place) if key[0] == "cloudtrail" and "ocsf" in key[2]]
        for place in (LOGS, TESTS)
    ]
    records = [f"{measurement.counts['cloudtrail', place, f'ocsf_{VERSIONS[0]}'].records:,}" for place in (LOGS, TESTS)]
    return f"""# OCSF beside native

For anyone who asks what a data lake loses. Written by {COMMAND}.

## Published pairs

{len(shown)} pairs of ocsf/examples; {equal} give the same Event. The others, and why:
[ocsf_pairs.csv](../../lab/results/ocsf_pairs.csv).

## Public CloudTrail, mapped as ocsf/examples says

Records that give the same Event, by version of OCSF; so they give the same notables.

{table(["from", "records", *VERSIONS], [[*row] for row in zip((LOGS, TESTS), records, *zip(*counts))])}
"""


def known_pairs() -> dict[str, tuple[str, str]]:
    """Published pair → in what it differs, and why."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return {row["pair"]: (row["differs in"], row["why"]) for row in csv.DictReader(file)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of real logs")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the pages")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables")
    args = parser.parse_args(arguments)
    measurement, differences = measure(args.data), pairs(args.data / "ocsf")
    known = known_pairs()
    differ = [[name, differs, known.get(name, ("", ""))[1]] for name, differs in differences.items() if differs]
    for name, text in {
        "sources_measured.md": page(measurement),
        "ocsf.md": ocsf_page(measurement, differences),
    }.items():
        (args.docs / name).write_text(text, "utf-8")
    pairs_differ = as_csv(["pair", "differs in", "why"], differ)
    for name, text in {"sources_measured.csv": rows(measurement), "ocsf_pairs.csv": pairs_differ}.items():
        (args.results / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
