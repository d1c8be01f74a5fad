"""Alerts of other products about one of the company's identities, as often about nothing as about something.

Shapes: GuardDuty's finding in an event of EventBridge, Security Hub's ASFF, Entra's `ServicePrincipalRiskEvents` and
`UserRiskEvents`, notable events of Splunk Enterprise Security, alerts of Kibana's detection engine.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.workers import At, Line, Record, Worker, iso
from nhi_watch_lab.tables import table

GUARDDUTY = {"UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom": 5, "Discovery:IAMUser/AnomalousBehavior": 2,
             "CredentialAccess:IAMUser/AnomalousBehavior": 5, "Persistence:IAMUser/AnomalousBehavior": 5,
             "Exfiltration:S3/AnomalousBehavior": 8, "Recon:IAMUser/MaliciousIPCaller": 5,
             "Impact:IAMUser/AnomalousBehavior": 8,
             "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS": 8}
RISKS = {"anomalousServicePrincipalActivity": "medium", "suspiciousSignins": "high", "leakedCredentials": "high",
         "unfamiliarFeatures": "low", "adminConfirmedServicePrincipalCompromised": "high"}
USER_RISKS = {"unfamiliarFeatures": "medium", "anonymizedIPAddress": "medium", "unlikelyTravel": "low",
              "maliciousIPAddress": "high"}
_EVERYWHERE = {"First Time Seen Source Network": 47, "Unusual Volume Of API Calls": 47,
               "API Key Used From Hosting Provider": 73, "Activity Outside Working Hours": 21}
_RULES: dict[str, dict[str, int]] = table(__file__, "tables.json/rules")
RULES = {**_EVERYWHERE, **{name: score for rules in _RULES.values() for name, score in rules.items()}}
"""Detection rules of the company's own, with their risk scores."""
_LEVELS = {21: "low", 47: "medium", 73: "high", 99: "critical"}


def guardduty(company: Company, machine: Machine, day: int, at: At, kind: str, address: str) -> list[Line]:
    """A finding about a role or a user; `address` is where its call came from."""
    world, d = company.aws.world, at.dice
    role, finding = machine.kind == "role", d.hexes(32)
    key = d.ident("ASIA", 16) if role else machine.key_on(day)
    principal = machine.principal_on(day) + (":session" if role else "")
    details = {"accessKeyId": key, "principalId": principal, "userType": "AssumedRole" if role else "IAMUser",
               "userName": machine.arn.rsplit("/", 1)[1]}
    call = {"api": d.pick(["GetSecretValue", "ListBuckets", "DescribeInstances", "CreateAccessKey", "GetObject"]),
            "serviceName": "iam.amazonaws.com", "callerType": "Remote IP", "affectedResources": {},
            "remoteIpDetails": {"ipAddressV4": address, "organization": {"asn": "64500", "asnOrg": "unknown"}}}
    detector = f"arn:aws:guardduty:{machine.region}:{world.account}:detector/{company.uuid('gd')[:8]}"
    detail = {
        "schemaVersion": "2.0", "accountId": world.account, "region": machine.region, "partition": "aws",
        "id": finding,
        "arn": f"{detector}/finding/{finding}",
        "type": kind, "resource": {"resourceType": "AccessKey", "accessKeyDetails": details},
        "service": {"serviceName": "guardduty", "detectorId": company.uuid("gd").replace("-", ""), "archived": False,
                    "count": 1,
                    "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": call}, "resourceRole": "TARGET",
                    "eventFirstSeen": iso(at.second - 600), "eventLastSeen": iso(at.second), "additionalInfo": {}},
        "severity": GUARDDUTY[kind], "createdAt": iso(at.second + 240), "updatedAt": iso(at.second + 240),
        "title": kind, "description": f"{kind} was seen for {details['userName']}.",
    }
    record = {"version": "0", "id": d.uuid(), "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
              "account": world.account, "time": iso(at.second + 300, 0), "region": machine.region, "resources": [],
              "detail": detail}
    return [Line(at.second, "alerts", f"aws:{machine.arn}", kind, record)]


def security_hub(company: Company, machine: Machine, day: int, at: At, kind: str, address: str) -> list[Line]:
    """The same in the format of Security Hub."""
    world, d = company.aws.world, at.dice
    key = machine.key_on(day) if machine.kind == "user" else d.ident("ASIA", 16)
    detail: Record = {"PrincipalId": machine.principal_on(day), "PrincipalName": machine.arn.rsplit("/", 1)[1],
                      "PrincipalType": "IAMUser" if machine.kind == "user" else "AssumedRole", "Status": "Active"}
    level = {2: "LOW", 5: "MEDIUM", 8: "HIGH"}[GUARDDUTY[kind]]
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:guardduty:{machine.region}:{world.account}:detector/x/finding/{d.hexes(32)}",
        "ProductArn": f"arn:aws:securityhub:{machine.region}::product/aws/guardduty", "ProductName": "GuardDuty",
        "CompanyName": "Amazon", "GeneratorId": "arn:aws:guardduty", "AwsAccountId": world.account,
        "Region": machine.region,
        "Types": [f"TTPs/{kind.replace(':', '/')}"], "CreatedAt": iso(at.second + 240),
        "UpdatedAt": iso(at.second + 240),
        "FirstObservedAt": iso(at.second - 600), "LastObservedAt": iso(at.second), "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"}, "WorkflowState": "NEW", "Severity": {"Label": level, "Product": GUARDDUTY[kind]},
        "Title": kind, "Description": f"{kind} was seen for {detail['PrincipalName']}.",
        "Resources": [{"Type": "AwsIamAccessKey", "Id": f"AWS::IAM::AccessKey:{key}", "Partition": "aws",
                       "Region": machine.region, "Details": {"AwsIamAccessKey": detail}}],
        "Action": {"ActionType": "AWS_API_CALL", "AwsApiCallAction": {"Api": "GetObject",
                                                                      "ServiceName": "s3.amazonaws.com",
                   "CallerType": "remoteIp", "RemoteIpDetails": {"IpAddressV4": address}}},
    }
    record = {"version": "0", "id": d.uuid(), "detail-type": "Security Hub Findings - Imported",
              "source": "aws.securityhub",
              "account": world.account, "time": iso(at.second + 320, 0), "region": machine.region,
              "resources": [finding["Id"]], "detail": {"findings": [finding]}}
    return [Line(at.second, "alerts", f"aws:{machine.arn}", kind, record)]


