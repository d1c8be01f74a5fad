"""Options of search commands, `name=value`; a wrong one is answered in one line that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nhi_watch.core.errors import InputError


class Option(NamedTuple):
    """One option and what may be written behind its equals sign."""

    default: str
    shape: str
    """How it is written, as in `auto|fields|raw` or `<number>`; also for the message."""
    choices: tuple[str, ...] = ()
    """The only values; empty: `pattern` decides."""
    pattern: str = r".{1,200}"
    example: str = ""
    """A value to write instead of a wrong one."""


Options = Mapping[str, Option]


def usage(command: str, options: Options) -> str:
    """How the command is written.

    >>> usage("nhirank", {"show": Option("all", "all|changed", ("all", "changed"))})
    'nhirank [show=all|changed]'
    """
    return " ".join([command, *(f"[{name}={option.shape}]" for name, option in options.items())])


def parse(command: str, options: Options, arguments: Iterable[str]) -> dict[str, str]:
    """Every option's value.

    Raises:
        InputError: says what to write instead.

    >>> parse("nhirank", {"budget": Option("10", "<number>", pattern=r"\\d+", example="10")}, ["budget=20"])
    {'budget': '20'}
    """
    told = {name: option.default for name, option in options.items()}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        option = options.get(name)
        if option is None or not equals:
            raise InputError(f"{command}: {argument[:100]!r} is no option. Write {usage(command, options)}")
        told[name] = _checked(command, name, option, value.strip('"'))
    return told


def _checked(command: str, name: str, option: Option, value: str) -> str:
    if option.choices and value not in option.choices:
        raise InputError(f"{command}: {name}={value[:100]} is unknown. Write {name}={option.shape}")
    if not option.choices and not re.fullmatch(option.pattern, value, re.ASCII | re.DOTALL):
        raise InputError(f"{command}: {name}={value[:100]} is no {option.shape}. Write {name}={option.example}")
    return value
