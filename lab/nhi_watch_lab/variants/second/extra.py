"""Calls, directory audits, events and resources that the frozen second world does not have.

`routine` is imported first: its list of ordinary reads is made from the calls that were there.
"""

from __future__ import annotations

from nhi_watch_lab.second_world import routine, saas, trail
from nhi_watch_lab.tables import text

SAFE_READS = tuple(routine.READ_NAMES)


def extend() -> None:
    """Make the catalogues larger; what was there stays as it is."""
    for file, read in (("reads.txt", True), ("writes.txt", False)):
        for line in text(__file__, file).strip().splitlines():
            service, name, template = line.split(" ", 2)
            known = trail.SPECS.get(name)
            key = name if known is None or known.service == service else f"{service}:{name}"
            trail.SPECS.setdefault(key, trail.Spec(service, name, read, False, None if template == "-" else template))
    saas.AUDITS.update(AUDITS)
    saas.EVENTS.update(EVENTS)
    saas.METHODS.update(METHODS)
    saas.GROUPS.update(GROUPS)


AUDITS = {
    activity: ("Core Directory", category, operation, kind)
    for activity, category, operation, kind in (
        ("Delete user", "UserManagement", "Delete", "User"),
        ("Disable account", "UserManagement", "Update", "User"),
        ("Enable account", "UserManagement", "Update", "User"),
        ("Change user license", "UserManagement", "Update", "User"),
        ("Update StsRefreshTokenValidFrom Timestamp", "UserManagement", "Update", "User"),
        ("Restore user", "UserManagement", "Add", "User"),
        ("Add group", "GroupManagement", "Add", "Group"),
        ("Delete group", "GroupManagement", "Delete", "Group"),
        ("Add owner to group", "GroupManagement", "Assign", "User"),
        ("Remove member from role", "RoleManagement", "Unassign", "User"),
        ("Add eligible member to role", "RoleManagement", "Assign", "User"),
        ("Remove delegated permission grant", "ApplicationManagement", "Unassign", "ServicePrincipal"),
        ("Add app role assignment grant to user", "UserManagement", "Assign", "User"),
    )
}
EVENTS = {
    "user.account.unlock": ("Unlock user account", "core.user.config.user_status.unlock", "/api/v1/users/unlock", "User"),
    "user.lifecycle.suspend": ("Suspend Okta user", "core.user.config.user_suspended", "/api/v1/users/suspend", "User"),
    "user.lifecycle.unsuspend": ("Unsuspend user", "core.user.config.user_unsuspended", "/api/v1/users/unsuspend", "User"),
    "user.session.clear": ("Clear user session", "core.user.sessions.clear", "/api/v1/users/sessions", "User"),
    "user.mfa.factor.deactivate": ("Reset factor for user", "core.user.factor.deactivate", "/api/v1/users/factors", "User"),
    "user.account.expire_password": ("Expire password", "core.user.config.password_expire", "/api/v1/users/expire", "User"),
    "user.account.privilege.revoke": ("Revoke user privilege", "core.user.admin_privilege.revoke", "/api/v1/users/roles", "User"),
    "application.user_membership.remove": (
        "Remove user's application membership", "app.generic.unauth_app_access", "/api/v1/apps/users", "User AppInstance",
    ),
    "group.lifecycle.create": ("Create Okta group", "core.group.create", "/api/v1/groups", "UserGroup"),
    "group.lifecycle.delete": ("Delete Okta group", "core.group.delete", "/api/v1/groups", "UserGroup"),
}  # fmt: skip
_IAM, _SECRETS = "iam.googleapis.com", "secretmanager.googleapis.com"
METHODS = {
    "google.iam.admin.v1.CreateRole": (
        _IAM, "iam.roles.create", "projects/{project}/roles/{unique}", "iam_role", "activity"),
    "google.iam.admin.v1.ListServiceAccountKeys": (
        _IAM, "iam.serviceAccountKeys.list", "projects/-/serviceAccounts/{target}", "service_account", "data_access"),
    "google.iam.admin.v1.DisableServiceAccount": (
        _IAM, "iam.serviceAccounts.disable", "projects/-/serviceAccounts/{target}", "service_account", "activity"),
    "google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion": (
        _SECRETS, "secretmanager.versions.add", "projects/{number}/secrets/{secret}", "audited_resource", "activity"),
    "google.cloud.secretmanager.v1.SecretManagerService.CreateSecret": (
        _SECRETS, "secretmanager.secrets.create", "projects/{number}/secrets/{secret}", "audited_resource", "activity"),
    "storage.buckets.create": (
        "storage.googleapis.com", "storage.buckets.create", "projects/_/buckets/{bucket}", "gcs_bucket", "activity"),
    "v1.compute.firewalls.list": (
        "compute.googleapis.com", "compute.firewalls.list", "projects/{project}/global/firewalls",
        "gce_firewall_rule", "data_access"),
    "v1.compute.disks.createSnapshot": (
        "compute.googleapis.com", "compute.disks.createSnapshot", "projects/{project}/zones/a/disks/{vm}",
        "gce_disk", "activity"),
    "google.cloud.run.v2.Services.UpdateService": (
        "run.googleapis.com", "run.services.update", "projects/{project}/locations/eu/services/{vm}",
        "cloud_run_revision", "activity"),
}  # fmt: skip
GROUPS = {
    resource: group
    for group, resources in (
        ("kafka.strimzi.io", "kafkas kafkausers kafkatopics kafkaconnects"),
        ("cert-manager.io", "certificaterequests issuers clusterissuers"),
        ("acme.cert-manager.io", "orders challenges"),
        ("external-secrets.io", "externalsecrets clustersecretstores"),
        ("velero.io", "backups restores podvolumebackups"),
        ("tekton.dev", "pipelineruns taskruns"),
        ("keda.sh", "scaledobjects"),
        ("policy", "poddisruptionbudgets"),
        ("networking.k8s.io", "networkpolicies"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("argoproj.io", "appprojects rollouts workflows"),
    )
    for resource in resources.split()
}
