"""HashiCorp Vault: who acts, with what, and operations that name no secret."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_watch.core.event import Event
from nhi_watch.intake.sources import vault


def event(path: str = "secret/data/x", mount: str = "kv", done: str = "read", **told: Any) -> Event:
    request = {"id": "r1", "operation": done, "mount_type": mount, "path": path, "namespace": {"id": "root"}}
    record = {"time": "2026-03-02T13:00:05Z", "type": "response", "request": {**request, **told.pop("request", {})}}
    return vault.read({**record, **told})


@pytest.mark.parametrize(
    ("auth", "identity", "kind"),
    [
        ({"entity_id": "e1", "display_name": "approle"}, "vault:entity:e1", "workload"),
        ({"display_name": "token-ci"}, "vault:name:root:token-ci", "workload"),
        ({"entity_id": "e2", "display_name": "ldap-ada"}, "vault:entity:e2", "user"),
        ({"display_name": "root", "policies": ["root"]}, "vault:root", "root"),
        ({}, "vault:anonymous", "anonymous"),
    ],
)
def test_who_acts(auth: dict[str, Any], identity: str, kind: str) -> None:
    read = event(auth=auth).identity
    assert (read.id, read.kind) == (identity, kind)


def test_a_login_is_that_of_whom_it_lets_in() -> None:
    given = {"entity_id": "e1", "display_name": "approle", "accessor": "hmac-sha256:a", "token_ttl": 3600}
    login = event("auth/approle/login", "approle", "update", response={"auth": given})
    assert (login.identity.id, login.session, login.issued) == ("vault:entity:e1", "hmac-sha256:a", "")


def test_a_token_without_an_end_is_a_credential_and_any_other_a_session() -> None:
    auth = {"entity_id": "e1", "accessor": "hmac-sha256:a"}
    assert [event(auth={**auth, "token_ttl": ttl}).credential for ttl in (0, 3600)] == ["hmac-sha256:a", ""]
    assert [event(auth={**auth, "token_ttl": ttl}).session for ttl in (0, 3600)] == ["", "hmac-sha256:a"]


@pytest.mark.parametrize("path", ["secret/data/config", "secret/data/creds/x", "secret/data/role"])
def test_names_of_secrets_are_targets_and_never_operations(path: str) -> None:
    read = event(path)
    assert (read.action, read.target) == ("vault:kv.read", path)


def test_request_and_response_are_two_records() -> None:
    assert {event(type=kind).record_id for kind in ("request", "response")} == {"r1:request", "r1:response"}


@pytest.mark.parametrize(
    ("call", "traits"),
    [
        (("sys/audit/file", "system", "delete"), ("logging_reduced",)),
        (("sys/policies/acl/x", "system", "update"), ("admin_policy",)),
        (("aws/creds/deploy", "aws", "read"), ("token_minted",)),
        (("sys/mounts", "system", "read"), ()),
    ],
)
def test_traits(call: tuple[str, str, str], traits: tuple[str, ...]) -> None:
    assert event(*call).traits == traits


def test_a_refusal_is_denied() -> None:
    read = event(error="1 error occurred:\n\t* permission denied\n\n")
    assert (read.outcome, read.error) == ("denied", "permission denied")
