"""What a day costs on a search head, by how many events an identity has; writes docs/method/splunk_scale.md.

Measured are unit costs, at two sizes of the store: of a run in which nothing is new, with and without the notables of
120 days; of an identity whose known calls wait, of one with news, of one whose day is merged, of one whose day is
closed; of a row in the search head's half of Group. It is the double of tests/splunk_kvstore.py, in this process: TLS
and MongoDB are not in it, its own CPU is. The figures of whole days follow by arithmetic from these and from ASSUMED.

    .venv/bin/python lab/bench/bench_splunk_kvstore.py --write docs/method/splunk_scale.md
    .venv/bin/python lab/bench/bench_splunk_kvstore.py --figures figures.jsonl --write docs/method/splunk_scale.md
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast
from unittest import mock

import _bench  # noqa: F401 - where things lie

from core_samples import CALL
from nhi_watch.context.context import NO_CONTEXT
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect import history, publish
from nhi_watch.hosts.splunk import fields, gather, parts, run, waiting
from nhi_watch.hosts.splunk.archive import LESSONS, REREAD
from nhi_watch.hosts.splunk.gather import AT_ONCE, Gatherer
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, Generation, KvStore
from nhi_watch.hosts.splunk.nhigroup import NhiGroup
from nhi_watch.hosts.splunk.parts import PartialDay
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rest import Client, Collection
from nhi_watch.hosts.splunk.rows import write
from nhi_watch.hosts.splunk.run import SplunkRun
from nhi_watch.hosts.splunk.waiting import MERGED_EVERY
from nhi_watch.state import day_rows
from nhi_watch.state.retention import OPEN, RETAIN_DAYS, RETAIN_DELTAS
from nhi_watch.state.store import MemoryStore, Rows, pack, pack_plain
from splunk_kvstore import Direct, KvDouble

AXIS = 100, 1_000
"""Events an identity and day."""
TOTALS = 1, 10, 100
"""Million events a day."""
AIM = TOTALS[-1] * 1e6
"""Events a day for which the page says what was asked."""
BEYOND = (1_000,)
"""Millions that only the end of the page mentions."""
EVERY = 5, 15, 60
"""Minutes between two runs."""
RECOMMENDED = 15
LEARNT, TODAY = 12, 20_012
REPEATED = 3
"""Times that a run is measured; the one that took least counts, for a busy machine only ever adds."""
RAW = 1_500
"""Bytes of an event of CloudTrail in JSON, as it is indexed."""
BESIDE, MOST_ALIKE = 120, 50
"""Bytes of a stored row besides nhi_part; identities that may share rows, of which more than a row takes are enough."""
RETAINED = 12_000
"""Notables of 120 days that have ended."""
ODD, CHANGED, NEWS, REQUEST, OPLOG = 0.008, 0.005, 0.015, 0.01, 1_000
"""Assumed: shares of identity-days that are odd, of identities whose credentials are changed within five weeks, and of
parts with news; seconds of one request to splunkd; megabytes of the oplog, Splunk's own size."""
A_REQUEST = 20 * AT_ONCE
"""Identities of which one request asks what is known: those of as many texts as are looked at together."""
UUID_BYTES = 16
DELETED = 150
"""Bytes that a deleted row takes in the oplog."""
ACTIONS = (
    "s3:GetObject", "s3:PutObject", "s3:ListObjects", "kms:Decrypt", "sts:GetCallerIdentity", "sqs:ReceiveMessage",
    "dynamodb:GetItem", "dynamodb:PutItem", "logs:PutLogEvents", "secretsmanager:GetSecretValue",
)  # fmt: skip
Found = dict[int, PartialDay]
APART = "idle, inventory apart"
"""A run in which nothing is new, without the reading of the inventory."""


class Cost(NamedTuple):
    """Of one piece of work: seconds of processor time, requests, bytes read and written."""

    cpu: float
    requests: float
    read: float
    written: float


def identity(number: int) -> Identity:
    """A role, of which there are as many as wanted."""
    account = f"{number % 4:012d}"
    name = f"arn:aws:iam::{account}:role/worker-{number}"
    return Identity(f"aws:{account}:role:AROA{number:017d}", name, "role", "aws", account, "")


