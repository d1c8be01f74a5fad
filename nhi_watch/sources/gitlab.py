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
from typing import Any, NamedTuple, Optional, cast

from nhi_watch import actions, agent, network
from nhi_watch.errors import RejectError
from nhi_watch.event import Event, Identity
from nhi_watch.sources import Peek
from nhi_watch.sources._gitlab_facts import level_of, operation_of, traits_of
from nhi_watch.sources._shapes import Tree, at, dataset, native, rebuild
from nhi_watch.sources._times import moment
from nhi_watch.sources._values import made_id, text

NAME = "gitlab"
SPLUNK_SOURCETYPES = ("gitlab:audit", "gitlab:audit_json")
ELASTIC_INDICES = ("logs-gitlab.audit-*",)

_ECS = {
    "created_at": "@timestamp",
    "author_id": "user.id",
    "author_name": "user.name",
    "ip_address": "client.ip",
    "ip_address|2": "source.ip",
    "correlation_id": "event.id",
}
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
    before: str
    after: str
    target_type: str
    failed: str
    other: str


def claims(record: object) -> bool:
    """Whether the record is an audit event of GitLab's, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Mapping[str, Any], record)
    raw: Any = row.get("_raw")
    if raw.__class__ is str:
        return '"author_id"' in raw and '"entity_type"' in raw
    if "author_id" in row:
        return "entity_type" in row and ("entity_id" in row or "target_type" in row)
    return dataset(row) == "gitlab.audit"


def peek(record: object) -> Optional[Peek]:
    """Audit events are few: all are read in full."""
    return None


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    row = _of_ecs(row) if is_ecs else _dotted(row)
    details = row.get("details")
    if details.__class__ is not dict:
        details = row
    operation = operation_of(row, details)
    if not operation:
        raise RejectError("no_action", "neither event_type nor an attribute of the change is told")
    time = moment(row.get("created_at") or row.get("time") or row.get("timestamp"))
    event = _event(tuple(_facts(row, details, operation)))
    event = event._replace(time=time, target=_target(row, details), issued=_issued(event, row, details))
    # The log's correlation id is a request's; several events may share it. Only the API's and streams' are own.
    told = text(row.get("id"), 128)
    more = (row.get("correlation_id"), row.get("target_id"), row.get("entity_id"))
    return event._replace(record_id=f"gitlab:{told}" if told else made_id(event, *more))


def _of_ecs(document: Tree) -> Tree:
    inner = at(document, "gitlab.audit")
    row = _dotted(inner) if inner.__class__ is dict else {}
    return {**row, **rebuild(document, _ECS)}


def _dotted(row: Tree) -> Tree:
    """The log's own names hold dots (`meta.user`): the same tree as Splunk and Elastic make of them."""
    if not any("." in name for name in row if name.__class__ is str):
        return row
    tree = {k: v for k, v in row.items() if "." not in str(k)}
    for name in row:
        first, found, rest = str(name).partition(".")
        if found and tree.setdefault(first, {}).__class__ is dict:
            tree[first].setdefault(rest, row[name])
    return tree


def _told(row: Tree, details: Tree, *names: str) -> str:
    for name in names:
        value = text(details.get(name)) or text(row.get(name)) or text(at(row, f"meta.{name}"))
        if value:
            return value
    return ""


def _facts(row: Tree, details: Tree, operation: str) -> list[str]:
    author = _told(row, details, "author_id")
    path = _told(row, details, "entity_path", "root_namespace", "project")
    target_type = _told(row, details, "target_type")
    target = _told(row, details, "target_id")
    return [
        operation,
        author,
        _told(row, details, "author_name"),
        _told(row, details, "author_class"),
        _told(row, details, "user"),
        _told(row, details, "token_id", "access_token_id", "personal_access_token_id"),
        _told(row, details, "with", "auth_method", "token_type", "access_token_type"),
        _told(row, details, "job_project_id", "project_id") if author in ("", "-2", "-1") else "",
        _told(row, details, "ip_address", "remote_ip"),
        _told(row, details, "user_agent"),
        path.partition("/")[0],
        _told(row, details, "from"),
        _told(row, details, "to", "as"),
        target_type,
        _told(row, details, "failed_login"),
        "other" if target_type == "User" and target and target != author else "",
    ]


def _target(row: Tree, details: Tree) -> str:
    return _told(row, details, "entity_path", "target_details", "target_id", "entity_id")[:200]


_ISSUES = re.compile(r"(?:access_token|deploy_token|deploy_key|ssh_key|oauth_application)_?(?:created|rotated|added)")


def _issued(event: Event, row: Tree, details: Tree) -> str:
    return _told(row, details, "target_id")[:128] if _ISSUES.search(event.action) else ""


@lru_cache(maxsize=4096)
def _event(shape: tuple[str, ...]) -> Event:
    f = _Facts(*shape)
    who = _identity(f)
    refused = "not authorized" in f.failed.lower() or "denied" in f.operation
    return Event(
        time=0,
        provider="gitlab",
        account=f.group,
        identity=who,
        credential=f.token[:128],
        credential_type=_CREDENTIALS.get(who.kind, "key"),
        session="",
        action=f"gitlab:{f.operation}"[:128],
        service="gitlab",
        access=level_of(f.operation, actions.access("gitlab", f.operation)),
        outcome="denied" if refused else "failure" if f.failed or "failed" in f.operation else "success",
        error=f.failed[:64],
        address=f.address[:128],
        network=network.network_of(f.address),
        agent=agent.family(f.user_agent),
        region="",
        target="",
        target_class="",
        traits=traits_of(f.operation, f.user_agent, (f.before, f.after, f.other)),
        issued="",
        record_id="",
    )


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
    human = "browser" if kind == "user" and agent.family(f.user_agent) == "browser" else ""
    return Identity(identifier[:512], shown[:512], kind, "gitlab", f.group, human)
