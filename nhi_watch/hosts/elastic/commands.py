"""`nhi elastic`: its subcommands, their flags, and what they say."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import orjson
from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.detect import model
from nhi_watch.hosts.elastic import cluster, kibana, read, setup, windows, write
from nhi_watch.hosts.elastic import run as running
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.store import ClusterClock, ElasticStore, Lease, LeaseTakenError
from nhi_watch.hosts.files import common
from nhi_watch.hosts.files import feedback as verdicts

Json = dict[str, Any]
EXIT_LEASED = 75
"""The exit code of who found another run at work, or one that was killed: EX_TEMPFAIL, try again."""
_NAMESPACE = re.compile(r"[a-z0-9_.]{1,100}")
_SHOWN = 5
_LATE = 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    parser.epilog = "Start with setup, make a key from what `setup --api-key-request` writes, then use run and doctor."
    commands = parser.add_subparsers(dest="elastic_command", required=True, metavar="COMMAND")
    for name, (text, flags, _) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        _connecting(command)
        flags(command)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    if args.elastic_command == "setup" and args.api_key_request:  # it needs no cluster, and changes none
        _request_key(args, console)
        return 0
    where = cluster.connection(_connection_args(args))
    with cluster.reached(where), cluster.connect(where) as client:
        try:
            return _COMMANDS[args.elastic_command][2](client, args, console)
        except LeaseTakenError as error:
            return _report_lease(error, args, console)


# ---- flags


def _connecting(command: argparse.ArgumentParser) -> None:
    """How to reach the cluster, and which part of it is meant."""
    parser = command.add_argument_group("cluster")
    parser.add_argument("--url", metavar="URL", help="of Elasticsearch, or several with commas (or NHI_ELASTIC_URL)")
    parser.add_argument(
        "--api-key-file", metavar="FILE", help="holds the encoded key (or NHI_ELASTIC_API_KEY: the key itself)"
    )
    parser.add_argument("--ca", metavar="FILE", help="PEM of the authority that signed the cluster's certificate")
    parser.add_argument("--fingerprint", metavar="HEX", help="SHA-256 of the cluster's certificate, in place of --ca")
    parser.add_argument("--proxy", metavar="URL", help="proxy to the cluster (or NHI_ELASTIC_PROXY, with a password)")
    parser.add_argument(
        "--timeout",
        type=common.number(0.1, 3600),
        default=cluster.TIMEOUT,
        metavar="S",
        help=f"seconds to wait for an answer (default: {cluster.TIMEOUT:.0f})",
    )
    parser.add_argument(
        "--namespace",
        type=_namespace,
        default="default",
        metavar="NAME",
        help="namespace of state and output, one for each tenant (default: default)",
    )
    parser.add_argument(
        "--index",
        default=setup.SOURCE_INDICES,
        metavar="PATTERN",
        help="source indices, with commas (default: those of every source that nhi reads)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _connection_args(args: argparse.Namespace) -> cluster.ConnectionArgs:
    """What the flags say of the connection."""
    return cluster.ConnectionArgs(args.url, args.api_key_file, args.ca, args.fingerprint, args.proxy, args.timeout)


def _add_kibana(parser: argparse.ArgumentParser) -> None:
    """Where Kibana is; it takes the same key, authority and proxy."""
    parser.add_argument("--kibana", metavar="URL", help="of Kibana, with /s/SPACE at its end (or NHI_KIBANA_URL)")


def _kibana_of(args: argparse.Namespace) -> Optional[cluster.Connection]:
    """How to reach Kibana; None where none is named.

    Raises:
        InputError: its URL is wrong.
    """
    url = _kibana_url(args)
    if not url:
        return None
    if "," in url:
        raise InputError("--kibana: give one URL")
    try:
        return cluster.connection(replace(_connection_args(args), url=url))
    except InputError as error:
        raise InputError(str(error).replace("--url", "--kibana")) from error


def _kibana_url(args: argparse.Namespace) -> str:
    return args.kibana or os.environ.get("NHI_KIBANA_URL") or ""


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise argparse.ArgumentTypeError("use lower-case letters, digits, _ and .")
    return text


def _seconds(text: str) -> int:
    """A time of up to a day."""
    return common.whole_number(text, 0, 86_400)


# ---- setup


def _setup_flags(parser: argparse.ArgumentParser) -> None:
    _add_kibana(parser)
    parser.add_argument("--dry-run", action="store_true", help="only print what would change")
    parser.add_argument(
        "--api-key-request", metavar="FILE", help="write the request for a least-privilege API key; - prints it"
    )


def _request_key(args: argparse.Namespace, console: Console) -> None:
    path, body = args.api_key_request, setup.api_key_request(args.namespace, args.index)
    raw = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    if path == "-":
        console.out("POST /_security/api_key", raw.decode(), sep="\n", highlight=False)
        return
    try:
        Path(path).write_bytes(raw + b"\n")
    except OSError as error:
        raise InputError(f"--api-key-request {path}: {error.strerror}") from error


def _setup(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Set up, and say what changed."""
    where = _kibana_of(args)
    steps = setup.setup(client, args.namespace, args.dry_run)
    lines = ["Kibana was left out: --kibana URL adds the rules that turn notables into alerts, and the dashboards"]
    if where:
        with closing(Kibana(where)) as reached:
            steps += kibana.setup(reached, args.dry_run)
        lines = []
    tense = {"none": "unchanged"} if args.dry_run else {"none": "unchanged", "create": "created", "update": "updated"}
    for step in steps:
        more = f" and {len(step.what) - _SHOWN} more" if len(step.what) > _SHOWN else ""
        what = f": {', '.join(step.what[:_SHOWN])}{more}" if step.what else ""
        lines.append(f"{tense.get(step.change, f'would {step.change}')} {step.kind} {step.name}{what}")
    listed = [{"kind": s.kind, "name": s.name, "change": s.change, "what": list(s.what)} for s in steps]
    common.answer(args, console, {"dry_run": args.dry_run, "steps": listed}, *lines)
    return 0


