"""What a Kubernetes call is, and who calls: shared by the native audit log, EKS, and GKE's part of Cloud Audit Logs.

The operation of a call is `resource.verb` or `resource.subresource.verb` (`secrets.get`, `pods.exec.create`),
without API group and version; a path that is no resource is `nonresource.verb`.
"""

from __future__ import annotations

import re

from nhi_watch.context import actions, networks
from nhi_watch.core.event import Identity

SERVICE = "k8s"
PROVIDER = "kubernetes"
NOBODY = "system:anonymous"
_LONGEST = 512
_TABLES = actions.table("kubernetes")
_VERBS = {verb: level for level, verbs in _TABLES["verbs"].items() for verb in verbs.split()}
_RBAC = {"roles", "clusterroles", "rolebindings", "clusterrolebindings", "certificatesigningrequests"}
_ASKING = re.compile(r"(?:self|local)?subject(?:access|rules)?reviews|tokenreviews")
_URI = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v\w+/(?:watch/)?(?:namespaces/(?P<ns>[^/]+)/)?"
    r"(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)
_VERSION = re.compile(r"v\d+[a-z0-9]*")
COMPONENTS = frozenset(f"{kind}:{name}" for kind in ("system", "eks") for name in _TABLES[kind].split())
"""Names of the parts of a cluster, of GKE's and of EKS's. Clients that ask for a certificate choose its name."""


def operation_of(resource: str, subresource: str, verb: str) -> str:
    """The operation's name.

    >>> operation_of("pods", "exec", "create"), operation_of("", "", "get")
    ('pods.exec.create', 'nonresource.get')
    """
    return ".".join(part for part in (resource or "nonresource", subresource, verb) if part)[:100]


def from_method(method: str) -> str:
    """The operation of a method's name in GKE's log.

    >>> from_method("io.k8s.core.v1.pods.exec.create"), from_method("io.k8s.get")
    ('pods.exec.create', 'nonresource.get')
    """
    parts = method.split(".")
    for index, part in enumerate(parts):
        if _VERSION.fullmatch(part) and index < len(parts) - 2:
            return ".".join(parts[index + 1 :])[:100]
    return operation_of("", "", parts[-1])


def from_uri(uri: str) -> tuple[str, str, str, str]:
    """Resource, subresource, namespace and name in a request's path, each "" where not given.

    >>> from_uri("/api/v1/namespaces/shop/pods/a/log?x=1"), from_uri("/apis/apps/v1/deployments"), from_uri("/healthz")
    (('pods', 'log', 'shop', 'a'), ('deployments', '', '', ''), ('', '', '', ''))
    """
    match = _URI.fullmatch(uri.partition("?")[0])
    if match is None:
        return "", "", "", ""
    return match["resource"], match["sub"] or "", match["ns"] or "", match["name"] or ""


def access(operation: str) -> str:
    """The access level of an operation.

    >>> [access(o) for o in ("secrets.get", "pods.exec.create", "clusterroles.patch", "tokenreviews.create")]
    ['read', 'write', 'permissions', 'read']
    """
    level = actions.access(SERVICE, operation)
    if level != "unknown":
        return level
    resource, _, verb = operation.partition(".")
    level = _VERBS.get(verb.rpartition(".")[2], "unknown")
    if level == "write" and _ASKING.fullmatch(resource):
        return "read"
    return "permissions" if level == "write" and resource in _RBAC else level


def is_kubernetes(name: str) -> bool:
    """Whether a principal's name is of a form that Kubernetes itself gives: which says nothing of who bears it."""
    return name.startswith(("system:", "eks:", "aks-"))


def is_inside(address: str) -> bool:
    """Whether a cluster's own parts may sit at an address: a private or loopback one, or one that is not given.

    >>> is_inside("10.0.0.4"), is_inside("::1"), is_inside(""), is_inside("198.51.100.7"), is_inside("a host")
    (True, True, True, False, False)
    """
    return not address or networks.describe(networks.network_of(address)).kind == "private"


def identify(name: str, uid: str = "", cluster: str = "", address: str = "") -> Identity:
    """The identity behind a user name; a service account is its uid where that is given.

    The cluster's own part is only who has the name of one, and sits where they do.

    >>> identify("system:serviceaccount:shop:api", "0a-1").id, identify("system:serviceaccount:shop:api").id
    ('kubernetes::service_account:0a-1', 'kubernetes::service_account:shop:api')
    >>> identify("system:node:ip-1").kind, identify("system:anonymous").kind, identify("ann@example.com").human
    ('node', 'anonymous', 'user_name')
    >>> [identify("system:kube-scheduler", address=address).kind for address in ("10.0.0.4", "198.51.100.7")]
    ['service', 'user']
    """
    if name.startswith("system:serviceaccount:"):
        unique = uid or name[22:]
        return _make(cluster, f"service_account:{unique}", name, "service_account")
    if name in ("", NOBODY):
        return _make(cluster, "anonymous", NOBODY, "anonymous")
    if name.startswith("system:node:"):
        return _make(cluster, f"node:{name[12:]}", name, "node")
    if name in COMPONENTS and is_inside(address):
        return _make(cluster, f"service:{name}", name, "service")
    return user(name, cluster)


def user(name: str, cluster: str = "") -> Identity:
    """The user behind a name that is no component's and no account's."""
    return _make(cluster, f"user:{name}", name, "user", "user_name" if "@" in name else "")


def links_of(name: str) -> tuple[str, ...]:
    """The name by which clouds and Vault know a service account: its token's subject.

    >>> links_of("system:serviceaccount:shop:api"), links_of("ann@example.com")
    (('oidc:system:serviceaccount:shop:api',), ())
    """
    return (f"oidc:{name}"[:_LONGEST],) if name.startswith("system:serviceaccount:") else ()


def _make(cluster: str, path: str, name: str, kind: str, human: str = "") -> Identity:
    return Identity(f"{PROVIDER}:{cluster}:{path}"[:_LONGEST], name[:_LONGEST], kind, PROVIDER, cluster, human)
