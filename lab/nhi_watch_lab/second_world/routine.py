"""What machines and people do in AWS: jobs, the cast, their days, and people at work.

Each job: weight, flavours, rhythm, runs a day (low, high), and the pool its routine is drawn from.
A routine is what one run does, call by call; `*n` repeats.
"""

from __future__ import annotations

from random import Random

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import (
    Account,
    Json,
    Person,
    Place,
    Tenant,
    aws_operator,
    operators,
    outside,
    place,
)
from nhi_watch_lab.second_world.trail import SPECS, Actor, AwsLog

# ---- what machines do: routines by job, as public descriptions of such workloads have them

Job = tuple[float, str, str, tuple[float, float], list[str]]

JOBS: dict[str, Job] = {
    "config-loader": (3, "ecs irsa lambda ec2", "steady", (4, 90), ["GetParameter", "GetParametersByPath GetSecretValue", "GetSecretValue", "GetParameters Decrypt"]),
    "crypto-user": (3, "lambda ecs irsa ec2", "steady", (10, 220), ["Decrypt", "Decrypt GenerateDataKey", "GenerateDataKey", "Sign", "Encrypt Decrypt"]),
    "whoami": (2, "irsa ec2 ecs", "steady", (6, 96), ["GetCallerIdentity", "GetCallerIdentity DescribeRegions"]),
    "object-worker": (5, "lambda ecs irsa ec2 user", "office", (10, 160), ["GetObject PutObject", "PutObject", "GetObject", "ListObjects GetObject*3", "HeadObject GetObject PutObject", "GetObject PutObject DeleteObject"]),
    "log-shipper": (2, "ec2 ecs irsa", "steady", (10, 96), ["CreateLogStream", "CreateLogStream DescribeLogStreams", "DescribeLogGroups DescribeLogStreams"]),
    "node-agent": (2, "ec2", "steady", (48, 200), ["UpdateInstanceInformation", "UpdateInstanceInformation ListInstanceAssociations", "DescribeTags", "DescribeInstances"]),
    "autoscaler": (1.5, "irsa", "steady", (48, 200), ["DescribeAutoScalingGroups DescribeInstanceTypes", "DescribeAutoScalingGroups SetDesiredCapacity", "DescribeInstances DescribeSubnets RunInstances"]),
    "lb-controller": (1, "irsa", "steady", (48, 160), ["DescribeLoadBalancers DescribeTargetGroups DescribeTargetHealth", "DescribeTargetHealth RegisterTargets"]),
    "dns-controller": (1, "irsa", "steady", (24, 96), ["ListHostedZones ListResourceRecordSets", "ListResourceRecordSets ChangeResourceRecordSets"]),
    "secret-operator": (1.5, "irsa", "steady", (24, 120), ["GetSecretValue DescribeSecret", "ListSecrets GetSecretValue*2", "GetParameter"]),
    "csi-driver": (1, "irsa", "steady", (12, 60), ["DescribeVolumes DescribeInstances", "DescribeVolumes"]),
    "cache-reader": (1.5, "lambda ecs", "office", (10, 120), ["GetItem", "Query GetItem", "GetItem UpdateItem", "PutItem"]),
    "function-caller": (1, "lambda ecs user", "office", (10, 120), ["Invoke", "Invoke GetSecretValue"]),
    "etl": (2.5, "batch role lambda ecs", "night", (1, 4), ["ListObjects*2 GetObject*12 PutObject*6", "GetTable GetPartitions StartQueryExecution GetQueryExecution*4 athena:GetQueryResults", "GetObject*20 PutObject*4 glue:UpdateTable", "GetClusterCredentials ListObjects GetObject*6", "GetDatabases GetTable*4 StartQueryExecution*3"]),
    "backup": (1.5, "role lambda user", "night", (1, 2), ["DescribeVolumes CreateSnapshot*6 CreateTags*4 DescribeSnapshots DeleteSnapshot*5", "DescribeDBInstances CreateDBSnapshot*2 DescribeDBSnapshots", "DescribeInstances CreateImage*2 CreateTags DeregisterImage", "ListTables CreateBackup*3", "CopySnapshot*3 DescribeSnapshots"]),
    "weekly-report": (1.2, "lambda batch user", "weekly", (1, 1), ["StartQueryExecution*3 GetQueryExecution*5 athena:GetQueryResults*3 PutObject", "GetCostAndUsage*3 PutObject", "ListUsers GetCredentialReport GenerateCredentialReport PutObject", "ListObjects GetObject*15 PutObject"]),
    "monthly-close": (1, "batch role user", "monthly", (1, 1), ["ListObjects*4 GetObject*40 PutObject*10", "ExportTableToPointInTime*2 DescribeTable", "StartExportTask DescribeDBSnapshots", "GetCostAndUsage*4 DescribeReportDefinitions PutObject*3"]),
    "rotator": (0.8, "lambda", "weekly", (1, 2), ["DescribeSecret GetSecretValue PutSecretValue", "ListUsers ListAccessKeys*4 GetAccessKeyLastUsed*3", "ListUsers ListAccessKeys*2 CreateAccessKey PutSecretValue UpdateAccessKey"]),
    "janitor": (0.8, "lambda", "night", (1, 1), ["DescribeInstances StopInstances*3", "DescribeSnapshots DeleteSnapshot*8", "DescribeVolumes DescribeImages DeregisterImage*2", "DescribeLogGroups PutRetentionPolicy*4"]),
    "patcher": (0.5, "lambda role", "weekly", (1, 2), ["DescribeInstanceInformation SendCommand*3 GetCommandInvocation*5", "DescribeInstanceInformation CreateAssociation ListCommands"]),
    "mailer": (1, "user lambda ecs", "office", (4, 60), ["GetSendQuota", "GetSendQuota GetSendStatistics", "GetAccount"]),
    "ml-user": (1.4, "lambda ecs irsa user", "office", (5, 120), ["InvokeModel", "ConverseStream", "InvokeModel GetObject", "Converse", "InvokeModelWithResponseStream"]),
    "image-puller": (1.2, "ec2 user ecs", "steady", (4, 60), ["GetAuthorizationToken", "GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer*2", "DescribeImages"]),
    "workflow": (1, "role lambda", "steady", (6, 60), ["StartExecution", "StartExecution DescribeExecution", "Invoke*2"]),
    "stream-reader": (1, "ecs lambda ec2", "steady", (12, 96), ["DescribeStreamSummary ListShards", "ListShards"]),
    "queue-admin": (0.7, "lambda ecs", "steady", (12, 96), ["GetQueueUrl", "GetQueueAttributes", "ListQueues GetQueueAttributes*2"]),
    "broken": (1, "ec2 lambda user irsa", "steady", (12, 180), ["CreateLogStream", "GetObject", "GetParameter", "DescribeTags", "GetSecretValue", "AssumeRole"]),
    "office-script": (1.5, "user", "office", (1, 12), ["ListObjects GetObject", "PutObject*2", "DescribeInstances StartInstances", "DescribeInstances StopInstances", "GetCostAndUsage", "DescribeDBInstances"]),
    "edge-device": (0.8, "user", "steady", (12, 96), ["PutObject", "GetParameter PutObject", "GetCallerIdentity PutObject"]),
    "sso-sync": (0.4, "user role", "steady", (8, 24), ["identitystore:ListUsers", "ListInstances"]),
    "cross-reader": (1, "role", "steady", (4, 48), ["ListObjects GetObject*2", "DescribeTable Query", "GetSecretValue"]),
}
VENDORS: dict[str, tuple[str, str, list[str]]] = {
    "monitoring": ("steady", "go2", ["ListMetrics GetMetricData*3 DescribeInstances", "GetMetricData*2 GetResources", "DescribeAlarms ListFunctions20150331 DescribeDBInstances", "GetMetricData ListQueues DescribeLoadBalancers"]),
    "cost": ("night", "boto", ["GetCostAndUsage*4 DescribeReportDefinitions ListObjects GetObject*3", "GetCostForecast GetCostAndUsage DescribeInstances DescribeVolumes"]),
    "security": ("scan", "go2", []),
    "support-desk": ("office", "java2", ["DescribeInstances DescribeAlarms", "FilterLogEvents GetLogEvents"]),
    "backup-vendor": ("night", "java2", ["DescribeVolumes DescribeSnapshots CreateSnapshot*3 CreateTags*2", "DescribeDBSnapshots CopyDBSnapshot"]),
}
SCAN = """DescribeInstances DescribeVolumes DescribeSnapshots DescribeSnapshotAttribute*3 DescribeImages DescribeSecurityGroups DescribeSubnets DescribeVpcs DescribeRouteTables DescribeNetworkInterfaces DescribeAddresses DescribeFlowLogs
DescribeInstanceAttribute*2 ListBuckets GetBucketAcl*4 GetBucketPolicy*4 GetBucketEncryption*3 GetBucketPublicAccessBlock*3 GetBucketVersioning*2 GetBucketLogging*2 ListUsers ListRoles ListPolicies ListAccessKeys*3 ListAttachedUserPolicies*2 ListMFADevices*2
ListAttachedRolePolicies*4 GetRole*2 GetPolicyVersion*3 GetAccountSummary GetAccountPasswordPolicy GetCredentialReport GetAccountAuthorizationDetails ListFunctions20150331 GetPolicy20150331v2*3 GetFunctionConfiguration20150331v2*3 DescribeDBInstances
DescribeDBSnapshots DescribeDBSnapshotAttributes*2 DescribeTrails GetTrailStatus GetEventSelectors ListKeys DescribeKey*2 GetKeyPolicy*2 ListSecrets GetResourcePolicy*2 DescribeParameters ListTopics GetTopicAttributes ListQueues GetQueueAttributes*2 ListTables
DescribeTable*2 eks:ListClusters DescribeCluster ListClusters DescribeRepositories DescribeLoadBalancers DescribeAutoScalingGroups ListDetectors GetDetector DescribeConfigurationRecorders ListAnalyzers ListDistributions ListHostedZones ListCertificates GetRestApis
DescribeCacheClusters DescribeClusters GetModelInvocationLoggingConfiguration ListFoundationModels ListNotebookInstances DescribeOrganization ListAccounts organizations:ListPolicies ListWebACLs GetEbsEncryptionByDefault DescribeLaunchTemplates ListIdentities GetContactInformation""".split()

