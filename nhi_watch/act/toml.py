"""Files of TOML that people write: each key is demanded to be of its kind, and an error names file and key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nhi_watch.core.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = TypeVar("Kind")


def load(path: Path, kind: type[Kind], what: str) -> Kind:
    """A file as an object; paths in it count from its own folder.

    Raises:
        InputError: it cannot be read, or a key is wrong.
    """
    try:
        return parsed(path, path.read_bytes(), kind, what)
    except OSError as error:
        raise InputError(f"{path}: the {what} cannot be read ({error.strerror}); name another one") from error


def parsed(path: Path, raw: bytes, kind: type[Kind], what: str) -> Kind:
    """As `load`, of what is or shall be in a file."""

    def located(kind: Any, text: str) -> Path:
        if not text:
            raise ValueError("it needs a text")
        return path.parent / Path(text).expanduser()

    try:
        return msgspec.convert(tomllib.loads(raw.decode("utf-8")), kind, dec_hook=located)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the {what} is not valid TOML ({error})") from error
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise InputError(f"{path}: {place.strip('.`')}{': ' if place else ''}{reason}") from error
