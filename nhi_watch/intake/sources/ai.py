"""AI services: Bedrock's model invocations, the audit logs of OpenAI and Anthropic organisations, ChatGPT Enterprise's.

- Bedrock: the identity is the AWS role or user of the ARN; the log gives the role's name but not its unique id,
  and no address. The model is the target. Prompts and answers are not read, but for a guardrail's verdict.
- OpenAI: a service account, or the user; the tracking id of the key used is the credential.
- Anthropic (Compliance API): the key itself where a key acts, else the user; an address that nobody has confirmed
  by signing in names nobody.
- ChatGPT Enterprise (Compliance API, all eight log types): the user, or the key, of which only its ends are told; what
  ChatGPT's apps and Codex do is done by the agent of a person, named as in `ai_agents`, with the person as link.
- Who acts in a web session has the trait `console`: a person's doing, without saying that the account is one.
- The action's service is bedrock, openai or anthropic, the operation the log's own.

Traits: console, guardrail (it stepped in), many_tokens (100,000 in one invocation), broad_scope, admin_policy,
guard_removed (an address list, single sign-on or provisioning switched off; a connector that never asks), open_ingress,
public, third_party, attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.intake.shapes.forms import Table, Tree, at, claimant, dataset, every, inner, native, part, put, rebuild
from nhi_watch.intake.shapes.values import event, filled, first, known_by_arn, listed, moment, plain, text, true, whole

# ---- bedrock
#
# Bedrock's model invocation log: who asked which model, and whether a guardrail stepped in. Prompts are not read.


Row = Mapping[str, Any]

_ACTION = "amazon-bedrock-guardrailAction"
_MANY_TOKENS = 100_000
"""So many tokens in one invocation count as large: a book."""


class Invocation(NamedTuple):
    """The values of a record on which its Event depends, but time, id, session and target."""

    operation: str
    account: str
    region: str
    arn: str
    """Of a role's session: without the session."""
    error: str
    stopped: str
    """Whether a guardrail stepped in."""
    many: str
    """Whether many tokens."""


def invocation(tree: Row) -> tuple[tuple[Any, ...], str, str]:
    """An Invocation's values; session; model."""
    of = tree.get
    arn = plain(inner(tree, "identity").get("arn"))
    head, found, rest = arn.partition(":assumed-role/")
    role, _, session = rest.partition("/")
    asked, answered = inner(tree, "input"), inner(tree, "output")
    tokens = _count(asked.get("inputTokenCount")) + _count(answered.get("outputTokenCount"))
    stopped = _stopped(answered.get("outputBodyJson")) or _stopped(asked.get("outputBodyJson"))
    told = (
        plain(of("operation")).strip(), of("accountId"), of("region"),
        f"{head}{found}{role}/" if found else arn, of("errorCode"),
        "y" if stopped else "", "y" if tokens >= _MANY_TOKENS else "",
    )  # fmt: skip
    return told, session[:256], plain(of("modelId"))[:256]


def _count(value: object) -> int:
    return value if value.__class__ is int else whole(value) or 0 if value else 0


def _stopped(body: Any) -> bool:
    """Whether a guardrail stepped in: said in the answer, or in one of a stream's parts."""
    if body.__class__ is dict:
        return body.get("stopReason") == "guardrail_intervened" or body.get(_ACTION) == "INTERVENED"
    return body.__class__ is list and any(_stopped(one) for one in body if one.__class__ is dict)


# ---- chatgpt
#
# ChatGPT Enterprise's compliance logs: what people, keys and agents did in a workspace.
#
# What ChatGPT or Codex does with tools and apps for a person is its agent's doing; prompts and answers are not read.


PRODUCT = "openai"
WORKSPACE = "CHATGPT_WORKSPACE"
STREAMS = ("app_auth_log", "app_log", "audit_log", "auth_log", "codex_log", "codex_security_log",
           "conversation_message", "custom_agents_log")  # fmt: skip
"""The log types, as Elastic names their streams."""
_AGENTS = {"APP_LOG": "ChatGPT", "CODEX_LOG": "Codex"}
_AT_WORK = ("session_id", "call_id")
"""What only an agent at work has, of Codex's log; the rest of it is what people set up."""
_TARGETS = ("user_id", "access_token_id", "agent_id", "scan_configuration_id", "finding_id", "model")
_ADMIN = re.compile(r".*(?:owner|admin).*")
"""As of Bedrock's invocations: a book."""


