"""The humans: where they sit, what they open, and the keys they should not have."""
from typing import Dict, List, Tuple

from . import clients, net
from .dice import Dice
from .model import DAY, HOUR, Person, Principal, Session, Source
from .tenant import FIRST, LAST, Tenant
from .world import World
from nhi_watch_lab.tables import table

JOBS = {"platform": 3.0, "developer": 5.0, "data": 4.0, "security": 1.0, "finance": 1.0, "clerk": 4.0}
PERMS = {"platform": "AdministratorAccess", "developer": "PowerUserAccess", "data": "DataScientist", "security": "SecurityAudit", "finance": "Billing", "clerk": "ViewOnlyAccess"}
# What one click in the console asks for.
PAGES: Dict[str, List[str]] = {
    "ec2": "ec2:DescribeInstances ec2:DescribeInstanceStatus ec2:DescribeSecurityGroups ec2:DescribeVolumes ec2:DescribeAddresses ec2:DescribeKeyPairs ec2:DescribeTags monitoring:DescribeAlarms autoscaling:DescribeAutoScalingGroups elasticloadbalancing:DescribeLoadBalancers health:DescribeEventAggregates".split(),
    "s3": "s3:ListBuckets s3:GetBucketLocation s3:GetBucketVersioning s3:GetBucketPublicAccessBlock s3:GetBucketEncryption s3:GetBucketPolicy s3:GetBucketAcl access-analyzer:ListAnalyzers".split(),
    "iam": "iam:GetAccountSummary iam:ListUsers iam:ListRoles iam:ListAccessKeys iam:GetUser iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:GetAccountPasswordPolicy iam:ListAttachedRolePolicies iam:GetRole iam:ListInstanceProfiles sso:ListInstances".split(),
    "lambda": "lambda:ListFunctions20150331 lambda:GetFunction20150331v2 lambda:GetPolicy20150331v2 logs:DescribeLogStreams monitoring:GetMetricData kms:ListKeys".split(),
    "logs": "logs:DescribeLogGroups logs:DescribeLogStreams logs:FilterLogEvents logs:StartQuery monitoring:GetMetricData".split(),
    "data": "athena:ListWorkGroups glue:GetDatabases glue:GetTables athena:StartQueryExecution athena:GetQueryExecution athena:GetQueryResults athena:ListQueryExecutions".split(),
    "models": "sagemaker:ListNotebookInstances sagemaker:ListTrainingJobs sagemaker:CreatePresignedNotebookInstanceUrl bedrock:ListFoundationModels bedrock:GetFoundationModelAvailability bedrock:InvokeModelWithResponseStream".split(),
    "secrets": "secretsmanager:ListSecrets secretsmanager:DescribeSecret secretsmanager:GetSecretValue kms:ListKeys".split(),
    "audit": "cloudtrail:DescribeTrails cloudtrail:LookupEvents cloudtrail:GetTrailStatus guardduty:ListDetectors securityhub:GetFindings config:DescribeConfigRules iam:GenerateCredentialReport iam:GetCredentialReport".split(),
    "bill": "ce:GetCostAndUsage organizations:DescribeOrganization organizations:ListAccounts servicequotas:ListServiceQuotas".split(),
    "stacks": "cloudformation:ListStacks cloudformation:DescribeStacks cloudformation:DescribeStackEvents cloudformation:GetTemplate".split(),
}
DUTIES = {"platform": "ec2 s3 iam lambda logs stacks secrets audit", "developer": "lambda logs s3 ec2 stacks secrets models", "data": "data models s3 logs", "security": "audit iam s3 ec2", "finance": "bill", "clerk": "s3"}
CHANGES = {"platform": "ec2:RunInstances ec2:AuthorizeSecurityGroupIngress iam:CreateAccessKey iam:CreateUser iam:AttachRolePolicy iam:PutRolePolicy iam:CreateRole iam:AttachUserPolicy iam:CreateLoginProfile s3:PutBucketPolicy ssm:StartSession ssm:SendCommand ec2:StopInstances cloudtrail:PutEventSelectors iam:UpdateAssumeRolePolicy ec2:CreateSnapshot ec2:ModifySnapshotAttribute kms:CreateGrant lambda:UpdateFunctionConfiguration20150331v2 iam:DeleteAccessKey ec2:ModifyImageAttribute ec2:ImportKeyPair ec2:CreateKeyPair eks:CreateAccessEntry eks:AssociateAccessPolicy logs:DeleteLogGroup backup:DeleteRecoveryPoint rds:ModifyDBSnapshotAttribute sso:CreateAccountAssignment iam:UpdateLoginProfile kms:ScheduleKeyDeletion s3:PutBucketVersioning ec2:ModifyInstanceAttribute ec2:CreateImage rds:CreateDBSnapshot iam:CreatePolicyVersion iam:AddUserToGroup ec2:GetPasswordData ssm:GetCommandInvocation s3:PutBucketPublicAccessBlock ec2:AssociateIamInstanceProfile servicequotas:RequestServiceQuotaIncrease",
           "developer": "lambda:UpdateFunctionCode20150331v2 lambda:UpdateFunctionConfiguration20150331v2 ssm:PutParameter s3:PutObject ecs:ExecuteCommand ssm:StartSession sqs:PurgeQueue lambda:CreateFunctionUrlConfig ecs:UpdateService",
           "data": "s3:PutObject glue:StartJobRun glue:UpdateJob sagemaker:CreateTrainingJob sagemaker:CreateNotebookInstance athena:StartQueryExecution s3:DeleteObject lakeformation:GrantPermissions bedrock:PutUseCaseForModelAccess bedrock:CreateFoundationModelAgreement bedrock:PutFoundationModelEntitlement bedrock:InvokeModel dynamodb:ExportTableToPointInTime redshift:GetClusterCredentials glue:GetConnections sagemaker:CreateProcessingJob", "security": "guardduty:CreateIPSet guardduty:UpdateDetector iam:UpdateAccessKey iam:SimulatePrincipalPolicy iam:GetAccountAuthorizationDetails ec2:DescribeInstanceAttribute iam:DeactivateMFADevice bedrock:GetModelInvocationLoggingConfiguration config:StopConfigurationRecorder"}
