"""CloudTrail as Splunk has it: a flat mapping of field name → text, or a list of texts for a multi-value.

Either `_raw` holds the record, or the fields are there that JSON extraction makes, as in
`userIdentity.sessionContext.sessionIssuer.arn` and `resources{}.accountId`.
"""

from __future__ import annotations

from typing import cast

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.unflatten import single, unflatten
from nhi_watch.intake.sources.cloudtrail.native import PATHS, TARGETS, Raw, Record, join_accounts, joined, parse_json

_EXTRACTION_LIMIT = 5_000
"""Splunk's JSON extraction stops after this many characters: longer records are read from `_raw`."""
_NONE: tuple[str, ...] = ()
_SOURCE = PATHS.index("eventSource")

_SPLUNK_TARGETS = {
    source: tuple(f"requestParameters.{key}{end}" for key in keys for end in ("", "{}"))
    for source, keys in TARGETS.items()
}
SPLUNK_FIELDS = (
    *PATHS,
    "resources{}.accountId",
    "resources{}.ARN",
    *sorted({f for fields in _SPLUNK_TARGETS.values() for f in fields}),
)
"""The extracted fields that are read of events whose parameters do not matter."""


def splunk_values(row: Record) -> Raw:
    """Raw of extracted Splunk fields. A value that should be single and is not counts as missing."""
    values = list(map(row.get, PATHS))
    if row.get("eventName").__class__ is list:  # everything was extracted twice
        values = list(map(single, values))
    source, target = values[_SOURCE], cast(object, "")
    for field in _SPLUNK_TARGETS.get(source, _NONE) if source.__class__ is str else _NONE:
        target = row.get(field)
        if target:
            target = joined(split(single(target)))
            break
    accounts = row.get("resources{}.accountId")
    owners = join_accounts(split(accounts)) if accounts else None
    if not target:
        target = joined(min(split(row.get("resources{}.ARN")) or [""]))
    return Raw._make((*values, owners, target))


def split(value: object) -> list[str]:
    """A multi-value as a list: Splunk gives lists, or lines."""
    if isinstance(value, list):
        return [v for v in value if isinstance(v, str)]
    return [part for part in value.split("\n") if part] if isinstance(value, str) else []


def is_splunk(record: Record) -> bool:
    """Whether this is a flat Splunk event: `_raw`, or a row of which at least one name is a path.

    A record may be without any userIdentity, as the console's own are; a native record's names hold no dots.
    """
    if "userIdentity.type" in record or "_raw" in record:
        return True
    return "eventName" in record and ("_time" in record or "." in "".join(map(str, record)))


def has_fields(row: Record) -> bool:
    """Whether the extracted fields are there and can be trusted to be complete."""
    raw = row.get("_raw")
    return bool(row.get("eventName")) and not (isinstance(raw, str) and len(raw) > _EXTRACTION_LIMIT)


def from_splunk(row: Record) -> Record:
    """A native record out of `_raw`, or out of the fields."""
    raw = row.get("_raw")
    if isinstance(raw, str) and raw.lstrip()[:1] == "{":
        try:
            return parse_json(raw)
        except RejectError:
            if not row.get("eventName"):
                raise
    return unflatten(row)
