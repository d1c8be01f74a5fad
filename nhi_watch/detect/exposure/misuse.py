"""The odd calls of an exposed key are told within its exposure: one notable, whichever came first.

A compromise belongs to an exposure whose identity is one of its own, unless it shows the use of other credentials
alone, ended a week before the exposure, or began after the credential was dead. What the model said of it stays: its
signals add what they added, and the exposure's add the rest of the likelihood that not both are wrong:

    L = 1 − (1 − exposure) (1 − compromise)

The compromise keeps its row, by which it can be verified, and goes on as part of the exposure's notable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from nhi_watch.core.notable import IMPACTS, MAX_RECORD_IDS, MAX_TIMELINE, clip, loss_of, order, severity_of
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import lives
from nhi_watch.detect.exposure.case import Case
from nhi_watch.detect.ledger import TOLD
from nhi_watch.detect.model import SUREST, log_odds_of
from nhi_watch.state.inventory import STANDS

Document = dict[str, Any]
ORIGIN = "one exposed key's notables"
"""What the notables share for which the exposure's stands."""


def of(case: Case, compromises: Iterable[Document]) -> list[Document]:
    """The compromises that an exposure's notable tells of, the gravest first."""
    return sorted((one for one in compromises if _is_of(case, one)), key=order)


def _is_of(case: Case, one: Mapping[str, Any]) -> bool:
    if case.identity.id not in lives.names(one) or parse(one["last_time"]) < case.since - lives.GONE * DAY:
        return False
    if case.validity.dead and parse(one["first_time"]) > case.validity.since:
        return False
    used = {o["value"] for d in one["usual"]["dimensions"] if d["name"] == "credential" for o in d["observed"]}
    others = bool(one["members"]) or case.credential.id.startswith(STANDS)
    return others or not used or clip(case.credential.id, 200) in used


def told_within(exposure: Document, found: Sequence[Document], what: str) -> Document:
    """An exposure's notable with the compromises that belong to it; `what` says in its title what was exposed, where.

    What the gravest of them shows is what this one shows.
    """
    face = found[0]
    likelihood = _together([exposure["likelihood"], *(one["likelihood"] for one in found)])
    impact = max((exposure["impact"], *(one["impact"] for one in found)), key=lambda each: IMPACTS[each["level"]])
    tail = f"; {what}"
    records = dict.fromkeys(record for one in (exposure, *found) for record in one["record_ids"])
    theirs = {record for one in found for record in one["record_ids"]}
    return {
        **exposure,
        "likelihood": likelihood,
        "impact": impact,
        "severity": severity_of(loss_of({"likelihood": likelihood, "impact": impact})),
        "title": clip(face["title"], 200 - len(tail)) + tail,
        "summary": clip(f"{clip(face['summary'], 600)} {exposure['summary']}", 1000),
        "created": max(exposure["created"], *(one["last_grown"] or one["created"] for one in found)),
        "first_time": min(one["first_time"] for one in (exposure, *found)),
        "last_time": max(one["last_time"] for one in (exposure, *found)),
        "signals": _signals(exposure, face, likelihood),
        "model": {**exposure["model"], "ordinary": face["model"]["ordinary"]},
        "baseline": face["baseline"],
        "timeline": _timeline(exposure, found),
        "usual": _usual(exposure, face),
        "frameworks": {name: list(dict.fromkeys([*exposure["frameworks"][name], *face["frameworks"][name]]))
                       for name in exposure["frameworks"]},
        "controls": _controls(exposure, face),
        "telemetry": {**face["telemetry"], "sources": sorted({*exposure["telemetry"]["sources"],
                                                              *face["telemetry"]["sources"]})},
        "record_ids": list(records)[:MAX_RECORD_IDS],
        "record_count": len({*exposure["record_ids"]} - theirs) + sum(one["record_count"] for one in found),
        "members": face["members"],
        "links": face["links"],
        "folded": {"origin": ORIGIN, "count": 1 + len(found), "ids": [one["id"] for one in found]},
    }  # fmt: skip


def parted(
    notables: Iterable[Document], exposures: Iterable[Mapping[str, Any]]
) -> tuple[list[Document], list[Document]]:
    """Notables that stand for themselves, and those that exposures tell of, each marked as part of that one.

    The latter keep what they have of a place, for whoever told people of it.
    """
    into = {name: one["id"] for one in exposures if one["folded"] for name in one["folded"]["ids"]}
    own, told = list[Document](), list[Document]()
    for one in notables:
        name: Optional[str] = into.get(one["id"])
        why = {"merged_into": name, "life": "closed", "closed_why": f"part of {name}"} if name else {}
        (told if name else own).append({**one, **why})
    return own, told


def _together(likelihoods: Sequence[float]) -> float:
    left = 1.0
    for each in likelihoods:
        left *= 1 - each / 100
    return round(max(min(100 * (1 - left), SUREST), *likelihoods), 1)


def _signals(exposure: Document, face: Document, likelihood: float) -> list[Document]:
    """What the model found, and what the exposure adds to it; without claims of what only one of both would come to."""
    own = sum(signal["log_odds"] for signal in face["signals"]) + face["model"]["ordinary"]
    first, *others = exposure["signals"]
    added = {**first, "log_odds": round(log_odds_of(likelihood) - own, 3)}
    model = [{**signal, "without": None} for signal in face["signals"]]
    return [added, *model, *({**signal, "log_odds": 0.0} for signal in others)]


def _timeline(exposure: Document, found: Sequence[Document]) -> list[Document]:
    """What is told of the credential, and the odd calls: those that both tell of, once."""
    known = {record for one in found for record in one["record_ids"]}
    mine = [e for e in exposure["timeline"] if e["action"].startswith(TOLD) or e["record_id"] not in known]
    odd = [e for one in found for e in one["timeline"] if e["points"] > 0]
    odd = odd or [e for one in found for e in one["timeline"]]
    return sorted([*mine, *odd], key=lambda e: (e["time"], e["action"], e["record_id"]))[:MAX_TIMELINE]


def _usual(exposure: Document, face: Document) -> Document:
    """The habits that the compromise shows; the credential is the exposed one alone, for that is to be rotated."""
    mine = [d for d in exposure["usual"]["dimensions"] if d["name"] == "credential"]
    theirs = [d for d in face["usual"]["dimensions"] if d["name"] != "credential"]
    return {**face["usual"], "dimensions": [*theirs, *mine]}


def _controls(exposure: Document, face: Document) -> list[Document]:
    """Of the exposed key its own; of linked identities those of the compromise, which are in the members' order."""
    if not face["members"]:
        return list(exposure["controls"])
    at = next((n for n, one in enumerate(face["members"]) if one["id"] == exposure["identity"]["id"]), -1)
    mine, met, found = {control["id"]: control for control in exposure["controls"]}, dict[str, int](), []
    for control in face["controls"]:
        number = met[control["id"]] = met.get(control["id"], -1) + 1
        found.append(mine.get(control["id"], control) if number == at else control)
    return found
