# ruff: noqa: E501 - tables of long texts that read best unbroken
"""What an account's explorers (people, deployers, scanners) call: a broad list of real CloudTrail event names."""

from __future__ import annotations

READS = """
ec2: DescribeInstances DescribeVpcs DescribeSubnets DescribeSecurityGroups DescribeImages DescribeVolumes DescribeSnapshots DescribeAddresses DescribeRouteTables DescribeNetworkInterfaces DescribeKeyPairs DescribeInternetGateways DescribeNatGateways DescribeVpcEndpoints DescribeInstanceStatus DescribeInstanceTypes DescribeTags DescribeLaunchTemplates DescribeFlowLogs DescribeNetworkAcls DescribeVpcPeeringConnections DescribeAvailabilityZones DescribeRegions DescribeAccountAttributes DescribeInstanceAttribute DescribeReservedInstances DescribeSpotInstanceRequests DescribeTransitGateways DescribeVpnConnections DescribeSecurityGroupRules GetEbsEncryptionByDefault GetConsoleOutput DescribeLaunchTemplateVersions DescribeSnapshotAttribute DescribeImageAttribute
iam: ListRoles ListUsers ListPolicies GetRole GetPolicy GetPolicyVersion ListAttachedRolePolicies ListRolePolicies GetRolePolicy ListAccessKeys GetAccessKeyLastUsed GetUser ListGroups ListGroupsForUser ListMFADevices GetAccountSummary GetAccountPasswordPolicy ListInstanceProfiles GetInstanceProfile ListAttachedUserPolicies ListUserPolicies ListOpenIDConnectProviders ListSAMLProviders GetCredentialReport GenerateCredentialReport ListAccountAliases ListEntitiesForPolicy GetLoginProfile ListServerCertificates ListVirtualMFADevices GetAccountAuthorizationDetails SimulatePrincipalPolicy
s3: ListBuckets GetBucketLocation GetBucketPolicy GetBucketAcl GetBucketEncryption GetBucketVersioning GetBucketLogging GetBucketTagging GetBucketPublicAccessBlock GetBucketLifecycle GetBucketPolicyStatus GetBucketNotification GetBucketReplication GetBucketCors GetBucketWebsite GetBucketOwnershipControls GetAccountPublicAccessBlock
rds: DescribeDBInstances DescribeDBClusters DescribeDBSnapshots DescribeDBSubnetGroups DescribeDBParameterGroups DescribeDBEngineVersions DescribeEvents DescribeDBClusterSnapshots ListTagsForResource DescribeDBLogFiles DescribeDBSnapshotAttributes DescribePendingMaintenanceActions
lambda: ListFunctions20150331 GetFunction20150331v2 GetFunctionConfiguration20150331v2 GetPolicy20150331v2 ListEventSourceMappings20150331 ListVersionsByFunction20150331 ListAliases20150331 GetAccountSettings20160819 ListLayers20181031 ListTags20170331 GetFunctionUrlConfig
cloudtrail: DescribeTrails GetTrailStatus GetEventSelectors LookupEvents ListTrails GetInsightSelectors ListTags
kms: ListKeys DescribeKey ListAliases GetKeyPolicy GetKeyRotationStatus ListGrants ListResourceTags
logs: DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents DescribeMetricFilters StartQuery GetQueryResults DescribeSubscriptionFilters
monitoring: DescribeAlarms GetMetricData GetMetricStatistics ListMetrics ListDashboards GetDashboard DescribeAlarmHistory
elasticloadbalancing: DescribeLoadBalancers DescribeTargetGroups DescribeTargetHealth DescribeListeners DescribeRules DescribeTags DescribeLoadBalancerAttributes
autoscaling: DescribeAutoScalingGroups DescribeLaunchConfigurations DescribeScalingActivities DescribePolicies
ecs: ListClusters DescribeClusters ListServices DescribeServices ListTasks DescribeTasks DescribeTaskDefinition ListTaskDefinitions
eks: ListClusters DescribeCluster ListNodegroups DescribeNodegroup ListFargateProfiles AccessKubernetesApi ListAddons
ecr: DescribeRepositories ListImages DescribeImages GetRepositoryPolicy BatchGetImage GetAuthorizationToken GetLifecyclePolicy DescribeImageScanFindings
cloudformation: DescribeStacks ListStacks DescribeStackResources DescribeStackEvents GetTemplate ListStackResources DescribeChangeSet ListExports
dynamodb: ListTables DescribeTable DescribeContinuousBackups DescribeTimeToLive ListTagsOfResource ListBackups
sns: ListTopics GetTopicAttributes ListSubscriptions ListSubscriptionsByTopic
sqs: ListQueues GetQueueAttributes ListQueueTags
secretsmanager: ListSecrets DescribeSecret GetResourcePolicy
ssm: DescribeParameters DescribeInstanceInformation ListDocuments ListCommands GetInventory ListAssociations DescribeInstancePatchStates GetServiceSetting
route53: ListHostedZones GetHostedZone ListResourceRecordSets ListHealthChecks
acm: ListCertificates DescribeCertificate ListTagsForCertificate
config: DescribeConfigurationRecorders DescribeDeliveryChannels DescribeConfigRules DescribeComplianceByConfigRule SelectResourceConfig
guardduty: ListDetectors GetDetector ListFindings GetFindings
securityhub: GetFindings DescribeHub GetEnabledStandards
cloudfront: ListDistributions GetDistribution GetDistributionConfig
apigateway: GetRestApis GetStages GetDeployments GetRestApi
states: ListStateMachines DescribeStateMachine ListExecutions DescribeExecution
events: ListRules DescribeRule ListTargetsByRule ListEventBuses
glue: GetDatabases GetTables GetJobs GetJobRuns GetCrawlers
athena: ListWorkGroups GetWorkGroup ListQueryExecutions GetQueryExecution
kinesis: ListStreams DescribeStream DescribeStreamSummary
redshift: DescribeClusters DescribeClusterSnapshots
elasticache: DescribeCacheClusters DescribeReplicationGroups
es: ListDomainNames DescribeDomain
organizations: DescribeOrganization ListAccounts ListRoots ListPolicies
ce: GetCostAndUsage GetCostForecast
support: DescribeTrustedAdvisorChecks
servicequotas: ListServiceQuotas GetServiceQuota
wafv2: ListWebACLs GetWebACL
backup: ListBackupPlans ListBackupVaults ListRecoveryPointsByBackupVault
bedrock: ListFoundationModels GetModelInvocationLoggingConfiguration
ses: GetSendQuota ListIdentities GetAccountSendingEnabled
sts: GetCallerIdentity
tagging: GetResources GetTagKeys
"""

