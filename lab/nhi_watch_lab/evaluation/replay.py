"""Replays days of records through the core in memory, and tells which episodes belong to which incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.context import assets
from nhi_watch.core.behaviour import IdentityDay, fingerprint
from nhi_watch.detect import linking, ranking
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Baselines, Episode, score_day
from nhi_watch.intake.days import Intake
from nhi_watch.intake.sources import every
from nhi_watch.state.baseline import TENANT, Delta, Profile, learn_groups, peer_scope, teach
from nhi_watch.state.baseline import lesson as day_lesson
from nhi_watch.state.state import Ranked

SOURCES = tuple(every())
Days = Mapping[int, Mapping[str, IdentityDay]]
"""Day → identity id → that identity's day."""


def grouped(records: Iterable[object]) -> Days:
    """The behaviours of some records; what cannot be read is left out."""
    grouping = Intake(SOURCES)
    grouping.feed(records, lambda index, reject: None)
    return grouping.days


class Replayed(NamedTuple):
    """One scored episode of a day."""

    day: int
    episode: Episode
    ranked: Ranked
    incidents: frozenset[str]
    """Ids of the incidents whose records it holds."""
    whole: IdentityDay


class Replay:
    """Scores day after day and learns each when it is done, as the pipeline does, without a store."""

    def __init__(self, model: Scorecard, labels: Mapping[str, str] | None = None) -> None:
        self.baselines = Baselines(model)
        self._labels = {fingerprint(record): incident for record, incident in (labels or {}).items()}

    def label(self, incidents: Iterable[Mapping[str, Any]]) -> None:
        """Learn the records of further incidents."""
        for incident in incidents:
            self._labels.update((fingerprint(record), incident["id"]) for record in incident["record_ids"])

    def run(self, records: Sequence[object]) -> Iterator[Replayed]:
        """Score whole days of records, in order of days; each is learnt when the next is asked for."""
        yield from self.run_days(grouped(records))

    def run_days(self, days: Days) -> Iterator[Replayed]:
        """The same for days that were grouped before."""
        for done in self.by_day(days):
            yield from done

    def by_day(self, days: Days) -> Iterator[list[Replayed]]:
        """Each day's episodes; what is worked out before the next is asked for sees what was known on its eve."""
        for day in sorted(days):
            if TENANT in self.baselines.groups:
                self.baselines.groups[TENANT].advance(day)
            done = [self.score(whole) for whole in days[day].values()]
            yield done
            self.learn(day, done)

    def score(self, whole: IdentityDay) -> Replayed:
        """One identity's day against what is learnt so far."""
        identity = whole.identity
        self.baselines.own.setdefault(identity.id, Profile()).advance(whole.day)
        episode = score_day(self.baselines, whole)
        ranked = ranking.rank(episode, assets.NO_ASSETS)
        bad = frozenset(self._labels[mark] for mark in whole.seen & self._labels.keys())
        return Replayed(whole.day, episode, ranked, bad, whole)

    def learn(self, day: int, done: Sequence[Replayed]) -> list[tuple[Delta, Delta, str]]:
        """Take in a day that is over; returns what each of its identities taught."""
        lessons: list[tuple[Delta, Delta, str]] = []
        for item in done:
            held = item.episode.held
            lesson = day_lesson((b, b.shape in held) for b in item.whole.behaviours.values())
            now, later = ranking.remembered(item.episode, item.ranked)
            taught = {**lesson.now, **now}, {**lesson.later, **later}
            teach(self.baselines.own[item.episode.identity.id], day, *taught)
            lessons.append((*taught, peer_scope(item.episode.identity)))
        learn_groups(self.baselines.groups, day, lessons)
        return lessons


def linked(day: Sequence[Replayed]) -> list[Replayed]:
    """A day's episodes, linked ones as one, as the pipeline ranks them."""
    items = {item.ranked.identity_id: item for item in day}
    traces = (linking.trace_of(item.episode, item.ranked.eligible) for item in day)
    for group in linking.join(trace for trace in traces if trace is not None):
        members = [items.pop(name) for name in group.members]
        episode = linking.joined(group, {item.ranked.identity_id: item.episode for item in members})
        bad = frozenset(incident for item in members for incident in item.incidents)
        lead = next(item for item in members if item.ranked.identity_id == group.lead)
        ranked = ranking.rank(episode, assets.NO_ASSETS)
        items[group.lead] = lead._replace(episode=episode, ranked=ranked, incidents=bad)
    return list(items.values())
