"""Silence is never all-clear: gaps, blind spots, what cannot be told, and that none of it depends on cutting."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest

from core_samples import ACCOUNT, MACHINE, TODAY, Options, answer, contents, record, run, runs
from nhi_watch.core.notable import from_json, to_json
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect import blind_spots, model, publish, telemetry
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.signals import NAMES
from nhi_watch.detect.telemetry import EPISODE_SIGNALS, NEEDS, Rhythm, Stream, bounds, find_gaps, standing
from test_pipeline import schema

Records = list[dict[str, Any]]
CARD = model.load()
ROOM = Options(budget=1000.0)
OTHER = "222222222222"
FIRST = TODAY - 12


def hourly(day: int, hours: range, account: str = "", **changes: Any) -> Records:
    """A machine that works every hour; with an account, one of another account."""
    role = f"batch-{account}" if account else "batch"
    built = [record(day, f"{hour:02}:20", role=role, **changes) for hour in hours]
    return [json.loads(json.dumps(item).replace(ACCOUNT, account)) for item in built] if account else built


def raid(day: int, clock: str = "14", **changes: Any) -> Records:
    calls = (("iam", "CreateAccessKey"), ("iam", "ListUsers"), ("cloudtrail", "StopLogging"))
    fields = {"role": "batch", "address": "185.220.101.4", "agent": "aws-cli/2.1", **changes}
    return [record(day, f"{clock}:{n:02}", service=s, name=name, **fields) for n, (s, name) in enumerate(calls)]


@cache
def ordinary() -> tuple[Any, ...]:
    """Twelve days of two accounts that never sleep."""
    days = range(FIRST, TODAY)
    return tuple(r for day in days for account in ("", OTHER) for r in hourly(day, range(24), account))


def today(own: range, day: int = TODAY) -> Records:
    """A day on which the first account's log has only some hours."""
    return hourly(day, own) + hourly(day, range(24), OTHER)


def spots(store: Any) -> list[Any]:
    return blind_spots.stored(store)


# ---- when a blind spot appears, and when not


def test_a_log_that_is_switched_off_is_a_blind_spot_once_the_day_is_over() -> None:
    store = runs([ordinary(), today(range(9))])
    assert spots(store) == [], "the day may still go on"
    result = run(store, hourly(TODAY + 1, range(24), OTHER))
    (spot,) = [n for n in result.changed if n["kind"] == "blind_spot"]
    schema().validate(spot)
    assert to_json(from_json(spot)) == spot
    assert (spot["first_time"], spot["last_time"]) == ("2024-10-04T09:00:00Z", "2024-10-04T23:59:59Z")
    assert (spot["likelihood"], spot["severity"]) == (0.0, "medium"), "one of two identities could not be watched"
    assert spot["title"] == "Blind spot: no log of aws for 15 hours (111111111111)"
    assert "its longest pause in the weeks before was 1 h" in spot["summary"]
    assert spot["telemetry"]["missing"] == ["no log of aws 111111111111 from 2024-10-04T09:00:00Z on"]
    assert spot in result.standing and result.run["blind_spots"] == 1


@pytest.mark.parametrize(("first", "silent"), [(3, False), (4, True)])
def test_silence_counts_from_more_than_twice_the_longest_pause_and_an_hour(first: int, silent: bool) -> None:
    store = runs([ordinary(), today(range(first, 24)), today(range(24), TODAY + 1)])
    assert bool(spots(store)) is silent


def test_a_hole_in_the_middle_of_a_day_is_found_and_ends() -> None:
    store = runs([ordinary(), hourly(TODAY, range(6)) + today(range(15, 24)), today(range(24), TODAY + 1)])
    (spot,) = spots(store)
    assert (spot["first_time"], spot["last_time"]) == ("2024-10-04T06:00:00Z", "2024-10-04T14:59:59Z")
    assert "until 2024-10-04T15:00:00Z" in spot["telemetry"]["missing"][0]


