"""Who may write a file: what somebody else can write decides neither what is read nor what is hidden."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nhi_watch.core.errors import InputError

_JOURNALS = ("", "-wal", "-journal", "-shm")
"""What SQLite takes for a part of a database."""


def fault(path: Path) -> str:
    """Why what a file or folder holds may be somebody else's; "": it is the user's or root's alone to write.

    In a sticky folder, such as /tmp, nobody replaces what is another's.
    """
    for status in (path.lstat(), path.stat()):
        if status.st_uid not in (os.geteuid(), 0):
            return f"it belongs to another account (uid {status.st_uid})"
        is_sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not is_sticky:
            return f"other accounts may write it (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def faults_of_state(path: Path) -> str:
    """What is wrong with a state, its journals or its folder; names the first of them; "": nothing is."""
    parts = [path.parent, *(path.with_name(path.name + end) for end in _JOURNALS)]
    faults = ((part, fault(part)) for part in parts if part.exists())
    return next((f"{part}: {why}" for part, why in faults if why), "")


def demand_state(path: Path) -> None:
    """Refuse a state whose verdicts and habits somebody else may have written.

    Raises:
        InputError: says what is wrong, and what to do.
    """
    why = faults_of_state(path)
    if why:
        raise InputError(
            f"{why}, so another account may have written to the state; `chmod go-w` what is yours, "
            "or name another folder with --out or --state"
        )


def demand_results(path: Path) -> None:
    """Refuse a folder of results in which somebody else may write.

    Raises:
        InputError: says what is wrong, and what to do.
    """
    why = fault(path) if path.exists() else ""
    if why:
        raise InputError(
            f"{path}: {why}, so another account may replace the results; `chmod go-w` it if it is yours, "
            "or name another folder with --out"
        )
