"""The `userIdentity` variants of CloudTrail."""

from __future__ import annotations

from typing import Any, NamedTuple

Identity = dict[str, Any]


class Session(NamedTuple):
    """One temporary credential of a role."""

    name: str
    key: str
    created: str
    """RFC 3339."""
    extras: tuple[tuple[str, Any], ...] = ()
    """Further members of `sessionContext`, as `ec2RoleDelivery` or `webIdFederationData`."""
    mfa: bool = False


def assumed_role(arn: str, principal: str, session: Session, invoked_by: str = "") -> Identity:
    """A role's session; `arn` and `principal` (`AROA…`) are the role's."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    issuer = {"type": "Role", "principalId": principal, "arn": arn, "accountId": account, "userName": name}
    context: Identity = {"sessionIssuer": issuer}
    extras = dict(session.extras)
    if "webIdFederationData" in extras:
        context["webIdFederationData"] = extras.pop("webIdFederationData")
    context["attributes"] = {"creationDate": session.created, "mfaAuthenticated": str(session.mfa).lower()}
    context.update(extras)
    identity: Identity = {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session.name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session.name}",
        "accountId": account,
        "accessKeyId": session.key,
        "sessionContext": context,
    }
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def iam_user(arn: str, principal: str, key: str, console: str = "", mfa: bool = False) -> Identity:
    """An IAM user; with `console` (a creation time) a console session, else a long-lived key."""
    identity: Identity = {
        "type": "IAMUser",
        "principalId": principal,
        "arn": arn,
        "accountId": arn.split(":")[4],
        "accessKeyId": key,
        "userName": arn.rsplit("/", 1)[1],
    }
    if console:
        attributes = {"creationDate": console, "mfaAuthenticated": str(mfa).lower()}
        identity["sessionContext"] = {"attributes": attributes}
    return identity


def federated_user(issuer: Identity, name: str, key: str, created: str) -> Identity:
    """A federated session; `issuer` is the user whose key asked for it, `created` RFC 3339."""
    account = issuer["accountId"]
    kept = ("type", "principalId", "arn", "accountId", "userName")
    context = {
        "sessionIssuer": {member: issuer[member] for member in kept},
        "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
    }
    return {
        "type": "FederatedUser",
        "principalId": f"{account}:{name}",
        "arn": f"arn:aws:sts::{account}:federated-user/{name}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": context,
    }


def aws_service(name: str) -> Identity:
    """A service acting on its own."""
    return {"type": "AWSService", "invokedBy": name}


def web_identity(provider: str, subject: str) -> Identity:
    """Who presents an OIDC token to STS; `provider` is the identity provider's ARN."""
    host = provider.split("/", 1)[1]
    return {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider if "eks" in host else host,
    }


def saml_user(provider: str, name: str) -> Identity:
    """Who presents a SAML assertion to STS."""
    return {
        "type": "SAMLUser",
        "principalId": f"k7Xq2RtLw0eZ8vB1nM4sD6fG9hJ=:{name}",
        "userName": name,
        "identityProvider": f"{provider}=",
    }


def aws_account(account: str, principal: str) -> Identity:
    """A caller from another account, as the resource owner's trail shows it."""
    return {"type": "AWSAccount", "principalId": principal, "accountId": account}
