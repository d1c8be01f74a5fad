"""The catalogue of actions: what each does, for whom, its exact commands, and how to take it back.

The commands are those of the vendors' own tools (AWS CLI, Azure CLI, gcloud, gh, glab, kubectl, vault, snow) and, where
there is none, of curl on the documented API, with the token in a configuration file that curl reads. Each command is a
list of arguments; a shell never sees a value unquoted. Nothing here runs anything.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import NamedTuple

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
        Action("aws_revoke_sessions", "aws", ("role",), _R, "Revoke sessions issued before the notable's end",
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

PROVIDERS = tuple(sorted({action.provider for action in CATALOGUE.values()}))
KINDS = tuple(sorted({kind for action in CATALOGUE.values() for kind in action.kinds}))
