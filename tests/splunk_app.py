"""The app as `make package` builds it, unpacked, and Splunk's Pythons to run it."""

from __future__ import annotations

import shutil
from pathlib import Path

import package
from check_python import find
from layout import ROOT
from need import need


def unpacked(folder: Path) -> Path:
    """The app's root below a folder."""
    root = folder / str(package.APP)
    for name, data in package.contents().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "lookups").mkdir(exist_ok=True)  # none ships: these are as the customer's first rows make them
    for path in (ROOT / "lookups").glob("*.csv"):
        shutil.copy(path, root / "lookups")
    return root


def interpreter(version: str) -> str:
    """Path of a Python; the test is left out where it is not installed."""
    path = find(version)
    need(path, f"needs Python {version}")
    return str(path)
