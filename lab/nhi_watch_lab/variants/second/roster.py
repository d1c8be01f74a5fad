"""Which crews there are: what each calls, when, from where, with which client."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import Place, Tenant, aws_operator, operators, place
from nhi_watch_lab.second_world.routine import ADMIN, APPLIES, BROWSE, PLAN, SCAN, expand
from nhi_watch_lab.second_world.saas import KUBECTL, Agent, Product
from nhi_watch_lab.second_world.trail import Actor
from nhi_watch_lab.variants.second.crews import (
    Chore,
    Crew,
    bundles,
    calls,
    maybe,
    ops,
    quarterly,
    rounds,
    seldom,
    spread,
    sprint,
    then,
    tickets,
    window,
)

# ---- pools of calls

CHECKS = [*dict.fromkeys(expand(" ".join(SCAN))), "ListVirtualMFADevices", "ListServerCertificates", "ListPolicyVersions", "ListEntitiesForPolicy", "GetBucketNotification", "GetBucketOwnershipControls", "GetBucketPolicyStatus", "GetBucketWebsite", "GetKeyRotationStatus", "DescribeInternetGateways", "DescribeNetworkAcls", "DescribeVpcPeeringConnections", "DescribeTransitGateways", "DescribeIamInstanceProfileAssociations", "DescribeVpnConnections", "GetSerialConsoleAccessStatus", "DescribeEventSubscriptions", "ListTrails", "GetInsightSelectors", "DescribeConfigRules", "ListMembers", "DescribeHub", "GetEnabledStandards", "ListCoverage", "GetMacieSession", "ListRoots", "ListDelegatedAdministrators", "ListPermissionSets", "ListBackupPlans", "ListBackupVaults", "DescribeNodegroup", "ListAddons", "DescribeRegistry", "DescribeInstancePatchStates", "ListComplianceItems", "GetFunctionUrlConfig", "ListStackSets", "DescribeListeners", "DescribeMetricFilters", "DescribeResourcePolicies", "DescribeFileSystems", "ListDomainNames", "ListClustersV2", "DescribeComputeEnvironments", "ListProjects", "ListPipelines", "ListUserPools", "GetSecurityConfigurations", "ListIPSets", "GetResourceShares", "ListChecks", "DescribeWorkspaces", "DescribeLoggingStatus", "ListServers", "ListTrainingJobs"]
TERRAFORM = [*APPLIES] + [
    text.split()
    for text in (
        "CreatePolicyVersion DeletePolicyVersion", "DeleteRolePolicy PutRolePolicy", "UpdateRole TagRole", "UntagRole",
        "CreateSubnet CreateRoute", "ReplaceRoute", "CreateVpcEndpoint", "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress",
        "DeleteSecurityGroup", "CreateLaunchTemplateVersion UpdateAutoScalingGroup", "PutScalingPolicy", "ModifyVolume",
        "CreateKey CreateAlias EnableKeyRotation", "PutKeyPolicy", "PutBucketLogging PutBucketNotification", "DeleteBucketPolicy",
        "PutBucketOwnershipControls PutBucketCors", "ModifyDBParameterGroup ModifyDBInstance", "AddTagsToResource",
        "PutResourcePolicy", "PutParameter DeleteParameter", "CreateSecret PutSecretValue", "ModifyTargetGroup CreateRule",
        "SetSecurityGroups", "PutSubscriptionFilter PutMetricFilter", "AssociateKmsKey", "UpdateAddon", "UpdateWebACL UpdateIPSet",
        "CreateRepository PutLifecyclePolicy", "DeregisterTaskDefinition RegisterTaskDefinition", "UpdateTimeToLive UpdateContinuousBackups",
        "DeleteFunction20150331", "PutFunctionConcurrency20171031", "CreateServiceLinkedRole", "SetTopicAttributes", "ModifyReplicationGroup",
    )
]  # fmt: skip
REFRESH = [*dict.fromkeys(expand(" ".join(PLAN))), "ListRoleTags", "ListPolicyVersions", "GetBucketNotification", "GetBucketOwnershipControls", "GetBucketObjectLockConfiguration", "GetBucketWebsite", "GetBucketCors", "GetKeyRotationStatus", "ListResourceTags", "DescribeInternetGateways", "DescribeNetworkAcls", "DescribeSecurityGroupRules", "DescribeDBParameterGroups", "DescribeDBSubnetGroups", "ListTagsForResource", "DescribeListeners", "DescribeRules", "DescribeLoadBalancerAttributes", "ListVersionsByFunction20150331", "DescribeSubscriptionFilters", "GetHostedZone", "DescribeTimeToLive", "GetLifecyclePolicy", "DescribeNodegroup", "DescribeAddonVersions", "DescribeCertificate", "GetResourcePolicy", "DescribeSecret", "GetParameter", "GetSecretValue"]
HUNT = ["LookupEvents", "GetFindings", "ListAccessKeys", "GetAccessKeyLastUsed", "ListUserPolicies", "ListAttachedUserPolicies", "GetUser", "DescribeInstances", "DescribeNetworkInterfaces", "DescribeVolumes", "DescribeSecurityGroups", "DescribeFlowLogs", "StartQuery", "FilterLogEvents", "GetBucketPolicy", "GetBucketAcl", "GetServiceLastAccessedDetails", "GetTrailStatus", "GetConsoleOutput"]
CONTAIN = [
    text.split()
    for text in (
        "UpdateAccessKey", "DeleteAccessKey", "PutUserPolicy", "DeleteLoginProfile", "PutRolePolicy", "RevokeSecurityGroupIngress",
        "CreateSecurityGroup ModifyInstanceAttribute", "CreateSnapshot*2 CreateVolume AttachVolume", "StopInstances",
        "RotateSecret*3", "PutBucketPublicAccessBlock", "UpdateIPSet", "BatchUpdateFindings", "SendCommand GetCommandInvocation",
    )
]  # fmt: skip
REHEARSE = [
    text.split()
    for text in (
        "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime ModifyDBInstance", "DeleteDBInstance",
        "GetRecoveryPointRestoreMetadata StartRestoreJob DescribeRestoreJob*4", "CreateVolume AttachVolume DetachVolume DeleteVolume",
        "RestoreTableFromBackup DescribeTable*3", "RunInstances DescribeInstances*3 TerminateInstances", "GetSecretValue*2",
        "ChangeResourceRecordSets GetChange*2", "CopySnapshot CreateGrant",
    )
]  # fmt: skip
KUBE_APP = [f"{verb} {kind}" for kind in ["deployments", "services", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "ingresses", "cronjobs", "statefulsets", "networkpolicies", "poddisruptionbudgets", "horizontalpodautoscalers", "customresourcedefinitions", "validatingwebhookconfigurations", "scaledobjects", "namespaces"] for verb in ("create", "patch")] + ["delete pods", "delete jobs", "create jobs"]  # fmt: skip
KUBE_HANDS = ["list pods", "get pods", "get pods/log", "create pods/exec", "get secrets", "get configmaps", "patch deployments",
              "delete pods", "create pods/portforward", "list events", "create jobs", "create serviceaccounts/token",
              "create selfsubjectaccessreviews", "create selfsubjectrulesreviews", "patch configmaps"]  # fmt: skip
GITHUB_PLAN = ["repo.create", "team.add_member", "team.remove_member", "team.add_repository", "repo.add_member", "repo.remove_member",
               "repo.create_actions_secret", "repo.update_actions_secret", "org.update_actions_secret", "environment.create_actions_secret",
               "repository_ruleset.update", "protected_branch.create", "protected_branch.destroy", "hook.create", "hook.destroy",
               "public_key.create", "public_key.delete", "org.add_member", "org.remove_member", "org.update_member", "repo.archived",
               "repo.access", "integration_installation.create"]  # fmt: skip
ENTRA_PLAN = [f"audit:{activity}" for activity in (
    "Add application", "Update application", "Add service principal", "Update service principal", "Add service principal credentials",
    "Remove service principal credentials", "Update application – Certificates and secrets management", "Add owner to application",
    "Consent to application", "Add app role assignment to service principal", "Add delegated permission grant", "Delete application",
    "Add federated identity credential", "Add group", "Add owner to group", "Add member to role", "Remove member from role",
    "Update conditional access policy", "Remove delegated permission grant",
)]  # fmt: skip
OKTA_PLAN = ["application.lifecycle.create", "application.lifecycle.update", "policy.rule.update", "policy.lifecycle.update",
             "group.lifecycle.create", "group.lifecycle.delete", "group.privilege.grant", "user.account.privilege.grant",
             "user.account.privilege.revoke", "zone.update", "app.oauth2.client.lifecycle.create", "system.api_token.create",
             "system.idp.lifecycle.create"]  # fmt: skip
_SECRET = "google.cloud.secretmanager.v1.SecretManagerService."  # noqa: S105
GCP_PLAN = ["SetIamPolicy", "google.iam.admin.v1.CreateServiceAccount", "google.iam.admin.v1.CreateServiceAccountKey",
            "google.iam.admin.v1.SetIAMPolicy", "google.iam.admin.v1.CreateRole", "storage.buckets.create", "storage.setIamPermissions",
            "v1.compute.firewalls.insert", "v1.compute.instances.insert", "v1.compute.instances.setMetadata", f"{_SECRET}CreateSecret",
            f"{_SECRET}AddSecretVersion", "google.logging.v2.ConfigServiceV2.UpdateSink", "google.cloud.run.v2.Services.UpdateService",
            "google.cloud.functions.v1.CloudFunctionsService.UpdateFunction"]  # fmt: skip
GCP_LOOK = ["GetIamPolicy", "GetProject", "google.iam.admin.v1.ListServiceAccounts", "google.iam.admin.v1.ListServiceAccountKeys",
            "storage.buckets.list", "v1.compute.instances.list", "v1.compute.firewalls.list", f"{_SECRET}ListSecrets",
            "storage.objects.list", "google.cloud.bigquery.v2.TableDataService.List"]  # fmt: skip
VAULT_PLAN = [
    "update sys/policies/acl",
    "update auth/approle/role",
    "update auth/kubernetes/role",
    "update database/roles",
    "update pki/roles",
    "update sys/mounts",
    "update sys/auth",
    "update auth/token/create",
    "update aws/roles",
]

# ---- the crews


class Post(NamedTuple):
    """One kind of crew; `seat` is where it calls from: runner, nat, vendor, home, or cluster."""

    title: str
    product: str
    kind: str
    seat: str
    client: Callable[[Random], str]
    weight: float
    chores: tuple[Chore, ...]
    refused: float = 0.01


def _kube(agent: str) -> Callable[[Random], str]:
    return lambda rng: f"{agent} (linux/amd64) kubernetes/$Format"


def _kubectl(rng: Random) -> str:
    return rng.choice(KUBECTL)


def _goes(text: str) -> Callable[[Random], str]:
    return lambda rng: text


_apply = then(spread(REFRESH, 15, 45, 2), bundles(TERRAFORM, 1, 4))
_plan = spread(REFRESH, 18, 50, 2)
POSTS = (
    Post("tfc-agent", "aws", "ci", "runner", base.terraform, 3, (
        Chore(sprint(1.6), _plan), Chore(sprint(1.2), _apply))),
    Post("spacelift-stack", "aws", "vendor", "vendor", base.terraform, 1.5, (
        Chore(tickets(0.9), _plan), Chore(tickets(0.8), _apply))),
    Post("account-factory", "aws", "role", "nat", base.boto, 1.2, (
        Chore(tickets(0.15), calls("ProvisionProduct CreateAccount MoveAccount AttachPolicy UpdateStackSet CreateStackInstances*3 "
                                   "DescribeStackSet*2 CreateAccountAssignment*4 CreateRole AttachRolePolicy")),
        Chore(window(0.5), calls("ListAccounts ListStackInstances*3 UpdateStackSet CreateStackInstances*6")))),
    Post("scaffolder", "aws", "irsa", "nat", base.js3, 1.5, (
        Chore(tickets(0.4), then(bundles(TERRAFORM, 2, 5), calls("CreateRepository CreateLogGroup PutParameter*2"))),)),
    Post("deploy-train", "aws", "ci", "runner", base.cli, 2.5, (
        Chore(sprint(2.0), calls("GetCallerIdentity GetAuthorizationToken InitiateLayerUpload*3 CompleteLayerUpload*3 PutImage "
                                 "DescribeTaskDefinition RegisterTaskDefinition PassRole UpdateService DescribeServices*5")),
        Chore(sprint(0.5), calls("UpdateFunctionCode20150331v2 PublishVersion20150331 UpdateAlias20150331")),
        Chore(seldom(0.08), calls("GetSecretValue RunTask DescribeTasks*3 UpdateFunctionConfiguration20150331v2")))),
    Post("image-bakery", "aws", "ci", "runner", base.go2, 1.5, (
        Chore(window(0.8), calls("CreateKeyPair CreateSecurityGroup AuthorizeSecurityGroupIngress RunInstances DescribeInstances*6 "
                                 "StopInstances CreateImage DescribeImages*4 ModifyImageAttribute*3 TerminateInstances "
                                 "DeleteSecurityGroup DeleteKeyPair")),
        Chore(seldom(0.06), calls("CreateKeyPair RunInstances DescribeInstances*4 CreateImage TerminateInstances DeleteKeyPair")))),
    Post("key-steward", "aws", "lambda", "nat", base.boto, 2, (
        Chore(seldom(0.14), calls("ListUsers ListAccessKeys*9 GetAccessKeyLastUsed*9 CreateAccessKey*2 PutSecretValue*2 "
                                  "UpdateAccessKey*2")),
        Chore(seldom(0.07), calls("ListAccessKeys*2 DeleteAccessKey*2")))),
    Post("secret-turner", "aws", "lambda", "nat", base.boto, 2, (
        Chore(tickets(0.35), calls("DescribeSecret GetSecretValue GetRandomPassword PutSecretValue ModifyDBInstance GetSecretValue "
                                   "UpdateSecretVersionStage")),)),
    Post("custodian", "aws", "role", "nat", base.boto, 2, (
        Chore(rounds(1), then(spread(CHECKS, 12, 30), maybe(0.6, bundles(CONTAIN, 1, 2)), spread(
            ["CreateTags", "DeleteTags", "StopInstances", "DeleteVolume", "ReleaseAddress", "DeleteSnapshot", "StopDBInstance",
             "PutBucketPublicAccessBlock", "RevokeSecurityGroupIngress", "UpdateAccessKey", "DeleteRecoveryPoint"], 1, 4, 3))),)),
    Post("steampipe", "aws", "ec2", "nat", base.go2, 1.5, (
        Chore(tickets(0.3), spread(CHECKS, 20, 90, 3)), Chore(window(0.7), spread(CHECKS, 90, 150, 4))), 0.12),
    Post("cspm-pilot", "aws", "vendor", "vendor", base.go2, 1.3, (
        Chore(rounds(1), spread(CHECKS, 40, 110, 2)), Chore(quarterly, spread(CHECKS, 120, 160, 5))), 0.25),
    Post("permission-audit", "aws", "role", "nat", base.cli, 1, (
        Chore(quarterly, then(calls("GetCallerIdentity"), spread(CHECKS, 60, 140, 2), calls(
            "GenerateServiceLastAccessedDetails*9 GetServiceLastAccessedDetails*9 SimulatePrincipalPolicy*6"))),), 0.4),
    Post("dr-rehearsal", "aws", "role", "nat", base.cli, 2, (
        Chore(quarterly, then(calls("GetCallerIdentity DescribeDBSnapshots*2"), bundles(REHEARSE, 4, 8))),
        Chore(window(0.15), bundles(REHEARSE, 1, 3)))),
    Post("responder", "aws", "role", "home", base.cli, 2, (
        Chore(quarterly, then(calls("GetCallerIdentity LookupEvents*6"), spread(HUNT, 8, 16, 4), bundles(CONTAIN, 3, 7))),
        Chore(seldom(0.02), spread(HUNT, 3, 8, 2)))),
    Post("playbook-runner", "aws", "vendor", "vendor", base.boto, 1.6, (
        Chore(seldom(0.08), then(spread(HUNT, 3, 9, 2), bundles(CONTAIN, 1, 3))),
        Chore(quarterly, then(spread(HUNT, 9, 16, 3), bundles(CONTAIN, 4, 8))))),
    Post("emergency", "aws", "user", "home", base.cli, 2, (
        Chore(quarterly, then(calls("GetCallerIdentity"), bundles(ADMIN, 2, 5))), Chore(seldom(0.012), bundles(ADMIN, 1, 2)))),
    Post("dev-laptop", "aws", "user", "home", base.operator_client, 5, (
        Chore(tickets(1.1), bundles(BROWSE, 1, 1)), Chore(seldom(0.2), bundles(ADMIN, 1, 2)),
        Chore(seldom(0.05), then(_plan, bundles(TERRAFORM, 1, 2)))), 0.05),
    Post("analyst-key", "aws", "user", "home", base.boto, 2, (
        Chore(tickets(0.7), calls("ListObjects*2 GetObject*25 StartQueryExecution GetQueryExecution*3 athena:GetQueryResults*2")),
        Chore(seldom(0.06), calls("ListObjects*6 GetObject*180")), Chore(seldom(0.08), bundles(BROWSE, 1, 3)))),
    Post("access-portal", "aws", "lambda", "nat", base.js3, 1.3, (
        Chore(tickets(0.9), calls("ListAccountAssignments CreateAccountAssignment*2")),
        Chore(tickets(0.5), calls("DeleteAccountAssignment*2")),
        Chore(tickets(0.25), calls("identitystore:CreateUser CreateGroupMembership*3")),
        Chore(tickets(0.15), calls("DeleteGroupMembership*3 identitystore:DeleteUser")))),
    Post("argocd-server", "kubernetes", "sa", "cluster", _kube("argocd-application-controller/v2.13.1"), 3, (
        Chore(rounds(8), ops(["list applications", "get deployments"], 1, 3)),
        Chore(sprint(1.6), then(ops(["get applications", "get secrets"]), spread(KUBE_APP, 3, 8))))),
    Post("kafka-operator", "kubernetes", "sa", "cluster", _kube("strimzi-cluster-operator/0.43.0"), 2, (
        Chore(rounds(12), ops(["list kafkas", "get secrets"], 1, 2)),
        Chore(tickets(0.4), then(ops(["get kafkausers", "create secrets", "update kafkausers"]), spread(
            ["create rolebindings", "create serviceaccounts", "create clusterrolebindings", "patch kafkatopics", "create networkpolicies",
             "create configmaps", "update secrets", "create ingresses", "create poddisruptionbudgets"], 1, 4))),
        Chore(seldom(0.1), ops(["delete pods", "update statefulsets", "update secrets"], 1, 5)))),
    Post("cert-manager", "kubernetes", "sa", "cluster", _kube("cert-manager-controller/v1.16.1"), 2.5, (
        Chore(rounds(6), ops(["list certificates", "get secrets", "update leases"])),
        Chore(tickets(0.3), ops(["create certificaterequests", "create orders", "create challenges", "create pods", "create services",
                                 "create ingresses", "delete ingresses", "create secrets", "update certificates"])),
        Chore(seldom(0.1), ops(["create serviceaccounts/token", "update secrets"], 1, 4)))),
    Post("external-secrets", "kubernetes", "sa", "cluster", _kube("external-secrets/v0.10.5"), 2.5, (
        Chore(rounds(10), ops(["list externalsecrets", "create serviceaccounts/token", "get secrets"], 1, 2)),
        Chore(tickets(0.5), ops(["get externalsecrets", "create secrets", "update secrets"], 1, 4)),
        Chore(seldom(0.06), ops(["list secrets", "create secrets"], 2, 9)))),
    Post("velero-server", "kubernetes", "sa", "cluster", _kube("velero-server/v1.14.1"), 1.6, (
        Chore(rounds(1), ops(["list namespaces", "list secrets", "list configmaps", "list persistentvolumes", "create backups"])),
        Chore(quarterly, then(ops(["create restores", "list secrets"]), spread(KUBE_APP, 8, 16, 3), ops(["create secrets"], 5, 20))))),
    Post("tekton-runner", "kubernetes", "sa", "cluster", _kube("tekton-controller/v0.62.0"), 1.3, (
        Chore(sprint(3.5), ops(["create pods", "create secrets", "create serviceaccounts/token", "update pipelineruns", "delete pods"])),
        Chore(seldom(0.1), spread(KUBE_APP, 2, 5)))),
    Post("helm-deployer", "kubernetes", "sa", "runner", _goes("Helm/3.16.2"), 2, (
        Chore(sprint(1.4), then(ops(["list secrets", "create secrets"]), spread(KUBE_APP, 2, 6))),
        Chore(seldom(0.07), ops(["create pods/exec", "get pods/log", "delete pods"], 1, 3)))),
    Post("dev-kubeconfig", "kubernetes", "sa", "home", _kubectl, 2.5, (
        Chore(tickets(1.0), spread(KUBE_HANDS, 1, 5)), Chore(seldom(0.1), spread(KUBE_HANDS, 6, 11, 2))), 0.06),
    Post("terraform-github", "github", "app", "runner", base.script_client, 2, (Chore(sprint(0.9), spread(GITHUB_PLAN, 2, 7)),)),
    Post("laptop-pat", "github", "pat", "home", base.git, 4, (
        Chore(tickets(1.3), spread(["git.clone", "git.fetch", "git.push", "pull_request.create", "pull_request.merge"], 1, 3, 2)),
        Chore(seldom(0.07), spread(["repo.create", "public_key.create", "repo.create_actions_secret", "repo.download_zip",
                                    "workflows.created_workflow_run", "hook.create"], 1, 2)),
        Chore(seldom(0.04), ops(["git.clone"], 6, 30)))),
    Post("release-please", "github", "app", "runner", base.script_client, 2, (
        Chore(sprint(0.8), ops(["git.clone", "git.push", "pull_request.create", "protected_branch.policy_override", "release.published"])),)),
    Post("runner-scaler", "github", "app", "nat", base.script_client, 1.5, (
        Chore(tickets(3), ops(["repo.register_self_hosted_runner", "repo.remove_self_hosted_runner"], 1, 3)),)),
    Post("license-audit", "github", "pat", "nat", base.git, 1.3, (
        Chore(window(0.6), ops(["git.clone"], 15, 60)), Chore(seldom(0.05), ops(["repo.download_zip"], 3, 12)))),
    Post("joiner-leaver", "entra", "app", "vendor", base.script_client, 3, (
        Chore(tickets(0.6), then(calls("signin:Microsoft_Graph"), ops(["audit:Add user", "audit:Update user", "audit:Add member to group",
                                 "audit:Change user license"], 1, 3))),
        Chore(tickets(0.3), ops(["audit:Disable account", "audit:Update StsRefreshTokenValidFrom Timestamp",
                                 "audit:Remove member from group", "audit:Delete user"], 1, 3)),
        Chore(quarterly, ops(["audit:Add user", "audit:Add member to group", "audit:Change user license"], 8, 25)))),
    Post("servicedesk-bot", "entra", "app", "vendor", base.script_client, 2.5, (
        Chore(tickets(1.6), spread(["audit:Reset user password", "audit:Update StsRefreshTokenValidFrom Timestamp", "audit:Enable account",
                                    "audit:User registered security info", "audit:Update user", "audit:Add member to group"], 1, 3)),)),
    Post("terraform-azuread", "entra", "app", "runner", base.script_client, 2.5, (
        Chore(sprint(1.0), then(calls("signin:Microsoft_Graph"), spread(ENTRA_PLAN, 2, 6))),)),
    Post("credential-turner", "entra", "app", "nat", base.script_client, 2, (
        Chore(seldom(0.18), ops(["audit:Update application – Certificates and secrets management",
                                 "audit:Add service principal credentials", "audit:Remove service principal credentials"], 1, 3)),)),
    Post("role-broker", "entra", "app", "vendor", base.script_client, 1.5, (
        Chore(tickets(0.6), ops(["audit:Add member to role"])), Chore(tickets(0.5), ops(["audit:Remove member from role"])))),
    Post("hr-workflow", "okta", "service_app", "vendor", base.script_client, 3, (
        Chore(tickets(0.5), ops(["user.lifecycle.create", "user.lifecycle.activate", "application.user_membership.add",
                                 "group.user_membership.add"], 1, 3)),
        Chore(tickets(0.3), ops(["user.lifecycle.suspend", "user.session.clear", "application.user_membership.remove",
                                 "user.lifecycle.deactivate", "user.mfa.factor.deactivate"], 1, 2)))),
    Post("servicedesk-bot", "okta", "api_token", "vendor", base.script_client, 3, (
        Chore(tickets(1.8), spread(["user.account.unlock", "user.account.reset_password", "user.mfa.factor.reset_all",
                                    "user.mfa.factor.deactivate", "user.account.expire_password", "user.session.clear"], 1, 3)),
        Chore(seldom(0.03), ops(["user.account.privilege.grant"])))),
    Post("terraform-okta", "okta", "api_token", "runner", base.script_client, 1.5, (Chore(sprint(0.6), spread(OKTA_PLAN, 2, 6)),)),
    Post("config-connector", "gcp", "sa", "nat", base.gcp, 2.5, (
        Chore(rounds(4), spread(GCP_LOOK, 2, 5)), Chore(sprint(0.8), then(spread(GCP_LOOK, 2, 5), spread(GCP_PLAN, 2, 6))))),
    Post("forseti", "gcp", "sa", "nat", base.gcp, 1.2, (Chore(window(0.8), spread(GCP_LOOK, 8, 10, 12)),), 0.1),
    Post("laptop-key", "gcp", "sa", "home", base.gcp, 2, (
        Chore(tickets(0.9), spread(["google.cloud.bigquery.v2.JobService.InsertJob", "storage.objects.get", "storage.objects.list"], 1, 3, 6)),
        Chore(seldom(0.07), spread(GCP_PLAN + GCP_LOOK, 1, 4)))),
    Post("terraform-vault", "vault", "approle", "runner", _goes("Go-http-client/1.1"), 2, (
        Chore(sprint(0.8), then(ops(["read sys/mounts", "read sys/auth"]), spread(VAULT_PLAN, 2, 6))),)),
    Post("turner", "vault", "approle", "nat", _goes("Go-http-client/1.1"), 1.3, (
        Chore(tickets(0.4), ops(["read secret/data", "update secret/data", "update database/rotate-root"], 1, 2)),)),
    Post("discovery-case", "m365", "app", "vendor", base.script_client, 2, (
        Chore(quarterly, ops(["MailItemsAccessed", "FileDownloaded", "SearchQueryPerformed"], 15, 110)),
        Chore(seldom(0.04), ops(["MailItemsAccessed"], 5, 30)))),
    Post("mailbox-mover", "m365", "app", "vendor", base.script_client, 1.3, (
        Chore(seldom(0.2), ops(["Add-MailboxPermission", "Set-Mailbox", "MailItemsAccessed"], 1, 12)),)),
)  # fmt: skip


# ---- hiring


def hire(
    tenant: Tenant, cast_account: Callable[[], base.Account], products: dict[str, Product], count: int
) -> list[Crew]:
    """So many crews in a tenant's products, each kind once before any comes twice."""
    rng = Random(f"crews/{tenant.seed}")
    left, found = list[Post](), list[Crew]()
    while len(found) < count:
        left = left or [post for post in POSTS if post.product == "aws" or post.product in products]
        post = rng.choices(left, [post.weight for post in left])[0]
        left.remove(post)
        found.append(crew_of(tenant, cast_account(), products, post, len(found)))
    return found


