"""Sessions, machines and people, and what each does from day to day."""

from dataclasses import replace
from typing import List, Tuple

from nhi_watch_lab.third_world import logs
from nhi_watch_lab.third_world.logs import console_login, federated_block, role_block, user_block
from nhi_watch_lab.third_world.model import B62, DAY, HOUR, MACHINE_SDKS, MINUTE, Account, Client, Credential, Host, Identity, Op, Person, Rand, Record, World, address, moment, private
from nhi_watch_lab.third_world.ops import Job

# ---- hosts come and go, temporary keys expire: whose credential is in use where, at a moment

LASTING = 10**15
HANDS = {"cloudtrail": [("cli2", 8.0), ("boto3", 2.0), ("terraform", 0.4), ("cli1", 0.4)], "kubernetes": [("kubectl", 9.0),
         ("k8s-py", 0.6), ("curl", 0.5), ("helm", 0.5)], "github": [("git", 6.0), ("ghcli", 2.0), ("requests", 1.0), ("curl", 0.6)],
         "okta": [("curl", 2.0), ("requests", 3.0), ("browser", 2.0), ("okta-py", 1.0)], "entra": [("browser", 1.0), ("requests",
         3.0), ("axios", 1.0), ("curl", 1.0)], "m365": [("requests", 3.0), ("axios", 1.0), ("go-http", 1.0), ("browser", 1.0)],
         "gcp": [("gcloud", 5.0), ("gcp-py", 3.0), ("curl", 0.5)], "vault": [("vault-agent", 3.0), ("curl", 2.0), ("go-http", 1.0)]}


def by_hand(rand: Rand, product: str, own: bool = False) -> Client:
    """What someone at a keyboard uses on a product, colleague or thief."""
    return Client(rand, rand.weighted(HANDS[product]), own=own)


def refused(world: World, who: Identity, op: Op) -> bool:
    """Whether the identity lacks the permission: the same answer every time it asks."""
    if op.name in ("GetCallerIdentity", "GetSessionToken") or op.name.startswith("create/selfsubject") or "sign" in op.name:
        return False
    power = {"narrow": 1.0, "wide": 0.35, "admin": 0.04}[who.power]
    known = op.key in who.rare or any(op.key == key for key, _ in who.ops)
    chance = 0.02 if known else (0.4 if op.service in who.families else 0.75) * power
    return Rand(world.seed, "grant", who.unique, op.key).u() < chance


def egress(world: World, who: Identity, day: int, rand: Rand) -> str:
    """A public address the identity's calls leave from."""
    if who.place == "nat" or (who.place == "fixed" and not who.fixed):
        return rand.pick(who.account.egress(day))
    if who.place == "fixed":
        moved = who.extra.get("moved")
        return rand.pick(moved[1]) if moved and moved[1] and day >= moved[0] else rand.pick(who.fixed)
    if who.place == "gha":
        return address(rand, "azure")
    if who.place == "private":
        return private(rand, who.account.octet)
    return address(rand, f"aws:{who.account.region}")


def new_host(world: World, who: Identity, time: int, rand: Rand) -> Host:
    day = world.day(time)
    life = int(who.host_days * rand.between(0.5, 1.5) * DAY)
    name = {"lambda": who.name, "ecs": rand.hex(32), "ec2": "i-0" + rand.hex(16), "gha": rand.digits(11),
            "terraform": rand.digits(11), "linked": who.name.replace("AWSServiceRoleFor", "")}.get(who.kind, rand.hex(8))
    if who.kind in ("gha", "terraform") or who.place in ("gha", "pool"):
        life = int(rand.between(0.15, 1.0) * HOUR)
    if who.place == "fixed" or who.kind == "user":
        life = int(rand.between(0.3, 6) * DAY)
    inner = private(rand, who.account.octet) if who.place in ("nat", "own") and who.kind != "saas" else ""
    return Host(name, egress(world, who, day, rand), inner, who.client, time + life)


def open_other(world: World, time: int, who: Identity, host: Host, rand: Rand, tag: str = "") -> Credential:
    """A credential of a product other than AWS; Vault writes down its login."""
    if who.product == "vault":
        life = int(rand.between(0.5, 3) * HOUR) if who.job != "operator" else 30 * DAY
        cred = Credential("hmac-sha256:" + rand.hex(64), "hmac-sha256:" + rand.hex(64), time, time + life, {}, host.ip, host.client)
        world.do(time, who, "vault:login", cred, rand, tag=tag)
        return cred
    block: Record = who.extra.get("user", {})
    return Credential(str(who.extra.get("token", who.unique)), who.name, time, LASTING, block, host.ip, host.client)


