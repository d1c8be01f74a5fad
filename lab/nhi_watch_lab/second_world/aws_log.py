# ruff: noqa: E501
"""Writes CloudTrail records. The same code writes ordinary life and attacks."""
from __future__ import annotations

from random import Random
from typing import Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.aws_actors import Actor, Session
from nhi_watch_lab.second_world.aws_fill import SPECS, Filler, Spec, is_read, pool
from nhi_watch_lab.second_world.ids import Json, hexa
from nhi_watch_lab.second_world.net import Place
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant

GLOBAL = {"iam", "organizations", "account", "cloudfront", "route53", "sts-global", "support", "health", "ce", "cur", "shield"}
SOURCES = {"cloudwatch": "monitoring"}
HOSTS = {"ses": "email", "cloudwatch": "monitoring", "bedrock": "bedrock-runtime"}
VPCE = {"s3", "dynamodb", "secretsmanager", "ssm", "sqs", "kms", "ecr", "logs", "sts", "kinesis"}
API_VERSIONS = {"logs": "20140328", "elasticloadbalancing": "2015-12-01", "elasticache": "2015-02-02"}
# services that use a key in the caller's name
FOLLOW = {"GetSecretValue": "secretsmanager.amazonaws.com", "GetParametersByPath": "ssm.amazonaws.com", "BatchGetSecretValue": "secretsmanager.amazonaws.com"}
CLIENT_EC2 = "Client.UnauthorizedOperation"
WORDY = {"iam", "sts", "s3", "cloudformation", "sqs", "sns", "ses", "rds", "autoscaling", "cloudwatch", "elasticloadbalancing", "redshift", "route53", "cloudfront", "elasticache", "organizations"}


def federated(who: Actor, session: Session) -> Json:
    """A session from GetFederationToken."""
    arn = f"arn:aws:sts::{who.account.id}:federated-user/{session.name}"
    issuer = {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}
    return {"type": "FederatedUser", "principalId": f"{who.account.id}:{session.name}", "arn": arn, "accountId": who.account.id, "accessKeyId": session.key,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"creationDate": ids.iso(session.created), "mfaAuthenticated": "false"}}}


def console_user(who: Actor, t: float, rng: Random) -> Json:
    """An IAM user in the console has temporary keys."""
    if not who.console[0] <= t < who.console[0] + 43200:
        who.console = (t - rng.uniform(1, 900), ids.aws_id(rng, "ASIA", who.account.id))
    return {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "accessKeyId": who.console[1], "userName": who.name,
            "sessionContext": {"attributes": {"creationDate": ids.iso(who.console[0]), "mfaAuthenticated": "true"}}}


def identity(who: Actor, session: Optional[Session], t: float) -> Json:
    """The userIdentity element."""
    if who.flavour == "user":
        if session is not None:
            return federated(who, session)
        return {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "accessKeyId": who.key(t), "userName": who.name}
    assert session is not None
    context: Json = {"sessionIssuer": {"type": "Role", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}}
    if who.flavour == "irsa" or who.flavour == "ci":
        context["webIdFederationData"] = {"federatedProvider": provider(who), "attributes": {}}
    context["attributes"] = {"creationDate": ids.iso(session.created), "mfaAuthenticated": "false"}
    if who.flavour == "ec2":
        context["ec2RoleDelivery"] = "2.0"
    made: Json = {"type": "AssumedRole", "principalId": f"{who.pid}:{session.name}", "arn": f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{session.name}",
                  "accountId": who.account.id, "accessKeyId": session.key, "sessionContext": context}
    scope = {"lambda": ("AWS::Lambda::Function", f"arn:aws:lambda:{who.regions[0]}:{who.account.id}:function:{session.name}"), "ec2": ("AWS::EC2::Instance", f"arn:aws:ec2:{who.regions[0]}:{who.account.id}:instance/{session.name}")}
    if who.flavour in scope:
        made["inScopeOf"] = {"issuerType": scope[who.flavour][0], "credentialsIssuedTo": scope[who.flavour][1]}
    return made


def provider(who: Actor) -> str:
    """The OIDC provider behind a web identity."""
    if who.flavour == "ci":
        return f"arn:aws:iam::{who.account.id}:oidc-provider/" + ("token.actions.githubusercontent.com" if who.trusted == "github" else "gitlab.com")
    return f"arn:aws:iam::{who.account.id}:oidc-provider/oidc.eks.{who.regions[0]}.amazonaws.com/id/{hexa(Random(who.account.id), 32).upper()}"


