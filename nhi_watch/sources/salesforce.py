"""Salesforce: event log files (Login, Api…, ConnectedApp…, BulkApi…), login events, and the setup audit trail.

- Where a connected app acts (its id or OAuth client id is told, or a login of type `Remote Access`), the app is
  the identity, and the user whose rights it has is the session: stolen integrations are tokens of apps.
- Ids of 15 and 18 letters are the same record's: the first 15 tell it.
- `LoginAs`: the delegated administrator really acts; as whom, is the session.
- The log's own words are the operations: an event log file's EVENT_TYPE, `Login`, an audit trail's Action.

Traits: third_party, impersonation, mass_export (10,000 rows in one job), consent (a connected app is let in),
console (a sign-in by hand), attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Optional, cast

from nhi_watch import actions, agent, network
from nhi_watch.errors import RejectError
from nhi_watch.event import Event, Identity
from nhi_watch.sources import Peek
from nhi_watch.sources._shapes import Tree, dataset, native, rebuild
from nhi_watch.sources._times import moment, spelled
from nhi_watch.sources._values import made_id, text, whole

NAME = "salesforce"
SPLUNK_SOURCETYPES = ("sfdc:logfile", "sfdc:loginhistory", "sfdc:setupaudittrail")
ELASTIC_INDICES = ("logs-salesforce.*-*",)

_ID = 15
_MANY_ROWS = 10_000
_WRAPPED = {"_raw", "_time", "_source", "fields", "event", "data_stream"}
_MARKS = ({"EVENT_TYPE", "ORGANIZATION_ID"}, {"EventIdentifier", "EventDate"}, {"Action", "Section", "CreatedById"})
_FINE = {"", "success", "s", "login_no_error", "ok", "n/a", "1"}
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?", re.ASCII)
_BROWSERS = ("Chrome", "Firefox", "Safari", "Edge", "Opera", "IE")
_POWERS = re.compile(r"(?i).*(?:connectedapp|permset|profile|role|password|oauth|sso|certificate|user|session|trust).*")
_CONSENTS = re.compile(r"(?i)(?:insert|install|authorize|allow)\w*connected\w*|.*oauthapp.*(?:approve|allow).*")
_LOGIN = "salesforce.login"
_TRAIL = "salesforce.setup_audit_trail"
_ECS = {
    "TIMESTAMP_DERIVED": "@timestamp",
    "EventIdentifier": "event.id",
    "USER_ID": "user.id",
    "USER_NAME": "user.email",
    "USER_NAME|2": "user.name",
    "SOURCE_IP": "source.ip",
    "AGENT": "user_agent.original",
    "AGENT|2": "user_agent.name",
    "ORGANIZATION_ID": f"{_LOGIN}.organization_id",
    "ORGANIZATION_ID|2": "salesforce.apex.organization_id",
    "EVENT_TYPE": f"{_LOGIN}.event_type",
    "EVENT_TYPE|2": "salesforce.apex.event_type",
    "REQUEST_ID": f"{_LOGIN}.request.id",
    "REQUEST_ID|2": "salesforce.apex.request_id",
    "REQUEST_STATUS": f"{_LOGIN}.request.status",
    "SESSION_KEY": f"{_LOGIN}.session.key",
    "LoginType": f"{_LOGIN}.type",
    "Application": f"{_LOGIN}.application",
    "Section": f"{_TRAIL}.section",
    "DelegateUser": f"{_TRAIL}.delegate_user",
}


class Told(NamedTuple):
    """The values of a record on which its Event depends, but time, id, session and target."""

    operation: str
    organisation: str
    user: str
    name: str
    app: str
    app_name: str
    address: str
    agent: str
    status: str
    traits: str


def claims(record: object) -> bool:
    """Whether the record is Salesforce's, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Tree, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return any(all(f'"{name}"' in raw for name in marks) for marks in _MARKS) or _MARKS[0] <= row.keys()
    if dataset(row):
        return dataset(row).startswith("salesforce.")
    return any(marks <= row.keys() for marks in _MARKS)


def peek(record: object) -> Optional[Peek]:
    """The cheap reading of an ordinary record; None: needs `read`."""
    if record.__class__ is not dict or _WRAPPED & cast(Tree, record).keys():
        return None
    tree = cast(Tree, record)
    names = "".join(map(str, tree))
    if "." in names or "{}" in names:  # fields of a Splunk row
        return None
    told, session, target = _told(tree)
    time, record_id = spelled(_time(tree)), _id_of(tree, told)
    if time is None or not record_id or not told.operation:
        return None
    return cast(Peek, (told, time, record_id, session, target))


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _from_ecs(tree)
    told, session, target = _told(tree)
    event = _event_of(told)._replace(
        time=moment(_time(tree)), session=session, target=target, record_id=_id_of(tree, told)
    )
    return event if event.record_id else event._replace(record_id=made_id(event))


def _from_ecs(document: Tree) -> Tree:
    tree = rebuild(document, _ECS)
    if "Section" in tree:
        action = document.get("event")
        tree["Action"] = action.get("action") if isinstance(action, dict) else None
    if "EVENT_TYPE" not in tree and "Action" not in tree and dataset(document) == _LOGIN:
        tree["EVENT_TYPE"] = "Login"
    return tree


