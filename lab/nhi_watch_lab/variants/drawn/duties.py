"""Machines of an AWS account whose days never look alike: appliers, releases, drills, audits, turners of keys, own keys.

Each has runs at rhythms of its own (`simulator.machines.Rhythm`); a run draws its calls from a long list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.archetypes import role
from nhi_watch_lab.simulator.basics import WORDS, Dice, Pool, dice
from nhi_watch_lab.simulator.machines import DAY, HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import READS, Detail, Template, actions, denied, template
from nhi_watch_lab.simulator.shapes import call, secret

# ---- what such machines say

RIGHTS = actions("""iam: CreateRole DeleteRole AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion TagRole UntagRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy CreateInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile CreateServiceLinkedRole CreateOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint PutRolePermissionsBoundary
kms: CreateKey CreateAlias PutKeyPolicy CreateGrant RetireGrant EnableKeyRotation ScheduleKeyDeletion CancelKeyDeletion UpdateAlias
organizations: AttachPolicy UpdatePolicy TagResource
ram: CreateResourceShare AssociateResourceShare
sso: CreatePermissionSet PutInlinePolicyToPermissionSet ProvisionPermissionSet CreateAccountAssignment""")
WIRES = actions("""ec2: CreateSecurityGroup DeleteSecurityGroup AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress AuthorizeSecurityGroupEgress ModifySecurityGroupRules CreateSubnet DeleteSubnet CreateRoute DeleteRoute CreateRouteTable AssociateRouteTable CreateVpcEndpoint ModifyVpcEndpoint CreateVpcPeeringConnection AcceptVpcPeeringConnection CreateNatGateway CreateFlowLogs DeleteFlowLogs CreateTags DeleteTags ModifyVpcAttribute CreateNetworkAclEntry ReplaceNetworkAclEntry AllocateAddress AssociateAddress
elasticloadbalancing: CreateTargetGroup ModifyTargetGroup CreateListener ModifyListener CreateRule DeleteRule SetSecurityGroups ModifyLoadBalancerAttributes
route53: ChangeResourceRecordSets AssociateVPCWithHostedZone
acm: RequestCertificate DeleteCertificate
wafv2: UpdateWebACL UpdateRuleGroup UpdateIPSet
cloudfront: UpdateDistribution CreateCachePolicy""")
THINGS = actions("""lambda: CreateFunction20150331 DeleteFunction20150331 UpdateFunctionCode20150331v2 UpdateFunctionConfiguration20150331v2 AddPermission20150331v2 RemovePermission20150331v2 CreateEventSourceMapping20150331 PublishLayerVersion20181031
ecs: RegisterTaskDefinition DeregisterTaskDefinition CreateService UpdateService DeleteService PutClusterCapacityProviders
eks: CreateNodegroup DeleteNodegroup UpdateNodegroupConfig CreateAccessEntry AssociateAccessPolicy UpdateAddon UpdateClusterConfig
rds: CreateDBInstance ModifyDBInstance DeleteDBInstance ModifyDBParameterGroup CreateDBSubnetGroup AddTagsToResource
dynamodb: CreateTable UpdateTable DeleteTable UpdateTimeToLive UpdateContinuousBackups
s3: CreateBucket PutBucketPolicy DeleteBucketPolicy PutBucketEncryption PutBucketVersioning PutBucketLifecycle PutBucketLogging PutBucketTagging PutBucketNotification PutBucketReplication PutBucketPublicAccessBlock PutBucketOwnershipControls
sqs: CreateQueue SetQueueAttributes DeleteQueue
sns: CreateTopic Subscribe SetTopicAttributes
secretsmanager: CreateSecret UpdateSecret PutSecretValue PutResourcePolicy TagResource DeleteSecret
ssm: PutParameter DeleteParameter CreateDocument UpdateDocument
logs: CreateLogGroup PutRetentionPolicy PutSubscriptionFilter PutMetricFilter AssociateKmsKey
events: PutRule PutTargets DeleteRule
states: CreateStateMachine UpdateStateMachine
autoscaling: UpdateAutoScalingGroup PutScalingPolicy StartInstanceRefresh
ecr: CreateRepository PutLifecyclePolicy SetRepositoryPolicy
elasticache: CreateReplicationGroup ModifyReplicationGroup
config: PutConfigRule PutRemediationConfigurations
cloudtrail: UpdateTrail PutEventSelectors
guardduty: UpdateDetector CreateFilter""")
STATE = actions("""iam: GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies GetPolicy GetPolicyVersion ListPolicyVersions GetInstanceProfile ListInstanceProfilesForRole GetOpenIDConnectProvider
ec2: DescribeVpcs DescribeVpcAttribute DescribeSubnets DescribeRouteTables DescribeSecurityGroups DescribeSecurityGroupRules DescribeNatGateways DescribeInternetGateways DescribeVpcEndpoints DescribeAddresses DescribeNetworkAcls DescribeLaunchTemplateVersions DescribeInstances DescribeVolumes DescribeTags
s3: GetBucketAcl GetBucketPolicy GetBucketCors GetBucketWebsite GetBucketVersioning GetBucketLogging GetBucketLifecycle GetBucketReplication GetBucketEncryption GetBucketObjectLockConfiguration GetBucketTagging GetBucketRequestPayment GetAccelerateConfiguration
kms: DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags
rds: DescribeDBInstances DescribeDBSubnetGroups DescribeDBParameterGroups ListTagsForResource
dynamodb: DescribeTable DescribeContinuousBackups DescribeTimeToLive ListTagsOfResource
lambda: GetFunction20150331v2 ListVersionsByFunction20150331 GetPolicy20150331v2 GetFunctionCodeSigningConfig
ecs: DescribeClusters DescribeServices DescribeTaskDefinition
eks: DescribeCluster DescribeNodegroup DescribeAddon
elasticloadbalancing: DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeTargetGroups DescribeListeners DescribeRules
secretsmanager: DescribeSecret GetResourcePolicy GetSecretValue
ssm: GetParameter DescribeParameters
route53: GetHostedZone ListResourceRecordSets ListTagsForResource
logs: DescribeLogGroups ListTagsForResource
sqs: GetQueueAttributes
sns: GetTopicAttributes
acm: DescribeCertificate
wafv2: GetWebACL ListTagsForResource""")
HUNTING = actions("""cloudtrail: LookupEvents GetTrailStatus DescribeTrails
guardduty: ListFindings GetFindings
iam: ListAccessKeys GetAccessKeyLastUsed ListUserPolicies ListAttachedUserPolicies GetUser GetAccountAuthorizationDetails GenerateServiceLastAccessedDetails
ec2: DescribeInstances DescribeSecurityGroups DescribeNetworkInterfaces DescribeVolumes DescribeFlowLogs GetConsoleOutput
s3: GetBucketPolicy GetBucketAcl GetBucketLogging
logs: StartQuery GetQueryResults FilterLogEvents
detective: SearchGraph""")
CONTAINING = actions("""iam: UpdateAccessKey DeleteAccessKey PutUserPolicy PutRolePolicy DeleteLoginProfile DetachUserPolicy
ec2: CreateSnapshot CreateTags ModifyInstanceAttribute StopInstances RevokeSecurityGroupIngress CreateSecurityGroup CreateVolume AttachVolume DisassociateIamInstanceProfile
s3: PutBucketPolicy PutBucketPublicAccessBlock
secretsmanager: RotateSecret
sts: GetSessionToken
wafv2: UpdateIPSet
ssm: SendCommand
guardduty: ArchiveFindings""")
RESTORING = actions("""rds: RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime ModifyDBInstance DeleteDBInstance DescribeDBInstances DescribeDBSnapshots
backup: StartRestoreJob DescribeRestoreJob GetRecoveryPointRestoreMetadata ListRecoveryPointsByBackupVault
ec2: CreateVolume AttachVolume DetachVolume DeleteVolume RunInstances TerminateInstances CopySnapshot
dynamodb: RestoreTableFromBackup DescribeTable
kms: CreateGrant
route53: ChangeResourceRecordSets
secretsmanager: GetSecretValue""")
BROKEN_GLASS = actions("""iam: CreateAccessKey CreateLoginProfile AttachUserPolicy AddUserToGroup UpdateAssumeRolePolicy DeactivateMFADevice ListUsers ListRoles
ec2: AuthorizeSecurityGroupIngress StopInstances StartInstances RebootInstances ModifyInstanceAttribute
rds: ModifyDBInstance RebootDBInstance
kms: PutKeyPolicy
s3: DeleteBucketPolicy PutBucketPolicy
secretsmanager: GetSecretValue PutSecretValue
ecs: UpdateService ExecuteCommand
ssm: StartSession
route53: ChangeResourceRecordSets""")
KEYBOARD = actions("""s3: ListBuckets ListObjects GetObject PutObject
ec2: DescribeInstances DescribeImages DescribeKeyPairs StartInstances StopInstances RunInstances
logs: FilterLogEvents DescribeLogGroups GetLogEvents StartQuery
ecs: ListClusters ListTasks DescribeTasks ExecuteCommand UpdateService
lambda: ListFunctions20150331 GetFunction20150331v2 UpdateFunctionCode20150331v2 Invoke
secretsmanager: ListSecrets GetSecretValue
ssm: GetParameter GetParametersByPath StartSession SendCommand
iam: ListRoles GetRole GetUser PassRole ListAccessKeys
dynamodb: ListTables DescribeTable Query
rds: DescribeDBInstances
cloudformation: DescribeStacks DescribeStackEvents CreateChangeSet
eks: DescribeCluster ListClusters
ecr: GetAuthorizationToken DescribeRepositories
kms: Decrypt
bedrock: InvokeModel ListFoundationModels
athena: StartQueryExecution GetQueryResults
sts: AssumeRole""")
CHECKED = actions(READS) + [action for action in STATE if action not in actions(READS)]
JOINING = actions("""identitystore: ListUsers CreateUser CreateGroupMembership DeleteGroupMembership DeleteUser
sso: CreateAccountAssignment DeleteAccountAssignment ListAccountAssignments""")

# ---- the machines


class Duty(NamedTuple):
    """One kind of odd machine; `runs` adds its activities."""

    name: str
    session: str
    """ci | sdk | lambda | web | foreign | key"""
    place: str
    """runner | subnet | vendor | home"""
    agent: Callable[[Dice], str]
    weight: float
    runs: Callable[[Maker], None]


class Maker:
    """Adds activities to one machine."""

    def __init__(self, parts: Parts, d: Dice, machine: Machine, days: int) -> None:
        self.parts, self.d, self.machine, self.days = parts, d, machine, days

    def step(self, wanted: list[str], size: float, gap: float = 1.5, refused: float = 0.0) -> Step:
        """About so many calls out of a list, in an order of this machine's own; some it may never make."""
        names = self.d.some(wanted, len(wanted))
        made = [
            call(self.parts.world, self.d, name, self.machine.region)
            for name in names
            for _ in range(1 + self.d.chance(0.3))
        ]
        told = [denied(each, self.machine.arn) if refused and self.d.chance(refused) else each for each in made]
        return Step(Pool.zipf(told, 0.55), size, gap)

    def fixed(self, text: str, times: float = 1.0, gap: float = 3.0) -> list[Step]:
        """The same calls each time, in this order."""
        return [Step(Pool(self.one(name)), times, gap) for name in actions(text)]

    def one(self, name: str) -> list[Template]:
        """A call with several things it may be about."""
        return [call(self.parts.world, self.d, name, self.machine.region) for _ in range(4)]

    def add(self, rhythm: Rhythm, *steps: Step, since: int = 0, until: int = 1 << 30) -> None:
        """A habit."""
        self.machine.activities.append(Activity(rhythm, list(steps), since, until, scale=False))

    def often(self, rate: float, *steps: Step) -> None:
        """So many runs a day in working hours."""
        self.add(Rhythm("burst", rate * self.d.lognormal(1, 0.4)), *steps)

    def each(self, days: int, *steps: Step) -> None:
        """Every so many days, at an hour of its own."""
        self.add(Rhythm("cron", at=self.d.between(0, 23 * HOUR), days=days, offset=self.d.between(0, days - 1)), *steps)

    def once(self, share: float, *steps: Step) -> None:
        """On one day of those watched, or on none."""
        day = self.d.between(0, max(0, self.days - 1))
        if self.d.chance(share):
            self.add(Rhythm("cron", at=self.d.between(6, 21) * HOUR), *steps, since=day, until=day + 1)


