"""The whole flow: notables that validate, ids and revisions, the budget, and input that is rubbish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_samples import ACCOUNT, ORDINARY, TODAY, Options, answer, contents, record, run
from nhi_watch import schemas
from nhi_watch.core.notable import from_json, order, risk_of, to_json
from nhi_watch.core.status import unusual_least
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import feedback, publish, ranking
from nhi_watch.detect.model import load, log_odds_of
from nhi_watch.detect.ranking import LEAST
from nhi_watch.detect.run import Result
from nhi_watch.detect.session import Session
from nhi_watch.detect.signals import NAMES
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore

Records = list[dict[str, Any]]
ROOM = Options(budget=1000.0)
"""A budget that leaves nothing out."""


@cache
def schema() -> jsonschema.Draft202012Validator:
    path = Path(str(schemas.__file__)).with_name("notable.schema.json")
    plain = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(plain, format_checker=jsonschema.FormatChecker())


def quiet(days: int, role: str = "payments-api", end: int = TODAY) -> Records:
    """A machine at its daily work."""
    return [
        record(day, f"{hour:02}:{minute}", role=role)
        for day in range(end - days, end)
        for hour in (9, 10, 11)
        for minute in (10, 30)
    ]


RAID = (
    ("sts", "GetCallerIdentity"),
    ("iam", "ListUsers"),
    ("secretsmanager", "GetSecretValue"),
    ("iam", "CreateAccessKey"),
    ("cloudtrail", "StopLogging"),
)


def raid(role: str = "payments-api", steps: int = len(RAID), day: int = TODAY) -> Records:
    """A thief at work with a machine's session."""
    return [
        record(day, f"14:{n:02}", role=role, service=service, name=name, address="185.220.101.4", agent="aws-cli/2.1")
        for n, (service, name) in enumerate(RAID[:steps])
    ]


def odd(role: str, name: str = "ListUsers", day: int = TODAY) -> Records:
    """A machine that does one thing that it never did, from elsewhere."""
    return [record(day, "14:00", role=role, service="iam", name=name, address="185.220.101.4", id=f"{role}{name}{day}")]


def scored(*parts: Records, options: Options = ROOM) -> tuple[MemoryStore, list[Result]]:
    store = MemoryStore()
    return store, [run(store, part, options) for part in parts]


def test_a_raid_is_a_notable_that_validates_and_comes_back() -> None:
    _, (result,) = scored(quiet(20) + raid())
    (notable,) = [n for n in result.notables if n["first_time"].startswith("2024-10-04")]
    schema().validate(notable)
    assert to_json(from_json(notable)) == notable
    assert notable["identity"]["name"] == f"arn:aws:iam::{ACCOUNT}:role/payments-api"
    assert notable["record_count"] == len(RAID)
    assert {r["eventID"] for r in raid()} == set(notable["record_ids"])
    assert notable["severity"] in ("high", "critical")
    assert [c["id"] for c in notable["controls"]] == ["rotate_secret", "reduce_privilege"]
    assert notable["frameworks"]["owasp_nhi"][0] == "NHI-07"
    assert notable["frameworks"]["nist_csf"][0] == "DE.CM-1"
    assert notable["usual"]["active_days"] == 20


def test_what_the_signals_add_explains_the_likelihood() -> None:
    """Sorted by what they add, and all of it together, from the ordinary day's log-odds on, is the likelihood."""
    _, (result,) = scored(quiet(20) + raid())
    notable = result.notables[-1]
    shares = [s["log_odds"] for s in notable["signals"]]
    assert shares == sorted(shares, reverse=True) and all(share >= 0 for share in shares)
    assert load().aligned(NAMES).ordinary + sum(shares) == pytest.approx(log_odds_of(notable["likelihood"]), abs=0.1)
    mine = {r["eventID"] for r in raid()}
    assert all(set(s["record_ids"]) <= mine for s in notable["signals"])
    assert all(s["without"] <= notable["likelihood"] for s in notable["signals"] if s["without"] is not None)


def test_the_id_stays_while_it_grows_and_every_change_is_a_revision() -> None:
    _, results = scored(quiet(20) + raid(steps=3), raid(steps=4), raid(steps=4), raid())
    result = [[(n["id"], n["revision"]) for n in r.notables if n["first_time"][:10] == "2024-10-04"] for r in results]
    name = result[0][0][0]
    assert result == [[(name, 1)], [(name, 2)], [], [(name, 3)]]
    assert [len(r.changed) for r in results[1:]] == [1, 0, 1]


