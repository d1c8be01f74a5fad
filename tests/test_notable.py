"""The Notable: its schema and its way to JSON and back."""

from __future__ import annotations

import copy
import json
import re
from importlib import resources
from typing import Any, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from nhi_watch.core import documents as types
from nhi_watch.core import notable, status
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import from_json, to_json
from notable_samples import documents, many, samples


def schema() -> Any:
    text = resources.files("nhi_watch.schemas").joinpath("notable.schema.json").read_text("utf-8")
    return dict(json.loads(text))


VALIDATOR = Draft202012Validator(schema())


def objects_of(node: Any) -> list[Any]:
    """Every sub-schema that describes an object with properties of its own."""
    if isinstance(node, list):
        return [inner for item in node for inner in objects_of(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "object" else []
    return own + [result for item in node.values() for result in objects_of(item)]


def bounded(node: Any) -> list[Any]:
    """Every sub-schema of strings or arrays without a bound."""
    if isinstance(node, list):
        return [inner for item in node for inner in bounded(item)]
    if not isinstance(node, dict):
        return []
    free = node.get("type") == "array" and "maxItems" not in node
    free = free or (node.get("type") == "string" and not {"maxLength", "pattern"} & set(node))
    return [node] * free + [result for item in node.values() for result in bounded(item)]


def test_schema_is_a_valid_schema_and_every_object_in_it_is_closed_and_complete() -> None:
    Draft202012Validator.check_schema(schema())
    closed = [
        node["additionalProperties"] is False and node["required"] == list(node["properties"])
        for node in objects_of(schema())
    ]
    assert len(closed) == 20
    assert all(closed)


def test_every_text_and_array_of_the_schema_is_bounded() -> None:
    assert bounded(schema()) == []


def test_every_sample_fits_the_schema() -> None:
    errors = [error.message[:200] for document in many(40) for error in VALIDATOR.iter_errors(document)]
    assert errors == []


@pytest.mark.parametrize("notable", samples(), ids=lambda notable: notable.identity.id)
def test_a_notable_survives_json(notable: Any) -> None:
    assert from_json(json.loads(json.dumps(to_json(notable)))) == notable


def broken(path: str, value: Any) -> Any:
    """The first sample with one value replaced; the path's parts are joined by `/`."""
    document = copy.deepcopy(documents()[0])
    *parents, last = path.split("/")
    node: Any = document
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("likelihood", "97", "notable.likelihood: expected float"),
        ("rank", True, "notable.rank: expected int"),
        ("signals", {}, "notable.signals: expected an array"),
        ("signals/0/points", None, "notable.signals[0].points: expected float"),
        ("identity", [], "notable.identity: expected an object"),
        ("usual/surplus", 1, "notable.usual: expected exactly the fields of Usual; missing or unknown: ["),
        ("created", "yesterday", "notable.created: bad_time: not an RFC 3339 time: 'yesterday'"),
    ],
)
def test_a_wrong_document_is_refused_with_the_fields_name(path: str, value: Any, message: str) -> None:
    document = broken(path, value)
    with pytest.raises(InputError) as caught:
        from_json(document)
    assert str(caught.value).startswith(message)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("likelihood", 100.5),
        ("severity", "urgent"),
        ("title", "x" * 201),
        ("frameworks/owasp_nhi", ["NHI2:2025"]),
        ("frameworks/nist_csf", ["DE.AE-02"]),
        ("controls", []),
        ("record_ids", ["x"] * 1001),
        ("receipt/model", "abc"),
        ("surplus", 1),
    ],
)
def test_the_schema_refuses_what_the_design_forbids(path: str, value: Any) -> None:
    assert not VALIDATOR.is_valid(broken(path, value))


CLASSES = {
    kind: getattr({"notable": notable, "status": status}[named[1]], named[2])
    for kind in vars(types).values()
    if (named := re.fullmatch(r"`(notable|status)\.(\w+)`\.", getattr(kind, "__doc__", None) or ""))
}
"""The type of a JSON object → the class that it is made of, which its docstring names."""


@pytest.mark.parametrize("kind", CLASSES)
def test_the_type_of_a_document_has_the_fields_of_its_class(kind: type) -> None:
    assert [*get_type_hints(kind)] and {*get_type_hints(kind)} == {*get_type_hints(CLASSES[kind])}
