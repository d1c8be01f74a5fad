"""`nhi verify`: recompute a notable's likelihood and receipt from the state, whatever was learnt since."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find

if TYPE_CHECKING:
    from nhi_watch.detect.explain.claims import ClaimCheck
    from nhi_watch.state.store import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi verify` takes."""
    parser.add_argument("id", metavar="NOTABLE", help=f"{find.ABOUT}; or a file with its JSON")
    parser.add_argument("--model", type=Path, metavar="DIR", help="folder of its model (default: the shipped one)")
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks, as when it was scored")
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Check a notable.

    Raises:
        InputError: something does not hold: it says what.
    """
    with common.opened(args) as rows:
        notable = _notable(args, rows)
        checks = _checks(args, rows, notable)
    wrong = [check for check in checks if check.holds is False]
    document = {"id": notable["id"], "verified": not wrong, "checks": [check._asdict() for check in checks]}
    words = {True: "holds", False: "DIFFERS", None: "can no longer be checked"}
    common.answer(args, console, document, *(f"{check.what:9} {words[check.holds]}: {check.told}" for check in checks))
    if wrong:
        names = ", ".join(check.what for check in wrong)
        hint = "if another version of the program wrote it, verify with that version"
        hint = hint if args.networks else f"if it was scored with --networks, give the same list; {hint}"
        raise InputError(f"notable {notable['id']} does not verify: {names} differ; {hint}")
    return 0


def _notable(args: argparse.Namespace, rows: Rows) -> NotableDocument:
    """What was handed to people: a file, else the folder's list, else the state's own copy."""
    if Path(args.id).is_file():
        return cast(NotableDocument, common.json_file(Path(args.id), "notable"))
    notable = find.listed(args.out, args.id) if (args.out / "notables.jsonl").exists() else None
    return notable or find.notable_of(rows, args.id, args.out)


def _checks(args: argparse.Namespace, rows: Rows, notable: NotableDocument) -> list[ClaimCheck]:
    from nhi_watch.context import networks
    from nhi_watch.detect import blind_spots, model
    from nhi_watch.detect.explain import claims

    if notable.get("kind") == "blind_spot":
        return blind_spots.verify(rows, notable)
    try:
        wanted = str(notable["receipt"]["model"])
    except (KeyError, TypeError) as error:
        raise InputError(f"this is not a notable: it has no receipt ({error})") from error
    loaded = model.load(args.model or model.FOLDER)
    if args.model is None and loaded.sha256 != wanted and notable.get("kind") == "compromise":
        raise InputError(f"the model {wanted[:12]} is not the shipped one; give its folder with --model")
    known = networks.load(args.networks) if args.networks else networks.SHIPPED
    return claims.verify(rows, loaded, notable, known)