# deploys: what one pipeline run does
DEPLOYS: list[list[str]] = [s.split() for s in (
    "GetCallerIdentity GetAuthorizationToken InitiateLayerUpload*2 CompleteLayerUpload*2 PutImage DescribeServices DescribeTaskDefinition RegisterTaskDefinition UpdateService DescribeServices*3",
    "GetCallerIdentity GetFunction20150331v2 PutObject UpdateFunctionCode20150331v2 GetFunctionConfiguration20150331v2 PublishVersion20150331 UpdateAlias20150331",
    "ListObjects PutObject*12 DeleteObject*2 CreateInvalidation",
    "GetCallerIdentity DescribeStacks CreateChangeSet DescribeStacks ExecuteChangeSet DescribeStackEvents*3",
    "GetCallerIdentity DescribeCluster GetAuthorizationToken BatchGetImage PutImage DescribeCluster",
    "GetCallerIdentity GetParametersByPath UpdateFunctionConfiguration20150331v2 UpdateFunctionCode20150331v2 AddPermission20150331v2")]
PLAN = """GetCallerIdentity DescribeAvailabilityZones GetObject GetItem GetRole*4 GetPolicy*2 GetPolicyVersion*2 ListRolePolicies*2 ListAttachedRolePolicies*3 DescribeVpcs DescribeSubnets DescribeSecurityGroups*2 DescribeRouteTables GetBucketPolicy*2
GetBucketVersioning GetBucketEncryption GetBucketTagging DescribeInstances DescribeVolumes DescribeDBInstances GetFunction20150331v2 ListTags20170331 DescribeKey GetKeyPolicy ListHostedZones DescribeLogGroups DescribeAlarms""".split()
APPLIES: list[list[str]] = [s.split() for s in (
    "CreateRole PutRolePolicy AttachRolePolicy TagRole", "CreatePolicy AttachRolePolicy", "UpdateAssumeRolePolicy", "CreatePolicyVersion", "CreateBucket PutBucketTagging PutBucketEncryption PutBucketPolicy", "PutBucketLifecycle PutBucketVersioning",
    "CreateSecurityGroup AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress", "CreateFunction20150331 AddPermission20150331v2", "CreateFunctionUrlConfig AddPermission20150331v2", "PutRule PutTargets", "CreateQueue SetQueueAttributes",
    "CreateTopic Subscribe", "CreateKey PutKeyPolicy CreateGrant", "CreateLogGroup PutRetentionPolicy", "PutMetricAlarm*3", "CreateUser CreateAccessKey AttachUserPolicy", "CreateOpenIDConnectProvider CreateRole AttachRolePolicy", "CreateSecret PutSecretValue",
    "PutParameter*2", "RunInstances CreateTags", "DetachRolePolicy AttachRolePolicy", "CreateTable", "ChangeResourceRecordSets*2", "CreateInstanceProfile AddRoleToInstanceProfile", "CreateFlowLogs", "DeleteFlowLogs CreateFlowLogs", "ModifyDBInstance",
    "CreateEventSourceMapping20150331 UpdateFunctionConfiguration20150331v2", "PutBucketReplication", "PutBucketPublicAccessBlock", "CreateAccessEntry AssociateAccessPolicy", "SetRepositoryPolicy", "PutEventSelectors UpdateTrail", "DeleteRole DeleteBucket",
    "CreateCluster RegisterTaskDefinition CreateService", "RequestCertificate", "CreateTrustAnchor CreateProfile", "CreateFilter", "CreateVpcPeeringConnection", "PublishLayerVersion20181031 UpdateFunctionConfiguration20150331v2", "AllocateAddress", "CreateNetworkInterface")]
