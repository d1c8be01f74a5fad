"""Records of the products other than AWS."""

from __future__ import annotations

from typing import Any, Dict, List

from nhi_watch_lab.fifth_world import model
from nhi_watch_lab.fifth_world.clients import ASNS, city_of, kind_of
from nhi_watch_lab.fifth_world.model import ALNUM, MIXED, Chance, Identity, Op, Place, Record
from nhi_watch_lab.fifth_world.tenant import Filler, iso, iso_fraction

# ---- google Cloud audit log entries

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


# ---- gitHub organisation audit log events

GITHUB_FILE = "github_audit.ndjson.gz"
ACCESS = {"app": "GitHub App server-to-server token", "pat": "Personal access token (classic)", "fine": "Fine-grained personal access token", "oauth": "OAuth access token",
    "key": "Public Key (User/Deploy)"}


def _operation(action: str) -> str:
    if "create" in action or "add" in action:
        return "create"
    return "remove" if any(word in action for word in ("destroy", "remove", "delete")) else "modify"


def github_render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    action = op.key[3:]
    millis = int(time * 1000)
    body: Dict[str, Any] = {"@timestamp": millis, "_document_id": rng.text(22, MIXED), "action": action, "actor": who.ids["actor"], "actor_id": int(who.ids["actorid"]),
        "actor_is_bot": who.auth == "app", "actor_ip": place.ip, "actor_location": {"country_code": city_of(place.ip)[2]},
                            "user_agent": place.agent, "created_at": millis, "org": tenant.github_org, "org_id": tenant.github_org_id, "business": tenant.company,
                                "business_id": tenant.github_org_id // 7}
    if "ghrepo" in f.known or not action.startswith(("org.", "integration_installation", "personal_access", "org_cred")):
        repo = str(f.var("ghrepo"))
        body["repo"] = repo if "/" in repo else f"{tenant.github_org}/{repo}"
        body["repo_id"] = sum(ord(letter) * (index + 11) for index, letter in enumerate(repo)) * 977 + tenant.github_org_id
        body["public_repo"] = False
    if action.startswith("git."):
        ssh = who.auth == "key" or place.agent.startswith("git/") and who.ids.get("ssh") == "1"
        body.update({"repository": body["repo"], "transport_protocol_name": "ssh" if ssh else "http", "transport_protocol": 2 if ssh else 1})
    else:
        body["operation_type"] = "access" if op.read else _operation(action)
        body["request_id"] = f"{rng.hexs(4).upper()}:{rng.hexs(6).upper()}:{rng.hexs(7).upper()}:{rng.hexs(7).upper()}:{rng.hexs(8).upper()}"
    if not (who.human and "Mozilla" in place.agent):
        body["programmatic_access_type"] = ACCESS[who.auth] if who.auth in ACCESS else ACCESS["key"]
        body["hashed_token"] = who.key_at(time)
        body["token_id"] = int(who.ids["tokenid"])
        if who.auth in ("pat", "oauth"):
            body["token_scopes"] = who.ids["scopes"]
    if action.startswith("workflows.") and "event" in f.known:
        body["event"] = f.known["event"]
    if op.params:
        filled = f.fill(op.params)
        filled.update({key: f.known[key] for key in filled if key in f.known})
        body.update(filled)
    return [Record(GITHUB_FILE, time, body)]


# ---- kubernetes audit.k8s.io/v1 events

KUBE_FILE = "kubernetes_audit.ndjson.gz"
CLUSTERWIDE = ("nodes", "namespaces", "persistentvolumes", "clusterroles", "clusterrolebindings", "customresourcedefinitions", "selfsubjectaccessreviews", "selfsubjectrulesreviews",
    "certificatesigningrequests", "mutatingwebhookconfigurations")
VERSIONS = {"authorization.k8s.io": "v1", "rbac.authorization.k8s.io": "v1", "apps": "v1", "batch": "v1", "coordination.k8s.io": "v1", "networking.k8s.io": "v1",
    "apiextensions.k8s.io": "v1", "certificates.k8s.io": "v1", "admissionregistration.k8s.io": "v1"}


def _user(who: Identity, place: Place, rng: Chance) -> Dict[str, Any]:
    ids = who.ids
    if who.auth == "node":
        return {"username": f"system:node:{place.host}", "groups": ["system:nodes", "system:authenticated"]}
    if who.human:
        return {"username": who.name, "groups": [ids["group"], "system:authenticated"], "extra": {"sessionName": [who.name], "arn": [ids["arn"]]}}
    space = ids["namespace"]
    user: Dict[str, Any] = {"username": f"system:serviceaccount:{space}:{ids['account']}", "uid": ids["uid"], "groups": ["system:serviceaccounts", f"system:serviceaccounts:{space}",
        "system:authenticated"]}
    if who.auth == "sa":
        user["extra"] = {"authentication.kubernetes.io/pod-name": [place.host], "authentication.kubernetes.io/pod-uid": [ids["poduid"]]}
    return user


def _names(f: Filler, resource: str, sub: str) -> str:
    given = f.known.get("object")
    if given is not None:
        return str(given)
    if sub == "token":
        return str(f.known.get("account", f.who.ids.get("account", "default")))
    if resource == "leases":
        return f.who.ids.get("account", "main") + "-leader"
    if resource == "nodes":
        return f"ip-10-{f.rng.randint(0, 20)}-{f.rng.randint(0, 60)}-{f.rng.randint(2, 250)}.internal"
    if resource == "pods":
        return f"{f.var('service')}-{f.rng.hexs(9)}-{f.rng.text(5)}"
    if resource in ("secrets", "configmaps"):
        return f"{f.var('service')}-{f.rng.choice(['config', 'creds', 'tls'])}" if not f.who.things.get("kobject") else str(f.favourite(f.who.things["kobject"]))
    return str(f.var("service"))


def kube_render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    f = Filler(world.tenant, who, rng, time, args)
    verb, target = op.params, op.note
    path, _, sub = target.partition("/")
    resource, _, group = path.partition(".")
    version = VERSIONS.get(group, "v1")
    space = "" if resource in CLUSTERWIDE else str(f.known.get("namespace", f.favourite(who.things["namespace"])))
    name = "" if verb in ("list", "watch") or (verb == "create" and not sub) else _names(f, resource, sub)
    uri = f"/apis/{group}/{version}" if group else f"/api/{version}"
    uri += (f"/namespaces/{space}" if space else "") + f"/{resource}" + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")
    if verb == "list":
        uri += "?limit=500" if rng.chance(0.6) else ""
    if verb == "watch":
        uri += f"?allowWatchBookmarks=true&resourceVersion={rng.digits(9)}&timeoutSeconds={rng.randint(300, 590)}&watch=true"
    if sub == "exec":
        uri += f"?command={f.known.get('command', 'sh')}&container={f.var('service')}&stdin=true&stdout=true&tty=true"
    ref: Dict[str, Any] = {"resource": resource}
    for key, value in (("namespace", space), ("name", name), ("apiGroup", group), ("apiVersion", version), ("subresource", sub)):
        if value:
            ref[key] = value
    code = 403 if error == "denied" else 500 if error else 101 if sub == "exec" else 201 if verb == "create" else 200
    status: Dict[str, Any] = {"metadata": {}, "code": code}
    user = _user(who, place, rng)
    if code == 403:
        reason = f'{resource} "{name}" is forbidden' if name else f"{resource} is forbidden"
        status.update({"status": "Failure", "message": f'{reason}: User "{user["username"]}" cannot {verb} resource "{resource}" in API group "{group}"' + (f' in the namespace "{space}"'
            if space else " at the cluster scope"), "reason": "Forbidden"})
    if code == 500:
        status.update({"status": "Failure", "message": "etcdserver: request timed out", "reason": "InternalError"})
    stamp = iso_fraction(time, 6, rng)
    body: Dict[str, Any] = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata" if resource in ("secrets",
        "configmaps") or op.read or sub == "token" else "RequestResponse", "auditID": rng.uuid(), "stage": "ResponseComplete", "requestURI": uri, "verb": verb, "user": user,
                            "sourceIPs": [place.ip], "userAgent": place.agent, "objectRef": ref, "responseStatus": status, "requestReceivedTimestamp": stamp,
                                "stageTimestamp": iso_fraction(time + rng.random() * 0.03, 6, rng),
                            "annotations": {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow",
                                "authorization.k8s.io/reason": ""
                                    if code == 403 else f'RBAC: allowed by ClusterRoleBinding "{who.ids["binding"]}" of ClusterRole "{who.ids["clusterrole"]}" to ' + ("User"
                                        if who.human else "ServiceAccount") + f' "{who.ids["account"]}"'}}
    if body["level"] == "RequestResponse":
        body["requestObject"] = _object(f, resource, verb, sub)
    return [Record(KUBE_FILE, time, body)]


