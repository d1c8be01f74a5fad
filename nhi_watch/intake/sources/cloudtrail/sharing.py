"""A CloudTrail call's parameters, and the questions who was let in by it: everybody, or a foreign account?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nhi_watch.core.event import Event
from nhi_watch.core.identity import account_of
from nhi_watch.intake.shapes.policy import exposure
from nhi_watch.intake.sources.cloudtrail.native import leaves


class Call(NamedTuple):
    """One call: its parameters, answer, extra data, and who made it where."""

    params: dict[str, Any]
    answer: dict[str, Any]
    extra: dict[str, Any]
    event: Event

    def texts(self, *paths: str) -> list[str]:
        """All texts at the paths (`{}` for lists) of the parameters."""
        found = (leaf for path in paths for leaf in leaves(self.params, path))
        return [_spelled(leaf) for leaf in found if isinstance(leaf, (str, bool, int))]

    def own(self) -> set[str]:
        """The accounts that are not foreign."""
        return {self.event.account, self.event.identity.account} - {""}


def _spelled(leaf: object) -> str:
    return str(leaf).lower() if isinstance(leaf, bool) else str(leaf)


Question = Callable[[Call], Iterator[str]]
Questions = tuple[tuple[Question, tuple[str, ...]], ...]
"""A question, and the names of the calls to which it belongs."""


def _parties(texts: list[str], call: Call) -> Iterator[str]:
    """Who was let in: `public` for everybody, `shared_outside` for a foreign account."""
    for text in texts:
        if text in ("*", "all"):
            yield "public"
        account = account_of(text) or (text if text.isdigit() and len(text) == 12 else "")
        if account and account not in call.own():
            yield "shared_outside"


def _image_shared(call: Call) -> Iterator[str]:
    heads = ("createVolumePermission.add.items{}", "launchPermission.add.items{}")
    yield from _parties(call.texts(*(f"{h}.{leaf}" for h in heads for leaf in ("userId", "group"))), call)
    if call.texts("launchPermission.add.items{}.organizationArn"):
        yield "shared_outside"


def _snapshot_shared(call: Call) -> Iterator[str]:
    yield from _parties(call.texts("valuesToAdd{}", "accountIdsToAdd{}"), call)


def _permission_added(call: Call) -> Iterator[str]:
    if call.texts("principalOrgID", "organizationId", "sourceAccount", "sourceArn"):
        return
    yield from _parties(call.texts("principal", "aWSAccountIds{}", "aWSAccountId{}"), call)


def _principals_shared(call: Call) -> Iterator[str]:
    yield from _parties(call.texts("principals{}", "granteePrincipal"), call)


_POLICIES = (
    "bucketPolicy", "assumeRolePolicyDocument", "policyDocument", "policy", "policy.policy", "policyText",
    "resourcePolicy", "attributes.Policy", "accessPolicies", "policyInJson",
)  # fmt: skip


def _resource_policy(call: Call) -> Iterator[str]:
    named = call.texts("attributeName") == ["Policy"]
    for name in ("attributeValue",) if named else _POLICIES:
        for policy in leaves(call.params, name):
            yield from exposure(policy, call.own())


_GROUPS = ("acs.amazonaws.com/groups/global/AllUsers", "acs.amazonaws.com/groups/global/AuthenticatedUsers")


def _acl(call: Call) -> Iterator[str]:
    canned = call.texts("x-amz-acl", "x-amz-acl{}", "accessControlList.x-amz-acl", "acl")
    grants = "AccessControlPolicy.AccessControlList.Grant"
    named = call.texts(
        f"{grants}{{}}.Grantee.URI", f"{grants}.Grantee.URI", "x-amz-grant-read", "x-amz-grant-write",
        "x-amz-grant-full-control", "x-amz-grant-read-acp", "x-amz-grant-write-acp",
    )  # fmt: skip
    open_acl = any(text.startswith(("public-read", "authenticated-read")) for text in canned)
    if open_acl or any(group in text for text in named for group in _GROUPS):
        yield "public"


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _block_weakened(call: Call) -> Iterator[str]:
    flags = call.texts(*(f"PublicAccessBlockConfiguration.{name}" for name in _BLOCKS))
    if "false" in flags:
        yield "public"


def _block_removed(call: Call) -> Iterator[str]:
    yield "public"


def _made_public(call: Call) -> Iterator[str]:
    ways = {"publiclyAccessible": "true", "projectVisibility": "PUBLIC_READ", "authType": "NONE"}
    if any(value in call.texts(name) for name, value in ways.items()):
        yield "public"


def _replicated(call: Call) -> Iterator[str]:
    rules = ("ReplicationConfiguration.Rule", "ReplicationConfiguration.Rule{}")
    yield from _parties(call.texts(*(f"{rule}.Destination.Account" for rule in rules)), call)


_CUSTOMER_KEY = ("x-amz-server-side-encryption-customer-algorithm", "SSECustomerAlgorithm")
_KMS_KEY = (
    "kmsKeyId", "x-amz-server-side-encryption-aws-kms-key-id", "destinationEncryptionContext.keyId",
    "ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
    "ServerSideEncryptionConfiguration.Rule{}.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
)  # fmt: skip


def _own_key(call: Call) -> Iterator[str]:
    """Encrypted with a key that the caller brings along, or with one of a foreign account."""
    if call.texts(*_CUSTOMER_KEY):
        yield "sse_c"
    if any(account_of(key) not in ("", *call.own()) for key in call.texts(*_KMS_KEY)):
        yield "foreign_key"


_POLICY_CALLS = (
    "PutBucketPolicy", "CreateRole", "UpdateAssumeRolePolicy", "PutKeyPolicy", "CreateKey", "ReplicateKey",
    "SetTopicAttributes", "CreateTopic", "SetQueueAttributes", "CreateQueue", "PutResourcePolicy",
    "SetRepositoryPolicy", "PutRegistryPolicy", "PutDomainPermissionsPolicy",
    "CreateElasticsearchDomain", "UpdateElasticsearchDomainConfig", "CreateDomain", "UpdateDomainConfig",
    "PutBackupVaultAccessPolicy", "PutFileSystemPolicy", "SetVaultAccessPolicy", "PutAccessPointPolicy",
)  # fmt: skip
SHARING: Questions = (
    (_image_shared, ("ModifySnapshotAttribute", "ModifyImageAttribute")),
    (_snapshot_shared, ("ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute")),
    (_snapshot_shared, ("ModifyDocumentPermission",)),
    (_permission_added, ("AddPermission", "AddLayerVersionPermission")),
    (_principals_shared, ("CreateGrant", "CreateResourceShare", "AssociateResourceShare")),
    (_resource_policy, _POLICY_CALLS),
    (_acl, ("PutBucketAcl", "PutObjectAcl", "CreateBucket")),
    (_block_weakened, ("PutBucketPublicAccessBlock", "PutPublicAccessBlock", "PutAccountPublicAccessBlock")),
    (_block_removed, ("DeleteBucketPublicAccessBlock", "DeletePublicAccessBlock")),
    (_block_removed, ("DeleteAccountPublicAccessBlock",)),
    (_block_removed, ("DisableSnapshotBlockPublicAccess", "DisableImageBlockPublicAccess")),
    (_made_public, ("ModifyDBInstance", "CreateDBInstance", "ModifyDBCluster")),
    (_made_public, ("ModifyCluster", "CreateCluster", "UpdateProjectVisibility")),
    (_made_public, ("CreateFunctionUrlConfig", "UpdateFunctionUrlConfig")),
    (_made_public, ("RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime")),
    (_made_public, ("RestoreDBClusterFromSnapshot", "RestoreFromClusterSnapshot")),
    (_replicated, ("PutBucketReplication",)),
    (_own_key, ("CopyObject", "PutObject", "CreateMultipartUpload", "PutBucketEncryption")),
    (_own_key, ("CopySnapshot", "CopyImage", "CopyDBSnapshot", "CopyDBClusterSnapshot", "ReEncrypt")),
)
