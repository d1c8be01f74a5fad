"""Techniques that spend, log in, and go on as somebody else."""

from __future__ import annotations

from nhi_watch_lab.simulator import writes
from nhi_watch_lab.simulator.identities import federated_user, iam_user
from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.raid import Raid
from nhi_watch_lab.simulator.records import Detail, failed
from nhi_watch_lab.simulator.register import technique
from nhi_watch_lab.simulator.shapes import model_call
from nhi_watch_lab.simulator.world import WORDS


@technique("T1496", "discovery resource-hijacking impact")
def model_hijack(raid: Raid) -> None:
    """Probe, unlock, then invoke models on the victim's bill (facts: LLMjacking chain)."""
    d, regions = (
        raid.dice,
        raid.dice.some(["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"], raid.few(4)),
    )
    model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    raid.all_of(
        "sts:GetCallerIdentity bedrock:ListFoundationModels bedrock:GetFoundationModelAvailability bedrock:GetModelInvocationLoggingConfiguration"  # noqa: E501
    )
    for region in regions:
        probe = raid.made("bedrock:InvokeModel", model_call(raid.world, d, region, model), region)
        raid.send(
            failed(probe, "ValidationException", "max_tokens_to_sample: -1 is not greater than or equal to 0")
        )
        if d.chance(raid.quiet * 0.5):
            raid.do(
                "bedrock:PutUseCaseForModelAccess",
                Detail({"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                region,
            )
            raid.do(
                "bedrock:CreateFoundationModelAgreement",
                Detail({"modelId": model, "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                region,
            )
            raid.do("bedrock:PutFoundationModelEntitlement", Detail({"modelId": model}), region)
        for _ in range(raid.few(40)):
            raid.send(
                raid.made(
                    d.pick(
                        ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:Converse"]
                    ),
                    model_call(raid.world, d, region, model),
                    region,
                ),
                3,
            )
    if d.chance(raid.quiet * 0.4):
        raid.do("bedrock:DeleteModelInvocationLoggingConfiguration", Detail())


@technique("T1528", "persistence", lambda m: m.kind == "user")
def federation_token(raid: Raid) -> None:
    """A federated session outlives the key."""
    name = raid.dice.pick(["reporting", "sync", "export"])
    detail = Detail(
        {
            "name": name,
            "durationSeconds": 129600,
            "policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        }
    )
    raid.do("sts:GetFederationToken", detail)
    raid.wait(HOUR / 2)
    issuer = iam_user(raid.victim.arn, raid.victim.principal, "")
    created = raid.tenant.date(raid.day) + "T08:00:00Z"
    session = federated_user(issuer, name, raid.dice.ident("ASIA", 16), created)
    raid.become(session, session["arn"], session["principalId"])
    raid.all_of("s3:ListBuckets ec2:DescribeInstances secretsmanager:ListSecrets")


@technique("T1078.004", "initial-access persistence")
def console_login(raid: Raid) -> None:
    """A user with a password, and a console session without MFA."""
    name, principal = (
        f"{raid.dice.pick(WORDS)}.{raid.dice.pick(['adm', 'ops', 'dev'])}",
        raid.dice.ident("AIDA"),
    )
    arn = raid.world.arn("iam", f"user/{name}")
    raid.do("iam:CreateLoginProfile", writes.login_profile(name, False))
    raid.wait(600)
    raid.become(
        {
            "type": "IAMUser",
            "principalId": principal,
            "arn": arn,
            "accountId": raid.world.account,
            "userName": name,
        },
        arn,
        principal,
    )
    raid.browse()
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    raid.do("signin:ConsoleLogin", Detail(None, {"ConsoleLogin": "Success"}, extra=extra), "us-east-1")


@technique("T1098.001", "persistence")
def backdoor_key(raid: Raid) -> None:
    """A key for another user, and its use."""
    users = [
        m for m in raid.tenant.machines if m.kind == "user" and m is not raid.victim and m.key_on(raid.day)
    ]
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