def denial(spec: Spec, arn: str) -> Json:
    action = f"{spec.service}:{spec.name.split('2015')[0].split('2018')[0]}"
    if spec.service == "ec2":
        return {"errorCode": CLIENT_EC2, "errorMessage": f"You are not authorized to perform this operation. User: {arn} is not authorized to perform: {action} because no identity-based policy allows the {action} action"}
    code = "AccessDenied" if spec.service in WORDY else "AccessDeniedException"
    return {"errorCode": code, "errorMessage": f"User: {arn} is not authorized to perform: {action} on resource: * because no identity-based policy allows the {action} action"}


def _error(err: str, spec: Spec, arn: str) -> Json:
    if err == "denied":
        return denial(spec, arn)
    known = {"ThrottlingException": "Rate exceeded", "NoSuchKey": "The specified key does not exist.", "ResourceNotFoundException": "Requested resource not found",
             "ValidationException": "The provided request is not valid.", "NoSuchEntity": "The requested entity cannot be found.", "Client.InstanceLimitExceeded": "You have requested more vCPU capacity than your current vCPU limit allows.",
             "InvalidClientTokenId": "The security token included in the request is invalid", "Client.DryRunOperation": "Request would have succeeded, but DryRun flag is set."}
    return {"errorCode": err, "errorMessage": known.get(err, "An error occurred")}


