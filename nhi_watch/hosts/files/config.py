"""`nhi.toml`: what would be typed on each run.

Found in the folder where the program runs, or named by `nhi --config FILE`. Paths in it count from its own folder;
`paths` may hold patterns (`logs/*.json.gz`). What is typed on the command line counts before what it says.
"""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import SEVERITIES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "nhi.toml"
DETAILS = ("title", "summary")
"""How much of a notable a notification tells."""


class Notify(NamedTuple):
    """The table `[notify]`: who is told of what."""

    urls: tuple[str, ...]
    """Receivers, as the library apprise writes them; each may hold a secret."""
    min_severity: str = "medium"
    detail: str = "title"
    after_score: bool = True
    """Whether each `nhi score` tells; else `nhi notify` alone does."""


class Config(NamedTuple):
    """What the file says."""

    path: Optional[Path]
    """None: there is none."""
    arguments: Mapping[str, Any]
    """Name of a command's argument → what it is where it is not typed."""
    notify: Optional[Notify]


NOTHING = Config(None, {}, None)


def load(named: Optional[Path]) -> Config:
    """The configuration that was named, else that of the current folder, else nothing.

    Raises:
        InputError: it cannot be read, or a key is wrong: it names file and key.
    """
    path = named or Path(NAME)
    if not named and not path.is_file():
        return NOTHING
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name another one with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is no TOML ({error})") from error
    table = _Table(path, "", told)
    table.demand_known((*_ARGUMENTS, "notify"))
    arguments = {name: read(table, name) for name, read in _ARGUMENTS.items() if name in told}
    return Config(path, arguments, _notify(table) if "notify" in told else None)


def give(parser: argparse.ArgumentParser, told: Config) -> None:
    """Let a command, and the commands below it, have what the file says where nothing is typed."""
    for action in parser._actions:
        if action.dest in told.arguments:
            parser.set_defaults(**{action.dest: told.arguments[action.dest]})
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                give(below, told)
    parser.set_defaults(config=told)


class _Table:
    """One table of the file, of which each key is read with a demand."""

    def __init__(self, path: Path, name: str, told: Mapping[str, Any]) -> None:
        self._path, self._name, self._told = path, name, told

    def wrong(self, key: str, what: str) -> InputError:
        """The error of a key."""
        return InputError(f"{self._path}: {self._name}{key}: {what}")

    def demand_known(self, known: Sequence[str]) -> None:
        for key in self._told:
            if key not in known:
                raise self.wrong(key, f"there is no such key; known are {', '.join(known)}")

    def below(self, key: str) -> _Table:
        if not isinstance(self._told[key], dict):
            raise self.wrong(key, f"needs a table: [{key}]")
        return _Table(self._path, f"{key}.", self._told[key])

    def text(self, key: str, among: Sequence[str] = ()) -> str:
        told = self._told[key]
        if not isinstance(told, str) or not told or (among and told not in among):
            raise self.wrong(key, f"needs {'one of ' + ', '.join(among) if among else 'a text'}, not {told!r:.60}")
        return told

    def texts(self, key: str) -> list[str]:
        told = [self._told[key]] if isinstance(self._told[key], str) else self._told[key]
        if not isinstance(told, list) or not told or not all(isinstance(one, str) and one for one in told):
            raise self.wrong(key, f"needs texts, such as [\"a\", \"b\"], not {told!r:.60}")
        return told

    def flag(self, key: str) -> bool:
        if not isinstance(self._told[key], bool):
            raise self.wrong(key, f"needs true or false, not {self._told[key]!r:.60}")
        return bool(self._told[key])

    def path(self, key: str) -> Path:
        return self._path.parent / Path(self.text(key)).expanduser()

    def file(self, key: str) -> Path:
        return self._there(key, self.path(key))

    def files(self, key: str) -> list[Path]:
        return [self._there(key, self._path.parent / Path(text).expanduser()) for text in self.texts(key)]

    def patterns(self, key: str) -> list[str]:
        """Paths of logs; a pattern stands for what it matches now, and must match something."""
        found = []
        for text in self.texts(key):
            path = str(self._path.parent / Path(text).expanduser())
            matched = [text] if text == "-" else sorted(glob.glob(path, recursive=True)) or [path]  # noqa: PTH207 - it may be absolute
            if matched == [path] and glob.has_magic(path):
                raise self.wrong(key, f"nothing matches {text}")
            found += matched
        return found

    def budget(self, key: str) -> float:
        told = self._told[key]
        if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 < told <= 1000:
            raise self.wrong(key, f"needs a number above 0 and up to 1000, not {told!r:.60}")
        return float(told)

    def _there(self, key: str, path: Path) -> Path:
        if not path.is_file():
            raise self.wrong(key, f"there is no file {path}")
        return path


_ARGUMENTS: dict[str, Callable[[_Table, str], Any]] = {
    "paths": _Table.patterns, "out": _Table.path, "state": _Table.path, "assets": _Table.file,
    "networks": _Table.file, "reputation": _Table.files, "budget": _Table.budget,
}  # fmt: skip


def _notify(whole: _Table) -> Notify:
    table = whole.below("notify")
    told = table._told
    table.demand_known(("urls", "urls_file", *Notify._fields[1:]))
    urls = table.texts("urls") if "urls" in told else []
    if "urls_file" in told:
        lines = table.file("urls_file").read_text("utf-8").splitlines()
        urls = [*urls, *(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))]
    if not urls:
        raise whole.wrong("notify", "needs receivers: urls, or urls_file with one a line")
    found = Notify(tuple(dict.fromkeys(urls)))
    if "min_severity" in told:
        found = found._replace(min_severity=table.text("min_severity", SEVERITIES))
    if "detail" in told:
        found = found._replace(detail=table.text("detail", DETAILS))
    return found._replace(after_score=table.flag("after_score")) if "after_score" in told else found
