"""OpenAI's organisation audit log and Anthropic's activity feed, as one tuple of plain values.

What a person does in the console and what a key does are told apart: a key of a service account is that
account, a key of a person is the person with a credential, an Anthropic key is an identity of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from nhi_watch.intake.shapes.forms import Tree, at, inner
from nhi_watch.intake.shapes.values import listed, plain, text, whole

OPENAI, ANTHROPIC = "openai", "anthropic"
_WIDE = re.compile(r"(?:all|admin|\*|.*(?:organization|api_keys|admin|api\.management)[a-z_.]*[:.](?:write|all|\*))")
_ADMIN = re.compile(r".*(?:organization[-_:]owner|owner|admin).*")
_GUARDS = re.compile(
    r"ip_allowlist\.(?:deleted|config\.deactivated)|scim\.disabled|org_(?:ip_restriction_deleted|sso_connection_deactivated)"
)
_NONE: Tree = {}
Row = Mapping[str, Any]
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


def openai(tree: Row) -> tuple[tuple[Any, ...], str, str]:
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
    if kind == "role.assignment.created" and _ADMIN.fullmatch(text(body.get("id"))):
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


def anthropic(tree: Row) -> tuple[tuple[Any, ...], str, str]:
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
    if kind == "role_assignment_granted" and _ADMIN.fullmatch(text(tree.get("role"))):
        yield "admin_policy"
    if kind == "primary_owner_transferred":
        yield "admin_policy"
    if _is_guard(kind) or (kind.endswith("toggled") and text(tree.get("is_enabled")) == "false"):
        yield "guard_removed"
    if kind == "mcp_server_created" or (kind.startswith("integration_") and kind.endswith("connected")):
        yield "third_party"
