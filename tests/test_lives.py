"""One intrusion keeps its notable, its id and its one place while it goes on; what it does each day is a revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core_samples import TODAY, Options, answer, contents, record, run, runs
from nhi_watch.core.life import is_routine
from nhi_watch.core.notable import from_json, to_json
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect import feedback, lives, model, ranking, scoring
from nhi_watch.detect.explain import claims
from nhi_watch.detect.explain.notables import notable_id
from nhi_watch.hosts.files.jobs import lists_of
from nhi_watch.report.run_summary import doubts
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
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


def rows(store: MemoryStore) -> dict[str, dict[str, Any]]:
    """The rows of the intrusion: day → notable as it then stood."""
    return {key[:6]: row for key, row in contents(store)["notable"].items() if key.endswith(NAME)}


def now(store: MemoryStore) -> dict[str, Any]:
    (found,) = [n for n in lives.standing(State(store)) if n["id"] == NAME]
    return found


def test_a_thief_who_comes_back_for_days_has_one_notable_and_one_place() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    for day in (TODAY + 1, TODAY + 3):
        result = run(store, raid(day=day) + others(day), ROOM)
        assert [n["id"] for n in result.notables] == [NAME]
    told = now(store)
    schema().validate(told)
    assert to_json(from_json(told)) == told
    assert [one["day"] for one in told["revisions"]] == [render_day(TODAY + n) for n in (0, 1, 3)]
    assert told["listed_on"] == render_day(TODAY) and told["first_seen"] == told["first_time"]
    assert told["last_time"].startswith(render_day(TODAY + 3))
    assert told["record_count"] == 3 * len(raid())
    assert {r["eventID"] for day in (0, 1, 3) for r in raid(day=TODAY + day)} == set(told["record_ids"])
    assert len({entry["time"][:10] for entry in told["timeline"]}) == 3


def of_day(day: int, likelihood: float, **signals: float) -> dict[str, Any]:
    """A day's notable of this likelihood, and signals with so many points."""
    (made,) = run(MemoryStore(), quiet(20) + raid(), ROOM).notables
    shown = [{**made["signals"][0], "id": name, "points": points} for name, points in signals.items()]
    time = f"{render_day(day)}T12:00:00Z"
    told = {"likelihood": likelihood, "signals": shown, "baseline": {"id": render_day(day - 1)}, "last_time": time}
    return {**made, **told}


def test_a_standing_alarm_does_not_shelter_a_theft() -> None:
    """Odd in the same way each day it only goes on; by another class of evidence, or by ten points, it is new again."""
    told = lives.begun(of_day(TODAY, 40.0, new_owner=3.0))
    found = []
    for day, likelihood, signals in (
        (1, 45.0, {"new_owner": 3.5}),
        (2, 49.9, {"new_owner": 3.5, "bulk": 1.9}),
        (3, 60.0, {"new_owner": 3.5}),
        (4, 55.0, {"new_owner": 3.0, "bulk": 6.0}),
        (5, 30.0, {"new_owner": 3.0, "logging": 5.0}),
    ):
        told = lives.go_on(told, of_day(TODAY + day, likelihood, **signals))
        found.append((told["life"], told["revisions"][-1]["why"], told["likelihood"], told["last_grown"][:10]))
    assert found == [
        ("ongoing", "goes on", 45.0, render_day(TODAY)),
        ("ongoing", "goes on", 49.9, render_day(TODAY)),
        ("new", "likelihood rose by 10 points", 60.0, render_day(TODAY + 3)),
        ("ongoing", "goes on", 60.0, render_day(TODAY + 3)),
        ("new", "new evidence: logging", 60.0, render_day(TODAY + 5)),
    ]


def test_what_was_worse_weeks_ago_does_not_hide_what_is_new_today() -> None:
    """A theft, then weeks of noise by the same machine, then a theft that is a little less likely: it is shown."""
    told = lives.begun(of_day(TODAY, 96.0, logging=8.0))
    for day in range(2, 20, 2):
        told = lives.go_on(told, of_day(TODAY + day, 5.0, new_owner=2.0))
    assert (told["likelihood"], told["life"]) == (96.0, "ongoing")
    told = lives.go_on(told, of_day(TODAY + 20, 90.0, logging=8.0))
    assert (told["likelihood"], told["life"], told["baseline"]["id"]) == (90.0, "new", render_day(TODAY + 19))


