"""The other products: what they share, then each by itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import Json, Person, Place, Sink, Tenant, operators, private_ip
from nhi_watch_lab.second_world.base import place as at_place
from nhi_watch_lab.tables import table

# ---- what the other products share: agents with routines, and the day loop that plays them

@dataclass
class Agent:
    """An identity of a product: a bot, an app, a service account, or a person."""
    name: str
    kind: str
    place: Place
    ua: str
    routine: list[str]
    runs: float
    rhythm: str
    ids: Json = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)
    person: Optional[Person] = None
    phase: float = 0.0
    fail: float = 0.0
    variety: list[str] = field(default_factory=list)    # automation: each run does some of these
    born: float = 0.0
    dies: float = 9e18

    def pick(self, kind: str, whole: list[str], rng: Random, explore: bool) -> str:
        """A resource: the agent's own few, or any when it explores."""
        if explore or self.kind == "person":
            return rng.choice(whole)
        if kind not in self.pools:
            self.pools[kind] = rng.sample(whole, min(len(whole), rng.choice([1, 2, 3, 5])))
        return rng.choice(self.pools[kind])


class Product:
    """Base of a product: population, news, and `emit`, the only writer of its records."""
    name = ""
    ops: list[str] = []
    human_ops: list[str] = []

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        self.tenant, self.sink, self.rng, self.scale = tenant, sink, rng, scale
        self.agents: list[Agent] = []

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        raise NotImplementedError

    def victims(self) -> list[Agent]:
        return [a for a in self.agents if a.kind != "person"]

    def people(self) -> list[Agent]:
        return [a for a in self.agents if a.kind == "person"]

    def add(self, who: Agent) -> Agent:
        rng, habits = self.rng, self.tenant.habits
        who.phase = rng.random()
        self._unique(who)
        moment = self.tenant.start + rng.uniform(0.1, 0.95) * self.tenant.days * 86400
        if who.kind != "person" and rng.random() < habits["births"]:
            who.born = moment
        elif who.kind != "person" and rng.random() < habits["deaths"]:
            who.dies = moment
        self.agents.append(who)
        return who

    def _unique(self, who: Agent) -> None:
        if any(a.name == who.name for a in self.agents):
            number = str(self.rng.randint(2, 9999))
            mark = next((m for m in ("[bot]", "@") if m in who.name), "")
            who.name = who.name.replace(mark, f"-{number}{mark}", 1) if mark else f"{who.name}-{number}"

    def automate(self) -> None:
        """A few agents are Terraform, GitOps or workflow tools, which do administrators' work."""
        for who in self.rng.sample(self.victims(), min(len(self.victims()), self.rng.randint(1, 3))):
            who.variety = self.rng.sample(self.human_ops, max(3, round(len(self.human_ops) * self.rng.uniform(0.4, 0.8))))

    def automation(self, who: Agent, day: float) -> None:
        for _ in range(base.poisson(self.rng, self.tenant.habits["deploys"] * 0.6)):
            t = base.office_time(self.tenant, self.rng, day)
            for op in self.rng.choices(who.variety, k=self.rng.choice([1, 2, 3, 6])):
                t += self.rng.expovariate(0.5)
                self.emit(who, t, op, explore=True, err=self.rng.random() < 0.02)

    def day(self, day: float) -> None:
        for who in self.agents:
            if not who.born <= day + 43200 < who.dies:
                continue
            if who.kind == "person":
                self.person_day(who, day)
            else:
                self.machine_day(who, day)

    def machine_day(self, who: Agent, day: float) -> None:
        if who.variety and base.works(self.tenant, self.rng, day):
            self.automation(who, day)
        runs = who.runs * self.scale if who.rhythm in ("steady", "office") else who.runs
        for t in base.starts(self.tenant, self.rng, who.rhythm, runs, who.phase, day):
            self.run(who, t)
        if self.ops and self.rng.random() < self.tenant.habits["novelty"]:
            self.news(who, base.office_time(self.tenant, self.rng, day))

    def run(self, who: Agent, t: float) -> None:
        for op in who.routine:
            t += self.rng.expovariate(1.0)
            self.emit(who, t, op, err=self.rng.random() < who.fail)

    def news(self, who: Agent, t: float) -> None:
        draw = self.rng.random()
        if draw < 0.3:
            who.pools.clear()
        elif draw < 0.45:
            who.routine = who.routine + [self.rng.choice(self.ops)]
        else:
            for op in self.rng.choices(self.ops, k=self.rng.randint(1, 4)):
                t += self.rng.expovariate(0.2)
                self.emit(who, t, op, explore=self.rng.random() < 0.5, err=self.rng.random() < 0.2)

    def person_day(self, who: Agent, day: float) -> None:
        """A working day of a person: ordinary operations, a few rare administrative ones."""
        from nhi_watch_lab.second_world.routine import where
        if not who.person or not base.works(self.tenant, self.rng, day):
            return
        spot = where(self.tenant, self.rng, who.person)
        for _ in range(base.poisson(self.rng, who.runs * min(1.0, self.scale))):
            t = base.office_time(self.tenant, self.rng, day)
            self.emit(who, t, self.rng.choice(who.routine), place=spot, err=self.rng.random() < 0.02)
        if self.human_ops and self.rng.random() < self.tenant.habits["admin"] * 0.12:
            t = base.office_time(self.tenant, self.rng, day)
            for op in self.rng.choices(self.human_ops, k=self.rng.choice([1, 1, 2, 4])):
                t += self.rng.expovariate(0.02)
                self.emit(who, t, op, place=spot, explore=True)


def geo(place: Place) -> Json:
    return {"city": place.city, "state": place.state or None, "country": place.country, "geolocation": {"lat": place.lat, "lon": place.lon}}


def spot(who: Agent, place: Optional[Place], rng: Random, t: float) -> tuple[Place, str]:
    where = place or who.place
    return where, where.ip(rng, t)


# ---- gitHub audit log (organization or enterprise API form), after GitHub's audit log documentation

GIT = {"git.clone", "git.fetch", "git.push"}
OPS: list[str] = ["git.clone", "git.fetch", "git.push", "repo.download_zip", "pull_request.create", "pull_request.merge", "repo.create", "workflows.created_workflow_run", "workflows.completed_workflow_run", "protected_branch.policy_override", "repo.add_topic", "issue_comment.update"]
HUMAN: list[str] = ["public_key.create", "repo.access", "org.add_member", "org.update_member", "team.add_repository", "team.add_member", "repo.add_member", "personal_access_token.request_created", "personal_access_token.access_granted", "integration_installation.create", "oauth_authorization.create",
                    "org_credential_authorization.grant", "protected_branch.create", "protected_branch.destroy", "protected_branch.update_admin_enforced", "hook.create", "repo.actions_enabled", "org.update_actions_secret", "repo.create_actions_secret", "repo.update_actions_secret", "environment.create_actions_secret",
                    "repo.register_self_hosted_runner", "repo.remove_self_hosted_runner", "workflows.delete_workflow_run", "workflows.disable_workflow", "repo.destroy", "repo.transfer", "secret_scanning_alert.resolve", "org.oauth_app_access_approved", "repo.set_actions_fork_pr_approvals_policy", "repository_ruleset.update", "git.clone", "repo.download_zip"]
OPERATION = {"create": "create", "add": "create", "destroy": "remove", "remove": "remove", "delete": "remove", "grant": "create", "granted": "create", "access": "access", "download": "access", "register": "create"}


