"""The fast path: every exposed credential becomes a notable at once, and follows the telemetry from then on.

The unusual calls of an exposed key belong to its exposure: one notable, whichever came first.

A compromise belongs to an exposure whose identity is one of its own, unless it shows the use of other credentials
alone, ended a week before the exposure, or began after the credential was dead. What the model said of it stays: its
signals add what they added, and the exposure's add the rest of the likelihood that not both are wrong:

    L = 1 − (1 − exposure) (1 − compromise)

The compromise keeps its row, by which it can be verified, and goes on as part of the exposure's notable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Optional

from nhi_watch.context import assets
from nhi_watch.context.assets import Assets
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.documents import (
    ControlDocument,
    FrameworksDocument,
    NotableDocument,
    SignalDocument,
    TimelineDocument,
    UsualDocument,
)
from nhi_watch.core.errors import InputError
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import (
    IMPACTS,
    MAX_RECORD_IDS,
    MAX_TIMELINE,
    clip,
    dimensions_of,
    order,
    risk_of,
    severity_of,
    to_json,
    weighed_risk,
)
from nhi_watch.core.status import is_resolved
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import history as histories
from nhi_watch.detect import ledger, publish, ranking
from nhi_watch.detect.cases import GAP
from nhi_watch.detect.episodes import FOLDED
from nhi_watch.detect.exposure.case import ExposedCredential, cases
from nhi_watch.detect.exposure.notable import build, exposed_where
from nhi_watch.detect.history import History, IdentityHistory
from nhi_watch.detect.impact import REACH_DAYS, BlastRadius, blast_radius
from nhi_watch.detect.ledger import PUBLISHED_KEYS
from nhi_watch.detect.model import SUREST, log_odds_of
from nhi_watch.intake.sources.exposure import account_of_key
from nhi_watch.state import inventory
from nhi_watch.state.baseline import Profile
from nhi_watch.state.inventory import STANDS, Change, Credential
from nhi_watch.state.store import Rows, pack, unpack

Document = NotableDocument
TABLE = "ledger"
PREFIX = "exposure/"
OWN = 20
"""Credentials of one feed, not seen in use in any log, that are notables of their own; the rest is folded."""
RESOLVED_DAYS = 120
"""Days after its end that an exposure whose credential is dead is still listed."""


def refresh(
    rows: Rows,
    history: History,
    known: Assets,
    now: int = 0,
    networks: Networks = SHIPPED,
    compromises: Optional[Sequence[Document]] = None,
) -> list[Document]:
    """The exposures as they stand, the most urgent first, from a store whose inventory is up to date.

    Their notables are put into it.

    `history`: everybody's names and spans; what those did whom an exposure concerns is added to it. `now` is the second
    at which one asks; 0: the latest second in the logs. `compromises`: as they stand; None: as last published.
    """
    quarantined = {n for n, done in history.names.items() if any(c.what == "quarantined" for c in done)}
    changes = (change for credential in history.credentials.values() for change in credential.changes)
    if not quarantined and not any(change.what == "exposed" for change in changes):
        return []
    names = {user.id for c in history.credentials.values() for user in c.users if c.changes}
    if quarantined:
        names |= {
            i
            for i, identity_history in history.identities.items()
            if inventory.name_key(identity_history.identity) in quarantined
        }
    histories.fill(history, rows, names)
    return assess(rows, history, known, now, networks, compromises)


def follow_up(
    rows: Rows,
    known: Assets,
    compromises: Sequence[NotableDocument],
    present: Callable[[Document], Document],
    networks: Networks = SHIPPED,
) -> list[Document]:
    """What every run does at its end: look at exposures, and move the controls of all notables by telemetry.

    Returns the compromises, those that belong to an exposure marked as part of it, and the exposures, each control with
    its status in the ledger. `present`: applies to an exposure what people have said of it.
    """
    history = histories.read_some(rows, ())
    exposed = refresh(rows, history, known, networks=networks, compromises=compromises)
    own, parts = parted(compromises, exposed)
    exposures = [present(exposure) for exposure in exposed]
    asked = [*own, *exposures, *_unlisted(parts)]
    stored, required = ledger.entries(rows), ledger.required_by(rows, asked)
    histories.fill(history, rows, ledger.to_check(rows, stored, history, asked, required))
    standing = ledger.follow(rows, history, asked, stored=stored, required=required)
    return ledger.with_status([*own, *parts, *exposures], standing, required)


def _unlisted(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        yield {**document, "listed": False}


def assess(
    rows: Rows,
    history: History,
    known: Assets,
    now: int = 0,
    networks: Networks = SHIPPED,
    compromises: Optional[Sequence[Document]] = None,
) -> list[Document]:
    """The same with a history that is at hand."""
    every = publish.as_of(rows, publish.stored(rows), max(now, history.now)) if compromises is None else compromises
    before = dict(rows.scan(TABLE, PREFIX, PREFIX[:-1] + "0"))
    shown_compromises = [
        document
        for document in every
        if document["kind"] == "compromise"
        and risk_of(document) >= ranking.LEAST
        and not is_resolved(document)
        and (not document["merged_into"] or PREFIX + document["merged_into"] in before)
    ]
    asked = [
        each
        for each in cases(history, now)
        if not each.validity.dead or each.now - each.validity.since <= RESOLVED_DAYS * DAY
    ]
    pairs = [(each, _document(each, history, known, networks, shown_compromises)) for each in asked]
    feeds = {document["id"]: each.exposures[0].by for each, document in pairs if not each.seen}
    merged = _documents(pairs, shown_compromises)
    documents = _folded(merged, {d["id"]: feeds[d["id"]] for d in merged if d["id"] in feeds and not d["folded"]})
    published = publish.documents(rows, [document["id"] for document in documents])
    for rank, document in enumerate(documents, 1):
        document["rank"] = rank
        document["revision"] = published.get(document["id"], document)["revision"]
    kept = {PREFIX + document["id"]: pack(document) for document in documents}
    rows.put(
        TABLE,
        [
            *((key, raw) for key, raw in kept.items() if before.get(key) != raw),
            *((key, None) for key in before if key not in kept),
        ],
    )
    return documents


def _documents(
    pairs: Sequence[tuple[ExposedCredential, Document]], compromises: Sequence[NotableDocument]
) -> list[Document]:
    """The exposures, the most urgent first; each compromise is part of the first to which it belongs."""
    documents, left = [], list(compromises)
    for case, document in sorted(pairs, key=lambda each: order(each[1])):
        mine = misuse_of(case, left)
        left = [compromise for compromise in left if compromise not in mine]
        documents.append(with_compromises(document, mine, exposed_where(case)) if mine else document)
    return sorted(documents, key=order)


def _folded(exposures: Sequence[Document], feeds: Mapping[str, str]) -> list[Document]:
    """All but what of a feed is too many: its writer could bury a credential that is in use.

    The first of a feed's stands for them; once a log has seen one in use, it stands for itself.
    """
    kept, own = [], dict[str, list[Document]]()
    for document in exposures:
        mine = own.setdefault(feeds.get(document["id"], ""), [])
        mine.append(document)
        if len(mine) <= OWN or document["id"] not in feeds:
            kept.append(document)
    for feed, mine in own.items():
        if feed and len(mine) > OWN:
            others, count = [document["id"] for document in mine[OWN:]], len(mine) - OWN
            sentence = f"{count:,} more credentials reported by {feed} were never seen in use and are not listed. "
            mine[0]["summary"] = clip(sentence + mine[0]["summary"], 1000)
            origin = clip(f"findings of {feed}", 300)
            mine[0]["folded"] = {"origin": origin, "count": 1 + count, "ids": others[:FOLDED]}
    return kept


def stored(rows: Rows) -> list[Document]:
    """The exposures as they were last assessed."""
    return [unpack(raw) for _, raw in rows.scan(TABLE, PREFIX, PREFIX[:-1] + "0")]


def _document(
    case: ExposedCredential, history: History, known: Assets, networks: Networks, compromises: Sequence[NotableDocument]
) -> Document:
    reach = _blast_radius(case, case.identity_history, history) if case.identity_history else blast_radius(Profile())
    asset = assets.find(known, case.identity)
    return to_json(build(case, reach, asset, networks, _unusual_calls(case.identity.id, compromises)))


def _unusual_calls(identity: str, compromises: Sequence[NotableDocument]) -> frozenset[str]:
    """The calls that were unusual for an identity in compromises."""
    own = (
        d
        for compromise in compromises
        for d in dimensions_of(compromise, "action", identity)
        if identity == (d.get("identity") or ("" if compromise["members"] else compromise["identity"]["id"]))
    )
    return frozenset(o["value"] for d in own for o in d["observed"] if o["new"])


def _blast_radius(case: ExposedCredential, identity_history: IdentityHistory, history: History) -> BlastRadius:
    """What the identity reached, today included: what worked an hour ago must not read as nothing.

    Today is the last day of its account's log where that ended before the exposure was reported.
    """
    span = history.span_of(case.identity.provider, case.identity.account)
    today = min(case.now, span.last if span else case.now) // DAY
    reach = identity_history.blast_radius(history.identities, today)
    since = (today - REACH_DAYS) * DAY
    fresh = [s for s in identity_history.sights if s.outcome == "success" and s.last >= since]
    services = reach.services.union(*(s.services for s in fresh)) - {"exposure", "alert"}
    return reach._replace(
        services=services,
        actions=reach.actions | {s.action for s in fresh},
        networks=max(reach.networks, len({s.network for s in fresh})),
    )


# ---- misuse of an exposed key

ORIGIN = "one exposed key's notables"
"""What the notables share for which the exposure's stands."""


