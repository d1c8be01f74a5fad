# ruff: noqa: E501
"""What machines do: routines by job, as public descriptions of such workloads have them.

Each job: weight, flavours, rhythm, runs a day (low, high), and the pool its routine is drawn from.
A routine is what one run does, call by call; `*n` repeats.
"""
from __future__ import annotations

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