def told_chatgpt(tree: Row) -> tuple[tuple[Any, ...], str, str, str]:
    """The values of `organisation.Told`; session; target; the id of a token that was made."""
    of, kind = tree.get, plain(tree.get("type"))
    actor, asked, data = inner(tree, "actor"), inner(tree, "request_metadata"), inner(tree, "action_data")
    details = inner(tree, "event_details")
    agent = _AGENTS.get(kind, "") if kind == "APP_LOG" or any(name in details for name in _AT_WORK) else ""
    user, email, key = actor.get("user_id"), actor.get("user_email"), actor.get("redacted_id")
    operation = _operation(kind, tree, details)
    traits = {*_traits(operation, {**data, **details})}
    if user and not agent:
        traits.add("console")
    values = (
        operation, PRODUCT, inner(tree, "principal").get("id"),
        "agent" if agent and user else "user" if user else "key" if key else "anonymous", user or key,
        f"{agent} of {email or user}" if agent else email or key, key, asked.get("client_ip"),
        asked.get("client_user_agent") or inner(inner(tree, "input"), "_meta").get("openai/userAgent"),
        _error(operation, tree, details), ",".join(sorted(traits)),
    )  # fmt: skip
    session = first(of("conversation_id"), details.get("session_id"), inner(tree, "conversation").get("id"))
    target = first(of("app_id"), *map({**data, **details}.get, _TARGETS))
    made = plain(details.get("access_token_id")) if operation == "access_token_created" else ""
    return values, session[:256], target[:256], made[:256]


def _operation(kind: str, tree: Row, details: Tree) -> str:
    """What was done with which tool, in the words of coding agents; else the log's own, in lower case."""
    if kind == "APP_LOG":
        did = next((one for one in every(tree, "output.response.action_name") if one.__class__ is str), "")
        return _bare(f"mcp:{first(tree.get('app_name'), tree.get('app_id'))}{'/' if did else ''}{did}")
    tool = first(details.get("tool_name"), details.get("name") if kind == "CODEX_LOG" else "")
    server = first(inner(details, "tool_meta").get("connector_id"))
    if tool:
        return _bare(f"mcp:{server}/{tool}" if server else f"tool:{tool}")
    done = first(tree.get("action"), inner(tree, "action_data").get("action"), tree.get("event_type"))
    return _bare(f"app_{done}" if kind == "APP_AUTH_LOG" and done else (done or kind).lower())


def _bare(name: str) -> str:
    return "".join(name.split())[:110]


def _error(operation: str, tree: Row, details: Tree) -> str:
    result = first(tree.get("action_result"), details.get("status")).lower()
    if any(map(true, every(tree, "output.response.result.isError"))) or operation.endswith("_failed"):
        return "failed"
    return "" if result in ("", "success") else first(details.get("error_code"), result)


def _traits(operation: str, data: Tree) -> Iterator[str]:
    if "role" in operation and _ADMIN.fullmatch(first(data.get("new_role"), data.get("role")).lower()):
        yield "admin_policy"
    if "never" in every(data, "agent_fields.tools.connectors.user_approvals"):
        yield "guard_removed"
    if operation == "app_link":
        yield "third_party"
    used = inner(data, "token_usage")
    if sum(whole(used.get(name)) or 0 for name in ("input_tokens", "output_tokens")) >= _MANY_TOKENS:
        yield "many_tokens"


# ---- ecs
#
# What Elastic's integrations make of the three logs, put back as their services write them.


