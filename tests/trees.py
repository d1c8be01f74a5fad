"""Records as trees: where something is in them, and the same with something else there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Steps = tuple[Any, ...]
"""Names and indexes, from the outside in."""


def nodes(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """All that is in a tree, objects and lists as well."""
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in steps:
        yield (*at, step), inner
        yield from nodes(inner, (*at, step))


def leaves(tree: Any) -> Iterator[tuple[Steps, Any]]:
    """What is in a tree and has nothing in it."""
    return ((steps, inner) for steps, inner in nodes(tree) if not isinstance(inner, (dict, list)))


def changed(tree: Any, steps: Steps, value: object) -> Any:
    """The tree with another value at a place; what lies beside the way there is shared, not copied."""
    built = node = copy.copy(tree)
    for step in steps[:-1]:
        node[step] = copy.copy(node[step])
        node = node[step]
    node[steps[-1]] = value
    return built
