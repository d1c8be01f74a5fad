"""The shapes in which hosts hold a record, and how a source gets its native form out of any of them.

- native: as the product wrote it
- Splunk: a flat row, with `_raw` (the record's text) or with extracted fields (`a.b`, `a{}.c`)
- ECS: a document of one of Elastic's integrations, nested (`_source`) or flattened (`fields`, every value in a
  list), with or without `event.original`

A source calls `native`; when that answers with a document, it rebuilds the native record by a table
(`rebuild`). Values are then read with `values` (text, whole, true, listed, secret_hash, made_id) and times with
`times.moment`. Reject reasons raised here: not_object, bad_json, too_deep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Optional, Union, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.shapes.unflatten import WIDEST, spread, unflatten
from nhi_watch.intake.shapes.values import listed

Tree = dict[str, Any]
Table = Mapping[str, Sequence[str]]
"""Native path → ECS field, or several, of which the first one told wins."""
Words = tuple[tuple[str, ...], ...]
"""Of each of these groups a text has one word."""

_DEEPEST = 24
_SPLUNK_OWN = frozenset((
    "_raw", "_time", "_indextime", "_cd", "_bkt", "_si", "_serial", "_sourcetype", "_kv", "_meta", "_chunked_idx",
))  # fmt: skip
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
        raise RejectError("not_object", f"the record is no object but {type(record).__name__}")
    raw = record.get("_raw")
    if isinstance(raw, str):
        return _from_raw(raw, record), False
    if not dataset(record):
        return (_row(record) if _is_row(record) else record), False
    document = hit(record)
    original = _original(document)
    if original is not None:
        return original, False
    return nested(document), True


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
        found = inner.get("dataset") if inner.__class__ is dict else document.get(part + ".dataset")
        if found.__class__ is list and found:
            found = found[0]
        if found.__class__ is str:
            return found
    return ""


def claimant(
    is_row: Callable[[Tree], bool], words: Union[Words, Callable[[str], bool]], *datasets: str
) -> Callable[[object], bool]:
    """A source's `claims`: by a text's words, by a document's dataset (or its beginning: `x.*`), by a row's names.

    >>> claims = claimant(lambda row: "verb" in row, (('"verb"',), ('"a"', '"b"')), "x.y", "z.*")
    >>> [claims(one) for one in ({"_raw": '{"verb": "b"}'}, {"event.dataset": "z.1"}, {"verb": 1}, {"a": 1}, 7)]
    [True, True, True, False, False]
    """
    whole = frozenset(name for name in datasets if name[-1:] != "*")
    begins = tuple(name[:-1] for name in datasets if name[-1:] == "*")

    def claims(record: object) -> bool:
        if record.__class__ is not dict:
            return False
        row = cast(Tree, record)
        raw = row.get("_raw")
        if raw.__class__ is str:
            return words(raw) if callable(words) else _has(raw, words)
        told = dataset(row)
        return is_row(row) or told in whole or (begins != () and told.startswith(begins))

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


def _is_row(record: Mapping[str, Any]) -> bool:
    return _have_paths(tuple(record))


@lru_cache(maxsize=2048)
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


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def part(tree: Any, path: str) -> Tree:
    """The object at a dotted path; an empty one where there is none.

    >>> part({"a": {"b": {"c": 1}}}, "a.b"), part({"a": 1}, "a")
    ({'c': 1}, {})
    """
    found = at(tree, path)
    return found if found.__class__ is dict else {}


def inner(tree: Mapping[str, Any], name: str) -> Tree:
    """The object at a name; an empty one where there is none.

    >>> inner({"a": {"b": 1}}, "a"), inner({"a": 1}, "a")
    ({'b': 1}, {})
    """
    found = tree.get(name)
    return found if found.__class__ is dict else {}


def every(tree: Any, path: str) -> list[Any]:
    """All values at a dotted path through lists.

    >>> every({"a": [{"b": 1}, {"b": [2, 3]}]}, "a.b")
    [1, 2, 3]
    """
    found = [tree]
    for step in path.split("."):
        inner = [node.get(step) for node in found if node.__class__ is dict]
        found = [one for value in inner if value is not None for one in listed(value)]
    return found


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
                put(tree, path, value)
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
        return [renamed(one, name_of, depth + 1) for one in tree]
    if tree.__class__ is not dict:
        return tree
    return {name_of(k): renamed(v, name_of, depth + 1) for k, v in tree.items() if k.__class__ is str}


def rows_of(value: object) -> list[Tree]:
    """The objects of a list; where a search hit gave each of their fields a list of its own, put together.

    >>> rows_of([{"a": 1}, 2]), rows_of({"a": ["1", "2"], "b": ["3", "4"]}), rows_of({"a": 1})
    ([{'a': 1}], [{'a': '1', 'b': '3'}, {'a': '2', 'b': '4'}], [{'a': 1}])
    """
    if isinstance(value, dict):
        columns = {k: v for k, v in value.items() if isinstance(v, list)}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1:
            return [value]
        return [{k: column[i] for k, column in columns.items()} for i in range(lengths.pop())]
    return [one for one in listed(value) if isinstance(one, dict)]


def record_in(told: Any) -> Optional[Tree]:
    """The object that a value is, or that its text holds; None where there is none."""
    if told.__class__ is dict:
        return told or None
    if told.__class__ is not str or told.lstrip()[:1] != "{":
        return None
    try:
        return object_of(told) or None
    except RejectError:
        return None
