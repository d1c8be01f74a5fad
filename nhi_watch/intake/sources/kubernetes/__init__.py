"""Kubernetes API audit log: any cluster's own, and EKS's, whose users are AWS roles.

- A service account is its uid: one that was deleted and made again is another. Where EKS gives the AWS role
  behind a user, the identity is that role, the same as in CloudTrail, and its access key the credential.
- Impersonation (`impersonatedUser`): the one who really acts is the identity; as whom, is its session, which is no
  credential, and with the groups a link, so that whom it never impersonated before is news.
- A client certificate is a long-lived credential (`X509SHA256=…`), a token of a pod (`JTI=…`) a session.
- The address is the last public one of `sourceIPs`, else the last: all others are the client's own claim, so a forged
  header hides no outside address and lends no inside one. That a public one stands before a private last one is how a
  load balancer passes on its client.
- A name is the cluster's own only if it is a component's, at a private address or none: clients that ask for a
  certificate choose its name. `null` and `-` are names.
- AKS's diagnostic log (`kube-audit`, `kube-audit-admin`) holds the record as text; it is read like any other.
- The log names no cluster: account is that of the AWS role, or "".
- `auditID` is what the client says in the header Audit-ID: the record's id is bound to stage, time, verb, URI and user,
  and to what was done to what, and how it ended.
- Stage RequestReceived is rejected (`unfinished`): the same request comes again with its outcome.

Traits: impersonation, as_admin (in the group system:masters), token_minted, for_other (a token for another account),
wildcard_policy, admin_policy, public (a grant to everybody), privileged (a pod that can leave its cage), all_namespaces
(secrets of all), system_space (a shell in kube-system, or its secrets, by a stranger to it), attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock, unfinished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from nhi_watch.context import networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import AS, Event, Identity
from nhi_watch.core.identity import SSO_ROLE, Actor
from nhi_watch.core.identity import identify as identify_aws
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, every, inner, native, object_of, part
from nhi_watch.intake.shapes.microsoft import PLATFORM, category
from nhi_watch.intake.shapes.values import (
    bound,
    build_event,
    filled,
    known_by_arn,
    listed,
    moment,
    name_of,
    plain,
    text,
    true,
)
from nhi_watch.intake.sources.kubernetes import actions as k8s

Row = Mapping[str, Any]


# ---- aks
#
# AKS's audit log: Azure's diagnostic log holds each record as text, which Elastic's pipeline may have opened.


FORWARDED = ("kube-audit", "kube-audit-admin")
"""Categories of the diagnostic log that are the cluster's audit log."""


def opened_aks(opened: Tree) -> Tree:
    """The record that AKS's diagnostic log holds, with the time of the log where it has none.

    Raises:
        RejectError: bad_json, too_deep, not_object.
    """
    document = opened if "category" in opened else part(opened, PLATFORM)
    log = at(document, "properties.log")
    if document.get("category") not in FORWARDED or not isinstance(log, (str, dict)):
        return opened
    inside = log if isinstance(log, dict) else object_of(log)
    return {"timestamp": opened.get("time") or opened.get("@timestamp"), **inside}


# ---- traits
#
# What only the bodies of a Kubernetes request show: tokens for others, grants of everything, unconfined pods.


_MAKES = ("create", "update", "patch")
_ROLES = tuple(f"{kind}.{verb}" for kind in ("roles", "clusterroles") for verb in _MAKES)
_BINDINGS = tuple(f"{kind}.{verb}" for kind in ("rolebindings", "clusterrolebindings") for verb in _MAKES)
_PODS = tuple(
    f"{kind}.{verb}"
    for kind in (
        "pods",
        "deployments",
        "daemonsets",
        "statefulsets",
        "jobs",
        "cronjobs",
        "replicasets",
        "replicationcontrollers",
        "pods.ephemeralcontainers",
    )
    for verb in _MAKES
)
_SPECS = ("spec", "spec.template.spec", "spec.jobTemplate.spec.template.spec")
_HOST = ("hostPID", "hostIPC", "hostNetwork")
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_HOSTS_POWER = {"SYS_ADMIN", "CAP_SYS_ADMIN", "ALL"}
"""Capabilities that are as good as privileged."""
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
"""Operations of which only the namespace shows whether they `scope_trait` too far."""
SYSTEM = "kube-system"
_DEEPEST = 20
"""Steps of a path in a JSON patch."""