def misuse_of(case: ExposedCredential, compromises: Iterable[NotableDocument]) -> list[Document]:
    """The compromises that an exposure's notable includes, the most severe first."""
    return sorted((compromise for compromise in compromises if _is_of(case, compromise)), key=order)


def _is_of(case: ExposedCredential, notable: NotableDocument) -> bool:
    names = {notable["identity"]["id"], *(member["id"] for member in notable["members"])}
    if case.identity.id not in names or parse(notable["last_time"]) < case.since - GAP * DAY:
        return False
    if case.validity.dead and parse(notable["first_time"]) > case.validity.since:
        return False
    used = {o["value"] for d in dimensions_of(notable, "credential") for o in d["observed"]}
    others = bool(notable["members"]) or case.credential.id.startswith(STANDS)
    return others or not used or clip(case.credential.id, 200) in used


def with_compromises(exposure: Document, compromises: Sequence[NotableDocument], what: str) -> Document:
    """An exposure's notable with the compromises that belong to it; `what` says in its title what was exposed, where.

    What the most severe of them shows is what this one shows.
    """
    face = compromises[0]
    likelihoods = [document["likelihood"] for document in (exposure, *compromises)]
    both = 100 * (1 - prod(1 - each / 100 for each in likelihoods))
    likelihood = round(max(min(both, SUREST), *likelihoods), 1)
    impact = max(
        (exposure["impact"], *(compromise["impact"] for compromise in compromises)),
        key=lambda each: IMPACTS[each["level"]],
    )
    alone = (
        f"Of {likelihood:g}%, the exposure alone gives {exposure['likelihood']:g}%, the calls {face['likelihood']:g}%."
    )
    tail = f"; {what}"
    records = dict.fromkeys(record for document in (exposure, *compromises) for record in document["record_ids"])
    theirs = {record for compromise in compromises for record in compromise["record_ids"]}
    return {
        **exposure,
        "likelihood": likelihood,
        "impact": impact,
        "severity": severity_of(weighed_risk(likelihood, impact)),
        "title": clip(face["title"], 200 - len(tail)) + tail,
        "summary": clip(f"{clip(face['summary'], 550)} {alone} {exposure['summary']}", 1000),
        "created": max(
            exposure["created"], *(compromise["last_grown"] or compromise["created"] for compromise in compromises)
        ),
        "first_time": min(document["first_time"] for document in (exposure, *compromises)),
        "last_time": max(document["last_time"] for document in (exposure, *compromises)),
        "signals": _signals(exposure, face, likelihood),
        "model": {**exposure["model"], "ordinary": face["model"]["ordinary"]},
        "baseline": face["baseline"],
        "timeline": _joined_timeline(exposure, compromises),
        "usual": _usual(exposure, face),
        "frameworks": _frameworks(exposure["frameworks"], face["frameworks"]),
        "controls": _controls(exposure, face),
        "telemetry": {
            **face["telemetry"],
            "sources": sorted({*exposure["telemetry"]["sources"], *face["telemetry"]["sources"]}),
        },
        "record_ids": list(records)[:MAX_RECORD_IDS],
        "record_count": len({*exposure["record_ids"]} - theirs)
        + sum(compromise["record_count"] for compromise in compromises),
        "members": face["members"],
        "links": face["links"],
        "folded": {
            "origin": ORIGIN,
            "count": 1 + len(compromises),
            "ids": [compromise["id"] for compromise in compromises],
        },
    }


