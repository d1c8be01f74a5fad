"""`nhi elastic feedback`: its arguments, and what it says."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.elastic import analysts, arguments, cluster, setup
from nhi_watch.hosts.elastic.cluster import Connection, Told, connection
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.store import ClusterClock, ElasticStore, Lease
from nhi_watch.hosts.files.common import OUT

Json = dict[str, Any]


def add_kibana(parser: argparse.ArgumentParser) -> None:
    """Where Kibana is; it takes the same key, authority and proxy."""
    parser.add_argument("--kibana", metavar="URL", help="of Kibana, with /s/SPACE at its end (or NHI_KIBANA_URL)")


def add_feedback(parser: argparse.ArgumentParser) -> None:
    """What `nhi elastic feedback` takes."""
    arguments.connecting(parser)
    add_kibana(parser)
    parser.add_argument("--wait", type=arguments.seconds, default=60, metavar="S",
                        help="wait so long for a run to end (default: 60)")  # fmt: skip
    parser.add_argument("--audit", type=Path, default=OUT / audit.NAME, metavar="FILE",
                        help=f"audit trail of new verdicts (default: {OUT / audit.NAME})")  # fmt: skip


def kibana_of(args: argparse.Namespace, told: Told) -> Optional[Connection]:
    """How to reach Kibana; None where none is named.

    Raises:
        InputError: its URL is wrong.
    """
    url = args.kibana or os.environ.get("NHI_KIBANA_URL")
    if not url:
        return None
    if "," in url:
        raise InputError("--kibana: give one URL")
    try:
        return connection(replace(told, url=url, cloud_id=None))
    except InputError as error:
        raise InputError(str(error).replace("--url", "--kibana")) from error


def feedback(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Read feedback into the state; with Kibana named, close the alerts of merged notables.

    Raises:
        LeaseHeldError: a run works all the time.
        StoreError: Elasticsearch or Kibana refuses.
    """
    where = kibana_of(args, arguments.told(args))
    taken = _hear(client, args)
    outcome: Json = {name: told if isinstance(told, int) else len(told) for name, told in taken._asdict().items()}
    if where:
        with Kibana(where) as kibana:
            outcome["closed"] = analysts.close_merged(client, kibana, f"{setup.ALERTS}-{args.namespace}")
    return _say(console, args, outcome)


def _hear(client: Elasticsearch, args: argparse.Namespace) -> analysts.Taken:
    """Under the lease, so that no run writes the same rows."""
    state = f"{setup.STATE}-{args.namespace}"
    cluster.demand(client, [*setup.own(args.namespace), {"names": [setup.ANALYSTS], "privileges": ["read"]}])
    lease = Lease(client, state, clock=ClusterClock(client, state))
    store = ElasticStore(client, state, lease.keep)
    lease.acquire(args.wait)
    try:
        now = int(time.time())
        taken = analysts.take(store, analysts.said(client, now), now)
        for verdict in taken.new:
            audit.append(args.audit, "verdict", verdict.by, {**verdict._asdict(), "from": "kibana", "state": state})
        store.commit()
    finally:
        store.close()
        lease.release()
    return taken


def _say(console: Console, args: argparse.Namespace, outcome: Json) -> int:
    if args.json:
        arguments.print_json(console, outcome)
    else:
        console.out(sentence(outcome), highlight=False)
    return 0


def sentence(outcome: Json) -> str:
    """An outcome in words.

    >>> sentence({"verdicts": 3, "new": 0})
    'verdicts: 3, new: 0'
    """
    return ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in outcome.items())
