"""What a Rank costs on a search head, by how many events an identity has a day; writes docs/method/splunk_scale.md.

Measured are the runs of an hour over the state in the KV store in which some, and four times as many, identities have
events, the close of such a day, and what a day's rows take in the index; with up to 100,000 identities really in the
store. It is the double of tests/splunk_kvstore.py, in this process: what it takes itself, and JSON, is told apart; TLS
and MongoDB are not in it. The figures of whole days follow from these unit costs.

    .venv/bin/python lab/bench/bench_splunk_kvstore.py --write docs/method/splunk_scale.md
    .venv/bin/python lab/bench/bench_splunk_kvstore.py --figures figures.json --write docs/method/splunk_scale.md
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import _bench  # noqa: F401 - where things lie

from core_samples import CALL
from nhi_watch.context.context import NO_CONTEXT
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.hosts.splunk import parts
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, Generation, KvStore
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.hosts.splunk.rest import Client, Collection
from nhi_watch.hosts.splunk.run import Run
from nhi_watch.state.store import TABLES, MemoryStore, pack_plain
from splunk_kvstore import Direct, KvDouble

AXIS = 100, 1_000, 5_000
"""Events an identity and day."""
TOTALS = 1, 10, 100
"""Million events a day."""
EVERY = 5, 60
"""Minutes between two runs."""
LEARNT, TODAY = 12, 20_012
WINDOWS = 12
"""Runs that are measured one after the other, an hour's: not in each has everybody news."""
RAW = 1_500
"""Bytes of an event of CloudTrail in JSON, as it is indexed."""
BESIDE = 130
"""Bytes of a stored row besides nhi_part."""
REQUEST = 0.01
"""Seconds of one request to splunkd: supposed, as no server was at hand."""
ACTIONS = (
    "s3:GetObject", "s3:PutObject", "s3:ListObjects", "kms:Decrypt", "sts:GetCallerIdentity", "sqs:ReceiveMessage",
    "dynamodb:GetItem", "dynamodb:PutItem", "logs:PutLogEvents", "secretsmanager:GetSecretValue",
)  # fmt: skip


class Cost(NamedTuple):
    """Of one piece of work."""

    cpu: float
    """Seconds of ours."""
    store: float
    """Seconds of the double and of JSON on both sides."""
    mb: float
    """Held by the run beside what the process had, the double's rows above all."""
    requests: int
    read: int
    written: int


def identity(number: int) -> Identity:
    """A role, of which there are as many as wanted."""
    name = f"arn:aws:iam::{number % 400:012d}:role/worker-{number}"
    return Identity(f"aws:{number % 400:012d}:role:AROA{number:017d}", name, "role", "aws", f"{number % 400:012d}", "")


def events(who: Identity, day: int, first: float, last: float, a_day: int, dice: random.Random) -> Iterator[Event]:
    """What an identity does between two shares of a day: few actions often, from its two networks, evenly."""
    count = round(a_day * (last - first))
    for n in range(count):
        second = day * DAY + int((first + (last - first) * (n + dice.random()) / count) * (DAY - 1))
        action = ACTIONS[min(int(dice.expovariate(0.8)), len(ACTIONS) - 1)]
        yield CALL._replace(
            time=second, identity=who, account=who.account, action=action, service=action.partition(":")[0],
            session=f"ASIA{second // HOUR}", target=f"bucket-{dice.randrange(30)}", network=f"10.{n % 2}.0.0/16",
            record_id=str(uuid.UUID(int=dice.getrandbits(128))),
        )  # fmt: skip


def part_of(told: Iterator[Event], day: int) -> Part:
    """A row of nhigroup."""
    part = Part(day)
    for event in told:
        part.add(event)
    return part


# ---- the store


