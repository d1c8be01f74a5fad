"""What is remembered of records is what would have been said of them anew, and by layouts, the same trees are made."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layout import ROOT

from nhi_watch import registry
from nhi_watch.errors import RejectError
from nhi_watch.evaluation.shapes import shape_of
from nhi_watch.sources import _shapes, _unflatten
from nhi_watch.sources._fields import Flat
from nhi_watch.sources._look import Form, Plan
from nhi_watch.sources._peeks import Peeks
from nhi_watch.sources._remembered import Remembered
from nhi_watch.sources._times import moment, spelled

SOURCES = [source for source in registry.modules("nhi_watch.sources") if hasattr(source, "_PEEKS")]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
Steps = tuple[Any, ...]
WORDS: tuple[object, ...] = (
    "", "-", "null", "unknown", " padded ", "two\nlines", "x" * 400, "Ab/c?d:e@f.g#h|i=j", "ASIAEXAMPLE", "7", "{}",
    "00000000-0000-4000-8000-000000000001", 7, 0, 1, True, None, 7.5, ["a", "b"], ["a"], [], {"a": "b"}, "\0", "\u00c4",
)  # fmt: skip
TURNS = 3
REMEMBERED = ("splunk_fields", "ecs", "ecs_fields")


def records(source: ModuleType, shape: str) -> list[Any]:
    lines = (ROOT / "tests" / "data" / "sources" / f"{source.NAME}.jsonl").read_text("utf-8").splitlines()
    return [s["record"] for s in map(json.loads, lines) if "event" in s and shape_of(s) == shape]


def leaves(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in steps:
        if not isinstance(inner, (dict, list)):
            yield (*at, step), inner
        yield from leaves(inner, (*at, step))


def changed(record: Any, steps: Steps, value: object) -> Any:
    made = copy.deepcopy(record)
    node = made
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value
    return made


def anew(source: ModuleType, record: object) -> Any:
    """What is said by one who remembers nothing."""
    known = source._PEEKS
    fresh = Peeks(known._whole, known._plans, known._clock)
    return fresh.peek(copy.deepcopy(record))


def varied(record: Any, chance: random.Random) -> Iterator[Any]:
    """Records with another value in one place: a word, or what is said elsewhere in the record, or more of the same."""
    places = list(leaves(record))
    told = [value for _, value in places if isinstance(value, str)]
    for steps, value in places:
        others = [chance.choice(WORDS), chance.choice(told), chance.choice(told).upper()]
        if isinstance(value, str):
            others += [f"{value}{chance.randrange(10**6)}", value.lower(), value.replace("2026", "2025")]
        for other in others:
            yield changed(record, steps, other)


@each_source
@pytest.mark.parametrize("shape", REMEMBERED)
def test_what_is_remembered_is_what_would_be_said_anew(source: ModuleType, shape: str) -> None:
    chance = random.Random(f"{source.NAME} {shape}")
    for record in records(source, shape):
        for _ in range(TURNS):  # met, met again, remembered
            source.peek(copy.deepcopy(record))
        for other in varied(record, chance):
            for _ in range(TURNS if chance.random() < 0.2 else 1):
                assert source.peek(copy.deepcopy(other)) == anew(source, other), other


@each_source
def test_equal_shapes_mean_equal_events_for_what_is_remembered(source: ModuleType) -> None:
    """As the contract says, with one value changed and changed again."""
    chance = random.Random(source.NAME)
    events: dict[object, object] = {}
    remembered = 0
    for shape in REMEMBERED:
        for record in records(source, shape):
            for other in (record, record, record, *varied(record, chance)):
                peek, event = source.peek(other), read(source, other)
                if peek is None or event is None or not isinstance(peek[2], str) or not is_key(peek[0]):
                    continue
                remembered += 1
                assert (moment(peek[1]), *peek[2:]) == (event.time, event.record_id, event.session, event.target), other
                bare = event._replace(time=0, record_id="", session="", target="")
                assert events.setdefault(peek[0], bare) == bare, other
    assert remembered > 10


def is_key(shape: object) -> bool:
    try:
        hash(shape)
    except TypeError:
        return False
    return True


def read(source: ModuleType, record: object) -> Any:
    try:
        return source.read(record)
    except RejectError:
        return None


# ---- trees by layouts

NAMES = st.lists(st.sampled_from(("a", "b", "c", "a{}", "b{}")), min_size=1, max_size=4).map(".".join)
PLAIN = st.sampled_from(("x", "y", "", "-", "x\ny", '{"a": 1}', 1, 1.5, True, None, "z" * 40))
VALUES = (
    PLAIN
    | st.lists(PLAIN, max_size=3)
    | st.builds(lambda: [["x"]])
    | st.builds(lambda: [{"a": "x"}])
    | st.builds(lambda: {"a": "x"})
)
ROWS = st.dictionaries(NAMES | st.sampled_from(("a.b", "a", "a.b.c", "_time", "_x")), VALUES, max_size=7)


@given(ROWS, st.permutations(("p", "q", "r")))
def test_a_row_becomes_the_same_tree_by_a_remembered_layout(row: dict[str, Any], texts: list[str]) -> None:
    other = {name: renamed(value, texts[0]) for name, value in row.items()}
    for one in (row, other, row):
        told = {k: v for k, v in one.items() if k[:1] != "_" and v not in ("", None, [])}
        assert _unflatten.unflatten(one) == _unflatten._unflattened(told)


@given(ROWS, st.permutations(("p", "q", "r")))
def test_a_document_becomes_the_same_tree_by_a_remembered_layout(row: dict[str, Any], texts: list[str]) -> None:
    other = {name: renamed(value, texts[0]) for name, value in row.items()}
    for one in (row, other, row):
        singles = {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in one.items()}
        assert _shapes.nested(copy.deepcopy(one)) == _shapes._nested(copy.deepcopy(singles))


def renamed(value: Any, text: str) -> Any:
    if isinstance(value, list):
        return [renamed(one, text) for one in value]
    return f"{value}{text}" if isinstance(value, str) and value else value


@given(st.lists(ROWS, min_size=1, max_size=4), st.booleans())
def test_what_any_row_makes_is_what_it_makes_anew(rows: list[dict[str, Any]], listed: bool) -> None:
    def make(row: Mapping[str, Any]) -> Optional[Any]:
        row = copy.deepcopy(row)
        tree = _shapes.nested(row) if listed else _unflatten.unflatten(row)
        shape = (json.dumps(_shapes.at(tree, "a.b"), sort_keys=True), json.dumps(tree.get("b"), sort_keys=True))
        unique, session = str(_shapes.at(tree, "a.c")), str(tree.get("c"))
        return (shape, "2026-03-02T10:00:00Z", f"{unique}:{session}", session, "")

    def timed(row: Mapping[str, Any]) -> Optional[Any]:
        told = make(row)
        when = row.get("t")
        time = spelled(when[0] if isinstance(when, list) and len(when) == 1 else when)
        return (told[0], time, *told[2:]) if told and time else None

    known = Remembered(timed, Flat(("a.b", "b", "a.c", "c", "t"), ("t",), ("a.c", "c"), listed), spelled)
    for row in (*rows, *rows, *rows):
        moments = ["2026-03-02T10:00:00Z"] if listed else "2026-03-02T10:00:00Z"
        made = {"t": moments, **row}
        assert known.peek(made) == timed(made)


def test_a_plan_is_taken_for_all_forms() -> None:
    plan = Plan({"time": "@timestamp", "a.b": "x.y", "c": "z"}, None, ("time",), ("c",))
    document = {"@timestamp": ["2026-03-02T10:00:00Z"], "x.y": ["1"], "z": ["2"]}
    assert plan.of(document, Form.FLAT) == {"time": "2026-03-02T10:00:00Z", "a": {"b": "1"}, "c": "2"}
    taker = plan.taker(Form.FLAT)
    assert taker is not None and taker.take(document)[1] == ("2026-03-02T10:00:00Z", "2")
