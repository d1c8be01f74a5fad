"""Expressions of `eval` and `where`, after Splunk's "Evaluation functions": they are no search conditions.

A bare word is a field, 'single quotes' are a field too, "double quotes" a text; there are no wildcards, and letters'
case counts. What is compared with a missing field is neither true nor false, so `where` drops the row.

https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/CommonEvalFunctions
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Where
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from math import floor
from typing import Any, NamedTuple, Optional

from splunk_process import Row

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|'(?P<quoted>[^']+)'|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w]*)"""
    r"""|(?P<sign>==|!=|<=|>=|[=<>()+\-*/%.,]))"""
)
Value = Any
"""None (null), a bool, a float, a str, or a list of texts (multivalue)."""


class Scope(NamedTuple):
    """What an expression is evaluated over."""

    row: Row
    now: int


Term = Callable[[Scope], Value]


class EvalError(Exception):
    """Splunk would refuse the expression."""


def expression(text: str) -> Term:
    """The expression, ready to be evaluated.

    >>> row = {"kind": ["blind_spot"]}
    >>> expression('kind="blind*"')(Scope(row, 0)), expression("kind=blind_spot")(Scope(row, 0))
    (False, None)
    """
    parser = _Parser(_tokens(text))
    scope = parser.either()
    if parser.left:
        raise EvalError(f"cannot read {text!r} from {parser.left[0]}")
    return scope


def assignments(text: str) -> list[tuple[str, Term]]:
    """The pairs of an eval: `a=1, b=len(c)`."""
    parser, result = _Parser(_tokens(text)), []
    while True:
        kind, name = parser.take()
        if kind not in ("word", "quoted"):
            raise EvalError(f"eval sets fields, not {name!r}")
        parser.take("=")
        result.append((name, parser.either()))
        if not parser.left:
            return result
        parser.take(",")


def is_true(value: Value) -> bool:
    """What `where` keeps; anything but a boolean is refused, as Splunk does."""
    if value is not None and not isinstance(value, bool):
        raise EvalError(f"where needs a condition, got {value!r}")
    return value is True


