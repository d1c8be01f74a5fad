"""Notables as rows of a search and as events of the risk index: which are written, and what of each.

| of a notable | where it lies |
|---|---|
| fields, and a short document without its story | an event of sourcetype nhi:notable, under 20 kB |
| the whole document, and what was last published of it | the state in the KV store: see `detect.publish` |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, cast

from nhi_watch.core.documents import NotableDocument, SignalDocument
from nhi_watch.core.errors import RejectError
from nhi_watch.core.status import REASON_LOG_ODDS
from nhi_watch.core.timestamps import parse, render
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.splunk import fields
from nhi_watch.hosts.splunk.rows import Cell

_HIDING = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
REASONS, RECORDS, NETWORKS, LISTED = 8, 10, 5, 20
"""How many reasons, record ids, addresses, and other names a row has."""
SENTENCE = 250
"""Characters of a reason: all fields of an event lie within its first 5,000 bytes, where Splunk stops looking for them
([spath] extraction_cutoff)."""
LARGEST = 19_000
"""Bytes of an event; they count against the licence."""
LIKELIHOOD = {"nhi_likelihood": "likelihood"}
"""Field of rows → what it is in a notable's document."""
_STORY = ("timeline", "usual", "links", "revisions", "members", "record_ids", "telemetry", "receipt", "folded")
"""What of a document is not in its event."""
_NOT_KEPT = ("_time", "_raw", "nhi_error", "nhi_notable")
Document = Mapping[str, Any]


def in_event(text: str) -> NotableDocument:
    """The document in an event of sourcetype nhi:notable.

    Raises:
        RejectError: bad_notable.
    """
    try:
        document = json.loads(text)["nhi_notable"]
        named = {name: str(document[name]) for name in ("id", "kind", "severity")}
        return cast(NotableDocument, {**document, **named, "revision": int(document["revision"])})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RejectError("bad_notable", f"{type(error).__name__}: {error}"[:200]) from error


def short(document: Document) -> dict[str, Any]:
    """A document without its story."""
    kept = {name: value for name, value in document.items() if name not in _STORY}
    kept["signals"] = [_brief(signal) for signal in document["signals"] if signal["value"]][:LISTED]
    kept["controls"] = [control for control in document["controls"] if control["required"]][:LISTED]
    kept["record_ids"] = document["record_ids"][:RECORDS]
    return kept


def _brief(signal: SignalDocument) -> dict[str, Any]:
    return {**signal, "evidence": signal["evidence"][:SENTENCE], "record_ids": signal["record_ids"][:1]}


def row_of(event: Publication, run: Mapping[str, Any], now: int, is_complete: bool = True) -> dict[str, Cell]:
    """The row of a notable; see `fields.NOTABLE`.

    `run`: counts of the run that found it. `is_complete`: its event holds the whole document.
    """
    document = event.document
    row = {**_what(document, event.change), **_who(document), **_when(document), **_why(document)}
    # an exposure's own time is that of the leak: too long ago to be found among recent events, as what came late is
    is_recent = document["kind"] == "compromise" and not document.get("late")
    time = parse(document["last_time"]) if is_recent else now
    row["_time"], row["nhi_escalated"] = str(time), "1" if event.escalated else "0"
    row["nhi_overflow"], row["nhi_overflow_highest"] = str(run["overflow"]), f"{run['overflow_highest']:g}"
    kept = {name: row[name] for name in fields.NOTABLE if name in row and name not in _NOT_KEPT}
    result_row = {"time": render(time), **kept, "nhi_notable": document}
    return {**row, "_raw": _text(result_row) if is_complete else _short_text(result_row)}


def _text(event: Mapping[str, Any]) -> str:
    """One line of JSON, in which characters that hide text or turn it around are written out."""
    text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return _HIDING.sub(lambda match: json.dumps(match.group())[1:-1], text)


def _short_text(event: Mapping[str, Any]) -> str:
    """The event without the story, and with as many signals as there is room for."""
    document = short(event["nhi_notable"])
    text = _text({**event, "nhi_notable": document})
    while len(text.encode("utf-8", "replace")) > LARGEST and document["signals"]:
        document["signals"] = document["signals"][:-1]
        text = _text({**event, "nhi_notable": document})
    return text


