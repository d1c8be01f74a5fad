"""Okta's record as Elastic's document: what the cheap reading needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.intake.shapes.forms import Tree, rows_of
from nhi_watch.intake.shapes.values import text

PARTS = (
    "uuid", "event_type", "actor", "transaction.detail", "outcome", "client.ip", "client.user_agent.raw_user_agent",
    "security_context.is_proxy", "debug_context.debug_data.threat_suspected", "debug_context.debug_data.factor",
    "debug_context.debug_data.flattened.threatSuspected", "debug_context.debug_data.flattened.factor",
    "authentication_context.external_session_id", "request.ip_chain.ip", "target.id", "target.type",
    "target.alternate_id", "target.display_name",
)  # fmt: skip
"""What is read of `okta`."""


def of_document(document: Mapping[str, Any]) -> Tree:
    """As much of the native record as `peek` reads; AttributeError or TypeError where parts are of the wrong kind."""
    okta = document["okta"]
    get, event = okta.get, document["event"]
    actor, client = get("actor") or {}, get("client") or {}
    software = client.get("user_agent") or {}
    user_agent = software.get("raw_user_agent") or (document.get("user_agent") or {}).get("original")
    debug = (get("debug_context") or {}).get("debug_data") or {}
    more = debug.get("flattened") or {}
    security = get("security_context") or {}
    detail = (get("transaction") or {}).get("detail") or {}
    address = text(client.get("ip")) or text((document.get("client") or {}).get("ip"))
    return {
        "uuid": get("uuid") if event.get("id") is None else event["id"],
        "published": document.get("@timestamp"),
        "eventType": get("event_type") if event.get("action") is None else event["action"],
        "actor": _camel(actor),
        "transaction": {"detail": {"requestApiTokenId": detail.get("request_api_token_id")}},
        "outcome": get("outcome"),
        "client": {"ipAddress": address, "userAgent": {"rawUserAgent": user_agent}},
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
        "target": [_camel(one) for one in rows_of(get("target"))],
    }


def _camel(one: Tree) -> Tree:
    get = one.get
    return {
        "id": get("id"),
        "type": get("type"),
        "displayName": get("display_name"),
        "alternateId": get("alternate_id"),
    }
