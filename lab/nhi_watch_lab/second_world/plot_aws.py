# ruff: noqa: E501
"""AWS techniques, as tables: reconnaissance | the attack itself | what is repeated, how often.

Origins: e = from elsewhere, i = from the identity's own network with its own client. Taken from
public reports and catalogues (Stratus Red Team, TrailDiscover, MITRE ATT&CK, Pacu; see README).
"""
from __future__ import annotations

from typing import NamedTuple


class Technique(NamedTuple):
    origins: str
    flavours: str
    recon: list[str]
    core: list[str]
    loop: list[str]
    low: int
    high: int


_TABLE = """
leaked-key-enumeration|e|user|GetCallerIdentity|ListBuckets ListUsers|ListRoles GetAccountSummary DescribeInstances ListFunctions20150331 ListSecrets GetSendQuota DescribeDBInstances ListAttachedUserPolicies GetUser ListKeys|4|40
ses-abuse|ei|user lambda ecs|GetCallerIdentity GetSendQuota GetAccount|ListIdentities UpdateAccountSendingEnabled VerifyEmailIdentity|GetSendQuota GetSendStatistics CreateEmailIdentity|1|12
ses-account-takeover|e|user|GetSendQuota GetAccount|PutAccountDetails CreateEmailIdentity|GetAccount ListEmailIdentities|0|4
s3-exfiltration|ei|any|ListBuckets GetBucketLocation GetBucketAcl|ListObjects GetObject|GetObject|10|70
s3-ransom|ei|any|ListBuckets ListObjects GetBucketVersioning|PutBucketVersioning CopyObject DeleteObject PutBucketLifecycle|CopyObject DeleteObject|4|30
s3-bucket-policy-backdoor|ei|any|ListBuckets GetBucketPolicy|PutBucketPolicy||0|0
s3-replication-exfiltration|i|any|GetBucketReplication GetBucketVersioning|PutBucketReplication||0|0
ebs-snapshot-share|ei|any|DescribeVolumes DescribeSnapshots|CreateSnapshot ModifySnapshotAttribute|ModifySnapshotAttribute|0|5
rds-snapshot-share|ei|any|DescribeDBInstances DescribeDBSnapshots|CreateDBSnapshot ModifyDBSnapshotAttribute|DescribeDBSnapshots|0|3
rds-public-restore|ei|any|DescribeDBInstances DescribeDBSnapshots|RestoreDBInstanceFromDBSnapshot AuthorizeSecurityGroupIngress ModifyDBInstance||0|0
rds-export-to-s3|i|any|DescribeDBSnapshots ListBuckets|StartExportTask||0|0
ami-share|ei|any|DescribeInstances DescribeImages|CreateImage ModifyImageAttribute||0|0
iam-access-key-backdoor|ei|any|ListUsers ListAccessKeys ListAttachedUserPolicies|CreateAccessKey|ListAccessKeys CreateAccessKey|0|3
iam-trust-policy-backdoor|ei|any|ListRoles GetRole ListAttachedRolePolicies|UpdateAssumeRolePolicy|GetRole|0|3
iam-admin-user|ei|any|GetCallerIdentity ListUsers|CreateUser AttachUserPolicy CreateAccessKey||0|0
iam-backdoor-role|ei|any|ListRoles|CreateRole AttachRolePolicy||0|0
iam-oidc-provider-backdoor|ei|any|ListOpenIDConnectProviders ListRoles|CreateOpenIDConnectProvider CreateRole AttachRolePolicy||0|0
iam-policy-version-escalation|ei|any|ListPolicies GetPolicy GetPolicyVersion|CreatePolicyVersion SetDefaultPolicyVersion||0|0
iam-inline-policy-escalation|i|any|ListAttachedRolePolicies|PutRolePolicy||0|0
iam-mfa-removal|e|user|ListUsers ListMFADevices|DeactivateMFADevice UpdateLoginProfile||0|0
rolesanywhere-persistence|ei|any|ListRoles|CreateTrustAnchor CreateProfile||0|0
federation-token-survival|e|user|GetCallerIdentity|GetFederationToken|ListUsers ListBuckets DescribeInstances|1|10
lambda-code-overwrite|ei|any|ListFunctions20150331 GetFunction20150331v2|UpdateFunctionCode20150331v2||0|0
lambda-environment-harvest|ei|any|ListFunctions20150331|GetFunction20150331v2 GetFunctionConfiguration20150331v2|GetFunctionConfiguration20150331v2|3|25
lambda-url-backdoor|ei|any|ListFunctions20150331|CreateFunctionUrlConfig AddPermission20150331v2||0|0
lambda-passrole-escalation|i|any|ListRoles ListAttachedRolePolicies|CreateFunction20150331 CreateEventSourceMapping20150331 Invoke||0|0
lambda-layer-backdoor|i|any|ListLayers20181031 ListFunctions20150331|PublishLayerVersion20181031 UpdateFunctionConfiguration20150331v2||0|0
ssm-send-command|ei|any|DescribeInstanceInformation DescribeInstances|SendCommand GetCommandInvocation|SendCommand GetCommandInvocation|0|8
ssm-session-pivot|ei|any|DescribeInstanceInformation|StartSession TerminateSession|StartSession|0|3
secrets-harvest|ei|any|ListSecrets DescribeSecret|GetSecretValue|GetSecretValue|4|30
secrets-batch-harvest|ei|any|ListSecrets|BatchGetSecretValue|BatchGetSecretValue|0|4
parameter-store-harvest|ei|any|DescribeParameters|GetParametersByPath GetParameters|GetParameters|2|20
llmjacking|ei|any|GetCallerIdentity ListFoundationModels GetFoundationModelAvailability GetModelInvocationLoggingConfiguration|InvokeModel|InvokeModel ConverseStream InvokeModelWithResponseStream|8|60
llmjacking-model-unlock|e|user lambda ecs|ListFoundationModels GetUseCaseForModelAccess ListFoundationModelAgreementOffers|PutUseCaseForModelAccess CreateFoundationModelAgreement PutFoundationModelEntitlement InvokeModel|Converse|3|30
bedrock-api-key-persistence|ei|any|ListUsers ListFoundationModels|CreateUser AttachUserPolicy CreateServiceSpecificCredential||0|0
crypto-mining-ec2|ei|any|DescribeRegions GetServiceQuota DescribeInstanceTypes|RunInstances|RunInstances CreateSecurityGroup CreateKeyPair|1|14
crypto-mining-ecs|ei|any|ecs.ListClusters DescribeTaskDefinition|RegisterTaskDefinition CreateCluster CreateService|RunTask|1|12
cloudtrail-tampering|ei|any|DescribeTrails GetTrailStatus|StopLogging||0|0
cloudtrail-selector-tampering|i|any|DescribeTrails GetEventSelectors|PutEventSelectors||0|0
guardduty-tampering|ei|any|ListDetectors GetDetector|UpdateDetector|CreateFilter|0|1
flow-logs-removal|i|any|DescribeFlowLogs|DeleteFlowLogs|DeleteFlowLogs|0|2
dynamodb-export|ei|any|ListTables DescribeTable|ExportTableToPointInTime|ExportTableToPointInTime DescribeTable|0|5
user-data-reconnaissance|ei|any|DescribeInstances|DescribeInstanceAttribute|DescribeInstanceAttribute|3|25
ec2-instance-connect|ei|any|DescribeInstances DescribeSecurityGroups|SendSSHPublicKey|SendSSHPublicKey|0|4
security-group-opening|ei|any|DescribeSecurityGroups DescribeInstances|AuthorizeSecurityGroupIngress||0|0
user-data-execution|i|any|DescribeInstances|StopInstances ModifyInstanceAttribute StartInstances||0|0
password-data-retrieval|e|any|DescribeInstances|GetPasswordData|GetPasswordData|2|15
container-image-theft|ei|any|DescribeRepositories|GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer|BatchGetImage GetDownloadUrlForLayer|3|25
role-enumeration-by-assumption|ei|any|GetCallerIdentity|AssumeRole|AssumeRole|4|40
cost-and-quota-reconnaissance|e|user|GetCallerIdentity|GetServiceQuota ListServiceQuotas GetCostAndUsage|RequestServiceQuotaIncrease EnableRegion|0|3
eks-access-entry-backdoor|i|any|DescribeCluster ListAccessEntries|CreateAccessEntry AssociateAccessPolicy||0|0
eventbridge-persistence|i|any|ListRules|PutRule PutTargets||0|0
sagemaker-notebook-takeover|i|any|ListNotebookInstances|CreatePresignedNotebookInstanceUrl||0|0
glue-dev-endpoint-escalation|i|any|GetConnections GetDatabases|CreateDevEndpoint||0|0
log-harvest|ei|any|DescribeLogGroups DescribeLogStreams|FilterLogEvents GetLogEvents|FilterLogEvents|2|15
imds-credential-theft|e|ec2|GetCallerIdentity|DescribeInstances ListBuckets|ListObjects GetObject ListSecrets DescribeSnapshots|3|25
imds-credential-reuse-inside|i|ec2|GetCallerIdentity|ListBuckets ListObjects|GetObject DescribeInstances|2|15
vendor-role-abuse|ei|vendor|DescribeInstances|ListBuckets ListSecrets|GetObject GetSecretValue ListUsers GetFunction20150331v2|4|40
session-token-parallel-use|i|lambda ecs irsa ec2|GetCallerIdentity|ListBuckets ListSecrets|GetObject GetSecretValue DescribeTable|3|30
insider-with-machine-key|i|user|GetCallerIdentity|ListObjects GetObject|GetObject|5|40
athena-mass-query|i|batch role lambda ecs|GetDatabases GetTable|StartQueryExecution athena:GetQueryResults|StartQueryExecution athena:GetQueryResults|2|20
kms-key-destruction|ei|any|ListKeys DescribeKey|DisableKey ScheduleKeyDeletion||0|1
"""


def _parse() -> dict[str, Technique]:
    found = {}
    for line in _TABLE.strip().replace("ecs.ListClusters", "ListClusters").splitlines():
        slug, origins, flavours, recon, core, loop, low, high = line.split("|")
        found[slug] = Technique(origins, flavours, recon.split(), core.split(), loop.split(), int(low), int(high))
    return found


AWS: dict[str, Technique] = _parse()
EXPENSIVE = ["g5.12xlarge", "p3.2xlarge", "c5.18xlarge", "g4dn.xlarge", "c7g.4xlarge"]
