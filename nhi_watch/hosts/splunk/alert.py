"""The alert action nhi_notable: writes each notable of a search once, into the risk index.

Splunk starts it with `--execute`, a JSON object on standard input and the rows in a gzipped CSV file. What was written
is remembered in the KV store, so that overlapping searches, retries and members of a cluster write nothing twice. A
claim is put before the event and confirmed after it: where the action dies between the two, a later run takes over
after `STALE` seconds.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, TextIO

from nhi_watch.core.errors import InputError, NhiError, RejectError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.hosts.splunk import rest
from nhi_watch.hosts.splunk.fields import SOURCETYPE
from nhi_watch.hosts.splunk.notables import in_event
from nhi_watch.hosts.splunk.rest import Client, Collection, Event, RestError

COLLECTION = "nhi_sent"
STALE = 600
"""Seconds after which an unconfirmed claim is nobody's any more."""
KEPT = 90 * DAY
WAYS = ("rest", "collector")
REALM, TOKEN = "nhi_watch", "collector"
"""Where the collector's token lies in storage/passwords."""
BAD_REQUEST = 400
_ID = re.compile(r"[0-9a-f]{20}")
_INDEX = re.compile(r"[a-z0-9_][a-z0-9_-]{0,79}")


@dataclass(frozen=True)
class Options:
    """What the alert's configuration says; as `param.NAME` in alert_actions.conf."""

    via: str = "rest"
    index: str = "nhi_risk"
    url: str = ""
    ca: str = ""


def options(told: Mapping[str, str]) -> Options:
    """Read the configuration.

    Raises:
        InputError: says what to write instead.
    """
    given = Options(*(str(told.get(name) or "").strip() or default for name, default in _DEFAULTS.items()))
    if given.via not in WAYS:
        raise InputError(f"via={given.via[:50]} is unknown. Write one of {', '.join(WAYS)}")
    if not _INDEX.fullmatch(given.index):
        raise InputError(f"index={given.index[:50]!r} is no name of an index. Write nhi_risk, for example")
    if given.via == "collector" and not given.url:
        raise InputError("via=collector needs the collector's address. Write url=https://collector.example.com:8088")
    return given


