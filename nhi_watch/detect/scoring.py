"""From behaviours and a baseline to signal values, points and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from nhi_watch.context import frameworks
from nhi_watch.core.behaviour import Behaviour, IdentityDay, Shape, shape_of
from nhi_watch.core.errors import ModelError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.notable import severity_of
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import calibration, cannot_tell
from nhi_watch.detect.features import Elsewhere, EpisodeView, Past, View
from nhi_watch.detect.model import Scorecard, score_of
from nhi_watch.detect.signals import NAMES, SIGNALS, Signal
from nhi_watch.state.baseline import QUARANTINE, TENANT, Profile, Profiles, peer_scope

Row = tuple[Optional[float], ...]

_BEHAVIOUR = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "behaviour"]
_EPISODE = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "episode"]
_LINKED = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "linked"]
ZERO: Row = (0.0,) * len(SIGNALS)

REASON_POINTS = 0.25
"""Points from which a signal is named as a reason, in log-odds."""


class Baselines(Profiles):
    """The profiles of all scopes on the eve of a day, and what follows from them.

    Raises:
        ModelError: the model was made for other signals than this version has.
    """

    def __init__(self, model: Scorecard) -> None:
        if model.signals != NAMES:
            unlike = sorted(set(model.signals) ^ set(NAMES)) or ["their order"]
            raise ModelError(f"model {model.id} does not fit this version's signals ({', '.join(unlike)}); retrain it")
        super().__init__()
        self.model = model
        self._cache: dict[tuple[str, str, str], float] = {}
        self._today = -1

    @classmethod
    def of(cls, model: Scorecard, known: Profiles) -> Baselines:
        """What follows from profiles that are known."""
        made = cls(model)
        made.own, made.groups = known.own, known.groups
        return made

    def past(self, identity: Identity, today: int) -> Past:
        """What is known of an identity on the eve of `today`."""
        if today != self._today:
            self._cache.clear()
            self._today = today
        own = self.own.get(identity.id) or Profile()
        tenant = self.groups.get(TENANT) or Profile()
        return Past(today, own, self._elsewhere(peer_scope(identity), tenant, today), tenant, self.model.elsewhere)

    def _elsewhere(self, scope: str, tenant: Profile, today: int) -> Elsewhere:
        peers = self.groups.get(scope) or Profile()
        cache = self._cache
        world = self.model.elsewhere

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
        row[index] = told if told is None else round(told, 2)
    return tuple(row)


class Link(NamedTuple):
    """Two identities that a handle joins."""

    source: str
    """Identity id; of a credential: who handed it out."""
    target: str
    kind: str
    """credential, or the kind of the name: app, sp, oidc, arn, name, token, host"""
    value: str
    records: tuple[str, str]
    """A record of each side that holds it."""


class Episode(NamedTuple):
    """One identity's day, or that of several linked ones, with its signal values."""

    identity: Identity
    view: EpisodeView
    values: Row
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


_ALWAYS = frozenset({"bulk", "off_rhythm", "dormant_wakes", "target_fan_out", "role_chaining", "two_places",
                     "session_moved", "mass_taking", "secret_fan_out", "model_changed"})  # fmt: skip
"""Episode signals that may fire although every call and place is ordinary."""
_EPISODE_QUIET = [(i, v) for i, v in _EPISODE if NAMES[i] in _ALWAYS]


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


def weighed(model: Scorecard, values: Row) -> list[tuple[float, Signal, Optional[float]]]:
    """(points above those of an ordinary value, signal, value), the heaviest first."""
    ordinary = model.points(model.ordinary(values))
    rows = [
        (round(points - usual, 6), signal, value)
        for points, usual, signal, value in zip(model.points(values), ordinary, SIGNALS, values)
    ]
    return sorted(rows, key=lambda row: (-row[0], row[1].name))


def above_ordinary(model: Scorecard, values: Row) -> float:
    """Points of a row above those of an ordinary one."""
    return model.log_odds(values) - model.log_odds(model.ordinary(values))