def scope_trait(operation: str, space: str, caller: str) -> str:
    """`all_namespaces`: everybody's secrets; `system_space`: into the cluster's own, by who does not belong there.

    It takes nothing but the audit level Metadata.

    >>> caller = "system:serviceaccount:shop:api"
    >>> scope_trait("secrets.list", "", caller), scope_trait("pods.exec.create", "kube-system", "ann")
    ('all_namespaces', 'system_space')
    >>> scope_trait("secrets.list", "shop", "ann"), scope_trait("secrets.get", "kube-system", "system:node:a")
    ('', '')
    """
    if operation in _SECRETS and not space:
        return "all_namespaces"
    own = caller in k8s.COMPONENTS or caller.startswith(("system:node:", f"system:serviceaccount:{SYSTEM}:"))
    if space != SYSTEM or own:
        return ""
    return "system_space" if operation in _SHELLS or operation in _SECRETS else ""


_EVERYBODY = {"system:anonymous", "system:unauthenticated", "system:authenticated"}
_ADMIN = {"cluster-admin", "admin", "system:masters"}


def traits_of(tree: Row, event: Event) -> Iterator[str]:
    """The traits that the request's body shows."""
    operation = event.action.partition(":")[2]
    body = tree.get("requestObject")
    if operation in _TOKENS:
        yield from _token(tree)
    elif operation in _ROLES:
        yield from (trait for body_part in _bodies(body) for trait in _rules(body_part))
    elif operation in _BINDINGS:
        yield from (trait for body_part in _bodies(body) for trait in _binding(body_part))


def _bodies(body: Any) -> list[Any]:
    """The body, or what each step of a JSON patch makes of a thing without anything else.

    >>> _bodies([{"op": "add", "path": "/rules/-/verbs", "value": ["*"]}, {"op": "remove", "path": "/rules/0"}])
    [{'rules': [{'verbs': ['*']}]}]
    """
    if not isinstance(body, list):
        return [body]
    return [
        _at_path(text(step.get("path")).split("/")[1:_DEEPEST], step.get("value"))
        for step in body
        if isinstance(step, dict) and step.get("op") in ("add", "replace")
    ]


def _at_path(steps: list[str], value: Any) -> Any:
    for step in reversed(steps):
        value = [value] if step == "-" or step.isdigit() else {step: value}
    return value


def _token(tree: Row) -> Iterator[str]:
    yield "token_minted"
    owner = f"system:serviceaccount:{text(at(tree, 'objectRef.namespace'))}:{text(at(tree, 'objectRef.name'))}"
    caller = text(at(tree, "user.username"))
    if not caller.startswith("system:node:") and caller != owner:
        yield "for_other"


def _rules(body: Any) -> Iterator[str]:
    for rule in listed(at(body, "rules")):
        verbs, resources = ({text(v) for v in every(rule, field)} for field in ("verbs", "resources"))
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
    for spec in (item for body_part in _bodies(body) for path in _SPECS for item in every(body_part, path)):
        if any(true(at(spec, flag)) for flag in _HOST) or every(spec, "volumes.hostPath"):
            return True
        for context in (item for kind in _CONTAINERS for item in every(spec, f"{kind}.securityContext")):
            added = {text(name).upper() for name in every(context, "capabilities.add")}
            if true(at(context, "privileged")) or added & _HOSTS_POWER:
                return True
    return False


# ---- kubernetes


NAME = "kubernetes"
SPLUNK_SOURCETYPES = ("kube:apiserver:audit", "aws:cloudwatchlogs:eks")
ELASTIC_INDICES = ("logs-kubernetes.audit_logs-*", "logs-azure.platformlogs-*")

_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_POD = "authentication.kubernetes.io/pod-uid"
_DECISION = "authorization.k8s.io/decision"
_AUTHENTICATED = "system:authenticated"
"""The group of everyone with a credential, whatever its name."""
_ADMINS = "group system:masters"
_GROUPS = 4
"""Groups of an impersonated user that are kept: those of administrators come first."""
_SPELLINGS = {
    name: (name.replace(".", "_").replace("/", "_slash_"), name.replace(".", "_")) for name in (_CREDENTIAL, _POD)
}
"""Elastic's names for those with dots."""
_PARTS = frozenset(("objectRef", "requestURI", "auditID", "responseStatus"))
_DENIED = ("401", "403")


