"""Rhythms, and what machines and people do by them."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional

from nhi_watch_lab.fifth_world import clients, model
from nhi_watch_lab.fifth_world.clients import Network
from nhi_watch_lab.fifth_world.kinds import IACW, SCAN
from nhi_watch_lab.fifth_world.makers import person_place
from nhi_watch_lab.fifth_world.model import DAY, HOUR, MIXED, UPPER, Chance, Habit, Identity, Kind, Place
from nhi_watch_lab.fifth_world.tenant import Tenant
from nhi_watch_lab.fifth_world.world import World, new_key
from nhi_watch_lab.tables import lists

# ---- when things happen: hours of offices, ticks, runs

OFFICE = [1, 1, 1, 1, 1, 2, 3, 6, 11, 15, 16, 15, 12, 14, 16, 16, 14, 10, 6, 4, 3, 2, 2, 1]


def weekday(tenant: Tenant, day: int) -> int:
    return (tenant.first.weekday() + day) % 7


def office_hour(tenant: Tenant, day: int, rng: Chance, person: bool = False) -> float:
    """A moment of a working day; people keep stricter hours than the load they make."""
    if person:
        hour = min(20.0, max(6.5, rng.gauss(13, 2.6)))
    else:
        point, hour = rng.random() * sum(OFFICE), 0.0
        for index, weight in enumerate(OFFICE):
            point -= weight
            if point <= 0:
                hour = index + rng.random()
                break
    return tenant.start + day * DAY + (hour - tenant.habits["timezone"]) * HOUR


def busy(tenant: Tenant, day: int) -> float:
    return tenant.habits["weekend"] if weekday(tenant, day) >= 5 else 1.0


def flow_times(tenant: Tenant, who: Identity, day: int, rate: float, rng: Chance) -> List[float]:
    """Single calls of a day for the rhythms that flow."""
    start = tenant.start + day * DAY
    if who.kind.rhythm == "poll":
        step = DAY / max(rate, 0.2)
        first = start + (who.phase % step) - ((start - tenant.start) % step)
        count = int(math.ceil((start + DAY - first) / step))
        jitter = step * tenant.habits["jitter"] * 0.2
        times = [first + index * step + rng.uniform(-jitter, jitter) for index in range(count)]
        return [time for time in times if time >= start and not rng.chance(0.01)]
    if who.kind.rhythm == "office":
        return sorted(office_hour(tenant, day, rng) for _ in range(rng.poisson(rate * busy(tenant, day))))
    return sorted(start + rng.random() * DAY for _ in range(rng.poisson(rate)))


def run_times(tenant: Tenant, who: Identity, day: int, rng: Chance) -> List[float]:
    """Starts of runs on a day for the rhythms of jobs."""
    start, kind = tenant.start + day * DAY, who.kind.rhythm
    moment = start + who.phase + rng.gauss(0, 60 + 600 * tenant.habits["jitter"])
    if kind == "nightly":
        return [moment]
    if kind == "hourly":
        return [start + hour * HOUR + (who.phase % HOUR) + rng.uniform(0, 40) for hour in range(24)]
    if kind == "weekly":
        return [moment] if (day + int(who.phase)) % 7 == 3 else []
    if kind == "monthly":
        return [moment] if (day + int(who.phase)) % 30 == 14 else []
    if kind == "quarterly":
        return [moment] if (day + int(who.phase)) % 91 == 40 else []
    if kind == "sparse":
        return [office_hour(tenant, day, rng, True) for _ in range(rng.poisson(0.35 * busy(tenant, day)))]
    count = rng.poisson(who.rate * busy(tenant, day))
    return sorted(office_hour(tenant, day, rng, rng.chance(0.8)) for _ in range(min(count, 25)))


# ---- the routine of machines: flows of calls and runs of jobs, with errors, retries and outages

FLOWS = ("poll", "office", "day")
FAULTS = {"aws": ["ThrottlingException", "denied", "ResourceNotFoundException", "ServiceUnavailable", "ThrottlingException"], "s3": ["NoSuchKey", "NoSuchKey", "denied"],
    "entra": ["denied", "expired", "outage"]}
DOWN = {"aws": "ServiceUnavailable", "entra": "outage"}
RUNS_A_DAY = {"nightly": 1.0, "hourly": 24.0, "weekly": 1 / 7, "monthly": 1 / 30, "quarterly": 1 / 91, "sparse": 0.28}


def expected(who: Identity, weekend: float) -> float:
    """Calls a day to expect of a machine, before scaling."""
    kind, total = who.kind, sum(habit.weight for habit in who.habits)
    if kind.rhythm in FLOWS:
        return who.rate * ((5 + 2 * weekend) / 7 if kind.rhythm == "office" else 1)
    if kind.rhythm == "runs":
        return min(25.0, who.rate) * total * (5 + 2 * weekend) / 7
    return RUNS_A_DAY[kind.rhythm] * total * who.rate


def scale(world: World) -> None:
    """Brings volume and the share of AWS to what the tenant's habits say."""
    habits, tenant = world.tenant.habits, world.tenant
    span = {id(who): max(0.0, min(who.gone, tenant.end) - max(who.born, tenant.start)) / DAY for who in world.machines}
    total = habits["records_per_machine_day"] * len(world.machines) * tenant.days
    sums = {True: 1.0, False: 1.0}
    for who in world.machines:
        sums[who.product == "aws"] += expected(who, habits["weekend"]) * span[id(who)]
    loudest = world.streams("loudest").choice([who for who in world.machines if who.product == "aws" and who.kind.rhythm in FLOWS] or world.machines)
    loud = habits["loudest_share"] * total
    for who in world.machines:
        aws = who.product == "aws"
        factor = ((habits["aws_share"] - 0.09) * total - loud if aws else (1 - habits["aws_share"]) * total) / sums[aws]
        cap = 0.06 * total
        own = expected(who, habits["weekend"]) * span[id(who)] * factor
        who.rate *= min(5.0, max(0.15, factor)) * min(1.0, cap / max(own, 1.0))
    loudest.rate *= loud / max(1.0, expected(loudest, habits["weekend"]) * max(1.0, span[id(loudest)]))


