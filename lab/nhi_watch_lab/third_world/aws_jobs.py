"""What AWS machines do for a living: `kind name power schedule rate length clients | usual ops | rare ops`.

rate is runs a day (median), length calls a run. A rare op is one a new version or an odd day may bring.
"""
from typing import List, NamedTuple, Tuple


class Job(NamedTuple):
    kind: str
    name: str
    power: str
    schedule: str
    rate: float
    length: int
    clients: List[str]
    ops: List[Tuple[str, float]]
    rare: List[str]
    weight: float


TEXT = """
irsa api narrow diurnal 3 1 sdk | kms:Decrypt*4 secretsmanager:GetSecretValue*3 s3:GetObject*2 s3:PutObject | ssm:GetParameter sns:Publish s3:ListObjects kms:GenerateDataKey sqs:GetQueueAttributes | 9
irsa worker narrow steady 3 1 sdk | s3:GetObject*3 kms:Decrypt*2 s3:PutObject*2 | s3:DeleteObject s3:CopyObject s3:ListObjects lambda:Invoke states:StartExecution | 7
irsa signer narrow diurnal 12 1 js3,java2,go2 | kms:Sign*9 kms:GenerateDataKey | kms:DescribeKey secretsmanager:GetSecretValue | 1
irsa karpenter wide steady 14 3 karpenter | ec2:DescribeInstances*5 ec2:DescribeInstanceTypes*3 ec2:DescribeSubnets*2 ec2:DescribeSecurityGroups*2 ec2:CreateFleet ec2:RunInstances*0.3 ec2:TerminateInstances ec2:CreateTags | ec2:DescribeSpotPriceHistory iam:PassRole ec2:DescribeImages ssm:GetParameter | 0.6
irsa cluster-autoscaler narrow cron 12 2 go2 | autoscaling:DescribeAutoScalingGroups*4 ec2:DescribeLaunchTemplates autoscaling:SetDesiredCapacity*0.4 | ec2:DescribeInstanceTypes eks:DescribeCluster | 0.8
irsa external-dns narrow cron 8 2 go2 | route53:ListHostedZones*2 route53:ListResourceRecordSets*2 route53:ChangeResourceRecordSets*0.2 | sts:GetCallerIdentity | 0.8
irsa lb-controller narrow cron 8 3 lb-controller | elasticloadbalancing:DescribeLoadBalancers*3 elasticloadbalancing:DescribeTargetGroups*3 elasticloadbalancing:DescribeTargetHealth*2 ec2:DescribeSubnets | elasticloadbalancing:RegisterTargets elasticloadbalancing:ModifyListener ec2:AuthorizeSecurityGroupIngress acm:ListCertificates ec2:DescribeVpcs | 0.8
irsa ebs-csi narrow bursty 3 2 go2 | ec2:DescribeVolumes*3 ec2:AttachVolume ec2:DetachVolume ec2:CreateVolume*0.5 | ec2:DescribeAvailabilityZones ec2:CreateSnapshot ec2:DescribeSnapshots ec2:CreateTags | 0.8
irsa velero narrow daily 1 8 go2 | s3:PutObject*4 s3:ListObjects*2 ec2:CreateSnapshot*2 ec2:DescribeSnapshots | s3:DeleteObject ec2:DeleteSnapshot ec2:DescribeVolumes | 0.5
irsa external-secrets narrow cron 10 3 external-secrets,go2 | secretsmanager:GetSecretValue*6 ssm:GetParameter*2 | secretsmanager:ListSecrets ssm:GetParametersByPath secretsmanager:DescribeSecret secretsmanager:BatchGetSecretValue | 1
irsa fluent-bit narrow bursty 3 1 fluent-bit | logs:CreateLogStream | logs:DescribeLogGroups logs:PutRetentionPolicy s3:PutObject | 1
irsa genai narrow diurnal 8 1 boto3,js3 | bedrock:InvokeModel*5 bedrock:InvokeModelWithResponseStream*3 | bedrock:Converse bedrock:ListFoundationModels s3:GetObject bedrock:GetFoundationModelAvailability | 1
irsa argo-image-updater narrow cron 8 2 go2 | ecr:GetAuthorizationToken ecr:DescribeImages*2 | ecr:DescribeRepositories ecr:BatchGetImage | 0.6
irsa data-sync narrow daily 1 12 boto3,rclone | s3:ListObjects*2 s3:GetObject*6 s3:PutObject*3 | glue:GetPartitions athena:StartQueryExecution s3:HeadObject s3:GetBucketLocation | 1
lambda handler narrow diurnal 3 1 boto3,js3,js2 | kms:Decrypt*2 s3:GetObject*2 secretsmanager:GetSecretValue logs:CreateLogStream*2 | ssm:GetParameter sns:Publish lambda:Invoke s3:PutObject | 9
lambda thumbnail narrow bursty 4 2 js3,boto3 | s3:GetObject*4 s3:PutObject*4 logs:CreateLogStream | s3:HeadObject s3:ListObjects | 2
lambda snapshot-cleaner wide daily 1 6 boto3 | ec2:DescribeSnapshots*2 ec2:DeleteSnapshot*3 ec2:DescribeImages | ec2:DescribeVolumes ec2:CreateTags rds:DescribeDBSnapshots | 0.8
lambda key-rotator wide weekly 1 9 boto3 | iam:ListUsers iam:ListAccessKeys*4 iam:GetAccessKeyLastUsed*3 iam:CreateAccessKey*0.7 iam:UpdateAccessKey*0.7 secretsmanager:PutSecretValue | iam:DeleteAccessKey secretsmanager:DescribeSecret sns:Publish | 0.4
lambda remediator wide bursty 1 3 boto3 | ec2:DescribeSecurityGroups*2 ec2:RevokeSecurityGroupIngress s3:GetBucketPublicAccessBlock securityhub:BatchImportFindings*2 | s3:PutBucketPublicAccessBlock guardduty:GetFindings iam:UpdateAccessKey | 0.5
lambda secret-rotation narrow weekly 1 4 boto3 | secretsmanager:DescribeSecret secretsmanager:GetSecretValue*2 secretsmanager:PutSecretValue | rds:ModifyDBInstance rds:DescribeDBInstances | 1
lambda cost-exporter narrow daily 1 4 boto3 | ce:GetCostAndUsage*3 s3:PutObject | organizations:ListAccounts budgets:ViewBudget | 0.6
lambda mailer narrow bursty 3 1 js3,boto3 | ses:SendEmail*4 ssm:GetParameter | ses:GetSendQuota ses:ListIdentities s3:GetObject | 0.8
lambda instance-scheduler wide daily 2 3 boto3 | ec2:DescribeInstances ec2:StopInstances ec2:StartInstances | rds:DescribeDBInstances autoscaling:SetDesiredCapacity | 0.5
lambda stepper narrow bursty 2 2 boto3 | states:StartExecution*2 s3:GetObject | athena:StartQueryExecution glue:StartJobRun sqs:GetQueueAttributes | 1
ecs web narrow diurnal 2 1 java2,java1,dotnet,php,ruby,js3 | secretsmanager:GetSecretValue*2 ssm:GetParameters*2 s3:GetObject*2 kms:Decrypt | s3:PutObject cognito-idp:AdminGetUser sns:Publish | 7
ecs consumer narrow steady 3 1 java2,go2,boto3 | s3:PutObject*3 kms:GenerateDataKey*2 ssm:GetParameters | s3:GetObject sqs:GetQueueAttributes dynamodb:DescribeTable | 4
ecs reporting narrow monthly 1 25 boto3 | athena:StartQueryExecution*3 athena:GetQueryExecution*4 athena:GetQueryResults*3 s3:GetObject*4 | glue:GetTable s3:ListObjects ses:SendEmail | 0.8
ecs etl narrow daily 1 14 boto3,java2 | glue:GetTable*3 glue:GetPartitions*3 athena:StartQueryExecution*2 athena:GetQueryExecution*3 s3:GetObject*4 s3:PutObject*2 | glue:StartJobRun rds:DescribeDBInstances s3:DeleteObject | 1.5
ec2 node narrow cron 4 2 ssm-agent | ssm:UpdateInstanceInformation*3 ssm:ListInstanceAssociations | ec2:DescribeTags s3:GetObject | 3
ec2 app narrow diurnal 3 1 java1,java2,boto3-old,php,go1 | s3:GetObject*3 kms:Decrypt ssm:GetParameter ssm:UpdateInstanceInformation*2 | s3:PutObject ec2:DescribeInstances secretsmanager:GetSecretValue | 3
ec2 eks-node narrow bursty 4 2 go2 | ecr:GetAuthorizationToken ecr:BatchGetImage*3 ecr:GetDownloadUrlForLayer*3 ec2:DescribeInstances ssm:UpdateInstanceInformation | eks:DescribeCluster ec2:DescribeNetworkInterfaces ec2:DescribeInstanceTypes | 1.5
ec2 jenkins wide diurnal 3 5 boto3-old,cli2,java1 | ecr:GetAuthorizationToken ecr:InitiateLayerUpload ecr:PutImage s3:PutObject*2 ecs:UpdateService sts:GetCallerIdentity ecs:DescribeServices*2 | lambda:UpdateFunctionCode codebuild:StartBuild ssm:GetParameter ecs:RegisterTaskDefinition ec2:DescribeInstances cloudformation:DescribeStacks | 0.5
ec2 backup-host narrow daily 1 10 cli2,cli1,boto3-old | s3:PutObject*5 s3:ListObjects rds:CreateDBSnapshot*0.5 ec2:CreateSnapshot*2 | rds:DescribeDBSnapshots ec2:DescribeVolumes s3:DeleteObject | 0.8
ec2 bastion wide bursty 0.6 3 cli2,cli1 | ec2:DescribeInstances*2 sts:GetCallerIdentity s3:ListObjects s3:GetObject | rds:DescribeDBInstances ssm:StartSession secretsmanager:GetSecretValue logs:GetLogEvents sts:AssumeRole | 0.4
user backup narrow daily 1 8 s3browser,rclone,cli1,boto3-old,cyberduck | s3:PutObject*5 s3:ListObjects s3:HeadObject*2 | s3:GetBucketLocation s3:ListBuckets s3:DeleteObject | 1.5
user mail narrow bursty 4 1 js2,php,java1,boto3-old | ses:SendEmail*5 ses:GetSendQuota*0.3 | ses:ListIdentities ses:GetIdentityVerificationAttributes | 1
user partner narrow daily 2 3 java1,java2,boto3,dotnet | s3:ListObjects s3:GetObject*4 s3:PutObject | s3:HeadObject s3:GetBucketLocation sts:GetCallerIdentity | 1.5
user onprem narrow steady 4 1 java1,dotnet,boto3-old,go1 | s3:PutObject*2 kms:Decrypt sns:Publish | secretsmanager:GetSecretValue s3:GetObject sqs:ListQueues | 1.2
user monitoring narrow cron 12 3 go1,boto3-old,requests | monitoring:GetMetricData*4 ec2:DescribeInstances rds:DescribeDBInstances monitoring:ListMetrics | elasticloadbalancing:DescribeLoadBalancers tagging:GetResources sqs:ListQueues | 0.6
user deploy wide diurnal 1.2 6 cli2,cli1,boto3-old | ecr:GetAuthorizationToken ecr:PutImage s3:PutObject*3 cloudfront:CreateInvalidation lambda:UpdateFunctionCode*0.7 ecs:UpdateService | cloudformation:DescribeStacks s3:DeleteObject ecs:RegisterTaskDefinition lambda:PublishVersion sts:GetCallerIdentity | 1
user bi narrow diurnal 1.2 6 java1,java2 | athena:StartQueryExecution*3 athena:GetQueryExecution*3 athena:GetQueryResults*3 glue:GetTable | glue:GetPartitions s3:GetBucketLocation athena:GetQueryResults | 0.6
gha deploy wide release 1.5 8 cli2,js3 | ecr:GetAuthorizationToken ecr:InitiateLayerUpload ecr:PutImage ecs:DescribeServices*2 ecs:RegisterTaskDefinition ecs:UpdateService sts:GetCallerIdentity | lambda:UpdateFunctionCode lambda:PublishVersion cloudfront:CreateInvalidation s3:PutObject ssm:GetParameter eks:DescribeCluster ssm:PutParameter secretsmanager:GetSecretValue cloudformation:DescribeStacks ecr:DescribeImages sts:AssumeRole | 5
gha site narrow release 1 6 cli2 | s3:ListObjects s3:PutObject*5 cloudfront:CreateInvalidation | s3:DeleteObject s3:GetBucketLocation sts:GetCallerIdentity | 1.5
gha e2e narrow release 2 4 js3,boto3 | secretsmanager:GetSecretValue ssm:GetParameter s3:PutObject lambda:Invoke | cognito-idp:ListUsers s3:GetObject dynamodb:DescribeTable cognito-idp:AdminGetUser | 1
gha image-build wide release 1 7 cli2,boto3 | ec2:RunInstances ec2:DescribeInstances*2 ec2:DescribeImages ec2:CreateTags ec2:TerminateInstances ec2:CreateSnapshot | ec2:ModifyImageAttribute ec2:CreateKeyPair ec2:AuthorizeSecurityGroupIngress | 0.5
terraform plan admin release 1.1 22 terraform | ec2:DescribeVpcs*2 ec2:DescribeSubnets*2 ec2:DescribeSecurityGroups*3 ec2:DescribeRouteTables iam:GetRole*5 iam:ListRolePolicies*2 iam:ListAttachedRolePolicies*4 iam:GetPolicy*2 iam:GetPolicyVersion*2 s3:GetBucketPolicy*2 s3:GetBucketVersioning s3:GetBucketEncryption s3:GetBucketTagging s3:GetBucketLifecycle lambda:GetFunction*2 kms:DescribeKey*2 rds:DescribeDBInstances secretsmanager:DescribeSecret*2 s3:GetObject*0.7 s3:PutObject*0.5 sts:GetCallerIdentity elasticloadbalancing:DescribeTargetGroups iam:CreateRole*0.1 iam:AttachRolePolicy*0.15 ec2:AuthorizeSecurityGroupIngress*0.12 lambda:UpdateFunctionConfiguration*0.15 | iam:PutRolePolicy iam:CreateRole iam:UpdateAssumeRolePolicy iam:CreatePolicyVersion s3:PutBucketPolicy s3:PutBucketLifecycle s3:PutBucketVersioning s3:PutBucketPublicAccessBlock s3:PutBucketReplication lambda:CreateFunction lambda:AddPermission ec2:RunInstances iam:CreateUser iam:AttachUserPolicy kms:CreateGrant secretsmanager:CreateSecret monitoring:PutMetricAlarm route53:ChangeResourceRecordSets ecs:CreateService eks:CreateAccessEntry guardduty:CreateFilter iam:CreateOpenIDConnectProvider secretsmanager:PutResourcePolicy ssm:PutParameter cloudtrail:PutEventSelectors guardduty:CreateIPSet iam:PassRole logs:PutRetentionPolicy ec2:DeleteFlowLogs rolesanywhere:CreateProfile iam:AddUserToGroup iam:CreateAccessKey guardduty:UpdateDetector kms:ScheduleKeyDeletion cloudtrail:StopLogging config:StopConfigurationRecorder iam:SetDefaultPolicyVersion iam:PutUserPolicy eks:UpdateClusterConfig ec2:ModifyInstanceAttribute iam:GetUser iam:ListAccountAliases cloudtrail:GetTrailStatus bedrock:GetModelInvocationLoggingConfiguration rolesanywhere:CreateTrustAnchor bedrock:DeleteModelInvocationLoggingConfiguration | 1.6
saas datadog narrow cron 20 5 datadog,go2 | monitoring:GetMetricData*6 monitoring:ListMetrics*2 ec2:DescribeInstances*2 rds:DescribeDBInstances elasticloadbalancing:DescribeLoadBalancers tagging:GetResources*2 ecs:ListClusters sqs:ListQueues lambda:ListFunctions | logs:DescribeLogGroups autoscaling:DescribeAutoScalingGroups ec2:DescribeVolumes dynamodb:ListTables cloudtrail:LookupEvents support:DescribeTrustedAdvisorChecks sns:ListTopics budgets:ViewBudget | 0.7
saas scanner wide loud 1 1 go2,boto3 | iam:GetRole*6 iam:ListAttachedRolePolicies*6 iam:GetRolePolicy*3 iam:ListUsers iam:ListRoles iam:ListAccessKeys*2 iam:GetAccountAuthorizationDetails s3:GetBucketPolicy*4 s3:GetBucketAcl*4 s3:GetBucketPublicAccessBlock*4 s3:GetBucketEncryption*3 s3:ListBuckets ec2:DescribeInstances*3 ec2:DescribeSecurityGroups*3 ec2:DescribeSnapshots*2 ec2:DescribeVolumes*2 ec2:DescribeImages sts:AssumeRole*0.5 kms:DescribeKey*4 kms:ListKeys lambda:ListFunctions*2 lambda:GetFunctionConfiguration*4 rds:DescribeDBInstances*2 rds:DescribeDBSnapshots ecr:DescribeImages*4 ecs:DescribeTaskDefinition*2 secretsmanager:ListSecrets ssm:DescribeParameters cloudtrail:DescribeTrails guardduty:ListDetectors eks:DescribeCluster route53:ListHostedZones acm:ListCertificates ec2:DescribeRegions ec2:DescribeFlowLogs | ec2:CreateSnapshot ec2:ModifySnapshotAttribute kms:CreateGrant ec2:DescribeInstanceAttribute bedrock:ListFoundationModels codebuild:BatchGetProjects organizations:ListAccounts iam:SimulatePrincipalPolicy glue:GetConnections | 0.25
saas warehouse narrow bursty 5 2 java1,java2 | s3:ListObjects s3:GetObject*5 | s3:GetBucketLocation s3:PutObject s3:HeadObject | 0.6
saas finops narrow daily 2 8 boto3,go2 | ce:GetCostAndUsage*4 ec2:DescribeInstances rds:DescribeDBInstances organizations:ListAccounts ec2:DescribeVolumes | servicequotas:ListServiceQuotas tagging:GetResources support:DescribeTrustedAdvisorChecks | 0.5
saas backup-vendor wide daily 1 7 java2,boto3 | ec2:DescribeInstances ec2:DescribeVolumes ec2:CreateSnapshot*2 ec2:ModifySnapshotAttribute*2 ec2:DescribeSnapshots ec2:DeleteSnapshot | kms:CreateGrant rds:CreateDBSnapshot rds:ModifyDBSnapshotAttribute ec2:RunInstances | 0.4
saas support-tool narrow bursty 0.5 4 cli2,boto3 | s3:ListObjects s3:GetObject*2 logs:GetLogEvents | ec2:DescribeInstances sts:GetCallerIdentity | 0.4
linked autoscaling.amazonaws.com narrow bursty 6 2 aws | ec2:DescribeInstanceStatus*4 ec2:RunInstances*0.6 ec2:TerminateInstances*0.6 elasticloadbalancing:RegisterTargets elasticloadbalancing:DescribeTargetHealth | ec2:DescribeLaunchTemplates ec2:CreateTags ec2:DescribeImages | 0.8
linked config.amazonaws.com narrow cron 12 3 aws | ec2:DescribeSecurityGroups*2 iam:ListRoles s3:GetBucketPolicy*2 s3:GetBucketAcl*2 kms:DescribeKey lambda:ListFunctions rds:DescribeDBInstances iam:GetAccountAuthorizationDetails*0.4 | s3:PutObject sns:Publish ecr:DescribeRepositories config:PutEvaluations | 0.7
linked inspector2.amazonaws.com narrow bursty 6 2 aws | ec2:DescribeInstances*3 ecr:DescribeImages*2 ecr:BatchGetImage lambda:GetFunction ssm:DescribeInstanceInformation | ecr:GetDownloadUrlForLayer ssm:SendCommand | 0.6
linked backup.amazonaws.com wide daily 1 6 aws | backup:StartBackupJob*2 ec2:CreateSnapshot*2 rds:CreateDBSnapshot ec2:DescribeVolumes rds:DescribeDBInstances | ec2:DeleteSnapshot kms:CreateGrant | 0.6
linked ecs.amazonaws.com narrow bursty 5 2 aws | elasticloadbalancing:RegisterTargets*2 elasticloadbalancing:DescribeTargetHealth ec2:DescribeNetworkInterfaces ec2:DescribeSubnets | elasticloadbalancing:DescribeTargetGroups route53:ListHostedZones | 0.6
chained security-audit wide weekly 1 30 boto3,cli2 | iam:ListUsers*2 iam:ListRoles*2 iam:ListAccessKeys*6 iam:GetAccessKeyLastUsed*5 iam:ListAttachedUserPolicies*3 s3:ListBuckets s3:GetBucketPolicy*5 ec2:DescribeSecurityGroups*2 organizations:ListAccounts iam:GenerateCredentialReport iam:GetCredentialReport access-analyzer:ListFindings | cloudtrail:DescribeTrails guardduty:ListDetectors iam:GetAccountAuthorizationDetails kms:ListKeys lambda:ListFunctions secretsmanager:ListSecrets | 0.5
chained cross-account-reader narrow bursty 2 3 boto3,go2,java2 | s3:GetObject*3 s3:ListObjects ec2:DescribeInstances sts:AssumeRole | secretsmanager:GetSecretValue kms:Decrypt route53:ListHostedZones | 1
"""


def _ops(text: str) -> List[Tuple[str, float]]:
    pairs = []
    for item in text.split():
        name, _, weight = item.partition("*")
        pairs.append((name, float(weight or 1)))
    return pairs


def parse(text: str) -> List[Job]:
    jobs = []
    for line in text.strip().splitlines():
        head, ops, rare, weight = line.split(" | ")
        kind, name, power, schedule, rate, length, clients = head.split()
        jobs.append(Job(kind, name, power, schedule, float(rate), int(length), clients.split(","), _ops(ops), rare.split(),
                        float(weight)))
    return jobs


JOBS = parse(TEXT)