class Timed(Direct):
    """The double, with what it takes itself."""

    spent = 0.0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; to spell and to read JSON is counted on both sides."""
        started = time.process_time()
        try:
            return super().ask(method, path, body)
        finally:
            self.spent += time.process_time() - started


def filled(known: int) -> KvDouble:
    """A store with profile, day, judgement and inventory of so many identities."""
    dice, double = random.Random(2), KvDouble((STATE, GENERATIONS))
    sizes = {"profile/": 1_400, "delta/020001/": 700, "day/020001/": 2_600}
    pool = {at: [b64encode(dice.randbytes(size)).decode() for _ in range(50)] for at, size in sizes.items()}
    rows = double.captain[STATE]
    for number in range(known):
        for at, values in pool.items():
            key = f"{at}{identity(1_000_000 + number).id}"
            rows[key] = {"_key": key, "v": values[number % 50]}
        who = identity(1_000_000 + number)
        key, seen = f"inventory/i/{who.id}", [list(who), (TODAY - 9) * DAY, TODAY * DAY - 9]
        rows[key] = {"_key": key, "v": b64encode(pack_plain(seen)).decode()}
    return double


def learnt(a_day: int) -> MemoryStore:
    """What is known of a few identities after some days."""
    store, dice = MemoryStore(), random.Random(3)
    for day in range(TODAY - LEARNT, TODAY):
        ranked(store, {n: part_of(events(identity(n), day, 0, 1, a_day, dice), day) for n in range(4)}, day, 1.0)
    return store


def ranked(store: Any, found: dict[int, Part], day: int, until: float) -> None:
    """One run over rows, as nhirank makes it."""
    with few_collections():
        _ranked(store, found, day, until)


def _ranked(store: Any, found: dict[int, Part], day: int, until: float) -> None:
    going = Run(store, NO_CONTEXT, 10.0, day * DAY + int(until * (DAY - 1)))
    if found:
        gatherer = Gatherer(hold=True)
        for number, part in found.items():
            for text in part.pieces():
                gatherer.spool.add(day, parts.key_of(identity(number).id), text)
        going.take(day, gatherer.of(day))
    going.settle()
    store.commit()


def copied(store: KvStore, template: MemoryStore, active: int) -> None:
    """Put what is known of the few, for many who are like them."""
    rows = {table: dict(template.scan(table, "", "\U0010ffff")) for table in TABLES}
    for table in TABLES:
        store.put(table, rows[table].items())
    store.put("profile", [(identity(n).id, rows["profile"][identity(n % 4).id]) for n in range(4, active)])
    store.commit()


def resident(what: str = "VmRSS") -> float:
    """Megabytes that this process holds, or has held since it was last asked for those (Linux)."""
    told = Path("/proc/self/status").read_text("ascii").partition(f"{what}:")[2].split()[0]
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return round(int(told) / 1024, 1)


def measure(known: int, active: Sequence[int], a_day: int, template: MemoryStore) -> Iterator[tuple[str, int, Cost]]:
    """(work, identities, cost) for a store of so many identities."""
    client = Timed(filled(known))
    double = client.double

    def store() -> KvStore:
        kept, generations = (Collection(cast(Client, client), name) for name in (STATE, GENERATIONS))
        return KvStore(kept, lambda: Generation(generations, "bench"))

    def cost(*windows: tuple[dict[int, Part], int, float]) -> Cost:
        """Of one run in the mean."""
        double.costs.update(requests=0, read=0, written=0)
        before = resident()
        client.spent, started = 0.0, time.process_time()
        for window in windows:
            ranked(store(), *window)
        spent = time.process_time() - started - client.spent
        each = [told / len(windows) for told in (spent, client.spent, *double.costs.values())]
        return Cost(each[0], each[1], resident("VmHWM") - before, *map(round, each[2:]))

    dice = random.Random(4)
    copied(store(), template, max(active))
    half = {n: part_of(events(identity(n), TODAY, 0, 0.5, a_day, dice), TODAY) for n in range(max(active))}
    ranked(store(), half, TODAY, 0.5)
    yield "nothing new", 0, cost(({}, TODAY, 0.5))
    begin, span = 0.5, max(1 / 288, 1 / a_day)
    for count in active:
        windows = []
        for _ in range(WINDOWS):
            some = {n: part_of(events(identity(n), TODAY, begin, begin + span, a_day, dice), TODAY)
                    for n in range(count)}  # fmt: skip
            begin += span
            windows.append((some, TODAY, begin))
        yield "events", count, cost(*windows)
    end = part_of(events(identity(0), TODAY + 2, 0, 0.1, 100, dice), TODAY + 2)
    yield "close", max(active), cost(({0: end}, TODAY + 2, 0.1))


def stored(a_day: int, every: int) -> float:
    """Bytes of rows in the index for each byte of logs, when an identity's events come evenly."""
    dice, size, times = random.Random(5), 0, 3
    for n in range(times):
        found: dict[int, list[Event]] = {}
        for event in events(identity(n), TODAY, 0, 1, a_day, dice):
            found.setdefault(event.time // (60 * every), []).append(event)
        for window in found.values():
            size += sum(len(text) + BESIDE for text in part_of(iter(window), TODAY).brief(1).pieces())
    return size / (times * a_day * RAW)


def active_in(identities: float, a_day: int, every: int) -> float:
    """How many identities have events in a window, when they come evenly."""
    return identities * (1 - math.exp(-a_day * every / 1_440))


def measured(known: Sequence[int], active: Sequence[int], axis: Sequence[int]) -> Iterator[dict[str, Any]]:
    """All figures, as they come."""
    for a_day in axis:
        for every in EVERY:
            yield {"a_day": a_day, "every": every, "stored": stored(a_day, every)}
        template = learnt(a_day)
        for size in known:
            for work, count, cost in measure(size, active, a_day, template):
                yield {"a_day": a_day, "known": size, "work": work, "active": count, **cost._asdict()}


class Unit(NamedTuple):
    """What one identity with events takes, beside what each run takes."""

    fixed: float
    cpu: float
    requests: float
    close: float
    stored: dict[int, float]


def unit(figures: Sequence[dict[str, Any]], a_day: int) -> Unit:
    """The costs at the largest store that was measured."""
    mine = [one for one in figures if one["a_day"] == a_day]
    most = max(one["known"] for one in mine if one.get("work") == "close")  # the last that is measured of a size
    at = [one for one in mine if one.get("known") == most]
    none = next(one for one in at if one["work"] == "nothing new")
    few, many = (one for one in at if one["work"] == "events")
    more = many["active"] - few["active"]
    close = next(one for one in at if one["work"] == "close")
    return Unit(
        none["cpu"] + none["requests"] * REQUEST, (many["cpu"] - few["cpu"]) / more,
        (many["requests"] - few["requests"]) / more, close["cpu"] / close["active"],
        {one["every"]: one["stored"] for one in mine if "stored" in one},
    )  # fmt: skip


def page(figures: Sequence[dict[str, Any]]) -> str:
    """The page."""
    axis = sorted({one["a_day"] for one in figures})
    lines = [HEAD, "| events a day | an identity | identities | with events | a Rank, s | h a day | stored % |",
              "|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for million in TOTALS:
        for a_day in axis:
            cost, identities = unit(figures, a_day), million * 1e6 / a_day
            active = [active_in(identities, a_day, every) for every in EVERY]
            ranks = [cost.fixed + some * (cost.cpu + cost.requests * REQUEST) for some in active]
            hours = [(rank * 1_440 / e + 2 * cost.close * identities) / 3_600 for rank, e in zip(ranks, EVERY)]
            cells = [
                f"{million} million", f"{a_day:,}", f"{identities:,.0f}", "/".join(f"{some:,.0f}" for some in active),
                "/".join(f"{rank:,.0f}" for rank in ranks), "/".join(f"{each:,.1f}" for each in hours),
                "/".join(f"{100 * cost.stored[every]:.1f}" for every in EVERY),
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, TAIL])


HEAD = """\
# Splunk's state at scale

For anyone who sizes a search head. Written by `lab/bench/bench_splunk_kvstore.py` over the double of the KV store, on \
two busy cores: CPU is that of our side, without TLS and MongoDB, for no Splunk server was at hand.

Whole days, with a run every 5 minutes/every hour, by the unit costs of the largest store that was measured up to \
its close: events come evenly all day, so that as many identities as can be are met in each window; a request takes \
10 ms (supposed); at its close a day is judged once more, and *Close* reads its rows once more.
"""
TAIL = """
The aims at 100 million events of 100,000 identities are 3 hours a day with *Group*, 60 s a Rank, 10 GB of KV store, \
50 GB of writes a day, 1% stored. **They are missed**; only memory is bounded: half a million records (some 150 MB), \
64 MB of rows that wait to be written.

The workload of this table is odd: 77% of its identities are notables, where a tenant's are 0.8%. So *h a day* is \
too \
high by what that judging costs (16 ms an identity-day at its close, 2.2 ms a calm one), and too low by what the \
table \
leaves out:

| not in the table | unit, measured on the doubles before | at 100 million events of 100,000 identities |
|---|---|---|
| the search head's half of *Group* | 0.053 ms a row to merge, after 0.045 ms to unpack it | 97,000 rows a window: \
10 s, at 5 minutes 0.8 h a day; with ten peers up to ten rows an identity |
| notables of 120 days, read by each Rank | 1.24 ms and 25 kB each | at 100 a day 12,000: 15 s and 300 MB a run |
| rows of open days in the KV store | 41.5 kB an identity-day (31 kB and base64) | 4.2 GB a day; 35 closed days are \
kept too: 145 GB on each member |
| writes | each identity with events in a window, half a day's row in the mean | at 5 minutes 580 GB a day, hourly \
50 GB |
| the close of a day | 2.2 ms and 41.5 kB read an identity-day | 220 s and 4.2 GB, so in several Ranks of 150 s; \
before, none was judged meanwhile |

Assumed: events come evenly; 10 ms a request; no TLS and no MongoDB; one network and few actions an identity. The \
oplog \
(about 1 GB) holds two minutes of writes at five minutes, half an hour at an hourly schedule: a member that lags \
longer \
must be resynchronised. **So at more than 10 million events a day run hourly**; *what does not change does not reach \
the state* is designed and not built ([decision 22](../decisions/0022-splunk-scale.md)).

**What breaks first at a million identities** with 100 events each: the time between two Ranks. One that takes \
longer \
than five minutes delays the next, whose window is then longer; none is lost, for the right to write is renewed \
while a \
run works, and a close goes on from run to run. Next, the KV store: 35 closed days of a million rows.

So: where a Rank takes more than 25 s, which are two hours a day, run it hourly ([how](../splunk.md#sizing)).
"""


def main() -> None:
    """Measure, and tell."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--known", type=int, nargs="+", default=[25_000, 100_000])
    asked.add_argument("--active", type=int, nargs=2, default=[100, 400])
    asked.add_argument("--axis", type=int, nargs="+", default=list(AXIS))
    asked.add_argument("--figures", type=Path, help="lines of JSON of an earlier run: measure nothing")
    asked.add_argument("--write", type=Path, help="the page")
    told = asked.parse_args()
    figures: list[dict[str, Any]] = []
    if told.figures:
        figures += [json.loads(line) for line in told.figures.read_text("utf-8").splitlines()]
    else:
        for one in measured(told.known, told.active, told.axis):
            print(json.dumps(one), flush=True)
            figures.append(one)
    if told.write:
        told.write.write_text(page(figures), "utf-8")


if __name__ == "__main__":
    main()