ELSEWHERE: Dict[str, Dict[str, float]] = table(__file__, "tables.json/elsewhere")
ADMIN = {"okta": ["user.mfa.factor.reset_all", "user.account.privilege.grant", "system.api_token.create", "application.lifecycle.update", "application.lifecycle.create", "user.lifecycle.deactivate", "zone.update"],
         "entra": ["Add service principal credentials", "Update application – Certificates and secrets management ", "Add member to role", "Consent to application", "Add owner to application", "Reset user password", "Add app role assignment to service principal"],
         "github": ["org.invite_member", "hook.create", "deploy_key.create", "integration_installation.create", "org.update_actions_secret", "environment.update_protection_rule", "org.add_outside_collaborator", "protected_branch.update"], "m365": ["Set-Mailbox", "SiteCollectionAdminAdded", "Add-MailboxPermission"],
         "kubernetes": ["create clusterrolebindings", "patch daemonsets", "list secrets", "create daemonsets", "create serviceaccounts", "create serviceaccounts/token"], "snowflake": ["grantrole", "createuser", "alteruser", "showusers", "usage"], "vault": ["write policy", "list policies", "create secret id"],
         "gcp": ["google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion", "GenerateAccessToken", "v1.compute.firewalls.insert"]}
ACCESS = {"okta": 1.0, "entra": 1.0, "m365": 1.0, "gcp": 0.4, "github": 0.6, "kubernetes": 0.35, "snowflake": 0.4, "vault": 0.3}


