"""Okta: the system log of an organisation.

Who acts:

- An OAuth service app (`PublicClientApp`) is an identity (`oauth_app`), by its client id.
- What is done with an API token is done by an identity of its own (`token`), beside its owner (`user`, a
  person); the token's id is the credential. So a rotated token stays at home and a stolen one is news.
- Agents and app instances are identities of their kinds, Okta itself is a `service`, an address alone `anonymous`.

Okta's ids are unique in all of Okta, so identities have no account in their id. Denied: the result DENY, or a
failure whose reason speaks of access or permission. The region is not given.

Traits, besides `browser`, `attack_tool` and `mfa`: consent (an app gets a grant), scope_growth,
new_credential_on_app, token_minted, token_reuse, impersonation, admin_policy, for_other (done to another user),
logging_reduced, threat_suspected, proxy.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from typing import Any, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, every, native, part, rebuild, renamed, rows_of
from nhi_watch.intake.shapes.values import build_event, filled, level_by_words, moment, text, true

# ---- facts
#
# What Okta's event types mean: access level and traits.


_READS = re.compile(r"(?:^|[._])(?:show_password|view|read|download|export|search|evaluate_sign_on|list)(?:[._]|$)")
_GRANTS = re.compile(
    r"privilege|user_membership|impersonation|api_token\.(?:create|enable|update)|consent|grant$|policy\.|"
    r"factor\.(?:reset|deactivate)|reset_password|\.role\.|idp\.lifecycle|credentials?\.|client_?secret"
)


# ---- okta


NAME = "okta"
SPLUNK_SOURCETYPES = ("OktaIM2:log",)
ELASTIC_INDICES = ("logs-okta.system-*",)


_PATHS = (
    "eventType", "actor.id", "actor.type", "actor.displayName", "actor.alternateId",
    "transaction.detail.requestApiTokenId", "outcome.result", "outcome.reason", "client.ipAddress",
    "client.userAgent.rawUserAgent", "securityContext.isProxy", "debugContext.debugData.threatSuspected",
    "debugContext.debugData.factor",
)  # fmt: skip
_ECS = {"published": "@timestamp", "uuid": "event.id", "eventType": "event.action"}
_SESSION = "authenticationContext.externalSessionId"
# Some writers lower the names of the top level.
_CAMEL = {
    name.lower(): name
    for name in ("eventType", "displayMessage", "authenticationContext", "debugContext", "securityContext")
}
_MARKS = ("legacyEventType", "legacyeventtype", "displayMessage", "displaymessage")
_RAW_MARKS = ('"published"', *(f'"{name}"' for name in _MARKS))
_KINDS = {
    "User": "user",
    "PublicClientApp": "oauth_app",
    "SystemPrincipal": "service",
    **dict.fromkeys(("IP address", "unknown", ""), "anonymous"),
}
_CREDENTIALS = {"service": "service", "oauth_app": "session", "user": "console"}
_DEEP = ("system.api_token.", "user.mfa.factor.", "user.account.", "user.lifecycle.", "user.session.impersonation")
"""Event types of which it matters to whom they are done."""
_MAKES = "system.api_token.create"
_REFUSED = re.compile(r"denied|not.?authori[sz]ed|unauthori[sz]ed|insufficient|forbidden|permission|access_den", re.I)


def _is_row(row: Tree) -> bool:
    is_entry = "published" in row or "outcome" in row or any(name in row for name in _MARKS)
    named = "eventType" in row or "eventtype" in row
    return (
        named and is_entry and "eventName" not in row and ("actor" in row or "actor.id" in row or "actor.type" in row)
    )


claims = claimant(_is_row, (('"eventType"', '"eventtype"'), ('"actor"',), _RAW_MARKS), "okta.system")
"""Whether the record is of Okta's system log, in any of its three shapes."""


def _for_other(targets: Any, actor_id: Any) -> bool:
    """Whether another user than the actor is concerned."""
    return any(target.get("type") == "User" and text(target.get("id")) != actor_id for target in rows_of(targets))


def _known(value: Any) -> str:
    known_text = text(value, 128)
    return "" if known_text == "unknown" else known_text


