"""Tests what ships to Splunk on bare interpreters, where no library but pytest and hypothesis is.

    python lab/tools/check_python.py 3.9 3.13

An interpreter that is not installed is named and left out, or fails the run under NHI_NO_SKIP=1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from layout import ROOT, bare_tests, name_of, needs_sdk, ships, sources

GIVEN = frozenset({"pytest", "hypothesis"})
PINS = GIVEN | {
    "attrs",
    "colorama",
    "exceptiongroup",
    "iniconfig",
    "packaging",
    "pluggy",
    "pygments",
    "sortedcontainers",
    "tomli",
    "typing-extensions",
}
"""What `GIVEN` needs, on any version; pip refuses the file if one is missing."""


def main(versions: list[str]) -> int:
    """Exit code: 0 if every version passed or is not installed. The versions run side by side."""
    with ThreadPoolExecutor() as pool:
        return max(pool.map(check, versions), default=0)


def check(version: str) -> int:
    """Run the tests and doctests of what ships on one version."""
    interpreter = find(version)
    if interpreter is None:
        print(f"Python {version}: not installed, not tested", file=sys.stderr)
        return int(os.environ.get("NHI_NO_SKIP") == "1")
    began = time.monotonic()
    python = environment(version, interpreter)
    paths = [str(path.relative_to(ROOT)) for path in [*bare_tests(GIVEN), *doctests()]]
    if not paths:
        print(f"Python {version}: found no test that needs the standard library alone", file=sys.stderr)
        return 1
    command = [python, "-m", "pytest", "-rfEs", "-p", "no:cacheprovider", "-m", "not slow", *paths]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    took = time.monotonic() - began
    print(f"{done.stdout}Python {version}: {len(paths)} files, exit code {done.returncode}, {took:.0f} s", flush=True)
    return done.returncode


def doctests() -> list[Path]:
    """Files that ship to Splunk and have examples in their docstrings; not the library's face, which reads files."""
    shipped = (path for path in sources("nhi_watch") if ships(name_of(path)) and name_of(path) != "nhi_watch")
    return [path for path in shipped if ">>>" in path.read_text("utf-8") and not needs_sdk(name_of(path))]


def find(version: str) -> str | None:
    """An interpreter of that version with venv and ensurepip: on PATH, or among pyenv's."""
    newest = sorted(pyenv_root().glob(f"versions/{version}.*/bin/python"), key=_version, reverse=True)
    named = shutil.which(f"python{version}")
    candidates = [*map(str, newest), *([named] if named else [])]
    return next((each for each in candidates if _works(each, version)), None)


def pyenv_root() -> Path:
    """Where pyenv keeps its interpreters."""
    text = os.environ.get("PYENV_ROOT")
    if text:
        return Path(text)
    places = os.environ.get("PATH", "").split(os.pathsep)
    roots = [Path(place).parent for place in places if place.endswith("/shims")]  # its plugins have shims, too
    return next((root for root in roots if (root / "versions").is_dir()), Path.home() / ".pyenv")


def _version(path: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", path.parents[2].name)]


def _works(python: str, version: str) -> bool:
    code = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def environment(version: str, interpreter: str) -> str:
    """The interpreter of `.venv-VERSION`, made once for each state of the lock file."""
    place, lock = ROOT / f".venv-{version}", ROOT / "requirements.lock"
    python, stamp = place / "bin" / "python", place / ".installed"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return str(python)
    subprocess.run([interpreter, "-m", "venv", "--clear", str(place)], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as part:
        part.write(pinned(lock.read_text("utf-8"), PINS))
        part.flush()
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", part.name], check=True)
    stamp.touch()
    return str(python)


def pinned(lock: str, names: frozenset[str]) -> str:
    r"""The blocks of a lock file that pin these names, with their hashes.

    >>> pinned("a==1 \\\n    --hash=sha256:0\n    # via b\nb==2 \\\n    --hash=sha256:1\n", frozenset("b"))
    'b==2 \\\n    --hash=sha256:1\n'
    """
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
