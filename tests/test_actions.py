"""What a call is: access level, sensitivity and stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from need import shared_data
from nhi_watch.context import actions

ROOT = Path(__file__).parents[1]
CALLS = json.loads((ROOT / "nhi_watch" / "context" / "tables" / "calls.json").read_text(encoding="utf-8"))
TABLE = json.loads((ROOT / "nhi_watch" / "context" / "tables" / "actions.json").read_text(encoding="utf-8"))["services"]
OPERATIONS = json.loads((ROOT / "nhi_watch" / "context" / "tables" / "operations.json").read_text(encoding="utf-8"))

# Calls without an IAM action, each seen in CloudTrail or in the service's API reference.
NO_IAM_ACTION = {
    "apigateway": "GetApiKey ImportApiKeys",
    "bedrock": "Converse ConverseStream InvokeModelWithBidirectionalStream StartAsyncInvoke RetrieveAndGenerateStream",
    "bedrock-agent-runtime": "RetrieveAndGenerateStream",
    "bedrock-runtime": "Converse ConverseStream InvokeModelWithBidirectionalStream StartAsyncInvoke",
    "discovery-marketplace": "GetListingView",
    "rolesanywhere": "CreateSession",
    "s3": "PutPublicAccessBlock DeletePublicAccessBlock DeleteBucketPublicAccessBlock DeleteAccountPublicAccessBlock",
    "sso": "UpdateSsoConfiguration",
}


def in_reference(service: str, operation: str) -> bool:
    if operation in OPERATIONS.get(service, {}):
        return True
    prefixes = CALLS["services"].get(service, service).split()
    return any(operation in names.split() for p in prefixes for names in TABLE.get(p, {}).values())


def named(section: str) -> list[tuple[str, str, str]]:
    return [
        (name, service, operation)
        for name, entry in CALLS[section].items()
        for service, operations in entry["calls"].items()
        for operation in operations.split()
    ]


@given(st.text(), st.text())
def test_no_text_makes_a_look_up_fail(service: str, operation: str) -> None:
    assert actions.access(service, operation) in actions.LEVELS
    assert isinstance(actions.tactics(service, operation), tuple)
    assert isinstance(actions.sensitivity(service, operation), tuple)


def test_invented_services_do_not_grow_the_memory() -> None:
    actions.access("s3", "GetObject")
    before = actions._of_prefix.cache_info().currsize
    for number in range(100):
        actions.access(f"invented-{number}", "GetObject")
    assert actions._of_prefix.cache_info().currsize == before


@pytest.mark.parametrize(
    ("call", "classes"),
    [
        ("iam:CreateAccessKey", ("credential_creation",)),
        ("secretsmanager:BatchGetSecretValue", ("secret_reading",)),
        ("kms:Decrypt", ()),
        ("lambda:UpdateFunctionCode20150331v2", ("code_for_others",)),
        ("lambda:PublishLayerVersion20181031", ("code_for_others",)),
        ("ecs:ExecuteCommand", ("remote_access",)),
        ("organizations:LeaveOrganization", ("logging_tampered",)),
        ("ec2:ModifyImageAttribute", ("sharing",)),
        ("bedrock:Converse", ("model_invocation",)),
        ("bedrock:PutUseCaseForModelAccess", ("model_unlock",)),
        ("iam:UpdateAssumeRolePolicy", ("trust_change",)),
        ("kms:ScheduleKeyDeletion", ("destruction",)),
        ("sts:GetCallerIdentity", ("identity_probe",)),
        ("rolesanywhere:CreateTrustAnchor", ("credential_creation", "trust_change")),
        ("ec2:DescribeInstances", ()),
        ("entra:ResetUserPassword", ("credential_creation",)),
        ("graph:POST:/users/{id}/authentication/temporaryaccesspassmethods", ("credential_creation",)),
        ("graph:GET:/informationprotection/bitlocker/recoverykeys/{id}", ("secret_reading",)),
        ("graph:POST:/devicemanagement/manageddevices/{id}/wipe", ("destruction",)),
    ],
)
def test_a_call_has_its_sensitivity_classes(call: str, classes: tuple[str, ...]) -> None:
    assert actions.sensitivity(*call.split(":", 1)) == classes


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("k8s:clusterroles.create", "cluster_power"),
        ("k8s:mutatingwebhookconfigurations.create", "code_door"),
        ("k8s:nodes.proxy.get", "host_entered"),
        ("k8s:daemonsets.create", "machines"),
        ("ssm:StartSession", "host_entered"),
        ("ec2-instance-connect:SendSSHPublicKey", "host_entered"),
        ("secretsmanager:BatchGetSecretValue", "secrets_at_once"),
        ("github:org.audit_log_export", "copied_out"),
    ],
)
def test_what_a_thief_does_from_inside_is_a_kind_of_act(call: str, kind: str) -> None:
    assert [act.kind for act in actions.acts(*call.split(":"))] == [kind]


def test_stages_come_in_the_order_of_a_kill_chain() -> None:
    assert actions.tactics("s3", "PutBucketLifecycle") == ("evasion", "impact")
    assert actions.tactics("iam", "CreateAccessKey") == ("persistence", "privilege")
    assert actions.tactics("s3", "PutObject") == ()


def test_assuming_a_role_and_decrypting_are_no_stage_because_machines_do_it_all_day() -> None:
    assert [actions.tactics(*c.split(":")) for c in ("sts:AssumeRole", "kms:Decrypt")] == [(), ()]


@pytest.mark.parametrize("section", ["sensitivity", "tactics"])
def test_every_named_call_exists(section: str) -> None:
    own_names = {
        (service, operation) for level, service, operation in named("access") if level in ("list", "read", "write")
    }
    missing = [
        f"{name}: {service}:{operation}"
        for name, service, operation in named(section)
        if not in_reference(service, operation)
        and (service, operation) not in own_names
        and operation not in NO_IAM_ACTION.get(service, "").split()
    ]
    assert missing == []


def test_every_call_that_costs_or_grants_exists() -> None:
    missing = [
        f"{level}: {service}:{operation}"
        for level, service, operation in named("access")
        if level in ("cost", "permissions")
        and not in_reference(service, operation)
        and operation not in NO_IAM_ACTION.get(service, "").split()
    ]
    assert missing == []


def test_no_exception_is_in_the_reference_after_all() -> None:
    stale = [
        f"{service}:{operation}"
        for service, operations in NO_IAM_ACTION.items()
        for operation in operations.split()
        if in_reference(service, operation)
    ]
    assert stale == []


def test_levels_and_stages_of_the_file_are_the_known_ones() -> None:
    assert set(CALLS["access"]) < set(actions.LEVELS)
    assert set(CALLS["tactics"]) == set(actions.TACTICS)


def test_the_table_of_other_products_has_known_levels_and_no_service_of_aws() -> None:
    assert {level for names in OPERATIONS.values() for level in names.values()} <= set(actions.LEVELS)
    assert set(OPERATIONS) & set(TABLE) == set()
    assert actions.known("github", "integration_installation.create")
    assert actions.access("github", "integration_installation.create") == "permissions"


def test_every_alias_leads_to_a_service_of_the_reference() -> None:
    targets = {prefix for prefixes in CALLS["services"].values() for prefix in prefixes.split()}
    assert targets - set(TABLE) == set()


def test_the_shared_list_of_abused_calls_is_known_but_for_names_that_no_service_has() -> None:
    discover = json.loads(shared_data("knowledge/traildiscover.json").read_text(encoding="utf-8"))
    calls = [(c["eventSource"].removesuffix(".amazonaws.com"), c["eventName"]) for c in discover]
    unknown = sorted(f"{s}:{o}" for s, o in calls if actions.access(s, o) == "unknown")
    assert unknown == []
    without = [f"{s}:{o}" for s, o in calls if not actions.tactics(s, o)]
    assert len(without) / len(calls) < 0.15
