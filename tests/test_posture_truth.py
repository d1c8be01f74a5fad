"""Posture against tenants whose faults are known: what is planted is found, and rare jobs are left alone."""

from __future__ import annotations

from functools import cache
from typing import Any

from nhi_watch_lab.evaluation import posture_truth


@cache
def measured() -> dict[str, Any]:
    return posture_truth.summarise([posture_truth.measure(706, machines=32)])


def test_planted_faults_are_found_and_little_else_is() -> None:
    kinds = measured()["kinds"]
    for kind in ("dormant_identity", "human_use", "over_privileged", "orphaned_identity"):
        assert kinds[kind]["right"] >= 3
        assert kinds[kind]["precision"] >= 0.9
        assert kinds[kind]["recall"] >= 0.75


def test_yearly_and_fortnightly_jobs_are_not_called_idle() -> None:
    for rhythm in ("yearly", "fortnightly"):
        assert measured()[rhythm]["jobs"] >= 3
        assert measured()[rhythm]["called_idle"] == 0