# what administrators do by hand; each is ordinary somewhere, and each is also some attacker's step
ADMIN: list[list[str]] = [s.split() for s in (
    "ListUsers CreateUser AddUserToGroup CreateLoginProfile", "ListAccessKeys CreateAccessKey", "ListAccessKeys UpdateAccessKey DeleteAccessKey", "UpdateLoginProfile", "DeactivateMFADevice EnableMFADevice", "GetRole UpdateAssumeRolePolicy", "PutUserPolicy ListUserPolicies",
    "ListAttachedRolePolicies AttachRolePolicy DetachRolePolicy", "GetPolicy CreatePolicyVersion SetDefaultPolicyVersion", "DescribeSnapshots CreateSnapshot ModifySnapshotAttribute", "DescribeImages CreateImage ModifyImageAttribute", "DescribeDBSnapshots CreateDBSnapshot ModifyDBSnapshotAttribute",
    "CopyDBSnapshot RestoreDBInstanceFromDBSnapshot", "DescribeInstances StartSession TerminateSession", "DescribeInstances SendSSHPublicKey", "DescribeInstanceInformation SendCommand GetCommandInvocation*2", "ModifyInstanceAttribute StopInstances StartInstances", "GetPasswordData DescribeInstances",
    "GetConsoleOutput RebootInstances", "DescribeTrails GetTrailStatus StopLogging StartLogging", "ListSecrets GetSecretValue DescribeSecret", "DescribeParameters GetParameters PutParameter", "ListFunctions20150331 GetFunction20150331v2 UpdateFunctionCode20150331v2", "GetServiceQuota RequestServiceQuotaIncrease",
    "ListIdentities VerifyEmailIdentity GetSendQuota", "CreateEmailIdentity PutAccountDetails GetAccount", "UpdateAccountSendingEnabled GetAccountSendingEnabled", "AuthorizeSecurityGroupIngress DescribeSecurityGroups", "LookupEvents*4", "FilterLogEvents StartQuery GetQueryResults*2", "ListFoundationModels PutUseCaseForModelAccess CreateFoundationModelAgreement PutFoundationModelEntitlement InvokeModel*3",
    "GetFoundationModelAvailability ListFoundationModelAgreementOffers GetUseCaseForModelAccess ListInferenceProfiles InvokeModel", "DescribeTasks ListTasks ExecuteCommand", "RunTask DescribeTasks*2", "CreateNotebookInstance ListNotebookInstances CreatePresignedNotebookInstanceUrl", "AssumeRole DescribeInstances",
    "GetFederationToken", "EnableRegion DescribeRegions", "ListFindings ArchiveFindings", "ListDetectors UpdateDetector", "CreateKeyPair RunInstances DescribeInstances", "ImportKeyPair", "DeleteTrail DescribeTrails", "ListGrants CreateGrant", "GetSessionToken ListMFADevices", "CreateDocument SendCommand", "CreateDevEndpoint GetConnections",
    "DeleteIdentity ListIdentities", "PutBucketPolicy GetBucketPolicy", "ListApps DescribeEnvironments", "GetApiKeys GetRestApis", "BatchGetSecretValue ListSecrets", "SimulatePrincipalPolicy GetAccountAuthorizationDetails", "DeleteUser DetachUserPolicy", "ScheduleKeyDeletion DisableKey", "CopyObject*4 DeleteObjects", "Scan*2 DescribeTable",
    "DeleteModelInvocationLoggingConfiguration GetModelInvocationLoggingConfiguration", "CreateServiceSpecificCredential", "AssociateIamInstanceProfile DescribeInstances", "CreateIPSet ListDetectors", "StopConfigurationRecorder DescribeConfigurationRecorders", "ListOrganizations GetInstances BatchGetProjects", "CreateTrainingJob", "StartBuild BatchGetProjects")]
