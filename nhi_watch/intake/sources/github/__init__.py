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

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.forms import at, dataset, native, part
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import filled, text
from nhi_watch.intake.sources.github.facts import Facts, identity_of, kind_of, level_of, links_of, traits_of

NAME = "github"
SPLUNK_SOURCETYPES = ("github:cloud:audit", "github:enterprise:audit")
ELASTIC_INDICES = ("logs-github.audit-*", "logs-github.audit_enterprise-*", "logs-github.api_requests-*")

_DATASETS = ("github.audit", "github.audit_enterprise", "github.api_requests")
_SESSION_KINDS = ("app", "workflow")
_OF_REPOSITORIES = ("workflow", "deploy_key")
# Other products have an `action` too; here it lies beside some of these, flat.
_MARKS = ("_document_id", "org", "org_id", "business", "repo", "actor_location", "hashed_token", "actor_id", "actor")
_OTHERS = {"entity", "eventName", "resource", "verb", "Operation", "context"}
_RAW_MARKS = ('"_document_id"', '"org"', '"business"', '"repo"', '"actor"')
_TIMES = ('"created_at"', '"@timestamp"', '"at_sign_timestamp"')
NAMES = Facts._fields
_INTEGRATION = NAMES.index("integration") - NAMES.index("user_agent")


def claims(record: object) -> bool:
    """Whether the record is an entry of GitHub's audit log, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Mapping[str, Any], record)
    raw: Any = row.get("_raw")
    if raw.__class__ is str:
        return '"action"' in raw and any(t in raw for t in _TIMES) and any(m in raw for m in _RAW_MARKS)
    told = row.get("action").__class__ is str
    if told and "_document_id" in row:
        return True
    actor = row.get("actor")
    if told and (actor is None or actor.__class__ is str):
        return not _OTHERS & row.keys() and any(mark in row for mark in _MARKS)
    return dataset(row) in _DATASETS


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
        owner, found, _ = repo.partition("/")
        repo, repo_id = owner + "/" if found else "repo", None
    if user is not None:
        told = text(user).lower()
        user = "another" if told and actor and told != text(actor).lower() else None
    shape = (action, actor, is_bot, access, actor_id, org, business, repo, None, repo_id, token, token_id, None,
             *middle, user, None, fingerprint, transport, leaked)  # fmt: skip
    return shape, session[:128], target[:200]


@lru_cache(maxsize=4096)
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
        raise RejectError("no_action", "action is missing or no text")
    time = moment(row.get("@timestamp") or row.get("created_at") or row.get("at_sign_timestamp"))
    shape, session, target = _trimmed(values)
    told = text(row.get("_document_id") or row.get("document_id"), 256)
    more = (row.get("user"), row.get("team"), row.get("name"))
    return filled(_event(shape), time, told, session, target, *more)


def _of_ecs(document: Mapping[str, Any]) -> dict[str, Any]:
    inner: Any = document.get("github")
    event, user = part(document, "event"), part(document, "user")
    row = dict(inner) if inner.__class__ is dict else {}
    renamed = {
        "_document_id": event.get("id"),
        "action": event.get("action"),
        "actor": user.get("name"),
        "user": part(user, "target").get("name"),
        "@timestamp": document.get("@timestamp"),
    }
    row.update((name, value) for name, value in renamed.items() if value is not None)
    row.setdefault("user_agent", part(document, "user_agent").get("original"))
    if "actor_ip" not in row and "actor_location" not in row:
        row["actor_ip"] = part(document, "source").get("ip")
    return row


@lru_cache(maxsize=4096)
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
    return Event(
        time=0,
        provider="github",
        account=f.org or f.business or owner,
        identity=who,
        credential=credential[:128],
        credential_type=_credential_type(kind, credential, f),
        session="",
        action=f"github:{operation}",
        service="github",
        access=level_of(operation, actions.access("github", operation)),
        outcome=_outcome(f),
        error=_error(f),
        address=f.actor_ip[:128],
        network=networks.network_of(f.actor_ip),
        agent=agents.family(f.user_agent),
        target_class=("own" if owner == f.org.lower() else "foreign") if owner and f.org else "",
        traits=traits_of(operation, f),
        issued=f.fingerprint if operation.endswith("key.create") else "",
        links=links_of(who, credential),
    )


def _operation(f: Facts) -> str:
    if f.action.strip() == "api.request" and f.route:
        return f"{f.request_method or 'ANY'}:{f.route.replace(' ', '')}"[:110]
    return f.action.strip()[:110]


def _credential_type(kind: str, credential: str, f: Facts) -> str:
    if kind in ("service", "anonymous"):
        return "service" if kind == "service" else "none"
    if kind in _SESSION_KINDS:
        return "session"
    if credential or kind in ("token", "deploy_key", "oauth_app"):
        return "key"
    return "console" if agents.family(f.user_agent) == "browser" else "none"


def _error(f: Facts) -> str:
    if f.status_code[:1] in ("4", "5"):
        return f.status_code
    return f.conclusion if f.conclusion in ("failure", "startup_failure", "timed_out") else ""


def _outcome(f: Facts) -> str:
    if f.status_code in ("401", "403", "404") or f.action.endswith("rejected_ref_update"):
        return "denied"
    return "failure" if _error(f) or f.action.endswith(".failed_login") else "success"
