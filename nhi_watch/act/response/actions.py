"""The catalogue of actions: what each does, for whom, its exact commands, and how to take it back.

The commands are those of the vendors' own tools (AWS CLI, Azure CLI, gcloud, gh, glab, kubectl, vault, snow) and, where
there is none, of curl on the documented API, with the token in a configuration file that curl reads. Each command is a
list of arguments; a shell never sees a value unquoted. Nothing here runs anything.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.context.actions import access, acts, permissions, sensitivity
from nhi_watch.core.behaviour import TARGETS
from nhi_watch.core.life import LIGHT, odd_least, tells_calls
from nhi_watch.detect.explain.brief import quoted
from nhi_watch.intake.shapes.json import parse

Params = Mapping[str, str]
Commands = tuple[tuple[str, ...], ...]


class Action(NamedTuple):
    """Something that a policy may allow to be proposed."""

    id: str
    provider: str
    kinds: tuple[str, ...]
    control: str
    """rotate_secret | reduce_privilege"""
    what: str
    needs: tuple[str, ...]
    """Parameters, see `targets.PATTERNS`."""
    do: Callable[[Params], Commands]
    undo: Callable[[Params], Commands]
    """Empty: it cannot be taken back."""
    order: int
    """Stop the misuse first, delete last."""
    breaks: str
    """What stops working."""
    of: str = ""
    """made: only of an identity that the intrusion itself made; stolen: of no such one; "": of either."""


def shell(command: tuple[str, ...]) -> str:
    """A command as one line for a shell.

    >>> shell(("aws", "x", "a b;c"))
    "aws x 'a b;c'"
    """
    return " ".join(map(shlex.quote, command))


def _key(status: str) -> Callable[[Params], Commands]:
    return lambda p: (("aws", "iam", "update-access-key", "--user-name", p["aws_name"], "--access-key-id",
                       p["aws_key"], "--status", status),)  # fmt: skip


def _delete_key(p: Params) -> Commands:
    return (("aws", "iam", "delete-access-key", "--user-name", p["aws_name"], "--access-key-id", p["aws_key"]),)


def _new_key(p: Params) -> Commands:
    return (("aws", "iam", "create-access-key", "--user-name", p["aws_name"]),)


_DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"


def _deny_all(verb: str, kind: str) -> Callable[[Params], Commands]:
    return lambda p: (("aws", "iam", f"{verb}-{kind}-policy", f"--{kind}-name", p["aws_name"], "--policy-arn",
                       _DENY_ALL),)  # fmt: skip


_ALL = "AttachedPolicies[].PolicyArn"
_ATTACHED = "AttachedPolicies[?PolicyName!=`AWSDenyAll`].PolicyArn"
_HANGS = {
    "user": (("list-attached-user-policies", _ATTACHED, "detach-user-policy", "policy-arn"),
             ("list-user-policies", "PolicyNames[]", "delete-user-policy", "policy-name"),
             ("list-groups-for-user", "Groups[].GroupName", "remove-user-from-group", "group-name")),
    "role": (("list-attached-role-policies", _ATTACHED, "detach-role-policy", "policy-arn"),
             ("list-role-policies", "PolicyNames[]", "delete-role-policy", "policy-name"),
             ("list-instance-profiles-for-role", "InstanceProfiles[].InstanceProfileName",
              "remove-role-from-instance-profile", "instance-profile-name")),
}  # fmt: skip
"""What hangs on an identity of AWS and must come off before it is deleted: list, query, call for each, its option."""
_KEYS = ("list-access-keys", "AccessKeyMetadata[].AccessKeyId", "delete-access-key", "access-key-id")


def _loop(kind: str, p: Params, *words: str) -> tuple[str, ...]:
    """A loop of the shell over a list that only AWS knows; the name is an argument of it, no part of its text."""
    listing, query, call, option = words
    script = (f'for one in $(aws iam {listing} --{kind}-name "$1" --query \'{query}\' --output text); '
              f'do aws iam {call} --{kind}-name "$1" --{option} "$one"; done')  # fmt: skip
    return "sh", "-c", script, "sh", p["aws_name"]


def _strip(kind: str) -> Callable[[Params], Commands]:
    return lambda p: tuple(_loop(kind, p, *words) for words in _HANGS[kind])


def _delete(kind: str) -> Callable[[Params], Commands]:
    listing, _, call, option = _HANGS[kind][0]
    console = ("sh", "-c", 'aws iam delete-login-profile --user-name "$1" || true', "sh")
    return lambda p: (
        *((_loop(kind, p, *_KEYS), (*console, p["aws_name"])) if kind == "user" else ()),
        _loop(kind, p, listing, _ALL, call, option), *_strip(kind)(p)[1:],
        ("aws", "iam", f"delete-{kind}", f"--{kind}-name", p["aws_name"]),
    )


def _policy(effect: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **effect}]})


def _inline(kind: str, name: str, effect: Callable[[Params], Mapping[str, object]]) -> Callable[[Params], Commands]:
    return lambda p: (("aws", "iam", f"put-{kind}-policy", f"--{kind}-name", p["aws_name"], "--policy-name", name,
                       "--policy-document", _policy(effect(p))),)  # fmt: skip


def _no_inline(kind: str, name: str) -> Callable[[Params], Commands]:
    return lambda p: (("aws", "iam", f"delete-{kind}-policy", f"--{kind}-name", p["aws_name"], "--policy-name", name),)


def _older(p: Params) -> Mapping[str, object]:
    return {"Action": "*", "Condition": {"DateLessThan": {"aws:TokenIssueTime": p["before"]}}}


def _calls(p: Params) -> Mapping[str, object]:
    return {"Action": p["calls"].split(",")}


def _enabled(value: str) -> Callable[[Params], Commands]:
    return lambda p: (("az", "ad", "sp", "update", "--id", p["app_id"], "--set", f"accountEnabled={value}"),)


_GRAPH = "https://graph.microsoft.com/v1.0"
_GRANTS = (("oauth2PermissionGrants", f"{_GRAPH}/oauth2PermissionGrants"),
           ("appRoleAssignments", f"{_GRAPH}/servicePrincipals(appId='$1')/appRoleAssignments"))  # fmt: skip
"""What people and administrators let an app do: its list at the service principal, and where each is deleted."""


def _no_grants(p: Params) -> Commands:
    """Loops over lists that only Entra knows; the app's id is an argument of them, no part of their text."""
    return tuple(
        ("sh", "-c", f'for one in $(az rest --method GET --url "{_GRAPH}/servicePrincipals(appId=\'$1\')/{listing}" '
         f'--query "value[].id" --output tsv); do az rest --method DELETE --url "{place}/$one"; done', "sh",
         p["app_id"]) for listing, place in _GRANTS
    )  # fmt: skip


