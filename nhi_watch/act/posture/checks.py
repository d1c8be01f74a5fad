"""One look at the posture: all checks over one scene, their notables, and what could not be checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.act.posture.finding import KINDS, Finding, Scene, Silence, build, is_machine, silence
from nhi_watch.act.posture.rights import SOURCE, granted, no_longer_used
from nhi_watch.context import assets
from nhi_watch.context.networks import network_facts
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import order, to_json
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect import impact, ledger
from nhi_watch.detect.history import IdentityHistory, Sight, short
from nhi_watch.detect.impact import LEVELS, REACH_DAYS, blast_radius
from nhi_watch.detect.signals import listing
from nhi_watch.state import inventory
from nhi_watch.state.baseline import Profile
from nhi_watch.state.inventory import STANDS, Credential
from nhi_watch.state.store import Rows

# ---- owners
#
# Identities that nobody needs or nobody answers for, and machines' identities that people use.


def dormant(scene: Scene) -> Iterator[Finding]:
    """Identities whose silence their rhythm does not explain."""
    for machine in scene.machines():
        quiet = silence(machine.profile, scene.today, scene.limits.idle_days)
        if quiet.verdict == "unusual":
            evidence = f"{short(machine.identity)}: {quiet.sentence}"
            yield Finding("dormant_identity", machine.identity, 30.0, evidence, identity_history=machine)


def rare(scene: Scene) -> Iterator[tuple[IdentityHistory, Silence]]:
    """Silent identities of which the logs cannot tell whether they will come back."""
    for machine in scene.machines():
        quiet = silence(machine.profile, scene.today, scene.limits.idle_days)
        if quiet.verdict in ("cannot_tell", "within_rhythm") and quiet.days >= scene.limits.idle_days:
            yield machine, quiet


def orphaned(scene: Scene) -> Iterator[Finding]:
    """Identities without an owner: by the customer's table, or because their maker is gone."""
    for machine in scene.machines():
        gone = _maker_gone(scene, machine)
        if gone:
            yield Finding(
                "orphaned_identity",
                machine.identity,
                40.0,
                f"{short(machine.identity)}: {gone}",
                identity_history=machine,
            )
        elif (
            scene.assets
            and not assets.find(scene.assets, machine.identity).owner
            and scene.today - machine.profile.last < scene.limits.idle_days
        ):
            evidence = f"{short(machine.identity)}: active, but the asset table names no owner"
            yield Finding("orphaned_identity", machine.identity, 20.0, evidence, identity_history=machine)


def _maker_gone(scene: Scene, identity_history: IdentityHistory) -> str:
    """Who made its credential and was deleted since; "" if nobody."""
    for credential in identity_history.credentials:
        created = credential.latest("created")
        maker = scene.history.identities.get(created.by) if created else None
        if maker is None or maker is identity_history:
            continue
        ends = [c for c in scene.history.names.get(inventory.name_key(maker.identity), ()) if c.what == "deleted"]
        if ends and maker.last <= ends[-1].time and maker.identity.kind != "role":
            return f"{credential.id} was made by {short(maker.identity)}, who has been deleted since"
    return ""


def used_by_people(scene: Scene) -> Iterator[Finding]:
    """Machines' identities behind which a person was seen: a console, a browser, a second factor."""
    for machine in scene.machines():
        seen = machine.profile.dimension("human").values.get("yes")
        days = max(seen.days if seen else 0, len(machine.hands))
        last = max([seen.last if seen else 0, *machine.hands])
        if not days or scene.today - last > scene.limits.idle_days:
            continue
        evidence = (
            f"{short(machine.identity)}: a person (console, browser or second factor) was seen on {days} of "
            f"{machine.profile.days} active days, last on {render_day(last)}"
        )
        records = tuple(machine.hands[day] for day in sorted(machine.hands))
        yield Finding(
            "human_use",
            machine.identity,
            35.0 + 10.0 * (days >= 3),
            evidence,
            records=records,
            identity_history=machine,
        )


def plain(identity_history: IdentityHistory, quiet: Silence) -> dict[str, Any]:
    """A rare identity for `posture.json`."""
    return {
        "identity": identity_history.identity.id,
        "name": identity_history.identity.name,
        "verdict": quiet.verdict,
        "why": quiet.sentence,
    }


# ---- secrets
#
# Secrets: too old, unused, or left behind after a rotation.


MOST = 55.0


def lasting(scene: Scene) -> Iterator[Finding]:
    """Findings about secrets, as far as the logs show."""
    for machine in scene.machines():
        for credential in machine.credentials:
            yield from _seen(scene, machine, credential)


