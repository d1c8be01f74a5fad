"""People: who they are, where they sit, and what they do in consoles and at command lines."""
from __future__ import annotations

from typing import Any, Dict, List

from . import clients, names
from .changes import person_place
from .chance import MIXED, UPPER, Chance
from .kinds_aws import IACW, SCAN
from .model import DAY, Identity, Kind, Place
from .network import Network
from .rhythm import busy, office_hour
from .tenant import Tenant
from .world import World, new_key
from nhi_watch_lab.tables import lists

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
    logins = names.many(lambda: names.person(rng), count)
    tenant.things["upn"] = [f"{login}@{tenant.domain}" for login in logins] + [f"{names.person(rng)}@{tenant.domain}" for _ in range(20)]
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
