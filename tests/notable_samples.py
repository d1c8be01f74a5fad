"""A dozen varied notables in code, hostile values among them, for tests and pictures."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import uuid
from dataclasses import dataclass, replace
from typing import Any, Optional

from nhi_watch.core import timestamps
from nhi_watch.core.notable import (
    BaselineRef,
    Control,
    Dimension,
    Frameworks,
    Impact,
    ImpactFactor,
    ModelRef,
    Notable,
    NotableIdentity,
    ObservedValue,
    SignalPoints,
    Telemetry,
    TimelineEntry,
    Usual,
    UsualValue,
    clip,
    expected_risk,
    severity_of,
    to_json,
)
from nhi_watch.core.status import Receipt
from nhi_watch.detect.model import log_odds_of

START = timestamps.parse("2026-03-09T00:00:00Z")
ACCOUNT = "111122223333"
HOSTILE = (
    "<script>window.pwned = true</script>",
    '<img src=x onerror="window.pwned=true">\'"><svg/onload=window.pwned=true>',
    "=cmd|'/c calc'!A1",
    "invoice\u202egpj.exe",
    "\x1b[31mred\x1b[0m\x07 bell\r\nnew line",
    "{{ 7*7 }} {% raw %} ${7*7} </script></style><!--",
    "N" * 10_000,
)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def record(story: str, number: int) -> str:
    """The same record id for the same story and number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{story}/{number}"))


@dataclass(frozen=True)
class Story:
    """What differs between the samples."""

    key: str
    title: str
    summary: str
    name: str
    kind: str
    owner: str
    likelihood: float
    """Not told of posture and blind spots, which claim no intrusion."""
    signals: tuple[tuple[str, Optional[float], Optional[float], str], ...]
    """(id, log-odds, value, evidence); value None: cannot tell."""
    steps: tuple[tuple[int, str, str, str, float, int], ...]
    """(minute of the day, action, outcome, source, points, count)"""
    seen: tuple[tuple[str, str, str], ...]
    """(dimension, usual values, observed values), `;` between values, `+` before what is new."""
    attack: tuple[str, ...]
    owasp: tuple[str, ...] = ()
    day: int = 0
    notable_kind: str = "compromise"
    environment: str = "production"
    criticality: str = "high"


def build(story: Story, rank: int) -> Notable:
    """The whole Notable of a story."""
    base = START + story.day * timestamps.DAY
    timeline = _timeline(story, base)
    records = tuple(record(story.key, number) for number in range(sum(entry.count for entry in timeline)))
    impact = _impact(story)
    signals = _signals(story, records)
    claims = story.notable_kind in ("compromise", "exposure")
    ordinary = round(log_odds_of(story.likelihood) - sum(s.log_odds for s in signals), 3)
    return Notable(
        id=f"aws:{ACCOUNT}:{story.kind}:{story.key}@{timestamps.render(base)[:10]}",
        revision=1 + rank % 3,
        kind=story.notable_kind,
        rank=rank,
        likelihood=story.likelihood if claims else 0.0,
        severity=severity_of(expected_risk(story.likelihood, impact)) if claims else "low",
        title=clip(story.title, 200),
        summary=clip(story.summary, 2000),
        identity=NotableIdentity(
            f"aws:{ACCOUNT}:{story.kind}:{story.key}", clip(story.name, 512), story.kind, "aws", ACCOUNT, story.owner
        ),
        created=timeline[min(2, len(timeline) - 1)].time + 300,
        first_time=timeline[0].time,
        last_time=timeline[-1].time + 240,
        signals=signals,
        timeline=timeline,
        usual=_usual(story, base),
        frameworks=Frameworks(("NHI-07", *story.owasp), ("DE.CM-1", "DE.AE-02"), story.attack, ()),
        controls=_controls(story),
        impact=impact,
        telemetry=Telemetry(("cloudtrail",), 412, ("s3_data_events",) if rank % 2 else (), rank == 2),
        record_ids=records[:1000],
        record_count=len(records),
        model=ModelRef("model-2026.03", digest("model"), ordinary if story.notable_kind == "compromise" else None),
        baseline=BaselineRef(timestamps.render(base - 1)[:10]),
        receipt=Receipt(digest("model"), digest(story.key + "signals"), digest(story.key + "baseline")),
        merged_into=None,
    )


def _timeline(story: Story, base: int) -> tuple[TimelineEntry, ...]:
    steps = sorted(story.steps)
    return tuple(
        TimelineEntry(
            base + minute * 60, clip(action, 256), outcome, clip(source, 256), record(story.key, n), points, count
        )
        for n, (minute, action, outcome, source, points, count) in enumerate(steps)
    )


