"""Pairs of fuzzed records: what a source answers to one must not depend on what it has read before.

Records are samples of a source in any shape, of which a few values are replaced: by the source's own words (texts of
its code and of its samples, some with an ending), by values that Python takes for equal (1, True, "1"), by nothing and
by rubbish. The second of a pair is the first with one or two more values replaced, as records in a log are alike.
"""

from __future__ import annotations

import ast
import copy
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, NamedTuple, Union

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event

Steps = tuple[Any, ...]
_RUBBISH: tuple[Any, ...] = (
    None, "", "-", " x", "x ", "null", 0, 1, 1.0, True, False, "1", "true", 10**19, [], ["a", "b"], {}, "\n",
)  # fmt: skip
_LONGEST = 60
"""Of a word."""
_TABLES = 2
"""Memories of so few entries hold tables that a process loads once, not what records said."""


class Pair(NamedTuple):
    """Two records of one source."""

    one: Any
    two: Any


def samples(path: Path) -> list[Any]:
    """The records of a file of samples that are objects."""
    told = (json.loads(line)["record"] for line in path.read_text("utf-8").splitlines())
    return [record for record in told if isinstance(record, dict)]


def words(source: ModuleType, records: Iterable[Any]) -> list[str]:
    """Texts of a source's code and of its samples."""
    file = Path(str(source.__file__))
    files = file.parent.glob("*.py") if file.name == "__init__.py" else [file]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found |= {value for record in records for _, value in leaves(record) if isinstance(value, str)}
    return sorted(word for word in found if 0 < len(word) <= _LONGEST)


def leaves(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """The values that are no containers; a text that holds an object is gone into, with None as the step."""
    if isinstance(tree, dict):
        steps: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list):
        steps = enumerate(tree)
    elif isinstance(tree, str) and tree[:1] == "{" and at:
        try:
            steps = [(None, json.loads(tree))]
        except ValueError:
            steps = []
    else:
        steps = []
    inside = False
    for step, inner in steps:
        inside = True
        yield from leaves(inner, (*at, step))
    if not inside and at:
        yield at, tree


def replaced(tree: Any, path: Steps, value: Any) -> Any:
    """A record with another value at a path.

    >>> replaced({"a": '{"b": [1, 2]}'}, ("a", None, "b", 1), 3)
    {'a': '{"b": [1, 3]}'}
    """
    if not path:
        return value
    step, *rest = path
    if step is None:
        return json.dumps(replaced(json.loads(tree), tuple(rest), value))
    made = copy.copy(tree)
    made[step] = replaced(tree[step], tuple(rest), value)
    return made


class Fuzz:
    """Makes pairs of records of one source."""

    def __init__(self, source: ModuleType, records: list[Any], seed: int) -> None:
        self._random = Random(f"{source.NAME} {seed}")
        self._records = [(record, [path for path, _ in leaves(record)]) for record in records]
        self._words = words(source, records)

    def pair(self) -> Pair:
        """Two records that differ in one or two values."""
        record, places = self._random.choice(self._records)
        one = self._changed(record, places, self._random.randint(0, 3))
        return Pair(one, self._changed(one, places, self._random.randint(1, 2)))

    def _changed(self, record: Any, places: list[Steps], count: int) -> Any:
        for _ in range(count):
            with suppress(TypeError, KeyError, IndexError, ValueError):  # what it was in has been replaced before
                record = replaced(record, self._random.choice(places), self._value())
        return record

    def _value(self) -> Any:
        turn = self._random.random()
        if turn < 0.25:
            return self._random.choice(_RUBBISH)
        word = self._random.choice(self._words)
        return word if turn < 0.7 else f"{word}{self._random.randint(0, 99)}"


def forgetting() -> Callable[[], None]:
    """What clears all that modules of the package remember of values, as in a process that has just begun."""
    memories = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("nhi_watch.")
        for value in vars(module).values()
        if hasattr(value, "cache_clear") and (value.cache_info().maxsize or 0) > _TABLES
    }
    clears = [value.cache_clear for value in memories.values()]

    def clear() -> None:
        for each in clears:
            each()

    return clear


def outcome(source: ModuleType, record: Any) -> Union[Event, str]:
    """The Event, or the reason why there is none."""
    try:
        event: Event = source.read(record)
    except RejectError as reject:
        return reject.reason
    return event


def is_stable(source: ModuleType, pair: Pair, clear: Callable[[], None]) -> bool:
    """Whether each of two records is read alike by a process that has read nothing and after the other one."""
    clear()
    one, two_after = outcome(source, pair.one), outcome(source, pair.two)
    clear()
    two, one_after = outcome(source, pair.two), outcome(source, pair.one)
    return repr(one) == repr(one_after) and repr(two) == repr(two_after)
