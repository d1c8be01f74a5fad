"""Ways back in, and out of sight: apps let in or changed, code that others run, logs and guards weakened."""

from __future__ import annotations

from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import (
    behaviour_signal,
    call_sentence,
    in_class,
    last_part,
    listing,
    marked,
    marks,
    on_mark,
    times,
)

ALLOWED = {"consent", "scope_growth", "broad_scope"}


APP_CONSENT_MARKS = {"consent": 1.0, "broad_scope": 2.0, "scope_growth": 2.0, "mail_and_files": 2.0,
    "offline_access": 1.0, "lookalike": 3.0, "tenant_wide": 2.0}  # fmt: skip
"""What was allowed, added up; everybody's data, what grows quietly, and a name made to be mistaken weigh more."""
UNSEEN = 2.0
"""More where the app itself was never seen before."""
SCOPE = "scope:"
"""How a trait begins that names a wide permission, as the provider spells it."""


def _app_consent_evidence(view: View) -> str:
    others = [target for b in view.behaviours for target in b.targets]
    scopes = [trait.removeprefix(SCOPE) for trait in view.shape.traits if trait.startswith(SCOPE)]
    allowed = f"{marks(view, APP_CONSENT_MARKS)}{': ' if scopes else ''}{listing(scopes, 6) if scopes else ''}"
    count = sum(b.count for b in view.behaviours)
    if DONE_TO in view.shape.traits:
        new = "never seen before, " if not view.past.own.days else ""
        by = f" by {listing(others, 3)} ({len(set(others))})" if others else ""
        return f"app {view.shape.identity.name}, {new}got {times(count, 'consent')} or new scopes{by} ({allowed})"
    return call_sentence(view, f"grants consent or scopes to {listing(others, 2) or 'an app'} ({allowed})")


def _app_consent_phrase(view: View) -> str:
    itself = DONE_TO in view.shape.traits
    apps = [view.shape.identity.name] if itself else [target for b in view.behaviours for target in b.targets]
    scopes = [trait.removeprefix(SCOPE) for trait in view.shape.traits if trait.startswith(SCOPE)]
    to = f" to {listing([last_part(app) for app in apps], 1)}" if apps else ""
    return f"app consent granted{to}{f' ({listing(scopes, 2)})' if scopes else ''}"


@behaviour_signal(
    "App consent granted",
    ("T1528", "NHI3:2025"),
    control="reduce_privilege",
    headline=8,
    evidence=_app_consent_evidence,
    phrase=_app_consent_phrase,
)
def app_consent(view: View) -> float:
    """An app gets consent, or more scopes than before.

    Weights of what was allowed, added up, 2 more where the app was never seen, plus the bits by which the call is new;
    0 where nothing was allowed.
    """
    traits = view.shape.traits
    if not ALLOWED.intersection(traits):
        return 0.0
    unseen = DONE_TO in traits and not view.past.own.days
    return sum(APP_CONSENT_MARKS.get(trait, 0.0) for trait in traits) + (UNSEEN if unseen else 0.0) + view.action


APP_CHANGED_MARKS = {"owner_added": 1.0, "publisher_changed": 1.0, "reply_address": 2.0, "federated_credential": 2.0,
    "trust_domain": 3.0}  # fmt: skip
"""What was changed; with the last three somebody else can get its tokens."""


_CHANGED = {"reply_address": "redirect URI", "trust_domain": "federation of a domain", "owner_added": "owner added"}
"""What people call a trait."""


def _changed(view: View) -> str:
    names = (trait for trait in view.shape.traits if trait in APP_CHANGED_MARKS)
    return ", ".join(_CHANGED.get(name, name.replace("_", " ")) for name in names)


@behaviour_signal(
    "App credentials, owner or redirect URI changed",
    ("T1098.001", "T1484.002"),
    control="rotate_secret",
    headline=7,
    phrase=lambda view: f"app changed ({_changed(view)})",
    evidence=lambda view: call_sentence(view, f"changes who can get the app's tokens ({_changed(view)})"),
)
def app_changed(view: View) -> float:
    """Changes an app's redirect URI, publisher, owner or trusted issuer: somebody else may get its tokens.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, APP_CHANGED_MARKS)


CODE_FOR_OTHERS_MARKS = {"dispatched_by_bot": 1.0, "protection_lowered": 1.0, "runner_added": 1.0, "fork_workflow": 2.0}
"""A workflow that a bot started, rules of review that were lowered, a machine that will run workflows, and code
from a fork that runs with secrets."""


@behaviour_signal(
    "Code run by other workloads changed",
    ("T1648",),
    control="reduce_privilege",
    headline=15,
    evidence=lambda view: call_sentence(view, "changes code that other workloads run"),
)
def code_for_others(view: View) -> float:
    """Changes code or configuration that other workloads will run.

    Bits by which the call is new for the identity, where it is of this kind; more where code comes from outside.
    """
    return max(in_class(view, "code_for_others"), marked(view, CODE_FOR_OTHERS_MARKS))


LOGGING_TAMPERED_MARKS = frozenset({"guard_removed", "logging_reduced", "push_protection_bypassed"})
"""Traits of records that did, whatever the call is named."""


@behaviour_signal(
    "Logging or detection weakened",
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