_DEFAULTS = asdict(Options())


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the results file.

    Raises:
        InputError: it cannot be read.
    """
    csv.field_size_limit(2**31 - 1)
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as stream:
            yield from csv.DictReader(stream)
    except (OSError, EOFError, csv.Error) as error:
        raise InputError(f"the results file cannot be read: {error}") from error


class Writer:
    """Writes findings once."""

    def __init__(self, splunkd: Client, collector: Optional[Client], now: int) -> None:
        self._splunkd, self._collector = splunkd, collector
        self._sent = Collection(splunkd, COLLECTION)
        self._now = now

    def write(self, key: str, event: Event) -> bool:
        """Whether it was written now; False: it had been before, or another member is at it.

        Raises:
            RestError: it could not be written; its claim is given back.
        """
        if not self._claim(key):
            return False
        try:
            if self._collector is not None:
                rest.collect(self._collector, event)
            else:
                rest.receive(self._splunkd, event)
        except RestError:
            self._sent.delete(key)
            raise
        self._sent.replace(key, {"_key": key, "state": "sent", "time": self._now})
        return True

    def _claim(self, key: str) -> bool:
        claim = {"_key": key, "state": "sending", "time": self._now}
        if self._sent.insert(claim):
            return True
        known = self._sent.get(key)
        if known is None:  # given back a moment ago
            return self._sent.insert(claim)
        if known.get("state") == "sent" or self._now - int(known.get("time") or 0) < STALE:
            return False
        self._sent.replace(key, claim)
        return True

    def forget(self) -> None:
        """What was written long ago is not asked for again."""
        self._sent.delete_where({"time": {"$lt": self._now - KEPT}})


def authorities(chosen: Options) -> list[Path]:
    """The files with certificates of who signs the servers' certificates: Splunk's own, and the one that was chosen."""
    home = Path(os.environ.get("SPLUNK_HOME", ""))
    own = home / "etc" / "auth" / "cacert.pem"
    named = [home / os.path.expandvars(chosen.ca)] if chosen.ca else []
    return [*([own] if own.is_file() else []), *named]


def writer(payload: Mapping[str, Any], chosen: Options, now: int) -> Writer:
    """Whom to write to.

    Raises:
        NhiError: an address or a certificate is wrong, or the collector's token is missing.
    """
    signed, uri = authorities(chosen), str(payload["server_uri"])
    splunkd = Client(uri, f"Splunk {payload['session_key']}", rest.trust(uri, *signed))
    if chosen.via == "rest":
        return Writer(splunkd, None, now)
    trusted = rest.trust(chosen.url, *signed)
    return Writer(splunkd, Client(chosen.url, f"Splunk {rest.password(splunkd, REALM, TOKEN)}", trusted), now)


class Run:
    """One alert: its counts and its log."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self.counts = {"written": 0, "known": 0, "failed": 0, "no notable": 0}
        self._gone = False

    def say(self, level: str, text: object) -> None:
        """A line in the log, as splunkd reads it from standard error."""
        self._log.write(f"{level} nhi_notable: {text}\n")

    def take(self, to: Writer, row: Mapping[str, str], index: str) -> None:
        """Write a row's event: each revision of a notable once."""
        raw = row.get("_raw") or ""
        try:
            document = in_event(raw)
            if not _ID.fullmatch(document["id"]):
                raise RejectError("bad_notable", "its id is none of ours")
            moment = parse(str(json.loads(raw).get("time") or document["last_time"]))
            event = Event(raw, moment, index, SOURCETYPE, "nhi_notable")
            self._write(to, f"{document['id']}.{document['revision']}.{index}", event)
        except RejectError as error:
            self.counts["no notable"] += 1
            self.say("WARN", f"a row is no notable; give rows of `nhi_notables` with _raw ({error})")

    def _write(self, to: Writer, key: str, event: Event) -> None:
        if self._gone:
            self.counts["failed"] += 1
            return
        try:
            self.counts["written" if to.write(key, event) else "known"] += 1
        except RestError as error:
            self.counts["failed"] += 1
            self._gone = error.status != BAD_REQUEST  # what holds for this row holds for all that follow
            self.say("ERROR", error)


def execute(payload: Mapping[str, Any], log: TextIO, now: int) -> int:
    """Write the notables of one alert; the process's exit code.

    Raises:
        NhiError: nothing could be written.
    """
    chosen = options(payload.get("configuration") or {})
    to, run = writer(payload, chosen, now), Run(log)
    for row in rows(Path(str(payload["results_file"]))):
        run.take(to, row, chosen.index)
    if not run.counts["failed"]:
        try:
            to.forget()
        except RestError as error:
            run.say("WARN", f"old entries of the collection {COLLECTION} could not be removed: {error}")
    run.say("INFO", ", ".join(f"{count} {what}" for what, count in run.counts.items()))
    return 1 if run.counts["failed"] else 0


def main(arguments: Sequence[str], payload: TextIO, log: TextIO) -> int:
    """What Splunk starts; lines in the log begin with their level."""
    if "--execute" not in arguments:
        log.write("FATAL nhi_notable: Splunk starts this file with --execute\n")
        return 2
    try:
        told = json.loads(payload.read())
        return execute(told, log, int(time.time()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.write(f"FATAL nhi_notable: the payload is not Splunk's ({type(error).__name__}: {error})\n")
    except NhiError as error:
        log.write(f"FATAL nhi_notable: {error}\n")
    return 2


def start() -> int:
    """The entry point of bin/."""
    return main(sys.argv[1:], sys.stdin, sys.stderr)
