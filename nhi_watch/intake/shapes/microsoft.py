"""What Microsoft's logs share: identities of Entra ID, operation names, addresses, permissions, Elastic's spelling.

Identities of Entra ID, the same out of sign-ins, audit logs, Graph activity, Azure activity and Microsoft 365, so
that records of one app can be linked:

- An app is `entra:app:<application id>` wherever the application id is given. That id names the app in every
  log and is never used again; a registration that is deleted and created again gets another one.
- Where only the service principal's object id is given (most audit records of what an app did), it is
  `entra:sp:<object id>`. Records that give both (sign-ins, Graph activity, directory records of Microsoft 365)
  prove which belong together: both are among the Event's `links`.
- A user is `entra:user:<object id>`, or by its sign-in name, in lower case, where no object id is given.
- No tenant in these ids: they are unique in the world, and half of the shapes do not name the tenant.
- What an app of somebody else than Microsoft does for a user is the app's doing (trait `delegated`); Microsoft's
  own apps (Outlook, the portal) are how a user works, so there it is the user's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import at, dataset, hit, native, renamed, rows_of
from nhi_watch.intake.shapes.values import listed, plain, text

ENTRA = "entra"
PLATFORM = "azure.platformlogs"
"""Elastic's dataset of the diagnostic logs of resources."""
APPS = ("app", "managed_identity")
"""The kinds of identities that are apps."""
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)

_APPS_OF_MICROSOFT = actions.table("microsoft")
PORTALS = frozenset(_APPS_OF_MICROSOFT["portals"])
_FIRST_PARTY = PORTALS.union(_APPS_OF_MICROSOFT["others"])
"""The older ones are recognized by their pattern."""
_OLD_ID = re.compile(r"0000000[0-9a-f]-0000-0ff1-ce00-000000000000|0000000[0-9a-f]-0000-0000-c000-000000000000")

_TENANT_WRITE = re.compile(
    r"(?:RoleManagement|AppRoleAssignment|Application|Directory|Policy|Group|User|PrivilegedAccess|Credentials|"
    r"EntitlementManagement|UserAuthenticationMethod)\.(?:[A-Za-z]+\.)?ReadWrite\.[A-Za-z]+|"
    r"full_access_as_app|Sites\.FullControl\.All|Domain\.ReadWrite\.All"
)
_MAIL_AND_FILES = re.compile(
    r"(?:Mail|MailboxSettings|Files|Sites|Notes|Chat|ChannelMessage|Calendars|Contacts)\.[A-Za-z.]+|EWS\.AccessAsUser\.All|"
    r"full_access_as_app|IMAP\.AccessAsUser\.All|POP\.AccessAsUser\.All"
)
ADMIN_ROLES = re.compile(
    r"(?:Global|Company|Privileged Role|Privileged Authentication|Application|Cloud Application|Hybrid Identity|"
    r"Security|Exchange|SharePoint|User|Authentication|Conditional Access|Domain Name|Intune)(?: Service)? "
    r"Administrator"
    r"|Partner Tier\d Support|Directory Synchronization Accounts",
    re.IGNORECASE,
)


# ---- identities


def relayed(row: Mapping[str, Any]) -> bool:
    """Whether Elastic's document of the activity log holds a record of Entra ID's: an event hub may get both."""
    if dataset(row) != "azure.activitylogs":
        return False
    try:
        tree, _ = native(row)
    except RejectError:
        return False
    category = text(at(tree, "azure.activitylogs.category") or tree.get("category"))
    return category.endswith("SignInLogs") or category in ("AuditLogs", "MicrosoftGraphActivityLogs")


def guid(value: object) -> str:
    """An id in lower case, bounded; the nil id counts as missing.

    >>> guid("D0AB11A0-8802-47A2-84F4-546FDED6F92B"), guid("00000000-0000-0000-0000-000000000000")
    ('d0ab11a0-8802-47a2-84f4-546fded6f92b', '')
    """
    return _guid(value) if value.__class__ is str else _guid(text(value, 128))


@remembered(16384)
def _guid(value: str) -> str:
    guid_text = text(value, 128).strip().lower()
    return "" if guid_text == "00000000-0000-0000-0000-000000000000" else guid_text


def first_party(app_id: str) -> bool:
    """Whether the app is one of Microsoft's with which people work.

    >>> first_party("00000002-0000-0ff1-ce00-000000000000"), first_party("ea0056b2-87ac-4765-ba13-e2768da6fba7")
    (True, False)
    """
    return app_id in _FIRST_PARTY or _OLD_ID.fullmatch(app_id) is not None