def _applies(m: Maker) -> None:
    m.often(1.6, m.step(STATE, 34, 0.6))
    m.often(1.1, m.step(STATE, 22, 0.6), m.step(RIGHTS, 2.2), m.step(THINGS, 2.4), m.step(WIRES, 1.2))


def _network_applies(m: Maker) -> None:
    m.often(1.0, m.step(STATE, 40, 0.6))
    m.often(0.7, m.step(STATE, 18, 0.6), m.step(WIRES, 4.5), m.step(RIGHTS, 0.7))
    m.once(0.5, m.step(WIRES, 16, 4), m.step(RIGHTS, 6, 4))


def _stacks(m: Maker) -> None:
    m.often(0.9, *m.fixed("cloudformation: DescribeStacks CreateChangeSet DescribeChangeSet ExecuteChangeSet DescribeStackEvents", 1.6),
            m.step(THINGS, 3.5), m.step(RIGHTS, 1.6))  # fmt: skip


def _ships(m: Maker) -> None:
    m.often(2.2, *m.fixed("sts: GetCallerIdentity\necr: GetAuthorizationToken InitiateLayerUpload CompleteLayerUpload PutImage\n"
                          "ecs: DescribeTaskDefinition RegisterTaskDefinition UpdateService DescribeServices"))  # fmt: skip
    m.often(0.25, *m.fixed("lambda: UpdateFunctionCode20150331v2 PublishVersion20150331 UpdateAlias20150331"))
    m.often(0.1, *m.fixed("secretsmanager: GetSecretValue\necs: RunTask DescribeTasks"))


