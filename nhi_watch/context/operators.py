"""Who runs a network, by the customer's own list and the shipped table."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from nhi_watch.context.networks import NO_LIST, Network, OwnList, describe


class Networks:
    """Operators and kinds of networks: the customer's list, if any, goes before the shipped table."""

    def __init__(self, own: OwnList = NO_LIST) -> None:
        self._own = own
        self.facts = lru_cache(maxsize=4096)(self._facts)
        """Network → operator and kind; where the operator is not known, the wider prefix stands for it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Networks, (self._own,)

    def __len__(self) -> int:
        """How many networks the customer's list names."""
        return sum(map(len, self._own.values()))

    def __bool__(self) -> bool:
        return True

    def describe(self, network: str) -> Network:
        """Owner and kind of a network in the form that `network_of` returns; never raises."""
        return describe(network, self._own)

    def _facts(self, network: str) -> Network:
        known = self.describe(network)
        return known if known.owner or "/" not in network else known._replace(owner=_wider(network))


SHIPPED = Networks()
"""Only what ships."""


def load(path: Path) -> Networks:
    """Networks with the customer's list (`cidr,owner,kind,comment`).

    Raises:
        InputError: naming file and line, when a row is wrong.
    """
    from nhi_watch.context import network_list  # its csv and ipaddress would double the time to import this module

    return Networks(network_list.read(path))


def network_facts(network: str) -> Network:
    """Operator and kind of a network by the shipped table.

    >>> network_facts("198.51.100.0/24").owner
    '198.51.0.0/16'
    """
    return SHIPPED.facts(network)


def _wider(network: str) -> str:
    if ":" in network:
        return ":".join(network.split(":")[:2]) + "::/32"
    return ".".join(network.split(".")[:2]) + ".0.0/16"
