"""The register of techniques, and those that look, collect and get in."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nhi_watch.simulator import writes
from nhi_watch.simulator.catalogue import READS, WRITES, actions
from nhi_watch.simulator.machines import HOUR, Machine
from nhi_watch.simulator.raid import Raid
from nhi_watch.simulator.records import Detail, failed
from nhi_watch.simulator.shapes import s3_object, secret
from nhi_watch.simulator.world import WORDS

Act = Callable[[Raid], None]


class Technique(NamedTuple):
    """One way to misuse an identity."""

    name: str
    act: Act
    mitre: str
    tactics: tuple[str, ...]
    fits: Callable[[Machine], bool]


REGISTER: dict[str, Technique] = {}
"""All techniques by name, in the order of definition."""


def technique(mitre: str, tactics: str, fits: Callable[[Machine], bool] = lambda m: True) -> Callable[[Act], Act]:
    """Registers a technique under its function's name."""

    def add(act: Act) -> Act:
        REGISTER[act.__name__] = Technique(act.__name__, act, mitre, tuple(tactics.split()), fits)
        return act

    return add


def _calls(machine: Machine, action: str) -> bool:
    return any(t.action == action for a in machine.activities for s in a.steps for t in s.pool.items)


@technique("T1078.004", "discovery")
def key_validation(raid: Raid) -> None:
    """Does it still work? Nothing else."""
    for _ in range(raid.few(3)):
        raid.do("sts:GetCallerIdentity")
        raid.wait(1800)


@technique("T1087.004", "discovery")
def recon_burst(raid: Raid) -> None:
    """Everything that can be listed, at once."""
    raid.do("sts:GetCallerIdentity")
    for action in raid.dice.some(actions(READS), raid.few(40)):
        raid.do(action)


@technique("T1580", "discovery")
def slow_discovery(raid: Raid) -> None:
    """A call every 20 minutes over a day or two."""
    names = raid.dice.some("iam:ListUsers iam:ListRoles s3:ListBuckets ec2:DescribeInstances secretsmanager:ListSecrets kms:ListKeys iam:ListPolicies lambda:ListFunctions20150331 rds:DescribeDBInstances ec2:DescribeSnapshots".split(), raid.few(9))
    for number in range(raid.dice.between(30, 90)):
        raid.clock += 1200 + raid.dice.between(-40, 40)
        raid.clock -= 48 if raid.quiet < 0.5 else 8
        raid.do(names[number % len(names)])


@technique("T1580", "discovery")
def permission_probing(raid: Raid) -> None:
    """What may it do? Most of it, nothing."""
    for action in raid.dice.some(actions(READS) + actions(WRITES), raid.few(35)):
        (raid.do if raid.dice.chance(0.15) else raid.refused)(action)


@technique("T1555.006", "credential-access", lambda m: bool(m.secrets))
def secrets_harvest(raid: Raid) -> None:
    """All secrets instead of its own."""
    if raid.dice.chance(raid.quiet):
        raid.do("secretsmanager:ListSecrets", Detail({"maxResults": 100}))
    for name in raid.dice.some(raid.world.secrets, raid.few(18)):
        raid.do("secretsmanager:GetSecretValue", secret(raid.world, name, raid.victim.region))


@technique("T1555.006", "credential-access")
def ssm_parameters(raid: Raid) -> None:
    """SecureString parameters by the ten."""
    for number in range(raid.few(5)):
        if number % 2 == 0:
            raid.do("ssm:DescribeParameters", Detail({"maxResults": 10}))
        names = [f"/{raid.dice.pick(raid.world.envs)}/{raid.dice.pick(WORDS)}/password" for _ in range(10)]
        raid.do("ssm:GetParameters", Detail({"names": names, "withDecryption": True}))


@technique("T1552", "credential-access")
def password_data(raid: Raid) -> None:
    """Windows passwords of instances, mostly refused."""
    for _ in range(raid.few(30)):
        detail = Detail({"instanceId": raid.dice.pick(raid.world.instances)})
        (raid.do if raid.dice.chance(0.3) else raid.refused)("ec2:GetPasswordData", detail)


