"""From behaviours and a baseline to signal values, points and the likelihood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.context import frameworks
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import Behaviour, BehaviourKey, IdentityDay, key_of_event
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.notable import BANDS, severity_of
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import habits, telemetry
from nhi_watch.detect.habits import Bound, Points, TenantHabits
from nhi_watch.detect.model import KINDS, MACHINE, PERSON, Features, Model
from nhi_watch.detect.signals import NAMES, SIGNALS, Baseline, Elsewhere, EpisodeView, Signal, View, is_person
from nhi_watch.state.baseline import TENANT, Profile, Profiles, peer_scope

Row = tuple[Optional[float], ...]

_BEHAVIOUR = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "behaviour"]
_EPISODE = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "episode"]
_LINKED = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "linked"]
_APART = frozenset(SIGNALS[i].name for i, _ in _LINKED)
_LINKED_PLACES = frozenset(i for i, _ in _LINKED)
ZERO: Row = (0.0,) * len(SIGNALS)

REASON_POINTS = 1.5
"""Points from which a signal is named as a reason: it is three times as usual on days of attack."""


class Baselines(Profiles):
    """The profiles of all scopes before a day, and what follows from them."""

    def __init__(self, model: Model, networks: Networks = SHIPPED) -> None:
        super().__init__()
        self.networks = networks
        self.model = model.aligned(NAMES)
        self._cache: dict[tuple[str, str, str], float] = {}
        self._today = -1
        self._tenant_habits: dict[str, TenantHabits] = {}

    @classmethod
    def of(cls, model: Model, known: Profiles) -> Baselines:
        """What follows from profiles that are known."""
        baselines = cls(model)
        baselines.own, baselines.groups = known.own, known.groups
        return baselines

    def baseline(self, identity: Identity, today: int) -> Baseline:
        """What is known of an identity before `today`."""
        own = self.own.get(identity.id) or Profile()
        tenant = self.groups.get(TENANT) or Profile()
        self.tenant_habits(today)
        elsewhere = self._elsewhere(peer_scope(identity), tenant, today)
        return Baseline(today, own, elsewhere, tenant, self.model.elsewhere, self.networks, {})

    def tenant_habits(self, today: int) -> Mapping[str, TenantHabits]:
        """What signals are worth in this tenant before `today`, by kind."""
        if today != self._today:
            self._cache.clear()
            self._today = today
            tenant = self.groups.get(TENANT) or Profile()
            self._tenant_habits = {kind: TenantHabits(self.model, tenant, today, kind, _APART) for kind in KINDS}
        return self._tenant_habits

    def bound(self, baseline: Baseline, person: bool = False) -> Bound:
        """The model for an identity's past."""
        return Bound(self.tenant_habits(baseline.today)[PERSON if person else MACHINE], baseline.own)

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
    if view.quiet and not view.baseline.blank:
        return ZERO
    row = list(ZERO)
    for index, value in _BEHAVIOUR:
        observed = value(view)
        row[index] = round(observed, 2) if observed else observed
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
    features: Features
    """What habit leaves of the values: the trees read nothing else."""
    bound: Bound
    """What weighed them; of several identities, that of the one that leads."""
    quarantined: frozenset[BehaviourKey]
    """Shapes that look bad: they are learnt only when they have come back."""
    members: tuple[Episode, ...] = ()
    """The episodes of linked identities that this one joins, by first unusual call; none: it is one identity's."""
    links: tuple[Link, ...] = ()
    """What joins the members."""

    @property
    def parts(self) -> tuple[Episode, ...]:
        """The episodes of single identities that it consists of."""
        return self.members or (self,)

    @property
    def lead(self) -> Episode:
        """The part of the identity that leads."""
        return next(part for part in self.parts if part.identity == self.identity)

    @property
    def points(self) -> Points:
        """Of each signal, see `habits`."""
        return self.features.points

    @property
    def total(self) -> float:
        """The sum of the points."""
        return habits.total(self.points)

    @property
    def likelihood(self) -> float:
        """How likely it is an intrusion, in percent."""
        return self.bound.model.likelihood(self.features)


def views_of(day: Iterable[Behaviour], baseline: Baseline) -> list[View]:
    """One View per shape, in a stable order, each with its behaviours."""
    views: dict[BehaviourKey, View] = {}
    known: dict[int, View] = {}  # by id: most behaviours share their shape's object, and hashing one takes long
    for behaviour in day:
        view = known.get(id(behaviour.key))
        if view is None:
            view = views.get(behaviour.key)
            if view is None:
                view = views[behaviour.key] = View(behaviour.key, baseline)
            known[id(behaviour.key)] = view
        view.behaviours.append(behaviour)
    for view in views.values():
        view.values = behaviour_row(view)
    return list(views.values())


