"""The record inside an alert, read by the source whose it is: the surest way to the identity that it names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, Optional

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event

_NOT_ASKED = ("alerts", "exposure")


@cache
def _sources() -> tuple[ModuleType, ...]:
    found = registry.modules("nhi_watch.intake.sources")
    return tuple(source for source in found if source.__name__.rpartition(".")[2] not in _NOT_ASKED)


def matched(record: Mapping[str, Any]) -> Optional[Event]:
    """The Event of a record of any other source; None where no source knows it, or it cannot be read."""
    for source in _sources():
        if source.claims(record):
            try:
                event: Event = source.read(record)
            except RejectError:
                continue
            return event
    return None
