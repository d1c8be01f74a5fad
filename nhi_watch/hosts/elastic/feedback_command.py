"""`nhi elastic feedback`: its arguments, and what it says."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.hosts.elastic import analysts, arguments, cluster, setup
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.store import ClusterClock, ElasticStore, Lease
from nhi_watch.hosts.files.common import OUT

Json = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi elastic feedback` takes."""
    arguments.connecting(parser)
    arguments.add_kibana(parser)
    parser.add_argument("--wait", type=arguments.seconds, default=60, metavar="S",
                        help="wait so long for a run to end (default: 60)")  # fmt: skip
    parser.add_argument("--audit", type=Path, default=OUT / audit.NAME, metavar="FILE",
                        help=f"audit trail of new verdicts (default: {OUT / audit.NAME})")  # fmt: skip


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Read feedback into the state; with Kibana named, close the alerts of merged notables.

    Raises:
        LeaseHeldError: a run works all the time.
        StoreError: Elasticsearch or Kibana refuses.
    """
    where = arguments.kibana_of(args)
    taken = _hear(client, args)
    outcome: Json = {name: told if isinstance(told, int) else len(told) for name, told in taken._asdict().items()}
    if where:
        with closing(Kibana(where)) as kibana:
            outcome["closed"] = analysts.close_merged(client, kibana, f"{setup.ALERTS}-{args.namespace}")
    arguments.say(console, args, outcome, sentence(outcome))
    return 0


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


def sentence(outcome: Json) -> str:
    """An outcome in words.

    >>> sentence({"verdicts": 3, "new": 0})
    'verdicts: 3, new: 0'
    """
    return ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in outcome.items())
