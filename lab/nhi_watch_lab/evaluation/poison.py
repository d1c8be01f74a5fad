"""How long an attacker needs who knows model and caps: days until his attack passes unseen.

A tenant lives for a month without its campaigns. Then each campaign's victim is poisoned, day after day, by an
attacker who can work out every score beforehand; all others go on as in their last week. Each day he must make
progress: at least one act of the attack itself. He wants the day on which the whole attack, in one day, would not be
written at BUDGET notables a day per 1,000 identities.

- `repeat`: makes the whole attack each day, seen or not; nobody reacts, nobody confirms
- `creep`: each day as many acts as pass unseen, the least suspicious first; if none does, that one alone
- `noise`: the same, and as many harmless new calls as pass unseen, so that news becomes usual

Attacks that would pass on some day of the week without any poisoning teach nothing here and are counted apart. Whoever
was written on the way was told to people before his attack passed: attackers that never were are counted by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.core.behaviour import Behaviour, IdentityDay, Shape
from nhi_watch.detect import ranking
from nhi_watch.detect.model import Scorecard
from nhi_watch.state import baseline
from nhi_watch.state.baseline import TENANT, Delta, Profile, learn_groups, peer_scope, teach
from nhi_watch.state.lesson import DayLesson
from nhi_watch.state.lesson import lesson as day_lesson
from nhi_watch_lab.evaluation.counting import quantile
from nhi_watch_lab.evaluation.incidents import our_entry
from nhi_watch_lab.evaluation.replay import Replay, Replayed, grouped
from nhi_watch_lab.simulator import Spec, Tenant

BUDGET = 10.0
LIMIT = 60
"""Days after which we stop counting."""
CYCLE = 7
"""Days of ordinary life that repeat while the attacker works."""
TARGET = 30
"""Days that an attack must need at least."""
NOISE = 12
"""Harmless new calls a day at most."""
STRATEGIES = ("repeat", "creep", "noise")

Lesson = tuple[Delta, Delta, str]


class Attack(NamedTuple):
    """One campaign's acts by its victim."""

    incident: str
    technique: str
    origin: str
    victim: str
    acts: list[Behaviour]


class Passing(NamedTuple):
    """When an attack passes."""

    days: Optional[int]
    """None: not within LIMIT."""
    written: int
    """Days on which what the attacker did until then was written."""


class Work(NamedTuple):
    """One tenant to be poisoned."""

    spec: Spec
    model: Scorecard


class Ordinary(NamedTuple):
    """One day of everybody's ordinary life."""

    wholes: Mapping[str, IdentityDay]
    ranks: dict[str, tuple[float, ...]]
    """Identity → rank, of those over the floor."""
    lessons: dict[str, Lesson]
    size: int


class Ground:
    """A tenant after a month without campaigns, and the campaigns that it was spared."""

    def __init__(self, work: Work) -> None:
        self.model = work.model
        self.replay = Replay(work.model)
        self.attacks: list[Attack] = []
        self.cycle: list[Ordinary] = []
        self.first = 0
        """The day on which poisoning begins."""
        bad: set[str] = set()
        for day in Tenant(work.spec).days():
            bad.update(record for label in day.incidents for record in label["record_ids"])
            self._live([record for record in day.records if record["eventID"] not in bad])
            for label in day.incidents:
                self._spare(label, [r for r in day.records if r["eventID"] in set(label["record_ids"])])
        known = self.replay.baselines.own
        self.attacks = [attack for attack in self.attacks if attack.victim in known and known[attack.victim].days]

    def _live(self, records: Sequence[dict[str, Any]]) -> None:
        for number, wholes in sorted(grouped(records).items()):
            done = [self.replay.score(whole) for whole in wholes.values()]
            lessons = self.replay.learn(number, done)
            over = [item for item in done if item.ranked.eligible and item.ranked.score >= ranking.FLOOR]
            ranks = {item.ranked.identity_id: our_entry(item).rank for item in over}
            size = sum(item.ranked.eligible for item in done)
            told = {item.ranked.identity_id: lesson for item, lesson in zip(done, lessons)}
            self.cycle = [*self.cycle, Ordinary(wholes, ranks, told, size)][-CYCLE:]
            self.first = number + 1

    def _spare(self, label: Mapping[str, Any], records: Sequence[dict[str, Any]]) -> None:
        """Keep the acts of the identity that does most of a campaign."""
        wholes = [whole for day in grouped(records).values() for whole in day.values()]
        if wholes and label["distinguishable"]:
            most = max(wholes, key=lambda whole: (whole.events(), whole.identity.id))
            acts = list(most.behaviours.values())
            self.attacks.append(Attack(label["id"], label["technique"], label["origin"], most.identity.id, acts))

    def passes_anyway(self, attack: Attack) -> bool:
        """Whether it would pass on some day of the week although nothing was poisoned."""
        return not all(Siege(self, attack, caps=True).seen(attack.acts, day) for day in range(CYCLE))

    def days(self, attack: Attack, strategy: str, caps: bool) -> Passing:
        """Days until the whole attack passes unseen."""
        siege, written = Siege(self, attack, caps), 0
        for past in range(LIMIT):
            if not siege.seen(attack.acts, past):
                return Passing(past, written)
            written += siege.live(past, strategy)
        return Passing(None, written)


