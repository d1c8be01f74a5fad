"""Two thousand cases each: no plan outside its policy, nothing handed over without valid approvals."""

from __future__ import annotations

import base64
import json
import random
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_samples import ACCOUNT, DAY_ONE, KEY, ROLE, USER, notable
from nhi_watch.act import copilot
from nhi_watch.act.response import approval, plan
from nhi_watch.act.response.actions import CATALOGUE, KINDS, PATTERNS, PROVIDERS
from nhi_watch.act.response.plan import LEVELS, Approver, Policy, Rule, Subjects
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from test_response import ALICE, BOB, EVE, HOSTILE, NOTHING, SAMPLES, SECOND, drafted, raw


def random_policy(dice: random.Random) -> Policy:
    """Rules that allow each action in at most one of them, so that they do not overlap."""
    actions = dice.sample(sorted(CATALOGUE), dice.randint(0, len(CATALOGUE)))
    rules = []
    for number in range(dice.randint(1, 4)):
        some = frozenset(actions[number::4])
        rules.append(
            Rule(
                name=f"r{number}",
                providers=_some(dice, PROVIDERS),
                kinds=_some(dice, KINDS),
                impact=_some(dice, LEVELS),
                actions=some,
                approvers=_some(dice, ("secops", "owner")),
                approvals=dice.randint(1, 2),
                minutes=dice.choice((5, 60, 600)),
            )
        )
    approvers = (Approver("alice", frozenset({"secops"}), raw(ALICE)), Approver("bob", frozenset({"owner"}), raw(BOB)))
    return Policy(tuple(rules), approvers, dice.choice(("", "https://acme.okta.com")), f"{dice.random()}", "p.toml")


def _some(dice: random.Random, words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(dice.sample(words, dice.randint(1, len(words))))


KNOWN = [
    *((u, n, a, k, c) for u, n, a, k, c in SAMPLES.values()),
    (USER.id, USER.name, ACCOUNT, "user", KEY),
    (ROLE.id, ROLE.name, ACCOUNT, "role", ""),
]
BASE = notable()


def random_notable(dice: random.Random) -> tuple[Any, Subjects]:
    unique, name, account, kind, credential = dice.choice(KNOWN)
    bad = dice.choice([*HOSTILE, ""])
    if dice.random() < 0.3:
        unique, name, account = (dice.choice((text, text + bad, bad)) for text in (unique, name, account))
    who = {
        "id": unique,
        "name": name,
        "kind": dice.choice((kind, dice.choice(KINDS))),
        "account": account,
        "provider": dice.choice((unique.partition(":")[0], dice.choice(PROVIDERS))),
        "owner": "",
    }
    weight = dice.choice((0.5, 1.0, 1.6, 3.0))
    document = {
        **BASE,
        "identity": who,
        "title": bad,
        "members": [],
        "impact": {"level": "low", "factors": [{"name": "criticality", "weight": weight}]},
        "severity": dice.choice(("low", "critical")),
    }
    secrets = dice.choice(([credential] if credential else [], [credential + bad], []))
    return document, Subjects({unique: secrets})


@settings(max_examples=2_000, deadline=None)
@given(st.integers(0, 2**48))
def test_no_plan_goes_beyond_its_policy(seed: int) -> None:
    dice = random.Random(seed)
    rules, (document, secrets) = random_policy(dice), random_notable(dice)
    built = plan.draft(document, rules, secrets, NOTHING, SECOND)
    for step in built["steps"]:
        action = CATALOGUE[step["action"]]
        (rule,) = [r for r in rules.rules if r.name == step["rule"]]
        who = document["identity"]
        assert action.id in rule.actions and who["provider"] in rule.providers and who["kind"] in rule.kinds
        assert plan.level(document) in rule.impact and who["provider"] == action.provider
        assert (step["minutes"], step["approvals"]) == (rule.minutes, rule.approvals)
        assert {*step["with"]} == {*action.needs} <= PATTERNS.keys()
        for words, line in zip(step["commands"], step["shell"]):
            assert shlex.split(line) == words and words[0] in (
                "aws",
                "az",
                "gcloud",
                "gh",
                "glab",
                "kubectl",
                "curl",
                "vault",
                "snow",
                "sh",
            )
            assert words[0] != "sh" or not any(value in words[2] for value in step["with"].values())
    if built["steps"]:
        plan.check(built, rules, document, secrets)
        smuggled = _smuggle(dice, built)
        with pytest.raises(InputError):
            plan.check(smuggled, rules, document, secrets)


def _smuggle(dice: random.Random, built: Any) -> Any:
    """The plan with something in it that the policy did not give, sealed again."""
    other: dict[str, Any] = json.loads(json.dumps(built))
    step = dice.choice(other["steps"])
    names = ("action", "commands", "shell", "undo", "minutes", "approvals", "approvers", "rule", "with", "more")
    name = dice.choice(names)
    fresh: dict[str, Any] = {
        "action": dice.choice([a for a in CATALOGUE if a != step["action"]]),
        "commands": [["rm", "-rf", "/"]],
        "shell": ["rm -rf /"],
        "undo": ["true; rm"],
        "minutes": step["minutes"] + 1,
        "approvals": 0,
        "approvers": ["anybody"],
        "rule": "another",
        "with": {**step["with"], "aws_name": "root"},
        "more": 1,
    }
    if fresh[name] == step.get(name):
        name = "more"
    step[name] = fresh[name]
    return plan.sealed(other)


KEYS = Rule(
    name="keys",
    providers=frozenset({"aws"}),
    kinds=frozenset({"user"}),
    impact=frozenset(LEVELS),
    actions=frozenset({"aws_deactivate_key"}),
    approvers=frozenset({"secops"}),
    approvals=2,
    minutes=60,
)
PLAN = drafted(notable(), Policy((KEYS,), (), "", "f" * 64, "p.toml"), KEY)
OTHERS = drafted(notable(DAY_ONE + 1), plan.load(), KEY)
PEOPLE = Policy(
    (),
    (
        Approver("alice", frozenset({"secops"}), raw(ALICE)),
        Approver("bob", frozenset({"secops"}), raw(BOB)),
        Approver("carol", frozenset({"helpdesk"}), raw(EVE)),
    ),
    "",
    "f" * 64,
    "p.toml",
)
Signed = dict[str, str]


def _pair(now: int) -> list[Signed]:
    return [approval.approve(PLAN, "alice", "why", ALICE, now), approval.approve(PLAN, "bob", "why", BOB, now)]


def _resigned(signed: Signed, key: Ed25519PrivateKey, **changes: str) -> Signed:
    unsigned = {**signed, **changes}
    return {**unsigned, "signature": base64.b64encode(key.sign(approval._message(unsigned))).decode()}


def _flip(dice: random.Random, signed: Signed) -> Signed:
    name = dice.choice(approval.FIELDS)
    text = signed[name]
    at = dice.randrange(len(text) - 2 if name == "signature" else len(text))
    return {**signed, name: text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]}


