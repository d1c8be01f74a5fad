"""Trees out of flat text: Splunk's dotted field names, and Java's `{a=b}` maps that Elastic keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DEEPEST = 24
_LONGEST = 200_000
_KEY = re.compile(r"\s*([^\s={}\[\],\"][^={}\[\],\"]*)=")


def unflatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects and lists out of dotted names; `{}` marks a list, whose values come as a list or lines.

    Where a list holds objects, the n-th value of each field goes to the n-th object. That is true if the
    field has a value for each; if not, Splunk does not tell whose they are (`_raw` does, and is preferred).
    Numbers and truth values stay text, as Splunk gives them.

    >>> unflatten({"a.b": "1", "a.c{}": ["2", "3"], "a.d{}.e": "4\\n5", "a.d{}.f": ["6", "7"]})
    {'a': {'b': '1', 'c': ['2', '3'], 'd': [{'e': '4', 'f': '6'}, {'e': '5', 'f': '7'}]}}
    """
    root: dict[str, Any] = {}
    told = {k: v for k, v in row.items() if isinstance(k, str) and k[:1] != "_" and v not in ("", None, [])}
    for path in sorted(told, key=lambda p: _order(p, told[p])):
        if path.count(".") < _DEEPEST:
            _put(root, path.split("."), told[path])
    return root


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
    return value.split("\n") if isinstance(value, str) and not value.lstrip().startswith("{") else [value]


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
