"""What befalls a tenant now and then: outages, migrations, tests, audits, clean-ups, backfills, drills, responses, debugging, newcomers' first days."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from nhi_watch_lab.fifth_world import clients
from nhi_watch_lab.fifth_world.kinds import IAC, IACW, SCAN, aws_kinds
from nhi_watch_lab.fifth_world.life import ACTS, AWS_READ, AWS_WRITE, bulk, office_hour, run_place
from nhi_watch_lab.fifth_world.makers import grown, make_machine, person_place
from nhi_watch_lab.fifth_world.model import DAY, HOUR, Chance, Identity, Place
from nhi_watch_lab.tables import lists

from .aws import borrow
from .catalogue import CATALOGUE
from .world import World

DELETIONS = lists(__file__, "tables.json/deletions")
ADMIN = {"okta": ["okta/system.api_token.create", "okta/policy.rule.update", "okta/user.account.privilege.grant", "okta/group.privilege.grant", "okta/app.oauth2.client.lifecycle.create",
    "okta/app.oauth2.client_secret.create", "okta/app.oauth2.client.privilege.grant", "okta/system.idp.lifecycle.create", "okta/system.idp.lifecycle.update",
        "okta/user.mfa.factor.reset_all", "okta/user.mfa.factor.deactivate",
                  "okta/user.account.reset_password", "okta/application.lifecycle.create", "okta/zone.update", "okta/policy.rule.deactivate", "okta/policy.lifecycle.deactivate",
                      "okta/user.lifecycle.activate", "okta/system.log_stream.lifecycle.deactivate", "okta/user.account.report_suspicious_activity_by_enduser"],
         "entra": [key for key in ("entra/Add service principal credentials", "entra/Update application – Certificates and secrets management ",
             "entra/Add app role assignment to service principal", "entra/Consent to application", "entra/Add application", "entra/Add service principal", "entra/Add owner to application",
                 "entra/Add member to role", "entra/Invite external user", "entra/Add owner to service principal",
                                   "entra/Update conditional access policy", "entra/Add delegated permission grant", "entra/Create federated identity credential",
                                       "entra/Reset user password", "entra/Update authorization policy", "entra/Delete conditional access policy", "entra/Set domain authentication",
                                           "entra/Add unverified domain", "entra/Update service principal")],
         "github": ["gh/org.add_member", "gh/org.update_member", "gh/repo.create", "gh/repo.add_member", "gh/repo.access", "gh/integration_installation.create",
             "gh/integration_installation.repositories_added", "gh/personal_access_token.access_granted", "gh/personal_access_token.request_created", "gh/hook.create",
                 "gh/deploy_key.create", "gh/public_key.create", "gh/org.update_actions_secret", "gh/environment.create_actions_secret",
                    "gh/environment.remove_protection_rule", "gh/repo.register_self_hosted_runner", "gh/repo.remove_self_hosted_runner", "gh/protected_branch.update_admin_enforced",
                        "gh/protected_branch.policy_override", "gh/repository_ruleset.update", "gh/repository_secret_scanning.disable", "gh/repository_vulnerability_alerts.disable",
                            "gh/dependabot_alerts.disable", "gh/codespaces.create", "gh/org_credential_authorization.grant", "gh/repo.transfer", "gh/repo.create_actions_secret"],
         "snowflake": ["snow/create_user", "snow/grant_role", "snow/alter_user", "snow/reset_password", "snow/create_share", "snow/grant_share", "snow/alter_share",
             "snow/create_integration", "snow/create_ext_stage", "snow/alter_user_policy", "snow/alter_account_policy", "snow/create_task", "snow/alter_warehouse", "snow/query_history",
                 "snow/show_databases"],
         "vault": ["vault/policy_write", "vault/approle_write", "vault/approle_secret_id", "vault/approle_role_id", "vault/k8s_role_write", "vault/mount_create", "vault/token_create",
             "vault/userpass_create", "vault/audit_list", "vault/auth_list", "vault/policy_list", "vault/token_accessors", "vault/db_creds", "vault/aws_creds", "vault/transit_export",
                 "vault/audit_disable"],
         "gcp": ["gcp/SetIamPolicy", "gcp/google.iam.admin.v1.CreateServiceAccount", "gcp/google.iam.admin.v1.CreateServiceAccountKey", "gcp/google.iam.admin.v1.SetIAMPolicy",
             "gcp/storage.setIamPermissions", "gcp/v1.compute.firewalls.insert", "gcp/v1.compute.instances.insert", "gcp/google.logging.v2.ConfigServiceV2.UpdateSink",
                 "gcp/v1.compute.instances.setMetadata", "gcp/v1.compute.projects.setCommonInstanceMetadata", "gcp/TestIamPermissions",
                 "gcp/v1.compute.disks.createSnapshot", "gcp/google.cloud.functions.v1.CloudFunctionsService.UpdateFunction",
                     "gcp/google.cloud.secretmanager.v1.SecretManagerService.ListSecrets", "gcp/google.cloud.bigquery.v2.JobService.ExtractJob",
                         "gcp/google.cloud.aiplatform.v1.PredictionService.RawPredict", "gcp/google.logging.v2.ConfigServiceV2.DeleteSink", "gcp/v1.compute.images.setIamPolicy",
                             "gcp/google.cloud.bigquery.v2.TableDataService.List"],
         "azure": ["az/Microsoft.Authorization/roleAssignments/write", "az/Microsoft.KeyVault/vaults/accessPolicies/write", "az/Microsoft.Compute/virtualMachines/runCommand/action",
             "az/Microsoft.Automation/automationAccounts/runbooks/write", "az/Microsoft.Automation/automationAccounts/webhooks/write",
                 "az/Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", "az/Microsoft.Sql/servers/firewallRules/write",
                     "az/Microsoft.CognitiveServices/accounts/listKeys/action",
                   "az/Microsoft.CognitiveServices/accounts/deployments/write", "az/Microsoft.Insights/diagnosticSettings/write", "az/Microsoft.Compute/snapshots/beginGetAccess/action",
                       "az/Microsoft.Compute/disks/beginGetAccess/action", "az/Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
                           "az/Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "az/Microsoft.Storage/storageAccounts/regenerateKey/action",
                               "az/Microsoft.Storage/storageAccounts/ListAccountSas/action",
                   "az/Microsoft.Web/sites/publishxml/action", "az/Microsoft.Sql/servers/databases/export/action", "az/Microsoft.ContainerRegistry/registries/listCredentials/action",
                       "az/Microsoft.Authorization/policyAssignments/delete", "az/Microsoft.Network/networkSecurityGroups/securityRules/write",
                           "az/Microsoft.Compute/virtualMachines/extensions/write", "az/Microsoft.MachineLearningServices/workspaces/computes/write",
                               "az/Microsoft.Automation/automationAccounts/jobs/write"],
         "kubernetes": ["k8s/create clusterrolebindings.rbac.authorization.k8s.io", "k8s/create rolebindings.rbac.authorization.k8s.io", "k8s/create serviceaccounts", "k8s/create secrets",
             "k8s/list secrets", "k8s/create pods", "k8s/create pods/exec", "k8s/patch clusterroles.rbac.authorization.k8s.io", "k8s/create daemonsets.apps", "k8s/create cronjobs.batch",
                 "k8s/patch nodes", "k8s/get nodes/proxy", "k8s/create selfsubjectrulesreviews.authorization.k8s.io",
                        "k8s/create certificatesigningrequests.certificates.k8s.io", "k8s/create mutatingwebhookconfigurations.admissionregistration.k8s.io", "k8s/update configmaps",
                            "k8s/patch pods/ephemeralcontainers"],
         "m365": ["m365/New-InboxRule", "m365/Set-Mailbox", "m365/Get-Mailbox", "m365/AnonymousLinkCreated", "m365/SiteCollectionAdminAdded", "m365/New-TransportRule",
             "m365/New-ManagementRoleAssignment", "m365/FileSyncDownloadedFull", "m365/ChatRetrieved", "m365/MessagesListed"]}


def moment(world: World, rng: Chance, person: bool = True) -> float:
    day = rng.randint(1, world.tenant.days - 1)
    return office_hour(world.tenant, day, rng, person) if person else world.tenant.start + (day + rng.random()) * DAY


def several(world: World, who: Identity, ops: List[str], time: float, rng: Chance, place: Optional[Place], gap: float, fail: float = 0.02, args: Optional[Dict[str, Any]] = None) -> float:
    for key in ops:
        world.act(who, key, time, rng, place, args, "denied" if rng.chance(fail) else "")
        time += rng.expovariate(1 / gap)
    return time


def plan_outages(world: World) -> None:
    """Drawn before the routine, which feels them."""
    rng = world.streams("outages")
    for _ in range(int(world.tenant.habits["outages"])):
        start = moment(world, rng, False)
        what = rng.choice(["s3:", "dynamodb:", "sts:", "kms:", "secretsmanager:", "ec2:", "k8s/", "vault/", "snow/", "gh/", "entra/", "gcp/storage", ""])
        world.outages.append((start, start + rng.uniform(0.2, 3) * HOUR, what, rng.uniform(0.3, 0.9)))


def migration(world: World, rng: Chance) -> None:
    """One machine does dozens of calls it never did, for hours."""
    who, time = rng.choice(world.machines), moment(world, rng)
    if not who.alive(time):
        return
    pool = list(IACW) + [item.split("*")[0] for item in IAC] + list(AWS_READ) if who.product == "aws" else ADMIN.get(who.product, []) + list(who.kind.grow)
    ops = rng.sample(pool, min(len(pool), rng.randint(6, 30)))
    where = rng.choice(who.places_at(time))
    for _ in range(rng.randint(1, 3)):
        time = several(world, who, [op for op in ops for _ in range(rng.randint(1, 4))], time, rng, where, rng.log_between(2, 60)) + rng.uniform(60, 7000)


def pentest(world: World, rng: Chance) -> None:
    """A hired test: a new role, wide reads, many refusals, from a hosting provider or the office."""
    kinds = [kind for kind in aws_kinds() if kind.name == "posture-scanner"]
    who = make_machine(world, kinds[0], rng, {})
    who.auth = "user"
    name = rng.choice(["security-assessment", "pentest-2026", "redteam-readonly", "external-audit"]) + "-" + rng.text(3)
    who.ids.update({"username": name, "user": "AIDA" + rng.text(17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "arn": f"arn:aws:iam::{who.account.id if who.account else ''}:user/{name}"})
    who.keys, who.name, who.label = [(0.0, "AKIA" + rng.text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))], name, who.ids["arn"]
    place = Place(world.tenant.network.address(rng, rng.choice(["hosting", "hosting", "office", "home"])), clients.loose("aws", rng), name)
    who.places, time = [(0.0, [place])], moment(world, rng)
    for _ in range(rng.randint(1, 3)):
        ops = rng.sample(AWS_READ, rng.randint(20, min(70, len(AWS_READ)))) + rng.sample(AWS_WRITE, rng.randint(0, 8))
        several(world, who, ops, time, rng, place, rng.log_between(0.5, 20), rng.uniform(0.1, 0.6))
        time += DAY
    world.machines.append(who)


def cleanup(world: World, rng: Chance) -> None:
    """Many deletions in one go by somebody who may."""
    able = [who for who in world.machines + world.people if who.product in DELETIONS and (who.human or "ops" in who.kind.tags or "iac" in who.kind.tags
        or "strong" in who.kind.tags or "person" in who.kind.tags)]
    who, time = rng.choice(able), moment(world, rng)
    if who.alive(time):
        ops = rng.sample(DELETIONS[who.product], min(len(DELETIONS[who.product]), rng.randint(1, 4)))
        several(world, who, [rng.choice(ops) for _ in range(int(rng.log_between(8, 140)))], time, rng, person_place(world, who, time, rng), rng.log_between(0.5, 15))


def backfill(world: World, rng: Chance) -> None:
    who = rng.choice([item for item in world.machines if "data" in item.kind.tags] or world.machines)
    time = moment(world, rng, False)
    if who.alive(time):
        bulk(world, who, time, rng, rng.log_between(4, 30))


def load(world: World, rng: Chance) -> None:
    """Close of a period: long queries and large loads."""
    for who in [item for item in world.machines if item.product in ("snowflake", "gcp") and "data" in item.kind.tags][:3]:
        time = world.tenant.start + rng.uniform(0.5, world.tenant.days - 1) * DAY
        if who.alive(time):
            bulk(world, who, time, rng, rng.log_between(3, 12))


def drill(world: World, rng: Chance) -> None:
    """A recovery test: copies, restores, starts and removal."""
    able = [who for who in world.machines if who.product == "aws" and ("ops" in who.kind.tags or "iac" in who.kind.tags)] or world.machines
    who, time = rng.choice(able), moment(world, rng)
    if who.product == "aws" and who.alive(time):
        ops = ["ec2:DescribeSnapshots"] + ["ec2:CopySnapshot"] * rng.randint(1, 6) + ["ec2:ModifySnapshotAttribute"] * rng.randint(0, 3) + ["ec2:CreateVolume"] * rng.randint(1,
            4) + ["ec2:RunInstances", "ec2:AttachVolume", "rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot", "rds:ModifyDBSnapshotAttribute", "route53:ChangeResourceRecordSets",
                "ec2:TerminateInstances", "rds:DeleteDBInstance"]
        several(world, who, ops, time, rng, rng.choice(who.places_at(time)), 90)


def response(world: World, rng: Chance) -> None:
    """People and bots looking into something: findings, keys off, disks copied."""
    able = [who for who in world.people + world.machines if who.product == "aws" and "strong" in who.kind.tags]
    if not able:
        return
    who, time = rng.choice(able), moment(world, rng, rng.chance(0.7))
    ops = ["guardduty:ListFindings", "guardduty:GetFindings", "cloudtrail:LookupEvents", "cloudtrail:LookupEvents", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed",
        "sts:GetAccessKeyInfo", "iam:UpdateAccessKey", "iam:PutUserPolicy", "iam:GetAccountAuthorizationDetails", "ec2:CreateSnapshot", "ec2:GetConsoleOutput",
            "ec2:ModifyInstanceAttribute", "ec2:RevokeSecurityGroupIngress", "iam:PutRolePolicy", "guardduty:UpdateDetector", "ec2:StopInstances", "iam:DeleteAccessKey"]
    if who.alive(time):
        several(world, who, [op for op in ops if rng.chance(0.7)], time, rng, person_place(world, who, time, rng), 100)


def audit(world: World, rng: Chance) -> None:
    who = rng.choice([item for item in world.people if item.product == "aws"] or world.people)
    time = moment(world, rng)
    if who.product == "aws" and who.alive(time):
        several(world, who, [item.split("*")[0] for item in SCAN for _ in range(rng.randint(1, 4))], time, rng, person_place(world, who, time, rng), 3, 0.06)


def debugging(world: World) -> None:
    """People use a machine's credential: its role under their own name, or its key from their desk."""
    habits, tenant = world.tenant.habits, world.tenant
    crew = [who for who in world.people if who.product == "aws"]
    for who in world.machines:
        rng = world.streams("debug", who.name)
        share = habits["person_script_days"] if "person" in who.kind.tags and who.auth == "user" else habits["debug_days"] * 0.4
        for day in range(tenant.days):
            if not rng.chance(share) or who.auth in ("service", "mi", "node", "vendor", "key", "app", "system") or not crew:
                continue
            person, time = rng.choice(crew), office_hour(tenant, day, rng, True)
            if not who.alive(time):
                continue
            seat = person_place(world, person, time, rng)
            agent, host = clients.loose(who.product, rng) if "Mozilla" in seat.agent or who.product != "aws" else seat.agent, rng.choice(who.places_at(time)).host
            if who.auth != "user" and who.product == "aws":
                host, _ = borrow(world, person, who, time - 20, rng, seat, person.name.split("@")[0] if rng.chance(0.6) else f"botocore-session-{int(time)}")
            place = Place(seat.ip, agent, host)
            known = [habit.op for habit in who.habits]
            extra = list(AWS_READ) if who.product == "aws" else [op for op in ACTS.get(who.product, known)]
            ops = [rng.choice(known) if rng.chance(0.6) else rng.choice(extra) for _ in range(rng.randint(2, 18))]
            several(world, who, ops, time, rng, place, rng.log_between(8, 90), 0.06)


