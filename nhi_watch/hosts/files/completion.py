"""`nhi completion`: what lets a shell complete commands, options and the names of files."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import InputError

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi completion` takes."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that will load the printed script")


def run(args: argparse.Namespace, console: Console) -> int:
    """Print a script for a shell.

    Raises:
        InputError: the library is not installed.
    """
    if find_spec("shtab") is None:
        raise InputError("completion needs the library shtab: pip install 'nhi_watch[completion]'")
    import shtab

    parser = args.parser()  # of all commands
    _name_files(parser, {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
    console.file.write(shtab.complete(parser, args.shell))
    return 0


def _name_files(parser: argparse.ArgumentParser, words: dict[str, Any]) -> None:
    """Say of the arguments that are paths whether they are of files or folders."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _name_files(each, words)
        elif action.type is Path or action.metavar in ("PATH", *words):
            action.complete = words.get(str(action.metavar), words["FILE"])  # type: ignore[attr-defined]