def _images(m: Maker) -> None:
    m.each(7, *m.fixed("ec2: CreateKeyPair CreateSecurityGroup AuthorizeSecurityGroupIngress RunInstances DescribeInstances StopInstances "
                       "CreateImage DescribeImages ModifyImageAttribute TerminateInstances DeleteSecurityGroup DeleteKeyPair", 1.5))  # fmt: skip


def _turns_keys(m: Maker) -> None:
    m.each(5, *m.fixed("iam: ListUsers ListAccessKeys GetAccessKeyLastUsed", 6), *m.fixed("iam: CreateAccessKey UpdateAccessKey", 1.5),
           *m.fixed("secretsmanager: PutSecretValue", 1.5))  # fmt: skip
    m.each(11, *m.fixed("iam: ListAccessKeys DeleteAccessKey", 1.8))


def _turns_secrets(m: Maker) -> None:
    names = [f"{m.d.pick(m.parts.world.envs)}/{m.d.pick(WORDS)}/db-{n}" for n in range(14)]
    told = [template(m.parts.world.account, m.machine.region, "secretsmanager:GetSecretValue", secret(m.parts.world, name, m.machine.region))
            for name in names]  # fmt: skip
    m.often(0.35, *m.fixed("secretsmanager: DescribeSecret GetRandomPassword"), Step(Pool(told), 1.5, 2),
            *m.fixed("secretsmanager: PutSecretValue UpdateSecretVersionStage\nrds: ModifyDBInstance"))  # fmt: skip


