"""IAM policy documents: whom they let in, and whether they allow everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from nhi_watch.core.identity import account_of
from nhi_watch.intake.shapes.json import parse

_LONGEST = 100_000
# Condition keys that keep strangers out of a statement for everybody.
_LIMITING = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourcevpc",
    "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:userid", "kms:calleraccount",
)  # fmt: skip


def statements(policy: object) -> list[dict[str, Any]]:
    """The Allow statements of a policy, given as an object, as JSON or as URL-encoded JSON; else nothing.

    >>> statements('{"Statement": {"Effect": "Allow", "Action": "*"}}')
    [{'Effect': 'Allow', 'Action': '*'}]
    >>> statements("<sensitive>")
    []
    """
    document = _document(policy) if isinstance(policy, str) else policy
    found = document.get("Statement") if isinstance(document, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [s for s in listed if isinstance(s, dict) and s.get("Effect") == "Allow"]


def _document(text: str) -> object:
    if len(text) > _LONGEST:
        return None
    try:
        return parse(unquote(text) if text.startswith("%7B") else text)
    except (ValueError, RecursionError):
        return None


def exposure(policy: object, own: set[str]) -> Iterator[str]:
    """`public` and `shared_outside`, as far as the statements let strangers in.

    Everybody (`*`) under a condition that limits who counts as neither.

    >>> statement = {"Effect": "Allow", "Principal": {"AWS": ["*", "222222222222"]}}
    >>> sorted(exposure({"Statement": [statement]}, {"111111111111"}))
    ['public', 'shared_outside']
    """
    for statement in statements(policy):
        for principal in _principals(statement):
            if principal == "*":
                if not _limited(statement):
                    yield "public"
            elif own and _account(principal) not in (own | {""}):
                yield "shared_outside"


def _principals(statement: dict[str, Any]) -> list[str]:
    if "NotPrincipal" in statement:
        return ["*"]
    principal = statement.get("Principal")
    return _texts(principal.get("AWS") if isinstance(principal, dict) else principal)


def _account(principal: str) -> str:
    return account_of(principal) or (principal if principal.isdigit() else "")


def _limited(statement: dict[str, Any]) -> bool:
    conditions = statement.get("Condition")
    blocks = conditions.values() if isinstance(conditions, dict) else ()
    return any(key.lower() in _LIMITING for block in blocks if isinstance(block, dict) for key in block)


def wildcard(policy: object) -> bool:
    """Whether a statement allows every action, or every action of a service, on everything.

    >>> wildcard({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    True
    """
    return any("*" in _texts(s.get("Resource")) and _all_actions(s) for s in statements(policy))


def _all_actions(statement: dict[str, Any]) -> bool:
    actions = _texts(statement.get("Action"))
    return "NotAction" in statement or any(a == "*" or a.endswith(":*") for a in actions)


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [v for v in listed if isinstance(v, str)]
