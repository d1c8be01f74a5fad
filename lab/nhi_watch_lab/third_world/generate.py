"""A tenant, and the files that tell of it."""

import gzip
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Dict, List, Tuple

from nhi_watch_lab.third_world import life, logs, ops
from nhi_watch_lab.third_world.attacks import UNSEEN, Incident, attack
from nhi_watch_lab.third_world.life import character, live
from nhi_watch_lab.third_world.model import DAY, EPOCH, MACHINE_SDKS, Account, Client, Identity, Rand, Sink, World, address, iso
from nhi_watch_lab.third_world.ops import Job

# ---- founding a tenant: its habits, its accounts and resources, its machines

COMPANIES = ["brightloom", "northquay", "tallyfox", "verdantio", "quillstack", "harborline", "pixelmint", "copperleaf",
             "lumenware", "driftpoint", "parcelbee", "stonewave", "kitefield", "mapleforge", "orbitcart", "sableworks"]
SERVICES = ["orders", "billing", "catalog", "search", "identity", "ledger", "notify", "media", "reports", "gateway", "pricing",
            "fraud", "shipping", "profile", "events", "insights", "checkout", "exports", "webhooks", "scheduler", "inventory",
            "ratings", "partners", "sessions", "uploads", "metering", "crm", "docs", "alerts", "recs"]
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-east-2"]
ENVIRONMENTS = ["prod", "staging", "dev", "data", "shared"]
SHARES: List[Tuple[str, float, float]] = [("kubernetes", 0.9, 1.4), ("github", 0.85, 0.9), ("okta", 0.6, 0.45), ("entra", 0.6,
                                           0.8), ("m365", 0.5, 0.4), ("gcp", 0.5, 0.7), ("vault", 0.5, 0.7)]


def habits(rand: Rand, seed: int) -> Dict[str, Any]:
    """Everything that differs from tenant to tenant, each from a wide range."""
    return {"aws_accounts": rand.whole(2, 5), "cloudtrail_share": round(rand.between(0.6, 0.74), 3),
            "novelty": round(rand.logbetween(0.001, 0.05), 5), "debugging": round(rand.logbetween(0.01, 0.25), 4),
            "volume": round(rand.logbetween(0.75, 2.0), 3), "tail": round(rand.between(0.6, 1.3), 3),
            "weekend": round(rand.between(0.03, 0.6), 3), "noon_utc": rand.pick([9, 10, 11, 14, 16, 18, 19, 21, 4]),
            "private_lambda": rand.chance(0.5), "endpoints": rand.chance(0.5), "on_behalf": round(rand.between(0, 0.8), 3), "applies":
            round(rand.between(0.1, 0.45), 3), "self_hosted_runners": rand.chance(0.35),
            "runner_session": rand.pick(["GitHubActions", "gha-#", "GitHubActions", "deploy-#", "#"]),
            "newcomers": round(rand.between(0.02, 0.1), 3), "leavers": round(rand.between(0.0, 0.05), 3),
            "upgrades": round(rand.between(0.1, 0.6), 3), "failing": round(rand.between(0.01, 0.07), 3),
            "remote_work": round(rand.between(0.2, 1.0), 3), "company_vpn": rand.chance(0.4), "iam_people":
            round(rand.logbetween(0.02, 0.6), 3), "console": round(rand.between(0.15, 0.8), 3), "nat_moves": rand.chance(0.3),
            "incident_days": rand.count(0.9), "scanner_calls": int(rand.logbetween(300, 2200)), "private_vpn_users":
            round(rand.between(0, 0.15), 3), "short_incidents":
            round(rand.between(0.1, 0.3), 3), "indistinguishable": rand.whole(0, 2)}


