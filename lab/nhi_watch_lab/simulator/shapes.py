"""Request parameters and the rest of a record, call by call, in the shape that CloudTrail gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nhi_watch_lab.simulator.basics import WORDS, Dice, World
from nhi_watch_lab.simulator.records import Detail, Template, template

# ---- request parameters and the rest of a record, call by call, in the shape that CloudTrail gives them

Shape = Callable[[World, Dice, str], Detail]
"""World, dice and region → what the call says."""
LAMBDA_TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'  # noqa: E501


def policy(actions: str, resource: str) -> str:
    """A policy document with one statement."""
    quoted = ",".join(f'"{action}"' for action in actions.split())
    return f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{quoted}],"Resource":"{resource}"}}]}}'  # noqa: E501


def plain(world: World, dice: Dice, region: str) -> Detail:
    return Detail({"maxResults": 100} if dice.chance(0.5) else None)


def _ec2(world: World, dice: Dice, region: str) -> Detail:
    if dice.chance(0.4):
        return Detail({"instancesSet": {}, "filterSet": {}})
    value = {"value": f"{dice.pick(WORDS)}-{dice.pick(world.envs)}"}
    return Detail({"filterSet": {"items": [{"name": "tag:Name", "valueSet": {"items": [value]}}]}})


def _bucket(world: World, dice: Dice, region: str) -> Detail:
    name = dice.pick(world.buckets)
    resources = [{"accountId": world.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{name}"}]
    params = {"bucketName": name, "Host": f"{name}.s3.{region}.amazonaws.com"}
    return Detail(params, resources=resources, extra=_s3_extra(dice, 0))


def _s3_extra(dice: Dice, size: int) -> dict[str, Any]:
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": 0,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": f"{dice.hexes(40)}=",
        "bytesTransferredOut": size,
    }


def s3_object(world: World, dice: Dice, region: str, bucket: str, key: str) -> Detail:
    """An object's data event."""
    arn = f"arn:aws:s3:::{bucket}"
    resources = [
        {"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"},
        {"accountId": world.account, "type": "AWS::S3::Bucket", "ARN": arn},
    ]
    params = {"bucketName": bucket, "Host": f"{bucket}.s3.{region}.amazonaws.com", "key": key}
    return Detail(params, resources=resources, extra=_s3_extra(dice, int(dice.lognormal(60_000, 1.5))))


def s3_copy(world: World, dice: Dice, region: str, bucket: str, key: str, kms: str) -> Detail:
    """An object copied onto itself or elsewhere, under a KMS key."""
    made = s3_object(world, dice, region, bucket, key)
    return made._replace(params={**made.params, "x-amz-server-side-encryption-aws-kms-key-id": kms})


def s3_listing(world: World, dice: Dice, region: str, bucket: str, prefix: str = "") -> Detail:
    """A listing of a bucket."""
    arn = f"arn:aws:s3:::{bucket}"
    resources = [{"accountId": world.account, "type": "AWS::S3::Bucket", "ARN": arn}]
    params = {"bucketName": bucket, "Host": f"{bucket}.s3.{region}.amazonaws.com", "list-type": "2", "prefix": prefix}
    return Detail(params, resources=resources, extra=_s3_extra(dice, 0))


def _object(world: World, dice: Dice, region: str) -> Detail:
    key = f"{dice.pick(WORDS)}/{dice.between(2023, 2025)}/{dice.hexes(8)}.{dice.pick(['json', 'parquet', 'csv', 'gz'])}"  # noqa: E501
    return s3_object(world, dice, region, dice.pick(world.buckets), key)


def _listing(world: World, dice: Dice, region: str) -> Detail:
    bucket = _bucket(world, dice, region)
    return bucket._replace(params={**bucket.params, "list-type": "2", "prefix": f"{dice.pick(WORDS)}/"})


def secret(world: World, name: str, region: str) -> Detail:
    """Reading one secret."""
    return Detail({"secretId": world.arn("secretsmanager", f"secret:{name}", region)})


def _secret(world: World, dice: Dice, region: str) -> Detail:
    return secret(world, dice.pick(world.secrets), region)


def _parameter(world: World, dice: Dice, region: str) -> Detail:
    name = f"/{dice.pick(world.envs)}/{dice.pick(WORDS)}/{dice.pick(['url', 'password', 'token', 'flags'])}"
    resources = [{"accountId": world.account, "ARN": world.arn("ssm", f"parameter{name}", region)}]
    return Detail({"name": name, "withDecryption": True}, resources=resources)


def _kms(world: World, dice: Dice, region: str) -> Detail:
    key = dice.pick(world.keys)
    resources = [{"accountId": world.account, "type": "AWS::KMS::Key", "ARN": key}]
    context = {"aws:s3:arn": f"arn:aws:s3:::{dice.pick(world.buckets)}"}
    return Detail({"keyId": key, "encryptionContext": context}, resources=resources)