class GitHub(Product):
    name = "github"
    ops = OPS
    human_ops = HUMAN

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.org, self.org_id, self.business_id = tenant.corp, rng.randint(10 ** 6, 2 * 10 ** 8), rng.randint(1000, 99999)
        tails = ["api", "web", "worker", "infra", "sdk", "docs", "ui", "jobs", "terraform", "charts", "mobile", "lib"]
        self.repos = sorted({f"{self.org}/{w}-{rng.choice(tails)}" for w in tenant.words for _ in range(rng.randint(2, 6))} | {f"{self.org}/infra", f"{self.org}/monorepo"})
        self.workflows = ["build", "test", "deploy", "release", "nightly", "lint", "codeql"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            kind = base.weighted(rng, {"app": 3.0, "pat": 3.0, "deploy_key": 3.0, "oauth": 1.5})
            routine = rng.choice([["git.clone"], ["git.fetch"], ["git.fetch", "git.push"], ["workflows.created_workflow_run", "git.clone", "workflows.completed_workflow_run"], ["pull_request.create"], ["git.clone", "repo.download_zip"], ["pull_request.create", "pull_request.merge"]])
            where = rng.choice([self.tenant.runners, self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("cloud", "aws", "hosting")), rng.randint(1, 6), 0.02)])
            word = rng.choice(self.tenant.words)
            name = {"app": f"{word}-bot[bot]", "pat": f"{self.org}-{word}-ci", "deploy_key": f"deploy-{word}", "oauth": f"{rng.choice(['sonar', 'snyk', 'linear', 'vercel', 'drift', 'codecov'])}-{self.org}"}[kind]
            self.add(self._agent(name, kind, where, base.git(rng) if kind != "oauth" else base.script_client(rng), routine, 10 ** rng.uniform(0.3, 1.9), rng.choice(["office", "office", "steady", "night"])))
        for person in self.tenant.people:
            if rng.random() < 0.6:
                made = self._agent(f"{person.login}-{self.org[:4]}" if rng.random() < 0.5 else person.login, "person", person.home, base.git(rng), ["git.fetch", "git.fetch", "git.push", "git.clone", "pull_request.create", "pull_request.merge"], rng.uniform(1, 9), "person")
                made.person = person
                self.add(made)

    def _agent(self, name: str, kind: str, where: Place, ua: str, routine: list[str], runs: float, rhythm: str) -> Agent:
        made = Agent(name, kind, where, ua, routine, runs, rhythm)
        made.ids = {"actor_id": self.rng.randint(10 ** 6, 2 * 10 ** 8), "token": base.hexa(self.rng, 40), "token_id": self.rng.randint(10 ** 8, 3 * 10 ** 9), "session": self.rng.randint(10 ** 8, 10 ** 9)}
        return made

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        where, ip = spot(who, place, rng, t)
        repo = str((over or {}).get("repo") or who.pick("repo", self.repos, rng, explore))
        record: Json = {"@timestamp": int(t * 1000), "_document_id": base.b64url(rng, 16), "action": op, "actor": who.name, "actor_id": who.ids["actor_id"], "actor_ip": ip, "actor_location": {"country_code": where.country},
                        "business": self.org, "business_id": self.business_id, "created_at": int(t * 1000), "org": self.org, "org_id": self.org_id}
        if not op.startswith(("org.", "team.", "personal", "oauth", "org_")):
            record.update({"repo": repo, "repo_id": 10 ** 8 + int(hashlib.sha1(repo.encode()).hexdigest()[:7], 16), "public_repo": False, "visibility": "private"})
        web = who.kind == "person" and op in HUMAN and op not in GIT and not ua
        record["user_agent"] = ua or (who.person.browser if web and who.person else who.ua)
        if op in GIT:
            self._git(record, who, repo)
        else:
            record["operation_type"] = next((v for k, v in OPERATION.items() if k in op), "modify")
        if web:
            record["actor_session"] = who.ids["session"]
            record["request_id"] = ":".join(base.hexa(rng, 4).upper() for _ in range(5))
        else:
            self._token(record, who)
        if who.person:
            record["external_identity_nameid"] = who.person.upn
        self._detail(record, who, op, repo, t, err)
        record.update(over or {})
        self.sink.add("github", t, record)

    def _git(self, record: Json, who: Agent, repo: str) -> None:
        ssh = who.kind == "deploy_key" or (who.kind == "person" and who.phase < 0.4)
        for key in ("created_at", "operation_type"):
            record.pop(key, None)
        record.update({"repository": repo, "repository_public": False, "transport_protocol": 2 if ssh else 1, "transport_protocol_name": "ssh" if ssh else "http", "user": "", "user_id": 0})

    def _token(self, record: Json, who: Agent) -> None:
        kinds = {"app": "GitHub App server-to-server token", "pat": "Personal access token (classic)", "deploy_key": "Public Key (User/Deploy)", "oauth": "OAuth access token", "person": "Public Key (User/Deploy)" if who.phase < 0.4 else "Fine-grained personal access token"}
        record["programmatic_access_type"] = kinds[who.kind]
        if record["programmatic_access_type"].startswith("Public"):
            return
        # app tokens live an hour; the others stay
        seed = who.ids["token"] + (str(record["@timestamp"] // 3600000) if who.kind == "app" else "")
        record["hashed_token"] = base.b64(Random(seed), 32)
        record["token_id"] = who.ids["token_id"]
        if who.kind in ("pat", "oauth"):
            record["token_scopes"] = "repo,read:org,workflow" if who.phase < 0.5 else "repo"

    def _detail(self, record: Json, who: Agent, op: str, repo: str, t: float, err: bool) -> None:
        rng = self.rng
        if op.startswith("workflows."):
            flow = who.pick("workflow", self.workflows, rng, False)
            record.update({"name": flow, "head_branch": rng.choice(["main", "main", "develop", f"feature/{base.hexa(rng, 5)}"]), "head_sha": base.hexa(rng, 40), "event": rng.choice(["push", "pull_request", "schedule", "workflow_dispatch"]), "workflow_id": 10 ** 6 + len(flow) * 991, "workflow_run_id": 13 * 10 ** 9 + int(t * 10) % 10 ** 9, "run_attempt": 1, "run_number": rng.randint(1, 4000), "trigger_id": None})
            if "completed" in op:
                record.update({"conclusion": "failure" if err or rng.random() < 0.12 else "success", "completed_at": base.iso_frac(t), "started_at": base.iso_frac(t - rng.uniform(20, 900))})
        elif op == "public_key.create":
            record.update({"title": rng.choice(["laptop", "ci", "deploy", "new-key"]), "fingerprint": "SHA256:" + base.b64(rng, 32).rstrip("="), "read_only": "false"})
        elif "secret" in op:
            record["key"] = rng.choice(["AWS_ROLE", "NPM_TOKEN", "DOCKER_PASSWORD", "SLACK_WEBHOOK", "SONAR_TOKEN"])
        elif op.startswith(("org.add", "team.add_member", "repo.add_member", "org.update_member")):
            record.update({"user": rng.choice(self.tenant.people).login, "permission": rng.choice(["read", "write", "admin"])})
        elif op == "repo.access":
            record.update({"visibility": rng.choice(["internal", "private", "public"]), "previous_visibility": "private"})
        elif "register_self_hosted" in op:
            record.update({"runner_name": "runner-" + base.hexa(rng, 6), "runner_id": rng.randint(1, 9999), "runner_labels": ["self-hosted", "linux", "x64"]})
        elif op.startswith(("integration_installation", "oauth_")):
            record.update({"integration": rng.choice(["renovate", "codecov", "sentry-io", "linear", "drift-sync", "snyk"]), "name": "app"})


# ---- google Cloud Audit Logs (LogEntry JSON)

# method: service, permission, resource name, monitored resource type, log, request type
METHODS: dict[str, tuple[str, str, str, str, str]] = table(__file__, "tables.json/methods")
WRITES = [m for m, row in METHODS.items() if row[4] == "activity"]
READS = [m for m, row in METHODS.items() if row[4] != "activity"]


class Gcp(Product):
    name = "gcp"
    ops = READS[:12] + ["v1.compute.instances.list", "GetProject", "GetIamPolicy"]
    human_ops = WRITES + ["google.cloud.bigquery.v2.JobService.InsertJob", "GenerateAccessToken", "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion", "google.iam.admin.v1.ListServiceAccounts", "SignJwt", "storage.buckets.list"]

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.projects = {f"{tenant.corp}-{env}-{base.hexa(rng, 4)}": base.digits(rng, 12) for env in ("prod", "analytics", "dev")[:rng.randint(1, 3)]}

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            project = rng.choice(list(self.projects))
            email = rng.choice([f"{rng.choice(self.tenant.words)}-{rng.choice(['etl', 'api', 'ci', 'reader', 'export', 'compute'])}@{project}.iam.gserviceaccount.com"] * 4)
            where = rng.choice([at_place(rng, rng.choice(["gcp-us", "gcp-eu"]), rng.randint(1, 6), 0.05)] * 3 + [self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), self.tenant.runners, at_place(rng, rng.choice(operators("aws", "datacentre")), 2)])
            routine = rng.choice([["storage.objects.get"], ["storage.objects.list", "storage.objects.get", "storage.objects.create"], ["google.cloud.bigquery.v2.JobService.InsertJob"], ["google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"], ["google.pubsub.v1.Subscriber.Pull"], ["GenerateAccessToken", "storage.objects.get"], ["v1.compute.instances.list"], ["google.cloud.aiplatform.v1.PredictionService.GenerateContent"], ["GetProject", "GetIamPolicy", "v1.compute.instances.list"]])
            made = Agent(email, "sa", where, base.gcp(rng), list(routine), 10 ** rng.uniform(0.4, 2.0), rng.choice(["steady", "office", "night"]))
            made.ids = {"project": project, "unique": base.digits(rng, 21), "key": base.hexa(rng, 40) if rng.random() < 0.5 else ""}
            made.fail = rng.choice([0.0] * 8 + [0.01, 0.9])
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                made = Agent(person.upn, "person", person.home, base.gcp(rng) if rng.random() < 0.5 else person.browser + ",gzip(gfe)", self.ops, rng.uniform(1, 6), "person", person=person)
                made.ids = {"project": rng.choice(list(self.projects)), "unique": base.digits(rng, 21), "key": ""}
                self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        service, permission, template, resource, log = METHODS[op]
        _, ip = spot(who, place, rng, t)
        project = who.ids["project"]
        others = [a.name for a in self.agents if a.kind == "sa"]
        words = self.tenant.words
        name = template.format(project=project, number=self.projects[project], bucket=f"{project}-{who.pick('bucket', words, rng, explore)}", object=f"{who.pick('prefix', words, rng, explore)}/{base.iso(t)[:10]}/{base.hexa(rng, 8)}.avro", job="job_" + base.b64url(rng, 18), dataset=who.pick("dataset", words, rng, explore), table=who.pick("table", words, rng, explore),
                               secret=who.pick("secret", [w + "-key" for w in words], rng, explore), unique=base.digits(rng, 21), target=(over or {}).get("target") or who.pick("target", others or [who.name], rng, explore), vm=f"{who.pick('vm', words, rng, explore)}-{rng.randint(1, 9)}")
        auth: Json = {"principalEmail": who.name, "principalSubject": ("serviceAccount:" if who.kind == "sa" else "user:") + who.name}
        if who.ids["key"]:
            auth["serviceAccountKeyName"] = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{who.name}/keys/{who.ids['key']}"
        if (over or {}).get("delegate"):
            auth["serviceAccountDelegationInfo"] = [{"firstPartyPrincipal": {"principalEmail": (over or {})["delegate"]}}]
        payload: Json = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 7, "message": f"Permission '{permission}' denied on resource (or it may not exist)."} if err else {}, "authenticationInfo": auth, "requestMetadata": {"callerIp": ip, "callerSuppliedUserAgent": ua or who.ua, "requestAttributes": {"time": base.iso_frac(t, 9), "auth": {}}, "destinationAttributes": {}},
                         "serviceName": service, "methodName": op, "authorizationInfo": [{"resource": name, "permission": permission, **({} if err else {"granted": True}), "resourceAttributes": {}}], "resourceName": name}
        if "SetI" in op:
            payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": {"bindingDeltas": [{"action": "ADD", "role": (over or {}).get("role") or rng.choice(["roles/viewer", "roles/storage.objectViewer", "roles/editor", "roles/iam.serviceAccountTokenCreator"]), "member": (over or {}).get("member") or f"serviceAccount:{rng.choice(others or [who.name])}"}]}}
        record: Json = {"protoPayload": payload, "insertId": base.pick_chars(rng, "abcdefghijklmnopqrstuvwxyz0123456789", rng.choice([11, 12, 13])), "resource": {"type": resource, "labels": {"project_id": project, **({"service": service, "method": op} if resource == "audited_resource" else {"bucket_name": (name.split("/") + ["", ""])[3], "location": "us"} if resource == "gcs_bucket" else {})}},
                        "timestamp": base.iso_frac(t, 9), "severity": "ERROR" if err else ("NOTICE" if log == "activity" else "INFO"), "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{log}", "receiveTimestamp": base.iso_frac(t + rng.uniform(0.2, 1.6), 9)}
        self.sink.add("gcp", t, record)


