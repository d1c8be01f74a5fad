"""Machines that run applications and jobs: functions, instances, tasks, pods, pipelines, backups."""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator import agents
from nhi_watch_lab.simulator.dice import Dice, Pool
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step, lambda_place
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.tables import lists

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
    machine.secrets, machine.buckets = (
        d.some(world.secrets, d.between(1, 2)),
        d.some(world.buckets, d.between(1, 2)),
    )
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
    agent = d.pick(agents.SDKS)(
        d, f"AWS_Lambda_{d.pick(['python3.12', 'nodejs20.x', 'java17', 'provided.al2023'])}"
    )
    region = parts.region(d)
    place = parts.private(d) if d.chance(0.3) else lambda_place(region, name)
    machine = role(parts, d, name, "lambda", place, agent)
    machine.region = region
    names = d.some(_LAMBDA, 1 + d.poisson(0.8))
    rhythm = (
        Rhythm("every", d.pick([300, 900, 1800, 3600]), d.between(0, 3599))
        if d.chance(0.25)
        else Rhythm("steady", 30)
    )
    machine.activities.append(usual(parts, d, machine, names, rhythm))
    _startup(parts, d, machine)
    return machine


def instance(parts: Parts, d: Dice, name: str) -> Machine:
    """An EC2 role behind a NAT: SSM agent, an application, six-hourly keys."""
    machine = role(parts, d, name, "instance", parts.subnet(d), d.pick(agents.SDKS)(d))
    machine.rotate = 6 * HOUR
    if d.chance(0.4):
        machine.agent = agents.ssm_agent(d)
        machine.activities.append(
            usual(
                parts,
                d,
                machine,
                ["ssm:UpdateInstanceInformation", "ssm:ListInstanceAssociations"],
                Rhythm("every", 1800, d.between(0, 1799)),
            )
        )
    machine.activities.append(
        usual(parts, d, machine, d.some(_APP, 1 + d.poisson(1.8)), Rhythm("steady", 40))
    )
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
        d.pick(agents.SDKS)(d, "AWS_ECS_FARGATE"),
    )
    machine.rotate = 6 * HOUR
    machine.activities.append(
        usual(parts, d, machine, d.some(_APP, 1 + d.poisson(1.2)), Rhythm("steady", 30))
    )
    _startup(parts, d, machine)
    return machine


def pod(parts: Parts, d: Dice, name: str) -> Machine:
    """A Kubernetes service account with a web identity; controllers among them."""
    machine = role(
        parts, d, name, "web", parts.subnet(d), d.pick([agents.golang, agents.java, agents.boto3])(d)
    )
    machine.subject = (
        f"system:serviceaccount:{d.pick(['apps', 'platform', 'kube-system', 'data'])}:{name[:40].lower()}"
    )
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
        d.pick([agents.boto3, agents.java])(d),
    )
    calls = usual(parts, d, machine, d.some(_PIPELINE, 4), Rhythm("steady")).steps[0]
    size = max(3.0, min(300.0, d.lognormal(25, 1.0)))
    rhythm = (
        Rhythm("every", d.pick([3600, 7200, 14400]), d.between(0, 3599))
        if d.chance(0.5)
        else Rhythm("cron", at=d.between(0, 6 * HOUR))
    )
    machine.activities.append(
        Activity(rhythm, [Step(calls.pool, size / (6 if rhythm.kind == "every" else 1), 2)])
    )
    return machine


def backup(parts: Parts, d: Dice, name: str) -> Machine:
    """A nightly, weekly or monthly job with snapshots and clean-up."""
    machine = role(
        parts,
        d,
        name,
        "lambda",
        lambda_place(parts.world.home, name),
        agents.boto3(d, "AWS_Lambda_python3.12"),
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
            [
                "rds:DescribeDBInstances",
                "rds:CreateDBSnapshot",
                "rds:CopyDBSnapshot",
                "rds:ModifyDBSnapshotAttribute",
            ],
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
