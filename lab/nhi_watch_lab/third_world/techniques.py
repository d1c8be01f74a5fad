"""What thieves do: `name | victims | steps | values`.

victims: product, then optional kinds or powers. Steps: op, `op*2-5` so many times, `?` may be left out, `!` what the
short form keeps, `@user` `@role` `@fed` go on as another user's new key, an assumed role, a federated session;
`>product` goes on as a machine of that product; `own*3-6` the victim's usual work.
"""
from typing import Dict, List, NamedTuple, Tuple


class Technique(NamedTuple):
    name: str
    product: str
    only: List[str]
    steps: List[str]
    values: List[Tuple[str, str]]

    @property
    def products(self) -> List[str]:
        return [self.product] + [step[1:] for step in self.steps if step.startswith(">")]


TEXT = """
key_recon | cloudtrail | !sts:GetCallerIdentity !s3:ListBuckets !iam:ListUsers ?iam:ListRoles ?ec2:DescribeInstances ?lambda:ListFunctions ?iam:ListAccountAliases ?ec2:DescribeRegions ?secretsmanager:ListSecrets ?rds:DescribeDBInstances |
key_probe | cloudtrail user | !sts:GetCallerIdentity ?!ses:GetSendQuota ?!s3:ListBuckets |
wide_discovery | cloudtrail | sts:GetCallerIdentity !ec2:DescribeInstances*2-6 ec2:DescribeSecurityGroups ec2:DescribeSnapshots ?ec2:DescribeVolumes ?rds:DescribeDBInstances !lambda:ListFunctions s3:ListBuckets s3:GetBucketAcl*2-8 ?dynamodb:ListTables ?ecs:ListClusters ?eks:ListClusters !organizations:ListAccounts ?route53:ListHostedZones ?ecr:DescribeRepositories ?servicequotas:ListServiceQuotas |
iam_mapping | cloudtrail | iam:GetUser !iam:GetAccountAuthorizationDetails iam:ListRoles iam:ListAttachedRolePolicies*3-12 ?iam:GetPolicyVersion*1-5 ?iam:ListGroups !iam:SimulatePrincipalPolicy*1-4 |
secrets_harvest | cloudtrail | !secretsmanager:ListSecrets !secretsmanager:GetSecretValue*4-25 ?kms:Decrypt*1-4 |
one_secret | cloudtrail | !secretsmanager:GetSecretValue*1-3 |
parameter_harvest | cloudtrail | !ssm:DescribeParameters*1-3 !ssm:GetParameters*3-12 ?ssm:GetParametersByPath*1-4 |
policy_escalation | cloudtrail | ?iam:ListPolicies ?iam:GetPolicyVersion !iam:CreatePolicyVersion !iam:SetDefaultPolicyVersion ?iam:ListUsers | family=*
attach_admin | cloudtrail user | ?iam:GetUser ?iam:ListAttachedUserPolicies !iam:AttachUserPolicy ?iam:PutUserPolicy !iam:ListUsers | managed=AdministratorAccess
role_inline_escalation | cloudtrail | iam:ListRoles !iam:PutRolePolicy !@role ?iam:ListUsers ?s3:ListBuckets ?secretsmanager:ListSecrets | family=*
passrole_lambda | cloudtrail | iam:ListRoles !iam:PassRole lambda:CreateFunction !lambda:Invoke*1-4 ?lambda:UpdateFunctionCode |
trust_backdoor | cloudtrail | ?iam:ListRoles ?iam:GetRole !iam:UpdateAssumeRolePolicy |
backdoor_role | cloudtrail | !iam:CreateRole !iam:AttachRolePolicy | managed=AdministratorAccess
backdoor_user | cloudtrail | ?iam:ListUsers !iam:CreateUser !iam:AttachUserPolicy !iam:CreateAccessKey ?iam:CreateLoginProfile | managed=AdministratorAccess
second_key | cloudtrail | ?iam:ListUsers ?iam:ListAccessKeys*1-4 !iam:CreateAccessKey @user sts:GetCallerIdentity ?s3:ListBuckets own*1-5 |
console_password | cloudtrail | iam:ListUsers !iam:CreateLoginProfile @user !console ?iam:ListUsers ?ec2:DescribeInstances*1-5 ?s3:ListBuckets |
federated_console | cloudtrail user | !sts:GetFederationToken @fed console !ec2:DescribeInstances*1-6 ?iam:ListUsers ?s3:ListBuckets ?ec2:DescribeRegions |
bucket_theft | cloudtrail | ?s3:ListBuckets !s3:ListObjects*1-8 !s3:GetObject*8-90 |
bucket_ransom | cloudtrail | s3:ListBuckets s3:GetBucketVersioning !s3:PutBucketVersioning s3:GetObject*3-20 ?s3:CopyObject*2-20 !s3:DeleteObject*5-40 ?s3:PutBucketLifecycle |
bucket_opened | cloudtrail | ?s3:GetBucketPolicy ?s3:PutBucketPublicAccessBlock !s3:PutBucketPolicy |
bucket_replication | cloudtrail | s3:GetBucketVersioning !s3:PutBucketReplication |
snapshot_sharing | cloudtrail | ec2:DescribeSnapshots ?ec2:CreateSnapshot !ec2:ModifySnapshotAttribute*1-5 |
rds_snapshot_sharing | cloudtrail | rds:DescribeDBInstances !rds:CreateDBSnapshot !rds:ModifyDBSnapshotAttribute ?rds:StartExportTask |
image_sharing | cloudtrail | ec2:DescribeImages !ec2:ModifyImageAttribute*1-4 |
table_export | cloudtrail | dynamodb:ListTables !dynamodb:ExportTableToPointInTime*1-4 ?dynamodb:DescribeTable |
lake_query_theft | cloudtrail | glue:GetTable*2-6 !athena:StartQueryExecution*2-8 athena:GetQueryExecution*2-8 !athena:GetQueryResults*2-12 ?glue:GetConnections |
llm_abuse | cloudtrail | ?sts:GetCallerIdentity bedrock:ListFoundationModels !bedrock:GetFoundationModelAvailability*1-4 ?bedrock:GetModelInvocationLoggingConfiguration ?bedrock:PutUseCaseForModelAccess ?bedrock:CreateFoundationModelAgreement !bedrock:InvokeModel*5-40 ?bedrock:InvokeModelWithResponseStream*10-80 ?bedrock:DeleteModelInvocationLoggingConfiguration |
llm_trickle | cloudtrail | !bedrock:InvokeModel*3-12 ?bedrock:Converse*2-8 |
gpu_mining | cloudtrail | ?servicequotas:ListServiceQuotas ec2:DescribeRegions ?ec2:DescribeImages ?ec2:CreateKeyPair ?ec2:AuthorizeSecurityGroupIngress !ec2:RunInstances*2-14 ec2:DescribeInstances*1-5 | itype=g5.12xlarge port=22 cidr=0.0.0.0/0
fargate_mining | cloudtrail | ecs:ListClusters !ecs:RegisterTaskDefinition*1-3 !ecs:CreateService*1-5 ?ecs:DescribeServices | cpu=16384
logging_blinded | cloudtrail | cloudtrail:DescribeTrails ?cloudtrail:GetTrailStatus !cloudtrail:StopLogging ?!cloudtrail:PutEventSelectors ?ec2:DeleteFlowLogs ?config:StopConfigurationRecorder |
detector_blinded | cloudtrail | guardduty:ListDetectors !guardduty:UpdateDetector ?guardduty:CreateFilter ?!guardduty:CreateIPSet |
mail_abuse | cloudtrail | !ses:GetSendQuota ses:ListIdentities ?ses:GetAccountSendingEnabled ?ses:VerifyEmailIdentity*1-3 ses:GetIdentityVerificationAttributes !ses:SendEmail*5-60 |
remote_command | cloudtrail | ssm:DescribeInstanceInformation !ssm:SendCommand*1-5 !ssm:GetCommandInvocation*1-6 ?ssm:StartSession |
userdata_harvest | cloudtrail | ec2:DescribeInstances !ec2:DescribeInstanceAttribute*4-25 ?ec2:GetConsoleOutput*1-3 ?ec2:GetPasswordData*1-5 |
function_backdoor | cloudtrail | lambda:ListFunctions ?lambda:GetFunction*1-6 !lambda:UpdateFunctionCode ?!lambda:AddPermission ?lambda:UpdateFunctionConfiguration |
port_opened | cloudtrail | ec2:DescribeSecurityGroups !ec2:AuthorizeSecurityGroupIngress*1-3 | port=22 cidr=0.0.0.0/0
role_hopping | cloudtrail | ?iam:ListRoles !sts:AssumeRole*3-15 @role sts:GetCallerIdentity ?s3:ListBuckets ?ec2:DescribeInstances ?secretsmanager:ListSecrets |
image_poisoned | cloudtrail | ecr:GetAuthorizationToken ecr:DescribeRepositories ?ecr:BatchGetImage*1-3 ecr:InitiateLayerUpload !ecr:PutImage | tag=latest
key_destruction | cloudtrail | kms:ListKeys kms:DescribeKey*1-4 !kms:ScheduleKeyDeletion*1-3 |
key_granted | cloudtrail | kms:ListAliases !kms:CreateGrant*1-2 |
dns_takeover | cloudtrail | route53:ListHostedZones route53:ListResourceRecordSets*1-3 !route53:ChangeResourceRecordSets*1-2 |
build_secrets | cloudtrail | codebuild:ListProjects !codebuild:BatchGetProjects*1-5 ?codepipeline:ListPipelines ?lambda:GetFunction*2-9 |
roles_anywhere | cloudtrail | !rolesanywhere:CreateTrustAnchor !rolesanywhere:CreateProfile |
state_file_theft | cloudtrail terraform,gha,user,wide | ?s3:ListObjects !s3:GetObject*1-6 | prefix=terraform/state
pipeline_poisoned | cloudtrail gha,terraform | ?sts:GetCallerIdentity !secretsmanager:GetSecretValue*1-6 ?ssm:GetParameter*1-5 ?iam:CreateAccessKey ?ecr:PutImage ?s3:GetObject*1-5 |
cluster_entry | cloudtrail | eks:ListClusters eks:DescribeCluster !eks:CreateAccessEntry ?eks:UpdateClusterConfig |
shell_in_task | cloudtrail | ecs:ListClusters ecs:ListTasks !ecs:ExecuteCommand*1-3 |
user_pool_theft | cloudtrail | !cognito-idp:ListUsers*3-20 ?cognito-idp:AdminGetUser*1-6 |
organization_exit | cloudtrail | organizations:DescribeOrganization ?organizations:ListAccounts ?account:EnableRegion !organizations:LeaveOrganization |
machine_startup_script | cloudtrail | ec2:DescribeInstances !ec2:StopInstances !ec2:ModifyInstanceAttribute ec2:StartInstances |
credential_report | cloudtrail | !iam:GenerateCredentialReport !iam:GetCredentialReport ?iam:ListMFADevices*1-4 ?iam:GetAccountSummary |
k8s_secrets | kubernetes | ?k8s:create/selfsubjectrulesreviews ?k8s:list/namespaces !k8s:list/secrets*1-5 !k8s:get/secrets*2-14 |
k8s_what_can_i | kubernetes | !k8s:create/selfsubjectrulesreviews*1-2 ?!k8s:create/selfsubjectaccessreviews*1-6 |
k8s_exec | kubernetes | k8s:list/pods !k8s:create/pods.exec*1-5 ?k8s:get/pods.log |
k8s_admin_binding | kubernetes | ?k8s:list/clusterroles ?k8s:create/serviceaccounts !k8s:create/clusterrolebindings ?k8s:list/secrets | k8srole=cluster-admin
k8s_token_minting | kubernetes | k8s:list/serviceaccounts !k8s:create/serviceaccounts.token*1-4 |
k8s_privileged_pod | kubernetes | ?k8s:list/nodes !k8s:create/pods ?k8s:create/pods.exec | privileged=yes image8=docker.io/library/alpine:latest
k8s_mining | kubernetes | !k8s:create/daemonsets ?!k8s:create/cronjobs*1-2 ?k8s:get/daemonsets | image8=docker.io/kworker/agent:v2
k8s_webhook | kubernetes | k8s:list/namespaces !k8s:create/mutatingwebhookconfigurations |
repo_cloning | github | !gh:git.clone*6-45 ?gh:repo.download_zip*1-8 |
workflow_poisoned | github | gh:git.clone !gh:git.push*1-2 !gh:workflow.dispatch ?gh:workflow.job ?gh:workflow.delete_run |
repo_backdoor_key | github | !gh:key.create*1-3 ?!gh:hook.create |
guards_removed | github | ?!gh:branch.destroy !gh:pushprotection.off*1-4 ?gh:scanning.off ?gh:branch.override gh:git.push |
repo_published | github | ?gh:git.clone !gh:repo.access*1-3 |
rogue_runner | github | !gh:runner.register ?gh:env.bypass ?gh:workflow.dispatch |
org_intruder | github | !gh:org.invite ?gh:team.add ?!gh:repo.add_member*1-3 |
okta_admin_grant | okta | ?okta:grant !okta:admin.grant ?okta:user.reset_factors | privilege=Super_administrator
okta_token_minted | okta | !okta:token.create ?okta:grant ?okta:logs.export |
okta_factor_reset | okta | ?okta:user.unlock okta:user.reset_password !okta:user.reset_factors*1-3 |
okta_scope_probe | okta | !okta:grant*3-12 | scopes=okta.apps.manage_okta.roles.manage
okta_rogue_idp | okta | !okta:idp.create ?!okta:policy.update ?okta:zone.delete |
okta_app_secret | okta | ?okta:app.update !okta:app.secret ?okta:grant*1-3 ?okta:app.assign*1-4 |
app_new_secret | entra entra-sp | ?entra:sp-signin !entra:add-secret ?!entra:add-sp-cred entra:sp-signin*1-3 |
app_consent | entra entra-sp | entra:sp-signin !entra:consent ?!entra:add-approle*1-3 ?entra:delegated | perm=Mail.ReadWrite
app_sign_in | entra entra-sp | !entra:sp-signin*1-6 |
app_federated | entra entra-sp | entra:sp-signin !entra:add-fic |
directory_role | entra entra-sp | entra:sp-signin !entra:add-role-member ?entra:add-user ?entra:update-ca | aadrole=Global_Administrator
mailbox_theft | m365 | !m365:mail.read*8-50 ?m365:mail.rule | items=30
document_theft | m365 | ?m365:file.search*1-4 !m365:file.download*6-60 |
mailbox_opened | m365 | !m365:mail.permission*1-3 ?m365:mail.policy ?m365:mail.read*2-6 |
gcp_key_minted | gcp | ?gcp:sa.list !gcp:sa.key ?gcp:project.list |
gcp_owner_binding | gcp | ?gcp:iam.get !gcp:iam.set | gcprole=roles/owner
gcp_impersonation | gcp | gcp:sa.list !gcp:sa.token*1-6 ?gcp:secret.list |
gcp_data_theft | gcp | gcp:dataset.list ?gcp:bucket.list !gcp:query*1-6 ?!gcp:table.extract*1-4 gcp:object.get*2-25 |
gcp_secrets | gcp | gcp:secret.list !gcp:secret.access*2-15 |
gcp_mining | gcp | gcp:vm.list ?gcp:firewall.insert !gcp:vm.insert*2-10 |
gcp_llm_abuse | gcp | ?gcp:api.enable !gcp:predict*4-60 |
gcp_sink_removed | gcp | !gcp:sink.delete |
vault_sweep | vault | ?vault:token.self vault:kv.root vault:kv.list*2-8 !vault:kv.read*4-30 |
vault_policy | vault | vault:policies !vault:policy.write !vault:token.create |
vault_blinded | vault | vault:mounts !vault:audit.disable |
vault_secret_id | vault | vault:auth.list !vault:secret-id*1-4 |
vault_to_aws | vault | !vault:aws.creds >cloudtrail sts:GetCallerIdentity !s3:ListBuckets ?s3:GetObject*2-9 ?iam:ListUsers |
repo_to_aws | github | !gh:git.clone*2-9 >cloudtrail !sts:GetCallerIdentity s3:ListBuckets ?secretsmanager:ListSecrets ?secretsmanager:GetSecretValue*1-6 |
pod_to_aws | kubernetes | k8s:create/pods.exec !k8s:create/serviceaccounts.token >cloudtrail !sts:GetCallerIdentity s3:ListBuckets ?s3:GetObject*2-20 |
aws_to_k8s | cloudtrail | eks:ListClusters !eks:DescribeCluster >kubernetes k8s:list/namespaces !k8s:list/secrets*1-3 |
app_to_mail | entra entra-sp | entra:add-secret !entra:sp-signin >m365 !m365:mail.read*5-25 |
gcp_to_repo | gcp | gcp:secret.list !gcp:secret.access*1-4 >github !gh:git.clone*2-12 |
okta_to_repo | okta | okta:grant !okta:app.assign >github gh:git.clone*2-12 ?!gh:secret.create |
own_work | cloudtrail | !own*4-12 |
"""


def parse() -> Dict[str, Technique]:
    found: Dict[str, Technique] = {}
    for line in TEXT.strip().splitlines():
        name, victims, steps, values = [part.strip() for part in (line + " ").split(" |", 3)]
        product, *only = victims.split()
        pairs = [(item.partition("=")[0], item.partition("=")[2].replace("_", " ")) for item in values.split()]
        found[name] = Technique(name, product, only[0].split(",") if only else [], steps.split(), pairs)
    return found


TECHNIQUES = parse()
UNSEEN = "own_work"
