"""GitHub's audit log and Okta's system log out of OCSF."""

from __future__ import annotations

from nhi_watch.intake.schemas.ocsf.undo import steps, undone
from nhi_watch.intake.shapes.forms import Tree, at, inner
from nhi_watch.intake.shapes.values import text

_GITHUB = steps({
    "action": "metadata.event_code",
    "action|2": "api.operation",
    "_document_id": "metadata.uid",
    "@timestamp": "time",
    "@timestamp|2": "time_dt",
    "actor": "actor.user.name",
    "actor_id": "actor.user.uid",
    "actor_session": "actor.session.uid",
    "org": "actor.user.account.name",
    "org_id": "actor.user.account.uid",
    "actor_ip": "src_endpoint.ip",
    "user_agent": "http_request.user_agent",
    "request_method": "http_request.http_method",
    "url_path": "http_request.url.path",
    "repo": "resources.name",
    "repository_id": "resources.uid",
    "user": "user.name",
    "user_id": "user.uid",
    "team": "group.name",
})


def github(event: Tree) -> Tree:
    """The entry of GitHub's audit log."""
    return undone(event, _GITHUB)


_OKTA = steps({
    "eventType": "metadata.event_code",
    "eventType|2": "api.operation",
    "uuid": "metadata.uid",
    "published": "time",
    "published|2": "time_dt",
    "displayMessage": "message",
    "actor.id": "actor.user.uid",
    "actor.type": "actor.user.type",
    "actor.displayName": "actor.user.name",
    "actor.alternateId": "actor.user.email_addr",
    "authenticationContext.externalSessionId": "actor.session.uid",
    "client.ipAddress": "src_endpoint.ip",
    "client.ipAddress|2": "evidences.src_endpoint.ip",
    "client.userAgent.rawUserAgent": "http_request.user_agent",
    "outcome.reason": "status_detail",
    "debugContext.debugData.url": "dst_endpoint.svc_name",
})
_RESULTS = {"success": "SUCCESS", "failure": "FAILURE", "denied": "DENY", "allowed": "ALLOW"}


def okta(event: Tree) -> Tree:
    """The entry of Okta's system log; a finding of class 2004 is one, too."""
    record = undone(event, _OKTA)
    result = text(event.get("status")) or text(event.get("action"))
    reason = inner(record, "outcome").get("reason") or at(event, "finding_info.title")
    record["outcome"] = {"result": _RESULTS.get(result.lower(), result.upper()), "reason": reason}
    record.setdefault("target", _targets(event))
    return record


def _targets(event: Tree) -> list[Tree]:
    """Whom and what it was done to, the thing before the person, as Okta has them."""
    entity = inner(event, "entity")
    things = [(inner(entity, "policy") or entity, "PolicyEntity"), (inner(event, "group"), "UserGroup"),
              (inner(event, "user"), "User")]  # fmt: skip
    return [
        {"id": told.get("uid"), "type": text(told.get("type")) or kind, "displayName": told.get("name"),
         "alternateId": told.get("email_addr")} for told, kind in things if told
    ]  # fmt: skip
