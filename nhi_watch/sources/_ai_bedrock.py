"""Bedrock's model invocation log: who asked which model, and whether a guardrail stepped in. Prompts are not read."""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_watch.identity import account_of
from nhi_watch.sources._shapes import Tree
from nhi_watch.sources._values import text, whole

_ACTION = "amazon-bedrock-guardrailAction"
_COUNTS = ("inputTokenCount", "outputTokenCount")
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
    traits: str


def invocation(tree: Tree) -> tuple[Invocation, str, str]:
    """The values; session; model."""
    who = tree.get("identity")
    arn = text(who.get("arn")) if isinstance(who, dict) else ""
    head, found, rest = arn.partition(":assumed-role/")
    role, _, session = rest.partition("/")
    traits = _traits(tree)
    told = Invocation(
        text(tree.get("operation"), 100), text(tree.get("accountId"), 64) or account_of(arn),
        text(tree.get("region"), 64), f"{head}{found}{role}/" if found else arn, text(tree.get("errorCode"), 128),
        ",".join(traits),
    )  # fmt: skip
    return told, session[:256], text(tree.get("modelId"), 256)


def _traits(tree: Tree) -> list[str]:
    sides = [side for side in (tree.get("input"), tree.get("output")) if isinstance(side, dict)]
    traits = ["guardrail"] if any(_stopped(side.get("outputBodyJson")) for side in sides) else []
    counts = [side.get(name) for side in sides for name in _COUNTS]
    if sum(count if count.__class__ is int else whole(count) or 0 for count in counts if count) >= _MANY_TOKENS:
        traits.append("many_tokens")
    return traits


def _stopped(body: Any) -> bool:
    """Whether a guardrail stepped in: said in the answer, or in one of a stream's parts."""
    return any(
        text(one.get("stopReason")) == "guardrail_intervened" or text(one.get(_ACTION)) == "INTERVENED"
        for one in (body if body.__class__ is list else (body,))
        if one.__class__ is dict
    )
