"""A native CloudTrail record as msgspec reads it: only the fields that `cloudtrail.peek` looks at, typed.

A line that does not fit (another shape, a wrong type, no JSON) is refused by the decoder and read the long way,
so these types need not describe what CloudTrail could write, only what it ordinarily does.
"""

from __future__ import annotations

from typing import Annotated, Any, Optional, Union

import msgspec

from nhi_watch.intake.sources.cloudtrail.native import TARGETS

Text = Optional[str]
Flag = Union[bool, str, None]
Texts = Union[str, list[str], None]
INSTANCES = "instancesSet.items{}.instanceId"
"""The only target that lies deeper than the parameters themselves."""
TARGET_KEYS = {
    source: tuple("instancesSet" if key == INSTANCES else key for key in keys) for source, keys in TARGETS.items()
}
"""Source → names of the Parameters that may be the target, the first one that is there."""


class Issuer(msgspec.Struct, gc=False):
    """userIdentity.sessionContext.sessionIssuer"""

    principalId: Text = None  # noqa: N815 - CloudTrail's own name
    arn: Text = None


class Attributes(msgspec.Struct, gc=False):
    """userIdentity.sessionContext.attributes"""

    mfaAuthenticated: Flag = None  # noqa: N815


class Context(msgspec.Struct, gc=False):
    """userIdentity.sessionContext"""

    sessionIssuer: Optional[Issuer] = None  # noqa: N815
    attributes: Optional[Attributes] = None


class Person(msgspec.Struct, gc=False):
    """userIdentity.onBehalfOf"""

    userId: Text = None  # noqa: N815


class Actor(msgspec.Struct, gc=False):
    """userIdentity"""

    type: Text = None
    principalId: Text = None  # noqa: N815
    arn: Text = None
    accountId: Text = None  # noqa: N815
    accessKeyId: Text = None  # noqa: N815
    sessionContext: Optional[Context] = None  # noqa: N815
    userName: Text = None  # noqa: N815
    invokedBy: Text = None  # noqa: N815
    identityProvider: Text = None  # noqa: N815
    onBehalfOf: Optional[Person] = None  # noqa: N815


class Resource(msgspec.Struct, gc=False):
    """A member of resources."""

    accountId: Text = None  # noqa: N815
    ARN: Text = None


class Instance(msgspec.Struct, gc=False):
    """A member of requestParameters.instancesSet.items."""

    instanceId: Union[str, msgspec.UnsetType, None] = msgspec.UNSET  # noqa: N815


class Instances(msgspec.Struct, gc=False):
    """requestParameters.instancesSet"""

    items: Optional[list[Instance]] = None


def _parameters() -> type[Any]:
    """requestParameters: every key that names a target of some service."""
    names = sorted({key for keys in TARGET_KEYS.values() for key in keys} - {"instancesSet"})
    fields: list[tuple[str, Any, Any]] = [(name, Texts, None) for name in names]
    fields += [("instancesSet", Optional[Instances], None), ("flattened", None, None)]
    return msgspec.defstruct("Parameters", fields, gc=False, rename={"flattened": INSTANCES})


Parameters = _parameters()


def instance_ids(instances: Instances) -> list[Optional[str]]:
    """The ids in instancesSet, as `leaves` finds them."""
    return [i.instanceId for i in instances.items or () if i.instanceId is not msgspec.UNSET]


class Line(msgspec.Struct, gc=False):
    """One record. The fields stand in the order in which CloudTrail writes them, which is read fastest."""

    userIdentity: msgspec.Raw  # noqa: N815
    eventTime: str  # noqa: N815
    eventSource: str  # noqa: N815
    eventName: str  # noqa: N815
    eventID: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]  # noqa: N815
    awsRegion: Text = None  # noqa: N815
    sourceIPAddress: Text = None  # noqa: N815
    userAgent: Text = None  # noqa: N815
    errorCode: Text = None  # noqa: N815
    errorMessage: Text = None  # noqa: N815
    requestParameters: Optional[Parameters] = None  # type: ignore[valid-type]  # noqa: N815
    sessionCredentialFromConsole: Flag = None  # noqa: N815
    readOnly: Flag = None  # noqa: N815
    resources: Optional[list[Resource]] = None
    recipientAccountId: Text = None  # noqa: N815
    vpcEndpointId: Text = None  # noqa: N815
    Records: None = None
    """Not null: the line is no record but a document of many."""


decode_line = msgspec.json.Decoder(Line).decode
decode_actor = msgspec.json.Decoder(Actor).decode
REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoders raise (a ValidationError is a DecodeError too; bytes that are no UTF-8 are not)."""
