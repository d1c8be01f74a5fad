"""Runs `nhi elastic run` and kills itself in the middle: arguments STAGE URL SOURCE NAMESPACE."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from nhi_watch.core.timestamps import parse
from nhi_watch.detect import publish
from nhi_watch.hosts.elastic import read, store, windows, write
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import ReadJob, run


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(calls: int, inner: Any) -> Any:
    """`inner`, the first times; then death in its place."""
    done = [0]

    def wrapped(*arguments: Any, **named: Any) -> Any:
        done[0] += 1
        return inner(*arguments, **named) if done[0] <= calls else die()

    return wrapped


def in_the_middle_of_the_state(inner: Any) -> Any:
    """What comes before the state is written; of that the first bulk request is sent, cut small, and no other."""

    def wrapped(*arguments: Any) -> Any:
        setattr(store, "_BULK_ROWS", 40)  # noqa: B010
        setattr(store.ElasticStore, "_send", die_after(1, store.ElasticStore._send))  # noqa: B010
        return inner(*arguments)

    return wrapped


def main(stage: str, url: str, source: str, namespace: str) -> None:
    if stage == "read":
        setattr(read, "feed", die_after(2, read.feed))  # noqa: B010 - a name of a module
    elif stage == "alerts":
        setattr(write, "streaming_bulk", die)  # noqa: B010
    elif stage == "confirm":
        setattr(publish, "confirm", lambda _, arrived: arrived and die())  # noqa: B010
    else:
        setattr(windows, "advance", in_the_middle_of_the_state(windows.advance))  # noqa: B010
    with connect(Connection((url,))) as client:
        run(client, ReadJob(source, namespace, parse("2025-01-01T00:00:00Z"), 300.0, page=500, lag=0, lease=3))


if __name__ == "__main__":
    main(*sys.argv[1:])
