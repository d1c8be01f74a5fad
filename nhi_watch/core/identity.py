"""Who really acts behind an AWS userIdentity. Immutable ids first, names second, session names never.

The shapes of userIdentity: docs.aws.amazon.com/awscloudtrail/latest/userguide,
"CloudTrail userIdentity element". What was decided here:

- A session of a role is the role. Only where sessions are people (IAM Identity Center's
  `AWSReservedSSO_…` roles, whose session name is the person's user name) each is an identity of its own.
- A call that AWS makes *for* an identity (`invokedBy`) is still the identity's; its network is the
  service's. A call by a service alone (type AWSService, or no type but `invokedBy`) is the service's.
- Root stays root, and a person, even where a service calls in its name.
- A federated user of GetFederationToken acts with the rights of the user that asked for it: it is that user.
- A web identity is its provider and the part of the subject that names a workload: for CI systems the
  repository or project, never branch, environment or run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nhi_watch.core.event import Identity

AWS = "aws"
SSO_ROLE = "/aws-reserved/sso.amazonaws.com/"
"""Path of the roles that IAM Identity Center makes for people; AWS keeps it for itself, so nobody else can."""
PERSON = "IdentityCenterUser"
"""Type of the people of IAM Identity Center."""
_SSO_SESSION = re.compile(r":assumed-role/AWSReservedSSO_\w+_[0-9a-f]{16}/")
"""The same where a record has no issuer."""
_SERVICE = ".amazonaws.com"
_LONGEST_ID = 512


class Actor(NamedTuple):
    """The texts of a userIdentity that say who acts; "" where not given."""

    type: str = ""
    principal: str = ""
    """principalId"""
    arn: str = ""
    account: str = ""
    name: str = ""
    """userName"""
    invoked_by: str = ""
    issuer_id: str = ""
    """sessionContext.sessionIssuer.principalId"""
    issuer_arn: str = ""
    provider: str = ""
    """identityProvider"""
    person: str = ""
    """onBehalfOf.userId: a person of IAM Identity Center"""
    address: str = ""
    """sourceIPAddress: names the service where `invokedBy` says only `AWS Internal`."""
    recipient: str = ""
    """recipientAccountId: the account whose log this is"""


def identify(actor: Actor) -> Identity:
    """The identity behind an actor.

    >>> identify(Actor("AssumedRole", issuer_id="AROAX", issuer_arn="arn:aws:iam::111111111111:role/app")).id
    'aws:111111111111:role:AROAX'
    >>> identify(Actor("AWSService", invoked_by="eks.amazonaws.com", recipient="111111111111")).id
    'aws:111111111111:service:eks'
    """
    return _KINDS.get(actor.type, _by_arn)(actor)


def account_of(arn: str) -> str:
    """The account of an ARN, or "".

    >>> account_of("arn:aws:iam::111111111111:role/app"), account_of("my-bucket")
    ('111111111111', '')
    """
    parts = arn.split(":", 5) if arn.startswith("arn:") else []
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


def user_name(actor: Actor) -> str:
    """The user's own name, as requests about that user spell it; "" when the actor is no user."""
    if actor.type not in ("IAMUser", "Root"):
        return ""
    return actor.name or actor.arn.rpartition("/")[2]


def service_name(actor: Actor) -> str:
    """The service that calls, without its domain; "" when none is named."""
    for text in (actor.invoked_by, actor.address):
        if text.endswith(_SERVICE):
            return text[: -len(_SERVICE)]
    return "internal" if actor.invoked_by else ""


def _make(account: str, path: str, name: str, kind: str, human: str = "") -> Identity:
    name = name[:_LONGEST_ID]
    return Identity(f"{AWS}:{account}:{path}"[:_LONGEST_ID], name, kind, AWS, account, human)


def _own_account(actor: Actor) -> str:
    return account_of(actor.arn) or actor.account or actor.recipient


def _role(actor: Actor) -> Identity:
    name = _role_arn(actor)
    account = account_of(name) or _own_account(actor)
    session = actor.arn.rpartition("/")[2] or actor.principal.rpartition(":")[2]
    unique = actor.issuer_id or _prefixed(actor.principal, "AROA") or name.rpartition("/")[2]
    if not unique:
        return _nobody(actor)
    if SSO_ROLE in name or (not actor.issuer_arn and _SSO_SESSION.search(actor.arn)):
        return _make(account, f"role:{unique}:{session}", f"{name}/{session}", "identity_center", "sso_role")
    return _make(account, f"role:{unique}", name or unique, "role")


def _role_arn(actor: Actor) -> str:
    """The role's ARN; made from the session's (`…:assumed-role/ROLE/SESSION`) where no issuer is given."""
    if actor.issuer_arn:
        return actor.issuer_arn
    head, role, rest = actor.arn.partition(":assumed-role/")
    if not role:
        return actor.arn
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}"


def _prefixed(principal: str, prefix: str) -> str:
    return principal.split(":")[0] if principal.startswith(prefix) else ""


