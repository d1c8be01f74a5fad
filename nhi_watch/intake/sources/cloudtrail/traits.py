"""What only the parameters and the answer of a CloudTrail call show: one small function a question.

`DEEP` names the calls to which a question belongs; all others need no deep reading. A call that failed still
shows what was tried; the Event's outcome says that it failed. Where parameters are missing, so is the trait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from nhi_watch.context import actions
from nhi_watch.core.event import Event
from nhi_watch.core.identity import account_of
from nhi_watch.intake.shapes.json import parse

Record = Mapping[str, Any]


def leaves(value: object, path: str) -> list[Any]:
    """All leaves at a path like `items{}.id`, in order."""
    steps = _steps(path)
    if not steps.lists:
        for name in steps.names:
            if value.__class__ is not dict or name not in value:
                return []
            value = value[name]
        return [value]
    leaf_values = [value]
    for name, many in zip(steps.names, steps.lists):
        leaf_values = [v[name] for v in leaf_values if v.__class__ is dict and name in v]
        if not leaf_values:
            break
        if many:
            leaf_values = [item for v in leaf_values if isinstance(v, list) for item in v]
    return leaf_values


class _Steps(NamedTuple):
    """A path, step by step."""

    names: tuple[str, ...]
    lists: tuple[bool, ...]
    """Whether each step leads to a list; empty: none does."""


@lru_cache(maxsize=1024)
def _steps(path: str) -> _Steps:
    steps = path.split(".")
    lists = tuple(step.endswith("{}") for step in steps) if "{}" in path else ()
    return _Steps(tuple(step.removesuffix("{}") for step in steps), lists)


# ---- IAM policy documents: whom they let in, and whether they allow everything


_LONGEST = 100_000
# Condition keys that keep strangers out of a statement for everybody, if what they ask for is not met by everybody.
_LIMITING = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourcevpc",
    "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:userid", "kms:calleraccount",
)  # fmt: skip
_CALLERS = ("aws:principalaccount", "aws:principalarn", "kms:calleraccount")
"""Those whose value names the account that is let in."""
_LOOSE = re.compile(r"not|ifexists|null|forallvalues", re.IGNORECASE)
"""Operators that hold as well for who lacks the key, or is anybody else."""
_PARTITIONS = ("", "arn", "arnaws", "arnaws-cn", "arnaws-us-gov")
"""What is left of a pattern that everything meets, without its wildcards."""
_WIDE = re.compile(r".*/0*[0-7]")
"""Networks of more than a 256th of all addresses; host bits mean nothing."""
_FOR_ALL = {
    "accounts.google.com": "",
    "cognito-identity.amazonaws.com": "",
    "www.amazon.com": "",
    "graph.facebook.com": "",
    "token.actions.githubusercontent.com": "aud",
    "gitlab.com": "aud",
}
"""Providers at which anybody has an identity; the key that says nothing of whose, as all tokens for AWS have it."""


def statements(policy: object) -> list[dict[str, Any]]:
    """The Allow statements of a policy, given as an object, as JSON or as URL-encoded JSON; else nothing.

    >>> statements('{"Statement": {"Effect": "Allow", "Action": "*"}}')
    [{'Effect': 'Allow', 'Action': '*'}]
    >>> statements("<sensitive>")
    []
    """
    document = _document(policy) if isinstance(policy, str) else policy
    content = document.get("Statement") if isinstance(document, dict) else None
    listed = content if isinstance(content, list) else [content]
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

    Everybody (`*`) under a condition that limits who counts as neither; one that limits it to a foreign account does.

    >>> statement = {"Effect": "Allow", "Principal": {"AWS": ["*", "222222222222"]}}
    >>> sorted(exposure({"Statement": [statement]}, {"111111111111"}))
    ['public', 'shared_outside']
    """
    for statement in statements(policy):
        for principal in _principals(statement):
            if principal == "*":
                if not any(_limits(key, values) for key, values in _conditions(statement)):
                    yield "public"
                elif own and any(account not in own for account in _called(statement)):
                    yield "shared_outside"
            elif own and (account_of(principal) or (principal if principal.isdigit() else "")) not in (own | {""}):
                yield "shared_outside"


def _principals(statement: dict[str, Any]) -> list[str]:
    if "NotPrincipal" in statement:
        return ["*"]
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return _texts(principal)
    federated = _texts(principal.get("Federated"))
    open_to_all = ["*"] if any(_anybody(name, statement) for name in federated) else []
    # a canonical user's account is not given, and nobody needs it for their own
    canonical = ["0" * 12] if _texts(principal.get("CanonicalUser")) else []
    return [*_texts(principal.get("AWS")), *federated, *open_to_all, *canonical]


