"""Points at home for all identity-days of a world: what `nhi_watch.detect.model` says, for many rows at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nhi_watch.detect.model import BINS, EDGES, FIRST, FULL, LEAST, NEAR, OWN_STRENGTH, SETTLED, STRENGTH
from nhi_watch.state.baseline import ALIKE, HISTORY
from nhi_watch_lab.training.rows import Floats, Ints, Rows

KINDS = 2
"""Machines and people's keys."""


class Shares(NamedTuple):
    """The evidence and the world's habits."""

    attack: Floats
    """Signals × bins."""
    ages: tuple[int, ...]
    world: Floats
    """Kinds × ages × signals × bins."""


def points(rows: Rows, shares: Shares) -> Floats:
    """Identity-days × signals: points, each day by what was known on its eve."""
    bins, found = rows.bins, np.zeros(rows.values.shape)
    kept = np.where(rows.bad[:, None], 0, bins)  # a day of an incident is counted; what it held waits
    home, own = _Home(shares), dict[int, _Own]()
    for day in np.unique(rows.day):
        today = np.flatnonzero(rows.day == day)
        tables = [home.tables(kind, int(day)) for kind in range(KINDS)]
        for at in today:
            held = np.flatnonzero(bins[at] > 0)
            usual, share = (table[held, bins[at, held]] for table in tables[int(rows.person[at])])
            mine = own.get(int(rows.identity[at]))
            found[at, held] = usual if mine is None else mine.churned(usual, share, (rows.values[at], bins[at], held),
                                                                       shares.attack)  # fmt: skip
        for at in today:
            if rows.own_days[at] >= SETTLED:
                own.setdefault(int(rows.identity[at]), _Own(bins.shape[1])).learn(kept[at])
        home.learn(rows, kept, today[rows.own_days[today] >= HISTORY])
    return np.asarray(np.round(found, 2))


class _Own:
    """One identity's own days."""

    def __init__(self, signals: int) -> None:
        self.days = 0
        self.seen = np.zeros((signals, BINS))

    def learn(self, bins: Ints) -> None:
        self.days += 1
        held = np.flatnonzero(bins > 0)
        self.seen[held, bins[held]] += 1

    def churned(self, usual: Floats, share: Floats, what: tuple[Floats, Ints, Ints], attack: Floats) -> Floats:
        """Points after the identity's own churn has taken its part."""
        values, bins, held = what
        low = np.maximum(1, np.searchsorted(np.array(EDGES), NEAR * values[held], side="left"))
        near = np.array([self.seen[at, least:].sum() for at, least in zip(held, low)])
        mine = (near + OWN_STRENGTH * share) / (self.days + OWN_STRENGTH)
        news = np.log2(np.maximum(LEAST, attack[held, bins[held]]) / np.maximum(LEAST, mine))
        return np.asarray(np.minimum(usual, np.maximum(usual / 2, news)))


class _Home:
    """The tenant's own days, by kind."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._reached = np.zeros((KINDS, *shares.attack.shape))
        self._able = np.zeros((KINDS, shares.attack.shape[0]))
        self._total = np.zeros(KINDS)
        self._first = [-1] * KINDS

    def tables(self, kind: int, day: int) -> tuple[Floats, Floats]:
        """Signals × bins: points, and the shares at home behind them."""
        age = day - self._first[kind] if self._total[kind] else 0
        rate = self._total[kind] / max(1, age) if self._total[kind] else 1.0
        strength = STRENGTH + max(0, FULL - age) * rate
        place = max(at for at, least in enumerate(self._shares.ages) if least <= day)
        share = (self._reached[kind] + strength * self._shares.world[kind, place]) / (
            self._able[kind][:, None] + strength
        )
        attack = self._shares.attack
        raw = np.log2(np.maximum(attack, LEAST) / np.maximum(share, LEAST))
        raw = np.where(attack > 0, raw, 0.0)
        raw[:, 0] = 0.0
        return np.maximum.accumulate(np.maximum(raw * (1.0 if day else FIRST), 0.0), axis=1), share

    def learn(self, rows: Rows, bins: Ints, today: Ints) -> None:
        """A day that is over; of a peer group ALIKE days at most count for one value."""
        alike: dict[tuple[int, int, int], int] = {}
        for at in today:
            kind = int(rows.person[at])
            self._first[kind] = int(rows.day[at]) if self._first[kind] < 0 else self._first[kind]
            self._total[kind] += 1
            self._able[kind] += bins[at] >= 0
            for signal in np.flatnonzero(bins[at] > 0):
                key = int(rows.peers[at]), int(signal), int(bins[at, signal])
                alike[key] = alike.get(key, 0) + 1
                if alike[key] <= ALIKE:
                    self._reached[kind, signal, : bins[at, signal] + 1] += 1
