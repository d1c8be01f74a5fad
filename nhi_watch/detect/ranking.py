"""Impact, expected loss and the budget: how an episode ranks, and how many may have a row in the list.

An episode gets a row if, in the seven days before it, fewer cases with a greater expected loss were seen than the
week's allowance: minor episodes displace none, severe ones always get in. Rows that verdicts free go to episodes of
medium severity and above; one that already waited comes after those of the day. An episode without a row is stored,
and marked as not listed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from nhi_watch.context import assets
from nhi_watch.context.assets import Asset, Assets
from nhi_watch.core.notable import BANDS, LINKED, Impact, ImpactFactor, clip, expected_risk
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import impact as impacts
from nhi_watch.detect.impact import blast_radius
from nhi_watch.detect.scoring import CRITICAL, Episode, without_refused
from nhi_watch.detect.signals import Baseline, View, is_person, known_days
from nhi_watch.detect.signals.absolute import severest_done
from nhi_watch.state.baseline import HISTORY, REFUSALS, Delta, peer_scope
from nhi_watch.state.state import Ranked

FLOOR = 1.0
"""Likelihood, in percent, below which nothing becomes a notable."""
LEAST = BANDS[-1][0]
"""Expected loss below which no notable gets a row, however much of the budget is left: at medium impact it is the
likelihood. `nhi evaluate` shows how many of those just above it are intrusions (decision 27)."""
PEOPLE = 17.0
"""Likelihood from which a known person's day becomes a notable: people do new things every day."""
SURE = 70.0
"""Likelihood from which a newcomer's day becomes a notable of its own."""
GIVEN_BACK = BANDS[2][0]
"""Expected loss (medium) from which an episode gets a row that a verdict has freed."""
WEEK = 7
"""Days over which the budget is counted; also the smallest weekly allowance."""
OVER = 3
"""Critical notables beyond the allowance are listed as well, up to this many times the allowance."""


def habits(episode: Episode) -> Delta:
    """What a day's signals leave in the profiles, see `habits`; people's days say what is usual for people."""
    if not is_watched(episode):
        return {}
    return episode.bound.habits(known_days(episode.view), episode.values, is_stranger(origin(episode)))


def counts(ranked: Ranked) -> bool:
    """Whether an identity adds to the base of the budget, once there is a history: strangers do not."""
    return ranked.eligible and not is_stranger(ranked.origin)


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


