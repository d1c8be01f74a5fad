"""Techniques from the victim's own place, with its own program, after 17 ordinary days: which signal tells.

Each case is made from the public description of a technique (ATT&CK, the providers' documentation of the call); records
are read as a customer's are. The last test says what the same signals tell of an ordinary eighteenth day: nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

import pytest

from core_samples import ACCOUNT, TODAY, record
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import model
from nhi_watch.detect.scoring import Baselines, views_of
from nhi_watch.detect.signals import SIGNALS, EpisodeView, Signal
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import every
from nhi_watch.state.baseline import Profile, learn_groups, lesson, peer_scope, teach

Record = dict[str, Any]
BY_NAME: Mapping[str, Signal] = {signal.name: signal for signal in SIGNALS}
LEARNT = 17
LOUD = 8.0
"""Bits that an ordinary identity-day reaches once in some hundreds."""
STRANGER = "999999999999"
SOURCES = tuple(every())


def wholes(records: Sequence[object]) -> Mapping[int, Mapping[str, IdentityDay]]:
    rejected: list[object] = []
    intake = Intake(SOURCES)
    intake.feed(records, lambda index, reject: rejected.append(reject))
    assert not rejected
    return intake.batch


def learnt(records: Sequence[object]) -> Baselines:
    baselines = Baselines(model.load())
    for day, identity_days in sorted(wholes(records).items()):
        lessons = []
        for name, identity_day in identity_days.items():
            taught = lesson((b, False) for b in identity_day.ordered())
            teach(baselines.own.setdefault(name, Profile()), day, *taught)
            lessons.append((*taught, peer_scope(identity_day.identity)))
        learn_groups(baselines.groups, day, lessons)
    return baselines


def told(signal: str, history: Sequence[object], today: Sequence[object], who: str = "") -> tuple[Optional[float], str]:
    """Value and evidence of a signal for the identity whose id or name holds `who`."""
    baselines = learnt(history)
    identity_days = [w for w in wholes(today)[TODAY].values() if who in w.identity.id or who in w.identity.name]
    assert len(identity_days) == 1
    baseline = baselines.baseline(identity_days[0].identity, TODAY)
    views = views_of(identity_days[0].ordered(), baseline)
    how = BY_NAME[signal]
    if how.scope == "behaviour":
        best = max(views, key=lambda view: how.value(view) or 0.0)
        return how.value(best), how.evidence(best) if how.value(best) else ""
    value = how.value(EpisodeView(views, baseline))
    return value, how.evidence(EpisodeView(views, baseline)) if value else ""


# ---- AWS: four services that read and write their own bucket and queue each hour of their working day


ROLES = ("payments-api", "orders-api", "reports-job", "mailer")


def aws_day(day: int) -> list[Record]:
    built = []
    for role in ROLES:
        for hour in range(8, 18):
            built += [
                record(day, f"{hour}:10", role=role, bucket=f"{role}-data"),
                record(day, f"{hour}:20", role=role, bucket=f"{role}-data", name="PutObject"),
                record(day, f"{hour}:30", role=role, service="sqs", name="ReceiveMessage"),
                record(
                    day,
                    f"{hour}:40",
                    role=role,
                    service="secretsmanager",
                    name="GetSecretValue",
                    requestParameters={"secretId": f"{role}/db"},
                ),
            ]
    return built


AWS = [each for day in range(TODAY - LEARNT, TODAY) for each in aws_day(day)]


def aws(service: str, call: str, times: int = 1, **params: Any) -> list[Record]:
    """Calls of the stolen role, from its own address and client."""
    return [
        record(
            TODAY,
            f"13:{n // 60:02}:{n % 60:02}",
            role="reports-job",
            service=service,
            name=call,
            requestParameters=copy.deepcopy(params),
            id=f"{call}-{n}",
        )
        for n in range(times)
    ]


class Case(NamedTuple):
    technique: str
    signal: str
    records: list[Record]
    says: str


FOREIGN_KEY = f"arn:aws:kms:eu-west-1:{STRANGER}:key/0a"
SHARED: Record = {"createVolumePermission": {"add": {"items": [{"userId": STRANGER}]}}}
IMAGE: Record = {"launchPermission": {"add": {"items": [{"userId": STRANGER}]}}}
POLICY = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "s3:GetObject"}]}
REPLICATION = {"Rule": {"Status": "Enabled", "Destination": {"Account": STRANGER, "Bucket": "arn:aws:s3:::b"}}}
CUSTOMER_KEY = {"x-amz-server-side-encryption-customer-algorithm": "AES256"}
GPU: Record = {"instanceType": "p4d.24xlarge", "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]}}
SMALL: Record = {"instanceType": "t3.medium", "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]}}
AWS_CASES = [
    Case("snapshot shared", "grave_act",
         aws("ec2", "ModifySnapshotAttribute", snapshotId="snap-1", **SHARED), "snap-1"),
    Case("image shared", "grave_act", aws("ec2", "ModifyImageAttribute", imageId="ami-1", **IMAGE), "ami-1"),
    Case("bucket shared", "grave_act", aws("s3", "PutBucketPolicy", bucketName="b-1", bucketPolicy=POLICY), "b-1"),
    Case("database snapshot shared", "grave_act",
         aws("rds", "ModifyDBSnapshotAttribute", dBSnapshotIdentifier="db-1", valuesToAdd=[STRANGER]), "db-1"),
    Case("snapshot restored in public", "grave_act",
         aws("rds", "RestoreDBInstanceFromDBSnapshot", dBInstanceIdentifier="x", publiclyAccessible=True), "everybody"),
    Case("replication to another account", "grave_act",
         aws("s3", "PutBucketReplication", bucketName="b-1", ReplicationConfiguration=REPLICATION), "outside account"),
    Case("SAML provider", "grave_act", aws("iam", "CreateSAMLProvider", name="corp"), "identity provider"),
    Case("OIDC provider", "grave_act", aws("iam", "CreateOpenIDConnectProvider", url="https://x.example"),
         "which identity provider is trusted"),
    Case("SSO assignment", "grave_act", aws("sso", "CreateAccountAssignment", targetId=ACCOUNT), "administrator"),
    Case("MFA of others taken", "grave_act", aws("iam", "DeactivateMFADevice", 3, userName="ann"), "3 calls) of ann"),
    Case("objects encrypted by the caller's key", "grave_act",
         aws("s3", "CopyObject", 40, bucketName="reports-job-data", **CUSTOMER_KEY), "key of the caller's own"),
    Case("the same by known calls", "grave_act",
         aws("s3", "PutObject", 40, bucketName="reports-job-data", **CUSTOMER_KEY), "40 calls"),
    Case("snapshot copied under a foreign key", "grave_act",
         aws("ec2", "CopySnapshot", snapshotId="snap-1", kmsKeyId=FOREIGN_KEY), "foreign account"),
    Case("trail stopped", "grave_act", aws("cloudtrail", "StopLogging", name="main"), "of main from"),
    Case("trail narrowed", "grave_act",
         aws("cloudtrail", "PutEventSelectors", trailName="main", eventSelectors=[{"readWriteType": "WriteOnly"}]),
         "narrows a log"),
    Case("detector deleted", "grave_act", aws("guardduty", "DeleteDetector", detectorId="d"), "detector"),
    Case("DataSync", "grave_act", aws("datasync", "StartTaskExecution", taskArn="task-1"), "task-1"),
    Case("S3 batch", "grave_act", aws("s3", "CreateJob"), "in bulk"),
    Case("EBS direct reads", "grave_act", aws("ebs", "GetSnapshotBlock", 200, snapshotId="snap-1"), "200 calls"),
    Case("DynamoDB export", "grave_act", aws("dynamodb", "ExportTableToPointInTime", tableArn="t/1"), "t/1"),
    Case("SSM activation", "grave_act", aws("ssm", "CreateActivation", iamRole="r"), "remote access to hosts"),
    Case("keys destroyed", "grave_act", aws("kms", "ScheduleKeyDeletion", keyId="k-1"), "k-1"),
    Case("Athena", "first_act", aws("athena", "StartQueryExecution", workGroup="primary"), "primary"),
    Case("Redshift unload", "first_act", aws("redshift-data", "ExecuteStatement", 2), "2 calls"),
    Case("log queries", "first_act", aws("logs", "StartQuery", logGroupName="/app"), "/app"),
    Case("CodeCommit", "first_act", aws("codecommit", "GitPull", repositoryName="core"), "core"),
    Case("Bedrock agent", "first_act", aws("bedrock", "CreateAgent"), "AI agent"),
    Case("GPU machine", "first_act", aws("ec2", "RunInstances", **GPU), "large machines"),
    Case("small mining", "first_act", aws("ec2", "RunInstances", 4, **SMALL), "machines or jobs"),
    Case("mining on Lightsail", "first_act", aws("lightsail", "CreateInstances"), "machines or jobs"),
]  # fmt: skip


@pytest.mark.parametrize("case", AWS_CASES, ids=lambda case: case.technique)
def test_an_aws_technique_from_inside_is_loud(case: Case) -> None:
    value, evidence = told(case.signal, AWS, [*aws_day(TODAY), *case.records], "reports-job")
    assert value is not None
    assert value >= LOUD
    assert case.says in evidence
    assert "boto" in evidence.lower()


def test_a_bucket_never_used_is_told_with_count_and_name() -> None:
    """88 reads by a role that reads elsewhere every day."""
    stolen = aws("s3", "GetObject", 88, bucketName="payroll-archive")
    value, evidence = told("first_targets", AWS, [*aws_day(TODAY), *stolen], "reports-job")
    assert value is not None
    assert value > 4
    assert "88 reads of targets not used in 17 active days (1): payroll-archive" in evidence


@pytest.mark.parametrize("error", ["AccessDenied", "NoSuchKey"])
def test_what_was_refused_or_failed_on_the_eve_touched_nothing(error: str) -> None:
    stolen = aws("s3", "GetObject", 88, bucketName="payroll-archive")
    eve = [
        {**item, "errorCode": error, "eventTime": render((TODAY - 1) * DAY + n), "eventID": f"eve{n}"}
        for n, item in enumerate(stolen)
    ]
    for signal in ("first_targets", "target_fan_out"):
        value, _ = told(signal, AWS, [*aws_day(TODAY), *stolen], "reports-job")
        tried_before, _ = told(signal, [*AWS, *eve], [*aws_day(TODAY), *stolen], "reports-job")
        assert value and tried_before and tried_before > value - 0.5, signal


def test_bulk_by_who_is_hardly_known_names_bucket_client_and_place() -> None:
    stranger = [
        record(TODAY, f"13:{n // 60:02}:{n % 60:02}", role="new-one", bucket="archive", id=f"n{n}") for n in range(600)
    ]
    value, evidence = told("mass_by_stranger", AWS, [*aws_day(TODAY), *stranger], "new-one")
    assert value is not None
    assert value > 3
    assert "s3:GetObject (600 calls) of archive from aws with boto3" in evidence


def test_an_ordinary_day_says_nothing() -> None:
    for signal in ("grave_act", "first_act", "first_targets"):
        assert told(signal, AWS, aws_day(TODAY), "reports-job") == (0.0, ""), signal


def test_sharing_that_came_every_week_is_no_first_act() -> None:
    weekly = [
        record(
            day,
            "03:00",
            role="backup",
            service="ec2",
            name="ModifySnapshotAttribute",
            requestParameters={"snapshotId": f"snap-{day}", **SHARED},
        )
        for day in range(TODAY - LEARNT, TODAY + 1, 4)
    ]
    history = [each for each in weekly if each["eventTime"] < render(TODAY * DAY)]
    today = [{**weekly[0], "eventTime": render(TODAY * DAY + 9), "eventID": "today"}, *aws_day(TODAY)]
    assert told("grave_act", [*AWS, *history], today, "backup")[0] == 0.0


# ---- Kubernetes: three workloads that look at their own pods and read their own secret; level Metadata


def kube(
    day: int,
    clock: str,
    account: str,
    verb: str,
    resource: str,
    space: str,
    name: str = "",
    sub: str = "",
    body: Optional[Mapping[str, Any]] = None,
    number: int = 0,
) -> Record:
    where, _, bare = account.partition("/")
    ref = {"resource": resource, "namespace": space, "name": name, "subresource": sub, "apiVersion": "v1"}
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request" if body else "Metadata",
        "auditID": f"{day}-{clock}-{account}-{resource}-{verb}-{number}",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/{resource}",
        "verb": verb,
        "user": {"username": f"system:serviceaccount:{where}:{bare}", "uid": f"uid-{bare}"},
        "sourceIPs": ["10.8.0.7"],
        "userAgent": "client-go/v0.31",
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": f"{render(day * DAY)[:10]}T{clock}:00.000000Z",
        "stageTimestamp": f"{render(day * DAY)[:10]}T{clock}:00.100000Z",
        "objectRef": {key: value for key, value in ref.items() if value},
        **({"requestObject": body} if body else {}),
    }


def kube_day(day: int) -> list[Record]:
    built = []
    for account in ("shop/api", "mail/sender", "ops/deployer"):
        space = account.partition("/")[0]
        for hour in ("08", "12", "16"):
            built += [
                kube(day, f"{hour}:10", account, "list", "pods", space),
                kube(day, f"{hour}:20", account, "get", "secrets", space, "db"),
                kube(day, f"{hour}:30", account, "create", "pods", space, "own", "exec"),
                kube(day, f"{hour}:40", account, "create", "pods", space, f"job-{hour}"),
            ]
    return built


KUBE = [each for day in range(TODAY - LEARNT, TODAY) for each in kube_day(day)]
HOST_POD = {"spec": {"hostPID": True, "containers": [{"name": "a"}]}}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("list", "secrets", ""), "all secrets at once"),
        (("create", "serviceaccounts", "kube-system", "admin", "token"), "token of another account"),
        (("create", "clusterrolebindings", "", "x"), "full administrator rights"),
        (("create", "pods", "kube-system", "coredns-1", "exec"), "the cluster's system namespace"),
        (("get", "secrets", "kube-system", "bootstrap"), "the cluster's system namespace"),
        (("create", "pods", "shop", "b", "", HOST_POD), "access to its host"),
    ],
    ids=lambda text: "-".join(map(str, text[:2])) if isinstance(text, tuple) else "",
)
def test_a_kubernetes_technique_from_inside_is_loud(call: tuple[Any, ...], says: str) -> None:
    """By an account that never did, though it opens shells, reads secrets and makes pods of its own each day."""
    value, evidence = told("grave_act", KUBE, [*kube_day(TODAY), kube(TODAY, "13:00", "shop/api", *call)], "shop:api")
    assert value is not None
    assert value >= LOUD
    assert says in evidence


def pods_day(day: int) -> list[Record]:
    """Eight workloads in four namespaces that look at their own settings; one operator does all else."""
    built = []
    for space in ("web", "cart", "search", "stock"):
        for bare in ("front", "back"):
            built += [
                kube(day, f"{hour}:10", f"{space}/{bare}", "get", "configmaps", space, "own")
                for hour in ("08", "12", "16")
            ]
    for hour in ("08", "12", "16"):
        built += [
            kube(day, f"{hour}:20", "ops/deployer", "get", "secrets", "ops", "db"),
            kube(day, f"{hour}:30", "ops/deployer", "create", "pods", "ops", "own", "exec"),
            kube(day, f"{hour}:40", "ops/deployer", "create", "pods", "ops", f"job-{hour}"),
        ]
    return built


PODS = [each for day in range(TODAY - LEARNT, TODAY) for each in pods_day(day)]


@pytest.mark.parametrize(
    ("signal", "call"),
    [
        ("grave_act", ("create", "clusterrolebindings", "", "x")),
        ("grave_act", ("create", "pods", "web", "b", "", HOST_POD)),
        ("grave_act", ("create", "pods", "web", "back-1", "exec")),
        ("grave_act", ("create", "serviceaccounts", "web", "back", "token")),
        ("first_act", ("get", "secrets", "web", "db")),
        ("first_act", ("get", "secrets", "cart", "db")),
        ("first_act", ("create", "pods", "web", "b")),
    ],
    ids=lambda text: "-".join(map(str, text[:2])) if isinstance(text, tuple) else "",
)
def test_what_neither_a_pod_nor_its_namespace_has_done_is_loud(signal: str, call: tuple[Any, ...]) -> None:
    """By one call from the victim's own pod, at level Metadata but for the body of a pod."""
    for name in (signal, "cluster_first"):
        value, _ = told(name, PODS, [*pods_day(TODAY), kube(TODAY, "13:00", "web/front", *call)], "web:front")
        assert value is not None
        assert value >= LOUD


