# ruff: noqa: E501 - tables of long texts that read best unbroken
"""User-agent strings as the SDKs, tools and browsers of 2024 and 2025 send them."""

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice

BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
]


def browser(dice: Dice) -> str:
    """A browser of a desktop."""
    return dice.pick(BROWSERS).format(v=dice.between(128, 136))


def boto3(dice: Dice, env: str = "") -> str:
    """Boto3; `env` is the execution environment, as in `AWS_Lambda_python3.12`."""
    minor, patch = dice.between(26, 37), dice.between(0, 160)
    python = dice.pick(["3.9.18", "3.10.14", "3.11.9", "3.12.3"])
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"Boto3/1.{minor}.{patch} md/Botocore#1.{minor}.{patch} ua/2.0 os/linux#5.10.230-223.885.amzn2.x86_64 "
        f"md/arch#x86_64 lang/python#{python} md/pyimpl#CPython{exec_env} cfg/retry-mode#legacy Botocore/1.{minor}.{patch}"
    )


def java(dice: Dice, env: str = "") -> str:
    """AWS SDK for Java 2."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-java/2.{dice.between(20, 30)}.{dice.between(0, 160)} Linux/5.10.230-223.885.amzn2.x86_64 "
        f"OpenJDK_64-Bit_Server_VM/17.0.{dice.between(8, 13)}+7 Java/17.0.{dice.between(8, 13)} "
        f"vendor/Eclipse_Adoptium io/sync http/Apache cfg/retry-mode/legacy{exec_env}"
    )


def golang(dice: Dice, env: str = "") -> str:
    """AWS SDK for Go 2."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-go-v2/1.{dice.between(24, 36)}.{dice.between(0, 5)} os/linux lang/go#1.{dice.between(21, 24)}.{dice.between(0, 9)} "
        f"md/GOOS#linux md/GOARCH#amd64{exec_env}"
    )


def javascript(dice: Dice, env: str = "") -> str:
    """AWS SDK for JavaScript 3."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-js/3.{dice.between(400, 780)}.0 ua/2.0 os/linux#5.10.230-223.885.amzn2.x86_64 lang/js "
        f"md/nodejs#20.{dice.between(8, 18)}.{dice.between(0, 3)}{exec_env}"
    )


def cli(dice: Dice, system: str = "linux") -> str:
    """AWS CLI 2 on a person's or a server's machine."""
    kernel = {"linux": "linux#6.8.0-45-generic", "mac": "macos#23.6.0", "windows": "windows#10"}[system]
    return (
        f"aws-cli/2.{dice.between(13, 27)}.{dice.between(0, 30)} md/awscrt#0.{dice.between(19, 26)}.{dice.between(0, 9)} "
        f"ua/2.0 os/{kernel} md/arch#{'arm64' if system == 'mac' else 'x86_64'} lang/python#3.11.8 md/pyimpl#CPython "
        "cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#sts.get-caller-identity"
    )


def terraform(dice: Dice) -> str:
    """Terraform's AWS provider."""
    return (
        f"APN/1.0 HashiCorp/1.0 Terraform/1.{dice.between(5, 11)}.{dice.between(0, 7)} (+https://www.terraform.io) "
        f"terraform-provider-aws/5.{dice.between(40, 95)}.0 (+https://registry.terraform.io/providers/hashicorp/aws) "
        f"aws-sdk-go-v2/1.{dice.between(26, 36)}.{dice.between(0, 5)} os/linux lang/go#1.22.7 md/GOOS#linux md/GOARCH#amd64"
    )


def ssm_agent(dice: Dice) -> str:
    """The SSM agent on an instance."""
    return f"aws-sdk-go/1.44.260 (go1.{dice.between(19, 22)}.12; linux; amd64) amazon-ssm-agent/3.3.{dice.between(100, 1900)}.0"


SDKS = [boto3, java, golang, javascript]
