"""Notables as rows of a search and as events of the risk index, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.notable import SEVERITIES
from nhi_watch.core.timestamps import day_of, parse, render
from nhi_watch.detect import lives
from nhi_watch.detect.run import Result
from nhi_watch.hosts.splunk import fields
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.parts import key_of
from nhi_watch.hosts.splunk.rows import Cell
from nhi_watch.hosts.splunk.tablestore import TableStore, pack, unpack

BELOW = "below"
"""What a notable is that has no place in the budget."""
ENDED = ("merged", "withdrawn")
"""What a notable can have come to; it may still come back."""
REASON_POINTS = 0.25
REASONS = 10
RECORDS = 20
NETWORKS = 5
_APART = ("exposure", "blind_spot")
"""Exposures belong to a credential, not to a day; that a log is silent is told by nhihealth, by the clock."""
_OTHERS = ("posture", "blind_spot")
"""What others found, and is not nhirank's to withdraw; nor is what came late."""
_COUNTED = ("nhi_day_events", "nhi_own_events")
_NOT_KEPT = ("_time", "_raw", "nhi_error", "nhi_notable")

Document = Mapping[str, Any]


class Earlier(NamedTuple):
    """A revision that was written before."""

    document: dict[str, Any]
    change: str
    day: int
    events: int = 0
    """Events of the whole day that ranking had before it when it wrote this; 0: it did not say."""
    own: int = 0
    """The same of its own identities."""

    @property
    def identities(self) -> set[str]:
        """Ids of the identities whose notable it is."""
        return {str(one["id"]) for one in (self.document["identity"], *self.document.get("members", ()))}

    @property
    def is_late(self) -> bool:
        """Whether it came too late for its day; nhihealth judges it."""
        return bool(self.document.get("late"))

    @property
    def is_exposure(self) -> bool:
        """Exposures belong to a credential, not to a day."""
        return bool(self.document["kind"] == "exposure")


class Ranked(NamedTuple):
    """A notable as it stands, and what became of it since it was last written."""

    document: dict[str, Any]
    change: str
    escalated: bool
    """Its first revision, or one whose severity rose."""
    run: Mapping[str, Any]
    """Of its day."""


def earlier(text: str) -> Earlier:
    """The revision in an event of sourcetype nhi:notable.

    Raises:
        RejectError: bad_notable.
    """
    try:
        told = json.loads(text)
        document = told["nhi_notable"]
        day = day_of(parse(_last(document)))
        named = {"id": str(document["id"]), "kind": str(document["kind"]), "severity": str(document["severity"])}
        kept = {**document, **named, "revision": int(document["revision"])}
        return Earlier(kept, str(told["nhi_change"]), day, *(int(told.get(name) or 0) for name in _COUNTED))
    except (ValueError, TypeError, KeyError, RecursionError, RejectError) as error:
        raise RejectError("bad_notable", f"{type(error).__name__}: {error}"[:200]) from error


def _last(document: Document) -> str:
    """A time of the day that a notable was last written for."""
    if document["kind"] == "blind_spot":  # a silence may have begun on a day on which it was not yet too long
        return str(document["created"])
    revisions = document.get("revisions") or ()
    return f"{revisions[-1]['day']}T00:00:00Z" if revisions else str(document["first_time"])


def revisions(gatherer: Gatherer) -> list[Earlier]:
    """Of each notable the latest revision of each of its days, among those that came with the rows."""
    found: dict[tuple[str, int], Earlier] = {}
    for text in gatherer.notables:
        try:
            told = earlier(text)
        except RejectError as error:
            gatherer.reject(error.reason)
            continue
        before = found.get((told.document["id"], told.day))
        is_newer = before is None or before.document["revision"] < told.document["revision"]
        if is_newer and told.document["kind"] not in _OTHERS and not told.is_late:
            found[told.document["id"], told.day] = told
    return list(found.values())


def latest(known: Iterable[Earlier]) -> dict[str, Earlier]:
    """Notable id → its latest revision."""
    ordered = sorted(known, key=lambda one: int(one.document["revision"]))
    return {one.document["id"]: one for one in ordered}


def restore(store: TableStore, known: Mapping[str, Earlier], past: Iterable[Earlier] = ()) -> None:
    """Put earlier revisions where the judge looks for them; `past`: also of days before each one's last, or a day that
    is judged again would begin what has begun before it."""
    stored = exposures(store)
    before = [one for one in past if one.document["id"] in known and one.day < known[one.document["id"]].day]
    for one in (*before, *known.values()):
        name, row = one.document["id"], pack(json.dumps(one.document))
        if one.is_exposure:
            if one.document["revision"] > stored.get(name, _NEVER)["revision"]:
                store.put("ledger", [(f"exposure/{name}", row)])
        elif one.change not in ENDED and known[name].change not in ENDED:
            store.put("notable", [(f"{one.day:06d}/{name}", row)])


_NEVER: dict[str, Any] = {"revision": 0}


def exposures(store: TableStore) -> dict[str, dict[str, Any]]:
    """Notable id → document of the exposures that a store knows."""
    return {key[9:]: unpack(row) for key, row in store.scan("ledger", "exposure/", "exposure0")}


