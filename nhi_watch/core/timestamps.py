"""RFC 3339 in and out, in whole seconds UTC; alike on Python 3.9 and 3.13."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Optional

from nhi_watch.core.errors import RejectError

DAY = 86_400
HOUR = 3_600
MINUTE = 60

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)

_IN_UTC = re.compile(r":([0-5]\d)(?:[.,]\d{1,9})?(?:Z|z|[+-]00:?00)?", re.ASCII)
"""From the seconds of a time on."""
_SECONDS = {f":{second:02}Z": second for second in range(60)}
_CLOCK = {
    f"{between}{hour:02}:{minute:02}": hour * HOUR + minute * MINUTE
    for between in "T "
    for hour in range(24)
    for minute in range(60)
}
"""What follows a date, up to the minute → seconds since midnight."""


def parse(text: object) -> int:
    """Seconds since the epoch of an RFC 3339 text; a missing zone means UTC, fractions are cut off.

    `datetime.fromisoformat` of Python 3.9 refuses `Z` and fractions of 7 or 9 digits, hence this.

    Raises:
        RejectError: `bad_time`, when the text is no time between the years 1970 and 9999.

    >>> parse("2023-07-10T11:45:00Z"), parse("2023-07-10T13:45:00.1234567+02:00")
    (1688989500, 1688989500)
    """
    if isinstance(text, str):
        midnight, clock, seconds = _midnight(text[:10]), _CLOCK.get(text[10:16]), _SECONDS.get(text[16:])
        if midnight is not None and clock is not None:
            if seconds is not None:  # most times end so
                return midnight + clock + seconds
            match = _IN_UTC.fullmatch(text, 16)
            if match is not None:
                return midnight + clock + int(match[1])
    return _parsed(text)


_KIBANA = "Kibana writes times so, without a zone: set its dateFormat to YYYY-MM-DDTHH:mm:ss.SSSZ, and export again"


@lru_cache(maxsize=4096)
def _midnight(date: str) -> Optional[int]:
    """When a date begins in UTC; None: it is no date. Nearly all records are of a date that another one was of."""
    try:
        return _parsed(f"{date}T00:00:00Z")
    except RejectError:
        return None


def _parsed(text: object) -> int:
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        kibanas = f"; {_KIBANA}" if " @ " in str(text)[:40] else ""
        raise RejectError("bad_time", f"not an RFC 3339 time: {str(text)[:40]!r}{kibanas}")
    *fields, zone = match.groups()
    try:
        moment = datetime(*map(int, fields), tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise RejectError("bad_time", str(error)) from error
    seconds = int(moment.timestamp()) - _offset(zone)
    if seconds < 0:
        raise RejectError("bad_time", "before 1970")
    return seconds


def _offset(zone: str | None) -> int:
    """Seconds that a zone is ahead of UTC.

    >>> _offset("+0530"), _offset("-01:00"), _offset("Z")
    (19800, -3600, 0)
    >>> _offset("+99:99")
    Traceback (most recent call last):
    nhi_watch.core.errors.RejectError: bad_time: no time zone: +99:99
    """
    if not zone or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    if digits[:2] > "23" or digits[2:] > "59":
        raise RejectError("bad_time", f"no time zone: {zone}")
    seconds = int(digits[:2]) * HOUR + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def render(seconds: int) -> str:
    """RFC 3339 in UTC.

    >>> render(1688989500)
    '2023-07-10T11:45:00Z'
    """
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(seconds: int) -> int:
    """The UTC day's number since the epoch.

    >>> day_of(parse("1970-01-02T23:59:59Z"))
    1
    """
    return seconds // DAY


def render_day(day: int) -> str:
    """The date of a day's number.

    >>> render_day(1)
    '1970-01-02'
    """
    return render(day * DAY)[:10]


Span = tuple[int, int]
"""Begin and end of a stretch of time, half open."""


def stretches(starts: Iterable[int], length: int) -> tuple[Span, ...]:
    """Pieces of that length, by where they begin; neighbours are joined.

    >>> stretches([1, 2, 5], 1)
    ((1, 3), (5, 6))
    """
    joined: list[Span] = []
    for start in sorted(starts):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], start + length)
        else:
            joined.append((start, start + length))
    return tuple(joined)


def fewer(spans: Iterable[Span], most: int) -> tuple[Span, ...]:
    """Stretches in order; where there are more than `most`, those that lie nearest to each other are joined.

    >>> fewer([(8, 9), (0, 1), (2, 3)], 2)
    ((0, 3), (8, 9))
    """
    ordered = sorted(spans)
    while len(ordered) > most:
        gaps = [after[0] - before[1] for before, after in zip(ordered, ordered[1:])]
        at = gaps.index(min(gaps))
        ordered[at : at + 2] = [(ordered[at][0], max(ordered[at][1], ordered[at + 1][1]))]
    return tuple(ordered)
