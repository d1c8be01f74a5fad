"""What only the request, the answer and the policy change of a Google Cloud call tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.forms import Tree, at, every
from nhi_watch.intake.shapes.values import listed, text, true

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
    yield from _granted(tree, event)


def _firewall(tree: Tree) -> Iterator[str]:
    sources = [text(one) for one in every(tree, "request.sourceRanges")]
    if any(one.endswith("/0") for one in sources) and text(at(tree, "request.direction")) != "EGRESS":
        yield "open_ingress"


def _granted(tree: Tree, event: Event) -> Iterator[str]:
    """By the change where it is told; by the whole new policy only whether it is open to everybody."""
    deltas = [d for path in ("serviceData", "metadata") for d in listed(at(tree, f"{path}.policyDelta.bindingDeltas"))]
    added = [(text(at(d, "member")), text(at(d, "role"))) for d in deltas if text(at(d, "action")) != "REMOVE"]
    everyone = {text(m) for m in every(tree, "request.policy.bindings.members")}
    if any(member in _EVERYBODY for member, _ in added) or everyone & _EVERYBODY:
        yield "public"
    if any(_ADMIN.fullmatch(role) for _, role in added):
        yield "admin_policy"
    home = event.identity.name.rpartition("@")[2]
    if event.identity.kind == "user" and any(_outside(member, home) for member, _ in added):
        yield "shared_outside"


def _outside(member: str, home: str) -> bool:
    kind, _, name = member.partition(":")
    return kind in ("user", "group", "domain") and name.rpartition("@")[2].lower() != home