def test_what_was_new_yesterday_is_new_for_a_day_and_in_no_later_daily_run() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    assert now(store)["life"] == "new"
    run(store, [record(TODAY + 1, "00:05", role="other")], ROOM)
    assert now(store)["life"] == "new", "five minutes after midnight nobody has seen it"
    run(store, [record(TODAY + 1, "23:55", role="other")], ROOM)
    assert now(store)["life"] == "ongoing"


def test_it_is_quiet_after_a_day_and_closed_after_a_week_and_then_another_one_begins() -> None:
    store, seen = runs([quiet(20) + raid() + until(TODAY)], ROOM), []
    for day in range(TODAY + 1, TODAY + 10):
        run(store, others(day), ROOM)
        seen.append(now(store)["life"])
    assert seen == ["new"] + ["quiet"] * 6 + ["closed"] * 2  # the days end at 10:00, the raid was later
    assert now(store)["closed_why"] == "nothing odd for 7 days"
    (again,) = run(store, raid(day=TODAY + 9), ROOM).notables
    assert again["id"] == notable_id(WHO, TODAY + 9)


@pytest.mark.parametrize("years", [1, 2])
def test_what_was_closed_is_not_new_again_after_years(years: int) -> None:
    """However far the state's last day is: a notable of long ago must not stand above those of today."""
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    result = run(store, others(TODAY + 365 * years), ROOM)
    assert [n["life"] for n in result.standing if n["id"] == NAME] == ["closed"]
    assert now(store)["life"] == "closed"


def test_what_it_shows_is_its_worst_day_and_each_day_verifies_by_its_own_receipt() -> None:
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    worst = now(store)
    less = [record(TODAY + 1, "14:00", service="iam", name="ListUsers")]  # by its own client, from its own place
    run(store, quiet(1, end=TODAY + 2) + less + others(TODAY + 2), ROOM)
    told = now(store)
    assert [told[name] for name in ("likelihood", "title", "signals")] == [
        worst[name] for name in ("likelihood", "title", "signals")
    ]
    assert len(told["revisions"]) == 2 and told["revisions"][1]["likelihood"] < told["likelihood"]
    checks = claims.verify(store, model.load(), told)
    assert not [check for check in checks if check.holds is False]
    assert f"revision {told['revisions'][1]['revision']}" in [check.what for check in checks]
    forged = {**told, "revisions": [told["revisions"][0], {**told["revisions"][1], "likelihood": 1.0}]}
    assert any(check.holds is False for check in claims.verify(store, model.load(), forged))


def story() -> list[Records]:
    """Days of alarm, theft, silence and return, of two machines that share a session for a day."""
    days = [[*quiet(20), *quiet(20, "batch"), *until(TODAY - 1)]]
    for day in range(TODAY, TODAY + 12):
        told = [*others(day), *quiet(1, end=day + 1), *quiet(1, "batch", day + 1)]
        told += odd("payments-api", day=day) if day % 2 else []
        told += raid(day=day) if day in (TODAY + 2, TODAY + 3, TODAY + 11) else []
        told += raid("batch", 3, day) if day in (TODAY + 2, TODAY + 5) else []
        days.append(told)
    return days


@pytest.mark.parametrize("budget", [1.0, 1000.0])
def test_cuts_do_not_matter_to_lives_and_places(budget: float) -> None:
    days, options = story(), Options(budget)
    whole = sorted((r for day in days for r in day), key=lambda r: (r["eventTime"], r["eventID"]))
    expected = answer(runs([whole], options))
    assert len({key[7:] for key in expected["notable"] if key[0] == "0"}) < len(expected["notable"])
    assert answer(runs(days, options)) == expected
    size = len(whole) // 40
    assert answer(runs([whole[at : at + size] for at in range(0, len(whole), size)], options)) == expected


def test_it_goes_on_from_a_day_that_is_not_judged_again() -> None:
    """A run that closes an old day and judges today knows what stood yesterday."""
    store = runs([quiet(20) + until(TODAY - 1), raid(day=TODAY) + others(TODAY)], ROOM)
    run(store, raid(day=TODAY + 1) + others(TODAY + 1), ROOM)
    assert [n["id"] for n in run(store, others(TODAY + 2) + raid(day=TODAY + 2), ROOM).notables] == [NAME]
    assert len(now(store)["revisions"]) == 3