def _anybody(provider: str, statement: dict[str, Any]) -> bool:
    """Whether it lets in everyone with an identity at a public provider."""
    host = provider.partition(":oidc-provider/")[2] or provider
    if host not in _FOR_ALL:
        return False
    idle = f"{host}:{_FOR_ALL[host]}"
    conditions = (pair for pair in _conditions(statement) if pair[0].startswith(f"{host}:") and pair[0] != idle)
    return all(any(map(_is_anything, values)) for _, values in conditions)


def _conditions(statement: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Keys, in lower case, with their values, of conditions that hold for nobody who lacks the key."""
    blocks = statement.get("Condition")
    pairs = blocks.items() if isinstance(blocks, dict) else ()
    kept = [block for operator, block in pairs if isinstance(block, dict) and not _LOOSE.search(str(operator))]
    return [(str(key).lower(), _texts(values)) for block in kept for key, values in block.items()]


def _limits(key: str, values: list[str]) -> bool:
    if key not in _LIMITING:
        return False
    return not any(map(_WIDE.fullmatch if key.endswith("sourceip") else _is_anything, values))


def _is_anything(pattern: str) -> bool:
    """Whether everything meets a pattern of an action's end, a resource or a value.

    >>> [_is_anything(pattern) for pattern in ("*", "?*", "arn:aws:*", "arn:aws:s3:::*", "", "prod-*")]
    [True, True, True, False, False, False]
    """
    return "*" in pattern and re.sub("[*?:]", "", pattern) in _PARTITIONS


def _called(statement: dict[str, Any]) -> list[str]:
    services = [value for key, values in _conditions(statement) if key in _CALLERS for value in values]
    return [account for account in (account_of(value) or value for value in services) if account.isdigit()]


def wildcard(policy: object) -> bool:
    """Whether a statement allows every action, or every action of a service, on everything.

    >>> wildcard({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    True
    """
    return any(_on_everything(s) and _all_actions(s) for s in statements(policy))


def _on_everything(statement: dict[str, Any]) -> bool:
    return "NotResource" in statement or any(map(_is_anything, _texts(statement.get("Resource"))))


def _all_actions(statement: dict[str, Any]) -> bool:
    ends = [action.rpartition(":")[2] for action in _texts(statement.get("Action"))]
    return "NotAction" in statement or any(map(_is_anything, ends))


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [v for v in listed if isinstance(v, str)]


# ---- sharing
#
# A CloudTrail call's parameters, and the questions who was let in by it: everybody, or a foreign account?


class Call(NamedTuple):
    """One call: its parameters, answer, extra data, and who made it where."""

    params: dict[str, Any]
    answer: dict[str, Any]
    extra: dict[str, Any]
    event: Event

    def texts(self, *paths: str) -> list[str]:
        """All texts at the paths (`{}` for lists) of the parameters."""
        leaf_values = (leaf for path in paths for leaf in leaves(self.params, path))
        return [_spelled(leaf) for leaf in leaf_values if isinstance(leaf, (str, bool, int))]

    def own(self) -> set[str]:
        """The accounts that are not foreign."""
        return {self.event.account, self.event.identity.account} - {""}


def _spelled(leaf: object) -> str:
    return str(leaf).lower() if isinstance(leaf, bool) else str(leaf)


Question = Callable[[Call], Iterator[str]]
Questions = tuple[tuple[Question, str], ...]
"""A question, and the names of the calls to which it belongs."""


def _parties(texts: list[str], call: Call) -> Iterator[str]:
    """Who was let in: `public` for everybody, `shared_outside` for a foreign account."""
    for text in texts:
        if text in ("*", "all"):
            yield "public"
        account = account_of(text) or (text if text.isdigit() and len(text) == 12 else "")
        if account and account not in call.own():
            yield "shared_outside"


def _shared(*paths: str) -> Question:
    return lambda call: _parties(call.texts(*paths), call)


def _image_of_organisation(call: Call) -> Iterator[str]:
    if call.texts("launchPermission.add.items{}.organizationArn"):
        yield "shared_outside"


def _permission_added(call: Call) -> Iterator[str]:
    if call.texts("principalOrgID", "organizationId", "sourceAccount", "sourceArn"):
        return
    yield from _parties(call.texts("principal", "aWSAccountIds{}", "aWSAccountId{}"), call)


_POLICIES = (
    "bucketPolicy",
    "assumeRolePolicyDocument",
    "policyDocument",
    "policy",
    "policy.policy",
    "policyText",
    "resourcePolicy",
    "attributes.Policy",
    "accessPolicies",
    "policyInJson",
)


def _resource_policy(call: Call) -> Iterator[str]:
    named = call.texts("attributeName") == ["Policy"]
    for name in ("attributeValue",) if named else _POLICIES:
        for policy in leaves(call.params, name):
            yield from exposure(policy, call.own())


_GROUPS = ("acs.amazonaws.com/groups/global/AllUsers", "acs.amazonaws.com/groups/global/AuthenticatedUsers")


def _acl(call: Call) -> Iterator[str]:
    canned = call.texts("x-amz-acl", "x-amz-acl{}", "accessControlList.x-amz-acl", "acl")
    grants = "AccessControlPolicy.AccessControlList.Grant"
    named = call.texts(
        f"{grants}{{}}.Grantee.URI",
        f"{grants}.Grantee.URI",
        "x-amz-grant-read",
        "x-amz-grant-write",
        "x-amz-grant-full-control",
        "x-amz-grant-read-acp",
        "x-amz-grant-write-acp",
    )
    open_acl = any(text.startswith(("public-read", "authenticated-read")) for text in canned)
    if open_acl or any(group in text for text in named for group in _GROUPS):
        yield "public"


_CUSTOMER_KEY = ("x-amz-server-side-encryption-customer-algorithm", "SSECustomerAlgorithm")
_KMS_KEY = (
    "kmsKeyId",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "destinationEncryptionContext.keyId",
    "ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
    "ServerSideEncryptionConfiguration.Rule{}.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
)


def _own_key(call: Call) -> Iterator[str]:
    """Encrypted with a key that the caller brings along, or with one of a foreign account."""
    if call.texts(*_CUSTOMER_KEY):
        yield "sse_c"
    if any(account_of(key) not in ("", *call.own()) for key in call.texts(*_KMS_KEY)):
        yield "foreign_key"


# ---- traits


_MANY = 10
"""So many instances in one call count as large."""


def _wildcard(call: Call) -> Iterator[str]:
    if any(wildcard(policy) for policy in leaves(call.params, "policyDocument")):
        yield "wildcard_policy"


_ADMIN = {"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}


def _attached(call: Call) -> Iterator[str]:
    for arn in call.texts("policyArn", "managedPolicyArn"):
        name = arn.rpartition("/")[2]
        if name in _ADMIN:
            yield "admin_policy"
        if name.startswith("AWSCompromisedKeyQuarantine"):
            yield "quarantine"


def _ingress(call: Call) -> Iterator[str]:
    sources = call.texts(
        "cidrIp",
        "cIDRIP",
        "cidrBlock",
        "ipv6CidrBlock",
        "ipPermissions.items{}.ipRanges.items{}.cidrIp",
        "ipPermissions.items{}.ipv6Ranges.items{}.cidrIpv6",
        "ModifySecurityGroupRulesRequest.SecurityGroupRule.SecurityGroupRule.CidrIpv4",
    )
    outward = "true" in call.texts("egress") or "deny" in call.texts("ruleAction")
    if not outward and any(map(_WIDE.fullmatch, sources)):
        yield "open_ingress"


_LARGE = re.compile(r"(?:ml\.)?(?:(?:p|g|gr|trn|inf|dl|vt)\d+[a-z]*\.|[a-z0-9-]+\.(?:metal|(?:[89]|\d\d+)xlarge))")
"""GPU and accelerator families, whole machines, and everything from 8xlarge on."""
_TEMPLATE = tuple(f"CreateLaunchTemplate{kind}Request.LaunchTemplateData" for kind in ("", "Version"))


def _compute(call: Call) -> Iterator[str]:
    sizes = call.texts(
        "instanceType",
        "instanceType.value",
        "launchSpecification.instanceType",
        "resourceConfig.instanceType",
        *(f"{t}.InstanceType" for t in _TEMPLATE),
    )
    counts = call.texts("instancesSet.items{}.maxCount", "instanceCount", "desiredCapacity")
    many = any(text.isdigit() and len(text) < 9 and int(text) >= _MANY for text in counts)
    if many or any(_LARGE.match(size) for size in sizes):
        yield "large_compute"


def _user_data(call: Call) -> Iterator[str]:
    scripts = call.texts(
        "userData", "userData.value", "launchSpecification.userData", *(f"{t}.UserData" for t in _TEMPLATE)
    )
    if scripts or "userData" in call.texts("attribute"):
        yield "user_data"


def _selectors_reduced(call: Call) -> Iterator[str]:
    """Selectors that leave management events out, or all but reads or writes, or whole services."""
    kinds = call.texts("eventSelectors{}.readWriteType")
    kept = call.texts("eventSelectors{}.includeManagementEvents")
    left_out = call.texts("eventSelectors{}.excludeManagementEventSources{}")
    if left_out or (kinds and "All" not in kinds) or (kept and "true" not in kept):
        yield "logging_reduced"


def _bucket_logging(call: Call) -> Iterator[str]:
    """An empty status turns a bucket's access log off."""
    if call.params.get("bucketName") and not leaves(call.params, "BucketLoggingStatus.LoggingEnabled"):
        yield "logging_reduced"


def _for_other(call: Call) -> Iterator[str]:
    names = call.texts("userName")
    identity = call.event.identity
    own = identity.name.rpartition("/")[2] if identity.kind == "user" else ""
    if names and names[0] != own:
        yield "for_other"


def _key_status(call: Call) -> Iterator[str]:
    """Whether an access key was switched off or on again."""
    status = call.texts("status")
    if status:
        yield "deactivated" if "Inactive" in status else "reactivated"


def _login(call: Call) -> Iterator[str]:
    yield "console"
    if leaves(call.extra, "MFAUsed") == ["Yes"]:
        yield "mfa"


_SIGN_INS = ("ConsoleLogin", "UserAuthentication", "CredentialVerification")
"""Calls whose failure is in no error code; the latter two are IAM Identity Center's."""


def _says(trait: str, value: str, *paths: str) -> Question:
    return lambda call: iter((trait,) if not value or value in call.texts(*paths) else ())


_ASKED = (
    _image_of_organisation, _permission_added, _resource_policy, _acl, _own_key, _wildcard, _attached, _ingress,
    _compute, _user_data, _selectors_reduced, _bucket_logging, _for_other, _key_status, _login,
)  # fmt: skip
_TABLES = actions.table("cloudtrail")
_QUESTIONS: Questions = (
    *((_shared(*paths.split()), calls) for paths, calls in _TABLES["shared"]),
    *((_says(trait, value, *paths.split()), calls) for trait, value, paths, calls in _TABLES["said"]),
    *((question, _TABLES["asked"][question.__name__.strip("_")]) for question in _ASKED),
    (lambda call: iter(()), _TABLES["answered"]),
)
# Lambda's calls carry the API's version; they are named here so that looking one up stays one step.
_DATED = ("AddPermission", "AddLayerVersionPermission", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig")
_DATES = ("20150331", "20150331v2", "20181031", "20211031")


def _by_name(questions: Questions) -> dict[str, tuple[Question, ...]]:
    names = {name for _, calls in questions for name in calls.split()}
    table = {n: tuple(question for question, calls in questions if n in calls.split()) for n in names}
    table.update({base + date: table[base] for base in _DATED for date in _DATES})
    return table


DEEP = _by_name(_QUESTIONS)
"""Name of a call → the questions that its deep reading answers."""

_ISSUED = (
    "credentials.accessKeyId",
    "accessKey.accessKeyId",
    "serviceSpecificCredential.serviceSpecificCredentialId",
)


def deepen(record: Record, name: str, event: Event) -> Event:
    """The Event with what the questions of a native record of the DEEP call `name` add to it."""
    names = ("requestParameters", "responseElements", "additionalEventData")
    params, answer, extra = (_tree(record.get(name)) for name in names)
    call = Call(params, answer, extra, event)
    traits = {trait for question in DEEP[name] for trait in question(call)}
    response = call.answer if name == "ConsoleLogin" else _tree(record.get("serviceEventDetails"))
    failed = name in _SIGN_INS and "Failure" in leaves(response, name)
    who, signed_in = event.identity, _signed_in(call)
    issued, target_class = _issued(call), _assumed(call) or event.target_class
    if not (traits or failed or signed_in or issued) and target_class == event.target_class:
        return event
    return event._replace(
        identity=who._replace(name=signed_in) if signed_in else who,
        outcome="failure" if failed else event.outcome,
        error=event.error or ("Failure" if failed else ""),
        target_class=target_class,
        traits=tuple(sorted({*event.traits, *traits})),
        issued=issued,
    )


def _tree(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _issued(call: Call) -> str:
    if not call.answer:
        return ""
    issued = [leaf for path in _ISSUED for leaf in leaves(call.answer, path) if isinstance(leaf, str)]
    return issued[0][:256] if issued else ""


def _signed_in(call: Call) -> str:
    names = leaves(call.extra, "UserName") if call.event.identity.kind == "identity_center" else []
    user_names = [leaf for leaf in names if isinstance(leaf, str) and not leaf.startswith("HIDDEN_")]
    return user_names[0][:256] if user_names else ""


def _assumed(call: Call) -> str:
    """Own or foreign, by the account of the role that was assumed."""
    account = next((account_of(arn) for arn in call.texts("roleArn")), "")
    own_account = call.event.identity.account
    return ("own" if account == own_account else "foreign") if account and own_account else ""
