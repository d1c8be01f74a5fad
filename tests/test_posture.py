"""Posture: each finding with the evidence for it, and what must not be one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import ACCOUNT, TODAY, record, run
from nhi_watch import cli
from nhi_watch.act.posture import checks, clouds
from nhi_watch.act.posture.checks import Look, look
from nhi_watch.act.posture.clouds import NEVER, Exports, Limits, scene
from nhi_watch.act.posture.finding import calls_unused, silence
from nhi_watch.context.assets import NO_ASSETS, Asset
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import history
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
    records: Iterable[dict[str, Any]] = (), told: Any = None, known: Any = NO_ASSETS, limits: Any = None
) -> Look:
    store = MemoryStore()
    rows = list(records)
    if rows:
        run(store, rows)
    whole = history.read(store)
    found = look(scene(whole, told or Exports(), known, limits or Limits(), NOW), store)
    for notable in found.notables:
        schema().validate(notable)
    return found


def kinds(found: Look) -> list[tuple[str, str]]:
    return sorted((f["kind"], f["identity"]["name"].rsplit("/", 1)[-1]) for f in found.summary["findings"])


def the(found: Look, kind: str) -> dict[str, Any]:
    (one,) = [f for f in found.summary["findings"] if f["kind"] == kind]
    return dict(one)


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
    found = looked([*works([400, 35]), *works(range(300, 110, -1), role="stopped"), *ALIVE], limits=Limits(90, 30))
    assert kinds(found) == [("dormant_identity", "stopped")]
    assert [r["verdict"] for r in found.summary["rare"]] == ["within_rhythm"]


def test_what_ran_once_may_be_a_yearly_job() -> None:
    found = looked([*works([200]), *ALIVE])
    assert kinds(found) == []
    assert [r["verdict"] for r in found.summary["rare"]] == ["cannot_tell"]
    assert any("yearly" in line for line in found.summary["cannot_tell"])
    assert any("no asset table was given, or one without rows" in line for line in found.summary["cannot_tell"])


def test_a_deleted_identity_is_not_dormant() -> None:
    gone = admin(TODAY - 100, "11:00", "DeleteRole", roleName="stopped")
    assert kinds(looked([*works(range(300, 110, -1), role="stopped"), gone, *ALIVE])) == []


def test_a_call_is_unused_only_against_its_own_rhythm() -> None:
    profile = Profile()
    made = {"s3:GetObject": range(400), "s3:PutObject": range(100), "s3:Yearly": [3], "s3:Quarter": [10, 100, 190]}
    for day in range(400):
        profile.learn(day, {"action": {call: 1 for call, days in made.items() if day in days}})
    assert calls_unused(profile, 400, 90) == ["s3:PutObject"]


# ---- secrets

REPORT = (
    "user,arn,user_creation_time,password_enabled,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n"
)


def report(*lines: str) -> Exports:
    return clouds.credential_report(REPORT + "".join(f"{line}\n" for line in lines))


def row(name: str, created: str, used: str, active: str = "true") -> str:
    return f"{name},{ARN}:user/{name},{created},false,{active},{created},{used},false,N/A,N/A"


def test_an_old_key_of_the_credential_report_is_long_lived_and_an_unused_one_unused() -> None:
    found = looked((), report(
        row("old", days_ago(400), days_ago(1)), row("fresh", days_ago(10), days_ago(1)),
        row("idle", days_ago(80), days_ago(1)), row("never", days_ago(95), "N/A"),
        row("off", days_ago(900), days_ago(1), "false"),
    ))  # fmt: skip
    assert kinds(found) == [("long_lived_secret", "never"), ("long_lived_secret", "old"), ("unused_secret", "never")]
    assert "400 days old (credential report)" in the(looked((), report(row("a", days_ago(400), days_ago(1)))),
                                                     "long_lived_secret")["evidence"]  # fmt: skip


def test_the_report_may_be_the_command_s_json() -> None:
    text = REPORT + row("old", days_ago(400), days_ago(1))
    packed = json.dumps({"Content": base64.b64encode(text.encode()).decode(), "ReportFormat": "text/csv"})
    assert clouds.credential_report(packed) == clouds.credential_report(text)


def test_a_key_of_the_root_is_the_worst() -> None:
    root = f"<root_account>,{ARN}:root,{days_ago(999)},not_supported,true,{days_ago(999)},{days_ago(2)},false,N/A,N/A"
    assert the(looked((), report(root)), "long_lived_secret")["severity"] == "medium"


def test_the_log_alone_tells_a_key_s_least_age_or_its_creation() -> None:
    used = [user(TODAY - day, "10:00") for day in range(120, 0, -10)]
    assert "at least 119 days" in the(looked(used), "long_lived_secret")["evidence"]
    answer = {"accessKey": {"accessKeyId": KEY, "userName": "ci", "status": "Active"}}
    made = {**admin(TODAY - 130, "10:00", "CreateAccessKey", userName="ci"), "responseElements": answer}
    one = the(looked([made, *used]), "long_lived_secret")
    assert "129 days old (created" in one["evidence"]
    assert one["record_ids"] == [made["eventID"]]


def test_a_key_that_was_switched_off_is_no_finding() -> None:
    used = [user(TODAY - day, "10:00") for day in range(120, 10, -10)]
    off = admin(TODAY - 5, "10:00", "DeleteAccessKey", userName="ci", accessKeyId=KEY)
    assert kinds(looked([*used, off, *ALIVE])) == []


def test_a_key_left_behind_by_its_successor_is_unused() -> None:
    old = [user(TODAY - day, "10:00") for day in range(150, 120, -1)]
    new = [user(TODAY - day, "10:00") for day in range(119, 0, -1)]
    for one in new:
        one["userIdentity"] = {**one["userIdentity"], "accessKeyId": "AKIARTXV5AHDNEWNEWNE"}
    found = looked([*old, *new])
    assert "while AKIARTXV5AHDNEWNEWNE is" in the(found, "unused_secret")["evidence"]


def test_a_yearly_user_s_key_in_the_report_is_not_called_unused() -> None:
    found = looked([*[user(TODAY - d, "10:00") for d in (700, 340)], *ALIVE], report(
        row("ci", days_ago(800), days_ago(340)),
    ))  # fmt: skip
    assert kinds(found) == [("long_lived_secret", "ci")]


CLOUDS: list[tuple[Callable[[str], Exports], Any, list[tuple[str, str]]]] = [
    (clouds.entra_apps, {"value": [{"appId": "0a0b", "displayName": "sync", "owners": [], "passwordCredentials": [
        {"keyId": "K1", "startDateTime": days_ago(10), "endDateTime": "2299-12-31T00:00:00Z"},
        {"keyId": "K2", "startDateTime": days_ago(10), "endDateTime": render(NOW + 80 * DAY)},
        {"keyId": "K3", "startDateTime": days_ago(900), "endDateTime": days_ago(5)}]}]},
     [("long_lived_secret", "sync"), ("orphaned_identity", "sync")]),
    (clouds.gcp_keys, [
        {"name": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com/keys/k1", "keyType": "USER_MANAGED",
         "validAfterTime": days_ago(200), "validBeforeTime": "9999-12-31T23:59:59Z"},
        {"name": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com/keys/k2", "keyType": "SYSTEM_MANAGED",
         "validAfterTime": days_ago(200), "validBeforeTime": "9999-12-31T23:59:59Z"},
        {"name": "projects/p/serviceAccounts/b@p.iam.gserviceaccount.com/keys/k3", "keyType": "USER_MANAGED",
         "validAfterTime": days_ago(200), "validBeforeTime": "9999-12-31T23:59:59Z", "disabled": True}],
     [("long_lived_secret", "a@p.iam.gserviceaccount.com")]),
    (clouds.github_tokens, [
        {"id": 1, "token_id": 7, "token_name": "ci", "owner": {"login": "ada"}, "token_expired": False,
         "token_expires_at": None, "access_granted_at": days_ago(5), "token_last_used_at": days_ago(1)},
        {"id": 2, "token_id": 8, "token_name": "ok", "owner": {"login": "bob"}, "token_expired": False,
         "token_expires_at": render(NOW + 30 * DAY), "access_granted_at": days_ago(5),
         "token_last_used_at": days_ago(1)}],
     [("long_lived_secret", "ci of ada")]),
    (clouds.github_tokens, [
        {"login": "ada", "credential_id": 9, "credential_type": "personal access token", "scopes": ["repo"],
         "credential_authorized_at": days_ago(300), "credential_accessed_at": days_ago(200)}],
     [("long_lived_secret", "personal access token of ada"), ("unused_secret", "personal access token of ada")]),
]  # fmt: skip


@pytest.mark.parametrize("read, plain, expected", CLOUDS, ids=lambda v: getattr(v, "__name__", ""))
def test_each_cloud_s_export_gives_its_findings(
    read: Callable[[str], Exports], plain: Any, expected: list[tuple[str, str]]
) -> None:
    assert kinds(looked((), read(json.dumps(plain)))) == expected


# ---- people, owners, sharing


def test_a_person_in_a_machine_s_session_is_human_use() -> None:
    hands = works([3], sessionCredentialFromConsole="true", service="iam", name="ListUsers")
    found = looked([*works(range(60, 0, -1)), *[{**h, "eventID": "hands"} for h in hands]])
    one = the(found, "human_use")
    assert "1 of 60 active days" in one["evidence"]
    assert one["owasp_nhi"] == ["NHI10:2025"]
    assert one["record_ids"] == ["hands"]


def test_an_identity_that_the_table_does_not_own_is_orphaned() -> None:
    known = {"payments-api": Asset("high", "team-pay", "")}
    assert kinds(looked([*works([3, 2, 1]), *ALIVE], known=known)) == [("orphaned_identity", "other")]


def test_a_key_whose_maker_was_deleted_is_orphaned() -> None:
    maker = {"type": "IAMUser", "principalId": "AIDABOSS", "arn": f"{ARN}:user/boss", "accountId": ACCOUNT,
             "userName": "boss"}  # fmt: skip
    answer = {"accessKey": {"accessKeyId": KEY, "userName": "ci", "status": "Active"}}
    made = {**admin(TODAY - 50, "10:00", "CreateAccessKey", userName="ci"), "responseElements": answer}
    gone = admin(TODAY - 10, "10:00", "DeleteUser", userName="boss")
    found = looked([{**made, "userIdentity": maker}, *[user(TODAY - d, "10:00") for d in (40, 5, 1)], gone])
    assert "made by boss, who was deleted since" in the(found, "orphaned_identity")["evidence"]


def test_an_identity_of_staging_that_touches_production_is_across_environments() -> None:
    crossing = [
        record(TODAY - day, "10:00", role="orders-stg", bucket=bucket, id=f"{day}{bucket}")
        for day in (3, 2, 1)
        for bucket in ("orders-stg-data", "orders-prod-data", "billing-prod-data")
    ]
    found = looked([*crossing, *works([3, 2, 1], role="orders-prod", bucket="orders-prod-data")])
    assert kinds(found) == [("shared_environments", "orders-stg")]
    assert "billing-prod-data" in the(found, "shared_environments")["evidence"]


def both(days: Iterable[int]) -> list[dict[str, Any]]:
    """Two applications with one key: other agents, other networks."""
    one = [user(TODAY - day, "09:00") for day in days]
    other = [user(TODAY - day, "11:00", address="20.1.2.3", agent="terraform/1.9", id=f"tf{day}") for day in days]
    return one + other


def test_one_key_for_two_applications_side_by_side_is_reuse_and_a_move_is_not() -> None:
    found = looked(both(range(9, 0, -1)))
    assert "2 applications side by side" in the(found, "reused_credential")["evidence"]
    split = days_ago(10)
    moved = [r for r in both(range(20, 0, -1)) if (r["userAgent"] == "terraform/1.9") == (r["eventTime"] > split)]
    assert kinds(looked(moved)) == []


def test_a_role_that_several_machines_take_is_reuse() -> None:
    takes = [
        record(TODAY - day, "09:00", role=role, service="sts", name="AssumeRole", id=f"{role}{day}",
               requestParameters={"roleArn": f"{ARN}:role/shared", "roleSessionName": "x"})
        for day in (3, 2, 1) for role in ("one", "two")
    ]  # fmt: skip
    assert "taken by 2 identities: one, two" in the(looked([*takes, *works([3, 2, 1], role="shared")]),
                                                    "reused_credential")["evidence"]  # fmt: skip


# ---- privilege


def details(**more: Any) -> Exports:
    allowed = {"Effect": "Allow", "Action": ["s3:*", "sqs:*", "kms:Decrypt", "iam:PassRole"], "Resource": "*"}
    inline = [{"PolicyName": "inline", "PolicyDocument": {"Statement": [allowed]}}]
    role = {"RoleName": "payments-api", "Arn": f"{ARN}:role/payments-api", "AttachedManagedPolicies": [],
            "RolePolicyList": inline, **more}  # fmt: skip
    plain = {"UserDetailList": [], "RoleDetailList": [role], "GroupDetailList": [], "Policies": []}
    return checks.authorization_details(json.dumps(plain))


def test_granted_services_that_are_never_used_are_too_many() -> None:
    one = the(looked(works(range(60, 0, -1)), details()), "over_privileged")
    assert "granted 4 services" in one["evidence"]
    assert "never iam, kms, sqs" in one["evidence"].replace(" and ", ", ")
    assert one["severity"] == "medium"


def test_an_administrator_s_policy_with_a_reader_is_too_much_and_little_history_is_none() -> None:
    admins = [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    told = details(AttachedManagedPolicies=admins)
    assert "AdministratorAccess" in the(looked(works(range(60, 0, -1)), told), "over_privileged")["evidence"]
    assert kinds(looked(works(range(9, 0, -1)), told)) == []


def test_who_changes_permissions_may() -> None:
    admins = [{"PolicyName": "IAMFullAccess", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}]
    busy = works(range(60, 0, -1), service="iam", name="AttachRolePolicy")
    found = looked(busy, details(AttachedManagedPolicies=admins, RolePolicyList=[]))
    assert kinds(found) == []


def test_a_policy_may_be_text_and_groups_count() -> None:
    document = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22NotAction%22%3A%22iam%3A%2A%22%7D%7D"
    plain = {
        "UserDetailList": [{"UserName": "ci", "Arn": f"{ARN}:user/ci", "GroupList": ["ops"]}],
        "GroupDetailList": [{"GroupName": "ops", "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": document}]}],
        "RoleDetailList": [],
    }
    (grant,) = checks.authorization_details(json.dumps(plain)).grants
    assert (grant.allowed, grant.roles, grant.broad) == (("*",), ("p",), "all of *")


def test_a_broad_role_of_azure_with_a_reader_is_too_much() -> None:
    assignments = [
        {"principalId": "0A", "principalName": "sync", "principalType": "ServicePrincipal",
         "roleDefinitionName": "Owner", "scope": "/subscriptions/1"},
        {"principalId": "0B", "principalType": "User", "roleDefinitionName": "Owner", "scope": "/subscriptions/1"},
        {"principalId": "0C", "principalType": "ServicePrincipal", "roleDefinitionName": "Owner",
         "scope": "/subscriptions/1/resourceGroups/a"},
    ]  # fmt: skip
    found = looked(ALIVE, clouds.role_assignments(json.dumps(assignments)))
    assert kinds(found) == [("over_privileged", "sync")]


def test_without_grants_it_says_that_they_are_not_known() -> None:
    found = looked(ALIVE)
    assert any("what is granted is not known" in line for line in found.summary["cannot_tell"])
    assert found.summary["used"][0]["calls"] == ["s3:GetObject"]


# ---- input that is wrong

WRONG: list[tuple[Callable[[str], Exports], str, str]] = [
    (clouds.credential_report, "a,b\n1,2\n", "line 1: not a credential report"),
    (clouds.credential_report, REPORT + row("x", "soon", "N/A"), "line 2: not an RFC 3339 time"),
    (clouds.credential_report, REPORT + row("x", days_ago(1), "N/A", "maybe"), "line 2: access_key_1_active"),
    (clouds.credential_report, '{"Content": "%%%"}', "not base64"),
    (checks.authorization_details, "[]", "UserDetailList"),
    (checks.authorization_details, "{", "not JSON"),
    (checks.authorization_details, '{"RoleDetailList": [{"RoleName": "x"}]}', "entry 1: 'Arn' is missing"),
    (clouds.entra_apps, '{"value": 1}', "expected a list"),
    (clouds.entra_apps, '{"value": [{"displayName": "x"}]}', "'appId'"),
    (clouds.gcp_keys, '[{"name": "x"}]', "projects/P/serviceAccounts"),
    (clouds.github_tokens, "[{}]", "neither a fine-grained token"),
    (clouds.role_assignments, '[{"principalId": "a"}]', "'roleDefinitionId'"),
]


@pytest.mark.parametrize("read, text, says", WRONG)
def test_a_malformed_report_is_one_line_with_its_place(
    read: Callable[[str], Exports], text: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "report"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=says) as error:
        clouds.load(path, read)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["value", "keys", "name", "appId", "passwordCredentials", "Policies", "Arn",
                                       "RoleDetailList", "token_id", "owner", "principalId", "scope"]), inner),
    max_leaves=12,
)  # fmt: skip
READERS = (clouds.credential_report, checks.authorization_details, clouds.entra_apps, clouds.gcp_keys,
           clouds.github_tokens, clouds.role_assignments)  # fmt: skip


@given(JSONS, st.sampled_from(READERS))
def test_any_json_is_read_or_refused_and_nothing_else(plain: Any, read: Callable[[str], Exports]) -> None:
    try:
        assert isinstance(read(json.dumps(plain)), Exports)
    except InputError as error:
        assert str(error)


def test_the_command_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.csv"
    path.write_text(REPORT + row("old<script>", days_ago(400), days_ago(1)), "utf-8")
    told = ("posture", "--credential-report", str(path), "--out", str(tmp_path / "out"), "--now", render(NOW))
    assert cli.main([*told, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["counts"]["long_lived_secret"] == 1
    assert summary["reports"] == ["credential report"]
    assert "old<script>" not in (tmp_path / "out" / "posture.html").read_text("utf-8")
    assert cli.main(list(told)) == 0
    assert "Long-lived secret" in capsys.readouterr().out


def test_twenty_findings_are_on_the_first_page_and_the_rest_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.csv"
    path.write_text(REPORT + "\n".join(row(f"user{n}", days_ago(400), days_ago(1)) for n in range(33)), "utf-8")
    told = ("posture", "--credential-report", str(path), "--out", str(tmp_path / "out"), "--now", render(NOW))
    assert cli.main(list(told)) == 0
    shown = capsys.readouterr().out
    assert (shown.count("NHI7:2025"), "33 findings" in shown, "--all shows the others" in shown) == (20, True, True)
    assert len((tmp_path / "out" / "posture.jsonl").read_text().splitlines()) == 33
    assert cli.main([*told, "--all"]) == 0
    assert capsys.readouterr().out.count("NHI7:2025") == 33


def test_what_a_thief_could_do_most_with_comes_first() -> None:
    quiet = [record(TODAY - 200 + n, "10:00", role="reader") for n in range(20)]
    strong = [record(TODAY - 200 + n, "10:00", role="granter", service="iam", name="AttachRolePolicy",
                     requestParameters={"roleName": "x"}) for n in range(20)]  # fmt: skip
    found = looked([*strong, *quiet, record(TODAY, "10:00", role="other")]).summary["findings"]
    dormant = [f for f in found if f["kind"] == "dormant_identity"]
    assert [f["identity"]["name"].rsplit("/", 1)[-1] for f in dormant] == ["granter", "reader"]
    assert [f["thief"].split(" in ")[0] for f in dormant] == ["change who may do what", "read data"]


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


def test_a_secret_s_end_in_the_far_future_is_never() -> None:
    told = clouds.gcp_keys(json.dumps([{"name": "projects/-/serviceAccounts/a@p.iam.gserviceaccount.com/keys/k",
                                        "validBeforeTime": "9999-12-31T23:59:59Z"}]))  # fmt: skip
    assert (told.secrets[0].expires, told.secrets[0].account) == (NEVER, "p")