def _signals(story: Story, records: tuple[str, ...]) -> tuple[SignalPoints, ...]:
    rows = sorted(story.signals, key=lambda row: -(row[1] or 0.0))
    is_scored = story.notable_kind == "compromise"
    without = {rows[0][0]: round(story.likelihood / 2, 1)} if is_scored else {}
    worth = 1.0 if is_scored else 0.0
    return tuple(
        SignalPoints(
            name,
            round(worth * 3 * (log_odds or 0.0), 2),
            0.0 if value is None else worth * (log_odds or 0.0),
            value,
            clip(evidence, 1000),
            records[n : n + 3],
            value is None,
            without.get(name),
        )
        for n, (name, log_odds, value, evidence) in enumerate(rows)
    )


def _usual(story: Story, base: int) -> Usual:
    dimensions = tuple(_dimension(*row) for row in story.seen)
    known = any(dimension.usual for dimension in dimensions)
    first = base - 61 * timestamps.DAY + 4 * timestamps.HOUR if known else None
    last = base - 3 * timestamps.HOUR if known else None
    return Usual(dimensions, 58 if known else 0, first, last, 3.4 if known else None)


def _dimension(name: str, usual: str, observed: str) -> Dimension:
    before = tuple(UsualValue(clip(v.strip(), 256), 58 - 13 * n) for n, v in enumerate(usual.split(";")) if v)
    now = (v.strip() for v in observed.split(";") if v)
    seen = tuple(ObservedValue(clip(v.lstrip("+"), 256), v.startswith("+"), 37 - 5 * n) for n, v in enumerate(now))
    return Dimension(name, before, seen)


def _impact(story: Story) -> Impact:
    factors = (
        ImpactFactor("criticality", story.criticality, 1.5 if story.criticality == "high" else 1.0),
        ImpactFactor("environment", story.environment, 1.2 if story.environment == "production" else 0.6),
        ImpactFactor("privilege", "write", 1.0),
    )
    level = {"high": "high", "low": "low"}.get(story.criticality, "medium")
    return Impact(level, story.criticality, story.environment, "write", "4 services, 2 regions", factors)


def _controls(story: Story) -> tuple[Control, ...]:
    key = "AKIA" + digest(story.key)[:12].upper() + "EX"
    first = story.steps[0][1]
    return (
        Control("rotate_secret", True, f"Disable access key {key}, issue a new one, revoke its sessions.", "open"),
        Control(
            "reduce_privilege", True, clip(f"First used here and unused in 61 days before: {first}.", 1000), "open"
        ),
    )


