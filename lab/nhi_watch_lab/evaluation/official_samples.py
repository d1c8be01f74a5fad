"""How much of a publisher's own samples is read, and whether its two forms of one record give the same Event.

`python -m nhi_watch_lab.evaluation.official_samples FOLDER… --page docs/method/official_samples.md`

A folder is a checkout of elastic/integrations (or a part of it, laid out alike): of each data stream in STREAMS,
`_dev/test/pipeline/*-expected.json` and `sample_event.json` are read as documents, and what they were made of
(`event.original`, else the input beside) as the product wrote it. Any other folder is read file by file, native only.
Real CloudTrail records (`--shared`) are read as the published pipeline keeps them, too.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import NhiError, RejectError
from nhi_watch.core.event import Event
from nhi_watch.hosts.files import reader
from nhi_watch.intake.shapes.forms import at, object_of
from nhi_watch.intake.shapes.values import listed
from nhi_watch_lab.evaluation import ecs_cloudtrail
from nhi_watch_lab.evaluation.ocsf_measured import FOLDERS, differing, read, records
from nhi_watch_lab.evaluation.page import as_csv, table
from nhi_watch_lab.evaluation.sources_measured import ON_PURPOSE

Tree = dict[str, Any]
STREAMS = {
    "anthropic": "audit", "auth0": "logs", "jumpcloud": "events", "keycloak": "log",
    "aws": "cloudtrail guardduty securityhub_findings", "aws_bedrock": "invocation",
    "aws_bedrock_agentcore": "gateway_application_logs runtime_application_logs memory_application_logs "
    "codeinterpreter_application_logs",
    "azure": "activitylogs auditlogs signinlogs graphactivitylogs identity_protection platformlogs provisioning",
    "claude_code": "events", "gcp": "audit", "github": "audit audit_enterprise api_requests "
    "secret_scanning", "gitlab": "audit", "google_workspace": "*", "hashicorp_vault": "audit",
    "kubernetes": "audit_logs", "o365": "audit", "okta": "system", "openai": "audit",
    "salesforce": "*", "snowflake": "*",
}  # fmt: skip
"""Package → its data streams that are audit logs of identities."""
NOBODY = (*ON_PURPOSE, "no_action")
"""Reasons by which a record is passed over on purpose: it names nobody, or tells nothing that was done."""
WHY = {
    "auth0.logs": "the integration tells the event's type in words of its own",
    "github.secret_scanning": "the integration masks the secret, of whose hash the credential's name is made",
    "salesforce.apex": "the integration drops SESSION_KEY", "salesforce.logout": "the integration drops SESSION_KEY",
}  # fmt: skip
"""What the documents of a stream have lost."""
DROPPED = {
    "traits": "the pipeline drops sessionCredentialFromConsole", "identity": "the pipeline drops identityProvider",
}  # fmt: skip
"""Value of the Event → why it may differ in a document of CloudTrail's."""
_BARE = {"@timestamp", "cloud", "ecs", "event", "tags"}
"""All that a document has that was made of a blank line."""
_TESTS = "_dev/test/pipeline"


class Sample(NamedTuple):
    """One sample in the forms in which it is published."""

    stream: str
    """package.stream"""
    file: str
    document: Optional[Tree]
    native: Optional[Tree]


class Told(NamedTuple):
    """What became of it."""

    sample: Sample
    outcome: Event | str
    """The Event, or the reason why it is none; of the document, where there is one."""
    differs: Optional[tuple[str, ...]]
    """In what the two forms differ; None where only one is published."""


# ---- samples of Elastic's integrations


def integrations(folder: Path) -> Iterator[Sample]:
    """The samples of the data streams in STREAMS."""
    for package, names in STREAMS.items():
        streams = folder / "packages" / package / "data_stream"
        for stream in sorted(streams.iterdir()) if streams.is_dir() else ():
            if names == "*" or stream.name in names.split():
                yield from _stream(f"{package}.{stream.name}", stream)


def _stream(name: str, folder: Path) -> Iterator[Sample]:
    published = folder / "sample_event.json"
    if published.is_file():
        yield _sample(name, published, json.loads(published.read_text("utf-8")), None)
    for path in sorted((folder / _TESTS).glob("*-expected.json")):
        made_of = _inputs(path.with_name(path.name.removesuffix("-expected.json")))
        documents = json.loads(path.read_text("utf-8"))["expected"]
        for number, document in enumerate(documents):
            if document and _holds_something(document):
                yield _sample(name, path, document, made_of[number] if len(made_of) == len(documents) else None)


def _holds_something(document: Tree) -> bool:
    """Not so where the pipeline failed, or the test fed a blank line."""
    event = document.get("event") or {}
    return event.get("kind") != "pipeline_error" and bool(event.get("action") or document.keys() - _BARE)


def _inputs(path: Path) -> list[Any]:
    """What a test feeds, one of each record."""
    if not path.is_file():
        return []
    content = path.read_text("utf-8")
    if path.suffix == ".json":
        return listed(json.loads(content).get("events"))
    return [line for line in content.splitlines() if line.strip()]


def _sample(name: str, path: Path, document: Tree, made_of: Any) -> Sample:
    original = at(document, "event.original") or made_of
    if isinstance(original, dict):
        original = at(original, "event.original") or original.get("message") or original
    event = {key: value for key, value in (document.get("event") or {}).items() if key != "original"}
    document = {"data_stream": {"dataset": name}, **document, "event": event}
    return Sample(name, path.name, document, _record(original))