def as_component(day: int, clock: str, verb: str, resource: str, space: str, **more: Any) -> Record:
    return {
        **kube(day, clock, "x/y", verb, resource, space),
        "user": {"username": "system:kube-scheduler"},
        "auditID": f"{day}-{clock}-scheduler-{verb}-{resource}",
        **more,
    }


def scheduler_day(day: int) -> list[Record]:
    return [
        as_component(day, f"{hour}:15", verb, "pods", "web")
        for hour in ("08", "12", "16")
        for verb in ("list", "update")
    ]


@pytest.mark.parametrize(
    "call",
    [
        as_component(TODAY, "13:00", "get", "secrets", "kube-system"),
        as_component(
            TODAY,
            "13:00",
            "list",
            "pods",
            "web",
            impersonatedUser={"username": "system:admin", "groups": ["system:masters"]},
        ),
    ],
    ids=["secrets", "impersonates an administrator"],
)
def test_a_stolen_component_certificate_is_loud_from_inside_the_cluster(call: Record) -> None:
    """From the component's own address and with its own program: what it never did is all that differs."""
    history = [each for day in range(TODAY - LEARNT, TODAY) for each in scheduler_day(day)]
    value, evidence = told("cluster_first", [*PODS, *history], [*scheduler_day(TODAY), call], "scheduler")
    assert value is not None
    assert value >= LOUD, evidence


