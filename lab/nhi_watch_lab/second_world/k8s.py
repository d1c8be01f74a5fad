# ruff: noqa: E501
"""Kubernetes audit events (audit.k8s.io/v1), half of the clusters on EKS."""
from __future__ import annotations

from random import Random
from typing import Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, private_ip
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant

GROUPS: dict[str, str] = {"deployments": "apps", "daemonsets": "apps", "statefulsets": "apps", "replicasets": "apps", "jobs": "batch", "cronjobs": "batch", "leases": "coordination.k8s.io", "roles": "rbac.authorization.k8s.io", "rolebindings": "rbac.authorization.k8s.io", "clusterroles": "rbac.authorization.k8s.io",
                          "clusterrolebindings": "rbac.authorization.k8s.io", "ingresses": "networking.k8s.io", "endpointslices": "discovery.k8s.io", "tokenreviews": "authentication.k8s.io", "subjectaccessreviews": "authorization.k8s.io", "selfsubjectaccessreviews": "authorization.k8s.io", "selfsubjectrulesreviews": "authorization.k8s.io",
                          "horizontalpodautoscalers": "autoscaling", "applications": "argoproj.io", "certificates": "cert-manager.io", "certificatesigningrequests": "certificates.k8s.io", "mutatingwebhookconfigurations": "admissionregistration.k8s.io", "prometheusrules": "monitoring.coreos.com", "pods.metrics": "metrics.k8s.io"}
