"""What GitHub's audit log tells about an entry: who acts, at what level, and traits."""

from __future__ import annotations

import re
from typing import NamedTuple

from nhi_watch.context import agents
from nhi_watch.core.event import Identity


class Facts(NamedTuple):
    """The values that an Event depends on, by GitHub's names; "" where not told."""

    action: str
    actor: str = ""
    actor_is_bot: str = ""
    programmatic_access_type: str = ""
    actor_id: str = ""
    org: str = ""
    business: str = ""
    repo: str = ""
    repository: str = ""
    repo_id: str = ""
    hashed_token: str = ""
    token_id: str = ""
    workflow_run_id: str = ""
    user_agent: str = ""
    actor_ip: str = ""
    status_code: str = ""
    request_method: str = ""
    route: str = ""
    integration: str = ""
    oauth_application: str = ""
    oauth_application_id: str = ""
    application_client_id: str = ""
    event: str = ""
    conclusion: str = ""
    visibility: str = ""
    public_repo: str = ""
    permission: str = ""
    user: str = ""
    team: str = ""
    fingerprint: str = ""
    transport_protocol_name: str = ""
    publicly_leaked: str = ""


_ACTIONS_BOT = "github-actions[bot]"
# Entries of a workflow that are its own doing; cancelling, deleting, approving are a person's.
_RUNS = ("workflows.created_workflow_run", "workflows.completed_workflow_run", "workflows.prepared_workflow_job")


def kind_of(actor: str, is_bot: str, access_type: str, action: str) -> str:
    """What kind of identity acts.

    >>> kind_of("a", "", "Personal access token (classic)", "git.clone"), kind_of("x[bot]", "", "", "git.push")
    ('token', 'app')
    >>> kind_of("", "", "", "secret_scanning_alert.create"), kind_of("", "", "", "git.clone")
    ('service', 'anonymous')
    """
    if action in _RUNS or actor == _ACTIONS_BOT:
        return "workflow"
    access = access_type.lower()
    if "deploy key" in access or actor == "deploy_key":
        return "deploy_key"
    if "server-to-server" in access or "installation" in access or "github app" in access:
        return "app"
    if actor.endswith("[bot]") or is_bot in ("true", "1"):
        return "app"
    if "oauth" in access:
        return "oauth_app"
    if "token" in access or "ssh" in access:
        return "token"
    if not actor:
        return "anonymous" if action.startswith("git.") else "service"
    return "service" if actor == "github" else "user"


def identity_of(kind: str, f: Facts) -> Identity:
    """The identity, by the first id of its kind that is told."""
    home = f.org or f.business
    if kind == "workflow":
        return _workflow(home, f)
    if kind == "service":
        return Identity(f"github:{home}:service:github", "github", kind, "github", home, "")
    if kind == "anonymous":
        return Identity(f"github:{home}:anonymous", "anonymous", kind, "github", home, "")
    if kind == "deploy_key":
        key = f.hashed_token or f.fingerprint or f.token_id or f"{f.repo or f.repository}"
        return _made(home, kind, "", key or "unknown", f"deploy key {key} of {f.repo or f.repository}")
    if kind == "oauth_app":
        return _oauth(home, f)
    if kind == "app":
        return _app(home, f)
    if kind == "token":
        return _made(home, kind, f.actor_id, f.actor, f"{f.actor} (token)")
    return _made(home, kind, f.actor_id, f.actor, f.actor)._replace(human="web_session")  # no token is told


def _workflow(home: str, f: Facts) -> Identity:
    repo = f.repo or f.repository
    if not repo and not f.repo_id:
        return _made(home, "app", f.actor_id, _ACTIONS_BOT, _ACTIONS_BOT)
    return _made(home, "workflow", f.repo_id, repo.lower(), f"repo:{repo}")


def _app(home: str, f: Facts) -> Identity:
    """A bot is its app. An app that acts for a user has the user as actor: then only the app's name tells."""
    if f.actor.endswith("[bot]") or f.actor_is_bot in ("true", "1"):
        return _made(home, "app", f.actor_id, f.actor, f.integration or f.actor)
    told = f.application_client_id or f.oauth_application_id or f.integration
    if told:
        return _made(home, "app", told, told, f.integration or told)
    return _made(home, "token", f.actor_id, f.actor, f"{f.actor} (token)")


def _oauth(home: str, f: Facts) -> Identity:
    told = f.oauth_application_id or f.application_client_id or f.oauth_application
    if told:
        return _made(home, "oauth_app", told, told, f.oauth_application or told)
    return _made(home, "token", f.actor_id, f.actor, f"{f.actor} (token)")


def links_of(who: Identity, credential: str) -> tuple[str, ...]:
    """The subject of the tokens that a workflow gets for clouds, and a token's own hash.

    >>> links_of(Identity("github::workflow:7", "repo:acme/shop", "workflow", "github", "", ""), "")
    ('oidc:repo:acme/shop',)
    """
    if who.kind == "workflow":
        return (f"oidc:{who.name}"[:512],) if who.name.startswith("repo:") else ()
    return (f"token:{credential[:128]}",) if credential else ()


