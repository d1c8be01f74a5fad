"""Okta's system log: who acts, with what, and to whom."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from need import shared_data
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.sources import okta

ADA = {"id": "00uADA", "type": "User", "alternateId": "ada@example.com"}
APP = {"id": "0oaAPP", "type": "PublicClientApp", "displayName": "Provisioner"}


def entry(kind: str, actor: dict[str, str] = ADA, **values: Any) -> dict[str, Any]:
    return {"uuid": "u", "published": "2026-03-02T10:00:00.000Z", "eventType": kind, "actor": actor, **values}


def test_an_api_token_is_an_identity_beside_the_person_who_owns_it() -> None:
    detail = {"detail": {"requestApiTokenId": "00T1"}}
    person, token = okta.read(entry("user.session.start")), okta.read(entry("group.create", transaction=detail))
    assert (person.identity.id, person.identity.human) == ("okta::user:00uADA", "user")
    assert (token.identity.id, token.identity.human, token.credential) == ("okta::token:00uADA", "", "00T1")


def test_a_service_app_is_known_by_its_client_id() -> None:
    assert okta.read(entry("user.lifecycle.create", APP)).identity.id == "okta::oauth_app:0oaAPP"


def test_a_new_token_is_handed_out_under_the_id_that_its_use_will_show() -> None:
    event = okta.read(entry("system.api_token.create", target=[{"id": "00T2", "type": "Token"}]))
    assert (event.issued, event.traits) == ("00T2", ("token_minted",))


def test_what_is_done_to_another_user_says_so() -> None:
    target = [{"id": "00uBOB", "type": "User", "alternateId": "bob@example.com"}]
    event = okta.read(entry("user.mfa.factor.reset_all", target=target))
    assert (event.target, event.traits) == ("bob@example.com", ("for_other",))
    assert okta.read(entry("user.mfa.factor.reset_all", target=[ADA])).traits == ()


def test_padded_event_types_are_the_same_action() -> None:
    assert okta.read(entry("user.mfa.factor.update ")).action == "okta:user.mfa.factor.update"


def test_rule_test_records_are_read_but_for_those_without_a_time() -> None:
    lines = shared_data("rule-tests/panther/Okta_SystemLog.ndjson").read_text().splitlines()
    seen: Counter[str] = Counter()
    for line in lines:
        try:
            assert okta.read(json.loads(line)["log"]).identity.id
        except RejectError as reject:
            seen[reject.reason] += 1
        else:
            seen["parsed"] += 1
    assert seen == {"parsed": 61, "no_time": 13, "bad_time": 4}  # the 4 times are the word "redacted"
