"""`nhi model`: show a model, or verify that its files are those of its manifest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from nhi_watch.detect import model

WHAT = ("show", "verify")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi model` takes."""
    parser.add_argument("what", choices=WHAT, metavar="|".join(WHAT))
    parser.add_argument("--model", type=Path, default=model.FOLDER, metavar="DIR", help="this one (default: shipped)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    """Show or verify.

    Raises:
        ModelError: a model does not match its manifest.
    """
    from nhi_watch.report import terminal

    card = model.load(args.model)
    if args.what == "verify":
        told = {"id": card.id, "sha256": card.sha256, "verified": True}
        console.print_json(json.dumps(told)) if args.json else console.print(
            f"{card.id} matches its manifest (SHA-256 {card.sha256}).", soft_wrap=True)  # fmt: skip
    elif args.json:
        console.out((args.model / model.MANIFEST).read_text("utf-8"), highlight=False)
    else:
        terminal.show_model(card, console)
    return 0