_IN = "aws_bedrock.invocation"
_BEDROCK = {
    "timestamp": "@timestamp",
    "operation": "event.action",
    "identity.arn": "user.id",
    "accountId": "cloud.account.id",
    "region": "cloud.region",
    "schemaType": f"{_IN}.schema_type",
    "requestId": f"{_IN}.request_id",
    "modelId": f"{_IN}.model_id",
    "errorCode": f"{_IN}.error_code",
    "input.inputTokenCount": f"{_IN}.input.input_token_count",
    "output.outputTokenCount": f"{_IN}.output.output_token_count",
    "output.outputBodyJson": f"{_IN}.output.output_body_json",
}
# What the integration renames inside an answer, and how the log spells it.
_RENAMED = {"stop_reason": "stopReason", "amazon_bedrock_guardrail_action": "amazon-bedrock-guardrailAction"}
# What pipelines move out of the record, which otherwise lies in `openai.audit` and `anthropic.audit`.
_OPENAI = {"id": "event.id", "effective_at": "@timestamp"}
_OPENAI_ACTORS: dict[str, Table] = {
    "session": {
        "actor.session.ip_address": "source.ip",
        "actor.session.user.id": "user.id",
        "actor.session.user.email": "user.email",
        "actor.session.user_agent": "user_agent.original",
    },
    "api_key": {"actor.api_key.service_account.id": "service.id"},
}
_ANTHROPIC = {
    "id": "event.id",
    "type": "event.action",
    "created_at": "@timestamp",
    "organization_id": "organization.id",
    "user_id": "user.target.id",
    "status_code": "http.response.status_code",
    "actor.ip_address": "source.ip",
    "actor.user_agent": "user_agent.original",
}
_ANTHROPIC_ACTORS: dict[str, Table] = {
    "user_actor": {"actor.user_id": "user.id", "actor.email_address": "user.email"},
    "anthropic_actor": {"actor.email_address": "user.email"},
}
CHATGPT = "openai_chatgpt_enterprise"
_CHATGPT = {
    "event_id": "event.id",
    "timestamp": "@timestamp",
    "principal.id": "organization.id",
    "actor.user_id": "user.id",
    "actor.user_email": "user.email",
    "request_metadata.client_ip": "source.ip",
    "request_metadata.client_user_agent": "user_agent.original",
    "action": "event.action",
    "event_details.agent_id": "gen_ai.agent.id",
    "event_details.model": "gen_ai.request.model",
    "event_details.tool_name": "gen_ai.tool.name",
    "event_details.error_code": "error.code",
    "event_details.token_usage.input_tokens": "gen_ai.usage.input_tokens",
    "event_details.token_usage.output_tokens": "gen_ai.usage.output_tokens",
}


def bedrock(document: Tree) -> Tree:
    """A record of the model invocation log."""
    tree = rebuild(document, _BEDROCK)
    body = inner(tree, "output").get("outputBodyJson")
    for one in body if isinstance(body, list) else [body]:
        if isinstance(one, dict):
            one.update({told: one[name] for name, told in _RENAMED.items() if name in one})
    tree.setdefault("schemaType", "ModelInvocationLog")
    return tree


def openai(document: Tree) -> Tree:
    """A record of the organisation's audit log; an action is spelled with hyphens for dots there."""
    action = part(document, "event").get("action")
    tree = _told_ecs(document, "openai.audit", _OPENAI, _OPENAI_ACTORS)
    if action.__class__ is str:
        put(tree, "type", action.replace("-", "."))
    return {**tree, "object": "organization.audit_log"}


def anthropic(document: Tree) -> Tree:
    """A record of the Compliance API's activities."""
    return _told_ecs(document, "anthropic.audit", _ANTHROPIC, _ANTHROPIC_ACTORS)


def chatgpt(document: Tree) -> Tree:
    """A record of one of ChatGPT Enterprise's compliance logs."""
    stream = next(iter(part(document, CHATGPT)), "")
    return _told_ecs(document, f"{CHATGPT}.{stream}", _CHATGPT, {})


def _told_ecs(document: Tree, place: str, table: Table, actors: dict[str, Table]) -> Tree:
    kept = part(document, place)
    actor = inner(kept, "actor")
    kind = actor.get("type")
    own = actors.get(kind, {}) if kind.__class__ is str else {}
    tree = rebuild(document, {**table, **own})
    rest = {name: value for name, value in kept.items() if name != "actor"}
    for name, value in {**rest, **{f"actor.{name}": value for name, value in actor.items()}}.items():
        put(tree, name, value)
    return tree


# ---- organisation
#
# OpenAI's organisation audit log and Anthropic's activity feed, as one tuple of plain values.
#
# What a person does in the console and what a key does are told apart: a key of a service account is that
# account, a key of a person is the person with a credential, an Anthropic key is an identity of its own.


