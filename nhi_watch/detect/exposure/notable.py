"""A Case as a notable of kind `exposure`.

`likelihood` is that somebody will use the credential within the hour if nothing is done: a key that leaked a second ago
is urgent although nobody can have tried it yet. While it may work it is at least 60 in a public place, 20 in a private
one and 40 where the place is not known, however quiet the logs are; at least 60 anywhere if it worked after it was
exposed. A credential that nobody has ever seen work is not critical: at most 60.
"""

from __future__ import annotations

from nhi_watch.context.assets import Asset
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.notable import Control, ModelRef, Notable, SignalPoints, TimelineEntry, Usual, clip
from nhi_watch.core.status import Receipt
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect.explain.claims import digest
from nhi_watch.detect.explain.fields import control_of, dimension_of, identity_of, make, notable_id, signal_of, usual_of
from nhi_watch.detect.exposure.case import DIGEST, HURRY, MODEL, ExposedCredential
from nhi_watch.detect.history import Sight, short
from nhi_watch.detect.impact import REACH_DAYS, BlastRadius, impact, sentence
from nhi_watch.detect.model import log_odds_of
from nhi_watch.detect.signals import listing, times
from nhi_watch.state import baseline
from nhi_watch.state.baseline import Profile

LEAST = {"private": 20.0, "unknown": 40.0}
PUBLIC_LEAST = 60.0
"""Least likelihood of a credential that may still work, by place."""
WORKED_LEAST = 60.0
"""Least likelihood of one that worked after it was exposed, wherever it lay."""
UNSEEN_MOST = 60.0
"""Highest likelihood of one that nobody has seen in use, and nobody says that it works."""
ENTRIES = 200
IDS = ("NHI2:2025", "DE.AE-07", "T1552")
USED = ("T1078.004", "DE.AE-08")


def build(
    case: ExposedCredential,
    reach: BlastRadius,
    asset: Asset,
    networks: Networks = SHIPPED,
    unusual_calls: frozenset[str] = frozenset(),
) -> Notable:
    """The notable. `unusual_calls`: calls that compromises of it found unusual."""
    likelihood = _likelihood(case)
    signals = _signals(case, reach, likelihood)
    last = max([case.exposures[-1].time, case.validity.since, *(sight.last for sight in case.strange)])
    values_digest = digest([[s.id, s.value] for s in signals])
    return make(
        notable_id("exposure", case.credential.id),
        "exposure",
        identity_of(case.identity, asset.owner),
        _title(case, networks),
        _summary(case, reach, asset, likelihood),
        when=(case.since, case.since, last),
        eve=case.now // DAY - 1,
        likelihood=likelihood,
        signals=signals,
        timeline=_timeline(case),
        usual=_usual(case),
        ids=[*IDS, *(USED if case.strange else ())],
        controls=_controls(case, reach, _stolen(case, unusual_calls)),
        impact=impact(asset, reach),
        sources={"exposure", *([case.identity.provider] if _is_read(case) else [])},
        missing=() if case.read_until else ("the log of the credential's account since the exposure",),
        record_ids=[*dict.fromkeys([*(e.record_id for e in case.exposures), *_strange_records(case)])],
        record_count=len(case.exposures) + sum(s.count for s in case.strange),
        model=ModelRef(MODEL, DIGEST),
        receipt=Receipt(DIGEST, values_digest, digest(baseline.to_row(_profile(case)))),
    )


def _is_read(case: ExposedCredential) -> bool:
    return bool(case.identity_history or case.read_until)


def _likelihood(case: ExposedCredential) -> float:
    least = 0.0 if case.validity.dead else LEAST.get(case.place.name, PUBLIC_LEAST)
    least = max(least, WORKED_LEAST) if case.works else least
    return round(min(max(100 * case.soon, least), UNSEEN_MOST if case.unseen else 100.0), 1)


def _bounded(case: ExposedCredential, likelihood: float) -> str:
    """Why the likelihood is not what place, time and logs alone give; "": it is."""
    alone = round(100 * case.soon, 1)
    if likelihood < alone:
        return "the most for a credential that nobody has seen work"
    if likelihood == alone:
        return ""
    if case.works and likelihood == WORKED_LEAST:
        return "the least for one that worked after it was exposed"
    return "the least in such a place while it may still work"


