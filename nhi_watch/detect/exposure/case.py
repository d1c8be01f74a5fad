"""What the logs say about one exposed credential: whose it is, whether it still works, and who has used it since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect.exposure.timing import Place, place_of, tried_by
from nhi_watch.detect.history import History, Life, Sight, short
from nhi_watch.state.inventory import STANDS, Change, Credential

PROVEN = 0.99
"""Probability that it was tried where its use from a new place was seen: that may still be its owner, moved."""
COVERAGE = {"aws": 0.99}
"""Probability that an account's log shows an attempt: CloudTrail records every signed call but data events."""
OTHER_COVERAGE = 0.9
HURRY = 60
"""Minutes that a person is given: the likelihood is that it is tried by then."""
FIRST_WEEK = 7
"""Days that stand for what is ordinary where the exposure is older than the log."""
DEAD = ("deactivated", "deleted", "resolved")


class Validity(NamedTuple):
    """Whether a credential still works, and how that is known."""

    state: str
    """valid | quarantined | deactivated | deleted | resolved | unknown"""
    since: int
    """Second from which it no longer works; 0: it may work."""
    evidence: str

    @property
    def dead(self) -> bool:
        """Whether nobody can use it any more."""
        return self.state in DEAD


class Case(NamedTuple):
    """One exposed credential."""

    credential: Credential
    identity: Identity
    life: Optional[Life]
    exposures: tuple[Change, ...]
    """Earliest first."""
    place: Place
    now: int
    validity: Validity
    strange: tuple[Sight, ...]
    """Uses since the exposure from networks that are not the identity's own."""
    prior: float
    """Probability that somebody has tried it by now, from the place and the time alone."""
    probability: float
    """The same, with what the logs show."""
    soon: float
    """The same, one hour on if nothing is done."""
    read_until: int
    """Second up to which the account's log was read since the exposure; 0: not at all."""
    used: int = 0
    """Second of the last use that worked; 0: none was seen."""

    @property
    def since(self) -> int:
        """When it was exposed."""
        return self.exposures[0].time

    @property
    def works(self) -> bool:
        """It was used with success after it was exposed, and nothing has ended it since."""
        return not self.validity.dead and self.used > self.since

    @property
    def seen(self) -> bool:
        """A log has seen it in use."""
        return bool(self.used or self.credential.last or self.strange)

    @property
    def unseen(self) -> bool:
        """Neither a log nor another product has seen it in use, or says that it works."""
        return not self.seen and self.validity.state == "unknown"

    @property
    def key(self) -> str:
        """What people call it."""
        named = self.credential.id.startswith(STANDS)
        return f"the keys of {short(self.identity)}" if named else self.credential.id


def cases(history: History, now: int = 0) -> Iterator[Case]:
    """All exposed credentials; `now` is the second at which one asks, else the latest in the logs."""
    exposed: dict[str, Credential] = {}
    quarantines: dict[str, tuple[Change, ...]] = {}
    for credential in history.credentials.values():
        if any(change.what == "exposed" for change in credential.changes):
            exposed[credential.id] = credential
    for name, changes in history.names.items():
        told = tuple(change for change in changes if change.what == "quarantined")
        for credential in _quarantined(history, name) if told else ():
            exposed.setdefault(credential.id, credential)
            quarantines[credential.id] = told
    for name in sorted(exposed):
        yield case(history, exposed[name], max(now, history.now), quarantines.get(name, ()))


def _quarantined(history: History, name: str) -> list[Credential]:
    """The credentials of a user whom the provider quarantined; one that stands for all where none is known."""
    account, _, user = name.partition("/")
    lives = [
        life
        for life in history.lives.values()
        if life.identity.account == account and short(life.identity) == user and life.identity.kind == "user"
    ]
    unknown = Identity(f"aws:{account}:user:{user}", user, "user", "aws", account, "")
    users = tuple(life.identity for life in lives) or (unknown,)
    return [one for life in lives for one in life.credentials] or [Credential(f"name:{name}", users, 0, 0, ())]