OPENAI, ANTHROPIC = "openai", "anthropic"
_WIDE = re.compile(r"(?:all|admin|\*|.*(?:organization|api_keys|admin|api\.management)[a-z_.]*[:.](?:write|all|\*))")
_ADMIN_ORGANISATION = re.compile(r".*(?:organization[-_:]owner|owner|admin).*")
_GUARDS = re.compile(
    r"ip_allowlist\.(?:deleted|config\.deactivated)|scim\.disabled|org_(?:ip_restriction_deleted|sso_connection_deactivated)"
)
_NONE: Tree = {}
KEYS = ("admin_api_key_id", "api_key_id", "service_key_id", "compliance_access_key_id", "key_id")
TARGETS = (
    *KEYS, "user_id", "deleted_user_id", "requester_user_id", "principal_id", "target_id", "workspace_id",
    "mcp_server_id", "claude_artifact_id", "claude_chat_id", "claude_project_id", "claude_file_id", "resource_id",
    "integration_id", "agent_id",
)  # fmt: skip


class Told(NamedTuple):
    """The values of a record on which its Event depends, but time, id and target."""

    operation: str
    product: str
    organisation: str
    kind: str
    """user | service_account | key | service | anonymous"""
    identity: str
    name: str
    key: str
    address: str
    agent: str
    error: str
    traits: str
    """Separated by commas."""


def openai_organisation(tree: Row) -> tuple[tuple[Any, ...], str, str]:
    """Told's values; target; the id of a key that was made."""
    of, kind = tree.get, plain(tree.get("type")).strip()[:100]
    actor = inner(tree, "actor")
    session, key = inner(actor, "session"), inner(actor, "api_key")
    owner = inner(key, "service_account").get("id")
    user = inner(key, "user") or inner(session, "user")
    body = _body(tree, kind)
    made = plain(body.get("id"))[:256]
    traits = set(_openai_traits(kind, body))
    if session:
        traits.add("console")
    told = (
        kind, OPENAI, inner(tree, "organization").get("id") or of("organization_id"),
        "service_account" if owner else "user" if user else "anonymous", owner or user.get("id") or user.get("email"),
        user.get("email") or owner, key.get("id"), session.get("ip_address") or key.get("ip_address"),
        session.get("user_agent"), body.get("error_code") or ("failed" if kind.endswith(".failed") else ""),
        ",".join(sorted(traits)),
    )  # fmt: skip
    return told, made or plain(inner(tree, "project").get("id"))[:256], made if kind == "api_key.created" else ""


def _body(tree: Row, kind: str) -> Tree:
    """The part named after the type: `api_key.created`, as the API spells it, or with `_` or nested."""
    found = tree.get(kind)
    if found.__class__ is not dict:
        found = tree.get(kind.replace(".", "_")) or at(tree, kind)
    return found if found.__class__ is dict else _NONE


def _openai_traits(kind: str, body: Tree) -> Iterator[str]:
    data = inner(body, "data") or inner(body, "changes_requested")
    scopes, addresses = data.get("scopes"), body.get("allowed_ips")
    if scopes and any(_WIDE.fullmatch(text(scope)) for scope in listed(scopes)):
        yield "broad_scope"
    if kind == "role.assignment.created" and _ADMIN_ORGANISATION.fullmatch(text(body.get("id"))):
        yield "admin_policy"
    if data and kind.startswith("user.") and text(data.get("role")) == "owner":
        yield "admin_policy"
    if _is_guard(kind):
        yield "guard_removed"
    if addresses and any(text(one).endswith("/0") or text(one) == "0.0.0.0" for one in listed(addresses)):  # noqa: S104
        yield "open_ingress"


@lru_cache(maxsize=1024)
def _is_guard(kind: str) -> bool:
    return _GUARDS.fullmatch(kind) is not None


def anthropic_organisation(tree: Row) -> tuple[tuple[Any, ...], str, str]:
    """Told's values; target; the id of a key that was made."""
    of, kind = tree.get, plain(tree.get("type")).strip()[:100]
    actor = inner(tree, "actor")
    by = actor.get
    key, user, what = _first(actor, KEYS, 200), by("user_id"), by("type")
    traits = set(_anthropic_traits(kind, tree))
    if user and not key:
        traits.add("console")
    told = (
        kind, ANTHROPIC, of("organization_id") or of("organization_uuid"), _actor_kind(plain(what), key, plain(user)),
        key or user or by("email_address") or what, by("email_address") or key or user or what, key, by("ip_address"),
        by("user_agent"), _failure(kind, whole(of("status_code")) or 0), ",".join(sorted(traits)),
    )  # fmt: skip
    return told, _first(tree, TARGETS, 256), _first(tree, KEYS, 256) if kind.endswith("key_created") else ""


