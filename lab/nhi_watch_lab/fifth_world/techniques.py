"""Techniques, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

# ---- the notation of techniques: steps of calls with counts, odds and lures

@dataclass(frozen=True)
class Step:
    """One call, made low to high times with some odds; refused with the odds 'denied'. Arguments that start with '@' are lures kept for the incident, with '%' drawn anew each time."""
    op: str
    low: int
    high: int
    odds: float
    denied: float
    who: str
    args: Dict[str, Any]
    error: str


@dataclass(frozen=True)
class Technique:
    name: str
    product: str
    steps: Tuple[Step, ...]
    paces: Tuple[str, ...] = ("burst", "hand")
    origin: str = "both"
    signal: str = "call"
    auth: Tuple[str, ...] = ()
    tags: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()
    data: bool = False
    weight: float = 1.0


def s(op: str, low: int = 1, high: int = 0, p: float = 1.0, denied: float = 0.0, who: str = "", error: str = "", **args: Any) -> Step:
    return Step(op, low, max(low, high), p, denied, who, args, error)


def t(name: str, product: str, *steps: Step, paces: str = "burst hand", origin: str = "both", signal: str = "call", auth: str = "", tags: str = "", needs: str = "", data: bool = False,
    weight: float = 1.0) -> Technique:
    return Technique(name, product, steps, tuple(paces.split()), origin, signal, tuple(auth.split()), tuple(tags.split()), tuple(needs.split()), data, weight)


# ---- techniques against identities of AWS, after public write-ups

WHOAMI = s("sts:GetCallerIdentity", p=0.7)


def access() -> List[Technique]:
    """Keys, roles, persistence, escalation."""
    return [
        t("key_validation_only", "aws", s("sts:GetCallerIdentity", 1, 2), origin="external", signal="network", weight=1.2),
        t("iam_enumeration", "aws", WHOAMI, s("iam:ListUsers"), s("iam:ListRoles"), s("iam:ListAttachedUserPolicies", 2, 12, denied=0.3), s("iam:ListAttachedRolePolicies", 2, 15,
            denied=0.3), s("iam:GetAccountAuthorizationDetails", p=0.5, denied=0.5), s("iam:ListAccessKeys", 1, 6, p=0.5)),
        t("wide_service_discovery", "aws", WHOAMI, s("s3:ListBuckets"), s("ec2:DescribeInstances", 1, 5, denied=0.3), s("rds:DescribeDBInstances", denied=0.4),
            s("lambda:ListFunctions20150331", denied=0.4), s("secretsmanager:ListSecrets", denied=0.5), s("dynamodb:ListTables", denied=0.4), s("iam:ListRoles", denied=0.5),
                s("ec2:DescribeVpcs", p=0.6), s("cloudtrail:DescribeTrails", p=0.5), s("organizations:ListAccounts", p=0.5, denied=0.6), s("ses:GetSendQuota", p=0.4),
                    s("servicequotas:ListServiceQuotas", p=0.3), s("kms:ListKeys", p=0.4)),
        t("permission_probe_with_failures", "aws", s("iam:ListUsers", 1, 2, denied=1), s("iam:CreateUser", 1, 2, denied=1, newname="@newname"), s("iam:AttachUserPolicy", denied=1, p=0.7,
            user="@self"), s("ec2:RunInstances", 1, 3, denied=1), s("s3:ListBuckets", denied=0.6), s("secretsmanager:ListSecrets", denied=0.8), s("sts:AssumeRole", 1, 6, denied=1, rolename="%role")),
        t("backdoor_access_key", "aws", s("iam:ListUsers", p=0.5), s("iam:CreateAccessKey", user="@user"), paces="hand burst", weight=1.3),
        t("backdoor_user_with_admin", "aws", WHOAMI, s("iam:CreateUser", newname="@newname"), s("iam:AttachUserPolicy", user="@newname", strongpolicy="@admin"), s("iam:CreateAccessKey",
            user="@newname"), s("iam:CreateLoginProfile", p=0.4, user="@newname"), s("sts:GetCallerIdentity", who="backdoor", p=0.7), s("s3:ListBuckets", who="backdoor", p=0.5), weight=1.3),
        t("login_profile_for_existing_user", "aws", s("iam:GetLoginProfile", p=0.5, user="@user", error="NoSuchEntity"), s("iam:CreateLoginProfile", user="@user"), paces="hand"),
        t("login_profile_reset", "aws", s("iam:ListUsers", p=0.4), s("iam:UpdateLoginProfile", user="@user"), s("iam:DeactivateMFADevice", p=0.5, user="@user"), paces="hand"),
        t("trust_policy_backdoor", "aws", s("iam:ListRoles", p=0.6), s("iam:GetRole", p=0.6, rolename="@role"), s("iam:UpdateAssumeRolePolicy", rolename="@role", trustdoc="@outsidetrust"),
            weight=1.3),
        t("new_role_trusting_outsider", "aws", s("iam:CreateRole", newname="@newname", trustdoc="@outsidetrust"), s("iam:AttachRolePolicy", rolename="@newname", strongpolicy="@admin")),
        t("inline_policy_escalation", "aws", s("iam:ListAttachedUserPolicies", p=0.4, user="@self"), s("iam:PutUserPolicy", user="@self", policydoc="@anything"), s("iam:ListUsers", p=0.5),
            s("s3:ListBuckets", p=0.5), auth="user"),
        t("role_policy_escalation", "aws", s("iam:ListRolePolicies", p=0.5, rolename="@selfrole"), s("iam:PutRolePolicy", rolename="@selfrole", policydoc="@anything"),
            s("secretsmanager:ListSecrets", p=0.6), auth="ecs eks ec2 lambda oidc"),
        t("policy_version_rollback", "aws", s("iam:ListPolicies", p=0.5), s("iam:GetPolicyVersion", 1, 3, p=0.5), s("iam:SetDefaultPolicyVersion"), paces="hand"),
        t("new_policy_version", "aws", s("iam:GetPolicyVersion", 1, 3, p=0.6), s("iam:CreatePolicyVersion", policydoc="@anything")),
        t("federation_token_console", "aws", WHOAMI, s("sts:GetFederationToken", newname="@newname"), s("signin:GetSigninToken", p=0.5), auth="user"),
        t("role_chaining", "aws", WHOAMI, s("sts:AssumeRole", 1, 5, p=0.6, rolename="%role", denied=1), s("become"), s("sts:GetCallerIdentity", who="assumed", p=0.6), s("s3:ListBuckets",
            who="assumed"), s("secretsmanager:ListSecrets", 1, 2, who="assumed", p=0.6), s("iam:ListRoles", p=0.5, who="assumed"), weight=1.4),
        t("cross_account_role_hop", "aws", s("organizations:ListAccounts", p=0.6), s("sts:AssumeRole", 2, 9, rolearn="%peerrole", denied=0.9), s("become"), s("ec2:DescribeInstances",
            who="assumed", p=0.7), s("s3:ListBuckets", who="assumed")),
        t("saml_provider_backdoor", "aws", s("iam:ListSAMLProviders", p=0.6), s("iam:CreateSAMLProvider", newname="@newname"), s("iam:UpdateAssumeRolePolicy", p=0.6, rolename="@role",
            trustdoc="@outsidetrust"), paces="hand"),
        t("oidc_provider_backdoor", "aws", s("iam:CreateOpenIDConnectProvider", domain="@domain"), s("iam:UpdateAssumeRolePolicy", rolename="@role", trustdoc="@outsidetrust"), paces="hand"),
        t("roles_anywhere_anchor", "aws", s("rolesanywhere:CreateTrustAnchor", newname="@newname"), s("rolesanywhere:CreateProfile", newname="@newname", rolename="@role"), paces="hand"),
        t("stolen_instance_credentials", "aws", WHOAMI, s("s3:ListBuckets", denied=0.3), s("ec2:DescribeInstances", 1, 3, denied=0.4), s("iam:ListRoles", p=0.5, denied=0.7),
            s("secretsmanager:ListSecrets", p=0.6, denied=0.4), s("s3:ListObjects", 0, 5, bucket="@bucket"), origin="external", auth="ec2 ecs eks lambda", signal="network", weight=1.5),
        t("foreign_pipeline_subject", "aws", s("sts:GetCallerIdentity"), s("ecr:DescribeRepositories", p=0.6), s("ssm:GetParametersByPath", p=0.6), s("secretsmanager:ListSecrets", p=0.6,
            denied=0.4), origin="external", auth="oidc", signal="network", paces="burst", weight=1.2),
        t("dormant_key_returns", "aws", s("sts:GetCallerIdentity"), s("iam:GetUser", p=0.6), s("s3:ListBuckets"), s("s3:ListObjects", 1, 4, p=0.6), s("ec2:DescribeRegions", p=0.4),
            tags="old", auth="user", signal="network", origin="external", weight=1.2),
        t("eks_access_entry_backdoor", "aws", s("eks:ListClusters", p=0.5), s("eks:DescribeCluster", p=0.7), s("eks:CreateAccessEntry", rolename="@role"), s("eks:AssociateAccessPolicy",
            rolename="@role"), paces="hand"),
        t("account_leaves_organization", "aws", s("organizations:DescribeOrganization", p=0.7), s("organizations:LeaveOrganization"), paces="hand", weight=0.5),
    ]


def theft() -> List[Technique]:
    """Secrets, data, snapshots, code."""
    return [
        t("secrets_sweep", "aws", s("secretsmanager:ListSecrets"), s("secretsmanager:DescribeSecret", 0, 6), s("secretsmanager:GetSecretValue", 5, 40, secret="%secret", denied=0.15), weight=1.5),
        t("secrets_batch_read", "aws", s("secretsmanager:BatchGetSecretValue", 2, 9), paces="burst"),
        t("single_foreign_secret", "aws", s("secretsmanager:GetSecretValue", 1, 2, secret="@secret"), signal="target", paces="hand", weight=1.2),
        t("secrets_trickle", "aws", s("secretsmanager:ListSecrets"), s("secretsmanager:GetSecretValue", 6, 14, secret="%secret"), paces="slow"),
        t("parameter_store_sweep", "aws", s("ssm:DescribeParameters"), s("ssm:GetParameters", 3, 25, param="%param"), s("ssm:GetParametersByPath", p=0.5)),
        t("secret_resource_policy", "aws", s("secretsmanager:ListSecrets", p=0.6), s("secretsmanager:PutResourcePolicy", 1, 3, secret="%secret", sharepolicy="@outsideshare")),
        t("bucket_bulk_download", "aws", s("s3:ListBuckets", p=0.6), s("s3:ListObjects", 1, 8, bucket="@bucket"), s("s3:GetObject", 40, 260, bucket="@bucket", key="%key", bytes=400000),
            signal="target", data=True, weight=1.5, paces="burst"),
        t("own_bucket_far_more_than_ever", "aws", s("s3:ListObjects", 2, 10, bucket="@ownbucket"), s("s3:GetObject", 250, 600, bucket="@ownbucket", bytes=900000), signal="amount",
            data=True, paces="burst", tags="app data"),
        t("bucket_trickle_download", "aws", s("s3:ListObjects", 1, 3, bucket="@bucket"), s("s3:GetObject", 25, 60, bucket="@bucket"), signal="target", data=True, paces="slow"),
        t("bucket_policy_to_outsider", "aws", s("s3:GetBucketPolicy", p=0.6, bucket="@bucket"), s("s3:PutBucketPolicy", bucket="@bucket", principalarn="@outsidearn"), weight=1.2),
        t("replication_to_outsider", "aws", s("s3:PutBucketVersioning", p=0.6, bucket="@bucket", versioning="Enabled"), s("s3:PutBucketReplication", bucket="@bucket", sinkbucket="@sink",
            peer="@account")),
        t("public_bucket", "aws", s("s3:PutBucketPublicAccessBlock", bucket="@bucket", flag=False), s("s3:PutBucketPolicy", bucket="@bucket", principalarn="*")),
        t("snapshot_shared_out", "aws", s("ec2:DescribeVolumes", p=0.6), s("ec2:CreateSnapshot", p=0.7), s("ec2:ModifySnapshotAttribute", 1, 4, peer="@account"), weight=1.3),
        t("image_shared_out", "aws", s("ec2:CreateImage", p=0.6), s("ec2:ModifyImageAttribute", 1, 2, peer="@account")),
        t("database_snapshot_shared_out", "aws", s("rds:DescribeDBSnapshots", p=0.6), s("rds:CreateDBSnapshot", p=0.7), s("rds:ModifyDBSnapshotAttribute", 1, 3, peer="@account")),
        t("database_export_to_outsider", "aws", s("rds:CreateDBSnapshot", p=0.5), s("rds:StartExportTask", sinkbucket="@sink"), paces="hand"),
        t("table_export_to_outsider", "aws", s("dynamodb:ListTables", p=0.6), s("dynamodb:ExportTableToPointInTime", 1, 4, table="%table", sinkbucket="@sink")),
        t("table_scans", "aws", s("dynamodb:ListTables", p=0.7), s("dynamodb:DescribeTable", 1, 5, p=0.6), s("dynamodb:Scan", 6, 60, table="%table"), data=True),
        t("database_password_reset", "aws", s("rds:DescribeDBInstances", p=0.7), s("rds:ModifyDBInstance", db="@db"), paces="hand"),
        t("restore_public_copy", "aws", s("rds:DescribeDBSnapshots", p=0.6), s("rds:RestoreDBInstanceFromDBSnapshot", newname="@newname", flag=True), s("rds:ModifyDBInstance",
            db="@newname"), s("ec2:AuthorizeSecurityGroupIngress", p=0.6, cidr="0.0.0.0/0", port=5432), paces="hand"),
        t("redshift_credentials", "aws", s("redshift:DescribeClusters", p=0.7), s("redshift:GetClusterCredentials", 1, 2, flag=True), s("redshift-data:ExecuteStatement", 2, 15), paces="hand"),
        t("athena_mass_query", "aws", s("glue:GetDatabases", p=0.7), s("glue:GetTable", 1, 12, table="%table"), s("athena:StartQueryExecution", 4, 20), s("athena:GetQueryResults", 4, 40)),
        t("user_data_harvest", "aws", s("ec2:DescribeInstances"), s("ec2:DescribeInstanceAttribute", 8, 40, instance="%instance"), weight=1.1),
        t("windows_password_data", "aws", s("ec2:DescribeInstances", p=0.5), s("ec2:GetPasswordData", 4, 25, instance="%instance", denied=0.6), paces="burst"),
        t("function_code_harvest", "aws", s("lambda:ListFunctions20150331"), s("lambda:GetFunction20150331v2", 6, 30, func="%func")),
        t("log_search_for_passwords", "aws", s("logs:DescribeLogGroups", p=0.7), s("logs:FilterLogEvents", 4, 30, loggroup="%loggroup", filter="password"), s("logs:StartQuery", 0, 4)),
        t("customer_pool_dump", "aws", s("cognito-idp:ListUserPools", p=0.8), s("cognito-idp:ListUsers", 8, 60), paces="burst"),
        t("certificate_export", "aws", s("acm:ListCertificates", p=0.7), s("acm:ExportCertificate", 1, 4), paces="hand"),
        t("image_registry_pull", "aws", s("ecr:DescribeRepositories", p=0.7), s("ecr:GetAuthorizationToken"), s("ecr:BatchGetImage", 3, 15, repo="%repo"), s("ecr:GetDownloadUrlForLayer",
            6, 40, repo="%repo"), signal="target"),
        t("registry_policy_to_outsider", "aws", s("ecr:DescribeRepositories", p=0.5), s("ecr:SetRepositoryPolicy", 1, 3, repo="%repo", sharepolicy="@outsideshare")),
        t("domain_transfer", "aws", s("route53:ListHostedZones", p=0.6), s("route53domains:TransferDomainToAnotherAwsAccount", peer="@account"), paces="hand", weight=0.6),
        t("message_feed_tap", "aws", s("sns:ListTopics", p=0.6), s("sns:Subscribe", 1, 3, domain="@domain")),
        t("small_reads_of_own_data", "aws", s("s3:GetObject", 1, 3), origin="inside", signal="none", data=True, tags="app", paces="hand", weight=0.0),
        t("own_secret_read_again", "aws", s("secretsmanager:GetSecretValue", 1, 2), origin="inside", signal="none", tags="app secrets", paces="hand", weight=0.0),
    ]


# ---- techniques against identities of AWS: harm, evasion, cost, execution, models, chains over products

TECHNIQUES_AWS2_WHOAMI = s("sts:GetCallerIdentity", p=0.5)


def harm() -> List[Technique]:
    """Destruction and the switching off of eyes."""
    return [
        t("trail_stopped", "aws", s("cloudtrail:DescribeTrails", p=0.6), s("cloudtrail:StopLogging", denied=0.2), s("cloudtrail:DeleteTrail", p=0.4), paces="hand", weight=1.2),
        t("trail_selectors_blinded", "aws", s("cloudtrail:GetEventSelectors", p=0.6), s("cloudtrail:PutEventSelectors"), paces="hand"),
        t("trail_to_foreign_bucket", "aws", s("cloudtrail:UpdateTrail", sinkbucket="@sink"), paces="hand"),
        t("logs_expire_soon", "aws", s("s3:GetBucketLifecycle", p=0.5, bucket="@bucket"), s("s3:PutBucketLifecycle", bucket="@bucket", expirydays=1), signal="target"),
        t("guardduty_blinded", "aws", s("guardduty:ListDetectors"), s("guardduty:UpdateDetector", p=0.5, flag=False), s("guardduty:CreateIPSet", p=0.5, newname="@newname"),
            s("guardduty:DeleteDetector", p=0.5, denied=0.3), s("guardduty:CreateFilter", newname="@newname"), paces="hand"),
        t("config_and_hub_off", "aws", s("config:DescribeConfigurationRecorders", p=0.6), s("config:StopConfigurationRecorder"), s("securityhub:DisableSecurityHub", p=0.6), paces="hand"),
        t("flow_logs_and_alarms_gone", "aws", s("ec2:DescribeFlowLogs", p=0.6), s("ec2:DeleteFlowLogs", 1, 3), s("cloudwatch:DeleteAlarms", 1, 6), s("events:DisableRule", 0, 2)),
        t("log_groups_deleted", "aws", s("logs:DescribeLogGroups", p=0.7), s("logs:DeleteLogGroup", 3, 25, loggroup="%loggroup")),
        t("waf_removed", "aws", s("wafv2:ListWebACLs", p=0.7), s("wafv2:DeleteWebACL", 1, 2), paces="hand", weight=0.6),
        t("object_ransom", "aws", s("s3:ListObjects", 1, 5, bucket="@bucket"), s("s3:PutBucketVersioning", p=0.6, bucket="@bucket", versioning="Suspended"), s("s3:CopyObject", 40, 220,
            bucket="@bucket"), s("s3:DeleteObject", 0, 30, bucket="@bucket"), data=True, paces="burst", weight=1.2),
        t("object_wipe", "aws", s("s3:ListObjects", 1, 6, bucket="@bucket"), s("s3:DeleteObjects", 6, 40, bucket="@bucket"), s("s3:PutObject", p=0.6, bucket="@bucket", key="WARNING.txt"),
            s("s3:DeleteBucket", p=0.4, bucket="@bucket"), data=True, paces="burst"),
        t("backups_destroyed", "aws", s("backup:ListRecoveryPointsByBackupVault", p=0.7), s("backup:DeleteRecoveryPoint", 4, 30), s("ec2:DeleteSnapshot", 0, 20, snapshot="%snapshot"),
            s("rds:DeleteDBSnapshot", 0, 8), paces="burst"),
        t("key_deletion_scheduled", "aws", s("kms:ListKeys", p=0.6), s("kms:DisableKey", p=0.4, kmsarn="@kms"), s("kms:ScheduleKeyDeletion", 1, 5, kmsarn="%kms", window=7)),
        t("key_policy_handed_out", "aws", s("kms:GetKeyPolicy", p=0.6, kmsarn="@kms"), s("kms:PutKeyPolicy", kmsarn="@kms", sharepolicy="@outsideshare"), s("kms:CreateGrant", p=0.5,
            kmsarn="@kms", principalarn="@outsidearn")),
        t("database_deleted", "aws", s("rds:DescribeDBInstances", p=0.7), s("rds:DeleteDBInstance", 1, 3, flag=True, db="%db"), s("dynamodb:UpdateTable", 0, 2, flag=False, table="%table"),
            s("dynamodb:DeleteTable", 1, 4, table="%table")),
        t("instances_destroyed", "aws", s("ec2:DescribeInstances"), s("ec2:StopInstances", 0, 5, instance="%instance"), s("ec2:TerminateInstances", 4, 25, instance="%instance"),
            s("ec2:DeleteVolume", 0, 12, volume="%volume")),
        t("stack_wrecked", "aws", s("cloudformation:ListStacks", p=0.7), s("cloudformation:DeleteStack", 2, 8, stack="%stack"), s("lambda:DeleteFunction20150331", 0, 10, func="%func"), paces="burst"),
        t("users_locked_out", "aws", s("iam:ListUsers"), s("iam:ListAccessKeys", 1, 5, user="%user"), s("iam:DeleteAccessKey", 2, 9, user="%user"), s("iam:DeleteUser", 0, 4, user="%user")),
    ]


def cost() -> List[Technique]:
    """Mining, mail and models."""
    return [
        t("mining_fleet", "aws", TECHNIQUES_AWS2_WHOAMI, s("servicequotas:ListServiceQuotas", p=0.4, region="@region"), s("ec2:DescribeRegions", p=0.4), s("ec2:CreateKeyPair", p=0.4, region="@region",
            newname="@newname"), s("ec2:CreateSecurityGroup", p=0.4, region="@region", newname="@newname"), s("ec2:RunInstances", 3, 20, region="@region", itype="@gpu", denied=0.1), weight=1.4),
        t("mining_in_containers", "aws", s("ecs:ListClusters", p=0.6), s("ecs:RegisterTaskDefinition", 1, 3, service="@newname"), s("ecs:RunTask", 4, 30, service="@newname"),
            s("batch:SubmitJob", 0, 10, newname="@newname")),
        t("mining_training_jobs", "aws", s("sagemaker:CreateTrainingJob", 3, 14, region="@region"), s("sagemaker:DescribeTrainingJob", 0, 8, region="@region")),
        t("mining_app_runner", "aws", s("apprunner:CreateService", 2, 6, region="@region"), paces="hand", weight=0.7),
        t("mail_abuse_setup", "aws", s("ses:GetAccount"), s("ses:GetSendQuota", 1, 4, region="%region"), s("ses:ListIdentities", p=0.8), s("ses:GetAccountSendingEnabled", p=0.4),
            s("ses:CreateEmailIdentity", p=0.8, domain="@domain"), s("ses:VerifyEmailIdentity", p=0.5, domain="@domain"), s("ses:PutAccountDetails", p=0.6),
                s("servicequotas:RequestServiceQuotaIncrease", p=0.4, quotaservice="ses"), weight=1.3),
        t("text_message_fraud", "aws", s("sns:Publish", 30, 150, topic="@phone"), data=True, paces="burst"),
        t("model_probe", "aws", TECHNIQUES_AWS2_WHOAMI, s("bedrock:ListFoundationModels"), s("bedrock:GetFoundationModelAvailability", 1, 5, p=0.7), s("bedrock:GetModelInvocationLoggingConfiguration",
            p=0.7), s("bedrock:InvokeModel", 1, 3, model="@bigmodel", error="ValidationException"), weight=1.4),
        t("model_unlock", "aws", s("bedrock:GetUseCaseForModelAccess", p=0.7), s("bedrock:PutUseCaseForModelAccess", p=0.7), s("bedrock:ListFoundationModelAgreementOffers",
            model="@bigmodel"), s("bedrock:CreateFoundationModelAgreement", model="@bigmodel"), s("bedrock:PutFoundationModelEntitlement", p=0.7, model="@bigmodel"), s("bedrock:Converse",
                1, 20, model="@bigmodel"), paces="hand"),
        t("model_hijack_many_regions", "aws", s("bedrock:InvokeModel", 10, 60, region="%region", model="@bigmodel", denied=0.2), s("bedrock:InvokeModelWithResponseStream", 20, 120,
            region="%region", model="@bigmodel"), s("bedrock:DeleteModelInvocationLoggingConfiguration", p=0.3), signal="target", weight=1.4),
        t("model_hijack_resale", "aws", s("bedrock:ConverseStream", 90, 280, model="@bigmodel"), signal="target", paces="burst slow", tags="model app person"),
        t("model_key_for_later", "aws", s("iam:CreateUser", newname="@bedrockuser"), s("iam:AttachUserPolicy", user="@bedrockuser", strongpolicy="@bedrockpolicy"),
            s("iam:CreateServiceSpecificCredential", user="@bedrockuser"), s("bedrock:CallWithBearerToken", 2, 20, model="@bigmodel", who="backdoor"), paces="hand"),
        t("guardrail_weakened", "aws", s("bedrock:ListGuardrails", p=0.8), s("bedrock:UpdateGuardrail", 1, 2), s("bedrock:InvokeModel", 1, 8), paces="hand"),
        t("knowledge_base_dump", "aws", s("bedrock:ListKnowledgeBases", p=0.7), s("bedrock:Retrieve", 30, 140), data=True, paces="burst"),
        t("agent_tool_misuse", "aws", s("lambda:ListFunctions20150331", p=0.5), s("lambda:Invoke", 2, 8, func="%func"), s("s3:ListBuckets"), s("s3:GetObject", 2, 20, bucket="@bucket"),
            s("secretsmanager:GetSecretValue", 1, 3, secret="%secret", denied=0.5), origin="inside", tags="model"),
    ]


def execution() -> List[Technique]:
    """Code run by somebody else's hands, and chains."""
    return [
        t("command_on_instances", "aws", s("ssm:DescribeInstanceInformation", p=0.8), s("ssm:SendCommand", 2, 15, document="AWS-RunShellScript", instance="%instance"),
            s("ssm:GetCommandInvocation", 2, 20), weight=1.3),
        t("session_on_instance", "aws", s("ssm:DescribeInstanceInformation", p=0.6), s("ssm:StartSession", 1, 4, instance="%instance"), paces="hand"),
        t("ssh_key_pushed", "aws", s("ec2:DescribeInstances", p=0.7), s("ec2-instance-connect:SendSSHPublicKey", 2, 14, instance="%instance"), paces="burst hand"),
        t("serial_console", "aws", s("ec2-instance-connect:SendSerialConsoleSSHPublicKey", 1, 3, instance="%instance"), paces="hand", weight=0.6),
        t("instance_user_data_swap", "aws", s("ec2:StopInstances", instance="@instance"), s("ec2:ModifyInstanceAttribute", instance="@instance"), s("ec2:StartInstances",
            instance="@instance"), paces="hand"),
        t("function_code_overwrite", "aws", s("lambda:ListFunctions20150331", p=0.6), s("lambda:GetFunction20150331v2", p=0.5, func="@func"), s("lambda:UpdateFunctionCode20150331v2", func="@func")),
        t("function_layer_and_env", "aws", s("lambda:GetFunctionConfiguration20150331v2", p=0.7, func="@func"), s("lambda:PublishLayerVersion20181031", p=0.5),
            s("lambda:UpdateFunctionConfiguration20150331v2", func="@func", peer="@account")),
        t("function_open_to_world", "aws", s("lambda:CreateFunction20150331", newname="@newname"), s("lambda:CreateFunctionUrlConfig", func="@newname"), s("lambda:AddPermission20150331v2",
            func="@newname", principal="*")),
        t("function_called_by_outsider", "aws", s("lambda:AddPermission20150331v2", 1, 2, func="@func", principal="@account"), paces="hand"),
        t("container_exec", "aws", s("ecs:ListClusters", p=0.6), s("ecs:ListTasks", 1, 3), s("ecs:ExecuteCommand", 1, 4), paces="hand"),
        t("task_with_other_role", "aws", s("iam:ListRoles", p=0.4), s("ecs:RegisterTaskDefinition", rolename="@role"), s("ecs:RunTask", 1, 2), paces="hand"),
        t("build_project_hijack", "aws", s("codebuild:ListProjects", p=0.6), s("codebuild:UpdateProject", service="@service"), s("codebuild:StartBuild", service="@service"), paces="hand"),
        t("notebook_with_role", "aws", s("sagemaker:ListNotebookInstances", p=0.6), s("sagemaker:CreateNotebookInstance", rolename="@role"),
            s("sagemaker:CreatePresignedNotebookInstanceUrl", 1, 2), paces="hand"),
        t("stack_as_a_ladder", "aws", s("cloudformation:CreateStack", newname="@newname"), s("cloudformation:DescribeStacks", 1, 5), s("iam:CreateAccessKey", p=0.5, user="@user"), paces="hand"),
        t("profile_swap", "aws", s("iam:ListInstanceProfiles"), s("ec2:ReplaceIamInstanceProfileAssociation", rolename="@role"), paces="hand"),
        t("schedule_for_return", "aws", s("events:PutRule", newname="@newname"), s("events:PutTargets", service="@newname", func="@func"), s("scheduler:CreateSchedule", p=0.5,
            newname="@newname", rolename="@role"), paces="hand"),
        t("glue_job_hijack", "aws", s("glue:GetConnections", p=0.8), s("glue:UpdateJob", service="@service", rolename="@role"), s("glue:StartJobRun", service="@service"), paces="hand"),
        t("site_tampering", "aws", s("cloudfront:ListDistributions", p=0.6), s("s3:PutObject", 1, 4, bucket="@bucket", key="assets/app.js"), s("cloudfront:CreateInvalidation"), data=True,
            signal="target"),
        t("image_poisoning", "aws", s("ecr:GetAuthorizationToken"), s("ecr:InitiateLayerUpload", 1, 4, repo="@repo"), s("ecr:CompleteLayerUpload", 1, 4, repo="@repo"), s("ecr:PutImage",
            repo="@repo"), signal="target"),
        t("open_port_to_world", "aws", s("ec2:DescribeSecurityGroups", p=0.7), s("ec2:AuthorizeSecurityGroupIngress", 1, 3, cidr="0.0.0.0/0", port=22), paces="hand"),
        t("dns_hijack", "aws", s("route53:ListHostedZones", p=0.6), s("route53:ListResourceRecordSets", p=0.7), s("route53:ChangeResourceRecordSets", 1, 4), paces="hand"),
        t("git_token_to_cloud", "aws", s("gh/git.clone", 2, 9, who="github", ghrepo="%ghrepo"), s("gh/api.request", 1, 5, who="github", p=0.6), s("sts:GetCallerIdentity"),
            s("s3:ListBuckets"), s("secretsmanager:ListSecrets", denied=0.4), s("secretsmanager:GetSecretValue", 1, 8, secret="%secret", denied=0.3), needs="github", origin="external",
                signal="network", auth="user", weight=1.3),
        t("pod_to_cloud", "aws", s("k8s/create selfsubjectrulesreviews.authorization.k8s.io", who="kubernetes"), s("k8s/list secrets", 1, 3, who="kubernetes", denied=0.4),
            s("k8s/create serviceaccounts/token", who="kubernetes", denied=0.3), s("sts:GetCallerIdentity"), s("s3:ListBuckets"), s("iam:ListRoles", denied=0.5),
                s("ssm:GetParametersByPath", 1, 3), needs="kubernetes", auth="eks", weight=1.3),
        t("vault_to_cloud", "aws", s("vault/list", 1, 6, who="vault"), s("vault/read", 2, 10, who="vault", vleaf="%vleaf", denied=0.3), s("sts:GetCallerIdentity"),
            s("ec2:DescribeInstances"), s("ec2:CreateSnapshot", 1, 3), s("ec2:ModifySnapshotAttribute", 1, 3, peer="@account"), needs="vault", auth="user"),
        t("cloud_to_warehouse", "aws", s("secretsmanager:ListSecrets"), s("secretsmanager:GetSecretValue", 1, 4, secret="%secret"), s("snow/login", who="snowflake"), s("snow/show_tables",
            1, 2, who="snowflake"), s("snow/select_all", 2, 12, who="snowflake", table="%stable", rows=400000), s("snow/get_file", 0, 3, who="snowflake"), needs="snowflake"),
    ]


