"""Techniques: harm, misuse of trust, persistence, and the others."""

from __future__ import annotations

from nhi_watch_lab.simulator import shapes
from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.machines import HOUR, Machine, federated_user, iam_user, issued
from nhi_watch_lab.simulator.raid import Raid, technique
from nhi_watch_lab.simulator.records import READS, WRITES, Detail, actions, failed
from nhi_watch_lab.simulator.shapes import model_call, policy, s3_copy, s3_listing, s3_object, secret

# ---- techniques that hide, run code, share and destroy

_BIG = ["g4dn.12xlarge", "p3.8xlarge", "c6i.24xlarge", "p2.xlarge", "g5.24xlarge", "c5.18xlarge"]


def _snapshot(raid: Raid) -> str:
    return f"snap-0{raid.dice.hexes(16)}"


def _host(raid: Raid) -> str:
    return raid.dice.pick(raid.world.instances)


@technique("T1562.008", "defense-evasion")
def trail_delete(raid: Raid) -> None:
    """The trail is gone."""
    if raid.dice.chance(raid.quiet):
        raid.do("cloudtrail:DescribeTrails")
    raid.do("cloudtrail:DeleteTrail", Detail({"name": raid.world.trail}), raid.world.home)


@technique("T1562.008", "defense-evasion")
def trail_stop(raid: Raid) -> None:
    """The trail stops."""
    if raid.dice.chance(raid.quiet):
        raid.do("cloudtrail:DescribeTrails")
    raid.do("cloudtrail:StopLogging", Detail({"name": raid.world.trail}), raid.world.home)


@technique("T1562.008", "defense-evasion")
def trail_selectors(raid: Raid) -> None:
    """The trail no longer sees management events."""
    detail = shapes.event_selectors(raid.world.trail, "ReadOnly", False)
    raid.do("cloudtrail:PutEventSelectors", detail, raid.world.home)


@technique("T1562.008", "defense-evasion")
def leave_organization(raid: Raid) -> None:
    """Out of the organisation's guard rails; usually refused."""
    (raid.refused if raid.dice.chance(0.7) else raid.do)("organizations:LeaveOrganization", Detail())


@technique("T1562.008", "defense-evasion")
def flow_logs_delete(raid: Raid) -> None:
    """No more flow logs."""
    for _ in range(raid.few(3)):
        raid.do(
            "ec2:DeleteFlowLogs",
            Detail({"DeleteFlowLogsRequest": {"FlowLogId": {"content": f"fl-0{raid.dice.hexes(16)}", "tag": 1}}}),
        )


@technique("T1496.001", "execution impact")
def unusual_instances(raid: Raid) -> None:
    """Large machines over several regions, for mining."""
    others = raid.dice.some(
        ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1", "eu-central-1", "us-east-2"], raid.few(6)
    )
    for region in others:
        detail = shapes.run_instances(raid.dice, raid.dice.pick(_BIG), raid.few(20), raid.dice.chance(0.6))
        (raid.refused if raid.dice.chance(0.3) else raid.do)("ec2:RunInstances", detail, region)


@technique("T1059", "execution privilege-escalation")
def user_data_execution(raid: Raid) -> None:
    """Stop, change the start-up script, start."""
    host = _host(raid)
    items = Detail({"instancesSet": {"items": [{"instanceId": host}]}, "force": True})
    raid.do("ec2:StopInstances", items)
    raid.do(
        "ec2:ModifyInstanceAttribute",
        Detail({"instanceId": host, "userData": "<sensitiveDataRemoved>"}, {"_return": True}),
    )
    raid.do("ec2:StartInstances", Detail({"instancesSet": {"items": [{"instanceId": host}]}}))


@technique("T1651", "execution lateral-movement")
def remote_command(raid: Raid) -> None:
    """A shell script on hosts, by SSM."""
    hosts = raid.dice.some(raid.world.instances, raid.few(4))
    if raid.dice.chance(raid.quiet):
        raid.do("ssm:DescribeInstanceInformation", Detail({"filters": [{"key": "InstanceIds", "values": hosts}]}))
    raid.do("ssm:SendCommand", shapes.send_command(raid.dice, hosts))
    for host in hosts[: raid.few(4)]:
        raid.do("ssm:GetCommandInvocation", Detail({"commandId": raid.dice.uuid(), "instanceId": host}))


@technique("T1021.007", "lateral-movement", lambda m: True)
def remote_session(raid: Raid) -> None:
    """An interactive session or a pushed SSH key on a host."""
    for _ in range(raid.few(3)):
        if raid.dice.chance(0.5):
            raid.do("ssm:StartSession", Detail({"target": _host(raid)}))
        else:
            key = Detail(
                {
                    "instanceId": _host(raid),
                    "instanceOSUser": "ec2-user",
                    "sSHPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
                }
            )
            raid.do("ec2-instance-connect:SendSSHPublicKey", key)


