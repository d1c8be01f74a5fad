"""What people are doing about notables: notes, who works on each, and whether somebody does.

| table, key | row |
|---|---|
| ledger, note/NOTABLE/SECOND/WHO | one note: it may assign the notable, and say that work on it has begun or stopped |

Rows are only ever added. None of it changes what is listed: that is what verdicts are for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render
from nhi_watch.state.store import Rows, pack, unpack

IN_PROGRESS, WAITING = "in progress", "waiting"
STATUSES = (IN_PROGRESS, WAITING)
NOBODY = "nobody"
"""Whom a notable is assigned to, so that it is unassigned again."""


class Note(NamedTuple):
    """One entry about a notable."""

    notable_id: str
    time: int
    by: str
    text: str = ""
    assignee: str = ""
    """Whom it is assigned to by this; "": that stays as it was."""
    status: str = ""
    """in progress | waiting; "": that stays as it was."""


def make_note(notable_id: str, by: str, now: int, text: str = "", assignee: str = "", status: str = "") -> Note:
    """A checked note.

    Raises:
        InputError: all that is wrong with it, at once.
    """
    wrong = [
        (not by.strip(), "it needs --by"),
        (not (text.strip() or assignee.strip() or status), "it needs a text, --assign or --status"),
        (bool(status) and status not in STATUSES, f"status {status[:40]!r}: give {' or '.join(STATUSES)}"),
    ]
    if any(holds for holds, _ in wrong):
        raise InputError("; ".join(why for holds, why in wrong if holds))
    return Note(notable_id, now, clip(by.strip(), 100), clip(text.strip(), 1000), clip(assignee.strip(), 100), status)


def put(rows: Rows, note: Note) -> None:
    """Add a note."""
    who = hashlib.sha256("|".join(note[2:]).encode()).hexdigest()[:12]
    rows.put("ledger", [(f"note/{note.notable_id[:100]}/{note.time:011d}/{who}", pack(list(note)))])


def read_notes(rows: Rows) -> list[Note]:
    """All notes in the order in which they were made."""
    notes = (Note(*unpack(raw)) for _, raw in rows.scan("ledger", "note/", "note0"))
    return sorted(notes, key=lambda note: (note.time, note.notable_id, note.by))


def standing(notes: Iterable[Note]) -> dict[str, dict[str, Any]]:
    """Notable → its assignee, its status and its notes, as JSON has them."""
    work: dict[str, dict[str, Any]] = {}
    for note in notes:
        mine = work.setdefault(note.notable_id, {"assignee": "", "status": "", "notes": []})
        mine["assignee"] = note.assignee or mine["assignee"]
        mine["status"] = note.status or mine["status"]
        mine["notes"].append(
            {
                "time": render(note.time),
                "by": note.by,
                "text": note.text,
                "assignee": note.assignee,
                "status": note.status,
            }
        )
    for mine in work.values():
        mine["assignee"] = "" if mine["assignee"] == NOBODY else mine["assignee"]
    return work


def said(work: Mapping[str, Any]) -> str:
    """Who works on a notable, in a few words.

    >>> said({"assignee": "ann", "status": "in progress", "notes": [{}]})
    'in progress, assigned to ann, 1 note'
    """
    texts = sum(bool(note.get("text", True)) for note in work["notes"])
    parts = [
        work["status"],
        f"assigned to {work['assignee']}" if work["assignee"] else "",
        f"{texts} note{'s'[: texts != 1]}" if texts else "",
    ]
    return ", ".join(filter(None, parts))
