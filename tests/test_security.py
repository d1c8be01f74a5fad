"""SECURITY.md names tests for what it promises: they are there, and `lab/tools/reverted.py` sees each of a row fail."""

from __future__ import annotations

import re
from pathlib import Path

from reverted import MENDS, ROOT

TESTS = Path(__file__).parent
NAMED = re.compile(r"`(test_\w+(?:\.py)?)`")
ROWS = ("C1", "C2", "C3", "H4", "H5", "H6", "H7", "M8", "M9", "M10", "M11", "M12", "L13", "C17", "L18", "H19", "H20",
        "M21", "M22", "M31", "M32", "M33", "M34")  # fmt: skip


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


def test_each_test_of_a_row_has_a_mend_without_which_it_is_to_fail() -> None:
    """That it does fail takes long: `python lab/tools/reverted.py`."""
    lines = (TESTS.parent / "SECURITY.md").read_text("utf-8").splitlines()
    for row in ROWS:
        (line,) = [line for line in lines if line.startswith(f"| {row} ")]
        reverted = {re.split(r"::|\[", test)[1] for mend in MENDS if mend.row == row for test in mend.tests}
        assert {*NAMED.findall(line)} <= reverted, row


def test_what_is_taken_back_is_still_there_and_leaves_python() -> None:
    for mend in MENDS:
        source = (ROOT / "nhi_watch" / mend.file).read_text("utf-8")
        assert source.count(mend.now) == 1, mend
        compile(source.replace(mend.now, mend.before), mend.file, "exec")
        for test in mend.tests:
            file, name, *_ = re.split(r"::|\[", test)
            assert f"def {name}(" in (TESTS / file).read_text("utf-8")
