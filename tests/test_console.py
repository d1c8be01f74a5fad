"""The console door: a console, or a second factor, takes no machine out of sight, and people stay watched.

Anyone who holds a machine's key can sign in to a console with it (GetFederationToken), make the user a password
(CreateLoginProfile) or assume a role with a second factor of his own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core_samples import ACCOUNT, TODAY, Options, record
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect.ranking import PEOPLE
from nhi_watch.detect.signals import NOVEL, is_person
from nhi_watch.intake.sources.kubernetes.actions import identify
from nhi_watch.state.baseline import HISTORY
from splunk_app import unpacked
from splunk_peers import Window
from splunk_server import Server
from test_pipeline import Records, quiet, scored

TOR = "185.220.101.4"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120 Safari/537.36"
CONSOLE = {"sessionCredentialFromConsole": "true", "agent": BROWSER}
CLI = {"agent": "aws-cli/2.1"}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
Calls = tuple[tuple[str, str, Mapping[str, Any]], ...]
ACTS: Mapping[str, Calls] = {
    "an administrator": (
        ("iam", "CreateUser", {"userName": "backup"}),
        ("iam", "AttachUserPolicy", {"userName": "backup", "policyArn": ADMIN}),
    ),
    "no more logs": (("cloudtrail", "StopLogging", {"name": "main"}),),
    "secrets": tuple(("secretsmanager", "GetSecretValue", {"secretId": f"prod/{n}"}) for n in range(5)),
    "a snapshot shared": (
        (
            "ec2",
            "ModifySnapshotAttribute",
            {
                "snapshotId": "snap-1",
                "attributeType": "CREATE_VOLUME_PERMISSION",
                "createVolumePermission": {"add": {"items": [{"userId": "999999999999"}]}},
            },
        ),
    ),
}
ANN = {
    "type": "AssumedRole",
    "principalId": "AROASSO:ann",
    "accountId": ACCOUNT,
    "accessKeyId": "ASIAANN",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann",
    "sessionContext": {
        "attributes": {"mfaAuthenticated": "true"},
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROASSO",
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
        },
    },
}
"""A person whom the directory knows."""


def tenant() -> Records:
    """Other machines at their daily work."""
    return [item for name in "abcdefgh" for item in quiet(17, f"worker-{name}")]


def act(calls: Calls, **how: Any) -> Records:
    """What a thief does from Tor with the role `ledger`."""
    return [
        record(
            TODAY,
            f"14:{n:02}",
            role="ledger",
            session="ASIATHIEF",
            service=service,
            name=name,
            address=TOR,
            requestParameters=call,
            id=f"theft{n}",
            **how,
        )
        for n, (service, name, call) in enumerate(calls)
    ]


def with_mfa(records: Records) -> Records:
    """The same in sessions for which a second factor was given."""
    result = []
    for item in records:
        who = item["userIdentity"]
        context = {**who["sessionContext"], "attributes": {"mfaAuthenticated": "true"}}
        result.append({**item, "userIdentity": {**who, "sessionContext": context}})
    return result


def on_the_eve() -> Records:
    """One call in a console, from a near network."""
    return [record(TODAY - 1, "16:00", role="ledger", name="ListBuckets", address="52.95.110.77", id="eve", **CONSOLE)]


def ways(calls: Calls) -> Mapping[str, Records]:
    """How a thief becomes a person, each with the identity's history."""
    return {
        "a newcomer in a console": act(calls, **CONSOLE),
        "an identity of six days in a console": quiet(6, "ledger") + act(calls, **CONSOLE),
        "six days, a second factor, then the command line": quiet(6, "ledger") + with_mfa(act(calls, **CLI)),
        "an old role, a second factor, then the command line": quiet(17, "ledger") + with_mfa(act(calls, **CLI)),
        "an old role and one console call on the eve": quiet(17, "ledger") + on_the_eve() + act(calls, **CONSOLE),
    }


def told(notables: list[Any], who: str = "ledger") -> list[Any]:
    return [n for n in notables if n["listed"] and who in n["identity"]["id"] and "theft0" in n["record_ids"]]


@pytest.mark.parametrize("way", ways(()))
@pytest.mark.parametrize("what", ACTS)
def test_whoever_is_seen_in_a_console_or_with_a_second_factor_stays_a_machine(what: str, way: str) -> None:
    _, (result,) = scored(tenant() + ways(ACTS[what])[way], options=Options(budget=10.0))
    assert len(told(result.notables)) == 1