def entra_risk(company: Company, worker: Worker, at: At, kind: str, address: str) -> list[Line]:
    """A risk detection about an app, or about a person."""
    facts, d, person = worker.facts, at.dice, "guid" in worker.facts
    told: Record = {
        "id": d.hexes(64), "requestId": d.uuid(), "correlationId": d.uuid(), "riskState": "atRisk",
        "riskDetail": "none",
        "riskLevel": (USER_RISKS if person else RISKS)[kind], "source": "IdentityProtection",
        "detectionTimingType": "offline",
        "ipAddress": address, "location": {"countryOrRegion": ""}, "activityDateTime": iso(at.second, 7),
        "detectedDateTime": iso(at.second + 400, 7), "lastUpdatedDateTime": iso(at.second + 400, 7),
        "tokenIssuerType": "AzureAD",
    }
    if person:
        told.update({"riskEventType": kind, "riskType": kind, "activity": "signin", "userId": facts["guid"],
                     "userPrincipalName": facts["email"], "userDisplayName": facts["email"].partition("@")[0]})
    else:
        told.update({"riskEventType": kind, "activity": "servicePrincipal", "appId": facts["app"],
                     "servicePrincipalId": facts["sp"],
                     "servicePrincipalDisplayName": facts["name"], "keyIds": [key for _, key in worker.keys[-1:]]})
    category = "UserRiskEvents" if person else "ServicePrincipalRiskEvents"
    record = {"time": iso(at.second + 420, 7), "resourceId": f"/tenants/{company.tenant_id}/providers/microsoft.aadiam",
              "operationName": "User Risk Detection" if person else "Service Principal Risk Detection",
              "operationVersion": "1.0",
              "category": category, "tenantId": company.tenant_id, "resultSignature": "None", "durationMs": 0,
              "callerIpAddress": address, "correlationId": told["correlationId"], "Level": "4", "properties": told}
    return [Line(at.second, "alerts", worker.who, kind, record)]


def kibana(company: Company, line: Line, at: At, rule: str) -> list[Line]:
    """An alert of a detection rule of Elastic Security, about a document that looks like `line`'s record."""
    d, score = at.dice, RULES[rule]
    alert = {
        "@timestamp": iso(at.second + 300), "event.kind": "signal", "ecs.version": "8.11.0",
        "kibana.alert.uuid": d.hexes(64), "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
        "kibana.alert.rule.name": rule, "kibana.alert.rule.uuid": company.uuid("rule", rule),
        "kibana.alert.rule.rule_id": company.uuid("rule-id", rule), "kibana.alert.rule.category": "Custom Query Rule",
        "kibana.alert.rule.producer": "siem", "kibana.alert.rule.consumer": "siem", "kibana.alert.rule.type": "query",
        "kibana.alert.severity": _LEVELS[score], "kibana.alert.risk_score": score, "kibana.space_ids": ["default"],
        "kibana.alert.original_time": iso(at.second), "kibana.alert.reason": f"{rule} created alert",
    }
    inner = {key: value for key, value in line.record.items() if key not in ("@timestamp", "ecs", "data_stream")}
    return [Line(at.second, "alerts", line.who, rule, {**inner, **alert})]


def notable(company: Company, line: Line, at: At, rule: str, named: dict[str, str]) -> list[Line]:
    """A notable event of Splunk Enterprise Security; `named` says whom it is about, in fields that the rule keeps."""
    score = RULES[rule]
    record: Record = {
        "_time": iso(at.second + 300, 3, "+00:00"),
        "event_id": f"{company.uuid('es').upper()}@@notable@@{at.dice.hexes(32)}",
        "search_name": f"Threat - {rule} - Rule", "rule_name": rule, "rule_title": rule, "security_domain": "threat",
        "severity": _LEVELS[score], "urgency": _LEVELS[score], "status": "1", "status_label": "New",
        "owner": "unassigned",
        "orig_sourcetype": SOURCETYPES.get(line.product, line.product), "index": "notable",
        "source": f"Threat - {rule} - Rule",
        "orig_time": f"{at.second:.3f}", "risk_score": str(score), **named,
    }
    return [Line(at.second, "alerts", line.who, rule, record)]


SOURCETYPES: dict[str, str] = table(__file__, "tables.json/sourcetypes")


def rule_for(product: str, d: Dice) -> str:
    """One of the rules that watch a product's log."""
    return d.pick([*_EVERYWHERE, *_RULES.get(product, {})])


def kind_for(machine: Machine, d: Dice) -> str:
    """One of GuardDuty's kinds that can be about an identity."""
    return d.pick([kind for kind in GUARDDUTY if machine.session == "instance" or "Instance" not in kind])
