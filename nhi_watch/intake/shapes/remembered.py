"""What peek said of records, remembered: most differ from one met before only in id, time, session and target.

Those few values are *free*. All others that a source looks at are the key of what was said before, in which the free
ones are filled in. Which of them goes where is found out by trying: a record that is met a second time is read again
with other texts in place of the free ones: long ones full of signs, and ids. Only if its shape stays the same, and
id, session and target are made of these texts as they are, is it remembered. All else is read as if it were new.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Optional, Protocol, Union, cast

from nhi_watch.intake.shapes.fields import Key, Row, Values, getting, hashable
from nhi_watch.intake.sources import Peek

Make = Callable[[Row], Optional[Peek]]
Clock = Callable[[object], Optional[str]]
"""How the time of a Peek is made of the record's."""
_Pieces = Any
"""A text, a place among the free values, or some of both that make a text together."""
_SAID = 4096
"""Remembered at most; what comes after starts anew."""
_LONGEST_KEY = 20_000
"""Of values that are longer together nothing is remembered: it would be too much memory."""
_TEXTS = frozenset((str, type(None)))
_SPELLED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b[1-9]\d{0,17}\b""")
_NOT_TOLD = frozenset(("", "-", "null", "unknown", "none", "None", "NULL"))
_SIGNS = "Ab/c?d:e@f.g#h|i=j&k,l_m%n(o)p{q};r's\"t"
_LONG = 150
_MANY = 10**18
_NUMBER = re.compile(r"\d{10}|\d{13}", re.ASCII)
"""A time in seconds or milliseconds; other scripts have digits that are no numbers."""


class Taker(Protocol):
    """Takes the values out of records of one form."""

    def take(self, row: Row) -> tuple[Key, Values]:
        """The values; TypeError or ValueError where it cannot be done cheaply."""

    def put(self, row: Row, free: tuple[Values, Values]) -> Row:
        """A record like this, of which the values were just taken, with others than its own free ones."""

    def times(self, row: Row) -> int:
        """How many of the free values of such a record are times."""

    def mind(self, row: Row) -> None:
        """Look into it why the values could not be taken, or be a key."""


class _Said(NamedTuple):
    """What was said, with places for the free values."""

    shape: tuple[Any, ...]
    clock: int
    """Which of the free values is the time."""
    pieces: tuple[_Pieces, ...]
    """Of record id, session and target."""
    bound: tuple[int, ...] = ()
    """Which of the free values are a part of the key all the same; they come with an entry of their own."""
    longest: int = 0
    free_types: Sequence[type] = ()
    types: Sequence[type] = ()
    """Of the key's values, where others than texts are among them: 1 equals True."""
    others: frozenset[str] = frozenset()
    """The key's values, in lower case: what is free and equals one of them may mean more."""
    loose: Optional[Callable[[Values], Values]] = None
    """Leaves out those of the free values that are a part of this entry's key."""
    pick: Optional[Callable[[Values], Values]] = None
    """Picks record id, session and target out of free values and pieces, where none is made of several."""


_Taken = tuple[Key, Values, tuple[int, ...]]
"""Key, free values, and which of them are a part of the key."""
_ONCE = _Said((), 0, ())
_NEVER = _Said((), 0, ())
_SILENT = _Said((), 0, ())
"""Nothing was said; `read` is to be asked again."""