def open_credential(world: World, time: int, who: Identity, host: Host, rand: Rand, tag: str = "") -> Credential:
    opener = logs.open_session if who.product == "cloudtrail" else open_other
    cred = opener(world, time, who, host, rand, tag)
    if not tag:
        who.sessions.append(cred)
    return cred


def current(world: World, time: int, who: Identity, rand: Rand, hosts: int = 0) -> Credential:
    """The credential in use on one of the identity's hosts at this time, new ones where old ones ended."""
    slot = rand.whole(0, (hosts or who.hosts) - 1)
    host = who.slots.get(slot)
    if host is None or host.until <= time:
        host = who.slots[slot] = new_host(world, who, time, rand)
    elif host.client is not who.client:
        host.client, host.credential = who.client, None
    if host.credential is None or host.credential.expires <= time:
        host.credential = open_credential(world, time, who, host, rand)
    return host.credential


def lend(world: World, time: int, who: Identity, person: Person, rand: Rand) -> Credential:
    """A colleague takes the machine's role or key to their own desk."""
    client = person.laptop if who.product == "cloudtrail" else by_hand(rand, who.product)
    desk = Host(person.login, person.where(rand), "", client, time)
    if who.product == "cloudtrail" and who.kind != "user":
        mine = [a for a in person.accounts.get("sso", []) if a.account is who.account] or person.accounts.get("sso", [])
        key = "ASIA" + rand.letters(16)
        cred = Credential(key, person.login, time, time + HOUR, logs.role_block(who, person.login, key, time), desk.ip, client)
        via = {"type": "AWSAccount", "principalId": "AIDA" + rand.letters(17), "accountId": who.account.id}
        if mine:
            via = logs.role_block(mine[0], person.mail, "ASIA" + rand.letters(16), time - rand.whole(60000, 6000000))
        shown = replace(who, kind="chained", extra={"via": via}, sessions=[], slots={})
        logs.write_issue(world, time, shown, desk, cred, rand)
        return cred
    return open_other(world, time, who, desk, rand) if who.product != "cloudtrail" else logs.open_session(
        world, time, who, desk, rand)


def alive(who: Identity, time: int) -> List[Credential]:
    return [cred for cred in who.sessions if cred.created <= time < cred.expires]


def steal(who: Identity, time: int, until: int, rand: Rand) -> Tuple[int, Credential]:
    """A live credential of the victim at or after this time; (0, …) when there is none before until."""
    now = alive(who, time)
    if now:
        return time, rand.pick(now)
    later = [cred for cred in who.sessions if time <= cred.created < until]
    if not later:
        raise LookupError(who.label)
    cred = rand.pick(later[:3])
    return cred.created + int(rand.between(20, 900) * 1000), cred


# ---- A machine's days: when it runs, what it calls, and the surprises that are nobody's attack

QUIRKS = [("call", 3.0), ("release", 1.5), ("region", 0.6), ("client", 0.7), ("address", 1.2), ("burst", 1.5), ("resource", 1.2),
          ("odd hours", 0.8), ("failing", 1.0), ("tool", 0.5), ("sweep", 0.4)]

GRAVE = {"cloudtrail:StopLogging", "guardduty:UpdateDetector", "config:StopConfigurationRecorder", "kms:ScheduleKeyDeletion",
         "vault:audit.disable", "gcp:sink.delete", "rolesanywhere:CreateTrustAnchor", "iam:CreateOpenIDConnectProvider",
         "bedrock:DeleteModelInvocationLoggingConfiguration", "gh:branch.destroy", "okta:idp.create", "ec2:DeleteFlowLogs",
         "entra:add-role-member", "k8s:create/mutatingwebhookconfigurations"}


def office_time(world: World, rand: Rand) -> int:
    """Milliseconds into the day, gathered about the tenant's working hours."""
    hour = world.habits["noon_utc"] + 3.0 * rand.normal() if rand.chance(0.82) else rand.between(0, 24)
    return int((hour % 24) * HOUR)