def _sweeps(m: Maker) -> None:
    m.each(
        1,
        m.step(CHECKED, 26, 0.8),
        m.step(CONTAINING, 1.2),
        *m.fixed("ec2: CreateTags StopInstances DeleteVolume DeleteSnapshot", 0.6),
    )


def _audits(m: Maker) -> None:
    m.each(7, m.step(CHECKED, 150, 0.3, refused=0.12))
    m.often(0.12, m.step(CHECKED, 35, 0.5, refused=0.1))


def _audits_daily(m: Maker) -> None:
    m.each(1, m.step(CHECKED, 70, 0.4, refused=0.2))
    m.once(0.6, m.step(CHECKED, 190, 0.3, refused=0.3))


def _tests_rights(m: Maker) -> None:
    m.once(
        0.95,
        *m.fixed("sts: GetCallerIdentity"),
        m.step(CHECKED, 110, 0.5, refused=0.55),
        *m.fixed("iam: SimulatePrincipalPolicy", 8),
    )


def _drills(m: Maker) -> None:
    m.once(0.95, *m.fixed("sts: GetCallerIdentity"), m.step(RESTORING, 16, 60))
    m.each(13, m.step(RESTORING, 4, 40))


def _responds(m: Maker) -> None:
    m.once(
        0.95,
        *m.fixed("sts: GetCallerIdentity\ncloudtrail: LookupEvents", 5),
        m.step(HUNTING, 22, 25),
        m.step(CONTAINING, 6, 40),
    )
    m.once(0.35, m.step(HUNTING, 8, 30))