def signs_in(world: World, who: Identity, time: float, rng: Chance, place: Place, odds: float) -> None:
    """Apps of Azure and Microsoft 365 fetch tokens from Entra."""
    if who.product in ("azure", "m365") and "entra" in world.tenant.products and rng.chance(odds):
        world.act(who, "entra/signin", time, rng, place, None, rng.choice(["outage", "expired"]) if rng.chance(0.004) else "")


def active(who: Identity, time: float) -> List[Habit]:
    return [habit for habit in who.habits if habit.since <= time < habit.until]


def call(world: World, who: Identity, habit: Habit, time: float, rng: Chance, place: Place) -> float:
    """One routine call with what may go wrong; returns the time after it."""
    args: Dict[str, Any] = dict(habit.args)
    error = str(args.pop("_error", ""))
    service = habit.op.split(":")[0]
    down = world.failing(who.product, habit.op, time, rng)
    if down:
        error = DOWN.get(who.product, "outage")
    elif not error and rng.chance(who.errors):
        error = rng.choice(FAULTS.get(service) or FAULTS.get(who.product) or ["denied", "outage"])
    if "vendor" in who.auth or "scan" in who.kind.tags:
        if who.account and rng.chance(0.4):
            args.setdefault("region", rng.choice(who.account.regions))
    world.act(who, habit.op, time, rng, place, args, error)
    if error and (who.retries or down):
        for _ in range(rng.randint(1, 3)):
            time += rng.uniform(0.5, 20)
            world.act(who, habit.op, time, rng, place, args, error if down or rng.chance(0.4) else "")
    return time


