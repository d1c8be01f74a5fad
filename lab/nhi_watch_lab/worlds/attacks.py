"""Techniques that the drawn worlds have beside the simulator's: patient, parallel, cold, blunt."""

from __future__ import annotations

from nhi_watch_lab.simulator import shapes
from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.raid import Raid, Technique, technique
from nhi_watch_lab.simulator.records import READS, WRITES, actions, denied
from nhi_watch_lab.simulator.shapes import s3_listing, s3_object

MORE: dict[str, Technique] = {}
"""These techniques by name."""


def _works(machine: Machine) -> bool:
    return machine.session in ("instance", "sdk", "web", "lambda", "key") and bool(machine.activities)


@technique("T1580", "discovery", register=MORE)
def patient_discovery(raid: Raid) -> None:
    """Every twenty minutes another call, for half a day to two."""
    for action in raid.dice.some(actions(READS), raid.dice.between(24, 110)):
        raid.send(raid.made(action), 0)
        raid.clock += 1200 + 60 * raid.dice.normal()


@technique("T1550.001", "lateral-movement collection", _works, MORE)
def parallel_session(raid: Raid) -> None:
    """A session does its work in two places at once, for some hours."""
    raid.beside = True
    for _ in range(raid.dice.between(2, 4)):
        raid.as_usual(raid.few(14))
        raid.send(raid.tenant.parts.some_reads(raid.dice, 1)[0])
        raid.wait(1500)


@technique("T1530", "collection exfiltration", lambda m: bool(m.buckets), MORE)
def bulk_read(raid: Raid) -> None:
    """About a thousand objects in an hour."""
    _read(raid, raid.dice.pick(raid.victim.buckets if raid.dice.chance(0.5) else raid.world.buckets))


@technique("T1530", "initial-access collection exfiltration", register=MORE)
def stranger_bulk_read(raid: Raid) -> None:
    """About a thousand objects in an hour, by a key that nobody has met before."""
    name, principal = f"svc-{raid.dice.pick(WORDS)}-{raid.dice.hexes(3)}", raid.dice.ident("AIDA")
    raid.become_user(raid.world.arn("iam", f"user/{name}"), principal, raid.dice.ident("AKIA", 16))
    _read(raid, raid.dice.pick(raid.world.buckets))


def _read(raid: Raid, bucket: str) -> None:
    count, d = raid.dice.between(700, 1300), raid.dice
    raid.do("s3:ListObjects", s3_listing(raid.world, d, raid.victim.region, bucket))
    for _ in range(count):
        key = f"{d.pick(WORDS)}/{d.between(2019, 2025)}/{d.hexes(8)}.{d.pick(['json', 'parquet', 'csv', 'gz'])}"
        raid.send(raid.made("s3:GetObject", s3_object(raid.world, d, raid.victim.region, bucket, key)), 0)
        raid.clock += 7200 / count * d.random()


@technique("T1580", "discovery", register=MORE)
def refused_burst(raid: Raid) -> None:
    """Some ninety calls in an hour, most of them refused."""
    count, allowed = raid.dice.between(60, 120), raid.dice.pick([0.05, 0.1, 0.2])
    for action in raid.dice.some(actions(READS) + actions(WRITES), count):
        template = raid.made(action)
        refused = denied(template, str(raid.actor().identity.get("arn", "")))
        raid.send(template if raid.dice.chance(allowed) else refused, 0)
        raid.clock += 7200 / count * raid.dice.random()


@technique("T1528", "credential-access collection", lambda m: m.archetype == "assistant", MORE)
def agent_key_elsewhere(raid: Raid) -> None:
    """An agent's credential works outside of the agent's runtime: its models, then what it may read."""
    raid.beside = True
    raid.as_usual(raid.few(12))
    raid.all_of("bedrock:ListFoundationModels s3:ListBuckets secretsmanager:ListSecrets dynamodb:ListTables")


@technique("T1098.001", "persistence", register=MORE)
def revived_user(raid: Raid) -> None:
    """A new key for a user that sleeps, and its use a little later."""
    asleep = [m for m in raid.tenant.machines if m.archetype == "sleeper" and m is not raid.victim]
    if asleep:
        target = raid.dice.pick(asleep)
        name, arn, principal = target.arn.rsplit("/", 1)[1], target.arn, target.principal
    else:
        name, principal = f"svc-{raid.dice.pick(WORDS)}", raid.dice.ident("AIDA")
        arn = raid.world.arn("iam", f"user/{name}")
    key = raid.dice.ident("AKIA", 16)
    raid.do("iam:CreateAccessKey", shapes.create_key(name, key))
    raid.wait(3600)
    raid.become_user(arn, principal, key)
    raid.all_of("sts:GetCallerIdentity s3:ListBuckets iam:ListAttachedUserPolicies ec2:DescribeInstances")
