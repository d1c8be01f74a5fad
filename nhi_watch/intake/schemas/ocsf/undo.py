"""Undoing a mapping: values back to their native places, and what was `unmapped` around them."""

from __future__ import annotations

from typing import Any

from nhi_watch.intake.shapes.forms import Table, Tree, record_in
from nhi_watch.intake.shapes.unflatten import unflatten

_DEEPEST = 24
Steps = tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]


def steps(table: Table) -> Steps:
    """A table (native path → OCSF path; `path|2` stands in for `path`) as it is walked for each record."""
    paths = ((native.partition("|")[0].split("."), path.split(".")) for native, path in table.items())
    return tuple((tuple(path), tuple(native[:-1]), native[-1]) for native, path in paths)


def undone(event: Tree, table: Steps) -> Tree:
    """The native record: by the table, and what is unmapped where the table tells nothing.

    >>> undone({"a": [{"b": 1}], "unmapped": {"n.m": "2", "n.l[]": "3,4"}}, steps({"n.k": "a.b", "n.k|2": "a"}))
    {'n': {'k': 1, 'm': '2', 'l': ['3', '4']}}
    """
    tree: Tree = {}
    for path, inner, last in table:
        value: Any = event
        for step in path:
            if value.__class__ is list and value:
                value = value[0]
            value = value.get(step) if value.__class__ is dict else None
        if value is None:
            continue
        node = tree
        for step in inner:
            node = node.setdefault(step, {})
        node.setdefault(last, value)
    return merged(tree, _unmapped(event.get("unmapped")))


def _unmapped(told: Any) -> Tree:
    """As a tree. It comes as one, as dotted names, as JSON text, or as the pairs of a Parquet map."""
    if told.__class__ is str:
        told = record_in(told)
    if told.__class__ is list:
        pairs = [(one.get("key"), one.get("value")) if one.__class__ is dict else one for one in told]
        told = {pair[0]: pair[1] for pair in pairs if pair.__class__ in (list, tuple) and len(pair) == 2}
    if told.__class__ is not dict:
        return {}
    return unflatten({name.replace("[]", "{}"): _many(name, value) for name, value in told.items()
                      if name.__class__ is str})  # fmt: skip


def _many(name: str, value: Any) -> Any:
    """Lists are flattened to texts with commas."""
    return value.split(",") if "[]" in name and value.__class__ is str else value


def merged(first: Tree, second: Tree, depth: int = 0) -> Tree:
    """Both trees as one; where both have a value, the first's, unless it is none.

    >>> merged({"a": {"b": 1, "c": None}}, {"a": {"b": 2, "c": 3}, "d": 4})
    {'a': {'b': 1, 'c': 3}, 'd': 4}
    """
    made = dict(first)
    for name, value in second.items():
        mine = made.get(name)
        if mine.__class__ is dict and value.__class__ is dict and depth < _DEEPEST:
            made[name] = merged(mine, value, depth + 1)
        elif mine is None or mine == "":
            made[name] = value
    return made
