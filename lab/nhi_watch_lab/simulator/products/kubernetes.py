"""Kubernetes: the API server's audit log; service accounts (some bound to AWS roles), nodes, pipelines, people.

Shape: `audit.k8s.io/v1` `Event`, with the authentication extras of bound tokens (JTI) since 1.30.
"""

from __future__ import annotations

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Machine, Place, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, run, steady

AGENTS = ["Go-http-client/2.0", "client-go/v0.31.2", "controller/v0.0.0 (linux/amd64) kubernetes/$Format",
          "OpenAPI-Generator/31.0.0/python", "argocd-application-controller/v2.13.0",
          "kubernetes-javascript-client/0.22.0"]
KUBECTL = ["kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46", "kubectl/v1.30.5 (darwin/arm64) kubernetes/74e84a9",
           "kubectl/v1.29.8 (linux/amd64) kubernetes/234bc63", "Helm/3.16.2"]
NAMESPACES = ["apps", "platform", "kube-system", "data", "monitoring", "ingress", "ci"]
CORE = ["pods", "services", "configmaps", "endpoints", "secrets", "events", "namespaces", "nodes", "serviceaccounts"]


USUAL = ["get configmaps", "list pods", "watch endpoints", "get secrets", "update leases", "list services", "get pods",
         "create events", "patch deployments", "list configmaps", "watch configmaps", "get nodes"]
CONTROLLERS = ["watch pods", "list nodes", "update leases", "patch nodes/status", "create events", "list secrets",
               "watch secrets", "create tokenreviews", "create subjectaccessreviews", "update deployments/status"]
DEPLOYS = ["get deployments", "patch deployments", "create configmaps", "update services", "get secrets", "create jobs",
           "create secrets", "list pods", "get pods/log", "patch ingresses"]
PEOPLE = ["list pods", "get pods/log", "get deployments", "list events", "create pods/exec", "list configmaps",
          "delete pods",
          "get secrets", "list nodes", "patch deployments", "create pods/portforward", "list secrets"]
RARE = ["create rolebindings", "create selfsubjectrulesreviews", "list serviceaccounts", "list namespaces",
        "list secrets", "create serviceaccounts/token"]


def call(company: Company, what: str, namespace: str = "", name: str = "", refused: bool = False,
         more: Record | None = None) -> Deed:
    """A request to the API server, as in `create pods/exec`; namespace and name are drawn where not told."""
    action, _, thing = what.partition(" ")
    resource, _, sub = thing.partition("/")

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        space = namespace or facts.get("namespace") or d.pick(NAMESPACES)
        ref: Record = {"resource": resource, "namespace": space, "apiVersion": "v1"}
        if resource in ("nodes", "namespaces", "tokenreviews", "subjectaccessreviews", "clusterrolebindings"):
            del ref["namespace"]
        if action not in ("list", "watch"):
            ref["name"] = name or f"{d.pick(WORDS)}-{d.pick(['api', 'web', 'db', 'job'])}"
        if sub:
            ref["subresource"] = sub
        group = "/api/v1" if resource in CORE else "/apis/apps/v1"
        path = "".join(["/namespaces/" + space if "namespace" in ref else "", "/" + resource,
                        "/" + ref["name"] if "name" in ref else "", "/" + sub if sub else ""])
        code = 403 if refused else {"create": 201}.get(action, 200)
        decision = {"authorization.k8s.io/decision": "forbid" if refused else "allow",
                    "authorization.k8s.io/reason": "" if refused else 'RBAC: allowed by RoleBinding "app"'}
        status: Record = {"metadata": {}, "code": 101 if sub in ("exec", "portforward") and not refused else code}
        if refused:
            status.update({"status": "Failure", "reason": "Forbidden"})
        record = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": d.uuid(),
            "stage": "ResponseComplete", "requestURI": group + path, "verb": action, "user": _user(sender),
            "sourceIPs": [sender.address], "userAgent": sender.agent, "objectRef": ref, "responseStatus": status,
            "requestReceivedTimestamp": iso(at.second, 6), "stageTimestamp": iso(at.second + 0.004, 6),
            "annotations": decision,
        }
        if more:
            record["annotations"] = {**decision, **more.get("annotations", {})}
            record.update({key: value for key, value in more.items() if key != "annotations"})
        return sender.line(at, "kubernetes", what, record)

    return deed


def _user(sender: Sender) -> Record:
    facts = sender.facts
    if "account" in facts:
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={_jti(sender)}"],
                 "authentication.kubernetes.io/pod-name": [f"{facts['account']}-{sender.session[:5]}"],
                 "authentication.kubernetes.io/pod-uid": [facts["uid"][:-4] + sender.session[5:9]]}
        space, name = facts["namespace"], facts["account"]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"]
        return {"username": f"system:serviceaccount:{space}:{name}", "uid": facts["uid"], "groups": groups,
                "extra": extra}
    if "extra" in facts:
        return {"username": facts["username"], "uid": facts["uid"], "groups": ["system:authenticated"],
                "extra": {**facts["extra"], "accessKeyId": [f"ASIA{sender.session[:16].upper()}"]}}
    return {"username": facts["username"], "groups": ["system:authenticated"]}