def spelled(value: Value) -> list[str]:
    """A value as a field's."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, bool):
        raise EvalError("a boolean cannot be kept in a field")
    return [f"{value:.15g}" if isinstance(value, float) else value]


def _tokens(text: str) -> list[tuple[str, str]]:
    result, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise EvalError(f"no expression: {text[at:][:40]!r}")
        result.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return result


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens

    def _next(self) -> str:
        return self.left[0][1] if self.left and self.left[0][0] in ("sign", "word") else ""

    def take(self, *wanted: str) -> tuple[str, str]:
        if not self.left:
            raise EvalError(f"the expression ends where one of {wanted} belongs")
        token = self.left.pop(0)
        if wanted and token[1] not in wanted:
            raise EvalError(f"{token[1]!r} where one of {wanted} belongs")
        return token

    def either(self) -> Term:
        scope = self.both()
        while self._next() == "OR":
            self.take()
            scope = _or(scope, self.both())
        return scope

    def both(self) -> Term:
        scope = self.negated()
        while self._next() == "AND":
            self.take()
            scope = _and(scope, self.negated())
        return scope

    def negated(self) -> Term:
        if self._next() == "NOT":
            self.take()
            inner = self.negated()
            return lambda scope: None if (text := inner(scope)) is None else not text
        return self.compared()

    def compared(self) -> Term:
        left = self.summed()
        sign = self._next()
        if sign in _COMPARE:
            self.take()
            return _compared(_COMPARE[sign], left, self.summed())
        if sign in ("IN", "LIKE"):
            self.take()
            return self._within(left) if sign == "IN" else _call("like", [left, self.summed()])
        return left

    def _within(self, left: Term) -> Term:
        values = self._arguments()
        return lambda scope: any(_compared(_COMPARE["="], left, value)(scope) for value in values)

    def summed(self) -> Term:
        scope = self.multiplied()
        while self._next() in ("+", "-", "."):
            scope = _compute(self.take()[1], scope, self.multiplied())
        return scope

    def multiplied(self) -> Term:
        scope = self.one()
        while self._next() in ("*", "/", "%"):
            scope = _compute(self.take()[1], scope, self.one())
        return scope

    def one(self) -> Term:
        kind, text = self.take()
        if kind == "number":
            return lambda scope: float(text)
        if kind == "text":
            return lambda scope: re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "word" and self._next() == "(":
            return _call(text, self._arguments())
        if kind in ("word", "quoted"):
            return lambda scope: _field(scope.row, text)
        if text == "(":
            inner = self.either()
            self.take(")")
            return inner
        if text == "-":
            return _compute("-", lambda scope: 0.0, self.one())
        raise EvalError(f"{text!r} begins no value")

    def _arguments(self) -> list[Term]:
        self.take("(")
        scopes: list[Term] = []
        while self._next() != ")":
            scopes.append(self.either())
            if self._next() != ")":
                self.take(",")
        self.take(")")
        return scopes


def _field(row: Row, name: str) -> Value:
    values = [value for value in row.get(name, ()) if value]
    return None if not values else values[0] if len(values) == 1 else values


def number(value: Value) -> Optional[float]:
    """A value as a number; None: it is none."""
    try:
        return float(value) if not isinstance(value, (list, bool)) and value is not None else None
    except ValueError:
        return None


def _or(item: Term, other: Term) -> Term:
    return lambda scope: item(scope) is True or other(scope) is True


def _and(item: Term, other: Term) -> Term:
    return lambda scope: item(scope) is True and other(scope) is True


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _compared(by: Callable[[Any, Any], bool], left: Term, right: Term) -> Term:
    """Numbers where both are; else texts; what is missing cannot be compared."""

    def scope(scope: Scope) -> Optional[bool]:
        a, b = left(scope), right(scope)
        if a is None or b is None:
            return None
        if isinstance(a, list):
            return any(_pair(by, each, b) for each in a)
        return _pair(by, a, b)

    return scope


def _pair(by: Callable[[Any, Any], bool], a: Value, b: Value) -> bool:
    x, y = number(a), number(b)
    return by(x, y) if x is not None and y is not None else by(str(a), str(b))


def _compute(sign: str, left: Term, right: Term) -> Term:
    def scope(scope: Scope) -> Value:
        a, b = left(scope), right(scope)
        if a is None or b is None:
            return None
        x, y = number(a), number(b)
        if sign == "." or (sign == "+" and (x is None or y is None)):
            return spelled(a)[0] + spelled(b)[0]
        if x is None or y is None or (sign in "/%" and not y):
            return None
        return {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else 0, "%": x % y if y else 0}[sign]

    return scope


def _like(pattern: str) -> str:
    return re.escape(pattern).replace("%", ".*").replace("_", ".")


def _case(terms: Sequence[Value]) -> Value:
    return next((value for fits, value in zip(terms[::2], terms[1::2]) if fits is True), None)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [
        plain
        for value in values
        for each in (value if isinstance(value, list) else [value])
        if (plain := number(each)) is not None
    ]


def _many(value: Value) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else spelled(value)


def _text(value: Value) -> str:
    return spelled(value)[0]


_PLAIN: dict[str, Callable[..., Value]] = {
    "len": lambda text: float(len(_text(text))),
    "lower": lambda text: _text(text).lower(),
    "floor": lambda text: float(floor(number(text) or 0)),
    "md5": lambda text: hashlib.md5(_text(text).encode()).hexdigest(),
    "round": lambda text, places=0.0: float(round(number(text) or 0, int(places))),
    "substr": lambda text, start, size=1e9: _text(text)[int(start) - 1 :][: int(size)],
    "match": lambda text, pattern: any(re.search(pattern, each) for each in _many(text)),
    "replace": lambda text, pattern, by: re.sub(pattern, by, _text(text)),
    "like": lambda text, pattern: bool(re.fullmatch(_like(pattern), _text(text))),
    "strftime": lambda text, form: datetime.fromtimestamp(number(text) or 0, timezone.utc).strftime(form),
    "split": lambda text, by: _text(text).split(by),
    "mvjoin": lambda text, by: by.join(_many(text)),
    "mvindex": lambda text, at, to=None: _slice(_many(text), at, to),
    "mvcount": lambda text: float(len(_many(text))),
    "mvdedup": lambda text: list(dict.fromkeys(_many(text))),
}
"""Functions of what is there: of a missing value they make none."""
_WHOLE: dict[str, Callable[[Sequence[Value]], Value]] = {
    "if": lambda details: details[1] if details[0] is True else details[2],
    "case": _case,
    "coalesce": lambda details: next((value for value in details if value is not None), None),
    "isnull": lambda details: details[0] is None,
    "null": lambda text: None,
    "true": lambda text: True,
    "false": lambda text: False,
    "isnotnull": lambda details: details[0] is not None,
    "mvappend": lambda details: [each for item in details for each in _many(item)] or None,
    "max": lambda details: max(_numbers(details), default=None),
    "min": lambda details: min(_numbers(details), default=None),
}
FUNCTIONS = frozenset({*_PLAIN, *_WHOLE, "now", "in"})


def _slice(values: list[str], at: float, to: Optional[float]) -> Value:
    start, end = int(at), int(at if to is None else to)
    result = values[start : end + 1 or None] if start >= 0 or end >= 0 else values[start:][: end - start + 1]
    return result[0] if len(result) == 1 else result or None


def _call(name: str, terms: list[Term]) -> Term:
    if name not in FUNCTIONS:
        raise EvalError(f"eval has no function {name!r} that the stand-in knows")
    if name == "now":
        return lambda scope: float(scope.now)
    if name == "in":
        return lambda scope: any(_compared(_COMPARE["="], terms[0], each)(scope) for each in terms[1:])
    if name in _WHOLE:
        return lambda scope: _WHOLE[name]([term(scope) for term in terms])

    def scope(scope: Scope) -> Value:
        values = [term(scope) for term in terms]
        return None if None in values else _PLAIN[name](*values)

    return scope
