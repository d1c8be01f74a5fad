"""The baseline as a lookup table: what the state holds, whatever was learnt twice, late, or long ago."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import Going
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import StoreError
from nhi_watch.detect import drift, model, ranking
from nhi_watch.detect.signal_values import SET
from nhi_watch.detect.telemetry import WINDOW
from nhi_watch.hosts.splunk import health, lookup, shelf
from nhi_watch.hosts.splunk.learning import FOLLOWED, Learnt, settle
from nhi_watch.hosts.splunk.lookup import LookupBaselines, Table
from nhi_watch.hosts.splunk.tablestore import DRIFT, RHYTHM, TableStore, day_in
from nhi_watch.intake.days import Intake
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import baseline, inventory
from nhi_watch.state.baseline import TENANT, peer_scope
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.state import State
from nhi_watch_lab.simulator import Spec, Tenant

DAYS = 8
Wholes = dict[str, IdentityDay]


@lru_cache
def simulated() -> tuple[tuple[dict[str, Any], ...], ...]:
    days = Tenant(Spec(days=DAYS, machines=8, seed=5, campaigns=3)).days()
    return tuple(tuple(day.records) for day in days)


def days_of(records: Iterable[dict[str, Any]]) -> dict[int, Wholes]:
    grouping = Intake([cloudtrail])
    grouping.feed(records, lambda index, error: None)
    return dict(sorted(grouping.days.items()))


@lru_cache
def state() -> State:
    """What the program learns of all days but the last, which stays open."""
    store = MemoryStore()
    going = Going(store, [cloudtrail])
    going.feed([r for day in simulated() for r in day])
    going.finish()
    return State(store)


def learn(table: Table, days: dict[int, Wholes], keep: int = 4, retire: int = 0) -> Table:
    learnt, store = Learnt(table, min(days)), TableStore(table, min(days))
    for day, wholes in days.items():
        settle(store, model.load(), {day: wholes})
        learnt.take(store, day)
    return learnt.table(store, keep, retire)


def all_days() -> dict[int, Wholes]:
    return days_of(r for day in simulated() for r in day)


def rows(table: Table) -> list[list[str]]:
    return list(table.rows())


def test_a_table_holds_the_profiles_that_the_state_holds() -> None:
    days = all_days()
    table = learn(Table(), days)
    card = model.load()
    for day in sorted(days)[-4:]:
        wanted = state().scopes(day + 1)
        found = LookupBaselines(card, table)
        for wholes in days.values():
            for whole in wholes.values():
                found.past(whole.identity, day + 1)
        assert {n: baseline.to_row(p) for n, p in found.own.items()} == {
            n: baseline.to_row(p) for n, p in wanted.own.items()
        }
        known = {peer_scope(whole.identity) for wholes in days.values() for whole in wholes.values()} | {TENANT}
        assert {n: told(found.groups[n]) for n in known} == {n: told(p) for n, p in wanted.groups.items()}


def told(profile: baseline.Profile) -> list[Any]:
    """But for the day up to which it knows: a group that did not change has an earlier row."""
    return baseline.to_row(profile)[1:]


def test_learning_day_by_day_gives_the_table_of_learning_all_at_once() -> None:
    days = all_days()
    table = Table()
    for last in sorted(days):
        table = learn(table, {day: all_days()[day] for day in days if table.base < day <= last})
    assert rows(table) == rows(learn(Table(), days))


def test_the_same_days_again_change_nothing() -> None:
    table = learn(Table(), all_days())
    again = learn(table, {day: wholes for day, wholes in all_days().items() if day > table.base})
    assert rows(again) == rows(table)


def test_a_late_event_within_the_kept_days_is_learnt_as_if_it_had_come_in_time() -> None:
    early = days_of(r for day in simulated() for n, r in enumerate(day) if n % 9)
    table = learn(Table(), early)
    late = learn(table, {day: wholes for day, wholes in all_days().items() if day > table.base})
    base = {day: early[day] for day in early if day <= table.base}
    wanted = learn(Table(), {**base, **{d: w for d, w in all_days().items() if d > table.base}})
    for learnt in (late, wanted):  # the ledger remembers when a control was first asked for
        learnt.kept["ledger"].clear()
    assert rows(late) == rows(wanted)


def test_a_table_survives_the_lookup_file(tmp_path: Path) -> None:
    table = learn(Table(), all_days())
    lines = [lookup.COLUMNS, *rows(table)]
    text = "\n".join(",".join('"{}"'.format(cell.replace('"', '""')) for cell in line) for line in lines)
    (tmp_path / "nhi_baseline.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert rows(lookup.table(tmp_path, lookup.DEFAULT)) == rows(table)


def test_only_the_last_days_stay_apart_and_groups_have_rows_for_them_alone() -> None:
    table = learn(Table(), all_days(), keep=3)
    last = max(all_days())
    assert table.days == [last - 2, last - 1, last]
    assert table.base == last - 3
    assert {len(days) <= 4 for days, _ in table.groups.values()} == {True}
    assert min(days[0] for days, _ in table.groups.values()) <= table.base


def test_who_was_not_seen_for_long_is_forgotten_and_only_if_asked() -> None:
    days = all_days()
    silent = max(days[min(days)])
    for day in sorted(days)[3:]:
        days[day].pop(silent, None)
    table, last = learn(Table(), days, keep=1), max(days)
    kept, retired = (learn(table, {last: days[last]}, keep=1, retire=retire) for retire in (0, 2))
    assert set(kept.own) - set(retired.own) == {silent}
    assert {key[2:] for key in retired.kept["inventory"] if key[:2] == "i/"} == set(retired.own)


def test_the_inventory_goes_along() -> None:
    table = learn(Table(), all_days())
    store = TableStore(table, max(all_days()) + 1)
    wanted = {name: (known.first, known.last) for name, known in inventory.identities(state().rows).items()}
    assert {n: (k.first, k.last) for n, k in inventory.identities(store).items()} == wanted


def test_a_damaged_cell_is_named() -> None:
    table = Table()
    table.add(["aws:1:role:X", "20000", "[1,2", ""])
    with pytest.raises(StoreError, match="the baseline's row of aws:1:role:X is damaged"):
        lookup.profile_of("aws:1:role:X", table.own["aws:1:role:X"].profile)


# ---- drift


def test_spreads_of_two_weeks_go_along_and_no_more() -> None:
    days = all_days()
    table = learn(Table(), days)
    known = sorted(days)[drift.SETTLED:]  # a tenant's first days tell nothing of drift
    assert kept(table, DRIFT) == known
    last = max(days)
    late = learn(table, {last + 12: days[last]})
    assert kept(late, DRIFT) == [*(day for day in known if day > last - 2), last + 12]


def kept(table: Table, what: str) -> list[int]:
    return [day_in(key) for key in sorted(table.kept["meta"]) if key.startswith(what)]


def test_rhythms_of_the_weeks_in_which_silence_is_judged_go_along_and_no_more() -> None:
    days = all_days()
    table = learn(Table(), days)
    assert kept(table, RHYTHM) == sorted(days)
    last = max(days)
    later = learn(table, {last + WINDOW + FOLLOWED: days[last]})
    assert kept(later, RHYTHM) == [last - 1, last, last + WINDOW + FOLLOWED]


@pytest.mark.parametrize(("later", "status"), [(1.0, "ok"), (9.0, "error")])
def test_health_tells_when_scores_moved_since_the_week_before(tmp_path: Path, later: float, status: str) -> None:
    table = Table()
    for day in range(14):
        high = later if day >= 7 else 1.0
        text = lookup.dump([SET, [90.0, high, 0, 0, 0, high, 0, 0], {}])
        table.add([f"meta/drift/{20_000 + day:06d}", "0", text, ""])
    table.days = [20_013]
    told = health.drifted(table, model.load(), tmp_path)
    assert (told["nhi_check"], told["nhi_status"]) == ("drift", status)
    assert ("score by" in str(told["nhi_text"])) is (status == "error")


def test_with_too_few_days_drift_is_unknown(tmp_path: Path) -> None:
    assert health.drifted(Table(), model.load(), tmp_path)["nhi_status"] == "unknown"


def test_what_lies_in_files_is_learnt_as_what_is_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = rows(learn(Table(), all_days()))
    monkeypatch.setattr(shelf, "HELD", 0)
    assert rows(learn(Table(), all_days())) == wanted


def test_trifles_are_counted_though_nothing_is_written_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "FLOOR", 0.05)  # so small a tenant has none of 2 and more
    files, store, trifles = MemoryStore(), TableStore(Table(), min(all_days())), set[str]()
    for records, (day, wholes) in zip(simulated(), all_days().items()):
        going = Going(files, [cloudtrail])
        going.feed(records)
        wanted, found = going.finish(), settle(store, model.load(), {day: wholes})
        names = ("overflow", "overflow_highest", "notables")
        assert [found.run[name] for name in names] == [wanted.run[name] for name in names]
        ranks = {one["id"]: (one["rank"], one["score"]) for one in (*wanted.standing, *wanted.below)}
        told = {one["id"]: (one["rank"], one["score"]) for one in (*found.standing, *found.below)}
        assert told.items() <= ranks.items()
        trifles |= {one["id"] for one in wanted.below if one["score"] < ranking.LEAST} - told.keys()
    assert trifles