def test_a_late_record_of_another_identity_makes_no_revision() -> None:
    quiet_one = record(TODAY, "08:00", role="other-worker")
    _, results = scored(quiet(20) + quiet(20, "other-worker") + raid(), [quiet_one])
    assert [n["identity"]["name"] for n in results[1].changed if "payments" in n["identity"]["name"]] == []


def test_a_later_day_does_not_touch_an_earlier_one() -> None:
    store, _ = scored(quiet(20) + raid())
    before = {key: row for key, row in contents(store)["notable"].items() if not key.startswith("pub/")}
    run(store, [record(TODAY + 1, "09:10")], ROOM)
    after = contents(store)["notable"]
    assert {key: row for key, row in after.items() if key in before} == before


# ---- the budget


def names(notables: Sequence[Any]) -> set[str]:
    return {n["identity"]["name"].rpartition("/")[2] for n in notables}


@pytest.fixture
def none_is_critical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the model of the day makes of these records, none of them goes beyond the allowance."""
    monkeypatch.setattr(ranking, "CRITICAL", 101.0)


@pytest.mark.usefixtures("none_is_critical")
def test_what_has_no_place_is_below_the_line_and_kept_whole() -> None:
    """Nine roles that are odd, and seven places."""
    roles = [f"role-{n}" for n in range(9)]
    records = [r for role in roles for r in quiet(10, role) + odd(role)]
    store, (done,) = scored(records, options=Options(budget=1.0))
    assert (len(done.notables), len(done.below)) == (7, 2)
    assert (done.run["notables"], done.run["overflow"]) == (7, 2)
    assert names(done.notables) | names(done.below) == set(roles)
    for below in done.below:
        schema().validate(below)
        assert not below["listed"] and below["signals"] and below["record_ids"]
    assert {n["id"] for n in [*done.notables, *done.below]} == {item["id"] for item in publish.stored(store)}


@pytest.fixture
def all_are_critical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the model of the day makes of these records."""
    monkeypatch.setattr(ranking, "CRITICAL", LEAST)


@pytest.mark.usefixtures("all_are_critical")
def test_a_critical_without_room_is_written_all_the_same_and_says_so() -> None:
    roles = [f"role-{n}" for n in range(9)]
    records = [r for role in roles for r in quiet(10, role) + raid(role)]
    _, (done,) = scored(records, options=Options(budget=1.0))
    assert names(done.notables) == set(roles)
    assert sum(n["over_budget"] for n in done.notables) == done.run["over_budget"] == 2
    assert [n["rank"] for n in done.notables] == list(range(1, 10))


def test_ten_incidents_in_one_day_of_300_identities_are_all_written() -> None:
    roles = [f"role-{n}" for n in range(300)]
    days = [record(day, "09:10", role=role) for role in roles for day in range(TODAY - 8, TODAY + 1)]
    _, (done,) = scored(days + [r for role in roles[::30] for r in raid(role)], options=ORDINARY)
    assert set(roles[::30]) <= names(done.notables)
    assert not done.run["over_budget"]


@pytest.mark.usefixtures("all_are_critical")
def test_a_flood_of_criticals_is_folded_by_where_it_came_from_and_each_can_be_opened() -> None:
    roles = [f"role-{n}" for n in range(40)]
    records = [r for role in roles for r in quiet(10, role) + raid(role)]
    _, (done,) = scored(records, options=Options(budget=1.0))
    assert len(done.notables) == 7 + 14 + 1
    (stands,) = [n for n in done.notables if n["folded"]]
    assert stands["folded"] == {
        "origin": "network 185.220.101.0/24",
        "count": 40 - 21,
        "ids": [n["id"] for n in sorted(done.below, key=order)],
    }
    assert {n["folded_into"] for n in done.below} == {stands["id"]}
    for notable in [*done.notables, *done.below]:
        schema().validate(notable)


@pytest.mark.usefixtures("none_is_critical")
def test_a_benign_verdict_gives_the_place_to_one_for_which_there_was_no_room() -> None:
    roles = [f"role-{n}" for n in range(9)]
    records = [r for role in roles for r in quiet(10, role) + odd(role)]
    store, (first,) = scored(records, options=Options(budget=1.0))
    assert len(first.notables) == 7
    given = [
        feedback.make_verdict(notable, "benign", "ann", "known", (TODAY + 1) * DAY, {})
        for notable in first.notables[:2]
    ]
    feedback.put(store, given)
    second = run(store, [], Options(budget=1.0))
    assert len(second.standing) == 7 and names(first.below) <= names(second.standing)
    assert names(second.below) == names(first.notables[:2])
    assert {e.change for e in second.events} == {"new", "settled"} and len(second.events) == 4
    assert not run(store, [], Options(budget=1.0)).events


