"""GitLab: audit events, as the instance's `audit_json.log`, the API and audit event streaming write them.

Who acts:

- Bots of projects and groups (`project_12_bot_…`, `group_7_bot…`), whose only use is an access token, and service
  accounts are identities of kind `bot`; what a person does with a personal access token is `token`, beside the
  person (`user`). The token's id is the credential.
- A CI job token is its project (`workflow`), a deploy token or deploy key itself, GitLab a `service`.

Authors are known by GitLab's number, which is unique within one instance; so the account (the instance's name,
where a forwarder tells it, else the top-level group) is not part of ids with a number. Streamed events tell the
event's kind (`event_type`); the log tells attributes, of which the operation is made: `change_visibility`,
`add_project`, `custom_message…`.

Traits, besides `browser` and `attack_tool`: token_minted, deploy_key, runner_added, public, shared_outside,
admin_policy, for_other, impersonation, logging_reduced, protection_lowered, consent, scope_growth.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes.forms import Tree, at, claimant, native, rebuild
from nhi_watch.intake.shapes.values import bound, event, filled, level_by_words, moment, plain, text

# ---- facts
#
# What GitLab's audit events mean: operation, access level and traits.


VERBS = ("change", "add", "remove", "failed_login", "impersonation", "with", "action")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_MOVING = re.compile(r"\b[0-9a-f]{8,}\b|\b\d+\b|['\"`].*?['\"`]")


def operation_of(told: Mapping[str, Any]) -> str:
    """`event_type` or `event_name` where told, else made of the attribute that says what changed.

    >>> operation_of({"event_type": "project_access_token_created"}), operation_of({"change": "visibility"})
    ('project_access_token_created', 'change_visibility')
    >>> operation_of({"with": "standard"}), operation_of({"custom_message": "Added 'x' key 12 to 'p'"})
    ('sign_in_with_standard', 'added_key_to')
    """
    named = plain(told.get("event_type")) or plain(told.get("event_name"))
    if named:
        return _named(named)
    for verb in VERBS:
        found = plain(told.get(verb))
        if found:
            return _made("sign_in_with" if verb == "with" else verb, "" if verb == "failed_login" else found)
    return _made("", plain(told.get("custom_message")))


@lru_cache(maxsize=2048)
def _named(told: str) -> str:
    return _PUNCTUATION.sub("_", told[:512].strip().lower())[:100].strip("_")


@lru_cache(maxsize=2048)
def _made(word: str, told: str) -> str:
    return _words(f"{word} {told[:512]}")


def _words(told: str) -> str:
    """Words alone: names and numbers in messages change from event to event."""
    return "_".join(_PUNCTUATION.sub(" ", _MOVING.sub(" ", told.lower())).split()[:4])[:100]


_READS = re.compile(r"download|export|_viewed|_read|_searched|clone|repository_git_operation|_pull(?:ed)?\b|fetch")
_GRANTS = re.compile(
    r"member|access_level|permission|role|token|key|protected_branch|approv|saml|sso|two_factor|oauth|"
    r"impersonat|invite|share|user_access|admin|^add_|visibility"
)


_ISSUES = re.compile(r"(?:access_token|deploy_token|deploy_key|ssh_key|oauth_application)_?(?:created|rotated|added)")


@lru_cache(maxsize=2048)
def is_issuing(operation: str) -> bool:
    """Whether what the operation is done to is a new credential."""
    return _ISSUES.search(operation) is not None


# ---- gitlab


NAME = "gitlab"
SPLUNK_SOURCETYPES = ("gitlab:audit", "gitlab:audit_json")
ELASTIC_INDICES = ("logs-gitlab.audit-*",)

_ECS = {
    "created_at": "@timestamp",
    "author_id": "user.id",
    "author_name": "user.name",
    "ip_address": ("client.ip", "source.ip"),
    "correlation_id": "event.id",
}
Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, str, str, str]
"""shape, time, session, target, issued"""

_NOBODY = ("", "-1", "-2")
_META = {
    name: f"meta.{name}" for name in ("user", "project", "project_id", "root_namespace", "remote_ip", "user_agent")
}
_DOTTED_META = frozenset(_META.values())
_DOTTED = (
    "details.target_id",
    "details.target_type",
    "details.author_name",
    "details.entity_path",
    "details.ip_address",
)
_BOT = re.compile(r"(?:project|group)_(\d+)_bot|service_account|\bbot\b", re.IGNORECASE)
_CREDENTIALS = {"user": "none", "anonymous": "none", "service": "service", "workflow": "session"}


class _Facts(NamedTuple):
    """The values that an Event depends on; "" where not told."""

    operation: str
    author_id: str
    author_name: str
    author_class: str
    login: str
    token: str
    via: str
    job_project: str
    address: str
    user_agent: str
    group: str
    after: str
    failed: str
    other: str
    project: str
    """Path of the project whose job acts, where the record tells it."""


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
    told = _merged(_of_ecs(row) if is_ecs else row)
    shape, time, session, target, issued = _parts(told)
    if not shape[0]:
        raise RejectError("no_action", "neither event_type nor an attribute of the change is told")
    made, seconds = _event(*map(text, shape)), moment(time)
    made = made._replace(issued=issued) if issued else made
    record_id = _id_of(told, render(seconds), shape[0], made.outcome, target)
    return filled(made, seconds, record_id, session, target, told.get("target_id"), told.get("entity_id"))


def _of_ecs(document: Row) -> Row:
    inner: Any = at(document, "gitlab.audit")
    return {**(inner if inner.__class__ is dict else {}), **rebuild(document, _ECS)}


def _merged(row: Row) -> Row:
    """All values in one: those of `details` count most, then the record's own, then those of `meta`.

    The log's own names hold dots (`meta.user`), as do Splunk's: nested or not, it is the same.

    >>> _merged({"meta.user": 2, "a": 1, "details": {"a": "", "c": 3}, "meta": {"a": 4}})["a"]
    1
    """
    meta, details = row.get("meta"), row.get("details")
    found = {**meta} if meta.__class__ is dict else {}
    if not _DOTTED_META.isdisjoint(row):
        found.update((name, row[dotted]) for name, dotted in _META.items() if dotted in row)
    found.update(_filled(row))
    if details.__class__ is dict:
        found.update(_filled(details))
    elif any(name in row for name in _DOTTED):
        found.update(_filled({name[8:]: row[name] for name in row if name[:8] == "details."}))
    return found


def _filled(part: Row) -> Row:
    values = part.values()
    if None in values or "" in values:
        return {name: value for name, value in part.items() if value is not None and value != ""}
    return part


def _parts(told: Row) -> Parts:
    """What every record tells."""
    of = told.get
    operation = operation_of(told)
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
    issued = thing[:128] if operation and is_issuing(operation) else ""
    return shape, of("created_at") or of("time") or of("timestamp"), "", target[:200], issued


def _id_of(told: Row, when: str, operation: str, outcome: str, target: str) -> str:
    """The event's own id; the log has only a request's (`correlation_id`), which several events may share."""
    own, request = plain(told.get("id")), plain(told.get("correlation_id"))
    if own:
        return f"gitlab:{own[:128]}"
    if not request:
        return ""
    who, what, where, now = (plain(told.get(name))[:64] for name in ("author_id", "target_id", "entity_id", "to"))
    mark = bound(request, when, operation, who, what, where, now, outcome, target)[-12:]
    return f"gitlab:{request[:64]}:{when}:{mark}"


@lru_cache(maxsize=4096)
def _event(*shape: str) -> Event:
    f = _Facts(*shape)
    who = _identity(f)
    refused = "not authorized" in f.failed.lower() or "denied" in f.operation
    return event(
        0, who, f"gitlab:{f.operation}", credential=f.token[:128], credential_type=_CREDENTIALS.get(who.kind, "key"),
        access=level_by_words(f.operation, actions.access("gitlab", f.operation), _READS, _GRANTS),
        outcome="denied" if refused else "failure" if f.failed or "failed" in f.operation else "success",
        error=f.failed[:64], address=f.address, user_agent=f.user_agent, traits=traits_of(f),
        links=(f"oidc:project_path:{f.project}"[:512],) if f.project and who.kind == "workflow" else (),
    )  # fmt: skip


def traits_of(f: _Facts) -> set[str]:
    """What an event tells, but for what its user agent does."""
    after = f.after.lower()
    more = {
        "public": "visibility" in f.operation and after == "public",
        "admin_policy": after in ("owner", "maintainer", "admin"),
        "for_other": f.other,
    }
    return {trait for trait, holds in more.items() if holds} | actions.traits("gitlab", f.operation)


def _identity(f: _Facts) -> Identity:
    via = f.via.lower()
    name = f.login or f.author_name
    kind = "user"
    if "CiJobToken" in f.author_class or "job" in via:
        kind = "workflow"
    elif "DeployToken" in f.author_class or "deploy token" in f.author_name.lower() or "deploy_token" in via:
        kind = "deploy_token"
    elif "DeployKey" in f.author_class or "deploy_key" in via:
        kind = "deploy_key"
    elif _BOT.search(name):
        kind = "bot"
    elif f.token or "personal_access_token" in via or "personalaccesstoken" in via:
        kind = "token"
    elif (not f.author_id and not name) or (f.author_id in ("-1", "-2", "0") and not f.job_project):
        kind = "service"
    unique = f.job_project if kind == "workflow" and f.job_project else f.author_id
    if kind == "service":
        kind = "anonymous" if f.author_id == "-1" else kind  # -1: nobody is signed in, -2: GitLab's own doing
        name = "gitlab" if kind == "service" else kind
        return Identity(f"gitlab:{f.group}:{kind}:{name}", name, kind, "gitlab", f.group, "")
    shown = f"{name or unique} (token)" if kind == "token" else name or unique
    identifier = f"gitlab::{kind}:{unique}" if unique else f"gitlab:{f.group}:{kind}:{name}"
    human = "user" if kind == "user" else ""
    return Identity(identifier[:512], shown[:512], kind, "gitlab", f.group, human)