def app(tenant: str, app_id: str, object_id: str, name: str = "", kind: str = "app") -> Optional[Identity]:
    """The identity of an app; None when neither id is given."""
    if app_id:
        return Identity(f"{ENTRA}:app:{app_id}", name or app_id, kind, ENTRA, tenant, "")
    if object_id:
        return Identity(f"{ENTRA}:sp:{object_id}", name or object_id, kind, ENTRA, tenant, "")
    return None


def user(tenant: str, object_id: str, name: str) -> Optional[Identity]:
    """The identity of a user; None when neither id nor name is given."""
    unique = object_id or name.lower()
    if not unique:
        return None
    return Identity(f"{ENTRA}:user:{unique}"[:512], name or unique, "user", ENTRA, tenant, "directory_user")


def service(tenant: str, name: str) -> Identity:
    """One of Microsoft's own services; `unknown` if it has no name."""
    name = name[:200] or "unknown"
    return Identity(f"{ENTRA}:service:{operation(name)[:100] or 'unknown'}", name, "service", ENTRA, tenant, "")


def links(identity: Identity, object_id: str, person: str = "") -> tuple[str, ...]:
    """`app:` and `sp:`, the two ids of an app that acts, as far as its record has them; `user:`, for whom it acts.

    >>> links(Identity("entra:app:1", "x", "app", "entra", "", ""), "2")
    ('app:1', 'sp:2')
    >>> links(Identity("entra:user:1", "x", "user", "entra", "", ""), "2")
    ()
    """
    if identity.kind not in APPS:
        return ()
    kind, _, unique = identity.id[len(ENTRA) + 1 :].partition(":")
    link_set = {f"{kind}:{unique}", *([f"sp:{object_id}"] if object_id else []), *([BEHALF + person] if person else [])}
    return tuple(sorted(link_set))


# ---- texts


@remembered(4096)
def operation(name: str) -> str:
    """A product's sentence as one word; trailing dots, blanks and dashes do not matter.

    >>> operation("Add service principal credentials."), operation("Update application – Certificates and secrets ")
    ('AddServicePrincipalCredentials', 'UpdateApplicationCertificatesAndSecrets')
    >>> operation("New-InboxRule"), operation("MailItemsAccessed"), operation(" ")
    ('New-InboxRule', 'MailItemsAccessed', '')
    """
    words = re.split(r"[^0-9A-Za-z_-]+", name[:200])
    return "".join(word[:1].upper() + word[1:] for word in words if word.strip("-"))[:100]


@remembered(8192)
def host(name: str) -> str:
    """An address without its port.

    >>> host("198.51.100.7:443"), host("[2001:db8::1]:443"), host("2001:db8::1"), host("<null>")
    ('198.51.100.7', '2001:db8::1', '2001:db8::1', '')
    """
    name = name.strip()[:128]
    if name[:1] == "[":
        return name[1:].partition("]")[0]
    if name.count(":") == 1:
        return name.partition(":")[0]
    return "" if name in ("<null>", "null", "Not Available") else name


def is_native(row: Mapping[str, Any]) -> bool:
    """Whether a record is neither a host's row (`a.b`, `a{}`, `_time`) nor a document.

    >>> is_native({"Id": "x"}), is_native({"Id": "x", "Actor{}.ID": "y"}), is_native({"_raw": "{}"})
    (True, False, False)
    """
    if "_raw" in row or "_time" in row or "_source" in row or "fields" in row:
        return False
    names = "".join(row)
    return "." not in names and "{" not in names


# ---- permissions


def permission_traits(content: str) -> list[str]:
    """What granted permissions or roles allow.

    >>> permission_traits("User.Read Mail.Read offline_access"), permission_traits("Directory.ReadWrite.All")
    (['mail_and_files'], ['admin_policy'])
    """
    matches = {
        "admin_policy": _TENANT_WRITE.search(content) or ADMIN_ROLES.search(content),
        "mail_and_files": _MAIL_AND_FILES.search(content),
    }
    return [trait for trait, holds in matches.items() if holds]


SCOPES = 6
"""Wide permissions that are known by name."""


def wide_scopes(scopes: str) -> list[str]:
    """Traits that name the wide permissions: mail, files, the directory; `offline_access`: also while nobody is there.

    >>> wide_scopes("openid User.Read Mail.Read offline_access")
    ['offline_access', 'scope:Mail.Read']
    """
    named = {match[0].strip(".") for wide in (_MAIL_AND_FILES, _TENANT_WRITE) for match in wide.finditer(scopes)}
    return [
        *(["offline_access"] if "offline_access" in scopes else []),
        *(f"scope:{n}" for n in sorted(named)[:SCOPES]),
    ]


