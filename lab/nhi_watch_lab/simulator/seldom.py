"""Words of intruders in honest mouths: a person says each of them once a month, an account hears some every week."""

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice, Pool
from nhi_watch_lab.simulator.machines import Activity, Rhythm, Step
from nhi_watch_lab.simulator.records import Detail, Template, denied, template
from nhi_watch_lab.simulator.shapes import Shape, s3_copy
from nhi_watch_lab.simulator.world import WORDS, World


def _host(world: World, d: Dice, region: str) -> Detail:
    return Detail({"instanceId": d.pick(world.instances)})


def _user_data(world: World, d: Dice, region: str) -> Detail:
    return Detail({"instanceId": d.pick(world.instances), "attribute": "userData"})


def _parameters(world: World, d: Dice, region: str) -> Detail:
    names = [f"/{d.pick(world.envs)}/{d.pick(WORDS)}/{d.pick(['password', 'url'])}" for _ in range(d.between(1, 10))]
    return Detail({"names": names, "withDecryption": True})


def _copy(world: World, d: Dice, region: str) -> Detail:
    return s3_copy(world, d, region, d.pick(world.buckets), f"{d.pick(WORDS)}/{d.hexes(8)}", d.pick(world.keys))


def _mail(world: World, d: Dice, region: str) -> Detail:
    return Detail({"emailAddress": f"news@{d.pick(WORDS)}-{d.hexes(3)}.example"})


def _token(world: World, d: Dice, region: str) -> Detail:
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    return Detail({"name": d.pick(["reporting", "sync", "export"]), "durationSeconds": 3600, "policy": policy})


def _ssh(world: World, d: Dice, region: str) -> Detail:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
    return Detail({"instanceId": d.pick(world.instances), "instanceOSUser": "ec2-user", "sSHPublicKey": key})


def _open(world: World, d: Dice, region: str) -> Detail:
    block = dict.fromkeys(("BlockPublicPolicy", "RestrictPublicBuckets", "BlockPublicAcls", "IgnorePublicAcls"), True)
    name = d.pick(world.buckets)
    return Detail({"bucketName": name, "publicAccessBlock": "", "PublicAccessBlockConfiguration": block})


def _anchor(world: World, d: Dice, region: str) -> Detail:
    data = {"x509CertificateData": "-----BEGIN CERTIFICATE-----\nMIIE3zCCAsegAwIBAgIJAOZL"}
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data}
    return Detail({"enabled": True, "name": f"{d.pick(WORDS)}-ca", "source": source})


def _profile(world: World, d: Dice, region: str) -> Detail:
    role = world.arn("iam", f"role/{world.role_name(d.pick(WORDS), d.pick(world.envs), 'app')}")
    name = f"{d.pick(WORDS)}-profile"
    return Detail({"durationSeconds": 3600, "enabled": True, "name": name, "roleArns": [role]})


def _model(world: World, d: Dice, region: str) -> Detail:
    return Detail({"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0"})


SELDOM: dict[str, Shape] = {
    "ec2:GetPasswordData": _host,
    "ec2:DescribeInstanceAttribute": _user_data,
    "ssm:GetParameters": _parameters,
    "s3:CopyObject": _copy,
    "ses:VerifyEmailIdentity": _mail,
    "sts:GetFederationToken": _token,
    "ec2-instance-connect:SendSSHPublicKey": _ssh,
    "ssm:StartSession": lambda w, d, r: Detail({"target": d.pick(w.instances)}),
    "s3:PutBucketPublicAccessBlock": _open,
    "rolesanywhere:CreateTrustAnchor": _anchor,
    "rolesanywhere:CreateProfile": _profile,
    "bedrock:PutUseCaseForModelAccess": lambda w, d, r: Detail({"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
    "bedrock:PutFoundationModelEntitlement": _model,
    "cloudtrail:DeleteTrail": lambda w, d, r: Detail({"name": f"{w.trail}-{d.pick(WORDS)}"}),
    "ses:PutAccountSuppressionAttributes": lambda w, d, r: Detail({"suppressedReasons": ["BOUNCE"]}),
    "bedrock:CreateFoundationModelAgreement": lambda w, d, r: Detail(
        {"modelId": "amazon.titan-embed-text-v2:0", "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    ),
    "bedrock:GetFoundationModelAvailability": lambda w, d, r: Detail({"maxResults": 100}),
    "ssm:GetCommandInvocation": lambda w, d, r: Detail({"commandId": d.uuid(), "instanceId": d.pick(w.instances)}),
    "bedrock:DeleteModelInvocationLoggingConfiguration": lambda w, d, r: Detail(),
}
"""Action → what an honest call of it says."""


def seldom(world: World, d: Dice, names: list[str]) -> list[Template]:
    """A template of each of some of the SELDOM."""
    return [template(world.account, world.home, name, SELDOM[name](world, d, world.home)) for name in names]


def now_and_then(world: World, d: Dice, who: str) -> Activity:
    """A person's or a pipeline's own few of them, every week or two; some are refused. `who`: the caller's ARN."""
    calls = [call for name in d.some(list(SELDOM), d.between(1, 5)) for call in seldom(world, d, [name] * 3)]
    calls = [denied(call, who) if d.chance(0.3) else call for call in calls]
    return Activity(Rhythm("burst", d.lognormal(0.12, 0.7)), [Step(Pool(calls), 2, 30)], scale=False)
