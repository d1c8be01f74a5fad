"""Signal values as they are stored: only those that are not 0, by name, and for which set of signals.

Stored beside what a day taught, they outlive the behaviours: drift, training on one's own history and the comparison
of two models read them, and a receipt can be checked against them when the behaviours are gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from nhi_watch.detect.signals import NAMES

SET = hashlib.sha256(",".join(NAMES).encode()).hexdigest()[:8]
"""Which signals this version has: values of another set are not comparable."""
_PLACES = {name: place for place, name in enumerate(NAMES)}

Row = tuple[Optional[float], ...]
Sparse = Mapping[str, Optional[float]]
"""Signal → value, None: cannot tell; absent: 0."""


def sparse(values: Sequence[Optional[float]]) -> dict[str, Optional[float]]:
    """The values that are not 0.

    >>> sparse((0.0,) * len(NAMES))
    {}
    """
    return {name: value for name, value in zip(NAMES, values) if value != 0.0}


def pack(values: Sequence[Optional[float]]) -> list[Any]:
    """What is stored."""
    return [SET, sparse(values)]


def unpack(plain: object) -> Optional[Sparse]:
    """The values of a stored row; None where they are of other signals, or were not stored.

    >>> unpack(pack((0.0,) * len(NAMES))), unpack(None), unpack(["other", {}])
    ({}, None, None)
    """
    if not isinstance(plain, list) or len(plain) != 2 or plain[0] != SET:
        return None
    told: Sparse = plain[1]
    return told


def row(told: Sparse) -> Row:
    """All values, in the order of the signals.

    >>> row({}) == (0.0,) * len(NAMES)
    True
    """
    values: list[Optional[float]] = [0.0] * len(NAMES)
    for name, value in told.items():
        values[_PLACES[name]] = value
    return tuple(values)