def runs(world: World, who: Identity, day: int, rand: Rand) -> List[int]:
    """The times of day, in ms, at which the machine does something."""
    weekend = world.weekday(day) >= 5
    mood = rand.lognormal(1, 0.25)
    minute = int(who.extra["minute"])
    plan, rate = who.schedule, who.rate * mood
    if plan == "steady":
        return [int(rand.between(0, DAY)) for _ in range(rand.count(rate))]
    if plan in ("diurnal", "release"):
        rate *= world.habits["weekend"] if weekend else 1.0
        if plan == "release" and world.weekday(day) == 4:
            rate *= 0.6
        return [office_time(world, rand) for _ in range(rand.count(rate))]
    if plan == "cron":
        step = DAY / max(1.0, round(who.rate))
        start = minute * MINUTE % step
        return [int(start + n * step + rand.between(0, 9000)) for n in range(int(max(1, round(who.rate))))]
    if plan == "bursty":
        found: List[int] = []
        for _ in range(rand.count(min(4.0, 0.4 + rate / 6))):
            centre = rand.between(0, DAY)
            found += [int(centre + rand.waiting(4 * MINUTE)) for _ in range(1 + rand.count(rate / 3))]
        return found
    if plan == "daily":
        times = max(1, min(4, round(who.rate)))
        return [int((minute * MINUTE + n * DAY / times) % DAY + rand.waiting(90000)) for n in range(times)]
    if plan == "weekly":
        return [minute * MINUTE] if world.weekday(day) == who.extra["weekday"] else []
    if plan == "monthly":
        date = moment(world.at(day, 0)).day
        return [minute * MINUTE] if date == who.extra["monthday"] else []
    sweeps = 1 + minute % 4
    each = rand.count(rate) // sweeps
    return [int((minute * MINUTE + n * DAY / sweeps) % DAY + k * rand.between(900, 3000)) for n in range(sweeps)
            for k in range(each)]


def act(world: World, who: Identity, time: int, ops: List[str], cred: Credential, rand: Rand, pause: float = 1500.0,
        *, wide: bool = False, region: str = "", failing: bool = False) -> None:
    """Calls one after another with one credential."""
    for key in ops:
        op = world.ops[key]
        error = ""
        if failing or refused(world, who, op):
            error = "denied"
        elif rand.chance(0.006):
            error = rand.pick(["throttled", "missing", "missing", "invalid"])
        world.do(time, who, key, cred, rand, error=error, wide=wide, region=region)
        time += int(rand.waiting(pause)) + rand.whole(20, 400)


def script(who: Identity, rand: Rand) -> List[str]:
    length = max(1, who.length + (rand.whole(-1, 1) if who.length > 2 else 0))
    return [rand.weighted(who.ops) for _ in range(length)]


def unusual(who: Identity, rand: Rand) -> List[str]:
    """One to six calls the machine rarely or never made: mostly of its trade, at times an odd one."""
    source = who.rare or [key for key, _ in who.ops]
    picked = [rand.pick(source) for _ in range(rand.whole(1, 3))]
    return [key for key in picked for _ in range(rand.whole(1, 2))]


def ordinary(world: World, who: Identity, rand: Rand) -> str:
    """A call that may join the machine's routine for good."""
    fit = [key for key in who.rare if world.ops[key].kind != "W" or who.power == "narrow"]
    return rand.pick(fit or [who.ops[0][0]])


def changes(who: Identity, rand: Rand) -> List[str]:
    """What an apply run changes this time: seldom anything grave."""
    picked = [rand.pick(who.rare) for _ in range(rand.whole(1, 4))]
    return [key for key in picked if key not in GRAVE or rand.chance(0.12)]


def sweep_ops(world: World, who: Identity, rand: Rand) -> List[str]:
    """A read-only round through the identity's product, as an inventory script makes it."""
    reads = [op.key for op in world.ops.values() if op.product == who.product and op.kind == "R" and op.name.split("/")[0].
             startswith(("List", "Describe", "Get", "list", "storage.buckets", "read")) and "Password" not in op.name]
    return rand.some(reads, rand.whole(5, 25)) or unusual(who, rand)


