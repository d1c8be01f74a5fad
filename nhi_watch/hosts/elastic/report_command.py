"""`nhi elastic report`: what stands in the state on Elasticsearch, as a folder to explain, brief and plan from.

The state is copied; the documents behind the notables are fetched as far as the key may read them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.elastic import access, arguments, documents, templates
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.files import common, find, jobs, originals
from nhi_watch.report import html, jsonlines
from nhi_watch.report.queries import originals_of
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import TABLES, Store

Json = dict[str, Any]
_STATE = "state.sqlite"
_END = "\U0010ffff"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    arguments.connecting(parser)
    parser.add_argument("--out", type=Path, default=common.OUT, metavar="DIR",
                        help=f"folder for report, list and copy of the state (default: {common.OUT})")  # fmt: skip


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Write report.html, notables.jsonl, events.jsonl and a copy of the state.

    Raises:
        InputError: the folder holds a state of its own.
        StoreError: the cluster cannot be read.
    """
    index = f"{templates.STATE}-{args.namespace}"
    with closing(ElasticStore(client, index)) as source, closing(_copied(source, args.out / _STATE, index)) as store:
        told: Json = {}
        parts: dict[bool, list[Json]] = {True: [], False: []}
        for notable in find.every(store):
            parts[notable["listed"]].append(notable)
        lists = jobs.lists_of(store, parts[True], parts[False], told)
    reach = access.reach(client, args.index.split(","), templates.READ)
    events = {one["id"]: one for one in _events(client, reach.patterns, [*lists[0], *lists[1][: html.BELOW]])}
    jsonlines.write(args.out / originals.NAME, events.values())
    common.write_lists(args.out, args.out / _STATE, lists, told, events)
    jsonlines.write(args.out / "run.json", [told])
    unread = [each._asdict() for each in reach.unread]
    _say(console, args, {**told, "below": len(lists[1]), "events": len(events), "unread": unread})
    return 2 if unread else 0


def _copied(source: Store, path: Path, index: str) -> SqliteStore:
    common.folder(path.parent)
    target = SqliteStore(path)
    copied = target.get("meta", [common.COPY])
    if not copied and next(target.scan("meta", "", _END), None):
        target.close()
        raise InputError(f"{path} holds what was learnt from files: name another folder with --out")
    for table in TABLES:
        target.put(table, [(key, None) for key, _ in target.scan(table, "", _END)])
        target.put(table, source.scan(table, "", _END))
    target.put("meta", [(common.COPY, index.encode())])
    target.commit()
    return target


def _events(client: Elasticsearch, patterns: Sequence[str], notables: Sequence[Mapping[str, Any]]) -> Iterator[Json]:
    for notable in notables:
        yield from documents.of(client, patterns, notable, set(originals_of(notable)))


def _say(console: Console, args: argparse.Namespace, told: Json) -> None:
    if args.json:
        arguments.print_json(console, told)
        return
    for each in told["unread"]:
        console.out(f"{each['pattern']} cannot be read: {each['why']}", highlight=False)
    console.out(f"{told['notables']:,} notables, {told['below']:,} below the line; {told['events']:,} of their records "
                f"found by index and id.\nReport: {args.out / 'report.html'}", highlight=False)  # fmt: skip
    if told["notables"]:
        console.out(f"Next: {common.program()} explain 1 {common.place(args.out)}", highlight=False)