class Remembered:
    """Peeks by the values that they were made of."""

    def __init__(self, make: Make, taker: Taker, clock: Clock) -> None:
        """`make` depends on what `taker` takes alone. `clock`: how the time of a Peek is made of the record's."""
        self._make = make
        self._taker = taker
        self._clock = clock
        self._said: dict[Key, _Said] = {}

    def peek(self, row: Row) -> Optional[Peek]:
        """What `make` says."""
        fixed: tuple[int, ...] = ()
        try:
            key, free = self._taker.take(row)
            said = self._said.get(key)
            if said is not None and said.bound:
                fixed = said.bound
                key = _longer(key, free, fixed)
                said = self._said.get(key)
        except (TypeError, ValueError):
            self._taker.mind(row)
            return self._make(row)
        if said is _SILENT:
            return None
        found = _filled(said, key, free, self._clock) if said is not None and said.longest else None
        return found or self._otherwise(row, (key, free, fixed), said)

    def _otherwise(self, row: Row, taken: _Taken, said: Optional[_Said]) -> Optional[Peek]:
        """What was not met, or is out of the ordinary: what is so becomes a part of the key."""
        if said is _NEVER:
            return self._make(row)
        key, free, fixed = taken
        others = _lowered(key)
        odd = tuple([at for at, one in enumerate(free) if at not in fixed and not _is_usual(one, others, _LONG)])
        if odd:
            fixed, key = (*fixed, *odd), _longer(key, free, odd)
            said = self._said.get(key)
        if said is _SILENT:
            return None
        if said is None or said is _ONCE:
            return self._met(row, (key, free, fixed), said)
        return (_filled(said, key, free, self._clock) if odd and said.longest else None) or self._make(row)

    def _met(self, row: Row, taken: _Taken, said: Optional[_Said]) -> Optional[Peek]:
        """What is met once is hardly worth the trouble."""
        told = self._make(row)
        if len(repr(taken[0])) > _LONGEST_KEY:
            return told
        if len(self._said) >= _SAID:
            self._said.clear()
        self._said[taken[0]] = _ONCE if said is None else self._learnt(row, taken, told)
        return told

    def _learnt(self, row: Row, taken: _Taken, told: Optional[Peek]) -> _Said:
        key, free, fixed = taken
        trial = _Trial(told, free, self._taker.times(row), partial(self._again, row, free), self._clock)
        if told is None:
            return _SILENT if trial.is_silent(fixed) else _ONCE
        said = trial.learnt(fixed)
        if said is None:
            return _NEVER if fixed else trial.bound()
        types = () if _TEXTS.issuperset(map(type, key[1])) else list(map(type, key[1]))
        return said._replace(types=types, others=_lowered(key))

    def _again(self, row: Row, free: Values, others: Values) -> Optional[Peek]:
        return self._make(self._taker.put(row, (free, others)))


# ---- learning


class _Trial(NamedTuple):
    """Reads a record again, with others than its own free values."""

    told: Optional[Peek]
    free: Values
    times: int
    again: Callable[[Values], Optional[Peek]]
    clock: Clock

    def learnt(self, bound: Collection[int]) -> Optional[_Said]:
        """What is the same for all values in place of those that are not bound; None where that cannot be told."""
        for longest in (_LONG, 60):
            found = [self._pieced(texts, bound) for texts in self._variants(longest, bound)]
            if self.told is None or found[0] is None or any(one != found[0] for one in found):
                continue
            if found[0].shape != self.told[0]:
                continue
            said = self._ready(found[0]._replace(longest=longest), bound)
            if _filled(said, (0, ()), self.free, self.clock) == tuple(self.told):
                return said
        return None

    def _ready(self, said: _Said, bound: Collection[int]) -> _Said:
        """With what makes it quick to fill in."""
        end, pick = len(self.free), None
        if tuple not in map(type, said.pieces):
            pick = itemgetter(*[one if one.__class__ is int else end + at for at, one in enumerate(said.pieces)])
        loose = getting([at for at in range(end) if at not in bound]) if bound else None
        return said._replace(free_types=list(map(type, self.free)), pick=pick, loose=loose)

    def is_silent(self, bound: Collection[int]) -> bool:
        """Whether nothing is said, whatever the values are."""
        if not all(self.clock(value) for value in self.free[: self.times]):
            return False  # there the time is to blame
        return not any(self.again(texts) for texts in self._variants(60, bound))

    def bound(self) -> _Said:
        """Which of the free values tell more than themselves."""
        those = range(self.times, len(self.free))
        found = [index for index in those if not self.learnt([other for other in those if other != index])]
        return _Said((), 0, (), tuple(found)) if found and self.learnt(found) else _NEVER

    def _variants(self, longest: int, bound: Collection[int]) -> Iterator[Values]:
        """Other values in place of the free ones, each different from all others."""
        for turn in range(2):
            yield tuple(
                value if at in bound
                else _other_time(value, 2 * at + turn) if at < self.times
                else _other(value, turn, at, longest)
                for at, value in enumerate(self.free)
            )  # fmt: skip

    def _pieced(self, free: Values, bound: Collection[int]) -> Optional[_Said]:
        """What is said with these values, and where they are in it."""
        peek = self.again(free)
        if peek is None:
            return None
        shape, time, *others = tuple(peek)
        told = [self.clock(value) for value in free[: self.times]]
        if time not in told or not all(text.__class__ is str for text in others):
            return None
        loose = [at for at in range(self.times, len(free)) if free[at] is not None and at not in bound]
        tokens = {str(free[at]): at for at in loose}
        tokens[cast(str, time)] = told.index(cast(str, time))
        pieces = tuple([_simplest(_pieces(cast(str, text), tokens)) for text in others])
        return _Said(cast("tuple[Any, ...]", shape), told.index(cast(str, time)), pieces)


