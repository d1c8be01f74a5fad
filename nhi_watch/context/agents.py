"""User agent → family: what software it is, without its version, so that an upgrade is not news."""

from __future__ import annotations

import re

from nhi_watch.core.remembered import remembered

_LONGEST = 40
_SERVICE = ".amazonaws.com"

# What drives the SDK says more than the SDK: found anywhere in the text, they are the family.
_DRIVERS = ("terraform", "opentofu", "pulumi", "ansible", "packer", "eksctl", "karpenter", "serverless")
# AWS's own console proxies name themselves in several ways.
_CONSOLE = re.compile(r"signin\.|[a-z0-9. -]{0,30}console\b")
_BROWSER = ("mozilla", "opera/")
# `APN/1.0 Vendor/1.0 Product/2.3`: the AWS Partner Network's frame around a product.
_PARTNER = re.compile(r"^apn/[\d.]+ +[^ ]+ +")
_VERSION = re.compile(r"[/#@:]?[ _-]?v?\d+(?:\.\d+)+.*$|[/#@ ,;(].*$")
_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f-]{8,}")
_UNSAFE = re.compile(r"[^a-z0-9._+/-]+")

# Attackers' systems and tools. Scanners that defenders run as well (Prowler, ScoutSuite, CloudSploit,
# Steampipe) are left out on purpose: they are news for an identity through novelty, not by name.
_ATTACK = re.compile(
    r"\b(?:kali|parrot|pentoo|blackarch|pacu|cloudfox|trufflehog|enumerate-iam|weirdaal|peirates|nuclei)(?![a-z])"
    r"|s3[ _-]?browser",
    re.IGNORECASE,
)


@remembered(8192)
def family(user_agent: str) -> str:
    """The family: at most 40 characters of `[a-z0-9._+/-]` (and `service:` in front of an AWS service).

    >>> family("Boto3/1.26.0 Python/3.9.1 Linux/5.10 Botocore/1.29.0"), family("[aws-cli/1.2.3 Python/2.7]")
    ('boto3', 'aws-cli')
    >>> family("APN/1.0 HashiCorp/1.0 Terraform/1.5.1 (+https://www.terraform.io) aws-sdk-go-v2/1.18.1")
    'terraform'
    >>> [family(a) for a in ("lambda.amazonaws.com", "signin.amazonaws.com", "Mozilla/5.0 (X11)", "")]
    ['service:lambda', 'console', 'browser', '']
    """
    text = user_agent.strip(" []").lower()
    if _CONSOLE.match(text):
        return "console"
    if text.startswith(_BROWSER):
        return "browser"
    if text.endswith(_SERVICE) and " " not in text:
        return "service:" + _UNSAFE.sub("", text[: -len(_SERVICE)])[:_LONGEST]
    if text.startswith(("aws internal", "aws-internal")):
        return "aws-internal"
    return next((driver for driver in _DRIVERS if driver in text), "") or _product(text) or (text and "other")


def _product(text: str) -> str:
    name = _VERSION.sub("", _RANDOM.sub("", _PARTNER.sub("", text)), count=1)
    return _UNSAFE.sub("-", name).strip("-._/")[:_LONGEST]


@remembered(8192)
def is_attack_tool(user_agent: str) -> bool:
    """Whether the agent names a penetration tester's system or tool; the family stays the SDK's.

    >>> is_attack_tool("aws-cli/2.4 Python/3.9 Linux/5.18.0-kali5-amd64"), is_attack_tool("Boto3/1.26")
    (True, False)
    """
    return _ATTACK.search(user_agent) is not None
