"""Snowflake: the login and query history of ACCOUNT_USAGE, as rows with column names (in any case), or ECS documents.

- Users are named by name: these views have no id. People and services look alike here but for factors and clients.
- The action of a query is its type (`snowflake:UNLOAD`), else the first word of its text. The text itself goes
  nowhere: it can hold secrets. Queries have no address, logins no session.
- Elastic's integration has logins, without the account's name; its sessions and grants are rejected as nobody's:
  login and query history have the same acts with who did them.
- Credential types: password, key (key pair, programmatic access token), session (OAuth), web_identity (SAML).

Traits: browser (Snowsight), mfa, mass_export (unloading and downloading), shared_outside (to a bucket by its
address, or accounts added to a share), public (granted to the role PUBLIC), admin_policy (a role of administrators,
or OWNERSHIP, granted), new_credential and for_other (a key, token or password set, for somebody else).

Reject reasons: not_object, bad_json, too_deep, no_identity, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, claimant, dataset, native, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, moment, name_of, plain, text

NAME = "snowflake"
SPLUNK_SOURCETYPES = ("snowflake:login_history", "snowflake:query_history")
ELASTIC_INDICES = ("logs-snowflake.login_history-*",)
_DATASET = "snowflake.login_history"

_OTHER_VIEWS = (("GRANTED_BY", "GRANTEE_NAME"), ("LOGIN_EVENT_ID", "AUTHENTICATION_METHOD"))
"""Columns of views that hold nothing that login and query history do not: grants and sessions."""

Row = Mapping[str, Any]
Parts = tuple[str, tuple[Any, ...], object, str, str, str]
"""user, shape, time, record id, session, target"""

_FACTORS = {
    "PASSWORD": "password",
    "RSA_KEYPAIR": "key",
    "PROGRAMMATIC_ACCESS_TOKEN": "key",
    "OAUTH_ACCESS_TOKEN": "session",
    "SAML2_ASSERTION": "web_identity",
    "WORKLOAD_IDENTITY": "web_identity",
}
_ECS = {
    "EVENT_ID": "event.id",
    "EVENT_TIMESTAMP": "@timestamp",
    "EVENT_TYPE": "event.action",
    "USER_NAME": "user.name",
    "CLIENT_IP": ("source.ip", f"{_DATASET}.client_ip"),
    "ERROR_CODE": "error.code",
    "ERROR_MESSAGE": "event.reason",
    "REPORTED_CLIENT_TYPE": f"{_DATASET}.reported_client_type",
    "FIRST_AUTHENTICATION_FACTOR": f"{_DATASET}.first_authentication_factor",
    "SECOND_AUTHENTICATION_FACTOR": f"{_DATASET}.second_authentication_factor",
    "IS_SUCCESS": "event.outcome",
}
_OUTCOMES = {"success": "YES", "failure": "NO"}
_DENIED = re.compile(
    r"insufficient privileges|not authorized|not allowed|ip_blocked|network_policy|390422", re.IGNORECASE
)
_SETS_KEY = re.compile(r"RSA_PUBLIC_KEY|PASSWORD\s*=|PROGRAMMATIC ACCESS TOKEN|\bPAT\b", re.IGNORECASE)
_OF_USER = re.compile(r"\bUSER\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?\"?([^\s\";]+)", re.IGNORECASE)
_ADMINS = re.compile(r"\b(?:ACCOUNTADMIN|SECURITYADMIN|ORGADMIN|USERADMIN|OWNERSHIP|MANAGE GRANTS)\b", re.IGNORECASE)
_TO_PUBLIC = re.compile(r"\bTO\s+(?:ROLE\s+)?PUBLIC\b", re.IGNORECASE)
_OUTSIDE = re.compile(r"\bINTO\s+'(?:s3|gcs|azure|https?)[a-z0-9]*://|\bADD\s+ACCOUNTS?\b", re.IGNORECASE)
_EXPORTS = ("UNLOAD", "GET_FILES")
_DEEP = ("CREATE_USER", "ALTER", "GRANT", "COPY", *_EXPORTS)
"""Statements whose text says more."""


def _completed(row: Tree) -> Tree:
    """Elastic's integration gives the outcome in a word of its own."""
    row["IS_SUCCESS"] = _OUTCOMES.get(text(row.get("IS_SUCCESS")), "")
    return row


def _is_row(row: Tree) -> bool:
    if "USER_NAME" in row and ("EXECUTION_STATUS" in row or "IS_SUCCESS" in row):
        return True
    if any(all(name in row for name in view) for view in _OTHER_VIEWS):
        return True
    return "user_name" in row and ("execution_status" in row or ("is_success" in row and "event_type" in row))


def _is_text(raw: str) -> bool:
    upper = raw.upper()
    return '"USER_NAME"' in upper and ('"EXECUTION_STATUS"' in upper or '"IS_SUCCESS"' in upper)


claims = claimant(_is_row, _is_text, "snowflake.*")
"""Whether the record is a row of one of the two views, or Elastic's document of a login."""


