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
from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes import forms, unflatten
from nhi_watch.intake.shapes.fields import Flat, Nested
from nhi_watch.intake.shapes.look import Form, Plan
from nhi_watch.intake.shapes.microsoft import value_of
from nhi_watch.intake.shapes.peeks import Peeks
from nhi_watch.intake.shapes.remembered import Remembered
from nhi_watch.intake.shapes.times import moment, spelled
from nhi_watch.intake.sources import entra, kubernetes, okta, vault
from nhi_watch.intake.sources.azure import facts
from nhi_watch_lab.evaluation.shapes import shape_of
from trees import changed, leaves

SOURCES = [source for source in registry.modules("nhi_watch.intake.sources") if hasattr(source, "_PEEKS")]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
WORDS: tuple[object, ...] = (
    "", "-", "null", "unknown", " padded ", "two\nlines", "x" * 400, "Ab/c?d:e@f.g#h|i=j", "ASIAEXAMPLE", "7", "{}",
    "00000000-0000-4000-8000-000000000001", 7, 0, 1, True, None, 7.5, ["a", "b"], ["a"], [], {"a": "b"}, "\0", "\u00c4",
)  # fmt: skip
TURNS = 3
REMEMBERED = ("splunk_fields", "ecs", "ecs_fields")


def records(source: ModuleType, shape: str) -> list[Any]:
    lines = (ROOT / "tests" / "data" / "sources" / f"{source.NAME}.jsonl").read_text("utf-8").splitlines()
    return [s["record"] for s in map(json.loads, lines) if "event" in s and shape_of(s) == shape]


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


# ---- what an attacker may write


def one_of(source: ModuleType, shape: str, name: str) -> dict[str, Any]:
    """A sample of a shape that has a field."""
    return next(found for each in records(source, shape) if name in (found := each.get("fields", each)))


def met(source: ModuleType, record: dict[str, Any], **other: object) -> Any:
    """What is said of a record with other values, once it is known without."""
    for _ in range(TURNS):
        source.peek(copy.deepcopy(record))
    changed = {**record, **other}
    return [source.peek(copy.deepcopy(changed)) for _ in range(TURNS)], [anew(source, changed)] * TURNS


@pytest.mark.parametrize("path", ["database/creds/app", "database/roles/app", "database/config/app", "sys/raw/app"])
def test_what_is_done_is_told_by_words_in_vaults_paths(path: str) -> None:
    record = {**one_of(vault, "splunk_fields", "request.mount_type"), "request.mount_type": "database"}
    known, new = met(vault, {**record, "request.path": "database/app"}, **{"request.path": path})
    assert known == new and new[0] is not None


@pytest.mark.parametrize("time", ["\u00b2" * 10, "\u0663" * 10, "\u00b2" * 13, "1772445612"])
def test_digits_of_other_scripts_in_a_second_time_do_no_harm(time: str) -> None:
    record = one_of(kubernetes, "splunk_fields", "requestReceivedTimestamp")
    known, new = met(kubernetes, record, requestReceivedTimestamp=time)
    assert known == new


@pytest.mark.parametrize("depth", [200, 900, 1020])
@each_source
def test_values_that_are_nested_deeply_do_no_harm(source: ModuleType, depth: int) -> None:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value}
    for shape in REMEMBERED:
        for record in records(source, shape)[:3]:
            for steps, _ in leaves(record):
                for _ in range(TURNS):
                    source.peek(changed(record, steps[:-1], {steps[-1]: value}) if len(steps) > 1 else record)
                    source.peek({**record, steps[0]: value})


def test_two_tenants_whose_rows_have_lowered_names_are_told_apart() -> None:
    record = {
        "time": "2026-03-02T10:00:05Z", "operationname": "Sign-in activity", "category": "ServicePrincipalSignInLogs",
        "tenantid": "00000000-0000-4000-8000-00000000000a", "calleripaddress": "198.51.100.7", "resulttype": "0",
        "properties.id": "6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d", "properties.createdDateTime": "2026-03-02T10:00:01Z",
        "properties.appId": "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f",
        "properties.servicePrincipalId": "b7e2f4a6-1c3d-4e5f-9a8b-7c6d5e4f3a2b",
    }  # fmt: skip
    known, _ = met(entra, record, tenantid="00000000-0000-4000-8000-00000000000b")
    mine = entra.peek(record)
    assert mine is not None and known[0] is not None and known[0][0] != mine[0]


def test_of_two_properties_with_one_name_the_first_counts_in_any_form() -> None:
    pairs = [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]
    assert value_of(pairs, "a") == value_of({"Name": ["a", "a"], "Value": ["1", "2"]}, "a") == "1"


def test_where_okta_tells_no_address_of_its_own_elastics_counts() -> None:
    document = copy.deepcopy(next(each for each in records(okta, "ecs") if "client" in each["okta"]))
    document["client"] = {"ip": "203.0.113.9"}
    document["okta"]["client"].pop("ip", None)
    told = okta.peek(document)
    assert told is not None and "203.0.113.9" in told[0] and read(okta, document).address == "203.0.113.9"


def test_a_body_that_is_nested_too_deeply_is_left_out() -> None:
    body: Any = "x"
    for _ in range(5000):
        body = {"a": body}
    assert facts._body({"requestbody": body}) == ""


def test_a_time_with_more_behind_it_is_for_read_to_refuse() -> None:
    assert spelled("2026-03-02T10:00:05Zx.123Z") is None and spelled("2026-03-02T10:00:05.Z") is None


