"""Places over many runs: a run that reads nothing new changes nothing, and what waited comes after today's rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core_samples import TODAY, Options, record, run
from nhi_watch import cli
from nhi_watch.core.notable import risk_of
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import feedback
from nhi_watch.detect.run import Result
from nhi_watch.state.store import MemoryStore
from test_pipeline import quiet, raid

SMALL = Options(budget=1.0)
"""Seven places a week."""
Records = list[dict[str, Any]]
Calls = tuple[tuple[str, str], ...]
CALLS = (
    ("iam", "CreateUser"),
    ("iam", "CreateAccessKey"),
    ("secretsmanager", "GetSecretValue"),
    ("cloudtrail", "StopLogging"),
)
OTHER_CALLS = (
    ("kms", "PutKeyPolicy"),
    ("guardduty", "DeleteDetector"),
    ("iam", "AttachUserPolicy"),
    ("iam", "CreateLoginProfile"),
    ("lambda", "AddPermission20150331v2"),
)


def others(*days: int) -> Records:
    """A machine at its work, so that a day is over."""
    return [record(day, "09:10", role="other") for day in days]


def strong(role: str, day: int, calls: Calls = CALLS) -> Records:
    """A machine that does some sensitive things for the first time: medium."""
    return [record(day, f"13:{n:02}", role=role, service=s, name=name) for n, (s, name) in enumerate(calls)]


def weak(role: str, day: int) -> Records:
    """A machine that lists users: low."""
    return [record(day, "14:00", role=role, service="iam", name="ListUsers")]


def company(days: int, roles: Iterable[str]) -> Records:
    end = TODAY + days
    return [*others(*range(TODAY - 20, end)), *(r for role in roles for r in quiet(20 + days, role, end))]


def names(notables: Iterable[Any]) -> set[str]:
    return {notable["identity"]["name"].rpartition("/")[2] for notable in notables}


def lists(result: Result) -> tuple[list[Any], ...]:
    """What is shown of a run: the list, what has ended since, and what has no place."""
    return tuple(
        sorted((notable["id"], notable["life"], notable["listed_on"], notable["closed_why"]) for notable in part)
        for part in (result.standing, result.notables, result.below)
    )


ROLES = [f"api-{number}" for number in range(9)]


def test_the_same_records_again_leave_the_list_as_it_is() -> None:
    """Seven were listed and have ended; they still count in the week of one that had no place."""
    records = [*company(12, ROLES), *(r for role in ROLES[:7] for r in strong(role, TODAY)), *weak("api-8", TODAY + 5)]
    store = MemoryStore()
    first = run(store, records, SMALL)
    assert len(first.notables) == 7 and {notable["life"] for notable in first.notables} == {"closed"}
    assert first.standing == [] and names(first.below) >= {"api-8"}
    ended = {notable["id"] for notable in first.notables}
    for _ in range(2):
        again = run(store, records, SMALL)
        assert {notable["id"] for notable in again.notables} == ended, "they have ended no second time"
        assert lists(again)[::2] == lists(first)[::2] and not again.events
    later = run(store, others(TODAY + 12), SMALL)
    assert later.notables == [] and later.standing == [], "the next day's run lists what it found itself"
    assert run(store, [], SMALL).standing == []


def verdict(store: MemoryStore, day: int, *notables: Any) -> None:
    given = [feedback.make_verdict(notable, "benign", "ann", "known", day * DAY, {}) for notable in notables]
    feedback.put(store, given)


def of(result: Result, role: str) -> Any:
    """The row of a role in the list; None: it has none."""
    return next((n for n in result.standing if n["identity"]["name"].endswith(f"/{role}")), None)


def test_a_freed_place_goes_to_a_medium_one_and_not_to_a_low_one() -> None:
    """Seven medium ones fill the week. Once they have verdicts, a low one of a later day still has no row."""
    roles = [*ROLES, "low", "medium"]
    history = [*company(2, roles), *(r for role in ROLES[:7] for r in strong(role, TODAY))]
    store = MemoryStore()
    first = run(store, [*history, *weak("api-8", TODAY + 1)], SMALL)
    assert len(first.standing) == 7 and of(first, "api-8") is None
    assert first.run["week"] == {"places": 7, "taken": 7, "least": round(min(map(risk_of, first.standing)), 1)}
    verdict(store, TODAY + 2, *first.standing)
    assert of(run(store, [], SMALL), "api-8") is None
    run(store, others(TODAY + 2), SMALL)
    today = [*weak("low", TODAY + 3), *strong("medium", TODAY + 3, OTHER_CALLS)]
    second = run(store, [*others(TODAY + 3), *today], SMALL)
    assert of(second, "medium")["life"] == "new" and of(second, "low") is None
    assert "low" in names(second.below)


def test_a_medium_one_that_waited_gets_a_freed_place_where_nothing_stronger_of_today_is_without_one() -> None:
    records = [*company(1, ROLES), *(r for role in ROLES for r in strong(role, TODAY))]
    store = MemoryStore()
    first = run(store, records, SMALL)
    assert len(first.standing) == 7 and len(names(first.below) & set(ROLES)) == 2
    run(store, others(TODAY + 1, TODAY + 2), SMALL)
    verdict(store, TODAY + 3, first.standing[0])
    late = run(store, others(TODAY + 3), SMALL)
    (given,) = names(late.standing) - names(first.standing)
    assert of(late, given)["listed_on"] == render_day(TODAY + 3) and of(late, given)["life"] == "new"


def test_a_weekend_neither_halves_the_budget_nor_gives_late_places_on_monday() -> None:
    """Most machines work on weekdays alone."""
    store, seen = MemoryStore(), []
    monday = TODAY + (3 - TODAY) % 7 + 1  # day 4 of the epoch was a Monday
    for day in range(monday - 28, monday + 14):
        working = range(400) if (day - monday) % 7 < 5 else range(60)
        records = [record(day, "09:10", role=f"machine-{number}", id=f"{day}-{number}") for number in working]
        seen.append(run(store, records).run["week"]["places"])
    assert max(seen[-14:]) - min(seen[-14:]) <= 1, seen


def test_a_replay_keeps_verdicts_that_ended_since_by_the_machines_clock(tmp_path: Path) -> None:
    """With `nhi score --now` what was expected then is hidden; a run by the clock of today lists it again."""
    logs, out = tmp_path / "logs.json", tmp_path / "out"
    records = [*others(*range(TODAY - 20, TODAY + 1)), *quiet(20), *raid()]
    logs.write_text("".join(f"{json.dumps(item)}\n" for item in records))
    then = ("--now", f"{render_day(TODAY + 1)}T06:00:00Z")

    def listed(*words: str) -> int:
        assert cli.main(["score", str(logs), "--out", str(out), *words]) == 0
        return len((out / "notables.jsonl").read_text().splitlines())

    assert listed(*then) == 1
    given = ("--by", "ann", "--why", "a test", "--until", render_day(TODAY + 30), "--out", str(out), *then)
    assert cli.main(["feedback", "1", "expected", *given]) == 0
    assert listed(*then) == 0
    assert listed() == 1
