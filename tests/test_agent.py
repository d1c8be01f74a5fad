"""User-agent families: what the software is, whatever its version."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.context.agents import family, is_attack_tool

KNOWN = {
    "boto3": (
        "Boto3/1.26.0 Python/3.9.1 Botocore/1.29.0",
        "Boto3/1.35.2 md/Botocore#1.35.2 ua/2.0 os/linux#6.1",
    ),
    "botocore": ("Botocore/1.29.0 Python/3.11", "Botocore/1.34.0 md/awscrt#0.19"),
    "boto": ("Boto/2.29.1 Python/2.7.3 Linux/3.2.0-63-virtual",),
    "aws-cli": ("aws-cli/1.3.13 Python/2.7.3", "[aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0]"),
    "aws-sdk-go": (
        "aws-sdk-go/1.44.260 (go1.20.12; linux; amd64) amazon-ssm-agent/",
        "aws-sdk-go/1.55.5 (go1.22)",
    ),
    "aws-sdk-go-v2": ("aws-sdk-go-v2/1.25.2 os/linux lang/go#1.21.7", "aws-sdk-go-v2/1.30.1 ua/2.1"),
    "aws-sdk-java": ("aws-sdk-java/1.11.0", "aws-sdk-java/2.20.74 Linux/5.10 OpenJDK_64-Bit_Server_VM/17"),
    "aws-sdk-js": ("aws-sdk-js/3.360.0 ua/2.0 os/linux lang/js md/nodejs#14.21.3",),
    "terraform": (
        "APN/1.0 HashiCorp/1.0 Terraform/1.5.5 (+https://www.terraform.io) terraform-provider-aws/5.9.0",
        "HashiCorp Terraform/0.12 aws-sdk-go/1.30",
    ),
    "karpenter": ("aws-sdk-go/1.45.15 (go1.21.3; linux; amd64) karpenter.sh-v0.31.2",),
    "console": (
        "console.amazonaws.com",
        "signin.amazonaws.com",
        "S3Console/0.4, aws-internal/3",
        "AWSConsole",
    ),
    "browser": ("Mozilla/5.0 (X11; Linux x86_64)", "[Mozilla/5.0 (Windows NT 10.0)]"),
    "aws-internal": ("AWS Internal", "aws-internal/3 aws-sdk-java/1.12.667 Linux/4.14"),
    "service:lambda": ("lambda.amazonaws.com",),
    "service:delivery.logs": ("delivery.logs.amazonaws.com",),
    "ec2-api-tools": ("ec2-api-tools 1.6.12.2",),
    "go-http-client": ("Go-http-client/1.1",),
    "other": ("68319f60-9dec-43b2-9702-de3a08c9d8a3",),
    "": ("",),
}


@pytest.mark.parametrize("name", KNOWN)
def test_every_version_is_of_one_family(name: str) -> None:
    assert {family(agent) for agent in KNOWN[name]} == {name}


@given(st.text(max_size=300))
def test_a_family_is_short_and_harmless(text: str) -> None:
    assert re.fullmatch(r"(service:)?[a-z0-9._+/-]{0,40}", family(text))


def test_markup_and_formulas_do_not_survive() -> None:
    assert family("<script>alert(1)</script>") == "script-alert"
    assert family("=cmd|'/c calc'!A0") == "cmd"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("aws-cli/2.4.0 Python/3.9 Linux/5.18.0-kali5-amd64", True),
        ("Boto3/1.9.89 Python/3.7.3 Linux/4.19.0-parrot1-13t-amd64", True),
        ("Boto3/1.9 Python/3.8 Linux/5.4-pentoo", True),
        ("TruffleHog", True),
        ("S3 Browser/11.7.5 (https://s3browser.com)", True),
        ("pacu/1.0", True),
        ("Boto3/1.26.0 Python/3.9.1", False),
        ("kalimba/1.0", False),
        ("prowler/3.0", False),
    ],
)
def test_tools_of_attackers_are_known_by_name(agent: str, expected: bool) -> None:
    assert is_attack_tool(agent) is expected
