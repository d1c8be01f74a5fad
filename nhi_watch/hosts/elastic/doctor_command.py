"""`nhi elastic doctor`: its arguments, and what it says."""

from __future__ import annotations

import argparse
from contextlib import closing

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic import arguments, doctor
from nhi_watch.hosts.elastic.cluster import connection, reached
from nhi_watch.hosts.elastic.doctor import FAIL, OK, Check, Wanted
from nhi_watch.hosts.elastic.kibana import Kibana, rule_runs

_LATE = 3600
_NAMED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    arguments.connecting(parser)
    arguments.add_kibana(parser)
    parser.add_argument("--late", type=arguments.seconds, default=_LATE, metavar="S",
                        help=f"age of the last run from which on something is wrong (default: {_LATE})")  # fmt: skip


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Examine; 0 where nothing is wrong, warnings apart, and 2 where something is."""
    where = connection(arguments.told(args))
    try:
        with reached(where):
            checks = doctor.examine(client, Wanted(args.index, args.namespace, args.late))
        checks.insert(0, Check("connection", OK, f"reached {where.name}"))
    except StoreError as error:
        checks = [Check("connection", FAIL, str(error))]
    checks += _of_kibana(args)
    verdict = doctor.worst(checks)
    if args.json:
        told = [{k: v for k, v in check._asdict().items() if v not in ("", {})} for check in checks]
        arguments.print_json(console, {"status": verdict, "checks": told})
    else:
        for check in _worth_reading(checks):
            remedy = f" -> {check.remedy}" if check.remedy else ""
            console.out(f"{check.status:<7} {check.name}: {check.detail}{remedy}", highlight=False)
    return 2 if verdict == FAIL else 0


def _of_kibana(args: argparse.Namespace) -> list[Check]:
    where = arguments.kibana_of(args)
    if where is None:
        return []
    with closing(Kibana(where)) as kibana:
        return [Check(*rule_runs(kibana))]


def _worth_reading(checks: list[Check]) -> list[Check]:
    """The many sources that nobody has are one line."""
    absent = [check for check in checks if check.facts.get("there") is False]
    if not absent:
        return checks
    named = ", ".join(check.name.partition(" ")[2] for check in absent[:_NAMED])
    told = f"{len(absent)} more that nhi reads are not there: {named}{' and others' * (len(absent) > _NAMED)}"
    return [*(check for check in checks if check not in absent), Check("other sources", OK, told)]
