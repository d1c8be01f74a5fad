"""AI agents: coding agents' OpenTelemetry logs (Claude Code, Codex, Gemini CLI), and Bedrock AgentCore's gateways.

- Coding agents: the identity is the agent of one person (`claude_code:ORG:agent:PERSON`), or of the device where an
  API key pays and nobody has signed in. On whose behalf it acts is a link, `name:` and the person's account at the
  vendor, so that what the agent and the person do can be joined. Which key was used is not logged, only that one was.
  Who works for another person is another identity, so a change of persons is news of a newcomer, and no signal's.
- AgentCore: the gateway, runtime or tool of the ARN; for whom it acts is the link `user:`, where it is given (of
  memory, `actor_id`); CloudTrail's data events say who called it.
- The action names the tool (`claude_code:tool:Bash`) or the MCP server and its tool (`claude_code:mcp:SERVER/TOOL`).
- These logs are written by the agent itself: what it hides, or what somebody else sends to the collector in its name,
  is not known. Prompts, commands, arguments and answers are not read.
- Read in OTLP JSON, as Splunk's HEC exporter and Elastic's OTel mode, integration and APM hold them. OpenTelemetry's
  conventions for GenAI (`gen_ai.*`) are not stable: none of them is relied on but the conversation's id.

Traits: guard_removed (approvals switched off), many_tokens (100,000 in one request), third_party (a plugin installed).
Reject reasons: not_object, bad_json, too_deep, many_records, unknown_product, no_identity, no_action, no_time,
bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from nhi_watch.context import actions, agents
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes import otel
from nhi_watch.intake.shapes.forms import Tree, at, dataset, inner, native, object_of, part
from nhi_watch.intake.shapes.values import (
    build_event,
    filled,
    first,
    level_by_words,
    moment,
    plain,
    text,
    true,
    whole_number,
)

# ---- coding
#
# Coding agents' own telemetry: what the agent did, and for whom.


VENDORS = {"claude_code": "anthropic", "codex": "openai", "gemini_cli": "workspace"}
"""Product → the provider under which other logs know the person's account."""
SERVICES = {
    "claude-code": "claude_code",
    "codex_cli_rs": "codex",
    "codex-cli": "codex",
    "codex_exec": "codex",
    "gemini-cli": "gemini_cli",
}
_PERSONS = ("user_account_uuid", "user_account_id", "user_email", "user_id", "installation_id")
_TARGETS = ("plugin_name", "skill_name", "extension_name", "hook_name", "agent_name", "model")
_SWITCHES = ("permission_mode_changed", "approval_mode_switch", "config", "conversation_starts")
_NO_APPROVALS = ("bypasspermissions", "yolo")
UNASKED = ":unasked"
"""End of the operations that switch approvals off: new even for users who often change other settings."""
_REFUSED = ("reject", "denied", "abort")
_INSTALLS = ("plugin_installed", "extension_install")
_TOKENS = ("input_tokens", "output_tokens", "input_token_count", "output_token_count")
_MANY_TOKENS = 100_000
"""As of Bedrock's invocations: a book."""


def product_of(fields: Tree) -> tuple[str, str]:
    """Product and name of the event; empty where it is none of these agents'."""
    name = first(fields.get("event_name"), fields.get("body"), fields.get("body_text"), fields.get("message"))
    head, parts, rest = name.strip().partition(".")
    if parts and head in VENDORS:
        return head, rest.strip()
    return SERVICES.get(first(fields.get("service_name")), ""), name.strip()


