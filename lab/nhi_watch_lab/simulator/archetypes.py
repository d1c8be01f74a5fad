"""The kinds of machines that there are."""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import Dice, Pool
from nhi_watch_lab.simulator.machines import DAY, HOUR, Activity, Machine, Place, Rhythm, Step, lambda_place
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import denied
from nhi_watch_lab.tables import lists

# ---- machines that run applications and jobs: functions, instances, tasks, pods, pipelines, backups

Maker = Callable[[Parts, Dice, str], Machine]
"""Parts, dice of this machine, its unique name → the machine."""

_LAMBDA = lists(__file__, "tables.json/lambda")
_APP = lists(__file__, "tables.json/app")
_CONTROLLERS = lists(__file__, "tables.json/controllers")
_PIPELINE = lists(__file__, "tables.json/pipeline")


def role(parts: Parts, d: Dice, name: str, session: str, place: Place, agent: str) -> Machine:
    """A role with its networks, secrets and buckets."""
    world = parts.world
    path = d.pick(["", "", "", "service/", "app/"])
    machine = Machine(
        name,
        session,
        "role",
        world.arn("iam", f"role/{path}{name}"),
        d.ident("AROA"),
        parts.region(d),
        place,
        agent,
        session,
    )
    machine.volume = min(60.0, d.lognormal(0.7, parts.ways.spread))
    machine.secrets, machine.buckets = (d.some(world.secrets, d.between(1, 2)), d.some(world.buckets, d.between(1, 2)))
    return machine


def usual(parts: Parts, d: Dice, machine: Machine, names: list[str], rhythm: Rhythm) -> Activity:
    """A mix of the named calls on what is the machine's own."""
    templates = [t for name in names for t in parts.own(machine, name, d)]
    return Activity(rhythm, [Step(Pool.zipf(templates, 0.8))])


def _startup(parts: Parts, d: Dice, machine: Machine) -> None:
    if d.chance(0.45):
        machine.at_start.append(
            Step(Pool(parts.own(machine, "secretsmanager:GetSecretValue", d)), len(machine.secrets))
        )


def function(parts: Parts, d: Dice, name: str) -> Machine:
    """A Lambda role: one to four calls, addresses of the region, now and then a schedule."""
    agent = d.pick(basics.SDKS)(d, f"AWS_Lambda_{d.pick(['python3.12', 'nodejs20.x', 'java17', 'provided.al2023'])}")
    region = parts.region(d)
    place = parts.private(d) if d.chance(0.3) else lambda_place(region, name)
    machine = role(parts, d, name, "lambda", place, agent)
    machine.region = region
    names = d.some(_LAMBDA, 1 + d.poisson(0.8))
    rhythm = (
        Rhythm("every", d.pick([300, 900, 1800, 3600]), d.between(0, 3599)) if d.chance(0.25) else Rhythm("steady", 30)
    )
    machine.activities.append(usual(parts, d, machine, names, rhythm))
    _startup(parts, d, machine)
    return machine


def instance(parts: Parts, d: Dice, name: str) -> Machine:
    """An EC2 role behind a NAT: SSM agent, an application, six-hourly keys."""
    machine = role(parts, d, name, "instance", parts.subnet(d), d.pick(basics.SDKS)(d))
    machine.rotate = 6 * HOUR
    if d.chance(0.4):
        machine.agent = basics.ssm_agent(d)
        machine.activities.append(
            usual(
                parts,
                d,
                machine,
                ["ssm:UpdateInstanceInformation", "ssm:ListInstanceAssociations"],
                Rhythm("every", 1800, d.between(0, 1799)),
            )
        )
    machine.activities.append(usual(parts, d, machine, d.some(_APP, 1 + d.poisson(1.8)), Rhythm("steady", 40)))
    _startup(parts, d, machine)
    return machine


def task(parts: Parts, d: Dice, name: str) -> Machine:
    """A container task's role: an application behind a NAT or an endpoint."""
    machine = role(
        parts,
        d,
        name,
        "sdk",
        parts.private(d) if d.chance(0.3) else parts.subnet(d),
        d.pick(basics.SDKS)(d, "AWS_ECS_FARGATE"),
    )
    machine.rotate = 6 * HOUR
    machine.activities.append(usual(parts, d, machine, d.some(_APP, 1 + d.poisson(1.2)), Rhythm("steady", 30)))
    _startup(parts, d, machine)
    return machine