def test_a_cluster_s_ordinary_day_has_no_new_step() -> None:
    for who in ("web:front", "ops:deployer"):
        assert told("cluster_first", PODS, pods_day(TODAY), who)[0] == 0.0


def test_secrets_of_another_namespace_are_first_targets() -> None:
    stolen = [kube(TODAY, "13:00", "shop/api", "get", "secrets", "mail", f"s{n}", number=n) for n in range(20)]
    value, evidence = told("first_targets", KUBE, [*kube_day(TODAY), *stolen], "shop:api")
    assert value is not None
    assert value > 2
    assert "20 reads" in evidence


# ---- GitHub: tokens of three people, each with repositories of their own


def github(day: int, clock: str, actor: str, action: str, repo: str, number: int = 0, **more: Any) -> Record:
    time = (day * DAY + int(clock[:2]) * 3600 + int(clock[3:]) * 60 + number) * 1000
    return {
        "@timestamp": time, "created_at": time, "_document_id": f"{actor}-{action}-{time}-{repo}", "action": action,
        "actor": actor, "actor_id": len(actor) * 7, "actor_ip": "198.51.100.7", "org": "acme", "org_id": 501,
        "user_agent": "git/2.43", "repo": f"acme/{repo}", "repo_id": len(repo),
        "programmatic_access_type": "Personal access token (classic)", "hashed_token": f"tok-{actor}", **more,
    }  # fmt: skip