def live(world: World, who: Identity) -> None:
    """All the days of one machine."""
    rand = Rand(world.seed, "life", who.unique, who.name)
    fixed = script(who, rand)
    novelty = min(0.3, world.habits["novelty"] * rand.lognormal(1, 0.8) * (3 if who.power != "narrow" else 1))
    for day in range(world.days):
        if not who.alive(day):
            continue
        if day == who.upgrade_day:
            who.client = who.client.upgrade(rand)
            if rand.chance(0.3):
                who.ops = who.ops + [(ordinary(world, who, rand), who.ops[0][1])]
        debugging = rand.chance(world.habits["debugging"] / 8) and who.kind not in ("linked", "saas", "k8s-node", "entra-mi")
        quirk = rand.weighted(QUIRKS) if rand.chance(novelty) else ""
        times = runs(world, who, day, rand)
        if quirk == "burst":
            times = [int(t + rand.between(0, 3 * HOUR)) for t in times or [office_time(world, rand)] for _ in
                     range(rand.whole(3, 20))][:600]
        if quirk == "odd hours":
            times = times + [int(rand.between(0, DAY))] * rand.whole(1, 3)
        if quirk == "client" and who.kind != "linked":
            who.client = by_hand(rand, who.product) if rand.chance(0.3) else Client(rand, rand.pick(["boto3", "go2", "js3"])
                         if who.product == "cloudtrail" else who.client.family, who.client.runtime)
        if quirk == "release":
            who.ops = who.ops + [(ordinary(world, who, rand), who.ops[0][1] * rand.between(0.2, 1.5))]
            fixed = script(who, rand)
        scale = rand.whole(2, 6) if who.hosts > 1 and rand.chance(0.06) else 0
        for time in sorted(times):
            at = world.at(day, time)
            cred = current(world, at, who, rand, who.hosts + scale)
            if quirk == "address" and not cred.service:
                cred = replace(cred, ip=address(Rand(world.seed, who.unique, day), f"aws:{who.account.region}" if rand.chance(
                    0.9) else "hosting"), private="")
            steps = fixed if who.schedule in ("cron", "daily") and rand.chance(0.93) else script(who, rand)
            if who.power == "admin" and who.rare and rand.chance(world.habits["applies"]):
                steps = steps + changes(who, rand)
            act(world, who, at, steps, cred, rand, wide=quirk == "resource" or who.schedule.startswith("loud") or
                who.schedule == "release", failing=bool(who.extra["failing"]) and rand.chance(0.7) or (
                quirk == "failing" and rand.chance(0.8)))
        special(world, who, day, quirk, rand)
        if debugging and world.staff:
            debug(world, who, world.at(day, office_time(world, rand)), rand)


def special(world: World, who: Identity, day: int, quirk: str, rand: Rand) -> None:
    """The quirk's own calls, besides the day's usual ones."""
    if quirk not in ("call", "release", "region", "tool", "sweep"):
        return
    at = world.at(day, office_time(world, rand))
    cred = current(world, at, who, rand)
    if quirk == "tool" and not cred.service:
        cred = replace(cred, client=by_hand(rand, who.product))
    region = rand.pick(["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2"]) if quirk == "region" else ""
    ops = sweep_ops(world, who, rand) if quirk == "sweep" else script(who, rand) if region else unusual(who, rand)
    act(world, who, at, ops, cred, rand, rand.logbetween(400, 30000), wide=rand.chance(0.5), region=region)


def debug(world: World, who: Identity, at: int, rand: Rand) -> None:
    """Someone looks for a fault with the machine's own rights."""
    person = rand.pick(world.staff)
    cred = lend(world, at, who, person, rand)
    at += rand.whole(2000, 60000)
    ops = ["sts:GetCallerIdentity"] if who.product == "cloudtrail" and rand.chance(0.7) else []
    for _ in range(rand.whole(1, 9)):
        ops += [rand.weighted(who.ops)] if rand.chance(0.6) else unusual(who, rand)
    if rand.chance(0.15):
        ops += sweep_ops(world, who, rand)[:8]
    act(world, who, at, ops, cred, rand, 25000, wide=rand.chance(0.5))


# ---- what kind of machine it is: how often, how broad, since when and until when

def character(world: World, rand: Rand, who: Identity, job: Job, identities: int) -> None:
    """Pace, breadth, age and fate of a machine: most are narrow and dull."""
    habit = world.habits
    ops = list(job.ops)
    if job.power == "narrow" and job.schedule != "cron" and len(ops) > 1 and rand.chance(0.8):
        ops = rand.some(ops, 1 + int(rand.chance(0.5)) + int(rand.chance(0.25)))
    who.ops, who.rare, who.power, who.job, who.schedule = ops, list(job.rare), job.power, job.name, job.schedule
    who.rare += [key for key, _ in job.ops if key not in dict(ops)]
    who.rate = job.rate * habit["volume"] * rand.lognormal(1, habit["tail"])
    if rand.chance(0.2) and job.schedule in ("steady", "diurnal", "bursty"):
        who.rate *= 0.12
    who.rate = min(who.rate, 60.0)
    if job.schedule.startswith("loud"):
        who.rate = habit["scanner_calls"] * identities / 300 * (1 if job.schedule == "loud" else 0.12)
    who.length = max(1, round(job.length * rand.between(0.6, 1.5)))
    who.hosts = 1 + (rand.count(1.2) if who.kind in ("irsa", "ecs", "lambda", "ec2", "k8s-sa") else 0)
    who.host_days = rand.logbetween(0.4, 12)
    if rand.chance(habit["newcomers"]):
        who.born = rand.whole(1, world.days - 1)
    if rand.chance(habit["leavers"]):
        who.dies = rand.whole(3, world.days)
    if rand.chance(habit["upgrades"]):
        who.upgrade_day = rand.whole(1, max(world.days, 20))
    who.extra["failing"] = rand.chance(habit["failing"])
    who.extra["minute"] = rand.whole(0, 1439)
    who.extra["weekday"] = rand.whole(0, 6)
    who.extra["monthday"] = rand.pick([1, 1, 2, 5, 15, 20])


