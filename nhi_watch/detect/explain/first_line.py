"""The first line of a notable: who did what, from where, how that differs, and whether it worked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nhi_watch.context.networks import Networks
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render
from nhi_watch.state.baseline import Profile

_ADDRESSES = 2
_CALLS = 2
_FEW = 3
_MOSTLY = 0.8
"""Share of refused calls from which it looks like probing."""


def first_line(who: str, odd: Sequence[Behaviour], own: Profile, networks: Networks, among: int = 0) -> str:
    """One sentence for whoever has ten seconds. `odd`: what is suspicious, most points first; never empty; `among`: all
    calls of the day."""
    history = f"{_counted(own.days, 'active day')} of history" if own.days else "never seen before"
    calls = sum(b.count for b in odd)
    refused = sum(b.count for b in odd if b.shape.outcome == "denied")
    worked = sum(b.count for b in odd if b.shape.outcome == "success")
    made = f"{who} ({history}) made {_counted(calls, 'odd call')}{f' among {among:,}' if among > calls else ''}"
    did = f"{made} {_when(odd)}, {_outcome(calls, refused, worked)}: {_names(odd)}"
    parts = [did, _where(odd, own, networks), _client(odd, own)]
    return "; ".join(part for part in parts if part) + "." + _meaning(calls, refused, worked)


def _when(odd: Sequence[Behaviour]) -> str:
    first, last = render(min(b.first for b in odd)), render(max(b.last for b in odd))
    times = list(dict.fromkeys((first[11:16], last[11:16])))
    return f"on {first[:10]} {'from' if times[1:] else 'at'} {' to '.join(times)} UTC"


def _outcome(calls: int, refused: int, worked: int) -> str:
    """How the calls ended; the rest failed for other reasons than a lack of permission."""
    counts = [(worked, "worked"), (refused, "refused"), (calls - refused - worked, "failed")]
    told = [(count, how) for count, how in counts if count]
    if calls == 1:
        return "which was refused" if refused else f"which {told[0][1]}"
    if len(told) == 1:
        return f"all {told[0][1]}"
    return ", ".join(f"{count:,} {how}" for count, how in told)


def _names(odd: Sequence[Behaviour]) -> str:
    """The calls with most points; what worked goes first."""
    ordered = sorted(odd, key=lambda b: b.shape.outcome != "success")
    return _some([b.shape.action for b in ordered], _CALLS)


def _where(odd: Sequence[Behaviour], own: Profile, networks: Networks) -> str:
    """Full addresses, who runs them, and whether the identity was there before."""
    placed = [b for b in odd if b.shape.network]
    if not placed:
        return ""
    known = own.dimension("network").values if own.days else {}
    new = [b for b in placed if b.shape.network not in known]
    usual = [b for b in placed if b.shape.network in known]
    told = [part for part in (new, usual) if part]
    return f"from {' and from '.join(_placed(part, own, networks) for part in told)}"


def _placed(alike: Sequence[Behaviour], own: Profile, networks: Networks) -> str:
    addresses = [b.addresses[0] if b.addresses else b.shape.network for b in alike]
    network = alike[0].shape.network
    owner = networks.facts(network).owner
    named = f"{clip(owner, 40)}, " if owner and "/" not in owner and owner not in addresses[0] else ""
    return f"{_some(addresses, _ADDRESSES)} ({named}{_news(network, owner, own)})"


def _news(network: str, owner: str, own: Profile) -> str:
    if not own.days:
        return "its first network"
    if network in own.dimension("network").values:
        return "a network that it uses"
    return "new network, known operator" if owner in own.dimension("owner").values else "never used by it before"


def _client(odd: Sequence[Behaviour], own: Profile) -> str:
    agents = [b.shape.agent for b in odd if b.shape.agent]
    known = own.dimension("agent").values
    new = [agent for agent in agents if agent not in known] if own.days else []
    if not agents:
        return ""
    return f"new client {_some(new, 2)}" if new else f"client {_some(agents, 2)}{' as usual' if own.days else ''}"


def _meaning(calls: int, refused: int, worked: int) -> str:
    """What that looks like, where the share that was refused tells."""
    if calls < _FEW or refused < _MOSTLY * calls:
        return ""
    return f" {'Little' if worked else 'Nothing'} of that went through: somebody probing, or a broken deploy."


def _some(names: Iterable[str], most: int) -> str:
    """The first distinct names, and how many more there are.

    >>> _some(["a", "b", "a", "c", "d"], 2)
    'a, b and 2 more'
    """
    distinct = list(dict.fromkeys(names))
    shown = [clip(name, 80) for name in distinct[:most]]
    more = len(distinct) - most
    return f"{', '.join(shown)} and {more} more" if more > 0 else " and ".join(shown)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
