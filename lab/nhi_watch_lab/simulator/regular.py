"""What machines do again and again: weekly and monthly jobs, duties that look bad, pipelines that always move."""

from __future__ import annotations

from nhi_watch_lab.simulator import agents, networks
from nhi_watch_lab.simulator.calls import call
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import Template, denied

_DUTIES = [
    "secretsmanager:ListSecrets secretsmanager:GetSecretValue secretsmanager:DescribeSecret",
    "iam:CreateAccessKey iam:ListAccessKeys iam:DeleteAccessKey",
    "ec2:CreateSnapshot ec2:ModifySnapshotAttribute ec2:DescribeSnapshots",
    "iam:ListUsers iam:ListRoles iam:ListAccessKeys iam:GetAccountSummary",
    "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress ec2:DescribeSecurityGroups",
    "sts:GetCallerIdentity s3:ListBuckets s3:GetBucketPolicy s3:GetBucketAcl",
    "lambda:UpdateFunctionCode20150331v2 lambda:ListFunctions20150331",
    "ssm:SendCommand ssm:GetCommandInvocation ssm:DescribeInstanceInformation",
    "ec2:StopInstances ec2:StartInstances ec2:DescribeInstances",
    "iam:PutRolePolicy iam:AttachRolePolicy iam:GetRole",
]
"""Duties that some machine has every day and that are an intruder's words elsewhere: an assumption."""


_RESTLESS = 0.25
"""Share of the pipelines on ever changing runners whose calls change every day, too; assumed. In public histories of
workflows a new action or verb appears on 0.17% of days, so most pipelines repeat themselves."""


def regular(parts: Parts, d: Dice, machine: Machine, days: int) -> None:
    """Gives a machine the jobs of its tenant's calendar."""
    ways = parts.ways
    if machine.archetype in ("service", "servicelinked", "sleeper", "partner"):
        return
    if ways.own_moves and machine.place.fixed and machine.place not in parts.subnets:
        moves = d.poisson(ways.own_moves * days / 30)
        machine.place.moves += [d.between(1, max(1, days - 1)) for _ in range(moves)]
    for share, period in ((ways.weekly, 7), (ways.monthly, 30)):
        if d.chance(share):
            calls = parts.some_reads(d, d.between(2, 8)) + parts.some_writes(d, d.between(0, 3))
            rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR), days=period, offset=d.between(0, period - 1))
            _does(machine, rhythm, calls, d, since=0)
    if d.chance(ways.chores):
        calls = [call(parts.world, d, name, machine.region) for name in d.pick(_DUTIES).split()]
        if d.chance(0.35):
            calls = [denied(each, machine.arn) for each in calls]
        since = 0 if d.chance(0.75) else d.between(1, max(1, days - 1))
        _does(machine, Rhythm("cron", at=d.between(0, 23 * HOUR)), calls, d, since)
    if machine.buckets and machine.kind in ("role", "user") and d.chance(ways.bulk):
        _copies(parts, d, machine, d.between(1, max(1, days - 1)))


def _copies(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A migration, a restore, an export: objects by the hundred within an hour or three."""
    calls = [t for _ in range(20) for t in parts.own(machine, "s3:GetObject", d)]
    if d.chance(0.25):
        machine.born = max(machine.born, day)
    steps = [Step(Pool(parts.own(machine, "s3:ListObjects", d)), 3), Step(Pool(calls), d.lognormal(700, 0.6), 3)]
    rhythm = Rhythm("cron", at=d.between(0, 20 * HOUR))
    machine.activities.append(Activity(rhythm, steps, since=day, until=day + 1, scale=False))


def _does(machine: Machine, rhythm: Rhythm, calls: list[Template], d: Dice, since: int) -> None:
    step = Step(Pool(calls), max(len(calls), d.lognormal(12, 0.9)), d.pick([1, 4, 30]))
    machine.activities.append(Activity(rhythm, [step], since=since, scale=False))


def runners(parts: Parts, machine: Machine) -> None:
    """Where and with what a pipeline's jobs run, and how much of what they do they never did before."""
    d, ways = dice(parts.world.seed, "runners", machine.name), parts.ways
    if d.chance(ways.dynamic_ci):
        clouds = d.some([networks.AZURE, networks.GOOGLE, networks.HOSTING["hetzner"],
                         *networks.AWS_EGRESS.values()], d.between(2, 5))  # fmt: skip
        machine.place = Place(lambda x: networks.address(x, x.pick(clouds)), fixed=False, name=machine.name)
        makers = [agents.cli, agents.boto3, agents.javascript, agents.golang, agents.terraform]
        machine.clients = [d.pick(makers)(d) for _ in range(d.between(3, 12))]
        tail = [Step(parts.reads(d), d.lognormal(6, 0.7), 2), Step(parts.writes(d), d.lognormal(2, 0.7), 5)]
        often = ways.tail is None or d.chance(_RESTLESS)
        rhythm = Rhythm("burst", d.lognormal(2, 0.7) if often else 3 * (ways.tail or 0.0))
        machine.activities.append(Activity(rhythm, [Step(parts.identity), *tail], scale=False))
    elif d.chance(ways.static_ci):
        machine.place = parts.own_host(d)