WIDE = {"nodes", "namespaces", "clusterroles", "clusterrolebindings", "tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "persistentvolumes", "certificatesigningrequests", "mutatingwebhookconfigurations"}
JOBS: list[list[str]] = [["get leases", "update leases"], ["list pods", "watch pods"], ["get configmaps"], ["get secrets"], ["get endpoints", "list services"], ["list deployments", "get deployments", "update deployments"], ["list nodes", "list pods", "list namespaces"], ["create tokenreviews", "create subjectaccessreviews"],
                         ["list secrets", "update secrets"], ["get certificates", "update certificates", "get secrets"], ["get applications", "patch applications", "list deployments"], ["create jobs", "get jobs", "list pods", "delete jobs"], ["get horizontalpodautoscalers", "patch deployments/scale"], ["get pods", "get pods/log"],
                         ["list ingresses", "update ingresses/status"], ["create events", "patch events"], ["get nodes", "patch nodes/status"], ["list prometheusrules", "list services", "list endpoints"]]
CLIENTS = ["kube-state-metrics/v2.13.0 (linux/amd64) kubernetes/$Format", "argocd-application-controller/v2.12.4 (linux/amd64) kubernetes/$Format", "cert-manager-controller/v1.15.3 (linux/amd64) cert-manager/8e3d6b1", "Go-http-client/2.0", "prometheus/2.54.1", "external-secrets/v0.0.0 (linux/amd64) kubernetes/$Format", "Python-urllib/3.11",
           "OpenAPI-Generator/29.0.0/python", "manager/v0.0.0 (linux/arm64) kubernetes/$Format", "kubernetes-fluent-client", "controller/v1.9.2 (linux/amd64) kubernetes/ab12cd3", "okhttp/4.12.0", "flux/v2.3.0"]
KUBECTL = ["kubectl/v1.29.6 (linux/amd64) kubernetes/062798d", "kubectl/v1.30.4 (darwin/arm64) kubernetes/a51b3b7", "kubectl/v1.31.2 (windows/amd64) kubernetes/5864a46", "kubectl/v1.28.13 (linux/amd64) kubernetes/024a86c", "k9s/v0.32.5 (linux/amd64)", "Helm/3.15.4", "Lens/2024.9"]
HUMAN = ["create pods/exec", "get pods/exec", "create pods/portforward", "get secrets", "list secrets", "create clusterrolebindings", "create rolebindings", "patch deployments", "delete pods", "create serviceaccounts/token", "create pods", "create cronjobs", "list clusterrolebindings", "create daemonsets", "create selfsubjectrulesreviews", "create selfsubjectaccessreviews",
         "get pods/log", "list serviceaccounts", "create certificatesigningrequests", "patch serviceaccounts", "create serviceaccounts", "update configmaps", "patch mutatingwebhookconfigurations", "get nodes/proxy", "delete events", "create jobs"]


class Kubernetes(Product):
    name = "kubernetes"
    ops = ["get configmaps", "list configmaps", "list pods", "get secrets", "list services", "create jobs", "patch deployments", "list namespaces", "get serviceaccounts", "create selfsubjectaccessreviews", "list nodes", "get pods/log", "create pods", "update configmaps", "list rolebindings", "list secrets", "create serviceaccounts/token"]
    human_ops = HUMAN

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.eks = rng.random() < 0.6
        self.namespaces = tenant.words[:8] + ["kube-system", "monitoring", "default", "cert-manager"]
        self.nodes = [private_ip(rng) for _ in range(rng.randint(4, 20))]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            space = rng.choice(self.namespaces)
            where = at_place(rng, "equinix-dc", 0)
            where.pool = rng.sample(self.nodes, rng.choice([1, 1, 2, 3]))
            made = Agent(f"system:serviceaccount:{space}:{rng.choice(self.tenant.words)}-{rng.choice(['controller', 'runner', 'agent', 'operator', 'sa', 'exporter'])}", "sa", where, rng.choice(CLIENTS), list(rng.choice(JOBS)), 10 ** rng.uniform(0.7, 2.2), rng.choice(["steady", "steady", "steady", "office"]))
            made.ids = {"uid": ids.uuid4(rng), "ns": space, "pod": f"{made.name.split(':')[-1]}-{ids.hexa(rng, 9)}-{ids.pick_chars(rng, 'bcdfghjklmnpqrstvwxz2456789', 5)}", "pod_uid": ids.uuid4(rng)}
            made.fail = rng.choice([0.0, 0.0, 0.0, 0.01, 0.4])
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                made = Agent(person.upn, "person", person.home, rng.choice(KUBECTL), ["list pods", "get pods", "get pods/log", "list deployments", "list namespaces", "list services", "get configmaps", "list events"], rng.uniform(1, 8), "person", person=person)
                made.ids = {"uid": ids.uuid4(rng), "ns": "default", "key": ids.aws_id(rng, "ASIA", self.tenant.accounts[0].id)}
                self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        _, ip = spot(who, place, rng, t)
        verb, full = op.split(" ", 1)
        resource, _, sub = full.partition("/")
        space = str((over or {}).get("namespace") or (who.ids["ns"] if not explore and rng.random() < 0.97 else rng.choice(self.namespaces)))
        named = verb not in ("list", "watch", "create") or sub != ""
        name = str((over or {}).get("name") or (who.pick(resource, [f"{w}-{i}" for w in self.tenant.words for i in ("main", "config", "token", "tls")], rng, explore) if named else ""))
        group = GROUPS.get(resource, "")
        if resource in WIDE or (verb in ("list", "watch") and explore and rng.random() < 0.3):
            space = ""
        uri = ("/apis/" + group if group else "/api") + "/v1" + (f"/namespaces/{space}" if space else "") + f"/{resource}" + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")
        code = 403 if err else {"create": 201}.get(verb, 200) if sub != "exec" else 101
        record: Json = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": ids.uuid4(rng), "stage": "ResponseComplete", "requestURI": uri + ("?limit=500" if verb == "list" else f"?watch=true&timeoutSeconds={rng.randint(300, 600)}" if verb == "watch" else ""), "verb": verb, "user": self._user(who, t), "sourceIPs": [ip],
                        "userAgent": ua or who.ua, "objectRef": {"resource": resource, **({"namespace": space} if space else {}), **({"name": name} if name else {}), **({"apiGroup": group} if group else {}), "apiVersion": "v1", **({"subresource": sub} if sub else {})},
                        "responseStatus": {"metadata": {}, "status": "Failure", "reason": "Forbidden", "message": f'{resource} is forbidden: User "{who.name}" cannot {verb} resource "{resource}" in API group "{group}"', "code": 403} if err else {"metadata": {}, "code": code}}
        body = self._body(verb, resource, name, space, over or {})
        if body:
            record["level"], record["requestObject"] = "Request", body
        record["requestReceivedTimestamp"] = ids.iso_frac(t, 6)
        record["stageTimestamp"] = ids.iso_frac(t + rng.uniform(0.002, 0.04), 6)
        record["annotations"] = {"authorization.k8s.io/decision": "forbid" if err else "allow", "authorization.k8s.io/reason": "" if err else f'RBAC: allowed by ClusterRoleBinding "{who.name.split(":")[-1]}" of ClusterRole "{who.name.split(":")[-1]}"'}
        self.sink.add("kubernetes", t, record)

    def _user(self, who: Agent, t: float) -> Json:
        if who.kind == "sa":
            token = ids.uuid4(Random(f"{who.ids['uid']}{int(t // 3000)}"))
            return {"username": who.name, "uid": who.ids["uid"], "groups": ["system:serviceaccounts", "system:serviceaccounts:" + who.ids["ns"], "system:authenticated"],
                    "extra": {"authentication.kubernetes.io/credential-id": ["JTI=" + token], "authentication.kubernetes.io/pod-name": [who.ids["pod"]], "authentication.kubernetes.io/pod-uid": [who.ids["pod_uid"]]}}
        if not self.eks:
            return {"username": who.name, "groups": ["developers", "system:authenticated"]}
        account, role = self.tenant.accounts[0].id, "AWSReservedSSO_Developer_" + ids.hexa(Random(self.tenant.seed), 16)
        return {"username": who.name, "uid": f"aws-iam-authenticator:{account}:AROA{ids.hexa(Random(who.name), 16).upper()}", "groups": ["developers", "system:authenticated"],
                "extra": {"accessKeyId": [who.ids["key"]], "arn": [f"arn:aws:sts::{account}:assumed-role/{role}/{who.name}"], "canonicalArn": [f"arn:aws:iam::{account}:role/{role}"], "principalId": ["AROA" + ids.hexa(Random(who.name), 17).upper()], "sessionName": [who.name]}}

    def _body(self, verb: str, resource: str, name: str, space: str, over: Json) -> Optional[Json]:
        """Request bodies where the usual audit policy keeps them."""
        rng = self.rng
        if verb not in ("create", "patch", "update"):
            return None
        if resource in ("pods", "jobs", "cronjobs", "daemonsets"):
            hostile = bool(over.get("privileged")) or rng.random() < 0.02
            spec: Json = {"containers": [{"name": "main", "image": over.get("image") or f"{self.tenant.corp}/{rng.choice(self.tenant.words)}:{ids.hexa(rng, 7)}", "securityContext": {"privileged": True} if hostile else {"runAsNonRoot": True}}], "serviceAccountName": "default", "hostNetwork": hostile, "hostPID": hostile}
            if hostile:
                spec["volumes"] = [{"name": "host", "hostPath": {"path": rng.choice(["/", "/var/lib", "/var/run"])}}]
            return {"kind": resource[:-1].title(), "metadata": {"generateName": rng.choice(self.tenant.words) + "-", "namespace": space}, "spec": spec if resource == "pods" else {"template": {"spec": spec}}}
        if "rolebindings" in resource:
            return {"kind": "ClusterRoleBinding" if "cluster" in resource else "RoleBinding", "metadata": {"name": rng.choice(self.tenant.words) + "-binding"}, "subjects": [{"kind": "ServiceAccount", "name": over.get("subject") or rng.choice(["default", "builder", "deployer"]), "namespace": space or "default"}], "roleRef": {"kind": "ClusterRole", "name": over.get("role") or rng.choice(["view", "edit", "admin", "cluster-admin"])}}
        return None
