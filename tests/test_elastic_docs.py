"""docs/elastic.md says what is true: its flags, its messages, and the names of all that is to be deleted."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from nhi_watch import cli
from nhi_watch.hosts.elastic import setup

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "elastic.md").read_text("utf-8")
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "nhi_watch" / "hosts" / "elastic").rglob("*.py"))
OTHERS = ("unable to get local issuer certificate", "self-signed certificate", "connection refused",
          "fingerprints did not match")  # fmt: skip
"""Words of OpenSSL, urllib3 and the system."""


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def commands() -> dict[str, argparse.ArgumentParser]:
    (top,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    (elastic,) = (a for a in top.choices["elastic"]._actions if isinstance(a, argparse._SubParsersAction))
    return dict(elastic.choices)


def test_every_command_and_flag_is_there() -> None:
    flags = {flag for each in commands().values() for flag in each._option_string_actions}
    ours = re.sub(r"(?m)^\s*(curl|  -X|git|make).*$", "", TEXT)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours)) - flags - {"--fail-with-body", "--cacert"} == set()
    told = set(re.findall(r"nhi elastic ([a-z]+)", TEXT))
    assert told - {"reads"} == set(commands())


def messages() -> list[str]:
    rows = [line.split("|")[1] for line in section("When it stops with an error").splitlines() if line.startswith("| ")]
    return [message for row in rows for message in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("message", messages())
def test_a_message_is_one_that_we_say(message: str) -> None:
    parts = re.split(r"URL: |URL|HOST:PID:…|nhi-state-…|TIME|\bV\b|\bW:|\bN\b|\bID\b|…|\d+ h|`", message)
    for part in (part.strip(" :;,()") for part in parts):
        assert len(part) < 3 or part in OTHERS or part in CODE.replace("`", ""), part


def test_uninstalling_names_all_that_setup_makes() -> None:
    told = section("Uninstall")
    named: dict[str, set[str]] = {}
    for what, names in re.findall(r"DELETE _(\w+_\w+)/(.+)", told):
        named.setdefault(what, set()).update(names.split(","))
    assert named["index_template"] == set(setup.index_templates())
    assert named["component_template"] == set(setup.component_templates())
    streams = {f"{name}-*" for name, body in setup.index_templates().items() if "data_stream" in body}
    assert named["data_stream"] == streams
    (indices,) = re.findall(r"(?m)^DELETE ([a-z].+)$", told)
    assert set(indices.split(",")) == {f"{setup.STATE}-default"}
    assert f'"name": "{setup.api_key_request("default")["name"]}"' in told
