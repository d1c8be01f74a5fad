"""What people would use instead, behind one interface, on the same identity-days that our model scores."""

from __future__ import annotations

import ipaddress
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Any, NamedTuple, Optional, Protocol

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY
from nhi_watch.intake.sources import cloudtrail

Scores = dict[str, float]
"""Identity id → score of its day; larger is worse, and 0 is not worth a row."""


class Candidate(NamedTuple):
    """One identity's day, as every rival is given it."""

    day: int
    identity: str
    behaviours: IdentityDay
    values: Sequence[Optional[float]]
    """Of our signals, for rivals that learn from these."""
    incidents: frozenset[str]
    """Ids of the incidents whose records it holds: no rival reads it."""


class Rival(Protocol):
    """A detector that scores a day, and learns it afterwards."""

    name: str

    def score(self, day: Sequence[Candidate]) -> Scores:
        """The scores of a day's identities, against the days learnt so far."""

    def learn(self, day: Sequence[Candidate]) -> None:
        """Take in a day that is over."""


def _actions(identity_day: IdentityDay) -> set[str]:
    return {key.action for key, _ in identity_day.behaviours}


class FirstSeen:
    """How many actions and networks of the day the identity never had before."""

    name = "first seen"

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def score(self, day: Sequence[Candidate]) -> Scores:
        """New actions and networks by identity."""
        return {
            candidate.identity: float(len(self._values(candidate) - self._known.get(candidate.identity, set())))
            for candidate in day
        }

    @staticmethod
    def _values(candidate: Candidate) -> set[str]:
        networks = {key.network for key, _ in candidate.behaviours.behaviours}
        return _actions(candidate.behaviours) | {name for name in networks if name and not name.startswith("service:")}

    def learn(self, day: Sequence[Candidate]) -> None:
        """Remember them."""
        for candidate in day:
            self._known.setdefault(candidate.identity, set()).update(self._values(candidate))


class Rarity:
    """The rarest action of the day, by the share of the identity's active days that had it.

    So counts Elastic's job `rare_method_for_a_user`. -log((n + 1/2) / (N + 1)): half a day added, after Krichevsky and
    Trofimov (1981). All that is new is equally rare for identities of the same age, and ties count against a detector:
    so the sum over all actions breaks them, in this rival's favour.
    """

    name = "rarity"

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}
        self._days: Counter[str] = Counter()

    def score(self, day: Sequence[Candidate]) -> Scores:
        """Surprisal of the rarest action in nats, and a little of all others."""
        result = {candidate.identity: self._surprisals(candidate) for candidate in day}
        return {name: max(bits, default=0.0) + 1e-6 * sum(bits) for name, bits in result.items()}

    def _surprisals(self, candidate: Candidate) -> list[float]:
        seen, days = self._seen.get(candidate.identity, Counter()), self._days[candidate.identity]
        return [round(-log((seen[action] + 0.5) / (days + 1)), 9) for action in sorted(_actions(candidate.behaviours))]

    def learn(self, day: Sequence[Candidate]) -> None:
        """Count the days of each action."""
        for candidate in day:
            self._days[candidate.identity] += 1
            self._seen.setdefault(candidate.identity, Counter()).update(_actions(candidate.behaviours))


# ---- Sigma rules over native CloudTrail records: pySigma reads a rule, this walks its condition. What a single record
# cannot answer (correlations, placeholders) leaves a rule out, by name. Texts match without regard to case

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
    result, left_out = list[Rule](), dict[str, str]()
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        rules, why = _read(path)
        result += rules
        if why:
            left_out[path.name] = why
    if not result:
        raise InputError(f"--rules {folder}: no Sigma rule for product aws, service cloudtrail, that can be run")
    return Folder(result, left_out)


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
    return lambda record: any(wanted(item) for item in _at(record, path))


