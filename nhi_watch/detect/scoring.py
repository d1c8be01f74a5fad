"""From behaviours and a baseline to signal values, points and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from nhi_watch.context import frameworks
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import Behaviour, IdentityDay, Shape, shape_of
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.notable import severity_of
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import calibration, cannot_tell
from nhi_watch.detect.features import Elsewhere, EpisodeView, Past, View, is_person
from nhi_watch.detect.home import MACHINE, PERSON, Bound, Home, Points, total
from nhi_watch.detect.model import KINDS, Scorecard, score_of
from nhi_watch.detect.signals import NAMES, SIGNALS, Signal
from nhi_watch.detect.verdict_days import ALL, NOTHING, PEERS, Days, Scope, Word
from nhi_watch.state.baseline import QUARANTINE, REFUSALS, TENANT, Profile, Profiles, peer_scope

Row = tuple[Optional[float], ...]

_BEHAVIOUR = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "behaviour"]
_EPISODE = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "episode"]
_LINKED = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "linked"]
ZERO: Row = (0.0,) * len(SIGNALS)

REASON_POINTS = 0.5
"""Points from which a signal is named as a reason."""


Taught = Callable[[int], Mapping[str, Days]]
"""Day → scope → what verdicts say there on that day."""


def untaught(day: int) -> Mapping[str, Days]:
    """Nobody has said anything."""
    return {}


class Local(NamedTuple):
    """What a tenant's own state says besides its profiles."""

    taught: Taught = untaught
    trusted: Callable[[int], float] = lambda day: 1.0
    """Day → what a point counts in the probability, see `drift.trust`."""


NOTHING_LOCAL = Local()


class Baselines(Profiles):
    """The profiles of all scopes on the eve of a day, and what follows from them."""

    def __init__(self, card: Scorecard, networks: Networks = SHIPPED, local: Local = NOTHING_LOCAL) -> None:
        super().__init__()
        self.local = local
        self.trust = 1.0
        self._said: Mapping[str, Days] = {}
        self.networks = networks
        self.card = card.aligned(NAMES)
        self._cache: dict[tuple[str, str, str], float] = {}
        self._today = -1
        self._homes: dict[str, Home] = {}

    @classmethod
    def of(cls, card: Scorecard, known: Profiles) -> Baselines:
        """What follows from profiles that are known."""
        made = cls(card)
        made.own, made.groups = known.own, known.groups
        return made

    def past(self, identity: Identity, today: int) -> Past:
        """What is known of an identity on the eve of `today`."""
        own = self.own.get(identity.id) or Profile()
        tenant = self.groups.get(TENANT) or Profile()
        self.homes(today)
        return Past(today, own, self._elsewhere(peer_scope(identity), tenant, today), tenant, self.card.elsewhere,
                    self.networks)  # fmt: skip

    def homes(self, today: int) -> Mapping[str, Home]:
        """What signals are worth in this tenant on the eve of `today`, by kind."""
        if today != self._today:
            self._cache.clear()
            self._today = today
            tenant = self.groups.get(TENANT) or Profile()
            self._homes = {kind: Home(self.card, tenant, today, kind) for kind in KINDS}
            self._said = self.local.taught(today)
            self.trust = self.local.trusted(today)
        return self._homes

    def bound(self, past: Past, identity: Identity, person: bool = False) -> Bound:
        """The scorecard for an identity and its past."""
        home = self.homes(past.today)[PERSON if person else MACHINE]
        return Bound(home, past.own, self._word(identity, home) if self._said else None)

    def _word(self, identity: Identity, home: Home) -> Word:
        scope, said = peer_scope(identity), self._said
        peers = self.groups.get(scope) or Profile()
        others = Scope(PEERS, peers.days + home.strength, said.get(scope, NOTHING)), Scope(
            ALL, home.total + home.strength, said.get(TENANT, NOTHING)
        )
        return Word(said.get(identity.id, NOTHING), others)

    def _elsewhere(self, scope: str, tenant: Profile, today: int) -> Elsewhere:
        peers = self.groups.get(scope) or Profile()
        cache = self._cache
        world = self.card.elsewhere

        def elsewhere(dimension: str, value: str) -> float:
            key = (scope, dimension, value)
            share = cache.get(key)
            if share is None:
                share = tenant.share(dimension, value, world(dimension, value), today)
                share = cache[key] = peers.share(dimension, value, share, today)
            return share

        return elsewhere


def behaviour_row(view: View) -> Row:
    """Signal values of one shape by itself; episode signals are 0."""
    if view.quiet and not view.past.blank:
        return ZERO
    row = list(ZERO)
    for index, value in _BEHAVIOUR:
        told = value(view)
        row[index] = round(told, 2) if told else told
    return tuple(row)


