"""Techniques against identities of AWS, after public write-ups."""
from __future__ import annotations

from typing import List

from .steps import Technique, s, t

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
