"""Kubernetes audit.k8s.io/v1 events."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import Chance
from .fill import Filler, iso_fraction
from .model import Identity, Op, Place, Record

FILE = "kubernetes_audit.ndjson.gz"
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


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
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
    return [Record(FILE, time, body)]


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
