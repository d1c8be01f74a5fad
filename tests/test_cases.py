"""Cases: one notable for what goes on, its face, verdicts that cover what was seen, and no trace of how it was cut."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from core_samples import TODAY, Options, answer, contents, record, run, runs, shown
from nhi_watch.core.documents import ReceiptDocument
from nhi_watch.core.notable import from_json, to_json
from nhi_watch.core.status import is_routine
from nhi_watch.core.timestamps import DAY, HOUR, render, render_day
from nhi_watch.detect import changes, feedback, model, publish, ranking, routines, scoring
from nhi_watch.detect.cases import Case, Cases
from nhi_watch.detect.episodes import EpisodeHead
from nhi_watch.detect.explain import claims
from nhi_watch.detect.explain.fields import notable_id
from nhi_watch.detect.run import Result
from nhi_watch.hosts.files import listing
from nhi_watch.report import terminal
from nhi_watch.report.run_summary import doubts
from nhi_watch.state.retention import RETAIN_DELTAS, SPREAD
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from notable_samples import altered
from test_pipeline import odd, quiet, raid, schema

ROOM = Options(budget=1000.0)
WHO = "aws:111111111111:role:AROApayments-api"
NAME = notable_id(WHO, TODAY)
Records = list[dict[str, Any]]


def others(day: int) -> Records:
    """A machine at its work, so that a day is over."""
    return [record(day, "09:10", role="other")]


def until(day: int) -> Records:
    return [r for each in range(TODAY - 20, day + 1) for r in others(each)]


def now(store: MemoryStore) -> Any:
    (result,) = [item for item in publish.stored(store) if item["id"] == NAME]
    return result


def listed(result: Result) -> Any:
    return {item["id"]: item for item in result.standing}


# ---- the fold


NO_RECEIPT: ReceiptDocument = {"model": "", "signals": "", "baseline": ""}


def head(name: str, day: int, members: Sequence[str] = ("a",), risk: float = 50.0, hour: int = 12) -> EpisodeHead:
    start = day * DAY + hour * HOUR
    return EpisodeHead(
        name, day, day, members[0], members, "", (), 1, risk, risk, start, start, start + 60, "", (), NO_RECEIPT, ""
    )


def fold(*heads: EpisodeHead) -> dict[str, list[str]]:
    """Case → its episodes, of days in order."""
    cases = Cases()
    for day in sorted({head.day for head in heads}):
        cases.add_day([head for head in heads if head.day == day])
    return {case.id: [head.id for head in case.heads] for case in cases}


def test_episodes_of_an_identity_are_one_case_while_they_are_a_week_apart_at_most() -> None:
    assert fold(head("1", 1), head("2", 8), head("3", 15)) == {"1": ["1", "2", "3"]}
    assert fold(head("1", 1), head("2", 9)) == {"1": ["1"], "2": ["2"]}


def test_weak_episodes_are_history_and_neither_begin_nor_prolong_a_case() -> None:
    assert fold(head("w", 1, risk=ranking.LEAST - 1), head("1", 2)) == {"w": ["w"], "1": ["1"]}
    assert fold(head("1", 2), head("w", 8, risk=ranking.LEAST - 1), head("2", 10)) == {"1": ["1", "w"], "2": ["2"]}


def test_one_that_shares_identities_with_several_makes_them_one_and_the_oldest_gives_the_id() -> None:
    cases = Cases()
    for heads in ([head("1", 1, "a")], [head("2", 2, "b")], [head("3", 3, "ab")], [head("4", 4, "b")]):
        cases.add_day(heads)
    (case,) = cases
    assert (case.id, case.absorbed, [head.id for head in case.heads]) == ("1", ["2"], ["1", "2", "3", "4"])


def test_after_a_month_a_successor_begins_that_names_its_predecessor() -> None:
    cases = Cases()
    for day in range(0, 60, 5):
        cases.add_day([head(str(day), day)])
    first, second = sorted(cases, key=lambda case: case.first_day)
    assert (first.id, first.last_day, first.successor) == ("0", 30, "35")
    assert (second.id, second.predecessor, second.last_day) == ("35", "0", 55)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.sampled_from("abcd"), min_size=1, max_size=2)), max_size=8),
    st.randoms(),
)
def test_the_order_within_a_day_does_not_matter_and_rows_come_back(episodes: list[Any], dice: random.Random) -> None:
    days: dict[int, list[EpisodeHead]] = {}
    for n, (day, members) in enumerate(episodes):
        taken = {name for head in days.get(day, ()) for name in head.members}
        if not members & taken:  # on a day an identity is in one episode
            days.setdefault(day, []).append(head(f"{n}", day, sorted(members), risk=5.0 + 10 * (n % 3)))
    cases, other = Cases(), Cases()
    for day in sorted(days):
        cases.add_day(days[day])
        mixed = list(days[day])
        dice.shuffle(mixed)
        other = Cases(Case.from_row(case.to_row()) for case in other)
        other.add_day(mixed)

    def plain(cases: Iterable[Case]) -> list[Any]:
        return sorted(([case.id, [h.id for h in case.heads], sorted(case.absorbed)] for case in cases), key=str)

    assert plain(cases) == plain(other)
    assert sorted(h.id for case in cases for h in case.heads) == sorted(h.id for each in days.values() for h in each)


# ---- a notable over days


def test_a_thief_who_comes_back_for_days_has_one_notable_and_one_place() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    for day in (TODAY + 1, TODAY + 3):
        result = run(store, raid(day=day) + others(day), ROOM)
        assert [n["id"] for n in result.notables] == [NAME]
        assert [n["life"] for n in result.notables] in (["ongoing"], ["quiet"]), "it has had its place for a day"
    notable = now(store)
    schema().validate(notable)
    assert to_json(from_json(notable)) == notable
    assert [revision["day"] for revision in notable["revisions"]] == [render_day(TODAY + n) for n in (0, 1, 3)]
    assert (notable["listed_on"], notable["first_seen"][:10]) == (render_day(TODAY), render_day(TODAY))
    assert notable["record_count"] == 3 * len(raid())
    assert {r["eventID"] for day in (0, 1, 3) for r in raid(day=TODAY + day)} == set(notable["record_ids"])
    assert len({entry["time"][:10] for entry in notable["timeline"]}) == 3


def test_what_it_shows_is_its_newest_episode_with_a_place() -> None:
    """A standing alarm of low severity, then a theft: title, summary and time are those of the theft, at once."""
    noise = [record(TODAY, "14:00", service="iam", name="ListUsers")]
    store = runs([quiet(20) + noise + until(TODAY)], ROOM)
    before = now(store)
    result = run(store, raid(day=TODAY + 2) + others(TODAY + 2), ROOM)
    notable = now(store)
    assert before["likelihood"] < notable["likelihood"] and "key created" in notable["title"]
    assert notable["title"] != before["title"]
    assert notable["created"].startswith(render_day(TODAY + 2)), "its controls are due from that day on"
    assert (notable["life"], notable["listed_on"]) == ("new", render_day(TODAY + 2)), "its severity rose"
    assert notable["since"] == f"New; active since {render_day(TODAY)}"
    assert notable["revisions"][0]["title"] == before["title"]
    assert [(event.change, event.escalated) for event in result.events] == [("grown", True)]


def test_a_weaker_one_does_not_stand_before_a_grave_one_that_nobody_has_judged() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    grave = now(store)
    less = [record(TODAY + 1, "14:00", service="iam", name="ListUsers")]  # by its own client, from its own place
    run(store, quiet(1, end=TODAY + 2) + less + others(TODAY + 2), ROOM)
    notable = now(store)
    assert len(notable["revisions"]) == 2 and notable["revisions"][1]["likelihood"] < 30
    assert [notable[name] for name in ("title", "likelihood", "first_time")] == [
        grave[name] for name in ("title", "likelihood", "first_time")
    ]
    checks = claims.verify(store, model.load(), notable)
    assert not [check for check in checks if check.holds is False]
    assert "episode 2" in [check.what for check in checks]
    forged = altered(
        {**notable, "revisions": [notable["revisions"][0], {**notable["revisions"][1], "likelihood": 1.0}]}
    )
    assert any(check.holds is False for check in claims.verify(store, model.load(), forged))


def test_what_got_its_place_yesterday_is_new_for_a_day_and_in_no_later_daily_run() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    assert now(store)["life"] == "new"
    run(store, [record(TODAY + 1, "00:05", role="other")], ROOM)
    assert now(store)["life"] == "new", "five minutes after midnight nobody has seen it"
    run(store, [record(TODAY + 1, "23:55", role="other")], ROOM)
    assert now(store)["life"] == "ongoing"


def test_a_grave_one_stays_in_the_list_until_it_is_judged_others_until_a_quiet_week_is_over() -> None:
    noise = [record(TODAY, "14:00", role="batch", service="iam", name="ListUsers")]
    store, seen = runs([quiet(20) + quiet(20, "batch") + raid() + noise + until(TODAY)], ROOM), []
    for day in range(TODAY + 1, TODAY + 10):
        result = run(store, others(day), ROOM)
        seen.append(sorted(item["identity"]["name"][-5:] for item in result.standing))
    assert seen == [["batch", "s-api"]] * 7 + [["s-api"]] * 2
    assert now(store)["life"] == "quiet"
    feedback.put(store, [feedback.make_verdict(now(store), "confirmed", "ann", "it was one", (TODAY + 10) * DAY, {})])
    result = run(store, others(TODAY + 10), ROOM)
    assert (result.standing, [event.change for event in result.events]) == ([], ["closed"])
    assert now(store)["closed_why"] == "nothing unusual for 7 days"
    (again,) = run(store, raid(day=TODAY + 11), ROOM).notables
    assert again["id"] == notable_id(WHO, TODAY + 11)


def test_a_run_reads_no_closed_notables() -> None:
    """However many are kept: their rows lie where no run looks."""
    weak = [record(TODAY, "14:00", service="iam", name="ListUsers", id="weak")]
    store = runs([quiet(20) + weak + until(TODAY)], ROOM)
    for day in range(TODAY + 1, TODAY + 12):
        run(store, others(day), ROOM)
    assert kinds_of(store) == {"past", "done", "end", "out"}
    assert now(store)["closed_why"] == "nothing unusual for 7 days", "it can still be opened"
    plain = runs([quiet(20) + until(TODAY), *(others(day) for day in range(TODAY + 1, TODAY + 12))], ROOM)
    assert touched(store) == touched(plain), "an idle run reads and writes the same rows"


def kinds_of(store: MemoryStore) -> set[str]:
    """Of which kinds there are rows of notables, beside the episodes' documents."""
    return {key.partition("/")[0] for key in contents(store)["notable"] if not key[0].isdigit()}