def test_a_person_in_a_machine_s_session_is_a_reason_that_one_day_does_not_take_away() -> None:
    calls = ACTS["no more logs"]
    values = []
    for before in ([], on_the_eve()):
        _, (result,) = scored(quiet(17, "ledger") + before + act(calls, **CONSOLE))
        (notable,) = told(result.notables)
        values += [s["value"] for s in notable["signals"] if s["id"] == "human_use"]
    assert min(values) >= 3 and len(values) == 2


def at_home(days: int) -> Records:
    """A person's days in the console."""
    item = [{**r, "userIdentity": ANN} for r in quiet(days, "ann")]
    return [{**r, "sourceIPAddress": "81.2.69.142", "sessionCredentialFromConsole": "true"} for r in item]


@pytest.mark.parametrize("what", ACTS)
def test_a_known_person_stays_watched_for_what_a_thief_does(what: str) -> None:
    stolen = [{**item, "userIdentity": ANN} for item in act(ACTS[what], **CONSOLE)]
    _, (result,) = scored(tenant() + at_home(17) + stolen, options=Options(budget=10.0))
    (notable,) = told(result.notables, "ann")
    assert notable["likelihood"] >= PEOPLE


def test_people_at_work_in_the_console_are_no_notables() -> None:
    """Who looks at something new from the usual place, or grants something there."""
    new = [
        ("ec2", "DescribeInstances"),
        ("iam", "ListRoles"),
        ("lambda", "ListFunctions20150331"),
        ("s3", "CreateBucket"),
    ]
    today = [
        {
            **record(TODAY, f"11:{n:02}", role="ann", service=service, name=name, id=f"work{n}"),
            "userIdentity": ANN,
            "sourceIPAddress": "81.2.69.142",
            "sessionCredentialFromConsole": "true",
        }
        for n, (service, name) in enumerate(new)
    ]
    for history in (0, 6, 17):
        _, (result,) = scored(tenant() + at_home(history) + today)
        assert [n for n in [*result.notables, *result.below] if "ann" in n["identity"]["id"]] == []


@pytest.mark.parametrize("eves", [1, 2])
def test_a_usual_call_from_the_thief_s_line_on_the_eve_makes_no_habit(eves: int) -> None:
    """With the machine's own client, from a hoster where nobody works."""
    line = {"address": "139.162.130.5"}
    prepared = [record(TODAY - ago, "10:20", role="ledger", id=f"eve{ago}", **line) for ago in range(1, eves + 1)]
    calls = ACTS["secrets"]
    theft = [
        record(
            TODAY,
            f"14:{n:02}",
            role="ledger",
            service=service,
            name=name,
            requestParameters=call,
            id=f"theft{n}",
            **line,
        )
        for n, (service, name, call) in enumerate(calls)
    ]
    _, (result,) = scored(tenant() + quiet(17, "ledger") + prepared + theft)
    (notable,) = told(result.notables)
    assert notable["listed"] and {s["id"]: s["value"] for s in notable["signals"]}["moved_outside"] >= NOVEL


def test_in_splunk_too(tmp_path: Path) -> None:
    server = Server(unpacked(tmp_path))
    today = act(ACTS["an administrator"], **CONSOLE)
    for item in [*tenant(), *quiet(17, "ledger"), *on_the_eve(), *today]:
        server.index([(parse(item["eventTime"]), item)], "aws:cloudtrail", parse(item["eventTime"]) + 60)
    now = TODAY * DAY + 16 * HOUR
    server.backfill(TODAY - 17, TODAY, now)
    rows = server.search("`nhi_notables` | `nhi_latest`", Window(0, 1 << 40), now + HOUR)
    assert ["ledger" in row["nhi_identity"][0] for row in rows] == [True]


def test_a_name_alone_makes_nobody_a_person_before_a_week() -> None:
    """Clients choose the name in a cluster's certificate; a directory's word stands from the first day."""
    named = identify("ops@corp.example")
    assert [is_person(named, days) for days in (0, HISTORY - 1, HISTORY)] == [False, False, True]
    assert is_person(named._replace(human="identity_center"), 0)