@pytest.mark.usefixtures("none_is_critical")
def test_what_was_shown_in_the_morning_stays_shown_beside_what_is_graver() -> None:
    """The graver ones of the afternoon get in all the same, and push out nothing that people have seen."""
    early = [f"early-{n}" for n in range(7)]
    records = [r for role in [*early, "late-1", "late-2"] for r in quiet(10, role)]
    morning = [{**r, "eventTime": r["eventTime"].replace("T14", "T06")} for role in early for r in odd(role)]
    afternoon = [r for role in ("late-1", "late-2") for r in raid(role)]
    store, (first,) = scored([*records, *morning], options=Options(budget=1.0))
    second = run(store, afternoon, Options(budget=1.0))
    assert names(first.notables) == set(early)
    assert names(second.notables) == {*early, "late-1", "late-2"}
    assert {risk_of(n) > 60 for n in second.notables if "late" in n["identity"]["name"]} == {True}
    one_go, _ = scored([*records, *morning, *afternoon], options=Options(budget=1.0))
    assert answer(store) == answer(one_go)


# ---- who is eligible


def by(identity: Any, day: int = TODAY) -> Records:
    return [{**r, "userIdentity": identity, "eventID": f"x{n}"} for n, r in enumerate(raid(day=day))]


SERVICE = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
ROOT = {"type": "Root", "accountId": ACCOUNT, "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
USER = {
    "type": "IAMUser",
    "accountId": ACCOUNT,
    "principalId": "AIDAX",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/ci",
    "userName": "ci",
}


@pytest.mark.parametrize(
    ("identity", "notables"),
    [
        (SERVICE, 0),
        (ROOT, 0),
        ({**ROOT, "accessKeyId": "AKIAROOT"}, 1),
        ({**USER, "accessKeyId": "AKIAUSER"}, 1),
    ],
    ids=["service", "root", "root's key", "user's key"],
)
def test_only_what_can_be_stolen_from_a_machine_is_a_notable(identity: Any, notables: int) -> None:
    _, (result,) = scored(quiet(5) + by(identity))
    matches = [*result.notables, *result.below]
    assert len([n for n in matches if n["first_time"][:10] == "2024-10-04"]) == notables


def console(day: int, hand: bool) -> Records:
    """A day of a role with which people work as well, in console sessions."""
    signed_in = [record(day, "16:00", name="ListBuckets", sessionCredentialFromConsole="true", id=f"hand{day}")]
    return quiet(1, end=day + 1) + (signed_in if hand else [])


def test_a_role_with_which_people_work_now_and_then_is_judged_as_a_machine_s() -> None:
    baseline = [r for day in range(TODAY - 20, TODAY) for r in console(day, hand=day % 4 == 0)]
    by_hand = [{**r, "sessionCredentialFromConsole": "true"} for r in raid()]
    for today in (raid(), by_hand):
        _, (result,) = scored(baseline + today)
        notable = [*result.notables, *result.below][0]
        assert notable["severity"] in ("high", "critical") and notable["title"].startswith("Role payments-api: ")


# ---- provisional


def test_only_the_hour_that_is_still_open_is_provisional() -> None:
    records = quiet(20) + raid()
    _, (still,) = scored(records)
    _, (done,) = scored([*records, record(TODAY, "16:00", role="other")])
    assert [n["telemetry"]["provisional"] for n in still.notables[-1:]] == [True]
    assert not [n for n in done.notables if n["telemetry"]["provisional"]]


# ---- rubbish

FIELDS = ("eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "eventID", "errorCode",
          "requestParameters", "responseElements", "userIdentity", "recipientAccountId", "resources", "readOnly",
          "additionalEventData", "errorMessage", "vpcEndpointId", "sessionCredentialFromConsole")  # fmt: skip
INNER = ("type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext", "userName", "invokedBy")
RUBBISH: tuple[Any, ...] = (None, 7, -1.5, True, "", "x" * 5000, [], {}, [[{}]], {"a": {"b": [1]}}, "\x00\x1b[31m",
                            "<script>alert(1)</script>", "=HYPERLINK(0)", "2099-12-31T23:59:59Z",
                            "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-99-99T99:99:99Z")  # fmt: skip


def counted(records: list[Any]) -> Result:
    _, (result,) = scored(records)
    counts = result.run
    assert counts["read"] == counts["parsed"] + sum(counts["rejected"].values()) == len(records)
    assert counts["events"] == counts["parsed"] - counts["duplicates"]
    for notable in result.notables:
        schema().validate(notable)
    return result


@pytest.mark.parametrize("field", FIELDS)
def test_rubbish_in_any_field_is_read_or_rejected_never_lost(field: str) -> None:
    counted([record(TODAY, f"10:{n:02}", **{field: rubbish}) for n, rubbish in enumerate(RUBBISH)] + raid())


@pytest.mark.parametrize("field", INNER)
def test_rubbish_in_who_acts_is_read_or_rejected_never_lost(field: str) -> None:
    built = []
    for n, rubbish in enumerate(RUBBISH):
        plain = record(TODAY, f"10:{n:02}")
        built.append({**plain, "userIdentity": {**plain["userIdentity"], field: rubbish}})
    counted(built + raid())


def test_what_is_no_record_at_all_is_rejected() -> None:
    result = counted([*RUBBISH, record(TODAY, "10:00")])
    assert result.run["parsed"] == 1


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS + INNER), inner)),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(FIELDS), JSON), max_size=5))
def test_any_json_in_any_field_is_read_or_rejected(changes: list[tuple[str, Any]]) -> None:
    counted([record(TODAY, f"10:{n:02}", **{field: value}) for n, (field, value) in enumerate(changes)])


