"""Directories that are read by tables: Auth0's tenant log, JumpCloud's Directory Insights, Keycloak's events.

- Auth0: who calls the management API, else the user who signs in, else the application itself (client credentials,
  and what names no user). The operation is the log's code (`s`, `seccft`), of the API its description. Elastic's
  documents have the code in words of their own, so actions differ from the native ones.
- JumpCloud: who initiated it; admins and users have names, everything else is an application.
- Keycloak: login and admin events as its event listeners and API write them as JSON; a client that signs in by itself
  is an application. Of the server's text log (`keycloak.log`) the lines of `org.keycloak.events` are read, in Splunk
  and as Elastic's integration keeps them; all else there is no event (`no_action`).

Traits: console (Auth0's dashboard), mfa, browser, attack_tool.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, dataset, inner, native, part, rebuild, record_in
from nhi_watch.intake.shapes.values import build_event, filled, first, level_by_words, moment, text, true

NAME = "directories"
SPLUNK_SOURCETYPES = ("auth0:events", "jumpcloud:events", "keycloak:events")
ELASTIC_INDICES = ("logs-auth0.logs-*", "logs-jumpcloud.events-*", "logs-keycloak.log-*")

_FLAT = (
    ("data.client_id", "data.date", "data.type"),
    ("initiated_by.id", "event_type", "service"),
    ("realmId", "authDetails.clientId"),
)
"""Names of extracted fields that decide."""
Row = Mapping[str, Any]
_STREAMS = {"auth0.logs": "auth0", "jumpcloud.events": "jumpcloud", "keycloak.log": "keycloak"}
_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ +[A-Z]+ +\[org\.keycloak\.events\] .*?realmId=")
_PAIR = re.compile(r'(\w+)="?([^",]*)')
_RAW = (('"client_id"', '"date"', '"type"'), ('"initiated_by"', '"event_type"'), ('"realmId"', '"clientId"'))
"""Words without which a text need not be opened; what a client wrote may hold them, too."""
_READS = re.compile(r"^(?:get|list|read|search)|_(?:get|read|view)$|login|^(?:[sf]|ss|ssa)$", re.IGNORECASE)
_GRANTS = re.compile(
    r"role|grant|permission|credential|secret|admin|password|mfa|factor|api_?key|client", re.IGNORECASE
)


Parts = tuple[tuple[Any, ...], object, object, object, object]
"""The values of `_event` but for the product; time, id, session, target."""


def _is_text(raw: str) -> bool:
    if _LINE.match(raw):
        return True
    return any(all(mark in raw for mark in names) for names in _RAW) and _product(record_in(raw) or {}) != ""


def _is_row(row: Tree) -> bool:
    return _product(row) != "" or any(all(name in row for name in names) for names in _FLAT)


claims = claimant(_is_row, _is_text, *_STREAMS)
"""Whether the record is of one of these directories, in any of its three shapes."""


def _product(row: Row) -> str:
    data = row.get("data", row)
    if data.__class__ is dict and "type" in data and "date" in data and ("client_id" in data or "user_id" in data):
        return "auth0"
    if "initiated_by" in row and "event_type" in row and "service" in row:
        return "jumpcloud"
    if "realmId" in row and ("authDetails" in row or ("type" in row and "clientId" in row)):
        return "keycloak"
    return ""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    raw: Any = cast(Row, record).get("_raw") if record.__class__ is dict else None
    if raw.__class__ is str and _LINE.match(raw):
        tree, is_document = _of_text(raw, cast(Row, record)), False
    else:
        tree, is_document = native(record)
    product = _STREAMS.get(dataset(cast(Row, record)), "") if is_document else _product(tree)
    if not product:
        raise RejectError("no_action", "none of the events of Auth0, JumpCloud or Keycloak")
    shape, time, unique, session, target = _READERS[product](_of_document(tree, product) if is_document else tree)
    event = _event(product, *map(text, shape))
    return filled(event, moment(time), text(unique, 256), text(session, 256), text(target, 256))


def _of_text(raw: str, row: Row) -> Tree:
    """A line of Keycloak's server log; of a name that comes twice the first counts: clients write what follows."""
    fields: Tree = {}
    for name, value in _PAIR.findall(raw.partition("]")[2]):
        fields.setdefault(name, value)
    return {**fields, "time": row.get("_time"), "details": {"username": fields.get("username")}}


def _of_document(document: Tree, product: str) -> Tree:
    if product == "keycloak":
        return rebuild(document, _KEYCLOAK)
    if product == "jumpcloud":
        return {**rebuild(document, _JUMPCLOUD), **part(document, "jumpcloud.event")}
    fields = rebuild(document, _AUTH0)
    return {"log_id": at(document, "event.id"), "data": {**part(document, "auth0.logs.data"), **fields}}


