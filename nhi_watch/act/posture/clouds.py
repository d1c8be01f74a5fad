"""Readers of the exports of Entra, Google Cloud, GitHub and Azure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.act.posture.exports import (
    NEVER,
    Exports,
    Grant,
    Ownership,
    Secret,
    moment,
    optional,
    parsed,
    rows,
    told,
)
from nhi_watch.core.errors import InputError

FAR = 4_000_000_000
"""Later than this (the year 2096) means never."""


def entra_apps(text: str) -> Exports:
    """Applications with their secrets and certificates."""
    secrets: list[Secret] = []
    unowned: list[Ownership] = []
    for where, app in rows(parsed(text), "value"):
        app_id, name = told(app, "appId", where), optional(app, "displayName") or optional(app, "appId")
        if app.get("owners") == []:
            unowned.append(Ownership(app_id, name, "entra", "app", "Entra applications"))
        for kind, label in (("passwordCredentials", "secret"), ("keyCredentials", "certificate")):
            listed = app.get(kind)
            for place, one in rows(listed, kind) if listed else ():
                secrets.append(_app_secret((app_id, name), label, one, f"{where}, {kind} {place}"))
    return Exports(secrets=tuple(secrets), unowned=tuple(unowned), given=("Entra applications",))


def _app_secret(app: tuple[str, str], label: str, one: Mapping[str, Any], where: str) -> Secret:
    app_id, name = app
    return Secret(
        owner=app_id, name=name, provider="entra", account="", kind="app", credential=optional(one, "keyId").lower(),
        label=f"{label} {optional(one, 'displayName') or optional(one, 'keyId')[:8]}".strip(),
        created=moment(one.get("startDateTime"), where), expires=_end(one.get("endDateTime"), where), last_used=0,
        active=True, source="Entra applications",
    )  # fmt: skip


def _end(value: Any, where: str) -> int:
    """An end; one in the far future, or none where the field is there, is never."""
    if value is None:
        return NEVER
    end = moment(value, where)
    return NEVER if end > FAR else end


def gcp_keys(text: str) -> Exports:
    """Keys of service accounts; those that Google itself manages are no secrets of anybody."""
    secrets = [
        _gcp_key(key, where)
        for where, key in rows(parsed(text), "keys")
        if optional(key, "keyType") != "SYSTEM_MANAGED"
    ]
    return Exports(secrets=tuple(secrets), given=("Google Cloud keys",))


def _gcp_key(key: Mapping[str, Any], where: str) -> Secret:
    name = told(key, "name", where)
    account, found, credential = name.partition("/keys/")
    address = account.rpartition("/serviceAccounts/")[2]
    if not found or "@" not in address:
        raise InputError(f"{where}: 'name' is {name[:60]!r}, expected projects/P/serviceAccounts/ADDRESS/keys/ID")
    project = account.partition("projects/")[2].partition("/")[0]
    if project == "-":
        project = address.partition("@")[2].partition(".")[0]
    return Secret(
        owner=address.lower(), name=address.lower(), provider="gcp", account=project, kind="service_account",
        credential=credential, label=f"key {credential[:12]}", created=moment(key.get("validAfterTime"), where),
        expires=_end(key.get("validBeforeTime"), where), last_used=0, active=key.get("disabled") is not True,
        source="Google Cloud keys",
    )  # fmt: skip


def github_tokens(text: str) -> Exports:
    """Fine-grained tokens of an organisation, or the credentials that people authorised for it."""
    secrets = [_github_token(token, where) for where, token in rows(parsed(text), "tokens", "items")]
    return Exports(secrets=tuple(secrets), given=("GitHub tokens",))


def _github_token(token: Mapping[str, Any], where: str) -> Secret:
    if "credential_id" in token:
        login, number, label = told(token, "login", where), token["credential_id"], optional(token, "credential_type")
        times = ("credential_authorized_at", "authorized_credential_expires_at", "credential_accessed_at")
    elif "token_id" in token or "token_expires_at" in token:
        owner = token.get("owner")
        login = told(owner, "login", where) if isinstance(owner, Mapping) else ""
        number, label = token.get("token_id") or token.get("id"), optional(token, "token_name")
        times = ("access_granted_at", "token_expires_at", "token_last_used_at")
    else:
        raise InputError(f"{where}: neither a fine-grained token (token_id) nor an authorisation (credential_id)")
    created, expires, used = (token.get(name) for name in times)
    return Secret(
        owner=login, name=f"{label or 'token'} of {login}"[:512], provider="github", account="", kind="token",
        credential=f"{number}"[:128], label=label or "token", created=moment(created, where),
        expires=_end(expires, where), last_used=moment(used, where) or NEVER,
        active=token.get("token_expired") is not True, source="GitHub tokens",
    )  # fmt: skip


_BROAD = {"owner": "Owner", "contributor": "Contributor", "user access administrator": "User Access Administrator",
          "role based access control administrator": "Role Based Access Control Administrator"}  # fmt: skip


def role_assignments(text: str) -> Exports:
    """Azure's role assignments of service principals, one grant a principal."""
    found: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, str] = {}
    for where, one in rows(parsed(text), "value"):
        inner = one.get("properties")
        item = inner if isinstance(inner, Mapping) else one
        if optional(item, "principalType") not in ("ServicePrincipal", ""):
            continue
        principal = told(item, "principalId", where).lower()
        role = optional(item, "roleDefinitionName") or told(item, "roleDefinitionId", where).rpartition("/")[2]
        found.setdefault(principal, []).append((role, told(item, "scope", where)))
        names[principal] = optional(item, "principalName") or principal
    grants = tuple(_azure_grant(p, names[p], sorted(roles)) for p, roles in sorted(found.items()))
    return Exports(grants=grants, given=("Azure role assignments",))


def _azure_grant(principal: str, name: str, roles: list[tuple[str, str]]) -> Grant:
    broad = next((f"{role} on {scope}"[:200] for role, scope in roles if role.lower() in _BROAD and _wide(scope)), "")
    named = tuple(dict.fromkeys(role for role, _ in roles))
    return Grant(principal, name, "entra", "", "sp", (), named, broad, 0, "Azure role assignments")


def _wide(scope: str) -> bool:
    """Whether a scope is a whole subscription or more.

    >>> _wide("/subscriptions/1"), _wide("/subscriptions/1/resourceGroups/a"), _wide("/")
    (True, False, True)
    """
    return len([part for part in scope.split("/") if part]) <= 2 or "managementGroups" in scope