def _time(tree: Tree) -> object:
    """Of a log file `20260302100000.123`, unless it is spelled out beside."""
    for name in ("TIMESTAMP_DERIVED", "EventDate", "CreatedDate", "TIMESTAMP"):
        if tree.get(name):
            told = tree[name]
            match = _STAMP.fullmatch(told) if isinstance(told, str) else None
            return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else told
    return None


def _id_of(tree: Tree, told: Told) -> str:
    own = text(tree.get("EventIdentifier") or tree.get("Id"), 200)
    request = text(tree.get("REQUEST_ID"), 200)
    return own or (f"{request}:{told.operation}" if request else "")


def _told(tree: Tree) -> tuple[Told, str, str]:
    """The values; session; target."""
    get = tree.get
    operation = text(get("EVENT_TYPE") or get("Action"), 100).strip() or ("Login" if "LoginType" in tree else "")
    user = text(get("USER_ID") or get("USER_ID_DERIVED") or get("UserId") or get("CreatedById"), 64)[:_ID]
    name = text(get("USER_NAME") or get("USERNAME") or get("Username") or get("CreatedByName"), 200)
    kind = text(get("LoginType"), 60)
    app = text(get("CONNECTED_APP_ID"), 64)[:_ID] or text(get("CLIENT_ID") or get("CONNECTED_APP_NAME"), 200)
    if not app and kind.startswith("Remote Access"):
        app = text(get("Application"), 200)
    session = user if app else text(get("SESSION_KEY") or get("SessionKey"), 200)
    if operation == "LoginAs":
        session, user = f"as:{user}", text(get("DELEGATED_USER_ID"), 64)[:_ID]
        name = text(get("DELEGATED_USER_NAME"), 200)
    status = get("LOGIN_STATUS") or get("REQUEST_STATUS") or get("STATUS") or get("Status")
    told = Told(
        operation,
        text(get("ORGANIZATION_ID"), 64)[:_ID],
        user,
        name,
        app,
        text(get("CONNECTED_APP_NAME") or get("Application"), 200) if app else "",
        text(get("SOURCE_IP") or get("SourceIp") or get("CLIENT_IP"), 64),
        text(get("AGENT") or get("USER_AGENT") or get("BROWSER_TYPE") or get("Browser")),
        text(status, 128),
        ",".join(_traits(tree, operation, kind, app)),
    )
    return told, session, text(get("ENTITY_NAME") or get("Section") or get("CONNECTED_APP_ID"), 200)


@lru_cache(maxsize=1024)
def _consents(operation: str) -> bool:
    return _CONSENTS.fullmatch(operation) is not None


def _traits(tree: Tree, operation: str, kind: str, app: str) -> list[str]:
    rows = tree.get("RECORDS_PROCESSED") or tree.get("ROWS_PROCESSED")
    held = {
        "console": kind == "Application",
        "consent": _consents(operation),
        "impersonation": operation == "LoginAs" or bool(text(tree.get("DelegateUser"))),
        "mass_export": bool(rows) and (whole(rows) or 0) >= _MANY_ROWS,
        "third_party": bool(app),
    }
    return [trait for trait, holds in held.items() if holds]


@lru_cache(maxsize=4096)
def _event_of(told: Told) -> Event:
    if not told.operation:
        raise RejectError("no_action", "EVENT_TYPE, LoginType or Action is missing or no text")
    traits = {trait for trait in told.traits.split(",") if trait}
    family = "browser" if told.agent in _BROWSERS else agent.family(told.agent)
    if family == "browser":
        traits.add("browser")
    if agent.is_attack_tool(told.agent):
        traits.add("attack_tool")
    failed = told.status.lower() not in _FINE or told.operation.endswith("Failed")
    identity = _identity(told)
    return Event(
        time=0,
        provider=NAME,
        account=told.organisation,
        identity=identity,
        credential="",
        credential_type="none" if identity.kind == "anonymous" else "session",
        session="",
        action=f"{NAME}:{told.operation}",
        service=NAME,
        access=_access(told.operation),
        outcome="failure" if failed else "success",
        error=(told.status or told.operation) if failed else "",
        address=told.address,
        network=network.network_of(told.address),
        agent=family,
        region="",
        target="",
        target_class="",
        traits=tuple(sorted(traits)),
        issued="",
        record_id="",
    )


def _identity(told: Told) -> Identity:
    path, name, kind = f"user:{told.user or told.name}", told.name or told.user, "user"
    if told.app:
        path, name, kind = f"app:{told.app}", told.app_name or told.app, "app"
    elif not name:
        path = name = kind = "anonymous"
    # Ids are unique across organisations, and half of the logs do not name theirs.
    unique = f"{NAME}::{path}"[:512]
    return Identity(unique, name, kind, NAME, told.organisation, "")


def _access(operation: str) -> str:
    """Event log files tell of reading; the audit trail begins with a lower-case word and tells of changes."""
    level = actions.access(NAME, operation)
    if operation[:1].isupper():
        return "permissions" if operation == "LoginAs" else level if level != "unknown" else "read"
    return "permissions" if _POWERS.fullmatch(operation) else "write"
