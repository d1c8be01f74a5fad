"""AI services: Bedrock's model invocations, the audit logs of OpenAI and Anthropic organisations.

- Bedrock: the identity is the AWS role or user of the ARN; the log gives the role's name but not its unique id,
  and no address. The model is the target. Prompts and answers are not read, but for a guardrail's verdict.
- OpenAI: a service account, or the user; the tracking id of the key used is the credential.
- Anthropic (Compliance API): the key itself where a key acts, else the user; an address that nobody has confirmed
  by signing in names nobody.
- Who acts in a web session has the trait `console`: a person's doing, without saying that the account is one.
- The action's service is bedrock, openai or anthropic, the operation the log's own.

Traits: console, guardrail (it stepped in), many_tokens (100,000 in one invocation), broad_scope, admin_policy,
guard_removed (an address list, single sign-on or provisioning switched off), open_ingress, public,
third_party, attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Table, Tree, at, claimant, dataset, inner, native, part, put, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, known_by_arn, listed, moment, plain, text, whole_number

# ---- bedrock
#
# Bedrock's model invocation log: who asked which model, and whether a guardrail stepped in. Prompts are not read.


Row = Mapping[str, Any]

_ACTION = "amazon-bedrock-guardrailAction"
_MANY_TOKENS = 100_000
"""So many tokens in one invocation count as large: a book."""


Parts = tuple[tuple[Any, ...], str, str, str, object]
"""The values on which the Event depends, as `_EVENTS` takes them; session; target; the id of a key that was made; time.
"""


def _bedrock(tree: Row) -> Parts:
    of = tree.get
    arn = plain(inner(tree, "identity").get("arn"))
    head, role_name, rest = arn.partition(":assumed-role/")
    role, _, session = rest.partition("/")
    asked, answered = inner(tree, "input"), inner(tree, "output")
    tokens = _count(asked.get("inputTokenCount")) + _count(answered.get("outputTokenCount"))
    stopped = _stopped(answered.get("outputBodyJson")) or _stopped(asked.get("outputBodyJson"))
    values = (
        plain(of("operation")).strip(),
        of("accountId"),
        of("region"),
        f"{head}{role_name}{role}/" if role_name else arn,
        of("errorCode"),
        "y" if stopped else "",
        "y" if tokens >= _MANY_TOKENS else "",
    )
    return values, session[:256], plain(of("modelId"))[:256], "", of("timestamp")


def _count(value: object) -> int:
    return value if value.__class__ is int else whole_number(value) or 0 if value else 0


def _stopped(body: Any) -> bool:
    """Whether a guardrail stepped in: said in the answer, or in one of a stream's parts."""
    if body.__class__ is dict:
        return body.get("stopReason") == "guardrail_intervened" or body.get(_ACTION) == "INTERVENED"
    return body.__class__ is list and any(_stopped(item) for item in body if item.__class__ is dict)


# ---- ecs
#
# What Elastic's integrations make of the three logs, put back as their services write them.


_IN = "aws_bedrock.invocation"
_BEDROCK = {
    "timestamp": "@timestamp",
    "operation": "event.action",
    "identity.arn": "user.id",
    "region": "cloud.region",
    "accountId": "cloud.account.id",
    "schemaType": f"{_IN}.schema_type",
    "requestId": f"{_IN}.request_id",
    "modelId": f"{_IN}.model_id",
    "errorCode": f"{_IN}.error_code",
    "input.inputTokenCount": f"{_IN}.input.input_token_count",
    "output.outputTokenCount": f"{_IN}.output.output_token_count",
    "output.outputBodyJson": f"{_IN}.output.output_body_json",
}
_RENAMED = {"stop_reason": "stopReason", "amazon_bedrock_guardrail_action": _ACTION}
"""What the integration renames inside an answer, and how the log spells it."""
_OPENAI = {
    "": {"id": "event.id", "effective_at": "@timestamp"},
    "session": {
        "actor.session.ip_address": "source.ip",
        "actor.session.user.id": "user.id",
        "actor.session.user.email": "user.email",
        "actor.session.user_agent": "user_agent.original",
    },
    "api_key": {"actor.api_key.service_account.id": "service.id"},
}
_ANTHROPIC = {
    "": {
        "id": "event.id",
        "type": "event.action",
        "created_at": "@timestamp",
        "organization_id": "organization.id",
        "user_id": "user.target.id",
        "status_code": "http.response.status_code",
        "actor.ip_address": "source.ip",
        "actor.user_agent": "user_agent.original",
    },
    "user_actor": {"actor.user_id": "user.id", "actor.email_address": "user.email"},
    "anthropic_actor": {"actor.email_address": "user.email"},
}
"""What pipelines move out of the record, which otherwise lies in `openai.audit` and `anthropic.audit`; by the kind of
who acts, too."""


