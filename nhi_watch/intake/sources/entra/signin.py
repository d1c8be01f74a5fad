"""A sign-in of Entra ID: of a user, by a user's refresh token, of an app, of a managed identity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.context import agents, networks
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import listed, plain, text, true

Part = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, object, str, str]
"""shape, time, record id, session, target"""

OPERATIONS = {
    "SignInLogs": "UserSignIn",
    "NonInteractiveUserSignInLogs": "NonInteractiveSignIn",
    "ServicePrincipalSignInLogs": "ServicePrincipalSignIn",
    "MicrosoftServicePrincipalSignInLogs": "ServicePrincipalSignIn",
    "ManagedIdentitySignInLogs": "ManagedIdentitySignIn",
    "ADFSSignInLogs": "UserSignIn",
}
# "Microsoft Entra authentication and authorization error codes": not assigned, blocked by conditional access,
# no consent, disabled, from a tenant that is not let in.
_DENIED = {
    "50020", "50057", "50105", "53000", "53001", "53002", "53003", "53004", "53009", "65001", "65004", "90093",
    "90094", "500021", "500212", "530004", "530032", "530034", "650052", "7000112", "7000114",
}  # fmt: skip
_CREDENTIALS = {
    "clientsecret": "key",
    "clientassertion": "certificate",
    "certificate": "certificate",
    "federatedidentitycredential": "web_identity",
    "managedidentity": "managed",
}
_LEGACY = ("imap", "pop", "smtp", "activesync", "mapi", "other clients", "exchange web services", "autodiscover")


def parts(record: Part, told: Part, tenant: object) -> Parts:
    """What a sign-in tells. `told` is the record's `properties`, or the record itself."""
    of = told.get
    status = of("status")
    code = status.get("errorCode") if status.__class__ is dict else None
    resource = of("resourceDisplayName") or of("resourceId")
    shape = (
        kind_of(record, told), tenant, of("appId"), of("servicePrincipalId"), of("servicePrincipalName"),
        of("appDisplayName"), of("userId"), of("userPrincipalName"),
        of("ipAddress") or record.get("callerIpAddress"), of("userAgent"),
        record.get("resultType") if code in (None, "") else code, of("authenticationRequirement"),
        of("authenticationProtocol"), of("clientAppUsed"),
        of("servicePrincipalCredentialKeyId") or of("servicePrincipalCredentialThumbprint")
        or of("federatedCredentialId"),
        of("clientCredentialType"), of("riskLevelDuringSignIn"), of("riskState"), of("crossTenantAccessType"),
        of("appOwnerTenantId"),
    )  # fmt: skip
    session = plain(of("uniqueTokenIdentifier") or of("sessionId"))[:256]
    return shape, of("createdDateTime") or record.get("time"), of("id"), session, plain(resource)[:200]


def kind_of(record: Part, told: Part) -> str:
    """The operation; of a record without category, by what it tells."""
    category = record.get("category")
    if category.__class__ is str and category in OPERATIONS:
        return OPERATIONS[category]
    types = [text(one).lower() for one in listed(told.get("signInEventTypes"))]
    if "managedidentity" in types:
        return "ManagedIdentitySignIn"
    if told.get("servicePrincipalId") and not told.get("userPrincipalName"):
        return "ServicePrincipalSignIn"
    by_person = true(told.get("isInteractive")) and "noninteractiveuser" not in types
    return "UserSignIn" if by_person else "NonInteractiveSignIn"


@lru_cache(maxsize=4096)
def event_of(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    (name, tenant, _, _, _, _, _, _, address, user_agent, code, _, _, _, key, credential, _, _, crossing,
     _) = shape  # fmt: skip
    tenant = guid(tenant)
    error = "" if code.lower() in ("0", "success", "none") else code[:128]
    identity = _identity(shape)
    foreign = crossing not in ("", "none")
    return Event(
        time=0,
        provider="entra",
        account=tenant,
        identity=identity,
        credential=guid(key),
        credential_type=_credential_type(name, key, credential),
        session="",
        action=f"entra:{name}",
        service="entra",
        access="write",
        outcome="denied" if error in _DENIED else "failure" if error else "success",
        error=error,
        address=microsoft.host(address),
        network=networks.network_of(microsoft.host(address)),
        agent=agents.family(user_agent),
        target_class="foreign" if foreign else "own",
        traits=_traits(shape, not error),
        links=microsoft.links(identity, guid(shape[3])),
    )


def _identity(shape: tuple[str, ...]) -> Identity:
    name, tenant, app_id, object_id, principal, app_name, user_id, user_name = shape[:8]
    tenant = guid(tenant)
    found: Optional[Identity] = None
    if name == "ManagedIdentitySignIn":
        found = microsoft.app(tenant, guid(app_id), guid(object_id), principal or app_name, "managed_identity")
    elif name == "ServicePrincipalSignIn":
        found = microsoft.app(tenant, guid(app_id), guid(object_id), principal or app_name)
    found = found or microsoft.user(tenant, guid(user_id), user_name)
    return found or microsoft.app(tenant, guid(app_id), guid(object_id), app_name) or microsoft.service(tenant, "")


def _credential_type(name: str, key: str, credential: str) -> str:
    found = _CREDENTIALS.get(credential.lower())
    if found:
        return found
    if name == "ManagedIdentitySignIn":
        return "managed"
    if name == "ServicePrincipalSignIn":
        return "key" if key else "none"
    return "session" if name == "NonInteractiveSignIn" else "none"


def _traits(shape: tuple[str, ...], passed: bool) -> tuple[str, ...]:
    (name, tenant, app_id, _, _, _, _, _, _, user_agent, _, requirement, protocol, client, _, _, risk, state,
     crossing, owner) = shape  # fmt: skip
    family = agents.family(user_agent)
    told = {
        "browser": family == "browser",
        "console": name == "UserSignIn" and guid(app_id) in microsoft.PORTALS,
        "mfa": passed and requirement == "multiFactorAuthentication",
        "attack_tool": agents.is_attack_tool(user_agent),
        "risky_signin": risk in ("medium", "high") or state in ("atRisk", "confirmedCompromised"),
        "device_code": protocol == "deviceCode",
        "legacy_auth": client.lower().startswith(_LEGACY),
        "cross_account": crossing not in ("", "none", "microsoftSupport"),
        "third_party": name == "ServicePrincipalSignIn" and guid(owner) not in ("", guid(tenant)),
    }
    return tuple(sorted(trait for trait, holds in told.items() if holds))