def details_of(fields: Tree) -> tuple[tuple[Any, ...], str, str]:
    """The values of `_of_coding`; session; target.

    Raises:
        RejectError: unknown_product, no_action.
    """
    product, kind = product_of(fields)
    if not product:
        service = first(fields.get("service_name"), fields.get("scope_name")) or "without a name"
        raise RejectError(
            "unknown_product", f"OpenTelemetry logs of {service[:60]!r} are not read; these are: " + ", ".join(SERVICES)
        )
    if not kind:
        raise RejectError("no_action", "neither event.name nor the body says what was done")
    server, tool = _tool(fields)
    person = first(*map(fields.get, _PERSONS))
    done = _operation(kind, server, tool) + (UNASKED if _unasked(kind, fields) else "")
    outcome, error = _outcome(kind, fields)
    values = (
        product,
        done,
        text(fields.get("organization_id"), 64),
        person[:128],
        text(fields.get("user_email"), 128).lower(),
        "y" if _by_key(product, fields) else "",
        text(fields.get("service_name"), 60),
        outcome,
        error,
        ",".join(_traits(kind, fields)),
    )
    session = first(fields.get("session_id"), fields.get("conversation_id"))[:256]
    return values, session, (server or first(*map(fields.get, _TARGETS)))[:256]


def _tool(fields: Tree) -> tuple[str, str]:
    """MCP server (or "") and tool. Where the name does not separate them, they are in the call's parameters."""
    server = first(fields.get("mcp_server_name"), fields.get("server_name"))
    tool = first(fields.get("mcp_tool_name"), fields.get("tool_name"), fields.get("function_name"))
    parameters = fields.get("tool_parameters")
    if not server and parameters.__class__ is str and '"mcp_server_name"' in parameters:
        try:
            inside = object_of(parameters)
        except RejectError:
            return server, tool
        return first(inside.get("mcp_server_name")), first(inside.get("mcp_tool_name"), tool)
    return server, tool


def _operation(kind: str, server: str, tool: str) -> str:
    """What was done with which tool: a tool that was never used is a call that was never made."""
    what = f"mcp:{server}/{tool}" if server and tool else f"tool:{tool}" if tool else f"mcp:{server}" if server else ""
    if kind in ("tool_result", "tool_call"):
        return bare(what or kind)
    if kind == "tool_decision" or kind == "mcp_server_connection":
        return bare(f"{kind}:{server if kind != 'tool_decision' else what}".rstrip(":"))
    return bare(kind)


def bare(name: str) -> str:
    """A name that an action can have."""
    return "".join(name.split())[:110]


def _outcome(kind: str, fields: Tree) -> tuple[str, str]:
    status = first(fields.get("status_code"), fields.get("http_response_status_code"))
    decision = first(fields.get("decision")).lower()
    if status in ("401", "403") or decision.startswith(_REFUSED) or kind == "api_refusal":
        return "denied", status or decision[:60]
    failed = "success" in fields and not true(fields["success"])
    failed = failed or first(fields.get("status")) in ("failed", "error") or kind.endswith(("_error", "_exhausted"))
    if failed or (whole_number(status) or 0) >= 400:
        return "failure", first(status, fields.get("error_type"), fields.get("error_code"), "failed")[:60]
    return "success", ""


def _by_key(product: str, fields: Tree) -> bool:
    """Whether an API key pays: said, or where Claude Code names no account that has signed in."""
    said = first(fields.get("auth_mode"), fields.get("auth_type"), fields.get("auth_method")).lower()
    if said:
        return "key" in said or "vertex" in said
    return product == "claude_code" and not first(fields.get("user_account_uuid"), fields.get("user_account_id"))


def _traits(kind: str, fields: Tree) -> list[str]:
    marked_traits = {
        "guard_removed": _unasked(kind, fields),
        "many_tokens": sum(whole_number(fields.get(name)) or 0 for name in _TOKENS) >= _MANY_TOKENS,
        "third_party": kind in _INSTALLS,
    }
    return [mark for mark, holds in marked_traits.items() if holds]


def _unasked(kind: str, fields: Tree) -> bool:
    """Whether the agent may do all unasked from now on; one that never asks, but is kept in a sandbox, may not."""
    if kind not in _SWITCHES:
        return False
    mode = first(fields.get("to_mode"), fields.get("approval_mode")).lower()
    never = first(fields.get("approval_policy")).lower() == "never"
    return mode in _NO_APPROVALS or (never and "danger" in first(fields.get("sandbox_policy")).lower())


