"""Notables as rows of a search and as events of the risk index, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from nhi_watch.errors import RejectError
from nhi_watch.splunk import fields
from nhi_watch.splunk.rows import Cell
from nhi_watch.timestamps import day_of, parse

ENDED = ("merged", "withdrawn")
"""What a notable can have come to; it may still come back."""
REASON_POINTS = 0.25
REASONS = 10
RECORDS = 20
NETWORKS = 5
_NOT_KEPT = ("_time", "_raw", "nhi_error", "nhi_notable")

Document = Mapping[str, Any]


class Earlier(NamedTuple):
    """A revision that was written before."""

    document: dict[str, Any]
    change: str
    day: int

    def row(self) -> bytes:
        """As the state keeps it."""
        return zlib.compress(json.dumps(self.document).encode(), 1)


def earlier(text: str) -> Earlier:
    """The revision in an event of sourcetype nhi:notable.

    Raises:
        RejectError: bad_notable.
    """
    try:
        told = json.loads(text)
        document = told["nhi_notable"]
        day = day_of(parse(document["first_time"]))
        return Earlier({**document, "id": str(document["id"]), "revision": int(document["revision"])},
                       str(told["nhi_change"]), day)  # fmt: skip
    except (ValueError, TypeError, KeyError, RejectError) as error:
        raise RejectError("bad_notable", f"{type(error).__name__}: {error}"[:200]) from error


def row_of(document: Document, change: str, run: Mapping[str, Any]) -> dict[str, Cell]:
    """The row of a notable; see `fields.NOTABLE`."""
    row = {**_what(document, change), **_who(document), **_when(document), **_why(document)}
    row["nhi_overflow"], row["nhi_overflow_highest"] = str(run["overflow"]), f"{run['overflow_highest']:g}"
    kept = {name: row[name] for name in fields.names(fields.NOTABLE) if name in row and name not in _NOT_KEPT}
    event = {"time": document["last_time"], **kept, "nhi_notable": document}
    return {**row, "_raw": json.dumps(event, separators=(",", ":"))}


def _what(document: Document, change: str) -> dict[str, Cell]:
    p_value = document["p_value"]
    return {
        "nhi_id": document["id"], "nhi_revision": str(document["revision"]), "nhi_change": change,
        "nhi_kind": document["kind"], "nhi_rank": str(document["rank"]), "nhi_score": f"{document['score']:g}",
        "nhi_severity": document["severity"], "nhi_probability": f"{document['probability']:g}",
        "nhi_p_value": "" if p_value is None else f"{p_value:g}", "nhi_priority": f"{document['priority']:g}",
        "nhi_title": document["title"], "nhi_summary": document["summary"],
        "nhi_record_count": str(document["record_count"]), "nhi_merged_into": document["merged_into"] or "",
        "nhi_model": document["model"]["id"], "nhi_baseline_day": document["baseline"]["id"],
        "risk_score": str(min(100, max(1, round(document["score"])))),
    }  # fmt: skip


def _who(document: Document) -> dict[str, Cell]:
    identity, impact = document["identity"], document["impact"]
    return {
        "nhi_identity": identity["name"], "nhi_identity_id": identity["id"], "nhi_identity_kind": identity["kind"],
        "nhi_provider": identity["provider"], "nhi_account": identity["account"], "nhi_owner": identity["owner"],
        "nhi_criticality": impact["criticality"],
        "nhi_members": [member["name"] for member in document.get("members", ())],
    }  # fmt: skip


def _when(document: Document) -> dict[str, Cell]:
    return {
        "_time": str(parse(document["last_time"])), "nhi_first_time": document["first_time"],
        "nhi_last_time": document["last_time"], "nhi_created": document["created"],
        "nhi_provisional": "1" if document["telemetry"]["provisional"] else "0",
    }  # fmt: skip


def _why(document: Document) -> dict[str, Cell]:
    heavy = [s for s in document["signals"] if s["points"] >= REASON_POINTS and s["value"]][:REASONS]
    places = sorted(document["timeline"], key=lambda entry: -entry["points"])
    networks = list(dict.fromkeys(entry["source"] for entry in places if entry["source"]))[:NETWORKS]
    frameworks = document["frameworks"]
    annotations = {
        "owasp_nhi": frameworks["owasp_nhi"],
        "nist": frameworks["nist_csf"],
        "mitre_attack": frameworks["mitre_attack"],
    }
    return {
        "nhi_reasons": [signal["evidence"] for signal in heavy], "nhi_signals": [signal["id"] for signal in heavy],
        "nhi_controls": [f"{c['id']}: {c['reason']}" for c in document["controls"] if c["required"]],
        "nhi_owasp_nhi": frameworks["owasp_nhi"], "nhi_nist_csf": frameworks["nist_csf"],
        "nhi_mitre_attack": frameworks["mitre_attack"], "nhi_record_ids": document["record_ids"][:RECORDS],
        "nhi_networks": networks, "src": networks[0] if networks else "",
        "annotations": json.dumps(annotations, separators=(",", ":")),
    }  # fmt: skip
