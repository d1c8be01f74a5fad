"""Google Workspace's reports: OAuth tokens, sign-ins, admin activity, Drive and the rest.

- Of the token report the app is the identity (its OAuth client id), not the person who gave it access, who is the
  session, and the link `user:`. A call by a consumer key (`callerType` KEY) is that key's.
- A service account has the identity that it has in Google Cloud's logs; people are their profile id.
- The action's service is `workspace.` and the report's name. Calls of the token report are `api.method`.
- Of a record with several events the first gives the action, all give traits. A document of Elastic's holds one.
- record_id: `uniqueQualifier`, with the event's name, because Elastic's documents of one activity share it.

Traits: third_party, consent, broad_scope, mass_export, public, shared_outside, admin_policy, mfa.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, inner, native, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, google, listed, moment, plain, text

# ---- events
#
# Workspace's events: parameters in every shape, access levels, and what the parameters say.


_VALUES = ("value", "multiValue", "boolValue", "intValue", "multiIntValue", "multiStrValue")

# By the words of an event's name; the first that fits.
_LEVELS = (
    (
        "permissions",
        re.compile(
            r"(?:.*_|)(?:acl|acls|role|roles|privilege|delegated|access|authorize|trusted|whitelist|allowlist|visibility|"
            r"grant|revoke|owner|member|2sv|oauth2|sso|api_client|password|recovery)(?:_.*|)"
        ),
    ),
    (
        "read",
        re.compile(
            r"(?:view|download|preview|print|login|logout|copy|email_log_search|request_access|alert|"
            r"suspicious|account_disabled|gov_attack|risky|passkey|.*_viewed|.*_log_search)(?:_.*|)"
        ),
    ),
    (
        "write",
        re.compile(
            r"(?:create|add|change|update|delete|remove|edit|upload|move|rename|trash|untrash|toggle|"
            r"enforce|customer_takeout|email_forwarding|enroll|unenroll|titanium|transfer|suspend|"
            r"unsuspend|source_copy|sync|device|failed|ban|approve|reject|user|group|domain)(?:_.*|)"
        ),
    ),
)
_BROAD = re.compile(
    r"https://(?:mail\.google\.com/?|www\.googleapis\.com/auth/(?:drive|gmail\.(?:modify|settings\.\w+|readonly)|"
    r"admin\.directory\..*|admin\.datatransfer|cloud-platform|ediscovery|cloud_search(?:\..*)?|apps\.groups\..*))"
)
_PUBLIC = {"people_with_link", "public_on_the_web", "public_in_the_domain_and_web"}
_NAMES = re.compile(
    r"authorize_api_client_access|add_to_trusted_oauth2_apps|customer_takeout.*|change_document.*|"
    r"email_forwarding_out_of_domain|assign_role|grant_admin_privilege"
)
_GIVEN = {"visibility_change", "is_second_factor"}
TARGETS = (
    "API_CLIENT_NAME", "OAUTH2_APP_ID", "APP_ID", "APPLICATION_ID", "ROLE_NAME", "USER_EMAIL", "GROUP_EMAIL",
    "DOMAIN_NAME", "SETTING_NAME", "APPLICATION_NAME", "doc_id", "affected_email_address", "calendar_id", "group_id",
)  # fmt: skip


def parameters(values: Any) -> Tree:
    """Name → value, or list of values.

    >>> parameters([{"name": "a", "value": "1"}, {"name": "b", "multiValue": ["2", "3"]}, {"name": "c"}])
    {'a': '1', 'b': ['2', '3'], 'c': None}
    """
    if values.__class__ is dict and "name" not in values:
        return dict(values)
    fields: Tree = {}
    for entry in values if values.__class__ is list else listed(values):
        if entry.__class__ is dict and entry.get("name").__class__ is str:
            value = entry.get("value")
            if value is None:
                value = next((entry[key] for key in _VALUES if entry.get(key) is not None), None)
            fields[entry["name"]] = value
    return fields


def access(service: str, operation: str) -> str:
    """The access level of an event.

    >>> [access("workspace.drive", o) for o in ("download", "edit", "change_user_access", "frobnicate")]
    ['read', 'write', 'permissions', 'unknown']
    >>> access("workspace.token", "gmail.users.messages.list"), access("workspace.token", "authorize")
    ('list', 'permissions')
    """
    level = actions.access(service, operation)
    if level != "unknown":
        return level
    name = operation.lower()
    if "." in name:
        return actions.access(service, name.rpartition(".")[2].capitalize())
    return next((level for level, words in _LEVELS if words.fullmatch(name)), "unknown")


def traits_of(app: str, operation: str, fields: Tree) -> Iterable[str]:
    """What an event's parameters say."""
    name, of = operation.lower(), fields.get
    if app == "token" and name == "activity":
        return ("third_party",)
    if app != "token" and not _telling(name) and _GIVEN.isdisjoint(fields):
        return ()
    granted = app == "token" and name == "authorize"
    trusted = name in ("authorize_api_client_access", "add_to_trusted_oauth2_apps")
    scopes = [text(scope) for scope in listed(of("scope" if granted else "API_SCOPES")) if granted or trusted]
    seen = {text(of(name)).lower() for name in ("visibility", "new_value")}
    admin = name in ("assign_role", "grant_admin_privilege") and "ADMIN" in text(of("ROLE_NAME") or "ADMIN").upper()
    marked_traits = {
        "third_party": app == "token",
        "consent": granted or trusted,
        "admin_policy": admin,
        "broad_scope": any(map(_BROAD.fullmatch if granted else _BROAD.search, scopes)),
        "mass_export": name.startswith("customer_takeout"),
        "public": name.startswith("change_document") and seen & _PUBLIC,
        "shared_outside": text(of("visibility_change")) == "external" or name == "email_forwarding_out_of_domain",
        "mfa": text(of("is_second_factor")).lower() == "true",
    }
    return [mark for mark, holds in marked_traits.items() if holds]


