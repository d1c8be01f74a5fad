"""Context: what a run knows of the world beside its records."""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch.context.assets import NO_ASSETS, Assets
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.context.reputation import NOTHING, Reputation


class Context(NamedTuple):
    """What a customer's own lists say; without any, what ships.

    >>> Context().networks.facts("198.51.100.0/24").kind
    'unknown'
    """

    assets: Assets = NO_ASSETS
    reputation: Reputation = NOTHING
    networks: Networks = SHIPPED


NO_CONTEXT = Context()
