"""The shapes in which hosts hold a record, and how a source gets its native form out of any of them.

- native: as the product wrote it
- Splunk: a flat row, with `_raw` (the record's text) or with extracted fields (`a.b`, `a{}.c`)
- ECS: a document of one of Elastic's integrations, nested (`_source`) or flattened (`fields`, every value in a
  list), with or without `event.original`

A source calls `native`; when that answers with a document, it rebuilds the native record by a table
(`rebuild`). Values are then read with `values` (text, whole, true, listed, secret_hash, made_id) and times with
`values.moment`. Reject reasons raised here: not_object, bad_json, too_deep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, Union, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.shapes.values import listed

Tree = dict[str, Any]
Table = Mapping[str, Sequence[str]]
"""Native path → ECS field, or several, of which the first one present wins."""
Words = tuple[tuple[str, ...], ...]
"""Of each of these groups a text has one word."""


# ---- trees out of flat text: Splunk's dotted field names

_DEEPEST = 24
_SPLUNK_OWN = frozenset(
    (
        "_raw",
        "_time",
        "_indextime",
        "_cd",
        "_bkt",
        "_si",
        "_serial",
        "_sourcetype",
        "_kv",
        "_meta",
        "_chunked_idx",
    )
)
OF_ELASTIC = frozenset(("_source", "fields", "event", "data_stream", "event.dataset", "data_stream.dataset"))
"""Names of which a document of Elastic's has one at its top."""


# ---- which shape, and the native record in it


def native(record: object) -> tuple[Tree, bool]:
    """The native record (and False), or the nested ECS document that has no native text in it (and True).

    Numbers and truth values of extracted Splunk fields are text; lists of one may be single values: use
    `text`, `whole`, `true` and `listed` to read.

    Raises:
        RejectError: not_object, bad_json, too_deep.

    >>> native({"_raw": '{"a": {"b": 1}}'}), native({"a.b": "1", "_time": "0"})
    (({'a': {'b': 1}}, False), ({'a': {'b': '1'}}, False))
    >>> native({"fields": {"event.dataset": ["x.y"], "user.id": ["7"]}})
    ({'event': {'dataset': 'x.y'}, 'user': {'id': '7'}}, True)
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is not an object but {type(record).__name__}")
    if isinstance(record.get("_raw"), str) or not dataset(record):
        return of_row(record), False
    return of_document(record)


def of_row(record: Mapping[str, Any]) -> Tree:
    """The native record in a row of Splunk's; another one as it is.

    Raises:
        RejectError: not_object, bad_json, too_deep.
    """
    raw = record.get("_raw")
    if isinstance(raw, str):
        return _from_raw(raw, record)
    return _row(record) if _have_paths(tuple(record)) else cast(Tree, record)


def of_document(record: Mapping[str, Any]) -> tuple[Tree, bool]:
    """The native record in a document of Elastic's, or the document (and True) that has none in it."""
    document = hit(record)
    original = _original(document)
    return (nested(document), True) if original is None else (original, False)


def dataset(record: Mapping[str, Any]) -> str:
    """The dataset that a document of Elastic's is of (`github.audit`), or ""; cheap, for `claims`.

    >>> dataset({"fields": {"event.dataset": ["okta.system"]}}), dataset({"event": {"dataset": "a.b"}})
    ('okta.system', 'a.b')
    >>> dataset({"data_stream": {"dataset": "gcp.audit"}, "event": {}}), dataset({"event": "x"})
    ('gcp.audit', '')
    """
    if OF_ELASTIC.isdisjoint(record):
        return ""  # most records are asked by every source
    document = hit(record)
    if is_alert(document):
        return ""
    for part in ("event", "data_stream"):
        inner = document.get(part)
        dataset_name = inner.get("dataset") if inner.__class__ is dict else document.get(part + ".dataset")
        if dataset_name.__class__ is list and dataset_name:
            dataset_name = dataset_name[0]
        if dataset_name.__class__ is str:
            return dataset_name
    return ""


def claimant(
    is_row: Callable[[Tree], bool], words: Union[Words, Callable[[str], bool]], *datasets: str
) -> Callable[[object], bool]:
    """A source's `claims`: by a text's words, by a document's dataset (or its beginning: `x.*`), by a row's names.

    >>> claims = claimant(lambda row: "verb" in row, (('"verb"',), ('"a"', '"b"')), "x.y", "z.*")
    >>> [claims(one) for one in ({"_raw": '{"verb": "b"}'}, {"event.dataset": "z.1"}, {"verb": 1}, {"a": 1}, 7)]
    [True, True, True, False, False]
    """
    exact = frozenset(name for name in datasets if name[-1:] != "*")
    begins = tuple(name[:-1] for name in datasets if name[-1:] == "*")

    def claims(record: object) -> bool:
        if record.__class__ is not dict:
            return False
        row = cast(Tree, record)
        raw = row.get("_raw")
        if raw.__class__ is str:
            return words(raw) if callable(words) else _has(raw, words)
        name = dataset(row)
        return is_row(row) or name in exact or (begins != () and name.startswith(begins))

    return claims


