"""The examples for schedulers are what those take, and every command in them is one of ours."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import nhi_watch.hosts.elastic.cluster  # noqa: F401   the commands need its libraries; bare Pythons lack them
from nhi_watch import cli

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "elastic"
PROGRAM = "/opt/nhi_watch/.venv/bin/nhi"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix in (".service", ".timer"))
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
def accept(arguments: list[str]) -> None:
    """The command line takes them."""
    told = cli.parser().parse_args(arguments)
    assert told.command == "elastic"
    assert told.api_key_file and not {"--api-key", "--password"} & set(arguments), "no secret among the arguments"


# ---- cron


def crontab() -> list[str]:
    lines = (FOLDER / "nhi.cron").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def within(field: str, low: int, high: int) -> bool:
    found = re.fullmatch(r"(\*|\d+)(?:/(\d+))?", field)
    return found is not None and (found.group(1) == "*" or low <= int(found.group(1)) <= high)


def test_the_crontab_has_a_user_five_times_and_our_commands() -> None:
    jobs = [line for line in crontab() if not re.match(r"[A-Z_]+=", line)]
    assert len(jobs) == 3
    for line in jobs:
        *times, user, command = line.split(None, 6)
        assert user == "nhi" and "%" not in command, "cron takes % for the end of the line"
        assert all(within(field, *limits) for field, limits in zip(times, LIMITS))
        words = shlex.split(re.split(r" >>? | \|\| ", command)[0])
        assert words[0] == PROGRAM
        accept(words[1:])


# ---- systemd


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
        text = (
            each.read_text("utf-8")
            .replace(PROGRAM, shutil.which("true") or "/bin/true")
            .replace("User=nhi", "User=root")
        )
        (tmp_path / each.name).write_text(text)
    done = subprocess.run([analyze, "verify", str(tmp_path / path.name)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if path.stem in line or "Unknown" in line]
    assert (done.returncode, told) == (0, []), done.stderr


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_runs_our_command_as_its_own_user_with_the_key_as_a_credential(path: Path) -> None:
    service = unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    assert (words[0], service["User"]) == (PROGRAM, "nhi")
    accept([word.replace("${CREDENTIALS_DIRECTORY}", "/run/x") for word in words[1:]])
    assert service["LoadCredential"].split(":")[0] in service["ExecStart"]
    assert service["Type"] == "oneshot"