def _made(home: str, kind: str, unique: str, name: str, shown: str) -> Identity:
    identifier = f"github::{kind}:{unique}" if unique else f"github:{home}:{kind}:{name}"
    return Identity(identifier[:512], shown[:512], kind, "github", home, "")


_READS = re.compile(r"(?:^|[._])(?:clone|fetch|download|download_zip|export|export_\w+|view|list|search|access_log)$")
_GRANTS = re.compile(r"(?:^|[._])(?:add|grant|invite|promote|approve|elevate)\w*$|role|permission|policy|_key\.")


def level_of(operation: str, level: str) -> str:
    """The access level: the table's, else by method or verb; what an audit log names is mostly a change.

    >>> level_of("GET:/repos/{owner}/{repo}/pulls", "unknown"), level_of("GET:/user", "unknown")
    ('list', 'read')
    >>> level_of("git.clone", "unknown"), level_of("org.add_member", "unknown"), level_of("issue.close", "unknown")
    ('read', 'permissions', 'write')
    """
    if level != "unknown":
        return level
    method, found, route = operation.partition(":/")
    if found:
        if method not in ("GET", "HEAD"):
            return "write"
        return "list" if route.endswith("s") else "read"
    if _READS.search(operation):
        return "read"
    return "permissions" if _GRANTS.search(operation) else "write"


_BY_ACTION = {
    "consent": "org.oauth_app_access_approved integration_installation.create org_credential_authorization.grant "
    "personal_access_token.access_granted personal_access_token.request_approved oauth_authorization.create "
    "integration_installation_request.create org.disable_oauth_app_restrictions "
    "auto_approve_personal_access_token_requests.enable",
    "scope_growth": "integration_installation.repositories_added integration_installation.version_updated "
    "oauth_authorization.update integration_installation.unsuspend personal_access_token.permissions_updated",
    "runner_added": "org.register_self_hosted_runner repo.register_self_hosted_runner "
    "enterprise.register_self_hosted_runner org.runner_group_created enterprise.runner_group_created",
    "fork_workflow": "repo.set_fork_pr_workflows_policy org.set_fork_pr_workflows_policy "
    "repo.set_actions_fork_pr_approvals_policy org.set_actions_fork_pr_approvals_policy",
    "new_credential_on_app": "integration.generate_client_secret oauth_application.generate_client_secret "
    "oauth_application.reset_secret integration.generate_private_key integration.create oauth_application.create",
    "mass_export": "repo.download_zip org.audit_log_export business.audit_log_export migration.create "
    "org.export_member_list org.audit_log_git_event_export business.audit_log_git_event_export",
    "shared_outside": "repo.transfer_outgoing repo.transfer_start org.add_outside_collaborator hook.create",
    "admin_policy": "business.add_admin business.invite_admin org.set_default_workflow_permissions "
    "protected_branch.policy_override repository_ruleset.destroy protected_branch.destroy "
    "org.disable_two_factor_requirement org.disable_saml org.saml_disabled ip_allow_list.disable",
    "logging_reduced": "audit_log_streaming.destroy audit_log_streaming.update business.disable_audit_log_streaming "
    "secret_scanning.disable repository_secret_scanning.disable secret_scanning_new_repos.disable "
    "repository_secret_scanning_push_protection.disable secret_scanning_push_protection.disable "
    "dependabot_alerts.disable repository_vulnerability_alerts.disable business_advanced_security.disabled",
    "secret_alert": "secret_scanning_alert.create secret_scanning_alert.public_leak "
    "secret_scanning_alert.reopen secret_scanning_alert.validate",
    "push_protection_bypassed": "secret_scanning_push_protection.bypass "
    "secret_scanning_push_protection_request.approve",
}
_TRAITS: dict[str, list[str]] = {}
for _trait, _names in _BY_ACTION.items():
    for _name in _names.split():
        _TRAITS.setdefault(_name, []).append(_trait)

_FROM_OUTSIDE = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "fork")


def traits_of(operation: str, f: Facts) -> tuple[str, ...]:
    """Sorted traits of an entry."""
    repo = f.repo or f.repository
    key = f.action in ("public_key.create", "deploy_key.create") and bool(repo)
    bot = f.actor == _ACTIONS_BOT
    outside = f.action.startswith("workflows.") and f.event in _FROM_OUTSIDE
    opened = f.action in ("repo.access", "repo.create") and "public" in (f.visibility, f.permission)
    about = f.user and f.actor and f.user.lower() != f.actor.lower()
    told = {
        "browser": agents.family(f.user_agent) == "browser",
        "attack_tool": agents.is_attack_tool(f.user_agent),
        "deploy_key": key,
        "fork_workflow": outside,
        "dispatched_by_bot": bot and f.event == "workflow_dispatch",
        "public": opened or f.publicly_leaked == "true",
        "admin_policy": f.permission == "admin" or "admin" in f.action.rpartition(".")[2],
        "for_other": bool(about),
    }
    return tuple(sorted({*(t for t, holds in told.items() if holds), *_TRAITS.get(f.action, ())}))
