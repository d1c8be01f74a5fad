"""Log sources, one module each: record → Event, or a RejectError.

A source module defines:

- `NAME`: as in `--source NAME`, the module's own name
- `SPLUNK_SOURCETYPES`, `ELASTIC_INDICES`: where its records are on the hosts
- `claims(record) -> bool`: is this record mine, in any of its three shapes (native, Splunk, ECS)?
- `read(record) -> Event`: raises RejectError, never anything else

`read` depends on the record alone, not on what was read before it. All shapes of a record give the same Event. The key
of a cached answer (`remembered`) holds all values that it depends on, as text: to Python, 1 equals True.
"""

from __future__ import annotations

from types import ModuleType
from typing import Protocol, Union

from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.values import build_event as build_event


class Source(Protocol):
    """Reads the records of one product."""

    NAME: str
    """As in `--source NAME`."""

    def claims(self, record: object) -> bool:
        """Whether a record is of this product, in any of its shapes (native, Splunk, ECS)."""

    def read(self, record: object) -> Event:
        """The event of a record.

        Raises:
            RejectError: the record cannot be read; it says why.
        """


AnySource = Union[Source, ModuleType]


def every() -> list[ModuleType]:
    """All sources, by name; CloudTrail first, because most records are its."""
    return sorted(registry.modules(__name__), key=lambda source: bool(source.NAME != "cloudtrail"))
