"""Why rows could not be read or were left out, in words that say what to do; the codes are those of docs/sources.md."""

from __future__ import annotations

from collections.abc import Mapping

from nhi_watch.hosts.splunk.protocol import Messages

_OTHER_LOG = "the log's macro points at other events, or fields were cut off before: compare them with docs/sources.md"
DAMAGED = {
    "ahead": "the time is later than tomorrow, or the day after it was indexed: correct the clock of what wrote it",
    "bad_json": "the JSON is cut off or damaged: raise TRUNCATE of its sourcetype in props.conf, where it is parsed",
    "bad_notable": "these are no notables of this app's version: give rows of `nhi_notables`",
    "bad_part": "behaviours were damaged or written by another version: update the app everywhere, run Backfill again",
    "bad_row": "numbers or texts are damaged: look whether something else writes into nhi_summary or nhi_risk",
    "bad_time": "the time is none: look at the event's own time field, not at _time",
    "bad_type": _OTHER_LOG,
    "bad_verdict": "rows of nhi_feedback that nhi feedback did not check: remove them from the lookup",
    "clock": "the time is before 2006 or after 2100: correct the clock of what wrote it",
    "incomplete": "auditd's lines came one by one: let its sourcetype merge the lines of one event",
    "invalid_utf8": "bytes that are no UTF-8: set CHARSET of its sourcetype in props.conf, where it is parsed",
    "no_action": _OTHER_LOG,
    "no_fields": "neither fields nor _raw: write the command before table, fields or stats",
    "no_time": _OTHER_LOG,
    "not_json": "_raw is no JSON: set the log's macro right; for logs of fields write nhigroup input=fields",
    "not_object": "_raw is JSON, but no object with one event: split it where it is parsed",
    "unforeseen": "values of types that its product does not write: look who writes this log, and report the record",
    "too_deep": "JSON nested deeper than any of these logs: look where it comes from",
    "unknown_class": "OCSF of a class that tells of no identity's acts: leave it out of the macro nhi_ocsf",
    "unknown_envelope": "class_uid, but none of OCSF's metadata: send the whole event",
    "unknown_product": "OCSF of a product whose mapping is not known: keep the record in raw_data, or send it natively",
    "unknown_version": "OCSF of a version that is not read (1.0.0-rc.2 to 1.5.0 are): look for an update of this app",
    "unknown_source": "events of no log that this app reads: set the log's macro right",
}
"""Code → what to do."""
LEFT_OUT = {
    "building_block": "alerts that a further alert tells again",
    "closed": "alerts that are closed or resolved",
    "no_identity": "alerts that name a machine or a resource, but no identity",
    "no_secret": "findings that name no secret",
    "not_credential": "events that do not concern a credential",
    "not_exposure": "events that are no finding of an exposed secret",
    "other_log": "Google Cloud's logs that tell of no identity's acts",
    "own_notable": "notables of this app itself",
    "posture": "findings about configuration",
    "sample_finding": "sample findings",
    "unfinished": "requests whose outcome is an event of its own",
}
"""Code → what is left out on purpose."""
_LONGEST = 1_000


def spelled(code: str) -> str:
    """A reason as `nhi_error` tells it.

    >>> spelled("clock"), spelled("new_code")
    ('clock: the time is before 2006 or after 2100: correct the clock of what wrote it', 'new_code')
    """
    words = DAMAGED.get(code) or (f"left out: {LEFT_OUT[code]}" if code in LEFT_OUT else "")
    return f"{code}: {words}" if words else code


def code_of(told: str) -> str:
    """The code in what `spelled` has written.

    >>> code_of("clock: the time is …"), code_of("")
    ('clock', 'unknown')
    """
    return told.partition(":")[0][:60] or "unknown"


def messages(command: str, rejected: Mapping[str, int]) -> Messages:
    """What could not be read, and what was left out on purpose, each as one message.

    >>> messages("nhirank", {"clock": 1, "closed": 2})[1]
    ('INFO', 'nhirank: left out 2 events: 2 alerts that are closed or resolved')
    """
    bad = {code: count for code, count in rejected.items() if code not in LEFT_OUT}
    found: Messages = []
    if bad:
        told = "; ".join(f"{count:,} {spelled(code)}" for code, count in _ordered(bad))
        found.append(("WARN", f"{command}: could not read {_amount(sum(bad.values()))}: {told}"[:_LONGEST]))
    rest = {code: count for code, count in rejected.items() if code in LEFT_OUT}
    if rest:
        told = ", ".join(f"{count:,} {LEFT_OUT[code]}" for code, count in _ordered(rest))
        found.append(("INFO", f"{command}: left out {_amount(sum(rest.values()))}: {told}"[:_LONGEST]))
    return found


def folded(command: str, count: int) -> Messages:
    """That identities or behaviours of a day were too many to be told apart.

    >>> folded("nhirank", 0), folded("nhirank", 1)
    ([], [('WARN', 'nhirank: 1 event was too many to be told apart')])
    """
    told = "1 event was" if count == 1 else f"{count:,} events were"
    return [("WARN", f"{command}: {told} too many to be told apart")] if count else []


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _amount(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