def parted(notables: Iterable[NotableDocument], exposures: Iterable[Document]) -> tuple[list[Document], list[Document]]:
    """Notables that stand for themselves, and those that exposures include, each marked as part of that one.

    The latter keep their row, for the hosts that have published it.
    """
    into = {name: exposure["id"] for exposure in exposures if exposure["folded"] for name in exposure["folded"]["ids"]}
    own, exposed_documents = list[Document](), list[Document]()
    for notable in notables:
        name: Optional[str] = into.get(notable["id"])
        if name:
            part: Document = {**notable, "merged_into": name, "life": "closed", "closed_why": f"part of {name}"}
            exposed_documents.append(part)
        else:
            own.append({**notable})
    return own, exposed_documents


def _signals(exposure: Document, face: Document, likelihood: float) -> list[SignalDocument]:
    """What the model found, and what the exposure adds to it; without claims of what only one of both would come to."""
    own = sum(signal["log_odds"] for signal in face["signals"]) + (face["model"]["ordinary"] or 0.0)
    first, *others = exposure["signals"]
    added: SignalDocument = {**first, "log_odds": round(log_odds_of(likelihood) - own, 3)}
    model: list[SignalDocument] = [{**signal, "without": None} for signal in face["signals"]]
    besides: list[SignalDocument] = [{**signal, "log_odds": 0.0} for signal in others]
    return [added, *model, *besides]