@technique("T1562.007", "defense-evasion lateral-movement")
def open_ingress(raid: Raid) -> None:
    """SSH from anywhere."""
    for _ in range(raid.few(2)):
        raid.do("ec2:AuthorizeSecurityGroupIngress", shapes.open_port(f"sg-0{raid.dice.hexes(16)}", 22, "0.0.0.0/0"))


@technique("T1537", "exfiltration")
def share_image(raid: Raid) -> None:
    """An image for a foreign account."""
    raid.do("ec2:ModifyImageAttribute", shapes.share_image(f"ami-0{raid.dice.hexes(16)}", raid.foreign))


@technique("T1537", "exfiltration")
def share_snapshot(raid: Raid) -> None:
    """Snapshots of disks for a foreign account."""
    for _ in range(raid.few(3)):
        if raid.dice.chance(raid.quiet * 0.7):
            raid.do("ec2:CreateSnapshot")
        raid.do("ec2:ModifySnapshotAttribute", shapes.share_snapshot(_snapshot(raid), raid.foreign))


@technique("T1537", "exfiltration")
def share_database(raid: Raid) -> None:
    """A database snapshot for a foreign account."""
    name = f"{raid.dice.pick(raid.world.databases)}-copy"
    if raid.dice.chance(raid.quiet):
        raid.do(
            "rds:CreateDBSnapshot",
            Detail({"dBSnapshotIdentifier": name, "dBInstanceIdentifier": raid.dice.pick(raid.world.databases)}),
        )
    raid.do("rds:ModifyDBSnapshotAttribute", shapes.share_db_snapshot(name, raid.foreign))


@technique("T1537", "exfiltration")
def public_bucket(raid: Raid) -> None:
    """A bucket for everybody."""
    name = raid.dice.pick(raid.world.buckets)
    if raid.dice.chance(raid.quiet):
        raid.do(
            "s3:PutBucketPublicAccessBlock",
            Detail(
                {
                    "bucketName": name,
                    "publicAccessBlock": "",
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicPolicy": False,
                        "RestrictPublicBuckets": False,
                        "BlockPublicAcls": False,
                        "IgnorePublicAcls": False,
                    },
                }
            ),
        )
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    raid.do(
        "s3:PutBucketPolicy",
        Detail({"bucketName": name, "bucketPolicy": {"Version": "2012-10-17", "Statement": [statement]}}),
    )


@technique("T1496.004", "discovery impact")
def mail_abuse(raid: Raid) -> None:
    """Mail from the victim's good name."""
    raid.all_of("ses:GetSendQuota ses:ListIdentities ses:GetAccountSendingEnabled")
    for _ in range(raid.few(8)):
        raid.do(
            "ses:VerifyEmailIdentity",
            Detail({"emailAddress": f"news@{raid.dice.pick(WORDS)}-{raid.dice.hexes(3)}.example"}),
        )
    if raid.dice.chance(raid.quiet):
        raid.do("ses:PutAccountSuppressionAttributes", Detail({"suppressedReasons": []}))


@technique("T1485", "impact")
def data_destruction(raid: Raid) -> None:
    """Objects, snapshots, buckets: gone."""
    bucket = raid.dice.pick(raid.victim.buckets or raid.world.buckets)
    for _ in range(raid.few(60)):
        key = f"{raid.dice.pick(WORDS)}/{raid.dice.hexes(8)}"
        detail = s3_object(raid.world, raid.dice, raid.victim.region, bucket, key)
        raid.send(raid.made("s3:DeleteObject", detail), 1)
    if raid.dice.chance(raid.quiet):
        raid.do("ec2:DeleteSnapshot", Detail({"snapshotId": _snapshot(raid)}))
        raid.do("s3:DeleteBucket", Detail({"bucketName": bucket}))


@technique("T1486", "impact")
def key_ransom(raid: Raid) -> None:
    """Data under a foreign key, own keys to be deleted."""
    foreign = f"arn:aws:kms:{raid.victim.region}:{raid.foreign}:key/{raid.dice.uuid()}"
    bucket = raid.dice.pick(raid.victim.buckets or raid.world.buckets)
    for _ in range(raid.few(30)):
        key = f"{raid.dice.pick(WORDS)}/{raid.dice.hexes(8)}"
        raid.send(
            raid.made("s3:CopyObject", s3_copy(raid.world, raid.dice, raid.victim.region, bucket, key, foreign)), 1
        )
    if raid.dice.chance(raid.quiet):
        raid.do("kms:ScheduleKeyDeletion", Detail({"keyId": raid.dice.pick(raid.world.keys), "pendingWindowInDays": 7}))


# ---- techniques that spend, log in, and go on as somebody else