def _has(text: str, words: Words) -> bool:
    for group in words:
        for word in group:
            if word in text:
                break
        else:
            return False
    return True


def is_alert(document: Mapping[str, Any]) -> bool:
    """Whether a document is an alert of Kibana's: a copy of an event, which is not that event.

    >>> is_alert({"kibana.alert.uuid": "1", "event": {"dataset": "aws.cloudtrail"}}), is_alert({"event": {}})
    (True, False)
    """
    return "kibana.alert.uuid" in document or "kibana" in document


def hit(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document inside a search hit, or the record itself."""
    for wrapper in ("_source", "fields"):
        inner = record.get(wrapper)
        if inner.__class__ is dict and inner:
            return inner
    return record


def object_of(content: str) -> Tree:
    """A JSON object's text as an object.

    Raises:
        RejectError: bad_json, too_deep or not_object.
    """
    try:
        value = parse(content)
    except RecursionError as error:
        raise RejectError("too_deep", "nested too deeply") from error
    except ValueError as error:
        raise RejectError("bad_json", str(error)[:200]) from error
    if not isinstance(value, dict):
        raise RejectError("not_object", "the text holds no JSON object")
    return value


def _from_raw(raw: str, row: Mapping[str, Any]) -> Tree:
    """Out of the text; what a forwarder put before the JSON (a syslog header) is left out."""
    start = raw.find("{")
    try:
        return object_of(raw[max(start, 0) :])
    except RejectError:
        fields = _row(row)
        if fields:
            return fields
        raise


@remembered(2048)
def _have_paths(names: tuple[Any, ...]) -> bool:
    return "_time" in names or any("." in name or "{}" in name for name in names if name.__class__ is str)


def _row(row: Mapping[str, Any]) -> Tree:
    """A tree out of extracted fields. `unflatten` leaves out names with `_` in front, as Splunk's own are."""
    kept = {k: v for k, v in row.items() if k not in _SPLUNK_OWN and v.__class__ is not dict}
    tree = unflatten(kept)
    tree.update({k: v for k, v in row.items() if v.__class__ is dict})
    tree.update({k: v for k, v in kept.items() if k.__class__ is str and k[:1] == "_" and "." not in k})
    return tree


def _original(document: Mapping[str, Any]) -> Optional[Tree]:
    content = at(document, "event.original") or document.get("event.original") or document.get("message")
    if content.__class__ is list and content:
        content = content[0]
    if not isinstance(content, str) or content.lstrip()[:1] != "{":
        return None
    try:
        return object_of(content)
    except RejectError:
        return None  # the document's own fields may still do


def nested(document: Mapping[str, Any]) -> Tree:
    """A document with its dotted names taken apart, lists of one as single values.

    >>> nested({"a.b": ["1"], "a": {"c": 2}, "d": [1, 2]})
    {'a': {'c': 2, 'b': '1'}, 'd': [1, 2]}
    """
    values = [value[0] if value.__class__ is list and len(value) == 1 else value for value in document.values()]
    if dict in map(type, values) or len(values) > WIDEST:
        return _nested(dict(zip(document, values)))
    return spread(tuple(document), values, _nested)


def _nested(document: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for name in sorted(k for k in document if isinstance(k, str)):
        put(tree, name, document[name])
    return tree


# ---- trees


def put(tree: Tree, path: str, value: Any) -> None:
    """Set a value at a dotted path; objects on the way are made or merged, other values are left alone."""
    *steps, last = path.split(".")[:_DEEPEST]
    node = tree
    for step in steps:
        inner = node.get(step)
        if inner.__class__ is not dict:
            inner = node[step] = {}
        node = inner
    if value.__class__ is dict and node.get(last).__class__ is dict:
        node[last] = {**value, **node[last]}
    elif last not in node:
        node[last] = value


def at(tree: Any, path: str) -> Any:
    """The value at a dotted path, or None; a list on the way stands for its first item.

    >>> at({"a": [{"b": 1}, {"b": 2}]}, "a.b"), at({"a": 1}, "a.b")
    (1, None)
    """
    for step in _steps(path):
        if tree.__class__ is list and tree:
            tree = tree[0]
        if tree.__class__ is not dict:
            return None
        tree = tree.get(step)
    return tree


@remembered(4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def part(tree: Any, path: str) -> Tree:
    """The object at a dotted path; an empty one where there is none.

    >>> part({"a": {"b": {"c": 1}}}, "a.b"), part({"a": 1}, "a")
    ({'c': 1}, {})
    """
    subtree = at(tree, path)
    return subtree if subtree.__class__ is dict else {}


def inner(tree: Mapping[str, Any], name: str) -> Tree:
    """The object at a name; an empty one where there is none.

    >>> inner({"a": {"b": 1}}, "a"), inner({"a": 1}, "a")
    ({'b': 1}, {})
    """
    value = tree.get(name)
    return value if value.__class__ is dict else {}


def every(tree: Any, path: str) -> list[Any]:
    """All values at a dotted path through lists.

    >>> every({"a": [{"b": 1}, {"b": [2, 3]}]}, "a.b")
    [1, 2, 3]
    """
    trees = [tree]
    for step in path.split("."):
        inner = [node.get(step) for node in trees if node.__class__ is dict]
        trees = [item for value in inner if value is not None for item in listed(value)]
    return trees


def rebuild(document: Mapping[str, Any], table: Table) -> Tree:
    """A native record out of an ECS document, by a table.

    >>> rebuild({"user": {"id": "7"}}, {"actor_id": "user.id", "actor": ("user.name", "user.id")})
    {'actor_id': '7', 'actor': '7'}
    """
    tree: Tree = {}
    for path, fields in table.items():
        for field in (fields,) if isinstance(fields, str) else fields:
            value = at(document, field)
            if value is not None:
                put(tree, path, value[0] if value.__class__ is list and len(value) == 1 else value)
                break
    return tree


def renamed(tree: Any, name_of: Callable[[str], str], depth: int = 0) -> Any:
    """A tree with other names at every level; what is nested more than twelve deep is None.

    >>> renamed({"A": [{"B": 1}], 2: 3}, str.lower)
    {'a': [{'b': 1}]}
    """
    if depth > 12:
        return None
    if tree.__class__ is list:
        return [renamed(item, name_of, depth + 1) for item in tree]
    if tree.__class__ is not dict:
        return tree
    return {name_of(k): renamed(v, name_of, depth + 1) for k, v in tree.items() if k.__class__ is str}


def rows_of(value: object) -> list[Tree]:
    """The objects of a list, a single object, numbered keys, or Elastic's columns (each field has a list of its own).

    >>> rows_of([{"a": 1}, 2]), rows_of({"a": ["1", "2"], "b": ["3", "4"]}), rows_of({"a": 1})
    ([{'a': 1}], [{'a': '1', 'b': '3'}, {'a': '2', 'b': '4'}], [{'a': 1}])
    >>> rows_of({"0": {"x": 1}})
    [{'x': 1}]
    """
    if isinstance(value, dict):
        if value and all(str(key).isdecimal() for key in value):
            value = [value[key] for key in sorted(value, key=lambda key: int(str(key)[:9]))]
        columns = {k: v for k, v in value.items() if v.__class__ is list} if isinstance(value, dict) else {}
        if columns:
            count = max(map(len, columns.values()))
            return [{k: v[n] for k, v in columns.items() if n < len(v)} for n in range(count)]
    return [item for item in listed(value) if item.__class__ is dict]


def record_in(value: Any) -> Optional[Tree]:
    """The object that a value is, or that its text holds; None where there is none."""
    if value.__class__ is dict:
        return value or None
    if value.__class__ is not str or value.lstrip()[:1] != "{":
        return None
    try:
        return object_of(value) or None
    except RejectError:
        return None


_Node = tuple[list[str], list[int], list[tuple[str, Any]]]
Build = Callable[[Mapping[str, Any]], dict[str, Any]]
_SCALARS = frozenset((str, int, float, bool))
WIDEST = 400
"""So many values at most in a row whose layout is remembered."""


def unflatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects and lists out of dotted names; `{}` marks a list, whose values come as a list or lines.

    Where a list holds objects, the n-th value of each field goes to the n-th object. That is true if the
    field has a value for each; if not, Splunk does not say whose they are (`_raw` does, and is preferred).
    Numbers and truth values stay text, as Splunk gives them.

    >>> unflatten({"a.b": "1", "a.c{}": ["2", "3"], "a.d{}.e": "4\\n5", "a.d{}.f": ["6", "7"]})
    {'a': {'b': '1', 'c': ['2', '3'], 'd': [{'e': '4', 'f': '6'}, {'e': '5', 'f': '7'}]}}
    """
    fields = {k: v for k, v in row.items() if k.__class__ is str and k[:1] != "_" and v not in ("", None, [])}
    sizes = [_size(value) for value in fields.values()]
    if None in sizes or len(sizes) > WIDEST:
        return _unflattened(fields)
    values: list[Any] = []
    for value in fields.values():
        if value.__class__ is list:
            values += value
        else:
            values.append(value)
    return _filled(_layout(tuple(fields), tuple(sizes)), values) if len(values) <= WIDEST else _unflattened(fields)


def _unflattened(fields: Mapping[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path in sorted(fields, key=lambda p: _order(p, fields[p])):
        if path.count(".") < _DEEPEST:
            _put(root, path.split("."), fields[path])
    return root


def _size(value: Any) -> Optional[int]:
    """What of a value the tree's form depends on: 0, a list's length, less than 0 where all are equal; or None."""
    if value.__class__ is str:
        return None if "\n" in value else 0
    if value.__class__ is not list:
        return 0 if value.__class__ in _SCALARS else None
    if not all(item.__class__ is str and "\n" not in item for item in value):
        return None
    return -len(value) if value.count(value[0]) == len(value) else len(value)


class _Spot(str):
    """A stand-in for a value: where it lies among a row's values."""

    at: int


def _spot(at: int, name: str) -> _Spot:
    spot = _Spot(name)
    spot.at = at
    return spot


@remembered(512)
def _layout(names: tuple[str, ...], sizes: tuple[int, ...]) -> Any:
    """The tree that a row with such names becomes, with places instead of values; made once for all rows alike."""
    layout: dict[str, Any] = {}
    at = 0
    for name, size in zip(names, sizes):
        spots = [_spot(at + index, "same" if size < 0 else str(index)) for index in range(abs(size) or 1)]
        layout[name] = spots if size else spots[0]
        at += len(spots)
    return _compiled(_unflattened(layout))


def spread(names: tuple[str, ...], values: list[Any], build: Build) -> dict[str, Any]:
    """What `build` makes of these names and values, none of them an object; made once for all with the same names.

    >>> spread(("a", "b"), [1, [2]], lambda row: {"c": {"d": row["b"]}, "a": row["a"]})
    {'a': 1, 'c': {'d': [2]}}
    """
    return _filled(_spread(names, build), values)


@remembered(512)
def _spread(names: tuple[str, ...], build: Build) -> Any:
    return _compiled(build({name: _spot(at, name) for at, name in enumerate(names)}))


def _compiled(tree: dict[str, Any]) -> _Node:
    """Names and places of an object's plain values, and what else is in it."""
    plain = [(name, value.at) for name, value in tree.items() if value.__class__ is _Spot]
    others = [(name, _compiled_value(value)) for name, value in tree.items() if value.__class__ is not _Spot]
    return [name for name, _ in plain], [at for _, at in plain], others


def _compiled_value(value: Any) -> Any:
    if value.__class__ is dict:
        return _compiled(value)
    return [_compiled_value(item) for item in value] if value.__class__ is list else value.at


def _filled(node: _Node, values: list[Any]) -> dict[str, Any]:
    names, places, others = node
    tree = dict(zip(names, map(values.__getitem__, places)))
    for name, other in others:
        tree[name] = _filled(other, values) if other.__class__ is tuple else _filled_list(other, values)
    return tree


def _filled_list(items: list[Any], values: list[Any]) -> list[Any]:
    return [values[item] if item.__class__ is int else _filled(item, values) for item in items]


def _order(path: str, value: Any) -> tuple[int, int, str]:
    """Fields with most values first: they show how many objects a list has."""
    return path.count("{}"), -len(_lines(value)), path


def single(value: Any) -> Any:
    """A value that some Splunk set-ups extract twice, once; a true multi-value stays a list."""
    if isinstance(value, list) and value and all(v == value[0] for v in value):
        return value[0]
    return value


def _put(node: dict[str, Any], steps: list[str], value: Any) -> None:
    for index, step in enumerate(steps[:-1]):
        if step.endswith("{}"):
            _put_in_list(node, steps[index:], value)
            return
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        node = inner
    last = steps[-1]
    if last.endswith("{}"):
        node.setdefault(last[:-2], _lines(value))
    else:
        node.setdefault(last, single(value))


def _put_in_list(node: dict[str, Any], steps: list[str], value: Any) -> None:
    items = node.setdefault(steps[0][:-2], [])
    if not isinstance(items, list):
        return
    values = _lines(value)
    if not items:
        items.extend({} for _ in range(len(values) if "{}" not in "".join(steps[1:]) else 1))
    objects = [item for item in items if isinstance(item, dict)]
    if len(values) <= len(objects):
        for item, target in zip(objects, values):
            _put(item, steps[1:], target)
    elif objects:
        _put(objects[0], steps[1:], value)


def _lines(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str) and "\n" in value and not value.lstrip().startswith("{"):
        return value.split("\n")
    return [value]
