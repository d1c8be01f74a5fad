"""The way of one CloudTrail record from its file to a notable: which modules it goes through, in order."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from layout import PACKAGE, folder_of
from nhi_watch.hosts.files import jobs

ABOUT = """For anyone who changes the code. Data flows one way: bytes of a host → `Source.read` → `Event` →
identity-days (`IntakeBatch`) → `Scorer.process` → `Publisher` → host; hosts enter through a `Session`
(`detect/session.py`). A run closes the days that are due (scores them again, learns them) and scores the
identities whose open days changed (`detect/day.py`: signals → likelihood → links). Each day's episodes are stored
(`detect/episodes.py`), joined to cases (`detect/cases.py`) and published (`detect/publish.py`). `state/state.py` reads
and writes the state, over a `Store` of small rows that each host supplies (`state/store.py`). A notable is the
dataclass of `core/notable.py` while it is built, and the JSON object of `core/documents.py` afterwards.

A folder may import itself and those before it: {order}; `tests/test_layout.py` enforces it."""
WALK = """## The path of one record

The {count} modules that one CloudTrail record passes through, besides those that a run without records uses anyway, in
the order of their first call; all signals count as one."""
EVERY = """A run with this record enters {count} modules in all. Besides those above:"""
_SIGNALS = f"{PACKAGE}.detect.signals"


def page(order: tuple[str, ...]) -> Iterator[str]:
    """Lines of docs/architecture.md."""
    beyond, every = walk()
    yield ABOUT.format(order=", ".join(f"`{name}`" for name in order))
    yield from ["", WALK.format(count=len(beyond)), "", "```mermaid", "flowchart LR"]
    steps = [f'"<b>{folder}</b><br>{"<br>".join(map(_within, names))}"' for folder, names in groupby(beyond, folder_of)]
    yield from (f"  s{number}[{step}]" for number, step in enumerate(steps))
    yield "  " + "-->".join(f"s{number}" for number in range(len(steps)))
    yield from ["```", "", EVERY.format(count=len(every)), ""]
    for folder in order:
        names = sorted(_within(name) for name in set(every) - set(beyond) if folder_of(name) == folder)
        if names:
            yield f"- `{folder}`: {', '.join(names)}"


def _within(module: str) -> str:
    """A module's name within its folder."""
    return module.split(".", 2)[2]


def walk() -> tuple[list[str], list[str]]:
    """Names of the modules in order of their first call: those beyond a run without records, and all of them."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        state = folder / "state.sqlite"
        usual = [call(day, "GetObject", "s3", "198.51.100.7") for day in range(1, 29)]
        jobs.score(job(folder, usual, state))
        with _called() as without:
            jobs.score(job(folder, [], state, learn=False))
        with _called() as result:
            jobs.score(job(folder, [call(28, "CreateAccessKey", "iam", "185.220.101.4")], state, learn=False))
    return [name for name in result if name not in without], [*result]


def job(folder: Path, records: list[dict[str, Any]], state: Path, learn: bool = True) -> jobs.ScoreJob:
    """What to score: the records, in a file."""
    path = folder / "records.ndjson"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
    return jobs.ScoreJob([str(path)], folder / "out", state, learn=learn)


def call(day: int, action: str, service: str, address: str) -> dict[str, Any]:
    """One record of CloudTrail."""
    arn = "arn:aws:iam::111111111111:user/ci"
    return {
        "eventVersion": "1.09", "eventTime": f"2026-02-{day:02}T10:00:00Z", "eventSource": f"{service}.amazonaws.com",
        "eventName": action, "awsRegion": "eu-west-1", "sourceIPAddress": address, "userAgent": "aws-cli/2.15",
        "eventID": f"{day}{action}", "recipientAccountId": "111111111111", "requestParameters": {"userName": "root"},
        "userIdentity": {"type": "IAMUser", "principalId": "AIDACI", "userName": "ci", "arn": arn,
                         "accountId": "111111111111", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
    }  # fmt: skip


@contextmanager
def _called() -> Iterator[dict[str, None]]:
    """Modules of the package of which a function was called, in order; a signal's stand under one name."""
    result: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        name = str(frame.f_globals.get("__name__", ""))
        if event == "call" and name.startswith(PACKAGE) and frame.f_code.co_name != "<module>":
            result.setdefault(_SIGNALS if name.startswith(_SIGNALS) else name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield result
    finally:
        sys.setprofile(before)