class Candidate(Protocol):
    """An episode that may get a row."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def risk(self) -> float:
        """Its expected loss."""

    @property
    def reached(self) -> int:
        """When it reached the row threshold."""


class _Window:
    """The greatest expected loss of each case within seven days, in order of time."""

    def __init__(self) -> None:
        self._published: deque[tuple[int, str, float]] = deque()
        self._of: dict[str, list[float]] = {}
        self._risks: list[float] = []

    def graver(self, case: str, head: Candidate) -> int:
        """How many other cases have a greater loss; of equal ones, those that came first."""
        while self._published and self._published[0][0] <= _week_before(head.reached):
            _, name, risk = self._published.popleft()
            self._change(name, lambda mine, risk=risk: mine.remove(risk))
        count = len(self._risks) - bisect_left(self._risks, head.risk)
        return count - any(risk >= head.risk for risk in self._of.get(case, ()))

    def add(self, case: str, head: Candidate) -> None:
        """Take in an episode."""
        self._published.append((head.reached, case, head.risk))
        self._change(case, lambda mine: mine.append(head.risk))

    def _change(self, case: str, change: Any) -> None:
        mine = self._of.setdefault(case, [])
        if mine:
            self._risks.remove(max(mine))
        change(mine)
        if mine:
            insort(self._risks, max(mine))


def _week_before(time: int) -> int:
    return time - WEEK * DAY


class ListedRows(NamedTuple):
    """Which episodes have a row."""

    regular: frozenset[str]
    over: frozenset[str]
    """Critical ones beyond the allowance."""
    beyond: frozenset[str]
    """Critical ones for which there is no row of their own: they are folded."""


def _graver(ordered: Iterable[tuple[str, Candidate]]) -> dict[str, int]:
    """Episode id → how many other cases had a greater loss in the seven days before it."""
    window, counts = _Window(), dict[str, int]()
    for case, head in ordered:
        counts[head.id] = window.graver(case, head)
        window.add(case, head)
    return counts


def give_rows(
    episodes: Iterable[tuple[str, Candidate]],
    allowance: int,
    kept: Collection[str] = (),
    with_verdict: Collection[str] = (),
    waited: Collection[str] = (),
    end: int = 0,
) -> ListedRows:
    """Give out rows.

    `episodes`: case id and episode; `kept`: ids of episodes that have a row; `with_verdict`: of those that a verdict
    covers; `waited`: of those for which an earlier run had no row; `end`: the data's end.

    A row that a verdict has freed goes to an episode of GIVEN_BACK or more: else an analyst who gives verdicts every
    morning is asked to read as many rows as ever, of which fewer and fewer are true. One that waited since an earlier
    day gets a row within a week, and only if nothing as strong of the last day is without one.
    """
    ordered = sorted(episodes, key=lambda pair: (pair[1].reached, -pair[1].risk, pair[1].id))
    open_rows = [(case, head) for case, head in ordered if head.id not in with_verdict]
    of_all, of_open = _graver(ordered), _graver(open_rows)
    regular, over, beyond, late = set(kept), set[str](), set[str](), list[Candidate]()
    for _, head in open_rows:
        graver, has_waited = of_open[head.id], head.id in waited and head.reached < end - DAY
        is_freed = graver < allowance and head.risk >= GIVEN_BACK
        has_earned = of_all[head.id] < allowance or is_freed
        if head.id in kept or (has_earned and not has_waited):
            regular.add(head.id)
        elif has_earned and head.reached >= end - WEEK * DAY:
            late.append(head)
        elif head.risk >= CRITICAL:
            (over if graver < OVER * allowance else beyond).add(head.id)
    given = regular | over | beyond
    without = (head.risk for _, head in open_rows if head.reached >= end - DAY and head.id not in given)
    strongest = max(without, default=0.0)
    regular.update(head.id for head in late if head.risk > strongest)
    return ListedRows(frozenset(regular), frozenset(over), frozenset(beyond))


class Week(NamedTuple):
    """How much of the budget is used."""

    places: int
    """The allowance of a week."""
    taken: int
    """Of these, those of the last seven days."""
    least: float
    """Expected loss that a further episode has to exceed for a row."""


def week(episodes: Iterable[tuple[str, Candidate]], allowance: int, end: int) -> Week:
    """How much of the budget the episodes of the last seven days use. `end`: the data's end."""
    risks: dict[str, float] = {}
    for case, head in episodes:
        if head.reached > _week_before(end):
            risks[case] = max(head.risk, risks.get(case, 0.0))
    ordered = sorted(risks.values(), reverse=True)
    is_full = len(ordered) >= allowance
    return Week(allowance, min(len(ordered), allowance), round(ordered[allowance - 1], 1) if is_full else LEAST)