def _sign(world: World, dice: Dice, region: str) -> Detail:
    found = _kms(world, dice, region)
    params = {"keyId": found.params["keyId"], "messageType": "RAW", "signingAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    return found._replace(params=params)


def _log_stream(world: World, dice: Dice, region: str) -> Detail:
    name = f"2025/03/03/[$LATEST]{dice.hexes(32)}"
    return Detail({"logGroupName": f"/aws/lambda/{dice.pick(world.functions)}", "logStreamName": name})


def _function(world: World, dice: Dice, region: str) -> Detail:
    return Detail({"functionName": dice.pick(world.functions)})


def _role(world: World, dice: Dice, region: str) -> Detail:
    return Detail({"roleName": world.role_name(dice.pick(WORDS), dice.pick(world.envs), "app")})


def _user(world: World, dice: Dice, region: str) -> Detail:
    return Detail({"userName": f"svc-{dice.pick(WORDS)}"})


def model_call(world: World, dice: Dice, region: str, model: str = "") -> Detail:
    """A model invocation."""
    name = model or dice.pick(["anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-embed-text-v2:0"])
    extra = {"inferenceRegion": region}
    return Detail({"modelId": name, "contentType": "application/json", "accept": "application/json"}, extra=extra)


def _no(world: World, dice: Dice, region: str) -> Detail:
    return Detail()


SHAPES: dict[str, Shape] = {
    "s3:GetObject": _object,
    "s3:PutObject": _object,
    "s3:DeleteObject": _object,
    "s3:ListObjects": _listing,
    "s3:ListBuckets": lambda w, d, r: Detail({"Host": f"s3.{r}.amazonaws.com"}, extra=_s3_extra(d, 2200)),
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:DescribeSecret": _secret,
    "ssm:GetParameter": _parameter,
    "ssm:GetParameters": lambda w, d, r: Detail(
        {"names": [_parameter(w, d, r).params["name"]], "withDecryption": True}
    ),
    "kms:Decrypt": _kms,
    "kms:GenerateDataKey": _kms,
    "kms:Sign": _sign,
    "logs:CreateLogStream": _log_stream,
    "sts:GetCallerIdentity": _no,
    "iam:ListUsers": _no,
    "iam:ListRoles": _no,
    "iam:GetUser": _user,
    "iam:ListAccessKeys": _user,
    "iam:ListAttachedUserPolicies": _user,
    "iam:GetRole": _role,
    "iam:ListAttachedRolePolicies": _role,
    "iam:ListRolePolicies": _role,
    "lambda:ListFunctions20150331": lambda w, d, r: Detail({"maxItems": 50}),
    "lambda:Invoke": lambda w, d, r: Detail({"functionName": w.arn("lambda", f"function:{d.pick(w.functions)}", r)}),
    "bedrock:InvokeModel": lambda w, d, r: model_call(w, d, r),
    "bedrock:Converse": lambda w, d, r: model_call(w, d, r),
    "dynamodb:Query": lambda w, d, r: Detail({"tableName": f"{d.pick(WORDS)}-{d.pick(w.envs)}"}),
    "cloudtrail:GetTrailStatus": lambda w, d, r: Detail({"name": w.trail}),
    "ec2:DescribeInstanceAttribute": lambda w, d, r: Detail(
        {"instanceId": d.pick(w.instances), "attribute": "disableApiTermination"}
    ),
}
GENERIC: dict[str, Shape] = {"ec2": _ec2, "s3": _bucket, "lambda": _function, "kms": _kms}


# ---- changes to the account, in the shape that CloudTrail gives them; used by deployers and by campaigns alike

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_CREATED = "Mar 3, 2025, 9:14:07 AM"


def trust(principal: str, also: str = "") -> str:
    """A role's trust policy for an account, as in the real ones: the root of that account."""
    own = '{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},' if also else ""
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
            {"instanceId": f"i-0{dice.hexes(16)}", "instanceType": kind, "currentState": {"code": 0, "name": "pending"}}
        ]
    }
    return Detail(params, {"requestId": dice.uuid(), "reservationId": f"r-0{dice.hexes(16)}", "instancesSet": made})


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
    done = {"functionName": name, "functionArn": arn, "runtime": "python3.12", "codeSha256": code, "version": "12"}
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
    return Detail({"trailName": trail, "eventSelectors": [selector]}, {"trailARN": trail, "eventSelectors": [selector]})


def _key_for_someone(w: World, d: Dice, r: str) -> Detail:
    return create_key(f"svc-{d.pick(WORDS)}", d.ident("AKIA", 16))


def _new_user(w: World, d: Dice, r: str) -> Detail:
    return create_user(w, f"svc-{d.pick(WORDS)}-{d.hexes(3)}", d.ident("AIDA"))


def _new_role(w: World, d: Dice, r: str) -> Detail:
    trusted = trust(w.partners[0]) if d.chance(0.05) else LAMBDA_TRUST
    return create_role(w, w.role_name(d.pick(WORDS), d.pick(w.envs), "task"), trusted, d.ident("AROA"))


def _inline(w: World, d: Dice, r: str) -> Detail:
    actions = d.pick(
        ["s3:GetObject s3:PutObject", "sqs:*", "logs:CreateLogStream", "secretsmanager:GetSecretValue", "dynamodb:*"]
    )
    role = w.role_name(d.pick(WORDS), d.pick(w.envs), "app")
    wide = "*" if d.chance(0.2) else f"arn:aws:s3:::{d.pick(w.buckets)}/*"
    return Detail({"roleName": role, "policyName": f"{d.pick(WORDS)}-inline", "policyDocument": policy(actions, wide)})


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
    return Detail({"roleName": role, "policyDocument": trust(w.partners[0]) if d.chance(0.2) else LAMBDA_TRUST})


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
    "rds:ModifyDBSnapshotAttribute": lambda w, d, r: share_db_snapshot(f"{d.pick(w.databases)}-snap", w.partners[0]),
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
    "lambda:UpdateFunctionCode20150331v2": lambda w, d, r: function_code(w, d.pick(w.functions), r, f"{d.hexes(40)}="),
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


# ---- any call of an account as a template

_ALL = {**SHAPES, **CHANGES}


def call(world: World, dice: Dice, action: str, region: str = "") -> Template:
    """A template of an action with ordinary parameters, chosen by the dice."""
    place = region or world.home
    if action.startswith(("iam:", "route53:", "cloudfront:", "organizations:", "support:", "ce:")):
        place = "us-east-1"
    shape = _ALL.get(action) or GENERIC.get(action.split(":")[0], plain)
    return template(world.account, place, action, shape(world, dice, place))