def _bedrock_of_ecs(document: Tree) -> Tree:
    tree = rebuild(document, _BEDROCK)
    body = inner(tree, "output").get("outputBodyJson")
    for item in body if isinstance(body, list) else [body]:
        if isinstance(item, dict):
            item.update({native_name: item[name] for name, native_name in _RENAMED.items() if name in item})
    tree.setdefault("schemaType", "ModelInvocationLog")
    return tree


def _openai_of_ecs(document: Tree) -> Tree:
    """An action is spelled with hyphens for dots there."""
    action = part(document, "event").get("action")
    tree = _ecs_fields(document, "openai.audit", _OPENAI)
    if action.__class__ is str:
        put(tree, "type", action.replace("-", "."))
    return {**tree, "object": "organization.audit_log"}


def _ecs_fields(document: Tree, place: str, tables: Mapping[str, Table]) -> Tree:
    kept = part(document, place)
    actor = inner(kept, "actor")
    tree = rebuild(document, {**tables[""], **tables.get(text(actor.get("type")), {})})
    rest = {name: value for name, value in kept.items() if name != "actor"}
    for name, value in {**rest, **{f"actor.{name}": value for name, value in actor.items()}}.items():
        put(tree, name, value)
    return tree


# ---- organisation
#
# OpenAI's organisation audit log and Anthropic's activity feed, as one tuple of plain values.
#
# What a person does in the console and what a key does are kept apart: a key of a service account is that
# account, a key of a person is the person with a credential, an Anthropic key is an identity of its own.


BEDROCK, OPENAI, ANTHROPIC = "bedrock", "openai", "anthropic"
_WIDE = re.compile(r"(?:all|admin|\*|.*(?:organization|api_keys|admin|api\.management)[a-z_.]*[:.](?:write|all|\*))")
_ADMIN = re.compile(r".*(?:organization[-_:]owner|owner|admin).*")
_GUARDS = re.compile(
    r"ip_allowlist\.(?:deleted|config\.deactivated)|scim\.disabled|org_(?:ip_restriction_deleted|sso_connection_deactivated)"
)
KEYS = ("admin_api_key_id", "api_key_id", "service_key_id", "compliance_access_key_id", "key_id")
TARGETS = (
    *KEYS, "user_id", "deleted_user_id", "requester_user_id", "principal_id", "target_id", "workspace_id",
    "mcp_server_id", "claude_artifact_id", "claude_chat_id", "claude_project_id", "claude_file_id", "resource_id",
    "integration_id", "agent_id",
)  # fmt: skip


def _openai(tree: Row) -> Parts:
    of, kind = tree.get, plain(tree.get("type")).strip()[:100]
    actor = inner(tree, "actor")
    session, key = inner(actor, "session"), inner(actor, "api_key")
    owner = inner(key, "service_account").get("id")
    user = inner(key, "user") or inner(session, "user")
    body = _body(tree, kind)
    credential = plain(body.get("id"))[:256]
    traits = set(_openai_traits(kind, body))
    if session:
        traits.add("console")
    values = (
        kind,
        OPENAI,
        inner(tree, "organization").get("id") or of("organization_id"),
        "service_account" if owner else "user" if user else "anonymous",
        owner or user.get("id") or user.get("email"),
        user.get("email") or owner,
        key.get("id"),
        session.get("ip_address") or key.get("ip_address"),
        session.get("user_agent"),
        body.get("error_code") or ("failed" if kind.endswith(".failed") else ""),
        ",".join(sorted(traits)),
    )
    issued = credential if kind == "api_key.created" else ""
    return values, "", credential or plain(inner(tree, "project").get("id"))[:256], issued, of("effective_at")


def _body(tree: Row, kind: str) -> Tree:
    """The part named after the type: `api_key.created`, as the API spells it, or with `_` or nested."""
    value = tree.get(kind)
    if value.__class__ is not dict:
        value = tree.get(kind.replace(".", "_")) or at(tree, kind)
    return value if value.__class__ is dict else {}