def test_all_logs_silent_for_days_are_told_on_the_day_they_come_back() -> None:
    store = runs([ordinary(), today(range(24), TODAY + 3), today(range(24), TODAY + 4)])
    (spot,) = spots(store)
    assert (spot["first_time"], spot["last_time"]) == ("2024-10-04T00:00:00Z", "2024-10-06T23:59:59Z")
    assert (spot["likelihood"], spot["severity"]) == (0.0, "critical")


def test_a_log_that_comes_late_takes_its_blind_spot_back() -> None:
    store = runs([ordinary(), today(range(9)), hourly(TODAY + 1, range(24), OTHER)])
    assert len(spots(store)) == 1
    run(store, hourly(TODAY, range(9, 24)))
    assert spots(store) == []


def test_a_silence_that_goes_on_is_told_for_a_week_and_then_lived_with() -> None:
    later = [r for day in range(TODAY, TODAY + 12) for r in hourly(day, range(24), OTHER)]
    gaps = spots(runs([[*ordinary(), *later]]))
    assert len(gaps) == telemetry.REMINDED and len({n["id"] for n in gaps}) == len(gaps)


def test_a_weekend_is_no_silence_and_neither_is_what_is_hardly_known() -> None:
    office = [r for day in range(FIRST - 10, TODAY + 8) if (day + 3) % 7 < 5 for r in hourly(day, range(8, 18))]
    alive = [r for day in range(FIRST - 10, TODAY + 8) for r in hourly(day, range(24), OTHER)]
    assert spots(runs([office + alive])) == []
    young = [r for day in range(TODAY - 4, TODAY) for r in hourly(day, range(24))]
    later = [r for day in range(TODAY - 4, TODAY + 3) for r in hourly(day, range(24), OTHER)]
    assert spots(runs([young + later])) == []


def test_a_clock_years_ahead_ends_no_day() -> None:
    store = runs([ordinary(), today(range(9)), [record(40_000, "10:00")]])
    assert spots(store) == []


# ---- what it means for the notables of the day


def compromise(store: Any, day: int = TODAY) -> Any:
    (result,) = [n for key, n in contents(store)["notable"].items() if key.startswith(f"{day:06d}/")]
    return dict(result)


def published(store: Any) -> Any:
    (result,) = [item for item in publish.stored(store) if item["kind"] == "compromise"]
    return result


def test_signals_that_look_at_a_whole_day_cannot_tell_and_the_range_widens() -> None:
    store = runs([ordinary(), [*today(range(9)), *raid(TODAY, "08")]])
    before = published(store)
    assert before["likelihood_range"] == []
    result = run(store, hourly(TODAY + 1, range(24), OTHER))
    after = published(store)
    assert after in result.changed and after["revision"] == before["revision"] + 1
    assert after["likelihood"] == before["likelihood"], "what was seen is worth what it is worth"
    assert after["likelihood_range"][0] == after["likelihood"] and after["likelihood_range"][1] >= after["likelihood"]
    fresh = [s for s in after["signals"] if s not in before["signals"]]
    assert fresh and all(s["cannot_tell"] and s["id"] in EPISODE_SIGNALS and s["value"] is None for s in fresh)
    assert fresh[0]["evidence"] == "cannot tell: no log of aws 111111111111 from 2024-10-04T09:00:00Z on"
    assert after["telemetry"]["missing"][-1].startswith("no log of aws 111111111111")
    schema().validate(after)


def test_what_the_late_log_says_narrows_the_range_again() -> None:
    store = runs([ordinary(), [*today(range(9)), *raid(TODAY, "08")], hourly(TODAY + 1, range(24), OTHER)])
    assert compromise(store)["likelihood_range"]
    run(store, hourly(TODAY, range(9, 24)))
    expected = compromise(store)
    assert expected["likelihood_range"] == [] and not [s for s in expected["signals"] if "no log" in s["evidence"]]