def _ended(credential: Credential) -> int:
    """When it was switched off, deleted or called revoked; 0: it was not."""
    end = credential.latest("deactivated", "deleted", "resolved", "reactivated")
    return end.time if end is not None and end.what != "reactivated" else 0


def _by_age(days: int) -> float:
    """An urgency of 30, and 5 more for every doubling of 90 days.

    >>> _by_age(90), _by_age(180), _by_age(720), _by_age(9000), _by_age(0)
    (30.0, 35.0, 45.0, 55.0, 30.0)
    """
    urgency, limit = 30.0, 180
    while days >= limit and urgency < MOST:
        urgency, limit = urgency + 5.0, limit * 2
    return urgency


def _seen(scene: Scene, identity_history: IdentityHistory, credential: Credential) -> Iterator[Finding]:
    """Findings that the logs alone support."""
    if _ended(credential) or credential.id.startswith(STANDS):
        return
    created = credential.latest("created")
    start = created.time if created else credential.first
    if not start:
        return
    age = (scene.now - start) // DAY
    idle = (scene.now - credential.last) // DAY if credential.last else age
    records = (created.record_id,) if created else ()
    if age >= scene.limits.secret_days and idle < scene.limits.idle_days:
        least = "" if created else "at least "
        basis = "created" if created else "first seen in use"
        evidence = f"{credential.id}: {least}{age} days old ({basis} {render(start)[:10]}), and in use"
        yield Finding(
            "long_lived_secret",
            identity_history.identity,
            _by_age(age),
            evidence,
            credential.id,
            credential.id,
            records,
            identity_history,
        )
    if idle >= scene.limits.idle_days:
        yield from _left(scene, identity_history, credential, idle)


def _left(scene: Scene, identity_history: IdentityHistory, credential: Credential, idle: int) -> Iterator[Finding]:
    """A secret that nobody uses any more and nobody ended."""
    newer = [c.id for c in identity_history.credentials if c.last > credential.last and c.id != credential.id]
    quiet = silence(identity_history.profile, scene.today, scene.limits.idle_days)
    if newer:
        text = f"not used for {idle} days while {newer[0]} is, and never seen disabled"
    elif credential.last == 0:
        text = f"never seen in use since it was made {idle} days ago"
    elif quiet.verdict == "unusual":
        text = f"not used for {idle} days and never seen disabled; {quiet.sentence}"
    else:
        return
    evidence = f"{credential.id}: {text}"
    yield Finding(
        "unused_secret", identity_history.identity, 35.0, evidence, credential.id, credential.id, (), identity_history
    )


# ---- sharing
#
# One identity for several environments or several applications.


_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
ENVIRONMENTS = {
    "production": ("prod", "production", "prd", "live"),
    "other": ("dev", "develop", "development", "test", "testing", "stg", "stage", "staging", "qa", "uat", "sandbox",
              "nonprod", "preprod", "integration"),
}  # fmt: skip
_BY_WORD = {word: name for name, words in ENVIRONMENTS.items() for word in words}
TARGETS = 2
"""Targets of an environment from which it counts as used."""
DAYS = 3
"""Days on which an application is seen before it counts."""


def environment(text: str) -> str:
    """production, other, or "" where a name does not show it.

    >>> environment("shop-prod-uploads"), environment("OrdersEtlStgRole"), environment("product-images")
    ('production', 'other', '')
    """
    words = {word.lower() for word in _WORD.findall(text)}
    environments = {_BY_WORD[word] for word in words if word in _BY_WORD}
    return environments.pop() if len(environments) == 1 else ""


def across_environments(scene: Scene) -> Iterator[Finding]:
    """Identities that work in production and elsewhere, by the names of what they touch and who uses them."""
    for machine in scene.machines():
        touched = _touched(scene, machine)
        own = _own(scene, machine)
        here = {own} - {""} if own else {name for name, names in touched.items() if len(names) >= TARGETS}
        there = {name for name, names in touched.items() if len(names) >= TARGETS and name not in here}
        several = here | there
        if len(several) < 2:
            continue
        text = "; ".join(
            f"{name}: {listing(touched.get(name, [short(machine.identity)]), 3)}" for name in sorted(several)
        )
        urgency = 35.0 if own == "other" else 30.0
        evidence = f"{short(machine.identity)} is also used outside its environment: {text}"
        yield Finding("shared_environments", machine.identity, urgency, evidence, identity_history=machine)


