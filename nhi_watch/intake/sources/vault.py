"""HashiCorp Vault: the audit log of its file, socket and syslog devices.

Who acts:

- The entity (`entity_id`), however it signs in. Without one, the token's display name, which begins with the
  way it was made (`approle`, `kubernetes-…`, `token-ci`). Tokens with the policy `root` are one identity, `root`.
- A login says who it is only in its response; its request is `anonymous`.

A call is logged twice, as request and as response: two records of different types. Accessors are hashed by
Vault (HMAC), so they can be compared and shown. The accessor of a token without an end is the credential, of
any other the session; the one that a login or a creation hands out is `issued`. Operations are the engine,
what of it, and what is done, as in `kv.read`, `database.creds.read`, `auth.approle.login`, `sys.policies.update`.

Traits, besides browser and attack_tool: root_token, token_minted (a token or dynamic credentials), orphan_token,
admin_policy (policies changed), logging_reduced (an audit device removed), mass_export (a snapshot of everything).

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import subject_of
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, inner, native, part
from nhi_watch.intake.shapes.microsoft import host
from nhi_watch.intake.shapes.values import build_event, filled, listed, moment, plain, text

NAME = "vault"
SPLUNK_SOURCETYPES = ("hashicorp_vault_audit_log", "vault:audit")
ELASTIC_INDICES = ("logs-hashicorp_vault.audit-*",)

Row = Mapping[str, Any]
Parts = tuple[tuple[object, ...], object, str, str, str]
"""shape, time, record id, session, target"""

_TYPES = ("request", "response")
_PEOPLE = re.compile(r"(?:userpass|ldap|oidc|okta|saml|github|radius)-")
# What of an engine is used, where it says more than the engine.
_USED = re.compile(
    r"/(creds|static-creds|sts|token|roleset|key|issue|sign|login|create|create-orphan|secret-id|role-id|role|roles|config"
    r"|export|decrypt|encrypt|metadata|destroy|rotate)(?:/|$)"
)
_STORES = ("kv", "generic", "cubbyhole", "")
"""Engines whose paths are names of secrets; without a type, it may be one of these."""
_OF_STORES = ("metadata", "destroy", "delete", "undelete")
_MINTS = re.compile(r"\.(?:creds|sts|issue|sign|create|create-orphan|secret-id|key|token)\.")
_RIGHTS = re.compile(
    r"^sys\.(?:polic|auth|mounts|remount|generate-root|rekey)|^auth\.[^.]+\.(?:role|roles|config|create)|^identity\."
)
_LEVELS = {"read": "read", "list": "list", "help": "read"}
_WHO = ("display_name", "entity_id", "accessor")
_SUBJECT = re.compile(r"-((?:repo|project_path|system:serviceaccount):.+)")
"""Subjects of CI systems and Kubernetes: the JWT method names its tokens after them."""


def _is_row(row: Tree) -> bool:
    request = row.get("request")
    if request.__class__ is dict and row.get("type") in _TYPES:
        return "operation" in request and "path" in request
    return "request.path" in row and "request.operation" in row


claims = claimant(_is_row, (('"request"',), ('"operation"',), ('"path"',), ('"namespace"',)), "hashicorp_vault.audit")
"""Whether the record is an entry of Vault's audit log, in any of its three shapes."""


def _parts(row: Row) -> Parts:
    """What every record holds."""
    request, auth, response = inner(row, "request"), inner(row, "auth"), inner(row, "response")
    given = inner(response, "auth") if response else response
    if not auth.get("display_name") and not auth.get("entity_id") and any(given.get(name) for name in _WHO):
        auth = given
    asked, of = request.get, auth.get
    accessor = plain(of("accessor") or asked("client_token_accessor"))[:256]
    root = "root" in listed(of("policies"))
    endless = root or (of("token_ttl") in (0, "0") and auth is not given)
    path = plain(asked("path")).strip()[:200]
    issued = (None if "/login" in path else given.get("accessor")) or inner(response, "wrap_info").get("accessor")
    agents = inner(request, "headers").get("user-agent")
    space, data = inner(request, "namespace"), inner(auth, "metadata")
    shape = (
        asked("operation"), _operation(path, plain(asked("mount_type")), plain(asked("operation"))), of("entity_id"),
        of("display_name"), "y" if root else "", accessor if endless else "", of("token_type"),
        space.get("path") or space.get("id"), asked("remote_address"),
        agents[0] if agents.__class__ is list and agents else agents, row.get("error"), issued,
        data.get("service_account_namespace"), data.get("service_account_name"), data.get("canonical_arn"),
    )  # fmt: skip
    unique = plain(asked("id"))[:200]
    return shape, row.get("time"), unique and f"{unique}:{plain(row.get('type'))}", "" if endless else accessor, path


