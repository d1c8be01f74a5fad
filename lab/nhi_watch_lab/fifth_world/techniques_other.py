"""Techniques against identities of the other products."""
from __future__ import annotations

from typing import List

from .steps import Technique, s, t

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
