"""Who runs a network, for scoring: always an answer, if only a wider prefix."""

from __future__ import annotations

from functools import lru_cache

from nhi_watch.context.networks import Network, describe


@lru_cache(maxsize=4096)
def network_facts(network: str) -> Network:
    """Operator and kind of a network; where the operator is not known, the wider prefix stands for it.

    >>> network_facts("198.51.100.0/24").owner
    '198.51.0.0/16'
    """
    known = describe(network)
    return known if known.owner or "/" not in network else known._replace(owner=_wider(network))


def _wider(network: str) -> str:
    if ":" in network:
        return ":".join(network.split(":")[:2]) + "::/32"
    return ".".join(network.split(".")[:2]) + ".0.0/16"
