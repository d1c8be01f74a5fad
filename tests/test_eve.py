"""What a thief does on the eve to make the theft look usual: calls that fail, a quarter of the theft, decoy names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core_samples import ACCOUNT, TODAY, Going, record, run
from flood_samples import FOREIGN, foreign
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.intake.sources import every
from nhi_watch.state.baseline import TENANT
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from test_pipeline import quiet, raid
from test_signals_inside import AWS, aws, aws_day, told

Record = dict[str, Any]


def on_the_eve(records: Sequence[Record], **changes: Any) -> list[Record]:
    """The same records a day earlier."""
    return [
        {**record, "eventTime": render((TODAY - 1) * DAY + 12 * 3600 + n), "eventID": f"eve{n}", **changes}
        for n, record in enumerate(records)
    ]


FAILS = {"errorCode": "NoSuchBucket"}


@pytest.mark.parametrize("error", ["AccessDenied", "NoSuchBucket"])
def test_one_failed_call_on_the_eve_makes_no_kind_of_call_known(error: str) -> None:
    stolen = aws("dynamodb", "GetItem", 400, tableName="customers")
    tried = on_the_eve(stolen[:1], errorCode=error)
    for signal in ("mass_taking", "new_action", "first_targets"):
        value, _ = told(signal, AWS, [*aws_day(TODAY), *stolen], "reports-job")
        after, _ = told(signal, [*AWS, *tried], [*aws_day(TODAY), *stolen], "reports-job")
        assert value, signal
        assert after is not None, signal
        assert after >= value - 0.5, signal


def test_many_failed_calls_on_the_eve_do_not_make_new_targets_usual() -> None:
    tried = [
        each
        for n in range(12)
        for each in on_the_eve(aws("s3", "GetObject", 1, bucketName=f"none-{n}"), eventID=f"eve-{n}", **FAILS)
    ]
    stolen = aws("s3", "GetObject", 88, bucketName="payroll-archive")
    for signal in ("first_targets", "target_fan_out"):
        value, _ = told(signal, AWS, [*aws_day(TODAY), *stolen], "reports-job")
        after, _ = told(signal, [*AWS, *tried], [*aws_day(TODAY), *stolen], "reports-job")
        assert value, signal
        assert after == value, signal


def test_refused_calls_do_not_make_an_amount_usual() -> None:
    """Known calls, many times as often: the days before they were tried as often, and refused."""
    stolen = aws("s3", "GetObject", 600, bucketName="reports-job-data")
    refused = [
        {
            **item,
            "eventTime": render((TODAY - ago) * DAY + 12 * 3600 + n),
            "eventID": f"{ago}-{n}",
            "errorCode": "AccessDenied",
        }
        for ago in (1, 2, 3)
        for n, item in enumerate(stolen)
    ]
    for signal in ("bulk", "mass_taking"):
        value, _ = told(signal, AWS, [*aws_day(TODAY), *stolen], "reports-job")
        after, _ = told(signal, [*AWS, *refused], [*aws_day(TODAY), *stolen], "reports-job")
        assert value, signal
        assert after == value, signal


@pytest.mark.parametrize(("signal", "call"), [("mass_taking", "GetItem"), ("bulk", "GetObject")])
def test_a_quarter_of_the_theft_on_the_eve_does_not_buy_the_rest(signal: str, call: str) -> None:
    service, params = ("s3", {"bucketName": "reports-job-data"}) if call == "GetObject" else ("dynamodb", {})
    stolen = aws(service, call, 600, **params)
    value, _ = told(signal, AWS, [*aws_day(TODAY), *stolen], "reports-job")
    after, _ = told(signal, [*AWS, *on_the_eve(stolen[:150])], [*aws_day(TODAY), *stolen], "reports-job")
    assert value
    assert after == value


def test_what_grew_for_good_is_no_news_on_the_third_day() -> None:
    grown = aws("s3", "GetObject", 600, bucketName="reports-job-data")
    before = [
        {**item, "eventTime": render((TODAY - ago) * DAY + 12 * 3600 + n), "eventID": f"{ago}-{n}"}
        for ago in (1, 2)
        for n, item in enumerate(grown)
    ]
    assert told("bulk", [*AWS, *before], [*aws_day(TODAY), *grown], "reports-job") == (0.0, "")


def reading(day: int, secrets: Sequence[str], clock: str = "13") -> list[Record]:
    return [
        record(
            day,
            f"{clock}:{n // 60:02}:{n % 60:02}",
            role="reports-job",
            service="secretsmanager",
            name="GetSecretValue",
            requestParameters={"secretId": secret},
            id=f"{day}-{secret}-{n}",
        )
        for n, secret in enumerate(secrets)
    ]


def test_six_hundred_secrets_that_sort_last_are_counted() -> None:
    """Among thirty that the identity reads each day, in the same hour."""
    own = [f"a/{n}" for n in range(30)]
    history = [*AWS, *(item for day in range(TODAY - 17, TODAY) for item in reading(day, own))]
    usual, _ = told("secret_fan_out", history, [*aws_day(TODAY), *reading(TODAY, own)], "reports-job")
    assert usual == 0.0
    stolen = reading(TODAY, [*own, *(f"z/{n}" for n in range(600))])
    value, evidence = told("secret_fan_out", history, [*aws_day(TODAY), *stolen], "reports-job")
    assert value is not None
    assert 9.0 < value < 9.5
    assert "secrets read for the first time (5" in evidence or "secrets read for the first time (6" in evidence
    fan_out, _ = told("target_fan_out", history, [*aws_day(TODAY), *stolen], "reports-job")
    assert fan_out is not None
    assert fan_out > 8


def visits(day: int, account: str) -> list[Record]:
    """Somebody who found a public bucket, over Tor: of no account, or of another."""
    who: Record = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    return [
        record(
            day,
            f"{hour:02}:00",
            userIdentity=foreign("guest", account) if account else who,
            address="185.220.101.9",
            agent="curl/8",
            id=f"{day}-{hour}-{account}",
            recipientAccountId=ACCOUNT,
        )
        for hour in range(6, 18)
    ]


@pytest.mark.parametrize("account", [FOREIGN, ""], ids=["another account", "nobody"])
def test_who_comes_to_a_public_bucket_teaches_nothing_of_the_tenant(account: str) -> None:
    taught = []
    for guests in ((), range(TODAY - 20, TODAY)):
        store = MemoryStore()
        run(store, [*quiet(20), *(visit for day in guests for visit in visits(day, account))])
        tenant = State(store).scopes(TODAY + 1).groups[TENANT]
        taught.append({name: sorted(dimension.values) for name, dimension in tenant.dimensions.items()})
        assert not [value for value in taught[-1]["network"] if value.startswith("185.")]
    assert taught[0] == taught[1]


SAMPLES = Path(__file__).parent / "data" / "sources"
SAMPLED = parse("2026-03-02T00:00:00Z") // DAY
ANONYMOUS = {
    ("cloudtrail", "s3:GetObject"),
    ("gcp", "storage.googleapis.com:objects.list"),
    ("github", "github:git.clone"),
    ("kubernetes", "k8s:nonresource.get"),
    ("m365", "sharepoint:FileAccessed"),
    ("vault", "vault:kv.read"),
    ("workspace", "workspace.login:suspicious_login"),
}
"""Calls of nobody that succeed in the samples, of each source that knows any."""


def admitted_without_a_credential() -> dict[tuple[str, str], Record]:
    """The first sample of each."""
    found: dict[tuple[str, str], Record] = {}
    for source in every():
        for line in (SAMPLES / f"{source.NAME}.jsonl").read_text("utf-8").splitlines():
            sample = json.loads(line)
            if "anonymous" not in sample.get("event", {}).get("identity.id", "") or sample["shape"] == "ecs":
                continue
            event = source.read(sample["record"])
            if event.outcome == "success" and event.credential_type == "none":
                found.setdefault((source.NAME, event.action), sample["record"])
    return found


def on_day(value: Any, day: int) -> Any:
    """A sample's record as if of another day."""
    if isinstance(value, dict):
        return {name: on_day(inner, day) for name, inner in value.items()}
    if isinstance(value, list):
        return [on_day(inner, day) for inner in value]
    if isinstance(value, str):
        return value.replace("2026-03-02", render(day * DAY)[:10])
    is_moment = value.__class__ is int and value // (1000 * DAY) == SAMPLED
    return value + (day - SAMPLED) * 1000 * DAY if is_moment else value


