"""The humans: consoles by day, own keys, kubectl, pushes, on-call nights and incident days."""
from dataclasses import replace
from typing import List

from .addresses import address
from .aws_log import console_login, federated_block, role_block, user_block
from .clients import Client
from .life import act, debug, office_time, sweep_ops
from .model import Account, Credential, Identity, Person, World
from .other_machines import directory
from .rand import B62, DAY, HOUR, Rand
from .sessions import LASTING, by_hand

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