class Link(NamedTuple):
    """Two identities that a handle joins."""

    source: str
    """Identity id; of a credential: who handed it out."""
    target: str
    kind: str
    """credential, or the kind of the name: app, sp, oidc, arn, name, token, host, named"""
    value: str
    records: tuple[str, str]
    """A record of each side that holds it."""


class Episode(NamedTuple):
    """One identity's day, or that of several linked ones, with its signal values."""

    identity: Identity
    view: EpisodeView
    values: Row
    points: Points
    """Of each signal, see `home`."""
    bound: Bound
    """What weighed them; of several identities, that of the one that leads."""
    held: frozenset[Shape]
    """Shapes that look bad enough to be kept in quarantine."""
    members: tuple[Episode, ...] = ()
    """The episodes of linked identities that this one joins, by first news; none: it is one identity's."""
    links: tuple[Link, ...] = ()
    """What joins the members."""

    @property
    def parts(self) -> tuple[Episode, ...]:
        """The episodes of single identities that it is made of."""
        return self.members or (self,)

    @property
    def total(self) -> float:
        """The sum of the points."""
        return total(self.points)

    @property
    def score(self) -> float:
        """0–100."""
        return self.bound.card.score(self.total)



def views_of(day: Iterable[Behaviour], past: Past) -> list[View]:
    """One View per shape, in a stable order, each with its behaviours."""
    views: dict[Shape, View] = {}
    known: dict[int, View] = {}  # by id: most behaviours share their shape's object, and hashing one takes long
    for behaviour in day:
        view = known.get(id(behaviour.shape))
        if view is None:
            view = views.get(behaviour.shape)
            if view is None:
                view = views[behaviour.shape] = View(behaviour.shape, past)
            known[id(behaviour.shape)] = view
        view.behaviours.append(behaviour)
    for view in views.values():
        view.values = behaviour_row(view)
    return list(views.values())


def episode_values(episode: EpisodeView) -> Row:
    """Signal values of an episode: the largest of its views, and its own."""
    row = largest([view.values for view in episode.views if view.values is not ZERO])
    if all(view.quiet for view in episode.views) and not episode.past.blank:
        return _with_episode(row, episode, quiet=True)
    return _with_episode(row, episode, quiet=False)


_EPISODE_QUIET = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "episode" and s.on_ordinary_days]


def _with_episode(row: list[Optional[float]], episode: EpisodeView, quiet: bool) -> Row:
    for index, value in _EPISODE_QUIET if quiet else _EPISODE:
        told = value(episode)
        row[index] = told if told is None else round(told, 2)
    return tuple(row)


def values_together(parts: Sequence[tuple[Row, EpisodeView]]) -> Row:
    """Signal values of linked identities' episodes as one: the largest, and what only all of them together tell."""
    if len(parts) == 1:
        return parts[0][0]
    row = largest([values for values, _ in parts])
    whole = EpisodeView([view for _, part in parts for view in part.views], parts[0][1].past)
    for index, value in _LINKED:
        told = value(whole)
        row[index] = told if told is None else round(told, 2)
    return tuple(row)


def largest(rows: list[Row]) -> list[Optional[float]]:
    """The largest value of each signal; None where no row can tell, zeros without rows."""
    found: list[Optional[float]] = list(ZERO)
    if not rows:
        return found
    for index, column in enumerate(zip(*rows)):
        told = [value for value in column if value is not None]
        found[index] = max(told) if told else None
    return found


class BehaviourScore(NamedTuple):
    """What one behaviour is worth by itself."""

    score: float
    """0–100."""
    severity: str
    probability: float
    reasons: tuple[str, ...]
    """Sentences, the heaviest first."""
    owasp_nhi: tuple[str, ...]
    nist_csf: tuple[str, ...]
    mitre_attack: tuple[str, ...]


def weighed(values: Row, points: Points) -> list[tuple[float, Signal, Optional[float]]]:
    """(points, signal, value), the heaviest first."""
    return sorted(zip(points, SIGNALS, values), key=lambda row: (-row[0], row[1].name))


def points_together(parts: Sequence[Episode], values: Row) -> Points:
    """The points of joined episodes: of each signal the most that one has, and those of what only all of them tell."""
    if len(parts) == 1:
        return parts[0].points
    most = [max(column) for column in zip(*(part.points for part in parts))]
    for index, _ in _LINKED:
        value = values[index]
        most[index] = parts[0].bound.worth(index, value) if value else 0.0
    return tuple(most)


def framework_ids(signals: Iterable[Signal]) -> dict[str, list[str]]:
    """The product's fixed ids, and the precise ones of some signals, by framework."""
    ids = list(frameworks.ALWAYS) + sorted({i for signal in signals for i in signal.frameworks})
    grouped = frameworks.grouped(ids)
    return {name: list(grouped.get(name, ())) for name in ("owasp_nhi", "nist_csf", "mitre_attack")}