def _joined_timeline(exposure: Document, compromises: Sequence[NotableDocument]) -> list[TimelineDocument]:
    """What is known of the credential, and the unusual calls: those that both have, once."""
    known = {record for compromise in compromises for record in compromise["record_ids"]}
    mine = [e for e in exposure["timeline"] if e["action"].startswith(PUBLISHED_KEYS) or e["record_id"] not in known]
    unusual_entries = [e for compromise in compromises for e in compromise["timeline"] if e["points"] > 0]
    unusual_entries = unusual_entries or [e for compromise in compromises for e in compromise["timeline"]]
    return sorted([*mine, *unusual_entries], key=lambda e: (e["time"], e["action"], e["record_id"]))[:MAX_TIMELINE]


def _usual(exposure: Document, face: Document) -> UsualDocument:
    """The habits that the compromise shows; the credential is the exposed one alone, for that is to be rotated."""
    mine = dimensions_of(exposure, "credential")
    theirs = [d for d in face["usual"]["dimensions"] if d["name"] != "credential"]
    return {**face["usual"], "dimensions": [*theirs, *mine]}


def _frameworks(first: FrameworksDocument, other: FrameworksDocument) -> FrameworksDocument:
    """The ids of both, each once."""
    return {
        "owasp_nhi": list(dict.fromkeys([*first["owasp_nhi"], *other["owasp_nhi"]])),
        "nist_csf": list(dict.fromkeys([*first["nist_csf"], *other["nist_csf"]])),
        "mitre_attack": list(dict.fromkeys([*first["mitre_attack"], *other["mitre_attack"]])),
        "mitre_atlas": list(dict.fromkeys([*first["mitre_atlas"], *other["mitre_atlas"]])),
    }