# ---- machines of the products other than AWS, and what their records need to know about them

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


# ---- the humans: consoles by day, own keys, kubectl, pushes, on-call nights and incident days

FIRST = ("ana ben carla dev elif fatima george hana ivan julia kofi lena marco nina omar priya quinn rosa sam tara umar vera wei "
         "yara zane aiko bruno chloe diego emma farid grace hugo ines").split()
LAST = ("okafor silva kim novak patel meyer rossi haddad larsen dubois tanaka costa walsh ibrahim kowalski berg moreno singh "
        "chen weber lopez fischer abbas byrne sato lund").split()
TEAMS = [("platform", 3.0), ("backend", 6.0), ("data", 2.0), ("security", 1.0), ("frontend", 2.0), ("support", 1.5)]
CONSOLE = ("ec2:DescribeInstances ec2:DescribeInstanceStatus ec2:DescribeSecurityGroups ec2:DescribeVpcs ec2:DescribeSubnets "
           "ec2:DescribeAddresses ec2:DescribeTags ec2:DescribeVolumes ec2:DescribeRegions ec2:DescribeNetworkInterfaces "
           "ec2:DescribeImages ec2:DescribeLaunchTemplates monitoring:DescribeAlarms logs:DescribeLogGroups logs:StartQuery "
           "logs:GetLogEvents iam:ListUsers iam:ListRoles iam:ListAccessKeys iam:GetAccessKeyLastUsed iam:ListMFADevices "
           "iam:GetAccountSummary iam:ListPolicies cloudtrail:LookupEvents s3:ListBuckets s3:GetBucketLocation s3:GetBucketAcl "
           "s3:GetBucketPublicAccessBlock lambda:ListFunctions lambda:GetFunction rds:DescribeDBInstances ecs:ListClusters "
           "ecs:DescribeServices secretsmanager:ListSecrets kms:ListAliases ce:GetCostAndUsage organizations:DescribeOrganization "
           "iam:GetUser iam:ListAccountAliases iam:ListGroups codebuild:ListProjects codepipeline:ListPipelines "
           "cloudtrail:GetTrailStatus bedrock:GetModelInvocationLoggingConfiguration ec2:DescribeKeyPairs rds:DescribeDBClusters "
           "guardduty:ListFindings ses:GetSendQuota ses:GetAccountSendingEnabled iam:GenerateCredentialReport securityhub:GetFindings eks:ListClusters ssm:DescribeParameters cloudformation:DescribeStacks"
           ).split()
CHANGES = ("ec2:AuthorizeSecurityGroupIngress ec2:StopInstances ec2:StartInstances lambda:UpdateFunctionConfiguration "
           "secretsmanager:GetSecretValue ssm:PutParameter iam:CreateAccessKey iam:AttachRolePolicy ecs:UpdateService "
           "s3:PutBucketPolicy iam:CreateUser iam:PutRolePolicy iam:AttachUserPolicy iam:UpdateAssumeRolePolicy ec2:RunInstances "
           "rds:CreateDBSnapshot ssm:StartSession route53:ChangeResourceRecordSets iam:CreatePolicyVersion ec2:CreateSnapshot "
           "ecs:ExecuteCommand secretsmanager:PutSecretValue iam:CreateLoginProfile dynamodb:ExportTableToPointInTime rds:StartExportTask ec2:GetPasswordData account:EnableRegion "
           "bedrock:CreateFoundationModelAgreement ses:VerifyEmailIdentity iam:DeactivateMFADevice cloudformation:CreateStack "
           "servicequotas:RequestServiceQuotaIncrease kms:ScheduleKeyDeletion iam:PutUserPolicy ec2:ModifyInstanceAttribute "
           "organizations:LeaveOrganization bedrock:PutUseCaseForModelAccess bedrock:ListFoundationModels").split()