def _jti(sender: Sender) -> str:
    text = sender.session
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def token(company: Company, namespace: str, name: str, d: Dice) -> Deed:
    """A token of a service account is minted."""
    issued = {"authentication.kubernetes.io/issued-credential-id": f"JTI={d.uuid()}"}
    return call(company, "create serviceaccounts/token", namespace, name, more={"annotations": issued})


def service_account(company: Company, namespace: str, name: str, role: Machine | None = None) -> Worker:
    """A service account without habits; `role` is the AWS role that it is bound to."""
    d = company.dice("k8s", namespace, name)
    place = Place(basics.private_address, name=f"k8s-{namespace}-{name}", fixed=d.chance(0.7))
    worker = Worker(f"k8s-{namespace}-{name}", "service_account", f"kubernetes:service_account:{namespace}:{name}",
                    place,
                    d.pick(AGENTS))
    worker.facts = {"namespace": namespace, "account": name, "uid": d.uuid(), "role": role}
    return worker


def workload(company: Company, namespace: str, name: str, role: Machine | None = None) -> Worker:
    """A service account with its habits."""
    worker, d = service_account(company, namespace, name, role), company.dice("k8s-habits", namespace, name)
    controller = namespace in ("kube-system", "monitoring", "ingress")
    chosen = d.some(CONTROLLERS if controller else USUAL, d.between(1, 4))
    worker.habits.append(steady(d.lognormal(60 if controller else 18, 0.8),
                                [call(company, what, "" if controller else namespace) for what in chosen]))
    if d.chance(0.1):
        worker.habits.append(steady(5, [call(company, d.pick(USUAL), "kube-system", refused=True)]))
    return worker


def node(company: Company, number: int) -> Worker:
    """A node: status, leases, and tokens for its pods."""
    d = company.dice("k8s-node", number)
    address = basics.private_address(d)
    name = f"ip-{address.replace('.', '-')}.ec2.internal"
    worker = Worker(f"k8s-{name}", "node", f"kubernetes:node:{name}", Place(lambda _: address, name=name),
                    "kubelet/v1.31.2 (linux/amd64) kubernetes/5864a46")
    worker.facts = {"username": f"system:node:{name}"}
    acts = [call(company, what) for what in ("patch nodes/status", "update leases", "get configmaps", "get secrets",
                                             "create events")]
    minted = [token(company, d.pick(NAMESPACES), d.pick(WORDS), d) for _ in range(4)]
    worker.habits.append(steady(60, [*acts, *minted]))
    return worker


def pipeline(company: Company, role: Machine) -> Worker:
    """A deployer's AWS role that works in the cluster."""
    d = company.dice("k8s-ci", role.name)
    name = role.arn.rsplit("/", 1)[1]
    worker = Worker(f"k8s-ci-{name}", "role", f"aws:{role.arn}", company.runner(f"k8s-{name}"),
                    d.pick(KUBECTL[:2] + KUBECTL[3:]))
    worker.facts = {"username": f"ci:{name}",
                    "uid": f"aws-iam-authenticator:{company.aws.world.account}:{role.principal}",
                    "extra": {"arn": [f"arn:aws:sts::{company.aws.world.account}:assumed-role/{name}/ci"],
                              "canonicalArn": [role.arn], "sessionName": ["ci"]}, "namespace": d.pick(NAMESPACES[:2])}
    acts = [call(company, what) for what in d.some(DEPLOYS, 5)]
    worker.habits.append(run(Rhythm("burst", d.lognormal(1.2, 0.6)), (acts, d.lognormal(7, 0.5), 3)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """An engineer with kubectl."""
    d = company.dice("k8s-person", one.number)
    worker = Worker(f"k8s-{one.login}", "person", f"kubernetes:user:{one.email}", one.place, d.pick(KUBECTL),
                    human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"username": one.email}
    acts = [call(company, what) for what in d.some(PEOPLE, 7)]
    worker.habits.append(run(Rhythm("burst", d.lognormal(1.5, 0.6)), (acts, d.lognormal(6, 0.6), 15)))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` machine identities, first those that are bound to AWS roles, and a third of the people."""
    found = []
    for role in company.pods()[: max(2, count // 2)]:
        _, _, namespace, name = role.subject.split(":")
        found.append(workload(company, namespace, name, role))
    found += [node(company, n) for n in range(max(1, count // 8))]
    found += [pipeline(company, role) for role in company.deployers()[: max(1, count // 8)]]
    d = company.dice("k8s-names")
    while len(found) < count:
        found.append(workload(company, d.pick(NAMESPACES),
                              f"{d.pick(WORDS)}-{d.pick(['api', 'worker', 'cron', 'operator'])}-{len(found)}"))
    return found + [person(company, one) for one in company.people if one.number % 3 == 1]
