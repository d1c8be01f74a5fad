"""Kibana's detection alerts (`.alerts-security.alerts-*`): a copy of the event that matched, and `kibana.alert.*`.

Fields: elastic.co/guide, "Alert schema". The event's own source reads the copy; alerts that hold none (thresholds,
new terms, sequences) are read from what they group by. Building blocks are told again by the alert that is built on
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes.forms import Tree, at, dataset, every, hit, is_alert, nested
from nhi_watch.intake.shapes.values import first, text
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import Alert, Told, kind_of, matched, of_event, severity_of
from nhi_watch.intake.sources.endpoint.host import host_of, host_user

Row = Mapping[str, Any]

PRODUCT = "Kibana"
_OURS = "nhi."
_WHO = (
    "aws.cloudtrail.user_identity.arn", "gcp.audit.authentication_info.principal_email", "user.id", "user.name",
    "user.email", "kubernetes.audit.user.username",
)  # fmt: skip


def claims(row: Row) -> bool:
    """Whether a record is an alert of Kibana's, or one of ours in its data stream."""
    document = hit(row)
    if is_alert(document):
        inner = document.get("kibana")
        return "kibana.alert.uuid" in document or (inner.__class__ is dict and "alert" in inner)
    return dataset(row).startswith(_OURS)


def told(row: Row) -> Told:
    """The alert in a document.

    Raises:
        RejectError: own_notable, closed, building_block, no_action, no_identity.
    """
    tree = nested(hit(row))
    alert = at(tree, "kibana.alert")
    if is_ours(tree):
        raise RejectError("own_notable", "our own alert must not come back as another product's")
    if alert.__class__ is not dict:
        raise RejectError("no_action", "kibana.alert is no object")
    if text(alert.get("workflow_status")) == "closed":
        raise RejectError("closed", "the alert is closed")
    if alert.get("building_block_type"):
        raise RejectError("building_block", "the alert that is built on it tells it again")
    inner = {k: v for k, v in tree.items() if k != "kibana"}
    kind = kind_of(first(at(alert, "rule.name"), at(alert, "rule.rule_id")))
    severity = severity_of(text(alert.get("severity")), text(alert.get("risk_score")))
    time = alert.get("original_time") or alert.get("start") or tree.get("@timestamp")
    event = matched(inner)
    if event is not None:
        return of_event(PRODUCT, kind, severity, event)._replace(time=time, record_id=alert.get("uuid"))
    identity = _identity(inner, alert)
    if identity is None:
        raise RejectError("no_identity", "the alert names no identity")
    address = first(at(inner, "source.ip"), at(inner, "source.address"))[:128]
    made = Alert(PRODUCT, kind, severity, identity, identity.account, "", address, text(at(inner, "cloud.region"), 64))
    return Told(made, time, alert.get("uuid"))


def is_ours(tree: Tree) -> bool:
    """Whether it is one of our own alerts, or one that a rule made of it."""
    for path in ("event.dataset", "data_stream.dataset", "event.module", "kibana.alert.original_event.dataset",
                 "kibana.alert.original_event.module"):  # fmt: skip
        if f"{text(at(tree, path), 100)}.".startswith(_OURS):
            return True
    return False


def _identity(inner: Row, alert: Row) -> Optional[Identity]:
    account = text(at(inner, "cloud.account.id"), 64)
    grouped = [text(one) for one in every(alert, "threshold_result.terms.value") + every(alert, "new_terms")]
    texts = [first(at(inner, path)) for path in _WHO]
    found = actors.first_named((*texts, *grouped), account)
    if found is not None:
        return found
    host, name = host_of(inner)
    unique, user = first(at(inner, "user.id"))[:128], first(at(inner, "user.name"))[:128]
    return host_user(host, unique, user, name) if host and (unique or user) else None
