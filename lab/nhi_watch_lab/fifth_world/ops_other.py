"""Catalogues of the other products: key | flags | parameters | response or resource | note."""
GCP = r'''
gcp/storage.buckets.list|r|null|projects/_/buckets|storage.googleapis.com;gcs_bucket;storage.buckets.list
gcp/storage.objects.list|rd|null|projects/_/buckets/$gbucket|storage.googleapis.com;gcs_bucket;storage.objects.list
gcp/storage.objects.get|rd|null|projects/_/buckets/$gbucket/objects/$key|storage.googleapis.com;gcs_bucket;storage.objects.get
gcp/storage.objects.create|wd|null|projects/_/buckets/$gbucket/objects/$key|storage.googleapis.com;gcs_bucket;storage.objects.create
gcp/storage.objects.delete|wd|null|projects/_/buckets/$gbucket/objects/$key|storage.googleapis.com;gcs_bucket;storage.objects.delete
gcp/storage.setIamPermissions|w|{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/storage.objectViewer",
  "member":"$gmember"}]}}|projects/_/buckets/$gbucket|storage.googleapis.com;gcs_bucket;storage.buckets.setIamPolicy
gcp/storage.buckets.delete|w|null|projects/_/buckets/$gbucket|storage.googleapis.com;gcs_bucket;storage.buckets.delete
gcp/google.cloud.bigquery.v2.JobService.InsertJob|rd|{"job":{"jobConfig":{"type":"QUERY","queryConfig":{"query":"SELECT * FROM `$dataset.$table` WHERE day = CURRENT_DATE()",
  "priority":"QUERY_BATCH"}}}}|projects/$project/jobs/$uuid|bigquery.googleapis.com;bigquery_project;bigquery.jobs.create
gcp/google.cloud.bigquery.v2.TableService.ListTables|r|null|projects/$project/datasets/$dataset|bigquery.googleapis.com;bigquery_dataset;bigquery.tables.list
gcp/google.cloud.bigquery.v2.TableDataService.List|rd|null|projects/$project/datasets/$dataset/tables/$table|bigquery.googleapis.com;bigquery_dataset;bigquery.tables.getData
gcp/google.cloud.bigquery.v2.DatasetService.ListDatasets|r|null|projects/$project|bigquery.googleapis.com;bigquery_project;bigquery.datasets.list
gcp/google.cloud.bigquery.v2.JobService.ExtractJob|wd|{"job":{"jobConfig":{"type":"EXPORT",
  "extractConfig":{"destinationUris":["gs://$gsink/$hex8-*.csv"]}}}}|projects/$project/jobs/$uuid|bigquery.googleapis.com;bigquery_project;bigquery.tables.export
gcp/v1.compute.instances.list|r|{"@type":"type.googleapis.com/compute.instances.list"}|projects/$project/zones/$gzone/instances|compute.googleapis.com;gce_instance;compute.instances.list
gcp/v1.compute.instances.aggregatedList|r|{"@type":"type.googleapis.com/compute.instances.aggregatedList"}|projects/$project/global/instances|
  compute.googleapis.com;gce_instance;compute.instances.list
gcp/v1.compute.instances.insert|w|{"@type":"type.googleapis.com/compute.instances.insert","name":"$newname",
  "machineType":"projects/$project/zones/$gzone/machineTypes/$gtype"}|projects/$project/zones/$gzone/instances/$newname|compute.googleapis.com;gce_instance;compute.instances.create
gcp/v1.compute.instances.delete|w|{"@type":"type.googleapis.com/compute.instances.delete"}|projects/$project/zones/$gzone/instances/$ginstance|
  compute.googleapis.com;gce_instance;compute.instances.delete
gcp/v1.compute.instances.setMetadata|w|{"@type":"type.googleapis.com/compute.instances.setMetadata"}|projects/$project/zones/$gzone/instances/$ginstance|
  compute.googleapis.com;gce_instance;compute.instances.setMetadata
gcp/v1.compute.projects.setCommonInstanceMetadata|w|{"@type":"type.googleapis.com/compute.projects.setCommonInstanceMetadata"}|projects/$project|
  compute.googleapis.com;gce_project;compute.projects.setCommonInstanceMetadata
gcp/v1.compute.disks.createSnapshot|w|{"@type":"type.googleapis.com/compute.disks.createSnapshot",
  "name":"$newname"}|projects/$project/zones/$gzone/disks/$ginstance|compute.googleapis.com;gce_disk;compute.disks.createSnapshot
gcp/v1.compute.images.setIamPolicy|w|{"policy":{"bindings":[{"role":"roles/compute.imageUser",
  "members":["$gmember"]}]}}|projects/$project/global/images/$newname|compute.googleapis.com;gce_image;compute.images.setIamPolicy
gcp/v1.compute.firewalls.insert|w|{"@type":"type.googleapis.com/compute.firewalls.insert","name":"$newname",
  "sourceRanges":["$cidr"]}|projects/$project/global/firewalls/$newname|compute.googleapis.com;gce_firewall_rule;compute.firewalls.create
gcp/v1.compute.firewalls.list|r|{"@type":"type.googleapis.com/compute.firewalls.list"}|projects/$project/global/firewalls|compute.googleapis.com;gce_firewall_rule;compute.firewalls.list
gcp/google.iam.admin.v1.ListServiceAccounts|r|{"name":"projects/$project",
  "@type":"type.googleapis.com/google.iam.admin.v1.ListServiceAccountsRequest"}|projects/$project|iam.googleapis.com;service_account;iam.serviceAccounts.list
gcp/google.iam.admin.v1.CreateServiceAccount|w|{"name":"projects/$project","account_id":"$newname",
  "@type":"type.googleapis.com/google.iam.admin.v1.CreateServiceAccountRequest"}|projects/$project|iam.googleapis.com;service_account;iam.serviceAccounts.create
gcp/google.iam.admin.v1.CreateServiceAccountKey|w|{"name":"projects/-/serviceAccounts/$gsa","private_key_type":2,
  "@type":"type.googleapis.com/google.iam.admin.v1.CreateServiceAccountKeyRequest"}|projects/-/serviceAccounts/$gsa|iam.googleapis.com;service_account;iam.serviceAccountKeys.create
gcp/google.iam.admin.v1.DeleteServiceAccountKey|w|{"name":"projects/-/serviceAccounts/$gsa/keys/$hex40"}|projects/-/serviceAccounts/$gsa|
  iam.googleapis.com;service_account;iam.serviceAccountKeys.delete
gcp/google.iam.admin.v1.SetIAMPolicy|w|{"resource":"projects/-/serviceAccounts/$gsa","policy":{"bindings":[{"role":"roles/iam.serviceAccountTokenCreator",
  "members":["$gmember"]}]}}|projects/-/serviceAccounts/$gsa|iam.googleapis.com;service_account;iam.serviceAccounts.setIamPolicy
gcp/google.iam.admin.v1.GetRole|r|{"name":"roles/$team"}|roles/$team|iam.googleapis.com;audited_resource;iam.roles.get
gcp/google.iam.credentials.v1.GenerateAccessToken|rd|{"name":"projects/-/serviceAccounts/$gsa","scope":["https://www.googleapis.com/auth/cloud-platform"],
  "@type":"type.googleapis.com/google.iam.credentials.v1.GenerateAccessTokenRequest"}|projects/-/serviceAccounts/$gsa|
  iamcredentials.googleapis.com;service_account;iam.serviceAccounts.getAccessToken
gcp/SetIamPolicy|w|{"resource":"$project","policy":{"bindings":[{"role":"$grole","members":["$gmember"]}]},
  "@type":"type.googleapis.com/google.iam.v1.SetIamPolicyRequest"}|projects/$project|cloudresourcemanager.googleapis.com;project;resourcemanager.projects.setIamPolicy
gcp/GetIamPolicy|r|{"resource":"$project",
  "@type":"type.googleapis.com/google.iam.v1.GetIamPolicyRequest"}|projects/$project|cloudresourcemanager.googleapis.com;project;resourcemanager.projects.getIamPolicy
gcp/ListProjects|r|{"@type":"type.googleapis.com/google.cloudresourcemanager.v1.ListProjectsRequest"}|projects|cloudresourcemanager.googleapis.com;project;resourcemanager.projects.get
gcp/TestIamPermissions|r|{"resource":"$project","permissions":["resourcemanager.projects.setIamPolicy","iam.serviceAccountKeys.create",
  "secretmanager.versions.access"]}|projects/$project|cloudresourcemanager.googleapis.com;project;resourcemanager.projects.get
gcp/google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion|rd|{"name":"projects/$project/secrets/$gsecret/versions/latest",
  "@type":"type.googleapis.com/google.cloud.secretmanager.v1.AccessSecretVersionRequest"}|projects/$project/secrets/$gsecret/versions/latest|
  secretmanager.googleapis.com;audited_resource;secretmanager.versions.access
gcp/google.cloud.secretmanager.v1.SecretManagerService.ListSecrets|r|{"parent":"projects/$project"}|projects/$project|secretmanager.googleapis.com;audited_resource;secretmanager.secrets.list
gcp/google.cloud.aiplatform.v1.PredictionService.GenerateContent|rd|{"model":"projects/$project/locations/us-central1/publishers/google/models/gemini-2.0-flash-001"}|projects/$project/
  locations/us-central1/publishers/google/models/gemini-2.0-flash-001|aiplatform.googleapis.com;audited_resource;aiplatform.endpoints.predict
gcp/google.cloud.aiplatform.v1.PredictionService.RawPredict|rd|{"endpoint":"projects/$project/locations/us-east5/publishers/anthropic/models/claude-3-7-sonnet"}|projects/$project/locations/
  us-east5/publishers/anthropic/models/claude-3-7-sonnet|aiplatform.googleapis.com;audited_resource;aiplatform.endpoints.predict
gcp/google.pubsub.v1.Subscriber.Pull|rd|{"subscription":"projects/$project/subscriptions/$service"}|projects/$project/subscriptions/$service|
  pubsub.googleapis.com;pubsub_subscription;pubsub.subscriptions.consume
gcp/google.pubsub.v1.Publisher.Publish|wd|{"topic":"projects/$project/topics/$service"}|projects/$project/topics/$service|pubsub.googleapis.com;pubsub_topic;pubsub.topics.publish
gcp/google.logging.v2.ConfigServiceV2.DeleteSink|w|{"sinkName":"projects/$project/sinks/$service"}|projects/$project/sinks/$service|logging.googleapis.com;logging_sink;logging.sinks.delete
gcp/google.logging.v2.ConfigServiceV2.UpdateSink|w|{"sinkName":"projects/$project/sinks/$service"}|projects/$project/sinks/$service|logging.googleapis.com;logging_sink;logging.sinks.update
gcp/google.container.v1.ClusterManager.GetCluster|r|{"name":"projects/$project/locations/europe-west1/clusters/main"}|projects/$project/locations/europe-west1/clusters/main|
  container.googleapis.com;gke_cluster;container.clusters.get
gcp/google.cloud.run.v1.Services.ReplaceService|w|{"name":"namespaces/$project/services/$service"}|namespaces/$project/services/$service|run.googleapis.com;cloud_run_revision;run.services.update
gcp/google.cloud.functions.v1.CloudFunctionsService.UpdateFunction|w|{"function":{"name":"projects/$project/locations/europe-west1/functions/$service",
  "runtime":"python312"}}|projects/$project/locations/europe-west1/functions/$service|cloudfunctions.googleapis.com;cloud_function;cloudfunctions.functions.update
gcp/google.devtools.cloudbuild.v1.CloudBuild.CreateBuild|w|{"projectId":"$project",
  "build":{"serviceAccount":"projects/$project/serviceAccounts/$gsa"}}|projects/$project/builds|cloudbuild.googleapis.com;build;cloudbuild.builds.create
gcp/google.devtools.artifactregistry.v1.ArtifactRegistry.GetRepository|r|{"name":"projects/$project/locations/europe-west1/repositories/$service"}|projects/$project/locations/europe-west1/
  repositories/$service|artifactregistry.googleapis.com;audited_resource;artifactregistry.repositories.get
gcp/google.monitoring.v3.MetricService.ListTimeSeries|r|{"name":"projects/$project"}|projects/$project|monitoring.googleapis.com;audited_resource;monitoring.timeSeries.list
gcp/google.cloud.kms.v1.KeyManagementService.DestroyCryptoKeyVersion|w|{"name":"projects/$project/locations/global/keyRings/main/cryptoKeys/$service/cryptoKeyVersions/1"}|projects/$project/
  locations/global/keyRings/main/cryptoKeys/$service/cryptoKeyVersions/1|cloudkms.googleapis.com;cloudkms_cryptokeyversion;cloudkms.cryptoKeyVersions.destroy
gcp/google.cloud.kms.v1.KeyManagementService.Decrypt|rd|{"name":"projects/$project/locations/global/keyRings/main/cryptoKeys/$service"}|projects/$project/locations/global/keyRings/main/
  cryptoKeys/$service|cloudkms.googleapis.com;cloudkms_cryptokey;cloudkms.cryptoKeyVersions.useToDecrypt
'''
AZURE = r'''
az/Microsoft.Resources/subscriptions/resourceGroups/read|r|null|
az/Microsoft.Resources/deployments/write|w|null|/providers/Microsoft.Resources/deployments/$newname
az/Microsoft.Resources/subscriptions/resourceGroups/write|w|null|
az/Microsoft.Resources/subscriptions/resourceGroups/delete|w|null|
az/Microsoft.Compute/virtualMachines/write|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Compute/virtualMachines/start/action|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Compute/virtualMachines/deallocate/action|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Compute/virtualMachines/delete|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Compute/virtualMachines/runCommand/action|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Compute/virtualMachines/extensions/write|w|null|/providers/Microsoft.Compute/virtualMachines/$vm/extensions/CustomScript
az/Microsoft.Compute/virtualMachineScaleSets/write|w|null|/providers/Microsoft.Compute/virtualMachineScaleSets/$vm
az/Microsoft.Compute/disks/write|w|null|/providers/Microsoft.Compute/disks/$vm-disk
az/Microsoft.Compute/disks/beginGetAccess/action|w|null|/providers/Microsoft.Compute/disks/$vm-disk
az/Microsoft.Compute/snapshots/write|w|null|/providers/Microsoft.Compute/snapshots/$vm-$stamp
az/Microsoft.Compute/snapshots/delete|w|null|/providers/Microsoft.Compute/snapshots/$vm-$stamp
az/Microsoft.Compute/snapshots/beginGetAccess/action|w|null|/providers/Microsoft.Compute/snapshots/$vm-$stamp
az/Microsoft.Storage/storageAccounts/listKeys/action|w|null|/providers/Microsoft.Storage/storageAccounts/$storage
az/Microsoft.Storage/storageAccounts/regenerateKey/action|w|null|/providers/Microsoft.Storage/storageAccounts/$storage
az/Microsoft.Storage/storageAccounts/write|w|null|/providers/Microsoft.Storage/storageAccounts/$storage
az/Microsoft.Storage/storageAccounts/delete|w|null|/providers/Microsoft.Storage/storageAccounts/$storage
az/Microsoft.Storage/storageAccounts/ListAccountSas/action|w|null|/providers/Microsoft.Storage/storageAccounts/$storage
az/Microsoft.Storage/storageAccounts/blobServices/containers/write|w|null|/providers/Microsoft.Storage/storageAccounts/$storage/blobServices/default/containers/$service
az/Microsoft.KeyVault/vaults/write|w|null|/providers/Microsoft.KeyVault/vaults/$keyvault
az/Microsoft.KeyVault/vaults/accessPolicies/write|w|null|/providers/Microsoft.KeyVault/vaults/$keyvault/accessPolicies/add
az/Microsoft.KeyVault/vaults/delete|w|null|/providers/Microsoft.KeyVault/vaults/$keyvault
az/Microsoft.Authorization/roleAssignments/write|w|{"roleDefinitionId":"$azrole","principalId":"$uuid"}|/providers/Microsoft.Authorization/roleAssignments/$uuid
az/Microsoft.Authorization/roleAssignments/delete|w|null|/providers/Microsoft.Authorization/roleAssignments/$uuid
az/Microsoft.Authorization/policies/audit/action|w|null|/providers/Microsoft.Compute/virtualMachines/$vm
az/Microsoft.Authorization/policyAssignments/delete|w|null|/providers/Microsoft.Authorization/policyAssignments/$service
az/Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write|w|null|/providers/Microsoft.ManagedIdentity/userAssignedIdentities/$service/
  federatedIdentityCredentials/$newname
az/Microsoft.ManagedIdentity/userAssignedIdentities/assign/action|w|null|/providers/Microsoft.ManagedIdentity/userAssignedIdentities/$service
az/Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action|w|null|/providers/Microsoft.ContainerService/managedClusters/$service
az/Microsoft.ContainerService/managedClusters/listClusterUserCredential/action|w|null|/providers/Microsoft.ContainerService/managedClusters/$service
az/Microsoft.ContainerService/managedClusters/agentPools/write|w|null|/providers/Microsoft.ContainerService/managedClusters/$service/agentPools/pool1
az/Microsoft.ContainerRegistry/registries/listCredentials/action|w|null|/providers/Microsoft.ContainerRegistry/registries/$storage
az/Microsoft.ContainerRegistry/registries/pull/read|r|null|/providers/Microsoft.ContainerRegistry/registries/$storage
az/Microsoft.Network/networkSecurityGroups/securityRules/write|w|null|/providers/Microsoft.Network/networkSecurityGroups/$service-nsg/securityRules/$newname
az/Microsoft.Network/publicIPAddresses/write|w|null|/providers/Microsoft.Network/publicIPAddresses/$service-pip
az/Microsoft.Network/dnsZones/A/write|w|null|/providers/Microsoft.Network/dnsZones/$tenantdomain/A/$service
az/Microsoft.Network/loadBalancers/write|w|null|/providers/Microsoft.Network/loadBalancers/kubernetes
az/Microsoft.Web/sites/config/list/action|w|null|/providers/Microsoft.Web/sites/$service/config/appsettings
az/Microsoft.Web/sites/publishxml/action|w|null|/providers/Microsoft.Web/sites/$service
az/Microsoft.Web/sites/write|w|null|/providers/Microsoft.Web/sites/$service
az/Microsoft.Web/sites/restart/action|w|null|/providers/Microsoft.Web/sites/$service
az/Microsoft.Automation/automationAccounts/runbooks/write|w|null|/providers/Microsoft.Automation/automationAccounts/$team/runbooks/$newname
az/Microsoft.Automation/automationAccounts/jobs/write|w|null|/providers/Microsoft.Automation/automationAccounts/$team/jobs/$uuid
az/Microsoft.Automation/automationAccounts/webhooks/write|w|null|/providers/Microsoft.Automation/automationAccounts/$team/webhooks/$newname
az/Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action|w|null|/providers/Microsoft.RecoveryServices/vaults/$team/backupFabrics/Azure/
  protectionContainers/iaasvm/protectedItems/$vm
az/Microsoft.RecoveryServices/vaults/delete|w|null|/providers/Microsoft.RecoveryServices/vaults/$team
az/Microsoft.Insights/diagnosticSettings/delete|w|null|/providers/microsoft.insights/diagnosticSettings/$service
az/Microsoft.Insights/diagnosticSettings/write|w|null|/providers/microsoft.insights/diagnosticSettings/$service
az/Microsoft.Insights/metricAlerts/write|w|null|/providers/microsoft.insights/metricAlerts/$service
az/Microsoft.Sql/servers/firewallRules/write|w|null|/providers/Microsoft.Sql/servers/$db/firewallRules/$newname
az/Microsoft.Sql/servers/databases/export/action|w|null|/providers/Microsoft.Sql/servers/$db/databases/prod
az/Microsoft.CognitiveServices/accounts/listKeys/action|w|null|/providers/Microsoft.CognitiveServices/accounts/$service-openai
az/Microsoft.CognitiveServices/accounts/deployments/write|w|null|/providers/Microsoft.CognitiveServices/accounts/$service-openai/deployments/$newname
az/Microsoft.Logic/workflows/write|w|null|/providers/Microsoft.Logic/workflows/$service
az/Microsoft.MachineLearningServices/workspaces/computes/write|w|null|/providers/Microsoft.MachineLearningServices/workspaces/$team/computes/$newname
'''
ENTRA = r'''
entra/signin|r|null||signin
entra/Add service principal credentials|w|{"KeyDescription":"$newname"}|ServicePrincipal|ApplicationManagement
entra/Update application – Certificates and secrets management |w|{"KeyDescription":"$newname"}|Application|ApplicationManagement
entra/Add app role assignment to service principal|w|{"AppRole.Value":"$graphrole"}|ServicePrincipal|ApplicationManagement
entra/Add delegated permission grant|w|{"DelegatedPermissionGrant.Scope":"$graphscope"}|ServicePrincipal|ApplicationManagement
entra/Consent to application|w|{"ConsentContext.IsAdminConsent":"True","ConsentAction.Permissions":"$graphscope"}|ServicePrincipal|ApplicationManagement
entra/Add application|w|{"DisplayName":"$newname"}|Application|ApplicationManagement
entra/Add service principal|w|{"DisplayName":"$newname"}|ServicePrincipal|ApplicationManagement
entra/Update application|w|{"RequiredResourceAccess":"$graphrole"}|Application|ApplicationManagement
entra/Update service principal|w|{"AppAddress":"https://$domain/callback"}|ServicePrincipal|ApplicationManagement
entra/Add owner to application|w|{"Application.ObjectID":"$uuid"}|Application|ApplicationManagement
entra/Add owner to service principal|w|{"ServicePrincipal.ObjectID":"$uuid"}|ServicePrincipal|ApplicationManagement
entra/Add member to role|w|{"Role.DisplayName":"$entrarole"}|User|RoleManagement
entra/Add member to group|w|{"Group.DisplayName":"$team"}|User|GroupManagement
entra/Remove member from group|w|{"Group.DisplayName":"$team"}|User|GroupManagement
entra/Add user|w|{"UserPrincipalName":"$newname@$tenantdomain"}|User|UserManagement
entra/Update user|w|{"Department":"$team"}|User|UserManagement
entra/Disable account|w|{"AccountEnabled":"false"}|User|UserManagement
entra/Delete user|w|null|User|UserManagement
entra/Reset user password|w|null|User|UserManagement
entra/Invite external user|w|{"InvitedUserEmailAddress":"$newname@$domain"}|User|UserManagement
entra/Set domain authentication|w|{"FederationBrandName":"$newname"}|Domain|DirectoryManagement
entra/Add unverified domain|w|{"Name":"$domain"}|Domain|DirectoryManagement
entra/Update conditional access policy|w|{"State":"$castate"}|Policy|Policy
entra/Delete conditional access policy|w|null|Policy|Policy
entra/Update authorization policy|w|{"GuestUserRoleId":"$uuid"}|Policy|AuthorizationPolicy
entra/Add device|w|{"DeviceOSType":"Windows"}|Device|Device
entra/Update device|w|{"IsCompliant":"true"}|Device|Device
entra/Create federated identity credential|w|{"Issuer":"https://token.actions.githubusercontent.com","Subject":"repo:$outsideorg/$newname:ref:refs/heads/main"}|Application|ApplicationManagement
'''
M365 = r'''
m365/MailItemsAccessed|r|null|Exchange|50
m365/Send|w|null|Exchange|2
m365/SoftDelete|w|null|Exchange|3
m365/New-InboxRule|w|{"Name":"$newname","ForwardTo":"$newname@$domain"}|Exchange|1
m365/Set-Mailbox|w|{"Identity":"$upn","ForwardingSmtpAddress":"smtp:$newname@$domain"}|Exchange|1
m365/New-TransportRule|w|{"Name":"$newname","BlindCopyTo":"$newname@$domain"}|Exchange|1
m365/Get-Mailbox|r|{"ResultSize":"Unlimited"}|Exchange|1
m365/New-ManagementRoleAssignment|w|{"Role":"ApplicationImpersonation","User":"$upn"}|Exchange|1
m365/FileDownloaded|r|null|SharePoint|6
m365/FileAccessed|r|null|SharePoint|6
m365/FileModified|w|null|SharePoint|6
m365/FileUploaded|w|null|SharePoint|6
m365/FileDeleted|w|null|SharePoint|6
m365/FileSyncDownloadedFull|r|null|OneDrive|6
m365/AnonymousLinkCreated|w|null|SharePoint|14
m365/SearchQueryPerformed|r|null|SharePoint|6
m365/SiteCollectionAdminAdded|w|null|SharePoint|14
m365/MessageSent|w|null|MicrosoftTeams|25
m365/MessagesListed|r|null|MicrosoftTeams|25
m365/ChatRetrieved|r|null|MicrosoftTeams|25
'''
GITHUB = r'''
gh/git.clone|r|null
gh/git.fetch|r|null
gh/git.push|w|null
gh/repo.download_zip|r|null
gh/workflows.created_workflow_run|w|{"event":"push","name":"$ghworkflow","head_branch":"$ghbranch","workflow_id":"$int8","workflow_run_id":"$int10","run_attempt":1}
gh/workflows.completed_workflow_run|w|{"event":"push","name":"$ghworkflow","conclusion":"success","head_branch":"$ghbranch","workflow_id":"$int8","workflow_run_id":"$int10"}
gh/workflows.prepared_workflow_job|w|{"job_name":"build","runner_name":"GitHub Actions $count","secrets_passed":["$ghsecret"],"workflow_run_id":"$int10","is_hosted_runner":true}
gh/workflows.delete_workflow_run|w|{"workflow_run_id":"$int10"}
gh/pull_request.create|w|{"pull_request_id":"$int10","pull_request_title":"$note"}
gh/pull_request.merge|w|{"pull_request_id":"$int10","pull_request_title":"$note"}
gh/pull_request_review.submit|w|{"pull_request_id":"$int10"}
gh/repo.create|w|{"visibility":"private"}
gh/repo.access|w|{"visibility":"public","previous_visibility":"private"}
gh/repo.destroy|w|{"visibility":"private"}
gh/repo.transfer|w|{"old_user":"$outsideorg"}
gh/repo.add_member|w|{"user":"$outsideuser","permission":"admin"}
gh/repo.create_actions_secret|w|{"key":"$ghsecret"}
gh/repo.update_actions_secret|w|{"key":"$ghsecret"}
gh/repo.register_self_hosted_runner|w|{"runner_name":"$newname"}
gh/repo.remove_self_hosted_runner|w|{"runner_name":"$newname"}
gh/environment.create_actions_secret|w|{"environment_name":"$env","key":"$ghsecret"}
gh/environment.remove_protection_rule|w|{"environment_name":"$env"}
gh/org.update_actions_secret|w|{"key":"$ghsecret","visibility":"all"}
gh/org.add_member|w|{"user":"$outsideuser","permission":"read"}
gh/org.update_member|w|{"user":"$outsideuser","permission":"admin","old_permission":"read"}
gh/org.list_members|r|null
gh/org.remove_member|w|{"user":"$outsideuser"}
gh/protected_branch.create|w|{"name":"$ghbranch"}
gh/protected_branch.destroy|w|{"name":"$ghbranch"}
gh/protected_branch.policy_override|w|{"branch":"$ghbranch"}
gh/protected_branch.update_admin_enforced|w|{"name":"$ghbranch","admin_enforced":false}
gh/repository_ruleset.update|w|{"ruleset_name":"$newname","ruleset_enforcement":"disabled"}
gh/hook.create|w|{"hook_id":"$int8","events":["push","pull_request"],"config":{"content_type":"json","insecure_ssl":"0","url":"https://$domain/in"}}
gh/hook.destroy|w|{"hook_id":"$int8"}
gh/public_key.create|w|{"title":"$newname","fingerprint":"SHA256:$b43","read_only":"false"}
gh/deploy_key.create|w|{"title":"$newname"}
gh/integration_installation.create|w|{"integration":"$newname"}
gh/integration_installation.repositories_added|w|{"integration":"$service"}
gh/personal_access_token.access_granted|w|{"user_programmatic_access_name":"$newname"}
gh/personal_access_token.request_created|w|{"user_programmatic_access_name":"$newname"}
gh/secret_scanning_alert.resolve|w|{"alert_number":"$count","resolution":"wont_fix"}
gh/repository_secret_scanning.disable|w|null
gh/repository_vulnerability_alerts.disable|w|null
gh/dependabot_alerts.disable|w|null
gh/packages.package_version_published|w|{"package":"$service","version":"1.$count.0","ecosystem":"npm"}
gh/packages.package_version_deleted|w|{"package":"$service","version":"1.$count.0"}
gh/release.published|w|{"tag":"v1.$count.0"}
gh/artifact.destroy|w|null
gh/codespaces.create|w|{"machine_type":"standardLinux32gb"}
gh/org_credential_authorization.grant|w|null
gh/api.request|r|{"request_method":"GET","route":"$ghroute","status_code":200}
'''
OKTA = r'''
okta/user.session.start|r|User login to Okta|
okta/user.authentication.sso|r|User single sign on to app|AppInstance
okta/user.authentication.auth_via_mfa|r|Authentication of user via MFA|
okta/app.oauth2.token.grant.access_token|r|OAuth2 access token is granted|access_token
okta/app.oauth2.as.token.grant.access_token|r|OAuth2 access token is granted|access_token
okta/user.lifecycle.create|w|Create okta user|User
okta/user.lifecycle.activate|w|Activate Okta user|User
okta/user.lifecycle.deactivate|w|Deactivate Okta user|User
okta/user.lifecycle.suspend|w|Suspend Okta user|User
okta/user.account.update_profile|w|Update user profile for Okta|User
okta/user.account.reset_password|w|Fired when the user's Okta password is reset|User
okta/user.mfa.factor.reset_all|w|Reset all factors for user|User
okta/user.mfa.factor.deactivate|w|Reset factor for user|User
okta/user.account.privilege.grant|w|Grant user privilege|User
okta/group.user_membership.add|w|Add user to group membership|User,UserGroup
okta/group.user_membership.remove|w|Remove user from group membership|User,UserGroup
okta/group.privilege.grant|w|Grant group admin privilege|UserGroup
okta/group.profile.update|w|Update Okta group profile|UserGroup
okta/application.user_membership.add|w|Add user to application membership|AppUser,AppInstance
okta/application.user_membership.remove|w|Remove user's application membership|AppUser,AppInstance
okta/application.lifecycle.create|w|Create application|AppInstance
okta/application.lifecycle.update|w|Update application|AppInstance
okta/application.lifecycle.deactivate|w|Deactivate application|AppInstance
okta/app.oauth2.client.lifecycle.create|w|Create OAuth client|PublicClientApp
okta/app.oauth2.client.privilege.grant|w|Grant privilege to OAuth client|PublicClientApp
okta/app.oauth2.client_secret.create|w|Create client secret|PublicClientApp
okta/system.api_token.create|w|Create API token|Token
okta/system.api_token.revoke|w|Revoke API token|Token
okta/system.idp.lifecycle.create|w|Create identity provider|IdentityProvider
okta/system.idp.lifecycle.update|w|Update identity provider|IdentityProvider
okta/policy.rule.update|w|Update policy rule|PolicyRule
okta/policy.rule.deactivate|w|Deactivate policy rule|PolicyRule
okta/policy.lifecycle.deactivate|w|Deactivate policy|PolicyEntity
okta/zone.update|w|Update network zone|NetworkZone
okta/system.log_stream.lifecycle.deactivate|w|Deactivate log stream|LogStream
okta/system.import.complete|w|Import complete|AppInstance
okta/core.user.list|r|List users|
okta/user.session.clear|w|Clear user session|User
okta/user.account.report_suspicious_activity_by_enduser|w|User report suspicious activity|User
'''
SNOWFLAKE = r'''
snow/login|r||LOGIN
snow/select|r|SELECT * FROM $sdb.$sschema.$table WHERE LOAD_DATE >= '$date'|SELECT
snow/select_count|r|SELECT COUNT(*) FROM $sdb.$sschema.$table|SELECT
snow/select_all|r|SELECT * FROM $sdb.$sschema.$table|SELECT
snow/insert|w|INSERT INTO $sdb.$sschema.$table SELECT * FROM $sdb.STAGING.${table}_TMP|INSERT
snow/merge|w|
  MERGE INTO $sdb.$sschema.$table t USING $sdb.STAGING.${table}_TMP s ON t.ID = s.ID WHEN MATCHED THEN UPDATE SET t.UPDATED_AT = s.UPDATED_AT WHEN NOT MATCHED THEN INSERT (ID) VALUES (s.ID)|MERGE
snow/copy_into|w|COPY INTO $sdb.STAGING.${table}_TMP FROM @$sdb.STAGING.$stage/$date/ FILE_FORMAT = (TYPE = PARQUET)|COPY
snow/ctas|w|CREATE OR REPLACE TABLE $sdb.$sschema.${table}_AGG AS SELECT * FROM $sdb.$sschema.$table|CREATE_TABLE_AS_SELECT
snow/show_tables|r|SHOW TABLES IN DATABASE $sdb|SHOW
snow/show_databases|r|SHOW DATABASES|SHOW
snow/show_users|r|SHOW USERS|SHOW
snow/show_grants|r|SHOW GRANTS TO ROLE $srole|SHOW
snow/describe|r|DESCRIBE TABLE $sdb.$sschema.$table|DESCRIBE
snow/info_tables|r|SELECT TABLE_SCHEMA, TABLE_NAME, ROW_COUNT FROM $sdb.INFORMATION_SCHEMA.TABLES|SELECT
snow/session|r|SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_IP_ADDRESS()|SELECT
snow/use_role|w|USE ROLE $srole|USE
snow/use_warehouse|w|USE WAREHOUSE $swarehouse|USE
snow/alter_warehouse|w|ALTER WAREHOUSE $swarehouse SET WAREHOUSE_SIZE = '$swsize'|ALTER_WAREHOUSE
snow/create_temp_stage|w|CREATE TEMPORARY STAGE $sdb.PUBLIC.STG_$HEX8|CREATE
snow/create_ext_stage|w|CREATE STAGE $sdb.PUBLIC.STG_$HEX8 URL = 's3://$sinkbucket/in/' CREDENTIALS = (AWS_KEY_ID = '***' AWS_SECRET_KEY = '***')|CREATE
snow/unload|w|COPY INTO @$sdb.PUBLIC.STG_$HEX8/$table FROM (SELECT * FROM $sdb.$sschema.$table) FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP)|UNLOAD
snow/get_file|r|GET @$sdb.PUBLIC.STG_$HEX8/$table file:///data/out/|GET_FILES
snow/list_stage|r|LIST @$sdb.STAGING.$stage|LIST_FILES
snow/create_user|w|CREATE USER $NEWNAME PASSWORD = '***' DEFAULT_ROLE = '$srole'|CREATE_USER
snow/alter_user|w|ALTER USER $suser SET RSA_PUBLIC_KEY = '***'|ALTER_USER
snow/reset_password|w|ALTER USER $suser SET PASSWORD = '***'|ALTER_USER
snow/alter_user_policy|w|ALTER USER $suser UNSET NETWORK_POLICY|ALTER_USER
snow/alter_account_policy|w|ALTER ACCOUNT UNSET NETWORK_POLICY|ALTER_ACCOUNT
snow/grant_role|w|GRANT ROLE $srole TO USER $suser|GRANT
snow/create_share|w|CREATE SHARE SHR_$HEX8|CREATE
snow/alter_share|w|ALTER SHARE SHR_$HEX8 ADD ACCOUNTS = $ALNUM8|ALTER
snow/grant_share|w|GRANT SELECT ON TABLE $sdb.$sschema.$table TO SHARE SHR_$HEX8|GRANT
snow/drop_table|w|DROP TABLE $sdb.$sschema.$table|DROP
snow/truncate|w|TRUNCATE TABLE $sdb.$sschema.$table|TRUNCATE_TABLE
snow/drop_database|w|DROP DATABASE $sdb|DROP
snow/set_retention|w|ALTER DATABASE $sdb SET DATA_RETENTION_TIME_IN_DAYS = $days|ALTER
snow/create_task|w|CREATE TASK $sdb.PUBLIC.T_$HEX8 WAREHOUSE = $swarehouse SCHEDULE = '60 MINUTE' AS CALL $sdb.PUBLIC.P_$HEX8()|CREATE
snow/create_integration|w|CREATE STORAGE INTEGRATION INT_$HEX8 TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('s3://$sinkbucket/')|CREATE
snow/query_history|r|SELECT QUERY_TEXT, USER_NAME FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY LIMIT 10000|SELECT
snow/call|w|CALL $sdb.PUBLIC.REFRESH_$table()|CALL
'''
VAULT = r'''
vault/login|w|update|auth/$vmount/login
vault/read|r|read|$vpath
vault/list|r|list|$vlist
vault/write|w|update|$vpath
vault/delete|w|delete|$vpath
vault/destroy|w|update|secret/destroy/$vleaf
vault/aws_creds|r|read|aws/creds/$service
vault/db_creds|r|read|database/creds/$service
vault/pki_issue|w|update|pki/issue/$service
vault/transit_encrypt|w|update|transit/encrypt/$service
vault/transit_decrypt|w|update|transit/decrypt/$service
vault/transit_export|r|read|transit/export/encryption-key/$service
vault/renew_self|w|update|auth/token/renew-self
vault/lookup_self|r|read|auth/token/lookup-self
vault/token_create|w|update|auth/token/create
vault/token_accessors|r|list|auth/token/accessors/
vault/lease_renew|w|update|sys/leases/renew
vault/capabilities|w|update|sys/capabilities-self
vault/mounts|r|read|sys/mounts
vault/ui_mounts|r|read|sys/internal/ui/mounts
vault/auth_list|r|read|sys/auth
vault/policy_list|r|list|sys/policies/acl
vault/policy_read|r|read|sys/policies/acl/$service
vault/policy_write|w|update|sys/policies/acl/$newname
vault/audit_disable|w|delete|sys/audit/file
vault/audit_list|r|read|sys/audit
vault/approle_secret_id|w|update|auth/approle/role/$service/secret-id
vault/approle_role_id|r|read|auth/approle/role/$service/role-id
vault/approle_write|w|update|auth/approle/role/$newname
vault/k8s_role_write|w|update|auth/kubernetes/role/$newname
vault/userpass_create|w|update|auth/userpass/users/$newname
vault/mount_create|w|update|sys/mounts/$newname
vault/metadata_delete|w|delete|secret/metadata/$vleaf
vault/seal|w|update|sys/seal
vault/health|r|read|sys/health
'''
