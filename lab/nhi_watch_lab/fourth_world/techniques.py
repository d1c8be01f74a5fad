"""How stolen identities are misused: one line a technique.

name | origins | phases apart by //, each product:victims:steps. A step is a call with * counts; ^ marks what
the technique is about, ? what may be left out, @ what it is done to, ~ a blank. Victims are kinds of session
or of machine; `role` is a role taken over with the one before, `new` a user made by it."""
from typing import Dict, List, NamedTuple, Tuple

_TEXT = """
leaked-key-triage|e|cloudtrail:key:^sts:GetCallerIdentity ?iam:GetUser ^iam:ListUsers ?iam:ListAttachedUserPolicies*1-3 ?s3:ListBuckets ?ec2:DescribeInstances ?ses:GetSendQuota
key-check-only|e|cloudtrail:key:^sts:GetCallerIdentity*1-3
wide-discovery|b|cloudtrail:any:?sts:GetCallerIdentity ^iam:ListRoles ^iam:ListUsers ec2:DescribeInstances ec2:DescribeSecurityGroups ^s3:ListBuckets lambda:ListFunctions20150331 rds:DescribeDBInstances secretsmanager:ListSecrets kms:ListKeys ssm:DescribeParameters eks:ListClusters ?organizations:ListAccounts ?iam:GetAccountAuthorizationDetails
authorization-dump|b|cloudtrail:any:^iam:GetAccountAuthorizationDetails*1-6 ?iam:GetPolicyVersion*3-20
permission-probing|b|cloudtrail:any:^iam:SimulatePrincipalPolicy*2-25 ^iam:ListAttachedRolePolicies*1-6 ^iam:GetRolePolicy*1-8
quota-and-mail-check|e|cloudtrail:key:^ses:GetAccount ^ses:GetSendQuota ses:ListIdentities ^servicequotas:GetServiceQuota*1-12 ?ses:UpdateAccountSendingEnabled ?ses:VerifyEmailIdentity
mail-abuse|b|cloudtrail:any:ses:GetSendQuota ^ses:VerifyEmailIdentity ^ses:SendEmail*20-250
secrets-harvest|b|cloudtrail:any:^secretsmanager:ListSecrets ^secretsmanager:GetSecretValue*4-60 ?secretsmanager:BatchGetSecretValue*1-5
parameter-harvest|b|cloudtrail:any:^ssm:DescribeParameters ^ssm:GetParametersByPath*2-10 ssm:GetParameters*3-40
userdata-harvest|b|cloudtrail:any:ec2:DescribeInstances ^ec2:DescribeInstanceAttribute*3-40 ?ec2:GetPasswordData*1-10
lambda-environment-harvest|b|cloudtrail:any:^lambda:ListFunctions20150331 ^lambda:GetFunction20150331v2*4-50
bucket-exfiltration|b|cloudtrail:any:?s3:ListBuckets ^s3:ListObjects*2-12 ^s3:GetObject*30-300
bucket-ransom|b|cloudtrail:any:^s3:ListObjects*1-8 ^s3:GetObject*5-60 ^s3:PutBucketVersioning ^s3:CopyObject*10-120 s3:DeleteObject*10-120 ?s3:PutBucketLifecycle
bucket-opened|b|cloudtrail:any:s3:GetBucketPolicy ^s3:PutBucketPolicy*1-2 ?s3:PutBucketPublicAccessBlock
snapshot-shared|b|cloudtrail:any:ec2:DescribeSnapshots ec2:CreateSnapshot*1-3 ^ec2:ModifySnapshotAttribute*1-4
image-shared|b|cloudtrail:any:ec2:DescribeImages ?ec2:CreateImage ^ec2:ModifyImageAttribute*1-2
database-snapshot-shared|b|cloudtrail:any:rds:DescribeDBSnapshots ?rds:CreateDBSnapshot ^rds:ModifyDBSnapshotAttribute*1-3
warehouse-exfiltration|b|cloudtrail:any:^redshift:DescribeClusters ^redshift:GetClusterCredentials*1-3 ^redshift-data:ExecuteStatement*3-30 redshift-data:GetStatementResult*3-30
lake-theft|b|cloudtrail:any:^glue:GetDatabases ^glue:GetTables*2-8 ^athena:StartQueryExecution*3-30 athena:GetQueryResults*3-60 ?glue:GetConnections
lake-grant|b|cloudtrail:any:glue:GetDatabases ^lakeformation:GrantPermissions*1-5
table-export|b|cloudtrail:any:^dynamodb:ListTables ^dynamodb:ExportTableToPointInTime*1-4 ?dynamodb:Scan*5-80
create-admin-user|b|cloudtrail:any:?iam:ListUsers ^iam:CreateUser ^iam:AttachUserPolicy ^iam:CreateAccessKey ?iam:CreateLoginProfile//cloudtrail:new:sts:GetCallerIdentity s3:ListBuckets*1-2 iam:ListUsers
second-access-key|b|cloudtrail:any:iam:ListAccessKeys*1-4 ^iam:CreateAccessKey*1-2
login-profile|b|cloudtrail:any:?iam:ListUsers ^iam:CreateLoginProfile*1-3 ?iam:UpdateLoginProfile//cloudtrail:new:signin:ConsoleLogin ec2:DescribeInstances*1-3 s3:ListBuckets
policy-version-escalation|b|cloudtrail:any:iam:ListAttachedRolePolicies*1-3 iam:GetPolicyVersion*1-4 ^iam:CreatePolicyVersion
attach-policy-escalation|b|cloudtrail:any:^iam:AttachRolePolicy ?iam:PutRolePolicy ?iam:AddUserToGroup
trust-backdoor|b|cloudtrail:any:iam:ListRoles ?iam:GetRole*1-4 ^iam:UpdateAssumeRolePolicy*1-2
pass-role-escalation|b|cloudtrail:any:iam:ListInstanceProfiles ^ec2:RunInstances ^ec2:AssociateIamInstanceProfile
anchor-persistence|b|cloudtrail:any:^rolesanywhere:CreateTrustAnchor ^rolesanywhere:CreateProfile
identity-provider-backdoor|b|cloudtrail:any:^iam:CreateOpenIDConnectProvider iam:CreateRole ?iam:CreateSAMLProvider
federation-persistence|e|cloudtrail:key:^sts:GetFederationToken*1-3 ?sts:GetSessionToken
role-chaining|b|cloudtrail:any:?iam:ListRoles ^sts:AssumeRole*2-12//cloudtrail:role:sts:GetCallerIdentity s3:ListBuckets secretsmanager:ListSecrets ?secretsmanager:GetSecretValue*2-20
lambda-backdoor|b|cloudtrail:any:^lambda:GetFunction20150331v2 ^lambda:UpdateFunctionCode20150331v2 ?lambda:AddPermission20150331v2 ?lambda:CreateFunctionUrlConfig ?events:PutRule
pipeline-poisoned|i|cloudtrail:gha,ci,jenkins:?codebuild:UpdateProject ^secretsmanager:GetSecretValue*1-10 ^iam:ListRoles ?ssm:GetParametersByPath*1-4 ^sts:AssumeRole*1-3//cloudtrail:role:sts:GetCallerIdentity s3:ListBuckets s3:GetObject*3-40
ci-token-elsewhere|e|cloudtrail:gha,ci,jenkins:^sts:GetCallerIdentity ^ecr:DescribeRepositories ecr:ListImages*1-6 ^ecr:BatchGetImage*1-10 ?ecr:PutImage lambda:GetFunction20150331v2*1-5
ssm-lateral|b|cloudtrail:any:^ssm:DescribeInstanceInformation ^ssm:SendCommand*1-10 ssm:GetCommandInvocation*1-12 ?ssm:StartSession*1-2
instance-credentials-stolen|e|cloudtrail:inst:^sts:GetCallerIdentity ^s3:ListBuckets s3:ListObjects*1-6 s3:GetObject*3-50 ?iam:ListAttachedRolePolicies
web-shell|i|cloudtrail:inst,task:^sts:GetCallerIdentity ^s3:ListBuckets ?iam:ListRoles ^secretsmanager:ListSecrets ?secretsmanager:GetSecretValue*1-8 ?ec2:DescribeInstances
mining|b|cloudtrail:any:?ec2:DescribeRegions ?servicequotas:ListServiceQuotas ^ec2:RunInstances*3-40@itype=g5.48xlarge ?iam:CreateServiceLinkedRole ?ec2:CreateKeyPair ?ec2:CreateSecurityGroup
container-mining|b|cloudtrail:any:^ecs:CreateCluster*1-8 iam:CreateRole ^ecs:RegisterTaskDefinition*1-4 ^ecs:RunTask*4-40
training-mining|b|cloudtrail:any:^sagemaker:CreateTrainingJob*2-12@itype=p4d.24xlarge ?sagemaker:CreateNotebookInstance*1-3
model-abuse|b|cloudtrail:any:^bedrock:ListFoundationModels ?bedrock:GetUseCaseForModelAccess ^bedrock:GetModelInvocationLoggingConfiguration ^bedrock:InvokeModelWithResponseStream*20-250 ?bedrock:Converse*5-60
model-unlock|b|cloudtrail:any:bedrock:GetFoundationModelAvailability*1-8 ^bedrock:PutUseCaseForModelAccess ^bedrock:CreateFoundationModelAgreement*1-3 ^bedrock:PutFoundationModelEntitlement*1-3 bedrock:InvokeModel*5-60 ?bedrock:DeleteModelInvocationLoggingConfiguration
agent-hijacked|i|cloudtrail:agent:^secretsmanager:ListSecrets ^secretsmanager:GetSecretValue*2-15 iam:ListRoles ?iam:CreateAccessKey ?s3:PutBucketPolicy ?dynamodb:Scan*2-20
notebook-compromised|i|cloudtrail:sm:^sts:GetCallerIdentity ^s3:ListBuckets ^secretsmanager:ListSecrets ?secretsmanager:GetSecretValue*2-15 ^iam:ListRoles sts:AssumeRole*1-4
trail-tampering|b|cloudtrail:any:^cloudtrail:DescribeTrails ?cloudtrail:GetTrailStatus ^cloudtrail:StopLogging ?cloudtrail:PutEventSelectors ?cloudtrail:DeleteTrail
guard-disabled|b|cloudtrail:any:guardduty:ListDetectors ^guardduty:UpdateDetector ?guardduty:CreateIPSet ?config:StopConfigurationRecorder ?ec2:DeleteFlowLogs
logs-erased|b|cloudtrail:any:logs:DescribeLogGroups ^logs:DeleteLogGroup*1-8
backups-destroyed|b|cloudtrail:any:backup:ListRecoveryPointsByBackupVault ^backup:DeleteRecoveryPoint*3-40 ?backup:DeleteBackupVault ^ec2:DeleteSnapshot*3-60
key-ransom|b|cloudtrail:any:kms:ListKeys kms:DescribeKey*2-10 ^kms:ScheduleKeyDeletion*1-8 ?kms:CreateGrant
vendor-breached|i|cloudtrail:vendor:^s3:ListBuckets ^secretsmanager:ListSecrets ?ssm:DescribeParameters ^s3:GetBucketPolicy*2-20 ?s3:GetObject*5-80
cluster-access-entry|b|cloudtrail:any:eks:ListClusters ^eks:CreateAccessEntry ^eks:AssociateAccessPolicy
ingress-opened|b|cloudtrail:any:ec2:DescribeSecurityGroups ^ec2:AuthorizeSecurityGroupIngress*1-4@cidr=0.0.0.0/0 ?ec2:ImportKeyPair
okta-token-takeover|b|okta:token,oauth:^user.mfa.factor.reset_all*1-4 ^user.account.reset_password*1-3 ?user.account.privilege.grant
okta-persistence|b|okta:token,oauth:^system.api_token.create ?application.lifecycle.create ^user.account.privilege.grant ?system.idp.lifecycle.create ?zone.update
okta-to-cloud|b|okta:token,oauth:^user.account.privilege.grant ^group.user_membership.add*1-3//cloudtrail:key:^sts:GetCallerIdentity ^sso:ListInstances ^sso:CreateAccountAssignment*1-2
app-secret-added|b|entra:secret:^Add~service~principal~credentials*1-2 ^Update~application~–~Certificates~and~secrets~management~ ?signin*1-3
principal-elsewhere|e|entra:secret:^signin*1-20@aadres=Windows~Azure~Service~Management~API
directory-takeover|b|entra:secret:^Add~member~to~role*1-2@admin=Global~Administrator ?Add~owner~to~application ?Add~user ^Add~app~role~assignment~to~service~principal@scope=RoleManagement.ReadWrite.Directory
illicit-consent|e|m365:app:^Consent~to~application.@scope=Mail.Read~Files.Read.All~offline_access MailItemsAccessed*5-80
mail-collection|b|m365:app:^MailItemsAccessed*30-200 ^SearchQueryInitiatedExchange*1-8 ?New-InboxRule@forward=archive.box@proton.example
files-collection|b|m365:app:^SearchQueryPerformed*1-10 ^FileDownloaded*20-200 ?AnonymousLinkCreated*1-4
oauth-mail-chain|e|entra:secret:^Add~app~role~assignment~to~service~principal@scope=Mail.ReadWrite ^signin*1-4@aadres=Office~365~Exchange~Online//m365:app:^MailItemsAccessed*10-120 ^SearchQueryInitiatedExchange*1-4
gcp-key-elsewhere|e|gcp:sakey:^ListProjects ^GetIamPolicy*1-5 storage.buckets.list ^google.iam.admin.v1.ListServiceAccounts*1-3 v1.compute.instances.list*1-6
gcp-impersonation|b|gcp:any:google.iam.admin.v1.ListServiceAccounts ^GenerateAccessToken*1-8 ?google.iam.admin.v1.CreateServiceAccountKey
gcp-key-planted|b|gcp:any:^google.iam.admin.v1.CreateServiceAccountKey*1-3 ?SetIamPolicy@grant=roles/owner
gcp-exfiltration|b|gcp:any:^storage.buckets.list storage.objects.list*2-12 ^storage.objects.get*20-200 ^google.cloud.secretmanager.v1.SecretManagerService.ListSecrets ?google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion*2-15
gcp-mining|b|gcp:any:^v1.compute.instances.insert*3-30 ^google.api.serviceusage.v1.ServiceUsage.EnableService ?v1.compute.firewalls.insert ?google.logging.v2.ConfigServiceV2.DeleteSink
repositories-cloned|b|github:pat,install,key:^git.clone*10-120 ?repo.download_zip*2-20
github-secrets-stolen|b|github:pat,install:git.clone*1-3 ^git.push*1-4 workflows.created_workflow_run*1-4 ^workflows.delete_workflow_run*1-4 ?repo.update_actions_secret ^repo.register_self_hosted_runner
github-persistence|b|github:pat,install:^deploy_key.create*1-3 ?hook.create ^public_key.create ?org.add_outside_collaborator ?protected_branch.policy_override
pipeline-to-cloud|i|github:pat,install:^repo.create_actions_secret ^environment.update_protection_rule workflows.created_workflow_run*1-2//cloudtrail:gha,ci,jenkins:^sts:GetCallerIdentity ^secretsmanager:ListSecrets secretsmanager:GetSecretValue*1-8 ^iam:ListRoles
cluster-secrets|b|kubernetes:any:?create~selfsubjectrulesreviews ^list~secrets*1-5 get~secrets*2-40 ?list~namespaces
pod-takeover|b|kubernetes:any:?create~selfsubjectaccessreviews*2-10 ^list~pods*1-4 ^create~pods/exec*1-6 ?create~pods
cluster-admin-binding|b|kubernetes:any:^create~clusterrolebindings ?create~serviceaccounts ^create~serviceaccounts/token*1-2 ?create~daemonsets
cluster-mining|b|kubernetes:any:^create~daemonsets*1-2 create~deployments*1-4 ?create~cronjobs ^create~namespaces
pod-to-cloud|b|kubernetes:any:^create~serviceaccounts/token*1-4 ?get~secrets*1-5//cloudtrail:irsa,inst:^sts:GetCallerIdentity ^s3:ListBuckets ^ec2:DescribeInstances ?secretsmanager:GetSecretValue*1-10
snowflake-exfiltration|b|snowflake:any:login ^showtables ?showgrants infoschema ^tempstage*1-3 ^copyout*2-20 get*2-20
snowflake-elsewhere|e|snowflake:any:^login*1-3 select*1-20 ^showusers dump*1-10
snowflake-persistence|b|snowflake:any:login ^alteruser ?createuser ?grantrole ^netpolicy
vault-harvest|b|vault:any:^list~root list~kv*2-10 ^list~policies read~kv*5-80
vault-to-cloud|b|vault:any:^list~mounts ^aws~creds*1-4 ?create~token//cloudtrail:key:^sts:GetCallerIdentity ^s3:ListBuckets ^iam:ListUsers s3:GetObject*3-40
vault-takeover|b|vault:any:^write~policy ^create~token ?create~secret~id*1-3 ?disable~audit ?raft~snapshot
"""


class Step(NamedTuple):
    call: str
    low: int
    high: int
    core: bool
    optional: bool
    args: Tuple[Tuple[str, str], ...]


class Phase(NamedTuple):
    product: str
    victims: Tuple[str, ...]
    steps: List[Step]


class Technique(NamedTuple):
    name: str
    origins: str
    phases: List[Phase]


def _step(text: str) -> Step:
    body, *pairs = text.lstrip("^?").split("@", 1)
    call, _, counts = body.partition("*")
    low, _, high = (counts or "1").partition("-")
    args = tuple((k, v.replace("~", " ")) for k, v in (pair.split("=", 1) for pair in pairs))
    return Step(call.replace("~", " "), int(low), int(high or low), text[0] == "^", text[0] == "?", args)


def _phase(text: str) -> Phase:
    product, victims, steps = text.split(":", 2)
    return Phase(product, tuple(victims.split(",")), [_step(word) for word in steps.split()])


def _technique(line: str) -> Technique:
    name, origins, phases = line.split("|")
    return Technique(name, origins, [_phase(text) for text in phases.split("//")])


TECHNIQUES: Dict[str, Technique] = {t.name: t for t in map(_technique, _TEXT.strip().splitlines())}
QUIET = "reuse-in-place"
