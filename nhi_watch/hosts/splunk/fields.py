"""The names that this app's commands, searches, dashboards and alert actions share: rows, fields, sources.

Two kinds of rows exist.

| row | made by | where it is kept |
|---|---|---|
| part | `nhigroup`: what a chunk of events holds of one identity's UTC day | summary index, source `nhi_behaviour` |
| notable | `nhirank`: one revision of a notable | risk index, sourcetype `nhi:notable`, one JSON object an event |
"""

from __future__ import annotations

from typing import NamedTuple

SOURCE = "nhi_behaviour"
"""The `source` of parts in the summary index; only there, and in rows without `_raw`, is a part believed."""
SOURCETYPE = "nhi:notable"
"""The sourcetype of notables; only there, and in rows without `_raw`, is a notable believed."""


class Field(NamedTuple):
    """One field of a row."""

    name: str
    about: str
    many: bool = False
    """A multivalue field."""


PART = (
    Field("_time", "first event of the part, seconds since the epoch"),
    Field("nhi_day", "UTC day, `2026-03-01`"),
    Field("nhi_key", "16 hexadecimal digits of the SHA-256 of the identity's id: finds all parts of one identity"),
    Field("nhi_events", "events in the part; where nhi_error stands, how many events had that error"),
    Field("nhi_part", "the behaviours themselves, packed (base64url): see parts.py"),
    Field("nhi_error", "`reason: what to do`, why events could not be read (docs/sources.md); such a row has no part"),
    Field("nhi_notable", "a notable that came by on its way to nhirank: its event's JSON"),
    Field("nhi_ahead", "a log whose events are dated later than tomorrow, packed: a row of its own"),
)
"""Rows of nhigroup."""

NOTABLE = (
    Field("_time", "last suspicious event, seconds since the epoch; of an exposure, when this revision was written"),
    Field("nhi_id", "the notable's id; stays while it grows. Throttle by it"),
    Field("nhi_revision", "counts from 1; every change of the content is a new one"),
    Field("nhi_change", "new | updated | same | merged | withdrawn: since it was last written | below: the line"),
    Field("nhi_escalated", "1: the first revision, or one whose severity rose. What is to alert again; else 0"),
    Field("nhi_kind", "compromise | exposure | posture | blind_spot"),
    Field("nhi_rank", "place in its UTC day when it was ranked; it moves without a new revision"),
    Field("nhi_likelihood", "0 to 100: how likely it is, in percent, that this is an intrusion"),
    Field("nhi_severity", "informational | low | medium | high | critical"),
    Field("nhi_title", "one line: who, what, from where"),
    Field("nhi_summary", "up to three reasons as sentences"),
    Field("nhi_identity", "name of who really acts"),
    Field("nhi_identity_id", "immutable id, as in `aws:111111111111:role:AROAEXAMPLE`"),
    Field("nhi_identity_kind", "role, user, workload, token…: see docs/sources.md"),
    Field("nhi_provider", "aws, entra, github…"),
    Field("nhi_account", "account, tenant or organisation of the identity"),
    Field("nhi_owner", "from nhi_assets.csv"),
    Field("nhi_criticality", "from nhi_assets.csv: low, medium, high, critical, unknown"),
    Field("nhi_first_time", "first suspicious event, RFC 3339"),
    Field("nhi_last_time", "last suspicious event, RFC 3339"),
    Field("nhi_created", "event time at which the notable was first due, RFC 3339"),
    Field("nhi_provisional", "1 while the last hour that it covers is still open"),
    Field("nhi_record_count", "events behind the notable"),
    Field("nhi_merged_into", "id of the notable of which this one turned out to be a part"),
    Field("nhi_model", "id of the model"),
    Field("nhi_baseline_day", "last day that had been learnt"),
    Field("nhi_overflow", "episodes of the day over the floor for which the budget had no room"),
    Field("nhi_overflow_highest", "the highest likelihood among those"),
    Field("risk_score", "the likelihood, an integer from 1 to 100, for Enterprise Security's risk action"),
    Field("annotations", "JSON: framework → ids, for Enterprise Security"),
    Field("src", "the first suspicious network address (CIM)"),
    Field("nhi_reasons", "sentences, the weightiest first", many=True),
    Field("nhi_signals", "ids of the signals behind them, in the same order", many=True),
    Field("nhi_members", "names of all identities of the intrusion, where links join several", many=True),
    Field("nhi_controls", "required controls: `rotate_secret: why`", many=True),
    Field("nhi_owasp_nhi", "OWASP NHI ids, as in NHI-07", many=True),
    Field("nhi_nist_csf", "NIST CSF ids, as in DE.CM-1", many=True),
    Field("nhi_mitre_attack", "ATT&CK techniques, as in T1078.004", many=True),
    Field("nhi_record_ids", "up to 10 record ids of the weightiest reasons", many=True),
    Field("nhi_networks", "up to 5 suspicious source addresses or networks", many=True),
    Field("nhi_error", "`reason: what to do`, why rows could not be read; such a row is no notable"),
    Field("_raw", "the event as it is kept: time, the fields above, the notable without its story as nhi_notable"),
)
"""Rows of nhirank. As events of sourcetype nhi:notable they have the same names."""

