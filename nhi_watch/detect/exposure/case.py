"""What the logs say about one exposed credential: whose it is, whether it still works, who has used it since, and how
soon it is tried: a lognormal distribution per place, fitted to published times.

With T the minutes from exposure to the first attempt,

    P(T ≤ t) = tried × Φ((ln t − μ) / σ)

where `tried` is the share of exposures in such a place that anybody ever tries, μ and σ are the mean and the standard
deviation of the logarithms of the published times (the maximum-likelihood fit of a lognormal), and Φ is the normal
distribution function. There are few published times, and the fastest get published: this errs on the early side.

What the logs show changes the answer. If they were read until second L after the exposure, would show an attempt
with probability c, and show none, then by Bayes' rule, for t ≥ L:

    P(tried by t) = (F(t) − c F(L)) / (1 − c F(L))

A credential that died at second d is tried in time only before: t is then d.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from math import erf, exp, log, sqrt
from typing import NamedTuple, Optional

from nhi_watch.core.errors import InputError
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect.history import History, IdentityHistory, Sight, short
from nhi_watch.state.inventory import STANDS, Change, Credential

# ---- how soon

MODEL = "exposure-timing-1"


class Observed(NamedTuple):
    """One published time from exposure to first use."""

    minutes: float
    places: tuple[str, ...]
    source: str


OBSERVED = (
    Observed(1.0, ("public_repo",), "Comparitech: GitHub honeypot, one minute to the first attack"),
    Observed(67 / 60, ("public_repo", "public_service"), "CyberDesserts, May 2026: 67 s from harvest to use"),
    Observed(80 / 60, ("public_repo",), "Xebia, April 2023: pushed 12:33:12, listed and described from 12:34:32 on"),
    Observed(127 / 60, ("public_repo",), "Cybenari, August 2024: 127 s on GitHub"),
    Observed(5.0, ("public_repo",), "Unit 42, EleKtra-Leak, 2023: within five minutes; the bound is taken as the time"),
    Observed(9.0, ("public_repo", "paste"), "Entro, 2025: the fastest of keys on GitHub, Pastebin and elsewhere"),
    Observed(17.0, ("public_repo", "paste"), "Entro, 2025: the mean of the same"),
    Observed(1.0, ("package",), "Cybenari, August 2024: 60 s on npm"),
    Observed(119 / 60, ("package",), "Cybenari, August 2024: 119 s on PyPI"),
)


class Place(NamedTuple):
    """A kind of place, and the distribution of the time to the first attempt there."""

    name: str
    tried: float
    """Share of exposures there that are ever tried: an assumption everywhere."""
    mu: float
    sigma: float
    basis: str
    """What the numbers stand on."""

    def by(self, minutes: float) -> float:
        """Probability of an attempt within so many minutes.

        >>> [round(PLACES["public_repo"].by(m), 2) for m in (0, 1, 5, 17, 60)]
        [0.0, 0.13, 0.65, 0.9, 0.95]
        """
        if minutes <= 0:
            return 0.0
        return self.tried * (1 + erf((log(minutes) - self.mu) / (self.sigma * sqrt(2)))) / 2

    @property
    def median(self) -> float:
        """Minutes until half of those that are ever tried are tried."""
        return exp(self.mu)


def fit(minutes: Sequence[float]) -> tuple[float, float]:
    """μ and σ of a lognormal, by maximum likelihood.

    >>> fit([1.0, 1.0]), round(fit([1.0, exp(2.0)])[0], 6), round(fit([1.0, exp(2.0)])[1], 6)
    ((0.0, 0.0), 1.0, 1.0)
    """
    logs = [log(m) for m in minutes]
    mu = sum(logs) / len(logs)
    return mu, sqrt(sum((x - mu) ** 2 for x in logs) / len(logs))


def _places() -> dict[str, Place]:
    times = {kind: [o.minutes for o in OBSERVED if kind in o.places] for o in OBSERVED for kind in o.places}
    fits = {kind: fit(minutes) for kind, minutes in times.items()}
    mu, sigma = fits["public_repo"]
    few, day = f"σ as in public repositories ({sigma:.2f})", 24 * 60
    return {
        place.name: place
        for place in (
            Place("public_repo", 0.95, mu, sigma, f"fitted to {len(times['public_repo'])} published times"),
            Place("package", 0.95, fits["package"][0], sigma, f"fitted to 2 published times; {few}"),
            Place("paste", 0.95, fits["paste"][0], sigma, f"fitted to 2 published times; {few}"),
            Place(
                "public_service",
                0.9,
                fits["public_service"][0] + log(4),
                sigma,
                f"67 s after harvest, and assumed four times as long until it is harvested; {few}",
            ),
            Place("private", 0.05, log(30 * day), 1.5, "assumed: one in 20 is ever tried, in 30 days at the median"),
            Place("unknown", 0.5, log(day), 2.0, "assumed: half are ever tried, in a day at the median"),
        )
    }


PLACES = _places()
DIGEST = sha256(json.dumps([[*p[:4]] for p in PLACES.values()]).encode()).hexdigest()

_ALIASES = {"public-repo": "public_repo", "github": "public_repo", "public": "public_repo", "package": "package",
            "npm": "package", "pypi": "package", "image": "package", "paste": "paste", "pastebin": "paste",
            "gist": "paste", "service": "public_service", "web": "public_service", "private-repo": "private",
            "private": "private", "chat": "private", "ticket": "private", "internal": "private",
            "unknown": "unknown"}  # fmt: skip
WORDS = ("public-repo", "package", "paste", "service", "private-repo", "chat", "ticket", "internal", "unknown")
"""Words for a place that people are offered; the others mean one of these."""
_HOSTS = (
    ("paste", re.compile(r"(?i)\b(?:pastebin\.com|gist\.github(?:usercontent)?\.com|paste\.[a-z]+|rentry\.co)")),
    ("package", re.compile(r"(?i)\b(?:npmjs\.(?:com|org)|pypi\.org|rubygems\.org|hub\.docker\.com|docker\.io)")),
)


_ADDRESS = re.compile(r"[./:]")


def place_of(text: str, public: bool = False) -> Place:
    """The kind of place that a text names: one of our words, an address, or the place that a feed names.

    `public`: the feed says that everybody can read it.

    >>> place_of("public-repo").name, place_of("https://pastebin.com/x").name, place_of("acme/shop:.env").name
    ('public_repo', 'paste', 'unknown')
    >>> place_of("acme/shop:.env", public=True).name
    'public_repo'
    """
    name = _ALIASES.get(text.strip().lower(), "")
    name = name or next((kind for kind, pattern in _HOSTS if pattern.search(text)), "")
    return PLACES[name or ("public_repo" if public else "unknown")]


def demand_place(text: str) -> str:
    """The text of `--where`, if it says anything; without the user and password that an address may hold.

    >>> demand_place("https://me:pw@git.example/a")
    'https://git.example/a'

    Raises:
        InputError: it is empty or far too long.
    """
    plain = text.strip().lower()
    if not plain or len(text) > 300 or not (plain in _ALIASES or _ADDRESS.search(plain)):
        raise InputError(
            f"--where {text[:40]!r}: say where it was found: an address (with a dot or a slash) or one "
            f"of: {', '.join(WORDS)}"
        )
    return re.sub(r"//[^/@\s]{1,300}@", "//", text.strip())


def tried_by(place: Place, minutes: float, seen: float = 0.0, coverage: float = 0.0) -> float:
    """Probability that somebody has tried it within `minutes`, given that logs read for `seen` minutes show nobody.

    `coverage` is the probability that the logs would show an attempt.

    >>> public = PLACES["public_repo"]
    >>> [round(tried_by(public, m, m, 0.99), 2) for m in (1, 60, 1440)]
    [0.0, 0.15, 0.16]
    """
    seen = min(seen, minutes)
    shown = coverage * place.by(seen)
    return (place.by(minutes) - shown) / (1 - shown)


# ---- one credential

PROVEN = 0.99
"""Probability that it was tried where its use from a new place was seen: that may still be its owner, moved."""
COVERAGE = {"aws": 0.99}
"""Probability that an account's log shows an attempt: CloudTrail records every signed call but data events."""
OTHER_COVERAGE = 0.9
HURRY = 60
"""Minutes that a person is given: the likelihood is that it is tried by then."""
FIRST_WEEK = 7
"""Days that stand for what is ordinary where the exposure is older than the log."""
ENDS = {"deactivated": "switched off", "deleted": "deleted", "resolved": "called revoked or harmless"}
"""What ends a credential, in words."""


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
        return self.state in ENDS


