"""AI agents: coding agents' OpenTelemetry logs (Claude Code, Codex, Gemini CLI), and Bedrock AgentCore's gateways.

- Coding agents: the identity is the agent of one person (`claude_code:ORG:agent:PERSON`), or of the device where an
  API key pays and nobody has signed in. On whose behalf it acts is a link, `name:` and the person's account at the
  vendor, so that what the agent and the person do can be joined. Which key was used is not told, only that one was.
  Who works for another person is another identity, so a change of persons is news of a newcomer, and no signal's.
- AgentCore: the gateway, runtime or tool of the ARN; for whom it acts is the link `user:`, where it is told (of
  memory, `actor_id`); who called it is told by CloudTrail's data events.
- The action names the tool (`claude_code:tool:Bash`) or the MCP server and its tool (`claude_code:mcp:SERVER/TOOL`).
- These logs are written by the agent itself: what it hides, or what somebody else sends to the collector in its name,
  cannot be told. Prompts, commands, arguments and answers are not read.
- Read in OTLP JSON, as Splunk's HEC exporter and Elastic's OTel mode, integration and APM hold them. OpenTelemetry's
  conventions for GenAI (`gen_ai.*`) are not stable: none of them is relied on but the conversation's id.

Traits: guard_removed (approvals switched off), many_tokens (100,000 in one request), third_party (a plugin installed).
Reject reasons: not_object, bad_json, too_deep, many_records, unknown_product, no_identity, no_action, no_time,
bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import actions, agents
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.intake.shapes import otel
from nhi_watch.intake.shapes.forms import Tree, at, dataset, inner, native, object_of, part
from nhi_watch.intake.shapes.values import event, filled, first, level_by_words, moment, plain, text, true, whole

# ---- coding
#
# Coding agents' own telemetry: what the agent did, and for whom.


VENDORS = {"claude_code": "anthropic", "codex": "openai", "gemini_cli": "workspace"}
"""Product → the provider under which other logs know the person's account."""
SERVICES = {
    "claude-code": "claude_code", "codex_cli_rs": "codex", "codex-cli": "codex", "codex_exec": "codex",
    "gemini-cli": "gemini_cli",
}  # fmt: skip
_PERSONS = ("user_account_uuid", "user_account_id", "user_email", "user_id", "installation_id")
_TARGETS = ("plugin_name", "skill_name", "extension_name", "hook_name", "agent_name", "model")
_SWITCHES = ("permission_mode_changed", "approval_mode_switch", "config", "conversation_starts")
_NO_APPROVALS = ("bypasspermissions", "yolo")
UNASKED = ":unasked"
"""End of the operations that switch approvals off: whoever often changes how he is asked has not done that before."""
_REFUSED = ("reject", "denied", "abort")
_INSTALLS = ("plugin_installed", "extension_install")
_TOKENS = ("input_tokens", "output_tokens", "input_token_count", "output_token_count")
_MANY_TOKENS = 100_000
"""As of Bedrock's invocations: a book."""


def product_of(told: Tree) -> tuple[str, str]:
    """Product and name of the event; empty where it is none of these agents'."""
    name = first(told.get("event_name"), told.get("body"), told.get("body_text"), told.get("message"))
    head, found, rest = name.strip().partition(".")
    if found and head in VENDORS:
        return head, rest.strip()
    return SERVICES.get(first(told.get("service_name")), ""), name.strip()


def told_of(told: Tree) -> tuple[tuple[Any, ...], str, str]:
    """The values of `_of_coding`; session; target.

    Raises:
        RejectError: unknown_product, no_action.
    """
    product, kind = product_of(told)
    if not product:
        service = first(told.get("service_name"), told.get("scope_name")) or "without a name"
        raise RejectError("unknown_product", f"OpenTelemetry logs of {service[:60]!r} are not read; these are: "
                          + ", ".join(SERVICES))  # fmt: skip
    if not kind:
        raise RejectError("no_action", "neither event.name nor the body says what was done")
    server, tool = _tool(told)
    person = first(*map(told.get, _PERSONS))
    done = _operation(kind, server, tool) + (UNASKED if _unasked(kind, told) else "")
    outcome, error = _outcome(kind, told)
    values = (
        product, done, text(told.get("organization_id"), 64), person[:128],
        text(told.get("user_email"), 128).lower(), "y" if _by_key(product, told) else "",
        text(told.get("service_name"), 60), outcome, error, ",".join(_traits(kind, told)),
    )  # fmt: skip
    session = first(told.get("session_id"), told.get("conversation_id"))[:256]
    return values, session, (server or first(*map(told.get, _TARGETS)))[:256]


