"""The names that this app's commands, searches and dashboards share: rows, fields, sources.

Two kinds of rows exist.

| row | made by | where it is kept |
|---|---|---|
| parts | `nhigroup`: what a chunk of events holds of some identities' UTC day | summary index, source `nhi_behaviour` |
| notable | `nhirank`: one revision of a notable | risk index, sourcetype `nhi:notable`, one JSON object an event |
"""

from __future__ import annotations

SOURCE = "nhi_behaviour"
"""The `source` of parts in the summary index; only there, and in rows without `_raw`, is a part believed."""
SOURCETYPE = "nhi:notable"
"""The sourcetype of notables; only there, and in rows without `_raw`, is a notable believed."""

PART = (
    "_time",
    "nhi_day",
    "nhi_key",
    "nhi_events",
    "nhi_part",
    "nhi_error",
    "nhi_notable",
    "nhi_ahead",
    "nhi_log",
    "nhi_seen",
)
"""Rows of nhigroup.

| field | holds |
|---|---|
| _time | first event of the row, seconds since the epoch |
| nhi_day | UTC day, `2026-03-01` |
| nhi_key | 3 hexadecimal digits with which the SHA-256 of each of its identities' ids begins: finds their parts |
| nhi_events | events in the row; where nhi_error stands, how many events had that error |
| nhi_part | the parts themselves, packed (base64url): see parts.py |
| nhi_error | `reason: what to do`, why events could not be read (docs/sources.md); such a row has no part |
| nhi_notable | a notable that came by on its way to nhirank: its event's JSON |
| nhi_ahead | a log whose events are dated later than tomorrow, packed: a row of its own |
| nhi_seen | how many events were read of a sourcetype in the hour that begins at _time: a row of its own |
| nhi_log | that sourcetype |
"""

NOTABLE = (
    "_time", "nhi_id", "nhi_revision", "nhi_change", "nhi_escalated", "nhi_kind", "nhi_rank", "nhi_likelihood",
    "nhi_severity", "nhi_title", "nhi_summary", "nhi_identity", "nhi_identity_id", "nhi_identity_kind",
    "nhi_provider", "nhi_account", "nhi_owner", "nhi_criticality", "nhi_first_time", "nhi_last_time", "nhi_created",
    "nhi_provisional", "nhi_record_count", "nhi_merged_into", "nhi_model", "nhi_baseline_day", "nhi_overflow",
    "nhi_overflow_highest", "risk_score", "annotations", "src", "nhi_reasons", "nhi_signals", "nhi_members",
    "nhi_controls", "nhi_owasp_nhi", "nhi_nist_csf", "nhi_mitre_attack", "nhi_record_ids", "nhi_networks",
    "nhi_addresses", "nhi_agents", "nhi_credentials", "nhi_error", "_raw",
)  # fmt: skip
"""Rows of nhirank. As events of sourcetype nhi:notable they have the same names.

| field | holds |
|---|---|
| _time | last suspicious event, seconds since the epoch; of an exposure, when this revision was written |
| nhi_id | the notable's id; stays while it grows. Throttle by it |
| nhi_revision | counts from 1; every change of the content is a new one |
| nhi_change | new, grown, reopened; settled, closed, merged, withdrawn: it is over; below: it has no place |
| nhi_escalated | 1: its first place in the list, or its severity rose. What is to alert again; else 0 |
| nhi_kind | compromise, exposure, posture, blind_spot |
| nhi_rank | place in its UTC day when it was ranked; it moves without a new revision |
| nhi_likelihood | 0 to 100: how likely it is, in percent, that this is an intrusion |
| nhi_severity | informational, low, medium, high, critical |
| nhi_title | one line: who, what, from where |
| nhi_summary | up to three reasons as sentences |
| nhi_identity | name of who really acts |
| nhi_identity_id | immutable id, as in `aws:111111111111:role:AROAEXAMPLE` |
| nhi_identity_kind | role, user, workload, token…: see docs/sources.md |
| nhi_provider | aws, entra, github… |
| nhi_account | account, tenant or organisation of the identity |
| nhi_owner | from nhi_assets.csv |
| nhi_criticality | from nhi_assets.csv: low, medium, high, critical, unknown |
| nhi_first_time | first suspicious event, RFC 3339 |
| nhi_last_time | last suspicious event, RFC 3339 |
| nhi_created | event time at which the notable was first due, RFC 3339 |
| nhi_provisional | 1 while the last hour that it covers is still open |
| nhi_record_count | events behind the notable |
| nhi_merged_into | id of the notable of which this one turned out to be a part |
| nhi_model | id of the model |
| nhi_baseline_day | last day that had been learnt |
| nhi_overflow | episodes of the day over the floor for which the budget had no room |
| nhi_overflow_highest | the highest likelihood among those |
| risk_score | the likelihood, an integer from 1 to 100, for Enterprise Security's risk action |
| annotations | JSON: framework → ids, for Enterprise Security |
| src | the first of nhi_addresses (CIM) |
| nhi_reasons | sentences, the weightiest first |
| nhi_signals | ids of the signals behind them, in the same order |
| nhi_members | names of all identities of the intrusion, where links join several |
| nhi_controls | required controls: `rotate_secret: why` |
| nhi_owasp_nhi | OWASP NHI ids, as in NHI-07 |
| nhi_nist_csf | NIST CSF ids, as in DE.CM-1 |
| nhi_mitre_attack | ATT&CK techniques, as in T1078.004 |
| nhi_record_ids | up to 10 record ids of the weightiest reasons |
| nhi_networks | up to 5 suspicious source addresses or networks |
| nhi_addresses | those of nhi_networks that are one address |
| nhi_agents | up to 5 clients (families of user agents) that were new for the identity |
| nhi_credentials | up to 5 ids of keys that were new for the identity |
| nhi_error | `reason: what to do`, why rows could not be read; such a row is no notable |
| _raw | the event as it is kept: time, the fields above, the notable without its story as nhi_notable |
"""

