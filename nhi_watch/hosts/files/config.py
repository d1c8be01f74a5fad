"""`nhi.toml`: default options.

Found in the folder where the program runs, or named by `nhi --config FILE`. Paths in it count from its own folder;
`paths` may hold patterns (`logs/*.json.gz`). What is typed on the command line counts before what it says.

It says where results and texts of notables go, and which networks are the customer's. So one that was found, not named,
is refused where others may write it, and where its folder holds the logs: those who write logs may write it, too.
"""

from __future__ import annotations

import argparse
import glob
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import msgspec

from nhi_watch.act import toml
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import trust

NAME = "nhi.toml"
Text = Annotated[str, msgspec.Meta(min_length=1)]
Texts = Union[Text, Annotated[list[Text], msgspec.Meta(min_length=1)]]


class Notify(msgspec.Struct, forbid_unknown_fields=True):
    """The table `[notify]`: who is notified of what."""

    urls: Optional[Texts] = None
    """Receivers, as the library apprise writes them; each may hold a secret."""
    urls_file: Optional[Path] = None
    """The same, one a line."""
    min_severity: Literal["informational", "low", "medium", "high", "critical"] = "medium"
    detail: Literal["title", "summary"] = "title"
    """How much of a notable is sent."""
    after_score: bool = True
    """Whether each `nhi score` sends; else `nhi notify` alone does."""

    @property
    def receivers(self) -> list[str]:
        """All of them, each once."""
        lines = self.urls_file.read_text("utf-8").splitlines() if self.urls_file else []
        urls = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        return list(dict.fromkeys([*_texts(self.urls), *urls]))


class _ConfigFile(msgspec.Struct, forbid_unknown_fields=True):
    paths: Optional[Texts] = None
    out: Optional[Path] = None
    state: Optional[Path] = None
    assets: Optional[Path] = None
    networks: Optional[Path] = None
    reputation: Optional[Texts] = None
    budget: Optional[Annotated[float, msgspec.Meta(gt=0, le=1000)]] = None
    notify: Optional[Notify] = None


class Config(NamedTuple):
    """What the file says."""

    path: Optional[Path]
    """None: there is none."""
    arguments: Mapping[str, Any]
    """Name of a command's argument → what it is where it is not typed."""
    notify: Optional[Notify]
    is_named: bool = False
    """Whether somebody named it, so that nobody else can have put it there."""


NOTHING = Config(None, {}, None)


def load(named: Optional[Path]) -> Config:
    """The configuration that was named, else that of the current folder, else nothing.

    Raises:
        InputError: it cannot be read, a key is wrong (it names file and key), or others may write it.
    """
    path = named or Path(NAME)
    if not named and not path.is_file():
        return NOTHING
    why = "" if named else trust.fault(path)
    if why:
        raise InputError(
            f"{path.absolute()}: {why}, so it is not used; `chmod go-w` it if it is yours, move it away, "
            "or name it with --config"
        )
    content = toml.load(path, _ConfigFile, "configuration")
    lists = [path.parent / Path(text).expanduser() for text in _texts(content.reputation)]
    asked = {**msgspec.structs.asdict(content), "paths": list(_matched(path, content.paths)), "reputation": lists}
    files = [("assets", content.assets), ("networks", content.networks), *(("reputation", path) for path in lists)]
    files += [("notify.urls_file", content.notify.urls_file)] if content.notify else []
    for key, file in files:
        if file and not file.is_file():
            raise InputError(f"{path}: {key}: there is no file {file}")
    if content.notify and not content.notify.receivers:
        raise InputError(f"{path}: notify: needs receivers: urls, or urls_file with one URL a line")
    arguments = {name: value for name, value in asked.items() if value and name != "notify"}
    return Config(path, arguments, content.notify, named is not None)


def demand_apart(settings: Config, paths: Iterable[str]) -> None:
    """Refuse a configuration that was found among the logs that are to be read.

    Raises:
        InputError: its folder is an input, lies in one, or holds one.
    """
    if settings.path is None or settings.is_named:
        return
    folder = settings.path.resolve().parent
    for path in (Path(text).resolve() for text in paths if text != "-"):
        if folder.is_relative_to(path) or (path.parent == folder and not path.is_dir()):
            raise InputError(
                f"{settings.path.absolute()} lies among the logs ({path}), where anyone who writes logs may "
                "have put it; move it away, or name it with --config"
            )


def _texts(texts: Optional[Texts]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts or []


def _matched(path: Path, text_list: Optional[Texts]) -> Iterator[str]:
    """Paths of logs; a pattern stands for what it matches now, and must match something."""
    for text in _texts(text_list):
        pattern = text if text == "-" else str(path.parent / Path(text).expanduser())
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - it may be absolute
        if not matches and glob.has_magic(pattern):
            raise InputError(f"{path}: paths: nothing matches {text}")
        yield from matches or [pattern]


def give(parser: argparse.ArgumentParser, settings: Config) -> None:
    """Let a command, and the commands below it, have what the file says where nothing is typed."""
    for action in parser._actions:
        if action.dest in settings.arguments:
            parser.set_defaults(**{action.dest: settings.arguments[action.dest]})
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                give(below, settings)
    parser.set_defaults(config=settings)