class EventScorer:
    """Scores single events, as a streaming command does: each as a behaviour of its own."""

    def __init__(self, baselines: Baselines) -> None:
        self._baselines = baselines
        self._ordinary = self._told(0.0, [])

    def score(self, event: Event) -> BehaviourScore:
        """The score of the behaviour that the event belongs to."""
        return self.score_shape(shape_of(event), event.time // DAY)

    def score_shape(self, shape: Shape, day: int) -> BehaviourScore:
        """The score of a shape on a day."""
        past = self._baselines.past(shape.identity, day)
        view = View(shape, past)
        values = behaviour_row(view)
        if values is ZERO:
            return self._ordinary
        points = self._baselines.bound(past, shape.identity, is_person(shape.identity)).points(values)
        heavy = [signal for worth, signal, value in weighed(values, points) if worth >= REASON_POINTS]
        told = self._told(total(points), heavy)
        return told._replace(reasons=tuple(signal.evidence(view) for signal in heavy[:5])) if heavy else told

    def _told(self, points: float, heavy: Sequence[Signal]) -> BehaviourScore:
        """The score of a sum of points, without its reasons."""
        probability = self._baselines.card.probability(points)
        ids = framework_ids(heavy)
        score = score_of(probability)
        return BehaviourScore(
            score, severity_of(score), probability, (),
            tuple(ids["owasp_nhi"]), tuple(ids["nist_csf"]), tuple(ids["mitre_attack"]),
        )  # fmt: skip


HELD_SCORE = 20.0
"""What alone scores so high is learnt only after quarantine: at the calibrated prevalence a day in a hundred does."""
HELD_EPISODE = 20.0
"""Of an episode that scores so high, all that is news waits, lest a raid that is repeated daily becomes ordinary."""
HELD_AGAIN = 4.0
"""Of whoever scored so high within the last QUARANTINE days, all that is news on another such day waits as well, lest
what is tried piece by piece is learnt piece by piece. A change that is odd once is learnt at once."""
NEWS_POINTS = 0.5
"""Points from which a behaviour is news."""


def score_day(baselines: Baselines, day: IdentityDay, today: Optional[int] = None) -> Episode:
    """The episode of one identity's day, against the eve of `today`: of its own day, unless it came too late."""
    identity = day.identity
    past = baselines.past(identity, day.day if today is None else today)
    views = views_of(day.ordered(), past)
    bound = baselines.bound(past, identity, is_person(identity))
    for view in views:
        view.points = 0.0 if view.values is ZERO else bound.total(view.values)
    episode = EpisodeView(views, past)
    values = _values(episode)
    points = bound.points(values)
    return Episode(identity, episode, values, points, bound, _held(bound, episode, values, total(points)))


def _values(episode: EpisodeView) -> Row:
    values, missing = episode_values(episode), cannot_tell.fields(episode.views, episode.past.own)
    return cannot_tell.untold(values, missing) if missing else values


def without_refused(episode: Episode) -> Optional[Episode]:
    """The episode of what succeeded in it alone: itself where nothing was refused, None where all was."""
    if all(_is_let_in(view) for part in episode.parts for view in part.view.views):
        return episode
    told = [(part, [*filter(_is_let_in, part.view.views)]) for part in episode.parts]
    parts = [_of(part, part.view._replace(views=views)) for part, views in told if views]
    if not parts:
        return None
    values = values_together([(part.values, part.view) for part in parts])
    return episode._replace(values=values, points=points_together(parts, values), members=())


def _is_let_in(view: View) -> bool:
    return view.shape.outcome not in REFUSALS


def _of(part: Episode, view: EpisodeView) -> Episode:
    values = _values(view)
    return part._replace(view=view, values=values, points=part.bound.points(values))


CRITICAL = 80.0
"""Score that is never left out."""


def _held(judged: Bound, episode: EpisodeView, values: Row, told: float) -> frozenset[Shape]:
    """The shapes that look bad, whatever people say: by themselves, or as the news of an episode that does."""
    bound = judged.unjudged
    past, score = episode.past, bound.card.score(told if bound is judged else bound.total(values))
    worth = {view.shape: view.points if bound is judged else bound.total(view.values) for view in episode.views}
    bad_day = score >= HELD_EPISODE or (
        score >= HELD_AGAIN and calibration.highest(past.own, past.today - QUARANTINE) >= HELD_AGAIN
    )
    return frozenset(
        shape
        for shape, points in worth.items()
        if points and (bound.card.score(points) >= HELD_SCORE or (bad_day and points >= NEWS_POINTS))
    )
