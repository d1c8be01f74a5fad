"""Negative controls: real benign logs, cut into the first minutes, hours or days of a tenant.

They are read from a folder beside the clone while a model is trained, and never copied. Only the half of each set that
is meant for training is read; tests judge by the other.
"""

from __future__ import annotations

import csv
import hashlib
import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch_lab.simulator.basics import dice

SHARED = Path(__file__).parents[4].parent / "shared" / "data"
Record = dict[str, Any]


class Set(NamedTuple):
    """One set of logs: how it is read, and the lengths in seconds into which it is cut."""

    read: Callable[[Path], list[Record]]
    time: str
    """The member that holds a record's time."""
    lengths: tuple[int, ...]
    watched: Callable[[Record], bool] = lambda record: True
    """Whether a record is of somebody who is watched; a control has one at least."""


def _grycap(folder: Path) -> list[Record]:
    text = (folder / "cloudtrail" / "grycap.ndjson").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _console(folder: Path) -> list[Record]:
    """Sessions of people, whose identities and addresses were taken out: each is an IAM user of its own."""
    found = list[Record]()
    for path in sorted((folder / "cloudtrail" / "console").glob("*.json")):
        if int(hashlib.sha256(path.name.encode()).hexdigest(), 16) % 2:
            found += [_named(record, path.stem) for record in json.loads(path.read_text("utf-8"))]
    return found


def _named(record: Record, session: str) -> Record:
    name, account = f"console-{session}", "111122223333"
    identity = {"type": "IAMUser", "principalId": f"AIDA{session.upper()}XXXXX", "accountId": account, "userName": name,
                "arn": f"arn:aws:iam::{account}:user/{name}", "accessKeyId": f"ASIA{session.upper()}QQQQ"}  # fmt: skip
    given = {
        "eventVersion": "1.08",
        "userIdentity": identity,
        "sourceIPAddress": "198.51.100.7",
        "recipientAccountId": account,
    }
    return {
        **given,
        **{key: value for key, value in record.items() if value is not None or key.startswith(("request", "response"))},
    }


def _hkerma(folder: Path) -> list[Record]:
    with (folder / "kubernetes" / "hkerma.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 11]
    return [_audited(row) for row in rows[: len(rows) // 2]]


def _audited(row: list[str]) -> Record:
    _, time, user, verb, resource, sub, name, _, uri, number, stage, code, *_ = row
    space = uri.partition("/namespaces/")[2].partition("/")[0].partition("?")[0]
    about = {"resource": resource, "subresource": sub, "name": name, "namespace": space, "apiVersion": "v1"}
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": number, "stage": stage,
        "requestURI": uri, "verb": verb, "user": {"username": user}, "responseStatus": {"code": int(code or 0)},
        "objectRef": {key: value for key, value in about.items() if value}, "requestReceivedTimestamp": time,
        "stageTimestamp": time,
    }  # fmt: skip


def _m365(folder: Path) -> list[Record]:
    text = (folder / "m365" / "audit.ndjson").read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [record for record in found if record["CreationTime"] < "2021-04-15"]


_SYSTEM = 3
"""Microsoft's own `UserType`."""
MINUTES, HOUR = 60, 3600
SETS = {
    "grycap": Set(_grycap, "eventTime", (10 * MINUTES, 45 * MINUTES, 3 * HOUR, 12 * HOUR, DAY, 3 * DAY) * 2),
    "console": Set(_console, "eventTime", (HOUR,) * 6),
    "hkerma": Set(_hkerma, "requestReceivedTimestamp", (10, 40, 300)),
    "m365": Set(_m365, "CreationTime", (30 * MINUTES, 4 * HOUR, DAY, 2 * DAY, 4 * DAY),
                lambda record: record.get("UserType") != _SYSTEM),
}  # fmt: skip
SLICES = tuple((name, number) for name, each in SETS.items() for number in range(len(each.lengths)))
"""Set and number of each control."""
LEAST = 5
"""Records that a control has."""


def check() -> None:
    """Make sure, before hours are spent, that the logs are there.

    Raises:
        InputError: they are not.
    """
    if not SHARED.is_dir():
        raise InputError(
            f"{SHARED}: no such folder. Training cuts its negative controls from benign logs there: put it beside the "
            "clone, or train without controls: nhi train --hands drawn old second third fourth fifth"
        )


def first(seed: int) -> tuple[frozenset[str], Iterator[tuple[list[Any], list[Record]]]]:
    """The control of a number, as days without incidents.

    Raises:
        InputError: the logs are not there.
    """
    name, number = SLICES[(seed - 1) % len(SLICES)]
    records, times = _sorted(name)
    length, d = SETS[name].lengths[number], dice("control", name, number)
    for _ in range(1000):
        low = d.between(0, len(records) - 1)
        high = bisect_left(times, times[low] + length)
        if high - low >= LEAST and any(map(SETS[name].watched, records[low:high])):
            return frozenset(), _by_day(records[low:high], times[low:high])
    raise InputError(f"{name}: no {length} seconds hold {LEAST} records")


def _by_day(records: list[Record], times: list[float]) -> Iterator[tuple[list[Any], list[Record]]]:
    days: dict[int, list[Record]] = {}
    for record, time in zip(records, times):
        days.setdefault(int(time // DAY), []).append(record)
    for day in sorted(days):
        yield [], days[day]


@cache
def _sorted(name: str) -> tuple[list[Record], list[float]]:
    check()
    each = SETS[name]
    found = [(float(parse(_zoned(record[each.time]))), record) for record in each.read(SHARED)]
    found.sort(key=lambda pair: pair[0])
    return [record for _, record in found], [time for time, _ in found]


def _zoned(time: str) -> str:
    """Microsoft's times are UTC and do not say so."""
    return time if time.endswith("Z") else f"{time}Z"