SHELL = ("sts:GetCallerIdentity s3:ListBuckets s3:ListObjects s3:GetObject s3:PutObject ec2:DescribeInstances logs:GetLogEvents "
         "eks:DescribeCluster ssm:GetParameter secretsmanager:GetSecretValue ecr:GetAuthorizationToken ssm:StartSession "
         "iam:GetUser ssm:SendCommand ssm:GetCommandInvocation ec2:GetConsoleOutput ecs:ListTasks sts:AssumeRole sts:AssumeRole lambda:Invoke kms:Decrypt rds:DescribeDBInstances athena:StartQueryExecution bedrock:InvokeModel").split()


def hire(world: World, count: int) -> None:
    """People and their accounts in every product the tenant has."""
    habit = world.habits
    office = address(Rand(world.seed, "office"), "office")
    gateway = address(Rand(world.seed, "office", "vpn"), "aws:us-east-1")
    for number in range(count):
        rand = Rand(world.seed, "person", number)
        first, last = rand.pick(FIRST), rand.pick(LAST)
        mail = f"{first}.{last}{number if rand.chance(0.2) else ''}@{world.company}.com"
        person = Person(mail, f"{first[0]}{last}" + (str(rand.whole(1, 99)) if rand.chance(0.3) else ""), rand.weighted(TEAMS), {},
                        address(rand, "home"), "" if rand.chance(habit["remote_work"]) else office, by_hand(rand, "cloudtrail"),
                        Client(rand, rand.pick(["browser", "browser", "safari", "firefox"])), busy=rand.between(0.2, 0.9),
                        shift=rand.between(-5, 5) if rand.chance(0.3) else 0.0)
        if habit["company_vpn"]:
            person.vpn = gateway
        elif rand.chance(habit["private_vpn_users"]):
            person.vpn = address(rand, "vpn")
        accounts(world, person, rand)
        world.staff.append(person)
    world.pools["mail"] = [person.mail for person in world.staff]


def member(world: World, person: Person, product: str, kind: str, label: str, unique: str, account: Account,
           power: str = "wide") -> Identity:
    who = Identity(label, product, kind, account, label, unique, person.laptop, power=power)
    who.rare = SHELL + CONSOLE + CHANGES if product == "cloudtrail" else []
    who.extra.update(org=world.company, org_id=int(Rand(world.seed, "org").digits(8)), project=world.pools["project"][0],
                     namespace=Rand(person.mail).pick(world.pools["namespace"]), email=person.mail, reason="")
    person.accounts.setdefault(kind, []).append(who)
    world.people.append(who)
    return who


def accounts(world: World, person: Person, rand: Rand) -> None:
    products = world.habits["products"]
    admin = "admin" if person.team in ("platform", "security") else "wide"
    title = "AdministratorAccess" if admin == "admin" else rand.pick(["PowerUser", "Developer", "ReadOnly"])
    for account in rand.some(world.accounts, rand.whole(1, 3)):
        name = f"AWSReservedSSO_{title}_{Rand(account.id, title).hex(16)}"
        who = member(world, person, "cloudtrail", "sso", name, "AROA" + Rand(account.id, name).letters(17), account, admin)
        who.label = f"arn:aws:iam::{account.id}:role/aws-reserved/sso.amazonaws.com/{name}"
    if rand.chance(world.habits["iam_people"]):
        account = rand.pick(world.accounts)
        who = member(world, person, "cloudtrail", "user", person.login, "AIDA" + rand.letters(17), account, admin)
        who.label = f"arn:aws:iam::{account.id}:user/{person.login}"
        who.extra["key"] = "AKIA" + rand.letters(16)
    home = world.accounts[0]
    if "okta" in products:
        member(world, person, "okta", "okta-person", person.mail, "00u" + rand.letters(17, B62), home).name = person.mail.split(
            "@")[0].replace(".", " ").title()
    if "github" in products and person.team != "support":
        who = member(world, person, "github", "gh-person", person.login, rand.digits(8), home)
        who.extra.update(access="OAuth access token", token=rand.letters(43, B62) + "=")
    if "kubernetes" in products and person.team in ("platform", "backend", "data"):
        who = member(world, person, "kubernetes", "k8s-person", person.mail, rand.uuid(), home, admin)
        key = "ASIA" + rand.letters(16)
        who.extra["user"] = {"username": person.mail, "uid": f"aws-iam-authenticator:{home.id}:AROA{rand.letters(17)}", "groups":
                             ["developers", "system:authenticated"], "extra": {"accessKeyId": [key], "sessionName": [person.mail]}}
    for product in ("entra", "m365"):
        if product in products:
            who = member(world, person, product, f"{product}-person".replace("entra", "az"), person.mail, rand.uuid(), home)
            directory(world, who, rand)
    if "gcp" in products and person.team in ("data", "platform"):
        member(world, person, "gcp", "gcp-person", person.mail, rand.digits(21), home).extra["key_name"] = ""


