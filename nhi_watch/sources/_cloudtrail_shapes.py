"""CloudTrail's three shapes: which one a record has, and its raw values."""

from __future__ import annotations

from nhi_watch.sources._cloudtrail_ecs import ecs_document, ecs_values, first, from_ecs, is_ecs
from nhi_watch.sources._cloudtrail_native import Raw, Record, native_values
from nhi_watch.sources._cloudtrail_splunk import from_splunk, has_fields, is_splunk, splunk_values


def raw_values(record: Record) -> Raw:
    """Raw of a record of any shape, the cheap way: extracted Splunk fields are not made a record first."""
    if record.get("userIdentity").__class__ is dict:
        return native_values(record)
    if is_splunk(record) and has_fields(record):
        return splunk_values(record)
    if is_ecs(record):
        document = ecs_document(record)
        if first(document, "event.original") is None:
            return ecs_values(document)
    return native_values(to_native(record))


def to_native(record: Record) -> Record:
    """Any of the three shapes as a native record.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.
    """
    if isinstance(record.get("userIdentity"), dict):
        return record
    if is_splunk(record):
        return from_splunk(record)
    return from_ecs(record) if is_ecs(record) else record
