"""What other products and linked identities tell of the same day."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import (
    behaviour_signal,
    behaviours_of,
    episode_signal,
    linked_signal,
    listing,
    rarity,
)

SEVERITY = {"alert": 1.0, "alert_low": 1.0, "alert_medium": 2.0, "alert_high": 3.0, "alert_critical": 4.0}
"""As the other product has it."""


def _alerted_evidence(view: View) -> str:
    kind = view.shape.action.partition(":")[2] or view.shape.action
    return f"another product raised {kind}, {rarity(view.action)} for this identity"


@behaviour_signal(
    "Alert from another product",
    ("DE.AE-03", "DE.AE-07"),
    control="rotate_secret",
    headline=33,
    evidence=_alerted_evidence,
)
def alerted(view: View) -> float:
    """Another product raised an alert about this identity, of a type that is not usual for it.

    Severity, where the kind of alert is not ordinary for the identity; else 0.
    """
    return max((SEVERITY.get(trait, 0.0) for trait in view.shape.traits), default=0.0) if view.action else 0.0


def _alerts(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if "alert" in view.shape.traits and view.action]


def _alerts_together_evidence(episode: EpisodeView) -> str:
    kinds = [view.shape.action.partition(":")[2] for view in _alerts(episode)]
    return f"{len(set(kinds))} types of alerts from other products in one day: {listing(kinds, 3)}"


@episode_signal(
    "Several types of alerts",
    ("DE.AE-03",),
    control="rotate_secret",
    headline=31,
    evidence=_alerts_together_evidence,
    backing=lambda episode: behaviours_of(_alerts(episode)),
)
def alerts_together(episode: EpisodeView) -> float:
    """Several kinds of alerts of other products name this identity on one day.

    log2 of the number of kinds of alerts that are not ordinary; 0 for a single one.
    """
    return log2(max(1, len({view.shape.action for view in _alerts(episode)})))


def _across_products_news(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet and "alert" not in view.shape.traits]


def _across_products_evidence(episode: EpisodeView) -> str:
    providers = [view.shape.identity.provider for view in _across_products_news(episode)]
    return f"linked identities were unusual in {listing(providers)}"


@linked_signal(
    "Linked identities unusual in several products",
    ("DE.AE-03", "T1199"),
    control="rotate_secret",
    evidence=_across_products_evidence,
    backing=lambda episode: behaviours_of(_across_products_news(episode)),
)
def across_products(episode: EpisodeView) -> float:
    """One intrusion leaves traces in several products on one day.

    Number of providers in which linked identities were unusual, beyond the first.
    """
    return float(max(0, len({view.shape.identity.provider for view in _across_products_news(episode)}) - 1))


def _actor(name: str) -> str:
    """The bare name: an app and its principal, a person and a token of that person are one actor in two logs."""
    return name.rpartition("/")[2].removesuffix(" (token)").lower()


def _passed_on_news(episode: EpisodeView) -> dict[str, list[View]]:
    """Actor → what is news of it; alerts are others' words, no doing of it."""
    found: dict[str, list[View]] = {}
    for view in episode.views:
        if not view.quiet and "alert" not in view.shape.traits:
            found.setdefault(_actor(view.shape.identity.name), []).append(view)
    return found


def _passed_on_evidence(episode: EpisodeView) -> str:
    names = [views[0].shape.identity.name for views in _passed_on_news(episode).values()]
    return f"{len(names)} linked identities were unusual on one day: {listing(names, 3)}"


@linked_signal(
    "Linked identities unusual on the same day",
    ("T1550.001", "T1552"),
    control="rotate_secret",
    evidence=_passed_on_evidence,
    backing=lambda episode: behaviours_of([view for views in _passed_on_news(episode).values() for view in views]),
)
def passed_on(episode: EpisodeView) -> float:
    """Identities linked by what one issued, or what was taken from it, are unusual on the same day.

    Number of linked actors that were unusual, beyond the first.
    """
    return float(max(0, len(_passed_on_news(episode)) - 1))


HOST = "host_user"


def _sides(episode: EpisodeView) -> tuple[list[View], list[View]]:
    news = [view for view in episode.views if not view.quiet and "alert" not in view.shape.traits]
    host = [view for view in news if view.shape.identity.kind == HOST]
    return host, [view for view in news if view.shape.identity.kind != HOST]


def _host_to_elsewhere_evidence(episode: EpisodeView) -> str:
    host, elsewhere = _sides(episode)
    used = listing([view.shape.identity.name for view in elsewhere], 2)
    return f"{host[0].shape.action} on a host, then unusual use of {used}"


def _host_to_elsewhere_backing(episode: EpisodeView) -> list[Behaviour]:
    """What happened on the host, and elsewhere."""
    host, elsewhere = _sides(episode)
    return behaviours_of([*host, *elsewhere])


@linked_signal(
    "Credential read on a host, then used elsewhere",
    ("T1552.001", "T1078.004"),
    control="rotate_secret",
    headline=4,
    evidence=_host_to_elsewhere_evidence,
    backing=_host_to_elsewhere_backing,
)
def host_to_elsewhere(episode: EpisodeView) -> float:
    """Credentials are touched on a host, and soon somebody works from its address or with them elsewhere.

    1, plus the bits of what is newest on the host; 0 where either side was ordinary.
    """
    host, elsewhere = _sides(episode)
    return 1.0 + max(max(view.action, view.agent) for view in host) if host and elsewhere else 0.0
