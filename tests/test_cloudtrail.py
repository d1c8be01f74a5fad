"""CloudTrail: one Event out of all shapes, and nothing but RejectError is raised."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import pytest

import cloudtrail_shapes as shapes
from need import shared_data
from nhi_watch.context import networks
from nhi_watch.core.behaviour import shape_of
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import cloudtrail

SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "sources" / "cloudtrail.jsonl").read_text().splitlines()
]
GOOD = [sample for sample in SAMPLES if "event" in sample]
NATIVE = [sample["record"] for sample in GOOD if sample["shape"] == "native"]
TO_SHAPE = (
    shapes.splunk_fields,
    shapes.splunk_raw,
    shapes.ecs,
    shapes.ecs_hit,
    shapes.ecs_original,
)
NOT_IN_ECS = {"sessionCredentialFromConsole", "vpcEndpointAccountId", "onBehalfOf"}


def outcome_of(record: object) -> Union[Event, str]:
    try:
        return cloudtrail.read(record)
    except RejectError as reject:
        return reject.reason


@pytest.mark.parametrize("to_shape", TO_SHAPE)
def test_shape_gives_the_native_event_of_every_sample(to_shape: Any) -> None:
    told = [r for r in NATIVE if "ecs" not in to_shape.__name__ or not NOT_IN_ECS & {*r, *r["userIdentity"]}]
    told = told if to_shape is not shapes.ecs_original else NATIVE
    for record in told:
        assert outcome_of(to_shape(record)) == outcome_of(record)
        assert cloudtrail.claims(to_shape(record))


@pytest.mark.parametrize("to_shape", TO_SHAPE)
def test_a_record_without_an_identity_gives_the_same_event_in_every_shape(to_shape: Any) -> None:
    """As the console's own sessions are published: what is called, and nothing of the caller."""
    record = {
        "eventTime": "2024-04-13T05:11:58Z", "eventID": "e1", "eventSource": "iam.amazonaws.com",
        "awsRegion": "us-east-1", "eventName": "ListGroupPolicies", "requestParameters": {"groupName": "g"},
        "errorCode": None,
    }  # fmt: skip
    assert cloudtrail.read(to_shape(record)) == cloudtrail.read(record)
    assert cloudtrail.read(record).target == "g"


def test_sessions_of_one_role_have_one_shape() -> None:
    first = copy.deepcopy(NATIVE[0])
    second = copy.deepcopy(first)
    second["userIdentity"].update(
        principalId="AROAAPPEXAMPLE:other",
        arn="arn:aws:sts::111111111111:assumed-role/app/other",
        accessKeyId="ASIAEXAMPLEOTHER0001",
    )
    one, two = cloudtrail.read(first), cloudtrail.read(second)
    assert shape_of(one) == shape_of(two)
    assert (one.session, two.session) == ("ASIAEXAMPLESESSION01", "ASIAEXAMPLEOTHER0001")