def _object(f: Filler, resource: str, verb: str, sub: str) -> Dict[str, Any]:
    """The body of a write, short."""
    meta = {"name": f.known.get("object") or f.var("service"), "namespace": f.known.get("namespace", "")}
    if resource in ("pods", "jobs", "daemonsets", "deployments", "cronjobs") and not sub:
        spec: Dict[str, Any] = {"containers": [{"name": f.var("service"), "image": f.known.get("image") or f"{world_image(f)}"}]}
        if f.known.get("host") or f.who.ids.get("hostpath") == "1":
            spec.update({"hostPID": True, "volumes": [{"name": "root", "hostPath": {"path": "/"}}]})
        return {"kind": resource[:-1].capitalize(), "metadata": meta, "spec": spec if resource == "pods" else {"template": {"spec": spec}}}
    if resource.endswith("bindings"):
        return {"metadata": meta, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f.known.get("clusterrole") or f.rng.choice(["view", "edit", "admin",
            "cluster-admin"])}, "subjects": [{"kind": "ServiceAccount", "name": f.var("service"), "namespace": "default"}]}
    return {"metadata": meta}


def world_image(f: Filler) -> str:
    account = f.tenant.accounts[0]
    return f.rng.pick([(f"{account.id}.dkr.ecr.{account.regions[0]}.amazonaws.com/{f.var('service')}:{f.rng.hexs(8)}", 8.0),
        (f"docker.io/library/{f.rng.choice(['busybox', 'alpine', 'nginx', 'redis'])}:latest", 1.0), (f"ghcr.io/{f.var('outsideorg')}/{f.var('service')}:v{f.rng.randint(1, 9)}", 1.0)])


