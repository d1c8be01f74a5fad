"""GitHub: the audit log of an organisation or an enterprise (cloud or server), API requests and Git events included.

Who acts:

- A GitHub or OAuth app is an identity (`app`, `oauth_app`), for whomever it acts.
- What a person's personal access tokens and SSH keys do is an identity of its own (`token`), beside what the
  person does without one (`user`, a person where a browser is seen); the token's hash is the credential. So a
  rotated token stays at home and a stolen one is news.
- A workflow is its repository (`workflow`): `github-actions[bot]` and the runs of workflows. The run is the session.
- A deploy key is an identity (`deploy_key`). GitHub itself is a `service`; Git without credentials is `anonymous`.

Numeric ids are unique in all of GitHub, so identities with one have no account in their id. Operations of
`api.request` are method and route, as in `GET:/repos/{owner}/{repo}/pulls`. A status of 401, 403 or 404 is
denied: GitHub hides what one may not see. Addresses are there only if the owner has turned their disclosure on.

Traits, besides `browser` and `attack_tool`: consent (an app or token gets access), scope_growth, deploy_key,
runner_added, fork_workflow (code from outside runs with secrets), dispatched_by_bot, new_credential_on_app,
mass_export, public, shared_outside, admin_policy, for_other (done to another user), logging_reduced, secret_alert,
push_protection_bypassed.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections import namedtuple
from typing import Any

from nhi_watch.context import actions, agents
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, inner, native, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, moment, text

# ---- facts
#
# What GitHub's audit log says about an entry: who acts, at what level, and traits.


Facts = namedtuple(
    "Facts",
    (
        "action actor actor_is_bot programmatic_access_type actor_id org business repo repository repo_id hashed_token "
        "token_id workflow_run_id user_agent actor_ip status_code request_method route integration oauth_application "
        "oauth_application_id application_client_id event conclusion visibility public_repo permission user team "
        "fingerprint transport_protocol_name publicly_leaked"
    ),
)
"""The values that an Event depends on, by GitHub's names; "" where not given."""


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
    """The identity, by the first id of its kind that is given."""
    owner, repo = f.org or f.business, f.repo or f.repository
    if kind in ("service", "anonymous"):
        path, name = ("service:github", "github") if kind == "service" else (kind, kind)
        return Identity(f"github:{owner}:{path}", name, kind, "github", owner, "")
    if kind == "workflow" and (repo or f.repo_id):
        return _identity(owner, kind, f.repo_id, repo.lower(), f"repo:{repo}")
    if kind == "workflow":
        return _identity(owner, "app", f.actor_id, _ACTIONS_BOT, _ACTIONS_BOT)
    if kind == "deploy_key":
        key = f.hashed_token or f.fingerprint or f.token_id or repo
        return _identity(owner, kind, "", key or "unknown", f"deploy key {key} of {repo}")
    if kind == "app" and (f.actor.endswith("[bot]") or f.actor_is_bot in ("true", "1")):
        return _identity(owner, kind, f.actor_id, f.actor, f.integration or f.actor)
    if kind in ("app", "oauth_app"):  # one that acts for a user has the user as actor: then only its own name shows it
        ids = f.oauth_application_id, f.application_client_id
        named = f.integration if kind == "app" else f.oauth_application
        unique = next(filter(None, (*(ids if kind == "oauth_app" else ids[::-1]), named)), "")
        if unique:
            return _identity(owner, kind, unique, unique, named or unique)
        kind = "token"
    if kind == "token":
        return _identity(owner, kind, f.actor_id, f.actor, f"{f.actor} (token)")
    return _identity(owner, kind, f.actor_id, f.actor, f.actor)._replace(human="web_session")  # no token is logged


def links_of(who: Identity, credential: str) -> tuple[str, ...]:
    """The subject of the tokens that a workflow gets for clouds, and a token's own hash.

    >>> links_of(Identity("github::workflow:7", "repo:acme/shop", "workflow", "github", "", ""), "")
    ('oidc:repo:acme/shop',)
    """
    if who.kind == "workflow":
        return (f"oidc:{who.name}"[:512],) if who.name.startswith("repo:") else ()
    return (f"token:{credential[:128]}",) if credential else ()


