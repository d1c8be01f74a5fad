"""Kubernetes API audit log: any cluster's own, and EKS's, whose users are AWS roles.

- A service account is its uid: one that was deleted and made again is another. Where EKS tells the AWS role
  behind a user, the identity is that role, the same as in CloudTrail, and its access key the credential.
- Impersonation (`impersonatedUser`): the one who really acts is the identity; as whom, is its session.
- A client certificate is a long-lived credential (`X509SHA256=…`), a token of a pod (`JTI=…`) a session.
- The address is the last public one of `sourceIPs`, else the first: all but the last are the client's own claim,
  so a forged header cannot hide an outside address.
- The log names no cluster: account is that of the AWS role, or "".
- Stage RequestReceived is rejected (`unfinished`): the same request comes again with its outcome.

Traits: impersonation, token_minted, for_other (a token for another account), wildcard_policy, admin_policy,
public (a grant to everybody), privileged (a pod that can leave its cage), attack_tool, browser.
Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock, unfinished.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Optional, cast

from nhi_watch import agent, network
from nhi_watch.errors import RejectError
from nhi_watch.event import Event, Identity
from nhi_watch.identity import Actor
from nhi_watch.identity import identify as identify_aws
from nhi_watch.sources import Peek
from nhi_watch.sources import _kubernetes_actions as k8s
from nhi_watch.sources._kubernetes_traits import DEEP, traits_of
from nhi_watch.sources._shapes import Tree, at, dataset, native
from nhi_watch.sources._times import moment, spelled
from nhi_watch.sources._values import listed, made_id, text

NAME = "kubernetes"
SPLUNK_SOURCETYPES = ("kube:apiserver:audit", "aws:cloudwatchlogs:eks")
ELASTIC_INDICES = ("logs-kubernetes.audit_logs-*",)

_PLAIN = {str, int, type(None)}
_NONE: Tree = {}
_WRAPPED = {"_raw", "_time", "_source", "fields", "event", "data_stream"}
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_POD = "authentication.kubernetes.io/pod-uid"
_DECISION = "authorization.k8s.io/decision"
_DENIED = ("401", "403")


def claims(record: object) -> bool:
    """Whether the record is a Kubernetes audit event, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Tree, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return '"audit.k8s.io/' in raw
    if row.get("kind") == "Event" and "verb" in row:
        return any(part in row for part in ("objectRef", "requestURI", "auditID", "responseStatus")) or any(
            k.__class__ is str and k.startswith(("objectRef.", "user.username")) for k in row
        )
    return dataset(row) == "kubernetes.audit_logs"


def peek(record: object) -> Optional[Peek]:
    """The cheap reading of an ordinary record; None: needs `read`."""
    if record.__class__ is not dict:
        return None
    tree = cast(Tree, record)
    if tree.get("user").__class__ is not dict or tree.get("stage") == "RequestReceived" or _WRAPPED & tree.keys():
        return None
    shape, session, target = _raw(tree)
    time = spelled(tree.get("stageTimestamp") or tree.get("requestReceivedTimestamp") or tree.get("timestamp"))
    record_id = _id_of(tree)
    if time is None or not record_id or not _PLAIN.issuperset(map(type, shape)):
        return None
    return None if shape[1] in DEEP else cast(Peek, (shape, time, record_id, session, target))


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    tree, is_document = native(record)
    if is_document:
        tree = _part(_part(tree, "kubernetes"), "audit")
    if text(tree.get("stage")) == "RequestReceived":
        raise RejectError("unfinished", "the request's outcome comes in a record of its own")
    shape, session, target = _raw(tree)
    event = _event_of(*map(text, shape))
    times = (tree.get(name) for name in ("stageTimestamp", "requestReceivedTimestamp", "timestamp"))
    event = event._replace(
        time=moment(next((time for time in times if time), None)),
        session=session,
        target=target,
        record_id=_id_of(tree),
    )
    if shape[1] in DEEP:
        told = traits_of(tree, event)
        event = event._replace(traits=tuple(sorted({*event.traits, *told})), issued=_issued(tree))
    return event if event.record_id else event._replace(record_id=made_id(event))