STORIES = (
    Story(
        "deploy-bot",
        "Stolen key: credential creation from a Tor exit",
        "The access key of deploy-bot, used only from GitHub runners for 58 days, came from a Tor exit, probed its "
        "permissions, created a user with a second key and read 14 secrets within 40 minutes.",
        f"arn:aws:iam::{ACCOUNT}:user/deploy-bot",
        "user",
        "platform@example.com",
        97.3,
        (
            (
                "network_novelty",
                2.81,
                14.2,
                "185.220.101.0/24 (Tor exit) was never seen with this identity, its peers or the tenant.",
            ),
            (
                "credential_creation",
                1.94,
                2.0,
                "CreateUser and CreateAccessKey succeeded; deploy-bot never created a credential before.",
            ),
            ("secret_reading", 1.37, 14.0, "14 different secrets read in 9 minutes; usual is 1 a day."),
            (
                "tactic_chain",
                1.12,
                4.0,
                "Discovery, credential access and persistence followed in order within 40 minutes.",
            ),
            ("denied_novelty", 0.66, 6.0, "6 calls denied that this identity had never tried."),
            ("agent_novelty", 0.41, 5.5, "User agent aws-cli; 58 days of terraform only."),
            ("schedule", 0.0, 0.0, "Started within the hours in which the identity usually works."),
            ("key_age", 0.12, None, "No event tells when this key was created."),
            ("mfa", 0.0, 0.0, "Machines of this kind never use MFA."),
        ),
        (
            (132, "sts:GetCallerIdentity", "success", "185.220.101.0/24", 0.6, 1),
            (134, "iam:ListUsers", "denied", "185.220.101.0/24", 1.5, 2),
            (136, "s3:ListAllMyBuckets", "denied", "185.220.101.0/24", 1.2, 4),
            (141, "iam:CreateUser", "success", "185.220.101.0/24", 4.8, 1),
            (142, "iam:CreateAccessKey", "success", "185.220.101.0/24", 5.7, 1),
            (144, "iam:AttachUserPolicy", "success", "185.220.101.0/24", 5.1, 1),
            (151, "secretsmanager:ListSecrets", "success", "185.220.101.0/24", 2.1, 1),
            (153, "secretsmanager:GetSecretValue", "success", "185.220.101.0/24", 4.2, 14),
            (166, "s3:GetObject", "success", "185.220.101.0/24", 0.9, 260),
        ),
        (
            ("network", "140.82.112.0/20 GitHub;20.102.32.0/20 Azure", "+185.220.101.0/24 Tor"),
            (
                "action",
                "s3:PutObject;ecs:UpdateService;ecr:PutImage;sts:GetCallerIdentity",
                "+iam:CreateAccessKey;+secretsmanager:GetSecretValue;+iam:AttachUserPolicy;sts:GetCallerIdentity",
            ),
            ("agent", "terraform;boto3", "+aws-cli"),
            ("hour", "02;09;14", "02"),
            ("region", "eu-west-1", "eu-west-1"),
        ),
        ("T1078.004", "T1136.003", "T1098.001", "T1555.006"),
        ("NHI2:2025", "NHI5:2025"),
    ),
    Story(
        "ml-batch",
        "LLMjacking: model access unlocked and used in six regions",
        "A role for batch jobs asked for the models of Bedrock, tested its permission with an impossible request, "
        "signed a model agreement and invoked a model 1,900 times from six regions.",
        f"arn:aws:iam::{ACCOUNT}:role/ml-batch-inference",
        "role",
        "data-science@example.com",
        94.1,
        (
            (
                "llmjacking_chain",
                3.02,
                4.0,
                "Probe, permission test, unlock and abuse of model invocation, in this order.",
            ),
            ("region_fanout", 1.45, 6.0, "Six regions in one hour; usual is one."),
            ("network_novelty", 1.32, 9.1, "45.77.0.0/16 (Vultr) is new for this identity."),
            ("logging_tampered", 0.95, 1.0, "DeleteModelInvocationLoggingConfiguration succeeded."),
            ("peers", 0.0, 0.4, "Three peers invoke models as well."),
        ),
        (
            (611, "bedrock:ListFoundationModels", "success", "45.77.0.0/16", 1.8, 3),
            (613, "bedrock:GetModelInvocationLoggingConfiguration", "success", "45.77.0.0/16", 2.7, 6),
            (617, "bedrock:InvokeModel", "failure", "45.77.0.0/16", 3.9, 6),
            (624, "bedrock:CreateFoundationModelAgreement", "success", "45.77.0.0/16", 4.5, 1),
            (640, "bedrock:InvokeModelWithResponseStream", "success", "45.77.0.0/16", 5.4, 1900),
            (655, "bedrock:DeleteModelInvocationLoggingConfiguration", "success", "45.77.0.0/16", 3.0, 1),
        ),
        (
            ("region", "us-east-1", "+ap-south-1;+eu-central-1;+sa-east-1;+us-west-2;us-east-1"),
            ("network", "10.0.0.0/16 own VPC", "+45.77.0.0/16 Vultr"),
            ("action", "s3:GetObject;sagemaker:CreateTransformJob", "+bedrock:InvokeModelWithResponseStream"),
        ),
        ("T1078.004", "T1496.004", "T1562.008"),
        day=1,
    ),
    Story(
        "ecs-orders",
        "Session of an ECS task used outside AWS",
        "A session issued to a task in eu-west-1 was used at the same time from a residential network.",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-task",
        "role",
        "orders@example.com",
        88.6,
        (
            ("session_moved", 2.44, 1.0, "The session was issued to 10.4.0.0/16 and used from 88.130.0.0/16."),
            ("two_networks", 1.31, 2.0, "One credential from two networks in the same 5 minutes."),
            ("data_read", 0.72, 220.0, "220 objects of orders-archive read; usual is 3."),
            ("volume", 0.0, 0.2, "The number of events is ordinary for a Monday."),
        ),
        (
            (840, "sts:GetCallerIdentity", "success", "88.130.0.0/16", 2.4, 1),
            (842, "s3:ListBucket", "success", "88.130.0.0/16", 2.7, 3),
            (845, "s3:GetObject", "success", "88.130.0.0/16", 4.2, 220),
        ),
        (
            ("network", "10.4.0.0/16 own VPC", "+88.130.0.0/16 Deutsche Telekom;10.4.0.0/16"),
            ("agent", "aws-sdk-java", "+aws-cli;aws-sdk-java"),
        ),
        ("T1550.001", "T1530"),
        ("NHI4:2025",),
    ),
    Story(
        "backup-role",
        "Misuse from inside: backup role shares snapshots with a foreign account",
        "From its own network the backup role shared three database snapshots with an account never seen before.",
        f"arn:aws:iam::{ACCOUNT}:role/nightly-backup",
        "role",
        "storage@example.com",
        79.9,
        (
            ("shared_outside", 2.05, 3.0, "ModifyDBSnapshotAttribute opened 3 snapshots to account 999988887777."),
            ("action_novelty", 1.22, 10.8, "First ModifyDBSnapshotAttribute in 61 days."),
            ("network_novelty", 0.0, 0.0, "The usual network of this identity."),
        ),
        (
            (1310, "rds:DescribeDBSnapshots", "success", "10.8.0.0/16", 0.3, 2),
            (1314, "rds:ModifyDBSnapshotAttribute", "success", "10.8.0.0/16", 5.7, 3),
        ),
        (
            (
                "action",
                "rds:CreateDBSnapshot;rds:DescribeDBSnapshots",
                "+rds:ModifyDBSnapshotAttribute;rds:DescribeDBSnapshots",
            ),
            ("target", "own account", "+999988887777"),
        ),
        ("T1537",),
        day=1,
    ),
    Story(
        "web-prod",
        HOSTILE[0],
        f"Hostile values: {HOSTILE[1]} and {HOSTILE[2]} and {HOSTILE[3]} and {HOSTILE[5]}",
        HOSTILE[1],
        "user",
        HOSTILE[2],
        71.0,
        (
            ("agent_novelty", 1.4, 7.0, f"User agent {HOSTILE[0]} is new. {HOSTILE[4]}"),
            ("network_novelty", 0.9, 3.0, HOSTILE[3]),
        ),
        ((300, HOSTILE[5], "success", HOSTILE[0], 3.3, 1), (420, HOSTILE[6], "denied", HOSTILE[3], 2.7, 7)),
        (("agent", HOSTILE[2], "+" + HOSTILE[0]), ("target", HOSTILE[6], "+" + HOSTILE[4])),
        ("T1078.004",),
    ),
    Story(
        "ci-oidc",
        "Pipeline of a fork assumed the deployment role",
        "A web identity of an unknown repository assumed the deployment role and read its parameters.",
        "repo:example/shop:ref:refs/pull/81/merge",
        "web_identity",
        "platform@example.com",
        66.2,
        (
            ("subject_novelty", 1.61, 12.0, "OIDC subject refs/pull/81/merge never assumed this role."),
            ("secret_reading", 0.9, 5.0, "Five parameters read with decryption."),
            ("action_known", 0.0, 0.0, "All actions are usual for this role."),
        ),
        (
            (700, "sts:AssumeRoleWithWebIdentity", "success", "140.82.112.0/20", 2.7, 1),
            (701, "ssm:GetParametersByPath", "success", "140.82.112.0/20", 3.3, 5),
        ),
        (("subject", "refs/heads/main", "+refs/pull/81/merge"),),
        ("T1199",),
        ("NHI6:2025",),
        day=2,
    ),
    Story(
        "legacy-sync",
        "Dormant key woke up after 143 days",
        "A key unused for 143 days listed buckets from a hosting network.",
        f"arn:aws:iam::{ACCOUNT}:user/legacy-sync",
        "user",
        "",
        58.4,
        (
            ("dormant", 1.52, 143.0, "No event for 143 days."),
            ("network_novelty", 0.88, 6.0, "51.158.0.0/16 (Scaleway) is new."),
        ),
        ((1020, "s3:ListAllMyBuckets", "success", "51.158.0.0/16", 2.7, 2),),
        (("network", "", "+51.158.0.0/16 Scaleway"),),
        ("T1078.004",),
        ("NHI1:2025",),
        2,
        environment="test",
        criticality="low",
    ),
    Story(
        "exposed-key",
        "Access key found in a public repository",
        "Secret scanning reported the key; it has not been used since.",
        f"arn:aws:iam::{ACCOUNT}:user/billing-export",
        "user",
        "finance@example.com",
        52.0,
        (
            ("exposure", 1.9, 1.0, "Secret scanning named this key 4 minutes ago."),
            ("use_since", 0.3, None, "CloudTrail is up to 15 minutes late."),
        ),
        ((1200, "github:SecretScanningAlert", "success", "github.com", 5.7, 1),),
        (),
        (),
        ("NHI2:2025",),
        2,
        "exposure",
    ),
    Story(
        "slow-recon",
        "Slow discovery: one new list call every 20 minutes",
        "17 list calls over six hours, none seen before.",
        f"arn:aws:iam::{ACCOUNT}:role/report-reader",
        "role",
        "bi@example.com",
        47.5,
        (
            ("slow_discovery", 1.33, 17.0, "17 new list calls, 18 to 22 minutes apart."),
            ("volume", 0.0, 0.1, "Few events."),
        ),
        tuple(
            (60 + 20 * n, f"{service}:List", "success", "10.9.0.0/16", 0.9, 1)
            for n, service in enumerate(
                (
                    "iam",
                    "s3",
                    "ec2",
                    "rds",
                    "kms",
                    "sns",
                    "sqs",
                    "ecr",
                    "ecs",
                    "eks",
                    "logs",
                    "athena",
                    "glue",
                    "lambda",
                    "ssm",
                    "sts",
                    "acm",
                )
            )
        ),
        (("service", "athena;s3", "+iam;+kms;+ecr;+eks;+sqs;athena;s3"),),
        ("T1580", "T1526"),
        day=3,
    ),
    Story(
        "wide-open",
        "Administrator rights, three actions used",
        "The role holds AdministratorAccess and used three actions in 61 days.",
        f"arn:aws:iam::{ACCOUNT}:role/thumbnailer",
        "role",
        "web@example.com",
        38.0,
        (("unused_privilege", 0.9, 0.98, "98% of what the role may do was never used."),),
        ((0, "iam:AttachRolePolicy", "success", "10.2.0.0/16", 2.7, 1),),
        (("action", "s3:GetObject;s3:PutObject", "s3:GetObject"),),
        (),
        ("NHI5:2025",),
        3,
        "posture",
    ),
    Story(
        "no-data-events",
        "Blind spot: no data events for three buckets",
        "S3 data events are off, so reading cannot be judged.",
        f"account {ACCOUNT}",
        "account",
        "cloud@example.com",
        24.0,
        (("data_events", 0.4, None, "No data event of these buckets in 30 days."),),
        ((10, "cloudtrail:PutEventSelectors", "success", "10.1.0.0/16", 1.2, 1),),
        (),
        (),
        (),
        3,
        "blind_spot",
    ),
    Story(
        "new-lambda",
        "Newcomer: first day of a function's role",
        "A new role behaves as its peers do.",
        f"arn:aws:iam::{ACCOUNT}:role/resize-images",
        "role",
        "web@example.com",
        11.5,
        (("newcomer", 0.5, 1.0, "First seen today."), ("peers", 0.0, 0.0, "Every action is usual among 12 peers.")),
        (
            (500, "s3:GetObject", "success", "10.3.0.0/16", 0.3, 40),
            (560, "s3:PutObject", "success", "10.3.0.0/16", 0.3, 38),
        ),
        (("action", "", "+s3:GetObject;+s3:PutObject"),),
        (),
        (),
        3,
        environment="development",
        criticality="low",
    ),
)


