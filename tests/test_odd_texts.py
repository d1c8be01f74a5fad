"""What a client may write into any text of a record: it ends no run, and hides no other record.

Every text of every source's samples, names of fields as well, gets half a surrogate pair and a NUL; every number and
text is one that no double holds. Texts that hold JSON are opened, and the same is done to what is in them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from nhi_watch import cli
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.shapes import json as texts
from test_attacker import HISTORY, lines
from test_pipeline import raid
from test_sources import GOOD, each_source
from trees import changed, nodes

ODD = "\ud800\0\udc00-\udbff"
HUGE = ("1e999", "-1e999", "9" * 400, "9" * 5_000, "NaN")
_NUMBER = "number-of-no-double"
PARSERS: dict[str, Callable[[Any], Any]] = {"orjson": orjson.loads, "standard library": texts._mended}


def odd(record: Any, depth: int = 0) -> Iterator[Any]:
    """The record with something odd in one place, for each of its places."""
    for steps, value in nodes(record):
        name = steps[-1]
        if isinstance(name, str):
            parent = record
            for step in steps[:-1]:
                parent = parent[step]
            renamed = {**parent, name + ODD: value}
            yield changed(record, steps[:-1], renamed) if len(steps) > 1 else renamed
        if isinstance(value, (dict, list)):
            continue
        if isinstance(value, str):
            yield changed(record, steps, value + ODD)
            if depth < 3 and value.lstrip()[:1] in ("{", "["):
                try:
                    inside = json.loads(value)
                except ValueError:
                    continue
                yield from (changed(record, steps, spelled(item)) for item in odd(inside, depth + 1))
        yield changed(record, steps, _NUMBER)


def spelled(tree: Any, number: str = HUGE[0]) -> str:
    """As JSON; the numbers that Python cannot hold are put in behind."""
    return json.dumps(tree).replace(f'"{_NUMBER}"', number)


@pytest.mark.parametrize("parser", PARSERS)
@each_source
def test_whatever_a_text_holds_its_event_can_be_written(
    source: ModuleType, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts._ParserChoice, "quick", staticmethod(PARSERS[parser]))
    tried, read = 0, 0
    for sample in [sample for of, sample in GOOD if of is source]:
        for number, item in enumerate(odd(sample["record"])):
            text = spelled(item, HUGE[number % len(HUGE)])
            for line in (text, json.dumps({"_raw": text})) if sample["shape"] == "native" else (text,):
                record = texts.parse(line)
                orjson.dumps(record)
                tried += 1
                try:
                    event = source.read(opened(record))
                except RejectError as reject:
                    assert reject.reason != "unforeseen"
                    continue
                written(event)
                read += 1
    assert tried > 50 and read > tried / 3


def written(event: Event) -> bytes:
    return orjson.dumps(event, default=list)


def test_logs_are_parsed_in_one_place() -> None:
    intake = Path(texts.__file__).parents[1]
    paths = [path for path in intake.rglob("*.py") if re.search(r"json\.loads|JSONDecoder", path.read_text("utf-8"))]
    assert paths == [Path(texts.__file__)]


def test_odd_texts_of_every_source_end_no_run(tmp_path: Path) -> None:
    """Through the reader, the state and all that a run writes, twice; a raid beside them is told as ever."""
    every = [spelled(item, HUGE[n % len(HUGE)]) for _, sample in GOOD for n, item in enumerate(odd(sample["record"]))]
    some = every[:: max(1, len(every) // 2_000)]
    log, out = tmp_path / "log", tmp_path / "out"
    log.mkdir()
    (log / "odd.jsonl").write_text("\n".join(some))
    (log / "raid.jsonl").write_text("\n".join([*HISTORY, *lines(raid())]))
    for _ in range(2):
        assert cli.main(["score", str(log), "--out", str(out)]) == 0
        notables = [json.loads(line) for line in (out / "notables.jsonl").read_text("utf-8").splitlines()]
        grave = [notable for notable in notables if notable["severity"] in ("high", "critical")]
        assert any("payments-api" in item["identity"]["name"] for item in grave)
    for path in out.iterdir():
        if path.suffix in (".json", ".jsonl", ".html", ".csv"):
            assert not re.search("[\ud800-\udfff]", path.read_bytes().decode("utf-8"))
    for path in out.glob("*.sqlite*"):
        with sqlite3.connect(path) as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",)