# ---- agentcore
#
# Amazon Bedrock AgentCore's logs: gateways, runtimes and tools, each of which is the identity that acts.


ARN = re.compile(r"arn:aws[a-z-]*:bedrock-agentcore:([a-z0-9-]*):(\d{12}|aws):([a-z-]+)/([^:\s]{1,128})", re.ASCII)
DATASET = "aws_bedrock_agentcore."
_PLACES = ("gateway", "runtime", "codeinterpreter", "memory", "browser")
_TOOL = re.compile(r"tool (\S{1,100}) from target (\S{1,60})")


def of_document(document: Tree) -> Tree:
    """The record as CloudWatch delivers it, of a document of Elastic's: older ones have a part for each resource."""
    fields = part(document, "aws.bedrock_agentcore")
    fields = {**fields, **next((fields[name] for name in _PLACES if fields.get(name).__class__ is dict), {})}
    return {
        "resource_arn": fields.get("resource_arn"),
        "event_timestamp": document.get("@timestamp"),
        "request_id": fields.get("request_id"),
        "account_id": fields.get("account_id") or at(document, "cloud.account.id"),
        "session_id": first(
            at(document, "gen_ai.conversation.id"), *map(fields.get, ("tool_session_id", "session_id"))
        ),
        "operation": first(
            at(document, "gen_ai.operation.name"), fields.get("operation"), fields.get("operation_name")
        ),
        "body": fields.get("payload_object") or {},
        "span_id": at(document, "span.id"),
        "actor_id": fields.get("actor_id"),
        "request_payload": fields.get("request_payload_object") or fields.get("request_payload"),
        "response_payload": fields.get("response_payload_object") or fields.get("response_payload"),
    }


def call_of(tree: Tree) -> tuple[tuple[Any, ...], str, str]:
    """The values of `_of_agentcore`; session; target.

    Raises:
        RejectError: no_identity: the record names no resource of AgentCore's.
    """
    match = ARN.fullmatch(plain(tree.get("resource_arn")))
    if match is None:
        raise RejectError("no_identity", "resource_arn is missing, or not one of bedrock-agentcore")
    region, owner, kind, name = match.groups()
    body = inner(tree, "body")
    asked = inner(tree, "request_payload") or inner(body, "request_payload")
    answered = inner(tree, "response_payload") or inner(body, "response_payload")
    tool = _TOOL.search(plain(body.get("log")))
    called = tool[1] if tool else first(asked.get("name"))
    operation = f"tool:{called}" if called else first(tree.get("operation"), inner(tree, "attributes").get("operation"))
    failed = true(body.get("isError")) or true(answered.get("isError"))
    account = owner if owner != "aws" else text(tree.get("account_id"), 12)
    shape = (
        region,
        account,
        kind,
        name,
        bare(operation or f"invoke_{kind}"),
        "failure" if failed else "success",
    )
    session = first(
        tree.get("session_id"),
        tree.get("tool_session_id"),
        at(tree, "attributes.session.id"),
        inner(tree, "attributes").get("session.id"),
    )
    return shape, session[:256], (tool[2] if tool else "")


# ---- ai agents


NAME = "ai_agents"
SPLUNK_SOURCETYPES = ("otel:logs", "claude_code:events", "aws:bedrock:agentcore")
"""No add-on of Splunk's defines sourcetypes for them: the names that the pages suggest for the collector's exporter."""
ELASTIC_INDICES = (
    "logs-claude_code.*",
    "logs-aws_bedrock_agentcore.*",
    "logs-generic.otel-*",
    "logs-apm.app.claude_code-*",
)

