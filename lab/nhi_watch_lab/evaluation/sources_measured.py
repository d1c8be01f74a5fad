"""How much of real records each source reads, in each shape, and where records go when nobody says what they are.

`python -m nhi_watch_lab.evaluation.sources_measured --page docs/method/sources_measured.md` (ten seconds).

Each record goes to the first source that claims it, as with `--source auto`; whose it is, its file tells, never our own
reading. *Passed over*: refused on purpose. *Incomplete*: hand-edited rule tests without a time or an action. *Read* is
of the others.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Optional

import orjson

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.hosts.files.reader import read
from nhi_watch.hosts.files.reader.batch import members
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources.cloudtrail import to_native
from nhi_watch_lab.evaluation.ocsf_mapping import ocsf
from nhi_watch_lab.evaluation.page import table
from nhi_watch_lab.evaluation.shapes import DATASETS, SHAPES, ecs_original, shape_of, splunk_fields, splunk_raw

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "data" / "sources"
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
MADE = "samples"


class Told(NamedTuple):
    """One record and where it comes from."""

    file: str
    belongs: str
    record: Any


class Count:
    """What became of the records of one source in one shape."""

    def __init__(self) -> None:
        self.records = self.read = self.same = 0
        self.rejects: Counter[str] = Counter()
        self.filled: Counter[str] = Counter()
        self.elsewhere: Counter[str] = Counter()

    def add(self, source: ModuleType, outcome: Event | str, belongs: str) -> None:
        """Take in what the door made of a record."""
        self.records += 1
        if isinstance(outcome, str):
            self.rejects[outcome] += 1
        elif belongs != source.NAME:
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


def told(folder: Path) -> Iterator[Told]:
    """All records of real logs and of rule tests, with the source they belong to."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        belongs = next((source for pattern, source in BELONGS if fnmatch(name, pattern)), None)
        if belongs is not None:
            yield from (Told(name, _checked(belongs, name, record), record) for record in _records(path, name))


def _checked(belongs: str, name: str, record: Any) -> str:
    """Some files hold other records as well: application logs, a database's, and AKS's audit log."""
    text = json.dumps(record)
    if belongs == "azure" and '"kube-audit' in text:
        return "kubernetes"
    if "/cloudwatch" in name and "eventSource" not in text:
        return ""
    return "" if name.startswith("mixed/gcp") and "protoPayload" not in text else belongs


def _records(path: Path, name: str) -> Iterator[Any]:
    for batch in read([str(path)]):
        for record in batch.records:
            if not name.startswith("rule-tests/"):
                yield record
                continue
            inner: Any = record["log" if "log_type" in record else "data"]  # type: ignore[index, operator]
            found = members(inner)
            yield from [inner] if found is None else found


def shaped(record: Any, belongs: str, event: Event | str) -> Iterator[tuple[str, Any]]:
    """The shapes that a native record can be put into by rule."""
    yield "native", record
    if not isinstance(record, dict) or isinstance(event, str) or "_raw" in record:
        return
    yield "splunk_raw", splunk_raw(record)
    yield "splunk_fields", splunk_fields(record)
    if belongs in DATASETS:
        yield "ecs_original", ecs_original(record, DATASETS[belongs])
    if belongs == "cloudtrail":
        yield "ocsf", ocsf(dict(to_native(record)))


class Measured(NamedTuple):
    """All figures."""

    counts: dict[tuple[str, str, str], Count]
    """(source, where the records are from, shape) → what became of them."""
    strange: dict[str, Counter[str]]
    """Files of no source → what became of their records."""


def measure(folder: Path) -> Measured:
    """Every record in every shape."""
    found = Measured({}, {})
    for one in told(folder):
        source, event = door(one.record)
        if not one.belongs:
            what = event if isinstance(event, str) else f"read as {source.NAME if source else ''}"
            found.strange.setdefault(one.file, Counter())[what] += 1
            continue
        place = "rule tests" if one.file.startswith("rule-tests/") else "logs"
        for shape, record in shaped(one.record, one.belongs, event):
            _count(found.counts, (one.belongs, place, shape), record, event)
    for source in _sources():
        for sample in map(orjson.loads, (SAMPLES / f"{source.NAME}.jsonl").read_bytes().splitlines()):
            if "event" in sample:
                _count(found.counts, (source.NAME, MADE, shape_of(sample)), sample["record"], None)
    return found


