"""OCSF, as Security Lake, Splunk (`aws:asl`, `aws:cloudtrail:lake`, federated) and Elastic's integration have it.

The mappings that ocsf/examples publishes are undone, and those of AWS's integrations for Security Lake: what comes out
is the record of CloudTrail, EKS's audit log, GitHub, Okta or Security Hub, and its source reads it as any other. Where
`raw_data` holds the record, that is it, of any product.
`unmapped` fills in what the classes lose. Findings of any other product stay as they are, for the source `alerts`.

Read are classes 6003, 3001, 3002, 3003, 3004, 3006, and 2001, 2003, 2004 (and 3005 of 1.0.0-rc.2, where it is API
Activity), of versions 1.0.0-rc.2 to 1.5.0. What is lost for good: docs/method/ocsf.md.

Reject reasons: unknown_version, unknown_class, unknown_product, unknown_envelope (each with what is nearest to it),
no_action, no_time, bad_time, clock, bad_json, too_deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.schemas.ocsf import aws, saas
from nhi_watch.intake.schemas.ocsf.undo import merged
from nhi_watch.intake.shapes import forms
from nhi_watch.intake.shapes.forms import Tree, at, record_in
from nhi_watch.intake.shapes.values import text, whole

NAME = "ocsf"
SPLUNK_SOURCETYPES = ("aws:asl", "aws:cloudtrail:lake")
ELASTIC_INDICES = ("logs-amazon_security_lake.*",)

VERSIONS = ("1.0.0-rc.2", "1.0.0-rc.3", "1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0")
CLASSES = {
    2001: "Security Finding", 2003: "Compliance Finding", 2004: "Detection Finding", 3001: "Account Change",
    3002: "Authentication", 3003: "Authorize Session", 3004: "Entity Management", 3006: "Group Management",
    6003: "API Activity",
}  # fmt: skip
_EARLY = {"1.0.0-rc.2": {3005: 6003}, "1.0.0-rc.3": {3005: 6003}}
"""Classes that had another number then."""
_PRODUCTS: dict[str, Callable[[Tree], Tree]] = {
    "cloudtrail": aws.cloudtrail, "eks": aws.eks, "github": saas.github, "okta": saas.okta,
}  # fmt: skip
"""Words of a product's name → what undoes its mapping."""
_ECS = {
    "time": "@timestamp",
    "message": "message",
    "metadata.uid": "event.id",
    "metadata.event_code": "event.code",
    "cloud.account.uid": "cloud.account.id",
    "cloud.provider": "cloud.provider",
    "cloud.region": "cloud.region",
    "actor.user.uid": "user.id",
    "actor.user.name": "user.name",
    "actor.user.email_addr": "user.email",
    "user.uid": "user.target.id",
    "user.name": "user.target.name",
    "user.email_addr": "user.target.email",
    "group.uid": "group.id",
    "group.name": "group.name",
    "src_endpoint.ip": "source.ip",
    "src_endpoint.domain": "source.domain",
    "http_request.user_agent": "user_agent.original",
    "http_request.http_method": "http.request.method",
    "http_request.url.path": "url.path",
}
"""What Elastic's pipeline takes out of `ocsf`, unless the integration is told to keep duplicates."""


def carries(record: Mapping[str, Any]) -> bool:
    """Whether the record is an OCSF event: as JSON, a row of Splunk's, or a document of Elastic's."""
    if "class_uid" in record or "ocsf" in record or "ocsf.class_uid" in record:
        return True
    raw = record.get("_raw")
    if raw.__class__ is str:
        return '"class_uid"' in raw and _has_class(raw)
    document = record.get("_source") or record.get("fields")
    return document.__class__ is dict and ("ocsf" in document or "ocsf.class_uid" in document)


def _has_class(raw: str) -> bool:
    """Whether it says so itself, not some text that a client wrote into another product's record."""
    try:
        return "class_uid" in forms.object_of(raw[max(raw.find("{"), 0) :])
    except RejectError:
        return False


def native(record: Mapping[str, Any]) -> Tree:
    """The record of the product, or a finding as it is.

    Raises:
        RejectError: with one of the reasons above.
    """
    event = _event(record)
    version, product = text(at(event, "metadata.version")), text(at(event, "metadata.product.name"))
    if not version:
        raise RejectError("unknown_envelope", "class_uid is there, and no metadata.version as OCSF's events have")
    if version not in VERSIONS:
        raise RejectError("unknown_version", f"OCSF {version[:20]!r} is not read; the nearest that is: "
                          + max(VERSIONS, key=lambda known: (known <= version, known)))  # fmt: skip
    kind = _class_of(event, version)
    inside = record_in(event.get("raw_data"))
    if inside is not None:
        return inside
    event = {**event, "class_uid": kind}
    named = f" {' '.join(re.findall(r'[a-z0-9]+', product.lower()))} "
    undo = next((undo for words, undo in _PRODUCTS.items() if f" {words} " in named), None)
    if undo is not None:
        return _told(undo(event))
    if kind // 1000 == 2:
        return aws.securityhub(event) if aws.is_securityhub(event) else event
    raise RejectError("unknown_product", f"{CLASSES[kind]} of {product[:60]!r} is not read, and its raw_data holds no "
                      f"record; {_near(product.lower(), tuple(_PRODUCTS))}")  # fmt: skip


def _event(record: Mapping[str, Any]) -> Tree:
    """The event as one tree, out of any host's form."""
    tree, _ = forms.native(record)
    document = forms.nested(forms.hit(tree)) if "class_uid" not in tree else tree
    inner = document.get("ocsf")
    return merged(inner, forms.rebuild(document, _ECS)) if inner.__class__ is dict else document


def _class_of(event: Tree, version: str) -> int:
    told = whole(event.get("class_uid"))
    kind = _EARLY.get(version, {}).get(told or 0, told)
    if kind in CLASSES:
        return kind
    name = text(event.get("class_name"), 60) or "without a name"
    near = [known for known in CLASSES if known // 1000 == (kind or 0) // 1000] or CLASSES
    raise RejectError("unknown_class", f"class {text(event.get('class_uid'), 20)} ({name}) of OCSF {version} is not "
                      "read; read are " + ", ".join(f"{known} {CLASSES[known]}" for known in near))  # fmt: skip


def _near(told: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(told, known, 1, 0.6)
    return f"the nearest that is: {found[0]}" if found else "read are " + ", ".join(known)


def _told(record: Tree) -> Tree:
    if not any(record.get(name) for name in ("eventName", "verb", "action", "eventType")):
        raise RejectError("no_action", "neither api.operation nor metadata.event_code tells what was done")
    return record
