"""Posture: each finding with the evidence for it, and what must not be one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import ACCOUNT, TODAY, record, run
from nhi_watch import cli
from nhi_watch.act.posture import rights
from nhi_watch.act.posture.checks import Look, look
from nhi_watch.act.posture.finding import FindingLimits, Grant, calls_unused, scene, silence
from nhi_watch.context.assets import NO_ASSETS, Asset
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import history, ledger
from nhi_watch.state.baseline import Profile
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import MemoryStore
from test_exposure import KEY, admin, user
from test_pipeline import schema

NOW = TODAY * DAY
ARN = f"arn:aws:iam::{ACCOUNT}"


def days_ago(days: int) -> str:
    return render(NOW - days * DAY)


def looked(
    records: Iterable[dict[str, Any]] = (), text: Any = None, known: Any = NO_ASSETS, limits: Any = None
) -> Look:
    store = MemoryStore()
    rows = list(records)
    if rows:
        run(store, rows)
    tenant_history = history.read(store)
    shape = look(scene(tenant_history, text, known, limits or FindingLimits(), NOW), store)
    for notable in shape.notables:
        schema().validate(notable)
    return shape


def kinds(shape: Look) -> list[tuple[str, str]]:
    return sorted((f["kind"], f["identity"]["name"].rsplit("/", 1)[-1]) for f in shape.summary["findings"])


def the(shape: Look, kind: str) -> dict[str, Any]:
    (item,) = [f for f in shape.summary["findings"] if f["kind"] == kind]
    return dict(item)


def works(ago: Iterable[int], role: str = "payments-api", **changes: Any) -> list[dict[str, Any]]:
    return [record(TODAY - day, "10:00", role=role, **changes) for day in ago]


ALIVE = works(range(60, 0, -1), role="other")

# ---- rhythm


@given(st.integers(1, 400), st.integers(2, 12), st.integers(1, 200))
def test_a_job_is_never_called_idle_before_it_is_half_again_as_late_as_ever(period: int, runs: int, limit: int) -> None:
    profile = Profile()
    for number in range(runs):
        profile.learn(10_000 + number * period, {})
    last = 10_000 + (runs - 1) * period
    for late in (1, period, int(1.5 * period)):
        assert silence(profile, last + late, limit).verdict != "unusual" or profile.last - profile.first < 7
    verdict = silence(profile, last + 1000 * period + 401 + limit, limit).verdict
    assert verdict == "unusual"


def test_a_yearly_job_is_not_idle_and_a_daily_one_that_stopped_is() -> None:
    shape = looked(
        [*works([400, 35]), *works(range(300, 110, -1), role="stopped"), *ALIVE], limits=FindingLimits(90, 30)
    )
    assert kinds(shape) == [("dormant_identity", "stopped")]
    assert [r["verdict"] for r in shape.summary["rare"]] == ["within_rhythm"]


def test_what_ran_once_may_be_a_yearly_job() -> None:
    shape = looked([*works([200]), *ALIVE])
    assert kinds(shape) == []
    assert [r["verdict"] for r in shape.summary["rare"]] == ["cannot_tell"]
    assert any("yearly" in line for line in shape.summary["cannot_tell"])
    assert any("no asset table was given, or it has no rows" in line for line in shape.summary["cannot_tell"])


def test_a_deleted_identity_is_not_dormant() -> None:
    gone = admin(TODAY - 100, "11:00", "DeleteRole", roleName="stopped")
    assert kinds(looked([*works(range(300, 110, -1), role="stopped"), gone, *ALIVE])) == []


def test_a_call_is_unused_only_against_its_own_rhythm() -> None:
    profile = Profile()
    built = {"s3:GetObject": range(400), "s3:PutObject": range(100), "s3:Yearly": [3], "s3:Quarter": [10, 100, 190]}
    for day in range(400):
        profile.learn(day, {"action": {call: 1 for call, days in built.items() if day in days}})
    assert calls_unused(profile, 400, 90) == ["s3:PutObject"]


# ---- secrets


def test_the_log_alone_tells_a_key_s_least_age_or_its_creation() -> None:
    used = [user(TODAY - day, "10:00") for day in range(120, 0, -10)]
    assert "at least 119 days" in the(looked(used), "long_lived_secret")["evidence"]
    answer = {"accessKey": {"accessKeyId": KEY, "userName": "ci", "status": "Active"}}
    built = {**admin(TODAY - 130, "10:00", "CreateAccessKey", userName="ci"), "responseElements": answer}
    item = the(looked([built, *used]), "long_lived_secret")
    assert "129 days old (created" in item["evidence"]
    assert item["record_ids"] == [built["eventID"]]


def test_a_key_that_was_switched_off_is_no_finding() -> None:
    used = [user(TODAY - day, "10:00") for day in range(120, 10, -10)]
    off = admin(TODAY - 5, "10:00", "DeleteAccessKey", userName="ci", accessKeyId=KEY)
    assert kinds(looked([*used, off, *ALIVE])) == []


def test_a_key_left_behind_by_its_successor_is_unused() -> None:
    old = [user(TODAY - day, "10:00") for day in range(150, 120, -1)]
    new = [user(TODAY - day, "10:00") for day in range(119, 0, -1)]
    for item in new:
        item["userIdentity"] = {**item["userIdentity"], "accessKeyId": "AKIARTXV5AHDNEWNEWNE"}
    shape = looked([*old, *new])
    assert "while AKIARTXV5AHDNEWNEWNE is" in the(shape, "unused_secret")["evidence"]


# ---- people, owners, sharing


def test_a_person_in_a_machine_s_session_is_human_use() -> None:
    hands = works([3], sessionCredentialFromConsole="true", service="iam", name="ListUsers")
    shape = looked([*works(range(60, 0, -1)), *[{**h, "eventID": "hands"} for h in hands]])
    item = the(shape, "human_use")
    assert "1 of 60 active days" in item["evidence"]
    assert item["owasp_nhi"] == ["NHI10:2025"]
    assert item["record_ids"] == ["hands"]


def test_an_identity_that_the_table_does_not_own_is_orphaned() -> None:
    known = {"payments-api": Asset("high", "team-pay", "")}
    assert kinds(looked([*works([3, 2, 1]), *ALIVE], known=known)) == [("orphaned_identity", "other")]


def test_a_key_whose_maker_was_deleted_is_orphaned() -> None:
    maker = {
        "type": "IAMUser",
        "principalId": "AIDABOSS",
        "arn": f"{ARN}:user/boss",
        "accountId": ACCOUNT,
        "userName": "boss",
    }
    answer = {"accessKey": {"accessKeyId": KEY, "userName": "ci", "status": "Active"}}
    built = {**admin(TODAY - 50, "10:00", "CreateAccessKey", userName="ci"), "responseElements": answer}
    gone = admin(TODAY - 10, "10:00", "DeleteUser", userName="boss")
    shape = looked([{**built, "userIdentity": maker}, *[user(TODAY - d, "10:00") for d in (40, 5, 1)], gone])
    assert "made by boss, who has been deleted since" in the(shape, "orphaned_identity")["evidence"]


def test_an_identity_of_staging_that_touches_production_is_across_environments() -> None:
    crossing = [
        record(TODAY - day, "10:00", role="orders-stg", bucket=bucket, id=f"{day}{bucket}")
        for day in (3, 2, 1)
        for bucket in ("orders-stg-data", "orders-prod-data", "billing-prod-data")
    ]
    shape = looked([*crossing, *works([3, 2, 1], role="orders-prod", bucket="orders-prod-data")])
    assert kinds(shape) == [("shared_environments", "orders-stg")]
    assert "billing-prod-data" in the(shape, "shared_environments")["evidence"]


def both(days: Iterable[int]) -> list[dict[str, Any]]:
    """Two applications with one key: other agents, other networks."""
    item = [user(TODAY - day, "09:00") for day in days]
    other = [user(TODAY - day, "11:00", address="20.1.2.3", agent="terraform/1.9", id=f"tf{day}") for day in days]
    return item + other


def test_one_key_for_two_applications_side_by_side_is_reuse_and_a_move_is_not() -> None:
    shape = looked(both(range(9, 0, -1)))
    assert "2 applications at the same time" in the(shape, "reused_credential")["evidence"]
    split = days_ago(10)
    moved = [r for r in both(range(20, 0, -1)) if (r["userAgent"] == "terraform/1.9") == (r["eventTime"] > split)]
    assert kinds(looked(moved)) == []


def test_a_role_that_several_machines_take_is_reuse() -> None:
    takes = [
        record(
            TODAY - day,
            "09:00",
            role=role,
            service="sts",
            name="AssumeRole",
            id=f"{role}{day}",
            requestParameters={"roleArn": f"{ARN}:role/shared", "roleSessionName": "x"},
        )
        for day in (3, 2, 1)
        for role in ("one", "two")
    ]
    assert (
        "assumed by 2 identities: one, two"
        in the(looked([*takes, *works([3, 2, 1], role="shared")]), "reused_credential")["evidence"]
    )


# ---- privilege


def details(**more: Any) -> tuple[Grant, ...]:
    allowed = {"Effect": "Allow", "Action": ["s3:*", "sqs:*", "kms:Decrypt", "iam:PassRole"], "Resource": "*"}
    inline = [{"PolicyName": "inline", "PolicyDocument": {"Statement": [allowed]}}]
    role = {
        "RoleName": "payments-api",
        "Arn": f"{ARN}:role/payments-api",
        "AttachedManagedPolicies": [],
        "RolePolicyList": inline,
        **more,
    }
    plain = {"UserDetailList": [], "RoleDetailList": [role], "GroupDetailList": [], "Policies": []}
    return rights.authorization_details(json.dumps(plain))


def test_granted_services_that_are_never_used_are_too_many() -> None:
    item = the(looked(works(range(60, 0, -1)), details()), "over_privileged")
    assert "granted 4 services" in item["evidence"]
    assert "never iam, kms, sqs" in item["evidence"].replace(" and ", ", ")
    assert item["severity"] == "medium"


def test_an_administrator_s_policy_with_a_reader_is_too_much_and_little_history_is_none() -> None:
    admins = [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    role_details = details(AttachedManagedPolicies=admins)
    assert "AdministratorAccess" in the(looked(works(range(60, 0, -1)), role_details), "over_privileged")["evidence"]
    assert kinds(looked(works(range(9, 0, -1)), role_details)) == []


def test_who_changes_permissions_may() -> None:
    admins = [{"PolicyName": "IAMFullAccess", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}]
    busy = works(range(60, 0, -1), service="iam", name="AttachRolePolicy")
    shape = looked(busy, details(AttachedManagedPolicies=admins, RolePolicyList=[]))
    assert kinds(shape) == []


def test_a_policy_may_be_text_and_groups_count() -> None:
    policy = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22NotAction%22%3A%22iam%3A%2A%22%7D%7D"
    plain = {
        "UserDetailList": [{"UserName": "ci", "Arn": f"{ARN}:user/ci", "GroupList": ["ops"]}],
        "GroupDetailList": [{"GroupName": "ops", "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": policy}]}],
        "RoleDetailList": [],
    }
    (grant,) = rights.authorization_details(json.dumps(plain))
    assert (grant.allowed, grant.broad) == (("*",), "all of *")


def test_without_grants_it_says_that_they_are_not_known() -> None:
    shape = looked(ALIVE)
    assert any("what is granted is not known" in line for line in shape.summary["cannot_tell"])
    assert shape.summary["used"][0]["calls"] == ["s3:GetObject"]


# ---- input that is wrong


@pytest.mark.parametrize(
    "text, says",
    [
        ("[]", "UserDetailList"),
        ("{", "not JSON"),
        ('{"RoleDetailList": [{"RoleName": "x"}]}', "entry 1: 'Arn' is missing"),
        ('{"RoleDetailList": [{"RoleName": "x", "Arn": "a", "RoleLastUsed": {"LastUsedDate": "soon"}}]}', "not an RFC"),
        ('{"RoleDetailList": 1}', "expected a list"),
    ],
)
def test_a_malformed_report_is_one_line_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=says) as error:
        rights.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


NAMES = ("UserDetailList", "RoleDetailList", "Policies", "Arn", "RoleName", "RolePolicyList", "PolicyDocument",
         "AttachedManagedPolicies", "PolicyName", "Statement", "Effect", "Action", "RoleLastUsed")  # fmt: skip
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)


@given(JSONS)
def test_any_json_is_read_or_refused_and_nothing_else(plain: Any) -> None:
    try:
        assert isinstance(rights.authorization_details(json.dumps(plain)), tuple)
    except InputError as error:
        assert str(error)


def stored(out: Path, roles: Iterable[str]) -> tuple[str, ...]:
    """A state in which these roles have been silent for long, and the command that looks at it."""
    out.mkdir(exist_ok=True)
    store = SqliteStore(out / "state.sqlite")
    quiet = [record(TODAY - 200 + n, "10:00", role=role) for role in roles for n in range(20)]
    run(store, [*quiet, record(TODAY, "10:00", role="other")])
    store.commit()
    store.close()
    return ("posture", "--out", str(out), "--now", render(NOW))


def test_the_command_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = stored(tmp_path / "out", ["old<script>"])
    path = tmp_path / "details.json"
    path.write_text(json.dumps({"RoleDetailList": [], "UserDetailList": []}))
    assert cli.main([*options, "--authorization-details", str(path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["counts"]["dormant_identity"] == 1
    assert summary["reports"] == ["authorization details"]
    assert "old<script>" not in (tmp_path / "out" / "posture.html").read_text("utf-8")
    assert cli.main(list(options)) == 0
    assert "Dormant identity" in capsys.readouterr().out


def test_twenty_findings_are_on_the_first_page_and_the_rest_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = stored(tmp_path / "out", [f"role{n}" for n in range(23)])
    assert cli.main(list(options)) == 0
    shown = capsys.readouterr().out
    assert (shown.count("NHI1:2025"), "23 findings" in shown, "--all shows the others" in shown) == (20, True, True)
    assert len((tmp_path / "out" / "posture.jsonl").read_text().splitlines()) == 23
    assert cli.main([*options, "--all"]) == 0
    assert capsys.readouterr().out.count("NHI1:2025") == 23


def test_a_verdict_on_a_finding_closes_it_and_its_controls(tmp_path: Path) -> None:
    options, results = stored(tmp_path / "out", ["old"]), tmp_path / "out" / "posture.jsonl"
    assert cli.main(list(options)) == 0
    (finding,) = map(json.loads, results.read_text("utf-8").splitlines())
    assert finding["life"] != "closed"
    said = ("--by", "ada", "--why", "kept for audits", "--now", render(NOW), "--out", str(tmp_path / "out"))
    assert cli.main(["feedback", finding["id"], "benign", *said]) == 0
    assert cli.main(list(options)) == 0
    (finding,) = map(json.loads, results.read_text("utf-8").splitlines())
    assert (finding["life"], finding["closed_why"]) == ("closed", f"benign, by ada on {render(NOW)[:10]}")
    with closing(SqliteStore(tmp_path / "out" / "state.sqlite")) as store:
        assert not [entry for entry in ledger.entries(store) if entry.notable == finding["id"]]


def test_what_a_thief_could_do_most_with_comes_first() -> None:
    quiet = [record(TODAY - 200 + n, "10:00", role="reader") for n in range(20)]
    strong = [
        record(
            TODAY - 200 + n,
            "10:00",
            role="granter",
            service="iam",
            name="AttachRolePolicy",
            requestParameters={"roleName": "x"},
        )
        for n in range(20)
    ]
    findings = looked([*strong, *quiet, record(TODAY, "10:00", role="other")]).summary["findings"]
    dormant = [f for f in findings if f["kind"] == "dormant_identity"]
    assert [f["identity"]["name"].rsplit("/", 1)[-1] for f in dormant] == ["granter", "reader"]
    assert [f["thief"].split(" in ")[0] for f in dormant] == ["change permissions", "read data"]


def test_ages_count_from_the_end_of_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    run(store, [record(TODAY - 5 + n, "10:00", role="worker") for n in range(6)])
    store.commit()
    store.close()
    assert cli.main(["posture", "--out", str(tmp_path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["looked"][:10], summary["counts"]["dormant_identity"]) == (render(TODAY * DAY)[:10], 0)


def test_nothing_to_look_at_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["posture", "--out", str(tmp_path / "none")]) == 2
    assert "nothing to look at" in capsys.readouterr().err