# ---- kubernetes audit events (audit.k8s.io/v1), half of the clusters on EKS

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
K8S_HUMAN = ["create pods/exec", "get pods/exec", "create pods/portforward", "get secrets", "list secrets", "create clusterrolebindings", "create rolebindings", "patch deployments", "delete pods", "create serviceaccounts/token", "create pods", "create cronjobs", "list clusterrolebindings", "create daemonsets", "create selfsubjectrulesreviews", "create selfsubjectaccessreviews",
         "get pods/log", "list serviceaccounts", "create certificatesigningrequests", "patch serviceaccounts", "create serviceaccounts", "update configmaps", "patch mutatingwebhookconfigurations", "get nodes/proxy", "delete events", "create jobs"]


class Kubernetes(Product):
    name = "kubernetes"
    ops = ["get configmaps", "list configmaps", "list pods", "get secrets", "list services", "create jobs", "patch deployments", "list namespaces", "get serviceaccounts", "create selfsubjectaccessreviews", "list nodes", "get pods/log", "create pods", "update configmaps", "list rolebindings", "list secrets", "create serviceaccounts/token"]
    human_ops = K8S_HUMAN

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
            made.ids = {"uid": base.uuid4(rng), "ns": space, "pod": f"{made.name.split(':')[-1]}-{base.hexa(rng, 9)}-{base.pick_chars(rng, 'bcdfghjklmnpqrstvwxz2456789', 5)}", "pod_uid": base.uuid4(rng)}
            made.fail = rng.choice([0.0, 0.0, 0.0, 0.01, 0.4])
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                made = Agent(person.upn, "person", person.home, rng.choice(KUBECTL), ["list pods", "get pods", "get pods/log", "list deployments", "list namespaces", "list services", "get configmaps", "list events"], rng.uniform(1, 8), "person", person=person)
                made.ids = {"uid": base.uuid4(rng), "ns": "default", "key": base.aws_id(rng, "ASIA", self.tenant.accounts[0].id)}
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
        record: Json = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": base.uuid4(rng), "stage": "ResponseComplete", "requestURI": uri + ("?limit=500" if verb == "list" else f"?watch=true&timeoutSeconds={rng.randint(300, 600)}" if verb == "watch" else ""), "verb": verb, "user": self._user(who, t), "sourceIPs": [ip],
                        "userAgent": ua or who.ua, "objectRef": {"resource": resource, **({"namespace": space} if space else {}), **({"name": name} if name else {}), **({"apiGroup": group} if group else {}), "apiVersion": "v1", **({"subresource": sub} if sub else {})},
                        "responseStatus": {"metadata": {}, "status": "Failure", "reason": "Forbidden", "message": f'{resource} is forbidden: User "{who.name}" cannot {verb} resource "{resource}" in API group "{group}"', "code": 403} if err else {"metadata": {}, "code": code}}
        body = self._body(verb, resource, name, space, over or {})
        if body:
            record["level"], record["requestObject"] = "Request", body
        record["requestReceivedTimestamp"] = base.iso_frac(t, 6)
        record["stageTimestamp"] = base.iso_frac(t + rng.uniform(0.002, 0.04), 6)
        record["annotations"] = {"authorization.k8s.io/decision": "forbid" if err else "allow", "authorization.k8s.io/reason": "" if err else f'RBAC: allowed by ClusterRoleBinding "{who.name.split(":")[-1]}" of ClusterRole "{who.name.split(":")[-1]}"'}
        self.sink.add("kubernetes", t, record)

    def _user(self, who: Agent, t: float) -> Json:
        if who.kind == "sa":
            token = base.uuid4(Random(f"{who.ids['uid']}{int(t // 3000)}"))
            return {"username": who.name, "uid": who.ids["uid"], "groups": ["system:serviceaccounts", "system:serviceaccounts:" + who.ids["ns"], "system:authenticated"],
                    "extra": {"authentication.kubernetes.io/credential-id": ["JTI=" + token], "authentication.kubernetes.io/pod-name": [who.ids["pod"]], "authentication.kubernetes.io/pod-uid": [who.ids["pod_uid"]]}}
        if not self.eks:
            return {"username": who.name, "groups": ["developers", "system:authenticated"]}
        account, role = self.tenant.accounts[0].id, "AWSReservedSSO_Developer_" + base.hexa(Random(self.tenant.seed), 16)
        return {"username": who.name, "uid": f"aws-iam-authenticator:{account}:AROA{base.hexa(Random(who.name), 16).upper()}", "groups": ["developers", "system:authenticated"],
                "extra": {"accessKeyId": [who.ids["key"]], "arn": [f"arn:aws:sts::{account}:assumed-role/{role}/{who.name}"], "canonicalArn": [f"arn:aws:iam::{account}:role/{role}"], "principalId": ["AROA" + base.hexa(Random(who.name), 17).upper()], "sessionName": [who.name]}}

    def _body(self, verb: str, resource: str, name: str, space: str, over: Json) -> Optional[Json]:
        """Request bodies where the usual audit policy keeps them."""
        rng = self.rng
        if verb not in ("create", "patch", "update"):
            return None
        if resource in ("pods", "jobs", "cronjobs", "daemonsets"):
            hostile = bool(over.get("privileged")) or rng.random() < 0.02
            spec: Json = {"containers": [{"name": "main", "image": over.get("image") or f"{self.tenant.corp}/{rng.choice(self.tenant.words)}:{base.hexa(rng, 7)}", "securityContext": {"privileged": True} if hostile else {"runAsNonRoot": True}}], "serviceAccountName": "default", "hostNetwork": hostile, "hostPID": hostile}
            if hostile:
                spec["volumes"] = [{"name": "host", "hostPath": {"path": rng.choice(["/", "/var/lib", "/var/run"])}}]
            return {"kind": resource[:-1].title(), "metadata": {"generateName": rng.choice(self.tenant.words) + "-", "namespace": space}, "spec": spec if resource == "pods" else {"template": {"spec": spec}}}
        if "rolebindings" in resource:
            return {"kind": "ClusterRoleBinding" if "cluster" in resource else "RoleBinding", "metadata": {"name": rng.choice(self.tenant.words) + "-binding"}, "subjects": [{"kind": "ServiceAccount", "name": over.get("subject") or rng.choice(["default", "builder", "deployer"]), "namespace": space or "default"}], "roleRef": {"kind": "ClusterRole", "name": over.get("role") or rng.choice(["view", "edit", "admin", "cluster-admin"])}}
        return None