def _failure(kind: str, status: int) -> str:
    return str(status) if status >= 400 else "failed" if kind.endswith("_failed") else ""


def _first(tree: Row, names: tuple[str, ...], limit: int) -> str:
    for name in names:
        found = tree.get(name)
        if found:
            return plain(found)[:limit]
    return ""


def _actor_kind(what: str, key: str, user: str) -> str:
    if key:
        return "key"
    if user:
        return "user"
    return "anonymous" if not what or what.startswith("unauthenticated") else "service"


def _anthropic_traits(kind: str, tree: Row) -> Iterator[str]:
    audience = tree.get("audience")
    if audience and any(text(at(one, "type")) == "public" for one in listed(audience)):
        yield "public"
    if kind == "role_assignment_granted" and _ADMIN_ORGANISATION.fullmatch(text(tree.get("role"))):
        yield "admin_policy"
    if kind == "primary_owner_transferred":
        yield "admin_policy"
    if _is_guard(kind) or (kind.endswith("toggled") and text(tree.get("is_enabled")) == "false"):
        yield "guard_removed"
    if kind == "mcp_server_created" or (kind.startswith("integration_") and kind.endswith("connected")):
        yield "third_party"


# ---- ai


NAME = "ai"
SPLUNK_SOURCETYPES = ("aws:bedrock:invocation", "openai:audit", "anthropic:activity", "openai:chatgpt:compliance")
"""The first words of these logs' own names: no add-on of Splunk's defines sourcetypes for them."""
ELASTIC_INDICES = ("logs-aws_bedrock.invocation-*", "logs-openai.audit-*", "logs-anthropic.audit-*",
                   "logs-openai_chatgpt_enterprise.*")  # fmt: skip


_ACTOR = re.compile(r'"type"\s*:\s*"[a-z_]+_actor"')
_DATASETS = {
    "aws_bedrock.invocation": bedrock, "aws_bedrock.bedrock": bedrock, "openai.audit": openai,
    "anthropic.audit": anthropic, **dict.fromkeys((f"{CHATGPT}.{one}" for one in STREAMS), chatgpt),
}  # fmt: skip
_WORKSPACE = re.compile(rf'"type"\s*:\s*"{WORKSPACE}"')
_DENIED = ("AccessDenied", "Unauthorized", "Forbidden")
_ARNS = {":assumed-role/": "AssumedRole", ":user/": "IAMUser", ":root": "Root"}
_TOOL_READS = re.compile(r"search|read|list|get|fetch|find|view", re.IGNORECASE)
_LOOKS = ("viewed", "downloaded", "accessed", "access_failed")
_POWERS = ("role", "owner", "sso", "scim", "ip_", "key", "invite", "certificate")


def _is_row(row: Tree) -> bool:
    return not dataset(row) and _product(row) != ""


def _is_text(raw: str) -> bool:
    if any(mark in raw for mark in ('"ModelInvocationLog"', '"organization.audit_log"', '"activity_')):
        return True
    if WORKSPACE in raw and _WORKSPACE.search(raw):
        return True
    return '_actor"' in raw and '"created_at"' in raw and _ACTOR.search(raw) is not None


claims = claimant(_is_row, _is_text, *_DATASETS)
"""Whether the record is of one of these logs, in any of its three shapes."""


def _product(tree: Row) -> str:
    if tree.get("schemaType") == "ModelInvocationLog":
        return "bedrock"
    unique = tree.get("id")
    unique = unique if unique.__class__ is str else ""
    if tree.get("object") == "organization.audit_log" or ("effective_at" in tree and unique.startswith("audit_log")):
        return OPENAI
    if "event_id" in tree and _told(tree, "principal", "type") == WORKSPACE:
        return WORKSPACE
    if "created_at" not in tree or "type" not in tree:
        return ""
    kind = _told(tree, "actor", "type")
    by_actor = isinstance(kind, str) and kind.endswith("_actor")
    return ANTHROPIC if by_actor or unique.startswith("activity_") else ""


