"""How soon an exposed credential is tried: a lognormal distribution per place, fitted to published times.

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
from collections.abc import Sequence
from hashlib import sha256
from math import erf, exp, log, sqrt
from typing import NamedTuple

from nhi_watch.core.errors import InputError

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


def _times(place: str) -> list[float]:
    return [o.minutes for o in OBSERVED if place in o.places]


def _places() -> dict[str, Place]:
    mu, sigma = fit(_times("public_repo"))
    few = f"σ as in public repositories ({sigma:.2f})"
    day = 24 * 60
    return {
        place.name: place
        for place in (
            Place("public_repo", 0.95, mu, sigma, f"fitted to {len(_times('public_repo'))} published times"),
            Place("package", 0.95, fit(_times("package"))[0], sigma, f"fitted to 2 published times; {few}"),
            Place("paste", 0.95, fit(_times("paste"))[0], sigma, f"fitted to 2 published times; {few}"),
            Place("public_service", 0.9, fit(_times("public_service"))[0] + log(4), sigma,
                  f"67 s after harvest, and assumed four times as long until it is harvested; {few}"),
            Place("private", 0.05, log(30 * day), 1.5, "assumed: one in 20 is ever tried, in 30 days at the median"),
            Place("unknown", 0.5, log(day), 2.0, "assumed: half are ever tried, in a day at the median"),
        )
    }  # fmt: skip


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
)  # fmt: skip


_ADDRESS = re.compile(r"[./:]")


def place_of(text: str, public: bool = False) -> Place:
    """The kind of place that a text names: one of our words, an address, or the place that a feed tells.

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
        raise InputError(f"--where {text[:40]!r}: say where it lay, by an address (with a dot or a slash) or one of: "
                         f"{', '.join(WORDS)}")  # fmt: skip
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
