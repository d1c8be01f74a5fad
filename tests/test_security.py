"""SECURITY.md names tests for what it promises: they are there, and `lab/tools/reverted.py` sees each of a row fail."""

from __future__ import annotations

import re
from pathlib import Path

from reverted import MENDS, ROOT

TESTS = Path(__file__).parent
NAMED = re.compile(r"`(test_\w+(?:\.py)?)`")
ROW = re.compile(r"\| ([CHML]\d+) \|")


def test_each_row_has_its_tests_and_they_are_there() -> None:
    text = (TESTS.parent / "SECURITY.md").read_text("utf-8")
    rows = [match for match in map(ROW.match, text.splitlines()) if match]
    there = {
        name
        for file in TESTS.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    there |= {file.name for file in TESTS.glob("test_*.py")}
    assert len({row[1] for row in rows}) == len(rows) > 30
    for row in rows:
        assert NAMED.findall(row.string), row[1]
    assert set(NAMED.findall(text)) <= there


def test_each_test_of_a_row_has_a_mend_without_which_it_is_to_fail() -> None:
    """That it does fail takes long: `python lab/tools/reverted.py`."""
    for line in (TESTS.parent / "SECURITY.md").read_text("utf-8").splitlines():
        if row := ROW.match(line):
            reverted = {re.split(r"::|\[", test)[1] for mend in MENDS if mend.row == row[1] for test in mend.tests}
            assert {*NAMED.findall(line)} <= reverted, row[1]


def test_what_is_taken_back_is_still_there_and_leaves_python() -> None:
    for mend in MENDS:
        source = (ROOT / "nhi_watch" / mend.file).read_text("utf-8")
        assert source.count(mend.now) == 1, mend
        if mend.file.endswith(".py"):
            compile(source.replace(mend.now, mend.before), mend.file, "exec")
        for test in mend.tests:
            file, name, *_ = re.split(r"::|\[", test)
            assert f"def {name}(" in (TESTS / file).read_text("utf-8")
