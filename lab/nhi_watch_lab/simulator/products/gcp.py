"""Google Cloud: audit log entries, service accounts with keys, with impersonation, with workload identity federation.

Shape: Google's references of `LogEntry` and `AuditLog`.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person, Repo
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady
from nhi_watch_lab.tables import table

AGENTS = ["google-api-go-client/0.5,gzip(gfe)", "google-cloud-sdk gcloud/501.0.0 command/gcloud.storage.ls,gzip(gfe)",
          "gcloud-python/3.25.0 python/3.11.9 grpc/1.66.2,gzip(gfe)",
          "gl-java/17.0.13 gapic/2.50.0 gax/2.57.0,gzip(gfe)",
          "Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-google/6.12.0,gzip(gfe)",
          "google-api-python-client/2.151.0 (gzip),gzip(gfe)"]
SERVICES = table(__file__, "tables.json/services")
"""Short name → service, and how its resources are named."""
_VERSIONS = "google.cloud.secretmanager.v1.SecretManagerService."
READ = ("storage", "storage.objects.get")
WRITE = ("storage", "storage.objects.create")
QUERY = ("bigquery", "google.cloud.bigquery.v2.JobService.InsertJob")
SECRET = ("secret", f"{_VERSIONS}AccessSecretVersion")
TOKEN = ("token", "GenerateAccessToken")
USUAL = [READ, WRITE, ("bucket", "storage.objects.list"), QUERY, SECRET,
         ("pubsub", "google.pubsub.v1.Publisher.ListTopics"), ("compute", "v1.compute.instances.list")]
DEPLOYS = [("run", "google.cloud.run.v1.Services.ReplaceService"), ("compute", "v1.compute.instances.insert"),
           ("compute", "v1.compute.instances.setMetadata"), ("pubsub", "google.pubsub.v1.Publisher.CreateTopic"),
           ("bucket", "storage.buckets.update"), ("run", "google.cloud.run.v1.Services.GetService")]
LOOKS = [("iam", "google.iam.admin.v1.ListServiceAccounts"), ("project", "GetIamPolicy"),
         ("secrets", f"{_VERSIONS}ListSecrets"), ("bucket", "storage.buckets.list"), ("compute",
                                                                                      "v1.compute.instances.list"),
         ("iam", "google.iam.admin.v1.ListServiceAccountKeys"), ("sink", "google.logging.v2.ConfigServiceV2.GetSink")]


def call(company: Company, what: tuple[str, str], fixed: dict[str, str] | None = None, refused: bool = False,
         more: Record | None = None) -> Deed:
    """A call (short service, method); `fixed` names resources that are not drawn."""
    service, shape = SERVICES[what[0]]

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        names = {"project": facts["project"], "bucket": d.pick(facts["buckets"]), "word": d.pick(WORDS),
                 "hex": d.hexes(8), "kind": d.pick(["db", "api-key", "webhook"]), "n": str(d.between(1, 9)),
                 "account": facts["email"], **(fixed or {})}
        resource = shape.format(**names)
        payload: Record = {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "authenticationInfo": _who(sender),
            "requestMetadata": {"callerIp": sender.address, "callerSuppliedUserAgent": sender.agent,
                                "requestAttributes": {"time": iso(at.second, 9)}, "destinationAttributes": {}},
            "serviceName": service, "methodName": what[1], "resourceName": resource,
            "authorizationInfo": [{"resource": resource, "permission": what[1].rpartition(".")[2],
                                   "granted": not refused,
                                   "resourceAttributes": {}}],
        }
        if refused:
            payload["status"] = {"code": 7, "message": f"Permission denied on resource {resource}"}
        payload.update(more or {})
        data = what[0] in ("storage", "secret", "token", "bigquery")
        log = "data_access" if data else "activity"
        record = {
            "protoPayload": payload, "insertId": d.ident("", 13).lower(), "timestamp": iso(at.second, 9),
            "resource": {"type": "audited_resource", "labels": {"project_id": names["project"], "service": service}},
            "severity": "ERROR" if refused else "INFO" if data else "NOTICE",
            "logName": f"projects/{names['project']}/logs/cloudaudit.googleapis.com%2F{log}",
            "receiveTimestamp": iso(at.second + 1.2, 9),
        }
        return sender.line(at, "gcp", what[1], record)

    return deed


def _who(sender: Sender) -> Record:
    facts = sender.facts
    if "subject" in facts:
        return {"principalSubject": facts["subject"]}
    kind = "user" if sender.worker.human else "serviceAccount"
    told: Record = {"principalEmail": facts["email"], "principalSubject": f"{kind}:{facts['email']}"}
    if sender.key:
        told["serviceAccountKeyName"] = (f"//iam.googleapis.com/projects/{facts['project']}/serviceAccounts/"
                                         f"{facts['email']}/keys/{sender.key}")
    if "chain" in facts:
        told["serviceAccountDelegationInfo"] = [{"principalSubject": f"serviceAccount:{email}"}
                                                for email in facts["chain"]]
    return told


def account(company: Company, name: str, d: Dice, project: str = "") -> Worker:
    """A service account without habits."""
    home = project or d.pick(company.projects)
    email = f"{name}@{home}.iam.gserviceaccount.com"
    worker = Worker(f"gcp-{name}", "service_account", f"gcp:service_account:{email}", company.nat("gcp", d),
                    d.pick(AGENTS))
    buckets = [f"{company.org}-{d.pick(WORDS)}-{d.pick(['raw', 'lake', 'export', 'backup'])}" for _ in range(2)]
    worker.facts = {"email": email, "project": home, "buckets": buckets, "unique": f"1{d.between(10**19, 10**20 - 1)}"}
    return worker


def through(worker: Worker, *chain: Worker) -> Worker:
    """The same service account, used with a token that `chain` got for it, the first caller first."""
    facts = {**worker.facts, "chain": [each.facts["email"] for each in chain]}
    return Worker(worker.name, worker.kind, worker.who, worker.place, worker.agent, facts, rotate=HOUR)


def mint(company: Company, target: Worker) -> Deed:
    """A short-lived token for another service account."""
    fixed = {"account": target.facts["unique"]}
    name = f"projects/-/serviceAccounts/{target.facts['email']}"
    more = {"request": {"@type": "type.googleapis.com/google.iam.credentials.v1.GenerateAccessTokenRequest",
                        "name": name,
                        "scope": ["https://www.googleapis.com/auth/cloud-platform"]}}
    return call(company, TOKEN, fixed, more=more)


def application(company: Company, number: int) -> Worker:
    """A service account of an application; every second one is used with an exported key, from elsewhere."""
    d = company.dice("gcp-app", number)
    worker = account(company, f"{d.pick(WORDS)}-{d.pick(['app', 'job', 'etl', 'api'])}-{number}", d)
    if number % 2 == 0:
        worker.keys = [(0, d.hexes(40))]
        worker.place = d.pick([company.nat("aws", d), company.vendor(d, worker.name)])
    acts = [call(company, what) for what in d.some(USUAL, d.between(1, 4))]
    if d.chance(0.4):
        rhythm = d.pick([Rhythm("cron", at=d.between(0, 22 * HOUR)), Rhythm("every", 3600, d.between(0, 3500))])
        worker.habits.append(run(rhythm, (acts, d.lognormal(8, 0.7), 2)))
    else:
        worker.habits.append(steady(d.lognormal(25, 0.8), acts))
    if d.chance(0.12):
        worker.habits.append(steady(4, [call(company, d.pick(LOOKS), refused=True)]))
    return worker


def broker(company: Company, number: int) -> list[Worker]:
    """A service account that works through another one: scheduler → worker."""
    d = company.dice("gcp-broker", number)
    front = account(company, f"scheduler-{number}", d, company.projects[1])
    back = account(company, f"transfer-{number}", d, company.projects[1])
    front.place = back.place
    behind = through(back, front)
    acts = [_as(behind, call(company, what)) for what in d.some(USUAL, 3)]
    every = Rhythm("every", d.pick([7200, 14400]), d.between(0, 7000))
    front.habits.append(run(every, ([mint(company, back)], 1, 2), (acts, d.lognormal(5, 0.5), 3)))
    return [front, back]


def _as(other: Worker, deed: Deed) -> Deed:
    """A deed done as another worker, from the same place with the same agent."""
    return lambda sender, at: deed(sender._replace(worker=other, key=""), at)


def pipeline(company: Company, repo: Repo, number: int) -> list[Worker]:
    """A repository's pipeline without a key: its OIDC subject gets a token for a deployer's service account."""
    d = company.dice("gcp-pipeline", repo.name)
    deployer = account(company, f"deployer-{number}", d, company.projects[0])
    pool = f"projects/{company.project_numbers[company.projects[0]]}/locations/global/workloadIdentityPools/ci"
    subject = f"principal://iam.googleapis.com/{pool}/subject/{repo.subject}"
    front = Worker(f"gcp-ci-{repo.name}", "web_identity", f"gcp:web_identity:{repo.subject}", company.runner(repo.name),
                   AGENTS[1])
    front.facts = {**deployer.facts, "subject": subject, "deployer": deployer, "repo": repo}
    deeds = [call(company, what) for what in d.some(DEPLOYS, 4)]
    member = f"serviceAccount:app@{deployer.facts['project']}.iam.gserviceaccount.com"
    deeds.append(grant(company, member, "roles/viewer"))
    front.facts["deeds"] = [_as(deployer, deed) for deed in deeds]
    return [front, deployer]


def person(company: Company, one: Person) -> Worker:
    """An engineer with gcloud or in the console."""
    d = company.dice("gcp-person", one.number)
    worker = Worker(f"gcp-{one.login}", "person", f"gcp:user:{one.email}", one.place,
                    d.pick([one.browser + ",gzip(gfe)", AGENTS[1]]), human=True, zone=one.zone, born=one.born)
    worker.facts = {"email": one.email, "project": d.pick(company.projects), "buckets": [f"{company.org}-scratch"]}
    acts = [call(company, what) for what in d.some([*USUAL, *LOOKS, *DEPLOYS], 9)]
    worker.habits.append(office(d.lognormal(5, 0.7), acts))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """About `count` machine identities, and a quarter of the people."""
    found = [worker for n in range(max(1, count // 6)) for worker in broker(company, n)]
    for number, repo in enumerate(each for each in company.repos if each.deploys == "gcp"):
        found += pipeline(company, repo, number)
    found += [application(company, n) for n in range(max(4, count - len(found)))]
    return found + [person(company, one) for one in company.people if one.number % 4 == 2]


def new_key(company: Company, target: Worker, key: str) -> Deed:
    """A key for a service account is made."""
    name = f"projects/{target.facts['project']}/serviceAccounts/{target.facts['email']}"
    more = {"response": {"@type": "type.googleapis.com/google.iam.admin.v1.ServiceAccountKey",
                         "name": f"{name}/keys/{key}"}}
    return call(company, ("iam", "google.iam.admin.v1.CreateServiceAccountKey"), {"account": target.facts["email"]},
                more=more)


def grant(company: Company, member: str, role: str) -> Deed:
    """A role on the project for somebody."""
    delta = {"bindingDeltas": [{"action": "ADD", "role": role, "member": member}]}
    more = {"serviceData": {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": delta}}
    return call(company, ("project", "SetIamPolicy"), more=more)


def fresh_key(company: Company, target: Worker) -> Deed:
    """The same with another key each time."""
    return lambda sender, at: new_key(company, target, at.dice.hexes(40))(sender, at)
