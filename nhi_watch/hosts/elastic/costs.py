"""What is lost where a fact about events is missing: the signals that can then never fire.

`tests/test_elastic_doctor.py` derives both tables anew: from the samples of every signal, with the fact blanked, and
from CloudTrail documents, with the field taken away.
"""

from __future__ import annotations

SIGNALS: dict[str, tuple[str, ...]] = {
    "network": (
        "moved_outside", "new_network", "new_owner", "risky_network", "session_moved", "session_two_clients",
        "third_party_moved", "two_places", "unknown_network", "unknown_owner",
    ),
    "agent": ("new_agent", "session_two_clients", "unknown_agent"),
    "region": ("new_region", "region_fan_out"),
    "session": ("session_moved", "session_two_clients"),
    "credential": ("key_age", "new_credential", "new_credential_type", "two_places"),
    "target": ("first_targets", "model_changed", "role_chaining", "secret_fan_out", "target_fan_out"),
    "error": ("new_error", "permission_probing"),
    "traits": (
        "alerted", "alerts_together", "app_changed", "app_consent", "attack_tool", "exposed_credential",
        "host_credential", "human_use", "impersonation", "listed_address", "mailbox_access", "mass_export",
        "opened_outside", "permission_test", "powerful_grant", "quarantined", "suspect_session", "third_party_moved",
    ),
}  # fmt: skip
"""Fact about an event → signals that need it."""

ALWAYS_TOLD = ("network", "agent", "region", "session", "credential")
"""Facts that ordinary events have: where none of a sample has one, the source does not tell it."""

TRAIL: dict[str, tuple[str, ...]] = {
    "source.address": ("network",),
    "user_agent.original": ("agent",),
    "cloud.region": ("region",),
    "aws.cloudtrail.user_identity.access_key_id": ("session", "credential"),
    "aws.cloudtrail.error_code": ("error",),
    "aws.cloudtrail.flattened.request_parameters": ("target", "traits"),
}
"""Field of a CloudTrail document → facts that come from it."""

INSTEAD: dict[str, str] = {
    "aws.cloudtrail.flattened.request_parameters": "aws.cloudtrail.request_parameters",
    "source.address": "source.ip",
}
"""Field → another one that tells the same, so that nothing is lost where that one is there."""

ALSO: dict[str, tuple[str, ...]] = {"user_agent.original": ("attack_tool", "human_use")}
"""Field → signals that need it although the fact that they go by comes from other fields, too."""