def test_feeding_again_makes_no_revision() -> None:
    days = story()
    store = runs(days)
    before = contents(store)["notable"]
    assert run(store, [r for day in days[3:7] for r in day]).changed == []
    assert contents(store)["notable"] == before


def test_two_that_turn_out_to_be_one_go_on_as_the_older() -> None:
    """Two machines, odd by themselves; then one credential makes news of both."""
    both = [*quiet(20), *quiet(20, "batch"), *until(TODAY)]
    store = runs([both + raid()], ROOM)
    run(store, raid("batch", day=TODAY + 1) + others(TODAY + 1), ROOM)
    assert len(lives.standing(State(store))) == 2
    shared = [r for role in ("payments-api", "batch") for r in raid(role, day=TODAY + 2)]
    for r in shared:
        r["userIdentity"]["accessKeyId"] = "ASIASHARED"
    result = run(store, shared, ROOM)
    (told,) = lives.standing(State(store))
    assert told["id"] == NAME and len(told["members"]) == 2
    (merged,) = [n for n in result.changed if n["merged_into"]]
    assert (merged["merged_into"], merged["life"]) == (NAME, "closed")
    assert answer(store)["notable"] == answer(runs([both + raid() + raid("batch", day=TODAY + 1) + others(TODAY + 1)
                                                    + shared], ROOM))["notable"]  # fmt: skip


def test_sessions_end_with_the_plan_however_long_the_intrusion_went_on() -> None:
    """Sessions are to end before one time, however many days the intrusion went on."""
    store = runs([quiet(20) + raid() + until(TODAY)], ROOM)
    run(store, raid(day=TODAY + 1), ROOM)
    told = now(store)
    assert told["last_time"].startswith(render_day(TODAY + 1))
    assert "issued before now" in next(c["reason"] for c in told["controls"] if c["id"] == "rotate_secret")


# ---- sensitive routines of the first days

