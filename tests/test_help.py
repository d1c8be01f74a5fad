"""`nhi --help` and the help of each command: one line each, in groups, with an example that works as it stands."""

from __future__ import annotations

import re
import shlex
from collections import Counter

import pytest

from nhi_watch import cli

NAMES = [name for name, _, _ in cli.commands()]


def test_each_command_has_one_line_in_one_group() -> None:
    top = cli.parser("--help")
    text = top.format_help()
    assert text == top.format_help(), "showing it changes nothing"
    shown = Counter(re.findall(r"^  ([a-z]+) {2,}\S.*$", text, re.M))
    assert {name: shown[name] for name in NAMES} == dict.fromkeys(NAMES, 1)
    assert max(len(line) for line in text.splitlines() if line.startswith("  ")) <= 90
    assert "Score and read:" in text and "COMMAND --help" in text


@pytest.mark.parametrize("name", NAMES)
def test_each_command_ends_its_help_with_an_example_that_it_takes(name: str) -> None:
    parser = cli.parser(name)
    (group,) = (action for action in parser._actions if action.dest == "command")
    command = group.choices[name]  # type: ignore[index]
    text = command.format_help()
    *_, last = text.strip().splitlines()
    assert last.startswith("Example: nhi "), last
    words = shlex.split(last.partition(" > ")[0])[2:]
    assert parser.parse_args(words).command == name
    description = str(command.description)
    assert description[0].isupper() and description.endswith("."), "what it is for comes first"
