"""Other products' alerts: whom they name is the identity of that product's own log, and none counts twice."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core import registry
from nhi_watch.core.errors import OUT_OF_SCOPE, RejectError
from nhi_watch.intake.days import Intake
from nhi_watch.intake.sources import alerts, cloudtrail, entra

FOLDER = Path(__file__).parent / "data" / "sources"
SAMPLES = [json.loads(line) for line in (FOLDER / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/payments-api"


def trail(**changes: Any) -> dict[str, Any]:
    """A CloudTrail record of the role that samples are about."""
    issuer = {"type": "Role", "principalId": "AROAQ3EGTESTROLE00001", "arn": ROLE, "accountId": ACCOUNT,
              "userName": "payments-api"}  # fmt: skip
    user = {"type": "AssumedRole", "principalId": "AROAQ3EGTESTROLE00001:i-0a", "accountId": ACCOUNT,
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/i-0a", "accessKeyId": "ASIAQ3EGTESTKEY00001",
            "sessionContext": {"sessionIssuer": issuer}}  # fmt: skip
    return {"userIdentity": user, "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
            "eventName": "ListBuckets", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
            "eventID": "00000000-0000-4000-8000-000000000001", "recipientAccountId": ACCOUNT, **changes}  # fmt: skip


def sample(kind: str, shape: str = "native") -> dict[str, Any]:
    """The first sample whose action ends so."""
    found = (s for s in SAMPLES if s["shape"] == shape and s.get("event", {}).get("action", "").endswith(kind))
    record: dict[str, Any] = next(found)["record"]
    return record


def reason(record: object) -> str:
    with pytest.raises(RejectError) as told:
        alerts.read(record)
    return told.value.reason


def test_a_finding_about_a_roles_session_is_the_roles_as_cloudtrail_names_it() -> None:
    finding, call = alerts.read(sample("IAMUser/AnomalousBehavior")), cloudtrail.read(trail())
    assert (finding.identity, finding.session) == (call.identity, call.session)
    assert finding.action == "alert:GuardDuty/CredentialAccess:IAMUser/AnomalousBehavior"
    assert finding.traits == ("alert", "alert_medium") and finding.access == "unknown"


def test_a_risk_of_an_app_is_the_apps_as_its_sign_ins_name_it() -> None:
    risk = alerts.read(sample("EntraRisk/suspiciousSignins"))
    signin = {
        "category": "ServicePrincipalSignInLogs",
        "time": "2026-03-02T10:00:00Z",
        "tenantId": risk.account,
        "properties": {
            "id": "1", "createdDateTime": "2026-03-02T10:00:00Z", "appId": risk.links[0][4:],
            "servicePrincipalId": risk.links[1][3:], "servicePrincipalName": "invoice-sync",
            "servicePrincipalCredentialKeyId": risk.credential,
        },
    }  # fmt: skip
    own = entra.read(signin)
    assert (risk.identity, risk.credential) == (own.identity, own.credential)


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (1, "low"),
        (3.9, "low"),
        (4, "medium"),
        (6.9, "medium"),
        (7, "high"),
        (8.9, "high"),
        (9, "critical"),
        ("x", "medium"),
    ],
)
def test_severities_are_the_products_own_bands(number: object, level: str) -> None:
    assert alerts.read({**sample("IAMUser/AnomalousBehavior"), "severity": number}).traits[1] == f"alert_{level}"


def test_a_finding_that_two_products_tell_and_one_that_is_updated_count_once() -> None:
    finding = sample("MaliciousIPCaller.Custom")
    later = json.loads(json.dumps(finding))
    later["updatedAt"], later["service"]["eventLastSeen"] = "2026-03-02T12:18:40Z", "2026-03-02T12:00:01Z"
    asff = next(s["record"] for s in SAMPLES if s["shape"] == "native" and "ProductArn" in s["record"])
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    grouping.feed([finding, later, asff, trail()], lambda index, error: pytest.fail(str(error)))
    assert (grouping.days.parsed, grouping.days.duplicates, grouping.days.alerts) == (4, 2, 1)


def test_of_a_mixture_of_all_logs_each_record_goes_to_its_source_or_to_the_rejects() -> None:
    lines = [line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    samples = [json.loads(line) for line in lines]
    random.Random(4).shuffle(samples)
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    rejected: list[int] = []
    grouping.feed([s["record"] for s in samples], lambda index, error: rejected.append(index))
    assert rejected == [index for index, sample in enumerate(samples) if "event" not in sample]
    assert grouping.days.parsed == len(samples) - len(rejected)


def test_alerts_of_the_siems_rules_and_our_own_do_not_come_back_as_what_they_are_about() -> None:
    copied = {"event.dataset": "aws.cloudtrail", "aws.cloudtrail.user_identity.arn": ROLE, "event.action": "GetObject"}
    ours = {"data_stream": {"dataset": "nhi.alerts"}, "event": {"kind": "alert"}}
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    grouping.feed([{**copied, "kibana.alert.uuid": "1"}, {"_source": {**copied, "kibana": {"alert": {}}}}, ours])
    assert grouping.days.rejected == {"other_log": 3} and "other_log" in OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"resource": {"resourceType": "S3Bucket"}}, "no_identity"),
        ({"resource": None}, "no_identity"),
        ({"service": {"archived": "true"}}, "closed"),
        ({"service": {"additionalInfo": {"sample": "true"}}}, "sample_finding"),
        ({"service": None, "updatedAt": None, "createdAt": None}, "no_time"),
        ({"type": {"a": "b"}}, "no_action"),
    ],
)
def test_what_is_wrong_with_a_finding_is_said(changes: dict[str, Any], why: str) -> None:
    assert reason({**sample("IAMUser/AnomalousBehavior"), **changes}) == why