def touched(store: MemoryStore) -> dict[str, int]:
    """How many rows of notables and of the ledger a run without records reads and puts."""
    counted = Counted(store)
    run(counted, [], ROOM)
    return counted.counts


class Counted:
    """A store that counts the rows that it gives and takes."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self.counts = store, dict.fromkeys(("read", "put", "controls"), 0)

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        result = self._store.get(table, keys)
        self.counts["read"] += len(result) if table == "notable" else 0
        return result

    def scan(self, table: str, low: str, high: str) -> Iterable[tuple[str, bytes]]:
        result = [*self._store.scan(table, low, high)]
        self.counts["read"] += len(result) if table == "notable" else 0
        return iter(result)

    def put(self, table: str, rows: Iterable[tuple[str, bytes | None]]) -> None:
        result = list(rows)
        self.counts["put"] += len(result) if table in ("notable", "ledger") else 0
        self._store.put(table, result)

    def commit(self) -> None:
        self._store.commit()


def test_what_has_ended_is_forgotten_120_days_after_its_newest_episode_and_its_episodes_not_before() -> None:
    weak = [record(TODAY, "14:00", service="iam", name="ListUsers", id="weak")]
    store = runs([quiet(20) + weak + until(TODAY), *(others(day) for day in range(TODAY + 1, TODAY + 12))], ROOM)
    run(store, [r for day in range(TODAY + 12, TODAY + RETAIN_DELTAS + 1) for r in others(day)], ROOM)
    assert now(store)["life"] == "closed" and f"{TODAY:06d}/{NAME}" in contents(store)["notable"]
    run(store, others(TODAY + RETAIN_DELTAS + 1), ROOM)
    assert kinds_of(store) == {"out"} and not publish.stored(store) and not publish.unconfirmed(store)
    assert f"{TODAY:06d}/{NAME}" in contents(store)["notable"], "another notable may still hold such a one"
    run(store, [r for day in range(1, SPREAD + 1) for r in others(TODAY + RETAIN_DELTAS + 1 + day)], ROOM)
    assert f"{TODAY:06d}/{NAME}" not in contents(store)["notable"]


def test_a_grave_one_that_nobody_judges_is_closed_after_120_days() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    days = range(TODAY + 1, TODAY + RETAIN_DELTAS + 1)
    assert [item["id"] for item in run(store, [r for day in days for r in others(day)], ROOM).standing] == [NAME]
    (event,) = run(store, others(TODAY + RETAIN_DELTAS + 1), ROOM).events
    assert (event.change, event.document["closed_why"]) == ("closed", f"no verdict in {RETAIN_DELTAS} days")
    run(store, others(TODAY + RETAIN_DELTAS + 2), ROOM)
    assert publish.stored(store) == []


def story() -> list[Records]:
    """Days of alarm, theft, silence and return, of two machines that share a session for a day."""
    days = [[*quiet(20), *quiet(20, "batch"), *until(TODAY - 1)]]
    for day in range(TODAY, TODAY + 12):
        records = [*others(day), *quiet(1, end=day + 1), *quiet(1, "batch", day + 1)]
        records += odd("payments-api", day=day) if day % 2 else []
        records += raid(day=day) if day in (TODAY + 2, TODAY + 3, TODAY + 11) else []
        records += raid("batch", 3, day) if day in (TODAY + 2, TODAY + 5) else []
        days.append(records)
    return days


@pytest.mark.parametrize("budget", [1.0, 1000.0])
def test_cuts_do_not_matter_to_cases(budget: float) -> None:
    days, options = story(), Options(budget)
    records = sorted((r for day in days for r in day), key=lambda r: (r["eventTime"], r["eventID"]))
    expected = answer(runs([records], options))
    assert len(expected["case"]) < len(expected["notable"])
    assert answer(runs(days, options)) == expected
    size = len(records) // 40
    assert answer(runs([records[at : at + size] for at in range(0, len(records), size)], options)) == expected


def test_feeding_again_makes_no_revision() -> None:
    days = story()
    store = runs(days)
    before = contents(store)["notable"]
    assert run(store, [r for day in days[3:7] for r in day]).changed == []
    assert contents(store)["notable"] == before


def test_two_that_turn_out_to_be_one_go_on_as_the_older_and_the_other_is_merged_once() -> None:
    """Two machines, odd by themselves; then one credential makes news of both."""
    both = [*quiet(20), *quiet(20, "batch"), *until(TODAY)]
    store = runs([both + raid()], ROOM)
    assert len(run(store, raid("batch", day=TODAY + 1) + others(TODAY + 1), ROOM).standing) == 2
    shared = [r for role in ("payments-api", "batch") for r in raid(role, day=TODAY + 2)]
    for r in shared:
        r["userIdentity"]["accessKeyId"] = "ASIASHARED"
    result = run(store, shared, ROOM)
    (notable,) = result.standing
    assert notable["id"] == NAME and [len(revision["identities"]) for revision in notable["revisions"]] == [1, 1, 2]
    (merged,) = [event.document for event in result.events if event.change == "merged"]
    assert (merged["merged_into"], merged["life"], merged["revision"]) == (NAME, "closed", 2)
    later = [event.change for day in range(TODAY + 3, TODAY + 6) for event in run(store, others(day), ROOM).events]
    assert "merged" not in later
    assert (
        answer(store)["case"]
        == answer(
            runs(
                [
                    both
                    + raid()
                    + raid("batch", day=TODAY + 1)
                    + others(TODAY + 1)
                    + shared
                    + [r for day in (3, 4, 5) for r in others(TODAY + day)]
                ],
                ROOM,
            )
        )["case"]
    )


def test_a_notable_that_is_found_and_merged_in_one_run_is_published_as_one() -> None:
    both = [*quiet(20), *quiet(20, "batch"), *until(TODAY)]
    shared = [r for role in ("payments-api", "batch") for r in raid(role, day=TODAY + 2)]
    for r in shared:
        r["userIdentity"]["accessKeyId"] = "ASIASHARED"
    store = runs([both + raid()], ROOM)
    result = run(store, raid("batch", day=TODAY + 1) + others(TODAY + 1) + shared, ROOM)
    assert [(event.change, event.document["id"]) for event in result.events] == [("grown", NAME)]
    assert [item["id"] for item in result.standing] == [NAME]


def test_calls_of_other_days_name_who_made_them_where_another_identity_is_shown() -> None:
    """On the first day two identities are linked; on the next only one of them goes on."""
    shared = [r for role in ("payments-api", "batch") for r in raid(role)]
    for r in shared:
        r["userIdentity"]["accessKeyId"] = "ASIASHARED"
    store = runs([[*quiet(20), *quiet(20, "batch"), *shared, *raid(day=TODAY + 1), *until(TODAY + 1)]], ROOM)
    (notable,) = [item for item in publish.stored(store) if len(item["revisions"]) == 2]
    assert (notable["identity"]["id"], notable["members"]) == (WHO, [])
    by_day = {
        day: {e["identity"] for e in notable["timeline"] if e["time"][:10] == render_day(day)}
        for day in (TODAY, TODAY + 1)
    }
    assert {who.rpartition("/")[2] for who in by_day[TODAY]} == {"", "batch"} and by_day[TODAY + 1] == {""}
    stream = io.StringIO()
    terminal.show_explanation(notable, Console(file=stream, width=200), {}, every=True)
    assert "  role/batch: iam:ListUsers" in stream.getvalue(), stream.getvalue()


def test_closing_an_earlier_day_keeps_the_newest_episode() -> None:
    """The run after midnight closes the first day of an intrusion; what it did on the second day stays its newest."""
    store = runs([quiet(20) + raid() + until(TODAY), raid(day=TODAY + 1) + others(TODAY + 1)], ROOM)
    before = now(store)
    run(store, [record(TODAY + 2, "00:05", role="other")], ROOM)
    assert State(store).daybook.closed == TODAY
    notable = now(store)
    assert [revision["day"] for revision in notable["revisions"]] == [render_day(TODAY), render_day(TODAY + 1)]
    assert notable["revision"] >= before["revision"] and notable["last_time"] == before["last_time"]


THREE = [
    *(r for day in (0, 1, 2) for r in others(TODAY + day)),
    *raid(),
    *raid("batch", 3, TODAY + 1),
    *raid(day=TODAY + 2),
    *odd("lone", day=TODAY + 1),
    *(r for day in (0, 1, 2) for role in ("payments-api", "batch", "lone") for r in quiet(1, role, TODAY + day + 1)),
]


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, len(THREE)), max_size=5), st.randoms(use_true_random=False))
def test_any_order_and_cutting_gives_the_same_notables(cuts: list[int], dice: random.Random) -> None:
    """None of the records is later than the close of its day; after each run the list is that of its records alone."""
    baseline = [*quiet(12), *quiet(12, "batch"), *quiet(12, "lone"), *until(TODAY - 1)]
    records = list(THREE)
    dice.shuffle(records)
    records.sort(key=lambda r: r["eventTime"] >= render((TODAY + 2) * DAY))  # the third day closes the first
    bounds = sorted({0, len(records), *cuts})
    store, seen = runs([baseline], ROOM), dict[str, int]()
    for low, high in zip(bounds, bounds[1:]):
        result = run(store, records[low:high], ROOM)
        for event in result.events:
            assert event.document["revision"] > seen.get(event.document["id"], 0)
            seen[event.document["id"]] = event.document["revision"]
        assert shown(store) == shown(runs([baseline, records[:high]], ROOM))
        assert all(item["revision"] >= seen.get(item["id"], 1) for item in result.standing)


def test_sessions_end_with_the_plan_however_long_the_intrusion_went_on() -> None:
    """Sessions are to end before one time, however many days the intrusion went on."""
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    run(store, raid(day=TODAY + 1), ROOM)
    notable = now(store)
    assert len(notable["revisions"]) == 2
    assert "issued before now" in next(c["reason"] for c in notable["controls"] if c["id"] == "rotate_secret")


def test_no_id_or_revision_goes_back_after_an_upgrade() -> None:
    """A host says what it has published before."""
    store = runs([quiet(20) + until(TODAY)], ROOM)
    publish.imported(store, {NAME: 7, "other": 3})
    (event,) = run(store, raid() + others(TODAY), ROOM).events
    assert (event.document["id"], event.document["revision"]) == (NAME, 8)
    publish.imported(store, {NAME: 4})
    assert now(store)["revision"] == 8
    assert [event.document["revision"] for event in publish.unconfirmed(store)] == [8]
    publish.imported(store, {NAME: 8})
    assert publish.unconfirmed(store) == []


def test_what_a_host_confirms_of_a_notable_that_has_ended_is_not_written_again() -> None:
    weak = [record(TODAY, "14:00", service="iam", name="ListUsers", id="weak")]
    store = runs([quiet(20) + weak + until(TODAY)], ROOM)
    for day in range(TODAY + 1, TODAY + 12):
        run(store, others(day), ROOM)
    (waiting,) = publish.unconfirmed(store)
    assert (waiting.change, waiting.document["id"]) == ("closed", NAME)
    publish.confirm(store, {NAME: waiting.document["revision"]})
    assert publish.unconfirmed(store) == []


# ---- verdicts


def give_verdict(store: MemoryStore, verdict: str, second: int, *notables: Any) -> None:
    given = [feedback.make_verdict(n, verdict, "ann", "known", second, {}) for n in notables or [now(store)]]
    feedback.put(store, given)


def test_a_notable_with_a_verdict_is_found_after_it_has_ended() -> None:
    """The verdict covers its rows, so it has no row by then. A critical one whose verdict is taken back is listed."""
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR)
    for day in range(TODAY + 1, TODAY + 11):
        run(store, others(day), ROOM)
    assert [row["id"] for row in listing.ended(store, ())] == [NAME]
    give_verdict(store, "open", (TODAY + 11) * DAY)
    assert [row["id"] for row in run(store, others(TODAY + 11), ROOM).standing] == [NAME]


def test_a_confirmed_notable_that_has_ended_is_found_and_is_no_caveat() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(store, "confirmed", TODAY * DAY + 20 * HOUR)
    result = run(store, others(TODAY + 1), ROOM)
    assert [item["id"] for item in result.standing] == [NAME], "it is still active"
    for day in range(TODAY + 2, TODAY + 11):
        result = run(store, others(day), ROOM)
        counts = result.run["overflow"], result.run["overflow_highest"]
        assert counts == (0, 0.0), "what has ended waits for no place"
    assert now(store)["life"] == "closed" and result.standing == [] and result.below == []
    (row,) = listing.ended(store, ())
    assert (row["id"], row["listed"], row["rank"]) == (NAME, False, 0)
    assert not [*listing.ended(store, {NAME})]
    row["verdict"] = "confirmed"
    output = io.StringIO()
    listing.tell([row], {NAME: NAME[:8]}, Console(file=output, width=300))
    assert "(confirmed, nothing unusual for 7 days)" in output.getvalue()
    for verdict, said in (("", "(nothing unusual for 7 days)"), ("benign", "(benign)")):
        row["verdict"], row["listed"], output = verdict, not verdict, io.StringIO()
        listing.tell([row], {NAME: NAME[:8]}, Console(file=output, width=300))
        assert said in output.getvalue(), "each reason once"


def test_what_gets_a_place_days_later_is_new_on_that_day() -> None:
    """Verdicts give places to rows for which there was none; whenever their calls were, nobody has read them."""
    calls = (
        ("iam", "CreateUser"),
        ("iam", "CreateAccessKey"),
        ("secretsmanager", "GetSecretValue"),
        ("cloudtrail", "StopLogging"),
    )
    records = until(TODAY)
    for role in (f"api-{number}" for number in range(9)):
        records += quiet(20, role)
        records += [record(TODAY, f"13:{n:02}", role=role, service=s, name=name) for n, (s, name) in enumerate(calls)]
    store = runs([records])
    first = run(store, others(TODAY + 1)).standing
    assert len(first) == 7, "a week has room for seven"
    run(store, others(TODAY + 2)), run(store, others(TODAY + 3))
    give_verdict(store, "benign", (TODAY + 4) * DAY, *first[:1])
    standing = {item["id"]: item for item in run(store, others(TODAY + 4)).standing}
    (late,) = standing.keys() - {item["id"] for item in first}
    assert standing[late]["severity"] == "medium"
    assert (standing[late]["life"], standing[late]["listed_on"]) == ("new", render_day(TODAY + 4))
    assert {item["life"] for name, item in standing.items() if name != late} == {"quiet"}


def test_a_verdict_takes_off_what_was_seen_and_is_published_once() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR)
    result = run(store, others(TODAY + 1), ROOM)
    assert (result.standing, [event.change for event in result.events]) == ([], ["settled"])
    assert now(store)["closed_why"] == f"benign, by ann on {render_day(TODAY)}"
    assert result.run["verdicts"]["hidden"] == {"benign": 1}
    assert run(store, others(TODAY + 2), ROOM).events == []


def quieter_twin() -> MemoryStore:
    return runs([quiet(20) + raid() + until(TODAY)], ROOM)


def test_what_is_new_since_a_verdict_is_named_with_the_likelihood_then_and_now() -> None:
    """Calls, places and targets that no covered episode had."""
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    then = now(store)["likelihood"]
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR)
    fresh = [
        record(TODAY + 1, f"15:{n:02}", service="iam", name=name, address="203.0.113.9", agent="aws-cli/2.1")
        for n, name in enumerate(("CreateLoginProfile", "DeleteUser"))
    ]
    (notable,) = run(store, raid(day=TODAY + 1) + fresh + others(TODAY + 1), ROOM).standing
    schema().validate(notable)
    assert "(benign, by ann). New calls: " in notable["since"], "what is new comes first"
    assert notable["since"].endswith(f"Likelihood {then:g}% then, {notable['likelihood']:g}% now.")
    said = notable["since"].partition("New calls: ")[2]
    assert "iam:CreateLoginProfile, iam:DeleteUser; addresses: 203.0.113" in said
    assert "ListUsers" not in said.partition(". Because")[0]


def test_what_comes_after_a_verdict_earns_its_row_by_itself_and_says_why_it_is_back() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR)
    result = run(store, raid(day=TODAY + 1) + others(TODAY + 1), ROOM)
    (notable,) = result.standing
    assert (notable["id"], notable["life"], notable["listed_on"]) == (NAME, "new", render_day(TODAY + 1))
    before = publish.stored(quieter_twin())[0]["likelihood"]
    assert notable["since"].startswith(
        f"Back since the verdict of {render_day(TODAY)} (benign, by ann). "
        "No new identity, call, address or target: it happened again. Because "
    )
    assert notable["since"].endswith(f" Likelihood {before:g}% then, {notable['likelihood']:g}% now.")
    assert {entry["time"][:10] for entry in notable["timeline"]} == {render_day(TODAY + 1)}
    assert notable["revisions"][0]["why"] == "benign, by ann"
    less = [record(TODAY + 3, "14:00", service="dynamodb", name="ListTables", id="less")]
    quieter = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(quieter, "benign", TODAY * DAY + 20 * HOUR)
    assert run(quieter, less + others(TODAY + 3), Options()).standing == []


def test_a_theft_later_on_the_day_that_was_judged_is_shown_alone() -> None:
    """A morning's unusual call gets the verdict benign at noon; the theft of the afternoon is a row of its own."""
    morning = [record(TODAY, "08:00", service="iam", name="ListUsers", address="185.220.101.4")]
    store = runs([quiet(20) + morning + until(TODAY)], ROOM)
    give_verdict(store, "benign", TODAY * DAY + 12 * HOUR)
    assert run(store, [record(TODAY, "12:30", role="other")], ROOM).standing == []
    result = run(store, raid(), ROOM)
    (notable,) = result.standing
    assert notable["id"] == NAME and notable["first_time"] >= render(TODAY * DAY + 14 * HOUR)
    assert "morning" not in str(notable["record_ids"]) and {e["time"][11:13] for e in notable["timeline"]} == {"14"}
    before = now(runs([quiet(20) + raid() + until(TODAY)], ROOM))
    assert notable["likelihood"] >= before["likelihood"] - 5, "as if the morning had not been"
    run(store, [r for day in (1, 2, 3) for r in others(TODAY + day)], ROOM)
    assert State(store).daybook.is_closed(TODAY) and now(store)["first_time"] == notable["first_time"]
    assert len(now(store)["revisions"]) == 2
    give_verdict(store, "open", TODAY * DAY + 13 * HOUR, {**now(store)})
    assert not run(store, [], ROOM).standing[0]["since"]


