"""One day: its identities are scored, each by itself, and the suspicious ones are found, linked ones as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Optional

from nhi_watch.context.assets import Assets
from nhi_watch.context.networks import Networks
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import linking, ranking, scoring
from nhi_watch.detect.linking import Group
from nhi_watch.detect.scoring import Baselines, Episode, score_day
from nhi_watch.state.baseline import ALIKE, Delta, peer_scope
from nhi_watch.state.baseline import lesson as day_lesson
from nhi_watch.state.kept_days import HourlyLikelihoods
from nhi_watch.state.state import Ranked, ScoredDay, State, Trace


class Suspect(NamedTuple):
    """An identity, or several that links make one, and how its day stands."""

    ranked: Ranked
    members: tuple[str, ...]
    """Ids of the identities; the one that leads is among them."""
    others: tuple[str, ...] = ()
    """Ids of those for which it stands, see `fold_origins`."""

    @property
    def lead(self) -> str:
        """The identity that leads."""
        return self.ranked.identity_id

    @property
    def origin(self) -> str:
        """What it shares with those for which it stands; "": it stands for nobody else, and never will."""
        own = self.ranked.origin
        return own if self.others or ranking.is_stranger(own) else ""

    @property
    def is_row(self) -> bool:
        """Whether it is grave enough for a row of the morning list."""
        return self.ranked.risk >= ranking.LEAST

    @property
    def keys(self) -> set[str]:
        """What a case recognises its episode by."""
        return keys_of(self.members, self.origin)


def keys_of(members: Iterable[str], origin: str) -> set[str]:
    """What a case recognises an episode of some identities by."""
    return {*members, *([f"origin {origin}"] if origin else ())}


class Day:
    """The identities of one UTC day: those that this run scores, and those that earlier runs did."""

    def __init__(self, state: State, baselines: Baselines, day: int, known: Assets, cuts: Mapping[str, int]) -> None:
        """`baselines`: profiles before the day; they are filled as identities are asked for.

        `cuts`: identity → the last second of the day that a verdict covers; what came later is scored alone.
        """
        self.day = day
        self._cuts = cuts
        self.baselines = baselines
        self._state = state
        self.assets = known
        self._scored: dict[str, Episode] = {}
        self._groups: dict[str, Group] = {}
        self._scored_now: set[str] = set()
        self.is_unchanged = True
        """Whether no identity was scored that is suspicious, or was before: the suspects are the same."""

    def score(self, identity_days: Mapping[str, IdentityDay]) -> None:
        """Score some identities, and put the results into the state. Only suspicious ones are kept in memory."""
        self.baselines.shed()
        self._state.fill(self.baselines, identity_days, self.day)
        episodes = []
        for name, identity_day in identity_days.items():
            episode = score_day(self.baselines, identity_day)
            lesson = lesson_of(identity_day, episode, self.baselines.networks)
            is_ours = not ranking.is_outsider(episode)
            values = scoring.pack_values(episode.values)
            episode = self._uncovered(identity_day, episode)
            ranked = self.rank(episode)
            if ranked.likelihood >= ranking.FLOOR:
                self._scored[name] = episode
            trace = linking.trace_of(episode, ranked.eligible)
            episodes.append(
                ScoredDay(
                    identity_day.identity,
                    ranked,
                    lesson,
                    trace,
                    values,
                    ranked.days if ranking.counts(ranked) else -1,
                    not ranked.days,
                    trace is not None or ranked.likelihood >= ranking.FLOOR,
                    is_ours,
                )
            )
        if self._state.put_scored(self.day, episodes):
            self.is_unchanged = False
        self._scored_now.update(identity_days)

    def suspects(self) -> list[Suspect]:
        """Who did something unusual, linked ones as one, many of one origin as one."""
        suspects, traces = dict[str, Suspect](), list[Trace]()
        for stored in self._state.suspicious(self.day):
            if stored.ranked.likelihood >= ranking.FLOOR:
                suspects[stored.ranked.identity_id] = Suspect(stored.ranked, (stored.ranked.identity_id,))
            if stored.trace is not None:
                traces.append(stored.trace)
        for group in linking.join(traces):
            for name in group.members:
                suspects.pop(name, None)
            self._groups[group.lead] = group
            suspects[group.lead] = Suspect(self.rank(self.episode(group.lead)), group.members)
        return fold_origins(
            suspect
            for suspect in suspects.values()
            if suspect.ranked.eligible and suspect.ranked.likelihood >= ranking.FLOOR
        )

    def episode(self, lead: str) -> Episode:
        """The episode that an identity leads: its own, or that of its group."""
        group = self._groups.get(lead)
        return linking.joined(group, self._of(group.members)) if group is not None else self._of([lead])[lead]

    def known_hours(self, episode: Episode) -> Optional[HourlyLikelihoods]:
        """What this process has found of the hours of an identity's day; what depends on more is computed again."""
        if episode.members or self._cuts:
            return None
        known, peers = episode.view.baseline, self.baselines.groups.get(peer_scope(episode.identity))
        source = episode.identity, known.own, known.tenant, peers, known.networks, episode.bound.model.sha256
        return self._state.known_hours(self.day, episode.identity.id, source)

    def cut_of(self, members: Iterable[str]) -> int:
        """The last second of the day that a verdict on any of some identities covers; 0: none does."""
        return max((self._cuts.get(name, 0) for name in members), default=0)

    @property
    def has_cuts(self) -> bool:
        """Whether a verdict covers anything of the day."""
        return bool(self._cuts)

    def is_covered(self, members: Iterable[str]) -> bool:
        """Whether a verdict covers what some identities did up to a second of the day."""
        return self.cut_of(members) > 0

    def was_scored(self, members: Iterable[str]) -> bool:
        """Whether this run has scored one of some identities."""
        return not self._scored_now.isdisjoint(members)

    def rank(self, episode: Episode) -> Ranked:
        """How an episode stands."""
        return ranking.rank(episode, self.assets)

    def _of(self, names: Sequence[str]) -> dict[str, Episode]:
        missing = [name for name in names if name not in self._scored]
        if missing:
            identity_days = self._state.load_some(self.day, missing)
            self._state.fill(self.baselines, identity_days, self.day)
            scored = (
                (name, identity_day, score_day(self.baselines, identity_day))
                for name, identity_day in identity_days.items()
            )
            self._scored.update(
                (name, self._uncovered(identity_day, episode)) for name, identity_day, episode in scored
            )
        return {name: self._scored[name] for name in names}

    def _uncovered(self, identity_day: IdentityDay, episode: Episode) -> Episode:
        """What of an identity's day no verdict covers: behaviours that went on after its giver looked."""
        cut = self._cuts.get(identity_day.identity.id)
        if cut is None:
            return episode
        later = IdentityDay(identity_day.day)
        later.behaviours = {key: b for key, b in identity_day.behaviours.items() if b.last > cut}
        if not later.behaviours:
            nothing = (0.0,) * len(episode.values)
            empty = episode.view._replace(views=[])
            return episode._replace(view=empty, values=nothing, features=episode.bound.features(nothing))
        return score_day(self.baselines, later)


