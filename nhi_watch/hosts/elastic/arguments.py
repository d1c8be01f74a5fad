"""The flags of `nhi elastic`, and what they may be."""

from __future__ import annotations

import argparse
import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import orjson
from rich.console import Console

from nhi_watch.core import timestamps
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.hosts.elastic import cluster, read, setup
from nhi_watch.hosts.files import common

_NAMESPACE = re.compile(r"[a-z0-9_.]{1,100}")


def connecting(command: argparse.ArgumentParser) -> None:
    """How to reach the cluster, and which part of it is meant; listed after the command's own flags."""
    parser = command.add_argument_group("cluster")
    parser.add_argument("--url", metavar="URL", help="of Elasticsearch, or several with commas (or NHI_ELASTIC_URL)")
    parser.add_argument("--cloud-id", metavar="ID", help="of a deployment in Elastic Cloud (or NHI_ELASTIC_CLOUD_ID)")
    parser.add_argument("--api-key-file", metavar="FILE",
                        help="holds the encoded key (or NHI_ELASTIC_API_KEY: the key itself)")  # fmt: skip
    parser.add_argument("--api-key-keyring", metavar="SERVICE[:USER]", help="the key lies in the system's keyring")
    parser.add_argument("--ca", metavar="FILE", help="PEM of the authority that signed the cluster's certificate")
    parser.add_argument("--fingerprint", metavar="HEX", help="SHA-256 of the cluster's certificate, in place of --ca")
    parser.add_argument("--proxy", metavar="URL", help="way to the cluster (or NHI_ELASTIC_PROXY, with a password)")
    parser.add_argument("--timeout", type=_timeout, default=cluster.TIMEOUT, metavar="S",
                        help=f"seconds to wait for an answer (default: {cluster.TIMEOUT:.0f})")  # fmt: skip
    parser.add_argument("--namespace", type=_namespace, default="default", metavar="NAME",
                        help="of the state and of what is written, one for each tenant (default: default)")  # fmt: skip
    parser.add_argument("--index", default=setup.SOURCE_INDICES, metavar="PATTERN",
                        help="source indices, with commas (default: those of every source that nhi reads)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def told(args: argparse.Namespace) -> cluster.Told:
    """What the flags say of the connection."""
    return cluster.Told(
        args.url, args.cloud_id, args.api_key_file, args.api_key_keyring, args.ca, args.fingerprint, args.proxy,
        args.timeout,
    )  # fmt: skip


def add_kibana(parser: argparse.ArgumentParser) -> None:
    """Where Kibana is; it takes the same key, authority and proxy."""
    parser.add_argument("--kibana", metavar="URL", help="of Kibana, with /s/SPACE at its end (or NHI_KIBANA_URL)")


def kibana_of(args: argparse.Namespace) -> Optional[cluster.Connection]:
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
        return cluster.connection(replace(told(args), url=url, cloud_id=None))
    except InputError as error:
        raise InputError(str(error).replace("--url", "--kibana")) from error


def judging(parser: argparse.ArgumentParser) -> None:
    """What to read, and how to judge it."""
    parser.add_argument("--since", type=_time, metavar="TIME",
                        help="read what was ingested since then (RFC 3339), also what was read before")  # fmt: skip
    parser.add_argument("--budget", type=_budget, default=10.0, metavar="N",
                        help="notables a day per 1,000 identities (default: 10)")  # fmt: skip
    parser.add_argument("--assets", type=Path, metavar="CSV",
                        help="who owns what: identity,criticality,owner,environment,comment")  # fmt: skip
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks: cidr,owner,kind,comment")
    parser.add_argument("--reputation", type=Path, action="append", default=[], metavar="FILE",
                        help="bad addresses: STIX 2.1, CSV or a list; may be given several times")  # fmt: skip
    parser.add_argument("--intel", nargs="?", const=read.STREAMS, default="", metavar="PATTERN",
                        help=f"streams to take bad addresses from (without PATTERN: {read.STREAMS})")  # fmt: skip
    parser.add_argument("--ocsf", action="store_true", help="keep each alert as an OCSF Detection Finding, too")
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model than the one that ships")
    parser.add_argument("--page", type=_page, default=read.PAGE, metavar="N",
                        help=f"documents a search (default: {read.PAGE})")  # fmt: skip
    parser.add_argument("--lag", type=seconds, default=120, metavar="S",
                        help="leave out the last S seconds (default: 120)")  # fmt: skip
    parser.add_argument("--wait", type=seconds, default=0, metavar="S",
                        help="wait so long for another run to end (default: 0)")  # fmt: skip



def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise argparse.ArgumentTypeError("want small letters, digits, _ and .")
    return text


def _time(text: str) -> int:
    try:
        return timestamps.parse(text)
    except RejectError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _budget(text: str) -> float:
    return _between(text, 0.001, 1000)


def _timeout(text: str) -> float:
    return _between(text, 0.1, 3600)


def _between(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"a number from {low:g} to {high:g}")
    return number


def _page(text: str) -> int:
    return common.whole(text, 1, 10_000)


def seconds(text: str) -> int:
    """A time of up to a day."""
    return common.whole(text, 0, 86_400)


def say(console: Console, args: argparse.Namespace, outcome: dict[str, Any], text: str) -> None:
    """The outcome as a line of text, or as JSON where that was asked for."""
    console.out(orjson.dumps(outcome).decode() if args.json else text, highlight=False)


def print_json(console: Console, outcome: dict[str, Any]) -> None:
    """One line of JSON."""
    console.out(orjson.dumps(outcome).decode(), highlight=False)