@pytest.mark.parametrize(("name", "action"), sorted(ANONYMOUS))
def test_who_is_let_in_without_a_credential_teaches_nothing_of_the_tenant(name: str, action: str) -> None:
    """In every source: neither the address nor the client from which a public bucket was read becomes usual."""
    taught = []
    sample = admitted_without_a_credential()[name, action]
    for days in ((), range(TODAY - 20, TODAY)):
        going = Going(store := MemoryStore(), [*every()])
        going.feed([*quiet(20), *(on_day(sample, day) for day in days)])
        result = going.finish()
        assert result.run["rejected"] == {}
        assert result.run["identities"] == 1 + bool(days)
        tenant = State(store).scopes(TODAY + 1).groups[TENANT]
        taught.append({name: sorted(dimension.values) for name, dimension in tenant.dimensions.items()})
    assert taught[0] == taught[1]


def test_every_source_that_knows_calls_without_a_credential_is_tested() -> None:
    samples = admitted_without_a_credential()
    assert {name for name, _ in samples} == {name for name, _ in ANONYMOUS}


@pytest.mark.parametrize(
    ("agent", "session"),
    [
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.4", "terraform"),
        ("aws-sdk-nodejs/2.1692.0 linux/v20.18.0 configure-aws-credentials-for-github-actions", "GitHubActions"),
        ("APN/1.0 Pulumi/1.0 pulumi-aws/6.58.0 aws-sdk-go-v2/1.32.4", "pulumi"),
    ],
    ids=["Terraform", "GitHub Actions", "Pulumi"],
)
def test_the_name_of_an_automation_excuses_no_theft(agent: str, session: str) -> None:
    """Rule sets that leave out automations let through anyone who claims to be one."""

    def as_automation(records: Sequence[Record]) -> list[Record]:
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/{session}"
        who = {"principalId": f"AROApayments-api:{session}", "arn": arn}
        return [{**item, "userAgent": agent, "userIdentity": {**item["userIdentity"], **who}} for item in records]

    plain, worn = (run(MemoryStore(), [*quiet(20), *records]) for records in (raid(), as_automation(raid())))
    (before,), (after,) = plain.standing, worn.standing
    assert after["likelihood"] >= before["likelihood"]
    assert after["severity"] == before["severity"] == "critical"
    signals = [{signal["id"]: signal["value"] for signal in notable["signals"]} for notable in (before, after)]
    new_client = {"new_agent": 0, "unknown_agent": 0}  # how frequent a client is elsewhere
    assert {**signals[0], **new_client} == {**signals[1], **new_client}