def _without(signed: Signed, name: str) -> Signed:
    return {k: v for k, v in signed.items() if k != name}


TRICKS: dict[str, Callable[[random.Random, list[Signed]], list[Signed]]] = {
    "one alone": lambda d, s: [d.choice(s)],
    "one twice": lambda d, s: [s[0], s[0]],
    "one twice, signed anew": lambda d, s: [s[0], approval.approve(PLAN, "alice", "again", ALICE, SECOND)],
    "none": lambda d, s: [],
    "a changed letter": lambda d, s: [_flip(d, s[0]), s[1]],
    "another plan's": lambda d, s: [approval.approve(OTHERS, "alice", "why", ALICE, SECOND), s[1]],
    "no right": lambda d, s: [s[0], approval.approve(PLAN, "carol", "why", EVE, SECOND)],
    "a stranger": lambda d, s: [s[0], approval.approve(PLAN, "mallory", "why", EVE, SECOND)],
    "another's name": lambda d, s: [s[0], approval.approve(PLAN, "bob", "why", EVE, SECOND)],
    "longer": lambda d, s: [_resigned(s[0], ALICE, until=render(SECOND + 3600 + d.randint(1, 10**6))), s[1]],
    "later": lambda d, s: [_resigned(s[0], ALICE, made=render(SECOND + 400), until=render(SECOND + 4000)), s[1]],
    "another policy": lambda d, s: [_resigned(s[0], ALICE, policy="e" * 64), s[1]],
    "a field more": lambda d, s: [{**s[0], "key": approval.public_text(ALICE)}, s[1]],
    "a field less": lambda d, s: [_without(s[0], d.choice(approval.FIELDS)), s[1]],
    "expired": lambda d, s: [approval.approve(PLAN, "alice", "why", ALICE, SECOND - 3600 - d.randint(0, 10**6)), s[1]],
}
FRESH = _pair(SECOND)


@settings(max_examples=2_000, deadline=None)
@given(st.sampled_from(sorted(TRICKS)), st.integers(0, 2**48))
def test_nothing_is_handed_over_without_valid_approvals(trick: str, seed: int) -> None:
    signed = TRICKS[trick](random.Random(seed), FRESH)
    with pytest.raises(InputError):
        approval.check_all({}, signed, PLAN, PEOPLE, SECOND)


@given(st.integers(0, 3599))
def test_valid_approvals_hold_until_they_end_and_once(later: int) -> None:
    checked = approval.check_all({}, FRESH, PLAN, PEOPLE, SECOND + later)
    approval.ledger().unlink(missing_ok=True)
    approval.spend(approval.ledger(), checked, SECOND)
    with pytest.raises(InputError, match="already used"):
        approval.spend(approval.ledger(), checked, SECOND)
    with pytest.raises(InputError, match="already used"):
        approval.check_all({checked[0].nonce: "then"}, FRESH, PLAN, PEOPLE, SECOND + later)


@given(st.text(max_size=200))
def test_an_address_is_https_or_this_machine(text: str) -> None:
    try:
        taken = copilot.address(text)
    except InputError:
        return
    assert taken.startswith("https://") or "localhost" in taken or "127.0.0.1" in taken
