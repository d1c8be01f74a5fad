"""Google Cloud audit log entries."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import ALNUM, Chance
from .fill import Filler, iso_fraction
from .model import Identity, Op, Place, Record

FILE = "gcp_audit.ndjson.gz"


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    f = Filler(world.tenant, who, rng, time, args)
    method = op.key[4:].replace("JobService.ExtractJob", "JobService.InsertJob")
    service, kind, permission = op.note.split(";")
    project = f.var("project")
    resource = f.fill(op.response)
    stream_name = "data_access" if op.data or op.read else "activity"
    email = who.name
    caller: Dict[str, Any] = {"principalEmail": email, "principalSubject": ("user:" if who.human else "serviceAccount:") + email}
    if who.auth == "gkey":
        caller["serviceAccountKeyName"] = f"//iam.googleapis.com/projects/{who.ids['project']}/serviceAccounts/{email}/keys/{who.key_at(time)}"
    denied = error == "denied"
    payload: Dict[str, Any] = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 7,
        "message": f"Permission '{permission}' denied on resource (or it may not exist)."} if denied else {"code": 14, "message": "The service is currently unavailable."} if error else {},
                               "authenticationInfo": caller, "requestMetadata": {"callerIp": place.ip, "callerSuppliedUserAgent": place.agent,
                                   "requestAttributes": {"time": iso_fraction(time, 9, rng), "auth": {}}, "destinationAttributes": {}},
                               "serviceName": service, "methodName": method, "authorizationInfo": [{"resource": resource, "permission": permission, **({} if denied else {"granted": True}),
                                   "resourceAttributes": {}}], "resourceName": resource}
    if service == "storage.googleapis.com":
        payload["resourceLocation"] = {"currentLocations": ["eu"]}
    request = f.fill(op.params)
    if request and "policyDelta" in request:
        payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", **request}
    elif request and "job" in request:
        payload["metadata"] = {"@type": "type.googleapis.com/google.cloud.audit.BigQueryAuditMetadata", "jobInsertion": {**request, "reason": "JOB_INSERT_REQUEST"}}
        payload["metadata"]["jobInsertion"]["job"]["jobStats"] = {"queryStats": {"totalBilledBytes": str(int(rng.lognormvariate(0, 1) * float(f.known.get("bytes", who.ids["bytes"]))))}}
    elif request:
        payload["request"] = request
    labels = {"project_id": project}
    if kind == "gcs_bucket":
        labels.update({"bucket_name": resource.split("/")[3] if resource.count("/") > 2 else "", "location": "eu"})
    if kind == "service_account":
        labels["email_id"] = resource.split("/")[3] if resource.count("/") > 2 else email
    body = {"protoPayload": payload, "insertId": rng.text(13, ALNUM), "resource": {"type": kind, "labels": labels}, "timestamp": iso_fraction(time, 9, rng),
        "severity": "ERROR" if error else "INFO" if stream_name == "data_access" else "NOTICE",
            "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{stream_name}", "receiveTimestamp": iso_fraction(time + 1 + rng.random(), 9, rng)}
    return [Record(FILE, time, body)]
