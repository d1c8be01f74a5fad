"""Finding a notable of the state by its id, and the trail that belongs to a state."""

from __future__ import annotations

import argparse
import getpass
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import SHORTEST, from_json, short_ids
from nhi_watch.core.status import RESOLVING
from nhi_watch.hosts.files import common
from nhi_watch.report import jsonlines
from nhi_watch.report.words import visible

if TYPE_CHECKING:
    from nhi_watch.detect.feedback import Verdict
    from nhi_watch.state.store import Rows

ABOUT = "the notable: its rank in the list, or its id, or the first six or more letters of its id"
"""How a notable is named."""


def every(rows: Rows) -> list[NotableDocument]:
    """All notables of a state: compromises, blind spots, exposures, posture; what is part of another has no place."""
    from nhi_watch.detect import blind_spots, ledger, publish
    from nhi_watch.detect.exposure import fast

    exposures = fast.stored(rows)
    own, compromises = fast.parted(
        (notable for notable in publish.stored(rows) if notable["kind"] == "compromise"), exposures
    )
    for compromise in compromises:
        compromise["listed"] = False
    return [*own, *compromises, *blind_spots.stored(rows), *exposures, *ledger.findings(rows)]


def notable_of(rows: Rows, name: str, out: Path) -> NotableDocument:
    """The notable of a state that a person means: by its rank in the folder's list, or by its id or the start of it.

    Raises:
        InputError: none or several are meant.
        StoreError: the state holds something else in its place.
    """
    from nhi_watch.detect.exposure import fast
    from nhi_watch.state.store import unpack

    packed = dict(_packed(rows))
    ident = chosen(name, packed, {row["rank"]: row["id"] for row in lists(out)})
    content = unpack(packed[ident])
    document: NotableDocument = content[1] if isinstance(content, list) else content
    try:
        from_json(document)
    except InputError as error:
        why = f"the row of {ident} in the state was altered ({error}); restore a copy, or use a new --out"
        raise StoreError(why) from error
    own, compromises = fast.parted([document], fast.stored(rows))
    return (own or compromises)[0]


