"""The calls there are.

AWS: service, name, R(ead) or W(rite) with D for data events, request parameters, then > response. Other products: one
line for each operation, its fields apart by |. Words in braces are the identity's own things (stock) or are made when
the record is written."""

from typing import Dict, List, NamedTuple, Tuple

from nhi_watch_lab.tables import text

# ---- AWS API calls: service, name, R(ead) or W(rite) with D for data events, request parameters, then > response

class AwsCall(NamedTuple):
    service: str
    name: str
    write: bool
    data: bool
    request: List[Tuple[str, str]]
    response: List[Tuple[str, str]]


def _pairs(words: List[str]) -> List[Tuple[str, str]]:
    return [(k, v.replace("~", " ")) for k, v in (word.split("=", 1) for word in words)]


def _parse(lines: str) -> Dict[str, AwsCall]:
    table: Dict[str, AwsCall] = {}
    for line in filter(None, lines.splitlines()):
        request, _, response = line.partition(" > ")
        service, name, flags, *words = request.split()
        table[f"{service}:{name}"] = AwsCall(service, name, flags[0] == "W", "D" in flags, _pairs(words), _pairs(response.split()))
    return table


AWS_CALLS = _parse(text(__file__, "aws.txt"))
TEMPLATES: Dict[str, str] = {name: " ".join(v for _, v in call.request + call.response) for name, call in AWS_CALLS.items()}


# ---- what can be done in the other products: one line for each operation, its fields apart by |

