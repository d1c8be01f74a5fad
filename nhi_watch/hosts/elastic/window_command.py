"""`nhi elastic window`: what is noted to be read, what was set aside, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import arguments, aside, templates, windows
from nhi_watch.hosts.elastic.clock import ClusterClock
from nhi_watch.hosts.elastic.lease import Lease
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.elastic.windows import Task

Json = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    arguments.connecting(parser)
    parser.add_argument("what", choices=("show", "skip", "retry"),
                        help="show: what is noted and what was set aside; skip: set the next part aside, or give up "
                        "number N for good; retry: read number N again with the next run")  # fmt: skip
    parser.add_argument("number", type=int, nargs="?", metavar="N", help="of a part that was set aside, as shown")
    parser.add_argument("--wait", type=arguments.seconds, default=60, metavar="S",
                        help="wait so long for a run to end (default: 60)")  # fmt: skip


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Show, or do what was asked for.

    Raises:
        InputError: there is nothing to skip, or no such number.
        LeaseHeldError: a run works all the time.
    """
    if args.what == "show":
        _show(ElasticStore(client, _index(args)), args, console)
        return 0
    if args.what == "retry" and args.number is None:
        raise InputError("say which part to retry, by its number: `nhi elastic window show` lists them")
    with _changing(client, args) as (store, clock):
        if args.what == "retry":
            part = aside.retry(store, args.number)
        elif args.number is not None:
            part = aside.forget(store, args.number)
        else:
            part = aside.skip_next(client, store, int(clock()))
    done = {"retry": "noted for the next run", "skip": "set aside" if args.number is None else "given up for good"}
    _say(console, args, {args.what: part.told()}, [f"{done[args.what]}: {_sentence(part.told())}"])
    return 0


def _index(args: argparse.Namespace) -> str:
    return f"{templates.STATE}-{args.namespace}"


@contextmanager
def _changing(client: Elasticsearch, args: argparse.Namespace) -> Iterator[tuple[ElasticStore, ClusterClock]]:
    """The state, under the lease that runs take; what was changed is committed at the end."""
    ElasticStore(client, _index(args)).close()
    clock = ClusterClock(client, _index(args))
    lease = Lease(client, _index(args), clock=clock)
    store = ElasticStore(client, _index(args), lease.keep)
    lease.acquire(args.wait)
    try:
        yield store, clock
        store.commit()
    finally:
        store.close()
        lease.release()


def _show(store: ElasticStore, args: argparse.Namespace, console: Console) -> None:
    noted = [_of_task(task) for task in windows.pending(store)]
    parts = [{"number": number, **each.told()} for number, each in enumerate(aside.listed(store), 1)]
    lines = [f"noted: {_noted(each)}" for each in noted] + [
        line for part in parts for line in (f"{part['number']}: {_sentence(part)}", *_ids(part))
    ]
    _say(console, args, {"noted": noted, "set_aside": parts}, lines or ["nothing is noted, nothing was set aside"])


def _of_task(task: Task) -> Json:
    return {
        "index": task.window.pattern, "since": render(task.window.since), "until": render(task.window.until),
        "documents": task.documents, "parts_left": len(task.spans()), "begun": task.starts,
        "failures": list(task.failures),
    }  # fmt: skip


def _noted(task: Json) -> str:
    failed = f", failed {len(task['failures'])} times: {task['failures'][-1]}" if task["failures"] else ""
    return (f"{task['documents']:,} documents of {task['index']}, ingested from {task['since']} to {task['until']}; "
            f"{task['parts_left']} parts left, the next one begun {task['begun']} times{failed}")  # fmt: skip


def _sentence(part: Json) -> str:
    return (f"{part['documents']:,} documents of {part['index']}, ingested from {part['since']} to {part['until']}, "
            f"set aside at {part['set_aside']}: {part['why']}")  # fmt: skip


def _ids(part: Json) -> list[str]:
    more = part["documents"] - len(part["ids"])
    return [*(f"   {each['index']}/{each['id']}" for each in part["ids"]), *([f"   and {more:,} more"] if more else [])]


def _say(console: Console, args: argparse.Namespace, told: Json, lines: list[str]) -> None:
    if args.json:
        arguments.print_json(console, told)
        return
    for line in lines:
        console.out(line, highlight=False)
