"""What a method of Google Cloud is called, whatever its service's habit, and its access level.

Services log `google.iam.admin.v1.CreateServiceAccountKey`, `CreateServiceAccountKey`, `v1.compute.instances.insert`,
`beta.compute.instances.insert`, `storage.objects.get` and `io.k8s.core.v1.secrets.get`. The operation is the last
name where names are capitalised, else what follows service and version.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nhi_watch.context import actions
from nhi_watch.intake.sources.kubernetes import actions as k8s

_DOMAIN = ".googleapis.com"
_VERSION = re.compile(r"v\d+(?:(?:p\d+)?(?:alpha|beta)\d*)?|alpha|beta|ga")
_WORDS = re.compile(r"[A-Z]?[a-z]+")
_VERBS = {
    "get": "read", "list": "list", "aggregatedlist": "list", "search": "list", "query": "read", "read": "read",
    "fetch": "read", "lookup": "read", "test": "read", "check": "read", "access": "read", "decrypt": "read",
    "encrypt": "read", "verify": "read", "watch": "list", "insert": "write", "create": "write", "update": "write",
    "patch": "write", "delete": "write", "set": "write", "add": "write", "remove": "write", "undelete": "write",
    "rewrite": "write", "copy": "write", "compose": "write", "start": "write", "stop": "write", "reset": "write",
    "bulk": "write", "move": "write", "connect": "write", "generate": "write", "sign": "write", "login": "read",
    "logout": "read", "authorize": "read", "disable": "write", "enable": "write", "destroy": "write",
    "attach": "write", "detach": "write", "cancel": "write", "import": "write", "export": "read",
}  # fmt: skip


@lru_cache(maxsize=4096)
def named(service: str, method: str) -> tuple[str, str]:
    """Service and operation.

    >>> named("iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey")
    ('iam.googleapis.com', 'CreateServiceAccountKey')
    >>> named("compute.googleapis.com", "v1.compute.instances.insert"), named("", "storage.objects.get")
    (('compute.googleapis.com', 'instances.insert'), ('storage.googleapis.com', 'objects.get'))
    >>> named("k8s.io", "io.k8s.core.v1.secrets.get"), named("iam.googleapis.com", "google.iam.admin.v1.SetIAMPolicy")
    (('k8s', 'secrets.get'), ('iam.googleapis.com', 'SetIamPolicy'))
    """
    if service == "k8s.io" or method.startswith("io.k8s."):
        return k8s.SERVICE, k8s.from_method(method)
    parts = [part for part in method.split(".") if part and not _VERSION.fullmatch(part)]
    if any(part[0].isupper() for part in parts):
        return service.lower()[:64] or "google", parts[-1].replace("IAM", "Iam")[:100]
    if parts and len(parts) > 1:
        first = parts[0]
        if first == service.partition(".")[0] or not service:
            service, parts = service or first + _DOMAIN, parts[1:]
    return service.lower()[:64] or "google", ".".join(parts)[:100]


def access(service: str, operation: str) -> str:
    """The access level.

    >>> access("iam.googleapis.com", "SetIamPolicy"), access("storage.googleapis.com", "objects.get")
    ('permissions', 'read')
    >>> access("x.googleapis.com", "ListThings"), access("k8s", "secrets.list"), access("x", "Frobnicate")
    ('list', 'list', 'unknown')
    """
    if service == k8s.SERVICE:
        return k8s.access(operation)
    level = actions.access(service, operation)
    if level == "unknown":
        word = _WORDS.match(operation.rpartition(".")[2])
        level = _VERBS.get(word[0].lower(), "unknown") if word else "unknown"
    lowered = operation.lower()
    if level == "write" and ("iampolicy" in lowered or "iampermission" in lowered or lowered.endswith("role")):
        return "permissions"
    return level
