"""`nhi audit`: check the audit trail, hand it out, or mend its end after a crash."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi audit` takes."""
    about = "repair: cut away half a line that a crash left; the trail says so"
    parser.add_argument("what", choices=("verify", "export", "repair"), help=about)
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="export: where to; .csv or .jsonl")
    parser.add_argument("--head", default="", metavar="HASH", help="a head noted earlier, which must be in the trail")
    find.add_trail(parser)
    parser.add_argument("--out", type=Path, default=common.OUT, metavar="DIR", help=f"folder (default: {common.OUT})")
    parser.add_argument("--state", type=Path, metavar="FILE", help="the state beside which the trail lies")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace, console: Console) -> int:
    """Walk the chain, and export it where asked; or mend its end.

    Raises:
        InputError: there is no trail, or its chain is broken: names the line.
        StoreError: it cannot be mended.
    """
    from nhi_watch.act import audit

    path = find.trail(args)
    if args.what == "repair":
        return _repair(path, args, console)
    told = audit.verify(path, args.head)
    if told.fault:
        raise InputError(f"{path}: {told.fault}; the {told.lines} lines before it hold")
    if args.what == "export":
        _export(path, args.file)
    if args.json:
        console.print_json(json.dumps({"lines": told.lines, "head": told.head.hash, "verified": True}))
    else:
        wrote = f" Written to {args.file}." if args.what == "export" else ""
        console.print(f"{told.lines:,} lines hold; head {told.head.hash}.{wrote}", markup=False, soft_wrap=True)
    return 0


def _repair(path: Path, args: argparse.Namespace, console: Console) -> int:
    from nhi_watch.act import audit

    lost = audit.repair(path, find.login())
    head = audit.verify(path).head
    if args.json:
        console.print_json(json.dumps({"lines": head.seq, "lost": lost, "head": head.hash}))
        return 0
    done = f"Lost: {lost}." if lost else "Nothing to mend."
    console.print(f"{done} {head.seq:,} lines hold; head {head.hash}.", markup=False, soft_wrap=True)
    return 0


def _export(path: Path, to: Path | None) -> None:
    from nhi_watch.act import audit
    from nhi_watch.report import jsonlines

    if to is None or to.suffix not in (".jsonl", ".csv"):
        raise InputError("nhi audit export FILE: name a .jsonl or .csv")
    with jsonlines.replacing(to) as stream:
        if to.suffix == ".csv":
            stream.write(_cells(["seq", "time", "what", "by", "facts", "hash"]))
        for line in audit.lines(path):
            row = json.loads(line)
            told = [str(row["seq"]), row["time"], row["what"], row["by"], json.dumps(row["facts"]), row["hash"]]
            stream.write(_cells(told) if to.suffix == ".csv" else line)


def _cells(texts: list[str]) -> bytes:
    """One line of CSV; a leading apostrophe keeps a spreadsheet from taking text for a formula."""
    safe = [f"'{t}" if t[:1] in ("=", "+", "-", "@", "\t", "\r") else t for t in texts]
    return (",".join('"' + t.replace('"', '""') + '"' for t in safe) + "\r\n").encode("utf-8", "replace")