# ---- run and learn


def _run_flags(parser: argparse.ArgumentParser) -> None:
    """What to read, and how to score it."""
    parser.epilog = (
        "Exit code: 0; 1 where documents were set aside; 2 where some, or all, could not be read; "
        "75 where another run works, or was killed minutes ago."
    )
    _add_kibana(parser)
    parser.add_argument(
        "--every",
        type=lambda text: common.whole_number(text, 10, 86_400),
        metavar="S",
        help="keep running, once every S seconds, until stopped by SIGTERM or Ctrl-C",
    )
    parser.add_argument(
        "--since", metavar="TIME", help="read what was ingested since then (RFC 3339), even if read before"
    )
    common.add_ranking(parser)
    common.add_tables(parser)
    parser.add_argument(
        "--intel",
        nargs="?",
        const=read.STREAMS,
        default="",
        metavar="PATTERN",
        help=f"streams to take bad addresses from (without PATTERN: {read.STREAMS})",
    )
    parser.add_argument(
        "--page",
        type=lambda text: common.whole_number(text, 1, 10_000),
        default=read.PAGE,
        metavar="N",
        help=f"documents per search (default: {read.PAGE})",
    )
    parser.add_argument(
        "--lag",
        type=_seconds,
        default=running.LAG,
        metavar="S",
        help=f"do not read the last S seconds (default: {running.LAG})",
    )
    parser.add_argument(
        "--wait", type=_seconds, default=0, metavar="S", help="wait this long for another run to end (default: 0)"
    )