@remembered(4096)
def _telling(name: str) -> bool:
    return _NAMES.fullmatch(name) is not None


def target_of(fields: Tree) -> str:
    """What the event touched."""
    return next(filter(None, (text(fields[name], 256) for name in TARGETS if name in fields)), "")


# ---- workspace


NAME = "workspace"
SPLUNK_SOURCETYPES = ("gws:reports:token", "gws:reports:login", "gws:reports:admin", "gws:reports:drive")
ELASTIC_INDICES = ("logs-google_workspace.*-*",)

Row = Mapping[str, Any]

_KINDS = ("admin#reports#activity", "audit#activity", "reports#activity")
_GOOGLE = "SYSTEM"
"""The key of what Google itself does."""
_GW = "google_workspace"
_ECS = {
    "id.time": "@timestamp",
    "id.uniqueQualifier": "event.id",
    "id.applicationName": "event.provider",
    "id.customerId": "organization.id",
    "name": "event.action",
    "actor.email": ("source.user.email", "user.email"),
    "actor.profileId": ("source.user.id", "user.id"),
    "actor.callerType": f"{_GW}.actor.type",
    "actor.key": f"{_GW}.actor.key",
    "ipAddress": "source.ip",
    "own": _GW,
    "dataset": ("event.dataset", "data_stream.dataset"),
}
# ECS renames parameters; for those that matter here, back again.
_RENAMED = {
    "token": {
        "client_id": "client.id", "app_name": "app_name", "api_name": "api_name", "method_name": "method_name",
        "scope": "scope.value",
    },
    "admin": {
        "API_CLIENT_NAME": "api.client.name", "API_SCOPES": "api.scopes", "OAUTH2_APP_ID": "oauth2.application.id",
        "APP_ID": "application.id", "ROLE_NAME": "role.name", "USER_EMAIL": "user.email",
        "GROUP_EMAIL": "group.email", "DOMAIN_NAME": "domain.name", "SETTING_NAME": "setting.name",
        "APPLICATION_NAME": "application.name",
    },
    "drive": {
        "doc_id": "file.id", "visibility": "visibility", "visibility_change": "visibility_change",
        "new_value": "new_value",
    },
    "login": {"affected_email_address": "affected_email_address", "is_second_factor": "is_second_factor"},
}  # fmt: skip


def _is_row(row: Tree) -> bool:
    if row.get("kind") in _KINDS:
        return True
    unique = row.get("id")
    named = "events" in row or "name" in row or "parameters" in row
    return ("applicationName" in unique if unique.__class__ is dict else "id.applicationName" in row) and named


claims = claimant(_is_row, (('"applicationName"',), ('"id"',), ('#activity"', '"events"')), f"{_GW}.*")
"""Whether the record is an activity of Workspace's reports, in any of its three shapes."""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _completed(rebuild(tree, _ECS))
    raw = _raw(tree)
    if raw is None:
        raise RejectError("no_action", "the event's name is missing or not text")
    shape, session, target, unique = raw
    record_id = f"{unique}:{shape[1]}"[:256] if unique else ""
    event = filled(_event_of(*map(text, shape)), moment(at(tree, "id.time")), record_id, session, target)
    return event._replace(links=(BEHALF + session,)) if session else event