_TEXT: Dict[str, str] = {
    # event type | display message | target type | target
    "okta": """
app.oauth2.token.grant.access_token|OAuth2 access token is granted|access_token|okta.users.read
user.session.start|User login to Okta|AuthenticatorEnrollment|Password
user.authentication.sso|User single sign on to app|AppInstance|{app}
user.authentication.auth_via_mfa|Authentication of user via MFA|AuthenticatorEnrollment|Okta Verify
application.provision.user.sync|Sync user in external application|AppUser|{upn}
application.provision.user.push_profile|Push user's profile to external application|AppUser|{upn}
application.user_membership.add|Add user to application membership|AppUser|{upn}
application.user_membership.remove|Remove user's application membership|AppUser|{upn}
group.user_membership.add|Add user to group membership|User|{upn}
group.user_membership.remove|Remove user from group membership|User|{upn}
user.lifecycle.create|Create okta user|User|{upn}
user.lifecycle.activate|Activate Okta user|User|{upn}
user.lifecycle.deactivate|Deactivate Okta user|User|{upn}
user.account.update_profile|Update user profile for Okta|User|{upn}
user.account.update_password|User update password for Okta|User|{upn}
user.account.reset_password|Fired when the user's Okta password is reset|User|{upn}
user.account.privilege.grant|Grant user privilege|User|{upn}
user.mfa.factor.reset_all|Reset all factors for user|User|{upn}
system.api_token.create|Create API token|Token|{word}
system.import.user.complete|Complete user import|AppInstance|{app}
system.agent.ad.read_ldap|Perform read LDAP by AD agent|AppInstance|{app}
system.org.rate_limit.warning|Rate limit warning|URL Pattern|/api/v1/users
application.lifecycle.create|Create application|AppInstance|{word}
application.lifecycle.update|Update application|AppInstance|{app}
zone.update|Update network zone|NetworkZone|{word}
system.idp.lifecycle.create|Create Identity Provider|IdentityProvider|{word}
""",
    # category | operation | resource or target
    "entra": """
signin|ServicePrincipalSignInLogs|{aadres}
usersignin|SignInLogs|{aadres}
silentsignin|NonInteractiveUserSignInLogs|{aadres}
Add service principal credentials|ApplicationManagement|{aadapp}
Update application – Certificates and secrets management |ApplicationManagement|{aadapp}
Update service principal|ApplicationManagement|{aadapp}
Add owner to application|ApplicationManagement|{aadapp}
Add app role assignment to service principal|ApplicationManagement|{aadapp}
Consent to application|ApplicationManagement|{aadapp}
Add member to role|RoleManagement|{upn}
Add user|UserManagement|{upn}
Update user|UserManagement|{upn}
Disable account|UserManagement|{upn}
Reset user password|UserManagement|{upn}
Add member to group|GroupManagement|{upn}
Remove member from group|GroupManagement|{upn}
""",
    # workload | record type | object
    "m365": """
MailItemsAccessed|Exchange|50|{upn}
Send|Exchange|2|{upn}
New-InboxRule|Exchange|1|{upn}
Set-Mailbox|Exchange|1|{upn}
Add-MailboxPermission|Exchange|1|{upn}
SearchQueryInitiatedExchange|Exchange|2|{upn}
FileAccessed|SharePoint|6|{site}/{doc}
FileDownloaded|SharePoint|6|{site}/{doc}
FileUploaded|SharePoint|6|{site}/{doc}
FileModified|OneDrive|6|{site}/{doc}
FileSyncDownloadedFull|OneDrive|6|{site}/{doc}
FileDeleted|SharePoint|6|{site}/{doc}
AnonymousLinkCreated|SharePoint|14|{site}/{doc}
SearchQueryPerformed|SharePoint|4|{site}
SiteCollectionAdminAdded|SharePoint|14|{site}
MessagesListed|MicrosoftTeams|25|{upn}
MessageSent|MicrosoftTeams|25|{upn}
TeamsSessionStarted|MicrosoftTeams|25|{upn}
ListViewed|SharePoint|36|{site}
UserLoggedIn|AzureActiveDirectory|15|{aadres}
Consent to application.|AzureActiveDirectory|8|{aadapp}
""",
    # service | permission | resource | R, W or D
    "gcp": """
storage.objects.get|storage.googleapis.com|storage.objects.get|projects/_/buckets/{gbucket}/objects/{prefix}/{file}|R
storage.objects.list|storage.googleapis.com|storage.objects.list|projects/_/buckets/{gbucket}|R
storage.objects.create|storage.googleapis.com|storage.objects.create|projects/_/buckets/{gbucket}/objects/{prefix}/{file}|W
storage.buckets.list|storage.googleapis.com|storage.buckets.list||R
google.cloud.bigquery.v2.JobService.InsertJob|bigquery.googleapis.com|bigquery.jobs.create|projects/{project}/jobs/bq_{hex16}|W
google.cloud.bigquery.v2.JobService.Query|bigquery.googleapis.com|bigquery.tables.getData|projects/{project}/queries/job_{hex16}|R
google.cloud.bigquery.v2.TableDataService.List|bigquery.googleapis.com|bigquery.tables.getData|projects/{project}/datasets/{bqset}/tables/{word}|R
google.cloud.bigquery.v2.TableService.ListTables|bigquery.googleapis.com|bigquery.tables.list|projects/{project}/datasets/{bqset}|R
google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion|secretmanager.googleapis.com|secretmanager.versions.access|projects/{project}/secrets/{gsecret}/versions/latest|R
google.cloud.secretmanager.v1.SecretManagerService.ListSecrets|secretmanager.googleapis.com|secretmanager.secrets.list|projects/{project}|R
google.iam.admin.v1.CreateServiceAccountKey|iam.googleapis.com|iam.serviceAccountKeys.create|projects/-/serviceAccounts/{sa}|W
google.iam.admin.v1.CreateServiceAccount|iam.googleapis.com|iam.serviceAccounts.create|projects/{project}|W
google.iam.admin.v1.ListServiceAccounts|iam.googleapis.com|iam.serviceAccounts.list|projects/{project}|R
GenerateAccessToken|iamcredentials.googleapis.com|iam.serviceAccounts.getAccessToken|projects/-/serviceAccounts/{sa}|R
SetIamPolicy|cloudresourcemanager.googleapis.com|resourcemanager.projects.setIamPolicy|projects/{project}|W
GetIamPolicy|cloudresourcemanager.googleapis.com|resourcemanager.projects.getIamPolicy|projects/{project}|R
ListProjects|cloudresourcemanager.googleapis.com|resourcemanager.projects.list||R
v1.compute.instances.list|compute.googleapis.com|compute.instances.list|projects/{project}/zones/us-central1-a/instances|R
v1.compute.instances.insert|compute.googleapis.com|compute.instances.create|projects/{project}/zones/us-central1-a/instances/{word}-{hex8}|W
v1.compute.firewalls.insert|compute.googleapis.com|compute.firewalls.create|projects/{project}/global/firewalls/{word}|W
google.cloud.aiplatform.v1.PredictionService.GenerateContent|aiplatform.googleapis.com|aiplatform.endpoints.predict|projects/{project}/locations/us-central1/publishers/google/models/gemini-2.0-flash|R
google.pubsub.v1.Publisher.CreateTopic|pubsub.googleapis.com|pubsub.topics.create|projects/{project}/topics/{word}|W
google.logging.v2.ConfigServiceV2.DeleteSink|logging.googleapis.com|logging.sinks.delete|projects/{project}/sinks/{word}|W
google.logging.v2.LoggingServiceV2.ListLogEntries|logging.googleapis.com|logging.logEntries.list|projects/{project}|R
google.api.serviceusage.v1.ServiceUsage.EnableService|serviceusage.googleapis.com|serviceusage.services.enable|projects/{project}/services/{word}.googleapis.com|W
google.cloud.run.v1.Services.ReplaceService|run.googleapis.com|run.services.update|namespaces/{project}/services/{word}|W
""",
    # operation type | needs a repository
    "github": """
git.clone|access|1
git.fetch|access|1
git.push|modify|1
workflows.created_workflow_run|create|1
workflows.completed_workflow_run|modify|1
workflows.prepared_workflow_job|modify|1
workflows.delete_workflow_run|remove|1
pull_request.create|create|1
pull_request.merge|modify|1
pull_request_review.submit|create|1
repo.create|create|1
repo.download_zip|access|1
repo.add_member|create|1
repo.update_actions_secret|modify|1
repo.create_actions_secret|create|1
repo.register_self_hosted_runner|create|1
repo.remove_self_hosted_runner|remove|1
protected_branch.policy_override|modify|1
protected_branch.update|modify|1
public_key.create|create|1
deploy_key.create|create|1
hook.create|create|1
environment.update_protection_rule|modify|1
org.invite_member|create|0
org.add_outside_collaborator|create|0
org.update_actions_secret|modify|0
integration_installation.create|create|0
personal_access_token.access_granted|create|0
oauth_authorization.create|create|0
packages.package_version_published|create|1
packages.package_downloaded|access|1
api.request|access|1
""",
    # group | resource | subresource (the verb is in the name)
    "kubernetes": "\n".join(f"{verb} {res}|{group}|{kind}|{sub}" for group, kind, sub, verbs in [
        ("", "pods", "", "get list watch create delete patch"), ("", "secrets", "", "get list watch create update delete patch"),
        ("", "configmaps", "", "get list watch create update"), ("", "services", "", "get list watch create"), ("", "endpoints", "", "get list watch"),
        ("", "nodes", "", "get list watch patch"), ("", "namespaces", "", "get list create"), ("", "serviceaccounts", "", "get list create"),
        ("", "serviceaccounts", "token", "create"), ("", "pods", "log", "get"), ("", "pods", "exec", "create"), ("", "events", "", "create patch list"),
        ("", "nodes", "proxy", "get create"), ("", "pods", "portforward", "create"), ("", "persistentvolumeclaims", "", "get list create"),
        ("apps", "deployments", "", "get list watch create patch update delete"), ("apps", "daemonsets", "", "get list create patch"), ("apps", "replicasets", "", "get list watch"),
        ("batch", "jobs", "", "get list create delete"), ("batch", "cronjobs", "", "get list create patch"), ("coordination.k8s.io", "leases", "", "get update"),
        ("networking.k8s.io", "ingresses", "", "get list watch update"), ("rbac.authorization.k8s.io", "clusterroles", "", "get list create patch"),
        ("rbac.authorization.k8s.io", "clusterrolebindings", "", "get list create patch"), ("rbac.authorization.k8s.io", "rolebindings", "", "get list create"),
        ("authorization.k8s.io", "selfsubjectaccessreviews", "", "create"), ("authorization.k8s.io", "selfsubjectrulesreviews", "", "create"),
        ("authentication.k8s.io", "tokenreviews", "", "create"), ("argoproj.io", "applications", "", "get list watch patch"),
        ("cert-manager.io", "certificates", "", "get list watch update"), ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "get list create patch"),
        ("certificates.k8s.io", "certificatesigningrequests", "", "create")]
        for verb in verbs.split() for res in [kind + ("/" + sub if sub else "")]),
    # query type | text
    "snowflake": """
login|LOGIN|
select|SELECT|select * from {sfdb}.PUBLIC.{sftable} where UPDATED_AT > '{day}'
aggregate|SELECT|select REGION, count(*), sum(AMOUNT) from {sfdb}.PUBLIC.{sftable} group by 1
copyin|COPY|copy into {sfdb}.PUBLIC.{sftable} from @{sfdb}.PUBLIC.LANDING/{word}/ file_format=(type=parquet)
merge|MERGE|merge into {sfdb}.PUBLIC.{sftable} t using {sfdb}.STAGE.{sftable}_DELTA s on t.ID = s.ID when matched then update set t.AMOUNT = s.AMOUNT
insert|INSERT|insert into {sfdb}.PUBLIC.{sftable} select * from {sfdb}.STAGE.{sftable}
createtable|CREATE_TABLE_AS_SELECT|create or replace table {sfdb}.MARTS.{sftable} as select * from {sfdb}.PUBLIC.{sftable}
showtables|SHOW|show tables in account
showusers|SHOW|show users
showgrants|SHOW|show grants to user {self}
infoschema|SELECT|select TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, ROW_COUNT from {sfdb}.INFORMATION_SCHEMA.TABLES
usage|SELECT|select * from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY where START_TIME > '{day}'
dump|SELECT|select * from {sfdb}.PUBLIC.{sftable}
tempstage|CREATE|create temporary stage {sfdb}.PUBLIC.{word}_STG
copyout|UNLOAD|copy into @{sfdb}.PUBLIC.{word}_STG/{sftable}/ from (select * from {sfdb}.PUBLIC.{sftable}) file_format=(type=csv compression=gzip)
get|GET_FILES|get @{sfdb}.PUBLIC.{word}_STG/{sftable}/ file:///tmp/{word}/
createuser|CREATE_USER|create user {word}_SVC rsa_public_key='{hex32}'
alteruser|ALTER_USER|alter user {self} set rsa_public_key_2='{hex32}'
grantrole|GRANT|grant role ACCOUNTADMIN to user {self}
netpolicy|ALTER_ACCOUNT|alter account unset network_policy
use|USE|use warehouse {wh}
""",
    # operation | path
    "vault": """
login approle|update|auth/approle/login
login kubernetes|update|auth/kubernetes/login
login oidc|update|auth/oidc/oidc/callback
read kv|read|secret/data/{vpath}
list kv|list|secret/metadata/{word}
write kv|update|secret/data/{vpath}
list root|list|secret/metadata/
renew self|update|auth/token/renew-self
lookup self|read|auth/token/lookup-self
aws creds|read|aws/creds/{vrole}
db creds|read|database/creds/{vrole}
pki issue|update|pki/issue/{vrole}
transit decrypt|update|transit/decrypt/{vrole}
transit encrypt|update|transit/encrypt/{vrole}
list mounts|read|sys/mounts
list policies|list|sys/policies/acl
read policy|read|sys/policies/acl/{word}
write policy|update|sys/policies/acl/{word}
create token|update|auth/token/create
create secret id|update|auth/approle/role/{vrole}/secret-id
read role id|read|auth/approle/role/{vrole}/role-id
disable audit|delete|sys/audit/file
raft snapshot|read|sys/storage/raft/snapshot
""",
}
TABLES: Dict[str, Dict[str, Tuple[str, ...]]] = {
    product: {row.split("|")[0]: tuple(row.split("|")[1:]) for row in text.strip("\n").splitlines()} for product, text in _TEXT.items()}
OTHER_CALLS_TEMPLATES: Dict[str, Dict[str, str]] = {product: {name: " ".join(row) for name, row in table.items()} for product, table in TABLES.items()}
OTHER_CALLS_TEMPLATES["kubernetes"] = {name: "{ns} {k8sname}" for name in TABLES["kubernetes"]}
OTHER_CALLS_TEMPLATES["github"] = {name: "{ghrepo}" for name in TABLES["github"]}
