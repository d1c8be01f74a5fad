"""Receipts: recomputed to the last digit, weeks later, over SQLite and over memory; and what breaks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core_samples import Options, record, run
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch.detect.explain.claims import ClaimCheck, day_scored, verify
from nhi_watch.state import retention
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant
from notable_samples import altered
from test_pipeline import quiet, raid

CARD = model.load()
ROOM = Options(budget=1000.0)
Records = list[dict[str, Any]]
Document = dict[str, Any]


@pytest.fixture(scope="module")
def days() -> list[Records]:
    spec = Spec(days=16, machines=20, seed=21, campaigns=12, events=3_000, quiet_days=3)
    return [day.records for day in Tenant(spec).days()]


def holds(checks: list[ClaimCheck]) -> dict[str, bool | None]:
    return {check.what: check.holds for check in checks}


ALL = dict.fromkeys(("model", "baseline", "signals", "likelihood", "points"), True)


LEARNT = {**ALL, "baseline": None, "points": None}
"""Of a closed day: the profiles have learnt it since."""


def test_every_receipt_is_recomputed_after_more_days_were_learnt(days: list[Records], tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    written: dict[str, NotableDocument] = {}
    for day in days:
        store = SqliteStore(path)
        for notable in run(store, day, ROOM).notables:
            written[notable["id"]] = notable
        store.close()
    assert len(written) >= 8 and len({day_scored(n) for n in written.values()}) >= 5
    store = SqliteStore(path)
    for notable in written.values():
        again = json.loads(json.dumps(notable))
        checks = holds(verify(store, CARD, again))
        is_closed = day_scored(notable) <= State(store).daybook.closed
        assert False not in checks.values() and (LEARNT if is_closed else ALL).items() <= checks.items(), notable[
            "title"
        ]
    store.close()


def test_linked_identities_are_recomputed_together() -> None:
    thief = {"address": "185.220.101.4", "agent": "aws-cli/2.1"}
    stolen = "ASIASTOLEN"
    shared = [
        record(20_000, f"14:{n:02}", role=role, session=stolen, name=name, service="iam", **thief)
        for n, (role, name) in enumerate(
            [("payments-api", "CreateAccessKey"), ("orders-api", "CreateUser"), ("orders-api", "AttachUserPolicy")]
        )
    ]
    store = MemoryStore()
    notables = run(store, quiet(20) + quiet(20, role="orders-api") + shared, ROOM).notables
    (notable,) = [n for n in notables if n["members"]]
    assert holds(verify(store, CARD, notable)) == ALL
    run(store, quiet(3, end=20_004))
    assert holds(verify(store, CARD, notable)) == LEARNT


CHANGES: list[tuple[Callable[[Document], object], str]] = [
    (lambda n: n.update(likelihood=12.0), "likelihood"),
    (lambda n: n["receipt"].update(model="0" * 64), "model"),
    (lambda n: n["receipt"].update(signals="0" * 64), "signals"),
    (lambda n: n["receipt"].update(baseline="0" * 64), "baseline"),
    (lambda n: n["signals"][0].update(points=n["signals"][0]["points"] + 0.0001), "points"),
    (lambda n: n["signals"][0].update(value=n["signals"][0]["value"] + 0.01), "points"),
    (lambda n: n["signals"].append({**n["signals"][0], "id": "made_up"}), "points"),
]


@pytest.mark.parametrize(("change", "what"), CHANGES)
def test_a_changed_digit_is_found_and_named(change: Callable[[Document], object], what: str) -> None:
    store = MemoryStore()
    (notable,) = run(store, quiet(20) + raid(), ROOM).notables
    changed = json.loads(json.dumps(notable))
    change(changed)
    assert holds(verify(store, CARD, changed)) == {**ALL, what: False}


def test_a_state_that_learnt_otherwise_gives_another_baseline() -> None:
    store = MemoryStore()
    (notable,) = run(store, quiet(20) + raid(), ROOM).notables
    other = MemoryStore()
    run(other, quiet(19) + raid(), ROOM)
    checks = holds(verify(other, CARD, notable))
    assert (checks["model"], checks["baseline"]) == (True, False)


def test_peers_and_tenant_are_among_the_rows_consulted() -> None:
    alone, beside = MemoryStore(), MemoryStore()
    (notable,) = run(alone, quiet(20) + raid(), ROOM).notables
    run(beside, quiet(20) + quiet(20, role="orders-api") + raid(), ROOM)
    assert holds(verify(beside, CARD, notable))["baseline"] is False


def test_after_retention_it_says_what_can_no_longer_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "RETAIN_DAYS", 4)
    monkeypatch.setattr(retention, "RETAIN_DELTAS", 8)
    store = MemoryStore()
    (notable,) = run(store, quiet(20) + raid(), ROOM).notables
    run(store, quiet(5, end=20_006))
    checks = verify(store, CARD, notable)
    assert holds(checks) == LEARNT
    assert "2024-10-04 is closed" in next(c.told for c in checks if c.what == "baseline")
    forged = altered({**notable, "likelihood": notable["likelihood"] - 1})
    assert holds(verify(store, CARD, forged)) == {**LEARNT, "likelihood": False}
    run(store, quiet(9, end=20_015))
    last = verify(store, CARD, notable)
    assert holds(last) == {"model": True, "signals": None} and "retention has removed this day" in last[-1].told


def test_what_is_no_compromise_or_has_no_day_is_refused() -> None:
    (notable,) = run(MemoryStore(), quiet(20) + raid(), ROOM).notables
    with pytest.raises(InputError, match="not scored by the model"):
        verify(MemoryStore(), CARD, {**notable, "kind": "posture"})
    with pytest.raises(InputError, match="does not name the day"):
        verify(MemoryStore(), CARD, {**notable, "baseline": {"id": "yesterday"}})