class AwsLog:
    def __init__(self, tenant: Tenant, sink: Sink, rng: Random) -> None:
        self.tenant, self.sink, self.rng = tenant, sink, rng
        self.version = rng.choice(["1.09", "1.10", "1.11", "1.11"])
        self.vpc_accounts = rng.random() < 0.7
        self.own_keys = rng.random() < 0.5    # secrets under customer keys: their use leaves a Decrypt

    def call(self, who: Actor, t: float, name: str, *, lane: int = 0, err: str = "", region: str = "", place: Optional[Place] = None, ua: str = "",
             explore: bool = False, over: Optional[Json] = None, via: str = "", session: Optional[Session] = None) -> None:
        """One API call by an actor, from its own place and client unless told otherwise."""
        spec = SPECS[name]
        if spec.data and self.tenant.habits.get(spec.service + "_data", 1.0) == 0.0:
            return
        if session is None and who.flavour != "user":
            session = self.live(who, t, lane)
        region = "us-east-1" if spec.service in GLOBAL else (region or who.regions[0])
        fill = self._filler(who, session, region, t, explore, over or {})
        record = self._head(who, session, t, spec, region)
        record.update(self._origin(who, session, t, spec, place, ua, via))
        if via:
            record["userIdentity"]["invokedBy"] = via
            if who.flavour == "slr":
                record["userIdentity"].pop("accessKeyId", None)
        self._body(record, spec, fill, err, who, session)
        if not via:
            record["tlsDetails"] = self._tls(spec, region, record)
        if (who.person and session is None) or who.flavour == "sso":
            self._console(record, who, t)
        self.sink.add("cloudtrail", t, record)
        if self.own_keys and not err and name in FOLLOW:
            self.call(who, t + 0.08, "Decrypt", lane=lane, region=region, via=FOLLOW[name], session=session, explore=explore)

    def _console(self, record: Json, who: Actor, t: float) -> None:
        if "Mozilla" in record["userAgent"]:
            record["sessionCredentialFromConsole"] = "true"
            if who.flavour == "user":
                record["userIdentity"] = console_user(who, t, self.rng)

    def assume(self, who: Actor, t: float, target: Actor, *, name: str, place: Optional[Place] = None, ua: str = "", lane: int = 0) -> Session:
        """One identity takes another role; the new session has its own key and name."""
        made = Session(ids.aws_id(self.rng, "ASIA", target.account.id), name, t, 0, "10.0.9.20")
        over: Json = {"rolearn": target.arn, "asia": made.key, "sessname": name, "aroa": target.pid, "account": target.account.id}
        self.call(who, t, "AssumeRole", place=place, ua=ua, over=over, lane=lane)
        return made

    def live(self, who: Actor, t: float, lane: int) -> Session:
        """The session in use; its birth leaves an AssumeRole record."""
        session = who.session(self.tenant, t, lane)
        if session.key not in who.announced:
            who.announced[session.key] = True
            self._birth(who, session)
        return session

    def _filler(self, who: Actor, session: Optional[Session], region: str, t: float, explore: bool, over: Json) -> Filler:
        def pick(kind: str) -> str:
            return self.rng.choice(pool(self.tenant, who.account, kind)) if explore else who.pick(self.tenant, kind, self.rng)
        return Filler(self.tenant, who.account, region, self.rng, t, pick, session.name if session else who.name, over)

    def _head(self, who: Actor, session: Optional[Session], t: float, spec: Spec, region: str) -> Json:
        user = identity(who, session, t)
        if self.version != "1.11":
            user.pop("inScopeOf", None)
        return {"eventVersion": self.version, "userIdentity": user, "eventTime": ids.iso(t),
                "eventSource": SOURCES.get(spec.service, spec.service) + ".amazonaws.com", "eventName": spec.name, "awsRegion": region}

    def _origin(self, who: Actor, session: Optional[Session], t: float, spec: Spec, place: Optional[Place], ua: str, via: str) -> Json:
        if via:
            return {"sourceIPAddress": via, "userAgent": via}
        if place is None and who.vpce and spec.service in VPCE:
            host = session.host if session else "10.0.12.7"
            return {"sourceIPAddress": host, "userAgent": ua or who.ua(t)}
        lane = session.lane if session and who.flavour == "ec2" else None
        return {"sourceIPAddress": (place or who.place).ip(self.rng, t, lane), "userAgent": ua or who.ua(t)}

    def _body(self, record: Json, spec: Spec, fill: Filler, err: str, who: Actor, session: Optional[Session]) -> None:
        if err:
            record.update(_error(err, spec, record["userIdentity"].get("arn", who.arn)))
        record["requestParameters"] = fill.params(spec.template)
        record["responseElements"] = None if err else fill.response(spec.name, record["requestParameters"])
        if spec.service == "s3":
            record["additionalEventData"] = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0 if spec.read else self.rng.randint(200, 90000), "AuthenticationMethod": "AuthHeader",
                                             "x-amz-id-2": ids.b64(self.rng, 56), "bytesTransferredOut": 243 if err else int(self.rng.lognormvariate(8, 2)) if spec.read else 0}
        record["requestID"] = self._request_id(spec)
        record["eventID"] = ids.uuid4(self.rng)
        record["readOnly"] = is_read(spec)
        self._resources(record, spec, fill)
        record["eventType"] = "AwsApiCall"
        if spec.service in API_VERSIONS:
            record["apiVersion"] = API_VERSIONS[spec.service]
        record["managementEvent"] = not spec.data
        record["recipientAccountId"] = who.account.id
        if record["sourceIPAddress"].startswith("10."):
            record["vpcEndpointId"] = who.vpce
            if self.vpc_accounts:
                record["vpcEndpointAccountId"] = who.account.id
        record["eventCategory"] = "Data" if spec.data else "Management"

    def _request_id(self, spec: Spec) -> str:
        if spec.service == "s3":
            return ids.pick_chars(self.rng, "ABCDEFGHJKMNPQRSTVWXYZ0123456789", 16)
        if spec.service == "dynamodb":
            return ids.pick_chars(self.rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 52)
        return ids.uuid4(self.rng)

    def _resources(self, record: Json, spec: Spec, fill: Filler) -> None:
        params = record["requestParameters"] or {}
        account = fill.account.id
        if spec.service == "s3" and "bucketName" in params:
            bucket = {"accountId": account, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::" + str(params["bucketName"])}
            key = {"type": "AWS::S3::Object", "ARN": f"{bucket['ARN']}/{params['key']}"} if "key" in params else None
            record["resources"] = [key, bucket] if key else [bucket]
        elif spec.service == "kms":
            arn = str(params.get("keyId") or fill.value("kmsarn"))
            record["resources"] = [{"accountId": account, "type": "AWS::KMS::Key", "ARN": arn if arn.startswith("arn") else f"arn:aws:kms:{fill.region}:{account}:key/{arn}"}]
        elif spec.name == "AssumeRole":
            record["resources"] = [{"accountId": account, "type": "AWS::IAM::Role", "ARN": params["roleArn"]}]
        elif spec.service == "dynamodb" and spec.data:
            record["resources"] = [{"accountId": account, "type": "AWS::DynamoDB::Table", "ARN": f"arn:aws:dynamodb:{fill.region}:{account}:table/{params['tableName']}"}]

    def _tls(self, spec: Spec, region: str, record: Json) -> Json:
        host = HOSTS.get(spec.service, spec.service) if not spec.name.startswith(("Invoke", "Converse")) or spec.service != "lambda" else "lambda"
        name = f"{host}.amazonaws.com" if spec.service in GLOBAL else f"{host}.{region}.amazonaws.com"
        if spec.service == "s3" and record["requestParameters"]:
            name = record["requestParameters"].get("Host", name)
        return {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": name}

    def _birth(self, who: Actor, session: Session) -> None:
        from nhi_watch_lab.second_world.aws_births import birth
        record = birth(self, who, session)
        if record:
            self.sink.add("cloudtrail", session.created, record, tag="")