def desk(person: Person, who: Identity, time: int, rand: Rand, client: Client) -> Credential:
    """The credential of a person's account at their desk."""
    if who.kind == "sso":
        key = "ASIA" + rand.letters(16)
        return Credential(key, person.mail, time, time + 8 * HOUR, role_block(who, person.mail, key, time), person.where(rand), client)
    if who.kind == "user":
        return Credential(who.extra["key"], who.name, time, LASTING, user_block(who, who.extra["key"]), person.where(rand), client)
    return Credential(str(who.extra.get("token", "")), who.name, time, LASTING, who.extra.get("user", {}), person.where(rand), client)


def day_of(world: World, person: Person, day: int, rand: Rand) -> None:
    """What a person's working day leaves in the logs."""
    def now() -> int:
        return world.at(day, (office_time(world, rand) + int(person.shift * HOUR)) % DAY)
    habit, held = world.habits, person.accounts
    if rand.chance(0.03):
        person.home = address(rand, rand.pick(["home", "mobile", "home"]))
    for who in held.get("okta-person", []):
        at, cred = now(), desk(person, who, now(), rand, person.browser)
        act(world, who, at, ["okta:session.start", "okta:mfa"] + ["okta:sso"] * rand.whole(1, 4), cred, rand, 4000)
        if person.team in ("security", "platform") and rand.chance(0.06):
            act(world, who, at + HOUR, rand.some(["okta:user.unlock", "okta:user.reset_factors", "okta:app.assign", "okta:group.add",
                "okta:admin.grant", "okta:token.create", "okta:user.reset_password", "okta:policy.update"], 2), cred, rand, 30000)
    if held.get("sso") and rand.chance(habit["console"] * person.busy):
        console(world, person, rand.pick(held["sso"]), now(), rand)
    if held.get("sso") and rand.chance(0.25 * person.busy):
        who = rand.pick(held["sso"])
        act(world, who, now(), [rand.pick(SHELL) for _ in range(rand.whole(1, 10))], desk(person, who, now(), rand, person.laptop),
            rand, 40000, wide=True)
    for who in held.get("user", []):
        if rand.chance(0.6 * person.busy):
            act(world, who, now(), [rand.pick(SHELL) for _ in range(rand.whole(1, 8))], desk(person, who, now(), rand,
                person.laptop), rand, 60000)
        if rand.chance(0.3 * person.busy):
            console(world, person, who, now(), rand)
    for who in held.get("gh-person", []):
        if rand.chance(person.busy):
            act(world, who, now(), [rand.pick(["gh:git.fetch", "gh:git.push", "gh:git.push", "gh:pr.create", "gh:pr.merge",
                "gh:git.clone"]) for _ in range(rand.whole(1, 5))], desk(person, who, now(), rand, by_hand(rand, "github")), rand, HOUR / 2)
        if rand.chance(0.02):
            act(world, who, now(), rand.some(["gh:hook.create", "gh:key.create", "gh:branch.override", "gh:org.invite",
                "gh:secret.create", "gh:repo.create", "gh:runner.register", "gh:pushprotection.off", "gh:workflow.dispatch",
                "gh:branch.destroy", "gh:repo.access", "gh:scanning.off"], 2), desk(person, who, now(), rand, person.browser), rand, 60000)
    for who in held.get("k8s-person", []):
        if rand.chance(0.35 * person.busy):
            act(world, who, now(), [rand.pick(["k8s:list/pods", "k8s:list/pods", "k8s:get/pods", "k8s:get/pods.log",
                "k8s:get/deployments", "k8s:list/events", "k8s:get/secrets", "k8s:create/pods.exec", "k8s:patch/deployments",
                "k8s:create/selfsubjectrulesreviews", "k8s:delete/pods", "k8s:create/selfsubjectaccessreviews", "k8s:list/serviceaccounts",
                "k8s:get/daemonsets", "k8s:list/clusterroles", "k8s:list/secrets"]) for _ in range(rand.whole(1, 10))], desk(person, who, now(),
                rand, by_hand(rand, "kubernetes")), rand, 20000, wide=rand.chance(0.3))
    office(world, person, now(), rand)