def _identity(owner: str, kind: str, unique: str, name: str, shown: str) -> Identity:
    identifier = f"github::{kind}:{unique}" if unique else f"github:{owner}:{kind}:{name}"
    return Identity(identifier[:512], shown[:512], kind, "github", owner, "")


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
    method, parts, route = operation.partition(":/")
    if parts:
        if method not in ("GET", "HEAD"):
            return "write"
        return "list" if route.endswith("s") else "read"
    if _READS.search(operation):
        return "read"
    return "permissions" if _GRANTS.search(operation) else "write"


_FROM_OUTSIDE = ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "fork")


def _traits(f: Facts) -> dict[str, object]:
    """What an entry says beside its action's name."""
    opened = f.action in ("repo.access", "repo.create") and "public" in (f.visibility, f.permission)
    return {
        "deploy_key": f.action in ("public_key.create", "deploy_key.create") and (f.repo or f.repository),
        "fork_workflow": f.action.startswith("workflows.") and f.event in _FROM_OUTSIDE,
        "dispatched_by_bot": f.actor == _ACTIONS_BOT and f.event == "workflow_dispatch",
        "public": opened or f.publicly_leaked == "true",
        "admin_policy": f.permission == "admin" or "admin" in f.action.rpartition(".")[2],
        "for_other": f.user and f.actor and f.user.lower() != f.actor.lower(),
    }


# ---- github


NAME = "github"
SPLUNK_SOURCETYPES = ("github:cloud:audit", "github:enterprise:audit")
ELASTIC_INDICES = ("logs-github.audit-*", "logs-github.audit_enterprise-*", "logs-github.api_requests-*")

_DATASETS = ("github.audit", "github.audit_enterprise", "github.api_requests")
_SESSION_KINDS = ("app", "workflow")
_FAILED = ("failure", "startup_failure", "timed_out")
_OF_REPOSITORIES = ("workflow", "deploy_key")
# Other products have an `action` too; here it lies beside some of these, flat.
_MARKS = ("_document_id", "org", "org_id", "business", "repo", "actor_location", "hashed_token", "actor_id", "actor")
_OTHERS = {"entity", "eventName", "resource", "verb", "Operation", "context"}
_RAW_MARKS = ('"_document_id"', '"org"', '"business"', '"repo"', '"actor"')
_TIMES = ('"created_at"', '"@timestamp"', '"at_sign_timestamp"')
NAMES = Facts._fields
_INTEGRATION = NAMES.index("integration") - NAMES.index("user_agent")


def _is_row(row: Tree) -> bool:
    is_entry, actor = row.get("action").__class__ is str, row.get("actor")
    flat = actor is None or actor.__class__ is str
    return is_entry and ("_document_id" in row or (flat and not _OTHERS & row.keys() and any(m in row for m in _MARKS)))


claims = claimant(_is_row, (('"action"',), _TIMES, _RAW_MARKS), *_DATASETS)
"""Whether the record is an entry of GitHub's audit log, in any of its three shapes."""


def _trimmed(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], str, str]:
    """Values without what changes from session to session and target to target; session and target."""
    (action, actor, is_bot, access, actor_id, org, business, repo, repository, repo_id, token, token_id, run,
     *middle, user, team, fingerprint, transport, leaked) = values  # fmt: skip
    repo = text(repo) or text(repository)
    kind = _kind(actor, is_bot, access, action)
    session = ""
    if kind in _SESSION_KINDS:
        session = (text(run) if kind == "workflow" else "") or text(token)
        token = token_id = None
    target = repo or text(middle[_INTEGRATION]) or text(team) or text(user)
    if repo and kind not in _OF_REPOSITORIES:
        # Only its owner counts; the repository itself is the target.
        owner, parts, _ = repo.partition("/")
        repo, repo_id = owner + "/" if parts else "repo", None
    if user is not None:
        login = text(user).lower()
        user = "another" if login and actor and login != text(actor).lower() else None
    shape = (action, actor, is_bot, access, actor_id, org, business, repo, None, repo_id, token, token_id, None,
             *middle, user, None, fingerprint, transport, leaked)  # fmt: skip
    return shape, session[:128], target[:200]


