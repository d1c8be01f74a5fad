"""AI services: whose key acts, what guards were taken away, and no word of a prompt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.intake.sources import ai

KEY = {"type": "api_key", "api_key": {"type": "service_account", "id": "key-1", "service_account": {"id": "svc-1"}}}


def openai(kind: str, body: Any = None, actor: Any = None) -> dict[str, Any]:
    base = {"id": "audit_log-1", "object": "organization.audit_log", "effective_at": 1772445601}
    return {**base, "type": kind, "actor": actor or KEY, kind: body or {}}


def invocation(**values: Any) -> dict[str, Any]:
    who = {"arn": "arn:aws:sts::111111111111:assumed-role/assistant/i-0abc"}
    base = {"schemaType": "ModelInvocationLog", "timestamp": "2026-03-02T10:00:00Z", "operation": "Converse"}
    return {**base, "accountId": "111111111111", "requestId": "r-1", "identity": who, "modelId": "m", **values}


@pytest.mark.parametrize("log_type", ["OpenAI_Audit", "Anthropic_Activity", "AWS_BedrockModelInvocation"])
def test_every_record_of_the_rule_tests_is_read(log_type: str) -> None:
    lines = shared_data(f"rule-tests/panther/{log_type}.ndjson").read_text().splitlines()
    records = [json.loads(line)["log"] for line in lines]
    assert all(ai.claims(record) for record in records)
    assert all(ai.read(record).access != "unknown" for record in records)


def test_a_key_made_by_a_key_tells_both() -> None:
    event = ai.read(openai("api_key.created", {"id": "key-2", "data": {"scopes": ["all"]}}))
    assert (event.identity.kind, event.credential, event.issued) == ("service_account", "key-1", "key-2")
    assert event.traits == ("broad_scope",)


def test_a_persons_session_is_told_from_a_persons_key() -> None:
    user = {"id": "user-1", "email": "ann@example.com"}
    session = ai.read(openai("project.created", actor={"type": "session", "session": {"user": user}}))
    key = ai.read(openai("project.created", actor={"type": "api_key", "api_key": {"id": "key-3", "user": user}}))
    assert session.identity == key.identity
    assert (session.traits, session.credential, key.traits, key.credential) == (("console",), "", (), "key-3")


def test_the_body_is_found_however_its_name_is_spelled() -> None:
    body = {"id": "key-9", "data": {"scopes": ["models:read"]}}
    spelled = openai("api_key.created", body)
    changed = {k: v for k, v in spelled.items() if k != "api_key.created"}
    assert ai.read({**changed, "api_key_created": body}) == ai.read(spelled)


def test_no_word_of_a_prompt_gets_into_an_event() -> None:
    body = {"messages": [{"content": [{"text": "my secret plan"}]}]}
    event = ai.read(invocation(input={"inputBodyJson": body, "inputTokenCount": 3}))
    assert "secret plan" not in json.dumps(event)


def test_sessions_of_a_role_share_its_identity() -> None:
    other = {"arn": "arn:aws:sts::111111111111:assumed-role/assistant/i-0def"}
    one, two = ai.read(invocation()), ai.read(invocation(identity=other))
    assert one.identity == two.identity
    assert (one.session, two.session) == ("i-0abc", "i-0def")


def workspace(kind: str, **values: Any) -> dict[str, Any]:
    who = {"type": "ACCOUNT_USER", "user_id": "user-1", "user_email": "ann@example.com"}
    place = {"id": "ws-1", "type": "CHATGPT_WORKSPACE"}
    base = {"event_id": "e-1", "type": kind, "principal": place, "timestamp": "2026-03-02T10:00:00Z"}
    return {**base, "actor": who, **values}


def test_what_codex_does_is_the_agents_doing_and_what_its_owner_sets_up_is_his() -> None:
    works = ai.read(workspace("CODEX_LOG", event_details={"session_id": "s", "tool_name": "apply_patch"}))
    set_up = ai.read(workspace("CODEX_LOG", event_type="ACCESS_TOKEN_CREATED", event_details={"access_token_id": "t"}))
    assert (works.identity.kind, works.action, works.links) == (
        "agent", "openai:tool:apply_patch", ("name:openai:ann@example.com",),
    )  # fmt: skip
    assert (set_up.identity.kind, set_up.issued, set_up.traits) == ("user", "t", ("console",))


def test_an_agent_whose_connector_never_asks_has_lost_a_guard() -> None:
    def told(asks: str) -> tuple[str, ...]:
        fields = {"tools": {"connectors": [{"connector_id": "crm", "user_approvals": asks}]}}
        details = {"agent_id": "a", "agent_fields": fields}
        return ai.read(workspace("CUSTOM_AGENTS_LOG", event_type="AGENT_UPDATED", event_details=details)).traits

    assert ("guard_removed" in told("never"), "guard_removed" in told("always")) == (True, False)


def test_no_word_of_a_conversation_gets_into_an_event() -> None:
    said = workspace("CONVERSATION_MESSAGE", message={"content": {"value": "my secret plan"}}, title="secret plan")
    assert "secret plan" not in json.dumps(ai.read(said))


@pytest.mark.parametrize("odd", [None, [], "x", {"a": []}, [[{}]], 10**40])
def test_odd_values_in_a_workspaces_log_do_no_harm(odd: Any) -> None:
    names = ("actor", "action_data", "event_details", "request_metadata", "output", "input", "app_name", "conversation")
    for kind in ("APP_LOG", "CODEX_LOG", "AUDIT_LOG", "SOMETHING_NEW"):
        assert ai.read(workspace(kind, **dict.fromkeys(names, odd))).action.startswith("openai:")
