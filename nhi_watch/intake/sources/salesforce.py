"""Salesforce: event log files (Login, Api…, ConnectedApp…, BulkApi…), login events, and the setup audit trail.

- Where a connected app acts (its id or OAuth client id is given, or a login of type `Remote Access`), the app is
  the identity, and the user whose rights it has is the session, and the link `user:`: stolen integrations are tokens
  of apps.
- Ids of 15 and 18 letters are the same record's: the first 15 decide.
- `LoginAs`: the delegated administrator really acts; as whom, is the session.
- The log's own words are the operations: an event log file's EVENT_TYPE, `Login`, an audit trail's Action.

Traits: third_party, impersonation, mass_export (10,000 rows in one job), consent (a connected app is let in),
console (a sign-in by hand), attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, claimant, dataset, native, part, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, moment, plain, text, whole_number

NAME = "salesforce"
SPLUNK_SOURCETYPES = ("sfdc:logfile", "sfdc:loginhistory", "sfdc:setupaudittrail")
ELASTIC_INDICES = ("logs-salesforce.*-*",)

_ID = 15
_MANY_ROWS = 10_000
_MARKS = ({"EVENT_TYPE", "ORGANIZATION_ID"}, {"EventIdentifier", "EventDate"}, {"Action", "Section", "CreatedById"})
_FINE = {"", "success", "s", "login_no_error", "ok", "n/a", "1"}
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?", re.ASCII)
_BROWSERS = ("Chrome", "Firefox", "Safari", "Edge", "Opera", "IE")
_POWERS = re.compile(r"(?i).*(?:connectedapp|permset|profile|role|password|oauth|sso|certificate|user|session|trust).*")
_CONSENTS = re.compile(r"(?i)(?:insert|install|authorize|allow)\w*connected\w*|.*oauthapp.*(?:approve|allow).*")
_LOGIN = "salesforce.login"
_TRAIL = "salesforce.setup_audit_trail"
_ECS = {
    "TIMESTAMP_DERIVED": "@timestamp", "EventIdentifier": "event.id", "USER_ID": "user.id", "SOURCE_IP": "source.ip",
    "USER_NAME": ("user.email", "user.name"), "AGENT": ("user_agent.original", "user_agent.name"),
    "ORGANIZATION_ID": "organization.id", "REQUEST_ID": ("http.request.id", "event.code"), "action": "event.action",
    "LoginType": f"{_LOGIN}.type", "Application": f"{_LOGIN}.application", "Section": f"{_TRAIL}.section",
    "DelegateUser": f"{_TRAIL}.delegate_user",
}  # fmt: skip
_PART = {
    "AGENT": "browser_type",
    "EVENT_TYPE": "event_type",
    "ORGANIZATION_ID": "organization_id",
    "REQUEST_ID": ("request.id", "request_id"),
    "REQUEST_STATUS": ("request.status", "request_status"),
    "SESSION_KEY": ("session.key", "session_key"),
}
"""In the part of a document that is named after its dataset (`salesforce.apex`)."""
_LOGIN_ATTEMPT = "login-attempt"
Row = Mapping[str, Any]


def _is_text(raw: str) -> bool:
    return any(all(f'"{name}"' in raw for name in names) for names in _MARKS)


claims = claimant(lambda row: any(names <= row.keys() for names in _MARKS), _is_text, "salesforce.*")
"""Whether the record is Salesforce's, in any of its three shapes."""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _of_document(tree, dataset(cast(Tree, record)))
    shape, session, target = _raw(tree)
    operation, _, _, _, app, *_ = texts = tuple(map(text, shape))
    event = filled(_event_of(*texts), moment(_time(tree)), _id_of(tree, operation), session, target)
    return event._replace(links=(BEHALF + session,)) if app and session else event


def _of_document(document: Tree, stream: str) -> Tree:
    """What the integration renames, put back; the action says which event it is where its type was left out."""
    tree = {**rebuild(document, _ECS), **rebuild(part(document, stream), _PART)}
    action = plain(tree.get("action"))
    if tree.get("Section") is not None:
        return {**tree, "Action": action, "USER_NAME": None}  # its name is one out of the text shown
    operation = "Login" if action == _LOGIN_ATTEMPT else "".join(word.title() for word in action.split("-"))
    return {**tree, "EVENT_TYPE": tree.get("EVENT_TYPE") or operation}