def _controls(exposure: Document, face: Document) -> list[ControlDocument]:
    """Of the exposed key its own; of linked identities those of the compromise, which are in the members' order."""
    if not face["members"]:
        return list(exposure["controls"])
    at = next((n for n, member in enumerate(face["members"]) if member["id"] == exposure["identity"]["id"]), -1)
    mine, met, merged = {control["id"]: control for control in exposure["controls"]}, dict[str, int](), []
    for control in face["controls"]:
        number = met[control["id"]] = met.get(control["id"], -1) + 1
        merged.append(mine.get(control["id"], control) if number == at else control)
    return merged


# ---- reported by a person

_KEY_ID = re.compile(r"[A-Za-z0-9_:./+=@|-]{4,256}")
_SECRETS = re.compile(
    r"gh[pousr]_\w{16,}|github_pat_\w+|glpat-|xox[abprs]-|sk-[\w-]{16,}|sk_live_|AIza[\w-]{30}|eyJ[\w-]{10,}\.|-----BEGIN"
)
_AWS_SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
_HEX = re.compile(r"[0-9a-f]{32,64}")


_IDS = re.compile(
    r"A[A-Z]{3}[A-Z2-7]{12,}|[0-9a-fA-F]{16,128}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4,}"
    r"|[A-Za-z0-9+/]{43}=|SHA256:.+|[\w.-]+[:/].+"
)
"""Forms of public ids: AWS's, hashes, UUIDs, numbers, fingerprints, and paths that begin with what they are of."""


def tell(rows: Rows, key: str, since: int, where: str) -> Credential:
    """Put an exposure that a person reports into the inventory; nothing but the key's id is kept.

    Raises:
        InputError: `key` is no id, or may be the secret itself: no log named it, and ids do not look like it.
    """
    if not _KEY_ID.fullmatch(key):
        raise InputError("KEYID is not a credential's id: 4 to 256 letters and digits, such as AKIA… or a token's hash")
    if _SECRETS.match(key) or (_AWS_SECRET.fullmatch(key) and not _HEX.fullmatch(key)):
        raise InputError("that looks like the secret itself; give its public id (AKIA…, the log's hashed_token)")
    before = inventory.credential(rows, key)
    if before is None and not _IDS.fullmatch(key):
        raise InputError(
            "no log has named this credential, and ids do not look like it: it may be the secret itself; "
            "nothing was stored. Give its public id (AKIA…, the log's hashed_token)"
        )
    users = before.users if before and before.users else (_identity(key),)
    change = Change(since, "exposed", "nhi exposed", where, "secret_alert", f"told:{key}@{since}"[:256])
    inventory.keep(rows, [Credential(key, users, 0, 0, (change,))])
    after = inventory.credential(rows, key)
    assert after is not None, "it was just put"
    return after


def _identity(key: str) -> Identity:
    """The identity that stands for a credential of which nothing else is known."""
    provider = "aws" if re.fullmatch(r"A[KS]IA[A-Z2-7]{16}", key) else "exposure"
    account = account_of_key(key) if provider == "aws" else ""
    name = f"access key {key}" if provider == "aws" else f"credential {key[:80]}"
    return Identity(f"{provider}:{account}:credential:{key}"[:512], name, "credential", provider, account, "")
