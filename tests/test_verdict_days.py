"""Verdicts move points: of whom, how far, for how long; and nobody hides a theft from an identity not judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_samples import MACHINE, TODAY, Options, answer, record, run
from nhi_watch.context.networks import SHIPPED
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import feedback, model, taught, verdict_days
from nhi_watch.detect.explain import receipts
from nhi_watch.detect.feedback import Verdict
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.verdict_days import ALL, LASTS, OWN, PEERS, Count, Odds, Scope, Word
from nhi_watch.hosts.elastic import analysts
from nhi_watch.hosts.elastic.analysts import Said
from nhi_watch.hosts.splunk.run import StateBaselines
from nhi_watch.hosts.splunk.verdicts import Given, remember, take
from nhi_watch.state.baseline import TENANT
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.rows import pack
from nhi_watch.state.state import State
from test_pipeline import raid

ROOM = Options(budget=1000.0)
NOISY = "scanner"
OTHERS = [f"service-{letter}" for letter in "abcdefghijkl"]
WEEKS = 21
"""Days of noise."""
Records = list[dict[str, Any]]


def calm(day: int) -> Records:
    """Everybody at work."""
    return [record(day, f"{h:02}:{m}", role=role) for role in (*OTHERS, NOISY) for h in (9, 10) for m in (10, 30)]


def noise(day: int) -> Records:
    """What the noisy role does besides, from another network each day."""
    names = ("ListUsers", "ListRoles", "ListPolicies", "ListGroups")
    return [record(day, f"13:{n:02}", role=NOISY, service="iam", name=name, address=f"185.220.{day % 200}.4",
                   agent="aws-cli/2.1", id=f"n{day}-{n}") for n, name in enumerate(names)]  # fmt: skip


def notables(store: MemoryStore, day: int, role: str) -> list[dict[str, Any]]:
    return [n for n in State(store).notables(day).values() if n["identity"]["name"].endswith(role)]


def say(store: MemoryStore, day: int, verdict: str = "benign", by: str = "alice") -> None:
    """A verdict on what the noisy role did on a day."""
    for notable in notables(store, day, NOISY):
        more = {"since": State(store).next_open_day()}
        feedback.put(store, [feedback.judge(notable, verdict, by, "a scanner", (day + 1) * DAY, more)])


def weeks(verdict: str = "", days: int = WEEKS) -> MemoryStore:
    """A tenant after twenty quiet days and as many of noise, of which somebody says something each day."""
    store = MemoryStore()
    run(store, [r for day in range(TODAY - 20, TODAY) for r in calm(day)], ROOM)
    for day in range(TODAY, TODAY + days):
        run(store, calm(day) + noise(day), ROOM)
        if verdict:
            say(store, day, verdict)
    return store


@pytest.fixture(scope="module")
def judged() -> MemoryStore:
    return weeks("benign")


@pytest.fixture(scope="module")
def unjudged() -> MemoryStore:
    return weeks()


def scores(store: MemoryStore, day: int) -> dict[str, float]:
    return {one.ranked.identity_id.rpartition(":")[2]: one.ranked.points for one in State(store).judged(day)}


def test_twenty_benign_verdicts_take_a_noisy_role_off_the_list(judged: MemoryStore, unjudged: MemoryStore) -> None:
    last = TODAY + WEEKS - 1
    assert not [n for n in notables(judged, last, NOISY) if n["listed"]]
    assert [n["severity"] for n in notables(unjudged, last, NOISY)] == ["critical"]
    points = [scores(judged, day)[f"AROA{NOISY}"] for day in range(TODAY, last + 1)]
    assert points[0] > 10 and points[-1] < points[0] / 3


def test_and_cost_no_recall_not_even_of_that_role() -> None:
    store, day = weeks("benign"), TODAY + WEEKS
    run(store, calm(day) + raid(NOISY, day=day) + raid(OTHERS[2], day=day), ROOM)
    for role in (NOISY, OTHERS[2]):
        assert [(n["listed"], n["severity"]) for n in notables(store, day, role)] == [(True, "critical")]


def test_one_account_s_verdicts_leave_every_other_identity_as_it_was() -> None:
    """Neither its points nor what is learnt: to the last digit, whatever was said of the noisy role."""
    stores, day = (weeks("benign"), weeks("confirmed"), weeks()), TODAY + WEEKS
    for store in stores:
        run(store, calm(day) + raid(OTHERS[2], day=day), ROOM)
    found = [{name: points for name, points in scores(store, day).items() if NOISY not in name} for store in stores]
    assert found[0] == found[1] == found[2] and max(found[0].values()) > 15
    assert answer(stores[0])["profile"] == answer(stores[2])["profile"]


def test_a_confirmed_verdict_adds_points_and_one_taken_back_moves_nothing() -> None:
    unsaid, said = weeks(days=2), weeks("confirmed", days=1)
    run(said, calm(TODAY + 1) + noise(TODAY + 1), ROOM)
    name = f"AROA{NOISY}"
    assert scores(said, TODAY + 1)[name] > scores(unsaid, TODAY + 1)[name]
    back = weeks("benign", days=1)
    say(back, TODAY, feedback.OPEN)  # in the same second, by the same account
    run(back, calm(TODAY + 1) + noise(TODAY + 1), ROOM)
    assert scores(back, TODAY + 1) == scores(unsaid, TODAY + 1)


def test_receipts_replay_whatever_was_said_since(judged: MemoryStore) -> None:
    card = model.load()
    for day in (TODAY, TODAY + 3, TODAY + 5):
        for notable in State(judged).notables(day).values():
            checks = receipts.verify(judged, card, notable)
            assert [(c.what, c.told) for c in checks if c.holds is not True] == []


def test_a_verdict_ends_by_itself(judged: MemoryStore) -> None:
    given = feedback.verdicts(judged)
    first, last = min(v.since for v in given), max(v.since for v in given)
    assert not taught.lessons(given, first - 1)
    assert len(taught.lessons(given, last)) == len(given)
    assert not taught.lessons(given, last + LASTS)


# ---- the same on all hosts


def test_splunk_s_tables_say_the_same_of_the_same_verdicts(judged: MemoryStore) -> None:
    """Rows of nhi_feedback, with the notables at hand; then the state's own rows, as `nhiscore` reads them."""
    given, day = Given([], []), TODAY + WEEKS
    for v in feedback.verdicts(judged):
        take({"nhi_id": v.notable_id, "verdict": v.verdict, "analyst": v.by, "identity": v.identity_id,
              "time": f"2024-10-{4 + v.time // DAY - TODAY - 1:02}T10:00:00Z"}, given)  # fmt: skip
    store = MemoryStore()
    remember(store, given, [n for d in range(TODAY, day) for n in State(judged).notables(d).values()], day)
    assert taught.kept(store, model.load()).taught(day) == taught.kept(judged, model.load()).taught(day) != {}
    local = StateBaselines(model.load(), SHIPPED, store).local
    assert local.taught(day) == taught.kept(judged, model.load()).taught(day)
    remember(store, Given(given.verdicts[:1], []), [], day)
    assert len(feedback.verdicts(store)) == 1  # the others were taken back; what this one showed is still known
    assert feedback.verdicts(store)[0].bins
    remember(store, Given([], []), [], day)
    assert feedback.verdicts(store) == []


