"""Who really acts: the identity behind every kind of userIdentity."""

from __future__ import annotations

import pytest

from nhi_watch.core.event import Identity
from nhi_watch.core.identity import Actor, account_of, identify, service_name, subject_of, user_name

HOME = "111111111111"
ROLE = Actor("AssumedRole", issuer_id="AROAX", issuer_arn=f"arn:aws:iam::{HOME}:role/team/app")


def test_a_role_is_its_immutable_id_and_is_called_by_its_arn() -> None:
    expected = Identity(
        f"aws:{HOME}:role:AROAX", f"arn:aws:iam::{HOME}:role/team/app", "role", "aws", HOME, ""
    )
    assert identify(ROLE) == expected


def test_session_names_never_matter_to_a_role() -> None:
    sessions = [
        ROLE._replace(arn=f"arn:aws:sts::{HOME}:assumed-role/app/{n}", principal=f"AROAX:{n}") for n in "ab"
    ]
    assert identify(sessions[0]) == identify(sessions[1]) == identify(ROLE)


def test_a_deleted_and_recreated_role_is_another_identity() -> None:
    assert identify(ROLE).id != identify(ROLE._replace(issuer_id="AROAY")).id


def test_a_role_without_issuer_is_taken_from_the_session_arn() -> None:
    actor = Actor("AssumedRole", arn=f"arn:aws-cn:sts::{HOME}:assumed-role/app/run-7", account=HOME)
    assert identify(actor)[:2] == (f"aws:{HOME}:role:app", f"arn:aws-cn:iam::{HOME}:role/app")
    assert identify(actor._replace(principal="AROAX:run-7")).id == f"aws:{HOME}:role:AROAX"


def test_people_of_identity_center_are_told_apart_by_session_name() -> None:
    arn = f"arn:aws:iam::{HOME}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_01"
    people = [
        identify(
            Actor(
                "AssumedRole",
                f"AROAS:{n}",
                f"arn:aws:sts::{HOME}:assumed-role/AWSReservedSSO_Admin_01/{n}",
                issuer_id="AROAS",
                issuer_arn=arn,
            )
        )
        for n in ("jane", "joe")
    ]
    assert [p.id for p in people] == [f"aws:{HOME}:role:AROAS:jane", f"aws:{HOME}:role:AROAS:joe"]
    assert {(p.kind, p.human) for p in people} == {("identity_center", "sso_role")}


def test_a_call_made_on_behalf_of_a_role_stays_the_roles() -> None:
    assert identify(ROLE._replace(invoked_by="athena.amazonaws.com")) == identify(ROLE)


def test_service_linked_roles_are_machines() -> None:
    arn = f"arn:aws:iam::{HOME}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    assert identify(ROLE._replace(issuer_arn=arn)).human == ""


@pytest.mark.parametrize(
    ("invoked_by", "address", "name"),
    [
        ("eks.amazonaws.com", "", "eks"),
        ("AWS Internal", "rds.amazonaws.com", "rds"),
        ("AWS Internal", "198.51.100.7", "internal"),
        ("", "delivery.logs.amazonaws.com", "delivery.logs"),
    ],
)
def test_a_service_is_named_by_invoked_by_or_its_address(invoked_by: str, address: str, name: str) -> None:
    actor = Actor("AWSService", invoked_by=invoked_by, address=address, recipient=HOME)
    assert service_name(actor) == name
    assert identify(actor)[:3] == (f"aws:{HOME}:service:{name}", f"{name}.amazonaws.com", "service")


def test_a_call_without_a_type_but_invoked_by_is_the_services() -> None:
    actor = Actor("", account=HOME, invoked_by="secretsmanager.amazonaws.com")
    assert identify(actor).id == f"aws:{HOME}:service:secretsmanager"


def test_users_and_root() -> None:
    user = Actor("IAMUser", "AIDAX", f"arn:aws:iam::{HOME}:user/ci/deploy", HOME, "deploy")
    assert identify(user)[:3] == (f"aws:{HOME}:user:AIDAX", f"arn:aws:iam::{HOME}:user/ci/deploy", "user")
    assert user_name(user) == user_name(user._replace(name="")) == "deploy"
    root = identify(Actor("Root", HOME, f"arn:aws:iam::{HOME}:root", HOME))
    assert (root.id, root.kind, root.human) == (f"aws:{HOME}:root", "root", "root")