def _completed(tree: Tree) -> Tree:
    """A document's parameters under the report's own names."""
    unique = tree.setdefault("id", {})
    app = unique["applicationName"] = text(unique.get("applicationName")) or text(tree.get("dataset")).partition(".")[2]
    own = inner(inner(tree, "own"), app)
    named = _RENAMED.get(app)
    if named is None:
        tree["parameters"] = own
    else:
        pairs = ((name, at(own, path)) for name, path in named.items())
        tree["parameters"] = {name: value for name, value in pairs if value is not None}
    return tree


def _raw(tree: Row) -> Optional[tuple[tuple[object, ...], str, str, str]]:
    """What the Event depends on; session; target; the activity's id. None without an event's name."""
    events = tree.get("events")
    many = [event for event in listed(events) if event.__class__ is dict] if events is not None else (tree,)
    name = plain(many[0].get("name"))[:100].strip() if many else ""
    if not name:
        return None
    unique, actor = inner(tree, "id"), inner(tree, "actor")
    app = plain(unique.get("applicationName"))[:40].strip() or "other"
    given = parameters(many[0].get("parameters"))
    traits: tuple[str, ...] = tuple(traits_of(app, name, given))
    for entry in many[1:]:
        traits += tuple(traits_of(app, text(entry.get("name")), parameters(entry.get("parameters"))))
    client = plain(given.get("client_id"))[:256] if app == "token" else ""
    email, profile = actor.get("email"), actor.get("profileId")
    session = plain(profile)[:256] or plain(email)[:256] if client else ""
    shape = (
        app, _operation(app, name, given), None if client else email, None if client else profile,
        actor.get("callerType"), actor.get("key"), tree.get("ipAddress"), unique.get("customerId"), client,
        given.get("app_name") if client else None, ",".join(sorted({*traits})) if traits else "",
        given.get("login_challenge_status") if app == "login" else None,
    )  # fmt: skip
    return shape, session, target_of(given), plain(unique.get("uniqueQualifier"))[:100]


def _operation(app: str, name: str, given: Tree) -> str:
    """Which API an app called is more than that it called one."""
    if app != "token" or name != "activity":
        return name
    method, api = text(given.get("method_name"), 80).strip(), text(given.get("api_name"), 40).strip()
    return method if not api or method.startswith(api) else f"{api}.{method}" if method else api


@remembered(4096)
def _event_of(
    app: str,
    operation: str,
    email: str,
    profile: str,
    caller: str,
    key: str,
    address: str,
    customer: str,
    client: str,
    name: str,
    traits: str,
    challenge: str,
) -> Event:
    identity = _identity((email, profile), (caller, key), (client, name), customer)
    failed = "fail" in operation.lower() or "denied" in operation.lower() or "incorrect" in challenge.lower()
    service = f"workspace.{app.lower()}"
    credential = key[:256] if caller == "KEY" and key != _GOOGLE else ""
    return build_event(
        0,
        identity,
        f"{service}:{operation}",
        provider=NAME,
        account=customer,
        credential=credential,
        credential_type=_credential_type(credential, identity.kind),
        access=access(service, operation),
        outcome="failure" if failed else "success",
        error=operation if failed else "",
        address=address,
        traits=traits.split(",") if traits else (),
    )


def _credential_type(credential: str, kind: str) -> str:
    return "key" if credential else {"anonymous": "none", "service": "service"}.get(kind, "session")


def _identity(who: tuple[str, str], by: tuple[str, str], app: tuple[str, str], customer: str) -> Identity:
    email, profile = who
    if app[0]:
        return _make(customer, f"app:{app[0]}", app[1] or app[0], "app")
    if by == ("KEY", _GOOGLE):
        return _make(customer, "service:system", "system", "service")
    if by[0] == "KEY" and by[1]:
        return _make(customer, f"app:{by[1]}", by[1], "app")
    if email.endswith("gserviceaccount.com"):
        return google(email)
    if not profile and not email:
        return _make(customer, "anonymous", "anonymous", "anonymous")
    return _make(customer, f"user:{profile or email.lower()}", email or profile, "user", "google_account")


def _make(account: str, path: str, name: str, kind: str, human: str = "") -> Identity:
    return Identity(f"{NAME}:{account}:{path}"[:512], name[:512], kind, NAME, account, human)
