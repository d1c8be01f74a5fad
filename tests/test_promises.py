"""The promises: once a day is closed its cutting into runs has changed nothing, closed days are final, learning twice
changes nothing, a bad day teaches little."""

from __future__ import annotations

import copy
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_samples import TODAY, Going, answer, contents, record, run, runs
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import cases, publish, session
from nhi_watch.state import retention
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant

Records = list[dict[str, Any]]
Parts = list[list[Any]]


@pytest.fixture(scope="module")
def days() -> list[Records]:
    spec = Spec(days=12, machines=20, seed=21, campaigns=8, events=2_500, quiet_days=3)
    return [day.records for day in Tenant(spec).days()]


@pytest.fixture(scope="module")
def complete_run(days: list[Records]) -> Records:
    return sorted((r for day in days for r in day), key=lambda r: (r["eventTime"], r["eventID"]))


@pytest.fixture(scope="module")
def expected(complete_run: Records) -> Any:
    built = answer(runs([complete_run]))
    assert len(built["notable"]) >= 3, "the sample must raise some notables"
    assert any(later for _, later, *_ in built["delta"].values()), "and hold something in quarantine"
    return built


@pytest.fixture(scope="module")
def learnt(days: list[Records]) -> MemoryStore:
    """After a run a day; a test that changes it takes a copy."""
    return runs(days)


