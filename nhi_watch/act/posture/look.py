"""One look at the posture: all checks over one scene, their notables, and what could not be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.act.posture import owners, privilege, secrets, sharing
from nhi_watch.act.posture.finding import KINDS, Finding, build
from nhi_watch.act.posture.matching import Scene
from nhi_watch.context import assets
from nhi_watch.core.notable import order, to_json
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import impact, ledger
from nhi_watch.detect.history import Life
from nhi_watch.detect.impact import LEVELS, reach_of
from nhi_watch.state.baseline import Profile
from nhi_watch.state.rows import Rows

CHECKS: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    secrets.check, owners.dormant, owners.orphaned, owners.used_by_people, sharing.across_environments,
    sharing.across_applications, privilege.granted, privilege.no_longer_used,
)  # fmt: skip
REPORTS = ("credential report", "authorization details", "Entra applications", "Google Cloud keys", "GitHub tokens",
           "Azure role assignments")  # fmt: skip


class Look(NamedTuple):
    """What a look found."""

    notables: list[dict[str, Any]]
    """One a finding, the most urgent first."""
    summary: dict[str, Any]
    """The content of posture.json."""


def look(scene: Scene, rows: Rows) -> Look:
    """All findings; their notables are put into the ledger in place of those of the look before."""
    found = {finding.id: finding for check in CHECKS for finding in check(scene)}
    before = {document["id"]: document for document in ledger.findings(rows)}
    broad = {scene.identity_of(grant).id: grant.broad for grant in scene.exports.grants if grant.broad}
    thefts = {finding.id: theft_of(finding, broad.get(finding.identity.id, "")) for finding in found.values()}
    documents = [_document(scene, finding, before) for finding in found.values()]
    documents.sort(key=lambda d: (-thefts[d["id"]].power, *order(d)))
    for rank, document in enumerate(documents, 1):
        document["rank"] = rank
    ledger.put_findings(rows, documents)
    return Look(documents, _summary(scene, documents, found, thefts))


class Theft(NamedTuple):
    """What somebody who takes over an identity could do, as far as grants and use tell."""

    power: float
    told: str
    """Goes after "a thief could"."""


_COULD = {
    "permissions": "change who may do what", "cost": "spend money", "write": "change and delete things",
    "tagging": "change tags", "read": "read data", "list": "list what there is", "unknown": "do what is not known",
}  # fmt: skip


def theft_of(finding: Finding, broad: str) -> Theft:
    """Rights first (administrators' before what was used), then whether there is a secret to steal, then reach."""
    life = finding.life
    reach = reach_of(life.profile) if life else reach_of(Profile())
    level = "permissions" if broad else impact.privilege(reach)
    secret = bool(finding.credential or (life and life.credentials))
    power = len(LEVELS) - (LEVELS.index(level) if level in LEVELS else len(LEVELS)) + 0.5 * secret
    where = f" in {len(reach.services)} services" if reach.services else ""
    held = f" ({broad})" if broad else ""
    return Theft(power + impact.reach_weight(reach) - 1, f"{_COULD[level]}{held}{where}"
                 f"{', with a secret that lasts' if secret else ''}")  # fmt: skip


def _document(scene: Scene, finding: Finding, before: Mapping[str, Any]) -> dict[str, Any]:
    life = finding.life
    reach = life.reach(scene.history.lives, scene.today) if life else reach_of(Profile())
    document = to_json(build(finding, reach, assets.find(scene.assets, finding.identity), scene.now))
    old = before.get(document["id"])
    if old is not None:  # found before: it keeps the time of that
        document["created"] = old["created"]
        document["revision"] = old["revision"] + (document["severity"] != old["severity"])
    return document


def _summary(
    scene: Scene, documents: Sequence[Mapping[str, Any]], found: Mapping[str, Finding], thefts: Mapping[str, Theft]
) -> dict[str, Any]:
    history = scene.history
    return {
        "looked": render(scene.now),
        "limits": scene.limits._asdict(),
        "history": {
            "from": render(history.first_day * DAY)[:10] if history.lives else None,
            "to": render(history.now) if history.lives else None,
            "identities": len(history.lives),
            "machines": sum(1 for _ in scene.machines()),
        },
        "reports": list(scene.exports.given),
        "cannot_tell": _cannot_tell(scene),
        "counts": {kind: sum(f.kind == kind for f in found.values()) for kind in KINDS},
        "findings": [
            {**_plain(document, found[document["id"]]), "thief": thefts[document["id"]].told} for document in documents
        ],
        "rare": [owners.plain(life, quiet) for life, quiet in owners.rare(scene)],
        "used": [_used(scene, life) for life in scene.machines()],
    }


def _cannot_tell(scene: Scene) -> list[str]:
    """What this look could not see, in words."""
    missing = [name for name in REPORTS if name not in scene.exports.given]
    told = [f"not given, so what only they tell is not judged: {', '.join(missing)}"] if missing else []
    if "authorization details" in missing and "Azure role assignments" in missing:
        told.append("what is granted is not known: rights are judged by their use alone")
    days = scene.today - scene.history.first_day
    if days < 365:
        told.append(f"the logs cover {days} days: what ran once may be a yearly job, and is not called unused")
    if not scene.assets:
        why = "no asset table was given, or one without rows"
        told.append(f"{why}: owners and environments are known from names and clouds alone")
    return told


def _plain(document: Mapping[str, Any], finding: Finding) -> dict[str, Any]:
    return {
        "id": document["id"], "kind": finding.kind, "title": KINDS[finding.kind].title,
        "severity": document["severity"], "identity": document["identity"],
        "credential": finding.credential or None, "evidence": finding.evidence, "found": document["created"],
        "owasp_nhi": [i for i in KINDS[finding.kind].ids if i.startswith("NHI")], "record_ids": list(finding.records),
    }  # fmt: skip


def _used(scene: Scene, life: Life) -> dict[str, Any]:
    """What a least-privilege policy of an identity would hold: the calls it was seen to make."""
    known = life.profile.dimension("action").values
    return {
        "identity": life.identity.id,
        "name": life.identity.name,
        "days": life.profile.days,
        "calls": sorted(known),
        "not_lately": sorted(a for a, seen in known.items() if scene.today - seen.last >= scene.limits.idle_days),
    }