def pod(parts: Parts, d: Dice, name: str) -> Machine:
    """A Kubernetes service account with a web identity; controllers among them."""
    machine = role(parts, d, name, "web", parts.subnet(d), d.pick([basics.golang, basics.java, basics.boto3])(d))
    machine.subject = f"system:serviceaccount:{d.pick(['apps', 'platform', 'kube-system', 'data'])}:{name[:40].lower()}"
    machine.rotate = d.pick([1, 4, 12, 12]) * HOUR
    names = d.pick(_CONTROLLERS) if d.chance(0.3) else d.some(_APP, 1 + d.poisson(1.0))
    machine.activities.append(usual(parts, d, machine, names, Rhythm("steady", 40)))
    return machine


def pipeline(parts: Parts, d: Dice, name: str) -> Machine:
    """A data pipeline: hourly or nightly runs of many objects."""
    machine = role(
        parts,
        d,
        name,
        "sdk",
        parts.private(d) if d.chance(0.5) else parts.subnet(d),
        d.pick([basics.boto3, basics.java])(d),
    )
    calls = usual(parts, d, machine, d.some(_PIPELINE, 4), Rhythm("steady")).steps[0]
    size = max(3.0, min(300.0, d.lognormal(25, 1.0)))
    rhythm = (
        Rhythm("every", d.pick([3600, 7200, 14400]), d.between(0, 3599))
        if d.chance(0.5)
        else Rhythm("cron", at=d.between(0, 6 * HOUR))
    )
    machine.activities.append(Activity(rhythm, [Step(calls.pool, size / (6 if rhythm.kind == "every" else 1), 2)]))
    return machine