# ---- techniques against identities of the other products

RBAC = "rbac.authorization.k8s.io"


def cluster() -> List[Technique]:
    k = "kubernetes"
    return [
        t("pod_token_reads_secrets", k, s("k8s/create selfsubjectrulesreviews.authorization.k8s.io", p=0.7), s("k8s/list namespaces", p=0.6, denied=0.4), s("k8s/list secrets", 2, 10,
            namespace="%namespace", denied=0.3), s("k8s/get secrets", 3, 30, namespace="@namespace"), weight=1.4),
        t("pod_exec_spread", k, s("k8s/list pods", 1, 4, namespace="%namespace"), s("k8s/create pods/exec", 2, 8, namespace="@namespace", command="sh", denied=0.2), paces="hand"),
        t("privileged_pod", k, s("k8s/create pods", 1, 2, host=True, image="docker.io/library/alpine:latest", namespace="@namespace"), s("k8s/create pods/exec", 1, 3, p=0.7,
            namespace="@namespace"), weight=1.2),
        t("daemonset_everywhere", k, s("k8s/list nodes", p=0.7), s("k8s/create daemonsets.apps", namespace="kube-system", host=True, object="@newname"), s("k8s/list pods", 1, 3,
            namespace="kube-system")),
        t("cluster_admin_binding", k, s("k8s/create serviceaccounts", p=0.6, namespace="kube-system"), s(f"k8s/create clusterrolebindings.{RBAC}", clusterrole="cluster-admin")),
        t("token_minting", k, s("k8s/list serviceaccounts", 1, 3, namespace="%namespace"), s("k8s/create serviceaccounts/token", 1, 5, namespace="%namespace", account="%kaccount",
            denied=0.2), weight=1.2),
        t("client_certificate_request", k, s("k8s/create certificatesigningrequests.certificates.k8s.io"), s("k8s/get certificatesigningrequests.certificates.k8s.io", 1, 3), paces="hand"),
        t("webhook_in_the_way", k, s("k8s/create mutatingwebhookconfigurations.admissionregistration.k8s.io"), paces="hand", weight=0.7),
        t("kubelet_proxy", k, s("k8s/list nodes"), s("k8s/get nodes/proxy", 4, 30, denied=0.3)),
        t("ephemeral_container", k, s("k8s/list pods", namespace="@namespace"), s("k8s/patch pods/ephemeralcontainers", 1, 3, namespace="@namespace"), paces="hand"),
        t("cron_miner", k, s("k8s/create cronjobs.batch", 1, 4, image="docker.io/library/busybox:latest", namespace="@namespace"), s("k8s/create jobs.batch", 0, 8, namespace="@namespace")),
        t("cluster_events_erased", k, s("k8s/delete events", 3, 15, namespace="@namespace"), s("k8s/delete pods", 1, 4, namespace="@namespace")),
        t("config_tampering_dns", k, s("k8s/get configmaps", namespace="kube-system", object="coredns"), s("k8s/update configmaps", namespace="kube-system", object="coredns"), paces="hand"),
        t("single_foreign_cluster_secret", k, s("k8s/get secrets", 1, 3, namespace="@namespace", object="@kobject"), signal="target", paces="hand"),
    ]


