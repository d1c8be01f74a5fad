"""What GitLab's audit events mean: operation, access level and traits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nhi_watch.context import agents
from nhi_watch.intake.shapes.values import level_by_words, plain

VERBS = ("change", "add", "remove", "failed_login", "impersonation", "with", "action")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_MOVING = re.compile(r"\b[0-9a-f]{8,}\b|\b\d+\b|['\"`].*?['\"`]")


def operation_of(told: Mapping[str, Any]) -> str:
    """`event_type` or `event_name` where told, else made of the attribute that says what changed.

    >>> operation_of({"event_type": "project_access_token_created"}), operation_of({"change": "visibility"})
    ('project_access_token_created', 'change_visibility')
    >>> operation_of({"with": "standard"}), operation_of({"custom_message": "Added 'x' key 12 to 'p'"})
    ('sign_in_with_standard', 'added_key_to')
    """
    named = plain(told.get("event_type")) or plain(told.get("event_name"))
    if named:
        return _named(named)
    for verb in VERBS:
        found = plain(told.get(verb))
        if found:
            return _made("sign_in_with" if verb == "with" else verb, "" if verb == "failed_login" else found)
    return _made("", plain(told.get("custom_message")))


@lru_cache(maxsize=2048)
def _named(told: str) -> str:
    return _PUNCTUATION.sub("_", told[:512].strip().lower())[:100].strip("_")


@lru_cache(maxsize=2048)
def _made(word: str, told: str) -> str:
    return _words(f"{word} {told[:512]}")


def _words(told: str) -> str:
    """Words alone: names and numbers in messages change from event to event."""
    return "_".join(_PUNCTUATION.sub(" ", _MOVING.sub(" ", told.lower())).split()[:4])[:100]


_READS = re.compile(r"download|export|_viewed|_read|_searched|clone|repository_git_operation|_pull(?:ed)?\b|fetch")
_GRANTS = re.compile(
    r"member|access_level|permission|role|token|key|protected_branch|approv|saml|sso|two_factor|oauth|"
    r"impersonat|invite|share|user_access|admin|^add_|visibility"
)


def level_of(operation: str, level: str) -> str:
    """The access level: the table's, else by words of the operation.

    >>> level_of("change_visibility", "unknown"), level_of("repository_git_operation", "unknown")
    ('permissions', 'read')
    >>> level_of("project_destroyed", "unknown")
    'write'
    """
    return level_by_words(operation, level, _READS, _GRANTS)


_ISSUES = re.compile(r"(?:access_token|deploy_token|deploy_key|ssh_key|oauth_application)_?(?:created|rotated|added)")


@lru_cache(maxsize=2048)
def is_issuing(operation: str) -> bool:
    """Whether what the operation is done to is a new credential."""
    return _ISSUES.search(operation) is not None


_WORDS = {
    "token_minted": re.compile(r"(?:access_token|deploy_token|personal_access_token)\w*_?(?:created|issued|rotated)"),
    "deploy_key": re.compile(r"deploy_key\w*(?:add|creat|enabl)|add_?\w*deploy_key|added_deploy_key"),
    "runner_added": re.compile(r"runner\w*(?:regist|creat|assign|associat|token)|regist\w*_runner"),
    "admin_policy": re.compile(r"admin\w*(?:add|grant|promot)|change_admin|user_access_level|instance_admin"),
    "impersonation": re.compile(r"impersonat"),
    "logging_reduced": re.compile(r"(?:audit_event|streaming)\w*(?:destroy|delet|remov|deactivat|disabl|updat)"),
    "protection_lowered": re.compile(
        r"protected_branch\w*(?:remov|destroy|updat)|allow_force_push|remove_protected|"
        r"(?:secret_push_protection|push_rule|approval)\w*(?:disab|remov|delet|destroy)|two_factor\w*disab"
    ),
    "consent": re.compile(r"oauth_application\w*(?:authoriz|creat|add)|oauth_access"),
    "scope_growth": re.compile(r"oauth_application\w*updat|scopes?_(?:changed|added)|change_scopes"),
    "shared_outside": re.compile(r"group_share|project_group_link\w*creat|invite|transfer|add_\w*webhook|hook\w*creat"),
}


def traits_of(operation: str, user_agent: str, evidence: tuple[str, str]) -> tuple[str, ...]:
    """Sorted traits; the evidence is what is now, and whether another user is concerned."""
    after, other = evidence
    told = {trait for trait, words in _WORDS.items() if words.search(operation)}
    more = {
        "browser": agents.family(user_agent) == "browser",
        "attack_tool": agents.is_attack_tool(user_agent),
        "public": "visibility" in operation and after.lower() == "public",
        "admin_policy": after.lower() in ("owner", "maintainer", "admin"),
        "for_other": bool(other),
    }
    return tuple(sorted(told | {trait for trait, holds in more.items() if holds}))