def cut(records: Sequence[Any], parts: int) -> Parts:
    size = len(records)
    return [list(records[n * size // parts : (n + 1) * size // parts]) for n in range(parts)]


def delayed(records: Records, seed: int, days_late: float) -> Records:
    """In order of arrival, when a fifth of the records is up to some days late."""
    dice = random.Random(seed)
    late = {r["eventID"]: dice.random() * days_late * DAY if dice.random() < 0.2 else 0.0 for r in records}
    return sorted(records, key=lambda r: (parse(r["eventTime"]) + late[r["eventID"]], r["eventID"]))


# ---- the answer does not depend on how the data was cut up


def test_daily_runs_give_what_one_run_gives(learnt: MemoryStore, expected: Any) -> None:
    assert answer(learnt) == expected


def test_short_runs_give_what_one_run_gives(complete_run: Records, expected: Any) -> None:
    assert answer(runs(cut(complete_run, 60))) == expected


def test_shuffled_and_repeated_records_of_one_run_give_the_same(complete_run: Records, expected: Any) -> None:
    mixed = complete_run + complete_run[1::5]
    random.Random(1).shuffle(mixed)
    assert answer(runs([mixed])) == expected


@pytest.mark.parametrize("late", [0.02, 0.9])
def test_records_that_come_before_their_day_is_closed_find_their_place(
    complete_run: Records, expected: Any, late: float
) -> None:
    assert answer(runs(cut(delayed(complete_run, 5, late), 25))) == expected


@pytest.mark.parametrize("parts", [24, 3])
def test_the_list_of_an_open_day_is_that_of_one_run(days: list[Records], learnt: MemoryStore, parts: int) -> None:
    """Its records come in order: what is shown by evening is what one run in the evening shows."""
    today = sorted(days[-1], key=lambda r: (r["eventTime"], r["eventID"]))
    often = runs([*days[:-1], *cut(today, parts)])
    assert listed(often) == listed(learnt) != []


def listed(store: MemoryStore) -> list[tuple[Any, ...]]:
    result = [item for item in publish.stored(store) if item["listed"]]
    return [(n["id"], n["title"], n["likelihood"], n["life"], [s["id"] for s in n["signals"]]) for n in result]


@pytest.mark.parametrize("late", [0.0, 11.0])
def test_relieving_memory_on_the_way_changes_nothing(
    complete_run: Records, expected: Any, late: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one run, records may lie in any order."""
    monkeypatch.setattr(session, "MAX_BUFFERED", 400)
    store = MemoryStore()
    going = Going(store)
    for part in cut(delayed(complete_run, 7, late), 40):
        going.feed(part)
    going.finish()
    assert answer(store) == expected


# ---- closed days are final


def test_what_comes_after_its_day_was_closed_changes_nothing_and_is_judged_alone(
    days: list[Records], learnt: MemoryStore
) -> None:
    store = copy.deepcopy(learnt)
    before = answer(store)
    late = [{**r, "eventID": r["eventID"][:-1] + "x"} for r in days[2]]
    result = run(store, late)
    assert result.run["too_late"] == len(late)
    after = answer(store)
    assert {name: after[name] for name in ("day", "delta", "notable", "profile")} == {
        name: before[name] for name in ("day", "delta", "notable", "profile")
    }
    assert all(notable["late"] for notable in result.notables if notable["kind"] == "compromise")


def test_a_day_is_open_until_the_second_midnight_after_it() -> None:
    store = runs([ordinary_day(TODAY), ordinary_day(TODAY + 1)])
    assert run(store, [record(TODAY, "18:00", role="batch")]).run["too_late"] == 0
    run(store, [record(TODAY + 2, "00:00", role="batch")])
    assert run(store, [record(TODAY, "18:01", role="batch")]).run["too_late"] == 1


def test_a_clock_that_is_ahead_closes_no_day_before_its_time() -> None:
    today = int(time.time()) // DAY
    store = runs([ordinary_day(today - 1), [*ordinary_day(today), record(today + 1, "10:00")]])
    assert run(store, [record(today - 1, "18:00")]).run["too_late"] == 0


def forgetful(monkeypatch: pytest.MonkeyPatch, deltas: int = 6) -> None:
    """Let a few days be what months are in life."""
    monkeypatch.setattr(retention, "RETAIN_DAYS", 4)
    monkeypatch.setattr(retention, "RETAIN_DELTAS", deltas)


def test_what_was_forgotten_still_counts(
    days: list[Records], complete_run: Records, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful(monkeypatch, cases.GAP + 3)  # a notable that goes on is looked for in the week before
    for parts in (days, [complete_run]):
        built = answer(runs(parts))
        assert built["profile"] == expected["profile"]
        assert built["delta"].items() <= expected["delta"].items()
        assert built["notable"].items() <= expected["notable"].items()


def test_a_clock_years_ahead_changes_nothing(days: list[Records], expected: Any) -> None:
    assert answer(runs([*days[:5], [record(40_000, "10:00")], *days[5:]])) == expected


CALLS = st.builds(
    record,
    st.integers(TODAY, TODAY + 3),
    st.sampled_from(("00:00:00", "00:00:01", "09:30", "09:59:59", "10:00", "23:59:59")),
    role=st.sampled_from(("payments-api", "payments-web", "batch")),
    service=st.sampled_from(("s3", "iam", "sts")),
    name=st.sampled_from(("GetObject", "CreateAccessKey", "GetCallerIdentity")),
    address=st.sampled_from(("52.95.110.1", "185.220.101.4", "198.51.100.7")),
    bucket=st.sampled_from(("a", "b", "c")),
    session=st.sampled_from(("ASIA1", "ASIA2")),
    errorCode=st.sampled_from((None, "AccessDenied")),
    id=st.uuids().map(str),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls=st.lists(CALLS, max_size=14), seed=st.integers(0, 99), parts=st.integers(1, 5))
def test_any_records_in_any_order_and_cut_give_the_same_once_their_days_are_closed(
    calls: Records, seed: int, parts: int
) -> None:
    mixed = calls + calls[seed % 3 :: 3]
    random.Random(seed).shuffle(mixed)
    end = [record(TODAY + 9, "10:00")]
    cuts = [part for day in range(TODAY, TODAY + 4) for part in cut([r for r in mixed if of_day(r) == day], parts)]
    assert answer(runs([*cuts, end])) == answer(runs([[*mixed, *end]])) == answer(runs([calls, end]))


def of_day(notable: Any) -> int:
    return parse(notable["eventTime"]) // DAY


# ---- learning twice changes nothing


@pytest.mark.parametrize("again", [slice(None), slice(3, 5)])
def test_feeding_again_changes_no_row_and_makes_no_revision(
    days: list[Records], learnt: MemoryStore, again: slice
) -> None:
    store = copy.deepcopy(learnt)
    before = contents(store)
    fed = [r for day in days[again] for r in day]
    result = run(store, fed)
    assert (result.changed, result.run["duplicates"]) == ([], len(fed))
    assert contents(store) == before


# ---- killed at any moment

CHILD = """
import sys
from pathlib import Path
import orjson
from core_samples import run
from nhi_watch.state.sqlite import SqliteStore
path, *parts = sys.argv[1:]
for part in parts:
    store = SqliteStore(path, busy_seconds=30)
    run(store, orjson.loads(Path(part).read_bytes()))
    store.close()
    print(part, flush=True)
"""


def child(state: Path, parts: list[Path]) -> subprocess.Popen[bytes]:
    tests = Path(__file__).parent
    paths = os.pathsep.join((str(tests), str(tests.parent)))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(state), *map(str, parts)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )


def test_killed_at_any_moment_and_run_again_the_answer_is_the_same(
    days: list[Records], expected: Any, tmp_path: Path
) -> None:
    parts = [tmp_path / f"{number}.json" for number in range(len(days))]
    for part, records in zip(parts, days):
        part.write_bytes(orjson.dumps(records))
    dice, killed = random.Random(4), 0
    for done in range(0, len(parts), 2):
        process = child(tmp_path / "state", parts)
        assert process.stdout is not None
        for _ in range(done):
            process.stdout.readline()
        time.sleep(0.1 * dice.random())
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert killed >= 5
    assert child(tmp_path / "state", parts).wait(120) == 0
    store = SqliteStore(tmp_path / "state")
    assert answer(store) == expected
    store.close()


RAID = (
    ("iam", "CreateAccessKey"),
    ("iam", "ListUsers"),
    ("cloudtrail", "StopLogging"),
    ("iam", "AttachUserPolicy"),
    ("secretsmanager", "ListSecrets"),
    ("ec2", "DescribeInstances"),
)


def ordinary_day(day: int) -> Records:
    roles = ("payments-api", "orders-api", "stock-api")
    return [record(day, f"{hour:02}:10", role=role) for role in roles for hour in range(8, 18)]


def raid(day: int) -> Records:
    return [
        record(day, f"12:{minute:02}", service=service, name=name, address="159.65.118.9", agent="aws-cli/2.0")
        for minute, (service, name) in enumerate(RAID)
    ]


def test_a_raid_that_is_repeated_daily_stays_news_for_as_long_as_it_is_held() -> None:
    store, scores = MemoryStore(), []
    for day in range(TODAY, TODAY + 10):
        run(store, ordinary_day(day))
    for day in range(TODAY + 10, TODAY + 17):
        (notable,) = run(store, [*ordinary_day(day), *raid(day)]).notables
        scores.append(notable["likelihood"])
    assert min(scores) >= 40, "how often it happens becomes a habit, the calls themselves stay new"
    # A forest answers in steps: a day may be a point or two above the eve, never more.
    assert all(later <= earlier + 2 for earlier, later in zip(scores, scores[1:])), scores
    assert scores[-1] < scores[0] - 20