BROWSE: list[list[str]] = [s.split() for s in (
    "DescribeInstances DescribeInstanceStatus DescribeVolumes DescribeAddresses DescribeSecurityGroups DescribeKeyPairs DescribeRegions DescribeAccountAttributes", "ListBuckets GetBucketLocation*3 ListObjects*2 GetBucketVersioning GetBucketPolicy GetBucketAcl", "ListFunctions20150331 GetFunction20150331v2 GetPolicy20150331v2 DescribeLogStreams GetLogEvents*2",
    "DescribeAlarms GetMetricData*4 ListMetrics", "ListUsers ListGroups GetAccountSummary ListAccessKeys ListMFADevices GetUser ListAccountAliases", "ListRoles GetRole ListAttachedRolePolicies ListRolePolicies GetRolePolicy", "ListClusters ListServices DescribeServices ListTasks DescribeTasks", "DescribeDBInstances DescribeDBClusters DescribeDBSnapshots",
    "GetCostAndUsage*3 GetCostForecast DescribeEvents", "ListTables DescribeTable*2 DescribeContinuousBackups", "DescribeLogGroups DescribeLogStreams*2 FilterLogEvents", "DescribeStacks DescribeStackEvents ListStacks", "ListSecrets DescribeSecret ListSecretVersionIds", "DescribeParameters GetParameter", "ListTopics ListSubscriptions ListQueues GetQueueAttributes*2",
    "DescribeTrails LookupEvents*2", "ListHostedZones ListResourceRecordSets*2", "GetFindings ListDetectors ListFindings", "DescribeLoadBalancers DescribeTargetGroups DescribeTargetHealth*2", "eks:ListClusters DescribeCluster ListNodegroups ListAccessEntries", "ListFoundationModels ListInferenceProfiles GetFoundationModelAvailability*2", "ListOpenIDConnectProviders ListSAMLProviders ListInstanceProfiles", "ListServiceQuotas GetServiceQuota", "ListEmailIdentities GetAccount GetSendStatistics",
    "GetBucketReplication GetBucketLifecycle GetBucketLogging GetBucketEncryption", "ListLayers20181031 ListEventSourceMappings20150331 ListTags20170331", "ListRules DescribeScalingActivities ListBackupJobs", "DescribeVpcEndpoints DescribeNatGateways DescribeRouteTables DescribeFlowLogs", "ListCommands ListDocuments DescribeSessions",
    "ListGroupsForUser GetLoginProfile ListUserPolicies", "GetAlternateContact GetContactInformation DescribeTrustedAdvisorChecks")]
SERVICE_ROLES = [("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com", "DescribeInstanceStatus DescribeTargetHealth"), ("AWSServiceRoleForConfig", "config.amazonaws.com", "DescribeInstances DescribeVolumes GetBucketPolicy ListRoles GetRole GetBucketAcl DescribeSecurityGroups"),
                 ("AWSServiceRoleForAmazonEKS", "eks.amazonaws.com", "DescribeNetworkInterfaces DescribeSubnets DescribeSecurityGroups"), ("AWSServiceRoleForECS", "ecs.amazonaws.com", "RegisterTargets DeregisterTargets DescribeTargetHealth"), ("AWSServiceRoleForRDS", "rds.amazonaws.com", "DescribeSecurityGroups DescribeSubnets"),
                 ("AWSServiceRoleForAccessAnalyzer", "access-analyzer.amazonaws.com", "ListRoles GetRole GetBucketPolicy GetKeyPolicy ListBuckets"), ("AWSServiceRoleForTrustedAdvisor", "trustedadvisor.amazonaws.com", "DescribeInstances DescribeVolumes DescribeAddresses ListUsers GetAccountSummary"), ("AWSServiceRoleForSupport", "support.amazonaws.com", "DescribeInstances DescribeVpcs")]


def expand(routine: str) -> list[str]:
    """`A B*3` becomes [A, B, B, B]."""
    calls: list[str] = []
    for word in routine.split():
        name, _, times = word.partition("*")
        calls += [name] * int(times or 1)
    return calls


# ---- draws the AWS population of a tenant: machines, vendors, pipelines, service roles, people

ENVS = {"lambda": "AWS_Lambda_python3.12", "ecs": "AWS_ECS_FARGATE", "ec2": "", "irsa": ""}


