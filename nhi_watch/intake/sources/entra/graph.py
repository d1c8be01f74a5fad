"""A request of the Microsoft Graph activity log."""

from __future__ import annotations

import re
from functools import lru_cache

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import plain
from nhi_watch.intake.sources.entra.signin import Part, Parts

_METHODS = {"1": "key", "2": "certificate"}
_LEVELS = {"GET": "read", "HEAD": "read", "OPTIONS": "read"}
# A segment that names one thing: it has a digit, a sign or is longer than any word of the API.
_ID = re.compile(r"(?!oauth2permissiongrants$)(?:.*[0-9@=!%']|.{41,})")
_KEYED = re.compile(r"([a-z]+)\((.*)\)")


def parts(record: Part, told: Part, tenant: object) -> Parts:
    """What a request tells."""
    of = told.get
    uri = plain(of("requestUri"))
    status = of("responseStatusCode")
    shape = (
        route(uri), of("requestMethod"), tenant, of("appId"), of("servicePrincipalId"), of("userId"),
        of("ipAddress") or record.get("callerIpAddress"), of("userAgent"),
        record.get("resultSignature") if status in (None, "") else status, of("clientAuthMethod"),
    )  # fmt: skip
    session = plain(of("signInActivityId"))[:256]
    return shape, of("timeGenerated") or record.get("time"), of("requestId"), session, path(uri)


@lru_cache(maxsize=16384)
def path(uri: str) -> str:
    """The path of a request, without host, version and query.

    >>> path("https://graph.microsoft.com/v1.0/users/7/messages?$top=5")
    '/users/7/messages'
    """
    tail = uri.partition("?")[0].partition("://")[2]
    steps = tail.split("/")[1:]
    if steps and (steps[0] == "beta" or steps[0][:1] == "v"):
        steps = steps[1:]
    return "/" + "/".join(step for step in steps if step)[:199]


@lru_cache(maxsize=16384)
def route(uri: str) -> str:
    """The path with `{id}` for what names one thing, in lower case.

    >>> route("https://graph.microsoft.com/beta/Users('a@b.c')/sendMail")
    '/users/{id}/sendmail'
    >>> route("https://graph.microsoft.com/v1.0/oauth2PermissionGrants/7f2c-1")
    '/oauth2permissiongrants/{id}'
    """
    steps = []
    for step in path(uri).lower().split("/")[1:9]:
        keyed = _KEYED.match(step)
        if keyed:
            steps += [keyed[1], "{id}"] if keyed[2] else [keyed[1]]
        else:
            steps.append("{id}" if _ID.match(step) else step)
    return "/" + "/".join(steps)[:100].replace(" ", "")


@lru_cache(maxsize=8192)
def event_of(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    where, method, tenant, _, _, _, address, user_agent, status, authenticated = shape
    tenant = guid(tenant)
    operation = f"{method[:8].upper()}:{where}"
    level = actions.access("graph", operation)
    identity, delegated = _actor(shape)
    family = agents.family(user_agent)
    told = {
        "delegated": delegated,
        "browser": family == "browser" and identity.kind == "user",
        "attack_tool": agents.is_attack_tool(user_agent),
    }
    return Event(
        time=0,
        provider="entra",
        account=tenant,
        identity=identity,
        credential="",
        credential_type=_METHODS.get(authenticated, "session"),
        session="",
        action=f"graph:{operation}"[:128],
        service="graph",
        access=_LEVELS.get(method.upper(), "write") if level == "unknown" else level,
        outcome="denied" if status in ("401", "403") else "success" if status[:1] in ("2", "3", "") else "failure",
        error="" if status[:1] in ("2", "3") else status[:128],
        address=microsoft.host(address),
        network=networks.network_of(microsoft.host(address)),
        agent=family,
        target_class="own",
        traits=tuple(sorted(trait for trait, holds in told.items() if holds)),
        links=microsoft.links(identity, guid(shape[4]), guid(shape[5]) if delegated else ""),
    )


def _actor(shape: tuple[str, ...]) -> tuple[Identity, bool]:
    """Who acts, and whether for a user."""
    tenant, app_id, object_id, user_id = guid(shape[2]), guid(shape[3]), guid(shape[4]), guid(shape[5])
    person = microsoft.user(tenant, user_id, "")
    program = microsoft.app(tenant, app_id, object_id)
    if person and (program is None or microsoft.first_party(app_id)):
        return person, False
    return program or microsoft.service(tenant, ""), person is not None