class Siege:
    """One victim's days under poisoning, with the profiles that it can move."""

    def __init__(self, ground: Ground, attack: Attack, caps: bool) -> None:
        self._ground, self._attack, self._caps = ground, attack, caps
        world, self._scratch = ground.replay.baselines, Replay(ground.model)
        self._own = self._scratch.baselines.own[attack.victim] = _copy(world.own[attack.victim])
        self._scope = peer_scope(attack.acts[0].shape.identity)
        for scope in (TENANT, self._scope):
            self._scratch.baselines.groups[scope] = _copy(world.groups.get(scope) or Profile())
        self._noise = 0

    def seen(self, acts: Sequence[Behaviour], past: int) -> bool:
        """Whether the day would be written if these acts were made in it."""
        return self._is_written(self._score(acts, past), past)

    def _is_written(self, item: Replayed, past: int) -> bool:
        """Whether it has a place in the week's allowance, of which what ranks above takes one each."""
        entry, week = our_entry(item, ranking.LEAST), self._ground.cycle
        above = {name for day in week for name, rank in day.ranks.items() if rank >= entry.rank}
        room = ranking.week_allowance(BUDGET, self._ordinary(past).size)
        return entry.written and len(above - {self._attack.victim}) < room

    def live(self, past: int, strategy: str) -> bool:
        """Let the day pass, with what the attacker makes of it; returns whether it was written."""
        acts = list(self._attack.acts) if strategy == "repeat" else self._creep(past)
        if strategy == "noise":
            acts = self._with_noise(acts, past)
        item, day = self._score(acts, past), self._ground.first + past
        written = self._is_written(item, past)
        held = item.episode.held if self._caps else frozenset[Shape]()
        lesson = day_lesson((b, b.shape in held) for b in item.whole.behaviours.values())
        taught = self._taught(lesson, ranking.remembered(item.episode, item.ranked))
        teach(self._own, day, *taught)
        others = {**self._ordinary(past).lessons, self._attack.victim: (*taught, self._scope)}
        mine = self._scope
        told: list[Lesson] = [(now, later, mine if scope == mine else "") for now, later, scope in others.values()]
        learn_groups(self._scratch.baselines.groups, day, told)
        return written

    def _taught(self, lesson: DayLesson, scored: tuple[Delta, Delta]) -> tuple[Delta, Delta]:
        now, later = scored
        if not self._caps:
            now = {**now, **{name: {**now.get(name, {}), **values} for name, values in later.items()}}
            later = {}
        return {**lesson.now, **now}, {**lesson.later, **later}

    def _ordinary(self, past: int) -> Ordinary:
        return self._ground.cycle[past % len(self._ground.cycle)]

    def _score(self, acts: Sequence[Behaviour], past: int) -> Replayed:
        day = self._ground.first + past
        usual = self._ordinary(past).wholes.get(self._attack.victim)
        whole = IdentityDay(day)
        for source in [*(usual.behaviours.values() if usual else ()), *acts]:
            _add(whole, source)
        return self._scratch.score(whole)

    def _creep(self, past: int) -> list[Behaviour]:
        """As many acts as pass unseen, the least suspicious first."""
        chosen = list[Behaviour]()
        points = {view.shape: view.points for view in self._score(self._attack.acts, past).episode.view.views}
        ordered = sorted(self._attack.acts, key=lambda b: (points[b.shape], b.hour, b.shape))
        for act in ordered:
            if not self.seen([*chosen, act], past):
                chosen.append(act)
        return chosen or ordered[:1]

    def _with_noise(self, acts: list[Behaviour], past: int) -> list[Behaviour]:
        """Harmless calls that nobody ever made, made with the attack's own means, as many as pass unseen."""
        like = max(self._attack.acts, key=lambda b: (b.count, b.shape))
        for _ in range(NOISE):
            quiet = like.shape._replace(action=f"{like.shape.service}:List{self._noise}", access="list", error="",
                                        outcome="success", traits=(), target_class="")  # fmt: skip
            extra = Behaviour(quiet, like.hour)
            extra.merge(like)
            if self.seen([*acts, extra], past):
                break
            acts, self._noise = [*acts, extra], self._noise + 1
        return acts


