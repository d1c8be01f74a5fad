"""An earlier version of the program, for figures of before and after that one command makes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nhi_watch_lab
from nhi_watch.core.errors import InputError

ROOT = Path(nhi_watch_lab.__path__[0]).parents[1]
BEFORE_BOUNDS = "fe2fb21e802a7fbacc7992f42f754167729fad35"
"""The last commit before a flood took one place, and what is new in a day was bounded."""


@contextmanager
def tree(revision: str, *files: str) -> Iterator[Path]:
    """A folder with the tree of a commit, in which `files` are those of today.

    Raises:
        InputError: this is no clone with that commit.
    """
    command = ["git", "-C", str(ROOT), "archive", revision]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise InputError(f"{revision}: needs a whole clone of the repository: {done.stderr.decode()[:200].strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        for name in files:
            (Path(folder) / name).write_bytes((ROOT / name).read_bytes())
        yield Path(folder)


def run(folder: Path, arguments: Sequence[str]) -> str:
    """What a program of that folder writes; `arguments` of Python, such as `-m` and a module.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(folder / "lab")))}
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *arguments], cwd=folder, env=paths, capture_output=True, text=True, check=True
    )
    return done.stdout
