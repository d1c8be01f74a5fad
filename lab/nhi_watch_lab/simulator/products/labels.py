"""The id of a record and the name of who acts in it as `nhi_watch` calls them, so that labels and behaviours agree.

Some products give a record no id of its own, so the source's reader makes one; labels ask the same reader. The records
themselves never depend on it.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from nhi_watch.core import registry
from nhi_watch_lab.simulator.products.workers import Line


@cache
def _sources() -> dict[str, ModuleType]:
    return {module.__name__.rpartition(".")[2]: module for module in registry.modules("nhi_watch.intake.sources")}


def record_id(line: Line) -> str:
    """The id under which the line's record is known.

    Raises:
        RejectError: the record is not one of its product's.
    """
    return str(_sources()[line.product].read(line.record).record_id)


def identity(line: Line) -> str:
    """The name of who acts in the line's record.

    Raises:
        RejectError: the record is not one of its product's.
    """
    return str(_sources()[line.product].read(line.record).identity.name)