class Cast:
    def __init__(self, tenant: Tenant, rng: Random) -> None:
        self.tenant, self.rng = tenant, rng
        self.machines: list[Actor] = []
        self.vendors: list[Actor] = []
        self.pipelines: list[Actor] = []
        self.services: list[Actor] = []
        self.people: list[Actor] = []

    def everyone(self) -> list[Actor]:
        return self.machines + self.vendors + self.pipelines + self.services + self.people

    def victims(self) -> list[Actor]:
        return self.machines + self.vendors + self.pipelines

    def fill(self, count: int) -> None:
        """`count` AWS identities, people among them."""
        for person in self.tenant.people:
            self._person(person)
        for _ in range(self.rng.randint(2, 5)):
            self._vendor()
        for _ in range(max(2, round(count * self.rng.uniform(0.03, 0.08)))):
            self._pipeline()
        for row in self.rng.sample(SERVICE_ROLES, self.rng.randint(3, len(SERVICE_ROLES))):
            self._service(row)
        while len(self.everyone()) < count:
            self._machine()

    def account(self) -> Account:
        return self.rng.choice(self.tenant.accounts[:1] * 3 + self.tenant.accounts)

    def _base(self, name: str, flavour: str, account: Account, regions: list[str], where: Place, ua: str, routine: list[str], runs: float, rhythm: str) -> Actor:
        kind = "AIDA" if flavour == "user" else "AROA"
        made = Actor(name, flavour, account, regions, base.aws_id(self.rng, kind, account.id), where, [(0.0, ua)], routine, runs, rhythm, phase=self.rng.random())
        if flavour == "user":
            made.keys = [(0.0, base.aws_id(self.rng, "AKIA", account.id))]
        made.born = self.tenant.start - self.rng.uniform(10, 900) * 86400
        return made

    def _machine(self) -> None:
        rng, tenant = self.rng, self.tenant
        job = base.weighted(rng, {name: row[0] for name, row in JOBS.items()})
        _, flavours, rhythm, (low, high), options = JOBS[job]
        flavour, account = rng.choice(flavours.split()), self.account()
        region = tenant.regions[0] if rng.random() < 0.75 else rng.choice(tenant.regions)
        name = tenant.name(account.env if rng.random() < 0.6 else "", rng.choice(tenant.words), job.split("-")[-1], "" if flavour == "user" else rng.choice(["role", "", "svc"]))
        taken = {a.name for a in self.machines}
        while name in taken:
            name = tenant.name(name, str(rng.randint(2, 99)))
        runs = low * (high / low) ** rng.random() if high > low else float(low)
        made = self._base(name, flavour, account, [region], self._where(flavour, account, region, job), base.sdk(rng, ENVS.get(flavour, "")), expand(rng.choice(options)), runs, rhythm)
        made.job = job
        self._detail(made)
        self._timeline(made)
        self.machines.append(made)

    def _where(self, flavour: str, account: Account, region: str, job: str) -> Place:
        rng, tenant = self.rng, self.tenant
        if flavour == "lambda" and rng.random() < 0.5:
            return place(rng, aws_operator(region), rng.randint(4, 20), rng.choice([0.02, 0.1, 0.3]))   # outside of a VPC
        if flavour == "user":
            far = {"edge": 0.1, "dc": 0.25, "gcp": 0.1, "office": 0.2}
            kind = "edge" if job == "edge-device" else base.weighted(rng, {**far, "nat": 0.35})
            if kind == "edge":
                return place(rng, rng.choice(operators("residential", "mobile")), rng.randint(2, 15), 0.03)
            choices = {"dc": lambda: place(rng, "equinix-dc", rng.randint(1, 3)), "gcp": lambda: place(rng, rng.choice(operators("cloud", "hosting")), rng.randint(1, 4)), "office": lambda: tenant.office}
            if kind in choices:
                return choices[kind]()
        return tenant.nat(account, region)

    def _detail(self, made: Actor) -> None:
        rng = self.rng
        if made.flavour in ("ec2", "ecs", "irsa", "lambda"):
            made.lanes = rng.choice([1, 1, 1, 2, 2, 3, 4, 8])
            shared = made.place is self.tenant.nat(made.account, made.regions[0])
            if shared and rng.random() < 0.5:
                made.vpce = "vpce-" + base.hexa(rng, 17)
        if made.flavour == "irsa":
            made.trusted = rng.choice(self.tenant.words + ["kube-system", "monitoring"])
        if made.job == "broken":
            made.fails = {name: rng.uniform(0.85, 1.0) for name in made.routine}
        elif rng.random() < 0.15:
            made.fails = {rng.choice(made.routine): rng.uniform(0.02, 0.5)}
        if made.rhythm in ("steady", "office") and made.runs > 300:
            made.runs = 300.0

    def _timeline(self, made: Actor) -> None:
        """Upgrades, key rotations, births and deaths."""
        rng, tenant = self.rng, self.tenant

        def moment() -> float:
            return tenant.start + rng.uniform(0.05, 0.98) * tenant.days * 86400
        if rng.random() < tenant.habits["upgrades"]:
            env = ENVS.get(made.flavour, "")
            made.uas.append((moment(), base.sdk(rng, env)))
        if made.keys and rng.random() < tenant.habits["rotation"] * 8:
            made.keys.append((moment(), base.aws_id(rng, "AKIA", made.account.id)))
        if rng.random() < tenant.habits["births"]:
            made.born = moment()
        elif rng.random() < tenant.habits["deaths"]:
            made.dies = moment()
        if rng.random() < tenant.habits["births"] and len(tenant.regions) > 1:
            made.regions.append(rng.choice(tenant.regions[1:]))

    def _vendor(self) -> None:
        rng, tenant = self.rng, self.tenant
        job = rng.choice(sorted(VENDORS))
        rhythm, client, options = VENDORS[job]
        account = tenant.accounts[0]
        where = place(rng, rng.choice(operators("aws") + ["gcp-us", "azure-runner", "ovh"]), rng.randint(2, 8), rng.choice([0.0, 0.02, 0.1]))
        routine = [] if rhythm == "scan" else expand(rng.choice(options))
        runs = {"steady": rng.uniform(40, 200), "night": 1.5, "scan": rng.uniform(1, 3), "office": rng.uniform(1, 8)}[rhythm]
        made = self._base(tenant.name(job, rng.choice(["integration", "readonly", "vendor"]), str(rng.randint(1, 99))), "vendor", account, list(tenant.regions), where, base.SDKS[client](rng), routine, runs, rhythm)
        made.job, made.trusted = ("scanner" if rhythm == "scan" else job), base.digits(rng, 12)
        self.vendors.append(made)

    def _pipeline(self) -> None:
        rng, tenant = self.rng, self.tenant
        first = not self.pipelines
        kind = "terraform" if first or rng.random() < 0.25 else "deploy"
        flavour = rng.choice(["ci", "ci", "ci", "user", "ec2"])
        account = self.account()
        where = tenant.runners if flavour == "ci" else (tenant.nat(account, tenant.regions[0]) if flavour == "ec2" else place(rng, rng.choice(["azure-runner", "gcp-us", "equinix-dc"]), 2, 0.3))
        ua = base.terraform(rng) if kind == "terraform" else rng.choice([base.cli(rng, "linux"), base.boto(rng), base.js3(rng)])
        name = tenant.name(rng.choice(["gha", "ci", "deploy", "pipeline"]), rng.choice(tenant.words), kind)
        made = self._base(name, flavour, account, list(tenant.regions[:2]), where, ua, expand(" ".join(rng.choice(DEPLOYS))), tenant.habits["deploys"] * rng.uniform(0.3, 2.5), "deploy")
        made.job, made.trusted = kind, rng.choice(["github", "github", "gitlab"]) if flavour == "ci" else ""
        self.pipelines.append(made)

    def _service(self, row: tuple[str, str, str]) -> None:
        rng, tenant = self.rng, self.tenant
        made = self._base(row[0], "slr", tenant.accounts[0], [tenant.regions[0]], tenant.office, row[1], expand(row[2]), 10 ** rng.uniform(0.8, 2.1), "steady")
        made.path, made.trusted, made.job = f"aws-service-role/{row[1]}/", row[1], "service"
        self.services.append(made)

    def _person(self, person: Person) -> None:
        """An SSO user, an IAM user with keys, or both; only some people touch AWS."""
        rng, tenant = self.rng, self.tenant
        if rng.random() < 0.25 and self.people:
            return
        account = self.account()
        if rng.random() < 0.65:
            role = rng.choice(["AdministratorAccess", "PowerUserAccess", "ViewOnlyAccess", "Developer", "DataEngineer"])
            path = f"aws-reserved/sso.amazonaws.com/{tenant.regions[0]}/" if tenant.regions[0] != "us-east-1" else "aws-reserved/sso.amazonaws.com/"
            name = f"AWSReservedSSO_{role}_" + base.hexa(Random(f"{tenant.seed}{account.id}{role}"), 16)
            made = self._base(name, "sso", account, list(tenant.regions), person.home, person.browser, [], 0.0, "person")
            made.path, made.pid = path, base.aws_id(Random(f"{tenant.seed}{name}"), "AROA", account.id)
        else:
            made = self._base(person.login, "user", account, list(tenant.regions), person.home, base.operator_client(rng), [], 0.0, "person")
        made.person, made.job, made.phase = person, "admin" if rng.random() < 0.35 else "person", 0.3 + rng.random() * 0.1
        made.uas.append((0.0, base.operator_client(rng)))
        self.people.append(made)


