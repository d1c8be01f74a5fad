"""What several signals share."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import NOVEL, EpisodeView, View

KNOWN_DAYS = 3
"""Active days from which an identity's targets are known."""


def in_class(view: View, name: str) -> float:
    """How new the call is for the identity, if it belongs to a sensitivity class; else 0."""
    return view.action if name in view.facts.classes else 0.0


def on_mark(view: View, traits: frozenset[str]) -> float:
    """How new the call is for the identity, if it has one of some traits; else 0."""
    return view.action if traits.intersection(view.shape.traits) else 0.0


def marked(view: View, weights: Mapping[str, float]) -> float:
    """Weight of the heaviest trait, plus the bits by which the call is new; 0 without such a trait."""
    heaviest = max((weights.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return heaviest + view.action if heaviest else 0.0


def marks(view: View, weights: Mapping[str, float]) -> str:
    """The traits that have a weight, in words."""
    return ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in weights)


def place_news(view: View) -> float:
    """Bits by which the place is new for the identity: the operator of the network, or half of the network's own."""
    return max(view.owner, view.network / 2)


def unknown(view: View, dimension: str, value: str) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    if view.past.blank:
        return None
    return view.past.tenant_bits(dimension, value) if getattr(view, dimension) >= NOVEL else 0.0


def in_the_tenant(view: View, dimension: str, value: str) -> str:
    """How rare a value is in the tenant, in words."""
    return f"{value} is {rarity(view.past.tenant_bits(dimension, value))} in the whole tenant"


def first_used(episode: EpisodeView, name: str) -> list[tuple[str, Behaviour]]:
    """What calls of a sensitivity class aim at that the identity never touched, with the behaviour that does."""
    known = episode.past.own.dimension("target").values
    views = [view for view in episode.views if name in view.facts.classes]
    return [(target, b) for view in views for b in view.behaviours for target in b.targets if target not in known]


def first_used_value(episode: EpisodeView, name: str) -> float | None:
    """log2(1 + number of targets never touched before); None without history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    return log2(1 + len({target for target, _ in first_used(episode, name)}))


def first_used_sentence(episode: EpisodeView, name: str, what: str) -> str:
    """How many and which."""
    targets = [target for target, _ in first_used(episode, name)]
    return f"{what} for the first time ({len(set(targets))}): {listing(targets, 2)}"


def call_sentence(view: View, what: str) -> str:
    """Says which call it was and how new it is."""
    tried = {"success": "", "denied": f" (refused: {view.shape.error})"}
    end = tried.get(view.shape.outcome, f" (failed: {view.shape.error})")
    return f"{view.shape.action}{end} {what}; {rarity(view.action)} for this identity"


def rarity(bits: float) -> str:
    """A surprisal in words.

    >>> rarity(0.0), rarity(4.0), rarity(10.0), rarity(30.0)
    ('ordinary', 'expected on 1 day in 16', 'expected on 1 day in 1,000', 'practically never expected')
    """
    if not bits:
        return "ordinary"
    if bits >= 12:  # a larger number would claim a precision that no history has
        return "practically never expected"
    days = 2.0**bits
    return f"expected on 1 day in {round(days):,}" if days < 100 else f"expected on 1 day in {_round(days):,}"


def _round(number: float) -> int:
    digits = len(str(int(number))) - 1
    return int(round(number, -digits))


def novel_views(episode: EpisodeView) -> list[View]:
    """Views of calls that are new for the identity."""
    return [view for view in episode.views if view.novel]


def behaviours_of(views: list[View]) -> list[Behaviour]:
    """The behaviours of some views."""
    return [b for view in views for b in view.behaviours]


def listing(values: list[str], most: int = 4) -> str:
    """Some values in words.

    >>> listing(["b", "a", "a"]), listing(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    distinct = sorted(set(values))
    more = len(distinct) - most
    return ", ".join(distinct[:most]) + (f" and {more} more" if more > 0 else "")


def above(views: list[View], name: str) -> list[View]:
    """The views in which one dimension (an attribute of View) is new."""
    return [view for view in views if getattr(view, name) >= NOVEL]