def code() -> List[Technique]:
    g = "github"
    return [
        t("mass_clone", g, s("gh/org.list_members", p=0.4), s("gh/git.clone", 15, 80, ghrepo="%ghrepo"), signal="target", paces="burst", weight=1.5),
        t("repository_zip_grab", g, s("gh/api.request", 1, 6, ghroute="/orgs/:org/repos"), s("gh/repo.download_zip", 6, 40, ghrepo="%ghrepo"), paces="burst"),
        t("slow_clone", g, s("gh/git.clone", 8, 18, ghrepo="%ghrepo"), signal="target", paces="slow"),
        t("workflow_secret_theft", g, s("gh/git.clone", p=0.7, ghrepo="@ghrepo"), s("gh/git.push", ghrepo="@ghrepo"), s("gh/workflows.created_workflow_run", ghrepo="@ghrepo",
            ghbranch="@branch"), s("gh/workflows.prepared_workflow_job", 1, 2, ghrepo="@ghrepo"), s("gh/workflows.delete_workflow_run", p=0.7, ghrepo="@ghrepo"), weight=1.4),
        t("branch_protection_off_then_push", g, s("gh/protected_branch.destroy", p=0.6, ghrepo="@ghrepo", ghbranch="main"), s("gh/protected_branch.policy_override", p=0.6,
            ghrepo="@ghrepo"), s("gh/git.push", ghrepo="@ghrepo"), s("gh/release.published", p=0.4, ghrepo="@ghrepo")),
        t("repositories_made_public", g, s("gh/repo.access", 1, 6, ghrepo="%ghrepo"), paces="hand"),
        t("deploy_key_planted", g, s("gh/deploy_key.create", ghrepo="@ghrepo"), s("gh/public_key.create", p=0.5, ghrepo="@ghrepo"), s("gh/git.clone", 1, 3, ghrepo="@ghrepo"), paces="hand"),
        t("outside_collaborator", g, s("gh/repo.add_member", 1, 3, ghrepo="%ghrepo", outsideuser="@stranger"), s("gh/org.add_member", p=0.4, outsideuser="@stranger")),
        t("hook_to_outsider", g, s("gh/hook.create", 1, 5, ghrepo="%ghrepo", domain="@domain")),
        t("self_hosted_runner_planted", g, s("gh/repo.register_self_hosted_runner", ghrepo="@ghrepo"), s("gh/workflows.created_workflow_run", 1, 3, ghrepo="@ghrepo"), paces="hand"),
        t("scanning_switched_off", g, s("gh/repository_secret_scanning.disable", 1, 3, ghrepo="%ghrepo"), s("gh/repository_vulnerability_alerts.disable", 0, 3, ghrepo="%ghrepo"),
            s("gh/secret_scanning_alert.resolve", 0, 3, ghrepo="%ghrepo")),
        t("package_poisoned", g, s("gh/git.push", p=0.5, ghrepo="@ghrepo"), s("gh/packages.package_version_published", 1, 6, ghrepo="@ghrepo"), weight=1.2),
        t("repositories_destroyed", g, s("gh/repo.destroy", 2, 10, ghrepo="%ghrepo"), paces="burst"),
        t("org_secret_widened", g, s("gh/org.update_actions_secret", 1, 2), s("gh/repo.create_actions_secret", p=0.5, ghrepo="@ghrepo"), paces="hand"),
        t("repository_transfer", g, s("gh/repo.transfer", 1, 2, ghrepo="%ghrepo"), paces="hand", weight=0.7),
        t("single_foreign_clone", g, s("gh/git.clone", 1, 1, ghrepo="@ghrepo"), signal="target", paces="hand"),
    ]


