"""`nhi.toml`: what is read of it, what comes before it, and what its errors name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudtrail_shapes import record
from nhi_watch import cli


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, from which the program runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "one.json").write_text(json.dumps(record()) + "\n")
    return tmp_path