def _tool(told: Tree) -> tuple[str, str]:
    """MCP server (or "") and tool. Where they are not told apart, they stand in the call's parameters."""
    server = first(told.get("mcp_server_name"), told.get("server_name"))
    tool = first(told.get("mcp_tool_name"), told.get("tool_name"), told.get("function_name"))
    parameters = told.get("tool_parameters")
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


def _outcome(kind: str, told: Tree) -> tuple[str, str]:
    status = first(told.get("status_code"), told.get("http_response_status_code"))
    decision = first(told.get("decision")).lower()
    if status in ("401", "403") or decision.startswith(_REFUSED) or kind == "api_refusal":
        return "denied", status or decision[:60]
    failed = "success" in told and not true(told["success"])
    failed = failed or first(told.get("status")) in ("failed", "error") or kind.endswith(("_error", "_exhausted"))
    if failed or (whole(status) or 0) >= 400:
        return "failure", first(status, told.get("error_type"), told.get("error_code"), "failed")[:60]
    return "success", ""


def _by_key(product: str, told: Tree) -> bool:
    """Whether an API key pays: said, or where Claude Code names no account that has signed in."""
    said = first(told.get("auth_mode"), told.get("auth_type"), told.get("auth_method")).lower()
    if said:
        return "key" in said or "vertex" in said
    return product == "claude_code" and not first(told.get("user_account_uuid"), told.get("user_account_id"))


def _traits(kind: str, told: Tree) -> list[str]:
    marks = {
        "guard_removed": _unasked(kind, told),
        "many_tokens": sum(whole(told.get(name)) or 0 for name in _TOKENS) >= _MANY_TOKENS,
        "third_party": kind in _INSTALLS,
    }
    return [mark for mark, holds in marks.items() if holds]


def _unasked(kind: str, told: Tree) -> bool:
    """Whether the agent may do all unasked from now on; one that never asks, but is kept in a sandbox, may not."""
    if kind not in _SWITCHES:
        return False
    mode = first(told.get("to_mode"), told.get("approval_mode")).lower()
    never = first(told.get("approval_policy")).lower() == "never"
    return mode in _NO_APPROVALS or (never and "danger" in first(told.get("sandbox_policy")).lower())


# ---- agentcore
#
# Amazon Bedrock AgentCore's logs: gateways, runtimes and tools, each of which is the identity that acts.


ARN = re.compile(r"arn:aws[a-z-]*:bedrock-agentcore:([a-z0-9-]*):(\d{12}|aws):([a-z-]+)/([^:\s]{1,128})", re.ASCII)
DATASET = "aws_bedrock_agentcore."
_PLACES = ("gateway", "runtime", "codeinterpreter", "memory", "browser")
_TOOL = re.compile(r"tool (\S{1,100}) from target (\S{1,60})")


def of_document(document: Tree) -> Tree:
    """The record as CloudWatch delivers it, of a document of Elastic's: older ones have a part for each resource."""
    told = part(document, "aws.bedrock_agentcore")
    told = {**told, **next((told[name] for name in _PLACES if told.get(name).__class__ is dict), {})}
    return {
        "resource_arn": told.get("resource_arn"), "event_timestamp": document.get("@timestamp"),
        "request_id": told.get("request_id"), "account_id": told.get("account_id") or at(document, "cloud.account.id"),
        "session_id": first(at(document, "gen_ai.conversation.id"), *map(told.get, ("tool_session_id", "session_id"))),
        "operation": first(at(document, "gen_ai.operation.name"), told.get("operation"), told.get("operation_name")),
        "body": told.get("payload_object") or {}, "span_id": at(document, "span.id"), "actor_id": told.get("actor_id"),
        "request_payload": told.get("request_payload_object") or told.get("request_payload"),
        "response_payload": told.get("response_payload_object") or told.get("response_payload"),
    }  # fmt: skip


