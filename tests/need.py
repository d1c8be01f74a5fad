"""Skip where something is missing on a user's machine; fail instead where nothing may skip (CI)."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"


def need(condition: object, reason: str) -> None:
    """Skip the test with a reason unless the condition holds; under NHI_NO_SKIP=1 fail."""
    if condition:
        return
    if os.environ.get("NHI_NO_SKIP") == "1":
        pytest.fail(f"nothing may skip here, but: {reason}")
    pytest.skip(reason)


def library(name: str) -> Any:
    """The module of that name, or skip."""
    need(find_spec(name.partition(".")[0]), f"needs the library {name}: make setup")
    return import_module(name)


def shared_data(name: str) -> Path:
    """Path of a file or folder of the shared data, or skip."""
    path = SHARED / "data" / name
    if os.environ.get("NHI_WITHOUT_SHARED") == "1" and not SHARED.exists():
        pytest.skip("NHI_WITHOUT_SHARED=1: real logs are not beside the checkout")
    need(path.exists(), f"needs shared/data/{name} beside the checkout")
    return path
