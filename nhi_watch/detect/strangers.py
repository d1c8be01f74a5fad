"""Whose records are nobody's here: principals that were never let in, and those of other accounts.

Whoever can be refused can have as many names as he likes, each of them new, each named like whatever he chose. So all
strangers of one origin are one notable; so are newcomers that a peer group gets by the dozen in a day.
"""

from __future__ import annotations

from nhi_watch.context import assets
from nhi_watch.context.assets import Asset, Assets
from nhi_watch.detect.features import Past, View
from nhi_watch.detect.home import HISTORY
from nhi_watch.detect.scoring import Episode
from nhi_watch.state.baseline import REFUSALS

NEWCOMERS = "newcomers of "
"""How the origin of newcomers begins that are nobody's strangers."""


def is_stranger(origin: str) -> bool:
    """Whether an origin is that of strangers."""
    return bool(origin) and not origin.startswith(NEWCOMERS)


def origin(episode: Episode) -> str:
    """What a stranger shares with all that are like it; "": it is one of the tenant's own.

    Who has a history of being let in is none. Of linked ones all must be strangers, of one origin.
    """
    found = {_origin(part) for part in episode.parts}
    return found.pop() if len(found) == 1 else ""


def _origin(episode: Episode) -> str:
    identity, views, own = episode.identity, episode.view.views, episode.view.past.own
    foreign = identity.provider == "aws" and all(_is_elsewhere(view, identity.account) for view in views)
    if not foreign and any(view.shape.outcome not in REFUSALS for view in views):
        return ""
    if not views or ((own.days >= HISTORY or not foreign) and own.done("action")):
        return ""
    if foreign:
        return f"account {identity.account}"
    return f"never let in: {identity.provider} {identity.kind} of {identity.account or 'no account'}"


def _is_elsewhere(view: View, account: str) -> bool:
    """Whether a call came into another account than the caller's own."""
    return bool(account) and view.shape.account not in ("", account)


def asset(known: Assets, episode: Episode) -> Asset:
    """The customer's row for an episode's identity; by the last part of its name only for who is known for a week."""
    at_home = not is_stranger(origin(episode)) and _is_old(episode.view.past)
    return assets.find(known, episode.identity, at_home)


def _is_old(past: Past) -> bool:
    """Whether an identity was let in a week ago, or from the tenant's first day on: else its name may be chosen."""
    own, first = past.own, past.tenant.first
    return first < 0 or (bool(own.done("action")) and own.first <= max(first, past.today - HISTORY))