class ExposedCredential(NamedTuple):
    """One exposed credential."""

    credential: Credential
    identity: Identity
    identity_history: Optional[IdentityHistory]
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


def cases(history: History, now: int = 0) -> Iterator[ExposedCredential]:
    """All exposed credentials; `now` is the second at which one asks, else the latest in the logs."""
    credentials = history.credentials.values()
    exposed = {
        credential.id: credential
        for credential in credentials
        if any(change.what == "exposed" for change in credential.changes)
    }
    quarantines: dict[str, tuple[Change, ...]] = {}
    for name, changes in history.names.items():
        quarantine_changes = tuple(change for change in changes if change.what == "quarantined")
        for credential in _quarantined(history, name) if quarantine_changes else ():
            exposed.setdefault(credential.id, credential)
            quarantines[credential.id] = quarantine_changes
    for name in sorted(exposed):
        yield case(history, exposed[name], max(now, history.now), quarantines.get(name, ()))


def _quarantined(history: History, name: str) -> list[Credential]:
    """The credentials of a user whom the provider quarantined; one that stands for all where none is known."""
    account, _, user = name.partition("/")
    candidates = [
        identity_history
        for identity_history in history.identities.values()
        if identity_history.identity.account == account
        and short(identity_history.identity) == user
        and identity_history.identity.kind == "user"
    ]
    unknown = Identity(f"aws:{account}:user:{user}", user, "user", "aws", account, "")
    users = tuple(identity_history.identity for identity_history in candidates) or (unknown,)
    return [credential for identity_history in candidates for credential in identity_history.credentials] or [
        Credential(f"name:{name}", users, 0, 0, ())
    ]