# ---- microsoft 365 unified audit log (Management Activity API form): mail, files, directory

FILES = ["Budget 2026.xlsx", "Roadmap.pptx", "Contracts.docx", "Payroll Q1.xlsx", "Onboarding.docx", "Architecture.vsdx", "Board minutes.docx", "Credentials rotation.docx", "Customer list.csv", "Audit 2025.pdf"]


class M365(Product):
    name = "m365"
    ops = ["MailItemsAccessed", "FileAccessed", "FileDownloaded", "Send", "FileModified", "SearchQueryPerformed"]
    human_ops = ["New-InboxRule", "Set-Mailbox", "Add-MailboxPermission", "FileDownloaded", "AddedToSecureLink", "SharingSet", "FileSyncDownloadedFull", "New-TransportRule", "Send"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = at_place(rng, rng.choice(["azure-runner", "azure-eu", "aws-us-east-1", "aws-eu-west-1"]), rng.randint(1, 10), 0.03)
            self.add(self.app(rng.choice(self.tenant.words) + rng.choice(["-mailer", "-archiver", "-crm", "-dlp", "-scheduler"]), where, rng.choice([["MailItemsAccessed"], ["FileAccessed"], ["Send"], ["MailItemsAccessed", "MailItemsAccessed"], ["FileDownloaded"]]), 10 ** rng.uniform(0.4, 1.9)))
        for person in self.tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["MailItemsAccessed", "MailItemsAccessed", "FileAccessed", "FileModified", "FileDownloaded", "Send", "FileAccessed"], rng.uniform(2, 8), "person", person=person)
            made.ids = {"app": "00000002-0000-0ff1-ce00-000000000000", "sp": person.ids["entra"]}
            self.add(made)

    def app(self, name: str, where: Place, routine: list[str], runs: float) -> Agent:
        made = Agent(name, "app", where, base.script_client(self.rng), routine, runs, self.rng.choice(["steady", "office", "night"]))
        made.ids = {"app": base.uuid4(self.rng), "sp": base.uuid4(self.rng)}
        return made

    def _common(self, who: Agent, t: float, op: str, kind: int, workload: str, user: str) -> Json:
        return {"CreationTime": base.iso(t)[:-1], "Id": base.uuid4(self.rng), "Operation": op, "OrganizationId": self.tenant.directory, "RecordType": kind, "ResultStatus": "Succeeded", "UserKey": who.person.ids["puid"] if who.person else who.ids["sp"],
                "UserType": 0 if who.person else 5, "Version": 1, "Workload": workload, "UserId": user}

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        _, ip = spot(who, place, self.rng, t)
        person = who.person
        if person is None:
            mailbox = who.pick("mailbox", [q.upn for q in self.tenant.people], self.rng, explore)
            person = next(p for p in self.tenant.people if p.upn == mailbox)
        if op in ("MailItemsAccessed", "Send"):
            self._mail(who, t, op, ip, person.upn, ua or who.ua)
        elif "-" in op:
            self._admin(who, t, op, ip, person.upn)
        else:
            self._file(who, t, op, ip, person.upn, ua or who.ua)

    def _mail(self, who: Agent, t: float, op: str, ip: str, owner: str, ua: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 50 if op == "MailItemsAccessed" else 2, "Exchange", owner if who.person else f"ServicePrincipal_{who.ids['sp']}")
        count = rng.randint(1, 6)
        record.update({"AppId": who.ids["app"], "ClientAppId": who.ids["app"], "ClientIPAddress": ip, "ClientInfoString": f"Client=REST;{ua};" if not who.person else "Client=OWA;Action=ViaProxy", "ExternalAccess": False, "InternalLogonType": 0, "LogonType": 0, "LogonUserSid": f"S-1-5-21-{rng.randint(10 ** 8, 4 * 10 ** 9)}-{rng.randint(10 ** 8, 10 ** 9)}-{rng.randint(10 ** 6, 10 ** 8)}",
                       "MailboxGuid": base.uuid4(rng), "MailboxOwnerUPN": owner, "OrganizationName": self.tenant.domain, "OriginatingServer": f"AM{rng.randint(5, 9)}PR0{rng.randint(1, 9)}MB{rng.randint(1000, 9999)} (15.20.4200.000)\r\n"})
        if op == "MailItemsAccessed":
            record.update({"OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}], "OperationCount": count,
                           "Folders": [{"FolderItems": [{"InternetMessageId": f"<{base.hexa(rng, 32)}@{self.tenant.domain}>"} for _ in range(count)], "Id": base.b64(rng, 45), "Path": "\\Inbox"}]})
        else:
            record["Item"] = {"Id": base.b64(rng, 45), "InternetMessageId": f"<{base.hexa(rng, 32)}@{self.tenant.domain}>", "Subject": "RE: " + rng.choice(FILES).split(".")[0]}
        self.sink.add("m365", t, record)

    def _admin(self, who: Agent, t: float, op: str, ip: str, owner: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 1, "Exchange", owner if who.person else f"ServicePrincipal_{who.ids['sp']}")
        values = {"New-InboxRule": [("Name", rng.choice(["Invoices", "..", "Newsletter", "Move"])), ("MoveToFolder", rng.choice(["RSS Feeds", "Archive", "Projects"])), ("SubjectOrBodyContainsWords", rng.choice(["invoice;payment", "newsletter", "jira"]))], "Add-MailboxPermission": [("User", rng.choice(self.tenant.people).upn), ("AccessRights", "FullAccess")]}.get(op, [("Identity", owner)])
        record.update({"ClientIP": f"{ip}:{rng.randint(1024, 65000)}", "AppId": who.ids["app"], "ExternalAccess": False, "ObjectId": owner, "OrganizationName": self.tenant.domain, "Parameters": [{"Name": k, "Value": v} for k, v in values], "SessionId": base.uuid4(rng) if who.person else ""})
        self.sink.add("m365", t, record)

    def _file(self, who: Agent, t: float, op: str, ip: str, owner: str, ua: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 6, rng.choice(["SharePoint", "OneDrive"]), owner if who.person else f"app@sharepoint_{who.ids['app']}")
        name, site = rng.choice(FILES), f"https://{self.tenant.corp}.sharepoint.com/sites/{who.pick('site', self.tenant.words, rng, False)}/"
        record.update({"ClientIP": ip, "ObjectId": site + "Shared Documents/" + name, "CorrelationId": base.uuid4(rng), "EventSource": "SharePoint", "ItemType": "File", "ListId": base.uuid4(rng), "ListItemUniqueId": base.uuid4(rng), "Site": base.uuid4(rng), "UserAgent": ua, "WebId": base.uuid4(rng), "ApplicationId": who.ids["app"], "SourceFileExtension": name.rsplit(".", 1)[-1],
                       "SiteUrl": site, "SourceFileName": name, "SourceRelativeUrl": "Shared Documents", "AppAccessContext": {"AADSessionId": "" if not who.person else base.uuid4(rng), "ClientAppId": who.ids["app"], "CorrelationId": base.uuid4(rng), "UniqueTokenId": base.b64url(rng, 16)}})
        record.pop("ResultStatus")
        self.sink.add("m365", t, record)

    def directory(self, who: Agent, t: float, activity: str, ip: str, target: Json, ua: str) -> None:
        """The unified log's copy of a directory audit, some seconds later."""
        user = who.person.upn if who.person else f"ServicePrincipal_{who.ids['sp']}"
        record = self._common(who, t, activity + ("" if activity.endswith("management") else "."), 8, "AzureActiveDirectory", user)
        record["ResultStatus"] = "Success"
        changed = [{"Name": c["displayName"], "NewValue": c["newValue"], "OldValue": c["oldValue"] or ""} for c in target["modifiedProperties"]]
        actor = [{"ID": user, "Type": 5 if who.person else 1}, {"ID": who.ids["sp"], "Type": 2}, {"ID": "User" if who.person else "ServicePrincipal", "Type": 2}]
        record.update({"ClientIP": ip if who.person else "", "ObjectId": target["userPrincipalName"] or target["id"], "AzureActiveDirectoryEventType": 1, "ExtendedProperties": [{"Name": "additionalDetails", "Value": '{"User-Agent":"' + ua + '"}'}, {"Name": "extendedAuditEventCategory", "Value": target["type"]}], "ModifiedProperties": changed, "Actor": actor,
                       "ActorContextId": self.tenant.directory, "ActorIpAddress": ip if who.person else "", "InterSystemsId": base.uuid4(self.rng), "IntraSystemId": base.uuid4(self.rng), "SupportTicketId": "", "Target": [{"ID": f"{target['type']}_{target['id']}", "Type": 2}, {"ID": target["id"], "Type": 2}, {"ID": target["displayName"], "Type": 1}], "TargetContextId": self.tenant.directory})
        self.sink.add("m365", t, record)


