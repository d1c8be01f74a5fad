"""Priority and the budget: how an episode stands, and which notables get a place in the list.

The budget is N notables a day per 1,000 identities with a history, saved over a rolling week. Nothing is thrown away:
what gets no place is below the line, stored and shown as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, sqrt
from typing import Any, NamedTuple, Optional

from nhi_watch.context.assets import Asset, Assets
from nhi_watch.core.notable import Impact, ImpactFactor, clip
from nhi_watch.detect import calibration, strangers
from nhi_watch.detect import impact as impacts
from nhi_watch.detect.features import is_person, known_days
from nhi_watch.detect.home import HISTORY
from nhi_watch.detect.impact import LET_IN, TOGETHER, reach_of
from nhi_watch.detect.model import bin_of, score_of
from nhi_watch.detect.scoring import CRITICAL, Episode, without_refused
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.state.baseline import QUIET, Delta, peer_scope
from nhi_watch.state.judged import Ranked

FLOOR = 2.0
"""Score below which nothing becomes a notable."""
PEOPLE = 20.0
"""Score from which what a known person does is worth a notable: in one world of each kind the ordinary days of people
stay below 13, a thief with a person's session reaches 28 to 55 with one kind of act (tests/test_console.py)."""
LOUDEST = 4
"""Signals that are named of what the second card says."""
LEAST_CHANCE = 1e-4
"""Nothing is less likely than this, nor surer, where the second card has a say."""
LEAST = 10.0
"""Score below which no notable gets a place in the budget, however much of it is left: nine of ten such are nothing."""
WEEK = 7
"""Days over which the allowance is saved; also the least that it is."""
GRAVEST = 10
"""Of a day's notables below the line, so many are written where only what was written can be looked at."""
DAILY_OVER = 5
"""Criticals beyond the allowance that are written on any day, whatever was written before."""


def remembered(episode: Episode, ranked: Ranked) -> tuple[Delta, Delta]:
    """What a day's score leaves in the profiles at once, and what after quarantine, see `calibration`.

    People's days tell what is usual of people; what machines' quiet weeks look like they do not tell.
    """
    if not is_watched(episode):
        return {}, {}
    plain = episode.bound.unjudged
    score = ranked.score if plain is episode.bound else plain.card.score(plain.total(episode.values))
    now, later = calibration.remembered(plain, known_days(episode.view), episode.values, score)
    if is_person(episode.identity):
        now.pop(QUIET, None)
    return now, later


def counts(one: Ranked) -> bool:
    """Whether somebody adds to the base of the budget, once there is a history: who is nobody's here does not."""
    return one.eligible and not strangers.is_stranger(one.origin)


def base(known: Iterable[int]) -> int:
    """The base of the budget: a day's non-human identities with a history; in a young tenant, those of its first day.

    `known`: active days before this one of each that `counts`. Who comes by the thousand in a day adds nothing to it.
    """
    days = list(known)
    least = min(HISTORY, max(days, default=0))
    return sum(known >= least for known in days) if least else 0


def allowance(budget: float, identities: int) -> int:
    """A day's share of the budget: `budget` per 1,000 identities, at least one.

    >>> allowance(10, 40), allowance(10, 250), allowance(10, 5000)
    (1, 2, 50)
    """
    return max(1, round(budget * identities / 1000))


def week_allowance(budget: float, identities: int) -> int:
    """Notables allowed in any seven days: `budget` a day per 1,000 identities, at least one a day.

    >>> week_allowance(10, 40), week_allowance(10, 300), week_allowance(10, 5000)
    (7, 21, 350)
    """
    return max(WEEK, round(WEEK * budget * identities / 1000))


def line(quiet: calibration.Quiet, budget: float) -> float:
    """The score from which an episode is worth a place: what the tenant's quiet weeks reach on few enough days.

    Never below LEAST: a quiet day stays empty instead of taking its best trifle.
    """
    return max(LEAST, quiet.threshold(round(budget * 1000), 1_000_000))


class Candidate(NamedTuple):
    """A notable that has no place yet."""

    id: str
    score: float
    priority: float
    reached: Callable[[float], int]
    """Score → the first hour in which it had it."""


class Week(NamedTuple):
    """The allowance of the rolling week that ends with a day, and what of it is taken already."""

    allowance: int
    taken: int
    over: int = 0
    """Places of criticals beyond it that are taken."""

    @property
    def room(self) -> int:
        """Places that are left."""
        return max(0, self.allowance - self.taken)

    @property
    def room_over(self) -> int:
        """Places left for criticals beyond the allowance: twice as many a week, and at least five a day."""
        return max(DAILY_OVER, 2 * self.allowance - self.over)


class Places(NamedTuple):
    """Who gets a place on a day."""

    regular: tuple[str, ...]
    over: tuple[str, ...]
    """Criticals beyond the allowance."""
    beyond: tuple[str, ...]
    """Criticals for which there is no place of their own: they are folded."""


def places(candidates: Iterable[Candidate], week: Week, least: float) -> Places:
    """Give out places in the order in which candidates came over the line: what was shown stays shown.

    Within an hour the higher priority goes first. Who scores CRITICAL is never left out.
    """
    wanted = [one for one in candidates if one.score >= min(least, CRITICAL)]
    fits = len(wanted) <= min(week.room, week.room_over) and all(one.score >= least for one in wanted)
    hours = {one.id: 0 if fits else one.reached(min(least, CRITICAL)) for one in wanted}
    regular: list[str] = []
    over: list[str] = []
    beyond: list[str] = []
    for one in sorted(wanted, key=lambda c: (hours[c.id], -c.priority, -c.score, c.id)):
        if one.score >= least and len(regular) < week.room:
            regular.append(one.id)
        elif one.score >= CRITICAL:
            (over if len(over) < week.room_over else beyond).append(one.id)
    return Places(tuple(regular), tuple(over), tuple(beyond))