def run_place(world: World, who: Identity, time: float, rng: Chance) -> Place:
    """A run's host: a fresh runner or one of the machine's own."""
    place = rng.choice(who.places_at(time))
    if who.dynamic:
        place = place._replace(ip=world.tenant.network.draw(rng, who.dynamic), endpoint="")
    if who.auth in ("oidc", "chain"):
        place = place._replace(host=f"@{time:.0f}|{'GitHubActions' if rng.chance(0.7) else 'gh-' + rng.digits(10)}")
    if who.auth == "vendor" and rng.chance(0.3):
        place = place._replace(host=f"@{time:.0f}|{place.host}")
    return place


def run(world: World, who: Identity, time: float, rng: Chance, size: float = 1.0, place: Optional[Place] = None) -> float:
    """One run of a job, in the order of its habits."""
    where = place or run_place(world, who, time, rng)
    gap = rng.log_between(0.4, 12)
    signs_in(world, who, time - 3, rng, where, 0.9)
    iac, before, start = "iac" in who.kind.tags, who.count, time
    for habit in active(who, time):
        mean = habit.weight * size
        count = int(mean) + (1 if rng.chance(mean - int(mean)) else 0)
        for _ in range(max(0, int(round(count * rng.uniform(0.75, 1.25)))) if count > 2 else count):
            time = call(world, who, habit, time, rng, where) + rng.expovariate(1 / gap)
    if iac and rng.chance(0.55) and who.kind.grow:
        for _ in range(rng.randint(1, 5)):
            time = call(world, who, Habit(rng.choice(who.things.get("iac") or list(who.kind.grow)), 1, {}), time, rng, where) + rng.expovariate(1 / gap)
    if who.count > before and (who.dynamic or where.host.startswith("@")):
        who.runs.append((start, where))
    return time


def live(world: World, who: Identity) -> None:
    """The whole routine of one machine."""
    tenant, rng = world.tenant, world.streams("life", who.name)
    if "iac" in who.kind.tags:
        who.things["iac"] = rng.sample(list(who.kind.grow), min(len(who.kind.grow), rng.randint(5, 14)))
    for day in range(tenant.days):
        noon = tenant.start + (day + 0.5) * DAY
        if not who.alive(noon) or rng.chance(0.004):
            continue
        if who.kind.rhythm in FLOWS:
            _flow(world, who, day, rng)
            continue
        for time in run_times(tenant, who, day, rng):
            if not who.alive(time):
                continue
            size = 1.0 if who.kind.rhythm == "runs" else who.rate
            if who.kind.rhythm == "sparse":
                _sitting(world, who, time, rng)
            else:
                run(world, who, time, rng, size)


def _flow(world: World, who: Identity, day: int, rng: Chance) -> None:
    habits = active(who, world.tenant.start + (day + 0.5) * DAY)
    weighted = [(habit, habit.weight) for habit in habits]
    for time in flow_times(world.tenant, who, day, who.rate, rng):
        if who.alive(time):
            place = rng.choice(who.places_at(time))
            signs_in(world, who, time - rng.uniform(1, 900), rng, place, 0.12)
            call(world, who, rng.pick(weighted), time, rng, place)


def _sitting(world: World, who: Identity, time: float, rng: Chance) -> None:
    """An irregular session: some of the habits, in any order."""
    weighted = [(habit, habit.weight) for habit in active(who, time)]
    place = run_place(world, who, time, rng)
    for _ in range(max(1, rng.poisson(2 + 8 * min(3.0, who.rate)))):
        time = call(world, who, rng.pick(weighted), time, rng, place) + rng.expovariate(1 / 25)


def bulk(world: World, who: Identity, time: float, rng: Chance, times: float) -> None:
    """A backfill: the usual work many times over."""
    for _ in range(int(times)):
        time = run(world, who, time, rng, max(0.3, min(who.rate, 3.0))) + rng.uniform(1, 300)
        if time > world.tenant.end:
            return


# ---- people: who they are, where they sit, and what they do in consoles and at command lines