def case(history: History, credential: Credential, now: int, quarantines: tuple[Change, ...] = ()) -> Case:
    """The case of one credential that has an exposure or a quarantine among its changes."""
    told = (change for change in credential.changes if change.what == "exposed")
    exposures = tuple(sorted([*told, *quarantines]))
    since = exposures[0].time
    now = max(now, since)  # logs may end before somebody reports it
    life = history.owner_of(credential)
    identity = life.identity if life else credential.identity
    assert identity is not None, "an exposure names an identity, if only the credential's own"
    place = _place(exposures)
    validity = _validity(history, credential, life, exposures)
    whose = bool(life or identity.account)  # else any account's log would do, and show nothing
    read_from, read_until = _read(history, identity, since) if whose else (False, 0)
    strange = tuple(_strange(life, credential.id, since, read_from)) if life else ()
    end = validity.since if validity.dead else now
    elapsed, later = (end - since) / 60, (end - since) / 60 + (0 if validity.dead else HURRY)
    seen = (min(read_until, end) - since) / 60 if read_from else 0.0
    coverage = COVERAGE.get(identity.provider, OTHER_COVERAGE) if read_from else 0.0
    probability, soon = (tried_by(place, minutes, max(0.0, seen), coverage) for minutes in (elapsed, later))
    if strange or _told_used(exposures):
        probability = soon = PROVEN
    return Case(
        credential, identity, life, exposures, place, now, validity, strange, place.by(elapsed), probability, soon,
        read_until if read_from else 0, _used(credential, life),
    )  # fmt: skip


def _place(exposures: tuple[Change, ...]) -> Place:
    """The worst place: where it is tried soonest."""
    places = [place_of(e.about, _public(e)) for e in exposures]
    return max(places, key=lambda place: (place.by(HURRY), place.name))


def _public(exposure: Change) -> bool:
    """The feed says so; AWS looks for keys in public places."""
    return exposure.what == "quarantined" or "public" in exposure.traits.split(",")


def _told_used(exposures: tuple[Change, ...]) -> bool:
    """Another product says that it was used by somebody else."""
    return any("used" in e.traits.split(",") for e in exposures)


def _strange(life: Life, credential: str, since: int, covered: bool) -> Iterator[Sight]:
    """`covered`: the log was read before the exposure as well, so who was not seen until then had no places at all."""
    start = min((sight.first for sight in life.sights), default=0)
    start = min(start, life.first) if life.first else start
    until = max(since, start + FIRST_WEEK * DAY) if since < start and not covered else since
    home = {sight.network for sight in life.sights if sight.first < until}
    home |= {value for value, seen in life.profile.dimension("network").values.items() if seen.first < until // DAY}
    for sight in life.sights:
        away = sight.network and not sight.network.startswith("service:") and sight.network not in home
        if sight.last >= since and away and (sight.credential == credential or credential.startswith(STANDS)):
            yield sight


def _read(history: History, identity: Identity, since: int) -> tuple[bool, int]:
    """Whether the account's log was read from the exposure on, and up to when."""
    span = history.span_of(identity.provider, identity.account)
    if span is None or span.first > since or span.last <= since:
        return False, 0
    return True, span.last


def _used(credential: Credential, life: Optional[Life]) -> int:
    sights = life.sights if life else ()
    return max((s.last for s in sights if s.credential == credential.id and s.outcome == "success"), default=0)


def _validity(
    history: History, credential: Credential, life: Optional[Life], exposures: tuple[Change, ...]
) -> Validity:
    used = _used(credential, life)
    end = history.end_of(credential)
    if end is None or end.what == "reactivated":
        end = next((change for change in reversed(life.done) if change.what == "deleted"), None) if life else None
    if end is not None and used <= end.time:
        return Validity(end.what, end.time, f"{_ENDS[end.what]} at {render(end.time)} by {end.by}")
    since = exposures[0].time
    if used > since:
        return Validity(_held(exposures), 0, f"it worked at {render(used)}, after it was exposed")
    verified = next((e for e in reversed(exposures) if "verified" in e.traits.split(",")), None)
    if verified is not None:
        return Validity(_held(exposures), 0, f"{verified.by} says that it works ({render(verified.time)})")
    if any(e.what == "quarantined" for e in exposures):
        return Validity("quarantined", 0, "the provider's quarantine policy limits it, but it still works")
    if used or credential.last:
        return Validity("valid", 0, f"last used at {render(used or credential.last)}; nothing says that it was ended")
    return Validity("unknown", 0, "never seen in use in the logs that were read")


def _held(exposures: tuple[Change, ...]) -> str:
    return "quarantined" if any(e.what == "quarantined" for e in exposures) else "valid"


_ENDS = {
    "deactivated": "switched off",
    "deleted": "deleted",
    "resolved": "called revoked or harmless",
}
