"""The two mandatory controls say what they mean here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core_samples import MACHINE, TODAY, events, learnt, whole_days
from nhi_watch.core.event import Identity
from nhi_watch.detect import model
from nhi_watch.detect.explain.controls import controls, unused_calls
from nhi_watch.detect.scoring import ZERO, Baselines, Episode, views_of
from nhi_watch.detect.signals import EpisodeView

KEY = {"credential": "AKIAEXAMPLE1", "credential_type": "key", "session": ""}


def episode(today: Sequence[dict[str, Any]], history: Sequence[dict[str, Any]] = ()) -> EpisodeView:
    (identity_day,) = whole_days(events(today, TODAY)).values()
    baseline = learnt(history).baseline(MACHINE, TODAY)
    return EpisodeView(views_of(identity_day.ordered(), baseline), baseline)


def _part(identity: Identity, today: Sequence[dict[str, Any]]) -> Episode:
    seen = episode([{"who": identity._asdict(), **item} for item in today])
    bound = Baselines(model.load()).bound(seen.baseline)
    return Episode(identity, seen, ZERO, bound.features(ZERO), bound, frozenset())


def reasons(today: Sequence[dict[str, Any]], history: Sequence[dict[str, Any]] = (), kind: str = "role") -> list[str]:
    seen = episode(today, history)
    bound = Baselines(model.load()).bound(seen.baseline)
    built = controls(Episode(MACHINE._replace(kind=kind), seen, ZERO, bound.features(ZERO), bound, frozenset()))
    assert [(c.id, c.required, c.status) for c in built] == [
        ("rotate_secret", True, "open"),
        ("reduce_privilege", True, "open"),
    ]
    return [c.reason for c in built]


def test_the_key_that_was_misused_is_named() -> None:
    rotate, _ = reasons([{**KEY, "action": "iam:ListUsers"}])
    assert rotate == "Rotate AKIAEXAMPLE1: deactivate it, watch for breakage, then delete it."


def test_only_the_key_that_behaved_oddly_is_named() -> None:
    history = [{"ago": [20, 1], "events": [KEY, {**KEY, "credential": "AKIAEXAMPLE2"}]}]
    rotate, _ = reasons([KEY, {**KEY, "credential": "AKIAEXAMPLE2", "action": "iam:ListUsers"}], history)
    assert rotate.startswith("Rotate AKIAEXAMPLE2:")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "role",
            f"Revoke the sessions of {MACHINE.name} issued before now, and stop whatever obtains new ones; "
            "the response plan names it where logs show it.",
        ),
        ("web_identity", "Revoke the tokens of"),
        ("user", "Rotate every credential of"),
    ],
)
def test_without_a_key_it_says_what_to_revoke(kind: str, words: str) -> None:
    assert reasons([{"action": "iam:ListUsers"}], kind=kind)[0].startswith(words)


def test_calls_made_for_the_first_time_are_named() -> None:
    _, reduce = reasons([{"action": "iam:CreateUser"}], [{"ago": [20, 1], "events": [{}]}])
    assert reduce == "New or rare, and worked: iam:CreateUser; deny unneeded actions."


def test_what_no_policy_stops_is_not_to_be_denied_and_what_was_refused_is_said_apart() -> None:
    today = [
        {"action": "sts:GetCallerIdentity"},
        {"action": "ec2:DescribeInstances"},
        {"action": "iam:CreateUser", "outcome": "denied"},
    ]
    _, reduce = reasons(today, [{"ago": [20, 1], "events": [{}]}])
    assert reduce == (
        "New or rare, and worked: ec2:DescribeInstances; deny unneeded actions. Already refused: iam:CreateUser."
    )


def test_a_call_that_is_new_for_it_is_named_however_common_it_is() -> None:
    peers = [
        {
            "ago": [20, 1],
            "events": [{"who": MACHINE._replace(id=f"peer{n}")._asdict(), "action": "ec2:DescribeInstances"}],
        }
        for n in range(9)
    ]
    _, reduce = reasons([{"action": "ec2:DescribeInstances"}], [{"ago": [20, 1], "events": [{}]}, *peers])
    assert reduce.startswith("New or rare, and worked: ec2:DescribeInstances;")


def test_calls_unused_for_a_month_are_offered_for_removal() -> None:
    history = [{"ago": [60, 1], "events": [{}]}, {"ago": [60, 40], "events": [{"action": "s3:DeleteObject"}]}]
    assert unused_calls(episode([{}], history)) == ["s3:DeleteObject"]
    assert reasons([{}], history)[1].startswith("Not used for 30 days or more: s3:DeleteObject; remove unless")


def test_a_call_made_today_is_not_unused() -> None:
    history = [{"ago": [60, 40], "events": [{}]}]
    assert unused_calls(episode([{}], history)) == []


def test_nothing_new_and_nothing_unused_still_has_a_reason() -> None:
    _, reduce = reasons([{}], [{"ago": [20, 1], "events": [{}]}])
    assert reduce == (
        "No call was new and none has been unused for long; allow only what was used in 20 days of history."
    )


def test_reasons_are_bounded() -> None:
    today = [{"action": f"odd:{'x' * 100}{n}"} for n in range(40)]
    assert all(len(reason) <= 900 for reason in reasons(today))


def test_what_the_intrusion_made_is_removed_and_not_rotated() -> None:
    identity = MACHINE._replace(id="aws:1:user:AIDAMADE", name=f"arn:aws:iam::{MACHINE.account}:user/svc", kind="user")
    acts = [
        {"action": "iam:CreateUser", "target": "svc"},
        {"action": "iam:CreateAccessKey", "target": "svc", "issued": "AKIAEXAMPLE1"},
    ]
    creator = _part(MACHINE, acts)
    ours, theirs = _part(identity, [KEY]), _part(MACHINE, [{**KEY, "action": "iam:ListUsers"}])
    first = [c.reason for c in controls(creator._replace(members=(creator, ours), links=()))]
    assert first[2].endswith(
        ": Remove arn:aws:iam::" + MACHINE.account + ":user/svc, which this intrusion made: "
        "do not rotate it, delete it and its keys."
    )
    assert "detach every policy" in first[3] and "Rotate" not in first[2]
    second = [c.reason for c in controls(creator._replace(members=(creator, theirs), links=()))]
    assert second[2].endswith("Remove AKIAEXAMPLE1, which this intrusion made: delete it, nobody else relies on it.")