def test_an_id_of_different_records_counts_each_of_them_and_copies_once() -> None:
    same = [record(TODAY, "10:00", id="x"), record(TODAY, "11:00", id="x", name="PutObject")] * 2
    elsewhere = [record(TODAY + 1, "10:00", id="x"), record(TODAY, "10:00", id="x", role="other")]
    result = counted(same + elsewhere)
    assert (result.run["duplicates"], result.run["events"]) == (2, 4)


def test_hostile_texts_stay_data() -> None:
    evil = {"userAgent": "<img src=x onerror=alert(1)>\r\n=cmd|' /C calc'!A0", "errorCode": "\u202e<b>\x1b[2J\n"}
    records = [{**r, **evil} for r in raid()]
    (notable,) = counted(quiet(20) + records).notables[-1:]
    for signal in notable["signals"]:
        assert not set("\r\n\x1b\u202e") & set(signal["evidence"])


def test_nothing_at_all_is_an_answer() -> None:
    result = counted([])
    assert (result.notables, result.run["days"], result.run["baseline"]) == ([], [], {"id": None})


def test_known_calls_are_odd_calls_where_there_are_too_many_of_them() -> None:
    many = [record(TODAY, f"13:{n // 60:02}:{n % 60:02}", id=f"many{n}") for n in range(300)]
    few = [
        record(TODAY, f"13:10:{n:02}", service="iam", name=name, id=name)
        for n, name in enumerate(("ListUsers", "CreateAccessKey"))
    ]
    _, (result,) = scored(quiet(20) + many + few)
    (notable,) = [*result.notables, *result.below]
    assert "made 302 unusual calls on" in notable["summary"]
    assert {e["action"] for e in notable["timeline"] if e["points"] >= unusual_least(notable)} >= {"s3:GetObject"}


def test_what_a_baseline_leaves_out_is_read_by_no_later_run() -> None:
    """Weak episodes of closed days that belong to no case; all else in the state is the same."""
    roles = ("payments-api", "weak-one", "other-one")
    history = [each for role in roles for each in quiet(26, role=role, end=TODAY + 6)]
    weak = [
        record(TODAY + 2 * n, "14:00", role="weak-one", agent=agent) for n, agent in enumerate(("curl/8", "wget/1"))
    ]
    of_a_case = [record(TODAY + 2, "14:00", role="payments-api", awsRegion="eu-west-3")]
    stores, told = [], []
    for lists_weak in (True, False):
        store = MemoryStore()
        session = Session(store, [cloudtrail], budget=ROOM.budget, lists_weak=lists_weak)
        session.feed([*history, *raid(), *weak, *of_a_case])
        told.append(session.finish())
        store.commit()
        stores.append(store)
    full, lean = (contents(store) for store in stores)
    left_out = full["notable"].keys() - lean["notable"].keys()
    assert {full["notable"][key]["identity"]["name"].rpartition("/")[2] for key in left_out} == {"weak-one"}
    assert len(left_out) == 2
    assert f"{TODAY + 2:06d}" in {key[:6] for key in lean["notable"]}, "a weak one that belongs to the raid's case"
    assert all(risk_of(full["notable"][key]) < LEAST for key in left_out)
    full["notable"] = {key: row for key, row in full["notable"].items() if key not in left_out}
    assert full == lean
    assert told[0].standing == told[1].standing != []
    after = [*quiet(1, end=TODAY + 7), record(TODAY + 6, "14:00", role="weak-one", awsRegion="eu-south-1")]
    later = [run(store, after, ROOM) for store in stores]
    assert (later[0].standing, later[0].below) == (later[1].standing, later[1].below)