def framework_ids(signals: Iterable[Signal]) -> dict[str, list[str]]:
    """The product's fixed ids, and the precise ones of some signals, by framework."""
    ids = list(frameworks.ALWAYS) + sorted({i for signal in signals for i in signal.frameworks})
    grouped = frameworks.grouped(ids)
    return {name: list(grouped.get(name, ())) for name in ("owasp_nhi", "nist_csf", "mitre_attack")}


class EventScorer:
    """Scores single events, as a streaming command does: each as a behaviour of its own."""

    def __init__(self, model: Scorecard, baselines: Baselines) -> None:
        self._model = model
        self._baselines = baselines
        self._judged: dict[Row, tuple[BehaviourScore, list[Signal]]] = {}
        """Signal values are few, whatever the behaviours: most are all zeros."""

    def score(self, event: Event) -> BehaviourScore:
        """The score of the behaviour that the event belongs to."""
        return self.score_shape(shape_of(event), event.time // DAY)

    def score_shape(self, shape: Shape, day: int) -> BehaviourScore:
        """The score of a shape on a day."""
        view = View(shape, self._baselines.past(shape.identity, day))
        values = behaviour_row(view)
        judged = self._judged.get(values)
        if judged is None:
            judged = self._judged[values] = self._judge(values)
        score, heavy = judged
        return score._replace(reasons=tuple(signal.evidence(view) for signal in heavy)) if heavy else score

    def _judge(self, values: Row) -> tuple[BehaviourScore, list[Signal]]:
        """The score of signal values, without its reasons, and the signals that will give them."""
        probability = self._model.probability(self._model.log_odds(values))
        heavy = [signal for points, signal, value in weighed(self._model, values) if points >= REASON_POINTS and value]
        ids = framework_ids(heavy)
        score = BehaviourScore(
            score_of(probability), severity_of(score_of(probability)), probability, (),
            tuple(ids["owasp_nhi"]), tuple(ids["nist_csf"]), tuple(ids["mitre_attack"]),
        )  # fmt: skip
        return score, heavy[:5]


HELD_SCORE = 40.0
"""What alone scores medium or more is learnt only after quarantine."""
HELD_EPISODE = 80.0
"""Of an episode that is critical, all that is news waits, lest a raid that is repeated daily becomes ordinary."""
HELD_AGAIN = 20.0
"""Of whoever scored so high within the last QUARANTINE days, all that is news on another such day waits as well, lest
what is tried piece by piece is learnt piece by piece. A change that is odd once is learnt at once."""
NEWS_POINTS = 0.25
"""Points above an ordinary behaviour's from which one is news."""


def score_day(model: Scorecard, baselines: Baselines, day: IdentityDay) -> Episode:
    """The episode of one identity's day."""
    identity = day.identity
    past = baselines.past(identity, day.day)
    views = views_of(day.ordered(), past)
    episode = EpisodeView(views, past)
    values = episode_values(episode)
    missing = cannot_tell.fields(views, past.own)
    if missing:
        values = cannot_tell.untold(values, missing)
    return Episode(identity, episode, values, _held(model, episode, values))


def _held(model: Scorecard, episode: EpisodeView, values: Row) -> frozenset[Shape]:
    """The shapes that look bad: by themselves, or as the news of an episode that does."""
    views, past, score = episode.views, episode.past, _score(model, values)
    bad_day = score >= HELD_EPISODE or (
        score >= HELD_AGAIN and calibration.highest(past.own, past.today - QUARANTINE) >= HELD_AGAIN
    )
    news = [view for view in views if view.values is not ZERO]
    return frozenset(
        view.shape
        for view in news
        if _score(model, view.values) >= HELD_SCORE
        or (bad_day and above_ordinary(model, view.values) >= NEWS_POINTS)
    )


def _score(model: Scorecard, values: Row) -> float:
    return score_of(model.probability(model.log_odds(values)))
