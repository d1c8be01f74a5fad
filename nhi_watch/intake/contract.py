"""What a log source offers: a module of `intake.sources` is one, and so is any object with these three."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol, Union

from nhi_watch.context import agents, networks
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

    What follows from what is told need not be: the network of the address; of `user_agent` the agent's family, and
    the traits `attack_tool` and `browser`. `marks` tells traits by whether they hold, and may say otherwise of those.

    >>> robot = Identity("ours::robot:1", "robot-1", "service_account", "ours", "", "")
    >>> made = event(1772445600, robot, "ours:Start", address="198.51.100.7", user_agent="Mozilla/5.0 (X11)",
    ...              marks={"mfa": True, "console": False}, traits=("public",))
    >>> made.service, made.outcome, made.error, made.network, made.agent
    ('ours', 'success', '', '198.51.100.0/24', 'browser')
    >>> made.traits
    ('browser', 'mfa', 'public')
    """
    address, user_agent = told.pop("address", "")[:128], told.pop("user_agent", "")
    family = agents.family(user_agent)
    marks = {"browser": family == "browser", "attack_tool": agents.is_attack_tool(user_agent), **told.pop("marks", {})}
    known = {
        "time": time, "provider": identity.provider, "account": identity.account, "identity": identity,
        "credential": "", "credential_type": "none", "session": "", "action": action[:128],
        "service": action.partition(":")[0], "access": "unknown", "outcome": "success", "address": address,
        "network": networks.network_of(address), "agent": family,
    }  # fmt: skip
    traits = {*(trait for trait, holds in marks.items() if holds), *told.pop("traits", ())}
    return Event(**{**known, **told, "traits": tuple(sorted(traits))})