def _other_time(value: Any, number: int) -> Any:
    """So many days later, or in another year."""
    if value.__class__ is int or (value.__class__ is str and _NUMBER.fullmatch(value)):
        later = int(value) + (number + 1) * 86400 * (1000 if int(value) > 10**11 else 1)
        return str(later) if value.__class__ is str else later
    return f"{2031 + number}{value[4:]}" if value.__class__ is str else value


def _other(value: Any, turn: int, index: int, longest: int) -> Any:
    number = 10 * index + turn
    if value.__class__ is int:
        return 910_000_000_000_000_000 + number  # as long as a usual one can be
    if value.__class__ is not str:
        return value
    if turn == 0:
        return f"{_SIGNS * 9}"[: longest - 3] + f"Z{index:02}"
    return f"7d0b4e51-2f3a-4c1d-9e8f-{number:012x}"


def _pieces(text: str, tokens: Mapping[str, int]) -> tuple[Union[str, int], ...]:
    for token, index in tokens.items():
        before, found, after = text.partition(token)
        if found:
            return (*_pieces(before, tokens), index, *_pieces(after, tokens))
    return (text,) if text else ()


def _simplest(pieces: tuple[Union[str, int], ...]) -> _Pieces:
    return pieces if len(pieces) > 1 else pieces[0] if pieces else ""


# ---- saying


def _filled(said: _Said, key: Key, free: Values, clock: Clock) -> Optional[Peek]:
    """A Peek with the free values in their places; None where one of them is out of the ordinary."""
    time = clock(free[said.clock])
    if time is None or said.free_types != list(map(type, free)):
        return None
    if said.types and said.types != list(map(type, key[1])):
        return None
    loose = free if said.loose is None else said.loose(free)
    if _are_texts(loose, said):
        texts = list(free)
    elif all(_is_usual(value, said.others, said.longest) for value in loose):
        texts = ["" if value is None else value if value.__class__ is str else str(value) for value in free]
    else:
        return None
    texts[said.clock] = time
    if said.pick is not None:
        return cast(Peek, (said.shape, time, *said.pick((*texts, *said.pieces))))
    others = [
        texts[one] if one.__class__ is int
        else one if one.__class__ is str
        else "".join([texts[each] if each.__class__ is int else each for each in one])
        for one in said.pieces
    ]  # fmt: skip
    return cast(Peek, (said.shape, time, *others))


def _are_texts(values: Values, said: _Said) -> bool:
    """Whether they are plainly usual texts; cheaper than to ask of each."""
    try:
        told = "\0".join(values)
    except TypeError:
        return False
    return (
        len(told) <= said.longest
        and told.split() == [told]  # as one that is stripped at either end, or holds a blank, is not
        and told.count("\0") == len(values) - 1
        and _NOT_TOLD.isdisjoint(values)
        and said.others.isdisjoint(told.lower().split("\0"))
    )


def _is_usual(value: Any, others: Collection[str], longest: int) -> bool:
    """Whether a value is nothing that is cut, stripped, passed over or compared with others."""
    if value.__class__ is not str:
        return value is None or (value.__class__ is int and 0 < value < _MANY and str(value) not in others)
    if len(value) > longest or value in _NOT_TOLD or "\n" in value or "\0" in value:
        return False
    return value == value.strip() and value.lower() not in others


def _lowered(key: Key) -> frozenset[str]:
    return frozenset([text.lower() for value in key[1] for text in _texts(value)])


def _texts(value: Any) -> Iterator[str]:
    """Texts and numbers of a key, those in lists and objects as well, which `hashable` has spelled."""
    if value.__class__ is tuple and len(value) == 1 and value[0].__class__ is str:
        for told in _SPELLED.findall(value[0]):
            yield str(literal_eval(told))
    elif value.__class__ is tuple:
        for one in value:
            yield from _texts(one)
    elif value.__class__ in (str, int):
        yield str(value)


def _longer(key: Key, free: Values, which: tuple[int, ...]) -> Key:
    return key[0], (*key[1], which, *[hashable(free[at]) for at in which])