_AUTH0 = {
    "user_id": "user.id",
    "user_name": "user.name",
    "ip": "source.ip",
    "user_agent": "user_agent.original",
    "type": "event.action",
    "date": "@timestamp",
}
_JUMPCLOUD = {
    "id": "event.id",
    "timestamp": "@timestamp",
    "event_type": "event.action",
    "client_ip": "client.ip",
    "initiated_by.id": "source.user.id",
    "initiated_by.email": "source.user.email",
}

_KEYCLOAK = {
    "time": "@timestamp",
    "type": "keycloak.login.type",
    "realmId": "keycloak.realm.id",
    "userId": "user.id",
    "clientId": "keycloak.client.id",
    "details.username": "user.name",
    "ipAddress": "source.address",
    "operationType": "keycloak.admin.operation",
    "resourceType": "keycloak.admin.resource.type",
    "resourcePath": "keycloak.admin.resource.path",
    "code": "event.code",
}


def _auth0(row: Tree) -> Parts:
    data = inner(row, "data") or row
    of, asked = data.get, inner(inner(data, "details"), "request")
    by = inner(inner(asked, "auth"), "user")
    code, channel = text(of("type")), text(asked.get("channel"))
    is_api = code in ("sapi", "fapi", "success-api-operation", "failed-api-operation")
    operation = text(of("description")).strip().replace(" ", "_") if is_api and of("description") else code
    status = text(at(data, "details.response.statusCode"))
    failed = code.startswith(("f", "limit", "pwd_leak", "signup_pwd_leak")) or status[:1] in ("4", "5")
    outcome = "denied" if status in ("401", "403") else "failure" if failed else "success"
    shape = (
        of("tenant_name") or of("hostname"),
        by.get("user_id") or (None if is_api else of("user_id")),
        by.get("email") or by.get("name") or of("user_name"),
        of("client_id"),
        of("client_name"),
        operation,
        outcome,
        status if failed and status else code if failed else "",
        of("ip"),
        of("user_agent"),
        "console" if channel.startswith("https://manage.auth0.com") else "",
    )
    return shape, of("date"), row.get("log_id") or of("log_id"), at(data, "details.session_id"), of("audience")


def _jumpcloud(row: Tree) -> Parts:
    of, who = row.get, inner(row, "initiated_by")
    is_person = text(who.get("type")) in ("admin", "user", "")
    name = first(who.get("email"), who.get("username"), who.get("name"))
    failed = "success" in row and not true(of("success"))
    shape = (
        of("organization"),
        who.get("id") if is_person else None,
        name,
        who.get("id"),
        name,
        of("event_type"),
        "failure" if failed else "success",
        first(of("error_code"), of("error_message"), "failed") if failed else "",
        of("client_ip"),
        at(row, "useragent.name"),
        "mfa" if true(of("mfa")) and not failed else "",
    )
    thing = inner(row, "resource") or inner(row, "application")
    return shape, of("timestamp"), of("id"), None, first(thing.get("name"), thing.get("id"))


def _keycloak(row: Tree) -> Parts:
    of = row.get
    kind = text(of("type"))
    who, error = inner(row, "authDetails") or row, text(of("error") or (kind and of("code")))
    done = kind or "_".join(filter(None, (text(of("operationType")), text(of("resourceType")))))
    alone = kind.startswith("CLIENT_LOGIN")
    shape = (
        of("realmId"),
        None if alone else who.get("userId"),
        at(row, "details.username") or who.get("userId"),
        who.get("clientId"),
        who.get("clientId"),
        done,
        "failure" if error or kind.endswith("_ERROR") else "success",
        error,
        who.get("ipAddress"),
        None,
        "",
    )
    return shape, of("time"), of("id"), of("sessionId"), of("resourcePath")


_READERS: dict[str, Callable[[Tree], Parts]] = {"auth0": _auth0, "jumpcloud": _jumpcloud, "keycloak": _keycloak}


@remembered(4096)
def _event(
    product: str,
    account: str,
    user: str,
    name: str,
    app: str,
    app_name: str,
    operation: str,
    outcome: str,
    error: str,
    address: str,
    agent: str,
    traits: str,
) -> Event:
    """`traits` separated by commas."""
    operation = "".join(operation.split())[:100]
    if not operation:
        raise RejectError("no_action", "the type of the event is missing")
    kind, unique, name = ("user", user, name) if user else ("app", app, app_name)
    path = f"{kind}:{unique}" if unique else "anonymous"
    who = Identity(
        f"{product}:{account}:{path}"[:512],
        (name or unique or "anonymous")[:256],
        path.partition(":")[0],
        product,
        account[:64],
        "",
    )
    return build_event(
        0,
        who,
        f"{product}:{operation}",
        credential_type="session" if user else "key",
        access=level_by_words(operation, "unknown", _READS, _GRANTS),
        outcome=outcome,
        error=error[:128],
        address=address,
        user_agent=agent,
        traits=filter(None, traits.split(",")),
    )