def test_values_that_python_takes_for_equal_give_equal_events() -> None:
    one, two = copy.deepcopy(NATIVE[0]), copy.deepcopy(NATIVE[0])
    one["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] = True
    two["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] = 1
    assert cloudtrail.read(one) == cloudtrail.read(two)
    assert cloudtrail.read(one).traits == ("mfa",)


def test_record_without_an_id_gets_the_same_one_in_every_shape() -> None:
    record = {k: v for k, v in NATIVE[0].items() if k != "eventID"}
    ids = {cloudtrail.read(make(record)).record_id for make in (copy.deepcopy, *TO_SHAPE)}
    assert len(ids) == 1
    assert ids.pop().startswith("sha256:")


def test_long_texts_are_cut() -> None:
    record = copy.deepcopy(NATIVE[1])
    record.update(eventName="A" * 500, sourceIPAddress="x" * 500, awsRegion="r" * 500, eventID="e" * 500)
    event = cloudtrail.read(record)
    assert (len(event.action), len(event.address), len(event.region), len(event.record_id)) == (
        104,
        128,
        64,
        256,
    )


def test_deep_nesting_inside_raw_is_rejected() -> None:
    assert outcome_of({"_raw": '{"eventName":' * 100_000}) in ("too_deep", "bad_json")


def test_fields_extracted_twice_by_splunk_count_once() -> None:
    row = shapes.splunk_fields(NATIVE[0])
    doubled = {name: [value, value] if isinstance(value, str) else value for name, value in row.items()}
    assert cloudtrail.read(doubled) == cloudtrail.read(NATIVE[0])


def real_records() -> Iterator[dict[str, Any]]:
    for path in sorted(shared_data("cloudtrail").rglob("*.*json")):
        text = path.read_text()
        if path.suffix == ".ndjson":
            yield from map(json.loads, text.splitlines())
        else:
            content = json.loads(text)
            yield from content["Records"] if isinstance(content, dict) else content
    for line in shared_data("rule-tests/panther/AWS_CloudTrail.ndjson").read_text().splitlines():
        yield json.loads(line)["log"]


def test_real_records_are_read_nearly_all_and_alike_in_every_shape() -> None:
    seen: Counter[str] = Counter()
    for record in real_records():
        result = outcome_of(record)
        seen[result if isinstance(result, str) else "parsed"] += 1
        if isinstance(result, Event):
            assert result == outcome_of(shapes.splunk_fields(record)) == outcome_of(shapes.splunk_raw(record))
            assert result == outcome_of(shapes.ecs_original(record))
    assert seen.pop("parsed") > 11_400
    assert set(seen) == {"no_time", "no_action", "bad_time"}
    assert sum(seen.values()) < 30


def test_secrets_that_are_read_at_once_are_the_target_in_every_shape() -> None:
    who = {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111111111111:user/ci"}
    record = {
        "eventSource": "secretsmanager.amazonaws.com", "eventName": "BatchGetSecretValue", "eventID": "b-1",
        "eventTime": "2026-03-02T10:00:00Z", "userIdentity": who, "requestParameters": {"secretIdList": ["db", "mail"]},
    }  # fmt: skip
    event = outcome_of(record)
    assert isinstance(event, Event) and event.target == "db,mail"
    assert event == outcome_of(shapes.splunk_fields(record)) == outcome_of(shapes.splunk_raw(record))


@pytest.mark.parametrize("own", [{"insightDetails": {"eventName": "GetUser"}}, {"digestS3Object": "AWSLogs/x"}])
def test_cloudtrails_own_records_tell_of_no_call(own: dict[str, Any]) -> None:
    record = {"eventTime": "2026-03-02T10:00:00Z", "recipientAccountId": "111111111111", **own}
    assert cloudtrail.claims(record)
    with pytest.raises(RejectError, match="no_action"):
        cloudtrail.read(record)


def people(**more: Any) -> dict[str, Any]:
    """A sign-in of a person of IAM Identity Center."""
    return {
        "eventVersion": "1.09", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "signin.amazonaws.com",
        "eventName": "UserAuthentication", "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7", "eventID": "e-1",
        "recipientAccountId": "111111111111", "eventType": "AwsServiceEvent",
        "userIdentity": {"type": "IdentityCenterUser", "accountId": "111111111111", "arn": "",
                         "onBehalfOf": {"userId": "e0b4-1", "identityStoreArn": "arn:aws:identitystore::1:x"}},
        **more,
    }  # fmt: skip


@pytest.mark.parametrize("to_shape", TO_SHAPE)
@pytest.mark.parametrize(("told", "outcome"), [("Success", "success"), ("Failure", "failure")])
def test_whether_a_person_of_identity_center_signed_in_stands_in_the_details(
    to_shape: Any, told: str, outcome: str
) -> None:
    native = people(serviceEventDetails={"UserAuthentication": told})
    event = outcome_of(native)
    assert isinstance(event, Event) and event.outcome == outcome
    assert event.identity.id == "aws:111111111111:identity_center:e0b4-1"
    assert outcome_of(to_shape(native)) == event
    named = outcome_of({**native, "additionalEventData": {"UserName": "ann@example.com"}})
    assert isinstance(named, Event) and named.identity == event.identity._replace(name="ann@example.com")


def test_a_person_who_is_told_by_name_or_arn_alone_is_not_everybody() -> None:
    arn = "arn:aws:iam::111111111111:user/ann"
    event = outcome_of(people(userIdentity={"type": "IdentityCenterUser", "arn": arn}))
    assert isinstance(event, Event) and event.identity.id == f"aws:111111111111:identity_center:{arn}"
    nobody = outcome_of(people(userIdentity={"type": "IdentityCenterUser"}))
    assert isinstance(nobody, Event) and nobody.identity.kind == "anonymous"


@pytest.mark.parametrize(("code", "outcome"), [("200", "success"), ("204", "success"), ("404", "failure")])
def test_a_code_of_success_is_no_error(code: str, outcome: str) -> None:
    event = outcome_of(people(errorCode=code, eventName="login-auth.sso", eventSource="grafana.amazonaws.com"))
    assert isinstance(event, Event)
    assert (event.outcome, event.error) == (outcome, "" if outcome == "success" else code)


@pytest.mark.parametrize("listed", ["203.0.113.7, 10.1.2.3", "8.8.8.8, 203.0.113.7, 192.168.0.1", "203.0.113.7"])
def test_of_a_proxys_list_the_last_public_address_counts(listed: str) -> None:
    event = outcome_of(people(sourceIPAddress=listed))
    assert isinstance(event, Event) and (event.address, event.network) == ("203.0.113.7", "203.0.113.0/24")


@pytest.mark.parametrize("shape", [dict, shapes.splunk_fields, shapes.splunk_raw, shapes.ecs_original])
@pytest.mark.parametrize("address", ["10.0.1.7", "198.51.100.7"])
def test_an_endpoint_of_another_account_is_not_a_place_of_ours(shape: Any, address: str) -> None:
    record = {**NATIVE[0], "sourceIPAddress": address, "vpcEndpointId": "vpce-1"}
    home = record["recipientAccountId"]
    told = {
        owner: cloudtrail.read(shape({**record, "vpcEndpointAccountId": owner})).network
        for owner in (home, record["userIdentity"]["accountId"], "999999999999")
    }
    ours = "vpce:vpce-1" if address == "10.0.1.7" else "198.51.100.0/24"
    abroad = "vpce:of:999999999999/vpce-1"
    assert told == {home: ours, record["userIdentity"]["accountId"]: ours, "999999999999": abroad}
    assert networks.describe(told["999999999999"]) == ("AWS account 999999999999", "hosting")


def traits_of(source: str, name: str, params: dict[str, Any]) -> tuple[str, ...]:
    record = {**NATIVE[0], "eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": params}
    event = cloudtrail.read({key: value for key, value in record.items() if key not in ("resources", "readOnly")})
    return event.traits


IP, ARN = "aws:SourceIp", "aws:PrincipalArn"
GITHUB = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{GITHUB}"}


@pytest.mark.parametrize(
    ("principal", "condition", "traits"),
    [
        ("*", {"IpAddress": {IP: "203.0.113.0/24"}}, ()),
        ("*", {"IpAddress": {IP: "0.0.0.0/0"}}, ("public",)),
        ("*", {"IpAddress": {IP: ["203.0.113.0/24", "128.0.0.0/1"]}}, ("public",)),
        ("*", {"StringLike": {ARN: "*"}}, ("public",)),
        ("*", {"StringLike": {ARN: "arn:aws:*"}}, ("public",)),
        ("*", {"ArnLike": {ARN: "arn:aws:iam::111111111111:role/app-*"}}, ()),
        ("*", {"ArnLike": {ARN: "arn:aws:iam::999999999999:role/app-*"}}, ("shared_outside",)),
        ("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, ("public",)),
        ("*", {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, ("public",)),
        ("*", {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, ()),
        ("*", {"StringEquals": {"aws:PrincipalAccount": "111111111111"}}, ()),
        ("*", {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}, ("shared_outside",)),
        ({"CanonicalUser": "9" * 64}, {}, ("shared_outside",)),
        ({"Federated": "arn:aws:iam::999999999999:saml-provider/x"}, {}, ("shared_outside",)),
        ({"Federated": "arn:aws:iam::111111111111:saml-provider/x"}, {}, ()),
        ({"Federated": "accounts.google.com"}, {}, ("public",)),
        ({"Federated": "accounts.google.com"}, {"StringEquals": {"accounts.google.com:aud": "7"}}, ()),
        (PROVIDER, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}, ("public",)),
        (PROVIDER, {"StringLike": {f"{GITHUB}:sub": "*"}}, ("public",)),
        (PROVIDER, {"StringLike": {f"{GITHUB}:sub": "repo:acme/shop:*"}}, ()),
    ],
)
def test_a_condition_that_everybody_meets_limits_nothing(principal: Any, condition: Any, traits: Any) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*", "Condition": condition}
    told = traits_of("s3", "PutBucketPolicy", {"bucketName": "b", "bucketPolicy": {"Statement": [statement]}})
    assert told == traits


@pytest.mark.parametrize(
    ("statement", "everything"),
    [
        ({"Action": "iam:?*", "Resource": "*"}, True),
        ({"Action": ["s3:GetObject", "**"], "Resource": "**"}, True),
        ({"Action": "*", "Resource": "arn:aws:*"}, True),
        ({"Action": "*", "NotResource": "arn:aws:s3:::x"}, True),
        ({"Action": "iam:Get*", "Resource": "*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::x/*"}, False),
    ],
)
def test_everything_is_everything_however_it_is_spelled(statement: dict[str, Any], everything: bool) -> None:
    policy = json.dumps({"Statement": [{"Effect": "Allow", **statement}]})
    told = traits_of("iam", "PutRolePolicy", {"roleName": "r", "policyName": "p", "policyDocument": policy})
    assert told == (("wildcard_policy",) if everything else ())


@pytest.mark.parametrize(
    ("source", "is_open"),
    [("0.0.0.0/0", True), ("0.0.0.0/1", True), ("128.0.0.0/1", True), ("2000::/3", True), ("10.0.0.0/8", False)],
)
def test_half_of_the_world_is_the_world(source: str, is_open: bool) -> None:
    params = {"groupId": "sg-1", "ipPermissions": {"items": [{"ipRanges": {"items": [{"cidrIp": source}]}}]}}
    assert traits_of("ec2", "AuthorizeSecurityGroupIngress", params) == (("open_ingress",) if is_open else ())


def test_a_digest_of_log_files_says_what_it_is() -> None:
    digest = {"awsAccountId": "111111111111", "digestEndTime": "2026-03-02T10:00:00Z", "digestS3Object": "AWSLogs/x"}
    assert cloudtrail.claims(digest)
    with pytest.raises(RejectError, match="digest of log files"):
        cloudtrail.read(digest)
