"""Builds the Splunk app and lets Splunk's AppInspect look at it, offline.

    python lab/tools/inspect_app.py

AppInspect's own exit code is 0 whatever it finds, so its JSON report decides here: an error, a failure, a
future failure, or a warning that lab/tools/inspect_warnings.json does not name and give a reason for, fails.
It has an environment of its own, .venv-inspect, made from lab/tools/inspect.lock; the system library
libmagic1 is needed (apt-get install libmagic1).
"""

from __future__ import annotations

import ctypes.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import package
from layout import ROOT

LOCK = ROOT / "lab" / "tools" / "inspect.lock"
ACCEPTED = ROOT / "lab" / "tools" / "inspect_warnings.json"
BAD = ("error", "failure", "future_failure")


class Finding(NamedTuple):
    """A check of AppInspect that did not pass."""

    result: str
    """error, failure, future_failure or warning"""
    check: str
    message: str


def main() -> int:
    """Inspect with all checks, those of the cloud, architecture and future tags among them; 1 if one fails."""
    if ctypes.util.find_library("magic") is None:
        print("inspect: needs the system library libmagic1 (apt-get install libmagic1)", file=sys.stderr)
        return 2
    report = inspect(package.build())
    accepted = json.loads(ACCEPTED.read_text("utf-8"))
    every = list(findings(report))
    wrong = refused(every, accepted)
    print("appinspect:", ", ".join(f"{key} {value}" for key, value in report["summary"].items()), flush=True)
    for finding in every:
        verdict = "  refused" if finding in wrong else "  accepted"
        print(f"{verdict} {finding.result} {finding.check}: {accepted.get(finding.check, finding.message)}")
    return int(bool(wrong))


def inspect(archive: Path) -> dict[str, Any]:
    """AppInspect's report on an archive, as it lies in out/inspect/report.json.

    Raises:
        RuntimeError: when it wrote none, with the end of what it said.
    """
    out = ROOT / "out" / "inspect" / "report.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    command = [str(environment()), "inspect", str(archive), "--mode", "precert"]
    command += ["--data-format", "json", "--output-file", str(out)]
    done = subprocess.run(command, env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, check=False)
    if not out.exists():
        raise RuntimeError(f"AppInspect wrote no report: {done.stderr.decode('utf-8', 'replace')[-2000:]}")
    report: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return report


def findings(report: dict[str, Any]) -> Iterator[Finding]:
    """What did not pass, from the report; a check that could not run counts as an error."""
    for app in report["reports"]:
        for check in (check for group in app["groups"] for check in group["checks"]):
            if check["result"] in (*BAD, "warning"):
                messages = " ".join(each["message"] for each in check["messages"])
                yield Finding(check["result"], check["name"], messages[:400])
    if not report["reports"]:
        yield Finding("error", "no_report", "AppInspect looked at no app")


def refused(findings: list[Finding], accepted: dict[str, str]) -> list[Finding]:
    """The findings that fail the build.

    >>> refused([Finding("warning", "a", ""), Finding("failure", "b", "")], {"a": "why", "b": "never"})
    [Finding(result='failure', check='b', message='')]
    """
    return [each for each in findings if each.result in BAD or each.check not in accepted]


def environment() -> Path:
    """AppInspect's program, in an environment that is rebuilt when the lock file changes."""
    place = ROOT / ".venv-inspect"
    program, stamp = place / "bin" / "splunk-appinspect", place / ".installed"
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        stamp.write_bytes(LOCK.read_bytes())
    return program


if __name__ == "__main__":
    sys.exit(main())
