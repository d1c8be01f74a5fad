"""Bedrock's model invocation log: who asked which model, and whether a guardrail stepped in. Prompts are not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nhi_watch.intake.shapes.forms import inner
from nhi_watch.intake.shapes.values import plain, whole

Row = Mapping[str, Any]

_ACTION = "amazon-bedrock-guardrailAction"
_MANY_TOKENS = 100_000
"""So many tokens in one invocation count as large: a book."""


class Invocation(NamedTuple):
    """The values of a record on which its Event depends, but time, id, session and target."""

    operation: str
    account: str
    region: str
    arn: str
    """Of a role's session: without the session."""
    error: str
    stopped: str
    """Whether a guardrail stepped in."""
    many: str
    """Whether many tokens."""


def invocation(tree: Row) -> tuple[tuple[Any, ...], str, str]:
    """An Invocation's values; session; model."""
    of = tree.get
    arn = plain(inner(tree, "identity").get("arn"))
    head, found, rest = arn.partition(":assumed-role/")
    role, _, session = rest.partition("/")
    asked, answered = inner(tree, "input"), inner(tree, "output")
    tokens = _count(asked.get("inputTokenCount")) + _count(answered.get("outputTokenCount"))
    stopped = _stopped(answered.get("outputBodyJson")) or _stopped(asked.get("outputBodyJson"))
    told = (
        plain(of("operation")).strip(), of("accountId"), of("region"),
        f"{head}{found}{role}/" if found else arn, of("errorCode"),
        "y" if stopped else "", "y" if tokens >= _MANY_TOKENS else "",
    )  # fmt: skip
    return told, session[:256], plain(of("modelId"))[:256]


def _count(value: object) -> int:
    return value if value.__class__ is int else whole(value) or 0 if value else 0


def _stopped(body: Any) -> bool:
    """Whether a guardrail stepped in: said in the answer, or in one of a stream's parts."""
    if body.__class__ is dict:
        return body.get("stopReason") == "guardrail_intervened" or body.get(_ACTION) == "INTERVENED"
    return body.__class__ is list and any(_stopped(one) for one in body if one.__class__ is dict)
