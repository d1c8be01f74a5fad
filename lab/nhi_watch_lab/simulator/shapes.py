"""Request parameters and the rest of a record, call by call, in the shape that CloudTrail gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nhi_watch_lab.simulator.dice import Dice
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.world import WORDS, World

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
    params = {
        "keyId": found.params["keyId"],
        "messageType": "RAW",
        "signingAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
    }
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
    return Detail(
        {"modelId": name, "contentType": "application/json", "accept": "application/json"}, extra=extra
    )


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
    "lambda:Invoke": lambda w, d, r: Detail(
        {"functionName": w.arn("lambda", f"function:{d.pick(w.functions)}", r)}
    ),
    "bedrock:InvokeModel": lambda w, d, r: model_call(w, d, r),
    "bedrock:Converse": lambda w, d, r: model_call(w, d, r),
    "dynamodb:Query": lambda w, d, r: Detail({"tableName": f"{d.pick(WORDS)}-{d.pick(w.envs)}"}),
    "cloudtrail:GetTrailStatus": lambda w, d, r: Detail({"name": w.trail}),
    "ec2:DescribeInstanceAttribute": lambda w, d, r: Detail(
        {"instanceId": d.pick(w.instances), "attribute": "disableApiTermination"}
    ),
}
GENERIC: dict[str, Shape] = {"ec2": _ec2, "s3": _bucket, "lambda": _function, "kms": _kms}
