"""The cheap look at a record, for `peek`: which shape it has, and the values at some paths, with nothing built.

The full reading (`_shapes.native`) is the reference. Whatever a look cannot tell with certainty (a mixture of shapes,
lists where values are expected, broken JSON) it leaves to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any, Optional, Union

from nhi_watch.sources._json import parse
from nhi_watch.sources._shapes import Tree, dataset, hit


class Form(IntEnum):
    """How the values of a record are found."""

    NATIVE = 0
    ROW = 1
    """Splunk's extracted fields: the native paths are names."""
    DOCUMENT = 2
    """A nested document of Elastic's, without the native text."""
    UNKNOWN = 3
    """For `read` alone."""


Steps = tuple[str, ...]
Path = Union[str, Steps]
"""Steps with dots between them, or steps that hold dots themselves."""

NATIVE, ROW, DOCUMENT, UNKNOWN = Form
_EMPTY: Tree = {}
_NOTHING: tuple[Tree, Form] = ({}, UNKNOWN)
PLAIN = frozenset((str, int, type(None)))
"""Types of values that equal each other only when they are alike: no truth values, which equal 0 and 1."""


def look(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], Form]:
    """Where the values are, and how they are found there. Rubbish may raise TypeError or AttributeError.

    >>> look({"_raw": '{"a": {"b": 1}}'}), look({"a.b": "1", "_time": "0"})
    (({'a': {'b': 1}}, <Form.NATIVE: 0>), ({'a.b': '1', '_time': '0'}, <Form.ROW: 1>))
    >>> look({"event": {"dataset": "x.y"}, "a": 1})[1], look({"event": {"dataset": "x.y", "original": '{"b": 2}'}})[0]
    (<Form.DOCUMENT: 2>, {'b': 2})
    """
    raw = record.get("_raw")
    if raw.__class__ is str:
        return _parsed(raw[max(raw.find("{"), 0) :])
    if ("event" in record or "data_stream" in record or "_source" in record or "fields" in record) and dataset(record):
        return _document(hit(record))
    names = "".join(record)
    if "." not in names and "{" not in names and "_time" not in record:
        return record, NATIVE
    if dict in map(type, record.values()) or "event.dataset" in record or "data_stream.dataset" in record:
        return _NOTHING
    return record, ROW


def _parsed(text: str) -> tuple[Mapping[str, Any], Form]:
    try:
        found = parse(text)
    except (ValueError, RecursionError):
        return _NOTHING
    return (found, NATIVE) if found.__class__ is dict else _NOTHING


def _document(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Form]:
    event = document.get("event")
    if event.__class__ is not dict or "." in "".join(document):
        return _NOTHING
    original = event.get("original") or document.get("message")
    if original.__class__ is str and original.lstrip()[:1] == "{":
        return _parsed(original)
    return _NOTHING if original.__class__ is list else (document, DOCUMENT)


class Fields:
    """The values at some paths, as a list in their order, out of a row or out of a tree."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Of several paths (`a|b`), the first that is told counts; no path, no value.

        >>> Fields(["a.b", "a.c|d"]).tree({"a": {"b": 1}, "d": 2}), Fields(["a.b", ""]).row({"a.b": "x"})
        ([1, 2], ['x', None])
        """
        told = [path.split("|") if isinstance(path, str) else [path] for path in paths]
        others = [(index, path) for index, (_, *rest) in enumerate(told) for path in rest]
        self._count = len(told)
        self._others = [(index, self._count + at) for at, (index, _) in enumerate(others)]
        every = [_steps(path) for path in (*(first for first, *_ in told), *(path for _, path in others))]
        self._names = tuple(map(".".join, every))
        inner = sorted({steps[:depth] for steps in every for depth in range(len(steps))})
        self._nodes = [
            (inner.index(node[:-1]), "".join(node[-1:]), [steps[-1] for steps in every if steps[:-1] == node])
            for node in inner
        ]
        """In an order in which an object comes after the one it is in: index of that one, name, names of values."""
        met = [steps for node in inner for steps in every if steps[:-1] == node]
        self._order = [met.index(steps) for steps in every]

    def row(self, row: Mapping[str, Any]) -> list[Any]:
        """Out of names with dots."""
        return self._first(list(map(row.get, self._names)))

    def tree(self, tree: Mapping[str, Any]) -> list[Any]:
        """Out of objects in objects.

        Raises:
            TypeError: a list is on the way.
        """
        found: list[Any] = []
        nodes: list[Mapping[str, Any]] = []
        for parent, name, names in self._nodes:
            node = nodes[parent].get(name, _EMPTY) if nodes else tree
            if node.__class__ is not dict:
                if node.__class__ is list:
                    raise TypeError("a list is on the way")
                node = _EMPTY
            nodes.append(node)
            found += map(node.get, names)
        return self._first([found[index] for index in self._order])

    def _first(self, found: list[Any]) -> list[Any]:
        for index, other in self._others:
            if found[index] is None:
                found[index] = found[other]
        del found[self._count :]
        return found


