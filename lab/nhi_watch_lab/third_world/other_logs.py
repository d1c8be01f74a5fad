"""Kubernetes, GitHub, Vault and Google Cloud audit records."""
import json
from typing import Any, Dict, List

from .addresses import geography
from .model import Credential, Identity, Op, Record, World
from .rand import B62, Rand, iso, iso_fraction

GROUPS = {"deployments": "apps", "daemonsets": "apps", "statefulsets": "apps", "cronjobs": "batch", "jobs": "batch",
          "roles": "rbac.authorization.k8s.io", "rolebindings": "rbac.authorization.k8s.io", "ingresses":
          "networking.k8s.io", "clusterroles": "rbac.authorization.k8s.io", "clusterrolebindings":
          "rbac.authorization.k8s.io", "leases": "coordination.k8s.io", "selfsubjectrulesreviews":
          "authorization.k8s.io", "selfsubjectaccessreviews": "authorization.k8s.io", "validatingwebhookconfigurations":
          "admissionregistration.k8s.io", "mutatingwebhookconfigurations": "admissionregistration.k8s.io"}
CLUSTERED = ("nodes", "namespaces", "clusterroles", "clusterrolebindings", "selfsubjectrulesreviews",
             "selfsubjectaccessreviews", "validatingwebhookconfigurations", "mutatingwebhookconfigurations")


