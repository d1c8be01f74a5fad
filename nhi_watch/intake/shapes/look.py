"""The cheap look at a record, for `peek`: which shape it has, and the values at some paths, with nothing built.

The full reading (`_shapes.native`) is the reference. Whatever a look cannot tell with certainty (a mixture of shapes,
lists where values are expected, broken JSON) it leaves to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any, Optional, Union

from nhi_watch.intake.shapes.fields import Fields, Flat, Nested, Path, Steps, steps_of
from nhi_watch.intake.shapes.forms import OF_ELASTIC, Tree, dataset, hit, nested
from nhi_watch.intake.shapes.json import parse


class Form(IntEnum):
    """How the values of a record are found."""

    NATIVE = 0
    ROW = 1
    """Splunk's extracted fields: the native paths are names."""
    DOCUMENT = 2
    """A nested document of Elastic's, without the native text."""
    FLAT = 3
    """A document of Elastic's with dots in its names, as a search hit's `fields`."""
    UNKNOWN = 4
    """For `read` alone."""


NATIVE, ROW, DOCUMENT, FLAT, UNKNOWN = Form
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
    form = _form(tuple(record))
    if form is NATIVE:
        return record, form
    raw = record.get("_raw")
    if raw.__class__ is str:
        return _parsed(raw[max(raw.find("{"), 0) :])
    if form is None:
        document = hit(record)
        if _is_flat(document):
            return document, FLAT
        if dataset(record):
            return _document(document)
        return record, _plainly(tuple(record))
    return record, form


_HOSTS = OF_ELASTIC | {"_raw"}


@lru_cache(maxsize=2048)
def _form(names: tuple[str, ...]) -> Optional[Form]:
    """The form of a record if its names tell it; None: it may be a document, or hold its text."""
    return _plainly(names) if _HOSTS.isdisjoint(names) else None


def _is_flat(document: Mapping[str, Any]) -> bool:
    """Whether it is plainly a document with dots in its names and without its record's text; cheaper than `dataset`."""
    told = document.get("event.dataset")
    return (
        told.__class__ is list
        and len(told) == 1
        and told[0].__class__ is str
        and "event" not in document
        and "message" not in document
        and "event.original" not in document
        and "kibana.alert.uuid" not in document
        and "kibana" not in document
    )


def _plainly(names: tuple[str, ...]) -> Form:
    """The form of what is no document."""
    together = "".join(names)
    row = "." in together or "{" in together or "_time" in names
    if row and ("event.dataset" in names or "data_stream.dataset" in names):
        return UNKNOWN
    return ROW if row else NATIVE


def _parsed(text: str) -> tuple[Mapping[str, Any], Form]:
    try:
        found = parse(text)
    except (ValueError, RecursionError):
        return _NOTHING
    return (found, NATIVE) if found.__class__ is dict else _NOTHING


def _document(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Form]:
    event: Any = document.get("event")
    flat = event.__class__ is not dict
    if dict in map(type, document.values()) if flat else "." in "".join(document):
        return _NOTHING
    original = (document.get("event.original") if flat else event.get("original")) or document.get("message")
    if original.__class__ is list and original and flat:
        original = original[0]
    if original.__class__ is str and original.lstrip()[:1] == "{":
        return _parsed(original)
    return _NOTHING if original.__class__ is list else (document, FLAT if flat else DOCUMENT)


def _plain(path: Any) -> Any:
    return path.partition("|")[0] if isinstance(path, str) else path


def _fields_of(path: Steps, fields: Mapping[Steps, list[str]]) -> list[str]:
    """The fields of a native path; of what is inside of an object that has fields, those below."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in fields:
            return [".".join((field, *path[depth:])) for field in fields[path[:depth]]]
    return []


class Plan:
    """How to make as much of a native record as `peek` reads, quicker than `_shapes` makes all of it."""

    def __init__(
        self,
        table: Mapping[Any, str],
        finish: Optional[Callable[[Tree], Tree]] = None,
        times: Iterable[Path] = (),
        free: Iterable[Path] = (),
    ) -> None:
        """Native path → field, as for `_shapes.rebuild`; `finish` does what a table cannot.

        `times`, `free`: native paths of values that change from record to record (see `_remembered`).

        >>> Plan({"a.b": "x.y", "a.b|2": "z"}).tree({"z": 7})
        {'a': {'b': 7}}
        """
        fields: dict[Steps, list[str]] = {}
        for path, field in table.items():
            fields.setdefault(tuple(step.replace("{}", "") for step in steps_of(_plain(path))), []).append(field)
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
        every = [field for many in fields.values() for field in many]
        moments = [field for path in map(steps_of, times) for field in _fields_of(path, fields)]
        loose = [field for path in map(steps_of, free) for field in _fields_of(path, fields)]
        self._rows = Flat(every, moments, loose, listed=False)
        self._takers: dict[Form, Union[Flat, Nested]] = {
            ROW: self._rows,
            DOCUMENT: Nested([*every, "event.dataset"], moments, loose),
            FLAT: Flat([*every, "event.dataset"], moments, loose, listed=True),
        }

    @classmethod
    def of_row(
        cls,
        paths: Iterable[Path],
        finish: Optional[Callable[[Tree], Tree]] = None,
        times: Iterable[Path] = (),
        free: Iterable[Path] = (),
    ) -> Plan:
        """The plan for Splunk's extracted fields.

        >>> Plan.of_row(["a.b", "a.c{}", "d{}.e"]).row({"a.b": "1", "a.c{}": ["2"], "d{}.e": "3"})
        {'a': {'b': '1', 'c': ['2']}, 'd': {'e': ['3']}}
        """
        return cls({path: ".".join(steps_of(path)) for path in paths}, finish, times, free)

    def taker(self, form: Form) -> Optional[Union[Flat, Nested]]:
        """What takes the values that count out of a record."""
        return self._takers[form]

    def of(self, found: Mapping[str, Any], form: Form) -> Tree:
        """Out of a row or a document.

        >>> Plan({"a.b": "x.y", "a.c": "z"}).of({"x.y": [1], "z": [2, 3]}, FLAT)
        {'a': {'b': 1, 'c': [2, 3]}}
        """
        if form is ROW:
            return self.row(found)
        return self.tree(nested(found) if form is FLAT else found)

    def row(self, row: Mapping[str, Any]) -> Tree:
        """Out of names with dots; TypeError where lines in a text may be values of a list."""
        if dict in map(type, row.values()) and self._has_object(row):
            raise TypeError("an object in a row")
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

    def _has_object(self, row: Mapping[str, Any]) -> bool:
        """Whether an object is where a value or a part of a path should be."""
        return any(self._rows.counts(name) for name, value in row.items() if value.__class__ is dict)

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
