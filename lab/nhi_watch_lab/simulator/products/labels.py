"""The ids of records and the names of who acts in them as `nhi_watch` calls them, so that labels and behaviours agree.

Some products give a record no id of its own, so the source's reader makes one; labels ask the same reader. The records
themselves never depend on it. What no reader knows (alerts of a SIEM's rules, Sysmon's records) has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType

from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch_lab.simulator.products.workers import Line


@cache
def _sources() -> dict[str, ModuleType]:
    return {module.__name__.rpartition(".")[2]: module for module in registry.modules("nhi_watch.intake.sources")}


def events(lines: Iterable[Line]) -> Iterator[Event]:
    """The event of each line that is read.

    Raises:
        RejectError: a record is not one of its product's.
    """
    for line in lines:
        source = _sources()[line.product]
        if source.claims(line.record):
            yield source.read(line.record)