def kubernetes(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    verb, _, path = op.name.partition("/")
    resource, _, sub = path.partition(".")
    values: Dict[str, str] = details["values"]
    group = GROUPS.get(resource, "")
    wide = bool(details["wide"])
    space = values.get("namespace") or (who.extra["namespace"] if not wide else world.value("namespace", who, time, rand, True))
    clustered = resource in CLUSTERED
    everywhere = verb in ("list", "watch") and (wide or who.power != "narrow") and rand.chance(0.6)
    name = ""
    if verb not in ("list", "watch", "create") or sub:
        name = values.get("object") or world.value("node" if resource == "nodes" else "object", who, time, rand, wide)
        if resource == "leases":
            name = who.name if who.kind != "k8s-node" else who.extra["node"]
    root = f"/apis/{group}/v1" if group else "/api/v1"
    uri = root + ("" if clustered or everywhere else f"/namespaces/{space}") + f"/{resource}"
    uri += (f"/{name}" if name else "") + (f"/{sub}" if sub else "")
    if verb == "list":
        uri += "?limit=500" if cred.client.family == "kubectl" else "?resourceVersion=0"
    elif sub == "exec":
        uri += f"?command=sh&container={space}&stdin=true&stdout=true&tty=true"
    code = {"denied": 403, "missing": 404, "throttled": 429, "invalid": 422}.get(str(details["error"]), 200)
    if code == 200 and verb == "create":
        code = 101 if sub == "exec" else 201
    record: Record = {"kind": "Event", "apiVersion": "audit.k8s.io/v1",
                      "level": "Metadata" if verb in ("get", "list", "watch") or resource == "secrets" else "RequestResponse",
                      "auditID": rand.uuid(), "stage": "ResponseComplete", "requestURI": uri, "verb": verb,
                      "user": cred.block, "sourceIPs": [cred.ip], "userAgent": cred.client.string("k8s", verb)}
    target: Record = {"resource": resource}
    if not (clustered or everywhere):
        target["namespace"] = space
    if name:
        target["name"] = name
    if group:
        target["apiGroup"] = group
    target["apiVersion"] = "v1"
    if sub:
        target["subresource"] = sub
    record["objectRef"] = target
    status: Record = {"metadata": {}, "code": code}
    if code >= 400:
        status.update(status="Failure", reason={403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}.get(code, "Invalid"))
        status["message"] = f"{resource} is forbidden: User \"{who.label}\" cannot {verb} resource \"{resource}\" in API group " \
                            f"\"{group}\"" if code == 403 else f"{resource if name else 'namespaces'} \"{name or space}\" not found"
    record["responseStatus"] = status
    if record["level"] == "RequestResponse" and code < 400:
        record["requestObject"] = request_object(world, who, time, rand, resource, name or world.value("object", who, time, rand, True),
                                                 space, values)
    record["requestReceivedTimestamp"] = iso_fraction(time, 6, rand)
    record["stageTimestamp"] = iso_fraction(time + rand.whole(1, 60), 6, rand)
    record["annotations"] = {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow",
                             "authorization.k8s.io/reason": "" if code == 403 else str(who.extra.get("reason", ""))}
    return record


def request_object(world: World, who: Identity, time: int, rand: Rand, resource: str, name: str, space: str,
                   values: Dict[str, str]) -> Record:
    def chosen(kind: str) -> str:
        return values.get(kind) or world.value(kind, who, time, rand, False)
    body: Record = {"metadata": {"name": name, "namespace": space}}
    if resource.endswith("rolebindings"):
        body["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": chosen("k8srole")}
    elif resource in ("deployments", "daemonsets", "jobs", "cronjobs", "pods"):
        body["spec"] = {"containers": [{"name": name, "image": chosen("image8"),
                                        "securityContext": {"privileged": chosen("privileged") == "yes"}}]}
    return body


def github(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    params: Record = world.fill(op.params, who, time, rand, details) or {}
    record: Record = {"action": op.name, "actor": who.name, "actor_id": int(who.unique), "actor_ip": cred.ip,
                      "actor_is_bot": who.kind == "gh-app", "actor_location": {"country_code": geography(cred.ip)[0]}}
    record["@timestamp"] = time
    record["created_at"] = time
    record["_document_id"] = rand.letters(22, B62)
    record["org"] = who.extra["org"]
    record["org_id"] = who.extra["org_id"]
    record["operation_type"] = {"R": "access", "W": "modify"}[op.kind] if "create" not in op.name else "create"
    for key, value in params.items():
        record[key] = value
        if key == "repo":
            record["repo_id"] = int(Rand("repo", value).digits(9))
            record["public_repo"] = False
    if op.name.startswith("git."):
        ssh = who.kind == "gh-key"
        record.update(transport_protocol=2 if ssh else 1, transport_protocol_name="ssh" if ssh else "http")
        record["repository"] = record["repo"]
        record["repository_public"] = False
    if who.extra.get("access"):
        record["programmatic_access_type"] = who.extra["access"]
        record["hashed_token"] = cred.key
        if "token_id" in who.extra:
            record["token_id"] = who.extra["token_id"]
    if "email" in who.extra:
        record["external_identity_nameid"] = who.extra["email"]
    record["user_agent"] = cred.client.string("git", op.name)
    record["request_id"] = f"{rand.hex(4).upper()}:{rand.hex(6).upper()}:{rand.hex(7).upper()}"
    if details["error"] and op.name.startswith("workflows.completed"):
        record["conclusion"] = "failure"
    return record


def hmac(rand: Rand) -> str:
    return "hmac-sha256:" + rand.hex(64)


def vault(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    values: Dict[str, str] = details["values"]
    values.setdefault("mount", str(who.extra["mount"]))
    params = world.fill(op.params, who, time, rand, details)
    path = world.fill(json.dumps(op.name), who, time, rand, details)
    login = path.endswith("/login")
    kind = params["mount"]
    policies: List[str] = ["default"] + list(who.extra["policies"])
    auth: Record = {}
    if not login or not details["error"]:
        auth = {"client_token": cred.key, "accessor": cred.name, "display_name": who.label, "policies": policies,
                "token_policies": policies, "policy_results": {"allowed": not details["error"]},
                "metadata": who.extra["metadata"], "entity_id": who.unique, "token_type": "service",
                "token_ttl": 2764800 if who.power == "admin" else 3600, "token_issue_time": iso(cred.created)}
    request: Record = {"id": rand.uuid(), "client_id": who.unique, "operation": params["operation"],
                       "mount_point": path.split("/")[0] + "/", "mount_type": kind, "mount_accessor":
                       f"{kind}_{Rand('mount', kind).hex(8)}"}
    if not login:
        request.update(client_token=cred.key, client_token_accessor=cred.name)
    request.update(namespace={"id": "root"}, path=path, remote_address=cred.ip, remote_port=rand.whole(32768, 60999))
    if params["operation"] == "update":
        request["data"] = {"role_id": hmac(rand), "secret_id": hmac(rand)} if login else {"value": hmac(rand)}
    request["headers"] = {"user-agent": [cred.client.string("vault", params["operation"])]}
    record: Record = {"time": iso_fraction(time, 9, rand), "type": "response", "auth": auth, "request": request,
                      "response": {"mount_point": request["mount_point"], "mount_type": kind}}
    if not details["error"] and params["operation"] == "read" and kind in ("kv", "aws", "database"):
        record["response"]["data"] = {"data": hmac(rand)} if kind == "kv" else {"access_key": hmac(rand)}
    if details["error"]:
        record["error"] = "1 error occurred:\n\t* permission denied\n\n" if details["error"] != "missing" else "unsupported path"
    return record


def gcp(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    params: Record = world.fill(op.params, who, time, rand, details)
    project = who.extra["project"]
    service, resource = params["service"], params["resource"]
    permission = op.name if op.name.startswith("storage.") else f"{service.split('.')[0]}.{op.key.partition(':')[2]}"
    actor: Record = {"principalEmail": who.label}
    if who.extra.get("key_name"):
        actor["serviceAccountKeyName"] = who.extra["key_name"] if not cred.key.startswith("//iam") else cred.key
    prefix = "serviceAccount" if who.kind == "gcp-sa" else "user"
    actor["principalSubject"] = f"{prefix}:{who.label}"
    denied = bool(details["error"])
    payload: Record = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog",
                       "status": {"code": 7, "message": f"Permission '{permission}' denied on resource"} if denied else {},
                       "authenticationInfo": actor,
                       "requestMetadata": {"callerIp": cred.ip, "callerSuppliedUserAgent": cred.client.string("gcp", "run"),
                                           "requestAttributes": {"time": iso_fraction(time, 9, rand), "auth": {}},
                                           "destinationAttributes": {}},
                       "serviceName": service, "methodName": op.name,
                       "authorizationInfo": [{"resource": resource, "permission": permission, "granted": not denied,
                                              "resourceAttributes": {}}], "resourceName": resource}
    if op.key in ("gcp:iam.set", "gcp:bucket.iam"):
        member = details["values"].get("member") or world.value("member", who, time, rand, True)
        payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": {
            "bindingDeltas": [{"action": "ADD", "role": details["values"].get("gcprole") or world.value("gcprole", who, time, rand, True), "member": member}]}}
    labels: Dict[str, Any] = {"project_id": project}
    if params["type"] == "gcs_bucket":
        labels.update(bucket_name=resource.split("/")[3] if "/buckets/" in resource else "", location="us")
    log = "activity" if op.kind == "W" and not service.startswith(("storage", "bigquery")) else "data_access"
    return {"protoPayload": payload, "insertId": rand.letters(13, "abcdefghijklmnopqrstuvwxyz0123456789"),
            "resource": {"type": params["type"], "labels": labels}, "timestamp": iso_fraction(time, 9, rand),
            "severity": "ERROR" if denied else ("NOTICE" if log == "activity" else "INFO"),
            "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{log}",
            "receiveTimestamp": iso_fraction(time + rand.whole(200, 2000), 9, rand)}