def accounts(rand: Rand, habit: Dict[str, Any]) -> List[Account]:
    found = []
    homes = rand.some(REGIONS, 2)
    for number in range(habit["aws_accounts"]):
        region = homes[0] if rand.chance(0.85) else homes[1]
        account = Account(rand.digits(12), ENVIRONMENTS[number], region, [region] + (homes if rand.chance(0.4) else []),
                          [address(rand, f"aws:{region}") for _ in range(rand.whole(1, 3))], rand.whole(10, 120))
        if habit["endpoints"] and rand.chance(0.7):
            account.endpoint = f"vpce-0{rand.hex(16)}"
        if habit["nat_moves"] and rand.chance(0.5):
            account.moved = (rand.whole(4, 30), [address(rand, f"aws:{region}") for _ in range(rand.whole(1, 3))])
        found.append(account)
    return found


def pools(rand: Rand, world: World) -> Dict[str, List[str]]:
    """Names of resources, for the whole tenant or by account."""
    services = rand.some(SERVICES, rand.whole(12, 26))
    company = world.company
    listed: Dict[str, List[str]] = {
        "service": services, "prefix": ["raw", "exports", "uploads", "logs", "reports/monthly", "images",
        "terraform/state", "backups/db", "tmp", "events"], "param": ["db-password", "api-key", "jwt-secret", "smtp", "license",
        "redis-url", "stripe-key", "feature-flags", "webhook-token", "oauth-client"], "managed": ["AmazonS3ReadOnlyAccess",
        "AWSLambdaBasicExecutionRole", "AmazonEC2ContainerRegistryReadOnly", "CloudWatchAgentServerPolicy", "PowerUserAccess",
        "AdministratorAccess", "AmazonSSMManagedInstanceCore"], "family": ["s3", "sqs", "dynamodb", "kms", "logs", "s3", "*"],
        "itype": ["m6i.large", "m7g.xlarge", "c6i.2xlarge", "t3.medium", "r6i.xlarge"] + (["g5.xlarge", "g5.12xlarge"]
        if rand.chance(0.4) else []), "port": ["443", "443", "8443", "5432", "22", "9092"], "cidr": ["10.0.0.0/8", "172.16.0.0/12",
        address(rand, "office") + "/32", "0.0.0.0/0"], "cpu": ["512", "1024", "2048", "4096", "16384"], "k8srole": ["view", "edit",
        "admin", "cluster-admin"], "image8": [f"registry.{company}.io/{s}:{k}" for s in services[:9] for k in ("1.4.2", "main")] + [
        "docker.io/library/alpine:latest", "docker.io/library/busybox:1.36", "docker.io/kworker/agent:v2"], "privilege": [
        "Help desk administrator", "Super administrator", "Group administrator", "Read-only administrator"], "scopes": [
        "okta.users.read okta.groups.read", "okta.users.manage", "okta.apps.manage okta.roles.manage", "okta.logs.read"], "perm": [
        "User.Read.All", "Mail.ReadWrite", "Directory.Read.All", "Files.Read.All", "Sites.Selected"], "aadrole": ["User "
        "Administrator", "Global Administrator", "Reports Reader", "Application Administrator"], "gcprole": ["roles/viewer",
        "roles/editor", "roles/owner", "roles/storage.objectViewer", "roles/bigquery.dataViewer"], "privileged": ["no", "no", "yes"], "group": ["developers", "data",
        "readonly", "admins", "finance"], "model": ["anthropic.claude-sonnet-4-20250514-v1:0", "amazon.titan-embed-text-v2:0",
        "anthropic.claude-3-5-haiku-20241022-v1:0", "meta.llama3-1-70b-instruct-v1:0"], "domain": [f"{company}.com",
        f"{company}.io"], "repo": [f"{company}/{service}" for service in services] + [f"{company}/infra", f"{company}/web"],
        "ghuser": [f"{rand.pick(SERVICES)}-{rand.hex(3)}" for _ in range(12)], "org": [company], "foreign": [a.id for a in
        world.accounts] + [rand.digits(12) for _ in range(4)], "namespace": services[:10] + ["monitoring", "kube-system",
        "argocd"], "object": [f"{s}-{k}" for s in services[:12] for k in ("config", "tls", "credentials", "7d9f4")],
        "gcsbucket": [f"{company}-{s}-gcs" for s in services[:8]], "dataset": services[:6], "project": [f"{company}-data"],
        "secret": [f"{s}/{k}" for s in services for k in ("db", "api")], "table": [f"{s}_{k}" for s in services[:12] for k in
        ("facts", "daily")], "oktaapp": ["AWS SSO", "Slack", "GitHub", "Salesforce", "Datadog", "Snowflake", "Workday"],
        "azapp": [f"{s}-app" for s in services[:12]], "site": ["finance", "engineering", "hr", "sales", "legal", "all-hands"],
        "tag": [rand.hex(7) for _ in range(40)] + ["latest", "stable"], "user": [], "role": []}
    listed["node"] = [f"ip-10-{rand.whole(1, 90)}-{rand.whole(1, 250)}-{rand.whole(1, 250)}.ec2.internal" for _ in range(20)]
    listed["member"] = [f"user:{rand.pick(SERVICES)}@{company}.com" for _ in range(6)] + [f"user:{rand.letters(6).lower()}@gmail.com"] + [
        f"serviceAccount:{s}@{company}-data.iam.gserviceaccount.com" for s in services[:6]]
    for account in world.accounts:
        many = rand.whole(4, 30)
        local = {"bucket": [f"{company}-{account.name}-{s}" for s in services] + [f"{company}-tfstate-{account.name}"],
                 "kmskey": [rand.uuid() for _ in range(8)], "secret": [f"{account.name}/{s}/{k}" for s in services for k in
                 ("db", "api", "token")], "instance": ["i-0" + rand.hex(16) for _ in range(many)], "volume": ["vol-0" +
                 rand.hex(16) for _ in range(many)], "image": ["ami-0" + rand.hex(16) for _ in range(5)], "snapshot":
                 ["snap-0" + rand.hex(16) for _ in range(many)], "sg": ["sg-0" + rand.hex(16) for _ in range(9)], "policy":
                 [f"{s}-access" for s in services[:8]], "function": [f"{s}-{account.name}-handler" for s in services],
                 "db": [f"{s}-{account.name}" for s in services[:5]], "table": [f"{s}-{account.name}" for s in services[:9]],
                 "cluster": [f"{account.name}-1", f"{account.name}-2"], "zone": ["Z" + rand.letters(18)], "detector":
                 [rand.hex(32)], "userpool": [f"{account.region}_{rand.letters(9)}"]}
        listed.update({f"{account.id}/{name}": items for name, items in local.items()})
    return listed


