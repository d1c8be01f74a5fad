"""Changes to the account, in the shape that CloudTrail gives them; used by deployers and by campaigns alike."""  # noqa: E501

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.shapes import LAMBDA_TRUST, Shape, policy
from nhi_watch_lab.simulator.world import WORDS, World

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_CREATED = "Mar 3, 2025, 9:14:07 AM"


def trust(principal: str, also: str = "") -> str:
    """A role's trust policy for an account, as in the real ones: the root of that account."""
    own = (
        '{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},'
        if also
        else ""
    )
    return (
        f'{{"Version":"2012-10-17","Statement":[{own}{{"Effect":"Allow",'
        f'"Principal":{{"AWS":"arn:aws:iam::{principal}:root"}},"Action":"sts:AssumeRole"}}]}}'
    )


def create_user(world: World, name: str, principal: str) -> Detail:
    """`principal` is the new user's id."""
    user = {
        "path": "/",
        "userName": name,
        "userId": principal,
        "arn": world.arn("iam", f"user/{name}"),
        "createDate": _CREATED,
    }
    return Detail({"userName": name}, {"user": user})


def create_key(name: str, key: str) -> Detail:
    """A new access key of a user."""
    made = {"userName": name, "accessKeyId": key, "status": "Active", "createDate": _CREATED}
    return Detail({"userName": name}, {"accessKey": made})


def create_role(world: World, name: str, trusted: str, principal: str) -> Detail:
    """`trusted` is the trust policy."""
    role = {
        "path": "/",
        "roleName": name,
        "roleId": principal,
        "arn": world.arn("iam", f"role/{name}"),
        "createDate": _CREATED,
    }
    return Detail({"roleName": name, "assumeRolePolicyDocument": trusted}, {"role": role})


def share_snapshot(snapshot: str, account: str) -> Detail:
    """An EBS snapshot given to another account, or to `all`."""
    item = {"group": "all"} if account == "all" else {"userId": account}
    params = {
        "snapshotId": snapshot,
        "createVolumePermission": {"add": {"items": [item]}},
        "attributeType": "CREATE_VOLUME_PERMISSION",
    }
    return Detail(params, {"requestId": snapshot, "_return": True})


def share_image(image: str, account: str) -> Detail:
    """An AMI given to another account."""
    permission = {"add": {"items": [{"userId": account}]}}
    params = {"imageId": image, "launchPermission": permission, "attributeType": "launchPermission"}
    return Detail(params, {"requestId": image, "_return": True})


def share_db_snapshot(name: str, account: str) -> Detail:
    """An RDS snapshot given to another account."""
    params = {"dBSnapshotIdentifier": name, "attributeName": "restore", "valuesToAdd": [account]}
    attributes = [{"attributeName": "restore", "attributeValues": [account]}]
    return Detail(params, {"dBSnapshotIdentifier": name, "dBSnapshotAttributes": attributes})


def open_port(group: str, port: int, source: str) -> Detail:
    """An ingress rule; `source` is a network as in 10.0.0.0/8."""
    ranges = {"items": [{"cidrIp": source}]}
    item = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": {}, "ipRanges": ranges}
    params = {"groupId": group, "ipPermissions": {"items": [{**item, "ipv6Ranges": {}, "prefixListIds": {}}]}}
    return Detail(params, {"requestId": group, "_return": True})


def run_instances(dice: Dice, kind: str, count: int, user_data: bool = False) -> Detail:
    """New instances of a type, at most `count`."""
    params = {
        "instancesSet": {"items": [{"imageId": f"ami-0{dice.hexes(16)}", "minCount": 1, "maxCount": count}]},
        "instanceType": kind,
        "blockDeviceMapping": {},
        "monitoring": {"enabled": False},
        "subnetId": f"subnet-0{dice.hexes(16)}",
        "disableApiTermination": False,
        "disableApiStop": False,
        "clientToken": dice.uuid(),
    }
    if user_data:
        params["userData"] = "<sensitiveDataRemoved>"
    made = {
        "items": [
            {
                "instanceId": f"i-0{dice.hexes(16)}",
                "instanceType": kind,
                "currentState": {"code": 0, "name": "pending"},
            }
        ]
    }
    return Detail(
        params, {"requestId": dice.uuid(), "reservationId": f"r-0{dice.hexes(16)}", "instancesSet": made}
    )


