"""`response_policy.toml`: which action may be proposed for what, who may approve it, and for how long.

What no rule allows is not proposed. Two rules that allow the same action for the same provider, kind and impact are
refused, because it would not be clear who may approve; so is every key and every word that is not known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.act.audit import canonical
from nhi_watch.act.response.actions import CATALOGUE, KINDS, PROVIDERS
from nhi_watch.act.response.targets import allowed
from nhi_watch.core.errors import InputError
from nhi_watch.detect.impact import BANDS, LET_IN

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(__file__).with_name("response_policy.toml")
LEVELS = ("low", "medium", "high", "critical")
LONGEST = 7 * 24 * 60
"""Minutes for which an approval may hold."""
_MOST = 3
"""Approvals that a rule may ask for."""


class Approver(NamedTuple):
    """A person who may approve."""

    name: str
    roles: frozenset[str]
    key: bytes
    """The public Ed25519 key."""


class Rule(NamedTuple):
    """One `[[rule]]`."""

    name: str
    providers: frozenset[str]
    kinds: frozenset[str]
    impact: frozenset[str]
    actions: frozenset[str]
    approvers: frozenset[str]
    """Roles."""
    approvals: int
    minutes: int


class Policy(NamedTuple):
    """The whole file."""

    rules: tuple[Rule, ...]
    approvers: tuple[Approver, ...]
    okta_org: str
    sha256: str
    """Of the rules, as they are read: who approves may change, and a plan and its approvals stay what they are."""
    name: str
    file_sha256: str = ""
    """Of the whole file."""


def level(notable: Mapping[str, Any]) -> str:
    """How bad it is to stop what a notable is about: its impact, whether its calls were let in or refused.

    >>> level({"impact": {"factors": [{"name": "environment", "weight": 1.5}, {"name": "let in", "weight": 0.5}]}})
    'high'
    """
    weight = prod(factor["weight"] for factor in notable["impact"]["factors"] if factor["name"] != LET_IN)
    return next((name for least, name in BANDS if weight >= least), "low")


def rule_for(policy: Policy, action: str, member: Mapping[str, Any], impact: str) -> Optional[Rule]:
    """The rule that lets an action be proposed for an identity; None: it may not be."""
    known = CATALOGUE.get(action)
    if known is None or known.provider != member["provider"] or member["kind"] not in known.kinds:
        return None
    return next((r for r in policy.rules if action in r.actions and member["provider"] in r.providers
                 and member["kind"] in r.kinds and impact in r.impact), None)  # fmt: skip


def load(path: Path = SHIPPED) -> Policy:
    """Read and check a policy.

    Raises:
        InputError: names the file, the rule, and what is wrong with it.
    """
    try:
        raw = path.read_bytes()
        told = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the policy cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the policy is no TOML: {error}") from error
    _known(f"{path}", told, {"version", "okta_org", "approver", "rule"})
    demand(told.get("version") == 1, f"{path}", "version must be 1")
    org = told.get("okta_org", "")
    demand(not org or (isinstance(org, str) and allowed("okta_org", org)), f"{path}",
            "okta_org must be such as https://example.okta.com")  # fmt: skip
    rules = tuple(_rule(path, number, table) for number, table in _tables(path, told, "rule"))
    approvers = tuple(_approver(path, number, table) for number, table in _tables(path, told, "approver"))
    _distinct(path, rules, approvers)
    return Policy(rules, approvers, org, _digest(rules, org), path.name, hashlib.sha256(raw).hexdigest())


def _digest(rules: tuple[Rule, ...], org: str) -> str:
    plain = [[sorted(part) if isinstance(part, frozenset) else part for part in rule] for rule in rules]
    return hashlib.sha256(canonical({"okta_org": org, "rules": plain}).encode()).hexdigest()


def _tables(path: Path, told: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = told.get(name, [])
    demand(isinstance(found, list) and all(isinstance(t, dict) for t in found), f"{path}", f"write [[{name}]]")
    yield from enumerate(found, 1)


def _rule(path: Path, number: int, table: Mapping[str, Any]) -> Rule:
    where = f'{path}, rule {number} "{str(table.get("name", ""))[:60]}"'
    _known(where, table, {*Rule._fields})
    name = table.get("name")
    demand(isinstance(name, str) and bool(name.strip()), where, "it needs a name")
    approvals, minutes = table.get("approvals", 1), table.get("minutes")
    demand(type(approvals) is int and 1 <= approvals <= _MOST, where, f"approvals must be 1 to {_MOST}")
    demand(type(minutes) is int and 1 <= minutes <= LONGEST, where, f"minutes must be 1 to {LONGEST}")
    return Rule(
        str(name), _words(where, table, "providers", PROVIDERS), _words(where, table, "kinds", KINDS),
        _words(where, table, "impact", LEVELS), _words(where, table, "actions", tuple(CATALOGUE), star=False),
        _words(where, table, "approvers", None, star=False), approvals, int(minutes or 0),
    )  # fmt: skip


def _words(
    where: str, table: Mapping[str, Any], name: str, known: Optional[Sequence[str]], star: bool = True
) -> frozenset[str]:
    told = table.get(name)
    if star and told == "*" and known is not None:
        return frozenset(known)
    fine = isinstance(told, list) and bool(told) and all(isinstance(word, str) and word for word in told)
    demand(fine, where, f"{name} must be a list of words" + (' or "*"' if star else ""))
    words = frozenset(told or ())
    unknown = sorted(words - set(known)) if known is not None else []
    demand(not unknown, where, f"unknown {name}: {', '.join(unknown)[:100]}; known: {', '.join(known or ())}")
    return words


def _approver(path: Path, number: int, table: Mapping[str, Any]) -> Approver:
    where = f'{path}, approver {number} "{str(table.get("name", ""))[:60]}"'
    _known(where, table, {*Approver._fields})
    name, text = table.get("name"), table.get("key")
    demand(isinstance(name, str) and bool(name.strip()) and len(name) <= 100, where, "it needs a name")
    try:
        key = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    demand(len(key) == 32, where, "key must be the line that `nhi respond key` printed")
    return Approver(str(name), _words(where, table, "roles", None, star=False), key)


def _distinct(path: Path, rules: Sequence[Rule], approvers: Sequence[Approver]) -> None:
    """No two rules for the same thing; no two names of one person."""
    for one, other in combinations(rules, 2):
        demand(one.name != other.name, f"{path}", f'two rules are named "{one.name[:60]}"')
        shared, impact = _shared(one, other), sorted(one.impact & other.impact)
        demand(not (shared and impact), f'{path}, rules "{one.name[:60]}" and "{other.name[:60]}"',
                f"both allow {', '.join(shared[:3])} for impact {', '.join(impact)}")  # fmt: skip
    for first, second in combinations(approvers, 2):
        demand(first.name != second.name, f"{path}", f'two approvers are named "{first.name[:60]}"')
        demand(first.key != second.key, f"{path}",
                f'approvers "{first.name[:60]}" and "{second.name[:60]}" have the same key')  # fmt: skip


def _shared(one: Rule, other: Rule) -> list[str]:
    """Actions that both rules allow for a provider and kind that the action is for."""
    providers, kinds = one.providers & other.providers, one.kinds & other.kinds
    both = sorted(one.actions & other.actions)
    return [a for a in both if CATALOGUE[a].provider in providers and kinds & {*CATALOGUE[a].kinds}]


def _known(where: str, table: Mapping[str, Any], names: set[str]) -> None:
    unknown = sorted(set(table) - names)
    demand(not unknown, where, f"unknown keys: {', '.join(unknown)[:100]}; known: {', '.join(sorted(names))}")


def demand(condition: bool, where: str, what: str) -> None:
    """Refuse what does not hold.

    Raises:
        InputError: says where and what.
    """
    if not condition:
        raise InputError(f"{where}: {what}")