def _openai_traits(kind: str, body: Tree) -> Iterator[str]:
    data = inner(body, "data") or inner(body, "changes_requested")
    scopes, addresses = data.get("scopes"), body.get("allowed_ips")
    if scopes and any(_WIDE.fullmatch(text(scope)) for scope in listed(scopes)):
        yield "broad_scope"
    if kind == "role.assignment.created" and _ADMIN.fullmatch(text(body.get("id"))):
        yield "admin_policy"
    if data and kind.startswith("user.") and text(data.get("role")) == "owner":
        yield "admin_policy"
    if _is_guard(kind):
        yield "guard_removed"
    if addresses and any(text(address).endswith("/0") or text(address) == "0.0.0.0" for address in listed(addresses)):  # noqa: S104
        yield "open_ingress"


@remembered(1024)
def _is_guard(kind: str) -> bool:
    return _GUARDS.fullmatch(kind) is not None


def _anthropic(tree: Row) -> Parts:
    of, kind = tree.get, plain(tree.get("type")).strip()[:100]
    actor = inner(tree, "actor")
    by = actor.get
    key, user, what = _first(actor, KEYS, 200), by("user_id"), by("type")
    traits = set(_anthropic_traits(kind, tree))
    if user and not key:
        traits.add("console")
    values = (
        kind,
        ANTHROPIC,
        of("organization_id") or of("organization_uuid"),
        _actor_kind(plain(what), key, plain(user)),
        key or user or by("email_address") or what,
        by("email_address") or key or user or what,
        key,
        by("ip_address"),
        by("user_agent"),
        _failure(kind, whole_number(of("status_code")) or 0),
        ",".join(sorted(traits)),
    )
    credential = _first(tree, KEYS, 256) if kind.endswith("key_created") else ""
    return values, "", _first(tree, TARGETS, 256), credential, of("created_at")


def _failure(kind: str, status: int) -> str:
    return str(status) if status >= 400 else "failed" if kind.endswith("_failed") else ""


def _first(tree: Row, names: tuple[str, ...], limit: int) -> str:
    return plain(next((tree[name] for name in names if tree.get(name)), ""))[:limit]


def _actor_kind(what: str, key: str, user: str) -> str:
    if key:
        return "key"
    if user:
        return "user"
    return "anonymous" if not what or what.startswith("unauthenticated") else "service"


def _anthropic_traits(kind: str, tree: Row) -> Iterator[str]:
    audience = tree.get("audience")
    if audience and any(text(at(item, "type")) == "public" for item in listed(audience)):
        yield "public"
    if kind == "role_assignment_granted" and _ADMIN.fullmatch(text(tree.get("role"))):
        yield "admin_policy"
    if kind == "primary_owner_transferred":
        yield "admin_policy"
    if _is_guard(kind) or (kind.endswith("toggled") and text(tree.get("is_enabled")) == "false"):
        yield "guard_removed"
    if kind == "mcp_server_created" or (kind.startswith("integration_") and kind.endswith("connected")):
        yield "third_party"


# ---- ai


NAME = "ai"
SPLUNK_SOURCETYPES = ("aws:bedrock:invocation", "openai:audit", "anthropic:activity")
"""The first words of these logs' own names: no add-on of Splunk's defines sourcetypes for them."""
ELASTIC_INDICES = ("logs-aws_bedrock.invocation-*", "logs-openai.audit-*", "logs-anthropic.audit-*")

_ACTOR = re.compile(r'"type"\s*:\s*"[a-z_]+_actor"')
_DATASETS: dict[str, Callable[[Tree], Tree]] = {
    "aws_bedrock.invocation": _bedrock_of_ecs,
    "aws_bedrock.bedrock": _bedrock_of_ecs,
    "openai.audit": _openai_of_ecs,
    "anthropic.audit": lambda document: _ecs_fields(document, "anthropic.audit", _ANTHROPIC),
}
_DENIED = ("AccessDenied", "Unauthorized", "Forbidden")
_ARNS = {":assumed-role/": "AssumedRole", ":user/": "IAMUser", ":root": "Root"}
_LOOKS = ("viewed", "downloaded", "accessed", "access_failed")
_POWERS = ("role", "owner", "sso", "scim", "ip_", "key", "invite", "certificate")


def _is_row(row: Tree) -> bool:
    return not dataset(row) and _product(row) != ""


