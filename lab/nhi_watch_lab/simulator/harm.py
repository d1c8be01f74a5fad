"""Techniques that hide, run code, share and destroy."""

from __future__ import annotations

from nhi_watch_lab.simulator import writes
from nhi_watch_lab.simulator.raid import Raid
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.register import technique
from nhi_watch_lab.simulator.shapes import s3_copy, s3_object
from nhi_watch_lab.simulator.world import WORDS

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
    detail = writes.event_selectors(raid.world.trail, "ReadOnly", False)
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
            Detail(
                {"DeleteFlowLogsRequest": {"FlowLogId": {"content": f"fl-0{raid.dice.hexes(16)}", "tag": 1}}}
            ),
        )


@technique("T1496.001", "execution impact")
def unusual_instances(raid: Raid) -> None:
    """Large machines over several regions, for mining."""
    others = raid.dice.some(
        ["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1", "eu-central-1", "us-east-2"], raid.few(6)
    )
    for region in others:
        detail = writes.run_instances(raid.dice, raid.dice.pick(_BIG), raid.few(20), raid.dice.chance(0.6))
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
        raid.do(
            "ssm:DescribeInstanceInformation", Detail({"filters": [{"key": "InstanceIds", "values": hosts}]})
        )
    raid.do("ssm:SendCommand", writes.send_command(raid.dice, hosts))
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
        raid.do(
            "ec2:AuthorizeSecurityGroupIngress",
            writes.open_port(f"sg-0{raid.dice.hexes(16)}", 22, "0.0.0.0/0"),
        )


@technique("T1537", "exfiltration")
def share_image(raid: Raid) -> None:
    """An image for a foreign account."""
    raid.do("ec2:ModifyImageAttribute", writes.share_image(f"ami-0{raid.dice.hexes(16)}", raid.foreign))


@technique("T1537", "exfiltration")
def share_snapshot(raid: Raid) -> None:
    """Snapshots of disks for a foreign account."""
    for _ in range(raid.few(3)):
        if raid.dice.chance(raid.quiet * 0.7):
            raid.do("ec2:CreateSnapshot")
        raid.do("ec2:ModifySnapshotAttribute", writes.share_snapshot(_snapshot(raid), raid.foreign))


@technique("T1537", "exfiltration")
def share_database(raid: Raid) -> None:
    """A database snapshot for a foreign account."""
    name = f"{raid.dice.pick(raid.world.databases)}-copy"
    if raid.dice.chance(raid.quiet):
        raid.do(
            "rds:CreateDBSnapshot",
            Detail(
                {"dBSnapshotIdentifier": name, "dBInstanceIdentifier": raid.dice.pick(raid.world.databases)}
            ),
        )
    raid.do("rds:ModifyDBSnapshotAttribute", writes.share_db_snapshot(name, raid.foreign))


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
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
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
            raid.made(
                "s3:CopyObject",
                s3_copy(raid.world, raid.dice, raid.victim.region, bucket, key, foreign),
            ),
            1,
        )
    if raid.dice.chance(raid.quiet):
        raid.do(
            "kms:ScheduleKeyDeletion",
            Detail({"keyId": raid.dice.pick(raid.world.keys), "pendingWindowInDays": 7}),
        )