# ---- ordinary AWS life, a day at a time: machines, vendors, pipelines, services, their news

READ_NAMES = sorted(n for n, s in SPECS.items() if s.read)
SCAN_CALLS = expand(" ".join(SCAN))


class AwsLife:
    def __init__(self, tenant: Tenant, cast: Cast, log: AwsLog, rng: Random, scale: float) -> None:
        self.tenant, self.cast, self.log, self.rng, self.scale = tenant, cast, log, rng, scale

    def day(self, day: float) -> None:
        for who in self.cast.machines + self.cast.services:
            if who.alive(day + 43200):
                self.machine(who, day)
        for who in self.cast.vendors:
            self.vendor(who, day)
        for who in self.cast.pipelines:
            self.pipeline(who, day)
        self.oddities(day)

    def machine(self, who: Actor, day: float) -> None:
        runs = who.runs * self.scale if who.rhythm in ("steady", "office") else who.runs
        for t in base.starts(self.tenant, self.rng, who.rhythm, runs, who.phase, day):
            if self.rng.random() < 0.985:
                self.run(who, t)
        if who.flavour != "slr" and self.rng.random() < self.tenant.habits["novelty"]:
            self.news(who, base.office_time(self.tenant, self.rng, day))

    def run(self, who: Actor, t: float) -> float:
        """One run of the routine, with failures and retries."""
        lane = self.rng.randrange(who.lanes)
        region = self.rng.choice(who.regions)
        via = who.trusted if who.flavour == "slr" else ""
        for name in who.routine:
            t += self.rng.expovariate(2.0)
            err = self._failure(who, name)
            self.log.call(who, t, name, lane=lane, err=err, region=region, via=via)
            if err == "ThrottlingException":
                t += 1.3
                self.log.call(who, t, name, lane=lane, region=region, via=via)
        return t

    def _failure(self, who: Actor, name: str) -> str:
        if name in who.fails and self.rng.random() < who.fails[name]:
            return "NoSuchKey" if name in ("GetObject", "HeadObject") and who.phase < 0.5 else "denied"
        return "ThrottlingException" if self.rng.random() < 0.002 else ""

    def news(self, who: Actor, t: float) -> None:
        """A machine does something new: a release, a retry path, a debugging call, a new resource."""
        kind = base.weighted(self.rng, {"call": 3.0, "resource": 3.0, "client": 1.0, "adopt": 2.0, "denied": 1.0, "burst": 1.0, "region": 0.5})
        calls = self.rng.choice(BROWSE + APPLIES + ADMIN[-40:])
        if kind == "adopt":
            who.routine = who.routine + expand(self.rng.choice(["GetParameter", "PutObject", "GetSecretValue", "Decrypt", "Publish", "GetItem", "ListObjects", "AssumeRole", "InvokeModel", "DescribeInstances"]))
        elif kind == "resource":
            who.pools.clear()
        elif kind == "client":
            who.uas.append((t, base.sdk(self.rng)))
        else:
            names = expand(" ".join(calls)) if kind == "burst" else [self.rng.choice(READ_NAMES) for _ in range(self.rng.randint(1, 3))]
            for name in names:
                t += self.rng.expovariate(0.5)
                self.log.call(who, t, name, err="denied" if kind == "denied" or self.rng.random() < 0.1 else "", region=self.rng.choice(self.tenant.regions) if kind == "region" else "", explore=kind == "burst")

    def vendor(self, who: Actor, day: float) -> None:
        if who.rhythm != "scan":
            self.machine(who, day)
            return
        for i in range(max(1, round(who.runs * min(1.0, self.scale)))):
            t = day + 86400 * (i + who.phase) / who.runs % 86400 + self.rng.uniform(0, 600)
            self.scan(who, t, self.rng.uniform(0.5, 1.0), 0.06)

    def scan(self, who: Actor, t: float, share: float, denied: float) -> None:
        region = self.rng.choice(who.regions)
        for name in SCAN_CALLS:
            if self.rng.random() < share:
                t += self.rng.expovariate(1.5)
                self.log.call(who, t, name, region=region, err="denied" if self.rng.random() < denied else "", explore=True)

    def pipeline(self, who: Actor, day: float) -> None:
        level = who.runs * (0.12 if base.weekday(day) >= 5 else 1.0)
        for _ in range(base.poisson(self.rng, level)):
            t = base.office_time(self.tenant, self.rng, day)
            if who.job == "terraform":
                self.terraform(who, t)
            else:
                self.deploy(who, t)

    def deploy(self, who: Actor, t: float) -> None:
        calls = who.routine if self.rng.random() < 0.85 else self.rng.choice(DEPLOYS)
        ip = self.runner(who)
        for name in expand(" ".join(calls)):
            t += self.rng.expovariate(0.7)
            self.log.call(who, t, name, place=ip, err="denied" if self.rng.random() < 0.01 else "", explore=True)

    def runner(self, who: Actor) -> Place:
        """One machine per pipeline run: the address stays for the run, and differs from run to run."""
        return place(self.rng, who.place.operator, 1) if who.flavour == "ci" or not who.place.pool else who.place

    def terraform(self, who: Actor, t: float) -> None:
        ip = self.runner(who)
        changes = [c for group in self.rng.sample(APPLIES, self.rng.choice([0, 0, 1, 1, 2, 3, 6])) for c in group]
        for name in expand(" ".join(PLAN)) + expand(" ".join(changes)):
            if self.rng.random() < 0.8 or name in changes:
                t += self.rng.expovariate(3.0)
                self.log.call(who, t, name, place=ip, err="denied" if self.rng.random() < 0.015 else "", explore=True)

    def oddities(self, day: float) -> None:
        """Tenant-wide one-offs: authorised testers, mass exports, incident response, migrations."""
        rng, t = self.rng, base.office_time(self.tenant, self.rng, day)
        machines: list[Actor] = [m for m in self.cast.machines if m.alive(t)]
        if rng.random() < 0.03 and self.cast.people:
            tester = rng.choice(self.cast.people)
            where, ua = outside(rng, self.tenant), base.operator_client(rng)
            for name in rng.sample(SCAN_CALLS, 60):
                t += rng.expovariate(0.4)
                self.log.call(tester, t, name, place=where, ua=ua, explore=True, err="denied" if rng.random() < 0.3 else "")
        if rng.random() < 0.08:
            who = rng.choice(machines)
            for _ in range(rng.randint(60, 400)):
                t += rng.expovariate(1.0)
                self.log.call(who, t, "GetObject", explore=True)
        if rng.random() < 0.06:
            old, new = rng.choice(machines), rng.choice(machines)
            new.routine = new.routine + old.routine[:6]    # a service moves to another role
        if rng.random() < 0.05 and machines:
            self.moved(rng.choice(machines), t)

    def moved(self, who: Actor, t: float) -> None:
        """A workload moves to other networks for good (a migration), or a key gets a second user."""
        if who.flavour in ("user", "lambda"):
            where = outside(self.rng, self.tenant) if self.rng.random() < 0.3 else self.tenant.nat(who.account, who.regions[0])
            who.place = where if where.kind not in ("tor", "vpn") else who.place
            who.uas.append((t, base.sdk(self.rng)))


