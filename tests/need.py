"""Skip where something is missing on a user's machine; fail instead where nothing may skip (CI)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"


def need(condition: object, reason: str) -> None:
    """Skip the test with a reason unless the condition holds; under NHI_NO_SKIP=1 fail."""
    if condition:
        return
    if os.environ.get("NHI_NO_SKIP") == "1":
        pytest.fail(f"nothing may skip here, but: {reason}")
    pytest.skip(reason)


def shared_data(name: str) -> Path:
    """Path of a file or folder of the shared data, or skip."""
    path = SHARED / "data" / name
    if os.environ.get("NHI_WITHOUT_SHARED") == "1" and not SHARED.exists():
        pytest.skip("NHI_WITHOUT_SHARED=1: real logs are not beside the checkout")
    need(path.exists(), f"needs shared/data/{name} beside the checkout")
    return path
