"""GitLab: audit events, as the instance's `audit_json.log`, the API and audit event streaming write them.

Who acts:

- Bots of projects and groups (`project_12_bot_…`, `group_7_bot…`), whose only use is an access token, and service
  accounts are identities of kind `bot`; what a person does with a personal access token is `token`, beside the
  person (`user`). The token's id is the credential.
- A CI job token is its project (`workflow`), a deploy token or deploy key itself, GitLab a `service`.

Authors are known by GitLab's number, which is unique within one instance; so the account (the instance's name,
where a forwarder gives it, else the top-level group) is not part of ids with a number. Streamed events give the
event's kind (`event_type`); the log gives attributes, of which the operation is made: `change_visibility`,
`add_project`, `custom_message…`.

Traits, besides `browser` and `attack_tool`: token_minted, deploy_key, runner_added, public, shared_outside,
admin_policy, for_other, impersonation, logging_reduced, protection_lowered, consent, scope_growth.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes.forms import Tree, claimant, inner, native, nested, part, rebuild
from nhi_watch.intake.shapes.values import bound, build_event, filled, level_by_words, moment, plain, text

# ---- facts
#
# What GitLab's audit events mean: operation, access level and traits.


VERBS = ("change", "add", "remove", "failed_login", "impersonation", "with", "action")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_MOVING = re.compile(r"\b[0-9a-f]{8,}\b|\b\d+\b|['\"`].*?['\"`]")


def operation_of(fields: Mapping[str, Any]) -> str:
    """`event_type` or `event_name` where given, else made of the attribute that says what changed.

    >>> operation_of({"event_type": "project_access_token_created"}), operation_of({"change": "visibility"})
    ('project_access_token_created', 'change_visibility')
    >>> operation_of({"with": "standard"}), operation_of({"custom_message": "Added 'x' key 12 to 'p'"})
    ('sign_in_with_standard', 'added_key_to')
    """
    named = plain(fields.get("event_type")) or plain(fields.get("event_name"))
    verb = next((verb for verb in VERBS if plain(fields.get(verb))), "")
    message = "" if verb == "failed_login" else plain(fields.get(verb or "custom_message"))
    return _spelled(named, "sign_in_with" if verb == "with" else verb, message)


@remembered(4096)
def _spelled(named: str, verb: str, message: str) -> str:
    """Of a message words alone: names and numbers change from event to event."""
    if named:
        return _PUNCTUATION.sub("_", named[:512].strip().lower())[:100].strip("_")
    words = _MOVING.sub(" ", f"{verb} {message[:512]}".lower())
    return "_".join(_PUNCTUATION.sub(" ", words).split()[:4])[:100]


_READS = re.compile(r"download|export|_viewed|_read|_searched|clone|repository_git_operation|_pull(?:ed)?\b|fetch")
_GRANTS = re.compile(
    r"member|access_level|permission|role|token|key|protected_branch|approv|saml|sso|two_factor|oauth|"
    r"impersonat|invite|share|user_access|admin|^add_|visibility"
)


_ISSUES = re.compile(r"(?:access_token|deploy_token|deploy_key|ssh_key|oauth_application)_?(?:created|rotated|added)")


# ---- gitlab


NAME = "gitlab"
SPLUNK_SOURCETYPES = ("gitlab:audit", "gitlab:audit_json")
ELASTIC_INDICES = ("logs-gitlab.audit-*",)

_ECS = {
    "created_at": "@timestamp",
    "author_id": "user.id",
    "author_name": "user.name",
    "correlation_id": "event.id",
    "ip_address": ("client.ip", "source.ip"),
}
Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, str, str, str]
"""shape, time, session, target, issued"""

_NOBODY = ("", "-1", "-2")
_BOT = re.compile(r"(?:project|group)_(\d+)_bot|service_account|\bbot\b", re.IGNORECASE)
_CREDENTIALS = {"user": "none", "anonymous": "none", "service": "service", "workflow": "session"}


def _is_row(row: Tree) -> bool:
    return "author_id" in row and "entity_type" in row and ("entity_id" in row or "target_type" in row)


claims = claimant(_is_row, (('"author_id"',), ('"entity_type"',)), "gitlab.audit")
"""Whether the record is an audit event of GitLab's, in any of its three shapes."""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    fields = _merged({**part(row, "gitlab.audit"), **rebuild(row, _ECS)} if is_ecs else row)
    shape, time, session, target, issued = _parts(fields)
    if not shape[0]:
        raise RejectError("no_action", "event_type and the change's attribute are missing")
    event, seconds = _event(*map(text, shape)), moment(time)
    event = event._replace(issued=issued) if issued else event
    record_id = _id_of(fields, render(seconds), shape[0], event.outcome, target)
    return filled(event, seconds, record_id, session, target, fields.get("target_id"), fields.get("entity_id"))


