"""How likely an episode was at the end of each hour of its day."""

from __future__ import annotations

from collections import Counter
from copy import copy
from itertools import accumulate
from typing import Optional

from nhi_watch.detect.explain import claims
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.detect.scoring import Episode, episode_values
from nhi_watch.detect.signals import EpisodeView
from nhi_watch.state.kept_days import HourlyLikelihoods


class Hours:
    """The hours of an episode; an hour is scored once, when it is asked for."""

    def __init__(self, episode: Episode, known: Optional[HourlyLikelihoods] = None) -> None:
        """`known`: what was found of the same day earlier, and is found now."""
        self._episode = episode
        counts = Counter[int]()
        for view in episode.view.views:
            for b in view.behaviours:
                counts[b.hour] += b.count
        self._hours = sorted(counts)
        self._events = dict(zip(self._hours, accumulate(counts[hour] for hour in self._hours)))
        """Hour → how many events there were at its end: as long as that stays the same, so does what they were."""
        self._known: HourlyLikelihoods = {} if known is None else known

    def reached(self, likelihood: float) -> int:
        """The first hour at whose end the episode had a likelihood; its last one where only the whole day has it."""
        return next((hour for hour in self._hours[:-1] if self._at(hour) >= likelihood), self._hours[-1])

    def created(self) -> int:
        """When it would have been written in live operation: at the end of the first hour that reaches the floor."""
        hour = self.reached(FLOOR)
        return max(b.last for view in self._episode.view.views for b in view.behaviours if b.hour <= hour)

    def _at(self, hour: int) -> float:
        events, likelihood = self._known.get(hour, (0, 0.0))
        if events != self._events[hour]:
            likelihood = _likelihood_until(self._episode, hour)
            self._known[hour] = self._events[hour], likelihood
        return likelihood


def _likelihood_until(episode: Episode, hour: int) -> float:
    """As it stood at the end of an hour: what a shape is worth does not change within a day."""
    parts = []
    for part in episode.parts:
        views = []
        for view in part.view.views:
            behaviours = [b for b in view.behaviours if b.hour <= hour]
            if len(behaviours) == len(view.behaviours):
                views.append(view)
            elif behaviours:
                views.append(copy(view))
                views[-1].behaviours = behaviours
        if views:
            seen = EpisodeView(views, part.view.baseline)
            values = episode_values(seen)
            parts.append(part._replace(view=seen, values=values, features=part.bound.features(values)))
    return claims.likelihood_of(episode.bound.model, parts)