@remembered(8192)
def _operation(path: str, mount: str, done: str) -> str:
    """Engine, what of it, and what is done; never a name of a secret.

    >>> _operation("secret/data/db", "kv", "read"), _operation("database/creds/app", "database", "read")
    ('kv.read', 'database.creds.read')
    >>> _operation("auth/approle/login", "approle", "update"), _operation("sys/audit/file", "system", "delete")
    ('auth.approle.login', 'sys.audit.delete')
    >>> _operation("secret/data/config", "kv", "read"), _operation("auth/token/create-orphan", "token", "update")
    ('kv.read', 'auth.token.create-orphan.update')
    """
    if not path:
        return ""
    steps = path.split("/")
    done = re.sub(r"[^a-z]", "", done.lower())[:20]
    used = None
    if steps[0] == "auth":
        used = _USED.search("/" + "/".join(steps[2:]))
    elif mount not in _STORES:
        used = _USED.search(path[len(steps[0]) :])
    if steps[0] == "sys":
        words = ["sys", steps[1] if len(steps) > 1 else "", done]
    elif steps[0] == "auth":
        name = mount if mount not in ("", "ns_token") else steps[1] if len(steps) > 1 else ""
        words = ["auth", name, *([used[1]] if used else []), *([done] if not used or used[1] != "login" else [])]
    else:
        kept = steps[1] if mount in _STORES and steps[1:2] and steps[1] in _OF_STORES else used[1] if used else ""
        words = [mount or "secrets", kept, done]
    return ".".join(re.sub(r"[^a-z0-9_-]", "", word.lower())[:30] for word in words if word)


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    if is_ecs:
        row = _of_ecs(row)
    shape, time, record_id, session, target = _parts(row)
    if not shape[0] or not shape[1]:
        raise RejectError("no_action", "request.operation or request.path is missing")
    return filled(_event(*map(text, shape)), moment(time), record_id, session, target, row.get("type"))


@remembered(4096)
def _event(
    done: str,
    operation: str,
    entity: str,
    name: str,
    root: str,
    credential: str,
    kind: str,
    namespace: str,
    address: str,
    user_agent: str,
    error: str,
    issued: str,
    space: str,
    account: str,
    arn: str,
) -> Event:
    failed = error.lower()
    marked_traits = {
        "root_token": bool(root),
        "token_minted": _MINTS.search(operation) is not None and bool(issued or not operation.startswith("auth.")),
        "orphan_token": "create-orphan" in operation,
        "admin_policy": operation.startswith("sys.polic") and done in ("update", "create", "patch"),
        "logging_reduced": operation == "sys.audit.delete",
        "mass_export": operation.startswith("sys.storage.read") or operation == "sys.raw.read",
    }
    return build_event(
        0,
        _identity(entity, name, bool(root), namespace),
        f"vault:{operation}",
        account=namespace[:64],
        credential=credential,
        credential_type="key" if credential else "session" if kind else "none",
        access=_level(operation, done),
        address=host(address),
        user_agent=user_agent,
        target_class="own",
        outcome="denied" if "permission denied" in failed or "403" in failed else "failure" if failed else "success",
        error="permission denied" if "permission denied" in failed else re.sub(r"\s+", " ", error).strip()[:60],
        marks=marked_traits,
        issued=issued[:256],
        links=_links(name, credential, (space, account, arn)),
    )


def _links(name: str, credential: str, login: tuple[str, str, str]) -> tuple[str, ...]:
    """An endless token's accessor, and by what the login was proved: a service account, an AWS role, a subject.

    >>> _links("kubernetes-shop-api", "", ("shop", "api", "")), _links("jwt-repo:acme/shop:ref:x", "", ("", "", ""))
    (('oidc:system:serviceaccount:shop:api',), ('oidc:repo:acme/shop',))
    """
    space, account, arn = login
    signed_in = None if name.startswith("token-") else _SUBJECT.search(name)  # a token's maker chooses its name
    subject = subject_of(signed_in[1]) if signed_in else ""
    if space and account:
        subject = f"system:serviceaccount:{space}:{account}"
    links = {"token": credential, "oidc": subject, "arn": arn}
    return tuple(sorted(f"{kind}:{value}"[:512] for kind, value in links.items() if value))


def _identity(entity: str, name: str, root: bool, namespace: str) -> Identity:
    if root:
        return Identity("vault:root", name or "root", "root", "vault", namespace, "")
    kind = "user" if _PEOPLE.match(name) else "workload"
    if entity:
        return Identity(f"vault:entity:{entity}"[:512], name or entity, kind, "vault", namespace, "")
    if name:
        return Identity(f"vault:name:{namespace}:{name}"[:512], name, kind, "vault", namespace, "")
    return Identity("vault:anonymous", "anonymous", "anonymous", "vault", namespace, "")


def _level(operation: str, done: str) -> str:
    level = actions.access("vault", operation)
    if level != "unknown":
        return level
    access = _LEVELS.get(done, "write")
    return "permissions" if access == "write" and _RIGHTS.search(operation) else access


def _of_ecs(document: Row) -> Tree:
    fields = part(document, "hashicorp_vault.audit")
    moved = {name: at(document, field) for name, field in (("remote_address", "source.ip"), ("id", "event.id"))}
    asked = {name: value for name, value in inner(fields, "request").items() if value is not None}
    return {"time": at(document, "@timestamp"), **fields, "request": {**moved, **asked}}
