"""Log sources, one module each: record → Event, or a RejectError.

A source module offers:

- `NAME`: as in `--source NAME`
- `SPLUNK_SOURCETYPES`, `ELASTIC_INDICES`: where its records lie on the hosts
- `claims(record) -> bool`: is this record mine, in any of its three shapes (native, Splunk, ECS)?
- `peek(record) -> Peek | None`: the cheap reading of an ordinary record; None: needs `read`
- `read(record) -> Event`: the full reading; raises RejectError, never anything else

The contract between the two readings: if `peek` gives equal shapes for two records, then their Events
differ at most in time, record_id, session and target, and those four are what Peek says. So a caller
that has read one record of a shape need not read the next.
"""

from __future__ import annotations

from typing import NamedTuple


class Peek(NamedTuple):
    """The cheap reading of a record."""

    shape: tuple[object, ...]
    """The raw values on which the Event depends, but for the four below; may hold unhashable rubbish."""
    time: object
    """The raw time, as logged: for CloudTrail an RFC 3339 text."""
    record_id: object
    session: object
    """Text, or rubbish that `read` would reject."""
    target: object