def _plain(time: object) -> object:
    """RFC 3339 out of `2026-03-02 14:00:05.123 -0000`."""
    if not isinstance(time, str) or time[10:11] != " ":
        return time
    parts, _, zone = time[:64].rpartition(" ")
    if zone in ("-0000", "+0000"):
        return f"{parts[:10]}T{parts[11:]}Z"
    return parts + zone if zone[:1] in ("+", "-") else time


def _parts(row: Row) -> Parts:
    """What every row holds."""
    of = row.get
    query = bool(of("EXECUTION_STATUS") or of("QUERY_ID"))
    operation = "LOGIN" if not query else _operation(plain(of("QUERY_TYPE")) or _first_word(of("QUERY_TEXT")))
    user = name_of(of("USER_NAME"))
    message = of("ERROR_MESSAGE")
    shape = (
        operation,
        of("ACCOUNT_NAME") or of("ORGANIZATION_NAME"),
        of("CLIENT_IP"),
        of("REPORTED_CLIENT_TYPE"),
        of("FIRST_AUTHENTICATION_FACTOR"),
        of("SECOND_AUTHENTICATION_FACTOR"),
        of("EXECUTION_STATUS") if query else of("IS_SUCCESS"),
        of("ERROR_CODE"),
        "denied" if message and _DENIED.search(text(message)) else "",
        _deep(operation, text(of("QUERY_TEXT"), 8192), user[:200]) if operation.startswith(_DEEP) else "",
    )
    time = of("START_TIME") or of("EVENT_TIMESTAMP") or of("p_event_time") or of("P_EVENT_TIME")
    database = of("DATABASE_NAME")
    target = f"{text(database)}.{text(of('SCHEMA_NAME'))}".strip(".") if database else text(of("WAREHOUSE_NAME"))
    own_id = of("QUERY_ID" if query else "EVENT_ID")
    return user, shape, time, text(own_id, 256), text(of("SESSION_ID"), 64), target[:200]


@remembered(1024)
def _operation(operation: str) -> str:
    return re.sub(r"\W+", "_", operation[:200].strip().upper(), flags=re.ASCII).strip("_")[:60]


def _first_word(sql: object) -> str:
    return text(sql, 8192).lstrip().partition(" ")[0]


def _deep(operation: str, sql: str, user: str) -> str:
    """The traits that a statement's text shows."""
    sets_key = operation.startswith(("CREATE_USER", "ALTER_USER")) and _SETS_KEY.search(sql) is not None
    named = _OF_USER.search(sql)
    grant = operation.startswith("GRANT")
    marked_traits = {
        "new_credential": sets_key,
        "for_other": sets_key and (named is None or named[1].upper() != user.upper()),
        "admin_policy": grant and _ADMINS.search(sql) is not None,
        "public": grant and _TO_PUBLIC.search(sql) is not None,
        "mass_export": operation in _EXPORTS,
        "shared_outside": operation in ("UNLOAD", "COPY", "ALTER_SHARE", "ALTER") and bool(_OUTSIDE.search(sql)),
    }
    return ",".join(trait for trait, holds in marked_traits.items() if holds)


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    fields, is_document = native(record)
    if any(view[0] in fields for view in _OTHER_VIEWS) or (is_document and dataset(cast(Row, record)) != _DATASET):
        raise RejectError("no_identity", "neither a login nor a query: login and query history name who did it")
    if is_document:
        fields = _completed(rebuild(fields, _ECS))
    row = (
        fields
        if "USER_NAME" in fields
        else {key.upper(): value for key, value in fields.items() if isinstance(key, str)}
    )
    user, shape, time, record_id, session, target = _parts(row)
    if not shape[0]:
        raise RejectError("no_action", "QUERY_TYPE and QUERY_TEXT are missing")
    event = _event(user, *map(text, shape))
    return filled(event, moment(_plain(time)), record_id, session, target, row.get("QUERY_HASH"))


@remembered(4096)
def _event(
    user: str,
    operation: str,
    account: str,
    address: str,
    client: str,
    factor: str,
    second: str,
    status: str,
    error: str,
    denied: str,
    deep: str,
) -> Event:
    user = user[:200]
    failed = status.upper() not in ("YES", "SUCCESS", "TRUE", "")
    level = actions.access("snowflake", operation)
    family = re.sub(r"[^a-z0-9._-]", "-", client.lower())[:40]
    by_hand = "ui" in family.split("_")
    unique = f"snowflake:{account.lower()}:user:{user.upper()}" if user else "snowflake:anonymous"
    return build_event(
        0,
        Identity(unique, user or "anonymous", "user" if user else "anonymous", "snowflake", account[:64], ""),
        f"snowflake:{operation}",
        access="write" if level == "unknown" else level,
        address=address,
        credential_type=_FACTORS.get(factor, "session" if operation != "LOGIN" else "none"),
        outcome=("denied" if denied else "failure") if failed else "success",
        target_class="own",
        error=(error or status)[:128] if failed else "",
        agent="browser" if by_hand else family,
        marks={"browser": by_hand, "mfa": second and not failed},
        traits=filter(None, deep.split(",")),
    )
