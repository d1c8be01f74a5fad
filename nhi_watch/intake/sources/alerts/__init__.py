"""Other products' alerts: each becomes an event of the identity that it names.

Read are GuardDuty's findings (API, CLI, EventBridge), Security Hub's (ASFF), risks of Entra ID Protection (users and
workload identities), notable and risk events of Splunk Enterprise Security, Kibana's detection alerts, matches of
Sigma rules as Chainsaw, Hayabusa and Zircolite write them, and OCSF's Detection and Security Findings.

- The identity has the id that its own product's source gives it, where the alert tells what that takes; an alert that
  holds the record that matched is read by that record's own source. Otherwise it is an identity by name, and a link
  (its ARN, its application's id) joins it to the other.
- The action is `alert:Product/kind`, the kind as the product calls it (a finding type, a rule's name).
- The time is that of what was alerted about, where told. The record id is the alert's own, so updates of one alert
  count once a day; a finding that both GuardDuty and Security Hub tell counts once.
- A long-lived access key is the credential, a temporary one the session.

Traits: alert, and one of alert_low, alert_medium, alert_high, alert_critical.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock; no_identity (it names a machine or
a bucket, nobody), closed (its product or an analyst closed it), posture (about configuration), sample_finding,
building_block, own_notable (our own must not come back).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.forms import OF_ELASTIC, Tree, dataset, native
from nhi_watch.intake.shapes.values import event, filled, moment, text
from nhi_watch.intake.sources.alerts import clouds, siems
from nhi_watch.intake.sources.alerts.actors import Alert, Told

NAME = "alerts"
SPLUNK_SOURCETYPES = (
    "aws:cloudwatch:guardduty", "aws:securityhub:finding", "azure:aad:identity_protection:risk_detection",
    "azure:aad:identity_protection:risky_user", "stash",
)  # fmt: skip
ELASTIC_INDICES = (
    "logs-aws.guardduty-*", "logs-aws.securityhub_findings-*", "logs-azure.identity_protection-*",
    ".alerts-security.alerts-*",
)  # fmt: skip

Row = Mapping[str, Any]

_PRODUCTS: tuple[tuple[Callable[[Row], bool], Callable[[Row], Told]], ...] = (
    (clouds.is_guardduty, clouds.guardduty), (clouds.is_securityhub, clouds.securityhub),
    (clouds.is_entra, clouds.entra), (siems.is_splunk, siems.splunk), (siems.is_sigma, siems.sigma),
    (clouds.is_ocsf, clouds.ocsf),
)  # fmt: skip
"""Of each product whether an alert is its, and how it is read."""
_ECS: dict[str, Callable[[Tree], Tree]] = {
    "aws.guardduty": clouds.guardduty_of_ecs, "aws.securityhub_findings": clouds.securityhub_of_ecs,
    "azure.identity_protection": clouds.entra_of_ecs,
}  # fmt: skip
_RAW = (
    (":guardduty:", "/finding/", 'chemaVersion"'),
    ('"ProductArn"', '"GeneratorId"'),
    ('"riskState"', '"riskLevel"'),
    ('"RuleTitle"', '"Level"', '"Computer"'),
    ('"rule_level"', '"matches"'),
    ('"group"', '"document', '"level"', '"kind"'),
    ('"kibana.alert.uuid"',),
)
_FIELD_MARKS = frozenset({"service.serviceName", "resource.resourceType", "arn"})
_EVENT_MARKS = frozenset({"detail.service.serviceName", "detail.resource.resourceType"})
_FINDING_MARKS = frozenset({"detail.findings{}.ProductArn", "detail.findings{}.GeneratorId"})
"""Names of Splunk's extracted fields, all of which tell that a row is of one of the products."""
_HOSTS = OF_ELASTIC | {"kibana", "kibana.alert.uuid"}
"""What a document of Elastic's has some of, an alert of Kibana's among them."""


def claims(record: object) -> bool:
    """Whether the record is another product's alert, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return any(all(mark in raw for mark in marks) for marks in _RAW) or siems.is_splunk(row)
    if any(claimed(row) for claimed, _ in _PRODUCTS):
        return True
    if _HOSTS.isdisjoint(row):
        return _FIELD_MARKS.issubset(row) or _EVENT_MARKS.issubset(row) or _FINDING_MARKS.issubset(row)
    return siems.is_kibana(row) or dataset(row) in _ECS


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    told = _told(record)
    if not told.alert.kind:
        raise RejectError("no_action", "the alert has neither type nor rule")
    target = text(told.target, 200)
    return filled(_event(told.alert), moment(told.time), text(told.record_id, 256), told.session, target, target)


def _told(record: object) -> Told:
    """The alert, as its product's reader tells it."""
    if record.__class__ is dict and siems.is_kibana(cast(Row, record)):
        return siems.kibana(cast(Row, record))
    row = _native(record)
    if siems.is_kibana(row):
        return siems.kibana(row)
    reader = next((told for claimed, told in _PRODUCTS if claimed(row)), None)
    if reader is None:
        raise RejectError("no_action", "no alert of a product that is known")
    return reader(row)


def _native(record: object) -> Row:
    if record.__class__ is dict and siems.is_splunk(cast(Row, record)):
        return siems.row_of(cast(Row, record))
    tree, is_ecs = native(record)
    made = _ECS.get(dataset(tree)) if is_ecs else None
    return made(tree) if made else tree


@lru_cache(maxsize=4096)
def _event(alert: Alert) -> Event:
    """The Event of an alert, without what differs from record to record."""
    return event(
        0, alert.identity, f"alert:{alert.product}/{alert.kind}", account=alert.account, credential=alert.credential,
        credential_type="key" if alert.credential else "none", address=alert.address, region=alert.region,
        traits=("alert", f"alert_{alert.severity}"), links=alert.links,
    )  # fmt: skip