def call_of(tree: Tree) -> tuple[tuple[Any, ...], str, str]:
    """The values of `_of_agentcore`; session; target.

    Raises:
        RejectError: no_identity: the record names no resource of AgentCore's.
    """
    found = ARN.fullmatch(plain(tree.get("resource_arn")))
    if found is None:
        raise RejectError("no_identity", "resource_arn is missing, or not one of bedrock-agentcore")
    region, owner, kind, name = found.groups()
    body = inner(tree, "body")
    asked = inner(tree, "request_payload") or inner(body, "request_payload")
    answered = inner(tree, "response_payload") or inner(body, "response_payload")
    tool = _TOOL.search(plain(body.get("log")))
    called = tool[1] if tool else first(asked.get("name"))
    operation = f"tool:{called}" if called else first(tree.get("operation"), inner(tree, "attributes").get("operation"))
    failed = true(body.get("isError")) or true(answered.get("isError"))
    account = owner if owner != "aws" else text(tree.get("account_id"), 12)
    shape = (
        region, account, kind, name, bare(operation or f"invoke_{kind}"),
        "failure" if failed else "success",
    )  # fmt: skip
    session = first(
        tree.get("session_id"), tree.get("tool_session_id"), at(tree, "attributes.session.id"),
        inner(tree, "attributes").get("session.id"),
    )  # fmt: skip
    return shape, session[:256], (tool[2] if tool else "")


# ---- ai agents


NAME = "ai_agents"
SPLUNK_SOURCETYPES = ("otel:logs", "claude_code:events", "aws:bedrock:agentcore")
"""No add-on of Splunk's defines sourcetypes for them: the names that the pages suggest for the collector's exporter."""
ELASTIC_INDICES = (
    "logs-claude_code.*", "logs-aws_bedrock_agentcore.*", "logs-generic.otel-*", "logs-apm.app.claude_code-*",
)  # fmt: skip

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
        made = filled(
            _of_agentcore(*map(text, shape)), moment(tree.get("event_timestamp")), "", session, target,
            first(tree.get("request_id"), inner(tree, "body").get("requestId")), tree.get("span_id"),
        )  # fmt: skip
        actor = text(tree.get("actor_id"), 128)
        return made._replace(links=(BEHALF + actor,)) if actor else made
    told = otel.flat(tree)
    values, session, target = told_of(told)
    time = next((told[name] for name in _TIMES if told.get(name)), cast(Row, record).get("_time"))
    return filled(_of_coding(*values), moment(time), "", session, target, *map(told.get, _MORE))


@lru_cache(maxsize=4096)
def _of_agentcore(region: str, account: str, kind: str, name: str, operation: str, outcome: str) -> Event:
    who = Identity(f"aws:{account}:{kind}:{name}", name, "agent", "aws", account, "")
    return event(
        0, who, f"bedrock-agentcore:{operation}", credential_type="service", outcome=outcome,
        access=_access(operation), region=region, error="failed" if outcome == "failure" else "",
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _of_coding(
    product: str, operation: str, organisation: str, person: str, email: str, by_key: str, service: str, outcome: str,
    error: str, traits: str,
) -> Event:  # fmt: skip
    """`traits` separated by commas."""
    person = person or email
    kind = f"agent:{person}" if person else "anonymous"
    name = f"{product} of {email or person}" if person else product
    who = Identity(f"{product}:{organisation}:{kind}", name, kind.partition(":")[0], product, organisation, "")
    return event(
        0, who, f"{product}:{operation}", credential_type="key" if by_key else "session", access=_access(operation),
        outcome=outcome, error=error, agent=agents.family(service), traits=filter(None, traits.split(",")),
        links=(f"name:{VENDORS[product]}:{email}",) if email else (),
    )  # fmt: skip


def _access(operation: str) -> str:
    if operation in ("api_request", "api_response"):
        return "cost"
    return level_by_words(operation.rpartition("/")[2], actions.access("bedrock-agentcore", operation), _READS, _GRANTS)