def samples() -> list[Notable]:
    """The dozen, ranked."""
    return [build(story, rank) for rank, story in enumerate(STORIES, 1)]


def documents() -> list[Any]:
    """The dozen as JSON objects."""
    return [to_json(notable) for notable in samples()]


def many(count: int) -> list[Any]:
    """As many notables as wanted: the dozen over and over, with ids of their own."""
    result = []
    for number in range(count):
        notable = build(STORIES[number % len(STORIES)], number + 1)
        result.append(to_json(replace(notable, id=f"{notable.id}#{number}")))
    return result


def held(page: str) -> str:
    """The JSON of what a report holds of its notables."""
    match = re.search(r'<pre id="data" hidden>([^<]*)</pre>', page)
    assert match
    return gzip.decompress(base64.b64decode(match[1])).decode()


def run(notables: int = 12) -> Any:
    """A run.json that fits the dozen."""
    return {
        "created": "2026-03-13T00:05:00Z",
        "read": 184_221,
        "parsed": 184_218,
        "rejected": {"bad_time": 1, "not_json": 2},
        "duplicates": 40,
        "days": ["2026-03-09", "2026-03-12"],
        "data_end": "2026-03-13T00:00:00Z",
        "events": 184_178,
        "behaviours": 20_914,
        "identities": 312,
        "episodes": 1_077,
        "notables": notables,
        "overflow": 4,
        "budget": 10,
        "week": {"places": 22, "taken": 9, "least": 10.0},
        "alerts_in": 61,
        "seconds": {"read": 1.9, "score": 0.8, "write": 0.2},
        "model": {"id": "model-2026.03", "sha256": digest("model")},
        "baseline": {"id": "2026-03-12"},
    }


def altered(document: Any) -> Any:
    """A document that a test has changed: to the types it is no longer the schema's."""
    return document