def _own(scene: Scene, identity_history: IdentityHistory) -> str:
    """Its own environment: by the customer's table, else by its name."""
    own_environment = assets.find(scene.assets, identity_history.identity).environment
    return environment(own_environment) if own_environment else environment(short(identity_history.identity))


def _touched(scene: Scene, identity_history: IdentityHistory) -> dict[str, list[str]]:
    """Environment → the targets and callers that show it."""
    since = scene.today - REACH_DAYS
    known = (
        target for target, seen in identity_history.profile.dimension("target").values.items() if seen.last >= since
    )
    callers = (
        short(scene.history.identities[name].identity)
        for name in identity_history.callers
        if name in scene.history.identities
    )
    touched: dict[str, list[str]] = {}
    for text in (*known, *callers):
        name = environment(text)
        if name:
            touched.setdefault(name, []).append(text)
    return touched


class Application(NamedTuple):
    """What distinguishes one application's use of a credential from another's."""

    agent: str
    owner: str
    """Who runs the network that it works from."""


def across_applications(scene: Scene) -> Iterator[Finding]:
    """One credential that several applications use at the same time, or a role that several workloads take."""
    for machine in scene.machines():
        yield from _keys(scene, machine)
        callers = sorted(
            short(scene.history.identities[name].identity)
            for name in machine.callers
            if name in scene.history.identities and is_machine(scene.history.identities[name])
        )
        if len(set(callers)) > 1:
            evidence = f"{short(machine.identity)} is assumed by {len(callers)} identities: {listing(callers)}"
            yield Finding("reused_credential", machine.identity, 25.0, evidence, identity_history=machine)


def _keys(scene: Scene, identity_history: IdentityHistory) -> Iterator[Finding]:
    for credential in identity_history.credentials:
        sights = [
            sight
            for sight in identity_history.sights
            if sight.credential == credential.id and sight.outcome == "success"
        ]
        apart = _apart(_applications(sights))
        if len(apart) > 1:
            names = listing([f"{a.agent or 'no agent'} from {a.owner}" for a in apart])
            evidence = f"{credential.id} is used by {len(apart)} applications at the same time: {names}"
            name, records = credential.id, tuple(dict.fromkeys(r for sight in sights for r in sight.record_ids[:1]))
            yield Finding(
                "reused_credential",
                identity_history.identity,
                40.0,
                evidence,
                name,
                name,
                records[:20],
                identity_history,
            )