EXPLAIN = (
    "nhi_id",
    "nhi_section",
    "nhi_order",
    "nhi_name",
    "nhi_value",
    "nhi_points",
    "nhi_text",
    "nhi_count",
    "_time",
    "nhi_record_ids",
    "nhi_error",
)
"""Rows of nhi explain.

| field | holds |
|---|---|
| nhi_id | the notable |
| nhi_section | signal, usual, observed, timeline, control, link, impact, brief |
| nhi_order | counts within the section |
| nhi_name | what the line is about: a signal's id, a dimension, an action, a control, a part of the brief |
| nhi_value | the signal's value; the value that is usual or was observed; outcome; status |
| nhi_points | points in log-odds that it adds to the likelihood |
| nhi_text | the evidence as a sentence |
| nhi_count | events, or days on which a usual value was seen |
| _time | of timeline lines |
| nhi_record_ids | records that prove it; in the brief, what a sentence cites |
| nhi_error | why a notable could not be explained |
"""

FEEDBACK = (
    "_key",
    "nhi_id",
    "verdict",
    "reason",
    "until",
    "identity",
    "signal",
    "value",
    "analyst",
    "time",
)
"""Rows of nhi feedback.

| field | holds |
|---|---|
| _key | notable, signal and value: the same verdict again replaces itself |
| nhi_id | the notable that the verdict is about |
| verdict | confirmed, benign, expected, duplicate |
| reason | why, at most 500 characters |
| until | RFC 3339: until when it is expected; an exception ends then, after 366 days at most |
| identity | id of the identity for which an exception holds |
| signal | id of the signal that the exception silences |
| value | the one value that is expected: a network, an action… |
| analyst | who decided |
| time | when, RFC 3339 |
"""

IDENTITY = (
    "nhi_identity_id",
    "nhi_identity",
    "nhi_identity_kind",
    "nhi_provider",
    "nhi_account",
    "nhi_first_time",
    "nhi_last_time",
    "nhi_silent_days",
    "nhi_keys",
    "nhi_key_days",
)
"""Rows of nhi identities: what the state knows, for longer than behaviours are kept.

| field | holds |
|---|---|
| nhi_first_time, nhi_last_time | when it was seen for the first and the last time, RFC 3339 |
| nhi_silent_days | days since then |
| nhi_keys | how many long-lived credentials it was seen with that were not deleted |
| nhi_key_days | days since the oldest of them was created, or seen for the first time |
"""

HEALTH = (
    "nhi_check",
    "nhi_source",
    "nhi_status",
    "nhi_text",
    "nhi_last_event",
    "nhi_silent_minutes",
    "nhi_lag_minutes",
    "nhi_events",
    "nhi_missing",
    "nhi_lost_signals",
)
"""Rows of nhi health.

| field | holds |
|---|---|
| nhi_check | source, fields, parsing, budget, state, drift, model, tables |
| nhi_source | the kind of log, as in cloudtrail; the provider, day, model or table |
| nhi_status | ok, warn, error, unknown |
| nhi_text | what is wrong and what to do, or that all is well |
| nhi_last_event | latest event, RFC 3339 |
| nhi_silent_minutes | since then |
| nhi_lag_minutes | between event and arrival, as measured by the search |
| nhi_events | events seen |
| nhi_missing | fields that no event of the source had |
| nhi_lost_signals | signals that cannot tell without them |
"""

MANY = (
    "nhi_reasons", "nhi_signals", "nhi_members", "nhi_controls", "nhi_owasp_nhi", "nhi_nist_csf", "nhi_mitre_attack",
    "nhi_record_ids", "nhi_networks", "nhi_addresses", "nhi_agents", "nhi_credentials",
)  # fmt: skip
"""Of NOTABLE: fields with several values."""