EXPLAIN = (
    Field("nhi_id", "the notable"),
    Field("nhi_section", "signal | usual | observed | timeline | control | link | impact | brief"),
    Field("nhi_order", "counts within the section"),
    Field("nhi_name", "what the line is about: a signal's id, a dimension, an action, a control, a part of the brief"),
    Field("nhi_value", "the signal's value; the value that is usual or was observed; outcome; status"),
    Field("nhi_points", "points in log-odds that it adds to the likelihood"),
    Field("nhi_text", "the evidence as a sentence"),
    Field("nhi_count", "events, or days on which a usual value was seen"),
    Field("_time", "of timeline lines"),
    Field("nhi_record_ids", "records that prove it; in the brief, what a sentence cites", many=True),
    Field("nhi_error", "why a notable could not be explained"),
)
"""Rows of nhi explain."""

FEEDBACK = (
    Field("_key", "notable, signal and value: the same verdict again replaces itself"),
    Field("nhi_id", "the notable that was judged"),
    Field("verdict", "confirmed | benign | expected | duplicate"),
    Field("reason", "why, at most 500 characters"),
    Field("until", "RFC 3339: until when it is expected; an exception ends then, after 366 days at most"),
    Field("identity", "id of the identity for which an exception holds"),
    Field("signal", "id of the signal that the exception silences"),
    Field("value", "the one value that is expected: a network, an action…"),
    Field("analyst", "who decided"),
    Field("time", "when, RFC 3339"),
)
"""Rows of nhi feedback."""

HEALTH = (
    Field("nhi_check", "source | fields | parsing | budget | state | drift | model | tables"),
    Field("nhi_source", "the kind of log, as in cloudtrail; the provider, day, model or table"),
    Field("nhi_status", "ok | warn | error | unknown"),
    Field("nhi_text", "what is wrong and what to do, or that all is well"),
    Field("nhi_last_event", "latest event, RFC 3339"),
    Field("nhi_silent_minutes", "since then"),
    Field("nhi_lag_minutes", "between event and arrival, as told by the search"),
    Field("nhi_events", "events seen"),
    Field("nhi_missing", "fields that no event of the source had", many=True),
    Field("nhi_lost_signals", "signals that cannot tell without them", many=True),
)
"""Rows of nhi health."""


def names(fields: tuple[Field, ...]) -> list[str]:
    """The fields' names.

    >>> names(PART)[:3]
    ['_time', 'nhi_day', 'nhi_key']
    """
    return [field.name for field in fields]


def many(fields: tuple[Field, ...]) -> list[str]:
    """Names of the multivalue ones."""
    return [field.name for field in fields if field.many]