def _plays_books(m: Maker) -> None:
    m.often(0.08, m.step(HUNTING, 8, 2), m.step(CONTAINING, 1.6, 2))
    m.once(0.8, m.step(HUNTING, 18, 2), m.step(CONTAINING, 6, 2))


def _breaks_glass(m: Maker) -> None:
    m.once(0.9, *m.fixed("sts: GetCallerIdentity"), m.step(KEYBOARD, 5, 40), m.step(BROKEN_GLASS, 4, 60))


def _types(m: Maker) -> None:
    m.often(1.4, m.step(KEYBOARD, 3, 25, refused=0.04))
    m.often(0.15, *m.fixed("sts: GetCallerIdentity"), m.step(KEYBOARD, 10, 20, refused=0.08))
    m.often(0.05, m.step(STATE, 18, 1), m.step(THINGS, 2, 5))


def _explores(m: Maker) -> None:
    m.often(
        0.8,
        *m.fixed("s3: ListObjects", 2),
        *m.fixed("s3: GetObject", 28, 4),
        *m.fixed("athena: StartQueryExecution GetQueryResults", 2),
    )
    m.often(0.07, *m.fixed("s3: GetObject", 190, 2))
    m.often(0.08, m.step(KEYBOARD, 5, 20))


def _joins(m: Maker) -> None:
    m.often(0.5, m.step(JOINING, 5, 2))
    m.once(0.5, m.step(JOINING, 45, 2))


def _chaos(m: Maker) -> None:
    m.often(
        0.25,
        *m.fixed(
            "fis: StartExperiment GetExperiment\nec2: StopInstances TerminateInstances\necs: StopTask\nrds: RebootDBInstance",
            0.8,
        ),
    )


