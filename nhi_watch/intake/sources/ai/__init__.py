"""AI services: Bedrock's model invocations, the audit logs of OpenAI and Anthropic organisations, ChatGPT Enterprise's.

- Bedrock: the identity is the AWS role or user of the ARN; the log gives the role's name but not its unique id,
  and no address. The model is the target. Prompts and answers are not read, but for a guardrail's verdict.
- OpenAI: a service account, or the user; the tracking id of the key used is the credential.
- Anthropic (Compliance API): the key itself where a key acts, else the user; an address that nobody has confirmed
  by signing in names nobody.
- ChatGPT Enterprise (Compliance API, all eight log types): the user, or the key, of which only its ends are told; what
  ChatGPT's apps and Codex do is done by the agent of a person, named as in `ai_agents`, with the person as link.
- Who acts in a web session has the trait `console`: a person's doing, without saying that the account is one.
- The action's service is bedrock, openai or anthropic, the operation the log's own.

Traits: console, guardrail (it stepped in), many_tokens (100,000 in one invocation), broad_scope, admin_policy,
guard_removed (an address list, single sign-on or provisioning switched off; a connector that never asks), open_ingress,
public, third_party, attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.intake.shapes.aws import known_by_arn
from nhi_watch.intake.shapes.forms import Tree, dataset, native
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import filled, plain, text
from nhi_watch.intake.sources.ai import chatgpt, ecs, organisation
from nhi_watch.intake.sources.ai.bedrock import Invocation, invocation
from nhi_watch.intake.sources.ai.organisation import Told

NAME = "ai"
SPLUNK_SOURCETYPES = ("aws:bedrock:invocation", "openai:audit", "anthropic:activity", "openai:chatgpt:compliance")
"""The first words of these logs' own names: no add-on of Splunk's defines sourcetypes for them."""
ELASTIC_INDICES = ("logs-aws_bedrock.invocation-*", "logs-openai.audit-*", "logs-anthropic.audit-*",
                   "logs-openai_chatgpt_enterprise.*")  # fmt: skip

Row = Mapping[str, Any]

_ACTOR = re.compile(r'"type"\s*:\s*"[a-z_]+_actor"')
_DATASETS = {
    "aws_bedrock.invocation": ecs.bedrock, "aws_bedrock.bedrock": ecs.bedrock, "openai.audit": ecs.openai,
    "anthropic.audit": ecs.anthropic, **dict.fromkeys((f"{ecs.CHATGPT}.{one}" for one in chatgpt.STREAMS), ecs.chatgpt),
}  # fmt: skip
_WORKSPACE = re.compile(rf'"type"\s*:\s*"{chatgpt.WORKSPACE}"')
_DENIED = ("AccessDenied", "Unauthorized", "Forbidden")
_ARNS = {":assumed-role/": "AssumedRole", ":user/": "IAMUser", ":root": "Root"}
_TOOL_READS = re.compile(r"search|read|list|get|fetch|find|view", re.IGNORECASE)
_LOOKS = ("viewed", "downloaded", "accessed", "access_failed")
_POWERS = ("role", "owner", "sso", "scim", "ip_", "key", "invite", "certificate")


def claims(record: object) -> bool:
    """Whether the record is of one of these logs, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Tree, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        known = any(mark in raw for mark in ('"ModelInvocationLog"', '"organization.audit_log"', '"activity_'))
        if chatgpt.WORKSPACE in raw and _WORKSPACE.search(raw):
            return True
        return known or ('_actor"' in raw and '"created_at"' in raw and _ACTOR.search(raw) is not None)
    stream = dataset(row)
    if stream:
        return stream in _DATASETS
    return _product(row) != ""


def _product(tree: Row) -> str:
    if tree.get("schemaType") == "ModelInvocationLog":
        return "bedrock"
    unique = tree.get("id")
    unique = unique if unique.__class__ is str else ""
    if tree.get("object") == "organization.audit_log" or ("effective_at" in tree and unique.startswith("audit_log")):
        return organisation.OPENAI
    if "event_id" in tree and _told(tree, "principal", "type") == chatgpt.WORKSPACE:
        return chatgpt.WORKSPACE
    if "created_at" not in tree or "type" not in tree:
        return ""
    kind = _told(tree, "actor", "type")
    by_actor = isinstance(kind, str) and kind.endswith("_actor")
    return organisation.ANTHROPIC if by_actor or unique.startswith("activity_") else ""


