"""A notable as others keep it: an event of the risk index, Enterprise Security's notable (finding), a risk event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.hosts.splunk.fields import SOURCETYPE
from nhi_watch.hosts.splunk.notables import earlier
from nhi_watch.hosts.splunk.rest import Event

TARGETS = {
    "risk_index": ("risk_index",),
    "es_notable": ("es_notable",),
    "es_risk": ("es_risk",),
    "es": ("es_notable", "es_risk"),
}
"""What the alert's configuration may ask for, and the events that it means."""
INDEXES = {"risk_index": "nhi_risk", "es_notable": "notable", "es_risk": "risk"}
STASH = "stash"
_NOBODYS = ("es_risk", "blind_spot")
"""A log that is silent is no risk of an identity's."""
_ID = re.compile(r"[0-9a-f]{20}")
_KEPT = (
    "nhi_id", "nhi_revision", "nhi_kind", "nhi_score", "nhi_severity", "nhi_title", "nhi_summary", "nhi_identity",
    "nhi_identity_id", "nhi_account", "nhi_owner", "src", "risk_score",
)  # fmt: skip
Pairs = Sequence[tuple[str, Any]]


class Finding(NamedTuple):
    """What is to be written of a row."""

    key: str
    """Written once: of the risk index each revision, of Enterprise Security each severity that a notable rose to."""
    event: Event


def findings(row: Mapping[str, str], target: str, index: str, search: str) -> Iterator[Finding]:
    """The events of a row; of Enterprise Security none where the revision is neither new nor escalated, of a blind spot
    no risk.

    Raises:
        RejectError: bad_notable: the row is no notable.
    """
    raw = row.get("_raw") or ""
    document = earlier(raw).document
    if not _ID.fullmatch(document["id"]):
        raise RejectError("bad_notable", "its id is none of ours")
    told = json.loads(raw)
    moment = parse(str(told.get("time") or document["last_time"]))
    for kind in TARGETS[target]:
        place = index or INDEXES[kind]
        if kind == "risk_index":
            event = Event(raw, moment, place, SOURCETYPE, "nhi_notable")
            yield Finding(f"{document['id']}.{document['revision']}.{kind}.{place}", event)
        elif str(told.get("nhi_escalated")) == "1" and (kind, document["kind"]) != _NOBODYS:
            pairs = (_notable if kind == "es_notable" else _risk)(told, search)
            text = _stash([*pairs, *_annotations(document)], moment)
            yield Finding(
                f"{document['id']}.{document['severity']}.{kind}.{place}", Event(text, moment, place, STASH, search)
            )


def _notable(told: Mapping[str, Any], search: str) -> Pairs:
    """The fields that Incident Review shows; urgency, status and owner are Enterprise Security's own."""
    return [
        ("search_name", search), ("rule_name", search), ("rule_title", told.get("nhi_title")),
        ("rule_description", told.get("nhi_summary")), ("security_domain", "identity"),
        ("severity", told.get("nhi_severity")), ("user", told.get("nhi_identity")),
        ("drilldown_name", "Why: points and evidence"),
        ("drilldown_search", f'`nhi_notables` nhi_id="{told.get("nhi_id")}" | nhiexplain id={told.get("nhi_id")}'),
        *((name, told.get(name)) for name in _KEPT),
    ]  # fmt: skip


def _risk(told: Mapping[str, Any], search: str) -> Pairs:
    source = [("threat_object", told["src"]), ("threat_object_type", "ip_address")] if told.get("src") else []
    return [
        ("search_name", search), ("risk_object", told.get("nhi_identity")), ("risk_object_type", "other"),
        ("risk_message", told.get("nhi_title")), *source,
        *((name, told.get(name)) for name in _KEPT),
    ]  # fmt: skip


def _annotations(document: Mapping[str, Any]) -> Pairs:
    names = (("owasp_nhi", "owasp_nhi"), ("nist_csf", "nist"), ("mitre_attack", "mitre_attack"))
    return [(f"annotations.{named}", one) for name, named in names for one in document["frameworks"].get(name, ())]


def _stash(pairs: Pairs, moment: int) -> str:
    """An event as Enterprise Security keeps them: the time, then name="value" pairs; a list repeats its name.

    >>> _stash([("a", 'x" b="y'), ("b", None), ("c", 1.5)], 0)
    '1970-01-01T00:00:00Z, a="x\\\\" b=\\\\"y", c="1.5"'
    """
    return ", ".join([render(moment), *(f'{name}="{_quoted(told)}"' for name, told in pairs if told not in (None, ""))])


def _quoted(value: object) -> str:
    """A value that cannot end its quotes, nor the event."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace('"', '\\"')