def _merged(row: Row) -> Row:
    """All values in one: those of `details` count most, then the record's own, then those of `meta`.

    The log's own names hold dots (`meta.user`): nested or not, it is the same.

    >>> _merged({"meta.user": 2, "a": 1, "details": {"a": "", "c": 3}, "meta": {"a": 4}})["a"]
    1
    """
    row = nested(row) if any("." in name for name in row) else row
    merged_fields: Tree = {}
    for fields in (inner(row, "meta"), row, inner(row, "details")):
        merged_fields.update((name, value) for name, value in fields.items() if value is not None and value != "")
    return merged_fields


def _parts(fields: Row) -> Parts:
    """What every record holds."""
    of = fields.get
    operation = operation_of(fields)
    author, path = plain(of("author_id")), plain(of("entity_path") or of("root_namespace") or of("project"))
    kind, thing = of("target_type"), plain(of("target_id"))
    project = of("job_project_id") or of("project_id") if author in _NOBODY else None
    own = project and of("entity_type") == "Project" and plain(of("entity_id")) == plain(project)
    shape = (
        operation, author, of("author_name"), of("author_class"), of("user"),
        of("token_id") or of("access_token_id") or of("personal_access_token_id"),
        of("with") or of("auth_method") or of("token_type") or of("access_token_type"), project,
        of("ip_address") or of("remote_ip"), of("user_agent"), path.partition("/")[0], of("to") or of("as"),
        of("failed_login"), "other" if kind == "User" and thing and thing != author else "", path if own else "",
    )  # fmt: skip
    target = plain(of("entity_path")) or plain(of("target_details")) or thing or plain(of("entity_id"))
    issued = thing[:128] if operation and _ISSUES.search(operation) else ""
    return shape, of("created_at") or of("time") or of("timestamp"), "", target[:200], issued


def _id_of(fields: Row, when: str, operation: str, outcome: str, target: str) -> str:
    """The event's own id; the log has only a request's (`correlation_id`), which several events may share."""
    own, request = plain(fields.get("id")), plain(fields.get("correlation_id"))
    if own:
        return f"gitlab:{own[:128]}"
    if not request:
        return ""
    who, what, where, now = (plain(fields.get(name))[:64] for name in ("author_id", "target_id", "entity_id", "to"))
    mark = bound(request, when, operation, who, what, where, now, outcome, target)[-12:]
    return f"gitlab:{request[:64]}:{when}:{mark}"


@remembered(4096)
def _event(
    operation: str,
    author_id: str,
    author: str,
    author_class: str,
    login: str,
    token: str,
    via: str,
    job_project: str,
    address: str,
    user_agent: str,
    group: str,
    after: str,
    failed: str,
    other: str,
    project: str,
) -> Event:
    """`project`: path of the project whose job acts, where the record gives it."""
    kind = _kind(author_id, author, author_class, login, token, via.lower(), job_project)
    who = _identity(kind, author_id, login or author, job_project if kind == "workflow" else "", group)
    refused = "not authorized" in failed.lower() or "denied" in operation
    return build_event(
        0,
        who,
        f"gitlab:{operation}",
        credential=token[:128],
        credential_type=_CREDENTIALS.get(who.kind, "key"),
        access=level_by_words(operation, actions.access("gitlab", operation), _READS, _GRANTS),
        outcome="denied" if refused else "failure" if failed or "failed" in operation else "success",
        error=failed[:64],
        address=address,
        user_agent=user_agent,
        traits=actions.traits("gitlab", operation),
        marks={
            "public": "visibility" in operation and after.lower() == "public",
            "for_other": other,
            "admin_policy": after.lower() in ("owner", "maintainer", "admin"),
        },
        links=(f"oidc:project_path:{project}"[:512],) if project and who.kind == "workflow" else (),
    )


def _kind(author_id: str, author: str, author_class: str, login: str, token: str, via: str, job_project: str) -> str:
    if "CiJobToken" in author_class or "job" in via:
        return "workflow"
    if "DeployToken" in author_class or "deploy token" in author.lower() or "deploy_token" in via:
        return "deploy_token"
    if "DeployKey" in author_class or "deploy_key" in via:
        return "deploy_key"
    if _BOT.search(login or author):
        return "bot"
    if token or "personal_access_token" in via or "personalaccesstoken" in via:
        return "token"
    nobody = not (author_id or login or author) or (author_id in ("-1", "-2", "0") and not job_project)
    return ("anonymous" if author_id == "-1" else "service") if nobody else "user"  # -1: nobody is signed in


def _identity(kind: str, author_id: str, name: str, job_project: str, group: str) -> Identity:
    if kind in ("service", "anonymous"):
        name = "gitlab" if kind == "service" else kind
        return Identity(f"gitlab:{group}:{kind}:{name}", name, kind, "gitlab", group, "")
    unique = job_project or author_id
    shown = f"{name or unique} (token)" if kind == "token" else name or unique
    identifier = f"gitlab::{kind}:{unique}" if unique else f"gitlab:{group}:{kind}:{name}"
    return Identity(identifier[:512], shown[:512], kind, "gitlab", group, "user" if kind == "user" else "")
