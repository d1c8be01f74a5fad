# ruff: noqa: E501
"""Google Cloud Audit Logs (LogEntry JSON)."""
from __future__ import annotations

from random import Random
from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant
from nhi_watch_lab.tables import table

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
        self.projects = {f"{tenant.corp}-{env}-{ids.hexa(rng, 4)}": ids.digits(rng, 12) for env in ("prod", "analytics", "dev")[:rng.randint(1, 3)]}

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            project = rng.choice(list(self.projects))
            email = rng.choice([f"{rng.choice(self.tenant.words)}-{rng.choice(['etl', 'api', 'ci', 'reader', 'export', 'compute'])}@{project}.iam.gserviceaccount.com"] * 4)
            where = rng.choice([at_place(rng, rng.choice(["gcp-us", "gcp-eu"]), rng.randint(1, 6), 0.05)] * 3 + [self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), self.tenant.runners, at_place(rng, rng.choice(operators("aws", "datacentre")), 2)])
            routine = rng.choice([["storage.objects.get"], ["storage.objects.list", "storage.objects.get", "storage.objects.create"], ["google.cloud.bigquery.v2.JobService.InsertJob"], ["google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"], ["google.pubsub.v1.Subscriber.Pull"], ["GenerateAccessToken", "storage.objects.get"], ["v1.compute.instances.list"], ["google.cloud.aiplatform.v1.PredictionService.GenerateContent"], ["GetProject", "GetIamPolicy", "v1.compute.instances.list"]])
            made = Agent(email, "sa", where, agents.gcp(rng), list(routine), 10 ** rng.uniform(0.4, 2.0), rng.choice(["steady", "office", "night"]))
            made.ids = {"project": project, "unique": ids.digits(rng, 21), "key": ids.hexa(rng, 40) if rng.random() < 0.5 else ""}
            made.fail = rng.choice([0.0] * 8 + [0.01, 0.9])
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                made = Agent(person.upn, "person", person.home, agents.gcp(rng) if rng.random() < 0.5 else person.browser + ",gzip(gfe)", self.ops, rng.uniform(1, 6), "person", person=person)
                made.ids = {"project": rng.choice(list(self.projects)), "unique": ids.digits(rng, 21), "key": ""}
                self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        service, permission, template, resource, log = METHODS[op]
        _, ip = spot(who, place, rng, t)
        project = who.ids["project"]
        others = [a.name for a in self.agents if a.kind == "sa"]
        words = self.tenant.words
        name = template.format(project=project, number=self.projects[project], bucket=f"{project}-{who.pick('bucket', words, rng, explore)}", object=f"{who.pick('prefix', words, rng, explore)}/{ids.iso(t)[:10]}/{ids.hexa(rng, 8)}.avro", job="job_" + ids.b64url(rng, 18), dataset=who.pick("dataset", words, rng, explore), table=who.pick("table", words, rng, explore),
                               secret=who.pick("secret", [w + "-key" for w in words], rng, explore), unique=ids.digits(rng, 21), target=(over or {}).get("target") or who.pick("target", others or [who.name], rng, explore), vm=f"{who.pick('vm', words, rng, explore)}-{rng.randint(1, 9)}")
        auth: Json = {"principalEmail": who.name, "principalSubject": ("serviceAccount:" if who.kind == "sa" else "user:") + who.name}
        if who.ids["key"]:
            auth["serviceAccountKeyName"] = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{who.name}/keys/{who.ids['key']}"
        if (over or {}).get("delegate"):
            auth["serviceAccountDelegationInfo"] = [{"firstPartyPrincipal": {"principalEmail": (over or {})["delegate"]}}]
        payload: Json = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 7, "message": f"Permission '{permission}' denied on resource (or it may not exist)."} if err else {}, "authenticationInfo": auth, "requestMetadata": {"callerIp": ip, "callerSuppliedUserAgent": ua or who.ua, "requestAttributes": {"time": ids.iso_frac(t, 9), "auth": {}}, "destinationAttributes": {}},
                         "serviceName": service, "methodName": op, "authorizationInfo": [{"resource": name, "permission": permission, **({} if err else {"granted": True}), "resourceAttributes": {}}], "resourceName": name}
        if "SetI" in op:
            payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": {"bindingDeltas": [{"action": "ADD", "role": (over or {}).get("role") or rng.choice(["roles/viewer", "roles/storage.objectViewer", "roles/editor", "roles/iam.serviceAccountTokenCreator"]), "member": (over or {}).get("member") or f"serviceAccount:{rng.choice(others or [who.name])}"}]}}
        record: Json = {"protoPayload": payload, "insertId": ids.pick_chars(rng, "abcdefghijklmnopqrstuvwxyz0123456789", rng.choice([11, 12, 13])), "resource": {"type": resource, "labels": {"project_id": project, **({"service": service, "method": op} if resource == "audited_resource" else {"bucket_name": (name.split("/") + ["", ""])[3], "location": "us"} if resource == "gcs_bucket" else {})}},
                        "timestamp": ids.iso_frac(t, 9), "severity": "ERROR" if err else ("NOTICE" if log == "activity" else "INFO"), "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{log}", "receiveTimestamp": ids.iso_frac(t + rng.uniform(0.2, 1.6), 9)}
        self.sink.add("gcp", t, record)
