"""What readers remember of records is bounded in characters, not only in number."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nhi_watch.core import registry
from nhi_watch.core.remembered import LONGEST, remembered
from nhi_watch.intake.batch import Intake

FOLDER = Path(__file__).parent / "data" / "sources"
SOURCES = registry.modules("nhi_watch.intake.sources")
SAMPLES = 6
Path_ = tuple[Any, ...]


def texts(tree: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Where a record holds texts, and where it holds objects (None behind it: a name of its own may be put there)."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if isinstance(tree, dict):
        yield (*path, None)
    for name, value in list(items)[:40]:
        if isinstance(value, str):
            yield (*path, name)
        elif isinstance(value, (dict, list)):
            yield from texts(value, (*path, name))


def lengthened(record: Any, path: Path_, text: str) -> Any:
    """The record with a long text in one place."""
    changed = copy.deepcopy(record)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if path[-1] is None:
        inner[text] = 1
    else:
        inner[path[-1]] = text
    return changed


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
def test_no_text_that_somebody_has_made_long_outlives_its_record(source: ModuleType) -> None:
    lines = (FOLDER / f"{source.NAME}.jsonl").read_text("utf-8").splitlines()
    kept = []
    for line in lines[:: max(1, len(lines) // SAMPLES)]:
        for path in texts(json.loads(line)["record"]):
            text = "".join(["long-", "a" * 2 * LONGEST])
            before = sys.getrefcount(text)
            record = json.loads(line)["record"]
            Intake(SOURCES).feed([lengthened(record, path, text), record])  # a resource is held until the next one
            if sys.getrefcount(text) > before:
                kept.append(path)
    assert kept == []


def test_an_answer_about_what_is_long_is_given_each_time_and_an_error_is_raised_each_time() -> None:
    asked: list[int] = []

    @remembered(4)
    def ask(name: str, parts: tuple[str, ...] = ()) -> int:
        asked.append(len(name))
        if name == "wrong":
            raise ValueError(name)
        return len(name) + sum(map(len, parts))

    for _ in range(2):
        assert ask("a") == 1 and ask("b", ("c" * LONGEST,)) == 1 + LONGEST
        with pytest.raises(ValueError, match="wrong"):
            ask("wrong")
    assert asked == [1, 1, 5, 1, 5] and ask.__name__ == "ask"