def test_what_analysts_say_in_kibana_counts_as_any_other_verdict() -> None:
    store, now = weeks(days=1), (TODAY + 9) * DAY
    (one,) = notables(store, TODAY, NOISY)
    closed = Said(one["id"], "closed", "false_positive", (), "alice", "2024-10-05T08:00:00Z")
    analysts.take(store, [closed], now)
    (first,) = feedback.verdicts(store)
    assert (first.since, first.scopes, first.bins) == (TODAY + 1, *verdict_days.shown(one))
    run(store, calm(TODAY + 1) + noise(TODAY + 1), ROOM)
    analysts.take(store, [closed], now)
    assert feedback.verdicts(store) == [first]  # read again every hour, it counts from where it did
    reopened = closed._replace(tags=("nhi:benign", "nhi:open"), time="2024-10-06T08:00:00Z")
    analysts.take(store, [reopened], now)
    assert taught.lessons(feedback.verdicts(store), TODAY + 5) == []


def test_rows_of_before_say_less_and_move_nothing() -> None:
    store = MemoryStore()
    old = Verdict("n", "i", "2026-02-16", "benign", "bob", 5 * DAY, "why", 0, "", 0, 0.9)
    store.put(feedback.TABLE, [("verdict/n/1/b", pack(list(old)[:11]))])
    assert feedback.verdicts(store) == [old]
    assert taught.kept(store, model.load()).taught(10) == {}