def _profile(case: ExposedCredential) -> Profile:
    return case.identity_history.profile if case.identity_history else Profile()


_WHERE = {
    "public_repo": "in a public repository",
    "package": "in a published package",
    "paste": "on a paste site",
    "public_service": "by a public service",
    "private": "in a private place",
    "unknown": "in a place not known to be public or private",
}


def _title(case: ExposedCredential, networks: Networks) -> str:
    owner = f" of {short(case.identity)}" if case.identity_history else ""
    end = ""
    if case.strange:
        end = f", and used since from {_from(case.strange[0], networks)}"
    elif case.validity.dead:
        end = f", {case.validity.state}"
    return f"Exposure: {clip(case.key, 60)}{clip(owner, 60)} {_WHERE[case.place.name]}{end}"


def exposed_where(case: ExposedCredential) -> str:
    """What was exposed, and where, for the title of a notable that begins with its misuse."""
    return f"{clip(case.key, 60)} was exposed {_WHERE[case.place.name]}"


def _from(sight: Sight, networks: Networks) -> str:
    return networks.facts(sight.network).owner or sight.network


def _summary(case: ExposedCredential, reach: BlastRadius, asset: Asset, likelihood: float) -> str:
    last = case.credential.last
    used = f"last used {render(last)}" if last else "never seen in use here"
    owner = f"owner {asset.owner}" if asset.owner else "no owner known"
    validity, why = case.validity, _bounded(case, likelihood)
    soon = f"{likelihood:g}% that somebody uses it within the hour{f', {why}' if why else ''}"
    return (
        f"Exposed since {render(case.since)} {_WHERE[case.place.name]} ({_places(case)}); {soon}. "
        f"It is {validity.state if validity.state != 'unknown' else 'of unknown validity'}: {validity.evidence}. "
        f"{used[0].upper()}{used[1:]}; in {REACH_DAYS} days it reached {_reached(case, reach)}; {owner}."
    )


def _places(case: ExposedCredential) -> str:
    return clip(listing([e.about for e in case.exposures if e.about] or ["place unknown"], 2), 200)


def _reached(case: ExposedCredential, reach: BlastRadius) -> str:
    if reach.services:
        return f"{listing(sorted(reach.services), 5)} ({sentence(reach)})"
    return "services that are no longer known" if case.used or case.credential.last else "nothing seen"


def _signals(case: ExposedCredential, reach: BlastRadius, likelihood: float) -> tuple[SignalPoints, ...]:
    """What it is due to; the log-odds of all together are those of the likelihood."""
    minutes = max(0, case.now - case.since) / 60
    hurry = 0 if case.validity.dead else HURRY
    steps = (100 * case.place.by(minutes + hurry), 100 * case.soon, likelihood)
    place_worth, soon, evidence_worth = (log_odds_of(each) for each in steps)
    place, valid, why = case.place, case.validity, _bounded(case, likelihood)
    exposed = (
        f"exposed {_while(minutes)} ago; in such a place half of those that are ever tried are tried within "
        f"{_while(place.median)} ({place.basis})"
    )
    used = float(sum(s.count for s in case.strange)) if _is_known(case) else None
    works = None if valid.state == "unknown" else 0.0 if valid.dead else 1.0
    things = float(reach.targets + len(reach.services)) if case.identity_history else None
    return (
        signal_of(
            "exposed_secret",
            exposed,
            round(minutes, 1),
            round(place_worth, 3),
            records=[e.record_id for e in case.exposures],
        ),
        signal_of(
            "used_since_exposure",
            _use_sentence(case),
            used,
            round(soon - place_worth, 3),
            records=_strange_records(case),
        ),
        signal_of(
            "still_valid",
            f"{valid.state}: {valid.evidence}{f'; {likelihood:g}% is {why}' if why else ''}",
            works,
            round(evidence_worth - soon, 3),
        ),
        signal_of(
            "reached", f"within {REACH_DAYS} days: {_reached(case, reach)}; from {reach.networks} networks", things
        ),
    )