# ---- entra sign-in and audit logs, Azure Activity, Microsoft 365 management activity

RESOURCES = [("Microsoft Graph", "00000003-0000-0000-c000-000000000000"), ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013"), ("Azure Key Vault",
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"), ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1"), ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")]
DENIED = {"denied": ("7000215", "Invalid client secret provided."), "expired": ("7000222", "The provided client secret keys for app are expired.")}


def signin(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    managed, human = who.auth == "mi", who.human
    category = "SignInLogs" if human else "ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs"
    wanted = str(args.get("resource", who.ids.get("resource", "Microsoft Graph")))
    name, resource = next((pair for pair in RESOURCES if pair[0] == wanted), RESOURCES[0])
    code, reason = DENIED.get(error, ("0", "")) if error != "outage" else ("90033", "A transient error has occurred. Please try again.")
    city, state, country, lat, lon = city_of(place.ip)
    stamp = iso_fraction(time, 7, rng)
    props: Dict[str, Any] = {"id": rng.uuid(), "createdDateTime": iso_fraction(time - 0.4, 7, rng), "ipAddress": "" if managed else place.ip, "appId": who.ids["app"],
        "appDisplayName": who.ids["display"], "resourceDisplayName": name, "resourceId": resource, "correlationId": rng.uuid(),
                             "status": {"errorCode": int(code), **({"failureReason": reason} if reason else {})}, "location": {} if managed else {"city": city, "state": state,
                                 "countryOrRegion": country, "geoCoordinates": {"latitude": lat, "longitude": lon}},
                             "conditionalAccessStatus": "notApplied", "uniqueTokenIdentifier": rng.text(22, MIXED), "tenantId": tenant.entra_id, "resourceTenantId": tenant.entra_id}
    if human:
        props.update({"userPrincipalName": who.name, "userId": who.ids["object"], "userDisplayName": who.name.split("@")[0].replace(".", " ").title(), "isInteractive": True,
            "userAgent": place.agent, "clientAppUsed": "Browser", "authenticationRequirement": "multiFactorAuthentication"})
    else:
        props.update({"servicePrincipalId": who.ids["object"], "servicePrincipalName": who.ids["display"], "resourceServicePrincipalId": rng.uuid()[:8] + resource[8:],
            "autonomousSystemNumber": 0 if managed else ASNS.get(kind_of(place.ip), (8075, ""))[0]})
        if not managed:
            props.update({"servicePrincipalCredentialKeyId": who.key_at(time), "clientCredentialType": who.ids["credential"], "servicePrincipalCredentialThumbprint": "", "userAgent": place.agent})
    body = {"time": stamp, "resourceId": f"/tenants/{tenant.entra_id}/providers/Microsoft.aadiam", "operationName": "Sign-in activity", "operationVersion": "1.0", "category": category,
        "tenantId": tenant.entra_id, "resultType": code, "resultSignature": "FAILURE" if error else "SUCCESS",
            "resultDescription": reason, "durationMs": 0, "callerIpAddress": "" if managed else place.ip, "correlationId": props["correlationId"], "Level": "4",
                "location": "" if managed else country, "properties": props}
    return [Record("entra_signin.ndjson.gz", time, body)]


def audit(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    if op.key == "entra/signin":
        return signin(world, who, op, time, rng, place, args, error)
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    activity, kind, category = op.key[6:], op.response, op.note
    if who.human:
        actor: Dict[str, Any] = {"user": {"id": who.ids["object"], "userPrincipalName": who.name, "ipAddress": place.ip}}
    else:
        actor = {"app": {"appId": who.ids["app"], "displayName": who.ids["display"], "servicePrincipalId": who.ids["object"]}}
    changes = [{"displayName": key, "oldValue": "[]", "newValue": f'"{value}"'} for key, value in sorted((f.fill(op.params) or {}).items())]
    target: Dict[str, Any] = {"id": args.get("targetid") or rng.uuid(), "type": kind, "modifiedProperties": changes, "administrativeUnits": []}
    if kind == "User":
        target["userPrincipalName"] = str(f.var("upn"))
    else:
        target["displayName"] = str(args.get("target") or (f.favourite(tenant.things["appname"]) if kind in ("ServicePrincipal", "Application") else f.var("team")))
    ident = rng.uuid()
    props = {"id": f"Directory_{ident}_{rng.text(5).upper()}_{rng.digits(8)}", "category": category, "correlationId": ident, "result": "failure" if error else "success",
        "resultReason": "Insufficient privileges to complete the operation." if error else "", "activityDisplayName": activity, "activityDateTime": iso_fraction(time, 7, rng),
             "loggedByService": "Core Directory", "operationType": activity.split(" ")[0], "initiatedBy": actor, "targetResources": [target], "additionalDetails": [{"key": "User-Agent",
                 "value": place.agent}]}
    body = {"time": iso_fraction(time, 7, rng), "resourceId": f"/tenants/{tenant.entra_id}/providers/Microsoft.aadiam", "operationName": activity, "operationVersion": "1.0",
        "category": "AuditLogs", "tenantId": tenant.entra_id, "resultSignature": "None", "resultDescription": props["resultReason"], "durationMs": 0,
            "callerIpAddress": place.ip, "correlationId": ident, "identity": who.name if who.human else who.ids["display"], "Level": 4, "properties": props}
    return [Record("entra_audit.ndjson.gz", time, body)]


def activity(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    name = op.key[3:]
    scope = f"/SUBSCRIPTIONS/{f.var('subscription') if 'subscription' in f.known or who.things.get('subscription') else tenant.things['subscription'][0]}/RESOURCEGROUPS/{str(f.var('group')).upper()}"
    resource = scope + str(f.fill(op.response)).upper()
    claims: Dict[str, Any] = {"aud": "https://management.core.windows.net/", "iss": f"https://sts.windows.net/{tenant.entra_id}/", "iat": str(int(time) - rng.randint(60, 3000)),
        "appid": who.ids["app"], "appidacr": "2" if who.auth == "mi" else "1", "http://schemas.microsoft.com/identity/claims/objectidentifier": who.ids["object"],
                              "http://schemas.microsoft.com/identity/claims/tenantid": tenant.entra_id, "idtyp": "user" if who.human else "app", "ipaddr": place.ip, "uti": rng.text(22,
                                  MIXED), "ver": "1.0"}
    if who.auth == "mi":
        claims["xms_mirid"] = who.ids["mirid"]
    if who.human:
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = who.name
    evidence = {"role": who.ids.get("azrole", "Contributor"), "roleAssignmentScope": scope.split("/RESOURCEGROUPS")[0].lower(), "principalId": who.ids["object"].replace("-", ""),
        "principalType": "User" if who.human else "ServicePrincipal"}
    props: Dict[str, Any] = {"eventCategory": "Administrative", "entity": resource, "message": name, "hierarchy": f"{tenant.entra_id}/{scope.split('/')[2]}"}
    if op.params:
        props["requestbody"] = str(f.fill(op.params)).replace("'", '"')
    failed = bool(error)
    body = {"time": iso_fraction(time, 7, rng), "resourceId": resource, "operationName": name.upper(), "category": "Administrative", "resultType": "Failure" if failed else "Success",
        "resultSignature": ("Failed.Forbidden" if error == "denied" else "Failed.InternalServerError") if failed else "Succeeded.",
            "durationMs": str(rng.randint(20, 900)), "callerIpAddress": place.ip, "correlationId": rng.uuid(), "identity": {"authorization": {"scope": resource, "action": name,
                "evidence": evidence}, "claims": claims}, "level": "Error" if failed else "Information", "properties": props,
            "tenantId": tenant.entra_id, "eventDataId": rng.uuid()}
    return [Record("azure_activity.ndjson.gz", time, body)]


def management(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    name, workload, kind = op.key[5:], op.response, int(op.note)
    user = who.name if who.human else f"ServicePrincipal_{who.ids['object']}"
    body: Dict[str, Any] = {"CreationTime": iso(time)[:-1], "Id": rng.uuid(), "Operation": name, "OrganizationId": tenant.entra_id, "RecordType": kind,
        "ResultStatus": "Failed" if error else "Succeeded", "UserKey": who.ids["object"], "UserType": 0 if who.human else 4, "Version": 1, "Workload": workload,
                            "ClientIP": place.ip, "UserId": user, "AppId": who.ids["app"], "ClientAppId": who.ids["app"]}
    if workload == "Exchange":
        box = str(f.var("upn"))
        body.update({"MailboxOwnerUPN": box, "ClientInfoString": f"Client=REST;Client=RESTSystem;{place.agent};[AppId={who.ids['app']}]", "LogonType": 0 if who.human else 1,
            "OrganizationName": tenant.domain, "OriginatingServer": f"DB{rng.randint(1, 9)}PR04MB{rng.digits(4)} (15.20.{rng.digits(4)}.022)"})
        if name == "MailItemsAccessed":
            body["OperationCount"] = 1 + int(rng.expovariate(0.3) * float(f.known.get("scale", 1)))
            body["OperationProperties"] = [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}]
            body["Folders"] = [{"Path": rng.choice(["\\Inbox", "\\Inbox", "\\Sent Items", "\\Archive"]), "FolderItems": [{"InternetMessageId": f"<{rng.text(20).upper()}@{box.split('@')[-1]}>"}]}]
        if op.params:
            body["Parameters"] = [{"Name": key, "Value": str(value)} for key, value in f.fill(op.params).items()]
            body["ObjectId"] = box
    elif workload in ("SharePoint", "OneDrive"):
        site = str(f.favourite(who.things["site"])) if "site" not in f.known else str(f.known["site"])
        file = f"{f.var('service')}-{rng.randint(1, 400)}.{rng.choice(['docx', 'xlsx', 'pdf', 'pptx', 'csv'])}"
        body.update({"ObjectId": f"{site}/Shared Documents/{file}", "SiteUrl": site + "/", "SourceFileName": file, "SourceFileExtension": file.rsplit(".", 1)[1],
            "SourceRelativeUrl": "Shared Documents", "ItemType": "File", "EventSource": "SharePoint", "UserAgent": place.agent,
                     "CorrelationId": rng.uuid(), "ApplicationId": who.ids["app"], "ApplicationDisplayName": who.ids["display"]})
    else:
        body.update({"ObjectId": "", "TeamName": str(f.var("team")), "ChannelName": "General", "MessageId": str(int(time * 1000)), "ChatThreadId": f"19:{rng.hexs(32)}@thread.v2"})
    return [Record("m365_activity.ndjson.gz", time, body)]


# ---- okta System Log events

OKTA_FILE = "okta_system.ndjson.gz"


def _target(f: Filler, kind: str) -> Dict[str, Any]:
    rng = f.rng
    if kind in ("User", "AppUser"):
        upn = str(f.var("upn"))
        return {"id": "00u" + rng.text(17, MIXED), "type": kind, "alternateId": upn, "displayName": upn.split("@")[0].replace(".", " ").title()}
    if kind == "AppInstance":
        app = str(f.var("oktaapp"))
        return {"id": "0oa" + rng.text(17, MIXED), "type": kind, "alternateId": app, "displayName": app}
    if kind == "access_token":
        return {"id": "AT." + rng.text(43, MIXED), "type": kind, "alternateId": None, "displayName": "Access Token", "detailEntry": {"expires": "3600", "subject": f.who.ids["actor"],
            "hash": "", "scopes": f.known.get("scopes", f.who.ids.get("scopes", "okta.users.read"))}}
    name = str(f.known.get("target") or (f.var("team") if kind in ("UserGroup", "PolicyRule", "PolicyEntity", "NetworkZone") else model.invented(rng)))
    return {"id": "00" + rng.text(18, MIXED), "type": kind, "alternateId": "unknown", "displayName": name}


def okta_render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    event = op.key[5:]
    city, state, country, lat, lon = city_of(place.ip)
    geo = {"city": city, "state": state, "country": country, "postalCode": None, "geolocation": {"lat": lat, "lon": lon}}
    asn, owner = ASNS.get(kind_of(place.ip), ASNS["private"])
    web = "Mozilla" in place.agent
    agent = {"rawUserAgent": place.agent, "os": ("Mac OS X" if "Mac" in place.agent else "Windows 10" if "Windows" in place.agent else "Linux") if web else "Unknown",
        "browser": ("FIREFOX" if "Firefox" in place.agent else "CHROME") if web else "UNKNOWN"}
    session = "unknown" if not who.human else "102" + who.ids["object"][3:]
    body: Dict[str, Any] = {"actor": {"id": who.ids["object"], "type": who.ids["type"], "alternateId": who.ids["actor"], "displayName": who.ids["display"], "detailEntry": None},
                            "client": {"userAgent": agent, "zone": "null", "device": "Computer" if web else "Unknown", "id": who.ids.get("client"), "ipAddress": place.ip,
                                "geographicalContext": geo}, "device": None,
                            "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None, "interface": None,
                                "authenticationStep": 0, "rootSessionId": session, "externalSessionId": who.key_at(time) if who.auth == "token" else session},
                            "displayMessage": op.params, "eventType": event, "outcome": {"result": "FAILURE", "reason": "You do not have permission to perform the requested action"
                                if error == "denied" else "GENERAL_NONSUCCESS"} if error else {"result": "SUCCESS", "reason": None},
                            "published": iso_fraction(time, 3, rng), "securityContext": {"asNumber": asn, "asOrg": owner, "isp": owner, "domain": None, "isProxy": False},
                                "severity": "WARN" if error else "INFO",
                            "debugContext": {"debugData": {"requestId": rng.hexs(32), "requestUri": "/api/v1/" + event.split(".")[0] + "s" if not web else "/idp/idx/identify",
                                "url": "/api/v1/" + event.split(".")[0] + "s?" if not web else "/idp/idx/identify?"}}, "legacyEventType": None,
                            "transaction": {"type": "WEB", "id": rng.hexs(32), "detail": {"requestApiTokenId": who.key_at(time)} if who.auth == "token" else {}}, "uuid": rng.uuid(), "version": "0",
                            "request": {"ipChain": [{"ip": place.ip, "geographicalContext": geo, "version": "V4", "source": None}]}, "target": [_target(f,
                                kind) for kind in op.note.split(",") if kind] or None}
    return [Record(OKTA_FILE, time, body)]


# ---- snowflake LOGIN_HISTORY and QUERY_HISTORY rows

FACTORS = {"password": "PASSWORD", "keypair": "RSA_KEYPAIR", "oauth": "OAUTH_ACCESS_TOKEN", "sso": "SAML2_ASSERTION"}
CLIENTS = {"PythonConnector": "PYTHON_DRIVER", "JDBC": "JDBC_DRIVER", "Go": "GO_DRIVER", "ODBC": "ODBC_DRIVER", "Snowflake": "SNOWFLAKE_UI", "SnowSQL": "SNOWSQL"}


def _login(who: Identity, time: float, rng: Chance, place: Place, error: str) -> Record:
    family, version = place.agent.rsplit(" ", 1)
    body = {"EVENT_ID": int(rng.digits(14)), "EVENT_TIMESTAMP": iso_fraction(time, 3, rng), "EVENT_TYPE": "LOGIN", "USER_NAME": who.name, "CLIENT_IP": place.ip,
        "REPORTED_CLIENT_TYPE": CLIENTS[family.split(" ")[0]], "REPORTED_CLIENT_VERSION": version, "FIRST_AUTHENTICATION_FACTOR": FACTORS[who.auth],
            "SECOND_AUTHENTICATION_FACTOR": None, "IS_SUCCESS": "NO" if error else "YES", "ERROR_CODE": 390100 if error else None,
                "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if error else None, "RELATED_EVENT_ID": 0, "CONNECTION": None}
    return Record("snowflake_login.ndjson.gz", time, body)


def snowflake_render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    if op.key == "snow/login":
        return [_login(who, time, rng, place, error)]
    f = Filler(world.tenant, who, rng, time, args)
    kind, text = op.note, str(f.fill(op.params))
    ids = who.ids
    session = world.session_number(who, place, time)
    scale = float(f.known.get("rows", ids["rows"]))
    rows = int(rng.lognormvariate(0, 0.8) * scale) if kind in ("SELECT", "COPY", "MERGE", "INSERT", "UNLOAD", "CREATE_TABLE_AS_SELECT") and not error else 0
    if "COUNT(*)" in text or "CURRENT_USER" in text:
        rows = 1
    elapsed = int(rng.lognormvariate(6.5, 1))
    reading = kind in ("SELECT", "UNLOAD")
    body: Dict[str, Any] = {"QUERY_ID": f"01b{rng.hexs(5)}-{rng.hexs(4)}-{rng.hexs(4)}-{rng.hexs(4)}-{rng.hexs(12)}", "QUERY_TEXT": text, "DATABASE_NAME": f.known.get("sdb",
        ids["database"]), "SCHEMA_NAME": f.known.get("sschema", "PUBLIC"), "QUERY_TYPE": kind, "SESSION_ID": session, "USER_NAME": who.name,
                            "ROLE_NAME": f.known.get("role", ids["role"]), "WAREHOUSE_NAME": f.known.get("swarehouse", ids["warehouse"]), "WAREHOUSE_SIZE": "X-Small",
                                "QUERY_TAG": ids.get("tag", ""), "EXECUTION_STATUS": "FAIL" if error else "SUCCESS", "ERROR_CODE": ("003001" if error == "denied" else "000630") if error else None,
                            "ERROR_MESSAGE": ("SQL access control error: Insufficient privileges to operate on object"
                                if error == "denied" else "Statement reached its statement or warehouse timeout") if error else None, "START_TIME": iso_fraction(time, 3, rng),
                                    "END_TIME": iso_fraction(time + elapsed / 1000, 3, rng), "TOTAL_ELAPSED_TIME": elapsed,
                            "BYTES_SCANNED": rows * rng.randint(60, 400), "ROWS_PRODUCED": rows, "ROWS_INSERTED": rows if kind in ("INSERT", "MERGE", "COPY") else 0,
                                "ROWS_UNLOADED": rows if kind == "UNLOAD" else 0, "BYTES_WRITTEN_TO_RESULT": rows * 120 if reading else 0, "OUTBOUND_DATA_TRANSFER_CLOUD": None,
                                    "OUTBOUND_DATA_TRANSFER_BYTES": 0,
                            "CLIENT_APPLICATION_ID": place.agent, "RELEASE_VERSION": "9." + str(2 + int((time - world.tenant.start) // 604800)) + ".1"}
    return [Record("snowflake_query.ndjson.gz", time, body)]


# ---- hashiCorp Vault audit log lines (responses)

VAULT_FILE = "vault_audit.ndjson.gz"
MOUNTS = {"secret": "kv", "aws": "aws", "database": "database", "pki": "pki", "transit": "transit", "sys": "system", "auth": "token"}


def vault_render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    f = Filler(world.tenant, who, rng, time, args)
    operation, path = op.params, str(f.fill(op.response if op.response else op.note))
    ids = who.ids
    token = world.vault_token(who, place, time)
    login = op.key == "vault/login"
    mount = path.split("/")[0]
    auth: Dict[str, Any] = {"client_token": "hmac-sha256:" + token["token"], "accessor": "hmac-sha256:" + token["accessor"], "display_name": ids["display"],
        "policies": ids["policies"].split(","), "token_policies": ids["policies"].split(","), "policy_results": {"allowed": error != "denied"},
                            "metadata": {"role_name": ids["role"]} if not who.human else {"username": who.name}, "entity_id": ids["entity"], "token_type": "service", "token_ttl": 3600,
                                "token_issue_time": iso(token["begun"])}
    request: Dict[str, Any] = {"id": rng.uuid(), "client_id": ids["entity"], "operation": operation, "mount_point": (f"auth/{ids['mount']}/" if login else mount + "/"),
        "mount_type": ids["mount"] if login else MOUNTS.get(mount, "kv"), "mount_running_version": "v1.18.1+builtin.vault", "namespace": {"id": "root"}, "path": path,
                               "remote_address": place.ip, "remote_port": rng.randint(32768, 60999), "headers": {"user-agent": [place.agent]}}
    if not login:
        request.update({"client_token": auth["client_token"], "client_token_accessor": auth["accessor"]})
    if operation == "update":
        request["data"] = {"role": "hmac-sha256:" + rng.hexs(64)} if login else {"payload": "hmac-sha256:" + rng.hexs(64)}
    response: Dict[str, Any] = {"mount_type": request["mount_type"], "mount_accessor": f"{request['mount_type']}_{ids['accessor']}"}
    if login and not error:
        response["auth"] = dict(auth)
    if op.read and not error:
        response["data"] = {"data": "hmac-sha256:" + rng.hexs(64)}
    if op.key in ("vault/db_creds", "vault/aws_creds"):
        response["secret"] = {"lease_id": path + "/" + rng.text(24, MIXED)}
    body: Dict[str, Any] = {"time": iso_fraction(time, 9, rng), "type": "response", "auth": auth, "request": request, "response": response}
    if error:
        body["error"] = "1 error occurred:\n\t* permission denied\n\n" if error == "denied" else "1 error occurred:\n\t* internal error\n\n"
    return [Record(VAULT_FILE, time, body)]