def send_command(dice: Dice, instances: list[str], document: str = "AWS-RunShellScript") -> Detail:
    """A command on hosts by SSM."""
    params = {
        "documentName": document,
        "instanceIds": instances,
        "interactive": False,
        "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    done = {"commandId": dice.uuid(), "documentName": document, "instanceIds": instances, "status": "Pending"}
    return Detail(params, {"command": done})


def function_code(world: World, name: str, region: str, code: str) -> Detail:
    """New code for a function; `code` is its SHA-256 as shown."""
    arn = world.arn("lambda", f"function:{name}", region)
    params = {
        "functionName": name,
        "publish": True,
        "dryRun": False,
        "fullyQualifiedArn": {
            "arnPrefix": {"partition": "aws", "region": region, "account": world.account},
            "relativeId": {"functionName": name},
            "functionQualifier": {},
        },
    }
    done = {
        "functionName": name,
        "functionArn": arn,
        "runtime": "python3.12",
        "codeSha256": code,
        "version": "12",
    }
    return Detail(params, {**done, "environment": {}, "layers": []})


def function_layers(name: str, layer: str) -> Detail:
    """A function's new layer."""
    return Detail({"functionName": name, "layers": [layer], "environment": {}}, {"functionName": name})


def login_profile(name: str, reset: bool) -> Detail:
    """A console password for a user, to be changed at once or not."""
    made = {"userName": name, "passwordResetRequired": reset}
    return Detail(made, {"loginProfile": made})


def event_selectors(trail: str, read_write: str, management: bool) -> Detail:
    """What a trail records from now on."""
    selector = {"readWriteType": read_write, "includeManagementEvents": management, "dataResources": [],
                "excludeManagementEventSources": []}  # fmt: skip
    return Detail(
        {"trailName": trail, "eventSelectors": [selector]}, {"trailARN": trail, "eventSelectors": [selector]}
    )


def _key_for_someone(w: World, d: Dice, r: str) -> Detail:
    return create_key(f"svc-{d.pick(WORDS)}", d.ident("AKIA", 16))


def _new_user(w: World, d: Dice, r: str) -> Detail:
    return create_user(w, f"svc-{d.pick(WORDS)}-{d.hexes(3)}", d.ident("AIDA"))


def _new_role(w: World, d: Dice, r: str) -> Detail:
    trusted = trust(w.partners[0]) if d.chance(0.05) else LAMBDA_TRUST
    return create_role(w, w.role_name(d.pick(WORDS), d.pick(w.envs), "task"), trusted, d.ident("AROA"))


def _inline(w: World, d: Dice, r: str) -> Detail:
    actions = d.pick(
        [
            "s3:GetObject s3:PutObject",
            "sqs:*",
            "logs:CreateLogStream",
            "secretsmanager:GetSecretValue",
            "dynamodb:*",
        ]
    )
    role = w.role_name(d.pick(WORDS), d.pick(w.envs), "app")
    wide = "*" if d.chance(0.2) else f"arn:aws:s3:::{d.pick(w.buckets)}/*"
    return Detail(
        {"roleName": role, "policyName": f"{d.pick(WORDS)}-inline", "policyDocument": policy(actions, wide)}
    )


def _attach(w: World, d: Dice, r: str) -> Detail:
    role = w.role_name(d.pick(WORDS), d.pick(w.envs), "app")
    named = d.pick(
        [
            "service-role/AWSLambdaBasicExecutionRole",
            "AmazonS3ReadOnlyAccess",
            "CloudWatchAgentServerPolicy",
            "AmazonSSMManagedInstanceCore",
        ]
    )
    return Detail({"roleName": role, "policyArn": f"arn:aws:iam::aws:policy/{named}"})


def _ingress(w: World, d: Dice, r: str) -> Detail:
    source = "0.0.0.0/0" if d.chance(0.1) else f"10.{d.between(0, 60)}.0.0/16"
    return open_port(f"sg-0{d.hexes(16)}", d.pick([443, 443, 5432, 8080, 22]), source)


def _trust_change(w: World, d: Dice, r: str) -> Detail:
    role = w.role_name(d.pick(WORDS), d.pick(w.envs), "app")
    return Detail(
        {"roleName": role, "policyDocument": trust(w.partners[0]) if d.chance(0.2) else LAMBDA_TRUST}
    )


def _terminate(w: World, d: Dice, r: str) -> Detail:
    return Detail({"instancesSet": {"items": [{"instanceId": d.pick(w.instances)}]}})


CHANGES: dict[str, Shape] = {
    "iam:CreateAccessKey": _key_for_someone,
    "iam:CreateUser": _new_user,
    "iam:CreateRole": _new_role,
    "iam:PutRolePolicy": _inline,
    "iam:AttachRolePolicy": _attach,
    "iam:UpdateAssumeRolePolicy": _trust_change,
    "iam:CreateLoginProfile": lambda w, d, r: login_profile(f"{d.pick(WORDS)}.lee", True),
    "iam:AttachUserPolicy": lambda w, d, r: Detail(
        {"userName": f"svc-{d.pick(WORDS)}", "policyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    ),
    "ec2:AuthorizeSecurityGroupIngress": _ingress,
    "ec2:ModifySnapshotAttribute": lambda w, d, r: share_snapshot(f"snap-0{d.hexes(16)}", w.partners[0]),
    "ec2:ModifyImageAttribute": lambda w, d, r: share_image(f"ami-0{d.hexes(16)}", w.partners[0]),
    "rds:ModifyDBSnapshotAttribute": lambda w, d, r: share_db_snapshot(
        f"{d.pick(w.databases)}-snap", w.partners[0]
    ),
    "ec2:RunInstances": lambda w, d, r: run_instances(
        d, d.pick(["t3.medium", "m6i.large", "c6i.xlarge"]), 1, d.chance(0.5)
    ),
    "ec2:TerminateInstances": _terminate,
    "ec2:StopInstances": _terminate,
    "ec2:StartInstances": _terminate,
    "ec2:ModifyInstanceAttribute": lambda w, d, r: Detail(
        {"instanceId": d.pick(w.instances), "groupSet": {"items": [{"groupId": f"sg-0{d.hexes(16)}"}]}},
        {"_return": True},
    ),
    "ec2:CreateSnapshot": lambda w, d, r: Detail(
        {"volumeId": f"vol-0{d.hexes(16)}"}, {"snapshotId": f"snap-0{d.hexes(16)}"}
    ),
    "ec2:DeleteFlowLogs": lambda w, d, r: Detail(
        {"DeleteFlowLogsRequest": {"FlowLogId": {"content": f"fl-0{d.hexes(16)}", "tag": 1}}}
    ),
    "ssm:SendCommand": lambda w, d, r: send_command(
        d, [d.pick(w.instances)], d.pick(["AWS-RunPatchBaseline", "AWS-RunShellScript"])
    ),
    "lambda:UpdateFunctionCode20150331v2": lambda w, d, r: function_code(
        w, d.pick(w.functions), r, f"{d.hexes(40)}="
    ),
    "lambda:UpdateFunctionConfiguration20150331v2": lambda w, d, r: function_layers(
        d.pick(w.functions), w.arn("lambda", f"layer:common:{d.between(1, 40)}", r)
    ),
    "lambda:AddPermission20150331v2": lambda w, d, r: Detail(
        {
            "functionName": d.pick(w.functions),
            "statementId": f"AllowInvoke{d.hexes(6)}",
            "action": "lambda:InvokeFunction",
            "principal": d.pick(["events.amazonaws.com", "s3.amazonaws.com", "apigateway.amazonaws.com"]),
        }
    ),
    "cloudtrail:StopLogging": lambda w, d, r: Detail({"name": w.trail}),
    "cloudtrail:StartLogging": lambda w, d, r: Detail({"name": w.trail}),
    "cloudtrail:PutEventSelectors": lambda w, d, r: event_selectors(w.trail, "All", True),
    "s3:PutBucketPolicy": lambda w, d, r: Detail(
        {
            "bucketName": d.pick(w.buckets),
            "bucketPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        }
    ),
    "kms:ScheduleKeyDeletion": lambda w, d, r: Detail({"keyId": d.pick(w.keys), "pendingWindowInDays": 30}),
}