def test_what_was_judged_and_taken_back_is_in_the_list_again_even_once_it_was_closed() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR)
    for day in range(TODAY + 1, TODAY + 12):
        run(store, others(day), ROOM)
    assert not any(key.startswith("pub/") for key in contents(store)["notable"])
    give_verdict(store, "open", (TODAY + 12) * DAY)
    result = run(store, others(TODAY + 12), ROOM)
    assert [(event.change, event.document["id"]) for event in result.events] == [("new", NAME)]
    assert result.events[0].document["revision"] == 3


def test_a_verdict_does_not_cover_what_became_graver_or_who_was_not_seen() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    notable = now(store)
    seen = {**notable, "severity": "high", "revisions": [{**notable["revisions"][0], "severity": "high"}]}
    give_verdict(store, "benign", TODAY * DAY + 20 * HOUR, seen)
    said, item = feedback.Verdicts(store, TODAY * DAY), head("x", TODAY, [WHO], risk=60.0, hour=14)
    assert set(said.covered([item], NAME)) == {"x"}
    assert not said.covered([item._replace(risk=100.0)], NAME), "it is critical now, and was high"
    assert not said.covered([item._replace(last=item.last + HOUR)], NAME), "it went on"
    assert not said.covered([item._replace(members=[WHO, "another"])], NAME)


