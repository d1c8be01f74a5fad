"""Google Cloud Audit Logs: admin activity, data access, system events and denied policies, GKE's API calls among them.

- A service account is its address (`_google`), a federated workload its pool and subject; a Kubernetes service
  account in GKE's log is that of its cluster.
- The credential is the service-account key (`serviceAccountKeyName`); without one, tokens come from a machine's
  metadata or from impersonation: session.
- Impersonation: the service account is the identity, as a role is; who stands first in
  `serviceAccountDelegationInfo` is its session (`by:…`). Who mints another's token hands that session out.
- The action's service is the log's `serviceName`; GKE's is `k8s`, with the operations of the Kubernetes source.
- Codes 7 and 16 are denied (google.rpc.Code); any other but 0 has failed.
- The project is the account; the region is where the resource lies, else the one in its name.

Traits: impersonation, token_minted, for_other (a key for another account), public, admin_policy, shared_outside,
open_ingress, logging_reduced, attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nhi_watch.context import actions, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import Tree, at, claimant, dataset, every, inner, native, rebuild, record_in
from nhi_watch.intake.shapes.values import GCP, build_event, filled, google, listed, moment, text, true
from nhi_watch.intake.sources.kubernetes import actions as k8s

# ---- ecs
#
# Cloud Audit Logs as Elastic's gcp.audit integration keeps them, back to a log entry.
#
# Of GKE's calls the integration drops the resource's name and keeps its parts, without the name of what lies in no
# namespace. It keeps neither the resource's labels nor, in old versions, the chain of impersonation.


_P = "protoPayload"
_AUTH, _ASKED = f"{_P}.authenticationInfo", "gcp.audit.request_metadata"
_ECS = {
    "timestamp": "@timestamp",
    "insertId": "event.id",
    "logName": "log.logger",
    "resource.labels.project_id": "cloud.project.id",
    "resource.labels.cluster_name": "orchestrator.cluster.name",
    f"{_AUTH}.principalEmail": ("client.user.email", "gcp.audit.authentication_info.principal_email", "user.email"),
    f"{_AUTH}.principalSubject": ("client.user.id", "gcp.audit.authentication_info.principal_subject"),
    f"{_AUTH}.serviceAccountKeyName": "gcp.audit.authentication_info.service_account_key_name",
    f"{_AUTH}.serviceAccountDelegationInfo": "gcp.audit.authentication_info.service_account_delegation_info",
    f"{_P}.serviceName": ("service.name", "gcp.audit.service_name"),
    f"{_P}.methodName": ("event.action", "gcp.audit.method_name"),
    f"{_P}.resourceName": "gcp.audit.resource_name",
    f"{_P}.status.code": "gcp.audit.status.code",
    f"{_P}.authorizationInfo": "gcp.audit.authorization_info",
    f"{_P}.requestMetadata.callerIp": ("source.ip", f"{_ASKED}.raw.caller_ip", f"{_ASKED}.caller_ip"),
    f"{_P}.requestMetadata.callerSuppliedUserAgent": ("user_agent.original", f"{_ASKED}.caller_supplied_user_agent"),
    f"{_P}.resourceLocation.currentLocations": "gcp.audit.resource_location.current_locations",
    f"{_P}.request": "gcp.audit.request",
    f"{_P}.response": "gcp.audit.response",
    f"{_P}.metadata": "gcp.audit.metadata",
    f"{_P}.serviceData": "gcp.audit.service_data",
}
_PARTS = {
    "kept": "gcp.audit.flattened",
    "space": "orchestrator.namespace",
    "kind": "orchestrator.resource.type",
    "called": "orchestrator.resource.name",
}


def from_ecs(document: Tree) -> Tree:
    """The log entry that a document was made of."""
    return _completed(rebuild(document, {**_ECS, **_PARTS}))


def _completed(tree: Tree) -> Tree:
    """Some set-ups keep the whole entry; of GKE's calls the integration keeps the parts of the resource's name."""
    kept = tree.get("kept")
    if isinstance(kept, dict) and _P in kept:
        return kept
    space, kind, name = text(tree.get("space")), text(tree.get("kind")), text(tree.get("called"))
    payload = tree.setdefault(_P, {})
    if kind and payload.get("resourceName") is None:
        path = f"namespaces/{space}/{kind}" if space else kind
        payload["resourceName"] = f"{path}/{name}" if name else path
    return tree


# ---- methods
#
# What a method of Google Cloud is called, whatever its service's habit, and its access level.
#
# Services log `google.iam.admin.v1.CreateServiceAccountKey`, `CreateServiceAccountKey`, `v1.compute.instances.insert`,
# `beta.compute.instances.insert`, `storage.objects.get` and `io.k8s.core.v1.secrets.get`. The operation is the last
# name where names are capitalised, else what follows service and version.


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


@remembered(4096)
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


# ---- traits
#
# What only the request, the answer and the policy change of a Google Cloud call show.


DEEP = re.compile(
    r"(?i)(?!(?:.*\.)?(?:get|list|test|query))(?:.*(?:iampol|iamperm|firewall|subnetworks).*|(?:.*\.)?(?:create|upload|update)\w*(?:key|sink).*)"
)
"""Operations whose bodies are read."""

MINTS = {"GenerateAccessToken", "GenerateIdToken", "SignJwt", "SignBlob", "ImplicitDelegation"}
"""Operations that hand out a token of another account, or sign in its name."""
_EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
_ADMIN = re.compile(
    r"roles/(?:owner|editor|[a-z.]*[aA]dmin|iam\.(?:serviceAccountTokenCreator|serviceAccountKeyAdmin|"
    r"workloadIdentityUser|securityAdmin)|resourcemanager\.organizationAdmin)"
)
_KEY = re.compile(r".*/keys/([^/]+)", re.DOTALL)


def issued(tree: Tree) -> str:
    """The id of a key that the call made, service account's or API's."""
    if not re.match(r"(?i)create\w*key", text(at(tree, "method"))):
        return ""
    match = _KEY.fullmatch(text(at(tree, "response.name")))
    return match[1][:256] if match else ""


def traits_of(tree: Tree, event: Event) -> Iterator[str]:
    """The traits of one call; `tree` is protoPayload with `method`, the operation's name."""
    operation = text(tree.get("method"))
    if operation in ("CreateServiceAccountKey", "UploadServiceAccountKey") and event.identity.name not in event.target:
        yield "for_other"
    if "Sink" in operation and true(at(tree, "request.sink.disabled")):
        yield "logging_reduced"
    if text(at(tree, "request.enableFlowLogs")) == "false":
        yield "logging_reduced"
    if "irewall" in operation or "firewalls" in operation:
        yield from _firewall(tree)
    yield from _granted_traits(tree, event)


