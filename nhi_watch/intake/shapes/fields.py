"""The values at some paths of a record, of flat rows and of trees; and those that count, to know a record again by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Optional, Union

Row = Mapping[str, Any]
Steps = tuple[str, ...]
Path = Union[str, Steps]
"""Steps with dots between them, or steps that hold dots themselves."""
Values = tuple[Any, ...]
Key = tuple[int, Values]
"""Number of a layout, and values."""

_EMPTY: dict[str, Any] = {}
_LAYOUTS = 1024
"""Remembered at most; what comes after starts anew."""
_LONGEST_KEY = 2000
_TEXTS = frozenset((str, type(None)))


def steps_of(path: Path) -> Steps:
    """A path in steps."""
    return tuple(path.split(".")) if isinstance(path, str) else path


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
        every = [steps_of(path) for path in (*(first for first, *_ in told), *(path for _, path in others))]
        self._names = tuple(map(".".join, every))
        inner = sorted({steps[:depth] for steps in every for depth in range(len(steps))})
        self._nodes = [
            (inner.index(node[:-1]), "".join(node[-1:]), [steps[-1] for steps in every if steps[:-1] == node])
            for node in inner
        ]
        """In an order in which an object comes after the one it is in: index of that one, name, names of values."""
        met = [steps for node in inner for steps in every if steps[:-1] == node]
        self.places = [met.index(steps) for steps in every]
        """Where in what `walk` finds the values of the paths are; alternatives come last."""

    def row(self, row: Mapping[str, Any]) -> list[Any]:
        """Out of names with dots."""
        return self._first(list(map(row.get, self._names)))

    def tree(self, tree: Mapping[str, Any]) -> list[Any]:
        """Out of objects in objects.

        Raises:
            TypeError: a list is on the way.
        """
        found = self.walk(tree)
        return self._first([found[index] for index in self.places])

    def walk(self, tree: Mapping[str, Any]) -> list[Any]:
        """The values of all paths, of alternatives as well, in an order of their own, which `places` tells."""
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
        return found

    def _first(self, found: list[Any]) -> list[Any]:
        for index, other in self._others:
            if found[index] is None:
                found[index] = found[other]
        del found[self._count :]
        return found


def _fields_of(path: Steps, fields: Mapping[Steps, list[str]]) -> list[str]:
    """The fields of a native path; of what is inside of an object that has fields, those below."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in fields:
            return [".".join((field, *path[depth:])) for field in fields[path[:depth]]]
    return []


def _plain(path: Any) -> Any:
    return path.partition("|")[0] if isinstance(path, str) else path


class _Layout(NamedTuple):
    key: Callable[[Row], Values]
    odd: Optional[Callable[[Row], Values]]
    """Of names at which lists and objects were met."""
    strange: Collection[str]
    """Those names."""
    free: Callable[[Row], Values]
    number: int
    names: tuple[str, ...]
    """The free ones."""
    times: int
    """So many of the free ones are times."""


class Flat:
    """Of rows and documents whose names have dots."""

    def __init__(
        self, paths: Optional[Iterable[str]], times: Iterable[str], free: Iterable[str], listed: bool
    ) -> None:
        """All values at, below and above `paths` count; None: all there are.

        `listed`: a list of one is as good as what is in it.
        """
        self._listed = listed
        self._paths = ("",) if paths is None else tuple({path.replace("{}", "") + "." for path in paths})
        self._times = frozenset(times)
        self._free = frozenset(free)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._met = 0

    def take(self, row: Row) -> tuple[Key, Values]:
        """The values; TypeError or ValueError where it cannot be done cheaply."""
        names = tuple(row)
        key, odd, _, free, number, _, _ = self._layouts.get(names) or self._laid(names)
        values, others = key(row), free(row)
        if self._listed:
            values, others = _singles(values), _singles(others)
        elif list in map(type, values) or list in map(type, others):
            raise TypeError("a list where there was none before")
        return (number, (*values, *map(hashable, odd(row))) if odd else values), others

    def put(self, row: Row, free: tuple[Values, Values]) -> Row:
        """A row like this, just taken, with others than its own free values."""
        names = self._layouts[tuple(row)].names
        return {**row, **dict(zip(names, ([one] for one in free[1]) if self._listed else free[1]))}

    def times(self, row: Row) -> int:
        """So many of the free values of a row, just taken, are times."""
        return self._layouts[tuple(row)].times

    def mind(self, row: Row) -> None:
        """Take note of objects and lists, which are no keys as they are."""
        names = tuple(row)
        known = self._layouts.get(names)
        if known is not None:
            self._laid(names, {*known.strange, *(name for name in names if not self._is_plain(row[name]))})

    def _is_plain(self, value: Any) -> bool:
        if self._listed:
            return value.__class__ is list and len(value) == 1 and value[0].__class__ not in (dict, list)
        return value.__class__ not in (dict, list)

    def _laid(self, names: tuple[str, ...], odd: Collection[str] = ()) -> _Layout:
        times = [name for name in names if name in self._times and name not in odd]
        free = [*times, *(name for name in names if name in self._free and name not in odd)]
        counted = [name for name in names if name.__class__ is str and name not in free and self.counts(name)]
        strange = [name for name in counted if name in odd]
        if len(self._layouts) >= _LAYOUTS:
            self._layouts.clear()
        key = getting([name for name in counted if name not in odd])
        self._met += 1  # of no layout that was forgotten, lest its keys be taken for this one's
        made = _Layout(
            key, getting(strange) if strange else None, odd, getting(free), self._met, tuple(free), len(times)
        )
        self._layouts[names] = made
        return made

    def counts(self, name: str) -> bool:
        """Whether the value of a name matters."""
        plain = name.replace("{}", "") + "."
        return plain.startswith(self._paths) or any(path.startswith(plain) for path in self._paths)


