"""CloudTrail's three shapes: which one a record has, and its raw values; and the wrappers that records travel in."""

from __future__ import annotations

from nhi_watch.intake.shapes.unflatten import unflatten
from nhi_watch.intake.sources.cloudtrail.ecs import ecs_document, ecs_values, first, from_ecs, is_ecs
from nhi_watch.intake.sources.cloudtrail.native import Raw, Record, native_values, parse_json
from nhi_watch.intake.sources.cloudtrail.splunk import from_splunk, has_fields, is_splunk, splunk_values

_LOWERED = {
    name.lower(): name
    for name in ("eventTime", "eventID", "eventSource", "eventName", "errorCode", "errorMessage", "awsRegion",
                 "sourceIPAddress", "userAgent", "userIdentity", "recipientAccountId", "vpcEndpointId", "readOnly",
                 "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails",
                 "sharedEventID", "tlsDetails")
}  # fmt: skip
"""Athena and data lakes lower the names of columns."""


def raw_values(record: Record) -> Raw:
    """Raw of a record of any shape, the cheap way: extracted Splunk fields are not made a record first."""
    if record.get("userIdentity").__class__ is dict:
        return native_values(record)
    is_row = is_splunk(record)
    if is_row and has_fields(record):
        return splunk_values(record)
    if is_ecs(record):
        document = ecs_document(record)
        if first(document, "event.original") is None:
            return ecs_values(document)
    elif not is_row:
        return native_values(unwrapped(record))
    return native_values(to_native(record))


def to_native(record: Record) -> Record:
    """Any of the three shapes as a native record.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.
    """
    if isinstance(record.get("userIdentity"), dict):
        return record
    if is_splunk(record):
        return unwrapped(from_splunk(record))
    return unwrapped(from_ecs(record) if is_ecs(record) else record)


def is_wrapped(record: Record) -> bool:
    """Whether it is an answer of LookupEvents, EventBridge's, or a row of a table that lowers names."""
    detail = record.get("detail")
    if detail.__class__ is dict:
        return "eventSource" in detail and "eventName" in detail
    return (
        "CloudTrailEvent" in record
        or "detail.eventSource" in record
        or ("eventname" in record and "eventsource" in record)
    )


def unwrapped(record: Record) -> Record:
    """The record inside an answer of LookupEvents, or inside what EventBridge delivers.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.

    >>> unwrapped({"CloudTrailEvent": '{"eventName": "x"}'}), unwrapped({"detail": {"eventSource": 1, "eventName": 2}})
    ({'eventName': 'x'}, {'eventSource': 1, 'eventName': 2})
    """
    if not is_wrapped(record):
        return record
    if "eventname" in record:
        row = unflatten(record) if any("." in name for name in record if isinstance(name, str)) else record
        return {_LOWERED.get(name, name): value for name, value in row.items()}
    inner = record.get("CloudTrailEvent")
    if isinstance(inner, str):
        return parse_json(inner)
    detail = record.get("detail") or unflatten(record).get("detail")
    return detail if isinstance(detail, dict) else record
