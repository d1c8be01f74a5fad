"""Shadow mode: the same files scored by another model, beside the one in use and without touching its state.

The other model has a state of its own, which begins as a copy of the one in use: what it holds back from learning
differs, so its baselines may as well. Its folder is kept, so that the next run goes on from there.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import SEVERITIES
from nhi_watch.detect import model
from nhi_watch.hosts.files import jobs
from nhi_watch.hosts.files.jobs import Job
from nhi_watch.report import jsonlines

FOLDER = "shadow"
SHOWN = ("id", "title", "rank", "score")

Document = Mapping[str, Any]


class Ready(NamedTuple):
    """A job for the other model, with its own copy of the state as it was before the run."""

    job: Job


def prepare(job: Job, folder: Path) -> Ready:
    """Make the other model's job; to be called before the run that it is compared with.

    Raises:
        InputError: the records come from standard input, which cannot be read twice.
        ModelError: the other model does not match its manifest.
        StoreError: the state cannot be copied.
    """
    if "-" in job.paths:
        raise InputError("--shadow reads the paths twice; standard input can be read once, save it to a file first")
    card = model.load(folder)
    out = job.out / FOLDER / card.sha256[:12]
    out.mkdir(parents=True, exist_ok=True)
    state = out / "state.sqlite"
    if job.state is not None and job.state.is_file() and not state.exists():
        _copy(job.state, state)
    return Ready(job._replace(out=out, state=state, model=folder))


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
            here.backup(there)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{source}: cannot be copied for --shadow ({error}); is another run using it?") from error


def compare(ready: Ready, job: Job, old: Sequence[Document]) -> dict[str, Any]:
    """Score with the other model and compare: which notables come, go, and move. Written to OUT/shadow.json."""
    new = jobs.score(ready.job).notables
    told = {"old": model.load(job.model).id, "new": model.load(ready.job.model).id, "out": str(ready.job.out),
            **compared(old, new)}  # fmt: skip
    jsonlines.write(job.out / "shadow.json", [told])
    return told


def compared(old: Sequence[Document], new: Sequence[Document]) -> dict[str, Any]:
    """What differs between two lists of notables."""
    before, after = ({n["id"]: n for n in notables} for notables in (old, new))
    both = [(before[name], after[name]) for name in before if name in after]
    moved = [(a, b) for a, b in both if (a["rank"], a["score"]) != (b["rank"], b["score"])]
    return {
        "notables": {"old": len(before), "new": len(after), "both": len(both)},
        "gained": [_shown(n) for name, n in after.items() if name not in before],
        "lost": [_shown(n) for name, n in before.items() if name not in after],
        "moved": [_moved(a, b) for a, b in sorted(moved, key=lambda pair: -abs(pair[1]["score"] - pair[0]["score"]))],
        "severity": {name: [sum(n["severity"] == name for n in side.values()) for side in (before, after)]
                     for name in reversed(SEVERITIES)},
    }  # fmt: skip


def _shown(notable: Document) -> dict[str, Any]:
    return {name: notable[name] for name in SHOWN}


def _moved(old: Document, new: Document) -> dict[str, Any]:
    pairs = {name: [old[name], new[name]] for name in ("rank", "score")}
    return {"id": new["id"], "title": new["title"], **pairs}