@technique("T1552.005", "credential-access lateral-movement", lambda m: m.session == "instance")
def instance_credentials(raid: Raid) -> None:
    """The instance role's session looks around and works elsewhere."""
    raid.do("sts:GetCallerIdentity")
    for _ in range(raid.few(4)):
        raid.do("ec2:DescribeInstances", Detail({"instancesSet": {}, "filterSet": {}}))
    raid.as_usual(raid.few(15))


@technique("T1550.001", "lateral-movement", lambda m: m.session in ("instance", "sdk", "web", "lambda"))
def session_elsewhere(raid: Raid) -> None:
    """A session does its usual work, and a little more, in other hands."""
    raid.as_usual(raid.few(30))
    raid.do(raid.dice.pick(["s3:ListBuckets", "iam:ListRoles", "sts:GetCallerIdentity", "ec2:DescribeInstances"]))


@technique("T1078.004", "initial-access", lambda m: m.kind == "user")
def key_in_two_places(raid: Raid) -> None:
    """One key from two networks in the same hour."""
    for _ in range(raid.few(4)):
        raid.as_usual(raid.few(12))
        raid.wait(900)
        if raid.origin == "external":
            raid.move()
    raid.do(raid.dice.pick(["s3:ListBuckets", "iam:GetUser", "sts:GetCallerIdentity"]))


@technique("T1078.004", "initial-access discovery", lambda m: m.archetype == "sleeper")
def dormant_key(raid: Raid) -> None:
    """A key that slept for weeks wakes up."""
    raid.do("sts:GetCallerIdentity")
    raid.as_usual(raid.few(10))
    raid.all_of("iam:GetUser iam:ListAttachedUserPolicies s3:ListBuckets ec2:DescribeInstances")


@technique("T1552.005", "discovery")
def user_data_download(raid: Raid) -> None:
    """Start-up scripts of instances, for the secrets in them."""
    for _ in range(raid.few(16)):
        detail = Detail({"instanceId": raid.dice.pick(raid.world.instances), "attribute": "userData"})
        (raid.refused if raid.dice.chance(0.3) else raid.do)("ec2:DescribeInstanceAttribute", detail)


@technique("T1530", "collection exfiltration", lambda m: _calls(m, "s3:GetObject"))
def bucket_download(raid: Raid) -> None:
    """A reader of some objects reads a great many."""
    world, d = raid.world, raid.dice
    bucket = d.pick(raid.victim.buckets or world.buckets) if d.chance(0.4) else d.pick(world.buckets)
    if d.chance(raid.quiet):
        raid.do("s3:ListBuckets")
    raid.do("s3:ListObjects", Detail({"bucketName": bucket, "list-type": "2", "prefix": ""}))
    for _ in range(raid.few(400)):
        key = f"{d.pick(WORDS)}/{d.between(2019, 2025)}/{d.hexes(8)}.csv"
        raid.send(raid.made("s3:GetObject", s3_object(world, d, raid.victim.region, bucket, key)), 1)


@technique("T1550.001", "privilege-escalation lateral-movement", lambda m: m.session != "ci")
def role_hopping(raid: Raid) -> None:
    """From role to role, as far as trust reaches."""
    hosts = [m for m in raid.tenant.machines if m.kind == "role" and m.session in ("sdk", "lambda") and m is not raid.victim]
    for target in raid.dice.some(hosts, raid.few(5)):
        detail = Detail({"roleArn": target.arn, "roleSessionName": f"session-{raid.dice.between(10**9, 10**10 - 1)}"})
        (raid.refused if raid.dice.chance(0.5) else raid.do)("sts:AssumeRole", detail)
    raid.do("sts:GetCallerIdentity")


@technique("T1078.004", "initial-access credential-access", lambda m: m.session == "ci")
def ci_token_misuse(raid: Raid) -> None:
    """A pipeline's token reads what no deploy needs."""
    raid.do("sts:GetCallerIdentity")
    for name in raid.dice.some(raid.world.secrets, raid.few(6)):
        raid.do("secretsmanager:GetSecretValue", secret(raid.world, name, raid.world.home))
    if raid.dice.chance(raid.quiet):
        raid.do("ecr:GetAuthorizationToken")
        raid.do("lambda:GetFunction20150331v2")


