"""What people would use instead, behind one interface, on the same days and under the same budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Protocol

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch_lab.evaluation.replay import Replayed

Scores = dict[str, float]
"""Identity id → score of its day; larger is worse, and 0 is not worth a notable."""


class Rival(Protocol):
    """A detector that scores a day, and learns it afterwards."""

    name: str

    def score(self, day: Sequence[Replayed]) -> Scores:
        """The scores of a day's episodes, against the days learnt so far."""

    def learn(self, day: Sequence[Replayed]) -> None:
        """Take in a day that is over."""


def simple() -> list[Rival]:
    """One fresh instance of each that needs no library."""
    return [FirstSeen(), Rarity(), RarityByDays(), FirstNetwork()]


def _actions(whole: IdentityDay) -> set[str]:
    return {shape.action for shape, _ in whole.behaviours}


class FirstSeen:
    """How many actions of the day the identity never made before."""

    name = "first_seen"

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def score(self, day: Sequence[Replayed]) -> Scores:
        """New actions by identity."""
        known = self._known
        return {i.ranked.identity_id: float(len(_actions(i.whole) - known.get(i.ranked.identity_id, set())))
                for i in day}  # fmt: skip

    def learn(self, day: Sequence[Replayed]) -> None:
        """Remember the actions."""
        for item in day:
            self._known.setdefault(item.ranked.identity_id, set()).update(_actions(item.whole))


class Rarity:
    """The rarest action of the day, by the share of the identity's own past events.

    -log((n + 1/2) / (N + 1)): half an event added, after Krichevsky and Trofimov (1981).
    """

    name = "rarity"

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = {}

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Surprisal of the rarest action, in nats."""
        return {item.ranked.identity_id: max(self._surprisals(item)) for item in day}

    def _surprisals(self, item: Replayed) -> list[float]:
        seen = self._seen.get(item.ranked.identity_id, Counter())
        total = self._total(item.ranked.identity_id, seen)
        return [round(-log((seen[action] + 0.5) / (total + 1)), 9) for action in sorted(_actions(item.whole))]

    def _total(self, identity: str, seen: Counter[str]) -> int:
        return sum(seen.values())

    def learn(self, day: Sequence[Replayed]) -> None:
        """Count the events of each action."""
        for item in day:
            seen = self._seen.setdefault(item.ranked.identity_id, Counter())
            for (shape, _), behaviour in item.whole.behaviours.items():
                seen[shape.action] += behaviour.count


class RarityByDays(Rarity):
    """The same by the share of active days, as Elastic's job `rare_method_for_a_user` counts time buckets.

    All that is new is equally rare for identities of the same age, and ties count against a detector: so the
    sum over all actions breaks them, in this rival's favour.
    """

    name = "rarity_by_days"

    def __init__(self) -> None:
        super().__init__()
        self._days: Counter[str] = Counter()

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Surprisal of the rarest action, and a little of all others."""
        told = {item.ranked.identity_id: self._surprisals(item) for item in day}
        return {name: max(bits) + 1e-6 * sum(bits) for name, bits in told.items()}

    def _total(self, identity: str, seen: Counter[str]) -> int:
        return self._days[identity]

    def learn(self, day: Sequence[Replayed]) -> None:
        """Count the days of each action."""
        for item in day:
            self._days[item.ranked.identity_id] += 1
            self._seen.setdefault(item.ranked.identity_id, Counter()).update(_actions(item.whole))


class FirstNetwork:
    """Sessions used from another network than the one that they were first seen in (Netflix, 2018).

    W. Bengtson, "Netflix Cloud Security: Detecting Credential Compromise in AWS". Calls that a service makes
    on somebody's behalf, and VPC endpoints, say nothing of where a session lives.
    """

    name = "first_network"

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._before: dict[str, str] = {}
        """Of the day before: a session may run over midnight, and lasts half a day at most."""

    def score(self, day: Sequence[Replayed]) -> Scores:
        """How many sessions of the identity moved."""
        return {item.ranked.identity_id: float(self._moved(item.whole)) for item in day}

    def _moved(self, whole: IdentityDay) -> int:
        moved = set()
        for behaviour in whole.ordered():
            network = behaviour.shape.network
            if not network or network.startswith(("service:", "vpce:")):
                continue
            for session in behaviour.sessions:
                first = self._before.get(session) or self._first.setdefault(session, network)
                if first != network:
                    moved.add(session)
        return len(moved)

    def learn(self, day: Sequence[Replayed]) -> None:
        """Forget the sessions of the day before."""
        self._before, self._first = self._first, {}