def _firewall(tree: Tree) -> Iterator[str]:
    sources = [text(value) for value in every(tree, "request.sourceRanges")]
    if any(source.endswith("/0") for source in sources) and text(at(tree, "request.direction")) != "EGRESS":
        yield "open_ingress"


def _granted_traits(tree: Tree, event: Event) -> Iterator[str]:
    """By the change where it is logged; by the whole new policy only whether it is open to everybody."""
    deltas = [d for path in ("serviceData", "metadata") for d in listed(at(tree, f"{path}.policyDelta.bindingDeltas"))]
    added = [(text(at(d, "member")), text(at(d, "role"))) for d in deltas if text(at(d, "action")) != "REMOVE"]
    everyone = {text(m) for m in every(tree, "request.policy.bindings.members")}
    if any(member in _EVERYBODY for member, _ in added) or everyone & _EVERYBODY:
        yield "public"
    if any(_ADMIN.fullmatch(role) for _, role in added):
        yield "admin_policy"
    own_project = event.identity.name.rpartition("@")[2]
    if event.identity.kind == "user" and any(_outside(member, own_project) for member, _ in added):
        yield "shared_outside"


def _outside(member: str, own_project: str) -> bool:
    kind, _, name = member.partition(":")
    return kind in ("user", "group", "domain") and name.rpartition("@")[2].lower() != own_project