# ---- entra ID: service principal sign-ins, user sign-ins, directory audits (Graph JSON form)

RESOURCES: dict[str, str] = {"Microsoft Graph": "00000003-0000-0000-c000-000000000000", "Azure Key Vault": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Windows Azure Service Management API": "797f4846-ba00-4fd7-ba43-dac1f8f63013", "Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000",
                             "Azure Storage": "e406a681-f3d4-42a8-90b6-c2b029497af1", "Office 365 Management APIs": "c5393580-f805-4401-95e8-94b7a6ef2fc2", "Office 365 SharePoint Online": "00000003-0000-0ff1-ce00-000000000000", "Windows Azure Active Directory": "00000002-0000-0000-c000-000000000000"}
PORTALS: dict[str, str] = {"Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000", "Azure Portal": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Microsoft Teams": "1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Azure CLI": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "OfficeHome": "4765445b-32c6-49b0-83e6-1d93765276ca", "Microsoft Graph Command Line Tools": "14d82eec-204b-4c2f-b7e8-296a70dab67e"}
# activity: service, category, operation type, kind of the target
AUDITS: dict[str, tuple[str, str, str, str]] = table(__file__, "tables.json/audits")
SCOPES = ["User.Read openid profile", "Mail.Read offline_access User.Read", "Calendars.Read User.Read", "Files.Read.All offline_access", "Mail.ReadWrite Mail.Send offline_access", "Contacts.Read User.Read"]


class Entra(Product):
    name = "entra"
    ops = ["signin:" + r for r in RESOURCES] + ["audit:Add member to group", "audit:Update user", "audit:Add user", "audit:Remove member from group"]
    human_ops = ["audit:" + a for a in AUDITS]

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float, m365: M365) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.m365 = m365
        self.principals: dict[str, str] = {r: base.uuid4(rng) for r in list(RESOURCES) + list(PORTALS)}

    def app(self, name: str, where: Place, routine: list[str], runs: float, rhythm: str) -> Agent:
        made = Agent(name, "app", where, base.script_client(self.rng), routine, runs, rhythm)
        made.ids = {"app": base.uuid4(self.rng), "sp": base.uuid4(self.rng), "object": base.uuid4(self.rng), "key": base.uuid4(self.rng), "credential": self.rng.choice(["clientSecret", "clientSecret", "clientAssertion"])}
        return made

    def populate(self, machines: int) -> None:
        rng, tenant = self.rng, self.tenant
        for _ in range(machines):
            where = rng.choice([tenant.nat(tenant.accounts[0], tenant.regions[0]), at_place(rng, rng.choice(["azure-runner", "azure-eu"]), rng.randint(1, 12), 0.02), tenant.office, at_place(rng, rng.choice(operators("aws", "cloud", "datacentre")), rng.randint(1, 4))])
            name = tenant.name(rng.choice(["app", "spn", "sp", ""]), rng.choice(tenant.words), rng.choice(["connector", "sync", "backup", "automation", "terraform", "reader"]))
            routine = ["signin:" + rng.choice(list(RESOURCES))] if rng.random() < 0.8 else ["signin:Microsoft Graph", "audit:" + rng.choice(["Add member to group", "Update user", "Remove member from group"])]
            dormant = rng.random() < 0.15
            made = self.add(self.app(name, where, routine, 0.0 if dormant else 10 ** rng.uniform(0.3, 1.8), "office" if dormant else rng.choice(["steady", "office", "night"])))
            made.fail = rng.choice([0.0] * 8 + [0.02, 0.95])
        for person in tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["login:" + p for p in PORTALS] + ["login:OfficeHome"] * 3, rng.uniform(1, 5), "person", person=person)
            made.ids = {"sp": person.ids["entra"]}
            self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        kind, _, what = op.partition(":")
        where, ip = spot(who, place, self.rng, t)
        if kind == "signin":
            self._app_sign_in(who, t, what, where, ip, err, over or {})
        elif kind == "login":
            self._user_sign_in(who, t, what, where, ip, ua, err)
        else:
            self._audit(who, t, what, ip, ua, over or {})

    @staticmethod
    def _where(where: Place) -> Json:
        return {"city": where.city, "state": where.state, "countryOrRegion": where.country, "geoCoordinates": {"altitude": None, "latitude": where.lat, "longitude": where.lon}}

    def _app_sign_in(self, who: Agent, t: float, resource: str, where: Place, ip: str, err: bool, over: Json) -> None:
        rng = self.rng
        fault = {"errorCode": 7000215, "failureReason": "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.", "additionalDetails": None}
        record: Json = {"id": base.uuid4(rng), "createdDateTime": base.iso(t), "userDisplayName": None, "userPrincipalName": None, "userId": "", "appId": who.ids["app"], "appDisplayName": who.name, "ipAddress": ip, "clientAppUsed": None, "userAgent": None, "correlationId": base.uuid4(rng), "conditionalAccessStatus": "notApplied",
                        "originalRequestId": None, "isInteractive": False, "tokenIssuerName": None, "tokenIssuerType": "AzureAD", "processingTimeInMilliseconds": rng.randint(18, 320), "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": [], "resourceDisplayName": resource, "resourceId": RESOURCES[resource],
                        "resourceTenantId": self.tenant.directory, "homeTenantId": self.tenant.directory, "authenticationMethodsUsed": [], "authenticationRequirement": None, "signInIdentifier": None, "servicePrincipalName": who.name, "servicePrincipalId": who.ids["sp"], "signInEventTypes": ["servicePrincipal"], "servicePrincipalCredentialKeyId": over.get("key") or who.ids["key"],
                        "servicePrincipalCredentialThumbprint": "", "clientCredentialType": who.ids["credential"], "uniqueTokenIdentifier": base.b64url(rng, 16), "incomingTokenType": "none", "authenticationProtocol": "none", "resourceServicePrincipalId": self.principals[resource], "crossTenantAccessType": "none", "autonomousSystemNumber": where.asn, "federatedCredentialId": "",
                        "status": fault if err else {"errorCode": 0, "failureReason": None, "additionalDetails": None}, "deviceDetail": None, "location": self._where(where), "appliedConditionalAccessPolicies": [], "authenticationProcessingDetails": [{"key": "Azure AD App Authentication Library", "value": "Family: MSAL Library: MSAL.Python 1.31.0 Platform: Python"}] if who.phase < 0.4 else [], "networkLocationDetails": []}
        self.sink.add("entra_sp_signins", t, record)

    def _user_sign_in(self, who: Agent, t: float, app: str, where: Place, ip: str, ua: str, err: bool) -> None:
        rng, agent, person = self.rng, ua or who.ua, who.person
        assert person is not None
        record: Json = {"id": base.uuid4(rng), "createdDateTime": base.iso(t), "userDisplayName": person.name, "userPrincipalName": person.upn, "userId": person.ids["entra"], "appId": PORTALS[app], "appDisplayName": app, "ipAddress": ip, "clientAppUsed": "Browser" if "Mozilla" in agent else "Mobile Apps and Desktop clients", "userAgent": agent, "correlationId": base.uuid4(rng), "conditionalAccessStatus": "success",
                        "isInteractive": True, "tokenIssuerType": "AzureAD", "processingTimeInMilliseconds": rng.randint(60, 700), "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": [], "resourceDisplayName": "Microsoft Graph", "resourceId": RESOURCES["Microsoft Graph"], "resourceTenantId": self.tenant.directory, "homeTenantId": self.tenant.directory,
                        "authenticationRequirement": "multiFactorAuthentication", "signInEventTypes": ["interactiveUser"], "servicePrincipalId": "", "uniqueTokenIdentifier": base.b64url(rng, 16), "incomingTokenType": "none", "authenticationProtocol": "none", "autonomousSystemNumber": where.asn,
                        "status": {"errorCode": 50126, "failureReason": "Error validating credentials due to invalid username or password.", "additionalDetails": None} if err else {"errorCode": 0, "failureReason": "Other.", "additionalDetails": "MFA requirement satisfied by claim in the token"},
                        "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows10" if "Windows" in agent else "MacOs", "browser": "Chrome", "isCompliant": False, "isManaged": False, "trustType": ""}, "location": self._where(where), "appliedConditionalAccessPolicies": []}
        self.sink.add("entra_signins", t, record)

    def _audit(self, who: Agent, t: float, activity: str, ip: str, ua: str, over: Json) -> None:
        rng = self.rng
        service, category, operation, kind = AUDITS[activity]
        by: Json = {"app": None, "user": {"id": who.person.ids["entra"], "displayName": None, "userPrincipalName": who.person.upn, "ipAddress": ip, "userType": None, "homeTenantId": None, "homeTenantName": None}} if who.person else {"user": None, "app": {"appId": None, "displayName": who.name, "servicePrincipalId": who.ids["sp"], "servicePrincipalName": None}}
        target = self._target(activity, kind, over)
        correlation = base.uuid4(rng)
        record: Json = {"id": f"Directory_{correlation}_{base.pick_chars(rng, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 5)}_{rng.randint(10 ** 7, 10 ** 8)}", "category": category, "correlationId": correlation, "result": "success", "resultReason": "", "activityDisplayName": activity, "activityDateTime": base.iso_frac(t, 7), "loggedByService": service, "operationType": operation,
                        "initiatedBy": by, "targetResources": [target], "additionalDetails": [{"key": "User-Agent", "value": ua or (who.ua if who.person else "Microsoft Azure Graph Client Library")}] + ([{"key": "AppId", "value": target["id"]}] if kind in ("Application", "ServicePrincipal") else [])}
        self.sink.add("entra_audit", t, record)
        self.m365.directory(who, t, activity, ip, target, ua or who.ua)

    def _target(self, activity: str, kind: str, over: Json) -> Json:
        rng = self.rng
        person, apps = rng.choice(self.tenant.people), [a for a in self.agents if a.kind == "app"]
        app = over.get("app") or rng.choice(apps)
        changed: list[Json] = []
        if "secrets" in activity or "credentials" in activity:
            key = over.get("key") or base.uuid4(rng)
            changed = [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": json.dumps([f"[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName={rng.choice(['prod', 'rotation-2026', 'key1', 'terraform', 'tmp'])}]"])}]
        elif "onsent" in activity or "permission grant" in activity:
            changed = [{"displayName": "ConsentContext.IsAdminConsent", "oldValue": None, "newValue": '"False"'}, {"displayName": "ConsentAction.Permissions", "oldValue": None, "newValue": f'"[] => [[Id: {base.b64url(rng, 24)}, ClientId: {app.ids["sp"]}, PrincipalId: {person.ids["entra"]}, ResourceId: {self.principals["Microsoft Graph"]}, ConsentType: Principal, Scope: {over.get("scope") or rng.choice(SCOPES)}]]; "'}]
        elif "role" in activity:
            changed = [{"displayName": "AppRole.Value" if "app role" in activity else "Role.DisplayName", "oldValue": None, "newValue": '"' + str(over.get("role") or rng.choice(["Mail.Read", "User.Read.All", "Directory.Read.All", "Application.ReadWrite.All"] if "app role" in activity else ["Global Reader", "User Administrator", "Application Administrator", "Global Administrator"])) + '"'}]
        label, ident, upn = (app.name, app.ids["sp" if kind == "ServicePrincipal" else "object"], None) if kind in ("Application", "ServicePrincipal") else (person.name, person.ids["entra"], person.upn) if kind == "User" else (rng.choice(["sg-engineering", "sg-finance", "All Staff", "Default policy"]), base.uuid4(rng), None)
        return {"id": ident, "displayName": label, "type": kind, "userPrincipalName": upn, "groupType": "unknownFutureValue" if kind == "Group" else None, "modifiedProperties": changed}


# ---- okta System Log events (API v1 LogEvent), after Okta's documentation and public samples

# event: display message, legacy type, uri, target kinds
EVENTS: dict[str, tuple[str, str, str, str]] = table(__file__, "tables.json/events")
APPS = ["Salesforce", "Slack", "Office 365", "AWS IAM Identity Center", "Workday", "Zoom", "Jira Cloud", "GitHub Enterprise Cloud", "Snowflake", "Datadog"]


class Okta(Product):
    name = "okta"
    ops = ["user.account.update_profile", "group.user_membership.add", "group.user_membership.remove", "user.lifecycle.create", "user.lifecycle.activate", "user.lifecycle.deactivate", "application.user_membership.add", "user.account.reset_password", "application.lifecycle.update"]
    human_ops = [e for e in EVENTS if not e.startswith(("user.session.s", "user.session.e", "user.auth", "app.oauth2.as", "app.oauth2.token"))]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            kind = rng.choice(["api_token", "service_app"])
            grant = "app.oauth2.token.grant.access_token" if rng.random() < 0.6 else "app.oauth2.as.token.grant.access_token"
            routine = [grant] if kind == "service_app" and rng.random() < 0.7 else rng.choice([["user.account.update_profile"], ["group.user_membership.add", "group.user_membership.remove"], ["user.lifecycle.create", "user.lifecycle.activate", "application.user_membership.add"], ["user.lifecycle.deactivate"]])
            where = rng.choice([self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("cloud", "aws", "datacentre")), rng.randint(1, 4))])
            made = Agent(rng.choice(["svc-", "integration-", ""]) + rng.choice(self.tenant.words) + rng.choice(["-sync", "-provisioner", "-hr", "-scim", "-automation"]), kind, where, base.script_client(rng), routine, 10 ** rng.uniform(0.2, 1.6), rng.choice(["steady", "office", "night"]))
            made.ids = {"id": base.okta_id(rng, "00u" if kind == "api_token" else "0oa"), "token": base.okta_id(rng, "00T")}
            self.add(made)
        for person in self.tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["user.session.start", "user.authentication.auth_via_mfa", "user.authentication.sso", "user.authentication.sso", "user.authentication.sso"], rng.uniform(1, 5), "person", person=person)
            made.ids = {"id": base.okta_id(rng, "00u"), "token": ""}
            self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        where, ip = spot(who, place, rng, t)
        message, legacy, uri, kinds = EVENTS[op]
        agent = ua or who.ua
        login = who.person.upn if who.person else (f"{who.name}@{self.tenant.domain}" if who.kind == "api_token" else who.ids["id"])
        request, path = base.b64url(rng, 20), uri.replace("{app}", "app_" + base.hexa(rng, 8))
        debug: Json = {"requestId": request, "dtHash": base.hexa(rng, 64), "requestUri": path, "url": path + "?"}
        if "token.grant" in op:
            debug.update({"grantType": "client_credentials", "requestedScopes": "okta.users.read okta.groups.manage", "grantedScopes": "okta.users.read okta.groups.manage", "clientAuthType": "private_key_jwt"})
        transaction: Json = {"type": "WEB", "id": request, "detail": {}}
        if who.kind == "api_token":
            transaction["detail"] = {"requestApiTokenId": who.ids["token"]}
        session = None if who.kind != "person" else "idx" + base.b64url(rng, 16)
        record: Json = {"actor": {"id": who.ids["id"], "type": "PublicClientApp" if who.kind == "service_app" else "User", "alternateId": login, "displayName": who.name, "detailEntry": None},
                        "client": {"userAgent": {"rawUserAgent": agent, "os": self._os(agent), "browser": "CHROME" if "Chrome" in agent else "UNKNOWN"}, "zone": "null", "device": "Computer" if "Mozilla" in agent else "Unknown", "id": who.ids["id"] if who.kind == "service_app" else None, "ipAddress": ip, "geographicalContext": {**geo(where), "postalCode": None}},
                        "device": None, "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None, "interface": None, "authenticationStep": 0, "rootSessionId": session, "externalSessionId": session or "unknown"},
                        "displayMessage": message, "eventType": op, "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS" if "session" in op else "VERIFICATION_ERROR"} if err else {"result": "SUCCESS", "reason": None}, "published": base.iso_frac(t),
                        "securityContext": {"asNumber": where.asn, "asOrg": where.org.lower(), "isp": where.org.lower(), "domain": None, "isProxy": where.kind == "tor"}, "severity": "WARN" if err else "INFO", "debugContext": {"debugData": debug}, "legacyEventType": legacy,
                        "transaction": transaction, "uuid": base.uuid4(rng), "version": "0", "request": {"ipChain": [{"ip": ip, "geographicalContext": {**geo(where), "postalCode": None}, "version": "V4", "source": None}]}, "target": self._targets(who, kinds, over or {})}
        self.sink.add("okta", t, record)

    @staticmethod
    def _os(agent: str) -> str:
        return "Windows 10" if "Windows NT" in agent else ("Mac OS X" if "Mac OS X" in agent else ("Linux" if "Linux" in agent else "Unknown"))

    def _targets(self, who: Agent, kinds: str, over: Json) -> Optional[list[Json]]:
        found: list[Json] = []
        for kind in kinds.split():
            person = self.rng.choice(self.tenant.people)
            label = {"User": person.name, "UserGroup": over.get("group") or self.rng.choice(["Engineering", "AWS-Admins", "Everyone", "Finance", "Contractors", "VPN-Users", "Okta-Admins"]), "AppInstance": over.get("app") or who.pick("app", APPS, self.rng, False), "Token": who.name, "access_token": "Access Token"}.get(kind, kind + " 1")
            found.append({"id": base.okta_id(self.rng, "00u" if kind == "User" else "00g" if kind == "UserGroup" else "0oa"), "type": kind, "alternateId": person.upn if kind == "User" else ("unknown" if kind != "AppInstance" else label), "displayName": label, "detailEntry": None})
        return found or None