def _is_row(row: Tree) -> bool:
    if row.get("kind") != "Event" or "verb" not in row:
        return category(row) in FORWARDED
    return not _PARTS.isdisjoint(row) or any(
        k.__class__ is str and k.startswith(("objectRef.", "user.username")) for k in row
    )


claims = claimant(_is_row, (('"audit.k8s.io/', "kube-audit"), ("audit.k8s.io/",)), "kubernetes.audit_logs")
"""Whether the record is a Kubernetes audit event, in any of its three shapes."""


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    native_tree, is_document = native(record)
    opened = opened_aks(native_tree)
    tree: Row = inner(inner(native_tree, "kubernetes"), "audit") if is_document and opened is native_tree else opened
    if tree.get("stage") == "RequestReceived":
        raise RejectError("unfinished", "the outcome of the request is in a separate record")
    shape, session, target, asked = _raw(tree)
    event = _event_of(cast(str, shape[0]), *map(text, shape[1:]))
    time = moment(tree.get("stageTimestamp") or tree.get("requestReceivedTimestamp") or tree.get("timestamp") or None)
    if shape[1] in DEEP:
        traits = {*event.traits, *traits_of(tree, event)}
        event = event._replace(traits=tuple(sorted(traits)), issued=_issued(tree))
    # The client may choose auditID: it is bound to the stage and what the server says of the request.
    stage, *request = asked
    record_id = bound(_leaf(tree.get("auditID")), stage, str(time), *request, event.action, event.outcome, target)
    return filled(event, time, record_id, session, target)


def _leaf(value: Any) -> str:
    return value if isinstance(value, str) else text(value or "")


def _raw(tree: Row) -> tuple[tuple[object, ...], str, str, tuple[str, ...]]:
    """What the Event depends on; session; target; stage, verb, path and user, as they are asked."""
    of = tree.get
    user, thing, status, other = inner(tree, "user"), inner(tree, "objectRef"), inner(tree, "responseStatus"), {}
    who, verb, uri = name_of(user.get("username")), _leaf(of("verb")), _leaf(of("requestURI"))
    resource, sub, space, name = map(_leaf, map(thing.get, ("resource", "subresource", "namespace", "name")))
    path = ""
    if not resource:
        path = uri
        resource, sub, space, name = k8s.from_uri(uri)
    if "impersonatedUser" in tree:
        other = inner(tree, "impersonatedUser")
    as_whom = _leaf(other.get("username"))
    credential, arn, key, session = _proofs(inner(user, "extra"))
    session = ("as:" + as_whom)[:256] if as_whom else session
    code, many, operation = _leaf(status.get("code")), of("sourceIPs"), _operation(resource, sub, verb)
    shape = (
        who, operation, user.get("uid"), space,
        many[0] if many.__class__ is list and len(many) == 1 else _address(many), of("userAgent"), code,
        status.get("reason"), status.get("status"), None if code else _decision(tree), credential, arn, key,
        _as(as_whom, other.get("groups")) if as_whom else "",
        "y" if operation in PODS and uncaged(of("requestObject")) else "",
        scope_trait(operation, space, who) if operation in REACHING else "",
        "y" if who == k8s.NOBODY and _AUTHENTICATED in listed(user.get("groups")) else "",
    )  # fmt: skip
    target = f"{space}/{name}" if space else name or path[:128].partition("?")[0]
    return shape, session, target[:256], (_leaf(of("stage")), verb, uri, who)


def _as(name: str, groups: object) -> str:
    """Whom it impersonates, and in which groups, a line each; without what everybody is in."""
    group_names = {text(group, 100) for group in listed(groups)} - {"", _AUTHENTICATED}
    first = sorted(group_names, key=lambda group: (group not in _ADMIN, group))
    return "\n".join([name.replace("\n", " ")[:200], *(f"group {group}" for group in first[:_GROUPS])])


def _proofs(extra: Tree) -> tuple[str, str, str, str]:
    """Long-lived credential, role, access key and session."""
    if not extra:
        return "", "", "", ""
    credential = _extra(extra, _CREDENTIAL)
    arn = _extra(extra, "canonicalArn") or _role(_extra(extra, "arn"))
    key = _extra(extra, "accessKeyId") if arn else ""
    if key[:4] == "ASIA":
        return credential if credential[:4] == "X509" else "", arn, "ASIA", key
    if credential[:4] == "X509":
        return credential, arn, key, _extra(extra, _POD)
    return "", arn, key, credential or _extra(extra, _POD)


