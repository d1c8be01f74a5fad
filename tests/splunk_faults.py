"""A company's days on a search head on which things go wrong, beside the program over the same records.

| what goes wrong | what is done here |
|---|---|
| a search peer is down, is lost unnoticed, answers late, answers twice | `splunk_peers.Fault` |
| the member is killed while it writes, within a shard of a close too | the KV store takes some documents more only |
| the member is killed behind nhirank | the state is written, and what nhirank answered goes nowhere |
| the KV store refuses, or a request is over its limits | HTTP 503; HTTP 400 to a read or a write |
| the KV store cuts answers short | pages and batches end at some kilobytes, without a word |
| the KV store is slow | the run's clock moves on by seconds or minutes at each look |

Closes are done in shards of a few identity-days, and each run hands over behind one of them: see `in_shards`.

| the clock of an indexer is behind | events arrive dated before a window of Group that is over |

A window that failed is part of the next one, as a durable search's is. What was lost unnoticed is made up for by
NHI Watch - Close, which reads again hours that lack events, and scores the rows of two days once more.

https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Savedsearchesconf (durable.*)
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any, NamedTuple, Optional, cast
from unittest import mock

from core_samples import Going, Options
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, MINUTE, parse
from nhi_watch.detect import engine, episodes
from nhi_watch.hosts.splunk import nhirank, run, waiting
from nhi_watch.hosts.splunk.kvstore import STATE, KvStore
from nhi_watch.hosts.splunk.rest import ATTEMPTS, Client, Collection, RefusedError
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import state
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, Rows
from splunk_conf import conf
from splunk_kvstore import Direct
from splunk_kvstore import Limits as KvLimits
from splunk_peers import Fault, Limits, SearchFailedError, Window
from splunk_process import CommandError
from splunk_rest import Double, encoded
from splunk_rest import Fault as Refusal
from splunk_server import Server

BUDGET = 300.0
PEERS = 3
SAVED = conf("savedsearches.conf")
GROUP, RANK = (SAVED[f"NHI Watch - {name}"]["search"] for name in ("Group Events", "Rank"))
KILLED = f"(`nhi_behaviours`) OR (`nhi_written`) | `nhi_read` | nhirank state=write budget={BUDGET:g}"
"""Rank up to the command that writes the state."""
STRICT = Limits(partial=False)
CUT = KvLimits(max_size_per_result_mb=0.02, max_size_per_batch_result_mb=0.05, truncates=True)
WAYS = ("group down", "group late", "group twice", "rank down", "rank late", "rank twice", "rank lost",
        "killed writing", "killed closing", "killed behind", "refused", "over limits", "cut short", "slow")  # fmt: skip
Found = dict[str, tuple[float, str, str]]
Rowed = dict[str, str]
Record = dict[str, Any]


class Lived(NamedTuple):
    """What came of it."""

    faults: Counter[str]
    """What was wrong with a run of the schedule → how often; "" is nothing."""
    failed: int
    """Searches that ended with an error."""
    slices: int
    """Runs beyond the schedule's that it took to end closes."""
    closed: dict[int, tuple[Found, Found]]
    """Day → its notables when it was closed, in Splunk and as the program has them."""
    listed: tuple[Found, Found]
    """What stands at the end, in the index and in the program."""


class Clock:
    """The time of runs."""

    def __init__(self) -> None:
        self.now, self.step = 0.0, 0.0

    def time(self) -> float:
        """What is the time? It takes `step` to answer."""
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class InProcess(Client):
    """A client whose requests reach the double without a socket: TLS would take longer than all that is answered."""

    def __init__(self, double: Double, clock: Clock, url: str, authorization: str, context: SSLContext) -> None:
        super().__init__(url, authorization, context, clock.sleep)
        self._double = double

    def _exchanged(
        self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str], timeout: int
    ) -> bytes:
        status, answer, more = self._double.answer(method, path, headers["Authorization"], body or b"")
        if not status:
            raise ConnectionResetError("the connection was cut")
        if status >= 300:
            raise RefusedError(status, "", dict(more).get("Retry-After", ""), encoded(answer))
        return encoded(answer)


