"""Techniques that look, collect and get in."""

from __future__ import annotations

from nhi_watch_lab.simulator.catalogue import READS, WRITES, actions
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.raid import Raid
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.register import technique
from nhi_watch_lab.simulator.sessions import issued
from nhi_watch_lab.simulator.shapes import s3_listing, s3_object, secret
from nhi_watch_lab.simulator.world import WORDS


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
    raid.do(
        raid.dice.pick(["s3:ListBuckets", "iam:ListRoles", "sts:GetCallerIdentity", "ec2:DescribeInstances"])
    )


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
        m
        for m in raid.tenant.machines
        if m.kind == "role" and m.session in ("sdk", "lambda") and m is not raid.victim
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