def _user(actor: Actor) -> Identity:
    unique = actor.principal or user_name(actor)
    if not unique:
        return _nobody(actor)
    return _make(_own_account(actor), f"user:{unique}", actor.arn or actor.name or unique, "user")


def _root(actor: Actor) -> Identity:
    account = _own_account(actor)
    return _make(account, "root", actor.arn or f"arn:aws:iam::{account}:root", "root", "root")


def _service(actor: Actor) -> Identity:
    name = service_name(actor)
    if not name:
        return _nobody(actor)
    return _make(actor.recipient or actor.account, f"service:{name}", name + _SERVICE, "service")


def _account(actor: Actor) -> Identity:
    unique = actor.principal.split(":")[0]
    if "ANONYMOUS" in (unique + actor.account).upper() or not (unique or actor.account):
        return _nobody(actor)
    path = "account" if unique in ("", actor.account) else f"account:{unique}"
    return _make(actor.account, path, f"{actor.account} {unique}".strip(), "account")


def _federated(actor: Actor) -> Identity:
    if ":user/" in actor.issuer_arn and actor.issuer_id:
        account = account_of(actor.issuer_arn)
        return _make(account, f"user:{actor.issuer_id}", actor.issuer_arn, "user")
    if actor.issuer_arn.endswith(":root"):
        return _root(actor)
    unique = actor.principal or actor.name or actor.arn
    if not unique:
        return _nobody(actor)
    return _make(_own_account(actor), f"federated:{unique}", actor.arn or unique, "federated")


def _saml(actor: Actor) -> Identity:
    """A person signs in through SAML: the principal is `<hash of issuer, account, provider>:<name>`."""
    issuer, _, session = actor.principal.rpartition(":")
    name = actor.name or session
    if not name:
        return _nobody(actor)
    return _make(_own_account(actor), f"federated:{issuer}:{name}", name, "federated", "saml")


def _identity_center(actor: Actor) -> Identity:
    person = "" if actor.person.startswith("arn:") else actor.person  # Elastic's actor is the ARN, where there is one
    unique = person or actor.principal or actor.name or actor.arn
    if not unique:
        return _nobody(actor)
    path = f"identity_center:{unique}"
    return _make(_own_account(actor), path, actor.name or unique, "identity_center", "identity_center")


def _nobody(actor: Actor) -> Identity:
    return _make(actor.recipient or actor.account, "anonymous", "anonymous", "anonymous")


# How many parts of a subject name the workload; what follows is branch, environment, run…
_SUBJECTS = {"repo": 2, "project_path": 2, "organization": 6, "org": 6, "system": 4}
_OIDC = re.compile(r"(?:arn:[^:]*:iam::(\d*):oidc-provider/)([^:]+):(?:(.*?):)?(.+)", re.DOTALL)


def subject_of(text: str) -> str:
    """The part of an OIDC subject that names a workload and stays.

    >>> subject_of("repo:acme/shop:environment:prod"), subject_of("system:serviceaccount:prod:api")
    ('repo:acme/shop', 'system:serviceaccount:prod:api')
    >>> subject_of("project_path:acme/shop:ref_type:branch:ref:main"), subject_of("org/1/project/2/user/3")
    ('project_path:acme/shop', 'org/1/project/2')
    """
    parts = text.split(":")
    return ":".join(parts[: _SUBJECTS.get(parts[0], len(parts))]).partition("/user/")[0]


def _web_identity(actor: Actor) -> Identity:
    account, provider, subject = _web_parts(actor)
    if not subject:
        return _nobody(actor)
    subject = subject_of(subject)
    path = f"web_identity:{provider}:{subject}" if provider else f"web_identity:{subject}"
    return _make(account, path, subject, "web_identity")


def _web_parts(actor: Actor) -> tuple[str, str, str]:
    """Account, provider and subject: of `PROVIDER-ARN:AUDIENCE:SUBJECT`, where the subject is userName."""
    match = _OIDC.fullmatch(actor.principal)
    if match is None:
        provider = actor.provider.rpartition("oidc-provider/")[2] or actor.principal.partition(":")[0]
        subject = actor.name or actor.principal.rpartition(":")[2]
        return account_of(actor.provider) or _own_account(actor), provider if provider != subject else "", subject
    return match[1] or _own_account(actor), match[2], actor.name or match[4]


def _by_arn(actor: Actor) -> Identity:
    """Where the type is missing or unknown: what the other texts say."""
    if ":assumed-role/" in actor.arn or actor.issuer_arn:
        return _role(actor)
    if ":user/" in actor.arn:
        return _user(actor)
    if actor.arn.endswith(":root"):
        return _root(actor)
    return _service(actor) if actor.invoked_by else _account(actor)


_KINDS: dict[str, Callable[[Actor], Identity]] = {
    "AssumedRole": _role,
    "Role": _role,
    "IAMUser": _user,
    "Root": _root,
    "AWSService": _service,
    "AWSAccount": _account,
    "FederatedUser": _federated,
    "SAMLUser": _saml,
    "WebIdentityUser": _web_identity,
    PERSON: _identity_center,
    "Directory": _federated,
}
