"""The world as it goes: events, people, and machines at work."""

import re
from datetime import datetime, timedelta, timezone
from typing import Dict, List, Optional, Tuple

from nhi_watch_lab.fourth_world import calls, model
from nhi_watch_lab.fourth_world.calls import AWS_CALLS
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, Dice, Event, Machine, Person, Place, Principal, Session, Source
from nhi_watch_lab.fourth_world.tenant import FIRST, LAST, Tenant, inside, service_source
from nhi_watch_lab.tables import table

# ---- the stage: everything done, benign or not, passes through World.act

WORDS = re.compile(r"\{(\w+)\}")
TEMPLATES = dict(calls.OTHER_CALLS_TEMPLATES, cloudtrail=calls.TEMPLATES)
SLOTS: Dict[str, Dict[str, List[str]]] = {p: {call: sorted(set(WORDS.findall(text))) for call, text in calls.items()} for p, calls in TEMPLATES.items()}
ISSUER = {"func": "lambda.amazonaws.com", "inst": "ec2.amazonaws.com", "task": "ecs-tasks.amazonaws.com", "glue": "glue.amazonaws.com", "sm": "sagemaker.amazonaws.com",
          "cfn": "cloudformation.amazonaws.com", "slr": "autoscaling.amazonaws.com"}
OPENERS = {"snowflake": "login", "vault": "login approle"}
# Calls that make a service call another one in the same name.
ON_BEHALF = {"secretsmanager:GetSecretValue": ("kms:Decrypt", "secretsmanager.amazonaws.com"), "ssm:GetParameters": ("kms:Decrypt", "ssm.amazonaws.com"), "athena:StartQueryExecution": ("glue:GetDatabases", "athena.amazonaws.com"),
             "ec2:CreateSnapshot": ("kms:CreateGrant", "ec2.amazonaws.com"), "rds:CreateDBSnapshot": ("kms:DescribeKey", "rds.amazonaws.com")}
NOBODY = -1


