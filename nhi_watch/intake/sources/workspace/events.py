"""Workspace's events: parameters in every shape, access levels, and what the parameters tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from nhi_watch.context import actions
from nhi_watch.intake.shapes.forms import Tree
from nhi_watch.intake.shapes.values import listed, text

_VALUES = ("value", "multiValue", "boolValue", "intValue", "multiIntValue", "multiStrValue")

# By the words of an event's name; the first that fits.
_LEVELS = (
    ("permissions", re.compile(
        r"(?:.*_|)(?:acl|acls|role|roles|privilege|delegated|access|authorize|trusted|whitelist|allowlist|visibility|"
        r"grant|revoke|owner|member|2sv|oauth2|sso|api_client|password|recovery)(?:_.*|)")),
    ("read", re.compile(r"(?:view|download|preview|print|login|logout|copy|email_log_search|request_access|alert|"
                        r"suspicious|account_disabled|gov_attack|risky|passkey|.*_viewed|.*_log_search)(?:_.*|)")),
    ("write", re.compile(r"(?:create|add|change|update|delete|remove|edit|upload|move|rename|trash|untrash|toggle|"
                         r"enforce|customer_takeout|email_forwarding|enroll|unenroll|titanium|transfer|suspend|"
                         r"unsuspend|source_copy|sync|device|failed|ban|approve|reject|user|group|domain)(?:_.*|)")),
)  # fmt: skip
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


def parameters(told: Any) -> Tree:
    """Name → value, or list of values.

    >>> parameters([{"name": "a", "value": "1"}, {"name": "b", "multiValue": ["2", "3"]}, {"name": "c"}])
    {'a': '1', 'b': ['2', '3'], 'c': None}
    """
    if told.__class__ is dict and "name" not in told:
        return dict(told)
    found: Tree = {}
    for one in told if told.__class__ is list else listed(told):
        if one.__class__ is dict and one.get("name").__class__ is str:
            value = one.get("value")
            if value is None:
                value = next((one[key] for key in _VALUES if one.get(key) is not None), None)
            found[one["name"]] = value
    return found


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


def traits_of(app: str, operation: str, told: Tree) -> Iterable[str]:
    """What an event's parameters tell."""
    if app == "token" and operation == "activity":
        return ("third_party",)
    if app != "token" and not _telling(operation) and _GIVEN.isdisjoint(told):
        return ()
    return _told(app, operation, told)


@lru_cache(maxsize=4096)
def _telling(operation: str) -> bool:
    return _NAMES.fullmatch(operation.lower()) is not None


def _told(app: str, operation: str, told: Tree) -> Iterator[str]:
    name = operation.lower()
    if app == "token":
        yield "third_party"
        if name == "authorize":
            yield "consent"
            if any(_BROAD.fullmatch(text(scope)) for scope in listed(told.get("scope"))):
                yield "broad_scope"
    if name in ("authorize_api_client_access", "add_to_trusted_oauth2_apps"):
        yield "consent"
        if any(_BROAD.search(text(scope)) for scope in listed(told.get("API_SCOPES"))):
            yield "broad_scope"
    if name.startswith("customer_takeout"):
        yield "mass_export"
    visibility = [text(told.get(k)).lower() for k in ("visibility", "new_value")]
    if name.startswith("change_document") and any(v in _PUBLIC for v in visibility):
        yield "public"
    if text(told.get("visibility_change")) == "external" or name == "email_forwarding_out_of_domain":
        yield "shared_outside"
    if name in ("assign_role", "grant_admin_privilege") and "ADMIN" in text(told.get("ROLE_NAME") or "ADMIN").upper():
        yield "admin_policy"
    if text(told.get("is_second_factor")).lower() == "true":
        yield "mfa"


def target_of(told: Tree) -> str:
    """What the event touched."""
    for name in TARGETS:
        if name in told:
            found = text(told[name], 256)
            if found:
                return found
    return ""