def _while(minutes: float) -> str:
    """A time in the unit that people would use.

    >>> _while(0.4), _while(3), _while(90), _while(903_124)
    ('less than a minute', '3 minutes', '90 minutes', '627 days')
    """
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes:,.0f} minute{'' if round(minutes) == 1 else 's'}"
    return f"{minutes / 60:,.0f} hours" if minutes < 2880 else f"{minutes / 1440:,.0f} days"


def _is_known(case: ExposedCredential) -> bool:
    return bool(case.strange or case.read_until or case.probability != case.prior)


def _use_sentence(case: ExposedCredential) -> str:
    if case.strange:
        first = min(case.strange, key=lambda sight: sight.first)
        calls = times(sum(sight.count for sight in case.strange), "call")
        places = listing(sorted({sight.network for sight in case.strange}))
        return f"{calls} since from {places}, the first {first.action} at {render(first.first)}: not its places"
    if case.read_until:
        return f"no use from a new network in the account's log, which was read until {render(case.read_until)}"
    if case.probability != case.prior:
        return "another product reports that somebody else used it"
    return "cannot tell: no log of its account covers the time since the exposure"


def _strange_records(case: ExposedCredential) -> list[str]:
    return [*dict.fromkeys(record for sight in case.strange for record in sight.record_ids)]


def _timeline(case: ExposedCredential) -> tuple[TimelineEntry, ...]:
    changes = [c for c in case.credential.changes if c.what not in ("exposed", "quarantined")]
    entries = [
        *(
            TimelineEntry(e.time, f"exposure:{e.what}", "success", clip(e.about, 256), e.record_id, 0.0, 1)
            for e in case.exposures
        ),
        *(
            TimelineEntry(c.time, f"credential:{c.what}", "success", clip(c.by, 256), c.record_id, 0.0, 1)
            for c in changes
        ),
        *(
            TimelineEntry(s.first, s.action, s.outcome, clip(s.network, 256), s.record_ids[0], 0.0, s.count)
            for s in case.strange[:ENTRIES]
        ),
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.time, entry.action)))


def _usual(case: ExposedCredential) -> Usual:
    profile, before = _profile(case), case.since // DAY
    observed = {
        "network": [s.network for s in case.strange],
        "agent": [s.agent for s in case.strange if s.agent],
        "action": [action for s in case.strange for action in s.actions],
        "credential": [case.credential.id],
    }
    dimensions = []
    for name, values in observed.items():
        known = {v: seen for v, seen in profile.dimension(name).values.items() if seen.first < before}
        seen = {value: values.count(value) for value in sorted(set(values))}
        dimensions.append(dimension_of(name, known, seen, profile.days))
    return usual_of(profile, dimensions, case.credential.last)


def _stolen(case: ExposedCredential, unusual_calls: frozenset[str]) -> frozenset[str]:
    """What only a thief called: from a new place, or oddly, and never before in its own places."""
    if case.identity_history is None:
        return frozenset()
    away = set(case.strange)
    theirs = unusual_calls.union(*(sight.actions for sight in away))
    known = {
        value
        for value, seen in _profile(case).dimension("action").values.items()
        if seen.first < case.since // DAY and value not in unusual_calls
    }
    usual_calls = (sight.actions - unusual_calls for sight in case.identity_history.sights if sight not in away)
    return theirs - known.union(*usual_calls)


def _controls(case: ExposedCredential, reach: BlastRadius, stolen: frozenset[str]) -> tuple[Control, ...]:
    validity = case.validity
    if validity.dead:
        rotate = f"{case.key} is {validity.state}: {validity.evidence}. Delete it once nothing breaks."
    else:
        rotate = f"Make a new credential, move its users over, then switch {case.key} off and delete it."
    granted = listing(sorted(reach.actions - stolen), 8) if reach.actions - stolen else ""
    denied = f" Deny {listing(sorted(stolen), 8)}: only the intruder called it." if stolen else ""
    reduce = (
        f"Seen in {REACH_DAYS} days: {granted}; deny the rest.{denied}"
        if granted
        else f"Everything seen of it is misuse.{denied}"
        if denied
        else "It is in use, but the log no longer shows for what: ask its owner before you remove permissions."
        if case.used or case.credential.last
        else "It was never seen in use: remove every permission until its owner says what it is for."
    )
    return control_of("rotate_secret", rotate, "done" if validity.dead else "open"), control_of(
        "reduce_privilege", reduce
    )
