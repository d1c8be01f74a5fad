"""Common schemas in which lakes and pipelines keep other products' records: one module or package each.

A schema offers:

- `NAME`
- `SPLUNK_SOURCETYPES`, `ELASTIC_INDICES`: where such records lie on the hosts
- `MARKS`: names at a record's top, of which each that it carries has one: no other is asked about
- `carries(record) -> bool`: is this record kept in my schema, in any host's form?
- `native(record) -> record`: the record as its product wrote it, for that product's source to read; raises RejectError
  where it cannot be known: what is in a schema is never offered to the sources as it is.

So a schema is one file, and every source reads what it carries, on every host.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType

from nhi_watch.core import registry


@cache
def every() -> tuple[ModuleType, ...]:
    """All schemas, by name."""
    return tuple(registry.modules(__name__))


def opened(record: object) -> object:
    """The record as its product wrote it; one that is kept in no schema comes back as it is.

    Raises:
        RejectError: its schema is known, and cannot tell it.

    >>> opened({"eventName": "GetObject"})
    {'eventName': 'GetObject'}
    """
    if record.__class__ is dict:
        for carries, native in _doors():
            if carries(record):
                return native(record)
    return record


@cache
def _doors() -> tuple[tuple[Callable[[object], bool], Callable[[object], object]], ...]:
    return tuple((schema.carries, schema.native) for schema in every())
