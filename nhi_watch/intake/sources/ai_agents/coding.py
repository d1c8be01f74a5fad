"""Coding agents' own telemetry: what the agent did, and for whom."""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, object_of
from nhi_watch.intake.shapes.values import first, text, true, whole

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


class Told(NamedTuple):
    """The values of a record on which its Event depends, but time, id, session and target."""

    product: str
    operation: str
    organisation: str
    person: str
    email: str
    by_key: str
    service: str
    outcome: str
    error: str
    traits: str
    """Separated by commas."""


def product_of(told: Tree) -> tuple[str, str]:
    """Product and name of the event; empty where it is none of these agents'."""
    name = first(told.get("event_name"), told.get("body"), told.get("body_text"), told.get("message"))
    head, found, rest = name.partition(".")
    if found and head in VENDORS:
        return head, rest.strip()
    return SERVICES.get(first(told.get("service_name")), ""), name.strip()


def told_of(told: Tree) -> tuple[tuple[Any, ...], str, str]:
    """Told's values; session; target.

    Raises:
        RejectError: unknown_product, no_action.
    """
    product, kind = product_of(told)
    if not product:
        service = first(told.get("service_name"), told.get("scope_name")) or "without a name"
        raise RejectError("unknown_product", f"OpenTelemetry logs of {service[:60]!r} are not read; read are those of "
                          + ", ".join(SERVICES))  # fmt: skip
    if not kind:
        raise RejectError("no_action", "neither event.name nor the body tells what was done")
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
    found = []
    if _unasked(kind, told):
        found.append("guard_removed")
    if sum(whole(told.get(name)) or 0 for name in _TOKENS) >= _MANY_TOKENS:
        found.append("many_tokens")
    if kind in _INSTALLS:
        found.append("third_party")
    return found


def _unasked(kind: str, told: Tree) -> bool:
    """Whether the agent may do all unasked from now on; one that never asks, but is kept in a sandbox, may not."""
    if kind not in _SWITCHES:
        return False
    mode = first(told.get("to_mode"), told.get("approval_mode")).lower()
    never = first(told.get("approval_policy")).lower() == "never"
    return mode in _NO_APPROVALS or (never and "danger" in first(told.get("sandbox_policy")).lower())