def event_of(document: NotableDocument, now: int) -> str:
    """The event of a notable that was made outside Splunk, as by `nhi posture`."""
    event = Publication("new", {**document}, document["revision"] == 1)
    return str(row_of(event, {"overflow": 0, "overflow_highest": 0}, now)["_raw"])


def _what(document: Document, change: str) -> dict[str, Cell]:
    return {
        "nhi_id": document["id"],
        "nhi_revision": str(document["revision"]),
        "nhi_change": change,
        "nhi_kind": document["kind"],
        "nhi_rank": str(document["rank"]),
        "nhi_severity": document["severity"],
        **{name: f"{document[of]:g}" for name, of in LIKELIHOOD.items()},
        "nhi_title": document["title"],
        "nhi_summary": document["summary"],
        "nhi_record_count": str(document["record_count"]),
        "nhi_merged_into": document["merged_into"] or "",
        "nhi_model": document["model"]["id"],
        "nhi_baseline_day": document["baseline"]["id"],
        "risk_score": str(min(100, max(1, round(document[LIKELIHOOD["nhi_likelihood"]])))),
    }


def _who(document: Document) -> dict[str, Cell]:
    identity, impact = document["identity"], document["impact"]
    return {
        "nhi_identity": identity["name"],
        "nhi_identity_id": identity["id"],
        "nhi_identity_kind": identity["kind"],
        "nhi_provider": identity["provider"],
        "nhi_account": identity["account"],
        "nhi_owner": identity["owner"],
        "nhi_criticality": impact["criticality"],
        "nhi_members": [member["name"][:100] for member in document.get("members", ())][:LISTED],
    }


def _when(document: Document) -> dict[str, Cell]:
    return {
        "nhi_first_time": document["first_time"],
        "nhi_last_time": document["last_time"],
        "nhi_created": document["created"],
        "nhi_provisional": "1" if document["telemetry"]["provisional"] else "0",
    }


def _why(document: Document) -> dict[str, Cell]:
    least = 0 if document["kind"] == "posture" else REASON_LOG_ODDS  # findings of posture have none
    heavy = [s for s in document["signals"] if s["log_odds"] >= least and s["value"]][:REASONS]
    places = sorted(document["timeline"], key=lambda entry: -entry["points"])
    networks = list(dict.fromkeys(entry["source"] for entry in places if entry["source"]))[:NETWORKS]
    addresses = [network for network in networks if _is_address(network)]
    frameworks = document["frameworks"]
    annotated = {"owasp_nhi": frameworks["owasp_nhi"], "nist": frameworks["nist_csf"]}
    if frameworks["mitre_attack"]:
        annotated["mitre_attack"] = frameworks["mitre_attack"]
    return {
        "nhi_reasons": [signal["evidence"][:SENTENCE] for signal in heavy],
        "nhi_signals": [signal["id"] for signal in heavy],
        "nhi_controls": [f"{c['id']}: {c['reason'][:80]}" for c in document["controls"] if c["required"]][:REASONS],
        "nhi_owasp_nhi": frameworks["owasp_nhi"],
        "nhi_nist_csf": frameworks["nist_csf"],
        "nhi_mitre_attack": frameworks["mitre_attack"],
        "nhi_record_ids": document["record_ids"][:RECORDS],
        "nhi_networks": networks,
        "src": addresses[0] if addresses else "",
        "nhi_addresses": addresses,
        "nhi_agents": _new(document, "agent"),
        "nhi_credentials": _new(document, "credential"),
        "annotations": json.dumps(annotated, separators=(",", ":")),
    }


def _is_address(text: str) -> bool:
    """Whether it is one address: no network, no service."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _new(document: Document, name: str) -> list[str]:
    """What was new for the identity in a dimension."""
    values = (
        value
        for dimension in document["usual"]["dimensions"]
        if dimension["name"] == name
        for value in dimension["observed"]
    )
    return [value["value"][:SENTENCE] for value in values if value["new"]][:NETWORKS]