def _part(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    return found if found.__class__ is dict else _NONE


def _id_of(tree: Tree) -> str:
    """auditID; the start of a long-running request is a record of its own."""
    told = text(tree.get("auditID"), 200)
    return told + ":started" if told and tree.get("stage") == "ResponseStarted" else told


def _extra(user: Tree, name: str) -> str:
    """A value of `user.extra`, whose names hold dots and whose values are lists."""
    extra = user.get("extra")
    if extra.__class__ is not dict or not extra:
        return ""
    found = extra.get(name)
    if found is None and "." in name:
        slashed = name.replace(".", "_").replace("/", "_slash_")
        found = extra.get(slashed) or extra.get(name.replace(".", "_")) or at(extra, name)
    if found.__class__ is list and found:
        found = found[0]
    return text(found, 256)


def _raw(tree: Tree) -> tuple[tuple[object, ...], str, str]:
    """What the Event depends on; session; target."""
    user, thing, status = _part(tree, "user"), _part(tree, "objectRef"), _part(tree, "responseStatus")
    resource, sub, space, name = (thing.get("resource"), thing.get("subresource"), thing.get("namespace"),
                                  thing.get("name"))  # fmt: skip
    uri = tree.get("requestURI")
    if not resource and isinstance(uri, str):
        resource, sub, space, name = k8s.from_uri(uri)
    extra = user.get("extra")
    credential = _extra(user, _CREDENTIAL) if extra else ""
    arn = _extra(user, "canonicalArn") or _extra(user, "arn") if extra else ""
    key = _extra(user, "accessKeyId") if arn else ""
    session = "" if credential.startswith("X509") else credential
    if key.startswith("ASIA"):
        session, key = key, "ASIA"
    as_whom = text(_part(tree, "impersonatedUser").get("username"))
    if as_whom:
        session = f"as:{as_whom}"[:256]
    elif not session and extra:
        session = _extra(user, _POD)
    operation = (resource, sub, tree.get("verb"))
    shape = (
        user.get("username"), _operation(operation), user.get("uid"), space, _address(tree.get("sourceIPs")),
        tree.get("userAgent"), status.get("code"), status.get("reason"), status.get("status"),
        _decision(tree) if status.get("code") is None else None, credential if session != credential else "", arn,
        key, "impersonation" if as_whom else "",
    )  # fmt: skip
    return shape, session, _target(space, name, uri if not resource else "")


def _operation(parts: tuple[object, ...]) -> str:
    try:
        return _operation_of(*parts)
    except TypeError:
        return ""


@lru_cache(maxsize=4096)
def _operation_of(resource: object, sub: object, verb: object) -> str:
    return k8s.operation_of(text(resource), text(sub), text(verb).lower()) if text(verb) else ""


def _target(space: object, name: object, uri: object) -> str:
    if name and space.__class__ is str and name.__class__ is str:
        return f"{space}/{name}"[:256]
    told = text(name, 256)
    return f"{text(space)}/{told}"[:256] if space else told or text(uri, 128).partition("?")[0]


def _decision(tree: Tree) -> object:
    notes = _part(tree, "annotations")
    found = notes.get(_DECISION) or notes.get(_DECISION.replace(".", "_")) or at(notes, _DECISION)
    return found if found.__class__ is str else None


def _address(told: object) -> object:
    if isinstance(told, list) and len(told) == 1:
        return told[0]
    many = [text(one, 64) for one in listed(told)]
    public = [one for one in many if network.describe(network.network_of(one)).kind not in ("private", "service")]
    return public[-1] if public else many[0] if many else None


def _issued(tree: Tree) -> str:
    notes = _part(tree, "annotations")
    return text(notes.get(_ISSUED) or notes.get(_ISSUED.replace(".", "_")) or at(notes, _ISSUED), 256)


@lru_cache(maxsize=4096)
def _event_of(
    name: str, operation: str, uid: str, space: str, address: str, user_agent: str, code: str, reason: str,
    status: str, decision: str, certificate: str, arn: str, key: str, impersonation: str,
) -> Event:  # fmt: skip
    if not operation:
        raise RejectError("no_action", "verb is missing or no text")
    identity = _identity(name, uid, arn)
    outcome, error = _outcome(code, reason, status, decision)
    credential = key if key != "ASIA" and key else certificate
    told = {
        "impersonation": bool(impersonation),
        "attack_tool": agent.is_attack_tool(user_agent),
        "browser": agent.family(user_agent) == "browser",
    }
    return Event(
        time=0,
        provider=k8s.PROVIDER,
        account=identity.account,
        identity=identity,
        credential=credential,
        credential_type="key" if credential else "none" if identity.kind == "anonymous" else "session",
        session="",
        action=f"{k8s.SERVICE}:{operation}",
        service=k8s.SERVICE,
        access=k8s.access(operation),
        outcome=outcome,
        error=error,
        address=address[:128],
        network=network.network_of(address),
        agent=agent.family(user_agent),
        region="",
        target="",
        target_class=_target_class(name, space),
        traits=tuple(sorted(trait for trait, holds in told.items() if holds)),
        issued="",
        record_id="",
    )


def _identity(name: str, uid: str, arn: str) -> Identity:
    """The AWS role where EKS tells it: `aws-iam-authenticator:ACCOUNT:AROA…` is the uid of its users."""
    if not arn:
        return k8s.identify(name, uid)
    unique = uid.rpartition(":")[2] if uid.startswith(("aws-iam-authenticator:", "heptio-authenticator-aws:")) else ""
    if ":user/" in arn:
        return identify_aws(Actor("IAMUser", principal=unique, arn=arn))
    return identify_aws(Actor("AssumedRole", issuer_id=unique, issuer_arn=arn if ":role/" in arn else "", arn=arn))


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