def lesson_of(identity_day: IdentityDay, episode: Episode, networks: Networks) -> tuple[Delta, Delta]:
    """What an identity's day teaches at once, and what only when it has come back."""
    behaviours = ((b, b.key in episode.quarantined) for b in identity_day.behaviours.values())
    lesson = day_lesson(behaviours, networks)
    return {**lesson.now, **ranking.habits(episode)}, lesson.later


CROWD = 200
"""Newcomers of one day that keep a notable each. Anyone who writes logs can invent names, and each notable takes about
15 ms and 20 kB."""
CROWD_ORIGIN = f"{ranking.NEWCOMERS}one day"


def fold_origins(suspects: Iterable[Suspect]) -> list[Suspect]:
    """One for all strangers of an origin, one for all newcomers of a peer group that has more than ALIKE in a day, and
    one for all newcomers beyond the CROWD most severe, whatever their names.

    The most severe one leads. Newcomers of `ranking.SURE` and more are folded only beyond CROWD, see
    `ranking.rank`.
    """
    by_origin: dict[str, list[Suspect]] = {}
    for suspect in suspects:
        by_origin.setdefault(suspect.ranked.origin, []).append(suspect)
    kept = by_origin.pop("", [])
    for origin, alike in by_origin.items():
        if ranking.is_stranger(origin) or len(alike) > ALIKE:
            kept.append(_represented(sorted(alike, key=_gravest_first)))
        else:
            kept += alike
    return _fold_crowd(kept)


def _fold_crowd(suspects: list[Suspect]) -> list[Suspect]:
    newcomers = sorted((suspect for suspect in suspects if not suspect.ranked.days), key=_gravest_first)
    if len(newcomers) <= CROWD:
        return suspects
    representative = _represented(newcomers[CROWD:])
    crowd = representative._replace(ranked=representative.ranked._replace(origin=CROWD_ORIGIN))
    return [*(suspect for suspect in suspects if suspect.ranked.days), *newcomers[:CROWD], crowd]


def _gravest_first(suspect: Suspect) -> tuple[float, float, str]:
    return -suspect.ranked.risk, -suspect.ranked.likelihood, suspect.lead


def _represented(ordered: Sequence[Suspect]) -> Suspect:
    """The first, which represents the others and all that those represented."""
    lead, *others = ordered
    represented = chain(lead.others, *((suspect.lead, *suspect.others) for suspect in others))
    return lead._replace(others=tuple(represented))
