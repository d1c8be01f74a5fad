"""Changes code or configuration that other workloads will run."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class, marked

NAME = "code_for_others"
TITLE = "Code that others run changed"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1648",)
CONTROL = "reduce_privilege"
HEADLINE = 15

MARKS = {"dispatched_by_bot": 1.0, "protection_lowered": 1.0, "runner_added": 1.0, "fork_workflow": 2.0}
"""A workflow that a bot started, rules of review that were lowered, a machine that will run workflows, and code
from a fork that runs with secrets."""


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind; more where code comes from outside."""
    return max(in_class(view, "code_for_others"), marked(view, MARKS))


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "changes what others will run")
