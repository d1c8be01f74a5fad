"""Tables with a header: Splunk's and Kibana's exports, and Microsoft Sentinel's rows tell what the record told."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.errors import RejectError
from nhi_watch.hosts.files import reader
from nhi_watch.intake import schemas
from nhi_watch.intake.schemas import sentinel
from nhi_watch.intake.sources import cloudtrail, gcp
from nhi_watch_lab.evaluation.ocsf_measured import differing, read
from nhi_watch_lab.evaluation.shapes import sentinel as row

SOURCES = Path(__file__).parent / "data" / "sources"

CALL = {
    "eventVersion": "1.11", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
    "eventName": "ListBuckets", "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "eventID": "e-1",
    "userAgent": "aws-cli/2", "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ci",
                     "accountId": "111122223333", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "ci"},
}  # fmt: skip
CATEGORIES = {category: table for table, category in sentinel._ENTRA.items()}
PRODUCTS = {"cloudtrail": "AWSCloudTrail", "azure": "AzureActivity", "gcp": "GCPAuditLogs", "m365": "OfficeActivity"}
LOST = {
    "cloudtrail": {"traits"}, "azure": {"region", "identity", "credential", "credential_type", "links", "reject"},
    "gcp": {"identity"}, "m365": {"session", "error"}, "entra": set[str](),
}  # fmt: skip
"""In what rows may differ from the record: `schemas/sentinel.py` says why. Azure's samples hold other logs, too."""


def samples(product: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SOURCES / f"{product}.jsonl").read_text("utf-8").splitlines()]


def table_of(product: str, record: Mapping[str, Any]) -> str:
    return PRODUCTS.get(product) or CATEGORIES.get(str(record.get("category")), "")


@pytest.mark.parametrize("product", LOST)
def test_a_row_tells_what_the_record_told_but_for_what_the_table_lacks(product: str) -> None:
    natives = [s["record"] for s in samples(product) if s["shape"] == "native" and "event" in s]
    rows = [(record, row(table, record)) for record in natives if (table := table_of(product, record))]
    differs = [differing(read(record), read(made)) for record, made in rows]
    assert len(rows) >= 10
    assert {name for names in differs for name in names} <= LOST[product]
    assert product == "azure" or sum(not names for names in differs) >= 0.8 * len(rows)


def flat(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, **record["events"][0]}


def shouted(record: dict[str, Any]) -> dict[str, Any]:
    told = {"".join(word.title() for word in name.split("_")): value for name, value in record.items()}
    return {"Type": "SalesforceServiceCloudV3_CL", "TenantId": "w", "TimeGenerated": "2026-03-02T10:00:00Z", **told}


@pytest.mark.parametrize(
    ("product", "table", "fits", "least"),
    [("azure", "StorageBlobLogs", lambda one: str(one.get("category")).startswith("Storage"), 1),
     ("workspace", "GoogleWorkspaceReports", lambda one: len(one.get("events") or ()) == 1, 10),
     ("alerts", "AWSGuardDuty", lambda one: ":guardduty:" in str(one.get("arn")), 5),
     ("okta", "OktaV2_CL", lambda one: "published" in one, 10),
     ("salesforce", "", lambda one: "EVENT_TYPE" in one, 5)],
)  # fmt: skip
def test_a_row_of_these_tables_tells_all_that_the_record_told(
    product: str, table: str, fits: Callable[[dict[str, Any]], bool], least: int
) -> None:
    natives = [s["record"] for s in samples(product) if s["shape"] == "native" and "event" in s]
    natives = [one for one in natives if isinstance(one, dict) and fits(one)]
    made = [(one, row(table, flat(one) if "events" in one else one) if table else shouted(one)) for one in natives]
    assert len(made) >= least
    assert [one for one, told in made if differing(read(one), read(told))] == []


VAULT = {
    "time": "2026-03-02T10:00:00.5Z", "category": "AuditEvent", "operationName": "SecretGet", "resultType": "Success",
    "resultSignature": "OK", "correlationId": "c-1", "callerIpAddress": "198.51.100.7",
    "resourceId": "/subscriptions/7a8b9c0d/resourcegroups/rg/providers/microsoft.keyvault/vaults/prod",
    "identity": {"claim": {"oid": "1f2e3d4c-5b6a-4789-8abc-def012345678", "upn": "ada@contoso.example",
                           "appid": "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f"}},
    "properties": {"id": "https://prod.vault.azure.net/secrets/db/1", "clientInfo": "python/3.12 azsdk-python-keyvault",
                   "httpStatusCode": 403, "requestUri": "https://prod.vault.azure.net/secrets/db/?api-version=7.4"},
}  # fmt: skip
AUDITED = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a-1", "verb": "get",
    "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/prod/secrets/db", "userAgent": "kubectl/v1.30",
    "user": {"username": "system:serviceaccount:prod:api", "groups": ["system:serviceaccounts"]},
    "sourceIPs": ["203.0.113.7"], "responseStatus": {"code": 200}, "stageTimestamp": "2026-03-02T10:00:00.5Z",
    "objectRef": {"resource": "secrets", "namespace": "prod", "name": "db", "apiVersion": "v1"},
    "requestReceivedTimestamp": "2026-03-02T10:00:00.4Z",
}  # fmt: skip
CLUSTER = {
    "time": "2026-03-02T10:00:01Z", "category": "kube-audit",
    "resourceId": "/subscriptions/7a8b9c0d/resourcegroups/rg/providers/microsoft.containerservice/managedclusters/k",
    "properties": {"log": AUDITED},
}  # fmt: skip


