"""What a log source offers: a module of `intake.sources` is one, and so is any object with these three."""

from __future__ import annotations

from types import ModuleType
from typing import Protocol, Union

from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.values import event as event


class Source(Protocol):
    """Reads the records of one product."""

    NAME: str
    """As in `--source NAME`."""

    def claims(self, record: object) -> bool:
        """Whether a record is of this product, in any of its shapes (native, Splunk, ECS)."""

    def read(self, record: object) -> Event:
        """The event of a record.

        Raises:
            RejectError: it is none that can be read; it says why.
        """


AnySource = Union[Source, ModuleType]