def gravest(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a day's ranked notables the first below the line; trifles are none of them."""
    return [one for one in found if not one["listed"] and one["score"] >= LEAST][:GRAVEST]


def counted(notables: Sequence[Mapping[str, Any]], *trifles: Sequence[Ranked]) -> dict[str, Any]:
    """What run.json says of a run's notables: how many have a place, and what lies below the line, trifles too."""
    listed = [one for one in notables if one["listed"]]
    below = [one["score"] for one in notables if not one["listed"]]
    below += [one.score for each in trifles for one in each]
    return {
        "notables": len(listed),
        "over_budget": sum(one["over_budget"] for one in listed),
        "folded": sum(one["folded_into"] is not None for one in notables),
        "overflow": len(below),
        "overflow_highest": max(below, default=0.0),
    }


def rank(episode: Episode, known: Assets) -> Ranked:
    """How an episode stands; what cannot become a notable is spared the search for its impact."""
    identity, points = episode.identity, episode.total
    probability = episode.bound.card.probability(points)
    score, weight = score_of(probability), probability
    if score >= FLOOR:
        weight = priority(probability, impact(strangers.asset(known, episode), episode), together(episode))
    eligible = is_eligible(episode, score)
    days, origin = episode.view.past.own.days, strangers.origin(episode)
    if not origin and not days and not episode.members and score < CRITICAL:
        origin = strangers.NEWCOMERS + peer_scope(identity)
    return Ranked(identity.id, score, points, weight, eligible, days, origin)


def is_watched(episode: Episode) -> bool:
    """Whether an episode is that of an identity that can be stolen: no service of a provider's own, not nobody."""
    return bool(episode.view.views) and episode.identity.kind not in ("service", "anonymous")


def is_eligible(episode: Episode, score: float) -> bool:
    """Whether an episode may become a notable: any that is watched, what a person does without a key from PEOPLE on.

    People do new things every day: of those who are hardly known only what is critical is told.
    """
    if not is_watched(episode):
        return False
    if not is_person(episode.identity) or any(view.shape.credential for view in episode.view.views):
        return True
    return score >= (PEOPLE if episode.view.past.own.days >= HISTORY else CRITICAL)


def impact(asset: Asset, episode: Episode) -> Impact:
    """Business impact of an episode: what the customer's table says, and what the identity was seen to reach."""
    past, shapes = episode.view.past, (view.shape for view in episode.view.views)
    reach = reach_of(past.own, shapes, today=past.today)
    return impacts.impact(asset, reach._replace(let_in=_let_in(episode)))


def _let_in(episode: Episode) -> float:
    """How much of an episode's probability stays without what was refused."""
    rest = without_refused(episode)
    if rest is episode:
        return 1.0
    if rest is None:
        return 0.0
    chance = episode.bound.card.probability
    return round(min(1.0, chance(rest.total) / chance(episode.total)), 4)


def together(episode: Episode, silent: Optional[int] = None) -> Optional[float]:
    """Log-odds of the second card, see `model.order`; None: the model has none. `silent`: a signal that says nothing.

    Of what was let in alone: whatever is refused beside it, it is told from that; where all was refused never above 0.
    """
    order = episode.bound.card.order
    if order is None:
        return None
    rest = without_refused(episode)
    odds = order.log_odds([0 if at == silent else bin_of(value) for at, value in enumerate((rest or episode).values)])
    return odds if rest else min(odds, 0.0)


def told_together(episode: Episode, odds: Optional[float]) -> tuple[ImpactFactor, ...]:
    """What the second card says, see `together`, as a factor of the odds, with the signals that speak loudest."""
    order = episode.bound.card.order
    if order is None or odds is None:
        return ()
    bins = [bin_of(value) for value in (without_refused(episode) or episode).values]
    without = {at: odds - order.log_odds([*bins[:at], 0, *bins[at + 1 :]]) for at, each in enumerate(bins) if each}
    loudest = sorted(without, key=lambda at: (-abs(without[at]), at))[:LOUDEST]
    raised, lowered = ([SIGNALS[at].title.lower() for at in loudest if (without[at] > 0) is up] for up in (True, False))
    told = [f"{words} it {', '.join(names)}" for words, names in (("for", raised), ("against", lowered)) if names]
    like = "as in intrusions" if odds > 0 else "as in ordinary life"
    return (ImpactFactor(TOGETHER, clip("; ".join([like, *told]), 300), round(exp(odds), 4)),)


def priority(probability: float, impact: Impact, together: Optional[float] = None) -> float:
    """The probability, less what was refused of it; its odds multiplied by the impact's other factors; to 6 decimals.

    Of what is all but certain impact alone would decide, if it multiplied the probability itself. With the second
    card's log-odds it is the geometric mean of both odds.
    """
    chance, weight = probability, 1.0
    for factor in impact.factors:
        if factor.name == LET_IN:
            chance *= factor.weight
        else:
            weight *= factor.weight
    if together is None:
        return round(chance * weight / (1 - chance + chance * weight), 4)
    chance = min(max(chance, LEAST_CHANCE), 1 - LEAST_CHANCE)
    odds = sqrt(chance / (1 - chance) * weight * exp(together))
    return round(odds / (1 + odds), 6)
