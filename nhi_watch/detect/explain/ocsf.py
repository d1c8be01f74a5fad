"""A notable as OCSF's Detection Finding (class 2004 of 1.5.0), for lakes and products that read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch import __version__
from nhi_watch.context.networks import is_address
from nhi_watch.core.documents import NotableDocument, TimelineDocument
from nhi_watch.core.timestamps import parse

Json = Mapping[str, Any]

VERSION = "1.5.0"
PRODUCT = "nhi_watch"
SEVERITIES = ("informational", "low", "medium", "high", "critical")
"""In the order of OCSF's `severity_id`, from 1."""
_CLASS = 2004
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_NEW, _IN_PROGRESS, _RESOLVED = (1, "New"), (2, "In Progress"), (4, "Resolved")
_USER_NAME, _IP_ADDRESS = (4, "User Name"), (2, "IP Address")
_BEHAVIOURAL = 2
_EVIDENCE = 50
_RELATED = 100


def finding(notable: NotableDocument) -> dict[str, Any]:
    """The event of a notable's latest revision; valid by the published schema.

    Args:
        notable: an object of the notable's schema.
    """
    ended = bool(notable["merged_into"]) or notable["life"] == "closed"
    activity, name = _CLOSE if ended else _UPDATE if notable["revision"] > 1 else _CREATE
    status, state = _RESOLVED if ended else _IN_PROGRESS if notable["revision"] > 1 else _NEW
    return {
        "category_uid": 2, "category_name": "Findings", "class_uid": _CLASS, "class_name": "Detection Finding",
        "activity_id": activity, "activity_name": name,
        "type_uid": _CLASS * 100 + activity, "type_name": f"Detection Finding: {name}",
        "time": _ms(notable["last_time"]), "start_time": _ms(notable["first_time"]),
        "severity_id": SEVERITIES.index(notable["severity"]) + 1, "severity": notable["severity"].capitalize(),
        "status_id": status, "status": state, "is_alert": True, "count": max(1, notable["record_count"]),
        "message": f"{notable['title']}: {notable['summary']}",
        "confidence_score": round(notable["likelihood"]), "risk_score": round(notable["likelihood"]),
        "metadata": _metadata(notable), "finding_info": _info(notable), "resources": _resources(notable),
        "evidences": [_evidence(notable, entry) for entry in _heaviest(notable)],
        "observables": _observables(notable), "remediation": {"desc": _remedy(notable)},
        "unmapped": {"nhi_kind": notable["kind"], "nhi_merged_into": notable["merged_into"] or "",
                     "nhi_signals": {signal["id"]: signal["points"] for signal in notable["signals"]}},
    }  # fmt: skip


def _ms(time: str) -> int:
    return parse(time) * 1000


def _metadata(notable: NotableDocument) -> dict[str, Any]:
    product = {"name": PRODUCT, "vendor_name": PRODUCT, "version": __version__}
    return {
        "version": VERSION,
        "product": product,
        "event_code": notable["kind"],
        "log_version": notable["model"]["id"],
        "correlation_uid": notable["id"],
        "uid": f"{notable['id']}:{notable['revision']}",
    }


def _info(notable: NotableDocument) -> dict[str, Any]:
    attacks = [
        {
            "version": "14",
            "technique": {"uid": parent},
            **({"sub_technique": {"uid": technique}} if technique != parent else {}),
        }
        for technique in notable["frameworks"]["mitre_attack"]
        for parent in [technique.partition(".")[0]]
    ]
    return {
        "uid": notable["id"],
        "title": notable["title"],
        "desc": notable["summary"],
        "types": [notable["kind"]],
        "created_time": _ms(notable["created"]),
        "first_seen_time": _ms(notable["first_time"]),
        "last_seen_time": _ms(notable["last_time"]),
        "analytic": {"type_id": _BEHAVIOURAL, "type": "Behavioral", "name": PRODUCT, "uid": notable["model"]["id"]},
        "related_events": [{"uid": name} for name in notable["record_ids"][:_RELATED]],
        **({"attacks": attacks} if attacks else {}),
    }


def _resources(notable: NotableDocument) -> list[dict[str, Any]]:
    """The identities that the notable is about, and who answers for the first one."""
    owner = notable["identity"]["owner"]
    first = {"owner": {"name": owner}} if owner else {}
    return [
        {"uid": identity["id"], "name": identity["name"], "type": identity["kind"], **(first if not at else {})}
        for at, identity in enumerate((notable["identity"], *notable["members"]))
    ]


def _heaviest(notable: NotableDocument) -> list[TimelineDocument]:
    return sorted(notable["timeline"], key=lambda entry: -entry["points"])[:_EVIDENCE]


def _evidence(notable: NotableDocument, entry: TimelineDocument) -> dict[str, Any]:
    """One behaviour: who, by which call, from where."""
    service, _, operation = entry["action"].partition(":")
    names: dict[str, Json] = {member["id"]: member for member in notable["members"]}
    name = entry["identity"]
    who: Json = names.get(name) or ({"id": name, "name": name, "kind": "unknown"} if name else notable["identity"])
    place = {"src_endpoint": _endpoint(entry["source"])} if entry["source"] else {}
    return {
        "actor": {"user": {"uid": who["id"], "name": who["name"], "type_id": 99, "type": who["kind"]}},
        "api": {"operation": operation or service, "service": {"name": service}},
        "uid": entry["record_id"],
        **place,
    }


def _endpoint(source: str) -> dict[str, str]:
    return {"ip": source} if is_address(source) else {"name": source}


def _observables(notable: NotableDocument) -> list[dict[str, Any]]:
    names = [
        ("resources.name", _USER_NAME, identity["name"]) for identity in (notable["identity"], *notable["members"])
    ]
    places = dict.fromkeys(entry["source"] for entry in _heaviest(notable) if is_address(entry["source"]))
    observables = [*names, *(("evidences.src_endpoint.ip", _IP_ADDRESS, place) for place in places)]
    return [
        {"name": name, "type_id": kind, "type": text_value, "value": value}
        for name, (kind, text_value), value in observables
    ]


def _remedy(notable: NotableDocument) -> str:
    needed = [
        f"{control['id'].replace('_', ' ')}: {control['reason']}"
        for control in notable["controls"]
        if control["required"]
    ]
    return "; ".join(needed) or "none required"
