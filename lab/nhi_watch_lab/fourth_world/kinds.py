"""Ways of life of machines: what kinds exist, how many, and what each does.

name | share | session | place | client | rhythm | calls a day | breadth | usual calls | rare calls"""
from typing import Dict, List, NamedTuple, Tuple

_TEXT = {
    "cloudtrail": """
lambda|17|func|aws nat vpce|lambda|steady hourly office batch daily|6|2|secretsmanager:GetSecretValue kms:Decrypt ssm:GetParameter dynamodb:DescribeTable logs:CreateLogStream s3:GetObject s3:PutObject states:StartExecution sqs:GetQueueAttributes ses:SendEmail athena:StartQueryExecution sns:Publish|ssm:GetParameters logs:CreateLogGroup s3:ListObjects sts:GetCallerIdentity secretsmanager:DescribeSecret
ec2app|10|inst|hosts nat vpce|java boto3 go|steady office|12|2|s3:GetObject s3:PutObject secretsmanager:GetSecretValue kms:Decrypt ec2:DescribeTags ssm:GetParametersByPath sqs:GetQueueAttributes dynamodb:Query s3:HeadObject|autoscaling:CompleteLifecycleAction elasticloadbalancing:RegisterTargets ec2:DescribeInstances s3:ListObjects sts:GetCallerIdentity
fleet|8|inst|hosts|ssm|steady|20|2|ssm:UpdateInstanceInformation ssm:ListInstanceAssociations|ssm:GetParameter s3:GetObject logs:CreateLogStream
task|8|task|hosts nat|java js go|steady office|9|2|ssm:GetParameters secretsmanager:GetSecretValue kms:Decrypt dynamodb:GetItem s3:PutObject logs:CreateLogStream sns:Publish kms:GenerateDataKey|sts:GetCallerIdentity s3:ListObjects dynamodb:DescribeTable secretsmanager:BatchGetSecretValue
irsa|7|irsa|nat hosts|go java js boto3|steady|9|2|secretsmanager:GetSecretValue elasticloadbalancing:DescribeLoadBalancers route53:ListResourceRecordSets route53:ChangeResourceRecordSets autoscaling:DescribeAutoScalingGroups s3:GetObject kms:Sign ec2:DescribeNetworkInterfaces tagging:GetResources|route53:ListHostedZones autoscaling:SetDesiredCapacity elasticloadbalancing:DescribeTargetHealth secretsmanager:ListSecrets
glue|5|glue|service aws vpce|boto3 java|night daily hourly batch|25|3|glue:GetTable glue:GetPartitions lakeformation:GetDataAccess s3:GetObject s3:PutObject glue:BatchCreatePartition s3:ListObjects glue:UpdateTable|glue:GetDatabases glue:GetTables secretsmanager:GetSecretValue logs:CreateLogStream glue:GetConnections
query|4|key|onprem saas|java boto3|office hourly daily|25|3|athena:StartQueryExecution athena:GetQueryExecution athena:GetQueryResults glue:GetTables glue:GetDatabases s3:GetBucketLocation|athena:ListWorkGroups glue:GetTable glue:GetPartitions
emr|2|inst|hosts|java|night batch|30|3|elasticmapreduce:DescribeCluster elasticmapreduce:ListInstanceGroups s3:GetObject s3:ListObjects glue:GetTable dynamodb:DescribeTable|elasticmapreduce:AddJobFlowSteps s3:DeleteObject kms:Decrypt
redshift|3|func|aws nat|boto3 lambda|daily hourly office|12|3|redshift-data:ExecuteStatement redshift-data:DescribeStatement redshift-data:GetStatementResult redshift:GetClusterCredentials|redshift:DescribeClusters redshift:CreateClusterSnapshot
notebook|3|sm|nat|boto3|office|14|6|s3:GetObject s3:ListObjects s3:PutObject athena:StartQueryExecution athena:GetQueryResults glue:GetTable sagemaker:DescribeTrainingJob sagemaker:CreateTrainingJob bedrock:InvokeModel kms:Decrypt|s3:ListBuckets sagemaker:ListTrainingJobs glue:GetDatabases secretsmanager:GetSecretValue sagemaker:CreateProcessingJob ecr:DescribeRepositories bedrock:ListFoundationModels sts:GetCallerIdentity iam:GetRole logs:FilterLogEvents
training|2|sm|aws vpce|boto3|daily batch weekly|12|3|sagemaker:DescribeTrainingJob s3:GetObject s3:PutObject sagemaker:CreateTrainingJob ecr:BatchGetImage|sagemaker:AddTags sagemaker:DescribeEndpoint
bedrock|4|func|aws nat|lambda boto3|office steady|18|2|bedrock:InvokeModel bedrock:Converse bedrock:InvokeModelWithResponseStream bedrock:Retrieve secretsmanager:GetSecretValue|bedrock:ListInferenceProfiles s3:GetObject bedrock:GetFoundationModelAvailability
agent|4|key|nat saas onprem corp|mcp boto3 js laptop|office batch|20|9|bedrock:Converse bedrock:InvokeModel ec2:DescribeInstances logs:FilterLogEvents monitoring:DescribeAlarms ecs:DescribeServices cloudformation:DescribeStacks s3:GetObject s3:ListObjects dynamodb:Query athena:StartQueryExecution lambda:GetFunction20150331v2 cloudtrail:LookupEvents ssm:GetParameter|iam:GetRole ec2:DescribeSecurityGroups lambda:ListFunctions20150331 ecs:UpdateService s3:ListBuckets logs:StartQuery ec2:DescribeSnapshots rds:DescribeDBInstances secretsmanager:ListSecrets ce:GetCostAndUsage cloudformation:CreateChangeSet iam:ListRoles iam:SimulatePrincipalPolicy ssm:GetParametersByPath secretsmanager:GetSecretValue redshift:DescribeClusters bedrock:ListFoundationModels cloudtrail:DescribeTrails ssm:SendCommand dynamodb:ListTables iam:ListUsers eks:ListClusters
onprem|9|key|onprem|boto3 cli java|night daily hourly weekly monthly quarter steady|8|2|s3:PutObject s3:GetObject s3:ListObjects ses:SendRawEmail sns:Publish secretsmanager:GetSecretValue s3:DeleteObject kms:GenerateDataKey|s3:ListBuckets sts:GetCallerIdentity s3:HeadObject ses:GetSendQuota ses:VerifyEmailIdentity ses:GetAccount ses:ListIdentities sts:GetSessionToken sts:AssumeRole
vendor|5|vendor|saas|go boto3 java|hourly steady daily|14|6|ec2:DescribeInstances monitoring:GetMetricData tagging:GetResources rds:DescribeDBInstances lambda:ListFunctions20150331 elasticloadbalancing:DescribeLoadBalancers ce:GetCostAndUsage s3:GetObject s3:ListObjects iam:ListRoles ec2:DescribeVolumes organizations:ListAccounts|ec2:DescribeSnapshots s3:GetBucketPolicy iam:ListUsers iam:GetAccountAuthorizationDetails redshift:DescribeClusters ssm:DescribeInstanceInformation eks:ListClusters health:DescribeEventAggregates logs:DescribeLogGroups sqs:ListQueues
backup|3|inst|nat hosts onprem|java cli|night|14|3|ec2:CreateSnapshot ec2:DescribeVolumes ec2:DescribeSnapshots ec2:DeleteSnapshot rds:CreateDBSnapshot backup:StartBackupJob|ec2:DescribeInstances backup:ListRecoveryPointsByBackupVault rds:DescribeDBSnapshots ec2:CreateTags ec2:CreateImage ec2:DescribeImages backup:DeleteRecoveryPoint ec2:ModifySnapshotAttribute rds:ModifyDBSnapshotAttribute
jenkins|4|key|nat onprem corp|cli terraform boto3|deploy|16|7|ecr:GetAuthorizationToken ecr:PutImage ecr:InitiateLayerUpload ecs:UpdateService ecs:RegisterTaskDefinition ecs:DescribeServices lambda:UpdateFunctionCode20150331v2 cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet cloudformation:DescribeStacks s3:PutObject sts:GetCallerIdentity ssm:PutParameter|iam:CreateRole iam:PutRolePolicy iam:AttachRolePolicy lambda:CreateFunction20150331 lambda:AddPermission20150331v2 ec2:CreateSecurityGroup ec2:AuthorizeSecurityGroupIngress cloudfront:CreateInvalidation events:PutRule s3:CreateBucket secretsmanager:GetSecretValue
gha|5|gha|runner|cli js terraform|deploy|16|6|ecr:GetAuthorizationToken ecr:PutImage ecr:BatchCheckLayerAvailability s3:PutObject lambda:UpdateFunctionCode20150331v2 ecs:UpdateService ecs:RegisterTaskDefinition cloudfront:CreateInvalidation sts:GetCallerIdentity cloudformation:DescribeStacks|lambda:UpdateFunctionConfiguration20150331v2 iam:CreateRole iam:AttachRolePolicy ec2:RunInstances ssm:SendCommand cloudformation:CreateStack ssm:PutParameter iam:GetRole ecr:DescribeRepositories ecr:ListImages secretsmanager:GetSecretValue ssm:GetParametersByPath ssm:GetCommandInvocation ecs:RunTask
terraform|2|ci|nat runner|terraform|deploy daily|40|12|ec2:DescribeVpcs ec2:DescribeSubnets ec2:DescribeSecurityGroups iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies s3:GetBucketPolicy s3:GetBucketAcl s3:GetBucketEncryption lambda:GetFunction20150331v2 rds:DescribeDBInstances kms:DescribeKey s3:GetObject s3:PutObject dynamodb:PutItem iam:GetPolicyVersion|iam:CreateRole iam:PutRolePolicy iam:AttachRolePolicy iam:CreatePolicyVersion iam:UpdateAssumeRolePolicy iam:CreateUser iam:CreateAccessKey s3:PutBucketPolicy ec2:RunInstances ec2:AuthorizeSecurityGroupIngress iam:DetachRolePolicy eks:CreateAccessEntry kms:CreateGrant cloudtrail:UpdateTrail cloudtrail:PutEventSelectors s3:PutBucketLifecycle iam:CreateOpenIDConnectProvider logs:DeleteLogGroup kms:ScheduleKeyDeletion lambda:CreateFunctionUrlConfig ec2:AssociateIamInstanceProfile s3:PutBucketPublicAccessBlock iam:ListInstanceProfiles rolesanywhere:CreateTrustAnchor ec2:DeleteFlowLogs iam:AttachUserPolicy iam:CreateLoginProfile lakeformation:GrantPermissions ecs:CreateCluster
cfn|2|cfn|service|service|deploy|10|4|iam:GetRole lambda:GetFunction20150331v2 ec2:DescribeSecurityGroups s3:CreateBucket iam:PutRolePolicy lambda:UpdateFunctionConfiguration20150331v2 logs:CreateLogGroup|iam:CreateRole iam:AttachRolePolicy events:PutRule iam:CreateServiceLinkedRole
scaling|3|slr|service|service|steady batch|10|2|ec2:DescribeInstanceStatus elasticloadbalancing:DescribeTargetHealth ec2:RunInstances ec2:TerminateInstances monitoring:DescribeAlarms ec2:DescribeInstances|elasticloadbalancing:RegisterTargets ec2:CreateTags
nodes|3|inst|hosts|ecs go|steady|14|3|ecr:GetAuthorizationToken ecr:BatchGetImage ecr:GetDownloadUrlForLayer ec2:DescribeNetworkInterfaces eks:DescribeCluster|ec2:DescribeInstances ec2:DescribeTags
scheduler|2|func|aws|lambda|daily|6|3|ec2:DescribeInstances ec2:StartInstances ec2:StopInstances ec2:DescribeRegions|ec2:CreateTags rds:DescribeDBInstances
rotator|2|func|nat|lambda|daily weekly|5|4|secretsmanager:DescribeSecret secretsmanager:GetSecretValue secretsmanager:PutSecretValue iam:CreateAccessKey iam:ListAccessKeys|iam:DeleteAccessKey iam:UpdateAccessKey rds:ModifyDBInstance
cost|2|key|onprem saas|boto3|weekly monthly daily quarter|8|3|ce:GetCostAndUsage organizations:ListAccounts s3:PutObject s3:GetObject ec2:DescribeInstances|servicequotas:ListServiceQuotas servicequotas:GetServiceQuota organizations:DescribeOrganization
scanner|1|vendor|saas nat|boto3 go|hourly|200|30|s3:GetBucketAcl s3:GetBucketPolicy s3:GetBucketEncryption s3:GetBucketPublicAccessBlock s3:GetBucketVersioning iam:ListAccessKeys iam:ListAttachedRolePolicies iam:GetRolePolicy iam:ListUserPolicies iam:GetPolicyVersion iam:GenerateCredentialReport iam:GetCredentialReport ec2:DescribeSecurityGroups ec2:DescribeSnapshots ec2:DescribeInstances ec2:DescribeVolumes lambda:ListFunctions20150331 lambda:GetPolicy20150331v2 kms:ListKeys kms:DescribeKey cloudtrail:DescribeTrails cloudtrail:GetTrailStatus config:DescribeConfigRules guardduty:ListDetectors rds:DescribeDBInstances sns:ListTopics sqs:ListQueues secretsmanager:ListSecrets ecr:DescribeRepositories redshift:DescribeClusters|iam:GetAccountAuthorizationDetails ec2:DescribeInstanceAttribute bedrock:ListFoundationModels access-analyzer:ListAnalyzers
""",
    "okta": """
hris|2|token|saas|go|daily hourly|10|4|user.account.update_profile application.provision.user.sync group.user_membership.add group.user_membership.remove user.lifecycle.create user.lifecycle.activate|user.lifecycle.deactivate application.user_membership.add user.account.reset_password user.mfa.factor.reset_all
scim|4|token|saas|go|office hourly|10|2|application.provision.user.sync application.provision.user.push_profile application.user_membership.add|application.user_membership.remove system.import.user.complete
apiapp|4|oauth|nat saas onprem|go|steady hourly daily|8|1|app.oauth2.token.grant.access_token|system.org.rate_limit.warning group.user_membership.add
adagent|1|token|onprem|go|steady|12|2|system.agent.ad.read_ldap system.import.user.complete|user.account.update_profile
""",
    "entra": """
sp|6|secret|saas onprem nat azure|go|steady hourly daily|10|1|signin|
mi|2|managed|azure|go|steady hourly|12|1|signin|
automation|2|secret|onprem azure|go|daily office|8|4|signin Update~user Add~member~to~group Remove~member~from~group|Add~user Disable~account Add~service~principal~credentials Update~service~principal
""",
    "m365": """
backupapp|2|app|saas|go|night daily|30|4|FileAccessed FileDownloaded MailItemsAccessed ListViewed|FileSyncDownloadedFull
mailapp|5|app|saas azure|go|office steady|10|1|MailItemsAccessed Send|SearchQueryInitiatedExchange New-InboxRule
fileapp|4|app|saas azure onprem|go|office hourly|10|2|FileAccessed FileModified FileUploaded ListViewed FileDownloaded|SearchQueryPerformed FileDeleted AnonymousLinkCreated
botapp|2|app|azure saas|go|office|8|1|MessageSent MessagesListed|TeamsSessionStarted
""",
    "gcp": """
etl|4|sakey|onprem nat gcp|go|hourly night daily|16|3|google.cloud.bigquery.v2.JobService.InsertJob google.cloud.bigquery.v2.JobService.Query storage.objects.create storage.objects.get storage.objects.list|google.cloud.bigquery.v2.TableService.ListTables google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion
run|4|attached|gcp|go|steady office|10|2|storage.objects.get google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion google.cloud.aiplatform.v1.PredictionService.GenerateContent google.cloud.bigquery.v2.JobService.Query|storage.objects.create GenerateAccessToken
deployer|2|attached|runner gcp|go|deploy|12|4|google.cloud.run.v1.Services.ReplaceService GetIamPolicy storage.objects.create v1.compute.instances.list google.iam.admin.v1.ListServiceAccounts|SetIamPolicy google.iam.admin.v1.CreateServiceAccount v1.compute.instances.insert google.pubsub.v1.Publisher.CreateTopic google.iam.admin.v1.CreateServiceAccountKey GenerateAccessToken google.api.serviceusage.v1.ServiceUsage.EnableService
posture|1|sakey|saas|go|daily hourly|20|5|v1.compute.instances.list GetIamPolicy storage.buckets.list google.iam.admin.v1.ListServiceAccounts ListProjects google.cloud.secretmanager.v1.SecretManagerService.ListSecrets|google.logging.v2.LoggingServiceV2.ListLogEntries
""",
    "github": """
cibot|3|pat|nat onprem corp runner|go|deploy steady|16|3|git.clone git.fetch git.push workflows.completed_workflow_run api.request packages.package_version_published|pull_request.create repo.create packages.package_downloaded deploy_key.create workflows.delete_workflow_run repo.create_actions_secret
actions|3|install|runner|go|deploy|14|3|workflows.created_workflow_run workflows.prepared_workflow_job workflows.completed_workflow_run git.fetch repo.register_self_hosted_runner repo.remove_self_hosted_runner|packages.package_version_published workflows.delete_workflow_run repo.update_actions_secret
ghapp|4|install|saas|go|office steady hourly|10|2|pull_request.create api.request git.clone git.push pull_request.merge|pull_request_review.submit hook.create
deploykey|3|key|nat onprem|go|hourly steady daily|8|1|git.fetch git.clone|
mirror|1|pat|saas onprem|go|daily|14|1|git.clone|repo.download_zip
""",
    "kubernetes": """
controller|5|pod|pods|go|steady|16|4|get~leases update~leases list~pods watch~pods get~configmaps list~endpoints get~services patch~events list~ingresses|list~secrets create~events list~nodes get~serviceaccounts
app|6|pod|pods|go|steady office|8|2|get~configmaps get~secrets list~endpoints get~leases update~leases list~pods|create~events watch~configmaps create~selfsubjectaccessreviews
gitops|1|pod|pods|go|steady deploy|20|6|list~deployments patch~deployments get~applications list~applications patch~applications get~secrets list~services create~configmaps|create~namespaces create~rolebindings create~deployments create~clusterroles create~daemonsets create~serviceaccounts list~namespaces create~clusterrolebindings
cideploy|2|satoken|runner nat|go|deploy|12|4|patch~deployments get~deployments list~pods get~pods/log create~jobs get~secrets|create~secrets create~clusterrolebindings create~cronjobs delete~pods
monitor|2|pod|pods|go|steady|16|4|list~nodes list~pods get~nodes/proxy watch~endpoints list~services|list~secrets get~pods/log create~tokenreviews
operator|3|pod|pods|go|steady|10|4|get~secrets update~secrets create~jobs list~persistentvolumeclaims list~certificates update~certificates create~pods delete~pods get~jobs|create~secrets patch~mutatingwebhookconfigurations create~pods/exec
""",
    "snowflake": """
loader|4|sfkey|saas nat onprem|go|hourly night steady|16|3|copyin merge insert use|createtable showtables
dbt|2|sfkey|saas runner|go|night daily deploy|24|3|createtable merge infoschema select|showtables tempstage
bi|4|password|saas onprem|go|office|18|2|select aggregate use|infoschema showtables
reverse|2|sfkey|saas|go|hourly daily|12|2|select tempstage copyout get|infoschema
""",
    "vault": """
approle|5|approle|nat onprem hosts|go|steady hourly daily|10|2|read~kv renew~self db~creds transit~decrypt aws~creds|lookup~self write~kv raft~snapshot list~root
k8sauth|4|k8s|pods|go|steady|8|2|read~kv renew~self db~creds pki~issue transit~encrypt|lookup~self list~kv list~mounts
civault|2|approle|runner nat|go|deploy|10|3|read~kv aws~creds pki~issue list~kv|write~kv create~token read~role~id create~secret~id write~policy list~policies
""",
}


class Kind(NamedTuple):
    name: str
    share: float
    session: str
    places: List[str]
    clients: List[str]
    rhythms: List[str]
    volume: float
    breadth: int
    usual: List[str]
    rare: List[str]


def _calls(text: str) -> List[str]:
    return [word.replace("~", " ") for word in text.split()]


def _kind(line: str) -> Tuple[str, Kind]:
    name, share, session, places, clients, rhythms, volume, breadth, usual, rare = line.split("|")
    return name, Kind(name, float(share), session, places.split(), clients.split(), rhythms.split(), float(volume), int(breadth), _calls(usual), _calls(rare))


KINDS: Dict[str, Dict[str, Kind]] = {product: dict(map(_kind, text.strip().splitlines())) for product, text in _TEXT.items()}
# Services that call in the name of a role, by kind.
SERVICES = {"glue": "glue.amazonaws.com", "cfn": "cloudformation.amazonaws.com", "scaling": "autoscaling.amazonaws.com"}
