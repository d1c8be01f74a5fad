"""The episodes of one day: scored when first asked for, noted in the state, joined where links prove one intrusion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from nhi_watch.context.assets import Assets
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.detect import linking, ranking, signal_values
from nhi_watch.detect.linking import Group
from nhi_watch.detect.run import Tally
from nhi_watch.detect.scoring import Baselines, Episode, score_day
from nhi_watch.state.baseline import Delta
from nhi_watch.state.judged import Judged, Ranked
from nhi_watch.state.lesson import lesson as day_lesson
from nhi_watch.state.state import State

Complete = Callable[[Sequence[IdentityDay]], None]
"""Fills in what a host left out of identity-days that may become notables or links of them, such as record ids."""


def nothing_missing(wholes: Sequence[IdentityDay]) -> None:
    """Identity-days that were read record by record are complete."""


class DayEpisodes:
    """The episodes of one UTC day."""

    def __init__(
        self, state: State, baselines: Baselines, day: int, wholes: Mapping[str, IdentityDay], tally: Tally,
        known: Assets, complete: Complete, lean: bool = False,
    ) -> None:  # fmt: skip
        """`lean`: the identities were scored and noted before, and are scored again when asked for, never held."""
        self.day = day
        self.baselines = baselines
        self._state = state
        self._wholes = wholes
        self._tally = tally
        self._assets = known
        self._complete = complete
        self._scored: dict[str, Episode] = {}
        self._joined: dict[str, Group] = {}
        self._lean = lean

    def note(self, names: Iterable[str]) -> dict[str, Ranked]:
        """Score these identities, put what is kept of it into the state, and tell how they stand."""
        found = dict[str, Ranked]()
        for name, episode in self.of(names).items():
            ranked = found[name] = self.rank(episode)
            lesson = self._lesson(self._wholes[name], episode, ranked)
            trace = linking.trace_of(episode, ranked.eligible)
            packed = signal_values.pack(episode.values)
            self._state.put_delta(self.day, Judged(self._wholes[name].identity, ranked, lesson, trace, packed))
        return found

    def of(self, names: Iterable[str]) -> dict[str, Episode]:
        """The episodes of some identities."""
        wanted = list(names)
        if self._lean:
            self._scored, self.baselines.own = {}, {}
        missing = {name: self._wholes[name] for name in wanted if name not in self._scored}
        self._state.fill(self.baselines, missing, self.day)
        self._tally.episodes += len(missing)
        self._tally.behaviours += sum(len(whole.behaviours) for whole in missing.values())
        found = {name: score_day(self.baselines, whole) for name, whole in missing.items()}
        self._complete([missing[name] for name, episode in found.items() if may_matter(episode)])
        self._scored.update(found)
        return {name: self._scored[name] for name in wanted}

    def holds(self, names: Iterable[str]) -> bool:
        """Whether some identities' behaviours are at hand."""
        return all(name in self._wholes for name in names)

    def join(self, group: Group) -> Ranked:
        """Make linked episodes one, and tell how it stands."""
        self._joined[group.lead] = group
        return self.rank(self.whole(group.lead))

    def whole(self, lead: str) -> Episode:
        """The episode that an identity leads: its own, or that of its group."""
        group = self._joined.get(lead)
        return linking.joined(group, self.of(group.members)) if group is not None else self.of([lead])[lead]

    def is_scored(self, lead: str) -> bool:
        """Whether it was scored by this run."""
        return lead in self._joined or lead in (self._wholes if self._lean else self._scored)

    def rank(self, episode: Episode) -> Ranked:
        """How an episode stands."""
        return ranking.rank(episode, self._assets)

    def _lesson(self, whole: IdentityDay, episode: Episode, ranked: Ranked) -> tuple[Delta, Delta]:
        behaviours = ((b, b.shape in episode.held) for b in whole.behaviours.values())
        lesson = day_lesson(behaviours, self.baselines.networks)
        now, later = ranking.remembered(episode, ranked)
        return {**lesson.now, **now}, {**lesson.later, **later}


def may_matter(episode: Episode) -> bool:
    """Whether an episode may become a notable, or be a link of one."""
    if episode.likelihood >= ranking.FLOOR:
        return True
    return any(b.issued or b.links for view in episode.view.views for b in view.behaviours)