def github_day(day: int) -> list[Record]:
    return [
        github(day, f"{hour}:10", actor, action, f"{actor}-app")
        for actor in ("ann", "bert", "cecil")
        for hour in ("08", "11", "15")
        for action in ("git.clone", "git.push")
    ]


GITHUB = [each for day in range(TODAY - LEARNT, TODAY) for each in github_day(day)]
ALERTS = {"request_method": "GET", "route": "/repos/{owner}/{repo}/secret-scanning/alerts"}


@pytest.mark.parametrize(
    ("signal", "action", "more", "says"),
    [
        ("grave_act", "repo.access", {"visibility": "public"}, "everybody"),
        ("grave_act", "deploy_key.create", {}, "access to code"),
        ("grave_act", "repo.register_self_hosted_runner", {}, "access to code"),
        ("grave_act", "repo.set_fork_pr_workflows_policy", {}, "access to code"),
        ("grave_act", "protected_branch.destroy", {}, "access to code"),
        ("grave_act", "org.disable_two_factor_requirement", {}, "second factor"),
        ("grave_act", "audit_log_streaming.destroy", {}, "a log"),
        ("grave_act", "api.request", ALERTS, "all secrets at once"),
        ("first_act", "repo.download_zip", {}, "full repositories"),
    ],
)
def test_a_github_technique_from_inside_is_loud(signal: str, action: str, more: Record, says: str) -> None:
    stolen = github(TODAY, "13:00", "bert", action, "bert-app", **more)
    value, evidence = told(signal, GITHUB, [*github_day(TODAY), stolen], "bert (token)")
    assert value is not None
    assert value >= LOUD
    assert says in evidence