def _extra(extra: Tree, name: str) -> str:
    """A value of `user.extra`, whose names hold dots and whose values are lists."""
    value = extra.get(name)
    if value is None and name in _SPELLINGS:
        value = next((extra[other] for other in _SPELLINGS[name] if other in extra), None)
        if value is None and "authentication" in extra:
            value = at(extra, name)
    if value.__class__ is list and value:
        value = value[0]
    return plain(value)[:256]


def _role(arn: str) -> str:
    """The ARN of a role's session without the session, unless sessions are people."""
    head, parts, _ = arn.rpartition("/")
    return head + parts if ":assumed-role/" in head and SSO_ROLE not in arn else arn


@remembered(4096)
def _operation(resource: str, sub: str, verb: str) -> str:
    return k8s.operation_of(resource.strip(), sub.strip(), verb.strip().lower()) if verb else ""


def _decision(tree: Row) -> object:
    notes = inner(tree, "annotations")
    decision = notes.get(_DECISION) or notes.get(_DECISION.replace(".", "_")) or at(notes, _DECISION)
    return decision if decision.__class__ is str else None


def _address(addresses: object) -> object:
    many = [text(item, 64) for item in listed(addresses)]
    public = [
        address
        for address in many
        if networks.describe(networks.network_of(address)).kind not in ("private", "service")
    ]
    return public[-1] if public else many[-1] if many else None


def _issued(tree: Row) -> str:
    notes = inner(tree, "annotations")
    return text(notes.get(_ISSUED) or notes.get(_ISSUED.replace(".", "_")) or at(notes, _ISSUED), 256)


@remembered(4096)
def _event_of(
    name: str,
    operation: str,
    uid: str,
    space: str,
    address: str,
    user_agent: str,
    code: str,
    reason: str,
    status: str,
    decision: str,
    certificate: str,
    arn: str,
    key: str,
    impersonation: str,
    privileged: str,
    reached: str,
    extra: str,
) -> Event:
    if not operation:
        raise RejectError("no_action", "verb is missing or not text")
    identity, links = (k8s.user(name), ()) if extra else _identity(name, uid, arn, address)
    outcome, error = _outcome(code, reason, status, decision)
    credential = key if key != "ASIA" and key else certificate
    return build_event(
        0,
        identity,
        f"{k8s.SERVICE}:{operation}",
        provider=k8s.PROVIDER,
        credential=credential,
        credential_type="key" if credential else "none" if identity.kind == "anonymous" else "session",
        access=k8s.access(operation),
        outcome=outcome,
        error=error,
        address=address,
        user_agent=user_agent,
        marks={
            "impersonation": bool(impersonation),
            "as_admin": _ADMINS in impersonation,
            "privileged": privileged,
            reached: reached,
        },
        target_class=_target_class(name, space),
        links=(*links, *(AS + line for line in impersonation.split("\n") if line)),
    )


def _identity(name: str, uid: str, arn: str, address: str) -> tuple[Identity, tuple[str, ...]]:
    """The AWS role where EKS gives it: `aws-iam-authenticator:ACCOUNT:AROA…` is the uid of its users."""
    if not arn:
        return k8s.identify(name, uid, address=address), k8s.links_of(name)
    unique = uid.rpartition(":")[2] if uid.startswith(("aws-iam-authenticator:", "heptio-authenticator-aws:")) else ""
    if ":user/" in arn:
        return known_by_arn(identify_aws(Actor("IAMUser", principal=unique, arn=arn)))
    issuer = arn if ":role/" in arn else ""
    return known_by_arn(identify_aws(Actor("AssumedRole", issuer_id=unique, issuer_arn=issuer, arn=arn)))


def _outcome(code: str, reason: str, status: str, decision: str) -> tuple[str, str]:
    if code in _DENIED or (not code and decision == "forbid"):
        return "denied", reason[:128] or ("Unauthorized" if code == "401" else "Forbidden")
    if (code and not code.startswith(("1", "2", "3", "0"))) or (not code and status == "Failure"):
        return "failure", reason[:128] or code or "Failure"
    return "success", ""


def _target_class(name: str, space: str) -> str:
    """A service account's own namespace; kube-system's accounts work for the whole cluster."""
    if not space or not name.startswith("system:serviceaccount:") or name.startswith("system:serviceaccount:kube-"):
        return ""
    return "own" if name.split(":")[2] == space else "foreign"