def _packed(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """Id → notable, packed: there are many, and one is wanted. What was published comes last, and stands."""
    for table, low, high in _TABLES:
        yield from ((key.rpartition("/")[2], raw) for key, raw in rows.scan(table, low, high))


_TABLES = (
    ("notable", "", ":"),
    ("notable", "late/", "late0"),
    ("notable", "past/", "past0"),
    ("notable", "pub/", "pub0"),
    ("ledger", "exposure/", "exposure0"),
    ("ledger", "posture/", "posture0"),
)


def lists(out: Path) -> Iterator[NotableDocument]:
    """What the last run listed, and what it did not list.

    Raises:
        InputError: a line is no notable.
    """
    for row in chain(jsonlines.read_any(out / "notables.jsonl"), jsonlines.read_any(out / common.BELOW)):
        if not isinstance(row.get("id"), str) or not isinstance(row.get("rank"), int):
            raise InputError(f"{out}: a line of its lists is not a notable; score again")
        yield row


def listed(out: Path, name: str) -> Optional[NotableDocument]:
    """The notable of the folder's list that a person means; None where the list has none like it.

    Raises:
        InputError: several are meant, or there is no such rank, or the name is too short to be unique.
    """
    known = {str(row["id"]): row for row in lists(out)}
    plain = name.strip().lower()
    if len(plain) >= SHORTEST and not plain.isdecimal() and not any(ident.startswith(plain) for ident in known):
        return None
    return known[chosen(name, known, {row["rank"]: ident for ident, row in known.items()})]


def short(out: Path, ident: str) -> str:
    """The start of an id, long enough to be unique in the folder's list."""
    return short_ids([ident, *(row["id"] for row in lists(out))])[ident]


def chosen(name: str, ids: Collection[str], ranks: Mapping[int, str], what: str = "notable") -> str:
    """The id that is meant. A bare number is a rank of the last list or an error, never the start of an id.

    >>> chosen("2", ["2fab01c3", "99aabb00"], {2: "99aabb00"}), chosen("2fab01", ["2fab01c3", "99aabb00"], {})
    ('99aabb00', '2fab01c3')

    Raises:
        InputError: none or several are meant.
    """
    text, plain = name[:40], name.strip().lower()
    if plain in ids:
        return plain
    if plain.isdecimal() and what == "notable":
        ident = ranks.get(int(plain), "") if len(plain) < 10 else ""
        if ident not in ids:
            raise InputError(
                f"rank {text}: the list has {len(ranks)} rows. A bare number is a rank and never the start of an id"
            )
        return ident
    if what == "notable" and _RANGE.fullmatch(plain):
        raise InputError(f"{text!r} is no id: give ids or ranks with commas, such as 2,3,4")
    if len(plain) < SHORTEST:
        wrong = f"{text!r} is too short" if plain else f"which {what}"
        rank = ", or a rank of the list" if what == "notable" else ""
        raise InputError(f"{wrong}: give {SHORTEST} letters of the {what}'s id or more{rank}")
    matches = sorted(ident for ident in ids if ident.startswith(plain))
    if len(matches) != 1:
        if not matches:
            where = "; nhi list --all shows the ids" if what == "notable" else ""
            raise InputError(f"no {what}'s id begins with {text!r}{where}")
        which = ", ".join(short_ids(matches)[ident] for ident in matches[:5])
        raise InputError(f"{len(matches)} {what}s' ids begin with {text!r}: {which}; give more of the id")
    return matches[0]


_RANGE = re.compile(r"\d+-\d+")


def summary_line(notable: NotableDocument) -> str:
    """A notable in one line, for a person who is about to record something about it."""
    sure = f"{notable['likelihood']:g}% " if notable["likelihood"] else ""
    line = f"notable {notable['id']}, {sure}{notable['severity']}, {notable['first_time']}: {notable['title']}"
    return visible(line, 300)


def about_to(console: Console, what: str, as_json: bool) -> None:
    """Say what is about to be recorded, before it is; where a program reads the answer, on standard error."""
    common.say(Console(stderr=True, highlight=False) if as_json else console, f"Recording: {what}")


def verdicts(rows: Rows) -> Mapping[str, Verdict]:
    """Notable id → the verdict that stands."""
    if next(iter(rows.scan("ledger", "verdict/", "verdict0")), None) is None:
        return {}
    from nhi_watch.detect import feedback  # here: it takes longer than all else that most commands do

    return feedback.standing(feedback.verdicts(rows))


def standing(rows: Rows, notables: Iterable[NotableDocument]) -> dict[str, Verdict]:
    """Notable id → the verdict that stands, without those that do not cover what a notable shows now."""
    verdict_of = verdicts(rows)
    if not verdict_of:
        return {}
    from nhi_watch.detect import feedback

    said = feedback.Verdicts(rows, int(time.time()))
    mine = {notable["id"]: notable for notable in notables if notable["id"] in verdict_of}
    return {
        name: verdict_of[name]
        for name, item in mine.items()
        if verdict_of[name].verdict not in RESOLVING or said.resolution(item)
    }


def in_work(verdicts: Mapping[str, Verdict], notables: Iterable[NotableDocument]) -> Collection[str]:
    """Ids of the notables that were confirmed and are worked on; see `feedback.in_work`."""
    if not any(verdict.verdict == "confirmed" for verdict in verdicts.values()):
        return ()
    from nhi_watch.detect import feedback

    return feedback.in_work(verdicts, notables)


def work(rows: Rows) -> Mapping[str, Any]:
    """Notable id → its assignee, status and notes; see `detect.casework`."""
    if next(iter(rows.scan("ledger", "note/", "note0")), None) is None:
        return {}
    from nhi_watch.detect import casework

    return casework.standing(casework.read_notes(rows))


def trail(args: argparse.Namespace) -> Path:
    """The audit trail: the one named, else the one beside the state."""
    named = getattr(args, "audit", None)
    return Path(named) if named else common.state_of(args).parent / audit.NAME


def note(args: argparse.Namespace, what: str, by: str, facts: Mapping[str, Any]) -> None:
    """One line of the trail, with the account of the system that runs the program beside the name that was given."""
    audit.append(trail(args), what, by, {**facts, "login": login()})


def login() -> str:
    """The account of the system that runs the program."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
