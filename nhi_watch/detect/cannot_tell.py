"""What telemetry does not say: fields that went missing, the signals that cannot tell without them, and by how much
the likelihood may therefore be wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Optional

from nhi_watch.detect.features import View
from nhi_watch.detect.home import Home
from nhi_watch.detect.model import EDGES
from nhi_watch.detect.signals import NAMES, SIGNALS
from nhi_watch.state.baseline import Profile

FIELDS = ("network", "agent", "region", "credential")
NEEDS = {field: tuple(signal.name for signal in SIGNALS if field in signal.needs) for field in FIELDS}
"""Field of an Event → signals that cannot tell without it."""
ALWAYS = ("network", "agent", "region")
"""Fields that an identity whose records have them has in all of them; a long-lived key is in some only."""
KNOWN_DAYS = 5
"""Active days from which it counts as known that an identity's records have a field."""
WHOLE_DAY = tuple(signal.name for signal in SIGNALS if signal.scope == "episode")
"""Signals that look at a day as a whole: what they do not show may be in the hours that no log tells of."""

NO_FIELD = "cannot tell: no record of the day has the field {}"
FIELDLESS = NO_FIELD.format("")
NO_LOG = "cannot tell: {}"

Row = tuple[Optional[float], ...]


def fields(views: Sequence[View], own: Profile) -> tuple[str, ...]:
    """Fields that no record of the day has, although the identity's records had them day by day."""
    if own.days < KNOWN_DAYS:
        return ()
    absent = [name for name in ALWAYS if not any(getattr(view.shape, name) for view in views)]
    return tuple(name for name in absent if _had(own, name))


def why(name: str, views: Sequence[View], own: Profile) -> str:
    """Why a signal of an episode cannot tell."""
    field = next((f for f in fields(views, own) if name in NEEDS[f]), "")
    return NO_FIELD.format(field) if field else "cannot tell: the history that it needs is missing"


def _had(own: Profile, name: str) -> bool:
    return sum(seen.days for seen in own.dimension(name).values.values()) >= own.days


def untold(values: Row, missing: Iterable[str]) -> Row:
    """The values, in which the signals that need a missing field cannot tell."""
    lost = {signal for name in missing for signal in NEEDS[name]}
    return tuple(None if name in lost and not value else value for name, value in zip(NAMES, values))


def bounds(home: Home, signals: Iterable[Mapping[str, Any]], unknown: Collection[str]) -> tuple[float, float]:
    """The lowest and the highest likelihood, whatever the unknown signals would have shown, but no less than they did.

    `signals`: those of a notable's JSON object.
    """
    told = {signal["id"]: signal for signal in signals}
    points = [told[name]["points"] if name in told else 0.0 for name in NAMES]
    values = [told[name]["value"] if name in told else 0.0 for name in NAMES]
    least = home.card.likelihood(points, values)
    for name in unknown:
        at = NAMES.index(name)
        points[at], values[at] = home.points(at)[-1], 2 * EDGES[-1]
    return least, home.card.likelihood(points, values)
