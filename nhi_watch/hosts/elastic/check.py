"""What the doctor is asked, and what it answers."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]
OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"


class Check(NamedTuple):
    """One question and its answer."""

    name: str
    status: str
    """ok | warn | fail | unknown"""
    detail: str
    remedy: str = ""
    facts: Json = {}  # noqa: RUF012 - never changed
    """The same for programs."""


class Wanted(NamedTuple):
    """What is examined."""

    pattern: str
    namespace: str
    late: int
    """Seconds after which a heartbeat, or what was not read yet, is too old."""