# ---- people in AWS: consoles, command lines at home, hurried administrators, debugging

AWS_PEOPLE_SCAN_CALLS = expand(" ".join(SCAN))


class AwsPeople:
    def __init__(self, tenant: Tenant, cast: Cast, log: AwsLog, rng: Random) -> None:
        self.tenant, self.cast, self.log, self.rng = tenant, cast, log, rng

    def day(self, day: float) -> None:
        for who in self.cast.people:
            night = who.person is not None and who.person.night and self.rng.random() < 0.15
            if base.works(self.tenant, self.rng, day) or night:
                self.workday(who, day, night)

    def where(self, person: Person) -> Place:
        """Office, VPN, home, phone, or a hotel."""
        return where(self.tenant, self.rng, person)

    def workday(self, who: Actor, day: float, night: bool) -> None:
        rng, habits = self.rng, self.tenant.habits
        assert who.person is not None
        spot = self.where(who.person)
        for _ in range(1 if night else rng.choice([0, 1, 1, 2, 3])):
            t = day + rng.uniform(0, 21600) - self.tenant.offset * 3600 % 86400 if night else base.office_time(self.tenant, rng, day)
            self.console(who, max(t, day), spot)
        if rng.random() < 0.45:
            self.terminal(who, base.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["admin"] * (0.5 if who.job == "admin" else 0.08):
            self.admin(who, base.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["hurry"]:
            self.hurry(who, base.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["debug"]:
            self.debug(who, base.office_time(self.tenant, rng, day), spot)

    def console(self, who: Actor, t: float, spot: Place) -> None:
        assert who.person is not None
        if who.flavour == "user":
            self.login(who, t, spot)
        for calls in self.rng.sample(BROWSE, self.rng.randint(1, 3)):
            t += self.rng.uniform(5, 400)
            for name in expand(" ".join(calls)):
                t += self.rng.expovariate(4.0)
                self.log.call(who, t, name, place=spot, ua=who.person.browser, explore=True, region=self.rng.choice(who.regions[:2]), err=self._err(who))

    def _err(self, who: Actor) -> str:
        return "denied" if self.rng.random() < (0.01 if who.job == "admin" else 0.06) else ""

    def terminal(self, who: Actor, t: float, spot: Place) -> None:
        """Own keys or SSO credentials on the command line; now and then from a second machine."""
        ua = who.uas[-1][1] if self.rng.random() < 0.9 else base.operator_client(self.rng)
        names = expand(" ".join(self.rng.choice(BROWSE + ADMIN)))
        for name in (["GetCallerIdentity"] if self.rng.random() < 0.5 else []) + names * self.rng.choice([1, 1, 2]):
            t += self.rng.expovariate(0.05)
            self.log.call(who, t, name, place=spot, ua=ua, explore=True, region=self.rng.choice(who.regions[:2]), err=self._err(who), lane=1)

    def admin(self, who: Actor, t: float, spot: Place) -> None:
        assert who.person is not None
        browser = self.rng.random() < 0.5
        for calls in self.rng.sample(ADMIN + APPLIES, self.rng.choice([1, 1, 1, 2, 4])):
            for name in expand(" ".join(calls)):
                t += self.rng.expovariate(0.04)
                self.log.call(who, t, name, place=spot, ua=who.person.browser if browser else who.uas[-1][1], explore=True, err=self._err(who), lane=int(not browser))

    def hurry(self, who: Actor, t: float, spot: Place) -> None:
        """Wrong role, dozens of denied calls, then break-glass."""
        for name in self.rng.choices(AWS_PEOPLE_SCAN_CALLS + expand(" ".join(self.rng.choice(ADMIN))) * 4, k=self.rng.randint(12, 70)):
            t += self.rng.expovariate(0.2)
            self.log.call(who, t, name, place=spot, ua=who.uas[-1][1], explore=True, err="denied" if self.rng.random() < 0.75 else "", lane=1)
        self.admin(who, t + 200, spot)

    def debug(self, who: Actor, t: float, spot: Place) -> None:
        """A person takes a machine's role, or runs with its key, to see why it fails."""
        machine = self.rng.choice(self.cast.machines)
        if machine.flavour not in ("role", "batch", "user") or not machine.alive(t):
            return
        session = None
        if machine.flavour != "user":
            session = self.log.assume(who, t, machine, name=who.person.login if who.person else "debug", place=spot, ua=who.uas[-1][1], lane=1)
        for name in ["GetCallerIdentity"] + machine.routine[:5] + expand(" ".join(self.rng.choice(BROWSE))):
            t += self.rng.expovariate(0.05)
            self.log.call(machine, t, name, place=spot, ua=who.uas[-1][1], explore=self.rng.random() < 0.5, err=self._err(who), session=session)

    def login(self, who: Actor, t: float, spot: Place) -> None:
        """ConsoleLogin, sometimes mistyped first."""
        if self.rng.random() < 0.06:
            console_login(self.log, who, t - self.rng.uniform(5, 40), spot, who.person.browser if who.person else "", False)
        console_login(self.log, who, t, spot, who.person.browser if who.person else "", True)
        who.console = (t, base.aws_id(self.rng, "ASIA", who.account.id))


def where(tenant: Tenant, rng: Random, person: Person) -> Place:
    if rng.random() < tenant.habits["travel"]:
        return place(rng, rng.choice(operators("hotel", "mobile", "vpn", "residential")), 1)
    if rng.random() < tenant.habits["remote"]:
        options: tuple[tuple[Place, float], ...] = ((person.home, 5.0), (tenant.vpn, 3.0), (person.mobile, 0.5))
        return rng.choices([p for p, _ in options], weights=[w for _, w in options])[0]
    return tenant.office


def console_login(log: AwsLog, who: Actor, t: float, spot: Place, ua: str, ok: bool, mfa: bool = True) -> None:
    rng, region = log.rng, who.regions[0]
    user: Json = {"type": "IAMUser", "principalId": who.pid, "accountId": who.account.id, "accessKeyId": "", "userName": who.name}
    if ok:
        user = {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}
    record: Json = {"eventVersion": log.version, "userIdentity": user, "eventTime": base.iso(t), "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": region, "sourceIPAddress": spot.ip(rng, t), "userAgent": ua}
    if not ok:
        record["errorMessage"] = "Failed authentication"
    record.update({"requestParameters": None, "responseElements": {"ConsoleLogin": "Success" if ok else "Failure"}, "additionalEventData": {"LoginTo": f"https://{region}.console.aws.amazon.com/console/home?region={region}&state=hashArgs%23&isauthcode=true", "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"},
                   "eventID": base.uuid4(rng), "readOnly": False, "eventType": "AwsConsoleSignIn", "managementEvent": True, "recipientAccountId": who.account.id, "eventCategory": "Management",
                   "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{region}.signin.aws.amazon.com"}})
    log.sink.add("cloudtrail", t, record)