def older(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table that resources share which have none of their own."""
    told = record["properties"]
    xmlsoap = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_"
    claims = record.get("identity", {}).get("claim", {})
    return {
        "Type": "AzureDiagnostics", "TenantId": "workspace", "TimeGenerated": record["time"],
        "Category": record["category"], "ResourceId": record["resourceId"].upper(),
        "OperationName": record.get("operationName"), "ResultType": record.get("resultType"),
        "CorrelationId": record.get("correlationId"), "CallerIPAddress": record.get("callerIpAddress"),
        "identity_claim_oid_g": claims.get("oid"), "identity_claim_appid_g": claims.get("appid"),
        f"{xmlsoap}upn_s": claims.get("upn"), "id_s": told.get("id"), "clientInfo_s": told.get("clientInfo"),
        "httpStatusCode_d": told.get("httpStatusCode"), "log_s": json.dumps(told["log"]) if "log" in told else None,
    }  # fmt: skip


@pytest.mark.parametrize(("table", "record"), [("AZKVAuditLogs", VAULT), ("AKSAudit", CLUSTER)])
def test_a_key_vault_s_and_a_cluster_s_row_is_the_record_in_either_table(table: str, record: dict[str, Any]) -> None:
    event = read(record)
    assert not isinstance(event, str)
    assert event.identity.name in ("5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f", "system:serviceaccount:prod:api")
    assert read(row(table, record)) == read(older(record)) == event


def test_of_the_shared_table_only_what_tells_of_identities_is_read() -> None:
    with pytest.raises(RejectError, match="'AppGwLog' of AzureDiagnostics is not read; read are Audit"):
        sentinel.native({**older(VAULT), "Category": "AppGwLog"})


@pytest.mark.parametrize(
    ("table", "told"),
    [("AADServicePrincipalRiskEvents", {"riskEventType": "leakedCredentials", "servicePrincipalId": "s-1", "id": "r-1",
                                        "activityDateTime": "2026-03-02T10:00:00Z", "ipAddress": "203.0.113.7"}),
     ("AADRiskyServicePrincipals", {"id": "s-1", "displayName": "app",
                                    "riskLastUpdatedDateTime": "2026-03-02T10:00:00Z"})],
)  # fmt: skip
def test_a_row_of_a_risk_is_the_alert(table: str, told: dict[str, Any]) -> None:
    risk = {"riskLevel": "high", "riskState": "atRisk", "appId": "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f", **told}
    record = {"time": "2026-03-02T10:00:05Z", "category": sentinel._ENTRA[table], "properties": risk}
    event = read(record)
    assert not isinstance(event, str) and event.provider == "entra"
    assert read(row(table, record)) == event


def test_a_row_is_read_as_a_search_hit_and_as_raw_text_too() -> None:
    made = row("AWSCloudTrail", CALL)
    assert read(made) == read({"_source": made}) == read({"_raw": json.dumps(made), "_time": "0"}) == read(CALL)


@pytest.mark.parametrize(
    ("told", "time"),
    [("21/04/2025, 09:45:54.000", "2025-04-21T09:45:54.000Z"),
     ("4/21/2025, 1:45:54.000 PM", "2025-04-21T13:45:54.000Z"),
     ("4/1/2025 12:05:00 AM", "2025-04-01T00:05:00Z"), ("2025-04-21T09:45:54Z", "2025-04-21T09:45:54Z")],
)  # fmt: skip
def test_times_of_the_portal(told: str, time: str) -> None:
    made = {**row("AWSCloudTrail", CALL), "TimeGenerated [UTC]": told}
    del made["TimeGenerated"]
    assert sentinel.native(made)["eventTime"] == time


def test_a_table_of_ones_own_has_the_record_s_names_less_suffixes() -> None:
    told = {"TimeGenerated": "2026-03-02T10:00:00Z", "Type": "ClaudeActivities_CL", "TenantId": "workspace",
            "id_CF": "activity_1", "type_CF": "claude_file_viewed", "created_at": "2026-03-02T10:00:00Z",
            "actor": '{"type": "api_actor", "api_key_id": "apikey_1"}'}  # fmt: skip
    event = read(told)
    assert not isinstance(event, str)
    assert (event.identity.id, event.action) == ("anthropic::key:apikey_1", "anthropic:claude_file_viewed")


def test_a_table_that_is_not_read_is_named_with_those_that_are() -> None:
    with pytest.raises(RejectError, match="'Syslog' is not read; read are AWSCloudTrail, AzureActivity") as refused:
        schemas.opened({"TimeGenerated": "2026-03-02T10:00:00Z", "Type": "Syslog", "TenantId": "workspace"})
    assert refused.value.reason == "unknown_product"


def test_google_cloud_s_log_in_bigquery_is_the_entry_itself() -> None:
    natives = [s["record"] for s in samples("gcp") if s["shape"] == "native" and "event" in s]
    rows = [(one, {**one, "protopayload_auditlog": one["protoPayload"]}) for one in natives if "protoPayload" in one]
    assert len(rows) >= 10
    for record, made in rows:
        payload = dict(made["protopayload_auditlog"])
        for text, name in gcp._TEXTS.items():
            payload[text] = json.dumps(payload.pop(name)) if name in payload else None
        if "serviceData" in payload:
            payload["servicedata_v1_iam"] = payload.pop("serviceData")
        made["protopayload_auditlog"] = payload
        del made["protoPayload"]
        assert read(made) == read(record) == read({"_raw": json.dumps(made), "_time": "0"})


# ---- files


def table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    found = list(rows)
    told = io.StringIO(newline="")
    writer = csv.DictWriter(told, list(dict.fromkeys(name for one in found for name in one)))
    writer.writeheader()
    writer.writerows(found)
    return told.getvalue().encode()


def batches(path: Path) -> tuple[list[object], list[reader.Bad], list[int]]:
    found = list(reader.read([str(path)]))
    lines = [batch.where(n).line for batch in found for n in range(len(batch.records))]
    return [one for b in found for one in b.records], [bad for b in found for bad in b.bad], lines


def test_exports_of_splunk_kibana_and_sentinel_are_read_row_by_row_also_out_of_a_folder(tmp_path: Path) -> None:
    exports: dict[str, list[dict[str, Any]]] = {
        "splunk.csv": [{"_time": "1772445600", "_raw": json.dumps(CALL, indent=1), "host": "a,b"}],
        "kibana.csv": [{"@timestamp": CALL["eventTime"], "event.dataset": "aws.cloudtrail",
                        "event.original": json.dumps(CALL)}],
        "sentinel.csv.gz": [row("AWSCloudTrail", CALL)],
    }  # fmt: skip
    for name, rows in exports.items():
        told = b"\xef\xbb\xbf" + table(rows)
        (tmp_path / name).write_bytes(gzip.compress(told) if name.endswith("gz") else told)
    records, bad, _ = batches(tmp_path)
    assert bad == [] and {read(record) for record in records} == {read(CALL)} and len(records) == 3


def test_what_is_no_row_is_told_with_its_line_and_reading_goes_on(tmp_path: Path) -> None:
    good = table([{"_time": "1", "_raw": json.dumps({"a": n}, indent=1)} for n in range(3)]).split(b"\r\n")
    wrong = [b"1,2,3", b"", b'1,"\xff"', b'1,"' + b"x" * 200_000 + b'"']
    (tmp_path / "a.csv").write_bytes(b"\r\n".join([*good[:2], *wrong, *good[2:]]))
    records, bad, lines = batches(tmp_path / "a.csv")
    assert [(piece.reason, piece.line) for piece in bad] == [("cut_off", 5), ("invalid_utf8", 7)]
    assert "3 cells under a header of 2" in bad[0].detail
    assert len(records) == 4 and lines == [4, 8, 11, 14]


def test_other_tables_are_not_taken_for_logs(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_bytes(b"identity,criticality,owner,comment\na,high,b,c\n")
    _, bad, _ = batches(tmp_path / "assets.csv")
    assert [piece.reason for piece in bad] == ["unread_format"]
    assert "header 'identity,criticality,owner,comment'" in bad[0].detail


def test_kibana_s_way_to_show_a_time_is_told_with_the_setting_that_mends_it() -> None:
    shown = {"@timestamp": "Mar 2, 2026 @ 10:00:00.000", "event.dataset": "aws.cloudtrail", "event.action": "ListUsers"}
    with pytest.raises(RejectError, match="set its dateFormat to YYYY"):
        cloudtrail.read(shown)