def _add(whole: IdentityDay, source: Behaviour) -> None:
    """The same behaviour, at the same time of the day."""
    hour = whole.day * 24 + source.hour % 24
    moved = (hour - source.hour) * 3600
    copy = Behaviour(source.shape, hour)
    copy.merge(source)
    copy.first, copy.last = source.first + moved, source.last + moved
    whole.behaviour(source.shape, hour).merge(copy)


def _copy(profile: Profile) -> Profile:
    return baseline.from_row(baseline.to_row(profile))


# ---- figures


class Fate(NamedTuple):
    """One attack: strategy and caps → when it passes."""

    incident: str
    technique: str
    origin: str
    days: dict[tuple[str, bool], Passing]
    """Empty: it passes without any poisoning."""


def poison(work: Work, caps: Sequence[bool] = (True, False)) -> list[Fate]:
    """Every attack of a tenant, by every strategy, with and without the caps."""
    ground = Ground(work)
    return [Fate(a.incident, a.technique, a.origin, _fate(ground, a, caps)) for a in ground.attacks]


def _fate(ground: Ground, attack: Attack, caps: Sequence[bool]) -> dict[tuple[str, bool], Passing]:
    if ground.passes_anyway(attack):
        return {}
    return {(way, cap): ground.days(attack, way, cap) for way in STRATEGIES for cap in caps}


def capped(fates: Sequence[Fate]) -> dict[str, Any]:
    """Days until attacks pass with the caps on, by the best strategy: all, and of those that no notable told."""
    seen = [fate for fate in fates if fate.days]
    return {
        "attacks": len(fates), "seen_without_poisoning": len(seen),
        "best_strategy": _days([_fewest(fate, caps=True) for fate in seen]),
        "never_written": _days([_fewest(fate, caps=True, most=0) for fate in seen]),
    }  # fmt: skip


def summarise(fates: Sequence[Fate]) -> dict[str, Any]:
    """Days until attacks pass, of those that do not pass anyway."""
    seen = [fate for fate in fates if fate.days]
    return {
        **capped(fates),
        "limit": LIMIT,
        "with_caps": {s: _days([fate.days[s, True].days for fate in seen]) for s in STRATEGIES},
        "without_caps": {s: _days([fate.days[s, False].days for fate in seen]) for s in STRATEGIES},
        "best_strategy_without_caps": _days([_fewest(fate, caps=False) for fate in seen]),
        "fastest": [_told(fate) for fate in sorted(seen, key=lambda fate: _finite(_fewest(fate, caps=True)))[:12]],
    }


def _fewest(fate: Fate, caps: bool, most: int = LIMIT) -> Optional[int]:
    """By the best strategy of those that were written on `most` days."""
    ways = [fate.days[strategy, caps] for strategy in STRATEGIES]
    return min((way.days for way in ways if way.days is not None and way.written <= most), default=None)


def _finite(days: Optional[int]) -> int:
    return LIMIT if days is None else days


def _days(days: Sequence[Optional[int]]) -> dict[str, Any]:
    finite = [_finite(each) for each in days]
    return {
        "median": quantile(finite, 0.5),
        "p10": quantile(finite, 0.1),
        "least": min(finite, default=None),
        "share_at_least_30_days": round(sum(each >= TARGET for each in finite) / max(1, len(finite)), 4),
        "never_within_limit": sum(each is None for each in days),
    }


def _told(fate: Fate) -> dict[str, Any]:
    return {"technique": fate.technique, "origin": fate.origin, "days": _fewest(fate, caps=True),
            "strategy": min(STRATEGIES, key=lambda s: _finite(fate.days[s, True].days))}  # fmt: skip