def _applications(sights: Iterable[Sight]) -> dict[Application, set[int]]:
    """Application → days on which it was seen; those seen often enough."""
    days: dict[Application, set[int]] = {}
    for sight in sights:
        if sight.network and not sight.network.startswith("service:"):
            who = Application(sight.agent, network_facts(sight.network).owner)
            days.setdefault(who, set()).update((sight.first // DAY, sight.last // DAY))
    return {who: seen for who, seen in days.items() if len(seen) >= DAYS}


def _apart(days_by_application: dict[Application, set[int]]) -> list[Application]:
    """Applications that differ in agent and network, and work at the same time: an upgrade or a move is none."""
    chosen: list[Application] = []
    for who in sorted(days_by_application, key=lambda a: (-len(days_by_application[a]), a)):
        unlike = all(who.agent != other.agent and who.owner != other.owner for other in chosen)
        beside = all(len(days_by_application[who] & days_by_application[other]) >= DAYS for other in chosen)
        if unlike and beside:
            chosen.append(who)
    return sorted(chosen)


# ---- look


CHECKS: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    lasting,
    dormant,
    orphaned,
    used_by_people,
    across_environments,
    across_applications,
    granted,
    no_longer_used,
)


class Look(NamedTuple):
    """What a look found."""

    notables: list[NotableDocument]
    """One a finding, the most urgent first."""
    summary: dict[str, Any]
    """The content of posture.json."""


def look(scene: Scene, rows: Rows) -> Look:
    """All findings; their notables are put into the ledger in place of those of the look before."""
    findings = {finding.id: finding for check in CHECKS for finding in check(scene)}
    before = {document["id"]: document for document in ledger.findings(rows)}
    broad = {scene.identity_of(grant).id: grant.broad for grant in scene.grants or () if grant.broad}
    thefts = {finding.id: theft_of(finding, broad.get(finding.identity.id, "")) for finding in findings.values()}
    documents = [_document_look(scene, finding, before) for finding in findings.values()]
    documents.sort(key=lambda d: (-thefts[d["id"]].power, *order(d)))
    for rank, document in enumerate(documents, 1):
        document["rank"] = rank
    ledger.put_findings(rows, documents)
    return Look(documents, _summary(scene, documents, findings, thefts))


class Theft(NamedTuple):
    """What somebody who takes over an identity could do, as far as grants and use show."""

    power: float
    summary: str
    """Goes after "a thief could"."""


_COULD = {
    "permissions": "change permissions",
    "cost": "spend money",
    "write": "change and delete things",
    "tagging": "change tags",
    "read": "read data",
    "list": "list resources",
    "unknown": "act in unknown ways",
}


def theft_of(finding: Finding, broad: str) -> Theft:
    """Rights first (administrators' before what was used), then whether there is a secret to steal, then reach."""
    identity_history = finding.identity_history
    reach = blast_radius(identity_history.profile) if identity_history else blast_radius(Profile())
    level = "permissions" if broad else impact.privilege(reach)
    secret = bool(finding.credential or (identity_history and identity_history.credentials))
    power = len(LEVELS) - (LEVELS.index(level) if level in LEVELS else len(LEVELS)) + 0.5 * secret
    where = f" in {len(reach.services)} services" if reach.services else ""
    scope = f" ({broad})" if broad else ""
    return Theft(
        power + impact.radius_weight(reach) - 1,
        f"{_COULD[level]}{scope}{where}{', with a long-lived secret' if secret else ''}",
    )


def _document_look(scene: Scene, finding: Finding, before: Mapping[str, Any]) -> NotableDocument:
    identity_history = finding.identity_history
    reach = (
        identity_history.blast_radius(scene.history.identities, scene.today)
        if identity_history
        else blast_radius(Profile())
    )
    document = to_json(build(finding, reach, assets.find(scene.assets, finding.identity), scene.now))
    old = before.get(document["id"])
    if old is not None:  # found before: it keeps the time of that
        document["created"] = old["created"]
        document["revision"] = old["revision"] + (document["severity"] != old["severity"])
    return document


def _summary(
    scene: Scene, documents: Sequence[NotableDocument], findings: Mapping[str, Finding], thefts: Mapping[str, Theft]
) -> dict[str, Any]:
    history = scene.history
    return {
        "looked": render(scene.now),
        "limits": scene.limits._asdict(),
        "history": {
            "from": render(history.first_day * DAY)[:10] if history.identities else None,
            "to": render(history.now) if history.identities else None,
            "identities": len(history.identities),
            "machines": sum(1 for _ in scene.machines()),
        },
        "reports": [] if scene.grants is None else [SOURCE],
        "cannot_tell": _cannot_tell(scene),
        "counts": {kind: sum(f.kind == kind for f in findings.values()) for kind in KINDS},
        "findings": [
            {**_plain(document, findings[document["id"]]), "thief": thefts[document["id"]].summary}
            for document in documents
        ],
        "rare": [plain(identity_history, quiet) for identity_history, quiet in rare(scene)],
        "used": [_used(scene, machine) for machine in scene.machines()],
    }


def _cannot_tell(scene: Scene) -> list[str]:
    """What this look could not see, in words."""
    gaps = (
        []
        if scene.grants
        else [f"no {SOURCE} were given, so what is granted is not known: rights are judged by their use alone"]
    )
    days = scene.today - scene.history.first_day
    if days < 365:
        gaps.append(f"the logs cover {days} days: what ran once may be a yearly job and is not reported as unused")
    if not scene.assets:
        why = "no asset table was given, or it has no rows"
        gaps.append(f"{why}: owners and environments are known only from names and clouds")
    return gaps


def _plain(document: NotableDocument, finding: Finding) -> dict[str, Any]:
    return {
        "id": document["id"],
        "kind": finding.kind,
        "title": KINDS[finding.kind].title,
        "severity": document["severity"],
        "identity": document["identity"],
        "credential": finding.credential or None,
        "evidence": finding.evidence,
        "found": document["created"],
        "owasp_nhi": [i for i in KINDS[finding.kind].ids if i.startswith("NHI")],
        "record_ids": list(finding.records),
    }


def _used(scene: Scene, identity_history: IdentityHistory) -> dict[str, Any]:
    """What a least-privilege policy of an identity would hold: the calls it was seen to make."""
    known = identity_history.profile.dimension("action").values
    return {
        "identity": identity_history.identity.id,
        "name": identity_history.identity.name,
        "days": identity_history.profile.days,
        "calls": sorted(known),
        "not_lately": sorted(a for a, seen in known.items() if scene.today - seen.last >= scene.limits.idle_days),
    }