def google() -> List[Technique]:
    g = "gcp"
    return [
        t("google_key_minting", g, s("gcp/google.iam.admin.v1.ListServiceAccounts", p=0.7), s("gcp/google.iam.admin.v1.CreateServiceAccountKey", 1, 3, gsa="%gsa"), weight=1.3),
        t("google_token_impersonation", g, s("gcp/google.iam.admin.v1.ListServiceAccounts", p=0.6), s("gcp/google.iam.credentials.v1.GenerateAccessToken", 2, 10, gsa="%gsa", denied=0.4),
            s("gcp/ListProjects", p=0.5)),
        t("google_owner_grant", g, s("gcp/GetIamPolicy", p=0.7), s("gcp/SetIamPolicy", gmember="@gmember", grole="roles/owner"), weight=1.2),
        t("google_discovery", g, s("gcp/ListProjects"), s("gcp/TestIamPermissions", 1, 4), s("gcp/GetIamPolicy", denied=0.4), s("gcp/storage.buckets.list", denied=0.4),
            s("gcp/v1.compute.instances.aggregatedList", denied=0.4), s("gcp/google.iam.admin.v1.ListServiceAccounts", denied=0.4)),
        t("google_secret_sweep", g, s("gcp/google.cloud.secretmanager.v1.SecretManagerService.ListSecrets"), s("gcp/google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
            3, 20, gsecret="%gsecret", denied=0.2)),
        t("google_bucket_theft", g, s("gcp/storage.buckets.list", p=0.5), s("gcp/storage.objects.list", 1, 5, gbucket="@gbucket"), s("gcp/storage.objects.get", 30, 200,
            gbucket="@gbucket"), signal="target", paces="burst", weight=1.3),
        t("google_bucket_opened", g, s("gcp/storage.setIamPermissions", 1, 3, gbucket="%gbucket", gmember="allAuthenticatedUsers")),
        t("bigquery_export_out", g, s("gcp/google.cloud.bigquery.v2.DatasetService.ListDatasets", p=0.6), s("gcp/google.cloud.bigquery.v2.TableService.ListTables", 1, 5,
            dataset="%dataset"), s("gcp/google.cloud.bigquery.v2.JobService.ExtractJob", 1, 8, gsink="@sink")),
        t("bigquery_full_reads", g, s("gcp/google.cloud.bigquery.v2.TableService.ListTables", p=0.6), s("gcp/google.cloud.bigquery.v2.JobService.InsertJob", 6, 40, dataset="%dataset",
            bytes=6e10), signal="target"),
        t("google_miners", g, s("gcp/v1.compute.firewalls.insert", p=0.5, cidr="0.0.0.0/0"), s("gcp/v1.compute.instances.insert", 4, 25, gtype="a2-highgpu-1g"), paces="burst"),
        t("google_ssh_by_metadata", g, s("gcp/v1.compute.instances.aggregatedList", p=0.6), s("gcp/v1.compute.instances.setMetadata", 1, 4),
            s("gcp/v1.compute.projects.setCommonInstanceMetadata", p=0.4), paces="hand"),
        t("google_function_swap", g, s("gcp/google.cloud.functions.v1.CloudFunctionsService.UpdateFunction"), paces="hand"),
        t("google_build_ladder", g, s("gcp/google.devtools.cloudbuild.v1.CloudBuild.CreateBuild", 1, 3, gsa="%gsa"), signal="target", paces="hand"),
        t("google_log_sink_removed", g, s("gcp/google.logging.v2.ConfigServiceV2.DeleteSink", p=0.6), s("gcp/google.logging.v2.ConfigServiceV2.UpdateSink"), paces="hand"),
        t("vertex_hijack", g, s("gcp/google.cloud.aiplatform.v1.PredictionService.RawPredict", 20, 150), paces="burst", weight=1.2),
        t("google_disk_copies", g, s("gcp/v1.compute.disks.createSnapshot", 1, 5), s("gcp/v1.compute.images.setIamPolicy", gmember="@gmember"), paces="hand"),
    ]