def events(
    who: Identity, day: int, span: tuple[float, float], a_day: int, dice: random.Random, how: str = ""
) -> Iterator[Event]:
    """What an identity does between two shares of a day: few actions often, from its two networks, evenly.

    `how`: news: with a target that it never had; odd: as a thief does, from elsewhere.
    """
    first, last = span
    count = max(1, round(a_day * (last - first)))
    for n in range(count):
        second = day * DAY + int((first + (last - first) * (n + dice.random()) / count) * (DAY - 1))
        unusual = how == "odd"
        action = "iam:CreateAccessKey" if unusual else ACTIONS[min(int(dice.expovariate(0.8)), len(ACTIONS) - 1)]
        network = "203.0.113.0/24" if unusual else f"10.{n % 2}.0.0/16"
        yield CALL._replace(
            time=second, identity=who, account=who.account, action=action, service=action.partition(":")[0],
            session=f"ASIA{second // HOUR}", target=f"{how}bucket-{dice.randrange(30)}", network=network,
            record_id=str(uuid.UUID(int=dice.getrandbits(128))),
        )  # fmt: skip


def part_of(events: Iterator[Event], day: int) -> PartialDay:
    """A row of nhigroup."""
    partial_day = PartialDay(day)
    for event in events:
        partial_day.add(event)
    return partial_day


# ---- the store


def filled(known: int) -> KvDouble:
    """A store with profile, day, judgement and inventory of so many identities."""
    dice, double = random.Random(2), KvDouble((STATE, GENERATIONS))
    sizes = {"profile/": 1_400, "delta/020001/": 700, "day/020001/": 2_600}
    pool = {at: [b64encode(dice.randbytes(size)).decode() for _ in range(50)] for at, size in sizes.items()}
    rows = double.captain[STATE]
    for number in range(known):
        who = identity(1_000_000 + number)
        for at, values in pool.items():
            rows[f"{at}{who.id}"] = {"_key": f"{at}{who.id}", "v": values[number % 50]}
        key, seen = f"inventory/i/{who.id}", [list(who), (TODAY - 9) * DAY, TODAY * DAY - 9]
        rows[key] = {"_key": key, "v": b64encode(pack_plain(seen)).decode()}
    return double


def learnt(a_day: int) -> MemoryStore:
    """What is known of a few identities after some days."""
    store, dice = MemoryStore(), random.Random(3)
    for day in range(TODAY - LEARNT, TODAY):
        result = {n: part_of(events(identity(n), day, (0, 1), a_day, dice), day) for n in range(4)}
        rank(store, gathered(result, day), day, 1.0)
    return store


def copied(store: KvStore, template: MemoryStore, active: int) -> None:
    """Put what is known of the few, for many who are like them."""
    for table in ("day", "delta", "profile", "notable", "inventory", "ledger", "meta"):
        rows = dict(template.scan(table, "", "\U0010ffff"))
        store.put(table, rows.items())
        for key, raw in rows.items():
            like = next((n for n in range(4) if identity(n).id in key), None)
            if like is not None and table in ("profile", "inventory"):
                store.put(table, [(key.replace(identity(like).id, identity(n).id), raw)
                                  for n in range(4 + like, active, 4)])  # fmt: skip
    store.commit()


def retained(double: KvDouble, count: int) -> None:
    """Put notables that have ended, each with its case and the document of its day, as large as a real one."""
    dice = random.Random(6)
    words = json.dumps([f"{dice.getrandbits(64):x}" for _ in range(1_900)])
    document = b64encode(pack([list(publish.Published(3, "closed")), {"text": words}])).decode()
    rows = double.captain[STATE]
    for n in range(count):
        for key in (f"notable/past/{n:020x}", f"notable/done/{n:020x}",
                    f"notable/{TODAY - 2 - n % 110:06d}/{n:020x}"):  # fmt: skip
            rows[key] = {"_key": key, "v": document}


def gathered(result: Found, day: int) -> Gatherer:
    """Rows as they come to nhirank."""
    gatherer = Gatherer(hold=True)
    for key, text in rows_of(result):
        gatherer.spool.add(day, key, text)
    return gatherer


def rows_of(result: Found) -> Iterator[tuple[str, str]]:
    """Key and text of rows, as nhigroup gives them."""
    by_key: dict[str, list[PartialDay]] = {}
    for number, partial_day in result.items():
        by_key.setdefault(parts.key_of(identity(number).id)[: parts.GROUPED], []).append(partial_day.brief(1))
    for key, partial_days in sorted(by_key.items()):
        for _, text in parts.pieces(partial_days):
            yield key, text


