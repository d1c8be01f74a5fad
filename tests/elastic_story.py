"""A story told batch by batch to two jobs that read the same source: one is left alone, the other is disturbed.

After each batch both must have written the same alerts, each once. The disturbed job is a process of its own, so
that it can be killed; a server of forks that has the program loaded already keeps that cheap.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any, Optional

from ecs_shape import document, load, template
from elastic_server import FIRST, Server
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import setup
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import ReadJob, run
from nhi_watch.hosts.elastic.store import read_lease
from nhi_watch_lab.simulator.tenant import Spec, Tenant

Tree = dict[str, Any]
BUDGET = 1000.0
LEASE = 2
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["nhi_watch.hosts.elastic.run", "elastic_story"])
_numbers = count(FIRST)

VOLATILE = ("revision", "rank", "telemetry", "created")
"""What of a notable tells of the run that wrote it."""


def records(days: int = 4, machines: int = 12) -> list[Tree]:
    """A small account with incidents, in order of time.

    Without what neither Elastic's fields nor OCSF keep: how a machine got its session.
    """
    spec = Spec(days=days, machines=machines, seed=23, campaigns=6, quiet_days=1)
    result = [record for day in Tenant(spec).days() for record in day.records]
    for record in result:
        record["userIdentity"].get("sessionContext", {}).pop("ec2RoleDelivery", None)
    return result


def batches(documents: Sequence[Tree], number: int) -> Iterator[Sequence[Tree]]:
    """Cut into that many stretches of about the same length."""
    edges = [len(documents) * i // number for i in range(number + 1)]
    return (documents[low:high] for low, high in zip(edges, edges[1:]))


def work(url: str, job: ReadJob, key: Optional[str] = None) -> None:
    """One run, as a process of its own does it; a lease that another one has is waited for."""
    with connect(Connection((url,), key, timeout=20)) as client:
        run(client, job)


def start(url: str, job: ReadJob, key: Optional[str] = None, target: Callable[..., None] = work) -> BaseProcess:
    """The same in a new process."""
    process = _FORKS.Process(target=target, args=(url, job, key))
    process.start()
    return process


class Story:
    """One source, and two namespaces on one server."""

    def __init__(self, server: Server, replicas: int = 0) -> None:
        self.client = server.client
        self.url = server.url
        name = f"story{next(_numbers)}"
        self.source = f"logs-aws.cloudtrail-{name}"
        self.calm, self.wild = f"{name}calm", f"{name}wild"
        template(self.client, self.source, replicas=replicas)
        for namespace in (self.calm, self.wild):
            setup.setup(self.client, namespace)

    def tell(self, batch: Sequence[Tree]) -> float:
        """Write a batch into the source, and let the undisturbed job read it; returns how long that took."""
        self.fill(batch)
        return self.read()

    def fill(self, batch: Sequence[Tree]) -> None:
        """Write a batch into the source."""
        when = render(int(time.time()) - 1)
        load(self.client, self.source, (document(r, i % 2 == 0, when) for i, r in enumerate(batch)))

    def read(self) -> float:
        """Let the undisturbed job read what is new; returns how long that took."""
        started = time.monotonic()
        run(self.client, self.job(self.calm))
        return time.monotonic() - started

    def job(self, namespace: str, **changes: Any) -> ReadJob:
        plain = ReadJob(self.source, namespace, budget=BUDGET, page=200, lag=0, lease=LEASE, wait=60.0)
        return plain._replace(**changes)

    def kill_one_of_two(self, took: float, dice: random.Random) -> None:
        """Start a run, a copy of it a moment later, and kill the first one somewhere; the copy does the rest."""
        first = start(self.url, self.job(self.wild))
        if dice.random() < 0.85:
            self._until_it_works(first)
        first.join(dice.uniform(0, 0.6 * took))
        second = start(self.url, self.job(self.wild))
        first.join(dice.uniform(0, 0.6 * took))
        first.kill()
        first.join()
        second.join(180)
        assert second.exitcode == 0, "the copy must finish the work"

    def _until_it_works(self, process: BaseProcess) -> None:
        while process.is_alive() and not self._has_the_lease(process):
            time.sleep(0.02)

    def _has_the_lease(self, process: BaseProcess) -> bool:
        lease = read_lease(self.client, f"nhi-state-{self.wild}")
        return lease is not None and f":{process.pid}:" in lease.holder and lease.until > time.time() - LEASE

    def alerts(self, namespace: str) -> list[Tree]:
        """The notables in all alerts, but for what tells of the run itself."""
        written = [hit["_source"] for hit in self._all(f"logs-nhi.alerts-{namespace}")]
        alerts = [alert["nhi"] for alert in written if alert["event"]["code"] != "job"]
        notables = [{key: value for key, value in a["notable"].items() if key not in VOLATILE} for a in alerts]
        notables = [
            {**n, "revision": a["notable"]["revision"], "change": a["change"]} for n, a in zip(notables, alerts)
        ]
        return sorted(notables, key=lambda n: (n["id"], n["revision"]))

    def _all(self, index: str) -> list[Tree]:
        self.client.options(ignore_status=404).indices.refresh(index=index)
        answer = self.client.search(index=index, size=10_000, ignore_unavailable=True)
        hits: list[Tree] = answer["hits"]["hits"]
        return hits

    def same(self) -> int:
        """Both jobs tell of the same notables, each revision once; returns how many alerts there are.

        What an alert counts may differ while its day is open, by what a run met at once: see `IdentityDay.has_news`.
        """
        calm, wild = self.alerts(self.calm), self.alerts(self.wild)
        for alerts in (calm, wild):
            named = [(alert["id"], alert["revision"]) for alert in alerts]
            assert len(named) == len(set(named)), "a revision is there twice"
        item, other = ({(alert["id"], alert["change"]) for alert in alerts} for alerts in (calm, wild))
        assert {name for name, _ in item} == {name for name, _ in other}, (
            f"calm {item - other}, disturbed {other - item}"
        )
        return len(calm)

    def close(self) -> None:
        """Take the story's indices away."""
        for namespace in (self.calm, self.wild):
            self.client.indices.delete(index=f"nhi-state-{namespace}", ignore_unavailable=True)
