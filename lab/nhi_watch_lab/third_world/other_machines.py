"""Machines of the products other than AWS, and what their records need to know about them."""
from typing import List

from .addresses import address
from .aws_jobs import Job
from .clients import MACHINE_SDKS, Client
from .model import Identity, Record, World
from .rand import B62, Rand
from .temper import character


def user_of_cluster(world: World, rand: Rand, name: str, space: str) -> Record:
    pod = f"{name}-{rand.hex(9)}-{rand.letters(5).lower()}"
    return {"username": f"system:serviceaccount:{space}:{name}", "uid": rand.uuid(),
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/pod-name": [pod], "authentication.kubernetes.io/pod-uid": [rand.uuid()]}}


def machine(world: World, rand: Rand, job: Job, product: str, number: int, identities: int) -> Identity:
    service = rand.pick(world.pools["service"])
    account = rand.pick(world.accounts)
    name = job.name if job.name.endswith("[bot]") else f"{service}-{job.name}"
    if product not in ("kubernetes",) and rand.chance(0.4) and not name.endswith("]"):
        name += f"-{rand.hex(2)}"
    family = rand.pick(job.clients)
    client = Client(rand, rand.pick(MACHINE_SDKS) if family == "sdk" else family).named(job.name)
    if product in ("entra", "m365"):
        client = Client(rand, rand.pick(["requests", "axios", "okhttp", "go-http"]))
    who = Identity(name, product, job.kind, account, name, rand.uuid(), client)
    character(world, rand, who, job, identities)
    who.resources["service"] = [service]
    who.place = rand.weighted([("nat", 5.0), ("fixed", 4.0)])
    who.fixed = [address(rand, rand.pick(["vendor", "office", "hosting", "azure", "gcp", "vendor"])) for _ in
                 range(rand.whole(1, 3))]
    DETAILS[product](world, rand, who, job, service)
    return who


def _kubernetes(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    space = {"velero": "velero", "cert-manager": "cert-manager", "prometheus": "monitoring", "external-secrets":
             "external-secrets", "ingress-nginx": "ingress-nginx"}.get(job.name, service)
    who.place = "private"
    who.extra["namespace"] = space
    if job.kind == "k8s-node":
        node = rand.pick(world.pools["node"])
        who.extra.update(node=node, reason="")
        who.label = f"system:node:{node}"
        who.extra["user"] = {"username": who.label, "uid": f"aws-iam-authenticator:{who.account.id}:AROA{rand.letters(17)}",
                             "groups": ["system:bootstrappers", "system:nodes", "system:authenticated"]}
    else:
        who.extra["user"] = user_of_cluster(world, rand, who.name, space)
        who.label = who.extra["user"]["username"]
        who.extra["reason"] = f"RBAC: allowed by RoleBinding \"{who.name}/{space}\" of ClusterRole \"{who.name}\" to " \
                              f"ServiceAccount \"{who.name}/{space}\""
        if job.name == "ci-deployer" and rand.chance(0.6):
            who.place = "gha"


def _github(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    who.unique = rand.digits(8)
    who.extra.update(org=world.company, org_id=int(Rand(world.seed, "org").digits(8)), access={
        "gh-app": "GitHub App server-to-server token", "gh-pat": rand.pick(["Personal access token (classic)",
        "Fine-grained personal access token"]), "gh-key": "Public Key (User/Deploy)"}[job.kind], token=rand.letters(43, B62) + "=")
    if job.kind == "gh-pat":
        who.extra["token_id"] = int(rand.digits(9))
    who.place = rand.weighted([("gha", 2.0 if "actions" in job.name or "ci" in job.name else 0.3), ("nat", 2.0), ("fixed", 2.0)])


def _okta(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    who.unique = ("0oa" if job.kind == "okta-app" else "00u") + rand.letters(17, B62)
    who.label = who.unique if job.kind == "okta-app" else f"svc-{who.name}@{world.company}.com"
    who.extra["token"] = "00T" + rand.letters(17, B62)


def _entra(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    directory(world, who, rand)
    who.extra["credential"] = rand.pick(["clientSecret", "clientSecret", "certificate", "federatedIdentityCredential"])
    who.extra["token"] = rand.uuid()
    who.extra["resource"] = rand.pick(["Microsoft Graph", "Microsoft Graph", "Azure Key Vault", "Windows Azure Service "
                                       "Management API", "Azure Storage"])
    if job.kind == "entra-mi" or rand.chance(0.4):
        who.place, who.fixed = "fixed", [address(rand, "azure") for _ in range(rand.whole(1, 4))]
    if job.name == "devops" and rand.chance(0.6):
        who.place = "gha"


def directory(world: World, who: Identity, rand: Rand) -> None:
    who.extra.update(tenant=Rand(world.seed, "directory").uuid(), domain=f"{world.company}.onmicrosoft.com", app=rand.uuid())


def _m365(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    directory(world, who, rand)
    who.extra["token"] = rand.uuid()
    if rand.chance(0.5):
        who.place, who.fixed = "fixed", [address(rand, "azure") for _ in range(rand.whole(1, 6))]


def _gcp(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    project = world.pools["project"][0]
    who.unique = rand.digits(21)
    who.label = f"{who.name}@{project}.iam.gserviceaccount.com"
    lasting = rand.chance(0.5)
    keys: List[str] = [f"//iam.googleapis.com/projects/{project}/serviceAccounts/{who.label}/keys/{rand.hex(40)}"]
    who.extra.update(project=project, key_name=keys[0] if lasting else "", token=keys[0] if lasting else "workload")
    if not lasting:
        who.place, who.fixed = "fixed", [address(rand, "gcp") for _ in range(rand.whole(1, 5))]


def _vault(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    mount = {"app": "kubernetes", "pki": "kubernetes", "ci": rand.pick(["jwt", "approle"])}.get(job.name, "approle")
    who.label = f"{mount}-{who.name}"
    who.place = "private" if mount == "kubernetes" else rand.pick(["private", "nat"])
    who.extra.update(mount=mount, policies=[f"{service}-read"] if who.power == "narrow" else [f"{service}-write", "ops"],
                     metadata={"role": who.name} if mount != "approle" else {"role_name": who.name})


DETAILS = {"kubernetes": _kubernetes, "github": _github, "okta": _okta, "entra": _entra, "m365": _m365, "gcp": _gcp,
           "vault": _vault}
