"""The register of techniques, and who can be a victim of which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nhi_watch_lab.simulator.products.raid import Raid

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

Cast = Mapping[str, Any]
"""Part → the worker or machine that plays it."""
Act = Callable[[Raid, Any], None]
Candidates = Callable[["Tenant", int], Sequence[Any]]



class Technique(NamedTuple):
    """One way to misuse identities."""

    name: str
    act: Act
    mitre: str
    tactics: tuple[str, ...]
    parts: tuple[str, ...]


class Parts:
    """A cast as attributes: `cast.token`, `cast.role`."""

    def __init__(self, cast: Cast) -> None:
        self.__dict__.update(cast)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


REGISTER: dict[str, Technique] = {}
"""All techniques by name, in the order of definition."""


def technique(mitre: str, tactics: str, parts: str, register: dict[str, Technique] = REGISTER) -> Callable[[Act], Act]:
    """Registers a technique under its function's name; `parts` names whom it needs, see `PARTS`."""

    def add(act: Act) -> Act:
        register[act.__name__] = Technique(act.__name__, act, mitre, tuple(tactics.split()), tuple(parts.split()))
        return act

    return add


def _workers(product: str, kinds: str, more: Callable[[Any], bool] = lambda w: True) -> Candidates:
    return lambda tenant, day: [w for w in tenant.alive(product, kinds, day) if more(w)]


def _machines(fits: Callable[[Any], bool]) -> Candidates:
    def found(tenant: Tenant, day: int) -> list[Any]:
        machines = tenant.company.aws.machines
        return [m for m in machines if fits(m) and m.born <= max(0, day - 3) and m.dies > day + 2]

    return found


def _pods(tenant: Tenant, day: int) -> Sequence[Any]:
    living = {id(m) for m in _machines(lambda m: m.session == "web")(tenant, day)}
    return [w for w in tenant.alive("kubernetes", "service_account", day) if id(w.facts["role"]) in living]


def _token_hosts(tenant: Tenant, day: int) -> Sequence[Any]:
    living = set(map(id, tenant.alive("github", "token", day)))
    return [w for w in tenant.alive("endpoint", "host_user", day) if id(w.facts.get("robot")) in living]


def _servers(tenant: Tenant, day: int) -> Sequence[Any]:
    living = {id(m) for m in _machines(lambda m: m.kind == "user" and bool(m.key_on(day)))(tenant, day)}
    return [w for w in tenant.alive("endpoint", "host_user", day) if id(w.facts.get("machine")) in living]


def _agents(kind: str) -> Candidates:
    return lambda tenant, day: [w for w in tenant.agents if w.kind == kind and w.born <= max(0, day - 3)]


PARTS: dict[str, Candidates] = {
    "token": _workers("github", "token", lambda w: "workflow" in w.facts["access"].get("token_scopes", "workflow")),
    "bot": _workers("github", "app oauth_app"),
    "developer": _workers("github", "person"),
    "pipeline": _machines(lambda m: m.session == "ci"),
    "user": _machines(lambda m: m.kind == "user" and m.archetype != "sleeper"),
    "server": _servers,
    "token_host": _token_hosts,
    "app": _workers("entra", "app"),
    "sleeper": _workers("entra", "sleeper"),
    "mailer": _workers("m365", "app"),
    "azure": _workers("azure", "app"),
    "managed": _workers("azure", "managed"),
    "storage": _workers("azure", "storage_key"),
    "person": _workers("entra", "person"),
    "okta_token": _workers("okta", "token"),
    "okta_app": _workers("okta", "oauth_app"),
    "keyed": _workers("gcp", "service_account", lambda w: bool(w.keys)),
    "account": _workers("gcp", "service_account", lambda w: bool(w.habits) and not w.keys),
    "pod": _pods,
    "service_account": _workers("kubernetes", "service_account"),
    "vault": _workers("vault", "entity", lambda w: not w.human),
    "warehouse": _workers("snowflake", "service"),
    "connected": _workers("salesforce", "app"),
    "gitlab": _workers("gitlab", "bot token"),
    "openai": _workers("ai", "service_account"),
    "anthropic": _workers("ai", "key"),
    "assistant": _machines(lambda m: m.kind == "user" or m.session in ("instance", "lambda", "sdk")),
    "reader": _workers("workspace", "app"),
    "coder": _agents("agent"),
    "gateway": _agents("gateway"),
}
"""Part → who can play it on a day."""
