"""Times in every form that products use."""

from __future__ import annotations

import re

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import parse

_FIRST, _LAST = 1136073600, 4102444800  # 2006 to 2100: before and after, the clock is wrong
_FIRST_TEXT, _LAST_TEXT = "2006", "2100"
_DATE = re.compile(r"/?Date\((-?\d{1,19})(?:[+-]\d{4})?\)/?", re.ASCII)
_AMERICAN = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4}),? (\d\d?):(\d\d):(\d\d)(?:\.\d{1,9})?(?: ([AP])M)?(?: ?([+-]\d\d:\d\d))?", re.ASCII
)
_UTC = re.compile(r"(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)
"""What comes after the second."""
_WORDY = re.compile(r"(.*T.*\d|.* \d\d:\d\d:\d\d(?:\.\d+)?) ?(?:UTC|GMT)", re.ASCII)


def moment(value: object) -> int:
    """Seconds since the epoch of a time in any form that a product uses.

    RFC 3339 with any fraction and zone, with a blank for `T` or `UTC` at the end; seconds, milli-, micro- and
    nanoseconds since the epoch, as number or text; `/Date(…)/`; `month/day/year h:mm:ss AM`, with or without a zone.

    Raises:
        RejectError: no_time, bad_time; clock: not between 2006 and 2100.

    >>> [moment(t) for t in (1688989500, "1688989500.5", 1688989500123, "1688989500123456", "/Date(1688989500123)/")]
    [1688989500, 1688989500, 1688989500, 1688989500, 1688989500]
    >>> [moment(t) for t in ("2023-07-10 11:45:00.000000000", "2023-07-10 11:45:00 UTC", "7/10/2023 11:45:00 AM")]
    [1688989500, 1688989500, 1688989500]
    >>> moment("7/10/2023 1:45:00.5 PM +02:00")
    1688989500
    """
    if value.__class__ is list and len(value) == 1:
        value = value[0]
    if value is None or value == "" or isinstance(value, bool):
        raise RejectError("no_time", "the time is missing")
    if isinstance(value, (int, float)):
        return _checked(_epoch(value))
    if not isinstance(value, str):
        raise RejectError("bad_time", f"a time cannot be a {type(value).__name__}")
    return _checked(_of_text(value.strip()[:64]))


def _checked(seconds: int) -> int:
    if not _FIRST <= seconds < _LAST:
        raise RejectError("clock", f"the time {seconds} is not between 2006 and 2100")
    return seconds


def _epoch(value: float) -> int:
    """By magnitude: seconds, milli-, micro- or nanoseconds."""
    if not -1e20 < value < 1e20:
        raise RejectError("bad_time", "the time is no time of this era")
    whole_part = int(value)
    for limit, unit in ((10**11, 1), (10**14, 10**3), (10**17, 10**6)):
        if whole_part < limit:
            return whole_part // unit
    return whole_part // 10**9


def _of_text(told: str) -> int:
    if told[10:11] == "T" and told[-1:] not in "CT":  # at the end of UTC and GMT
        return parse(told)
    if re.fullmatch(r"\d{1,19}(?:\.\d{1,9})?", told, re.ASCII):
        return _epoch(int(told.partition(".")[0]))
    date = _DATE.fullmatch(told)
    if date:
        return int(date[1]) // 1000
    american = _AMERICAN.fullmatch(told)
    if american:
        month, day, year, hour, minute, second = map(int, american.groups()[:6])
        if american[7]:
            hour = hour % 12 + (12 if american[7] == "P" else 0)
        told = f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{american[8] or 'Z'}"
    wordy = _WORDY.fullmatch(told)
    return parse(wordy[1] if wordy else told)