def _is_text(raw: str) -> bool:
    if any(mark in raw for mark in ('"ModelInvocationLog"', '"organization.audit_log"', '"activity_')):
        return True
    return '_actor"' in raw and '"created_at"' in raw and _ACTOR.search(raw) is not None


claims = claimant(_is_row, _is_text, *_DATASETS)
"""Whether the record is of one of these logs, in any of its three shapes."""


def _product(tree: Row) -> str:
    if tree.get("schemaType") == "ModelInvocationLog":
        return BEDROCK
    unique = tree.get("id")
    unique = unique if unique.__class__ is str else ""
    if tree.get("object") == "organization.audit_log" or ("effective_at" in tree and unique.startswith("audit_log")):
        return OPENAI
    if "created_at" not in tree or "type" not in tree:
        return ""
    actor = tree.get("actor")
    kind = actor.get("type") if isinstance(actor, dict) else tree.get("actor.type")
    by_actor = isinstance(kind, str) and kind.endswith("_actor")
    return ANTHROPIC if by_actor or unique.startswith("activity_") else ""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _DATASETS.get(dataset(tree), _bedrock_of_ecs)(tree)
    parts, event_of = _READERS.get(_product(tree), _READERS[BEDROCK])
    shape, session, target, issued, time = parts(tree)
    event = event_of(*map(text, shape))
    event = event._replace(issued=issued) if issued else event
    unique = plain(tree.get("requestId") or tree.get("id"))[:256]
    return filled(event, moment(time), unique, session, target)


@remembered(4096)
def _of_bedrock(operation: str, account: str, region: str, arn: str, error: str, stopped: str, many: str) -> Event:
    """`arn` of a role's session: without the session; `stopped`: whether a guardrail stepped in."""
    _demand(operation)
    kind = next((kind for prefix, kind in _ARNS.items() if prefix in arn), "AWSAccount")
    account = account[:64] or account_of(arn)
    identity, links = known_by_arn(identify(Actor(kind, arn=arn, recipient=account)))
    denied = any(word in error for word in _DENIED)
    return build_event(
        0,
        identity,
        f"bedrock:{operation}",
        provider="aws",
        account=account,
        credential_type="session" if ":assumed-role/" in arn else "none",
        access=actions.access("bedrock", operation),
        region=region[:64],
        error=error[:128],
        outcome="denied" if denied else "failure" if error else "success",
        links=links,
        marks={"guardrail": stopped, "many_tokens": many},
        target_class="own" if identity.account == account else "foreign" if identity.account else "",
    )


@remembered(4096)
def _of_organisation(
    operation: str,
    product: str,
    organisation: str,
    kind: str,
    identity: str,
    name: str,
    key: str,
    address: str,
    agent: str,
    error: str,
    traits: str,
) -> Event:
    """`kind`: user, service_account, key, service or anonymous; `traits` separated by commas."""
    _demand(operation)
    denied = "access_failed" in operation or error in ("401", "403", "blocked")
    path = kind if kind == "anonymous" else f"{kind}:{identity}"
    who = Identity(f"{product}:{organisation}:{path}"[:512], name or identity or kind, kind, product, organisation, "")
    return build_event(
        0,
        who,
        f"{product}:{operation}",
        credential=key,
        address=address,
        error=error,
        user_agent=agent,
        credential_type="key" if key else "none" if kind == "anonymous" else "session",
        access=_access(product, operation),
        outcome="denied" if denied else "failure" if error else "success",
        traits=filter(None, traits.split(",")),
    )


def _demand(operation: str) -> None:
    if not operation:
        raise RejectError("no_action", "type or operation is missing or not text")


def _access(product: str, operation: str) -> str:
    """By the table, else by what is done to what."""
    level = actions.access(product, operation)
    if level != "unknown":
        return level
    if "login" in operation or "logout" in operation or operation.endswith(_LOOKS):
        return "read"
    if operation.endswith("listed") or operation.startswith("list_"):
        return "list"
    return "permissions" if any(word in operation for word in _POWERS) else "write"


_READERS: dict[str, tuple[Callable[[Row], Parts], Callable[..., Event]]] = {
    BEDROCK: (_bedrock, _of_bedrock),
    OPENAI: (_openai, _of_organisation),
    ANTHROPIC: (_anthropic, _of_organisation),
}
"""Token counts and answers differ from record to record, and matter: of invocations only the Event is remembered."""