def _steps(path: Path) -> Steps:
    return tuple(path.split(".")) if isinstance(path, str) else path


class Plan:
    """How to make as much of a native record as `peek` reads, quicker than `_shapes` makes all of it."""

    def __init__(self, table: Mapping[Any, str], finish: Optional[Callable[[Tree], Tree]] = None) -> None:
        """Native path → field, as for `_shapes.rebuild`; `finish` does what a table cannot.

        >>> Plan({"a.b": "x.y", "a.b|2": "z"}).tree({"z": 7})
        {'a': {'b': 7}}
        """
        fields: dict[Steps, list[str]] = {}
        for path, field in table.items():
            plain = path.partition("|")[0] if isinstance(path, str) else path
            fields.setdefault(tuple(step.replace("{}", "") for step in _steps(plain)), []).append(field)
        self._groups: list[tuple[Steps, list[str], slice]] = []
        paths = sorted(fields, key=lambda steps: (len(steps) > 1, steps[:-1]))
        for index, (*steps, name) in enumerate(paths):
            if not self._groups or self._groups[-1][0] != tuple(steps):
                self._groups.append((tuple(steps), [], slice(index, index)))
            _, names, part = self._groups[-1]
            names.append(name)
            self._groups[-1] = (tuple(steps), names, slice(part.start, index + 1))
        self._finish = finish
        self._fields = Fields("|".join(fields[path]) for path in paths)
        self._lists = [index for index, path in enumerate(paths) if "{}" in fields[path][0]]
        self._single = [index for index in range(len(paths)) if index not in self._lists]

    @classmethod
    def of_row(cls, paths: Iterable[Path], finish: Optional[Callable[[Tree], Tree]] = None) -> Plan:
        """The plan for Splunk's extracted fields.

        >>> Plan.of_row(["a.b", "a.c{}", "d{}.e"]).row({"a.b": "1", "a.c{}": ["2"], "d{}.e": "3"})
        {'a': {'b': '1', 'c': ['2']}, 'd': {'e': ['3']}}
        """
        return cls({path: ".".join(_steps(path)) for path in paths}, finish)

    def row(self, row: Mapping[str, Any]) -> Tree:
        """Out of names with dots; TypeError where lines in a text may be values of a list."""
        values = self._fields.row(row)
        if list in map(type, values) and any(v.__class__ is list for v in map(values.__getitem__, self._single)):
            raise TypeError("several values where one belongs")
        for index in self._lists:
            value = values[index]
            if value is not None and value.__class__ is not list:
                if value.__class__ is str and "\n" in value:
                    raise TypeError("lines instead of a list")
                values[index] = [value]
        return self._built(values)

    def tree(self, tree: Mapping[str, Any]) -> Tree:
        """Out of objects in objects; TypeError where a list is on the way."""
        return self._built(self._fields.tree(tree))

    def _built(self, values: list[Any]) -> Tree:
        root: Tree = {}
        for steps, names, part in self._groups:
            told = values[part]
            if told.count(None) == len(told):
                continue
            node = root
            for step in steps:
                node = node.setdefault(step, {})
            node.update(zip(names, told))
        return self._finish(root) if self._finish else root


def native_like(record: object, rows: Plan, documents: Optional[Plan] = None) -> Optional[Mapping[str, Any]]:
    """The native record, or as much of it as two plans make of a row and of a document; None: needs `read`.

    Raises:
        TypeError, AttributeError: it is rubbish.
    """
    if record.__class__ is not dict:
        return None
    found, form = look(record)
    if form is NATIVE:
        return found
    if form is ROW:
        return rows.row(found)
    return documents.tree(found) if form is DOCUMENT and documents is not None else None


def flag(value: Any) -> Any:
    """A truth value as text, because to Python it equals a number; other values as they are."""
    return "true" if value is True else "false" if value is False else value


def inner(tree: Mapping[str, Any], name: str) -> Tree:
    """The object at a name; an empty one where there is none."""
    found = tree.get(name)
    return found if found.__class__ is dict else _EMPTY


def is_id(value: object) -> bool:
    """Whether a value can be a record's id as it is."""
    return value.__class__ is str and 0 < len(value) <= 256 and value not in ("-", "null")
