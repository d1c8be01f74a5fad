"""The fields of a CloudTrail document that make its behaviour, and a document made of their values again.

What `cloudtrail.read` makes of that document is what it would have made of each document with those values: so
the source stays the only place that knows how a record becomes an Event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.intake.shapes.forms import put
from nhi_watch.intake.sources.cloudtrail.native import TARGETS

AWS = "aws.cloudtrail."
_WHO = f"{AWS}user_identity."
_ISSUER = f"{_WHO}session_context.session_issuer."
_PARAMETERS = f"{AWS}flattened.request_parameters"

ACTION, PROVIDER, RECORD = "event.action", "event.provider", "event.id"
ERROR, MESSAGE = f"{AWS}error_code", f"{AWS}error_message"
ADDRESS, IP = "source.address", "source.ip"
KIND, KEY = f"{_WHO}type", f"{_WHO}access_key_id"
ISSUER_ID, ISSUER_ARN = f"{_ISSUER}principal_id", f"{_ISSUER}arn"
PRINCIPAL = "user.id"
OWNER, ARN = f"{AWS}resources.account_id", f"{AWS}resources.arn"
JAVA, FLATTENED = f"{AWS}request_parameters", _PARAMETERS
RECIPIENT, VERSION = f"{AWS}recipient_account_id", f"{AWS}event_version"
RESOURCES = f"{AWS}resources"

SHARED = (
    PROVIDER, ACTION, ERROR, "cloud.region", ADDRESS, "user_agent.original", RECIPIENT, f"{AWS}vpc_endpoint_id",
    KIND, "cloud.account.id", f"{_WHO}invoked_by", ISSUER_ID, ISSUER_ARN,
    f"{_WHO}session_context.mfa_authenticated", f"{AWS}read_only", OWNER,
)  # fmt: skip
"""What every document's behaviour depends on."""
PERSONAL = (PRINCIPAL, f"{_WHO}arn", "user.name")
"""What it depends on besides, where the session is not a role's: there these only tell sessions apart."""
TARGET_KEYS: Mapping[str, tuple[str, ...]] = {
    provider: tuple(f"{_PARAMETERS}.{key.replace('{}', '')}" for key in keys) for provider, keys in TARGETS.items()
}
"""Service → the parameters that name what its calls touch."""
PARAMETERS = tuple(sorted({key for keys in TARGET_KEYS.values() for key in keys}))
_LISTS = {f"{_PARAMETERS}.{key.replace('{}', '')}": key for keys in TARGETS.values() for key in keys if "{}" in key}

Tree = dict[str, Any]


def document(values: Mapping[str, Any]) -> Tree:
    """A document with these values.

    >>> document({"event.action": "GetItem", "aws.cloudtrail.resources.arn": "a"})
    {'aws': {'cloudtrail': {'resources': [{'arn': 'a'}]}}, 'event': {'action': 'GetItem'}}
    >>> made = document({"aws.cloudtrail.flattened.request_parameters.instancesSet.items.instanceId": "i-1"})
    >>> made["aws"]["cloudtrail"]["flattened"]["request_parameters"]
    {'instancesSet': {'items': [{'instanceId': 'i-1'}]}}
    """
    tree: Tree = {"aws": {"cloudtrail": {}}}
    resource: Tree = {}
    for field, value in values.items():
        if value is None:
            continue
        if field in (OWNER, ARN):
            resource[field.rpartition(".")[2]] = value
        elif field in _LISTS:
            _put_list(tree, _LISTS[field], value)
        else:
            put(tree, field, value)
    if resource:
        tree["aws"]["cloudtrail"]["resources"] = [resource]
    return tree


def _put_list(tree: Tree, path: str, value: Any) -> None:
    """Set `a.items{}.b` as a list of one object."""
    head, _, last = path.partition("{}.")
    put(tree, f"{_PARAMETERS}.{head}", [{last: value}])
