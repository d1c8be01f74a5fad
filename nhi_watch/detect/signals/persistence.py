"""Ways back in, and out of sight: apps let in or changed, code that others run, logs and guards weakened."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import behaviour_signal, call_sentence, in_class, marked, marks, on_mark

ALLOWED = {"consent", "scope_growth", "broad_scope"}


APP_CONSENT_MARKS = {"consent": 1.0, "broad_scope": 2.0, "scope_growth": 2.0, "mail_and_files": 2.0, "tenant_wide": 3.0}
"""What was allowed; everybody's data, and what grows quietly, weigh more."""


@behaviour_signal(
    "App let in, or allowed more",
    ("T1528", "NHI3:2025"),
    control="reduce_privilege",
    headline=8,
    evidence=lambda view: call_sentence(view, f"lets an app in or allows it more ({marks(view, APP_CONSENT_MARKS)})"),
)
def app_consent(view: View) -> float:
    """An app is let in, or is allowed more than before.

    Weight of the widest permission, plus the bits by which the call is new; 0 where nothing was allowed.
    """
    return marked(view, APP_CONSENT_MARKS) if ALLOWED.intersection(view.shape.traits) else 0.0


APP_CHANGED_MARKS = {"owner_added": 1.0, "publisher_changed": 1.0, "reply_address": 2.0, "federated_credential": 2.0,
    "trust_domain": 3.0}  # fmt: skip
"""What was changed; with the last three somebody else can get its tokens."""


@behaviour_signal(
    "Way into an app changed",
    ("T1098.001", "T1484.002"),
    control="rotate_secret",
    headline=7,
    evidence=lambda view: call_sentence(view, f"changes the way into an app ({marks(view, APP_CHANGED_MARKS)})"),
)
def app_changed(view: View) -> float:
    """Changes where an app's tokens go, who it claims to be of, who owns it, or whose word is trusted.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, APP_CHANGED_MARKS)


CODE_FOR_OTHERS_MARKS = {"dispatched_by_bot": 1.0, "protection_lowered": 1.0, "runner_added": 1.0, "fork_workflow": 2.0}
"""A workflow that a bot started, rules of review that were lowered, a machine that will run workflows, and code
from a fork that runs with secrets."""


@behaviour_signal(
    "Code that others run changed",
    ("T1648",),
    control="reduce_privilege",
    headline=15,
    evidence=lambda view: call_sentence(view, "changes what others will run"),
)
def code_for_others(view: View) -> float:
    """Changes code or configuration that other workloads will run.

    Bits by which the call is new for the identity, where it is of this kind; more where code comes from outside.
    """
    return max(in_class(view, "code_for_others"), marked(view, CODE_FOR_OTHERS_MARKS))


LOGGING_TAMPERED_MARKS = frozenset({"guard_removed", "logging_reduced", "push_protection_bypassed"})
"""Traits of records that did, whatever the call is named."""


@behaviour_signal(
    "Logging tampered with",
    ("T1562.008",),
    control="reduce_privilege",
    headline=6,
    evidence=lambda view: call_sentence(view, "weakens logging, detection or approvals"),
)
def logging_tampered(view: View) -> float:
    """Stops, deletes or narrows logs, detectors, or what an agent must ask.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return max(in_class(view, "logging_tampered"), on_mark(view, LOGGING_TAMPERED_MARKS))
