# ruff: noqa: E501
"""How a role session begins in CloudTrail: AssumeRole in its several forms."""
from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.aws_actors import TTL, Actor, Session
from nhi_watch_lab.second_world.ids import Json

if TYPE_CHECKING:
    from nhi_watch_lab.second_world.aws_log import AwsLog

SERVICES = {"lambda": "lambda.amazonaws.com", "ec2": "ec2.amazonaws.com", "ecs": "ecs-tasks.amazonaws.com", "batch": "states.amazonaws.com", "role": "scheduler.amazonaws.com"}


def birth(log: AwsLog, who: Actor, session: Session) -> Optional[Json]:
    if who.flavour in ("irsa", "ci"):
        return web_identity(log, who, session, subject(log, who))
    if who.flavour == "vendor":
        caller: Json = {"type": "AWSAccount", "principalId": ids.aws_id(Random(who.pid), "AROA", who.trusted) + ":integration", "accountId": who.trusted}
        return assume(log, who, session, caller, who.place.ip(log.rng, session.created), who.ua(session.created), {"externalId": ids.hexa(Random(who.pid), 32)})
    if who.flavour == "sso":
        return saml(log, who, session)
    service = "eks.amazonaws.com" if who.flavour == "slr" else SERVICES.get(who.flavour, "ec2.amazonaws.com")
    if who.flavour == "slr":
        service = who.trusted
    return assume(log, who, session, {"type": "AWSService", "invokedBy": service}, service, service, {})


def subject(log: AwsLog, who: Actor) -> str:
    """The subject claim: a Kubernetes service account, or a repository's branch."""
    if who.flavour == "irsa":
        return f"system:serviceaccount:{who.trusted or 'default'}:{who.name.lower()}"
    return f"repo:{log.tenant.corp}/{who.job or 'infra'}:ref:refs/heads/main" if who.trusted == "github" else f"project_path:{log.tenant.corp}/{who.job or 'infra'}:ref_type:branch:ref:main"


def _credentials(log: AwsLog, who: Actor, session: Session) -> Json:
    return {"credentials": {"accessKeyId": session.key, "sessionToken": "IQoJb3JpZ2luX2VjE" + ids.b64(log.rng, 60), "expiration": ids.aws_date(session.created + TTL.get(who.flavour, 3600.0))},
            "assumedRoleUser": {"assumedRoleId": f"{who.pid}:{session.name}", "arn": f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{session.name}"}}


def _frame(log: AwsLog, who: Actor, session: Session, name: str, caller: Json, ip: str, ua: str, params: Json, extra: Json) -> Json:
    answer = _credentials(log, who, session)
    answer.update(extra)
    record: Json = {"eventVersion": log.version, "userIdentity": caller, "eventTime": ids.iso(session.created), "eventSource": "sts.amazonaws.com", "eventName": name, "awsRegion": who.regions[0],
                    "sourceIPAddress": ip, "userAgent": ua, "requestParameters": {"roleArn": who.arn, "roleSessionName": session.name, **params}, "responseElements": answer, "requestID": ids.uuid4(log.rng),
                    "eventID": ids.uuid4(log.rng), "readOnly": True, "resources": [{"accountId": who.account.id, "type": "AWS::IAM::Role", "ARN": who.arn}], "eventType": "AwsApiCall", "managementEvent": True,
                    "recipientAccountId": who.account.id, "eventCategory": "Management"}
    if caller["type"] in ("AWSService", "AWSAccount"):
        record["sharedEventID"] = ids.uuid4(log.rng)
    if caller["type"] != "AWSService":
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"sts.{who.regions[0]}.amazonaws.com"}
    return record


def assume(log: AwsLog, who: Actor, session: Session, caller: Json, ip: str, ua: str, params: Json) -> Json:
    return _frame(log, who, session, "AssumeRole", caller, ip, ua, params, {})


def web_identity(log: AwsLog, who: Actor, session: Session, sub: str, ip: str = "", ua: str = "") -> Json:
    from nhi_watch_lab.second_world.aws_log import provider
    source = provider(who)
    caller: Json = {"type": "WebIdentityUser", "principalId": f"{source}:sts.amazonaws.com:{sub}", "userName": sub, "identityProvider": source}
    extra: Json = {"subjectFromWebIdentityToken": sub, "provider": source, "audience": "sts.amazonaws.com"}
    return _frame(log, who, session, "AssumeRoleWithWebIdentity", caller, ip or who.place.ip(log.rng, session.created), ua or who.ua(session.created), {}, extra)


def saml(log: AwsLog, who: Actor, session: Session) -> Json:
    name = f"arn:aws:iam::{who.account.id}:saml-provider/AWSSSO_{ids.hexa(log.rng, 16)}_DO_NOT_DELETE"
    caller: Json = {"type": "SAMLUser", "principalId": f"{ids.b64(log.rng, 20)}:{session.name}", "userName": session.name, "identityProvider": ids.b64(log.rng, 20)}
    extra: Json = {"subject": session.name, "subjectType": "persistent", "issuer": f"https://portal.sso.{who.regions[0]}.amazonaws.com/saml/assertion/{ids.b64(log.rng, 15)}",
                   "audience": "https://signin.aws.amazon.com/saml", "nameQualifier": ids.b64(log.rng, 20)}
    return _frame(log, who, session, "AssumeRoleWithSAML", caller, who.place.ip(log.rng, session.created), "aws-internal/3 aws-sdk-java/1.12.780 Linux/5.10.234 OpenJDK_64-Bit_Server_VM/17.0.14 java/17.0.14", {"principalArn": name, "durationSeconds": 28800}, extra)
