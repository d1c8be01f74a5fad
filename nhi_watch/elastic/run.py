"""`nhi elastic run`: what was ingested since the checkpoint → pipeline → alerts → state → checkpoint.

In this order, so that a run may be killed anywhere: the window is noted first, and a window that was noted
but not finished is run again, alike; alerts have ids made of their content; the checkpoint is the last row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch import assets, model, network
from nhi_watch.elastic import read, templates, write
from nhi_watch.elastic.lease import SECONDS, Lease
from nhi_watch.elastic.read import Window
from nhi_watch.errors import RejectError, StoreError
from nhi_watch.pipeline import Options, Pipeline, Result
from nhi_watch.sources import cloudtrail
from nhi_watch.state import State
from nhi_watch.stores.elasticsearch import ElasticStore
from nhi_watch.stores.interface import Store
from nhi_watch.timestamps import DAY, render

LAG = 120
"""Seconds: what was ingested later may not be searchable yet."""
OVERLAP = 600
"""Seconds read again before the checkpoint; records are deduplicated by their own ids."""
FIRST = 30 * DAY
"""How far back a first run reads without --since."""
_MAX_REJECTS = 100

Stage = Callable[[str, int, int], None]


class Job(NamedTuple):
    """What to read, and how to judge it."""

    pattern: str = templates.SOURCE_INDICES
    namespace: str = "default"
    since: Optional[int] = None
    """Read from here, whatever the checkpoint says."""
    budget: float = 10.0
    assets: Optional[Path] = None
    networks: Optional[Path] = None
    model: Path = model.FOLDER
    page: int = read.PAGE
    lag: int = LAG
    lease: int = SECONDS


def run(client: Elasticsearch, job: Job, on_stage: Stage = lambda stage, done, total: None) -> dict[str, Any]:
    """Do one run; returns run.json's content, with the `window`, the `alerts` and the first `rejects`.

    Raises:
        LeaseHeldError: another run works.
        StoreError: Elasticsearch cannot be read or written, or is not set up.
    """
    if job.networks:
        network.load_custom(job.networks)
    index = f"{templates.STATE}-{job.namespace}"
    lease = Lease(client, index, job.lease)
    store = ElasticStore(client, index, lease.renew)
    lease.acquire()
    try:
        return _locked(client, job, store, lease, on_stage)
    finally:
        store.close()
        lease.release()


def _locked(client: Elasticsearch, job: Job, store: Store, lease: Lease, on_stage: Stage) -> dict[str, Any]:
    started = time.perf_counter()
    window = _plan(store, job)
    known = assets.load(job.assets) if job.assets else {}
    pipeline = Pipeline(State(store), model.load(job.model), [cloudtrail], Options(job.budget, known))
    rejects = _read(client, job, window, pipeline, lease)
    read_seconds = time.perf_counter() - started
    result = pipeline.finish(on_stage)
    lease.keep()
    stream = f"{templates.ALERTS}-{job.namespace}"
    result.run["alerts"] = write.write(client, result.changed, stream, render(int(time.time())))
    _finish(store, job, window)
    result.run["window"] = {
        "index": window.pattern,
        "since": render(window.since),
        "until": render(window.until),
    }
    result.run["rejects"] = rejects
    return _timed(result, read_seconds, started)


def _timed(result: Result, read_seconds: float, started: float) -> dict[str, Any]:
    seconds = result.run["seconds"]
    seconds["read"] = round(read_seconds - seconds.get("group", 0.0), 3)
    seconds["total"] = round(time.perf_counter() - started, 3)
    return result.run


def _read(client: Elasticsearch, job: Job, window: Window, pipeline: Pipeline, lease: Lease) -> list[dict[str, str]]:
    """Feed every page; returns where the first rejected documents lie, for they stay where they are."""
    rejects: list[dict[str, str]] = []
    for hits in read.pages(client, window, job.page):
        lease.keep()
        _feed(hits, pipeline, rejects)
    return rejects


def _feed(hits: list[read.Hit], pipeline: Pipeline, rejects: list[dict[str, str]]) -> None:
    def refuse(number: int, error: RejectError) -> None:
        pipeline.reject(error.reason)
        if len(rejects) < _MAX_REJECTS:
            hit = hits[number]
            rejects.append({"index": hit["_index"], "id": hit["_id"], "reason": error.reason})

    pipeline.feed(map(read.record, hits), refuse)


def _plan(store: Store, job: Job) -> Window:
    """The window to read: one that a killed run has left, or from the checkpoint to a little before now."""
    pending, checkpoint = _keys(job)
    rows = store.get("meta", [pending, checkpoint])
    until = int(time.time()) - job.lag
    if job.since is not None:
        since = job.since
    elif pending in rows:
        since, until = orjson.loads(rows[pending])
    elif checkpoint in rows:
        since = int(rows[checkpoint]) - OVERLAP
    else:
        since = until - FIRST
    window = Window(job.pattern, since, max(since, until))
    store.put("meta", [(pending, orjson.dumps([window.since, window.until]))])
    store.commit()
    return window


def _finish(store: Store, job: Job, window: Window) -> None:
    """Commit what the pipeline has put, and last of all that the window is done."""
    pending, checkpoint = _keys(job)
    before = store.get("meta", [checkpoint]).get(checkpoint, b"0")
    store.put("meta", [(checkpoint, str(max(window.until, int(before))).encode()), (pending, None)])
    store.commit()


def _keys(job: Job) -> tuple[str, str]:
    if len(job.pattern.encode()) > 400:
        raise StoreError("the list of source indices is too long: at most 400 bytes; use a pattern")
    return f"elastic:pending:{job.pattern}", f"elastic:checkpoint:{job.pattern}"