AWS_READ = tuple(item.split("*")[0] for item in SCAN) + ("logs:FilterLogEvents", "logs:StartQuery", "logs:GetQueryResults", "cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics",
    "ecs:DescribeServices", "ecs:ListClusters", "cloudformation:DescribeStacks", "cloudformation:ListStacks", "health:DescribeEvents", "ce:GetCostAndUsage",
         "iam:GetUser", "iam:GetRole", "iam:GetRolePolicy", "rds:DescribeDBInstances", "secretsmanager:DescribeSecret", "ec2:DescribeInstanceStatus", "lambda:GetFunction20150331v2",
             "s3:ListObjects", "ssm:ListCommands", "servicequotas:ListServiceQuotas", "ec2:DescribeLaunchTemplates", "ec2:DescribeKeyPairs", "bedrock:ListInferenceProfiles",
         "bedrock:GetFoundationModelAvailability", "bedrock:ListFoundationModelAgreementOffers", "bedrock:GetUseCaseForModelAccess", "codebuild:ListProjects",
             "sagemaker:ListNotebookInstances", "cloudtrail:LookupEvents", "guardduty:ListFindings", "guardduty:GetFindings", "iam:ListInstanceProfiles", "iam:ListSAMLProviders",
                 "iam:ListOpenIDConnectProviders",
         "ses:GetAccount", "ses:ListIdentities", "ses:GetSendQuota", "ses:GetAccountSendingEnabled", "iam:SimulatePrincipalPolicy", "cognito-idp:ListUserPools", "transfer:ListServers",
             "resource-explorer-2:Search", "athena:GetQueryExecution", "glue:GetDatabases", "glue:GetConnections", "ec2:GetConsoleOutput", "ec2:DescribeInstanceAttribute",
                 "bedrock:ListAgents", "bedrock:ListKnowledgeBases", "bedrock:ListGuardrails")
AWS_WRITE = IACW + ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "ssm:StartSession", "ec2:StopInstances", "ec2:StartInstances", "lambda:UpdateFunctionCode20150331v2",
    "lambda:Invoke", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "ssm:PutParameter", "ssm:GetParameter", "athena:StartQueryExecution", "ecs:ExecuteCommand",
           "ec2:CreateSnapshot", "rds:CreateDBSnapshot", "sts:AssumeRole", "ssm:SendCommand", "ec2-instance-connect:SendSSHPublicKey", "ec2:CreateKeyPair", "ec2:GetPasswordData",
               "iam:CreateLoginProfile", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:DeactivateMFADevice", "bedrock:InvokeModel", "bedrock:PutUseCaseForModelAccess",
                   "bedrock:CreateFoundationModelAgreement",
           "servicequotas:RequestServiceQuotaIncrease", "ses:VerifyEmailIdentity", "ses:CreateEmailIdentity", "sns:Publish", "rds:ModifyDBSnapshotAttribute",
               "rds:RestoreDBInstanceFromDBSnapshot", "events:DisableRule", "cloudwatch:DeleteAlarms", "dynamodb:Scan", "dynamodb:Query", "codebuild:StartBuild", "codebuild:UpdateProject",
                   "sagemaker:CreatePresignedNotebookInstanceUrl",
           "sagemaker:CreateNotebookInstance", "lambda:CreateFunction20150331", "lambda:CreateFunctionUrlConfig", "eks:AssociateAccessPolicy", "ec2:ModifySnapshotAttribute",
               "ec2:ModifyImageAttribute", "iam:UpdateLoginProfile", "signin:GetSigninToken", "sts:GetFederationToken", "iam:CreateServiceSpecificCredential",
                   "bedrock:PutFoundationModelEntitlement", "cloudtrail:UpdateTrail")
ACTS: Dict[str, List[str]] = lists(__file__, "tables.json/acts")
AGENTS = {"github": ["git", "browser"], "kubernetes": ["kubectl"], "snowflake": ["snowui", "snowsql", "snowui"], "vault": ["gohttp", "browser"], "gcp": ["browser", "gcloud"],
    "azure": ["browser", "azcli"], "okta": ["browser"], "entra": ["browser"], "m365": ["browser"]}


