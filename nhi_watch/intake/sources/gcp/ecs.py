"""Cloud Audit Logs as Elastic's gcp.audit integration keeps them, back to a log entry.

Of GKE's calls the integration drops the resource's name and keeps its parts, without the name of what lies in no
namespace. It keeps neither the resource's labels nor, in old versions, the chain of impersonation.
"""

from __future__ import annotations

from nhi_watch.intake.shapes.forms import Tree, rebuild
from nhi_watch.intake.shapes.values import text

_P = "protoPayload"
_AUTH = f"{_P}.authenticationInfo"
_ECS = {
    "timestamp": "@timestamp",
    "insertId": "event.id",
    "logName": "log.logger",
    "resource.labels.project_id": "cloud.project.id",
    "resource.labels.cluster_name": "orchestrator.cluster.name",
    f"{_AUTH}.principalEmail": "client.user.email",
    f"{_AUTH}.principalEmail|2": "gcp.audit.authentication_info.principal_email",
    f"{_AUTH}.principalEmail|3": "user.email",
    f"{_AUTH}.principalSubject": "client.user.id",
    f"{_AUTH}.principalSubject|2": "gcp.audit.authentication_info.principal_subject",
    f"{_AUTH}.serviceAccountKeyName": "gcp.audit.authentication_info.service_account_key_name",
    f"{_AUTH}.serviceAccountDelegationInfo": "gcp.audit.authentication_info.service_account_delegation_info",
    f"{_P}.serviceName": "service.name",
    f"{_P}.serviceName|2": "gcp.audit.service_name",
    f"{_P}.methodName": "event.action",
    f"{_P}.methodName|2": "gcp.audit.method_name",
    f"{_P}.resourceName": "gcp.audit.resource_name",
    f"{_P}.status.code": "gcp.audit.status.code",
    f"{_P}.authorizationInfo": "gcp.audit.authorization_info",
    f"{_P}.requestMetadata.callerIp": "source.ip",
    f"{_P}.requestMetadata.callerIp|2": "gcp.audit.request_metadata.raw.caller_ip",
    f"{_P}.requestMetadata.callerIp|3": "gcp.audit.request_metadata.caller_ip",
    f"{_P}.requestMetadata.callerSuppliedUserAgent": "user_agent.original",
    f"{_P}.requestMetadata.callerSuppliedUserAgent|2": "gcp.audit.request_metadata.caller_supplied_user_agent",
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
