"""What only the bodies of a Kubernetes request tell: tokens for others, grants of everything, pods without a cage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.forms import Tree, at, every
from nhi_watch.intake.shapes.values import listed, text, true

_MAKES = ("create", "update", "patch")
_ROLES = tuple(f"{kind}.{verb}" for kind in ("roles", "clusterroles") for verb in _MAKES)
_BINDINGS = tuple(f"{kind}.{verb}" for kind in ("rolebindings", "clusterrolebindings") for verb in _MAKES)
_PODS = tuple(
    f"{kind}.{verb}"
    for kind in ("pods", "deployments", "daemonsets", "statefulsets", "jobs", "cronjobs", "replicasets")
    for verb in _MAKES
)
_SPECS = ("spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec")
_HOST = ("hostPID", "hostIPC", "hostNetwork")
_TOKENS = ("serviceaccounts.token.create", "serviceaccounts.token.get")
DEEP = frozenset((*_ROLES, *_BINDINGS, *_TOKENS))
"""Operations whose bodies `read` alone reads."""
PODS = frozenset(_PODS)
"""Operations of which only that the pod is `uncaged` matters."""

_SECRETS = tuple(f"secrets.{verb}" for verb in ("get", "list", "watch"))
_SHELLS = tuple(
    f"pods.{way}.{verb}"
    for way in ("exec", "attach", "portforward", "ephemeralcontainers")
    for verb in ("create", "get", "patch", "update")
)
REACHING = frozenset((*_SECRETS, *_SHELLS))
"""Operations of which only the namespace tells whether they `reach` too far."""
SYSTEM = "kube-system"


def reach(operation: str, space: str, caller: str) -> str:
    """`all_namespaces`: everybody's secrets; `system_space`: into the cluster's own, by who does not belong there.

    It takes nothing but the audit level Metadata.

    >>> reach("secrets.list", "", "system:serviceaccount:shop:api"), reach("pods.exec.create", "kube-system", "ann")
    ('all_namespaces', 'system_space')
    >>> reach("secrets.list", "shop", "ann"), reach("secrets.get", "kube-system", "system:node:a")
    ('', '')
    """
    if operation in _SECRETS and not space:
        return "all_namespaces"
    if space != SYSTEM or caller.startswith(("system:node:", "system:kube-", f"system:serviceaccount:{SYSTEM}:")):
        return ""
    return "system_space" if operation in _SHELLS or operation in _SECRETS else ""


_EVERYBODY = {"system:anonymous", "system:unauthenticated", "system:authenticated"}
_ADMIN = {"cluster-admin", "admin", "system:masters"}


def traits_of(tree: Tree, event: Event) -> Iterator[str]:
    """The traits that the request's body tells."""
    operation = event.action.partition(":")[2]
    body = tree.get("requestObject")
    if operation in _TOKENS:
        yield from _token(tree)
    elif operation in _ROLES:
        yield from _rules(body)
    elif operation in _BINDINGS:
        yield from _binding(body)


def _token(tree: Tree) -> Iterator[str]:
    yield "token_minted"
    owner = f"system:serviceaccount:{text(at(tree, 'objectRef.namespace'))}:{text(at(tree, 'objectRef.name'))}"
    caller = text(at(tree, "user.username"))
    if not caller.startswith("system:node:") and caller != owner:
        yield "for_other"


def _rules(body: Any) -> Iterator[str]:
    for rule in listed(at(body, "rules")):
        verbs, resources = ({text(v) for v in every(rule, part)} for part in ("verbs", "resources"))
        if "*" in verbs and "*" in resources:
            yield "admin_policy"
        if "*" in verbs or "*" in resources:
            yield "wildcard_policy"


def _binding(body: Any) -> Iterator[str]:
    if text(at(body, "roleRef.name")) in _ADMIN:
        yield "admin_policy"
    if any(text(name) in _EVERYBODY for name in every(body, "subjects.name")):
        yield "public"


def uncaged(body: Any) -> bool:
    """A pod, or the template of one, that runs as part of its host."""
    if not body:
        return False
    for spec in (one for path in _SPECS for one in every(body, path)):
        if any(true(at(spec, flag)) for flag in _HOST) or every(spec, "volumes.hostPath"):
            return True
        if any(true(flag) for flag in every(spec, "containers.securityContext.privileged")):
            return True
    return False
