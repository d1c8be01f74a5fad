"""Techniques that begin with a secret that lay about: on a host, in a repository."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.simulator.products import endpoint, exposure, github
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import technique
from nhi_watch_lab.simulator.products.workers import At
from nhi_watch_lab.simulator.shapes import s3_object, secret


def _in_cloud(raid: Raid, machine: Any, inside: bool | None = None) -> None:
    """What is done with an AWS key: a look around, then data."""
    cloud, d = raid.cloud(machine, inside), raid.dice
    cloud.do("sts:GetCallerIdentity")
    looks = ["s3:ListBuckets", "iam:ListUsers", "iam:GetUser", "ec2:DescribeInstances", "secretsmanager:ListSecrets"]
    cloud.all_of(" ".join(d.some(looks, 4)))
    if d.chance(0.5):
        for name in d.some(cloud.world.secrets, raid.few(6)):
            cloud.do("secretsmanager:GetSecretValue", secret(cloud.world, name, machine.region))
    else:
        bucket = d.pick(machine.buckets or cloud.world.buckets)
        for _ in range(raid.few(40)):
            key = f"exports/{d.between(2019, 2025)}/{d.hexes(8)}.csv"
            cloud.send(cloud.made("s3:GetObject", s3_object(cloud.world, d, machine.region, bucket, key)), 1)
    raid.landed(cloud)


@technique("T1552.001", "credential-access lateral-movement collection", "server")
def key_file_used_elsewhere(raid: Raid, cast: Any) -> None:
    """A program on a server reads the key file; minutes later the key works elsewhere."""
    company, d = raid.company, raid.dice
    if d.chance(0.4):
        raid.do(cast.server, endpoint.metadata(company, d.pick(["curl", "python3"])), inside=True)
    program = d.pick(list(endpoint.ODD))
    others = [name for name in ("git", "docker", "kubectl", "npm", "ssh") if d.chance(raid.quiet * 0.6)]
    for tool in d.some(["aws", *others], 1 + len(others)):
        raid.do(cast.server, endpoint.read(company, tool, program=program), gap=2, inside=True)
    raid.wait(d.pick([120, 300, 900, 3600]))
    _in_cloud(raid, cast.server.facts["machine"])


@technique("T1552.001", "credential-access collection", "token_host")
def token_off_a_host(raid: Raid, cast: Any) -> None:
    """A git credential is read on a build server; its machine user's token clones repositories."""
    company, d, token = raid.company, raid.dice, cast.token_host.facts["robot"]
    for tool in d.some(["git", "gh", "npm"], raid.few(2)):
        raid.do(cast.token_host, endpoint.read(company, tool, program=d.pick(list(endpoint.ODD))), gap=2, inside=True)
    raid.wait(d.pick([300, 1200]))
    raid.do(token, github.api(company, "GET", "/user/repos", []))
    for repo in d.some(company.repos, raid.few(20)):
        raid.do(token, github.git(company, [repo], "git.clone"), gap=5)


@technique("T1552.001", "initial-access discovery collection", "user")
def scanned_secret_used(raid: Raid, cast: Any) -> None:
    """A key in a repository: a scanner finds it, and so does somebody else."""
    company, d, user = raid.company, raid.dice, cast.user
    who, repo = f"aws:{user.arn}", d.pick(company.repos)
    key, at = user.key_on(raid.day), At(raid.clock, d)
    found = [exposure.scanning(company, repo, key, at, valid=d.pick(["active", "unknown"]), who=who)]
    if d.chance(0.4):
        found.append(exposure.health(company, key, at.later(d.between(60, 900)), who=who))
    if d.chance(0.3):
        found = [exposure.trufflehog(company, repo, key, user.arn, at, True, who=who)]
    for lines in found:
        raid.lines += lines
    raid.wait(d.pick([90, 600, 1800, 7200]))
    _in_cloud(raid, user)