def _gcloud_key(verb: str) -> Callable[[Params], Commands]:
    return lambda p: (("gcloud", "iam", "service-accounts", "keys", verb, p["gcp_key"],
                       f"--iam-account={p['email']}"),)  # fmt: skip


def _gcloud(verb: str) -> Callable[[Params], Commands]:
    return lambda p: (("gcloud", "iam", "service-accounts", verb, p["email"]),)


def _kubernetes_again(p: Params) -> Commands:
    where = ("--namespace", p["namespace"])
    return (
        ("kubectl", *where, "get", "serviceaccount", p["service_account"], "--output", "yaml"),
        ("kubectl", *where, "delete", "serviceaccount", p["service_account"]),
        ("kubectl", *where, "create", "serviceaccount", p["service_account"]),
    )


def _okta(method: str, path: str, needs: str) -> Callable[[Params], Commands]:
    return lambda p: (("curl", "--fail", "--config", "okta-token.conf", "--request", method,
                       f"{p['okta_org']}/api/v1/{path.format(p[needs])}"),)  # fmt: skip


def _vault(value: str) -> Callable[[Params], Commands]:
    return lambda p: (("vault", "write", f"identity/entity/id/{p['entity']}", f"disabled={value}"),)


def _snowflake(value: str) -> Callable[[Params], Commands]:
    return lambda p: (("snow", "sql", "--query", f'ALTER USER "{p["sf_user"]}" SET DISABLED = {value}'),)


def _anthropic(status: str) -> Callable[[Params], Commands]:
    return lambda p: (("curl", "--fail", "--config", "anthropic-token.conf", "--request", "POST", "--json",
                       json.dumps({"status": status}),
                       f"https://api.anthropic.com/v1/organizations/api_keys/{p['anthropic_key']}"),)  # fmt: skip


def _github(method: str, *more: str) -> Callable[[Params], Commands]:
    return lambda p: (("gh", "api", "--method", method, f"/orgs/{p['org']}/memberships/{p['login']}", *more),)


