"""Which files to read: the paths that were given, and in folders what looks like a log, each file once.

Those who write into a folder of logs must not choose what else is read: links that lead out of the folder are skipped,
and what is found in a folder is opened without following a link. Whatever is skipped is reported.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Optional

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files.reader import formats
from nhi_watch.hosts.files.reader.batch import Bad, Passed
from nhi_watch.hosts.files.reader.chunks import USUAL, Bounds, Chunks
from nhi_watch.hosts.files.reader.lines import is_auditd, is_table
from nhi_watch.hosts.files.reader.parquet import is_parquet

STDIN = "-"
_SUFFIXES = {".json", ".ndjson", ".jsonl", ".log"}
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[{\]])')
_NOTHING = {"": "an empty path (a variable that is not set?)", STDIN: "standard input is closed"}
_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


_NO_LOG = "not recognized as a log; name the file itself if it is one"


class InputFiles(NamedTuple):
    """The files to read, in their order, and what is not read."""

    files: list[Path]
    bad: list[Bad]
    passed: list[Passed]
    given: set[Path]
    """Those of the files that were named: a link among them is followed."""
    hidden: list[tuple[Path, Path]]
    """What is hidden in a folder, and the folder that was given."""
    bounds: Bounds = USUAL
    """What each file may cost."""


def find(paths: Sequence[str], besides: Optional[Path] = None) -> InputFiles:
    """Files among and below the paths; folders by name, depth first, each file once.

    In a folder a file counts when its name has a suffix of a log or its content starts like JSON
    (Firehose writes files without a suffix); hidden ones do not, and they are reported if they look like one. A folder
    `besides` those is passed over: what earlier runs wrote is no log.

    Raises:
        InputError: when no path at all can be used.
    """
    files, usable = InputFiles([], [], [], set(), []), 0
    seen = {_key(besides.stat())} if besides and besides.is_dir() else set[tuple[int, int]]()
    for text in paths:
        before = len(files.bad)
        if text == STDIN and sys.stdin is not None:
            files.files.append(Path(STDIN))
        elif text in ("", STDIN):
            files.bad.append(Bad(text or '""', 0, "unreadable_file", b"", 0, _NOTHING[text]))
        else:
            _visit(Path(text), files, seen, None)
        usable += len(files.bad) == before or os.path.isdir(text)  # noqa: PTH112 - Path raises where a name is too long
    if not usable:
        raise InputError(_complaint(paths, files.bad))
    _pass_hidden(files, seen)
    return files


def _complaint(paths: Sequence[str], bad: list[Bad]) -> str:
    if not paths:
        return "no input: name files or folders of logs, or - for standard input"
    text = "; ".join(f"{piece.file}: {piece.detail}" for piece in bad[:3])
    return f"nothing to read: {text}. Check the path and its permissions"


def _visit(path: Path, files: InputFiles, seen: set[tuple[int, int]], root: Optional[Path]) -> None:
    """`root`: the folder that was given, without links; None where the path itself was."""
    try:
        status = path.stat()
        key = _key(status)
        if key in seen:
            return
        if root and path.is_symlink():
            path = path.resolve()
            if not path.is_relative_to(root):
                files.passed.append(Passed(shown(path), "a symbolic link out of the given folder leads here", True))
                return
        if stat.S_ISDIR(status.st_mode):
            seen.add(key)
            _enter(path, files, seen, root or path.resolve())
        elif root is None or stat.S_ISREG(status.st_mode):
            _take(path, status.st_mode, root is None, files)
            seen.add(key)
        else:
            files.passed.append(Passed(shown(path), "neither a file nor a folder", False))
    except OSError as error:
        files.bad.append(unreadable(path, error.strerror or str(error)))
    except RecursionError:
        files.bad.append(unreadable(path, "folders are nested too deeply"))


def _enter(path: Path, files: InputFiles, seen: set[tuple[int, int]], root: Path) -> None:
    for child in sorted(path.iterdir(), key=lambda child: child.name):
        if not child.name.startswith("."):
            _visit(child, files, seen, root)
        else:
            files.hidden.append((child, root))


def _pass_hidden(files: InputFiles, seen: set[tuple[int, int]]) -> None:
    """Tell of what is hidden and was not given by its name as well; it may hold records where it looks like a log."""
    for child, root in files.hidden:
        inside = InputFiles([], [], [], set(), [])
        _visit(child, inside, seen, root)
        _pass_hidden(inside, seen)
        if inside.files or inside.bad or inside.passed:
            matters = bool(inside.files or inside.bad) or any(passed.may_matter for passed in inside.passed)
            files.passed.append(Passed(shown(child), "hidden; name the file itself to read it", matters))


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _take(path: Path, mode: int, given: bool, files: InputFiles) -> None:
    if given and not stat.S_ISREG(mode) and not str(path).startswith(_PIPES):
        files.bad.append(unreadable(path, "neither a file nor a folder"))
    elif not os.access(path, os.R_OK):
        files.bad.append(unreadable(path, "no permission to read"))
    elif given:
        files.files.append(path)
        files.given.add(path)
    else:
        _consider(path, files)


def _consider(path: Path, files: InputFiles) -> None:
    """Take a file of a folder if it looks like a log, by its name or what it begins with."""
    named = bool(_SUFFIXES & {suffix.lower() for suffix in path.suffixes})
    if named or _sniff(head := _head(path)):
        files.files.append(path.absolute() if str(path) == STDIN else path)
        return
    if not head:
        return  # empty: there is nothing to read
    known = formats.look(path.name, head)
    matters = known is not None and known.may_matter
    files.passed.append(Passed(shown(path), known.detail if known and matters else _NO_LOG, matters))


def _head(path: Path) -> bytes:
    with opened(path, given=False) as file:
        return next(iter(Chunks(file)), b"")


def _sniff(head: bytes) -> bool:
    return bool(_JSON.match(head)) or is_auditd(head) or is_parquet(head) or is_table(head)


def opened(path: Path, given: bool) -> BinaryIO:
    """A file for reading; one that was not given by name is not opened through a link.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    follow = 0 if given else os.O_NOFOLLOW
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | follow), "rb", buffering=0)


def unreadable(path: Path, why: str) -> Bad:
    """A file that cannot be read, as the one record that it counts for."""
    return Bad(shown(path), 0, "unreadable_file", b"", 0, why)


def shown(path: Path) -> str:
    """A path as text; bytes of its name that are not UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")


def sizes(files: Sequence[Path]) -> Iterator[int]:
    """Bytes of each file; 0 for a stream or one that has just gone."""
    for path in files:
        try:
            status = path.stat()
        except OSError:
            yield 0
            continue
        yield status.st_size if stat.S_ISREG(status.st_mode) else 0
