"""What helps after `pip install`: a shell's completion, and the container image."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rich

from need import library, need
from nhi_watch import cli
from nhi_watch.hosts.files import completion

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "examples" / "Dockerfile"
RECORD = {
    "eventVersion": "1.11", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.15", "eventID": "11111111-1111-4111-8111-111111111111", "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333", "readOnly": True,
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333", "userName": "ci",
                     "arn": "arn:aws:iam::111122223333:user/ci", "accessKeyId": "AKIAEXAMPLE"},
}  # fmt: skip


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    library("shtab")
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


TYPED = {
    "a command": (["sh"], {"show"}),
    "an option": (["list", "--se"], {"--severity"}),
    "a value": (["list", "--severity", "h"], {"high"}),
    "a command's command": (["respond", "pl"], {"plan"}),
    "a file": (["score", "READM"], {"README.md"}),
    "a folder": (["list", "--out", "exam"], {"examples"}),
}


@pytest.mark.parametrize(("words", "wanted"), TYPED.values(), ids=TYPED)
def test_bash_completes(words: list[str], wanted: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need(shutil.which("bash"), "needs bash")
    (tmp_path / "nhi.bash").write_text(script("bash", capsys), "utf-8")
    typed = f"COMP_WORDS=({shlex.join(['nhi', *words])}); COMP_CWORD={len(words)}"
    line = f'source {tmp_path}/nhi.bash; {typed}; _shtab_nhi; printf "%s\\n" "${{COMPREPLY[@]}}"; complete -p nhi'
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True)
    *completions, registered = done.stdout.split("\n")[:-1]
    assert wanted <= set(completions) and all(each.startswith(words[-1]) for each in completions)
    assert registered.endswith(" nhi")


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_is_in_the_script_of_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert [name for name, _, _ in cli.COMMANDS if name not in text] == []


def test_without_its_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(completion, "find_spec", lambda name: None)
    assert cli.main(["completion", "zsh"]) == 2
    assert "pip install 'nhi_watch[completion]'" in capsys.readouterr().err


def test_what_the_image_copies_installs_and_runs(tmp_path: Path) -> None:
    """The lines of the Dockerfile, without a container: its files alone, and the program from them, which holds every
    file that it reads. The libraries come from this environment, so that the test needs no network."""
    lines = DOCKERFILE.read_text("utf-8").splitlines()
    copies = [line.split()[1:] for line in lines if line.startswith("COPY ")]
    for *names, target in copies:
        place = tmp_path / target.strip("/")
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, place / name)
    (install,) = [line for line in lines if line.startswith("RUN pip install")]
    extras = install.partition("[")[2].partition("]")[0].split(",")
    declared = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f"\n{extra} = [" in declared for extra in extras)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", tmp_path / "site", tmp_path / "src"], check=True)
    path = os.pathsep.join([str(tmp_path / "site"), str(Path(rich.__file__).parents[1])])
    done = subprocess.run(
        [tmp_path / "site" / "bin" / "nhi", "score", "-", "--out", "results"],
        input=json.dumps(RECORD),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = "No notables in 1 record of 1 identity over 1 day; with caveats: "
    assert " ".join(done.stdout.split()).startswith(text)
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000
    where = "import nhi_watch; print(nhi_watch.__file__)"
    installed = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert installed.stdout.startswith(str(tmp_path / "site"))