# ---- gcp


NAME = "gcp"
SPLUNK_SOURCETYPES = (
    "google:gcp:pubsub:audit:admin_activity",
    "google:gcp:pubsub:audit:data_access",
    "google:gcp:pubsub:audit:system_event",
    "google:gcp:pubsub:audit:policy_denied",
    "google:gcp:pubsub:message",
)
ELASTIC_INDICES = ("logs-gcp.audit-*",)

Row = Mapping[str, Any]

_POOLED = re.compile(r"\.svc\.id\.goog\[([^/\]]+)/([^\]]+)\]")
_CODES = {
    "1": "CANCELLED", "2": "UNKNOWN", "3": "INVALID_ARGUMENT", "4": "DEADLINE_EXCEEDED", "5": "NOT_FOUND",
    "6": "ALREADY_EXISTS", "7": "PERMISSION_DENIED", "8": "RESOURCE_EXHAUSTED", "9": "FAILED_PRECONDITION",
    "10": "ABORTED", "11": "OUT_OF_RANGE", "12": "UNIMPLEMENTED", "13": "INTERNAL", "14": "UNAVAILABLE",
    "15": "DATA_LOSS", "16": "UNAUTHENTICATED",
}  # fmt: skip
_EXPORTED = "protopayload_auditlog"
"""The same in a table that a log sink fills in BigQuery."""
_TEXTS = {"requestJson": "request", "responseJson": "response", "metadataJson": "metadata"}
"""Columns of JSON text there → what they are in the log's own records."""
_DATA = "servicedata_"
"""How the columns of `serviceData` begin there."""
_LOWERED = "protopayload"
"""Some writers lower the names of the top level."""
_MARKS = ("methodName", "serviceName", "authenticationInfo")
_METHODS = (f"{_P}.methodName", f"data.{_P}.methodName", f"{_EXPORTED}.methodName", f"{_LOWERED}.methodName")


def _is_row(row: Tree) -> bool:
    if dataset(row):
        return False
    payload = row.get(_P) or row.get(_EXPORTED) or row.get(_LOWERED)
    if payload is None and row.get("data").__class__ is dict:
        payload = row["data"].get(_P)
    if payload.__class__ is dict:
        return any(mark in payload for mark in _MARKS)
    return any(name in row for name in _METHODS)


claims = claimant(_is_row, (('"methodName"',), tuple(f'"{name}"' for name in (_P, _EXPORTED, _LOWERED))), "gcp.audit")
"""Whether the record is a Cloud Audit log entry, in any of its three shapes."""


def _entry(tree: Row) -> Row:
    """A log entry, out of Pub/Sub's message or BigQuery's row."""
    if _P not in tree and tree.get("data").__class__ is dict:
        tree = tree["data"]
    if _LOWERED in tree:
        tree = {**tree, _P: tree[_LOWERED], "insertId": tree.get("insertid"), "logName": tree.get("logname")}
    return {**tree, _P: _of_bigquery(inner(tree, _EXPORTED))} if _EXPORTED in tree and _P not in tree else tree


