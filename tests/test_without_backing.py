"""No output depends on a signal having records behind it, nor on a field of an event having a value."""

from __future__ import annotations

import io
import json
from typing import Any, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from core_samples import TODAY, events
from nhi_watch.act.response import plan
from nhi_watch.act.response.plan import Subjects
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import model
from nhi_watch.detect.engine import Scorer
from nhi_watch.detect.explain import brief, ocsf, reasons
from nhi_watch.detect.run import Result
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.report import ecs, html, jsonlines, terminal
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore

EMPTY = (
    "account",
    "credential",
    "session",
    "service",
    "error",
    "address",
    "network",
    "agent",
    "region",
    "target",
    "target_class",
)
"""Fields of an event that a log may lack; a source gives every record an id."""
RAID: list[dict[str, Any]] = [
    {"time": "03:10", "action": "iam:CreateAccessKey", "access": "permissions", "traits": ["credential_created"]},
    {"time": "03:11", "action": "iam:AttachUserPolicy", "access": "permissions", "traits": ["admin_grant"]},
    {"time": "03:12", "action": "secretsmanager:GetSecretValue", "repeat": 40},
    {"time": "03:14", "action": "cloudtrail:StopLogging", "access": "write"},
    {"time": "03:15", "action": "s3:GetObject", "repeat": 200, "outcome": "failure", "error": "AccessDenied"},
]
PLACE = {"address": "185.220.101.4", "network": "185.220.101.0/24", "agent": "kali", "region": "ap-south-1"}


def scored(lacking: list[str]) -> Result:
    """Ten ordinary days, and a raid of whose events some fields are empty."""
    state, batch = State(MemoryStore()), IntakeBatch()
    for ago in range(10, 0, -1):
        for event in events([{"repeat": 20}], TODAY - ago):
            batch.add(event)
    empty: dict[str, Any] = dict.fromkeys(lacking, "")
    for event in events([{**PLACE, **item} for item in RAID], TODAY):
        batch.add(event._replace(**empty))
    return Scorer(state, model.load()).process(batch)


def outputs(result: Result) -> str:
    """All that people and hosts get of the notables."""
    matches = [*result.notables, *result.below]
    console = Console(file=io.StringIO(), width=100)
    terminal.show(matches, result.run, console)
    rules, nothing = plan.load(), plan.Breaks((), ())
    plans = [plan.draft(item, rules, Subjects({}), nothing, TODAY * DAY) for item in matches]
    parts = [
        html.render(matches, result.run),
        *(plan.text(item) for item in plans),
        *(brief.text(item) for item in matches),
    ]
    parts += [json.dumps(ecs.alert(item, created="2024-10-04T12:00:00Z")) for item in matches]
    parts += [json.dumps(ocsf.finding(item)) for item in matches]
    parts += [jsonlines.as_line(item).decode() for item in matches]
    return "".join(parts)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(EMPTY), unique=True),
    st.one_of(st.none(), st.sets(st.sampled_from([signal.name for signal in SIGNALS]))),
)
def test_every_output_is_written(monkeypatch: pytest.MonkeyPatch, lacking: list[str], bare: Optional[set[str]]) -> None:
    """`bare`: signals without backing; None: all of them."""
    explain = reasons._explain

    def without(at: int, *rest: Any) -> tuple[Any, ...]:
        backing, *lines = explain(at, *rest)
        return ([] if bare is None or SIGNALS[at].name in bare else backing), *lines

    with monkeypatch.context() as patched:
        patched.setattr(reasons, "_explain", without)
        result = scored(lacking)
        assert result.notables or result.below
        assert outputs(result)
