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