def test_a_field_that_went_missing_cannot_be_judged_and_is_not_taken_for_ordinary() -> None:
    silent = raid(TODAY, agent="")
    store = runs([ordinary(), silent])
    shown = compromise(store)
    lost = {s["id"]: s for s in shown["signals"] if s["cannot_tell"]}
    assert lost.keys() & set(NEEDS["agent"])
    why = telemetry.NO_FIELD.format("agent")
    assert all(lost[name]["evidence"] == why for name in lost.keys() & set(NEEDS["agent"]))
    low, high = shown["likelihood_range"]
    assert low <= shown["likelihood"] <= high
    schema().validate(shown)


def test_the_range_holds_every_likelihood_that_the_unknown_signals_could_have_given() -> None:
    dice, unknown = random.Random(3), set(NEEDS["network"])
    seen = tuple(round(dice.random() * 9, 2) if dice.random() < 0.2 else 0.0 for _ in NAMES)
    bound = Baselines(CARD).bound(Baselines(CARD).baseline(MACHINE, TODAY))
    shown = zip(NAMES, *bound.features(seen), seen)
    signals: list[Any] = [
        {"id": name, "points": worth, "bin": level, "value": value} for name, worth, level, value in shown if value
    ]
    low, high = bounds(bound.tenant_habits, signals, unknown)
    assert low == bound.likelihood(seen) < high
    for _ in range(500):
        values = [
            round((v or 0.0) + dice.choice((0.0, 1.0, 4.0, 30.0)) * dice.random(), 2) if name in unknown else v
            for name, v in zip(NAMES, seen)
        ]
        assert low <= bound.likelihood(values) <= high
    assert bounds(bound.tenant_habits, (), ()) == (bound.likelihood([0.0] * len(NAMES)),) * 2


# ---- a function of the records alone


def story() -> Records:
    days = [*today(range(9)), *raid(TODAY, "08"), *today(range(12, 24), TODAY + 1), *today(range(24), TODAY + 2)]
    return [*ordinary(), *days, *raid(TODAY + 3), *today(range(4), TODAY + 4)]


def test_blind_spots_and_drift_do_not_depend_on_how_the_records_were_cut() -> None:
    records = sorted(story(), key=lambda r: (r["eventTime"], r["eventID"]))
    expected = answer(runs([records], ROOM))
    assert [key for key in expected["notable"] if key.startswith("blind/")]
    assert [key for key in expected["meta"] if key.startswith(("rhythm/", "drift/"))]
    days = sorted({r["eventTime"][:10] for r in records})
    daily = [[r for r in records if r["eventTime"].startswith(day)] for day in days]
    mixed = list(records)
    random.Random(8).shuffle(mixed)
    for parts in (daily, [mixed], [part[n::3] for part in daily for n in range(3)], [records, records[::3]]):
        assert answer(runs(parts, ROOM)) == expected


def test_scoring_again_makes_no_new_revision() -> None:
    store = runs([story()], ROOM)
    before = contents(store)
    again = run(store, [*raid(TODAY, "08"), record(TODAY + 5, "00:10", role="batch")], ROOM)
    assert [n["title"] for n in again.changed if n["kind"] == "compromise"] == []
    kept = contents(store)["notable"]
    assert {key: row for key, row in before["notable"].items() if key[:6].isdigit()}.items() <= kept.items()


# ---- what health shows


def test_a_stream_stands_silent_at_a_moment_by_the_same_rule() -> None:
    stream, other = Stream("aws", "1"), Stream("okta", "2")
    days = {
        day: {stream: Rhythm((1 << 24) - 1, 48, 2, ("network",)), other: Rhythm(0b1000, 3, 1, ())}
        for day in range(100, 110)
    }
    end = 110 * DAY
    assert [s.is_silent for s in standing(days, end + 3 * HOUR)] == [False, False]
    first, second = standing(days, end + 3 * HOUR + 1)
    assert (first.stream, first.is_silent, first.pause) == (stream, True, HOUR)
    assert (second.is_silent, second.pause) == (False, 24 * HOUR)
    assert first.missing == ("agent", "region", "credential")
    assert find_gaps(days, 109) == []
