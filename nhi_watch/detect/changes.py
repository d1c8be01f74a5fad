"""What changed in a notable: since a verdict, which is why it is back, and since a time, for the morning digest.

What a notable was earlier cannot be read off the notable as it stands, so each publication adds to a short log of its
likelihood, severity, reasons and identities; calls, addresses and targets have times of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from nhi_watch.context.networks import network_of_source
from nhi_watch.core.documents import NotableDocument, TimelineDocument
from nhi_watch.core.notable import clip, dimensions_of
from nhi_watch.core.status import BACK, REASON_LOG_ODDS, unusual_calls
from nhi_watch.core.timestamps import HOUR, render

LONGEST = 900
_NAMED = 4
"""Values of each kind that are named."""
_VALUE = 60
"""Characters of a value that are shown."""
_SAME = "sp"
"""Kind of a link between two ids of one actor: an application and its service principal."""


# ---- since a verdict


def since_verdict(document: NotableDocument, covered: Sequence[NotableDocument], verdict: str) -> str:
    """What of a notable is new, why it is back, and its likelihood when the verdict was given and now.

    Args:
        document: the notable as it stands: what no verdict covers.
        covered: its episodes that a verdict or an expected pattern covers, as they were then; last the one that was
            shown.
        verdict: by what they are covered.
    """
    covered_evidence = {signal["evidence"] for item in covered for signal in item["signals"]}
    reasons = [signal["evidence"] for signal in document["signals"] if signal["value"]]
    reason = next((text for text in reasons if text not in covered_evidence), next(iter(reasons), document["title"]))
    then = covered[-1]["likelihood"] if covered else 0.0
    known = f" Likelihood {then:g}% then, {document['likelihood']:g}% now." if then else ""
    unusual = _unusual(document)
    before = [entry for item in covered for entry in item["timeline"]]
    targets = {target for item in covered for target in _targets(item, item["timeline"])}
    fresh = {
        "identities": _new_identities(document, covered),
        **_new_calls(document, unusual, before),
        "targets": _without(_targets(document, unusual), targets),
    }
    changes = f"New {_listed(fresh)}." if any(fresh.values()) else _AGAIN
    return clip(f"{BACK} {verdict}. {changes} Because {clip(reason, 300)}.{known}", LONGEST)


_AGAIN = "No new identity, call, address or target: it happened again."


def _new_identities(document: NotableDocument, covered: Iterable[NotableDocument]) -> list[str]:
    """Names of the identities that none of the covered episodes has, by id or by name: logs learn names late, and one
    application has several ids."""
    known: set[str] = set()
    for item in covered:
        for name_of in _identities(item).items():
            known.update(name_of)
        known.update(name for revision in item["revisions"] for name in revision["identities"])
    same = {name for link in document["links"] if link["kind"] == _SAME for name in _other_end(link, known)}
    new = (name for each, name in _identities(document).items() if each not in known | same and name not in known)
    return list(dict.fromkeys(new))


def _other_end(link: Mapping[str, object], known: set[str]) -> set[str]:
    ends = {str(link["source"]), str(link["target"])}
    return ends if ends & known else set()


# ---- since a time


class Entry(NamedTuple):
    """What a publication said of a notable."""

    at: int
    """The data's end at that time."""
    likelihood: float
    severity: str
    reasons: Sequence[str]
    """Ids of signals that had become reasons since the entry before."""
    identities: Sequence[str]
    """Ids of identities that had joined since the entry before."""


Log = Sequence[Sequence[object]]
"""Entries as they are stored, oldest first."""
_KEPT = 30
"""Entries of a log: changes within an hour are one."""


def extended(log: Log, last: Optional[tuple[NotableDocument, int]], document: NotableDocument, at: int) -> Log:
    """The log of a notable with what it says at `at`; `last`: what was published before, and when."""
    entries = [Entry(*entry) for entry in log]  # type: ignore[arg-type]
    if not entries and last is not None:  # published by an earlier version, which kept no log
        entries = [Entry(last[1], last[0]["likelihood"], last[0]["severity"], (), ())]
    if last is None or not entries:
        return [list(Entry(at, document["likelihood"], document["severity"], (), ()))]
    entry = Entry(
        at,
        document["likelihood"],
        document["severity"],
        sorted(_reasons(document).keys() - _reasons(last[0]).keys()),
        sorted(_identities(document).keys() - _identities(last[0]).keys()),
    )
    before = entries[-1]
    if entry.reasons or entry.identities or entry[1:3] != before[1:3]:
        if len(entries) > 1 and before.at // HOUR == at // HOUR:
            reasons, identities = sorted({*before.reasons, *entry.reasons}), {*before.identities, *entry.identities}
            entries[-1] = entry._replace(reasons=reasons, identities=sorted(identities))
        else:
            entries.append(entry)
    return [list(each) for each in entries[-_KEPT:]]


