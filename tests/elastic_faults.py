"""Faults that befall a job on a real server with security, each at a random moment, and what must hold after each.

The job is a process of its own with the documented key. Right after the fault its checkpoint must not lie beyond what
it has written; once the fault is over, a few runs as a scheduler starts them bring it to what an undisturbed job wrote.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Optional
from unittest import mock

import orjson

from core_samples import Going, Options, shown
from ecs_shape import document, load, mappings
from elastic_proxy import away_for
from elastic_secured import Secured, key, wait
from elastic_server import Server, processor
from elastic_story import BUDGET, Story, start
from nhi_watch.core.errors import NhiError
from nhi_watch.core.timestamps import render
from nhi_watch.detect import episodes, publish
from nhi_watch.hosts.elastic import setup, windows, write
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import ReadJob, run
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore

Tree = dict[str, Any]
REFUSED, UNREAD = 2, 3
"""How a run ends that was refused something, and one that left a pattern out."""
_ENDS = {0: "ended well", REFUSED: "refused", UNREAD: "left out", -signal.SIGKILL: "killed"}
_RUNS = 4
_STALLED, _MOST_PROCESSOR = 180, 300
"""Seconds without any use of the processor after which a run hangs; seconds of processor time after which it loops. How
long a run takes by the clock says more about what else the machine does."""
_HOUR = 3600
_BLOCKS = ("nhi-state-{}", "logs-nhi.alerts-{}", "logs-nhi.health-{}")
_CONFLICT: Tree = {"template": {"mappings": {"properties": {"event": {"properties": {"reason": {"type": "long"}}}}}}}


def attempt(url: str, job: ReadJob, api_key: Optional[str]) -> None:
    """One run, as the program does it: anything but our own errors is a defect, and ends the process with 1."""
    try:
        with connect(Connection((url,), api_key, timeout=20)) as reached:
            sys.exit(UNREAD if run(reached, job).get("unread") else 0)
    except NhiError:
        sys.exit(REFUSED)


def attempt_and_die(url: str, job: ReadJob, api_key: Optional[str]) -> None:
    """One run that is killed when its state is written, checkpoint and all, and its alerts are not."""
    setattr(write, "write", lambda *_: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010
    attempt(url, job, api_key)


def _tell(process: BaseProcess, what: signal.Signals) -> None:
    if process.is_alive() and process.pid:
        os.kill(process.pid, what)


def _wait_while_it_works(process: BaseProcess) -> None:
    used, since = 0.0, time.monotonic()
    while process.is_alive() and time.monotonic() - since < _STALLED and used < _MOST_PROCESSOR:
        process.join(0.5)
        now = _processor(process)
        if now > used:
            used, since = now, time.monotonic()


def _processor(process: BaseProcess) -> float:
    """Seconds of processor time that a process has taken; 0: it has ended."""
    try:
        return processor(process.pid or 0)
    except OSError:
        return 0.0


class Faults:
    """A story told to a calm job and to one that is disturbed."""

    def __init__(self, server: Secured, dice: random.Random) -> None:
        self.server = server
        self.admin = server.admin
        self.dice = dice
        self.story = Story(Server(server.url, server.version, server.admin))
        self.pattern = f"{self.story.source}*"
        self.second = f"{self.story.source}.second"
        self.wild = self.story.wild
        self.after: Counter[str] = Counter()
        """How the disturbed runs ended, and how many more it took."""
        self.admin.indices.create(index=self.second, mappings=mappings())
        self._dead = f"dead:{self.pattern}"
        asked = setup.api_key_request(self.wild, f"{self.pattern},{self._dead}")
        self._role: Tree = asked["role_descriptors"]
        self._calm = key(self.admin, {"name": "calm"})
        api_key = self.admin.security.create_api_key(**asked)
        self.key, self._key_id = api_key["encoded"], api_key["id"]

    def job(self, **changes: Any) -> ReadJob:
        """The disturbed one."""
        return self.story.job(self.wild, **{"pattern": self.pattern, "patience": 3.0, **changes})

    def begin(self, batch: Sequence[Tree]) -> None:
        """What both jobs read before anything happens."""
        self._tell(batch)
        self._recover()

    def befall(self, kind: str, batch: Sequence[Tree]) -> int:
        """Tell a batch, let a fault befall the job, and look whether it bears it; returns how many alerts there are."""
        took = self._tell(batch)
        before = self._checkpoint()
        KINDS[kind](self, took)
        self._must_not_have_passed(before)
        self._recover()
        return self.story.same()

    def _tell(self, batch: Sequence[Tree]) -> float:
        when = render(int(time.time()) - 1)
        documents = [document(record, i % 2 == 0, when) for i, record in enumerate(batch)]
        load(self.admin, self.story.source, documents[::2])
        load(self.admin, self.second, documents[1::2])
        began = time.monotonic()
        with connect(Connection((self.server.url,), self._calm)) as reached:
            run(reached, self.story.job(self.story.calm, pattern=self.pattern))
        return time.monotonic() - began

    def _store(self) -> ElasticStore:
        return ElasticStore(self.admin, f"nhi-state-{self.wild}")

    def _checkpoint(self) -> int:
        result = windows.checkpoints(self._store(), [self.pattern, self._dead])
        assert result[self._dead] is None, "a dead remote was never read"
        return result[self.pattern] or 0

    def _must_not_have_passed(self, before: int) -> None:
        """Where the checkpoint has moved, all is written already, or the state knows that alerts are not."""
        if self._checkpoint() == before:
            return
        if publish.unconfirmed(self._store()):
            self.after["alerts were left to do"] += 1
        else:
            self.story.same()
            self.after["went through"] += 1

    def _recover(self) -> None:
        """Runs as a scheduler starts them, until one has read everything."""
        with connect(Connection((self.server.url,), self.key, timeout=20)) as reached:
            for number in range(_RUNS):
                try:
                    done = run(reached, self.job(patience=30.0))
                except NhiError as error:
                    self.after[f"again: {str(error)[:60]}"] += 1
                    continue
                if not done.get("unread"):
                    self.after[f"whole after {number + 1}"] += 1
                    break
            else:
                raise AssertionError(f"wedged: {_RUNS} runs, and none of them whole")
        assert windows.pending(self._store()) == [] and windows.asides(self._store()) == []

    def standing(self, read: Sequence[Tree]) -> int:
        """In the course of open days, too, both jobs know what files make of the same records; returns how many."""
        files = MemoryStore()
        going = Going(files, [cloudtrail], Options(BUDGET))
        going.feed(read)
        going.finish()
        theirs, calm = shown(files), shown(ElasticStore(self.admin, f"nhi-state-{self.story.calm}"))
        for job, notables in (("disturbed", shown(self._store())), ("calm", calm)):
            assert notables.keys() == theirs.keys(), f"{job}: {notables.keys() ^ theirs.keys()}"
            wrong = {
                (item, name)
                for item, notable in notables.items()
                for name in notable
                if notable[name] != theirs[item][name]
            }
            assert not wrong, f"{job}: {wrong}"
        return len(theirs)

    def scored(self, documents: Sequence[Tree]) -> int:
        """Of closed days both jobs keep what files make of the records in one go; returns how many notables that is."""
        files = MemoryStore()
        going = Going(files, [cloudtrail], Options(BUDGET))
        going.feed(documents)
        going.finish()
        days = State(files).daybook.closed_days
        kept = [
            {(day, item["id"]): episodes.digest(item) for day in days for item in episodes.each(rows, day)}
            for rows in (files, self._store(), ElasticStore(self.admin, f"nhi-state-{self.story.calm}"))
        ]
        assert kept[1] == kept[0] and kept[2] == kept[0], "not what nhi score makes of it"
        return len(kept[0])

    # ---- a process, and something that happens in the middle

    def _alone(self, took: float, place: Callable[[], Any], lift: Callable[[], Any] = lambda: None) -> None:
        """Something happens at a random moment of a run, sometimes before it, and goes by at another one."""
        at_once = self.dice.random() < 0.3
        if at_once:
            place()
        with self._running() as process:
            if not at_once:
                process.join(self.dice.uniform(0, took))
                place()
            process.join(self.dice.choice((0.5, 3.0, 60.0)))
            lift()

    @contextmanager
    def _running(self, url: str = "", target: Callable[..., None] = attempt, **changes: Any) -> Iterator[BaseProcess]:
        process = start(url or self.server.url, self.job(**changes), self.key, target)
        try:
            yield process
            _wait_while_it_works(process)
        finally:
            code = process.exitcode
            process.kill()
            process.join()
        assert code in _ENDS, f"ended with {code}"
        self.after[_ENDS[code]] += 1

    def kill(self, took: float) -> None:
        """SIGKILL, as when memory is short."""
        with self._running() as process:
            process.join(self.dice.uniform(0, 1.2 * took))
            process.kill()

    def half_written(self, took: float) -> None:
        """Killed between its state and its alerts."""
        with self._running(target=attempt_and_die):
            pass

    def twice(self, took: float) -> None:
        """The same window again, as after a clock was set back: all of it is known."""
        since = int(time.time()) - _HOUR
        for _ in range(2):
            with self._running(since=since):
                pass

    def pause(self, took: float) -> None:
        """Stopped for longer than its lease, while a copy does the work; then it goes on."""
        with self._running() as first:
            first.join(self.dice.uniform(0, took))
            _tell(first, signal.SIGSTOP)
            with self._running() as copy:
                copy.join(60)
            _tell(first, signal.SIGCONT)

    def restart(self, took: float) -> None:
        """The server is killed, and comes back."""
        self._alone(took, self.server.node.restart, lambda: wait(self.admin))
        wait(self.admin)

    def answered(self, status: str) -> None:
        """Some requests, from a random one on, get that answer."""
        spell, after = self.dice.randint(1, 12), self.dice.randint(0, 40)
        with away_for(self.server.url, spell, status, after) as road, self._running(road.url) as process:
            _wait_while_it_works(process)

    def stranger(self, took: float) -> None:
        """401: a proxy says so, or the key is gone for good and the job gets another one."""
        if self.dice.random() < 0.5:
            self.answered("401")
            return
        self._alone(took, lambda: self.admin.security.invalidate_api_key(ids=[self._key_id]))
        api_key = self.admin.security.create_api_key(name="again", role_descriptors=self._role)
        self.key, self._key_id = api_key["encoded"], api_key["id"]

    def forbidden(self, took: float) -> None:
        """403: a proxy says so, or one privilege is taken from the key, and given back."""
        if self.dice.random() < 0.3:
            self.answered("403")
            return
        less = orjson.loads(orjson.dumps(self._role))
        entry = self.dice.choice(less["nhi_run"]["indices"])
        entry["privileges"] = ["monitor"]
        change = self.admin.security.update_api_key
        self._alone(
            took,
            lambda: change(id=self._key_id, role_descriptors=less),
            lambda: change(id=self._key_id, role_descriptors=self._role),
        )

    def shard(self, took: float) -> None:
        """The one shard of one of the sources is nowhere."""
        allowed = "index.routing.allocation.enable"
        lost = {"index": self.second, "shard": 0, "node": self._node_now(), "allow_primary": True}

        def place() -> None:
            self.admin.indices.put_settings(index=self.second, settings={allowed: "none"})
            self.admin.cluster.reroute(commands=[{"cancel": lost}])

        def lift() -> None:
            self.admin.indices.put_settings(index=self.second, settings={allowed: None})
            self.admin.cluster.health(index=self.second, wait_for_status="yellow", timeout="30s")

        self._alone(took, place, lift)

    def _node_now(self) -> str:
        (node,) = self.admin.nodes.info()["nodes"]
        return str(node)

    def read_only(self, took: float) -> None:
        """Somebody has set a block on one of the job's indices."""
        self._blocked(took, self.dice.choice(_BLOCKS).format(self.wild), "write")

    def full_disk(self, took: float) -> None:
        """What Elasticsearch does at the flood stage: all indices may be deleted from, and not written."""
        self._blocked(took, f"nhi-*{self.wild},logs-nhi.*{self.wild}", "read_only_allow_delete")

    def _blocked(self, took: float, index: str, block: str) -> None:
        def put(value: Optional[bool]) -> None:
            there_or_not = self.admin.options(ignore_status=404).indices  # nothing may have been alerted yet
            there_or_not.put_settings(index=index, settings={f"index.blocks.{block}": value}, ignore_unavailable=True)

        self._alone(took, lambda: put(True), lambda: put(None))

    def clock(self, took: float) -> None:
        """The host's clock is an hour ahead or behind."""
        wrong, real = self.dice.choice((_HOUR, -_HOUR)), time.time
        with (
            mock.patch("time.time", lambda: real() + wrong),
            connect(Connection((self.server.url,), self.key)) as reached,
        ):
            run(reached, self.job())

    def mapping(self, took: float) -> None:
        """An index of the pattern maps a time as text; or alerts go into a stream that refuses them."""
        if self.dice.random() < 0.5:
            unusual = f"{self.story.source}.odd"
            self._alone(took, lambda: self._odd_source(unusual), lambda: self.admin.indices.delete(index=unusual))
            return
        template = self.admin.cluster
        name = f"{setup.ALERTS}@custom"
        self._alone(
            took,
            lambda: self._rolled(template.put_component_template(name=name, **_CONFLICT)),
            lambda: self._rolled(template.delete_component_template(name=name)),
        )

    def _rolled(self, done: object) -> None:
        self.admin.options(ignore_status=404).indices.rollover(alias=f"{setup.ALERTS}-{self.wild}")

    def _odd_source(self, index: str) -> None:
        field = self.dice.choice(("@timestamp", "event.ingested"))
        self.admin.indices.create(index=index, mappings={"properties": {field: {"type": "text"}}})
        self.admin.index(index=index, document={field: "never"}, refresh=True)

    def close(self) -> None:
        """Take the story's indices away."""
        self.story.close()
        self.admin.indices.delete(index=self.second, ignore_unavailable=True)


KINDS: dict[str, Callable[[Faults, float], None]] = {
    "kill": Faults.kill,
    "pause": Faults.pause,
    "restart": Faults.restart,
    "401": Faults.stranger,
    "403": Faults.forbidden,
    "429": lambda faults, _: faults.answered("429"),
    "503": lambda faults, _: faults.answered("503"),
    "answers lost": lambda faults, _: faults.answered("lose"),
    "killed half written": Faults.half_written,
    "the same window twice": Faults.twice,
    "shard failure": Faults.shard,
    "read-only index": Faults.read_only,
    "full disk": Faults.full_disk,
    "clock an hour off": Faults.clock,
    "mapping conflict": Faults.mapping,
}
