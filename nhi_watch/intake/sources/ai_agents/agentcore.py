"""Amazon Bedrock AgentCore's logs: gateways, runtimes and tools, each of which is the identity that acts."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, at, inner, part
from nhi_watch.intake.shapes.values import first, plain, text, true
from nhi_watch.intake.sources.ai_agents.coding import bare

ARN = re.compile(r"arn:aws[a-z-]*:bedrock-agentcore:([a-z0-9-]*):(\d{12}|aws):([a-z-]+)/([^:\s]{1,128})", re.ASCII)
DATASET = "aws_bedrock_agentcore."
_PLACES = ("gateway", "runtime", "codeinterpreter", "memory", "browser")
_TOOL = re.compile(r"tool (\S{1,100}) from target (\S{1,60})")


class Call(NamedTuple):
    """The values of a record on which its Event depends, but time, id, session and target."""

    region: str
    account: str
    kind: str
    """gateway | runtime | memory…"""
    name: str
    operation: str
    outcome: str


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
    """Call's values; session; target.

    Raises:
        RejectError: no_identity: the record names no resource of AgentCore's.
    """
    found = ARN.fullmatch(plain(tree.get("resource_arn")))
    if found is None:
        raise RejectError("no_identity", "resource_arn is missing, or none of bedrock-agentcore's")
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