def _value(value: Any) -> Test:
    """The test of one value."""
    kind = type(value).__name__
    if kind in ("SigmaString", "SigmaCasedString"):
        return _text(value, cased=kind == "SigmaCasedString")
    if kind == "SigmaRegularExpression":
        pattern = re.compile(str(value.regexp), _flags(value))
        return lambda value_read: isinstance(value_read, str) and pattern.search(value_read) is not None
    if kind in ("SigmaNumber", "SigmaBool"):
        plain = str(value).lower()
        return lambda result: _plain(result) == plain
    if kind == "SigmaCIDRExpression":
        network = ipaddress.ip_network(value.cidr)
        return lambda result: _inside(result, network)
    if kind == "SigmaCompareExpression":
        compare, bound = _COMPARED[value.op.value], float(value.number.number)
        return lambda result: isinstance(result, (int, float)) and bool(compare(result, bound))
    if kind == "SigmaExpansion":
        return _any([_value(each) for each in value.values])
    raise _CannotRunError(f"{kind} is not known")


def _text(value: Any, cased: bool) -> Test:
    """Wildcards are few, and most texts have none."""
    parts = [
        part if isinstance(part, str) else {"WILDCARD_MULTI": ".*", "WILDCARD_SINGLE": "."}.get(part.name)
        for part in value.s
    ]
    if None in parts:
        raise _CannotRunError("a placeholder")
    if not value.contains_special():
        wanted = str(value.to_plain()) if cased else str(value.to_plain()).lower()
        return lambda item: (str(item) if cased else _plain(item)) == wanted
    text = "".join(re.escape(part) if isinstance(part, str) else str(sign) for part, sign in zip(value.s, parts))
    pattern = re.compile(text, re.DOTALL if cased else re.DOTALL | re.IGNORECASE)
    return lambda result: pattern.fullmatch(str(result)) is not None


def _flags(value: Any) -> int:
    names = {flag.name for flag in value.flags}
    return sum(getattr(re, name) for name in ("IGNORECASE", "MULTILINE", "DOTALL") if name in names)


def _plain(value: Any) -> str:
    return value.lower() if isinstance(value, str) else str(value).lower()


def _inside(value: Any, network: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in network
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


# ---- open rules with an allow-list: what a SOC has that runs Sigma's rules and hushes what keeps firing. An identity's
# day gets the sum of the risks of the rules that fired; one that fired within the last ALLOWED days counts nothing

RISK = {"informational": 1.0, "low": 21.0, "medium": 47.0, "high": 73.0, "critical": 99.0}
"""Level → risk: what Elastic gives its own rules of that severity; informational ones hardly count."""
ALLOWED = 4
"""Days for which a rule that fired for an identity is on its allow-list."""


class Fired(NamedTuple):
    """A rule that fired for an identity on a day."""

    day: int
    identity: str
    rule: str
    risk: float


class OpenRules:
    """The rival."""

    name = "open rules, allow-list"

    def __init__(self, fired: Sequence[Fired]) -> None:
        self._fired: dict[int, dict[str, dict[str, float]]] = {}
        for item in fired:
            self._fired.setdefault(item.day, {}).setdefault(item.identity, {})[item.rule] = item.risk

    def score(self, day: Sequence[Candidate]) -> Scores:
        """Risk by identity."""
        return {candidate.identity: self._risk(candidate.day, candidate.identity) for candidate in day}

    def _risk(self, day: int, identity: str) -> float:
        allowed = {rule for back in range(1, ALLOWED + 1) for rule in self._on(day - back, identity)}
        return sum(risk for rule, risk in self._on(day, identity).items() if rule not in allowed)

    def _on(self, day: int, identity: str) -> dict[str, float]:
        return self._fired.get(day, {}).get(identity, {})

    def learn(self, day: Sequence[Candidate]) -> None:
        """What fired is known beforehand."""


def fired(days: Sequence[Sequence[object]], rules: Sequence[Rule]) -> list[Fired]:
    """All that fires in a world's records."""
    return sorted({fired for records in days for fired in _fired(records, rules)})


def _fired(records: Sequence[object], rules: Sequence[Rule]) -> Iterator[Fired]:
    for record in records:
        if not cloudtrail.claims(record):
            continue
        hit = [rule for rule in rules if rule.matches(record)]
        if not hit:
            continue
        try:
            event = cloudtrail.read(record)
        except RejectError:
            continue
        for rule in hit:
            yield Fired(event.time // DAY, event.identity.id, rule.name, RISK[rule.level])