def rank(store: Rows, gatherer: Gatherer, day: int, until: float, many: bool = False, closes: bool = True) -> None:
    """One run over rows, as nhirank makes it."""
    with few_collections():
        going = SplunkRun(store, NO_CONTEXT, 10.0, day * DAY + int(until * (DAY - 1)))
        if many:
            going.merge_waiting()
        if gatherer.spool.counts and many:
            going.take_many(day, gatherer)
        elif gatherer.spool.counts:
            going.take(day, gatherer.of(day))
        going.process(closes=False)
        if closes:
            going.close(lambda: None, math.inf)
        cast(Any, store).commit()


class Bench:
    """Units over a store of some size."""

    def __init__(self, known: int, a_day: int, template: MemoryStore, active: int) -> None:
        self.client, self.active, self.a_day = Direct(filled(known)), active, a_day
        self.dice, self.double = random.Random(4), self.client.double
        copied(self.store(), template, active)

    def store(self) -> KvStore:
        """A session's store."""
        kept, generations = (Collection(cast(Client, self.client), name) for name in (STATE, GENERATIONS))
        return KvStore(kept, lambda: Generation(generations, "bench"))

    def parts(self, day: int, span: tuple[float, float], some: Sequence[int] = (), how: str = "") -> Found:
        """Rows of some identities, of all that are active."""
        return {n: part_of(events(identity(n), day, span, self.a_day, self.dice, how), day)
                for n in some or range(self.active)}  # fmt: skip

    def cost(self, result: Found, day: int, until: float, many: bool = True, closes: bool = False) -> Cost:
        """What one run costs."""
        store, gatherer = self.store(), gathered(result, day)
        self.double.costs.update(requests=0, read=0, written=0)
        started = time.process_time()
        rank(store, gatherer, day, until, many, closes)
        spent = time.process_time() - started
        return Cost(spent, *(self.double.costs[name] for name in ("requests", "read", "written")))

    def measured(self) -> Iterator[tuple[str, int, Cost]]:
        """(work, identities, cost); all identities are in one shard, for at 100,000 a shard has 390."""
        with ExitStack() as patched:
            for module in (gather, waiting, run):
                patched.enter_context(mock.patch.object(module, "SHARDS", 1))
            patched.enter_context(few_keys())
            yield from self._measured()

    def _measured(self) -> Iterator[tuple[str, int, Cost]]:
        eve = TODAY
        yield "idle, no notables", 0, min(self.cost({}, eve, 0.1) for _ in range(REPEATED))
        retained(self.double, RETAINED)
        idle = min(self.cost({}, eve, 0.1) for _ in range(REPEATED))
        yield "idle", 0, idle
        self.cost(self.parts(eve, (0, 1)), eve, 1.0)
        self.cost({}, eve, 1.0)
        day, window = eve + 1, max(1 / 288, 1 / self.a_day)
        at = 0.1
        self.cost(self.parts(day, (at, at + window)), day, at)
        self.cost({}, day, at + window)  # the shards whose turn it is
        yield "idle, open day", 0, min(self.cost({}, day, at + window) for _ in range(REPEATED))
        with without_inventory():
            yield APART, 0, min(self.cost({}, day, at + window) for _ in range(REPEATED))
            yield from self._work(day, at, window)

    def _work(self, day: int, at: float, window: float) -> Iterator[tuple[str, int, Cost]]:
        """What grows with the identities at work, compared with a run without any."""
        for how, count in (("waits", 0), ("news", max(1, round(self.active * NEWS)))):
            costs = []
            for number in range(REPEATED):
                at += 3 * window
                self.cost({}, day, at)
                fresh = range(number * count, (number + 1) * count)
                result = self.parts(day, (at, at + window), fresh, how) if count else {}
                known = [n for n in range(self.active) if n not in fresh]
                costs.append(self.cost(result | self.parts(day, (at, at + window), known), day, at))
            yield how, self.active, min(costs)
        at += 3 * window
        self.cost(self.parts(day, (at, at + window), range(max(1, round(self.active * ODD))), "odd"), day, at)
        yield "merged", self.active, self.cost({}, day, 0.25 + MERGED_EVERY / DAY)
        # what makes the day as large as it is in the end, half of it
        self.cost(self.parts(day, (0.5, 1)), day, 1.0, many=False)
        yield "merged again", self.active, self._again(day)
        rows = self.double.captain[STATE]
        mine = {key: row for key, row in rows.items() if "AROA0000" in key and "AROA00000000001" not in key}
        for table in ("day", "delta", "profile", "inventory"):
            sizes = [len(row["v"]) for key, row in mine.items() if key.startswith(f"{table}/") and row["v"]
                     and (table != "day" or f"/{day:06d}/" in key)]  # fmt: skip
            yield f"row of {table}", len(sizes), Cost(0, 0, 0, sum(sizes))
        end = {0: part_of(events(identity(0), day + 2, (0, 0.1), 100, self.dice), day + 2)}
        self.cost({}, day, 1.0)
        yield "closed", 2 * self.active, self.cost(end, day + 2, 0.1, closes=True)
        yield from self._odd(day + 2, window)

    def _odd(self, day: int, window: float) -> Iterator[tuple[str, int, Cost]]:
        """Thieves alone, few and many: others each time, for who is odd already costs something else."""
        at, used = 0.2, 0
        for count in (max(1, self.active // 100), max(2, self.active // 10)):
            costs = []
            for _ in range(REPEATED):
                at += 3 * window
                self.cost({}, day, at)
                costs.append(self.cost(self.parts(day, (at, at + window), range(used, used + count), "odd"), day, at))
                used += count
            yield "odd", count, min(costs)

    def _again(self, day: int) -> Cost:
        """All identity-days loaded, added to, and put, as when what waited is merged late on a day."""
        later = self.parts(day, (0.9, 0.9 + 1 / 288))
        return self.cost(later, day, 1.0, many=False)


def without_inventory() -> AbstractContextManager[object]:
    """Runs that do not read the inventory of all identities, in which what a few hundred take would drown."""
    return mock.patch.object(history, "read_some", lambda rows, names: history.History())


def few_keys() -> AbstractContextManager[object]:
    """As many of 400 identities share rows as of 100,000 do."""
    return mock.patch.object(parts, "GROUPED", 1)


def merging(active: int, a_day: int) -> float:
    """Seconds an identity of an indexer that the search head's half of Group takes, of what two indexers gave it."""
    dice = random.Random(5)
    span = 0.5, 0.5 + max(1 / 288, 1 / a_day)
    with few_keys():
        came = [rows_of({n: part_of(events(identity(n), TODAY, span, a_day, dice), TODAY) for n in range(active)})
                for _ in range(2)]  # fmt: skip
        rows = [{"nhi_part": text, "nhi_key": key} for key, text in sorted(chain.from_iterable(came))]
        command = NhiGroup()
        command.prepare(Search(["records=1"]))
        started = time.process_time()
        command.execute(write(fields.PART, rows))
        command.finish()
    return (time.process_time() - started) / (2 * active)


def windows_of(a_day: int, every: int, identities: float) -> tuple[list[list[PartialDay]], int]:
    """What identities that may share rows did in each window of six hours, evenly; and how many events that were."""
    dice, count = random.Random(5), 0
    share = min(MOST_ALIKE, max(1, round(identities / 16**parts.GROUPED)))
    by_window: dict[int, dict[int, list[Event]]] = {}
    for n in range(share):
        for event in events(identity(n), TODAY, (0.5, 0.75), a_day, dice):
            by_window.setdefault(event.time // (60 * every), {}).setdefault(n, []).append(event)
            count += 1
    return [[part_of(iter(mine), TODAY).brief(1) for mine in each.values()] for each in by_window.values()], count


def stored(a_day: int, every: int, identities: float) -> float:
    """Bytes of rows in the index for each byte of logs."""
    windows, count = windows_of(a_day, every, identities)
    return sum(map(_row_bytes, windows)) / (count * RAW)


def _row_bytes(partial_days: list[PartialDay]) -> int:
    return sum(len(text) + BESIDE for _, text in parts.pieces(partial_days))


def stored_of(a_day: int, every: int, identities: float) -> dict[str, float]:
    """Bytes of an identity and window: what was asked, what it is, and what would be left without some of it."""
    windows, count = windows_of(a_day, every, identities)
    behaviours = sum(len(each.slots) for window in windows for each in window)
    sizes = {"asked: 1% of its events": count * RAW / 100, "stored": float(sum(map(_row_bytes, windows)))}
    alone = parts.MARK * count + UUID_BYTES * behaviours
    sizes["record ids and marks alone, in base64"] = alone * 4 / 3
    sizes["stored, without base64"] = sum(len(text) * 3 / 4 + BESIDE for w in windows for _, text in parts.pieces(w))
    for window in windows:
        for each in window:
            each.brief(0)
    sizes["stored, without record ids"] = sum(map(_row_bytes, windows))
    for window in windows:
        for each in window:
            for _, marks in each.slots.values():
                marks.clear()
    sizes["stored, without record ids and marks"] = sum(map(_row_bytes, windows))
    return {name: size / sum(map(len, windows)) for name, size in sizes.items()}


def closing_row(a_day: int, every: int = 5) -> int:
    """Bytes in the KV store of an identity-day that is over, of an identity that is not odd."""
    dice, windows, identity_day = random.Random(7), 1_440 // every, IdentityDay(TODAY)
    for event in range(windows):
        span = event / windows, (event + 1) / windows
        if dice.random() < active_in(1, a_day, every):
            part_of(events(identity(1), TODAY, span, a_day, dice), TODAY).brief(1).give(identity_day)
    for behaviour in identity_day.behaviours.values():
        del behaviour.record_ids[1:]  # as `SplunkRun` keeps it
    return len(b64encode(day_rows.pack(identity_day)))


def active_in(identities: float, a_day: int, every: int) -> float:
    """How many identities have events in a window, when they come evenly."""
    return identities * (1 - math.exp(-a_day * every / 1_440))


def measured(known: Sequence[int], active: Sequence[int], axis: Sequence[int]) -> Iterator[dict[str, Any]]:
    """All figures, as they come."""
    for a_day in axis:
        for every in EVERY:
            for identities in (million * 1e6 / a_day for million in (*TOTALS, *BEYOND)):
                yield {"a_day": a_day, "every": every, "identities": identities,
                       "stored": stored(a_day, every, identities)}  # fmt: skip
        yield {"a_day": a_day, "bytes": {every: stored_of(a_day, every, AIM / a_day) for every in EVERY}}
        yield {"a_day": a_day, "merging": merging(400, a_day)}
        yield {"a_day": a_day, "row": closing_row(a_day)}
        template = learnt(a_day)
        for size, some in zip(known, active):
            for work, count, cost in Bench(size, a_day, template, some).measured():
                yield {"a_day": a_day, "known": size, "work": work, "active": count, **cost._asdict()}


# ---- arithmetic


class Units:
    """Unit costs, of the largest store."""

    def __init__(self, figures: Sequence[dict[str, Any]], a_day: int, known: int = 0) -> None:
        """`known`: the size of the store whose units are taken instead."""
        mine = [figure for figure in figures if figure["a_day"] == a_day]
        self.stored = {(item["identities"], item["every"]): item["stored"] for item in mine if "stored" in item}
        self.merging = next(item["merging"] for item in mine if "merging" in item)
        self.day = float(next(item["row"] for item in mine if "row" in item))
        """Bytes of an identity-day that is over."""
        works = sorted((item for item in mine if "work" in item), key=lambda item: (item["known"], item["active"]))
        self._idle = [item for item in works if item["work"] == "idle, open day"][-1]
        self._all: dict[str, list[dict[str, Any]]] = {}
        for item in works:
            if item["known"] == (known or works[-1]["known"]):
                self._all.setdefault(item["work"], []).append(item)

    def idle(self, identities: float) -> float:
        """Seconds of a run in which nothing is new: it reads the inventory of all identities."""
        item = self._idle
        return float(item["cpu"] * identities / item["known"] + item["requests"] * REQUEST)

    def asking(self, active: float) -> float:
        """Seconds of the requests of a run with news, beside those of an idle one."""
        more = self._all["news"][-1]["requests"] - self._all[APART][-1]["requests"]
        return float(max(0, more) * REQUEST * max(1.0, active / A_REQUEST))

    def more(self, work: str, beside: str, name: str) -> float:
        """What each of the identities of one run takes more than in another."""
        item, other = self._all[work][-1], self._all[beside][-1]
        return max(0.0, float(item[name] - other[name])) / int(item["active"])

    def slope(self, work: str, name: str) -> float:
        """What an identity more takes, of work that was measured at two numbers of them."""
        few, many = self._all[work][0], self._all[work][-1]
        return max(0.0, float(many[name] - few[name])) / int(many["active"] - few["active"])

    def seconds(self, work: str, beside: str = "") -> float:
        """Seconds an identity more, requests included."""
        cpu, requests = (self.more(work, beside, name) if beside else self.slope(work, name)
                         for name in ("cpu", "requests"))  # fmt: skip
        return cpu + requests * REQUEST

    def row(self, table: str) -> float:
        """Bytes of a row in the KV store."""
        item = self._all[f"row of {table}"][-1]
        return float(item["written"] / max(1, item["active"]))


class Day(NamedTuple):
    """A day at some size and cadence."""

    active: float
    parts: dict[str, float]
    """What a Rank does → seconds."""
    group: float
    """Seconds of the search head's half of a Group."""
    close: float
    """Seconds a day of closing days, and of deleting closed ones."""
    runs: float
    stored: float
    written: float
    store: float

    @property
    def rank(self) -> float:
        """Seconds of a Rank."""
        return sum(self.parts.values())

    @property
    def hours(self) -> float:
        """Hours a day of the search head."""
        return ((self.rank + self.group) * self.runs + self.close) / 3_600

    @property
    def oplog(self) -> float:
        """Minutes for which the oplog lasts."""
        return OPLOG / (self.written * 1_000 / 1_440)


def day_of(units: Units, identities: float, a_day: int, every: int) -> Day:
    """The arithmetic of the page."""
    active, runs = active_in(identities, a_day, every), 1_440 / every
    merges = min(every / (MERGED_EVERY / 60), 1.0) * identities
    again = ("merged again", APART)
    parts_of_rank = {
        "idle": units.idle(identities),
        "known calls": active * units.more("waits", APART, "cpu"),
        "news": identities * units.more("news", "waits", "cpu") + units.asking(active),
        "odd identities": active * ODD * units.seconds("odd"),
        "merging what waited": merges * units.seconds(*again),
    }
    close = identities * (units.seconds("closed", APART) + 2 * (ODD + CHANGED) * REQUEST)
    written = active * (units.more("waits", APART, "written") + ODD * units.slope("odd", "written"))
    written += identities * units.more("news", "waits", "written") + merges * units.more(*again, "written")
    gigabytes = (written * runs + identities * (units.more("closed", APART, "written") + 2 * DELETED)) / 1e9
    full = OPEN + REREAD / DAY  # at the end of a night: yesterday, and the day that was closed
    kept = (full + (ODD + CHANGED) * RETAIN_DAYS) * units.day
    kept += (OPEN + LESSONS + ODD * RETAIN_DELTAS) * units.row("delta")
    kept += 2 * units.more("news", "waits", "written") + units.row("profile") + units.row("inventory")
    waiting_runs = MERGED_EVERY / (60 * every) if every < MERGED_EVERY / 60 else 0.0
    store = (identities * kept + active * units.more("waits", APART, "written") * waiting_runs) / 1e9
    return Day(active, parts_of_rank, 2 * active * units.merging, close, runs,
               100 * units.stored[identities, every], gigabytes, store)  # fmt: skip


def page(figures: Sequence[dict[str, Any]]) -> str:
    """The page."""
    lines = [HEAD, *aims(Units(figures, 1_000)), CADENCES]
    lines += ["| events a day | an identity | identities | with events | a Rank, s | h a day | stored % | "
              "written, GB a day | KV store, GB | oplog, minutes |",
              "|---|" + "---:|" * 9]  # fmt: skip
    axis = sorted({figure["a_day"] for figure in figures})
    for million in TOTALS:
        for a_day in axis:
            identities, units = million * 1e6 / a_day, Units(figures, a_day)
            days = [day_of(units, identities, a_day, every) for every in EVERY]
            shown = (("active", "{:,.0f}"), ("rank", "{:,.0f}"), ("hours", "{:,.1f}"), ("stored", "{:.1f}"),
                       ("written", "{:,.0f}"), ("store", "{:,.1f}"), ("oplog", "{:,.0f}"))  # fmt: skip
            cells = ["/".join(shape.format(getattr(day, name)) for day in days) for name, shape in shown]
            lines.append("| " + " | ".join([f"{million} million", f"{a_day:,}", f"{identities:,.0f}", *cells]) + " |")
    lines += ["", "What was measured, whole runs (a row of the KV store: one):", "",
              "| events an identity | in the store | work | identities | CPU, ms | requests | kB read | kB written |",
              "|---|---:|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for figure in figures:
        if "work" in figure:
            many = figure["active"] if figure["work"].startswith("row of") else 1
            cells = [f"{figure['active']:,}", f"{1_000 * figure['cpu']:,.0f}", f"{figure['requests']:,}",
                     f"{figure['read'] / 1_000:,.0f}", f"{figure['written'] / 1_000 / many:,.1f}"]  # fmt: skip
            lines.append(
                f"| {figure['a_day']:,} | {figure['known']:,} | {figure['work']} | " + " | ".join(cells) + " |"
            )
    sizes: dict[Any, dict[str, float]] = next(
        (figure["bytes"] for figure in figures if "bytes" in figure and figure["a_day"] == 1_000), {}
    )
    lines += table_of_units(figures)
    return "\n".join([*lines, TAIL, *table_of_bytes(sizes), end(Units(figures, 1_000))])


def aims(units: Units) -> Iterator[str]:
    """What was asked at 100 million events of 100,000 identities, beside what comes of the figures."""
    days = [day_of(units, 1e5, 1_000, every) for every in EVERY]
    yield "| at 100 million events of 100,000 identities | asked, at most | " + " | ".join(
        f"every {every} minutes" for every in EVERY) + " |"  # fmt: skip
    yield "|---|" + "---:|" * (1 + len(EVERY))
    for name, asked, shape, values in (
        ("a Rank, s", 60, "{:,.0f}", [day.rank for day in days]),
        ("search head, hours a day, with Group's half", 3, "{:,.1f}", [day.hours for day in days]),
        ("KV store, GB", 10, "{:,.1f}", [day.store for day in days]),
        ("written to it, GB a day", 50, "{:,.0f}", [day.written for day in days]),
        ("stored in the index, % of the events' bytes", 1, "{:,.1f}", [day.stored for day in days]),
    ):
        verdicts = (f"{shape.format(value)}: {'met' if value <= asked else 'missed'}" for value in values)
        yield f"| {name} | {asked} | " + " | ".join(verdicts) + " |"
    yield "\nWhat the search head's hours consist of, in seconds a run:\n"
    yield "| at 100 million events of 100,000 identities | " + " | ".join(
        f"every {every} minutes" for every in EVERY) + " |"  # fmt: skip
    yield "|---|" + "---:|" * len(EVERY)
    for name in days[0].parts:
        yield f"| Rank: {name} | " + " | ".join(f"{day.parts[name]:,.1f}" for day in days) + " |"
    yield "| its half of Group | " + " | ".join(f"{day.group:,.1f}" for day in days) + " |"
    yield "| the close, for each run of a day | " + " | ".join(f"{day.close / day.runs:,.1f}" for day in days) + " |"


def table_of_bytes(sizes: dict[Any, dict[str, float]]) -> Iterator[str]:
    """What a row of the index consists of, for each cadence."""
    if not sizes:
        return
    yield STORED
    yield "| bytes of an identity and window | " + " | ".join(f"every {every} minutes" for every in sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for name in next(iter(sizes.values())):
        yield f"| {name} | " + " | ".join(f"{each[name]:,.0f}" for each in sizes.values()) + " |"


STORED = """\
**What is stored in the index** is not 1% of the events at any of these cadences, and no encoding makes it so: every 5 \
and 15 minutes the marks by which a record counts once and one record id a behaviour are more than that by \
themselves; every hour they leave too little for all else. Tried: twenty identities share a row (a third of the \
bytes of a row each), a dictionary of common words, marks of 5 bytes instead of 8, one record id a behaviour. Without \
marks a window that is read twice would count twice, without record ids notables would have no proof. Known calls \
cannot be left out either: whether a call is known is not known on an indexer, and the rows are what a closed day is \
read from.
"""


def table_of_units(figures: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What an identity more takes by the size of the store, and what comes of it."""
    sizes = sorted({figure["known"] for figure in figures if figure.get("work") == "closed"})
    by_size = {size: Units(figures, 1_000, size) for size in sizes}
    days = {size: day_of(units, 1e5, 1_000, RECOMMENDED) for size, units in by_size.items()}
    costs: dict[str, Callable[[Units], float]] = {
        "known calls that wait": lambda units: units.more("waits", APART, "cpu"),
        "news": lambda units: units.more("news", APART, "cpu"),
        "odd": lambda units: units.seconds("odd"),
        "merged, late on a day": lambda units: units.seconds("merged again", APART),
        "closed": lambda units: units.seconds("closed", APART),
    }
    yield "\nWhat an identity more takes, in ms with its requests, by how many are in the store:\n"
    yield "| | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for name, cost in costs.items():
        yield f"| {name} | " + " | ".join(f"{1_000 * cost(units):,.2f}" for units in by_size.values()) + " |"
    yield f"| a Rank every {RECOMMENDED} minutes, s | " + " | ".join(f"{day.rank:,.0f}" for day in days.values()) + " |"
    yield "| search head, hours a day | " + " | ".join(f"{day.hours:,.1f}" for day in days.values()) + " |"


HEAD = """\
# Splunk's state at scale

For anyone who sizes a search head. Written by `lab/bench/bench_splunk_kvstore.py` over the double of the KV store, \
on two busy cores, the double's own CPU and JSON on both sides included; without TLS and MongoDB, for no Splunk \
server was at hand.
"""
CADENCES = """
Whole days, with a run every 5/15/60 minutes. *h a day* is the search head's: Rank, its half of Group, the close, the \
deletion of closed days. *KV store* is the largest of a day, at the end of a night.
"""
TAIL = """
*waits*: a shard of known calls alone, kept as they came, in a window of five minutes. *news*: the same where 1.5% \
of the identities have a target that is new, merged and scored at once. *odd*: thieves alone; the difference between \
few and many is the unit. *merged*: what waited is merged; *merged again*: late on the day, when its row is largest, \
which is what the arithmetic takes. *closed*: scored once more and learnt. *idle*: nothing is new; *no notables*: \
before the store had 12,000 notables of 120 days; *open day*: in the course of a day; *inventory apart*: the same \
without reading the inventory of all identities, as all the others below it were measured, which are compared with \
it: in the seconds that this reading takes they would drown. The arithmetic takes it from *open day*, and the units \
of the largest store. Reading a search's CSV is not counted, nor is Group's work on the indexers.

**In the KV store** are identity-days of the two open days and, for six hours, of the day that was closed; what \
twelve days taught; parts that wait, of eight hours; profiles; and for 35 days those who were odd or whose \
credentials were changed ([decision 22](../decisions/0022-splunk-scale.md)). A deleted row takes about 150 bytes of \
the oplog.

**Assumed**: events come evenly all day, so as many identities as can be have some in each window; 1.5% of the parts \
hold news, 0.8% of the identity-days are odd and never wait, 0.5% of the identities have a credential that was \
changed within five weeks; every identity-day is merged three times; two indexers give a row each for an identity; \
as many identities share a row as of 100,000 do; a request to splunkd takes 10 ms, assumed before one connection \
served a whole run, so it is rather too long; the oplog has 1 GB, Splunk's own size; rows of longer windows are no \
larger than those of five minutes (they are, so their writes are too low); an identity has one role, ten actions, \
thirty targets. Not counted: searches of the summary index for closed days, some seconds for each identity whose \
late records show something new, or whose credential is exposed. A member of a cluster that lags longer than the \
oplog lasts must be resynchronised. The cores were shared with other work, which makes CPU times up to twice as \
long.
"""


def end(units: Units) -> str:
    """What breaks first beyond that size, and what to do."""
    days = {every: day_of(units, 1e6, 1_000, every) for every in (5, 60)}
    at_aim = {every: day_of(units, 1e5, 1_000, every) for every in EVERY}
    most = max(at_aim[15].parts, key=at_aim[15].parts.__getitem__)
    return f"""
**What breaks first at a million identities** of 1,000 events, a billion a day: the time between two Ranks. One \
takes {days[5].rank:,.0f} s every five minutes, and its half of Group {days[5].group:,.0f} s; hourly they take \
{(days[60].rank + days[60].group) / 60:,.0f} minutes of each hour. Even an idle run reads the inventory of all \
identities, to follow up exposures: {units.idle(1e6):,.0f} s. A Rank that takes longer than its interval delays the \
next, whose window is then longer; none is lost, for the right to write is renewed while a run works, and a close \
goes on from run to run. Next is the size of the KV store, {days[60].store:,.0f} GB on each member, with \
{days[60].written:,.0f} GB written a day.

**Recommended** at 100,000 identities: every 15 minutes, {at_aim[15].hours:.1f} h of search head a day where five \
minutes take {at_aim[5].hours:.1f} h and an hour {at_aim[60].hours:.1f} h ([how](../splunk.md#sizing)). The largest \
part of a Rank is then {most}.
"""


def main() -> None:
    """Measure, and tell."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--known", type=int, nargs="+", default=[5_000, 100_000])
    asked.add_argument("--active", type=int, nargs="+", default=[400, 400], help="identities at work, for each size")
    asked.add_argument("--axis", type=int, nargs="+", default=list(AXIS))
    asked.add_argument("--figures", type=Path, help="lines of JSON of an earlier run: measure nothing")
    asked.add_argument("--write", type=Path, help="the page")
    asked.add_argument("--note", default="", help="a paragraph for the page: what of the figures to know")
    args = asked.parse_args()
    figures: list[dict[str, Any]] = []
    if args.figures:
        figures += [json.loads(line) for line in args.figures.read_text("utf-8").splitlines()]
    else:
        for item in measured(args.known, args.active, args.axis):
            print(json.dumps(item), flush=True)
            figures.append(item)
    if args.write:
        args.write.write_text(page(figures) + (f"\n{args.note}\n" if args.note else ""), "utf-8")


if __name__ == "__main__":
    main()