def _of_bigquery(payload: Tree) -> Tree:
    """A row's payload: what has no fixed form is JSON text there, and `serviceData` a column for each of its types."""
    bodies = {_TEXTS[name]: record_in(value) for name, value in payload.items() if name in _TEXTS}
    data = next((body for name, value in payload.items() if name[:12] == _DATA and (body := record_in(value))), None)
    return {**payload, **bodies, "serviceData": data or payload.get("serviceData")}


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    native_tree, is_document = native(record)
    tree = _entry(from_ecs(native_tree) if is_document else native_tree)
    shape, session, target, deep = _raw(tree)
    event, time = _event_of(*map(text, shape)), moment(tree.get("timestamp") or tree.get("receiveTimestamp"))
    if deep:
        payload = {**inner(tree, _P), "method": event.action.partition(":")[2]}
        traits = {*event.traits, *traits_of(payload, event._replace(target=target))}
        event = event._replace(traits=tuple(sorted(traits)), issued=issued(payload) or event.issued)
    return filled(event, time, text(tree.get("insertId"), 256), session, target)


def _raw(tree: Row) -> tuple[tuple[object, ...], str, str, bool]:
    """What the Event depends on; session; target; whether its bodies must be read."""
    payload = inner(tree, _P)
    who, caller = inner(payload, "authenticationInfo"), inner(payload, "requestMetadata")
    labels = inner(inner(tree, "resource"), "labels")
    service, method = text(payload.get("serviceName")), text(payload.get("methodName"))
    service, operation, deep = _call(service, method)
    name = text(payload.get("resourceName"))
    chain = who.get("serviceAccountDelegationInfo")
    delegate = _delegate(chain) if chain else ""
    location = inner(payload, "resourceLocation").get("currentLocations")
    shape = (
        who.get("principalEmail"), who.get("principalSubject"), who.get("serviceAccountKeyName"), service, operation,
        caller.get("callerIp") or caller.get("callerIP"), caller.get("callerSuppliedUserAgent"),
        inner(payload, "status").get("code"), "" if payload.get("status") else _granted(payload),
        location[0] if location.__class__ is list and location else location or _region(name),
        labels.get("project_id") or _project(tree.get("logName")), labels.get("cluster_name"),
        _project(name), "impersonation" if chain else "",
    )  # fmt: skip
    return shape, f"by:{delegate}"[:256] if delegate else "", _target(name, service), deep


@remembered(4096)
def _call(service: str, method: str) -> tuple[str, str, bool]:
    service, operation = named(service.strip(), method.strip()) if method else (service, "")
    return service, operation, DEEP.fullmatch(operation) is not None


def _delegate(chain: Any) -> str:
    """Who stands first in a chain of impersonation; "" where the log keeps it to itself."""
    for path in ("principalSubject", "firstPartyPrincipal.principalEmail", "thirdPartyPrincipal.principalSubject"):
        delegate = text(at(chain, path), 256)
        if delegate:
            return _subject(delegate)
    return ""


def _subject(subject: str) -> str:
    """A principal with its kind in front: chains have it with and without.

    >>> _subject("ci@shop.iam.gserviceaccount.com"), _subject("user:ann@example.com"), _subject("")
    ('serviceAccount:ci@shop.iam.gserviceaccount.com', 'user:ann@example.com', '')
    """
    if ":" in subject or not subject:
        return subject
    return f"{'serviceAccount' if subject.endswith('.gserviceaccount.com') else 'user'}:{subject}"


def _granted(payload: Tree) -> str:
    """`no`, when the log says so; the status is missing or empty in many logs of calls that went well."""
    many = payload.get("authorizationInfo")
    if not many or (many.__class__ is list and many[0].__class__ is dict and many[0].get("granted") is True):
        return ""
    permissions = [text(value) for value in every(payload, "authorizationInfo.granted")]
    return "no" if permissions and set(permissions) == {"false"} else ""


_PLACE = re.compile(r"/(?:locations|regions|zones)/([a-z0-9-]{2,40})(?:/|$)")
_PROJECT = re.compile(r"(?://[a-z.]+/)?(?:projects/([^/_-][^/]*)|((?:organizations|folders|billingAccounts)/[^/]+))")
_BUCKET = re.compile(r"projects/_/buckets/([^/]+)(?:/objects/.*)?", re.DOTALL)
_NAMESPACED = re.compile(r"(?:.*/)?namespaces/([^/]+)/[a-z.]+(?:/([^/]+))?(?:/.*)?", re.DOTALL)
_TAIL = re.compile(r"/(?:versions|cryptoKeyVersions)/[^/]*$|/(?:firewall|exec|log|token)$")