def _told(tree: Row, name: str, inside: str) -> object:
    """A value inside an object, or beside it as Splunk's extraction spells it."""
    whole = tree.get(name)
    return whole.get(inside) if isinstance(whole, dict) else tree.get(f"{name}.{inside}")


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _DATASETS.get(dataset(tree), ecs.bedrock)(tree)
    shape, session, target, issued, time = _raw(tree)
    event = _event_of(tuple(map(text, shape)))
    event = event._replace(issued=issued) if issued else event
    return filled(event, moment(time), _id_of(tree), session, target)


# Token counts and answers differ from record to record, and matter: of invocations nothing is remembered.


def _id_of(tree: Row) -> str:
    return plain(tree.get("requestId") or tree.get("id") or tree.get("event_id"))[:256]


def _raw(tree: Row) -> tuple[tuple[Any, ...], str, str, str, object]:
    """What the Event depends on; session; target; issued; time."""
    product = _product(tree)
    if product == organisation.OPENAI:
        told, target, issued = organisation.openai(tree)
        return told, "", target, issued, tree.get("effective_at")
    if product == organisation.ANTHROPIC:
        told, target, issued = organisation.anthropic(tree)
        return told, "", target, issued, tree.get("created_at")
    if product == chatgpt.WORKSPACE:
        return (*chatgpt.told(tree), tree.get("timestamp"))
    invoked, session, model = invocation(tree)
    return invoked, session, model, "", tree.get("timestamp")


@lru_cache(maxsize=4096)
def _event_of(shape: tuple[str, ...]) -> Event:
    told = Told(*shape) if len(shape) == len(Told._fields) else Invocation(*shape)
    if not told.operation:
        raise RejectError("no_action", "type or operation is missing or no text")
    return _of_organisation(told) if isinstance(told, Told) else _of_bedrock(told)


def _of_bedrock(told: Invocation) -> Event:
    kind = next((kind for part, kind in _ARNS.items() if part in told.arn), "AWSAccount")
    account = told.account[:64] or account_of(told.arn)
    identity, links = known_by_arn(identify(Actor(kind, arn=told.arn, recipient=account)))
    held = {"guardrail": told.stopped, "many_tokens": told.many}
    denied = any(word in told.error for word in _DENIED)
    return Event(
        time=0,
        provider="aws",
        account=account,
        identity=identity,
        credential="",
        credential_type="session" if ":assumed-role/" in told.arn else "none",
        session="",
        action=f"bedrock:{told.operation}",
        service="bedrock",
        access=actions.access("bedrock", told.operation),
        outcome="denied" if denied else "failure" if told.error else "success",
        error=told.error[:128],
        region=told.region[:64],
        target_class="own" if identity.account == account else "foreign" if identity.account else "",
        traits=tuple(trait for trait, holds in held.items() if holds),
        links=links,
    )


def _of_organisation(told: Told) -> Event:
    traits = {trait for trait in told.traits.split(",") if trait}
    if agents.is_attack_tool(told.agent):
        traits.add("attack_tool")
    if agents.family(told.agent) == "browser":
        traits.add("browser")
    denied = "access_failed" in told.operation or told.error in ("401", "403", "blocked")
    outcome = "denied" if denied else "failure" if told.error else "success"
    path = told.kind if told.kind == "anonymous" else f"{told.kind}:{told.identity}"
    unique = f"{told.product}:{told.organisation}:{path}"[:512]
    name = told.name or told.identity or told.kind
    return Event(
        time=0,
        provider=told.product,
        account=told.organisation,
        identity=Identity(unique, name, told.kind, told.product, told.organisation, ""),
        credential=told.key,
        credential_type="key" if told.key else "none" if told.kind == "anonymous" else "session",
        session="",
        action=f"{told.product}:{told.operation}",
        service=told.product,
        access=_access(told.product, told.operation),
        outcome=outcome,
        error=told.error,
        address=told.address,
        network=networks.network_of(told.address),
        agent=agents.family(told.agent),
        traits=tuple(sorted(traits)),
        links=(f"name:{told.product}:{name.rpartition(' ')[2]}",) if told.kind == "agent" else (),
    )


def _access(product: str, operation: str) -> str:
    """By the table, else by what is done to what."""
    level = actions.access(product, operation)
    if level != "unknown":
        return level
    if operation.startswith(("mcp:", "tool:")):
        return "read" if _TOOL_READS.search(operation.rpartition("/")[2]) else "write"
    if operation == "prompt_response_received":
        return "cost"
    if "login" in operation or "logout" in operation or operation.endswith(_LOOKS):
        return "read"
    if operation.endswith("listed") or operation.startswith("list_"):
        return "list"
    return "permissions" if any(word in operation for word in _POWERS) else "write"
