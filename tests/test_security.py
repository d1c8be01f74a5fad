"""SECURITY.md names tests for what it promises: they are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.compile(r"`(test_\w+(?:\.py)?)`")
ROWS = ("C1", "C2", "C3", "H4", "H5", "H6", "H7", "M8", "M9", "M10", "M11", "M12", "L13")


def test_each_row_has_its_tests_and_they_are_there() -> None:
    text = (TESTS.parent / "SECURITY.md").read_text("utf-8")
    there = {
        name
        for file in TESTS.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    there |= {file.name for file in TESTS.glob("test_*.py")}
    for row in ROWS:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {row} ")]
        assert NAMED.findall(line), row
    assert set(NAMED.findall(text)) <= there