# ---- bounds


def odds(worth: float = 6.0) -> Odds:
    return Odds(worth, 0.2, 0.003, 1.0)


def word() -> Word:
    return Word({}, (Scope(PEERS, 50.0, {}), Scope(ALL, 500.0, {})))


COUNTS = st.builds(Count, st.integers(0, 90), st.integers(0, 90))


@given(st.floats(0.5, 12), st.tuples(COUNTS, COUNTS, COUNTS))
def test_verdicts_move_points_only_so_far(worth: float, told: tuple[Count, Count, Count]) -> None:
    moved = word().moved(worth, odds(worth), (0.01, 40.0), told)
    assert (1 - OWN) * worth - 0.01 <= moved <= (1 + OWN + PEERS + ALL) * worth + 0.01
    others = word().moved(worth, odds(worth), (0.01, 40.0), (Count(0, 0), *told[1:]))
    assert abs(others - worth) <= (PEERS + ALL) * worth + 0.01


@given(st.integers(0, 40))
def test_each_verdict_moves_them_further_the_same_way(number: int) -> None:
    def moved(*told: Count) -> float:
        return word().moved(6.0, odds(), (0.01, 40.0), (*told, *[Count(0, 0)] * (3 - len(told))))

    none = Count(0, 0)
    assert moved(Count(number + 1, 0)) <= moved(Count(number, 0))
    assert moved(Count(0, number + 1)) >= moved(Count(0, number))
    own, peers, tenant = (6.0 - moved(*[none] * at, Count(number + 1, 0)) for at in range(3))
    assert own > peers > tenant > 0 or number < 3


def verdict(by: str, scope: str, number: int, what: str = "benign") -> Verdict:
    return Verdict(f"{scope}{number}", scope, "", what, by, number * DAY, "why", 0, "", 0, 0.9, 1,
                   (scope, "peer:role:x", TENANT), {"new_network": 6})  # fmt: skip


def points_of(given: Iterable[Verdict], scope: str) -> tuple[Count, ...]:
    said = taught.by(list(given))(40)
    others = tuple(Scope(PEERS, 50.0, said.get(each, {})) for each in ("peer:role:x", TENANT))
    return Word(said.get(scope, {}), others).told("new_network", 6, 5)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.sampled_from(["benign", "confirmed"]))))
def test_no_single_account_moves_the_points_of_whom_it_has_not_judged(told: list[tuple[str, int, str]]) -> None:
    assert points_of([verdict("mallory", *each) for each in told], "victim") == ()


def test_peers_and_tenant_learn_what_two_accounts_say() -> None:
    given = [verdict("alice", "a", 1), verdict("alice", "a", 2), verdict("bob", "b", 3)]
    assert points_of(given, "c") == (Count(0, 0), Count(1, 0), Count(1, 0))
    assert points_of(given, "a")[0] == Count(2, 0)


def test_a_baseline_to_which_nobody_has_said_anything_is_bound_as_before() -> None:
    made = Baselines(model.load())
    past = made.past(MACHINE, TODAY)
    assert made.bound(past, MACHINE).unjudged.home is made.homes(TODAY)["machine"]