@technique("T1496", "discovery resource-hijacking impact")
def model_hijack(raid: Raid) -> None:
    """Probe, unlock, then invoke models on the victim's bill (facts: LLMjacking chain)."""
    d, regions = raid.dice, raid.dice.some(["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"], raid.few(4))
    model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    raid.all_of("sts:GetCallerIdentity bedrock:ListFoundationModels bedrock:GetFoundationModelAvailability bedrock:GetModelInvocationLoggingConfiguration")
    for region in regions:
        probe = raid.made("bedrock:InvokeModel", Detail({"modelId": model}), region)
        raid.send(failed(probe, "ValidationException", "max_tokens_to_sample: -1 is not greater than or equal to 0"))
        if d.chance(raid.quiet * 0.5):
            raid.do("bedrock:PutUseCaseForModelAccess", Detail({"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"}), region)
            raid.do("bedrock:CreateFoundationModelAgreement", Detail({"modelId": model, "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}), region)
            raid.do("bedrock:PutFoundationModelEntitlement", Detail({"modelId": model}), region)
        for _ in range(raid.few(40)):
            raid.send(raid.made(d.pick(["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:Converse"]), Detail({"modelId": model}), region), 3)
    if d.chance(raid.quiet * 0.4):
        raid.do("bedrock:DeleteModelInvocationLoggingConfiguration", Detail())


@technique("T1528", "persistence", lambda m: m.kind == "user")
def federation_token(raid: Raid) -> None:
    """A federated session outlives the key."""
    name = raid.dice.pick(["reporting", "sync", "export"])
    detail = Detail({"name": name, "durationSeconds": 129600, "policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'})
    raid.do("sts:GetFederationToken", detail)
    raid.wait(HOUR / 2)
    principal = f"{raid.world.account}:{name}"
    arn = raid.world.arn("sts", f"federated-user/{name}")
    issuer = {"type": "IAMUser", "principalId": raid.victim.principal, "arn": raid.victim.arn, "accountId": raid.world.account, "userName": raid.victim.arn.rsplit("/", 1)[1]}
    context = {"sessionIssuer": issuer, "attributes": {"creationDate": raid.tenant.date(raid.day) + "T08:00:00Z", "mfaAuthenticated": "false"}}
    raid.become({"type": "FederatedUser", "principalId": principal, "arn": arn, "accountId": raid.world.account, "accessKeyId": raid.dice.ident("ASIA", 16), "sessionContext": context}, arn, principal)
    raid.all_of("s3:ListBuckets ec2:DescribeInstances secretsmanager:ListSecrets")


@technique("T1078.004", "initial-access persistence")
def console_login(raid: Raid) -> None:
    """A user with a password, and a console session without MFA."""
    name, principal = f"{raid.dice.pick(WORDS)}.{raid.dice.pick(['adm', 'ops', 'dev'])}", raid.dice.ident("AIDA")
    arn = raid.world.arn("iam", f"user/{name}")
    raid.do("iam:CreateLoginProfile", Detail({"userName": name, "passwordResetRequired": False}, {"loginProfile": {"userName": name, "passwordResetRequired": False}}))
    raid.wait(600)
    raid.become({"type": "IAMUser", "principalId": principal, "arn": arn, "accountId": raid.world.account, "userName": name}, arn, principal)
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    raid.do("signin:ConsoleLogin", Detail(None, {"ConsoleLogin": "Success"}, extra=extra), "us-east-1")


@technique("T1098.001", "persistence")
def backdoor_key(raid: Raid) -> None:
    """A key for another user, and its use."""
    users = [m for m in raid.tenant.machines if m.kind == "user" and m is not raid.victim and m.key_on(raid.day)]
    name, arn, principal = f"svc-{raid.dice.pick(WORDS)}", "", raid.dice.ident("AIDA")
    arn = raid.world.arn("iam", f"user/{name}")
    if users and raid.dice.chance(0.5):
        target = raid.dice.pick(users)
        name, arn, principal = target.arn.rsplit("/", 1)[1], target.arn, target.principal
    key = raid.dice.ident("AKIA", 16)
    raid.do("iam:CreateAccessKey", writes.create_key(name, key))
    raid.wait(HOUR)
    raid.become_user(arn, principal, key)
    raid.all_of("sts:GetCallerIdentity s3:ListBuckets")


@technique("T1078.004", "collection", lambda m: m.volume > 0.3)
def ordinary_use(raid: Raid) -> None:
    """Its own calls, its own network and agent, a little more of them: nothing in the log differs."""
    raid.as_usual(raid.few(6))
