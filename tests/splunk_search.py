"""The conditions of `search`: field=value with wildcards, whatever the case; IN, comparisons, NOT, OR, parentheses.

They are no expressions of `where`: see splunk_eval.py.

https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Search
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

from splunk_process import Row

Predicate = Callable[[Row], bool]
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|,|>=|<=|!=|=|>|<|[^\s()=<>!,"]+)')
_FIELD = re.compile(r"[\w.{}:-]+")
TIMES = frozenset({"earliest", "latest", "_index_earliest", "_index_latest"})
"""Modifiers of a search's window: fields by their looks, but none."""


def matcher(text: str) -> Predicate:
    """Whether a row fits a condition.

    >>> fits = matcher('(index=a sourcetype IN ("x:y", "z")) OR (n >= 4 NOT b="c*")')
    >>> fits({"index": ["a"], "sourcetype": ["Z"]}), fits({"n": ["5"], "b": ["Cd"]}), fits({"n": ["5"]})
    (True, False, True)
    """
    parser = _Parser(_TOKEN.findall(text))
    result = parser.either()
    assert not parser.left, f"cannot read {text!r} from {parser.left}"
    return result


@lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[str]:
    """A value of `search`: only * is a wildcard, letters' case does not count."""
    plain = re.sub(r"[\[\]?]", lambda match: f"[{match[0]}]", value)
    return re.compile(translate(plain), re.IGNORECASE)


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.left = list(tokens)

    def _next(self) -> str:
        return self.left[0] if self.left else ""

    def _take(self, *wanted: str) -> str:
        token = self.left.pop(0)
        assert not wanted or token in wanted, f"{token!r} where one of {wanted} belongs"
        return token

    def either(self) -> Predicate:
        """`search` evaluates OR before AND, `where` AND before OR: so each side of an OR must be one condition."""
        sides = [self.both()]
        while self._next() == "OR":
            self._take("OR")
            sides.append(self.both())
        assert len(sides) == 1 or all(len(side) == 1 for side in sides), "OR binds tighter than AND: put parentheses"
        return lambda row: any(all(part(row) for part in side) for side in sides)

    def both(self) -> list[Predicate]:
        parts = []
        while self._next() not in ("", ")", "OR"):
            parts.append(self.one())
        assert parts, "a condition is missing"
        return parts

    def one(self) -> Predicate:
        token = self._take()
        if token == "AND":
            return self.one()
        if token == "NOT":
            inner = self.one()
            return lambda row: not inner(row)
        if token == "(":
            inner = self.either()
            self._take(")")
            return inner
        if token == "*":
            return lambda row: True
        if token.startswith('"'):
            words = re.sub(r"\\(.)", r"\1", token[1:-1])
            phrase = re.compile(".*".join(map(re.escape, words.split("*"))), re.IGNORECASE)  # quoting spares no star
            return lambda row: any(phrase.search(got) for values in row.values() for got in values)
        assert _FIELD.fullmatch(token), f"{token!r} is no field; search has no functions"
        assert token not in TIMES, f"{token} belongs to the whole search"
        return self._compare(lambda row: row.get(token, []))

    def _compare(self, get: Callable[[Row], list[str]]) -> Predicate:
        sign = self._take("=", "!=", ">", "<", ">=", "<=", "IN")
        if sign == "IN":
            self._take("(")
            values = []
            while self._next() != ")":
                values.append(_pattern(self._value()))
                if self._next() == ",":
                    self._take(",")
            self._take(")")
            return lambda row: any(value.match(got) for got in get(row) for value in values)
        text = self._value()
        if sign == "=":
            return lambda row: any(got and _pattern(text).match(got) for got in get(row))
        if sign == "!=":
            return lambda row: bool(get(row)) and not any(_pattern(text).match(got) for got in get(row))
        limit = float(text)
        return lambda row: bool(get(row)) and _ORDER[sign](float(get(row)[0] or "nan"), limit)

    def _value(self) -> str:
        token = self._take()
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