# ---- sensitive routines of the first days

ROTATION = ("ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
TERRAFORM = ("GetRole", "CreateRole", "PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole")
OPERATOR = ("CreateRole", "CreateServiceLinkedRole", "PassRole", "AttachRolePolicy", "DeleteRole")
ASKED = {
    "userName": "app-1",
    "roleName": "app",
    "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
    "policyDocument": '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
}
THEFT = ("CreateUser", "AttachUserPolicy", "CreateLoginProfile", "CreateAccessKey")


def young(calls: Sequence[str], address: str, agent: str, theft: int = -1, thief: str = "svc-3") -> list[Any]:
    """A tenant's first 15 days: dull services, a role that makes sensitive calls daily, a thief who comes once."""
    notables = []
    for day in range(TODAY, TODAY + 15):
        notables += [
            record(day, f"{hour:02}:{n:02}", role=f"svc-{n}", bucket=f"b{n}", address=f"10.{n}.0.9")
            for n in range(30)
            for hour in (2, 9, 17)
        ]
        notables += [
            record(
                day,
                f"03:{6 * turn + n:02}",
                role="daily",
                service="iam",
                name=name,
                address=address,
                agent=agent,
                requestParameters=ASKED,
            )
            for turn in range(6)
            for n, name in enumerate(calls)
        ]
        if day == TODAY + theft:
            notables += [
                record(
                    day,
                    f"15:{n:02}",
                    role=thief,
                    service="iam",
                    name=name,
                    address="185.220.101.34",
                    agent="aws-cli/2.9.0",
                    id=f"theft{n}",
                    requestParameters=ASKED,
                )
                for n, name in enumerate(THEFT)
            ]
    return notables


def told_of(store: MemoryStore) -> dict[str, str]:
    """Role → the severity of its notable in the list that nothing has closed as a routine."""
    standing = (n for n in publish.stored(store) if n["listed"] and not is_routine(n))
    return {n["identity"]["name"].rpartition("/")[2]: n["severity"] for n in standing}


LAMBDA = "52.94.133.7", "Boto3/1.28.0 exec-env/AWS_Lambda_python3.11"


@pytest.mark.parametrize(
    ("calls", "address", "agent"),
    [
        (ROTATION, *LAMBDA),
        (TERRAFORM, "20.102.39.7", "APN/1.0 HashiCorp/1.0 Terraform/1.5.0 aws-sdk-go-v2/1.2"),
        (OPERATOR, "10.200.1.7", "aws-sdk-go/1.44 cluster-operator"),
    ],
)
def test_who_does_sensitive_things_daily_from_the_first_day_on_does_not_alarm_for_good(
    calls: Sequence[str], address: str, agent: str
) -> None:
    assert {"medium", "high", "critical"}.isdisjoint(told_of(runs([young(calls, address, agent)])).values())


def test_a_routine_is_told_once_and_its_notable_closes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the model of the day makes of it: here it looks bad."""
    for module, name, least in ((scoring, "LOOKS_BAD", 0.5), (ranking, "LEAST", 0.5), (ranking, "FLOOR", 0.5)):
        monkeypatch.setattr(module, name, least)
    notables = young(ROTATION, *LAMBDA)
    store, days = MemoryStore(), sorted({item["eventTime"][:10] for item in notables})
    results = [run(store, [item for item in notables if item["eventTime"].startswith(day)]) for day in days]
    assert [len(result.run["routines"]) for result in results][:10] == [0, 0, 0, *[1] * 7]
    changes = [[event.change for event in result.events] for result in results]
    assert [len(each) for each in changes[4:]] == [0] * 11 and changes[3] == ["settled"]
    (routine,) = routines.plain(routines.of(State(store), publish.stored(store)))
    assert (routine["name"].rpartition("/")[2], routine["days"], routine["since"]) == ("daily", 14, days[0])
    assert routine["calls"] == sorted(f"iam:{name}" for name in ROTATION) and routine["places"] == ["aws boto3"]
    closed = [item for item in publish.stored(store) if is_routine(item)]
    assert [item["id"] for item in closed] == routine["notables"] and closed[0]["life"] == "closed"
    assert [item["id"] for item in publish.stored(runs([notables])) if is_routine(item)] == routine["notables"]


@pytest.mark.parametrize("thief", ["svc-3", "daily"])
def test_a_theft_of_the_first_day_stands_beside_a_routine(thief: str) -> None:
    notables = young(ROTATION, *LAMBDA, theft=0, thief=thief)
    first = runs([[item for item in notables if item["eventTime"] < render((TODAY + 1) * DAY)]])
    assert thief in told_of(first)
    assert thief in told_of(runs([notables]))


# ---- what a standing notable, or one that people have settled, does not shelter

TOR_EXITS = ("185.220.101.4", "23.129.64.10")
FOREIGN = {"type": "AWSAccount", "principalId": "AROAFOREIGN:x", "accountId": "999999999999"}


def knocks(day: int, is_let_in: bool) -> Records:
    """A foreign account asks for secrets."""
    calls = [("secretsmanager", "GetSecretValue")] * 20 + [("kms", "Decrypt")] * 20
    wrong: dict[str, Any] = {} if is_let_in else {"errorCode": "AccessDenied"}
    return [
        record(
            day,
            f"13:{n:02}",
            service=service,
            name=name,
            address=TOR_EXITS[0],
            agent="aws-cli/2.1",
            requestParameters={"secretId": f"prod/{n % 5}"},
            userIdentity=FOREIGN,
            id=f"knock{day}{n}",
            **wrong,
        )
        for n, (service, name) in enumerate(calls)
    ]


def test_who_is_let_in_after_days_of_refusals_is_shown() -> None:
    refused = [knocks(day, False) + others(day) for day in range(TODAY - 4, TODAY)]
    store = runs([quiet(20, end=TODAY - 4), *refused])
    assert publish.stored(store), "days of refusals are no habit"
    (notable,) = run(store, knocks(TODAY, True)).standing
    assert notable["life"] == "new" and "tried" not in notable["title"] and notable["severity"] in ("high", "critical")


def test_a_critical_that_a_verdict_leaves_out_is_no_all_clear_while_it_goes_on() -> None:
    plain = {"read": 9, "parsed": 9, "events": 9}
    assert doubts({**plain, "verdicts": {"gravest": 79.9}}) == []
    assert doubts({**plain, "verdicts": {"gravest": 80.0}}) == [
        "a critical notable that a verdict or exception hides is still active"
    ]


def test_an_identity_that_a_verdict_did_not_cover_is_named_as_new() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    covered = now(store)
    other = altered({**covered["identity"], "id": "aws:1:role:other", "name": "other"})
    document = altered({**covered, "members": [covered["identity"], other]})
    assert "New identities: other." in changes.since_verdict(document, [covered], "the verdict")


def test_an_application_under_another_id_or_with_a_name_by_now_is_no_new_identity() -> None:
    covered = now(runs([quiet(20) + raid() + until(TODAY)], ROOM))
    unnamed = altered({**covered, "identity": {**covered["identity"], "name": ""}})
    assert "identities" not in changes.since_verdict(covered, [unnamed], "the verdict"), "it was known by its id"
    principal = altered({**covered["identity"], "id": "entra:1:sp:7", "name": "payments"})
    link = {"source": covered["identity"]["id"], "target": principal["id"], "kind": "sp", "value": "7"}
    document = altered({**covered, "members": [covered["identity"], principal], "links": [{**link, "record_ids": []}]})
    assert "identities" not in changes.since_verdict(document, [covered], "the verdict")
    other = altered({**document, "links": [{**link, "kind": "named", "record_ids": []}]})
    assert "New identities: payments." in changes.since_verdict(other, [covered], "the verdict")
