"""What Elastic's integrations make of the three logs, put back as their services write them."""

from __future__ import annotations

from nhi_watch.intake.shapes.forms import Table, Tree, inner, part, put, rebuild

_IN = "aws_bedrock.invocation"
_BEDROCK = {
    "timestamp": "@timestamp",
    "operation": "event.action",
    "identity.arn": "user.id",
    "accountId": "cloud.account.id",
    "region": "cloud.region",
    "schemaType": f"{_IN}.schema_type",
    "requestId": f"{_IN}.request_id",
    "modelId": f"{_IN}.model_id",
    "errorCode": f"{_IN}.error_code",
    "input.inputTokenCount": f"{_IN}.input.input_token_count",
    "output.outputTokenCount": f"{_IN}.output.output_token_count",
    "output.outputBodyJson": f"{_IN}.output.output_body_json",
}
# What the integration renames inside an answer, and how the log spells it.
_RENAMED = {"stop_reason": "stopReason", "amazon_bedrock_guardrail_action": "amazon-bedrock-guardrailAction"}
# What pipelines move out of the record, which otherwise lies in `openai.audit` and `anthropic.audit`.
_OPENAI = {"id": "event.id", "effective_at": "@timestamp"}
_OPENAI_ACTORS: dict[str, Table] = {
    "session": {
        "actor.session.ip_address": "source.ip",
        "actor.session.user.id": "user.id",
        "actor.session.user.email": "user.email",
        "actor.session.user_agent": "user_agent.original",
    },
    "api_key": {"actor.api_key.service_account.id": "service.id"},
}
_ANTHROPIC = {
    "id": "event.id",
    "type": "event.action",
    "created_at": "@timestamp",
    "organization_id": "organization.id",
    "user_id": "user.target.id",
    "status_code": "http.response.status_code",
    "actor.ip_address": "source.ip",
    "actor.user_agent": "user_agent.original",
}
_ANTHROPIC_ACTORS: dict[str, Table] = {
    "user_actor": {"actor.user_id": "user.id", "actor.email_address": "user.email"},
    "anthropic_actor": {"actor.email_address": "user.email"},
}
CHATGPT = "openai_chatgpt_enterprise"
_CHATGPT = {
    "event_id": "event.id",
    "timestamp": "@timestamp",
    "principal.id": "organization.id",
    "actor.user_id": "user.id",
    "actor.user_email": "user.email",
    "request_metadata.client_ip": "source.ip",
    "request_metadata.client_user_agent": "user_agent.original",
    "action": "event.action",
    "event_details.agent_id": "gen_ai.agent.id",
    "event_details.model": "gen_ai.request.model",
    "event_details.tool_name": "gen_ai.tool.name",
    "event_details.error_code": "error.code",
    "event_details.token_usage.input_tokens": "gen_ai.usage.input_tokens",
    "event_details.token_usage.output_tokens": "gen_ai.usage.output_tokens",
}


def bedrock(document: Tree) -> Tree:
    """A record of the model invocation log."""
    tree = rebuild(document, _BEDROCK)
    body = inner(tree, "output").get("outputBodyJson")
    for one in body if isinstance(body, list) else [body]:
        if isinstance(one, dict):
            one.update({told: one[name] for name, told in _RENAMED.items() if name in one})
    tree.setdefault("schemaType", "ModelInvocationLog")
    return tree


def openai(document: Tree) -> Tree:
    """A record of the organisation's audit log; an action is spelled with hyphens for dots there."""
    action = part(document, "event").get("action")
    tree = _told(document, "openai.audit", _OPENAI, _OPENAI_ACTORS)
    if action.__class__ is str:
        put(tree, "type", action.replace("-", "."))
    return {**tree, "object": "organization.audit_log"}


def anthropic(document: Tree) -> Tree:
    """A record of the Compliance API's activities."""
    return _told(document, "anthropic.audit", _ANTHROPIC, _ANTHROPIC_ACTORS)


def chatgpt(document: Tree) -> Tree:
    """A record of one of ChatGPT Enterprise's compliance logs."""
    stream = next(iter(part(document, CHATGPT)), "")
    return _told(document, f"{CHATGPT}.{stream}", _CHATGPT, {})


def _told(document: Tree, place: str, table: Table, actors: dict[str, Table]) -> Tree:
    kept = part(document, place)
    actor = inner(kept, "actor")
    kind = actor.get("type")
    own = actors.get(kind, {}) if kind.__class__ is str else {}
    tree = rebuild(document, {**table, **own})
    rest = {name: value for name, value in kept.items() if name != "actor"}
    for name, value in {**rest, **{f"actor.{name}": value for name, value in actor.items()}}.items():
        put(tree, name, value)
    return tree
