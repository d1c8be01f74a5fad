"""JSON lines and JSON documents, written whole or not at all."""

from __future__ import annotations

import glob
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY


def write(path: Path, objects: Iterable[Mapping[str, Any]]) -> int:
    """Write one object a line, replacing the file at once when all is written; returns the number of lines.

    Raises:
        InputError: the file cannot be written; what was there before is untouched.
    """
    count = 0
    with replacing(path) as stream:
        for item in objects:
            stream.write(as_line(item))
            count += 1
    return count


def holds(path: Path, objects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a file holds just these objects, as `write` writes them."""
    try:
        with path.open("rb") as stream:
            return all(stream.readline() == as_line(item) for item in objects) and not stream.read(1)
    except OSError:
        return False


def as_line(item: Mapping[str, Any]) -> bytes:
    """An object as one line of JSON."""
    try:
        return orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # Half a surrogate pair in a log value: orjson refuses it, the standard library escapes it.
        return json.dumps(item).encode("ascii") + b"\n"


def write_run(path: Path, run: Mapping[str, Any]) -> None:
    """`run.json`: one indented document, replaced at once.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as stream:
        stream.write(orjson.dumps(run, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read(path: Path) -> Iterator[Any]:
    """The objects of a JSON-lines file.

    Raises:
        InputError: the file cannot be read, or a line is no JSON object; it names the line.
    """
    number = 0
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                item = orjson.loads(line)
                if not isinstance(item, dict):
                    raise InputError(f"{path}:{number}: not a JSON object")
                yield item
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}:{number}: not JSON: {error}") from error


def read_any(path: Path) -> Iterator[Any]:
    """As `read`; nothing where there is no file."""
    return read(path) if path.exists() else iter(())


def temporary(path: Path) -> tuple[int, str]:
    """Make a file beside `path`, of a name that nobody can foresee, for its owner alone; also sweep up what runs that
    were killed left there, once no run can be writing it any more.

    Raises:
        OSError: it cannot be made.
    """
    for old in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with suppress(OSError):
            if time.time() - old.lstat().st_mtime > DAY:
                old.unlink()
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream to a temporary file beside `path` that takes its place when the block ends well.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = temporary(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o640)
        Path(name).replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)
