"""Finding a notable of the state by its id, and the trail that belongs to a state."""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhi_watch.core.errors import InputError

if TYPE_CHECKING:
    from nhi_watch.state.rows import Rows

ABOUT = "the notable: its rank in the list, or its id, of which six or more letters are enough"
"""How a notable is named."""


def every(rows: Rows) -> list[dict[str, Any]]:
    """All notables of a state: compromises, blind spots, exposures, posture."""
    from nhi_watch.detect import blind_spots, ledger
    from nhi_watch.detect.exposure import fast
    from nhi_watch.state.state import State

    return [*State(rows).every_notable(), *blind_spots.stored(rows), *fast.stored(rows), *ledger.findings(rows)]


def one(rows: Rows, name: str, out: Path) -> dict[str, Any]:
    """The notable whose id is, or begins with, `name`; or that has this number in the folder's list.

    Raises:
        InputError: none or several are meant.
    """
    notables = every(rows)
    name = _by_rank(out / "notables.jsonl", name) if name.isdecimal() and len(name) < 6 else name
    found = [n for n in notables if n["id"] == name] or [n for n in notables if name and n["id"].startswith(name)]
    if len(found) != 1:
        raise InputError(f"{len(found)} notables begin with {name[:40]!r}; `nhi score` lists them, give more of an id")
    return found[0]


def _by_rank(path: Path, number: str) -> str:
    from nhi_watch.report import jsonlines

    found = jsonlines.read(path) if path.exists() else iter(())
    return next((str(n["id"]) for n in found if n["rank"] == int(number)), number)


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