def since_time(document: NotableDocument, log: Log, since: int) -> str:
    """What changed in a notable after `since`, the most important first.

    Where its log does not reach back that far, from the oldest entry on.
    """
    entries = [Entry(*entry) for entry in log]  # type: ignore[arg-type]
    at = max((n for n, entry in enumerate(entries) if entry.at <= since), default=0)
    later = entries[at + 1 :]
    parts = list(_risen(entries[at], document)) if entries else []
    names, reasons = _identities(document), _reasons(document)
    joined = [names[name] for entry in later for name in entry.identities if name in names]
    parts += [f"new identities: {_named(list(dict.fromkeys(joined)))}"] if joined else []
    moment = render(max([since, *(entry.at for entry in entries[:1])]))
    fresh = [entry for entry in _unusual(document) if entry["time"] >= moment]
    before = [entry for entry in document["timeline"] if entry["time"] < moment]
    known = {target for entry in before for target in entry.get("targets", ())}
    touched = [target for entry in fresh for target in entry.get("targets", ())]
    new = _listed({**_new_calls(document, fresh, before), "targets": _without(touched, known)})
    parts += [f"new {new}"] if new else []
    added = dict.fromkeys(reasons[name] for entry in later for name in entry.reasons if name in reasons)
    parts += [f"new reason: {clip(text, 160)}" for text in list(added)[:2]]
    count = sum(entry["count"] for entry in fresh)
    if not parts and count:
        parts = [f"{count:,} more unusual call{'s'[: count != 1]}, the last at {fresh[-1]['time'][:16]}Z"]
    return clip("; ".join(parts) or "only counts and times", LONGEST)


def _risen(before: Entry, document: NotableDocument) -> Iterable[str]:
    if round(before.likelihood) != round(document["likelihood"]):
        yield f"likelihood {before.likelihood:.0f}% → {document['likelihood']:.0f}%"
    if before.severity != document["severity"]:
        yield f"severity {before.severity} → {document['severity']}"


# ---- what both compare


def _unusual(document: NotableDocument) -> list[TimelineDocument]:
    return [entry for part in unusual_calls(document) for entry in part] if document["timeline"] else []


def _identities(document: NotableDocument) -> dict[str, str]:
    """Id → what people call it."""
    return {who["id"]: who["name"] or who["id"] for who in (document["identity"], *document["members"])}


def _reasons(document: NotableDocument) -> dict[str, str]:
    """Id of a signal that is a reason → its evidence."""
    return {s["id"]: s["evidence"] for s in document["signals"] if s["log_odds"] >= REASON_LOG_ODDS}


def _new_calls(
    document: NotableDocument, fresh: Sequence[TimelineDocument], before: Sequence[TimelineDocument]
) -> dict[str, list[str]]:
    """Calls and addresses; another address of a network that was seen before, or that is usual, is none."""
    networks = dimensions_of(document, "network")
    known = {network_of_source(entry["source"]) for entry in before}
    known.update(value["value"] for item in networks for value in item["usual"])
    known.update(value["value"] for item in networks for value in item["observed"] if not value["new"])
    addresses = (entry["source"] for entry in fresh if network_of_source(entry["source"]) not in known)
    return {
        "calls": _without((entry["action"] for entry in fresh), {entry["action"] for entry in before}),
        "addresses": _without(addresses, set()),
    }


def _targets(document: NotableDocument, entries: Iterable[TimelineDocument]) -> list[str]:
    observed = (value["value"] for item in dimensions_of(document, "target") for value in item["observed"])
    return [*(target for entry in entries for target in entry.get("targets", ())), *observed]


def _without(values: Iterable[str], known: set[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value and value not in known]


def _listed(fresh: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name}: {_named(values)}" for name, values in fresh.items() if values)


def _named(values: Sequence[str]) -> str:
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(clip(value, _VALUE) for value in values[:_NAMED]) + more
