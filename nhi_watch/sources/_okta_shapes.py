"""Okta's record as Splunk's extracted fields and as Elastic's document: what the cheap reading needs of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.sources._shapes import Tree

_TARGET = ("id", "type", "alternateId", "displayName")
_TARGET_FIELDS = tuple(f"target{{}}.{name}" for name in _TARGET)
_TOP = ("uuid", "published", "eventType")


def of_row(row: Mapping[str, Any]) -> Tree:
    """As much of the native record as `peek` reads; empty where a field has several values or lines."""
    get = row.get
    target = dict(zip(_TARGET, map(get, _TARGET_FIELDS)))
    session = get("authenticationContext.externalSessionId")
    if session.__class__ is list or any(
        v is not None and (v.__class__ is not str or "\n" in v) for v in target.values()
    ):
        return {}
    told: Tree = {name: get(name) for name in _TOP}
    told["actor"] = {
        "id": get("actor.id"),
        "type": get("actor.type"),
        "displayName": get("actor.displayName"),
        "alternateId": get("actor.alternateId"),
    }
    told["transaction"] = {"detail": {"requestApiTokenId": get("transaction.detail.requestApiTokenId")}}
    told["outcome"] = {"result": get("outcome.result"), "reason": get("outcome.reason")}
    agent = {"rawUserAgent": get("client.userAgent.rawUserAgent")}
    told["client"] = {"ipAddress": get("client.ipAddress"), "userAgent": agent}
    told["securityContext"] = {"isProxy": get("securityContext.isProxy")}
    threat, factor = get("debugContext.debugData.threatSuspected"), get("debugContext.debugData.factor")
    told["debugContext"] = {"debugData": {"threatSuspected": threat, "factor": factor}}
    told["authenticationContext"] = {"externalSessionId": session}
    told["target"] = target if any(target.values()) else None
    told["request"] = {"ipChain": {"ip": get("request.ipChain{}.ip")}}
    return told


def of_document(document: Mapping[str, Any]) -> Tree:
    """The same of a nested document; AttributeError or TypeError where parts are of the wrong kind."""
    okta = document["okta"]
    get, event = okta.get, document["event"]
    actor, client = get("actor") or {}, get("client") or {}
    software = client.get("user_agent") or {}
    user_agent = software.get("raw_user_agent") or (document.get("user_agent") or {}).get("original")
    debug = (get("debug_context") or {}).get("debug_data") or {}
    more = debug.get("flattened") or {}
    security = get("security_context") or {}
    detail = (get("transaction") or {}).get("detail") or {}
    return {
        "uuid": get("uuid") if event.get("id") is None else event["id"],
        "published": document.get("@timestamp"),
        "eventType": get("event_type") if event.get("action") is None else event["action"],
        "actor": _camel(actor),
        "transaction": {"detail": {"requestApiTokenId": detail.get("request_api_token_id")}},
        "outcome": get("outcome"),
        "client": {"ipAddress": client.get("ip"), "userAgent": {"rawUserAgent": user_agent}},
        "securityContext": {"isProxy": security.get("is_proxy")},
        "debugContext": {
            "debugData": {
                "threatSuspected": debug.get("threat_suspected") or more.get("threatSuspected"),
                "factor": debug.get("factor") or more.get("factor"),
            }
        },
        "authenticationContext": {
            "externalSessionId": (get("authentication_context") or {}).get("external_session_id")
        },
        "request": {"ipChain": (get("request") or {}).get("ip_chain")},
        "target": [_camel(one) for one in get("target") or ()],
    }


def _camel(one: Tree) -> Tree:
    get = one.get
    return {
        "id": get("id"),
        "type": get("type"),
        "displayName": get("display_name"),
        "alternateId": get("alternate_id"),
    }