@technique("T1496", "discovery resource-hijacking impact")
def model_hijack(raid: Raid) -> None:
    """Probe, unlock, then invoke models on the victim's bill (facts: LLMjacking chain)."""
    d, regions = (raid.dice, raid.dice.some(["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"], raid.few(4)))
    model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    raid.all_of(
        "sts:GetCallerIdentity bedrock:ListFoundationModels bedrock:GetFoundationModelAvailability bedrock:GetModelInvocationLoggingConfiguration"  # noqa: E501
    )
    for region in regions:
        probe = raid.made("bedrock:InvokeModel", model_call(raid.world, d, region, model), region)
        raid.send(failed(probe, "ValidationException", "max_tokens_to_sample: -1 is not greater than or equal to 0"))
        if d.chance(raid.quiet * 0.5):
            raid.do("bedrock:PutUseCaseForModelAccess", Detail({"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"}), region)
            raid.do(
                "bedrock:CreateFoundationModelAgreement",
                Detail({"modelId": model, "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                region,
            )
            raid.do("bedrock:PutFoundationModelEntitlement", Detail({"modelId": model}), region)
        for _ in range(raid.few(40)):
            raid.send(
                raid.made(
                    d.pick(["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:Converse"]),
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
    name, principal = (f"{raid.dice.pick(WORDS)}.{raid.dice.pick(['adm', 'ops', 'dev'])}", raid.dice.ident("AIDA"))
    arn = raid.world.arn("iam", f"user/{name}")
    raid.do("iam:CreateLoginProfile", shapes.login_profile(name, False))
    raid.wait(600)
    raid.become(
        {"type": "IAMUser", "principalId": principal, "arn": arn, "accountId": raid.world.account, "userName": name},
        arn,
        principal,
    )
    raid.browse()
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
    raid.do("iam:CreateAccessKey", shapes.create_key(name, key))
    raid.wait(HOUR)
    raid.become_user(arn, principal, key)
    raid.all_of("sts:GetCallerIdentity s3:ListBuckets")


@technique("T1078.004", "collection", lambda m: m.volume > 0.3)
def ordinary_use(raid: Raid) -> None:
    """Its own calls, its own network and agent, a little more of them: nothing in the log differs."""
    raid.as_usual(raid.few(6))


# ---- techniques that stay: new users, roles, keys, trust, code that others run


def _some_role(raid: Raid) -> str:
    return raid.world.role_name(raid.dice.pick(WORDS), raid.dice.pick(raid.world.envs), "app")


@technique("T1098.003", "persistence privilege-escalation")
def role_trust(raid: Raid) -> None:
    """A role trusts a foreign account from now on."""
    raid.do(
        "iam:UpdateAssumeRolePolicy",
        Detail({"roleName": _some_role(raid), "policyDocument": shapes.trust(raid.foreign, "ec2")}),
    )


@technique("T1136.003", "persistence privilege-escalation")
def admin_user(raid: Raid) -> None:
    """A new user with all rights and a key, which is then used."""
    name, principal, key = (
        f"svc-{raid.dice.pick(WORDS)}-{raid.dice.pick(['sync', 'ops', 'ci', 'backup'])}",
        raid.dice.ident("AIDA"),
        raid.dice.ident("AKIA", 16),
    )
    raid.do("iam:CreateUser", shapes.create_user(raid.world, name, principal))
    raid.do("iam:AttachUserPolicy", Detail({"userName": name, "policyArn": shapes.ADMIN}))
    raid.do("iam:CreateAccessKey", shapes.create_key(name, key))
    if raid.dice.chance(0.6):
        raid.wait(1800)
        raid.become_user(raid.world.arn("iam", f"user/{name}"), principal, key)
        raid.all_of("sts:GetCallerIdentity iam:ListUsers s3:ListBuckets")


@technique("T1136.003", "persistence privilege-escalation")
def backdoor_role(raid: Raid) -> None:
    """A new role with all rights that a foreign account may assume."""
    name = raid.world.role_name(raid.dice.pick(WORDS), raid.dice.pick(raid.world.envs), "task")
    raid.do("iam:CreateRole", shapes.create_role(raid.world, name, shapes.trust(raid.foreign), raid.dice.ident("AROA")))
    raid.do("iam:AttachRolePolicy", Detail({"roleName": name, "policyArn": shapes.ADMIN}))


@technique("T1098.003", "privilege-escalation")
def wide_policy(raid: Raid) -> None:
    """Everything allowed, inline."""
    raid.do(
        "iam:PutRolePolicy",
        Detail({"roleName": _some_role(raid), "policyName": "default", "policyDocument": policy("*", "*")}),
    )


@technique("T1098", "persistence")
def login_profile(raid: Raid) -> None:
    """A console password for a user that had none."""
    name = f"svc-{raid.dice.pick(WORDS)}"
    raid.do("iam:CreateLoginProfile", shapes.login_profile(name, False))


@technique("T1546", "persistence")
def function_permission(raid: Raid) -> None:
    """A function that anybody may invoke."""
    who = raid.dice.pick(["*", f"arn:aws:iam::{raid.foreign}:root"])
    raid.do(
        "lambda:AddPermission20150331v2",
        Detail(
            {
                "functionName": raid.dice.pick(raid.world.functions),
                "statementId": f"sid-{raid.dice.hexes(4)}",
                "action": "lambda:InvokeFunction",
                "principal": who,
            }
        ),
    )


@technique("T1525", "persistence execution")
def function_overwrite(raid: Raid) -> None:
    """Other code in a function."""
    if raid.dice.chance(raid.quiet):
        raid.do("lambda:GetFunction20150331v2")
    raid.do(
        "lambda:UpdateFunctionCode20150331v2",
        shapes.function_code(
            raid.world, raid.dice.pick(raid.world.functions), raid.victim.region, f"{raid.dice.hexes(40)}="
        ),
    )


@technique("T1525", "persistence execution")
def function_layer(raid: Raid) -> None:
    """A foreign layer in functions."""
    layer = f"arn:aws:lambda:{raid.victim.region}:{raid.foreign}:layer:utils:1"
    for name in raid.dice.some(raid.world.functions, raid.few(3)):
        raid.do("lambda:UpdateFunctionConfiguration20150331v2", shapes.function_layers(name, layer))


@technique("T1606", "persistence")
def trust_anchor(raid: Raid) -> None:
    """An own certificate authority may hand out sessions."""
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": "-----BEGIN CERTIFICATE-----\nMIIE3zCCAsegAwIBAgIJAOZL"},
    }
    raid.do(
        "rolesanywhere:CreateTrustAnchor",
        Detail({"enabled": True, "name": f"{raid.dice.pick(WORDS)}-ca", "source": source}),
    )
    roles = [raid.world.arn("iam", f"role/{_some_role(raid)}")]
    raid.do(
        "rolesanywhere:CreateProfile",
        Detail(
            {"durationSeconds": 3600, "enabled": True, "name": f"{raid.dice.pick(WORDS)}-profile", "roleArns": roles}
        ),
    )


@technique("T1098", "persistence")
def oidc_provider(raid: Raid) -> None:
    """An own identity provider, and a role that trusts it."""
    host = f"https://login.{raid.dice.pick(WORDS)}-{raid.dice.hexes(4)}.example"
    raid.do(
        "iam:CreateOpenIDConnectProvider",
        Detail({"url": host, "clientIDList": ["sts.amazonaws.com"], "thumbprintList": [raid.dice.hexes(40)]}),
    )
    federated = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{raid.world.arn("iam", "oidc-provider/" + host[8:])}"}},"Action":"sts:AssumeRoleWithWebIdentity"}}]}}'  # noqa: E501
    raid.do("iam:UpdateAssumeRolePolicy", Detail({"roleName": _some_role(raid), "policyDocument": federated}))


# ---- techniques that look, collect and get in


def _calls(machine: Machine, action: str) -> bool:
    return any(t.action == action for a in machine.activities for s in a.steps for t in s.pool.items)


@technique("T1078.004", "discovery")
def key_validation(raid: Raid) -> None:
    """Only asks whether the key still works."""
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
    names = raid.dice.some(
        [
            "iam:ListUsers",
            "iam:ListRoles",
            "s3:ListBuckets",
            "ec2:DescribeInstances",
            "secretsmanager:ListSecrets",
            "kms:ListKeys",
            "iam:ListPolicies",
            "lambda:ListFunctions20150331",
            "rds:DescribeDBInstances",
            "ec2:DescribeSnapshots",
        ],
        raid.few(9),
    )
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
    raid.do("s3:ListObjects", s3_listing(world, d, raid.victim.region, bucket))
    for _ in range(raid.few(400)):
        key = f"{d.pick(WORDS)}/{d.between(2019, 2025)}/{d.hexes(8)}.csv"
        raid.send(raid.made("s3:GetObject", s3_object(world, d, raid.victim.region, bucket, key)), 1)


@technique("T1550.001", "privilege-escalation lateral-movement", lambda m: m.session != "ci")
def role_hopping(raid: Raid) -> None:
    """From role to role, as far as trust reaches."""
    hosts = [
        m for m in raid.tenant.machines if m.kind == "role" and m.session in ("sdk", "lambda") and m is not raid.victim
    ]
    for target in raid.dice.some(hosts, raid.few(5)):
        name = f"session-{raid.dice.between(10**9, 10**10 - 1)}"
        detail = issued(target, target.principal_on(raid.day), name, raid.dice.ident("ASIA", 16))
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
