"""docs/elastic.md says what is true, and the examples for schedulers are what those take, with commands of ours."""

from __future__ import annotations

import argparse
import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import nhi_watch.hosts.elastic.cluster  # noqa: F401   the commands need its libraries; bare Pythons lack them
from nhi_watch import cli
from nhi_watch.hosts.elastic import setup

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "elastic.md").read_text("utf-8")
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "nhi_watch" / "hosts" / "elastic").rglob("*.py"))
OTHERS = (
    "unable to get local issuer certificate",
    "self-signed certificate",
    "connection refused",
    "fingerprints did not match",
)
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
    documented = set(re.findall(r"nhi elastic ([a-z]+)", TEXT))
    assert documented - {"reads"} == set(commands())


def messages() -> list[str]:
    rows = [line.split("|")[1] for line in section("When it stops with an error").splitlines() if line.startswith("| ")]
    return [message for row in rows for message in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("message", messages())
def test_a_message_is_one_that_we_say(message: str) -> None:
    parts = re.split(r"URL: |URL|HOST:PID:…|nhi-state-…|TIME|\bV\b|\bW:|\bN\b|\bID\b|…|\d+ h|`", message)
    for part in (part.strip(" :;,()") for part in parts):
        assert len(part) < 3 or part in OTHERS or part in CODE.replace("`", ""), part


def test_uninstalling_names_all_that_setup_makes() -> None:
    text = section("Uninstall")
    named: dict[str, set[str]] = {}
    for what, names in re.findall(r"DELETE _(\w+_\w+)/(.+)", text):
        named.setdefault(what, set()).update(names.split(","))
    assert named["index_template"] == set(setup.index_templates())
    assert named["component_template"] == set(setup.component_templates())
    streams = {f"{name}-*" for name, body in setup.index_templates().items() if "data_stream" in body}
    assert named["data_stream"] == streams
    (indices,) = re.findall(r"(?m)^DELETE ([a-z].+)$", text)
    assert set(indices.split(",")) == {f"{name}-default" for name in (setup.STATE, setup.NOTABLES)}
    assert f'"name": "{setup.api_key_request("default")["name"]}"' in text


# ---- the examples

FOLDER = ROOT / "examples" / "elastic"
PROGRAM = "/opt/nhi_watch/.venv/bin/nhi"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix in (".service", ".timer"))
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def accept(arguments: list[str]) -> None:
    """The command line takes them."""
    args = cli.parser().parse_args(arguments)
    assert args.command == "elastic"
    assert args.api_key_file and not {"--api-key", "--password"} & set(arguments), "no secret among the arguments"


def within(field: str, low: int, high: int) -> bool:
    match = re.fullmatch(r"(\*|\d+)(?:/(\d+))?", field)
    return match is not None and (match.group(1) == "*" or low <= int(match.group(1)) <= high)


def test_the_crontab_has_a_user_five_times_and_our_commands() -> None:
    lines = (FOLDER / "nhi.cron").read_text("utf-8").splitlines()
    jobs = [line for line in lines if line and not re.match(r"[A-Z_]+=|#", line)]
    assert len(jobs) == 3
    for line in jobs:
        *times, user, command = line.split(None, 6)
        assert user == "nhi" and "%" not in command, "cron takes % for the end of the line"
        assert all(within(field, *limits) for field, limits in zip(times, LIMITS))
        words = shlex.split(re.split(r" >>? | \|\| ", command)[0])
        assert words[0] == PROGRAM
        accept(words[1:])


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text("utf-8"))
    return read


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_takes(path: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert unit(path).sections()  # where there is no systemd, that it parses has to do
        return
    for each in UNITS:
        text = each.read_text("utf-8").replace(PROGRAM, shutil.which("true") or "/bin/true")
        (tmp_path / each.name).write_text(text.replace("User=nhi", "User=root"))
    done = subprocess.run([analyze, "verify", str(tmp_path / path.name)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if path.stem in line or "Unknown" in line]
    assert (done.returncode, complaints) == (0, []), done.stderr


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_runs_our_command_as_its_own_user_with_the_key_as_a_credential(path: Path) -> None:
    service = unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    assert (words[0], service["User"]) == (PROGRAM, "nhi")
    accept([word.replace("${CREDENTIALS_DIRECTORY}", "/run/x") for word in words[1:]])
    assert service["LoadCredential"].split(":")[0] in service["ExecStart"]
    assert (service.get("Type") == "oneshot") != ("--every" in words), "a process that goes on is none"


def test_the_deployment_runs_our_command_with_the_key_as_a_secret() -> None:
    text = (FOLDER / "nhi-elastic.yaml").read_text("utf-8")
    (command,) = re.findall(r"command: (\[.*\])", text)
    words = json.loads(command)
    assert words[0] == "nhi" and "--every" in words
    accept(words[1:])
    assert {Path(word).parent.as_posix() for word in words if word.startswith("/")} == {"/etc/nhi"}
    assert "mountPath: /etc/nhi" in text and "secretName: nhi-elastic" in text
