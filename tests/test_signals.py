"""Every signal: the plug-in contract, its samples, and what must hold of its values whatever happens."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_samples import MACHINE, TODAY, events, learnt, whole_days
from nhi_watch.context import frameworks
from nhi_watch.core.event import Event
from nhi_watch.detect.scoring import episode_values, views_of
from nhi_watch.detect.signals import SIGNALS, Baseline, EpisodeView, Signal, View
from nhi_watch.state.baseline import Profile

FOLDER = Path(__file__).parent / "data" / "signals"
ONE_SENTENCE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
BY_NAME = {signal.name: signal for signal in SIGNALS}
each_signal = pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)


def samples() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            yield pytest.param(path.stem, sample, id=f"{path.stem}: {sample['sample']}")


def told(name: str) -> set[Any]:
    path = FOLDER / f"{name}.jsonl"
    return {json.loads(line)["fires"] for line in path.read_text(encoding="utf-8").splitlines()}


def episode_of(events: list[Event], baseline: Baseline) -> EpisodeView:
    return EpisodeView(
        [view for identity_day in whole_days(events).values() for view in views_of(identity_day.ordered(), baseline)],
        baseline,
    )


def sampled(sample: dict[str, Any]) -> EpisodeView:
    read_events = events(sample["events"], TODAY)
    return episode_of(read_events, learnt(sample["history"]).baseline(read_events[0].identity, TODAY))


def value_of(signal: Signal, episode: EpisodeView) -> tuple[float | None, Any]:
    """The signal's value of an episode, and the view that it is of."""
    if signal.scope != "behaviour":
        return signal.value(episode), episode
    values = [(signal.value(view), view) for view in episode.views]
    return max(values, key=lambda pair: -1.0 if pair[0] is None else pair[0])


@pytest.mark.parametrize(("name", "sample"), [*samples()])
def test_a_sample_fires_as_it_says(name: str, sample: dict[str, Any]) -> None:
    signal, episode = BY_NAME[name], sampled(sample)
    value, subject = value_of(signal, episode)
    said = "cannot tell" if value is None else value > 0
    assert said == sample["fires"], value
    if signal.scope == "episode":
        asked = episode_values(episode)[SIGNALS.index(signal)]
        assert bool(asked) == bool(value), "it is not asked where all is ordinary: on_ordinary_days=True"
    if "evidence" in sample:
        assert sample["evidence"] in signal.evidence(subject)
    if signal.backing is not None and value:
        backing, mine = signal.backing(episode), {id(b) for b in episode.behaviours()}
        assert backing and all(id(b) in mine for b in backing), "what backs a value belongs to the episode"


def test_every_signal_has_a_sample_that_fires_and_one_that_must_not() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(BY_NAME)
    assert not [name for name in BY_NAME if not {True, False} <= told(name)]


@each_signal
def test_a_signal_keeps_the_contract(signal: Signal) -> None:
    assert signal.control in ("rotate_secret", "reduce_privilege")
    assert signal.title.strip() == signal.title != ""
    assert signal.meaning.endswith(".")
    assert signal.counts.endswith(".")
    assert (signal.backing is None) == (signal.scope == "behaviour")
    frameworks.check(signal.frameworks)
    nothing = Baseline(TODAY, Profile(), lambda dimension, value: 0.01, Profile())
    for name in ACTIONS:
        episode = episode_of(events([{"action": name, "error": "Throttled", "traits": ["probe"]}], TODAY), nothing)
        value, _ = value_of(signal, episode)
        assert value is None or value >= 0, "nothing is needed of the past"


def test_every_signal_has_its_name_alone() -> None:
    """Two of one name in two files would hide each other."""
    assert len(BY_NAME) == len(SIGNALS)


# ---- whatever happens

ACTIONS = (
    "s3:GetObject",
    "s3:PutBucketPolicy",
    "iam:CreateAccessKey",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "bedrock:InvokeModel",
    "ec2:RunInstances",
    "odd:\u202eThing\x1b[31m\n",
)
FIELDS = {
    "action": st.sampled_from(ACTIONS),
    "access": st.sampled_from(("list", "read", "write", "cost", "permissions", "unknown")),
    "outcome": st.sampled_from(("success", "denied", "failure")),
    "error": st.sampled_from(("", "AccessDenied", "Bad\r\nThing")),
    "network": st.sampled_from(("", "52.95.110.0/24", "185.220.101.0/24", "2001:db8::/48", "service:lambda")),
    "agent": st.sampled_from(("", "boto3", "aws-cli")),
    "region": st.sampled_from(("", "eu-west-1", "us-east-1\x00")),
    "credential": st.sampled_from(("", "AKIA1", "AKIA2")),
    "session": st.sampled_from(("", "ASIA1", "ASIA2")),
    "target": st.sampled_from(("", "a", "b\n")),
    "target_class": st.sampled_from(("", "own", "foreign")),
    "traits": st.lists(
        st.sampled_from(
            ("mfa", "console", "probe", "public", "attack_tool", "quarantine", "admin_policy", "large_compute")
        ),
        max_size=3,
        unique=True,
    ),
    "time": st.sampled_from(("00:00", "10:00", "10:30", "23:59")),
    "repeat": st.integers(1, 3),
}
SOME_EVENTS = st.lists(st.fixed_dictionaries({}, optional=FIELDS), min_size=1, max_size=8)
HISTORIES = st.lists(
    st.fixed_dictionaries({"ago": st.sampled_from(([5, 1], [30, 20], [90, 60], [1, 1])), "events": SOME_EVENTS}),
    max_size=2,
)
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@often
@given(today=SOME_EVENTS, history=HISTORIES)
def test_values_are_never_negative_and_sentences_are_one_line(today: Any, history: Any) -> None:
    episode = sampled({"events": today, "history": history})
    for signal in SIGNALS:
        value, subject = value_of(signal, episode)
        assert value is None or (value >= 0 and math.isfinite(value)), signal.name
        if value:
            sentence = signal.evidence(subject)
            assert ONE_SENTENCE.fullmatch(sentence), signal.name
            assert signal.backing is None or signal.backing(episode), signal.name


@often
@given(today=SOME_EVENTS, history=HISTORIES, seed=st.integers(0, 9))
def test_the_order_of_events_changes_no_value(today: Any, history: Any, seed: int) -> None:
    read_events = events(today, TODAY)
    baseline = learnt(history).baseline(MACHINE, TODAY)
    mixed = random.Random(seed).sample(read_events, len(read_events))
    view, other = episode_of(read_events, baseline), episode_of(mixed, baseline)
    assert [value_of(s, view)[0] for s in SIGNALS] == [value_of(s, other)[0] for s in SIGNALS]


def test_an_empty_shape_is_no_reason_to_fail() -> None:
    empty = dict.fromkeys(("action", "service", "access", "network", "agent", "region", "session", "target"), "")
    episode = sampled({"events": [empty], "history": []})
    assert isinstance(episode.views[0], View)
    assert all(value is None or value >= 0 for value, _ in (value_of(s, episode) for s in SIGNALS))