@pytest.mark.parametrize(
    ("subject", "workload"),
    [
        ("repo:acme/shop:ref:refs/heads/main", "repo:acme/shop"),
        ("repo:acme/shop:environment:production", "repo:acme/shop"),
        ("repo:acme/shop:pull_request", "repo:acme/shop"),
        ("system:serviceaccount:prod:api", "system:serviceaccount:prod:api"),
        ("project_path:acme/shop:ref_type:branch:ref:main", "project_path:acme/shop"),
        (
            "organization:acme:project:p:workspace:w:run_phase:apply",
            "organization:acme:project:p:workspace:w",
        ),
        ("org/1/project/2/user/3", "org/1/project/2"),
        ("110248495921238986420", "110248495921238986420"),
    ],
)
def test_a_web_identity_is_the_workload_of_its_subject(subject: str, workload: str) -> None:
    provider = f"arn:aws:iam::{HOME}:oidc-provider/issuer.example.com/id/1"
    whole = Actor("WebIdentityUser", f"{provider}:sts.amazonaws.com:{subject}", name=subject)
    expected = (f"aws:{HOME}:web_identity:issuer.example.com/id/1:{workload}", workload, "web_identity")
    assert identify(whole)[:3] == expected
    split = Actor("WebIdentityUser", subject, name=subject, provider=provider)
    assert identify(split)[:3] == expected
    assert subject_of(subject) == workload


def test_a_web_identity_of_a_plain_provider() -> None:
    actor = Actor("WebIdentityUser", "accounts.google.com:app-1:1102", name="1102", recipient=HOME)
    assert identify(actor).id == f"aws:{HOME}:web_identity:accounts.google.com:1102"


def test_a_federated_user_is_the_user_who_asked_for_the_token() -> None:
    arn = f"arn:aws:iam::{HOME}:user/deploy"
    actor = Actor("FederatedUser", f"{HOME}:temp", f"arn:aws:sts::{HOME}:federated-user/temp", HOME)
    assert identify(actor._replace(issuer_id="AIDAX", issuer_arn=arn)).id == f"aws:{HOME}:user:AIDAX"
    assert identify(actor).kind == "federated"


def test_callers_of_other_accounts_and_nobody() -> None:
    actor = Actor("AWSAccount", "AROAF:run", account="222222222222", recipient=HOME)
    assert identify(actor)[:3] == ("aws:222222222222:account:AROAF", "222222222222 AROAF", "account")
    assert identify(actor._replace(principal="222222222222")).id == "aws:222222222222:account"
    nobody = Actor("AWSAccount", account="ANONYMOUS_PRINCIPAL", recipient=HOME)
    assert identify(nobody)[:3] == (f"aws:{HOME}:anonymous", "anonymous", "anonymous")
    assert identify(Actor(recipient=HOME)).kind == "anonymous"


def test_people_who_come_through_saml_or_identity_center() -> None:
    saml = identify(Actor("SAMLUser", "Hash=:jane@example.com", name="jane@example.com", recipient=HOME))
    assert (saml.id, saml.human) == (f"aws:{HOME}:federated:Hash=:jane@example.com", "saml")
    person = identify(Actor("IdentityCenterUser", account=HOME, person="e0b4"))
    assert (person.id, person.human) == (f"aws:{HOME}:identity_center:e0b4", "identity_center")


@pytest.mark.parametrize("kind", ["", "Unknown", "Nonsense"])
def test_where_the_type_is_missing_the_arn_tells(kind: str) -> None:
    assert identify(Actor(kind, "AIDAX", f"arn:aws:iam::{HOME}:user/a")).kind == "user"
    assert identify(Actor(kind, arn=f"arn:aws:sts::{HOME}:assumed-role/r/s")).id == f"aws:{HOME}:role:r"
    assert identify(Actor(kind, arn=f"arn:aws:iam::{HOME}:root")).kind == "root"


def test_accounts_of_arns() -> None:
    arns = [
        "arn:aws:s3:::bucket",
        "arn:aws:iam::aws:policy/X",
        f"arn:aws:kms:eu-west-1:{HOME}:key/1",
        "x",
        "arn:",
    ]
    assert [account_of(arn) for arn in arns] == ["", "", HOME, "", ""]