def _introduce(world: World, who: Identity, rng: Chance) -> None:
    """The record of how a newcomer of AWS came to be."""
    able = [item for item in world.machines + world.people if item.product == "aws" and item.account is who.account and (item.human or "iac" in item.kind.tags) and item.alive(who.born - 3600)]
    if who.product == "aws" and able and rng.chance(0.8):
        maker = rng.choice(able)
        time = who.born - rng.uniform(30, 3000)
        place = person_place(world, maker, time, rng) if maker.human else run_place(world, maker, time, rng)
        user, role = who.ids.get("username", ""), who.ids.get("rolename", "")
        ops = ["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"] if user else ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"]
        args: Dict[str, Any] = {"user": user, "base16": who.keys[0][1][4:]} if user else {"rolename": role}
        for op in ops:
            world.act(maker, op, time, rng, place, {**args, "newname": user or role} if op in ("iam:CreateUser", "iam:CreateRole") else args)
            time += rng.uniform(1, 60)


def first_days(world: World) -> None:
    """Newcomers are tried out by hand before they settle."""
    for who in list(world.machines):
        if who.born > world.tenant.start and who.count:
            rng = world.streams("first", who.name)
            _introduce(world, who, rng)
            several(world, who, [habit.op for habit in who.habits] + grown(who, rng), who.born + rng.uniform(60, 9000), rng, rng.choice(who.places_at(who.born)), 40, 0.2)