def found(seed: int, start: date, days: int, history: int, identities: int) -> World:
    """A tenant with everything it owns, before its first day."""
    rand = Rand(seed, "tenant")
    habit = habits(rand, seed)
    first = int((datetime(start.year, start.month, start.day) - EPOCH).total_seconds()) * 1000
    world = World(seed, first, days, history, rand.pick(COMPANIES), habit, Sink(first + days * DAY))
    world.accounts = accounts(rand, habit)
    world.pools = pools(rand, world)
    world.ops = {**ops.catalogue(), **ops.other_ops_catalogue()}
    world.builders = {"cloudtrail": logs.build, "kubernetes": logs.kubernetes, "github": logs.github,
                      "vault": logs.vault, "gcp": logs.gcp, "okta": logs.okta, "entra": logs.entra,
                      "m365": logs.m365}
    machines(world, rand, identities)
    return world


def machines(world: World, rand: Rand, identities: int) -> None:
    habit = world.habits
    count = int(identities * rand.between(0.84, 0.9))
    products = [(name, weight) for name, chance, weight in SHARES if rand.chance(chance)]
    if len(products) < 2:
        products = [("kubernetes", 1.4), ("github", 0.9)]
    habit["products"] = ["cloudtrail"] + sorted(name for name, _ in products)
    aws = int(count * habit["cloudtrail_share"])
    jobs = [(job, job.weight) for job in ops.JOBS]
    forced = [job for job in ops.JOBS if job.name in ("scanner", "datadog", "plan") or job.kind == "user"][:max(3, aws // 12)]
    for number in range(aws):
        job = forced[number] if number < len(forced) else rand.weighted(jobs)
        world.machines.append(aws_machine(world, Rand(world.seed, "aws", number), job, number, identities))
    for number in range(count - aws):
        product = products[number % len(products)][0] if number < 2 * len(products) else rand.weighted(products)
        choices = [(job, job.weight) for job in ops.OTHER_OPS_JOBS if ops.PRODUCTS[job.kind.split("-")[0]] == product]
        own = Rand(world.seed, "other", number)
        world.machines.append(life.machine(world, own, own.weighted(choices), product, number, identities))
    for account in world.accounts:
        for kind in ("user", "role"):
            names = [m.name for m in world.machines if m.account is account and (m.kind == "user") == (kind == "user")
                     and m.product == "cloudtrail" and m.kind not in ("linked", "saas")]
            world.pools[f"{account.id}/{kind}"] = names or [f"{account.name}-{kind}"]


def machine_client(rand: Rand, job: Job, runtime: str) -> Client:
    family = rand.pick(job.clients)
    if family in ("sdk", "aws"):
        family = rand.pick(MACHINE_SDKS)
    return Client(rand, family, runtime)


def aws_machine(world: World, rand: Rand, job: Job, number: int, identities: int) -> Identity:
    account = world.accounts[0] if rand.chance(0.4) else rand.pick(world.accounts)
    service = rand.pick(world.pools["service"])
    style = Rand(world.seed, "style").whole(0, 2)
    name = [f"{service}-{job.name}-{account.name}", f"{account.name}-{job.name}-{service}", f"{service}-{job.name}"][style]
    name += f"-{rand.hex(3)}" if rand.chance(0.4) else f"-{number}"
    runtime = rand.pick(["AWS_Lambda_python3.12", "AWS_Lambda_nodejs20.x", "AWS_Lambda_python3.9"]) if job.kind == "lambda" else (
        "AWS_ECS_FARGATE" if job.kind == "ecs" else "")
    role_id = ("AIDA" if job.kind == "user" else "AROA") + rand.letters(17)
    path = f"user/{name}" if job.kind == "user" else f"role/{name}"
    who = Identity(name, "cloudtrail", job.kind, account, f"arn:aws:iam::{account.id}:{path}", role_id,
                   machine_client(rand, job, runtime))
    character(world, rand, who, job, identities)
    who.resources["service"] = [service]
    private_part = rand.chance(0.7)
    who.place = {"lambda": "nat" if world.habits["private_lambda"] else "pool", "gha": "nat" if world.habits[
        "self_hosted_runners"] else "gha", "terraform": "nat" if rand.chance(0.5) else "gha", "ec2": "own" if rand.chance(
        0.5) else "nat", "ecs": "nat" if private_part else "own"}.get(job.kind, "nat")
    aws_details(world, rand, who, job, service)
    return who


def aws_details(world: World, rand: Rand, who: Identity, job: Job, service: str) -> None:
    """What each kind of AWS identity needs besides its name."""
    account = who.account
    if job.kind == "irsa":
        host = Rand(world.seed, "oidc", account.id).hex(32).upper()
        who.extra["provider"] = f"arn:aws:iam::{account.id}:oidc-provider/oidc.eks.{account.region}.amazonaws.com/id/{host}"
        who.extra["subject"] = f"system:serviceaccount:{service}:{job.name}"
    elif job.kind == "gha":
        who.extra["provider"] = f"arn:aws:iam::{account.id}:oidc-provider/token.actions.githubusercontent.com"
        who.extra["subject"] = f"repo:{world.company}/{service}:" + rand.pick(["ref:refs/heads/main", "environment:production"])
        who.extra["naming"] = world.habits["runner_session"]
    elif job.kind in ("terraform", "chained"):
        who.extra["naming"] = rand.pick(["terraform", "tf-#", "atlantis", world.habits["runner_session"]])
        hub = Rand(world.seed, "hub")
        identifier = "AROA" + hub.letters(17)
        who.extra["via"] = {"type": "AssumedRole", "principalId": f"{identifier}:ci", "arn": f"arn:aws:sts::{world.accounts[-1].id}"
                            ":assumed-role/ci-hub/ci", "accountId": world.accounts[-1].id, "accessKeyId": "ASIA" + rand.letters(16)}
    elif job.kind == "saas":
        vendor = Rand(world.seed, "vendor", job.name)
        who.place, who.fixed = "fixed", [address(vendor, rand.pick(["vendor", "gcp", "hosting"])) for _ in range(rand.whole(1, 8))]
        who.extra.update(partner=vendor.digits(12), external=vendor.uuid(), caller=f"AROA{vendor.letters(17)}:{job.name}",
                         session=rand.pick(["", f"{job.name}-integration"]))
    elif job.kind == "linked":
        title = job.name.split(".")[0].title()
        who.name = f"AWSServiceRoleFor{title}"
        who.label = f"arn:aws:iam::{account.id}:role/aws-service-role/{job.name}/{who.name}"
        who.extra["service"] = job.name
    elif job.kind == "user":
        who.extra["key"] = "AKIA" + rand.letters(16)
        owner = rand.weighted([("office", 3.0), ("hosting", 2.0), ("vendor", 2.0), ("nat", 3.0), ("azure", 1.0), ("gcp", 1.0),
                               ("home", 0.4)])
        who.place = "nat" if owner == "nat" else "fixed"
        who.fixed = [address(rand, owner) for _ in range(rand.whole(1, 3))] if owner != "nat" else []
        if rand.chance(0.15):
            who.extra["moved"] = (rand.whole(2, world.days), [address(rand, owner)] if owner != "nat" else [])


# ---- one tenant, start to end: live, attack, write the logs and the labels

def write_events(world: World, folder: Path) -> Tuple[Dict[str, int], Dict[str, List[List[Any]]]]:
    """Write each product's records in time order; their numbers, and the places of the tagged ones by tag."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Dict[str, int] = {}
    places: Dict[str, List[List[Any]]] = {}
    for product in sorted(world.sink.entries):
        name = f"{product}.ndjson.gz"
        with open(folder / name, "wb") as raw, gzip.GzipFile("", "wb", 5, raw, 0) as file:
            entries = sorted(e for e in world.sink.entries[product] if e.time >= world.start)
            counts[product] = len(entries)
            for number, entry in enumerate(entries, 1):
                file.write(entry.line.encode() + b"\n")
                if entry.tag:
                    places.setdefault(entry.tag, []).append([name, number])
    return counts, places


def names(world: World) -> List[str]:
    """Humans as the logs call them: ARNs, session ARNs, principal names, logins."""
    listed = set()
    for person in world.staff:
        listed.add(person.mail)
        for kind, held in person.accounts.items():
            for who in held:
                session = f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{person.mail}"
                listed.add(session if kind == "sso" else who.label)
    return sorted(listed)


def label(incident: Incident, places: Dict[str, List[List[Any]]], padded: bool) -> Dict[str, Any]:
    row: Dict[str, Any] = {"id": incident.id, "technique": incident.technique.name, "origin": incident.origin,
                           "identity": incident.victim.label, "start": iso(incident.first), "end": iso(incident.last),
                           "distinguishable": incident.technique.name != UNSEEN, "records": places.get(incident.id, [])}
    if padded:
        row["padding"] = places.get(incident.id + "+", [])
    return row


def generate(seed: int, out: Path, *, identities: int = 300, days: int = 24, history_days: int = 12, incidents: int = 24,
             padded: bool = False, start: date = date(2026, 3, 2)) -> None:
    """Write one tenant's native audit logs to out/events and its labels to out/labels.json."""
    world = found(seed, start, days, history_days, identities)
    life.hire(world, max(3, identities - len(world.machines)))
    for machine in world.machines:
        live(world, machine)
    life.work(world)
    played = attack(world, incidents, padded)
    counts, places = write_events(world, Path(out) / "events")
    habits = {key: value for key, value in sorted(world.habits.items())}
    described = {"seed": seed, "identities": identities, "days": days, "history_days": history_days, "padded": padded,
                 "start": start.isoformat(), "company": world.company, "accounts": [a.id for a in world.accounts],
                 "habits": habits, "records": counts}
    labels = {"world": described, "incidents": [label(i, places, padded) for i in played if places.get(i.id)],
              "people": names(world), "notes": {}}
    (Path(out) / "labels.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