class Schedule:
    """Groups and ranks what has arrived since the run before; a share of the runs is at fault."""

    def __init__(self, server: Server, share: float, seed: int) -> None:
        self.server, self.clock = server, Clock()
        self.failed = self.slices = self._grouped = self._ranked = 0
        self.faults: Counter[str] = Counter()
        self._share, self._dice = share, random.Random(seed)

    def run(self, now: int) -> None:
        """One run, a minute after `now`."""
        how = self._dice.choice(WAYS) if self._dice.random() < self._share else ""
        self.faults[how] += 1
        stage, _, what = how.partition(" ")
        peers = [Fault(self._dice.randrange(PEERS), what)] if stage in ("group", "rank") else []
        self.group(now, peers * (stage == "group"))
        splunkd = self.server.splunkd
        if stage == "killed" and what != "behind":
            splunkd.kv.stops_after = self._dice.randrange(40 if what == "writing" else 400)
        if how == "refused":
            splunkd.faults += [Refusal(503, "nhi_state")] * self._dice.choice([1, ATTEMPTS])
        if how == "over limits":
            splunkd.faults.append(Refusal(400, self._dice.choice(["batch_find", "batch_save"])))
        if how == "cut short":
            splunkd.kv.limits = CUT
        self.clock.step = self._dice.choice([5.0, MINUTE, 10.0 * MINUTE]) * (how == "slow")
        text = KILLED if how == "killed behind" else RANK
        arrived = Window(now - 9 * DAY, now + 2 * DAY, self._ranked, now + 120)
        if self._ran(text, arrived, peers * (stage == "rank")) and text == RANK:
            self._ranked = now + 120
        splunkd.kv.stops_after, splunkd.kv.limits, self.clock.step = -1, KvLimits(), 0.0
        splunkd.faults.clear()

    def behind(self, step: int) -> int:
        """By how many seconds the clock of who indexes is behind."""
        if self._dice.random() >= self._share / 4:
            return 0
        self.faults["clock behind"] += 1
        return step + 120

    def close(self, now: int) -> None:
        """NHI Watch - Close, until it goes well; then runs until no close is left."""
        while not self._ran(SAVED["NHI Watch - Close"]["search"], Window(now - 2 * DAY, now + 1)):
            now += 10 * MINUTE
        while self.state().daybook.learnt < self.state().daybook.closed:
            self.slices += 1
            self._ran(RANK, Window(now - DAY, now + 1, now, now + 1))

    def group(self, now: int, peers: Sequence[Fault] = ()) -> None:
        """A run of Group alone."""
        if self._ran(GROUP, Window(now - 26 * HOUR, now + 2 * DAY, self._grouped, now + 1), peers):
            self._grouped = now + 1

    def rank(self, now: int) -> bool:
        """A run of Rank alone, over the rows of the last half day; whether it went well."""
        return self._ran(RANK, Window(now - 9 * DAY, now + 2 * DAY, now - DAY // 2, now + 1))

    def ends(self, now: int) -> bool:
        """Whether a close ends within a few runs, the first of which may have to wait for one that was killed."""
        for at in range(now, now + 4 * HOUR, HOUR):
            self.rank(at)
            if self.state().daybook.learnt == self.state().daybook.closed:
                return True
        return False

    def state(self) -> State:
        """What the KV store holds."""
        return State(KvStore(Collection(cast(Client, Direct(self.server.splunkd.kv)), STATE)))

    def _ran(self, text: str, window: Window, peers: Sequence[Fault] = ()) -> bool:
        now = min(window.latest, window.index_latest - 1)
        self.server.faults, self.clock.now = list(peers), float(now)
        try:
            self.server.search(text, window, now, STRICT)
        except (CommandError, SearchFailedError, InputError):
            self.failed += 1
            return False
        finally:
            self.server.faults = []
        return True


def live(
    folder: Path,
    records: Sequence[Record],
    step: int,
    share: float,
    seed: int = 1,
    on_day: Callable[[str], object] = lambda text: None,
) -> Lived:
    """Let the days of records pass, with a run every `step` seconds; records in order of their time."""
    (folder / "lookups").mkdir()
    server = Server(folder, peers=PEERS)
    server.overrides["nhi_budget"] = f"{BUDGET:g}"
    schedule, program = Schedule(server, share, seed), MemoryStore()
    closed: dict[int, tuple[Found, Found]] = {}
    patient = partial(InProcess, server.splunkd, schedule.clock)
    with mock.patch.object(run, "time", schedule.clock), mock.patch.object(run, "Client", patient), in_shards():
        for day, of_day in by_day(records):
            arriving = iter([*of_day, None])
            waiting = next(arriving)
            for now in range(day * DAY + step, (day + 1) * DAY + 1, step):
                came = []
                while waiting is not None and waiting[0] < now:
                    came.append(waiting)
                    waiting = next(arriving)
                server.index(came, "aws:cloudtrail", now - schedule.behind(step))
                schedule.run(now)
            schedule.close((day + 1) * DAY + 4 * MINUTE)
            going = Going(program, [cloudtrail], Options(BUDGET))
            going.feed(record for _, record in of_day)
            standing = going.finish().standing
            closed.update(_closed(server, program, closed))
            count = sum(schedule.faults.values()) - schedule.faults["clock behind"]
            wrong = sum(ours != theirs for ours, theirs in closed.values())
            on_day(
                f"day {day}: {count} runs, {schedule.failed} searches failed, "
                f"{len(closed)} days closed, {wrong} of them differ"
            )
            oldest = day * DAY  # what no search looks at any more
            server.events = [e for e in server.events if e["index"] == ["nhi_risk"] or int(e["_time"][0]) >= oldest]
    in_index = {
        name: (float(row["nhi_likelihood"][0]), row["nhi_severity"][0], row["nhi_title"][0])
        for name, row in server.standing().items()
    }
    listed = {item["id"]: (item["likelihood"], item["severity"], item["title"]) for item in standing if item["listed"]}
    return Lived(schedule.faults, schedule.failed, schedule.slices, closed, (in_index, listed))


class ShardKills(NamedTuple):
    """What came of closes that were killed."""

    shards: int
    """Runs that the close took undisturbed, each behind a shard of it."""
    kills: int
    notables: int
    """Of the days that were closed."""
    differed: list[str]


def kill_at_each_shard(folder: Path, records: Sequence[Record], step: int) -> ShardKills:
    """Close the first days that are due, killed in each shard in turn: before, amid and behind what it writes.

    After a kill runs go on until the close has ended. The notables that it leaves must be what the program makes of the
    records, and what it taught must be what a close that nobody disturbs teaches.
    """
    (folder / "lookups").mkdir(parents=True)
    server = Server(folder, peers=PEERS)
    server.overrides["nhi_budget"] = f"{BUDGET:g}"
    schedule, program, going = Schedule(server, 0.0, 1), MemoryStore(), True
    patient = partial(InProcess, server.splunkd, schedule.clock)
    with ExitStack() as patched:
        for module, name, value in (
            (run, "time", schedule.clock),
            (run, "Client", patient),
            (nhirank, "MANY", 0),  # known calls wait until the close merges them, shard by shard
            (waiting, "MERGED_EVERY", 9 * DAY),
        ):
            patched.enter_context(mock.patch.object(module, name, value))
        timed = sorted(((parse(r["eventTime"]), r) for r in records), key=lambda pair: pair[0])
        now = timed[0][0] // DAY * DAY
        while going:
            now += step
            server.index([pair for pair in timed if now - step <= pair[0] < now], "aws:cloudtrail", now)
            schedule.group(now)
            before = _Snapshot(server)
            with in_shards():
                schedule.rank(now)
            going = not schedule.state().daybook.closed_days
        story = Going(program, [cloudtrail], Options(BUDGET))
        story.feed(record for time, record in timed if time < now)
        story.finish()
        expected = {day: _told(program, day) for day in State(program).daybook.closed_days}
        left, shards = dict[str, tuple[dict[int, Found], Rowed]](), 0
        before.restore()
        while schedule.state().daybook.learnt < max(expected):
            at, shards, now = _Snapshot(server), shards + 1, now + 5 * MINUTE
            with in_shards():
                schedule.rank(now)
            written = server.splunkd.kv.documents - at.documents
            behind = _Snapshot(server)
            for stop in sorted({1, written // 2, written} - {0}):
                at.restore()
                server.splunkd.kv.stops_after = stop
                with in_shards():
                    schedule.rank(now)
                server.splunkd.kv.stops_after = -1
                ended = schedule.ends(now + HOUR)
                told = {day: _told(schedule.state().rows, day) for day in expected} if ended else {}
                left[f"shard {shards}, killed after {stop} of {written} documents"] = told, _taught(server, expected)
            behind.restore()
        differed = [how for how, found in left.items() if found != (expected, _taught(server, expected))]
    return ShardKills(shards, len(left), sum(map(len, expected.values())), differed)


def _taught(server: Server, days: Iterable[int]) -> Rowed:
    """What was learnt of some days, by key: their lessons, and the profiles without those kept for the eve of a day."""
    lessons = tuple(f"delta/{day:06d}/" for day in days)
    rows = server.splunkd.kv.captain[STATE].items()
    return {
        key: row["v"]
        for key, row in rows
        if key.startswith((*lessons, "profile/")) and not key.startswith("profile/eve/")
    }


class _Snapshot:
    """A search head as it is now."""

    def __init__(self, server: Server) -> None:
        self._server, self.documents = server, server.splunkd.kv.documents
        self._events, self._lookups = [*server.events], deepcopy(server.collections)
        self._kv = {name: {**rows} for name, rows in server.splunkd.kv.captain.items()}

    def restore(self) -> None:
        """Make it so again."""
        kv = self._server.splunkd.kv
        self._server.events, self._server.collections = [*self._events], deepcopy(self._lookups)
        kv.captain = {name: {**rows} for name, rows in self._kv.items()}
        kv.documents = self.documents
        kv._order.clear()


@contextmanager
def in_shards(size: int = 3) -> Iterator[None]:
    """Closes go on by so many identity-days a run."""
    with ExitStack() as patched:
        for module in (engine, state):
            patched.enter_context(mock.patch.object(module, "AT_ONCE", size))
        patched.enter_context(mock.patch.object(nhirank, "CLOSING", -1e12))
        yield


def by_day(records: Sequence[Record]) -> Iterator[tuple[int, list[tuple[int, Record]]]]:
    """Day → its records with their times."""
    result: dict[int, list[tuple[int, Record]]] = {}
    for time, record in sorted(((parse(r["eventTime"]), r) for r in records), key=lambda pair: pair[0]):
        result.setdefault(time // DAY, []).append((time, record))
    yield from result.items()


def _closed(server: Server, program: MemoryStore, known: dict[int, Any]) -> dict[int, tuple[Found, Found]]:
    """The notables of the days that were closed since."""
    ours, theirs = State(KvStore(Collection(cast(Client, Direct(server.splunkd.kv)), STATE))), State(program)
    assert ours.daybook.closed == theirs.daybook.closed
    days = [day for day in theirs.daybook.between(0, ours.daybook.first_unlearnt) if day not in known]
    return {day: (_told(ours.rows, day), _told(theirs.rows, day)) for day in days}


def _told(rows: Rows, day: int) -> Found:
    result = episodes.each(rows, day)
    return {item["id"]: (item["likelihood"], item["severity"], item["title"]) for item in result}