def office(world: World, person: Person, at: int, rand: Rand) -> None:
    """Microsoft and Google accounts."""
    for who in person.accounts.get("az-person", []):
        cred = desk(person, who, at, rand, person.browser)
        act(world, who, at, ["entra:user-signin"] * rand.whole(0, 2), cred, rand, HOUR)
        if person.team in ("platform", "security") and rand.chance(0.08):
            act(world, who, at, rand.some(["entra:add-secret", "entra:add-app", "entra:consent", "entra:add-approle",
                "entra:add-owner", "entra:add-group-member", "entra:reset-password", "entra:add-role-member", "entra:add-sp-cred",
                "entra:update-ca", "entra:add-fic"], 2), cred, rand, 60000)
    for who in person.accounts.get("m365-person", []):
        if rand.chance(0.6 * person.busy):
            act(world, who, at, [rand.pick(["m365:file.read", "m365:file.modify", "m365:file.download", "m365:mail.send",
                "m365:mail.read", "m365:link.create", "m365:file.search"]) for _ in range(rand.whole(1, 6))], desk(person, who, at, rand, person.browser),
                rand, 5 * 60000)
    for who in person.accounts.get("gcp-person", []):
        if rand.chance(0.3 * person.busy):
            act(world, who, at, [rand.pick(["gcp:query", "gcp:table.read", "gcp:object.get", "gcp:dataset.list", "gcp:vm.list",
                "gcp:iam.get", "gcp:sa.list"]) for _ in range(rand.whole(1, 7))], desk(person, who, at, rand, by_hand(rand, "gcp")),
                rand, 60000)


def console(world: World, person: Person, who: Identity, at: int, rand: Rand) -> None:
    """A visit to the console: a sign-in, then pages that each ask for much at once."""
    cred = desk(person, who, at, rand, person.browser)
    if who.kind == "user":
        cred.key = "ASIA" + rand.letters(16)
        cred.block = dict(user_block(who, cred.key), sessionContext={"attributes": {"creationDate": "", "mfaAuthenticated": "true"}})
        cred.block["sessionContext"]["attributes"]["creationDate"] = role_block(who, "", "", at)["sessionContext"]["attributes"][
            "creationDate"]
    if who.kind == "user" and Rand(person.mail, "vault tool").chance(0.3):
        act(world, who, at - 2000, ["sts:GetFederationToken"], replace(cred, client=person.laptop, key=who.extra["key"], block=user_block(
            who, who.extra["key"])), rand)
        cred.block = federated_block(who, person.login, cred.key, at)
    console_login(world, at, who, cred, rand, mfa=Rand(person.mail, "mfa").chance(0.7))
    at += rand.whole(3000, 20000)
    for _ in range(rand.whole(1, 5)):
        act(world, who, at, [rand.pick(CONSOLE) for _ in range(rand.whole(2, 14))], cred, rand, 250, wide=True)
        at += int(rand.waiting(4 * 60000))
        if rand.chance(0.2):
            act(world, who, at, [rand.pick(CHANGES)] * rand.whole(1, 2), cred, rand, 5000, wide=True)


def work(world: World) -> None:
    """Every person's every day, and the days when something broke."""
    for number, person in enumerate(world.staff):
        rand = Rand(world.seed, "work", number)
        for day in range(world.days):
            if rand.chance(0.92 if world.weekday(day) < 5 else world.habits["weekend"] * 0.4):
                day_of(world, person, day, rand)
    rand = Rand(world.seed, "incident days")
    broken: List[int] = [rand.whole(0, world.days - 1) for _ in range(world.habits["incident_days"])]
    world.habits["incident_day_numbers"] = sorted(broken)
    for day in broken:
        start = world.at(day, rand.between(0, DAY - 6 * HOUR))
        for who in rand.some([m for m in world.machines if m.alive(day) and m.kind not in ("linked", "saas", "k8s-node", "entra-mi")],
                             rand.whole(3, 12)):
            debug(world, who, start + int(rand.between(0, 5 * HOUR)), rand)
        person = rand.pick(world.staff)
        for who in person.accounts.get("sso", [])[:1]:
            act(world, who, start, sweep_ops(world, who, rand) + ["iam:UpdateAccessKey", "iam:CreateAccessKey", "ec2:CreateSnapshot",
                "cloudtrail:LookupEvents", "guardduty:GetFindings"] * rand.whole(1, 3), desk(person, who, start, rand, person.laptop),
                rand, 40000, wide=True)
