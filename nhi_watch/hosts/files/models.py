"""`nhi model`: show a model, or verify that its files are those of its manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from nhi_watch.detect import model
from nhi_watch.hosts.files import common

WHAT = ("show", "verify")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi model` takes."""
    parser.add_argument("what", choices=WHAT, metavar="|".join(WHAT))
    parser.add_argument("--model", type=Path, default=model.FOLDER, metavar="DIR", help="its folder (default: shipped)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    """Show or verify.

    Raises:
        ModelError: a model does not match its manifest.
    """
    from nhi_watch.report import terminal

    loaded = model.load(args.model)
    if args.what == "verify":
        document = {"id": loaded.id, "sha256": loaded.sha256, "verified": True}
        return common.answer(args, console, document, f"{loaded.id} matches its manifest (SHA-256 {loaded.sha256}).")
    if args.json:
        console.out((args.model / model.MANIFEST).read_text("utf-8"), highlight=False)
    else:
        terminal.show_model(loaded, console)
    return 0
