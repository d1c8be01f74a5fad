"""OpenAI's organisation audit log and Anthropic's activity feed, as one tuple of plain values.

What a person does in the console and what a key does are told apart: a key of a service account is that
account, a key of a person is the person with a credential, an Anthropic key is an identity of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nhi_watch.sources._shapes import Tree, at
from nhi_watch.sources._values import listed, text

OPENAI, ANTHROPIC = "openai", "anthropic"
_WIDE = re.compile(r"(?:all|admin|\*|.*(?:organization|api_keys|admin|api\.management)[a-z_.]*[:.](?:write|all|\*))")
_ADMIN = re.compile(r".*(?:organization[-_:]owner|owner|admin).*")
_GUARDS = re.compile(
    r"ip_allowlist\.(?:deleted|config\.deactivated)|scim\.disabled|org_(?:ip_restriction_deleted|sso_connection_deactivated)"
)
_NONE: Tree = {}
_KEYS = ("admin_api_key_id", "api_key_id", "service_key_id", "compliance_access_key_id", "key_id")
_TARGETS = (
    *_KEYS, "target_id", "workspace_id", "deleted_user_id", "mcp_server_id", "claude_artifact_id", "claude_chat_id",
    "claude_project_id", "claude_file_id", "resource_id", "integration_id", "agent_id",
)  # fmt: skip


class Told(NamedTuple):
    """The values of a record on which its Event depends, but time, id and target."""

    product: str
    operation: str
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


def _part(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    return found if found.__class__ is dict else _NONE


def openai(tree: Tree) -> tuple[Told, str, str]:
    """The values; target; the id of a key that was made."""
    kind = text(tree.get("type"), 100)
    actor = _part(tree, "actor")
    session, key = _part(actor, "session"), _part(actor, "api_key")
    owner = text(_part(key, "service_account").get("id"), 200)
    user = _part(key, "user") or _part(session, "user")
    email = text(user.get("email"), 200)
    body = _body(tree, kind)
    made = text(body.get("id"), 256)
    error = text(body.get("error_code"), 100) or ("failed" if kind.endswith(".failed") else "")
    told = Told(
        OPENAI,
        kind,
        text(_part(tree, "organization").get("id") or tree.get("organization_id"), 100),
        "service_account" if owner else "user" if user else "anonymous",
        owner or text(user.get("id"), 200) or email,
        email or owner,
        text(key.get("id"), 200),
        text(session.get("ip_address") or key.get("ip_address"), 64),
        text(session.get("user_agent")),
        error,
        ",".join(sorted({*_openai_traits(kind, body), *(("console",) if session else ())})),
    )
    return told, made or text(_part(tree, "project").get("id"), 256), made if kind == "api_key.created" else ""


def _body(tree: Tree, kind: str) -> Tree:
    """The part named after the type: `api_key.created`, as the API spells it, or with `_` or nested."""
    found = tree.get(kind) or tree.get(kind.replace(".", "_")) or at(tree, kind)
    return found if found.__class__ is dict else _NONE


def _openai_traits(kind: str, body: Tree) -> Iterator[str]:
    data = _part(body, "data") or _part(body, "changes_requested")
    if any(_WIDE.fullmatch(text(scope)) for scope in listed(data.get("scopes"))):
        yield "broad_scope"
    if kind == "role.assignment.created" and _ADMIN.fullmatch(text(body.get("id"))):
        yield "admin_policy"
    if kind.startswith("user.") and text(data.get("role")) == "owner":
        yield "admin_policy"
    if _GUARDS.fullmatch(kind):
        yield "guard_removed"
    if any(text(one).endswith("/0") or text(one) == "0.0.0.0" for one in listed(body.get("allowed_ips"))):  # noqa: S104
        yield "open_ingress"


def anthropic(tree: Tree) -> tuple[Told, str, str]:
    """The values; target; the id of a key that was made."""
    kind = text(tree.get("type"), 100)
    actor = _part(tree, "actor")
    key, user = _first(actor, _KEYS, 200), text(actor.get("user_id"), 200)
    email, what = text(actor.get("email_address"), 200), text(actor.get("type"), 60)
    by_hand = bool(user) and not key
    told = Told(
        ANTHROPIC,
        kind,
        text(tree.get("organization_id") or tree.get("organization_uuid"), 100),
        _actor_kind(what, key, user),
        key or user or email or what,
        email or key or user or what,
        key,
        text(actor.get("ip_address"), 64),
        text(actor.get("user_agent")),
        "failed" if kind.endswith("_failed") else "",
        ",".join(sorted({*_anthropic_traits(kind, tree), *(("console",) if by_hand else ())})),
    )
    return told, _first(tree, _TARGETS, 256), _first(tree, _KEYS, 256) if kind.endswith("key_created") else ""


def _first(tree: Tree, names: tuple[str, ...], limit: int) -> str:
    for name in names:
        if name in tree:
            found = text(tree[name], limit)
            if found:
                return found
    return ""


def _actor_kind(what: str, key: str, user: str) -> str:
    if key:
        return "key"
    if user:
        return "user"
    return "anonymous" if not what or what.startswith("unauthenticated") else "service"


def _anthropic_traits(kind: str, tree: Tree) -> Iterator[str]:
    audience = tree.get("audience")
    if audience and any(text(at(one, "type")) == "public" for one in listed(audience)):
        yield "public"
    if kind == "role_assignment_granted" and _ADMIN.fullmatch(text(tree.get("role"))):
        yield "admin_policy"
    if kind == "primary_owner_transferred":
        yield "admin_policy"
    if _GUARDS.fullmatch(kind) or (kind.endswith("toggled") and text(tree.get("is_enabled")) == "false"):
        yield "guard_removed"
    if kind == "mcp_server_created" or (kind.startswith("integration_") and kind.endswith("connected")):
        yield "third_party"
