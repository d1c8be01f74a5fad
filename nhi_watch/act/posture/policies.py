"""AWS account authorization details → what each user and role may do.

Allow statements are added up; what a Deny, a condition, a boundary or an organisation's policy takes away again is not
subtracted. So a grant is never smaller than what is listed here, and may in truth be smaller: findings say "granted".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from nhi_watch.act.posture.exports import Exports, Grant, each, moment, optional, parsed, rows, told
from nhi_watch.core.errors import InputError
from nhi_watch.intake.shapes.json import parse

Json = Mapping[str, Any]
SOURCE = "authorization details"
_ADMIN_POLICIES = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


def authorization_details(text: str) -> Exports:
    """The grants of an account's users and roles; service-linked roles are AWS's own."""
    plain = parsed(text)
    if not isinstance(plain, Mapping) or not {"UserDetailList", "RoleDetailList"} & set(plain):
        raise InputError("expected an object with UserDetailList and RoleDetailList")
    managed = {told(p, "Arn", where): list(_default(p, where)) for where, p in _listed(plain, "Policies")}
    groups = {told(g, "GroupName", where): (where, g) for where, g in _listed(plain, "GroupDetailList")}
    grants = []
    for kind, name, inline in (("user", "UserName", "UserPolicyList"), ("role", "RoleName", "RolePolicyList")):
        for where, one in _listed(plain, f"{kind.capitalize()}DetailList"):
            if "/aws-service-role/" in told(one, "Arn", where):
                continue
            parts = [(where, one, inline)]
            parts += [(*groups[g], "GroupPolicyList") for g in each(one.get("GroupList") or []) if g in groups]
            grants.append(_grant(kind, told(one, name, where), parts, managed))
    return Exports(grants=tuple(grants), given=(SOURCE,))


def _listed(plain: Json, name: str) -> Iterator[tuple[str, Json]]:
    return ((f"{name} {where}", item) for where, item in rows(plain.get(name) or [], name))


def _grant(kind: str, name: str, parts: list[tuple[str, Json, str]], managed: Mapping[str, list[str]]) -> Grant:
    allowed: list[str] = []
    policies: list[str] = []
    for where, holder, inline in parts:
        for place, policy in rows(holder.get(inline) or [], inline):
            policies.append(optional(policy, "PolicyName"))
            allowed += _allowed(policy.get("PolicyDocument"), f"{where}, {place}")
        for place, policy in rows(holder.get("AttachedManagedPolicies") or [], "AttachedManagedPolicies"):
            arn, policy_name = optional(policy, "PolicyArn"), told(policy, "PolicyName", f"{where}, {place}")
            policies.append(policy_name)
            allowed += managed.get(arn) or (["*"] if policy_name in _ADMIN_POLICIES[:2] else [])
    arn = told(parts[0][1], "Arn", parts[0][0])
    used = parts[0][1].get("RoleLastUsed")
    last = moment(used.get("LastUsedDate"), parts[0][0]) if isinstance(used, Mapping) else 0
    return Grant(
        arn, name, "aws", arn.split(":")[4] if arn.count(":") >= 5 else "", kind, tuple(sorted(set(allowed))),
        tuple(dict.fromkeys(p for p in policies if p)), _broad(allowed, policies), last, SOURCE,
    )  # fmt: skip


def _broad(allowed: list[str], policies: list[str]) -> str:
    """Why a grant is that of an administrator."""
    admin = next((policy for policy in policies if policy in _ADMIN_POLICIES), "")
    if admin:
        return f"the policy {admin}"
    return next((f"all of {pattern}" for pattern in ("*", "*:*", "iam:*") if pattern in allowed), "")


def _default(policy: Json, where: str) -> Iterator[str]:
    for place, version in rows(policy.get("PolicyVersionList") or [], "PolicyVersionList"):
        if version.get("IsDefaultVersion") is True:
            yield from _allowed(version.get("Document"), f"{where}, version {place}")


def _allowed(document: Any, where: str) -> list[str]:
    """The action patterns that a policy allows; everything but some (NotAction) counts as everything."""
    plain = _document(document, where)
    found: list[str] = []
    for statement in each(plain.get("Statement") or []):
        if not isinstance(statement, Mapping):
            raise InputError(f"{where}: a statement is no object")
        if statement.get("Effect") == "Allow":
            found += ["*"] if "NotAction" in statement else [str(a)[:128] for a in each(statement.get("Action") or [])]
    return found


def _document(document: Any, where: str) -> Json:
    """A policy: an object, or its text, which the API encodes as in an address."""
    if isinstance(document, str):
        try:
            document = parse(unquote(document))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: the policy is not JSON") from error
    if not isinstance(document, Mapping):
        raise InputError(f"{where}: the policy is missing or no object")
    return document
