"""A verdict releases what waits of the identity that it names, and nothing else; taken back, it leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from core_samples import TODAY, Options, record, run, runs
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect import feedback, publish
from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.retention import RETAIN_DELTAS
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack
from test_pipeline import quiet, raid

ROOM = Options(budget=1000.0)
WHO, OTHER = (f"aws:111111111111:role:AROA{name}" for name in ("payments-api", "other"))
Records = list[dict[str, Any]]


def history() -> Records:
    return quiet(20) + quiet(20, role="other")


def others(day: int) -> Records:
    return [record(day, "09:10", role="third", id=f"third-{day}")]


def known(store: MemoryStore, who: str = WHO) -> set[str]:
    """The calls that are known of an identity on the eve of the last day."""
    return set(State(store).profiles([who])[who].dimension("action").values) - {"s3:GetObject"}


def say(store: MemoryStore, verdict: str, second: int, **more: Any) -> None:
    """The verdict of an analyst who sees the list."""
    listed = [n for n in publish.stored(store) if n["identity"]["id"] == WHO]
    feedback.put(store, [feedback.make_verdict(n, verdict, "ann", "ours", second, more) for n in listed])


RAIDED = {
    "sts:GetCallerIdentity",
    "iam:ListUsers",
    "secretsmanager:GetSecretValue",
    "iam:CreateAccessKey",
    "cloudtrail:StopLogging",
}


def test_without_a_verdict_the_calls_of_a_theft_wait() -> None:
    store = runs([history() + raid(), others(TODAY + 1)], ROOM)
    assert known(store) & RAIDED == set()


@pytest.mark.parametrize("days", [1, 5])
def test_what_people_say_is_fine_is_known_from_the_next_day_on(days: int) -> None:
    """Whether its day is open still, or closed and learnt."""
    store = runs([history() + raid()], ROOM)
    for day in range(TODAY + 1, TODAY + days):
        run(store, others(day), ROOM)
    say(store, "benign", (TODAY + days - 1) * DAY + 20 * HOUR)
    run(store, others(TODAY + days), ROOM)
    assert known(store) >= RAIDED
    for day in range(TODAY + days + 1, TODAY + days + 5):
        run(store, others(day), ROOM)
    assert known(store) >= RAIDED, "also once its day was closed"


def test_what_is_expected_is_known_until_it_ends() -> None:
    store, end = runs([history() + raid(), others(TODAY + 1)], ROOM), (TODAY + 40) * DAY
    say(store, "expected", TODAY * DAY + 20 * HOUR, until=end)
    for second, is_known in ((end - 1, True), (end, False)):
        Session(store, [cloudtrail], clock=lambda now=second: now).finish()  # type: ignore[misc]
        assert (known(store) >= RAIDED) == is_known


def test_a_verdict_teaches_as_long_as_its_day_is_kept() -> None:
    store = runs([history() + raid(), others(TODAY + 1)], ROOM)
    say(store, "benign", TODAY * DAY + 20 * HOUR)
    run(store, [r for day in range(2, RETAIN_DELTAS + 1) for r in others(TODAY + day)], ROOM)
    assert known(store) >= RAIDED
    run(store, others(TODAY + RETAIN_DELTAS + 1), ROOM)
    run(store, [], ROOM)
    assert known(store) & RAIDED == set() and not [*store.scan("meta", "free/", "free0")]


def test_it_is_known_of_nobody_else_and_a_duplicate_or_a_confirmed_one_teaches_nothing() -> None:
    store = runs([history() + raid() + raid(role="other")], ROOM)
    say(store, "benign", TODAY * DAY + 20 * HOUR)
    run(store, others(TODAY + 1), ROOM)
    assert known(store) >= RAIDED and known(store, OTHER) & RAIDED == set()
    for verdict, more in (("confirmed", {}), ("duplicate", {"duplicate_of": "another"})):
        silent = runs([history() + raid()], ROOM)
        say(silent, verdict, TODAY * DAY + 20 * HOUR, **more)
        run(silent, others(TODAY + 1), ROOM)
        assert known(silent) & RAIDED == set(), verdict


@pytest.mark.parametrize("days", [1, 5])
def test_open_takes_it_back_without_a_trace(days: int) -> None:
    store, plain = (runs([history() + raid()], ROOM) for _ in range(2))
    say(store, "benign", TODAY * DAY + 20 * HOUR)
    for day in range(TODAY + 1, TODAY + days + 1):
        run(store, others(day), ROOM)
        run(plain, others(day), ROOM)
    assert known(store) >= RAIDED
    say(store, "open", (TODAY + days) * DAY + 20 * HOUR)
    for day in (TODAY + days + 1, TODAY + days + 6):
        run(store, others(day), ROOM)
        run(plain, others(day), ROOM)
    assert known(store) & RAIDED == set()
    rows = [dict(each.scan("profile", "", "\U0010ffff")) for each in (store, plain)]
    assert rows[0] == rows[1]
    assert not [*store.scan("meta", "free/", "free0")]


def test_what_came_after_the_verdict_on_the_same_day_still_waits() -> None:
    store = runs([history() + raid(steps=3)], ROOM)
    say(store, "benign", TODAY * DAY + 15 * HOUR)
    later = [
        {**r, "eventTime": r["eventTime"].replace("T14:", "T18:"), "eventID": f"later-{r['eventID']}"}
        for r in raid()[3:]
    ]
    run(store, later, ROOM)
    run(store, others(TODAY + 1), ROOM)
    seen = {"sts:GetCallerIdentity", "iam:ListUsers", "secretsmanager:GetSecretValue"}
    assert known(store) & RAIDED == seen
    for day in range(TODAY + 2, TODAY + 6):
        run(store, others(day), ROOM)
    assert known(store) & RAIDED == seen


def test_an_open_day_is_judged_again_when_a_verdict_on_the_day_before_is_given_or_taken_back() -> None:
    """Without any new record: so that it does not matter whether there was one."""
    again = [
        {**r, "eventID": f"again-{n}", "sourceIPAddress": "52.95.110.1", "userAgent": "Boto3/1.34.0"}
        for n, r in enumerate(raid(day=TODAY + 1))
    ]
    store = runs([history() + raid(), again], ROOM)

    def latest() -> tuple[float, bytes]:
        (stored,) = [n for n in State(store).scored(TODAY + 1) if n.ranked.identity_id == WHO]
        return stored.ranked.likelihood, pack(stored.values)

    before = latest()
    say(store, "benign", TODAY * DAY + 20 * HOUR)
    feedback_only_first_day(store)
    run(store, [], ROOM)
    assert latest() != before and latest()[0] <= before[0]
    say(store, "open", (TODAY + 1) * DAY + 21 * HOUR)
    run(store, [], ROOM)
    assert latest() == before


def feedback_only_first_day(store: MemoryStore) -> None:
    """Let the verdicts name the first day alone."""
    given = feedback.verdicts(store)
    store.put("ledger", [(key, None) for key, _ in store.scan("ledger", "verdict/", "verdict0")])
    feedback.put(
        store, [verdict._replace(seen=[each for each in verdict.seen if each[0] == TODAY]) for verdict in given]
    )
