"""GitLab's audit events: who acts, and what an attribute of the log means."""

from __future__ import annotations

from typing import Any

from nhi_watch.intake.sources import gitlab


def entry(**values: Any) -> dict[str, Any]:
    base = {"author_id": 7, "author_name": "Ada", "entity_id": 1, "entity_type": "Project"}
    return {**base, "created_at": "2026-03-02T10:00:00.123Z", **values}


def test_the_bot_of_a_project_token_is_known_by_its_number() -> None:
    event = gitlab.read(entry(author_id=41, author_name="project_12_bot_x", event_type="project_archived"))
    assert (event.identity.id, event.identity.kind) == ("gitlab::bot:41", "bot")


def test_nobody_signed_in_is_not_gitlab_itself() -> None:
    nobody = gitlab.read(entry(author_id=-1, failed_login="STANDARD"))
    system = gitlab.read(entry(author_id=-2, change="name"))
    assert (nobody.identity.kind, nobody.outcome) == ("anonymous", "failure")
    assert system.identity.kind == "service"


def test_a_token_made_for_a_project_is_handed_out_under_the_id_that_its_use_will_show() -> None:
    event = gitlab.read(entry(event_type="project_access_token_created", details={"target_id": 55}))
    assert (event.issued, event.traits) == ("55", ("token_minted",))


def test_names_and_numbers_of_a_message_are_no_part_of_the_action() -> None:
    one, two = (gitlab.read(entry(custom_message=f"Removed protected branch '{b}' {b}")) for b in ("12", "34"))
    assert one.action == two.action == "gitlab:removed_protected_branch"


def test_a_project_made_public_says_so() -> None:
    event = gitlab.read(entry(change="visibility", **{"from": "Private", "to": "Public"}))
    assert (event.action, event.traits) == ("gitlab:change_visibility", ("public",))