def changes(
    result: Result, known: Mapping[str, Earlier], day: int, is_last: bool, below: bool = False
) -> Iterator[Ranked]:
    """What became of each notable of a day; `known` are the latest revisions, of this day and of earlier ones.

    `below`: also of the gravest below the line, which is none of them any more once it has a place.
    """
    changed = {document["id"]: document for document in result.changed}
    mine = [document for document in result.notables if document["kind"] not in _APART]
    if below:
        mine += [document for document in result.gravest if _may_be_below(known.get(document["id"]))]
    for document in mine:
        if not is_last:
            document["telemetry"] = {**document["telemetry"], "provisional": False}
        before = known.get(document["id"])
        is_changed = document["id"] in changed or (not document["listed"] and _differs(document, before))
        yield change(document, is_changed, before, result.run)
    kept = {document["id"] for document in mine}
    for name, one in known.items():
        if name in kept or one.change in ENDED or one.day != day or one.is_exposure:
            continue
        if one.change == BELOW and not below:
            continue
        if name in changed:
            yield Ranked(changed[name], "merged", False, result.run)
        else:
            gone = {**one.document, "revision": one.document["revision"] + 1}
            yield Ranked(gone, "withdrawn", False, result.run)


def _differs(document: Document, before: Optional[Earlier]) -> bool:
    return before is None or lives.told(document) != lives.told(before.document)


def _may_be_below(before: Optional[Earlier]) -> bool:
    """What was shown and lost its place is withdrawn first."""
    return before is None or before.change in (BELOW, *ENDED)


def change(document: dict[str, Any], changed: bool, before: Optional[Earlier], run: Mapping[str, Any]) -> Ranked:
    """What became of a notable since it was last written."""
    listed = bool(document["listed"])
    if before is None:
        return Ranked(document, "new" if listed else BELOW, listed, run)
    had_place = before.change != BELOW
    if not changed and before.change not in ENDED and had_place == listed:
        return Ranked(document, "same", False, run)
    document = {**document, "revision": before.document["revision"] + 1}
    if not listed or not had_place:
        return Ranked(document, "new" if listed else BELOW, listed, run)
    is_new_again = document["life"] == "new" and before.document.get("life") != "new"
    return Ranked(document, "updated", is_new_again or rose(document, before.document), run)


def rose(document: Document, before: Document) -> bool:
    """Whether the severity is higher than before."""
    order = SEVERITIES.index
    known = before["severity"] in SEVERITIES
    return not known or order(document["severity"]) > order(before["severity"])


def exposure_changes(result: Result, known: Mapping[str, Document]) -> Iterator[Ranked]:
    """What became of each exposure."""
    for document in result.notables:
        if document["kind"] != "exposure":
            continue
        before = known.get(document["id"])
        if before is None:
            yield Ranked(document, "new", True, result.run)
        elif document["revision"] == before["revision"]:
            yield Ranked(document, "same", False, result.run)
        else:
            yield Ranked(document, "updated", rose(document, before), result.run)


def row_of(ranked: Ranked, now: int) -> dict[str, Cell]:
    """The row of a notable; see `fields.NOTABLE`."""
    document, run = ranked.document, ranked.run
    row = {**_what(document, ranked.change), **_who(document), **_when(document), **_why(document)}
    # an exposure's own time is that of the leak: too long ago to be found among recent events, as what came late is
    is_recent = document["kind"] == "compromise" and not document.get("late")
    time = parse(document["last_time"]) if is_recent else now
    row["_time"], row["nhi_escalated"] = str(time), "1" if ranked.escalated else "0"
    row["nhi_day_events"] = str(run.get("day_events", ""))
    counts, mine = run.get("counts", {}), Earlier(dict(document), "", 0).identities
    row["nhi_own_events"] = str(run.get("own_events") or sum(counts.get(name, 0) for name in mine))
    row["nhi_overflow"], row["nhi_overflow_highest"] = str(run["overflow"]), f"{run['overflow_highest']:g}"
    kept = {name: row[name] for name in fields.names(fields.NOTABLE) if name in row and name not in _NOT_KEPT}
    event = {"time": render(time), **kept, "nhi_notable": document}
    return {**row, "_raw": json.dumps(event, separators=(",", ":"))}


def event_of(document: Document, now: int) -> str:
    """The event of a notable that was made outside Splunk, as by `nhi posture`."""
    ranked = Ranked(dict(document), "new", document["revision"] == 1, {"overflow": 0, "overflow_highest": 0})
    return str(row_of(ranked, now)["_raw"])


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
        "nhi_keys": sorted({key_of(identity["id"]), *(key_of(m["id"]) for m in document.get("members", ()))}),
        "nhi_members": [member["name"] for member in document.get("members", ())],
    }  # fmt: skip


def _when(document: Document) -> dict[str, Cell]:
    return {
        "nhi_first_time": document["first_time"], "nhi_last_time": document["last_time"],
        "nhi_created": document["created"],
        "nhi_provisional": "1" if document["telemetry"]["provisional"] else "0",
    }  # fmt: skip


def _why(document: Document) -> dict[str, Cell]:
    least = 0 if document["kind"] == "posture" else REASON_POINTS  # findings of posture have no points
    heavy = [s for s in document["signals"] if s["points"] >= least and s["value"]][:REASONS]
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
