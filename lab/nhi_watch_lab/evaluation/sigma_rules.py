"""Sigma rules over native CloudTrail records: pySigma reads a rule, this walks its condition.

What a rule needs that a single record cannot answer (correlations, placeholders) leaves the rule out, by name. Fields
are looked up by their dotted path; a list on the way matches if one of its members does. Texts match without regard to
case, as Sigma has it.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.errors import InputError

Test = Callable[[Any], bool]
"""Whether a record, or a value of it, matches."""
_COMPARED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Rule(NamedTuple):
    """A rule that can be run."""

    name: str
    level: str
    matches: Test


class Folder(NamedTuple):
    """What a folder of rules gives."""

    rules: list[Rule]
    left_out: dict[str, str]
    """File → why it cannot be run."""


def load(folder: Path) -> Folder:
    """The rules of a folder that are about CloudTrail.

    Raises:
        InputError: pySigma is missing, or the folder holds no rule that can be run.
    """
    if not find_spec("sigma"):
        raise InputError("--rules needs pySigma; install it with `pip install pysigma` or `make rivals`")
    found, left_out = list[Rule](), dict[str, str]()
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        rules, why = _read(path)
        found += rules
        if why:
            left_out[path.name] = why
    if not found:
        raise InputError(f"--rules {folder}: no Sigma rule for product aws, service cloudtrail, that can be run")
    return Folder(found, left_out)


class _CannotRunError(Exception):
    """Why a rule is left out."""


def _read(path: Path) -> tuple[list[Rule], str]:
    """The rules of a file, or why it has none."""
    try:
        return list(_rules(path)), ""
    except _CannotRunError as error:
        return [], str(error)


def _rules(path: Path) -> Iterator[Rule]:
    from sigma.collection import SigmaCollection
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    try:
        for rule in SigmaCollection.from_yaml(path.read_text("utf-8")).rules:
            if not isinstance(rule, SigmaRule):
                raise _CannotRunError("a correlation of several events")
            if (rule.logsource.product, rule.logsource.service) != ("aws", "cloudtrail"):
                raise _CannotRunError(f"of another log: {rule.logsource.product} {rule.logsource.service}")
            tests = [_test(condition.parsed) for condition in rule.detection.parsed_condition]
            level = rule.level.name.lower() if rule.level else "medium"
            yield Rule(rule.title, level, _any(tests))
    except (SigmaError, OSError, ValueError) as error:
        raise _CannotRunError(f"cannot be read: {error}") from error


def _test(item: Any) -> Test:
    """The test of a part of a condition."""
    kind = type(item).__name__
    if kind in ("ConditionAND", "ConditionOR"):
        tests = [_test(part) for part in item.args]
        return _any(tests) if kind == "ConditionOR" else _every(tests)
    if kind == "ConditionNOT":
        inner = _test(item.args[0])
        return lambda record: not inner(record)
    if kind == "ConditionFieldEqualsValueExpression":
        return _field(item.field, item.value)
    if kind == "ConditionValueExpression":
        wanted = _value(item.value)
        return lambda record: any(wanted(value) for value in _leaves(record))
    raise _CannotRunError(f"{kind} is not known")


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)


def _every(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)


def _field(field: str, value: Any) -> Test:
    path, kind = field.split("."), type(value).__name__
    if kind == "SigmaNull":
        return lambda record: not any(True for _ in _at(record, path))
    if kind == "SigmaExists":
        return lambda record: any(True for _ in _at(record, path)) == bool(value)
    wanted = _value(value)
    return lambda record: any(wanted(found) for found in _at(record, path))


def _value(value: Any) -> Test:
    """The test of one value."""
    kind = type(value).__name__
    if kind in ("SigmaString", "SigmaCasedString"):
        return _text(value, cased=kind == "SigmaCasedString")
    if kind == "SigmaRegularExpression":
        pattern = re.compile(str(value.regexp), _flags(value))
        return lambda found: isinstance(found, str) and pattern.search(found) is not None
    if kind in ("SigmaNumber", "SigmaBool"):
        plain = str(value).lower()
        return lambda found: _plain(found) == plain
    if kind == "SigmaCIDRExpression":
        network = ipaddress.ip_network(value.cidr)
        return lambda found: _inside(found, network)
    if kind == "SigmaCompareExpression":
        compare, bound = _COMPARED[value.op.value], float(value.number.number)
        return lambda found: isinstance(found, (int, float)) and bool(compare(found, bound))
    if kind == "SigmaExpansion":
        return _any([_value(each) for each in value.values])
    raise _CannotRunError(f"{kind} is not known")


def _text(value: Any, cased: bool) -> Test:
    """Wildcards are few, and most texts have none."""
    parts = [part if isinstance(part, str) else {"WILDCARD_MULTI": ".*", "WILDCARD_SINGLE": "."}.get(part.name)
             for part in value.s]  # fmt: skip
    if None in parts:
        raise _CannotRunError("a placeholder")
    if not value.contains_special():
        whole = str(value.to_plain()) if cased else str(value.to_plain()).lower()
        return lambda found: (str(found) if cased else _plain(found)) == whole
    told = "".join(re.escape(part) if isinstance(part, str) else str(sign) for part, sign in zip(value.s, parts))
    pattern = re.compile(told, re.DOTALL if cased else re.DOTALL | re.IGNORECASE)
    return lambda found: pattern.fullmatch(str(found)) is not None


def _flags(value: Any) -> int:
    names = {flag.name for flag in value.flags}
    return sum(getattr(re, name) for name in ("IGNORECASE", "MULTILINE", "DOTALL") if name in names)


def _plain(found: Any) -> str:
    return found.lower() if isinstance(found, str) else str(found).lower()


def _inside(found: Any, network: Any) -> bool:
    try:
        return ipaddress.ip_address(found) in network
    except ValueError:
        return False


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """What lies at a path: nothing, one value, or those of a list."""
    if isinstance(value, list):
        for each in value:
            yield from _at(each, path)
    elif not path:
        if isinstance(value, dict):
            yield from _leaves(value)
        elif value is not None:
            yield value
    elif isinstance(value, dict):
        for size in range(1, len(path) + 1):  # some keys hold dots themselves
            key = ".".join(path[:size])
            if key in value:
                yield from _at(value[key], path[size:])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None:
        yield value
