"""What other products and linked identities show of the same day."""

from __future__ import annotations

from math import log2

from nhi_watch.detect.signals._kit import EpisodeView, View, behaviours_of, heaviest, listing, rarity, signal

SEVERITY = {"alert": 1.0, "alert_low": 1.0, "alert_medium": 2.0, "alert_high": 3.0, "alert_critical": 4.0}
"""As the other product has it."""


def _kind(view: View) -> str:
    return view.key.action.partition(":")[2]


@signal(
    "behaviour",
    "Alert from another product",
    ("DE.AE-03", "DE.AE-07"),
    "rotate_secret",
    headline=33,
    evidence=lambda view: (
        f"another product raised {_kind(view) or view.key.action}, "
        f"{rarity(view, view.action, 'action', view.key.action)}"
    ),
)
def alerted(view: View) -> float:
    """Another product raised an alert about this identity, of a type that is not usual for it.

    Severity, where the kind of alert is not ordinary for the identity; else 0.
    """
    return heaviest(view, SEVERITY) if view.action else 0.0


def _alerts(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if "alert" in view.key.traits and view.action]


def _alerts_together(episode: EpisodeView) -> str:
    kinds = [_kind(view) for view in _alerts(episode)]
    return f"{len(set(kinds))} types of alerts from other products in one day: {listing(kinds, 3)}"


@signal(
    "episode",
    "Several types of alerts",
    ("DE.AE-03",),
    "rotate_secret",
    headline=31,
    evidence=_alerts_together,
    backing=lambda episode: behaviours_of(_alerts(episode)),
)
def alerts_together(episode: EpisodeView) -> float:
    """Several kinds of alerts of other products name this identity on one day.

    log2 of the number of kinds of alerts that are not ordinary; 0 for a single one.
    """
    return log2(max(1, len({view.key.action for view in _alerts(episode)})))


def _novel_views(episode: EpisodeView) -> list[View]:
    """What is news of any of them; alerts are others' words, no doing of theirs."""
    return [view for view in episode.views if not view.quiet and "alert" not in view.key.traits]


def _providers(episode: EpisodeView) -> list[str]:
    return [view.key.identity.provider for view in _novel_views(episode)]


@signal(
    "linked",
    "Linked identities unusual in several products",
    ("DE.AE-03", "T1199"),
    "rotate_secret",
    evidence=lambda episode: f"linked identities were unusual in {listing(_providers(episode))}",
    backing=lambda episode: behaviours_of(_novel_views(episode)),
)
def across_products(episode: EpisodeView) -> float:
    """One intrusion leaves traces in several products on one day.

    Number of providers in which linked identities were unusual, beyond the first.
    """
    return float(max(0, len(set(_providers(episode))) - 1))


def _actors(episode: EpisodeView) -> dict[str, list[View]]:
    """Bare name → what is news: an app and its principal, a person and a token of that person are one actor in two
    logs."""
    actors: dict[str, list[View]] = {}
    for view in _novel_views(episode):
        name = view.key.identity.name.rpartition("/")[2].removesuffix(" (token)").lower()
        actors.setdefault(name, []).append(view)
    return actors


def _passed_on(episode: EpisodeView) -> str:
    names = [views[0].key.identity.name for views in _actors(episode).values()]
    return f"{len(names)} linked identities were unusual on one day: {listing(names, 3)}"


@signal(
    "linked",
    "Linked identities unusual on the same day",
    ("T1550.001", "T1552"),
    "rotate_secret",
    evidence=_passed_on,
    backing=lambda episode: behaviours_of([view for views in _actors(episode).values() for view in views]),
)
def passed_on(episode: EpisodeView) -> float:
    """Identities linked by what one issued, or what was taken from it, are unusual on the same day.

    Number of linked actors that were unusual, beyond the first.
    """
    return float(max(0, len(_actors(episode)) - 1))


HOST = "host_user"


def _sides(episode: EpisodeView) -> tuple[list[View], list[View]]:
    """What is news on a host, and elsewhere."""
    novel = _novel_views(episode)
    host = [view for view in novel if view.key.identity.kind == HOST]
    return host, [view for view in novel if view.key.identity.kind != HOST]


def _host_to_elsewhere(episode: EpisodeView) -> str:
    host, elsewhere = _sides(episode)
    used = listing([view.key.identity.name for view in elsewhere], 2)
    return f"{host[0].key.action} on a host, then unusual use of {used}"


@signal(
    "linked",
    "Credential read on a host, then used elsewhere",
    ("T1552.001", "T1078.004"),
    "rotate_secret",
    headline=4,
    evidence=_host_to_elsewhere,
    backing=lambda episode: behaviours_of([view for side in _sides(episode) for view in side]),
)
def host_to_elsewhere(episode: EpisodeView) -> float:
    """Credentials are touched on a host, and soon somebody works from its address or with them elsewhere.

    1, plus the bits of what is newest on the host; 0 where either side was ordinary.
    """
    host, elsewhere = _sides(episode)
    return 1.0 + max(max(view.action, view.agent) for view in host) if host and elsewhere else 0.0
