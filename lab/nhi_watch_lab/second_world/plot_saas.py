# ruff: noqa: E501
"""Techniques against the other products, in the same table form: product, kinds of victims."""
from __future__ import annotations

from typing import NamedTuple


class SaasTechnique(NamedTuple):
    product: str
    origins: str
    kinds: str
    recon: list[str]
    core: list[str]
    loop: list[str]
    low: int
    high: int
    over: dict[str, object]


def _ops(text: str) -> list[str]:
    return [op.strip() for op in text.split(",") if op.strip()]


_TABLE = """
github-mass-clone|github|ei|pat oauth app||git.clone|git.clone|8|60
github-zip-exfiltration|github|e|oauth pat||repo.download_zip|repo.download_zip|3|30
github-workflow-secret-theft|github|ei|pat app|git.clone|git.push, workflows.created_workflow_run, workflows.completed_workflow_run, workflows.delete_workflow_run|git.push, workflows.created_workflow_run, workflows.delete_workflow_run|0|8
github-deploy-key-backdoor|github|ei|pat oauth||public_key.create|git.push|0|3
github-visibility-change|github|e|pat oauth||repo.access|repo.access|0|4
github-self-hosted-runner|github|ei|pat app||repo.register_self_hosted_runner, workflows.created_workflow_run||0|1
github-branch-protection-removal|github|ei|pat oauth app||protected_branch.destroy, git.push, protected_branch.create||0|1
github-webhook-exfiltration|github|ei|pat oauth||hook.create||0|1
github-secret-overwrite|github|ei|pat app||org.update_actions_secret, repo.update_actions_secret|repo.update_actions_secret|0|5
okta-api-token-abuse|okta|ei|api_token||user.mfa.factor.reset_all, user.account.reset_password|user.account.reset_password|0|6
okta-privilege-grant|okta|ei|api_token service_app||user.account.privilege.grant, group.user_membership.add||0|1
okta-idp-backdoor|okta|e|api_token||system.idp.lifecycle.create, policy.rule.update||0|1
okta-service-app-token-theft|okta|e|service_app||app.oauth2.token.grant.access_token|app.oauth2.token.grant.access_token, application.user_membership.add|2|15
okta-oauth-client-persistence|okta|ei|api_token||app.oauth2.client.lifecycle.create, system.api_token.create||0|1
okta-network-zone-opening|okta|i|api_token service_app||zone.update, policy.lifecycle.update||0|1
entra-stolen-client-secret|entra|e|app||signin:Microsoft Graph|signin:Microsoft Graph, signin:Azure Key Vault, signin:Windows Azure Service Management API|1|20
entra-app-role-escalation|entra|ei|app|signin:Microsoft Graph|audit:Add app role assignment to service principal, audit:Add member to role||0|1
entra-credential-on-other-app|entra|ei|app|signin:Microsoft Graph|audit:Add service principal credentials|audit:Add service principal credentials|0|3
entra-federation-backdoor|entra|ei|app|signin:Windows Azure Active Directory|audit:Set federation settings on domain||0|1
entra-federated-credential|entra|i|app|signin:Microsoft Graph|audit:Add federated identity credential||0|1
entra-guest-persistence|entra|ei|app|signin:Microsoft Graph|audit:Invite external user, audit:Add member to role||0|1
entra-azure-pivot|entra|i|app||signin:Windows Azure Service Management API, signin:Azure Key Vault|signin:Azure Key Vault, signin:Azure Storage|1|10
m365-mail-collection|m365|ei|app||MailItemsAccessed|MailItemsAccessed|8|60
m365-file-exfiltration|m365|ei|app||FileDownloaded|FileDownloaded|8|60
m365-inbox-rule|m365|ei|app|MailItemsAccessed|New-InboxRule, Set-Mailbox||0|1
m365-internal-phishing|m365|e|app||Send|Send|6|50
m365-mailbox-permission|m365|i|app||Add-MailboxPermission|MailItemsAccessed|1|10
gcp-key-creation|gcp|ei|sa|google.iam.admin.v1.ListServiceAccounts|google.iam.admin.v1.CreateServiceAccountKey|google.iam.admin.v1.CreateServiceAccountKey|0|4
gcp-impersonation-chain|gcp|ei|sa|google.iam.admin.v1.ListServiceAccounts, GetIamPolicy|GenerateAccessToken, SignJwt|GenerateAccessToken|1|12
gcp-bucket-exfiltration|gcp|ei|sa|storage.buckets.list|storage.objects.list, storage.objects.get|storage.objects.get|6|60
gcp-secret-harvest|gcp|ei|sa|google.cloud.secretmanager.v1.SecretManagerService.ListSecrets|google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion|google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion|3|25
gcp-iam-policy-backdoor|gcp|ei|sa|GetIamPolicy|SetIamPolicy||0|1
gcp-log-sink-removal|gcp|ei|sa|GetProject|google.logging.v2.ConfigServiceV2.DeleteSink||0|1
gcp-bigquery-exfiltration|gcp|ei|sa||google.cloud.bigquery.v2.JobService.InsertJob, google.cloud.bigquery.v2.TableDataService.List|google.cloud.bigquery.v2.JobService.InsertJob, google.cloud.bigquery.v2.TableDataService.List|3|30
gcp-instance-metadata-takeover|gcp|ei|sa|v1.compute.instances.list|v1.compute.instances.setMetadata, v1.compute.projects.setCommonInstanceMetadata||0|1
gcp-crypto-mining|gcp|e|sa|GetProject, v1.compute.instances.list|v1.compute.firewalls.insert, v1.compute.instances.insert|v1.compute.instances.insert|1|12
gcp-function-overwrite|gcp|i|sa|GetProject|google.cloud.functions.v1.CloudFunctionsService.UpdateFunction||0|1
k8s-secret-dump|kubernetes|ei|sa|create selfsubjectrulesreviews|list secrets, get secrets|get secrets|3|30
k8s-exec|kubernetes|ei|sa|list pods|create pods/exec|create pods/exec|0|6
k8s-privileged-pod|kubernetes|ei|sa|create selfsubjectaccessreviews, list nodes|create pods|create pods|0|2
k8s-token-request|kubernetes|ei|sa|list serviceaccounts|create serviceaccounts/token|create serviceaccounts/token|0|5
k8s-rbac-escalation|kubernetes|ei|sa|create selfsubjectrulesreviews|create clusterrolebindings||0|1
k8s-token-outside-cluster|kubernetes|e|sa|create selfsubjectrulesreviews|list pods, list secrets|list configmaps, list services, list nodes, get secrets|2|25
k8s-cronjob-persistence|kubernetes|i|sa|list namespaces|create cronjobs||0|1
k8s-daemonset-persistence|kubernetes|ei|sa|list nodes|create daemonsets||0|1
k8s-node-proxy|kubernetes|i|sa|list nodes|get nodes/proxy|get nodes/proxy|1|10
k8s-event-deletion|kubernetes|i|sa||delete events|delete events|0|6
k8s-csr-persistence|kubernetes|ei|sa||create certificatesigningrequests||0|1
k8s-webhook-hijack|kubernetes|i|sa||patch mutatingwebhookconfigurations||0|1
vault-secret-sweep|vault|ei|approle|read sys/mounts, list secret/metadata|read secret/data|read secret/data|4|40
vault-policy-tampering|vault|ei|approle|read sys/auth|update sys/policies/acl, update auth/token/create||0|1
vault-database-credentials|vault|i|approle||read database/creds|read database/creds|1|12
snowflake-table-exfiltration|snowflake|ei|service|LOGIN, SHOW|CREATE_STAGE, UNLOAD, GET_FILES|UNLOAD, GET_FILES|2|20
snowflake-user-persistence|snowflake|ei|service|LOGIN, SHOW_USERS|CREATE_USER, GRANT||0|1
snowflake-key-persistence|snowflake|i|service|SHOW_USERS|ALTER_USER||0|1
"""
# details that make a step hostile where the operation alone is ordinary
OVERS: dict[str, dict[str, object]] = {
    "github-visibility-change": {"visibility": "public", "public_repo": True}, "okta-privilege-grant": {"group": "Okta-Admins"}, "entra-app-role-escalation": {"role": "RoleManagement.ReadWrite.Directory"},
    "gcp-iam-policy-backdoor": {"role": "roles/owner"}, "k8s-privileged-pod": {"privileged": True}, "k8s-daemonset-persistence": {"privileged": True}, "k8s-rbac-escalation": {"role": "cluster-admin"}}


def _parse() -> dict[str, SaasTechnique]:
    found = {}
    for line in _TABLE.strip().splitlines():
        slug, product, origins, kinds, recon, core, loop, low, high = line.split("|")
        found[slug] = SaasTechnique(product, origins, kinds, _ops(recon), _ops(core), _ops(loop), int(low), int(high), OVERS.get(slug, {}))
    return found


SAAS: dict[str, SaasTechnique] = _parse()
