"""How one identity's day was judged, as plain values: what a store keeps of it beside the behaviours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

from nhi_watch.core.event import Identity
from nhi_watch.state.baseline import Delta

Handles = Mapping[str, str]
"""Handle → a record that holds it."""


class Ranked(NamedTuple):
    """What ranking needs to know of an episode."""

    identity_id: str
    likelihood: float
    """Of an intrusion, in percent."""
    loss: float
    """Expected loss: likelihood × impact."""
    eligible: bool
    """Whether it may become a notable: no service of a provider's own, a person only where it is likely."""
    days: int = 0
    """Active days of its own before this one."""
    origin: str = ""
    """What all strangers, or all newcomers, of one kind share, see `detect.strangers`."""


class Trace(NamedTuple):
    """What one identity's day holds for links; plain values, for stores."""

    identity_id: str
    eligible: bool
    """Whether it may lead a notable."""
    first: int
    """First second of what is news; 0: nothing is."""
    names: Handles
    own: tuple[str, ...]
    """Those among the names that are the identity's own and may have belonged to another before."""
    given: Handles
    used: Handles
    """Credentials and sessions with which the news was made."""
    addresses: Handles
    """Where it worked from, if it made news."""
    touched: Mapping[str, str] = {}
    """Names of what it touched, if it made news: another product may know an identity by one."""


class Judged(NamedTuple):
    """What is kept of one identity's day once it is scored."""

    identity: Identity
    ranked: Ranked
    lesson: tuple[Delta, Delta]
    """What is learnt at once, and what only when it has come back."""
    trace: Optional[Trace]
    values: object = None
    """Of the signals, as `detect.signal_values` packs them."""
    history: int = -1
    """Its days of history, if it counts for the budget; else -1."""
    is_new: bool = False
    """Whether it was never seen before the day."""
    is_odd: bool = True
    """Whether the day's list may need it."""


class Stored(NamedTuple):
    """How one identity's day was judged, as its row tells it."""

    ranked: Ranked
    trace: Optional[Trace]
    values: object
    """Of the signals, packed; None: not stored."""