def case(history: History, credential: Credential, now: int, quarantines: tuple[Change, ...] = ()) -> ExposedCredential:
    """The case of one credential that has an exposure or a quarantine among its changes."""
    exposure_changes = (change for change in credential.changes if change.what == "exposed")
    exposures = tuple(sorted([*exposure_changes, *quarantines]))
    since = exposures[0].time
    now = max(now, since)  # logs may end before somebody reports it
    identity_history = history.owner_of(credential)
    identity = identity_history.identity if identity_history else credential.identity
    assert identity is not None, "an exposure must name an identity, at least the credential's own"
    places = [place_of(e.about, e.what == "quarantined" or "public" in _traits(e)) for e in exposures]
    place = max(places, key=lambda each: (each.by(HURRY), each.name))  # the worst: where it is tried soonest
    validity = _validity(history, credential, identity_history, exposures)
    has_owner = bool(identity_history or identity.account)  # else any account's log would do, and show nothing
    span = history.span_of(identity.provider, identity.account) if has_owner else None
    is_read = span is not None and span.first <= since < span.last
    read_until = span.last if span is not None and is_read else 0
    strange = tuple(_strange(identity_history, credential.id, since, is_read)) if identity_history else ()
    end = validity.since if validity.dead else now
    elapsed, later = (end - since) / 60, (end - since) / 60 + (0 if validity.dead else HURRY)
    seen = max(0.0, (min(read_until, end) - since) / 60)
    coverage = COVERAGE.get(identity.provider, OTHER_COVERAGE) if is_read else 0.0
    probability, soon = (tried_by(place, minutes, seen, coverage) for minutes in (elapsed, later))
    if strange or any("used" in _traits(e) for e in exposures):  # or another product says that somebody else used it
        probability = soon = PROVEN
    return ExposedCredential(
        credential,
        identity,
        identity_history,
        exposures,
        place,
        now,
        validity,
        strange,
        place.by(elapsed),
        probability,
        soon,
        read_until,
        _used(credential, identity_history),
    )


def _traits(exposure: Change) -> list[str]:
    """What the feed says of it; AWS looks for keys in public places."""
    return exposure.traits.split(",")


def _strange(identity_history: IdentityHistory, credential: str, since: int, covered: bool) -> Iterator[Sight]:
    """`covered`: the log was read before the exposure as well, so who was not seen until then had no places at all."""
    start = min((sight.first for sight in identity_history.sights), default=0)
    start = min(start, identity_history.first) if identity_history.first else start
    until = max(since, start + FIRST_WEEK * DAY) if since < start and not covered else since
    usual_networks = {sight.network for sight in identity_history.sights if sight.first < until}
    usual_networks |= {
        value
        for value, seen in identity_history.profile.dimension("network").values.items()
        if seen.first < until // DAY
    }
    for sight in identity_history.sights:
        away = sight.network and not sight.network.startswith("service:") and sight.network not in usual_networks
        if sight.last >= since and away and (sight.credential == credential or credential.startswith(STANDS)):
            yield sight


def _used(credential: Credential, identity_history: Optional[IdentityHistory]) -> int:
    sights = identity_history.sights if identity_history else ()
    return max((s.last for s in sights if s.credential == credential.id and s.outcome == "success"), default=0)


def _validity(
    history: History, credential: Credential, identity_history: Optional[IdentityHistory], exposures: tuple[Change, ...]
) -> Validity:
    used = _used(credential, identity_history)
    end = history.end_of(credential)
    if end is None or end.what == "reactivated":
        end = (
            next((change for change in reversed(identity_history.done) if change.what == "deleted"), None)
            if identity_history
            else None
        )
    if end is not None and used <= end.time:
        return Validity(end.what, end.time, f"{ENDS[end.what]} at {render(end.time)} by {end.by}")
    since, is_limited = exposures[0].time, any(e.what == "quarantined" for e in exposures)
    state = "quarantined" if is_limited else "valid"
    if used > since:
        return Validity(state, 0, f"it worked at {render(used)}, after it was exposed")
    verified = next((e for e in reversed(exposures) if "verified" in _traits(e)), None)
    if verified is not None:
        return Validity(state, 0, f"{verified.by} says that it is valid ({render(verified.time)})")
    if is_limited:
        return Validity(state, 0, "the provider's quarantine policy limits it, but it still works")
    if used or credential.last:
        return Validity(state, 0, f"last used at {render(used or credential.last)}; nothing shows that it was disabled")
    return Validity("unknown", 0, "never seen in use in the logs that were read")