@remembered(4096)
def _kind(actor: object, is_bot: object, access_type: object, action: object) -> str:
    return kind_of(text(actor), text(is_bot), text(access_type), text(action))


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    if is_ecs:
        row = _of_ecs(row)
    data = row.get("data")
    if data.__class__ is dict:  # before 2022, some values lay one level deeper
        row = {**data, **row}
    if not row.get("actor_ip"):
        row = {**row, "actor_ip": at(row, "actor_location.ip")}
    values = tuple(v if v.__class__ is str else text(v) or None for v in map(row.get, NAMES))
    if not values[0]:
        raise RejectError("no_action", "action is missing or not text")
    time = moment(row.get("@timestamp") or row.get("created_at") or row.get("at_sign_timestamp"))
    shape, session, target = _trimmed(values)
    document_id = text(row.get("_document_id") or row.get("document_id"), 256)
    more = (row.get("user"), row.get("team"), row.get("name"))
    return filled(_event(shape), time, document_id, session, target, *more)


_ECS = {
    "_document_id": "event.id",
    "action": "event.action",
    "actor": "user.name",
    "user": "user.target.name",
    "@timestamp": "@timestamp",
}


def _of_ecs(document: Tree) -> Tree:
    row = {**inner(document, "github"), **rebuild(document, _ECS)}
    row.setdefault("user_agent", at(document, "user_agent.original"))
    if "actor_ip" not in row and "actor_location" not in row:
        row["actor_ip"] = at(document, "source.ip")
    return row


@remembered(4096)
def _event(shape: tuple[Any, ...]) -> Event:
    """The Event of a shape, without what differs from record to record."""
    f = Facts(*map(text, shape))
    kind = kind_of(f.actor, f.actor_is_bot, f.programmatic_access_type, f.action)
    if kind == "workflow" and not f.actor.endswith("[bot]"):
        f = f._replace(actor_ip="", user_agent="")  # those of the person who started it
    who = identity_of(kind, f)
    operation = _operation(f)
    repo = f.repo or f.repository
    owner = repo.partition("/")[0].lower() if "/" in repo else ""
    credential = "" if kind in _SESSION_KINDS else f.hashed_token or f.token_id
    error = f.status_code if f.status_code[:1] in ("4", "5") else f.conclusion if f.conclusion in _FAILED else ""
    denied = f.status_code in ("401", "403", "404") or f.action.endswith("rejected_ref_update")
    failed = error or f.action.endswith(".failed_login")
    return build_event(
        0,
        who,
        f"github:{operation}",
        account=f.org or f.business or owner,
        credential=credential[:128],
        credential_type=_credential_type(kind, credential, f),
        error=error,
        outcome="denied" if denied else "failure" if failed else "success",
        access=level_of(operation, actions.access("github", operation)),
        address=f.actor_ip,
        user_agent=f.user_agent,
        target_class=("own" if owner == f.org.lower() else "foreign") if owner and f.org else "",
        traits=actions.traits("github", f.action),
        marks=_traits(f),
        issued=f.fingerprint if operation.endswith("key.create") else "",
        links=links_of(who, credential),
    )


def _operation(f: Facts) -> str:
    operation = str(f.action).strip()
    if operation == "api.request" and f.route:
        operation = f"{f.request_method.strip() or 'ANY'}:{''.join(f.route.split())}"
    return operation[:110]


def _credential_type(kind: str, credential: str, f: Facts) -> str:
    if kind in ("service", "anonymous"):
        return "service" if kind == "service" else "none"
    if kind in _SESSION_KINDS:
        return "session"
    if credential or kind in ("token", "deploy_key", "oauth_app"):
        return "key"
    return "console" if agents.family(f.user_agent) == "browser" else "none"
