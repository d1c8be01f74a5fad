"""Sigma rules as a rival: which records they match, what an allow-list hushes, and what cannot be run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from need import need
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch_lab.evaluation import rivals
from nhi_watch_lab.evaluation.rivals import ALLOWED, RISK, Candidate, Fired, OpenRules

RULES = Path(__file__).parent / "data" / "sigma"
STOP = {"eventSource": "cloudtrail.amazonaws.com", "eventName": "stoplogging"}
KEY = {"eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey", "userIdentity": {"arn": "role/app"}}
REFUSED = {"eventName": "GetObject", "errorCode": "AccessDenied"}
HOSTED = {"sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/1x.27"}


def _today(day: int, identity: str) -> list[Candidate]:
    return [Candidate(day, identity, IdentityDay(day), (), frozenset())]


@pytest.fixture(scope="module")
def folder() -> rivals.Folder:
    need(find_spec("sigma"), "needs pySigma: make rivals")
    return rivals.load(RULES)


@pytest.mark.parametrize(
    ("record", "fired"),
    [
        (STOP, {"A trail is stopped or deleted"}),
        ({**STOP, "eventName": "StopLoggingNow"}, set()),
        (KEY, {"A key is made by who is no deployer"}),
        ({**KEY, "userIdentity": {"arn": "role/Deploy-7"}}, set()),
        ({**KEY, "errorCode": "Throttling"}, set()),
        (REFUSED, {"A call is refused"}),
        ({**REFUSED, "errorCode": "accessDenied"}, set()),
        ({**REFUSED, "userIdentity": {"invokedBy": "config.amazonaws.com"}}, set()),
        (HOSTED, {"A call from a hosting provider, with a tool that lists"}),
        (
            {**HOSTED, "userAgent": "curl", "requestParameters": {"names": ["x", "WireTap-3"]}},
            {"A call from a hosting provider, with a tool that lists"},
        ),
        ({**HOSTED, "userAgent": "curl"}, set()),
        ({**HOSTED, "sourceIPAddress": "config.amazonaws.com"}, set()),
    ],
)
def test_a_rule_matches_what_sigma_says(folder: rivals.Folder, record: dict[str, Any], fired: set[str]) -> None:
    assert {rule.name for rule in folder.rules if rule.matches(record)} == fired


def test_risks_of_a_day_add_up_and_what_fired_of_late_is_allowed() -> None:
    rival = OpenRules(
        [
            Fired(10, "a", "low one", RISK["low"]),
            Fired(12, "a", "low one", RISK["low"]),
            Fired(12, "a", "high one", RISK["high"]),
            Fired(12, "b", "low one", RISK["low"]),
            Fired(12 + ALLOWED, "a", "low one", RISK["low"]),
            Fired(13 + 2 * ALLOWED, "a", "low one", RISK["low"]),
        ]
    )
    assert rival.score(_today(10, "a")) == {"a": RISK["low"]}
    assert rival.score(_today(12, "a")) == {"a": RISK["high"]}, "the low one fired two days before"
    assert rival.score(_today(12, "b")) == {"b": RISK["low"]}, "an allow-list is of one identity"
    assert rival.score(_today(12 + ALLOWED, "a")) == {"a": 0.0}
    assert rival.score(_today(13 + 2 * ALLOWED, "a")) == {"a": RISK["low"]}, "after that it counts again"
    assert rival.score(_today(11, "a")) == {"a": 0.0}