def crew_of(tenant: Tenant, account: base.Account, products: dict[str, Product], post: Post, number: int) -> Crew:
    """One crew, with its identity."""
    rng = Random(f"crew/{tenant.seed}/{number}")
    word = rng.choice(tenant.words)
    where = _seat(tenant, account, post.seat, rng)
    who = (_actor(tenant, account, post, where, f"{word}-{post.title}-{number}", rng) if post.product == "aws"
           else _agent(tenant, products[post.product], post, where, f"{post.title}-{word}-{number}", rng))  # fmt: skip
    home = post.seat == "home"
    product = products.get(post.product)
    chores = tuple(Chore(chore.when, _graph(chore)) for chore in post.chores)
    wanders = rng.choice([0.02, 0.1, 0.35]) if home else 0.0
    return Crew(post.title, who, product, chores, rng, home, wanders, post.seat == "runner", post.refused, rng.random())


def _graph(chore: Chore) -> Callable[[Crew], list[str]]:
    """Recipes are split at spaces: a sign-in's resource has one."""
    return lambda crew: [name.replace("Microsoft_Graph", "Microsoft Graph") for name in chore.what(crew)]


def _seat(tenant: Tenant, account: base.Account, seat: str, rng: Random) -> Place:
    if seat == "runner":
        return tenant.runners if rng.random() < 0.8 else place(rng, aws_operator(tenant.regions[0]), 0)
    if seat == "vendor":
        return place(
            rng, rng.choice([*operators("aws"), "gcp-us", "azure-eu"]), rng.randint(1, 8), rng.choice([0.0, 0.05])
        )
    if seat == "home":
        return place(
            rng, rng.choice(operators("residential", "mobile")), rng.choice([1, 1, 2]), rng.choice([0.0, 0.05])
        )
    if seat == "cluster":
        found = place(rng, "equinix-dc", 0)
        found.pool = [base.private_ip(rng) for _ in range(rng.choice([1, 1, 2]))]
        return found
    return tenant.nat(account, tenant.regions[0])


