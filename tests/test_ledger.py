"""The ledger: a control is required, done, verified or overdue by what the logs show, never by a tick."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import ACCOUNT, TODAY, record, run, seconds
from desk_samples import notable as sample
from nhi_watch import cli
from nhi_watch.act import audit
from nhi_watch.context.assets import NO_ASSETS, Asset
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import NotableIdentity, TimelineEntry
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect import feedback, history, ledger, publish
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.ledger import ControlEntry, Exemption
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import MemoryStore, pack, unpack
from notable_samples import altered
from test_exposure import KEY, LEAK, OFF, USUAL, admin, user

NEW = "AKIARTXV5AHDNEWNEWNE"
NEXT = TODAY + 1


def made(day: int, clock: str) -> Any:
    """Somebody makes the CI user a new key."""
    answer = {"accessKey": {"accessKeyId": NEW, "userName": "ci", "status": "Active"}}
    return {**admin(day, clock, "CreateAccessKey", userName="ci"), "responseElements": answer}


def used_new(day: int, clock: str) -> Any:
    actor = user(day, clock)
    return {
        **actor,
        "eventID": f"new/{day}/{clock}",
        "userIdentity": {**actor["userIdentity"], "accessKeyId": NEW},
    }


def quiet(day: int) -> list[Any]:
    """Others go on working: the log is there and shows nothing of the key."""
    return [record(day, f"{hour:02}:00", role="other") for hour in (1, 12, 23)]


def exposed(*parts: list[Any], known: Any = NO_ASSETS) -> tuple[MemoryStore, list[Any]]:
    store = MemoryStore()
    run(store, [item for part in parts for item in part])
    fast.tell(store, KEY, LEAK, "public-repo")
    return store, fast.assess(store, history.read(store), known, LEAK + HOUR)


def follow(store: MemoryStore, notables: list[Any], now: int) -> dict[str, ControlEntry]:
    entries = ledger.follow(store, history.read(store), publish.as_of(store, notables, now), now)
    mine = {notable["id"] for notable in notables}
    return {entry.control: entry for entry in entries if entry.notable in mine or not mine}


def test_a_secret_is_required_done_and_verified() -> None:
    store, notables = exposed(USUAL)
    first = follow(store, notables, LEAK + HOUR)["rotate_secret"]
    assert (first.status, first.credentials, first.required) == ("open", (KEY,), LEAK)
    run(store, [made(TODAY, "13:00"), used_new(TODAY, "14:00"), OFF])
    done = follow(store, notables, LEAK + 10 * HOUR)["rotate_secret"]
    assert (done.status, done.done) == ("done", TODAY * DAY + 15 * HOUR)
    assert NEW in done.evidence
    run(store, [*quiet(NEXT), *quiet(NEXT + 1)])
    verified = follow(store, notables, LEAK + 50 * HOUR)["rotate_secret"]
    assert verified.status == "verified"
    assert ledger.by_owner([verified])[0].hours_to_rotate == 5.0


def test_what_nobody_does_is_overdue() -> None:
    store, notables = exposed(USUAL)
    due = follow(store, notables, LEAK + HOUR)["rotate_secret"].due
    entries = [follow(store, notables, moment)["rotate_secret"] for moment in (due, due + 1)]
    assert [(entry.status, entry.overdue) for entry in entries] == [("open", False), ("open", True)]


def test_a_key_that_is_used_after_it_was_switched_off_is_required_again() -> None:
    store, notables = exposed(USUAL, [OFF, user(TODAY, "17:00")])
    entry = follow(store, notables, LEAK + 10 * HOUR)["rotate_secret"]
    assert entry.status == "open"
    assert "it was used at" in entry.evidence


def test_a_key_switched_on_again_is_required_again() -> None:
    on = admin(TODAY, "16:00", "UpdateAccessKey", userName="ci", accessKeyId=KEY, status="Active")
    store, notables = exposed(USUAL, [OFF, on])
    assert follow(store, notables, LEAK + 10 * HOUR)["rotate_secret"].status == "open"


def test_taking_a_policy_away_reduces_and_granting_again_undoes_it() -> None:
    detach = admin(TODAY, "16:00", "DetachUserPolicy", userName="ci", policyArn="arn:aws:iam::aws:policy/X")
    store, notables = exposed(USUAL, [detach])
    assert follow(store, notables, LEAK + 10 * HOUR)["reduce_privilege"].status == "done"
    run(store, [*quiet(NEXT), *quiet(NEXT + 1)])
    assert follow(store, notables, LEAK + 50 * HOUR)["reduce_privilege"].status == "verified"
    run(store, [admin(NEXT + 1, "16:00", "AttachUserPolicy", userName="ci", policyArn="arn:aws:iam::aws:policy/X")])
    entry = follow(store, notables, LEAK + 50 * HOUR)["reduce_privilege"]
    assert (entry.status, "AttachUserPolicy granted again" in entry.evidence) == ("open", True)


def test_a_reduction_before_it_was_asked_for_does_not_count() -> None:
    early = admin(TODAY, "09:00", "DetachUserPolicy", userName="ci", policyArn="arn:aws:iam::aws:policy/X")
    store, notables = exposed(USUAL, [early])
    assert follow(store, notables, LEAK + HOUR)["reduce_privilege"].status == "open"


def role_notable(store: MemoryStore) -> Any:
    """A notable as the pipeline writes it, of the role `payments-api`, which has no long-lived credential."""
    raid = [
        record(TODAY, f"14:{n:02}", service=service, name=name, address="185.220.101.4", agent="aws-cli/2.1")
        for n, (service, name) in enumerate([("iam", "CreateUser"), ("cloudtrail", "StopLogging")])
    ]
    calm = [record(day, f"{hour}:00") for day in range(TODAY - 10, TODAY) for hour in (10, 11)]
    return next(n for n in run(store, calm + raid).notables if n["first_time"].startswith("2024-10-04"))


@pytest.mark.parametrize(
    "name, params",
    [
        ("PutRolePolicy", {"policyName": "AWSRevokeOlderSessions"}),
        ("UpdateAssumeRolePolicy", {"policyDocument": "{}"}),
        ("DeleteRole", {}),
    ],
)
def test_a_role_is_rotated_by_revoking_its_sessions(name: str, params: dict[str, str]) -> None:
    store = MemoryStore()
    notable = role_notable(store)
    assert follow(store, [notable], LEAK + HOUR)["rotate_secret"].status == "open"
    run(store, [admin(TODAY, "20:00", name, roleName="payments-api", **params)])
    assert follow(store, [notable], LEAK + HOUR)["rotate_secret"].status == "done"


def test_only_what_was_listed_or_confirmed_asks_and_a_benign_verdict_closes() -> None:
    store = MemoryStore()
    notable = role_notable(store)
    below = altered({**notable, "listed": False, "listed_on": ""})
    assert not follow(store, [below], LEAK + HOUR)
    feedback.put(store, [feedback.make_verdict(below, "confirmed", "ada", "seen", LEAK + 10 * HOUR, {})])
    assert {entry.status for entry in follow(store, [below], LEAK + 11 * HOUR).values()} == {"open"}
    feedback.put(store, [feedback.make_verdict(below, "benign", "ada", "a test", LEAK + 12 * HOUR, {})])
    assert not follow(store, [notable], LEAK + 13 * HOUR) and not ledger.entries(store)


def test_an_ordinary_policy_on_a_role_does_not_rotate_it() -> None:
    store = MemoryStore()
    notable = role_notable(store)
    run(store, [admin(TODAY, "20:00", "PutRolePolicy", roleName="payments-api", policyName="more")])
    assert follow(store, [notable], LEAK + HOUR)["rotate_secret"].status == "open"


def intrusion(day: int, clock: str, end: str = "") -> Any:
    """A compromise of a role, with its last unusual call at `clock`."""
    role = "AROAPAYMENTS"
    who = NotableIdentity(
        f"aws:{ACCOUNT}:role:{role}", f"arn:aws:iam::{ACCOUNT}:role/payments", "role", "aws", ACCOUNT, ""
    )
    moment = day * DAY + seconds(clock)
    entry = TimelineEntry(moment, "iam:CreateUser", "success", "198.51.100.7", "odd", 3.0, 1)
    calm = TimelineEntry(moment + 5 * HOUR, "s3:GetObject", "success", "10.0.0.1", "calm", 0.0, 9)
    return sample(
        day, who, timeline=(entry, calm), first_time=moment, last_time=moment + 5 * HOUR, created=moment - HOUR
    )


def act(day: int, clock: str, by: str, name: str, **params: str) -> Any:
    return record(day, clock, role=by, service="iam", name=name, requestParameters=params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("DeleteRole", {"roleName": "payments"}),
        ("UpdateAssumeRolePolicy", {"roleName": "payments"}),
        ("DeleteRolePolicy", {"roleName": "payments", "policyName": "x"}),
    ],
)
def test_what_the_attacker_does_himself_closes_no_control(name: str, params: dict[str, str]) -> None:
    store = MemoryStore()
    mine = act(TODAY, "10:40", "payments", name, **params)
    run(store, [*quiet(TODAY - 1), record(TODAY, "09:00", role="payments"), mine])
    tenant_history = history.read(store)
    attacked = next(
        identity_history
        for identity_history in tenant_history.identities.values()
        if identity_history.identity.name.endswith("/payments")
    )
    document = intrusion(TODAY, "10:30")
    document["identity"]["id"] = attacked.identity.id
    for entry in ledger.follow(store, tenant_history, [document], TODAY * DAY + 12 * HOUR):
        assert entry.status == "open"
    text = " ".join(entry.evidence for entry in ledger.entries(store))
    assert "the notable's own" in text and mine["eventID"] in text


def test_a_control_is_closed_by_somebody_else_after_the_last_odd_call_and_the_record_is_named() -> None:
    store = MemoryStore()
    early = act(TODAY, "10:15", "admin", "DeleteRolePolicy", roleName="payments", policyName="a")
    run(store, [*quiet(TODAY - 1), record(TODAY, "09:00", role="payments"), early])
    tenant_history = history.read(store)
    attacked = next(
        identity_history
        for identity_history in tenant_history.identities.values()
        if identity_history.identity.name.endswith("/payments")
    )
    document = intrusion(TODAY, "10:30")
    document["identity"]["id"] = attacked.identity.id

    def status() -> ControlEntry:
        entries = ledger.follow(store, history.read(store), [document], TODAY * DAY + 12 * HOUR)
        return next(entry for entry in entries if entry.control == "reduce_privilege")

    assert status().status == "open"
    late = act(TODAY, "11:15", "admin", "DeleteRolePolicy", roleName="payments", policyName="b")
    run(store, [late])
    assert status().status == "done"
    assert f"(record {late['eventID']})" in status().evidence and late["eventID"] in status().records


def test_the_task_of_a_control_fits_its_identity() -> None:
    store = MemoryStore()
    key = {
        **act(TODAY, "10:12", "payments", "CreateAccessKey", userName="old"),
        "responseElements": {"accessKey": {"accessKeyId": NEW, "userName": "old"}},
    }
    old = {
        "type": "IAMUser",
        "principalId": "AIDAOLD",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/old",
        "accountId": ACCOUNT,
        "accessKeyId": NEW,
        "userName": "old",
    }
    run(
        store,
        [
            *quiet(TODAY - 1),
            act(TODAY, "10:10", "payments", "CreateUser", userName="ci"),
            user(TODAY, "10:20"),
            key,
            record(TODAY, "10:21", role="x", userIdentity=old),
        ],
    )
    tenant_history = history.read(store)
    members = [
        {"id": identity_history.identity.id, "name": identity_history.identity.name, "owner": ""}
        for identity_history in tenant_history.identities.values()
    ]
    document = intrusion(TODAY, "10:30")
    both, created = [c for c in document["controls"] for _ in members], render(TODAY * DAY + seconds("10:40"))
    document = altered({**document, "members": members, "controls": both, "created": created})
    asked = ledger.follow(store, tenant_history, [document], TODAY * DAY + 12 * HOUR)

    def tasks(since: str) -> dict[tuple[str, str], str]:
        second = TODAY * DAY + seconds(since)
        return {
            (entry.control, entry.name.rsplit("/", 1)[-1]): ledger.task(entry, tenant_history, second)
            for entry in asked
        }

    open_tasks = tasks("10:00")
    assert (
        open_tasks["rotate_secret", "ci"] == "delete user"
        and open_tasks["reduce_privilege", "ci"] == "reduce privilege"
    )
    assert (
        open_tasks["rotate_secret", "payments"] == "end sessions" and open_tasks["rotate_secret", "old"] == "delete key"
    )
    before = tasks("10:25")  # what was made before the intrusion began is not its own
    assert before["rotate_secret", "ci"] == before["rotate_secret", "old"] == "rotate secret"


def test_rows_of_an_older_state_are_read() -> None:
    store, notables = exposed(USUAL)
    follow(store, notables, LEAK + HOUR)
    key, raw = next(iter(store.scan("ledger", *ledger.ENTRIES)))
    store.put("ledger", [(key, pack(unpack(raw)[:14]))])
    assert ledger.entries(store)[0].suspects == ()


def test_an_exception_holds_until_it_ends_and_says_who_answers() -> None:
    store, notables = exposed(USUAL)
    entry = follow(store, notables, LEAK + HOUR)["rotate_secret"]
    ledger.exempt(store, entry.id[:6], Exemption("ada", "the partner moves first", LEAK + 9 * DAY, LEAK + HOUR))
    kept = follow(store, notables, LEAK + 8 * DAY)["rotate_secret"]
    assert (kept.status, "ada" in kept.evidence) == ("excepted", True)
    ended = follow(store, notables, LEAK + 10 * DAY)["rotate_secret"]
    assert (ended.status, ended.overdue, "the exception of ada ended" in ended.evidence) == ("open", True, True)


@pytest.mark.parametrize(
    "name, exemption, says",
    [
        ("", Exemption("ada", "why", LEAK + DAY, LEAK), "begin with"),
        ("zzz", Exemption("ada", "why", LEAK + DAY, LEAK), "0 controls"),
        (None, Exemption(" ", "why", LEAK + DAY, LEAK), "--owner"),
        (None, Exemption("ada", "", LEAK + DAY, LEAK), "--reason"),
        (None, Exemption("ada", "why", LEAK - 1, LEAK), "--until"),
        (None, Exemption("ada", "why", LEAK + 400 * DAY, LEAK), "--until"),
    ],
)
def test_an_exception_that_nobody_answers_for_is_refused(name: str | None, exemption: Exemption, says: str) -> None:
    store, notables = exposed(USUAL)
    entry = follow(store, notables, LEAK + HOUR)["rotate_secret"]
    with pytest.raises(InputError, match=says):
        ledger.exempt(store, entry.id if name is None else name, exemption)
    assert not ledger.exemptions(store)


def test_an_entry_outlives_its_notable_and_keeps_its_owner() -> None:
    store, notables = exposed(USUAL, known={"ci": Asset("", "team-ci", "")})
    follow(store, notables, LEAK + HOUR)
    assert follow(store, [], LEAK + 40 * DAY)["rotate_secret"].owner == "team-ci"
    assert ledger.entries(store) == sorted(ledger.entries(store))


def test_notables_tell_the_status_of_their_controls() -> None:
    store, notables = exposed(USUAL, [OFF])
    standing = ledger.follow(store, history.read(store), notables, LEAK + 10 * HOUR)
    (document,) = ledger.with_status(notables, standing)
    assert [c["status"] for c in document["controls"]] == ["done", "open"]


def test_a_run_s_end_lists_exposures_and_the_status_of_every_control() -> None:
    store = MemoryStore()
    notable = role_notable(store)
    run(store, [*USUAL, OFF, admin(TODAY, "20:00", "DeleteRole", roleName="payments-api")])
    fast.tell(store, KEY, LEAK, "public-repo")
    both = fast.follow_up(store, NO_ASSETS, [notable], lambda exposure: exposure)
    assert [(n["kind"], [c["status"] for c in n["controls"]]) for n in both] == [
        ("compromise", ["done", "done"]),
        ("exposure", ["done", "open"]),
    ]


STATUSES = st.sampled_from(["open", "done", "verified", "excepted"])
SOME = st.lists(st.tuples(STATUSES, st.sampled_from(["a", "b", ""]), st.integers(0, 90)), max_size=12)


@given(SOME)
def test_every_entry_is_counted_for_exactly_one_owner(entries: list[tuple[str, str, int]]) -> None:
    standing = [
        ControlEntry(str(n), "n", "rotate_secret", "i", "i", owner, (), 0, 1, status, hours * HOUR, "", (), None)
        for n, (status, owner, hours) in enumerate(entries)
    ]
    owners = ledger.by_owner(standing)
    assert sum(o.open + o.done + o.excepted for o in owners) == len(standing)
    assert len({o.owner for o in owners}) == len(owners)


def test_the_command_lists_and_excepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    run(store, USUAL)
    store.close()
    options = ("--out", str(tmp_path), "--now", render(LEAK + HOUR))
    assert cli.main(["exposed", KEY, "--where", "paste", "--since", render(LEAK), *options]) == 0
    capsys.readouterr()
    assert cli.main(["controls", "--json", *options]) == 0
    listed = json.loads(capsys.readouterr().out)["controls"]
    (rotate,) = [item for item in listed if item["control"] == "rotate_secret" and KEY in item["credentials"]]
    chosen = ["controls", "--except", rotate["id"], "--owner", "ada", "--until", render(LEAK + DAY)]
    assert cli.main([*chosen, *options]) == 2
    assert "--reason" in capsys.readouterr().err
    late = ["controls", "--except", rotate["id"], "--owner", "ada", "--until", "2099-01-01", "--reason", "x"]
    assert cli.main([*late, *options]) == 2
    assert "Recording" not in capsys.readouterr().out
    assert cli.main([*chosen, "--reason", "moves on Monday", *options]) == 0
    assert "excepted" in capsys.readouterr().out
    (line,) = [json.loads(text) for text in audit.lines(tmp_path / "audit.jsonl")]
    assert (line["what"], line["by"], line["facts"]["why"]) == ("control", "ada", "moves on Monday")
    assert cli.main(["controls", "--until", "2024-10-05", *options]) == 2
    assert str(ACCOUNT) not in capsys.readouterr().err
