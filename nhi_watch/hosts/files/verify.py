"""`nhi verify`: recompute a notable's likelihood and receipt from the state, whatever was learnt since."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find

if TYPE_CHECKING:
    from nhi_watch.detect.explain.claims import Check
    from nhi_watch.state.store import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi verify` takes."""
    parser.add_argument("id", metavar="NOTABLE", help=f"{find.ABOUT}; or a file with its JSON")
    parser.add_argument("--model", type=Path, metavar="DIR", help="where its model lies (default: shipped)")
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks, as they were then")
    common.add_state(parser, assets=False)
    add_elastic(parser)


def add_elastic(parser: argparse.ArgumentParser) -> None:
    """Where to find a state that lies in Elasticsearch."""
    parser.add_argument("--url", metavar="URL", help="read the state of `nhi elastic run` there instead")
    parser.add_argument("--api-key-file", metavar="FILE", help="the encoded API key (or NHI_ELASTIC_API_KEY)")
    parser.add_argument("--ca", metavar="FILE", help="PEM of the authority that signed the cluster's certificate")
    parser.add_argument("--namespace", default="default", help="of the job (default: default)")


def _read_only() -> None:
    """Called before anything is written to the cluster; a scan of a state writes a row that says nothing."""


@contextmanager
def state_of(args: argparse.Namespace) -> Iterator[Rows]:
    """The rows of the state that the arguments name; nothing is written.

    Raises:
        InputError: there is none.
        StoreError: it cannot be read.
    """
    if not args.url:
        with common.opened(args) as store:
            yield store
        return
    from nhi_watch.hosts.elastic import cluster, setup
    from nhi_watch.hosts.elastic.store import ElasticStore

    where = cluster.connection(cluster.Told(args.url, api_key_file=args.api_key_file, ca=args.ca))
    with cluster.reached(where), cluster.connect(where) as client:
        rows = ElasticStore(client, f"{setup.STATE}-{args.namespace}", _read_only)
        try:
            yield rows
        finally:
            rows.close()


def run(args: argparse.Namespace, console: Console) -> int:
    """Check a notable.

    Raises:
        InputError: something does not hold: it says what.
    """
    with state_of(args) as rows:
        notable = _notable(args, rows)
        checks = _checks(args, rows, notable)
    wrong = [check for check in checks if check.holds is False]
    if args.json:
        told = {"id": notable["id"], "verified": not wrong, "checks": [check._asdict() for check in checks]}
        console.print_json(json.dumps(told))
    else:
        _tell(checks, console)
    if wrong:
        names = ", ".join(check.what for check in wrong)
        hint = "where by another version of the program, ask that one"
        hint = hint if args.networks else f"where it was scored with --networks, give the same list; {hint}"
        raise InputError(f"notable {notable['id']} does not verify: {names} came out otherwise; {hint}")
    return 0


def _notable(args: argparse.Namespace, rows: Rows) -> dict[str, Any]:
    """What was handed to people: a file, else the folder's list, else the state's own copy."""
    if Path(args.id).is_file():
        return find.json_file(Path(args.id), "notable")
    found = find.listed(args.out, args.id) if not args.url and (args.out / "notables.jsonl").exists() else None
    return found or find.one(rows, args.id, args.out)


def _checks(args: argparse.Namespace, rows: Rows, notable: dict[str, Any]) -> list[Check]:
    from nhi_watch.context import networks
    from nhi_watch.detect import blind_spots, model
    from nhi_watch.detect.explain import claims

    if notable.get("kind") == "blind_spot":
        return blind_spots.verify(rows, notable)
    try:
        wanted = str(notable["receipt"]["model"])
    except (KeyError, TypeError) as error:
        raise InputError(f"this is no notable: it has no receipt ({error})") from error
    card = model.load(args.model or model.FOLDER)
    if args.model is None and card.sha256 != wanted and notable.get("kind") == "compromise":
        raise InputError(f"the model {wanted[:12]} is not the one that ships; give --model its folder")
    known = networks.load(args.networks) if args.networks else networks.SHIPPED
    return claims.verify(rows, card, notable, known)


def _tell(checks: list[Check], console: Console) -> None:
    from nhi_watch.report.words import visible

    words = {True: "holds", False: "DIFFERS", None: "cannot be checked any more"}
    for check in checks:
        console.print(visible(f"{check.what:9} {words[check.holds]}: {check.told}", 400), markup=False, soft_wrap=True)