def _told(tree: Row, name: str, inside: str) -> object:
    """A value inside an object, or beside it as Splunk's extraction spells it."""
    whole = tree.get(name)
    return whole.get(inside) if isinstance(whole, dict) else tree.get(f"{name}.{inside}")


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _DATASETS.get(dataset(tree), bedrock)(tree)
    shape, session, target, issued, time = _raw(tree)
    made = _event_of(tuple(map(text, shape)))
    made = made._replace(issued=issued) if issued else made
    unique = plain(tree.get("requestId") or tree.get("id") or tree.get("event_id"))[:256]
    return filled(made, moment(time), unique, session, target)


# Token counts and answers differ from record to record, and matter: of invocations nothing is remembered.


def _raw(tree: Row) -> tuple[tuple[Any, ...], str, str, str, object]:
    """What the Event depends on; session; target; issued; time."""
    product = _product(tree)
    if product == OPENAI:
        told, target, issued = openai_organisation(tree)
        return told, "", target, issued, tree.get("effective_at")
    if product == ANTHROPIC:
        told, target, issued = anthropic_organisation(tree)
        return told, "", target, issued, tree.get("created_at")
    if product == WORKSPACE:
        return (*told_chatgpt(tree), tree.get("timestamp"))
    invoked, session, model = invocation(tree)
    return invoked, session, model, "", tree.get("timestamp")


@lru_cache(maxsize=4096)
def _event_of(shape: tuple[str, ...]) -> Event:
    told = Told(*shape) if len(shape) == len(Told._fields) else Invocation(*shape)
    if not told.operation:
        raise RejectError("no_action", "type or operation is missing or no text")
    return _of_organisation(told) if isinstance(told, Told) else _of_bedrock(told)


def _of_bedrock(told: Invocation) -> Event:
    kind = next((kind for part, kind in _ARNS.items() if part in told.arn), "AWSAccount")
    account = told.account[:64] or account_of(told.arn)
    identity, links = known_by_arn(identify(Actor(kind, arn=told.arn, recipient=account)))
    held = {"guardrail": told.stopped, "many_tokens": told.many}
    denied = any(word in told.error for word in _DENIED)
    return event(
        0, identity, f"bedrock:{told.operation}", provider="aws", account=account,
        credential_type="session" if ":assumed-role/" in told.arn else "none",
        access=actions.access("bedrock", told.operation), region=told.region[:64], error=told.error[:128],
        outcome="denied" if denied else "failure" if told.error else "success", marks=held, links=links,
        target_class="own" if identity.account == account else "foreign" if identity.account else "",
    )  # fmt: skip


def _of_organisation(told: Told) -> Event:
    denied = "access_failed" in told.operation or told.error in ("401", "403", "blocked")
    outcome = "denied" if denied else "failure" if told.error else "success"
    path = told.kind if told.kind == "anonymous" else f"{told.kind}:{told.identity}"
    unique = f"{told.product}:{told.organisation}:{path}"[:512]
    name = told.name or told.identity or told.kind
    return event(
        0, Identity(unique, name, told.kind, told.product, told.organisation, ""), f"{told.product}:{told.operation}",
        credential=told.key, credential_type="key" if told.key else "none" if told.kind == "anonymous" else "session",
        access=_access(told.product, told.operation), outcome=outcome, error=told.error, address=told.address,
        user_agent=told.agent, traits=filter(None, told.traits.split(",")),
        links=(f"name:{told.product}:{name.rpartition(' ')[2]}",) if told.kind == "agent" else (),
    )  # fmt: skip


def _access(product: str, operation: str) -> str:
    """By the table, else by what is done to what."""
    level = actions.access(product, operation)
    if level != "unknown":
        return level
    if operation.startswith(("mcp:", "tool:")):
        return "read" if _TOOL_READS.search(operation.rpartition("/")[2]) else "write"
    if operation == "prompt_response_received":
        return "cost"
    if "login" in operation or "logout" in operation or operation.endswith(_LOOKS):
        return "read"
    if operation.endswith("listed") or operation.startswith("list_"):
        return "list"
    return "permissions" if any(word in operation for word in _POWERS) else "write"

