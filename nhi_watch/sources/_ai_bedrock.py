"""Bedrock's model invocation log: who asked which model, and whether a guardrail stepped in. Prompts are not read."""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch.identity import account_of
from nhi_watch.sources._shapes import Tree, at, every
from nhi_watch.sources._values import listed, text, whole

_COUNTS = ("input.inputTokenCount", "output.outputTokenCount")
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
    arn = text(at(tree, "identity.arn"))
    head, found, rest = arn.partition(":assumed-role/")
    role, _, session = rest.partition("/")
    told = Invocation(
        text(tree.get("operation"), 100), text(tree.get("accountId"), 64) or account_of(arn),
        text(tree.get("region"), 64), f"{head}{found}{role}/" if found else arn, text(tree.get("errorCode"), 128),
        ",".join(sorted(_traits(tree))),
    )  # fmt: skip
    return told, session[:256], text(tree.get("modelId"), 256)


def _traits(tree: Tree) -> list[str]:
    bodies = listed(at(tree, "output.outputBodyJson"))
    stopped = any(
        text(at(body, "stopReason")) == "guardrail_intervened"
        or text(at(body, "amazon-bedrock-guardrailAction")) == "INTERVENED"
        for body in bodies
    )
    counts = (count for path in _COUNTS for count in every(tree, path))
    tokens = sum(whole(count) or 0 for count in counts)
    told = {"guardrail": stopped, "many_tokens": tokens >= _MANY_TOKENS}
    return [trait for trait, holds in told.items() if holds]