def counted(listed: Sequence[Mapping[str, Any]], below: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What run.json says of the notables: how many are in the list, and what is not listed, by severity."""
    likelihoods = [notable["likelihood"] for notable in below if not notable["folded_into"]]
    return {
        "notables": len(listed),
        "new": sum(notable["life"] == "new" for notable in listed),
        "over_budget": sum(notable["over_budget"] for notable in listed),
        "folded": sum(notable["folded_into"] is not None for notable in below),
        "overflow": len(below),
        "overflow_highest": max(likelihoods, default=0.0),
        "below": dict(Counter(notable["severity"] for notable in below)),
    }


def rank(episode: Episode, known: Assets) -> Ranked:
    """How an episode ranks; no impact is computed for one that cannot become a notable."""
    identity, likelihood = episode.identity, episode.likelihood
    risk = likelihood
    if likelihood >= FLOOR:
        risk = expected_risk(likelihood, rate_impact(known, episode))
    days, place = episode.view.baseline.own.days, origin(episode)
    if not place and not days and not episode.members and likelihood < SURE:
        place = NEWCOMERS + peer_scope(identity)
    return Ranked(identity.id, likelihood, risk, is_eligible(episode, likelihood), days, place)


def is_watched(episode: Episode) -> bool:
    """Whether an episode is of an identity that can be stolen: not a provider's own service, not `anonymous`."""
    return bool(episode.view.views) and episode.identity.kind not in ("service", "anonymous")


def is_eligible(episode: Episode, likelihood: float) -> bool:
    """Whether an episode may become a notable: any that is watched; of a person without a key, from PEOPLE on.

    People do new things every day, so of people with little history only what reaches SURE counts.
    """
    if not is_watched(episode):
        return False
    days = episode.view.baseline.own.days
    if not is_person(episode.identity, days) or any(view.key.credential for view in episode.view.views):
        return True
    return likelihood >= (PEOPLE if days >= HISTORY else SURE)


def rate_impact(known: Assets, episode: Episode) -> Impact:
    """Business impact of an episode: what the customer's table says, and what the identity was seen to reach.

    Of linked identities it is that of the one whose misuse would be worst, from its own profile and its own calls: a
    thief who has them all can do that, and what several of them reach is not counted twice. What was refused counts for
    all together, as the likelihood does.
    """
    let_in, several = _let_in(episode), len(episode.parts) > 1
    return max((_impact_of(known, part, let_in, several) for part in episode.parts), key=impacts.weight)


def _impact_of(known: Assets, part: Episode, let_in: float, is_linked: bool) -> Impact:
    baseline = part.view.baseline
    reach = blast_radius(baseline.own, part.view.behaviours(), today=baseline.today)
    act, severity = severest_done(part.view)
    reach = reach._replace(act=act, severity=severity, let_in=let_in)
    impact = impacts.impact(asset(known, part), reach)
    if not is_linked:
        return impact
    worst = ImpactFactor(LINKED, clip(part.identity.name, 200), 1.0)
    return replace(impact, factors=(*impact.factors, worst))


def _let_in(episode: Episode) -> float:
    """How much of an episode's likelihood stays without what was refused, 0 to 1."""
    rest = without_refused(episode)
    if rest is episode:
        return 1.0
    if rest is None or not episode.likelihood:
        return 0.0
    return round(min(1.0, rest.likelihood / episode.likelihood), 4)


# ---- identities that do not belong to this tenant: those never allowed anything, and those of other accounts
# Refused calls cost nothing, so a client can use any number of new names of its choice. So all strangers of one origin
# are one notable; so are newcomers of which a peer group gets more than `day.ALIKE` in a day.


NEWCOMERS = "newcomers of "
"""How the origin of newcomers begins that are not strangers."""


def is_stranger(origin: str) -> bool:
    """Whether an origin is that of strangers."""
    return bool(origin) and not origin.startswith(NEWCOMERS)


def origin(episode: Episode) -> str:
    """What a stranger shares with all that are like it; "": it is one of the tenant's own.

    An identity with a history of allowed calls is not a stranger. Linked ones are only if all are, of one origin.
    """
    origins = {_origin(part) for part in episode.parts}
    return origins.pop() if len(origins) == 1 else ""


def _origin(episode: Episode) -> str:
    identity, views, own = episode.identity, episode.view.views, episode.view.baseline.own
    foreign = _is_foreign(episode)
    if not foreign and any(view.key.outcome not in REFUSALS for view in views):
        return ""
    if not views or ((own.days >= HISTORY or not foreign) and own.has_done("action")):
        return ""
    if foreign:
        return f"account {identity.account}"
    return f"never allowed in: {identity.provider} {identity.kind} of {identity.account or 'no account'}"


def is_outsider(episode: Episode) -> bool:
    """Whether a day is not the tenant's: of another account, even if it was allowed in, or without a credential.

    Anyone who finds a public bucket may come every day from anywhere: that teaches nothing about the tenant.
    """
    return episode.identity.kind == "anonymous" or _is_foreign(episode) or is_stranger(origin(episode))


def _is_foreign(episode: Episode) -> bool:
    identity = episode.identity
    return identity.provider == "aws" and all(_is_elsewhere(view, identity.account) for view in episode.view.views)


def _is_elsewhere(view: View, account: str) -> bool:
    """Whether a call was made in another account than the caller's own."""
    return bool(account) and view.key.account not in ("", account)


def asset(known: Assets, episode: Episode) -> Asset:
    """The customer's row for an episode's identity; by the last part of its name only if it is known for a week."""
    is_own = not is_stranger(origin(episode)) and _is_old(episode.view.baseline)
    return assets.find(known, episode.identity, is_own)


def _is_old(baseline: Baseline) -> bool:
    """Whether an identity was allowed something a week ago, or on the tenant's first day; other names may be chosen."""
    own, first = baseline.own, baseline.tenant.first
    return first < 0 or (own.has_done("action") and own.first <= max(first, baseline.today - HISTORY))
