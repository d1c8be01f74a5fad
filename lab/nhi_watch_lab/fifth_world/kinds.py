"""The kinds of machines that there are."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple

from nhi_watch_lab.fifth_world.model import Kind
from nhi_watch_lab.tables import table

# ---- trades of machines in AWS. core: 'call*weight' (calls per run where the rhythm is one of runs, relative frequenc

SCAN = table(__file__, "tables.json/scan")
IAC = table(__file__, "tables.json/iac")
IACW = table(__file__, "tables.json/iacw")
APPGROW = ("s3:GetObject", "s3:PutObject", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:Scan", "sns:Publish", "secretsmanager:DescribeSecret", "ssm:GetParameters",
    "ssm:GetParametersByPath", "kms:GenerateDataKey", "lambda:Invoke", "states:StartExecution", "bedrock:InvokeModel",
           "ses:GetSendQuota", "s3:ListObjects", "s3:HeadObject", "s3:DeleteObject", "sqs:GetQueueAttributes", "sts:AssumeRole", "secretsmanager:GetSecretValue",
               "cognito-idp:AdminGetUser", "athena:StartQueryExecution", "kms:Encrypt", "logs:CreateLogStream", "s3:CopyObject", "cognito-idp:ListUsers")
OPSGROW = ("ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:CreateTags", "ssm:GetParameter", "ssm:SendCommand", "ec2:DescribeSnapshots", "ec2:CopySnapshot",
    "ec2:ModifySnapshotAttribute", "ec2:CreateImage", "ec2:StopInstances", "ec2:StartInstances", "rds:DescribeDBSnapshots",
           "rds:CopyDBSnapshot", "tagging:GetResources", "cloudwatch:DescribeAlarms", "logs:DescribeLogGroups", "iam:ListRoles", "iam:ListUsers", "iam:GetRole",
               "organizations:ListAccounts", "sts:AssumeRole", "kms:DescribeKey", "kms:CreateGrant", "s3:ListBuckets", "s3:GetBucketLocation",
           "ec2:DescribeRegions", "events:DisableRule", "secretsmanager:GetSecretValue", "ec2:RunInstances", "ec2:TerminateInstances", "autoscaling:SetDesiredCapacity",
               "ec2:DescribeInstanceAttribute", "lambda:GetFunction20150331v2", "ec2:ModifyInstanceAttribute")
SDK = ("boto3", "gosdk", "javasdk", "jssdk")


def aws_kinds() -> List[Kind]:
    def kind(name: str, share: float, auth: str, rhythm: str, rate: Tuple[Any, ...], clients: Tuple[Any, ...], nets: Tuple[Any, ...], core: Tuple[Any, ...], grow: Tuple[Any, ...] = APPGROW, width: Tuple[Any, ...] = (2, 6), tags: str = "") -> Kind:
        return Kind(name, "aws", share, tuple(auth.split()), rhythm, rate, clients, nets, core, grow, width, tuple(tags.split()))
    return [
        kind("web-service", 14, "ecs eks eks ec2", "office", (4, 70), SDK, ("nat", "vpc", "nat"), ("secretsmanager:GetSecretValue*3", "s3:GetObject*8", "dynamodb:Query*6",
            "dynamodb:GetItem*8", "s3:PutObject*4", "kms:Decrypt*4", "ssm:GetParameter*2", "sns:Publish*2", "dynamodb:PutItem*3"), tags="app fleet"),
        kind("worker", 9, "eks ecs lambda", "day", (4, 60), SDK, ("nat", "nat", "vpc"), ("s3:GetObject*8", "s3:PutObject*6", "kms:Decrypt*4", "dynamodb:PutItem*5",
            "secretsmanager:GetSecretValue*1", "states:StartExecution*2", "sns:Publish*2", "kms:GenerateDataKey*2"), width=(1, 4), tags="app fleet"),
        kind("lambda-reactor", 10, "lambda", "day", (3, 40), ("boto3", "jssdk"), ("public",), ("logs:CreateLogStream*5", "s3:GetObject*5", "dynamodb:PutItem*4",
            "secretsmanager:GetSecretValue*2", "kms:Decrypt*3", "ssm:GetParameter*2", "sns:Publish*2"), width=(1, 3), tags="app"),
        kind("poller", 8, "ec2 ecs lambda user", "poll", (12, 96), ("boto3", "gosdk", "awscli"), ("nat", "vpc", "dc"), ("cloudwatch:DescribeAlarms*4", "ec2:DescribeInstances*3",
            "ecs:DescribeServices*3", "kinesis:DescribeStreamSummary*2", "sqs:GetQueueAttributes*4", "elasticloadbalancing:DescribeTargetHealth*3", "rds:DescribeDBInstances*2"), OPSGROW, (1, 2)),
        kind("etl", 7, "ecs ec2 user lambda", "nightly", (0.5, 3), ("boto3", "javasdk"), ("nat", "vpc"), ("s3:ListObjects*2", "s3:GetObject*8", "s3:PutObject*5", "glue:GetTable*2",
            "glue:GetPartitions*2", "athena:StartQueryExecution*2", "athena:GetQueryExecution*4", "glue:StartJobRun*1", "secretsmanager:GetSecretValue*1",
                "redshift-data:ExecuteStatement*1"), width=(3, 8), tags="data backfill"),
        kind("hourly-sync", 5, "lambda ec2 user", "hourly", (0.3, 0.8), ("boto3", "gosdk", "awscli"), ("nat", "dc"), ("s3:ListObjects*1", "s3:PutObject*1", "s3:GetObject*1",
            "secretsmanager:GetSecretValue*1"), width=(1, 3), tags="data backfill"),
        kind("backup", 3, "lambda ec2", "nightly", (0.5, 2), ("boto3", "gosdk"), ("nat",), ("ec2:DescribeVolumes*1", "ec2:CreateSnapshot*5", "ec2:CreateTags*5", "ec2:DescribeSnapshots*1",
            "ec2:DeleteSnapshot*3", "rds:CreateDBSnapshot*2", "backup:StartBackupJob*3", "ec2:CopySnapshot*2", "dynamodb:CreateBackup*2"), OPSGROW, (3, 8), "ops"),
        kind("posture-scanner", 2, "vendor ecs", "nightly", (0.4, 1.5), ("boto3", "gosdk", "jssdk"), ("vendor", "nat"), SCAN, SCAN, (30, 72), "scan constantfail"),
        kind("vendor-monitor", 3, "vendor", "poll", (24, 120), ("boto3", "gosdk", "javasdk"), ("vendor",), ("cloudwatch:ListMetrics*3", "tagging:GetResources*3", "ec2:DescribeInstances*3",
            "cloudwatch:DescribeAlarms*1", "rds:DescribeDBInstances*1", "lambda:ListFunctions20150331*1", "elasticloadbalancing:DescribeLoadBalancers*1", "health:DescribeEvents*1"),
                OPSGROW, (3, 7), "scan constantfail"),
        kind("cost-tool", 2, "vendor user", "nightly", (0.5, 2), ("boto3", "gosdk"), ("vendor",), ("organizations:ListAccounts*1", "ce:GetCostAndUsage*4", "ce:GetCostForecast*1",
            "ec2:DescribeInstances*2", "support:DescribeTrustedAdvisorChecks*1", "s3:GetObject*2"), OPSGROW, (2, 5)),
        kind("ci-deploy", 7, "oidc oidc user", "runs", (0.3, 3), ("awscli", "boto3", "gosdk"), ("runner",), ("sts:GetCallerIdentity*1", "ecr:GetAuthorizationToken*1",
            "ecr:BatchCheckLayerAvailability*2", "ecr:InitiateLayerUpload*1", "ecr:CompleteLayerUpload*1", "ecr:PutImage*1", "ecs:RegisterTaskDefinition*1", "ecs:UpdateService*1",
                "ecs:DescribeServices*2",
             "lambda:UpdateFunctionCode20150331v2*1", "cloudformation:CreateChangeSet*1", "cloudformation:ExecuteChangeSet*1", "cloudformation:DescribeStacks*2", "s3:PutObject*3",
                 "cloudfront:CreateInvalidation*1", "eks:DescribeCluster*1", "ssm:GetParameter*1", "secretsmanager:GetSecretValue*1"), OPSGROW + IACW[:6], (5, 13), "ci dynamic"),
        kind("terraform", 3, "oidc user chain", "runs", (0.2, 0.9), ("terraform",), ("runner", "nat"), IAC, IACW, (14, 30), "iac dynamic writes"),
        kind("autoscaler", 2, "eks", "day", (20, 80), ("gosdk",), ("nat", "vpc"), ("ec2:DescribeInstanceTypes*2", "ec2:CreateFleet*3", "ec2:TerminateInstances*3", "ec2:CreateTags*2",
            "ec2:DescribeSubnets*1", "ec2:DescribeSpotPriceHistory*1", "autoscaling:DescribeAutoScalingGroups*3", "autoscaling:SetDesiredCapacity*1", "ec2:RunInstances*1"), OPSGROW, (4, 8)),
        kind("dns-controller", 2, "eks", "poll", (12, 60), ("gosdk",), ("nat",), ("route53:ListHostedZones*4", "route53:ListResourceRecordSets*5", "route53:ChangeResourceRecordSets*1"),
            OPSGROW, (3, 3)),
        kind("lb-controller", 2, "eks", "day", (10, 50), ("gosdk",), ("nat",), ("elasticloadbalancing:DescribeLoadBalancers*4", "elasticloadbalancing:DescribeTargetGroups*4",
            "elasticloadbalancing:RegisterTargets*2", "ec2:DescribeSecurityGroups*2", "ec2:DescribeSubnets*1", "elasticloadbalancing:DescribeTargetHealth*2"), OPSGROW, (3, 6)),
        kind("secrets-sync", 2, "eks", "poll", (24, 140), ("gosdk",), ("nat", "vpc"), ("secretsmanager:GetSecretValue*8", "secretsmanager:DescribeSecret*2", "ssm:GetParameter*3",
            "secretsmanager:ListSecrets*1"), APPGROW, (1, 4), "secrets"),
        kind("node", 5, "ec2", "poll", (4, 30), ("gosdk",), ("nat", "public"), ("ssm:UpdateInstanceInformation*4", "ssm:ListInstanceAssociations*2", "ec2:DescribeTags*1",
            "ecr:GetAuthorizationToken*1", "ecr:BatchGetImage*2", "ecr:GetDownloadUrlForLayer*2", "logs:CreateLogStream*1"), OPSGROW, (2, 5), "fleet"),
        kind("log-shipper", 2, "ec2 eks", "poll", (8, 60), ("gosdk", "javasdk"), ("nat",), ("logs:CreateLogStream*4", "logs:DescribeLogStreams*4", "s3:PutObject*6",
            "kms:GenerateDataKey*2", "logs:CreateLogGroup*1"), APPGROW, (2, 4), "constantfail"),
        kind("ai-agent", 4, "eks lambda user ecs", "office", (5, 60), ("boto3", "jssdk"), ("nat", "public", "hosting"), ("bedrock:InvokeModel*8", "bedrock:Converse*6",
            "bedrock:ConverseStream*4", "bedrock:Retrieve*4", "s3:GetObject*3", "dynamodb:GetItem*3", "secretsmanager:GetSecretValue*1"), APPGROW + ("bedrock:ListInferenceProfiles",
                "bedrock:InvokeModelWithResponseStream", "lambda:Invoke"), (2, 5), "model app"),
        kind("notebook", 2, "ec2 user", "sparse", (0.3, 1.2), ("boto3",), ("vpc", "nat", "corpvpn"), ("s3:ListBuckets*1", "s3:ListObjects*3", "s3:GetObject*8",
            "athena:StartQueryExecution*3", "athena:GetQueryExecution*5", "athena:GetQueryResults*3", "sagemaker:CreateTrainingJob*1", "sagemaker:DescribeTrainingJob*4",
                "glue:GetDatabases*1", "bedrock:InvokeModel*3"), APPGROW + OPSGROW, (4, 9), "person data"),
        kind("key-rotator", 1, "lambda", "weekly", (1, 3), ("boto3",), ("public",), ("iam:ListUsers*1", "iam:ListAccessKeys*6", "iam:CreateAccessKey*1", "iam:UpdateAccessKey*1",
            "iam:DeleteAccessKey*1", "secretsmanager:PutSecretValue*2", "iam:GetAccessKeyLastUsed*5"), OPSGROW, (5, 7), "ops strong"),
        kind("secret-rotator", 2, "lambda", "weekly", (0.5, 2), ("boto3",), ("public",), ("secretsmanager:DescribeSecret*2", "secretsmanager:GetSecretValue*3",
            "secretsmanager:PutSecretValue*2", "rds:ModifyDBInstance*1"), APPGROW, (3, 4), "secrets"),
        kind("directory-sync", 1, "user vendor", "nightly", (0.5, 1.5), ("requests", "gosdk", "boto3"), ("dc", "vendor"), ("iam:ListUsers*1", "iam:ListGroups*1", "iam:CreateUser*0.3",
            "iam:AddUserToGroup*0.6", "iam:RemoveUserFromGroup*0.4", "iam:DeleteUser*0.2", "iam:GetUser*4"), OPSGROW, (4, 7), "ops strong"),
        kind("janitor", 2, "lambda ec2", "nightly", (0.5, 2), ("boto3",), ("public", "nat"), ("ec2:DescribeVolumes*1", "ec2:DescribeSnapshots*1", "ec2:DescribeImages*1",
            "ec2:DeleteVolume*2", "ec2:DeleteSnapshot*3", "ec2:DeregisterImage*1", "logs:PutRetentionPolicy*2", "ecr:BatchDeleteImage*2", "ec2:TerminateInstances*1"), OPSGROW, (4, 8), "ops"),
        kind("image-builder", 1, "ec2 oidc", "weekly", (1, 2), ("gosdk",), ("nat", "runner"), ("ec2:DescribeImages*2", "ec2:RunInstances*1", "ec2:DescribeInstances*6", "ec2:CreateImage*1",
            "ec2:CopyImage*2", "ec2:ModifyImageAttribute*2", "ec2:TerminateInstances*1", "ec2:CreateTags*2", "ec2:CreateKeyPair*1", "ec2:CreateSecurityGroup*1",
                "ec2:DeleteSecurityGroup*1"), OPSGROW, (7, 11), "ops"),
        kind("patcher", 1, "lambda ec2", "weekly", (1, 3), ("boto3",), ("nat",), ("ssm:DescribeInstanceInformation*2", "ssm:SendCommand*5", "ssm:GetCommandInvocation*12",
            "ec2:DescribeInstances*2", "ec2:CreateSnapshot*2"), OPSGROW, (3, 5), "ops"),
        kind("partner-drop", 3, "user", "nightly", (0.3, 1.5), ("boto3", "awscli", "javasdk", "jssdk"), ("hosting", "dc", "office", "vendor"), ("s3:ListObjects*1", "s3:PutObject*4",
            "s3:GetObject*3", "s3:DeleteObject*1"), APPGROW, (1, 3), "data"),
        kind("site-publisher", 2, "user oidc", "runs", (0.2, 1), ("awscli", "gosdk"), ("runner",), ("s3:ListObjects*1", "s3:PutObject*12", "s3:DeleteObject*2",
            "cloudfront:CreateInvalidation*1"), OPSGROW, (3, 4), "ci dynamic"),
        kind("legacy-cron", 3, "user", "monthly", (0.5, 2), ("awscli", "boto3"), ("dc", "nat"), ("s3:ListObjects*2", "s3:GetObject*6", "s3:PutObject*2", "rds:CreateDBSnapshot*1",
            "iam:ListUsers*1", "iam:GetCredentialReport*1", "ec2:DescribeInstances*2", "sns:Publish*1", "kms:Decrypt*2"), OPSGROW, (2, 5), "old"),
        kind("report-job", 3, "lambda user", "weekly", (0.5, 2), ("boto3", "awscli"), ("nat", "public"), ("athena:StartQueryExecution*4", "athena:GetQueryExecution*8",
            "athena:GetQueryResults*4", "s3:GetObject*3", "s3:PutObject*2", "ses:GetSendQuota*1", "ce:GetCostAndUsage*2"), APPGROW, (2, 6), "data"),
        kind("person-script", 5, "user", "sparse", (0.3, 1.5), ("awscli", "boto3"), ("office", "corpvpn", "home"), ("sts:GetCallerIdentity*1", "s3:ListBuckets*1", "s3:ListObjects*3",
            "s3:GetObject*4", "ec2:DescribeInstances*3", "logs:FilterLogEvents*3", "dynamodb:Query*2", "lambda:Invoke*1", "ssm:StartSession*1", "rds:DescribeDBInstances*1",
                "secretsmanager:GetSecretValue*1"), OPSGROW + APPGROW, (3, 8), "person"),
        kind("stream-agent", 2, "ec2 ecs", "poll", (24, 100), ("javasdk",), ("vpc", "nat"), ("kinesis:ListShards*4", "kinesis:DescribeStreamSummary*3", "dynamodb:GetItem*4",
            "dynamodb:PutItem*5", "kms:Decrypt*3"), APPGROW, (2, 5), "app"),
        kind("scheduler", 3, "lambda ecs ec2", "hourly", (0.15, 0.6), ("boto3", "gosdk"), ("public", "nat"), ("ecs:RunTask*1", "batch:SubmitJob*1", "states:StartExecution*1",
            "ecs:DescribeTasks*1", "codebuild:StartBuild*0.3", "glue:StartJobRun*0.5", "ssm:GetParameter*1"), OPSGROW, (2, 5), "ops"),
        kind("pool-reader", 2, "lambda ecs", "office", (4, 30), ("boto3", "jssdk"), ("public", "nat"), ("cognito-idp:AdminGetUser*5", "cognito-idp:ListUsers*1", "dynamodb:GetItem*4",
            "sns:Publish*3", "ses:GetSendQuota*1"), APPGROW, (2, 4), "app"),
        kind("data-query", 2, "user ecs vendor", "office", (4, 30), ("javasdk", "boto3"), ("vendor", "nat"), ("athena:StartQueryExecution*4", "athena:GetQueryExecution*6",
            "athena:GetQueryResults*4", "glue:GetTable*4", "glue:GetDatabases*1", "redshift-data:ExecuteStatement*2", "redshift:GetClusterCredentials*1", "redshift:DescribeClusters*1"),
                APPGROW, (3, 6), "data"),
        kind("config-recorder", 1, "service", "poll", (24, 100), ("boto3",), ("nat",), ("ec2:DescribeInstances*3", "ec2:DescribeSecurityGroups*3", "s3:GetBucketPolicy*3",
            "iam:ListRoles*1", "rds:DescribeDBInstances*2", "lambda:ListFunctions20150331*2", "config:PutEvaluations*2", "kms:DescribeKey*2"), SCAN, (5, 8), "scan service"),
        kind("response-bot", 1, "lambda", "sparse", (0.1, 0.4), ("boto3",), ("public",), ("guardduty:ListFindings*2", "guardduty:GetFindings*2", "securityhub:GetFindings*2",
            "iam:UpdateAccessKey*0.3", "ec2:CreateSnapshot*1", "ec2:ModifyInstanceAttribute*0.5", "iam:PutUserPolicy*0.3", "ec2:RevokeSecurityGroupIngress*1"), OPSGROW, (4, 8), "ops strong"),
        kind("break-glass", 1, "user", "quarterly", (0.5, 1), ("awscli", "browser"), ("office", "corpvpn"), ("sts:GetCallerIdentity*1", "iam:ListUsers*1", "iam:GetUser*1",
            "ec2:DescribeInstances*2", "iam:AttachUserPolicy*0.5", "cloudtrail:DescribeTrails*1", "s3:ListBuckets*1"), OPSGROW, (4, 7), "old strong"),
    ]


# ---- trades of machines in the other products (same columns as for AWS)

K8SGROW = ("k8s/get secrets", "k8s/list pods", "k8s/get configmaps", "k8s/create events", "k8s/list namespaces", "k8s/get nodes", "k8s/create jobs.batch", "k8s/patch deployments.apps",
    "k8s/list secrets", "k8s/create pods", "k8s/delete pods", "k8s/get pods/log", "k8s/update configmaps", "k8s/list services",
           "k8s/create serviceaccounts/token", "k8s/create selfsubjectaccessreviews.authorization.k8s.io", "k8s/get leases.coordination.k8s.io", "k8s/list ingresses.networking.k8s.io",
               "k8s/create rolebindings.rbac.authorization.k8s.io")
GHGROW = ("gh/git.clone", "gh/git.push", "gh/pull_request.create", "gh/repo.create_actions_secret", "gh/workflows.created_workflow_run", "gh/org.list_members", "gh/release.published",
    "gh/hook.create", "gh/repo.create", "gh/pull_request.merge", "gh/repo.download_zip", "gh/api.request", "gh/protected_branch.create", "gh/deploy_key.create")
GCPGROW = ("gcp/storage.objects.get", "gcp/storage.objects.create", "gcp/storage.objects.list", "gcp/storage.buckets.list",
    "gcp/google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion", "gcp/google.iam.credentials.v1.GenerateAccessToken", "gcp/google.pubsub.v1.Publisher.Publish", "gcp/GetIamPolicy",
           "gcp/google.cloud.bigquery.v2.TableService.ListTables", "gcp/google.cloud.kms.v1.KeyManagementService.Decrypt", "gcp/v1.compute.instances.list",
               "gcp/google.iam.admin.v1.ListServiceAccounts", "gcp/google.iam.admin.v1.CreateServiceAccountKey", "gcp/SetIamPolicy", "gcp/v1.compute.instances.insert")
AZGROW = ("az/Microsoft.Resources/deployments/write", "az/Microsoft.Storage/storageAccounts/listKeys/action", "az/Microsoft.Authorization/roleAssignments/write",
    "az/Microsoft.Compute/virtualMachines/write", "az/Microsoft.Insights/diagnosticSettings/write", "az/Microsoft.KeyVault/vaults/write", "az/Microsoft.Web/sites/write",
          "az/Microsoft.Network/networkSecurityGroups/securityRules/write", "az/Microsoft.Compute/snapshots/write", "az/Microsoft.Web/sites/config/list/action",
              "az/Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", "az/Microsoft.Compute/virtualMachines/runCommand/action", "az/Microsoft.Storage/storageAccounts/write")
ENGROW = ("entra/Update user", "entra/Add member to group", "entra/Add user", "entra/Add owner to application", "entra/Add service principal credentials", "entra/Update application",
    "entra/Invite external user", "entra/Add app role assignment to service principal")
OKGROW = ("okta/user.lifecycle.suspend", "okta/group.profile.update", "okta/application.user_membership.add", "okta/core.user.list", "okta/user.session.clear",
    "okta/application.lifecycle.update", "okta/user.mfa.factor.reset_all", "okta/group.user_membership.add", "okta/system.api_token.create")
SNGROW = ("snow/select", "snow/show_tables", "snow/merge", "snow/ctas", "snow/describe", "snow/alter_warehouse", "snow/show_grants", "snow/create_temp_stage", "snow/unload",
    "snow/info_tables", "snow/select_all", "snow/call", "snow/grant_role", "snow/drop_table", "snow/query_history")
VAGROW = ("vault/read", "vault/list", "vault/write", "vault/db_creds", "vault/aws_creds", "vault/pki_issue", "vault/transit_encrypt", "vault/token_create", "vault/lookup_self",
    "vault/approle_secret_id", "vault/policy_read", "vault/capabilities", "vault/mounts")
M3GROW = ("m365/FileAccessed", "m365/FileDownloaded", "m365/FileUploaded", "m365/MailItemsAccessed", "m365/Send", "m365/SearchQueryPerformed", "m365/FileModified", "m365/MessageSent")


def _kube(kind: Callable[..., Kind]) -> List[Kind]:
    client = ("k8sclient",)
    return [
        kind("kubernetes", "operator", 5, "sa", "day", (15, 90), client, ("pod",), ("k8s/get leases.coordination.k8s.io*8", "k8s/update leases.coordination.k8s.io*8", "k8s/list secrets*1",
            "k8s/get secrets*4", "k8s/update secrets*1", "k8s/get configmaps*3", "k8s/patch deployments.apps*1", "k8s/list pods*2", "k8s/create events*2", "k8s/get services*2"), K8SGROW,
                (3, 7), "strong"),
        kind("kubernetes", "app", 6, "sa", "day", (3, 25), ("k8sclient", "gohttp", "k8spython"), ("pod",), ("k8s/get configmaps*5", "k8s/list pods*2", "k8s/get secrets*1",
            "k8s/get endpoints*3", "k8s/watch configmaps*1"), K8SGROW, (1, 3), "app fleet"),
        kind("kubernetes", "deployer", 3, "sa token", "runs", (0.3, 2), ("helm", "kubectl"), ("runner", "pod"), ("k8s/get secrets*3", "k8s/create secrets*1", "k8s/get deployments.apps*2",
            "k8s/patch deployments.apps*2", "k8s/get services*1", "k8s/list replicasets.apps*2", "k8s/get configmaps*2", "k8s/patch configmaps*1", "k8s/get ingresses.networking.k8s.io*1",
                "k8s/create jobs.batch*1"), K8SGROW, (5, 9), "ci dynamic"),
        kind("kubernetes", "gitops", 2, "sa", "poll", (40, 150), client, ("pod",), ("k8s/list deployments.apps*4", "k8s/list services*3", "k8s/list configmaps*3", "k8s/list secrets*2",
            "k8s/patch deployments.apps*2", "k8s/get namespaces*2", "k8s/list customresourcedefinitions.apiextensions.k8s.io*1", "k8s/patch services*1", "k8s/create namespaces*0.2",
                "k8s/list clusterroles.rbac.authorization.k8s.io*1"), K8SGROW, (5, 9), "strong"),
        kind("kubernetes", "metrics", 2, "sa", "poll", (20, 80), client, ("pod",), ("k8s/list nodes*4", "k8s/list pods*4", "k8s/get nodes/metrics*4", "k8s/list endpoints*2",
            "k8s/list services*2"), K8SGROW, (2, 4)),
        kind("kubernetes", "node", 3, "node", "poll", (12, 60), ("k8sclient",), ("vpc",), ("k8s/get nodes*4", "k8s/patch nodes/status*4", "k8s/create serviceaccounts/token*3",
            "k8s/get secrets*2", "k8s/get configmaps*2", "k8s/patch pods/status*3"), K8SGROW, (3, 6)),
        kind("kubernetes", "cluster-scanner", 1, "sa", "nightly", (1, 2), client, ("pod",), ("k8s/list pods*4", "k8s/list secrets*4", "k8s/list clusterroles.rbac.authorization.k8s.io*1",
            "k8s/list clusterrolebindings.rbac.authorization.k8s.io*1", "k8s/list rolebindings.rbac.authorization.k8s.io*4", "k8s/list namespaces*1", "k8s/list serviceaccounts*4",
                "k8s/list networkpolicies.networking.k8s.io*2", "k8s/list daemonsets.apps*2"), K8SGROW, (6, 9), "scan"),
        kind("kubernetes", "backup", 1, "sa", "nightly", (0.5, 2), client, ("pod",), ("k8s/list secrets*6", "k8s/list configmaps*6", "k8s/list persistentvolumes*1", "k8s/list pods*6",
            "k8s/create pods/exec*2", "k8s/list namespaces*1", "k8s/list deployments.apps*5"), K8SGROW, (5, 7), "scan")]


def _code(kind: Callable[..., Kind]) -> List[Kind]:
    return [
        kind("github", "ci-app", 6, "app", "runs", (0.6, 5), ("git", "octokit"), ("runner",), ("gh/workflows.created_workflow_run*1", "gh/workflows.prepared_workflow_job*2",
            "gh/git.clone*2", "gh/workflows.completed_workflow_run*1", "gh/packages.package_version_published*0.5"), GHGROW, (3, 5), "ci dynamic"),
        kind("github", "bot", 3, "app", "office", (3, 25), ("octokit", "gohttp"), ("vendor", "runner"), ("gh/pull_request.create*3", "gh/git.push*3", "gh/git.clone*3",
            "gh/pull_request.merge*1", "gh/pull_request_review.submit*1", "gh/api.request*3"), GHGROW, (2, 5)),
        kind("github", "deploy-key", 3, "key", "poll", (4, 30), ("git",), ("nat", "dc"), ("gh/git.fetch*5", "gh/git.clone*1"), GHGROW, (1, 2)),
        kind("github", "pat-script", 4, "pat", "nightly", (0.5, 3), ("requests", "git", "ghcli", "curl"), ("dc", "nat", "hosting", "runner"), ("gh/git.clone*3", "gh/api.request*4",
            "gh/repo.update_actions_secret*0.4", "gh/org.list_members*1", "gh/git.push*1"), GHGROW, (1, 4), "old"),
        kind("github", "code-scanner", 1, "oauth", "nightly", (1, 2), ("octokit", "git"), ("vendor",), ("gh/git.clone*14", "gh/api.request*8", "gh/org.list_members*1"), GHGROW, (2, 3), "scan"),
        kind("github", "release-bot", 2, "pat", "runs", (0.1, 0.6), ("ghcli", "git", "requests"), ("runner", "dc"), ("gh/git.clone*1", "gh/git.push*2", "gh/release.published*1",
            "gh/packages.package_version_published*1", "gh/protected_branch.policy_override*0.2"), GHGROW, (3, 5), "ci dynamic")]


def _clouds(kind: Callable[..., Kind]) -> List[Kind]:
    sm = "gcp/google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"
    return [
        kind("gcp", "bq-etl", 4, "gsa", "nightly", (1, 5), ("gpython",), ("nat-gcp",), ("gcp/google.cloud.bigquery.v2.JobService.InsertJob*6", "gcp/storage.objects.get*6",
            "gcp/storage.objects.list*2", "gcp/storage.objects.create*4", sm + "*1"), GCPGROW, (2, 5), "data backfill"),
        kind("gcp", "service", 6, "gsa", "office", (4, 40), ("gpython", "gohttp"), ("nat-gcp",), ("gcp/storage.objects.get*6", "gcp/google.pubsub.v1.Publisher.Publish*4",
            "gcp/google.pubsub.v1.Subscriber.Pull*4", sm + "*2", "gcp/google.cloud.kms.v1.KeyManagementService.Decrypt*2"), GCPGROW, (1, 4), "app fleet"),
        kind("gcp", "loader", 3, "gkey", "hourly", (0.2, 0.8), ("gpython", "gohttp"), ("nat-aws", "dc", "vendor"), ("gcp/storage.objects.create*2", "gcp/storage.objects.list*1",
            "gcp/google.cloud.bigquery.v2.JobService.InsertJob*1"), GCPGROW, (1, 3), "data"),
        kind("gcp", "terraform", 1, "gsa gkey", "runs", (0.2, 0.8), ("ggo",), ("runner",), ("gcp/GetIamPolicy*4", "gcp/v1.compute.instances.list*1", "gcp/v1.compute.firewalls.list*2",
            "gcp/google.iam.admin.v1.GetRole*3", "gcp/google.container.v1.ClusterManager.GetCluster*2", "gcp/SetIamPolicy*0.4", "gcp/v1.compute.firewalls.insert*0.3",
                "gcp/google.iam.admin.v1.CreateServiceAccount*0.2", "gcp/google.iam.admin.v1.ListServiceAccounts*1"), GCPGROW, (5, 9), "iac dynamic"),
        kind("gcp", "ci", 2, "gsa", "runs", (0.3, 2), ("gcloud",), ("runner",), ("gcp/google.devtools.artifactregistry.v1.ArtifactRegistry.GetRepository*2",
            "gcp/google.cloud.run.v1.Services.ReplaceService*1", "gcp/google.devtools.cloudbuild.v1.CloudBuild.CreateBuild*1", "gcp/google.iam.credentials.v1.GenerateAccessToken*1"),
                GCPGROW, (2, 4), "ci dynamic"),
        kind("gcp", "vertex-agent", 2, "gsa gkey", "office", (4, 40), ("gpython",), ("nat-gcp", "nat-aws"), ("gcp/google.cloud.aiplatform.v1.PredictionService.GenerateContent*6",
            "gcp/storage.objects.get*2", sm + "*1"), GCPGROW, (1, 3), "model app"),
        kind("gcp", "watcher", 2, "gkey", "poll", (12, 60), ("gohttp", "gpython"), ("vendor",), ("gcp/google.monitoring.v3.MetricService.ListTimeSeries*5",
            "gcp/v1.compute.instances.aggregatedList*3", "gcp/ListProjects*1", "gcp/GetIamPolicy*1", "gcp/storage.buckets.list*1"), GCPGROW, (2, 5), "scan constantfail"),
        kind("azure", "cluster-identity", 4, "mi", "day", (4, 30), ("azsdk",), ("nat-azure",), ("az/Microsoft.Network/loadBalancers/write*3", "az/Microsoft.Compute/disks/write*2",
            "az/Microsoft.Compute/virtualMachineScaleSets/write*2", "az/Microsoft.Network/publicIPAddresses/write*1"), AZGROW, (2, 4)),
        kind("azure", "pipeline", 4, "sp", "runs", (0.3, 2.5), ("azcli", "azsdk"), ("runner",), ("az/Microsoft.Resources/deployments/write*1", "az/Microsoft.Web/sites/write*1",
            "az/Microsoft.Web/sites/restart/action*1", "az/Microsoft.Web/sites/config/list/action*1", "az/Microsoft.ContainerService/managedClusters/listClusterUserCredential/action*1",
                "az/Microsoft.ContainerRegistry/registries/pull/read*2"), AZGROW, (2, 5), "ci dynamic"),
        kind("azure", "terraform", 1, "sp", "runs", (0.2, 0.8), ("azsdk",), ("runner", "nat-azure"), ("az/Microsoft.Resources/subscriptions/resourceGroups/write*1",
            "az/Microsoft.Storage/storageAccounts/listKeys/action*3", "az/Microsoft.Network/networkSecurityGroups/securityRules/write*2",
                "az/Microsoft.Authorization/roleAssignments/write*0.5", "az/Microsoft.Compute/virtualMachines/write*1", "az/Microsoft.KeyVault/vaults/write*0.5",
                    "az/Microsoft.Insights/metricAlerts/write*1"), AZGROW, (4, 7), "iac dynamic"),
        kind("azure", "backup", 2, "mi sp", "nightly", (0.5, 2), ("azsdk",), ("nat-azure", "vendor"),
            ("az/Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action*4", "az/Microsoft.Compute/snapshots/write*3",
                "az/Microsoft.Compute/snapshots/delete*2", "az/Microsoft.Compute/disks/beginGetAccess/action*1"), AZGROW, (2, 4)),
        kind("azure", "vm-schedule", 2, "mi sp", "nightly", (0.5, 2), ("azcli", "requests"), ("nat-azure",), ("az/Microsoft.Compute/virtualMachines/start/action*3",
            "az/Microsoft.Compute/virtualMachines/deallocate/action*3", "az/Microsoft.Automation/automationAccounts/jobs/write*1"), AZGROW, (1, 3)),
        kind("azure", "policy", 1, "mi", "day", (5, 40), ("azsdk",), ("azure",), ("az/Microsoft.Authorization/policies/audit/action*6", "az/Microsoft.Insights/diagnosticSettings/write*1",
            "az/Microsoft.Compute/virtualMachines/extensions/write*1"), AZGROW, (1, 3))]


def _saas(kind: Callable[..., Kind]) -> List[Kind]:
    return [
        kind("entra", "graph-app", 6, "sp", "poll", (2, 24), ("msgraph", "requests"), ("nat-azure", "vendor", "dc", "nat-aws"), ("entra/signin*1",), ENGROW, (1, 1), "app"),
        kind("entra", "hr-sync", 2, "sp", "nightly", (0.5, 2), ("msgraph",), ("nat-azure", "vendor"), ("entra/signin*1", "entra/Update user*6", "entra/Add user*0.5",
            "entra/Add member to group*2", "entra/Remove member from group*1", "entra/Disable account*0.3"), ENGROW, (4, 6), "strong"),
        kind("entra", "device-manager", 1, "sp", "day", (3, 20), ("msgraph",), ("azure",), ("entra/signin*3", "entra/Update device*5", "entra/Add device*2"), ENGROW, (2, 3)),
        kind("entra", "managed-app", 4, "mi", "poll", (3, 24), ("azsdk",), ("nat-azure",), ("entra/signin*1",), ENGROW, (1, 1), "app"),
        kind("entra", "seldom-app", 2, "sp", "monthly", (0.5, 1.5), ("msgraph",), ("vendor", "dc"), ("entra/signin*2",), ENGROW, (1, 1), "old"),
        kind("m365", "mail-connector", 3, "sp", "office", (3, 30), ("msgraph", "requests"), ("nat-azure", "vendor"), ("m365/MailItemsAccessed*6", "m365/Send*3"), M3GROW, (1, 2), "app"),
        kind("m365", "file-sync", 3, "sp", "day", (3, 40), ("msgraph", "requests"), ("vendor", "nat-azure"), ("m365/FileAccessed*4", "m365/FileDownloaded*4", "m365/FileUploaded*2",
            "m365/FileModified*3"), M3GROW, (2, 4), "app"),
        kind("m365", "mail-backup", 1, "sp", "nightly", (1, 3), ("msgraph",), ("vendor",), ("m365/MailItemsAccessed*14", "m365/FileDownloaded*8"), M3GROW, (1, 2), "scan"),
        kind("m365", "chat-bot", 2, "sp", "office", (3, 25), ("msgraph",), ("nat-azure",), ("m365/MessageSent*5", "m365/MessagesListed*2"), M3GROW, (1, 2), "app"),
        kind("okta", "provisioning", 3, "token", "nightly", (0.5, 2), ("oktasdk",), ("vendor", "dc", "nat"), ("okta/core.user.list*2", "okta/user.account.update_profile*6",
            "okta/user.lifecycle.create*0.6", "okta/user.lifecycle.deactivate*0.4", "okta/group.user_membership.add*3", "okta/group.user_membership.remove*2",
                "okta/application.user_membership.add*3"), OKGROW, (3, 7), "strong"),
        kind("okta", "service-app", 5, "client", "poll", (3, 24), ("oktasdk",), ("nat", "vendor"), ("okta/app.oauth2.as.token.grant.access_token*5",
            "okta/app.oauth2.token.grant.access_token*2", "okta/core.user.list*1"), OKGROW, (1, 2), "app"),
        kind("okta", "terraform", 1, "client token", "runs", (0.1, 0.5), ("oktasdk",), ("runner",), ("okta/app.oauth2.token.grant.access_token*1", "okta/application.lifecycle.update*1",
            "okta/group.profile.update*1", "okta/policy.rule.update*0.3", "okta/app.oauth2.client.lifecycle.create*0.2"), OKGROW, (3, 5), "iac dynamic"),
        kind("okta", "import-agent", 2, "system", "hourly", (0.2, 0.6), ("oktasdk",), ("dc",), ("okta/system.import.complete*1", "okta/user.account.update_profile*1"), OKGROW, (1, 2)),
        kind("snowflake", "loader", 4, "keypair password", "hourly", (0.3, 1.0), ("snowjdbc", "snowpython"), ("vendor", "nat"), ("snow/login*1", "snow/copy_into*2", "snow/merge*2",
            "snow/list_stage*1", "snow/use_warehouse*1"), SNGROW, (3, 5), "data backfill"),
        kind("snowflake", "transform", 3, "keypair", "nightly", (1, 4), ("snowpython",), ("vendor", "nat", "runner"), ("snow/login*1", "snow/ctas*5", "snow/merge*3", "snow/select*3",
            "snow/describe*2", "snow/show_tables*1", "snow/insert*2"), SNGROW, (4, 7), "data backfill"),
        kind("snowflake", "dashboard", 4, "password oauth", "office", (5, 40), ("snowodbc", "snowjdbc", "snowgo"), ("vendor", "nat"), ("snow/select*8", "snow/login*2",
            "snow/select_count*3", "snow/show_tables*1"), SNGROW, (2, 4), "data"),
        kind("snowflake", "export", 2, "password keypair", "nightly", (0.5, 2), ("snowpython", "snowsql"), ("nat", "hosting", "dc"), ("snow/login*1", "snow/select*3",
            "snow/create_temp_stage*1", "snow/unload*2", "snow/get_file*1"), SNGROW, (3, 5), "data"),
        kind("snowflake", "catalog", 1, "password", "nightly", (0.5, 1.5), ("snowpython", "snowjdbc"), ("vendor",), ("snow/login*1", "snow/info_tables*3", "snow/show_grants*4",
            "snow/show_users*1", "snow/query_history*1", "snow/describe*8", "snow/show_databases*1"), SNGROW, (4, 7), "scan"),
        kind("vault", "app", 6, "kubernetes approle", "poll", (4, 40), ("vault",), ("vpc", "pod"), ("vault/login*2", "vault/read*6", "vault/renew_self*4", "vault/db_creds*2",
            "vault/transit_decrypt*3", "vault/transit_encrypt*2"), VAGROW, (2, 4), "app"),
        kind("vault", "ci", 3, "jwt approle", "runs", (0.3, 3), ("vault",), ("runner",), ("vault/login*1", "vault/read*4", "vault/aws_creds*1", "vault/approle_secret_id*0.5"), VAGROW, (2,
            4), "ci dynamic"),
        kind("vault", "agent", 3, "aws approle", "poll", (8, 50), ("vault",), ("vpc",), ("vault/renew_self*5", "vault/read*3", "vault/lookup_self*2", "vault/pki_issue*1",
            "vault/lease_renew*3"), VAGROW, (2, 4)),
        kind("vault", "terraform", 1, "approle", "runs", (0.1, 0.6), ("vault",), ("runner",), ("vault/login*1", "vault/token_create*1", "vault/read*3", "vault/mounts*1",
            "vault/policy_read*3", "vault/policy_write*0.4", "vault/k8s_role_write*0.3", "vault/auth_list*1"), VAGROW, (4, 8), "iac dynamic"),
        kind("vault", "monitor", 1, "token", "poll", (10, 40), ("vault",), ("vpc",), ("vault/health*3", "vault/lookup_self*1", "vault/audit_list*1"), VAGROW, (1, 3))]


def other_kinds() -> List[Kind]:
    def kind(product: str, name: str, share: float, auth: str, rhythm: str, rate: Tuple[Any, ...], clients: Tuple[Any, ...], nets: Tuple[Any, ...], core: Tuple[Any, ...], grow: Tuple[Any, ...], width: Tuple[Any, ...] = (2, 6), tags: str = "") -> Kind:
        return Kind(name, product, share, tuple(auth.split()), rhythm, rate, clients, nets, core, grow, width, tuple(tags.split()))
    return _kube(kind) + _code(kind) + _clouds(kind) + _saas(kind)