def _never(p: Params) -> Commands:
    return ()


_KEY = ("aws_key", "aws_name")
_USERS = "whatever signs in with it"
_R, _P = "rotate_secret", "reduce_privilege"
_SESSIONS, _FRESH = "nhi-watch-revoke-older-sessions", "nhi-watch-deny-new-calls"
_ENTRA = ("app", "service_principal", "managed_identity")

CATALOGUE = {
    action.id: action
    for action in (
        Action("aws_deactivate_key", "aws", ("user", "credential"), _R, "Switch the access key off", _KEY,
               _key("Inactive"), _key("Active"), 10, "calls signed with the key"),
        Action("aws_deny_user", "aws", ("user",), _P, "Deny the user everything", ("aws_name",),
               _deny_all("attach", "user"), _deny_all("detach", "user"), 12, "all calls of the user"),
        Action("aws_deny_role", "aws", ("role",), _P, "Deny the role everything", ("aws_name",),
               _deny_all("attach", "role"), _deny_all("detach", "role"), 12, "all calls of the role"),
        Action("aws_revoke_sessions", "aws", ("role",), _R, "Revoke the sessions issued before this plan was made",
               ("aws_name", "before"), _inline("role", _SESSIONS, _older), _no_inline("role", _SESSIONS), 10,
               "sessions that are open; workloads that renew theirs go on"),
        Action("aws_deny_new_calls_user", "aws", ("user",), _P, "Deny the calls that were new", ("aws_name", "calls"),
               _inline("user", _FRESH, _calls), _no_inline("user", _FRESH), 30, "the calls that are named", "stolen"),
        Action("aws_deny_new_calls_role", "aws", ("role",), _P, "Deny the calls that were new", ("aws_name", "calls"),
               _inline("role", _FRESH, _calls), _no_inline("role", _FRESH), 30, "the calls that are named", "stolen"),
        Action("aws_create_key", "aws", ("user",), _R, "Make a new access key for the consumers", ("aws_name",),
               _new_key, _never, 50, "nothing", "stolen"),
        Action("aws_detach_made_user", "aws", ("user",), _P, "Take from the user that the intrusion made what it was "
               "given", ("aws_name",), _strip("user"), _never, 14, "all calls of the user, which nobody else relies on",
               "made"),
        Action("aws_detach_made_role", "aws", ("role",), _P, "Take from the role that the intrusion made what it was "
               "given", ("aws_name",), _strip("role"), _never, 14, "all calls of the role, which nobody else relies on",
               "made"),
        Action("aws_delete_made_user", "aws", ("user",), _R, "Delete the user that the intrusion made", ("aws_name",),
               _delete("user"), _never, 95, "the user, its keys and its password, for good", "made"),
        Action("aws_delete_made_role", "aws", ("role",), _R, "Delete the role that the intrusion made", ("aws_name",),
               _delete("role"), _never, 95, "the role and its sessions, for good", "made"),
        Action("aws_delete_key", "aws", ("user", "credential"), _R, "Delete the access key", _KEY, _delete_key, _never,
               90, "calls signed with the key, for good"),
        Action("entra_disable_app", "entra", _ENTRA, _P, "Disable sign-in of the service principal", ("app_id",),
               _enabled("false"), _enabled("true"), 12, _USERS),
        Action("entra_revoke_grants", "entra", ("app", "service_principal"), _P, "Revoke what was consented to and "
               "assigned to the app", ("app_id",), _no_grants, _never, 16, "all that the app may do"),
        Action("entra_delete_secret", "entra", ("app",), _R, "Delete the secret or certificate",
               ("app_id", "secret_id"),
               lambda p: (("az", "ad", "app", "credential", "delete", "--id", p["app_id"], "--key-id",
                           p["secret_id"]),), _never, 90, "sign-ins with the secret, for good"),
        Action("azure_renew_storage_key", "azure", ("storage_key",), _R, "Make the storage account's key anew",
               ("storage", "slot"),
               lambda p: (("az", "storage", "account", "keys", "renew", "--account-name", p["storage"], "--key",
                           p["slot"]),), _never, 20, "whatever holds the key, and SAS tokens signed with it"),
        Action("gcp_disable_key", "gcp", ("service_account",), _R, "Disable the service account's key",
               ("gcp_key", "email"), _gcloud_key("disable"), _gcloud_key("enable"), 10, "calls signed with the key"),
        Action("gcp_disable_account", "gcp", ("service_account",), _P, "Disable the service account", ("email",),
               _gcloud("disable"), _gcloud("enable"), 12, "all calls of the service account"),
        Action("github_remove_member", "github", ("token", "user"), _P, "Remove the token's user from the organisation",
               ("login", "org"), _github("DELETE"), _github("PUT", "--raw-field", "role=member"), 12,
               "all that the user's tokens and keys do in the organisation"),
        Action("gitlab_revoke_token", "gitlab", ("token", "bot"), _R, "Revoke the access token", ("number",),
               lambda p: (("glab", "api", "--method", "DELETE", f"personal_access_tokens/{p['number']}"),), _never, 20,
               "whatever holds the token, for good"),
        Action("kubernetes_renew_account", "kubernetes", ("service_account",), _R,
               "Make the service account anew, so that its tokens end", ("namespace", "service_account"),
               _kubernetes_again, _never, 20, "pods of the account until they are restarted"),
        Action("okta_deactivate_app", "okta", ("oauth_app",), _P, "Deactivate the app", ("okta_app", "okta_org"),
               _okta("POST", "apps/{}/lifecycle/deactivate", "okta_app"),
               _okta("POST", "apps/{}/lifecycle/activate", "okta_app"), 12, _USERS),
        Action("okta_revoke_token", "okta", ("token",), _R, "Revoke the API token", ("okta_org", "okta_token"),
               _okta("DELETE", "api-tokens/{}", "okta_token"), _never, 20, "whatever holds the token, for good"),
        Action("vault_disable_entity", "vault", ("user", "workload"), _P, "Disable the entity", ("entity",),
               _vault("true"), _vault("false"), 12, "all tokens of the entity"),
        Action("snowflake_disable_user", "snowflake", ("user", "service"), _P, "Disable the user", ("sf_user",),
               _snowflake("TRUE"), _snowflake("FALSE"), 12, "all sessions of the user"),
        Action("anthropic_deactivate_key", "anthropic", ("key",), _R, "Switch the API key off", ("anthropic_key",),
               _anthropic("inactive"), _anthropic("active"), 10, "calls signed with the key"),
    )
}  # fmt: skip
"""Action id → action."""
EITHER = (
    frozenset({"aws_deny_user", "aws_deny_new_calls_user"}), frozenset({"aws_deny_role", "aws_deny_new_calls_role"}),
    frozenset({"gcp_disable_account", "gcp_disable_key"}),
)  # fmt: skip
"""Actions of which one is enough: the first stops all of the identity, the other what is odd of it."""

