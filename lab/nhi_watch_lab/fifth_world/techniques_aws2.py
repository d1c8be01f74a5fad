"""Techniques against identities of AWS: harm, evasion, cost, execution, models, chains over products."""
from __future__ import annotations

from typing import List

from .steps import Technique, s, t

WHOAMI = s("sts:GetCallerIdentity", p=0.5)


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
        t("mining_fleet", "aws", WHOAMI, s("servicequotas:ListServiceQuotas", p=0.4, region="@region"), s("ec2:DescribeRegions", p=0.4), s("ec2:CreateKeyPair", p=0.4, region="@region",
            newname="@newname"), s("ec2:CreateSecurityGroup", p=0.4, region="@region", newname="@newname"), s("ec2:RunInstances", 3, 20, region="@region", itype="@gpu", denied=0.1), weight=1.4),
        t("mining_in_containers", "aws", s("ecs:ListClusters", p=0.6), s("ecs:RegisterTaskDefinition", 1, 3, service="@newname"), s("ecs:RunTask", 4, 30, service="@newname"),
            s("batch:SubmitJob", 0, 10, newname="@newname")),
        t("mining_training_jobs", "aws", s("sagemaker:CreateTrainingJob", 3, 14, region="@region"), s("sagemaker:DescribeTrainingJob", 0, 8, region="@region")),
        t("mining_app_runner", "aws", s("apprunner:CreateService", 2, 6, region="@region"), paces="hand", weight=0.7),
        t("mail_abuse_setup", "aws", s("ses:GetAccount"), s("ses:GetSendQuota", 1, 4, region="%region"), s("ses:ListIdentities", p=0.8), s("ses:GetAccountSendingEnabled", p=0.4),
            s("ses:CreateEmailIdentity", p=0.8, domain="@domain"), s("ses:VerifyEmailIdentity", p=0.5, domain="@domain"), s("ses:PutAccountDetails", p=0.6),
                s("servicequotas:RequestServiceQuotaIncrease", p=0.4, quotaservice="ses"), weight=1.3),
        t("text_message_fraud", "aws", s("sns:Publish", 30, 150, topic="@phone"), data=True, paces="burst"),
        t("model_probe", "aws", WHOAMI, s("bedrock:ListFoundationModels"), s("bedrock:GetFoundationModelAvailability", 1, 5, p=0.7), s("bedrock:GetModelInvocationLoggingConfiguration",
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