DUTIES = (
    Duty("tofu-apply", "ci", "runner", basics.terraform, 3, _applies),
    Duty("tf-network", "ci", "runner", basics.terraform, 2, _network_applies),
    Duty("cdk-pipeline", "ci", "runner", basics.javascript, 1.5, _stacks),
    Duty("ship-it", "ci", "runner", basics.cli, 2.5, _ships),
    Duty("golden-image", "ci", "runner", basics.golang, 1.5, _images),
    Duty("key-turnover", "lambda", "subnet", basics.boto3, 2, _turns_keys),
    Duty("db-credentials", "lambda", "subnet", basics.boto3, 2, _turns_secrets),
    Duty("c7n-policies", "sdk", "subnet", basics.boto3, 1.8, _sweeps),
    Duty("cloudsploit", "sdk", "subnet", basics.javascript, 1.6, _audits),
    Duty("posture-vendor", "foreign", "vendor", basics.golang, 1.3, _audits_daily),
    Duty("purple-team", "sdk", "subnet", basics.cli, 1, _tests_rights),
    Duty("restore-test", "sdk", "subnet", basics.cli, 2, _drills),
    Duty("ir-toolkit", "sdk", "home", basics.cli, 2, _responds),
    Duty("soar-connector", "foreign", "vendor", basics.boto3, 1.6, _plays_books),
    Duty("breakglass", "key", "home", basics.cli, 2, _breaks_glass),
    Duty("cli-key", "key", "home", basics.cli, 5, _types),
    Duty("jupyter-key", "key", "home", basics.boto3, 2, _explores),
    Duty("idc-lifecycle", "lambda", "subnet", basics.javascript, 1.3, _joins),
    Duty("crossplane-aws", "web", "subnet", basics.golang, 1.5, _applies),
    Duty("gameday", "sdk", "subnet", basics.boto3, 1, _chaos),
)


def hire(parts: Parts, count: int, days: int) -> list[Machine]:
    """So many odd machines, each kind once before any comes twice."""
    d = dice(parts.world.seed, "duties")
    left, found = list[Duty](), list[Machine]()
    for number in range(count):
        left = left or list(DUTIES)
        duty = Pool(left, [each.weight for each in left]).draw(d)
        left.remove(duty)
        found.append(machine_of(parts, duty, number, days))
    return found


def machine_of(parts: Parts, duty: Duty, number: int, days: int) -> Machine:
    """One odd machine."""
    d = dice(parts.world.seed, "duty", number)
    name = f"{d.pick(WORDS)}-{duty.name}-{number}"
    place = _place(parts, d, duty.place, name)
    machine = role(parts, d, name, duty.session, place, duty.agent(d))
    machine.archetype, machine.rotate = "odd", HOUR
    world = parts.world
    if duty.session == "key":
        machine.kind, machine.arn, machine.principal = "user", world.arn("iam", f"user/{name}"), d.ident("AIDA")
        machine.keys = [(0, d.ident("AKIA", 16))]
    machine.subject = {"ci": f"repo:{world.org}/{d.pick(WORDS)}:ref:refs/heads/main", "web": f"system:serviceaccount:platform:{name}",
                       "foreign": f"{d.between(100_000_000_000, 989_999_999_999)}"}.get(duty.session, "")  # fmt: skip
    machine.secrets = d.some(world.secrets, min(6, len(world.secrets)))
    duty.runs(Maker(parts, d, machine, days))
    return machine


def _place(parts: Parts, d: Dice, kind: str, name: str) -> Place:
    if kind == "runner":
        return (
            Place(lambda x: basics.address(x, basics.AZURE), fixed=False, name=f"run-{name}")
            if d.chance(0.8)
            else parts.subnet(d)
        )
    if kind == "vendor":
        clouds = d.pick([basics.GOOGLE, basics.AWS_EGRESS["us-west-2"], basics.HOSTING["digitalocean"], basics.AZURE])
        few = [basics.address(d, clouds) for _ in range(d.between(1, 6))]
        return Place(lambda x: x.pick(few), fixed=False, name=f"vendor-{name}")
    if kind == "home":
        flat, wanders = basics.address(d, basics.ISPS[parts.world.country]), d.pick([0.02, 0.1, 0.35])
        elsewhere = [*basics.ISPS.values()]
        return Place(
            lambda x: basics.address(x, x.pick(elsewhere)) if x.chance(wanders) else flat,
            fixed=False,
            name=f"home-{name}",
        )
    return parts.subnet(d)


# ---- releases: a deployment by the usual deployer; on the day after, the service calls and reads what it never did

_NEWS = actions("""s3: PutObject DeleteObject ListObjects
dynamodb: DescribeTable Query
sqs: GetQueueAttributes
sns: Publish
ssm: GetParametersByPath
kms: Sign
bedrock: InvokeModel
states: StartExecution
lambda: Invoke
ses: SendEmail
cognito-idp: AdminGetUser""")


