"""Where the fast lane counts lines, and the small questions that it asks of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional

from nhi_watch.core.behaviour import SESSIONS, TARGETS, Behaviour, Shape, keep
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR, parse
from nhi_watch.hosts.files.reader.lane_records import Resource, instance_ids
from nhi_watch.intake.sources.cloudtrail import _FIRST as FIRST
from nhi_watch.intake.sources.cloudtrail import _LAST as LAST
from nhi_watch.intake.sources.cloudtrail.native import _TARGET as LONGEST_TARGET
from nhi_watch.intake.sources.cloudtrail.native import join_accounts, joined


class Slot:
    """Where lines of one shape are counted."""

    __slots__ = ("address", "behaviour", "hour", "ids", "key", "keys", "raw", "seen", "session", "shape", "start",
                 "target")  # fmt: skip

    def __init__(self, shape: Shape, address: str, keys: tuple[str, ...]) -> None:
        self.shape = shape
        self.address = address
        self.keys = keys
        """Names of the parameters that may be the target."""
        self.key = keys[0] if keys else ""
        self.close()

    def close(self) -> None:
        """Belong to no hour."""
        self.hour = ""
        self.raw = b""
        """As spelled in the log; what follows belongs to it."""
        self.start = 0
        self.behaviour = Behaviour(self.shape, 0)
        self.seen: set[int] = set()
        self.ids: list[str] = []
        self.session = ""
        """The last one that was counted, so that it is not looked up again."""
        self.target = ""

    def meet(self, session: str) -> None:
        """Count another session than the last one."""
        self.session = session
        if session:
            keep(self.behaviour.sessions, session, SESSIONS)

    def reach(self, target: str) -> None:
        """Count another target than the last one."""
        self.target = target
        if target:
            keep(self.behaviour.targets, target, TARGETS)


@lru_cache(maxsize=64)
def hour_of(text: str) -> int:
    """The hour's number, or -1 when it is none of CloudTrail's.

    >>> hour_of("1970-01-01T02"), hour_of("2025-01-01T02"), hour_of("2025-13-01T02")
    (-1, 482138, -1)
    """
    try:
        return parse(f"{text}:00:00Z") // HOUR if FIRST <= text < LAST else -1
    except RejectError:
        return -1


def owners_of(resources: list[Resource]) -> tuple[Optional[str], str]:
    """As `owners_of` tells of the same resources."""
    if len(resources) == 1:
        only = resources[0]
        return only.accountId, (only.ARN or "")[:LONGEST_TARGET]
    arns = [r.ARN[:LONGEST_TARGET] for r in resources if r.ARN is not None]
    return join_accounts([r.accountId for r in resources]), min(arns, default="")


def target_of(params: Any, keys: tuple[str, ...]) -> str:
    """As `target_of` tells of the same parameters."""
    for key in keys:
        value = getattr(params, key)
        if value:
            if value.__class__ is str:
                return value[:LONGEST_TARGET]
            items = value if value.__class__ is list else instance_ids(value)
            if items:
                return joined(items)
    return ""