PROVIDERS = tuple(sorted({action.provider for action in CATALOGUE.values()}))
KINDS = tuple(sorted({kind for action in CATALOGUE.values() for kind in action.kinds}))


# ---- targets
#
# What an action may be aimed at: the parameters that an identity's id, name and credentials hold, strictly checked.
#
# Names in logs are chosen by whoever made the thing. A value that does not have exactly the shape that the vendor's API
# allows is left out, and the actions that need it are not proposed.


_CALLS = 20
"""Calls that a step names."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PATTERNS = {
    "aws_key": r"A[KS]IA[A-Z0-9]{12,124}",
    "aws_name": r"[\w+=,.@-]{1,64}",
    "calls": r"[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}(?:,[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}){0,19}",
    "before": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "app_id": _UUID,
    "secret_id": _UUID,
    "storage": r"[a-z0-9]{3,24}",
    "slot": r"key[12]",
    "email": rf"{_LABEL}@{_LABEL}\.iam\.gserviceaccount\.com",
    "gcp_key": r"[0-9a-f]{40}",
    "org": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "login": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "number": r"[1-9]\d{0,18}",
    "okta_app": r"0oa[A-Za-z0-9]{17}",
    "okta_token": r"00T[A-Za-z0-9]{17}",
    "okta_org": r"https://[a-z0-9-]{1,63}\.okta(?:preview|-emea)?\.com",
    "namespace": _LABEL,
    "service_account": rf"{_LABEL}(?:\.{_LABEL}){{0,3}}",
    "entity": _UUID,
    "sf_user": r"[A-Z0-9_.@$-]{1,120}",
    "anthropic_key": r"apikey_[A-Za-z0-9]{8,64}",
}
"""Parameter → what its value must be as a whole (ASCII only)."""

_ARN = re.compile(
    r"arn:aws[a-z-]{0,10}:iam::(?P<account>\d{12}):(?:user|role)/(?:[\w+=,.@-]{1,128}/){0,8}(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)
"""A whole ARN, or none: the end of something that only looks like one could name somebody else."""


def allowed(name: str, value: str) -> bool:
    """Whether a value has the shape of a parameter.

    >>> allowed("aws_name", "ci-deploy"), allowed("aws_name", "x; rm -rf /"), allowed("aws_name", "-x")
    (True, False, False)
    """
    return not value.startswith("-") and re.fullmatch(PATTERNS[name], value, re.ASCII) is not None


def parameters(
    member: Mapping[str, Any], credential: str, notable: Mapping[str, Any], calls: frozenset[str] = frozenset()
) -> dict[str, str]:
    """All parameters that one identity, one of its credentials ("" for none) and the notable hold.

    `calls`: what this identity called for the first time; needed where the notable is of several.
    """
    raw = {**_of_identity(member), **_of_credential(member, credential)}
    raw["before"] = max(notable["last_time"], notable.get("made") or "")  # nothing issued until the plan is left alive
    raw["calls"] = ",".join(_fresh_calls(notable, member, calls))
    return {name: value for name, value in sorted(raw.items()) if allowed(name, value)}


def _of_identity(member: Mapping[str, Any]) -> dict[str, str]:
    name, unique = str(member["name"]), str(member["id"])
    provider, kind, last = member["provider"], member["kind"], unique.rpartition(":")[2]
    if provider == "aws":
        arn = _ARN.fullmatch(name)
        if arn:
            return {"aws_name": arn["name"]} if arn["account"] == (member["account"] or arn["account"]) else {}
        # Some records of a user name it without its ARN; that AWS gave it a unique id says that it is one of IAM's.
        return {"aws_name": name} if kind == "user" and last.startswith("AIDA") else {}
    if provider == "kubernetes":
        parts = name.split(":")
        whole = len(parts) == 4 and name.startswith("system:serviceaccount:")
        return {"namespace": parts[2], "service_account": parts[3]} if whole else {}
    if provider == "github":
        return {"org": str(member["account"]), "login": name.removesuffix(" (token)") if kind == "token" else name}
    fixed = {"entra": "app_id", "gcp": "email", "vault": "entity", "snowflake": "sf_user", "okta": "okta_app"}
    if provider == "azure" and kind == "storage_key":
        return {"storage": str(member["account"]), "slot": last.partition("(")[0]}
    return {fixed[provider]: last} if provider in fixed else {}


def _of_credential(member: Mapping[str, Any], credential: str) -> dict[str, str]:
    kinds = {"aws": "aws_key", "entra": "secret_id", "gcp": "gcp_key", "okta": "okta_token", "gitlab": "number",
             "anthropic": "anthropic_key"}  # fmt: skip
    provider = member["provider"]
    if provider == "anthropic" and not credential:
        credential = str(member["id"]).rpartition(":")[2]
    return {kinds[provider]: credential} if provider in kinds else {}


def _fresh_calls(notable: Mapping[str, Any], member: Mapping[str, Any], calls: frozenset[str]) -> list[str]:
    """Permissions of calls that were news, those with most points: what the panel shows, and of what was odd what this
    one made. What its usual calls need stays allowed."""
    if member["provider"] != "aws":
        return []
    seen = [o for d in notable["usual"]["dimensions"] if d["name"] == "action" for o in d["observed"]]
    fresh = {o["value"] for o in seen if o["new"] and "," not in o["value"]}
    fresh = fresh & calls if len(notable.get("members") or ()) > 1 else fresh
    points = {entry["action"]: entry["points"] for entry in sorted(notable["timeline"], key=lambda e: e["points"])}
    fresh |= {action for action in calls if points.get(action, 0.0) >= LIGHT}
    usual = {known for d in notable["usual"]["dimensions"] if d["name"] == "action" for value in d["usual"]
             for known in permissions(value["value"])}  # fmt: skip
    ordered = sorted(fresh, key=lambda value: (-points.get(value, 0.0), value))
    fit = dict.fromkeys(known for value in ordered for known in permissions(value) if known not in usual)
    return sorted([value for value in fit if allowed("calls", value)][:_CALLS])


# ---- granted
#
# What an intrusion made or granted, by name, as the raw records of its notable say it, and what takes each back.
#
# The state holds calls, not what was handed to them. So this is for people to read beside the plan's steps, is made of
# the records that are at hand, and counts those that are not. Where a value does not have the shape that AWS allows, no
# command is written out.


_NAME = PATTERNS["aws_name"]
_POLICY = r"arn:aws[a-z-]{0,10}:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}"
_SHAPES = {"user-name": _NAME, "role-name": _NAME, "group-name": _NAME, "policy-arn": _POLICY,
           "policy-name": r"[\w+=,.@-]{1,128}", "access-key-id": PATTERNS["aws_key"]}  # fmt: skip


class _Undo(NamedTuple):
    """What takes a call back: the call of AWS CLI, and its options."""

    call: str
    options: tuple[str, ...]


_UNDO = {
    "CreateUser": _Undo("delete-user", ("user-name",)),
    "CreateRole": _Undo("delete-role", ("role-name",)),
    "CreateAccessKey": _Undo("delete-access-key", ("user-name", "access-key-id")),
    "CreateLoginProfile": _Undo("delete-login-profile", ("user-name",)),
    "AttachUserPolicy": _Undo("detach-user-policy", ("user-name", "policy-arn")),
    "AttachRolePolicy": _Undo("detach-role-policy", ("role-name", "policy-arn")),
    "AttachGroupPolicy": _Undo("detach-group-policy", ("group-name", "policy-arn")),
    "PutUserPolicy": _Undo("delete-user-policy", ("user-name", "policy-name")),
    "PutRolePolicy": _Undo("delete-role-policy", ("role-name", "policy-name")),
    "PutGroupPolicy": _Undo("delete-group-policy", ("group-name", "policy-name")),
    "AddUserToGroup": _Undo("remove-user-from-group", ("group-name", "user-name")),
}
"""A call of IAM that makes or grants something → what takes it back; deletions come last, see `told`."""
_BACK = {"".join(word.title() for word in undo.call.split("-")): undo for undo in _UNDO.values()}
"""A call of IAM that takes something back → the same as AWS CLI has it."""


def told(notable: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the notable's successful calls made or granted, log values quoted, grants before what they were given to.

    Args:
        notable: an object of the notable's schema.
        events: record id → its raw form, as far as it is at hand.

    Returns: `call`, `what` (option → quoted value), `record`, `undo` (a line for a shell; "": look it up), `gone` (the
    record by which it was taken back since; "": none at hand). Calls of which records are not at hand: `call`, and how
    many are `missing`. Other acts, see `_acts`: `call`, `count`, `targets`.
    """
    records = [(name, record) for name, event in events.items() if (record := _record(event))]
    ended = {_key_granted(_BACK[r["eventName"]], r): (str(r.get("eventTime")), name)
             for name, r in _by_time(records, _BACK)}  # fmt: skip
    found = [_told(name, record, ended) for name, record in _by_time(records, _UNDO)]
    made = Counter({f"iam:{name}": 0 for name in _UNDO})
    for entry in notable["timeline"]:
        if entry["action"] in made and entry["outcome"] == "success":
            made[entry["action"]] += entry["count"]
    made.subtract(one["call"] for one in found)
    last = ("iam:CreateUser", "iam:CreateRole")
    found.sort(key=lambda one: (bool(one["gone"]), one["call"] in last, one["call"], one["record"]))
    missing = [{"call": call, "missing": count} for call, count in sorted(made.items()) if count > 0]
    return [*found, *missing, *_acts(notable)]