def _time(tree: Row) -> object:
    """Of a log file `20260302100000.123`, unless it is spelled out beside."""
    for name in ("TIMESTAMP_DERIVED", "EventDate", "CreatedDate", "TIMESTAMP"):
        if tree.get(name):
            value = tree[name]
            match = _STAMP.fullmatch(value) if isinstance(value, str) else None
            return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else value
    return None


def _id_of(tree: Row, operation: str) -> str:
    of = tree.get
    own = plain(of("EventIdentifier") or of("Id"))[:200]
    if own:
        return own
    request = plain(of("REQUEST_ID"))[:200]
    return f"{request}:{operation}" if request else ""


def _raw(tree: Row) -> tuple[tuple[Any, ...], str, str]:
    """The values of `_event_of`; session; target."""
    of = tree.get
    operation = plain(of("EVENT_TYPE") or of("Action"))[:100].strip() or ("Login" if of("LoginType") else "")
    user = plain(of("USER_ID") or of("USER_ID_DERIVED") or of("UserId") or of("CreatedById"))[:_ID]
    name: Any = of("USER_NAME") or of("USERNAME") or of("Username") or of("CreatedByName")
    kind = plain(of("LoginType"))
    app = plain(of("CONNECTED_APP_ID"))[:_ID] or plain(of("CLIENT_ID") or of("CONNECTED_APP_NAME"))[:200]
    if not app and kind[:13] == "Remote Access":
        app = plain(of("Application"))[:200]
    session = user if app else plain(of("SESSION_KEY") or of("SessionKey"))[:200]
    if operation == "LoginAs":
        session, user = f"as:{user}", plain(of("DELEGATED_USER_ID"))[:_ID]
        name = of("DELEGATED_USER_NAME")
    rows = of("RECORDS_PROCESSED") or of("ROWS_PROCESSED")
    shape = (
        operation,
        plain(of("ORGANIZATION_ID"))[:_ID],
        user,
        name,
        app,
        of("CONNECTED_APP_NAME") or of("Application") if app else "",
        of("SOURCE_IP") or of("SourceIp") or of("CLIENT_IP"),
        of("AGENT") or of("USER_AGENT") or of("BROWSER_TYPE") or of("Browser"),
        of("LOGIN_STATUS") or of("REQUEST_STATUS") or of("STATUS") or of("Status"),
        "y" if kind == "Application" else "",
        "y" if operation == "LoginAs" or of("DelegateUser") else "",
        "y" if rows and (whole_number(rows) or 0) >= _MANY_ROWS else "",
    )
    return shape, session, plain(of("ENTITY_NAME") or of("Section") or of("CONNECTED_APP_ID"))[:200]


@remembered(4096)
def _event_of(
    operation: str,
    organisation: str,
    user: str,
    name: str,
    app: str,
    app_name: str,
    address: str,
    agent: str,
    status: str,
    by_hand: str,
    as_other: str,
    many: str,
) -> Event:
    """`many`: whether many rows."""
    if not operation:
        raise RejectError("no_action", "EVENT_TYPE, LoginType or Action is missing or not text")
    path, kind, name = f"user:{user or name}", "user", name or user
    if app:
        path, kind, name = f"app:{app}", "app", app_name or app
    elif not name:
        path = name = kind = "anonymous"
    agent = "Mozilla" if agent in _BROWSERS else agent  # browsers are given by their bare names, too
    failed = status.lower() not in _FINE or operation.endswith("Failed")
    # Ids are unique across organisations, and half of the logs do not name theirs.
    who = Identity(f"{NAME}::{path}"[:512], name, kind, NAME, organisation, "")
    return build_event(
        0,
        who,
        f"{NAME}:{operation}",
        credential_type="none" if kind == "anonymous" else "session",
        access=_access(operation),
        outcome="failure" if failed else "success",
        address=address,
        user_agent=agent,
        error=(status or operation) if failed else "",
        marks={
            "console": by_hand,
            "consent": _CONSENTS.fullmatch(operation),
            "impersonation": as_other,
            "mass_export": many,
            "third_party": app,
        },
    )


def _access(operation: str) -> str:
    """Event log files record reading; the audit trail, which records changes, begins with a lower-case word."""
    level = actions.access(NAME, operation)
    if operation[:1].isupper():
        return "permissions" if operation == "LoginAs" else level if level != "unknown" else "read"
    return "permissions" if _POWERS.fullmatch(operation) else "write"
