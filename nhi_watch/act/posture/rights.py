"""Rights that are not used: what an account's authorization details grant against what was used; use alone otherwise.

Allow statements are added up; what a Deny, a condition, a boundary or an organisation's policy takes away again is not
subtracted. So a grant is never larger than what is listed here, and may in truth be smaller: findings say "granted".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nhi_watch.act.posture.finding import Finding, Grant, Scene, calls_unused, is_gone, is_machine
from nhi_watch.context import actions
from nhi_watch.core import timestamps
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.detect.history import IdentityHistory, short
from nhi_watch.detect.impact import blast_radius, privilege
from nhi_watch.detect.signals._kit import listing
from nhi_watch.intake.shapes.json import parse

Json = Mapping[str, Any]
SOURCE = "authorization details"
LARGEST = 512 * 1024 * 1024
"""Bytes of the largest report that is read."""
_ADMIN_POLICIES = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


def load(path: Path) -> tuple[Grant, ...]:
    """The grants in a file.

    Raises:
        InputError: the file cannot be read, or is no such report; it names file and place.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST // 1024 // 1024} MB; export one account at a time")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text at byte {error.start}; is it the report?") from error
    try:
        return authorization_details(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def authorization_details(text: str) -> tuple[Grant, ...]:
    """The grants of an account's users and roles; service-linked roles are AWS's own."""
    try:
        plain = parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({str(error)[:80]})") from error
    if not isinstance(plain, Mapping) or not {"UserDetailList", "RoleDetailList"} & set(plain):
        raise InputError("expected an object with UserDetailList and RoleDetailList")
    managed = {_required_text(p, "Arn", where): list(_default(p, where)) for where, p in _listed(plain, "Policies")}
    groups = {_required_text(g, "GroupName", where): (where, g) for where, g in _listed(plain, "GroupDetailList")}
    grants = []
    for kind, name, inline in (("user", "UserName", "UserPolicyList"), ("role", "RoleName", "RolePolicyList")):
        for where, entry in _listed(plain, f"{kind.capitalize()}DetailList"):
            if "/aws-service-role/" in _required_text(entry, "Arn", where):
                continue
            parts = [(where, entry, inline)]
            parts += [(*groups[g], "GroupPolicyList") for g in _each(entry.get("GroupList") or []) if g in groups]
            grants.append(_grant(kind, _required_text(entry, name, where), parts, managed))
    return tuple(grants)


def _listed(item: Json, name: str, of: str = "") -> Iterator[tuple[str, Json]]:
    """(place, object) of the objects of the list under a name."""
    listed = item.get(name) or []
    if not isinstance(listed, list):
        raise InputError(f"{of}{name}: expected a list of objects")
    for number, entry in enumerate(listed, 1):
        if not isinstance(entry, Mapping):
            raise InputError(f"{of}{name} entry {number}: expected an object, found {type(entry).__name__}")
        yield f"{of}{name} entry {number}", entry


def _required_text(item: Json, name: str, where: str) -> str:
    """A text that must be there."""
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: {name!r} is missing or not text")
    return value[:512]


def _each(plain: Any) -> Iterator[Any]:
    """A list's items, or the one item."""
    return iter(plain if isinstance(plain, list) else [plain])


def _grant(kind: str, name: str, parts: list[tuple[str, Json, str]], managed: Mapping[str, list[str]]) -> Grant:
    allowed: list[str] = []
    policies: list[str] = []
    for where, holder, inline in parts:
        for place, policy in _listed(holder, inline, f"{where}, "):
            policies.append(str(policy.get("PolicyName")))
            allowed += _allowed(policy.get("PolicyDocument"), place)
        for place, policy in _listed(holder, "AttachedManagedPolicies", f"{where}, "):
            policies.append(_required_text(policy, "PolicyName", place))
            allowed += managed.get(str(policy.get("PolicyArn"))) or ["*"] * (policies[-1] in _ADMIN_POLICIES[:2])
    (where, role, _), used = parts[0], parts[0][1].get("RoleLastUsed")
    arn, last = _required_text(role, "Arn", where), used.get("LastUsedDate") if isinstance(used, Mapping) else None
    try:
        last_used = timestamps.parse(last) if last else 0
    except RejectError as error:
        raise InputError(f"{where}: {error.detail or error}") from error
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return Grant(arn, name, account, kind, tuple(sorted(set(allowed))), _broad(allowed, policies), last_used)


def _broad(allowed: list[str], policies: list[str]) -> str:
    """Why a grant is that of an administrator."""
    admin = next((policy for policy in policies if policy in _ADMIN_POLICIES), "")
    if admin:
        return f"the policy {admin}"
    return next((f"all of {pattern}" for pattern in ("*", "*:*", "iam:*") if pattern in allowed), "")


def _default(policy: Json, where: str) -> Iterator[str]:
    for place, version in _listed(policy, "PolicyVersionList", f"{where}, "):
        if version.get("IsDefaultVersion") is True:
            yield from _allowed(version.get("Document"), place)


def _allowed(document: Any, where: str) -> list[str]:
    """The action patterns that a policy allows; everything but some (NotAction) counts as everything."""
    if isinstance(document, str):  # the API encodes the text as in an address
        try:
            document = parse(unquote(document))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: the policy is not JSON") from error
    if not isinstance(document, Mapping):
        raise InputError(f"{where}: the policy is missing or not an object")
    allowed: list[str] = []
    for statement in _each(document.get("Statement") or []):
        if not isinstance(statement, Mapping):
            raise InputError(f"{where}: a statement is not an object")
        if statement.get("Effect") == "Allow":
            allowed += (
                ["*"] if "NotAction" in statement else [str(a)[:128] for a in _each(statement.get("Action") or [])]
            )
    return allowed


# ---- privilege
#
# Rights that are not used: granted against used where grants are given; used alone otherwise, which says so.


ENOUGH_DAYS = 30
"""Days of history before unused rights are called so."""
UNUSED_SHARE = 0.5
LEAST_SERVICES = 3
MANY_CALLS = 5


def granted(scene: Scene) -> Iterator[Finding]:
    """Grants that are far larger than what was used."""
    for grant in scene.grants or ():
        identity_history = scene.history_of(grant)
        if identity_history is not None and (not is_machine(identity_history) or is_gone(identity_history)):
            continue
        finding = _broad_privilege(scene, grant, identity_history) or _services(scene, grant, identity_history)
        if finding is not None:
            yield finding


def _seen_days(scene: Scene, identity_history: IdentityHistory | None) -> int:
    """Days for which the identity was watched; of one that was never seen: for which anything was."""
    first = (
        identity_history.profile.first
        if identity_history is not None and identity_history.profile.first >= 0
        else scene.history.first_day
    )
    return scene.today - first


def _broad_privilege(scene: Scene, grant: Grant, identity_history: IdentityHistory | None) -> Finding | None:
    """Administrators' rights with somebody who does not administrate."""
    used = blast_radius(identity_history.profile) if identity_history else None
    level = privilege(used) if used else "nothing"
    if not grant.broad or level == "permissions" or _seen_days(scene, identity_history) < ENOUGH_DAYS:
        return None
    services = listing(sorted(used.services)) if used and used.services else "nothing"
    evidence = (
        f"{grant.name}: granted {grant.broad} ({SOURCE}); in {_seen_days(scene, identity_history)} days it used "
        f"{services}, "
        f"at most at the level {level!r}"
    )
    return Finding(
        "over_privileged", scene.identity_of(grant), 50.0, evidence, grant.broad, identity_history=identity_history
    )


def _services(scene: Scene, grant: Grant, identity_history: IdentityHistory | None) -> Finding | None:
    """Services that are granted and were never used."""
    prefixes = {pattern.partition(":")[0].lower() for pattern in grant.allowed} - {"*", ""}
    used = _used_prefixes(identity_history)
    unused = sorted(prefixes - used)
    days = _seen_days(scene, identity_history)
    few = len(prefixes) < LEAST_SERVICES or len(unused) < UNUSED_SHARE * len(prefixes)
    if few or days < ENOUGH_DAYS or identity_history is None:
        return None
    evidence = (
        f"{grant.name}: granted {len(prefixes)} services ({SOURCE}), used {len(prefixes) - len(unused)} "
        f"in {days} days; never {listing(unused, 6)}"
    )
    urgency = 30.0 + 10.0 * any(_grants_rights(pattern) for pattern in grant.allowed)
    return Finding(
        "over_privileged",
        scene.identity_of(grant),
        urgency,
        evidence,
        listing(unused, 12),
        identity_history=identity_history,
    )


def _used_prefixes(identity_history: IdentityHistory | None) -> set[str]:
    """Prefixes of IAM of the services that an identity used, ever: rights for a yearly job are used.

    What is odd is learnt late: until then it is in the behaviours alone.
    """
    if identity_history is None:
        return set()
    services = set(identity_history.profile.dimension("service").values).union(
        *(sight.services for sight in identity_history.sights)
    )
    return {prefix for service in services for prefix in actions.prefixes(service)}


_RIGHTS = (
    "iam:passrole",
    "iam:createaccesskey",
    "iam:attachrolepolicy",
    "iam:putrolepolicy",
    "iam:createpolicyversion",
)


def _grants_rights(pattern: str) -> bool:
    """Whether a pattern lets its holder get more rights.

    >>> _grants_rights("iam:*"), _grants_rights("iam:Put*"), _grants_rights("s3:GetObject")
    (True, True, False)
    """
    return any(fnmatchcase(call, pattern.lower()) for call in _RIGHTS)


def no_longer_used(scene: Scene) -> Iterator[Finding]:
    """Calls that a busy identity stopped making, where no grants were given: what it may do is not known."""
    known = {scene.identity_of(grant).id for grant in scene.grants or ()}
    for machine in scene.machines():
        busy = scene.today - machine.profile.last < ENOUGH_DAYS and machine.profile.days >= ENOUGH_DAYS
        if not busy or machine.identity.id in known:
            continue
        unused = [c for c in calls_unused(machine.profile, scene.today, scene.limits.idle_days) if _matters(c)]
        if len(unused) >= MANY_CALLS:
            evidence = (
                f"{short(machine.identity)}: {len(unused)} types of write calls were not made for "
                f"{scene.limits.idle_days} days or more, such as {listing(unused)}; what it was granted is not known"
            )
            yield Finding(
                "unused_rights", machine.identity, 20.0, evidence, listing(unused, 12), identity_history=machine
            )


def _matters(action: str) -> bool:
    service, _, operation = action.partition(":")
    return actions.access(service, operation) in ("permissions", "write", "cost")
