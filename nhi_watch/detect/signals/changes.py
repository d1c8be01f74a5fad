"""Ways back in and out of sight, and what happens to data: apps, code, logs and mailboxes changed, data let out."""

from __future__ import annotations

from nhi_watch.core.event import DONE_TO
from nhi_watch.detect.signals._kit import (
    View,
    call_sentence,
    in_words,
    kind_of_call,
    last_part,
    listing,
    marked,
    place_novelty,
    signal,
    times,
)

TABLE = (
    kind_of_call(
        "logging_tampered",
        "Logging or protection weakened",
        ("T1562.008",),
        "reduce_privilege",
        "weakens logging, detection, approvals or other protection",
        "Stops, deletes or narrows logs, detectors, or an agent's approval rules.",
        frozenset({"guard_removed", "logging_reduced", "push_protection_bypassed"}),
        headline=6,
    ),
    kind_of_call(
        "sharing",
        "Data sharing changed",
        ("T1537",),
        "reduce_privilege",
        "changes who can access data",
        "Changes which outsiders can access data.",
        headline=24,
    ),
    kind_of_call(
        "destruction",
        "Data or resources deleted",
        ("T1485",),
        "reduce_privilege",
        "deletes data or resources",
        "Deletes data or capacity.",
        headline=16,
    ),
)

ALLOWED = {"consent", "scope_growth", "broad_scope"}
CONSENT = {
    "consent": 1.0,
    "broad_scope": 2.0,
    "scope_growth": 2.0,
    "mail_and_files": 2.0,
    "offline_access": 1.0,
    "lookalike": 3.0,
    "tenant_wide": 2.0,
}
"""What was allowed, added up; everybody's data, what grows quietly, and a name made to be mistaken weigh more."""
UNSEEN = 2.0
"""More where the app itself was never seen before."""
SCOPE = "scope:"
"""How a trait begins that names a wide permission, as the provider spells it."""


def _scopes(view: View) -> list[str]:
    return [trait.removeprefix(SCOPE) for trait in view.key.traits if trait.startswith(SCOPE)]


def _app_consent(view: View) -> str:
    others, scopes = [target for b in view.behaviours for target in b.targets], _scopes(view)
    allowed = in_words(view, CONSENT) + (f": {listing(scopes, 6)}" if scopes else "")
    if DONE_TO not in view.key.traits:
        return call_sentence(view, f"grants consent or scopes to {listing(others, 2) or 'an app'} ({allowed})")
    new = "never seen before, " if not view.baseline.own.days else ""
    by = f" by {listing(others, 3)} ({len(set(others))})" if others else ""
    count = times(sum(b.count for b in view.behaviours), "consent")
    return f"app {view.key.identity.name}, {new}got {count} or new scopes{by} ({allowed})"


def _app_consent_phrase(view: View) -> str:
    itself, scopes = DONE_TO in view.key.traits, _scopes(view)
    apps = [view.key.identity.name] if itself else [target for b in view.behaviours for target in b.targets]
    to = f" to {listing([last_part(app) for app in apps], 1)}" if apps else ""
    return f"app consent granted{to}{f' ({listing(scopes, 2)})' if scopes else ''}"


@signal(
    "behaviour",
    "App consent granted",
    ("T1528", "NHI3:2025"),
    "reduce_privilege",
    headline=8,
    evidence=_app_consent,
    phrase=_app_consent_phrase,
)
def app_consent(view: View) -> float:
    """An app gets consent, or more scopes than before.

    Weights of what was allowed, added up, 2 more where the app was never seen, plus the bits by which the call is new;
    0 where nothing was allowed.
    """
    traits = view.key.traits
    if ALLOWED.isdisjoint(traits):
        return 0.0
    unseen = DONE_TO in traits and not view.baseline.own.days
    return sum(CONSENT.get(trait, 0.0) for trait in traits) + (UNSEEN if unseen else 0.0) + view.action


APP = {
    "owner_added": 1.0,
    "publisher_changed": 1.0,
    "reply_address": 2.0,
    "federated_credential": 2.0,
    "trust_domain": 3.0,
}
"""What was changed; with the last three somebody else can get its tokens."""
_CALLED = {"reply_address": "redirect URI", "trust_domain": "federation of a domain", "owner_added": "owner added"}


@signal(
    "behaviour",
    "App credentials, owner or redirect URI changed",
    ("T1098.001", "T1484.002"),
    "rotate_secret",
    headline=7,
    phrase=lambda view: f"app changed ({in_words(view, APP, _CALLED)})",
    evidence=lambda view: call_sentence(view, f"changes who can get the app's tokens ({in_words(view, APP, _CALLED)})"),
)
def app_changed(view: View) -> float:
    """Changes an app's redirect URI, publisher, owner or trusted issuer: somebody else may get its tokens.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, APP)


CODE = {"dispatched_by_bot": 1.0, "protection_lowered": 1.0, "runner_added": 1.0, "fork_workflow": 2.0}
"""A workflow that a bot started, rules of review that were lowered, a machine that will run workflows, and code
from a fork that runs with secrets."""


@signal(
    "behaviour",
    "Code run by other workloads changed",
    ("T1648",),
    "reduce_privilege",
    headline=15,
    evidence=lambda view: call_sentence(view, "changes code that other workloads run"),
)
def code_for_others(view: View) -> float:
    """Changes code or configuration that other workloads will run.

    Bits by which the call is new for the identity, where it is of this kind; more where code comes from outside.
    """
    return max(view.action if "code_for_others" in view.facts.classes else 0.0, marked(view, CODE))


OPENINGS = {"shared_outside": 2.0, "open_ingress": 1.0, "public": 2.0}


@signal(
    "behaviour",
    "Access given to outsiders",
    ("T1537",),
    "reduce_privilege",
    headline=11,
    evidence=lambda view: call_sentence(view, f"gives outsiders access ({in_words(view, OPENINGS)})"),
)
def opened_outside(view: View) -> float:
    """Something was opened to another account, to everybody or to the whole internet.

    Weight of the widest opening, plus the bits by which the call is new; 0 where nothing was opened.
    """
    return marked(view, OPENINGS)


@signal(
    "behaviour",
    "Bulk export",
    ("T1567", "T1530"),
    "reduce_privilege",
    headline=13,
    evidence=lambda view: call_sentence(view, "exports data in bulk"),
)
def mass_export(view: View) -> float:
    """A full mailbox, database, drive or list of secrets is exported at once.

    Bits by which the call, or the place that it comes from, is new, where it exports in bulk.
    """
    return max(view.action, place_novelty(view)) if "mass_export" in view.key.traits else 0.0


MAILBOX = {"other_mailbox": 1.0, "hides_mail": 1.0, "mailbox_grant": 1.0, "mail_forwarding": 2.0}
"""What was done to a mailbox; mail that leaves weighs more."""


@signal(
    "behaviour",
    "Mailbox access or rules changed",
    ("T1098",),
    "reduce_privilege",
    headline=12,
    evidence=lambda view: call_sentence(view, f"accesses a mailbox or changes its rules ({in_words(view, MAILBOX)})"),
)
def mailbox_access(view: View) -> float:
    """Opens somebody's mailbox, sends its mail elsewhere, or hides what arrives.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, MAILBOX)
