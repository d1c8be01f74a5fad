"""What Okta's event types mean: access level and traits."""

from __future__ import annotations

import re

from nhi_watch.context import agents
from nhi_watch.intake.shapes.values import level_by_words

_READS = re.compile(r"(?:^|[._])(?:show_password|view|read|download|export|search|evaluate_sign_on|list)(?:[._]|$)")
_GRANTS = re.compile(
    r"privilege|user_membership|impersonation|api_token\.(?:create|enable|update)|consent|grant$|policy\.|"
    r"factor\.(?:reset|deactivate)|reset_password|\.role\.|idp\.lifecycle|credentials?\.|client_?secret"
)


def level_of(operation: str, level: str) -> str:
    """The access level: the table's, else by words of the event type.

    >>> level_of("user.account.privilege.grant", "unknown"), level_of("policy.evaluate_sign_on", "unknown")
    ('permissions', 'read')
    >>> level_of("user.session.start", "unknown")
    'write'
    """
    return level_by_words(operation, level, _READS, _GRANTS)


_WORDS = {
    "consent": re.compile(r"consent\.grant|grant_success|oauth2\.as\.consent"),
    "scope_growth": re.compile(r"oauth2\..*scope|scope.*\.grant|application\.user_membership\.add_all"),
    "new_credential_on_app": re.compile(
        r"(?:oauth2|app|application|client)\S*(?:credential|secret|\.key)s?\S*\.(?:create|add|activate|rotate|generate)"
    ),
    "token_minted": re.compile(r"api_token\.create"),
    "token_reuse": re.compile(r"token\.(?:detect_)?reuse"),
    "impersonation": re.compile(r"session\.impersonation"),
    "admin_policy": re.compile(r"privilege\.grant|(?:org|admin)\S*role\S*\.(?:add|grant|assign)"),
    "logging_reduced": re.compile(r"log_?stream\S*\.(?:deactivate|delete|disable|update)|hook\.deactivated"),
    "threat_suspected": re.compile(r"security\.threat\.detected|suspicious_activity"),
}


def traits_of(operation: str, outcome: str, user_agent: str, evidence: tuple[str, str, str, str]) -> tuple[str, ...]:
    """Sorted traits; the evidence is securityContext.isProxy, debugData.threatSuspected, debugData.factor, for whom."""
    proxy, threat, factor, other = evidence
    told = {trait for trait, words in _WORDS.items() if words.search(operation)}
    more = {
        "browser": agents.family(user_agent) == "browser",
        "attack_tool": agents.is_attack_tool(user_agent),
        "mfa": outcome == "success" and (operation.endswith("auth_via_mfa") or bool(factor)),
        "proxy": proxy.lower() in ("true", "1"),
        "for_other": bool(other),
        "threat_suspected": threat.lower() in ("true", "1"),
    }
    return tuple(sorted(told | {trait for trait, holds in more.items() if holds}))