def _target(targets: Any, actor_id: Any) -> str:
    """The first target that is not the actor: a person's login, else a name, else an id."""
    for target in rows_of(targets):
        if target.get("id") != actor_id:
            person = target.get("type") == "User" and text(target.get("alternateId"))
            return (person or text(target.get("displayName")) or text(target.get("id")))[:200]
    return ""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    if is_ecs:
        row = _of_ecs(row)
    elif "eventtype" in row:
        row = {_CAMEL.get(name, name): value for name, value in row.items()}
    values = [text(at(row, path)) for path in _PATHS]
    values[0] = values[0].strip()
    if not values[0]:
        raise RejectError("no_action", "eventType is missing or not text")
    values[8] = values[8] or text(at(row, "request.ipChain.ip"))
    time = moment(row.get("published"))
    targets = row.get("target")
    other = values[0].startswith(_DEEP) and _for_other(targets, values[1])
    event = _event(*values, "y" if other else "")
    if values[0] == _MAKES:
        tokens = (text(target.get("id"), 128) for target in rows_of(targets) if target.get("type") == "Token")
        event = event._replace(issued=next((unique for unique in tokens if unique != values[1]), ""))
    uuid = text(row.get("uuid"), 256)
    more = () if uuid else (*every(row, "target.id"), at(row, "transaction.id"))
    return filled(event, time, uuid, _known(at(row, _SESSION)), _target(targets, at(row, "actor.id")), *more)


def _of_ecs(document: Tree) -> Tree:
    row = cast(Tree, renamed(part(document, "okta"), _camel))
    fields = rebuild(document, _ECS)
    client = part(row, "client")
    software = part(client, "userAgent")
    software.setdefault("rawUserAgent", at(document, "user_agent.original"))
    address = text(client.get("ip")) or text(at(document, "client.ip"))
    debug = {**part(row, "debugContext.debugData.flattened"), **part(row, "debugContext.debugData")}
    row.update(fields, client={**client, "ipAddress": address, "userAgent": software})
    row["debugContext"] = {"debugData": debug}
    return row


@remembered(1024)
def _camel(name: str) -> str:
    """A snake_case name of Elastic's as Okta has it."""
    return re.sub(r"_([a-z])", lambda m: m[1].upper(), name)


@remembered(4096)
def _event(
    action: str,
    actor_id: str,
    actor_type: str,
    name: str,
    login: str,
    token: str,
    result: str,
    reason: str,
    address: str,
    user_agent: str,
    is_proxy: str,
    threat: str,
    factor: str,
    other: str,
) -> Event:
    """The Event of a shape, without what differs from record to record; `other`: it is done to another user."""
    who = _identity(actor_id, actor_type, name, login, token)
    operation, result = action[:110], result.upper()
    refused = (
        result == "DENY"
        or action.endswith("unauth_app_access_attempt")
        or (result == "FAILURE" and _REFUSED.search(reason))
    )
    outcome = "denied" if refused else "failure" if result == "FAILURE" else "success"
    return build_event(
        0,
        who,
        f"okta:{operation}",
        account="",
        credential=token[:128],
        outcome=outcome,
        address=address,
        access=level_by_words(operation, actions.access("okta", operation), _READS, _GRANTS),
        credential_type="key" if token else _CREDENTIALS.get(who.kind, "none"),
        user_agent=user_agent,
        error=(reason or result)[:96] if outcome != "success" else "",
        traits=actions.traits("okta", operation),
        marks={
            "mfa": outcome == "success" and (operation.endswith("auth_via_mfa") or factor),
            "proxy": true(is_proxy),
            "for_other": other,
            "threat_suspected": true(threat),
        },
        links=(f"token:{token[:128]}",) if token else (),
    )


def _identity(actor_id: str, actor_type: str, actor: str, login: str, token: str) -> Identity:
    kind = "token" if token and actor_type in ("User", "") else _KINDS.get(actor_type, "app")
    if kind == "anonymous":
        return Identity("okta::anonymous", "anonymous", kind, "okta", "", "")
    unique = actor_id or login or actor or token or "unknown"
    name = (login if kind in ("user", "token") and login != "unknown" else actor) or unique
    shown = f"{name} (token)" if kind == "token" else name
    human = "user" if kind == "user" else ""
    return Identity(f"okta::{kind}:{unique}"[:512], shown[:512], kind, "okta", "", human)
