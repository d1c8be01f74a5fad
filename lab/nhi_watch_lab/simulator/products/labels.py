"""The id of a record as `nhi_watch` calls it, so that labels and behaviours name records alike.

Some products give a record no id of its own, so the source's reader makes one; labels ask the same reader. The records
themselves never depend on it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from nhi_watch_lab.simulator.products.workers import Line


@cache
def _source(product: str) -> ModuleType:
    return import_module(f"nhi_watch.intake.sources.{product}")


def record_id(line: Line) -> str:
    """The id under which the line's record is known.

    Raises:
        RejectError: the record is not one of its product's.
    """
    return str(_source(line.product).read(line.record).record_id)