def backup(parts: Parts, d: Dice, name: str) -> Machine:
    """A nightly, weekly or monthly job with snapshots and clean-up."""
    machine = role(
        parts, d, name, "lambda", lambda_place(parts.world.home, name), basics.boto3(d, "AWS_Lambda_python3.12")
    )
    names = d.pick(
        [
            [
                "ec2:DescribeVolumes",
                "ec2:CreateSnapshot",
                "ec2:CreateTags",
                "ec2:DescribeSnapshots",
                "ec2:DeleteSnapshot",
            ],
            ["rds:DescribeDBInstances", "rds:CreateDBSnapshot", "rds:CopyDBSnapshot", "rds:ModifyDBSnapshotAttribute"],
            ["s3:ListObjects", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        ]
    )
    days = d.pick([1, 1, 7, 7, 30])
    steps = [Step(Pool(parts.own(machine, action, d)), d.between(1, 6), 2) for action in names]
    machine.activities.append(
        Activity(Rhythm("cron", at=d.between(0, 5 * HOUR), days=days, offset=d.between(0, days - 1)), steps)
    )
    machine.activities.append(usual(parts, d, machine, ["logs:CreateLogStream"], Rhythm("steady", 3)))
    return machine


# ---- the kinds of machine that an account has, and what each does all day

"""Parts, dice of this machine, its unique name → the machine."""

_VENDOR = lists(__file__, "tables.json/vendor")


def deployer(parts: Parts, d: Dice, name: str) -> Machine:
    """A CI role: bursts of known and new calls from hosted runners, a new address each job."""
    place = Place(lambda x: basics.address(x, basics.AZURE), fixed=False, name=name)
    machine = role(parts, d, name, "ci", place, d.pick([basics.cli, basics.boto3, basics.javascript])(d))
    machine.subject = (
        f"repo:{parts.world.org}/{name[:40].lower()}:{d.pick(['ref:refs/heads/main', 'environment:production'])}"  # noqa: E501
    )
    machine.rotate = 0
    usual = parts.own(machine, "lambda:UpdateFunctionCode20150331v2", d) + parts.some_writes(d, d.between(3, 14))
    steps = [
        Step(parts.identity, 1),
        Step(Pool(parts.some_reads(d, 8)), 4),
        Step(Pool.zipf(usual, 0.6), d.between(3, 15), 4),
    ]
    if d.chance(0.6):
        steps.append(Step(parts.writes(d), d.lognormal(0.7, 0.9) * parts.ways.ci_news, 5))
    machine.activities.append(Activity(Rhythm("burst", d.lognormal(1.2, 0.8)), steps, scale=False))
    return machine


def terraform(parts: Parts, d: Dice, name: str) -> Machine:
    """An infrastructure deployer: refreshes of hundreds of reads, then changes of all kinds."""
    machine = role(parts, d, name, "ci" if d.chance(0.5) else "sdk", parts.runner(d), basics.terraform(d))
    machine.subject = f"repo:{parts.world.org}/infrastructure-{d.pick(parts.world.envs)}:ref:refs/heads/main"
    machine.rotate = 0 if machine.session == "ci" else 2 * HOUR
    refresh = Step(Pool.zipf(parts.some_reads(d, 60), 0.4), d.lognormal(40, 0.5), 0.3)
    steps = [
        Step(parts.identity),
        refresh,
        Step(parts.writes(d), d.lognormal(5, 0.8) * parts.ways.ci_news, 3),
        Step(parts.reads(d), 2 * parts.ways.ci_news, 1),
    ]
    machine.activities.append(Activity(Rhythm("burst", d.lognormal(1.0, 0.6)), steps, scale=False))
    return machine


def scanner(parts: Parts, d: Dice, name: str) -> Machine:
    """A third party's posture scanner or a configuration recorder: huge breadth, reads only, some of them denied."""  # noqa: E501
    place = Place(lambda x: basics.aws_address(x, "us-east-1"), name=name)
    machine = role(parts, d, name, "foreign", place, d.pick([basics.boto3, basics.golang])(d))
    machine.subject, machine.rotate, machine.volume = parts.world.partners[1], HOUR * 6, 1.0
    breadth = parts.some_reads(d, d.between(90, 200))
    refused = [denied(t, machine.arn) for t in breadth[:: d.between(9, 30)]]
    machine.activities.append(Activity(Rhythm("steady", 900), [Step(Pool.zipf(breadth + refused, 0.3))]))
    machine.activities.append(
        Activity(Rhythm("every", 6 * HOUR, d.between(0, HOUR)), [Step(parts.reads(d), 12, 2)], scale=False)
    )
    return machine


def failing(parts: Parts, d: Dice, name: str) -> Machine:
    """Fails every time, since ever: a job whose permission nobody granted."""
    machine = d.pick([function, instance, task])(parts, d, name)
    for activity in machine.activities:
        activity.steps = [
            Step(Pool([denied(t, machine.arn) for t in step.pool.items]), step.size) for step in activity.steps
        ]
    machine.archetype = "failing"
    return machine


def vendor_key(parts: Parts, d: Dice, name: str) -> Machine:
    """An IAM user whose key lives with a SaaS vendor or on a server of the office."""
    hosted = d.chance(0.6)
    prefixes = d.pick([basics.GOOGLE, " ".join(basics.AWS_EGRESS["us-east-1"].split()), basics.HOSTING["digitalocean"]])
    office = d.pick(parts.world.office)
    place = Place(
        (lambda x: basics.address(x, prefixes)) if hosted else (lambda _: office),
        name=name,
        fixed=not (hosted and d.chance(0.3)),
    )
    user = f"svc-{name}"[:60]
    agent = d.pick([basics.boto3, basics.java, basics.cli, basics.golang])(d)
    machine = Machine(
        name,
        "vendor",
        "user",
        parts.world.arn("iam", f"user/{user}"),
        d.ident("AIDA"),
        parts.region(d),
        place,
        agent,
        "key",
    )
    machine.keys, machine.volume = [(0, d.ident("AKIA", 16))], min(40.0, d.lognormal(0.8, 1.1))
    machine.buckets, machine.secrets = d.some(parts.world.buckets, 2), d.some(parts.world.secrets, 1)
    machine.activities.append(
        usual(parts, d, machine, d.pick(_VENDOR), Rhythm(d.pick(["steady", "steady", "office"]), 30))
    )
    return machine


def sleeper(parts: Parts, d: Dice, name: str) -> Machine:
    """A user with an old key that is hardly ever used."""
    machine = vendor_key(parts, d, name)
    machine.archetype = "sleeper"
    machine.activities[0].rhythm = Rhythm(
        "cron", at=d.between(0, DAY - 60), days=d.pick([30, 45, 60]), offset=d.between(0, 6)
    )
    return machine


def assistant(parts: Parts, d: Dice, name: str) -> Machine:
    """An application that invokes models for a living."""
    machine = d.pick([function, task])(parts, d, name)
    machine.archetype = "assistant"
    names = d.some(["bedrock:InvokeModel", "bedrock:Converse", "bedrock:InvokeModelWithResponseStream"], 2)
    machine.activities.append(usual(parts, d, machine, names, Rhythm(d.pick(["office", "steady"]), 80)))
    return machine


def chained(parts: Parts, d: Dice, name: str) -> Machine:
    """A role that another role assumes for each piece of work."""
    parent = task(parts, d, f"{name}-hub")
    machine = task(parts, d, name)
    machine.session, machine.parent, machine.rotate = "chained", parent, 4 * HOUR
    machine.place, machine.agent, machine.archetype = parent.place, parent.agent, "chained"
    return machine


def linked(parts: Parts, d: Dice, name: str) -> Machine:
    """A service-linked role: a service calls in the account's name."""
    service, calls = d.pick(
        [
            (
                "autoscaling.amazonaws.com",
                [
                    "ec2:DescribeInstanceStatus",
                    "ec2:DescribeInstances",
                    "elasticloadbalancing:DescribeTargetHealth",
                    "ec2:RunInstances",
                    "ec2:TerminateInstances",
                ],
            ),
            (
                "eks.amazonaws.com",
                [
                    "elasticloadbalancing:DescribeLoadBalancers",
                    "elasticloadbalancing:DescribeTargetGroups",
                    "ec2:DescribeSecurityGroups",
                ],
            ),
            (
                "config.amazonaws.com",
                [
                    "ec2:DescribeInstances",
                    "iam:ListRoles",
                    "s3:GetBucketPolicy",
                    "rds:DescribeDBInstances",
                    "lambda:ListFunctions20150331",
                    "ec2:DescribeVpcs",
                ],
            ),
            ("kafka.amazonaws.com", ["secretsmanager:ListSecrets", "ec2:DescribeNetworkInterfaces"]),
        ]
    )
    machine = role(parts, d, name, "servicelinked", parts.subnet(d), service)
    short = service.split(".")[0]
    machine.arn = parts.world.arn(
        "iam", f"role/aws-service-role/{service}/AWSServiceRoleFor{short.title()}-{name[-4:]}"
    )
    machine.activities.append(usual(parts, d, machine, calls, Rhythm("steady", 30)))
    return machine


def service(parts: Parts, d: Dice, name: str) -> Machine:
    """An AWS service on its own account."""
    host, calls = d.pick(
        [
            ("delivery.logs.amazonaws.com", ["logs:CreateLogStream"]),
            ("sqs.amazonaws.com", ["kms:GenerateDataKey", "kms:Decrypt"]),
            ("eks.amazonaws.com", ["kms:Encrypt", "kms:Decrypt"]),
            ("cloudtrail.amazonaws.com", ["s3:GetBucketAcl", "kms:GenerateDataKey"]),
            ("secretsmanager.amazonaws.com", ["kms:Decrypt"]),
        ]
    )
    place = Place(lambda _: host, name=name)
    machine = Machine(
        name,
        "service",
        "service",
        f"arn:aws:service::{parts.world.account}:{host}",
        host,
        parts.world.home,
        place,
        host,
        "service",
    )
    machine.activities.append(usual(parts, d, machine, calls, Rhythm("steady", 40)))
    return machine


def foreign(parts: Parts, d: Dice, name: str) -> Machine:
    """A partner's role that uses a key or a bucket of this account from its own."""
    partner, region = d.pick(parts.world.partners), parts.world.home
    place = Place(lambda x: basics.aws_address(x, region), name=name)
    principal = d.ident("AROA") + ":partner-sync"
    machine = Machine(
        name,
        "partner",
        "account",
        f"arn:aws:iam::{partner}:role/{name}",
        principal,
        region,
        place,
        d.pick(basics.SDKS)(d),
        "foreign-account",
    )
    machine.buckets = d.some(parts.world.buckets, 1)
    machine.activities.append(
        usual(
            parts,
            d,
            machine,
            d.pick([["kms:Sign"], ["s3:GetObject", "s3:ListObjects"], ["kms:Decrypt"]]),
            Rhythm("steady", 60),
        )
    )
    return machine


MIX: list[tuple[Maker, str, float]] = [
    (function, "fn", 26),
    (instance, "ec2", 14),
    (task, "task", 12),
    (pod, "pod", 14),
    (pipeline, "etl", 5),
    (backup, "backup", 4),
    (deployer, "deploy", 9),
    (terraform, "infra", 2),
    (scanner, "audit", 1.2),
    (failing, "agent", 2.5),
    (vendor_key, "integration", 7),
    (sleeper, "legacy", 3),
    (assistant, "assistant", 2),
    (chained, "broker", 2),
    (linked, "slr", 2.5),
    (service, "service", 2),
    (foreign, "partner", 1.5),
]
"""Kind of machine, the word for it in names, and how common it is."""
