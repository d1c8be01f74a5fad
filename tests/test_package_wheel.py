"""The wheel that `pipx` and the container image install: it holds the program and every file that it reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import rich

ROOT = Path(__file__).parents[1]
RECORD = {
    "eventVersion": "1.11", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.15", "eventID": "11111111-1111-4111-8111-111111111111", "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333", "readOnly": True,
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333", "userName": "ci",
                     "arn": "arn:aws:iam::111122223333:user/ci", "accessKeyId": "AKIAEXAMPLE"},
}  # fmt: skip


def test_the_wheel_runs_from_an_empty_environment(tmp_path: Path) -> None:
    """The libraries come from this environment, so that the test needs no network; the program must not."""
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("nhi_watch-*.whl")
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    (tmp_path / "one.json").write_text(json.dumps(RECORD), "utf-8")
    done = subprocess.run(
        [python.with_name("nhi"), "score", "one.json", "--out", "results"],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(rich.__file__).parents[1])}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith("No notables in 1 record of 1 identity over 1 day; could not tell: ")
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000