# ---- hashiCorp Vault audit device (JSON) and Snowflake's LOGIN_HISTORY and QUERY_HISTORY rows

MOUNTS = {"secret": "kv", "database": "database", "aws": "aws", "auth": "token", "sys": "system", "transit": "transit", "pki": "pki", "identity": "identity"}


class Vault(Product):
    name = "vault"
    ops = ["read secret/data", "list secret/metadata", "read database/creds", "update auth/token/renew-self", "read aws/creds", "update transit/encrypt", "update pki/issue", "read sys/health"]
    human_ops = ["list secret/metadata", "read secret/data", "update sys/policies/acl", "update auth/approle/role", "read sys/auth", "list auth/approle/role", "update auth/token/create", "read sys/mounts", "read database/creds", "update sys/audit", "read aws/creds", "update auth/userpass/users"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = at_place(rng, "equinix-dc", 0)
            where.pool = [private_ip(rng) for _ in range(rng.randint(1, 4))]
            routine = rng.choice([["update auth/approle/login", "read secret/data"], ["read secret/data"], ["read database/creds"], ["update auth/token/renew-self", "read secret/data"], ["update transit/encrypt"], ["read aws/creds"], ["update pki/issue"]])
            made = Agent(f"{rng.choice(['approle', 'kubernetes', 'jwt'])}-{rng.choice(self.tenant.words)}-{rng.choice(['api', 'worker', 'ci'])}", "approle", where, "Go-http-client/1.1", routine, 10 ** rng.uniform(0.7, 1.9), rng.choice(["steady", "office"]))
            self.add(self._ids(made))
        for person in self.tenant.people:
            if rng.random() < 0.15:
                self.add(self._ids(Agent("oidc-" + person.upn, "person", self.tenant.vpn, person.browser, ["read secret/data", "list secret/metadata", "read sys/mounts"], rng.uniform(0.5, 3), "person", person=person)))

    def _ids(self, made: Agent) -> Agent:
        rng = self.rng
        made.ids = {"entity": base.uuid4(rng), "token": "hmac-sha256:" + base.hexa(rng, 64), "accessor": "hmac-sha256:" + base.hexa(rng, 64), "policies": ["default", made.name.split("-")[1]]}
        return made

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        _, ip = spot(who, place, rng, t)
        verb, path = op.split(" ", 1)
        leaf = {"secret/data": f"/{self.tenant.accounts[0].env}/{who.pick('secret', [f'{w}/{k}' for w in self.tenant.words for k in ('db', 'api', 'smtp')], rng, explore)}", "database/creds": "/" + who.pick("role", [w + "-rw" for w in self.tenant.words], rng, explore), "aws/creds": "/" + who.pick("aws", [w + "-deploy" for w in self.tenant.words], rng, explore),
                "transit/encrypt": "/" + who.pick("key", self.tenant.words, rng, explore), "pki/issue": "/internal", "secret/metadata": f"/{self.tenant.accounts[0].env}/"}.get(path, "")
        mount = path.split("/")[0]
        auth: Json = {"accessor": who.ids["accessor"], "client_token": who.ids["token"], "display_name": who.name, "entity_id": who.ids["entity"], "policies": who.ids["policies"], "policy_results": {"allowed": not err}, "token_policies": who.ids["policies"], "token_issue_time": base.iso(t - t % 3600 - 60 * who.phase), "token_ttl": 3600, "token_type": "service"}
        request: Json = {"client_id": who.ids["entity"], "client_token": who.ids["token"], "client_token_accessor": who.ids["accessor"], "id": base.uuid4(rng), "mount_accessor": f"{MOUNTS.get(mount, 'kv')}_{base.hexa(Random(mount), 8)}", "mount_class": "auth" if mount == "auth" else "secret", "mount_point": mount + "/", "mount_type": MOUNTS.get(mount, "kv"),
                         "namespace": {"id": "root"}, "operation": verb, "path": path + leaf, "remote_address": ip, "remote_port": rng.randint(20000, 65000)}
        error: Json = {"error": "1 error occurred:\n\t* permission denied\n\n"} if err else {}
        self.sink.add("vault", t, {"time": base.iso_frac(t, 9), "type": "request", "auth": auth, "request": request, **error})
        response: Json = {"mount_accessor": request["mount_accessor"], "mount_class": request["mount_class"], "mount_point": mount + "/", "mount_type": request["mount_type"]}
        later = t + rng.uniform(0.001, 0.02)
        self.sink.add("vault", later, {"time": base.iso_frac(later, 9), "type": "response", "auth": auth, "request": request, "response": response, **error})


QUERIES = {"SELECT": "SELECT {c} FROM {t} WHERE updated_at > '{d}'", "MERGE": "MERGE INTO {t} USING stage_{t} ON {t}.id = stage_{t}.id WHEN MATCHED THEN UPDATE SET v = 1", "COPY": "COPY INTO {t} FROM @raw_stage/{t}/ FILE_FORMAT = (TYPE = PARQUET)", "INSERT": "INSERT INTO {t} SELECT * FROM stage_{t}", "SHOW": "SHOW TABLES IN SCHEMA ANALYTICS.PUBLIC",
           "UNLOAD": "COPY INTO @~/{t}_export FROM (SELECT * FROM {t}) FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP)", "GET_FILES": "GET @~/{t}_export file:///tmp/", "CREATE_USER": "CREATE USER {t}_SVC DEFAULT_ROLE = PUBLIC", "GRANT": "GRANT ROLE SYSADMIN TO USER {t}_SVC", "ALTER_USER": "ALTER USER {t}_SVC SET RSA_PUBLIC_KEY='{c}'", "DESCRIBE": "DESCRIBE TABLE {t}",
           "CREATE_STAGE": "CREATE TEMPORARY STAGE tmp_{t}", "SELECT_ALL": "SELECT * FROM {t}", "USE": "USE WAREHOUSE LOAD_WH", "SHOW_USERS": "SHOW USERS"}


class Snowflake(Product):
    name = "snowflake"
    ops = ["SELECT", "SHOW", "DESCRIBE", "INSERT", "COPY", "SELECT_ALL", "CREATE_STAGE", "UNLOAD"]
    human_ops = ["SHOW_USERS", "UNLOAD", "GET_FILES", "SELECT_ALL", "CREATE_USER", "GRANT", "ALTER_USER", "CREATE_STAGE"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = rng.choice([self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("aws", "cloud")), rng.randint(1, 4))])
            made = Agent("SVC_" + rng.choice(self.tenant.words).upper() + rng.choice(["_DBT", "_LOADER", "_BI", "_REVERSE_ETL"]), "service", where, rng.choice(["JDBC_DRIVER 3.16.1", "PYTHON_CONNECTOR 3.12.1", "GO_DRIVER 1.11.2", "ODBC_DRIVER 3.4.1"]), ["LOGIN"] + rng.choice([["SELECT"] * 3, ["COPY", "MERGE"], ["INSERT", "SELECT"], ["MERGE"]]), 10 ** rng.uniform(0.4, 1.5), rng.choice(["steady", "office", "night"]))
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                self.add(Agent(person.upn.upper(), "person", person.home, "SNOWFLAKE_UI 1.0", ["LOGIN", "SELECT", "SELECT", "SHOW", "DESCRIBE"], rng.uniform(1, 7), "person", person=person))

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        _, ip = spot(who, place, rng, t)
        client, _, version = (ua or who.ua).partition(" ")
        stamp = base.iso_frac(t)
        if op == "LOGIN":
            record: Json = {"EVENT_ID": rng.randint(10 ** 14, 10 ** 15), "EVENT_TIMESTAMP": stamp, "EVENT_TYPE": "LOGIN", "USER_NAME": who.name, "CLIENT_IP": ip, "REPORTED_CLIENT_TYPE": client, "REPORTED_CLIENT_VERSION": version, "FIRST_AUTHENTICATION_FACTOR": "PASSWORD" if who.kind == "person" or who.phase < 0.5 else "RSA_KEYPAIR", "SECOND_AUTHENTICATION_FACTOR": "DUO_PUSH" if who.kind == "person" else None,
                            "IS_SUCCESS": "NO" if err else "YES", "ERROR_CODE": 390100 if err else None, "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if err else None, "RELATED_EVENT_ID": 0, "CONNECTION": None}
            self.sink.add("snowflake_logins", t, record)
            return
        table = who.pick("table", [w.upper() for w in self.tenant.words], rng, explore)
        rows = int(rng.lognormvariate(6, 2)) if op in ("SELECT", "SELECT_ALL", "UNLOAD") else 0
        session = base.digits(Random(f"{who.name}{int(t // 3600)}"), 14)
        record = {"QUERY_ID": "01" + base.uuid4(rng)[2:], "QUERY_TEXT": QUERIES[op].format(t=table, c="id, name, amount", d=base.iso(t - 86400)), "DATABASE_NAME": "ANALYTICS", "SCHEMA_NAME": "PUBLIC", "QUERY_TYPE": op.split("_ALL")[0], "SESSION_ID": session, "USER_NAME": who.name, "ROLE_NAME": who.name.split("@")[0] + "_ROLE", "WAREHOUSE_NAME": "LOAD_WH", "WAREHOUSE_SIZE": "Small", "EXECUTION_STATUS": "FAIL" if err else "SUCCESS",
                  "ERROR_CODE": "003001" if err else None, "ERROR_MESSAGE": "SQL access control error: Insufficient privileges" if err else None, "START_TIME": stamp, "END_TIME": base.iso_frac(t + rng.expovariate(0.5)), "TOTAL_ELAPSED_TIME": rng.randint(40, 9000), "BYTES_SCANNED": rows * rng.randint(80, 900), "ROWS_PRODUCED": rows, "CLIENT_APPLICATION_ID": who.ua.replace("_DRIVER", "").replace("_CONNECTOR", "Connector")}
        self.sink.add("snowflake_queries", t, record)
