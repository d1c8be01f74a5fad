"""What an API call is: its access level, its place in the kill chain, and why it matters.

Tables, read on first use: `tables/actions.json`, the access level of every AWS action, built by
`lab/tools/build_actions.py`; `tables/operations.json`, the levels of other products' operations, by hand; and
`tables/calls.json`, written by hand for detection engineers to edit: calls that spend money, calls whose log
name differs from the action's, sensitivity classes, kill-chain stages, acts whose first time is a sign, and severe
acts, which are evidence by themselves;
`tables/traits.json`, what the names of other products' operations say alone.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.remembered import remembered

_TABLES = Path(__file__).with_name("tables")

LEVELS = ("list", "read", "write", "tagging", "permissions", "cost", "unknown")

TACTICS = (
    "recon",
    "credential",
    "persistence",
    "privilege",
    "evasion",
    "execution",
    "lateral",
    "exfiltration",
    "impact",
)
"""Kill-chain stages in the order in which `tactics` gives them."""

# The API version that Lambda and CloudFront append to their event names.
_DATED = re.compile(r"20\d\d_?\d\d_?\d\d(?:v\d+)?$", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z]+", re.ASCII)
_GRANTS = re.compile(
    r"(?:(?:Attach|Detach)\w*Policy|(?:Put|Set|Delete)\w*(?:Resource|Bucket)Policy|(?:Add|Remove)\w*Permission)$"
)
_QUALIFIERS = ("Batch", "Admin", "Bulk")
# What most actions of the reference table that begin with the verb are.
_VERBS = {
    "list": "List",
    "read": "Check Describe Detect Discover Download Estimate Fetch Filter Get Head Lookup Poll "
    "Preview Query Read Retrieve Scan Search Select Simulate Test Validate Verify View",
    "write": "Abort Accept Activate Add Allocate Apply Assign Associate Assume Attach Authorize Cancel "
    "Change Complete Configure Confirm Copy Create Deactivate Decrease Delete Deploy "
    "Deprecate Deregister Detach Disable Disassociate Enable Execute Export Generate Grant "
    "Import Increase Initiate Invite Invoke Leave Merge Modify Move Post Promote Provision "
    "Publish Purchase Purge Put Reboot Record Register Reject Release Remove Renew Replace "
    "Request Reserve Reset Restore Resume Revoke Rollback Rotate Run Schedule Send Set Start "
    "Stop Submit Subscribe Suspend Switch Terminate Transfer Unassign Unsubscribe Update "
    "Upgrade Upload",
    "tagging": "Tag Untag",
}


class Act(NamedTuple):
    """A kind of act that a thief has use for and that most identities never do; the first time is a sign."""

    kind: str
    says: str
    """What who does it does, in words."""
    grave: bool
    """Whether what comes of it cannot be undone."""
    marks: tuple[frozenset[str], ...]
    """Traits that show it, whatever the call is named: all of one of these sets."""
    calls: frozenset[tuple[str, str]]
    """(service, operation)"""
    besides: frozenset[tuple[str, str]]
    """Calls that are none although they have its traits: ordinary tenants make them."""


class Severe(NamedTuple):
    """An act that is evidence by itself: what the record states of one call, and how little ordinary work needs it."""

    says: str
    weight: float
    """The share of days of attack that hold it over the share of ordinary days, roughly: 5 some ten times, 7 some
    twenty-five, 10 fifty and more. A refused one weighs the same: identities that may do it are not refused."""
    traits: frozenset[str]
    """One of them must be there; none: the call alone says it."""
    calls: frozenset[tuple[str, str]]
    """(service, operation); none: the traits alone say it."""


class _Calls(NamedTuple):
    """`calls.json`, turned so that one look-up by (service, operation) answers."""

    services: dict[str, list[str]]
    access: dict[tuple[str, str], str]
    sensitivity: dict[tuple[str, str], tuple[str, ...]]
    tactics: dict[tuple[str, str], tuple[str, ...]]
    acts: tuple[Act, ...]
    severe: tuple[Severe, ...]


def access(service: str, operation: str) -> str:
    """Access level of a call: list, read, write, tagging, permissions, cost or unknown.

    `service` is CloudTrail's `eventSource` without `.amazonaws.com`, `operation` its `eventName`; for other
    products the service and operation of Event. Calls that the tables do not have are classified by their verb.

    >>> access("s3", "ListBuckets"), access("lambda", "UpdateFunctionCode20150331v2")
    ('list', 'write')
    >>> access("ec2", "RunInstances"), access("bedrock", "InvokeModel")
    ('cost', 'cost')
    >>> access("github", "integration_installation.create")
    'permissions'
    >>> access("iam", "AttachUserPolicy"), access("nosuch", "DescribeThing"), access("nosuch", "Frobnicate")
    ('permissions', 'read', 'unknown')
    """
    levels = _operations().get(service)
    if levels is not None and operation in levels:
        return levels[operation]
    operation = canonical(operation)
    calls = _calls()
    level = calls.access.get((service, operation))
    if level is not None:
        return level
    for prefix in calls.services.get(service, (service,)):
        level = _actions_of(prefix).get(operation)
        if level is not None:
            return level
    return _by_verb(operation)


def sensitivity(service: str, operation: str) -> tuple[str, ...]:
    """Sensitivity classes of a call, sorted; empty for most. The classes and their reasons: `calls.json`.

    >>> sensitivity("iam", "CreateAccessKey"), sensitivity("s3", "GetObject")
    (('credential_creation',), ())
    """
    return _calls().sensitivity.get((service, canonical(operation)), ())


def tactics(service: str, operation: str) -> tuple[str, ...]:
    """Kill-chain stages that a call can serve, in the order of `TACTICS`; empty for most.

    >>> tactics("iam", "CreateAccessKey")
    ('persistence', 'privilege')
    """
    return _calls().tactics.get((service, canonical(operation)), ())


@remembered(8192)
def acts(service: str, operation: str, traits: tuple[str, ...] = ()) -> tuple[Act, ...]:
    """The kinds of act that a call is, in the order of `calls.json`; none for nearly all calls. An alert is no act.

    >>> [act.kind for act in acts("cloudtrail", "StopLogging")], acts("s3", "GetObject")
    (['log_stopped'], ())
    >>> [act.kind for act in acts("ec2", "RunInstances", ("large_compute",))]
    ['machines', 'large_machines']
    """
    if "alert" in traits or "secret_alert" in traits:
        return ()
    call, marked = (service, canonical(operation)), frozenset(traits)
    return tuple(act for act in _calls().acts if call in act.calls or _marked(act, call, marked))


def _marked(act: Act, call: tuple[str, str], traits: frozenset[str]) -> bool:
    return call not in act.besides and any(mark <= traits for mark in act.marks)


@remembered(8192)
def severe(service: str, operation: str, traits: tuple[str, ...] = ()) -> tuple[Severe, ...]:
    """What a call is evidence of by itself, in the order of `calls.json`; nothing for nearly all calls.

    >>> [act.says for act in severe("cloudtrail", "StopLogging")], severe("iam", "CreateLoginProfile")
    (['stops an audit trail or leaves the organization'], ())
    >>> [act.weight for act in severe("iam", "AttachUserPolicy", ("admin_policy",))]
    [10.0]
    """
    call, marked = (service, canonical(operation)), frozenset(traits)
    return tuple(
        act
        for act in _calls().severe
        if (not act.calls or call in act.calls) and (not act.traits or not act.traits.isdisjoint(marked))
    )


def canonical(operation: str) -> str:
    """The operation without the API version that some services append.

    >>> canonical("GetFunction20150331v2"), canonical("CreateDistribution2020_05_31")
    ('GetFunction', 'CreateDistribution')
    >>> canonical("ListObjectsV2")
    'ListObjectsV2'
    """
    return _DATED.sub("", operation) if operation[-1:].isdigit() else operation


def known(service: str, operation: str) -> bool:
    """Whether the tables name this call, so that `access` need not guess from its verb.

    >>> known("iam", "CreateUser"), known("iam", "CreateUsers")
    (True, False)
    """
    if operation in _operations().get(service, {}):
        return True
    operation = canonical(operation)
    calls = _calls()
    prefixes = calls.services.get(service, (service,))
    return (service, operation) in calls.access or any(operation in _actions_of(p) for p in prefixes)


def prefixes(service: str) -> tuple[str, ...]:
    """The prefixes by which IAM policies name a service of CloudTrail.

    >>> prefixes("monitoring"), prefixes("s3")
    (('cloudwatch',), ('s3',))
    """
    return tuple(_calls().services.get(service, (service,)))


def permissions(call: str) -> tuple[str, ...]:
    """What an IAM policy names to deny a call of CloudTrail; empty where there is nothing that could be denied.

    >>> permissions("s3:ListBuckets"), permissions("monitoring:PutMetricData"), permissions("sts:GetCallerIdentity")
    (('s3:ListAllMyBuckets',), ('cloudwatch:PutMetricData',), ())
    """
    service, _, operation = call.partition(":")
    operation = canonical(operation)
    named = _PERMISSIONS.get(f"{service}:{operation}")
    if named is not None:
        return tuple(named.split())
    return tuple(f"{prefix}:{operation}" for prefix in prefixes(service) if operation in _actions_of(prefix))


_PERMISSIONS = {
    "sts:GetCallerIdentity": "", "sts:GetSessionToken": "",  # AWS answers whatever a policy says
    "s3:ListBuckets": "s3:ListAllMyBuckets", "s3:ListObjects": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions", "s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject", "s3:CopyObject": "s3:PutObject", "s3:UploadPart": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject", "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject", "lambda:Invoke": "lambda:InvokeFunction",
    "bedrock:Converse": "bedrock:InvokeModel", "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "kms:ReEncrypt": "kms:ReEncryptFrom kms:ReEncryptTo",
}  # fmt: skip
"""Calls whose permission has another name, or that need none."""


@remembered(8192)
def traits(product: str, operation: str) -> frozenset[str]:
    """What the name of an operation of another product than AWS says alone.

    >>> sorted(traits("github", "hook.create")), sorted(traits("okta", "system.api_token.create"))
    (['shared_outside'], ['token_minted'])
    """
    names = _named()[product]
    traits = {trait for trait, names in names.get("calls", {}).items() if operation in names.split()}
    return frozenset(
        traits.union(trait for trait, words in names.get("words", {}).items() if re.search(words, operation))
    )


def table(name: str) -> Any:
    """The content of one of the tables beside this module."""
    return json.loads((_TABLES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def _named() -> dict[str, dict[str, dict[str, str]]]:
    traits_table: dict[str, dict[str, dict[str, str]]] = table("traits")
    return traits_table


@cache
def _calls() -> _Calls:
    content = table("calls")
    access = {call: names[0] for call, names in _turn(content["access"]).items()}
    staged = _turn(content["tactics"])
    return _Calls(
        services={source: prefixes.split() for source, prefixes in content["services"].items()},
        access=access,
        sensitivity={call: tuple(sorted(names)) for call, names in _turn(content["sensitivity"]).items()},
        tactics={call: tuple(sorted(names, key=TACTICS.index)) for call, names in staged.items()},
        acts=tuple(
            Act(
                kind,
                entry["says"],
                entry.get("grave", False),
                tuple(frozenset(mark.split("+")) for mark in entry.get("traits", "").split()),
                frozenset(_turn({kind: entry})),
                frozenset(_turn({kind: {"calls": entry.get("except", {})}})),
            )
            for kind, entry in content["acts"].items()
        ),
        severe=tuple(
            Severe(
                entry["says"],
                float(entry["weight"]),
                frozenset(entry.get("traits", "").split()),
                frozenset(_turn({kind: entry})),
            )
            for kind, entry in content["severe"].items()
        ),
    )


def _turn(classes: dict[str, dict[str, dict[str, str]]]) -> dict[tuple[str, str], list[str]]:
    """From class → calls → service → operations to (service, operation) → classes."""
    turned: dict[tuple[str, str], list[str]] = {}
    for name, entry in classes.items():
        for service, operations in entry["calls"].items():
            for operation in operations.split():
                turned.setdefault((service, operation), []).append(name)
    return turned


@cache
def _operations() -> dict[str, dict[str, str]]:
    """Service → operation → level, of products that are not AWS."""
    operations: dict[str, dict[str, str]] = table("operations")
    return operations


@cache
def _raw_actions() -> dict[str, dict[str, str]]:
    actions: dict[str, dict[str, str]] = table("actions")["services"]
    return actions


_NO_ACTIONS: dict[str, str] = {}


def _actions_of(prefix: str) -> dict[str, str]:
    """Operation → level of one IAM service prefix; only prefixes of the table are kept in memory."""
    return _of_prefix(prefix) if prefix in _raw_actions() else _NO_ACTIONS


@cache
def _of_prefix(prefix: str) -> dict[str, str]:
    return {name: level for level, names in _raw_actions()[prefix].items() for name in names.split()}


@cache
def _verbs() -> dict[str, str]:
    return {verb: level for level, verbs in _VERBS.items() for verb in verbs.split()}


def _by_verb(operation: str) -> str:
    if _GRANTS.match(operation):
        return "permissions"
    match = _WORD.match(operation)
    if match and match[0] in _QUALIFIERS:
        match = _WORD.match(operation, match.end())
    return _verbs().get(match[0], "unknown") if match else "unknown"
