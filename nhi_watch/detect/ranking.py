"""Priority and the budget: which episodes of a day become notables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nhi_watch.context.assets import Asset
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import Impact
from nhi_watch.detect import calibration
from nhi_watch.detect import impact as impacts
from nhi_watch.detect.features import EpisodeView, is_person, keys_of
from nhi_watch.detect.impact import reach_of
from nhi_watch.detect.model import score_of
from nhi_watch.detect.scoring import Episode
from nhi_watch.state.baseline import Delta
from nhi_watch.state.judged import Ranked

FLOOR = 2.0
"""Score below which nothing becomes a notable, however much of the budget is left."""


def remembered(episode: Episode, ranked: Ranked) -> tuple[Delta, Delta]:
    """What a day's score leaves in the profiles at once, and what after quarantine, see `calibration`."""
    if not ranked.eligible:
        return {}, {}
    return calibration.remembered(episode.bound, episode.view.past.own, episode.values, ranked.score)


class Order(NamedTuple):
    """The notables of a day."""

    chosen: tuple[Ranked, ...]
    overflow: int
    """Episodes over the floor for which the budget had no room: under its threshold, or beyond its cap."""
    overflow_highest: float
    """The highest score among them; 0 when there are none."""
    identities: int
    """Non-human identities seen in the day: the base of the budget."""


def allowance(budget: float, identities: int) -> int:
    """Notables allowed in a day: `budget` per 1,000 identities, at least one.

    >>> allowance(10, 40), allowance(10, 250), allowance(10, 5000)
    (1, 2, 50)
    """
    return max(1, round(budget * identities / 1000))


def order(day: Iterable[Ranked], budget: float, identities: int, threshold: float = FLOOR) -> Order:
    """Rank the episodes of a day and cut at the budget, of which `identities` non-human identities are the base.

    `threshold`: the score under which nothing is written, see `conformal`; what lies between it and the floor is
    counted as overflow.
    """
    over = [episode for episode in day if episode.eligible and episode.score >= FLOOR]
    over.sort(key=lambda e: (-e.priority, -e.points, e.identity_id))
    chosen = [episode for episode in over if episode.score >= threshold][: allowance(budget, identities)]
    kept = {episode.identity_id for episode in chosen}
    rest = [episode for episode in over if episode.identity_id not in kept]
    return Order(tuple(chosen), len(rest), max((e.score for e in rest), default=0.0), identities)


def rank(episode: Episode, asset: Asset) -> Ranked:
    """How an episode stands; what cannot become a notable is spared the search for its impact."""
    identity, points = episode.identity, episode.total
    probability = episode.bound.card.probability(points)
    score, weight = score_of(probability), probability
    if score >= FLOOR:
        weight = priority(probability, impact(asset, episode.view))
    eligible = is_eligible(episode.view, identity)
    return Ranked(identity.id, score, points, weight, eligible)


def is_eligible(episode: EpisodeView, identity: Identity) -> bool:
    """Whether an episode is that of a non-human identity that could be stolen.

    A person is none; a person's long-lived key is, whatever its owner does in a console.
    """
    if identity.kind in ("service", "anonymous"):
        return False
    return bool(episode.views) and (bool(keys_of(episode.views)) or not is_person_s(episode, identity))


def is_person_s(episode: EpisodeView, identity: Identity) -> bool:
    """Whether the identity of an episode is a person's."""
    return is_person(identity, episode.past, (view.shape for view in episode.views))


def impact(asset: Asset, episode: EpisodeView) -> Impact:
    """Business impact of an episode: what the customer's table says, and what the identity was seen to reach."""
    return impacts.impact(asset, reach_of(episode.past.own, (view.shape for view in episode.views)))


def priority(probability: float, impact: Impact) -> float:
    """Probability times the weights of the impact's factors, to 4 decimals."""
    product = probability
    for factor in impact.factors:
        product *= factor.weight
    return round(product, 4)