def azure() -> List[Technique]:
    a = "azure"
    return [
        t("storage_keys_listed", a, s("az/Microsoft.Storage/storageAccounts/listKeys/action", 3, 8, storage="%storage"), signal="target", weight=1.2),
        t("run_command_on_machines", a, s("az/Microsoft.Compute/virtualMachines/runCommand/action", 1, 8, vm="%vm"), weight=1.2),
        t("owner_assignment", a, s("az/Microsoft.Authorization/roleAssignments/write", 1, 2, azrole="Owner"), weight=1.2),
        t("disk_export_link", a, s("az/Microsoft.Compute/snapshots/write", 1, 3, vm="%vm"), s("az/Microsoft.Compute/snapshots/beginGetAccess/action", 1, 3, vm="%vm")),
        t("vault_policy_widened", a, s("az/Microsoft.KeyVault/vaults/accessPolicies/write", 1, 3, keyvault="%keyvault")),
        t("cluster_admin_credential", a, s("az/Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", 1, 3), paces="hand"),
        t("automation_backdoor", a, s("az/Microsoft.Automation/automationAccounts/runbooks/write"), s("az/Microsoft.Automation/automationAccounts/webhooks/write", p=0.7),
            s("az/Microsoft.Automation/automationAccounts/jobs/write", 1, 3), paces="hand"),
        t("federated_credential_backdoor", a, s("az/Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", newname="@newname"), paces="hand"),
        t("app_settings_harvest", a, s("az/Microsoft.Web/sites/config/list/action", 3, 15, service="%service"), s("az/Microsoft.Web/sites/publishxml/action", 0, 5, service="%service"),
            s("az/Microsoft.ContainerRegistry/registries/listCredentials/action", p=0.5)),
        t("diagnostics_removed", a, s("az/Microsoft.Insights/diagnosticSettings/delete", 1, 6), s("az/Microsoft.Authorization/policyAssignments/delete", p=0.4), paces="hand"),
        t("groups_deleted", a, s("az/Microsoft.RecoveryServices/vaults/delete", p=0.6), s("az/Microsoft.Compute/snapshots/delete", 0, 8, vm="%vm"),
            s("az/Microsoft.Storage/storageAccounts/delete", 1, 4, storage="%storage"), s("az/Microsoft.Resources/subscriptions/resourceGroups/delete", 1, 3, group="%group"), paces="burst"),
        t("azure_model_keys", a, s("az/Microsoft.CognitiveServices/accounts/listKeys/action", 1, 4), s("az/Microsoft.CognitiveServices/accounts/deployments/write", 1, 3,
            newname="@newname"), paces="hand"),
        t("database_export_link", a, s("az/Microsoft.Sql/servers/firewallRules/write", newname="@newname"), s("az/Microsoft.Sql/servers/databases/export/action"), paces="hand"),
        t("gpu_machines", a, s("az/Microsoft.Network/publicIPAddresses/write", 0, 3), s("az/Microsoft.Compute/virtualMachines/write", 5, 18, vm="%newname"),
            s("az/Microsoft.MachineLearningServices/workspaces/computes/write", 0, 4), paces="burst", signal="target"),
    ]


