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
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.intake import contract
from nhi_watch.intake.shapes import otel
from nhi_watch.intake.shapes.forms import dataset, inner, native
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import filled, first, level_by_words, text
from nhi_watch.intake.sources.ai_agents import agentcore, coding

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
_BODIES = tuple(f"{product}." for product in coding.VENDORS)
_OWN = ("claude_code.", agentcore.DATASET)
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
        return agentcore.ARN.fullmatch(arn) is not None
    return row.get("service.name").__class__ is str and "event.name" in row and _is_coding(row)


def _is_coding(row: Row) -> bool:
    return coding.product_of(otel.flat(native(row)[0]))[0] != ""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document and dataset(cast(Row, record)).startswith(agentcore.DATASET):
        tree = agentcore.of_document(tree)
    if "resource_arn" in tree:
        shape, session, target = agentcore.call_of(tree)
        event = filled(
            _of_agentcore(tuple(map(text, shape))), moment(tree.get("event_timestamp")), "", session, target,
            first(tree.get("request_id"), inner(tree, "body").get("requestId")), tree.get("span_id"),
        )  # fmt: skip
        actor = text(tree.get("actor_id"), 128)
        return event._replace(links=(BEHALF + actor,)) if actor else event
    told = otel.flat(tree)
    values, session, target = coding.told_of(told)
    time = next((told[name] for name in _TIMES if told.get(name)), cast(Row, record).get("_time"))
    return filled(_of_coding(values), moment(time), "", session, target, *map(told.get, _MORE))


@lru_cache(maxsize=4096)
def _of_agentcore(shape: tuple[str, ...]) -> Event:
    told = agentcore.Call(*shape)
    who = Identity(f"aws:{told.account}:{told.kind}:{told.name}", told.name, "agent", "aws", told.account, "")
    return contract.event(
        0, who, f"bedrock-agentcore:{told.operation}", credential_type="service", outcome=told.outcome,
        access=_access(told.operation), region=told.region, error="failed" if told.outcome == "failure" else "",
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _of_coding(values: tuple[str, ...]) -> Event:
    told = coding.Told(*values)
    person = told.person or told.email
    kind = f"agent:{person}" if person else "anonymous"
    name = f"{told.product} of {told.email or person}" if person else told.product
    who = Identity(
        f"{told.product}:{told.organisation}:{kind}", name, kind.partition(":")[0], told.product, told.organisation, "",
    )  # fmt: skip
    return contract.event(
        0, who, f"{told.product}:{told.operation}", credential_type="key" if told.by_key else "session",
        access=_access(told.operation), outcome=told.outcome, error=told.error, agent=agents.family(told.service),
        traits=tuple(sorted(filter(None, told.traits.split(",")))),
        links=(f"name:{coding.VENDORS[told.product]}:{told.email}",) if told.email else (),
    )  # fmt: skip


def _access(operation: str) -> str:
    if operation in ("api_request", "api_response"):
        return "cost"
    return level_by_words(operation.rpartition("/")[2], actions.access("bedrock-agentcore", operation), _READS, _GRANTS)
