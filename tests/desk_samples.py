"""Notables made to order, in a state on the disk, and the desk's commands run on it."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.notable import (
    Control,
    Dimension,
    NotableIdentity,
    ObservedValue,
    SignalPoints,
    TimelineEntry,
    UsualValue,
    to_json,
)
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import publish
from nhi_watch.detect.explain.fields import notable_id
from nhi_watch.state.sqlite import SqliteStore
from notable_samples import samples

BASE = samples()[0]
DAY_ONE = 20_500
"""2026-02-16"""
NOW = "2026-03-01T12:00:00Z"
ACCOUNT = "111122223333"
KEY = "AKIAIOSFODNN7EXAMPLE"
ROLE = NotableIdentity(
    f"aws:{ACCOUNT}:role:AROAEXAMPLE", f"arn:aws:iam::{ACCOUNT}:role/payments-api", "role", "aws", ACCOUNT, "team-pay"
)
USER = NotableIdentity(
    f"aws:{ACCOUNT}:user:AIDAEXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/ci", "user", "aws", ACCOUNT, "team-build"
)


def record(number: int) -> str:
    return hashlib.sha256(f"record {number}".encode()).hexdigest()[:32]


def signal(name: str, log_odds: float, evidence: str, *records: int) -> SignalPoints:
    return SignalPoints(name, 3 * log_odds, log_odds, 9.5, evidence, tuple(map(record, records)), False)


NETWORK = signal("new_network", 2.5, "network 198.51.100.0/24: not seen in 30 active days of this identity", 1, 2)
MAKES = signal("credential_creation", 1.9, "iam:CreateAccessKey makes a credential that outlives the session", 3)


def dimension(name: str, usual: Iterable[str], fresh: Iterable[str]) -> Dimension:
    observed = tuple(ObservedValue(value, True, 4) for value in fresh)
    return Dimension(name, tuple(UsualValue(value, 20) for value in usual), observed)


def notable(
    day: int = DAY_ONE,
    identity: NotableIdentity = USER,
    signals: tuple[SignalPoints, ...] = (NETWORK,),
    fresh: Iterable[str] = ("198.51.100.0/24",),
    **changes: Any,
) -> Any:
    """A notable's JSON document."""
    base = day * DAY + 10 * 3600
    timeline = (
        TimelineEntry(base, "sts:GetCallerIdentity", "success", "198.51.100.7", record(1), 1.5, 2),
        TimelineEntry(base + 60, "iam:CreateAccessKey", "denied", "198.51.100.7", record(3), 5.7, 1),
    )
    dimensions = (
        dimension("network", ["203.0.113.0/24"], fresh),
        dimension("credential", [], [KEY] if identity.kind == "user" else []),
    )
    notable = replace(
        BASE,
        id=notable_id(identity.id, day),
        kind="compromise",
        identity=identity,
        created=base + 900,
        first_time=base,
        last_time=base + 900,
        signals=signals,
        timeline=timeline,
        likelihood=91.0,
        severity="critical",
        controls=(
            Control("rotate_secret", True, f"Rotate {KEY}: deactivate it, then delete it.", "open"),
            Control("reduce_privilege", True, "Used for the first time: iam:CreateAccessKey; deny it.", "open"),
        ),
        record_ids=tuple(map(record, range(1, 6))),
        record_count=5,
    )
    notable = replace(notable, usual=replace(notable.usual, dimensions=dimensions))
    return to_json(replace(notable, **changes))


def state(folder: Path, notables: Iterable[Any]) -> Path:
    """A folder with a state that holds these notables."""
    folder.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(folder / "state.sqlite")
    publish.put(store, notables)
    store.commit()
    store.close()
    return folder


def desk(module: Any, *words: object, out: Path) -> str:
    """What a command of the desk prints; its errors come through."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    shown = io.StringIO()
    args = parser.parse_args([*map(str, words), "--out", str(out)])
    assert module.run(args, Console(file=shown, width=200, highlight=False)) == 0
    return shown.getvalue()


def asked(module: Any, *words: object, out: Path) -> Any:
    """The same with --json, read."""
    answer: dict[str, Any] = json.loads(desk(module, *words, "--json", out=out))
    return answer