def episode_values(episode: EpisodeView) -> Row:
    """Signal values of an episode: the largest of its views, and its own."""
    row = largest([view.values for view in episode.views if view.values is not ZERO])
    if all(view.quiet for view in episode.views) and not episode.baseline.blank:
        return _with_episode(row, episode, quiet=True)
    return _with_episode(row, episode, quiet=False)


_EPISODE_QUIET = [(i, s.value) for i, s in enumerate(SIGNALS) if s.scope == "episode" and s.on_ordinary_days]


def _with_episode(row: list[Optional[float]], episode: EpisodeView, quiet: bool) -> Row:
    for index, value in _EPISODE_QUIET if quiet else _EPISODE:
        observed = value(episode)
        row[index] = round(observed, 2) if observed else observed
    return tuple(row)


def values_together(parts: Sequence[tuple[Row, EpisodeView]]) -> Row:
    """Signal values of linked identities' episodes as one: the largest, and what only all of them together show."""
    if len(parts) == 1:
        return parts[0][0]
    row = largest([values for values, _ in parts])
    together = EpisodeView([view for _, part in parts for view in part.views], parts[0][1].baseline)
    for index, value in _LINKED:
        observed = value(together)
        row[index] = observed if observed is None else round(observed, 2)
    return tuple(row)


def largest(rows: list[Row]) -> list[Optional[float]]:
    """The largest value of each signal; None where all rows have None, zeros without rows."""
    if not rows:
        return list(ZERO)
    rows = list(dict.fromkeys(rows))  # most calls of a day have the values of another one
    try:
        return list(map(max, zip(*rows)))
    except TypeError:  # some cannot tell
        return [max((value for value in column if value is not None), default=None) for column in zip(*rows)]


class BehaviourScore(NamedTuple):
    """What one behaviour is worth by itself."""

    likelihood: float
    """In percent: of an intrusion, if the identity did nothing else that day."""
    severity: str
    reasons: tuple[str, ...]
    """Sentences, the heaviest first."""
    owasp_nhi: tuple[str, ...]
    nist_csf: tuple[str, ...]
    mitre_attack: tuple[str, ...]


def weighed(values: Row, points: Points) -> list[tuple[float, Signal, Optional[float]]]:
    """(points, signal, value), the heaviest first."""
    return sorted(zip(points, SIGNALS, values), key=lambda row: (-row[0], row[1].name))


def features_together(parts: Sequence[Episode], values: Row) -> Features:
    """The features of joined episodes: of each signal the most that habit leaves to one of the identities; what only
    all of them together show has the habits of the one that leads."""
    if len(parts) == 1:
        return parts[0].features
    linked = [values[index] if index in _LINKED_PLACES else 0.0 for index in range(len(values))]
    return habits.together([*(part.features for part in parts), parts[0].bound.features(linked)])


def framework_ids(signals: Iterable[Signal]) -> dict[str, list[str]]:
    """The product's fixed ids, and the precise ones of some signals, by framework."""
    ids = list(frameworks.ALWAYS) + sorted({i for signal in signals for i in signal.frameworks})
    grouped = frameworks.grouped(ids)
    return {name: list(grouped.get(name, ())) for name in ("owasp_nhi", "nist_csf", "mitre_attack")}