def _acts(notable: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What else of the notable's odd calls has a high impact, changes permissions or costs, in their order."""
    found: dict[str, dict[str, Any]] = {}
    for entry in _odd(notable):
        call = entry["action"]
        if call.removeprefix("iam:") not in _UNDO and (entry.get("targets") or _grave(call)):
            one = found.setdefault(call, {"call": call, "count": 0, "targets": []})
            one["count"] += entry["count"]
            one["targets"] += [t for t in map(quoted, entry.get("targets", ())) if t not in one["targets"]]
    return list(found.values())


def _odd(notable: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The odd calls that were let in."""
    least = odd_least(notable) if tells_calls(notable) else LIGHT
    return [e for e in notable["timeline"] if e["outcome"] == "success" and e["points"] >= least]


def _grave(call: str) -> bool:
    service, _, operation = call.partition(":")
    level = access(service, operation)
    costs = level == "cost" and "model_invocation" not in sensitivity(service, operation)
    return costs or level == "permissions" or any(act.grave for act in acts(service, operation))


def read_secrets(notable: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """The secrets that a notable's calls read, by name; by the count of its odd calls where no name is known."""
    reads = [e for e in _odd(notable) if "secret_reading" in sensitivity(*e["action"].split(":", 1))]
    calls = sum(entry["count"] for entry in reads)
    return [{"secrets": list(map(quoted, names)), "calls": calls}] if names or calls else []


def _record(event: Mapping[str, Any]) -> dict[str, Any]:
    """The native record of a call of IAM that was let in; {} for all else."""
    try:
        record = parse(event["raw"])
        own = record["eventSource"] == "iam.amazonaws.com" and not record.get("errorCode")
        return record if own and isinstance(record["eventName"], str) else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _by_time(
    records: Sequence[tuple[str, dict[str, Any]]], calls: Collection[str]
) -> list[tuple[str, dict[str, Any]]]:
    return sorted(((n, r) for n, r in records if r["eventName"] in calls), key=lambda one: str(one[1].get("eventTime")))


def _key_granted(undo: _Undo, record: Mapping[str, Any]) -> tuple[str, ...]:
    return (undo.call, *(_value(record, option) for option in undo.options))


def _told(name: str, record: Mapping[str, Any], ended: Mapping[tuple[str, ...], tuple[str, str]]) -> dict[str, Any]:
    """The one thing that a record made or granted, and the record that took it back since."""
    undo = _UNDO[record["eventName"]]
    values = {option: _value(record, option) for option in undo.options}
    whole = all(re.fullmatch(_SHAPES[option], text, re.ASCII) and text[0] != "-" for option, text in values.items())
    words = [word for option, text in values.items() for word in (f"--{option}", text)]
    what = {option: quoted(text) for option, text in values.items() if text}
    line = shell(("aws", "iam", undo.call, *words)) if whole else ""
    when, gone = ended.get(_key_granted(undo, record), ("", ""))
    gone = gone if when >= str(record.get("eventTime")) else ""
    return {"call": f"iam:{record['eventName']}", "what": what, "record": name, "undo": line, "gone": gone}


def _value(record: Mapping[str, Any], option: str) -> str:
    """What a record says of an option: what was asked for, else what AWS answered; a key is its asker's by default."""
    first, *rest = option.split("-")
    name = first + "".join(word.title() for word in rest)
    answer = record.get("responseElements") or {}
    places = [record.get("requestParameters") or {}, *answer.values(), record.get("userIdentity") or {}]
    if option == "access-key-id":
        places = places[1:-1]
    found: Sequence[Any] = [place.get(name) for place in places if isinstance(place, dict)]
    return next((text for text in found if isinstance(text, str) and text), "")


def lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same for people."""
    if found:
        yield "What it made, granted, changed or read; take back what the steps above leave:"
    for one in found:
        if "secrets" in one or "count" in one:
            yield from _act_lines(one)
            continue
        if "missing" in one:
            more = f"{one['missing']} more, whose raw records are not at hand"
            yield f"- {one['call']}: {more}; the searches in report.html find them"
            continue
        about = ", ".join(f"{option} {text}" for option, text in one["what"].items())
        yield f"- {one['call']}: {about or 'the record does not say what'} (record {quoted(one['record'])})"
        if one["gone"]:
            yield f"  taken back since (record {quoted(one['gone'])})"
            continue
        yield f"  undo: {one['undo'] or 'not written out: the record does not name all that it takes'}"



def _act_lines(one: Mapping[str, Any]) -> Iterator[str]:
    if "count" in one:
        about = f": {', '.join(one['targets'])}" if one["targets"] else ""
        yield f"- {one['call']}, {one['count']} call{'s'[: one['count'] != 1]}{about}"
        return
    names = one["secrets"]
    if not names:
        yield f"- rotate the secrets it read, by {one['calls']} call{'s'[: one['calls'] != 1]}; no record names them"
        return
    many = f"{len(names)}{' or more' * (len(names) >= TARGETS)}"  # of each hour, so many targets are kept
    yield f"- rotate the {many} secrets it read:" if len(names) > 1 else "- rotate the secret it read:"
    yield from (f"  {name}" for name in names)