def _record(original: Any) -> Optional[Tree]:
    if not isinstance(original, str):
        return original if isinstance(original, dict) else None
    try:
        return object_of(original)
    except RejectError:
        return None


# ---- any folder


def others(folder: Path) -> Iterator[Sample]:
    """The records of any other folder, by the folder that they lie in."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        stream = str(path.parent.relative_to(folder.parent))
        try:
            found = [one for batch in reader.read([str(path)]) for one in (*batch.records, *batch.bad)]
        except NhiError:
            found = []
        yield from (Sample(stream, path.name, None, one if isinstance(one, dict) else None) for one in found)


# ---- what became of them


def measure(samples: Iterable[Sample]) -> Iterator[Told]:
    """Each sample, read in each of its forms; what is read in neither is no pair."""
    for sample in samples:
        forms = [read(one) for one in (sample.document, sample.native) if one is not None]
        is_pair = len(forms) == 2 and any(not isinstance(form, str) for form in forms)
        yield Told(sample, forms[0] if forms else "bad_json", differing(*forms) if is_pair else None)


def piped(shared: Path) -> Iterator[str]:
    """Real records of CloudTrail, as they are and as Elastic's pipeline keeps them: how many are the same Event."""
    found = [record for name in FOLDERS for record in records(shared / name)]
    differs = Counter(differing(read(record), read(ecs_cloudtrail.ecs(record))) for record in found)
    rows = [[", ".join(names), f"{count:,}", "; ".join(DROPPED.get(name, "?") for name in names)]
            for names, count in differs.items() if names]  # fmt: skip
    yield "## CloudTrail, through the pipeline"
    yield (f"Of {len(found):,} real records {differs[()]:,} give the same Event out of the documents that Elastic's "
           "published pipeline (aws.cloudtrail, `evaluation/ecs_cloudtrail.py`) makes of them without the original "
           "text. The others:")  # fmt: skip
    yield table(["differs in", "records", "why"], rows)


def page(found: Sequence[Told], note: str) -> Iterator[str]:
    """The parts of the page."""
    yield "# Official samples"
    yield ("For: whoever asks whether what publishers ship is what we read. Written by `python -m "
           "nhi_watch_lab.evaluation.official_samples FOLDER…`; no number is typed by hand. *Nobody's* name nobody, or "
           "tell nothing that was done. *Pairs*: a document without the original text, and what it was made "
           "of.")  # fmt: skip
    if note:
        yield note
    yield _sum(found)
    yield "Of publishers not named all is read. Each stream: [official_samples.csv](official_samples.csv)."
    yield table(["publisher", *HEADS[1:]], [row for row in _by(found, _publisher) if row[-1]])
    yield "## Not equal"
    differs = Counter((t.sample.stream, t.sample.file, ", ".join(t.differs)) for t in found if t.differs)
    yield table(["stream", "file", "differs in", "records", "why"],
                [[*key, str(n), WHY.get(key[0], "not looked into")] for key, n in differs.items()])  # fmt: skip


def _sum(found: Sequence[Told]) -> str:
    of_somebody = [told for told in found if told.outcome not in NOBODY]
    read_ = sum(not isinstance(told.outcome, str) for told in of_somebody)
    pairs = [told for told in found if told.differs is not None]
    equal = sum(told.differs == () for told in pairs)
    lost = sum(bool(told.differs) and told.sample.stream in WHY for told in pairs)
    return (f"Of {len(of_somebody)} records of somebody {read_} are read ({read_ / max(1, len(of_somebody)):.1%}); of "
            f"{len(pairs)} pairs {equal} give the same Event, {lost} have lost what is listed, "
            f"{len(pairs) - equal - lost} differ for reasons not known.")  # fmt: skip


HEADS = ("stream", "samples", "nobody's", "read", "pairs", "equal", "not read")


def _publisher(stream: str) -> str:
    """Elastic's streams are named package.stream, those of others by their folder."""
    return "Elastic's documents" if "." in stream else stream


def _by(found: Sequence[Told], group: Callable[[str], str] = str) -> Iterator[list[str]]:
    for name in sorted({group(told.sample.stream) for told in found}):
        yield _row(name, [told for told in found if group(told.sample.stream) == name])
    yield _row("all", found)


def _row(name: str, found: Sequence[Told]) -> list[str]:
    nobody = sum(told.outcome in NOBODY for told in found)
    read_ = sum(not isinstance(told.outcome, str) for told in found)
    pairs = [told.differs for told in found if told.differs is not None]
    reasons = Counter(told.outcome for told in found if isinstance(told.outcome, str))
    refused = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return [name, *map(str, (len(found), nobody, read_, len(pairs), sum(not values for values in pairs), refused))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--page", type=Path, default=Path("docs/method/official_samples.md"))
    parser.add_argument("--note", default="", help="what the page says of where the samples are from")
    parser.add_argument("--shared", type=Path, help="a folder of real logs, as ocsf_measured reads it")
    args = parser.parse_args(arguments)
    samples = (one for folder in args.folders
               for one in (integrations(folder) if (folder / "packages").is_dir() else others(folder)))  # fmt: skip
    found = list(measure(samples))
    parts = [*page(found, args.note), *(piped(args.shared) if args.shared else ())]
    args.page.write_text("\n\n".join(parts) + "\n", "utf-8")
    args.page.with_suffix(".csv").write_text(as_csv(HEADS, [*_by(found)]), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