@pytest.mark.parametrize("action", ["git.clone", "repo.download_zip"])
def test_repositories_never_touched_are_first_targets(action: str) -> None:
    stolen = [github(TODAY, "13:00", "bert", action, f"core-{n}", n) for n in range(30)]
    value, evidence = told("first_targets", GITHUB, [*github_day(TODAY), *stolen], "bert (token)")
    assert value is not None
    assert value > 2.5
    assert "30 reads of targets not used in 17 active days" in evidence


# ---- Entra: consent phishing in a tenant of three days


def consent(day: int, person: str, scopes: str, app: str, number: int = 0) -> Record:
    time = f"{render(day * DAY)[:10]}T09:{number:02}:00.0000000Z"
    grant = f"[] => [[Id: x, ClientId: c, ConsentType: AllPrincipals, Scope: {scopes}]]; "
    return {
        "id": f"Directory_{day}_{number}", "category": "ApplicationManagement", "correlationId": f"c-{number}",
        "result": "success", "activityDisplayName": "Consent to application", "activityDateTime": time,
        "loggedByService": "Core Directory", "operationType": "Assign", "tenantId": "t-1",
        "initiatedBy": {"user": {"id": f"0000000{number}-0000-4000-8000-000000000001", "userPrincipalName": person,
                                 "ipAddress": "198.51.100.7"}},
        "targetResources": [{
            "id": "11111111-0000-4000-8000-00000000000a", "displayName": app, "type": "ServicePrincipal",
            "modifiedProperties": [{"displayName": "ConsentAction.Permissions", "oldValue": "", "newValue": grant}],
        }],
        "additionalDetails": [],
    }  # fmt: skip


PHISHED = "offline_access Mail.Read Files.ReadWrite.All User.Read"


def test_consent_phishing_is_told_with_app_scopes_and_who_let_it_in() -> None:
    before = [consent(day, "it@acme.example", "User.Read", "Payroll") for day in range(TODAY - 3, TODAY)]
    phished = [consent(TODAY, f"p{n}@acme.example", PHISHED, "Micros0ft 365 Backup", n) for n in range(3)]
    for each in phished:
        each["targetResources"][0]["id"] = "22222222-0000-4000-8000-00000000000b"
    value, evidence = told("app_consent", before, phished, "Micros0ft")
    assert value is not None
    assert value >= LOUD
    for part in (
        "Micros0ft 365 Backup, never seen before",
        "3 consents",
        "p0@acme.example",
        "(3)",
        "Mail.Read",
        "Files.ReadWrite.All",
        "lookalike",
        "offline access",
        "tenant wide",
    ):
        assert part in evidence
