"""Trades of machines in the other products (same columns as for AWS)."""
from __future__ import annotations

from typing import Any, Callable, List, Tuple

from .model import Kind

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