class Nested:
    """Of trees."""

    def __init__(self, paths: Iterable[str], times: Iterable[str], free: Iterable[str]) -> None:
        """What is at `paths` counts, whole objects and lists as well, but for the free values in them."""
        times = [*dict.fromkeys(times)]
        self._steps = [steps_of(path) for path in dict.fromkeys((*times, *free))]
        self._times = len(times)
        fixed = [path for path in dict.fromkeys(paths) if steps_of(path) not in self._steps]
        self._fields = Fields([*self._steps, *map(steps_of, fixed)])
        count, places = len(self._steps), self._fields.places
        self._free = getting(places[:count])
        self._fixed = getting(places[count:])
        self._inside = {
            place: frozenset(steps[-1] for steps in self._steps if steps[:-1] == steps_of(path))
            for path, place in zip(fixed, places[count:])
        }
        self._odd: dict[int, bool] = {}
        """Where objects and lists were met, and whether objects with others in them."""
        self._inner: dict[tuple[int, tuple[str, ...]], Callable[[Row], Values]] = {}

    def take(self, tree: Row) -> tuple[Key, Values]:
        """The values; TypeError where a list is on the way, or an object where there was none before."""
        found = self._fields.walk(tree)
        for place, deep in self._odd.items():
            value = found[place]
            if value.__class__ is dict and not deep:
                found[place] = self._object(place, value)
            elif value.__class__ is dict or value.__class__ is list:
                found[place] = hashable(value, self._inside[place])
        values = self._fixed(found)
        return (0, values), self._free(found)

    def mind(self, tree: Row) -> None:
        """Take note of objects and lists, which are no keys as they are."""
        found = self._fields.walk(tree)
        for place in self._inside:
            value = found[place]
            if value.__class__ is list:
                self._odd.setdefault(place, False)
            elif value.__class__ is dict:
                deep = any(inner.__class__ in (dict, list) for inner in value.values())
                self._odd[place] = deep or self._odd.get(place, False)

    def _object(self, place: int, value: Row) -> Values:
        """The names and the values of an object, without those that are free."""
        names = tuple(value)
        getter = self._inner.get((place, names))
        if getter is None:
            if len(self._inner) >= _LAYOUTS:
                self._inner.clear()
            getter = getting([name for name in names if name not in self._inside[place]])
            self._inner[place, names] = getter
        values = getter(value)
        return (names, values) if _TEXTS.issuperset(map(type, values)) else (names, values, *map(type, values))

    def put(self, tree: Row, free: tuple[Values, Values]) -> Row:
        """A tree like this with others than its own free values."""
        for steps, old, new in zip(self._steps, *free):
            tree = tree if old is None else _put(tree, steps, new)
        return tree

    def times(self, tree: Row) -> int:
        """So many of the free values are times."""
        return self._times


def _put(tree: Row, steps: Steps, value: Any) -> Row:
    return {**tree, steps[0]: _put(tree[steps[0]], steps[1:], value) if len(steps) > 1 else value}


def _singles(values: Values) -> Values:
    """What is in lists of one."""
    if dict in map(type, values):
        raise TypeError("an object in between")
    return tuple([value for (value,) in values])


def hashable(value: Any, without: Iterable[str] = ()) -> Any:
    """A list or an object as its spelling, in a tuple lest it be a text that looks alike."""
    if value.__class__ is dict and without:
        value = {name: inner for name, inner in value.items() if name not in without}
    if value.__class__ is not list and value.__class__ is not dict:
        return value
    try:
        told = repr(value)
    except RecursionError as error:
        raise TypeError("too deep for a key") from error
    if len(told) > _LONGEST_KEY:
        raise TypeError("too long for a key")
    return (told,)


def getting(names: Sequence[Any]) -> Callable[[Any], Values]:
    """A tuple of values, however many names there are."""
    if len(names) > 1:
        return itemgetter(*names)
    return (lambda row: (row[names[0]],)) if names else lambda row: ()