def administration(world: World) -> None:
    """Rare powerful acts of people in the other products."""
    for product in world.tenant.products:
        crew = [who for who in world.people if who.product == product and "strong" in who.kind.tags] or [who for who in world.people if who.product == product]
        rng = world.streams("admin", product)
        if product in ADMIN and crew:
            for _ in range(int(rng.log_between(8, 60) * world.tenant.days / 24)):
                who, time = rng.choice(crew), moment(world, rng)
                if who.alive(time):
                    several(world, who, rng.sample(ADMIN[product], rng.randint(1, 3)), time, rng, person_place(world, who, time, rng), 60)


def odd_jobs(world: World) -> None:
    """Projects and chores: anybody entitled now and then makes calls that the tenant hardly ever sees."""
    rng, tenant = world.streams("odd"), world.tenant
    for product in tenant.products:
        ops = sorted(op.key for op in CATALOGUE.values() if op.product == product and not op.key.startswith("k8s/") and op.key not in ("entra/signin", "snow/login", "vault/login"))
        able = [who for who in world.machines + world.people if who.product == product and (who.human or set(who.kind.tags) & {"ops", "ci", "iac", "strong",
            "person"}) and who.auth not in ("key", "node")]
        if not able or product == "kubernetes":
            continue
        for _ in range(int(rng.log_between(60, 240) * tenant.days / 24 * (1.0 if product == "aws" else 0.15))):
            who, time = rng.choice(able), moment(world, rng)
            if who.alive(time):
                ops_now = [op for op in rng.sample(ops, rng.randint(1, 3)) for _ in range(rng.randint(1, 4))]
                place = run_place(world, who, time, rng) if not who.human else person_place(world, who, time, rng)
                several(world, who, ops_now, time, rng, place, rng.log_between(3, 60), 0.08)


EPISODES: Dict[str, Callable[[World, Chance], None]] = {"migrations": migration, "pentests": pentest, "cleanups": cleanup, "backfills": backfill, "drills": drill, "responses": response,
    "audits": audit, "loads": load}


def befall(world: World) -> None:
    for name in sorted(EPISODES):
        for number in range(int(world.tenant.habits[name])):
            EPISODES[name](world, world.streams("episode", name, number))
    debugging(world)
    first_days(world)
    administration(world)
    odd_jobs(world)