def directory() -> List[Technique]:
    e, m, o = "entra", "m365", "okta"
    return [
        t("stolen_app_secret_signin", e, s("entra/signin", 1, 6), origin="external", signal="network", weight=1.4),
        t("app_secret_guessing", e, s("entra/signin", 3, 20, error="denied"), s("entra/signin", 1, 3), origin="external", signal="network", auth="sp"),
        t("secret_added_to_app", e, s("entra/signin"), s("entra/Add service principal credentials", 1, 2, newname="@newname"), weight=1.3),
        t("app_role_growth", e, s("entra/signin", p=0.7), s("entra/Update application", p=0.5, graphrole="RoleManagement.ReadWrite.Directory"),
            s("entra/Add app role assignment to service principal", 1, 3, graphrole="@graphrole"), weight=1.2),
        t("role_member_added", e, s("entra/signin", p=0.7), s("entra/Add member to role", entrarole="Global Administrator"), paces="hand"),
        t("rogue_app_consent", e, s("entra/Add application", newname="@newname"), s("entra/Add service principal", newname="@newname", target="@newname"), s("entra/Consent to application",
            target="@newname", graphscope="Mail.ReadWrite Mail.Send offline_access"), paces="hand"),
        t("dormant_app_revived", e, s("entra/Update application – Certificates and secrets management ", newname="@newname"), s("entra/signin", 1, 3), s("entra/signin", 1, 3,
            resource="Azure Key Vault"), tags="old", origin="external", signal="network", weight=2.0),
        t("policy_weakened", e, s("entra/Update conditional access policy", castate="disabled"), s("entra/Delete conditional access policy", p=0.4), paces="hand"),
        t("guest_and_owner", e, s("entra/Invite external user", domain="@domain"), s("entra/Add owner to service principal", 1, 2), paces="hand"),
        t("domain_federated", e, s("entra/Add unverified domain", domain="@domain"), s("entra/Set domain authentication"), paces="hand", weight=0.6),
        t("federated_app_credential", e, s("entra/Create federated identity credential", outsideorg="@outsideorg"), paces="hand"),
        t("new_resource_tokens", e, s("entra/signin", 2, 6, resource="@resource"), signal="target", paces="hand burst", origin="inside", auth="sp mi"),
        t("mailbox_harvest", m, s("m365/MailItemsAccessed", 40, 200, upn="%upn", scale=6), signal="target", paces="burst", weight=1.5),
        t("mailbox_trickle", m, s("m365/MailItemsAccessed", 12, 30, upn="%upn"), signal="target", paces="slow"),
        t("site_download", m, s("m365/SearchQueryPerformed", 1, 4), s("m365/FileDownloaded", 30, 180, site="%site"), signal="target", paces="burst", weight=1.2),
        t("forwarding_rules", m, s("m365/Get-Mailbox", p=0.6), s("m365/New-InboxRule", 1, 4, upn="%upn", domain="@domain"), s("m365/Set-Mailbox", 0, 2, upn="%upn", domain="@domain"), paces="hand"),
        t("phishing_from_app", m, s("m365/Send", 25, 120, upn="@upn"), s("m365/SoftDelete", 0, 20, upn="@upn"), paces="burst"),
        t("impersonation_role", m, s("m365/New-ManagementRoleAssignment"), s("m365/MailItemsAccessed", 5, 30, upn="%upn"), paces="hand"),
        t("anonymous_links", m, s("m365/SiteCollectionAdminAdded", p=0.5, site="@site"), s("m365/AnonymousLinkCreated", 2, 12, site="@site"), paces="hand"),
        t("chat_reading", m, s("m365/ChatRetrieved", 10, 60), s("m365/MessagesListed", 10, 60)),
        t("okta_token_from_elsewhere", o, s("okta/core.user.list", 1, 8), s("okta/user.account.reset_password", 0, 2), origin="external", signal="network", weight=1.3),
        t("okta_admin_granted", o, s("okta/core.user.list", p=0.6), s("okta/user.account.privilege.grant", upn="@upn"), s("okta/group.privilege.grant", p=0.3), weight=1.2),
        t("okta_factor_resets", o, s("okta/user.mfa.factor.reset_all", 1, 5, upn="%upn"), s("okta/user.account.reset_password", 0, 4, upn="%upn"), paces="hand"),
        t("okta_second_provider", o, s("okta/system.idp.lifecycle.create"), s("okta/system.idp.lifecycle.update", p=0.5), s("okta/policy.rule.update", p=0.5), paces="hand"),
        t("okta_new_token", o, s("okta/system.api_token.create", 1, 2), paces="hand"),
        t("okta_client_scope_growth", o, s("okta/app.oauth2.client.privilege.grant", p=0.7), s("okta/app.oauth2.client_secret.create", p=0.6), s("okta/app.oauth2.token.grant.access_token",
            1, 6, scopes="okta.users.manage okta.apps.manage okta.roles.manage"), weight=1.2),
        t("okta_policy_off", o, s("okta/policy.rule.deactivate", 1, 3), s("okta/zone.update", p=0.5), s("okta/system.log_stream.lifecycle.deactivate", p=0.4), paces="hand"),
        t("okta_mass_lockout", o, s("okta/user.lifecycle.suspend", 5, 30, upn="%upn"), s("okta/user.session.clear", 0, 10, upn="%upn"), paces="burst"),
    ]


