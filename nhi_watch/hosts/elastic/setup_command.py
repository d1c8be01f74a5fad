"""`nhi elastic setup`: its arguments, and what it says."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.elastic import arguments
from nhi_watch.hosts.elastic import kibana as kibana_assets
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.setup import Step, api_key_request, role_request, setup

_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    arguments.connecting(parser)
    arguments.add_kibana(parser)
    parser.add_argument("--assets", metavar="DIR", type=Path,
                        help="write rules and dashboards as files, to be imported by hand")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    for flag, what in (("--api-key-request", "key"), ("--role-request", "role")):
        text = f"write the request for a {what} of least privilege; - prints it"
        parser.add_argument(flag, metavar="FILE", help=text)


def offline(args: argparse.Namespace, console: Console) -> bool:
    """Write the files that were asked for; True where there were any: that needs no cluster, and changes none.

    Raises:
        InputError: one of them cannot be written.
    """
    asked = (
        ("--api-key-request", args.api_key_request, "POST /_security/api_key", api_key_request),
        ("--role-request", args.role_request, "PUT /_security/role/nhi_run", role_request),
    )
    for flag, path, title, body in asked:
        if path:
            _write_request((flag, path, title), body(args.namespace, args.index), console)
    if args.assets:
        _write_assets(args, console)
    return any([args.assets, *(path for _, path, _, _ in asked)])


def _write_request(where: tuple[str, str, str], body: dict[str, Any], console: Console) -> None:
    flag, path, title = where
    told = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    if path == "-":
        console.out(title, told.decode(), sep="\n", highlight=False)
        return
    try:
        Path(path).write_bytes(told + b"\n")
    except OSError as error:
        raise InputError(f"{flag} {path}: {error.strerror}") from error


def _write_assets(args: argparse.Namespace, console: Console) -> None:
    folder: Path = args.assets
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in kibana_assets.files().items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InputError(f"--assets {folder}: {error.strerror}") from error
    if not args.json:
        console.out(f"wrote {', '.join(kibana_assets.files())} into {folder}", highlight=False)


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Set up, and say what changed."""
    where = arguments.kibana_of(args)
    steps = setup(client, args.namespace, args.dry_run)
    if where:
        with closing(Kibana(where)) as kibana:
            steps += kibana_assets.setup(kibana, args.dry_run)
    if args.json:
        listed = [{"kind": s.kind, "name": s.name, "change": s.change, "what": list(s.what)} for s in steps]
        arguments.print_json(console, {"dry_run": args.dry_run, "steps": listed})
        return 0
    tense = "would {} " if args.dry_run else "{}d "
    if not where:
        console.out("Kibana was left out: --kibana URL adds the rules that make alerts of ours, and the dashboards")
    for step in steps:
        text = "unchanged " if step.change == "none" else tense.format(step.change)
        console.out(f"{text}{step.kind} {step.name}{_what(step)}", highlight=False)
    return 0


def _what(step: Step) -> str:
    """What an update changes, if not too much to be read."""
    if not step.what:
        return ""
    more = len(step.what) - _SHOWN
    return f": {', '.join(step.what[:_SHOWN])}{f' and {more} more' if more > 0 else ''}"
