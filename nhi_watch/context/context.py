"""Context: what a run knows of the world beside its records."""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch.context.assets import NO_ASSETS, Assets
from nhi_watch.context.reputation import NOTHING, Reputation


class Context(NamedTuple):
    """What a customer's own lists tell; the networks of a list are in the table of `networks`."""

    assets: Assets = NO_ASSETS
    reputation: Reputation = NOTHING


NO_CONTEXT = Context()
