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
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes import google
from nhi_watch.intake.shapes.forms import Tree, at, dataset, every, inner, native, record_in
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import filled, text
from nhi_watch.intake.sources.gcp import methods
from nhi_watch.intake.sources.gcp.ecs import from_ecs
from nhi_watch.intake.sources.gcp.traits import DEEP, MINTS, issued, traits_of
from nhi_watch.intake.sources.kubernetes import actions as k8s

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
_P = "protoPayload"
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


def claims(record: object) -> bool:
    """Whether the record is a Cloud Audit log entry, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Tree, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return '"methodName"' in raw and any(f'"{name}"' in raw for name in (_P, _EXPORTED, _LOWERED))
    stream = dataset(row)
    if stream:
        return stream == "gcp.audit"
    payload = row.get(_P) or row.get(_EXPORTED) or row.get(_LOWERED)
    if payload is None and row.get("data").__class__ is dict:
        payload = row["data"].get(_P)
    if payload.__class__ is dict:
        return any(mark in payload for mark in _MARKS)
    return any(name in row for name in _METHODS)


def _entry(tree: Row) -> Row:
    """A log entry, out of Pub/Sub's message or BigQuery's row."""
    if _P not in tree and tree.get("data").__class__ is dict:
        tree = tree["data"]
    if _LOWERED in tree:
        tree = {**tree, _P: tree[_LOWERED], "insertId": tree.get("insertid"), "logName": tree.get("logname")}
    return {**tree, _P: _of_bigquery(inner(tree, _EXPORTED))} if _EXPORTED in tree and _P not in tree else tree


def _of_bigquery(payload: Tree) -> Tree:
    """A row's payload: what has no fixed form is JSON text there, and `serviceData` a column for each of its types."""
    told = {_TEXTS[name]: record_in(value) for name, value in payload.items() if name in _TEXTS}
    data = next((found for name, value in payload.items() if name[:12] == _DATA and (found := record_in(value))), None)
    return {**payload, **told, "serviceData": data or payload.get("serviceData")}


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    found, is_document = native(record)
    tree = _entry(from_ecs(found) if is_document else found)
    shape, session, target, deep = _raw(tree)
    event, time = _event_of(*map(text, shape)), moment(tree.get("timestamp") or tree.get("receiveTimestamp"))
    if deep:
        payload = {**inner(tree, _P), "method": event.action.partition(":")[2]}
        told = traits_of(payload, event._replace(target=target))
        traits = tuple(sorted({*event.traits, *told}))
        event = event._replace(traits=traits, issued=issued(payload) or event.issued)
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


@lru_cache(maxsize=4096)
def _call(service: str, method: str) -> tuple[str, str, bool]:
    service, operation = methods.named(service.strip(), method.strip()) if method else (service, "")
    return service, operation, DEEP.fullmatch(operation) is not None


def _delegate(chain: Any) -> str:
    """Who stands first in a chain of impersonation; "" where the log keeps it to itself."""
    for path in ("principalSubject", "firstPartyPrincipal.principalEmail", "thirdPartyPrincipal.principalSubject"):
        found = text(at(chain, path), 256)
        if found:
            return _subject(found)
    return ""


def _subject(told: str) -> str:
    """A principal with its kind in front: chains tell it with and without.

    >>> _subject("ci@shop.iam.gserviceaccount.com"), _subject("user:ann@example.com"), _subject("")
    ('serviceAccount:ci@shop.iam.gserviceaccount.com', 'user:ann@example.com', '')
    """
    if ":" in told or not told:
        return told
    return f"{'serviceAccount' if told.endswith('.gserviceaccount.com') else 'user'}:{told}"


def _granted(payload: Tree) -> str:
    """`no`, when the log says so; the status is missing or empty in many logs of calls that went well."""
    many = payload.get("authorizationInfo")
    if not many or (many.__class__ is list and many[0].__class__ is dict and many[0].get("granted") is True):
        return ""
    told = [text(one) for one in every(payload, "authorizationInfo.granted")]
    return "no" if told and set(told) == {"false"} else ""


_PLACE = re.compile(r"/(?:locations|regions|zones)/([a-z0-9-]{2,40})(?:/|$)")
_PROJECT = re.compile(r"(?://[a-z.]+/)?(?:projects/([^/_-][^/]*)|((?:organizations|folders|billingAccounts)/[^/]+))")
_BUCKET = re.compile(r"projects/_/buckets/([^/]+)(?:/objects/.*)?", re.DOTALL)
_NAMESPACED = re.compile(r"(?:.*/)?namespaces/([^/]+)/[a-z.]+(?:/([^/]+))?(?:/.*)?", re.DOTALL)
_TAIL = re.compile(r"/(?:versions|cryptoKeyVersions)/[^/]*$|/(?:firewall|exec|log|token)$")


def _region(name: str) -> str:
    match = _PLACE.search(name)
    return match[1] if match else ""


@lru_cache(maxsize=4096)
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


@lru_cache(maxsize=4096)
def _event_of(
    email: str, subject: str, key: str, service: str, operation: str, address: str, user_agent: str, code: str,
    granted: str, region: str, project: str, cluster: str, home: str, impersonation: str,
) -> Event:  # fmt: skip
    if not operation:
        raise RejectError("no_action", "protoPayload.methodName is missing or no text")
    identity = _identity(email, subject, project, cluster)
    outcome, error = _outcome(code, granted, operation)
    credential = key.rpartition("/keys/")[2][:256] if key else ""
    told = {
        "impersonation": bool(impersonation) or operation in MINTS,
        "token_minted": operation in MINTS,
        "attack_tool": agents.is_attack_tool(user_agent),
        "browser": agents.family(user_agent) == "browser",
    }
    return Event(
        time=0,
        provider=google.GCP,
        account=project,
        identity=identity,
        credential=credential,
        credential_type=_credential_type(credential, identity.kind),
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=methods.access(service, operation),
        outcome=outcome,
        error=error,
        address=address[:128],
        network="service:internal" if address == "private" else networks.network_of(address),
        agent=agents.family(user_agent),
        region=region[:64],
        target_class="own" if home and home == identity.account else "",
        traits=tuple(sorted(trait for trait, holds in told.items() if holds)),
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


def _identity(email: str, subject: str, project: str, cluster: str) -> Identity:
    if k8s.is_kubernetes(email):
        return k8s.identify(email, "", f"{project}/{cluster}" if cluster else project)
    if "?uid=" in subject or not email:
        return google.principal(subject, project)
    return google.principal(f"serviceAccount:{email}" if subject.startswith("serviceAccount:") else email, project)


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