def _kind(product: str, strong: bool) -> Kind:
    return Kind("person", product, 0, ("sso",), "sparse", (1, 1), (), (), (), (), (1, 1), ("human", "strong") if strong else ("human",))


def _spots(network: Network, rng: Chance, agents: List[str], host: str, outside: bool) -> List[Place]:
    """Office, home, VPN: the more usual ones stand more than once."""
    home = network.address(rng, rng.choice(["home", "home", "home", "hosting"]) if outside else "home")
    spots = [home] * (3 if outside else 2) + [network.draw(rng, "corpvpn")] * 2 + ([] if outside else [network.draw(rng, "office")] * 4)
    return [Place(ip, agent, host) for ip in spots for agent in agents]


def _person(world: World, login: str, product: str, rng: Chance, outside: bool) -> Identity:
    tenant = world.tenant
    mail, strong = f"{login}@{tenant.domain}", rng.chance(0.3)
    account: Any = rng.choice(tenant.accounts) if product == "aws" else None
    who = Identity(mail, product, _kind(product, strong), "sso", account, account.regions[0] if account else "", human=True)
    who.keys, who.phase = [(0.0, new_key(product, rng))], rng.uniform(0, 86400)
    families = AGENTS.get(product, [])
    if product == "aws":
        families = ["browser"] if rng.chance(tenant.habits["console_share"]) else ["awscli", "browser"]
        label = rng.choice(["AdministratorAccess", "PowerUserAccess", "ReadOnly", "Developer"])
        role = tenant.streams("permissionset", account.id, label)
        name = f"AWSReservedSSO_{label}_{world.sessions.setdefault('set|' + account.id + label, {'hex': role.hexs(16), 'role': 'AROA' + role.text(17, UPPER)})['hex']}"
        who.ids = {"rolename": name, "role": world.sessions["set|" + account.id + label]["role"], "arn": f"arn:aws:iam::{account.id}:role/aws-reserved/sso.amazonaws.com/{tenant.regions[0]}/{name}"}
        if rng.chance(0.15):
            who.auth, families = "user", ["awscli"] + (["boto3"] if rng.chance(0.5) else [])
            who.ids = {"username": login, "user": "AIDA" + rng.text(17, UPPER), "arn": f"arn:aws:iam::{account.id}:user/{login}"}
            account.things["user"].append(login)
            account.things["accesskey"].append(who.keys[0][1])
        who.label = who.ids["arn"] if who.auth == "user" else f"arn:aws:sts::{account.id}:assumed-role/{name}/{mail}"
    else:
        _ids(tenant, who, login, mail, product, rng)
    who.places = [(0.0, _spots(tenant.network, rng, [clients.make(family, rng) for family in families], mail, outside))]
    who.things["namespace"], who.things["site"] = tenant.things["namespace"], tenant.things["site"]
    return who


def _ids(tenant: Tenant, who: Identity, login: str, mail: str, product: str, rng: Chance) -> None:
    """What a product knows of a person."""
    who.label = mail
    who.ids = {"object": rng.uuid(), "app": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "display": login.replace(".", " ").title(), "resource": "Microsoft Graph", "bytes": "20000000",
        "group": "engineers", "account": mail, "binding": "engineers", "clusterrole": "edit", "arn": f"arn:aws:sts::{tenant.accounts[0].id}:assumed-role/AWSReservedSSO_Developer/{mail}"}
    if product == "okta":
        who.ids.update({"object": "00u" + rng.text(17, MIXED), "type": "User", "actor": mail})
    elif product == "github":
        actor = login.replace(".", "-")
        who.auth, who.label = "fine", actor
        who.ids.update({"actor": actor, "actorid": rng.digits(8), "tokenid": rng.digits(9), "scopes": "repo", "ssh": str(int(rng.chance(0.5)))})
        tenant.things["login"].append(actor)
    elif product == "snowflake":
        who.name = who.label = login.upper().replace(".", "_")
        who.ids.update({"role": "ANALYST", "warehouse": "ADHOC_WH", "database": rng.choice(tenant.things["sdb"]), "rows": str(int(rng.log_between(50, 50000)))})
    elif product == "vault":
        who.ids.update({"display": f"oidc-{mail}", "policies": "default,engineer", "role": "engineer", "entity": rng.uuid(), "mount": "oidc", "accessor": rng.hexs(8)})
        who.label = f"oidc-{mail}"


