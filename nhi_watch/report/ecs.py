"""The alert document: a notable in ECS 9.4 fields, and the rest under `nhi.*`.

What an analyst filters on goes into ECS fields; `related.entity` is none yet, but what Elastic's integrations write.
Never written, because the stack owns them: `kibana.*`, `user.risk.*`, `host.risk.*`, top-level `risk.*`, and
`event.category: iam`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nhi_watch import __version__
from nhi_watch.context.networks import is_address
from nhi_watch.detect.explain import brief
from nhi_watch.report import words
from nhi_watch.report.words import short_name, signed, spoken, visible

Json = Mapping[str, Any]

ECS_VERSION = "9.4.0"
DATASET = "nhi.alerts"
SEVERITY_CODES = {"informational": 21, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""`event.severity`, as Kibana's promotion rule maps it."""

_TECHNIQUE_URL = "https://attack.mitre.org/techniques/{}/"
_TOP = 5
_LONGEST = 512
LARGEST = 18_000
"""Bytes of a document; a host may add two thousand more."""
_RECORDS, _CALLS = 50, 50
"""How many record ids and entries of the timeline are kept at most."""
_CUT = ("timeline", "record_ids", "revisions", "members", "controls", "signals")
_LEAST = 5


def alert(notable: Json, *, created: str, change: str = "new", namespace: str = "default") -> dict[str, Any]:
    """The document to `create` under `document_id(notable)`.

    Args:
        notable: an object of the notable's schema.
        created: RFC 3339, when the document is written.
        change: new | escalated | updated | merged | below; only the first two are promoted to Kibana alerts, the last
            to building blocks.
        namespace: of the data stream that it goes to.
    """
    document = {
        "@timestamp": notable["last_time"],
        "ecs": {"version": ECS_VERSION},
        "message": visible(f"{notable['title']}: {notable['summary']}"),
        "tags": ["nhi", *notable["frameworks"]["owasp_nhi"], *notable["frameworks"]["nist_csf"]],
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": _event(notable, created),
        "rule": _rule(notable),
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        **_threat(notable),
        **_who(notable),
        "nhi": _rest(notable, change),
    }
    kept = document["nhi"]["notable"]
    for name in _CUT:  # what takes most room and tells least first; the state has all of it
        while _size(document) > LARGEST and len(kept[name]) > _LEAST:
            kept[name] = kept[name][: max(_LEAST, len(kept[name]) // 2)]
    kept["timeline"].sort(key=lambda entry: str(entry["time"]))
    return document


def _size(document: Json) -> int:
    """Bytes of a document; texts of logs may hold halves of characters, which are made visible as it is written."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def document_id(notable: Json) -> str:
    """One for each revision of a notable."""
    return hashlib.sha256(f"{notable['id']}|{notable['revision']}".encode()).hexdigest()


def _event(notable: Json, created: str) -> dict[str, Any]:
    return {
        "kind": "alert", "category": ["intrusion_detection"], "type": ["info"], "module": "nhi", "dataset": DATASET,
        "provider": notable["identity"]["provider"], "id": notable["id"], "code": notable["kind"],
        "action": "nhi-notable", "created": created, "start": notable["first_time"], "end": notable["last_time"],
        "severity": SEVERITY_CODES[notable["severity"]], "risk_score": notable["likelihood"],
        "risk_score_norm": notable["likelihood"], "reason": _reason(notable),
    }  # fmt: skip


def _reason(notable: Json) -> str:
    """The signals that add most, each with its sentence."""
    top = [signal for signal in notable["signals"] if signal["log_odds"] > 0][:_TOP]
    parts = (f"{spoken(s['id'])} {signed(s['log_odds'])}: {s['evidence']}" for s in top)
    return visible(" | ".join(parts) or notable["summary"])


def _rule(notable: Json) -> dict[str, Any]:
    return {
        "id": f"nhi-{notable['kind'].replace('_', '-')}", "name": visible(notable["title"], 200),
        "description": visible(notable["summary"]), "category": notable["kind"], "ruleset": "nhi_watch",
        "version": notable["model"]["id"], "author": ["nhi_watch"], "license": "Apache-2.0",
    }  # fmt: skip


def _threat(notable: Json) -> dict[str, Any]:
    techniques = notable["frameworks"]["mitre_attack"]
    if not techniques:
        return {}
    tactics, children = words.tactics(techniques), [item for item in techniques if "." in item]
    technique: dict[str, Any] = _entries(list(dict.fromkeys(item.partition(".")[0] for item in techniques)))
    return {"threat": {
        "framework": "MITRE ATT&CK",
        "tactic": {"id": [id_ for id_, _ in tactics], "name": [name for _, name in tactics]},
        "technique": {**technique, **({"subtechnique": _entries(children)} if children else {})},
    }}  # fmt: skip


def _entries(ids: list[str]) -> dict[str, list[str]]:
    return {
        "id": ids,
        "name": [words.framework(item) or item for item in ids],
        "reference": [_TECHNIQUE_URL.format(item.replace(".", "/")) for item in ids],
    }


def _who(notable: Json) -> dict[str, Any]:
    identity, addresses = notable["identity"], _addresses(notable)
    who: dict[str, Any] = {
        "service": {
            "id": identity["id"],
            "name": visible(identity["name"], _LONGEST),
            "type": identity["kind"],
            "entity": {"id": identity["id"]},
        },
        "entity": entity(identity["id"], identity["name"], identity["kind"]),
        "user": {"id": identity["id"], "name": visible(short_name(identity), _LONGEST)},
        "cloud": {"provider": identity["provider"], "account": {"id": identity["account"]}},
        "related": {"user": _each("name", notable), "entity": _each("id", notable)},
    }
    if notable["impact"]["environment"]:
        who["service"]["environment"] = notable["impact"]["environment"]
    if addresses:
        who["source"] = {"ip": addresses[0], "address": addresses[0]}
        who["related"]["ip"] = addresses
    return who


def entity(unique: str, name: str, kind: str) -> dict[str, Any]:
    """ECS' `entity.*`. The entity store goes by `entity.id` and `service.entity.id`: names are shared by several."""
    told = {"id": visible(unique, _LONGEST), "name": visible(name, _LONGEST), "type": ["service"], "sub_type": kind}
    return {**told, "source": "nhi_watch"}


def _each(what: str, notable: Json) -> list[str]:
    """Of the identity and of those linked to it."""
    return list(dict.fromkeys(visible(one[what], _LONGEST) for one in (notable["identity"], *notable["members"])))


def _addresses(notable: Json) -> list[str]:
    """IP addresses of the timeline, the ones with most points first; networks are not addresses."""
    entries = sorted(notable["timeline"], key=lambda entry: -entry["points"])
    return list(dict.fromkeys(entry["source"] for entry in entries if is_address(entry["source"])))[:50]


def _rest(notable: Json, change: str) -> dict[str, Any]:
    """The notable, with the records and the calls that tell most; the change decides on promotion.

    `brief` is the alert's note: the notable told in sentences, as `nhi brief` tells it. A rank is of one run's list.
    """
    kept = {name: value for name, value in notable.items() if name != "rank"}
    kept["record_ids"] = notable["record_ids"][:_RECORDS]
    kept["signals"] = [{**signal, "record_ids": signal["record_ids"][:1]} for signal in notable["signals"]]
    kept["timeline"] = sorted(notable["timeline"], key=lambda entry: -entry["points"])[:_CALLS]
    return {"change": change, "brief": brief.text(notable), "notable": kept}