Row = Mapping[str, Any]
_RAW = re.compile(r'\s*\{\s*"resource(?:Logs"|_arn"\s*:\s*"arn:aws[a-z-]*:bedrock-agentcore:)')
_BODIES = tuple(f"{product}." for product in VENDORS)
_OWN = ("claude_code.", DATASET)
_READS = re.compile(
    r"(?:^|[:/_-])(?:read|grep|glob|ls|list|search|fetch|view|get|find)|Read|Grep|Glob|List|Search|Fetch|Get"
)
_GRANTS = re.compile(r"^(?:permission_mode_changed|approval_mode_switch|auth)")
_TIMES = ("event_timestamp", "timeUnixNano", "@timestamp", "observedTimeUnixNano")
_MORE = ("session_id", "conversation_id", "event_sequence", "event_timestamp", "tool_use_id", "call_id", "request_id")


def claims(record: object) -> bool:
    """Whether the record is an OTLP document, a coding agent's log in a host's form, or AgentCore's."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return raw.startswith(_BODIES) or _RAW.match(raw) is not None
    if otel.ENVELOPE in row:
        return True
    stream = dataset(row)
    if stream:
        if stream.startswith(_OWN):
            return True
        return (stream.endswith("otel") or stream.startswith("apm.app.")) and _is_coding(row)
    arn = row.get("resource_arn")
    if arn.__class__ is str:
        return ARN.fullmatch(arn) is not None
    return row.get("service.name").__class__ is str and "event.name" in row and _is_coding(row)


def _is_coding(row: Row) -> bool:
    return product_of(otel.flat(native(row)[0]))[0] != ""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document and dataset(cast(Row, record)).startswith(DATASET):
        tree = of_document(tree)
    if "resource_arn" in tree:
        shape, session, target = call_of(tree)
        event = filled(
            _of_agentcore(*map(text, shape)),
            moment(tree.get("event_timestamp")),
            "",
            session,
            target,
            first(tree.get("request_id"), inner(tree, "body").get("requestId")),
            tree.get("span_id"),
        )
        actor = text(tree.get("actor_id"), 128)
        return event._replace(links=(BEHALF + actor,)) if actor else event
    fields = otel.flat(tree)
    values, session, target = details_of(fields)
    time = next((fields[name] for name in _TIMES if fields.get(name)), cast(Row, record).get("_time"))
    return filled(_of_coding(*values), moment(time), "", session, target, *map(fields.get, _MORE))


@remembered(4096)
def _of_agentcore(region: str, account: str, kind: str, name: str, operation: str, outcome: str) -> Event:
    who = Identity(f"aws:{account}:{kind}:{name}", name, "agent", "aws", account, "")
    return build_event(
        0,
        who,
        f"bedrock-agentcore:{operation}",
        credential_type="service",
        outcome=outcome,
        access=_access(operation),
        region=region,
        error="failed" if outcome == "failure" else "",
    )


@remembered(4096)
def _of_coding(
    product: str,
    operation: str,
    organisation: str,
    person: str,
    email: str,
    by_key: str,
    service: str,
    outcome: str,
    error: str,
    traits: str,
) -> Event:
    """`traits` separated by commas."""
    person = person or email
    kind = f"agent:{person}" if person else "anonymous"
    name = f"{product} of {email or person}" if person else product
    who = Identity(f"{product}:{organisation}:{kind}", name, kind.partition(":")[0], product, organisation, "")
    return build_event(
        0,
        who,
        f"{product}:{operation}",
        credential_type="key" if by_key else "session",
        access=_access(operation),
        outcome=outcome,
        error=error,
        agent=agents.family(service),
        traits=filter(None, traits.split(",")),
        links=(f"name:{VENDORS[product]}:{email}",) if email else (),
    )


def _access(operation: str) -> str:
    if operation in ("api_request", "api_response"):
        return "cost"
    return level_by_words(operation.rpartition("/")[2], actions.access("bedrock-agentcore", operation), _READS, _GRANTS)