def _run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Do one run, or one after the other until the process is stopped.

    Raises:
        StoreError: the first run failed; later ones say so, and the next one tries again.
    """
    worker = running.Worker(
        client,
        running.ReadJob(
            args.index,
            args.namespace,
            common.seconds(args.since, "--since") if args.since else None,
            args.budget,
            args.assets,
            args.networks,
            args.model or model.FOLDER,
            args.page,
            args.lag,
            wait=args.wait,
            alerts=args.elastic_command == "run",
            ocsf=args.ocsf,
            reputation=args.reputation,
            intel=args.intel,
            kibana=_kibana_url(args).rstrip("/"),
        ),
    )
    due, is_first = time.monotonic(), True
    while True:
        try:
            with cluster.reached(cluster.connection(_connection_args(args))):
                code = _round(worker, args, console)
        except LeaseTakenError as error:  # ordinary for a scheduled job: the other one does the work, or did
            code = _report_lease(error, args, console)
        except StoreError as error:
            if is_first:
                raise
            common.answer(args, console, {"error": str(error)}, f"This run failed: {error}.")
        if not args.every:
            return code
        due, is_first = max(due + args.every, time.monotonic()), False
        time.sleep(max(0.0, due - time.monotonic()))


def _report_lease(error: LeaseTakenError, args: argparse.Namespace, console: Console) -> int:
    common.answer(args, console, {"skipped": str(error)}, f"Nothing done: {error}.")
    return EXIT_LEASED


def _round(worker: running.Worker, args: argparse.Namespace, console: Console) -> int:
    """One run: 1 where documents were set aside, 2 where some could not be read; the rest was done all the same."""
    outcome = worker.round()
    troubles = write.troubles(outcome)
    common.answer(args, console, outcome, _sentence(outcome), *troubles, *write.warnings(outcome))
    return 1 if outcome.get("set_aside") else 2 if troubles else 0


def _sentence(outcome: Json) -> str:
    if "skipped" in outcome:
        return f"Nothing done: {outcome['skipped']}."
    window, alerts = outcome["window"], outcome["alerts"]
    rejected = sum(outcome["rejected"].values())
    late = f", {outcome['late']:,} read long after they were ingested" if outcome.get("late") else ""
    return (
        f"Read {outcome['read']:,} documents ingested from {window['since']} to {window['until']} "
        f"({rejected:,} rejected, {outcome['duplicates']:,} known{late}): {alerts['created']:,} new alerts, "
        f"{outcome['notables']:,} notables on those days."
    )


# ---- doctor


def _doctor_flags(parser: argparse.ArgumentParser) -> None:
    _add_kibana(parser)
    parser.add_argument(
        "--late",
        type=_seconds,
        default=_LATE,
        metavar="S",
        help=f"age of the last run that counts as too old (default: {_LATE})",
    )


def _doctor(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Examine; 0 where nothing is wrong, warnings apart, and 2 where something is."""
    from nhi_watch.detect import health
    from nhi_watch.hosts.elastic import doctor  # here, and so below, because a run needs none of these

    where, kibana_at = cluster.connection(_connection_args(args)), _kibana_of(args)
    try:
        with cluster.reached(where):
            checks = doctor.examine(client, doctor.Examined(args.index, args.namespace, args.late))
        checks.insert(0, health.check("connection", health.OK, f"reached {where.name}"))
    except StoreError as error:
        checks = [health.check("connection", health.ERROR, str(error))]
    if kibana_at:
        with closing(Kibana(kibana_at)) as reached:
            checks.append(kibana.rule_runs(reached))
    status = health.worst(checks)
    lines = [
        f"{each.status:<7} {' '.join(filter(None, (each.name, each.about)))}: {each.advice}"
        for each in doctor.worth_reading(checks)
    ]
    common.answer(args, console, {"status": status, "checks": [health.to_json(each) for each in checks]}, *lines)
    return 2 if status == health.ERROR else 0


# ---- feedback


def _feedback_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Without ID it takes what analysts said in Kibana: tags, and reasons for closing."
    verdicts.add_verdict(parser, nargs="?")
    parser.add_argument(
        "--out",
        type=Path,
        default=common.OUT,
        metavar="DIR",
        help=f"folder of the report whose ranks may replace ids (default: {common.OUT})",
    )
    _add_kibana(parser)
    parser.add_argument(
        "--wait", type=_seconds, default=60, metavar="S", help="wait this long for a run to end (default: 60)"
    )
    parser.add_argument(
        "--audit",
        type=Path,
        default=common.OUT / audit.NAME,
        metavar="FILE",
        help=f"audit trail of new verdicts (default: {common.OUT / audit.NAME})",
    )


