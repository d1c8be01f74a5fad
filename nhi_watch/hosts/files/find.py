"""Finding a notable of the state by its id, and the trail that belongs to a state."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import msgspec
from rich.console import Console

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import SHORTEST, from_json, short_ids

if TYPE_CHECKING:
    from nhi_watch.state.store import Rows

ABOUT = "the notable: its rank in the list, or its id, of which six or more letters are enough"
"""How a notable is named."""


def every(rows: Rows) -> list[dict[str, Any]]:
    """All notables of a state: compromises, blind spots, exposures, posture; what is part of another has no place."""
    from nhi_watch.detect import blind_spots, ledger, lives
    from nhi_watch.detect.exposure import fast
    from nhi_watch.state.state import State

    exposures = fast.stored(rows)
    own, told = fast.parted(lives.standing(State(rows)), exposures)
    parts = ({**one, "listed": False} for one in told)
    return [*own, *parts, *blind_spots.stored(rows), *exposures, *ledger.findings(rows)]


def one(rows: Rows, name: str, out: Path) -> dict[str, Any]:
    """The notable of a state that a person means: by its rank in the folder's list, or by its id or the start of it.

    Raises:
        InputError: none or several are meant.
        StoreError: the state holds something else in its place.
    """
    from nhi_watch.detect.exposure import fast
    from nhi_watch.state.store import unpack

    packed = dict(_packed(rows))
    ident = chosen(name, packed, _ranks(out / "notables.jsonl"))
    found = packed[ident]
    document = found if isinstance(found, dict) else unpack(found)
    try:
        from_json(document)
    except InputError as error:
        raise StoreError(f"the row of {ident} in the state was altered ({error}); restore it, or learn anew") from error
    own, told = fast.parted([document], fast.stored(rows))
    return (own or told)[0]


def _packed(rows: Rows) -> Iterator[tuple[str, dict[str, Any] | bytes]]:
    """Id → notable, packed where its key tells the id: there are many, and one is wanted."""
    from nhi_watch.detect import blind_spots

    for table, low, high in _TABLES:
        yield from ((key.removeprefix("late/").partition("/")[2], raw) for key, raw in rows.scan(table, low, high))
    yield from ((told["id"], told) for told in blind_spots.stored(rows))


_TABLES = (("notable", "", ":"), ("notable", "late/", "late0"), ("ledger", "exposure/", "exposure0"),
           ("ledger", "posture/", "posture0"))  # fmt: skip


def listed(out: Path, name: str) -> Optional[dict[str, Any]]:
    """The notable of the folder's list that a person means; None where the list has none like it.

    Raises:
        InputError: several are meant, or there is no such rank, or the name is too short to tell.
    """
    known = {one.id: (one.rank, line) for one, line in _lists(out / "notables.jsonl")}
    ranks = {rank: ident for ident, (rank, _) in known.items()}
    plain = name.strip().lower()
    if len(plain) >= SHORTEST and not plain.isdecimal() and not any(ident.startswith(plain) for ident in known):
        return None
    return dict(json.loads(known[chosen(name, known, ranks)][1]))


def short(out: Path, ident: str) -> str:
    """The start of an id that tells it from the others of the folder's list."""
    return short_ids([ident, *_ranks(out / "notables.jsonl").values()])[ident]


def chosen(name: str, ids: Collection[str], ranks: Mapping[int, str], what: str = "notable") -> str:
    """The id that is meant. A bare number is a rank of the last list or an error, never the start of an id.

    >>> chosen("2", ["2fab01c3", "99aabb00"], {2: "99aabb00"}), chosen("2fab01", ["2fab01c3", "99aabb00"], {})
    ('99aabb00', '2fab01c3')

    Raises:
        InputError: none or several are meant.
    """
    told, plain = name[:40], name.strip().lower()
    if plain in ids:
        return plain
    if plain.isdecimal():
        ident = ranks.get(int(plain), "") if len(plain) < 10 else ""
        if ident not in ids:
            raise InputError(f"no {what} of the last list has rank {told}: it has {len(ranks)}. A bare number is a "
                             "rank and never the start of an id")  # fmt: skip
        return ident
    if len(plain) < SHORTEST:
        raise InputError(f"{told!r} is too short: give {SHORTEST} letters of the id or more, or a rank of the list")
    found = sorted(ident for ident in ids if ident.startswith(plain))
    if len(found) != 1:
        which = ": " + ", ".join(short_ids(found)[ident] for ident in found[:5]) if found else ""
        many = len(found) or "no"
        raise InputError(f"{many} {what}s begin with {told!r}{which}; list them, give more of the id")
    return found[0]


def _ranks(path: Path) -> dict[int, str]:
    return {one.rank: one.id for one, _ in _lists(path)}


class _Named(msgspec.Struct):
    """What names a notable; the rest of its line is passed over, which takes a tenth of the time."""

    id: str
    rank: int


def _lists(path: Path) -> Iterator[tuple[_Named, bytes]]:
    """What the last run listed, and what it left below the line, each with its line."""
    decode = msgspec.json.Decoder(_Named).decode
    for each in (path, path.with_name("below.jsonl")):
        done = 0
        try:
            for line in each.open("rb") if each.exists() else ():
                yield decode(line), line
                done += 1
        except msgspec.MsgspecError as error:
            raise InputError(f"{each}:{done + 1}: no notable ({error}); score again") from error
        except OSError as error:
            raise InputError(f"{each}: cannot be read: {error.strerror}") from error


def told(notable: Mapping[str, Any]) -> str:
    """A notable in one line, for whoever is about to record something about it."""
    from nhi_watch.report.words import visible

    sure = f"{notable['likelihood']:g}% " if notable["likelihood"] else ""
    line = f"notable {notable['id']}, {sure}{notable['severity']}, {notable['first_time']}: {notable['title']}"
    return visible(line, 300)


def about_to(console: Console, what: str, as_json: bool) -> None:
    """Say what is about to be recorded, before it is; where a program reads the answer, on standard error."""
    from nhi_watch.report.words import visible

    (Console(stderr=True, highlight=False) if as_json else console).print(
        f"Recording: {visible(what)}", markup=False, soft_wrap=True)  # fmt: skip


def trail(args: argparse.Namespace) -> Path:
    """The audit trail: the one named, else the one beside the state."""
    from nhi_watch.act import audit

    named = getattr(args, "audit", None)
    state: Path = args.state or args.out / "state.sqlite"
    return Path(named) if named else state.parent / audit.NAME


def add_trail(parser: argparse.ArgumentParser) -> None:
    """The option that names a trail."""
    parser.add_argument("--audit", type=Path, metavar="FILE", help="audit trail (default: beside the state)")


def login() -> str:
    """The account of the system that runs the program: kept beside the name that was given."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def json_file(path: Path, what: str) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: no {what} here ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: {what} is no JSON ({error})") from error
    if not isinstance(told, dict):
        raise InputError(f"{path}: {what} is no JSON object")
    return told
