"""The conditions of our searches, as predicates over rows: field=value, IN, comparisons, NOT, OR, parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from splunk_process import Row

Predicate = Callable[[Row], bool]
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|,|>=|<=|!=|=|>|<|[^\s()=<>!,"]+)')


def matcher(text: str) -> Predicate:
    """Whether a row fits a condition.

    >>> fits = matcher('(index=a sourcetype IN ("x:y", "z")) OR (n >= 4 NOT b="c*")')
    >>> fits({"index": ["a"], "sourcetype": ["z"]}), fits({"n": ["5"], "b": ["cd"]}), fits({"n": ["5"]})
    (True, False, True)
    """
    parser = _Parser(_TOKEN.findall(text))
    found = parser.either()
    assert not parser.left, f"cannot read {text!r} from {parser.left}"
    return found


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
        parts = [self.both()]
        while self._next() == "OR":
            self._take("OR")
            parts.append(self.both())
        return lambda row: any(part(row) for part in parts)

    def both(self) -> Predicate:
        parts = []
        while self._next() not in ("", ")", "OR"):
            parts.append(self.one())
        return lambda row: all(part(row) for part in parts)

    def one(self) -> Predicate:
        token = self._take()
        if token == "NOT":
            inner = self.one()
            return lambda row: not inner(row)
        if token == "(":
            inner = self.either()
            self._take(")")
            return inner
        if token == "*":
            return lambda row: True
        if token == "len":
            self._take("(")
            name = self._take()
            self._take(")")
            return self._compare(lambda row: [str(len("".join(row.get(name, ()))))])
        return self._compare(lambda row: row.get(token, []))

    def _compare(self, get: Callable[[Row], list[str]]) -> Predicate:
        sign = self._take("=", "!=", ">", "<", ">=", "<=", "IN")
        if sign == "IN":
            self._take("(")
            values = []
            while self._next() != ")":
                values.append(self._value())
                if self._next() == ",":
                    self._take(",")
            self._take(")")
            return lambda row: any(fnmatchcase(got, value) for got in get(row) for value in values)
        value = self._value()
        if sign == "=":
            return lambda row: any(fnmatchcase(got, value) for got in get(row))
        if sign == "!=":
            return lambda row: bool(get(row)) and value not in get(row)
        return lambda row: bool(get(row)) and _ORDER[sign](float(get(row)[0] or "nan"), float(value))

    def _value(self) -> str:
        return self._take().strip('"')


_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b,
}  # fmt: skip