def _feedback(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Read feedback into the state; with Kibana named, close the alerts of merged notables.

    Raises:
        LeaseHeldError: a run works all the time.
        StoreError: Elasticsearch or Kibana refuses.
    """
    from nhi_watch.hosts.elastic import analysts

    where, state = _kibana_of(args), f"{setup.STATE}-{args.namespace}"
    if args.what:
        with _writing(client, args, state) as (store, now):
            windows.put_due(store, now)
            return verdicts.act(args, store, console, now)
    with _writing(client, args, state) as (store, now):
        cluster.demand(client, [{"names": [setup.ANALYSTS], "privileges": ["read"]}])
        taken = analysts.take(store, analysts.said(client, now), now)
        if taken.new:
            windows.put_due(store, now)
        for verdict in taken.new:
            facts = {**verdicts.to_json(verdict), "from": "kibana", "state": state}
            audit.append(args.audit, "verdict", verdict.by, facts)
    outcome: Json = {
        name: taken_value if isinstance(taken_value, int) else len(taken_value)
        for name, taken_value in taken._asdict().items()
    }
    if where:
        with closing(Kibana(where)) as reached:
            outcome["closed"] = analysts.close_merged(client, reached, f"{setup.ALERTS}-{args.namespace}")
    counted = ", ".join(f"{name}: {count:,}" for name, count in outcome.items())
    common.answer(
        args, console, {**outcome, "wrong": taken.wrong}, counted, *(f"not taken: {each}" for each in taken.wrong)
    )
    return 2 if taken.wrong else 0


@contextmanager
def _writing(client: Elasticsearch, args: argparse.Namespace, state: str) -> Iterator[tuple[ElasticStore, int]]:
    """The state under the lease, so that no run writes the same rows, and the cluster's time; committed at the end."""
    cluster.demand(client, setup.own(args.namespace))
    clock = ClusterClock(client, state)
    lease = Lease(client, state, clock=clock)
    store = ElasticStore(client, state, lease.keep)
    lease.acquire(args.wait)
    try:
        yield store, int(clock())
        store.commit()
    finally:
        store.close()
        lease.release()


# ---- report


def _report_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=common.OUT,
        metavar="DIR",
        help=f"folder for report, list and copy of the state (default: {common.OUT})",
    )


def _report(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Write the folder; 2 where documents behind the notables could not be read."""
    from nhi_watch.hosts.elastic import report

    counts = report.write(client, args.namespace, args.index, args.out)
    lines = [f"{each['pattern']} cannot be read: {each['why']}" for each in counts["unread"]]
    lines.append(
        f"{counts['notables']:,} notables, {counts['below']:,} not listed; {counts['events']:,} of their "
        f"records found by index and id.\nReport: {args.out / 'report.html'}"
    )
    if counts["notables"]:
        lines.append(f"Next: {common.program()} explain 1 {common.place(args.out)}")
    common.answer(args, console, counts, *lines)
    return 2 if counts["unread"] else 0


Flags = Callable[[argparse.ArgumentParser], None]
Command = Callable[[Elasticsearch, argparse.Namespace, Console], int]
_COMMANDS: dict[str, tuple[str, Flags, Command]] = {
    "setup": ("install or upgrade templates and indices, and what Kibana shows", _setup_flags, _setup),
    "doctor": ("check connection, privileges, sources, heartbeat and backlog", _doctor_flags, _doctor),
    "run": ("score what was ingested since the last run, and write alerts", _run_flags, _run),
    "learn": ("learn what was ingested since the last run, without alerts", _run_flags, _run),
    "report": ("write the current notables to a folder, for nhi explain, brief and respond", _report_flags, _report),
    "feedback": (
        "give a verdict or an exception, or import those that analysts gave in Kibana",
        _feedback_flags,
        _feedback,
    ),
}
"""Name → what it does, its flags, and its work."""