def release(parts: Parts, machines: list[Machine], days: int) -> list[Machine]:
    """Some services ship while the tenant is watched; returns their deployers."""
    d = dice(parts.world.seed, "releases")
    services = [
        m
        for m in machines
        if m.session in ("lambda", "sdk", "web") and m.archetype != "odd" and m.activities and m.kind == "role"
    ]
    deployers = list[Machine]()
    for number, service in enumerate(d.some(services, max(3, len(services) // 4))):
        deployer = _deployer(parts, dice(parts.world.seed, "deployer", number), service, number)
        deployers.append(deployer)
        for day in range(1, days):
            if day % 7 < 5 and d.chance(0.3):
                at = d.between(8, 16) * HOUR
                steps = [Step(Pool([each]), 1, 6) for each in _shipping(parts, d, service)]
                deployer.activities.append(Activity(Rhythm("cron", at=at), steps, day, day + 1, scale=False))
                if d.chance(0.3):
                    _bring(parts, d, service, day, at)
    return deployers


def _deployer(parts: Parts, d: Dice, service: Machine, number: int) -> Machine:
    name = f"deploy-{service.name.rsplit('/', 1)[-1][:32]}-{number}"
    place = Place(lambda x: basics.address(x, basics.AZURE), fixed=False, name=f"run-{name}")
    made = role(parts, d, name, "ci", place, basics.cli(d))
    made.region, made.rotate, made.subject = (
        service.region,
        HOUR,
        f"repo:{parts.world.org}/{d.pick(WORDS)}:ref:refs/heads/main",
    )
    return made


def _shipping(parts: Parts, d: Dice, service: Machine) -> list[Template]:
    world, region, name = parts.world, service.region, service.name.rsplit("/", 1)[-1][:60]
    if service.session == "lambda":
        told = Detail(
            {"functionName": name, "dryRun": False, "publish": False}, {"functionName": name, "role": service.arn}
        )
        first = template(world.account, region, "lambda:UpdateFunctionCode20150331v2", told)
        return [first, template(world.account, region, "lambda:PublishVersion20150331", Detail({"functionName": name}))]
    image = f"{world.account}.dkr.ecr.{region}.amazonaws.com/{name}:{d.hexes(7)}"
    push = [
        call(world, d, action, region)
        for action in ("ecr:GetAuthorizationToken", "ecr:InitiateLayerUpload", "ecr:PutImage")
    ]
    if service.session == "web":
        return [*push, call(world, d, "eks:DescribeCluster", region)]
    task = {"family": name, "taskRoleArn": service.arn, "containerDefinitions": [{"name": name, "image": image}]}
    update = {"cluster": "main", "service": name, "taskDefinition": name, "forceNewDeployment": False}
    return [*push, template(world.account, region, "ecs:RegisterTaskDefinition", Detail(task)),
            template(world.account, region, "ecs:UpdateService", Detail(update))]  # fmt: skip


def _bring(parts: Parts, d: Dice, service: Machine, day: int, at: int) -> None:
    world, region = parts.world, service.region
    name = f"{d.pick(world.envs)}/{d.pick(WORDS)}/{d.pick(['payments', 'broker', 'llm', 'maps', 'sso'])}-{d.hexes(2)}"
    reads = Step(
        Pool([template(world.account, region, "secretsmanager:GetSecretValue", secret(world, name, region))]), 1.6, 60
    )
    fresh = Step(Pool([call(world, d, action, region) for action in d.some(_NEWS, d.between(1, 4))]), 4, 900)
    soon = min(DAY - 1, at + d.between(120, 6 * HOUR))
    service.activities.append(Activity(Rhythm("cron", at=soon), [reads, fresh], day, day + 1, scale=False))
    if d.chance(0.6):
        later = Activity(Rhythm("burst", d.lognormal(1.0, 0.7)), [fresh._replace(size=2)], day + 1, scale=False)
        service.activities.append(later)