ROTATION = ("ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
TERRAFORM = ("GetRole", "CreateRole", "PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole")
OPERATOR = ("CreateRole", "CreateServiceLinkedRole", "PassRole", "AttachRolePolicy", "DeleteRole")
ASKED = {"userName": "app-1", "roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
         "policyDocument": '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'}  # fmt: skip
THEFT = ("CreateUser", "AttachUserPolicy", "CreateLoginProfile", "CreateAccessKey")


def young(calls: Sequence[str], address: str, agent: str, theft: int = -1, thief: str = "svc-3") -> list[Any]:
    """A tenant's first 15 days: dull services, a role that makes sensitive calls daily, a thief who comes once."""
    told = []
    for day in range(TODAY, TODAY + 15):
        told += [record(day, f"{hour:02}:{n:02}", role=f"svc-{n}", bucket=f"b{n}", address=f"10.{n}.0.9")
                 for n in range(30) for hour in (2, 9, 17)]  # fmt: skip
        told += [record(day, f"03:{6 * turn + n:02}", role="daily", service="iam", name=name, address=address,
                        agent=agent, requestParameters=ASKED)
                 for turn in range(6) for n, name in enumerate(calls)]  # fmt: skip
        if day == TODAY + theft:
            told += [record(day, f"15:{n:02}", role=thief, service="iam", name=name, address="185.220.101.34",
                            agent="aws-cli/2.9.0", id=f"theft{n}",
                            requestParameters=ASKED) for n, name in enumerate(THEFT)]  # fmt: skip
    return told


def told_of(store: MemoryStore) -> dict[str, str]:
    """Role → the severity of its notable in the list that nothing has closed as a routine."""
    standing = (n for n in lives.standing(State(store)) if n["listed"] and not is_routine(n))
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
    for module, name, least in ((scoring, "LOOKS_BAD", 2.0), (ranking, "LEAST", 1.0)):
        monkeypatch.setattr(module, name, least)
    told = young(ROTATION, *LAMBDA)
    store, days = MemoryStore(), sorted({one["eventTime"][:10] for one in told})
    found = [run(store, [one for one in told if one["eventTime"].startswith(day)]) for day in days]
    assert [len(result.run["routines"]) for result in found] == [0, 0, 0, *[1] * 12]
    assert [len(result.changed) for result in found] == [1, 1, 1, *[0] * 12]
    (routine,) = found[-1].run["routines"]
    assert (routine["name"].rpartition("/")[2], routine["days"], routine["since"]) == ("daily", 14, days[0])
    assert routine["calls"] == sorted(f"iam:{name}" for name in ROTATION) and routine["places"] == ["aws boto3"]
    closed = [one for one in lives.standing(State(store)) if is_routine(one)]
    assert [one["id"] for one in closed] == routine["notables"] and closed[0]["life"] == "closed"
    assert [one["id"] for one in lives.standing(State(runs([told]))) if is_routine(one)] == routine["notables"]


@pytest.mark.parametrize("thief", ["svc-3", "daily"])
def test_a_theft_of_the_first_day_stands_beside_a_routine(thief: str) -> None:
    told = young(ROTATION, *LAMBDA, theft=0, thief=thief)
    first = runs([[one for one in told if one["eventTime"] < render((TODAY + 1) * DAY)]])
    assert thief in told_of(first)
    assert thief in told_of(runs([told]))


# ---- what a standing notable, or one that people have settled, does not shelter

TOR_EXITS = ("185.220.101.4", "23.129.64.10")
FOREIGN = {"type": "AWSAccount", "principalId": "AROAFOREIGN:x", "accountId": "999999999999"}


def knocks(day: int, is_let_in: bool) -> Records:
    """A foreign account asks for secrets."""
    calls = [("secretsmanager", "GetSecretValue")] * 20 + [("kms", "Decrypt")] * 20
    wrong: dict[str, Any] = {} if is_let_in else {"errorCode": "AccessDenied"}
    return [
        record(day, f"13:{n:02}", service=service, name=name, address=TOR_EXITS[0], agent="aws-cli/2.1",
               requestParameters={"secretId": f"prod/{n % 5}"}, userIdentity=FOREIGN, id=f"knock{day}{n}", **wrong)
        for n, (service, name) in enumerate(calls)
    ]  # fmt: skip


def judged_benign(store: MemoryStore, notables: list[dict[str, Any]], day: int) -> None:
    given = [feedback.judge(n, "benign", "ann", "known", day * DAY + 82_000, {}) for n in notables]
    feedback.put(State(store).rows, given)
    store.commit()


def still_told(store: MemoryStore, day: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What verdicts leave of a day's notables, listed or not, and what the run says of it."""
    state, told = State(store), dict[str, Any]()
    shown, _ = lists_of(state.rows, lives.standing(state), [], told)
    return [n for n in shown if n["last_time"].startswith(render_day(day))], told


@pytest.mark.parametrize("is_settled", [False, True])
def test_who_is_let_in_after_days_of_refusals_is_news(is_settled: bool) -> None:
    refused = [knocks(day, False) + others(day) for day in range(TODAY - 4, TODAY)]
    store = runs([quiet(20, end=TODAY - 4), *refused])
    before = lives.standing(State(store))
    assert before and all("tried, all refused" in n["title"] for n in before)
    if is_settled:
        judged_benign(store, before, TODAY - 1)
        assert still_told(store, TODAY - 1)[0] == []
    run(store, knocks(TODAY, True))
    (found,), _ = still_told(store, TODAY)
    assert found["life"] == "new" and found["listed"] and "tried" not in found["title"]


def test_a_first_success_is_new_and_what_was_let_in_stays_what_a_notable_shows() -> None:
    def on(day: int, likelihood: float, outcome: str) -> dict[str, Any]:
        made = of_day(day, likelihood, new_owner=3.0)
        return {**made, "timeline": [{**made["timeline"][0], "action": "kms:Decrypt", "outcome": outcome}]}

    told = lives.begun(on(TODAY, 70.0, "denied"))
    told = lives.go_on(told, on(TODAY + 1, 40.0, "success"))
    assert (told["life"], told["likelihood"]) == ("new", 40.0)
    assert told["revisions"][-1]["why"] == "first success: kms:Decrypt"
    told = lives.go_on(told, on(TODAY + 2, 75.0, "denied"))
    assert told["likelihood"] == 40.0


def test_a_verdict_on_one_raid_hides_none_from_elsewhere_and_none_on_other_things() -> None:
    for why, changes in (
        ("another place: 23.129.64.0/24", {"sourceIPAddress": TOR_EXITS[1]}),
        ("another kind of target: ", {"eventSource": "ec2.amazonaws.com", "eventName": "ModifySnapshotAttribute",
            "requestParameters": {"createVolumePermission": {"add": {"items": [{"userId": "999999999999"}]}}}}),
        ("", {}),
    ):  # fmt: skip
        store = runs([quiet(20) + raid()])
        judged_benign(store, [now(store)], TODAY)
        run(store, [{**one, **changes, "eventID": f"next{n}"} for n, one in enumerate(raid(day=TODAY + 1))])
        shown, told = still_told(store, TODAY + 1)
        assert [n["revisions"][-1]["why"][: len(why)] for n in shown] == ([why] if why else [])
        if not why:
            assert told["verdicts"]["gravest"] >= 40, "what is left out is told"


def opened(bucket: str, day: int) -> Records:
    """A bucket opened to a foreign account, by a role from its own place."""
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "s3:*"}]}
    return [record(day, "12:00", service="s3", name="PutBucketPolicy", id=f"{bucket}{day}",
                   requestParameters={"bucketName": bucket, "bucketPolicy": policy})]  # fmt: skip