WRITES = """
lambda: UpdateFunctionCode20150331v2 UpdateFunctionConfiguration20150331v2 PublishVersion20150331 UpdateAlias20150331 CreateFunction20150331 AddPermission20150331v2 TagResource20170331v2 PublishLayerVersion20181031 CreateEventSourceMapping20150331 PutFunctionConcurrency20171031 RemovePermission20150331v2 DeleteFunction20150331
ecs: RegisterTaskDefinition UpdateService DeregisterTaskDefinition RunTask CreateService
ecr: PutImage InitiateLayerUpload UploadLayerPart CompleteLayerUpload CreateRepository PutLifecyclePolicy
cloudformation: CreateChangeSet ExecuteChangeSet UpdateStack CreateStack DeleteChangeSet DeleteStack ValidateTemplate
iam: CreateRole AttachRolePolicy PutRolePolicy TagRole CreatePolicyVersion CreatePolicy UpdateAssumeRolePolicy DetachRolePolicy DeleteRole DeleteRolePolicy CreateInstanceProfile AddRoleToInstanceProfile DeletePolicyVersion CreateServiceLinkedRole CreateUser CreateAccessKey DeleteAccessKey UpdateAccessKey AttachUserPolicy CreateOpenIDConnectProvider CreateLoginProfile PutUserPolicy
ec2: CreateTags AuthorizeSecurityGroupIngress CreateSecurityGroup RunInstances TerminateInstances CreateLaunchTemplateVersion ModifyLaunchTemplate RevokeSecurityGroupIngress AuthorizeSecurityGroupEgress CreateNetworkInterface StopInstances StartInstances CreateImage CreateSnapshot ModifyInstanceAttribute CreateRoute DeleteSecurityGroup AssociateAddress CreateVolume AttachVolume CreateSubnet ModifySnapshotAttribute ModifyImageAttribute DeleteSnapshot DeleteFlowLogs CreateFlowLogs
s3: PutBucketPolicy PutBucketTagging PutBucketEncryption CreateBucket PutBucketVersioning PutBucketLifecycle PutBucketPublicAccessBlock PutBucketNotification DeleteBucketPolicy DeleteBucket
logs: CreateLogGroup PutRetentionPolicy PutSubscriptionFilter PutMetricFilter TagResource
events: PutRule PutTargets RemoveTargets DisableRule
apigateway: PutIntegration CreateDeployment UpdateStage CreateResource
route53: ChangeResourceRecordSets
autoscaling: UpdateAutoScalingGroup CreateOrUpdateTags StartInstanceRefresh SetDesiredCapacity
elasticloadbalancing: ModifyListener RegisterTargets DeregisterTargets CreateTargetGroup ModifyRule CreateRule
dynamodb: UpdateTable CreateTable TagResource UpdateContinuousBackups
sqs: CreateQueue SetQueueAttributes TagQueue
sns: CreateTopic Subscribe SetTopicAttributes
kms: CreateKey CreateAlias PutKeyPolicy EnableKeyRotation CreateGrant ScheduleKeyDeletion
ssm: PutParameter SendCommand AddTagsToResource StartSession UpdateDocument
secretsmanager: CreateSecret PutSecretValue UpdateSecret TagResource RotateSecret
cloudfront: CreateInvalidation UpdateDistribution
acm: RequestCertificate AddTagsToCertificate
rds: ModifyDBInstance CreateDBSnapshot AddTagsToResource ModifyDBSnapshotAttribute CopyDBSnapshot ModifyDBParameterGroup
states: UpdateStateMachine CreateStateMachine
cloudtrail: UpdateTrail PutEventSelectors StartLogging StopLogging CreateTrail
glue: UpdateJob CreateJob
eks: UpdateNodegroupConfig UpdateClusterVersion CreateNodegroup UpdateAddon
monitoring: PutMetricAlarm PutDashboard DeleteAlarms
application-autoscaling: RegisterScalableTarget PutScalingPolicy
"""

_READ_PREFIXES = (
    "Describe",
    "List",
    "Get",
    "Lookup",
    "BatchGet",
    "Filter",
    "Head",
    "Search",
    "Select",
    "Simulate",
)
_READ_NAMES = {
    *[
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "AssumeRoleWithSAML",
        "Decrypt",
        "Encrypt",
        "Sign",
        "GenerateDataKey",
        "GenerateMac",
    ],
    *["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream", "AccessKubernetesApi"],
    *["GenerateCredentialReport", "StartQuery", "ValidateTemplate", "Query", "Scan", "Verify"],
}


def actions(text: str) -> list[str]:
    """`service:Name` of a table above, in its order.

    >>> actions("kms: Sign Verify")
    ['kms:Sign', 'kms:Verify']
    """
    rows = (line.split(":") for line in text.strip().splitlines())
    return [f"{service}:{name}" for service, names in rows for name in names.split()]


def is_read(name: str) -> bool:
    """What CloudTrail's `readOnly` says for an event name."""
    return name in _READ_NAMES or name.startswith(_READ_PREFIXES)