def free(**values: object) -> dict[str, object]:
    return {"t": "2026-03-02T10:00:00Z", "a": "here", **values}


def of_target(row: Mapping[str, Any]) -> Any:
    """As sources do: what is equal means more, what is too long is cut, blanks around it do not count."""
    target = row["b"].strip() if isinstance(row["b"], str) else str(row["b"])[:16]
    return (row["a"], row["b"] == row["a"]), spelled(row["t"]), "id", "", target


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (free(b="there"), free(b=" there")),
        (free(b="there"), free(b="there ")),
        (free(b="there"), free(b="th ere")),
        (free(a="a\0b", b="there"), free(a="a\0b", b="a\0b")),
        (free(b=12), free(b=123456789012345678)),
    ],
)
def test_what_is_out_of_the_ordinary_in_a_free_value_is_looked_at(one: Any, two: Any) -> None:
    known = Remembered(of_target, Flat("ab", ("t",), ("b",), listed=False), spelled)
    for row in (one, one, one, two, two, two, one):
        assert known.peek(row) == of_target(row)


def owned(row: Mapping[str, Any]) -> Any:
    """Whether the target is one of the actors, counts."""
    actors = [str(one).lower() for one in (row["a"] if isinstance(row["a"], list) else [row["a"]])]
    target = str(row["b"][0])
    return (str(actors), target.lower() in actors), spelled(row["t"][0]), "id", "", target


@pytest.mark.parametrize(
    "actors", [["ADA", "x"], ["x", "Ada's \"own\" \\ \u00e4\t1"], [{"n": "ada"}, "Ada"], ["x", 71]]
)
def test_what_equals_a_value_in_a_list_is_out_of_the_ordinary(actors: list[Any]) -> None:
    known = Remembered(owned, Flat("ab", ("t",), ("b",), listed=True), spelled)
    for target in ("someone", "other", "else", "again", actors[1], actors[0], "more"):
        row = {"t": ["2026-03-02T10:00:00Z"], "a": actors, "b": [target]}
        assert isinstance(target, dict) or known.peek(row) == owned(row)


def test_what_equals_a_single_value_where_there_once_were_several_is_out_of_the_ordinary() -> None:
    known = Remembered(owned, Flat("ab", ("t",), ("b",), listed=True), spelled)
    for actors, target in ((["x", "y"], "z"), *[(["Ada"], f"z{n}") for n in range(4)], (["Ada"], "ada")):
        row = {"t": ["2026-03-02T10:00:00Z"], "a": actors, "b": [target]}
        assert known.peek(row) == owned(row)


def held(of: object) -> int:
    """How much is kept, of whatever kind."""
    return sum(len(kept) for kept in vars(of).values() if isinstance(kept, (dict, list)))


def test_memory_stays_bounded_whatever_the_names_are() -> None:
    flat, nested = Flat("ab", ("t",), ("i",), listed=False), Nested(("a", "t", "i"), ("t",), ("i",))
    for number in range(4000):
        flat.take({"t": "x", "i": "y", f"a.{number}": "z"})
        nested.mind({"a": {"b": "c"}} if number == 0 else {})
        nested.take({"t": "x", "i": "y", "a": {f"b{number}": "z"}})
    assert held(flat) < 1100 and held(nested) < 1100


def test_rows_with_lists_here_and_there_have_keys_that_stay() -> None:
    flat = Flat("ab", ("t",), (), listed=False)
    rows: tuple[dict[str, Any], ...] = ({"t": "x", "a": ["1", "2"], "b": "3"}, {"t": "x", "a": "1", "b": ["2", "3"]})
    keys = []
    for row in rows * 4:
        try:
            keys.append(flat.take(row)[0])
        except TypeError:
            flat.mind(row)
    assert len(keys) == 6 and len(set(keys)) == 2 and held(flat) == 1


def test_of_huge_records_nothing_is_kept() -> None:
    known = Remembered(of_target, Flat("ab", ("t",), ("b",), listed=False), spelled)
    for _ in range(TURNS):
        assert known.peek(free(a="x" * 10**6, b="there"))
    assert not held(known)


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
        assert unflatten.unflatten(one) == unflatten._unflattened(told)


@given(ROWS, st.permutations(("p", "q", "r")))
def test_a_document_becomes_the_same_tree_by_a_remembered_layout(row: dict[str, Any], texts: list[str]) -> None:
    other = {name: renamed(value, texts[0]) for name, value in row.items()}
    for one in (row, other, row):
        singles = {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in one.items()}
        assert forms.nested(copy.deepcopy(one)) == forms._nested(copy.deepcopy(singles))


def renamed(value: Any, text: str) -> Any:
    if isinstance(value, list):
        return [renamed(one, text) for one in value]
    return f"{value}{text}" if isinstance(value, str) and value else value


@given(st.lists(ROWS, min_size=1, max_size=4), st.booleans())
def test_what_any_row_makes_is_what_it_makes_anew(rows: list[dict[str, Any]], listed: bool) -> None:
    def make(row: Mapping[str, Any]) -> Optional[Any]:
        row = copy.deepcopy(row)
        tree = forms.nested(row) if listed else unflatten.unflatten(row)
        shape = (json.dumps(forms.at(tree, "a.b"), sort_keys=True), json.dumps(tree.get("b"), sort_keys=True))
        unique, session = str(forms.at(tree, "a.c")), str(tree.get("c"))
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