@pytest.mark.parametrize(("bucket", "why"), [("customers", "another target: s3:PutBucketPolicy of customers"),
                                             ("scratch", "")])  # fmt: skip
def test_a_verdict_on_one_bucket_opened_hides_no_other_one(bucket: str, why: str) -> None:
    store = runs([quiet(20) + until(TODAY) + opened("scratch", TODAY)], ROOM)
    judged_benign(store, [now(store)], TODAY)
    assert still_told(store, TODAY)[0] == []
    run(store, [*opened(bucket, TODAY + 3), *others(TODAY + 3)], ROOM)
    assert [n["revisions"][-1]["why"] for n in still_told(store, TODAY + 3)[0]] == [why] * bool(why)


def test_a_critical_that_a_verdict_leaves_out_is_no_all_clear_while_it_goes_on() -> None:
    plain = {"read": 9, "parsed": 9, "events": 9}
    assert doubts({**plain, "verdicts": {"gravest": 69.9}}) == []
    assert doubts({**plain, "verdicts": {"gravest": 70.0}}) == ["a critical one, left out as people have said, goes on"]


# ---- what a run over several days hands on


def test_closing_an_earlier_day_keeps_the_newest_revision() -> None:
    """The run after midnight closes the first day of an intrusion; what it did on the second day stays its newest."""
    store = runs([quiet(20) + raid() + until(TODAY), raid(day=TODAY + 1) + others(TODAY + 1)], ROOM)
    before = now(store)
    result = run(store, [record(TODAY + 2, "00:05", role="other")], ROOM)
    assert State(store).daybook.closed == TODAY
    (told,) = [n for n in result.standing if n["id"] == NAME]
    assert [one["day"] for one in told["revisions"]] == [render_day(TODAY), render_day(TODAY + 1)]
    assert (told["revision"], told["last_time"]) == (before["revision"], before["last_time"])
    assert all(n["revision"] >= before["revision"] for n in result.changed if n["id"] == NAME)


def test_a_notable_that_is_found_and_merged_in_one_run_is_closed_once() -> None:
    """One run judges the day on which a notable was by itself, and the day on which it became part of another."""
    both = [*quiet(20), *quiet(20, "batch"), *until(TODAY)]
    shared = [r for role in ("payments-api", "batch") for r in raid(role, day=TODAY + 2)]
    for r in shared:
        r["userIdentity"]["accessKeyId"] = "ASIASHARED"
    store = runs([both + raid()], ROOM)
    result = run(store, raid("batch", day=TODAY + 1) + others(TODAY + 1) + shared, ROOM)
    other = notable_id(WHO.replace("payments-api", "batch"), TODAY + 1)
    assert [(n["id"], n["merged_into"]) for n in result.changed if n["merged_into"]] == [(other, NAME)]
    assert other not in {n["id"] for n in (*result.notables, *result.standing, *result.below)}
