"""A Case as a notable of kind `exposure`.

`likelihood` is that somebody uses the credential within the hour if nothing is done: a key that leaked a second ago is
urgent although nobody can have tried it yet. While it may work it is at least 60 in a public place, 20 in a private one
and 40 where the place is not known, however quiet the logs are; at least 60 anywhere if it worked after it was exposed.
A credential that nobody has ever seen work is not critical: at most 60.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from nhi_watch.context import frameworks
from nhi_watch.context.assets import Asset
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.life import Receipt
from nhi_watch.core.notable import (
    MAX_RECORD_IDS,
    BaselineRef,
    Control,
    Dimension,
    Frameworks,
    ModelRef,
    Notable,
    NotableIdentity,
    ObservedValue,
    SignalPoints,
    Telemetry,
    TimelineEntry,
    Usual,
    UsualValue,
    clip,
    expected_loss,
    severity_of,
)
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect.exposure.case import HURRY, Case
from nhi_watch.detect.exposure.timing import DIGEST, MODEL
from nhi_watch.detect.history import Sight, short
from nhi_watch.detect.impact import REACH_DAYS, Reach, impact, sentence
from nhi_watch.detect.model import log_odds_of
from nhi_watch.detect.signals import listing
from nhi_watch.state import baseline
from nhi_watch.state.baseline import Profile

LEAST = {"private": 20.0, "unknown": 40.0}
PUBLIC_LEAST = 60.0
"""Least likelihood of a credential that may still work, by place."""
WORKED_LEAST = 60.0
"""Least likelihood of one that worked after it was exposed, wherever it lay."""
UNSEEN_MOST = 60.0
"""Highest likelihood of one that nobody has seen in use, and nobody says that it works."""
SHOWN = 6
ENTRIES = 200
IDS = ("NHI2:2025", "DE.AE-07", "T1552")
USED = ("T1078.004", "DE.AE-08")


def exposure_id(credential: str) -> str:
    """The id that an exposure's notable keeps.

    >>> len(exposure_id("AKIAIOSFODNN7EXAMPLE"))
    20
    """
    return hashlib.sha256(f"exposure|{credential}".encode()).hexdigest()[:20]


def build(
    case: Case, reach: Reach, asset: Asset, networks: Networks = SHIPPED, odd: frozenset[str] = frozenset()
) -> Notable:
    """The notable; rank and revision are filled in by the caller. `odd`: calls that compromises of it found odd."""
    weight = impact(asset, reach)
    likelihood = _likelihood(case)
    signals = _signals(case, reach, likelihood)
    first = case.since
    last = max([case.exposures[-1].time, case.validity.since, *(sight.last for sight in case.strange)])
    records = _records(case)
    return Notable(
        id=exposure_id(case.credential.id), revision=1, kind="exposure", rank=1, likelihood=likelihood,
        severity=severity_of(expected_loss(likelihood, weight)), title=clip(_title(case, networks), 200),
        summary=clip(_summary(case, reach, asset), 1000),
        identity=NotableIdentity(
            case.identity.id, clip(case.identity.name, 512), case.identity.kind, case.identity.provider,
            case.identity.account, asset.owner,
        ),
        created=first, first_time=first, last_time=last, signals=signals, timeline=_timeline(case),
        usual=_usual(case), frameworks=_frameworks(case),
        controls=_controls(case, reach, _stolen(case, odd)), impact=weight,
        telemetry=Telemetry(_sources(case), None, _missing(case), False),
        record_ids=records[:MAX_RECORD_IDS], record_count=len(case.exposures) + sum(s.count for s in case.strange),
        model=ModelRef(MODEL, DIGEST), baseline=BaselineRef(render_day(case.now // DAY - 1)),
        receipt=Receipt(DIGEST, _digest([[s.id, s.value] for s in signals]), _digest(baseline.to_row(_profile(case)))),
        merged_into=None,
    )  # fmt: skip


def _likelihood(case: Case) -> float:
    least = 0.0 if case.validity.dead else LEAST.get(case.place.name, PUBLIC_LEAST)
    least = max(least, WORKED_LEAST) if case.works else least
    return round(min(max(100 * case.soon, least), UNSEEN_MOST if case.unseen else 100.0), 1)


def _profile(case: Case) -> Profile:
    return case.life.profile if case.life else Profile()


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _where(case: Case) -> str:
    names = {"public_repo": "in a public repository", "package": "in a published package", "paste": "on a paste site",
             "public_service": "by a public service", "private": "in a private place",
             "unknown": "in a place not known to be public or private"}  # fmt: skip
    return names[case.place.name]


def _title(case: Case, networks: Networks) -> str:
    whose = f" of {short(case.identity)}" if case.life else ""
    end = ""
    if case.strange:
        end = f", and used since from {_from(case.strange[0], networks)}"
    elif case.validity.dead:
        end = f", {case.validity.state}"
    return f"Exposure: {clip(case.key, 60)}{clip(whose, 60)} {_where(case)}{end}"


def exposed_where(case: Case) -> str:
    """What was exposed, and where, for the title of a notable that tells of its misuse first."""
    return f"{clip(case.key, 60)} was exposed {_where(case)}"


def _from(sight: Sight, networks: Networks) -> str:
    return networks.facts(sight.network).owner or sight.network


def _summary(case: Case, reach: Reach, asset: Asset) -> str:
    tried = f"{case.probability:.0%} that somebody has tried it by now"
    last = case.credential.last
    used = f"last used {render(last)}" if last else "never seen in use here"
    owner = f"owner {asset.owner}" if asset.owner else "no owner known"
    held = case.validity
    return (
        f"Exposed since {render(case.since)} {_where(case)} ({_places(case)}); {tried}. "
        f"It is {held.state if held.state != 'unknown' else 'of unknown validity'}: {held.evidence}. "
        f"{used[0].upper()}{used[1:]}; in {REACH_DAYS} days it reached {_reached(case, reach)}; {owner}."
    )


def _places(case: Case) -> str:
    return clip(listing([e.about for e in case.exposures if e.about] or ["place unknown"], 2), 200)


def _reached(case: Case, reach: Reach) -> str:
    if reach.services:
        return f"{listing(sorted(reach.services), 5)} ({sentence(reach)})"
    return "services that are no longer known" if case.used or case.credential.last else "nothing seen"


def _signals(case: Case, reach: Reach, likelihood: float) -> tuple[SignalPoints, ...]:
    """What it is due to; the log-odds of all together are those of the likelihood."""
    minutes = max(0, case.now - case.since) / 60
    hurry = 0 if case.validity.dead else HURRY
    steps = (100 * case.place.by(minutes + hurry), 100 * case.soon, likelihood)
    place_worth, soon, told = (log_odds_of(each) for each in steps)
    records = tuple(e.record_id for e in case.exposures)[:20]
    place = case.place
    exposed = (
        f"exposed {_while(minutes)} ago; in such a place {place.by(minutes):.0%} are tried by then "
        f"(half of those that ever are within {_while(place.median)}; {place.basis})"
    )
    valid = case.validity
    dead = valid.dead
    return (
        SignalPoints(
            "exposed_secret", 0.0, round(place_worth, 3), round(minutes, 1), clip(exposed, 500), records, False
        ),
        SignalPoints(
            "used_since_exposure", 0.0, round(soon - place_worth, 3),
            float(sum(s.count for s in case.strange)) if _told(case) else None, clip(_use_sentence(case), 500),
            _strange_records(case)[:20], not _told(case),
        ),
        SignalPoints(
            "still_valid", 0.0, round(told - soon, 3), None if valid.state == "unknown" else 0.0 if dead else 1.0,
            clip(f"{valid.state}: {valid.evidence}", 500), (), valid.state == "unknown",
        ),
        SignalPoints(
            "reached", 0.0, 0.0, float(reach.targets + len(reach.services)) if case.life else None,
            clip(f"within {REACH_DAYS} days: {_reached(case, reach)}; from {reach.networks} networks", 500), (),
            case.life is None,
        ),
    )  # fmt: skip


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


def _told(case: Case) -> bool:
    return bool(case.strange or case.read_until or case.probability != case.prior)


def _use_sentence(case: Case) -> str:
    if case.strange:
        first = min(case.strange, key=lambda sight: sight.first)
        count = sum(sight.count for sight in case.strange)
        places = listing(sorted({sight.network for sight in case.strange}))
        calls = f"{count:,} call{'s'[: count != 1]}"
        return f"{calls} since from {places}, the first {first.action} at {render(first.first)}: not its places"
    if case.read_until:
        return f"no use from a new network in the account's log, which was read until {render(case.read_until)}"
    if case.probability != case.prior:
        return "another product reports that somebody else used it"
    return "cannot tell: no log of its account covers the time since the exposure"


def _strange_records(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for sight in case.strange for record in sight.record_ids))


def _records(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(e.record_id for e in case.exposures), *_strange_records(case)]))


def _timeline(case: Case) -> tuple[TimelineEntry, ...]:
    told = [
        TimelineEntry(e.time, f"exposure:{e.what}", "success", clip(e.about, 256), e.record_id, 0.0, 1)
        for e in case.exposures
    ]
    ends = [
        TimelineEntry(c.time, f"credential:{c.what}", "success", clip(c.by, 256), c.record_id, 0.0, 1)
        for c in case.credential.changes
        if c.what not in ("exposed", "quarantined")
    ]
    uses = [
        TimelineEntry(s.first, s.action, s.outcome, clip(s.network, 256), s.record_ids[0], 0.0, s.count)
        for s in case.strange[:ENTRIES]
    ]
    return tuple(sorted([*told, *ends, *uses], key=lambda entry: (entry.time, entry.action)))


def _usual(case: Case) -> Usual:
    profile = _profile(case)
    observed = {
        "network": [s.network for s in case.strange], "agent": [s.agent for s in case.strange if s.agent],
        "action": [action for s in case.strange for action in s.actions], "credential": [case.credential.id],
    }  # fmt: skip
    before = case.since // DAY
    dimensions = tuple(_dimension(profile, name, observed[name], before) for name in observed)
    first, last = profile.first, case.credential.last
    return Usual(dimensions, profile.days, first * DAY if first >= 0 else None, last or None, None)


def _dimension(profile: Profile, name: str, observed: list[str], before: int) -> Dimension:
    known = {v: seen for v, seen in profile.dimension(name).values.items() if seen.first < before}
    usual = sorted(known, key=lambda v: (-known[v].days, v))[:SHOWN]
    counts = {value: observed.count(value) for value in sorted(set(observed))}
    return Dimension(
        name,
        tuple(UsualValue(clip(value, 200), known[value].days) for value in usual),
        tuple(ObservedValue(clip(v, 200), v not in known, n) for v, n in list(counts.items())[:SHOWN]),
    )


def _frameworks(case: Case) -> Frameworks:
    ids = [*frameworks.ALWAYS, *IDS, *(USED if case.strange else ())]
    grouped = frameworks.grouped(ids)
    return Frameworks(*(tuple(grouped[name]) for name in frameworks.FRAMEWORKS))


def _stolen(case: Case, odd: frozenset[str]) -> frozenset[str]:
    """What only a thief called: from a new place, or oddly, and never before in its own places."""
    if case.life is None:
        return frozenset()
    away = set(case.strange)
    theirs = odd.union(*(sight.actions for sight in away))
    known = {value for value, seen in _profile(case).dimension("action").values.items()
             if seen.first < case.since // DAY and value not in odd}  # fmt: skip
    home = (sight.actions - odd for sight in case.life.sights if sight not in away)
    return theirs - known.union(*home)


def _controls(case: Case, reach: Reach, stolen: frozenset[str]) -> tuple[Control, ...]:
    held = case.validity
    if held.dead:
        rotate = f"{case.key} is {held.state}: {held.evidence}. Delete it once nothing breaks."
    else:
        rotate = f"Make a new credential, move its users over, then switch {case.key} off and delete it."
    granted = listing(sorted(reach.actions - stolen), 8) if reach.actions - stolen else ""
    denied = f" Deny {listing(sorted(stolen), 8)}: only the intruder called it." if stolen else ""
    reduce = (
        f"Seen in {REACH_DAYS} days: {granted}; deny the rest.{denied}" if granted
        else f"Everything seen of it is misuse.{denied}" if denied
        else "It is in use, but the log no longer shows for what: ask its owner before you remove permissions."
        if case.used or case.credential.last
        else "It was never seen in use: remove every permission until its owner says what it is for."
    )  # fmt: skip
    return (
        Control("rotate_secret", True, clip(rotate, 900), "done" if held.dead else "open"),
        Control("reduce_privilege", True, clip(reduce, 900), "open"),
    )


def _sources(case: Case) -> tuple[str, ...]:
    return tuple(sorted({"exposure", *([case.identity.provider] if case.life or case.read_until else [])}))


def _missing(case: Case) -> tuple[str, ...]:
    return () if case.read_until else ("the log of the credential's account since the exposure",)
