"""Parts that may wait: what shows known calls alone is kept as it came, and merged into its identity's day later.

An identity's day is a row of tens of kilobytes. Of a hundred thousand identities nearly each has events in a window of
five minutes, and nearly none of these is news. So a run that brings many of them compares their parts, by hashes, with
what the day and the day before were made of, and sets aside those that hold nothing else. Identities are in shards:
each is merged every eight hours, and all of a day before it is closed, so a closed day is what it would be otherwise.

News is what `IdentityDay.has_changes` says: a call, place, outcome, target or link that was not there, and events
that are a quarter of the day's. Who acts oddly enough for a place in the list never waits.

| key of `meta` | row |
|---|---|
| kinds/day/shard | identity → events of its day, hashes of what they were made of |
| wait/shard/day/run/number | parts that wait |
| splunk/merged | when each shard was merged last |
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Optional

from nhi_watch.core.behaviour import BEHAVIOURS, GROWN, IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.detect import ranking
from nhi_watch.hosts.splunk import parts
from nhi_watch.hosts.splunk.gather import SHARDS, Sifted
from nhi_watch.hosts.splunk.parts import Glance, PartialDay
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack

MERGED_EVERY = 8 * HOUR
"""To unpack and pack a day takes as long late on the day as all else that is done with its identity in four hours."""
MOST_KNOWN = 1_000
"""Hashes of one identity that are kept from one day to the next."""
KINDS, WAIT, MERGED = "kinds/", "wait/", "splunk/merged"
NOTHING = pack([])
"""Where something waited."""
Heard = dict[str, int]
"""Stream → the hours of a day in which it spoke, a bit each."""
Known = dict[str, tuple[int, bytes]]
"""Identity → events of its day, hashes of what they were made of."""


class Waiting:
    """What waits, and what is known of each identity, so that it may."""

    def __init__(self, rows: Rows, state: State, now: int) -> None:
        self._rows, self._state, self._now = rows, state, now
        self._known: dict[tuple[int, int], Known] = {}
        """Day and shard → what is known; of the shards that were asked for last."""
        self._suspicious: dict[int, dict[str, float]] = {}
        self._number = 0
        self.events = 0
        """How many events are in the parts that were set aside."""

    def suspicious(self, day: int) -> dict[str, float]:
        """Who acted oddly on a day → the loss to be expected."""
        if day not in self._suspicious:
            self._suspicious[day] = {
                stored.ranked.identity_id: stored.ranked.risk for stored in self._state.suspicious(day)
            }
        return self._suspicious[day]

    def suspects(self, day: int) -> set[str]:
        """Who acts oddly enough on a day for a place in the list."""
        return {name for name, risk in self.suspicious(day).items() if risk >= ranking.LEAST}

    def set_aside(self, day: int, texts: list[str]) -> tuple[Sifted, Heard]:
        """Keep the texts with parts that may wait, as they came; returns what is to be taken now, and which streams the
        parts that wait hold.

        A text may hold both. It is kept as a whole then: what was taken already changes nothing when it is merged.
        """
        heard: Heard = {}
        if day <= max(self._state.daybook.closed, self._state.daybook.due(self._state.daybook.clock)):
            return (texts, ()), heard
        by_text, by_name = [(text, _glances(text)) for text in texts], dict[str, list[Glance]]()
        for glance in (glance for _, glances in by_text for glance in glances):
            by_name.setdefault(glance.name, []).append(glance)
        self._load(day, {shard_of(name) for name in by_name})
        never = self.suspects(day) | self.suspects(day - 1)
        wait = {name for name, glances in by_name.items() if name not in never and self._is_known(day, name, glances)}
        for glance in (glance for name in wait for glance in by_name[name]):
            self.events += glance.events()
            for stream, hours in glance.heard.items():
                heard[stream] = heard.get(stream, 0) | hours
        aside = dict[int, list[str]]()
        for text, glances in by_text:
            if any(glance.name in wait for glance in glances):
                aside.setdefault(shard_of(glances[0].name), []).append(text)
        self._keep(day, aside)
        novel = [text for text, glances in by_text if not glances or any(glance.name not in wait for glance in glances)]
        return (novel, wait), heard

    def _is_known(self, day: int, name: str, glances: Sequence[Glance]) -> bool:
        known = self._known[day, shard_of(name)].get(name)
        return known is not None and _is_known(glances, *known)

    def _keep(self, day: int, by_shard: Mapping[int, Sequence[str]]) -> None:
        if by_shard and not self._rows.get("meta", [MERGED]):
            times = [self._now - MERGED_EVERY * shard // SHARDS for shard in range(SHARDS)]
            self._rows.put("meta", [(MERGED, pack(times))])
        rows = []
        for shard, lines in sorted(by_shard.items()):
            self._number += 1
            key = f"{WAIT}{shard:03d}/{day:06d}/{self._now:011d}/{self._number:05d}"
            rows.append((key, pack(lines)))
        self._rows.put("meta", rows)

    def note(self, day: int, identity_days: Mapping[str, IdentityDay]) -> None:
        """Note what identity-days are made of that were merged; of one that is too large nothing is known."""
        shards = {shard_of(name) for name in identity_days}
        self._load(day, shards)
        for name, identity_day in identity_days.items():
            known = self._known[day, shard_of(name)]
            events, before = known.pop(name, (0, b""))
            if len(identity_day.behaviours) < BEHAVIOURS:
                kinds = parts.kinds_of(identity_day.behaviours.values())
                both = {*_hashes(before), *kinds}
                known[name] = max(events, identity_day.events()), _bytes(both if len(both) <= MOST_KNOWN else kinds)
        self._rows.put(
            "meta", [(f"{KINDS}{day:06d}/{shard:03d}", _packed(self._known[day, shard])) for shard in sorted(shards)]
        )

    def _load(self, day: int, shards: Iterable[int]) -> None:
        """What is known of shards on a day: what was noted of it, or of the day before."""
        wanted = {(day, shard) for shard in shards}
        self._known = {key: known for key, known in self._known.items() if key in wanted}
        missing = sorted(wanted - self._known.keys())
        keys = [f"{KINDS}{each:06d}/{shard:03d}" for _, shard in missing for each in (day, day - 1)]
        rows = self._rows.get("meta", keys) if keys else {}
        for _, shard in missing:
            today, eve = (rows.get(f"{KINDS}{each:06d}/{shard:03d}") for each in (day, day - 1))
            self._known[day, shard] = _unpacked(today or eve)

    # ---- merging

    def has_any(self) -> bool:
        """Whether anything ever waited."""
        return bool(self._rows.get("meta", [MERGED]))

    def due(self) -> Iterator[int]:
        """The shards that have waited long enough, those that were merged longest ago first."""
        raw = self._rows.get("meta", [MERGED]).get(MERGED)
        times = [int(time) for time in unpack(raw)] if raw else []
        for shard in sorted(range(len(times)), key=times.__getitem__):
            if self._now - times[shard] < MERGED_EVERY:
                return
            yield shard
            times[shard] = self._now
            self._rows.put("meta", [(MERGED, pack(times))])

    def of(self, shard: int, until: Optional[int] = None) -> Iterator[tuple[int, dict[str, PartialDay]]]:
        """Day → all that waits of a shard, of days up to `until`; once it is merged, it waits no more."""
        low, high = f"{WAIT}{shard:03d}/", f"{WAIT}{shard:03d}0"
        if until is not None:
            high = f"{low}{until + 1:06d}"
        by_day: dict[int, dict[str, PartialDay]] = {}
        keys = []
        for key, raw in self._rows.scan("meta", low, high):
            for name, partial_day in (item for text in unpack(raw) for item in parts.unpack(text).items()):
                mine = by_day.setdefault(partial_day.day, {}).setdefault(name, partial_day)
                if mine is not partial_day:
                    mine.merge(partial_day)
            keys += [key] if raw != NOTHING else []
        yield from sorted(by_day.items())
        self._rows.put("meta", [(key, NOTHING) for key in keys])  # to delete them would read them once more

    def forget(self, first: int) -> None:
        """Forget what is known of days before `first` and the eve of it, and the places of what waited."""
        old = [key for key, _ in self._rows.scan("meta", KINDS, f"{KINDS}{first - 1:06d}")]
        for shard in range(SHARDS):
            low = f"{WAIT}{shard:03d}/"
            old += [key for key, raw in self._rows.scan("meta", low, f"{low}{first:06d}") if raw == NOTHING]
        self._rows.put("meta", [(key, None) for key in old])


def shard_of(name: str) -> int:
    """The shard of an identity: all in one text are in one shard."""
    return int(parts.key_of(name)[:2], 16) % SHARDS


def _glances(text: str) -> list[Glance]:
    """What a text says of its identities; nothing where it is damaged, which is counted when it is unpacked."""
    try:
        return parts.glances(text)
    except RejectError:
        return []


def _is_known(seen: Sequence[Glance], events: int, kinds: bytes) -> bool:
    """Whether parts hold nothing that is news of a day of so many events, made of these."""
    if sum(glance.events() for glance in seen) >= (GROWN - 1) * events:
        return False
    return set[int]().union(*(glance.kinds for glance in seen)).issubset(_hashes(kinds))


def _hashes(raw: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(raw) // 8}Q", raw)


def _bytes(hashes: Collection[int]) -> bytes:
    return struct.pack(f"<{len(hashes)}Q", *sorted(hashes))


def _packed(known: Known) -> bytes:
    return pack({name: [events, b64encode(kinds).decode("ascii")] for name, (events, kinds) in known.items()})


def _unpacked(raw: Optional[bytes]) -> Known:
    plain = unpack(raw) if raw else {}
    return {name: (int(events), b64decode(kinds)) for name, (events, kinds) in plain.items()}
