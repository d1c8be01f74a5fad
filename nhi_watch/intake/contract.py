"""What a log source offers: a module of `intake.sources` is one, and so is any object with these three."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol, Union

from nhi_watch.core.event import Event, Identity


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


def event(time: int, identity: Identity, action: str, **told: Any) -> Event:
    """An Event of which only some is told: the rest is empty, which means *not told*.

    >>> robot = Identity("ours::robot:1", "robot-1", "service_account", "ours", "", "")
    >>> made = event(1772445600, robot, "ours:Start", address="198.51.100.7", network="198.51.100.0/24")
    >>> made.service, made.outcome, made.error
    ('ours', 'success', '')
    """
    known = {
        "time": time, "provider": identity.provider, "account": identity.account, "identity": identity,
        "credential": "", "credential_type": "none", "session": "", "action": action,
        "service": action.partition(":")[0], "access": "unknown", "outcome": "success",
    }  # fmt: skip
    return Event(**{**known, **told})
