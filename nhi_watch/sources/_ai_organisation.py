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
    project: str
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


def openai(tree: Tree) -> tuple[Told, str, str]:
    """The values; target; the id of a key that was made."""
    kind = text(tree.get("type"), 100)
    session, key = at(tree, "actor.session"), at(tree, "actor.api_key")
    owner = text(at(key, "service_account.id"), 200)
    user = at(key, "user") or at(session, "user")
    body = _body(tree, kind)
    made = text(at(body, "id"), 256)
    traits = {*_openai_traits(kind, body), *(("console",) if session else ())}
    told = Told(
        OPENAI, kind, text(at(tree, "organization.id") or tree.get("organization_id"), 100),
        text(at(tree, "project.id"), 100), "service_account" if owner else "user" if user else "anonymous",
        owner or text(at(user, "id"), 200) or text(at(user, "email"), 200),
        text(at(user, "email"), 200) or owner, text(at(key, "id"), 200),
        text(at(session, "ip_address") or at(key, "ip_address"), 64), text(at(session, "user_agent")),
        text(at(body, "error_code"), 100) or ("failed" if kind.endswith(".failed") else ""), ",".join(sorted(traits)),
    )  # fmt: skip
    return told, made or text(at(tree, "project.id"), 256), made if kind == "api_key.created" else ""


def _body(tree: Tree, kind: str) -> object:
    """The part named after the type: `api_key.created`, as the API spells it, or with `_` or nested."""
    return tree.get(kind) or tree.get(kind.replace(".", "_")) or at(tree, kind)


def _openai_traits(kind: str, body: object) -> Iterator[str]:
    data = at(body, "data") or at(body, "changes_requested")
    if any(_WIDE.fullmatch(text(scope)) for scope in listed(at(data, "scopes"))):
        yield "broad_scope"
    if kind == "role.assignment.created" and _ADMIN.fullmatch(text(at(body, "id"))):
        yield "admin_policy"
    if kind.startswith("user.") and text(at(data, "role")) == "owner":
        yield "admin_policy"
    if _GUARDS.fullmatch(kind):
        yield "guard_removed"
    if any(text(one).endswith("/0") or text(one) == "0.0.0.0" for one in listed(at(body, "allowed_ips"))):  # noqa: S104
        yield "open_ingress"


def anthropic(tree: Tree) -> tuple[Told, str, str]:
    """The values; target; the id of a key that was made."""
    kind = text(tree.get("type"), 100)
    actor = at(tree, "actor")
    key = next((text(at(actor, name), 200) for name in _KEYS if text(at(actor, name))), "")
    user = text(at(actor, "user_id"), 200)
    email = text(at(actor, "email_address"), 200)
    what = text(at(actor, "type"), 60)
    agent = text(at(actor, "user_agent"))
    by_hand = bool(user) and not key
    target = next((text(tree[name], 256) for name in _TARGETS if text(tree.get(name))), "")
    made = next((text(tree[name], 256) for name in _KEYS if text(tree.get(name))), "")
    told = Told(
        ANTHROPIC, kind, text(tree.get("organization_id") or tree.get("organization_uuid"), 100),
        text(tree.get("workspace_id"), 100), _actor_kind(what, key, user),
        key or user or email or what, email or key or user or what, key, text(at(actor, "ip_address"), 64), agent,
        "failed" if kind.endswith("_failed") else "",
        ",".join(sorted({*_anthropic_traits(kind, tree), *(("console",) if by_hand else ())})),
    )  # fmt: skip
    return told, target, made if kind.endswith("key_created") else ""


def _actor_kind(what: str, key: str, user: str) -> str:
    if key:
        return "key"
    if user:
        return "user"
    return "anonymous" if not what or what.startswith("unauthenticated") else "service"


def _anthropic_traits(kind: str, tree: Tree) -> Iterator[str]:
    if any(text(at(one, "type")) == "public" for one in listed(tree.get("audience"))):
        yield "public"
    if kind == "role_assignment_granted" and _ADMIN.fullmatch(text(tree.get("role"))):
        yield "admin_policy"
    if kind == "primary_owner_transferred":
        yield "admin_policy"
    if _GUARDS.fullmatch(kind) or (kind.endswith("toggled") and text(tree.get("is_enabled")) == "false"):
        yield "guard_removed"
    if kind == "mcp_server_created" or (kind.startswith("integration_") and kind.endswith("connected")):
        yield "third_party"