def _actor(tenant: Tenant, account: base.Account, post: Post, where: Place, name: str, rng: Random) -> Actor:
    prefix = "AIDA" if post.kind == "user" else "AROA"
    regions = [tenant.regions[0]] if rng.random() < 0.6 else list(tenant.regions)
    pid = base.aws_id(rng, prefix, account.id)
    made = Actor(
        name, post.kind, account, regions, pid, where, [(0.0, post.client(rng))], ["GetCallerIdentity"], 1e-9, "office"
    )
    made.phase, made.born = rng.random(), tenant.start - rng.uniform(3, 800) * base.DAY
    if post.kind == "user":
        made.keys = [(0.0, base.aws_id(rng, "AKIA", account.id))]
    made.trusted = {"ci": rng.choice(["github", "gitlab"]), "vendor": base.digits(rng, 12), "irsa": "platform"}.get(
        post.kind, ""
    )
    made.job = "infra"
    return made


def _agent(tenant: Tenant, product: Product, post: Post, where: Place, name: str, rng: Random) -> Agent:
    made = Agent(name, post.kind, where, post.client(rng), list(product.ops[:1]), 1e-9, "office")
    if post.product == "kubernetes":
        space = rng.choice([post.title, "platform", *tenant.words[:4]])
        made.name = f"system:serviceaccount:{space}:{name}"
        pod = f"{name}-{base.hexa(rng, 9)}-{base.pick_chars(rng, 'bcdfghjklmnpqrstvwxz2456789', 5)}"
        made.ids = {"uid": base.uuid4(rng), "ns": space, "pod": pod, "pod_uid": base.uuid4(rng)}
    elif post.product == "github":
        made.name = f"{name}[bot]" if post.kind == "app" else name
        made.ids = {"actor_id": rng.randint(10**6, 2 * 10**8), "token": base.hexa(rng, 40),
                    "token_id": rng.randint(10**8, 3 * 10**9), "session": rng.randint(10**8, 10**9)}  # fmt: skip
    elif post.product == "okta":
        made.ids = {
            "id": base.okta_id(rng, "00u" if post.kind == "api_token" else "0oa"),
            "token": base.okta_id(rng, "00T"),
        }
    elif post.product == "gcp":
        project = rng.choice(sorted(product.projects))  # type: ignore[attr-defined]
        made.name = f"{name}@{project}.iam.gserviceaccount.com"
        made.ids = {
            "project": project,
            "unique": base.digits(rng, 21),
            "key": base.hexa(rng, 40) if post.seat == "home" else "",
        }
    elif post.product == "vault":
        made.name = f"approle-{name}"
        made.ids = {"entity": base.uuid4(rng), "token": "hmac-sha256:" + base.hexa(rng, 64),
                    "accessor": "hmac-sha256:" + base.hexa(rng, 64), "policies": ["default", post.title]}  # fmt: skip
    else:
        made.ids = {key: base.uuid4(rng) for key in ("app", "sp", "object", "key")}
        made.ids["credential"] = rng.choice(["clientSecret", "clientAssertion"])
    made.phase = rng.random()
    product.agents.append(made)
    return made