class EventScorer:
    """Scores single events, as a streaming command does: each as a behaviour of its own."""

    def __init__(self, baselines: Baselines) -> None:
        self._baselines = baselines
        self._ordinary = self._score_of(0.0, [])

    def score(self, event: Event) -> BehaviourScore:
        """How likely the behaviour is that the event belongs to."""
        return self.score_key(key_of_event(event), event.time // DAY)

    def score_key(self, key: BehaviourKey, day: int) -> BehaviourScore:
        """How likely a shape is on a day."""
        baseline = self._baselines.baseline(key.identity, day)
        view = View(key, baseline)
        values = behaviour_row(view)
        if values is ZERO:
            return self._ordinary
        bound = self._baselines.bound(baseline, is_person(key.identity, baseline.own.days))
        features = bound.features(values)
        heavy = [signal for worth, signal, value in weighed(values, features.points) if worth >= REASON_POINTS]
        score = self._score_of(bound.model.likelihood(features), heavy)
        return score._replace(reasons=tuple(signal.evidence(view) for signal in heavy[:5])) if heavy else score

    def _score_of(self, likelihood: float, heavy: Sequence[Signal]) -> BehaviourScore:
        """A likelihood without its reasons."""
        ids = framework_ids(heavy)
        return BehaviourScore(
            likelihood,
            severity_of(likelihood),
            (),
            tuple(ids["owasp_nhi"]),
            tuple(ids["nist_csf"]),
            tuple(ids["mitre_attack"]),
        )


NOVELTY_POINTS = 1.5
"""Points from which a behaviour is unusual."""


def score_day(baselines: Baselines, day: IdentityDay, today: Optional[int] = None) -> Episode:
    """The episode of one identity's day, against the eve of `today`: of its own day, unless it came too late."""
    identity = day.identity
    baseline = baselines.baseline(identity, day.day if today is None else today)
    views = views_of(day.ordered(), baseline)
    bound = baselines.bound(baseline, is_person(identity, baseline.own.days))
    episode = EpisodeView(views, baseline)
    values = _values(episode)
    features = bound.features(values)
    return Episode(identity, episode, values, features, bound, _quarantined(bound, episode, features))


def likelihood_of(day: IdentityDay, baseline: Baseline, bound: Bound) -> float:
    """The likelihood of an identity's day against a past that is at hand; what else an episode holds is not made."""
    return bound.likelihood(_values(EpisodeView(views_of(day.ordered(), baseline), baseline)))


def _values(episode: EpisodeView) -> Row:
    values, missing = episode_values(episode), telemetry.fields(episode.views, episode.baseline.own)
    return telemetry.untold(values, missing) if missing else values


def without_refused(episode: Episode) -> Optional[Episode]:
    """The episode of what succeeded in it alone: itself where nothing was refused, None where all was."""
    if all(view.let_in for part in episode.parts for view in part.view.views):
        return episode
    remaining = [(part, [view for view in part.view.views if view.let_in]) for part in episode.parts]
    parts = [of_views(part, views) for part, views in remaining if views]
    if not parts:
        return None
    values = values_together([(part.values, part.view) for part in parts])
    return episode._replace(values=values, features=features_together(parts, values), members=())


def of_views(part: Episode, views: Sequence[View]) -> Episode:
    """The episode of some of its views, or of parts of them."""
    view = part.view._replace(views=views)
    values = _values(view)
    return part._replace(view=view, values=values, features=part.bound.features(values))


def part_of(view: View, left: Sequence[Behaviour]) -> View:
    """A view of some of its behaviours alone."""
    if len(left) == len(view.behaviours):
        return view
    kept_view = View(view.key, view.baseline)
    kept_view.behaviours = [*left]
    kept_view.values = behaviour_row(kept_view)
    return kept_view


CRITICAL = BANDS[0][0]
"""Likelihood that is never left out."""


LOOKS_BAD = 50.0
"""Likelihood from which a call, or all that is news in a day, is learnt only when it has come back: `Profile.hold`."""


def _quarantined(bound: Bound, episode: EpisodeView, features: Features) -> frozenset[BehaviourKey]:
    """The shapes that look bad: by themselves, or as the news of a day that does.

    Trees rise in every feature, and a day shows all that a call of it does: no call looks worse than its day.
    """
    if bound.model.likelihood(features) < LOOKS_BAD:
        return frozenset()
    return frozenset(
        view.key
        for view in episode.views
        if bound.total(view.values) >= NOVELTY_POINTS or bound.likelihood(view.values) >= LOOKS_BAD
    )


# ---- signal values as they are stored: only those that are not 0, by name, and for which set of signals
# Stored beside what a day taught, they outlive the behaviours: drift, training on one's own history and the comparison
# of two models read them, and a receipt can be checked against them when the behaviours are gone.


SIGNAL_SET = hashlib.sha256(",".join(NAMES).encode()).hexdigest()[:8]
"""Which signals this version has: values of another set are not comparable."""
_PLACES = {name: place for place, name in enumerate(NAMES)}

Sparse = Mapping[str, Optional[float]]
"""Signal → value, None: cannot tell; absent: 0."""


def sparse(values: Sequence[Optional[float]]) -> dict[str, Optional[float]]:
    """The values that are not 0.

    >>> sparse((0.0,) * len(NAMES))
    {}
    """
    return {name: value for name, value in zip(NAMES, values) if value != 0.0}


def pack_values(values: Sequence[Optional[float]]) -> list[Any]:
    """What is stored."""
    return [SIGNAL_SET, sparse(values)]


def unpack_values(plain: object) -> Optional[Sparse]:
    """The values of a stored row; None where they are of other signals, or were not stored.

    >>> unpack_values(pack_values((0.0,) * len(NAMES))), unpack_values(None), unpack_values(["other", {}])
    ({}, None, None)
    """
    if not isinstance(plain, list) or len(plain) != 2 or plain[0] != SIGNAL_SET:
        return None
    sparse: Sparse = plain[1]
    return sparse


def row_of(sparse: Sparse) -> Row:
    """All values, in the order of the signals.

    >>> row_of({}) == (0.0,) * len(NAMES)
    True
    """
    values: list[Optional[float]] = [0.0] * len(NAMES)
    for name, value in sparse.items():
        values[_PLACES[name]] = value
    return tuple(values)