def _region(name: str) -> str:
    match = _PLACE.search(name)
    return match[1] if match else ""


@remembered(4096)
def _project_of(name: str) -> str:
    match = _PROJECT.match(name)
    return (match[1] or match[2])[:128] if match else ""


def _project(name: object) -> str:
    return _project_of(name) if isinstance(name, str) else ""


def _target(name: str, service: str) -> str:
    """A bucket, a secret, a key: without object and version. Of Kubernetes: namespace and name."""
    if service == k8s.SERVICE:
        match = _NAMESPACED.fullmatch(name)
        return f"{match[1]}/{match[2] or ''}"[:256] if match else name.rpartition("/")[2][:256]
    bucket = _BUCKET.fullmatch(name)
    return (bucket[1] if bucket else _TAIL.sub("", name))[:256]


@remembered(4096)
def _event_of(
    email: str,
    subject: str,
    key: str,
    service: str,
    operation: str,
    address: str,
    user_agent: str,
    code: str,
    granted: str,
    region: str,
    project: str,
    cluster: str,
    own_project: str,
    impersonation: str,
) -> Event:
    if not operation:
        raise RejectError("no_action", "protoPayload.methodName is missing or not text")
    if k8s.is_kubernetes(email):
        cluster_path = f"{project}/{cluster}" if cluster else project
        identity = k8s.identify(email, "", cluster_path, "" if address == "private" else address)
    else:
        identity = _identity(email, subject, project)
    outcome, error = _outcome(code, granted, operation)
    credential = key.rpartition("/keys/")[2][:256] if key else ""
    return build_event(
        0,
        identity,
        f"{service}:{operation}",
        provider=GCP,
        account=project,
        credential=credential,
        credential_type=_credential_type(credential, identity.kind),
        access=access(service, operation),
        outcome=outcome,
        error=error,
        address=address,
        user_agent=user_agent,
        region=region[:64],
        network="service:internal" if address == "private" else networks.network_of(address),
        target_class="own" if own_project and own_project == identity.account else "",
        marks={"impersonation": impersonation or operation in MINTS, "token_minted": operation in MINTS},
        issued=f"by:{subject or _subject(email)}"[:256] if operation in MINTS and outcome == "success" else "",
        links=_links(email, subject),
    )


def _links(email: str, subject: str) -> tuple[str, ...]:
    """The subject of a Kubernetes service account: in GKE's own log, or in Workload Identity (`….svc.id.goog[…]`).

    >>> _links("", "serviceAccount:shop.svc.id.goog[prod/api]")
    ('oidc:system:serviceaccount:prod:api',)
    """
    pooled = _POOLED.search(email) or _POOLED.search(subject)
    return k8s.links_of(f"system:serviceaccount:{pooled[1]}:{pooled[2]}" if pooled else email)


def _identity(email: str, subject: str, project: str) -> Identity:
    if "?uid=" in subject or not email:
        return google(subject, project)
    return google(f"serviceAccount:{email}" if subject.startswith("serviceAccount:") else email, project)


def _outcome(code: str, granted: str, operation: str) -> tuple[str, str]:
    if code in ("7", "16") or (not code and granted):
        return "denied", _CODES.get(code, "PERMISSION_DENIED")
    if code not in ("", "0"):
        return "failure", _CODES.get(code, code[:40])
    return ("failure", "loginFailure") if operation == "loginFailure" else ("success", "")


def _credential_type(credential: str, kind: str) -> str:
    if credential:
        return "key"
    return {"service": "service", "web_identity": "web_identity", "anonymous": "none"}.get(kind, "session")