class World:
    """Collects events of one tenant."""

    def __init__(self, tenant: Tenant, begin: int, end: int) -> None:
        self.tenant, self.begin, self.end = tenant, begin, end
        self.events: List[Event] = []
        self.people: List[Person] = []
        self.machines: List[Machine] = []
        self._hosts: Dict[Tuple[str, int, int], Tuple[Source, str]] = {}
        self._sessions: Dict[Tuple[str, str, int], Session] = {}
        self.partners = [tenant.dice("partner", i).digits(12) for i in range(4)]
        self.data_events = tenant.habits["trail_data"] >= 0.25

    def act(self, dice: Dice, who: Principal, call: str, t: int, source: Source, agent: str, session: Session,
            own: Optional[Dict[str, List[str]]] = None, fresh: float = 0.0, error: str = "", tag: int = NOBODY, args: Optional[Dict[str, str]] = None) -> None:
        """Do one thing; what it needs comes from args, then the actor's own things, then the whole stock."""
        if not self.begin <= t < self.end or (who.product == "cloudtrail" and not self.data_events and calls.AWS_CALLS[call].data):
            return
        chosen = dict(args or {})
        stock = self.tenant.stock[who.account]
        for word in SLOTS[who.product][call]:
            if word not in chosen and stock.get(word):
                chosen[word] = self._thing(dice, stock[word], word, own, fresh)
            elif word in ("stranger", "strangerid") and word not in chosen:
                account = dice.pick(self.tenant.accounts if dice.chance(0.85) else self.partners)
                chosen[word] = account if word == "strangerid" else f"arn:aws:iam::{account}:root"
        self.events.append(Event(t, who, call, chosen, error, source, agent, session, tag))
        if call in ON_BEHALF and who.product == "cloudtrail" and not error and self.tenant.habits["customer_keys"] > 0.5:
            then, service = ON_BEHALF[call]
            self.events.append(Event(t + 90, who, then, {k: v for k, v in chosen.items() if k in ("region", "gluedb")}, "", service_source(service), service, session, tag))

    @staticmethod
    def _thing(dice: Dice, stock: List[str], word: str, own: Optional[Dict[str, List[str]]], fresh: float) -> str:
        if own is None:
            return dice.pick(stock)
        if word not in own:
            own[word] = dice.some(stock, min(len(stock), 1 + int(dice.random() ** 3 * 5)))
        if fresh and dice.chance(fresh):
            own[word].append(dice.pick(stock))
            return own[word][-1]
        return dice.early(own[word])

    def where(self, m: Machine, t: int, dice: Dice) -> Tuple[Source, str]:
        """The address and host from which the machine works at the time."""
        place, label = self.place(m, t), m.who.label
        number = int(dice.random() * place.hosts)
        epoch = (t + number * 7919 * HOUR // 13) // place.life
        key = (label + place.style, number, epoch)
        if key not in self._hosts:
            self._hosts[key] = self._host(m, self.tenant.dice("host", *key), place.style)
        source, host = self._hosts[key]
        if place.style in ("nat", "onprem", "saas", "corp"):
            source = place.fixed[number % len(place.fixed)] if place.style == "nat" else dice.early(place.fixed)
        if place.style == "runner":
            source, host = model.address(dice, "azure"), f"run{dice.randint(10**9, 10**10)}"
        return source, host

    @staticmethod
    def place(m: Machine, t: int) -> Place:
        current = m.place
        for change in m.changes:
            if change.what == "place" and change.t <= t:
                current = change.place
        return current

    @staticmethod
    def agent(m: Machine, t: int) -> str:
        current = m.agent
        for change in m.changes:
            if change.what == "client" and change.t <= t:
                current = change.agent
        return current

    def _host(self, m: Machine, dice: Dice, style: str) -> Tuple[Source, str]:
        host = "i-0" + dice.hexes(16)
        if style == "vpce":
            return inside(dice, m.who.account), host
        if style == "pods":
            return model.private(dice, "10.2"), f"{m.who.name.split(':')[-1]}-{dice.hexes(9)}-{dice.alnum(5).lower()}"
        if style == "service":
            return service_source(m.who.extra.get("service", "ec2.amazonaws.com")), host
        return model.address(dice, "aws", "", model.REGION_CITY[m.region]), host

    def session(self, m: Machine, t: int, source: Source, host: str, agent: str) -> Session:
        """The credentials in use; a new one is announced as the provider does."""
        if m.session == "key" or m.who.product != "cloudtrail":
            rotations = sum(1 for c in m.changes if c.what == "rotate" and c.t <= t)
            dice = self.tenant.dice("key", m.who.label, rotations)
            return Session(host, "AKIA" + dice.base32(16) if m.who.product == "cloudtrail" else dice.hexes(40), self.begin, "key" if m.session == "key" else m.session)
        unit = host if m.session in ("inst", "task", "gha", "ci") else ""
        key = (m.who.label, unit, t // m.span)
        if key not in self._sessions:
            dice = self.tenant.dice("session", *key)
            name = {"func": m.who.name, "inst": host, "task": dice.hexes(32), "irsa": f"{'aws-sdk-java' if 'java' in agent else 'botocore-session'}-{t // (1 if 'java' in agent else 1000)}",
                    "glue": "GlueJobRunnerSession", "sm": "SageMaker", "vendor": m.who.extra.get("vendor", ""), "gha": dice.pick(["GitHubActions", "GitHubActions", f"gha-{dice.randint(10**9, 10**10)}"]),
                    "ci": f"gitlab-{dice.randint(10**5, 10**6)}", "cfn": "AWSCloudFormation", "slr": "AutoScaling"}[m.session]
            self._sessions[key] = Session(name, "ASIA" + dice.base32(16), t - dice.randint(0, 900) * 1000, m.session)
            self.announce(dice, m, t, source, agent, self._sessions[key])
        return self._sessions[key]

    def announce(self, dice: Dice, m: Machine, t: int, source: Source, agent: str, session: Session, tag: int = NOBODY) -> None:
        """The record of the role being taken."""
        args = {"role": m.who.name, "account": m.who.account, "sname": session.name, "newkey": session.key, "aroa": m.who.id, "region": m.region}
        if m.session in ("irsa", "gha"):
            web = Principal("cloudtrail", "web", m.who.extra.get("subject", ""), m.who.id, m.who.account, False, {"role": m.who.name, "how": m.session})
            self.act(dice, web, "sts:AssumeRoleWithWebIdentity", t - 400, source, agent, session, {}, args=args, tag=tag)
        elif m.session == "vendor":
            vendor = Principal("cloudtrail", "account", m.who.extra["vendor"], "AIDA" + self.tenant.dice("v", m.who.label).base32(17), m.who.account, False, {"vendor_account": m.who.extra["vendor_account"]})
            self.act(dice, vendor, "sts:AssumeRole", t - 700, source, agent, session, {}, args=args, tag=tag)
        else:
            name = ISSUER.get(m.session, "ec2.amazonaws.com")
            self.act(dice, Principal("cloudtrail", "service", name, "", m.who.account), "sts:AssumeRole", t - 900, service_source(name), name, session, {}, args=args, tag=tag)


# ---- the humans: where they sit, what they open, and the keys they should not have

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
        home = model.address(dice, "home", "" if abroad else tenant.ids["country"])
        ids, agents = _accounts(dice, tenant, name, upn, job)
        people.append(Person(name, upn, job, tenant.utc + (dice.pick([-5.5, 5.5, 3.0]) if abroad else 0.0), home, dice.chance(0.4), dice.wide(0.4, 1.0), ids, agents, dice.pick(["office", "home", "both"])))
        for product in ("okta", "entra", "m365"):
            tenant.stock[product]["upn"].append(upn)
    return people


def _accounts(dice: Dice, tenant: Tenant, name: str, upn: str, job: str) -> Tuple[Dict[str, Principal], Dict[str, str]]:
    ids: Dict[str, Principal] = {}
    agents: Dict[str, str] = {"cloudtrail": model.client(dice, "cloudtrail", dice.pick({"clerk": ["laptop"], "security": ["laptop", "evil", "boto3"]}.get(job, ["laptop", "laptop", "laptop", "boto3", "terraform", "misc"]))), "browser": model.browser(dice)}
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
            agents[product] = agents["browser"] if product in ("okta", "entra", "m365") else model.client(dice, product, "laptop")
    return ids, agents


def source_of(world: World, person: Person, t: int) -> Source:
    """Where the person sits that day: office, home, the company's VPN or a journey."""
    day = world.tenant.dice("seat", person.upn, t // DAY)
    if day.chance(world.tenant.habits["travel"]):
        return model.address(day, day.pick(["home", "isp", "vpn", "proxy"]))
    if person.style == "office" or (person.style == "both" and day.chance(0.5)):
        return day.pick(world.tenant.offices)
    if person.vpn and day.chance(0.7):
        return day.pick(world.tenant.vpn)
    return person.home if day.chance(0.97) else model.address(day, "home", person.home.country)


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


# ---- the days of a machine: runs by its rhythm, accidents, news, and people who borrow it

ERRORS = {"cloudtrail": ["denied", "throttled", "missing", "invalid", "expired"], "kubernetes": ["denied", "missing", "conflict"], "snowflake": ["invalid", "denied"]}
DEBUG: Dict[str, List[str]] = {
    "cloudtrail": "sts:GetCallerIdentity s3:ListBuckets s3:ListObjects s3:GetObject logs:FilterLogEvents logs:DescribeLogGroups ssm:DescribeParameters ssm:GetParameter secretsmanager:ListSecrets secretsmanager:GetSecretValue iam:GetRole iam:ListAttachedRolePolicies ec2:DescribeInstances sqs:GetQueueAttributes dynamodb:Scan kms:DescribeKey glue:GetTables athena:StartQueryExecution lambda:GetFunction20150331v2 cloudformation:DescribeStackEvents".split(),
    "kubernetes": ["list pods", "get pods/log", "create pods/exec", "get deployments", "list events", "get configmaps", "get secrets", "create selfsubjectaccessreviews", "list secrets", "patch deployments"],
    "gcp": ["ListProjects", "storage.buckets.list", "storage.objects.list", "storage.objects.get", "GetIamPolicy", "google.logging.v2.LoggingServiceV2.ListLogEntries", "google.cloud.bigquery.v2.JobService.Query"],
    "snowflake": ["login", "select", "showtables", "infoschema", "aggregate", "dump", "showgrants"],
    "vault": ["login approle", "lookup self", "read kv", "list kv", "list root", "read policy"],
    "github": ["git.clone", "git.fetch", "api.request", "repo.download_zip", "git.push"],
}


def local(world: World, t: int) -> datetime:
    return datetime.fromtimestamp(t / 1000, timezone.utc) + timedelta(hours=world.tenant.utc)


def runs(world: World, m: Machine, day: int, dice: Dice) -> List[int]:
    """Moments at which the machine sets to work on the day."""
    beat, noon = m.rhythm, local(world, day + 12 * HOUR)
    weekend = noon.weekday() > 4
    fixed = day + int((beat.hour - world.tenant.utc) % 24 * HOUR) + int(dice.gauss(0, 1) * MINUTE)
    if beat.style == "steady":
        gap = DAY / beat.per_day
        phase = gap * (len(m.who.label) * 37 % 100) / 100
        return [day + int((phase + gap * i) % DAY + dice.gauss(0, 0.02) * gap) for i in range(int(round(beat.per_day)))]
    if beat.style == "hourly":
        return [day + int((i * 24 / beat.per_day + beat.hour % 1) * HOUR) + dice.randint(0, 40) * 1000 for i in range(int(beat.per_day))]
    if beat.style in ("office", "deploy"):
        quiet = {"retailer": 0.8, "hospital": 0.6}.get(world.tenant.industry, 0.15) if beat.style == "office" else 0.06
        return [day + int((max(0.0, dice.gauss(13.0, 2.9)) - world.tenant.utc) % 24 * HOUR) for _ in range(dice.count(beat.per_day * (quiet if weekend else 1.0)))]
    if beat.style == "batch":
        return [day + int(dice.random() * DAY) for _ in range(dice.count(beat.per_day))]
    due = {"weekly": noon.weekday() == beat.weekday, "monthly": noon.day == beat.monthday, "quarter": noon.day in (beat.monthday, beat.monthday + 1) and noon.month % 3 == 0}
    return [fixed] if due.get(beat.style, True) else []


def expected(m: Machine) -> float:
    """Runs a day."""
    return {"steady": m.rhythm.per_day, "hourly": m.rhythm.per_day, "office": m.rhythm.per_day, "deploy": m.rhythm.per_day, "batch": m.rhythm.per_day,
            "weekly": 0.14, "monthly": 0.05, "quarter": 0.05}.get(m.rhythm.style, 1.0)


def work(world: World, dice: Dice, m: Machine, t: int, calls: List[str], fresh: float = 0.0, error: float = 0.0, moved: bool = False, region: str = "") -> None:
    """One run: the calls in turn from one host with one session."""
    source, host = world.where(m, t, dice)
    if moved and m.place.style not in ("service", "pods", "vpce"):
        source = model.address(dice, "aws" if m.place.style in ("nat", "hosts", "aws") else dice.pick(["azure", "isp", "hosting"]))
    agent = world.agent(m, t)
    session = world.session(m, t, source, host, agent)
    gap = 40 + int(world.tenant.dice("gap", m.who.label).wide(0.03, 25) * 1000)
    failing = m.failing if t >= max([c.t for c in m.changes if c.what == "fail"], default=0) else 0.0
    opener = OPENERS.get(m.who.product)
    if opener:
        world.act(dice, m.who, "login kubernetes" if m.session == "k8s" else opener, t - 900, source, agent, session, m.slots, error="denied" if error > 0.9 else "")
    for call in calls:
        wrong = ""
        if (failing and call == m.mix[0][0] and dice.chance(failing)) or dice.chance(error):
            wrong = "denied"
        elif dice.chance(world.tenant.habits["errors"]):
            wrong = dice.pick(ERRORS.get(m.who.product, ["denied"]))
        args = {"host": host, "region": region or m.region}
        world.act(dice, m.who, call, t, source, agent, session, m.slots, fresh, wrong, args=args)
        t += int(gap * dice.wide(0.4, 2.5))


def _usual(m: Machine, dice: Dice, t: int, count: int) -> List[str]:
    calls = list(m.mix)
    for change in m.changes:
        if change.what == "calls" and change.t <= t:
            calls += [(call, 0.6) for call in change.calls]
    if m.ordered:
        turn = [call for call, weight in calls for _ in range(max(1, int(weight)))]
        return [turn[i % len(turn)] for i in range(count)]
    table = dict(calls)
    return [dice.weighted(table) for _ in range(count)]


def _news(world: World, dice: Dice, m: Machine, day: int, size: int) -> None:
    """Something the machine has not done before, for a good reason."""
    t, what = day + int(dice.random() * DAY), dice.pick(["rare", "rare", "fresh", "burst", "odd", "region", "errors", "moved", "tour"])
    usual = _usual(m, dice, t, max(1, size))
    if what == "rare" and m.rare:
        work(world, dice, m, t, usual[:3] + [dice.pick(m.rare) for _ in range(dice.randint(1, 4))] + usual[3:5])
    elif what == "burst":
        work(world, dice, m, t, _usual(m, dice, t, int(size * dice.wide(4, 30)) % 600), fresh=0.1)
    elif what == "tour":
        family = [c for c in _kin(m) if c not in dict(m.mix)]
        work(world, dice, m, t, usual[:2] + dice.some(family, dice.randint(1, 5)), fresh=0.5, error=dice.pick([0.0, 0.0, 0.5]))
    else:
        work(world, dice, m, t, usual, 0.6 if what == "fresh" else 0.0, 0.7 if what == "errors" else 0.0, what == "moved",
             dice.pick(list(model.REGION_CITY)) if what == "region" else "")


def _kin(m: Machine) -> List[str]:
    """Read calls of the services the machine already uses."""
    if m.who.product != "cloudtrail":
        return m.rare or [call for call, _ in m.mix]
    services = {call.split(":")[0] for call, _ in m.mix}
    return [name for name, call in AWS_CALLS.items() if call.service in services and not call.write and not name.startswith("sts:Assume")]


def live(world: World, m: Machine) -> None:
    """All days of one machine."""
    dice, size = world.tenant.dice("life", m.who.label), m.volume / expected(m)
    for day in range(world.begin, world.end, DAY):
        for t in runs(world, m, day, dice):
            if m.born <= t < m.dies and not (m.rhythm.style in ("steady", "office") and dice.chance(0.04)):
                count = max(1, dice.count(size * (dice.around(1.0, 0.5) if m.rhythm.style != "steady" else 1.0)))
                calls = _usual(m, dice, t, count)
                if m.rhythm.style == "deploy" and m.rare and dice.chance(0.12):
                    calls.insert(len(calls) // 2, dice.pick(m.rare))
                work(world, dice, m, t, calls, fresh=0.02 if m.rhythm.style == "deploy" else 0.002)
        if m.born <= day < m.dies:
            if dice.chance(min(0.3, m.novelty)):
                _news(world, dice, m, day, int(size))
            elif dice.chance(world.tenant.habits["bursts"]):
                t = day + int(dice.random() * DAY)
                work(world, dice, m, t, _usual(m, dice, t, min(400, int(m.volume * dice.wide(1, 8)) + 1)), fresh=0.05)


def borrowed(dice: Dice, world: World, person: Person, m: Machine, t: int) -> Optional[Session]:
    """The session of a person who uses the machine's identity; the taking of a role is recorded."""
    source = source_of(world, person, t)
    if m.who.product != "cloudtrail" or m.session == "key":
        return world.session(m, t, source, "", person.agents.get(m.who.product, ""))
    taker = person.ids.get("cloudtrail")
    if taker is None:
        return None
    session = Session(dice.pick([person.name, person.upn, f"{person.name}-debug", f"botocore-session-{t // 1000}"]), "ASIA" + dice.base32(16), t, "role")
    args = {"role": m.who.name, "account": m.who.account, "sname": session.name, "newkey": session.key, "aroa": m.who.id, "region": m.region}
    own = Session(person.upn, "ASIA" + dice.base32(16), t - dice.randint(60, 3000) * 1000, "sso" if taker.kind == "sso" else "key")
    world.act(dice, taker, "sts:AssumeRole", t - 1500, source, person.agents["cloudtrail"], own, {}, args=args)
    return session


def debug(world: World, day: int) -> None:
    """On-call people and developers at work with machines' roles and keys."""
    dice = world.tenant.dice("debug", day)
    able = [m for m in world.machines if m.who.product in DEBUG and m.born <= day < m.dies and m.session not in ("slr", "cfn", "vendor")]
    if dice.chance(0.05):
        _verify_keys(world, dice, day + int(dice.random() * DAY), [m for m in able if m.who.kind == "user"])
    favourites = [m for m in able if m.debugged] or able
    for _ in range(dice.count(world.tenant.habits["debugging"]) + (dice.randint(3, 9) if dice.chance(0.05) else 0)):
        m = dice.pick(favourites if dice.chance(0.7) else able)
        person = dice.pick([p for p in world.people if p.job in ("platform", "developer", "data")] or world.people)
        hour = dice.gauss(14, 3) if dice.chance(0.8) else dice.between(0, 24)
        t = day + int((hour - person.shift) % 24 * HOUR)
        session = borrowed(dice, world, person, m, t)
        if session is None or m.who.product not in person.agents:
            continue
        pool = DEBUG[m.who.product] + [call for call, _ in m.mix] * 3
        for i in range(int(dice.wide(2, 30))):
            call = dice.pick(pool) if i else DEBUG[m.who.product][0]
            world.act(dice, m.who, call, t, source_of(world, person, t), person.agents[m.who.product], session, m.slots, 0.3, "denied" if dice.chance(0.08) else "", args={"region": m.region})
            t += int(dice.wide(2, 240) * 1000)


def _verify_keys(world: World, dice: Dice, t: int, keys: List[Machine]) -> None:
    """The security team's search for leaked secrets tries each key it finds."""
    agent, source = dice.pick(["TruffleHog", "gitleaks-verify/1.2", "python-requests/2.31.0"]), dice.pick(world.tenant.nats[world.tenant.accounts[0]])
    for m in dice.some(keys, dice.randint(1, 8)):
        world.act(dice, m.who, "sts:GetCallerIdentity", t, source, agent, world.session(m, t, source, "", agent), {}, args={"region": "us-east-1"})
        t += dice.randint(200, 90_000)