def hire(world: World, count: int) -> None:
    """People; each works in AWS or elsewhere, some in several products."""
    tenant = world.tenant
    rng = world.streams("hire")
    logins = model.many(lambda: model.person(rng), count)
    tenant.things["upn"] = [f"{login}@{tenant.domain}" for login in logins] + [f"{model.person(rng)}@{tenant.domain}" for _ in range(20)]
    tenant.things["login"] = []
    for login in logins:
        own = world.streams("person", login)
        outside = own.chance(tenant.habits["external_workers"])
        wanted = ["aws"] if own.chance(0.6) else []
        wanted += [product for product in tenant.products[1:] if own.chance(0.25)]
        born = tenant.start + own.uniform(0, tenant.days) * DAY if own.chance(0.06) else 0.0
        pace = own.lognormvariate(0, 0.6)
        for product in wanted or ["aws"]:
            who = _person(world, login, product, own, outside)
            who.born, who.rate = born, pace
            world.people.append(who)
    if not tenant.things["login"]:
        tenant.things["login"] = [login.replace(".", "-") for login in logins[:6]]


def work(world: World, who: Identity) -> None:
    """A person's days: sittings of bursts, now and then from elsewhere."""
    rng, tenant = world.streams("work", who.label), world.tenant
    favourites = rng.sample(AWS_READ, 24), rng.sample(AWS_WRITE, 7)
    away = [tenant.network.address(rng, rng.choice(["home", "hosting", "home", "vpn"])) for _ in range(2)]
    for day in range(tenant.days):
        on_call = rng.chance(0.03)
        if not who.alive(tenant.start + day * DAY) or not (rng.chance(0.45 * busy(tenant, day)) or on_call):
            continue
        for _ in range(max(1, rng.poisson(0.8 * who.rate))):
            time = office_hour(tenant, day, rng, True) if not on_call else tenant.start + (day + rng.random()) * DAY
            place = person_place(world, who, time, rng)
            if rng.chance(0.03):
                place = place._replace(ip=rng.choice(away))
            (aws_sitting(world, who, time, rng, place, favourites) if who.product == "aws" else other_sitting(world, who, time, rng, place))


def aws_sitting(world: World, who: Identity, time: float, rng: Chance, place: Place, favourites: Any) -> None:
    """Clicks in a console open bursts of reads; a command line makes fewer calls."""
    console = "Mozilla" in place.agent
    reads, writes = favourites
    if console and who.auth == "sso":
        world.login(who, time, rng, place)
    for _ in range(rng.randint(1, 4)):
        time += rng.expovariate(1 / 120)
        for _ in range(rng.randint(2, 9) if console else rng.randint(1, 3)):
            world.act(who, rng.choice(reads) if rng.chance(0.85) else rng.choice(AWS_READ), time, rng, place, None, "denied" if rng.chance(0.03) else "")
            time += rng.random() if console else rng.expovariate(1 / 25)
        if rng.chance(0.35):
            world.act(who, rng.choice(writes) if rng.chance(0.8) else rng.choice(AWS_WRITE), time, rng, place, None, "denied" if rng.chance(0.05) else "")
            time += rng.expovariate(1 / 60)


def other_sitting(world: World, who: Identity, time: float, rng: Chance, place: Place) -> None:
    acts = ACTS[who.product]
    start = [acts[0]] if who.product in ("okta", "snowflake", "vault") else []
    for key in start + [rng.choice(acts) for _ in range(rng.randint(1, 4 if who.product in ("okta", "entra") else 9))]:
        world.act(who, key, time, rng, place, None, "denied" if rng.chance(0.02) else "")
        time += rng.expovariate(1 / 45)