def _count(counts: dict[tuple[str, str, str], Count], key: tuple[str, str, str], record: Any,
           native: Event | str | None) -> None:  # fmt: skip
    source, outcome = door(record)
    count = counts.setdefault(key, Count())
    count.add(source or _sources()[0], outcome, key[0])
    count.same += outcome == native


def page(found: Measured) -> str:
    """The figures, in Markdown."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Measured) -> Iterator[str]:
    yield "# Sources, measured\n"
    yield "For: whoever asks how much of a log is read.\n"
    yield "<!-- Written by `python -m nhi_watch_lab.evaluation.sources_measured --page FILE`: do not edit. -->\n"
    yield (__doc__ or "").partition("(ten seconds).\n\n")[2]
    made = [c for (_, place, shape), c in found.counts.items() if place in PUBLISHED and shape != "native"]
    yield "*Logs* are real; *rule tests* were written or edited by authors of rules. Put into other shapes by rule"
    yield "(Splunk's rows, its extracted fields, `event.original`, for CloudTrail OCSF), of each source at least"
    yield f"{min(c.share for c in made):.1%} are read, {min(c.same / c.records for c in made):.1%} as the same Event."
    yield "Each source and shape, how often identity, action, outcome and network are filled, what was refused:"
    yield "[sources_measured.csv](sources_measured.csv).\n"
    native = [(key, count) for place in PUBLISHED for key, count in _of(found, place) if key[2] == "native"]
    total, sources = sum(count.records for _, count in native), {key[0] for key, _ in native}
    yield f"Of {total:,} native records of {len(sources)} sources all complete ones are read, but:\n"
    yield table(SHORT, [[key[0], key[1], *row[2:5], row[6]] for key, count in native if count.share < 1
                        for row in [_row(key, count)]])  # fmt: skip
    reasons = sum((c.rejects for (*_, shape), c in found.counts.items() if shape == "native"), Counter[str]())
    yield "\n## Not read\n\nIn the native shape, the project's own samples included.\n"
    yield table(["reason", "records", "meaning"], [[r, f"{n:,}", _WHY.get(r, "")] for r, n in reasons.most_common()])
    yield f"\nOf {len(found.strange)} files of no source nothing may be read as something that it is not:"
    yield f"{_counted(sum(found.strange.values(), Counter[str]()))}."


PUBLISHED = ("logs", "rule tests")
PLACES = (*PUBLISHED, MADE)
HEADS = ["source", "shape", "records", "passed over", "incomplete", "read", "share", "same Event as native",
         *FILLED, "went elsewhere", "refused"]  # fmt: skip
SHORT = ["source", "from", *HEADS[2:5], "read"]


def rows(found: Measured) -> str:
    """The figures of every source in every shape, as CSV."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["records of", *HEADS])
    lines.writerows([place, *_row(key, count)] for place in PLACES for key, count in _of(found, place))
    return out.getvalue()


def _of(found: Measured, place: str) -> list[tuple[tuple[str, str, str], Count]]:
    mine = [item for item in found.counts.items() if item[0][1] == place]
    return sorted(mine, key=lambda item: (item[0][0], SHAPES.index(item[0][2])))


def _row(key: tuple[str, str, str], count: Count) -> list[str]:
    source, place, shape = key
    passed, incomplete = (sum(count.rejects[reason] for reason in reasons) for reasons in (ON_PURPOSE, INCOMPLETE))
    filled = [f"{count.filled[name] / count.read:.0%}" if count.read else "–" for name in FILLED]
    same = "–" if shape == "native" or place == MADE else f"{count.same / count.records:.1%}"
    numbers = [f"{count.records:,}", f"{passed:,}", f"{incomplete:,}", f"{count.read:,}", f"{count.share:.1%}"]
    return [source, shape, *numbers, same, *filled, _counted(count.elsewhere) or "none", _counted(count.rejects)]


def _counted(what: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in what.most_common())


_WHY = {
    "unclaimed": "no source knows it: too little of the record is there",
    "no_time": "tells no time", "bad_time": "the time is none, as in `redacted`", "no_action": "tells no action",
    "not_credential": "on purpose: a host's event that touches no credential",
    "no_identity": "on purpose: names nobody",
    "unfinished": "on purpose: the request comes again with its outcome",
    "sample_finding": "on purpose: the product's own example",
}  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Measure, and show the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of real logs")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures, and beside the page its CSV")
    args = parser.parse_args(arguments)
    found = measure(args.data)
    text = page(found)
    if args.page:
        args.page.write_text(text, "utf-8")
        args.page.with_suffix(".csv").write_text(rows(found), "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