_VENDORS = frozenset(_APPS_OF_MICROSOFT["vendors"].split())
_LONG = 7
"""Letters from which a vendor's name with another letter is no word of its own, as sigma and motion are."""
_LIKE = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
_WORDS = re.compile(r"[^\W_]+")


def lookalike(name: str) -> bool:
    """Whether a word of an app's name is a vendor's but for one letter, or for letters that look alike.

    >>> [lookalike(name) for name in ("rnicrosoft", "Micros0ft Teams", "Dropbx Sync", "Microsoft Teams", "Payroll")]
    [True, True, True, False, False]
    """
    words = _WORDS.findall(unicodedata.normalize("NFKD", name).lower())
    return any(word not in _VENDORS and len(word) > 4 and _is_like(word) for word in words)


@remembered(4096)
def _is_like(word: str) -> bool:
    return any(
        _drawn(word) == _drawn(name) or (len(name) >= _LONG and _differs_by_one(word, name)) for name in _VENDORS
    )


def _drawn(word: str) -> str:
    for written, seen in _LIKE:
        word = word.replace(written, seen)
    return word


def _differs_by_one(first: str, other: str) -> bool:
    """One letter more, less or other, or two neighbours changed about; a plural is none."""
    short, long = sorted((first, other), key=len)
    if len(long) - len(short) > 1 or long == short + "s":
        return False
    place = next((i for i, (a, b) in enumerate(zip(short, long)) if a != b), len(short))
    if len(short) < len(long):
        return short[place:] == long[place + 1 :]
    swapped = short[place : place + 2] == long[place : place + 2][::-1] and short[place + 2 :] == long[place + 2 :]
    return swapped or short[place + 1 :] == long[place + 1 :]


# ---- lists of objects, and Elastic's spelling


def value_of(value: Any, name: str, key: str = "Name", content: str = "Value") -> str:
    """One of the values of `[{Name, Value}…]`, in any of its forms.

    >>> value_of([{"Name": "a", "Value": "1"}], "a"), value_of({"a": "1"}, "a"), value_of(None, "a")
    ('1', '1', '')
    """
    if value.__class__ is dict and key in value and content in value:
        value = rows_of(value)  # of two with this name, the first one counts, in any form
    if value.__class__ is not list:
        return named(value, key, content).get(name, "") if value else ""
    for item in value:
        if item.__class__ is dict and item.get(key) == name:
            return plain(item.get(content))
    return ""


def named(value: object, name: str = "Name", content: str = "Value") -> dict[str, str]:
    """Names and values out of `[{Name, Value}…]`, or out of the object that Elastic makes of it."""
    if isinstance(value, dict) and not (name in value and content in value):
        return {str(k): text(v, 4096) for k, v in value.items()}
    pairs = [(row.get(name), row.get(content)) for row in rows_of(value)]
    return {n if n.__class__ is str else text(n): v if v.__class__ is str else text(v) for n, v in pairs}


_RENAMED = {
    "created_at": "createdDateTime",
    "activity_datetime": "activityDateTime",
    "risk_level_during_signin": "riskLevelDuringSignIn",
}
_STEP = re.compile(r"_([a-z0-9])")


def camel(tree: Any) -> Any:
    """Names as Microsoft spells them, out of Elastic's `snake_case`.

    >>> camel({"app_id": "x", "status": {"error_code": 0}, "created_at": "y"})
    {'appId': 'x', 'status': {'errorCode': 0}, 'createdDateTime': 'y'}
    """
    return renamed(tree, spelt)


@remembered(1024)
def spelt(name: str) -> str:
    """A name as Microsoft spells it."""
    return _RENAMED.get(name) or _STEP.sub(lambda m: m[1].upper(), name)


def category(row: Mapping[str, Any]) -> object:
    """Which of Azure's diagnostic logs a record, or a document of Elastic's, is of.

    >>> category({"category": "kube-audit"}), category({"a": 1})
    ('kube-audit', None)
    """
    category_name = row.get("category")
    if category_name is not None or dataset(row) != PLATFORM:
        return category_name
    document = hit(row)
    return listed(document.get(f"{PLATFORM}.category") or at(document, f"{PLATFORM}.category") or [None])[0]


@remembered(256)
def tenant_of(resource: str) -> str:
    """The tenant in the id of one of its resources.

    >>> tenant_of("/tenants/7F2C/providers/Microsoft.aadiam"), tenant_of("/subscriptions/1")
    ('7f2c', '')
    """
    steps = resource.lower().split("/")
    return steps[2] if len(steps) > 2 and steps[1] == "tenants" else ""