def employ(tenant: Tenant, identities: int) -> List[Person]:
    dice, people = tenant.dice("people"), []
    for i in range(max(6, int(identities * tenant.habits["population"]))):
        first, last = FIRST[i % len(FIRST)], dice.pick(LAST)
        name = {"a": f"{first}.{last}", "b": f"{first[0]}{last}", "c": f"{first}{last[0]}", "d": f"{first}_{last}"}[tenant.style].lower() + (str(i // len(FIRST)) if i >= len(FIRST) else "")
        job, upn = dice.weighted(JOBS), f"{name}@{tenant.domain}"
        abroad = dice.chance(0.15)
        home = net.address(dice, "home", "" if abroad else tenant.ids["country"])
        ids, agents = _accounts(dice, tenant, name, upn, job)
        people.append(Person(name, upn, job, tenant.utc + (dice.pick([-5.5, 5.5, 3.0]) if abroad else 0.0), home, dice.chance(0.4), dice.wide(0.4, 1.0), ids, agents, dice.pick(["office", "home", "both"])))
        for product in ("okta", "entra", "m365"):
            tenant.stock[product]["upn"].append(upn)
    return people


def _accounts(dice: Dice, tenant: Tenant, name: str, upn: str, job: str) -> Tuple[Dict[str, Principal], Dict[str, str]]:
    ids: Dict[str, Principal] = {}
    agents: Dict[str, str] = {"cloudtrail": clients.client(dice, "cloudtrail", dice.pick({"clerk": ["laptop"], "security": ["laptop", "evil", "boto3"]}.get(job, ["laptop", "laptop", "laptop", "boto3", "terraform", "misc"]))), "browser": clients.browser(dice)}
    perm = PERMS[job]
    for account in dice.some(tenant.accounts, dice.randint(1, 3)) if job != "clerk" or dice.chance(0.2) else []:
        role = f"AWSReservedSSO_{perm}_{tenant.dice('perm', perm, account).hexes(16)}"
        sso = Principal("cloudtrail", "sso", role, "AROA" + tenant.dice("sso", perm, account).base32(17), account, True, {"upn": upn, "path": "aws-reserved/sso.amazonaws.com/"})
        ids["cloudtrail" if "cloudtrail" not in ids else f"cloudtrail{len(ids)}"] = sso
    if "cloudtrail" in ids and dice.chance(tenant.habits["personal_keys"] * 0.6):
        ids["key"] = Principal("cloudtrail", "user", name, "AIDA" + dice.base32(17), ids["cloudtrail"].account, True)
    for product in tenant.products[1:]:
        technical = product in ("gcp", "github", "kubernetes", "snowflake", "vault")
        if dice.chance(ACCESS[product]) and not (technical and job in ("clerk", "finance")):
            shown = {"okta": upn, "entra": upn, "m365": upn, "gcp": upn, "github": f"{name.replace('.', '-').replace('_', '-')}", "kubernetes": f"{'oidc:' if tenant.style in 'ab' else ''}{upn}", "snowflake": upn.upper() if tenant.style in "ac" else name.upper(), "vault": f"oidc-{upn}"}[product]
            ids[product] = Principal(product, "human", shown, dice.uuid(), product, True, {"upn": upn, "appid": dice.uuid(), "object": dice.uuid(), "repo": dice.pick(tenant.stock["github"]["ghrepo"])})
            agents[product] = agents["browser"] if product in ("okta", "entra", "m365") else clients.client(dice, product, "laptop")
    return ids, agents


def source_of(world: World, person: Person, t: int) -> Source:
    """Where the person sits that day: office, home, the company's VPN or a journey."""
    day = world.tenant.dice("seat", person.upn, t // DAY)
    if day.chance(world.tenant.habits["travel"]):
        return net.address(day, day.pick(["home", "isp", "vpn", "proxy"]))
    if person.style == "office" or (person.style == "both" and day.chance(0.5)):
        return day.pick(world.tenant.offices)
    if person.vpn and day.chance(0.7):
        return day.pick(world.tenant.vpn)
    return person.home if day.chance(0.97) else net.address(day, "home", person.home.country)


def _console(world: World, dice: Dice, person: Person, who: Principal, t: int) -> None:
    source, browser = source_of(world, person, t), person.agents["browser"]
    session = Session(person.upn, "ASIA" + dice.base32(16), t, "console")
    if dice.chance(0.8):
        world.act(dice, who, "signin:ConsoleLogin", t, source, browser, session, person.slots)
    for _ in range(dice.randint(1, 4)):
        page = dice.pick(DUTIES[person.job].split())
        for call in PAGES[page]:
            if dice.chance(0.75):
                for _ in range(dice.pick([1, 1, 1, 2, 4])):
                    world.act(dice, who, call, t, source, browser, session, person.slots, 0.1, "denied" if dice.chance(0.03) else "", args={"region": world.tenant.regions[0]})
                    t += dice.randint(30, 900)
        t += int(dice.wide(8, 400) * 1000)
        if dice.chance(0.12 * world.tenant.habits["clickops"]) and person.job in CHANGES:
            world.act(dice, who, dice.pick(CHANGES[person.job].split()), t, source, browser, session, person.slots, 0.5, args={"region": world.tenant.regions[0]})


def _shell(world: World, dice: Dice, person: Person, who: Principal, t: int) -> None:
    source = source_of(world, person, t)
    session = Session(person.upn if who.kind == "sso" else "", "ASIA" + dice.base32(16) if who.kind == "sso" else "AKIA" + world.tenant.dice("pk", who.label).base32(16), t, "sso" if who.kind == "sso" else "key")
    pool = [call for page in DUTIES[person.job].split() for call in PAGES[page]] + ["s3:GetObject", "s3:ListObjects", "sts:GetCallerIdentity"] * 3 + CHANGES.get(person.job, "sts:GetCallerIdentity").split()[:4]
    few = dice.some(pool, dice.randint(1, 5))
    for _ in range(int(dice.wide(1, 22))):
        world.act(dice, who, dice.pick(few), t, source, person.agents["cloudtrail"], session, person.slots, 0.08, "denied" if dice.chance(0.05) else "", args={"region": world.tenant.regions[0]})
        t += int(dice.wide(0.5, 300) * 1000)


def _other(world: World, dice: Dice, person: Person, who: Principal, t: int) -> None:
    product, source = who.product, source_of(world, person, t)
    session = Session("", world.tenant.dice("hs", who.label, product).hexes(40), t, "human")
    if product in ("snowflake", "vault"):
        world.act(dice, who, "login" if product == "snowflake" else "login oidc", t - 900, source, person.agents[product], session, person.slots)
    table = dict(ELSEWHERE[product])
    if person.job in ("platform", "security"):
        table.update({call: 0.12 for call in ADMIN.get(product, [])})
    for _ in range(int(dice.wide(1, 12))):
        world.act(dice, who, dice.weighted(table), t, source, person.agents[product], session, person.slots, 0.1, "denied" if dice.chance(0.03) else "")
        t += int(dice.wide(1, 600) * 1000)


def live_person(world: World, person: Person, scale: float) -> None:
    """All days of one human."""
    dice = world.tenant.dice("human", person.upn)
    first = int(dice.between(world.begin, world.end)) if dice.chance(world.tenant.habits["hiring"]) else world.begin
    for day in range(first - first % DAY, world.end, DAY):
        workday = (day // DAY + 3) % 7 < 5
        if not dice.chance((0.9 if workday else 0.07) * person.diligence):
            continue
        for who in person.ids.values():
            for _ in range(dice.count(scale * (0.7 if who.product == "cloudtrail" else 0.9))):
                hour = dice.gauss(13, 2.7) if not dice.chance(world.tenant.habits["night_people"]) else dice.between(18, 27)
                t = day + int((hour - person.shift) % 24 * HOUR)
                if who.product != "cloudtrail":
                    _other(world, dice, person, who, t)
                elif who.kind == "user" or dice.chance(0.45):
                    _shell(world, dice, person, who, t)
                else:
                    _console(world, dice, person, who, t)