def stores() -> List[Technique]:
    w, v = "snowflake", "vault"
    return [
        t("warehouse_stolen_login_dump", w, s("snow/login"), s("snow/session", p=0.6), s("snow/show_tables", 1, 3), s("snow/create_temp_stage"), s("snow/unload", 3, 15, table="%stable",
            rows=900000), s("snow/get_file", 3, 15, table="%stable"), weight=1.5),
        t("warehouse_full_selects", w, s("snow/login"), s("snow/select_all", 4, 30, table="%stable", sdb="%sdb", rows=700000), weight=1.3, signal="call"),
        t("warehouse_discovery", w, s("snow/login"), s("snow/show_databases"), s("snow/show_users", denied=0.4), s("snow/show_grants", 1, 5), s("snow/info_tables", 1, 4),
            s("snow/query_history", p=0.4)),
        t("warehouse_unload_to_outsider", w, s("snow/login", p=0.8), s("snow/create_ext_stage", sinkbucket="@sink", HEX8="@stage"), s("snow/unload", 2, 10, HEX8="@stage", table="%stable",
            rows=900000)),
        t("warehouse_share_out", w, s("snow/create_share", HEX8="@stage"), s("snow/grant_share", 1, 6, HEX8="@stage", table="%stable"), s("snow/alter_share", HEX8="@stage"), paces="hand"),
        t("warehouse_backdoor_user", w, s("snow/create_user", NEWNAME="@NEWNAME"), s("snow/grant_role", suser="@NEWNAME", srole="ACCOUNTADMIN"), s("snow/alter_user_policy", p=0.4,
            suser="@NEWNAME"), paces="hand"),
        t("warehouse_key_swap", w, s("snow/alter_user", suser="@suser"), s("snow/reset_password", p=0.4, suser="@suser"), paces="hand"),
        t("warehouse_network_policy_off", w, s("snow/alter_account_policy", denied=0.2), paces="hand"),
        t("warehouse_wipe", w, s("snow/set_retention", days=0), s("snow/drop_table", 2, 14, table="%stable"), s("snow/drop_database", p=0.3, denied=0.5), paces="burst"),
        t("warehouse_slow_selects", w, s("snow/login"), s("snow/select_all", 8, 20, table="%stable", sdb="%sdb", rows=60000), paces="slow"),
        t("warehouse_login_guessing", w, s("snow/login", 4, 30, error="denied"), s("snow/login"), s("snow/session", p=0.7), origin="external", signal="network", auth="password"),
        t("warehouse_schedule_backdoor", w, s("snow/create_task", HEX8="@stage"), s("snow/create_integration", p=0.5, HEX8="@stage", sinkbucket="@sink"), paces="hand"),
        t("vault_walk", v, s("vault/mounts", p=0.5, denied=0.4), s("vault/list", 3, 15, vleaf="%vleaf", denied=0.2), s("vault/read", 5, 40, vleaf="%vleaf", denied=0.3), weight=1.4),
        t("vault_single_foreign_path", v, s("vault/read", 1, 2, vleaf="@vleaf", denied=0.3), signal="target", paces="hand"),
        t("vault_token_minting", v, s("vault/capabilities", p=0.5), s("vault/token_create", 1, 4), paces="hand"),
        t("vault_policy_rewrite", v, s("vault/policy_list", p=0.6), s("vault/policy_read", 1, 4), s("vault/policy_write", newname="@newname"), s("vault/token_create", p=0.6)),
        t("vault_auth_backdoor", v, s("vault/auth_list"), s("vault/approle_write", p=0.6, newname="@newname"), s("vault/userpass_create", newname="@newname"), s("vault/k8s_role_write",
            p=0.4, newname="@newname"), paces="hand"),
        t("vault_dynamic_credentials", v, s("vault/aws_creds", 2, 8, service="%service", denied=0.3), s("vault/db_creds", 2, 8, service="%service", denied=0.3)),
        t("vault_secret_id_theft", v, s("vault/approle_role_id", 1, 3, service="%service"), s("vault/approle_secret_id", 1, 3, service="%service")),
        t("vault_transit_export", v, s("vault/transit_export", 1, 4, denied=0.2), s("vault/transit_decrypt", 5, 50), paces="burst"),
        t("vault_audit_off", v, s("vault/audit_list"), s("vault/audit_disable", denied=0.3), paces="hand"),
        t("vault_wipe", v, s("vault/list", 1, 5, vleaf="%vleaf"), s("vault/destroy", 2, 12, vleaf="%vleaf"), s("vault/metadata_delete", 4, 25, vleaf="%vleaf"), paces="burst"),
    ]
