"""The customer's tables in the app's lookups/, as commands read them.

A wrong row must not end every scheduled search: the table is then left out, and the search's messages say so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from nhi_watch.context import assets, networks, reputation
from nhi_watch.context.assets import NO_ASSETS, Asset, Assets
from nhi_watch.context.context import Context
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk.protocol import Messages

LOOKUPS = Path(__file__).resolve().parents[3] / "lookups"
NETWORKS = "nhi_networks.csv"
ASSETS = "nhi_assets.csv"
OWNERS = "nhi_owners.csv"
ES_ASSETS = "nhi_es_assets.csv"
"""What the search NHI Watch - Enterprise Security Owners copies of Enterprise Security's identities."""
REPUTATION = "nhi_reputation.csv"
INTEL = "nhi_intel.csv"
"""What the search NHI Watch - Threat Intelligence copies of Enterprise Security's ip_intel."""


def load_context(folder: Path) -> tuple[Context, Messages]:
    """All that the customer's tables say."""
    known, about_assets = load_assets(folder)
    listed, about_listed = load_reputation(folder)
    own_networks, about_networks = load_networks(folder)
    return Context(known, listed, own_networks), [*about_assets, *about_listed, *about_networks]


def load_networks(folder: Path) -> tuple[Networks, Messages]:
    """The customer's networks: who runs them is part of what is normal."""
    path = folder / NETWORKS
    try:
        return (networks.load(path) if path.is_file() else SHIPPED), []
    except InputError as error:
        return SHIPPED, [left_out(error)]


def load_reputation(folder: Path) -> tuple[Reputation, Messages]:
    """The addresses that the customer's lists name."""
    paths = [path for path in (folder / REPUTATION, folder / INTEL) if path.is_file()]
    try:
        return (reputation.load(paths) if paths else NOTHING), []
    except InputError as error:
        return NOTHING, [left_out(error)]


def load_assets(folder: Path) -> tuple[Assets, Messages]:
    """The customer's assets, for priorities; what nhi_assets.csv leaves open is looked for in the others, in order."""
    known_assets: Assets = NO_ASSETS
    messages: Messages = []
    for name in (ASSETS, OWNERS, ES_ASSETS):
        try:
            more = assets.load(folder / name) if (folder / name).is_file() else NO_ASSETS
        except InputError as error:
            messages.append(left_out(error))
            continue
        known_assets = {**known_assets, **{who: _filled(known_assets.get(who), asset) for who, asset in more.items()}}
    return known_assets, messages


def _filled(known: Optional[Asset], asset: Asset) -> Asset:
    return asset if known is None else Asset(*(mine or other for mine, other in zip(known, asset)))


def left_out(error: InputError) -> tuple[str, str]:
    """The message on a table that cannot be read; the folder's path is nobody's business.

    >>> left_out(InputError("apps/nhi_watch/lookups/nhi_networks.csv, line 2: not a network"))
    ('WARN', 'skipped nhi_networks.csv, line 2: not a network; correct the table')
    """
    text = re.sub(r"^.*?(?=nhi_\w+\.csv)", "", str(error))
    return "WARN", f"skipped {text}; correct the table"[:500]
