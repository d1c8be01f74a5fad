"""ChatGPT Enterprise's compliance logs: what people, keys and agents did in a workspace.

What ChatGPT or Codex does with tools and apps for a person is its agent's doing; prompts and answers are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nhi_watch.intake.shapes.forms import Tree, every, inner
from nhi_watch.intake.shapes.values import first, plain, true, whole

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
_MANY_TOKENS = 100_000
"""As of Bedrock's invocations: a book."""
Row = Mapping[str, Any]


def told(tree: Row) -> tuple[tuple[Any, ...], str, str, str]:
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
