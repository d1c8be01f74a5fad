"""Trees out of flat text: Splunk's dotted field names, and Java's `{a=b}` maps that Elastic keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Optional

_DEEPEST = 24
_LONGEST = 200_000
_KEY = re.compile(r"\s*([^\s={}\[\],\"][^={}\[\],\"]*)=")
_Node = tuple[list[str], list[int], list[tuple[str, Any]]]
Build = Callable[[Mapping[str, Any]], dict[str, Any]]
_SCALARS = frozenset((str, int, float, bool))
WIDEST = 400
"""So many values at most in a row whose layout is remembered."""


def unflatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects and lists out of dotted names; `{}` marks a list, whose values come as a list or lines.

    Where a list holds objects, the n-th value of each field goes to the n-th object. That is true if the
    field has a value for each; if not, Splunk does not tell whose they are (`_raw` does, and is preferred).
    Numbers and truth values stay text, as Splunk gives them.

    >>> unflatten({"a.b": "1", "a.c{}": ["2", "3"], "a.d{}.e": "4\\n5", "a.d{}.f": ["6", "7"]})
    {'a': {'b': '1', 'c': ['2', '3'], 'd': [{'e': '4', 'f': '6'}, {'e': '5', 'f': '7'}]}}
    """
    told = {k: v for k, v in row.items() if k.__class__ is str and k[:1] != "_" and v not in ("", None, [])}
    sizes = [_size(value) for value in told.values()]
    if None in sizes or len(sizes) > WIDEST:
        return _unflattened(told)
    values: list[Any] = []
    for value in told.values():
        if value.__class__ is list:
            values += value
        else:
            values.append(value)
    return _filled(_layout(tuple(told), tuple(sizes)), values) if len(values) <= WIDEST else _unflattened(told)


def _unflattened(told: Mapping[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path in sorted(told, key=lambda p: _order(p, told[p])):
        if path.count(".") < _DEEPEST:
            _put(root, path.split("."), told[path])
    return root


def _size(value: Any) -> Optional[int]:
    """What of a value the tree's form depends on: 0, a list's length, less than 0 where all are equal; or None."""
    if value.__class__ is str:
        return None if "\n" in value else 0
    if value.__class__ is not list:
        return 0 if value.__class__ in _SCALARS else None
    if not all(one.__class__ is str and "\n" not in one for one in value):
        return None
    return -len(value) if value.count(value[0]) == len(value) else len(value)


class _Spot(str):
    """A stand-in for a value: where it lies among a row's values."""

    at: int


def _spot(at: int, name: str) -> _Spot:
    made = _Spot(name)
    made.at = at
    return made


@lru_cache(maxsize=512)
def _layout(names: tuple[str, ...], sizes: tuple[int, ...]) -> Any:
    """The tree that a row with such names becomes, with places instead of values; made once for all rows alike."""
    told: dict[str, Any] = {}
    at = 0
    for name, size in zip(names, sizes):
        spots = [_spot(at + index, "same" if size < 0 else str(index)) for index in range(abs(size) or 1)]
        told[name] = spots if size else spots[0]
        at += len(spots)
    return _compiled(_unflattened(told))


def spread(names: tuple[str, ...], values: list[Any], build: Build) -> dict[str, Any]:
    """What `build` makes of these names and values, none of them an object; made once for all with the same names.

    >>> spread(("a", "b"), [1, [2]], lambda told: {"c": {"d": told["b"]}, "a": told["a"]})
    {'a': 1, 'c': {'d': [2]}}
    """
    return _filled(_spread(names, build), values)


@lru_cache(maxsize=512)
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
    return [_compiled_value(one) for one in value] if value.__class__ is list else value.at


def _filled(node: _Node, values: list[Any]) -> dict[str, Any]:
    names, places, others = node
    tree = dict(zip(names, map(values.__getitem__, places)))
    for name, other in others:
        tree[name] = _filled(other, values) if other.__class__ is tuple else _filled_list(other, values)
    return tree


def _filled_list(items: list[Any], values: list[Any]) -> list[Any]:
    return [values[item] if item.__class__ is int else _filled(item, values) for item in items]


def _order(path: str, value: Any) -> tuple[int, int, str]:
    """Fields with most values first: they tell how many objects a list has."""
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
        for item, one in zip(objects, values):
            _put(item, steps[1:], one)
    elif objects:
        _put(objects[0], steps[1:], value)


def _lines(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str) and "\n" in value and not value.lstrip().startswith("{"):
        return value.split("\n")
    return [value]


def java_map(text: object) -> dict[str, Any]:
    """Java's `Map.toString` read back; JSON texts inside stay text. Rubbish gives what could be read.

    >>> java_map('{a=1, b={c=[x, y]}, p={"Statement":[{"Sid":"q"}]}, n=null}')
    {'a': '1', 'b': {'c': ['x', 'y']}, 'p': '{"Statement":[{"Sid":"q"}]}', 'n': 'null'}
    """
    if not isinstance(text, str) or not text.startswith("{") or len(text) > _LONGEST:
        return {}
    return _map(text, 0, 0)[0]


def _map(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at += 1
    while match := _KEY.match(text, at):
        found[match[1]], at = _value(text, match.end(), depth)
        if text[at : at + 1] != ",":
            break
        at += 1
    return found, at + 1


def _value(text: str, at: int, depth: int, in_list: bool = False) -> tuple[Any, int]:
    sign = text[at : at + 1]
    if sign == "{" and depth < _DEEPEST and (_KEY.match(text, at + 1) or text[at : at + 2] == "{}"):
        return _map(text, at, depth + 1)
    if sign == "[" and depth < _DEEPEST:
        return _list(text, at, depth)
    end = _end(text, at, in_list)
    return text[at:end], end


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    at += 1
    while at < len(text) and text[at] != "]":
        item, at = _value(text, at, depth + 1, in_list=True)
        items.append(item)
        if text[at : at + 2] == ", ":
            at += 2
        elif text[at : at + 1] != "]":
            break
    return items, at + 1


_STOP = re.compile(r'"(?:[^"\\]|\\.)*"|[{\[]|[}\]]|, (?=[^\s={}\[\],"]+=)|,')


def _end(text: str, at: int, in_list: bool) -> int:
    """Where a plain value ends: at an unbalanced closing sign, or a comma before the next key."""
    depth = 0
    for match in _STOP.finditer(text, at):
        sign = match[0]
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            if depth == 0:
                return match.start()
            depth -= 1
        elif sign[0] == "," and depth == 0 and (in_list or sign == ", "):
            return match.start()
    return len(text)
