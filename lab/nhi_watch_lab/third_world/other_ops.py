"""Operations and jobs outside AWS. `key | name as logged | kind | params`, prefix = product."""
from typing import Dict, List

from .aws_jobs import Job, parse
from .model import Op

PRODUCTS = {"k8s": "kubernetes", "gh": "github", "okta": "okta", "entra": "entra", "m365": "m365", "gcp": "gcp",
            "vault": "vault"}
TEXT = r"""
gh:git.clone | git.clone | R | {"repo":"$repo"}
gh:git.fetch | git.fetch | R | {"repo":"$repo"}
gh:git.push | git.push | W | {"repo":"$repo"}
gh:pr.create | pull_request.create | W | {"repo":"$repo","pull_request_title":"Update $service","pull_request_id":$big}
gh:pr.merge | pull_request.merge | W | {"repo":"$repo","pull_request_id":$big}
gh:workflow.created | workflows.created_workflow_run | W | {"repo":"$repo","event":"push","name":"deploy","head_branch":"main","head_sha":"$h40","workflow_id":$big,"workflow_run_id":$big,"run_number":$num}
gh:workflow.completed | workflows.completed_workflow_run | W | {"repo":"$repo","event":"push","name":"deploy","head_branch":"main","head_sha":"$h40","workflow_id":$big,"workflow_run_id":$big,"run_number":$num,"conclusion":"success"}
gh:workflow.job | workflows.prepared_workflow_job | W | {"repo":"$repo","job_name":"build","environment_name":"production","is_hosted_runner":true,"secrets_passed":["AWS_ROLE","NPM_TOKEN"]}
gh:workflow.delete_run | workflows.delete_workflow_run | W | {"repo":"$repo","workflow_run_id":$big}
gh:workflow.dispatch | workflows.created_workflow_run | W | {"repo":"$repo","event":"workflow_dispatch","name":"ad-hoc","head_branch":"$newname","head_sha":"$h40","workflow_id":$big,"workflow_run_id":$big,"run_number":1}
gh:repo.download_zip | repo.download_zip | R | {"repo":"$repo"}
gh:repo.create | repo.create | W | {"repo":"$org/$newname","visibility":"private"}
gh:repo.access | repo.access | W | {"repo":"$repo","visibility":"public","previous_visibility":"private"}
gh:repo.add_member | repo.add_member | W | {"repo":"$repo","user":"$ghuser"}
gh:repo.transfer | repo.transfer_start | W | {"repo":"$repo"}
gh:secret.create | repo.create_actions_secret | W | {"repo":"$repo","key":"$newname"}
gh:secret.org | org.update_actions_secret | W | {"key":"$newname","visibility":"all"}
gh:secret.alerts | secret_scanning_alert.resolve | W | {"repo":"$repo","number":$num}
gh:runner.register | repo.register_self_hosted_runner | W | {"repo":"$repo","runner_name":"$newname","runner_id":$num}
gh:runner.remove | org.remove_self_hosted_runner | W | {"runner_name":"$newname"}
gh:key.create | public_key.create | W | {"repo":"$repo","title":"$newname","key":"$h40","read_only":"false"}
gh:hook.create | hook.create | W | {"repo":"$repo","hook_id":$big,"active":true,"events":["push","secret_scanning_alert"],"config":{"url":"https://$newname.$domain/hook","content_type":"json"}}
gh:branch.destroy | protected_branch.destroy | W | {"repo":"$repo","name":"main"}
gh:branch.override | protected_branch.policy_override | W | {"repo":"$repo","branch":"refs/heads/main","overridden_codes":["review_policy_not_satisfied"]}
gh:scanning.off | repository_secret_scanning.disable | W | {"repo":"$repo"}
gh:pushprotection.off | repository_secret_scanning_push_protection.disable | W | {"repo":"$repo"}
gh:org.add_member | org.add_member | W | {"user":"$ghuser","permission":"read"}
gh:org.invite | org.invite_member | W | {"user":"$ghuser"}
gh:team.add | team.add_member | W | {"team":"$org/platform","user":"$ghuser"}
gh:app.install | integration_installation.create | W | {"integration":"$newname","repository_selection":"all"}
gh:audit.export | org.audit_log_export | R | {}
gh:env.bypass | environment.update_protection_rule | W | {"repo":"$repo","environment_name":"production","can_admins_bypass":true}
okta:session.start | user.session.start | W | {"target":"session"}
okta:sso | user.authentication.sso | R | {"target":"app"}
okta:mfa | user.authentication.auth_via_mfa | R | {"target":"factor"}
okta:user.create | user.lifecycle.create | W | {"target":"user"}
okta:user.update | user.account.update_profile | W | {"target":"user"}
okta:user.deactivate | user.lifecycle.deactivate | W | {"target":"user"}
okta:user.unlock | user.account.unlock | W | {"target":"user"}
okta:user.reset_password | user.account.reset_password | W | {"target":"user"}
okta:user.reset_factors | user.mfa.factor.reset_all | W | {"target":"user"}
okta:app.assign | application.user_membership.add | W | {"target":"user","app":true}
okta:app.unassign | application.user_membership.remove | W | {"target":"user","app":true}
okta:app.push | application.provision.user.push_profile | W | {"target":"user","app":true}
okta:app.import | app.user_management.import.csv.line.success | W | {"target":"user"}
okta:app.create | application.lifecycle.create | W | {"target":"app"}
okta:app.update | application.lifecycle.update | W | {"target":"app"}
okta:app.secret | app.oauth2.client.lifecycle.new_client_secret | W | {"target":"app"}
okta:group.add | group.user_membership.add | W | {"target":"user","group":true}
okta:group.remove | group.user_membership.remove | W | {"target":"user","group":true}
okta:admin.grant | user.account.privilege.grant | W | {"target":"user"}
okta:group.admin | group.privilege.grant | W | {"target":"group"}
okta:token.create | system.api_token.create | W | {"target":"token"}
okta:token.revoke | system.api_token.revoke | W | {"target":"token"}
okta:grant | app.oauth2.token.grant.access_token | R | {"target":"grant"}
okta:grant.scope | app.oauth2.as.consent.grant | W | {"target":"grant"}
okta:idp.create | system.idp.lifecycle.create | W | {"target":"idp"}
okta:policy.update | policy.rule.update | W | {"target":"policy"}
okta:zone.delete | zone.delete | W | {"target":"policy"}
okta:rate | system.org.rate_limit.warning | R | {"target":"url"}
okta:logs.export | user.session.access_admin_app | R | {"target":"app"}
entra:sp-signin | Sign-in activity | R | {"log":"ServicePrincipalSignInLogs"}
entra:mi-signin | Sign-in activity | R | {"log":"ManagedIdentitySignInLogs"}
entra:user-signin | Sign-in activity | R | {"log":"SignInLogs"}
entra:add-secret | Update application – Certificates and secrets management | W | {"category":"ApplicationManagement","target":"Application","property":"KeyDescription"}
entra:add-sp-cred | Add service principal credentials | W | {"category":"ApplicationManagement","target":"ServicePrincipal","property":"KeyDescription"}
entra:add-app | Add application | W | {"category":"ApplicationManagement","target":"Application","property":"DisplayName"}
entra:add-sp | Add service principal | W | {"category":"ApplicationManagement","target":"ServicePrincipal","property":"DisplayName"}
entra:update-app | Update application | W | {"category":"ApplicationManagement","target":"Application","property":"RequiredResourceAccess"}
entra:add-owner | Add owner to application | W | {"category":"ApplicationManagement","target":"Application","property":"Owner"}
entra:consent | Consent to application | W | {"category":"ApplicationManagement","target":"ServicePrincipal","property":"ConsentContext.IsAdminConsent"}
entra:add-approle | Add app role assignment to service principal | W | {"category":"ApplicationManagement","target":"ServicePrincipal","property":"AppRole.Value"}
entra:delegated | Add delegated permission grant | W | {"category":"ApplicationManagement","target":"ServicePrincipal","property":"DelegatedPermissionGrant.Scope"}
entra:add-fic | Update application | W | {"category":"ApplicationManagement","target":"Application","property":"FederatedIdentityCredentials"}
entra:add-role-member | Add member to role | W | {"category":"RoleManagement","target":"User","property":"Role.DisplayName"}
entra:add-user | Add user | W | {"category":"UserManagement","target":"User","property":"UserPrincipalName"}
entra:update-user | Update user | W | {"category":"UserManagement","target":"User","property":"Department"}
entra:disable-user | Disable account | W | {"category":"UserManagement","target":"User","property":"AccountEnabled"}
entra:reset-password | Reset user password | W | {"category":"UserManagement","target":"User","property":"Password"}
entra:add-group-member | Add member to group | W | {"category":"GroupManagement","target":"User","property":"Group.DisplayName"}
entra:remove-group-member | Remove member from group | W | {"category":"GroupManagement","target":"User","property":"Group.DisplayName"}
entra:update-ca | Update conditional access policy | W | {"category":"Policy","target":"Policy","property":"ConditionalAccessPolicy"}
m365:mail.read | MailItemsAccessed | R | {"type":50,"workload":"Exchange"}
m365:mail.send | Send | W | {"type":2,"workload":"Exchange"}
m365:mail.rule | New-InboxRule | W | {"type":1,"workload":"Exchange"}
m365:mail.permission | Add-MailboxPermission | W | {"type":1,"workload":"Exchange"}
m365:mail.policy | New-ApplicationAccessPolicy | W | {"type":1,"workload":"Exchange"}
m365:file.read | FileAccessed | R | {"type":6,"workload":"SharePoint"}
m365:file.download | FileDownloaded | R | {"type":6,"workload":"SharePoint"}
m365:file.upload | FileUploaded | W | {"type":6,"workload":"SharePoint"}
m365:file.modify | FileModified | W | {"type":6,"workload":"OneDrive"}
m365:file.search | SearchQueryPerformed | R | {"type":6,"workload":"SharePoint"}
m365:link.create | AnonymousLinkCreated | W | {"type":14,"workload":"SharePoint"}
m365:site.admin | SiteCollectionAdminAdded | W | {"type":14,"workload":"SharePoint"}
m365:teams.read | MessagesExported | R | {"type":25,"workload":"MicrosoftTeams"}
gcp:object.get | storage.objects.get | R | {"service":"storage.googleapis.com","resource":"projects/_/buckets/$gcsbucket/objects/$prefix/$h8.parquet","type":"gcs_bucket"}
gcp:object.list | storage.objects.list | R | {"service":"storage.googleapis.com","resource":"projects/_/buckets/$gcsbucket","type":"gcs_bucket"}
gcp:object.create | storage.objects.create | W | {"service":"storage.googleapis.com","resource":"projects/_/buckets/$gcsbucket/objects/$prefix/$h8.parquet","type":"gcs_bucket"}
gcp:bucket.list | storage.buckets.list | R | {"service":"storage.googleapis.com","resource":"projects/$project","type":"gcs_bucket"}
gcp:bucket.iam | storage.setIamPermissions | W | {"service":"storage.googleapis.com","resource":"projects/_/buckets/$gcsbucket","type":"gcs_bucket"}
gcp:query | google.cloud.bigquery.v2.JobService.InsertJob | W | {"service":"bigquery.googleapis.com","resource":"projects/$project/jobs/job_$h17","type":"bigquery_project"}
gcp:table.read | google.cloud.bigquery.v2.TableDataService.List | R | {"service":"bigquery.googleapis.com","resource":"projects/$project/datasets/$dataset/tables/$table","type":"bigquery_dataset"}
gcp:table.extract | google.cloud.bigquery.v2.JobService.InsertJob | W | {"service":"bigquery.googleapis.com","resource":"projects/$project/jobs/bqextract_$h17","type":"bigquery_project"}
gcp:dataset.list | google.cloud.bigquery.v2.DatasetService.ListDatasets | R | {"service":"bigquery.googleapis.com","resource":"projects/$project","type":"bigquery_project"}
gcp:secret.access | google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion | R | {"service":"secretmanager.googleapis.com","resource":"projects/$big/secrets/$secret/versions/latest","type":"audited_resource"}
gcp:secret.list | google.cloud.secretmanager.v1.SecretManagerService.ListSecrets | R | {"service":"secretmanager.googleapis.com","resource":"projects/$project","type":"audited_resource"}
gcp:sa.list | google.iam.admin.v1.ListServiceAccounts | R | {"service":"iam.googleapis.com","resource":"projects/$project","type":"service_account"}
gcp:sa.key | google.iam.admin.v1.CreateServiceAccountKey | W | {"service":"iam.googleapis.com","resource":"projects/-/serviceAccounts/$big","type":"service_account"}
gcp:sa.create | google.iam.admin.v1.CreateServiceAccount | W | {"service":"iam.googleapis.com","resource":"projects/$project","type":"service_account"}
gcp:sa.token | GenerateAccessToken | R | {"service":"iamcredentials.googleapis.com","resource":"projects/-/serviceAccounts/$big","type":"service_account"}
gcp:iam.get | GetIamPolicy | R | {"service":"cloudresourcemanager.googleapis.com","resource":"projects/$project","type":"project"}
gcp:iam.set | SetIamPolicy | W | {"service":"cloudresourcemanager.googleapis.com","resource":"projects/$project","type":"project"}
gcp:project.list | SearchProjects | R | {"service":"cloudresourcemanager.googleapis.com","resource":"organizations/$big","type":"organization"}
gcp:vm.list | v1.compute.instances.aggregatedList | R | {"service":"compute.googleapis.com","resource":"projects/$project/global/instances","type":"gce_instance"}
gcp:vm.insert | v1.compute.instances.insert | W | {"service":"compute.googleapis.com","resource":"projects/$project/zones/us-central1-a/instances/$newname","type":"gce_instance"}
gcp:vm.metadata | v1.compute.instances.setMetadata | W | {"service":"compute.googleapis.com","resource":"projects/$project/zones/us-central1-a/instances/$service","type":"gce_instance"}
gcp:firewall.insert | v1.compute.firewalls.insert | W | {"service":"compute.googleapis.com","resource":"projects/$project/global/firewalls/$newname","type":"gce_firewall_rule"}
gcp:sink.delete | google.logging.v2.ConfigServiceV2.DeleteSink | W | {"service":"logging.googleapis.com","resource":"projects/$project/sinks/security","type":"logging_sink"}
gcp:run.deploy | google.cloud.run.v2.Services.UpdateService | W | {"service":"run.googleapis.com","resource":"projects/$project/locations/us-central1/services/$service","type":"cloud_run_revision"}
gcp:api.enable | google.api.serviceusage.v1.ServiceUsage.EnableService | W | {"service":"serviceusage.googleapis.com","resource":"projects/$big/services/aiplatform.googleapis.com","type":"audited_resource"}
gcp:predict | google.cloud.aiplatform.v1.PredictionService.GenerateContent | R | {"service":"aiplatform.googleapis.com","resource":"projects/$project/locations/us-central1/publishers/google/models/gemini-2.5-pro","type":"audited_resource"}
vault:login | auth/$mount/login | W | {"operation":"update","mount":"$mount"}
vault:kv.read | secret/data/$service/$param | R | {"operation":"read","mount":"kv"}
vault:kv.list | secret/metadata/$service/ | R | {"operation":"list","mount":"kv"}
vault:kv.root | secret/metadata/ | R | {"operation":"list","mount":"kv"}
vault:kv.write | secret/data/$service/$param | W | {"operation":"update","mount":"kv"}
vault:db.creds | database/creds/$service-ro | R | {"operation":"read","mount":"database"}
vault:aws.creds | aws/creds/$service-deploy | R | {"operation":"read","mount":"aws"}
vault:aws.sts | aws/sts/$service-admin | W | {"operation":"update","mount":"aws"}
vault:pki.issue | pki/issue/$service | W | {"operation":"update","mount":"pki"}
vault:transit | transit/decrypt/$service | W | {"operation":"update","mount":"transit"}
vault:token.renew | auth/token/renew-self | W | {"operation":"update","mount":"token"}
vault:token.self | auth/token/lookup-self | R | {"operation":"read","mount":"token"}
vault:token.create | auth/token/create | W | {"operation":"update","mount":"token"}
vault:lease.renew | sys/leases/renew | W | {"operation":"update","mount":"system"}
vault:mounts | sys/mounts | R | {"operation":"read","mount":"system"}
vault:policies | sys/policies/acl | R | {"operation":"list","mount":"system"}
vault:policy.write | sys/policies/acl/$newname | W | {"operation":"update","mount":"system"}
vault:audit.disable | sys/audit/file | W | {"operation":"delete","mount":"system"}
vault:auth.list | sys/auth | R | {"operation":"read","mount":"system"}
vault:secret-id | auth/approle/role/$service/secret-id | W | {"operation":"update","mount":"approle"}
vault:capabilities | sys/capabilities-self | W | {"operation":"update","mount":"system"}
"""
JOBS_TEXT = """
k8s-sa app narrow cron 3 2 k8s-go | k8s:get/configmaps*3 k8s:list/pods k8s:get/endpoints | k8s:watch/configmaps k8s:get/secrets k8s:list/services | 6
k8s-sa leader narrow cron 14 2 k8s-go | k8s:get/leases*5 k8s:update/leases*5 | k8s:create/events k8s:get/configmaps k8s:list/pods | 3
k8s-sa prometheus wide cron 8 3 k8s-go | k8s:list/pods*3 k8s:list/nodes k8s:list/endpoints*2 k8s:watch/services | k8s:list/ingresses k8s:get/nodes.proxy k8s:list/namespaces | 0.8
k8s-sa argocd-application-controller admin release 4 8 argocd | k8s:get/deployments*3 k8s:patch/deployments*2 k8s:patch/services k8s:patch/configmaps k8s:list/pods k8s:get/secrets | k8s:create/deployments k8s:patch/cronjobs k8s:create/rolebindings k8s:delete/pods k8s:create/clusterrolebindings k8s:create/daemonsets k8s:patch/secrets k8s:create/serviceaccounts k8s:create/cronjobs k8s:create/mutatingwebhookconfigurations | 0.8
k8s-sa cert-manager narrow bursty 4 3 k8s-go | k8s:get/secrets*3 k8s:update/secrets k8s:list/ingresses k8s:update/leases*2 | k8s:create/secrets k8s:create/events k8s:list/secrets | 0.8
k8s-sa ingress-nginx narrow cron 8 2 k8s-go | k8s:list/ingresses*2 k8s:update/leases*3 k8s:get/endpoints | k8s:list/secrets k8s:create/events k8s:get/configmaps | 0.8
k8s-sa external-secrets wide cron 8 3 k8s-go | k8s:get/secrets*4 k8s:update/secrets*2 k8s:create/serviceaccounts.token | k8s:create/secrets k8s:list/secrets k8s:list/namespaces | 0.7
k8s-sa ci-deployer wide release 1.5 7 kubectl,helm | k8s:get/deployments*2 k8s:patch/deployments*2 k8s:get/secrets k8s:list/pods k8s:create/jobs*0.5 | k8s:create/secrets k8s:create/pods.exec k8s:get/pods.log k8s:patch/configmaps k8s:delete/jobs k8s:create/rolebindings | 1
k8s-sa velero wide daily 1 9 k8s-go | k8s:list/pods k8s:list/secrets k8s:list/configmaps k8s:list/deployments k8s:list/namespaces | k8s:create/pods.exec k8s:list/nodes | 0.4
k8s-sa batch-runner narrow daily 2 4 k8s-py | k8s:create/jobs k8s:get/jobs*2 k8s:list/pods k8s:get/pods.log | k8s:delete/jobs k8s:delete/pods k8s:create/pods | 1
k8s-node kubelet narrow cron 5 2 kubelet | k8s:patch/nodes.status*4 k8s:get/pods*2 k8s:update/leases*4 k8s:get/secrets k8s:create/serviceaccounts.token | k8s:create/events k8s:get/configmaps k8s:patch/pods.status | 2
gh-app renovate[bot] wide daily 3 5 octokit | gh:git.fetch*2 gh:git.push*2 gh:pr.create | gh:pr.merge gh:git.clone | 0.8
gh-app github-actions[bot] wide diurnal 8 3 octokit | gh:git.fetch*3 gh:workflow.created*2 gh:workflow.job*2 gh:workflow.completed*2 | gh:git.push gh:pr.create gh:workflow.delete_run | 1.5
gh-app argocd-reader narrow cron 12 1 git | gh:git.fetch*9 gh:git.clone | gh:git.clone | 0.8
gh-app quality[bot] narrow diurnal 4 2 axios,go-http | gh:git.clone*2 gh:git.fetch | gh:hook.create gh:secret.alerts gh:repo.download_zip | 1
gh-pat ci-user wide diurnal 3 2 git,ghcli | gh:git.clone*3 gh:git.fetch*3 gh:git.push | gh:pr.create gh:workflow.dispatch gh:secret.create gh:repo.download_zip | 1.5
gh-pat release-bot wide release 1 3 git,pygithub | gh:git.clone gh:git.push*2 gh:pr.merge | gh:branch.override gh:repo.create gh:workflow.dispatch gh:key.create | 1
gh-pat mirror narrow daily 1 6 git | gh:git.clone*4 gh:git.fetch | gh:repo.download_zip gh:git.push | 0.6
gh-key deploy-key narrow bursty 2 1 git | gh:git.fetch*4 gh:git.clone | gh:git.push | 1.5
gh-pat terraform-github admin release 0.5 5 terraform | gh:team.add gh:repo.add_member gh:secret.create | gh:repo.create gh:hook.create gh:branch.destroy gh:secret.org gh:key.create gh:env.bypass gh:runner.register gh:app.install | 0.5
okta-token scim narrow bursty 3 2 go-http,okhttp | okta:user.update*3 okta:app.push*2 okta:group.add | okta:user.create okta:user.deactivate okta:group.remove | 1
okta-app hr-sync wide daily 2 6 okta-py,okhttp | okta:grant okta:user.update*4 okta:group.add*2 okta:user.create*0.4 okta:user.deactivate*0.3 | okta:app.assign okta:user.reset_password okta:app.import okta:app.unassign | 1
okta-token log-reader narrow cron 3 1 requests,go-http | okta:rate | okta:logs.export | 0.8
okta-app access-tool wide diurnal 2 3 okta-sdk,axios | okta:grant okta:group.add*2 okta:group.remove*2 okta:app.assign | okta:user.unlock okta:user.reset_factors okta:admin.grant okta:app.unassign | 1
okta-token terraform-okta admin release 0.4 5 okta-sdk | okta:app.update*2 okta:app.assign okta:policy.update | okta:app.create okta:group.admin okta:app.secret okta:token.create okta:idp.create okta:zone.delete okta:grant.scope | 0.6
okta-app reporting narrow daily 1 2 okta-py | okta:grant*2 okta:rate | okta:logs.export okta:app.update | 0.7
entra-sp graph-sync narrow cron 5 1 sdk | entra:sp-signin | entra:update-user entra:add-group-member | 4
entra-sp provisioning wide daily 2 5 sdk | entra:sp-signin*2 entra:update-user*3 entra:add-group-member*2 entra:remove-group-member | entra:add-user entra:disable-user entra:add-approle | 1
entra-sp devops wide release 1.5 3 sdk | entra:sp-signin*3 | entra:update-app entra:add-secret entra:add-sp entra:add-owner | 1.5
entra-sp terraform-azure admin release 0.6 5 sdk | entra:sp-signin*2 entra:update-app entra:add-app*0.5 entra:add-sp*0.5 | entra:add-approle entra:add-secret entra:add-role-member entra:consent entra:add-owner entra:add-sp-cred entra:add-fic entra:update-ca entra:delegated | 0.5
entra-mi function-app narrow steady 4 1 sdk | entra:mi-signin | entra:mi-signin | 2.5
m365-app mail-archiver narrow cron 5 2 sdk | m365:mail.read | m365:file.upload | 0.8
m365-app crm-connector narrow diurnal 5 2 sdk | m365:mail.read*3 m365:mail.send | m365:file.read m365:mail.rule | 1
m365-app dlp wide daily 2 9 sdk | m365:file.read*6 m365:mail.read*2 | m365:file.download m365:file.search m365:teams.read | 0.8
m365-app doc-sync narrow diurnal 4 2 sdk | m365:file.read*2 m365:file.upload m365:file.modify | m365:file.download m365:link.create | 1.5
m365-app backup-365 wide daily 1 14 sdk | m365:file.download*6 m365:mail.read*4 | m365:file.search m365:teams.read m365:site.admin m365:mail.permission m365:mail.policy | 0.6
gcp-sa etl narrow daily 2 7 gcp-py,gcp-java | gcp:query*3 gcp:object.list gcp:object.get*3 gcp:object.create*2 | gcp:table.read gcp:dataset.list gcp:secret.access gcp:table.extract | 2.5
gcp-sa app narrow diurnal 4 1 gcp-go,gcp-java,gcp-py | gcp:object.get*4 gcp:secret.access gcp:object.create | gcp:query gcp:predict gcp:object.list | 3
gcp-sa bi narrow diurnal 3 3 gcp-java | gcp:query*4 gcp:table.read | gcp:dataset.list gcp:object.get | 1
gcp-sa terraform-gcp admin release 0.5 9 tf-google | gcp:iam.get*3 gcp:sa.list gcp:vm.list gcp:bucket.list gcp:run.deploy*0.5 gcp:secret.list | gcp:iam.set gcp:sa.create gcp:sa.key gcp:bucket.iam gcp:vm.insert gcp:firewall.insert gcp:api.enable gcp:sink.delete | 0.6
gcp-sa ci wide release 1.5 3 gcloud | gcp:run.deploy*2 gcp:object.create gcp:sa.token | gcp:secret.access gcp:vm.metadata gcp:vm.list gcp:api.enable | 1
gcp-sa posture wide loudish 1 1 gcp-go,gcp-py | gcp:iam.get*4 gcp:bucket.list*2 gcp:sa.list*2 gcp:vm.list*2 gcp:secret.list gcp:dataset.list gcp:project.list | gcp:table.read gcp:object.list | 0.4
vault-role app narrow cron 3 2 vault-agent,go-http | vault:kv.read*3 vault:token.renew vault:db.creds | vault:lease.renew vault:token.self vault:kv.list vault:transit | 5
vault-role ci wide release 1.5 4 vault-agent,curl | vault:kv.read*3 vault:aws.creds vault:token.self | vault:secret-id vault:kv.write vault:kv.list vault:aws.sts | 1.5
vault-role pki narrow bursty 3 1 vault-agent | vault:pki.issue vault:token.renew | vault:token.self | 1
vault-role operator admin daily 1 4 go-http | vault:mounts vault:policies vault:auth.list vault:token.renew | vault:policy.write vault:token.create vault:kv.list vault:secret-id vault:capabilities vault:kv.root vault:audit.disable | 0.5
"""
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
KINDS = ("pods pods.exec pods.log pods.status configmaps secrets services endpoints namespaces nodes nodes.status nodes.proxy "
         "serviceaccounts serviceaccounts.token events deployments daemonsets statefulsets cronjobs jobs roles rolebindings "
         "clusterroles clusterrolebindings ingresses leases selfsubjectrulesreviews selfsubjectaccessreviews "
         "validatingwebhookconfigurations mutatingwebhookconfigurations").split()


def catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in TEXT.strip().splitlines():
        key, name, kind, params = line.split(" | ", 3)
        prefix = key.partition(":")[0]
        found[key] = Op(key, PRODUCTS[prefix], prefix, name, kind, params, "")
    for verb in VERBS:
        for resource in KINDS:
            key = f"k8s:{verb}/{resource}"
            found[key] = Op(key, "kubernetes", "k8s", f"{verb}/{resource}", "R" if verb in VERBS[:3] else "W", "", "")
    return found


JOBS: List[Job] = parse(JOBS_TEXT)
